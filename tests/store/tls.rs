//! A PostgreSQL and a Redis that are reached by TLS, with certificates on both sides, and an ACL user of Redis.

use std::path::Path;
use std::time::Duration;

use kernel::ids::new_id;
use kizuna::persistence::SCHEMA;
use serde_json::json;
use store::redis::{Redis as Way, RedisSettings};
use store::settings::DatabaseSettings;
use store::{Db, leases};

use testing::app::{ADMIN, PASSWORD, SECRET};
use testing::certificates::{Authority, Issued, text};
use testing::postgres::Server;
use testing::{Member, Redis, TestApp, eventually};

const SOON: Duration = Duration::from_secs(15);

/// Where a database is, for a user, with further settings.
fn url(database: &str, user: &str, settings: &[(&str, &Path)]) -> String {
    let mut url = database.replace("//kizuna@", &format!("//{user}@")) + "?sslmode=verify-full";
    for (name, file) in settings {
        url += &format!("&{name}={}", text(file));
    }
    url
}

async fn opens(url: &str) -> Result<(), String> {
    let settings = DatabaseSettings { url: url.to_owned(), pool_size: 1 };
    let db = Db::connect(&settings, SCHEMA).await.map_err(|error| error.to_string())?;
    db.close().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_work_by_tls_with_certificates_of_their_own_and_an_acl_user_of_redis() {
    let authority = Authority::new();
    let [server, node] = [authority.issue("server", &["127.0.0.1"]), authority.issue("certified", &[])];
    let postgres = Server::start();
    postgres.secure(&authority, &server);
    let redis = Redis::start_with_tls(&authority, &server);
    let ca = authority.ca();
    let files = [("sslrootcert", &*ca), ("sslcert", &*node.certificate), ("sslkey", &*node.key)];
    let database = url(&postgres.fresh_database(), "certified", &files);
    let url = redis.url();
    let links =
        ["--redis-url", &url, "--redis-ca-file", text(&ca), "--redis-cert-file", text(&node.certificate)];
    let links = [&links[..], &["--redis-key-file", text(&node.key), "--services"]].concat();
    let front = TestApp::at(database, &[&links[..], &["auth"]].concat()).await;
    let back = front.beside(&[&links[..], &["customer,sales,opportunity,analytics"]].concat()).await;
    eventually(SOON, async || leases::living(&front.db).await.unwrap().len() == 2).await;
    // A call to the other node, over Redis.
    let admin = eventually(SOON, async || {
        let login = json!({"email": ADMIN, "password": PASSWORD});
        match back.nobody().post("/api/auth/login", login).await {
            answer if answer.status == 200 => Ok(answer),
            answer => Err(answer.to_string()),
        }
    })
    .await;
    let admin = Member::of(&back.nobody(), &admin);
    let customer = admin.customer("絆商事").await.id();
    for name in ["一", "二", "三"] {
        let path = format!("/api/customers/{customer}");
        admin.patch(&path, json!({"name": name})).await.expect(200);
        for _ in 0..3 {
            assert_eq!(admin.get(&path).await.expect(200).text_at("/name"), name);
        }
    }
    back.settle().await;
    let seen = admin.get("/api/admin/cluster").await.expect(200);
    assert_eq!(seen.text_at("/redis"), "connected", "{seen}");
    let count = |condition: &str| {
        let of = "pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'certified'";
        postgres.value(&format!("SELECT CAST(count(*) AS TEXT) FROM {of} AND {condition}"))
    };
    assert_eq!(count("NOT ssl"), "0");
    assert_ne!(count("ssl AND client_dn = '/CN=certified'"), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_is_reached_only_by_what_its_url_demands() {
    let [authority, other] = [Authority::new(), Authority::new()];
    let [server, node] = [authority.issue("server", &["127.0.0.1"]), authority.issue("certified", &[])];
    let [stranger, colleague] = [other.issue("certified", &[]), authority.issue("colleague", &[])];
    let postgres = Server::start();
    postgres.secure(&authority, &server);
    let database = postgres.fresh_database();
    let [ca, others] = [authority.ca(), other.ca()];
    let trusting = url(&database, "encrypted", &[("sslrootcert", &ca)]);
    opens(&trusting).await.unwrap();
    opens(&trusting.replace("verify-full", "require")).await.unwrap();
    let certified = |Issued { certificate, key }: &Issued| {
        url(&database, "certified", &[("sslrootcert", &ca), ("sslcert", certificate), ("sslkey", key)])
    };
    opens(&certified(&node)).await.unwrap();
    for (amiss, url) in [
        ("plaintext", trusting.replace("verify-full", "disable")),
        ("an authority that is not trusted", url(&database, "encrypted", &[])),
        ("another authority", url(&database, "encrypted", &[("sslrootcert", &others)])),
        ("another host", trusting.replace("127.0.0.1", "localhost")),
        ("no certificate", url(&database, "certified", &[("sslrootcert", &ca)])),
        ("a certificate of another authority", certified(&stranger)),
        ("a certificate for another user", certified(&colleague)),
    ] {
        assert!(opens(&url).await.is_err(), "{amiss}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_is_reached_only_with_the_right_certificates_and_password() {
    let [authority, other] = [Authority::new(), Authority::new()];
    let [server, node] = [authority.issue("server", &["127.0.0.1"]), authority.issue("certified", &[])];
    let stranger = other.issue("certified", &[]);
    let redis = Redis::start_with_tls(&authority, &server);
    let right = RedisSettings {
        url: redis.url(),
        ca_file: Some(authority.ca()),
        cert_file: Some(node.certificate.clone()),
        key_file: Some(node.key.clone()),
    };
    let answers = async |settings: &RedisSettings| {
        Way::new(settings, new_id(), &[SECRET.into()]).unwrap().answers().await
    };
    eventually(SOON, async || answers(&right).await).await;
    let at = |url: String| RedisSettings { url, ..right.clone() };
    for (amiss, settings) in [
        ("an authority that is not trusted", RedisSettings { ca_file: None, ..right.clone() }),
        ("another authority", RedisSettings { ca_file: Some(other.ca()), ..right.clone() }),
        ("another host", at(redis.url().replace("127.0.0.1", "localhost"))),
        ("no certificate", RedisSettings { cert_file: None, key_file: None, ..right.clone() }),
        (
            "a certificate of another authority",
            RedisSettings {
                cert_file: Some(stranger.certificate.clone()),
                key_file: Some(stranger.key.clone()),
                ..right.clone()
            },
        ),
        ("another password", at(redis.url().replace(":password@", ":guess@"))),
        ("no user", at(redis.url().replace("kizuna:password@", ""))),
        ("plaintext", RedisSettings::new(&redis.url().replace("rediss:", "redis:"))),
    ] {
        assert!(!answers(&settings).await, "{amiss}");
    }
    assert!(answers(&right).await);
}

#[test]
fn files_for_tls_that_can_t_be_used_are_refused_at_the_start() {
    let authority = Authority::new();
    let Issued { certificate, key } = authority.issue("certified", &[]);
    let settings = |url: &str| RedisSettings::new(url);
    let tls = settings("rediss://127.0.0.1");
    let missing = authority.ca().with_file_name("none.pem");
    for (amiss, named, settings) in [
        (
            "files without TLS",
            "--redis-ca-file",
            RedisSettings { ca_file: Some(authority.ca()), ..settings("redis://127.0.0.1") },
        ),
        ("no file", "--redis-ca-file", RedisSettings { ca_file: Some(missing), ..tls.clone() }),
        (
            "no certificate in it",
            "--redis-ca-file",
            RedisSettings { ca_file: Some(key.clone()), ..tls.clone() },
        ),
        ("no key", "--redis-key-file", RedisSettings { cert_file: Some(certificate.clone()), ..tls.clone() }),
        ("no certificate", "--redis-cert-file", RedisSettings { key_file: Some(key.clone()), ..tls.clone() }),
        (
            "a certificate as the key",
            "--redis-key-file",
            RedisSettings {
                cert_file: Some(certificate.clone()),
                key_file: Some(certificate.clone()),
                ..tls.clone()
            },
        ),
    ] {
        let refused = settings.check().expect_err(amiss);
        assert!(refused.contains(named), "{amiss}: {refused}");
    }
    RedisSettings { cert_file: Some(certificate), key_file: Some(key), ..tls }.check().unwrap();
}
