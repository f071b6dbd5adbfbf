//! `kill -9` of one node after another, under load.

use std::time::{Duration, Instant};

use crate::cluster::Cluster;
use crate::ledger::Ledger;
use crate::load::Load;
use crate::recorder::Recorder;
use crate::watcher::{Received, Watcher};

/// Kills so close together that the node that takes over is often killed, too; then thirty kills with a recovery after
/// each.
const STORM: (usize, Duration) = (8, Duration::from_millis(1_500));
const THIRTY: (usize, Duration) = (30, Duration::from_secs(4));
/// How long the killed node is away.
const AWAY: Duration = Duration::from_millis(800);
/// How soon every notification must arrive, also if the node that was to deliver it has died: its lease is over after 2 s, the
/// others look within half a second, and read the log after a second without news.
const RESUMES_WITHIN: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_kills_under_load_lose_nothing_double_nothing_and_delivery_resumes() {
    let mut cluster = Cluster::start(3).await;
    let watcher = Watcher::start(&cluster.staff.manager, cluster.urls()).await;
    let load = Load::start(&cluster, 4, Duration::from_millis(30));
    let mut recorder = Some(Recorder::start(&cluster).await);
    // Reproducible, and each node as often as the others in the long run.
    let mut random = 0x2545_f491_u32;
    let mut after_storm = Instant::now();
    for (kills, every) in [STORM, THIRTY] {
        for _ in 0..kills {
            random ^= random << 13;
            random ^= random >> 17;
            random ^= random << 5;
            let node = random as usize % cluster.size();
            let killed = Instant::now();
            cluster.kill(node);
            tokio::time::sleep(AWAY).await;
            cluster.restart(node).await;
            tokio::time::sleep(every.saturating_sub(killed.elapsed())).await;
            if every == THIRTY.1 {
                // Or two kills would be one long outage, and the delay that of both.
                watcher.has_caught_up(&cluster).await;
            }
        }
        if let Some(recorder) = recorder.take() {
            // Not beside the thirty, whose delays are measured.
            cluster.all_alive().await;
            recorder.check().await;
            tokio::time::sleep(RESUMES_WITHIN).await;
            after_storm = Instant::now();
        }
    }
    tokio::time::sleep(RESUMES_WITHIN).await;
    let ledger = load.stop().await;
    cluster.all_alive().await;
    cluster.integrity().await;
    let received = watcher.all_received(&cluster).await;
    let mut delays: Vec<Duration> =
        received.iter().filter_map(|one| delay(one, &ledger, after_storm)).collect();
    delays.sort_unstable();
    let slowest = *delays.last().expect("customers");
    println!("received after {:?} in the middle, {slowest:?} at the latest", delays[delays.len() / 2]);
    assert!(slowest <= RESUMES_WITHIN, "a notification arrived {slowest:?} after the answer");
    ledger.is_kept(&cluster).await;
}

/// The time from the answer to a customer's creation, if it came after `begin`, to its notification.
fn delay(received: &Received, ledger: &Ledger, begin: Instant) -> Option<Duration> {
    let created = ledger.created.get(&received.subject).filter(|created| **created > begin)?;
    Some(received.at.saturating_duration_since(*created))
}
