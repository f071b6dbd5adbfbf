//! Lists as SPEC §2 has them: a bare array, `Link` to the pages beside it, the count on request.

use actix_web::http::header::LINK;
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use kernel::error::{Error, ErrorCode, FieldError};
use kernel::ids::Id;
use kernel::page::{Keyset, Page, PageRequest, Sort, sort_named};

/// SPEC §2: rows of a page, by default and at most.
const LIMIT_DEFAULT: i64 = 50;
const LIMIT_MAX: i64 = 200;

/// Declares a list's parameters: its own, and those of every list. One that is `uncounted` does not take `count`.
macro_rules! list_params {
    (@with { $($counted:tt)* } ($params:ident) $count:expr;
        $(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $kind:ty),* $(,)? }) => {
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
            /// Where the page begins or ends: from the `Link` of another page.
            #[serde(default)]
            #[param(max_length = 2000, pattern = r"^[A-Za-z0-9_-]+$")]
            pub cursor: Option<String>,
            $($counted)*
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
                let $params = self;
                $crate::http::paging::request($params.limit, $params.cursor.as_deref(), $count, fits)
            }
        }
    };
    (uncounted $($list:tt)*) => {
        $crate::http::paging::list_params! { @with {} (params) None; $($list)* }
    };
    ($($list:tt)*) => {
        $crate::http::paging::list_params! {
            @with {
                /// Answer the number of all rows in `X-Total-Count`.
                #[serde(default)]
                pub count: Option<bool>,
            } (params) params.count; $($list)*
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
    let count = count.unwrap_or(false);
    let Some(cursor) = cursor else { return Ok(PageRequest { count, ..PageRequest::first(limit) }) };
    let (keyset, side) = decode(cursor)
        .filter(|(keyset, _)| fits(keyset))
        .ok_or_else(|| Error::new(ErrorCode::InvalidCursor))?;
    let page = match side {
        Side::After => PageRequest::after(limit, Some(keyset)),
        Side::Before => PageRequest::before(limit, keyset),
    };
    Ok(PageRequest { count, ..page })
}

/// Refuses a page before a row, for a list that is read in one direction.
///
/// # Errors
/// `invalid_cursor`.
pub fn onwards(page: PageRequest) -> Result<PageRequest, Error> {
    if page.before.is_some() { Err(Error::new(ErrorCode::InvalidCursor)) } else { Ok(page) }
}

/// The order that `?sort=` names; without it, the first.
///
/// # Errors
/// `invalid_parameter`.
pub fn order(sorts: &[Sort], name: Option<&str>) -> Result<Sort, Error> {
    let found = name.map_or_else(|| sorts.first().copied(), |name| sort_named(sorts, name));
    found.ok_or_else(|| Error::parameter("sort", "invalid_choice"))
}

/// On which side of the cursor's row a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    After,
    Before,
}

/// The last member of a cursor that leads back.
const BEFORE: &str = "before";

/// Writes the cursor of a row.
pub fn encode(keyset: &Keyset, side: Side) -> String {
    let Keyset { sort, value, id } = keyset;
    let json = match side {
        Side::After => serde_json::to_vec(&(sort, value, id)),
        Side::Before => serde_json::to_vec(&(sort, value, id, BEFORE)),
    };
    URL_SAFE_NO_PAD.encode(json.expect("plain values"))
}

/// Reads a cursor; `None` if the text is not a cursor.
pub fn decode(cursor: &str) -> Option<(Keyset, Side)> {
    let json = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let (sort, value, id, side) = match serde_json::from_slice::<(String, String, Id)>(&json) {
        Ok((sort, value, id)) => (sort, value, id, Side::After),
        Err(_) => {
            let (sort, value, id, word) =
                serde_json::from_slice::<(String, String, Id, String)>(&json).ok()?;
            (sort, value, id, (word == BEFORE).then_some(Side::Before)?)
        }
    };
    // PostgreSQL has no NUL in text; ours have none either.
    (!value.contains('\0')).then_some((Keyset { sort, value, id }, side))
}

/// The answer to a list.
pub fn list<T: Serialize>(request: &HttpRequest, page: &Page<T>) -> HttpResponse {
    let mut answer = HttpResponse::Ok();
    let prev = page.prev.as_ref().map(|row| (row, Side::Before, "prev"));
    let next = page.next.as_ref().map(|row| (row, Side::After, "next"));
    let links: Vec<String> = [prev, next]
        .into_iter()
        .flatten()
        .map(|(row, side, rel)| format!("<{}>; rel=\"{rel}\"", address_beside(request, row, side)))
        .collect();
    if !links.is_empty() {
        answer.insert_header((LINK, links.join(", ")));
    }
    if let Some(total) = page.total {
        answer.insert_header(("X-Total-Count", total));
    }
    answer.json(&page.items)
}

/// The address of a list's next page, from its path.
pub(super) fn next_of(path: &str, next: &Keyset) -> String {
    format!("{path}?cursor={}", encode(next, Side::After))
}

/// The address of the page beside a row: this request's with another cursor.
pub(super) fn address_beside(request: &HttpRequest, row: &Keyset, side: Side) -> String {
    let kept = form_urlencoded::parse(request.query_string().as_bytes()).filter(|(name, _)| name != "cursor");
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(kept).append_pair("cursor", &encode(row, side));
    format!("{}?{}", request.path(), query.finish())
}
