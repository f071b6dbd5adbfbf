//! HAProxy before a cluster's nodes, with the file that production has. Ended when dropped, and with the test process.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::certificates::text;
use crate::cluster::Cluster;
use crate::ports::free_port;
use crate::{Api, eventually, process_reaper};

const HINT: &str = "on Debian: apt-get install haproxy; elsewhere have haproxy on the PATH";
const CONFIG: &str = "../../deploy/haproxy.cfg";
const STARTS_WITHIN: Duration = Duration::from_secs(10);

pub struct Proxy {
    url: String,
    process: Child,
}

impl Proxy {
    /// In front of a cluster of three. Returns when it lets requests through.
    ///
    /// # Panics
    /// When no HAProxy is installed.
    pub async fn start(cluster: &Cluster) -> Self {
        Self::start_with(cluster, &[]).await
    }

    /// With TLS by this file at this address, to which [`Proxy::url`] leads.
    pub async fn start_with_tls(cluster: &Cluster, certificate: &Path, listen: &str) -> Self {
        let certificate = text(certificate);
        let tls = [("KIZUNA_PROXY_CERTIFICATE", certificate), ("KIZUNA_PROXY_TLS_LISTEN", listen)];
        Self::start_with(cluster, &tls).await
    }

    async fn start_with(cluster: &Cluster, environment: &[(&str, &str)]) -> Self {
        let listen = format!("127.0.0.1:{}", free_port());
        let mut command = Command::new(find());
        command.args(["-db", "-f"]).arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(CONFIG));
        command
            .env("KIZUNA_PROXY_LISTEN", &listen)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        for (node, url) in cluster.urls().iter().enumerate() {
            command.env(format!("KIZUNA_NODE_{}", node + 1), url.trim_start_matches("http://"));
        }
        let process = command.spawn().unwrap_or_else(|error| panic!("no haproxy ({error}); {HINT}"));
        process_reaper::started(process.id());
        let proxy = Self { url: format!("http://{listen}"), process };
        let nobody = Api::new(proxy.url());
        eventually(STARTS_WITHIN, async || {
            nobody
                .attempt(reqwest::Method::GET, "/readyz", None)
                .await
                .is_ok_and(|answer| answer.status == 200)
        })
        .await;
        proxy
    }

    /// Where all nodes are.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
        process_reaper::ended(self.process.id());
    }
}

/// Debian puts it where only root's PATH leads.
fn find() -> &'static str {
    if Path::new("/usr/sbin/haproxy").is_file() { "/usr/sbin/haproxy" } else { "haproxy" }
}
