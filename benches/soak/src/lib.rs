//! Three nodes on PostgreSQL and Redis behind HAProxy: a mixed load of the API and the console, and every fault that the
//! tests of the cluster know, in random order. At the end nothing that was acknowledged is missing, every event has taken
//! effect once, and memory, file descriptors and latency are as at the beginning.
//!
//! - `load`, `work`: clients and what they do; `noted`: what they were acknowledged, and whether it is there
//! - `streams`: readers of the live feed, of a subscription and of a webhook
//! - `faults`: what happens to the cluster; `samples`: memory, descriptors and latency; `table`: the result
//! - `random`: numbers that a seed repeats

mod faults;
mod load;
mod noted;
mod random;
mod samples;
mod streams;
mod table;
mod work;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use testing::cluster::Cluster;
use testing::cluster::plan::Plan;
use testing::cluster::proxy::Proxy;
use testing::promises;

use faults::Faults;
use load::Load;
use noted::Notes;
use samples::Samples;
use streams::Streams;
use table::Table;

/// Works a cluster with load and faults, and says what came of it.
#[derive(clap::Parser)]
pub struct Options {
    /// How long load and faults last
    #[arg(long, default_value_t = 10)]
    minutes: u64,
    /// Chooses the order of faults and requests; the same seed, the same choices
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Clients that work at the same time
    #[arg(long, default_value_t = 6)]
    clients: usize,
    /// Another server than the one that was built with this program
    #[arg(long)]
    binary: Option<String>,
}

/// Longer than the checks of the load balancer need.
const DRAIN_DELAY: &str = "2s";
/// Longer than any run.
const TOKENS_LAST: &str = "7d";
/// How long the effects of the last requests may take.
const SETTLES_WITHIN: Duration = Duration::from_mins(2);

/// Runs it, and prints a table. True if everything held.
pub async fn run(options: Options) -> bool {
    let mut cluster = Cluster::of(plan(&options)).await;
    let proxy = Proxy::start(&cluster).await;
    println!("three nodes behind {}, seed {}, {} minutes", proxy.url(), options.seed, options.minutes);
    let (begun, stop) = (Instant::now(), Arc::new(AtomicBool::new(false)));
    let until = begun + Duration::from_secs(60 * options.minutes);
    let notes = Arc::new(Notes::default());
    let samples = Arc::new(Samples::new(begun, until));
    let streams = Streams::start(&cluster, proxy.url()).await;
    let load = Load::start(&cluster, proxy.url(), &options, (&notes, &samples, &stop)).await;
    let mut faults = Faults::new(options.seed);
    faults.happen(&mut cluster, proxy.url(), until, &samples).await;
    load.stop().await;
    let mut table = Table::default();
    faults.report(&mut table);
    notes.report(&mut table);
    consumers(&cluster, &mut table).await;
    let missing = notes.missing(&cluster).await;
    table.none("acknowledged and not there", &missing);
    streams.report(&cluster, &notes, &mut table).await;
    samples.report(&mut table);
    table.print();
    table.holds()
}

fn plan(options: &Options) -> Plan {
    let plan = Plan::of(3).own_postgres().own_links();
    let plan = plan
        .set("KIZUNA_DRAIN_DELAY", DRAIN_DELAY)
        .set("KIZUNA_ACCESS_TOKEN_TTL", TOKENS_LAST)
        .set("KIZUNA_WEBHOOK_ALLOW_PRIVATE", "true")
        // The half minute for which breakers stay open is no part of what is measured.
        .set("KIZUNA_BREAKER_RESET", "1s");
    match &options.binary {
        Some(path) => plan.binary(path),
        None => plan,
    }
}

/// Waits until no consumer is behind; then what the integrity report and the promises say.
async fn consumers(cluster: &Cluster, table: &mut Table) {
    let until = Instant::now() + SETTLES_WITHIN;
    let report = loop {
        let report = cluster.staff.admin.at(0).get("/api/admin/integrity").await.body;
        let sum = |field: &str| -> i64 {
            let consumers = report["consumers"].as_array().into_iter().flatten();
            consumers.filter_map(|consumer| consumer[field].as_i64()).sum()
        };
        let figures = ["pending", "lost", "duplicated", "out_of_order"].map(|field| (field, sum(field)));
        let is_report = report["consumers"].as_array().is_some_and(|consumers| !consumers.is_empty());
        if (is_report && figures[0].1 == 0) || Instant::now() > until {
            table.figure("events in the log", &report["events"]);
            break figures;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    };
    for (field, count) in report {
        table.zero(&format!("consumers: {field}"), usize::try_from(count).unwrap_or(usize::MAX));
    }
    let db = cluster.open().await;
    let mut broken = promises::kept(&db).await;
    while broken.is_err() && Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(500)).await;
        broken = promises::kept(&db).await;
    }
    db.close().await;
    table.none("promises that the rows break", &broken.err().into_iter().collect::<Vec<_>>());
}
