//! The spans that a receiver of traces gets over OTLP: which, below which, and what happens when it is away.

use std::sync::atomic::{AtomicUsize, Ordering};

use rstest::rstest;
use serde_json::json;
use tokio::net::TcpListener;

use crate::fixture::{Fixture, run};
use testing::live_client::{Client, SOON};
use testing::otlp::SpanKind;
use testing::ports::free_port;
use testing::{
    Api, Database, Launch, OtlpReceiver, Postgres, ReceivedSpan, Receiver, Reply, Sqlite, eventually,
};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";
const NAME: &str = "絆商事 株式会社";

#[derive(Clone, Copy, Debug)]
enum Over {
    Http,
    Grpc,
}

impl Over {
    async fn receiver(self) -> OtlpReceiver {
        match self {
            Self::Http => OtlpReceiver::http().await,
            Self::Grpc => OtlpReceiver::grpc().await,
        }
    }

    fn launch(self, launch: Launch, endpoint: &str) -> Launch {
        let launch = launch.args(["--otlp-endpoint", endpoint]);
        match self {
            Self::Http => launch,
            // Its port is not 4317.
            Self::Grpc => launch.env("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        }
    }
}

/// The one span of this name below `parent`.
#[track_caller]
fn below<'a>(trace: &'a [ReceivedSpan], parent: &str, name: &str) -> &'a ReceivedSpan {
    let found: Vec<_> = trace.iter().filter(|span| span.parent_id == parent && span.name == name).collect();
    let [span] = found[..] else { panic!("{} spans {name:?} below {parent}: {trace:#?}", found.len()) };
    assert!(span.ended >= span.began, "{span:?}");
    span
}

/// Waits until a trace has spans of these names.
async fn trace_with(receiver: &OtlpReceiver, trace_id: &str, names: &[&str]) -> Vec<ReceivedSpan> {
    eventually(SOON, async || {
        let trace = receiver.trace(trace_id);
        let is_there = |name: &&str| trace.iter().any(|span| span.name == **name);
        match names.iter().find(|name| !is_there(name)) {
            None => Ok(trace),
            Some(missing) => Err(format!("no {missing:?} in {trace:#?}")),
        }
    })
    .await
}

