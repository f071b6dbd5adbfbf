//! Health, metrics, and what every answer carries.

use std::collections::BTreeSet;
use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use testing::app::PASSWORD;
use testing::{Answer, Api, Database, Member, Postgres, Sqlite, Team, TestApp};

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_node_that_serves_is_alive_and_ready(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    for (path, said) in [("/healthz", "ok\n"), ("/readyz", "ready\n")] {
        let answer = app.nobody().get(path).await.expect(200);
        assert_eq!(
            (answer.text.as_str(), answer.header("content-type")),
            (said, Some("text/plain; charset=utf-8"))
        );
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_node_without_its_database_says_so_and_stays_alive(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let admin = Member::first(&app).await;
    app.db.close().await;
    let login = json!({"email": admin.email, "password": PASSWORD});
    for answer in [
        admin.get("/readyz").await,
        admin.get("/api/customers").await,
        admin.get("/api/audit/events").await,
        admin.post("/api/customers", json!({"name": "絆"})).await,
        admin.idempotency_key("key").post("/api/customers", json!({"name": "絆"})).await,
        admin.post("/api/auth/login", login).await,
        admin.raw("POST", "/api/auth/logout", "").await,
    ] {
        let answer = answer.expect_problem(503, "unavailable");
        assert_eq!(answer.header("retry-after"), Some("1"), "{answer}");
    }
    admin.get("/healthz").await.expect(200);
    admin.get("/metrics").await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_metrics_tell_of_requests_actors_commits_and_consumers() {
    let app = TestApp::start(Sqlite).await;
    let Team { sales, .. } = Team::of(&app).await;
    sales.customer("絆").await;
    sales.get("/api/customers/none").await.expect(404);
    sales.raw("BREW", "/nonsense", "").await.expect(404);
    app.settle().await;
    let answer = app.nobody().get("/metrics").await.expect(200);
    assert!(
        answer.header("content-type").is_some_and(|media| media.starts_with("text/plain; version=0.0.4")),
        "{answer}"
    );
    let series: BTreeSet<_> =
        answer.text.lines().filter_map(|line| line.rsplit_once(' ')).map(|(name, _)| name).collect();
    for wanted in [
        "kizuna_http_requests_total{method=\"POST\",route=\"/api/customers\",status=\"201\"}",
        "kizuna_http_requests_total{method=\"GET\",route=\"/api/customers/{id}\",status=\"404\"}",
        "kizuna_http_requests_total{method=\"other\",route=\"none\",status=\"404\"}",
        "kizuna_http_request_seconds_count{method=\"POST\",route=\"/api/customers\"}",
        "kizuna_journal_commits_total",
        "kizuna_journal_units_total",
        "kizuna_journal_group_size_bucket{le=\"+Inf\"}",
        "kizuna_consumer_lag_events{consumer=\"analytics.notifications\"}",
        "kizuna_actor_handled_total{actor=\"customer.customer\"}",
        "kizuna_actor_restarts_total{actor=\"journal\"}",
        "kizuna_actor_mailbox{actor=\"auth\"}",
        "kizuna_actor_live{actor=\"feed.sales.customers\"}",
    ] {
        assert!(series.contains(wanted), "{wanted} is missing:\n{}", answer.text);
    }
    assert!(!answer.text.contains(&sales.id), "nobody's id is a label");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_metrics_stand_elsewhere_when_told_so() {
    let app = TestApp::with(Sqlite, &["--ops-listen", "127.0.0.1:0"]).await;
    app.nobody().get("/metrics").await.expect_problem(404, "not_found");
    let ops = Api::new(format!("http://{}", app.ops_address.expect("an address of its own")));
    assert!(ops.get("/metrics").await.expect(200).text.contains("kizuna_journal_commits_total"));
    ops.get("/api/customers").await.expect(404);
}

#[track_caller]
fn assert_secure(answer: &Answer, what: &str) {
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name} of {what}: {answer}");
    }
    let policy = answer.header("content-security-policy").unwrap_or_default();
    assert!(
        policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
        "{what}: {answer}"
    );
    assert!(answer.header("cache-control").is_some(), "{what}: {answer}");
    assert!(answer.header("x-request-id").is_some_and(|id| !id.is_empty()), "{what}: {answer}");
    assert_eq!(answer.header("server"), None, "{what}: {answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_kind_of_answer_has_its_security_headers() {
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    let made = admin.idempotency_key("key").post("/api/customers", json!({"name": "絆"})).await.expect(201);
    let path = format!("/api/customers/{}", made.id());
    let replayed =
        admin.idempotency_key("key").post("/api/customers", json!({"name": "絆"})).await.expect(201);
    for (answer, what) in [
        (admin.get(&path).await.expect(200), "a record"),
        (admin.get("/api/customers").await.expect(200), "a list"),
        (made, "a new record"),
        (replayed, "a replay"),
        (admin.post("/api/customers", json!({})).await.expect(422), "a problem"),
        (admin.if_match(9).delete(&path).await.expect(412), "a conflict"),
        (admin.get("/nonsense").await.expect(404), "no route"),
        (admin.raw("PUT", "/api/customers", "").await.expect(405), "no method"),
        (app.nobody().get(&path).await.expect(401), "no token"),
        (app.nobody().get("/healthz").await.expect(200), "health"),
        (app.nobody().get("/metrics").await.expect(200), "metrics"),
        (app.nobody().get("/openapi.json").await.expect(200), "the contract"),
        (app.nobody().get("/docs/").await.expect(200), "its page"),
        (app.nobody().get("/docs/swagger-ui.css").await.expect(200), "an asset"),
        (admin.raw("POST", "/api/auth/logout", "").await.expect(204), "nothing"),
    ] {
        assert_secure(&answer, what);
        assert_eq!(answer.header("strict-transport-security"), None, "{what}: plain HTTP");
    }
    let secure = TestApp::with(Sqlite, &["--public-url", "https://crm.example.com"]).await;
    let answer = secure.nobody().get("/healthz").await;
    assert_eq!(answer.header("strict-transport-security"), Some("max-age=31536000"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_request_id_is_echoed_or_made() {
    let app = TestApp::start(Sqlite).await;
    let echoed = async |id: &str| {
        let answer = app.nobody().header("x-request-id", id).get("/nonsense").await.expect(404);
        answer.header("x-request-id").expect("an id").to_owned()
    };
    assert_eq!(echoed("request 17/a-b_c").await, "request 17/a-b_c");
    assert_eq!(echoed(&"a".repeat(128)).await, "a".repeat(128));
    let made = [echoed(&"a".repeat(129)).await, echoed("").await, echoed("").await];
    assert!(made.iter().all(|id| id.len() == 36), "{made:?}");
    assert_ne!(made[1], made[2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_trace_context_is_carried_if_it_is_one() {
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    let (trace, span) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
    let contexts = [
        (format!("00-{trace}-{span}-01"), true),
        (format!("00-{}-{span}-01", "0".repeat(32)), false),
        (format!("00-{trace}-{}-01", "0".repeat(16)), false),
        (format!("ff-{trace}-{span}-01"), false),
        (format!("00-{}-{span}-01", trace.to_uppercase()), false),
        (format!("00-{trace}-{span}"), false),
        ("nonsense".to_owned(), false),
    ];
    for (context, is_carried) in contexts {
        let made = admin
            .header("traceparent", &context)
            .post("/api/customers", json!({"name": "絆"}))
            .await
            .expect(201);
        let logged = admin.get(&format!("/api/audit/events?subject={}", made.id())).await;
        assert_eq!(logged.body[0]["traceparent"].as_str(), is_carried.then_some(context.as_str()));
        assert_eq!(logged.body[0]["correlationid"].as_str(), made.header("x-request-id"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_last_hour_begins_with_the_node() {
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    let history = admin.get("/api/admin/history").await.expect(200);
    // A minute has not passed yet: every actor is there, and no minute.
    assert_eq!((&history.body["step_seconds"], &history.body["until"]), (&json!(60), &Value::Null));
    let actors = history.body["actors"].as_array().expect("actors");
    assert!(
        actors.iter().any(|actor| actor["name"] == "journal" && actor["handled"] == json!([])),
        "{history}"
    );
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn each_minute_adds_what_was_done_in_it(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, sales, .. } = Team::of(&app).await;
    let minutes = async |wanted: usize| {
        app.clock.advance(Duration::from_secs(60));
        for _ in 0..300 {
            let history = admin.get("/api/admin/history").await.expect(200);
            if history.body["events"].as_array().is_some_and(|events| events.len() == wanted) {
                return history.body;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no minute {wanted}");
    };
    let course = |history: &Value, of: &str, name: &str, values: &str| {
        let all = history[of].as_array().expect("courses");
        let one = all.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("{name}: {history}"));
        one[values].clone()
    };
    // The database is asked from the first whole minute on.
    let first = minutes(1).await;
    assert_eq!((&first["until"], &first["events"]), (&json!("2026-03-02T09:01:00.000000Z"), &json!([null])));
    for _ in 0..3 {
        sales.customer("絆").await;
    }
    app.settle().await;
    let second = minutes(2).await;
    let events = second["events"][1].as_i64().expect("both ends of the minute are known");
    assert!(events >= 3, "three customers, and who is told of them: {second}");
    assert_eq!(course(&second, "actors", "customer.customer", "handled")[1], json!(3), "{second}");
    assert_eq!(course(&second, "consumers", "sales.customers", "pending")[1], json!(0), "{second}");
    let third = minutes(3).await;
    assert_eq!((&third["until"], &third["events"][2]), (&json!("2026-03-02T09:03:00.000000Z"), &json!(0)));
    assert_eq!(course(&third, "actors", "customer.customer", "handled"), json!([0, 3, 0]), "{third}");
}
