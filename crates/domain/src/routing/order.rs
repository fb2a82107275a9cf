//! Which waiting case comes first.

use super::WaitingCase;
use crate::case::Priority;
use crate::channel::ChannelKind;
use crate::time::{Span, Timestamp};

/// How long a customer of this priority may be kept waiting before cases that arrive later stop
/// overtaking. Somebody in a chat or on the phone waits in minutes, a letter writer in hours.
#[must_use]
pub const fn patience(kind: ChannelKind, priority: Priority) -> Span {
    match kind {
        ChannelKind::Webchat | ChannelKind::Phone | ChannelKind::Counter => match priority {
            Priority::Urgent => Span::ZERO,
            Priority::High => Span::minutes(2),
            Priority::Normal => Span::minutes(5),
            Priority::Low => Span::minutes(15),
        },
        ChannelKind::Email | ChannelKind::Webform | ChannelKind::Api => match priority {
            Priority::Urgent => Span::ZERO,
            Priority::High => Span::hours(2),
            Priority::Normal => Span::hours(8),
            Priority::Low => Span::hours(24),
        },
    }
}

/// The virtual deadline by which the queue is ordered, earliest first:
///
/// `rank_at = max(waiting_since, min(promise, waiting_since + patience(kind, priority)))`
///
/// It is earliest-deadline-first with the priority as the deadline's distance, so age counts by itself:
/// a case that arrives after another's `rank_at` has a later `rank_at` and can never overtake it.
/// Hence nothing starves: before a case come only those that arrive until `waiting_since + patience`
/// (24 h at most), and a low priority beats every urgent case that arrives later than that.
/// The value does not depend on the present time, so an index can keep the queue in order.
#[must_use]
pub fn rank_at(case: &WaitingCase) -> Timestamp {
    let patient = case.waiting_since + patience(case.channel_kind, case.priority);
    case.promise.map_or(patient, |promise| promise.min(patient)).max(case.waiting_since)
}
