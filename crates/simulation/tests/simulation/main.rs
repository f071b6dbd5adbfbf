//! Worlds that must keep every promise, and worlds of mutants that must not.

use kizuna_simulation::world::run::{plan_of, run};

/// Worlds of a run of this test. `scripts/simulate` runs more.
const SEEDS: u64 = 20;

#[test]
fn worlds_keep_every_promise_and_repeat_exactly() {
    for seed in 0..SEEDS {
        let plan = plan_of(seed);
        let outcome = run(&plan);
        assert_eq!(outcome.violation, None, "seed {seed}: {plan:#?}");
        assert_eq!(run(&plan), outcome, "seed {seed} takes another course");
    }
}
