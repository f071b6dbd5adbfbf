//! What an idle socket costs the server in memory.

use std::time::Duration;

use anyhow::{Context, Result};
use futures_util::StreamExt;

use crate::server::{Server, Socket, User};

/// Until the server has come to rest.
const REST: Duration = Duration::from_secs(3);
/// Sockets opened at the same time.
const AT_ONCE: usize = 50;

/// `<KiB>` a socket: what the second half of them adds. The first takes up what the server has kept for itself, as
/// the memory of the sign-in just before.
pub async fn measure(server: &Server, sockets: usize, pid: u32) -> Result<String> {
    let user = server.hire("MANAGER", "live-idle@bench.example").await?;
    let mut open = Vec::with_capacity(sockets);
    let half = sockets / 2;
    fill(&mut open, half, &user).await?;
    let before = resident(pid)?;
    fill(&mut open, sockets, &user).await?;
    let grown = resident(pid)?.saturating_sub(before);
    Ok(format!("{:.1}", grown as f64 / (sockets - half) as f64))
}

/// Opens sockets until there are so many, and lets the server come to rest.
async fn fill(open: &mut Vec<Socket>, count: usize, user: &User) -> Result<()> {
    while open.len() < count {
        let more = (count - open.len()).min(AT_ONCE);
        let opened = futures_util::future::try_join_all((0..more).map(|_| user.socket())).await?;
        for mut socket in opened {
            socket.next().await.context("a hello")??;
            open.push(socket);
        }
    }
    tokio::time::sleep(REST).await;
    Ok(())
}

/// KiB of resident memory.
fn resident(pid: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
