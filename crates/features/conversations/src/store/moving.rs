//! What is read to show the source of a message and to move it to another case.

use db::{Connection, Error, Query, params, row, sql};
use domain::{
    CaseId, ChannelId, ConversationId, CustomerId, InboxId, MessageId, ReasonId, TeamId, Timestamp, WorkspaceId,
};

row! {
    #[derive(Debug, Clone)]
    pub struct MovedRow {
        pub case_id: CaseId,
        pub conversation_id: ConversationId,
        pub author_kind: String,
        pub author_id: Option<uuid::Uuid>,
        pub body_text: String,
        pub meta: String,
        pub inbox_id: Option<InboxId>,
        pub channel_id: ChannelId,
        pub channel_kind: String,
        pub customer_id: CustomerId,
        pub thread_key: String,
    }
}

sql!(MESSAGE = "SELECT m.case_id, m.conversation_id, m.author_kind, m.author_id, m.body_text, m.meta, m.inbox_id, v.channel_id, \
    v.channel_kind, v.customer_id, v.thread_key FROM view_message m JOIN view_conversation v ON v.workspace_id = m.workspace_id \
    AND v.id = m.conversation_id WHERE m.workspace_id = $1 AND m.id = $2", params: 2, row: MovedRow);
sql!(ASKED_SINCE = "SELECT MIN(at) FROM view_message WHERE workspace_id = $1 AND case_id = $2 AND id <> $3 AND at >= $4 \
    AND author_kind = 'customer' AND automatic = FALSE", params: 4);
sql!(CASE_BY_NUMBER = "SELECT id FROM view_case WHERE workspace_id = $1 AND number = $2", params: 2);
sql!(PLACE = "SELECT team_id, channel_id FROM view_case WHERE workspace_id = $1 AND id = $2", params: 2);
sql!(CASE_OF = "SELECT case_id FROM view_conversation WHERE workspace_id = $1 AND id = $2", params: 2);
sql!(TEAM_EXISTS = "SELECT COUNT(*) FROM view_team WHERE workspace_id = $1 AND id = $2", params: 2);
sql!(REASON_EXISTS = "SELECT COUNT(*) FROM view_known_reason WHERE workspace_id = $1 AND id = $2", params: 2);

pub fn message(q: &mut impl Connection, ws: WorkspaceId, id: MessageId) -> Result<Option<MovedRow>, Error> {
    q.query_opt(&MESSAGE, params![ws, id])
}

/// When the customer said the first thing from `since` on, without this message.
pub fn asked_since(
    q: &mut impl Connection,
    ws: WorkspaceId,
    (case, without): (CaseId, MessageId),
    since: Timestamp,
) -> Result<Option<Timestamp>, Error> {
    q.query_one(&ASKED_SINCE, params![ws, case, without, since])
}

pub fn case_by_number(q: &mut impl Connection, ws: WorkspaceId, number: i64) -> Result<Option<CaseId>, Error> {
    q.query_opt(&CASE_BY_NUMBER, params![ws, number])
}

/// Team and channel of a case: where rights are asked for.
pub fn place(
    q: &mut impl Connection,
    ws: WorkspaceId,
    case: CaseId,
) -> Result<Option<(Option<TeamId>, ChannelId)>, Error> {
    q.query_opt(&PLACE, params![ws, case])
}

pub fn case_of(q: &mut impl Connection, ws: WorkspaceId, id: ConversationId) -> Result<Option<CaseId>, Error> {
    q.query_opt(&CASE_OF, params![ws, id])
}

pub fn team_exists(q: &mut impl Connection, ws: WorkspaceId, id: TeamId) -> Result<bool, Error> {
    let count: i64 = q.query_one(&TEAM_EXISTS, params![ws, id])?;
    Ok(count > 0)
}

pub fn reason_exists(q: &mut impl Connection, ws: WorkspaceId, id: ReasonId) -> Result<bool, Error> {
    let count: i64 = q.query_one(&REASON_EXISTS, params![ws, id])?;
    Ok(count > 0)
}
