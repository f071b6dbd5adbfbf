//! The choice of a customer or a person: found as one types (`assets/combobox.js`), never a list that is cut.
//!
//! Without scripts a field is a list of what is chosen, and a line for a name. What the line says is looked for when
//! the form is sent; if it is not the name of exactly one, the form comes back with those that were found.

use crate::http::console::kit::choice::{Choice, Source};
use crate::http::console::kit::field::{Field, Kind};
use crate::http::console::kit::form_data::Fields;
use crate::http::console::kit::lookups;
use crate::http::console::kit::lookups::References;
use crate::http::console::kit::session_user::SessionUser;
use domain::customer::messages::{CustomerFilter, ListCustomers, SORTS};
use domain::user::messages::{ListUsers, UserFilter};
use domain::user::record::UserView;
use kernel::error::Error;
use kernel::ids::Id;
use kernel::name_order::name_order;
use kernel::page::PageRequest;
use kernel::search::within_limits;
use kernel::text_key::{alike, key};

/// The most that a search shows: more is a reason to type more.
pub const FOUND_MAX: usize = 20;
/// Users read at a time: SPEC §2's longest page.
const PAGE: i64 = 200;
/// Pages of users that a search reads, at most.
const PAGES_MAX: usize = 25;
/// What the name of a field's line ends with.
const LINE: &str = "_text";

/// What a search found.
pub struct Found {
    pub choices: Vec<Choice>,
    /// Whether there are more.
    pub more: bool,
}

impl Source {
    /// Those whom `text` fits, by name; all of them if it is empty.
    ///
    /// # Errors
    /// `unavailable`, `overloaded`, and what the service says of the text.
    pub async fn find(self, me: &SessionUser, text: &str) -> Result<Found, Error> {
        let q = Some(within_limits(text)).filter(|q| !q.is_empty());
        let mut choices = match self {
            Self::Customers => customers(me, q).await?,
            _ => self.people(me, q).await?,
        };
        let more = choices.len() > FOUND_MAX;
        choices.truncate(FOUND_MAX);
        Ok(Found { choices, more })
    }

    /// One more than fit, so that the caller sees whether there are more.
    async fn people(self, me: &SessionUser, q: Option<String>) -> Result<Vec<Choice>, Error> {
        let mut found: Vec<UserView> = Vec::new();
        let mut after = None;
        for _ in 0..PAGES_MAX {
            let page = PageRequest::after(PAGE, after);
            let filter = UserFilter { role: None, q: q.clone() };
            let list = ListUsers { caller: me.caller(), filter, page };
            let page = me.gateway.auth.service.ask(list).await?;
            found.extend(page.items.into_iter().filter(|user| self.takes(user)));
            after = page.next;
            if after.is_none() || found.len() > FOUND_MAX {
                break;
            }
        }
        found.sort_by_cached_key(|user| name_order(&key(user.name())));
        let choice = |user: &UserView| Choice { value: user.id().to_string(), label: user.name().to_owned() };
        Ok(found.iter().map(choice).collect())
    }
}

async fn customers(me: &SessionUser, q: Option<String>) -> Result<Vec<Choice>, Error> {
    let sort = *SORTS.iter().find(|sort| sort.name == "name").expect("an order of customers");
    let page = PageRequest::first(FOUND_MAX as i64 + 1);
    let filter = CustomerFilter { q, ..CustomerFilter::default() };
    let list = ListCustomers { caller: me.caller(), filter, sort, page };
    let found = me.gateway.customers.service.ask(list).await?.items;
    let choice = |customer: domain::customer::record::Customer| {
        let label = match &customer.company {
            Some(company) => format!("{} ({company})", customer.name),
            None => customer.name.clone(),
        };
        Choice { value: customer.id.to_string(), label }
    };
    Ok(found.into_iter().map(choice).collect())
}

/// Reads the lines of a form's searches: a name that one alone has becomes that one's id in the answer, what is not is a
/// fault of its field.
///
/// # Errors
/// `unavailable`, `overloaded`.
pub async fn settle(me: &SessionUser, fields: &mut [Field], sent: Fields) -> Result<Fields, Error> {
    let mut settled = sent;
    for field in fields {
        let line = format!("{}{LINE}", field.name);
        let Kind::Search(search) = &mut field.kind else { continue };
        let typed = settled.get(&line).unwrap_or_default().trim().to_owned();
        if typed.is_empty() {
            continue;
        }
        let Found { choices, more } = search.source.find(me, &typed).await?;
        match only(&choices, more, &typed) {
            Some(id) => settled = settled.with(field.name, id),
            None => {
                search.fault = Some(if choices.is_empty() { "nobody_found" } else { "choose_one" });
                search.found = choices;
                search.typed = typed;
                settled = settled.with(field.name, "");
            }
        }
    }
    Ok(settled)
}

