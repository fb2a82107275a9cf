//! Composing a statement at run time from literal fragments and bound values (filters, lists of ids).
//! There is no way to push a run-time string: what a user typed can only become a bound value.

use crate::{Statement, Value};

/// ```
/// let mut b = db::Builder::new("SELECT id FROM cases WHERE workspace_id = ");
/// b.bind(7_i64).push(" AND state IN ").in_list(["open", "waiting"]).push(" LIMIT ").bind(50_i64);
/// let (statement, values) = b.build();
/// assert_eq!(statement.text(), "SELECT id FROM cases WHERE workspace_id = $1 AND state IN ($2, $3) LIMIT $4");
/// assert_eq!(values.len(), 4);
/// ```
#[derive(Debug, Default)]
pub struct Builder {
    text: String,
    values: Vec<Value>,
}

impl Builder {
    /// Starts with a literal.
    #[must_use]
    pub fn new(text: &'static str) -> Self {
        Self { text: text.to_owned(), values: Vec::new() }
    }

    /// Adds a literal.
    pub fn push(&mut self, text: &'static str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Adds a parameter with this value.
    pub fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.values.push(value.into());
        let number = self.values.len();
        self.text.push('$');
        self.text.push_str(&number.to_string());
        self
    }

    /// Adds `($n, ..)`, padded with the last value to a power of two so that few texts need preparing.
    /// No values give `(NULL)`, which nothing is in.
    pub fn in_list<V: Into<Value>>(&mut self, values: impl IntoIterator<Item = V>) -> &mut Self {
        let mut list: Vec<Value> = values.into_iter().map(Into::into).collect();
        let Some(last) = list.last().cloned() else {
            return self.push("(NULL)");
        };
        list.resize(list.len().next_power_of_two(), last);
        self.push("(");
        for (index, value) in list.into_iter().enumerate() {
            if index > 0 {
                self.push(", ");
            }
            self.bind(value);
        }
        self.push(")")
    }

    /// Adds `$n ESCAPE '\'` with a bound pattern that finds `needle` anywhere, its `%` and `_` taken literally.
    pub fn contains(&mut self, needle: &str) -> &mut Self {
        self.bind(format!("%{}%", escape_like(needle))).push(r" ESCAPE '\'")
    }

    /// Adds `$n ESCAPE '\'` with a bound pattern that finds texts starting with `needle`.
    pub fn starts_with(&mut self, needle: &str) -> &mut Self {
        self.bind(format!("{}%", escape_like(needle))).push(r" ESCAPE '\'")
    }

    /// Appends another builder's fragments and values; its parameters are numbered on.
    pub fn append(&mut self, other: Self) -> &mut Self {
        let offset = self.values.len();
        let mut rest = other.text.as_str();
        while let Some((before, after)) = rest.split_once('$') {
            let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
            let (digits, tail) = after.split_at(end);
            self.text.push_str(before);
            self.text.push('$');
            match digits.parse::<usize>() {
                Ok(number) => self.text.push_str(&(number + offset).to_string()),
                Err(_) => self.text.push_str(digits),
            }
            rest = tail;
        }
        self.text.push_str(rest);
        self.values.extend(other.values);
        self
    }

    /// The statement and its arguments.
    #[must_use]
    pub fn build(self) -> (Statement, Vec<Value>) {
        (Statement::composed(self.text, self.values.len()), self.values)
    }
}

/// Escapes `%`, `_` and `\` for a bound pattern of `LIKE .. ESCAPE '\'`.
#[must_use]
pub fn escape_like(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
