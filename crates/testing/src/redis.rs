//! A real Redis for one test, which may do anything to it. Ended and deleted when dropped, and with the test process.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::certificates::{Authority, Issued, text};
use crate::ports::free_port;
use crate::process_reaper;

const HINT: &str = "on Debian: apt-get install redis-server; elsewhere have redis-server on the PATH";
/// How long a start or an end may take.
const WITHIN: Duration = Duration::from_secs(10);
/// Tries at a port that another process may take first.
const ATTEMPTS: usize = 20;

/// The user of a Redis with TLS: what docs/operations.md allows a node to do.
const USER: [&str; 11] = [
    "kizuna",
    "on",
    ">password",
    "~kizuna:2:*",
    "+@read",
    "+@write",
    "+@connection",
    "+@transaction",
    "+@scripting",
    "-@dangerous",
    "-@admin",
];

/// A Redis without persistence, as Kizuna wants it, on a port that it keeps across its deaths.
pub struct Redis {
    port: u16,
    process: Option<Child>,
    folder: TempDir,
    /// Its further arguments, if it is reached by TLS only.
    tls: Option<Vec<String>>,
}

impl Redis {
    /// # Panics
    /// When no Redis is installed: a test that needs it fails, it is never skipped.
    pub fn start() -> Self {
        Self::start_as(None)
    }

    /// Starts one that is reached by TLS only, with a certificate of the authority, and by the user `kizuna` with the
    /// password `password`.
    ///
    /// # Panics
    /// The panics of [`Redis::start`]; also when the installed one has no TLS.
    pub fn start_with_tls(authority: &Authority, served: &Issued) -> Self {
        let ca = authority.ca();
        let mut args =
            vec!["--tls-cert-file", text(&served.certificate), "--tls-key-file", text(&served.key)];
        args.extend(["--tls-ca-cert-file", text(&ca), "--tls-auth-clients", "yes"]);
        args.extend(["--user", "default", "off", "--user"]);
        args.extend(USER);
        Self::start_as(Some(args.into_iter().map(ToOwned::to_owned).collect()))
    }

    fn start_as(tls: Option<Vec<String>>) -> Self {
        let folder = TempDir::with_prefix("kizuna-redis.").expect("a temporary directory");
        process_reaper::folder(folder.path());
        let mut redis = Self { port: 0, process: None, folder, tls };
        for _ in 0..ATTEMPTS {
            redis.port = free_port();
            if redis.launch() {
                return redis;
            }
        }
        panic!("redis-server does not start:\n{}", redis.log());
    }

    pub fn url(&self) -> String {
        match self.tls {
            None => format!("redis://127.0.0.1:{}", self.port),
            Some(_) => format!("rediss://kizuna:password@127.0.0.1:{}", self.port),
        }
    }

    /// SIGKILL; what it had in memory is gone.
    pub fn kill(&mut self) {
        self.end("KILL");
    }

    /// SIGTERM, and waits for its end.
    pub fn stop(&mut self) {
        self.end("TERM");
    }

    /// Starts it again at the same address, empty.
    pub fn restart_empty(&mut self) {
        self.end("KILL");
        assert!(self.launch(), "redis-server does not start again:\n{}", self.log());
    }

    /// SIGSTOP: connections stay open and nobody answers.
    pub fn pause(&mut self) {
        self.signal("STOP");
    }

    pub fn resume(&mut self) {
        self.signal("CONT");
    }

    /// FLUSHALL.
    pub fn flush(&self) {
        assert_eq!(self.command(&["FLUSHALL"]), "+OK");
    }

    /// Limits its memory in bytes; 0 is no limit. At the limit it refuses writes, by the policy `noeviction`.
    pub fn limit_memory(&self, bytes: u64) {
        assert_eq!(self.command(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]), "+OK");
        assert_eq!(self.command(&["CONFIG", "SET", "maxmemory", &bytes.to_string()]), "+OK");
    }

    /// Sends a command and answers with the first line of the reply, as it is on the wire.
    pub fn command(&self, words: &[&str]) -> String {
        self.send(&words.iter().map(|word| word.as_bytes()).collect::<Vec<_>>())
    }

    fn send(&self, words: &[&[u8]]) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("a Redis that listens");
        stream.set_read_timeout(Some(WITHIN)).expect("a timeout");
        let mut request = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            request.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            request.extend_from_slice(word);
            request.extend_from_slice(b"\r\n");
        }
        stream.write_all(&request).expect("a Redis that reads");
        let mut reply = String::new();
        BufReader::new(stream).read_line(&mut reply).expect("a Redis that answers");
        reply.trim_end().to_owned()
    }

    /// SET, with any bytes.
    pub fn set(&self, key: &str, value: &[u8]) {
        assert_eq!(self.send(&[b"SET", key.as_bytes(), value]), "+OK");
    }

    /// Returns false if it ends before it serves, as when its port is taken.
    fn launch(&mut self) -> bool {
        let log = fs::File::create(self.folder.path().join("log")).expect("room for a log");
        let mut command = Command::new("redis-server");
        let port = self.port.to_string();
        match &self.tls {
            None => command.args(["--port", &port]),
            Some(tls) => command.args(["--port", "0", "--tls-port", &port]).args(tls),
        };
        command.args(["--bind", "127.0.0.1"]);
        command.args(["--save", "", "--appendonly", "no", "--daemonize", "no"]);
        command.arg("--dir").arg(self.folder.path());
        command.stdin(Stdio::null()).stdout(log).stderr(Stdio::null());
        let child = command.spawn().unwrap_or_else(|error| panic!("no redis-server ({error}); {HINT}"));
        process_reaper::started(child.id());
        self.process = Some(child);
        let deadline = Instant::now() + WITHIN;
        while !self.serves() {
            let child = self.process.as_mut().expect("it was just started");
            if child.try_wait().expect("a child may be waited for").is_some() || Instant::now() > deadline {
                self.end("KILL");
                return false;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        // Another's Redis may have answered.
        let child = self.process.as_mut().expect("it was just started");
        child.try_wait().expect("a child may be waited for").is_none()
    }

    fn serves(&self) -> bool {
        match self.tls {
            None => answers(self.port),
            Some(_) => self.log().contains("Ready to accept connections"),
        }
    }

    fn signal(&mut self, name: &str) {
        let pid = self.process.as_ref().expect("a Redis that runs").id();
        let status = Command::new("kill").args(["-s", name, &pid.to_string()]).status();
        assert!(status.is_ok_and(|status| status.success()), "kill -s {name} failed");
    }

    fn end(&mut self, signal: &str) {
        let Some(mut child) = self.process.take() else { return };
        // It may have ended by itself.
        let _ =
            Command::new("kill").args(["-s", signal, &child.id().to_string()]).stderr(Stdio::null()).status();
        let deadline = Instant::now() + WITHIN;
        while child.try_wait().expect("a child may be waited for").is_none() {
            if Instant::now() > deadline {
                child.kill().expect("a child may be killed");
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        process_reaper::ended(child.id());
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.end("KILL");
    }
}

/// Whether a Redis serves there.
fn answers(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let mut reply = [0; 5];
    let asked = stream.write_all(b"PING\r\n").and_then(|()| stream.set_read_timeout(Some(WITHIN)));
    asked.is_ok() && stream.read_exact(&mut reply).is_ok() && &reply == b"+PONG"
}
