//! Delivery: every message that is queued goes out by its channel, at least once, and the case knows how far it got.

use crate::channels::{self, Protocols};
use crate::store::{self, DeliveryRow, EarlierRow};
use channel::{Attached, ChannelConfig, MailThread, OutRecipient, Outbound, SendError};
use domain::case::{Case, CaseCommand, CaseEvent, Delivery};
use domain::{Actor, ChannelKind, Code, Event, MessageId, Span, WorkspaceId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use spine::{
    Consumer, ContentHash, Job, JobRow, LoggedEvent, MAX_ATTEMPTS, NewJob, Order, Outcome, Refusal, Running, Spine,
    Unit,
};

pub(crate) const QUEUE: &str = "deliver";

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Payload {
    message: MessageId,
}

/// Turns "queued" into a job.
pub(crate) struct QueueDeliveries;

impl Consumer for QueueDeliveries {
    fn name(&self) -> &'static str {
        "conversations.deliver"
    }

    fn wants(&self, kind: &str) -> bool {
        matches!(kind, "case.message_sent" | "case.delivery_changed")
    }

    fn consume(&self, unit: &mut Unit<'_, '_>, event: &LoggedEvent) -> Result<(), Refusal> {
        let message = match &event.event {
            Event::Case(
                CaseEvent::MessageSent { message, delivery: Delivery::Queued, .. }
                | CaseEvent::DeliveryChanged { message, delivery: Delivery::Queued },
            ) => *message,
            _ => return Ok(()),
        };
        let run_at = unit.now();
        unit.job(NewJob { queue: QUEUE, key: message.to_string(), payload: json!(Payload { message }), run_at })
    }
}

/// Sends one message.
pub(crate) struct Deliver {
    pub(crate) protocols: Protocols,
}

impl Job for Deliver {
    fn queue(&self) -> &'static str {
        QUEUE
    }

    fn run<'a>(&'a self, spine: &'a Spine, job: &'a JobRow) -> Running<'a> {
        Box::pin(async move {
            match job.read::<Payload>() {
                Ok(payload) => match self.deliver(spine, job, payload.message).await {
                    Ok(outcome) => outcome,
                    Err(refusal) => Outcome::from(refusal),
                },
                Err(refusal) => Outcome::from(refusal),
            }
        })
    }
}

impl Deliver {
    async fn deliver(&self, spine: &Spine, job: &JobRow, message: MessageId) -> Result<Outcome, Refusal> {
        let ws = job.workspace_id;
        let row = spine.db().read(move |r| Ok::<_, Refusal>(store::to_deliver(r, ws, message)?)).await?;
        // Only what is still queued: taken back, sent or failed in the meantime means there is nothing to do.
        let Some(row) = row.filter(|r| r.delivery == "queued") else { return Ok(Outcome::Done) };
        let Some((kind, config)) = way_out(spine, ws, row.channel_id).await? else {
            settle(spine, ws, &row, message, failed(Code::NoWayToReply), Vec::new()).await?;
            return Ok(Outcome::Done);
        };
        if row.automatic && config.kind == ChannelKind::Email && !permitted(spine, ws, message).await? {
            settle(spine, ws, &row, message, failed(Code::LoopBudget), Vec::new()).await?;
            return Ok(Outcome::Done);
        }
        let protocol = self.protocols.get(config.kind)?;
        let Some(outbound) = compose(spine, ws, kind, message, &row).await? else {
            settle(spine, ws, &row, message, failed(Code::NoWayToReply), Vec::new()).await?;
            return Ok(Outcome::Done);
        };
        match protocol.send(&config, &outbound).await {
            Ok(sent) => {
                settle(spine, ws, &row, message, Delivery::Sent, sent.message_ids).await?;
                Ok(Outcome::Done)
            }
            Err(SendError::Retry { code, detail }) if job.attempts < MAX_ATTEMPTS => {
                Ok(Outcome::Retry { after: pause(job.attempts), error: format!("{code}: {detail}") })
            }
            Err(SendError::Retry { detail, .. }) => {
                tracing::warn!(message = %message, detail, "delivery gave up");
                settle(spine, ws, &row, message, failed(Code::DeliveryGaveUp), Vec::new()).await?;
                Ok(Outcome::Done)
            }
            Err(SendError::Permanent { code, detail }) => {
                tracing::warn!(message = %message, code, detail, "delivery refused");
                settle(spine, ws, &row, message, Delivery::Failed { code }, Vec::new()).await?;
                Ok(Outcome::Done)
            }
        }
    }
}

/// The kind of the conversation's channel, and the channel that carries the answer: forms and hand-entered contacts
/// are answered by the workspace's mailbox.
async fn way_out(
    spine: &Spine,
    ws: WorkspaceId,
    channel: domain::ChannelId,
) -> Result<Option<(ChannelKind, ChannelConfig)>, Refusal> {
    let own = channels::by_id(spine, ws, channel).await?;
    let kind = own.kind;
    Ok(match kind {
        ChannelKind::Webchat | ChannelKind::Email | ChannelKind::Api => Some((kind, own)),
        ChannelKind::Webform | ChannelKind::Phone | ChannelKind::Counter => {
            channels::mail_channel(spine, ws).await?.map(|mailbox| (kind, mailbox))
        }
    })
}

/// Whether the gate of automatic mail let this one through.
async fn permitted(spine: &Spine, ws: WorkspaceId, message: MessageId) -> Result<bool, Refusal> {
    spine.db().read(move |r| Ok(store::automatic::permitted(r, ws, message)?)).await
}

fn failed(code: Code) -> Delivery {
    Delivery::Failed { code: code.as_str().to_owned() }
}

