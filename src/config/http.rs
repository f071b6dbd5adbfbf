//! How clients reach the gateway, and the bounds of what they send.

use std::net::IpAddr;
use std::time::Duration;

use clap::Args;

use crate::config::Listen;
use crate::http::body_pace::BodyPace;
use crate::http::connection::ConnectionTimes;
use crate::http::connections::Places;
use crate::http::cors::Origin;
use kernel::duration::duration;

/// How clients reach the gateway.
#[derive(Args, Clone, Debug)]
pub struct HttpConfig {
    /// Address or name, and port, of the API
    #[arg(long, env = "KIZUNA_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: Listen,
    /// Serve /metrics here instead of beside the API
    #[arg(long, env = "KIZUNA_OPS_LISTEN")]
    pub ops_listen: Option<Listen>,
    /// URL under which browsers reach this server, such as `https://crm.example.com`
    #[arg(long, env = "KIZUNA_PUBLIC_URL")]
    pub public_url: Option<String>,
    /// Address of a proxy whose X-Forwarded-For header is trusted; may be given several times
    #[arg(long, env = "KIZUNA_TRUSTED_PROXY", value_delimiter = ',')]
    pub trusted_proxy: Vec<IpAddr>,
    /// Origin whose pages may call the API with a token, such as `https://app.example.com`; may be given several times
    #[arg(long, env = "KIZUNA_CORS_ORIGIN", value_delimiter = ',', value_parser = Origin::parse)]
    pub cors_origin: Vec<Origin>,
    /// Maximum number of open connections
    #[arg(long, env = "KIZUNA_MAX_CONNECTIONS", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_connections: u32,
    /// Maximum number of open connections of one address that is no trusted proxy; at most half of --max-connections
    #[arg(long, env = "KIZUNA_MAX_CONNECTIONS_PER_ADDRESS", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_connections_per_address: u32,
    /// Maximum number of requests that are worked on at once; bursts wait, and what is beyond is answered 503
    #[arg(long, env = "KIZUNA_REQUESTS_AT_ONCE", default_value_t = 128, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub requests_at_once: u32,
    /// How long the headers of a request may take to arrive
    #[arg(long, env = "KIZUNA_HEADER_TIMEOUT", default_value = "5s", value_parser = duration)]
    pub header_timeout: Duration,
    /// How long the body of a request may take to arrive
    #[arg(long, env = "KIZUNA_BODY_TIMEOUT", default_value = "30s", value_parser = duration)]
    pub body_timeout: Duration,
    /// Bytes a second that a body must bring, once a sixth of --body-timeout has passed
    #[arg(long, env = "KIZUNA_BODY_RATE", default_value_t = 1_024, value_parser = clap::value_parser!(u32).range(1..))]
    pub body_rate: u32,
    /// How long a connection may stay open between two requests
    #[arg(long, env = "KIZUNA_IDLE_TIMEOUT", default_value = "5s", value_parser = duration)]
    pub idle_timeout: Duration,
    /// How long to serve after SIGTERM, with /readyz answering 503, until a load balancer has noticed
    #[arg(long, env = "KIZUNA_DRAIN_DELAY", value_parser = duration)]
    pub drain_delay: Option<Duration>,
    /// How long requests under way may take after that
    #[arg(long, env = "KIZUNA_DRAIN_TIMEOUT", default_value = "20s", value_parser = duration)]
    pub drain_timeout: Duration,
}

impl HttpConfig {
    /// How long a body may take.
    pub fn body_pace(&self) -> BodyPace {
        BodyPace { total: self.body_timeout, rate: self.body_rate }
    }

    /// How long a connection may take for what is no body.
    pub fn connection_times(&self) -> ConnectionTimes {
        ConnectionTimes { head: self.header_timeout, idle: self.idle_timeout }
    }

    /// The places of connections. One address has half of them at most, so that it can't take all.
    pub fn connections(&self) -> Places {
        let per_address = self.max_connections_per_address.min(self.max_connections.div_ceil(2));
        Places::new(self.max_connections as usize, per_address as usize)
    }
}
