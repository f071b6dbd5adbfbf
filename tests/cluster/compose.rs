//! `docker-compose.yml` is valid, and starts what these tests start.

use std::collections::BTreeMap;
use std::process::{Command, Output};

use crate::plan::{COMMAND, ENVIRONMENT, name_of};
use testing::app::{PASSWORD, SECRET};

const HINT: &str = "on Debian: apt-get install docker-compose";
const NODES: usize = 3;
/// What the file takes from the environment, and has no default for.
const GIVEN: [(&str, &str); 4] = [
    ("KIZUNA_ADMIN_PASSWORD", PASSWORD),
    ("KIZUNA_JWT_SECRET", SECRET),
    ("POSTGRES_PASSWORD", "0123abcd"),
    ("REDIS_PASSWORD", "4567efgh"),
];

#[test]
fn docker_compose_starts_the_nodes_that_the_tests_start() {
    let services = services(&text(config(&GIVEN)));
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
    let services = services(&text(config(&GIVEN)));
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
fn docker_compose_does_not_start_without_a_secret() {
    for (missing, _) in GIVEN {
        let given: Vec<_> = GIVEN.into_iter().filter(|(name, _)| *name != missing).collect();
        let refused = config(&given);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && said.contains(missing), "{said}");
    }
}

#[test]
fn docker_compose_gives_postgresql_and_redis_passwords_and_publishes_neither() {
    let services = services(&text(config(&GIVEN)));
    let [(_, postgres), (_, redis)] = [GIVEN[2], GIVEN[3]];
    for (name, lines) in &services {
        let ports = block(lines, "ports").join(" ");
        assert_eq!(ports.is_empty(), name != "haproxy", "{name} publishes {ports:?}");
        let networks = block(lines, "networks");
        let is_inside = |network: &str| networks.iter().any(|line| line.starts_with(network));
        let stores = ["postgres", "redis"].contains(&name.as_str());
        assert_eq!(is_inside("data:"), stores || name.starts_with("node-"), "{name}: {networks:?}");
        assert_eq!(is_inside("inside:"), !stores, "{name}: {networks:?}");
    }
    let environment = block(&services["node-1"], "environment").join(" ");
    assert!(environment.contains(&format!("postgres://kizuna:{postgres}@postgres:5432")), "{environment}");
    assert!(environment.contains(&format!("redis://:{redis}@redis:6379")), "{environment}");
    let of_postgres = block(&services["postgres"], "environment").join(" ");
    assert!(of_postgres.contains(&format!("POSTGRES_PASSWORD: {postgres}")), "{of_postgres}");
    assert!(block(&services["redis"], "environment").join(" ").contains(redis));
    let command = block(&services["redis"], "command").join(" ");
    assert!(command.contains("requirepass") && !command.contains(redis), "{command}");
}

/// The output of `docker-compose config`: the file with all variables replaced.
fn config(environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new("docker-compose");
    command.args(["--file", concat!(env!("CARGO_MANIFEST_DIR"), "/docker-compose.yml"), "config"]);
    for name in GIVEN.map(|(name, _)| name).into_iter().chain(["KIZUNA_ADMIN_EMAIL"]) {
        command.env_remove(name);
    }
    command.envs(environment.iter().copied());
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
