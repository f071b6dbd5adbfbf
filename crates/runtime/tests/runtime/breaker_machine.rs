//! When a circuit breaker opens, probes and closes. The names say which documented behaviour of opossum or of
//! resilience4j a test states, where it is one of theirs.

use std::time::Duration;

use kernel::clock::Timestamp;
use kizuna_runtime::breaker::CallOutcome::{Failure, Success, Timeout};
use kizuna_runtime::breaker::{Breaker, BreakerSettings, CallOutcome, Forced, State};
use proptest::prelude::*;
use rstest::rstest;

const TOOK: Duration = Duration::from_millis(5);

fn at(millis: i64) -> Timestamp {
    Timestamp::from_micros(millis * 1_000)
}

/// A call that is admitted and ends at once.
fn call(breaker: &mut Breaker, outcome: CallOutcome, now: Timestamp) {
    let ticket = breaker.admit(now).expect("it lets calls through");
    breaker.report(ticket, outcome, TOOK, now);
}

/// A breaker that has opened at 4 ms.
fn tripped() -> Breaker {
    let mut breaker = Breaker::new(BreakerSettings::default());
    for n in 0..5 {
        call(&mut breaker, Failure, at(n));
    }
    assert_eq!(breaker.state(), State::Open { until: at(30_004) });
    breaker
}

#[test]
fn the_defaults_are_those_of_the_contract() {
    let defaults = BreakerSettings::default();
    assert_eq!(
        (defaults.timeout, defaults.threshold, defaults.window, defaults.volume, defaults.reset),
        (Duration::from_secs(3), 50, Duration::from_secs(10), 5, Duration::from_secs(30))
    );
}

/// opossum: `errorThresholdPercentage` and `volumeThreshold`; resilience4j: `failureRateThreshold`, which is "equal to
/// or greater", and `minimumNumberOfCalls`.
#[rstest]
#[case::no_call_at_all(&[], false)]
#[case::failures_alone_below_the_volume(&[Failure, Failure, Failure, Failure], false)]
#[case::failures_alone_at_the_volume(&[Failure, Failure, Failure, Failure, Failure], true)]
#[case::the_share_reached_by_a_success(&[Failure, Failure, Failure, Failure, Success], true)]
#[case::half_of_six(&[Success, Success, Success, Failure, Failure, Failure], true)]
#[case::two_of_five(&[Success, Success, Success, Failure, Failure], false)]
#[case::a_timeout_is_a_failure(&[Timeout, Timeout, Success, Success, Timeout], true)]
fn it_opens_by_volume_and_share(#[case] outcomes: &[CallOutcome], #[case] opens: bool) {
    let mut breaker = Breaker::new(BreakerSettings::default());
    for (n, outcome) in (0..).zip(outcomes) {
        assert_eq!(breaker.state(), State::Closed);
        call(&mut breaker, *outcome, at(n));
    }
    assert_eq!(matches!(breaker.state(), State::Open { .. }), opens);
}

