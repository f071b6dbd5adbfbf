//! Connections to PostgreSQL: a bounded number, each lent to one user at a time.
//!
//! This replaces sqlx's pool, which pings each returned connection. That is a round trip for every statement, and it
//! has no timeout: while packets are dropped, each returned connection would be lost until TCP gives up, and soon none
//! would be left. Here [`Pulse`] cancels the statements that wait for a server that is away, and a connection is only
//! kept if its last statement was answered.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};
use tokio::runtime::Handle;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, sleep, timeout};

use crate::error::StoreError;
use crate::postgres_errors::{is_read_only, is_starting, leaves_it_open};
use crate::pulse::Pulse;
use crate::session_watch::SessionWatch;
use crate::settings::LOCK_TIMEOUT;

/// A connection that was idle for this long is tested before it is used.
const RESTED: Duration = Duration::from_secs(1);
/// How long that test may take: a single connection may be dead while others work.
const TESTED_WITHIN: Duration = Duration::from_secs(1);
/// How long a connection and its cached plans are used, so that a plan from when a table was small is replaced.
const PLANS_LAST: Duration = Duration::from_secs(5 * 60);
/// How long a server may take to accept the first connections when a node starts: no request waits then.
const OPENED_WITHIN: Duration = Duration::from_secs(30);
/// How long a request waits for a new connection, or one that is returned, when it may have one.
const FOUND_WITHIN: Duration = Duration::from_secs(3);
/// The pause before another try after a connection was refused.
const CONNECT_RETRY: Duration = Duration::from_millis(50);
/// How long lent connections may take to be returned when all are to be closed.
const CLOSED_WITHIN: Duration = Duration::from_secs(5);

/// A bounded set of connections, opened when first needed; clones share it.
#[derive(Clone)]
pub(crate) struct Connections {
    shared: Arc<Inner>,
    /// How many connections users of this handle may have at the same time.
    places: Arc<Semaphore>,
}

struct Inner {
    options: PgConnectOptions,
    count: u32,
    places: Arc<Semaphore>,
    /// Reserved for work that must not wait behind other work.
    reserved: Arc<Semaphore>,
    /// The connection that was used last is at the end, and is used first.
    idle: Mutex<Vec<Idle>>,
    came_back: Notify,
    pulse: Pulse,
    watch: SessionWatch,
    /// The runtime of the sockets.
    runtime: Handle,
}

/// An idle connection.
struct Idle {
    connection: PgConnection,
    /// The process of the server that serves it.
    process: i32,
    made: Instant,
    since: Instant,
}

impl Connections {
    /// Opens one connection, to check that the server answers. Call on the long-lived runtime.
    ///
    /// # Errors
    /// `Unavailable` if nothing answers in time.
    pub async fn open(options: PgConnectOptions, count: u32) -> Result<Self, StoreError> {
        let connection = timeout(OPENED_WITHIN, connect(&options)).await;
        let connection =
            connection.map_err(|_| StoreError::Unavailable("nothing answers there".into()))??;
        let places = Arc::new(Semaphore::new(count as usize));
        let shared = Inner {
            pulse: Pulse::start(connection, options.clone()),
            watch: SessionWatch::new(options.clone()),
            options,
            count,
            places: places.clone(),
            reserved: Arc::new(Semaphore::new(1)),
            idle: Mutex::default(),
            came_back: Notify::new(),
            runtime: Handle::current(),
        };
        Ok(Self { shared: Arc::new(shared), places })
    }

    /// A handle to these connections and one more, which only users of this handle can take.
    pub fn reserved(&self) -> Self {
        Self { shared: self.shared.clone(), places: self.shared.reserved.clone() }
    }

