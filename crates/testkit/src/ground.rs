//! Real storage in a temporary folder, migrated.

use crate::edges::{FakeClock, fake_edges};
use db::testing::TestPostgres;
use db::{Db, Engine, Settings, params, sql};
use domain::{Policies, WorkspaceId};
use spine::{Edges, Feature, Files, Spine, Vault};
use std::sync::Arc;
use tempfile::TempDir;
use uuid::Uuid;

sql!(INSERT_WORKSPACE = "INSERT INTO workspace (workspace_id, name, slug, locale, time_zone, settings, secret, created_at) \
    VALUES ($1, $2, $3, 'en', 'Asia/Shanghai', $4, $5, $6)", params: 6);

/// What a test stands on: a database, files, a clock.
pub struct Ground {
    pub db: Db,
    pub edges: Edges,
    pub clock: Arc<FakeClock>,
    pub files: Files,
    pub vault: Vault,
    /// Kept so that the folder lives as long as the test.
    pub folder: TempDir,
}

impl Ground {
    /// An embedded database of its own.
    #[must_use]
    pub fn sqlite() -> Self {
        Self::new(Engine::Sqlite)
    }

    /// A database of its own on either engine.
    #[must_use]
    pub fn new(engine: Engine) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = match engine {
            Engine::Sqlite => Settings::Sqlite { path: folder.path().join("steward.db"), readers: 2 },
            Engine::Postgres => {
                let url = TestPostgres::shared().fresh_database();
                Settings::Postgres { url, workers: 4, event_partitions: 4 }
            }
        };
        let db = Db::open(&settings).unwrap();
        db.migrate(0).unwrap();
        let (edges, clock) = fake_edges(1);
        let files = Files::open(&folder.path().join("files")).unwrap();
        Self { db, edges, clock, files, vault: Vault::new([7; 32]), folder }
    }

    /// A spine with these features on this ground.
    #[must_use]
    pub fn spine(&self, features: Vec<Feature>) -> Spine {
        Spine::new(self.db.clone(), self.edges.clone(), self.files.clone(), self.vault.clone(), features)
    }

    /// A bare workspace: number `n` gives its id and slug.
    #[must_use]
    pub fn workspace(&self, n: u128) -> WorkspaceId {
        let id = WorkspaceId(Uuid::from_u128(n));
        let settings = serde_json::to_string(&Policies::default()).unwrap();
        let (name, slug) = (format!("Workspace {n}"), format!("w{n}"));
        self.db
            .write_blocking(move |tx| {
                let secret = [9_u8; 32];
                let row = params![id, name.as_str(), slug.as_str(), settings.as_str(), secret.as_slice(), 0_i64];
                tx.execute(&INSERT_WORKSPACE, row)
            })
            .unwrap();
        id
    }
}

/// Runs a test on SQLite and on PostgreSQL.
pub fn on_both_engines(test: impl Fn(Ground)) {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        test(Ground::new(engine));
    }
}
