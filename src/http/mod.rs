//! The gateway: turns requests into messages and answers into HTTP. It holds no rule of the business.
//!
//! The whole route table stands in [`routes`]; the OpenAPI document and the 405s are made from it.

mod admin;
mod answer;
mod approvals;
mod asyncapi;
mod audit;
mod auth;
mod console;
pub mod conventions;
mod customers;
mod export;
mod extract;
mod headers;
pub mod idempotency;
mod live;
mod meetings;
mod methods;
mod notifications;
mod openapi;
pub mod ops;
mod paging;
mod period;
pub mod problem;
mod reports;
mod sagas;
pub mod state;
mod summary;
mod tasks;
mod users;

use actix_web::{HttpRequest, HttpResponse, ResponseError};
use utoipa::openapi::OpenApi;
use utoipa_actix_web::scope::scope;
use utoipa_actix_web::service_config::ServiceConfig;

/// Every route of the server.
pub fn routes(config: &mut ServiceConfig) {
    let api = scope("/api")
        .service(auth::login)
        .service(auth::refresh)
        .service(auth::logout)
        .service(auth::me)
        .service(auth::change_password)
        .service(users::list)
        .service(users::create)
        .service(users::read)
        .service(users::change)
        .service(users::remove)
        .service(users::preview)
        .service(customers::list)
        .service(customers::create)
        .service(customers::stats)
        .service(customers::read)
        .service(customers::change)
        .service(customers::remove)
        .service(customers::preview)
        .service(customers::activity)
        .service(meetings::list)
        .service(meetings::create)
        .service(meetings::stats)
        .service(meetings::read)
        .service(meetings::change)
        .service(meetings::remove)
        .service(approvals::list)
        .service(approvals::create)
        .service(approvals::stats)
        .service(approvals::read)
        .service(approvals::approve)
        .service(approvals::reject)
        .service(approvals::cancel)
        .service(approvals::reassign)
        .service(tasks::list)
        .service(tasks::create)
        .service(tasks::stats)
        .service(tasks::read)
        .service(tasks::change)
        .service(tasks::remove)
        .service(notifications::list)
        .service(notifications::unread)
        .service(notifications::read)
        .service(notifications::archive)
        .service(notifications::read_all)
        .service(live::ws)
        .service(live::stream::follow)
        .service(reports::metrics)
        .service(summary::summary)
        .service(sagas::list)
        .service(sagas::read)
        .service(audit::events)
        .service(admin::cluster)
        .service(admin::actors)
        .service(admin::breakers)
        .service(admin::consumers)
        .service(admin::dead_letters)
        .service(admin::redrive)
        .service(admin::integrity);
    config
        .service(api)
        .service(ops::healthz)
        .service(ops::readyz)
        .service(ops::metrics)
        .service(ops::openapi)
        .service(ops::asyncapi);
}

pub use console::pages;

/// The complete document of [`routes`].
pub fn document() -> OpenApi {
    use utoipa_actix_web::AppExt;
    let (_, api) = actix_web::App::new().into_utoipa_app().configure(routes).split_for_parts();
    openapi::complete(api)
}

/// The document's page, with every asset embedded.
pub fn docs() -> utoipa_swagger_ui::SwaggerUi {
    utoipa_swagger_ui::SwaggerUi::new("/docs/{_:.*}").config(utoipa_swagger_ui::Config::from("/openapi.json"))
}

/// Whatever no route took.
pub async fn no_route(request: HttpRequest) -> HttpResponse {
    methods::no_resource(&request).error_response()
}
