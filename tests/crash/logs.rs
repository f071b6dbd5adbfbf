//! The log of a request that fails or is refused: one line with the cause and the request's id, and no secret.

use reqwest::Method;
use serde_json::json;

use crate::fixture::{Fixture, SOON};
use testing::app::ADMIN;
use testing::{Api, Kizuna, Launch, LogLine, Sqlite, eventually};

const WRONG_PASSWORD: &str = "not-the-password-of-anybody";
const WRONG_TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.not.a-token";

fn in_json(launch: Launch) -> Launch {
    launch.env("KIZUNA_LOG_FORMAT", "json")
}

/// Waits for a line of this request with this message, and returns all its lines.
async fn lines_of(server: &Kizuna, request_id: &str, message: &str) -> Vec<LogLine> {
    eventually(SOON, async || {
        let lines = server.log().into_iter().filter(|line| line.in_spans("request_id") == Some(request_id));
        let lines: Vec<_> = lines.collect();
        let is_there = lines.iter().any(|line| line.message() == message);
        if is_there { Ok(lines) } else { Err(format!("{message:?} is not among {lines:?}")) }
    })
    .await
}

#[tokio::test]
async fn a_500_is_one_error_with_its_cause_under_the_request_s_id() {
    let (fixture, staff) = Fixture::copied(Sqlite).await;
    let launch = fixture.armed(&format!("db.row=fail@always/{}", staff.customer));
    let server = in_json(launch).start().await;
    let path = format!("/api/customers/{}", staff.customer);
    let answer = staff.sales.at(&server).header("x-request-id", "broken-row").get(&path).await;
    let answer = answer.expect_problem(500, "internal_error");
    assert!(!answer.text.contains("failpoint"), "the cause is not the client's business: {answer}");
    let lines = lines_of(&server, "broken-row", "a request failed").await;
    let [line] = &lines[..] else { panic!("one line: {lines:?}") };
    assert_eq!((line.level(), line.field("code")), ("ERROR", "internal_error"), "{line:?}");
    assert!(line.field("cause").contains("failpoint db.row"), "{line:?}");
    let span = ["method", "route", "user"].map(|name| line.in_spans(name));
    assert_eq!(span, [Some("GET"), Some("/api/customers/{id}"), Some(&*staff.sales.id)], "{line:?}");
    let errors = server.log().into_iter().filter(|line| line.level() == "ERROR").count();
    assert_eq!(errors, 1, "nothing else is said of it: {}", server.output());
}

#[tokio::test]
async fn every_line_of_a_request_that_a_panic_ended_has_its_id() {
    let (fixture, staff) = Fixture::copied(Sqlite).await;
    let server = in_json(fixture.armed("entity.execute=fail@1/customer.customer")).start().await;
    let sales = staff.sales.at(&server).header("x-request-id", "panicked");
    sales.post("/api/customers", json!({"name": "絆商事"})).await.expect_problem(503, "unavailable");
    let lines = lines_of(&server, "panicked", "a request could not be served").await;
    let said: Vec<_> = lines.iter().map(|line| (line.level(), line.message())).collect();
    assert_eq!(
        said,
        [
            ("ERROR", "a thread panicked"),
            ("ERROR", "an aggregate's actor died; its next message starts it again"),
            ("WARN", "a request could not be served"),
        ]
    );
    assert!(lines[0].field("panic").contains("failpoint entity.execute"), "{:?}", lines[0]);
    for line in &lines[..2] {
        let command = ["kind", "correlation"].map(|name| line.in_spans(name));
        assert_eq!(command, [Some("customer.customer"), Some("panicked")], "{line:?}");
    }
    assert!(lines[2].field("cause").contains("customer.customer"), "{:?}", lines[2]);
    let loud = server.log().into_iter().filter(|line| matches!(line.level(), "ERROR" | "WARN"));
    let strange: Vec<_> = loud.filter(|line| line.in_spans("request_id") != Some("panicked")).collect();
    assert!(strange.is_empty(), "lines without the request's id: {strange:?}");
}

