//! The simulated database does what PostgreSQL does: the same units of work and queries on both, at random and at the same
//! time.

use std::fmt::Debug;
use std::time::Duration;

use kernel::clock::Timestamp;
use kernel::context::{Context, IdempotencyClaim};
use kernel::error::ErrorCode;
use kernel::event::{Catalogue, DomainEvent, Event, PARTITIONS, raw};
use kernel::ids::{Id, new_id};
use kizuna::persistence::SCHEMA;
use serde_json::json;
use serde_json::value::RawValue;
use simulation::chance;
use simulation::database::way::{Way, database};
use simulation::ledger::note::{NOTES, title_is_free};
use simulation::ledger::tables::{EFFECTS, TALLIES, server};
use simulation::ledger::{EVENTS, WRITTEN};
use simulation::process::Process;
use simulation::weather::Weather;
use store::cursors::{Cursor, PARKED};
use store::idempotency::FirstAnswer;
use store::journal::{Outcome, commit};
use store::leases::Member;
use store::settings::DatabaseSettings;
use store::settings::Schema;
use store::sql::Sql;
use store::unit_of_work::{CommitError, LiveCheck, UnitOfWork, Write};
use store::{Db, cursors, idempotency, leases, log, schedules};

use testing::{Postgres, TestDatabase};

const CONSUMER: &str = "tests.simulated";
/// The ledger's tables, which no migration makes.
const LEDGER: &str = "
    CREATE TABLE notes (id UUID PRIMARY KEY, version BIGINT NOT NULL, title TEXT COLLATE \"C\" NOT NULL, text TEXT NOT NULL,
        owner_id UUID NOT NULL, deleted_at TIMESTAMPTZ);
    CREATE TABLE totals (id UUID PRIMARY KEY, version BIGINT NOT NULL, sum BIGINT NOT NULL);
    CREATE TABLE effects (id TEXT COLLATE \"C\" PRIMARY KEY, consumer TEXT NOT NULL, event_id UUID NOT NULL, subject UUID NOT NULL,
        sequence BIGINT NOT NULL, count BIGINT NOT NULL);
    DELETE FROM schedules; DELETE FROM consumer_cursors;";

struct Written;

impl DomainEvent for Written {
    fn event_type(&self) -> kernel::event::EventType {
        WRITTEN
    }

    fn data(&self) -> Box<RawValue> {
        raw(&json!({"text": "絆 'quoted' \"twice\""}))
    }
}

/// Both databases.
struct Both {
    real: Db,
    simulated: Db,
    _files: TestDatabase,
}

impl Both {
    async fn begin(seed: u64) -> Self {
        let files = TestDatabase::fresh(Postgres);
        files.migrated().await.close().await;
        files.raw(LEDGER).await;
        let schema = Schema { events: Catalogue(&EVENTS), ..SCHEMA };
        let settings = DatabaseSettings { url: files.url.clone(), pool_size: 4 };
        let real = Db::connect(&settings, schema).await.expect("a database that opens");
        kernel::simulation::begin(seed);
        let way = Way::new(server(), Process::default(), 1, Weather::default());
        Self { real, simulated: Db::simulated(database(way), schema), _files: files }
    }

    /// Asks both; they must say the same.
    async fn ask<T: PartialEq + Debug>(&self, what: &str, ask: impl AsyncFn(&Db) -> T) -> T {
        let (real, simulated) = (ask(&self.real).await, ask(&self.simulated).await);
        assert_eq!(simulated, real, "{what}");
        real
    }
}

/// What came of a unit, without what is another text in each database.
fn kind(outcome: &Outcome) -> String {
    match outcome {
        Ok(events) => {
            let numbers = |event: &_| {
                let store_event: &kernel::event::LoggedEvent = event;
                (store_event.partition, store_event.partition_seq, store_event.log_seq)
            };
            format!("{:?}", events.iter().map(|event| numbers(event)).collect::<Vec<_>>())
        }
        Err(CommitError::Duplicate(_)) => "duplicate".to_owned(),
        Err(error) => format!("{error:?}"),
    }
}

fn note(id: Id, version: i64, title: &str, deleted_at: Option<Timestamp>) -> serde_json::Value {
    json!({"id": id, "version": version, "title": title, "text": "a text", "owner_id": Id::nil(), "deleted_at": deleted_at})
}

