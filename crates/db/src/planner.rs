//! What SQLite's planner assumes about tables it has not measured.
//!
//! Without figures it takes every first column of an index for selective. Ours is `workspace_id`, which selects next to
//! nothing, so a query with a join or an `ORDER BY` could end in reading all rows of a workspace. We say so in advance;
//! `PRAGMA optimize` replaces the assumption by figures where there is data.

use std::path::Path;

use rusqlite::{Connection, params};

use crate::{Error, sqlite};

/// Rows of a table, and those of them that one workspace has.
const ROWS: u32 = 1_000_000;
const OF_WORKSPACE: u32 = 100_000;
/// Rows that each further column leaves: SQLite's own defaults.
const FURTHER: [u32; 4] = [10, 9, 8, 7];
const FURTHEST: u32 = 6;

struct Index {
    table: String,
    name: String,
    unique: bool,
    columns: u32,
}

/// Adds an assumption for every index that has no figures, and lets all connections read them.
pub(crate) fn assume(path: &Path) -> Result<(), Error> {
    let write = || -> rusqlite::Result<()> {
        let mut connection = sqlite::beside(path)?;
        let tx = connection.transaction()?;
        tx.execute_batch("ANALYZE sqlite_schema")?;
        for index in unknown(&tx)? {
            let row = params![index.table, index.name, figures(&index)];
            tx.execute("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?1, ?2, ?3)", row)?;
        }
        // Figures are read with the schema: changing it makes every connection read both again.
        tx.execute_batch("CREATE TABLE planner_reload (n BIGINT); DROP TABLE planner_reload")?;
        tx.commit()
    };
    write().map_err(|error| sqlite::failure("planner", &error))
}

fn unknown(connection: &Connection) -> rusqlite::Result<Vec<Index>> {
    let mut select = connection.prepare(
        "SELECT t.name, i.name, i.\"unique\", (SELECT COUNT(*) FROM pragma_index_info(i.name)) \
         FROM sqlite_schema t JOIN pragma_index_list(t.name) i \
         WHERE t.type = 'table' AND i.partial = 0 \
         AND (SELECT c.name FROM pragma_index_info(i.name) c WHERE c.seqno = 0) = 'workspace_id' \
         AND NOT EXISTS (SELECT 1 FROM sqlite_stat1 s WHERE s.tbl = t.name AND s.idx = i.name) ORDER BY 1, 2",
    )?;
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Index { table: row.get(0)?, name: row.get(1)?, unique: row.get(2)?, columns: row.get(3)? })
    };
    select.query_map([], read)?.collect()
}

/// "rows of the table, rows with the first column given, with the first two given ..." (SQLite file format, 2.6.3).
fn figures(index: &Index) -> String {
    let further = FURTHER.into_iter().chain(std::iter::repeat(FURTHEST));
    let given = std::iter::once(OF_WORKSPACE).chain(further);
    let mut text = ROWS.to_string();
    for (column, rows) in (1..=index.columns).zip(given) {
        let rows = if index.unique && column == index.columns { 1 } else { rows };
        text.push_str(&format!(" {rows}"));
    }
    text
}
