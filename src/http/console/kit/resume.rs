//! Forms that outlive their session: what was typed is kept in the sign-in page, and shown in its form again.
//!
//! A form that is shown again is not carried out: its user looks at it and sends it once more. So it needs no token.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use crate::http::console::kit::form::Form;
use crate::http::console::kit::form_data::{Fields, Unproven};
use crate::http::console::kit::frame::Frame;
use crate::http::console::kit::session::{FormOf, form_of};
use crate::http::console::kit::session_user::identity;
use crate::http::error::HttpError;
use crate::http::state::gateway;
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;

/// The field of the sign-in that names the form to go on with.
pub const RESUME: &str = "resume";
/// What the names of that form's fields begin with there.
pub const KEPT: &str = "kept.";

/// Addresses whose forms people type into; `*` stands for a record.
const FORMS: [&str; 23] = [
    "/customers",
    "/customers/*/edit",
    "/meetings",
    "/meetings/*/edit",
    "/tasks",
    "/tasks/*/edit",
    "/approvals",
    "/approvals/*",
    "/admin/users",
    "/admin/users/*",
    "/settings/profile",
    "/customers/*/comments",
    "/customers/*/comments/*",
    "/meetings/*/comments",
    "/meetings/*/comments/*",
    "/tasks/*/comments",
    "/tasks/*/comments/*",
    "/approvals/*/comments",
    "/approvals/*/comments/*",
    "/deals",
    "/deals/*/edit",
    "/deals/*/comments",
    "/deals/*/comments/*",
];

/// Whether the address is one of a form that can be shown again.
pub fn is_form(path: &str) -> bool {
    let fits = |form: &&str| {
        let (mut wanted, mut parts) = (form.split('/'), path.split('/'));
        loop {
            match (wanted.next(), parts.next()) {
                (None, None) => return true,
                (Some("*"), Some(part)) if Id::parse(part).is_some() => {}
                (Some(wanted), Some(part)) if wanted == part => {}
                _ => return false,
            }
        }
    };
    FORMS.iter().any(fits)
}

/// Why a form is shown again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// Its user has signed in meanwhile.
    SignedIn,
    /// It was made for another session of its user.
    OtherSession,
}

impl Again {
    /// The error that gives the page its status.
    pub fn error(self) -> Option<Error> {
        (self == Self::OtherSession).then(|| Error::new(ErrorCode::Forbidden))
    }

    /// The error of a form whose record is not there: whoever may not send a form learns nothing of it.
    pub fn missing(again: Option<Self>, error: Error) -> Error {
        again.and_then(Self::error).unwrap_or(error)
    }

    /// The form as it was sent.
    pub fn show(self, form: &mut Form, sent: &Fields, f: &Frame) {
        form.fill(sent);
        form.problem = Some(match self {
            Self::SignedIn => f.t("again-signed-in"),
            Self::OtherSession => f.t("again-other-session"),
        });
    }
}

/// The fields of a form that may be shown again instead of being carried out.
pub struct Sent {
    pub fields: Fields,
    pub again: Option<Again>,
}

impl FromRequest for Sent {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, HttpError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, fields) = (request.clone(), Unproven::from_request(request, payload));
        Box::pin(async move {
            let fields = fields.await?.0;
            let caller = identity(&request).ok_or_else(|| Error::new(ErrorCode::MissingToken))?.caller;
            if fields.get(RESUME) == Some(request.path()) {
                return Ok(Self { fields: kept(&fields), again: Some(Again::SignedIn) });
            }
            match form_of(&gateway(&request), fields.token(), &caller) {
                FormOf::ThisSession => Ok(Self { fields, again: None }),
                FormOf::OtherSession => Ok(Self { fields, again: Some(Again::OtherSession) }),
                FormOf::Nobody => Err(Error::new(ErrorCode::Forbidden).into()),
            }
        })
    }
}

/// The fields that the sign-in kept.
fn kept(fields: &Fields) -> Fields {
    fields.pairs().filter_map(|(name, value)| Some((name.strip_prefix(KEPT)?, value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::ids::new_id;

    #[test]
    fn only_what_people_type_into_is_shown_again() {
        let id = new_id();
        for form in ["/customers".to_owned(), format!("/customers/{id}/edit"), format!("/tasks/{id}/edit")] {
            assert!(is_form(&form), "{form}");
        }
        let others = [format!("/tasks/{id}"), format!("/tasks/{id}/status"), "/customers/x/edit".to_owned()];
        for other in [&["/logout".to_owned()][..], &others].concat() {
            assert!(!is_form(&other), "{other}");
        }
    }
}
