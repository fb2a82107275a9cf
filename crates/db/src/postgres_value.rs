//! Values to and from PostgreSQL's types: only those our schema uses.

use postgres::types::{IsNull, ToSql, Type, private::BytesMut, to_sql_checked};

use crate::{Error, Value};

type Failure = Box<dyn std::error::Error + Sync + Send>;

/// A value as an argument: encoded as the type the statement asks for, so that NULL and numbers need no type of their own.
#[derive(Debug)]
pub(crate) struct Param<'a>(pub(crate) &'a Value);

impl ToSql for Param<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
        match (self.0, kind) {
            (Value::Null, _) => Ok(IsNull::Yes),
            (Value::Bool(flag), &Type::BOOL) => flag.to_sql(kind, out),
            (Value::Int(number), &Type::INT8) => number.to_sql(kind, out),
            (Value::Int(number), &Type::INT4) => i32::try_from(*number)?.to_sql(kind, out),
            (Value::Int(number), &Type::INT2) => i16::try_from(*number)?.to_sql(kind, out),
            #[allow(clippy::cast_precision_loss, reason = "2^53 is enough for any figure kept as real")]
            (Value::Int(number), &Type::FLOAT8) => (*number as f64).to_sql(kind, out),
            (Value::Real(number), &Type::FLOAT8) => number.to_sql(kind, out),
            (Value::Text(text), &(Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME)) => text.to_sql(kind, out),
            (Value::Blob(bytes), &Type::BYTEA) => bytes.to_sql(kind, out),
            (value, kind) => Err(format!("{} given where the statement takes {kind}", value.kind()).into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// Types that both engines share.
pub(crate) fn readable(kind: &Type) -> bool {
    matches!(
        *kind,
        Type::BOOL
            | Type::INT8
            | Type::INT4
            | Type::INT2
            | Type::FLOAT8
            | Type::TEXT
            | Type::VARCHAR
            | Type::BPCHAR
            | Type::NAME
            | Type::BYTEA
    )
}

pub(crate) fn read_column(row: &postgres::Row, index: usize) -> Result<Value, Error> {
    let column = row.columns().get(index);
    let name = column.map_or("", |column| column.name());
    let fail = |message: String| Error::Column { column: name.to_owned(), message };
    let Some(kind) = column.map(|column| column.type_()) else {
        return Err(fail("no such column".to_owned()));
    };
    let value = match *kind {
        Type::BOOL => row.try_get::<_, Option<bool>>(index).map(|value| value.map(Value::Bool)),
        Type::INT8 => row.try_get::<_, Option<i64>>(index).map(|value| value.map(Value::Int)),
        Type::INT4 => row.try_get::<_, Option<i32>>(index).map(|value| value.map(Value::from)),
        Type::INT2 => row.try_get::<_, Option<i16>>(index).map(|value| value.map(Value::from)),
        Type::FLOAT8 => row.try_get::<_, Option<f64>>(index).map(|value| value.map(Value::Real)),
        Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(index).map(|value| value.map(Value::Blob)),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME => {
            row.try_get::<_, Option<String>>(index).map(|value| value.map(Value::Text))
        }
        _ => return Err(fail(format!("type {kind} is not shared by both engines; CAST it"))),
    };
    value.map(|value| value.unwrap_or(Value::Null)).map_err(|error| fail(error.to_string()))
}
