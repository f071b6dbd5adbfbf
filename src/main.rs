//! Parse, build, run: see `cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    kizuna::cli::run()
}
