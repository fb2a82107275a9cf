//! Puts the program together: protocols, features, routes. The one place that knows them all.

use crate::folder::Folder;
use axum::Router;
use channel::{ChannelConfig, QueueInfo, QueuePlace};
use config::Settings;
use conversations::Protocols;
use domain::{CaseId, Span, Timestamp, WorkspaceId};
use email::channel::EmailChannel;
use email::net::Trust;
use futures_util::future::BoxFuture;
use identity::CheckItem;
use spine::{Edges, Refusal, Spine};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use web::outbound::{AddressPolicy, Outbound, OutboundError};
use web::{App, Kit};

/// Settings or parts that don't fit together.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("not an address or network: {0}")]
    Net(String),
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    #[error(transparent)]
    Refusal(#[from] Refusal),
}

/// The program, ready to serve.
pub struct Assembled {
    pub spine: Spine,
    pub kit: Kit,
    pub protocols: Protocols,
    mail: EmailChannel,
    pub router: Router,
    /// Every route with its gate.
    pub table: Vec<web::Entry>,
    /// Names of schemas described twice and differently; a test keeps it empty.
    pub conflicts: Vec<String>,
    /// The API description.
    pub openapi: String,
}

impl Assembled {
    /// The mail protocol with this instance's key.
    #[must_use]
    pub fn mail(&self) -> &EmailChannel {
        &self.mail
    }
}

fn nets(texts: &[String]) -> Result<Vec<web::net::Net>, Error> {
    texts.iter().map(|text| text.parse().map_err(|_| Error::Net(text.clone()))).collect()
}

/// # Errors
/// When a setting can't be used.
pub fn assemble(folder: &Folder, settings: &Settings, edges: Edges) -> Result<Assembled, Error> {
    let policy = AddressPolicy::new(nets(&settings.allowed_networks)?);
    let outbound = Outbound::new(policy.clone(), !settings.allowed_networks.is_empty())?;
    let mail = EmailChannel::new(folder.vault.clone(), Arc::new(policy), Trust::default(), &settings.mail_host);
    let protocols = protocols(&mail, &outbound, &edges);
    let features = vec![
        identity::feature(),
        customers::feature(),
        cases::feature(),
        conversations::feature(&protocols),
        routing::feature(),
        webchat::feature(),
    ];
    let spine = Spine::new(folder.db.clone(), edges, folder.files.clone(), folder.vault.clone(), features);
    let clock = spine.edges().clock.clone();
    let web_settings = web::Settings {
        public_url: settings.public_url.clone(),
        trusted_proxies: nets(&settings.trusted_proxies)?,
        no_rate_limits: settings.no_rate_limits,
    };
    let authenticator = Arc::new(identity::Authenticator::new(spine.clone()));
    let kit = Kit::new(web_settings, move || clock.now(), authenticator);
    let app = routes(&spine, &kit, &protocols)?;
    let (table, conflicts) = (app.table().to_vec(), app.conflicts().to_vec());
    let openapi = app.openapi_text().map_err(Refusal::internal)?;
    Ok(Assembled { spine, kit, protocols, mail, router: app.build(), table, conflicts, openapi })
}

fn protocols(mail: &EmailChannel, outbound: &Outbound, edges: &Edges) -> Protocols {
    Protocols::new(vec![
        Arc::new(mail.clone()),
        Arc::new(webchat::WebchatChannel),
        Arc::new(webform::WebformChannel),
        Arc::new(api::ApiChannel::new(outbound.clone(), edges.clone())),
        Arc::new(manual::ManualChannel::phone()),
        Arc::new(manual::ManualChannel::counter()),
    ])
}

fn routes(spine: &Spine, kit: &Kit, protocols: &Protocols) -> Result<App, Error> {
    let intake: Arc<dyn channel::Intake> = Arc::new(conversations::Handle);
    let checks: Vec<Arc<dyn identity::Check>> =
        vec![Arc::new(MailCheck { spine: spine.clone(), protocols: protocols.clone() })];
    let people = identity::People::new(spine.clone(), kit.clone(), checks)?;
    let live = live::Live::new(spine, kit, Arc::new(Attendance::default()));
    Ok(App::new(kit)
        .routes(identity::routes(people))
        .routes(customers::routes(kit, spine.clone()))
        .routes(cases::routes(kit, spine.clone()))
        .routes(conversations::routes(kit, spine, protocols))
        .routes(routing::routes(kit, spine))
        .routes(live::routes(kit, live))
        .routes(webchat::Webchat::new(spine.clone(), kit, intake.clone(), Arc::new(Queue)).routes())
        .routes(webform::Webform::new(spine.clone(), kit, intake.clone()).routes())
        .routes(api::Api::new(spine.clone(), kit, intake, without_remote).routes()))
}

/// HTML of a bring-your-own channel, safe to keep; its remote pictures wait for an agent's consent.
fn without_remote(html: &str) -> String {
    email::sanitize::sanitize(html, email::sanitize::Remote::Blocked, &|_| None).html
}

/// Joins live connections and routing, which don't know each other.
#[derive(Default)]
struct Attendance(routing::Attendance);

impl live::Attendance for Attendance {
    fn connected(&self, spine: &Spine, workspace: WorkspaceId, user: domain::UserId) -> BoxFuture<'static, ()> {
        self.0.connected(spine, workspace, user)
    }

    fn disconnected(&self, spine: &Spine, workspace: WorkspaceId, user: domain::UserId) -> BoxFuture<'static, ()> {
        self.0.disconnected(spine, workspace, user)
    }
}

/// Joins the widget and routing.
struct Queue;

impl QueueInfo for Queue {
    fn place(
        &self,
        read: &mut db::Read<'_>,
        workspace: WorkspaceId,
        case: CaseId,
        now: Timestamp,
    ) -> Result<Option<QueuePlace>, Refusal> {
        let found = routing::queue_position(read, workspace, case, now)?;
        Ok(found
            .map(|p| QueuePlace { position: p.position, expected_wait: p.expected_wait_seconds.map(Span::seconds) }))
    }

    fn online(&self, read: &mut db::Read<'_>, config: &ChannelConfig) -> Result<bool, Refusal> {
        routing::anybody_online(read, config.workspace, config.team)
    }
}

/// Joins the check page and the mail channels.
struct MailCheck {
    spine: Spine,
    protocols: Protocols,
}

impl identity::Check for MailCheck {
    fn check(&self, workspace: WorkspaceId) -> Pin<Box<dyn Future<Output = Vec<CheckItem>> + Send + '_>> {
        Box::pin(async move {
            conversations::check_mail(&self.spine, &self.protocols, workspace)
                .await
                .into_iter()
                .map(|c| CheckItem::new(c.key, state(c.state), c.code, c.params))
                .collect()
        })
    }
}

const fn state(state: channel::CheckState) -> identity::CheckState {
    match state {
        channel::CheckState::Ok => identity::CheckState::Ok,
        channel::CheckState::Warn => identity::CheckState::Warn,
        channel::CheckState::Fail => identity::CheckState::Fail,
    }
}
