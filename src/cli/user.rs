//! `kizuna user`: works on the database, also beside running servers, which read the events in the log.

use std::sync::Arc;

use clap::{Args, Subcommand};
use tokio::runtime::Handle;

use crate::actors::auth::token::Keys;
use crate::app::services::Services;
use crate::cli::output;
use crate::cli::shared::{Done, connect, read_password};
use crate::config::{Config, DatabaseConfig};
use crate::http::problem::sentences;
use domain::user::messages::CreateUser;
use domain::user::record::NewUser;
use kernel::caller::Role;
use kernel::clock::Clock;
use kernel::context::Context;
use kernel::ids::{Id, new_id};
use kernel::locale::Locale;
use store::vault::Vault;

#[derive(Subcommand)]
pub enum Command {
    /// Create a user; the password is read from standard input if not given
    Create(CreateUserArgs),
}

#[derive(Args)]
pub struct CreateUserArgs {
    #[command(flatten)]
    database: DatabaseConfig,
    /// The e-mail address to sign in with
    #[arg(long)]
    email: String,
    /// The name that others see
    #[arg(long)]
    name: String,
    /// SALES, MANAGER or ADMIN
    #[arg(long, value_parser = role)]
    role: Role,
    /// The id of the manager, who is notified of this user's work
    #[arg(long)]
    manager_id: Option<Id>,
    /// The password, at least 8 characters; read from standard input if not given
    #[arg(long, env = "KIZUNA_USER_PASSWORD", hide_env_values = true)]
    password: Option<String>,
}

fn role(text: &str) -> Result<Role, String> {
    [Role::Sales, Role::Manager, Role::Admin]
        .into_iter()
        .find(|role| role.as_str().eq_ignore_ascii_case(text))
        .ok_or_else(|| "expected SALES, MANAGER or ADMIN".into())
}

pub async fn run(command: Command, db_runtime: Handle) -> Done {
    let Command::Create(args) = command;
    create(args, db_runtime).await
}

/// Acts as a node outside the cluster, with the default settings.
async fn create(args: CreateUserArgs, db_runtime: Handle) -> Done {
    let db = connect(args.database.clone(), &db_runtime).await?;
    let migrated = db.clone();
    db_runtime.spawn(async move { crate::persistence::migrate(&migrated).await }).await??;
    let password = match args.password {
        Some(password) => password,
        None => read_password()?,
    };
    // Nobody signs in here, and nothing is sent, so that the secret signs and seals nothing.
    let secret = [new_id(), new_id()].map(|id| id.to_string()).concat();
    let (keys, vault) =
        (Arc::new(Keys::new(secret.as_bytes())), Vault::new(&[secret.into_bytes()], "webhooks"));
    let services = Services::start(&Config::beside(args.database), &Clock::System, &db, None, keys, vault)?;
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
    db.close().await;
    let made = made.map_err(|error| anyhow::anyhow!(sentences(&error, Locale::En)))?;
    output::note(format_args!("created {} with the role {}", made.user.email, made.user.role.as_str()));
    output::line(made.user.id)
}
