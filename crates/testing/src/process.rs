//! The real binary as a child process, for tests that kill it.

use std::collections::VecDeque;
use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::process_reaper;

/// How long to wait for a start. No promise depends on it, so it is long enough for a busy machine.
const START_WITHIN: Duration = Duration::from_secs(60);
/// How long a SIGTERM may take.
const DRAIN_WITHIN: Duration = Duration::from_secs(30);
/// Lines of output kept for failure messages.
const LINES_KEPT: usize = 400;

/// How to start a server; may be started again and again, as after a crash.
#[derive(Clone, Debug)]
pub struct Launch {
    binary: String,
    args: Vec<String>,
    env: Vec<(String, String)>,
}

impl Launch {
    pub fn database(self, url: &str) -> Self {
        self.args(["--database-url", url])
    }

    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    pub fn args<A: Into<String>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    pub fn env(mut self, name: &str, value: impl ToString) -> Self {
        self.env.push((name.to_owned(), value.to_string()));
        self
    }

    /// Starts the server and waits until it serves.
    ///
    /// # Panics
    /// With all that it said, when it ends or does not serve for a minute.
    pub async fn start(&self) -> Kizuna {
        let mut server = self.spawn();
        assert!(server.serves().await, "the server ended before it served:\n{}", server.output);
        server
    }

    /// Starts the process without waiting: for settings that it must refuse.
    pub fn spawn(&self) -> Kizuna {
        let mut command = Command::new(&self.binary);
        // The tester's own settings must not reach it.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("KIZUNA_")
                || name.starts_with("OTEL_")
                || name == "DATABASE_URL"
                || name == "REDIS_URL"
            {
                command.env_remove(&*name);
            }
        }
        command.args(&self.args).env("NO_COLOR", "1").envs(self.env.iter().cloned());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            command.spawn().unwrap_or_else(|error| panic!("{} does not start: {error}", self.binary));
        process_reaper::started(child.id());
        let output = Arc::new(Output::default());
        let readers = vec![
            output.clone().read(child.stdout.take().expect("stdout is piped")),
            output.clone().read(child.stderr.take().expect("stderr is piped")),
        ];
        Kizuna { child, output, readers, ended: None }
    }
}

/// A running (or ended) server. Killed when dropped.
pub struct Kizuna {
    child: Child,
    output: Arc<Output>,
    readers: Vec<JoinHandle<()>>,
    ended: Option<ExitStatus>,
}

impl Kizuna {
    /// `kizuna serve` on a free port. The path is the caller's `env!("CARGO_BIN_EXE_kizuna")`.
    pub fn launch(binary: &str) -> Launch {
        Self::command(binary).args(["serve", "--listen", "127.0.0.1:0"])
    }

    /// The binary without arguments: for its other commands, by [`Launch::spawn`] and [`Kizuna::wait_exit`].
    pub fn command(binary: &str) -> Launch {
        Launch { binary: binary.to_owned(), args: Vec::new(), env: Vec::new() }
    }