#[rstest]
#[tokio::test]
async fn a_request_and_all_that_it_leads_to_is_one_trace(
    #[values(Sqlite, Postgres)] on: Database,
    #[values(Over::Http, Over::Grpc)] over: Over,
) {
    let receiver = over.receiver().await;
    let (fixture, staff) = Fixture::copied(on).await;
    let server = over.launch(fixture.launch(), &receiver.endpoint()).start().await;
    let (mut reader, _) = Client::at(&staff.manager.at(&server), "/api/ws?topics=customers").await;
    let sales = staff.sales.at(&server).header("traceparent", format!("00-{TRACE}-{CALLER}-01"));
    sales.header("x-request-id", "traced").post("/api/customers", json!({"name": NAME})).await.expect(201);
    let mut frames = [reader.frame().await, reader.frame().await].map(|frame| frame["type"].to_string());
    frames.sort();
    assert_eq!(frames, [r#""event""#, r#""notification""#]);

    let awaited = [
        "POST /api/customers",
        "apply analytics.metrics",
        "apply analytics.notifications",
        "deliver customers",
        "deliver notifications",
    ];
    let trace = trace_with(&receiver, TRACE, &awaited).await;
    let request = below(&trace, CALLER, "POST /api/customers");
    assert_eq!((request.kind, request.work(), request.has_failed), (SpanKind::Server, "request", false));
    for (name, value) in [
        ("http.request.method", "POST"),
        ("http.route", "/api/customers"),
        ("http.response.status_code", "201"),
        ("kizuna.request_id", "traced"),
    ] {
        assert_eq!(request.attribute(name), value, "{request:?}");
    }
    let message = below(&trace, &request.span_id, "CreateCustomer customer");
    assert_eq!((message.kind, message.work()), (SpanKind::Internal, "message"));
    let commit = below(&trace, &message.span_id, "COMMIT");
    let system = if on == Sqlite { "sqlite" } else { "postgresql" };
    assert_eq!((commit.kind, commit.work()), (SpanKind::Client, "commit"));
    assert_eq!((commit.attribute("db.system.name"), commit.attribute("kizuna.events")), (system, "1"));
    let effect = below(&trace, &commit.span_id, "apply analytics.notifications");
    assert_eq!((effect.kind, effect.work()), (SpanKind::Consumer, "effect"));
    assert_eq!(effect.attribute("messaging.destination.name"), "customer.created");
    below(&trace, &commit.span_id, "apply analytics.metrics");
    let event = below(&trace, &commit.span_id, "deliver customers");
    assert_eq!((event.kind, event.work()), (SpanKind::Producer, "delivery"));
    let noted = below(&trace, &effect.span_id, "COMMIT");
    let notification = below(&trace, &noted.span_id, "deliver notifications");
    assert_eq!(notification.attribute("messaging.batch.message_count"), "1", "one socket");

    let audit =
        staff.admin.at(&server).get("/api/audit/events?type=customer.created&limit=1").await.expect(200);
    let of_commit = format!("00-{TRACE}-{}-01", commit.span_id);
    assert_eq!(audit.items()[0]["traceparent"], of_commit, "{audit}");
    for span in receiver.spans() {
        assert_eq!(span.resource.get("service.name").map(String::as_str), Some("kizuna"), "{span:?}");
        assert!(!format!("{span:?}").contains("絆"), "a customer's name: {span:?}");
        assert!(!span.name.is_empty() && !span.work().is_empty(), "{span:?}");
    }
}

#[tokio::test]
async fn each_try_of_a_webhook_is_a_span_below_the_commit_of_its_event() {
    let receiver = OtlpReceiver::http().await;
    let endpoint = Receiver::start().await;
    let (fixture, staff) = Fixture::copied(Sqlite).await;
    let launch = fixture.launch().env("KIZUNA_WEBHOOK_ALLOW_PRIVATE", "true");
    let server = Over::Http.launch(launch, &receiver.endpoint()).start().await;
    let webhook = json!({"url": endpoint.url(), "event_types": ["customer.created"]});
    staff.admin.at(&server).post("/api/webhooks", webhook).await.expect(201);
    let tried = AtomicUsize::new(0);
    endpoint
        .answers(move |_| Reply::Status(if tried.fetch_add(1, Ordering::SeqCst) == 0 { 500 } else { 204 }));
    let sales = staff.sales.at(&server).header("traceparent", format!("00-{TRACE}-{CALLER}-01"));
    sales.post("/api/customers", json!({"name": NAME})).await.expect(201);
    let tries = eventually(SOON, async || {
        let trace = receiver.trace(TRACE);
        let tries: Vec<_> = trace.iter().filter(|span| span.name == "deliver webhook").cloned().collect();
        if tries.len() >= 2 { Ok((tries, trace)) } else { Err(format!("{trace:#?}")) }
    });
    let (tries, trace) = tries.await;
    let request = below(&trace, CALLER, "POST /api/customers");
    let commit = below(&trace, &below(&trace, &request.span_id, "CreateCustomer customer").span_id, "COMMIT");
    let of = |status: &str| tries.iter().find(|it| it.attribute("http.response.status_code") == status);
    let (failed, done) = (of("500").expect("the first try"), of("204").expect("the next"));
    for one in [failed, done] {
        assert_eq!((one.kind, one.work(), &one.parent_id), (SpanKind::Client, "delivery", &commit.span_id));
        assert_eq!(one.attribute("kizuna.event_type"), "customer.created");
    }
    assert!(failed.has_failed && !done.has_failed, "{tries:?}");
    assert_eq!(failed.attribute("error.type"), "status");
}

#[tokio::test]
async fn an_effect_of_several_requests_has_a_span_in_the_trace_of_each() {
    let receiver = OtlpReceiver::http().await;
    let (fixture, staff) = Fixture::copied(Sqlite).await;
    // While the first effect waits, the events of the others come together.
    let launch = fixture.armed("feed.analytics.notifications.effect=2000ms@1");
    let server = Over::Http.launch(launch, &receiver.endpoint()).start().await;
    let (mut reader, _) = Client::at(&staff.manager.at(&server), "/api/ws").await;
    let traces: Vec<String> = (1..=6).map(|number| format!("{number:032x}")).collect();
    for trace in &traces {
        let sales = staff.sales.at(&server).header("traceparent", format!("00-{trace}-{CALLER}-01"));
        sales.post("/api/customers", json!({"name": NAME})).await.expect(201);
    }
    for _ in &traces {
        reader.next("notification").await;
    }
    let mut linked = Vec::new();
    for id in &traces {
        let trace =
            trace_with(&receiver, id, &["apply analytics.notifications", "deliver notifications"]).await;
        let request = below(&trace, CALLER, "POST /api/customers");
        let message = below(&trace, &request.span_id, "CreateCustomer customer");
        let commit = below(&trace, &message.span_id, "COMMIT");
        let effect = below(&trace, &commit.span_id, "apply analytics.notifications");
        assert_eq!(effect.attribute("messaging.destination.name"), "customer.created");
        let together: usize = effect.attribute("messaging.batch.message_count").parse().expect("a number");
        // What the others caused is not told in the trace of the first.
        let delivered = trace.iter().filter(|span| span.name == "deliver notifications").count();
        assert_eq!(delivered, 1, "{trace:#?}");
        assert!(effect.links.is_empty() || together > 1, "{effect:?}");
        linked.extend(effect.links.clone());
    }
    assert!(!linked.is_empty(), "no two events came together: {:#?}", receiver.spans());
    assert!(linked.iter().all(|link| traces.contains(link)), "{linked:?}");
}

#[tokio::test]
async fn a_trace_that_its_caller_does_not_record_is_not_recorded_here_either() {
    let receiver = OtlpReceiver::http().await;
    let (fixture, staff) = Fixture::copied(Sqlite).await;
    let server = Over::Http.launch(fixture.launch(), &receiver.endpoint()).start().await;
    let unrecorded = format!("00-{TRACE}-{CALLER}-00");
    let sales = staff.sales.at(&server);
    sales.header("traceparent", &unrecorded).post("/api/customers", json!({"name": "a"})).await.expect(201);
    sales
        .header("x-request-id", "the next one")
        .post("/api/customers", json!({"name": "b"}))
        .await
        .expect(201);
    let next = eventually(SOON, async || {
        receiver.spans().into_iter().find(|span| span.attribute("kizuna.request_id") == "the next one")
    })
    .await;
    // Without a caller the trace is new, and its request is the first span.
    assert_eq!(next.parent_id, "");
    trace_with(&receiver, &next.trace_id, &["CreateCustomer customer", "COMMIT", "apply analytics.metrics"])
        .await;
    assert!(receiver.trace(TRACE).is_empty(), "{:?}", receiver.trace(TRACE));
    let audit =
        staff.admin.at(&server).get("/api/audit/events?type=customer.created&limit=2").await.expect(200);
    assert_eq!(audit.items()[1]["traceparent"], unrecorded, "the caller's own goes on: {audit}");
}

#[tokio::test]
async fn what_fails_or_is_refused_is_told_and_what_machines_ask_for_is_left_out() {
    let receiver = OtlpReceiver::http().await;
    let (fixture, staff) = Fixture::copied(Sqlite).await;
    let launch = fixture.armed(&format!("db.row=fail@always/{}", staff.customer));
    let server = Over::Http.launch(launch, &receiver.endpoint()).start().await;
    let sales = staff.sales.at(&server);
    for path in ["/healthz", "/readyz", "/metrics"] {
        sales.get(path).await.expect(200);
    }
    sales.get(&format!("/api/customers/{}", staff.customer)).await.expect(500);
    sales.post("/api/customers", json!({"name": ""})).await.expect(422);
    sales.get("/nowhere/絆").await.expect(404);
    let find = async |name: &str, status: &str| {
        eventually(SOON, async || {
            let is_it = |span: &ReceivedSpan| {
                span.name == name && span.attribute("http.response.status_code") == status
            };
            receiver.spans().into_iter().find(is_it).ok_or_else(|| format!("{:#?}", receiver.spans()))
        })
        .await
    };
    let failed = find("GET /api/customers/{id}", "500").await;
    assert_eq!((failed.has_failed, failed.attribute("error.type")), (true, "500"), "{failed:?}");
    let refused = find("POST /api/customers", "422").await;
    assert!(!refused.has_failed, "the client's mistake: {refused:?}");
    find("GET", "404").await;
    let spans = receiver.spans();
    let of_machines = spans.iter().filter(|span| span.attribute("http.route").ends_with('z'));
    assert_eq!(of_machines.count(), 0, "{spans:#?}");
    assert!(!format!("{spans:?}").contains("絆"), "a path that a user has typed");
}

#[tokio::test]
async fn a_node_that_stops_sends_its_last_spans() {
    let receiver = OtlpReceiver::grpc().await;
    let (fixture, staff) = Fixture::copied(Sqlite).await;
    let mut server = Over::Grpc.launch(fixture.launch(), &receiver.endpoint()).start().await;
    let sales = staff.sales.at(&server).header("x-request-id", "the last one");
    sales.post("/api/customers", json!({"name": NAME})).await.expect(201);
    assert!(server.terminate().await.success(), "{}", server.output());
    let spans = receiver.spans();
    assert!(spans.iter().any(|span| span.attribute("kizuna.request_id") == "the last one"), "{spans:#?}");
}

/// The value of a metric, with its labels in the name.
async fn metric(api: &Api, name: &str) -> f64 {
    let text = api.get("/metrics").await.expect(200).text;
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    value.unwrap_or_else(|| panic!("no {name} in {text}"))
}

#[rstest]
#[tokio::test]
async fn a_receiver_that_is_away_or_hangs_harms_no_request(
    #[values(Over::Http, Over::Grpc)] over: Over,
    #[values(false, true)] hangs: bool,
) {
    // It lets connections in and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = if hangs { silent.local_addr().expect("an address").port() } else { free_port() };
    let (fixture, staff) = Fixture::copied(Sqlite).await;
    let mut server = over.launch(fixture.launch(), &format!("http://127.0.0.1:{port}")).start().await;
    let sales = staff.sales.at(&server);
    assert_eq!(metric(&sales, r#"kizuna_otlp_spans_dropped_total{reason="export_failed"}"#).await, 0.0);
    for _ in 0..50 {
        sales.post("/api/customers", json!({"name": NAME})).await.expect(201);
    }
    eventually(SOON, async || {
        metric(&sales, r#"kizuna_otlp_spans_dropped_total{reason="export_failed"}"#).await > 0.0
    })
    .await;
    assert!(server.output().contains("can't send spans by OTLP"), "{}", server.output());
    sales.post("/api/customers", json!({"name": NAME})).await.expect(201);
    assert!(server.terminate().await.success(), "{}", server.output());
}

#[test]
fn an_endpoint_that_is_none_is_refused_at_the_start() {
    for (endpoint, env, names) in [
        ("collector:4317", &[][..], "--otlp-endpoint"),
        (
            "http://127.0.0.1:9",
            &[("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")],
            "OTEL_EXPORTER_OTLP_PROTOCOL",
        ),
        ("http://127.0.0.1:9", &[("OTEL_TRACES_SAMPLER", "often")], "OTEL_TRACES_SAMPLER"),
    ] {
        let output = run(&["serve", "--otlp-endpoint", endpoint], env);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(names), "{endpoint}: {said}");
    }
}
