//! The only places where the two engines differ in what they do for business code.

use std::borrow::Cow;
use std::path::Path;

use rusqlite::OpenFlags;

use crate::{Backend, Db, Error, Statement, sqlite};

/// The engine behind a handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    /// The text this engine prepares: `/*skip_locked*/` and `/*for_update*/` become row locks on PostgreSQL; on SQLite,
    /// where there is one writer, they stay the comments they are.
    #[must_use]
    pub fn text(self, sql: &str) -> Cow<'_, str> {
        match self {
            Self::Postgres if sql.contains("/*") => {
                let text = sql.replace("/*skip_locked*/", "FOR UPDATE SKIP LOCKED");
                Cow::Owned(text.replace("/*for_update*/", "FOR UPDATE"))
            }
            _ => Cow::Borrowed(sql),
        }
    }
}

impl Db {
    /// Copies the whole database to a new file while it is in use (SQLite's online backup, one consistent state).
    ///
    /// # Errors
    /// [`Error::Settings`] if the file exists, or on PostgreSQL, which has its own tools (`pg_dump`, base backups).
    pub fn backup(&self, to: &Path) -> Result<(), Error> {
        let pool = self.lite("PostgreSQL is backed up with its own tools (pg_dump, base backups)")?;
        if to.exists() {
            return Err(Error::Settings(format!("{} exists", to.display())));
        }
        let copy = || -> rusqlite::Result<()> {
            let mut target = rusqlite::Connection::open(to)?;
            let source = rusqlite::Connection::open_with_flags(&pool.path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
            source.busy_timeout(crate::limits::BUSY_TIMEOUT)?;
            // All pages in one step: one read transaction, so a busy writer cannot make the copy start over.
            rusqlite::backup::Backup::new(&source, &mut target)?.step(-1).map(drop)
        };
        copy().map_err(|error| sqlite::failure("backup", &error))
    }

    /// Gives freed pages back to the file system. Blocks writers meanwhile; PostgreSQL's autovacuum needs no help.
    ///
    /// # Errors
    /// The engine's error.
    pub fn vacuum(&self) -> Result<(), Error> {
        match &self.inner.backend {
            Backend::Sqlite(pool) => lite_batch(&pool.path, "VACUUM"),
            Backend::Postgres(_) => Ok(()),
        }
    }

    /// Refreshes what the planner knows about the data where that is stale. Cheap; run it daily and after imports.
    ///
    /// # Errors
    /// The engine's error.
    pub fn optimize(&self) -> Result<(), Error> {
        match &self.inner.backend {
            Backend::Sqlite(pool) => lite_batch(&pool.path, "PRAGMA optimize = 0x10002"),
            Backend::Postgres(_) => {
                self.write_blocking(|tx| tx.execute(&Statement::internal("optimize", "ANALYZE", 0), &[]).map(drop))
            }
        }
    }

    fn lite(&self, otherwise: &str) -> Result<&sqlite::Pool, Error> {
        match &self.inner.backend {
            Backend::Sqlite(pool) => Ok(pool),
            Backend::Postgres(_) => Err(Error::Settings(otherwise.to_owned())),
        }
    }
}

fn lite_batch(path: &Path, text: &str) -> Result<(), Error> {
    sqlite::beside(path)
        .and_then(|beside| beside.execute_batch(text))
        .map_err(|error| sqlite::failure("maintenance", &error))
}
