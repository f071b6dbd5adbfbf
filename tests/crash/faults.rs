//! The disk fails, or PostgreSQL takes no writes: writes are 503, reads go on, `/readyz` says so, and all goes on by
//! itself afterwards (SPEC §8.10).

use std::process::Command;
use std::time::Duration;

use reqwest::Method;
use rstest::rstest;
use serde_json::json;

use crate::fixture::{BINARY, Fixture, SOON, Staff, everything_takes_effect};
use crate::request_kind::{ALL, RequestKind, Sender};
use testing::app::{PASSWORD, SECRET};
use testing::{Answer, Api, Database, Kizuna, Launch, Postgres, Sqlite, TestDatabase, eventually, postgres};

/// How soon every request succeeds again.
const BACK_WITHIN: Duration = Duration::from_secs(10);
/// Bytes that the files of the database may grow before the disk fails: some requests still succeed.
const ROOM: u64 = 96 * 1_024;
/// Rounds of requests of every kind while writes fail.
const ROUNDS: usize = 3;

/// A fault that can be put right again.
enum Fault {
    /// No file may grow beyond its present size: SQLite gets `EFBIG` where a full disk says `ENOSPC`. It needs no
    /// privilege, unlike a small file system.
    NoRoom,
    /// PostgreSQL is read-only, as a standby is after a failover.
    ReadOnly(postgres::Server),
}

impl Fault {
    async fn begin(&self, server: &Kizuna, fixture: &Fixture) {
        match self {
            Self::NoRoom => {
                let folder = fixture.database.folder();
                let size = |name: &str| std::fs::metadata(folder.join(name)).map_or(0, |file| file.len());
                let largest = size("kizuna.db").max(size("kizuna.db-wal"));
                limit(server, &format!("{}:", largest + ROOM));
            }
            Self::ReadOnly(postgres) => {
                postgres.execute("ALTER SYSTEM SET default_transaction_read_only = on");
                postgres.execute("SELECT pg_reload_conf()");
            }
        }
    }

    async fn end(&self, server: &Kizuna) {
        match self {
            Self::NoRoom => limit(server, "unlimited:"),
            Self::ReadOnly(postgres) => {
                postgres.execute("ALTER SYSTEM RESET default_transaction_read_only");
                postgres.execute("SELECT pg_reload_conf()");
            }
        }
    }
}

/// Sets the soft limit of the size of a server's files.
fn limit(server: &Kizuna, limit: &str) {
    let mut command = Command::new("prlimit");
    command.args(["--pid", &server.pid().to_string(), &format!("--fsize={limit}")]);
    assert!(command.status().is_ok_and(|status| status.success()), "prlimit (util-linux) failed");
}

/// A fault, and a database that it can befall with its staff.
async fn fragile(on: Database) -> (Fault, Fixture, Staff) {
    let (fault, database) = match on {
        Sqlite => (Fault::NoRoom, TestDatabase::fresh(Sqlite)),
        Postgres => {
            let server = postgres::Server::start();
            let url = server.fresh_database();
            (Fault::ReadOnly(server), TestDatabase::of(url))
        }
    };
    let fixture = Fixture { database };
    let staff = fixture.settled().await;
    (fault, fixture, staff)
}

/// A server that a signal of its file limit does not kill.
fn launch(fixture: &Fixture) -> Launch {
    Kizuna::command("sh")
        .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\"", BINARY, "serve", "--listen", "127.0.0.1:0"])
        .database(&fixture.database.url)
        .env("KIZUNA_JWT_SECRET", SECRET)
        .env("KIZUNA_ADMIN_PASSWORD", PASSWORD)
        .env("KIZUNA_BREAKER_RESET", "1s")
        .env("KIZUNA_LOGIN_RATE", "1000/s")
}

/// Whether the request was carried out; otherwise it was refused as SPEC §8.10 says.
#[track_caller]
fn is_done(answer: &Answer) -> bool {
    if answer.status < 300 {
        return true;
    }
    assert_eq!((answer.status, answer.code()), (503, Some("unavailable")), "{answer}");
    assert!(answer.header("retry-after").is_some(), "{answer}");
    false
}

/// Creates customers with long notes until one is refused; returns the ids of those that were acknowledged.
async fn fill(sales: &Api) -> Vec<String> {
    let mut acknowledged = Vec::new();
    for n in 0..10_000 {
        let customer = json!({"name": format!("full {n}"), "notes": "x".repeat(8_000)});
        let answer = sales.attempt(Method::POST, "/api/customers", Some(customer)).await.expect("an answer");
        if !is_done(&answer) {
            return acknowledged;
        }
        acknowledged.push(answer.id());
    }
    panic!("every write succeeds");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_writes_fail_they_are_503_and_they_go_on_by_themselves(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let (fault, fixture, staff) = fragile(on).await;
    let mut server = launch(&fixture).start().await;
    let sales = staff.sales.at(&server);
    let nobody = sales.anonymous();
    nobody.get("/readyz").await.expect(200);
    fault.begin(&server, &fixture).await;
    let acknowledged = fill(&sales).await;
    eventually(SOON, async || nobody.get("/readyz").await.status == 503).await;
    let sender = Sender { server: &server, staff: &staff };
    for round in 0..ROUNDS {
        for kind in ALL {
            let is_done = is_done(&sender.attempt(kind, &format!("{kind:?} {round}")).await);
            // Even the shortest row needs room on a disk that has none; the last bytes may be taken in the first round.
            let must_fail = round > 0 && [RequestKind::Login, RequestKind::Customer].contains(&kind);
            assert!(!(must_fail && is_done), "{kind:?} in round {round}");
        }
        nobody.get("/readyz").await.expect_problem(503, "unavailable");
        nobody.get("/healthz").await.expect(200);
        sales.get(&format!("/api/customers/{}", staff.customer)).await.expect(200);
        sales.get("/api/customers?limit=5").await.expect(200);
    }
    fault.end(&server).await;
    for kind in ALL {
        eventually(BACK_WITHIN, async || {
            let answer = sender.attempt(kind, &format!("{kind:?} after")).await;
            if is_done(&answer) { Ok(()) } else { Err(answer.to_string()) }
        })
        .await;
    }
    eventually(SOON, async || nobody.get("/readyz").await.status == 200).await;
    for id in &acknowledged {
        sales.get(&format!("/api/customers/{id}")).await.expect(200);
    }
    everything_takes_effect(&staff.admin.at(&server)).await;
    assert!(server.is_running(), "{}", server.output());
}

/// As a failover or an operator ends them (57P01).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_postgresql_ends_are_replaced() {
    let (fixture, staff) = Fixture::copied(Postgres).await;
    let server = launch(&fixture).start().await;
    let sender = Sender { server: &server, staff };
    for round in 0..ROUNDS {
        let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                      WHERE datname = current_database() AND pid <> pg_backend_pid()";
        fixture.database.raw(others).await;
        for kind in ALL {
            eventually(SOON, async || is_done(&sender.attempt(kind, &format!("{kind:?} {round}")).await))
                .await;
        }
    }
    everything_takes_effect(&staff.admin.at(&server)).await;
}
