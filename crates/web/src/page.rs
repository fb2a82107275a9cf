//! Lists in pages: `{items, next}` with an opaque cursor.

use crate::problem::{Problem, Result};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Code;
use domain::limits::PAGE_ITEMS;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

const PAGE_DEFAULT: usize = 50;
const CURSOR_CHARS: usize = 2_000;

/// `?limit=&cursor=` (flatten it, or take it beside other query types).
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// How many items, 1 to 100; 50 if not given.
    #[serde(default)]
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<String>,
    /// `next` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl PageQuery {
    /// # Errors
    /// `invalid` on `limit` outside 1..=100.
    pub fn limit(&self) -> Result<usize> {
        let Some(text) = self.limit.as_deref().filter(|text| !text.is_empty()) else {
            return Ok(PAGE_DEFAULT);
        };
        match text.parse::<usize>() {
            Ok(n) if (1..=PAGE_ITEMS).contains(&n) => Ok(n),
            _ => Err(Problem::from(
                domain::Rejection::new(Code::Invalid).with("min", 1).with("max", PAGE_ITEMS).on("limit"),
            )),
        }
    }

    /// The position that the cursor stands for; `None` is the first page.
    ///
    /// # Errors
    /// `invalid` on `cursor` when this server did not make it.
    pub fn position<T: DeserializeOwned>(&self) -> Result<Option<T>> {
        let Some(cursor) = self.cursor.as_deref().filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let wrong = || Problem::field("cursor", Code::Invalid);
        if cursor.len() > CURSOR_CHARS {
            return Err(wrong());
        }
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| wrong())?;
        serde_json::from_slice(&bytes).map(Some).map_err(|_| wrong())
    }
}

/// One page of a list.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Cursor of the next page, null at the end.
    #[schema(required = true)]
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// Cuts a list that was read with one row more than `limit`; that row says there is a next page.
    #[must_use]
    pub fn cut<C: Serialize>(mut items: Vec<T>, limit: usize, position: impl Fn(&T) -> C) -> Self {
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more { items.last().and_then(|item| cursor(&position(item))) } else { None };
        Self { items, next }
    }

    /// The same page of other things.
    #[must_use]
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(f).collect(), next: self.next }
    }
}

/// Encodes a position as a cursor.
#[must_use]
pub fn cursor<T: Serialize>(position: &T) -> Option<String> {
    serde_json::to_vec(position).ok().map(|json| URL_SAFE_NO_PAD.encode(json))
}

/// A thing by id and name, as lists show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Named {
    pub id: uuid::Uuid,
    pub name: String,
}

impl Named {
    pub fn new(id: impl domain::ids::Id, name: impl Into<String>) -> Self {
        Self { id: id.uuid(), name: name.into() }
    }
}

/// A whole, short list: `{items}`.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Items<T> {
    pub items: Vec<T>,
}

impl<T> From<Vec<T>> for Items<T> {
    fn from(items: Vec<T>) -> Self {
        Self { items }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(limit: &str, cursor: &str) -> PageQuery {
        PageQuery { limit: Some(limit.to_owned()), cursor: Some(cursor.to_owned()) }
    }

    #[test]
    fn limits() {
        for (text, expected) in
            [("", Some(50)), ("1", Some(1)), ("100", Some(100)), ("0", None), ("101", None), ("x", None), ("-1", None)]
        {
            assert_eq!(query(text, "").limit().ok(), expected, "{text}");
        }
    }

    #[test]
    fn cursors_come_back() {
        let page = Page::cut(vec![1_i64, 2, 3], 2, |n| (*n, "k"));
        assert_eq!(page.items, [1, 2]);
        let next = page.next.unwrap();
        assert_eq!(query("", &next).position::<(i64, String)>().unwrap(), Some((2, "k".to_owned())));
        assert!(query("", "!!").position::<i64>().is_err());
        assert!(query("", &next).position::<i64>().is_err());
        assert!(Page::cut(vec![1_i64, 2], 2, |n| *n).next.is_none());
    }
}
