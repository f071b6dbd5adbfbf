//! One WebSocket: authenticates the client, reads its frames, sends its feed, and closes with the right code.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::web::Data;
use actix_ws::{AggregatedMessage, AggregatedMessageStream, CloseCode, CloseReason, MessageStream, Session};
use tokio::time::{Instant, MissedTickBehavior};

use crate::actors::live::Ended;
use crate::actors::live::frames::{ClientFrame, Frame};
use crate::actors::live::subscription::{Start, Subscription};
use crate::actors::live::topics::Topics;
use crate::http::key_gate;
use crate::http::language::locale_of;
use crate::http::live::close_codes::{Close, SIGNED_OUT, TRY_AGAIN, code_of};
use crate::http::live::closing::Closing;
use crate::http::live::gate::{FRAME_MAX, FrameFault};
use crate::http::live::params::bounded;
use crate::http::live::place::Place;
use crate::http::request_log::{log_error, note_user};
use crate::http::state::Gateway;
use kernel::error::{Error, ErrorCode};
use kernel::locale::Locale;

/// SPEC §6: how long a client may take to sign in by its first frame.
const SIGN_IN_WITHIN: Duration = Duration::from_secs(5);
/// How long sending a frame may take. Meanwhile later frames wait in the queue or in the log.
const STALLED_AFTER: Duration = Duration::from_secs(10);
/// Invalid frames after which the socket is closed.
const STRIKES: u32 = 10;
/// Unanswered pings after which the client counts as gone.
const PINGS_UNANSWERED: u32 = 2;

/// How a socket starts: with the feed of its user, or without one, until the client has signed in.
pub struct SocketStart {
    pub subscription: Option<Subscription>,
    pub topics: Topics,
    pub cursor: Option<String>,
}

/// A WebSocket of a client.
pub struct Socket {
    gateway: Data<Gateway>,
    /// The handshake.
    request: HttpRequest,
    session: Session,
    messages: AggregatedMessageStream,
    fault: FrameFault,
    closing: Closing,
    locale: Locale,
    strikes: u32,
    pings: u32,
    place: Place,
}

impl Socket {
    pub fn new(
        gateway: Data<Gateway>,
        request: HttpRequest,
        session: Session,
        messages: MessageStream,
        fault: FrameFault,
        closing: Closing,
        place: Place,
    ) -> Self {
        let locale = locale_of(&request);
        let messages =
            messages.max_frame_size(FRAME_MAX).aggregate_continuations().max_continuation_size(FRAME_MAX);
        Self { gateway, request, session, messages, fault, closing, locale, strikes: 0, pings: 0, place }
    }

    /// Serves the socket until it closes.
    pub async fn serve(mut self, start: SocketStart) {
        let Err(close) = self.run(start).await;
        match close {
            Close::With(code, why) => self.closing.close((code, why).into()),
            Close::After(code, why) => {
                let reason = CloseReason::from((code, why));
                let closed = self.session.close(Some(reason.clone()));
                if tokio::time::timeout(STALLED_AFTER, closed).await.is_err() {
                    self.closing.close(reason);
                }
            }
            Close::Answer(reason) => self.closing.close(reason.unwrap_or(CloseCode::Normal.into())),
            Close::Gone => {}
        }
    }

