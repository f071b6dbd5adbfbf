//! Bad settings stop the start with one clear line (SPEC §9).

use std::net::TcpListener;
use std::process::Output;

use rstest::rstest;

use crate::fixture::{BINARY, run};
use testing::app::SECRET;
use testing::{Api, Kizuna};

const FIVE_SECRETS: &str = "0123456789abcdef0123456789abcdef,0123456789abcdef0123456789abcdef,\
    0123456789abcdef0123456789abcdef,0123456789abcdef0123456789abcdef,0123456789abcdef0123456789abcdef";

/// A database on this machine that is not there.
const POSTGRES: &str = "postgres://kizuna@127.0.0.1:1/none";

/// The error of a failed start, without clap's hint at the help.
fn complaint(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    let hint = |line: &&str| line.is_empty() || line.contains("--help") || line.starts_with("Usage:");
    said.lines().filter(|line| !hint(line)).collect::<Vec<_>>().join("\n")
}

#[rstest]
#[case::no_database_we_know(&["--database-url", "mysql://localhost/kizuna"], "--database-url")]
#[case::no_url(&["--database-url", "kizuna.db"], "--database-url")]
#[case::no_folder_to_make(&["--database-url", "sqlite:///proc/none/kizuna.db"], "--database-url")]
#[case::node_without_a_plain_name(&["--node-id", "node 1"], "--node-id")]
#[case::short_secret(&["--jwt-secret", "31 bytes are one byte too few.."], "--jwt-secret")]
#[case::short_accepted_secret(&["--jwt-secret-accepted", "31 bytes are one byte too few.."], "--jwt-secret-accepted")]
#[case::too_many_accepted_secrets(
    &["--jwt-secret-accepted", FIVE_SECRETS], "--jwt-secret-accepted"
)]
#[case::no_secret_on_postgresql(&["--database-url", "postgres://localhost/kizuna"], "--jwt-secret")]
#[case::postgresql_out_of_reach(
    &["--database-url", "postgres://kizuna@127.0.0.1:1/none", "--jwt-secret", SECRET], "--database-url"
)]
#[case::postgresql_elsewhere_in_plaintext(
    &["--database-url", "postgres://kizuna@db.example.com/kizuna", "--jwt-secret", SECRET], "--allow-plaintext"
)]
#[case::postgresql_elsewhere_in_plaintext_if_it_says_so(
    &["--database-url", "postgres://kizuna@192.0.2.1/kizuna?sslmode=prefer", "--jwt-secret", SECRET],
    "--allow-plaintext"
)]
#[case::postgresql_of_any_name(
    &["--database-url", "postgres://kizuna@db/kizuna?sslmode=verify-ca", "--jwt-secret", SECRET], "verify-full"
)]
#[case::redis_elsewhere_in_plaintext(
    &["--database-url", POSTGRES, "--jwt-secret", SECRET, "--redis-url", "redis://redis"], "--allow-plaintext"
)]
#[case::redis_of_any_name(
    &["--database-url", POSTGRES, "--jwt-secret", SECRET, "--redis-url", "rediss://redis#insecure"], "--redis-url"
)]
#[case::certificates_without_tls(
    &["--database-url", POSTGRES, "--jwt-secret", SECRET, "--redis-url", "redis://localhost", "--redis-ca-file",
      concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")],
    "--redis-ca-file"
)]
#[case::demo_for_everybody(&["--demo", "--listen", "0.0.0.0:0"], "--demo")]
#[case::duration_without_unit(&["--access-token-ttl", "15"], "--access-token-ttl")]
#[case::duration_of_nothing(&["--breaker-reset", "0s"], "--breaker-reset")]
#[case::rate_a_week(&["--login-rate", "10/w"], "--login-rate")]
#[case::rate_of_none(&["--login-rate", "0/m"], "--login-rate")]
#[case::no_address(&["--listen", "everywhere"], "--listen")]
#[case::share_over_100(&["--breaker-threshold", "101"], "--breaker-threshold")]
#[case::factor_below_1(&["--retry-factor", "0.5"], "--retry-factor")]
#[case::empty_pool(&["--pool-size", "0"], "--pool-size")]
#[case::url_with_a_slash(&["--public-url", "https://crm.example.com/"], "--public-url")]
#[case::weak_password(&["--admin-password", "1234567"], "--admin-password")]
#[case::common_password(&["--admin-password", "PassWord1"], "--admin-password")]
#[case::published_password(&["--listen", "0.0.0.0:0", "--admin-password", "kizuna-demo"], "--admin-password")]
#[case::typed_secret(&["--jwt-secret", "secret-secret-secret-secret-secret"], "--jwt-secret")]
#[case::secret_of_an_example(&["--jwt-secret", "changeme-this-is-the-secret-of-an-example"], "--jwt-secret")]
#[case::no_file(&["--jwt-secret-file", "/proc/none"], "--jwt-secret-file")]
#[case::empty_file(&["--admin-password-file", "/dev/null"], "--admin-password-file")]
#[case::secret_twice(&["--jwt-secret", SECRET, "--jwt-secret-file", "/etc/hostname"], "--jwt-secret-file")]
#[case::url_twice(&["--database-url", "sqlite:a.db", "--database-url-file", "/etc/hostname"], "--database-url-file")]
#[case::redis_twice(&["--redis-url", "redis://a", "--redis-url-file", "/etc/hostname"], "--redis-url-file")]
#[case::no_email(&["--admin-email", "administrator", "--admin-password", "kizuna-test"], "--admin-email")]
#[case::interval_of_nothing(&["--due-scan-every", "0s"], "--due-scan-every")]
#[case::cron_of_four_fields(&["--due-scan-every", "*/5 * * *"], "--due-scan-every")]
#[case::day_that_never_comes(&["--due-scan-every", "0 9 30 2 *"], "--due-scan-every")]
#[case::unknown_flag(&["--zzz"], "--zzz")]
fn a_bad_setting_stops_the_start_with_one_line_that_names_it(#[case] args: &[&str], #[case] named: &str) {
    let files = tempfile::tempdir().expect("a temporary directory");
    let url = format!("sqlite://{}/kizuna.db", files.path().display());
    let mut all = vec!["serve"];
    all.extend(args);
    if !args.contains(&"--database-url") {
        all.extend(["--database-url", &url]);
    }
    if !args.contains(&"--listen") {
        all.extend(["--listen", "127.0.0.1:0"]);
    }
    assert_refused(&run(&all, &[]), named);
}

