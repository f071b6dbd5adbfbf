//! Queries of lists and reports, and cursors.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono_tz::Tz;
use kernel::clock::Timestamp;
use kernel::error::Error;
use kernel::ids::Id;
use kernel::page::{Keyset, PageRequest, Sort};
use kizuna::actors::live::cursor;
use kizuna::actors::live::cursor::LogId;
use kizuna::http::api::approvals::ApprovalParams;
use kizuna::http::api::audit::AuditParams;
use kizuna::http::api::customers::CustomerParams;
use kizuna::http::api::deals::DealParams;
use kizuna::http::api::events::EventParams;
use kizuna::http::api::matches::MatchParams;
use kizuna::http::api::meetings::MeetingParams;
use kizuna::http::api::search::SearchParams;
use kizuna::http::api::tasks::TaskParams;
use kizuna::http::api::users::UserParams;
use kizuna::http::extract::parse_query;
use kizuna::http::live::params::{LiveParams, bounded};
use kizuna::http::paging;
use kizuna::http::paging::Side;
use kizuna::http::period::{StatsParams, stats_period};
use serde::de::DeserializeOwned;

use crate::{choose, refused};

/// A query by its list, and its check.
struct Query {
    name: &'static str,
    check: fn(&str) -> Result<(), Error>,
}

/// A list with an order, and its page.
macro_rules! ordered {
    ($name:literal, $params:ty) => {
        Query {
            name: $name,
            check: |query| {
                let params: $params = parse_query(query)?;
                let sort = params.order()?;
                page(params.page(|keyset| sort.fits(keyset))?, &sort);
                Ok(())
            },
        }
    };
}

/// A query whose shape is checked.
macro_rules! shaped {
    ($name:literal, $params:ty) => {
        Query { name: $name, check: |query| shape::<$params>(query) }
    };
}

const QUERIES: &[Query] = &[
    ordered!("customers", CustomerParams),
    ordered!("meetings", MeetingParams),
    ordered!("tasks", TaskParams),
    ordered!("approvals", ApprovalParams),
    ordered!("deals", DealParams),
    shaped!("users", UserParams),
    shaped!("audit", AuditParams),
    shaped!("search", SearchParams),
    shaped!("matches", MatchParams),
    shaped!("events", EventParams),
    Query { name: "live", check: |query| parse_query::<LiveParams>(query)?.topics().map(drop) },
    Query { name: "report", check: report },
];

fn shape<T: DeserializeOwned>(query: &str) -> Result<(), Error> {
    parse_query::<T>(query).map(drop)
}

/// The name of a list in the first line, and a query.
pub fn query(input: &[u8]) {
    let (list, query) = choose(QUERIES, |list| list.name, input);
    let Ok(query) = std::str::from_utf8(query) else { return };
    if let Err(error) = (list.check)(query) {
        assert_eq!(error.code.status(), 400, "{error:?}");
        refused(&error);
    }
}

fn report(query: &str) -> Result<(), Error> {
    let params: StatsParams = parse_query(query)?;
    let zone = params.time_zone.unwrap_or(Tz::Asia__Tokyo);
    let (from, to) = stats_period(&params, zone, Timestamp::from_micros(1_764_000_000_000_000))?;
    assert!(from <= to, "a period ends before it begins: {query}");
    Ok(())
}

fn page(page: PageRequest, sort: &Sort) {
    assert!((1..=200).contains(&page.limit));
    for keyset in page.after.iter().chain(&page.before) {
        assert!(sort.fits(keyset), "{keyset:?} is no row of {sort:?}");
    }
}

const SORTS: [Sort; 3] = [
    Sort::time("created_at", "created_at", false),
    Sort::by_name("name", "name_order", false),
    Sort::number("amount", "amount", true),
];

/// A cursor of somebody else's making. One that is accepted is written as it was read.
pub fn cursor(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    // Both the text itself, and what it would be inside a cursor.
    for text in [text.to_owned(), URL_SAFE_NO_PAD.encode(input)] {
        for sort in SORTS {
            match paging::request(None, Some(&text), None, |keyset| sort.fits(keyset)) {
                Ok(accepted) => {
                    let side = if accepted.after.is_some() { Side::After } else { Side::Before };
                    let keyset = accepted.after.clone().or(accepted.before.clone()).expect("a row");
                    page(accepted, &sort);
                    is_read_again(&keyset, side);
                }
                Err(error) => refused(&error),
            }
        }
    }
    // Any value makes a cursor that is read again, if it has no NUL.
    if !text.contains('\0') {
        let keyset = Keyset { sort: "name".into(), value: text.to_owned(), id: Id::nil() };
        is_read_again(&keyset, Side::Before);
    }
}

fn is_read_again(keyset: &Keyset, side: Side) {
    let text = paging::encode(keyset, side);
    assert_eq!(paging::decode(&text), Some((keyset.clone(), side)), "{text}");
}

/// A cursor of the live feed and of `/api/events`, and a number for one of ours.
pub fn log_cursor(input: &[u8]) {
    let log = LogId::from(Id::of_bits(7));
    if let Ok(text) = std::str::from_utf8(input)
        && let Some(number) = cursor::decode(log, bounded(text))
    {
        assert!(number >= 0, "{text} leads to before the log");
    }
    if let Some(bytes) = input.first_chunk::<8>() {
        let number = i64::from_be_bytes(*bytes) & i64::MAX;
        let text = cursor::encode(log, number);
        assert_eq!(cursor::decode(log, &text), Some(number), "{text}");
        assert_eq!(bounded(&text), text);
    }
}
