//! How long the customer at a place in the queue will wait.

use crate::time::{Span, Timestamp};

/// How many of the latest assignments of the same channel kind and team a forecast looks at.
pub const RECENT_ASSIGNMENTS: usize = 20;
/// Older assignments say nothing about now.
const WINDOW: Span = Span::hours(1);
/// An assignment after a shorter wait found somebody free, so it tells nothing of how fast a queue moves.
const QUEUED: Span = Span::seconds(5);
/// Until there is experience: one agent ends one case in this time.
const HANDLING_SECONDS: i64 = 180;
/// Beyond this the figure would be a guess that helps nobody.
const LONGEST_SECONDS: i64 = 4 * 3_600;

/// One case that was given to somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Served {
    pub at: Timestamp,
    pub waited: Span,
}

/// Seconds until the case at `position` (1 = next) reaches an agent; `None` when no agent is online.
///
/// With at least three recent assignments out of a queue: `position x (now - first) / n`, the mean time
/// between two of them including the silence since the last. Otherwise `position x 180 s / agents`.
/// Never more than four hours.
#[must_use]
pub fn expected_wait(position: u32, agents_online: u32, recent: &[Served], now: Timestamp) -> Option<Span> {
    if agents_online == 0 {
        return None;
    }
    let position = i64::from(position.max(1));
    let queued: Vec<Timestamp> = recent
        .iter()
        .filter(|s| s.waited >= QUEUED && s.at <= now && now.since(s.at) <= WINDOW)
        .map(|s| s.at)
        .collect();
    let seconds = match (queued.iter().min(), i64::try_from(queued.len())) {
        (Some(first), Ok(n)) if n >= 3 => (position * now.since(*first).as_micros() / n + 999_999) / 1_000_000,
        _ => (position * HANDLING_SECONDS + i64::from(agents_online) - 1) / i64::from(agents_online),
    };
    Some(Span::seconds(seconds.clamp(1, LONGEST_SECONDS)))
}
