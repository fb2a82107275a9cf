//! One suite, run on both engines.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::sync::{Arc, mpsc};

use db::testing::TestPostgres;
use db::{
    Builder, Connection, CrashPoint, Db, Error, Migration, Query, Retryable, Row, Settings, Statement, Tx, Value,
    params, row, sql,
};
use domain::{CaseId, Timestamp, WorkspaceId};
use uuid::Uuid;

macro_rules! both {
    ($($name:ident),* $(,)?) => {
        mod sqlite { $(#[test] fn $name() { super::$name("sqlite"); })* }
        mod postgres { $(#[test] fn $name() { super::$name("postgres"); })* }
    };
}

mod migrations;
mod server;

row! {
    #[derive(Debug, Clone, PartialEq)]
    pub struct Item {
        pub id: CaseId,
        pub number: i64,
        pub r#type: Option<String>,
        pub flag: bool,
        pub rate: Option<f64>,
        pub data: Vec<u8>,
        pub part: i16,
        pub at: Timestamp,
    }
}

sql!(INSERT = "INSERT INTO item (workspace_id, id, number, type, flag, rate, data, part, at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)", params: 9);
sql!(BY_NUMBER = "SELECT id, number, type, flag, rate, data, part, at FROM item WHERE workspace_id = $1 AND number = $2",
    params: 2, row: Item);
sql!(COUNT = "SELECT COUNT(*) AS n FROM item WHERE workspace_id = $1", params: 1);
sql!(SUM = "SELECT CAST(COALESCE(SUM(number), 0) AS BIGINT) AS n FROM item", params: 0, global);
sql!(REPEATED = "SELECT number FROM item WHERE workspace_id = $3 AND number >= $2 AND number <= $1 AND number <> $2 ORDER BY number", params: 3);
sql!(BUMP = "UPDATE item SET number = number + 1 WHERE workspace_id = $1 AND part = $2 RETURNING number", params: 2);
sql!(SET = "UPDATE item SET number = $2 WHERE workspace_id = $1", params: 2);
sql!(CLAIM = "SELECT id FROM item WHERE workspace_id = $1 AND part = $2 LIMIT 1 /*skip_locked*/", params: 2);
sql!(LOCK = "SELECT number FROM item WHERE workspace_id = $1 AND part = $2 /*for_update*/", params: 2);

const TABLE: &str = "CREATE TABLE item (
  workspace_id BYTEA NOT NULL, id BYTEA NOT NULL, number BIGINT NOT NULL, type TEXT, flag BOOLEAN NOT NULL,
  rate DOUBLE PRECISION, data BYTEA NOT NULL, part SMALLINT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (workspace_id, id));
CREATE UNIQUE INDEX item_number ON item (workspace_id, number);";

struct Lab {
    settings: Settings,
    db: Db,
    _folder: tempfile::TempDir,
}

impl Lab {
    fn empty(engine: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = match engine {
            "sqlite" => Settings::Sqlite { path: folder.path().join("test.db"), readers: 2 },
            _ => Settings::Postgres { url: TestPostgres::shared().fresh_database(), workers: 6, event_partitions: 16 },
        };
        Self { db: Db::open(&settings).unwrap(), settings, _folder: folder }
    }

    fn new(engine: &str) -> Self {
        let lab = Self::empty(engine);
        lab.db.migrate_with(&[Migration::new("0001_item", TABLE).unwrap()], 1).unwrap();
        lab
    }

    /// As after a restart of the process.
    fn reopen(&self) -> Db {
        Db::open(&self.settings).unwrap()
    }
}

fn ws() -> WorkspaceId {
    WorkspaceId(Uuid::from_u128(1))
}

fn insert(tx: &mut Tx<'_>, number: i64) -> Result<u64, Error> {
    let id = CaseId(Uuid::from_u128(u128::try_from(number).unwrap()));
    tx.execute(
        &INSERT,
        params![
            ws(),
            id,
            number,
            None::<String>,
            false,
            None::<f64>,
            vec![0_u8, 255],
            3_i16,
            Timestamp::from_micros(7)
        ],
    )
}

fn count(db: &Db) -> i64 {
    db.read_blocking::<i64, Error, _>(|read| read.query_one(&COUNT, params![ws()])).unwrap()
}

both!(
    values_come_back,
    parameters_by_number,
    arguments_are_counted,
    refusal_rolls_back,
    panic_is_an_error,
    failed_statement_spoils,
    unique_is_told,
    no_row_is_told,
    reads_do_not_write,
    uncommitted_is_unseen,
    a_read_is_one_snapshot,
    composed_statements,
    counting_in_parallel,
    dies_before_commit,
    dies_after_commit,
    statements_check,
    lock_tokens,
    bell_rings_on_change,
    dynamic_dispatch,
    async_callers,
);

fn values_come_back(engine: &str) {
    let lab = Lab::new(engine);
    let full = Item {
        id: CaseId(Uuid::from_u128(u128::MAX)),
        number: i64::MIN,
        r#type: Some("中文 'quoted' \u{1f600}".into()),
        flag: true,
        rate: Some(-0.5),
        data: vec![],
        part: i16::MAX,
        at: Timestamp::from_micros(-1),
    };
    let bare = Item {
        id: CaseId(Uuid::nil()),
        number: 1,
        r#type: None,
        flag: false,
        rate: None,
        data: vec![0, 1, 255],
        part: i16::MIN,
        at: Timestamp::from_micros(0),
    };
    for item in [full, bare] {
        let (given, number) = (item.clone(), item.number);
        let changed = lab.db.write_blocking::<_, Error, _>(move |tx| {
            let i = given.clone();
            tx.execute(&INSERT, params![ws(), i.id, i.number, i.r#type, i.flag, i.rate, i.data, i.part, i.at])
        });
        assert_eq!(changed.unwrap(), 1);
        let got = lab
            .db
            .read_blocking::<Option<Item>, Error, _>(move |read| read.query_opt(&BY_NUMBER, params![ws(), number]));
        assert_eq!(got.unwrap(), Some(item));
    }
}

fn parameters_by_number(engine: &str) {
    let lab = Lab::new(engine);
    lab.db.write_blocking::<_, Error, _>(|tx| (1..=5).try_for_each(|n| insert(tx, n).map(drop))).unwrap();
    let got = lab.db.read_blocking::<Vec<i64>, Error, _>(|read| read.query(&REPEATED, params![4, 2, ws()]));
    assert_eq!(got.unwrap(), [3, 4]);
}

fn arguments_are_counted(engine: &str) {
    let lab = Lab::new(engine);
    for given in [0, 2] {
        let got = lab.db.read_blocking::<i64, Error, _>(move |read| read.query_one(&COUNT, &vec![Value::Null; given]));
        assert!(matches!(got, Err(Error::Arguments { .. })), "{got:?}");
    }
}

#[derive(Debug)]
enum Refusal {
    No,
    Storage(Error),
}
impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Storage(error)
    }
}
impl Retryable for Refusal {
    fn is_retryable(&self) -> bool {
        matches!(self, Self::Storage(error) if error.is_retryable())
    }
}

fn refusal_rolls_back(engine: &str) {
    let lab = Lab::new(engine);
    let refused = lab.db.write_blocking::<(), Refusal, _>(|tx| {
        insert(tx, 1)?;
        Err(Refusal::No)
    });
    assert!(matches!(refused, Err(Refusal::No)));
    lab.db.write_blocking::<_, Error, _>(|tx| insert(tx, 2)).unwrap();
    assert_eq!(count(&lab.db), 1);
}

fn panic_is_an_error(engine: &str) {
    let lab = Lab::new(engine);
    let result = lab.db.write_blocking::<(), Error, _>(|tx| {
        insert(tx, 1)?;
        panic!("on purpose")
    });
    assert!(matches!(&result, Err(Error::Panicked(text)) if text == "on purpose"), "{result:?}");
    let result = lab.db.read_blocking::<(), Error, _>(|_| panic!("in a {}", "read"));
    assert!(matches!(&result, Err(Error::Panicked(text)) if text == "in a read"), "{result:?}");
    assert_eq!(count(&lab.db), 0);
    lab.db.write_blocking::<_, Error, _>(|tx| insert(tx, 1)).unwrap();
    assert_eq!(count(&lab.db), 1);
}

fn failed_statement_spoils(engine: &str) {
    let lab = Lab::new(engine);
    let result = lab.db.write_blocking::<(), Error, _>(|tx| {
        insert(tx, 1)?;
        assert!(insert(tx, 1).unwrap_err().is_unique());
        assert!(matches!(insert(tx, 2), Err(Error::Aborted)));
        assert!(matches!(tx.as_read().query_one::<i64>(&COUNT, params![ws()]), Err(Error::Aborted)));
        Ok(())
    });
    assert!(matches!(result, Err(Error::Aborted)), "{result:?}");
    assert_eq!(count(&lab.db), 0);
}

fn unique_is_told(engine: &str) {
    let lab = Lab::new(engine);
    lab.db.write_blocking::<_, Error, _>(|tx| insert(tx, 1)).unwrap();
    let error = lab.db.write_blocking::<_, Error, _>(|tx| insert(tx, 1)).unwrap_err();
    assert!(error.is_unique(), "{error}");
    let error = lab.db.write_blocking::<_, Error, _>(|tx| tx.execute(&SET, params![ws(), None::<i64>])).unwrap_err();
    assert!(matches!(error, Error::Constraint { .. }), "{error}");
}

fn no_row_is_told(engine: &str) {
    let lab = Lab::new(engine);
    let error =
        lab.db.read_blocking::<Item, Error, _>(|read| read.query_one(&BY_NUMBER, params![ws(), 1])).unwrap_err();
    assert!(error.is_not_found() && error.to_string().contains("BY_NUMBER"), "{error}");
}

fn reads_do_not_write(engine: &str) {
    let lab = Lab::new(engine);
    lab.db.write_blocking::<_, Error, _>(|tx| insert(tx, 1)).unwrap();
    let result = lab.db.read_blocking::<Vec<i64>, Error, _>(|read| read.query(&BUMP, params![ws(), 3_i16]));
    assert!(matches!(result, Err(Error::Engine { .. })), "{result:?}");
    let unchanged = lab.db.read_blocking::<i64, Error, _>(|read| read.query_one(&SUM, &[]));
    assert_eq!(unchanged.unwrap(), 1);
}

fn uncommitted_is_unseen(engine: &str) {
    let lab = Lab::new(engine);
    let (inside, entered) = mpsc::channel();
    let (release, wait) = mpsc::channel::<()>();
    let db = lab.db.clone();
    let writer = std::thread::spawn(move || {
        db.write_blocking::<_, Error, _>(move |tx| {
            insert(tx, 1)?;
            assert_eq!(tx.query_one::<i64>(&COUNT, params![ws()])?, 1);
            inside.send(()).unwrap();
            wait.recv().unwrap();
            Ok(())
        })
    });
    entered.recv().unwrap();
    assert_eq!(count(&lab.db), 0);
    release.send(()).unwrap();
    writer.join().unwrap().unwrap();
    assert_eq!(count(&lab.db), 1);
}

fn a_read_is_one_snapshot(engine: &str) {
    let lab = Lab::new(engine);
    let (inside, entered) = mpsc::channel();
    let (release, wait) = mpsc::channel::<()>();
    let db = lab.db.clone();
    let reader = std::thread::spawn(move || {
        db.read_blocking::<(i64, i64), Error, _>(move |read| {
            let before = read.query_one(&COUNT, params![ws()])?;
            inside.send(()).unwrap();
            wait.recv().unwrap();
            Ok((before, read.query_one(&COUNT, params![ws()])?))
        })
    });
    entered.recv().unwrap();
    lab.db.write_blocking::<_, Error, _>(|tx| insert(tx, 1)).unwrap();
    release.send(()).unwrap();
    assert_eq!(reader.join().unwrap().unwrap(), (0, 0));
}

fn composed_statements(engine: &str) {
    let lab = Lab::new(engine);
    lab.db
        .write_blocking::<_, Error, _>(|tx| {
            for (number, name) in (1_i64..).zip(["50% off", "50 off", "a_b", "axb", r"back\slash"]) {
                insert(tx, number)?;
                let mut b = Builder::new("UPDATE item SET type = ");
                b.bind(name).push(" WHERE workspace_id = ").bind(ws()).push(" AND number = ").bind(number);
                let (statement, values) = b.build();
                assert_eq!(tx.execute(&statement, &values)?, 1);
            }
            Ok(())
        })
        .unwrap();
    let find = |needle: &'static str| {
        lab.db
            .read_blocking::<Vec<i64>, Error, _>(move |read| {
                let mut b = Builder::new("SELECT number FROM item WHERE workspace_id = ");
                b.bind(ws()).push(" AND lower(type) LIKE ").contains(needle).push(" ORDER BY number");
                let (statement, values) = b.build();
                read.query(&statement, &values)
            })
            .unwrap()
    };
    assert_eq!((find("50%"), find("a_b"), find("\\"), find("")), (vec![1], vec![3], vec![5], vec![1, 2, 3, 4, 5]));
    let listed = |numbers: Vec<i64>| {
        lab.db
            .read_blocking::<Vec<i64>, Error, _>(move |read| {
                let mut condition = Builder::new("number IN ");
                condition.in_list(numbers.clone());
                let mut b = Builder::new("SELECT number FROM item WHERE workspace_id = ");
                b.bind(ws()).push(" AND ").append(condition).push(" ORDER BY number LIMIT ").bind(10);
                let (statement, values) = b.build();
                read.query(&statement, &values)
            })
            .unwrap()
    };
    assert_eq!((listed(vec![]), listed(vec![2]), listed(vec![5, 1, 3])), (vec![], vec![2], vec![1, 3, 5]));
}

fn counting_in_parallel(engine: &str) {
    let lab = Lab::new(engine);
    lab.db.write_blocking::<_, Error, _>(|tx| insert(tx, 1)).unwrap();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let db = lab.db.clone();
            std::thread::spawn(move || {
                for _ in 0..25 {
                    // Read, then write what was read plus one: only right if transactions are serializable.
                    db.write_blocking::<_, Error, _>(|tx| {
                        let n: i64 = tx.query_one(&LOCK, params![ws(), 3_i16])?;
                        tx.execute(&SET, params![ws(), n + 1])
                    })
                    .unwrap();
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(lab.db.read_blocking::<i64, Error, _>(|read| read.query_one(&SUM, &[])).unwrap(), 101);
}

fn dies(engine: &str, point: CrashPoint, survives: i64) {
    let lab = Lab::new(engine);
    lab.db.arm(point);
    let result = lab.db.write_blocking::<_, Error, _>(|tx| insert(tx, 1));
    assert!(matches!(result, Err(Error::OutcomeUnknown)), "{result:?}");
    let result = lab.db.write_blocking::<_, Error, _>(|tx| insert(tx, 2));
    assert!(matches!(result, Err(Error::ReadOnly)), "{result:?}");
    assert_eq!(count(&lab.db), survives, "reads go on");
    let db = lab.reopen();
    assert_eq!(count(&db), survives);
    db.write_blocking::<_, Error, _>(|tx| insert(tx, 3)).unwrap();
}

fn dies_before_commit(engine: &str) {
    dies(engine, CrashPoint::BeforeCommit, 0);
}

fn dies_after_commit(engine: &str) {
    dies(engine, CrashPoint::AfterCommit, 1);
}

fn statements_check(engine: &str) {
    let lab = Lab::new(engine);
    assert!(Statement::all().count() >= 9);
    assert_eq!(db::check_statements(&lab.db), []);
}

fn lock_tokens(engine: &str) {
    let lab = Lab::new(engine);
    let claimed = lab.db.write_blocking::<_, Error, _>(|tx| {
        insert(tx, 1)?;
        tx.query::<CaseId>(&CLAIM, params![ws(), 3_i16])
    });
    assert_eq!(claimed.unwrap().len(), 1);
}

fn bell_rings_on_change(engine: &str) {
    let lab = Lab::new(engine);
    let bell = lab.db.committed();
    let before = *bell.borrow();
    lab.db.write_blocking::<_, Error, _>(|tx| tx.query::<i64>(&BUMP, params![ws(), 9_i16])).unwrap();
    lab.db
        .write_blocking::<_, Refusal, _>(|tx| {
            insert(tx, 1)?;
            Err::<(), _>(Refusal::No)
        })
        .unwrap_err();
    assert_eq!(*bell.borrow(), before, "nothing changed, nobody is woken");
    lab.db.write_blocking::<_, Error, _>(|tx| insert(tx, 1)).unwrap();
    assert_eq!(*bell.borrow(), before + 1);
    lab.db.write_blocking::<_, Error, _>(|tx| tx.query::<i64>(&BUMP, params![ws(), 3_i16])).unwrap();
    assert_eq!(*bell.borrow(), before + 2);
}

trait Store {
    fn load(&self, q: &mut dyn Connection) -> Result<i64, Error>;
}
struct Items;
impl Store for Items {
    fn load(&self, q: &mut dyn Connection) -> Result<i64, Error> {
        let rows: Vec<Row> = q.rows(&COUNT, params![ws()])?;
        assert_eq!(rows[0].columns(), ["n"]);
        q.query_one(&COUNT, params![ws()])
    }
}

fn dynamic_dispatch(engine: &str) {
    let lab = Lab::new(engine);
    let store: Arc<dyn Store + Send + Sync> = Arc::new(Items);
    let (inside, outside) = (Arc::clone(&store), store);
    let n = lab.db.write_blocking::<_, Error, _>(move |tx| {
        insert(tx, 1)?;
        inside.load(&mut tx.as_read())?;
        inside.load(tx)
    });
    assert_eq!(n.unwrap(), 1);
    assert_eq!(lab.db.read_blocking::<_, Error, _>(move |read| outside.load(read)).unwrap(), 1);
}

fn async_callers(engine: &str) {
    let lab = Lab::new(engine);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let db = lab.db.clone();
    runtime.block_on(async move {
        let tasks: Vec<_> = (1..=40)
            .map(|n| {
                let db = db.clone();
                tokio::spawn(async move { db.write::<_, Error, _>(move |tx| insert(tx, n)).await })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap().unwrap(), 1);
        }
        let sum = db.read::<i64, Error, _>(|read| read.query_one(&SUM, &[])).await;
        assert_eq!(sum.unwrap(), 820);
        // Opened inside a runtime, as the server does.
        Db::open(&lab.settings).unwrap();
    });
}
