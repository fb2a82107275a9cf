//! One case, whole.

use super::list::{self, Line};
use super::people;
use super::predicate::{self, Sight};
use crate::can::{WayOut, can};
use crate::wire::{CaseDetail, ChannelRef, Conversation, NameRef};
use db::{Builder, Connection, Query, params, row, sql};
use domain::access::Access;
use domain::case::CaseState;
use domain::filter::Filter;
use domain::{AttachmentId, CaseId, ChannelId, ChannelKind, ConversationId, Id, MessageId, Timestamp, WorkspaceId};
use spine::Refusal;

row! {
    struct ConversationLine {
        id: ConversationId,
        channel_id: ChannelId,
        channel_kind: ChannelKind,
        channel_name: Option<String>,
        opened_at: Timestamp,
    }
}

row! {
    /// The conversation an answer goes to.
    pub(crate) struct Way {
        pub(crate) id: ConversationId,
        channel_id: ChannelId,
        pub(crate) channel_kind: ChannelKind,
    }
}

sql!(STATE = "SELECT state FROM case_record WHERE workspace_id = $1 AND id = $2", params: 2);
sql!(CONVERSATIONS = "SELECT v.id, v.channel_id, v.channel_kind, h.name AS channel_name, v.opened_at FROM conversation v \
    LEFT JOIN view_channel h ON h.workspace_id = v.workspace_id AND h.id = v.channel_id \
    WHERE v.workspace_id = $1 AND v.case_id = $2 ORDER BY v.opened_at, v.id", params: 2, row: ConversationLine);
sql!(LATEST_WAY = "SELECT v.id, v.channel_id, v.channel_kind FROM message m \
    JOIN conversation v ON v.workspace_id = m.workspace_id AND v.id = m.conversation_id \
    WHERE m.workspace_id = $1 AND m.case_id = $2 AND m.author_kind = 'customer' ORDER BY m.at DESC, m.id DESC LIMIT 1", params: 2, row: Way);
sql!(ANY_WAY = "SELECT v.id, v.channel_id, v.channel_kind FROM conversation v \
    WHERE v.workspace_id = $1 AND v.case_id = $2 ORDER BY v.opened_at DESC, v.id DESC LIMIT 1", params: 2, row: Way);
sql!(THIS_WAY = "SELECT v.id, v.channel_id, v.channel_kind FROM conversation v \
    WHERE v.workspace_id = $1 AND v.case_id = $2 AND v.id = $3", params: 3, row: Way);
sql!(MESSAGE_AT = "SELECT at FROM message WHERE workspace_id = $1 AND case_id = $2 AND id = $3", params: 3);
sql!(MESSAGE_BODY = "SELECT body_text, body_html FROM message WHERE workspace_id = $1 AND id = $2", params: 2);
sql!(MESSAGE_CASE = "SELECT case_id FROM message WHERE workspace_id = $1 AND id = $2", params: 2);
sql!(UNLINK = "UPDATE attachment SET message_id = NULL WHERE workspace_id = $1 AND message_id = $2", params: 2);
sql!(LINKED = "SELECT id FROM attachment WHERE workspace_id = $1 AND message_id = $2 ORDER BY created_at, id", params: 2);
sql!(SET_INLINE = "UPDATE attachment SET inline = TRUE WHERE workspace_id = $1 AND id = $2 AND message_id = $3", params: 3);

impl Way {
    pub(crate) fn out(&self, q: &mut impl Connection, ws: WorkspaceId) -> Result<WayOut, Refusal> {
        Ok(WayOut { kind: self.channel_kind, active: people::channel_active(q, ws, self.channel_id)? })
    }
}

/// Where an answer goes: the conversation asked for, else the one the customer wrote in last.
pub(crate) fn way(
    q: &mut impl Connection,
    ws: WorkspaceId,
    case: CaseId,
    asked: Option<ConversationId>,
) -> Result<Option<Way>, Refusal> {
    if let Some(asked) = asked {
        return Ok(q.query_opt(&THIS_WAY, params![ws, case, asked])?);
    }
    match q.query_opt(&LATEST_WAY, params![ws, case])? {
        Some(way) => Ok(Some(way)),
        None => Ok(q.query_opt(&ANY_WAY, params![ws, case])?),
    }
}

