//! What this machine can do without Kizuna, and the small helpers of `scripts/bench`.
//!
//! `sqlite`, `http` (with `token`) and `argon2` measure the baselines that the bench compares with the server's figures;
//! `startup` and `drain` time what a shell cannot time closely enough; `port` finds a free port.
//!
//! A measurement prints one line for the shell to read: `<per second> <p50 ms> <p99 ms>`.

mod drain;
mod http;
mod password;
mod probe;
mod samples;
mod sqlite;
mod startup;

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::Parser;

/// Measures what this machine can do without Kizuna.
#[derive(Parser)]
enum Command {
    /// SQLite, one write of two rows per commit (WAL, synchronous=FULL)
    Sqlite {
        /// The folder of the database file; the caller removes it
        dir: PathBuf,
        /// How long to run
        #[arg(long, default_value = "8")]
        seconds: u64,
    },
    /// A bare actix-web server: one token verified, 300 bytes of JSON; runs until killed
    Http,
    /// A token that the server of `http` accepts for a day
    Token,
    /// Argon2id verifications with the crate's defaults, one thread per core
    Argon2 {
        /// How long to run
        #[arg(long, default_value = "8")]
        seconds: u64,
    },
    /// Milliseconds from the start of a command until its /readyz answers 200; the command is killed then
    Startup {
        /// Where the command will listen
        #[arg(long)]
        addr: SocketAddr,
        /// The command and its arguments
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
    /// Waits until no consumer of a running server is behind; prints `<seconds> <slowest consumer> <its lag at first>`
    Drain {
        /// Where the server listens
        #[arg(long)]
        addr: SocketAddr,
        /// Seconds to wait at most
        #[arg(long, default_value = "120")]
        timeout: u64,
    },
    /// A free port on 127.0.0.1
    Port,
}

fn main() -> Result<()> {
    let line = match Command::parse() {
        Command::Sqlite { dir, seconds } => sqlite::measure(&dir, Duration::from_secs(seconds))?,
        Command::Http => return http::serve(),
        Command::Token => http::token()?,
        Command::Argon2 { seconds } => password::measure(Duration::from_secs(seconds))?,
        Command::Startup { addr, command } => startup::measure(addr, &command)?,
        Command::Drain { addr, timeout } => drain::wait(addr, Duration::from_secs(timeout))?,
        Command::Port => TcpListener::bind("127.0.0.1:0")?.local_addr()?.port().to_string(),
    };
    println!("{line}");
    Ok(())
}
