//! `/api/auth/users`.

use std::collections::BTreeSet;

use argon2::Argon2;
use argon2::password_hash::PasswordHasher;
use kernel::ids::Id;
use rstest::rstest;
use serde_json::{Value, json};
use store::sql::Sql;

use crate::rejected::{Rejected, all_refused};
use testing::app::PASSWORD;
use testing::{Database, Member, Postgres, Sqlite, Team, TestApp};

const USERS: &str = "/api/auth/users";
const NOBODY: &str = "0198c0de-0000-7000-8000-000000000000";

fn path(id: &str) -> String {
    format!("{USERS}/{id}")
}

fn new_user(email: &str) -> Value {
    json!({"email": email, "name": "佐藤 花子", "role": "SALES", "password": PASSWORD})
}

fn fields(record: &Value) -> BTreeSet<&str> {
    record.as_object().expect("a record").keys().map(String::as_str).collect()
}

fn emails(list: &[Value]) -> BTreeSet<&str> {
    list.iter().map(|user| user["email"].as_str().expect("an address")).collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_admin_creates_a_user_who_can_sign_in(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let admin = Member::first(&app).await;
    let answer = admin.post(USERS, new_user("  Sato@Example.COM ")).await.expect(201);
    assert_eq!(answer.header("location"), Some(path(&answer.id()).as_str()));
    assert_eq!(answer.version(), Some(1));
    let wanted = json!({
        "id": answer.id(), "version": 1, "created_at": "2026-03-02T09:00:00.000000Z",
        "updated_at": "2026-03-02T09:00:00.000000Z", "email": "sato@example.com", "name": "佐藤 花子",
        "role": "SALES", "manager_id": null, "locale": "ja", "time_zone": "Asia/Tokyo",
    });
    assert_eq!(answer.body, wanted);
    let read = admin.get(&path(&answer.id())).await.expect(200);
    assert_eq!((&read.body, read.version()), (&wanted, Some(1)));
    Member::sign_in(&app.nobody(), "sato@example.com", PASSWORD).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn sales_see_of_users_their_name_and_role_and_nothing_else(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, colleague } = Team::of(&app).await;
    let short = BTreeSet::from(["id", "name", "role"]);
    for reader in [&admin, &manager, &sales] {
        let list = reader.get(USERS).await.expect(200);
        assert_eq!(list.items().len(), 4);
        let one = reader.get(&path(&colleague.id)).await.expect(200);
        let same = list.items().iter().find(|user| user["id"] == colleague.id.as_str());
        assert_eq!(same, Some(&one.body), "in the list as by itself");
        assert_eq!(fields(&one.body) == short, reader.id == sales.id, "{one}");
        assert_eq!((&one.body["name"], &one.body["role"]), (&json!("colleague"), &json!("SALES")));
    }
    assert_eq!(fields(&sales.get(&path(&sales.id)).await.body), short, "here not even of themselves");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn sales_do_not_find_users_by_an_address_that_they_may_not_see() {
    let app = TestApp::start(Sqlite).await;
    let Team { manager, sales, .. } = Team::of(&app).await;
    let found = async |reader: &Member, q: &str| reader.get(&format!("{USERS}?q={q}")).await.items().len();
    assert_eq!(found(&manager, "colleague@example").await, 1);
    assert_eq!(found(&sales, "colleague").await, 1, "by name");
    assert_eq!(found(&sales, "colleague@example").await, 0, "by address");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn only_admins_create_and_change_users() {
    let app = TestApp::start(Sqlite).await;
    let Team { manager, sales, colleague, .. } = Team::of(&app).await;
    for member in [&manager, &sales] {
        let create =
            Rejected::new("POST", USERS, 403, "forbidden").json(new_user("sato@example.com").to_string());
        let change =
            |id: &str| Rejected::new("PATCH", path(id), 403, "forbidden").json("{\"name\":\"別名\"}");
        all_refused(&app, member, [create, change(&colleague.id), change(&member.id), change(NOBODY)]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_fault_of_a_user_is_named() {
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    let sales = admin.make_user("SALES", "sales", None).await.id();
    let with = |field: &str, value: Value| {
        let mut user = new_user("sato@example.com");
        user[field] = value;
        user
    };
    let validator = [
        ("email", json!("sato"), "invalid_email"),
        ("email", json!("佐藤@example.com"), "invalid_email"),
        ("email", json!(""), "required"),
        ("email", json!(format!("{}@example.com", "a".repeat(250))), "too_long"),
        ("name", json!(" \u{3000}"), "required"),
        ("name", json!("あ".repeat(201)), "too_long"),
        ("role", json!("sales"), "invalid_choice"),
        ("role", json!(null), "invalid_type"),
        ("manager_id", json!(NOBODY), "unknown_manager"),
        ("manager_id", json!(sales), "unknown_manager"),
        ("locale", json!("de"), "invalid_choice"),
        ("time_zone", json!("Asia/Tokyo; --"), "invalid_time_zone"),
        ("password", json!("seven77"), "too_small"),
        ("password", json!("a".repeat(129)), "too_large"),
    ];
    let rejected =
        validator.map(|(field, value, code)| Rejected::field(USERS, with(field, value), field, code));
    all_refused(&app, &admin, rejected).await;
    let many = json!({"email": "sato", "name": "", "role": "SALES", "password": "short"});
    let answer = admin.post(USERS, many).await.expect_problem(422, "invalid_fields");
    let named: Vec<_> =
        answer.body["errors"].as_array().into_iter().flatten().map(|error| &error["field"]).collect();
    assert_eq!(named, ["email", "name", "password"], "all at once");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_address_belongs_to_one_user(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let admin = Member::first(&app).await;
    let sales = admin.make_user("SALES", "sales", None).await;
    let before = app.stored().await;
    admin.post(USERS, new_user("SALES@example.com")).await.expect_problem(409, "email_taken");
    let change = json!({"email": "admin@example.com"});
    admin.patch(&path(&sales.id()), change).await.expect_problem(409, "email_taken");
    assert_eq!(app.stored().await, before);
    let (one, two) = tokio::join!(
        admin.post(USERS, new_user("sato@example.com")),
        admin.post(USERS, new_user("sato@example.com"))
    );
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409], "two at once");
    assert_eq!(admin.get(&path(&sales.id())).await.body, sales.body);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_change_keeps_what_is_absent_and_clears_what_is_null(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, .. } = Team::of(&app).await;
    let path = path(&sales.id);
    let renamed =
        admin.if_match(1).patch(&path, json!({"name": "鈴木 一郎", "locale": "en"})).await.expect(200);
    assert_eq!((renamed.version(), &renamed.body["manager_id"]), (Some(2), &json!(manager.id)));
    admin.if_match(1).patch(&path, json!({"name": "別名"})).await.expect_problem(412, "stale_version");
    let alone = admin.patch(&path, json!({"manager_id": null})).await.expect(200);
    assert_eq!((alone.version(), &alone.body["manager_id"]), (Some(3), &json!(null)));
    assert_eq!((&alone.body["name"], &alone.body["locale"]), (&json!("鈴木 一郎"), &json!("en")));
    app.settle().await;
    let before = app.stored().await;
    for nothing in
        [json!({}), json!({"name": "鈴木 一郎"}), json!({"email": "SALES@example.com", "role": "SALES"})]
    {
        let same = admin.patch(&path, nothing).await.expect(200);
        assert_eq!((&same.body, same.version()), (&alone.body, Some(3)));
    }
    assert_eq!(app.stored().await, before, "nothing changed, nothing is told");
    let own = Rejected::new("PATCH", path.as_str(), 422, "invalid_fields");
    let own = own.json(json!({"manager_id": sales.id}).to_string()).fault("manager_id", "unknown_manager");
    let nobody = Rejected::new("PATCH", self::path(NOBODY), 404, "not_found").json("{\"name\":\"別名\"}");
    all_refused(&app, &admin, [own, nobody]).await;
    let boss = json!({"manager_id": manager.id});
    let refused = admin.patch(&self::path(&manager.id), boss).await.expect_problem(422, "invalid_fields");
    assert_eq!(refused.text_at("/errors/0/code"), "own_manager");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_list_is_narrowed_by_role_and_text(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, .. } = Team::of(&app).await;
    let found = async |query: &str| admin.get(&format!("{USERS}?{query}")).await.expect(200);
    assert_eq!(
        emails(found("role=SALES").await.items()),
        BTreeSet::from(["sales@example.com", "colleague@example.com"])
    );
    assert_eq!(
        emails(found("q=ADMINIS").await.items()),
        BTreeSet::from(["admin@example.com"]),
        "in the name"
    );
    assert_eq!(
        emails(found("q=ger%40ex").await.items()),
        BTreeSet::from(["manager@example.com"]),
        "in the address"
    );
    assert!(found("q=%25").await.items().is_empty(), "literally");
    assert!(found("role=ADMIN&q=sales").await.items().is_empty(), "both must hold");
    let counted = found("role=SALES&count=true&limit=1").await;
    assert_eq!((counted.items().len(), counted.header("x-total-count")), (1, Some("2")));
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn passwords_that_a_guess_would_try_first_are_refused(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let admin = Member::first(&app).await;
    let new = |password: &str| json!({"email": "hanako.sato@kaisha.example", "name": "佐藤 花子", "role": "SALES", "password": password});
    let weak = [
        ("PassWord1", "common_password"),
        ("qwertyuiop", "common_password"),
        ("kizuna-2026", "known_words"),
        ("Hanako.Sato", "known_words"),
        ("佐藤花子佐藤花子", "known_words"),
    ];
    for (password, code) in weak {
        let refused =
            admin.post("/api/auth/users", new(password)).await.expect_problem(422, "invalid_fields");
        assert_eq!(
            (refused.text_at("/errors/0/field"), refused.text_at("/errors/0/code")),
            ("password".into(), code.into())
        );
    }
    // Typed with the accent as a character of its own: the same password.
    let made = admin.post("/api/auth/users", new("cafe\u{301}-au-lait")).await.expect(201).id();
    let hanako = Member::sign_in(&app.nobody(), "hanako.sato@kaisha.example", "caf\u{e9}-au-lait").await;
    Member::sign_in(&app.nobody(), "hanako.sato@kaisha.example", "cafe\u{301}-au-lait").await;
    for (password, code) in weak {
        let change = json!({"current_password": "café-au-lait", "new_password": password});
        let refused = hanako.post("/api/auth/password", change).await.expect_problem(422, "invalid_fields");
        assert_eq!(
            (refused.text_at("/errors/0/field"), refused.text_at("/errors/0/code")),
            ("new_password".into(), code.into())
        );
        let path = format!("/api/auth/users/{made}");
        let refused =
            admin.patch(&path, json!({"password": password})).await.expect_problem(422, "invalid_fields");
        assert_eq!(refused.text_at("/errors/0/code"), code);
    }
    // A hash from before passwords were composed.
    let old = Argon2::default().hash_password("cafe\u{301}-crème".as_bytes()).expect("a hash").to_string();
    let forge = Sql::new("UPDATE users").push(" SET password_hash = ?", [old.into()]);
    let id = Id::parse(&made).expect("an id");
    app.db.execute(forge.filter("id = ?", [id.into()])).await.expect("an update");
    let login = json!({"email": "hanako.sato@kaisha.example", "password": "cafe\u{301}-crème"});
    app.nobody().post("/api/auth/login", login).await.expect(200);
}
