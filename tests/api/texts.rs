//! Texts (SPEC §2): something to see, no controls in a line, NFC; and time zones of IANA.

use rstest::rstest;
use serde_json::{Value, json};

use crate::rejected::{Rejected, all_refused};
use testing::{Database, Member, Postgres, Sqlite, Team, TestApp};

/// Invisible texts.
const INVISIBLE: [&str; 9] = [
    "\u{200b}",
    "\u{feff}",
    "\u{2060}",
    "\u{ad}",
    "\u{3164}",
    "\u{2800}",
    "\u{fe0f}",
    "\u{200b}\u{200b} ",
    "\u{e0041}",
];
/// Lines with a control, and its code.
const CONTROLS: [(&str, &str); 9] = [
    ("x\u{1b}]0;owned\u{7}y", "control_character"),
    ("x\u{1b}[2Jy", "control_character"),
    ("abc\u{8}\u{8}xyz", "control_character"),
    ("x\u{9b}2Jy", "control_character"),
    ("a\nb", "control_character"),
    ("a\r\nb", "control_character"),
    ("a\u{2028}b", "control_character"),
    ("a\u{202e}b", "bidi_control"),
    ("\u{2067}b\u{2069}", "bidi_control"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_line_that_nobody_can_see_or_that_has_controls_is_refused_in_every_record() {
    let app = TestApp::start(Sqlite).await;
    let Team { admin, .. } = Team::of(&app).await;
    let customer = admin.customer("絆").await.id();
    app.settle().await;
    let bodies: [(&str, Value, &[&'static str]); 5] = [
        ("/api/customers", json!({"name": "絆"}), &["name", "kana", "company", "phone"]),
        (
            "/api/meetings",
            json!({"customer_id": customer, "title": "訪問", "met_at": "2026-03-01T10:00:00Z"}),
            &["title", "location"],
        ),
        ("/api/tasks", json!({"title": "電話", "due_at": "2026-03-05T09:00:00Z"}), &["title"]),
        ("/api/approvals", json!({"customer_id": customer, "title": "値引き", "amount": 1}), &["title"]),
        (
            "/api/auth/users",
            json!({"email": "a@example.com", "name": "a", "role": "SALES", "password": "long enough"}),
            &["name"],
        ),
    ];
    let mut rejected = Vec::new();
    for (path, body, fields) in &bodies {
        for field in *fields {
            let with = |text: &str| {
                let mut body = body.clone();
                body[*field] = json!(text);
                body
            };
            rejected.extend(INVISIBLE.map(|text| Rejected::field(path, with(text), field, "invisible")));
            rejected.extend(CONTROLS.map(|(text, code)| Rejected::field(path, with(text), field, code)));
        }
    }
    let change = Rejected::new("PATCH", format!("/api/customers/{customer}"), 422, "invalid_fields");
    rejected.push(change.json("{\"name\":\"\u{200b}\"}").fault("name", "invisible"));
    all_refused(&app, &admin, rejected).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn paragraphs_may_have_lines_and_a_line_what_scripts_need() {
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    let notes = "一行目\n\t二行目\r\n\u{2067}שלום\u{2069}";
    let made =
        admin.create_customer(json!({"name": "👨\u{200d}👩\u{200d}👧 家\u{e0100}", "notes": notes})).await;
    assert_eq!(made.text_at("/notes"), notes);
    assert_eq!(made.text_at("/name"), "👨\u{200d}👩\u{200d}👧 家\u{e0100}");
    let base = "yamada@example.jp";
    admin.create_customer(json!({"name": "一", "email": base})).await;
    for email in [format!("{base}\u{3000}"), format!("\u{a0}{base}"), format!("\t{base}\r\n")] {
        let answer = admin.post("/api/customers", json!({"name": "二", "email": email})).await;
        answer.expect_problem(409, "duplicate_customer");
    }
    for email in [format!("\u{200b}{base}"), format!("\u{feff}{base}"), format!("{base}\u{200e}")] {
        let answer = admin.post("/api/customers", json!({"name": "二", "email": email})).await;
        assert_eq!(answer.expect_problem(422, "invalid_fields").text_at("/errors/0/code"), "invalid_email");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_text_is_stored_in_nfc_and_found_in_either_form(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let admin = Member::first(&app).await;
    for (decomposed, composed) in
        [("カ\u{3099}ンタ\u{3099}ム商事", "ガンダム商事"), ("Cafe\u{301} Zoe\u{308}", "Café Zoë")]
    {
        let made = admin.create_customer(json!({"name": decomposed, "notes": decomposed})).await;
        assert_eq!(
            (made.text_at("/name"), made.text_at("/notes")),
            (composed.to_owned(), composed.to_owned())
        );
        for sought in [decomposed, composed] {
            let mut query = form_urlencoded::Serializer::new(String::new());
            let query = query.append_pair("q", sought).finish();
            let found = admin.get(&format!("/api/customers?{query}")).await.expect(200);
            assert_eq!(found.items().len(), 1, "{sought}");
        }
        // NFC is what counts: 200 letters, however they were typed.
        let long = decomposed.repeat(200 / composed.chars().count());
        admin.create_customer(json!({"name": long})).await;
        admin.delete(&format!("/api/customers/{}", made.id())).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_time_zone_that_iana_does_not_know_is_refused() {
    let app = TestApp::start(Sqlite).await;
    let Team { admin, sales, .. } = Team::of(&app).await;
    let path = format!("/api/auth/users/{}", sales.id);
    let zones = ["Mars/Phobos", "asia/tokyo", "JST-9", "+09:00", "", "Asia/Tokyo\n"];
    let rejected = zones.map(|zone| {
        let change = Rejected::new("PATCH", path.as_str(), 422, "invalid_fields");
        change.json(json!({"time_zone": zone}).to_string()).fault("time_zone", "invalid_time_zone")
    });
    all_refused(&app, &admin, rejected).await;
    for zone in ["Asia/Tokyo", "America/Argentina/Buenos_Aires", "UTC", "Asia/Calcutta"] {
        admin.patch(&path, json!({"time_zone": zone})).await.expect(200);
    }
}
