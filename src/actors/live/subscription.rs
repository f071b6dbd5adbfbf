//! The feed of a socket: from its cursor through the log, then live, without a gap or an overlap.
//!
//! The log is read up to the hub's position when the socket joined; later events wait in the inbox. Both are in the order
//! of commits, so that a feed that was resumed is like one that never broke. Events that the log gave already are dropped
//! from the inbox by their number.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use crate::actors::live::client::LiveClient;
use crate::actors::live::cursor;
use crate::actors::live::cursor::LogId;
use crate::actors::live::delivery::Delivery;
use crate::actors::live::frames::{Frame, ServerFrame};
use crate::actors::live::hub::{AddTopics, GetPosition, Position};
use crate::actors::live::listener::role_of;
use crate::actors::live::outbox::{Ended, Inbox, Queued};
use crate::actors::live::topics::Topics;
use domain::events::NOTIFICATION_CREATED;
use domain::user::messages::Principal;
use kernel::caller::Caller;
use kernel::error::Error;
use kernel::event::{EventType, LoggedEvent};
use kernel::locale::Locale;
use store::log;
use store::log::Range;

/// Events read from the log at a time: what a resuming socket holds in memory.
const PAGE: i64 = 64;
/// A cursor with more events than this after it is too old for a feed with topics: fetching everything again is cheaper.
pub const BEHIND_MAX: i64 = 100_000;
/// As above, for a feed of notifications alone, which an index finds.
const NOTIFICATIONS_BEHIND_MAX: i64 = 1_600_000;
/// How long live events are held back after the hello, for a client that may send `resume`: events sent before would be
/// sent again.
const RESUME_GRACE: Duration = Duration::from_millis(200);

/// Where a feed begins.
pub enum Start<'a> {
    /// After this cursor.
    After(&'a str),
    /// Now.
    Now,
    /// Now, unless the client resumes within a moment.
    NowOrResumed,
}

enum Mode {
    /// The hub must be asked up to which number the log is to be read.
    Unknown,
    /// Reads the log up to this number.
    Behind(i64),
    Live,
}

/// The feed of a socket. Dropping it ends the feed.
pub struct Subscription {
    link: Link,
    feed: Feed,
}

/// The connection of a socket to its user's listener.
struct Link {
    live: LiveClient,
    /// The log of its cursors.
    log: LogId,
    caller: Caller,
    locale: Locale,
    inbox: Inbox,
    _permit: OwnedSemaphorePermit,
}

/// How far a socket has read.
struct Feed {
    mode: Mode,
    /// The number of the log up to which events were sent or skipped.
    position: i64,
    /// Rendered frames that are not sent yet: a hello, a reset, a page of the log.
    ready: VecDeque<Frame>,
    /// No live event is sent before this moment.
    held_until: Option<Instant>,
}

impl Subscription {
    pub(super) fn new(
        live: LiveClient,
        principal: &Principal,
        inbox: Inbox,
        position: Position,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        let Position { log, number: position } = position;
        let (caller, locale) = (principal.caller, principal.user.user.locale);
        Self {
            link: Link { live, log, caller, locale, inbox, _permit: permit },
            feed: Feed { mode: Mode::Behind(position), position, ready: VecDeque::new(), held_until: None },
        }
    }

    /// Sends the hello and begins.
    pub(super) async fn begin(&mut self, start: Start<'_>) -> Result<(), Error> {
        let is_known = match start {
            Start::After(cursor) => self.rewind(cursor).await?,
            Start::Now => true,
            Start::NowOrResumed => {
                self.feed.held_until = Some(Instant::now() + RESUME_GRACE);
                true
            }
        };
        let now = self.cursor();
        self.queue_frame(&ServerFrame::Hello { user_id: self.link.caller.user_id, cursor: &now });
        if !is_known {
            self.queue_frame(&ServerFrame::Reset { cursor: &now });
        }
        Ok(())
    }

    fn cursor(&self) -> String {
        cursor::encode(self.link.log, self.feed.position)
    }

    fn queue_frame(&mut self, frame: &ServerFrame<'_>) {
        self.feed.ready.push_back(Frame::new(frame));
    }

    /// The language of its user.
    pub fn locale(&self) -> Locale {
        self.link.locale
    }

    /// Follows these topics from now on, instead of those before.
    ///
    /// # Errors
    /// `missing_scope`, `unavailable`, `overloaded`.
    pub async fn subscribe(&mut self, topics: Topics) -> Result<(), Error> {
        topics.check(self.link.caller.scopes)?;
        // The hub first: events after its answer come through the inbox, events before it are in the log.
        self.link.live.ask(AddTopics { user: self.link.caller.user_id, topics }).await?;
        self.link.inbox.set_topics(topics);
        Ok(())
    }

