//! `/api/notifications`: one's own, in one's own language.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get};
use serde::Serialize;
use utoipa::ToSchema;

use super::conventions::asked_locale;
use super::extract::{Params, Signed};
use super::paging::{self, list_params};
use super::state::Gateway;
use crate::actors::analytics::messages::ListNotifications;
use crate::actors::analytics::notifications::{Notification, NotificationData};
use crate::actors::auth::messages::Locale;
use crate::actors::refusal::Refusal;
use crate::clock::Timestamp;
use crate::i18n::{self, Param};
use crate::ids::Id;
use crate::persistence::analytics::NEWEST_FIRST;

type Answer = Result<HttpResponse, Refusal>;

/// A notification in its reader's language.
#[derive(Serialize, ToSchema)]
pub struct NotificationView {
    id: Id,
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
    /// The type of the event it tells of.
    #[schema(example = "customer.created")]
    kind: String,
    title: String,
    body: String,
    subject: Subject,
    data: NotificationData,
    #[schema(required)]
    read_at: Option<Timestamp>,
    #[schema(required)]
    archived_at: Option<Timestamp>,
}

/// What a notification is about.
#[derive(Serialize, ToSchema)]
pub struct Subject {
    #[schema(example = "customer")]
    r#type: String,
    id: Id,
}

impl NotificationView {
    fn new(notification: Notification, locale: Locale) -> Self {
        let key = format!("notification-{}", notification.kind.replace(['.', '_'], "-"));
        let params = [("customer_name", Param::Text(notification.data.customer_name.clone()))];
        let text = |attribute| i18n::text(locale, &key, attribute, &params).unwrap_or_default();
        Self {
            id: notification.id,
            version: notification.version,
            created_at: notification.created_at,
            updated_at: notification.updated_at,
            title: text(None),
            body: text(Some("body")),
            kind: notification.kind,
            subject: Subject { r#type: notification.subject_type, id: notification.subject_id },
            data: notification.data,
            read_at: notification.read_at,
            archived_at: notification.archived_at,
        }
    }
}

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
