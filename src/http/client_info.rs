//! Where a request comes from: its address and what its client calls itself.

use actix_web::HttpRequest;
use actix_web::http::header;

use crate::http::client_address::client_address;
use domain::session::record::ClientInfo;

/// The client of a request.
pub fn client_info(request: &HttpRequest) -> ClientInfo {
    let agent =
        request.headers().get(header::USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes()));
    ClientInfo::new(client_address(request), agent.as_deref())
}
