//! The spine itself: holds everything together and runs commands.

use crate::consumer::{Consumer, Progress};
use crate::edge::Edges;
use crate::files::Files;
use crate::hub::Hub;
use crate::job::Job;
use crate::kept::Kept;
use crate::refusal::Refusal;
use crate::store::{Store, Stores};
use crate::tail::Tail;
use crate::unit::Unit;
use crate::vault::Vault;
use db::{Db, Query, Tx, params, row, sql};
use domain::ids::Id;
use domain::{Actor, Aggregate, Code, CommandId, Policies, Timestamp, WorkspaceId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Who commands what, and under which client-made key.
#[derive(Debug, Clone)]
pub struct Order {
    pub workspace: WorkspaceId,
    pub actor: Actor,
    /// The client's key and the hash of what it asked for (SECURITY P4).
    pub idempotency: Option<(CommandId, [u8; 32])>,
}

impl Order {
    #[must_use]
    pub const fn new(workspace: WorkspaceId, actor: Actor) -> Self {
        Self { workspace, actor, idempotency: None }
    }
    #[must_use]
    pub const fn idempotent(mut self, command: CommandId, fingerprint: [u8; 32]) -> Self {
        self.idempotency = Some((command, fingerprint));
        self
    }
}

type Register = Box<dyn FnOnce(&mut Stores) + Send>;

/// What a feature brings: stores, consumers and job handlers.
#[derive(Default)]
pub struct Feature {
    stores: Vec<Register>,
    consumers: Vec<Box<dyn Consumer>>,
    jobs: Vec<Box<dyn Job>>,
}

impl Feature {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
    #[must_use]
    pub fn store<A: Aggregate>(mut self, store: impl Store<A> + 'static) -> Self {
        let store: Arc<dyn Store<A>> = Arc::new(store);
        self.stores.push(Box::new(move |stores| stores.insert::<A>(store)));
        self
    }
    #[must_use]
    pub fn consumer(mut self, consumer: impl Consumer + 'static) -> Self {
        self.consumers.push(Box::new(consumer));
        self
    }
    #[must_use]
    pub fn job(mut self, job: impl Job + 'static) -> Self {
        self.jobs.push(Box::new(job));
        self
    }
}

/// A handle on the spine; clones share it.
#[derive(Clone)]
pub struct Spine {
    core: Arc<Core>,
}

pub(crate) struct Core {
    pub(crate) db: Db,
    pub(crate) edges: Edges,
    pub(crate) files: Files,
    pub(crate) vault: Vault,
    pub(crate) hub: Hub,
    pub(crate) stores: Stores,
    pub(crate) consumers: Vec<Box<dyn Consumer>>,
    pub(crate) jobs: HashMap<&'static str, Box<dyn Job>>,
    pub(crate) progress: Progress,
    pub(crate) tail: Tail,
    configuration: AtomicU64,
    policies: Kept<WorkspaceId, Policies>,
}

impl Core {
    /// The rules a workspace has set for itself.
    pub(crate) fn policies(&self, tx: &mut Tx<'_>, workspace: WorkspaceId) -> Result<Policies, Refusal> {
        let number = self.configuration.load(Ordering::Acquire);
        if let Some(policies) = self.policies.get(number, &workspace) {
            return Ok(policies);
        }
        let Some(settings) = tx.query_opt::<String>(&SETTINGS, params![workspace])? else {
            return Ok(Policies::default());
        };
        let policies: Policies = serde_json::from_str(&settings).map_err(Refusal::internal)?;
        self.policies.keep(number, workspace, policies);
        Ok(policies)
    }
    pub(crate) fn configuration_changed(&self) {
        self.configuration.fetch_add(1, Ordering::AcqRel);
    }
}

row! {
    struct Answered {
        fingerprint: Vec<u8>,
        answer: String,
    }
}

sql!(SETTINGS = "SELECT settings FROM workspace WHERE workspace_id = $1", params: 1);
sql!(ANSWERED = "SELECT fingerprint, answer FROM idempotency WHERE workspace_id = $1 AND command_id = $2", params: 2, row: Answered);
sql!(REMEMBER = "INSERT INTO idempotency (workspace_id, command_id, fingerprint, answer, at) VALUES ($1, $2, $3, $4, $5)", params: 5);
sql!(FORGET = "DELETE FROM idempotency WHERE at < $1", params: 1, global);

impl Spine {
    #[must_use]
    pub fn new(db: Db, edges: Edges, files: Files, vault: Vault, features: Vec<Feature>) -> Self {
        let mut core = Core {
            db,
            edges,
            files,
            vault,
            hub: Hub::new(),
            stores: Stores::default(),
            consumers: Vec::new(),
            jobs: HashMap::new(),
            progress: Progress::default(),
            tail: Tail::new(),
            configuration: AtomicU64::new(0),
            policies: Kept::default(),
        };
        for feature in features {
            for register in feature.stores {
                register(&mut core.stores);
            }
            core.consumers.extend(feature.consumers);
            core.jobs.extend(feature.jobs.into_iter().map(|job| (job.queue(), job)));
        }
        Self { core: Arc::new(core) }
    }

    pub(crate) fn core(&self) -> &Core {
        &self.core
    }

    #[must_use]
    pub fn db(&self) -> &Db {
        &self.core.db
    }

    #[must_use]
    pub fn hub(&self) -> &Hub {
        &self.core.hub
    }

    #[must_use]
    pub fn files(&self) -> &Files {
        &self.core.files
    }

    /// Seals secrets and signs tokens.
    #[must_use]
    pub fn vault(&self) -> &Vault {
        &self.core.vault
    }

    #[must_use]
    pub fn edges(&self) -> &Edges {
        &self.core.edges
    }

    /// Counts changes of configuration seen here: what was worked out from it under the same number still holds.
    #[must_use]
    pub fn configuration(&self) -> u64 {
        self.core.configuration.load(Ordering::Acquire)
    }

    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.core.edges.clock.now()
    }

    #[must_use]
    pub fn next_id<I: Id>(&self) -> I {
        I::from_uuid(self.core.edges.uuid())
    }

    #[must_use]
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.core.edges.random.fill(&mut bytes);
        bytes
    }

    /// Runs a command: the closure decides and writes, the log is written, all in one durable transaction.
    /// The closure may run more than once, so it must have no effect but on its unit.
    /// With an idempotency key, a command that was answered before is answered the same without running.
    ///
    /// # Errors
    /// What the closure returned; `idempotency_key_reused` when the key came with another request before.
    pub async fn execute<T, F>(&self, order: Order, mut closure: F) -> Result<T, Refusal>
    where
        T: Serialize + DeserializeOwned + Send + 'static,
        F: FnMut(&mut Unit<'_, '_>) -> Result<T, Refusal> + Send + 'static,
    {
        let (core, configured) = (Arc::clone(&self.core), Configured::of(&self.core));
        let mark = Arc::clone(&configured.mark);
        self.core.db.write(move |tx| run(&core, tx, &order, &mark, &mut closure)).await
    }

    /// [`Spine::execute`] for callers that are not async. Blocks the thread.
    ///
    /// # Errors
    /// As [`Spine::execute`].
    pub fn execute_blocking<T, F>(&self, order: Order, mut closure: F) -> Result<T, Refusal>
    where
        T: Serialize + DeserializeOwned + Send + 'static,
        F: FnMut(&mut Unit<'_, '_>) -> Result<T, Refusal> + Send + 'static,
    {
        let (core, configured) = (Arc::clone(&self.core), Configured::of(&self.core));
        let mark = Arc::clone(&configured.mark);
        self.core.db.write_blocking(move |tx| run(&core, tx, &order, &mark, &mut closure))
    }

    /// Forgets answers to client-made keys older than `before`.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn forget_answers(&self, before: Timestamp) -> Result<u64, Refusal> {
        self.core.db.write(move |tx| Ok(tx.execute(&FORGET, params![before])?)).await
    }
}

