//! What the deterministic simulation (`crates/simulation`) needs of the code that it runs: chance from a seed, time from
//! its own clock, and mutants.
//!
//! A mutant is this program with one of its safety parts removed, chosen at run time by name. The simulation must find
//! each of them: that shows that it would find such a defect.
//!
//! Compiled only with the feature `simulation`; without it nothing is drawn here and no mutant is ever chosen. The state
//! belongs to the thread: a simulated world runs on one.

/// A draw of the simulated world; `None` outside of one, where the caller draws by itself.
#[cfg(not(feature = "simulation"))]
#[inline(always)]
pub fn drawn() -> Option<u64> {
    None
}

/// A draw from 0 up to 1; `None` outside of a simulated world.
pub fn fraction() -> Option<f64> {
    // The upper 53 bits: as many as the fraction of a double has.
    drawn().map(|bits| (bits >> 11) as f64 / (1_u64 << 53) as f64)
}

/// The bits of a new id; `None` outside of a simulated world.
#[cfg(not(feature = "simulation"))]
#[inline(always)]
pub fn id_bits() -> Option<u128> {
    None
}

/// Whether the mutant of this name was chosen.
#[cfg(not(feature = "simulation"))]
#[inline(always)]
pub fn mutant(_name: &str) -> bool {
    false
}

#[cfg(feature = "simulation")]
pub use world::{begin, choose_mutant, drawn, end, id_bits, mutant};

#[cfg(feature = "simulation")]
mod world {
    use std::cell::{Cell, RefCell};

    thread_local! {
        static CHANCE: Cell<Option<u64>> = const { Cell::new(None) };
        static IDS: Cell<u64> = const { Cell::new(0) };
        static MUTANT: RefCell<Option<String>> = const { RefCell::new(None) };
    }

    /// The world of this thread begins: what is drawn follows from this seed.
    pub fn begin(seed: u64) {
        CHANCE.set(Some(seed));
        IDS.set(0);
    }

    /// The world of this thread has ended.
    pub fn end() {
        CHANCE.set(None);
    }

    /// A draw of the simulated world; `None` outside of one, where the caller draws by itself.
    pub fn drawn() -> Option<u64> {
        let state = CHANCE.get()?.wrapping_add(0x9e37_79b9_7f4a_7c15);
        CHANCE.set(Some(state));
        // SplitMix64 (Steele, Lea and Flood 2014).
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Some(mixed ^ (mixed >> 31))
    }

    /// The bits of a new id, which is greater than every one before; `None` outside of a simulated world.
    pub fn id_bits() -> Option<u128> {
        let low = drawn()?;
        let count = IDS.get() + 1;
        IDS.set(count);
        // A UUIDv7: the count in the place of the milliseconds, then the version and the variant.
        let variant = (u128::from(low) & (u128::MAX >> 66)) | (0x2 << 62);
        Some((u128::from(count) << 80) | (0x7 << 76) | variant)
    }

    /// Chooses the mutant of this thread's worlds; `None`: the program as it is.
    pub fn choose_mutant(name: Option<&str>) {
        MUTANT.set(name.map(str::to_owned));
    }

    /// Whether the mutant of this name was chosen.
    pub fn mutant(name: &str) -> bool {
        MUTANT.with_borrow(|chosen| chosen.as_deref() == Some(name))
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use crate::ids::new_id;

        #[test]
        fn a_seed_draws_the_same_again_and_ids_grow() {
            let draws = |seed| {
                begin(seed);
                let ids = [new_id(), new_id(), new_id()];
                let drawn = (drawn(), ids);
                end();
                drawn
            };
            assert_eq!(draws(7), draws(7));
            assert_ne!(draws(7), draws(8));
            assert!(draws(7).1.is_sorted());
            assert_eq!(drawn(), None, "no world, no seed");
        }

        #[test]
        fn one_mutant_is_chosen_at_a_time() {
            assert!(!mutant("a"));
            choose_mutant(Some("a"));
            assert!(mutant("a") && !mutant("b"));
            choose_mutant(None);
            assert!(!mutant("a"));
        }
    }
}