/// Whether the case lies within the sight.
pub(crate) fn is_seen(q: &mut impl Connection, sight: &Sight, case: CaseId) -> Result<bool, Refusal> {
    let mut b = Builder::new("SELECT c.id FROM case_record c WHERE c.id = ");
    b.bind(case).push(" AND ");
    predicate::push(&mut b, sight, &Filter::All(Vec::new()));
    let (statement, values) = b.build();
    Ok(q.query_opt::<CaseId>(&statement, &values)?.is_some())
}

/// The case of a message within the sight.
pub(crate) fn case_of(q: &mut impl Connection, sight: &Sight, message: MessageId) -> Result<Option<CaseId>, Refusal> {
    let case: Option<CaseId> = q.query_opt(&MESSAGE_CASE, params![sight.workspace, message])?;
    match case {
        Some(case) if is_seen(q, sight, case)? => Ok(Some(case)),
        _ => Ok(None),
    }
}

/// The whole case, if it lies within the sight.
pub(crate) fn detail(
    q: &mut impl Connection,
    sight: &Sight,
    access: &Access,
    case: CaseId,
) -> Result<Option<CaseDetail>, Refusal> {
    let mut b = list::select(sight);
    b.push("c.id = ").bind(case).push(" AND ");
    predicate::push(&mut b, sight, &Filter::All(Vec::new()));
    let (statement, values) = b.build();
    let Some(line) = q.query_opt::<Line>(&statement, &values)? else {
        return Ok(None);
    };
    let ws = sight.workspace;
    let state = state(q, ws, case)?;
    let way = match way(q, ws, case, None)? {
        Some(way) => Some(way.out(q, ws)?),
        None => None,
    };
    let skills = people::skill_names(q, ws, &state.required_skills)?;
    Ok(Some(CaseDetail {
        row: line.wire()?,
        conversations: conversations(q, ws, case)?,
        required_skills: skills.into_iter().map(|(id, name)| NameRef { id: id.uuid(), name }).collect(),
        reopened: state.reopened,
        can: can(&state, access, sight.viewer.user, way),
        state: Box::new(state),
    }))
}

pub(crate) fn state(q: &mut impl Connection, ws: WorkspaceId, case: CaseId) -> Result<CaseState, Refusal> {
    let json: String = q.query_opt(&STATE, params![ws, case])?.ok_or(Refusal::NotFound)?;
    serde_json::from_str(&json).map_err(Refusal::internal)
}

fn conversations(q: &mut impl Connection, ws: WorkspaceId, case: CaseId) -> Result<Vec<Conversation>, Refusal> {
    let rows: Vec<ConversationLine> = q.query(&CONVERSATIONS, params![ws, case])?;
    let wire = rows.into_iter().map(|row| Conversation {
        id: row.id,
        channel: ChannelRef { id: row.channel_id, kind: row.channel_kind, name: row.channel_name.unwrap_or_default() },
        opened_at: row.opened_at,
    });
    Ok(wire.collect())
}

/// When a message of this case was said.
pub(crate) fn message_at(
    q: &mut impl Connection,
    ws: WorkspaceId,
    case: CaseId,
    message: MessageId,
) -> Result<Option<Timestamp>, Refusal> {
    Ok(q.query_opt(&MESSAGE_AT, params![ws, case, message])?)
}

pub(crate) fn body(
    q: &mut impl Connection,
    ws: WorkspaceId,
    message: MessageId,
) -> Result<(String, Option<String>), Refusal> {
    q.query_opt(&MESSAGE_BODY, params![ws, message])?.ok_or(Refusal::NotFound)
}

/// Frees the attachments of a message that was taken back, and answers which they were.
pub(crate) fn unlink(tx: &mut db::Tx<'_>, ws: WorkspaceId, message: MessageId) -> Result<Vec<AttachmentId>, Refusal> {
    let linked = tx.query(&LINKED, params![ws, message])?;
    tx.execute(&UNLINK, params![ws, message])?;
    Ok(linked)
}

/// Marks attachments that the HTML of their message shows in place.
pub(crate) fn set_inline(
    tx: &mut db::Tx<'_>,
    ws: WorkspaceId,
    message: MessageId,
    attachments: &[AttachmentId],
) -> Result<(), Refusal> {
    for attachment in attachments {
        tx.execute(&SET_INLINE, params![ws, *attachment, message])?;
    }
    Ok(())
}
