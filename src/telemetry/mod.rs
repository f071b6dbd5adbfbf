//! Logs and metrics.

mod lines;

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::IsTerminal;
use std::panic::PanicHookInfo;
use std::sync::OnceLock;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::telemetry::lines::{Json, Text};

static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// Logs to standard error. `RUST_LOG` is the filter (default `info`); `KIZUNA_LOG_FORMAT=json` writes JSON.
pub fn log_to_stderr() {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,actix_server=warn"));
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        // If standard error is closed, lines are lost: reporting that on the same stream would panic.
        .log_internal_errors(false);
    let json = std::env::var("KIZUNA_LOG_FORMAT").is_ok_and(|format| format == "json");
    // A second call (tests) keeps the first one's settings.
    let first = if json { logs.event_format(Json).try_init() } else { logs.event_format(Text).try_init() };
    if first.is_ok() {
        std::panic::set_hook(Box::new(log_panic));
    }
}

/// A panic is a line like every other: in the span of the request, command or effect that it ends.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let message = panic.payload_as_str().unwrap_or("not a text");
    let location = panic.location().map(tracing::field::display);
    let thread = std::thread::current();
    let backtrace = Backtrace::capture();
    let backtrace =
        (backtrace.status() == BacktraceStatus::Captured).then(|| tracing::field::display(backtrace));
    tracing::error!(panic = message, location, thread = thread.name(), backtrace, "a thread panicked");
}

/// The process's one metrics recorder, installed at the first call.
pub fn metrics() -> PrometheusHandle {
    let install = || {
        let seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
        let sizes = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];
        PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &seconds)
            .and_then(|builder| builder.set_buckets_for_metric(Matcher::Suffix("_size".into()), &sizes))
            .expect("bucket lists are not empty")
            .install_recorder()
            .expect("no other recorder is installed in this process")
    };
    RECORDER.get_or_init(install).clone()
}
