//! `kizuna events tail`: prints the event log as CloudEvents, one per line. From a server, by `GET /api/events` with
//! long polling, or from the database itself.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::anyhow;
use clap::Args;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::runtime::Handle;

use crate::cli::output;
use crate::cli::server_client;
use crate::cli::server_client::{RECONNECT_BACKOFF, Refused, Server, Step};
use crate::cli::shared;
use crate::cli::shared::{Done, connect_to_existing};
use crate::config::DatabaseConfig;
use kernel::cloud_event::CloudEvent;
use kernel::ids::Id;
use store::log;
use store::log::AuditFilter;

#[derive(Args)]
pub struct TailArgs {
    #[command(flatten)]
    database: DatabaseConfig,
    /// Wait for new events; a server is always waited for
    #[arg(long, short)]
    follow: bool,
    /// How many past events of the database to print first
    #[arg(long, short = 'n', default_value_t = 20, value_parser = clap::value_parser!(i64).range(0..=1000))]
    lines: i64,
    /// Only events of this type of the database
    #[arg(long = "type")]
    event_type: Option<String>,
    /// Read from this server, http://HOST:PORT or https://HOST, instead of the database
    #[arg(long = "url", value_parser = server_client::address)]
    server: Option<String>,
    #[command(flatten)]
    access: Access,
    /// Only events of these types of the server: customer.created,deal.won
    #[arg(long, value_delimiter = ',', requires = "server")]
    types: Vec<String>,
    /// Where to begin: start, now, or a cursor that this command or GET /api/events gave
    #[arg(long, default_value = "now", requires = "server")]
    from: String,
}

/// How to get access to a server.
#[derive(Args)]
struct Access {
    /// An access token or API key for the server
    #[arg(long, env = "KIZUNA_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// The e-mail address to sign in to the server with, if there is no token
    #[arg(long, requires = "server")]
    email: Option<String>,
    /// The password; read from standard input if not given
    #[arg(long, env = "KIZUNA_USER_PASSWORD", hide_env_values = true)]
    password: Option<String>,
    /// PEM file of an authority to trust beside those of the system
    #[arg(long, requires = "server")]
    ca_file: Option<PathBuf>,
}

/// How long the server may wait for an event, and how much later the answer must be there.
const WAIT: Duration = Duration::from_secs(20);
const ANSWER_WITHIN: Duration = Duration::from_secs(40);
/// Events of an answer.
const PAGE: &str = "200";

/// Prints events until there are no more, or, if it follows, until it is interrupted.
pub async fn run(args: TailArgs, db_runtime: Handle) -> Done {
    match &args.server {
        Some(url) => {
            let server = Server::new(url, args.access.ca_file.as_deref())?;
            let sign_in = SignIn::of(&args.access)?;
            Follower { server, sign_in, token: None, types: args.types.join(","), after: args.from }
                .run()
                .await
        }
        None => of_database(args, db_runtime).await,
    }
}

/// How the token is had.
enum SignIn {
    Token(String),
    Password { email: String, password: String },
}

impl SignIn {
    fn of(access: &Access) -> anyhow::Result<Self> {
        match (&access.token, &access.email) {
            (_, Some(email)) => {
                let password = match &access.password {
                    Some(password) => password.clone(),
                    None => shared::read_password()?,
                };
                Ok(Self::Password { email: email.clone(), password })
            }
            (Some(token), None) => Ok(Self::Token(token.clone())),
            (None, None) => Err(anyhow!("--url needs --token, KIZUNA_TOKEN or --email")),
        }
    }
}

/// Reads a server's log to its end and beyond.
struct Follower {
    server: Server,
    sign_in: SignIn,
    token: Option<String>,
    types: String,
    /// The last answer's cursor.
    after: String,
}

