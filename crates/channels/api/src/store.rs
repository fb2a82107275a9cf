//! All SQL of this channel.

use db::{Connection, Error, Query, params, row, sql};
use domain::{AttachmentId, CaseId, ChannelId, ConversationId, MessageId, Timestamp, WorkspaceId};

row! {
    #[derive(Debug, Clone)]
    pub struct QueuedRow {
        pub id: MessageId,
        pub case_id: CaseId,
        pub conversation_id: ConversationId,
        pub thread_key: String,
        pub number: i64,
        pub at: Timestamp,
        pub author_name: String,
        pub automatic: bool,
        pub body_text: String,
        pub body_html: Option<String>,
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
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct StoredRow {
        pub hash: [u8; 32],
        pub name: String,
        pub mime: String,
    }
}

sql!(OUTBOX = "SELECT m.id, m.case_id, m.conversation_id, v.thread_key, c.number, m.at, m.author_name, m.automatic, m.body_text, m.body_html \
    FROM view_message m JOIN view_conversation v ON v.workspace_id = m.workspace_id AND v.id = m.conversation_id \
    JOIN view_case c ON c.workspace_id = m.workspace_id AND c.id = m.case_id \
    WHERE m.workspace_id = $1 AND v.channel_id = $2 AND m.delivery = 'queued' AND m.note = FALSE \
    AND (m.at > $3 OR (m.at = $3 AND m.id > $4)) ORDER BY m.at, m.id LIMIT $5", params: 5, row: QueuedRow);
sql!(CASE_OF = "SELECT m.case_id FROM view_message m JOIN view_conversation v ON v.workspace_id = m.workspace_id \
    AND v.id = m.conversation_id WHERE m.workspace_id = $1 AND m.id = $2 AND v.channel_id = $3 AND m.author_kind <> 'customer' \
    AND m.note = FALSE AND m.delivery NOT IN ('held', 'cancelled', 'none')", params: 3);
sql!(FILE = "SELECT a.hash, a.name, a.mime FROM view_attachment a JOIN view_public_message m ON m.workspace_id = a.workspace_id \
    AND m.id = a.message_id JOIN view_conversation v ON v.workspace_id = m.workspace_id AND v.id = m.conversation_id \
    WHERE a.workspace_id = $1 AND a.id = $2 AND v.channel_id = $3", params: 3, row: StoredRow);
sql!(EXISTS = "SELECT v.channel_id FROM view_message m JOIN view_conversation v ON v.workspace_id = m.workspace_id \
    AND v.id = m.conversation_id WHERE m.workspace_id = $1 AND m.id = $2", params: 2);

/// Where the fetching program stands.
pub type Position = (Timestamp, MessageId);

pub fn outbox(
    q: &mut impl Connection,
    (ws, channel): (WorkspaceId, ChannelId),
    (at, id): Position,
    limit: i64,
) -> Result<Vec<QueuedRow>, Error> {
    q.query(&OUTBOX, params![ws, channel, at, id, limit])
}

/// The case of an answer that has gone to this channel.
pub fn case_of(
    q: &mut impl Connection,
    ws: WorkspaceId,
    message: MessageId,
    channel: ChannelId,
) -> Result<Option<CaseId>, Error> {
    q.query_opt(&CASE_OF, params![ws, message, channel])
}

pub fn file(
    q: &mut impl Connection,
    ws: WorkspaceId,
    id: AttachmentId,
    channel: ChannelId,
) -> Result<Option<StoredRow>, Error> {
    q.query_opt(&FILE, params![ws, id, channel])
}

/// The channel a message of this id came by, if there is one.
pub fn channel_of(q: &mut impl Connection, ws: WorkspaceId, message: MessageId) -> Result<Option<ChannelId>, Error> {
    q.query_opt(&EXISTS, params![ws, message])
}

pub fn files(q: &mut impl Connection, ws: WorkspaceId, messages: &[QueuedRow]) -> Result<Vec<FileRow>, Error> {
    if messages.is_empty() {
        return Ok(Vec::new());
    }
    let mut b = db::Builder::new("SELECT id, message_id, size, name, mime FROM view_attachment WHERE workspace_id = ");
    b.bind(ws).push(" AND message_id IN ").in_list(messages.iter().map(|m| m.id)).push(" ORDER BY id");
    let (statement, values) = b.build();
    q.query(&statement, &values)
}
