//! Rows: owned, positional, with column names.

use std::sync::Arc;

use crate::{Error, FromValue, Value};

/// One row of a result. It owns its values, so it outlives the transaction.
#[derive(Debug, Clone)]
pub struct Row {
    columns: Arc<[String]>,
    values: Vec<Value>,
}

impl Row {
    pub(crate) fn new(columns: Arc<[String]>, values: Vec<Value>) -> Self {
        Self { columns, values }
    }

    /// Names of the columns, in order.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Reads column `index` (from 0), leaving the row as it is.
    ///
    /// # Errors
    /// [`Error::Column`] if there is no such column or it holds another kind of value.
    pub fn get<T: FromValue>(&self, index: usize) -> Result<T, Error> {
        let value = self.values.get(index).cloned();
        self.read(index, value)
    }

    /// Moves column `index` (from 0) out of the row; reading it again gives NULL. Spares a copy of texts and bytes.
    ///
    /// # Errors
    /// As [`Row::get`].
    pub fn take<T: FromValue>(&mut self, index: usize) -> Result<T, Error> {
        let value = self.values.get_mut(index).map(|slot| std::mem::replace(slot, Value::Null));
        self.read(index, value)
    }

    fn read<T: FromValue>(&self, index: usize, value: Option<Value>) -> Result<T, Error> {
        let name = || self.columns.get(index).cloned().unwrap_or_else(|| format!("#{index}"));
        let Some(value) = value else {
            return Err(Error::Column { column: name(), message: "no such column".to_owned() });
        };
        T::from_value(value).map_err(|error| match error {
            Error::Column { message, .. } => Error::Column { column: name(), message },
            other => other,
        })
    }
}

/// A type made from one row, by position. Declare structs with [`row!`](crate::row); single values and tuples work too.
pub trait FromRow: Sized {
    /// Column names in order; empty means "not checked" (single values and tuples).
    const COLUMNS: &'static [&'static str];

    /// # Errors
    /// [`Error::Column`] if a column is missing or holds another kind of value.
    fn from_row(row: &mut Row) -> Result<Self, Error>;
}

impl<T: FromValue> FromRow for T {
    const COLUMNS: &'static [&'static str] = &[];

    fn from_row(row: &mut Row) -> Result<Self, Error> {
        row.take(0)
    }
}

macro_rules! tuple_from_row {
    ($($type:ident $index:tt),+) => {
        impl<$($type: FromValue),+> FromRow for ($($type,)+) {
            const COLUMNS: &'static [&'static str] = &[];

            fn from_row(row: &mut Row) -> Result<Self, Error> {
                Ok(($(row.take::<$type>($index)?,)+))
            }
        }
    };
}
tuple_from_row!(A 0);
tuple_from_row!(A 0, B 1);
tuple_from_row!(A 0, B 1, C 2);
tuple_from_row!(A 0, B 1, C 2, D 3);
tuple_from_row!(A 0, B 1, C 2, D 3, E 4);
tuple_from_row!(A 0, B 1, C 2, D 3, E 4, F 5);
tuple_from_row!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuple_from_row!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);

/// Declares a struct whose fields are the columns of a statement, in order and with the same names:
/// `row! { #[derive(Debug, Clone)] pub struct CaseRow { pub id: CaseId, pub number: i64 } }`.
#[macro_export]
macro_rules! row {
    ($(#[$meta:meta])* $vis:vis struct $name:ident {
        $($(#[$field_meta:meta])* $field_vis:vis $field:ident : $type:ty),+ $(,)?
    }) => {
        $(#[$meta])*
        $vis struct $name { $($(#[$field_meta])* $field_vis $field: $type),+ }

        impl $crate::FromRow for $name {
            const COLUMNS: &'static [&'static str] = &[$($crate::column(stringify!($field))),+];

            fn from_row(row: &mut $crate::Row) -> ::core::result::Result<Self, $crate::Error> {
                let mut index = 0_usize..;
                Ok(Self { $($field: row.take::<$type>(index.next().unwrap_or(usize::MAX))?),+ })
            }
        }
    };
}

/// A field written `r#type` stands for the column `type`.
#[doc(hidden)]
#[must_use]
pub const fn column(field: &'static str) -> &'static str {
    match field.as_bytes() {
        [b'r', b'#', ..] => field.split_at(2).1,
        _ => field,
    }
}
