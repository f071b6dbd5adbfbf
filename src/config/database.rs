//! The database of a node.

use clap::Args;
use store::encryption;
use store::settings::DatabaseSettings;
use store::table::Dialect;

use crate::config::secrets::SecretFile;

/// Where the data is.
#[derive(Args, Clone, Debug)]
pub struct DatabaseConfig {
    /// sqlite://PATH (created if missing) or postgres://…
    #[arg(
        long = "database-url",
        env = "DATABASE_URL",
        default_value = "sqlite://data/kizuna.db",
        hide_env_values = true
    )]
    pub url: String,
    /// File that holds the database URL, so that its password is not in the list of processes
    #[arg(long = "database-url-file", env = "KIZUNA_DATABASE_URL_FILE", conflicts_with = "url", value_parser = SecretFile::read)]
    pub url_file: Option<SecretFile>,
    /// Number of database connections; the journal has one more
    #[arg(long = "pool-size", env = "KIZUNA_POOL_SIZE", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub pool_size: u32,
    /// Reach PostgreSQL or Redis on another machine without TLS
    #[arg(long, env = "KIZUNA_ALLOW_PLAINTEXT", num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", value_parser = clap::builder::BoolishValueParser::new())]
    pub allow_plaintext: bool,
}

impl DatabaseConfig {
    /// The URL, as given or as its file has it.
    pub fn url(&self) -> &str {
        self.url_file.as_ref().map_or(&self.url, SecretFile::text)
    }

    /// The settings for the store.
    pub fn settings(&self) -> DatabaseSettings {
        DatabaseSettings { url: self.url().to_owned(), pool_size: self.pool_size }
    }

    /// Checks that PostgreSQL on another machine is reached by TLS, or that plaintext was asked for.
    ///
    /// # Errors
    /// One line that names the flag and what to do.
    pub fn validate(&self) -> Result<(), String> {
        let url = self.url();
        if Dialect::of(url) != Some(Dialect::Postgres) {
            return Ok(());
        }
        match encryption::plaintext_postgres(url).map_err(|why| format!("--database-url: {why}"))? {
            Some(host) if !self.allow_plaintext => Err(format!(
                "--database-url: {host} is another machine and would be reached without TLS; add \
                 sslmode=verify-full to the URL, or --allow-plaintext if the network in between is safe"
            )),
            _ => Ok(()),
        }
    }

    /// The URL without its password and its parameters.
    pub fn shown(&self) -> String {
        let url = self.url();
        let without_query = |text: &str| text.split('?').next().unwrap_or_default().to_owned();
        match (url.find("://"), url.rfind('@')) {
            (Some(scheme), Some(host)) if scheme + 3 <= host => {
                let user = url[scheme + 3..host].split([':', '/', '?']).next().unwrap_or_default();
                format!("{}://{user}@{}", &url[..scheme], without_query(&url[host + 1..]))
            }
            _ => without_query(url),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_shown_without_its_password() {
        for (url, shown) in [
            ("sqlite://data/kizuna.db", "sqlite://data/kizuna.db"),
            (
                "postgres://kizuna:s3:cr@et@db.example:5432/kizuna?sslmode=require",
                "postgres://kizuna@db.example:5432/kizuna",
            ),
            ("postgres://db.example/kizuna?user=a&password=b", "postgres://db.example/kizuna"),
            ("postgres://kizuna:a?b@db.example/kizuna", "postgres://kizuna@db.example/kizuna"),
        ] {
            let database =
                DatabaseConfig { url: url.to_owned(), url_file: None, pool_size: 1, allow_plaintext: false };
            assert_eq!(database.shown(), shown);
        }
    }
}
