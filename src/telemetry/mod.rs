//! Logs, metrics and traces.

pub mod catalogue;
mod lines;
pub mod otlp;

use std::backtrace::{Backtrace, BacktraceStatus};
use std::fmt::{self, Debug};
use std::io::{self, IsTerminal, Write};
use std::panic::PanicHookInfo;
use std::sync::OnceLock;

use kernel::characters::{escaped_json, printable};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing::field::Field;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::fmt::format::{Writer, debug_fn};

use crate::telemetry::lines::{Json, Text};

static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// Logs to standard error. `RUST_LOG` is the filter (default `info`); `KIZUNA_LOG_FORMAT=json` writes JSON.
pub fn log_to_stderr() {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,actix_server=warn"));
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        // If standard error is closed, lines are lost: reporting that on the same stream would panic.
        .log_internal_errors(false);
    let json = std::env::var("KIZUNA_LOG_FORMAT").is_ok_and(|format| format == "json");
    // A second call (tests) keeps the first one's settings.
    let first = if json {
        logs.event_format(Json).with_writer(|| JsonLines(std::io::stderr())).try_init()
    } else {
        let fields = debug_fn(|writer, field, value| write_field(writer, field, value)).delimited(" ");
        logs.event_format(Text).fmt_fields(fields).with_writer(std::io::stderr).try_init()
    };
    if first.is_ok() {
        std::panic::set_hook(Box::new(log_panic));
    }
}

/// Writes a field of a line of text. Nothing in it reaches a terminal as a control.
fn write_field(writer: &mut Writer<'_>, field: &Field, value: &dyn Debug) -> fmt::Result {
    let text = printable(&format!("{value:?}"));
    if field.name() == "message" { write!(writer, "{text}") } else { write!(writer, "{field}={text}") }
}

/// Lines of JSON, whose controls from U+007F on are escaped too.
struct JsonLines<W>(W);

impl<W: Write> Write for JsonLines<W> {
    /// The log writes a line at a time.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.write_all(escaped_json(&String::from_utf8_lossy(line)).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
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
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &seconds)
            .and_then(|builder| builder.set_buckets_for_metric(Matcher::Suffix("_size".into()), &sizes))
            .expect("bucket lists are not empty")
            .install_recorder()
            .expect("no other recorder is installed in this process");
        catalogue::describe();
        recorder
    };
    RECORDER.get_or_init(install).clone()
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no panic").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    const EVIL: &str = "x\u{1b}[2J\u{9b}2J\r\nforged: \u{202e}";

    #[test]
    fn no_control_in_a_field_reaches_the_log() {
        let kept = Kept::default();
        let writer = kept.clone();
        let fields = debug_fn(|writer, field, value| write_field(writer, field, value)).delimited(" ");
        let logs = tracing_subscriber::fmt().fmt_fields(fields).with_ansi(false);
        let logs = logs.with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(logs, || {
            let _span = tracing::error_span!("request", name = EVIL).entered();
            tracing::error!(name = EVIL, shown = %EVIL, "failed: {EVIL}");
        });
        let written = String::from_utf8(kept.0.lock().expect("no panic").clone()).expect("text");
        assert_eq!(written.lines().count(), 1, "{written:?}");
        assert!(!written.trim_end().contains(kernel::characters::is_control), "{written:?}");
        assert!(written.contains("forged"), "{written:?}");
    }

    #[test]
    fn no_control_is_left_in_a_line_of_json() {
        let kept = Kept::default();
        let writer = kept.clone();
        let logs = tracing_subscriber::fmt().json().with_writer(move || JsonLines(writer.clone())).finish();
        tracing::subscriber::with_default(logs, || tracing::error!(name = EVIL, "failed"));
        let written = String::from_utf8(kept.0.lock().expect("no panic").clone()).expect("text");
        assert_eq!(written.lines().count(), 1, "{written:?}");
        assert!(!written.trim_end().contains(kernel::characters::is_control), "{written:?}");
        let line: serde_json::Value = serde_json::from_str(&written).expect("JSON");
        assert_eq!(line["fields"]["name"], EVIL);
    }
}
