//! `/duplicates`: customers that may be one, group by group; and the possible doubles of one customer, for its page and for the
//! form of a new one.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get};
use askama::Template;
use serde::Serialize;

use crate::http::api::matches::{DuplicateParams, group_page};
use crate::http::console::kit::form_data::Fields;
use crate::http::console::kit::frame::{Frame, ok};
use crate::http::console::kit::listing::Pager;
use crate::http::console::kit::session_user::SessionUser;
use crate::http::console::kit::shared_pages::list_params;
use crate::http::error::HttpResult;
use crate::http::state::Gateway;
use domain::customer::matching::{FindMatches, FindMatchesOf, MatchBy, MatchGroup, MatchingCustomer};
use domain::customer::record::Customer;
use kernel::error::Error;
use kernel::ids::Id;

/// The most characters of a text that is compared.
const TEXT_MAX: usize = 254;

/// A customer that may be another one.
#[derive(Serialize)]
pub struct MatchRow {
    pub id: Id,
    pub name: String,
    /// What tells it from others of the name.
    pub about: String,
    /// What both have in common.
    pub matches: String,
}

fn about(customer: &Customer) -> String {
    let Customer { kana, company, email, phone, .. } = customer;
    [kana, company, email, phone].into_iter().flatten().cloned().collect::<Vec<_>>().join(" · ")
}

fn row(f: &Frame, found: MatchingCustomer) -> MatchRow {
    let matches = found.matches.iter().map(|by| f.word("match", by.as_str()));
    MatchRow {
        id: found.customer.id,
        matches: matches.collect::<Vec<_>>().join(f.t("list-comma").as_str()),
        about: about(&found.customer),
        name: found.customer.name,
    }
}

/// The customers that may be this one. A domain alone says too little.
pub async fn matching(me: &SessionUser, f: &Frame, id: Id) -> Result<Vec<MatchRow>, Error> {
    let found: Vec<MatchingCustomer> =
        me.gateway.customers.service.ask(FindMatches { id, caller: me.caller() }).await?;
    let strong = found.into_iter().filter(|found| found.matches != [MatchBy::Domain]);
    Ok(strong.map(|found| row(f, found)).collect())
}

/// The customers that may be the one in a form, as JSON for `assets/doubles.js`.
#[get("/duplicates/of")]
pub async fn of_form(gateway: Data<Gateway>, request: HttpRequest, me: SessionUser) -> HttpResult {
    let given = Fields::parsed(request.query_string().as_bytes());
    let text = |name: &str| -> Option<String> {
        let text = given.get(name)?.trim();
        Some(text.chars().filter(|letter| *letter != '\0').take(TEXT_MAX).collect())
            .filter(|text: &String| !text.is_empty())
    };
    let find = FindMatchesOf {
        name: text("name").unwrap_or_default(),
        kana: text("kana"),
        email: text("email"),
        phone: text("phone"),
        caller: me.caller(),
    };
    let found: Vec<MatchingCustomer> = gateway.customers.service.ask(find).await?;
    let f = me.frame("customers").await;
    let strong = found.into_iter().filter(|found| found.matches != [MatchBy::Domain]);
    let rows: Vec<MatchRow> = strong.take(5).map(|found| row(&f, found)).collect();
    Ok(HttpResponse::Ok().json(rows))
}

/// Customers with something in common.
struct GroupRow {
    key: String,
    count: i64,
    customers: Vec<MemberRow>,
}

struct MemberRow {
    id: Id,
    name: String,
    about: String,
    /// The customer with which it would be merged: the oldest of the group.
    first: Option<Id>,
}

#[derive(Template)]
#[template(path = "duplicates.html")]
struct DuplicatesPage {
    f: Frame,
    by: &'static str,
    all: Vec<&'static str>,
    groups: Vec<GroupRow>,
    pager: Pager,
}

fn group(group: MatchGroup) -> GroupRow {
    let first = group.customers.first().map(|customer| customer.id);
    let member = |customer: &Customer| MemberRow {
        id: customer.id,
        name: customer.name.clone(),
        about: about(customer),
        first: first.filter(|first| *first != customer.id),
    };
    GroupRow { customers: group.customers.iter().map(member).collect(), key: group.key, count: group.count }
}

#[get("/duplicates")]
pub async fn index(gateway: Data<Gateway>, request: HttpRequest, me: SessionUser) -> HttpResult {
    let (params, _): (DuplicateParams, _) = list_params(&request)?;
    let by = params.by.unwrap_or(MatchBy::Name);
    let page = group_page(&gateway, me.caller(), by, &params).await?;
    let pager = Pager::of(&request, params.cursor.is_none(), &page);
    let f = me.frame("customers").await;
    let groups = page.items.into_iter().map(group).collect();
    Ok(ok(&DuplicatesPage {
        by: by.as_str(),
        all: MatchBy::ALL.map(MatchBy::as_str).into(),
        groups,
        pager,
        f,
    }))
}
