//! Every statement of this feature prepares on both engines and keeps the portable rules.

use testkit::on_both_engines;

#[test]
fn every_statement_prepares() {
    on_both_engines(|ground| {
        let problems = db::check_statements(&ground.db);
        assert!(problems.is_empty(), "{problems:#?}");
    });
}
