//! How events are sent to webhooks: signed, in order, at least once, and whatever the receiver does.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use domain::webhook::signature::Secret;
use kizuna::actors::webhooks::resolver::HostLookup;
use rstest::rstest;
use serde_json::{Value, json};

use crate::webhooks::{PATH, PRIVATE, hook};
use testing::{
    Api, Database, Member, Postgres, Received, Receiver, Reply, Sqlite, Team, TestApp, eventually,
};

const SOON: Duration = Duration::from_secs(20);
/// So long a receiver would have had time for what it must not get.
const WHILE: Duration = Duration::from_millis(1_500);
const CUSTOMERS: &[&str] = &["customer.created", "customer.updated"];

async fn started(on: Database) -> (TestApp, Member, Receiver) {
    // Tokens last as long as deliveries do.
    let args = [PRIVATE, &["--access-token-ttl", "29d"]].concat();
    let app = TestApp::with(on, &args).await;
    let admin = Team::of(&app).await.admin;
    (app, admin, Receiver::start().await)
}

/// Waits until so many requests have come.
async fn comes(receiver: &Receiver, count: usize) -> Vec<Received> {
    eventually(SOON, async || match receiver.received().len() {
        few if few < count => Err(format!("{few} requests")),
        _ => Ok(()),
    })
    .await;
    let received = receiver.received();
    assert_eq!(received.len(), count, "{received:?}");
    received
}

/// The deliveries of a webhook, the newest first.
async fn deliveries(admin: &Api, id: &str) -> Vec<Value> {
    admin.get(&format!("{PATH}/{id}/deliveries?limit=200")).await.expect(200).items().to_vec()
}

/// Waits until all deliveries are in this state, and there are so many.
async fn all_are(admin: &Api, id: &str, state: &str, count: usize) -> Vec<Value> {
    eventually(SOON, async || {
        let found = deliveries(admin, id).await;
        let are = found.iter().filter(|delivery| delivery["state"] == json!(state)).count();
        if are == count && found.len() == count { Ok(found) } else { Err(format!("{found:?}")) }
    })
    .await
}

/// Waits until the newest delivery has been tried so often.
async fn tried(admin: &Api, id: &str, tries: i64) -> Value {
    eventually(SOON, async || {
        let newest = deliveries(admin, id).await.into_iter().next().ok_or("no delivery")?;
        if newest["tries"] == json!(tries) { Ok(newest) } else { Err(newest.to_string()) }
    })
    .await
}

async fn rename(admin: &Api, customer: &str, name: &str) {
    admin.patch(&format!("/api/customers/{customer}"), json!({"name": name})).await.expect(200);
}

