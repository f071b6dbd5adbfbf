//! Calls through a circuit breaker: how they are made, refused, counted and repeated.

use std::future::{pending, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use actix::System;
use futures_util::future::join_all;
use kernel::clock::{Clock, Timestamp};
use kernel::error::{Error, ErrorCode};
use kernel::service_id::ServiceId;
use kizuna_runtime::breaker::{
    BreakerActor, BreakerSettings, BreakerState, CircuitBreaker, Counters, Forced, Shared,
};
use kizuna_runtime::cluster::members::{Hosts, Members};
use kizuna_runtime::cluster::node::Node;
use kizuna_runtime::stats::ActorStatsRegistry;
use kizuna_runtime::supervisor::{Intensity, Supervisor};

const SALES: ServiceId = ServiceId("sales");
const NAME: &str = "breaker.sales";

/// A breaker on a clock that stands still, and whether calls can be sent.
struct Fixture {
    breaker: CircuitBreaker,
    clock: Clock,
    can_be_sent: Arc<AtomicBool>,
    supervisor: Supervisor,
}

impl Fixture {
    fn new(settings: BreakerSettings) -> Self {
        let supervisor = Supervisor::start(ActorStatsRegistry::default(), Intensity::default());
        let node = Node::new(None, &[], Timestamp::from_micros(0));
        let hosts = Hosts::new(Members::joining(Arc::new(node)), SALES);
        let clock = Clock::manual(Timestamp::from_micros(0));
        let (timeout, shared) = (settings.timeout, Shared::new(NAME, settings.capacity));
        let (parts, of_actor) = (shared.clone(), clock.clone());
        let actor = supervisor.spawn(NAME, &System::current().arbiter().clone(), move |liveness, _| {
            BreakerActor::new(parts.clone(), settings.clone(), of_actor.clone(), hosts.clone(), liveness)
        });
        let can_be_sent = Arc::new(AtomicBool::new(true));
        let asked = can_be_sent.clone();
        let asked = Arc::new(move || asked.load(Ordering::SeqCst));
        Self { breaker: CircuitBreaker::new(actor, shared, timeout, asked), clock, can_be_sent, supervisor }
    }

    async fn fail(&self, times: usize) {
        for _ in 0..times {
            assert_eq!(self.breaker.call(ready(failure())).await, failure());
        }
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        self.supervisor.stop();
    }
}

fn failure() -> Result<(), Error> {
    Err(Error::unavailable())
}

fn run(test: impl AsyncFnOnce(Fixture)) {
    run_with(BreakerSettings::default(), test);
}

fn run_with(settings: BreakerSettings, test: impl AsyncFnOnce(Fixture)) {
    System::new().block_on(async { test(Fixture::new(settings)).await });
}

#[test]
fn every_event_of_a_breaker_is_counted() {
    run(async |it| {
        assert_eq!(it.breaker.call(ready(Ok(7))).await, Ok(7));
        // Four of five calls.
        it.fail(4).await;
        let refused = it.breaker.call(ready(Ok(7))).await.unwrap_err();
        assert_eq!(
            (refused.code, refused.retry_after),
            (ErrorCode::Unavailable, Some(Duration::from_secs(30)))
        );
        it.clock.advance(Duration::from_secs(30));
        assert_eq!(it.breaker.call(ready(Ok(7))).await, Ok(7));
        let reading = it.breaker.read().await.unwrap();
        let expected = Counters {
            fire: 7,
            success: 2,
            failure: 4,
            reject: 1,
            open: 1,
            half_open: 1,
            close: 1,
            ..Counters::default()
        };
        assert_eq!((reading.counters, reading.state, reading.forced), (expected, BreakerState::Closed, None));
    });
}

#[test]
fn a_call_that_takes_too_long_counts_as_a_timeout_and_a_failure() {
    let settings = BreakerSettings { timeout: Duration::from_millis(20), ..BreakerSettings::default() };
    run_with(settings, async |it| {
        let cut_off = it.breaker.call(pending::<Result<(), Error>>()).await.unwrap_err();
        assert_eq!(cut_off.code, ErrorCode::Unavailable);
        let reading = it.breaker.read().await.unwrap();
        let expected = Counters { fire: 1, failure: 1, timeout: 1, ..Counters::default() };
        assert_eq!((reading.counters, reading.failures), (expected, 1));
        assert!(reading.latency_ms.max >= 20.0, "{reading:?}");
    });
}

/// opossum: `errorFilter`; resilience4j: `ignoreExceptions`.
#[test]
fn an_error_of_the_caller_is_no_failure_of_the_callee() {
    run(async |it| {
        for code in [ErrorCode::NotFound, ErrorCode::Forbidden, ErrorCode::ApprovalNotPending] {
            for _ in 0..5 {
                let refused = it.breaker.call(ready(Err::<(), _>(Error::new(code)))).await.unwrap_err();
                assert_eq!(refused.code, code);
            }
        }
        let reading = it.breaker.read().await.unwrap();
        assert_eq!((reading.state, reading.calls, reading.failures), (BreakerState::Closed, 15, 0));
    });
}

/// A request that asks several services at once drops the other calls as soon as one fails.
#[test]
fn a_probe_whose_caller_gives_up_does_not_keep_the_breaker_half_open() {
    run(async |it| {
        it.fail(5).await;
        it.clock.advance(Duration::from_secs(30));
        let probe = it.breaker.call(pending::<Result<(), Error>>());
        assert!(tokio::time::timeout(Duration::from_millis(50), probe).await.is_err());
        assert_eq!(it.breaker.call(ready(Ok(7))).await, Ok(7));
        assert_eq!(it.breaker.read().await.unwrap().state, BreakerState::Closed);
    });
}

#[test]
fn exactly_one_of_many_simultaneous_calls_is_the_probe() {
    run(async |it| {
        it.fail(5).await;
        it.clock.advance(Duration::from_secs(30));
        let made = AtomicUsize::new(0);
        let calls = (0..100).map(|_| {
            it.breaker.call(async {
                made.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(20)).await;
                Ok(())
            })
        });
        let answers = join_all(calls).await;
        assert_eq!(
            (made.load(Ordering::SeqCst), answers.iter().filter(|answer| answer.is_ok()).count()),
            (1, 1)
        );
        assert_eq!(it.breaker.counters().reject, 99);
        assert_eq!(it.breaker.read().await.unwrap().state, BreakerState::Closed);
    });
}

