#![forbid(unsafe_code)]
use db::{Db, Error, Query, Settings, params, row, sql};

row! { #[derive(Debug, Clone, PartialEq)] pub struct Thing { pub id: domain::CaseId, pub n: i64, pub r#type: Option<String> } }
sql!(INSERT = "INSERT INTO thing (id, n, type) VALUES ($1, $2, $3)", params: 3);
sql!(pub ALL = "SELECT id, n, type FROM thing WHERE n >= $2 OR n = $1 OR n = $2 ORDER BY n", params: 2, row: Thing, global);

#[test]
fn works() {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open(&Settings::Sqlite { path: dir.path().join("x.db"), readers: 2 }).unwrap();
    let set = [db::Migration::new("0001_x", "CREATE TABLE thing (id BYTEA PRIMARY KEY, n BIGINT, type TEXT); -- a;b\nCREATE INDEX i ON thing (n);").unwrap()];
    assert_eq!(db.migrate_with(&set, 1).unwrap().len(), 1);
    let id = domain::CaseId(uuid::Uuid::from_u128(5));
    let n = db.write_blocking(move |tx| { tx.execute(&INSERT, params![id, 3, None::<&str>]) }).unwrap();
    assert_eq!(n, 1);
    let rows: Vec<Thing> = db.read_blocking(|r| r.query::<Thing>(&ALL, params![1, 2])).unwrap();
    assert_eq!(rows, vec![Thing { id, n: 3, r#type: None }]);
    let one: Result<i64, Error> = db.read_blocking(|r| { let (_, n): (Vec<u8>, i64) = r.query_one(&ALL, params![1, 2])?; Ok(n) });
    assert_eq!(one.unwrap(), 3);
    assert_eq!(db::Statement::all().count(), 2);
}
