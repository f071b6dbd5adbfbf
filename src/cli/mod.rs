//! The command line: `kizuna serve` and other commands (SPEC §9).

mod dead_letters;
mod health;
mod projections;
mod shared;
mod watch;

use std::collections::HashSet;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use actix_rt::System;
use clap::{Args, Parser, Subcommand};
use tokio::runtime::Handle;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::actors::auth::token::Keys;
use crate::app::bootstrap;
use crate::app::services::Services;
use crate::app::startup::{Application, Stopper};
use crate::cli::shared::{Done, connect, connect_to_existing, read_password};
use crate::config::{ClusterConfig, Config, DatabaseConfig};
use crate::telemetry;
use domain::service_name::ServiceName;
use domain::user::messages::CreateUser;
use domain::user::record::NewUser;
use kernel::caller::Role;
use kernel::clock::Clock;
use kernel::cloud_event::CloudEvent;
use kernel::context::Context;
use kernel::ids::Id;
use store::log;
use store::log::AuditFilter;

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
    User(UserCommand),
    /// Read the event log
    #[command(subcommand)]
    Events(EventsCommand),
    /// List and redrive dead letters: events that a consumer gave up on
    #[command(subcommand)]
    DeadLetters(dead_letters::Command),
    /// Rebuild tables that are made from the event log
    #[command(subcommand)]
    Projections(projections::Command),
    /// Sign in to a server and print notifications as they come
    Watch(watch::WatchArgs),
    /// Check whether the server of this machine is ready
    Health(health::HealthArgs),
    /// Print the OpenAPI document
    Openapi,
}

#[derive(Subcommand)]
enum UserCommand {
    /// Create a user; the password is read from standard input if not given
    Create(Box<CreateUserArgs>),
}

#[derive(Args)]
struct CreateUserArgs {
    #[arg(long)]
    email: String,
    #[arg(long)]
    name: String,
    #[arg(long, value_parser = role)]
    role: Role,
    #[arg(long)]
    manager_id: Option<Id>,
    #[arg(long, env = "KIZUNA_USER_PASSWORD", hide_env_values = true)]
    password: Option<String>,
    #[command(flatten)]
    config: Config,
}

#[derive(Subcommand)]
enum EventsCommand {
    /// Print events as CloudEvents, one per line, oldest first
    Tail(TailArgs),
}

#[derive(Args)]
struct TailArgs {
    #[command(flatten)]
    database: DatabaseConfig,
    /// Wait for new events
    #[arg(long, short)]
    follow: bool,
    /// How many past events to print first
    #[arg(long, short = 'n', default_value_t = 20, value_parser = clap::value_parser!(i64).range(0..=1000))]
    lines: i64,
    /// Only events of this type
    #[arg(long = "type")]
    event_type: Option<String>,
}

fn role(text: &str) -> Result<Role, String> {
    [Role::Sales, Role::Manager, Role::Admin]
        .into_iter()
        .find(|role| role.as_str().eq_ignore_ascii_case(text))
        .ok_or_else(|| "expected SALES, MANAGER or ADMIN".into())
}

