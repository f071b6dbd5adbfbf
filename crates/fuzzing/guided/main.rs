//! One target as libFuzzer runs it: the target that `FUZZ_TARGET` names.

#![no_main]

use std::panic::{self, AssertUnwindSafe};
use std::process;
use std::sync::OnceLock;

use kizuna_fuzzing::Target;
use libfuzzer_sys::fuzz_target;

static CHOSEN: OnceLock<&Target> = OnceLock::new();

fn choose() {
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    let target = kizuna_fuzzing::target(&name).unwrap_or_else(|| {
        eprintln!("FUZZ_TARGET names no target: {name:?}");
        process::exit(1)
    });
    assert!(CHOSEN.set(target).is_ok(), "chosen once");
    // libFuzzer's own hook ends the process at any panic; a parser may catch those of a library that it reads with.
    let _ = panic::take_hook();
}

fuzz_target!(init: choose(), |input: &[u8]| {
    let target = CHOSEN.get().expect("chosen at the start");
    if panic::catch_unwind(AssertUnwindSafe(|| target.run(input))).is_err() {
        process::abort();
    }
});
