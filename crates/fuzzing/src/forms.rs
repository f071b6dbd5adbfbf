//! Forms: multipart, and those of the console.

use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::web::Bytes;
use futures_util::{StreamExt, stream};
use kernel::error::Error;
use kizuna::http::body_pace::BodyPace;
use kizuna::http::console::{Fields, is_here};
use kizuna::http::multipart::Multipart;
use tokio::runtime::{Builder, Runtime};
use url::Url;

use crate::refused;

thread_local! {
    /// The pace of a body needs a clock.
    static RUNTIME: Runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
}

/// The name of a part, that of its file, and its bytes.
type Part = (String, Option<String>, Vec<u8>);

/// The parts of a body; an error if it is not a form.
fn parts(body: &[u8], size: usize) -> Result<Vec<Part>, Error> {
    let chunks: Vec<Result<Bytes, PayloadError>> =
        body.chunks(size).map(|part| Ok(Bytes::copy_from_slice(part))).collect();
    let payload = Payload::Stream { payload: stream::iter(chunks).boxed_local() };
    let pace = BodyPace { total: Duration::from_secs(30), rate: 1024 };
    let reading = async {
        let mut form = Multipart::new(payload, "x", pace);
        let mut parts = Vec::new();
        while let Some(head) = form.next().await? {
            let mut content = Vec::new();
            while let Some(chunk) = form.chunk().await? {
                content.extend(chunk);
            }
            parts.push((head.name, head.file_name, content));
        }
        Ok(parts)
    };
    RUNTIME.with(|runtime| runtime.block_on(reading))
}

/// A body of `multipart/form-data` with the boundary `x`: it has the same parts however it arrives.
pub fn multipart(input: &[u8]) {
    let whole = parts(input, input.len().max(1));
    if let Err(error) = &whole {
        refused(error);
    }
    for size in [1, 5, 64] {
        let found = parts(input, size);
        assert_eq!(found.as_ref().ok(), whole.as_ref().ok(), "in parts of {size} bytes");
    }
    let length = whole.iter().flatten().map(|(_, _, content)| content.len()).sum::<usize>();
    assert!(length <= input.len(), "more content than bytes");
}

/// A form of the console, and a path to go back to: it never leads to another site.
pub fn console(input: &[u8]) {
    let fields = Fields::parsed(input);
    let said = fields.said().map(|(name, value)| name.len() + value.len()).sum::<usize>();
    assert!(said <= 3 * input.len(), "more was said than sent");
    let _ = (fields.token(), fields.key(), fields.version());
    let here = Url::parse("https://kizuna.example/customers").expect("an address");
    let texts = fields.pairs().map(|(_, value)| value.to_owned());
    for text in texts.chain(std::str::from_utf8(input).ok().map(str::to_owned)) {
        if is_here(&text) {
            let there = here.join(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(there.origin(), here.origin(), "{text} leads to {there}");
        }
    }
}
