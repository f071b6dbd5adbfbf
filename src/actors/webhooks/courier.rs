//! One HTTP exchange with an endpoint: a POST, no redirect, no proxy, of the answer so many bytes. Connections are kept.

use std::error::Error as StdError;
use std::time::Duration;

use futures_util::TryFutureExt;
use reqwest::header::{HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};
use tokio::time::Instant;

use crate::actors::webhooks::resolver::{Guarded, HostLookup, LookupError};
use domain::webhook::address::AddressPolicy;
use domain::webhook::schedule::{ANSWER_MAX, Failure, Outcome, Tried, hold, shown};
use domain::webhook::signature::{Secret, signatures};
use kernel::clock::{Clock, Timestamp};
use kernel::cloud_event::CloudEvent;
use kernel::event::LoggedEvent;
use kernel::ids::Id;

/// What is sent is an event in the structured mode of the CloudEvents HTTP binding.
pub const CLOUD_EVENT_JSON: &str = "application/cloudevents+json";
/// How long a connection stays open unused.
const IDLE: Duration = Duration::from_secs(30);
/// The most unused connections to an endpoint.
const IDLE_MAX: usize = 32;

/// What is sent in a try.
#[derive(Clone)]
pub struct Message {
    pub url: String,
    /// The `webhook-id`.
    pub id: String,
    pub at: Timestamp,
    pub signature: String,
    pub traceparent: Option<String>,
    pub body: Vec<u8>,
}

impl Message {
    /// The message of an event, signed with these secrets.
    pub fn new(url: &str, delivery: Id, event: &LoggedEvent, secrets: &[Secret], now: Timestamp) -> Self {
        let (id, body) = (delivery.to_string(), body_of(event));
        Self {
            url: url.to_owned(),
            signature: signatures(secrets, &id, now, &body),
            id,
            at: now,
            traceparent: event.event.traceparent.as_deref().map(str::to_owned),
            body,
        }
    }
}

/// The body of an event's messages: always the same bytes.
pub fn body_of(event: &LoggedEvent) -> Vec<u8> {
    serde_json::to_vec(&CloudEvent::from(event)).expect("events are plain structs")
}

/// The names and values of the headers of a try.
pub fn headers(id: &str, at: Timestamp, signature: &str) -> [(&'static str, String); 4] {
    [
        ("content-type", CLOUD_EVENT_JSON.to_owned()),
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", at.seconds().to_string()),
        ("webhook-signature", signature.to_owned()),
    ]
}

/// Sends messages; clones share the connections.
#[derive(Clone)]
pub struct Courier {
    client: Client,
    policy: AddressPolicy,
    clock: Clock,
}

impl Courier {
    /// # Errors
    /// When the system's certificates can't be read.
    pub fn new(policy: AddressPolicy, lookup: HostLookup, clock: &Clock) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .referer(false)
            .dns_resolver(Guarded::new(lookup, move |address| policy.allows(address)))
            .tcp_nodelay(true)
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_MAX)
            .build()?;
        Ok(Self { client, policy, clock: clock.clone() })
    }

    /// Sends a message and reads the answer. Whoever waits for it bounds the time.
    pub async fn send(&self, message: &Message) -> Tried {
        let (began_at, begun) = (self.clock.now(), Instant::now());
        let tried = |outcome, status, answer, hold| Tried {
            began_at,
            took: begun.elapsed(),
            outcome,
            signature: message.signature.clone(),
            status,
            answer,
            hold,
        };
        // The flag may have changed since the address was stored, and an address in the URL is not looked up.
        let Ok(url) = self.policy.check(&message.url) else {
            return tried(Outcome::Failed(Failure::PrivateAddress), None, None, None);
        };
        match self.exchange(url, message).await {
            Err(failure) => tried(Outcome::Failed(failure), None, None, None),
            Ok(answered) => {
                let Answered { status, retry_after, body } = answered;
                let held = hold(status, retry_after.as_deref(), self.clock.now());
                tried(Outcome::of(status), Some(status), Some(shown(&body)), held)
            }
        }
    }

    async fn exchange(&self, url: Url, message: &Message) -> Result<Answered, Failure> {
        let mut request = self.client.post(url).body(message.body.clone());
        for (name, value) in headers(&message.id, message.at, &message.signature) {
            request = request.header(name, value);
        }
        request = request.header(USER_AGENT, concat!("Kizuna/", env!("CARGO_PKG_VERSION")));
        if let Some(traceparent) =
            message.traceparent.as_deref().and_then(|it| HeaderValue::from_str(it).ok())
        {
            request = request.header(HeaderName::from_static("traceparent"), traceparent);
        }
        let answer = request.send().map_err(|error| failure_of(&error)).await?;
        let status = answer.status().as_u16();
        let retry_after = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = retry_after.map(str::to_owned);
        let body = read(answer).await.map_err(|error| failure_of(&error))?;
        Ok(Answered { status, retry_after, body })
    }
}

struct Answered {
    status: u16,
    retry_after: Option<String>,
    body: Vec<u8>,
}

/// The beginning of an answer. The rest is not read: its connection is closed.
async fn read(mut answer: Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while body.len() < ANSWER_MAX {
        let Some(chunk) = answer.chunk().await? else { break };
        body.extend_from_slice(&chunk[..chunk.len().min(ANSWER_MAX - body.len())]);
    }
    Ok(body)
}

/// Why an exchange failed.
fn failure_of(error: &reqwest::Error) -> Failure {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(one) = cause {
        match one.downcast_ref::<LookupError>() {
            Some(LookupError::None(_)) => return Failure::Dns,
            Some(LookupError::Refused) => return Failure::PrivateAddress,
            None => cause = one.source(),
        }
    }
    if error.is_timeout() { Failure::Timeout } else { Failure::Connection }
}
