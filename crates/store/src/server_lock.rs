//! One server per SQLite file (SPEC §8.10): a lock of the operating system, held while the server runs.
//!
//! The lock is on a file of its own beside the database. It can't be on the database: SQLite's locks are POSIX locks, and
//! a process that closes any descriptor of the database file loses them. The kernel releases the lock when the process
//! ends in any way, so a lock file that is left behind locks nothing.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::files;
use crate::settings::DatabaseSettings;

/// What is added to the name of the database file.
const EXTENSION: &str = ".lock";
/// Symbolic links that are followed, one after another: as many as Linux follows.
const LINKS_MAX: usize = 40;

/// The lock of a server on its SQLite file; dropping it releases the file.
#[derive(Debug)]
pub struct ServerLock {
    _file: File,
}

/// Why a server may not use a SQLite file.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error("another server{} has {} open; a SQLite file has one server", process(.by), .database.display())]
    Taken {
        database: PathBuf,
        /// The process of the other server, if it could be read.
        by: Option<u32>,
    },
    #[error(
        "{} has {names} names (hard links), and SQLite needs a file with one: remove the others, or copy the file",
        .database.display()
    )]
    ManyNames { database: PathBuf, names: u64 },
    #[error("{}: {error}", .path.display())]
    Io { path: PathBuf, error: io::Error },
}

fn process(by: &Option<u32>) -> String {
    by.map(|id| format!(" (process {id})")).unwrap_or_default()
}

impl ServerLock {
    /// Takes the lock of the SQLite file that the settings name, by whatever path; makes the folder of the file if it is
    /// missing. `None` for PostgreSQL, which has any number of servers.
    ///
    /// # Errors
    /// `Taken` while another server runs on the file.
    pub fn take(settings: &DatabaseSettings) -> Result<Option<Self>, LockError> {
        let Some(path) = settings.sqlite_file() else { return Ok(None) };
        let database = locate(&path).map_err(|error| LockError::Io { path, error })?;
        let names = fs::metadata(&database).map_or(1, |found| found.nlink());
        if names > 1 {
            // Each name would have its own write-ahead log.
            return Err(LockError::ManyNames { database, names });
        }
        let mut path = database.clone().into_os_string();
        path.push(EXTENSION);
        let path = PathBuf::from(path);
        let failed = |error| LockError::Io { path: path.clone(), error };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LockError::Taken { database, by: read_process(&mut file) });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        // For the message to a second server only: the lock holds without it, as on a full disk.
        let _ = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
        Ok(Some(Self { _file: file }))
    }
}

fn read_process(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// The path of the file without symbolic links, by which every server finds the same lock; the file itself may be
/// missing.
fn locate(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_path_buf();
    for _ in 0..LINKS_MAX {
        match fs::canonicalize(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            found => return found,
        }
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        match fs::read_link(&path) {
            // SQLite would make the file where the link points.
            Ok(target) => path = folder.join(target),
            Err(_) => {
                files::make_folder(folder)?;
                let name = path.file_name().ok_or(ErrorKind::InvalidInput)?;
                return Ok(fs::canonicalize(folder)?.join(name));
            }
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("kizuna-lock-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn take(path: &Path) -> Result<Option<ServerLock>, LockError> {
        let url = format!("sqlite://{}", path.display());
        ServerLock::take(&DatabaseSettings { url, pool_size: 1 })
    }

    #[test]
    fn a_file_is_recognised_by_any_path_before_and_after_it_exists() {
        let folder = folder("paths");
        let (file, link, dangling) = (folder.join("a.db"), folder.join("folder"), folder.join("b.db"));
        symlink(&folder, &link).unwrap();
        symlink("a.db", &dangling).unwrap();
        let paths = [file.clone(), link.join("a.db"), dangling, folder.join("folder/./folder/a.db")];
        for made in [false, true] {
            if made {
                fs::write(&file, "").unwrap();
            }
            let held = take(&file).unwrap();
            for path in &paths {
                let refused = take(path).unwrap_err();
                let LockError::Taken { by, .. } = &refused else { panic!("{refused}") };
                assert_eq!(*by, Some(std::process::id()), "{}", path.display());
            }
            drop(held);
            for path in &paths {
                assert!(take(path).unwrap().is_some(), "{}", path.display());
            }
        }
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_file_of_two_names_is_refused_and_others_have_locks_of_their_own() {
        let folder = folder("names");
        let (one, other) = (folder.join("one.db"), folder.join("other.db"));
        let _held = take(&one).unwrap();
        assert!(take(&other).unwrap().is_some());
        fs::write(&other, "").unwrap();
        fs::hard_link(&other, folder.join("again.db")).unwrap();
        assert!(matches!(take(&other), Err(LockError::ManyNames { names: 2, .. })));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn postgresql_and_memory_need_no_lock() {
        for url in ["postgres://localhost/kizuna", "sqlite::memory:", "sqlite://a.db?mode=memory"] {
            let settings = DatabaseSettings { url: url.to_owned(), pool_size: 1 };
            assert!(ServerLock::take(&settings).unwrap().is_none(), "{url}");
        }
    }
}
