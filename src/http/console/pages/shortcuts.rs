//! `/shortcuts`: the keys, which the dialog of `?` shows too (`assets/shortcuts.js`).

use actix_web::get;
use askama::Template;

use crate::http::console::kit::frame::{Frame, ok};
use crate::http::console::kit::places;
use crate::http::console::kit::places::Place;
use crate::http::console::kit::session_user::SessionUser;
use crate::http::error::HttpResult;
use kernel::search::Words;

#[derive(Template)]
#[template(path = "shortcuts.html")]
struct ShortcutsPage {
    f: Frame,
    places: Vec<&'static Place>,
}

#[get("/shortcuts")]
pub async fn index(me: SessionUser) -> HttpResult {
    let f = me.frame("shortcuts").await;
    let pages = places::pages(&f, &Words::default());
    let places = pages.into_iter().filter(|page| page.letter.is_some()).collect();
    Ok(ok(&ShortcutsPage { f, places }))
}
