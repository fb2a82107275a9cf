//! How far mailboxes were read, and what failed on the way in.

use db::{Connection, Error, Query, Tx, params, row, sql};
use domain::{CaseId, ChannelId, InboxId, Timestamp, WorkspaceId};

row! {
    #[derive(Debug, Clone)]
    pub struct CursorRow {
        pub uid_validity: i64,
        pub last_uid: i64,
        pub state: String,
        pub updated_at: Timestamp,
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct FailedRow {
        pub id: InboxId,
        pub channel_id: ChannelId,
        pub channel_name: String,
        pub received_at: Timestamp,
        pub raw_size: i64,
        pub outcome: String,
        pub case_id: Option<CaseId>,
    }
}

sql!(CURSOR = "SELECT uid_validity, last_uid, state, updated_at FROM mailbox_cursor WHERE workspace_id = $1 AND channel_id = $2", params: 2, row: CursorRow);
// A position never goes back under the same UIDVALIDITY: two processes may read one mailbox.
sql!(MOVE_CURSOR = "INSERT INTO mailbox_cursor (workspace_id, channel_id, uid_validity, last_uid, state, updated_at) \
    VALUES ($1, $2, $3, $4, '{}', $5) ON CONFLICT (workspace_id, channel_id) DO UPDATE SET \
    last_uid = CASE WHEN mailbox_cursor.uid_validity = excluded.uid_validity AND mailbox_cursor.last_uid > excluded.last_uid \
    THEN mailbox_cursor.last_uid ELSE excluded.last_uid END, uid_validity = excluded.uid_validity, updated_at = excluded.updated_at", params: 5);
sql!(SET_STATE = "INSERT INTO mailbox_cursor (workspace_id, channel_id, uid_validity, last_uid, state, updated_at) \
    VALUES ($1, $2, 0, 0, $3, $4) ON CONFLICT (workspace_id, channel_id) DO UPDATE SET state = excluded.state, \
    updated_at = excluded.updated_at", params: 4);
sql!(FAILED = "SELECT i.id, i.channel_id, c.name AS channel_name, i.received_at, i.raw_size, i.outcome, i.case_id FROM inbox i \
    JOIN channel c ON c.workspace_id = i.workspace_id AND c.id = i.channel_id \
    WHERE i.workspace_id = $1 AND i.state = 2 AND (i.received_at < $2 OR (i.received_at = $2 AND i.id < $3)) \
    ORDER BY i.received_at DESC, i.id DESC LIMIT $4", params: 4, row: FailedRow);
sql!(RAW_OF = "SELECT channel_id, raw_hash FROM inbox WHERE workspace_id = $1 AND id = $2", params: 2);

pub fn cursor(q: &mut impl Connection, ws: WorkspaceId, channel: ChannelId) -> Result<Option<CursorRow>, Error> {
    q.query_opt(&CURSOR, params![ws, channel])
}

pub fn move_cursor(
    tx: &mut Tx<'_>,
    (ws, channel): (WorkspaceId, ChannelId),
    (uid_validity, last_uid): (i64, i64),
    at: Timestamp,
) -> Result<(), Error> {
    tx.execute(&MOVE_CURSOR, params![ws, channel, uid_validity, last_uid, at])?;
    Ok(())
}

/// Notes how the connection stands, as JSON.
pub fn set_state(
    tx: &mut Tx<'_>,
    (ws, channel): (WorkspaceId, ChannelId),
    state: &str,
    at: Timestamp,
) -> Result<(), Error> {
    tx.execute(&SET_STATE, params![ws, channel, state, at])?;
    Ok(())
}

/// Raw messages that could not be understood, latest first, before a position.
pub fn failed(
    q: &mut impl Connection,
    ws: WorkspaceId,
    (at, id): (Timestamp, InboxId),
    limit: i64,
) -> Result<Vec<FailedRow>, Error> {
    q.query(&FAILED, params![ws, at, id, limit])
}

/// Channel and content of a raw message.
pub fn raw_of(q: &mut impl Connection, ws: WorkspaceId, id: InboxId) -> Result<Option<(ChannelId, [u8; 32])>, Error> {
    q.query_opt(&RAW_OF, params![ws, id])
}
