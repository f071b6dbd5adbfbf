//! Flow 2 under `kill -9` at every commit boundary (SPEC §8.1, §8.2).

use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use rstest::rstest;
use store::Db;
use store::sql::Sql;

use crate::client::{Acknowledged, Client};
use crate::fixture::{Fixture, Known};
use testing::promises;
use testing::{Database, Postgres, Sqlite};

/// Around a commit, and around the commit of an effect.
const BOUNDARIES: [&str; 5] = [
    "journal.before_begin",
    "journal.before_commit",
    "journal.after_commit",
    "feed.before_effect",
    "feed.after_effect",
];
/// At which visits the server is killed. A start passes each of these places only for effects that are left; a creation
/// with its five effects passes each up to six times.
const VISITS: std::ops::RangeInclusive<u32> = 1..=11;
/// After this many kills a server runs long enough to check its promises.
const KILLS_A_CHECK: usize = 11;
/// How long three clients may take to reach that visit.
const KILLED_WITHIN: Duration = Duration::from_secs(10);
const SIGKILL: i32 = 9;

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test]
async fn flow_2_is_exactly_once_whatever_the_moment_of_kill_9(#[case] on: Database) {
    let (fixture, staff) = Fixture::copied(on).await;
    let mut clients = [Client::new("first", true), Client::new("second", true), Client::new("third", false)];
    let moments: Vec<String> =
        VISITS.flat_map(|visit| BOUNDARIES.map(|boundary| format!("{boundary}=kill@{visit}"))).collect();
    assert!(moments.len() >= 50);
    for moments in moments.chunks(KILLS_A_CHECK) {
        for moment in moments {
            work_until_killed(&fixture, moment, &staff.sales, &mut clients).await;
        }
        let mut server = fixture.launch().start().await;
        for client in &mut clients[..2] {
            client.finish(&staff.sales.at(&server)).await;
        }
        fixture.eventually(async |db| judge(db, &clients, &staff.manager.id).await).await;
        server.kill_9();
    }
    let replayed: u32 = clients.iter().map(|client| client.replayed).sum();
    assert!(replayed > 0, "no kill came between a commit and its answer");
}

/// Runs one server from its start until it is killed at its failpoint.
async fn work_until_killed(fixture: &Fixture, moment: &str, who: &Known, clients: &mut [Client; 3]) {
    let mut server = fixture.armed(moment).spawn();
    if server.serves().await {
        let api = who.at(&server);
        let [first, second, third] = clients;
        let work = async { tokio::join!(first.work(&api), second.work(&api), third.work(&api)) };
        let _ = tokio::time::timeout(KILLED_WITHIN, work).await;
    }
    let ended = server.wait_exit(KILLED_WITHIN).await;
    assert_eq!(ended.signal(), Some(SIGKILL), "{moment} was not passed:\n{}", server.output());
}

/// Checks every promise, that nothing acknowledged is lost, and that no keyed request was done twice.
async fn judge(db: &Db, clients: &[Client; 3], manager: &str) -> Result<(), String> {
    promises::kept(db).await?;
    for (name, customer) in clients.iter().flat_map(|client| &client.acknowledged) {
        let version = stored_version(db, name, customer).await?;
        if version < customer.version {
            return Err(format!("{name} {customer:?} is stored as version {version}"));
        }
    }
    let told = "SELECT CAST(count(*) AS TEXT) FROM notifications WHERE kind = 'customer.created'";
    let told = Sql::new(told).push(" AND user_id = ?", [manager.parse::<kernel::ids::Id>()?.into()]);
    let told = db.number(told).await.map_err(|error| error.to_string())?;
    let customers = Sql::new("SELECT CAST(count(*) AS TEXT) FROM customers");
    let customers = db.number(customers).await.map_err(|error| error.to_string())?;
    if told == customers { Ok(()) } else { Err(format!("the manager was told of {told} of {customers}")) }
}

/// 0 if there is no such customer under the acknowledged id.
async fn stored_version(db: &Db, name: &str, customer: &Acknowledged) -> Result<i64, String> {
    let id: kernel::ids::Id = customer.id.parse()?;
    let stored = Sql::new("SELECT CAST(version AS TEXT) FROM customers")
        .filter("name = ?", [name.into()])
        .filter("id = ?", [id.into()]);
    db.number(stored).await.map_err(|error| error.to_string())
}
