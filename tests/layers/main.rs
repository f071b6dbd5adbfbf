//! The layers of the code, read from what each file names. ARCHITECTURE.md describes them.
//!
//! A rule has no exception but those that stand beside it, each with its reason.

mod cycles;
mod source;
mod styles;
mod workspace;

use std::path::Path;
use std::sync::LazyLock;

use workspace::{File, Name, Workspace};

static WORKSPACE: LazyLock<Workspace> =
    LazyLock::new(|| Workspace::read(Path::new(env!("CARGO_MANIFEST_DIR"))));

/// The crates, the lowest first, and the crates that each may name.
const CRATES: [(&str, &[&str]); 6] = [
    ("kernel", &[]),
    ("domain", &["kernel"]),
    ("store", &["kernel"]),
    ("runtime", &["kernel", "store"]),
    ("sheets", &["kernel"]),
    ("kizuna", &["kernel", "domain", "store", "runtime", "sheets"]),
];

/// The layers of the server, the lowest first, and what each may name: layers and crates.
const LAYERS: [(&str, &[&str]); 10] = [
    ("i18n", &["kernel"]),
    ("formats", &["kernel"]),
    ("telemetry", &["kernel", "runtime"]),
    ("persistence", &["kernel", "store", "domain"]),
    ("actors", &["kernel", "store", "runtime", "sheets", "domain", "persistence", "i18n", "formats"]),
    ("http", &["kernel", "runtime", "domain", "actors", "i18n", "formats"]),
    ("config", &["kernel", "store", "runtime", "domain", "actors", "http"]),
    (
        "app",
        &["kernel", "store", "runtime", "domain", "persistence", "actors", "http", "config", "telemetry"],
    ),
    (
        "cli",
        &[
            "kernel",
            "store",
            "runtime",
            "domain",
            "persistence",
            "actors",
            "http",
            "config",
            "app",
            "telemetry",
        ],
    ),
    ("main", &["cli"]),
];

/// What a service offers to the others: its client, what a deletion needs of every service, how an event looks to
/// a reader, and cursors of the log.
const OFFERED: [&str; 5] = ["client", "sagas::progress", "sagas::start", "analytics::view", "live::cursor"];

/// Names of the five services and of their records, in any case. `task` and `user` are missing: they are words of the
/// runtime, too.
const BUSINESS: [&str; 11] = [
    "customer",
    "meeting",
    "approval",
    "opportunity",
    "notification",
    "sales",
    "analytics",
    "saga",
    "servicename",
    "service_name",
    "due_soon",
];

/// `breaker.customer` is an example in the OpenAPI document, where a reader should find a name that exists.
const BUSINESS_ALLOWED: [(&str, &str); 1] = [("crates/runtime/src/breaker/reading.rs", "breaker.customer")];

/// The files of `src/http` that name roles: the filter of the list of users, and the form of a user.
const ROLES_IN_HTTP: [&str; 3] =
    ["src/http/api/users.rs", "src/http/console/pages/users.rs", "src/http/console/pages/api_keys.rs"];

/// The largest cycle of files that import each other.
const CYCLE_MAX: usize = 3;

#[test]
fn a_crate_names_only_the_crates_below_it() {
    let crates = CRATES.map(|(name, _)| name);
    expect_none("a crate names another that is not below it", |file, name| {
        let from = file.module[0].as_str();
        let to = name.path[0].as_str();
        let allowed = CRATES.iter().find(|(known, _)| *known == from).map(|(_, allowed)| *allowed);
        name.path.len() > 1
            && from != to
            && crates.contains(&to)
            && allowed.is_some_and(|allowed| !allowed.contains(&to))
    });
}

#[test]
fn a_layer_of_the_server_names_only_the_layers_below_it() {
    expect_none("a layer names another that is not below it", |file, name| {
        let Some((from, to)) = layer_of(file).zip(target_of(name)) else { return false };
        let allowed = LAYERS.iter().find(|(known, _)| *known == from).expect("a layer of the list").1;
        from != to && !allowed.contains(&to)
    });
}

#[test]
fn each_file_of_the_server_belongs_to_a_layer() {
    let server =
        WORKSPACE.files.iter().filter(|file| file.path.starts_with("src/") && file.path != "src/lib.rs");
    let unknown: Vec<&str> = server
        .filter(|file| LAYERS.iter().all(|(layer, _)| layer_of(file) != Some(layer)))
        .map(|file| file.path.as_str())
        .collect();
    assert!(unknown.is_empty(), "no layer of LAYERS holds {unknown:?}");
}

