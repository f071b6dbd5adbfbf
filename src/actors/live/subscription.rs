//! One socket's feed: from its cursor on through the log, then live, without a gap or an overlap.
//!
//! The log is read up to where the hub stood when the socket joined; what the hub has passed on since waits in
//! the inbox. Whatever the log gave already is dropped there by its number.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::client::LiveClient;
use super::cursor;
use super::delivery::Delivery;
use super::frames::{Frame, ServerFrame};
use super::hub::{Want, Where};
use super::outbox::{Ended, Inbox, Queued};
use super::topics::Topics;
use crate::actors::auth::messages::{Locale, Principal};
use crate::actors::catalogue::NOTIFICATION_CREATED;
use crate::actors::event::{LoggedEvent, slice_of};
use crate::actors::refusal::Refusal;
use crate::actors::runtime::positions::Positions;
use crate::ids::Id;
use crate::persistence::log::{self, Stretch};

/// Events read from the log at once: what a socket that resumes holds in memory.
const PAGE: i64 = 64;
/// A cursor with more than this to be read behind it is too old: fetching anew is cheaper for everybody.
pub const BEHIND_MAX: i64 = 100_000;
/// How long the live feed is held back after the hello for a client that may say `resume`: what came before it
/// would come again after it.
const RESUME_GRACE: Duration = Duration::from_millis(200);

/// Where a feed begins.
pub enum Start<'a> {
    /// After this cursor.
    After(&'a str),
    /// Now, for good.
    Now,
    /// Now, unless the client says otherwise in a moment.
    NowOrResumed,
}

enum Mode {
    /// Asks the hub how far the log is to be read.
    Unsure,
    /// Reads the log up to these positions.
    Behind(Positions),
    Live,
}

/// A socket's feed. Its drop is the socket's leaving.
pub struct Subscription {
    link: Link,
    feed: Feed,
}

/// What connects a socket with its user's listener.
struct Link {
    live: LiveClient,
    user_id: Id,
    locale: Locale,
    inbox: Inbox,
    _place: OwnedSemaphorePermit,
}

/// How far a socket has come.
struct Feed {
    mode: Mode,
    /// The log's numbers that were sent or passed over.
    position: Positions,
    /// Rendered and not yet handed out: a hello, a reset, a page of the log.
    ready: VecDeque<Frame>,
    /// Nothing live before this moment.
    held_until: Option<Instant>,
}

impl Subscription {
    pub(super) fn new(
        live: LiveClient,
        principal: &Principal,
        inbox: Inbox,
        position: Positions,
        place: OwnedSemaphorePermit,
    ) -> Self {
        let (user_id, locale) = (principal.caller.user_id, principal.user.user.locale);
        Self {
            link: Link { live, user_id, locale, inbox, _place: place },
            feed: Feed { mode: Mode::Behind(position), position, ready: VecDeque::new(), held_until: None },
        }
    }

    /// Says hello and begins.
    pub(super) async fn begin(&mut self, start: Start<'_>) -> Result<(), Refusal> {
        let is_known = match start {
            Start::After(cursor) => self.rewind(cursor).await?,
            Start::Now => true,
            Start::NowOrResumed => {
                self.feed.held_until = Some(Instant::now() + RESUME_GRACE);
                true
            }
        };
        let now = cursor::encode(&self.feed.position);
        self.say(&ServerFrame::Hello { user_id: self.link.user_id, cursor: &now });
        if !is_known {
            self.say(&ServerFrame::Reset { cursor: &now });
        }
        Ok(())
    }

    fn say(&mut self, frame: &ServerFrame<'_>) {
        self.feed.ready.push_back(Frame::new(frame));
    }

    /// The language of its user.
    pub fn locale(&self) -> Locale {
        self.link.locale
    }

    /// Follows these topics from here on, in the place of those before.
    ///
    /// # Errors
    /// `unavailable`, `overloaded`.
    pub async fn subscribe(&mut self, topics: Topics) -> Result<(), Refusal> {
        // The hub first: what comes after its answer comes by the inbox, what came before it is in the log.
        self.link.live.ask(Want { user: self.link.user_id, topics }).await?;
        self.link.inbox.set_topics(topics);
        Ok(())
    }

    /// Goes on after `cursor`; a cursor that is unknown or too old is answered with a `reset`, and it goes on
    /// from now.
    ///
    /// # Errors
    /// `unavailable`, `overloaded`.
    pub async fn resume(&mut self, cursor: &str) -> Result<(), Refusal> {
        self.feed.held_until = None;
        if !self.rewind(cursor).await? {
            let now = cursor::encode(&self.feed.position);
            self.say(&ServerFrame::Reset { cursor: &now });
        }
        Ok(())
    }

