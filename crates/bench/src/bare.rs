//! The machine's limit: the rows of one chat message, written straight into SQLite, as many in a group as there are
//! clients, each group one durable commit.

use rusqlite::{Connection, params};
use std::path::Path;
use std::time::{Duration, Instant};
use uuid::Uuid;

const SCHEMA: &str = "
CREATE TABLE case_record (ws BLOB, id BLOB, preview TEXT, updated_at INTEGER, state TEXT, version INTEGER, PRIMARY KEY (ws, id));
CREATE TABLE message (ws BLOB, id BLOB, case_id BLOB, conversation_id BLOB, seq INTEGER, at INTEGER, author TEXT, body TEXT, meta TEXT,
  delivery TEXT, PRIMARY KEY (ws, id));
CREATE UNIQUE INDEX message_seq ON message (ws, conversation_id, seq);
CREATE INDEX message_case ON message (ws, case_id, at, id);
CREATE TABLE head (ws BLOB, part INTEGER, position INTEGER, PRIMARY KEY (ws, part));
CREATE TABLE event (ws BLOB, part INTEGER, position INTEGER, id BLOB, at INTEGER, actor TEXT, subject BLOB, version INTEGER, kind TEXT, data TEXT,
  PRIMARY KEY (ws, part, position));
CREATE UNIQUE INDEX event_subject ON event (ws, subject, version);
CREATE INDEX event_at ON event (ws, at);
INSERT INTO head VALUES (x'00', 0, 0);";

/// Messages per second.
pub(crate) fn rate(path: &Path, clients: usize, span: Duration) -> f64 {
    let _ = std::fs::remove_file(path);
    let db = Connection::open(path).unwrap();
    db.pragma_update(None, "journal_mode", "WAL").unwrap();
    db.pragma_update(None, "synchronous", "FULL").unwrap();
    db.execute_batch(SCHEMA).unwrap();
    let ws: &[u8] = &[0];
    let cases: Vec<Uuid> = (0..clients).map(|_| Uuid::now_v7()).collect();
    let state = "x".repeat(700);
    for case in &cases {
        db.execute(
            "INSERT INTO case_record VALUES (?1, ?2, '', 0, ?3, 0)",
            params![ws, case.as_bytes().as_slice(), state],
        )
        .unwrap();
    }
    let (mut done, mut seq, begun) = (0_u64, 0_i64, Instant::now());
    while begun.elapsed() < span {
        db.execute_batch("BEGIN IMMEDIATE").unwrap();
        seq += 1;
        for case in &cases {
            message(&db, ws, case, seq, &state);
            done += 1;
        }
        db.execute_batch("COMMIT").unwrap();
    }
    let seconds = begun.elapsed().as_secs_f64();
    f64::from(u32::try_from(done).unwrap()) / seconds
}

fn message(db: &Connection, ws: &[u8], case: &Uuid, seq: i64, state: &str) {
    let case = case.as_bytes().as_slice();
    let id = Uuid::now_v7();
    let id = id.as_bytes().as_slice();
    let mut read = db.prepare_cached("SELECT state, version FROM case_record WHERE ws = ?1 AND id = ?2").unwrap();
    let _: String = read.query_row(params![ws, case], |row| row.get(0)).unwrap();
    let mut add =
        db.prepare_cached("INSERT INTO message VALUES (?1, ?2, ?3, ?3, ?4, ?4, 'Customer', ?5, '{}', 'none')").unwrap();
    add.execute(params![ws, id, case, seq, "Hello, where is my parcel? It has been three days."]).unwrap();
    let mut change = db
        .prepare_cached(
            "UPDATE case_record SET preview = ?3, updated_at = ?4, state = ?5, version = ?4 WHERE ws = ?1 AND id = ?2",
        )
        .unwrap();
    change.execute(params![ws, case, "Hello, where is my parcel?", seq, state]).unwrap();
    let mut head = db
        .prepare_cached("UPDATE head SET position = position + 1 WHERE ws = x'00' AND part = 0 RETURNING position")
        .unwrap();
    let position: i64 = head.query_row([], |row| row.get(0)).unwrap();
    let mut log = db
        .prepare_cached("INSERT INTO event VALUES (?1, 0, ?2, ?3, ?4, 'customer', ?5, ?4, 'case.message_received', ?6)")
        .unwrap();
    log.execute(params![ws, position, id, seq, case, r#"{"type":"message_received","automatic":false}"#]).unwrap();
}
