//! Statements: one SQL text for both engines, declared once, found again by a test that prepares them all.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

/// One SQL statement. Declare it with [`sql!`](crate::sql), or compose it with [`Builder`](crate::Builder).
#[derive(Debug)]
pub struct Statement {
    name: Cow<'static, str>,
    text: Cow<'static, str>,
    params: usize,
    columns: &'static [&'static str],
    global: bool,
    place: (&'static str, u32),
    numbered: OnceLock<Box<str>>,
    names: OnceLock<Arc<[String]>>,
}

/// What `sql!` puts into the link-time list.
#[doc(hidden)]
pub struct Registered(pub &'static Statement);
inventory::collect!(Registered);

impl Statement {
    #[doc(hidden)]
    #[must_use]
    pub const fn declared(
        name: &'static str,
        text: &'static str,
        params: usize,
        columns: &'static [&'static str],
        global: bool,
        place: (&'static str, u32),
    ) -> Self {
        let (name, text) = (Cow::Borrowed(name), Cow::Borrowed(text));
        Self { name, text, params, columns, global, place, numbered: OnceLock::new(), names: OnceLock::new() }
    }

    pub(crate) fn composed(text: String, params: usize) -> Self {
        let (name, text) = (Cow::Borrowed("composed statement"), Cow::Owned(text));
        let (numbered, names) = (OnceLock::new(), OnceLock::new());
        Self { name, text, params, columns: &[], global: false, place: ("", 0), numbered, names }
    }

    /// A statement of this crate itself (migrations and their records).
    pub(crate) fn internal(
        name: impl Into<Cow<'static, str>>,
        text: impl Into<Cow<'static, str>>,
        params: usize,
    ) -> Self {
        let (name, text) = (name.into(), text.into());
        let (numbered, names) = (OnceLock::new(), OnceLock::new());
        Self { name, text, params, columns: &[], global: true, place: ("", 0), numbered, names }
    }

    /// All statements declared by `sql!` in the crates linked into this program, in no particular order.
    pub fn all() -> impl Iterator<Item = &'static Statement> {
        inventory::iter::<Registered>.into_iter().map(|registered| registered.0)
    }

    /// The constant's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The SQL text as written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text with parameters written `?n`. SQLite takes `$2` as a name and numbers names by first appearance; `?2`
    /// is the second, without a look at any name when values are bound.
    pub(crate) fn numbered(&self) -> &str {
        self.numbered.get_or_init(|| numbered(&self.text))
    }

    /// The names of its columns, asked of the engine once.
    pub(crate) fn names(&self, ask: impl FnOnce() -> Arc<[String]>) -> Arc<[String]> {
        Arc::clone(self.names.get_or_init(ask))
    }

    /// How many parameters (`$1..$n`) it takes.
    #[must_use]
    pub fn params(&self) -> usize {
        self.params
    }

    /// Column names its row type expects; empty if not checked.
    #[must_use]
    pub fn columns(&self) -> &'static [&'static str] {
        self.columns
    }

    /// It changes rows (`INSERT .. RETURNING` and the like); portable SQL has no changing `WITH`.
    pub(crate) fn writes(&self) -> bool {
        let word = self.text.trim_start().get(..6).unwrap_or_default();
        ["INSERT", "UPDATE", "DELETE"].iter().any(|verb| word.eq_ignore_ascii_case(verb))
    }

    /// It may look across workspaces (sign-in, jobs, operation).
    #[must_use]
    pub fn is_global(&self) -> bool {
        self.global
    }

    /// File and line of the declaration.
    #[must_use]
    pub fn place(&self) -> (&'static str, u32) {
        self.place
    }
}

fn numbered(text: &str) -> Box<str> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let is_parameter = c == '$' && rest.peek().is_some_and(char::is_ascii_digit);
        out.push(if is_parameter { '?' } else { c });
    }
    out.into_boxed_str()
}

/// Declares a statement and registers it:
/// `sql!(pub CASE_BY_ID = "SELECT .. WHERE workspace_id = $1 AND id = $2", params: 2, row: CaseRow);`
/// `row` is optional; a last `, global` marks a statement that may look across workspaces.
#[macro_export]
macro_rules! sql {
    ($(#[$meta:meta])* $vis:vis $name:ident = $text:expr, params: $params:expr $(,)?) => {
        $crate::sql!(@declare [$(#[$meta])* $vis] $name, $text, $params, &[], false);
    };
    ($(#[$meta:meta])* $vis:vis $name:ident = $text:expr, params: $params:expr, global $(,)?) => {
        $crate::sql!(@declare [$(#[$meta])* $vis] $name, $text, $params, &[], true);
    };
    ($(#[$meta:meta])* $vis:vis $name:ident = $text:expr, params: $params:expr, row: $row:ty $(,)?) => {
        $crate::sql!(@declare [$(#[$meta])* $vis] $name, $text, $params, <$row as $crate::FromRow>::COLUMNS, false);
    };
    ($(#[$meta:meta])* $vis:vis $name:ident = $text:expr, params: $params:expr, row: $row:ty, global $(,)?) => {
        $crate::sql!(@declare [$(#[$meta])* $vis] $name, $text, $params, <$row as $crate::FromRow>::COLUMNS, true);
    };
    (@declare [$(#[$meta:meta])* $vis:vis] $name:ident, $text:expr, $params:expr, $columns:expr, $global:expr) => {
        $(#[$meta])*
        $vis static $name: $crate::Statement =
            $crate::Statement::declared(stringify!($name), $text, $params, $columns, $global, (file!(), line!()));
        $crate::inventory::submit! { $crate::statement::Registered(&$name) }
    };
}
