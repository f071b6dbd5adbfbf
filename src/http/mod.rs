//! The gateway: turns requests into messages and answers into HTTP. It holds no rule of the business.
//!
//! The whole route table stands in `register`; the OpenAPI document and the 405s are made from it.

pub mod admission;
mod answer;
pub mod api;
mod asyncapi;
mod beside;
mod body_faults;
pub mod body_pace;
pub mod client_address;
mod client_info;
pub mod connection;
pub mod connections;
pub mod console;
pub mod conventions;
pub mod cors;
mod csv;
pub mod entity_tags;
pub mod error;
pub mod extract;
mod headers;
pub mod idempotency;
mod json_document;
mod key_gate;
pub mod key_rates;
pub mod language;
pub mod live;
mod methods;
pub mod multipart;
mod openapi;
pub mod ops;
pub mod paging;
pub mod period;
pub mod problem;
pub mod refusals;
mod request_ids;
pub mod request_log;
pub mod request_span;
mod search;
mod site;
pub mod state;
mod uploads;

use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use utoipa::openapi::OpenApi;
use utoipa_actix_web::scope::scope;
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers every operation below `/api`, and the operators' beside it, in a configuration of actix-web or of utoipa.
macro_rules! register {
    ($config:expr, $scope:expr) => {
        $config
            .service(
                $scope
                    .service(api::auth::login)
                    .service(api::auth::refresh)
                    .service(api::auth::logout)
                    .service(api::auth::me)
                    .service(api::auth::change_me)
                    .service(api::auth::preferences)
                    .service(api::auth::change_preferences)
                    .service(api::sessions::list_sessions)
                    .service(api::sessions::end_session)
                    .service(api::auth::change_password)
                    .service(api::views::list_views)
                    .service(api::views::save_view)
                    .service(api::views::read_view)
                    .service(api::views::change_view)
                    .service(api::views::remove_view)
                    .service(api::users::list)
                    .service(api::users::create)
                    .service(api::users::read)
                    .service(api::users::change)
                    .service(api::users::remove)
                    .service(api::users::preview)
                    .service(api::customers::list)
                    .service(api::customers::create)
                    .service(api::bulk::customers)
                    .service(api::bulk::meetings)
                    .service(api::bulk::tasks)
                    .service(api::bulk::deals)
                    .service(api::imports::list)
                    .service(api::imports::create)
                    .service(api::imports::read)
                    .service(api::imports::change)
                    .service(api::imports::rows)
                    .service(api::imports::commit)
                    .service(api::imports::undo)
                    .service(api::customers::stats)
                    .service(api::matches::of_new)
                    .service(api::matches::duplicates)
                    .service(api::matches::of_one)
                    .service(api::customers::read)
                    .service(api::customers::change)
                    .service(api::customers::remove)
                    .service(api::customers::preview)
                    .service(api::customers::activity)
                    .service(api::merges::merge_into)
                    .service(api::merges::merge_preview)
                    .service(api::meetings::list)
                    .service(api::meetings::create)
                    .service(api::meetings::stats)
                    .service(api::meetings::read)
                    .service(api::meetings::change)
                    .service(api::meetings::remove)
                    .service(api::meetings::activity)
                    .service(api::approvals::list)
                    .service(api::approvals::create)
                    .service(api::approvals::stats)
                    .service(api::approvals::read)
                    .service(api::approvals::approve)
                    .service(api::approvals::reject)
                    .service(api::approvals::cancel)
                    .service(api::approvals::reassign)
                    .service(api::approvals::activity)
                    .service(api::deals::list)
                    .service(api::deals::create)
                    .service(api::deals::stats)
                    .service(api::deals::read)
                    .service(api::deals::change)
                    .service(api::deals::remove)
                    .service(api::deals::activity)
                    .service(api::tasks::list)
                    .service(api::tasks::create)
                    .service(api::tasks::stats)
                    .service(api::tasks::read)
                    .service(api::tasks::change)
                    .service(api::tasks::remove)
                    .service(api::tasks::activity)
                    .service(api::comments::customers::comments)
                    .service(api::comments::customers::add_comment)
                    .service(api::comments::customers::comment)
                    .service(api::comments::customers::change_comment)
                    .service(api::comments::customers::remove_comment)
                    .service(api::comments::meetings::comments)
                    .service(api::comments::meetings::add_comment)
                    .service(api::comments::meetings::comment)
                    .service(api::comments::meetings::change_comment)
                    .service(api::comments::meetings::remove_comment)
                    .service(api::comments::tasks::comments)
                    .service(api::comments::tasks::add_comment)
                    .service(api::comments::tasks::comment)
                    .service(api::comments::tasks::change_comment)
                    .service(api::comments::tasks::remove_comment)
                    .service(api::comments::approvals::comments)
                    .service(api::comments::approvals::add_comment)
                    .service(api::comments::approvals::comment)
                    .service(api::comments::approvals::change_comment)
                    .service(api::comments::approvals::remove_comment)
                    .service(api::comments::deals::comments)
                    .service(api::comments::deals::add_comment)
                    .service(api::comments::deals::comment)
                    .service(api::comments::deals::change_comment)
                    .service(api::comments::deals::remove_comment)
                    .service(api::attachments::customers::attachments)
                    .service(api::attachments::customers::attach_file)
                    .service(api::attachments::customers::attachment)
                    .service(api::attachments::customers::attachment_content)
                    .service(api::attachments::customers::remove_attachment)
                    .service(api::attachments::meetings::attachments)
                    .service(api::attachments::meetings::attach_file)
                    .service(api::attachments::meetings::attachment)
                    .service(api::attachments::meetings::attachment_content)
                    .service(api::attachments::meetings::remove_attachment)
                    .service(api::attachments::tasks::attachments)
                    .service(api::attachments::tasks::attach_file)
                    .service(api::attachments::tasks::attachment)
                    .service(api::attachments::tasks::attachment_content)
                    .service(api::attachments::tasks::remove_attachment)
                    .service(api::attachments::approvals::attachments)
                    .service(api::attachments::approvals::attach_file)
                    .service(api::attachments::approvals::attachment)
                    .service(api::attachments::approvals::attachment_content)
                    .service(api::attachments::approvals::remove_attachment)
                    .service(api::attachments::deals::attachments)
                    .service(api::attachments::deals::attach_file)
                    .service(api::attachments::deals::attachment)
                    .service(api::attachments::deals::attachment_content)
                    .service(api::attachments::deals::remove_attachment)
                    .service(api::notifications::list)
                    .service(api::notifications::unread)
                    .service(api::notifications::read)
                    .service(api::notifications::archive)
                    .service(api::notifications::read_all)
                    .service(live::ws)
                    .service(live::stream::follow)
                    .service(api::deal_reports::funnel)
                    .service(api::deal_reports::forecast)
                    .service(api::deal_reports::outcomes)
                    .service(api::reports::metrics)
                    .service(api::summary::summary)
                    .service(api::search::search)
                    .service(api::webhooks::list)
                    .service(api::webhooks::create)
                    .service(api::webhooks::read)
                    .service(api::webhooks::change)
                    .service(api::webhooks::remove)
                    .service(api::webhooks::rotate)
                    .service(api::webhooks::ping)
                    .service(api::webhooks::replay)
                    .service(api::webhooks::deliveries)
                    .service(api::webhooks::redeliver)
                    .service(api::sagas::list)
                    .service(api::sagas::read)
                    .service(api::sagas::undo)
                    .service(api::sagas::undo_preview)
                    .service(api::audit::events)
                    .service(api::audit::event)
                    .service(api::events::list)
                    .service(api::events::chain)
                    .service(api::subscriptions::list)
                    .service(api::subscriptions::put)
                    .service(api::subscriptions::read)
                    .service(api::subscriptions::remove)
                    .service(api::subscriptions::lease_events)
                    .service(api::subscriptions::acknowledge)
                    .service(api::admin::cluster)
                    .service(api::admin::actors)
                    .service(api::admin::breakers)
                    .service(api::admin::force_breaker)
                    .service(api::admin::consumers)
                    .service(api::admin::history)
                    .service(api::admin::dead_letters)
                    .service(api::admin::redrive)
                    .service(api::admin::integrity)
                    .service(api::security::security_log)
                    .service(api::api_keys::list)
                    .service(api::api_keys::create)
                    .service(api::api_keys::revoke),
            )
            .service(ops::healthz)
            .service(ops::readyz)
            .service(ops::metrics)
            .service(ops::openapi)
            .service(ops::asyncapi)
    };
}

/// Every route of the API.
pub fn routes(config: &mut web::ServiceConfig) {
    register!(config, web::scope("/api"));
}

/// The complete document of [`routes`].
pub fn document() -> OpenApi {
    use utoipa_actix_web::AppExt;
    let (_, api) = actix_web::App::new().into_utoipa_app().configure(documented_routes).split_for_parts();
    openapi::complete(api)
}

fn documented_routes(config: &mut ServiceConfig) {
    register!(config, scope("/api"));
}

pub use console::pages;

/// The document's page, with every asset embedded.
pub fn docs() -> utoipa_swagger_ui::SwaggerUi {
    utoipa_swagger_ui::SwaggerUi::new("/docs/{_:.*}").config(utoipa_swagger_ui::Config::from("/openapi.json"))
}

/// Whatever no route took.
pub async fn no_route(request: HttpRequest) -> HttpResponse {
    error::HttpError(methods::no_resource(&request)).error_response()
}
