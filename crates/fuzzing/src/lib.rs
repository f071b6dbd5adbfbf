//! A fuzz target for each parser that meets bytes from outside. A target panics if a promise of its parser is broken.
//!
//! `scripts/fuzz` searches for such inputs with libFuzzer, guided by the code that they reach (`guided/main.rs`).
//! `tests/corpora.rs` replays the inputs of `corpora`, among them every one that once broke a promise.
//!
//! - `bodies`: JSON bodies; `lists`: queries of lists, and cursors; `tokens`: access tokens and API keys
//! - `frames`: WebSocket; `sheets`: CSV and XLSX; `imports`: forms, mappings and cells of imports; `spelling`: days, amounts
//! - `streams`: what other nodes send through Redis; `headers`: `Accept-Language` and others; `forms`: multipart, console
//! - `addresses`: webhook URLs; `texts`: search words, keys of texts, mentions, names of files
//! - `planted`: a fault that was put there, to show that the search finds one

mod addresses;
mod bodies;
mod forms;
mod frames;
mod headers;
mod imports;
mod lists;
mod planted;
mod sheets;
mod spelling;
mod streams;
mod texts;
mod tokens;

use kernel::error::Error;

/// A parser, and what it promises of any bytes.
pub struct Target {
    /// Its name, and that of its folder in `corpora`.
    pub name: &'static str,
    /// The longest input that is tried.
    pub bytes_max: usize,
    run: fn(&[u8]),
}

impl Target {
    const fn new(name: &'static str, bytes_max: usize, run: fn(&[u8])) -> Self {
        Self { name, bytes_max, run }
    }

    /// Gives an input to the parser.
    ///
    /// # Panics
    /// When a promise is broken.
    pub fn run(&self, input: &[u8]) {
        (self.run)(input);
    }
}

/// Every target.
pub const TARGETS: &[Target] = &[
    Target::new("json_body", 2_048, bodies::json_body),
    Target::new("list_query", 512, lists::query),
    Target::new("list_cursor", 512, lists::cursor),
    Target::new("log_cursor", 64, lists::log_cursor),
    Target::new("token", 1_024, tokens::token),
    Target::new("api_key", 256, tokens::api_key),
    Target::new("socket_bytes", 1_024, frames::socket_bytes),
    Target::new("socket_text", 512, frames::socket_text),
    Target::new("csv", 2_048, sheets::csv),
    Target::new("xlsx_file", 8_192, sheets::xlsx_file),
    Target::new("xlsx_sheet", 2_048, sheets::xlsx_sheet),
    Target::new("import_form", 1_024, imports::form),
    Target::new("import_row", 1_024, imports::row),
    Target::new("amount", 64, spelling::amount),
    Target::new("moment", 64, spelling::moment),
    Target::new("stream_entry", 1_024, streams::entry),
    Target::new("remote_call", 1_024, streams::call),
    Target::new("accept_language", 256, headers::accept_language),
    Target::new("header", 256, headers::other),
    Target::new("webhook_url", 512, addresses::webhook_url),
    Target::new("multipart", 2_048, forms::multipart),
    Target::new("console_form", 512, forms::console),
    Target::new("text", 256, texts::text),
];

/// The target that has a fault.
pub const PLANTED: Target = Target::new("planted", 64, planted::parse);

/// The target of this name, the planted one among them.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().chain([&PLANTED]).find(|target| target.name == name)
}

/// Chooses what an input is for: one of `choices` by the input's first line, which is its name or any other text. Answers
/// the choice and the rest.
fn choose<'a, 'i, T>(choices: &'a [T], name: impl Fn(&T) -> &str, input: &'i [u8]) -> (&'a T, &'i [u8]) {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (first, rest) = (&input[..end], input.get(end + 1..).unwrap_or_default());
    let named = choices.iter().find(|choice| name(choice).as_bytes() == first);
    let place = first.iter().fold(0, |sum: usize, byte| sum.wrapping_mul(31) + usize::from(*byte));
    (named.unwrap_or(&choices[place % choices.len()]), rest)
}

/// Checks that a refusal names what is wrong by stable words.
fn refused(error: &Error) {
    let status = error.code.status();
    assert!((400..500).contains(&status), "{error:?}: a client's mistake is no fault of the server");
    for fault in &error.fields {
        is_stable(&fault.code);
    }
}

fn is_stable(code: &str) {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    assert!(!code.is_empty() && code.bytes().all(is_word), "{code:?} is no stable word");
}
