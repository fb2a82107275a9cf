//! Every statement of the program on both engines, and the rules that keep it portable and shardable (DESIGN 3).

use db::{Engine, Statement};
use testkit::Ground;

#[test]
fn every_statement_is_prepared_on_both_engines() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let ground = Ground::new(engine);
        let problems = db::check_statements(&ground.db);
        assert!(problems.is_empty(), "{engine:?}: {problems:#?}");
    }
    assert!(Statement::all().count() > 150, "statements are missing from the list");
}

#[test]
fn every_statement_and_migration_keeps_the_portable_rules() {
    let mut found = Vec::new();
    for statement in Statement::all() {
        found.extend(
            db::portable::statement_problems(statement).into_iter().map(|p| format!("{} {p}", statement.name())),
        );
    }
    for migration in db::Migration::embedded().unwrap() {
        found.extend(db::portable::migration_problems(&migration));
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// Tables that grow with every message or case. Whoever reads all of a workspace's rows of one must be named below.
const LARGE: [&str; 18] = [
    "assignment",
    "attachment",
    "case_record",
    "case_seen",
    "case_tag",
    "chat_conversation",
    "conversation",
    "customer",
    "customer_identity",
    "event",
    "idempotency",
    "inbox",
    "job",
    "mail_reference",
    "message",
    "participant",
    "pending_upload",
    "visitor",
];

/// Statement and why it may.
const WHOLE: [(&str, &str); 2] =
    [("HEADS", "one row for each partition of the log"), ("HEADS_OF", "one row for each partition of the log")];

#[test]
fn no_statement_reads_all_rows_of_a_large_table() {
    let ground = Ground::sqlite();
    let found: Vec<String> = Statement::all()
        .filter(|s| s.place().0.contains("/src/") && WHOLE.iter().all(|(name, _)| *name != s.name()))
        .flat_map(|s| {
            let plan = db::query_plan(&ground.db, s).unwrap();
            let steps = plan.into_iter().filter(|step| reads_all(step));
            steps.map(|step| format!("{} ({}): {step}", s.name(), s.place().0)).collect::<Vec<_>>()
        })
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}

/// `SCAN case_record`, or `SEARCH m USING INDEX message_inbox (workspace_id=?)`: the table's own name is not always
/// there, but its indexes are named after it.
fn reads_all(step: &str) -> bool {
    let words: Vec<&str> = step.split_whitespace().collect();
    let index = words.iter().position(|w| *w == "INDEX").and_then(|at| words.get(at + 1)).copied();
    let index = index.map(|name| name.strip_prefix("sqlite_autoindex_").unwrap_or(name));
    let of_large = |name: &str| LARGE.iter().any(|table| name == *table || name.starts_with(&format!("{table}_")));
    match words.first() {
        Some(&"SCAN") => words.get(1).is_some_and(|table| of_large(table)) || index.is_some_and(of_large),
        Some(&"SEARCH") => step.ends_with("(workspace_id=?)") && index.is_some_and(of_large),
        _ => false,
    }
}