/// Counts a change of configuration when the command has ended, however it did: between its own count, inside the
/// transaction, and the commit somebody may have read the old state, or a state that was rolled back.
struct Configured<'a> {
    core: &'a Core,
    mark: Arc<AtomicBool>,
}

impl<'a> Configured<'a> {
    fn of(core: &'a Core) -> Self {
        Self { core, mark: Arc::new(AtomicBool::new(false)) }
    }
}

impl Drop for Configured<'_> {
    fn drop(&mut self) {
        if self.mark.load(Ordering::Acquire) {
            self.core.configuration_changed();
        }
    }
}

fn run<T: Serialize + DeserializeOwned>(
    core: &Core,
    tx: &mut Tx<'_>,
    order: &Order,
    configured: &AtomicBool,
    closure: &mut impl FnMut(&mut Unit<'_, '_>) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    if let Some((command, fingerprint)) = &order.idempotency {
        let answered: Option<Answered> = tx.query_opt(&ANSWERED, params![order.workspace, *command])?;
        if let Some(answered) = answered {
            if answered.fingerprint != fingerprint {
                return Err(Code::IdempotencyKeyReused.into());
            }
            return serde_json::from_str(&answered.answer).map_err(Refusal::internal);
        }
    }
    let mut unit = Unit::begin((core, configured), tx, order.workspace, order.actor)?;
    let answer = closure(&mut unit)?;
    let now = unit.now();
    unit.finish()?;
    if let Some((command, fingerprint)) = &order.idempotency {
        let text = serde_json::to_string(&answer).map_err(Refusal::internal)?;
        tx.execute(&REMEMBER, params![order.workspace, *command, fingerprint.as_slice(), text, now])?;
    }
    Ok(answer)
}