fn sequences(received: &[Received], subject: &str) -> Vec<i64> {
    let of = received.iter().filter(|one| one.body["subject"] == json!(subject));
    of.filter_map(|one| one.body["sequence"].as_i64()).collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn each_event_is_sent_signed_in_order_and_shown(#[values(Sqlite, Postgres)] on: Database) {
    let (_app, admin, receiver) = started(on).await;
    admin.customer("前").await;
    receiver.answers(|_| Reply::With(200, "x-a: b".into(), "受け取りました".into()));
    let (id, secret) = hook(&admin, &receiver.url(), CUSTOMERS).await;
    let customers = [admin.customer("絆").await.id(), admin.customer("結").await.id()];
    for round in 0..3 {
        for customer in &customers {
            rename(&admin, customer, &format!("名前 {round}")).await;
        }
    }
    admin.task("電話", "2026-03-05T09:00:00Z").await;
    let received = comes(&receiver, 8).await;
    for customer in &customers {
        assert_eq!(sequences(&received, customer), [1, 2, 3, 4]);
    }
    let secret = Secret::parse(&secret).expect("a secret");
    for one in &received {
        let timestamp = one.header("webhook-timestamp").parse().expect("a time");
        assert_eq!(one.header("webhook-signature"), secret.sign(one.id(), timestamp, &one.bytes));
        assert_eq!(one.header("content-type"), "application/cloudevents+json");
        let id = one.body["id"].as_str().expect("an id");
        let logged = admin.get(&format!("/api/audit/events/{id}")).await.expect(200);
        assert_eq!(logged.body["event"], one.body, "the body is the event of the log");
    }
    assert!(receiver.connections() < 8, "connections are kept");
    let shown = all_are(&admin, &id, "delivered", 8).await;
    let last = received.iter().find(|one| json!(one.id()) == shown[0]["id"]).expect("it was received");
    let request = &shown[0]["request"];
    assert_eq!(request["body"], last.body);
    assert_eq!(request["headers"]["webhook-signature"], json!(last.header("webhook-signature")));
    assert_eq!(shown[0]["answer"], json!({"status": 200, "body": "受け取りました"}));
    assert_eq!((&shown[0]["tries"], &shown[0]["failure"]), (&json!(1), &Value::Null));
    assert!(shown[0]["took_ms"].is_i64() && shown[0]["next_try_at"].is_null(), "{}", shown[0]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_failing_aggregate_keeps_its_order_and_holds_no_other(#[values(Sqlite, Postgres)] on: Database) {
    let (app, admin, receiver) = started(on).await;
    let other_receiver = Receiver::start().await;
    let (id, _) = hook(&admin, &receiver.url(), CUSTOMERS).await;
    let (other, _) = hook(&admin, &other_receiver.url(), CUSTOMERS).await;
    let (ill, well) = (admin.customer("病").await.id(), admin.customer("健").await.id());
    comes(&receiver, 2).await;
    let (heals, of) = (Arc::new(AtomicBool::new(false)), ill.clone());
    let healed = heals.clone();
    receiver.answers(move |one| match one.body["subject"] == json!(of) && !healed.load(Ordering::SeqCst) {
        true => Reply::With(422, "x-a: b".into(), "not this one".into()),
        false => Reply::Status(200),
    });
    for name in ["一", "二", "三"] {
        rename(&admin, &ill, name).await;
        rename(&admin, &well, name).await;
    }
    eventually(SOON, async || sequences(&receiver.received(), &well) == [1, 2, 3, 4]).await;
    all_are(&admin, &other, "delivered", 8).await;
    assert!(sequences(&receiver.received(), &ill).iter().all(|sequence| *sequence <= 2), "in order");
    let waiting = admin.get(&format!("{PATH}/{id}/deliveries?state=pending")).await.expect(200);
    assert_eq!(waiting.items().len(), 3, "{waiting}");
    let first = waiting.items().last().expect("one");
    assert_eq!((&first["failure"], &first["answer"]["status"]), (&json!("status"), &json!(422)));
    heals.store(true, Ordering::SeqCst);
    app.clock.advance(Duration::from_secs(30));
    all_are(&admin, &id, "delivered", 8).await;
    let mut of_ill = sequences(&receiver.received(), &ill);
    of_ill.dedup();
    assert_eq!(of_ill, [1, 2, 3, 4]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn tries_go_on_for_days_end_dead_and_a_redelivery_keeps_the_id(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let (app, admin, receiver) = started(on).await;
    receiver.answers(
        |one| if one.body["sequence"] == json!(1) { Reply::Status(400) } else { Reply::Status(200) },
    );
    let (id, _) = hook(&admin, &receiver.url(), CUSTOMERS).await;
    let customer = admin.customer("絆").await.id();
    rename(&admin, &customer, "結").await;
    // The longest waits of each try: jitter only shortens them.
    let quick = (0..8).map(|n| Duration::from_millis(100 << n));
    let minutes = [5, 30, 120, 360, 720, 1_440].map(|minutes| Duration::from_secs(60 * minutes));
    for (n, wait) in quick.chain(minutes).enumerate() {
        let tries = i64::try_from(n).expect("few") + 1;
        eventually(SOON, async || receiver.received().len() as i64 >= tries).await;
        // What the try took is added.
        app.clock.advance(wait + Duration::from_secs(1));
    }
    let dead = eventually(SOON, async || {
        let list = admin.get(&format!("{PATH}/{id}/deliveries?state=dead")).await.expect(200);
        list.items().first().cloned()
    })
    .await;
    assert_eq!((&dead["tries"], &dead["failure"]), (&json!(15), &json!("status")), "{dead}");
    // What waited behind it goes on.
    let received = comes(&receiver, 16).await;
    assert_eq!(sequences(&received, &customer).last(), Some(&2));
    let ids: BTreeSet<_> = received[..15].iter().map(Received::id).collect();
    assert_eq!(ids, BTreeSet::from([dead["id"].as_str().expect("an id")]));
    receiver.answers(|_| Reply::Status(200));
    let path = format!("{PATH}/{id}/deliveries/{}/redeliver", dead["id"].as_str().expect("an id"));
    let begun = admin.idempotency_key("again").post(&path, json!({})).await.expect(202);
    assert_eq!(begun.body, json!({"id": id, "delivery_id": dead["id"]}));
    let again = admin.idempotency_key("again").post(&path, json!({})).await.expect(202);
    assert_eq!((again.header("idempotency-replayed"), &again.body), (Some("true"), &begun.body));
    let received = comes(&receiver, 17).await;
    assert_eq!((json!(received[16].id()), &received[16].bytes), (dead["id"].clone(), &received[0].bytes));
    all_are(&admin, &id, "delivered", 2).await;
    let missing = path.replace(dead["id"].as_str().expect("an id"), &customer);
    admin.post(&missing, json!({})).await.expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_receiver_that_hangs_or_answers_byte_by_byte_has_its_time_and_no_more() {
    let app = TestApp::with(Sqlite, &["--webhook-allow-private", "--breaker-timeout", "300ms"]).await;
    let admin = Team::of(&app).await.admin;
    let receiver = Receiver::start().await;
    receiver.answers(|_| Reply::Hang);
    let (id, _) = hook(&admin, &receiver.url(), CUSTOMERS).await;
    admin.customer("絆").await;
    let one = tried(&admin, &id, 1).await;
    assert_eq!((&one["failure"], &one["answer"]), (&json!("timeout"), &Value::Null));
    receiver.answers(|_| Reply::Drip(Duration::from_millis(30)));
    app.clock.advance(Duration::from_secs(2));
    assert_eq!(tried(&admin, &id, 2).await["failure"], json!("timeout"));
    receiver.answers(|_| Reply::Close);
    app.clock.advance(Duration::from_secs(2));
    assert_eq!(tried(&admin, &id, 3).await["failure"], json!("connection"));
    receiver.answers(|_| Reply::With(200, "x-a: b".into(), "長".repeat(100_000)));
    app.clock.advance(Duration::from_secs(2));
    let done = tried(&admin, &id, 4).await;
    assert_eq!(done["state"], json!("delivered"));
    assert!(done["answer"]["body"].as_str().is_some_and(|body| (4_000..=4_096).contains(&body.len())));
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_410_disables_and_what_happens_meanwhile_is_replayed_under_its_ids(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let (app, admin, receiver) = started(on).await;
    let (id, _) = hook(&admin, &receiver.url(), CUSTOMERS).await;
    let first = admin.customer("一").await.id();
    comes(&receiver, 1).await;
    receiver.answers(|_| Reply::Status(410));
    app.clock.advance(Duration::from_secs(3_600));
    let gone = admin.customer("二").await.id();
    let path = format!("{PATH}/{id}");
    let disabled = eventually(SOON, async || {
        let webhook = admin.get(&path).await.expect(200).body;
        if webhook["enabled"] == json!(false) { Ok(webhook) } else { Err(webhook.to_string()) }
    })
    .await;
    assert_eq!(disabled["disabled_reason"], json!("gone"));
    let log = admin.get("/api/audit/events?type=webhook.disabled").await.expect(200);
    assert_eq!((log.items().len(), &log.body[0]["subject"]), (1, &json!(id)));
    let missed = admin.customer("三").await.id();
    receiver.answers(|_| Reply::Status(200));
    app.clock.advance(Duration::from_secs(3_600));
    admin.patch(&path, json!({"enabled": true})).await.expect(200);
    let later = admin.customer("四").await.id();
    // What waited goes on; what happened meanwhile does not come.
    all_are(&admin, &id, "delivered", 3).await;
    tokio::time::sleep(WHILE).await;
    let before = receiver.received();
    assert!(sequences(&before, &missed).is_empty());
    assert_eq!((sequences(&before, &gone).len(), sequences(&before, &later).len()), (2, 1));
    // From the second on: after the first, an hour earlier.
    let from = admin.get(&format!("/api/customers/{gone}")).await.expect(200).text_at("/created_at");
    admin.post(&format!("{path}/replay"), json!({"from": from})).await.expect(202);
    let after = comes(&receiver, before.len() + 3).await;
    let replayed = &after[before.len()..];
    for customer in [&gone, &missed, &later] {
        assert_eq!(sequences(replayed, customer), [1], "{replayed:?}");
    }
    assert_eq!(sequences(&after, &first), [1], "it is older");
    let id_of = |received: &[Received], subject: &str| {
        let one = received.iter().find(|one| one.body["subject"] == json!(subject));
        one.map(|one| one.id().to_owned())
    };
    assert_eq!(id_of(&before, &later), id_of(replayed, &later), "an id is always the same");
    all_are(&admin, &id, "delivered", 4).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_receiver_that_asks_to_wait_is_left_alone_until_then() {
    let (app, admin, receiver) = started(Sqlite).await;
    receiver.answers(|_| Reply::With(429, "retry-after: 60".into(), String::new()));
    let (id, _) = hook(&admin, &receiver.url(), CUSTOMERS).await;
    admin.customer("一").await;
    tried(&admin, &id, 1).await;
    admin.customer("二").await;
    receiver
        .answers(|_| Reply::With(503, "retry-after: Mon, 02 Mar 2026 11:00:00 GMT".into(), String::new()));
    app.clock.advance(Duration::from_secs(55));
    tokio::time::sleep(WHILE).await;
    assert_eq!(receiver.received().len(), 1, "neither this delivery nor another");
    app.clock.advance(Duration::from_secs(5));
    eventually(SOON, async || receiver.received().len() >= 2).await;
    // Both may have been sent at once. It asked for two hours, and gets one.
    receiver.answers(|_| Reply::Status(200));
    tokio::time::sleep(WHILE).await;
    let asked = receiver.received().len();
    app.clock.advance(Duration::from_secs(3_500));
    tokio::time::sleep(WHILE).await;
    assert_eq!(receiver.received().len(), asked);
    app.clock.advance(Duration::from_secs(200));
    all_are(&admin, &id, "delivered", 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_redirect_is_not_followed() {
    let (app, admin, receiver) = started(Sqlite).await;
    let inside = Receiver::start().await;
    let location = format!("location: {}", inside.url());
    receiver.answers(move |_| Reply::With(307, location.clone(), String::new()));
    let (id, _) = hook(&admin, &receiver.url(), CUSTOMERS).await;
    admin.customer("絆").await;
    let one = tried(&admin, &id, 1).await;
    assert_eq!((&one["failure"], &one["answer"]["status"]), (&json!("redirect"), &json!(307)));
    app.clock.advance(Duration::from_secs(2));
    tried(&admin, &id, 2).await;
    assert_eq!(inside.connections(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_name_is_looked_up_for_each_connection_and_never_leads_inside() {
    let receiver = Receiver::start().await;
    let (looked, public) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let (count, is_public) = (looked.clone(), public.clone());
    let lookup = HostLookup::of(move |name| {
        count.fetch_add(1, Ordering::SeqCst);
        let inside = IpAddr::from(Ipv4Addr::LOCALHOST);
        // A public address beside a private one; or a private one alone; or none at all.
        let found = match (name.as_str(), is_public.load(Ordering::SeqCst)) {
            ("nowhere.example", _) => vec![],
            (_, true) => vec![IpAddr::from([1, 1, 1, 1]), inside],
            (_, false) => vec![inside],
        };
        Box::pin(async move { Ok(found) })
    });
    let app = TestApp::looking_up(Sqlite, &[], lookup).await;
    let admin = Team::of(&app).await.admin;
    let url = format!("https://inside.example:{}/hook", receiver.port());
    let (id, _) = hook(&admin, &url, CUSTOMERS).await;
    let (nowhere, _) = hook(&admin, "https://nowhere.example/", CUSTOMERS).await;
    admin.customer("絆").await;
    assert_eq!(tried(&admin, &id, 1).await["failure"], json!("private_address"));
    assert_eq!(tried(&admin, &nowhere, 1).await["failure"], json!("dns"));
    let before = looked.load(Ordering::SeqCst);
    public.store(true, Ordering::SeqCst);
    app.clock.advance(Duration::from_secs(2));
    assert_eq!(tried(&admin, &id, 2).await["failure"], json!("private_address"));
    assert!(looked.load(Ordering::SeqCst) > before, "each connection asks again");
    assert_eq!(receiver.connections(), 0);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn after_a_rotation_both_secrets_sign_for_a_day(#[values(Sqlite, Postgres)] on: Database) {
    let (app, admin, receiver) = started(on).await;
    let (id, old) = hook(&admin, &receiver.url(), CUSTOMERS).await;
    let rotated = admin.post(&format!("{PATH}/{id}/rotate"), json!({})).await.expect(200);
    let secrets = [rotated.text_at("/secret"), old].map(|text| Secret::parse(&text).expect("a secret"));
    let signatures = async |count: usize| {
        admin.customer(&format!("{count}")).await;
        let one = comes(&receiver, count).await.pop().expect("a request");
        let timestamp = one.header("webhook-timestamp").parse().expect("a time");
        let expected = secrets.each_ref().map(|secret| secret.sign(one.id(), timestamp, &one.bytes));
        (one.header("webhook-signature").to_owned(), expected)
    };
    // The lane goes on with the new secret a moment after the answer.
    eventually(SOON, async || {
        let (sent, _) = signatures(receiver.received().len() + 1).await;
        sent.contains(' ')
    })
    .await;
    let (sent, [new, old]) = signatures(receiver.received().len() + 1).await;
    assert_eq!(sent, format!("{new} {old}"));
    app.clock.advance(Duration::from_secs(24 * 3_600));
    let (sent, [new, _]) = signatures(receiver.received().len() + 1).await;
    assert_eq!(sent, new);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_ping_goes_to_its_webhook_alone_and_is_tried_once(#[values(Sqlite, Postgres)] on: Database) {
    let (app, admin, receiver) = started(on).await;
    let other = Receiver::start().await;
    let (id, _) = hook(&admin, &receiver.url(), &["deal.won"]).await;
    hook(&admin, &other.url(), &["*"]).await;
    let path = format!("{PATH}/{id}/ping");
    let begun = admin.idempotency_key("ping").post(&path, json!({})).await.expect(202);
    let again = admin.idempotency_key("ping").post(&path, json!({})).await.expect(202);
    assert_eq!(again.body, begun.body);
    let received = comes(&receiver, 1).await;
    assert_eq!(
        (json!(received[0].id()), &received[0].body["type"]),
        (begun.body["delivery_id"].clone(), &json!("webhook.pinged"))
    );
    receiver.answers(|_| Reply::Status(500));
    admin.post(&path, json!({})).await.expect(202);
    comes(&receiver, 2).await;
    eventually(SOON, async || deliveries(&admin, &id).await[0]["state"] == json!("dead")).await;
    app.clock.advance(Duration::from_secs(3_600));
    tokio::time::sleep(WHILE).await;
    assert_eq!(receiver.received().len(), 2);
    let types: BTreeSet<_> = other.received().iter().map(|one| one.body["type"].to_string()).collect();
    assert!(!types.contains("\"webhook.pinged\""), "{types:?}");
    assert!(types.contains("\"webhook.created\"") || types.is_empty(), "{types:?}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_waits_goes_on_after_a_restart(#[values(Sqlite, Postgres)] on: Database) {
    let (mut app, admin, receiver) = started(on).await;
    receiver.answers(|_| Reply::Status(500));
    let (id, _) = hook(&admin, &receiver.url(), CUSTOMERS).await;
    let customer = admin.customer("絆").await.id();
    tried(&admin, &id, 1).await;
    rename(&admin, &customer, "結").await;
    app.restart().await;
    let admin = Member::first(&app).await;
    receiver.answers(|_| Reply::Status(200));
    app.clock.advance(Duration::from_secs(60));
    all_are(&admin, &id, "delivered", 2).await;
    let mut sent = sequences(&receiver.received(), &customer);
    sent.dedup();
    assert_eq!(sent, [1, 2]);
}
