//! One unit of work: what a command's closure holds. Everything it does is one transaction.

use crate::job::{self, NewJob};
use crate::log::{self, Pending};
use crate::refusal::Refusal;
use crate::spine::Core;
use crate::store::Change;
use db::Tx;
use domain::ids::Id;
use domain::{Aggregate, Ctx, Event, Happened, Timestamp, WorkspaceId};
use std::sync::atomic::{AtomicBool, Ordering};
use uuid::Uuid;

/// Holds the transaction, the circumstances, and what is to be logged at the end.
pub struct Unit<'u, 't> {
    core: &'u Core,
    configured: &'u AtomicBool,
    tx: &'u mut Tx<'t>,
    ctx: Ctx,
    pending: Vec<Pending>,
}

impl<'u, 't> Unit<'u, 't> {
    pub(crate) fn begin(
        (core, configured): (&'u Core, &'u AtomicBool),
        tx: &'u mut Tx<'t>,
        workspace: WorkspaceId,
        actor: domain::Actor,
    ) -> Result<Self, Refusal> {
        let policies = core.policies(tx, workspace)?;
        let ctx = Ctx { workspace, actor, now: core.edges.clock.now(), policies };
        Ok(Self { core, configured, tx, ctx, pending: Vec::new() })
    }

    /// The circumstances: workspace, actor, time, policies.
    #[must_use]
    pub fn ctx(&self) -> &Ctx {
        &self.ctx
    }

    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.ctx.now
    }

    #[must_use]
    pub fn workspace(&self) -> WorkspaceId {
        self.ctx.workspace
    }

    /// From here on somebody else acts: the intake learns only by looking who the customer is.
    pub fn act_as(&mut self, actor: domain::Actor) {
        self.ctx.actor = actor;
    }

    /// The transaction, for a feature's own statements.
    pub fn tx(&mut self) -> &mut Tx<'t> {
        self.tx
    }

    /// A new id. A closure that runs again gets a new one, which is fine: the first never happened.
    #[must_use]
    pub fn next_id<I: Id>(&self) -> I {
        I::from_uuid(self.core.edges.uuid())
    }

    /// Random bytes, fit for secrets.
    #[must_use]
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.core.edges.random.fill(&mut bytes);
        bytes
    }

    /// The state of an aggregate, if it exists.
    ///
    /// # Errors
    /// Those of the database.
    pub fn load<A: Aggregate>(&mut self, id: A::Id) -> Result<Option<A::State>, Refusal> {
        let store = self.core.stores.get::<A>()?;
        Ok(store.load(self.tx, self.ctx.workspace, id)?.map(|(state, _)| state))
    }

    /// Gives a command to an aggregate: loads it, lets its rules decide, saves it, logs what happened.
    /// Answers the state after; a command that changes nothing is fine.
    ///
    /// # Errors
    /// The rules' rejection, [`Refusal::NotFound`], or those of the database.
    pub fn decide<A: Aggregate>(&mut self, id: A::Id, command: A::Command) -> Result<A::State, Refusal> {
        let store = self.core.stores.get::<A>()?;
        let loaded = store.load(self.tx, self.ctx.workspace, id)?;
        let (before, version_before) = match loaded {
            Some((state, version)) => (Some(state), version),
            None => (None, 0),
        };
        let events = A::decide(before.as_ref(), &command, &self.ctx)?;
        let happened = Happened { at: self.ctx.now, actor: self.ctx.actor };
        let after = events.iter().fold(before.clone(), |state, event| A::apply(state, event, happened));
        let after = after.ok_or(Refusal::NotFound)?;
        if events.is_empty() {
            return Ok(after);
        }
        let version = version_before + i64::try_from(events.len()).unwrap_or(0);
        let change = Change {
            workspace: self.ctx.workspace,
            id,
            before: before.as_ref(),
            after: &after,
            version_before,
            version,
            command: &command,
            events: &events,
            at: self.ctx.now,
            actor: self.ctx.actor,
        };
        store.save(self.tx, &change)?;
        for (version, event) in (version_before + 1..).zip(events) {
            let id = id.uuid();
            self.pending.push(Pending {
                id: self.core.edges.uuid(),
                subject_kind: A::KIND,
                subject: id,
                version,
                actor: self.ctx.actor,
                event: A::wrap(event),
            });
        }
        Ok(after)
    }

    /// Logs a fact about something that is no aggregate: configuration, sign-in, presence.
    ///
    /// # Errors
    /// Those of the database.
    pub fn record(&mut self, event: Event, subject_kind: &'static str, subject: Uuid) -> Result<(), Refusal> {
        let logged = log::last_version(self.tx, self.ctx.workspace, subject_kind, subject)?;
        let unlogged = self.pending.iter().filter(|p| p.subject == subject && p.subject_kind == subject_kind).count();
        let version = logged + i64::try_from(unlogged).unwrap_or(0) + 1;
        let actor = self.ctx.actor;
        if matches!(event, Event::Config(_)) {
            self.configured.store(true, Ordering::Release);
            self.core.configuration_changed();
        }
        self.pending.push(Pending { id: self.core.edges.uuid(), subject_kind, subject, version, actor, event });
        Ok(())
    }

    /// Puts a job in a queue. The same key in the same queue is the same job: its time and payload are
    /// replaced, which is how timers move.
    ///
    /// # Errors
    /// Those of the database.
    pub fn job(&mut self, new: NewJob) -> Result<(), Refusal> {
        let id = self.core.edges.uuid();
        job::insert(self.tx, self.ctx.workspace, id, &new)
    }

    /// Takes a job out of its queue, if it has not run yet.
    ///
    /// # Errors
    /// Those of the database.
    pub fn cancel_job(&mut self, queue: &'static str, key: &str) -> Result<(), Refusal> {
        job::cancel(self.tx, self.ctx.workspace, queue, key)
    }

    /// Writes the log. The last thing before commit, so that a head row is held as briefly as can be.
    pub(crate) fn finish(mut self) -> Result<(), Refusal> {
        let pending = std::mem::take(&mut self.pending);
        let circumstances = (self.ctx.workspace, self.ctx.now);
        log::append(self.tx, circumstances, self.core.db.partitions(), pending)
    }
}