    /// A connection; give it back by [`Lent::done`] when its statements have ended.
    ///
    /// # Errors
    /// `Unavailable` when none comes free in time, the server is away, or all are closed.
    pub async fn lend(&self) -> Result<Lent, StoreError> {
        let lent = async {
            let place = timeout(LOCK_TIMEOUT, self.place()).await.map_err(none_free)??;
            let found = timeout(FOUND_WITHIN, self.find(place)).await;
            if found.is_err() {
                // Open connections may work while new ones hang: only a new one tells.
                self.shared.pulse.doubt();
            }
            found.map_err(none_free)?
        };
        self.shared.pulse.during(lent).await
    }

    /// Like [`Connections::lend`], for the start of a node.
    ///
    /// # Errors
    /// `Unavailable` when none comes free in time, or all are closed.
    pub async fn lend_at_start(&self) -> Result<Lent, StoreError> {
        let lent = async { self.find(self.place().await?).await };
        timeout(OPENED_WITHIN, lent).await.map_err(none_free)?
    }

    async fn place(&self) -> Result<OwnedSemaphorePermit, StoreError> {
        let place = self.places.clone().acquire_owned().await;
        place.map_err(|_| StoreError::Unavailable("the database is closed".into()))
    }

    async fn find(&self, place: OwnedSemaphorePermit) -> Result<Lent, StoreError> {
        let Idle { connection, process, made, .. } = match self.rested().await {
            Some(rested) => rested,
            // Whichever comes first: a server that refuses new connections may still serve open ones.
            None => tokio::select! {
                // Also a refused password, as while a server that took over is set up, is no fault of a request.
                made = self.make() => made.map_err(|error| StoreError::Unavailable(error.to_string()))?,
                rested = self.next_back() => rested,
            },
        };
        Ok(Lent { connection, process, made, is_sound: true, home: self.clone(), _place: place })
    }

    /// A new connection.
    async fn make(&self) -> Result<Idle, sqlx::Error> {
        let made = Instant::now();
        let mut connection = connect(&self.shared.options).await?;
        let process = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut connection).await?;
        Ok(Idle { connection, process, made, since: made })
    }

    /// An idle connection that works.
    async fn rested(&self) -> Option<Idle> {
        loop {
            let mut idle = self.shared.idle.lock().expect("no panic under this lock").pop()?;
            if idle.made < self.shared.pulse.since() || idle.made.elapsed() > PLANS_LAST {
                continue;
            }
            // An idle connection may have lost its server; one that was just used has not, and a test costs a round
            // trip.
            let is_fresh = idle.since.elapsed() <= RESTED;
            if is_fresh || timeout(TESTED_WITHIN, idle.connection.ping()).await.is_ok_and(|pong| pong.is_ok())
            {
                return Some(idle);
            }
        }
    }

    /// The next connection that is returned.
    async fn next_back(&self) -> Idle {
        loop {
            self.shared.came_back.notified().await;
            if let Some(idle) = self.rested().await {
                return idle;
            }
        }
    }

    /// Waits for the lent connections, and closes every connection.
    pub async fn close(&self) {
        let Inner { places, reserved, count, .. } = &*self.shared;
        let all = async { tokio::join!(places.acquire_many(*count), reserved.acquire()) };
        let _ = timeout(CLOSED_WITHIN, all).await;
        places.close();
        reserved.close();
        let idle = std::mem::take(&mut *self.shared.idle.lock().expect("no panic under this lock"));
        // All at once: a server that is away answers none of them.
        let mut closing = JoinSet::new();
        for idle in idle {
            closing.spawn(timeout(CLOSED_WITHIN, idle.connection.close()));
        }
        closing.join_all().await;
        self.shared.watch.stop().await;
        self.shared.pulse.stop().await;
    }
}

fn none_free(_: Elapsed) -> StoreError {
    StoreError::Unavailable("no connection came free".into())
}

/// A new connection, as soon as the server accepts it.
async fn connect(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    loop {
        match options.connect().await {
            Err(error) if is_starting(&error) => sleep(CONNECT_RETRY).await,
            made => return made,
        }
    }
}