/// A unit of some of everything, about a few records.
fn unit(ids: &[Id]) -> UnitOfWork {
    let mut unit = UnitOfWork::default();
    let id = chance::one_of(ids);
    let version = chance::below(4) as i64;
    let title = format!("title-{}", chance::below(3));
    let deleted_at = (chance::below(4) == 0).then(|| Timestamp::from_micros(1_790_000_000_123_456));
    match chance::below(7) {
        0 | 1 => {
            let row = note(id, version + 1, &title, deleted_at);
            unit.writes.push(Write::put(&NOTES, id, &row).expecting(version));
            unit.events.push(Event::new(
                &Written,
                id,
                version + 1,
                Timestamp::from_micros(5),
                &Context::system(),
            ));
        }
        2 => unit.writes.push(Write::delete(&NOTES, id).expecting(version)),
        3 => {
            unit.unique_checks.push(title_is_free(&title));
            unit.writes.push(Write::put(&NOTES, id, &note(id, 1, &title, None)).expecting(0));
        }
        4 => {
            unit.live_checks.push(LiveCheck { table: &NOTES, id, code: ErrorCode::NotFound });
            let row = json!({"id": id, "version": version + 1, "sum": -3});
            unit.writes.push(Write::put(&TALLIES, id, &row).expecting(version));
        }
        5 => {
            let key = format!("effect-{}", chance::below(3));
            let row = json!({"id": key, "consumer": CONSUMER, "event_id": id, "subject": id, "sequence": 1, "count": 2});
            unit.writes.push(Write::put(&EFFECTS, key, &row));
        }
        _ => unit.writes.push(first_answer(chance::below(3)).write()),
    }
    unit
}

fn first_answer(number: u64) -> FirstAnswer {
    let claim = IdempotencyClaim {
        id: format!("user/{number}"),
        fingerprint: "f".to_owned(),
        status: 201,
        location: Some("/api/notes".into()),
    };
    FirstAnswer::new(&claim, Id::nil(), Some(7), raw(&json!({"a": 1})), Timestamp::from_micros(9))
}

/// All that the store reads, as texts.
async fn all(db: &Db) -> Vec<String> {
    let mut found = Vec::new();
    for partition in 0..PARTITIONS {
        let events = log::after(db, partition, 1, 3).await.unwrap();
        found.extend(events.iter().map(log::to_json));
    }
    let since = log::since(db, 2, 5).await.unwrap();
    let ids: Vec<Id> = since.iter().map(|event| event.event.id).collect();
    found.extend(log::by_ids(db, &ids).await.unwrap().iter().map(log::to_json));
    found.extend(log::window(db, (1, 9), &[WRITTEN], 4).await.unwrap().iter().map(log::to_json));
    let mut heads = log::heads(db).await.unwrap();
    heads.sort_unstable();
    let mut lowest = cursors::lowest(db).await.unwrap();
    lowest.sort_unstable();
    found.push(format!("{heads:?} {lowest:?} {}", log::head(db).await.unwrap()));
    found.push(format!("{:?}", cursors::load(db, CONSUMER).await.unwrap()));
    found.push(format!("{:?}", cursors::parked(db, CONSUMER, 10).await.unwrap()));
    for number in 0..3 {
        let first = idempotency::find(db, &format!("user/{number}"), Timestamp::from_micros(0)).await;
        found.push(format!("{:?}", first.unwrap()));
    }
    for table in [&NOTES, &TALLIES, &EFFECTS] {
        let order = Sql::default().push(" ORDER BY id", []);
        let rows: Vec<serde_json::Value> = db.rows(table, order).await.unwrap();
        // PostgreSQL writes times in another form.
        found.extend(rows.iter().map(|row| row.to_string().replace("+00:00", "Z")));
    }
    found
}

#[tokio::test]
async fn units_at_random_come_to_the_same_as_on_postgresql() {
    for seed in 0..4 {
        let both = Both::begin(seed).await;
        let ids: Vec<Id> = (0..4).map(|_| new_id()).collect();
        both.ask("cursors", async |db| cursors::load(db, CONSUMER).await.unwrap()).await;
        for round in 0..40 {
            let group: Vec<UnitOfWork> = (0..chance::between(1, 3)).map(|_| unit(&ids)).collect();
            // As the journal does it: no two of a group touch one row.
            let first_keys: Vec<_> = group[0].keys().map(|(name, key)| (name, key.into_owned())).collect();
            let is_apart = |unit: &&UnitOfWork| {
                unit.keys().all(|(name, key)| !first_keys.contains(&(name, key.into_owned())))
            };
            let second = group[1..].iter().find(is_apart);
            let units: Vec<UnitOfWork> = group[..1].iter().chain(second).cloned().collect();
            let what = format!("seed {seed}, round {round}: {units:?}");
            both.ask(&what, async |db| commit(db, units.clone()).await.iter().map(kind).collect::<Vec<_>>())
                .await;
        }
        both.ask(&format!("seed {seed}: what is stored"), async |db| all(db).await).await;
        kernel::simulation::end();
    }
}

