//! The schema's history, on both engines.

use db::{Builder, CrashPoint, Error, Migration};

use super::{Lab, TABLE, insert};

both!(
    migrates_once,
    migration_resumes,
    newer_is_refused,
    changed_is_refused,
    two_migrate_at_once,
    embedded_set_applies,
);

fn migrates_once(engine: &str) {
    let lab = Lab::empty(engine);
    let set = [
        Migration::new("0001_item", TABLE).unwrap(),
        Migration::new("0002_more", "CREATE TABLE more (workspace_id BYTEA PRIMARY KEY)").unwrap(),
    ];
    assert_eq!(lab.db.migrate_with(&set[..1], 1).unwrap(), ["0001_item"]);
    assert_eq!(lab.db.migrate_with(&set, 2).unwrap(), ["0002_more"]);
    assert!(lab.db.migrate_with(&set, 3).unwrap().is_empty());
    assert!(lab.reopen().migrate_with(&set, 4).unwrap().is_empty());
}

fn migration_resumes(engine: &str) {
    // The kill comes before or after the commit of each step in turn; the next start goes on from there.
    let set = [Migration::new("0001_item", TABLE).unwrap()];
    for point in [CrashPoint::BeforeCommit, CrashPoint::AfterCommit] {
        let lab = Lab::empty(engine);
        for steps_done in 0..=2 {
            let db = lab.reopen();
            db.arm(point);
            let result = db.migrate_with(&set, 1);
            assert!(matches!(result, Err(Error::OutcomeUnknown)), "{steps_done}: {result:?}");
            if point == CrashPoint::BeforeCommit {
                break;
            }
        }
        let db = lab.reopen();
        db.migrate_with(&set, 2).unwrap();
        db.write_blocking::<_, Error, _>(|tx| insert(tx, 1)).unwrap();
        assert!(db.migrate_with(&set, 3).unwrap().is_empty());
    }
    // A step that fails leaves the steps before it done, and is run again by the next start.
    let lab = Lab::new(engine);
    let two = |second: &str| [Migration::new("0001_item", TABLE).unwrap(), Migration::new("0002_two", second).unwrap()];
    let failed = lab.db.migrate_with(
        &two("CREATE TABLE a (workspace_id BYTEA PRIMARY KEY); INSERT INTO item (number) SELECT number FROM b"),
        5,
    );
    assert!(matches!(failed, Err(Error::Engine { .. })), "{failed:?}");
    lab.db
        .write_blocking::<_, Error, _>(|tx| {
            tx.execute(&Builder::new("CREATE TABLE b (workspace_id BYTEA PRIMARY KEY, number BIGINT)").build().0, &[])
        })
        .unwrap();
    let repaired =
        two("CREATE TABLE a (workspace_id BYTEA PRIMARY KEY); INSERT INTO item (number) SELECT number FROM b");
    assert_eq!(lab.db.migrate_with(&repaired, 6).unwrap(), ["0002_two"]);
}

fn newer_is_refused(engine: &str) {
    let lab = Lab::new(engine);
    let result = lab.db.migrate_with(&[], 2);
    assert!(matches!(&result, Err(Error::Migration(text)) if text.contains("newer program")), "{result:?}");
}

fn changed_is_refused(engine: &str) {
    let lab = Lab::new(engine);
    let changed = Migration::new("0001_item", &format!("{TABLE} ")).unwrap();
    let result = lab.db.migrate_with(&[changed], 2);
    assert!(matches!(&result, Err(Error::Migration(text)) if text.contains("another text")), "{result:?}");
    let same_with_other_line_ends = Migration::new("0001_item", &TABLE.replace('\n', "\r\n")).unwrap();
    assert!(lab.db.migrate_with(&[same_with_other_line_ends], 2).unwrap().is_empty());
}

fn two_migrate_at_once(engine: &str) {
    let lab = Lab::empty(engine);
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let db = lab.reopen();
            std::thread::spawn(move || db.migrate_with(&[Migration::new("0001_item", TABLE).unwrap()], 1).map(drop))
        })
        .collect();
    for thread in threads {
        thread.join().unwrap().unwrap();
    }
    lab.db.write_blocking::<_, Error, _>(|tx| insert(tx, 1)).unwrap();
}

fn embedded_set_applies(engine: &str) {
    let lab = Lab::empty(engine);
    let applied = lab.db.migrate(1).unwrap();
    assert_eq!(applied.len(), Migration::embedded().unwrap().len());
    assert!(lab.db.migrate(2).unwrap().is_empty());
}
