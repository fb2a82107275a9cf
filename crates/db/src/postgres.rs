//! PostgreSQL: a bounded pool of worker threads with one connection each.
//!
//! Writes run SERIALIZABLE, so a rule that holds when commands run one after the other holds when they run at once;
//! the price is that the engine may ask for another run (40001, 40P01), which is bounded and spaced out.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use postgres::config::{Host, SslMode};
use postgres::error::SqlState;
use postgres::{Client, Config, NoTls};

use crate::job::{Job, Outcome};
use crate::postgres_value::{Param, read_column, readable};
use crate::transaction::{Session, Shape};
use crate::{Engine, Error, Row, Statement, Value, limits};

const BEGIN_WRITE: &str = "BEGIN ISOLATION LEVEL SERIALIZABLE";
const BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// The PostgreSQL side of a [`crate::Db`].
pub(crate) struct Pool {
    queue: SyncSender<Work>,
    refused: Arc<AtomicBool>,
    /// Keeps the wake-up thread alive; it ends when this is gone.
    _alive: Arc<()>,
    #[cfg(feature = "faults")]
    pub(crate) fault: Arc<crate::fault::Fault>,
}

struct Work {
    job: Box<dyn Job>,
    write: bool,
}

impl Pool {
    pub(crate) fn open(url: &str, workers: usize, bell: &crate::wake::Bell) -> Result<Self, Error> {
        let config = parse(url)?;
        let refused = Arc::new(AtomicBool::new(false));
        let alive = Arc::new(());
        #[cfg(feature = "faults")]
        let fault = Arc::new(crate::fault::Fault::default());
        let remote = crate::wake::start(&config, bell.clone(), Arc::downgrade(&alive))?;
        let (sender, queue) = mpsc::sync_channel(limits::WRITE_QUEUE);
        let queue = Arc::new(Mutex::new(queue));
        for number in 0..workers.max(1) {
            let worker = Worker {
                number: u32::try_from(number).unwrap_or(u32::MAX),
                config: config.clone(),
                session: None,
                refused: Arc::clone(&refused),
                remote: Arc::clone(&remote),
                bell: bell.clone(),
                #[cfg(feature = "faults")]
                fault: Arc::clone(&fault),
            };
            let queue = Arc::clone(&queue);
            crate::spawn("db-worker", move || worker.run(&queue))?;
        }
        Ok(Self {
            queue: sender,
            refused,
            _alive: alive,
            #[cfg(feature = "faults")]
            fault,
        })
    }

    pub(crate) fn submit(&self, job: Box<dyn Job>, write: bool) {
        if write && self.refused.load(Ordering::Acquire) {
            return job.finish(Err(Error::ReadOnly));
        }
        match self.queue.try_send(Work { job, write }) {
            Ok(()) => {}
            Err(TrySendError::Full(work)) => work.job.finish(Err(Error::Busy)),
            Err(TrySendError::Disconnected(work)) => work.job.finish(Err(Error::OutcomeUnknown)),
        }
    }
}

/// Reads the URL and refuses what we would have to ignore: we speak no TLS to the database yet.
fn parse(url: &str) -> Result<Config, Error> {
    let mut config: Config = url.parse().map_err(|error| Error::Settings(format!("database url: {error}")))?;
    let local = config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => matches!(name.as_str(), "localhost" | "127.0.0.1" | "::1"),
        Host::Unix(_) => true,
    });
    match config.get_ssl_mode() {
        SslMode::Disable => {}
        SslMode::Prefer if local => {}
        SslMode::Prefer => {
            let message = "TLS to PostgreSQL is not supported; say sslmode=disable in the url if the network is yours";
            return Err(Error::Settings(message.to_owned()));
        }
        _ => {
            return Err(Error::Settings(
                "TLS to PostgreSQL is not supported; sslmode=require can't be kept".to_owned(),
            ));
        }
    }
    config.application_name("steward").connect_timeout(Duration::from_secs(5)).ssl_mode(SslMode::Disable);
    Ok(config)
}

pub(crate) fn connect(config: &Config) -> Result<Client, Error> {
    config.connect(NoTls).map_err(|error| Error::ConnectionLost(chain(&error)))
}

