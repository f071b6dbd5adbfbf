//! `docker-compose.yml` is valid, and starts what these tests start.

use std::collections::BTreeMap;
use std::process::{Command, Output};

use crate::plan::{COMMAND, ENVIRONMENT, name_of};
use testing::app::{PASSWORD, SECRET};

const HINT: &str = "on Debian: apt-get install docker-compose";
const NODES: usize = 3;

#[test]
fn docker_compose_starts_the_nodes_that_the_tests_start() {
    let services =
        services(&text(config(&[("KIZUNA_JWT_SECRET", SECRET), ("KIZUNA_ADMIN_PASSWORD", PASSWORD)])));
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
    let services =
        services(&text(config(&[("KIZUNA_JWT_SECRET", SECRET), ("KIZUNA_ADMIN_PASSWORD", PASSWORD)])));
    let redis = block(&services["redis"], "command").join(" ");
    assert!(redis.contains("- --save - '' - --appendonly - \"no\""), "{redis}");
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
    for missing in ["KIZUNA_JWT_SECRET", "KIZUNA_ADMIN_PASSWORD"] {
        let given = [("KIZUNA_JWT_SECRET", SECRET), ("KIZUNA_ADMIN_PASSWORD", PASSWORD)];
        let given: Vec<_> = given.into_iter().filter(|(name, _)| *name != missing).collect();
        let refused = config(&given);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && said.contains(missing), "{said}");
    }
}

/// The output of `docker-compose config`: the file with all variables replaced.
fn config(environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new("docker-compose");
    command.args(["--file", concat!(env!("CARGO_MANIFEST_DIR"), "/docker-compose.yml"), "config"]);
    for name in ["KIZUNA_JWT_SECRET", "KIZUNA_ADMIN_EMAIL", "KIZUNA_ADMIN_PASSWORD", "POSTGRES_PASSWORD"] {
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
