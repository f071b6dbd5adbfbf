//! `kizuna dead-letters`: works on the database, also beside a running server, which notices within a second.

use clap::{Args, Subcommand};
use tokio::runtime::Handle;

use crate::actors::operations::dead_letters;
use crate::actors::operations::messages::{DeadLetter, DeadLetterView};
use crate::cli::shared::{Done, connect_to_existing};
use crate::config::DatabaseConfig;
use kernel::clock::Clock;
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;
use kernel::page::{Page, PageRequest};
use store::journal::{Outcome, commit};
use store::unit_of_work::{CommitError, UnitOfWork};
use store::{Db, StoreError};

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
            println!("{}", if args.json { json(letter)? } else { line(letter) });
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
        Some(id) => redrive_one(&db, id).await.map(|letter| println!("{}", line(&letter))),
        None => redrive_all(&db, args.consumer.as_deref()).await,
    };
    db.close().await;
    done.map_err(|error| anyhow::anyhow!("{error}"))
}

/// From the latest to the oldest, so that it ends even if some are dead again meanwhile.
async fn redrive_all(db: &Db, consumer: Option<&str>) -> Result<(), Error> {
    let mut page = beginning();
    loop {
        let Page { items, next, .. } = dead_letters::list(db, consumer, &page).await?;
        for letter in &items {
            match redrive_one(db, letter.parked.id).await {
                Ok(letter) => println!("{}", line(&letter)),
                // It was redriven a moment ago.
                Err(Error { code: ErrorCode::NotFound | ErrorCode::NotADeadLetter, .. }) => {}
                Err(error) => return Err(error),
            }
        }
        page.after = next;
        if page.after.is_none() {
            return Ok(());
        }
    }
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
    PageRequest { limit: ROWS, after: None, count: false }
}

fn json(letter: &DeadLetter) -> Result<String, StoreError> {
    Ok(serde_json::to_string(&DeadLetterView::from(letter))?)
}

/// Aligned columns; the error is the last one, because it may be long.
fn line(DeadLetter { parked, event }: &DeadLetter) -> String {
    let error: String = parked.error.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!(
        "{}  {}  {:<8}  {:<24}  {:<20}  {}  {error}",
        parked.id,
        parked.parked_at,
        parked.status.as_str(),
        parked.consumer,
        event.event.event_type,
        parked.subject
    )
}
