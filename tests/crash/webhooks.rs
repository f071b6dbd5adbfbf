//! Webhooks under `kill -9` at every boundary between an event's commit and the end of its delivery (SPEC §7).

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use rstest::rstest;
use serde_json::json;
use store::{Db, log};

use crate::client::Client;
use crate::fixture::{Fixture, Known};
use domain::events::{CUSTOMER_CREATED, CUSTOMER_UPDATED};
use testing::{Database, Launch, Postgres, Received, Receiver, Sqlite, eventually};

/// Around the commit of an event, of its delivery, of its try, and of what came of it.
const BOUNDARIES: [&str; 7] = [
    "journal.before_commit",
    "webhook.before_queued",
    "webhook.after_queued",
    "webhook.before_send",
    "webhook.after_send",
    "webhook.before_outcome",
    "webhook.after_outcome",
];
/// At which visits the server is killed: with both databases, two hundred kills and more.
const VISITS: std::ops::RangeInclusive<u32> = 1..=15;
/// How long a client may take to reach that visit.
const KILLED_WITHIN: Duration = Duration::from_secs(20);
/// How long the deliveries may take after the last kill.
const SENT_WITHIN: Duration = Duration::from_secs(60);
const SIGKILL: i32 = 9;

fn private(launch: Launch) -> Launch {
    launch.env("KIZUNA_WEBHOOK_ALLOW_PRIVATE", "true")
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_event_is_delivered_under_one_id_and_in_order_whatever_the_moments_of_kill_9(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let (fixture, staff) = Fixture::copied(on).await;
    let receiver = Receiver::start().await;
    let mut server = private(fixture.launch()).start().await;
    let webhook = json!({"url": receiver.url(), "event_types": ["customer.created", "customer.updated"]});
    staff.admin.at(&server).post("/api/webhooks", webhook).await.expect(201);
    server.kill_9();
    let before = fixture.look(logged).await;
    let mut client = Client::new("webhooks", true);
    for visit in VISITS {
        for boundary in BOUNDARIES {
            let moment = format!("{boundary}=kill@{visit}");
            work_until_killed(&fixture, &moment, &staff.sales, &mut client).await;
        }
    }
    let mut server = private(fixture.launch()).start().await;
    client.finish(&staff.sales.at(&server)).await;
    let events: Vec<_> = fixture.look(logged).await.into_iter().filter(|it| !before.contains(it)).collect();
    assert!(events.len() > 100, "{} events", events.len());
    eventually(SENT_WITHIN, async || judge(&events, &receiver.received())).await;
    server.kill_9();
}

async fn work_until_killed(fixture: &Fixture, moment: &str, who: &Known, client: &mut Client) {
    let mut server = private(fixture.armed(moment)).spawn();
    if server.serves().await {
        let api = who.at(&server);
        let _ = tokio::time::timeout(KILLED_WITHIN, client.work(&api)).await;
    }
    let ended = server.wait_exit(KILLED_WITHIN).await;
    assert_eq!(ended.signal(), Some(SIGKILL), "{moment} was not passed:\n{}", server.output());
}

/// The events of customers, by id.
async fn logged(db: &Db) -> BTreeSet<String> {
    let events = log::of_types(db, &[CUSTOMER_CREATED, CUSTOMER_UPDATED]).await.expect("a log");
    events.iter().map(|event| event.event.id.to_string()).collect()
}

/// Every event has come, always under its one id, and those of a customer came in order at first.
fn judge(events: &[String], received: &[Received]) -> Result<(), String> {
    let mut ids: BTreeMap<&str, &str> = BTreeMap::new();
    let mut last: BTreeMap<&str, i64> = BTreeMap::new();
    for one in received {
        let text = |field: &str| one.body[field].as_str().unwrap_or_default();
        let known = *ids.entry(text("id")).or_insert(one.id());
        if known != one.id() {
            return Err(format!("the event {} came under {known} and {}", text("id"), one.id()));
        }
        let sequence = one.body["sequence"].as_i64().unwrap_or_default();
        let last = last.entry(text("subject")).or_insert(0);
        if sequence > *last + 1 {
            return Err(format!("of {} the event {sequence} came after {last}", text("subject")));
        }
        *last = sequence.max(*last);
    }
    match events.iter().find(|event| !ids.contains_key(event.as_str())) {
        Some(missing) => Err(format!("the event {missing} has not come; {} have", ids.len())),
        None => Ok(()),
    }
}
