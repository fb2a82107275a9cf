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
