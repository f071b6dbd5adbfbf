//! The files of a SQLite database belong to the user who runs the server, and to nobody else.

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::error::StoreError;

/// Makes the folder (mode 0700) and the file (0600) if they are missing, and takes from others what they may do with the
/// database's files. SQLite gives its other files the mode of the first.
///
/// # Errors
/// `Unavailable` when the folder or the file can't be made.
pub(crate) fn prepare(file: &Path) -> Result<(), StoreError> {
    // A database in memory has no file.
    if file.to_string_lossy().starts_with("file:") || file == Path::new(":memory:") {
        return Ok(());
    }
    let failed =
        |path: &Path, error: io::Error| StoreError::Unavailable(format!("{}: {error}", path.display()));
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        make_folder(folder).map_err(|error| failed(folder, error))?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(file) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            for path in [file.to_owned(), beside(file, "-wal"), beside(file, "-shm")] {
                keep_private(&path);
            }
        }
        Err(error) => return Err(failed(file, error)),
    }
    Ok(())
}

/// Makes a folder (mode 0700) if it is missing.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

fn beside(file: &Path, end: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// A file of another user, whom the server may be allowed to serve, stays as it is.
fn keep_private(path: &Path) {
    let Ok(file) = fs::metadata(path) else { return };
    let mode = file.permissions().mode();
    if mode & 0o077 == 0 {
        return;
    }
    if let Err(error) = fs::set_permissions(path, Permissions::from_mode(mode & 0o700)) {
        tracing::warn!(path = %path.display(), %error, "others may read or write this file of the database");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("a file").permissions().mode() & 0o777
    }

    #[test]
    fn what_is_made_is_private_and_what_is_there_becomes_so() {
        let root = std::env::temp_dir().join(format!("kizuna-files-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        fs::create_dir(&root).expect("a folder");
        let before = mode(&root);
        let file = root.join("deep/down/kizuna.db");
        prepare(&file).expect("a file");
        assert_eq!((mode(&file), mode(file.parent().expect("a folder"))), (0o600, 0o700));
        assert_eq!(mode(&root), before, "a folder that is there stays as it is");
        fs::write(beside(&file, "-wal"), b"").expect("a file");
        for path in [&file, &beside(&file, "-wal")] {
            fs::set_permissions(path, Permissions::from_mode(0o664)).expect("a mode");
        }
        prepare(&file).expect("a file");
        assert_eq!((mode(&file), mode(&beside(&file, "-wal"))), (0o600, 0o600));
        assert!(prepare(Path::new("/proc/none/kizuna.db")).is_err());
        fs::remove_dir_all(&root).expect("the folder goes");
    }
}
