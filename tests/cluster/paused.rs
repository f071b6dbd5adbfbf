//! A node hangs for longer than its lease, and then continues.

use std::time::{Duration, Instant};

use crate::cluster::Cluster;
use crate::load::Load;
use crate::plan::name_of;
use crate::recorder::Recorder;
use crate::watcher::Watcher;
use testing::eventually;

/// More than twice a lease.
const HUNG: Duration = Duration::from_secs(5);
/// A lease of two seconds expires, and the others read that at once; the rest of the time is for a busy machine.
const MOVES_WITHIN: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_hung_for_longer_than_its_lease_doubles_nothing_when_it_goes_on() {
    let mut cluster = Cluster::start(3).await;
    // This watcher uses the node that does not hang.
    let watcher = Watcher::start(&cluster.staff.manager, vec![cluster.url(0).to_owned()]).await;
    let load = Load::start(&cluster, 6, Duration::from_millis(5));
    let recorder = Recorder::start(&cluster).await;
    for hanging in [1, 2, 1] {
        tokio::time::sleep(Duration::from_secs(2)).await;
        cluster.pause(hanging);
        let paused = Instant::now();
        eventually(MOVES_WITHIN, async || {
            let owners = cluster.owners(0).await;
            let moved = !owners.is_empty() && !owners.contains(&name_of(hanging));
            if moved { Ok(()) } else { Err(format!("{owners:?}")) }
        })
        .await;
        println!("slices of a hung node moved after {:?}", paused.elapsed());
        tokio::time::sleep(HUNG.saturating_sub(paused.elapsed())).await;
        cluster.resume(hanging);
        cluster.all_alive().await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let ledger = load.stop().await;
    recorder.check().await;
    cluster.integrity().await;
    watcher.all_received(&cluster).await;
    ledger.is_kept(&cluster).await;
}
