//! A visitor who has left the chat gets the answers by mail, once, with a way to go on by replying.

use crate::acknowledge::brand;
use crate::automatic::{self, Recipient};
use crate::channels::{self, Protocols};
use crate::store::followup::{self, ChatRow, UnreadRow};
use crate::store::{self, ChannelRow};
use crate::template::{self, Params};
use channel::{Attached, ChannelConfig, MailThread, OutRecipient, Outbound, SendError};
use db::{Query, params};
use domain::case::CaseEvent;
use domain::{Actor, ChannelKind, ConversationId, Event, MessageId, Span, WorkspaceId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use spine::{
    Consumer, ContentHash, Job, JobRow, LoggedEvent, MAX_ATTEMPTS, NewJob, Order, Outcome, Refusal, Running, Spine,
    Unit, Vault,
};

const QUEUE: &str = "chat_followup";
/// Unless the channel's `followup_seconds` says otherwise.
const WAIT: Span = Span::minutes(2);
/// Files that go along: how many, and bytes of all together. The rest waits in the chat.
const FILES_MAX: usize = 20;
const FILES_BYTES: usize = 10 * 1024 * 1024;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Payload {
    conversation: ConversationId,
}

/// Every answer in a chat starts the wait anew.
pub(crate) struct Watch;

impl Consumer for Watch {
    fn name(&self) -> &'static str {
        "conversations.chat_followup"
    }

    fn wants(&self, kind: &str) -> bool {
        kind == "case.message_sent"
    }

    fn consume(&self, unit: &mut Unit<'_, '_>, event: &LoggedEvent) -> Result<(), Refusal> {
        let (Event::Case(CaseEvent::MessageSent { conversation, .. }), Actor::Agent(_)) = (&event.event, event.actor)
        else {
            return Ok(());
        };
        let (ws, conversation) = (unit.workspace(), *conversation);
        let Some((channel, kind)) = store::channel_of(unit.tx(), ws, conversation)? else { return Ok(()) };
        if kind != ChannelKind::Webchat.as_str() {
            return Ok(());
        }
        let row: Option<ChannelRow> = unit.tx().query_opt(&store::CHANNEL_BY_ID, params![ws, channel])?;
        let Some(wait) = row.and_then(|row| wait(&row.settings)) else { return Ok(()) };
        let payload = json!(Payload { conversation });
        unit.job(NewJob { queue: QUEUE, key: conversation.to_string(), payload, run_at: event.at + wait })
    }
}

/// `None` switches it off.
fn wait(settings: &str) -> Option<Span> {
    let settings: Value = serde_json::from_str(settings).unwrap_or_default();
    match settings.get("followup_seconds").and_then(Value::as_i64) {
        Some(seconds) if seconds <= 0 => None,
        Some(seconds) => Some(Span::seconds(seconds.min(86_400))),
        None => Some(WAIT),
    }
}

/// Sends it.
pub(crate) struct Followups {
    pub(crate) protocols: Protocols,
}

impl Job for Followups {
    fn queue(&self) -> &'static str {
        QUEUE
    }

    fn run<'a>(&'a self, spine: &'a Spine, job: &'a JobRow) -> Running<'a> {
        Box::pin(async move {
            let result = match job.read::<Payload>() {
                Ok(payload) => self.follow_up(spine, job, payload.conversation).await,
                Err(refusal) => Err(refusal),
            };
            result.unwrap_or_else(Outcome::from)
        })
    }
}

/// What is to be said, and to whom.
struct Plan {
    chat: ChatRow,
    address: String,
    unread: Vec<UnreadRow>,
    files: Vec<store::AttachmentRow>,
    /// Given leave before, perhaps sent: the process may have died between.
    claimed: Option<MessageId>,
}

impl Followups {
    async fn follow_up(&self, spine: &Spine, job: &JobRow, conversation: ConversationId) -> Result<Outcome, Refusal> {
        let ws = job.workspace_id;
        let Some(plan) = spine.db().read(move |r| plan(r, ws, conversation)).await? else { return Ok(Outcome::Done) };
        let Some(mailbox) = channels::mail_channel(spine, ws).await? else { return Ok(Outcome::Done) };
        let chat_channel = channels::by_id(spine, ws, plan.chat.channel_id).await?;
        let Some(mail) = leave(spine, ws, conversation, &plan).await? else { return Ok(Outcome::Done) };
        let outbound = compose(spine, conversation, &plan, mail, &chat_channel).await?;
        match self.protocols.get(ChannelKind::Email)?.send(&mailbox, &outbound).await {
            Ok(sent) => {
                settle(spine, ws, conversation, plan, mail, sent.message_ids).await?;
                Ok(Outcome::Done)
            }
            Err(SendError::Retry { code, detail }) if job.attempts < MAX_ATTEMPTS => {
                Ok(Outcome::back_off(job.attempts, format!("{code}: {detail}")))
            }
            Err(SendError::Retry { code, detail } | SendError::Permanent { code, detail }) => {
                tracing::warn!(%conversation, code, detail, "a visitor who has left could not be reached by mail");
                settle(spine, ws, conversation, plan, mail, Vec::new()).await?;
                Ok(Outcome::Done)
            }
        }
    }
}

