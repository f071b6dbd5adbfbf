//! The settings of the nodes of a cluster, the same as in `docker-compose.yml`.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::app::{ADMIN, PASSWORD, SECRET};
use crate::ports::free_port;
use crate::{Kizuna, Launch, process_reaper};
use tempfile::TempDir;

/// The only argument; all else is environment.
pub const COMMAND: &str = "serve";
/// Every variable that a node gets; `compose` compares them with those of `docker-compose.yml`.
pub const ENVIRONMENT: [&str; 12] = [
    "KIZUNA_ADMIN_EMAIL",
    "KIZUNA_ADMIN_PASSWORD_FILE",
    "KIZUNA_ALLOW_PLAINTEXT",
    "KIZUNA_DATABASE_URL_FILE",
    "KIZUNA_DRAIN_DELAY",
    "KIZUNA_JWT_SECRET_FILE",
    "KIZUNA_LISTEN",
    "KIZUNA_NODE_ID",
    "KIZUNA_OPS_LISTEN",
    "KIZUNA_PUBLIC_URL",
    "KIZUNA_REDIS_URL_FILE",
    "KIZUNA_TRUSTED_PROXY",
];
/// No load balancer probes these nodes unless a test says so, so they need not wait for one.
const DRAIN_DELAY: &str = "1ms";

/// The settings of each node, and those of all nodes.
pub struct Plan {
    pub nodes: usize,
    /// Starts a PostgreSQL for this cluster alone, which may be killed.
    pub own_postgres: bool,
    /// Gives each node links of its own to PostgreSQL and Redis, which may be cut.
    pub own_links: bool,
    binary: String,
    services: Vec<(usize, String)>,
    settings: Vec<(String, String)>,
}

impl Plan {
    pub fn of(nodes: usize) -> Self {
        let (services, settings) = (Vec::new(), Vec::new());
        Self { nodes, own_postgres: false, own_links: false, binary: built_beside(), services, settings }
    }

    /// This node hosts only these services.
    pub fn services(mut self, node: usize, services: &str) -> Self {
        self.services.push((node, services.to_owned()));
        self
    }

    /// Sets a variable on every node.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Another binary than the one that was built with this program.
    pub fn binary(self, path: &str) -> Self {
        Self { binary: path.to_owned(), ..self }
    }

    pub fn own_postgres(self) -> Self {
        Self { own_postgres: true, ..self }
    }

    pub fn own_links(self) -> Self {
        Self { own_links: true, ..self }
    }

    /// How to start a node, which keeps its id and its port; and its address.
    pub fn launch(&self, node: usize, database_url: &str, redis_url: &str) -> (Launch, String) {
        let address = format!("127.0.0.1:{}", free_port());
        let mut launch = Kizuna::command(&self.binary).arg(COMMAND);
        for (name, value) in self.environment(node, &address, database_url, redis_url) {
            launch = launch.env(&name, value);
        }
        (launch, format!("http://{address}"))
    }

    fn environment(&self, node: usize, address: &str, database: &str, redis: &str) -> Vec<(String, String)> {
        let value = |name: &str| match name {
            "KIZUNA_ADMIN_EMAIL" => ADMIN.to_owned(),
            "KIZUNA_ADMIN_PASSWORD_FILE" => secret_file("admin_password", PASSWORD),
            "KIZUNA_ALLOW_PLAINTEXT" => "true".to_owned(),
            "KIZUNA_DATABASE_URL_FILE" => secret_file("database_url", database),
            "KIZUNA_DRAIN_DELAY" => DRAIN_DELAY.to_owned(),
            "KIZUNA_JWT_SECRET_FILE" => secret_file("jwt_secret", SECRET),
            "KIZUNA_LISTEN" => address.to_owned(),
            "KIZUNA_NODE_ID" => name_of(node),
            "KIZUNA_OPS_LISTEN" => "127.0.0.1:0".to_owned(),
            "KIZUNA_PUBLIC_URL" => "https://localhost".to_owned(),
            "KIZUNA_REDIS_URL_FILE" => secret_file("redis_url", redis),
            "KIZUNA_TRUSTED_PROXY" => "127.0.0.1".to_owned(),
            other => panic!("the tests have no value for {other}"),
        };
        let common = ENVIRONMENT.map(|name| (name.to_owned(), value(name)));
        let services = self.services.iter().filter(|(of, _)| *of == node);
        let services = services.map(|(_, names)| ("KIZUNA_SERVICES".to_owned(), names.clone()));
        // Later values win.
        common.into_iter().chain(services).chain(self.settings.iter().cloned()).collect()
    }
}

/// The server that cargo has built with this test: tests are in `deps` below its folder.
fn built_beside() -> String {
    let test = std::env::current_exe().expect("a test knows its path");
    let folder = test.parent().and_then(Path::parent).expect("a folder of builds");
    folder.join("kizuna").display().to_string()
}

/// The id of a node: `node-1` is the first.
pub fn name_of(node: usize) -> String {
    format!("node-{}", node + 1)
}

/// Writes a secret into a file of its own, which is there until the test process ends.
fn secret_file(name: &str, secret: &str) -> String {
    static FOLDER: LazyLock<TempDir> = LazyLock::new(|| {
        let folder = TempDir::with_prefix("kizuna-secrets.").expect("a temporary directory");
        process_reaper::folder(folder.path());
        folder
    });
    static WRITTEN: AtomicUsize = AtomicUsize::new(0);
    let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
    let path = FOLDER.path().join(format!("{name}.{number}"));
    fs::write(&path, format!("{secret}\n")).expect("room for a file");
    path.display().to_string()
}
