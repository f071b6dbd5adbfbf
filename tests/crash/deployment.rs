//! The files of `deploy/` start the real binary: every variable in them is one that it reads, and every file and path exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::fixture::run;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// What others than `kizuna serve` read: the load balancer, docker-compose, the logs.
const OF_OTHERS: [&str; 8] = [
    "KIZUNA_LOG_FORMAT",
    "KIZUNA_NODE_1",
    "KIZUNA_NODE_2",
    "KIZUNA_NODE_3",
    "KIZUNA_PROXY_CERTIFICATE",
    "KIZUNA_PROXY_LISTEN",
    "KIZUNA_PROXY_TLS_LISTEN",
    "KIZUNA_SECRETS",
];

fn files(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).expect("a folder") {
            files(&entry.expect("an entry").path(), found);
        }
    } else {
        found.push(path.to_owned());
    }
}

/// The words of a text that begin with `KIZUNA_`.
fn variables(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("KIZUNA_") && word.len() > "KIZUNA_".len()).collect()
}

#[test]
fn every_variable_that_a_deployment_sets_is_one_that_the_server_reads() {
    let help = run(&["serve", "--help"], &[]);
    let help = String::from_utf8(help.stdout).expect("text");
    let known = variables(&help);
    assert!(known.contains("KIZUNA_OTLP_ENDPOINT") && known.len() > 40, "{known:?}");
    let mut found = Vec::new();
    for place in ["deploy", "docker-compose.yml", "Dockerfile", "docs/getting-started.md"] {
        files(&Path::new(ROOT).join(place), &mut found);
    }
    for file in found {
        let text = fs::read_to_string(&file).expect("a text");
        let unknown: Vec<_> = variables(&text)
            .into_iter()
            .filter(|name| !known.contains(name) && !OF_OTHERS.contains(name))
            .collect();
        assert!(unknown.is_empty(), "{}: {unknown:?}", file.display());
    }
}

#[test]
fn the_unit_of_systemd_lets_the_server_do_what_it_must_and_no_more() {
    let unit = fs::read_to_string(Path::new(ROOT).join("deploy/systemd/kizuna.service")).expect("a unit");
    let lines: BTreeSet<&str> = unit.lines().collect();
    for line in [
        "ExecStart=/usr/local/bin/kizuna serve",
        "User=kizuna",
        "StateDirectory=kizuna",
        "WorkingDirectory=/var/lib/kizuna",
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=",
        "ProtectSystem=strict",
        "PrivateTmp=yes",
        "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
        "SystemCallFilter=@system-service",
    ] {
        assert!(lines.contains(line), "{line} is missing");
    }
}

#[test]
fn nodes_in_kubernetes_are_probed_and_are_not_root() {
    for name in ["single-node", "cluster"] {
        let path = Path::new(ROOT).join(format!("deploy/kubernetes/{name}.yaml"));
        let text = fs::read_to_string(path).expect("manifests");
        for needed in [
            "startupProbe:\n            httpGet: {path: /readyz, port: http}",
            "readinessProbe:\n            httpGet: {path: /readyz, port: http}",
            "livenessProbe:\n            httpGet: {path: /healthz, port: http}",
            "runAsNonRoot: true",
            "readOnlyRootFilesystem: true",
            "allowPrivilegeEscalation: false",
            "capabilities: {drop: [\"ALL\"]}",
            "automountServiceAccountToken: false",
        ] {
            assert!(text.contains(needed), "{name}: no {needed}");
        }
        // Secrets come as files.
        let bare = text.lines().find(|line| line.contains("secretKeyRef"));
        assert_eq!(bare, None, "{name}");
    }
}
