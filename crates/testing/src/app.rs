//! A whole node inside the test's process: wired as in production, on a free port, with a clock that the
//! test moves. `TestApp::start(Sqlite)`, `TestApp::start(Postgres)`.

use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use actix_rt::System;
use clap::{CommandFactory, FromArgMatches, Parser};
use domain::user::passwords::HashCost;
use kernel::clock::{Clock, Timestamp};
use kizuna::actors::auth::client::AuthClient;
use kizuna::actors::webhooks::resolver::HostLookup;
use kizuna::app::consumers::CONSUMERS;
use kizuna::app::startup::{Application, Stopper};
use kizuna::config::Config;
use runtime::breaker::Breakers;
use runtime::consumer::ConsumerSpec;
use store::sql::Sql;
use store::{Db, cursors};
use tokio::sync::oneshot;

use crate::api::Api;
use crate::database::TestDatabase;
use crate::eventually;
use crate::promises;

/// The first ADMIN, and everybody's password.
pub const ADMIN: &str = "admin@example.com";
pub const PASSWORD: &str = "kizuna-test";
/// What tokens are signed with.
pub const SECRET: &str = "a secret of the tests, 32 bytes or more";
/// When tests begin: a Monday morning, far from midnight.
const BEGIN: &str = "2026-03-02T09:00:00Z";
/// How far [`TestApp::settle`] moves the clock at a time while an effect waits to be tried again.
const TICK: Duration = Duration::from_millis(100);

/// The kind of database of a test; `#[values(Sqlite, Postgres)] on: Database` runs it on both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    Sqlite,
    Postgres,
}

pub use Database::{Postgres, Sqlite};

/// The parts of a running node that tests use.
pub struct Node {
    pub clock: Clock,
    pub db: Db,
    pub auth: AuthClient,
    /// The handle of other services to the customer service.
    pub breakers: Breakers,
    pub stopper: Stopper,
    pub address: SocketAddr,
    pub ops_address: Option<SocketAddr>,
}

/// A running node. Stopped, and all it wrote removed, when dropped.
pub struct TestApp {
    node: Node,
    config: Config,
    thread: Option<JoinHandle<()>>,
    database: Arc<TestDatabase>,
}

impl Deref for TestApp {
    type Target = Node;

    fn deref(&self) -> &Node {
        &self.node
    }
}

impl TestApp {
    /// A node with an empty database but for its first ADMIN.
    pub async fn start(on: Database) -> Self {
        Self::with(on, &[]).await
    }