/// The one that was meant: the only one found, or the only one of just that name.
fn only(choices: &[Choice], more: bool, typed: &str) -> Option<String> {
    let mut named = choices.iter().filter(|choice| alike(&choice.label, typed));
    match (choices, named.next(), named.next()) {
        ([only], ..) if !more => Some(only.value.clone()),
        (_, Some(named), None) => Some(named.value.clone()),
        _ => None,
    }
}

/// Gives the searches of a form the names of whom they hold.
///
/// # Errors
/// `unavailable`, `overloaded`.
pub async fn name_chosen(me: &SessionUser, fields: &mut [Field]) -> Result<(), Error> {
    for field in fields {
        let Kind::Search(search) = &mut field.kind else { continue };
        let Some(id) = Id::parse(&field.value) else { continue };
        if search.chosen.as_ref().is_none_or(|choice| choice.value != field.value) {
            search.chosen = named(me, search.source, id).await?;
        }
    }
    Ok(())
}

/// A customer or person as a choice; `None` if the caller may not see it, or it does not exist.
async fn named(me: &SessionUser, source: Source, id: Id) -> Result<Option<Choice>, Error> {
    let references = References::default();
    let references = match source {
        Source::Customers => references.customers([id]),
        _ => references.users([id]),
    };
    let names = lookups::load(&me.gateway, me.caller(), references).await?;
    let label = match source {
        Source::Customers => names.customer(id).map(|customer| customer.name),
        _ => names.live_user(id),
    };
    Ok(label.map(|label| Choice { value: id.to_string(), label }))
}

/// A filter of a list: a search that holds what the address names.
///
/// # Errors
/// `unavailable`, `overloaded`.
pub async fn filter(
    me: &SessionUser,
    given: &Fields,
    name: &'static str,
    source: Source,
) -> Result<Field, Error> {
    let mut fields = [Field::search(name, source)];
    let settled = settle(me, &mut fields, given.clone()).await?;
    fields[0].value = settled.get(name).unwrap_or_default().to_owned();
    name_chosen(me, &mut fields).await?;
    let [field] = fields;
    Ok(field)
}

/// The address of a list whose filters' lines are settled, if it has such lines that name one alone: the page is
/// shown at an address that says what it shows.
///
/// # Errors
/// `unavailable`, `overloaded`.
pub async fn settled_address(
    me: &SessionUser,
    filters: &[(&'static str, Source)],
) -> Result<Option<String>, Error> {
    let given = Fields::parsed(me.request.query_string().as_bytes());
    let has_line = |name: &str| given.get(&format!("{name}{LINE}")).is_some_and(|it| !it.trim().is_empty());
    let lines = filters.iter().filter(|(name, _)| has_line(name));
    let mut fields: Vec<Field> = lines.map(|(name, source)| Field::search(name, *source)).collect();
    if fields.is_empty() {
        return Ok(None);
    }
    let settled = settle(me, &mut fields, given).await?;
    if fields.iter().any(|field| field.searched().is_some_and(|search| search.fault.is_some())) {
        return Ok(None);
    }
    let kept = settled.pairs().filter(|(name, value)| !name.ends_with(LINE) && !value.is_empty());
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish();
    Ok(Some(format!("{}?{query}", me.request.path())))
}

/// Whether a parameter is the line of a search, which the API does not know.
pub fn is_line(name: &str) -> bool {
    name.ends_with(LINE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_chooses_whom_it_fits_alone() {
        let of = |names: &[&str]| -> Vec<Choice> {
            let choice = |name: &&str| Choice { value: format!("id of {name}"), label: (*name).to_owned() };
            names.iter().map(choice).collect()
        };
        assert_eq!(only(&of(&["青空商事"]), false, "青空").as_deref(), Some("id of 青空商事"));
        assert_eq!(only(&of(&["青空", "青空商事"]), false, "青空").as_deref(), Some("id of 青空"));
        assert_eq!(
            only(&of(&["アオゾラ", "あおぞら商事"]), false, "ｱｵｿﾞﾗ").as_deref(),
            Some("id of アオゾラ")
        );
        assert_eq!(only(&of(&["青空商事", "青空製作所"]), false, "青空"), None);
        assert_eq!(only(&of(&["青空", "青空"]), false, "青空"), None, "two of one name");
        assert_eq!(only(&of(&["青空商事"]), true, "青空"), None, "there may be others");
        assert_eq!(only(&[], false, "青空"), None);
    }
}
