//! From the spine's refusals to problem documents.

use crate::problem::Problem;
use domain::Code;
use spine::Refusal;

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Rejected(rejection) => rejection.into(),
            Refusal::NotFound => Self::not_found(),
            Refusal::Storage(db::Error::Busy) => Self::new(Code::Busy).retry_after(1),
            Refusal::Storage(db::Error::ReadOnly) => Self::new(Code::ReadOnly).retry_after(10),
            refusal @ (Refusal::Storage(_) | Refusal::Internal(_)) => {
                tracing::error!(error = %refusal, "a request failed inside");
                Self::internal()
            }
        }
    }
}

impl From<db::Error> for Problem {
    fn from(error: db::Error) -> Self {
        Refusal::Storage(error).into()
    }
}
