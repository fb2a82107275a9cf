//! The only places where the two engines differ in what they do for business code.

use std::borrow::Cow;

/// The engine behind a handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    /// The text this engine prepares: `/*skip_locked*/` and `/*for_update*/` become row locks on PostgreSQL; on SQLite,
    /// where there is one writer, they stay the comments they are.
    #[must_use]
    pub fn text(self, sql: &str) -> Cow<'_, str> {
        match self {
            Self::Postgres if sql.contains("/*") => {
                let text = sql.replace("/*skip_locked*/", "FOR UPDATE SKIP LOCKED");
                Cow::Owned(text.replace("/*for_update*/", "FOR UPDATE"))
            }
            _ => Cow::Borrowed(sql),
        }
    }
}
