//! The two formats of a log line. Both name the spans of the current work (`runtime::trace`), the outermost first.

use std::fmt::{self, Debug, Write};

use kernel::characters::printable;
use runtime::trace::each_span;
use serde_json::{Map, Value, json};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// A line for people: `<time> <level> request{request_id=… method=…}: <target>: <message> <fields>`.
pub struct Text;

/// A line for machines: an object with `timestamp`, `level`, `target`, `fields`, `span` (the innermost) and `spans`.
pub struct Json;

impl<S, N> FormatEvent<S, N> for Text
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        ctx: &FmtContext<'_, S, N>,
        mut out: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let level = *event.metadata().level();
        SystemTime.format_time(&mut out)?;
        match color(level).filter(|_| out.has_ansi_escapes()) {
            Some(color) => write!(out, " \x1b[{color}m{level:>5}\x1b[0m ")?,
            None => write!(out, " {level:>5} ")?,
        }
        out.write_str(&spans_as_text())?;
        write!(out, "{}: ", event.metadata().target())?;
        ctx.format_fields(out.by_ref(), event)?;
        writeln!(out)
    }
}

/// The code of a level's colour on a terminal.
fn color(level: Level) -> Option<u8> {
    match level {
        Level::ERROR => Some(31),
        Level::WARN => Some(33),
        Level::INFO => Some(32),
        _ => None,
    }
}

fn spans_as_text() -> String {
    let mut text = String::new();
    each_span(|span| {
        let fields: Vec<_> = span.fields().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let fields = printable(&fields.join(" "));
        let end = if text.is_empty() { "" } else { ":" };
        // Writing to a string never fails.
        let _ = write!(text, "{end}{}{{{fields}}}", span.name);
    });
    if text.is_empty() { text } else { text + ": " }
}

impl<S, N> FormatEvent<S, N> for Json
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut timestamp = String::new();
        SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
        let mut fields = Fields::default();
        event.record(&mut fields);
        let metadata = event.metadata();
        let mut line = json!({
            "timestamp": timestamp, "level": metadata.level().as_str(), "fields": fields.0,
            "target": metadata.target(),
        });
        let spans = spans_as_json();
        if let Some(innermost) = spans.last() {
            line["span"] = innermost.clone();
            line["spans"] = spans.into();
        }
        writeln!(out, "{line}")
    }
}

fn spans_as_json() -> Vec<Value> {
    let mut spans = Vec::new();
    each_span(|span| {
        let fields = span.fields().into_iter();
        let mut object: Map<String, Value> =
            fields.map(|(name, value)| (name.to_owned(), value.to_string().into())).collect();
        object.insert("name".to_owned(), span.name.into());
        spans.push(object.into());
    });
    spans
}

/// The fields of an event as JSON.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn add(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.add(field, format!("{value:?}"));
    }
}
