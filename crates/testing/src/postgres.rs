//! A real PostgreSQL, one for each test process, stopped and deleted when the process ends in any way.
//!
//! A guard, the shell script `postgres_guard.sh`, owns it and reads this process's pipe. A panic, an exit and a
//! SIGKILL all close that pipe, which tells the guard to clean up; nothing here has to run for it.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::certificates::{Authority, Issued};
use crate::ports::free_port;

/// Tries at a port that another process may take first.
const ATTEMPTS: usize = 20;
/// How long the server may take to read its settings again.
const RELOADED_WITHIN: Duration = Duration::from_secs(10);
const GUARD: &str = include_str!("postgres_guard.sh");
const HINT: &str =
    "on Debian: apt-get install postgresql; elsewhere have initdb, postgres and pg_ctl on the PATH";

/// The PostgreSQL of this test process, started when it is first asked for.
///
/// # Panics
/// When PostgreSQL is not installed: a test that needs it fails and is never skipped.
pub fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(Server::start)
}

/// A running PostgreSQL on a port of its own, with every durability setting at its default.
pub struct Server {
    port: u16,
    databases: AtomicU32,
    /// Held for its pipe, too, whose end the guard waits for.
    guard: PostgresGuard,
}

impl Server {
    /// Starts a server for a test that other tests would notice.
    ///
    /// # Panics
    /// The panics of [`server`].
    pub fn start() -> Self {
        let bin = find_binaries().unwrap_or_else(|| panic!("no PostgreSQL found; {HINT}"));
        let mut guard = PostgresGuard::start(&bin);
        let mut answer = String::new();
        for _ in 0..ATTEMPTS {
            let port = free_port();
            answer = guard.order(&port.to_string());
            if answer == "ready" {
                return Self { port, databases: AtomicU32::new(0), guard };
            }
            if !answer.starts_with("port ") {
                break;
            }
        }
        panic!("PostgreSQL of {} does not start: {answer}", bin.display())
    }

    /// Where it listens, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends it as a crash would: `pg_ctl stop -m immediate`.
    pub fn crash(&mut self) {
        assert_eq!(self.guard.order("stop"), "stopped");
    }

    /// `kill -9` of all its processes.
    pub fn kill(&mut self) {
        assert_eq!(self.guard.order("kill"), "killed");
    }

    /// SIGSTOP: it hangs, its connections stay open, and new ones are taken by the kernel and nobody else.
    pub fn pause(&mut self) {
        assert_eq!(self.guard.order("pause"), "paused");
    }

    pub fn resume(&mut self) {
        assert_eq!(self.guard.order("resume"), "resumed");
    }

    /// Starts it again at the same address; it recovers what was committed.
    pub fn recover(&mut self) {
        assert_eq!(self.guard.order(&self.port.to_string()), "ready");
    }

    /// Creates an empty database for one test and answers with its URL. From any thread, in or out of a
    /// runtime.
    pub fn fresh_database(&self) -> String {
        self.create_database("template0")
    }

    /// A new database with the content of the database of this URL, to which nobody may be connected.
    pub fn copy_of(&self, url: &str) -> String {
        self.create_database(url.rsplit('/').next().expect("a database's name"))
    }

