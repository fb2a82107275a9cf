//! What a waiting customer may know of the queue. Feature `routing` computes it; the program joins the two.

use crate::ChannelConfig;
use domain::{CaseId, Span, Timestamp, WorkspaceId};
use spine::Refusal;

/// A place in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueuePlace {
    /// From 1: who is served next has 1.
    pub position: u32,
    /// `None` while there is nothing to estimate it from.
    pub expected_wait: Option<Span>,
}

/// Answers inside a read transaction, so that one answer never mixes two states.
pub trait QueueInfo: Send + Sync {
    /// The place of a case, `None` when it does not wait for an agent.
    ///
    /// # Errors
    /// Those of the database.
    fn place(
        &self,
        read: &mut db::Read<'_>,
        workspace: WorkspaceId,
        case: CaseId,
        now: Timestamp,
    ) -> Result<Option<QueuePlace>, Refusal>;

    /// Whether somebody who takes this channel's cases is at work.
    ///
    /// # Errors
    /// Those of the database.
    fn online(&self, read: &mut db::Read<'_>, config: &ChannelConfig) -> Result<bool, Refusal>;
}

/// For a program without routing: nobody queues, somebody is always there.
#[derive(Debug, Clone, Copy)]
pub struct NoQueue;

impl QueueInfo for NoQueue {
    fn place(
        &self,
        _: &mut db::Read<'_>,
        _: WorkspaceId,
        _: CaseId,
        _: Timestamp,
    ) -> Result<Option<QueuePlace>, Refusal> {
        Ok(None)
    }
    fn online(&self, _: &mut db::Read<'_>, _: &ChannelConfig) -> Result<bool, Refusal> {
        Ok(true)
    }
}
