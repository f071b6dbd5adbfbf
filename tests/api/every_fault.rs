//! Every fault of a body is told at once, with what is allowed (SPEC §2).

use std::collections::BTreeSet;

use serde_json::{Value, json};
use testing::browser::Browser;
use testing::{Answer, Member, Sqlite, Team, TestApp};

const NOBODY: &str = "0198c0de-0000-7000-8000-000000000000";

/// A method, a path, a body, and the faults that it has.
type Case<'a> = (&'a str, &'a str, Value, &'a [(&'a str, &'a str)]);

fn faults(answer: &Answer) -> BTreeSet<(String, String)> {
    let word = |fault: &Value, name: &str| fault[name].as_str().expect("text").to_owned();
    let errors = answer.body["errors"].as_array().expect("errors");
    errors.iter().map(|fault| (word(fault, "field"), word(fault, "code"))).collect()
}

fn message(answer: &Answer, field: &str) -> String {
    let errors = answer.body["errors"].as_array().expect("errors");
    let fault =
        errors.iter().find(|fault| fault["field"] == field).unwrap_or_else(|| panic!("{field}: {answer}"));
    fault["message"].as_str().expect("text").to_owned()
}

#[track_caller]
fn expect(answer: &Answer, wanted: &[(&str, &str)]) {
    let wanted = wanted.iter().map(|(field, code)| ((*field).to_owned(), (*code).to_owned())).collect();
    assert_eq!(faults(answer), wanted, "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn faults_of_shape_and_of_values_are_told_at_once_with_what_is_allowed() {
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    let body = format!(
        "{{\"name\":\"\",\"status\":\"lead\",\"email\":\"x\",\"email\":\"y\",\"phone\":{:?},\"company\":5,\"owner_id\":\"17\",\"id\":1,\"vip\":true}}",
        "1".repeat(60)
    );
    let before = app.stored().await;
    let typed = admin.header("content-type", "application/json");
    let answer = typed.raw("POST", "/api/customers", body).await.expect_problem(422, "invalid_fields");
    let wanted = [
        ("name", "required"),
        ("status", "invalid_choice"),
        ("email", "duplicate_field"),
        ("email", "invalid_email"),
        ("phone", "too_long"),
        ("company", "invalid_type"),
        ("owner_id", "invalid_value"),
        ("id", "unknown_field"),
        ("vip", "unknown_field"),
    ];
    expect(&answer, &wanted);
    for (field, allowed) in [
        ("status", "LEAD, ACTIVE, DORMANT"),
        ("phone", "50"),
        ("company", "string"),
        ("owner_id", "UUID"),
        ("vip", "name, kana, email, phone, company, status, notes, owner_id"),
    ] {
        assert!(message(&answer, field).contains(allowed), "{}", message(&answer, field));
    }
    let japanese = typed.language("ja").raw("POST", "/api/customers", "{\"vip\":1,\"status\":\"x\"}").await;
    expect(&japanese, &[("name", "required"), ("status", "invalid_choice"), ("vip", "unknown_field")]);
    assert!(message(&japanese, "status").contains("選択肢: LEAD, ACTIVE, DORMANT"), "{japanese}");
    assert_eq!(app.stored().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_body_tells_all_its_faults() {
    let app = TestApp::start(Sqlite).await;
    let Team { admin, sales, .. } = Team::of(&app).await;
    let customer = format!("/api/customers/{}", sales.customer("絆").await.id());
    app.settle().await;
    let long = "a".repeat(201);
    let cases: [Case<'_>; 8] = [
        (
            "POST",
            "/api/auth/users",
            json!({"email": "x", "name": "\u{200b}", "time_zone": "Mars/Phobos", "locale": "fr"}),
            &[
                ("email", "invalid_email"),
                ("name", "invisible"),
                ("time_zone", "invalid_time_zone"),
                ("locale", "invalid_choice"),
                ("role", "required"),
                ("password", "required"),
            ],
        ),
        (
            "POST",
            "/api/auth/users",
            json!({"email": 1, "role": "CHEF", "name": "a\nb", "password": "short"}),
            &[
                ("email", "invalid_type"),
                ("role", "invalid_choice"),
                ("name", "control_character"),
                ("password", "too_small"),
            ],
        ),
        (
            "POST",
            "/api/meetings",
            json!({"title": long, "met_at": "soon", "duration_minutes": -1, "place": "x"}),
            &[
                ("title", "too_long"),
                ("met_at", "invalid_time"),
                ("duration_minutes", "too_small"),
                ("place", "unknown_field"),
                ("customer_id", "required"),
            ],
        ),
        (
            "POST",
            "/api/tasks",
            json!({"due_at": 5, "title": "", "status": "DONE?"}),
            &[("due_at", "invalid_type"), ("title", "required"), ("status", "invalid_choice")],
        ),
        (
            "POST",
            "/api/approvals",
            json!({"amount": 1.5, "currency": "YEN", "title": "a\u{202e}b"}),
            &[
                ("amount", "invalid_type"),
                ("currency", "invalid_currency"),
                ("title", "bidi_control"),
                ("customer_id", "required"),
            ],
        ),
        (
            "PATCH",
            &customer,
            json!({"name": null, "email": "@", "owner_id": [], "notes": "a\0"}),
            &[
                ("name", "invalid_type"),
                ("email", "invalid_email"),
                ("owner_id", "invalid_type"),
                ("notes", "nul_character"),
            ],
        ),
        (
            "PATCH",
            "/api/approvals/0198c0de-0000-7000-8000-000000000000/reject",
            json!({"comment": " ", "why": 1}),
            &[("comment", "required"), ("why", "unknown_field")],
        ),
        (
            "POST",
            "/api/auth/password",
            json!({"new_password": "short", "old_password": "x"}),
            &[
                ("new_password", "too_small"),
                ("old_password", "unknown_field"),
                ("current_password", "required"),
            ],
        ),
    ];
    for (method, path, body, wanted) in cases {
        let api = if path == "/api/auth/users" { &admin } else { &sales };
        let answer = api.header("content-type", "application/json").raw(method, path, body.to_string()).await;
        expect(&answer.expect_problem(422, "invalid_fields"), wanted);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_body_of_thousands_of_faults_is_answered_at_once_and_briefly() {
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    let mut body = json!({"name": 1, "owner_id": NOBODY});
    for number in 0..20_000 {
        body[format!("f{number}")] = json!(1);
    }
    let begun = std::time::Instant::now();
    let answer = admin.post("/api/customers", body).await.expect_problem(422, "invalid_fields");
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
    assert_eq!(answer.body["errors"].as_array().map(Vec::len), Some(100));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_form_shows_all_its_faults() {
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    let browser = Browser::open(&app, &admin.email).await;
    let fields = [("title", "a\tb"), ("due_at", "soon"), ("assignee_id", "17")];
    let page = browser.post("/tasks", &fields).await;
    for shown in ["改行と制御文字は使えません。", "日時", "この値は使えません。"] {
        assert!(page.text.contains(shown), "{shown}: {page}");
    }
}
