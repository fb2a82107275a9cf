//! What only SQLite has: group commit, durability settings, backup.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::future::Future;
use std::pin::Pin;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};

use db::{Builder, Connection, Db, Error, Migration, Query, Settings, Value, limits, params, sql};

sql!(ADD = "INSERT INTO note (workspace_id, n) VALUES ($1, $2)", params: 2);
sql!(COUNT = "SELECT COUNT(*) FROM note WHERE workspace_id = $1", params: 1);
sql!(BY_N = "SELECT n FROM note WHERE workspace_id = $1 AND n = $2", params: 2);

type Pending = Pin<Box<dyn Future<Output = Result<u64, Error>>>>;

fn open(folder: &tempfile::TempDir) -> Db {
    let db = Db::open(&Settings::Sqlite { path: folder.path().join("test.db"), readers: 2 }).unwrap();
    let table = "CREATE TABLE note (workspace_id BYTEA NOT NULL, n BIGINT NOT NULL, PRIMARY KEY (workspace_id, n))";
    db.migrate_with(&[Migration::new("0001_note", table).unwrap()], 1).unwrap();
    db
}

fn count(db: &Db) -> i64 {
    db.read_blocking::<i64, Error, _>(|read| read.query_one(&COUNT, params![b"w"])).unwrap()
}

/// Holds the writer inside a closure until the sender is used.
fn hold(db: &Db) -> (mpsc::Sender<()>, std::thread::JoinHandle<Result<(), Error>>) {
    let (inside, entered) = mpsc::channel();
    let (release, wait) = mpsc::channel::<()>();
    let db = db.clone();
    let thread = std::thread::spawn(move || {
        let mut first = true;
        db.write_blocking(move |_| {
            // A closure can be run again, with the group it is in.
            if std::mem::take(&mut first) {
                inside.send(()).unwrap();
                wait.recv().unwrap();
            }
            Ok(())
        })
    });
    entered.recv().unwrap();
    (release, thread)
}

fn add(db: &Db, n: i64) -> Pending {
    let db = db.clone();
    Box::pin(async move { db.write(move |tx| tx.execute(&ADD, params![b"w", n])).await })
}

fn poll(pending: &mut Pending) -> Poll<Result<u64, Error>> {
    pending.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn waiting_commands_share_a_commit_but_not_their_fate() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder);
    let before = *db.committed().borrow();
    let (release, held) = hold(&db);
    // Every third command takes a number that the one before it took.
    let mut waiting: Vec<Pending> = (0..30).map(|n| add(&db, if n % 3 == 2 { n - 1 } else { n })).collect();
    for pending in &mut waiting {
        assert!(poll(pending).is_pending());
    }
    release.send(()).unwrap();
    held.join().unwrap().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for (n, pending) in waiting.into_iter().enumerate() {
        match runtime.block_on(pending) {
            Ok(changed) => assert_eq!((changed, n % 3 == 2), (1, false)),
            Err(error) => assert!(error.is_unique() && n % 3 == 2, "{n}: {error}"),
        }
    }
    assert_eq!(count(&db), 20);
    let commits = *db.committed().borrow() - before;
    assert!(commits <= 3, "30 waiting commands took {commits} commits");
}

#[test]
fn what_a_refused_command_wrote_is_undone_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder);
    for round in 0..3 {
        let (release, held) = hold(&db);
        let write = |n: i64| -> Pending {
            let db = db.clone();
            Box::pin(async move {
                db.write(move |tx| {
                    let changed = tx.execute(&ADD, params![b"w", n])?;
                    if n % 5 == 3 { Err(Error::Busy) } else { Ok(changed) }
                })
                .await
            })
        };
        let mut waiting: Vec<Pending> = (0..20).map(|n| write(round * 20 + n)).collect();
        for pending in &mut waiting {
            assert!(poll(pending).is_pending());
        }
        release.send(()).unwrap();
        held.join().unwrap().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for (n, pending) in waiting.into_iter().enumerate() {
            let answer = runtime.block_on(pending);
            assert!(matches!(answer, Ok(1)) != (n % 5 == 3), "{n}: {answer:?}");
        }
        assert_eq!(count(&db), (round + 1) * 16);
    }
}

