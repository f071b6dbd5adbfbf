//! Worlds that must keep every promise, and mutants that must not: a check that finds nothing proves nothing.
//! `scripts/simulate` runs more of both.

use std::time::Duration;

use kernel::simulation::choose_mutant;
use kizuna_simulation::world::large::figures;
use kizuna_simulation::world::run::{Outcome, plan_of, run};
use kizuna_simulation::world::shrink::shrink;

/// Worlds of a run of this test.
const SEEDS: std::ops::Range<u64> = 0..40;
/// Mutants that the first worlds find, each by an invariant of another kind.
const FOUND_SOON: [&str; 4] =
    ["answers-before-commit", "no-version-fence", "failed-commit-published", "no-unique-check"];

/// The first of these worlds that breaks a promise.
fn first_broken(mut seeds: std::ops::Range<u64>) -> Option<(u64, Outcome)> {
    seeds.find_map(|seed| {
        let outcome = run(&plan_of(seed));
        outcome.violation.is_some().then_some((seed, outcome))
    })
}

#[test]
fn worlds_keep_every_promise() {
    if let Some((seed, outcome)) = first_broken(SEEDS) {
        panic!("{:#?}\nreplay: ./scripts/simulate --seed {seed}", outcome.violation);
    }
}

#[test]
fn a_seed_takes_the_same_course_again() {
    for seed in SEEDS.step_by(5) {
        let plan = plan_of(seed);
        let (first, second) = (run(&plan), run(&plan));
        assert_eq!(first, second, "seed {seed}");
        assert!(first.commits > 20, "seed {seed}: {first:?}");
    }
}

#[test]
fn a_safety_part_that_is_missing_is_noticed() {
    for name in FOUND_SOON {
        choose_mutant(Some(name));
        let found = first_broken(SEEDS);
        choose_mutant(None);
        assert!(found.is_some(), "no promise is broken by {name}");
    }
}

#[test]
fn a_failing_world_becomes_smaller_and_fails_in_the_same_way() {
    choose_mutant(Some("no-unique-check"));
    let (seed, outcome) = first_broken(SEEDS).expect("a world that fails");
    let broken = outcome.violation.expect("a broken promise").invariant;
    let plan = plan_of(seed);
    let (small, without) = shrink(&plan, broken);
    let again = run(&without.of(&plan)).violation.map(|violation| violation.invariant);
    choose_mutant(None);
    assert_eq!(again, Some(broken));
    let asked = small.requests.iter().filter(|request| !request.is_left_out).count();
    assert!(small.faults.is_empty() && asked <= 4, "{small:#?}");
}

#[test]
fn when_a_node_of_many_dies_its_partitions_alone_move_and_wait_for_its_lease() {
    let seen = figures(5).expect("a promise that is kept");
    assert_eq!((seen.working, seen.moved), (5, 0), "{seen:?}");
    // A lease lasts 2 s, and its end is noticed by a clock that looks every 500 ms at the latest.
    let [least, most] = [1, 3].map(Duration::from_secs);
    assert!((least..most).contains(&seen.noticed), "{seen:?}");
    let [all, one_died, more_died] = seen.delays;
    assert!(all < least && one_died < most && more_died < most, "{seen:?}");
    assert!(seen.redis.sent > 0 && seen.database.requests > 0, "{seen:?}");
}
