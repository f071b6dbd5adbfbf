//! A node's own ways to PostgreSQL and Redis.

use crate::Valve;

/// The links of one node.
pub struct Links {
    pub postgres: Valve,
    pub redis: Valve,
    /// Where they lead.
    pub database_url: String,
    pub redis_url: String,
}

impl Links {
    /// To the servers of these addresses.
    pub fn between(database_url: &str, redis_url: &str) -> Self {
        let (postgres, database_url) = through_valve(database_url);
        let (redis, redis_url) = through_valve(redis_url);
        Self { postgres, redis, database_url, redis_url }
    }
}

/// A valve before the server of a URL, and the URL that leads through it.
fn through_valve(url: &str) -> (Valve, String) {
    let (before, after) = url.split_once("127.0.0.1:").expect("a server of this machine");
    let end = after.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(after.len());
    let valve = Valve::to(after[..end].parse().expect("a port"));
    let url = format!("{before}127.0.0.1:{}{}", valve.port(), &after[end..]);
    (valve, url)
}