/// Runs the command that the process's arguments name.
pub fn run() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Serve(config) => on_system(|db_runtime| serve(*config, db_runtime)),
        Command::Migrate(database) => on_system(|db_runtime| migrate(database, db_runtime)),
        Command::User(UserCommand::Create(args)) => on_system(|db_runtime| create_user(*args, db_runtime)),
        Command::Events(EventsCommand::Tail(args)) => on_system(|db_runtime| tail(args, db_runtime)),
        Command::DeadLetters(command) => on_system(|db_runtime| dead_letters::run(command, db_runtime)),
        Command::Projections(command) => on_system(|db_runtime| projections::run(command, db_runtime)),
        Command::Watch(args) => on_system(|_| watch::run(args)),
        Command::Health(args) => on_system(|_| health::run(args)),
        Command::Openapi => openapi(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kizuna: {error:#}");
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
    let app = Application::build(&config, Clock::System, db_runtime).await?;
    println!("database {}", without_password(&config.database.url));
    if let Some(first) = app.first_login() {
        match &first.made_password {
            Some(password) => println!("first login {} / {password}", first.email),
            None => println!("first login {} with the password given", first.email),
        }
        if first.demo {
            println!("            manager@example.com and sales@example.com have the same password");
        }
    }
    if let Some(address) = app.ops_address() {
        println!("metrics on http://{address}/metrics");
    }
    // Before the address is printed: from then on a signal drains.
    let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    println!("listening on http://{} (API page: /docs)", app.address());
    actix_rt::spawn(stop_on_signal(app.stopper(), terminate, interrupt));
    app.run_until_stopped().await?;
    // A closed standard output is not a failure.
    let _ = writeln!(std::io::stdout(), "stopped");
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

/// A database URL without its password.
fn without_password(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(host)) if scheme + 3 <= host => {
            let user = url[scheme + 3..host].split(':').next().unwrap_or_default();
            format!("{}://{user}@{}", &url[..scheme], url[host + 1..].split('?').next().unwrap_or_default())
        }
        _ => url.to_owned(),
    }
}

async fn migrate(database: DatabaseConfig, db_runtime: Handle) -> Done {
    let db = connect(database, &db_runtime).await?;
    let migrated = db.clone();
    for name in db_runtime.spawn(async move { migrated.migrate().await }).await?? {
        println!("{name}");
    }
    db.close().await;
    Ok(())
}

async fn create_user(mut args: CreateUserArgs, db_runtime: Handle) -> Done {
    // This process acts as a node outside the cluster; the cluster's nodes read the user's event in the log.
    args.config.cluster =
        ClusterConfig { redis_url: None, services: ServiceName::ALL.to_vec(), node_id: None };
    args.config.validate().map_err(anyhow::Error::msg)?;
    let db = connect(args.config.database.clone(), &db_runtime).await?;
    let migrated = db.clone();
    db_runtime.spawn(async move { migrated.migrate().await }).await??;
    let password = match args.password {
        Some(password) => password,
        None => read_password()?,
    };
    let keys = Arc::new(Keys::new(&bootstrap::jwt_secret(&args.config)?));
    let services = Services::start(&args.config, &Clock::System, &db, None, keys)?;
    let user = NewUser {
        email: args.email,
        name: args.name,
        role: args.role,
        manager_id: args.manager_id,
        locale: None,
        time_zone: None,
        password,
    };
    let made = services.auth.service.ask(CreateUser { user, context: Context::system() }).await;
    services.stop();
    let made = made.map_err(|error| anyhow::anyhow!("{error}"))?;
    println!("{}", made.user.id);
    db.close().await;
    Ok(())
}

async fn tail(args: TailArgs, db_runtime: Handle) -> Done {
    let db = connect_to_existing(args.database, &db_runtime).await?;
    let filter = AuditFilter { event_type: args.event_type, ..AuditFilter::default() };
    // In the order of commits, not of ids: ids of different threads may be committed out of order. The head is read before
    // the last events, so that no event in between is missed.
    let mut position = log::head(&db).await?;
    let mut last = log::audit(&db, &filter, None, args.lines).await?;
    last.reverse();
    for event in &last {
        println!("{}", serde_json::to_string(&CloudEvent::from(event))?);
    }
    if !args.follow {
        db.close().await;
        return Ok(());
    }
    let printed: HashSet<Id> = last.iter().map(|event| event.event.id).collect();
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        for event in log::since(&db, position, 1_000).await? {
            position = event.log_seq.unwrap_or(position);
            let is_wanted =
                filter.event_type.as_deref().is_none_or(|name| name == event.event.event_type.name());
            if is_wanted && !printed.contains(&event.event.id) {
                println!("{}", serde_json::to_string(&CloudEvent::from(&event))?);
            }
        }
    }
}

fn openapi() -> Done {
    println!("{}", crate::http::document().to_pretty_json()?);
    Ok(())
}
