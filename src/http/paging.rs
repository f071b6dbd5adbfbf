//! Lists as SPEC §2 has them: a bare array, `Link` to the next page, the count on request.

use actix_web::http::header::LINK;
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use kernel::error::{Error, ErrorCode, FieldError};
use kernel::page::{Keyset, Page, PageRequest};

/// SPEC §2: rows of a page, by default and at most.
const LIMIT_DEFAULT: i64 = 50;
const LIMIT_MAX: i64 = 200;

/// Declares a list's parameters: its own, and those of every list.
macro_rules! list_params {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $kind:ty),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Default, serde::Deserialize, utoipa::IntoParams)]
        #[into_params(parameter_in = Query)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$field_meta])* #[serde(default)] pub $field: Option<$kind>,)*
            /// Rows of a page.
            #[param(minimum = 1, maximum = 200, default = 50)]
            #[serde(default)]
            pub limit: Option<i64>,
            /// Where the page begins: from the `Link` of the page before.
            #[serde(default)]
            #[param(max_length = 2000, pattern = r"^[A-Za-z0-9_-]+$")]
            pub cursor: Option<String>,
            /// Answer the number of all rows in `X-Total-Count`.
            #[serde(default)]
            pub count: Option<bool>,
        }

        impl $name {
            /// The page asked for, in an order whose cursors `fits` tells.
            ///
            /// # Errors
            /// `invalid_parameter`, `invalid_cursor`.
            pub fn page(
                &self,
                fits: impl Fn(&kernel::page::Keyset) -> bool,
            ) -> Result<kernel::page::PageRequest, kernel::error::Error> {
                $crate::http::paging::request(self.limit, self.cursor.as_deref(), self.count, fits)
            }
        }
    };
}
pub(crate) use list_params;

/// Checks the parameters of every list.
///
/// # Errors
/// `invalid_parameter`, `invalid_cursor`.
pub fn request(
    limit: Option<i64>,
    cursor: Option<&str>,
    count: Option<bool>,
    fits: impl Fn(&Keyset) -> bool,
) -> Result<PageRequest, Error> {
    let limit = limit.unwrap_or(LIMIT_DEFAULT);
    let fault = if limit < 1 {
        Some(FieldError::limit("limit", "too_small", 1))
    } else if limit > LIMIT_MAX {
        Some(FieldError::limit("limit", "too_large", LIMIT_MAX))
    } else {
        None
    };
    if let Some(fault) = fault {
        return Err(Error { fields: vec![fault], ..Error::new(ErrorCode::InvalidParameter) });
    }
    let after = match cursor {
        None => None,
        Some(cursor) => {
            Some(decode(cursor).filter(fits).ok_or_else(|| Error::new(ErrorCode::InvalidCursor))?)
        }
    };
    Ok(PageRequest { limit, after, count: count.unwrap_or(false) })
}

fn encode(keyset: &Keyset) -> String {
    let json = serde_json::to_vec(&(&keyset.sort, &keyset.value, keyset.id)).expect("three plain values");
    URL_SAFE_NO_PAD.encode(json)
}

fn decode(cursor: &str) -> Option<Keyset> {
    let json = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let (sort, value, id) = serde_json::from_slice::<(String, String, _)>(&json).ok()?;
    // PostgreSQL has no NUL in text; ours have none either.
    (!value.contains('\0')).then_some(Keyset { sort, value, id })
}

/// The answer to a list.
pub fn list<T: Serialize>(request: &HttpRequest, page: &Page<T>) -> HttpResponse {
    let mut answer = HttpResponse::Ok();
    if let Some(next) = &page.next {
        answer.insert_header((LINK, format!("<{}>; rel=\"next\"", next_address(request, next))));
    }
    if let Some(total) = page.total {
        answer.insert_header(("X-Total-Count", total));
    }
    answer.json(&page.items)
}

/// The address of a list's next page, from its path.
pub(super) fn next_of(path: &str, next: &Keyset) -> String {
    format!("{path}?cursor={}", encode(next))
}

/// This request's address with another cursor.
pub(super) fn next_address(request: &HttpRequest, next: &Keyset) -> String {
    let kept = form_urlencoded::parse(request.query_string().as_bytes()).filter(|(name, _)| name != "cursor");
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(kept).append_pair("cursor", &encode(next));
    format!("{}?{}", request.path(), query.finish())
}
