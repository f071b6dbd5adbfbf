//! `/api/notifications`: one's own, in one's own language.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get, patch, post};

use super::answer;
use super::extract::{NoParams, Nothing, OptionalBody, Params, PathId, Signed};
use super::idempotency::{Shape, once, once_viewed};
use super::notification_view::{NotificationView, Reader};
use super::paging::{self, list_params};
use super::state::Gateway;
use crate::actors::analytics::domain::NotificationCommand;
use crate::actors::analytics::messages::{ListNotifications, MarkNotification, ReadCount};
use crate::actors::refusal::Refusal;
use crate::ids::Id;
use crate::persistence::analytics::NEWEST_FIRST;

type Answer = Result<HttpResponse, Refusal>;

list_params! {
    /// Which page of notifications.
    NotificationParams {}
}

async fn page(
    gateway: &Gateway,
    request: &HttpRequest,
    signed: &Signed,
    params: &NotificationParams,
    unread_only: bool,
) -> Answer {
    let mut page = params.page(|keyset| NEWEST_FIRST.fits(keyset))?;
    // The badge is always told.
    page.count |= unread_only;
    let found = gateway.analytics.ask(ListNotifications { caller: signed.caller, unread_only, page }).await?;
    let reader = Reader::of(request, signed);
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
    signed: Signed,
    params: Params<NotificationParams>,
) -> Answer {
    page(&gateway, &request, &signed, &params.0, false).await
}

/// Those neither read nor archived; their number is in `X-Total-Count`
#[utoipa::path(tag = "notifications", params(NotificationParams), responses((status = 200, body = Vec<NotificationView>)))]
#[get("/notifications/unread")]
pub async fn unread(
    gateway: Data<Gateway>,
    request: HttpRequest,
    signed: Signed,
    params: Params<NotificationParams>,
) -> Answer {
    page(&gateway, &request, &signed, &params.0, true).await
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
    signed: Signed,
    id: PathId,
    _: Params<NoParams>,
    body: OptionalBody<Nothing>,
) -> Answer {
    mark(&gateway, &request, &signed, id.0, NotificationCommand::Read, &body.0.digest).await
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
    signed: Signed,
    id: PathId,
    _: Params<NoParams>,
    body: OptionalBody<Nothing>,
) -> Answer {
    mark(&gateway, &request, &signed, id.0, NotificationCommand::Archive, &body.0.digest).await
}

async fn mark(
    gateway: &Gateway,
    request: &HttpRequest,
    signed: &Signed,
    id: Id,
    mark: NotificationCommand,
    digest: &[u8],
) -> Answer {
    let reader = Reader::of(request, signed);
    let view = |stored: &_| NotificationView::body_of(stored, &reader);
    once_viewed(gateway, request, signed, digest, Shape::OK, view, async |context| {
        let after = gateway.analytics.ask(MarkNotification { id, mark, context }).await?;
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
    signed: Signed,
    _: Params<NoParams>,
    body: OptionalBody<Nothing>,
) -> Answer {
    once(&gateway, &request, &signed, &body.0.digest, Shape::OK, async |context| {
        Ok(HttpResponse::Ok().json(gateway.analytics.read_all(context).await?))
    })
    .await
}
