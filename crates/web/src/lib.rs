//! The HTTP kit. Owns what every route shares: gates and callers, problem documents, extractors,
//! the outermost layer, security headers, the API description, sockets, the embedded interface,
//! and the only HTTP client. It must never know SQL or a business rule. Start reading at
//! [`Routes`] (how a route is added) and [`Caller`] (what a handler may know), then `gate.rs`.
#![forbid(unsafe_code)]

mod app;
mod caller;
mod docs;
mod edge;
mod extract;
mod gate;
mod kit;
mod locale;
pub mod media;
pub mod net;
mod openapi;
pub mod outbound;
mod page;
mod problem;
mod rate;
mod refusal;
pub mod secret;
pub mod security;
mod socket;
mod ui;

#[cfg(test)]
mod tests;

pub use app::App;
pub use caller::{Authenticate, Caller, Idempotent, Identity};
pub use edge::{Edge, Proxy, is_own_origin, origin, own_origin_required, same_site};
pub use extract::{Json, Path, Query, given, parse};
pub use gate::{Entry, Gate, Routes};
pub use kit::{Kit, Settings};
pub use locale::Locale;
pub use page::{Items, Named, Page, PageQuery, cursor};
pub use problem::{FieldProblem, Problem, ProblemBody, Result, status_of};
pub use rate::{Key, Limit};
pub use secret::SecretHash;
pub use socket::{CutOff, Outgoing, Peer, SocketLimits, upgrade};
pub use ui::widget_file;
