//! Who is asking. A handler gets rights only through [`Caller`], and a caller exists only behind a gate.

use crate::locale::Locale;
use crate::problem::{Problem, Result};
use crate::secret::SecretHash;
use axum::extract::FromRequestParts;
use domain::access::{Access, Place, Scope};
use domain::{Actor, Code, CommandId, Permission, SessionId, UserId, WorkspaceId};
use futures_util::future::BoxFuture;
use http::request::Parts;
use spine::{Order, Refusal};
use std::net::IpAddr;

/// What a session or a token stands for, as the authenticator knows it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub workspace: WorkspaceId,
    /// `None` for an API token.
    pub user: Option<UserId>,
    pub actor: Actor,
    pub access: Access,
    /// `None` for an API token.
    pub session: Option<SessionId>,
    pub locale: Locale,
    /// A second factor is demanded and not set up: only enrolment routes are open.
    pub must_enroll: bool,
}

/// Looks up sessions and tokens. Implemented by the feature `identity`; a revoked session or token
/// must be unknown from the moment its revocation is committed.
pub trait Authenticate: Send + Sync + 'static {
    fn by_session(&self, secret: SecretHash) -> BoxFuture<'_, std::result::Result<Option<Identity>, Refusal>>;
    fn by_token(&self, secret: SecretHash) -> BoxFuture<'_, std::result::Result<Option<Identity>, Refusal>>;
}

/// The caller of a gated route.
#[derive(Clone, Debug)]
pub struct Caller {
    pub workspace: WorkspaceId,
    pub user: Option<UserId>,
    pub actor: Actor,
    pub access: Access,
    pub session: Option<SessionId>,
    pub locale: Locale,
    pub address: IpAddr,
    pub must_enroll: bool,
    pub(crate) idempotent: Idempotent,
}

impl Caller {
    /// The user, for routes that make no sense for a token.
    ///
    /// # Errors
    /// `forbidden` for API tokens.
    pub fn user(&self) -> Result<UserId> {
        self.user.ok_or_else(|| Problem::new(Code::Forbidden))
    }

    /// An order to the spine in this caller's name, idempotent by the request's `Idempotency-Key`.
    /// Never use it for an answer that holds a secret: answers are stored.
    #[must_use]
    pub fn order(&self) -> Order {
        self.idempotent.order(self.workspace, self.actor)
    }

    /// An order in this caller's name that is not remembered.
    #[must_use]
    pub fn order_once(&self) -> Order {
        Order::new(self.workspace, self.actor)
    }

    /// # Errors
    /// `forbidden` naming the permission, when it is held nowhere.
    pub fn needs(&self, permission: Permission) -> Result<()> {
        if self.access.allows(permission) { Ok(()) } else { Err(Problem::forbidden(permission)) }
    }

    /// For an object at `place`: 404 when it can't be seen (`see` is not held there),
    /// 403 when it can be seen but not used.
    ///
    /// # Errors
    /// `not_found` or `forbidden`.
    pub fn needs_at(&self, see: Permission, permission: Permission, place: &Place) -> Result<()> {
        if !self.access.allows_in(see, place) {
            return Err(Problem::not_found());
        }
        if self.access.allows_in(permission, place) { Ok(()) } else { Err(Problem::forbidden(permission)) }
    }

    #[must_use]
    pub fn scope(&self, permission: Permission) -> Scope {
        self.access.scope(permission)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            tracing::error!(path = parts.uri.path(), "a handler wants a caller but its route has no such gate");
            Problem::internal()
        })
    }
}

/// The client-made key of a write and what it stands for (SECURITY P4). Put in place by every gate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Idempotent {
    pub command: Option<CommandId>,
    /// SHA-256 of caller, method, path and body: the same key with another one is refused.
    pub fingerprint: [u8; 32],
}

impl Idempotent {
    /// An order that is done once per key. For visitors and other callers without a session.
    #[must_use]
    pub fn order(&self, workspace: WorkspaceId, actor: Actor) -> Order {
        let order = Order::new(workspace, actor);
        match self.command {
            Some(command) => order.idempotent(command, self.fingerprint),
            None => order,
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Idempotent {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        parts.extensions.get::<Self>().cloned().ok_or_else(Problem::internal)
    }
}
