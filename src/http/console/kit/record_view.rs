//! What the page of a record shows beside the record's own fields: the form that stands in their place while the record is
//! edited, and what happened to it.

use crate::http::api::activities::ActivityParams;
use crate::http::console::kit::form::Form;
use crate::http::console::kit::session_user::SessionUser;
use crate::http::console::kit::shared_pages::list_params;
use crate::http::console::kit::timeline::Timeline;
use kernel::error::Error;
use kernel::page::PageRequest;

/// The parts that the pages of all records have; templates call it `view`.
pub struct RecordView {
    /// The page's address.
    pub address: String,
    pub version: i64,
    /// The form that stands in the place of the record's fields.
    pub form: Option<Form>,
    /// Why what was asked for was not done.
    pub problem: Option<String>,
    pub timeline: Timeline,
}

/// What a record's page shows: its fields, with what could not be done; or the form.
pub enum Shown {
    Fields { problem: Option<String> },
    Form(Form),
}

impl RecordView {
    pub fn new(address: String, version: i64, shown: Shown, timeline: Timeline) -> Self {
        let (form, problem) = match shown {
            Shown::Fields { problem } => (None, problem),
            Shown::Form(form) => (Some(form), None),
        };
        Self { address, version, form, problem, timeline }
    }
}

/// The part of a record's activity that the page's address names: the newest events, unless it has a cursor.
///
/// # Errors
/// `invalid_parameter`, `invalid_cursor`.
pub fn wanted(me: &SessionUser) -> Result<PageRequest, Error> {
    let (params, _): (ActivityParams, _) = list_params(&me.request)?;
    params.of_record()
}
