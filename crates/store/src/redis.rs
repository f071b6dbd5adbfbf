//! Redis: the transport between nodes and a cache, never the record (SPEC §8.3). Its content may vanish, come late or
//! come twice, and other programs may write there: entries are sealed ([`seal`](crate::seal)), and what does not open is
//! refused, counted and reported.
//!
//! Every key begins with `kizuna:2:<cluster>:`. The number is the version of the format; the
//! cluster's id is made with the database, so that clusters may share a Redis. The keys:
//!
//! | key | what |
//! |---|---|
//! | `events:<partition>` | stream of committed events; an entry's id is `<partition_seq>-0`; trimmed by the lowest cursor |
//! | `calls:<incarnation>` | stream of calls to the services of a node; expires with it |
//! | `replies:<incarnation>` | stream of answers to the calls of a node; expires with it |
//! | `<kind>:<id>` | string: a hot record, or the token of the node that is about to fill it; kept for a second |

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig, MultiplexedConnection};
use redis::io::tcp::TcpSettings;
use redis::{AsyncConnectionConfig, Client, ConnectionInfo, IntoConnectionInfo, RedisError, RedisResult};

use crate::seal::{Purpose, Refusals, Seal};
use kernel::ids::Id;

/// How long a command may take; then Redis counts as away.
pub const COMMAND_TIMEOUT: Duration = Duration::from_millis(300);
/// How long connecting may take; then Redis counts as away.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);
/// A connection is closed when the host has acknowledged nothing for this long.
const USER_TIMEOUT: Duration = Duration::from_secs(5);

/// A client of a cluster's Redis; clones share its connection.
#[derive(Clone)]
pub struct Redis {
    client: Client,
    shared: ConnectionManager,
    namespace: Arc<str>,
    seal: Seal,
    refusals: Arc<Refusals>,
}

/// A key in Redis, and what its entries are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisKey {
    pub name: String,
    pub purpose: Purpose,
}

/// Whether a command failed because a key holds a value of another type, which no node has written.
pub fn is_foreign(error: &RedisError) -> bool {
    let errors = error.clone().into_server_errors();
    errors.is_some_and(|errors| errors.iter().any(|(_, error)| error.code() == "WRONGTYPE"))
}

/// Checks a URL without connecting.
///
/// # Errors
/// What is wrong with the URL.
pub fn check_url(url: &str) -> Result<(), String> {
    info(url).map(drop).map_err(|error| error.to_string())
}

fn info(url: &str) -> RedisResult<ConnectionInfo> {
    let tcp = TcpSettings::default().set_nodelay(true).set_user_timeout(USER_TIMEOUT);
    Ok(url.into_connection_info()?.set_tcp_settings(tcp))
}

impl Redis {
    /// A client of the Redis at `url` for this cluster. It connects when it is first used, and reconnects by itself,
    /// so that a node starts without Redis, too. Call within a tokio runtime.
    ///
    /// `secrets`: the secrets of the cluster; the first one seals.
    ///
    /// # Errors
    /// When the URL is not valid.
    pub fn new(url: &str, cluster: Id, secrets: &[Vec<u8>]) -> RedisResult<Self> {
        let client = Client::open(info(url)?)?;
        // No retries here: the caller has a fallback and should not wait.
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(0)
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(COMMAND_TIMEOUT));
        let shared = ConnectionManager::new_lazy_with_config(client.clone(), config)?;
        Refusals::register();
        Ok(Self {
            client,
            shared,
            namespace: format!("kizuna:2:{cluster}:").into(),
            seal: Seal::new(secrets, cluster),
            refusals: Arc::default(),
        })
    }

    /// The shared connection, for commands that answer at once.
    pub fn shared(&self) -> ConnectionManager {
        self.shared.clone()
    }

    /// Opens a connection for a reader that waits up to `block` for new entries.
    ///
    /// # Errors
    /// When Redis is away.
    pub async fn reader(&self, block: Duration) -> RedisResult<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            // The usual timeout would cut off a blocking read.
            .set_response_timeout(Some(block + 4 * COMMAND_TIMEOUT));
        self.client.get_multiplexed_async_connection_with_config(&config).await
    }

    /// Whether Redis answers.
    pub async fn answers(&self) -> bool {
        let mut shared = self.shared();
        redis::cmd("PING").query_async::<String>(&mut shared).await.is_ok()
    }

    /// The stream of a partition's events.
    pub fn events(&self, partition: i64) -> RedisKey {
        self.key(Purpose::Events, format_args!("events:{partition}"))
    }

    /// The stream of calls to a node.
    pub fn calls(&self, incarnation: Id) -> RedisKey {
        self.key(Purpose::Calls, format_args!("calls:{incarnation}"))
    }

    /// The stream of answers to a node.
    pub fn replies(&self, incarnation: Id) -> RedisKey {
        self.key(Purpose::Replies, format_args!("replies:{incarnation}"))
    }

    /// The key of a record that nodes share for a second.
    pub fn hot(&self, kind: &str, id: Id) -> RedisKey {
        self.key(Purpose::Hot, format_args!("{kind}:{id}"))
    }

    fn key(&self, purpose: Purpose, name: fmt::Arguments<'_>) -> RedisKey {
        RedisKey { name: format!("{}{name}", self.namespace), purpose }
    }

    /// Seals a text for this key, and for its position there; 0 if entries have none.
    pub fn seal(&self, key: &RedisKey, position: i64, text: &[u8]) -> Vec<u8> {
        self.seal.seal(key.purpose, &key.name, position, text)
    }

    /// The text of an entry; `None`, counted and reported, if this cluster has not sealed it for this place.
    pub fn open(&self, key: &RedisKey, position: i64, entry: &[u8]) -> Option<Vec<u8>> {
        let text = self.seal.open(key.purpose, &key.name, position, entry);
        if text.is_none() {
            self.refuse(key);
        }
        text
    }

    /// Counts and reports something that no node of this cluster would write under this key.
    pub fn refuse(&self, key: &RedisKey) {
        self.refusals.count(key.purpose, &key.name);
    }

    /// Deletes a key, whatever it holds.
    ///
    /// # Errors
    /// When Redis is away: the key may be deleted or not.
    pub async fn delete(&self, key: &RedisKey) -> RedisResult<()> {
        redis::cmd("DEL").arg(&key.name).query_async(&mut self.shared()).await
    }
}
