//! SQLite: one writer thread that commits waiting commands in groups, and a small pool of read-only connections.
//!
//! Why groups: with `synchronous=FULL` every commit waits for the disk, so the commands that arrive during one wait
//! share the next. Each runs in its own savepoint; nobody is answered before the commit has returned.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::{Receiver, Sender, TrySendError};
use rusqlite::config::DbConfig;
use rusqlite::types::{Null, ToSqlOutput, ValueRef};
use rusqlite::{Connection as Sqlite, ErrorCode, OpenFlags, ToSql};

use crate::job::{Job, Outcome};
use crate::transaction::{Session, Shape};
use crate::{Engine, Error, Row, Statement, Value, limits};

/// The SQLite side of a [`crate::Db`].
pub(crate) struct Pool {
    writer: Sender<Box<dyn Job>>,
    readers: Sender<Box<dyn Job>>,
    refused: Arc<AtomicBool>,
    pub(crate) path: PathBuf,
    #[cfg(feature = "faults")]
    pub(crate) fault: Arc<crate::fault::Fault>,
}

impl Pool {
    /// Opens (or creates) the file and starts the threads, which end when the pool is dropped.
    pub(crate) fn open(path: &Path, readers: usize, committed: crate::wake::Bell) -> Result<Self, Error> {
        let refused = Arc::new(AtomicBool::new(false));
        #[cfg(feature = "faults")]
        let fault = Arc::new(crate::fault::Fault::default());
        let connection = connect(path, true)?;
        let (writer, queue) = crossbeam_channel::bounded(limits::WRITE_QUEUE);
        let mut thread = Writer {
            connection,
            cautious: 0,
            queue,
            refused: Arc::clone(&refused),
            committed,
            #[cfg(feature = "faults")]
            fault: Arc::clone(&fault),
        };
        crate::spawn("db-writer", move || thread.run())?;
        let (reader, queue) = crossbeam_channel::bounded(limits::READ_QUEUE);
        for _ in 0..readers.max(1) {
            let connection = connect(path, false)?;
            let queue: Receiver<Box<dyn Job>> = queue.clone();
            crate::spawn("db-reader", move || run_reader(&connection, &queue))?;
        }
        Ok(Self {
            writer,
            readers: reader,
            refused,
            path: path.to_owned(),
            #[cfg(feature = "faults")]
            fault,
        })
    }

    pub(crate) fn write(&self, job: Box<dyn Job>) {
        if self.refused.load(Ordering::Acquire) {
            return job.finish(Err(Error::ReadOnly));
        }
        send(&self.writer, job);
    }

    pub(crate) fn read(&self, job: Box<dyn Job>) {
        send(&self.readers, job);
    }
}

fn send(queue: &Sender<Box<dyn Job>>, job: Box<dyn Job>) {
    match queue.try_send(job) {
        Ok(()) => {}
        Err(TrySendError::Full(job)) => job.finish(Err(Error::Busy)),
        Err(TrySendError::Disconnected(job)) => job.finish(Err(Error::OutcomeUnknown)),
    }
}

fn connect(path: &Path, writer: bool) -> Result<Sqlite, Error> {
    open_connection(path, writer).map_err(|error| Error::Settings(format!("{}: {error}", path.display())))
}

fn open_connection(path: &Path, writer: bool) -> rusqlite::Result<Sqlite> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let flags = if writer { flags | OpenFlags::SQLITE_OPEN_CREATE } else { flags };
    let connection = Sqlite::open_with_flags(path, flags)?;
    connection.busy_timeout(limits::BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(limits::PREPARED_STATEMENTS);
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // FULL: the WAL reaches the disk before a commit returns, so what was acknowledged survives a power cut.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "trusted_schema", false)?;
    // Plans depend on the text alone. Without this, SQLite compiles a statement anew for every value bound to its
    // LIMIT, which cost more than running it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // Negative: KiB. Small for readers, because every one has its own and the file system caches anyway. The writer's
    // holds the pages of a few thousand open cases, each of which it changes with every message.
    connection.pragma_update(None, "cache_size", if writer { -32_768 } else { -2_048 })?;
    if writer {
        // Pages of 4 KiB: a checkpoint about every 64 MB of log. A page that was changed often is copied once.
        connection.pragma_update(None, "wal_autocheckpoint", 16_000)?;
        connection.pragma_update(None, "journal_size_limit", 67_108_864)?;
    } else {
        connection.pragma_update(None, "query_only", true)?;
    }
    Ok(connection)
}

