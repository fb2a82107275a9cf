//! The endpoints. One file per group of verbs.

pub mod audit;
pub mod check;
pub mod invitations;
pub mod me;
pub mod password;
pub mod roles;
pub mod session;
pub mod setup;
pub mod skills;
pub mod teams;
pub mod tokens;
pub mod totp;
pub mod users;
pub mod workspace;

use crate::People;
use crate::actions::{Device, SESSION_LIFE};
use axum::response::{AppendHeaders, IntoResponse, Response};
use domain::Permission::{AuditRead, CaseRead, PeopleManage, RolesManage, SettingsManage, TokensManage};
use http::HeaderMap;
use http::header::{SET_COOKIE, USER_AGENT};
use serde::Serialize;
use spine::Secret;
use utoipa_axum::routes;
use web::{Edge, Gate, Json, Limit, Routes, SecretHash, secret};

/// Sign-ins, resets and the like from one address; an office signs in behind one.
pub(crate) const KNOCKS: Limit = Limit::new("knocks", 300, domain::Span::minutes(10));

const SIGN_IN: Gate = Gate::OwnSite("nobody is signed in yet; guesses are throttled");
const BY_LINK: Gate = Gate::OwnSite("the secret of the link is the proof");

/// All routes of this feature.
pub fn routes(people: People) -> Routes {
    Routes::<People>::new(&people.kit)
        .add(Gate::Public("tells only whether set-up is needed"), routes!(setup::needed))
        .add(Gate::OwnSite("works only while there is no workspace"), routes!(setup::set_up))
        .add(SIGN_IN, routes!(session::sign_in))
        .add(SIGN_IN, routes!(session::second_step))
        .add(Gate::Enrolling, routes!(session::sign_out))
        .add(Gate::Enrolling, routes!(session::sign_out_everywhere))
        .add(Gate::SignedIn, routes!(session::list))
        .add(SIGN_IN, routes!(password::forgot))
        .add(BY_LINK, routes!(password::reset))
        .add(BY_LINK, routes!(invitations::by_token))
        .add(BY_LINK, routes!(invitations::accept))
        .add(Gate::Enrolling, routes!(me::get))
        .add(Gate::SignedIn, routes!(me::change))
        .add(Gate::Enrolling, routes!(password::change))
        .add(Gate::Enrolling, routes!(totp::begin))
        .add(Gate::Enrolling, routes!(totp::confirm))
        .add(Gate::Enrolling, routes!(totp::remove))
        .add(Gate::Needs(PeopleManage), routes!(users::list))
        .add(Gate::Needs(PeopleManage), routes!(users::change))
        .add(Gate::Needs(CaseRead), routes!(users::agents))
        .add(Gate::Needs(PeopleManage), routes!(invitations::list))
        .add(Gate::Needs(PeopleManage), routes!(invitations::invite))
        .add(Gate::Needs(PeopleManage), routes!(invitations::resend))
        .add(Gate::Needs(PeopleManage), routes!(invitations::withdraw))
        .add(Gate::SignedIn, routes!(teams::list))
        .add(Gate::Needs(PeopleManage), routes!(teams::create))
        .add(Gate::Needs(PeopleManage), routes!(teams::change))
        .add(Gate::Needs(PeopleManage), routes!(teams::delete))
        .add(Gate::SignedIn, routes!(skills::list))
        .add(Gate::Needs(PeopleManage), routes!(skills::create))
        .add(Gate::Needs(PeopleManage), routes!(skills::change))
        .add(Gate::Needs(PeopleManage), routes!(skills::delete))
        .add(Gate::SignedIn, routes!(roles::list))
        .add(Gate::SignedIn, routes!(roles::permissions))
        .add(Gate::Needs(RolesManage), routes!(roles::create))
        .add(Gate::Needs(RolesManage), routes!(roles::change))
        .add(Gate::Needs(RolesManage), routes!(roles::delete))
        .add(Gate::Needs(TokensManage), routes!(tokens::list))
        .add(Gate::Needs(TokensManage), routes!(tokens::create))
        .add(Gate::Needs(TokensManage), routes!(tokens::revoke))
        .add(Gate::SignedIn, routes!(workspace::get))
        .add(Gate::Needs(SettingsManage), routes!(workspace::change))
        .add(Gate::Needs(AuditRead), routes!(audit::list))
        .add(Gate::Needs(SettingsManage), routes!(check::run))
        .with_state(people)
}

/// A secret for a browser or a mail: its text leaves, its hash stays.
pub(crate) struct NewSecret {
    pub text: Secret,
    pub hash: SecretHash,
}

impl People {
    pub(crate) fn new_secret(&self) -> web::Result<NewSecret> {
        let text = secret::text(self.spine.random());
        let hash = SecretHash::of(&text).ok_or_else(web::Problem::internal)?;
        Ok(NewSecret { text: Secret::new(text), hash })
    }
}

/// An answer that also signs the browser in.
pub(crate) fn with_session(people: &People, session: &Secret, body: impl Serialize) -> Response {
    let cookie = people.kit.session_cookie(session.expose(), SESSION_LIFE);
    (AppendHeaders([(SET_COOKIE, cookie)]), Json(body)).into_response()
}

pub(crate) fn device(edge: &Edge, headers: &HeaderMap) -> Device {
    let agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Device { user_agent: agent.chars().take(300).collect(), address: edge.address.to_string() }
}
