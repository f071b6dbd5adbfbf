//! `docker-compose.yml` is valid, and starts what these tests start.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::plan::{COMMAND, ENVIRONMENT, name_of};

const HINT: &str = "on Debian: apt-get install docker-compose";
const NODES: usize = 3;
/// The files that `deploy/make-secrets` makes.
const SECRETS: [&str; 7] = [
    "admin_password",
    "database_url",
    "jwt_secret",
    "postgres_password",
    "redis_password",
    "redis_url",
    "tls.pem",
];

#[test]
fn docker_compose_starts_the_nodes_that_the_tests_start() {
    let services = services(&text(config(Path::new("/nowhere"))));
    for node in 0..NODES {
        let lines =
            services.get(&name_of(node)).unwrap_or_else(|| panic!("no {} in {services:?}", name_of(node)));
        let environment = block(lines, "environment");
        let mut names: Vec<&str> =
            environment.iter().map(|line| line.split(':').next().expect("a name")).collect();
        names.sort_unstable();
        assert_eq!(names, ENVIRONMENT, "{}", name_of(node));
        assert!(environment.contains(&format!("KIZUNA_NODE_ID: {}", name_of(node))), "{environment:?}");
        assert_eq!(block(lines, "command"), [format!("- {COMMAND}")]);
        assert!(environment.contains(&"KIZUNA_OPS_LISTEN: 0.0.0.0:9464".to_owned()), "{environment:?}");
        assert!(block(lines, "ports").is_empty(), "{} is published", name_of(node));
    }
    let mut names: Vec<&str> = services.keys().map(String::as_str).collect();
    names.retain(|name| !name.starts_with("node-"));
    assert_eq!(names, ["haproxy", "postgres", "redis"]);
    for (name, lines) in &services {
        assert!(!block(lines, "healthcheck").is_empty(), "{name} has no health check");
    }
}

#[test]
fn docker_compose_starts_redis_as_the_tests_do_and_haproxy_with_their_file() {
    let services = services(&text(config(Path::new("/nowhere"))));
    let redis = block(&services["redis"], "command").join(" ");
    assert!(redis.contains("exec redis-server /tmp/redis.conf --save '' --appendonly no"), "{redis}");
    let haproxy = &services["haproxy"];
    let volumes = block(haproxy, "volumes").join(" ");
    assert!(volumes.contains("/deploy/haproxy.cfg:/usr/local/etc/haproxy/haproxy.cfg:ro"), "{volumes}");
    for node in 0..NODES {
        let address = format!("KIZUNA_NODE_{}: {}:8080", node + 1, name_of(node));
        assert!(block(haproxy, "environment").contains(&address), "{haproxy:?}");
    }
}

#[test]
fn the_load_balancer_of_docker_compose_takes_clients_by_tls() {
    let services = services(&text(config(Path::new("/nowhere"))));
    let haproxy = &services["haproxy"];
    let environment = block(haproxy, "environment");
    for line in ["KIZUNA_PROXY_TLS_LISTEN: :8443", "KIZUNA_PROXY_CERTIFICATE: /run/secrets/tls.pem"] {
        assert!(environment.contains(&line.to_owned()), "{line} is not in {environment:?}");
    }
    assert!(block(haproxy, "secrets").contains(&"- source: tls.pem".to_owned()), "{haproxy:?}");
    let node = block(&services["node-1"], "environment");
    assert!(node.contains(&"KIZUNA_PUBLIC_URL: https://localhost".to_owned()), "{node:?}");
}

