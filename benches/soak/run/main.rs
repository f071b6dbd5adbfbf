//! `scripts/soak` builds and runs this.

use std::process::ExitCode;

use clap::Parser;
use soak::Options;

#[tokio::main]
async fn main() -> ExitCode {
    match soak::run(Options::parse()).await {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
