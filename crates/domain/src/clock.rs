//! The clock of one promise: it runs in working time, stands still while we wait for somebody else, and can say for
//! every stretch of its life why it ran or did not.
//!
//! Start reading at [`Clock::due`] and [`Clock::timeline`].

#[cfg(test)]
mod tests;

use crate::calendar::Calendar;
use crate::case::WaitingOn;
use crate::{Span, Timestamp};

/// A stretch in which the case waited for somebody else; without an end it still does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    pub from: Timestamp,
    pub to: Option<Timestamp>,
    pub on: WaitingOn,
}

/// What is known of one promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clock {
    pub started: Timestamp,
    /// Working time that was promised.
    pub promise: Span,
    /// In order and apart from each other; only the last may be without an end.
    pub pauses: Vec<Pause>,
    /// When the promise was fulfilled, if it was.
    pub stopped: Option<Timestamp>,
}

/// Why a clock ran or stood still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    Running,
    OutsideHours,
    Paused(WaitingOn),
}

/// A piece of a clock's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    pub from: Timestamp,
    pub to: Timestamp,
    pub cause: Cause,
}

/// How a promise stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Fulfilled in time.
    Kept,
    /// Fulfilled, or still to be, after it was due.
    Broken { due: Timestamp },
    /// Will be broken at `due` unless fulfilled or paused before.
    Running { due: Timestamp },
    /// Stands still with this much working time left.
    Paused { left: Span },
    /// The calendar does not open long enough.
    Unbounded,
}

impl Clock {
    /// The instant at which the promise is used up. `None` while the clock is paused before that, or when the calendar
    /// does not open long enough. A promise that was used up before a pause stays due at that instant.
    #[must_use]
    pub fn due(&self, calendar: &Calendar) -> Option<Timestamp> {
        let mut left = self.promise.as_micros();
        let mut from = self.started;
        for pause in &self.pauses {
            let worked = calendar.worked(from, pause.from).as_micros();
            if left <= worked {
                break;
            }
            left -= worked;
            from = from.max(pause.to?);
        }
        calendar.due(from, Span::from_micros(left))
    }

    /// Working time used up until an instant, or until it stopped.
    #[must_use]
    pub fn used(&self, calendar: &Calendar, at: Timestamp) -> Span {
        let running = self.timeline(calendar, at).into_iter().filter(|part| part.cause == Cause::Running);
        Span::from_micros(running.map(|part| part.to.since(part.from).as_micros()).sum())
    }

    #[must_use]
    pub fn standing(&self, calendar: &Calendar, now: Timestamp) -> Standing {
        let due = self.due(calendar);
        let seen = self.stopped.unwrap_or(now);
        match due {
            // At the instant itself it is still in time.
            Some(due) if seen > due => Standing::Broken { due },
            _ if self.stopped.is_some() => Standing::Kept,
            Some(due) => Standing::Running { due },
            None if self.pauses.last().is_some_and(|pause| pause.to.is_none()) => {
                let left = self.promise.as_micros() - self.used(calendar, now).as_micros();
                Standing::Paused { left: Span::from_micros(left) }
            }
            None => Standing::Unbounded,
        }
    }

    /// The clock's life until an instant, or until it stopped: without gaps, each part with its cause. A pause counts as
    /// a pause outside of working hours too.
    #[must_use]
    pub fn timeline(&self, calendar: &Calendar, until: Timestamp) -> Vec<Part> {
        let end = self.stopped.map_or(until, |stopped| stopped.min(until));
        let mut parts = Vec::new();
        let mut from = self.started;
        for pause in &self.pauses {
            let (begin, resume) = (pause.from.clamp(from, end.max(from)), pause.to.unwrap_or(end).min(end));
            working(calendar, from, begin, &mut parts);
            push(&mut parts, Part { from: begin, to: resume, cause: Cause::Paused(pause.on) });
            from = from.max(resume);
        }
        working(calendar, from, end, &mut parts);
        parts
    }
}

/// Working hours and what lies between them.
fn working(calendar: &Calendar, from: Timestamp, to: Timestamp, parts: &mut Vec<Part>) {
    let mut at = from;
    for open in calendar.stretches(from).take_while(|open| open.from < to) {
        push(parts, Part { from: at, to: open.from, cause: Cause::OutsideHours });
        at = open.to.min(to);
        push(parts, Part { from: open.from, to: at, cause: Cause::Running });
    }
    push(parts, Part { from: at, to, cause: Cause::OutsideHours });
}

/// Adds a part, as one with the part before it where the cause is the same; nothing for nothing.
fn push(parts: &mut Vec<Part>, part: Part) {
    if part.to <= part.from {
        return;
    }
    match parts.last_mut() {
        Some(last) if last.cause == part.cause && last.to == part.from => last.to = part.to,
        _ => parts.push(part),
    }
}