#[tokio::test]
async fn cursors_schedules_parked_events_and_leases_are_those_of_postgresql() {
    let both = Both::begin(7).await;
    let (id, now) = (new_id(), Timestamp::from_micros(1_790_000_000_000_001));
    let member = |id: &str| Member {
        id: id.to_owned(),
        incarnation: new_id(),
        address: None,
        services: vec!["ledger".to_owned()],
        version: "1".to_owned(),
        started_at: now,
    };
    let (first, second, other) = (member("a"), member("a"), member("b"));
    let parked = json!({"id": id, "consumer": CONSUMER, "event_id": id, "subject": id, "slice": 3, "slice_seq": 4, "version": 1,
        "status": "retrying", "attempts": 0, "next_attempt_at": now, "error": "", "parked_at": now});
    both.ask("all", async |db| {
        let mut said = Vec::new();
        let cursors = cursors::load(db, CONSUMER).await.unwrap();
        let moved = Cursor { position: 5, applied: 2, ..cursors[3].clone() };
        for _ in 0..2 {
            let writes = vec![moved.moved_from(&cursors[3]), Write::put(&PARKED, id, &parked).expecting(0)];
            let unit = UnitOfWork { writes, ..UnitOfWork::default() };
            said.extend(commit(db, vec![unit]).await.iter().map(kind));
        }
        let last = schedules::load(db, "a.job", now).await.unwrap();
        for _ in 0..2 {
            let claim = UnitOfWork {
                writes: vec![last.claim(now.plus(Duration::from_secs(1)))],
                ..UnitOfWork::default()
            };
            said.extend(commit(db, vec![claim]).await.iter().map(kind));
        }
        said.push(format!("{:?}", schedules::load(db, "a.job", now).await.unwrap()));
        for (member, lasts) in [(&first, 600), (&second, 600), (&other, 50), (&first, 600)] {
            said.push(format!("{:?}", leases::renew(db, member, Duration::from_secs(lasts)).await.unwrap()));
        }
        said.push(format!("{:?}", leases::living(db).await.unwrap()));
        let left = leases::leases(db).await.unwrap();
        said.push(format!(
            "{:?}",
            left.iter().map(|lease| (lease.left + 5_000) / 10_000).collect::<Vec<_>>()
        ));
        leases::release(db, &second).await.unwrap();
        leases::release(db, &first).await.unwrap();
        said.push(format!(
            "{:?} {}",
            leases::living(db).await.unwrap(),
            leases::forget_gone(db).await.unwrap()
        ));
        said.extend(all(db).await);
        said
    })
    .await;
    kernel::simulation::end();
}

/// The outcomes of two units that are committed at the same time, in the order of their names.
async fn race(db: &Db, one: &UnitOfWork, other: &UnitOfWork) -> Vec<String> {
    let (one, other) = tokio::join!(commit(db, vec![one.clone()]), commit(db, vec![other.clone()]));
    let name = |outcome: &Outcome| match outcome {
        Ok(_) => "done".to_owned(),
        Err(CommitError::Conflict { code, .. }) => format!("{code:?}"),
        Err(_) => kind(outcome),
    };
    let mut names: Vec<String> = one.iter().chain(&other).map(name).collect();
    names.sort();
    names
}

#[tokio::test]
async fn of_two_units_at_the_same_time_one_is_committed_as_on_postgresql() {
    let both = Both::begin(11).await;
    let logged =
        |id: Id, version| Event::new(&Written, id, version, Timestamp::from_micros(5), &Context::system());
    for round in 0..15 {
        let (id, second) = (new_id(), new_id());
        let write = |id: Id, version: i64| UnitOfWork {
            writes: vec![Write::put(&NOTES, id, &note(id, version, "a", None)).expecting(version - 1)],
            events: vec![logged(id, version)],
            ..UnitOfWork::default()
        };
        both.ask("a row", async |db| {
            commit(db, vec![write(id, 1)]).await.iter().map(Result::is_ok).collect::<Vec<_>>()
        })
        .await;
        both.ask("a version", async |db| race(db, &write(id, 2), &write(id, 2)).await).await;
        let title = format!("race-{round}");
        let titled = |id: Id| UnitOfWork {
            writes: vec![Write::put(&NOTES, id, &note(id, 1, &title, None)).expecting(0)],
            unique_checks: vec![title_is_free(&title)],
            events: vec![logged(id, 1)],
            ..UnitOfWork::default()
        };
        let ids = [new_id(), new_id()];
        both.ask("a title", async |db| race(db, &titled(ids[0]), &titled(ids[1])).await).await;
        let claimed = |id: Id| UnitOfWork {
            writes: vec![first_answer(1_000 + round).write()],
            events: vec![logged(id, 1)],
            ..UnitOfWork::default()
        };
        let ids = [second, new_id()];
        both.ask("a key", async |db| race(db, &claimed(ids[0]), &claimed(ids[1])).await).await;
    }
    kernel::simulation::end();
}
