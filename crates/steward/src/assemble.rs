//! Puts the program together: protocols, features, routes. The one place that knows them all.

use crate::folder::Folder;
use axum::Router;
use config::Settings;
use conversations::Protocols;
use futures_util::future::BoxFuture;
use spine::{Edges, Refusal, Spine};
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
    pub policy: AddressPolicy,
    pub router: Router,
    /// Every route with its gate.
    pub table: Vec<web::Entry>,
    /// Names of schemas described twice and differently; a test keeps it empty.
    pub conflicts: Vec<String>,
    /// The API description.
    pub openapi: String,
}

fn nets(texts: &[String]) -> Result<Vec<web::net::Net>, Error> {
    texts.iter().map(|text| text.parse().map_err(|_| Error::Net(text.clone()))).collect()
}

/// # Errors
/// When a setting can't be used.
pub fn assemble(folder: &Folder, settings: &Settings, edges: Edges) -> Result<Assembled, Error> {
    let policy = AddressPolicy::new(nets(&settings.allowed_networks)?);
    let outbound = Outbound::new(policy.clone(), false)?;
    let protocols = protocols(folder, settings, &policy, &outbound);
    let features = vec![
        identity::feature(),
        customers::feature(),
        cases::feature(),
        conversations::feature(&protocols),
        routing::feature(),
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
    Ok(Assembled { spine, kit, protocols, policy, router: app.build(), table, conflicts, openapi })
}

fn protocols(folder: &Folder, settings: &Settings, policy: &AddressPolicy, outbound: &Outbound) -> Protocols {
    let mail = email::EmailChannel::new(folder.vault.clone(), policy.clone(), settings.mail_host.clone());
    Protocols::new(vec![
        Arc::new(mail),
        Arc::new(webchat::WebchatChannel),
        Arc::new(webform::WebformChannel),
        Arc::new(api::ApiChannel::new(outbound.clone())),
        Arc::new(manual::ManualChannel::phone()),
        Arc::new(manual::ManualChannel::counter()),
    ])
}

fn routes(spine: &Spine, kit: &Kit, protocols: &Protocols) -> Result<App, Error> {
    let intake: Arc<dyn channel::Intake> = Arc::new(conversations::Handle);
    let people = identity::People::new(spine.clone(), kit.clone(), Vec::new())?;
    let live = live::Live::new(spine, kit, Arc::new(Attendance));
    Ok(App::new(kit)
        .routes(identity::routes(people))
        .routes(customers::routes(kit, spine))
        .routes(cases::routes(kit, spine))
        .routes(conversations::routes(kit, spine, protocols))
        .routes(routing::routes(kit, spine))
        .routes(live::routes(kit, live))
        .routes(webchat::routes(kit, spine, intake.clone()))
        .routes(webform::routes(kit, spine, intake.clone()))
        .routes(api::routes(kit, spine, intake)))
}

/// Joins live connections and routing, which don't know each other.
struct Attendance;

impl live::Attendance for Attendance {
    fn connected(&self, spine: &Spine, workspace: domain::WorkspaceId, user: domain::UserId) -> BoxFuture<'static, ()> {
        let spine = spine.clone();
        Box::pin(async move {
            if let Err(error) = routing::connected(&spine, workspace, user).await {
                tracing::error!(%error, "attendance was not noted");
            }
        })
    }

    fn disconnected(
        &self,
        spine: &Spine,
        workspace: domain::WorkspaceId,
        user: domain::UserId,
    ) -> BoxFuture<'static, ()> {
        let spine = spine.clone();
        Box::pin(async move {
            if let Err(error) = routing::disconnected(&spine, workspace, user).await {
                tracing::error!(%error, "leaving was not noted");
            }
        })
    }
}
