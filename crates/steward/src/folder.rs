//! The data folder: one process at a time, with its key, its database and its files.

use config::Settings;
use db::Db;
use spine::{Files, Vault};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Why the data folder can't be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{path}: {source}")]
    Io { path: String, source: io::Error },
    #[error("{0} is in use by another process")]
    InUse(String),
    #[error("{0} holds no key of 32 bytes")]
    Key(String),
    #[error(transparent)]
    Database(#[from] db::Error),
    #[error(transparent)]
    Files(#[from] spine::Refusal),
}

/// An opened data folder. The lock ends with the process.
pub struct Folder {
    pub db: Db,
    pub files: Files,
    pub vault: Vault,
    _lock: File,
}

impl Folder {
    /// Opens the folder, makes what is missing and brings the schema up to date.
    ///
    /// # Errors
    /// When it is in use, can't be written, or its schema is newer than this program.
    pub fn open(settings: &Settings, now: domain::Timestamp) -> Result<Self, Error> {
        let data = &settings.data;
        fs::create_dir_all(data).map_err(at(data))?;
        let lock = lock(&data.join("lock"))?;
        let vault = Vault::new(key(&data.join("secret.key"))?);
        let db = Db::open(&storage(settings))?;
        for step in db.migrate(now.as_micros())? {
            tracing::info!(migration = step, "applied");
        }
        let files = Files::open(&data.join("files"))?;
        Ok(Self { db, files, vault, _lock: lock })
    }
}

fn storage(settings: &Settings) -> db::Settings {
    match &settings.database_url {
        Some(url) => {
            db::Settings::Postgres { url: url.clone(), workers: settings.database_workers, event_partitions: 16 }
        }
        None => {
            let path = settings.data.join("steward.db");
            db::Settings::Sqlite { path, readers: settings.database_workers }
        }
    }
}

fn at(path: &Path) -> impl Fn(io::Error) -> Error {
    let path = path.display().to_string();
    move |source| Error::Io { path: path.clone(), source }
}

fn lock(path: &Path) -> Result<File, Error> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(path).map_err(at(path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::InUse(path.display().to_string())),
        Err(TryLockError::Error(source)) => Err(at(path)(source)),
    }
}

/// The instance's key, made once. Readable by its owner only.
fn key(path: &Path) -> Result<[u8; 32], Error> {
    match fs::read(path) {
        Ok(bytes) => bytes.try_into().map_err(|_| Error::Key(path.display().to_string())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut key = [0; 32];
            getrandom::fill(&mut key).map_err(|e| at(path)(io::Error::other(e.to_string())))?;
            let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(path).map_err(at(path))?;
            file.write_all(&key).and_then(|()| file.sync_all()).map_err(at(path))?;
            Ok(key)
        }
        Err(error) => Err(at(path)(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_opened_by_one_process_and_keeps_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let first = lock(&folder.path().join("lock")).unwrap();
        assert!(matches!(lock(&folder.path().join("lock")), Err(Error::InUse(_))));
        drop(first);
        assert!(lock(&folder.path().join("lock")).is_ok());
        let path = folder.path().join("secret.key");
        assert_eq!(key(&path).unwrap(), key(&path).unwrap());
        fs::write(&path, b"short").unwrap();
        assert!(matches!(key(&path), Err(Error::Key(_))));
    }
}
