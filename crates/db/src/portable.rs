//! The rules that keep one SQL text good for SQLite, PostgreSQL and the distributed engines that speak its protocol
//! (DESIGN 3), checked on the text.

use crate::{Migration, Statement};

/// Words that only one engine knows, or that a sharded one refuses, with what to do instead.
const WORDS: &[(&str, &str)] = &[
    ("ILIKE", "write lower(x) LIKE lower($1)"),
    ("TRIGGER", "no triggers; consume events"),
    ("FUNCTION", "no stored functions"),
    ("PROCEDURE", "no stored procedures"),
    ("EXTENSION", "no extensions"),
    ("SERIAL", "ids are made by the caller"),
    ("BIGSERIAL", "ids are made by the caller"),
    ("IDENTITY", "ids are made by the caller"),
    ("AUTOINCREMENT", "ids are made by the caller"),
    ("SEQUENCE", "numbers come from a counter row"),
    ("LATERAL", "SQLite has no LATERAL"),
    ("TRUNCATE", "write DELETE"),
    ("MERGE", "write INSERT .. ON CONFLICT"),
    ("DEFERRABLE", "no deferrable constraints"),
    ("GENERATED", "no generated columns"),
    ("LISTEN", "only crate db may listen"),
    ("NOTIFY", "only crate db may notify"),
    ("PRAGMA", "only crate db may set engine options"),
    ("CURRENT_TIMESTAMP", "time is an argument"),
    ("ROWID", "SQLite only"),
    ("JSONB", "JSON is TEXT"),
    ("TIMESTAMP", "times are BIGINT microseconds UTC"),
    ("TIMESTAMPTZ", "times are BIGINT microseconds UTC"),
    ("DATETIME", "times are BIGINT microseconds UTC"),
    ("NUMERIC", "money is BIGINT minor units, figures are DOUBLE PRECISION"),
    ("DECIMAL", "money is BIGINT minor units, figures are DOUBLE PRECISION"),
    ("BLOB", "write BYTEA"),
    ("VARCHAR", "write TEXT"),
];

/// Functions that are missing on one side; a word counts only in front of an opening bracket.
const FUNCTIONS: &[(&str, &str)] = &[
    ("NOW", "time is an argument"),
    ("EXTRACT", "compute it in Rust or from BIGINT microseconds"),
    ("DATE_TRUNC", "compute it in Rust or from BIGINT microseconds"),
    ("STRFTIME", "compute it in Rust or from BIGINT microseconds"),
    ("GENERATE_SERIES", "PostgreSQL only"),
    ("GREATEST", "write CASE"),
    ("LEAST", "write CASE"),
    ("FLOOR", "missing in our SQLite"),
    ("MD5", "PostgreSQL only"),
    ("PERCENTILE_CONT", "PostgreSQL only"),
    ("POSITION", "PostgreSQL only"),
    ("INSTR", "SQLite only"),
    ("IFNULL", "write COALESCE"),
    ("GROUP_CONCAT", "write string_agg(x, ',' ORDER BY y)"),
    ("JSON_EXTRACT", "no JSON operators"),
    ("JSON_EACH", "no JSON operators"),
    ("JSON_BUILD_OBJECT", "no JSON operators"),
    ("ANY", "use Builder::in_list"),
    ("RANDOM", "randomness is an argument"),
    ("GEN_RANDOM_UUID", "ids are made by the caller"),
    ("NEXTVAL", "numbers come from a counter row"),
    ("LAST_INSERT_ROWID", "ids are made by the caller"),
];

/// Pairs of words.
const PAIRS: &[(&str, &str, &str)] = &[
    ("LOCK", "TABLE", "no LOCK TABLE"),
    ("DISTINCT", "ON", "PostgreSQL only; use a window function"),
    ("FOR", "UPDATE", "write /*for_update*/ or /*skip_locked*/"),
    ("FOR", "SHARE", "write /*for_update*/"),
    ("INSERT", "OR", "write ON CONFLICT"),
    ("REPLACE", "INTO", "write ON CONFLICT"),
    ("WITHOUT", "ROWID", "SQLite only"),
    ("SELECT", "*", "list the columns"),
    ("RETURNING", "*", "list the columns"),
    ("BEGIN", "IMMEDIATE", "transactions belong to crate db"),
];

/// What in this text would not run, or not mean the same, on every engine. Empty if nothing.
#[must_use]
pub fn problems(sql: &str) -> Vec<String> {
    let tokens = tokens(sql);
    let mut found = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let next = tokens.get(index + 1).map_or("", String::as_str);
        let mut add = |why: &str| found.push(format!("{token}: {why}"));
        for (word, why) in WORDS {
            if token == word {
                add(why);
            }
        }
        for (word, why) in FUNCTIONS {
            if token == word && next == "(" {
                add(why);
            }
        }
        for (first, second, why) in PAIRS {
            if token == first && next == *second {
                add(why);
            }
        }
        match token.as_str() {
            "::" => add("write CAST(x AS type)"),
            "->" | "->>" | "@>" | "#>" => add("no JSON operators"),
            "?" => add("write parameters as $1"),
            "~" => add("no regular expressions"),
            word if word.starts_with("PG_") => add("PostgreSQL only"),
            _ => {}
        }
    }
    found
}

