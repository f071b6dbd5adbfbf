//! The metrics of the code, of `/metrics`, and of the dashboard and alerts in `deploy/` are the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use kizuna::telemetry::catalogue::{METRICS, Metric, MetricKind};
use testing::{Sqlite, Team, TestApp};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// Labels that Prometheus adds by itself; `le` stands at the buckets of histograms.
const GIVEN_LABELS: [&str; 3] = ["instance", "job", "le"];
/// A metric that Prometheus makes itself.
const UP: &str = "up";

/// The metric of a name in an expression or in `/metrics`, with the endings of histograms.
fn metric_of(name: &str) -> Option<&'static Metric> {
    METRICS.iter().find(|metric| match metric.kind {
        MetricKind::Histogram => {
            let ending = name.strip_prefix(metric.name);
            ending.is_some_and(|ending| ["_bucket", "_sum", "_count"].contains(&ending))
        }
        _ => metric.name == name,
    })
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

/// What an expression of PromQL names: its metrics, and its labels in `{…}` and `by (…)`.
#[derive(Debug, Default)]
struct Named {
    metrics: BTreeSet<String>,
    labels: BTreeSet<String>,
}

fn named(expression: &str) -> Named {
    let mut named = Named::default();
    let mut rest = expression;
    while let Some(start) = rest.find(is_word) {
        let after = &rest[start..];
        let end = after.find(|c| !is_word(c)).unwrap_or(after.len());
        let (word, after) = after.split_at(end);
        if word.starts_with("kizuna_") || word.starts_with("process_") || word == UP {
            named.metrics.insert(word.to_owned());
            if let Some((matchers, _)) = after.strip_prefix('{').and_then(|inside| inside.split_once('}')) {
                named.labels.extend(matcher_labels(matchers));
            }
        } else if word == "by" {
            let list = after.trim_start().strip_prefix('(').and_then(|inside| inside.split_once(')'));
            if let Some((list, _)) = list {
                named.labels.extend(list.split(',').map(|label| label.trim().to_owned()));
            }
        }
        rest = after;
    }
    named
}

/// The names in `a="b",c!~"d,e"`.
fn matcher_labels(matchers: &str) -> Vec<String> {
    // Every second part is a value in quotes.
    let outside = matchers.split('"').step_by(2);
    let names = outside.map(|part| part.trim_matches(|c| !is_word(c)).to_owned());
    names.filter(|name| !name.is_empty()).collect()
}

/// What is wrong with an expression.
fn faults(expression: &str) -> Vec<String> {
    let Named { metrics, labels } = named(expression);
    let mut faults = Vec::new();
    if metrics.is_empty() {
        faults.push(format!("names no metric: {expression}"));
    }
    let known: Vec<&Metric> = metrics.iter().filter_map(|name| metric_of(name)).collect();
    let strange = metrics.iter().filter(|name| *name != UP && metric_of(name).is_none());
    faults.extend(strange.map(|name| format!("{name} is no metric: {expression}")));
    let has = |label: &str| {
        GIVEN_LABELS.contains(&label) || known.iter().any(|metric| metric.labels.contains(&label))
    };
    let strange = labels.iter().filter(|label| !has(label));
    faults.extend(strange.map(|label| format!("no label {label}: {expression}")));
    faults
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn the_catalogue_lists_what_the_code_counts_and_nothing_else() {
    let mut files = Vec::new();
    for folder in ["src", "crates/kernel/src", "crates/domain/src", "crates/store/src", "crates/runtime/src"]
    {
        sources(&Path::new(ROOT).join(folder), &mut files);
    }
    let mut counted: BTreeMap<String, MetricKind> = BTreeMap::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("a source file");
        for (call, kind) in [
            ("counter!(", MetricKind::Counter),
            ("gauge!(", MetricKind::Gauge),
            ("histogram!(", MetricKind::Histogram),
        ] {
            for after in text.split(call).skip(1) {
                // `describe_counter!(*name, …)` has no name in quotes.
                let Some(quoted) = after.trim_start().strip_prefix('"') else { continue };
                let (name, _) = quoted.split_once('"').expect("the end of a text");
                counted.insert(name.to_owned(), kind);
            }
        }
    }
    let listed: BTreeMap<String, MetricKind> =
        METRICS.iter().map(|metric| (metric.name.to_owned(), metric.kind)).collect();
    assert_eq!(counted, listed, "left: the code, right: src/telemetry/catalogue.rs");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_server_s_metrics_are_those_of_the_catalogue_with_their_labels_and_meanings() {
    let app = TestApp::start(Sqlite).await;
    let Team { admin, sales, .. } = Team::of(&app).await;
    sales.customer("絆").await;
    app.settle().await;
    admin.get("/api/admin/integrity").await.expect(200);
    let text = app.nobody().get("/metrics").await.expect(200).text;
    let mut seen = BTreeSet::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (name, rest) = line.split_at(line.find(|c| !is_word(c)).expect("a value"));
        let metric = metric_of(name).unwrap_or_else(|| panic!("{name} is not in the catalogue"));
        seen.insert(metric.name);
        let labels =
            rest.strip_prefix('{').and_then(|rest| rest.rsplit_once('}')).map_or("", |(labels, _)| labels);
        for label in matcher_labels(labels) {
            assert!(label == "le" || metric.labels.contains(&label.as_str()), "{line}");
        }
        assert!(text.contains(&format!("# HELP {} ", metric.name)), "no meaning of {}", metric.name);
    }
    for always in [
        "kizuna_actor_mailbox",
        "kizuna_breaker_open",
        "kizuna_consumer_lag_events",
        "kizuna_http_request_seconds",
        "kizuna_http_requests_total",
        "kizuna_integrity_faults",
        "kizuna_journal_group_size",
        "process_resident_memory_bytes",
    ] {
        assert!(seen.contains(always), "{always} is missing in {text}");
    }
    let memory = text.lines().find_map(|line| line.strip_prefix("process_resident_memory_bytes "));
    let memory: f64 = memory.and_then(|value| value.parse().ok()).expect("a number of bytes");
    assert!((10e6..10e9).contains(&memory), "{memory}");
}

