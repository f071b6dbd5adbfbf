//! A walk of the circuit breaker's machine: calls that end in any order, some of them long after a change of state.

use kernel::clock::Timestamp;
use runtime::breaker::{Breaker, BreakerSettings, CallOutcome, State, Ticket};

use crate::chance;
use crate::model::{Held, broken};

const STEPS: usize = 40;

/// Walks; says which promise was broken.
pub fn walk() -> Held {
    let settings = BreakerSettings { volume: 3, ..BreakerSettings::default() };
    let mut breaker = Breaker::new(settings);
    let mut now = Timestamp::from_micros(0);
    // With the number of changes of state when each was admitted.
    let mut under_way: Vec<(Ticket, usize)> = Vec::new();
    let mut changes = 0;
    for _ in 0..STEPS {
        now = now.plus(chance::millis(1, 6_000));
        let before = breaker.state();
        if under_way.is_empty() || chance::below(2) == 0 {
            let admitted = breaker.admit(now);
            let is_open = matches!(before, State::Open { until } if now < until);
            if is_open && admitted.is_ok() {
                return broken("an open breaker lets no call through", format!("{before:?} at {now}"));
            }
            changes += usize::from(breaker.state() != before);
            under_way.extend(admitted.ok().map(|ticket| (ticket, changes)));
            continue;
        }
        let place = chance::below(under_way.len() as u64) as usize;
        let (ticket, admitted_at) = under_way.remove(place);
        let calls = breaker.window().counts(now);
        let outcome = chance::one_of(&[CallOutcome::Success, CallOutcome::Failure, CallOutcome::Timeout]);
        breaker.report(ticket, outcome, chance::millis(1, 3_000), now);
        let is_late = admitted_at != changes;
        if is_late && (breaker.state() != before || breaker.window().counts(now) != calls) {
            let what =
                format!("{before:?} became {:?}, {} changes later", breaker.state(), changes - admitted_at);
            return broken("a breaker ignores late answers", what);
        }
        changes += usize::from(breaker.state() != before);
    }
    Ok(())
}