#[test]
fn every_secret_of_docker_compose_is_a_file_that_make_secrets_writes() {
    let folder = TempDir::new().expect("a temporary directory");
    let folder = folder.path().join("secrets");
    let make = || {
        let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/make-secrets"));
        let made = command.arg(&folder).arg("crm.example.com").output().expect("a script");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        SECRETS.map(|name| fs::read_to_string(folder.join(name)).expect("a secret"))
    };
    let secrets = make();
    assert_eq!(make(), secrets, "what is there stays");
    assert_eq!(fs::read_dir(&folder).expect("a folder").count(), SECRETS.len(), "nothing else is left there");
    let mode = |name: &str| fs::metadata(folder.join(name)).expect("a file").permissions().mode() & 0o777;
    assert_eq!((mode(""), mode("jwt_secret")), (0o700, 0o644), "each container reads as a user of its own");

    let config = text(config(&folder));
    for (name, secret) in SECRETS.iter().zip(&secrets) {
        assert!(config.contains(&format!("file: {}", folder.join(name).display())), "{name} in {config}");
        assert!(!config.contains(secret.trim()), "the configuration has {name}");
        assert!(secret.len() >= 24, "{name}: {} bytes", secret.len());
    }
    let [_, database_url, _, postgres, redis, redis_url, certificate] = secrets;
    assert_eq!(database_url, format!("postgres://kizuna:{}@postgres:5432/kizuna\n", postgres.trim()));
    assert_eq!(redis_url, format!("redis://:{}@redis:6379\n", redis.trim()));
    assert!(
        certificate.contains("BEGIN CERTIFICATE") && certificate.contains("PRIVATE KEY"),
        "{certificate}"
    );
}

#[test]
fn docker_compose_gives_postgresql_and_redis_passwords_and_publishes_neither() {
    let services = services(&text(config(Path::new("/nowhere"))));
    for (name, lines) in &services {
        let ports = block(lines, "ports").join(" ");
        assert_eq!(ports.is_empty(), name != "haproxy", "{name} publishes {ports:?}");
        let networks = block(lines, "networks");
        let is_inside = |network: &str| networks.iter().any(|line| line.starts_with(network));
        let stores = ["postgres", "redis"].contains(&name.as_str());
        assert_eq!(is_inside("data:"), stores || name.starts_with("node-"), "{name}: {networks:?}");
        assert_eq!(is_inside("inside:"), !stores, "{name}: {networks:?}");
        let secrets = block(lines, "secrets").join(" ");
        let expected = match name.as_str() {
            "haproxy" => "- source: tls.pem",
            "postgres" => "- source: postgres_password",
            "redis" => "- source: redis_password",
            _ => "- source: admin_password - source: database_url - source: jwt_secret - source: redis_url",
        };
        assert_eq!(secrets, expected, "{name} reads its own secrets and no other's");
    }
    let of_postgres = block(&services["postgres"], "environment").join(" ");
    assert!(of_postgres.contains("POSTGRES_PASSWORD_FILE: /run/secrets/postgres_password"), "{of_postgres}");
    let command = block(&services["redis"], "command").join(" ");
    assert!(command.contains("requirepass $$(cat /run/secrets/redis_password)"), "{command}");
}

/// The output of `docker-compose config`: the file with all variables replaced. `secrets`: where the files are.
fn config(secrets: &Path) -> Output {
    let mut command = Command::new("docker-compose");
    command.args(["--file", concat!(env!("CARGO_MANIFEST_DIR"), "/docker-compose.yml"), "config"]);
    for name in ["KIZUNA_ADMIN_EMAIL", "KIZUNA_PUBLIC_URL"] {
        command.env_remove(name);
    }
    command.env("KIZUNA_SECRETS", secrets);
    command.output().unwrap_or_else(|error| panic!("no docker-compose ({error}); {HINT}"))
}

#[track_caller]
fn text(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// The lines of each service, of a file with two spaces per level and one entry per line.
fn services(config: &str) -> BTreeMap<String, Vec<String>> {
    let mut services: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let lines = config.lines().skip_while(|line| *line != "services:").skip(1);
    let mut current = String::new();
    for line in lines.take_while(|line| line.starts_with(' ')) {
        if let Some(name) = line.strip_prefix("  ").filter(|line| !line.starts_with(' ')) {
            current = name.trim_end_matches(':').to_owned();
        } else {
            services.entry(current.clone()).or_default().push(line.to_owned());
        }
    }
    services
}

/// What stands under a key of a service; the items of a list are not further in than their key.
fn block(lines: &[String], key: &str) -> Vec<String> {
    let rest = lines.iter().skip_while(|line| **line != format!("    {key}:")).skip(1);
    let under = |line: &&String| line.starts_with("      ") || line.starts_with("    - ");
    rest.take_while(under).map(|line| line.trim().to_owned()).collect()
}
