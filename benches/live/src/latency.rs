//! From the answer of a POST to the frame of its notification, on the same node or on the others.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use futures_util::StreamExt;
use futures_util::future::try_join_all;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::server::{Server, Socket};

/// Between two rounds: the figure is of a quiet server.
const PAUSE: Duration = Duration::from_millis(5);
const TIMEOUT: Duration = Duration::from_secs(10);

/// `<p50 ms> <p99 ms>` of so many rounds. Each writes through the next node, and counts until the frame is there on
/// every other one; a node without others counts its own.
pub async fn measure(server: &Server, others: &[String], rounds: usize) -> Result<String> {
    let manager = server.hire("MANAGER", "live-manager@bench.example").await?;
    let sales = server.hire("SALES", "live-sales@bench.example").await?;
    let nodes: Vec<&str> = std::iter::once(&server.url).chain(others).map(String::as_str).collect();
    let mut sockets = try_join_all(nodes.iter().map(async |node| manager.at(node).socket().await)).await?;
    for socket in &mut sockets {
        next_text(socket).await?;
    }
    let mut waits = Vec::with_capacity(rounds);
    for round in 0..rounds {
        let writer = round % nodes.len();
        let sales = sales.at(nodes[writer]);
        // The sockets are read all the while: a frame may be there before the answer.
        let customer = json!({"name": format!("bench {round}")});
        let posted = async {
            let status = sales.post("/api/customers", &customer).await?;
            ensure!(status == 201, "POST answers {status}");
            anyhow::Ok(Instant::now())
        };
        let heard = try_join_all(sockets.iter_mut().map(async |socket| {
            next_text(socket).await?;
            anyhow::Ok(Instant::now())
        }));
        let (answered, mut received) = tokio::try_join!(posted, heard)?;
        if received.len() > 1 {
            received.remove(writer);
        }
        let last = received.into_iter().max().unwrap_or(answered);
        waits.push(last.saturating_duration_since(answered));
        tokio::time::sleep(PAUSE).await;
    }
    waits.sort_unstable();
    Ok(format!("{:.3} {:.3}", percentile(&waits, 50), percentile(&waits, 99)))
}

async fn next_text(socket: &mut Socket) -> Result<()> {
    loop {
        match tokio::time::timeout(TIMEOUT, socket.next()).await? {
            Some(Ok(Message::Text(_))) => return Ok(()),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            other => anyhow::bail!("no frame but {other:?}"),
        }
    }
}

/// The nearest-rank percentile in milliseconds; the waits are sorted already.
fn percentile(waits: &[Duration], percent: usize) -> f64 {
    let rank = (waits.len() * percent).div_ceil(100).max(1);
    waits.get(rank - 1).map_or(0.0, |wait| wait.as_secs_f64() * 1e3)
}
