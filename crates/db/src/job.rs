//! A closure on its way to a storage thread and its answer on the way back, with the types erased in between.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;

use tokio::sync::oneshot;

use crate::transaction::{Read, Session, Tx};
use crate::{Error, Retryable};

/// What the storage thread should do with the transaction (or savepoint) in which a closure ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Commit {
        /// Some row was changed.
        changed: bool,
    },
    Rollback {
        /// There is something to undo.
        changed: bool,
    },
    /// Roll back, then run again if runs are left.
    Retry { changed: bool },
}

/// A unit of work for a storage thread. It crosses the channel once.
pub(crate) trait Job: Send {
    /// Runs the closure once and keeps its result.
    fn run(&mut self, session: &mut dyn Session) -> Outcome;

    /// Answers the caller: with the kept result, or with `error` if the transaction around it failed.
    fn finish(self: Box<Self>, transaction: Result<(), Error>);
}

/// Where the answer goes. A caller that went away is no error.
pub(crate) enum Reply<R> {
    Async(oneshot::Sender<R>),
    Blocking(mpsc::SyncSender<R>),
}

impl<R> Reply<R> {
    fn send(self, result: R) {
        match self {
            Self::Async(sender) => drop(sender.send(result)),
            Self::Blocking(sender) => drop(sender.send(result)),
        }
    }
}

pub(crate) struct WriteJob<T, E, F> {
    pub(crate) closure: F,
    pub(crate) result: Option<Result<T, E>>,
    pub(crate) reply: Reply<Result<T, E>>,
}

pub(crate) struct ReadJob<T, E, F> {
    pub(crate) closure: F,
    pub(crate) result: Option<Result<T, E>>,
    pub(crate) reply: Reply<Result<T, E>>,
}

impl<T, E, F> Job for WriteJob<T, E, F>
where
    F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<Error> + Retryable + Send,
{
    fn run(&mut self, session: &mut dyn Session) -> Outcome {
        let mut tx = Tx::new(session);
        let result = guarded(|| (self.closure)(&mut tx));
        // An engine that went on after a failed statement would commit half a command.
        let result = if result.is_ok() && tx.failed() { Err(E::from(Error::Aborted)) } else { result };
        let outcome = outcome(&result, tx.changed());
        self.result = Some(result);
        outcome
    }

    fn finish(self: Box<Self>, transaction: Result<(), Error>) {
        answer(self.result, self.reply, transaction);
    }
}

impl<T, E, F> Job for ReadJob<T, E, F>
where
    F: FnMut(&mut Read<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<Error> + Retryable + Send,
{
    fn run(&mut self, session: &mut dyn Session) -> Outcome {
        let mut read = Read::new(session);
        let result = guarded(|| (self.closure)(&mut read));
        let outcome = outcome(&result, false);
        self.result = Some(result);
        outcome
    }

    fn finish(self: Box<Self>, transaction: Result<(), Error>) {
        answer(self.result, self.reply, transaction);
    }
}

/// A panic becomes an error: one bad command must not end the thread that serves all others.
fn guarded<T, E: From<Error>>(run: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text =
            text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned());
        Err(E::from(Error::Panicked(text)))
    })
}

fn outcome<T, E: Retryable>(result: &Result<T, E>, changed: bool) -> Outcome {
    match result {
        Ok(_) => Outcome::Commit { changed },
        Err(error) if error.is_retryable() => Outcome::Retry { changed },
        Err(_) => Outcome::Rollback { changed },
    }
}

fn answer<T, E: From<Error>>(result: Option<Result<T, E>>, reply: Reply<Result<T, E>>, transaction: Result<(), Error>) {
    match (transaction, result) {
        (Ok(()), Some(result)) => reply.send(result),
        // Even over the closure's own refusal: that may rest on rows of the same group, which are now gone.
        (Err(error), _) => reply.send(Err(E::from(error))),
        (Ok(()), None) => reply.send(Err(E::from(Error::OutcomeUnknown))),
    }
}