struct Writer {
    connection: Sqlite,
    /// Groups that still run with savepoints, after one in which a command had to be undone.
    cautious: u32,
    queue: Receiver<Box<dyn Job>>,
    refused: Arc<AtomicBool>,
    committed: crate::wake::Bell,
    #[cfg(feature = "faults")]
    fault: Arc<crate::fault::Fault>,
}

/// Commands on their way to one commit.
struct Group {
    done: Vec<Box<dyn Job>>,
    changed: bool,
    cautious: bool,
}

impl Writer {
    fn run(&mut self) {
        while let Ok(first) = self.queue.recv() {
            if self.refused.load(Ordering::Acquire) {
                first.finish(Err(Error::ReadOnly));
                continue;
            }
            self.group(first);
        }
    }

    /// Runs `first` and whatever waits behind it, commits once, then answers them all.
    fn group(&mut self, first: Box<dyn Job>) {
        let mut group = Group { done: Vec::new(), changed: false, cautious: self.cautious > 0 };
        self.cautious = self.cautious.saturating_sub(1);
        if let Err(error) = self.begin() {
            return first.finish(Err(error));
        }
        #[allow(clippy::disallowed_methods, reason = "bounds how long a group runs; no business time")]
        let started = std::time::Instant::now();
        let mut next = Some(first);
        while let Some(mut job) = next.take() {
            let alive = if group.cautious { self.savepoint(job.as_mut()) } else { self.plain(job.as_mut()) };
            group.done.push(job);
            let alive = match alive {
                Ok(Some(changed)) => {
                    group.changed |= changed;
                    Ok(())
                }
                Ok(None) => self.again(&mut group),
                Err(error) => Err(error),
            };
            if let Err(error) = alive {
                let _ = self.connection.execute_batch("ROLLBACK");
                return finish_all(group.done, &Err(error));
            }
            if group.done.len() < limits::GROUP_COMMANDS && started.elapsed() < limits::GROUP_TIME {
                next = self.queue.try_recv().ok();
            }
        }
        let committed = self.commit();
        if group.changed && committed.is_ok() {
            self.committed.ring();
        }
        finish_all(group.done, &committed);
    }

    fn begin(&self) -> Result<(), Error> {
        self.connection.execute_batch("BEGIN IMMEDIATE").map_err(|error| failure("BEGIN", &error))
    }

    /// Runs a command without a savepoint of its own: nearly all commands commit, or refuse before they write, and a
    /// savepoint copies every page that is written under it. Tells whether rows changed; `None` if the command wants
    /// undone what it wrote, which only [`Writer::again`] can do.
    fn plain(&self, job: &mut dyn Job) -> Result<Option<bool>, Error> {
        let outcome = job.run(&mut LiteSession { connection: &self.connection });
        self.alive()?;
        Ok(match outcome {
            Outcome::Commit { changed } => Some(changed),
            Outcome::Rollback { changed: false } | Outcome::Retry { changed: false } => Some(false),
            Outcome::Rollback { .. } | Outcome::Retry { .. } => None,
        })
    }

    /// Undoes the group and runs its commands once more, each in a savepoint.
    fn again(&mut self, group: &mut Group) -> Result<(), Error> {
        self.cautious = limits::CAUTIOUS_GROUPS;
        group.cautious = true;
        group.changed = false;
        self.connection.execute_batch("ROLLBACK").map_err(|error| failure("ROLLBACK", &error))?;
        self.begin()?;
        for job in &mut group.done {
            group.changed |= self.savepoint(job.as_mut())?.unwrap_or(false);
        }
        Ok(())
    }

