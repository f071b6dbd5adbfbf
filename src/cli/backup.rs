//! `kizuna backup` and `kizuna restore`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use tokio::runtime::Handle;

use crate::app::backups;
use crate::app::backups::Restored;
use crate::cli::output;
use crate::cli::shared::{Done, connect, connect_to_existing};
use crate::config::DatabaseConfig;
use crate::persistence::SCHEMA;
use crate::persistence::backups::CONTENTS;
use kernel::clock::Clock;
use store::backup::file::Header;
use store::backup::save;
use store::backup::save::Saved;
use store::server_lock::ServerLock;

#[derive(Args)]
pub struct BackupArgs {
    /// The file to write, which must not exist
    file: PathBuf,
    /// Replace a file that exists
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    database: DatabaseConfig,
}

#[derive(Args)]
pub struct RestoreArgs {
    /// The file that `kizuna backup` has written
    file: PathBuf,
    #[command(flatten)]
    database: DatabaseConfig,
}

/// Makes a backup beside running servers.
pub async fn backup(args: BackupArgs, db_runtime: Handle) -> Done {
    let BackupArgs { file, force, database } = args;
    // Checks that there is a database of ours, whole.
    connect_to_existing(database.clone(), &db_runtime).await?.close().await;
    if !force && file.exists() {
        bail!("{} exists; --force replaces it", file.display());
    }
    let settings = database.settings();
    let named = file.display().to_string();
    let done = db_runtime.spawn(async move {
        let part = Part::create(&file)?;
        let now = Clock::System.now();
        let saved = save::save(&settings, SCHEMA, &CONTENTS, now, BufWriter::new(&part.file)).await?;
        part.publish(&file, force)?;
        anyhow::Ok(saved)
    });
    let Saved { header, tables, rows } = done.await?.with_context(|| named.clone())?;
    output::line(format_args!("{named}: {rows} rows of {tables} tables, {}", moment(&header)))
}

/// Up to where a backup goes.
fn moment(header: &Header) -> String {
    match header.last_event_at {
        Some(at) => format!("up to event {} of {at}", header.log_seq),
        None => format!("taken at {}, without an event", header.taken_at),
    }
}

/// The file while it is being written, which is removed unless it is published.
struct Part {
    path: PathBuf,
    file: File,
}

impl Part {
    fn create(file: &Path) -> io::Result<Self> {
        let mut name = file.file_name().ok_or(ErrorKind::InvalidInput)?.to_owned();
        name.push(format!(".{}.part", std::process::id()));
        let path = file.with_file_name(name);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        Ok(Self { path, file })
    }

    /// Gives the file its name when it is on the disk.
    fn publish(self, file: &Path, force: bool) -> io::Result<()> {
        self.file.sync_all()?;
        // Unlike a new name by `rename`, a link replaces nothing. Some file systems have no links.
        let linked = if force { Err(ErrorKind::Unsupported.into()) } else { fs::hard_link(&self.path, file) };
        match linked {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(error),
            Err(_) => fs::rename(&self.path, file)?,
            Ok(()) => {}
        }
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // After a rename it is gone.
        let _ = fs::remove_file(&self.path);
    }
}

/// Puts a backup into an empty database.
pub async fn restore(args: RestoreArgs, db_runtime: Handle) -> Done {
    let RestoreArgs { file: path, database } = args;
    let named = || path.display().to_string();
    let mut file = File::open(&path).with_context(named)?;
    // Whole, before anything is written.
    let header = backups::check(&mut file).with_context(named)?;
    let _lock = ServerLock::take(&database.settings()).context("--database-url")?;
    let db = connect(database, &db_runtime).await?;
    let restored = db.clone();
    let done = db_runtime.spawn(async move { backups::restore(&restored, &mut file).await }).await?;
    db.close().await;
    let restored = done.with_context(named)?;
    report(&header, &restored)
}

fn report(header: &Header, restored: &Restored) -> Done {
    output::line(format_args!("{:<28} applied pending lost duplicated out_of_order", ""))?;
    for (name, it) in &restored.consumers {
        output::line(format_args!(
            "{name:<28} {:>7} {:>7} {:>4} {:>10} {:>12}",
            it.applied, it.pending, it.lost, it.duplicated, it.out_of_order
        ))?;
    }
    let Restored { rows, events, .. } = restored;
    output::line(format_args!("restored {rows} rows and {events} events, {}", moment(header)))?;
    if !restored.is_sound() {
        bail!(
            "all rows are restored, but the backup has events that were lost, applied twice or out of order: see the last three columns"
        );
    }
    Ok(())
}
