//! Helpers of the integration tests: a real PostgreSQL and Redis, the real binary, a node in this process, and a client
//! of the API.

pub mod api;
pub mod app;
pub mod browser;
pub mod certificates;
pub mod cluster;
pub mod database;
pub mod deleted_records;
pub mod keys;
pub mod live_client;
pub mod otlp;
pub mod ports;
pub mod postgres;
pub mod process;
pub mod process_reaper;
pub mod promises;
pub mod raw_http;
pub mod receiver;
pub mod records;
pub mod redis;
pub mod team;
pub mod tls_proxy;
pub mod upload;
pub mod valve;

use std::fmt::Display;
use std::future::Future;
use std::ops::RangeInclusive;
use std::panic::Location;
use std::time::{Duration, Instant};

pub use api::{Answer, Api};
pub use app::{Database, Postgres, Sqlite, TestApp};
pub use database::{Template, TestDatabase};
pub use otlp::{OtlpReceiver, ReceivedSpan};
pub use process::{Kizuna, Launch, LogLine};
pub use raw_http::{RawHttp, problem_in};
pub use receiver::{Received, Receiver, Reply};
pub use redis::Redis;
pub use team::{Member, Team};
pub use tls_proxy::TlsProxy;
pub use valve::Valve;

/// As in the server.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The pauses of [`eventually`] between two probes: a tenth of the time that has passed, within these bounds. A probe may
/// be as dear as what it waits for.
const PAUSES: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_millis(100);

/// How long to wait before something is looked at again that began at `began`.
pub fn pause_since(began: Instant) -> Duration {
    (began.elapsed() / 10).clamp(*PAUSES.start(), *PAUSES.end())
}

/// The result of a probe of [`eventually`]: the awaited value, or what is still missing.
///
/// `bool` (done or not), `Option<T>` (the value once it is there), and `Result<T, E>`, whose last error is
/// shown when the time is up.
pub trait Outcome {
    type Value;

    fn settle(self) -> Result<Self::Value, String>;
}

impl Outcome for bool {
    type Value = ();

    fn settle(self) -> Result<(), String> {
        if self { Ok(()) } else { Err("it was false".to_owned()) }
    }
}

impl<T> Outcome for Option<T> {
    type Value = T;

    fn settle(self) -> Result<T, String> {
        self.ok_or_else(|| "it was None".to_owned())
    }
}

impl<T, E: Display> Outcome for Result<T, E> {
    type Value = T;

    fn settle(self) -> Result<T, String> {
        self.map_err(|error| error.to_string())
    }
}

/// Repeats `probe` until it succeeds, and returns its value.
///
/// # Panics
/// After `timeout`, with the caller and the result of the last probe. A probe that hangs counts as one that fails.
#[track_caller]
pub fn eventually<P, F>(
    timeout: Duration,
    mut probe: P,
) -> impl Future<Output = <F::Output as Outcome>::Value>
where
    P: FnMut() -> F,
    F: Future<Output: Outcome>,
{
    let caller = Location::caller();
    async move {
        let began = Instant::now();
        let deadline = began + timeout;
        let mut last = "the first probe did not end".to_owned();
        let mut probes = 0;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match tokio::time::timeout(left, probe()).await.map(Outcome::settle) {
                Ok(Ok(value)) => return value,
                Ok(Err(amiss)) => last = amiss,
                Err(_) => {} // it hangs; the deadline is over
            }
            probes += 1;
            let late = Instant::now() >= deadline;
            assert!(!late, "not within {timeout:?} ({caller}); the last of {probes} probes said: {last}");
            tokio::time::sleep(pause_since(began)).await;
        }
    }
}
