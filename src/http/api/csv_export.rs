//! The CSV export of customers, meetings, tasks, approvals and deals for programs: every row that the list's filters leave. The
//! columns are the fields that the API shows of the record, in the order of their declaration.

use crate::http::error::HttpResult;
use std::borrow::Cow;
use std::rc::Rc;

use actix_web::HttpRequest;
use actix_web::http::header::{Accept, Header, Quality};
use serde::de::{DeserializeOwned, Deserializer, Error as _, Visitor, value};
use serde::{Serialize, forward_to_deserialize_any};
use serde_json::Value;
use utoipa::PartialSchema;
use utoipa::openapi::{RefOr, Schema};

use crate::http::csv;
use crate::http::csv::{Row, harmless};
use crate::http::paging;
use kernel::error::Error;
use kernel::page::{Page, PageRequest};

/// A record whose list can be had as a file.
pub trait Exported: Serialize + DeserializeOwned + PartialSchema + 'static {
    /// The name of its collection in paths and file names.
    const NAME: &'static str;
}

/// The media type that asks for it.
pub const TEXT_CSV: &str = "text/csv";

/// Collects the names of a struct's fields, which its `Deserialize` declares.
#[derive(Default)]
struct FieldNames(&'static [&'static str]);

impl<'de> Deserializer<'de> for &mut FieldNames {
    type Error = value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, value::Error> {
        Err(value::Error::custom("there is nothing to read"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, value::Error> {
        self.0 = fields;
        self.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// The header row: the record's fields in the order of their declaration, without those that its schema leaves out.
fn columns<T: Exported>() -> Vec<&'static str> {
    let mut declared = FieldNames::default();
    // Fails once the names are there.
    let _ = T::deserialize(&mut declared);
    let RefOr::T(Schema::Object(shown)) = T::schema() else { return declared.0.to_vec() };
    declared.0.iter().copied().filter(|name| shown.properties.contains_key(*name)).collect()
}

/// A list in the form that the request accepts: a page as JSON, or all of it as CSV. `page` is what the
/// parameters ask for; CSV has no pages, so that it does not look at them.
///
/// # Errors
/// Those of `ask`. One that comes after the first page cuts the connection: a part never looks complete.
pub async fn answer<T, F>(
    request: &HttpRequest,
    page: PageRequest,
    ask: impl Fn(PageRequest) -> F + 'static,
) -> HttpResult
where
    T: Exported,
    F: Future<Output = Result<Page<T>, Error>> + 'static,
{
    if is_wanted(request) { file(ask).await } else { Ok(paging::list(request, &ask(page).await?)) }
}

/// The whole list as a file.
///
/// # Errors
/// As [`answer`].
pub async fn file<T, F>(ask: impl Fn(PageRequest) -> F + 'static) -> HttpResult
where
    T: Exported,
    F: Future<Output = Result<Page<T>, Error>> + 'static,
{
    let columns = Rc::new(columns::<T>());
    let header = columns.iter().map(|name| (*name).to_owned()).collect();
    let ask = Rc::new(ask);
    csv::file(T::NAME, header, move |page| {
        let (ask, columns) = (ask.clone(), columns.clone());
        async move { row_by_row(ask(page).await?, &columns) }
    })
    .await
}

/// The cells of a page.
fn row_by_row<T: Exported>(page: Page<T>, columns: &[&str]) -> Result<Page<Row>, Error> {
    let row = |record: &T| -> Result<Row, Error> {
        let fields = serde_json::to_value(record).map_err(Error::internal)?;
        Ok(columns.iter().map(|name| cell(&fields[name]).into_owned()).collect())
    };
    let rows = page.items.iter().map(row).collect::<Result<Vec<_>, _>>()?;
    Ok(page.holding(rows))
}

fn cell(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Null => "".into(),
        Value::String(text) => harmless(text),
        Value::Bool(_) | Value::Number(_) => value.to_string().into(),
        Value::Array(_) | Value::Object(_) => value.to_string().into(),
    }
}

/// Whether the request would rather have CSV than JSON (RFC 9110 §12.5.1). JSON is the default: only a
/// `text/csv` by name stands before it where both are liked as much.
fn is_wanted(request: &HttpRequest) -> bool {
    let Ok(Accept(ranges)) = Accept::parse(request) else { return false };
    // The most specific range that fits a type decides: its own name, then `text/*`, then `*/*`.
    let liking = |kind: &str, subtype: &str| {
        let fits = ranges.iter().filter_map(|range| {
            let media = &range.item;
            let of_kind = media.type_() == kind;
            let specific = match (of_kind, media.subtype().as_str()) {
                (true, named) if named == subtype => 2,
                (true, "*") => 1,
                _ if media.type_() == "*" => 0,
                _ => return None,
            };
            Some((specific, range.quality))
        });
        fits.max().unwrap_or((-1, Quality::ZERO))
    };
    let (csv, json) = (liking("text", "csv"), liking("application", "json"));
    csv.1 > json.1 || (csv.1 == json.1 && csv.1 > Quality::ZERO && csv.0 == 2 && json.0 < 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;
    use domain::task::record::Task;

    #[test]
    fn the_columns_are_the_fields_that_the_api_shows() {
        let wanted = [
            "id",
            "version",
            "created_at",
            "updated_at",
            "title",
            "due_at",
            "status",
            "completed_at",
            "customer_id",
            "assignee_id",
            "notes",
        ];
        assert_eq!(columns::<Task>(), wanted);
    }

    #[test]
    fn numbers_stay_numbers() {
        assert_eq!(cell(&Value::from(-5)), "-5");
        assert_eq!(cell(&Value::from("-5")), "'-5");
        assert_eq!(cell(&Value::Null), "");
    }

    #[test]
    fn csv_is_for_those_who_ask_for_it() {
        for (accept, wanted) in [
            ("text/csv", true),
            ("text/*", true),
            ("TEXT/CSV; header=present", true),
            ("text/csv, */*", true),
            ("text/csv, application/json;q=0.9", true),
            ("application/json;q=0.5, text/csv;q=0.6", true),
            ("*/*;q=0.8, text/csv", true),
            ("*/*", false),
            ("", false),
            ("text/html", false),
            ("application/json, text/plain, */*", false),
            ("text/csv, application/json", false),
            ("text/csv;q=0.5, application/json", false),
            ("text/csv;q=0, */*", false),
            ("text/csv;q=0", false),
            ("text/csv;q=0.1, */*", false),
            ("text/*, application/*", false),
            (";;;", false),
        ] {
            let request = TestRequest::get().insert_header(("accept", accept)).to_http_request();
            assert_eq!(is_wanted(&request), wanted, "{accept}");
        }
        assert!(!is_wanted(&TestRequest::get().to_http_request()), "no Accept");
    }
}
