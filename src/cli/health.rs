//! `kizuna health`: checks whether the server of this machine is ready, for containers without another tool.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use clap::Args;

use crate::cli::output;
use crate::cli::shared::Done;
use crate::config::Listen;

/// A server that takes longer is not ready.
const DEADLINE: Duration = Duration::from_secs(3);

#[derive(Args)]
pub struct HealthArgs {
    /// The server's --listen address
    #[arg(long, env = "KIZUNA_LISTEN", default_value = "127.0.0.1:8080")]
    listen: Listen,
}

/// Asks `/readyz`; fails unless the answer is 200.
pub async fn run(args: HealthArgs) -> Done {
    let url = format!("http://{}/readyz", reachable(args.listen.addresses()[0]));
    // Plain HTTP: a container may have no authorities to load.
    let client = reqwest::Client::builder().timeout(DEADLINE).no_proxy().tls_certs_only([]).build()?;
    let answer = client.get(&url).send().await?;
    anyhow::ensure!(answer.status().is_success(), "{url}: {}", answer.status());
    output::line("ready")
}

/// The loopback address for one that means every interface.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_listens_everywhere_is_asked_on_this_machine() {
        for (listen, asked) in
            [("0.0.0.0:80", "127.0.0.1:80"), ("[::]:80", "[::1]:80"), ("10.0.0.7:80", "10.0.0.7:80")]
        {
            assert_eq!(reachable(listen.parse().unwrap()), asked.parse().unwrap());
        }
    }
}