/// 10 s, 20 s, 40 s ... at most an hour: mail servers that greylist want minutes.
fn pause(attempts: i32) -> Span {
    let seconds = 10_i64 << attempts.clamp(1, 10).saturating_sub(1);
    Span::seconds(seconds.min(3_600))
}

async fn settle(
    spine: &Spine,
    ws: WorkspaceId,
    row: &DeliveryRow,
    message: MessageId,
    delivery: Delivery,
    message_ids: Vec<String>,
) -> Result<(), Refusal> {
    let case = row.case_id;
    spine
        .execute(Order::new(ws, Actor::System), move |unit| {
            for id in &message_ids {
                store::add_reference(unit.tx(), ws, id, message, case)?;
            }
            unit.decide::<Case>(case, CaseCommand::Delivery { message, delivery: delivery.clone() })?;
            Ok(())
        })
        .await
}

/// Gathers everything the channel needs; `None` when there is no address to send to.
async fn compose(
    spine: &Spine,
    ws: WorkspaceId,
    kind: ChannelKind,
    message: MessageId,
    row: &DeliveryRow,
) -> Result<Option<Outbound>, Refusal> {
    let found = {
        let row = row.clone();
        spine.db().read(move |r| gather(r, ws, kind, message, &row)).await?
    };
    let Some(gathered) = found else { return Ok(None) };
    let mut attachments = Vec::new();
    for file in gathered.files {
        attachments.push(Attached {
            id: file.id,
            name: file.name,
            mime: file.mime,
            inline: file.inline,
            content_id: file.content_id,
            bytes: spine.files().get_async(ContentHash(file.hash)).await?,
        });
    }
    // A machine's mail has no word of the customer's in it (SECURITY row 6): neither name, subject nor quotation.
    let own_subject = own_subject(&row.meta).filter(|_| row.automatic);
    let (name, subject) = match own_subject {
        Some(subject) => (String::new(), subject),
        None => (row.customer_name.clone(), row.subject.clone()),
    };
    Ok(Some(Outbound {
        message,
        case: row.case_id,
        case_number: row.number,
        conversation: row.conversation_id,
        thread_key: row.thread_key.clone(),
        to: OutRecipient { name, address: gathered.address },
        subject,
        text: row.body_text.clone(),
        html: row.body_html.clone(),
        author_name: row.author_name.clone(),
        signature: gathered.signature,
        attachments,
        automatic: row.automatic,
        mail: gathered.mail,
        at: row.at,
        locale: row.language.clone().unwrap_or_else(|| "en".to_owned()),
    }))
}

fn own_subject(meta: &str) -> Option<String> {
    let meta: Value = serde_json::from_str(meta).ok()?;
    meta.get("own_subject").and_then(Value::as_str).map(str::to_owned)
}

struct Gathered {
    address: String,
    signature: String,
    mail: MailThread,
    files: Vec<store::AttachmentRow>,
}

fn gather(
    r: &mut db::Read<'_>,
    ws: WorkspaceId,
    kind: ChannelKind,
    message: MessageId,
    row: &DeliveryRow,
) -> Result<Option<Gathered>, Refusal> {
    let address = match kind {
        ChannelKind::Email | ChannelKind::Webform => match store::requester(r, ws, row.conversation_id)? {
            Some(address) => Some(address),
            None => store::address_of(r, ws, row.customer_id, "email")?,
        },
        ChannelKind::Phone | ChannelKind::Counter => store::address_of(r, ws, row.customer_id, "email")?,
        ChannelKind::Webchat | ChannelKind::Api => Some(row.thread_key.clone()),
    };
    let Some(address) = address else { return Ok(None) };
    let signature = match row.author_id {
        Some(author) => store::signature(r, ws, author)?.map(|(_, signature)| signature).unwrap_or_default(),
        None => String::new(),
    };
    let earlier = store::earlier(r, ws, row.conversation_id, row.seq)?;
    let mail = mail_thread(r, ws, row, &earlier)?;
    Ok(Some(Gathered { address, signature, mail, files: store::files_of(r, ws, message)? }))
}

/// In-Reply-To the customer's latest message (else the latest of all), References all of them, the customer's latest
/// words quoted.
fn mail_thread(
    r: &mut db::Read<'_>,
    ws: WorkspaceId,
    row: &DeliveryRow,
    earlier: &[EarlierRow],
) -> Result<MailThread, Refusal> {
    let (mut references, mut answered) = (Vec::new(), None);
    for message in earlier.iter().rev() {
        let ids = store::mail_ids(r, ws, message.id)?;
        if message.author_kind == "customer" {
            answered = ids.last().cloned().or(answered);
        }
        references.extend(ids);
    }
    let cc = if row.automatic { Vec::new() } else { store::copied(r, ws, row.conversation_id)? };
    // Whoever is in copy hears what comes, never what was (SECURITY row 5): no quotation of words before their time.
    let latest_joined = cc.iter().map(|(_, since)| *since).max();
    let quoted = earlier
        .iter()
        .filter(|_| !row.automatic)
        .find(|m| m.author_kind == "customer" && !is_strangers(m))
        .filter(|m| latest_joined.is_none_or(|since| since <= m.at));
    Ok(MailThread {
        in_reply_to: answered.or_else(|| references.last().cloned()),
        references,
        cc: cc.into_iter().map(|(address, _)| OutRecipient { name: String::new(), address }).collect(),
        quoted: quoted.map(|m| (m.author_name.clone(), m.at, m.body_text.clone())),
    })
}

/// A stranger's words are never sent on to the customer.
fn is_strangers(message: &EarlierRow) -> bool {
    serde_json::from_str::<Value>(&message.meta)
        .ok()
        .and_then(|meta| meta.get("sender").and_then(Value::as_str).map(|s| s == "stranger"))
        .unwrap_or(false)
}
