//! Pages and parts of pages that several share.

use actix_web::HttpRequest;
use askama::Template;
use serde::de::DeserializeOwned;

use crate::http::console::kit::field::Field;
use crate::http::console::kit::form::{Form, why};
use crate::http::console::kit::form_data::Fields;
use crate::http::console::kit::frame::Frame;
use crate::http::console::kit::search;
use crate::http::extract::parse_query;
use kernel::error::Error;

/// Parameters of pages that the API has not.
const OWN: [&str; 7] = ["done", "unread", "show", "kept", "columns", "view", "comment"];

/// Whatever could not be done.
#[derive(Template)]
#[template(path = "refused.html")]
pub struct Refused {
    f: Frame,
    title: String,
    why: String,
    status: u16,
}

impl Refused {
    pub fn new(f: Frame, error: &Error) -> Self {
        let (title, why) = (f.word_of(error), why(&f, error));
        Self { f, title, why, status: error.code.status() }
    }

    /// With other words for what is wrong.
    pub fn saying(f: Frame, error: &Error, why: String) -> Self {
        Self { why, ..Self::new(f, error) }
    }
}

/// A page that is one form: changing a record.
#[derive(Template)]
#[template(path = "edit.html")]
pub struct Edit {
    pub f: Frame,
    pub title: String,
    pub form: Form,
    /// Where to go without changing anything.
    pub back: String,
    /// The page that tells what goes with the record before it is deleted, if that is the user's to do.
    pub removal: Option<String>,
}

/// What goes with a record, before it is deleted.
#[derive(Template)]
#[template(path = "removal.html")]
pub struct Removal {
    pub f: Frame,
    pub title: String,
    pub about: String,
    /// What goes with it or is handed on: a kind and how many.
    pub counts: Vec<(String, i64)>,
    pub action: String,
    pub version: i64,
    pub back: String,
    pub problem: Option<String>,
    /// The choice of who takes over what a user leaves behind.
    pub successor: Option<Field>,
    /// Who would decide what waits for the user; every MANAGER if nobody.
    pub approver: Option<String>,
}

/// The parameters of a page's list: the API's own. A form sends what was left empty, too, and a page's address may
/// tell what was just done.
///
/// # Errors
/// `invalid_parameter`.
pub fn list_params<T: DeserializeOwned>(request: &HttpRequest) -> Result<(T, Fields), Error> {
    let given = Fields::parsed(request.query_string().as_bytes());
    Ok((params_of(&given)?, given))
}

/// The parameters of a list among what an address tells.
///
/// # Errors
/// `invalid_parameter`.
pub fn params_of<T: DeserializeOwned>(given: &Fields) -> Result<T, Error> {
    let is_ours = |name: &str| OWN.contains(&name) || search::is_line(name);
    let given = given.pairs().filter(|(name, value)| !value.is_empty() && !is_ours(name));
    let kept = form_urlencoded::Serializer::new(String::new()).extend_pairs(given).finish();
    parse_query(&kept)
}

/// What a list was narrowed to, for its form.
pub fn narrowed(fields: &Fields, name: &str) -> String {
    fields.get(name).unwrap_or_default().to_owned()
}
