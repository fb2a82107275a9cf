//! What follows from time: held answers leave, snoozed cases come back, solved ones close. A consumer sets the
//! timers as events come (I3); each timer gives one command when it is due.

use domain::case::{Case, CaseCommand, CaseEvent, CaseState, Delivery, Status};
use domain::{Actor, CaseId, Event, Id, MessageId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use spine::{Consumer, Job, JobRow, LoggedEvent, NewJob, Order, Outcome, Refusal, Running, Spine, Unit};

const RELEASE: &str = "release";
const WAKE: &str = "wake";
const CLOSE: &str = "close";

#[derive(Serialize, Deserialize)]
struct Payload {
    case: CaseId,
    message: Option<MessageId>,
}

/// Sets and moves the timers.
pub(crate) struct Timers;

impl Consumer for Timers {
    fn name(&self) -> &'static str {
        "case_timers"
    }

    fn wants(&self, kind: &str) -> bool {
        matches!(kind, "case.message_sent" | "case.message_cancelled" | "case.status_changed")
    }

    fn consume(&self, unit: &mut Unit<'_, '_>, event: &LoggedEvent) -> Result<(), Refusal> {
        let case = CaseId::from_uuid(event.subject);
        match &event.event {
            Event::Case(CaseEvent::MessageSent { message, delivery: Delivery::Held { until }, .. }) => {
                set(unit, (RELEASE, message.to_string()), Payload { case, message: Some(*message) }, *until)
            }
            Event::Case(CaseEvent::MessageCancelled { message }) => unit.cancel_job(RELEASE, &message.to_string()),
            Event::Case(CaseEvent::StatusChanged { status, .. }) => status_changed(unit, case, status, event.at),
            _ => Ok(()),
        }
    }
}

fn status_changed(unit: &mut Unit<'_, '_>, case: CaseId, status: &Status, at: Timestamp) -> Result<(), Refusal> {
    let key = case.to_string();
    match status {
        Status::Snoozed { until } => set(unit, (WAKE, key.clone()), Payload { case, message: None }, *until)?,
        _ => unit.cancel_job(WAKE, &key)?,
    }
    let policies = unit.ctx().policies;
    match status {
        // 0 days: never by itself.
        Status::Solved if policies.close_after_days > 0 => {
            set(unit, (CLOSE, key), Payload { case, message: None }, at + policies.close_after())
        }
        _ => unit.cancel_job(CLOSE, &key),
    }
}

fn set(
    unit: &mut Unit<'_, '_>,
    (queue, key): (&'static str, String),
    payload: Payload,
    run_at: Timestamp,
) -> Result<(), Refusal> {
    unit.job(NewJob { queue, key, payload: json!(payload), run_at })
}

/// Lets a held answer go.
pub(crate) struct Release;

impl Job for Release {
    fn queue(&self) -> &'static str {
        RELEASE
    }

    fn run<'a>(&'a self, spine: &'a Spine, job: &'a JobRow) -> Running<'a> {
        Box::pin(give(spine, job, |_, payload, _| Ok(payload.message.map(|message| CaseCommand::Release { message }))))
    }
}

/// Brings a snoozed case back.
pub(crate) struct Wake;

impl Job for Wake {
    fn queue(&self) -> &'static str {
        WAKE
    }

    fn run<'a>(&'a self, spine: &'a Spine, job: &'a JobRow) -> Running<'a> {
        Box::pin(give(spine, job, |_, _, _| Ok(Some(CaseCommand::Wake))))
    }
}

/// Closes a case that has stayed solved long enough.
pub(crate) struct Close;

impl Job for Close {
    fn queue(&self) -> &'static str {
        CLOSE
    }

    fn run<'a>(&'a self, spine: &'a Spine, job: &'a JobRow) -> Running<'a> {
        Box::pin(give(spine, job, |unit, payload, state| {
            let Some(solved) = state.solved_at.filter(|_| state.status == Status::Solved) else {
                return Ok(None);
            };
            // The timer may be older than the latest solving, or the setting may have changed since.
            let policies = unit.ctx().policies;
            let due = solved + policies.close_after();
            if policies.close_after_days == 0 {
                return Ok(None);
            }
            if due <= unit.now() {
                return Ok(Some(CaseCommand::Close));
            }
            set(unit, (CLOSE, payload.case.to_string()), Payload { case: payload.case, message: None }, due)?;
            Ok(None)
        }))
    }
}

type Choice = fn(&mut Unit<'_, '_>, &Payload, &CaseState) -> Result<Option<CaseCommand>, Refusal>;

async fn give(spine: &Spine, job: &JobRow, choose: Choice) -> Outcome {
    let payload: Payload = match job.read() {
        Ok(payload) => payload,
        Err(error) => return Outcome::Fail { error: error.to_string() },
    };
    let order = Order::new(job.workspace_id, Actor::System);
    let done = spine
        .execute(order, move |unit| {
            let state = unit.load::<Case>(payload.case)?.ok_or(Refusal::NotFound)?;
            if let Some(command) = choose(unit, &payload, &state)? {
                unit.decide::<Case>(payload.case, command)?;
            }
            Ok(())
        })
        .await;
    done.map_or_else(Outcome::from, |()| Outcome::Done)
}
