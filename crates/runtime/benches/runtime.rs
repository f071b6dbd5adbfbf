//! What the runtime's parts take by themselves, on SQLite in a temporary folder: a commit, a publication, an event.
//!
//! `cargo bench -p kizuna-runtime`: under a minute.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::{System, SystemRunner};
use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use futures_util::future::join_all;
use kernel::event::{EventType, LoggedEvent};
use kernel::service_id::ServiceId;
use kizuna_runtime::consumer::{Consumer, EffectError, run_to_head};
use kizuna_runtime::registry::{Batch, Filter, Origin};
use kizuna_runtime::supervisor::STUCK_AFTER;
use store::Db;
use store::log;
use store::sql::Sql;
use store::unit_of_work::UnitOfWork;
use tokio::runtime::Runtime;

#[path = "../tests/runtime/node.rs"]
#[expect(dead_code, reason = "the tests need more of it")]
mod node;

use node::{Node, RANG, counting, ringing};

/// Units that wait together: a full group.
const TOGETHER: usize = 64;
/// Deliveries that may wait for a subscriber.
const QUEUE: usize = 8;
/// Events in the log that the consumer goes through.
const EVENTS: usize = 2_048;

struct Counting;

impl Consumer for Counting {
    const SERVICE: Option<ServiceId> = None;
    const NAME: &'static str = "bell.counting";
    const TYPES: &'static [EventType] = &[RANG];

    async fn effect(&self, db: &Db, events: &[Arc<LoggedEvent>]) -> Result<UnitOfWork, EffectError> {
        Ok(counting(db, events).await?)
    }
}

/// A runtime and a node on it; the system is what arbiters need.
fn start() -> (SystemRunner, Runtime, Node) {
    let system = System::new();
    let runtime = Runtime::new().expect("a runtime");
    let node = runtime.block_on(Node::start(runtime.handle(), STUCK_AFTER));
    (system, runtime, node)
}

fn journal(criterion: &mut Criterion) {
    let (_system, runtime, node) = start();
    let mut group = criterion.benchmark_group("journal");
    // Each takes many writes to the disk: as few repetitions as there are samples.
    group.sampling_mode(SamplingMode::Flat);
    for units in [1, TOGETHER] {
        group.throughput(Throughput::Elements(units as u64));
        group.bench_function(BenchmarkId::new("commit", units), |bencher| {
            bencher.to_async(&runtime).iter(|| async {
                let commits = (0..units).map(|_| node.journal.commit(ringing()));
                assert!(join_all(commits).await.iter().all(Result::is_ok));
            });
        });
    }
}

fn registry(criterion: &mut Criterion) {
    let (_system, runtime, node) = start();
    let mut group = criterion.benchmark_group("registry");
    let events = runtime.block_on(node.journal.commit(ringing())).expect("a commit");
    for subscribers in [1, 10, 100] {
        let subscribe = (0..subscribers).map(|_| node.registry.subscribe(Filter::All, QUEUE));
        let deliveries = runtime.block_on(join_all(subscribe)).into_iter().collect::<Result<Vec<_>, _>>();
        let deliveries = RefCell::new(deliveries.expect("a registry that answers"));
        group.throughput(Throughput::Elements(subscribers));
        group.bench_function(BenchmarkId::new("publish", subscribers), |bencher| {
            bencher.to_async(&runtime).iter(|| async {
                node.registry.publish(Batch::of(events.clone(), Origin::Local)).await;
                for delivery in deliveries.borrow_mut().iter_mut() {
                    delivery.try_recv().expect("a delivery");
                }
            });
        });
    }
}

fn consumer(criterion: &mut Criterion) {
    let (_system, runtime, node) = start();
    runtime.block_on(async {
        join_all((0..EVENTS).map(|_| node.ring())).await;
        let heads = log::heads(&node.db).await.expect("a log");
        assert_eq!(heads.iter().map(|(_, head)| head).sum::<i64>(), EVENTS as i64);
    });
    let node = &node;
    let mut group = criterion.benchmark_group("consumer");
    // Each takes many writes to the disk: as few repetitions as there are samples.
    group.sampling_mode(SamplingMode::Flat);
    group.throughput(Throughput::Elements(EVENTS as u64));
    group.bench_function("events from the log", |bencher| {
        bencher.to_async(&runtime).iter_custom(|times| async move {
            let mut took = Duration::ZERO;
            for _ in 0..times {
                node.db.execute(Sql::new("DELETE FROM consumer_cursors")).await.expect("no cursors");
                let begun = Instant::now();
                run_to_head(node.consumer_parts(), Arc::new(Counting))
                    .await
                    .expect("a database that answers");
                took += begun.elapsed();
            }
            took
        });
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
        .without_plots();
    targets = journal, registry, consumer
}
criterion_main!(benches);