/// Every value under this key, anywhere in a document.
fn values_of<'a>(document: &'a Value, key: &str, found: &mut Vec<&'a str>) {
    match document {
        Value::Object(fields) => {
            for (name, value) in fields {
                found.extend(value.as_str().filter(|_| name == key));
                values_of(value, key, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| values_of(item, key, found)),
        _ => {}
    }
}

#[test]
fn the_dashboard_names_metrics_that_exist_and_lays_its_panels_beside_each_other() {
    let text = fs::read_to_string(Path::new(ROOT).join("deploy/grafana/kizuna.json")).expect("a dashboard");
    let dashboard: Value = serde_json::from_str(&text).expect("JSON");
    let mut expressions = Vec::new();
    values_of(&dashboard, "expr", &mut expressions);
    assert!(expressions.len() > 20, "{expressions:?}");
    let amiss: Vec<_> = expressions.iter().flat_map(|expression| faults(expression)).collect();
    assert!(amiss.is_empty(), "{amiss:#?}");
    let panels = dashboard["panels"].as_array().expect("panels");
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64().expect("an id")).collect();
    assert_eq!(ids.len(), panels.len(), "every panel has an id of its own");
    let mut taken = BTreeSet::new();
    for panel in panels {
        let [x, y, w, h] =
            ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_u64().expect("a number"));
        assert!(x + w <= 24, "{panel}");
        for cell in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
            assert!(taken.insert(cell), "two panels at {cell:?}: {panel}");
        }
    }
}

#[test]
fn the_alerts_name_metrics_that_exist_and_say_what_to_do() {
    let text = fs::read_to_string(Path::new(ROOT).join("deploy/prometheus/rules.yml")).expect("rules");
    let alerts: Vec<&str> = text.split("- alert: ").skip(1).collect();
    assert!(alerts.len() >= 12, "{}", alerts.len());
    let mut names = BTreeSet::new();
    let mut amiss = Vec::new();
    for alert in alerts {
        let name = alert.lines().next().expect("a name");
        assert!(names.insert(name), "{name} stands there twice");
        let expression = alert.split_once("expr:").expect("an expression").1;
        let end = ["\n        for:", "\n        labels:"].iter().filter_map(|key| expression.find(key)).min();
        let expression = &expression[..end.expect("labels")];
        amiss.extend(faults(expression).into_iter().map(|fault| format!("{name}: {fault}")));
        for needed in ["labels: {severity: ", "summary: ", "description: "] {
            assert!(alert.contains(needed), "{name} has no {needed}");
        }
    }
    assert!(amiss.is_empty(), "{amiss:#?}");
}

#[test]
fn an_expression_that_names_what_does_not_exist_is_found() {
    for (expression, fault) in [
        ("rate(kizuna_http_request_total[5m])", "kizuna_http_request_total is no metric"),
        ("kizuna_http_request_seconds", "kizuna_http_request_seconds is no metric"),
        ("sum by (path) (rate(kizuna_http_requests_total[5m]))", "no label path"),
        (r#"kizuna_breaker_open{service="a"}"#, "no label service"),
        ("vector(1)", "names no metric"),
    ] {
        let found = faults(expression);
        assert!(found.len() == 1 && found[0].contains(fault), "{expression}: {found:?}");
    }
    let right =
        r#"sum by (le, route) (rate(kizuna_http_request_seconds_bucket{route=~"/a,b.*",method!="GET"}[5m]))"#;
    assert_eq!(faults(right), Vec::<String>::new());
}
