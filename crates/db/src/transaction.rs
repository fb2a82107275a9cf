//! What a closure holds: [`Tx`] may change rows, [`Read`] may not. Both answer queries through [`Query`].

use crate::{Engine, Error, FromRow, Row, Statement, Value};

/// An engine's connection inside a transaction. Private: only [`Tx`] and [`Read`] reach it.
pub(crate) trait Session {
    fn engine(&self) -> Engine;
    fn rows(&mut self, statement: &Statement, params: &[Value]) -> Result<Vec<Row>, Error>;
    fn execute(&mut self, statement: &Statement, params: &[Value]) -> Result<u64, Error>;
    fn describe(&mut self, statement: &Statement) -> Result<Shape, Error>;
}

/// What an engine says about a prepared statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) params: usize,
    pub(crate) columns: Vec<String>,
    /// Columns of types that this crate does not read, with the type (a SUM without CAST is NUMERIC on PostgreSQL).
    pub(crate) unreadable: Vec<String>,
}

/// The part of a transaction that `dyn` can hold: run a query, get its rows.
pub trait Connection {
    /// The engine behind it. Business code must not branch on it.
    fn engine(&self) -> Engine;

    /// Runs a statement that returns rows (also `INSERT .. RETURNING`, on a [`Tx`]).
    ///
    /// # Errors
    /// Those of the engine; after one, the transaction can only be rolled back ([`Error::Aborted`]).
    fn rows(&mut self, statement: &Statement, params: &[Value]) -> Result<Vec<Row>, Error>;
}

/// Typed queries over any [`Connection`], so that `fn load(q: &mut impl Query, ..)` works inside reads and writes alike.
pub trait Query: Connection {
    /// All rows.
    ///
    /// # Errors
    /// As [`Connection::rows`], and [`Error::Column`] if a row does not fit `R`.
    fn query<R: FromRow>(&mut self, statement: &Statement, params: &[Value]) -> Result<Vec<R>, Error> {
        self.rows(statement, params)?.iter_mut().map(R::from_row).collect()
    }

    /// The first row, if there is one.
    ///
    /// # Errors
    /// As [`Query::query`].
    fn query_opt<R: FromRow>(&mut self, statement: &Statement, params: &[Value]) -> Result<Option<R>, Error> {
        self.rows(statement, params)?.first_mut().map(R::from_row).transpose()
    }

    /// The first row.
    ///
    /// # Errors
    /// As [`Query::query`], and [`Error::NotFound`] if there is none.
    fn query_one<R: FromRow>(&mut self, statement: &Statement, params: &[Value]) -> Result<R, Error> {
        self.query_opt(statement, params)?.ok_or_else(|| Error::NotFound { statement: statement.name().to_owned() })
    }
}

impl<C: Connection + ?Sized> Query for C {}

/// One write transaction (on SQLite: a savepoint of the group that commits together).
pub struct Tx<'a> {
    session: &'a mut dyn Session,
    failed: bool,
    changed: bool,
}

impl<'a> Tx<'a> {
    pub(crate) fn new(session: &'a mut dyn Session) -> Self {
        Self { session, failed: false, changed: false }
    }

    /// Some row was changed. A transaction that only looked (a consumer with nothing to do) wakes nobody.
    pub(crate) fn changed(&self) -> bool {
        self.changed
    }

    pub(crate) fn failed(&self) -> bool {
        self.failed
    }

    /// Runs a statement that returns no rows; answers how many rows it changed.
    ///
    /// # Errors
    /// As [`Connection::rows`].
    pub fn execute(&mut self, statement: &Statement, params: &[Value]) -> Result<u64, Error> {
        let changed = self.guarded(|session| session.execute(statement, params))?;
        self.changed |= changed > 0;
        Ok(changed)
    }

    /// The same transaction for functions that take a [`Read`]; it sees this transaction's own changes.
    /// Its statements are not guarded against writing, as a `Read` offers no way to.
    pub fn as_read(&mut self) -> Read<'_> {
        Read { session: &mut *self.session, failed: Some(&mut self.failed) }
    }

    /// PostgreSQL refuses everything after a failed statement; SQLite would go on. We keep the stricter rule on both.
    fn guarded<T>(&mut self, run: impl FnOnce(&mut dyn Session) -> Result<T, Error>) -> Result<T, Error> {
        if self.failed {
            return Err(Error::Aborted);
        }
        let result = run(self.session);
        self.failed = result.is_err();
        result
    }
}

impl Connection for Tx<'_> {
    fn engine(&self) -> Engine {
        self.session.engine()
    }

    fn rows(&mut self, statement: &Statement, params: &[Value]) -> Result<Vec<Row>, Error> {
        let rows = self.guarded(|session| session.rows(statement, params))?;
        self.changed |= statement.writes() && !rows.is_empty();
        Ok(rows)
    }
}

/// One read-only transaction: all its queries see the same state.
pub struct Read<'a> {
    session: &'a mut dyn Session,
    /// Set when it looks into a write transaction, which a failed query spoils.
    failed: Option<&'a mut bool>,
}

impl<'a> Read<'a> {
    pub(crate) fn new(session: &'a mut dyn Session) -> Self {
        Self { session, failed: None }
    }

    pub(crate) fn describe(&mut self, statement: &Statement) -> Result<Shape, Error> {
        self.session.describe(statement)
    }
}

impl Connection for Read<'_> {
    fn engine(&self) -> Engine {
        self.session.engine()
    }

    fn rows(&mut self, statement: &Statement, params: &[Value]) -> Result<Vec<Row>, Error> {
        if self.failed.as_deref().is_some_and(|failed| *failed) {
            return Err(Error::Aborted);
        }
        let result = self.session.rows(statement, params);
        if let (Err(_), Some(failed)) = (&result, self.failed.as_deref_mut()) {
            *failed = true;
        }
        result
    }
}
