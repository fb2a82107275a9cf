//! Mails to the people who work here (invitations, forgotten passwords). Any feature puts a job into the queue
//! `system_mail`; the text comes from a template. No customer ever gets one, so they have no loop budget.

use crate::channels::{self, Protocols};
use crate::template::{self, Params};
use channel::{MailThread, OutRecipient, Outbound, SendError};
use domain::{CaseId, ChannelKind, ConversationId, Id, MessageId, Span};
use serde::{Deserialize, Serialize};
use spine::{Job, JobRow, Outcome, Refusal, Running, Spine};
use uuid::Uuid;

/// Name of the queue.
pub const QUEUE: &str = "system_mail";
/// How long to wait for somebody to set up a mailbox.
const NO_MAILBOX: Span = Span::minutes(30);

/// What the job's payload says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SystemMail {
    pub to: String,
    pub locale: String,
    pub template: String,
    #[serde(default)]
    pub params: Params,
}

pub(crate) struct SystemMails {
    pub(crate) protocols: Protocols,
}

impl Job for SystemMails {
    fn queue(&self) -> &'static str {
        QUEUE
    }

    fn run<'a>(&'a self, spine: &'a Spine, job: &'a JobRow) -> Running<'a> {
        Box::pin(async move { self.send(spine, job).await.unwrap_or_else(Outcome::from) })
    }
}

impl SystemMails {
    async fn send(&self, spine: &Spine, job: &JobRow) -> Result<Outcome, Refusal> {
        let mail = match job.read::<SystemMail>() {
            Ok(mail) => mail,
            Err(refusal) => return Ok(Outcome::Fail { error: refusal.to_string() }),
        };
        let Some(letter) = template::render(&mail.template, &mail.locale, &mail.params) else {
            return Ok(Outcome::Fail { error: format!("no template {}", mail.template) });
        };
        let Some(mailbox) = channels::mail_channel(spine, job.workspace_id).await? else {
            return Ok(Outcome::Retry { after: NO_MAILBOX, error: "no mailbox is set up".to_owned() });
        };
        let outbound = outbound(spine, job, mail, letter, crate::acknowledge::brand(&mailbox).to_owned());
        match self.protocols.get(ChannelKind::Email)?.send(&mailbox, &outbound).await {
            Ok(_) => Ok(Outcome::Done),
            Err(SendError::Retry { code, detail }) => {
                Ok(Outcome::back_off(job.attempts.saturating_add(2), format!("{code}: {detail}")))
            }
            Err(SendError::Permanent { code, detail }) => Ok(Outcome::Fail { error: format!("{code}: {detail}") }),
        }
    }
}

/// Nil ids: it is about no case, so it carries no token of one.
fn outbound(spine: &Spine, job: &JobRow, mail: SystemMail, letter: template::Letter, sender: String) -> Outbound {
    Outbound {
        message: MessageId::from_uuid(job.id.uuid()),
        case: CaseId(Uuid::nil()),
        case_number: 0,
        conversation: ConversationId(Uuid::nil()),
        thread_key: String::new(),
        to: OutRecipient { name: mail.params.get("name").cloned().unwrap_or_default(), address: mail.to },
        subject: letter.subject,
        text: letter.text,
        html: None,
        author_name: sender,
        signature: String::new(),
        attachments: Vec::new(),
        automatic: true,
        mail: MailThread::default(),
        at: spine.now(),
        locale: mail.locale,
    }
}
