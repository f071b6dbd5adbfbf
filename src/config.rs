//! Settings: a struct per concern; each value comes from a flag or its environment variable (SPEC §9).

mod database;
mod http;
mod links;
mod listen;
mod secrets;
mod traces;
mod webhooks;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, CommandFactory, FromArgMatches, Parser};

pub use database::DatabaseConfig;
pub use http::HttpConfig;
pub use links::LinksConfig;
pub use listen::Listen;
pub use traces::{TracesConfig, TracesSettings};
pub use webhooks::WebhooksConfig;

use crate::actors::auth::rate::Rate;
use crate::actors::live::client::LiveLimits;
use crate::config::secrets::{SecretFile, check_admin_password, check_jwt_secret};
use crate::http::connections::Places;
use domain::service_name::ServiceName;
use domain::user::passwords::HashCost;
use kernel::duration::duration;
use runtime::breaker::BreakerSettings;
use runtime::retry::Backoff;
use runtime::schedule::Schedule;
use store::table::Dialect;

/// Tokens and sign-in.
#[derive(Args, Clone, Debug)]
pub struct AuthConfig {
    /// Secret of the tokens, at least 32 bytes; with SQLite it is made if not given, and stored beside the database
    #[arg(long, env = "KIZUNA_JWT_SECRET", hide_env_values = true)]
    pub jwt_secret: Option<String>,
    /// File that holds the secret of the tokens
    #[arg(long, env = "KIZUNA_JWT_SECRET_FILE", conflicts_with = "jwt_secret", value_parser = SecretFile::read)]
    pub jwt_secret_file: Option<SecretFile>,
    /// Secrets that are accepted beside --jwt-secret while it is replaced; separated by commas, or given several times
    #[arg(long, env = "KIZUNA_JWT_SECRET_ACCEPTED", value_delimiter = ',', hide_env_values = true)]
    jwt_secret_accepted: Vec<String>,
    /// E-mail address of the first ADMIN, who is created if there is no user
    #[arg(long, env = "KIZUNA_ADMIN_EMAIL", default_value = "admin@example.com")]
    pub admin_email: String,
    /// Password of the first ADMIN; made and printed once if not given
    #[arg(long, env = "KIZUNA_ADMIN_PASSWORD", hide_env_values = true)]
    pub admin_password: Option<String>,
    /// File that holds the password of the first ADMIN
    #[arg(long, env = "KIZUNA_ADMIN_PASSWORD_FILE", conflicts_with = "admin_password", value_parser = SecretFile::read)]
    pub admin_password_file: Option<SecretFile>,
    #[arg(long, env = "KIZUNA_ACCESS_TOKEN_TTL", default_value = "15m", value_parser = duration)]
    pub access_token_ttl: Duration,
    #[arg(long, env = "KIZUNA_REFRESH_TOKEN_TTL", default_value = "30d", value_parser = duration)]
    pub refresh_token_ttl: Duration,
    /// How long a session is valid at most, however often it is used
    #[arg(long, env = "KIZUNA_SESSION_LIFETIME", default_value = "90d", value_parser = duration)]
    pub session_lifetime: Duration,
    /// Maximum number of sessions of a user; a sign-in ends those that were not used for the longest time
    #[arg(long, env = "KIZUNA_USER_SESSIONS", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub user_sessions: u32,
    /// Failed sign-ins per account and address; ten times as many per address
    #[arg(long, env = "KIZUNA_LOGIN_RATE", default_value = "10/m", value_parser = rate)]
    pub login_rate: Rate,
    /// Requests per API key and node
    #[arg(long, env = "KIZUNA_API_KEY_RATE", default_value = "600/m", value_parser = rate)]
    pub api_key_rate: Rate,
    /// What hashing a password costs. No argument sets it: tests that start a node in their own process do.
    #[arg(skip)]
    pub hash_cost: HashCost,
}

/// The most secrets beside --jwt-secret: each costs a try at what does not open.
const SECRETS_ACCEPTED: usize = 4;

