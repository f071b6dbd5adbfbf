//! What the live feed costs, from the outside: the client of `scripts/bench-live` and `scripts/bench-cluster`.
//!
//! `latency` times each notification from the answer of the `POST` that causes it until its frame is there;
//! `idle` holds sockets open and reads the server's resident memory before and after.
//!
//! Each prints one line for the shell to read.

mod idle;
mod latency;
mod server;

use anyhow::Result;
use clap::Parser;

/// Measures a running server.
#[derive(Parser)]
enum Command {
    /// `<p50 ms> <p99 ms>` from a POST's answer to its notification's frame
    Latency {
        #[command(flatten)]
        server: server::Server,
        /// Further nodes of the cluster, http://HOST:PORT each
        #[arg(long, value_delimiter = ',')]
        others: Vec<String>,
        /// How many notifications, one after another
        #[arg(long, default_value_t = 2_000)]
        rounds: usize,
    },
    /// `<KiB>` of resident memory of the server a socket
    Idle {
        #[command(flatten)]
        server: server::Server,
        /// How many sockets
        #[arg(long, default_value_t = 5_000)]
        sockets: usize,
        /// The server's process
        #[arg(long)]
        pid: u32,
    },
}

#[tokio::main]
async fn main() -> Result<()> {
    let line = match Command::parse() {
        Command::Latency { server, others, rounds } => latency::measure(&server, &others, rounds).await?,
        Command::Idle { server, sockets, pid } => idle::measure(&server, sockets, pid).await?,
    };
    println!("{line}");
    Ok(())
}
