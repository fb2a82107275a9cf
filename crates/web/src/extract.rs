//! Extractors that refuse with problem documents naming the field.

use crate::problem::{Problem, Result};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use domain::Code;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

/// A JSON body, in or out.
#[derive(Clone, Copy, Debug)]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        if !is_json(request.headers()) {
            return Err(Problem::new(Code::UnsupportedType).with("expected", "application/json"));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| {
            if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                Problem::new(Code::TooLarge)
            } else {
                Problem::new(Code::InvalidJson)
            }
        })?;
        parse(&storable(bytes.into())).map(Self)
    }
}

/// NUL is no character of a text: PostgreSQL stores none. Whoever sends one, colleague or customer, is not refused for
/// it; it becomes the sign for a lost character, as in the intake. (Leaving it out could make one name into another.)
/// JSON can hold one only as an escape.
fn storable(mut json: Vec<u8>) -> Vec<u8> {
    let mut rest = json.as_mut_slice();
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        let escape = rest.get_mut(at..).unwrap_or_default();
        if let Some(code) = escape.get_mut(1..6).filter(|code| **code == *b"u0000") {
            code.copy_from_slice(b"ufffd");
        }
        // What is escaped may itself be a backslash.
        rest = escape.get_mut(2..).unwrap_or_default();
    }
    json
}

/// The same in an address.
const NUL: &str = "%00";
const LOST: &str = "%EF%BF%BD";

fn is_json(headers: &HeaderMap) -> bool {
    let mime = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mime = mime.split(';').next().unwrap_or_default().trim();
    mime.eq_ignore_ascii_case("application/json")
}

/// Parses JSON text; a wrong field is named by its path (`items[2].name`).
///
/// # Errors
/// `invalid_json` when it is no JSON, else `required` or `invalid` on the field.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        field_problem(&path, error.inner())
    })?;
    deserializer.end().map_err(|_| Problem::new(Code::InvalidJson))?;
    Ok(value)
}

fn field_problem(path: &str, error: &serde_json::Error) -> Problem {
    if !error.is_data() {
        return Problem::new(Code::InvalidJson).with("line", error.line()).with("column", error.column());
    }
    let text = error.to_string();
    let missing = text.strip_prefix("missing field `").and_then(|rest| rest.split_once('`'));
    match (missing, path) {
        (Some((name, _)), ".") => Problem::field(name, Code::Required),
        (Some((name, _)), path) => Problem::field(format!("{path}.{name}"), Code::Required),
        (None, ".") => Problem::new(Code::Invalid),
        (None, path) => Problem::field(path, Code::Invalid),
    }
}

/// For PATCH bodies: `#[serde(default, deserialize_with = "web::given")] x: Option<Option<T>>`
/// tells an absent field (`None`) from an explicit null (`Some(None)`).
///
/// # Errors
/// Those of `T`.
pub fn given<'de, D, T>(deserializer: D) -> std::result::Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

/// The query string.
#[derive(Clone, Copy, Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let clean = parts.uri.query().filter(|query| query.contains(NUL)).map(|query| query.replace(NUL, LOST));
        let clean = clean.and_then(|query| format!("/?{query}").parse().ok());
        match axum::extract::Query::<T>::try_from_uri(clean.as_ref().unwrap_or(&parts.uri)) {
            Ok(axum::extract::Query(value)) => Ok(Self(value)),
            Err(rejection) => {
                let text = rejection.body_text();
                let after = text.rsplit_once("query string: ").map_or(text.as_str(), |(_, rest)| rest);
                Err(match after.split_once(": ") {
                    Some((field, _)) if !field.contains(' ') => Problem::field(field, Code::Invalid),
                    _ => Problem::new(Code::Invalid),
                })
            }
        }
    }
}

/// Parts of the path. What can't be parsed can't exist: 404.
#[derive(Clone, Copy, Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        if parts.uri.path().contains(NUL) {
            return Err(Problem::not_found());
        }
        axum::extract::Path::<T>::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Path(value)| Self(value))
            .map_err(|_| Problem::not_found())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Inner {
        #[allow(dead_code)]
        n: u8,
    }
    #[derive(Debug, Deserialize)]
    struct Body {
        name: String,
        #[allow(dead_code)]
        items: Vec<Inner>,
        #[serde(default, deserialize_with = "given")]
        note: Option<Option<String>>,
    }

    #[test]
    fn problems_name_the_field() {
        let cases = [
            (r#"{"items":[]}"#, Code::Required, Some("name")),
            (r#"{"name":"a","items":[{"n":1},{}]}"#, Code::Required, Some("items[1].n")),
            (r#"{"name":"a","items":[{"n":300}]}"#, Code::Invalid, Some("items[0].n")),
            (r#"{"name":3,"items":[]}"#, Code::Invalid, Some("name")),
            (r#"{"name":"a","#, Code::InvalidJson, None),
            (r#"{"name":"a","items":[]} x"#, Code::InvalidJson, None),
            ("[]", Code::Invalid, None),
            ("", Code::InvalidJson, None),
        ];
        for (text, code, field) in cases {
            let problem = parse::<Body>(text.as_bytes()).unwrap_err();
            let expected = match field {
                Some(field) => Problem::field(field, code),
                None => Problem::new(code),
            };
            assert_eq!(problem.code(), code, "{text}");
            if field.is_some() {
                assert_eq!(problem, expected, "{text}");
            }
        }
    }

    #[test]
    fn no_text_holds_nul() {
        for (text, expected) in [
            (r#"{"name":"a\u0000b\u0000","items":[]}"#, "a\u{fffd}b\u{fffd}"),
            (r#"{"name":"\\u0000","items":[]}"#, "\\u0000"),
            (r#"{"name":"\\\u0000","items":[]}"#, "\\\u{fffd}"),
            (r#"{"name":"\u00001\n\"","items":[]}"#, "\u{fffd}1\n\""),
        ] {
            let body: Body = parse(&storable(text.as_bytes().to_vec())).unwrap();
            assert_eq!(body.name, expected, "{text}");
        }
        for broken in ["\\", "{\"name\":\"\\u000", "{\"name\":\"\\"] {
            assert_eq!(storable(broken.as_bytes().to_vec()), broken.as_bytes());
        }
    }

    #[test]
    fn absent_is_not_null() {
        let note = |text: &str| parse::<Body>(text.as_bytes()).unwrap().note;
        assert_eq!(note(r#"{"name":"a","items":[]}"#), None);
        assert_eq!(note(r#"{"name":"a","items":[],"note":null}"#), Some(None));
        assert_eq!(note(r#"{"name":"a","items":[],"note":"x"}"#), Some(Some("x".to_owned())));
    }
}
