//! Chats that go on by mail after the visitor has left.

use db::{Connection, Error, Query, Tx, params, row, sql};
use domain::{CaseId, ChannelId, ConversationId, CustomerId, MessageId, Timestamp, WorkspaceId};

row! {
    #[derive(Debug, Clone)]
    pub struct ChatRow {
        pub case_id: CaseId,
        pub channel_id: ChannelId,
        pub customer_id: CustomerId,
        pub thread_key: String,
        pub number: i64,
        pub language: Option<String>,
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct UnreadRow {
        pub id: MessageId,
        pub seq: i64,
        pub author_name: String,
        pub body_text: String,
    }
}

row! {
    #[derive(Debug, Clone, Copy)]
    pub struct FollowupRow {
        pub mail_id: MessageId,
        pub up_to_seq: i64,
        pub told_seq: i64,
        pub state: i16,
    }
}

sql!(CHAT = "SELECT v.case_id, v.channel_id, v.customer_id, v.thread_key, c.number, c.language FROM view_conversation v \
    JOIN view_case c ON c.workspace_id = v.workspace_id AND c.id = v.case_id WHERE v.workspace_id = $1 AND v.id = $2", params: 2, row: ChatRow);
sql!(LAST_SEEN = "SELECT CAST(COALESCE(MAX(last_seen_at), 0) AS BIGINT) FROM view_visitor_seen \
    WHERE workspace_id = $1 AND customer_id = $2 AND channel_id = $3", params: 3);
sql!(CLAIMED = "SELECT claimed_email FROM view_visitor_seen WHERE workspace_id = $1 AND customer_id = $2 AND channel_id = $3 \
    AND claimed_email IS NOT NULL ORDER BY last_seen_at DESC, id LIMIT 1", params: 3);
sql!(UNREAD = "SELECT id, seq, author_name, body_text FROM view_message WHERE workspace_id = $1 AND conversation_id = $2 \
    AND at > $3 AND seq > $4 AND author_kind = 'agent' AND note = FALSE AND delivery NOT IN ('held', 'cancelled') ORDER BY seq LIMIT 50",
    params: 4, row: UnreadRow);
sql!(FOLLOWUP = "SELECT mail_id, up_to_seq, told_seq, state FROM chat_followup WHERE workspace_id = $1 AND conversation_id = $2", params: 2, row: FollowupRow);
sql!(CLAIM = "INSERT INTO chat_followup (workspace_id, conversation_id, mail_id, up_to_seq, told_seq, state, at) VALUES ($1, $2, $3, $4, 0, 0, $5) \
    ON CONFLICT (workspace_id, conversation_id) DO UPDATE SET mail_id = excluded.mail_id, up_to_seq = excluded.up_to_seq, \
    state = 0, at = excluded.at", params: 5);
sql!(SENT = "UPDATE chat_followup SET state = 1, told_seq = up_to_seq WHERE workspace_id = $1 AND conversation_id = $2 AND mail_id = $3", params: 3);

pub fn chat(q: &mut impl Connection, ws: WorkspaceId, id: ConversationId) -> Result<Option<ChatRow>, Error> {
    q.query_opt(&CHAT, params![ws, id])
}

/// When the customer was last there, on whatever device.
pub fn last_seen(q: &mut impl Connection, ws: WorkspaceId, chat: &ChatRow) -> Result<Timestamp, Error> {
    q.query_one(&LAST_SEEN, params![ws, chat.customer_id, chat.channel_id])
}

/// The address the visitor typed last.
pub fn claimed_address(q: &mut impl Connection, ws: WorkspaceId, chat: &ChatRow) -> Result<Option<String>, Error> {
    q.query_opt(&CLAIMED, params![ws, chat.customer_id, chat.channel_id])
}

/// What agents wrote after `seen` and after the message `after_seq`, oldest first.
pub fn unread(
    q: &mut impl Connection,
    (ws, conversation): (WorkspaceId, ConversationId),
    (seen, after_seq): (Timestamp, i64),
) -> Result<Vec<UnreadRow>, Error> {
    q.query(&UNREAD, params![ws, conversation, seen, after_seq])
}

pub fn followup(
    q: &mut impl Connection,
    ws: WorkspaceId,
    conversation: ConversationId,
) -> Result<Option<FollowupRow>, Error> {
    q.query_opt(&FOLLOWUP, params![ws, conversation])
}

/// Before it is sent: from here on only this mail may tell of the messages up to `up_to_seq`.
pub fn claim(
    tx: &mut Tx<'_>,
    (ws, conversation): (WorkspaceId, ConversationId),
    (mail, up_to_seq): (MessageId, i64),
    at: Timestamp,
) -> Result<(), Error> {
    tx.execute(&CLAIM, params![ws, conversation, mail, up_to_seq, at])?;
    Ok(())
}

pub fn sent(tx: &mut Tx<'_>, ws: WorkspaceId, conversation: ConversationId, mail: MessageId) -> Result<(), Error> {
    tx.execute(&SENT, params![ws, conversation, mail])?;
    Ok(())
}
