//! Crash points for tests: the process "dies" around a commit, which here means that nobody gets an answer and the
//! handle refuses writes from then on. The test then opens the database again, as a restart would.

use std::sync::atomic::{AtomicU8, Ordering};

/// Where the next commit dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrashPoint {
    /// The transaction is lost; callers get [`crate::Error::OutcomeUnknown`].
    BeforeCommit,
    /// The transaction is durable; callers get [`crate::Error::OutcomeUnknown`] all the same.
    AfterCommit,
}

#[derive(Default)]
pub(crate) struct Fault {
    armed: AtomicU8,
}

impl Fault {
    pub(crate) fn arm(&self, point: CrashPoint) {
        self.armed.store(code(point), Ordering::Release);
    }

    /// True once for an armed point.
    pub(crate) fn hits(&self, point: CrashPoint) -> bool {
        self.armed.compare_exchange(code(point), 0, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

fn code(point: CrashPoint) -> u8 {
    match point {
        CrashPoint::BeforeCommit => 1,
        CrashPoint::AfterCommit => 2,
    }
}
