//! The common setup of these tests: a database that outlives its servers, with three users and a customer.

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use store::{Db, cursors, log};
use tokio::sync::OnceCell;

use kizuna::app::consumers::CONSUMERS;
use runtime::consumer::ConsumerSpec;
use testing::app::{ADMIN, PASSWORD, SECRET};
use testing::promises;
use testing::{
    Api, Database, Kizuna, Launch, Member, Sqlite, Template, TestDatabase, eventually, pause_since,
};

/// The binary under test.
pub const BINARY: &str = env!("CARGO_BIN_EXE_kizuna");
/// How long effects may take on a machine that runs other tests beside; a second where it is left alone.
pub const SOON: Duration = Duration::from_secs(5);

/// Runs the binary to its end with these arguments and nothing of the tester's environment.
pub fn run(args: &[&str], env: &[(&str, &str)]) -> Output {
    let mut command = Command::new(BINARY);
    command.args(args).env_clear().env("NO_COLOR", "1").envs(env.iter().copied());
    command.output().expect("a binary that starts")
}

/// A database, and how servers are started on it. They share a secret, so a token is valid on each of them.
pub struct Fixture {
    pub database: TestDatabase,
}

impl Fixture {
    pub fn fresh(on: Database) -> Self {
        Self { database: TestDatabase::fresh(on) }
    }

    /// A copy of a [`Self::settled`] fixture, which is made once per kind of database because that is slow.
    pub async fn copied(on: Database) -> (Self, &'static Staff) {
        static SETTLED: [OnceCell<(Template, Staff)>; 2] = [OnceCell::const_new(), OnceCell::const_new()];
        let make = async || {
            let fixture = Self::fresh(on);
            let staff = fixture.settled().await;
            (fixture.database.into_template(), staff)
        };
        let (template, staff) = SETTLED[usize::from(on == Sqlite)].get_or_init(make).await;
        (Self { database: template.copy() }, staff)
    }

    /// A server with nothing armed.
    pub fn launch(&self) -> Launch {
        self.with_settings(Kizuna::launch(BINARY))
    }

    /// A server with nothing armed, on a port that it has again when it is restarted.
    pub fn launch_on(&self, port: u16) -> Launch {
        let serve = Kizuna::command(BINARY).args(["serve", "--listen"]).arg(format!("127.0.0.1:{port}"));
        self.with_settings(serve)
    }

    fn with_settings(&self, launch: Launch) -> Launch {
        launch
            .database(&self.database.url)
            .env("KIZUNA_JWT_SECRET", SECRET)
            .env("KIZUNA_ADMIN_PASSWORD", PASSWORD)
            // Its tokens serve all tests, however long a busy machine takes for them.
            .env("KIZUNA_ACCESS_TOKEN_TTL", "12h")
            // No scan of its own accord: crash points are counted.
            .env("KIZUNA_DUE_SCAN_EVERY", "3650d")
    }

    /// A server with these crash points.
    pub fn armed(&self, failpoints: &str) -> Launch {
        self.launch().env("KIZUNA_FAILPOINTS", failpoints)
    }

    /// Reads the database by its own connection, which is closed afterwards, so that a server may be killed on it.
    pub async fn look<T>(&self, see: impl AsyncFnOnce(&Db) -> T) -> T {
        let db = self.database.open().await;
        let seen = see(&db).await;
        db.close().await;
        seen
    }

    /// Waits until `see` finds nothing amiss.
    pub async fn eventually(&self, see: impl AsyncFn(&Db) -> Result<(), String>) {
        self.look(async |db| eventually(SOON, || see(db)).await).await;
    }

    /// Waits until the server is dead (true), or all its effects are done and every promise is kept (false).
    ///
    /// # Panics
    /// If neither is so within a minute.
    pub async fn dies_or_rests(&self, server: &mut Kizuna) -> bool {
        let ended = async |db: &Db| {
            let began = Instant::now();
            while began.elapsed() < 12 * SOON {
                if !server.is_running() {
                    return Some(true);
                }
                if promises::kept(db).await.is_ok() {
                    return Some(!server.is_running());
                }
                tokio::time::sleep(pause_since(began)).await;
            }
            None
        };
        let ended = self.look(ended).await;
        ended.unwrap_or_else(|| panic!("neither dead nor done:\n{}", server.output()))
    }

    /// Starts a server, creates the users and the customer, and stops the server when all effects are applied.
    pub async fn settled(&self) -> Staff {
        let mut server = self.launch().start().await;
        let staff = Staff::hire(&server).await;
        self.eventually(at_rest).await;
        assert!(server.terminate().await.success(), "{}", server.output());
        staff
    }
}

/// Checks that every consumer has applied all events and stored its position.
pub async fn at_rest(db: &Db) -> Result<(), String> {
    let heads = log::heads(db).await.map_err(|error| error.to_string())?;
    for ConsumerSpec { name: consumer, .. } in CONSUMERS {
        let cursors = cursors::load(db, consumer).await.map_err(|error| error.to_string())?;
        let behind = cursors.iter().find(|cursor| !heads.contains(&(cursor.partition, cursor.position)));
        if let Some(cursor) = behind {
            return Err(format!("{cursor:?} is not at its head"));
        }
    }
    Ok(())
}

/// One user of each role, the SALES user under the MANAGER; and a customer of the SALES user.
pub struct Staff {
    pub admin: Known,
    pub manager: Known,
    pub sales: Known,
    pub customer: String,
}

/// A user with a token that is valid on every server of the fixture.
#[derive(Clone)]
pub struct Known {
    pub id: String,
    token: String,
}

impl Known {
    pub fn new(member: &Member) -> Self {
        let token = member.access_token().expect("a member has one");
        Self { id: member.id.clone(), token: token.to_owned() }
    }

    /// The API of this server as they see it.
    pub fn at(&self, server: &Kizuna) -> Api {
        Api::new(server.base_url()).token(&self.token)
    }
}

impl Staff {
    async fn hire(server: &Kizuna) -> Self {
        let admin = Member::sign_in(&Api::new(server.base_url()), ADMIN, PASSWORD).await;
        let manager = admin.hire("MANAGER", "manager", None).await;
        let sales = admin.hire("SALES", "sales", Some(&manager)).await;
        let customer = sales.customer("絆商事").await.id();
        let [admin, manager, sales] = [&admin, &manager, &sales].map(Known::new);
        Self { admin, manager, sales, customer }
    }
}

/// Every event takes effect once and in order, and none was given up.
pub async fn everything_takes_effect(admin: &Api) {
    eventually(4 * SOON, async || {
        let report = admin.get("/api/admin/integrity").await;
        let consumers = report.body["consumers"].as_array().ok_or_else(|| report.to_string())?;
        let amiss =
            |what: &str| consumers.iter().find(|consumer| consumer[what] != 0).map(ToString::to_string);
        ["lost", "duplicated", "out_of_order", "pending"].into_iter().find_map(amiss).map_or(Ok(()), Err)
    })
    .await;
    let given_up = admin.get("/api/admin/dead-letters").await.expect(200);
    assert!(given_up.items().is_empty(), "{given_up}");
}