/// [`problems`] of a declared statement, and: it names `workspace_id` unless it is declared `global`.
#[must_use]
pub fn statement_problems(statement: &Statement) -> Vec<String> {
    let mut found = problems(statement.text());
    let named = tokens(statement.text()).iter().any(|token| token == "WORKSPACE_ID");
    if !named && !statement.is_global() {
        found.push("does not name workspace_id; if it may look across workspaces, declare it `global`".to_owned());
    }
    found
}

/// [`problems`] of a migration, and the rules of sharding: primary keys, unique indexes and foreign keys start with
/// `workspace_id`, and a step is a known additive kind. A statement that must break one says why in a comment line
/// `-- global: reason` directly before it.
#[must_use]
pub fn migration_problems(migration: &Migration) -> Vec<String> {
    let excused = excused_steps(&migration.text);
    let mut found = Vec::new();
    for step in migration.steps() {
        let tokens = tokens(&step);
        let words: Vec<&str> = tokens.iter().map(String::as_str).collect();
        let start = step.split_whitespace().take(6).collect::<Vec<_>>().join(" ");
        let mut messages = problems(&step);
        if !excused.contains(&step.split_whitespace().collect::<Vec<_>>().join(" ")) {
            messages.extend(sharding_problems(&words));
        }
        if !matches!(words.as_slice(), ["CREATE" | "ALTER" | "INSERT" | "UPDATE" | "DROP", ..]) {
            messages.push("a step creates, alters, fills or drops".to_owned());
        }
        found.extend(messages.into_iter().map(|message| format!("{:04}: {start}..: {message}", migration.version)));
    }
    found
}

fn sharding_problems(words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (index, window) in words.windows(4).enumerate() {
        let keyed = match window {
            ["PRIMARY", "KEY", "(", column] => Some(("the primary key", *column)),
            ["FOREIGN", "KEY", "(", column] => Some(("a foreign key", *column)),
            ["UNIQUE", "(", column, _] => Some(("a unique key", *column)),
            _ => None,
        };
        if let Some((what, column)) = keyed.filter(|(_, column)| *column != "WORKSPACE_ID") {
            found.push(format!("{what} starts with {column}, not workspace_id"));
        }
        // A key declared behind its only column.
        if matches!(window, [_, "PRIMARY", "KEY", after] if *after != "(")
            && column_of(words, index) != Some("WORKSPACE_ID")
        {
            found.push("the primary key is one column that is not workspace_id".to_owned());
        }
    }
    if let ["CREATE", "UNIQUE", "INDEX", rest @ ..] = words {
        let column = rest.iter().position(|word| *word == "(").and_then(|at| rest.get(at + 1));
        if column != Some(&"WORKSPACE_ID") {
            found.push("a unique index does not start with workspace_id".to_owned());
        }
    }
    found
}

/// The first word of the column definition that contains `index`.
fn column_of<'a>(words: &[&'a str], index: usize) -> Option<&'a str> {
    let before = words.get(..=index)?;
    let at = before.iter().rposition(|word| matches!(*word, "," | "("))?;
    words.get(at + 1).copied()
}

/// Steps (white space unified) that stand behind a `-- global: reason` line.
fn excused_steps(text: &str) -> Vec<String> {
    let mut steps = Vec::new();
    for part in text.split("-- global:").skip(1) {
        let body = part.split_once('\n').map_or("", |(_, body)| body);
        let first = crate::migrate::split(body).into_iter().next().unwrap_or_default();
        steps.push(first.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    steps
}

/// Words in upper case and operators, without comments and quoted text.
fn tokens(sql: &str) -> Vec<String> {
    let text = crate::migrate::split(sql).join(" ; ");
    let mut tokens = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\'' {
            while chars.next().is_some_and(|c| c != '\'') {}
        } else if c.is_alphanumeric() || c == '_' || c == '$' {
            let mut word = c.to_ascii_uppercase().to_string();
            while let Some(c) = chars.next_if(|c| c.is_alphanumeric() || *c == '_') {
                word.push(c.to_ascii_uppercase());
            }
            tokens.push(word);
        } else if !c.is_whitespace() && c != '"' {
            let mut operator = c.to_string();
            while let Some(c) = chars.next_if(|c| ":->@#".contains(*c) && ":->@#".contains(operator.as_str())) {
                operator.push(c);
            }
            tokens.push(operator);
        }
    }
    tokens
}
