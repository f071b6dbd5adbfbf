//! The first start creates a secret and the first user (SPEC §9).

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{EncodingKey, Header, encode};
use rstest::rstest;
use serde_json::{Value, json};

use crate::fixture::{BINARY, Fixture};
use testing::app::{ADMIN, SECRET};
use testing::{Api, Database, Kizuna, Launch, Postgres, Sqlite};

/// A server with no setting but its database.
fn plain(fixture: &Fixture) -> Launch {
    Kizuna::launch(BINARY).database(&fixture.database.url)
}

/// What follows `first login ` in the output.
fn first_login(server: &Kizuna) -> Option<String> {
    let output = server.output();
    output.lines().find_map(|line| line.strip_prefix("first login ")).map(str::to_owned)
}

#[rstest]
#[tokio::test]
async fn the_first_admins_password_is_made_and_printed_once(#[values(Sqlite, Postgres)] on: Database) {
    let fixture = Fixture::fresh(on);
    let launch = plain(&fixture).env("KIZUNA_JWT_SECRET", SECRET);
    let mut server = launch.start().await;
    let printed = first_login(&server).expect("a first login");
    let (email, password) = printed.split_once(" / ").expect("an address and a password");
    assert_eq!(email, ADMIN);
    assert!(password.len() >= 16, "{password} is short");
    sign_in(&server, password, 200).await;
    assert!(server.terminate().await.success());
    let server = launch.start().await;
    assert_eq!(first_login(&server), None);
    assert!(!server.output().contains(password));
    sign_in(&server, password, 200).await;
}

#[tokio::test]
async fn a_given_password_is_used_once_and_never_printed() {
    let fixture = Fixture::fresh(Sqlite);
    let first = plain(&fixture).env("KIZUNA_ADMIN_PASSWORD", "the first password");
    let mut server = first.start().await;
    sign_in(&server, "the first password", 200).await;
    assert!(!server.output().contains("the first password"));
    assert!(server.terminate().await.success());
    let second = plain(&fixture).env("KIZUNA_ADMIN_PASSWORD", "the second password");
    let server = second.start().await;
    sign_in(&server, "the first password", 200).await;
    sign_in(&server, "the second password", 401).await;
}

#[tokio::test]
async fn the_made_secret_is_kept_beside_the_database_for_its_owner_alone() {
    let fixture = Fixture::fresh(Sqlite);
    let mut server = plain(&fixture).env("KIZUNA_ADMIN_PASSWORD", "kizuna-test").start().await;
    let token = sign_in(&server, "kizuna-test", 200).await;
    let file = fixture.database.folder().join("kizuna.jwt-secret");
    let kept = fs::read(&file).expect("a secret");
    assert!(kept.len() >= 32);
    let mode = fs::metadata(&file).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{mode:o}");
    assert!(server.terminate().await.success());
    let server = plain(&fixture).start().await;
    assert_eq!(fs::read(&file).expect("a secret"), kept);
    Api::new(server.base_url()).token(token.expect("a token")).get("/api/auth/me").await.expect(200);
}

#[rstest]
#[tokio::test]
async fn secrets_come_from_files_as_well(#[values(Sqlite, Postgres)] on: Database) {
    let fixture = Fixture::fresh(on);
    let files = tempfile::tempdir().expect("a temporary directory");
    let file = |name: &str, text: &str| {
        let path = files.path().join(name);
        fs::write(&path, format!("{text}\n")).expect("a file");
        path.display().to_string()
    };
    let (url, secret) = (file("url", &fixture.database.url), file("secret", SECRET));
    let password = file("password", "the first password");
    let server = Kizuna::launch(BINARY)
        .args(["--database-url-file", &url, "--jwt-secret-file", &secret])
        .env("KIZUNA_ADMIN_PASSWORD_FILE", &password)
        .start()
        .await;
    let token = sign_in(&server, "the first password", 200).await.expect("a token");
    let output = server.output();
    assert!(!output.contains("the first password") && !output.contains(SECRET), "{output}");
    let claims = token.split('.').nth(1).map(|payload| URL_SAFE_NO_PAD.decode(payload).expect("base64"));
    let claims: Value = serde_json::from_slice(&claims.expect("a token")).expect("JSON");
    let ours =
        encode(&Header::default(), &claims, &EncodingKey::from_secret(SECRET.as_bytes())).expect("a token");
    Api::new(server.base_url()).token(ours).get("/api/auth/me").await.expect(200);
}

#[tokio::test]
async fn the_files_of_a_database_are_for_their_owner_alone() {
    let fixture = Fixture::fresh(Sqlite);
    let folder = fixture.database.folder().join("data/kizuna");
    let url = format!("sqlite://{}/kizuna.db", folder.display());
    let mode = |path: &Path| fs::metadata(path).expect("a file").permissions().mode() & 0o777;
    let launch = Kizuna::launch(BINARY).database(&url).env("KIZUNA_ADMIN_PASSWORD", "the first password");
    let mut server = launch.start().await;
    sign_in(&server, "the first password", 200).await;
    assert_eq!(mode(&folder), 0o700);
    let files =
        ["kizuna.db", "kizuna.db-wal", "kizuna.db-shm", "kizuna.jwt-secret"].map(|name| folder.join(name));
    for file in &files {
        assert_eq!(mode(file), 0o600, "{}", file.display());
    }
    server.kill_9();
    for file in &files {
        fs::set_permissions(file, fs::Permissions::from_mode(0o644)).expect("a mode");
    }
    let server = launch.start().await;
    sign_in(&server, "the first password", 200).await;
    for file in &files {
        assert_eq!(mode(file), 0o600, "{}", file.display());
    }
}

#[tokio::test]
async fn the_demo_brings_its_people_and_their_records() {
    let fixture = Fixture::fresh(Sqlite);
    let server = plain(&fixture).arg("--demo").start().await;
    for email in [ADMIN, "manager@example.com", "sales@example.com"] {
        let api = Api::login(server.base_url(), email, "kizuna-demo").await;
        let customers = api.get("/api/customers").await.expect(200);
        assert!(!customers.items().is_empty(), "{email} sees none");
        let approvals = api.get("/api/approvals").await.expect(200);
        let mut statuses: Vec<_> = approvals.items().iter().map(|row| row["status"].clone()).collect();
        statuses.sort_by_key(ToString::to_string);
        assert_eq!(statuses, ["APPROVED", "PENDING", "PENDING"], "{email}");
        let stats = api.get("/api/tasks/stats").await.expect(200);
        assert_eq!(stats.body, json!({"open": 3, "done": 1, "overdue": 1}), "{email}");
    }
}

#[tokio::test]
async fn a_database_url_is_shown_without_its_password() {
    let fixture = Fixture::fresh(Postgres);
    let url = fixture.database.url.replace("kizuna@", "kizuna:open-sesame@");
    let launch = Kizuna::launch(BINARY).database(&url).env("KIZUNA_JWT_SECRET", SECRET);
    let server = launch.start().await;
    let output = server.output();
    assert!(output.contains("database postgres://kizuna@127.0.0.1:"), "{output}");
    assert!(!output.contains("open-sesame"), "{output}");
}

/// The access token, if the answer is 200.
async fn sign_in(server: &Kizuna, password: &str, status: u16) -> Option<String> {
    let login = json!({"email": ADMIN, "password": password});
    let answer = Api::new(server.base_url()).post("/api/auth/login", login).await.expect(status);
    (status == 200).then(|| answer.text_at("/access_token"))
}
