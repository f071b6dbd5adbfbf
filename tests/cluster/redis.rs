//! Redis is killed, flushed, paused, full and away: it is a transport and a cache, never the record (SPEC §8.3).

use std::time::Duration;

use crate::cluster::Cluster;
use crate::ledger::some;
use crate::load::{Load, REQUEST_MAX};
use crate::recorder::Recorder;
use crate::watcher::Watcher;
use testing::eventually;

/// How long each trouble lasts, unless the trouble says otherwise.
const TROUBLE: Duration = Duration::from_secs(5);
const AWAY: Duration = Duration::from_secs(30);
const HUNG: Duration = Duration::from_secs(10);
/// How soon all notifications arrive, after Redis is back and also while it is away, because the log is read every
/// second.
const TOLD_WITHIN: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_happens_to_redis_writes_are_acknowledged_and_nothing_is_lost_or_doubled_or_stale() {
    let mut cluster = Cluster::start(3).await;
    let watcher = Watcher::start(&cluster.staff.manager, cluster.urls()).await;
    let load = Load::start(&cluster, 3, Duration::from_millis(60));
    let recorder = Recorder::start(&cluster).await;
    told_of_everything(&watcher, &cluster, "before all").await;

    cluster.redis.kill();
    told_of_everything(&watcher, &cluster, "killed").await;
    tokio::time::sleep(TROUBLE).await;
    cluster.redis.restart_empty();
    told_of_everything(&watcher, &cluster, "restarted empty").await;

    for _ in 0..10 {
        cluster.redis.flush();
        tokio::time::sleep(TROUBLE / 10).await;
    }
    told_of_everything(&watcher, &cluster, "flushed").await;

    cluster.redis.pause();
    told_of_everything(&watcher, &cluster, "hung").await;
    tokio::time::sleep(HUNG).await;
    cluster.redis.resume();
    told_of_everything(&watcher, &cluster, "goes on").await;

    cluster.redis.limit_memory(1);
    told_of_everything(&watcher, &cluster, "full").await;
    tokio::time::sleep(TROUBLE).await;
    cluster.redis.limit_memory(0);
    told_of_everything(&watcher, &cluster, "has room").await;

    cluster.redis.stop();
    tokio::time::sleep(AWAY).await;
    told_of_everything(&watcher, &cluster, "away for long").await;
    cluster.redis.restart_empty();
    told_of_everything(&watcher, &cluster, "back").await;

    let ledger = load.stop().await;
    recorder.check().await;
    assert!(ledger.hiccups.is_empty(), "not every request was 2xx at once: {}", some(&ledger.hiccups));
    assert!(ledger.slowest < REQUEST_MAX, "a request took {:?}", ledger.slowest);
    cluster.integrity().await;
    watcher.all_received(&cluster).await;
    ledger.is_kept(&cluster).await;
}

/// Waits until live delivery has reached the present end of the log.
async fn told_of_everything(watcher: &Watcher, cluster: &Cluster, when: &str) {
    // A notification that does not depend on the load.
    let count = watcher.in_log(cluster).await + 1;
    cluster.staff.sales.customer(0, &format!("Redis: {when}")).await;
    eventually(TOLD_WITHIN, async || {
        let received = watcher.received().len();
        if received >= count { Ok(()) } else { Err(format!("Redis {when}: received {received} of {count}")) }
    })
    .await;
}
