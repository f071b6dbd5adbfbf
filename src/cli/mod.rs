//! The command line: `kizuna serve` and other commands (SPEC §9).

mod backup;
mod dead_letters;
mod health;
mod output;
mod projections;
mod server_client;
mod shared;
mod tail;
mod tls;
mod user;
mod watch;

use std::process::ExitCode;
use std::time::Duration;

use actix_rt::System;
use clap::{Parser, Subcommand};
use tokio::runtime::Handle;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::app::startup::{Application, Stopper};
use crate::cli::output::Closed;
use crate::cli::shared::{Done, connect};
use crate::config::{Config, DatabaseConfig, TracesSettings};
use crate::telemetry;
use crate::telemetry::otlp::{self, OtlpSettings};
use kernel::clock::Clock;

/// A sales-support backend in one binary.
#[derive(Parser)]
#[command(name = "kizuna", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API
    Serve(Box<Config>),
    /// Bring a database's schema up to date
    Migrate(DatabaseConfig),
    /// Manage users without the API
    #[command(subcommand)]
    User(user::Command),
    /// Read the event log
    #[command(subcommand)]
    Events(EventsCommand),
    /// List and redrive dead letters: events that a consumer gave up on
    #[command(subcommand)]
    DeadLetters(dead_letters::Command),
    /// Rebuild tables that are made from the event log
    #[command(subcommand)]
    Projections(projections::Command),
    /// Write a backup of the database to a file, also beside running servers
    ///
    /// The file has the database as it is at one moment, and restores into either kind of database. It has no key of tokens and no
    /// session: after a restore everybody signs in again. It has everything else, also password hashes: keep it safe.
    #[command(verbatim_doc_comment)]
    Backup(backup::BackupArgs),
    /// Put a backup into an empty database
    ///
    /// Checks the file first, restores into the schema of the backup, brings that up to date, and prints the integrity report and up to
    /// which moment the backup goes. A database that was not restored to the end is refused by all commands.
    #[command(verbatim_doc_comment)]
    Restore(backup::RestoreArgs),
    /// Sign in to a server and print notifications as they come
    Watch(watch::WatchArgs),
    /// Check whether the server of this machine is ready
    Health(health::HealthArgs),
    /// Print the OpenAPI document
    Openapi,
}

#[derive(Subcommand)]
enum EventsCommand {
    /// Print events as CloudEvents, one per line, oldest first
    ///
    /// With --url from a server, over its API: it waits for new events, and goes on when the server was away. Otherwise from the
    /// database, also if no server runs.
    #[command(verbatim_doc_comment)]
    Tail(Box<tail::TailArgs>),
}

/// Runs the command that the process's arguments name.
pub fn run() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Serve(config) => on_system(|db_runtime| serve(*config, db_runtime)),
        Command::Migrate(database) => on_system(|db_runtime| migrate(database, db_runtime)),
        Command::User(command) => on_system(|db_runtime| user::run(command, db_runtime)),
        Command::Events(EventsCommand::Tail(args)) => on_system(|db_runtime| tail::run(*args, db_runtime)),
        Command::DeadLetters(command) => on_system(|db_runtime| dead_letters::run(command, db_runtime)),
        Command::Projections(command) => on_system(|db_runtime| projections::run(command, db_runtime)),
        Command::Backup(args) => on_system(|db_runtime| backup::backup(args, db_runtime)),
        Command::Restore(args) => on_system(|db_runtime| backup::restore(args, db_runtime)),
        Command::Watch(args) => on_system(|_| watch::run(args)),
        Command::Health(args) => on_system(|_| health::run(args)),
        Command::Openapi => openapi(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // As with `kizuna openapi | head`.
        Err(error) if error.is::<Closed>() => ExitCode::SUCCESS,
        Err(error) => {
            output::note(format_args!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Runs a command in an actix system, beside a runtime that outlives every actor, for pools, commits and hashing.
fn on_system<F: Future<Output = Done>>(command: impl FnOnce(Handle) -> F) -> Done {
    telemetry::log_to_stderr();
    let db_runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("kizuna-db")
        .enable_all()
        .build()?;
    let done = System::new().block_on(command(db_runtime.handle().clone()));
    db_runtime.shutdown_timeout(Duration::from_secs(2));
    done
}

async fn serve(config: Config, db_runtime: Handle) -> Done {
    let traces = match config.traces.settings().map_err(anyhow::Error::msg)? {
        Some(TracesSettings { url, is_grpc, sampler }) => {
            let node = config.cluster.node_id.as_deref();
            Some(otlp::start(&OtlpSettings { url: &url, is_grpc, sampler, node }, &db_runtime)?)
        }
        None => None,
    };
    let app = Application::build(&config, Clock::System, db_runtime).await?;
    // A closed standard output is no reason to end.
    let say = |text: String| drop(output::line(text));
    say(format!("database {}", config.database.shown()));
    if let Some(first) = app.first_login() {
        match &first.made_password {
            Some(password) => say(format!("first login {} / {password}", first.email)),
            None => say(format!("first login {} with the password given", first.email)),
        }
        if first.demo {
            say("            manager@example.com and sales@example.com have the same password".into());
        }
    }
    if let Some(address) = app.ops_address() {
        say(format!("metrics on http://{address}/metrics"));
    }
    // Before the address is printed: from then on a signal drains.
    let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    say(format!("listening on http://{} (API page: /docs)", app.address()));
    actix_rt::spawn(stop_on_signal(app.stopper(), terminate, interrupt));
    let ended = app.run_until_stopped().await;
    if let Some(traces) = traces {
        traces.stop().await;
    }
    ended?;
    say("stopped".into());
    Ok(())
}

async fn stop_on_signal(stopper: Stopper, mut terminate: Signal, mut interrupt: Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping: finishing the requests under way");
    stopper.stop().await;
}

async fn migrate(database: DatabaseConfig, db_runtime: Handle) -> Done {
    let db = connect(database, &db_runtime).await?;
    let migrated = db.clone();
    for name in db_runtime.spawn(async move { crate::persistence::migrate(&migrated).await }).await?? {
        output::line(name)?;
    }
    db.close().await;
    Ok(())
}

fn openapi() -> Done {
    output::document(&crate::http::document().to_pretty_json()?)
}
