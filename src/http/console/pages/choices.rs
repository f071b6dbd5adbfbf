//! `/choices/…`: what a field finds while one types.

use crate::http::error::HttpResult;
use actix_web::web::Path;
use actix_web::{HttpResponse, get};
use serde::Serialize;

use crate::http::console::kit::choice::Source;
use crate::http::console::kit::form_data::Fields;
use crate::http::console::kit::search::Found;
use crate::http::console::kit::session_user::SessionUser;
use kernel::error::{Error, ErrorCode};

#[derive(Serialize)]
struct Choice {
    id: String,
    label: String,
}

#[derive(Serialize)]
struct Answer {
    choices: Vec<Choice>,
    /// Whether there are more than these.
    more: bool,
}

#[get("/choices/{kind}")]
pub async fn index(me: SessionUser, kind: Path<String>) -> HttpResult {
    let given = Fields::parsed(me.request.query_string().as_bytes());
    let source = Source::parse(&kind, given.id("of")).ok_or_else(|| Error::new(ErrorCode::NotFound))?;
    let Found { choices, more } = source.find(&me, given.get("q").unwrap_or_default()).await?;
    let choices = choices.into_iter().map(|choice| Choice { id: choice.value, label: choice.label });
    Ok(HttpResponse::Ok().json(Answer { choices: choices.collect(), more }))
}