    /// Continues after `cursor`. If that is unknown or too old, it sends a `reset` and continues from now.
    ///
    /// # Errors
    /// `unavailable`, `overloaded`.
    pub async fn resume(&mut self, cursor: &str) -> Result<(), Error> {
        self.feed.held_until = None;
        if !self.rewind(cursor).await? {
            let now = self.cursor();
            self.queue_frame(&ServerFrame::Reset { cursor: &now });
        }
        Ok(())
    }

    /// Goes to `cursor` in the log; returns false and goes to the present if the cursor is not valid.
    async fn rewind(&mut self, cursor: &str) -> Result<bool, Error> {
        let from = cursor::decode(self.link.log, cursor);
        self.feed.mode = Mode::Unknown;
        let target = self.link.head(from.unwrap_or(self.feed.position)).await?;
        let known = from.filter(|from| (0..=self.link.behind_max()).contains(&(target - from)));
        // Frames of another part of the log do not belong here.
        self.feed.ready.clear();
        self.feed.position = known.unwrap_or(target);
        self.feed.mode = Mode::Behind(target);
        Ok(known.is_some())
    }

    /// Waits for the next frame. Dropping this future loses nothing.
    ///
    /// # Errors
    /// Why the feed has ended.
    pub async fn next(&mut self) -> Result<Frame, Ended> {
        tokio::select! {
            biased;
            why = self.link.ended() => Err(why),
            frame = self.feed.next(&self.link) => frame,
        }
    }

    /// Waits until the feed has ended, even if frames are left.
    pub async fn ended(&self) -> Ended {
        self.link.ended().await
    }
}

impl Link {
    async fn ended(&self) -> Ended {
        tokio::select! {
            biased;
            why = self.inbox.wait_ended() => why,
            () = self.live.stopping() => Ended::Stopping,
        }
    }

    /// The number up to which the log must be read; later events wait in the inbox.
    async fn head(&self, at_least: i64) -> Result<i64, Error> {
        // Emptied before the hub is asked, so that no event after its answer is dropped.
        self.inbox.restart();
        Ok(self.live.ask(GetPosition { at_least }).await??.number)
    }

    /// How many events may be after a cursor.
    fn behind_max(&self) -> i64 {
        if self.inbox.topics().is_empty() { NOTIFICATIONS_BEHIND_MAX } else { BEHIND_MAX }
    }

    /// The next events of the types that this socket follows, and its user's notifications.
    async fn page(&self, after: i64, upto: i64) -> Result<Vec<LoggedEvent>, Error> {
        let types: Vec<EventType> = self.inbox.topics().event_types().collect();
        let range = Range { after, upto, types: &types, own: (NOTIFICATION_CREATED, self.caller.user_id) };
        Ok(log::range(&self.live.db, &range, PAGE).await?)
    }
}

impl Feed {
    async fn next(&mut self, link: &Link) -> Result<Frame, Ended> {
        loop {
            if let Some(frame) = self.ready.pop_front() {
                return Ok(frame);
            }
            match self.mode {
                Mode::Unknown => match link.head(self.position).await {
                    Ok(target) => self.mode = Mode::Behind(target),
                    Err(_) => return Err(Ended::Lost),
                },
                Mode::Behind(target) if self.position < target => {
                    self.read(link, target).await.map_err(|_| Ended::Lost)?;
                }
                Mode::Behind(_) => self.go_live(link).await,
                Mode::Live => return Ok(self.live(link).await),
            }
        }
    }

    /// Takes a page of the log.
    async fn read(&mut self, link: &Link, target: i64) -> Result<(), Error> {
        let events = link.page(self.position, target).await?;
        let user = link.live.auth.user(link.caller.user_id).await?.ok_or_else(Error::unavailable)?;
        let role = role_of(&link.caller, &user);
        let is_last = (events.len() as i64) < PAGE;
        for logged in events {
            let delivery = Delivery::new(link.log, Arc::new(logged));
            self.position = delivery.number();
            if delivery.is_of(link.inbox.topics()) && delivery.is_within(link.caller.scopes) {
                self.ready.extend(delivery.frame_for(&user, role, None));
            }
        }
        if is_last {
            self.position = target;
        }
        Ok(())
    }

    /// Changes from the log to the inbox; if the inbox has overflowed, asks again how far to read.
    async fn go_live(&mut self, link: &Link) {
        if let Some(moment) = self.held_until {
            tokio::time::sleep_until(moment).await;
            self.held_until = None;
        }
        self.mode = if link.inbox.go_live() { Mode::Live } else { Mode::Unknown };
    }

    /// The next frame of the inbox that the log has not given already.
    async fn live(&mut self, link: &Link) -> Frame {
        loop {
            let Queued { number, frame } = link.inbox.next().await;
            if number > self.position {
                self.position = number;
                return frame;
            }
        }
    }
}
