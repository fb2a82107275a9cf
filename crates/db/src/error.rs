//! What can go wrong in storage, in words both engines share.

use thiserror::Error as ThisError;

/// A storage error. Business code meets mostly [`Error::NotFound`] and [`Error::Unique`]; the rest goes up to the edge.
#[derive(Debug, Clone, ThisError)]
pub enum Error {
    /// The queue of waiting commands or reads is full ([`crate::limits`]). Nothing was done; try again later.
    #[error("storage is busy")]
    Busy,
    /// Writes are refused since a commit failed at the disk; reads go on. Needs an operator and a restart.
    #[error("storage refuses writes since a commit failed at the disk")]
    ReadOnly,
    /// The storage thread is gone, or the answer was lost: the command may or may not have been committed.
    #[error("the outcome of the command is unknown")]
    OutcomeUnknown,
    /// The connection was lost before the commit was sent: nothing happened, the closure can be run again.
    #[error("the connection to the database was lost: {0}")]
    ConnectionLost(String),
    /// The engine asks for the transaction to be run again (PostgreSQL 40001 or 40P01).
    #[error("the transaction must be run again: {0}")]
    Serialization(String),
    /// `query_one` found no row.
    #[error("{statement}: no row")]
    NotFound { statement: String },
    /// A unique key is taken. `constraint` is the engine's text: a name on PostgreSQL, `table.column, ..` on SQLite.
    #[error("{statement}: unique key taken ({constraint})")]
    Unique { statement: String, constraint: String },
    /// A foreign key, check or not-null constraint is broken.
    #[error("{statement}: constraint broken ({constraint})")]
    Constraint { statement: String, constraint: String },
    /// An earlier statement of this transaction failed, so nothing more may be done in it (PostgreSQL's rule, kept on both).
    #[error("an earlier statement of the transaction failed")]
    Aborted,
    /// The closure panicked; its changes are rolled back.
    #[error("the transaction panicked: {0}")]
    Panicked(String),
    /// Arguments do not fit the statement.
    #[error("{statement}: {message}")]
    Arguments { statement: String, message: String },
    /// A column does not hold what the row type expects.
    #[error("column {column}: {message}")]
    Column { column: String, message: String },
    /// The schema of the database and the embedded migrations do not fit together.
    #[error("migration: {0}")]
    Migration(String),
    /// The settings can't be used.
    #[error("storage settings: {0}")]
    Settings(String),
    /// Any other answer of the engine.
    #[error("{statement}: {message}")]
    Engine { statement: String, message: String },
}

impl Error {
    /// A unique key was taken: the one constraint error that business code answers.
    #[must_use]
    pub fn is_unique(&self) -> bool {
        matches!(self, Self::Unique { .. })
    }

    /// No row where one was needed.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    pub(crate) fn engine(statement: impl Into<String>, message: impl ToString) -> Self {
        Self::Engine { statement: statement.into(), message: message.to_string() }
    }
}

/// Tells whether a closure that ended with this error may simply be run again.
/// An error type of business code answers by asking the [`Error`] it carries.
pub trait Retryable {
    /// True only when nothing was committed and a second run may succeed.
    fn is_retryable(&self) -> bool;
}

impl Retryable for Error {
    fn is_retryable(&self) -> bool {
        matches!(self, Self::Serialization(_) | Self::ConnectionLost(_))
    }
}
