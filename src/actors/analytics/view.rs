//! A notification as its reader sees it: what the REST API lists and the live feed sends.

use serde::Serialize;
use utoipa::ToSchema;

use super::notifications::{Notification, NotificationData};
use crate::actors::auth::messages::Locale;
use crate::clock::Timestamp;
use crate::i18n::{self, Param};
use crate::ids::Id;

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
    /// In `locale`, by the texts of `locales/` under the kind's name.
    pub fn new(notification: Notification, locale: Locale) -> Self {
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
