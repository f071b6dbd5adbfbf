//! A database that outlives the servers started on it, and the people known there.

use std::process::{Command, Output};
use std::time::Duration;

use store::{Db, cursors, log};
use tokio::sync::OnceCell;

use kizuna::app::consumers::CONSUMERS;
use runtime::consumer::ConsumerSpec;
use testing::app::{ADMIN, PASSWORD, SECRET};
use testing::{Api, Database, Kizuna, Launch, Member, Place, Sqlite, Template, eventually};

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

/// One database and how a server is started on it. Tokens hold across its servers: the secret stays.
pub struct Site {
    pub place: Place,
}

impl Site {
    pub fn fresh(on: Database) -> Self {
        Self { place: Place::fresh(on) }
    }

    /// A copy of a settled site. Its making, which is dear, happens once for each kind of database.
    pub async fn copied(on: Database) -> (Self, &'static UserDirectory) {
        static SETTLED: [OnceCell<(Template, UserDirectory)>; 2] =
            [OnceCell::const_new(), OnceCell::const_new()];
        let make = async || {
            let site = Self::fresh(on);
            let people = site.settled().await;
            (site.place.into_template(), people)
        };
        let (template, people) = SETTLED[usize::from(on == Sqlite)].get_or_init(make).await;
        (Self { place: template.copy() }, people)
    }

    /// A server with nothing armed.
    pub fn launch(&self) -> Launch {
        Kizuna::launch(BINARY)
            .database(&self.place.url)
            .env("KIZUNA_JWT_SECRET", SECRET)
            .env("KIZUNA_ADMIN_PASSWORD", PASSWORD)
            // No scan of its own accord: crash points are counted.
            .env("KIZUNA_DUE_SCAN_EVERY", "3650d")
    }

    /// A server with these crash points.
    pub fn armed(&self, failpoints: &str) -> Launch {
        self.launch().env("KIZUNA_FAILPOINTS", failpoints)
    }

    /// Looks into the database; it is closed again before a server may be killed on it.
    pub async fn look<T>(&self, see: impl AsyncFnOnce(&Db) -> T) -> T {
        let db = self.place.open().await;
        let seen = see(&db).await;
        db.close().await;
        seen
    }

    /// Waits until `see` finds nothing amiss.
    pub async fn eventually(&self, see: impl AsyncFn(&Db) -> Result<(), String>) {
        self.look(async |db| eventually(SOON, || see(db)).await).await;
    }

    /// Starts the first server, makes the people, and stops it when all of it has taken effect.
    pub async fn settled(&self) -> UserDirectory {
        let mut server = self.launch().start().await;
        let people = UserDirectory::hire(&server).await;
        self.eventually(at_rest).await;
        assert!(server.terminate().await.success(), "{}", server.output());
        people
    }
}

/// Nothing is left to do: no effect, and no position to be stored.
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

/// Who works here: one of each role, the SALES user under the MANAGER; and a customer of the SALES user.
pub struct UserDirectory {
    pub admin: Known,
    pub manager: Known,
    pub sales: Known,
    pub customer: String,
}

/// Somebody with a token that holds at every server of the site.
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

impl UserDirectory {
    async fn hire(server: &Kizuna) -> Self {
        let admin = Member::sign_in(&Api::new(server.base_url()), ADMIN, PASSWORD).await;
        let manager = admin.hire("MANAGER", "manager", None).await;
        let sales = admin.hire("SALES", "sales", Some(&manager)).await;
        let customer = sales.customer("絆商事").await.id();
        let [admin, manager, sales] = [&admin, &manager, &sales].map(Known::new);
        Self { admin, manager, sales, customer }
    }
}
