//! SQLite: one writer thread that commits waiting commands in groups, and a small pool of read-only connections.
//!
//! Why groups: with `synchronous=FULL` every commit waits for the disk, so the commands that arrive during one wait
//! share the next. Each runs in its own savepoint; nobody is answered before the commit has returned.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::types::{Value as SqliteValue, ValueRef};
use rusqlite::{Connection as Sqlite, ErrorCode, OpenFlags};

use crate::job::{Job, Outcome};
use crate::transaction::{Session, Shape};
use crate::{Engine, Error, Row, Statement, Value, limits};

/// The SQLite side of a [`crate::Db`].
pub(crate) struct Pool {
    writer: SyncSender<Box<dyn Job>>,
    readers: SyncSender<Box<dyn Job>>,
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
        let connection = open_connection(path, true)?;
        let (writer, queue) = mpsc::sync_channel(limits::WRITE_QUEUE);
        let thread = Writer {
            connection,
            queue,
            refused: Arc::clone(&refused),
            committed,
            #[cfg(feature = "faults")]
            fault: Arc::clone(&fault),
        };
        crate::spawn("db-writer", move || thread.run())?;
        let (reader, queue) = mpsc::sync_channel(limits::READ_QUEUE);
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..readers.max(1) {
            let connection = open_connection(path, false)?;
            let queue = Arc::clone(&queue);
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

fn send(queue: &SyncSender<Box<dyn Job>>, job: Box<dyn Job>) {
    match queue.try_send(job) {
        Ok(()) => {}
        Err(TrySendError::Full(job)) => job.finish(Err(Error::Busy)),
        Err(TrySendError::Disconnected(job)) => job.finish(Err(Error::OutcomeUnknown)),
    }
}

fn open_connection(path: &Path, writer: bool) -> Result<Sqlite, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let flags = if writer { flags | OpenFlags::SQLITE_OPEN_CREATE } else { flags };
    let connect = || -> rusqlite::Result<Sqlite> {
        let connection = Sqlite::open_with_flags(path, flags)?;
        connection.busy_timeout(limits::BUSY_TIMEOUT)?;
        connection.set_prepared_statement_cache_capacity(limits::PREPARED_STATEMENTS);
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // FULL: the WAL reaches the disk before a commit returns, so what was acknowledged survives a power cut.
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        connection.pragma_update(None, "trusted_schema", false)?;
        // Negative: KiB. Small, because every reader has its own and the file system caches anyway.
        connection.pragma_update(None, "cache_size", if writer { -8_192 } else { -2_048 })?;
        if writer {
            // Pages of 4 KiB: a checkpoint about every 16 MB of log, so few commits pay for one.
            connection.pragma_update(None, "wal_autocheckpoint", 4_000)?;
            connection.pragma_update(None, "journal_size_limit", 67_108_864)?;
        } else {
            connection.pragma_update(None, "query_only", true)?;
        }
        Ok(connection)
    };
    connect().map_err(|error| Error::Settings(format!("{}: {error}", path.display())))
}

struct Writer {
    connection: Sqlite,
    queue: Receiver<Box<dyn Job>>,
    refused: Arc<AtomicBool>,
    committed: crate::wake::Bell,
    #[cfg(feature = "faults")]
    fault: Arc<crate::fault::Fault>,
}

impl Writer {
    fn run(self) {
        while let Ok(first) = self.queue.recv() {
            if self.refused.load(Ordering::Acquire) {
                first.finish(Err(Error::ReadOnly));
                continue;
            }
            self.group(first);
        }
    }

