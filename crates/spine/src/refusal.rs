//! Why a command did not happen.

use domain::{Code, Rejection};

/// The answer to a command that changed nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Refusal {
    /// A rule says no; the interface translates the code.
    #[error("rejected: {}", .0.code.as_str())]
    Rejected(Rejection),
    /// There is no such thing, or not for this caller (the two look the same on purpose).
    #[error("not found")]
    NotFound,
    #[error(transparent)]
    Storage(db::Error),
    /// A defect or a broken disk; the text is for the log, never for a caller.
    #[error("internal: {0}")]
    Internal(String),
}

impl Refusal {
    pub fn internal(error: impl core::fmt::Display) -> Self {
        Self::Internal(error.to_string())
    }
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        match rejection.code {
            Code::NotFound => Self::NotFound,
            _ => Self::Rejected(rejection),
        }
    }
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        Rejection::new(code).into()
    }
}

impl From<db::Error> for Refusal {
    fn from(error: db::Error) -> Self {
        Self::Storage(error)
    }
}

impl db::Retryable for Refusal {
    fn is_retryable(&self) -> bool {
        match self {
            Self::Storage(error) => error.is_retryable(),
            _ => false,
        }
    }
}
