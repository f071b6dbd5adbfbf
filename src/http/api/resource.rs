//! What the routes of all records have in common: a list (as JSON or CSV), a new record, one record, statistics.
//!
//! A record says in [`Resource`] which service keeps it and under which path; a handler names the message that it
//! sends.

use std::pin::Pin;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use serde::Serialize;

use crate::http::answer;
use crate::http::api::csv_export;
use crate::http::api::csv_export::Exported;
use crate::http::error::{HttpError, HttpResult};
use crate::http::extract::Authenticated;
use crate::http::idempotency::{Shape, once};
use crate::http::period::{StatsParams, stats_period};
use crate::http::state::{Gateway, gateway};
use kernel::clock::Timestamp;
use kernel::context::Context;
use kernel::error::Error;
use kernel::event::Versioned;
use kernel::ids::Id;
use kernel::page::{Page, PageRequest};
use runtime::service::{Call, Hosted, Service};

type Later<T, E> = Pin<Box<dyn Future<Output = Result<T, E>>>>;

/// A record with routes of its own.
pub trait Resource: Versioned + Exported {
    /// The service that keeps it.
    type Service: Hosted;
    /// The path of its collection.
    const PATH: &'static str;

    fn id(&self) -> Id;
    fn service(gateway: &Gateway) -> &Service<Self::Service>;
}

/// Makes a record a [`Resource`]: its collection's name, and where the gateway has its service.
macro_rules! resource {
    ($record:ty, $name:literal, $($client:ident).+ => $service:ty) => {
        impl $crate::http::api::csv_export::Exported for $record {
            const NAME: &'static str = $name;
        }

        impl $crate::http::api::resource::Resource for $record {
            type Service = $service;
            const PATH: &'static str = concat!("/api/", $name);

            fn id(&self) -> kernel::ids::Id {
                self.id
            }

            fn service(
                gateway: &$crate::http::state::Gateway,
            ) -> &runtime::service::Service<Self::Service> {
                &gateway.$($client).+
            }
        }
    };
}
pub(super) use resource;

/// A request of a signed-in user, and what it takes to answer it.
pub struct ApiRequest {
    pub gateway: Data<Gateway>,
    pub http: HttpRequest,
    pub auth: Authenticated,
}

impl FromRequest for ApiRequest {
    type Error = HttpError;
    type Future = Later<Self, HttpError>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (http, auth) = (request.clone(), Authenticated::from_request(request, payload));
        Box::pin(async move { Ok(Self { auth: auth.await?, gateway: gateway(&http), http }) })
    }
}

/// The list in the form that the request accepts: the page as JSON, or all that the filters leave as CSV. `message`
/// asks for a page.
///
/// # Errors
/// The service's.
pub async fn list<R, M>(
    api: ApiRequest,
    page: PageRequest,
    message: impl Fn(PageRequest) -> M + 'static,
) -> HttpResult
where
    R: Resource,
    M: Call<R::Service, Answer = Page<R>>,
{
    let ApiRequest { gateway, http, .. } = api;
    csv_export::answer(&http, page, pages::<R, M>(gateway, message)).await
}

/// The whole list as a CSV file.
///
/// # Errors
/// The service's.
pub async fn file<R, M>(gateway: Data<Gateway>, message: impl Fn(PageRequest) -> M + 'static) -> HttpResult
where
    R: Resource,
    M: Call<R::Service, Answer = Page<R>>,
{
    csv_export::file(pages::<R, M>(gateway, message)).await
}

/// Asks the record's service for the pages of a list.
fn pages<R, M>(
    gateway: Data<Gateway>,
    message: impl Fn(PageRequest) -> M + 'static,
) -> impl Fn(PageRequest) -> Later<Page<R>, Error> + 'static
where
    R: Resource,
    M: Call<R::Service, Answer = Page<R>>,
{
    move |page| {
        let (gateway, message) = (gateway.clone(), message(page));
        Box::pin(async move { R::service(&gateway).ask(message).await })
    }
}

/// 201 with the record that `message` makes, once for each `Idempotency-Key`.
///
/// # Errors
/// As [`once`].
pub async fn create<R, M>(api: &ApiRequest, digest: &[u8], message: impl FnOnce(Context) -> M) -> HttpResult
where
    R: Resource,
    M: Call<R::Service, Answer = Arc<R>>,
{
    once(&api.gateway, &api.http, &api.auth, digest, Shape::created(R::PATH), async |context| {
        let made = R::service(&api.gateway).ask(message(context)).await?;
        Ok(answer::created(R::PATH, made.id(), made.version(), &*made))
    })
    .await
}

/// 200 with the record as it is after `message`, once for each `Idempotency-Key`.
///
/// # Errors
/// As [`once`].
pub async fn execute<R, M>(api: &ApiRequest, digest: &[u8], message: impl FnOnce(Context) -> M) -> HttpResult
where
    R: Resource,
    M: Call<R::Service, Answer = Arc<R>>,
{
    once(&api.gateway, &api.http, &api.auth, digest, Shape::OK, async |context| {
        record(R::service(&api.gateway).ask(message(context)).await)
    })
    .await
}

/// 200 with a record that was found or changed.
///
/// # Errors
/// The service's.
pub fn record<R: Resource>(found: Result<Arc<R>, Error>) -> HttpResult {
    let record = found?;
    Ok(answer::record(record.version(), &*record))
}

/// 200 with the service's statistics; `message` asks for those of a period and an owner.
///
/// # Errors
/// `invalid_parameter`, and the service's.
pub async fn stats<R, M, V>(
    api: &ApiRequest,
    params: &StatsParams,
    message: impl FnOnce(Timestamp, Timestamp, Option<Id>) -> M,
) -> HttpResult
where
    R: Resource,
    M: Call<R::Service>,
    V: From<M::Answer> + Serialize,
{
    let zone = params.zone(&api.auth.user.user);
    let (from, until) = stats_period(params, zone, api.gateway.clock.now())?;
    let counts = R::service(&api.gateway).ask(message(from, until, params.owner_id)).await?;
    Ok(HttpResponse::Ok().json(V::from(counts)))
}