#[rstest]
#[case::address("KIZUNA_LISTEN", "8080", "--listen")]
#[case::duration("KIZUNA_REFRESH_TOKEN_TTL", "a month", "--refresh-token-ttl")]
#[case::secret("KIZUNA_JWT_SECRET", "short", "--jwt-secret")]
#[case::demo("KIZUNA_DEMO", "perhaps", "--demo")]
fn a_bad_variable_stops_the_start_as_its_flag_does(
    #[case] name: &str,
    #[case] value: &str,
    #[case] named: &str,
) {
    let files = tempfile::tempdir().expect("a temporary directory");
    let url = format!("sqlite://{}/kizuna.db", files.path().display());
    assert_refused(&run(&["serve"], &[("DATABASE_URL", &url), (name, value)]), named);
}

#[test]
fn a_secret_in_a_variable_and_in_a_file_is_one_too_many() {
    let files = tempfile::tempdir().expect("a temporary directory");
    let (file, url) = (files.path().join("secret"), format!("sqlite://{}/kizuna.db", files.path().display()));
    std::fs::write(&file, SECRET).expect("a file");
    let args = ["serve", "--database-url", &url, "--jwt-secret-file", file.to_str().expect("a path")];
    assert_refused(&run(&args, &[("KIZUNA_JWT_SECRET", SECRET)]), "--jwt-secret-file");
    assert!(!files.path().join("kizuna.db").exists());
}

#[test]
fn a_port_in_use_stops_the_start_with_one_line_that_names_it() {
    let files = tempfile::tempdir().expect("a temporary directory");
    let url = format!("sqlite://{}/kizuna.db", files.path().display());
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let listen = taken.local_addr().expect("its address").to_string();
    let output = run(&["serve", "--database-url", &url, "--listen", &listen], &[]);
    assert_refused(&output, "--listen");
}

#[tokio::test]
async fn a_name_to_listen_on_is_resolved_and_counts_as_loopback_if_it_is() {
    let files = tempfile::tempdir().expect("a temporary directory");
    let url = format!("sqlite://{}/kizuna.db", files.path().display());
    let args = ["serve", "--demo", "--listen", "localhost:0", "--database-url", &url];
    let server = Kizuna::command(BINARY).args(args).start().await;
    Api::new(server.base_url()).get("/readyz").await.expect(200);
}

#[test]
fn every_command_refuses_plaintext_to_another_machine_unless_it_is_asked_for() {
    let elsewhere = "postgres://kizuna@192.0.2.1:1/kizuna";
    for command in
        [&["migrate"][..], &["events", "tail"], &["dead-letters", "list"], &["projections", "rebuild"]]
    {
        let output = run(&[command, &["--database-url", elsewhere]].concat(), &[]);
        assert_refused(&output, "--allow-plaintext");
    }
    // With it, the connection is tried: there is nobody.
    let asked = ["migrate", "--database-url", "postgres://kizuna@127.0.0.1:1/none", "--allow-plaintext"];
    let complaint = complaint(&run(&asked, &[]));
    assert!(!complaint.contains("--allow-plaintext"), "{complaint}");
}

#[track_caller]
fn assert_refused(output: &Output, named: &str) {
    let complaint = complaint(output);
    assert!(matches!(output.status.code(), Some(1 | 2)), "{}: {complaint}", output.status);
    assert!(complaint.contains(named), "{named} is not named in: {complaint}");
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
}
