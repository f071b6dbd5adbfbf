//! What happened to a record, as the API answers it: events, newest first.

use actix_web::HttpResponse;

use crate::http::api::resource::ApiRequest;
use crate::http::paging;
use crate::http::paging::list_params;
use crate::http::paging::onwards;
use domain::activity;
use kernel::cloud_event::CloudEvent;
use kernel::error::Error;
use kernel::event::EventRecord;
use kernel::page::{Page, PageRequest};

list_params! {
    /// Which part of the activity.
    ActivityParams {}
}

impl ActivityParams {
    /// The page of a record's own events.
    ///
    /// # Errors
    /// `invalid_parameter`, `invalid_cursor`.
    pub fn of_record(&self) -> Result<PageRequest, Error> {
        onwards(self.page(|keyset| activity::place(keyset).is_some())?)
    }
}

/// The answer to a request for the activity of a record.
pub fn list(api: &ApiRequest, page: Page<EventRecord>) -> HttpResponse {
    paging::list(&api.http, &page.view(CloudEvent::from))
}
