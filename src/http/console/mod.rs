//! The web console (SPEC §10): pages made on the server, of the same messages that the API sends. It holds no rule,
//! and shows what a service refuses beside the field it is about.
//!
//! Each page is one file of `pages/`; [`pages()`] is the table of their routes. `kit/` has what pages are made of:
//! the frame, forms, names, the session. `around` is the middleware of all pages: it authenticates the request
//! (`session`), turns errors into pages, and sets the headers that keep a browser safe.

mod kit;
mod pages;

pub use kit::form_data::{Fields, is_here};

use crate::http::admission;
use crate::http::error::HttpError;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, Accept, Header, HeaderName, HeaderValue, Quality, QualityItem};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::{Next, from_fn};
use actix_web::mime::Mime;
use actix_web::web::{self, ServiceConfig};
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, guard};

use crate::http::request_log::note_user;
use crate::http::state::gateway;
use kernel::error::{Error, ErrorCode};
use kit::form_data::Unproven;
use kit::resume::is_form;
use kit::session::Identity;
use kit::session_user::PageCursor;
use kit::{assets, frame, session, session_user, shared_pages};
use pages::{
    admin, api_keys, approvals, attachments, audit, audit_event, board, bulk, choices, comments, customer,
    customers, deal, deal_reports, deals, design, duplicates, home, import, imports, installed, login,
    meeting, meetings, merge, notifications, reports, sagas, search, security, settings, shortcuts, task,
    tasks, users, views, webhook, webhooks,
};

/// What a page may do: run our scripts, and send its forms here. Nothing stands inline.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Addresses that take forms and are no pages. Somebody may come back to one after a sign-in.
const FORMS_ALONE: [&str; 25] = [
    "/admin/webhooks/{id}/deliveries/{delivery_id}/redeliver",
    "/imports/{id}/commit",
    "/customers/bulk",
    "/meetings/bulk",
    "/tasks/bulk",
    "/deals/bulk",
    "/views",
    "/views/{id}",
    "/news/seen",
    "/logout",
    "/meetings/{id}/delete",
    "/tasks/{id}/delete",
    "/tasks/{id}/status",
    "/tasks/{id}/postpone",
    "/deals/{id}/delete",
    "/deals/{id}/move",
    "/notifications/read-all",
    "/admin/breakers/{name}",
    "/admin/dead-letters/{id}/redrive",
    "/settings/profile",
    "/settings/preferences",
    "/settings/password",
    "/settings/sessions/{id}/end",
    "/{records:customers|meetings|tasks|approvals|deals}/{id}/comments/{part_id}/delete",
    "/{records:customers|meetings|tasks|approvals|deals}/{id}/attachments/{part_id}/delete",
];

/// Every page of the console. The last service of the app: what no page takes is nobody's.
pub fn pages(config: &mut ServiceConfig) {
    let pages = web::scope("")
        .service(assets::asset)
        .service(home::index)
        .service(home::seen)
        .service(login::index)
        .service(login::login)
        .service(login::logout)
        .service(login::renewed)
        .service(web::resource(FORMS_ALONE.to_vec()).guard(guard::Get()).to(login::lead))
        .service(choices::index)
        .service(search::index)
        .service(search::palette)
        .service(shortcuts::index)
        .service(design::index)
        .service(installed::manifest)
        .service(installed::worker)
        .service(installed::offline)
        .service(customers::index)
        .service(customers::create)
        .service(customers::file)
        .service(bulk::customers)
        .service(bulk::meetings)
        .service(bulk::tasks)
        .service(bulk::deals)
        .service(customer::index)
        .service(customer::edit)
        .service(customer::change)
        .service(customer::ask_removal)
        .service(customer::remove)
        .service(merge::compare)
        .service(duplicates::index)
        .service(duplicates::of_form)
        .service(merge::join)
        .service(meetings::index)
        .service(meetings::create)
        .service(meetings::file)
        .service(meeting::index)
        .service(meeting::edit)
        .service(meeting::change)
        .service(meeting::remove)
        .service(tasks::index)
        .service(tasks::create)
        .service(tasks::file)
        .service(task::index)
        .service(task::edit)
        .service(task::change)
        .service(task::set_status)
        .service(task::postpone)
        .service(task::remove)
        .service(approvals::index)
        .service(approvals::create)
        .service(approvals::file)
        .service(approvals::show)
        .service(approvals::decide)
        .service(deals::index)
        .service(deals::create)
        .service(deals::file)
        .service(deal::index)
        .service(deal::edit)
        .service(deal::change)
        .service(deal::remove)
        .service(board::move_to)
        .service(attachments::index)
        .service(attachments::attach)
        .service(attachments::content)
        .service(attachments::remove)
        .service(comments::index)
        .service(comments::add)
        .service(comments::edit)
        .service(comments::change)
        .service(comments::remove)
        .service(notifications::index)
        .service(notifications::read_all)
        .service(notifications::open)
        .service(notifications::mark)
        .service(deal_reports::index)
        .service(deal_reports::file)
        .service(reports::index)
        .service(reports::download)
        .service(sagas::index)
        .service(sagas::ask_undo)
        .service(sagas::undo)
        .service(imports::index)
        .service(imports::submit)
        .service(import::index)
        .service(import::read_again)
        .service(import::carry_out)
        .service(admin::index)
        .service(admin::force_breaker)
        .service(admin::redrive)
        .service(users::index)
        .service(users::create)
        .service(users::edit)
        .service(users::change)
        .service(users::ask_removal)
        .service(users::remove)
        .service(api_keys::index)
        .service(api_keys::create)
        .service(api_keys::revoke)
        .service(views::create)
        .service(views::change)
        .service(audit::index)
        .service(audit_event::first_of)
        .service(audit_event::index)
        .service(security::index)
        .service(webhooks::index)
        .service(webhooks::create)
        .service(webhook::index)
        .service(webhook::change)
        .service(webhook::redeliver)
        .service(settings::index)
        .service(settings::change_profile)
        .service(settings::change_preferences)
        .service(settings::change_password)
        .service(settings::end_session)
        .wrap(from_fn(around));
    config.service(pages);
}

