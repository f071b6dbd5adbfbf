//! The frames of both directions (SPEC §6), as JSON text.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::actors::analytics::view::NotificationView;
use crate::i18n;
use domain::topic::Topic;
use kernel::clock::Timestamp;
use kernel::cloud_event::CloudEvent;
use kernel::error::Error;
use kernel::ids::Id;
use kernel::locale::Locale;

/// The frames of the server.
#[derive(Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ServerFrame<'a> {
    /// Signed in: what follows begins after this cursor.
    Hello { user_id: Id, cursor: &'a str },
    /// A notification of the user, as the REST API shows it.
    Notification { cursor: &'a str, notification: Box<NotificationView> },
    /// A notification of the user was read or archived, here, through another client, or by the user's decision on the
    /// request that it is about. It is not sent again to a client that resumes: that one asks how many are unread.
    #[serde(rename = "notification_state")]
    NotificationState {
        id: Id,
        read_at: Option<Timestamp>,
        archived_at: Option<Timestamp>,
        /// How many notifications of the user are neither read nor archived now; null if that can't be told.
        unread: Option<i64>,
    },
    /// An event of a topic that the client follows.
    Event { cursor: &'a str, event: CloudEvent<'a> },
    /// The client's cursor is unknown or too old: fetch everything again; what follows begins after this cursor.
    Reset { cursor: &'a str },
    /// What was wrong with a frame, or why the connection ends. Nothing has changed.
    Error {
        /// A stable name: one of the `code`s of problems.
        code: &'static str,
        title: String,
        detail: String,
    },
}

/// The frames of a client.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
pub enum ClientFrame {
    /// The first frame of a client that could not send a header.
    Auth {
        /// An access token.
        token: String,
    },
    /// The topics to follow from now on, instead of those before. An empty list ends all.
    Subscribe { topics: Vec<Topic> },
    /// Continue after this cursor. To resume topics, too, subscribe before.
    Resume { cursor: String },
}

/// A frame that is ready to be sent, to any number of sockets.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Its type: the event name of Server-Sent Events.
    pub kind: &'static str,
    /// The client's cursor after it; `None` for errors and for what is not sent again.
    pub cursor: Option<Arc<str>>,
    pub text: Arc<str>,
}

impl Frame {
    /// Writes a frame as text.
    pub fn new(frame: &ServerFrame<'_>) -> Self {
        let (kind, cursor) = match frame {
            ServerFrame::Hello { cursor, .. } => ("hello", Some(*cursor)),
            ServerFrame::Notification { cursor, .. } => ("notification", Some(*cursor)),
            ServerFrame::NotificationState { .. } => ("notification_state", None),
            ServerFrame::Event { cursor, .. } => ("event", Some(*cursor)),
            ServerFrame::Reset { cursor } => ("reset", Some(*cursor)),
            ServerFrame::Error { .. } => ("error", None),
        };
        let text = serde_json::to_string(frame).expect("frames are plain structs");
        Self { kind, cursor: cursor.map(Arc::from), text: text.into() }
    }

    /// An error frame in the reader's language.
    pub fn error(error: &Error, locale: Locale) -> Self {
        let code = error.code.as_str();
        let text = |attribute| i18n::text(locale, code, attribute, &[]).unwrap_or_else(|| code.to_owned());
        Self::new(&ServerFrame::Error { code, title: text(None), detail: text(Some("detail")) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_clients_are_read_strictly() {
        let read = |text: &str| serde_json::from_str::<ClientFrame>(text);
        assert!(matches!(read(r#"{"type":"auth","token":"a"}"#), Ok(ClientFrame::Auth { .. })));
        let subscribe = read(r#"{"type":"subscribe","topics":["sagas","customers"]}"#);
        assert!(matches!(subscribe, Ok(ClientFrame::Subscribe { topics }) if topics.len() == 2));
        for wrong in [
            "",
            "null",
            "[]",
            "{}",
            r#"{"type":"hello"}"#,
            r#"{"type":"subscribe","topics":["users"]}"#,
            r#"{"type":"resume","cursor":"a","more":1}"#,
            r#"{"type":"resume","cursor":7}"#,
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
