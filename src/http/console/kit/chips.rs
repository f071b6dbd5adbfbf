//! What a list is narrowed to and its form does not show: chips, each of which can be removed.

use crate::http::console::kit::form_data::Fields;
use crate::http::console::kit::frame::Frame;
use crate::http::console::kit::lookups;
use crate::http::console::kit::lookups::References;
use crate::http::console::kit::search::is_line;
use crate::http::console::kit::session_user::{SessionUser, address_without};
use domain::deal::rules::CUSTOMER_DELETED;
use kernel::clock::Timestamp;
use kernel::day::Day;
use kernel::error::Error;
use kernel::ids::Id;

/// Parameters that narrow nothing.
const OTHERS: [&str; 8] = ["cursor", "limit", "sort", "done", "count", "kept", "columns", "view"];

/// A filter that the list's form does not show.
pub struct Chip {
    pub name: String,
    pub value: String,
    /// The value as people read it.
    pub text: String,
    /// The list without it.
    pub without: String,
}

/// The filters of a list besides those that its form shows.
///
/// # Errors
/// `unavailable`, `overloaded`.
pub async fn hidden_filters(
    me: &SessionUser,
    f: &Frame,
    given: &Fields,
    shown: &[&str],
) -> Result<Vec<Chip>, Error> {
    let is_hidden = |name: &str, value: &str| {
        !value.is_empty() && !shown.contains(&name) && !OTHERS.contains(&name) && !is_line(name)
    };
    let hidden: Vec<_> = given.pairs().filter(|(name, value)| is_hidden(name, value)).collect();
    let ids = |of_customers: bool| {
        let of_kind = hidden.iter().filter(move |(name, _)| (*name == "customer_id") == of_customers);
        of_kind.filter_map(|(_, value)| Id::parse(value))
    };
    let references = References::default().customers(ids(true)).users(ids(false));
    let names = lookups::load(&me.gateway, me.caller(), references).await?;
    let text = |name: &str, value: &str| match (Id::parse(value), Timestamp::parse(value)) {
        _ if name == "reached" => f.known_word("stage", value),
        _ if name == "open" => Some(f.t("filter-yes")),
        _ if (name, value) == ("lost_reason", CUSTOMER_DELETED) => Some(f.t("deals-closed-with-customer")),
        (Some(id), _) if name == "customer_id" => names.customer(id).map(|customer| customer.name),
        (Some(id), _) => Some(names.user(f, id)),
        (None, Some(time)) => Some(f.time(&time)),
        (None, None) => match Day::parse(value) {
            Some(day) => Some(f.day(&day.date())),
            None => Some(value.to_owned()),
        },
    };
    let chip = |(name, value): (&str, &str)| Chip {
        name: name.to_owned(),
        value: value.to_owned(),
        text: text(name, value).unwrap_or_else(|| "–".to_owned()),
        without: address_without(&me.request, &[name, "cursor", "done", "kept"]),
    };
    Ok(hidden.into_iter().map(chip).collect())
}
