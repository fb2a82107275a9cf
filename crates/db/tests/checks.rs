//! The checks find what they are there to find.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use db::portable::{migration_problems, problems};
use db::{Db, Migration, Settings, row, sql};

row! { pub struct Pair { pub a: i64, pub b: i64 } }

sql!(WRONG_TABLE = "SELECT x FROM nowhere WHERE workspace_id = $1", params: 1);
sql!(WRONG_COUNT = "SELECT a, b FROM t WHERE workspace_id = $1", params: 2);
sql!(WRONG_COLUMNS = "SELECT b, a FROM t WHERE workspace_id = $1 AND a = $2", params: 2, row: Pair);
sql!(NO_WORKSPACE = "SELECT a FROM t WHERE b = $1", params: 1);
sql!(UNREADABLE = "SELECT SUM(a) AS total FROM t WHERE workspace_id = $1", params: 1);
sql!(pub GOOD = "SELECT a, b FROM t WHERE b = $1", params: 1, row: Pair, global);

fn found(settings: &Settings) -> Vec<(String, String)> {
    let db = Db::open(settings).unwrap();
    let table = "CREATE TABLE t (workspace_id BYTEA NOT NULL, a BIGINT, b BIGINT, PRIMARY KEY (workspace_id, a))";
    db.migrate_with(&[Migration::new("0001_t", table).unwrap()], 1).unwrap();
    let problems = db::check_statements(&db);
    assert!(problems.iter().all(|problem| problem.place.contains("checks.rs:")));
    problems.into_iter().map(|problem| (problem.statement, problem.message)).collect()
}

fn assert_found(found: &[(String, String)], statement: &str, part: &str) {
    assert!(
        found.iter().any(|(name, message)| name == statement && message.contains(part)),
        "{statement}: {part}: {found:?}"
    );
}

#[test]
fn broken_statements_are_found_on_both_engines() {
    let folder = tempfile::tempdir().unwrap();
    let url = db::testing::TestPostgres::shared().fresh_database();
    let sqlite = found(&Settings::Sqlite { path: folder.path().join("t.db"), readers: 1 });
    let postgres = found(&Settings::Postgres { url, workers: 1, event_partitions: 1 });
    for found in [&sqlite, &postgres] {
        assert_found(found, "WRONG_TABLE", "nowhere");
        assert_found(found, "WRONG_COUNT", "declares 2 parameters, the engine counts 1");
        assert_found(found, "WRONG_COLUMNS", r#"["a", "b"]"#);
        assert_found(found, "NO_WORKSPACE", "workspace_id");
        assert!(found.iter().all(|(name, _)| name != "GOOD"));
    }
    assert_found(&postgres, "UNREADABLE", "numeric");
}

#[test]
fn texts_for_one_engine_are_found() {
    for bad in [
        "SELECT a::text FROM t",
        "SELECT a FROM t WHERE a ILIKE $1",
        "SELECT now()",
        "SELECT data->>'x' FROM t",
        "SELECT * FROM t",
        "CREATE TRIGGER x",
        "CREATE TABLE t (id BIGSERIAL)",
        "LOCK TABLE t",
        "SELECT pg_advisory_lock(1)",
        "SELECT a FROM t FOR UPDATE",
        "SELECT DISTINCT ON (a) b FROM t",
        "INSERT OR IGNORE INTO t (a) VALUES (1)",
        "SELECT a FROM t WHERE a = ?",
        "SELECT a FROM t WHERE a = ANY($1)",
        "SELECT JSON_EXTRACT(a, '$') FROM t",
        "CREATE TABLE t (a TIMESTAMPTZ)",
    ] {
        assert!(!problems(bad).is_empty(), "{bad}");
    }
    for good in [
        "SELECT position, at FROM event WHERE workspace_id = $1 AND (at, id) > ($2, $3) ORDER BY at, id LIMIT $4",
        "INSERT INTO t (a) VALUES ($1) ON CONFLICT DO NOTHING",
        "SELECT '::text -> now()' FROM t -- ILIKE",
        "SELECT CAST(SUM(a) AS BIGINT) FROM t /*skip_locked*/",
        "SELECT COUNT(*) FROM t",
        "SELECT a - 1, b > 2 FROM t",
        "SELECT a FROM t WHERE lower(a) LIKE lower($1) ESCAPE '\\'",
    ] {
        assert_eq!(problems(good), Vec::<String>::new(), "{good}");
    }
}

#[test]
fn migrations_keep_the_rules_of_sharding() {
    let check = |text: &str| migration_problems(&Migration::new("0001_x", text).unwrap());
    assert_eq!(
        check(
            "CREATE TABLE t (workspace_id BYTEA NOT NULL, id BYTEA, PRIMARY KEY (workspace_id, id));\nCREATE UNIQUE INDEX i ON t (workspace_id, id)"
        ),
        Vec::<String>::new()
    );
    assert_eq!(check("CREATE TABLE w (workspace_id BYTEA NOT NULL PRIMARY KEY)"), Vec::<String>::new());
    assert_eq!(check("CREATE TABLE t (id BYTEA NOT NULL PRIMARY KEY)").len(), 1);
    assert_eq!(check("CREATE TABLE t (id BYTEA, PRIMARY KEY (id))").len(), 1);
    assert_eq!(check("CREATE UNIQUE INDEX i ON t (slug)").len(), 1);
    assert_eq!(check("-- global: sign-in finds the workspace by it\nCREATE UNIQUE INDEX i ON t (slug);\nCREATE UNIQUE INDEX j ON t (slug)").len(), 1);
    assert_eq!(check("VACUUM").len(), 1);
}

#[test]
fn steps_are_split_at_real_semicolons() {
    let steps = Migration::new(
        "0007_x",
        "-- a; b\nCREATE TABLE a (t TEXT DEFAULT ';''--'); /* c; d */\n\nINSERT INTO a (t) VALUES ('x') ; ;",
    )
    .unwrap()
    .steps();
    assert_eq!(steps, ["CREATE TABLE a (t TEXT DEFAULT ';''--')", "INSERT INTO a (t) VALUES ('x')"]);
    assert!(Migration::new("x_y", "").is_err());
}
