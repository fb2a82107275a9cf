//! Before a command: may this caller do this to that case? Asked inside the command's own transaction, so that what
//! was checked is what is changed. What may not be seen does not exist (404); what may be seen but not done is 403.

use crate::can::place_of;
use crate::store::predicate::Sight;
use crate::store::record;
use crate::wire::CaseDetail;
use domain::case::{Case, CaseCommand, CaseState};
use domain::{CaseId, Code, MessageId, Permission, Rejection};
use spine::{Refusal, Spine, Unit};
use web::{Caller, Json, Problem, Result};

pub(crate) fn forbidden(permission: Permission) -> Refusal {
    Rejection::new(Code::Forbidden).with("permission", permission.as_str()).into()
}

/// The case, if the caller may see it and do this to it.
pub(crate) fn case_for(
    unit: &mut Unit<'_, '_>,
    caller: &Caller,
    case: CaseId,
    permission: Permission,
) -> std::result::Result<CaseState, Refusal> {
    let state = unit.load::<Case>(case)?.ok_or(Refusal::NotFound)?;
    let place = place_of(&state);
    if !caller.access.allows_in(Permission::CaseRead, &place) {
        return Err(Refusal::NotFound);
    }
    if !caller.access.allows_in(permission, &place) {
        return Err(forbidden(permission));
    }
    Ok(state)
}

/// The case of a message, if the caller may see it.
pub(crate) fn case_of(
    unit: &mut Unit<'_, '_>,
    caller: &Caller,
    message: MessageId,
) -> std::result::Result<CaseId, Refusal> {
    let sight = Sight::of(unit.tx(), caller.workspace, caller.user, &caller.access)?;
    record::case_of(unit.tx(), &sight, message)?.ok_or(Refusal::NotFound)
}

/// Gives one command to a case and answers how the case stands then.
pub(crate) async fn command(
    spine: &Spine,
    caller: Caller,
    case: CaseId,
    permission: Permission,
    command: impl Fn(&mut Unit<'_, '_>, &CaseState) -> std::result::Result<CaseCommand, Refusal> + Send + 'static,
) -> Result<Json<CaseDetail>> {
    let asker = caller.clone();
    spine
        .execute(caller.order(), move |unit| {
            let state = case_for(unit, &asker, case, permission)?;
            let command = command(unit, &state)?;
            unit.decide::<Case>(case, command)?;
            Ok(())
        })
        .await?;
    answer(spine, caller, case).await
}

/// The case as it stands for this caller now.
pub(crate) async fn answer(spine: &Spine, caller: Caller, case: CaseId) -> Result<Json<CaseDetail>> {
    let detail = read(spine, caller, case).await?;
    detail.map(Json).ok_or_else(Problem::not_found)
}

/// The case, if this caller sees it.
pub(crate) async fn read(spine: &Spine, caller: Caller, case: CaseId) -> Result<Option<CaseDetail>> {
    let detail = spine
        .db()
        .read(move |r| {
            let sight = Sight::of(r, caller.workspace, caller.user, &caller.access)?;
            record::detail(r, &sight, &caller.access, case)
        })
        .await?;
    Ok(detail)
}

/// Refuses a case outside the caller's sight, for reads that go on from it.
pub(crate) fn seen(r: &mut impl db::Connection, caller: &Caller, case: CaseId) -> std::result::Result<Sight, Refusal> {
    let sight = Sight::of(r, caller.workspace, caller.user, &caller.access)?;
    if record::is_seen(r, &sight, case)? { Ok(sight) } else { Err(Refusal::NotFound) }
}