/// opossum: `capacity`; resilience4j: a bulkhead.
#[test]
fn a_call_beyond_the_capacity_is_refused_at_once_and_no_failure() {
    let settings = BreakerSettings { capacity: 2, ..BreakerSettings::default() };
    run_with(settings, async |it| {
        let gate = tokio::sync::Semaphore::new(0);
        let waits = || {
            it.breaker.call(async {
                let _open = gate.acquire().await;
                Ok(())
            })
        };
        let third = async {
            while it.breaker.read().await.unwrap().under_way < 2 {
                tokio::task::yield_now().await;
            }
            let refused = it.breaker.call(ready(Ok(()))).await.unwrap_err();
            gate.add_permits(2);
            refused
        };
        let (first, second, refused) = tokio::join!(waits(), waits(), third);
        assert_eq!((first, second, refused.code), (Ok(()), Ok(()), ErrorCode::Overloaded));
        let reading = it.breaker.read().await.unwrap();
        assert_eq!((reading.under_way, reading.capacity, reading.failures), (0, 2, 0));
        assert_eq!((reading.counters.reject, reading.counters.fire), (1, 3));
        assert_eq!(it.breaker.call(ready(Ok(()))).await, Ok(()), "a place is free again");
    });
}

#[test]
fn a_caller_that_gives_up_frees_its_place() {
    let settings = BreakerSettings { capacity: 1, ..BreakerSettings::default() };
    run_with(settings, async |it| {
        let given_up = it.breaker.call(pending::<Result<(), Error>>());
        assert!(tokio::time::timeout(Duration::from_millis(20), given_up).await.is_err());
        assert_eq!(it.breaker.call(ready(Ok(()))).await, Ok(()));
    });
}

#[test]
fn a_forced_state_is_shown_and_outlives_what_its_calls_do() {
    run(async |it| {
        let forced = it.breaker.force(Some(Forced::Open)).await.unwrap();
        assert_eq!((forced.state, forced.forced), (BreakerState::Open, Some(Forced::Open)));
        assert_eq!(it.breaker.call(ready(Ok(()))).await.unwrap_err().code, ErrorCode::Unavailable);
        it.breaker.force(Some(Forced::Closed)).await.unwrap();
        it.fail(20).await;
        assert_eq!(it.breaker.read().await.unwrap().state, BreakerState::Closed);
        it.breaker.force(None).await.unwrap();
        it.fail(5).await;
        assert_eq!(it.breaker.read().await.unwrap().state, BreakerState::Open);
    });
}

#[test]
fn an_idempotent_call_is_repeated_three_times_and_a_command_never() {
    run(async |it| {
        let made = AtomicUsize::new(0);
        let call = || {
            made.fetch_add(1, Ordering::SeqCst);
            ready(failure())
        };
        assert_eq!(it.breaker.call_idempotent(call).await, failure());
        assert_eq!(made.swap(0, Ordering::SeqCst), 4);
        assert_eq!(it.breaker.call(call()).await, failure());
        assert_eq!((made.load(Ordering::SeqCst), it.breaker.counters().fire), (1, 5));
    });
}

#[test]
fn a_call_that_cannot_be_sent_is_refused_at_once_and_not_counted() {
    run(async |it| {
        it.can_be_sent.store(false, Ordering::SeqCst);
        let made = AtomicUsize::new(0);
        let call = || {
            made.fetch_add(1, Ordering::SeqCst);
            ready(Ok(()))
        };
        for _ in 0..20 {
            assert_eq!(it.breaker.call_idempotent(call).await, failure());
        }
        let reading = it.breaker.read().await.unwrap();
        let seen = (made.load(Ordering::SeqCst), reading.state, reading.calls, reading.counters);
        assert_eq!(seen, (0, BreakerState::Closed, 0, Counters::default()));
        it.can_be_sent.store(true, Ordering::SeqCst);
        assert_eq!(it.breaker.call_idempotent(call).await, Ok(()));
        assert_eq!((made.load(Ordering::SeqCst), it.breaker.read().await.unwrap().calls), (1, 1));
    });
}