impl AuthConfig {
    /// The secret of the tokens, if one is given.
    pub fn jwt_secret(&self) -> Option<&str> {
        self.jwt_secret_file.as_ref().map(SecretFile::text).or(self.jwt_secret.as_deref())
    }

    /// The password of the first ADMIN, if one is given.
    pub fn admin_password(&self) -> Option<&str> {
        self.admin_password_file.as_ref().map(SecretFile::text).or(self.admin_password.as_deref())
    }

    /// The secrets that are accepted beside --jwt-secret. An empty variable names no secret.
    pub fn accepted_secrets(&self) -> impl Iterator<Item = &str> {
        self.jwt_secret_accepted.iter().map(String::as_str).filter(|secret| !secret.is_empty())
    }

    fn validate_accepted(&self) -> Result<(), String> {
        for secret in self.accepted_secrets() {
            check_jwt_secret(secret).map_err(|why| format!("--jwt-secret-accepted: {why}"))?;
        }
        if self.accepted_secrets().count() > SECRETS_ACCEPTED {
            return Err(format!("--jwt-secret-accepted: at most {SECRETS_ACCEPTED}"));
        }
        Ok(())
    }
}

/// Calls between services, and consumers' retries (SPEC §7).
#[derive(Args, Clone, Debug)]
pub struct ResilienceConfig {
    #[arg(long, env = "KIZUNA_BREAKER_TIMEOUT", default_value = "3s", value_parser = duration)]
    pub breaker_timeout: Duration,
    /// Percent of failures at which a breaker opens
    #[arg(long, env = "KIZUNA_BREAKER_THRESHOLD", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub breaker_threshold: u32,
    #[arg(long, env = "KIZUNA_BREAKER_WINDOW", default_value = "10s", value_parser = duration)]
    pub breaker_window: Duration,
    /// Calls in the window before a breaker may open
    #[arg(long, env = "KIZUNA_BREAKER_VOLUME", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub breaker_volume: u32,
    #[arg(long, env = "KIZUNA_BREAKER_RESET", default_value = "30s", value_parser = duration)]
    pub breaker_reset: Duration,
    /// Calls at the same time through one breaker; further ones are refused
    #[arg(long, env = "KIZUNA_BREAKER_CAPACITY", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub breaker_capacity: u32,
    #[arg(long, env = "KIZUNA_RETRY_INITIAL", default_value = "100ms", value_parser = duration)]
    pub retry_initial: Duration,
    #[arg(long, env = "KIZUNA_RETRY_FACTOR", default_value_t = 2.0, value_parser = factor)]
    pub retry_factor: f64,
    #[arg(long, env = "KIZUNA_RETRY_MAX", default_value = "30s", value_parser = duration)]
    pub retry_max: Duration,
    #[arg(long, env = "KIZUNA_RETRY_TIMES", default_value_t = 8, value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub retry_times: u32,
}

impl ResilienceConfig {
    pub fn breaker(&self) -> BreakerSettings {
        BreakerSettings {
            timeout: self.breaker_timeout,
            threshold: self.breaker_threshold,
            window: self.breaker_window,
            volume: self.breaker_volume as usize,
            reset: self.breaker_reset,
            capacity: self.breaker_capacity as usize,
        }
    }

    pub fn retry(&self) -> Backoff {
        Backoff {
            initial: self.retry_initial,
            factor: self.retry_factor,
            max: self.retry_max,
            times: self.retry_times,
        }
    }
}

/// Jobs at fixed times.
#[derive(Args, Clone, Debug)]
pub struct SchedulesConfig {
    /// When to look for tasks that are due soon: an interval, or a cron expression in UTC
    #[arg(long, env = "KIZUNA_DUE_SCAN_EVERY", default_value = "5m", value_parser = schedule)]
    pub due_scan_every: Schedule,
}

/// What reports go by.
#[derive(Args, Clone, Debug)]
pub struct ReportsConfig {
    /// The month, from 1 to 12, with which a fiscal year begins
    #[arg(long, env = "KIZUNA_FISCAL_YEAR_STARTS", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=12))]
    pub fiscal_year_starts: u32,
}

