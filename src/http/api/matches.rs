//! `/api/customers/matches` and `/api/customers/duplicates`: customers that may be one.

use actix_web::{HttpResponse, get};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::http::api::resource::ApiRequest;
use crate::http::error::HttpResult;
use crate::http::extract::{NoParams, Params, PathId};
use crate::http::paging;
use crate::http::paging::{list_params, onwards};
use crate::http::state::Gateway;
use domain::customer::matching::{
    FindMatches, FindMatchesOf, ListMatches, MatchBy, MatchGroup, MatchingCustomer,
};
use kernel::caller::Caller;
use kernel::error::{Error, ErrorCode, FieldError};
use kernel::ids::Id;
use kernel::page::{Keyset, Page};

/// The most characters of a text that is compared.
const TEXT_MAX: usize = 254;

/// A customer that is about to be made.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct MatchParams {
    #[param(max_length = 254, pattern = r"^[^\x00]*$")]
    #[serde(default)]
    name: String,
    #[param(max_length = 254, pattern = r"^[^\x00]*$")]
    kana: Option<String>,
    #[param(max_length = 254, pattern = r"^[^\x00]*$")]
    email: Option<String>,
    #[param(max_length = 254, pattern = r"^[^\x00]*$")]
    phone: Option<String>,
}

impl MatchParams {
    fn check(&self) -> Result<(), Error> {
        let fields = [
            ("name", Some(&self.name)),
            ("kana", self.kana.as_ref()),
            ("email", self.email.as_ref()),
            ("phone", self.phone.as_ref()),
        ];
        for (name, text) in fields {
            let text = text.map_or("", String::as_str);
            let fault = match text.chars().count() > TEXT_MAX {
                true => FieldError::limit(name, "too_long", TEXT_MAX as i64),
                false if text.contains('\0') => FieldError::new(name, "nul_character"),
                false => continue,
            };
            return Err(Error { fields: vec![fault], ..Error::new(ErrorCode::InvalidParameter) });
        }
        Ok(())
    }
}

/// The customers that the caller may see and that may be the one with these texts: at most 20, the likeliest first
///
/// Compared are the name without the form of the company, the kana, the digits of the telephone number, the address and its domain.
#[utoipa::path(
    tag = "customers",
    params(MatchParams),
    responses((status = 200, body = Vec<MatchingCustomer>))
)]
#[get("/customers/matches")]
pub async fn of_new(api: ApiRequest, params: Params<MatchParams>) -> HttpResult {
    params.0.check()?;
    let MatchParams { name, kana, email, phone } = params.0;
    let find = FindMatchesOf { name, kana, email, phone, caller: api.auth.caller };
    Ok(HttpResponse::Ok().json(api.gateway.customers.service.ask(find).await?))
}

/// The other customers that the caller may see and that may be this one: at most 20, the likeliest first
#[utoipa::path(
    tag = "customers",
    params(("id" = Id, Path)),
    responses((status = 200, body = Vec<MatchingCustomer>))
)]
#[get("/customers/{id}/matches")]
pub async fn of_one(api: ApiRequest, id: PathId, _: Params<NoParams>) -> HttpResult {
    let find = FindMatches { id: id.0, caller: api.auth.caller };
    Ok(HttpResponse::Ok().json(api.gateway.customers.service.ask(find).await?))
}

list_params! {
    uncounted
    /// By what customers are compared. The groups are not counted: that would compare all customers.
    DuplicateParams {
        by: MatchBy,
    }
}

/// Customers that have something in common, group by group
///
/// A group names its ten oldest customers. By name, if nothing else is asked for.
#[utoipa::path(
    tag = "customers",
    params(DuplicateParams),
    responses((status = 200, body = Vec<MatchGroup>))
)]
#[get("/customers/duplicates")]
pub async fn duplicates(api: ApiRequest, params: Params<DuplicateParams>) -> HttpResult {
    let by = params.0.by.unwrap_or(MatchBy::Name);
    Ok(paging::list(&api.http, &group_page(&api.gateway, api.auth.caller, by, &params.0).await?))
}

/// A page of groups.
///
/// # Errors
/// `invalid_parameter`, `invalid_cursor`, and those of the service.
pub async fn group_page(
    gateway: &Gateway,
    caller: Caller,
    by: MatchBy,
    params: &DuplicateParams,
) -> Result<Page<MatchGroup>, Error> {
    let page = onwards(params.page(|keyset| keyset.sort == by.as_str())?)?;
    let after = page.after.map(|keyset| keyset.value);
    let list = ListMatches { by, after, limit: page.limit + 1, caller };
    let groups: Vec<MatchGroup> = gateway.customers.service.ask(list).await?;
    let sort = by.as_str().to_owned();
    let key = |group: &MatchGroup| Keyset { sort: sort.clone(), value: group.key.clone(), id: Id::nil() };
    Ok(Page::cut(groups, page.limit, key, None))
}