    /// Tells whether rows changed. An error means that the whole group's transaction is gone.
    fn savepoint(&self, job: &mut dyn Job) -> Result<Option<bool>, Error> {
        let run = |text: &str| self.connection.prepare_cached(text).and_then(|mut statement| statement.raw_execute());
        run("SAVEPOINT command").map_err(|error| failure("SAVEPOINT", &error))?;
        let outcome = job.run(&mut LiteSession { connection: &self.connection });
        self.alive()?;
        // One writer: there is nobody to collide with, so a retry is a rollback like any other.
        let changed = match outcome {
            Outcome::Commit { changed } => changed,
            Outcome::Rollback { .. } | Outcome::Retry { .. } => {
                run("ROLLBACK TO command").map_err(|error| failure("ROLLBACK TO", &error))?;
                false
            }
        };
        run("RELEASE command").map_err(|error| failure("RELEASE", &error))?;
        Ok(Some(changed))
    }

    /// Disk full, I/O error or out of memory inside a closure: SQLite has rolled everything back.
    fn alive(&self) -> Result<(), Error> {
        if self.connection.is_autocommit() {
            return Err(Error::engine("transaction", "the engine rolled the whole group back"));
        }
        Ok(())
    }

    fn commit(&self) -> Result<(), Error> {
        #[cfg(feature = "faults")]
        if self.fault.hits(crate::CrashPoint::BeforeCommit) {
            let _ = self.connection.execute_batch("ROLLBACK");
            self.refused.store(true, Ordering::Release);
            return Err(Error::OutcomeUnknown);
        }
        let result = self.connection.execute_batch("COMMIT");
        #[cfg(feature = "faults")]
        if self.fault.hits(crate::CrashPoint::AfterCommit) {
            self.refused.store(true, Ordering::Release);
            return Err(Error::OutcomeUnknown);
        }
        let Err(error) = result else { return Ok(()) };
        if !self.connection.is_autocommit() {
            let _ = self.connection.execute_batch("ROLLBACK");
        }
        if disk_failed(&error) {
            // After a failed fsync the kernel may have dropped the pages: what a retry would report is worth nothing.
            self.refused.store(true, Ordering::Release);
            tracing::error!(code = ?error.sqlite_error_code(), "commit failed at the disk; storage refuses writes from now on");
            return Err(Error::ReadOnly);
        }
        Err(failure("COMMIT", &error))
    }
}

fn disk_failed(error: &rusqlite::Error) -> bool {
    use ErrorCode::{DatabaseCorrupt, NotADatabase, SystemIoFailure};
    matches!(error.sqlite_error_code(), Some(SystemIoFailure | DatabaseCorrupt | NotADatabase))
}

fn finish_all(jobs: Vec<Box<dyn Job>>, committed: &Result<(), Error>) {
    for job in jobs {
        job.finish(committed.clone());
    }
}

fn run_reader(connection: &Sqlite, queue: &Receiver<Box<dyn Job>>) {
    while let Ok(mut job) = queue.recv() {
        // One transaction, so that all queries of a read see the same state.
        let run = |text: &str| connection.prepare_cached(text).and_then(|mut statement| statement.raw_execute());
        if let Err(error) = run("BEGIN") {
            job.finish(Err(failure("BEGIN", &error)));
            continue;
        }
        job.run(&mut LiteSession { connection });
        if let Err(error) = run("ROLLBACK") {
            tracing::warn!(%error, "a read transaction could not be ended");
        }
        job.finish(Ok(()));
    }
}

struct LiteSession<'a> {
    connection: &'a Sqlite,
}