#[test]
fn the_domain_is_pure() {
    const IMPURE: [&str; 8] =
        ["actix", "actix_rt", "actix_web", "sqlx", "redis", "tokio", "kernel::clock::Clock", "rand"];
    expect_none("crates/domain names an actor, a database, a thread or a clock", |file, name| {
        let path = name.path.join("::");
        let impure = IMPURE.iter().any(|root| path == *root || path.starts_with(&format!("{root}::")));
        file.path.starts_with("crates/domain/") && (impure || reads_the_clock(&path))
    });
}

#[test]
fn sql_stands_in_the_store_and_in_persistence_only() {
    expect_none("SQL stands outside crates/store and src/persistence", |file, name| {
        let path = name.path.join("::");
        let sql = path.starts_with("sqlx::") || path.contains("sql::Sql");
        let room = file.path.starts_with("src/persistence/") || file.path.starts_with("crates/store/");
        sql && !room
    });
}

#[test]
fn persistence_decides_nothing_by_its_caller() {
    expect_none("src/persistence names a caller; a service says whose rows it may read", |file, name| {
        file.path.starts_with("src/persistence/")
            && name.path.join("::").starts_with("kernel::caller::Caller")
    });
}

#[test]
fn http_decides_nothing_by_a_role() {
    expect_none("src/http names a role; rules stand in crates/domain and in the services", |file, name| {
        file.path.starts_with("src/http/")
            && !ROLES_IN_HTTP.contains(&file.path.as_str())
            && name.path.join("::").starts_with("kernel::caller::Role")
    });
}

#[test]
fn a_service_names_of_another_only_its_client() {
    let services: Vec<&str> = WORKSPACE
        .files
        .iter()
        .filter_map(|file| file.path.strip_prefix("src/actors/")?.strip_suffix("/mod.rs"))
        .collect();
    assert!(services.contains(&"customer"), "where are the services? found {services:?}");
    expect_none("a service names the inside of another", |file, name| {
        if !file.path.starts_with("src/actors/")
            || name.path.len() < 4
            || name.path[..2] != ["kizuna", "actors"]
        {
            return false;
        }
        let (other, part) = (name.path[2].as_str(), name.path[3].as_str());
        let offered = OFFERED.contains(&part) || OFFERED.contains(&format!("{other}::{part}").as_str());
        services.contains(&other) && file.module.get(2).is_none_or(|own| own != other) && !offered
    });
}

#[test]
fn the_store_and_the_runtime_know_no_service_and_no_record() {
    let mut found = Vec::new();
    for file in WORKSPACE.files.iter().filter(|file| file.module[0] == "store" || file.module[0] == "runtime")
    {
        for word in file.words.iter().filter(|word| !word.in_test) {
            let lower = word.text.to_lowercase();
            let allowed = BUSINESS_ALLOWED.contains(&(file.path.as_str(), word.text.as_str()));
            if !allowed && BUSINESS.iter().any(|business| lower.contains(business)) {
                found.push(format!("{}: {:?}", file.path, word.text));
            }
        }
    }
    assert!(
        found.is_empty(),
        "words of the business stand in crates/store or crates/runtime:\n{}",
        found.join("\n")
    );
}

#[test]
fn no_cycle_of_imports_has_more_than_three_files() {
    let imports = WORKSPACE.imports();
    let found: Vec<String> = cycles::cycles(&imports)
        .into_iter()
        .filter(|files| files.len() > CYCLE_MAX)
        .map(|files| format!("{} files import each other:\n{}", files.len(), cycles::edges(&imports, &files)))
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Fails with every name for which `breaks` says so.
fn expect_none(rule: &str, breaks: impl Fn(&File, &Name) -> bool) {
    let mut found: Vec<String> = WORKSPACE
        .files
        .iter()
        .flat_map(|file| file.names.iter().map(move |name| (file, name)))
        .filter(|(file, name)| breaks(file, name))
        .map(|(file, name)| format!("{} names {}", file.path, name.path.join("::")))
        .collect();
    found.dedup();
    assert!(found.is_empty(), "{rule}:\n{}", found.join("\n"));
}

/// `src/http/api/tasks.rs` → `http`.
fn layer_of(file: &File) -> Option<&str> {
    let own = file.module[0] == "kizuna";
    if own { file.module.get(1).map(String::as_str) } else { (file.module[0] == "main").then_some("main") }
}

/// The layer or the crate that a path leads to.
fn target_of(name: &Name) -> Option<&str> {
    let (first, second) = (name.path.first()?.as_str(), name.path.get(1)?.as_str());
    match first {
        "kizuna" => Some(second),
        "kernel" | "domain" | "store" | "runtime" => Some(first),
        _ => None,
    }
}

fn reads_the_clock(path: &str) -> bool {
    ["Utc::now", "Local::now", "Instant::now", "SystemTime::now", "Timestamp::now"]
        .iter()
        .any(|call| path == *call || path.ends_with(&format!("::{call}")))
}
