//! What only PostgreSQL has: retries, lost connections, other processes, a URL.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use db::{Builder, Connection, Db, Error, Settings};

use super::{Lab, count, insert};

#[test]
fn runs_again_when_asked() {
    let lab = Lab::new("postgres");
    let runs = Arc::new(AtomicU32::new(0));
    let again = |until: u32| {
        let runs = Arc::clone(&runs);
        runs.store(0, Ordering::Relaxed);
        lab.db.write_blocking::<_, Error, _>(move |tx| {
            insert(tx, i64::from(until))?;
            if runs.fetch_add(1, Ordering::Relaxed) + 1 < until {
                Err(Error::Serialization("injected".into()))
            } else {
                Ok(())
            }
        })
    };
    again(3).unwrap();
    assert_eq!(runs.load(Ordering::Relaxed), 3);
    again(db::limits::RUNS).unwrap();
    let past = again(db::limits::RUNS + 1);
    assert!(matches!(past, Err(Error::Serialization(_))), "{past:?}");
    assert_eq!((runs.load(Ordering::Relaxed), count(&lab.db)), (db::limits::RUNS, 2));
}

#[test]
fn reconnects() {
    let lab = Lab::new("postgres");
    lab.db.write_blocking::<_, Error, _>(|tx| insert(tx, 1)).unwrap();
    let runs = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&runs);
    lab.db
        .write_blocking::<_, Error, _>(move |tx| {
            insert(tx, 2)?;
            if counter.fetch_add(1, Ordering::Relaxed) == 0 {
                tx.rows(&Builder::new("SELECT pg_terminate_backend(pg_backend_pid())").build().0, &[])?;
            }
            Ok(())
        })
        .unwrap();
    assert_eq!((runs.load(Ordering::Relaxed), count(&lab.db)), (2, 2));
}

#[test]
fn wakes_other_processes() {
    let lab = Lab::new("postgres");
    let other = lab.reopen();
    let mut bell = other.committed();
    bell.mark_unchanged();
    lab.db.write_blocking::<_, Error, _>(|tx| insert(tx, 1)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime
        .block_on(async { tokio::time::timeout(std::time::Duration::from_secs(10), bell.changed()).await })
        .unwrap()
        .unwrap();
}

#[test]
fn settings_are_kept_or_refused() {
    for url in ["postgres://u@127.0.0.1:1/x?sslmode=require", "postgres://u@db.example.org/x", "nonsense"] {
        let settings = Settings::Postgres { url: url.to_owned(), workers: 1, event_partitions: 16 };
        assert!(matches!(Db::open(&settings), Err(Error::Settings(_))), "{url}");
    }
    let unreachable = Settings::Postgres { url: "postgres://u@127.0.0.1:1/x".into(), workers: 1, event_partitions: 16 };
    assert!(matches!(Db::open(&unreachable), Err(Error::Settings(_))));
    let lab = Lab::empty("postgres");
    assert_eq!(lab.db.partitions(), 16);
    assert!(lab.db.backup(Path::new("/nonexistent")).is_err());
    lab.db.vacuum().unwrap();
    lab.db.optimize().unwrap();
}