    async fn run(&mut self, start: SocketStart) -> Result<std::convert::Infallible, Close> {
        let mut feed = match start.subscription {
            Some(feed) => feed,
            None => self.sign_in(start.topics, start.cursor.as_deref()).await?,
        };
        self.locale = feed.locale();
        // The hello is sent before a frame of the client can change the feed.
        let hello = feed.next().await?;
        self.send(&hello, &feed).await?;
        let every = self.gateway.ping_every;
        let mut pings = tokio::time::interval_at(Instant::now() + every, every);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                frame = feed.next() => self.send(&frame?, &feed).await?,
                message = self.messages.recv() => self.take(message, &mut feed).await?,
                _ = pings.tick() => self.ping(&feed).await?,
            }
        }
    }

    /// Waits for the first frame, which must be `auth`.
    async fn sign_in(&mut self, topics: Topics, cursor: Option<&str>) -> Result<Subscription, Close> {
        let live = self.gateway.live.clone();
        let token = tokio::select! {
            token = self.first_frame() => token?,
            () = tokio::time::sleep(SIGN_IN_WITHIN) => {
                return Err(Close::With(CloseCode::Other(SIGNED_OUT), "not signed in within 5 s"));
            }
            () = live.stopping() => return Err(Ended::Stopping.into()),
        };
        let opened = async {
            let principal = self.gateway.auth.authenticate(&token).await?;
            key_gate::take(&self.gateway, &principal)?;
            note_user(principal.caller.user_id);
            self.locale = principal.user.user.locale;
            self.place = Place::Signed(self.gateway.live.admit()?);
            let start = cursor.map_or(Start::NowOrResumed, |cursor| Start::After(bounded(cursor)));
            self.gateway.live.open(&principal, topics, start).await
        };
        match opened.await {
            Ok(feed) => Ok(feed),
            Err(error) => {
                log_error(&error, &self.request);
                self.refuse(&error).await?;
                let code = if error.code.status() == 401 { SIGNED_OUT } else { TRY_AGAIN };
                Err(Close::After(CloseCode::Other(code), error.code.as_str()))
            }
        }
    }

    async fn first_frame(&mut self) -> Result<String, Close> {
        loop {
            let text = match self.read().await? {
                Some(text) => text,
                None => continue,
            };
            if let Ok(ClientFrame::Auth { token }) = serde_json::from_str(&text) {
                return Ok(token);
            }
            let error = Error::new(ErrorCode::MissingToken);
            log_error(&error, &self.request);
            self.refuse(&error).await?;
            return Err(Close::After(CloseCode::Other(SIGNED_OUT), "the first frame is auth"));
        }
    }

    async fn read(&mut self) -> Result<Option<String>, Close> {
        let message = self.messages.recv().await;
        self.text_of(message).await
    }

    /// The text of a text message; control frames are handled here.
    async fn text_of(
        &mut self,
        message: Option<Result<AggregatedMessage, actix_ws::ProtocolError>>,
    ) -> Result<Option<String>, Close> {
        match message {
            Some(Ok(AggregatedMessage::Text(text))) => return Ok(Some(text.to_string())),
            Some(Ok(AggregatedMessage::Ping(data))) => {
                let sent = tokio::time::timeout(STALLED_AFTER, self.session.pong(&data)).await;
                sent.map_err(|_| Ended::TooSlow)?.map_err(|_| Close::Gone)?;
            }
            Some(Ok(AggregatedMessage::Pong(_))) => self.pings = 0,
            Some(Ok(AggregatedMessage::Binary(_))) => {
                return Err(Close::With(CloseCode::Unsupported, "text only"));
            }
            Some(Ok(AggregatedMessage::Close(reason))) => return Err(Close::Answer(reason)),
            Some(Err(error)) => {
                return Err(Close::With(code_of(self.fault.code(), &error), "malformed frame"));
            }
            None => return Err(Close::Gone),
        }
        Ok(None)
    }

    /// Handles a frame of the client.
    async fn take(
        &mut self,
        message: Option<Result<AggregatedMessage, actix_ws::ProtocolError>>,
        feed: &mut Subscription,
    ) -> Result<(), Close> {
        let Some(text) = self.text_of(message).await? else { return Ok(()) };
        let done = match serde_json::from_str(&text) {
            Ok(ClientFrame::Auth { .. }) => Err(Error::new(ErrorCode::AlreadySignedIn)),
            Ok(ClientFrame::Subscribe { topics }) => feed.subscribe(topics.into_iter().collect()).await,
            Ok(ClientFrame::Resume { cursor }) => feed.resume(bounded(&cursor)).await,
            Err(_) => Err(Error::new(ErrorCode::InvalidFrame)),
        };
        let Err(error) = done else { return Ok(()) };
        log_error(&error, &self.request);
        self.refuse(&error).await?;
        if error.code.status() < 500 {
            self.strikes += 1;
        }
        if self.strikes >= STRIKES {
            return Err(Close::After(CloseCode::Policy, "too many wrong frames"));
        }
        Ok(())
    }

    async fn refuse(&mut self, error: &Error) -> Result<(), Close> {
        let text = Frame::error(error, self.locale).text.to_string();
        let sent = tokio::time::timeout(STALLED_AFTER, self.session.text(text)).await;
        sent.map_err(|_| Ended::TooSlow)?.map_err(|_| Close::Gone)
    }

    /// Sends a frame, unless the feed ends first.
    async fn send(&mut self, frame: &Frame, feed: &Subscription) -> Result<(), Close> {
        tokio::select! {
            sent = self.session.text(&*frame.text) => sent.map_err(|_| Close::Gone),
            why = feed.ended() => Err(why.into()),
            () = tokio::time::sleep(STALLED_AFTER) => Err(Ended::TooSlow.into()),
        }
    }

    /// Sends a ping; fails if earlier ones are unanswered.
    async fn ping(&mut self, feed: &Subscription) -> Result<(), Close> {
        if self.pings >= PINGS_UNANSWERED {
            return Err(Close::With(CloseCode::Protocol, "no pong"));
        }
        self.pings += 1;
        tokio::select! {
            sent = self.session.ping(b"") => sent.map_err(|_| Close::Gone),
            why = feed.ended() => Err(why.into()),
            () = tokio::time::sleep(STALLED_AFTER) => Err(Ended::TooSlow.into()),
        }
    }
}