/// The middleware around the pages.
///
/// # Errors
/// None of its own.
async fn around(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    if request.path().starts_with(assets::PATH) {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    let allowed =
        if request.method() == Method::GET { Ok(()) } else { session::check_origin(request.request()) };
    let known = async {
        allowed?;
        admission::enter(&request).await?;
        session::identify(request.request()).await
    };
    let mut response = match known.await {
        Ok((Identity(None), _)) if is_kept(&request) => sign_in_first(request).await,
        Ok((identity, renewed)) => {
            if let Identity(Some(principal)) = &identity {
                note_user(principal.caller.user_id);
            }
            // Before the page reads anything.
            let cursor = if request.method() == Method::GET { page_cursor(&request).await } else { None };
            request.extensions_mut().insert(PageCursor(cursor));
            request.extensions_mut().insert(identity);
            let mut response = next.call(request).await?.map_into_boxed_body();
            if let Some(renewed) = renewed {
                session::hand_over(&mut response, &renewed);
            }
            response
        }
        Err(error) => {
            let (request, _) = request.into_parts();
            request.extensions_mut().insert(Identity(None));
            ServiceResponse::new(request, actix_web::ResponseError::error_response(&HttpError(error)))
        }
    };
    if let Some(error) = taken(&mut response) {
        let answer = refused(response.request(), &error).await;
        let cookies = response.headers().get_all(header::SET_COOKIE).cloned().collect::<Vec<_>>();
        response = response.into_response(answer);
        cookies.into_iter().for_each(|cookie| response.headers_mut().append(header::SET_COOKIE, cookie));
    }
    say_where(&mut response);
    let headers = response.headers_mut();
    // A file has a stricter one.
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    }
    // With `no-referrer`, which the API says, browsers send forms with `Origin: null`.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    Ok(response)
}

/// Where the live feed is, for a page that goes on from there. A page without it is read again when the feed begins.
async fn page_cursor(request: &ServiceRequest) -> Option<String> {
    gateway(request.request()).live.cursor().await.ok()
}

/// Tells a page's script, which has sent a form, where to go: a redirect it could only follow, reading the page twice.
fn say_where(response: &mut ServiceResponse<BoxBody>) {
    let is_script = response.request().headers().contains_key("kizuna-form");
    if is_script && response.status() == StatusCode::SEE_OTHER {
        *response.response_mut().status_mut() = StatusCode::OK;
        if let Some(address) = response.headers_mut().remove(header::LOCATION).next() {
            response.headers_mut().insert(HeaderName::from_static("kizuna-location"), address);
        }
    }
}

/// Whether the request is a form that people type into.
fn is_kept(request: &ServiceRequest) -> bool {
    request.method() == Method::POST && is_form(request.path())
}

/// The answer to a form that was sent without a session.
async fn sign_in_first(request: ServiceRequest) -> ServiceResponse<BoxBody> {
    let (request, mut payload) = request.into_parts();
    request.extensions_mut().insert(Identity(None));
    let answer = match Unproven::from_request(&request, &mut payload).await {
        Ok(sent) => login::keeping(&request, &sent.0).await.unwrap_or_else(|| login::first(&request)),
        Err(error) => actix_web::ResponseError::error_response(&error),
    };
    ServiceResponse::new(request, answer)
}

/// The error behind an answer, which becomes a page. `None` for a 405 on a path of the API (whose answer has `Allow`), and
/// for a 404 where the client accepts no HTML: the API renders those.
fn taken(response: &mut ServiceResponse<BoxBody>) -> Option<Error> {
    let code = response.response().extensions().get::<Error>()?.code;
    match code {
        ErrorCode::MethodNotAllowed => None,
        ErrorCode::NotFound if !wants_page(response.request()) => None,
        _ => response.response_mut().extensions_mut().remove::<Error>(),
    }
}

/// Whether the client names HTML among what it accepts; `q=0` excludes it.
fn wants_page(request: &HttpRequest) -> bool {
    let is_html = |range: &QualityItem<Mime>| {
        range.item.essence_str().eq_ignore_ascii_case("text/html") && range.quality > Quality::ZERO
    };
    Accept::parse(request).is_ok_and(|Accept(ranges)| ranges.iter().any(is_html))
}

/// A error as a page; whoever is not signed in may do so.
async fn refused(request: &HttpRequest, error: &Error) -> HttpResponse {
    if error.code.status() == 401 {
        return login::first(request);
    }
    let frame = session_user::frame_of(request, "").await;
    let page = shared_pages::Refused::new(frame, error);
    frame::html(frame::Outcome(Some(error)), &page)
}
