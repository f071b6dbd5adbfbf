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
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig, MultiplexedConnection};
use redis::io::tcp::TcpSettings;
use redis::{
    AsyncConnectionConfig, Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, IntoConnectionInfo,
    RedisError, RedisResult, TlsCertificates,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::redis_connection::Connection;
use crate::seal::{Purpose, Refusals, Seal};
#[cfg(feature = "simulation")]
use crate::simulated;
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
    client: Connection<Client>,
    shared: Connection<ConnectionManager>,
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

/// Whether Redis refuses to take more, because it has no memory left.
pub fn is_full(error: &RedisError) -> bool {
    is_server_error(error, "OOM")
}

/// Whether a command failed because a key holds a value of another type, which no node has written.
pub fn is_foreign(error: &RedisError) -> bool {
    is_server_error(error, "WRONGTYPE")
}

fn is_server_error(error: &RedisError, code: &str) -> bool {
    let errors = error.clone().into_server_errors();
    errors.is_some_and(|errors| errors.iter().any(|(_, error)| error.code() == code))
}

/// Where Redis is, and the PEM files for `rediss://`. The files are read when a node starts.
#[derive(Clone, Debug, Default)]
pub struct RedisSettings {
    /// `redis://…`, `rediss://…` or `redis+unix://…`, with a user and a password if Redis wants them.
    pub url: String,
    /// The authorities to trust instead of the public ones.
    pub ca_file: Option<PathBuf>,
    /// This node's certificate, and its key.
    pub cert_file: Option<PathBuf>,
    pub key_file: Option<PathBuf>,
}

impl RedisSettings {
    /// Settings without files.
    pub fn new(url: &str) -> Self {
        Self { url: url.to_owned(), ..Self::default() }
    }

    /// Checks the URL and the files without connecting.
    ///
    /// # Errors
    /// One line that names the flag and what is wrong with it.
    pub fn check(&self) -> Result<(), String> {
        self.client().map(drop)
    }

    fn client(&self) -> Result<Client, String> {
        let named = |error: RedisError| format!("--redis-url: {error}");
        let info = info(&self.url).map_err(named)?;
        let certificates = self.certificates()?;
        if matches!(info.addr(), ConnectionAddr::TcpTls { .. }) {
            // redis takes the process's implementation of cryptography; it may be set already.
            let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
            return Client::build_with_tls(info, certificates).map_err(named);
        }
        if self.ca_file.is_some() || self.cert_file.is_some() {
            return Err("--redis-ca-file, --redis-cert-file: --redis-url must be rediss://…".into());
        }
        Client::open(info).map_err(named)
    }

    fn certificates(&self) -> Result<TlsCertificates, String> {
        let certificates = |flag, path: &Path| {
            let pem = read(flag, path)?;
            let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
            if all.is_ok_and(|all| !all.is_empty()) {
                Ok(pem)
            } else {
                Err(unusable(flag, path, "certificate"))
            }
        };
        let root_cert =
            self.ca_file.as_ref().map(|path| certificates("--redis-ca-file", path)).transpose()?;
        let client_tls = match (&self.cert_file, &self.key_file) {
            (None, None) => None,
            (Some(_), None) => return Err("--redis-key-file: required with --redis-cert-file".into()),
            (None, Some(_)) => return Err("--redis-cert-file: required with --redis-key-file".into()),
            (Some(cert_file), Some(key_file)) => {
                let client_cert = certificates("--redis-cert-file", cert_file)?;
                let client_key = read("--redis-key-file", key_file)?;
                if PrivateKeyDer::from_pem_slice(&client_key).is_err() {
                    return Err(unusable("--redis-key-file", key_file, "key"));
                }
                Some(ClientTlsConfig { client_cert, client_key })
            }
        };
        Ok(TlsCertificates { client_tls, root_cert })
    }
}

fn read(flag: &str, path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{flag} {}: {error}", path.display()))
}

fn unusable(flag: &str, path: &Path, what: &str) -> String {
    format!("{flag} {}: expected a {what} in PEM form", path.display())
}

fn info(url: &str) -> RedisResult<ConnectionInfo> {
    let tcp = TcpSettings::default().set_nodelay(true).set_user_timeout(USER_TIMEOUT);
    Ok(url.into_connection_info()?.set_tcp_settings(tcp))
}

impl Redis {
    /// A client of the Redis of `settings` for this cluster. It connects when it is first used, and reconnects by itself,
    /// so that a node starts without Redis, too. Call within a tokio runtime.
    ///
    /// `secrets`: the secrets of the cluster; the first one seals.
    ///
    /// # Errors
    /// What is wrong with the settings, with the flag.
    pub fn new(settings: &RedisSettings, cluster: Id, secrets: &[Vec<u8>]) -> Result<Self, String> {
        let client = settings.client()?;
        // No retries here: the caller has a fallback and should not wait.
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(0)
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(COMMAND_TIMEOUT));
        let shared = ConnectionManager::new_lazy_with_config(client.clone(), config);
        let shared = shared.map_err(|error| format!("--redis-url: {error}"))?;
        Refusals::register();
        Ok(Self::over(Connection::Real(client), Connection::Real(shared), cluster, secrets))
    }

    /// A node's client of a simulated Redis.
    #[cfg(feature = "simulation")]
    pub fn simulated(redis: Arc<dyn simulated::Redis>, cluster: Id, secrets: &[Vec<u8>]) -> Self {
        let shared = Connection::Simulated(redis.clone());
        Self::over(Connection::Simulated(redis), shared, cluster, secrets)
    }

    fn over(
        client: Connection<Client>,
        shared: Connection<ConnectionManager>,
        cluster: Id,
        secrets: &[Vec<u8>],
    ) -> Self {
        let namespace = format!("kizuna:2:{cluster}:").into();
        Self { client, shared, namespace, seal: Seal::new(secrets, cluster), refusals: Arc::default() }
    }

    /// The shared connection, for commands that answer at once.
    pub fn shared(&self) -> Connection<ConnectionManager> {
        self.shared.clone()
    }

    /// Opens a connection for a reader that waits up to `block` for new entries.
    ///
    /// # Errors
    /// When Redis is away.
    pub async fn reader(&self, block: Duration) -> RedisResult<Connection<MultiplexedConnection>> {
        let client = match &self.client {
            Connection::Real(client) => client,
            #[cfg(feature = "simulation")]
            Connection::Simulated(redis) => return Ok(Connection::Simulated(redis.clone())),
        };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            // The usual timeout would cut off a blocking read.
            .set_response_timeout(Some(block + 4 * COMMAND_TIMEOUT));
        client.get_multiplexed_async_connection_with_config(&config).await.map(Connection::Real)
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