impl Follower {
    async fn run(mut self) -> Done {
        let mut failures = 0;
        loop {
            let step = tokio::select! {
                step = self.step() => step,
                _ = tokio::signal::ctrl_c() => {
                    output::note(format_args!("to go on from here: --from {}", self.after));
                    return Ok(());
                }
            };
            match step {
                Ok(Ok(())) => failures = 0,
                Ok(Err(why)) => {
                    failures += 1;
                    let wait = RECONNECT_BACKOFF.jittered(failures);
                    output::note(format_args!("{why}; trying again in {:.1} s", wait.as_secs_f64()));
                    tokio::time::sleep(wait).await;
                }
                Err(Refused(why)) => return Err(why),
            }
        }
    }

    /// Asks once for what comes next, and prints it.
    async fn step(&mut self) -> Step<()> {
        let token = match (&self.token, &self.sign_in) {
            (Some(token), _) | (None, SignIn::Token(token)) => token.clone(),
            (None, SignIn::Password { email, password }) => {
                match self.server.sign_in(email, password).await? {
                    Ok(token) => self.token.insert(token).clone(),
                    Err(why) => return Ok(Err(why)),
                }
            }
        };
        let answer = match self.server.sent(self.request(&token)).await? {
            Ok(answer) => answer,
            Err(why) => return Ok(Err(why)),
        };
        let status = answer.status().as_u16();
        let cursor = answer.headers().get("x-next-cursor").and_then(|cursor| cursor.to_str().ok());
        let cursor = cursor.map(str::to_owned);
        let text = match answer.text().await {
            Ok(text) => text,
            Err(error) => return Ok(Err(self.server.not_reached(&error))),
        };
        match (status, cursor) {
            (200, Some(cursor)) => {
                let Ok(events) = serde_json::from_str::<Vec<Box<RawValue>>>(&text) else {
                    return Ok(Err(format!("{} gives no list of events", self.server.url)));
                };
                for event in events {
                    output::json(&event).map_err(Refused)?;
                }
                self.after = cursor;
                Ok(Ok(()))
            }
            // The token has expired.
            (401, _) if self.token.take().is_some() => Ok(Ok(())),
            (429 | 500.., _) => Ok(Err(format!("{} answers {status}: {}", self.server.url, detail(&text)))),
            _ => Err(Refused(anyhow!("{} answers {status}: {}", self.server.url, detail(&text)))),
        }
    }

    fn request(&self, token: &str) -> reqwest::RequestBuilder {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("after", &self.after).append_pair("limit", PAGE);
        query.append_pair("wait", &format!("{}s", WAIT.as_secs()));
        if !self.types.is_empty() {
            query.append_pair("types", &self.types);
        }
        let request = self.server.http.get(format!("{}/api/events?{}", self.server.url, query.finish()));
        request.bearer_auth(token).timeout(ANSWER_WITHIN)
    }
}

/// What a problem says, in a line.
fn detail(text: &str) -> String {
    let problem = serde_json::from_str::<Value>(text).unwrap_or_default();
    let field = problem.pointer("/errors/0/message").and_then(Value::as_str);
    let detail = field.or_else(|| problem["detail"].as_str());
    detail.unwrap_or("no reason is given").to_owned()
}

async fn of_database(args: TailArgs, db_runtime: Handle) -> Done {
    let db = connect_to_existing(args.database, &db_runtime).await?;
    let filter = AuditFilter { event_type: args.event_type, ..AuditFilter::default() };
    // In the order of commits, not of ids: ids of different threads may be committed out of order. The head is read before
    // the last events, so that no event in between is missed.
    let mut position = log::head(&db).await?;
    let mut last = log::audit(&db, &filter, None, args.lines).await?;
    last.reverse();
    for event in &last {
        output::json(&CloudEvent::from(event))?;
    }
    if !args.follow {
        db.close().await;
        return Ok(());
    }
    let printed: HashSet<Id> = last.iter().map(|event| event.event.id).collect();
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        for event in log::since(&db, position, 1_000).await? {
            position = event.log_seq.unwrap_or(position);
            let is_wanted =
                filter.event_type.as_deref().is_none_or(|name| name == event.event.event_type.name());
            if is_wanted && !printed.contains(&event.event.id) {
                output::json(&CloudEvent::from(&event))?;
            }
        }
    }
}
