//! The HTTP server: what `actix_web::HttpServer` does, on connections of our own ([`Connection`]), which bound what a
//! client may take its time with, and how many one address may have.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{HttpService, Protocol};
use actix_service::{IntoServiceFactory, ServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::dev::{AppConfig, Server};
use actix_web::rt::net::TcpStream;
use actix_web::web::Data;
use actix_web::{App, HttpServer, web};
use kernel::address::canonical;
use socket2::SockRef;

use crate::config::HttpConfig;
use crate::http;
use crate::http::client_address::TrustedProxies;
use crate::http::connection::{Connection, ConnectionTimes};
use crate::http::connections::Places;
use crate::http::conventions::around;
use crate::http::ops;
use crate::http::refusals;
use crate::http::state::Gateway;

/// A connection is closed when its client has acknowledged nothing for this long.
const STUCK_AFTER: Duration = Duration::from_secs(60);
/// How long a client may go on sending what no handler reads.
const DISCONNECT_WITHIN: Duration = Duration::from_secs(1);
/// How long a client with too many connections may take to send what it is refused for.
const REFUSED_WITHIN: Duration = Duration::from_millis(100);
/// How much longer than the connection the server, whose clock is coarse, waits for the next request.
const KEPT_LONGER: Duration = Duration::from_secs(2);

/// Serves the API and the console.
///
/// # Errors
/// When a socket can't be used.
pub fn serve(config: &HttpConfig, gateway: Data<Gateway>, listeners: Vec<TcpListener>) -> io::Result<Server> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut builder = Server::build()
        .workers(cores)
        .max_concurrent_connections((config.max_connections as usize).div_ceil(cores))
        .disable_signals()
        .shutdown_timeout(config.drain_timeout.as_secs());
    let draining = builder.graceful_shutdown_signal();
    let door = Door {
        places: config.connections(),
        proxies: gateway.trusted_proxies.clone(),
        times: config.connection_times(),
    };
    for listener in listeners {
        let (gateway, door, draining) = (gateway.clone(), door.clone(), draining.clone());
        builder = builder.listen("http", listener, move || {
            let draining = draining.clone();
            let service = HttpService::build()
                .graceful_shutdown_signal(move || {
                    let draining = draining.clone();
                    async move { draining.notified().await }
                })
                // The connection bounds its rest, and every head, not only the first.
                .keep_alive(door.times.idle + KEPT_LONGER)
                .client_request_timeout(Duration::ZERO)
                .client_disconnect_timeout(DISCONNECT_WITHIN)
                .on_connect_ext(|connection: &Connection, data| drop(data.insert(connection.requests())));
            let app = app(gateway.clone()).into_factory();
            let app = app.map_err(|error: actix_web::Error| error.error_response());
            let door = door.clone();
            fn_service(move |io: TcpStream| {
                let door = door.clone();
                async move { door.open(io).await.map_err(DispatchError::Io) }
            })
            .and_then(service.finish(map_config(app, |()| AppConfig::default())))
        })?;
    }
    Ok(builder.run())
}

fn app(
    gateway: Data<Gateway>,
) -> App<
    impl ServiceFactory<
        actix_web::dev::ServiceRequest,
        Config = (),
        Response = actix_web::dev::ServiceResponse<actix_web::body::BoxBody>,
        Error = actix_web::Error,
        InitError = (),
    >,
> {
    App::new()
        .configure(http::routes)
        .app_data(gateway)
        .service(http::docs())
        .service(web::redirect("/docs", "/docs/"))
        .configure(http::pages)
        .default_service(web::to(http::no_route))
        .wrap(actix_web::middleware::from_fn(around))
}

/// Lets connections in.
#[derive(Clone)]
struct Door {
    places: Places,
    proxies: TrustedProxies,
    times: ConnectionTimes,
}

impl Door {
    async fn open(&self, io: TcpStream) -> io::Result<(Connection, Protocol, Option<SocketAddr>)> {
        give_up_when_stuck(&io);
        let peer = io.peer_addr().ok();
        let client = peer.map(|peer| canonical(peer.ip())).filter(|address| !self.proxies.contains(*address));
        match self.places.take(client) {
            Some(permit) => Ok((Connection::new(io, self.times, permit), Protocol::Http1, peer)),
            None => Err(refuse(&io).await),
        }
    }
}

/// Tells a client why it is not served. It reads the answer only if its request was read.
async fn refuse(io: &TcpStream) -> io::Error {
    let mut head = [0; 4096];
    let _ = tokio::time::timeout(REFUSED_WITHIN, io.readable()).await;
    let read = io.try_read(&mut head).unwrap_or(0);
    let _ = io.try_write(&refusals::of(429, &head[..read]));
    io::Error::other("too many connections")
}

/// Bounds how long bytes wait for a client that reads nothing. Once a response has begun, only TCP can do that.
fn give_up_when_stuck(io: &TcpStream) {
    // A system without this option uses the bound of its kernel.
    let _ = SockRef::from(io).set_tcp_user_timeout(Some(STUCK_AFTER));
}

/// Serves `/metrics` alone.
///
/// # Errors
/// When a socket can't be used.
pub fn serve_metrics(gateway: Data<Gateway>, listeners: Vec<TcpListener>) -> io::Result<Server> {
    let expose = |gateway: Data<Gateway>| async move { ops::expose(&gateway).await };
    let mut server = HttpServer::new(move || {
        App::new()
            .app_data(gateway.clone())
            .route("/metrics", web::get().to(expose))
            .wrap(actix_web::middleware::from_fn(around))
    })
    .workers(1)
    .disable_signals();
    for listener in listeners {
        server = server.listen(listener)?;
    }
    Ok(server.run())
}
