//! "We have received your message": the first answer to a mail or a form, where the channel is set to give one.
//! It has no word of the customer's in it, not even the subject (SECURITY row 6).

use crate::automatic::{self, Recipient};
use crate::channels;
use crate::store::{self, automatic as book};
use crate::template::{self, Params};
use channel::ChannelConfig;
use domain::case::{Case, CaseEvent};
use domain::{Actor, CaseId, ChannelKind, Event, Id, MessageId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use spine::{Consumer, Job, JobRow, LoggedEvent, NewJob, Order, Outcome, Refusal, Running, Spine, Unit, Vault};

const QUEUE: &str = "acknowledge";

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Payload {
    case: CaseId,
}

/// Every case that mail or a form has opened is looked at once.
pub(crate) struct Acknowledge;

impl Consumer for Acknowledge {
    fn name(&self) -> &'static str {
        "conversations.acknowledge"
    }

    fn wants(&self, kind: &str) -> bool {
        kind == "case.opened"
    }

    fn consume(&self, unit: &mut Unit<'_, '_>, event: &LoggedEvent) -> Result<(), Refusal> {
        let Event::Case(CaseEvent::Opened { channel_kind: ChannelKind::Email | ChannelKind::Webform, .. }) =
            event.event
        else {
            return Ok(());
        };
        let case = CaseId::from_uuid(event.subject);
        let run_at = unit.now();
        unit.job(NewJob { queue: QUEUE, key: case.to_string(), payload: json!(Payload { case }), run_at })
    }
}

/// Writes it.
pub(crate) struct Acknowledgements;

impl Job for Acknowledgements {
    fn queue(&self) -> &'static str {
        QUEUE
    }

    fn run<'a>(&'a self, spine: &'a Spine, job: &'a JobRow) -> Running<'a> {
        Box::pin(async move {
            match acknowledge(spine, job).await {
                Ok(()) => Outcome::Done,
                Err(refusal) => Outcome::from(refusal),
            }
        })
    }
}

async fn acknowledge(spine: &Spine, job: &JobRow) -> Result<(), Refusal> {
    let (ws, case) = (job.workspace_id, job.read::<Payload>()?.case);
    let place = spine.db().read(move |r| Ok::<_, Refusal>(store::moving::place(r, ws, case)?)).await?;
    let Some((_, channel)) = place else { return Ok(()) };
    let config = channels::by_id(spine, ws, channel).await?;
    if config.settings.get("autoreply").and_then(Value::as_bool) != Some(true) {
        return Ok(());
    }
    // The job's id names the mail, so that a job that runs twice writes one.
    let mail = MessageId::from_uuid(job.id.uuid());
    let vault = spine.vault().clone();
    spine.execute(Order::new(ws, Actor::System), move |unit| write(unit, &vault, &config, case, mail)).await
}

fn write(
    unit: &mut Unit<'_, '_>,
    vault: &Vault,
    config: &ChannelConfig,
    case: CaseId,
    mail: MessageId,
) -> Result<(), Refusal> {
    let ws = unit.workspace();
    if store::existing_message(unit.tx(), ws, mail)?.is_some() {
        return Ok(());
    }
    let Some(first) = book::first_message(unit.tx(), ws, case)?.filter(|m| m.author_kind == "customer") else {
        return Ok(());
    };
    let state = unit.load::<Case>(case)?.ok_or(Refusal::NotFound)?;
    let Some(address) = store::requester(unit.tx(), ws, first.conversation_id)? else { return Ok(()) };
    let answers_machine = automatic::written_by_machine(first.automatic, &first.meta);
    let to = Recipient { address: &address, customer: state.customer, case, answers_machine };
    let Ok(permit) = automatic::permit(unit, vault, mail, &to)? else { return Ok(()) };
    let locale = state.language.or_else(|| config.language.clone()).unwrap_or_default();
    let brand = brand(config);
    let params =
        Params::from([("number".to_owned(), state.number.to_string()), ("brand".to_owned(), brand.to_owned())]);
    let letter = template::render("acknowledgement", &locale, &params)
        .ok_or_else(|| Refusal::Internal("no template for acknowledgements".to_owned()))?;
    automatic::reply(unit, &permit, (case, first.conversation_id), letter, brand.to_owned())
}

/// What the channel calls itself towards customers.
pub(crate) fn brand(config: &ChannelConfig) -> &str {
    let shown = config.settings.get("display_name").and_then(Value::as_str).unwrap_or_default();
    [config.brand.as_str(), shown, config.name.as_str()].into_iter().find(|n| !n.trim().is_empty()).unwrap_or_default()
}
