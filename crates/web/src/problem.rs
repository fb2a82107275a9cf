//! Problem documents (RFC 9457): every refusal leaves the server in this form.

use axum::Json;
use axum::response::{IntoResponse, Response};
use domain::{Code, Rejection};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// A refusal on its way to the client. Made from [`Rejection`] and from storage errors.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    code: Code,
    status: StatusCode,
    params: BTreeMap<&'static str, Value>,
    fields: BTreeMap<String, FieldProblem>,
    retry_after: Option<u32>,
}

/// What is wrong with one field of the request.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct FieldProblem {
    #[schema(value_type = String, example = "too_long")]
    pub code: Code,
    #[schema(value_type = Object)]
    pub params: BTreeMap<&'static str, Value>,
}

/// The document itself (RFC 9457), for the API description.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// Always `about:blank`: the code says it.
    #[serde(rename = "type")]
    #[schema(rename = "type")]
    kind: &'static str,
    /// The status in words; for people reading logs, never shown to users.
    title: &'static str,
    status: u16,
    /// Stable snake_case code; the interface translates it.
    #[schema(value_type = String, example = "forbidden")]
    code: Code,
    #[schema(value_type = Object)]
    params: BTreeMap<&'static str, Value>,
    fields: BTreeMap<String, FieldProblem>,
}

pub type Result<T> = std::result::Result<T, Problem>;

impl Problem {
    #[must_use]
    pub fn new(code: Code) -> Self {
        Self { code, status: status_of(code), params: BTreeMap::new(), fields: BTreeMap::new(), retry_after: None }
    }
    /// 404: not there, or not for this caller to know.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(Code::NotFound)
    }
    /// 403 naming the permission that is missing.
    #[must_use]
    pub fn forbidden(permission: domain::Permission) -> Self {
        Self::new(Code::Forbidden).with("permission", permission.as_str())
    }
    /// 500. The cause belongs into the log, where it happened.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(Code::Internal)
    }
    /// One wrong field.
    #[must_use]
    pub fn field(name: impl Into<String>, code: Code) -> Self {
        Self::from(Rejection::new(code).on(name))
    }
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl Into<Value>) -> Self {
        self.params.insert(key, value.into());
        self
    }
    /// Adds a `Retry-After` header, in seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds.max(1));
        self.with("seconds", seconds.max(1))
    }
    /// The same refusal under another status. A wrong password inside a session is no 401:
    /// that would make the client believe that the session is gone.
    #[must_use]
    pub fn at_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }
    /// [`Problem::at_status`] for one code.
    #[must_use]
    pub fn at_status_if(self, code: Code, status: StatusCode) -> Self {
        if self.code == code { self.at_status(status) } else { self }
    }
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }
}

/// The HTTP status of each code.
#[must_use]
pub fn status_of(code: Code) -> StatusCode {
    use Code as C;
    match code {
        C::InvalidJson => StatusCode::BAD_REQUEST,
        C::Unauthenticated | C::WrongCredentials | C::WrongCode => StatusCode::UNAUTHORIZED,
        C::Forbidden
        | C::TotpEnrollmentRequired
        | C::CrossSite
        | C::NotYours
        | C::MoreThanYouHave
        | C::OriginNotAllowed
        | C::ProofRequired => StatusCode::FORBIDDEN,
        C::NotFound => StatusCode::NOT_FOUND,
        C::AlreadyExists
        | C::InUse
        | C::AlreadySetUp
        | C::LastOwner
        | C::BuiltinRole
        | C::CaseClosed
        | C::StatusNotAllowed
        | C::AnsweredMeanwhile
        | C::AlreadyAssigned
        | C::NothingToUndo
        | C::UndoTooLate
        | C::NotFailed
        | C::SameCase
        | C::ChannelInactive => StatusCode::CONFLICT,
        C::LinkExpired => StatusCode::GONE,
        C::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        C::UnsupportedType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        C::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        C::Busy | C::ReadOnly => StatusCode::SERVICE_UNAVAILABLE,
        C::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        let mut problem = Self::new(rejection.code);
        if let Some(field) = rejection.field {
            let about = FieldProblem { code: rejection.code, params: rejection.params.clone() };
            problem.fields.insert(field, about);
        }
        problem.params = rejection.params;
        problem
    }
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = ProblemBody {
            kind: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            code: self.code,
            params: self.params,
            fields: self.fields,
        };
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
