//! `kizuna dead-letters`: works on the database, also beside a running server, which notices within a second.

use clap::{Args, Subcommand};
use tokio::runtime::Handle;

use crate::actors::operations::dead_letters;
use crate::actors::operations::messages::{DeadLetter, DeadLetterView};
use crate::cli::output;
use crate::cli::shared::{Done, connect_to_existing};
use crate::config::DatabaseConfig;
use crate::http::problem::sentences;
use kernel::clock::Clock;
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;
use kernel::locale::Locale;
use kernel::page::{Page, PageRequest};
use store::Db;
use store::journal::{Outcome, commit};
use store::unit_of_work::{CommitError, UnitOfWork};

/// Dead letters read at a time.
const ROWS: i64 = 200;

#[derive(Subcommand)]
pub enum Command {
    /// Print dead letters, the latest first
    List(ListArgs),
    /// Redrive dead letters: try them again
    Redrive(RedriveArgs),
}

#[derive(Args)]
pub struct ListArgs {
    #[command(flatten)]
    database: DatabaseConfig,
    /// Only those of this consumer
    #[arg(long)]
    consumer: Option<String>,
    /// Print JSON, one dead letter per line, with the whole event
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub struct RedriveArgs {
    #[command(flatten)]
    database: DatabaseConfig,
    /// The id of the dead letter
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    id: Option<Id>,
    /// All dead letters
    #[arg(long)]
    all: bool,
    /// With --all: only those of this consumer
    #[arg(long, requires = "all", conflicts_with = "id")]
    consumer: Option<String>,
}

pub async fn run(command: Command, db_runtime: Handle) -> Done {
    match command {
        Command::List(args) => list(args, db_runtime).await,
        Command::Redrive(args) => redrive(args, db_runtime).await,
    }
}

async fn list(args: ListArgs, db_runtime: Handle) -> Done {
    let db = connect_to_existing(args.database, &db_runtime).await?;
    let mut page = beginning();
    loop {
        let Page { items, next, .. } = dead_letters::list(&db, args.consumer.as_deref(), &page).await?;
        for letter in &items {
            if args.json {
                output::json(&DeadLetterView::from(letter))?;
            } else {
                output::line(line(letter))?;
            }
        }
        page.after = next;
        if page.after.is_none() {
            break;
        }
    }
    db.close().await;
    Ok(())
}

async fn redrive(args: RedriveArgs, db_runtime: Handle) -> Done {
    let db = connect_to_existing(args.database, &db_runtime).await?;
    let done = match args.id {
        Some(id) => match redrive_one(&db, id).await {
            Ok(letter) => output::line(line(&letter)),
            Err(error) => Err(said(&error)),
        },
        None => redrive_all(&db, args.consumer.as_deref()).await,
    };
    db.close().await;
    done
}

/// From the latest to the oldest, so that it ends even if some are dead again meanwhile. It goes on when nobody reads
/// what it prints any more.
async fn redrive_all(db: &Db, consumer: Option<&str>) -> Done {
    let mut page = beginning();
    let mut printed = Ok(());
    loop {
        let Page { items, next, .. } = dead_letters::list(db, consumer, &page).await?;
        for letter in &items {
            match redrive_one(db, letter.parked.id).await {
                Ok(letter) => printed = printed.and_then(|()| output::line(line(&letter))),
                // It was redriven a moment ago.
                Err(Error { code: ErrorCode::NotFound | ErrorCode::NotADeadLetter, .. }) => {}
                Err(error) => return Err(said(&error)),
            }
        }
        page.after = next;
        if page.after.is_none() {
            return printed;
        }
    }
}

fn said(error: &Error) -> anyhow::Error {
    anyhow::anyhow!(sentences(error, Locale::En))
}

async fn redrive_one(db: &Db, id: Id) -> Result<DeadLetter, Error> {
    dead_letters::redrive(db, id, None, Clock::System.now(), async |unit| committed(db, unit).await).await
}

/// Commits in a task that runs to its end, as a server's journal does.
async fn committed(db: &Db, unit: UnitOfWork) -> Outcome {
    let writer = db.clone();
    let task = db.runtime().spawn(async move { commit(&writer, vec![unit]).await.pop() });
    let cut_off = || Err(CommitError::Unknown("the commit was cut off".into()));
    task.await.ok().flatten().unwrap_or_else(cut_off)
}

fn beginning() -> PageRequest {
    PageRequest::first(ROWS)
}

/// Aligned columns; the error is the last one, because it may be long.
fn line(DeadLetter { parked, event }: &DeadLetter) -> String {
    format!(
        "{}  {}  {:<8}  {:<24}  {:<20}  {}  {}",
        parked.id,
        parked.parked_at,
        parked.status.as_str(),
        parked.consumer,
        event.event.event_type,
        parked.subject,
        parked.error
    )
}