/// WebSockets and event streams.
#[derive(Args, Clone, Debug)]
pub struct LiveConfig {
    /// Maximum number of live connections of this node that have signed in
    #[arg(long, env = "KIZUNA_MAX_SOCKETS", default_value_t = 8_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_sockets: u32,
    /// Maximum number of live connections of a user
    #[arg(long, env = "KIZUNA_USER_SOCKETS", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub user_sockets: u32,
    /// Maximum number of live connections of this node that have not signed in yet
    #[arg(long, env = "KIZUNA_UNSIGNED_SOCKETS", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub unsigned_sockets: u32,
    /// Maximum number of those of one address
    #[arg(long, env = "KIZUNA_UNSIGNED_SOCKETS_PER_ADDRESS", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub unsigned_sockets_per_address: u32,
    /// Frames that may wait for a connection before it is closed as too slow
    #[arg(long, env = "KIZUNA_SOCKET_QUEUE", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub socket_queue: u32,
    /// Time between two pings of a live connection
    #[arg(long, env = "KIZUNA_PING_EVERY", default_value = "20s", value_parser = duration)]
    pub ping_every: Duration,
}

/// Bytes that may wait for a connection: room for a few of the largest events.
const SOCKET_QUEUE_BYTES: usize = 512 * 1024;

impl LiveConfig {
    pub fn limits(&self) -> LiveLimits {
        LiveLimits {
            sockets: self.max_sockets as usize,
            sockets_per_user: self.user_sockets as usize,
            queue: self.socket_queue as usize,
            queue_bytes: SOCKET_QUEUE_BYTES,
        }
    }

    /// The places of sockets that have not signed in yet.
    pub fn unsigned_places(&self) -> Places {
        Places::new(self.unsigned_sockets as usize, self.unsigned_sockets_per_address as usize)
    }
}

/// The cluster.
#[derive(Args, Clone, Debug)]
pub struct ClusterConfig {
    /// redis://… or rediss://…: makes this a node of a cluster; the database must be PostgreSQL
    #[arg(long = "redis-url", env = "REDIS_URL", hide_env_values = true)]
    pub redis_url: Option<String>,
    /// File that holds the Redis URL
    #[arg(long = "redis-url-file", env = "KIZUNA_REDIS_URL_FILE", conflicts_with = "redis_url", value_parser = SecretFile::read)]
    pub redis_url_file: Option<SecretFile>,
    /// Services that this node hosts; calls to the others go to nodes that host them
    #[arg(
        long,
        env = "KIZUNA_SERVICES",
        value_delimiter = ',',
        default_value = "auth,customer,sales,opportunity,analytics"
    )]
    pub services: Vec<ServiceName>,
    /// Name of this node in the cluster; made at the start if not given
    #[arg(long, env = "KIZUNA_NODE_ID", value_parser = node_id)]
    pub node_id: Option<String>,
}

impl ClusterConfig {
    /// The URL of the cluster's Redis, if this is a node of a cluster.
    pub fn redis_url(&self) -> Option<&str> {
        self.redis_url_file.as_ref().map(SecretFile::text).or(self.redis_url.as_deref())
    }

    /// Whether this node hosts every service.
    pub fn hosts_all(&self) -> bool {
        ServiceName::ALL.iter().all(|service| self.services.contains(service))
    }

    fn validate(&self, database: &DatabaseConfig) -> Result<(), String> {
        if self.redis_url().is_some() && Dialect::of(database.url()) != Some(Dialect::Postgres) {
            return Err("--redis-url: a cluster's --database-url must be postgres://…".into());
        }
        if self.redis_url().is_none() && !self.hosts_all() {
            return Err("--services: a node that hosts only some needs --redis-url to call the others".into());
        }
        Ok(())
    }
}

