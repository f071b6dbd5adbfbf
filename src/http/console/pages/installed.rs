//! What a browser needs to install the console as an app: its manifest, its service worker, and the page for when the
//! server is out of reach. All three are everybody's.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpRequest, HttpResponse, get};
use askama::Template;
use serde_json::json;

use crate::http::console::kit::assets;
use crate::http::console::kit::frame::{Frame, ok};
use crate::http::error::HttpResult;
use crate::http::language::asked_locale;
use crate::http::state::gateway;
use kernel::locale::Locale;

/// The colour around the app while it starts: that of the icon.
const COLOUR: &str = "#2f4f9e";
/// The ground of the first picture.
const GROUND: &str = "#f5f6f8";

/// The app manifest (W3C Web Application Manifest).
#[get("/manifest.webmanifest")]
pub async fn manifest() -> HttpResult {
    let base = assets::base();
    let icon = |name: &str, sizes: &str, media: &str, purpose: &str| json!({"src": format!("{base}/{name}"), "sizes": sizes, "type": media, "purpose": purpose});
    let manifest = json!({
        "id": "/",
        "name": "Kizuna",
        "short_name": "Kizuna",
        "lang": "ja",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "theme_color": COLOUR,
        "background_color": GROUND,
        "icons": [
            icon("icon.svg", "any", "image/svg+xml", "any"),
            icon("icon-192.png", "192x192", "image/png", "any"),
            icon("icon-512.png", "512x512", "image/png", "any"),
            icon("icon-maskable-512.png", "512x512", "image/png", "maskable"),
        ],
    });
    Ok(HttpResponse::Ok().content_type("application/manifest+json").body(manifest.to_string()))
}

/// The service worker, which knows the assets of this build. It stands at the top, because it may serve only what is below.
#[get("/sw.js")]
pub async fn worker() -> HttpResult {
    let names: Vec<&str> = assets::names().collect();
    let text = format!(
        "const BASE = {};\nconst FILES = {};\n{}",
        json!(assets::base()),
        json!(names),
        assets::WORKER
    );
    // A browser compares it with the one it has: a new build has other assets, and so another worker.
    let answer = HttpResponse::Ok()
        .content_type("text/javascript; charset=utf-8")
        .insert_header((CACHE_CONTROL, "no-cache"))
        .body(text);
    Ok(answer)
}

#[derive(Template)]
#[template(path = "offline.html")]
struct OfflinePage {
    f: Frame,
}

/// What the service worker shows when the server is out of reach. It is kept for whoever uses the browser: it names nobody,
/// and is in both languages.
#[get("/offline")]
pub async fn offline(request: HttpRequest) -> HttpResult {
    let locale = asked_locale(&request).unwrap_or(Locale::Ja);
    Ok(ok(&OfflinePage { f: Frame::nobodys(locale, gateway(&request).clock.now()) }))
}