    /// Runs `first` and whatever waits behind it, commits once, then answers them all.
    fn group(&self, first: Box<dyn Job>) {
        let mut done: Vec<Box<dyn Job>> = Vec::new();
        if let Err(error) = self.connection.execute_batch("BEGIN IMMEDIATE") {
            return first.finish(Err(failure("BEGIN", &error)));
        }
        #[allow(clippy::disallowed_methods, reason = "bounds how long a group runs; no business time")]
        let started = std::time::Instant::now();
        let (mut next, mut changed) = (Some(first), false);
        while let Some(mut job) = next.take() {
            let alive = self.savepoint(job.as_mut());
            done.push(job);
            match alive {
                Ok(row) => changed |= row,
                Err(error) => {
                    let _ = self.connection.execute_batch("ROLLBACK");
                    return finish_all(done, &Err(error));
                }
            }
            if done.len() < limits::GROUP_COMMANDS && started.elapsed() < limits::GROUP_TIME {
                next = self.queue.try_recv().ok();
            }
        }
        let committed = self.commit();
        if changed && committed.is_ok() {
            self.committed.ring();
        }
        finish_all(done, &committed);
    }

    /// Tells whether rows changed. An error means that the whole group's transaction is gone.
    fn savepoint(&self, job: &mut dyn Job) -> Result<bool, Error> {
        let run = |text: &str| self.connection.prepare_cached(text).and_then(|mut statement| statement.raw_execute());
        run("SAVEPOINT command").map_err(|error| failure("SAVEPOINT", &error))?;
        let outcome = job.run(&mut LiteSession { connection: &self.connection });
        if self.connection.is_autocommit() {
            // Disk full, I/O error or out of memory inside the closure: SQLite has rolled everything back.
            return Err(Error::engine("transaction", "the engine rolled the whole group back"));
        }
        // One writer: there is nobody to collide with, so a retry is a rollback like any other.
        let changed = match outcome {
            Outcome::Commit { changed } => changed,
            Outcome::Rollback | Outcome::Retry => {
                run("ROLLBACK TO command").map_err(|error| failure("ROLLBACK TO", &error))?;
                false
            }
        };
        run("RELEASE command").map_err(|error| failure("RELEASE", &error))?;
        Ok(changed)
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

fn run_reader(connection: &Sqlite, queue: &Mutex<Receiver<Box<dyn Job>>>) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(mut job) = job else { return };
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
        self.connection.prepare_cached(statement.text()).map_err(|error| failure(statement.name(), &error))
    }

    fn bound(&self, statement: &Statement, params: &[Value]) -> Result<rusqlite::CachedStatement<'_>, Error> {
        crate::check_arguments(statement, params)?;
        let mut prepared = self.prepare(statement)?;
        for index in 1..=prepared.parameter_count() {
            let value =
                number(&prepared, index).and_then(|number| params.get(number - 1)).ok_or_else(|| Error::Arguments {
                    statement: statement.name().to_owned(),
                    message: "write parameters as $1..$n".to_owned(),
                })?;
            let bound = prepared.raw_bind_parameter(index, to_sqlite(value));
            bound.map_err(|error| failure(statement.name(), &error))?;
        }
        Ok(prepared)
    }
}

/// SQLite takes `$2` as a name and numbers names by first appearance; this is the number written.
fn number(prepared: &rusqlite::Statement<'_>, index: usize) -> Option<usize> {
    prepared.parameter_name(index)?.strip_prefix('$')?.parse().ok().filter(|number| *number > 0)
}

fn to_sqlite(value: &Value) -> SqliteValue {
    match value {
        Value::Null => SqliteValue::Null,
        Value::Bool(flag) => SqliteValue::Integer(i64::from(*flag)),
        Value::Int(number) => SqliteValue::Integer(*number),
        Value::Real(number) => SqliteValue::Real(*number),
        Value::Text(text) => SqliteValue::Text(text.clone()),
        Value::Blob(bytes) => SqliteValue::Blob(bytes.clone()),
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
        let columns: Arc<[String]> = prepared.column_names().map(str::to_owned).collect();
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
        let numbers = (1..=prepared.parameter_count()).filter_map(|index| number(&prepared, index));
        let params = numbers.max().unwrap_or(0);
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
pub(crate) fn beside(path: &Path) -> Result<Sqlite, Error> {
    open_connection(path, true)
}