#[test]
fn the_planner_takes_a_workspace_for_large() {
    sql!(OF_ITEM = "SELECT tag FROM tagged WHERE workspace_id = $1 AND item = $2 ORDER BY tag", params: 2);
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open(&Settings::Sqlite { path: folder.path().join("test.db"), readers: 1 }).unwrap();
    let text = "CREATE TABLE tagged (workspace_id BYTEA NOT NULL, tag TEXT NOT NULL, item BYTEA NOT NULL, \
        PRIMARY KEY (workspace_id, tag, item)); CREATE INDEX tagged_item ON tagged (workspace_id, item);";
    db.migrate_with(&[Migration::new("0001_tagged", text).unwrap()], 1).unwrap();
    let plan = db::query_plan(&db, &OF_ITEM).unwrap().join("\n");
    assert!(plan.contains("tagged_item (workspace_id=? AND item=?)"), "{plan}");
}

#[test]
fn the_queue_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder);
    let (release, held) = hold(&db);
    let mut waiting: Vec<Pending> = (0..limits::WRITE_QUEUE).map(|n| add(&db, i64::try_from(n).unwrap())).collect();
    for pending in &mut waiting {
        assert!(poll(pending).is_pending());
    }
    let mut one_more = add(&db, -1);
    assert!(matches!(poll(&mut one_more), Poll::Ready(Err(Error::Busy))));
    release.send(()).unwrap();
    held.join().unwrap().unwrap();
    // A caller that goes away does not take its command back.
    drop(waiting);
    db.write_blocking::<_, Error, _>(|_| Ok(())).unwrap();
    assert_eq!(count(&db), i64::try_from(limits::WRITE_QUEUE).unwrap());
}

#[test]
fn what_is_acknowledged_is_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder);
    let ask = |text: &'static str| -> Value {
        db.write_blocking::<_, Error, _>(move |tx| tx.rows(&Builder::new(text).build().0, &[])?[0].get(0)).unwrap()
    };
    assert_eq!(ask("PRAGMA synchronous"), Value::Int(2));
    assert_eq!(ask("PRAGMA journal_mode"), Value::Text("wal".into()));
    assert_eq!(ask("PRAGMA foreign_keys"), Value::Int(1));
    db.write_blocking::<_, Error, _>(|tx| tx.execute(&ADD, params![b"w", 1])).unwrap();
    // The files as a power cut now would leave them.
    let copy = tempfile::tempdir().unwrap();
    for name in ["test.db", "test.db-wal"] {
        std::fs::copy(folder.path().join(name), copy.path().join(name)).unwrap();
    }
    assert_eq!(count(&open(&copy)), 1);
}

#[test]
fn a_backup_is_the_whole_state() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder);
    let writer = db.clone();
    db.write_blocking::<_, Error, _>(|tx| tx.execute(&ADD, params![b"w", -1])).unwrap();
    let busy = std::thread::spawn(move || {
        for n in 0..200 {
            writer.write_blocking::<_, Error, _>(move |tx| tx.execute(&ADD, params![b"w", n])).unwrap();
        }
    });
    let copy = tempfile::tempdir().unwrap();
    db.backup(&copy.path().join("test.db")).unwrap();
    busy.join().unwrap();
    assert!(db.backup(&copy.path().join("test.db")).is_err(), "an older backup is not overwritten");
    let restored = open(&copy);
    assert!((1..=201).contains(&count(&restored)));
    restored.write_blocking::<_, Error, _>(|tx| tx.execute(&ADD, params![b"w", 1_000])).unwrap();
    db.vacuum().unwrap();
    db.optimize().unwrap();
    assert_eq!((count(&db), db.partitions()), (201, 1));
}

#[test]
fn plans_can_be_compared() {
    let folder = tempfile::tempdir().unwrap();
    let plan = db::query_plan(&open(&folder), &BY_N).unwrap();
    assert!(plan.iter().all(|step| step.starts_with("SEARCH note USING")), "{plan:?}");
}

#[test]
fn settings_that_cannot_be_used_are_told() {
    let settings = Settings::Sqlite { path: "/nonexistent/folder/x.db".into(), readers: 1 };
    assert!(matches!(Db::open(&settings), Err(Error::Settings(text)) if text.contains("/nonexistent")));
}
