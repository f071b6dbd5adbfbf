//! How Redis is reached by TLS; PostgreSQL has this in its URL.

use std::path::PathBuf;

use clap::Args;

use super::{ClusterConfig, DatabaseConfig};
use store::encryption;
use store::redis::RedisSettings;

/// The files for `rediss://`.
#[derive(Args, Clone, Debug, Default)]
pub struct LinksConfig {
    /// PEM file of the authorities to trust for rediss://, instead of the public ones
    #[arg(long, env = "KIZUNA_REDIS_CA_FILE")]
    pub redis_ca_file: Option<PathBuf>,
    /// PEM file of this node's certificate for rediss://, if Redis wants one
    #[arg(long, env = "KIZUNA_REDIS_CERT_FILE")]
    pub redis_cert_file: Option<PathBuf>,
    /// PEM file of the key of that certificate
    #[arg(long, env = "KIZUNA_REDIS_KEY_FILE")]
    pub redis_key_file: Option<PathBuf>,
}

impl LinksConfig {
    /// The settings for the store; `None` outside a cluster.
    pub fn redis(&self, cluster: &ClusterConfig) -> Option<RedisSettings> {
        Some(RedisSettings {
            url: cluster.redis_url()?.to_owned(),
            ca_file: self.redis_ca_file.clone(),
            cert_file: self.redis_cert_file.clone(),
            key_file: self.redis_key_file.clone(),
        })
    }

    pub(super) fn validate(&self, cluster: &ClusterConfig, database: &DatabaseConfig) -> Result<(), String> {
        let Some(settings) = self.redis(cluster) else { return Ok(()) };
        settings.check()?;
        match encryption::plaintext_redis(&settings.url).map_err(|why| format!("--redis-url: {why}"))? {
            Some(host) if !database.allow_plaintext => Err(format!(
                "--redis-url: {host} is another machine and would be reached without TLS; use rediss://, or \
                 --allow-plaintext if the network in between is safe"
            )),
            _ => Ok(()),
        }
    }
}
