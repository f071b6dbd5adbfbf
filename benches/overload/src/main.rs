//! Creates customers at a fixed rate, whether the server keeps up or not, and says how the requests ended. Answers that
//! are late do not slow the sending down, so waiting times are not hidden.

mod connection;
mod phase;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::connection::Target;
use crate::phase::{Figures, closed, open};

#[derive(Parser)]
struct Arguments {
    /// The server, such as 127.0.0.1:8080
    #[arg(long)]
    address: SocketAddr,
    /// The access token of a user who may create customers
    #[arg(long)]
    token: String,
    /// How long to send
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    #[command(subcommand)]
    load: Load,
}

#[derive(Subcommand)]
enum Load {
    /// As fast as so many connections are answered: what the server can do
    Closed {
        #[arg(long, default_value_t = 64)]
        connections: usize,
    },
    /// So many requests per second, over at most so many connections
    Open {
        #[arg(long)]
        rate: u32,
        #[arg(long, default_value_t = 900)]
        connections: usize,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Arguments { address, token, seconds, load } = Arguments::parse();
    let target = Arc::new(Target::new(address, &token));
    let length = Duration::from_secs(seconds);
    let figures = match load {
        Load::Closed { connections } => closed(target, connections, length).await?,
        Load::Open { rate, connections } => open(target, rate, connections, length).await?,
    };
    print(&figures, length);
    Ok(())
}

/// One line: `<created per second> <p50> <p99> <refused> <p99 of refusals> <failed> <not sent>`, times in
/// milliseconds.
fn print(figures: &Figures, length: Duration) {
    let Figures { created, refused, failed, not_sent, .. } = figures;
    let rate = created.len() as f64 / length.as_secs_f64();
    println!(
        "{rate:.0} {:.2} {:.2} {} {:.2} {failed} {not_sent}",
        percentile(created, 50),
        percentile(created, 99),
        refused.len(),
        percentile(refused, 99),
    );
}

/// The smallest of the times, in milliseconds, that so many percent do not exceed; 0 without any.
fn percentile(times: &[Duration], percent: usize) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let at = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(at).map_or(0.0, |time| time.as_secs_f64() * 1_000.0)
}
