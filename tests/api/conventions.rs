//! Rejected requests (SPEC §2): what is refused before any service is asked.

use rstest::rstest;
use serde_json::json;

use crate::rejected::{Rejected, all_refused};
use testing::{Database, Member, Postgres, Sqlite, TestApp};

const CUSTOMERS: &str = "/api/customers";
const NOBODY: &str = "0198c0de-0000-7000-8000-000000000000";

fn post(status: u16, code: &'static str, body: impl Into<Vec<u8>>) -> Rejected {
    Rejected::new("POST", CUSTOMERS, status, code).json(body)
}

async fn app_and_admin(on: Database) -> (TestApp, Member) {
    let app = TestApp::start(on).await;
    let admin = Member::first(&app).await;
    (app, admin)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_body_that_is_no_json_is_400() {
    let (app, admin) = app_and_admin(Sqlite).await;
    let bodies: [&[u8]; 12] = [
        b"",
        b"{",
        b"nonsense",
        b"{\"name\":}",
        b"{\"name\":\"a\"} {}",
        b"{\"name\":\"a\",}",
        b"{\"name\":\"\xff\xfe\"}",
        b"{\"name\":\"\xed\xa0\x80\"}",
        b"{\"name\":\"\\ud800\"}",
        b"{\"name\":\"\x01\"}",
        b"{\"name\":\"a\0\"}",
        b"\xef\xbb\xbf{\"name\":\"a\"}",
    ];
    let nested = |open: &str, close: &str, depth| format!("{}1{}", open.repeat(depth), close.repeat(depth));
    let deep = [nested("[", "]", 100_000), nested("{\"a\":", "}", 40_000), "[".repeat(200_000)];
    let named = deep.clone().map(|deep| format!("{{\"name\":{deep}}}"));
    let bodies =
        bodies.into_iter().map(<[u8]>::to_vec).chain(deep.into_iter().chain(named).map(String::into_bytes));
    all_refused(&app, &admin, bodies.map(|body| post(400, "malformed_json", body))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn json_of_another_shape_is_422_with_the_place_of_the_fault() {
    let (app, admin) = app_and_admin(Sqlite).await;
    let shapes = [
        ("[]", "", "invalid_type"),
        ("[\"絆\",null,null,null,null,null,null]", "", "invalid_type"),
        ("\"name\"", "", "invalid_type"),
        ("null", "", "invalid_type"),
        ("17", "", "invalid_type"),
        ("{}", "name", "required"),
        ("{\"name\":null}", "name", "invalid_type"),
        ("{\"name\":17}", "name", "invalid_type"),
        ("{\"name\":\"a\",\"name\":\"b\"}", "name", "duplicate_field"),
        ("{\"name\":\"a\",\"nonsense\":1}", "nonsense", "unknown_field"),
        ("{\"name\":\"a\",\"status\":\"lead\"}", "status", "invalid_choice"),
        ("{\"name\":\"a\",\"owner_id\":\"17\"}", "owner_id", "invalid_value"),
        ("{\"name\":{\"a\":[]}}", "name", "invalid_type"),
        ("{\"name\":\"a\",\"status\":null,\"nonsense\":1}", "nonsense", "unknown_field"),
    ];
    let rejected = shapes.map(|(body, field, code)| post(422, "invalid_fields", body).fault(field, code));
    all_refused(&app, &admin, rejected).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn fields_that_the_server_owns_are_422() {
    let (app, admin) = app_and_admin(Sqlite).await;
    let customer = admin.customer("絆").await.id();
    app.settle().await;
    let time = "2026-03-02T09:00:00Z";
    let owned = [
        ("id", json!(NOBODY)),
        ("version", json!(1)),
        ("created_at", json!(time)),
        ("updated_at", json!(time)),
        ("deleted_at", json!(null)),
    ];
    let mut rejected = Vec::new();
    for (field, value) in owned {
        rejected.push(Rejected::field(CUSTOMERS, json!({"name": "a", field: value}), field, "unknown_field"));
        let change = Rejected::new("PATCH", format!("{CUSTOMERS}/{customer}"), 422, "invalid_fields");
        rejected.push(change.json(json!({field: value}).to_string()).fault(field, "unknown_field"));
    }
    all_refused(&app, &admin, rejected).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_body_over_256_kib_is_413() {
    let (app, admin) = app_and_admin(Sqlite).await;
    let name = |bytes: usize| json!({"name": "a".repeat(bytes - "{\"name\":\"\"}".len())}).to_string();
    let large =
        [256 * 1024 + 1, 300 * 1024, 3 * 1024 * 1024].map(|bytes| post(413, "body_too_large", name(bytes)));
    let within = post(422, "invalid_fields", name(256 * 1024)).fault("name", "too_long");
    all_refused(&app, &admin, large.into_iter().chain([within])).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_body_of_another_type_is_415() {
    let (app, admin) = app_and_admin(Sqlite).await;
    let body = "{\"name\":\"絆\"}";
    let rejected = || Rejected::new("POST", CUSTOMERS, 415, "unsupported_media_type");
    let types = ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""];
    all_refused(
        &app,
        &admin,
        types.map(|media| rejected().typed(media, body)).into_iter().chain([rejected()]),
    )
    .await;
    let charset = admin.header("content-type", "application/json; charset=utf-8");
    charset.raw("POST", CUSTOMERS, body).await.expect(201);
    let coded = |coding: &str| {
        let request = Rejected::new("POST", CUSTOMERS, 415, "unsupported_content_coding").json(body);
        request.header("content-encoding", coding)
    };
    all_refused(&app, &admin, ["gzip", "identity, br", "nonsense"].map(coded)).await;
    let told = admin.header("content-encoding", "gzip").header("content-type", "application/json");
    assert_eq!(told.raw("POST", CUSTOMERS, body).await.header("accept-encoding"), Some("identity"));
    charset.header("content-encoding", "identity").raw("POST", CUSTOMERS, body).await.expect(201);
    let form = app.nobody().header("content-type", "application/x-www-form-urlencoded");
    form.header("content-encoding", "gzip").raw("POST", "/login", "email=a").await.expect(415);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn nul_in_text_is_refused_in_bodies_and_parameters(#[values(Sqlite, Postgres)] on: Database) {
    let (app, admin) = app_and_admin(on).await;
    let fields = ["name", "kana", "email", "phone", "company", "notes"];
    let bodies = fields.map(|field| {
        let mut body = json!({"name": "絆"});
        body[field] = json!("a\0b");
        Rejected::field(CUSTOMERS, body, field, "nul_character")
    });
    let queries = ["?q=a%00b", "?sort=%00", "?cursor=%00"]
        .map(|query| Rejected::parameter(&format!("{CUSTOMERS}{query}"), "", "nul_character"));
    all_refused(&app, &admin, bodies.into_iter().chain(queries)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn parameters_that_are_unknown_doubled_or_out_of_bounds_are_400() {
    let (app, admin) = app_and_admin(Sqlite).await;
    let parameters = [
        ("nonsense=1", "nonsense", "unknown_parameter"),
        ("Limit=1", "Limit", "unknown_parameter"),
        ("limit=1&limit=2", "limit", "duplicate_field"),
        ("q=a&q=b", "q", "duplicate_field"),
        ("limit=0", "limit", "too_small"),
        ("limit=-1", "limit", "too_small"),
        ("limit=201", "limit", "too_large"),
        ("limit=1000000000", "limit", "too_large"),
        ("limit=99999999999999999999", "limit", "invalid_value"),
        ("limit=", "limit", "invalid_value"),
        ("limit=ten", "limit", "invalid_value"),
        ("count=maybe", "count", "invalid_value"),
        ("status=lead", "status", "invalid_choice"),
        ("status=", "status", "invalid_choice"),
        ("owner_id=17", "owner_id", "invalid_value"),
        ("created_from=yesterday", "created_from", "invalid_time"),
        ("created_to=10000-01-01T00:00:00Z", "created_to", "invalid_time"),
        ("sort=phone", "sort", "invalid_choice"),
        ("sort=--name", "sort", "invalid_choice"),
        ("sort=name%20DESC", "sort", "invalid_choice"),
        ("q=%FF", "", "invalid_utf8"),
        ("%C3=1", "", "invalid_utf8"),
    ];
    let rejected = parameters
        .map(|(query, field, code)| Rejected::parameter(&format!("{CUSTOMERS}?{query}"), field, code));
    all_refused(&app, &admin, rejected).await;
    admin.get("/api/customers?limit=200").await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn headers_with_a_bad_value_are_400() {
    let (app, admin) = app_and_admin(Sqlite).await;
    let customer = admin.customer("絆").await;
    app.settle().await;
    let path = format!("{CUSTOMERS}/{}", customer.id());
    let mut rejected = Vec::new();
    for tag in ["1", "\"1", "1\"", "\"1\" \"2\"", "w/\"1\"", "*, \"1\"", ""] {
        let change = Rejected::new("PATCH", path.as_str(), 400, "invalid_header").json("{\"name\":\"別名\"}");
        let remove = Rejected::new("DELETE", path.as_str(), 400, "invalid_header");
        rejected.extend(
            [change, remove]
                .map(|request| request.header("if-match", tag).fault("If-Match", "invalid_value")),
        );
    }
    for key in [String::new(), "k".repeat(256)] {
        let create = post(400, "invalid_header", "{\"name\":\"絆\"}").header("idempotency-key", key);
        rejected.push(create.fault("Idempotency-Key", "invalid_value"));
    }
    let create = post(400, "invalid_header", "{\"name\":\"絆\"}").header("x-allow-duplicate", "yes");
    rejected.push(create.fault("X-Allow-Duplicate", "invalid_value"));
    all_refused(&app, &admin, rejected).await;
    admin.header("if-match", "*").patch(&path, json!({"name": "別名"})).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn if_match_is_a_list_of_tags_weak_ones_included() {
    let (app, admin) = app_and_admin(Sqlite).await;
    let path = format!("{CUSTOMERS}/{}", admin.customer("絆").await.id());
    app.settle().await;
    for stale in [
        "\"2\"",
        "\"7\", \"8\"",
        "W/\"2\"",
        "\"1-gzip\"",
        "\"\"",
        "\"01\"",
        "\"-1\"",
        "\"99999999999999999999\"",
    ] {
        let change = Rejected::new("PATCH", path.as_str(), 412, "stale_version").json("{\"notes\":\"x\"}");
        let remove = Rejected::new("DELETE", path.as_str(), 412, "stale_version");
        all_refused(&app, &admin, [change, remove].map(|request| request.header("if-match", stale))).await;
    }
    let lists: [fn(i64) -> String; 5] = [
        |version| format!("W/\"{version}\""),
        |version| format!("\"9\", \"{version}\""),
        |version| format!("W/\"9\",W/\"{version}\""),
        |version| format!(" \"{version}\" ,"),
        |version| format!("\"a,b\", \"{version}\""),
    ];
    for (version, list) in (1..).zip(lists) {
        let matching = admin.header("if-match", list(version));
        let changed = matching.patch(&path, json!({"notes": format!("{version}")})).await.expect(200);
        assert_eq!(changed.version(), Some(version + 1), "{}", list(version));
    }
    let two_lines = admin.header("if-match", "\"9\"").header("if-match", "\"6\"");
    two_lines.patch(&path, json!({"notes": "two lines are one list"})).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_no_route_takes_is_404_and_another_method_405() {
    let (app, admin) = app_and_admin(Sqlite).await;
    let unknown = ["/nowhere", "/api", "/api/", "/api/customer", "/api/customers/", "/api//customers"];
    all_refused(&app, &admin, unknown.map(|path| Rejected::get(path, 404, "not_found"))).await;
    let record = format!("{CUSTOMERS}/{NOBODY}");
    let methods = [
        ("PUT", CUSTOMERS, "GET, HEAD, POST"),
        ("DELETE", CUSTOMERS, "GET, HEAD, POST"),
        ("PUT", record.as_str(), "DELETE, GET, HEAD, PATCH"),
        ("POST", record.as_str(), "DELETE, GET, HEAD, PATCH"),
        ("GET", "/api/auth/login", "POST"),
        ("TRACE", "/api/auth/me", "GET, HEAD, PATCH"),
        ("BREW", "/api/reports/metrics", "GET, HEAD"),
        ("POST", "/healthz", "GET, HEAD"),
    ];
    for (method, path, allowed) in methods {
        all_refused(&app, &admin, [Rejected::new(method, path, 405, "method_not_allowed")]).await;
        let answer = admin.raw(method, path, "").await;
        assert_eq!(answer.header("allow"), Some(allowed), "{method} {path}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_language_of_a_problem_is_the_first_that_is_spoken_and_english_otherwise() {
    let (app, admin) = app_and_admin(Sqlite).await;
    let spoken = [
        ("ja", "ja"),
        ("ja-JP", "ja"),
        ("en-GB", "en"),
        ("de, ja;q=0.8, en;q=0.5", "ja"),
        ("en;q=0.2, ja;q=0.9", "ja"),
        ("de", "en"),
        ("*", "en"),
        ("nonsense;;q=x", "en"),
        ("JA-jp", "ja"),
        ("ja;q=0, en;q=0.1", "en"),
        ("ja;q=0", "en"),
        ("en;q=0", "ja"),
        ("en;q=0, *", "ja"),
    ];
    for (asked, answered) in spoken {
        let answer = admin.language(asked).get("/api/customers/none").await.expect_problem(404, "not_found");
        assert_eq!(answer.header("content-language"), Some(answered), "{asked}");
        let title = if answered == "ja" { "見つかりません" } else { "Not found" };
        assert_eq!(answer.text_at("/title"), title, "{asked}");
    }
    let silent = app.nobody().get("/api/customers").await.expect_problem(401, "missing_token");
    assert_eq!(silent.header("content-language"), Some("en"));
}