#[test]
fn failures_leave_the_window_after_ten_seconds() {
    let mut breaker = Breaker::new(BreakerSettings::default());
    for n in 0..4 {
        call(&mut breaker, Failure, at(n));
    }
    for n in 0..4 {
        call(&mut breaker, Success, at(10_010 + n));
    }
    call(&mut breaker, Failure, at(10_020));
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn it_shows_the_calls_of_its_window_how_long_they_took_and_when_it_may_be_tried_again() {
    let mut breaker = Breaker::new(BreakerSettings::default());
    assert_eq!(breaker.window().latencies(at(0)).max, 0.0);
    for n in 1..=100 {
        let ticket = breaker.admit(at(n)).unwrap();
        breaker.report(ticket, Success, Duration::from_millis(n.unsigned_abs()), at(n));
    }
    let latencies = breaker.window().latencies(at(100));
    assert_eq!((latencies.p50, latencies.p90, latencies.p99, latencies.max), (50.0, 90.0, 99.0, 100.0));
    assert_eq!((latencies.mean, breaker.window().counts(at(100))), (50.5, (100, 0)));
    assert_eq!(breaker.window().counts(at(10_050)), (50, 0), "half have left the window");
    let mut open = tripped();
    assert_eq!((open.window().counts(at(5)), open.retry_at()), ((0, 0), Some(at(30_004))));
    open.admit(at(40_000)).unwrap();
    assert_eq!(open.retry_at(), Some(at(43_000)), "a probe has so long");
}

/// opossum: `resetTimeout`, after which the next call decides, and further calls are refused until it has ended.
#[test]
fn one_probe_goes_out_after_the_reset_and_decides() {
    let mut breaker = tripped();
    assert_eq!(breaker.admit(at(5)), Err(Duration::from_millis(29_999)));
    let probe = breaker.admit(at(30_004)).unwrap();
    for n in 0..100 {
        assert!(breaker.admit(at(30_005 + n)).is_err(), "one probe at a time");
    }
    breaker.report(probe, Failure, TOOK, at(30_106));
    assert!(breaker.admit(at(30_107)).is_err(), "it failed: open for a whole reset again");
    assert!(breaker.admit(at(60_105)).is_err());
    let probe = breaker.admit(at(60_106)).unwrap();
    breaker.report(probe, Success, TOOK, at(60_107));
    assert_eq!((breaker.state(), breaker.window().counts(at(60_107))), (State::Closed, (0, 0)));
}

#[test]
fn a_probe_that_never_answers_is_followed_by_another_and_its_late_answer_is_ignored() {
    let mut breaker = tripped();
    let lost = breaker.admit(at(30_004)).unwrap();
    assert!(breaker.admit(at(33_004)).is_err(), "it still has time");
    let probe = breaker.admit(at(33_005)).unwrap();
    breaker.report(lost, Success, TOOK, at(33_006));
    assert!(matches!(breaker.state(), State::HalfOpen { .. }));
    breaker.report(probe, Failure, TOOK, at(33_007));
    assert!(matches!(breaker.state(), State::Open { .. }));
}

#[test]
fn after_a_probe_whose_caller_gave_up_another_goes_out_at_once() {
    let mut breaker = tripped();
    let given_up = breaker.admit(at(30_004)).unwrap();
    assert!(breaker.admit(at(30_005)).is_err());
    breaker.abandon(given_up, at(30_006));
    let probe = breaker.admit(at(30_006)).unwrap();
    breaker.abandon(given_up, at(30_007));
    assert!(breaker.admit(at(30_007)).is_err(), "the second probe is under way");
    breaker.report(probe, Success, TOOK, at(30_008));
    assert_eq!(breaker.state(), State::Closed);
    // In a closed breaker it says nothing.
    let call = breaker.admit(at(30_009)).unwrap();
    breaker.abandon(call, at(30_010));
    assert_eq!(breaker.state(), State::Closed);
}

#[rstest]
#[case::a_late_success_closes_nothing(Success)]
#[case::a_late_failure_opens_nothing(Failure)]
fn a_call_from_before_it_opened_does_not_decide_for_the_probe(#[case] late: CallOutcome) {
    let mut breaker = Breaker::new(BreakerSettings::default());
    let slow = breaker.admit(at(0)).unwrap();
    for n in 0..5 {
        call(&mut breaker, Failure, at(n));
    }
    let probe = breaker.admit(at(30_004)).unwrap();
    breaker.report(slow, late, TOOK, at(30_005));
    assert!(matches!(breaker.state(), State::HalfOpen { .. }));
    breaker.report(probe, Success, TOOK, at(30_006));
    assert_eq!(breaker.state(), State::Closed);
    breaker.report(slow, late, TOOK, at(30_007));
    assert_eq!(breaker.window().counts(at(30_007)), (0, 0));
}

/// resilience4j: `FORCED_OPEN` and `DISABLED`; opossum: `open()`, `close()` and `disable()`.
#[test]
fn an_operator_keeps_it_open_or_closed_whatever_its_calls_do() {
    let mut breaker = Breaker::new(BreakerSettings::default());
    breaker.force(Some(Forced::Open));
    assert_eq!(breaker.admit(at(0)), Err(Duration::from_secs(30)));
    assert!(breaker.admit(at(900_000)).is_err(), "no probe either");
    assert_eq!((breaker.forced(), breaker.retry_at()), (Some(Forced::Open), None));
    breaker.force(Some(Forced::Closed));
    for n in 0..50 {
        call(&mut breaker, Failure, at(900_001 + n));
    }
    assert_eq!((breaker.state(), breaker.window().counts(at(900_050))), (State::Closed, (50, 50)));
    breaker.force(None);
    call(&mut breaker, Failure, at(900_060));
    assert_eq!((breaker.state(), breaker.forced()), (State::Closed, None), "earlier calls are forgotten");
    let mut open = tripped();
    open.force(Some(Forced::Closed));
    assert!(open.admit(at(5)).is_ok(), "at once");
}

#[test]
fn it_closes_when_a_host_appears_and_forgets_the_calls_of_before() {
    let mut open = tripped();
    open.host_appeared();
    assert_eq!((open.state(), open.admit(at(5)).is_ok()), (State::Closed, true));
    let mut probed = tripped();
    probed.admit(at(30_004)).unwrap();
    probed.host_appeared();
    assert_eq!((probed.state(), probed.retry_at()), (State::Closed, None));
    let mut closed = Breaker::new(BreakerSettings::default());
    let early = closed.admit(at(0)).unwrap();
    for n in 0..4 {
        call(&mut closed, Failure, at(n));
    }
    closed.host_appeared();
    closed.report(early, Failure, TOOK, at(5));
    call(&mut closed, Failure, at(5));
    assert_eq!((closed.state(), closed.window().counts(at(5))), (State::Closed, (1, 1)));
}

proptest! {
    #[test]
    fn it_never_opens_without_volume_and_share_and_always_lets_a_probe_through(
        steps in proptest::collection::vec((0_i64..2_000, any::<bool>()), 1..200)
    ) {
        let settings = BreakerSettings::default();
        let mut breaker = Breaker::new(settings.clone());
        let mut now = 0;
        let mut calls: Vec<(i64, bool)> = Vec::new();
        for (pause, ok) in steps {
            now += pause;
            let Ok(ticket) = breaker.admit(at(now)) else {
                prop_assert!(breaker.state() != State::Closed);
                continue;
            };
            let was_probe = matches!(breaker.state(), State::HalfOpen { .. });
            breaker.report(ticket, if ok { Success } else { Failure }, TOOK, at(now));
            if was_probe {
                calls.clear();
                prop_assert_eq!(matches!(breaker.state(), State::Closed), ok);
                continue;
            }
            calls.push((now, ok));
            calls.retain(|(when, _)| now - when < 10_000);
            let failed = calls.iter().filter(|(_, ok)| !ok).count();
            let trips = calls.len() >= settings.volume && failed * 2 >= calls.len();
            prop_assert_eq!(matches!(breaker.state(), State::Open { .. }), trips);
            if trips {
                calls.clear();
            }
        }
        prop_assert!(breaker.admit(at(now + 40_000)).is_ok());
    }
}