struct Worker {
    number: u32,
    config: Config,
    session: Option<PgSession>,
    refused: Arc<AtomicBool>,
    remote: Arc<AtomicBool>,
    bell: crate::wake::Bell,
    #[cfg(feature = "faults")]
    fault: Arc<crate::fault::Fault>,
}

/// How one run of a closure ended.
enum Ended {
    /// Answer the caller.
    Done(Result<(), Error>),
    /// Nothing was committed; run it again. With no runs left, `Some` is the answer, `None` the closure's own result.
    Again(Option<Error>),
}

impl Worker {
    fn run(mut self, queue: &Mutex<Receiver<Work>>) {
        loop {
            let work = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(Work { mut job, write }) = work else { return };
            let answer = self.serve(job.as_mut(), write);
            job.finish(answer);
        }
    }

    fn serve(&mut self, job: &mut dyn Job, write: bool) -> Result<(), Error> {
        let mut run = 1;
        loop {
            if write && self.refused.load(Ordering::Acquire) {
                return Err(Error::ReadOnly);
            }
            match self.attempt(job, write) {
                Ended::Done(answer) => return answer,
                Ended::Again(error) if run >= limits::RUNS => return error.map_or(Ok(()), Err),
                Ended::Again(_) => thread::sleep(pause(run, self.number)),
            }
            run += 1;
        }
    }

    fn attempt(&mut self, job: &mut dyn Job, write: bool) -> Ended {
        let Some(mut session) = self.session.take() else {
            return match connect(&self.config) {
                Ok(client) => {
                    self.session = Some(PgSession { client, prepared: HashMap::new() });
                    self.attempt(job, write)
                }
                Err(error) => Ended::Again(Some(error)),
            };
        };
        let ended = self.transact(&mut session, job, write);
        if !session.client.is_closed() {
            self.session = Some(session);
        }
        ended
    }

    fn transact(&self, session: &mut PgSession, job: &mut dyn Job, write: bool) -> Ended {
        if let Err(error) = session.client.batch_execute(if write { BEGIN_WRITE } else { BEGIN_READ }) {
            return Ended::Again(Some(failure("BEGIN", &error)));
        }
        match job.run(session) {
            Outcome::Commit { changed } if write => self.commit(session, changed),
            // Reads end with COMMIT too: it costs the same, and nothing was written.
            Outcome::Commit { .. } => end(session, "COMMIT", Ended::Done(Ok(()))),
            Outcome::Rollback { .. } => end(session, "ROLLBACK", Ended::Done(Ok(()))),
            Outcome::Retry { .. } => end(session, "ROLLBACK", Ended::Again(None)),
        }
    }

    fn commit(&self, session: &mut PgSession, changed: bool) -> Ended {
        #[cfg(feature = "faults")]
        if self.fault.hits(crate::CrashPoint::BeforeCommit) {
            self.refused.store(true, Ordering::Release);
            return end(session, "ROLLBACK", Ended::Done(Err(Error::OutcomeUnknown)));
        }
        let result = session.client.batch_execute("COMMIT");
        #[cfg(feature = "faults")]
        if self.fault.hits(crate::CrashPoint::AfterCommit) {
            self.refused.store(true, Ordering::Release);
            return Ended::Done(Err(Error::OutcomeUnknown));
        }
        match result.as_ref().map_err(|error| failure("COMMIT", error)) {
            Ok(()) => {
                if changed {
                    self.bell.ring();
                    self.remote.store(true, Ordering::Release);
                }
                Ended::Done(Ok(()))
            }
            Err(error @ Error::Serialization(_)) => Ended::Again(Some(error)),
            // The request was sent, the answer did not come: a second run could do everything twice.
            Err(Error::ConnectionLost(_)) => Ended::Done(Err(Error::OutcomeUnknown)),
            Err(error) => Ended::Done(Err(error)),
        }
    }
}

/// Ends a transaction whose end cannot change the answer; a connection that fails here is found closed by the caller.
fn end(session: &mut PgSession, text: &str, ended: Ended) -> Ended {
    if let Err(error) = session.client.batch_execute(text) {
        tracing::warn!(error = %chain(&error), "a transaction could not be ended");
    }
    ended
}

/// Grows with the run and differs between workers, so that two that collided do not collide again. No randomness (I6).
fn pause(run: u32, worker: u32) -> Duration {
    Duration::from_millis(u64::from(run.min(6)) * u64::from(1 + worker % 8))
}

