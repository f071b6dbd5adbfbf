//! Redis: the transport between nodes and a cache, never the record (SPEC §8.3). Whatever is in it may vanish, come
//! late or come twice.
//!
//! Every key begins with `kizuna:1:<cluster>:`. The number is the version of what stands behind the keys; the
//! cluster's id is made with the database, so that clusters may share a Redis. Behind it:
//!
//! | key | what |
//! |---|---|
//! | `events:<partition>` | stream: what was committed, `<partition_seq>-0` the entry's id; trimmed by the lowest cursor |
//! | `calls:<incarnation>` | stream: calls to the services of a node; runs out with it |
//! | `replies:<incarnation>` | stream: answers to the calls of a node; runs out with it |
//! | `<kind>:<id>` | string: a hot record, or the token of the node that is about to fill it; kept for a second |

use std::sync::Arc;
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig, MultiplexedConnection};
use redis::io::tcp::TcpSettings;
use redis::{AsyncConnectionConfig, Client, ConnectionInfo, IntoConnectionInfo, RedisResult};

use kernel::ids::Id;

/// How long a command may take before Redis counts as away for it.
pub const COMMAND_TIMEOUT: Duration = Duration::from_millis(300);
/// The same for a new connection.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);
/// A host that acknowledges nothing for this long is gone, though nobody has closed the connection.
const USER_TIMEOUT: Duration = Duration::from_secs(5);

/// The way to a cluster's Redis; clones share its connection.
#[derive(Clone)]
pub struct Redis {
    client: Client,
    shared: ConnectionManager,
    namespace: Arc<str>,
}

/// Checks a URL without connecting.
///
/// # Errors
/// What is wrong with it.
pub fn check_url(url: &str) -> Result<(), String> {
    info(url).map(drop).map_err(|error| error.to_string())
}

fn info(url: &str) -> RedisResult<ConnectionInfo> {
    let tcp = TcpSettings::default().set_nodelay(true).set_user_timeout(USER_TIMEOUT);
    Ok(url.into_connection_info()?.set_tcp_settings(tcp))
}

impl Redis {
    /// The Redis at `url`, for this cluster. Connects when it is first used, and again whenever it must: a node
    /// starts without it, too. Call within a tokio runtime.
    ///
    /// # Errors
    /// When the URL is none.
    pub fn new(url: &str, cluster: Id) -> RedisResult<Self> {
        let client = Client::open(info(url)?)?;
        // No retries inside: who asks has something better to do than to wait.
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(0)
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(COMMAND_TIMEOUT));
        let shared = ConnectionManager::new_lazy_with_config(client.clone(), config)?;
        Ok(Self { client, shared, namespace: format!("kizuna:1:{cluster}:").into() })
    }

    /// The connection for commands that answer at once.
    pub fn shared(&self) -> ConnectionManager {
        self.shared.clone()
    }

    /// A connection of its own for a reader that waits up to `block` for news.
    ///
    /// # Errors
    /// When Redis is away.
    pub async fn reader(&self, block: Duration) -> RedisResult<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            // The client would cut a blocking read by its usual limit.
            .set_response_timeout(Some(block + 4 * COMMAND_TIMEOUT));
        self.client.get_multiplexed_async_connection_with_config(&config).await
    }

    /// Whether it answers.
    pub async fn answers(&self) -> bool {
        let mut shared = self.shared();
        redis::cmd("PING").query_async::<String>(&mut shared).await.is_ok()
    }

    /// The stream of a partition's events.
    pub fn events(&self, partition: i64) -> String {
        format!("{}events:{partition}", self.namespace)
    }

    /// The stream of calls to a node.
    pub fn calls(&self, incarnation: Id) -> String {
        format!("{}calls:{incarnation}", self.namespace)
    }

    /// The stream of answers to a node.
    pub fn replies(&self, incarnation: Id) -> String {
        format!("{}replies:{incarnation}", self.namespace)
    }

    /// The hot value of a record.
    pub fn hot(&self, kind: &str, id: Id) -> String {
        format!("{}{kind}:{id}", self.namespace)
    }
}
