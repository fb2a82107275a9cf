//! Values on their way into and out of the database.

use uuid::Uuid;

use crate::Error;

/// One value of a parameter or a column. Times are `Int` (microseconds UTC), ids are 16-byte `Blob`s, JSON is `Text`.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Real(f64),
    Text(String),
    Blob(Vec<u8>),
}

impl Value {
    /// The kind in words, for error messages (never the content: it may be personal data).
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Int(_) => "integer",
            Self::Real(_) => "real",
            Self::Text(_) => "text",
            Self::Blob(_) => "bytes",
        }
    }
}

/// Arguments of a statement: `params![workspace, case, now]`, each through `Value::from`.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::Value::from($value)),*] as &[$crate::Value] };
}

macro_rules! from_int {
    ($($type:ty),*) => { $(impl From<$type> for Value {
        fn from(value: $type) -> Self { Self::Int(i64::from(value)) }
    })* };
}
from_int!(i64, i32, i16, i8, u32, u16, u8);

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}
impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}
impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}
impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}
impl From<&String> for Value {
    fn from(value: &String) -> Self {
        Self::Text(value.clone())
    }
}
impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Blob(value)
    }
}
impl From<&Vec<u8>> for Value {
    fn from(value: &Vec<u8>) -> Self {
        Self::Blob(value.clone())
    }
}
impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Self::Blob(value.to_vec())
    }
}
impl<const N: usize> From<[u8; N]> for Value {
    fn from(value: [u8; N]) -> Self {
        Self::Blob(value.to_vec())
    }
}
impl<const N: usize> From<&[u8; N]> for Value {
    fn from(value: &[u8; N]) -> Self {
        Self::Blob(value.to_vec())
    }
}
impl From<Uuid> for Value {
    fn from(value: Uuid) -> Self {
        Self::Blob(value.as_bytes().to_vec())
    }
}
impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A type that can be read from one column.
pub trait FromValue: Sized {
    /// # Errors
    /// [`Error::Column`] (with an empty column name) if the value is of another kind or out of range.
    fn from_value(value: Value) -> Result<Self, Error>;
}

/// The error of a value of the wrong kind; the row adds the column's name.
pub(crate) fn mismatch(wanted: &str, got: &Value) -> Error {
    Error::Column { column: String::new(), message: format!("wanted {wanted}, got {}", got.kind()) }
}

macro_rules! int_from_value {
    ($($type:ty),*) => { $(impl FromValue for $type {
        fn from_value(value: Value) -> Result<Self, Error> {
            match value {
                Value::Int(n) => <$type>::try_from(n).map_err(|_| Error::Column {
                    column: String::new(),
                    message: format!("{n} does not fit {}", stringify!($type)),
                }),
                other => Err(mismatch("integer", &other)),
            }
        }
    })* };
}
int_from_value!(i64, i32, i16, i8, u64, u32, u16, u8, usize);

impl FromValue for bool {
    fn from_value(value: Value) -> Result<Self, Error> {
        match value {
            Value::Bool(flag) => Ok(flag),
            // SQLite has no boolean of its own.
            Value::Int(0) => Ok(false),
            Value::Int(1) => Ok(true),
            other => Err(mismatch("boolean", &other)),
        }
    }
}
impl FromValue for f64 {
    fn from_value(value: Value) -> Result<Self, Error> {
        match value {
            Value::Real(number) => Ok(number),
            // Whole numbers lose their fraction in SQLite expressions; 2^53 is enough for any figure shown as real.
            #[allow(clippy::cast_precision_loss)]
            Value::Int(number) => Ok(number as f64),
            other => Err(mismatch("real", &other)),
        }
    }
}
impl FromValue for String {
    fn from_value(value: Value) -> Result<Self, Error> {
        match value {
            Value::Text(text) => Ok(text),
            other => Err(mismatch("text", &other)),
        }
    }
}
impl FromValue for Vec<u8> {
    fn from_value(value: Value) -> Result<Self, Error> {
        match value {
            Value::Blob(bytes) => Ok(bytes),
            other => Err(mismatch("bytes", &other)),
        }
    }
}
impl<const N: usize> FromValue for [u8; N] {
    fn from_value(value: Value) -> Result<Self, Error> {
        match value {
            Value::Blob(bytes) => Self::try_from(bytes.as_slice()).map_err(|_| Error::Column {
                column: String::new(),
                message: format!("wanted {N} bytes, got {}", bytes.len()),
            }),
            other => Err(mismatch("bytes", &other)),
        }
    }
}
impl FromValue for Uuid {
    fn from_value(value: Value) -> Result<Self, Error> {
        <[u8; 16]>::from_value(value).map(Self::from_bytes)
    }
}
impl FromValue for Value {
    fn from_value(value: Value) -> Result<Self, Error> {
        Ok(value)
    }
}
impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: Value) -> Result<Self, Error> {
        match value {
            Value::Null => Ok(None),
            other => T::from_value(other).map(Some),
        }
    }
}

impl From<domain::Timestamp> for Value {
    fn from(value: domain::Timestamp) -> Self {
        Self::Int(value.as_micros())
    }
}
impl FromValue for domain::Timestamp {
    fn from_value(value: Value) -> Result<Self, Error> {
        i64::from_value(value).map(Self::from_micros)
    }
}

/// Ids are listed because a blanket implementation over `domain::Id` would overlap with those for numbers.
macro_rules! ids {
    ($($id:ident),* $(,)?) => { $(
        impl From<domain::$id> for Value {
            fn from(id: domain::$id) -> Self {
                Self::from(domain::Id::uuid(id))
            }
        }
        impl FromValue for domain::$id {
            fn from_value(value: Value) -> Result<Self, Error> {
                Uuid::from_value(value).map(domain::Id::from_uuid)
            }
        }
    )* };
}
ids!(
    WorkspaceId,
    UserId,
    TeamId,
    RoleId,
    SkillId,
    SessionId,
    InvitationId,
    ApiTokenId,
    CustomerId,
    ChannelId,
    ConversationId,
    CaseId,
    MessageId,
    AttachmentId,
    ReasonId,
    ViewId,
    CannedReplyId,
    EventId,
    JobId,
    InboxId,
    VisitorId,
    CommandId,
);

/// Closed sets of words are stored by their names.
macro_rules! words {
    ($($word:ty),* $(,)?) => { $(
        impl From<$word> for Value {
            fn from(word: $word) -> Self {
                Self::from(word.as_str())
            }
        }
        impl FromValue for $word {
            fn from_value(value: Value) -> Result<Self, Error> {
                let name = String::from_value(value)?;
                Self::parse(&name).ok_or_else(|| Error::Column {
                    column: String::new(),
                    message: format!("no {}: {name}", stringify!($word)),
                })
            }
        }
    )* };
}
words!(domain::ChannelKind, domain::ActorKind, domain::case::DeliveryKey, domain::routing::Presence);
