//! The e-mail channel: [`::channel::Channel`] on top of the protocol modules.

use std::sync::Arc;

use ::channel::futures::Checking;
use ::channel::{
    Capabilities, Channel, ChannelConfig, Check, CheckState, Outbound, Raw, SendError, Sending, Sent, Understood,
};
use domain::case::Route;
use domain::{AttachmentId, ChannelKind, Code, Rejection};
use serde_json::{Value, json};
use spine::Vault;

use crate::compose::ComposeError;
use crate::imap_in::{Account, Fetcher};
use crate::net::{Resolve, Trust};
use crate::settings::{Receive, SECRETS, Server, Settings};
use crate::smtp_out::{Mailer, Reason, Relay};
use crate::token::Signer;
use crate::{compose, imap_in, incoming, outgoing, smtp_out};

/// The mailbox every provider calls that (RFC 3501).
const FOLDER: &str = "INBOX";

/// Mail in both directions. Cheap to clone.
#[derive(Clone)]
pub struct EmailChannel {
    vault: Vault,
    resolve: Arc<dyn Resolve>,
    trust: Trust,
    mailer: Arc<Mailer>,
}

impl EmailChannel {
    /// `hello` is the name this server gives of itself in EHLO.
    pub fn new(vault: Vault, resolve: Arc<dyn Resolve>, trust: Trust, hello: &str) -> Self {
        let mailer = Arc::new(Mailer::new(resolve.clone(), trust.clone(), hello));
        Self { vault, resolve, trust, mailer }
    }

    /// Makes and checks the tokens of one channel.
    pub fn signer(&self, config: &ChannelConfig) -> Signer {
        Signer::new(self.vault.mac("email.token", &[]), *config.workspace.0.as_bytes(), *config.id.0.as_bytes())
    }

    /// The value of our loop header: tells our instance from others, and nothing else.
    fn mark(&self) -> String {
        self.vault.mac("email.loop", &[]).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    pub(crate) fn fetcher(&self, config: &ChannelConfig, settings: &Settings) -> Option<Fetcher> {
        let server = settings.imap.as_ref().filter(|_| settings.receive == Receive::Imap)?;
        let account = Account {
            host: server.host.clone(),
            port: server.port,
            security: server.security,
            user: server.user.clone(),
            password: secret(config, "imap_password"),
            folder: FOLDER.to_owned(),
            allow_plain_login: false,
            whole_folder: settings.whole_folder,
            poll: imap_in::POLL_TIME,
        };
        Some(Fetcher { account, resolve: self.resolve.clone(), trust: self.trust.clone() })
    }
}

fn relay(config: &ChannelConfig, server: &Server) -> Relay {
    let login = (!server.user.is_empty()).then(|| (server.user.clone(), secret(config, "smtp_password")));
    Relay { host: server.host.clone(), port: server.port, security: server.security, login, allow_plain_login: false }
}

fn secret(config: &ChannelConfig, name: &str) -> String {
    config.secret(name).map(|secret| secret.expose().to_owned()).unwrap_or_default()
}

fn permanent(code: Code, detail: impl ToString) -> SendError {
    SendError::Permanent { code: code.as_str().to_owned(), detail: detail.to_string() }
}

impl Channel for EmailChannel {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Email
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { replies: true, html: true, attachments: true, typing: false, manual: false }
    }

    fn route(&self, config: &ChannelConfig) -> Route {
        match config.read::<Settings>() {
            Ok(Settings { smtp: Some(_), .. }) => Route::Hold,
            _ => Route::None,
        }
    }

    fn settings(&self, settings: &Value) -> Result<Value, Rejection> {
        let settings = Settings::parse(settings)?;
        serde_json::to_value(settings).map_err(|error| Rejection::new(Code::Internal).with("detail", error.to_string()))
    }

