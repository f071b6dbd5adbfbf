//! `kizuna projections`: works on the database, also beside a running server.

use clap::Subcommand;
use tokio::runtime::Handle;

use crate::app::projections;
use crate::app::projections::Rebuilt;
use crate::cli::output;
use crate::cli::shared::{Done, connect_to_existing};
use crate::config::DatabaseConfig;

#[derive(Subcommand)]
pub enum Command {
    /// Rebuild the projections from the event log and the records
    ///
    /// Deletes the rows that are made from the event log alone (activity, daily figures, the users that analytics
    /// knows, the customers that sales and opportunity know, the progress of deals) and makes them again. Counts the customers, meetings, tasks,
    /// approvals and deals anew, for statistics; nobody can change one meanwhile. Notifications stay, because the log does not
    /// say everything about them. May run beside a server, whose answers are incomplete meanwhile.
    #[command(verbatim_doc_comment)]
    Rebuild(DatabaseConfig),
}

pub async fn run(command: Command, db_runtime: Handle) -> Done {
    let Command::Rebuild(database) = command;
    let db = connect_to_existing(database, &db_runtime).await?;
    let migrated = db.clone();
    db_runtime.spawn(async move { crate::persistence::migrate(&migrated).await }).await??;
    let done = projections::rebuild(&db).await;
    db.close().await;
    for Rebuilt { table, rows, parked } in done? {
        output::line(format_args!("{table:<22} {rows} rows"))?;
        if parked > 0 {
            let again = "events could not be applied: a server tries them again";
            output::line(format_args!("{:<22} {parked} {again}", ""))?;
        }
    }
    Ok(())
}
