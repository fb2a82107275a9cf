//! The book of automatic mails, and what the budgets are counted from.

use db::{Connection, Error, Query, Tx, params, row, sql};
use domain::{CaseId, ConversationId, CustomerId, MessageId, Timestamp, WorkspaceId};

sql!(COUNT_TO_ADDRESS = "SELECT COUNT(*) FROM automatic_mail WHERE address_hash = $1 AND at > $2", params: 2, global);
sql!(COUNT_ABOUT_CASE = "SELECT COUNT(*) FROM automatic_mail WHERE workspace_id = $1 AND address_hash = $2 AND case_id = $3 AND at > $4", params: 4);
sql!(NOTE = "INSERT INTO automatic_mail (id, workspace_id, address_hash, case_id, verified, at) VALUES ($1, $2, $3, $4, $5, $6)", params: 6);
sql!(FORGET = "DELETE FROM automatic_mail WHERE address_hash = $1 AND at < $2", params: 2, global);
sql!(PERMITTED = "SELECT COUNT(*) FROM automatic_mail WHERE workspace_id = $1 AND id = $2", params: 2);
sql!(ADDRESS_LEVEL = "SELECT CAST(COALESCE(MAX(level), 0) AS BIGINT) FROM view_customer_address \
    WHERE workspace_id = $1 AND customer_id = $2 AND kind = 'email' AND address = $3", params: 3);
sql!(PROVEN = "SELECT COUNT(*) FROM participant p JOIN view_conversation v ON v.workspace_id = p.workspace_id \
    AND v.id = p.conversation_id WHERE v.workspace_id = $1 AND v.case_id = $2 AND p.address = $3 AND p.proven = TRUE", params: 3);
sql!(OUR_MAILBOX = "SELECT COUNT(*) FROM channel WHERE kind = 'email' AND public_key = $1", params: 1, global);
sql!(FIRST_MESSAGE = "SELECT id, conversation_id, author_kind, automatic, meta FROM view_message \
    WHERE workspace_id = $1 AND case_id = $2 ORDER BY at, id LIMIT 1", params: 2, row: FirstRow);

row! {
    #[derive(Debug, Clone)]
    pub struct FirstRow {
        pub id: MessageId,
        pub conversation_id: ConversationId,
        pub author_kind: String,
        pub automatic: bool,
        pub meta: String,
    }
}

/// Automatic mails to an address since a time, over all workspaces.
pub fn to_address(q: &mut impl Connection, hash: &[u8; 32], since: Timestamp) -> Result<u32, Error> {
    q.query_one(&COUNT_TO_ADDRESS, params![hash, since])
}

pub fn about_case(
    q: &mut impl Connection,
    (ws, case): (WorkspaceId, CaseId),
    hash: &[u8; 32],
    since: Timestamp,
) -> Result<u32, Error> {
    q.query_one(&COUNT_ABOUT_CASE, params![ws, hash, case, since])
}

/// Writes one down; what is older than `forget` no budget asks for any more.
pub fn note(
    tx: &mut Tx<'_>,
    (ws, case, mail): (WorkspaceId, CaseId, MessageId),
    (hash, verified): (&[u8; 32], bool),
    (at, forget): (Timestamp, Timestamp),
) -> Result<(), Error> {
    tx.execute(&FORGET, params![hash, forget])?;
    tx.execute(&NOTE, params![mail, ws, hash, case, verified, at])?;
    Ok(())
}

/// Whether this automatic mail was written down, that is: whether the gate let it through.
pub fn permitted(q: &mut impl Connection, ws: WorkspaceId, mail: MessageId) -> Result<bool, Error> {
    let count: i64 = q.query_one(&PERMITTED, params![ws, mail])?;
    Ok(count > 0)
}

/// Strength of a customer's mail address: 0 claimed, 1 channel, 2 verified.
pub fn address_level(
    q: &mut impl Connection,
    ws: WorkspaceId,
    customer: CustomerId,
    address: &str,
) -> Result<i64, Error> {
    q.query_one(&ADDRESS_LEVEL, params![ws, customer, address])
}

/// Whether somebody at this address has answered, in this case, a mail of ours.
pub fn proven(q: &mut impl Connection, ws: WorkspaceId, case: CaseId, address: &str) -> Result<bool, Error> {
    let count: i64 = q.query_one(&PROVEN, params![ws, case, address])?;
    Ok(count > 0)
}

/// Whether an address is a mailbox of this instance.
pub fn is_our_mailbox(q: &mut impl Connection, address: &str) -> Result<bool, Error> {
    let count: i64 = q.query_one(&OUR_MAILBOX, params![address])?;
    Ok(count > 0)
}

/// What opened a case.
pub fn first_message(q: &mut impl Connection, ws: WorkspaceId, case: CaseId) -> Result<Option<FirstRow>, Error> {
    q.query_opt(&FIRST_MESSAGE, params![ws, case])
}
