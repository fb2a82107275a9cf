//! The machine's limit: the rows of one chat message, written straight into SQLite, as many in a group as there are
//! clients, each group one durable commit. Same schema, same rows, same durability as the product; no HTTP, no rules,
//! no JSON to read or make, one thread.

use rusqlite::{Connection, Params, params};
use std::path::Path;
use std::time::{Duration, Instant};
use uuid::Uuid;

const WORKSPACE: &[u8] = &[7; 16];
const NOBODY: &[u8] = &[8; 16];

/// What a message of the product's writes and reads, counted in its own statements.
const READ_CASE: &str = "SELECT state, version FROM case_record WHERE workspace_id = ?1 AND id = ?2";
const ADD_MESSAGE: &str = "INSERT INTO message (workspace_id, id, case_id, conversation_id, seq, at, author_kind, author_id, author_name, \
    note, automatic, body_text, quoted_text, meta, delivery, sent_at) \
    VALUES (?1, ?2, ?3, ?3, ?4, ?5, 'customer', ?3, '', 0, 0, ?6, '', 'null', 'none', ?5)";
const MOVE_CASE: &str = "UPDATE case_record SET version = ?3, state = ?4, preview = ?5, updated_at = ?6, last_message_at = ?6, \
    waiting_since = 0 WHERE workspace_id = ?1 AND id = ?2";
const SEEN: &str = "UPDATE visitor SET last_seen_at = ?3 WHERE workspace_id = ?1 AND id = ?2 AND last_seen_at < ?3";
const ADVANCE: &str =
    "UPDATE event_head SET position = position + 1 WHERE workspace_id = ?1 AND part = 0 RETURNING position";
const ADD_EVENT: &str = "INSERT INTO event (workspace_id, part, position, id, at, actor, subject_kind, subject_id, version, kind, data) \
    VALUES (?1, 0, ?2, ?3, ?4, ?5, 'case', ?6, ?7, 'case.message_received', ?8)";

/// The thread of one client.
struct Thread {
    id: Uuid,
    actor: String,
    data: String,
}

/// Messages per second.
pub(crate) fn rate(path: &Path, clients: usize, span: Duration) -> f64 {
    let db = open(path);
    let threads: Vec<Thread> = (0..clients).map(|_| begin(&db)).collect();
    // What the product's state of a case is long.
    let state = "x".repeat(800);
    let (mut done, mut seq, begun) = (0_u64, 0_i64, Instant::now());
    while begun.elapsed() < span {
        db.execute_batch("BEGIN IMMEDIATE").unwrap();
        seq += 1;
        for thread in &threads {
            message(&db, thread, seq, &state);
            done += 1;
        }
        db.execute_batch("COMMIT").unwrap();
    }
    let seconds = begun.elapsed().as_secs_f64();
    f64::from(u32::try_from(done).unwrap()) / seconds
}

fn open(path: &Path) -> Connection {
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", path.display()));
    }
    let product = db::Db::open(&db::Settings::Sqlite { path: path.to_owned(), readers: 1 }).unwrap();
    product.migrate(0).unwrap();
    drop(product);
    let db = Connection::open(path).unwrap();
    db.pragma_update(None, "journal_mode", "WAL").unwrap();
    db.pragma_update(None, "synchronous", "FULL").unwrap();
    db.pragma_update(None, "cache_size", -32_768).unwrap();
    db.pragma_update(None, "wal_autocheckpoint", 16_000).unwrap();
    db.set_prepared_statement_cache_capacity(64);
    let head = "INSERT INTO event_head (workspace_id, part, position) VALUES (?1, 0, 0)";
    run(&db, head, params![WORKSPACE]);
    db
}

/// A visitor and their case.
fn begin(db: &Connection) -> Thread {
    let id = Uuid::now_v7();
    let key = id.as_bytes().as_slice();
    run(
        db,
        "INSERT INTO visitor (workspace_id, id, channel_id, token_hash, customer_id, thread_id, name, locale, last_seen_at, created_at, \
         page_url) VALUES (?1, ?2, ?3, ?2, ?2, ?2, '', 'en', 0, 0, 'http://bench/')",
        params![WORKSPACE, key, NOBODY],
    );
    run(
        db,
        "INSERT INTO case_record (workspace_id, id, number, customer_id, channel_id, channel_kind, subject, preview, status, status_rank, \
         priority, tags, opened_at, updated_at, last_message_at, waiting_since, state, version) VALUES (?1, ?2, \
         (SELECT COUNT(*) FROM case_record), ?2, ?3, 'webchat', 'Hello', '', 'new', 0, 1, '[]', 0, 0, 0, 0, '', 0)",
        params![WORKSPACE, key, NOBODY],
    );
    let data = format!(
        r#"{{"automatic":false,"conversation":"{id}","message":"{id}","preview":"Hello, where is my parcel? It has been three days.","type":"message_received"}}"#
    );
    Thread { id, actor: format!("customer:{id}"), data }
}

fn message(db: &Connection, thread: &Thread, seq: i64, state: &str) {
    let case = thread.id.as_bytes().as_slice();
    let id = Uuid::now_v7();
    let id = id.as_bytes().as_slice();
    let text = "Hello, where is my parcel? It has been three days.";
    let _: String = one(db, READ_CASE, params![WORKSPACE, case]);
    run(db, ADD_MESSAGE, params![WORKSPACE, id, case, seq, seq, text]);
    run(db, MOVE_CASE, params![WORKSPACE, case, seq, state, text, seq]);
    run(db, SEEN, params![WORKSPACE, case, seq]);
    let position: i64 = one(db, ADVANCE, params![WORKSPACE]);
    run(db, ADD_EVENT, params![WORKSPACE, position, id, seq, thread.actor, case, seq, thread.data]);
}

fn run(db: &Connection, text: &str, params: impl Params) {
    db.prepare_cached(text).unwrap().execute(params).unwrap();
}

fn one<T: rusqlite::types::FromSql>(db: &Connection, text: &str, params: impl Params) -> T {
    db.prepare_cached(text).unwrap().query_row(params, |row| row.get(0)).unwrap()
}
