//! All SQL of this channel.

use db::{Connection, Error, Query, Tx, params, row, sql};
use domain::{
    AttachmentId, CaseId, ChannelId, ConversationId, CustomerId, MessageId, Span, Timestamp, VisitorId, WorkspaceId,
};
use uuid::Uuid;

/// `last_seen_at` is written at most once in this time.
pub const SEEN_EVERY: Span = Span::seconds(15);

row! {
    #[derive(Debug, Clone)]
    pub struct VisitorRow {
        pub id: VisitorId,
        pub customer_id: CustomerId,
        pub thread_id: Uuid,
        pub name: String,
        pub locale: String,
        pub subject: Option<String>,
        pub claimed_email: Option<String>,
        pub last_seen_at: Timestamp,
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct MessageRow {
        pub id: MessageId,
        pub ordinal: i64,
        pub seq: i64,
        pub at: Timestamp,
        pub author_kind: String,
        pub author_name: String,
        pub body_text: String,
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct FileRow {
        pub id: AttachmentId,
        pub message_id: Option<MessageId>,
        pub size: i64,
        pub name: String,
        pub mime: String,
        pub width: Option<i32>,
        pub height: Option<i32>,
    }
}

row! {
    /// A file on its way to the visitor, with the thread it belongs to.
    #[derive(Debug, Clone)]
    pub struct ServedRow {
        pub thread_id: Uuid,
        pub hash: [u8; 32],
        pub name: String,
        pub mime: String,
        pub width: Option<i32>,
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct CaseRow {
        pub case_id: CaseId,
        pub conversation_id: ConversationId,
        pub customer_id: CustomerId,
        pub status_rank: i64,
    }
}

macro_rules! visitor_sql {
    ($name:ident, $tail:literal, $params:literal) => {
        sql!($name = concat!(
            "SELECT id, customer_id, thread_id, name, locale, subject, claimed_email, last_seen_at FROM visitor ", $tail),
            params: $params, row: VisitorRow);
    };
}
visitor_sql!(BY_TOKEN, "WHERE workspace_id = $1 AND channel_id = $2 AND token_hash = $3", 3);
sql!(INSERT_VISITOR = "INSERT INTO visitor (workspace_id, id, channel_id, token_hash, customer_id, thread_id, name, locale, subject, \
    claimed_email, last_seen_at, created_at, page_url) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, $12)", params: 12);
sql!(UPDATE_VISITOR = "UPDATE visitor SET token_hash = $3, customer_id = $4, thread_id = $5, name = $6, locale = $7, subject = $8, \
    claimed_email = $9, last_seen_at = $10, page_url = $11 WHERE workspace_id = $1 AND id = $2", params: 11);
sql!(SEEN = "UPDATE visitor SET last_seen_at = $3 WHERE workspace_id = $1 AND id = $2 AND last_seen_at < $3", params: 3);
sql!(SET_EMAIL = "UPDATE visitor SET claimed_email = $3 WHERE workspace_id = $1 AND id = $2", params: 3);

sql!(SUBJECT = "SELECT thread_id, customer_id FROM chat_subject WHERE workspace_id = $1 AND channel_id = $2 AND subject = $3", params: 3);
sql!(ADD_SUBJECT = "INSERT INTO chat_subject (workspace_id, channel_id, subject, thread_id, customer_id) VALUES ($1, $2, $3, $4, $5) \
    ON CONFLICT (workspace_id, channel_id, subject) DO NOTHING", params: 5);
sql!(VERIFIED_CUSTOMER = "SELECT customer_id FROM view_customer_identity WHERE workspace_id = $1 AND kind = 'external' AND address = $2 \
    AND level = 2 ORDER BY added_at, customer_id LIMIT 1", params: 2);

sql!(CONVERSATION_KNOWN = "SELECT thread_id FROM chat_conversation WHERE workspace_id = $1 AND conversation_id = $2", params: 2);
sql!(ADD_CONVERSATION = "INSERT INTO chat_conversation (workspace_id, conversation_id, thread_id, ordinal) \
    SELECT $1, $2, $3, CAST(COALESCE(MAX(ordinal) + 1, 0) AS BIGINT) FROM chat_conversation WHERE workspace_id = $1 AND thread_id = $3", params: 3);
sql!(NEXT_ORDINAL = "SELECT CAST(COALESCE(MAX(ordinal) + 1, 0) AS BIGINT) FROM chat_conversation \
    WHERE workspace_id = $1 AND thread_id = $2", params: 2);
sql!(MOVE_CONVERSATION = "UPDATE chat_conversation SET thread_id = $3, ordinal = $4 WHERE workspace_id = $1 AND conversation_id = $2", params: 4);
sql!(CASES = "SELECT case_id, conversation_id, customer_id, status_rank FROM view_chat_case \
    WHERE workspace_id = $1 AND thread_id = $2 ORDER BY ordinal", params: 2, row: CaseRow);
sql!(LATEST_CASE = "SELECT case_id, conversation_id, customer_id, status_rank FROM view_chat_case \
    WHERE workspace_id = $1 AND thread_id = $2 ORDER BY ordinal DESC LIMIT 1", params: 2, row: CaseRow);

sql!(AFTER = "SELECT id, ordinal, seq, at, author_kind, author_name, body_text FROM view_chat_message \
    WHERE workspace_id = $1 AND thread_id = $2 AND (ordinal > $3 OR (ordinal = $3 AND seq > $4)) ORDER BY ordinal, seq LIMIT $5", params: 5, row: MessageRow);
sql!(LATEST = "SELECT id, ordinal, seq, at, author_kind, author_name, body_text FROM view_chat_message \
    WHERE workspace_id = $1 AND thread_id = $2 ORDER BY ordinal DESC, seq DESC LIMIT $3", params: 3, row: MessageRow);
sql!(ONE = "SELECT id, ordinal, seq, at, author_kind, author_name, body_text FROM view_chat_message \
    WHERE workspace_id = $1 AND thread_id = $2 AND id = $3", params: 3, row: MessageRow);
sql!(SERVED = "SELECT m.thread_id, a.hash, a.name, a.mime, a.width FROM view_attachment a \
    JOIN view_chat_message m ON m.workspace_id = a.workspace_id AND m.id = a.message_id \
    WHERE a.workspace_id = $1 AND a.id = $2", params: 2, row: ServedRow);

pub fn by_token(
    q: &mut impl Connection,
    ws: WorkspaceId,
    channel: ChannelId,
    hash: [u8; 32],
) -> Result<Option<VisitorRow>, Error> {
    q.query_opt(&BY_TOKEN, params![ws, channel, hash.as_slice()])
}

/// A visitor as written: `row` and what is not read back.
pub struct Written<'a> {
    pub row: &'a VisitorRow,
    pub channel: ChannelId,
    pub token_hash: [u8; 32],
    pub page: &'a str,
}

pub fn insert_visitor(tx: &mut Tx<'_>, ws: WorkspaceId, new: &Written<'_>) -> Result<(), Error> {
    let (row, hash) = (new.row, new.token_hash.as_slice());
    let (subject, email) = (row.subject.as_ref(), row.claimed_email.as_ref());
    tx.execute(
        &INSERT_VISITOR,
        params![
            ws,
            row.id,
            new.channel,
            hash,
            row.customer_id,
            row.thread_id,
            &row.name,
            &row.locale,
            subject,
            email,
            row.last_seen_at,
            new.page
        ],
    )?;
    Ok(())
}

pub fn update_visitor(tx: &mut Tx<'_>, ws: WorkspaceId, new: &Written<'_>) -> Result<(), Error> {
    let (row, hash) = (new.row, new.token_hash.as_slice());
    let (subject, email) = (row.subject.as_ref(), row.claimed_email.as_ref());
    tx.execute(
        &UPDATE_VISITOR,
        params![
            ws,
            row.id,
            hash,
            row.customer_id,
            row.thread_id,
            &row.name,
            &row.locale,
            subject,
            email,
            row.last_seen_at,
            new.page
        ],
    )?;
    Ok(())
}

pub fn seen(tx: &mut Tx<'_>, ws: WorkspaceId, visitor: VisitorId, at: Timestamp) -> Result<(), Error> {
    tx.execute(&SEEN, params![ws, visitor, at])?;
    Ok(())
}

pub fn set_email(tx: &mut Tx<'_>, ws: WorkspaceId, visitor: VisitorId, email: &str) -> Result<(), Error> {
    tx.execute(&SET_EMAIL, params![ws, visitor, email])?;
    Ok(())
}

/// Thread and customer of a signed subject.
pub fn subject(
    q: &mut impl Connection,
    ws: WorkspaceId,
    channel: ChannelId,
    subject: &str,
) -> Result<Option<(Uuid, CustomerId)>, Error> {
    q.query_opt(&SUBJECT, params![ws, channel, subject])
}

pub fn add_subject(
    tx: &mut Tx<'_>,
    (ws, channel): (WorkspaceId, ChannelId),
    subject: &str,
    (thread, customer): (Uuid, CustomerId),
) -> Result<(), Error> {
    tx.execute(&ADD_SUBJECT, params![ws, channel, subject, thread, customer])?;
    Ok(())
}

/// The customer who was proven under this external id before.
pub fn verified_customer(q: &mut impl Connection, ws: WorkspaceId, address: &str) -> Result<Option<CustomerId>, Error> {
    q.query_opt(&VERIFIED_CUSTOMER, params![ws, address])
}

/// Makes a conversation the last of a thread, unless it belongs to one already; answers its thread.
pub fn join(tx: &mut Tx<'_>, ws: WorkspaceId, conversation: ConversationId, thread: Uuid) -> Result<Uuid, Error> {
    if let Some(known) = tx.query_opt(&CONVERSATION_KNOWN, params![ws, conversation])? {
        return Ok(known);
    }
    tx.execute(&ADD_CONVERSATION, params![ws, conversation, thread])?;
    Ok(thread)
}

/// Puts the conversations of one thread behind those of another.
pub fn append_thread(tx: &mut Tx<'_>, ws: WorkspaceId, from: Uuid, to: Uuid) -> Result<(), Error> {
    let first: i64 = tx.query_one(&NEXT_ORDINAL, params![ws, to])?;
    for (ordinal, case) in (first..).zip(cases(tx, ws, from)?) {
        tx.execute(&MOVE_CONVERSATION, params![ws, case.conversation_id, to, ordinal])?;
    }
    Ok(())
}

pub fn cases(q: &mut impl Connection, ws: WorkspaceId, thread: Uuid) -> Result<Vec<CaseRow>, Error> {
    q.query(&CASES, params![ws, thread])
}

pub fn latest_case(q: &mut impl Connection, ws: WorkspaceId, thread: Uuid) -> Result<Option<CaseRow>, Error> {
    q.query_opt(&LATEST_CASE, params![ws, thread])
}

pub fn after(
    q: &mut impl Connection,
    ws: WorkspaceId,
    thread: Uuid,
    (ordinal, seq): (i64, i64),
    limit: i64,
) -> Result<Vec<MessageRow>, Error> {
    q.query(&AFTER, params![ws, thread, ordinal, seq, limit])
}

/// The last messages of a thread, oldest first.
pub fn latest(q: &mut impl Connection, ws: WorkspaceId, thread: Uuid, limit: i64) -> Result<Vec<MessageRow>, Error> {
    let mut rows: Vec<MessageRow> = q.query(&LATEST, params![ws, thread, limit])?;
    rows.reverse();
    Ok(rows)
}

pub fn one(q: &mut impl Connection, ws: WorkspaceId, thread: Uuid, id: MessageId) -> Result<Option<MessageRow>, Error> {
    q.query_opt(&ONE, params![ws, thread, id])
}

/// Files of these messages, by message.
pub fn files(q: &mut impl Connection, ws: WorkspaceId, messages: &[MessageRow]) -> Result<Vec<FileRow>, Error> {
    if messages.is_empty() {
        return Ok(Vec::new());
    }
    let mut b = db::Builder::new(
        "SELECT id, message_id, size, name, mime, width, height FROM view_attachment WHERE workspace_id = ",
    );
    b.bind(ws).push(" AND message_id IN ").in_list(messages.iter().map(|m| m.id)).push(" ORDER BY id");
    let (statement, values) = b.build();
    q.query(&statement, &values)
}

/// A file of a public message.
pub fn served(q: &mut impl Connection, ws: WorkspaceId, id: AttachmentId) -> Result<Option<ServedRow>, Error> {
    q.query_opt(&SERVED, params![ws, id])
}
