//! Who hears what is written in a mail thread. People whom a mail put in copy wait for an agent (SECURITY row 5).

use super::answers::{Approval, Participant, Participants};
use super::{State, needs_at};
use crate::store::{moving, people};
use axum::extract::State as Of;
use domain::access::Access;
use domain::customer::{IdentityKind, looks_like_mail, normalise_address};
use domain::event::{ConfigAction, ConfigChanged};
use domain::{Code, ConversationId, Event, Permission, Rejection, WorkspaceId};
use serde_json::json;
use spine::Refusal;
use web::{Caller, Json, Path, Result};

/// People one conversation may have.
const PEOPLE_MAX: usize = 100;

/// Who takes part.
#[utoipa::path(get, path = "/api/conversations/{id}/participants", tag = "conversations",
    params(("id" = ConversationId, Path)), responses((status = 200, body = Participants)))]
pub(super) async fn list(
    Of(state): Of<State>,
    caller: Caller,
    Path(id): Path<ConversationId>,
) -> Result<Json<Participants>> {
    let (ws, access) = (caller.workspace, caller.access.clone());
    let found = state.spine.db().read(move |r| {
        permitted(r, (ws, id), &access, Permission::CaseRead)?;
        read(r, ws, id)
    });
    Ok(Json(found.await?))
}

/// Lets somebody in copy hear what is written from now on, or no longer.
#[utoipa::path(post, path = "/api/conversations/{id}/participants", tag = "conversations",
    params(("id" = ConversationId, Path)), request_body = Approval, responses((status = 200, body = Participants)))]
pub(super) async fn approve(
    Of(state): Of<State>,
    caller: Caller,
    Path(id): Path<ConversationId>,
    Json(approval): Json<Approval>,
) -> Result<Json<Participants>> {
    let address = normalise_address(IdentityKind::Email, &approval.address);
    if !looks_like_mail(&address) || address.len() > domain::limits::ADDRESS_CHARS {
        return Err(Rejection::new(Code::InvalidAddress).on("address").into());
    }
    let access = caller.access.clone();
    let done = state.spine.execute(caller.order(), move |unit| {
        let (ws, at) = (unit.workspace(), unit.now());
        permitted(unit.tx(), (ws, id), &access, Permission::CaseEdit)?;
        let before = people::participants(unit.tx(), ws, id)?;
        let was = before.iter().find(|p| p.address == address).map(|p| p.approved);
        if was.is_none() && before.len() >= PEOPLE_MAX {
            return Err(Rejection::new(Code::TooMany).with("max", PEOPLE_MAX).into());
        }
        people::approve(unit.tx(), (ws, id), (&address, approval.approved), at)?;
        let changed = ConfigChanged {
            object: "participant".to_owned(),
            id: id.0,
            action: ConfigAction::Changed,
            before: json!({ "address": address, "approved": was }),
            after: json!({ "address": address, "approved": approval.approved }),
        };
        unit.record(Event::Config(changed), "conversation", id.0)?;
        read(unit.tx(), ws, id)
    });
    Ok(Json(done.await?))
}

fn permitted(
    q: &mut impl db::Connection,
    (ws, id): (WorkspaceId, ConversationId),
    access: &Access,
    permission: Permission,
) -> std::result::Result<(), Refusal> {
    let case = moving::case_of(q, ws, id)?.ok_or(Refusal::NotFound)?;
    needs_at(q, (ws, case), access, permission).map(drop)
}

fn read(
    q: &mut impl db::Connection,
    ws: WorkspaceId,
    conversation: ConversationId,
) -> std::result::Result<Participants, Refusal> {
    let rows = people::participants(q, ws, conversation)?;
    let items = rows
        .into_iter()
        .map(|p| Participant { address: p.address, role: p.role, approved: p.approved, since: p.added_at })
        .collect();
    Ok(Participants { conversation, items })
}
