//! One event stream: the live feed for clients that only read (the WHATWG's Server-Sent Events).

use crate::http::error::HttpResult;
use std::convert::Infallible;
use std::time::Duration;

use actix_web::http::header;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse, get};
use futures_util::Stream;
use futures_util::stream::unfold;

use crate::actors::live::Ended;
use crate::actors::live::client::Admission;
use crate::actors::live::frames::Frame;
use crate::actors::live::subscription::{Start, Subscription};
use crate::http::live::identity;
use crate::http::live::params::{LiveParams, bounded};
use crate::http::state::Gateway;
use kernel::error::{Error, ErrorCode};

/// The live feed as Server-Sent Events: `id` is the cursor, `event` the frame's type, `data` the frame
#[utoipa::path(
    tag = "live",
    params(
        LiveParams,
        ("Last-Event-ID" = Option<String>, Header, description = "The last event's `id`; before `cursor`")
    ),
    responses((status = 200, body = String, content_type = "text/event-stream"))
)]
#[get("/stream")]
pub async fn follow(gateway: Data<Gateway>, request: HttpRequest) -> HttpResult {
    let params = LiveParams::of(&request)?;
    let topics = params.topics()?;
    let principal = identity::authenticate(&gateway, &request).await?;
    let principal = principal.ok_or_else(|| Error::new(ErrorCode::MissingToken))?;
    let admission = gateway.live.admit()?;
    let last = request.headers().get("last-event-id").map(|id| id.to_str().unwrap_or_default());
    let start = last.or(params.cursor.as_deref());
    let start = start.map_or(Start::Now, |cursor| Start::After(bounded(cursor)));
    let feed = gateway.live.open(&principal, topics, start).await?;
    let feed = EventStream { feed, every: gateway.ping_every, is_over: false, _admission: admission };
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        // nginx would keep frames back until its buffer is full.
        .insert_header(("x-accel-buffering", "no"))
        .streaming(events(feed)))
}

struct EventStream {
    feed: Subscription,
    every: Duration,
    is_over: bool,
    _admission: Admission,
}

/// The events of a feed, read as fast as the client reads them. A client that stops reading is ended by its queue.
fn events(stream: EventStream) -> impl Stream<Item = Result<Bytes, Infallible>> {
    unfold(stream, async |mut stream| {
        if stream.is_over {
            return None;
        }
        let text = match tokio::time::timeout(stream.every, stream.feed.next()).await {
            Ok(Ok(frame)) => event(&frame),
            Ok(Err(why)) => {
                stream.is_over = true;
                end_event(why, &stream.feed)?
            }
            Err(_) => ":\n\n".to_owned(),
        };
        Some((Ok(Bytes::from(text)), stream))
    })
}

/// The text of an event; JSON has no line breaks of its own.
fn event(frame: &Frame) -> String {
    let id = frame.cursor.as_ref().map(|cursor| format!("id: {cursor}\n")).unwrap_or_default();
    format!("{id}event: {}\ndata: {}\n\n", frame.kind, frame.text)
}

/// The last event, if reconnecting would not help the client.
fn end_event(why: Ended, feed: &Subscription) -> Option<String> {
    let error = Error::new(ErrorCode::SessionEnded);
    (why == Ended::SessionEnded).then(|| event(&Frame::error(&error, feed.locale())))
}
