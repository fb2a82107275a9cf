//! Checks of every declared statement against a live engine: does it prepare, with the arguments and columns it declares?

use std::fmt;

use crate::{Backend, Db, Error, Query, Row, Statement, Value, portable};

/// Something wrong with a declared statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The constant's name.
    pub statement: String,
    /// File and line of the declaration.
    pub place: String,
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.statement, self.place, self.message)
    }
}

fn problem(statement: &Statement, message: String) -> Problem {
    let (file, line) = statement.place();
    Problem { statement: statement.name().to_owned(), place: format!("{file}:{line}"), message }
}

/// Prepares every declared statement on this engine and compares the number of parameters and, where a row type is
/// declared, the column names in order. On PostgreSQL also the types: only those that both engines share.
/// Then the rules of [`portable`]. An empty answer means that all is well.
#[must_use]
pub fn check_statements(db: &Db) -> Vec<Problem> {
    let mut all: Vec<&'static Statement> = Statement::all().collect();
    all.sort_by_key(|statement| statement.place());
    let twins = all.windows(2).filter_map(|pair| match pair {
        [a, b] if a.text() == b.text() => Some(problem(b, format!("has the same text as {}", a.name()))),
        _ => None,
    });
    let mut problems: Vec<Problem> = twins.collect();
    for statement in all {
        let found = check_statement(db, statement).into_iter().chain(portable::statement_problems(statement));
        problems.extend(found.map(|message| problem(statement, message)));
    }
    problems
}

fn check_statement(db: &Db, statement: &'static Statement) -> Vec<String> {
    let shape = match db.read_blocking::<_, Error, _>(|read| read.describe(statement)) {
        Ok(shape) => shape,
        Err(error) => return vec![error.to_string()],
    };
    let mut found = shape.unreadable;
    if shape.params != statement.params() {
        found.push(format!("declares {} parameters, the engine counts {}", statement.params(), shape.params));
    }
    if !statement.columns().is_empty() && shape.columns != statement.columns() {
        found.push(format!("the row type has columns {:?}, the engine gives {:?}", statement.columns(), shape.columns));
    }
    found
}

/// SQLite's plan of a statement, one line per step, for plan snapshots (a `SCAN` of a large table is what to look for).
///
/// # Errors
/// [`Error::Settings`] on PostgreSQL, whose plans depend on the arguments; otherwise the engine's error.
pub fn query_plan(db: &Db, statement: &'static Statement) -> Result<Vec<String>, Error> {
    if !matches!(db.inner.backend, Backend::Sqlite(_)) {
        return Err(Error::Settings("plans are compared on SQLite".to_owned()));
    }
    let text = format!("EXPLAIN QUERY PLAN {}", statement.text());
    let explain = Statement::internal(statement.name(), text, statement.params());
    let nothing = vec![Value::Null; statement.params()];
    // EXPLAIN runs nothing, so it would not notice that the schema has changed since this connection read it.
    let look = Statement::internal("look", "SELECT COUNT(*) FROM sqlite_schema", 0);
    let rows: Vec<Detail> = db.read_blocking::<_, Error, _>(move |read| {
        let _: i64 = read.query_one(&look, &[])?;
        read.query(&explain, &nothing)
    })?;
    Ok(rows.into_iter().map(|detail| detail.0).collect())
}

/// `EXPLAIN QUERY PLAN` answers id, parent, notused, detail.
struct Detail(String);

impl crate::FromRow for Detail {
    const COLUMNS: &'static [&'static str] = &[];

    fn from_row(row: &mut Row) -> Result<Self, Error> {
        row.take(3).map(Self)
    }
}