/// A lent connection. Closed when it is dropped.
pub struct Lent {
    connection: PgConnection,
    process: i32,
    made: Instant,
    /// Whether its last statement was answered.
    is_sound: bool,
    home: Connections,
    _place: OwnedSemaphorePermit,
}

impl Lent {
    /// Runs statements while the server answers.
    ///
    /// # Errors
    /// The errors of the statements; `Unavailable` if they were cancelled: then their outcome is unknown.
    pub async fn run<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, StoreError> {
        self.is_sound = false;
        let (connection, is_sound) = (&mut self.connection, &mut self.is_sound);
        let pulse = &self.home.shared.pulse;
        let work = async {
            let answer = work(connection).await;
            *is_sound = answer.as_ref().err().is_none_or(leaves_it_open);
            if answer.as_ref().err().is_some_and(is_read_only) {
                // The others lead to the same server.
                pulse.distrust();
            }
            Ok(answer?)
        };
        let (watch, process) = (&self.home.shared.watch, self.process);
        let watched = async {
            tokio::select! {
                biased;
                answer = work => answer,
                () = watch.until_lost(process) => {
                    // What cut this connection off may have cut off others.
                    pulse.distrust();
                    Err(StoreError::Unavailable("a connection to PostgreSQL is dead".into()))
                }
            }
        };
        pulse.during(watched).await
    }

    /// Returns the connection after its statements have ended, with success or not. It is kept if it still works.
    pub fn done(self) {
        let Self { connection, process, made, is_sound, home, _place } = self;
        if is_sound && !home.shared.places.is_closed() {
            let idle = Idle { connection, process, made, since: Instant::now() };
            home.shared.idle.lock().expect("no panic under this lock").push(idle);
            home.shared.came_back.notify_one();
        }
    }
}

/// The bytes of a text in hexadecimal.
fn digits(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// A transaction, which is rolled back if it is dropped before its commit.
pub struct Transaction(Option<Lent>);

impl Transaction {
    /// Begins, and takes the locks of these values, in one round trip. Locks are taken in the order of their keys, and before
    /// any row is locked, so that there is no deadlock.
    pub async fn begin(mut lent: Lent, locks: &BTreeSet<String>) -> Result<Self, StoreError> {
        let text = match locks.len() {
            0 => "BEGIN".to_owned(),
            // As digits, because a statement with parameters would be a round trip of its own.
            _ => format!(
                "BEGIN; SELECT count(*) FROM (SELECT pg_advisory_xact_lock(k) FROM (SELECT DISTINCT \
                 hashtextextended(convert_from(decode(v, 'hex'), 'UTF8'), 0) AS k FROM unnest(ARRAY['{}']) AS v ORDER BY k) AS s) AS r",
                locks.iter().map(|value| digits(value)).collect::<Vec<_>>().join("', '")
            ),
        };
        lent.run(async |connection| connection.execute(AssertSqlSafe(text)).await).await?;
        Ok(Self(Some(lent)))
    }

    /// The errors of [`Lent::run`].
    ///
    /// # Errors
    /// The errors of [`Lent::run`].
    pub async fn run<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, StoreError> {
        self.0.as_mut().expect("it is open until its commit").run(work).await
    }

    pub async fn commit(mut self) -> Result<(), StoreError> {
        self.run(async |connection| connection.execute("COMMIT").await).await?;
        self.0.take().into_iter().for_each(Lent::done);
        Ok(())
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        // The server rolls a cancelled transaction back when it finds the connection closed.
        let Some(mut lent) = self.0.take().filter(|lent| lent.is_sound) else { return };
        let runtime = lent.home.shared.runtime.clone();
        runtime.spawn(async move {
            let rolled_back = lent.run(async |connection| connection.execute("ROLLBACK").await).await;
            if rolled_back.is_ok() {
                lent.done();
            }
        });
    }
}