    /// Starts a node with these arguments of `kizuna serve`.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn with(on: Database, args: &[&str]) -> Self {
        Self::on(Arc::new(TestDatabase::fresh(on)), begin(), args).await
    }

    /// Starts a node that hashes passwords as a server does, for tests of how long that takes. Other nodes do it at a
    /// hundredth of the cost.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn with_costly_hashes(on: Database) -> Self {
        let database = Arc::new(TestDatabase::fresh(on));
        let mut config = parse(&database.url, &[]);
        config.auth.hash_cost = HashCost::OWASP;
        Self::of(config, database, begin()).await
    }

    /// Starts a node that looks up the names of webhooks in this way.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn looking_up(on: Database, args: &[&str], lookup: HostLookup) -> Self {
        let database = Arc::new(TestDatabase::fresh(on));
        let mut config = parse(&database.url, args);
        config.webhooks.lookup = lookup;
        Self::of(config, database, begin()).await
    }

    /// Starts a node on the PostgreSQL database of this URL.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn at(url: String, args: &[&str]) -> Self {
        Self::on(Arc::new(TestDatabase::of(url)), begin(), args).await
    }

    /// Another node on the same database, by the same clock.
    pub async fn beside(&self, args: &[&str]) -> Self {
        Self::on(self.database.clone(), self.node.clock.clone(), args).await
    }

    async fn on(database: Arc<TestDatabase>, clock: Clock, args: &[&str]) -> Self {
        let config = parse(&database.url, args);
        Self::of(config, database, clock).await
    }

    async fn of(config: Config, database: Arc<TestDatabase>, clock: Clock) -> Self {
        let (node, thread) = launch(&config, clock).await;
        Self { node, config, thread: Some(thread), database }
    }

    /// Stops the node and starts another on the same database, whose clock goes on from here. Tokens hold; the
    /// address is another.
    pub async fn restart(&mut self) {
        self.restart_after(|| ()).await;
    }

    /// Restarts the node, with `meanwhile` done while no node runs.
    pub async fn restart_after(&mut self, meanwhile: impl FnOnce()) {
        self.stop();
        meanwhile();
        let (node, thread) = launch(&self.config, self.node.clock.clone()).await;
        (self.node, self.thread) = (node, Some(thread));
    }

    /// # Panics
    /// When the node has ended by a panic.
    fn stop(&mut self) {
        // On a thread of its own: a test's runtime may have no other to go on with. A cluster's node serves on a while.
        let stopper = self.stopper.clone();
        let stopping =
            std::thread::spawn(move || System::new().block_on(async move { stopper.stop().await }));
        let ended = self.thread.take().map(JoinHandle::join);
        let _ = stopping.join();
        if matches!(ended, Some(Err(_))) && !std::thread::panicking() {
            panic!("the node ended by a panic, see above");
        }
    }

    /// The API without a token.
    pub fn nobody(&self) -> Api {
        Api::new(format!("http://{}", self.address))
    }

    /// Waits until every consumer has applied every event, retries included.
    ///
    /// # Panics
    /// When nothing was applied for ten seconds: how long all of it takes is the machine's affair.
    pub async fn settle(&self) {
        let mut before = vec!["nothing was looked at".to_owned()];
        while !before.is_empty() {
            before = eventually(Duration::from_secs(10), async || match self.unapplied().await? {
                now if now == before => Err(now.join("; ")),
                now => Ok(now),
            })
            .await;
        }
    }

    /// What consumers have not applied, one line for each; what is parked becomes due.
    async fn unapplied(&self) -> Result<Vec<String>, String> {
        let (mut unapplied, before) = (Vec::new(), promises::events(&self.db).await?);
        for ConsumerSpec { name: consumer, types, .. } in &CONSUMERS {
            let lag = cursors::lag(&self.db, consumer, types).await.map_err(|error| error.to_string())?;
            let parked = cursors::parked(&self.db, consumer, 1).await.map_err(|error| error.to_string())?;
            if !parked.is_empty() {
                self.clock.advance(TICK);
            }
            if lag > 0 || !parked.is_empty() {
                unapplied.push(format!("{consumer} lags by {lag}, parked: {parked:?}"));
            }
        }
        let now = promises::events(&self.db).await?;
        if now > before {
            unapplied.push(format!("{} to {now}", promises::GROWS));
        }
        Ok(unapplied)
    }

    /// How many rows `table` has.
    pub async fn rows(&self, table: &str) -> i64 {
        let count = Sql::new(format!("SELECT CAST(count(*) AS TEXT) FROM {table}"));
        self.db.number(count).await.expect("a table")
    }

    /// Makes sure that none of these queries finds a row; each has a name for what it would mean.
    ///
    /// # Panics
    /// With the name and the number of rows.
    pub async fn expect_none(&self, promises: &[(&str, &str)]) {
        for (promise, broken) in promises {
            let count = Sql::new(format!("SELECT CAST(count(*) AS TEXT) FROM ({broken}) AS broken"));
            let count = self.db.number(count).await.unwrap_or_else(|error| panic!("{promise}: {error}"));
            assert_eq!(count, 0, "{promise}");
        }
    }

    /// What each table holds that a request could write to: the same before and after one that must store nothing.
    pub async fn stored(&self) -> Vec<String> {
        let mut stored = Vec::new();
        for table in ["events", "idempotency_keys"] {
            stored.push(format!("{table}: {}", self.rows(table).await));
        }
        for table in [
            "users",
            "sessions",
            "customers",
            "meetings",
            "tasks",
            "approvals",
            "deals",
            "notifications",
            "parked_events",
        ] {
            let versions = Sql::new(format!("SELECT CAST(sum(version) AS TEXT) FROM {table}"));
            let versions = self.db.number(versions).await.expect("a table of aggregates");
            stored.push(format!("{table}: {} of {versions} versions", self.rows(table).await));
        }
        stored
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The clock of a test, which stands until it is moved.
fn begin() -> Clock {
    Clock::manual(Timestamp::parse(BEGIN).expect("a time"))
}

/// Starts a node on a thread of its own.
async fn launch(config: &Config, clock: Clock) -> (Node, JoinHandle<()>) {
    let (ready, started) = oneshot::channel();
    let config = config.clone();
    let thread = std::thread::spawn(move || run(&config, clock, ready));
    (started.await.expect("a node that starts; its panic is above"), thread)
}

/// Runs the node as `kizuna serve` does.
fn run(config: &Config, clock: Clock, ready: oneshot::Sender<Node>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    System::new().block_on(async {
        let app = Application::build(config, clock.clone(), runtime.handle().clone()).await;
        let app = app.expect("a node that starts");
        let node = Node {
            clock,
            db: app.db().clone(),
            auth: app.services().auth.clone(),
            breakers: app.services().breakers.clone(),
            stopper: app.stopper(),
            address: app.address(),
            ops_address: app.ops_address(),
        };
        let _ = ready.send(node);
        app.run_until_stopped().await.expect("a socket that serves");
    });
    runtime.shutdown_timeout(Duration::from_secs(2));
}

/// The settings as the command line gives them; the tester's environment has no say.
fn parse(url: &str, args: &[&str]) -> Config {
    #[derive(Parser)]
    struct Serve {
        #[command(flatten)]
        config: Config,
    }
    let given = ["serve", "--listen", "127.0.0.1:0", "--database-url", url];
    let admin = ["--admin-email", ADMIN, "--admin-password", PASSWORD];
    let secret = if args.contains(&"--jwt-secret") { &[][..] } else { &["--jwt-secret", SECRET] };
    let command = Serve::command().mut_args(|arg| arg.env(None::<&'static str>));
    let matches = command.try_get_matches_from(given.iter().chain(&admin).chain(secret).chain(args));
    let serve = matches.and_then(|matches| Serve::from_arg_matches(&matches));
    let mut config = serve.unwrap_or_else(|error| panic!("{error}")).config;
    config.auth.hash_cost = HashCost::TESTS;
    config
}
