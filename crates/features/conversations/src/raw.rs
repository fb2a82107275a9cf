//! Raw messages: stored durably before anybody tries to understand them, then understood by a job.
//! Each ends with exactly one outcome, and none is ever dropped (I5).

use crate::channels::{self, Protocols};
use crate::intake;
use crate::store::{self, InboxState, NewInbox};
use channel::{Bounce, ChannelConfig, NewAttachment, Raw, RawFile, Understood};
use domain::case::{Case, CaseCommand, Delivery};
use domain::{Actor, AttachmentId, Code, InboxId, MessageId, WorkspaceId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use spine::{ContentHash, Job, JobRow, NewJob, Order, Outcome, Refusal, Running, Spine};

pub(crate) const QUEUE: &str = "intake";

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Payload {
    inbox: InboxId,
}

/// Stores a raw message. After this returns, it survives a power cut: only then may the other side be told
/// that it was accepted. The same `dedupe_key` again stores nothing.
///
/// # Errors
/// Those of the disk and the database; the sender must then try again.
pub async fn store_raw(
    spine: &Spine,
    config: &ChannelConfig,
    dedupe_key: String,
    bytes: Vec<u8>,
    envelope: Value,
) -> Result<InboxId, Refusal> {
    let size = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
    let hash = spine.files().put_async(bytes).await?;
    let channel = config.id;
    spine
        .execute(Order::new(config.workspace, Actor::System), move |unit| {
            let (id, message): (InboxId, MessageId) = (unit.next_id(), unit.next_id());
            let (ws, at, envelope) = (unit.workspace(), unit.now(), envelope.to_string());
            let new =
                NewInbox { id, channel, dedupe_key: &dedupe_key, hash: hash.0, size, envelope: &envelope, message, at };
            let (id, is_new) = store::insert_inbox(unit.tx(), ws, &new)?;
            if is_new {
                let payload = json!(Payload { inbox: id });
                unit.job(NewJob { queue: QUEUE, key: id.to_string(), payload, run_at: at })?;
            }
            Ok(id)
        })
        .await
}

/// Understands what `store_raw` has stored.
pub(crate) struct Intake {
    pub(crate) protocols: Protocols,
}

impl Job for Intake {
    fn queue(&self) -> &'static str {
        QUEUE
    }

    fn run<'a>(&'a self, spine: &'a Spine, job: &'a JobRow) -> Running<'a> {
        Box::pin(async move {
            let result = match job.read::<Payload>() {
                Ok(payload) => self.take(spine, job.workspace_id, payload.inbox).await,
                Err(refusal) => Err(refusal),
            };
            match result {
                Ok(()) => Outcome::Done,
                Err(refusal @ (Refusal::Storage(_) | Refusal::Internal(_))) => Outcome::back_off(job.attempts, refusal),
                Err(refusal) => Outcome::Fail { error: refusal.to_string() },
            }
        })
    }
}

impl Intake {
    async fn take(&self, spine: &Spine, workspace: WorkspaceId, id: InboxId) -> Result<(), Refusal> {
        let row = spine.db().read(move |r| Ok::<_, Refusal>(store::inbox(r, workspace, id)?)).await?;
        let row = row.ok_or(Refusal::NotFound)?;
        if row.state != 0 {
            return Ok(());
        }
        let config = channels::by_id(spine, workspace, row.channel_id).await?;
        let bytes = spine.files().get_async(ContentHash(row.raw_hash)).await?;
        let understood = {
            let message = row.message_id.ok_or_else(|| Refusal::Internal("inbox row without message id".to_owned()))?;
            let envelope = serde_json::from_str(&row.envelope).map_err(Refusal::internal)?;
            let (protocol, spine, config) = (self.protocols.get(config.kind)?, spine.clone(), config.clone());
            // Parsing is bounded but may take its time: off the async threads.
            tokio::task::spawn_blocking(move || {
                let raw = Raw { inbox: id, message, bytes: &bytes, envelope, received_at: row.received_at };
                protocol.understand(&config, &raw, &mut || spine.next_id::<AttachmentId>())
            })
            .await
            .map_err(Refusal::internal)?
        };
        let understood = understood.ok_or_else(|| Refusal::Internal("this channel has no raw messages".to_owned()))?;
        self.file(spine, &config, id, understood).await
    }

    async fn file(
        &self,
        spine: &Spine,
        config: &ChannelConfig,
        id: InboxId,
        understood: Understood,
    ) -> Result<(), Refusal> {
        let Understood { mut inbound, raw_files, bounce } = understood;
        inbound.files = store_files(spine, raw_files).await?;
        let config = config.clone();
        spine
            .execute(Order::new(config.workspace, Actor::System), move |unit| {
                let ws = unit.workspace();
                if let Some(bounce) = &bounce
                    && let Some(case) = bounced(unit, bounce)?
                {
                    store::inbox_done(unit.tx(), (ws, id), InboxState::Done, "bounce", Some(case))?;
                    return Ok(());
                }
                let received = intake::receive_in(unit, &config, &inbound)?;
                let unparsable = inbound.meta.get("unparsable").and_then(Value::as_bool).unwrap_or(false);
                let (state, outcome) =
                    if unparsable { (InboxState::Failed, "unparsable") } else { (InboxState::Done, "message") };
                store::inbox_done(unit.tx(), (ws, id), state, outcome, Some(received.case))?;
                Ok(())
            })
            .await
    }
}

async fn store_files(spine: &Spine, files: Vec<RawFile>) -> Result<Vec<NewAttachment>, Refusal> {
    let mut stored = Vec::with_capacity(files.len());
    for file in files {
        let size = i64::try_from(file.bytes.len()).unwrap_or(i64::MAX);
        let verified = web::media::verify(&file.bytes, &file.mime);
        let hash = spine.files().put_async(file.bytes).await?;
        stored.push(NewAttachment {
            id: file.id,
            hash,
            size,
            name: file.name,
            mime: verified.mime,
            inline: file.inline,
            content_id: file.content_id,
            pixels: verified.pixels,
        });
    }
    Ok(stored)
}

/// Marks the message of ours that came back. A report about nothing of ours is an ordinary mail.
fn bounced(unit: &mut spine::Unit<'_, '_>, bounce: &Bounce) -> Result<Option<domain::CaseId>, Refusal> {
    let ws = unit.workspace();
    for mail_id in bounce.message_ids.iter().take(20) {
        let Some((message, case)) = store::referenced_message(unit.tx(), ws, mail_id)? else { continue };
        if bounce.permanent {
            let delivery = Delivery::Failed { code: Code::DeliveryRejected.as_str().to_owned() };
            unit.decide::<Case>(case, CaseCommand::Delivery { message, delivery })?;
        }
        return Ok(Some(case));
    }
    Ok(None)
}
