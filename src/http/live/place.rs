//! The place of a socket among those of its node. Sockets that have not signed in have few, so that whoever opens
//! sockets without signing in keeps out nobody who does.

use actix_web::HttpRequest;

use crate::actors::live::client::Admission;
use crate::http::client_address::client_address;
use crate::http::connections::Permit;
use crate::http::state::Gateway;
use kernel::error::Error;

/// A place, until it is dropped.
pub enum Place {
    /// Of a signed-in user.
    Signed(#[expect(dead_code, reason = "held until the socket closes")] Admission),
    Unsigned(#[expect(dead_code, reason = "held until the socket has signed in")] Permit),
}

impl Place {
    /// The place of a socket that is yet to sign in.
    ///
    /// # Errors
    /// `overloaded` if its address, or all of them, have as many as they may.
    pub fn unsigned(gateway: &Gateway, request: &HttpRequest) -> Result<Self, Error> {
        let permit = gateway.unsigned_sockets.take(client_address(request));
        permit
            .map(Self::Unsigned)
            .ok_or_else(|| Error::overloaded().with_cause("as many sockets as may wait to sign in are open"))
    }
}
