//! Who sees and does what with customers and meetings (SPEC §1): what one may not see is missing.

use rstest::rstest;
use serde_json::json;

use crate::rejected::{Rejected, all_refused};
use store::sql::Sql;
use testing::browser::Browser;
use testing::{Answer, Database, Member, Postgres, Sqlite, Team, TestApp};

const MISSING: &str = "0198c0de-0000-7000-8000-000000000000";

/// Everything but what names the request itself.
fn likeness(answer: &Answer, id: &str) -> (u16, Vec<(String, String)>, String) {
    let own = ["date", "x-request-id", "content-length"];
    let headers = answer.headers.iter().map(|(name, value)| (name.to_string(), format!("{value:?}")));
    let mut headers: Vec<_> = headers.filter(|(name, _)| !own.contains(&name.as_str())).collect();
    headers.sort();
    (answer.status, headers, answer.text.replace(id, "ID"))
}

/// What `member` is answered to every request about the record.
async fn answers(member: &Member, collection: &str, id: &str) -> Vec<Answer> {
    let path = format!("{collection}/{id}");
    let mut answers = vec![
        member.get(&path).await,
        member.if_match(1).get(&path).await,
        member.patch(&path, json!({"notes": "見た"})).await,
        member.if_match(9).patch(&path, json!({"notes": "見た"})).await,
        member.if_match(9).delete(&path).await,
        member.delete(&path).await,
    ];
    answers.push(member.get(&format!("{path}/activity")).await);
    answers
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_record_of_another_answers_sales_as_a_missing_one_does(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { sales, colleague, .. } = Team::of(&app).await;
    let customer = colleague.customer("絆").await.id();
    let meeting = colleague.meeting(&customer, "訪問").await.id();
    app.settle().await;
    let before = app.stored().await;
    for (collection, id) in [("/api/customers", &customer), ("/api/meetings", &meeting)] {
        let hidden = answers(&sales, collection, id).await;
        let missing = answers(&sales, collection, MISSING).await;
        for (hidden, missing) in hidden.iter().zip(&missing) {
            assert_eq!(hidden.status, 404, "{hidden}");
            assert_eq!(likeness(hidden, id), likeness(missing, MISSING));
        }
    }
    let met = |id: &str| json!({"customer_id": id, "title": "訪問", "met_at": "2026-03-01T10:00:00Z"});
    let hidden = sales.post("/api/meetings", met(&customer)).await.expect_problem(404, "customer_not_found");
    let missing = sales.post("/api/meetings", met(MISSING)).await;
    assert_eq!(likeness(&hidden, &customer), likeness(&missing, MISSING));
    assert_eq!(app.stored().await, before);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn lists_hold_for_sales_their_own_and_for_others_everything(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, colleague } = Team::of(&app).await;
    for member in [&sales, &colleague] {
        let customer = member.customer("絆").await.id();
        member.meeting(&customer, "訪問").await;
    }
    for collection in ["/api/customers", "/api/meetings"] {
        let owners = async |member: &Member, query: &str| {
            let list = member.get(&format!("{collection}?count=true{query}")).await.expect(200);
            assert_eq!(list.header("x-total-count"), Some(list.items().len().to_string().as_str()));
            let mut owners: Vec<_> = list.items().iter().map(|row| row["owner_id"].clone()).collect();
            owners.sort_by_key(|owner| *owner != json!(sales.id));
            owners
        };
        for member in [&admin, &manager] {
            assert_eq!(owners(member, "").await, [json!(sales.id), json!(colleague.id)]);
        }
        assert_eq!(owners(&sales, "").await, [json!(sales.id)]);
        let others = format!("&owner_id={}", colleague.id);
        assert!(owners(&sales, &others).await.is_empty());
        assert_eq!(owners(&manager, &others).await, [json!(colleague.id)]);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn managers_and_admins_change_and_delete_every_record(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, .. } = Team::of(&app).await;
    for member in [&admin, &manager] {
        let customer = sales.customer("絆").await.id();
        let meeting = sales.meeting(&customer, "訪問").await.id();
        for path in [format!("/api/meetings/{meeting}"), format!("/api/customers/{customer}")] {
            member.get(&path).await.expect(200);
            let changed = member.patch(&path, json!({"notes": "見た"})).await.expect(200);
            assert_eq!(changed.body["owner_id"], json!(sales.id), "a change alone takes nothing away");
            member.delete(&path).await.expect(200);
            sales.get(&path).await.expect(404);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn sales_give_nothing_to_others() {
    let app = TestApp::start(Sqlite).await;
    let Team { sales, colleague, .. } = Team::of(&app).await;
    let customer = sales.create_customer(json!({"name": "絆", "owner_id": sales.id})).await.id();
    let meeting = sales.meeting(&customer, "訪問").await.id();
    let hidden = colleague.customer("別").await.id();
    app.settle().await;
    let path = |collection: &str, id: &str| format!("/api/{collection}/{id}");
    let taken = Rejected::new("PATCH", path("customers", &hidden), 404, "not_found");
    let mut rejected = vec![taken.json(json!({"owner_id": sales.id}).to_string())];
    for owner in [colleague.id.as_str(), MISSING] {
        let met = json!({"customer_id": customer, "title": "訪問", "met_at": "2026-03-01T10:00:00Z", "owner_id": owner});
        for (method, path, body) in [
            ("POST", "/api/customers".to_owned(), json!({"name": "絆", "owner_id": owner})),
            ("POST", "/api/meetings".to_owned(), met),
            ("PATCH", path("customers", &customer), json!({"owner_id": owner})),
            ("PATCH", path("meetings", &meeting), json!({"owner_id": owner})),
        ] {
            rejected.push(Rejected::new(method, path, 403, "forbidden").json(body.to_string()));
        }
    }
    all_refused(&app, &sales, rejected).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_record_that_is_handed_over_leaves_its_old_owner(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, colleague, .. } = Team::of(&app).await;
    let customer = sales.customer("絆").await.id();
    let meeting = sales.meeting(&customer, "訪問").await.id();
    for path in [format!("/api/customers/{customer}"), format!("/api/meetings/{meeting}")] {
        let unknown =
            manager.patch(&path, json!({"owner_id": MISSING})).await.expect_problem(422, "invalid_fields");
        assert_eq!(unknown.text_at("/errors/0/code"), "unknown_user");
        let given = manager.patch(&path, json!({"owner_id": colleague.id})).await.expect(200);
        assert_eq!((given.version(), &given.body["owner_id"]), (Some(2), &json!(colleague.id)));
        sales.get(&path).await.expect_problem(404, "not_found");
        colleague.get(&path).await.expect(200);
    }
    assert!(sales.get("/api/customers").await.items().is_empty());
    assert_eq!(colleague.get("/api/meetings").await.items().len(), 1);
}

/// A customer of `sales` with a meeting of theirs, one that was handed to `colleague`, and what the manager keeps to
/// themselves.
async fn shared_customer(app: &TestApp, team: &Team) -> String {
    let Team { manager, sales, colleague, .. } = team;
    let customer = sales.customer("絆").await.id();
    let (_, handed) = (sales.meeting(&customer, "訪問").await, sales.meeting(&customer, "引継ぎ").await.id());
    let secret = json!({
        "customer_id": customer, "title": "内密", "met_at": "2026-03-01T10:00:00Z", "notes": "内密の値引き",
    });
    manager.post("/api/meetings", secret).await.expect(201);
    let call = json!({"title": "内密", "due_at": "2026-03-05T09:00:00Z", "customer_id": customer});
    manager.post("/api/tasks", call).await.expect(201);
    manager.approval(&customer, "内密").await;
    let handed = format!("/api/meetings/{handed}");
    manager.patch(&handed, json!({"owner_id": colleague.id})).await.expect(200);
    manager.patch(&handed, json!({"notes": "内密"})).await.expect(200);
    app.settle().await;
    customer
}

/// The types of a customer's activity, as `member` sees it page by page.
async fn activity(member: &Member, customer: &str) -> Vec<String> {
    let path = format!("/api/customers/{customer}/activity");
    let whole = member.get(&format!("{path}?count=true")).await.expect(200);
    assert_eq!(whole.header("x-total-count"), Some(whole.items().len().to_string().as_str()));
    let (mut walked, mut next) = (Vec::new(), Some(format!("{path}?limit=1")));
    while let Some(path) = next {
        let page = member.get(&path).await.expect(200);
        walked.extend(page.items().to_vec());
        next = page.next().map(str::to_owned);
    }
    assert_eq!(walked, whole.items());
    walked.iter().map(|event| event["type"].as_str().expect("a type").to_owned()).collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_activity_of_an_own_customer_shows_sales_what_the_live_feed_would(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::start(on).await;
    let team = Team::of(&app).await;
    let customer = shared_customer(&app, &team).await;
    // The handing over is the last that its old owner sees of a meeting.
    let own = ["meeting.updated", "meeting.created", "meeting.created", "customer.created"];
    let all = [
        "meeting.updated",
        "meeting.updated",
        "approval.requested",
        "task.created",
        "meeting.created",
        "meeting.created",
        "meeting.created",
        "customer.created",
    ];
    assert_eq!(activity(&team.sales, &customer).await, own);
    for member in [&team.manager, &team.admin] {
        assert_eq!(activity(member, &customer).await, all);
    }
    let path = format!("/api/customers/{customer}/activity");
    team.colleague.get(&path).await.expect_problem(404, "not_found");
    assert!(!team.sales.get(&path).await.text.contains("内密"));
    let page = async |member: &Member| {
        let browser = Browser::open(&app, &member.email).await;
        browser.get(&format!("/customers/{customer}")).await.expect(200).text
    };
    assert!(page(&team.manager).await.contains("内密"));
    assert!(!page(&team.sales).await.contains("内密"));
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn events_from_before_the_owners_were_stored_are_shown_by_the_same_rule(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::start(on).await;
    let team = Team::of(&app).await;
    let customer = shared_customer(&app, &team).await;
    let before = activity(&team.sales, &customer).await;
    let forget = "UPDATE customer_activity SET owner_id = NULL, previous_owner_id = NULL";
    app.db.execute(Sql::new(forget)).await.expect("an update");
    assert!(activity(&team.sales, &customer).await.is_empty(), "what names no owner is not for SALES");
    let migration = match on {
        Sqlite => include_str!("../../migrations/sqlite/0014_add_owners_to_customer_activity.sql"),
        Postgres => include_str!("../../migrations/postgres/0014_add_owners_to_customer_activity.sql"),
    };
    let update = &migration[migration.find("UPDATE").expect("an update")..];
    app.db.execute(Sql::new(update.trim_end().trim_end_matches(';'))).await.expect("an update");
    assert_eq!(activity(&team.sales, &customer).await, before);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_deletion_preview_counts_what_its_reader_may_see(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let team = Team::of(&app).await;
    let customer = shared_customer(&app, &team).await;
    let counts = async |member: &Member| {
        let path = format!("/api/customers/{customer}/deletion-preview");
        let preview = member.get(&path).await.expect(200);
        ["meetings", "tasks", "approvals", "notifications"].map(|kind| preview.body["counts"][kind].clone())
    };
    let [meetings, tasks, approvals, notifications] = counts(&team.sales).await;
    assert_eq!([meetings, tasks, approvals], [json!(1), json!(0), json!(0)]);
    assert!(notifications.as_i64() > Some(0), "all that would be archived: a number shows nothing of them");
    assert_eq!(counts(&team.manager).await, [json!(3), json!(1), json!(1), notifications]);
}