/// The bounds of what can grow.
#[derive(Args, Clone, Debug)]
pub struct BoundsConfig {
    /// Maximum number of commands and effects per commit
    #[arg(long, env = "KIZUNA_JOURNAL_GROUP", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub journal_group: u32,
    /// Maximum number of commands and effects that wait for a commit
    #[arg(long, env = "KIZUNA_JOURNAL_QUEUE", default_value_t = 4_096, value_parser = clap::value_parser!(u32).range(1..))]
    pub journal_queue: u32,
    /// Maximum number of events per effect of a consumer
    #[arg(long, env = "KIZUNA_FEED_BATCH", default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub feed_batch: u32,
    /// Maximum number of parked events per consumer (retrying, dead, or waiting behind such); at more it pauses
    #[arg(long, env = "KIZUNA_PARKING_LIMIT", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub parking_limit: u32,
    /// Maximum number of aggregates of a kind with a running actor
    #[arg(long, env = "KIZUNA_MAX_CHILDREN", default_value_t = 4_096, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_children: u32,
    /// Time without a message after which an aggregate's actor stops
    #[arg(long, env = "KIZUNA_CHILD_IDLE", default_value = "1m", value_parser = duration)]
    pub child_idle: Duration,
    /// Number of records of a kind kept in memory for reading
    #[arg(long, env = "KIZUNA_CACHE_SIZE", default_value_t = 20_000)]
    pub cache_size: u64,
}

/// The settings of `serve`.
#[derive(Args, Clone, Debug)]
pub struct Config {
    #[command(flatten)]
    pub database: DatabaseConfig,
    #[command(flatten)]
    pub http: HttpConfig,
    #[command(flatten)]
    pub auth: AuthConfig,
    #[command(flatten)]
    pub resilience: ResilienceConfig,
    #[command(flatten)]
    pub schedules: SchedulesConfig,
    #[command(flatten)]
    pub reports: ReportsConfig,
    #[command(flatten)]
    pub live: LiveConfig,
    #[command(flatten)]
    pub bounds: BoundsConfig,
    #[command(flatten)]
    pub cluster: ClusterConfig,
    #[command(flatten)]
    pub links: LinksConfig,
    #[command(flatten)]
    pub webhooks: WebhooksConfig,
    #[command(flatten)]
    pub traces: TracesConfig,
    /// Load sample users and records into an empty database; loopback only
    #[arg(long, env = "KIZUNA_DEMO", num_args = 0..=1, default_value_t = false, default_missing_value = "true", value_parser = clap::builder::BoolishValueParser::new())]
    pub demo: bool,
}