    /// Where it serves: `http://127.0.0.1:PORT`.
    #[track_caller]
    pub fn base_url(&self) -> &str {
        self.output.base_url.get().expect("a server that has started")
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The last lines of its stdout and stderr; complete once its end was waited for.
    pub fn output(&self) -> String {
        self.output.to_string()
    }

    /// The lines of its log so far, if `KIZUNA_LOG_FORMAT` is `json`.
    pub fn log(&self) -> Vec<LogLine> {
        let output = self.output();
        output.lines().filter_map(|line| serde_json::from_str(line).ok().map(LogLine)).collect()
    }

    /// Whether it runs still.
    pub fn is_running(&mut self) -> bool {
        self.poll_exit().is_none()
    }

    /// SIGKILL: no handler runs, nothing is flushed. Returns when the process is dead.
    pub fn kill_9(&mut self) -> ExitStatus {
        if let Some(status) = self.ended {
            return status;
        }
        self.child.kill().expect("a child may be killed");
        let status = self.child.wait().expect("a child may be waited for");
        self.reaped(status)
    }

    /// SIGTERM, and waits until it has drained and ended.
    pub async fn terminate(&mut self) -> ExitStatus {
        self.signal("TERM");
        self.wait_exit(DRAIN_WITHIN).await
    }

    /// Any signal by its name without SIG: `STOP` makes the process hang, `CONT` continues it.
    pub fn signal(&mut self, name: &str) {
        assert!(self.is_running(), "SIG{name} came too late:\n{}", self.output);
        let status = Command::new("kill").args(["-s", name, &self.pid().to_string()]).status();
        assert!(status.is_ok_and(|status| status.success()), "kill -s {name} failed");
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// With its output, when it still runs after `timeout`.
    pub async fn wait_exit(&mut self, timeout: Duration) -> ExitStatus {
        let deadline = Instant::now() + timeout;
        loop {
            if let Some(status) = self.poll_exit() {
                return status;
            }
            assert!(Instant::now() < deadline, "it still runs after {timeout:?}:\n{}", self.output);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until it serves; false if it ended before, as by a crash point that its start passes.
    ///
    /// # Panics
    /// With its output, when it does neither for a minute.
    pub async fn serves(&mut self) -> bool {
        let deadline = Instant::now() + START_WITHIN;
        while self.output.base_url.get().is_none() {
            if self.poll_exit().is_some() {
                return self.output.base_url.get().is_some();
            }
            assert!(Instant::now() < deadline, "no server within {START_WITHIN:?}:\n{}", self.output);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        true
    }

    fn poll_exit(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            let status = self.child.try_wait().expect("a child may be waited for")?;
            self.reaped(status);
        }
        self.ended
    }

    /// Records the end; the output is complete after this.
    fn reaped(&mut self, status: ExitStatus) -> ExitStatus {
        for reader in self.readers.drain(..) {
            reader.join().expect("readers don't panic");
        }
        process_reaper::ended(self.pid());
        *self.ended.insert(status)
    }
}

/// A line of a server's log.
#[derive(Clone, Debug)]
pub struct LogLine(pub Value);

impl LogLine {
    /// `ERROR`, `WARN`, `INFO`, …
    pub fn level(&self) -> &str {
        self.0["level"].as_str().unwrap_or_default()
    }

    /// The message.
    pub fn message(&self) -> &str {
        self.field("message")
    }

    /// A field of the line, if it is a text.
    pub fn field(&self, name: &str) -> &str {
        self.0["fields"][name].as_str().unwrap_or_default()
    }

    /// The value of this field in the spans of the line; the innermost span wins.
    pub fn in_spans(&self, name: &str) -> Option<&str> {
        self.0["spans"].as_array()?.iter().rev().find_map(|span| span[name].as_str())
    }
}

impl Drop for Kizuna {
    fn drop(&mut self) {
        self.kill_9();
        if std::thread::panicking() {
            eprintln!("--- what the server said ---\n{}---", self.output);
        }
    }
}

/// The output of a server.
#[derive(Default)]
struct Output {
    lines: Mutex<VecDeque<String>>,
    base_url: OnceLock<String>,
}

impl Output {
    /// Reads one of the server's pipes to its end.
    fn read(self: Arc<Self>, pipe: impl Read + Send + 'static) -> JoinHandle<()> {
        std::thread::spawn(move || {
            let mut pipe = BufReader::new(pipe);
            let mut bytes = Vec::new();
            while matches!(pipe.read_until(b'\n', &mut bytes), Ok(1..)) {
                self.keep(String::from_utf8_lossy(&bytes).trim_end().to_owned());
                bytes.clear();
            }
        })
    }

    fn keep(&self, line: String) {
        if let Some((_, url)) = line.split_once("listening on http://") {
            let address = url.split_whitespace().next().unwrap_or_default();
            let _ = self.base_url.set(format!("http://{address}"));
        }
        let mut lines = self.lines.lock().expect("no panic while it is held");
        if lines.len() == LINES_KEPT {
            lines.pop_front();
        }
        lines.push_back(line);
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.lines.lock().expect("no panic while it is held");
        lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}