    fn secret_fields(&self) -> &'static [&'static str] {
        SECRETS
    }

    fn understand(
        &self,
        config: &ChannelConfig,
        raw: &Raw<'_>,
        next_id: &mut dyn FnMut() -> AttachmentId,
    ) -> Option<Understood> {
        // A channel whose settings don't read still has its mail shown; only its own address is unknown then.
        let settings = config.read::<Settings>().ok();
        Some(incoming::understand(settings.as_ref(), &self.signer(config), raw, next_id))
    }

    fn send<'a>(&'a self, config: &'a ChannelConfig, message: &'a Outbound) -> Sending<'a> {
        Box::pin(async move {
            let settings = config.read::<Settings>().map_err(|error| permanent(Code::Internal, error))?;
            let Some(server) = &settings.smtp else {
                return Err(permanent(Code::NoWayToReply, "no relay is configured"));
            };
            let draft = outgoing::draft(&settings, &self.signer(config), message, &self.mark())
                .map_err(|error| permanent(compose_code(&error), error))?;
            let mail = compose::compose(&draft).map_err(|error| permanent(compose_code(&error), error))?;
            match self.mailer.deliver(&relay(config, server), &mail).await {
                Ok(response) => Ok(Sent {
                    message_ids: vec![draft.message_id.to_lowercase()],
                    meta: json!({ "response": response }),
                }),
                Err(failure) => Err(send_error(&failure)),
            }
        })
    }

    fn check<'a>(&'a self, config: &'a ChannelConfig) -> Checking<'a> {
        Box::pin(async move {
            let Ok(settings) = config.read::<Settings>() else {
                return vec![Check::new("settings", CheckState::Fail, Code::Invalid.as_str(), Value::Null)];
            };
            let (incoming, outgoing) =
                tokio::join!(self.check_in(config, &settings), self.check_out(config, &settings));
            vec![incoming, outgoing]
        })
    }
}

impl EmailChannel {
    async fn check_in(&self, config: &ChannelConfig, settings: &Settings) -> Check {
        let key = "mail_in";
        match (settings.receive, self.fetcher(config, settings)) {
            (Receive::Smtp, _) => {
                Check::new(key, CheckState::Ok, "receives_by_smtp", json!({ "address": settings.address }))
            }
            (Receive::Imap, None) => Check::new(key, CheckState::Warn, "not_configured", Value::Null),
            (Receive::Imap, Some(fetcher)) => match fetcher.check().await {
                Ok(mails) => Check::new(
                    key,
                    CheckState::Ok,
                    "connected",
                    json!({ "host": fetcher.account.host, "mails": mails }),
                ),
                Err(failure) => Check::new(
                    key,
                    CheckState::Fail,
                    receive_code(failure.reason).as_str(),
                    json!({ "host": fetcher.account.host, "reason": failure.reason, "detail": failure.detail }),
                ),
            },
        }
    }

    async fn check_out(&self, config: &ChannelConfig, settings: &Settings) -> Check {
        let key = "mail_out";
        let Some(server) = &settings.smtp else {
            return Check::new(key, CheckState::Warn, "not_configured", Value::Null);
        };
        match self.mailer.check(&relay(config, server)).await {
            Ok(()) => Check::new(key, CheckState::Ok, "connected", json!({ "host": server.host })),
            Err(failure) => Check::new(
                key,
                CheckState::Fail,
                send_code(failure.reason).as_str(),
                json!({ "host": server.host, "reason": failure.reason, "detail": failure.detail }),
            ),
        }
    }
}

fn compose_code(error: &ComposeError) -> Code {
    match error {
        ComposeError::Address(_) | ComposeError::NoRecipient => Code::InvalidAddress,
        ComposeError::TooLarge(_) => Code::TooLarge,
        ComposeError::TooManyRecipients(_) => Code::TooMany,
        ComposeError::Control(_) | ComposeError::MessageId | ComposeError::Build(_) => Code::Invalid,
    }
}

fn send_code(reason: Reason) -> Code {
    match reason {
        Reason::AddressNotAllowed => Code::AddressNotAllowed,
        Reason::Login | Reason::PlainLogin => Code::LoginFailed,
        Reason::Rejected => Code::DeliveryRejected,
        Reason::Unsendable => Code::InvalidAddress,
        Reason::Connection | Reason::Tls | Reason::TryLater | Reason::Timeout => Code::ConnectionFailed,
    }
}

pub(crate) fn receive_code(reason: imap_in::Reason) -> Code {
    use imap_in::Reason;
    match reason {
        Reason::AddressNotAllowed => Code::AddressNotAllowed,
        Reason::Login | Reason::PlainLogin => Code::LoginFailed,
        Reason::Storage => Code::Internal,
        Reason::Connection | Reason::Tls | Reason::Folder | Reason::Protocol | Reason::Timeout => {
            Code::ConnectionFailed
        }
    }
}

fn send_error(failure: &smtp_out::Failure) -> SendError {
    let (code, detail) = (send_code(failure.reason).as_str().to_owned(), failure.to_string());
    if failure.retry { SendError::Retry { code, detail } } else { SendError::Permanent { code, detail } }
}