impl LiteSession<'_> {
    fn prepare(&self, statement: &Statement) -> Result<rusqlite::CachedStatement<'_>, Error> {
        self.connection.prepare_cached(statement.numbered()).map_err(|error| failure(statement.name(), &error))
    }

    fn bound(&self, statement: &Statement, params: &[Value]) -> Result<rusqlite::CachedStatement<'_>, Error> {
        crate::check_arguments(statement, params)?;
        let mut prepared = self.prepare(statement)?;
        for (number, value) in (1..).zip(params) {
            let bound = prepared.raw_bind_parameter(number, Bound(value));
            bound.map_err(|error| failure(statement.name(), &error))?;
        }
        Ok(prepared)
    }
}

/// A value lent to SQLite, which copies it.
struct Bound<'a>(&'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self.0 {
            Value::Null => Null.to_sql(),
            Value::Bool(flag) => Ok(ToSqlOutput::Borrowed(ValueRef::Integer(i64::from(*flag)))),
            Value::Int(number) => Ok(ToSqlOutput::Borrowed(ValueRef::Integer(*number))),
            Value::Real(number) => Ok(ToSqlOutput::Borrowed(ValueRef::Real(*number))),
            Value::Text(text) => Ok(ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes()))),
            Value::Blob(bytes) => Ok(ToSqlOutput::Borrowed(ValueRef::Blob(bytes))),
        }
    }
}

fn from_sqlite(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Int(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
    }
}

impl Session for LiteSession<'_> {
    fn engine(&self) -> Engine {
        Engine::Sqlite
    }

    fn rows(&mut self, statement: &Statement, params: &[Value]) -> Result<Vec<Row>, Error> {
        let mut prepared = self.bound(statement, params)?;
        let columns = statement.names(|| prepared.column_names().map(str::to_owned).collect());
        let mut rows = prepared.raw_query();
        let mut out = Vec::new();
        loop {
            match rows.next() {
                Ok(Some(row)) => {
                    let values = (0..columns.len()).map(|index| row.get_ref(index).map(from_sqlite));
                    let values =
                        values.collect::<rusqlite::Result<_>>().map_err(|error| failure(statement.name(), &error))?;
                    out.push(Row::new(Arc::clone(&columns), values));
                }
                Ok(None) => return Ok(out),
                Err(error) => return Err(failure(statement.name(), &error)),
            }
        }
    }

    fn execute(&mut self, statement: &Statement, params: &[Value]) -> Result<u64, Error> {
        let mut prepared = self.bound(statement, params)?;
        let changed = prepared.raw_execute().map_err(|error| failure(statement.name(), &error))?;
        Ok(u64::try_from(changed).unwrap_or(u64::MAX))
    }

    fn describe(&mut self, statement: &Statement) -> Result<Shape, Error> {
        let prepared = self.prepare(statement)?;
        let params = prepared.parameter_count();
        let columns = prepared.column_names().map(str::to_owned).collect();
        Ok(Shape { params, columns, unreadable: Vec::new() })
    }
}

pub(crate) fn failure(statement: &str, error: &rusqlite::Error) -> Error {
    let statement = statement.to_owned();
    let rusqlite::Error::SqliteFailure(code, message) = error else {
        return Error::engine(statement, error);
    };
    let message = message.clone().unwrap_or_else(|| code.to_string());
    match (code.code, code.extended_code) {
        (
            ErrorCode::ConstraintViolation,
            rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE | rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY,
        ) => {
            let constraint = message.trim_start_matches("UNIQUE constraint failed: ").to_owned();
            Error::Unique { statement, constraint }
        }
        (ErrorCode::ConstraintViolation, _) => Error::Constraint { statement, constraint: message },
        (ErrorCode::DatabaseBusy, _) => Error::Busy,
        _ => Error::Engine { statement, message },
    }
}

/// A connection for `engine.rs` to work on the file beside the pool (backup, vacuum).
pub(crate) fn beside(path: &Path) -> rusqlite::Result<Sqlite> {
    open_connection(path, true)
}
