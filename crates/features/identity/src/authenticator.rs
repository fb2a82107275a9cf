//! Answers who a session or token is, from the rows as they are now: what was revoked a moment
//! ago is unknown, and rights that were taken are gone with the next request.

use crate::actions::SESSION_IDLE;
use crate::store::session::SessionFacts;
use crate::store::token::TokenFacts;
use crate::store::{role, session, token};
use domain::access::{Access, Grant};
use domain::{Actor, Permission, Policies, Span, Timestamp};
use spine::{Refusal, Spine};
use std::future::Future;
use std::pin::Pin;
use web::{Authenticate, Identity, Locale, SecretHash};

/// How exactly we know when a session or token was last used.
const TOUCH_EVERY: Span = Span::minutes(5);

pub struct Authenticator {
    spine: Spine,
}

impl Authenticator {
    #[must_use]
    pub fn new(spine: Spine) -> Self {
        Self { spine }
    }

    async fn session(&self, secret: SecretHash) -> Result<Option<Identity>, Refusal> {
        let now = self.spine.now();
        let found: Option<(SessionFacts, Access)> = self
            .spine
            .db()
            .read::<_, Refusal, _>(move |q| {
                let Some(facts) = session::by_secret(q, secret)? else { return Ok(None) };
                let access = role::access(q, facts.workspace_id, facts.user_id, facts.is_owner)?;
                Ok(Some((facts, access)))
            })
            .await?;
        let Some((facts, access)) = found.filter(|(facts, _)| is_alive(facts, now)) else { return Ok(None) };
        if now.since(facts.last_seen_at) >= TOUCH_EVERY {
            let (ws, id) = (facts.workspace_id, facts.id);
            self.spine.db().write::<_, Refusal, _>(move |tx| session::touch(tx, ws, id, now)).await?;
        }
        let policies: Policies = crate::store::json(&facts.settings)?;
        Ok(Some(Identity {
            workspace: facts.workspace_id,
            user: Some(facts.user_id),
            actor: Actor::Agent(facts.user_id),
            access,
            session: Some(facts.id),
            locale: Locale::parse(&facts.locale).unwrap_or_default(),
            must_enroll: policies.require_totp && facts.totp_last_step.is_none(),
        }))
    }

    async fn token(&self, secret: SecretHash) -> Result<Option<Identity>, Refusal> {
        let now = self.spine.now();
        let found: Option<TokenFacts> =
            self.spine.db().read::<_, Refusal, _>(move |q| token::by_secret(q, secret)).await?;
        let Some(facts) = found.filter(|facts| facts.expires_at.is_none_or(|end| end > now)) else { return Ok(None) };
        if facts.last_used_at.is_none_or(|last| now.since(last) >= TOUCH_EVERY) {
            let (ws, id) = (facts.workspace_id, facts.id);
            self.spine.db().write::<_, Refusal, _>(move |tx| token::touch(tx, ws, id, now)).await?;
        }
        let names: Vec<String> = crate::store::json(&facts.scopes)?;
        let permissions = names.iter().filter_map(|name| Permission::parse(name)).collect();
        Ok(Some(Identity {
            workspace: facts.workspace_id,
            user: None,
            actor: Actor::Token(facts.id),
            access: Access { owner: false, grants: vec![Grant { permissions, team: None, channel: facts.channel_id }] },
            session: None,
            locale: Locale::parse(&facts.locale).unwrap_or_default(),
            must_enroll: false,
        }))
    }
}

fn is_alive(facts: &SessionFacts, now: Timestamp) -> bool {
    facts.active && facts.expires_at > now && now.since(facts.last_seen_at) < SESSION_IDLE
}

type Answer<'a> = Pin<Box<dyn Future<Output = Result<Option<Identity>, Refusal>> + Send + 'a>>;

impl Authenticate for Authenticator {
    fn by_session(&self, secret: SecretHash) -> Answer<'_> {
        Box::pin(self.session(secret))
    }

    fn by_token(&self, secret: SecretHash) -> Answer<'_> {
        Box::pin(self.token(secret))
    }
}
