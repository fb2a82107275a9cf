//! All SQL of this feature. Here: the intake and the delivery. The submodules hold the rest.

pub mod automatic;
pub mod configured;
pub mod followup;
pub mod mailbox;
pub mod moving;
pub mod people;

use db::{Connection, Error, Query, Tx, params, row, sql};
use domain::{
    AttachmentId, CaseId, ChannelId, ConversationId, CustomerId, InboxId, MessageId, TeamId, Timestamp, WorkspaceId,
};

row! {
    #[derive(Debug, Clone)]
    pub struct ChannelRow {
        pub workspace_id: WorkspaceId,
        pub id: ChannelId,
        pub kind: String,
        pub name: String,
        pub brand: String,
        pub public_key: String,
        pub settings: String,
        pub secrets: Option<Vec<u8>>,
        pub team_id: Option<TeamId>,
        pub language: Option<String>,
        pub required_skills: String,
        pub active: bool,
    }
}

row! {
    #[derive(Debug, Clone, Copy)]
    pub struct ConversationRow {
        pub id: ConversationId,
        pub case_id: CaseId,
        pub customer_id: CustomerId,
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct InboxRow {
        pub id: InboxId,
        pub channel_id: ChannelId,
        pub raw_hash: [u8; 32],
        pub envelope: String,
        pub received_at: Timestamp,
        pub state: i16,
        pub message_id: Option<MessageId>,
    }
}

row! {
    /// What is needed to deliver a message.
    #[derive(Debug, Clone)]
    pub struct DeliveryRow {
        pub case_id: CaseId,
        pub conversation_id: ConversationId,
        pub seq: i64,
        pub at: Timestamp,
        pub author_id: Option<uuid::Uuid>,
        pub author_name: String,
        pub automatic: bool,
        pub body_text: String,
        pub body_html: Option<String>,
        pub delivery: String,
        pub channel_id: ChannelId,
        pub customer_id: CustomerId,
        pub thread_key: String,
        pub number: i64,
        pub subject: String,
        pub language: Option<String>,
        pub customer_name: String,
        pub meta: String,
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct EarlierRow {
        pub id: MessageId,
        pub at: Timestamp,
        pub author_kind: String,
        pub author_name: String,
        pub body_text: String,
        pub meta: String,
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct AttachmentRow {
        pub id: AttachmentId,
        pub hash: [u8; 32],
        pub name: String,
        pub mime: String,
        pub inline: bool,
        pub content_id: Option<String>,
    }
}

macro_rules! channel_sql {
    ($name:ident, $tail:literal, $params:literal $(, $global:ident)?) => {
        sql!(pub $name = concat!(
            "SELECT workspace_id, id, kind, name, brand, public_key, settings, secrets, team_id, language, ",
            "required_skills, active FROM channel ", $tail), params: $params, row: ChannelRow $(, $global)?);
    };
}
channel_sql!(CHANNEL_BY_ID, "WHERE workspace_id = $1 AND id = $2", 2);
channel_sql!(CHANNELS, "WHERE workspace_id = $1 ORDER BY name, id LIMIT 500", 1);
channel_sql!(CHANNEL_BY_KEY, "WHERE kind = $1 AND public_key = $2 AND active = TRUE ORDER BY id LIMIT 1", 2, global);
channel_sql!(ACTIVE_CHANNELS, "WHERE active = TRUE ORDER BY workspace_id, id", 0, global);
channel_sql!(
    MAIL_CHANNEL,
    "WHERE workspace_id = $1 AND kind = 'email' AND active = TRUE ORDER BY created_at, id LIMIT 1",
    1
);

sql!(MESSAGE_EXISTS = "SELECT case_id, conversation_id FROM view_message WHERE workspace_id = $1 AND id = $2", params: 2);
sql!(CHANNEL_OF = "SELECT channel_id, channel_kind FROM view_conversation WHERE workspace_id = $1 AND id = $2", params: 2);
sql!(TAKES_PART_IN_CASE = "SELECT COUNT(*) FROM participant p JOIN view_conversation v ON v.workspace_id = p.workspace_id \
    AND v.id = p.conversation_id WHERE v.workspace_id = $1 AND v.case_id = $2 AND p.address = $3 AND p.approved = TRUE", params: 3);
sql!(PROVE = "UPDATE participant SET proven = TRUE WHERE workspace_id = $1 AND conversation_id = $2 AND address = $3 AND proven = FALSE", params: 3);
sql!(THREAD = "SELECT id, case_id, customer_id FROM view_conversation \
    WHERE workspace_id = $1 AND channel_id = $2 AND thread_key = $3 ORDER BY opened_at DESC, id DESC LIMIT 1", params: 3, row: ConversationRow);
sql!(CONVERSATION_OF_CASE = "SELECT id, case_id, customer_id FROM view_conversation \
    WHERE workspace_id = $1 AND case_id = $2 AND channel_id = $3 ORDER BY opened_at DESC, id DESC LIMIT 1", params: 3, row: ConversationRow);
sql!(CASE_STATUS = "SELECT status_rank, number FROM view_case WHERE workspace_id = $1 AND id = $2", params: 2);
sql!(CUSTOMER_BY_IDENTITY = "SELECT customer_id FROM view_customer_identity \
    WHERE workspace_id = $1 AND kind = $2 AND address = $3 ORDER BY level DESC, added_at, customer_id LIMIT 1", params: 3);
sql!(REFERENCED = "SELECT r.case_id, m.conversation_id FROM view_mail_reference r JOIN view_message m \
    ON m.workspace_id = r.workspace_id AND m.id = r.message_id WHERE r.workspace_id = $1 AND r.mail_id = $2 \
    ORDER BY m.at DESC, m.id DESC LIMIT 1", params: 2);
sql!(REFERENCED_MESSAGE = "SELECT r.message_id, r.case_id FROM view_mail_reference r JOIN view_message m \
    ON m.workspace_id = r.workspace_id AND m.id = r.message_id JOIN view_conversation v ON v.workspace_id = m.workspace_id \
    AND v.id = m.conversation_id WHERE r.workspace_id = $1 AND r.mail_id = $2 AND m.author_kind <> 'customer' \
    AND m.delivery IN ('queued', 'sent', 'failed') AND v.channel_kind NOT IN ('webchat', 'api') ORDER BY r.message_id DESC LIMIT 1", params: 2);
sql!(TAKES_PART = "SELECT COUNT(*) FROM participant WHERE workspace_id = $1 AND conversation_id = $2 AND address = $3 AND approved = TRUE", params: 3);
sql!(SAME_SUBJECT = "SELECT c.id, v.id FROM participant p JOIN view_conversation v ON v.workspace_id = p.workspace_id \
    AND v.id = p.conversation_id JOIN view_case c ON c.workspace_id = v.workspace_id AND c.id = v.case_id \
    WHERE p.workspace_id = $1 AND p.address = $2 AND p.approved = TRUE AND v.channel_id = $3 AND lower(c.subject) = lower($4) \
    AND c.status_rank < 5 AND c.last_message_at > $5 ORDER BY c.last_message_at DESC, v.id DESC LIMIT 1", params: 5);
sql!(ADD_PARTICIPANT = "INSERT INTO participant (workspace_id, conversation_id, address, role, approved, added_at) \
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (workspace_id, conversation_id, address) DO NOTHING", params: 6);
sql!(COPIED = "SELECT address, added_at FROM participant WHERE workspace_id = $1 AND conversation_id = $2 AND role = 'copied' \
    AND approved = TRUE ORDER BY address LIMIT 100", params: 2);
sql!(REQUESTER = "SELECT address FROM participant WHERE workspace_id = $1 AND conversation_id = $2 AND role = 'requester' \
    ORDER BY added_at, address LIMIT 1", params: 2);
sql!(INSERT_FILE = "INSERT INTO attachment (workspace_id, id, message_id, hash, size, name, mime, inline, content_id, width, height, owner, created_at) \
    VALUES ($1, $2, NULL, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)", params: 12);
sql!(NEXT_NUMBER = "INSERT INTO counter (workspace_id, name, value) VALUES ($1, 'case', 1) \
    ON CONFLICT (workspace_id, name) DO UPDATE SET value = counter.value + 1 RETURNING value", params: 1);

sql!(INSERT_INBOX = "INSERT INTO inbox (workspace_id, id, channel_id, dedupe_key, raw_hash, raw_size, envelope, received_at, state, outcome, message_id, twin_key) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, '', $9, $10) ON CONFLICT DO NOTHING", params: 10);
sql!(INBOX_BY_KEY = "SELECT id FROM inbox WHERE workspace_id = $1 AND channel_id = $2 AND (dedupe_key = $3 OR twin_key = $4) \
    ORDER BY received_at LIMIT 1", params: 4);
sql!(INBOX_BY_ID = "SELECT id, channel_id, raw_hash, envelope, received_at, state, message_id FROM inbox \
    WHERE workspace_id = $1 AND id = $2", params: 2, row: InboxRow);
sql!(INBOX_DONE = "UPDATE inbox SET state = $3, outcome = $4, case_id = $5 WHERE workspace_id = $1 AND id = $2", params: 5);

sql!(TO_DELIVER = "SELECT m.case_id, m.conversation_id, m.seq, m.at, m.author_id, m.author_name, m.automatic, m.body_text, m.body_html, \
    m.delivery, v.channel_id, v.customer_id, v.thread_key, c.number, c.subject, c.language, u.name AS customer_name, m.meta FROM view_message m \
    JOIN view_conversation v ON v.workspace_id = m.workspace_id AND v.id = m.conversation_id \
    JOIN view_case c ON c.workspace_id = m.workspace_id AND c.id = m.case_id \
    JOIN view_customer u ON u.workspace_id = v.workspace_id AND u.id = v.customer_id \
    WHERE m.workspace_id = $1 AND m.id = $2", params: 2, row: DeliveryRow);
sql!(EARLIER = "SELECT id, at, author_kind, author_name, body_text, meta FROM view_message WHERE workspace_id = $1 \
    AND conversation_id = $2 AND seq < $3 AND note = FALSE AND delivery NOT IN ('held', 'cancelled') ORDER BY seq DESC LIMIT 20", params: 3, row: EarlierRow);
sql!(MAIL_IDS = "SELECT mail_id FROM view_mail_reference WHERE workspace_id = $1 AND message_id = $2 ORDER BY mail_id LIMIT 5", params: 2);
sql!(ADD_REFERENCE = "INSERT INTO mail_reference (workspace_id, mail_id, message_id, case_id) VALUES ($1, $2, $3, $4) \
    ON CONFLICT (workspace_id, mail_id, message_id) DO NOTHING", params: 4);
sql!(FILES_OF = "SELECT id, hash, name, mime, inline, content_id FROM view_attachment WHERE workspace_id = $1 AND message_id = $2 ORDER BY id", params: 2, row: AttachmentRow);
sql!(ADDRESS_OF = "SELECT address FROM view_customer_identity WHERE workspace_id = $1 AND customer_id = $2 AND kind = $3 \
    ORDER BY level DESC, added_at LIMIT 1", params: 3);
sql!(SIGNATURE = "SELECT name, signature FROM view_agent WHERE workspace_id = $1 AND id = $2", params: 2);

/// A message that is there already, under the same client-made id.
pub fn existing_message(
    q: &mut impl Connection,
    ws: WorkspaceId,
    id: MessageId,
) -> Result<Option<(CaseId, ConversationId)>, Error> {
    q.query_opt(&MESSAGE_EXISTS, params![ws, id])
}

pub fn conversation_by_key(
    q: &mut impl Connection,
    ws: WorkspaceId,
    channel: ChannelId,
    key: &str,
) -> Result<Option<ConversationRow>, Error> {
    q.query_opt(&THREAD, params![ws, channel, key])
}

pub fn conversation_of_case(
    q: &mut impl Connection,
    ws: WorkspaceId,
    case: CaseId,
    channel: ChannelId,
) -> Result<Option<ConversationRow>, Error> {
    q.query_opt(&CONVERSATION_OF_CASE, params![ws, case, channel])
}

/// Status rank and number of a case.
pub fn case_standing(q: &mut impl Connection, ws: WorkspaceId, case: CaseId) -> Result<Option<(i64, i64)>, Error> {
    q.query_opt(&CASE_STATUS, params![ws, case])
}

pub fn customer_by_identity(
    q: &mut impl Connection,
    ws: WorkspaceId,
    kind: &str,
    address: &str,
) -> Result<Option<CustomerId>, Error> {
    q.query_opt(&CUSTOMER_BY_IDENTITY, params![ws, kind, address])
}

pub fn referenced(
    q: &mut impl Connection,
    ws: WorkspaceId,
    mail_id: &str,
) -> Result<Option<(CaseId, ConversationId)>, Error> {
    q.query_opt(&REFERENCED, params![ws, mail_id])
}

/// The message of ours that a Message-ID names, with its case: only what went out by mail can come back.
pub fn referenced_message(
    q: &mut impl Connection,
    ws: WorkspaceId,
    mail_id: &str,
) -> Result<Option<(MessageId, CaseId)>, Error> {
    q.query_opt(&REFERENCED_MESSAGE, params![ws, mail_id])
}

pub fn takes_part(
    q: &mut impl Connection,
    ws: WorkspaceId,
    conversation: ConversationId,
    address: &str,
) -> Result<bool, Error> {
    let count: i64 = q.query_one(&TAKES_PART, params![ws, conversation, address])?;
    Ok(count > 0)
}

/// The latest open case on this channel in which the address takes part under the same subject.
pub fn same_subject(
    q: &mut impl Connection,
    (ws, channel): (WorkspaceId, ChannelId),
    address: &str,
    subject: &str,
    since: Timestamp,
) -> Result<Option<(CaseId, ConversationId)>, Error> {
    q.query_opt(&SAME_SUBJECT, params![ws, address, channel, subject, since])
}

pub fn add_participant(
    tx: &mut Tx<'_>,
    (ws, conversation): (WorkspaceId, ConversationId),
    (address, role, approved): (&str, &str, bool),
    at: Timestamp,
) -> Result<(), Error> {
    tx.execute(&ADD_PARTICIPANT, params![ws, conversation, address, role, approved, at])?;
    Ok(())
}

/// People in copy, each with the time since when.
pub fn copied(
    q: &mut impl Connection,
    ws: WorkspaceId,
    conversation: ConversationId,
) -> Result<Vec<(String, Timestamp)>, Error> {
    q.query(&COPIED, params![ws, conversation])
}

/// Channel and kind of a conversation.
pub fn channel_of(
    q: &mut impl Connection,
    ws: WorkspaceId,
    conversation: ConversationId,
) -> Result<Option<(ChannelId, String)>, Error> {
    q.query_opt(&CHANNEL_OF, params![ws, conversation])
}

/// Whether an address takes part in any conversation of a case.
pub fn takes_part_in_case(
    q: &mut impl Connection,
    ws: WorkspaceId,
    case: CaseId,
    address: &str,
) -> Result<bool, Error> {
    let count: i64 = q.query_one(&TAKES_PART_IN_CASE, params![ws, case, address])?;
    Ok(count > 0)
}

/// Notes that somebody at this address reads what we send there.
pub fn prove(tx: &mut Tx<'_>, ws: WorkspaceId, conversation: ConversationId, address: &str) -> Result<(), Error> {
    tx.execute(&PROVE, params![ws, conversation, address])?;
    Ok(())
}

pub fn requester(
    q: &mut impl Connection,
    ws: WorkspaceId,
    conversation: ConversationId,
) -> Result<Option<String>, Error> {
    q.query_opt(&REQUESTER, params![ws, conversation])
}

pub fn insert_file(
    tx: &mut Tx<'_>,
    ws: WorkspaceId,
    file: &channel::NewAttachment,
    owner: &str,
    at: Timestamp,
) -> Result<(), Error> {
    let (width, height) = file.pixels.map_or((None, None), |(w, h)| (Some(w), Some(h)));
    let hash = file.hash.0.as_slice();
    tx.execute(
        &INSERT_FILE,
        params![
            ws,
            file.id,
            hash,
            file.size,
            file.name.as_str(),
            file.mime.as_str(),
            file.inline,
            file.content_id.clone(),
            width,
            height,
            owner,
            at
        ],
    )?;
    Ok(())
}

/// Takes the next case number of the workspace.
pub fn next_number(tx: &mut Tx<'_>, ws: WorkspaceId) -> Result<i64, Error> {
    tx.query_one(&NEXT_NUMBER, params![ws])
}

pub struct NewInbox<'a> {
    pub id: InboxId,
    pub channel: ChannelId,
    pub dedupe_key: &'a str,
    /// The same mail by another way in has the same; `None` when it can't be told.
    pub twin_key: Option<&'a str>,
    pub hash: [u8; 32],
    pub size: i64,
    pub envelope: &'a str,
    pub message: MessageId,
    pub at: Timestamp,
}

/// Stores a raw message once; answers its inbox id and whether it is new.
pub fn insert_inbox(tx: &mut Tx<'_>, ws: WorkspaceId, new: &NewInbox<'_>) -> Result<(InboxId, bool), Error> {
    let hash = new.hash.as_slice();
    let rows = tx.execute(
        &INSERT_INBOX,
        params![
            ws,
            new.id,
            new.channel,
            new.dedupe_key,
            hash,
            new.size,
            new.envelope,
            new.at,
            new.message,
            new.twin_key
        ],
    )?;
    if rows == 1 {
        return Ok((new.id, true));
    }
    let id = tx.query_one(&INBOX_BY_KEY, params![ws, new.channel, new.dedupe_key, new.twin_key])?;
    Ok((id, false))
}

pub fn inbox(q: &mut impl Connection, ws: WorkspaceId, id: InboxId) -> Result<Option<InboxRow>, Error> {
    q.query_opt(&INBOX_BY_ID, params![ws, id])
}

/// How far a raw message got: exactly one outcome each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InboxState {
    Done = 1,
    /// Could not be understood; shown to agents as raw text.
    Failed = 2,
}

pub fn inbox_done(
    tx: &mut Tx<'_>,
    (ws, id): (WorkspaceId, InboxId),
    state: InboxState,
    outcome: &str,
    case: Option<CaseId>,
) -> Result<(), Error> {
    tx.execute(&INBOX_DONE, params![ws, id, state as i16, outcome, case])?;
    Ok(())
}

pub fn to_deliver(q: &mut impl Connection, ws: WorkspaceId, message: MessageId) -> Result<Option<DeliveryRow>, Error> {
    q.query_opt(&TO_DELIVER, params![ws, message])
}

/// Up to 20 earlier public messages of a conversation, latest first.
pub fn earlier(
    q: &mut impl Connection,
    ws: WorkspaceId,
    conversation: ConversationId,
    before_seq: i64,
) -> Result<Vec<EarlierRow>, Error> {
    q.query(&EARLIER, params![ws, conversation, before_seq])
}

pub fn mail_ids(q: &mut impl Connection, ws: WorkspaceId, message: MessageId) -> Result<Vec<String>, Error> {
    q.query(&MAIL_IDS, params![ws, message])
}

pub fn files_of(q: &mut impl Connection, ws: WorkspaceId, message: MessageId) -> Result<Vec<AttachmentRow>, Error> {
    q.query(&FILES_OF, params![ws, message])
}

pub fn address_of(
    q: &mut impl Connection,
    ws: WorkspaceId,
    customer: CustomerId,
    kind: &str,
) -> Result<Option<String>, Error> {
    q.query_opt(&ADDRESS_OF, params![ws, customer, kind])
}

/// Name and signature of an agent.
pub fn signature(
    q: &mut impl Connection,
    ws: WorkspaceId,
    user: uuid::Uuid,
) -> Result<Option<(String, String)>, Error> {
    q.query_opt(&SIGNATURE, params![ws, user])
}

/// A Message-ID under which replies to a message of ours may come.
pub fn add_reference(
    tx: &mut Tx<'_>,
    ws: WorkspaceId,
    mail_id: &str,
    message: MessageId,
    case: CaseId,
) -> Result<(), Error> {
    tx.execute(&ADD_REFERENCE, params![ws, mail_id, message, case])?;
    Ok(())
}
