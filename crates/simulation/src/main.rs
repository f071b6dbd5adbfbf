//! Runs simulated worlds; `scripts/simulate` says how.

/// A world is many small allocations.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    kizuna_simulation::command::main(std::env::args().skip(1))
}
