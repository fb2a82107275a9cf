//! Things that count once: the nonce of a signed identity, a proof of work.

use db::{Query, params, sql};
use domain::{ChannelId, Timestamp};
use spine::{Refusal, Unit};
use uuid::Uuid;

sql!(REMEMBER = "INSERT INTO used_once (workspace_id, channel_id, hash, holder_id, expires_at) VALUES ($1, $2, $3, $4, $5) \
    ON CONFLICT (workspace_id, channel_id, hash) DO NOTHING", params: 5);
sql!(HOLDER = "SELECT holder_id FROM used_once WHERE workspace_id = $1 AND channel_id = $2 AND hash = $3", params: 3);
sql!(FORGET = "DELETE FROM used_once WHERE workspace_id = $1 AND channel_id = $2 AND expires_at < $3", params: 3);

/// Uses something up; `hash` names it and its purpose. `true` when it was unused, or used before by the same `holder`
/// (whose answer got lost). After `expires_at` it may be forgotten, so the caller must refuse it by then for its age.
///
/// # Errors
/// Those of the database.
pub fn use_up(
    unit: &mut Unit<'_, '_>,
    channel: ChannelId,
    hash: [u8; 32],
    holder: Option<Uuid>,
    expires_at: Timestamp,
) -> Result<bool, Refusal> {
    let (workspace, now) = (unit.workspace(), unit.now());
    unit.tx().execute(&FORGET, params![workspace, channel, now])?;
    let row = params![workspace, channel, hash.as_slice(), holder, expires_at];
    if unit.tx().execute(&REMEMBER, row)? == 1 {
        return Ok(true);
    }
    let first: Option<Option<Uuid>> = unit.tx().query_opt(&HOLDER, params![workspace, channel, hash.as_slice()])?;
    Ok(holder.is_some() && first.flatten() == holder)
}
