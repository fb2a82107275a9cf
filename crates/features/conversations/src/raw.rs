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
use spine::{ContentHash, Job, JobRow, MAX_ATTEMPTS, NewJob, Order, Outcome, Refusal, Running, Spine};

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
    let twin = twin_key(&bytes);
    let hash = spine.files().put_async(bytes).await?;
    let channel = config.id;
    spine
        .execute(Order::new(config.workspace, Actor::System), move |unit| {
            let (id, message): (InboxId, MessageId) = (unit.next_id(), unit.next_id());
            let (ws, at, envelope) = (unit.workspace(), unit.now(), envelope.to_string());
            let new = NewInbox {
                id,
                channel,
                dedupe_key: &dedupe_key,
                twin_key: twin.as_deref(),
                hash: hash.0,
                size,
                envelope: &envelope,
                message,
                at,
            };
            let (id, is_new) = store::insert_inbox(unit.tx(), ws, &new)?;
            if is_new {
                let payload = json!(Payload { inbox: id });
                unit.job(NewJob { queue: QUEUE, key: id.to_string(), payload, run_at: at })?;
            }
            Ok(id)
        })
        .await
}

/// The same mail by another way in: its Message-ID and the hash of its body. Headers differ from way to way
/// (`Received`), the body does not. The ID alone would let anybody who knows one suppress a mail.
fn twin_key(bytes: &[u8]) -> Option<String> {
    const ID_BYTES: usize = 500;
    let body = body_start(bytes)?;
    let head = String::from_utf8_lossy(bytes.get(..body)?);
    let mut lines = head.lines();
    let value = loop {
        let (name, value) = lines.next()?.split_once(':').unwrap_or_default();
        if name.trim_end().eq_ignore_ascii_case("message-id") {
            break value;
        }
    };
    // A long one stands folded on the next line.
    let id = if value.trim().is_empty() { lines.next()?.trim() } else { value.trim() };
    let id: String = id.to_lowercase().chars().take(ID_BYTES).collect();
    let body = bytes.get(body..)?.trim_ascii_end();
    (!id.is_empty()).then(|| format!("{id}:{}", ContentHash::of(body).hex()))
}

/// Where the body begins: behind the first empty line.
fn body_start(bytes: &[u8]) -> Option<usize> {
    let crlf = bytes.windows(4).position(|w| w == b"\r\n\r\n").map(|at| at + 4);
    let lf = bytes.windows(2).position(|w| w == b"\n\n").map(|at| at + 2);
    match (crlf, lf) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
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
                Err(refusal @ (Refusal::Storage(_) | Refusal::Internal(_))) if job.attempts < MAX_ATTEMPTS => {
                    Outcome::back_off(job.attempts, refusal)
                }
                Err(refusal) => give_up(spine, job, refusal).await,
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

/// Shown to the administrators with its source: nothing that came in is lost.
async fn give_up(spine: &Spine, job: &JobRow, refusal: Refusal) -> Outcome {
    let Ok(Payload { inbox }) = job.read::<Payload>() else { return Outcome::Fail { error: refusal.to_string() } };
    let outcome = match &refusal {
        Refusal::Rejected(rejection) => rejection.code.as_str(),
        _ => "error",
    };
    let noted = spine
        .execute(Order::new(job.workspace_id, Actor::System), move |unit| {
            let ws = unit.workspace();
            Ok(store::inbox_done(unit.tx(), (ws, inbox), InboxState::Failed, outcome, None)?)
        })
        .await;
    match noted {
        Ok(()) => Outcome::Fail { error: refusal.to_string() },
        Err(error) => Outcome::back_off(job.attempts, error),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_mail_by_two_ways_is_one() {
        let smtp = b"Received: by us\r\nMessage-ID: <A@x>\r\nSubject: hi\r\n\r\nbody\r\n";
        let imap = b"Message-Id:\r\n <a@X>\r\nReceived: by them\r\n\r\nbody";
        assert_eq!(twin_key(smtp), twin_key(imap));
        assert!(twin_key(smtp).is_some());
        assert_ne!(twin_key(smtp), twin_key(b"Message-ID: <A@x>\r\n\r\nother"), "another body is another mail");
        for none in [&b"Subject: x\r\n\r\nMessage-ID: <a@x>\r\n"[..], b"Message-ID: <a@x>", b"", b"Message-ID:\n\nx"] {
            assert_eq!(twin_key(none), None, "{}", String::from_utf8_lossy(none));
        }
    }
}
