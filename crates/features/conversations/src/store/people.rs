//! Who takes part in a conversation by mail, as agents see and approve it.

use db::{Connection, Error, Query, Tx, params, row, sql};
use domain::{ConversationId, Timestamp, WorkspaceId};

row! {
    #[derive(Debug, Clone)]
    pub struct ParticipantRow {
        pub address: String,
        pub role: String,
        pub approved: bool,
        pub added_at: Timestamp,
    }
}

sql!(PARTICIPANTS = "SELECT address, role, approved, added_at FROM participant WHERE workspace_id = $1 AND conversation_id = $2 \
    ORDER BY role DESC, address LIMIT 200", params: 2, row: ParticipantRow);
// Approval counts from now: a copied person hears what comes, never what was.
sql!(APPROVE = "INSERT INTO participant (workspace_id, conversation_id, address, role, approved, added_at) \
    VALUES ($1, $2, $3, 'copied', $4, $5) ON CONFLICT (workspace_id, conversation_id, address) \
    DO UPDATE SET approved = excluded.approved, added_at = CASE WHEN participant.approved = TRUE THEN participant.added_at ELSE excluded.added_at END",
    params: 5);

pub fn participants(
    q: &mut impl Connection,
    ws: WorkspaceId,
    conversation: ConversationId,
) -> Result<Vec<ParticipantRow>, Error> {
    q.query(&PARTICIPANTS, params![ws, conversation])
}

/// Lets somebody hear what comes from `at` on, or no longer.
pub fn approve(
    tx: &mut Tx<'_>,
    (ws, conversation): (WorkspaceId, ConversationId),
    (address, approved): (&str, bool),
    at: Timestamp,
) -> Result<(), Error> {
    tx.execute(&APPROVE, params![ws, conversation, address, approved, at])?;
    Ok(())
}
