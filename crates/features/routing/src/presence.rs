//! Who is there: what agents say, and what their live connections show.

use crate::jobs;
use crate::store::{self, PresenceRow};
use domain::event::AgentEvent;
use domain::routing::Presence;
use domain::{Actor, Event, Span, UserId, WorkspaceId};
use serde::{Deserialize, Serialize};
use spine::{Order, Refusal, Spine, Unit};
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How long a dropped connection may take to come back before untouched chats go back to the queue.
pub const DISCONNECT_GRACE: Span = Span::seconds(60);

/// How somebody is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = OwnPresence)]
pub struct Standing {
    pub presence: Presence,
    /// A live connection is open.
    pub connected: bool,
    pub since: domain::Timestamp,
}

impl From<Option<PresenceRow>> for Standing {
    fn from(row: Option<PresenceRow>) -> Self {
        match row {
            Some(row) => Self {
                presence: Presence::parse(&row.presence).unwrap_or_default(),
                connected: row.connected,
                since: row.since,
            },
            None => Self { presence: Presence::Offline, connected: false, since: domain::Timestamp::default() },
        }
    }
}

/// Hears from live connections. Calls must come in the order of what happened; the futures they give may run in any
/// order or at once (a page that reloads closes and opens in the same moment): each writes what was said last.
#[derive(Clone, Default)]
pub struct Attendance {
    here: Arc<Mutex<HashMap<(WorkspaceId, UserId), bool>>>,
}

impl Attendance {
    /// The first live connection of an agent opened. Somebody who has never said how they are there is online.
    pub fn connected(&self, spine: &Spine, ws: WorkspaceId, user: UserId) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.says(spine, ws, user, true)
    }

    /// The last live connection of an agent closed: nothing new from now on, and after [`DISCONNECT_GRACE`] chats
    /// that nobody has answered go back to the queue.
    pub fn disconnected(
        &self,
        spine: &Spine,
        ws: WorkspaceId,
        user: UserId,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.says(spine, ws, user, false)
    }

    fn says(
        &self,
        spine: &Spine,
        ws: WorkspaceId,
        user: UserId,
        here: bool,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.last_said().insert((ws, user), here);
        let (attendance, spine) = (self.clone(), spine.clone());
        Box::pin(async move {
            let order = Order::new(ws, Actor::Agent(user));
            let written = spine.execute(order, move |unit| {
                let here = attendance.last_said().get(&(ws, user)).copied().unwrap_or(false);
                show(unit, user, here)
            });
            if let Err(refusal) = written.await {
                tracing::error!(%refusal, here, "an agent's connection was not noted");
            }
        })
    }

    fn last_said(&self) -> MutexGuard<'_, HashMap<(WorkspaceId, UserId), bool>> {
        self.here.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What live connections show of an agent.
fn show(unit: &mut Unit<'_, '_>, user: UserId, here: bool) -> Result<(), Refusal> {
    let ws = unit.workspace();
    let before = store::presence(unit.tx(), ws, user)?;
    let said = before.as_ref().map(|b| Presence::parse(&b.presence).unwrap_or_default());
    if here {
        unit.cancel_job(jobs::RELEASE, &user.to_string())?;
        return change(unit, user, said.unwrap_or(Presence::Online), true).map(drop);
    }
    let Some(said) = said.filter(|_| before.is_some_and(|b| b.connected)) else { return Ok(()) };
    change(unit, user, said, false)?;
    let run_at = unit.now() + DISCONNECT_GRACE;
    jobs::release_at(unit, user, run_at)
}

/// For the start of a server that serves all live connections: whoever the database takes for connected is not.
///
/// # Errors
/// Those of the database.
pub async fn restarted(spine: &Spine) -> Result<(), Refusal> {
    let connected = spine.db().read(|r| Ok::<_, Refusal>(store::all_connected(r)?)).await?;
    for (ws, user) in connected {
        spine.execute(Order::new(ws, Actor::Agent(user)), move |unit| show(unit, user, false)).await?;
    }
    Ok(())
}

/// What an agent says. Going offline gives back untouched chats at once.
pub(crate) fn say(unit: &mut Unit<'_, '_>, user: UserId, presence: Presence) -> Result<Standing, Refusal> {
    let ws = unit.workspace();
    let connected = store::presence(unit.tx(), ws, user)?.is_some_and(|b| b.connected);
    if presence == Presence::Offline {
        let now = unit.now();
        jobs::release_at(unit, user, now)?;
    }
    change(unit, user, presence, connected)
}

fn change(unit: &mut Unit<'_, '_>, user: UserId, presence: Presence, connected: bool) -> Result<Standing, Refusal> {
    let (ws, since) = (unit.workspace(), unit.now());
    let before = store::presence(unit.tx(), ws, user)?;
    let same = before.as_ref().is_some_and(|b| b.presence == presence.as_str() && b.connected == connected);
    if same {
        return Ok(Standing::from(before));
    }
    let row = PresenceRow { presence: presence.as_str().to_owned(), connected, since };
    store::set_presence(unit.tx(), ws, user, &row)?;
    let event = AgentEvent::PresenceChanged { presence: row.presence, connected };
    unit.record(Event::Agent(event), "agent", user.0)?;
    Ok(Standing { presence, connected, since })
}
