//! `/api/customers`.

use crate::http::error::HttpResult;
use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post};
use serde::Serialize;
use utoipa::ToSchema;

use crate::actors::customer::service::CustomerService;
use crate::http::answer;
use crate::http::answer::Departed;
use crate::http::api::activities;
use crate::http::api::activities::ActivityParams;
use crate::http::api::resource;
use crate::http::api::resource::{ApiRequest, resource};
use crate::http::extract::{Body, NoParams, Params, PathId};

use crate::http::paging::{list_params, onwards, order};
use crate::http::period::StatsParams;
use domain::customer::messages::CustomerCounts;
use domain::customer::messages::{
    ChangeCustomer, CreateCustomer, CustomerFilter, CustomerStats, DeleteCustomer, ListCustomers, SORTS,
};
use domain::customer::record::{Customer, CustomerStatus};
use domain::customer::record::{CustomerChanges, NewCustomer};
use domain::report::messages::ReadActivity;
use domain::saga::messages::{Preview, PreviewCustomerDeletion};
use kernel::clock::Timestamp;
use kernel::cloud_event::CloudEvent;
use kernel::error::{Error, FieldError};
use kernel::ids::Id;
use kernel::page::Sort;

resource!(Customer, "customers", customers.service => CustomerService);

list_params! {
    /// Which customers, in which order.
    CustomerParams {
        /// Words of the name, kana, company or e-mail address, in any order: at most 16. Case, width and the kind of kana
        /// make no difference.
        #[param(max_length = 200, pattern = r"^[^\x00]*$")]
        q: String,
        status: CustomerStatus,
        owner_id: Id,
        created_from: Timestamp,
        created_to: Timestamp,
        #[param(inline, value_type = Option<SortName>)]
        sort: String,
    }
}

/// The orders of customers; `-` for descending.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes `sort` in the OpenAPI document")]
enum SortName {
    #[schema(rename = "created_at")]
    CreatedAt,
    #[schema(rename = "-created_at")]
    CreatedAtDescending,
    #[schema(rename = "name")]
    Name,
    #[schema(rename = "-name")]
    NameDescending,
    #[schema(rename = "updated_at")]
    UpdatedAt,
    #[schema(rename = "-updated_at")]
    UpdatedAtDescending,
}

impl CustomerParams {
    /// The order asked for.
    ///
    /// # Errors
    /// `invalid_parameter`.
    pub fn order(&self) -> Result<Sort, Error> {
        order(&SORTS, self.sort.as_deref())
    }
}

impl From<CustomerParams> for CustomerFilter {
    fn from(params: CustomerParams) -> Self {
        let CustomerParams { q, status, owner_id, created_from, created_to, .. } = params;
        Self { q, status, owner_id, created_from, created_to }
    }
}

/// List customers: a page as JSON, or all that the filters leave as CSV
#[utoipa::path(
    tag = "customers",
    params(CustomerParams),
    responses((status = 200, content((Vec<Customer> = "application/json"), (String = "text/csv"))))
)]
#[get("/customers")]
pub async fn list(api: ApiRequest, params: Params<CustomerParams>) -> HttpResult {
    let params = params.0;
    let sort = params.order()?;
    let page = params.page(|keyset| sort.fits(keyset))?;
    let filter = CustomerFilter::from(params);
    let caller = api.auth.caller;
    resource::list::<Customer, _>(api, page, move |page| ListCustomers {
        caller,
        filter: filter.clone(),
        sort,
        page,
    })
    .await
}

/// `X-Allow-Duplicate: true` accepts an address that another customer has.
fn allows_duplicate(request: &HttpRequest) -> Result<bool, Error> {
    match request.headers().get("x-allow-duplicate").map(|value| value.as_bytes()) {
        None | Some(b"false") => Ok(false),
        Some(b"true") => Ok(true),
        Some(_) => Err(Error {
            fields: vec![FieldError::new("X-Allow-Duplicate", "invalid_value")],
            ..Error::new(kernel::error::ErrorCode::InvalidHeader)
        }),
    }
}

