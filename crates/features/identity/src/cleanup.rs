//! Once a day: expired sessions and links go.

use crate::actions::{SESSION_IDLE, schedule_cleanup};
use crate::store::{link, session};
use domain::{Actor, WorkspaceId};
use spine::{Job, JobRow, Order, Outcome, Refusal, Running, Spine};

pub const QUEUE: &str = "identity_cleanup";

pub struct Cleanup;

impl Job for Cleanup {
    fn queue(&self) -> &'static str {
        QUEUE
    }

    fn run<'a>(&'a self, spine: &'a Spine, job: &'a JobRow) -> Running<'a> {
        Box::pin(async move {
            match clean(spine, job.workspace_id).await {
                Ok(()) => Outcome::Done,
                Err(refusal) => refusal.into(),
            }
        })
    }
}

async fn clean(spine: &Spine, ws: WorkspaceId) -> Result<(), Refusal> {
    spine
        .execute(Order::new(ws, Actor::System), move |unit| {
            let now = unit.now();
            session::delete_expired(unit.tx(), ws, now, now - SESSION_IDLE)?;
            link::delete_old(unit.tx(), ws, now)?;
            schedule_cleanup(unit)
        })
        .await
}
