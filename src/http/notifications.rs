//! `/api/notifications`: one's own, in one's own language.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get};

use super::conventions::asked_locale;
use super::extract::{Params, Signed};
use super::paging::{self, list_params};
use super::state::Gateway;
use crate::actors::analytics::messages::ListNotifications;
use crate::actors::analytics::view::NotificationView;
use crate::actors::refusal::Refusal;
use crate::persistence::analytics::NEWEST_FIRST;

type Answer = Result<HttpResponse, Refusal>;

list_params! {
    /// Which page of notifications.
    NotificationParams {}
}

async fn answer(
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
    let locale = asked_locale(request).unwrap_or(signed.user.user.locale);
    Ok(paging::list(request, &found.map(|notification| NotificationView::new(notification, locale))))
}

/// One's own notifications, newest first
#[utoipa::path(tag = "notifications", params(NotificationParams), responses((status = 200, body = Vec<NotificationView>)))]
#[get("/notifications")]
pub async fn list(
    gateway: Data<Gateway>,
    request: HttpRequest,
    signed: Signed,
    params: Params<NotificationParams>,
) -> Answer {
    answer(&gateway, &request, &signed, &params.0, false).await
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
    answer(&gateway, &request, &signed, &params.0, true).await
}