#[tokio::test]
async fn what_an_event_leads_to_is_logged_under_the_id_of_the_request_that_caused_it() {
    let (fixture, staff) = Fixture::copied(Sqlite).await;
    let launch = fixture.armed("feed.analytics.metrics.effect=fail@always");
    let launch = launch.args(["--retry-initial", "10ms", "--retry-times", "1"]);
    let server = in_json(launch).start().await;
    let sales = staff.sales.at(&server).header("x-request-id", "its-effect-fails");
    sales.post("/api/customers", json!({"name": "絆商事"})).await.expect(201);
    let line = eventually(SOON, async || {
        let found = server.log().into_iter().find(|line| line.message() == "an event became a dead letter");
        found.ok_or_else(|| server.output())
    })
    .await;
    let effect = ["consumer", "correlation"].map(|name| line.in_spans(name));
    assert_eq!(effect, [Some("analytics.metrics"), Some("its-effect-fails")], "{line:?}");
    assert!(line.in_spans("partition").is_some_and(|partition| partition.parse::<u8>().is_ok()), "{line:?}");
}

#[tokio::test]
async fn refused_requests_are_logged_with_their_code_and_address_and_without_secrets() {
    let (fixture, staff) = Fixture::copied(Sqlite).await;
    let server = in_json(fixture.launch().env("KIZUNA_LOGIN_RATE", "3/m")).start().await;
    let nobody = Api::new(server.base_url());
    let login = json!({"email": ADMIN, "password": WRONG_PASSWORD});
    let wrong = || async {
        nobody.header("x-request-id", "wrong-password").post("/api/auth/login", login.clone()).await
    };
    wrong().await.expect_problem(401, "invalid_credentials");
    let guest = nobody.token(WRONG_TOKEN).header("x-request-id", "wrong-token");
    guest.get("/api/customers").await.expect_problem(401, "invalid_token");
    let sales = staff.sales.at(&server).header("x-request-id", "not-an-admin");
    sales.get("/api/admin/actors").await.expect_problem(403, "forbidden");
    let page = nobody.header("x-request-id", "wrong-on-a-page");
    let page = page.header("content-type", "application/x-www-form-urlencoded");
    let form = format!("email={ADMIN}&password={WRONG_PASSWORD}");
    page.raw(Method::POST.as_str(), "/login", form).await.expect(401);
    eventually(SOON, async || wrong().await.status == 429).await;
    for (request_id, status, code, route) in [
        ("wrong-password", 401, "invalid_credentials", "/api/auth/login"),
        ("wrong-password", 429, "too_many_attempts", "/api/auth/login"),
        ("wrong-token", 401, "invalid_token", "/api/customers"),
        ("not-an-admin", 403, "forbidden", "/api/admin/actors"),
        ("wrong-on-a-page", 401, "invalid_credentials", "/login"),
    ] {
        let line = eventually(SOON, async || {
            let lines = lines_of(&server, request_id, "a request was refused").await;
            let found = lines.iter().find(|line| line.field("code") == code).cloned();
            found.ok_or_else(|| format!("no {code} among {lines:?}"))
        })
        .await;
        assert_eq!((line.level(), &line.0["fields"]["status"]), ("INFO", &json!(status)), "{line:?}");
        assert_eq!((line.field("address"), line.in_spans("route")), ("127.0.0.1", Some(route)), "{line:?}");
    }
    let events: Vec<_> =
        server.log().into_iter().filter(|line| line.message() == "a security event").collect();
    let refused = events.iter().find(|line| line.field("kind") == "sign_in_refused").expect("a refusal");
    assert_eq!((refused.level(), refused.field("address")), ("INFO", "127.0.0.1"), "{refused:?}");
    assert!(events.iter().any(|line| line.field("kind") == "sign_in_throttled"), "{events:?}");
    assert!(server.log().iter().all(|line| matches!(line.level(), "INFO")), "{}", server.output());
    for secret in [WRONG_PASSWORD, WRONG_TOKEN, ADMIN] {
        let log: Vec<_> =
            server.log().into_iter().filter(|line| line.0.to_string().contains(secret)).collect();
        assert!(log.is_empty(), "{secret} is in the log: {log:?}");
    }
}
