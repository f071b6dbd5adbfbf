//! PostgreSQL is killed, hangs or can't be reached while requests of every kind arrive: each is answered in time, what was
//! acknowledged stays, and nothing is done twice.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::future::{join, join_all};
use rstest::rstest;

use crate::fixture::{Fixture, everything_takes_effect};
use crate::request_kind::{ALL, RequestKind, Sender};
use testing::{Api, TestDatabase, Valve, eventually, postgres};

/// The longest that a request may wait for a database that is away.
pub const ANSWERED_WITHIN: Duration = Duration::from_secs(6);
/// How long requests run before the outage, and how long PostgreSQL is away: longer than any request may wait.
const BEFORE: Duration = Duration::from_secs(1);
const AWAY: Duration = Duration::from_secs(7);
/// How soon every request succeeds again.
pub const BACK_WITHIN: Duration = Duration::from_secs(5);
/// An open breaker would rightly refuse calls for half a minute more.
pub const BREAKER_RESET: &str = "1s";

/// What happens to PostgreSQL.
#[derive(Clone, Copy, Debug)]
pub enum Fate {
    Killed,
    Hangs,
    /// No packet arrives, and open connections stay dead: as if another host took over.
    CutOff,
}

/// A PostgreSQL server, and the valve through which it is reached.
pub struct Fragile {
    fate: Fate,
    postgres: Arc<Mutex<postgres::Server>>,
    valve: Valve,
}

impl Fragile {
    /// Starts the server with an empty database, whose URL leads through the valve.
    pub fn start(fate: Fate) -> (Self, String) {
        let postgres = postgres::Server::start();
        let valve = Valve::to(postgres.port());
        let url = postgres.fresh_database();
        let url = url.replace(&format!(":{}/", postgres.port()), &format!(":{}/", valve.port()));
        (Self { fate, postgres: Arc::new(Mutex::new(postgres)), valve }, url)
    }

    pub async fn fail(&self) {
        match self.fate {
            Fate::Killed => self.order(postgres::Server::kill).await,
            Fate::Hangs => self.order(postgres::Server::pause).await,
            Fate::CutOff => self.valve.cut(),
        }
    }

    pub async fn come_back(&self) {
        match self.fate {
            Fate::Killed => self.order(postgres::Server::recover).await,
            Fate::Hangs => self.order(postgres::Server::resume).await,
            Fate::CutOff => self.valve.mend(),
        }
    }

    /// Runs on another thread, so that the requests under way do not wait for it.
    async fn order(&self, order: fn(&mut postgres::Server)) {
        let postgres = self.postgres.clone();
        let done = tokio::task::spawn_blocking(move || order(&mut postgres.lock().expect("nobody panics")));
        done.await.expect("no panic on the way");
    }
}

#[rstest]
#[case::killed(Fate::Killed)]
#[case::hanging(Fate::Hangs)]
#[case::cut_off(Fate::CutOff)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_is_answered_while_postgresql_is_away_and_done_once_when_it_is_back(
    #[case] fate: Fate,
) {
    let (fragile, url) = Fragile::start(fate);
    let fixture = Fixture { database: TestDatabase::of(url) };
    let staff = fixture.settled().await;
    let server = fixture.launch().env("KIZUNA_BREAKER_RESET", BREAKER_RESET).start().await;
    let sender = Sender { server: &server, staff: &staff };
    let is_over = AtomicBool::new(false);
    let work = join_all(ALL.map(|kind| work(&sender, kind, &is_over)));
    let outage = async {
        tokio::time::sleep(BEFORE).await;
        fragile.fail().await;
        let gone = Instant::now();
        // A readiness probe fails; a liveness probe succeeds.
        let nobody = staff.admin.at(&server).anonymous();
        eventually(ANSWERED_WITHIN, async || nobody.get("/readyz").await.status == 503).await;
        nobody.get("/healthz").await.expect(200);
        nobody.get("/metrics").await.expect(200);
        tokio::time::sleep(AWAY.saturating_sub(gone.elapsed())).await;
        fragile.come_back().await;
        for kind in ALL {
            eventually(BACK_WITHIN, async || {
                let answer = sender.attempt(kind, &format!("{kind:?} after")).await;
                if answer.status < 300 { Ok(()) } else { Err(format!("{kind:?}: {answer}")) }
            })
            .await;
        }
        is_over.store(true, Ordering::SeqCst);
    };
    let (done, ()) = join(work, outage).await;
    for done in &done {
        println!("{fate:?}: {done:?}");
        let needs_no_database = [RequestKind::Me, RequestKind::Actors].contains(&done.kind);
        assert!(done.refused > 0 || needs_no_database, "{:?} was not under way meanwhile", done.kind);
    }
    are_made_once(&staff.manager.at(&server), &done).await;
    everything_takes_effect(&staff.admin.at(&server)).await;
}

/// The results of the requests of one kind.
#[derive(Debug)]
struct Done {
    kind: RequestKind,
    done: usize,
    refused: usize,
    slowest: Duration,
}

/// Sends requests of one kind in a loop. Each is repeated with its key until it succeeds.
async fn work(sender: &Sender<'_>, kind: RequestKind, is_over: &AtomicBool) -> Done {
    let mut done = Done { kind, done: 0, refused: 0, slowest: Duration::ZERO };
    while !is_over.load(Ordering::SeqCst) {
        let key = format!("{kind:?} {}", done.done);
        loop {
            let began = Instant::now();
            let answer = tokio::time::timeout(ANSWERED_WITHIN, sender.attempt(kind, &key)).await;
            let answer =
                answer.unwrap_or_else(|_| panic!("no answer to {kind:?} within {ANSWERED_WITHIN:?}"));
            done.slowest = done.slowest.max(began.elapsed());
            if answer.status < 300 {
                break;
            }
            assert!(answer.header("retry-after").is_some(), "{kind:?}: {answer}");
            answer.expect_problem(503, "unavailable");
            done.refused += 1;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        done.done += 1;
    }
    done
}

/// Checks that there is one record per key: those of the work, and the one after the outage.
async fn are_made_once(manager: &Api, done: &[Done]) {
    for (kinds, path, before) in [
        (&[RequestKind::Customer, RequestKind::CustomerOfOther][..], "/api/customers", 1),
        (&[RequestKind::Meeting], "/api/meetings", 0),
        (&[RequestKind::Approval], "/api/approvals", 0),
        (&[RequestKind::Task], "/api/tasks", 0),
    ] {
        let keys = done.iter().filter(|done| kinds.contains(&done.kind)).map(|done| done.done + 1);
        let expected = before + keys.sum::<usize>();
        let list = manager.get(&format!("{path}?count=true&limit=1")).await.expect(200);
        assert_eq!(list.header("x-total-count"), Some(&*expected.to_string()), "{path}");
    }
}