    fn create_database(&self, template: &str) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.execute(&format!("CREATE DATABASE {name} TEMPLATE {template}"));
        self.url(&name)
    }

    /// Turns TLS on: it serves with this certificate, and accepts those of the authority from its clients. Its user
    /// `encrypted` must come by TLS, and `certified` with a certificate of this name, too; both may do everything.
    pub fn secure(&self, authority: &Authority, served: &Issued) {
        let data = PathBuf::from(self.value("SHOW data_directory"));
        let owner = fs::metadata(&data).expect("the server's folder");
        let files = [
            ("ca.pem", authority.ca()),
            ("cert.pem", served.certificate.clone()),
            ("key.pem", served.key.clone()),
        ];
        for (name, from) in files {
            let to = data.join(name);
            fs::copy(from, &to).expect("room for a file");
            fs::set_permissions(&to, fs::Permissions::from_mode(0o600)).expect("a file of one's own");
            chown(&to, Some(owner.uid()), Some(owner.gid())).expect("the server's file");
        }
        let rules = data.join("pg_hba.conf");
        let others = fs::read_to_string(&rules).expect("the server's rules");
        let first = "hostssl all encrypted 127.0.0.1/32 trust\n\
                     hostssl all certified 127.0.0.1/32 cert\n\
                     host all encrypted,certified 127.0.0.1/32 reject\n";
        fs::write(&rules, format!("{first}{others}")).expect("room for a file");
        for statement in [
            "CREATE ROLE encrypted SUPERUSER LOGIN",
            "CREATE ROLE certified SUPERUSER LOGIN",
            "ALTER SYSTEM SET ssl_ca_file = 'ca.pem'",
            "ALTER SYSTEM SET ssl_cert_file = 'cert.pem'",
            "ALTER SYSTEM SET ssl_key_file = 'key.pem'",
            "ALTER SYSTEM SET ssl = on",
            "SELECT pg_reload_conf()",
        ] {
            self.execute(statement);
        }
        let deadline = Instant::now() + RELOADED_WITHIN;
        while self.value("SHOW ssl") != "on" {
            assert!(Instant::now() < deadline, "the server does not turn TLS on");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Runs one statement as superuser, outside any test's database.
    pub fn execute(&self, statement: &str) {
        self.run(statement, async |connection| {
            sqlx::query(AssertSqlSafe(statement.to_owned())).execute(connection).await.map(drop)
        });
    }

    /// The one text that a query finds, as superuser, outside any test's database.
    pub fn value(&self, query: &str) -> String {
        self.run(query, async |connection| {
            sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_one(connection).await
        })
    }

    fn run<T: Send>(
        &self,
        statement: &str,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error> + Send,
    ) -> T {
        let url = self.url("postgres");
        let run = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let mut connection = PgConnection::connect(&url).await?;
                let found = work(&mut connection).await?;
                connection.close().await.map(|()| found)
            })
        };
        // A thread of its own, because a runtime can't be started inside the caller's.
        let done: Result<T, sqlx::Error> =
            std::thread::scope(|scope| scope.spawn(run).join().expect("no panic on the way"));
        done.unwrap_or_else(|error| panic!("{statement}: {error}"))
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://kizuna@127.0.0.1:{}/{database}", self.port)
    }
}

/// The script that owns the server, and the two pipes to it.
struct PostgresGuard {
    _process: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl PostgresGuard {
    fn start(bin: &Path) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", GUARD, "guard"]).arg(bin).current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        // Out of this process group, or Ctrl-C would end the guard before it has cleared up.
        command.process_group(0);
        if id("-u", None) == Some(0) {
            let unprivileged = (id("-u", Some("postgres")), id("-g", Some("postgres")));
            let (Some(user), Some(group)) = unprivileged else {
                panic!("PostgreSQL does not run as root and there is no user `postgres`; {HINT}")
            };
            command.uid(user).gid(group);
        }
        let mut child = command.spawn().expect("sh starts");
        let orders = child.stdin.take().expect("stdin is piped");
        let answers = BufReader::new(child.stdout.take().expect("stdout is piped"));
        Self { _process: child, orders, answers }
    }

    /// Sends the guard a port to start on, or an order as `stop`. It answers `ready` or `stopped`, `port …` if another
    /// port may work, or the error.
    fn order(&mut self, order: &str) -> String {
        let mut answer = String::new();
        let sent = writeln!(self.orders, "{order}");
        match self.answers.read_line(&mut answer).and(sent) {
            Ok(()) => answer.trim().to_owned(),
            Err(error) => format!("the guard has ended: {error} {answer}"),
        }
    }
}

/// The directory with the server's programs: the PATH's, else Debian's, the newest version first.
fn find_binaries() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin")))
        })
        .collect();
    versions.sort();
    let debian = versions.into_iter().rev().map(|(_, bin)| bin);
    env::split_paths(&path)
        .chain(debian)
        .find(|bin| ["initdb", "postgres", "pg_ctl"].iter().all(|program| bin.join(program).is_file()))
}

/// A user's number, the current user's if none is named.
fn id(what: &str, user: Option<&str>) -> Option<u32> {
    let output = Command::new("id").arg(what).args(user).stderr(Stdio::null()).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}
