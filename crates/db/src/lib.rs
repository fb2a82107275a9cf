//! Storage: one SQL text, two engines (SQLite by default, PostgreSQL by setting).
//!
//! Owns connections, transactions, statements, migrations and the few places where the engines differ (`engine.rs`).
//! It must never know a business rule, read a clock of business time, or let a run-time string become SQL text.
//! Business code hands plain closures to [`Db::write`] and [`Db::read`]; every closure can be run again.
//! Start reading at [`Db`], then `transaction.rs` (what a closure holds) and `statement.rs` (how SQL is declared).
#![forbid(unsafe_code)]

mod builder;
mod check;
mod engine;
mod error;
#[cfg(feature = "faults")]
mod fault;
mod job;
pub mod limits;
mod migrate;
mod planner;
pub mod portable;
mod postgres;
mod postgres_value;
mod row;
mod sqlite;
#[doc(hidden)]
pub mod statement;
#[cfg(feature = "testing")]
pub mod testing;
mod transaction;
mod value;
mod wake;

use std::path::PathBuf;
use std::sync::{Arc, mpsc};

use tokio::sync::{oneshot, watch};

pub use builder::{Builder, escape_like};
pub use check::{Problem, check_statements, query_plan};
pub use engine::Engine;
pub use error::{Error, Retryable};
#[cfg(feature = "faults")]
pub use fault::CrashPoint;
#[doc(hidden)]
pub use inventory;
pub use migrate::Migration;
#[doc(hidden)]
pub use row::column;
pub use row::{FromRow, Row};
pub use statement::Statement;
pub use transaction::{Connection, Query, Read, Tx};
pub use value::{FromValue, Value};

use job::{Job, ReadJob, Reply, WriteJob};

/// Where the data is kept.
#[derive(Debug, Clone)]
pub enum Settings {
    /// A file of ours, and how many read-only connections serve reads (at least 1).
    Sqlite { path: PathBuf, readers: usize },
    /// A PostgreSQL 15+ server, how many worker threads (one connection each) serve it, and over how many
    /// partitions the events of a workspace are spread.
    Postgres { url: String, workers: usize, event_partitions: i16 },
}

/// A handle on the database; clones share it.
#[derive(Clone)]
pub struct Db {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) backend: Backend,
    partitions: i16,
    bell: wake::Bell,
}

pub(crate) enum Backend {
    Sqlite(sqlite::Pool),
    Postgres(postgres::Pool),
}

impl Db {
    /// Opens the database (SQLite: creates the file) without changing its schema.
    ///
    /// # Errors
    /// [`Error::Settings`] if it can't be opened or reached.
    pub fn open(settings: &Settings) -> Result<Self, Error> {
        let bell = wake::Bell::new();
        let (backend, partitions) = match settings {
            Settings::Sqlite { path, readers } => {
                (Backend::Sqlite(sqlite::Pool::open(path, *readers, bell.clone())?), 1)
            }
            Settings::Postgres { url, workers, event_partitions } => {
                (Backend::Postgres(postgres::Pool::open(url, *workers, &bell)?), (*event_partitions).max(1))
            }
        };
        Ok(Self { inner: Arc::new(Inner { backend, partitions, bell }) })
    }

    /// The engine behind this handle.
    #[must_use]
    pub fn engine(&self) -> Engine {
        match &self.inner.backend {
            Backend::Sqlite(_) => Engine::Sqlite,
            Backend::Postgres(_) => Engine::Postgres,
        }
    }

    /// Number of event partitions per workspace; 1 on SQLite.
    #[must_use]
    pub fn partitions(&self) -> i16 {
        self.inner.partitions
    }

    /// Changes whenever something was committed (here, or in another process on the same PostgreSQL).
    /// A hint to look at once, never the truth.
    #[must_use]
    pub fn committed(&self) -> watch::Receiver<u64> {
        self.inner.bell.listen()
    }

    /// Runs a closure in one write transaction and answers after it is durable. The closure may run several times
    /// (PostgreSQL asks for it under contention), so it must have no effect but on `tx`.
    /// An `Err` rolls back what the closure did and nothing else.
    ///
    /// # Errors
    /// What the closure returned, or a storage [`Error`] ([`Error::Busy`] when too many commands wait).
    pub async fn write<T, E, F>(&self, closure: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Retryable + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        self.submit_write(Box::new(WriteJob { closure, result: None, reply: Reply::Async(sender) }));
        receiver.await.unwrap_or_else(|_| Err(E::from(Error::OutcomeUnknown)))
    }

    /// [`Db::write`] for callers that are not async. Blocks the thread.
    ///
    /// # Errors
    /// As [`Db::write`].
    pub fn write_blocking<T, E, F>(&self, closure: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Retryable + Send + 'static,
    {
        let (sender, receiver) = mpsc::sync_channel(1);
        self.submit_write(Box::new(WriteJob { closure, result: None, reply: Reply::Blocking(sender) }));
        receiver.recv().unwrap_or_else(|_| Err(E::from(Error::OutcomeUnknown)))
    }

    /// Runs a closure in one read-only transaction: all its queries see the same committed state.
    ///
    /// # Errors
    /// What the closure returned, or a storage [`Error`].
    pub async fn read<T, E, F>(&self, closure: F) -> Result<T, E>
    where
        F: FnMut(&mut Read<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Retryable + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        self.submit_read(Box::new(ReadJob { closure, result: None, reply: Reply::Async(sender) }));
        receiver.await.unwrap_or_else(|_| Err(E::from(Error::OutcomeUnknown)))
    }

    /// [`Db::read`] for callers that are not async. Blocks the thread.
    ///
    /// # Errors
    /// As [`Db::read`].
    pub fn read_blocking<T, E, F>(&self, closure: F) -> Result<T, E>
    where
        F: FnMut(&mut Read<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Retryable + Send + 'static,
    {
        let (sender, receiver) = mpsc::sync_channel(1);
        self.submit_read(Box::new(ReadJob { closure, result: None, reply: Reply::Blocking(sender) }));
        receiver.recv().unwrap_or_else(|_| Err(E::from(Error::OutcomeUnknown)))
    }

    /// Lets the next commit die at `point`.
    #[cfg(feature = "faults")]
    pub fn arm(&self, point: CrashPoint) {
        match &self.inner.backend {
            Backend::Sqlite(pool) => pool.fault.arm(point),
            Backend::Postgres(pool) => pool.fault.arm(point),
        }
    }

    fn submit_write(&self, job: Box<dyn Job>) {
        match &self.inner.backend {
            Backend::Sqlite(pool) => pool.write(job),
            Backend::Postgres(pool) => pool.submit(job, true),
        }
    }

    fn submit_read(&self, job: Box<dyn Job>) {
        match &self.inner.backend {
            Backend::Sqlite(pool) => pool.read(job),
            Backend::Postgres(pool) => pool.submit(job, false),
        }
    }
}

pub(crate) fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), Error> {
    let started = std::thread::Builder::new().name(name.to_owned()).spawn(run);
    started.map(drop).map_err(|error| Error::Settings(format!("can't start thread {name}: {error}")))
}

/// Arguments are counted before an engine sees them, so that both give the same error.
pub(crate) fn check_arguments(statement: &Statement, params: &[Value]) -> Result<(), Error> {
    if statement.params() == params.len() {
        return Ok(());
    }
    let message = format!("takes {} arguments, got {}", statement.params(), params.len());
    Err(Error::Arguments { statement: statement.name().to_owned(), message })
}
