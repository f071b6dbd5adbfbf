//! A notification as its reader sees it, in the reader's language and time zone, for the REST API and the live feed.

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::formats;
use crate::i18n;
use crate::i18n::Param;
use domain::notification::record::{Notification, NotificationData};
use domain::user::record::User;
use kernel::clock::Timestamp;
use kernel::ids::Id;
use kernel::locale::Locale;

/// Characters of a comment that the text shows; `data` has all of them.
const COMMENT_SHOWN: usize = 200;

/// The reader for whom a notification is rendered.
#[derive(Clone, Debug)]
pub struct Reader {
    pub locale: Locale,
    /// An IANA name.
    pub time_zone: String,
}

impl Reader {
    /// A user as a reader, in their own language unless the request names another.
    pub fn of(user: &User, asked: Option<Locale>) -> Self {
        Self { locale: asked.unwrap_or(user.locale), time_zone: user.time_zone.clone() }
    }
}

/// A notification in its reader's language.
#[derive(Serialize, ToSchema)]
pub struct NotificationView {
    pub id: Id,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// The type of its event.
    #[schema(example = "customer.created")]
    pub kind: String,
    pub title: String,
    pub body: String,
    pub subject: Subject,
    pub data: NotificationData,
    #[schema(required)]
    pub read_at: Option<Timestamp>,
    #[schema(required)]
    pub archived_at: Option<Timestamp>,
}

/// The subject of a notification.
#[derive(Serialize, ToSchema)]
pub struct Subject {
    #[schema(example = "customer")]
    pub r#type: String,
    pub id: Id,
}

impl NotificationView {
    pub fn new(notification: Notification, reader: &Reader) -> Self {
        let key = format!("notification-{}", notification.kind.replace(['.', '_'], "-"));
        let params = params(&notification.data, reader);
        let text = |attribute| i18n::text(reader.locale, &key, attribute, &params).unwrap_or_default();
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

    /// Renders a stored notification as the body of an answer.
    ///
    /// # Errors
    /// When the stored text can't be parsed.
    pub fn body_of(stored: &RawValue, reader: &Reader) -> serde_json::Result<String> {
        serde_json::to_string(&Self::new(serde_json::from_str(stored.get())?, reader))
    }
}

/// The parameters of the texts in `locales/`.
fn params(data: &NotificationData, reader: &Reader) -> Vec<(&'static str, Param)> {
    let mut params = Vec::new();
    let mut name = |name, text: Option<String>| params.extend(text.map(|text| (name, Param::Text(text))));
    let addressed = |name: &str| formats::addressed(reader.locale, name);
    name("customer_name", data.customer_name.clone());
    name("title", data.title.clone());
    let amount = data.amount.zip(data.currency.as_deref());
    name("amount", amount.map(|(minor, currency)| formats::amount(reader.locale, minor, currency)));
    name("requester_name", data.requester_name.as_deref().map(addressed));
    name("decided_by_name", data.decided_by_name.as_deref().map(addressed));
    name("author_name", data.author_name.as_deref().map(addressed));
    name("comment", data.comment.as_deref().map(shortened));
    name("due_at", data.due_at.map(|due| formats::moment(reader.locale, due, &reader.time_zone)));
    params
}

fn shortened(comment: &str) -> String {
    match comment.char_indices().nth(COMMENT_SHOWN) {
        Some((end, _)) => format!("{}…", &comment[..end]),
        None => comment.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::notification::kinds::NotificationKind;
    use kernel::ids::new_id;

    fn told(kind: &str, data: NotificationData) -> Notification {
        let now = Timestamp::parse("2026-03-02T09:00:00Z").unwrap();
        Notification {
            id: new_id(),
            version: 1,
            created_at: now,
            updated_at: now,
            user_id: new_id(),
            kind: kind.to_owned(),
            subject_type: "approval".into(),
            subject_id: new_id(),
            customer_id: None,
            data,
            read_at: None,
            archived_at: None,
        }
    }

    fn full() -> NotificationData {
        NotificationData {
            customer_name: Some("青空商事".into()),
            owner_id: Some(new_id()),
            title: Some("青空商事 様の値引き".into()),
            amount: Some(120_000),
            currency: Some("JPY".into()),
            requester_id: Some(new_id()),
            requester_name: Some("佐藤".into()),
            decided_by: Some(new_id()),
            decided_by_name: Some("鈴木".into()),
            comment: Some("高".repeat(300)),
            comment_id: Some(new_id()),
            author_id: Some(new_id()),
            author_name: Some("田中".into()),
            due_at: Timestamp::parse("2026-03-03T09:00:00Z"),
        }
    }

    #[test]
    fn every_kind_has_its_texts_in_both_languages() {
        let mut seen = std::collections::HashSet::new();
        for kind in NotificationKind::ALL {
            for locale in [Locale::Ja, Locale::En] {
                let reader = Reader { locale, time_zone: "Asia/Tokyo".into() };
                let NotificationView { title, body, .. } =
                    NotificationView::new(told(kind.name(), full()), &reader);
                assert!(
                    !title.is_empty() && body.contains("青空商事"),
                    "{kind:?} in {locale:?}: {title}: {body}"
                );
                assert!(!body.contains(['{', '$']), "{kind:?} in {locale:?} names what there is not: {body}");
                assert_eq!(title.is_ascii(), locale == Locale::En, "{title}");
                assert!(
                    seen.insert(title) && seen.insert(body),
                    "{kind:?} in {locale:?} has texts of its own"
                );
            }
        }
    }

    #[test]
    fn a_long_comment_is_shown_in_part() {
        let reader = Reader { locale: Locale::En, time_zone: "Asia/Tokyo".into() };
        let view = NotificationView::new(told("approval.rejected", full()), &reader);
        assert!(view.body.ends_with(&format!(": {}…", "高".repeat(200))), "{}", view.body);
        assert_eq!(view.data.comment.map(|comment| comment.chars().count()), Some(300));
    }
}
