//! `/api/ws` and `/api/stream`: the live feed (SPEC §6) over WebSocket and as Server-Sent Events.
//!
//! - `identity`: the user; `params`: the cursor and the topics
//! - `gate`: rejects invalid WebSocket frames; `close_codes`: why a socket is closed, and with which code
//! - `closing`: sends a close frame before the frames that wait
//! - `place`: the bounds of sockets that have signed in, and of those that have not
//! - `socket`: one WebSocket; `stream`: one event stream
//!
//! `actors/live` decides which events a user sees.

mod close_codes;
mod closing;
pub mod gate;
mod identity;
pub mod params;
mod place;
mod socket;
pub mod stream;

use crate::http::error::HttpResult;
use actix_web::http::header;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, get};

use crate::actors::live::subscription::Start;
use crate::http::state::Gateway;
use kernel::error::{Error, ErrorCode, FieldError};
use params::LiveParams;
use place::Place;
use runtime::trace::Trace;

/// The live feed over WebSocket; its frames are described in `/asyncapi.json`
///
/// A client that sends neither `Authorization` nor the session cookie must send `{"type":"auth","token":…}` within
/// 5 seconds.
#[utoipa::path(
    tag = "live",
    params(LiveParams),
    responses((status = 101, description = "Switched to WebSocket"))
)]
#[get("/ws")]
pub async fn ws(gateway: Data<Gateway>, request: HttpRequest, payload: Payload) -> HttpResult {
    let params = LiveParams::of(&request)?;
    let principal = identity::authenticate(&gateway, &request).await?;
    if principal.is_none() && !asks_for_upgrade(&request) {
        return Err(Error::new(ErrorCode::MissingToken).into());
    }
    check_upgrade(&request)?;
    let place = match &principal {
        Some(_) => Place::Signed(gateway.live.admit()?),
        None => Place::unsigned(&gateway, &request)?,
    };
    let topics = params.topics()?;
    let subscription = match &principal {
        Some(principal) => {
            let start = params.cursor.as_deref().map_or(Start::NowOrResumed, Start::After);
            Some(gateway.live.open(principal, topics, start).await?)
        }
        None => None,
    };
    let (payload, fault) = gate::guard(&request, payload).await;
    let (response, session, messages) =
        actix_ws::handle(&request, payload).map_err(|_| Error::new(ErrorCode::UpgradeRequired))?;
    let (response, closing) = closing::closable(response);
    let start = socket::SocketStart { subscription, topics, cursor: params.cursor };
    let socket = socket::Socket::new(gateway, request, session, messages, fault, closing, place);
    // A socket lives for hours: what it does then is no part of the request's trace.
    actix_web::rt::spawn(Trace::current().unrecorded().run(socket.serve(start)));
    Ok(response)
}

fn has_token(request: &HttpRequest, name: header::HeaderName, wanted: &str) -> bool {
    let values = request.headers().get_all(name).filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|token| token.trim().eq_ignore_ascii_case(wanted))
}

fn asks_for_upgrade(request: &HttpRequest) -> bool {
    has_token(request, header::UPGRADE, "websocket") && has_token(request, header::CONNECTION, "upgrade")
}

/// Checks the headers of a handshake (RFC 6455 §4.2.1).
fn check_upgrade(request: &HttpRequest) -> Result<(), Error> {
    if !asks_for_upgrade(request) || !has_token(request, header::SEC_WEBSOCKET_VERSION, "13") {
        return Err(Error::new(ErrorCode::UpgradeRequired));
    }
    if !request.headers().contains_key(header::SEC_WEBSOCKET_KEY) {
        let fields = vec![FieldError::new("Sec-WebSocket-Key", "required")];
        return Err(Error { fields, ..Error::new(ErrorCode::InvalidHeader) });
    }
    Ok(())
}
