//! `/api/customers`.

use crate::http::error::HttpResult;
use std::collections::BTreeMap;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::customer::messages::{
    ChangeCustomer, CreateCustomer, CustomerChanges, CustomerFilter, CustomerStats, DeleteCustomer,
    ListCustomers, NewCustomer,
};
use crate::domain::customer::record::{Customer, CustomerStatus};
use crate::domain::report::messages::ReadActivity;
use crate::domain::saga::messages::{Preview, PreviewCustomerDeletion};
use crate::http::answer;
use crate::http::answer::Departed;
use crate::http::export;
use crate::http::export::Export;
use crate::http::extract::{Authenticated, Body, NoParams, Params, PathId};
use crate::http::idempotency::{Shape, once};
use crate::http::paging;
use crate::http::paging::list_params;
use crate::http::period::{StatsParams, stats_period};
use crate::http::state::Gateway;
use crate::persistence::customers::SORTS;
use kernel::clock::Timestamp;
use kernel::cloud_event::CloudEvent;
use kernel::error::{Error, FieldError};
use kernel::ids::Id;
use kernel::page::Page;
use kernel::page::Sort;

const PATH: &str = "/api/customers";

list_params! {
    /// Which customers, in which order.
    CustomerParams {
        /// In name, company or e-mail address, literally, whatever the case.
        #[param(pattern = r"^[^\x00]*$")]
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
        let Some(name) = &self.sort else { return Ok(SORTS[0]) };
        let known = SORTS.iter().find(|sort| sort.name == name);
        known.copied().ok_or_else(|| Error::parameter("sort", "invalid_choice"))
    }
}

impl From<CustomerParams> for CustomerFilter {
    fn from(params: CustomerParams) -> Self {
        let CustomerParams { q, status, owner_id, created_from, created_to, .. } = params;
        Self { q, status, owner_id, created_from, created_to }
    }
}

impl Export for Customer {
    const NAME: &'static str = "customers";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "version",
        "created_at",
        "updated_at",
        "name",
        "email",
        "phone",
        "company",
        "status",
        "notes",
        "owner_id",
    ];
}

/// List customers: a page as JSON, or all that the filters leave as CSV
#[utoipa::path(
    tag = "customers",
    params(CustomerParams),
    responses((status = 200, content((Vec<Customer> = "application/json"), (String = "text/csv"))))
)]
#[get("/customers")]
pub async fn list(
    gateway: Data<Gateway>,
    request: HttpRequest,
    signed: Authenticated,
    params: Params<CustomerParams>,
) -> HttpResult {
    let params = params.0;
    let sort = params.order()?;
    let page = params.page(|keyset| sort.fits(keyset))?;
    let filter = CustomerFilter::from(params);
    export::answer(&request, page, move |page| {
        let (gateway, filter) = (gateway.clone(), filter.clone());
        let asked = ListCustomers { caller: signed.caller, filter, sort, page };
        async move { gateway.customers.service.ask(asked).await }
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
pub async fn create(
    gateway: Data<Gateway>,
    request: HttpRequest,
    signed: Authenticated,
    _: Params<NoParams>,
    body: Body<NewCustomer>,
) -> HttpResult {
    let allow_duplicate = allows_duplicate(&request)?;
    let Body { value: customer, digest } = body;
    once(&gateway, &request, &signed, &digest, Shape::created(PATH), async |context| {
        let made =
            gateway.customers.service.ask(CreateCustomer { customer, allow_duplicate, context }).await?;
        Ok(answer::created(PATH, made.id, made.version, &*made))
    })
    .await
}

/// Read a customer
#[utoipa::path(tag = "customers", params(("id" = Id, Path)), responses((status = 200, body = Customer)))]
#[get("/customers/{id}")]
pub async fn read(
    gateway: Data<Gateway>,
    signed: Authenticated,
    id: PathId,
    _: Params<NoParams>,
) -> HttpResult {
    let customer = gateway.customers.find(signed.caller, id.0).await?;
    Ok(answer::record(customer.version, &*customer))
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
    gateway: Data<Gateway>,
    request: HttpRequest,
    signed: Authenticated,
    id: PathId,
    _: Params<NoParams>,
    body: Body<CustomerChanges>,
) -> HttpResult {
    let allow_duplicate = allows_duplicate(&request)?;
    let change = ChangeCustomer { id: id.0, changes: body.value, allow_duplicate, context: signed.context() };
    let after = gateway.customers.service.ask(change).await?;
    Ok(answer::record(after.version, &*after))
}

/// Delete a customer, and with it what refers to it: the saga tells how far that is
#[utoipa::path(tag = "customers", params(("id" = Id, Path)), responses((status = 200, body = Departed)))]
#[delete("/customers/{id}")]
pub async fn remove(
    gateway: Data<Gateway>,
    signed: Authenticated,
    id: PathId,
    _: Params<NoParams>,
) -> HttpResult {
    let delete = DeleteCustomer { id: id.0, context: signed.context() };
    Ok(answer::departed(id.0, gateway.customers.service.ask(delete).await?))
}

/// What the deletion of a customer would touch
#[utoipa::path(tag = "customers", params(("id" = Id, Path)), responses((status = 200, body = Preview)))]
#[get("/customers/{id}/deletion-preview")]
pub async fn preview(
    gateway: Data<Gateway>,
    signed: Authenticated,
    id: PathId,
    _: Params<NoParams>,
) -> HttpResult {
    let preview = PreviewCustomerDeletion { id: id.0, caller: signed.caller };
    Ok(HttpResponse::Ok().json(gateway.sagas.ask(preview).await?))
}

/// Counts of customers.
#[derive(Serialize, ToSchema)]
pub struct CustomerStatsView {
    total: i64,
    new: i64,
    deleted: i64,
    by_status: BTreeMap<String, i64>,
}

/// The service's statistics
#[utoipa::path(tag = "customers", params(StatsParams), responses((status = 200, body = CustomerStatsView)))]
#[get("/customers/stats")]
pub async fn stats(gateway: Data<Gateway>, signed: Authenticated, params: Params<StatsParams>) -> HttpResult {
    let (from, to) = stats_period(&params.0, gateway.clock.now())?;
    let asked = CustomerStats { caller: signed.caller, owner_id: params.0.owner_id, from, to };
    let counts = gateway.customers.service.ask(asked).await?;
    Ok(HttpResponse::Ok().json(CustomerStatsView {
        total: counts.total,
        new: counts.new,
        deleted: counts.deleted,
        by_status: counts.by_status.into_iter().collect(),
    }))
}

list_params! {
    /// Which part of the timeline.
    ActivityParams {}
}

/// Every event about a customer and its meetings, newest first
#[utoipa::path(
    tag = "customers",
    params(("id" = Id, Path), ActivityParams),
    responses((status = 200, body = Vec<CloudEvent>))
)]
#[get("/customers/{id}/activity")]
pub async fn activity(
    gateway: Data<Gateway>,
    request: HttpRequest,
    signed: Authenticated,
    id: PathId,
    params: Params<ActivityParams>,
) -> HttpResult {
    let page = params.0.page(|keyset| keyset.sort == "-id")?;
    let timeline = ReadActivity { caller: signed.caller, customer_id: id.0, page };
    let Page { items, next, total } = gateway.analytics.service.ask(timeline).await?;
    let items = items.iter().map(CloudEvent::from).collect();
    Ok(paging::list(&request, &Page { items, next, total }))
}