impl Config {
    /// The settings of a command that works on a database beside its servers: the defaults, whatever the environment
    /// says.
    pub fn beside(database: DatabaseConfig) -> Self {
        #[derive(Parser)]
        struct Defaults {
            #[command(flatten)]
            config: Config,
        }
        let command = Defaults::command().mut_args(|arg| arg.env(None::<&'static str>));
        let matches = command.get_matches_from(["kizuna"]);
        let Defaults { config } = Defaults::from_arg_matches(&matches).expect("every setting has a default");
        let webhooks = WebhooksConfig { sends: false, ..config.webhooks };
        Self { database, webhooks, ..config }
    }

    /// Checks what the parser of a single flag can't.
    ///
    /// # Errors
    /// One line that names the flag and what is wrong with it.
    pub fn validate(&self) -> Result<(), String> {
        if Dialect::of(self.database.url()).is_none() {
            return Err("--database-url: expected sqlite://PATH or postgres://…".into());
        }
        self.database.validate()?;
        self.cluster.validate(&self.database)?;
        self.links.validate(&self.cluster, &self.database)?;
        if self.demo && !self.http.listen.is_loopback() {
            return Err("--demo: its passwords are public, so --listen must be a loopback address".into());
        }
        if self.demo && !self.cluster.hosts_all() {
            return Err("--demo: --services must list every service".into());
        }
        match self.auth.jwt_secret() {
            Some(secret) => check_jwt_secret(secret).map_err(|why| format!("--jwt-secret: {why}"))?,
            None if self.secret_file().is_none() => {
                return Err("--jwt-secret: required with PostgreSQL; needs at least 32 bytes".into());
            }
            None => {}
        }
        if let Some(password) = self.auth.admin_password() {
            let is_local = self.http.listen.is_loopback();
            check_admin_password(password, &self.auth.admin_email, is_local)
                .map_err(|why| format!("--admin-password: {why}"))?;
        }
        self.auth.validate_accepted()?;
        if let Some(url) = &self.http.public_url {
            let known = url.starts_with("http://") || url.starts_with("https://");
            if !known || url.ends_with('/') {
                return Err("--public-url: expected http(s)://HOST without a slash at the end".into());
            }
        }
        Ok(())
    }

    /// The file of a made secret: beside a SQLite file.
    pub fn secret_file(&self) -> Option<PathBuf> {
        let path = self.database.url().strip_prefix("sqlite:")?.trim_start_matches("//");
        let path = path.split('?').next().filter(|path| !path.is_empty() && *path != ":memory:")?;
        Some(Path::new(path).with_extension("jwt-secret"))
    }
}

/// Parses a duration or a cron expression: a duration has no spaces.
fn schedule(text: &str) -> Result<Schedule, String> {
    if text.trim().contains(char::is_whitespace) {
        return Schedule::cron(text)
            .map_err(|why| format!("not a cron expression such as */5 * * * *: {why}"));
    }
    let interval =
        duration(text).map_err(|why| format!("{why}; or a cron expression such as */5 * * * *"))?;
    Ok(Schedule::Every(interval))
}

/// Parses a rate: `10/m` is ten per minute; `s`, `m` and `h` are known.
fn rate(text: &str) -> Result<Rate, String> {
    let expected = || "expected a rate such as 10/m".to_owned();
    let (count, unit) = text.split_once('/').ok_or_else(expected)?;
    let count = count.parse().ok().filter(|count| *count > 0).ok_or_else(expected)?;
    let per = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        _ => return Err(expected()),
    };
    Ok(Rate { count, per: Duration::from_secs(per) })
}

/// Checks a node's name: it is used unescaped in addresses, keys and logs.
fn node_id(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if (1..=64).contains(&text.len()) && text.chars().all(plain) {
        Ok(text.to_owned())
    } else {
        Err("expected 1 to 64 letters, digits, dots, dashes or underscores".into())
    }
}

fn factor(text: &str) -> Result<f64, String> {
    let factor: f64 = text.parse().map_err(|_| "expected a number".to_owned())?;
    if (1.0..=100.0).contains(&factor) { Ok(factor) } else { Err("expected 1 to 100".into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_retries_by_the_contract_s_schedule_unless_told_otherwise() {
        #[derive(clap::Parser)]
        struct Flags {
            #[command(flatten)]
            resilience: ResilienceConfig,
        }
        let flags = <Flags as clap::Parser>::parse_from(["kizuna"]);
        assert_eq!(flags.resilience.retry(), Backoff::default());
    }

    #[test]
    fn node_ids_are_plain_names() {
        for text in ["a", "node-1.tokyo_2", &"x".repeat(64)] {
            assert_eq!(node_id(text).as_deref(), Ok(text));
        }
        for text in ["", "a b", "a/b", "絆", &"x".repeat(65)] {
            assert!(node_id(text).is_err(), "{text}");
        }
    }

    #[test]
    fn rates_are_counts_a_time() {
        assert_eq!(rate("10/m"), Ok(Rate { count: 10, per: Duration::from_secs(60) }));
        for text in ["10", "0/m", "/m", "10/w", "-1/s"] {
            assert!(rate(text).is_err(), "{text}");
        }
    }

    #[test]
    fn schedules_are_durations_or_cron_expressions() {
        assert!(matches!(schedule("5m"), Ok(Schedule::Every(every)) if every == Duration::from_secs(300)));
        for text in ["*/5 * * * *", "0 9 * * MON-FRI", "30 */5 * * * *"] {
            assert!(matches!(schedule(text), Ok(Schedule::Cron(_))), "{text}");
        }
        for text in ["", "often", "0s", "@daily", "* * * *", "61 * * * *", "*/0 * * * *", "0 0 30 2 *"] {
            assert!(schedule(text).is_err(), "{text}");
        }
    }
}
