//! The audit trail: the event log, read newest first.

use db::{Builder, Query, row};
use domain::{Actor, ActorKind, Timestamp, WorkspaceId};
use spine::Refusal;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

row! {
    #[derive(Debug, Clone)]
    pub struct AuditRow {
        pub id: Uuid,
        pub at: Timestamp,
        /// Orders what happened at the same moment.
        pub position: i64,
        pub actor: String,
        pub kind: String,
        pub subject_kind: String,
        pub subject_id: Uuid,
        pub data: String,
    }
}

/// Comes with every window that opens and closes: it would bury everything else, so it is shown only when asked for.
const PRESENCE: &str = "agent.presence_changed";

/// What to show.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    pub actor: Option<Actor>,
    pub subject_kind: Option<String>,
    pub subject_id: Option<Uuid>,
    /// An exact kind, or a group with a dot at its end (`access.`); without it everything but [`PRESENCE`].
    pub kind: Option<String>,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    /// Time, position and id of the last event shown.
    pub before: Option<(i64, i64, Uuid)>,
}

/// Events newest first, at most `limit`.
pub fn list(q: &mut impl Query, ws: WorkspaceId, filter: &AuditFilter, limit: usize) -> Result<Vec<AuditRow>, Refusal> {
    let mut b = Builder::new(
        "SELECT id, at, position, actor, kind, subject_kind, subject_id, data FROM view_event WHERE workspace_id = ",
    );
    b.bind(ws);
    if let Some(actor) = filter.actor {
        b.push(" AND actor = ").bind(actor.to_string());
    }
    if let Some(kind) = &filter.subject_kind {
        b.push(" AND subject_kind = ").bind(kind.as_str());
    }
    if let Some(id) = filter.subject_id {
        b.push(" AND subject_id = ").bind(id);
    }
    match filter.kind.as_deref() {
        Some(group) if group.ends_with('.') => {
            b.push(" AND kind LIKE ").starts_with(group);
        }
        Some(kind) => {
            b.push(" AND kind = ").bind(kind);
        }
        None => {
            b.push(" AND kind <> ").bind(PRESENCE);
        }
    }
    if let Some(from) = filter.from {
        b.push(" AND at >= ").bind(from);
    }
    if let Some(to) = filter.to {
        b.push(" AND at < ").bind(to);
    }
    if let Some((at, position, id)) = filter.before {
        b.push(" AND (at, position, id) < (").bind(at).push(", ").bind(position).push(", ").bind(id).push(")");
    }
    b.push(" ORDER BY at DESC, position DESC, id DESC LIMIT ").bind(i64::try_from(limit).unwrap_or(i64::MAX));
    let (statement, args) = b.build();
    Ok(q.query(&statement, &args)?)
}

/// Names of actors, by their id.
pub fn names(
    q: &mut impl Query,
    ws: WorkspaceId,
    actors: &BTreeSet<(ActorKind, Uuid)>,
) -> Result<BTreeMap<Uuid, String>, Refusal> {
    let mut found = BTreeMap::new();
    let sources = [
        (ActorKind::Agent, "SELECT id, name FROM app_user WHERE workspace_id = "),
        (ActorKind::Customer, "SELECT id, name FROM view_customer WHERE workspace_id = "),
        (ActorKind::Token, "SELECT id, name FROM api_token WHERE workspace_id = "),
    ];
    for (kind, text) in sources {
        let ids: Vec<Uuid> = actors.iter().filter(|(k, _)| *k == kind).map(|(_, id)| *id).collect();
        if ids.is_empty() {
            continue;
        }
        let mut b = Builder::new(text);
        b.bind(ws).push(" AND id IN ").in_list(ids);
        let (statement, args) = b.build();
        found.extend(q.query::<(Uuid, String)>(&statement, &args)?);
    }
    Ok(found)
}