fn plan(r: &mut db::Read<'_>, ws: WorkspaceId, conversation: ConversationId) -> Result<Option<Plan>, Refusal> {
    let Some(chat) = followup::chat(r, ws, conversation)? else { return Ok(None) };
    let before = followup::followup(r, ws, conversation)?;
    let told = before.map_or(0, |b| b.told_seq);
    let seen = followup::last_seen(r, ws, &chat)?;
    let unread = followup::unread(r, (ws, conversation), (seen, told))?;
    let Some(last) = unread.last() else { return Ok(None) };
    let claimed = before.filter(|b| b.state == 0 && b.up_to_seq == last.seq).map(|b| b.mail_id);
    let address = match store::address_of(r, ws, chat.customer_id, "email")? {
        Some(address) => Some(address),
        None => followup::claimed_address(r, ws, &chat)?,
    };
    let Some(address) = address else { return Ok(None) };
    let mut files = Vec::new();
    for message in &unread {
        files.extend(store::files_of(r, ws, message.id)?);
    }
    files.truncate(FILES_MAX);
    Ok(Some(Plan { chat, address, unread, files, claimed }))
}

/// Asks the gate, and claims the messages for this one mail.
async fn leave(
    spine: &Spine,
    ws: WorkspaceId,
    conversation: ConversationId,
    plan: &Plan,
) -> Result<Option<MessageId>, Refusal> {
    if plan.claimed.is_some() {
        return Ok(plan.claimed);
    }
    let (chat, address, vault): (_, _, Vault) = (plan.chat.clone(), plan.address.clone(), spine.vault().clone());
    let up_to = plan.unread.last().map_or(0, |m| m.seq);
    spine
        .execute(Order::new(ws, Actor::System), move |unit| {
            let (mail, at): (MessageId, _) = (unit.next_id(), unit.now());
            let to =
                Recipient { address: &address, customer: chat.customer_id, case: chat.case_id, answers_machine: false };
            if automatic::permit(unit, &vault, mail, &to)?.is_err() {
                return Ok(None);
            }
            followup::claim(unit.tx(), (ws, conversation), (mail, up_to), at)?;
            Ok(Some(mail))
        })
        .await
}

/// Only what agents wrote goes to an address that somebody merely typed.
async fn compose(
    spine: &Spine,
    conversation: ConversationId,
    plan: &Plan,
    mail: MessageId,
    chat_channel: &ChannelConfig,
) -> Result<Outbound, Refusal> {
    let mut attachments = Vec::new();
    let mut total = 0;
    for file in &plan.files {
        let bytes = spine.files().get_async(ContentHash(file.hash)).await?;
        total += bytes.len();
        if total > FILES_BYTES {
            break;
        }
        attachments.push(Attached {
            id: file.id,
            name: file.name.clone(),
            mime: file.mime.clone(),
            inline: false,
            content_id: None,
            bytes,
        });
    }
    let said: Vec<String> = plan.unread.iter().map(|m| format!("{}:\n{}", m.author_name, m.body_text)).collect();
    let brand = brand(chat_channel).to_owned();
    let params = Params::from([
        ("number".to_owned(), plan.chat.number.to_string()),
        ("brand".to_owned(), brand.clone()),
        ("messages".to_owned(), said.join("\n\n")),
    ]);
    let locale = plan.chat.language.clone().or_else(|| chat_channel.language.clone()).unwrap_or_default();
    let letter = template::render("chat_followup", &locale, &params)
        .ok_or_else(|| Refusal::Internal("no template for chats that go on by mail".to_owned()))?;
    Ok(Outbound {
        message: mail,
        case: plan.chat.case_id,
        case_number: plan.chat.number,
        conversation,
        thread_key: plan.chat.thread_key.clone(),
        to: OutRecipient { name: String::new(), address: plan.address.clone() },
        subject: letter.subject,
        text: letter.text,
        html: None,
        author_name: brand,
        signature: String::new(),
        attachments,
        automatic: true,
        mail: MailThread::default(),
        at: spine.now(),
        locale,
    })
}

/// A reply to the mail finds the case by the mail's id, and its sender takes part.
async fn settle(
    spine: &Spine,
    ws: WorkspaceId,
    conversation: ConversationId,
    plan: Plan,
    mail: MessageId,
    mail_ids: Vec<String>,
) -> Result<(), Refusal> {
    spine
        .execute(Order::new(ws, Actor::System), move |unit| {
            let at = unit.now();
            if let Some(last) = plan.unread.last() {
                for id in &mail_ids {
                    store::add_reference(unit.tx(), ws, id, last.id, plan.chat.case_id)?;
                }
            }
            let person = (plan.address.as_str(), "requester", true);
            store::add_participant(unit.tx(), (ws, conversation), person, at)?;
            followup::sent(unit.tx(), ws, conversation, mail)?;
            Ok(())
        })
        .await
}
