//! `/api/notifications`: one's own, in one's own language.

use crate::http::error::HttpResult;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get, patch, post};

use crate::actors::analytics::view::{NotificationView, Reader};
use crate::http::answer;
use crate::http::extract::{Authenticated, NoParams, Nothing, OptionalBody, Params, PathId};
use crate::http::idempotency::{Shape, once, once_viewed};
use crate::http::language::asked_locale;
use crate::http::paging;
use crate::http::paging::list_params;
use crate::http::state::Gateway;
use domain::notification::messages::{ListNotifications, MarkNotification, NEWEST_FIRST, ReadCount, Which};
use domain::notification::rules::NotificationCommand;
use kernel::ids::Id;

list_params! {
    /// Which page of notifications.
    NotificationParams {}
}

async fn page(
    gateway: &Gateway,
    request: &HttpRequest,
    auth: &Authenticated,
    params: &NotificationParams,
    which: Which,
) -> HttpResult {
    let mut page = params.page(|keyset| NEWEST_FIRST.fits(keyset))?;
    // The badge is always told.
    page.count |= which == Which::Unread;
    let found = gateway.analytics.service.ask(ListNotifications { caller: auth.caller, which, page }).await?;
    let reader = Reader::of(&auth.user.user, asked_locale(request));
    Ok(paging::list(request, &found.map(|notification| NotificationView::new(notification, &reader))))
}

/// One's own notifications, newest first
///
/// All of them: read and archived ones too.
#[utoipa::path(tag = "notifications", params(NotificationParams), responses((status = 200, body = Vec<NotificationView>)))]
#[get("/notifications")]
pub async fn list(
    gateway: Data<Gateway>,
    request: HttpRequest,
    auth: Authenticated,
    params: Params<NotificationParams>,
) -> HttpResult {
    page(&gateway, &request, &auth, &params.0, Which::All).await
}

/// Those neither read nor archived; their number is in `X-Total-Count`
#[utoipa::path(tag = "notifications", params(NotificationParams), responses((status = 200, body = Vec<NotificationView>)))]
#[get("/notifications/unread")]
pub async fn unread(
    gateway: Data<Gateway>,
    request: HttpRequest,
    auth: Authenticated,
    params: Params<NotificationParams>,
) -> HttpResult {
    page(&gateway, &request, &auth, &params.0, Which::Unread).await
}

/// Mark a notification as read
#[utoipa::path(
    tag = "notifications",
    params(("id" = Id, Path)),
    request_body = Option<Nothing>,
    responses((status = 200, body = NotificationView))
)]
#[patch("/notifications/{id}/read")]
pub async fn read(
    gateway: Data<Gateway>,
    request: HttpRequest,
    auth: Authenticated,
    id: PathId,
    _: Params<NoParams>,
    body: OptionalBody<Nothing>,
) -> HttpResult {
    mark(&gateway, &request, &auth, id.0, NotificationCommand::Read, &body.0.digest).await
}

/// Archive a notification
#[utoipa::path(
    tag = "notifications",
    params(("id" = Id, Path)),
    request_body = Option<Nothing>,
    responses((status = 200, body = NotificationView))
)]
#[patch("/notifications/{id}/archive")]
pub async fn archive(
    gateway: Data<Gateway>,
    request: HttpRequest,
    auth: Authenticated,
    id: PathId,
    _: Params<NoParams>,
    body: OptionalBody<Nothing>,
) -> HttpResult {
    mark(&gateway, &request, &auth, id.0, NotificationCommand::Archive, &body.0.digest).await
}

async fn mark(
    gateway: &Gateway,
    request: &HttpRequest,
    auth: &Authenticated,
    id: Id,
    mark: NotificationCommand,
    digest: &[u8],
) -> HttpResult {
    let reader = Reader::of(&auth.user.user, asked_locale(request));
    let view = |stored: &_| NotificationView::body_of(stored, &reader);
    once_viewed(gateway, request, auth, digest, Shape::OK, view, async |context| {
        let after = gateway.analytics.service.ask(MarkNotification { id, mark, context }).await?;
        Ok(answer::record(after.version, &NotificationView::new((*after).clone(), &reader)))
    })
    .await
}

/// Mark every unread notification as read
///
/// Answers how many that were; what comes meanwhile may stay unread.
#[utoipa::path(
    tag = "notifications",
    request_body = Option<Nothing>,
    responses((status = 200, body = ReadCount))
)]
#[post("/notifications/read-all")]
pub async fn read_all(
    gateway: Data<Gateway>,
    request: HttpRequest,
    auth: Authenticated,
    _: Params<NoParams>,
    body: OptionalBody<Nothing>,
) -> HttpResult {
    once(&gateway, &request, &auth, &body.0.digest, Shape::OK, async |context| {
        Ok(HttpResponse::Ok().json(gateway.analytics.read_all(context).await?))
    })
    .await
}