pub(crate) struct PgSession {
    client: Client,
    prepared: HashMap<String, postgres::Statement>,
}

impl PgSession {
    fn prepare(&mut self, statement: &Statement) -> Result<postgres::Statement, Error> {
        if let Some(prepared) = self.prepared.get(statement.text()) {
            return Ok(prepared.clone());
        }
        let text = Engine::Postgres.text(statement.text());
        let prepared = self.client.prepare(&text).map_err(|error| failure(statement.name(), &error))?;
        if self.prepared.len() >= limits::PREPARED_STATEMENTS {
            self.prepared.clear();
        }
        self.prepared.insert(statement.text().to_owned(), prepared.clone());
        Ok(prepared)
    }
}

impl Session for PgSession {
    fn engine(&self) -> Engine {
        Engine::Postgres
    }

    fn rows(&mut self, statement: &Statement, params: &[Value]) -> Result<Vec<Row>, Error> {
        crate::check_arguments(statement, params)?;
        let prepared = self.prepare(statement)?;
        let columns: Arc<[String]> = prepared.columns().iter().map(|column| column.name().to_owned()).collect();
        let params: Vec<Param<'_>> = params.iter().map(Param).collect();
        let params: Vec<&(dyn postgres::types::ToSql + Sync)> = params.iter().map(|param| param as _).collect();
        let rows = self.client.query(&prepared, &params).map_err(|error| failure(statement.name(), &error))?;
        let read = |row: &postgres::Row| {
            let values = (0..row.len()).map(|index| read_column(row, index)).collect::<Result<_, _>>()?;
            Ok(Row::new(Arc::clone(&columns), values))
        };
        rows.iter().map(read).collect()
    }

    fn execute(&mut self, statement: &Statement, params: &[Value]) -> Result<u64, Error> {
        crate::check_arguments(statement, params)?;
        let prepared = self.prepare(statement)?;
        let params: Vec<Param<'_>> = params.iter().map(Param).collect();
        let params: Vec<&(dyn postgres::types::ToSql + Sync)> = params.iter().map(|param| param as _).collect();
        self.client.execute(&prepared, &params).map_err(|error| failure(statement.name(), &error))
    }

    fn describe(&mut self, statement: &Statement) -> Result<Shape, Error> {
        let prepared = self.prepare(statement)?;
        let columns = prepared.columns();
        let unreadable = columns.iter().filter(|column| !readable(column.type_()));
        let unreadable = unreadable.map(|column| format!("column {} is {}", column.name(), column.type_()));
        let params = (1..).zip(prepared.params()).filter(|(_, kind)| !readable(kind));
        let params = params.map(|(number, kind)| format!("parameter ${number} is {kind}"));
        Ok(Shape {
            params: prepared.params().len(),
            columns: columns.iter().map(|column| column.name().to_owned()).collect(),
            unreadable: unreadable.chain(params).collect(),
        })
    }
}

/// The engine's own words without its DETAIL, which quotes row values.
fn failure(statement: &str, error: &postgres::Error) -> Error {
    let statement = statement.to_owned();
    let Some(answer) = error.as_db_error() else {
        let local = error.code().is_none()
            && !error.is_closed()
            && std::error::Error::source(error).is_some_and(|source| !source.is::<std::io::Error>());
        // Not from the server: either our values do not fit its types, or the connection broke.
        return if local {
            Error::Engine { statement, message: chain(error) }
        } else {
            Error::ConnectionLost(chain(error))
        };
    };
    let code = answer.code();
    let constraint = || answer.constraint().unwrap_or(answer.message()).to_owned();
    if *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED {
        Error::Serialization(answer.message().to_owned())
    } else if *code == SqlState::UNIQUE_VIOLATION {
        Error::Unique { constraint: constraint(), statement }
    } else if code.code().starts_with("23") {
        Error::Constraint { constraint: constraint(), statement }
    } else if code.code().starts_with("57P") || code.code().starts_with("08") {
        Error::ConnectionLost(answer.message().to_owned())
    } else {
        Error::Engine { statement, message: format!("{} ({})", answer.message(), code.code()) }
    }
}

/// The error with its causes, which the driver's own text leaves out.
fn chain(error: &postgres::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
