//! Style and scripts, embedded. Their path has a hash of all of them, so that browsers keep them for good and modules
//! import each other by plain names.

use crate::http::error::HttpResult;
use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::sync::LazyLock;

use actix_web::http::header::{
    AcceptEncoding, CACHE_CONTROL, CONTENT_ENCODING, ETAG, Encoding, Header, Preference, Quality, VARY,
};
use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse, get};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use kernel::error::{Error, ErrorCode};

/// Where assets are.
pub const PATH: &str = "/assets/";

/// An asset's name, media type and bytes.
type Asset = (&'static str, &'static str, &'static [u8]);

const SCRIPT: &str = "text/javascript; charset=utf-8";

const STYLE: &str = "text/css; charset=utf-8";

const PNG: &str = "image/png";

/// The text of the service worker, which has an address of its own.
pub const WORKER: &str = include_str!("../../../../assets/sw.js");

const ASSETS: [Asset; 37] = [
    ("tokens.css", STYLE, include_bytes!("../../../../assets/tokens.css")),
    ("style.css", STYLE, include_bytes!("../../../../assets/style.css")),
    ("parts.css", STYLE, include_bytes!("../../../../assets/parts.css")),
    ("forms.css", STYLE, include_bytes!("../../../../assets/forms.css")),
    ("combobox.css", STYLE, include_bytes!("../../../../assets/combobox.css")),
    ("lists.css", STYLE, include_bytes!("../../../../assets/lists.css")),
    ("listing.css", STYLE, include_bytes!("../../../../assets/listing.css")),
    ("palette.css", STYLE, include_bytes!("../../../../assets/palette.css")),
    ("beside.css", STYLE, include_bytes!("../../../../assets/beside.css")),
    ("reports.css", STYLE, include_bytes!("../../../../assets/reports.css")),
    ("design.css", STYLE, include_bytes!("../../../../assets/design.css")),
    ("deals.css", STYLE, include_bytes!("../../../../assets/deals.css")),
    ("apply.js", SCRIPT, include_bytes!("../../../../assets/apply.js")),
    ("board.js", SCRIPT, include_bytes!("../../../../assets/board.js")),
    ("bulk.js", SCRIPT, include_bytes!("../../../../assets/bulk.js")),
    ("doubles.js", SCRIPT, include_bytes!("../../../../assets/doubles.js")),
    ("chart.js", SCRIPT, include_bytes!("../../../../assets/chart.js")),
    ("combobox.js", SCRIPT, include_bytes!("../../../../assets/combobox.js")),
    ("console.js", SCRIPT, include_bytes!("../../../../assets/console.js")),
    ("filters.js", SCRIPT, include_bytes!("../../../../assets/filters.js")),
    ("forms.js", SCRIPT, include_bytes!("../../../../assets/forms.js")),
    ("in_place.js", SCRIPT, include_bytes!("../../../../assets/in_place.js")),
    ("listbox.js", SCRIPT, include_bytes!("../../../../assets/listbox.js")),
    ("live.js", SCRIPT, include_bytes!("../../../../assets/live.js")),
    ("mentions.js", SCRIPT, include_bytes!("../../../../assets/mentions.js")),
    ("page.js", SCRIPT, include_bytes!("../../../../assets/page.js")),
    ("palette.js", SCRIPT, include_bytes!("../../../../assets/palette.js")),
    ("refresh.js", SCRIPT, include_bytes!("../../../../assets/refresh.js")),
    ("send.js", SCRIPT, include_bytes!("../../../../assets/send.js")),
    ("shortcuts.js", SCRIPT, include_bytes!("../../../../assets/shortcuts.js")),
    ("toasts.js", SCRIPT, include_bytes!("../../../../assets/toasts.js")),
    ("unsaved.js", SCRIPT, include_bytes!("../../../../assets/unsaved.js")),
    ("wait.js", SCRIPT, include_bytes!("../../../../assets/wait.js")),
    ("icon.svg", "image/svg+xml", include_bytes!("../../../../assets/icon.svg")),
    ("icon-192.png", PNG, include_bytes!("../../../../assets/icon-192.png")),
    ("icon-512.png", PNG, include_bytes!("../../../../assets/icon-512.png")),
    ("icon-maskable-512.png", PNG, include_bytes!("../../../../assets/icon-maskable-512.png")),
];

static BASE: LazyLock<String> = LazyLock::new(|| {
    let mut hash = Sha256::new();
    for (name, _, bytes) in &ASSETS {
        hash.update(name);
        hash.update(bytes);
    }
    let short: String = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("{PATH}{short}")
});

/// The directory of this build's assets.
pub fn base() -> &'static str {
    &BASE
}

/// The names of this build's assets.
pub fn names() -> impl Iterator<Item = &'static str> {
    ASSETS.iter().map(|(name, ..)| *name)
}

/// The names of the tokens, in the order of their stylesheet.
pub fn tokens() -> impl Iterator<Item = &'static str> {
    let lines = include_str!("../../../../assets/tokens.css").lines().map(str::trim);
    let mut seen = HashSet::new();
    let names = lines.filter(|line| line.starts_with("--")).filter_map(|line| line.split(':').next());
    names.filter(move |name| seen.insert(*name))
}

/// The assets that are texts, compressed once.
static SMALL: LazyLock<HashMap<&str, Vec<u8>>> = LazyLock::new(|| {
    let texts = ASSETS.iter().filter(|(_, media, _)| *media != PNG);
    texts.map(|(name, _, bytes)| (*name, compressed(bytes))).collect()
});

fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut small = GzEncoder::new(Vec::new(), Compression::best());
    small.write_all(bytes).and_then(|()| small.finish()).expect("memory takes all")
}

/// Whether the client takes gzip: it names it, and not with `q=0`.
fn takes_gzip(request: &HttpRequest) -> bool {
    let Ok(AcceptEncoding(ranges)) = AcceptEncoding::parse(request) else { return false };
    ranges
        .iter()
        .any(|range| range.quality > Quality::ZERO && range.item == Preference::Specific(Encoding::gzip()))
}

/// An asset of this build; those of another build are not here.
#[get("/assets/{hash}/{name}")]
pub async fn asset(request: HttpRequest, path: Path<(String, String)>) -> HttpResult {
    let (hash, name) = path.into_inner();
    let found = ASSETS.iter().find(|(known, ..)| *known == name);
    match found {
        Some((name, media, bytes)) if format!("{PATH}{hash}") == *BASE => {
            let mut answer = HttpResponse::Ok();
            answer
                .content_type(*media)
                .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
                .insert_header((ETAG, format!("\"{hash}\"")))
                .insert_header((VARY, "accept-encoding"));
            match SMALL.get(name) {
                Some(small) if takes_gzip(&request) => {
                    Ok(answer.insert_header((CONTENT_ENCODING, "gzip")).body(small.as_slice()))
                }
                _ => Ok(answer.body(*bytes)),
            }
        }
        _ => Err(Error::new(ErrorCode::NotFound).into()),
    }
}
