//! Whether a connection to PostgreSQL or Redis is encrypted, read from its URL before anything is opened.

use std::net::IpAddr;
use std::str::FromStr;

use redis::{ConnectionAddr, IntoConnectionInfo};
use sqlx::postgres::{PgConnectOptions, PgSslMode};

/// The machine that a URL of PostgreSQL reaches without TLS; `None` if it asks for TLS, or reaches this machine.
///
/// # Errors
/// What is wrong with the URL.
pub fn plaintext_postgres(url: &str) -> Result<Option<String>, String> {
    // Not the URL alone: sqlx takes what it leaves open from PGHOST, PGSSLMODE and others.
    let options = PgConnectOptions::from_str(url).map_err(|error| error.to_string())?;
    let is_encrypted = match options.get_ssl_mode() {
        PgSslMode::Require | PgSslMode::VerifyFull => true,
        PgSslMode::VerifyCa => {
            // Its authorities are the public ones and those of sslrootcert, and it looks at no name.
            return Err("sslmode=verify-ca accepts the certificate of any server of any public authority; \
                        use sslmode=verify-full"
                .into());
        }
        // `prefer` goes on without TLS if the server, or somebody in between, says so; `allow` never asks for it.
        _ => false,
    };
    let host = options.get_host();
    let is_local = options.get_socket().is_some() || host.starts_with('/') || is_this_machine(host);
    Ok((!is_encrypted && !is_local).then(|| host.to_owned()))
}

/// The machine that a URL of Redis reaches without TLS; `None` if it asks for TLS, or reaches this machine.
///
/// # Errors
/// What is wrong with the URL.
pub fn plaintext_redis(url: &str) -> Result<Option<String>, String> {
    let info = url.into_connection_info().map_err(|error| error.to_string())?;
    match info.addr() {
        ConnectionAddr::Tcp(host, _) => Ok((!is_this_machine(host)).then(|| host.clone())),
        ConnectionAddr::TcpTls { insecure: true, .. } => {
            Err("#insecure would accept any server; name its authority with --redis-ca-file instead".into())
        }
        _ => Ok(None),
    }
}

/// Whether a host is this machine by its name alone: names that only lead here are another machine's as well.
fn is_this_machine(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
    let address = IpAddr::from_str(host).map(|address| address.to_canonical());
    address.is_ok_and(|address| address.is_loopback()) || host.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_of_postgresql_that_leaves_this_machine_without_tls_names_the_machine() {
        for (url, reached) in [
            ("postgres://kizuna@db.example.com/kizuna", Some("db.example.com")),
            ("postgres://kizuna@10.0.0.7:5433/kizuna?sslmode=prefer", Some("10.0.0.7")),
            ("postgres://kizuna@db/kizuna?sslmode=disable", Some("db")),
            ("postgres://kizuna@db/kizuna?sslmode=allow", Some("db")),
            ("postgres://localhost/kizuna?host=db", Some("db")),
            ("postgres://localhost/kizuna?hostaddr=192.0.2.1", Some("192.0.2.1")),
            ("postgres://localhost.example.com/kizuna", Some("localhost.example.com")),
            ("postgres://[2001:db8::1]/kizuna", Some("[2001:db8::1]")),
            ("postgres://kizuna@db.example.com/kizuna?sslmode=require", None),
            ("postgres://kizuna@db.example.com/kizuna?sslmode=verify-full&sslrootcert=ca.pem", None),
            ("postgres://kizuna@127.0.0.1:5432/kizuna", None),
            ("postgres://kizuna@127.1.2.3/kizuna", None),
            ("postgres://kizuna@[::1]/kizuna", None),
            ("postgres://kizuna@[::ffff:127.0.0.1]/kizuna", None),
            ("postgres://kizuna@LOCALHOST/kizuna", None),
            ("postgres://kizuna@%2Fvar%2Frun%2Fpostgresql/kizuna", None),
            ("postgres://kizuna@db/kizuna?host=/var/run/postgresql", None),
        ] {
            assert_eq!(plaintext_postgres(url).unwrap().as_deref(), reached, "{url}");
        }
        for url in ["postgres://db/kizuna?sslmode=verify-ca", "postgres://db/kizuna?sslmode=maybe"] {
            assert!(plaintext_postgres(url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_url_of_redis_that_leaves_this_machine_without_tls_names_the_machine() {
        for (url, reached) in [
            ("redis://redis", Some("redis")),
            ("redis://kizuna:password@redis.example.com:6380/0", Some("redis.example.com")),
            ("redis://192.0.2.1", Some("192.0.2.1")),
            ("rediss://redis.example.com", None),
            ("redis://127.0.0.1:6379", None),
            ("redis://localhost", None),
            ("redis+unix:///run/redis.sock", None),
        ] {
            assert_eq!(plaintext_redis(url).unwrap().as_deref(), reached, "{url}");
        }
        for url in ["rediss://redis#insecure", "http://redis", "redis"] {
            assert!(plaintext_redis(url).is_err(), "{url}");
        }
    }
}
