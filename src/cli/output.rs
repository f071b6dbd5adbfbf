//! What commands print. Data reaches no terminal as a control character, and a reader that has gone (`| head`) ends a
//! command without a panic.

use std::fmt::{self, Display};
use std::io::{ErrorKind, Write};

use kernel::characters::{escaped_json, printable};
use serde::Serialize;

/// Nobody reads the output any more: the command ends, and nothing is wrong.
#[derive(Debug)]
pub struct Closed;

impl Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("standard output is closed")
    }
}

impl std::error::Error for Closed {}

/// Prints a line of text.
///
/// # Errors
/// [`Closed`] when the reader has gone; others of standard output.
pub fn line(text: impl Display) -> anyhow::Result<()> {
    print(&printable(&text.to_string()))
}

/// Prints a value as a line of JSON.
///
/// # Errors
/// As [`line()`].
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    print(&escaped_json(&serde_json::to_string(value)?))
}

/// Prints a document of several lines, which is no data of a user's.
///
/// # Errors
/// As [`line()`].
pub fn document(text: &str) -> anyhow::Result<()> {
    print(text)
}

/// Prints a line on standard error, for the person at the terminal. If that is closed, the line is lost.
pub fn note(text: impl Display) {
    let _ = writeln!(std::io::stderr(), "kizuna: {}", printable(&text.to_string()));
}

fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => Closed.into(),
        _ => anyhow::Error::new(error).context("standard output"),
    })
}
