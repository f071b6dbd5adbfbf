//! `kizuna watch`: a terminal client. It signs in over HTTP, follows the live feed over WebSocket, prints
//! notifications as they come, and comes back with its cursor whenever the connection breaks.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::anyhow;
use clap::Args;
use futures_util::StreamExt;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, header};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config};

use crate::cli::output;
use crate::cli::server_client;
use crate::cli::server_client::{RECONNECT_BACKOFF, Refused, Server, Step};
use crate::cli::shared::{self, Done};

#[derive(Args)]
pub struct WatchArgs {
    /// The e-mail address to sign in with
    #[arg(long)]
    email: String,
    /// The password; read from standard input if not given
    #[arg(long, env = "KIZUNA_USER_PASSWORD", hide_env_values = true)]
    password: Option<String>,
    /// The server, http://HOST:PORT or https://HOST
    #[arg(long, default_value = "http://127.0.0.1:8080", value_parser = server_client::address)]
    url: String,
    /// PEM file of an authority to trust beside those of the system
    #[arg(long)]
    ca_file: Option<PathBuf>,
    /// Print events of these topics, too: customers,meetings,tasks,approvals,deals,sagas
    #[arg(long, value_delimiter = ',', value_parser = ["customers", "meetings", "tasks", "approvals", "deals", "sagas"])]
    topics: Vec<String>,
}

/// A connection is dead when the server has been silent for longer than two of its pings.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// Runs until it is interrupted or can't sign in.
pub async fn run(args: WatchArgs) -> Done {
    let password = match &args.password {
        Some(password) => password.clone(),
        None => shared::read_password()?,
    };
    let server = Server::new(&args.url, args.ca_file.as_deref())?;
    let mut watcher = Watcher { server, args, password, cursor: None };
    let mut failures = 0;
    loop {
        match watcher.follow().await {
            Ok(Broken { had_frames, why }) => {
                failures = if had_frames { 0 } else { failures + 1 };
                let wait = RECONNECT_BACKOFF.jittered(failures);
                output::note(format_args!("{why}; trying again in {:.1} s", wait.as_secs_f64()));
                tokio::time::sleep(wait).await;
            }
            Err(Refused(why)) => return Err(why),
        }
    }
}

struct Watcher {
    args: WatchArgs,
    password: String,
    server: Server,
    /// The cursor of the last frame.
    cursor: Option<String>,
}

/// A connection that has ended, or that could not be made.
struct Broken {
    /// Whether it had signed in.
    had_frames: bool,
    why: String,
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

impl Watcher {
    /// Runs a connection, from signing in to its end.
    async fn follow(&mut self) -> Result<Broken, Refused> {
        let away = |why| Ok(Broken { had_frames: false, why });
        let token = match self.server.sign_in(&self.args.email, &self.password).await? {
            Ok(token) => token,
            Err(why) => return away(why),
        };
        let mut socket = match self.connect(&token).await? {
            Ok(socket) => socket,
            Err(why) => return away(why),
        };
        let mut had_frames = false;
        while let Ok(Some(Ok(message))) = tokio::time::timeout(SILENCE_MAX, socket.next()).await {
            let Message::Text(text) = message else { continue };
            let Ok(frame) = serde_json::from_str::<Value>(&text) else { break };
            had_frames = true;
            self.show(&frame).map_err(Refused)?;
            if let Some(cursor) = frame["cursor"].as_str() {
                self.cursor = Some(cursor.to_owned());
            }
        }
        Ok(Broken { had_frames, why: format!("the connection to {} broke", self.args.url) })
    }

    async fn connect(&self, token: &str) -> Step<Socket> {
        let refused = |error: &dyn std::fmt::Display| Refused(anyhow!("{error}"));
        let mut request = self.address().into_client_request().map_err(|error| refused(&error))?;
        let bearer = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|error| refused(&error))?;
        request.headers_mut().insert(header::AUTHORIZATION, bearer);
        let tls = self.server.tls.clone().map_or(Connector::Plain, Connector::Rustls);
        match connect_async_tls_with_config(request, None, false, Some(tls)).await {
            Ok((socket, _)) => Ok(Ok(socket)),
            Err(Error::Http(answer)) if matches!(answer.status().as_u16(), 400 | 403 | 404) => {
                Err(Refused(anyhow!("{} refuses the connection: {}", self.args.url, answer.status())))
            }
            // The session may have ended between the two requests: sign in again.
            Err(error) => Ok(Err(self.server.not_reached(&error))),
        }
    }

    fn address(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if !self.args.topics.is_empty() {
            query.append_pair("topics", &self.args.topics.join(","));
        }
        if let Some(cursor) = &self.cursor {
            query.append_pair("cursor", cursor);
        }
        format!("{}/api/ws?{}", self.args.url.replacen("http", "ws", 1), query.finish())
    }

    /// Prints a frame: notifications and events on stdout, the rest on stderr.
    fn show(&self, frame: &Value) -> Done {
        let text = |pointer: &str| frame.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        match text("/type") {
            "hello" if self.cursor.is_none() => {
                output::note(format_args!("signed in to {} as {}", self.args.url, self.args.email));
            }
            "notification" => output::line(format_args!(
                "{}  {}: {}",
                text("/notification/created_at"),
                text("/notification/title"),
                text("/notification/body")
            ))?,
            "event" => output::line(format_args!(
                "{}  {} {}",
                text("/event/time"),
                text("/event/type"),
                text("/event/subject")
            ))?,
            "reset" => output::note("disconnected for too long; some notifications may be missing here"),
            "error" => output::note(text("/detail")),
            _ => {}
        }
        Ok(())
    }
}