    /// Turns to the log after `cursor`; false, and to the present, if there is no such place.
    async fn rewind(&mut self, cursor: &str) -> Result<bool, Refusal> {
        let from = cursor::decode(cursor);
        self.feed.mode = Mode::Unsure;
        let target = self.link.head(&from.unwrap_or(self.feed.position)).await?;
        let known =
            from.filter(|from| from.is_within(&target) && self.link.distance(from, &target) <= BEHIND_MAX);
        // What was read of another stretch of the log is no part of this one.
        self.feed.ready.clear();
        self.feed.position = known.unwrap_or(target);
        self.feed.mode = Mode::Behind(target);
        Ok(known.is_some())
    }

    /// The next frame. Nothing is lost when this is dropped before its end.
    ///
    /// # Errors
    /// Why there is none any more.
    pub async fn next(&mut self) -> Result<Frame, Ended> {
        tokio::select! {
            biased;
            why = self.link.ended() => Err(why),
            frame = self.feed.next(&self.link) => frame,
        }
    }

    /// Waits until the feed is over, whatever is still to be taken from it.
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

    /// How far the log is to be read: from there on everything waits in the inbox.
    async fn head(&self, at_least: &Positions) -> Result<Positions, Refusal> {
        // Emptied before the hub is asked, so that nothing after its answer goes with it.
        self.inbox.restart();
        self.live.ask(Where { at_least: *at_least }).await?
    }

    /// How many events of the log would have to be looked at.
    fn distance(&self, from: &Positions, to: &Positions) -> i64 {
        let slices = to.iter().filter(|(slice, _)| self.reads(*slice));
        slices.map(|(slice, upto)| upto - from.at(slice)).sum()
    }

    /// Notifications stand in the slice of their reader, events of topics in any.
    fn reads(&self, slice: i64) -> bool {
        slice == slice_of(self.user_id) || !self.inbox.topics().is_empty()
    }

    /// The next events of a slice that this user may have asked for.
    async fn page(&self, slice: i64, after: i64, upto: i64) -> Result<Vec<LoggedEvent>, Refusal> {
        let topics = self.inbox.topics();
        let mut types: Vec<&'static str> = topics.event_types().collect();
        if slice == slice_of(self.user_id) {
            types.push(NOTIFICATION_CREATED);
        }
        let partition = topics.is_empty().then_some(self.user_id);
        let stretch = Stretch { slice, after, upto, types: &types, partition };
        Ok(log::stretch(&self.live.db, &stretch, PAGE).await?)
    }
}

impl Feed {
    async fn next(&mut self, link: &Link) -> Result<Frame, Ended> {
        loop {
            if let Some(frame) = self.ready.pop_front() {
                return Ok(frame);
            }
            match self.mode {
                Mode::Unsure => match link.head(&self.position).await {
                    Ok(target) => self.mode = Mode::Behind(target),
                    Err(_) => return Err(Ended::Lost),
                },
                Mode::Behind(target) => match self.unread(&target) {
                    Some(slice) if link.reads(slice) => {
                        self.read(link, slice, &target).await.map_err(|_| Ended::Lost)?;
                    }
                    Some(slice) => self.position.advance(slice, target.at(slice)),
                    None => self.go_live(link).await,
                },
                Mode::Live => return Ok(self.live(link).await),
            }
        }
    }

    fn unread(&self, target: &Positions) -> Option<i64> {
        target.iter().find(|(slice, upto)| self.position.at(*slice) < *upto).map(|(slice, _)| slice)
    }

    /// Takes a page of the log.
    async fn read(&mut self, link: &Link, slice: i64, target: &Positions) -> Result<(), Refusal> {
        let upto = target.at(slice);
        let events = link.page(slice, self.position.at(slice), upto).await?;
        let user = link.live.auth.users.recent(link.user_id).await?.ok_or_else(Refusal::unavailable)?;
        let is_last = (events.len() as i64) < PAGE;
        for logged in events {
            self.position.advance(slice, logged.slice_seq);
            let delivery = Delivery::new(Arc::new(logged), self.position);
            if delivery.is_of(link.inbox.topics()) {
                self.ready.extend(delivery.frame_for(&user));
            }
        }
        if is_last {
            self.position.advance(slice, upto);
        }
        Ok(())
    }

    /// Leaves the log for the inbox, or asks again how far to read if that has run over.
    async fn go_live(&mut self, link: &Link) {
        if let Some(moment) = self.held_until {
            tokio::time::sleep_until(moment).await;
            self.held_until = None;
        }
        self.mode = if link.inbox.go_live() { Mode::Live } else { Mode::Unsure };
    }

    /// The next frame of the inbox that the log has not given already.
    async fn live(&mut self, link: &Link) -> Frame {
        loop {
            let Queued { slice, slice_seq, frame } = link.inbox.next().await;
            if slice_seq > self.position.at(slice) {
                self.position.advance(slice, slice_seq);
                return frame;
            }
        }
    }
}