/// Create a customer
#[utoipa::path(
    tag = "customers",
    params(("X-Allow-Duplicate" = Option<bool>, Header, description = "Accept an address that another customer has")),
    request_body = NewCustomer,
    responses((status = 201, body = Customer))
)]
#[post("/customers")]
pub async fn create(api: ApiRequest, _: Params<NoParams>, body: Body<NewCustomer>) -> HttpResult {
    let allow_duplicate = allows_duplicate(&api.http)?;
    let Body { value: customer, digest } = body;
    resource::create::<Customer, _>(&api, &digest, |context| CreateCustomer {
        customer,
        allow_duplicate,
        context,
    })
    .await
}

/// Read a customer
#[utoipa::path(tag = "customers", params(("id" = Id, Path)), responses((status = 200, body = Customer)))]
#[get("/customers/{id}")]
pub async fn read(api: ApiRequest, id: PathId, _: Params<NoParams>) -> HttpResult {
    resource::record(api.gateway.customers.find(api.auth.caller, id.0).await)
}

/// Change a customer
#[utoipa::path(
    tag = "customers",
    params(
        ("id" = Id, Path),
        ("X-Allow-Duplicate" = Option<bool>, Header, description = "Accept an address that another customer has"),
    ),
    request_body = CustomerChanges,
    responses((status = 200, body = Customer))
)]
#[patch("/customers/{id}")]
pub async fn change(
    api: ApiRequest,
    id: PathId,
    _: Params<NoParams>,
    body: Body<CustomerChanges>,
) -> HttpResult {
    let allow_duplicate = allows_duplicate(&api.http)?;
    let change =
        ChangeCustomer { id: id.0, changes: body.value, allow_duplicate, context: api.auth.context() };
    resource::record(api.gateway.customers.service.ask(change).await)
}

/// Delete a customer, and with it what refers to it: the saga tells how far that is
#[utoipa::path(tag = "customers", params(("id" = Id, Path)), responses((status = 200, body = Departed)))]
#[delete("/customers/{id}")]
pub async fn remove(api: ApiRequest, id: PathId, _: Params<NoParams>) -> HttpResult {
    let delete = DeleteCustomer { id: id.0, context: api.auth.context() };
    Ok(answer::departed(id.0, api.gateway.customers.service.ask(delete).await?))
}

/// What the deletion of a customer would touch
#[utoipa::path(tag = "customers", params(("id" = Id, Path)), responses((status = 200, body = Preview)))]
#[get("/customers/{id}/deletion-preview")]
pub async fn preview(api: ApiRequest, id: PathId, _: Params<NoParams>) -> HttpResult {
    let preview = PreviewCustomerDeletion { id: id.0, caller: api.auth.caller };
    Ok(HttpResponse::Ok().json(api.gateway.sagas.ask(preview).await?))
}

/// Counts of customers.
#[derive(Serialize, ToSchema)]
pub struct CustomerStatsView {
    total: i64,
    new: i64,
    deleted: i64,
    by_status: BTreeMap<String, i64>,
}

impl From<CustomerCounts> for CustomerStatsView {
    fn from(counts: CustomerCounts) -> Self {
        Self {
            total: counts.total,
            new: counts.new,
            deleted: counts.deleted,
            by_status: counts.by_status.into_iter().collect(),
        }
    }
}

/// The service's statistics
#[utoipa::path(tag = "customers", params(StatsParams), responses((status = 200, body = CustomerStatsView)))]
#[get("/customers/stats")]
pub async fn stats(api: ApiRequest, params: Params<StatsParams>) -> HttpResult {
    let caller = api.auth.caller;
    let of = |from, to, owner_id| CustomerStats { caller, owner_id, from, to };
    resource::stats::<Customer, _, CustomerStatsView>(&api, &params.0, of).await
}

/// The events about a customer, its meetings, tasks, approvals and deals that the caller may see, newest first
#[utoipa::path(
    tag = "customers",
    params(("id" = Id, Path), ActivityParams),
    responses((status = 200, body = Vec<CloudEvent>))
)]
#[get("/customers/{id}/activity")]
pub async fn activity(api: ApiRequest, id: PathId, params: Params<ActivityParams>) -> HttpResult {
    let page = onwards(params.0.page(|keyset| keyset.sort == "-id")?)?;
    let timeline = ReadActivity { caller: api.auth.caller, customer_id: id.0, page };
    Ok(activities::list(&api, api.gateway.analytics.service.ask(timeline).await?))
}
