//! Runs simulated worlds; `scripts/simulate` says how.

fn main() -> std::process::ExitCode {
    kizuna_simulation::command::main(std::env::args().skip(1))
}
