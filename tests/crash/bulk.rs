//! A change of many records under `kill -9` at every commit boundary of its saga, and again during the recovery (SPEC §8.5).

use std::os::unix::process::ExitStatusExt;

use futures_util::StreamExt;
use futures_util::stream::iter;
use reqwest::Method;
use rstest::rstest;
use serde_json::json;
use store::sql::Sql;
use tokio::sync::OnceCell;

use crate::fixture::{Fixture, Known, SOON};
use testing::app::{ADMIN, PASSWORD};
use testing::promises;
use testing::{Api, Database, Kizuna, Member, Postgres, Sqlite, Template, eventually};

const BOUNDARIES: [&str; 4] =
    ["journal.before_commit", "journal.after_commit", "feed.before_effect", "feed.after_effect"];
const SIGKILL: i32 = 9;
/// At which visits the server is killed: through both batches.
const VISITS: [u32; 7] = [1, 2, 3, 5, 8, 12, 17];
/// More than a batch has, of each kind.
const RECORDS: usize = 205;

/// The kinds of records that are changed: the collection, the field of the owner, and the type of the event.
const TASKS: Kind = Kind { collection: "tasks", owner: "assignee_id", event: "task.updated" };
const DEALS: Kind = Kind { collection: "deals", owner: "owner_id", event: "deal.updated" };

#[derive(Clone, Copy, Debug)]
struct Kind {
    collection: &'static str,
    owner: &'static str,
    event: &'static str,
}

/// A fixture with tasks and deals of one user.
struct Estate {
    template: Template,
    manager: Known,
    heir: String,
}

impl Estate {
    async fn on(on: Database) -> &'static Self {
        static ESTATES: [OnceCell<Estate>; 2] = [OnceCell::const_new(), OnceCell::const_new()];
        ESTATES[usize::from(on == Sqlite)].get_or_init(|| Self::make(on)).await
    }

    async fn make(on: Database) -> Self {
        let fixture = Fixture::fresh(on);
        let mut server = fixture.launch().start().await;
        let admin = Member::sign_in(&Api::new(server.base_url()), ADMIN, PASSWORD).await;
        let manager = admin.hire("MANAGER", "manager", None).await;
        let heir = admin.hire("SALES", "heir", Some(&manager)).await;
        let customer = admin.customer("絆商事").await.id();
        let made = (0..RECORDS).map(|n| {
            let (manager, customer) = (&manager, &customer);
            async move {
                manager.task(&format!("電話 {n}"), "2036-03-01T10:00:00Z").await;
                manager.deal(customer, &format!("電話 {n}")).await
            }
        });
        iter(made).buffer_unordered(16).collect::<Vec<_>>().await;
        rest(&fixture).await;
        assert!(server.terminate().await.success(), "{}", server.output());
        let (manager, heir) = (Known::new(&manager), heir.id.clone());
        Self { template: fixture.database.into_template(), manager, heir }
    }
}

#[rstest]
#[tokio::test]
async fn each_record_is_changed_once_whatever_the_moments_of_kill_9(
    #[values(Sqlite, Postgres)] on: Database,
    #[values(TASKS, DEALS)] kind: Kind,
    #[values(0, 1, 2, 3)] boundary: usize,
) {
    let estate = Estate::on(on).await;
    let mut kills = 0;
    for visit in VISITS {
        let fixture = Fixture { database: estate.template.copy() };
        let died =
            change_under(&fixture, estate, kind, &format!("{}=kill@{visit}", BOUNDARIES[boundary])).await;
        kills += u32::from(died);
        if died {
            let again = format!("{}=kill@{}", BOUNDARIES[(boundary + 1) % 4], 1 + visit % 4);
            change_under(&fixture, estate, kind, &again).await;
        }
        check(&fixture, estate, kind, visit).await;
    }
    assert!(kills >= 2, "only {kills} kills");
}

/// Waits until the effects of so many records are there.
async fn rest(fixture: &Fixture) {
    fixture.look(async |db| eventually(12 * SOON, || promises::kept(db)).await).await;
}

/// Asks for the change under one key, so that it is begun once.
async fn ask(server: &Kizuna, estate: &Estate, kind: Kind) -> reqwest::Result<testing::Answer> {
    let body = json!({"filter": {"q": "電話"}, "change": {kind.owner: estate.heir}});
    let api = estate.manager.at(server).idempotency_key("all");
    api.attempt(Method::POST, &format!("/api/{}/bulk", kind.collection), Some(body)).await
}

/// Starts a server that is killed at a commit, and asks for the change; returns true if the server died.
async fn change_under(fixture: &Fixture, estate: &Estate, kind: Kind, moment: &str) -> bool {
    let mut server = fixture.armed(moment).spawn();
    if server.serves().await {
        let answered =
            ask(&server, estate, kind).await.is_ok_and(|answer| matches!(answer.status, 202 | 503));
        if answered && !fixture.dies_or_rests(&mut server).await {
            server.kill_9();
            return false;
        }
    }
    let ended = server.wait_exit(8 * SOON).await;
    assert_eq!(ended.signal(), Some(SIGKILL), "{moment}:\n{}", server.output());
    true
}

/// Lets the saga end on a server that is not killed; each record has changed once.
async fn check(fixture: &Fixture, estate: &Estate, kind: Kind, visit: u32) {
    let mut server = fixture.launch().start().await;
    // The kill may have come before the request.
    let answer = ask(&server, estate, kind).await.expect("an answer").expect(202);
    rest(fixture).await;
    let saga = estate.manager.at(&server).get(&answer.text_at("/saga/href")).await.expect(200).body;
    let bulk = &saga["bulk"];
    assert_eq!(
        (&saga["status"], &bulk["changed"], &bulk["refused"]),
        (&json!("completed"), &json!(RECORDS), &json!(0)),
        "visit {visit}"
    );
    let number = async |sql: String| fixture.look(async |db| db.number(Sql::new(sql)).await.unwrap()).await;
    let of_kind =
        |what: &str| format!("SELECT CAST(count({what}) AS TEXT) FROM events WHERE type = '{}'", kind.event);
    let changes = [number(of_kind("*")).await, number(of_kind("DISTINCT subject")).await];
    assert_eq!(changes, [RECORDS as i64; 2], "visit {visit}");
    assert_eq!(number("SELECT CAST(count(*) AS TEXT) FROM sagas".into()).await, 1, "visit {visit}");
    server.kill_9();
}
