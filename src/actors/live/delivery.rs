//! An event on its way to the sockets, rendered once for all users who see it in the same form.

use domain::events::{
    NOTIFICATION_MOVED, NOTIFICATION_READ, NOTIFICATION_RESTORED, NOTIFICATIONS_ARCHIVED, topic_of,
};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use crate::actors::analytics::view::{NotificationView, Reader};
use crate::actors::live::cursor;
use crate::actors::live::cursor::LogId;
use crate::actors::live::frames::{Frame, ServerFrame};
use crate::actors::live::topics::Topics;
use domain::api_key::event_scopes;
use domain::audience::{Audience, Viewer};
use domain::notification::record::{ArchivedPayload, NotificationPayload};
use domain::topic::Topic;
use domain::user::record::UserState;
use kernel::caller::Role;
use kernel::cloud_event::CloudEvent;
use kernel::event::LoggedEvent;
use kernel::scopes::Scopes;
use runtime::spans::{Kind, OpenSpan, SpanContext, Work};

/// An event and its audience.
pub struct Delivery {
    pub logged: Arc<LoggedEvent>,
    log: LogId,
    pub audience: Audience,
    /// `None` for notifications, which need no subscription.
    pub topic: Option<Topic>,
    /// What a key must have to see it.
    needs: Scopes,
    cursor: OnceLock<Arc<str>>,
    event: OnceLock<Frame>,
    /// Ends when the last listener has passed the event on.
    span: Option<OpenSpan>,
    /// The frames that were queued for sockets.
    frames: AtomicU32,
}

impl Delivery {
    pub fn new(log: LogId, logged: Arc<LoggedEvent>) -> Self {
        let audience = Audience::of(&logged).unwrap_or_else(|| {
            let event = logged.event.id;
            tracing::error!(%event, "can't read the owner in an event's data: the event is shown to nobody");
            Audience::Nobody
        });
        Self {
            audience,
            topic: topic_of(logged.event.event_type),
            needs: event_scopes::of_event(&logged),
            logged,
            log,
            cursor: OnceLock::new(),
            event: OnceLock::new(),
            span: None,
            frames: AtomicU32::new(0),
        }
    }

    /// Begins the span of the delivery to the sockets of this node, below the commit of the event.
    pub fn traced(mut self) -> Self {
        let parent = SpanContext::of(self.logged.event.traceparent.as_deref());
        let topic = self.topic.map_or("notifications", Topic::as_str);
        self.span = OpenSpan::child(Kind::Producer, parent).map(|span| {
            let mut span = span.named(Work::Delivery, format!("deliver {topic}"));
            span.set("messaging.system", "kizuna");
            span.set("messaging.operation.type", "send");
            span.set("messaging.operation.name", "deliver");
            span.set("messaging.destination.name", topic);
            span.set("kizuna.event_type", self.logged.event.event_type.name());
            span
        });
        self
    }

    /// Counts a frame that was queued for a socket.
    pub fn sent(&self) {
        if self.span.is_some() {
            self.frames.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The number of the event in the whole log.
    pub fn number(&self) -> i64 {
        self.logged.log_seq.unwrap_or_default()
    }

    /// Whether a reader who follows these topics wants it.
    pub fn is_of(&self, topics: Topics) -> bool {
        self.topic.is_none_or(|topic| topics.contains(topic))
    }

    /// Whether a reader with these scopes may see it, as far as that depends on them.
    pub fn is_within(&self, scopes: Scopes) -> bool {
        scopes.covers(self.needs)
    }

    /// The frame for `user` in a role, by the user's language; `None` if it may not be seen so. `unread` is the user's count,
    /// which a notification's state tells.
    pub fn frame_for(&self, user: &UserState, role: Role, unread: Option<i64>) -> Option<Frame> {
        let viewer = Viewer { user_id: user.user.id, role };
        if !self.audience.includes(&viewer) {
            return None;
        }
        match self.topic {
            Some(_) => Some(self.event.get_or_init(|| self.event_frame()).clone()),
            // To its reader, nothing has changed.
            None if self.logged.event.event_type == NOTIFICATION_MOVED => None,
            None if self.is_state() => self.state_frame(unread),
            None => self.notification_frame(user),
        }
    }

    /// Whether it says that a notification was read or archived, or is not archived any more.
    pub fn is_state(&self) -> bool {
        let states = [NOTIFICATION_READ, NOTIFICATION_RESTORED, NOTIFICATIONS_ARCHIVED];
        states.contains(&self.logged.event.event_type)
    }

    fn state_frame(&self, unread: Option<i64>) -> Option<Frame> {
        let event = &self.logged.event;
        let state = if event.event_type != NOTIFICATIONS_ARCHIVED {
            let read = self.logged.payload::<NotificationPayload>();
            read.map(|it| (it.notification.id, it.notification.read_at, it.notification.archived_at))
        } else {
            let archived = self.logged.payload::<ArchivedPayload>();
            archived.map(|it| (it.subject_id, it.read_at, Some(event.time)))
        };
        match state {
            Ok((id, read_at, archived_at)) => {
                Some(Frame::new(&ServerFrame::NotificationState { id, read_at, archived_at, unread }))
            }
            Err(error) => {
                tracing::error!(id = %event.id, %error, "can't read a notification's state: it is not sent");
                None
            }
        }
    }

    fn event_frame(&self) -> Frame {
        Frame::new(&ServerFrame::Event { cursor: self.cursor(), event: CloudEvent::from(&*self.logged) })
    }

    fn notification_frame(&self, user: &UserState) -> Option<Frame> {
        match self.logged.payload::<NotificationPayload>() {
            Ok(NotificationPayload { notification }) => {
                let reader = Reader::of(&user.user, None);
                let notification = Box::new(NotificationView::new(notification, &reader));
                Some(Frame::new(&ServerFrame::Notification { cursor: self.cursor(), notification }))
            }
            Err(error) => {
                tracing::error!(id = %self.logged.event.id, %error, "can't read a notification: it is not sent");
                None
            }
        }
    }

    fn cursor(&self) -> &str {
        self.cursor.get_or_init(|| cursor::encode(self.log, self.number()).into())
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        let Some(mut span) = self.span.take() else { return };
        match *self.frames.get_mut() {
            // No socket of this node has got it.
            0 => span.discard(),
            frames => span.set("messaging.batch.message_count", i64::from(frames)),
        }
    }
}
