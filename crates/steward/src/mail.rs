//! Mail coming in: the built-in SMTP receiver and the fetching of mailboxes.

use crate::assemble::Assembled;
use channel::Acceptor as _;
use config::Settings;
use conversations::{MailAcceptor, Receivers};
use email::net::BoxFuture;
use email::smtp_in::{Acceptor, Config, Envelope, NotStored, Receiver, Recipient};
use serde_json::json;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long mails under way may still be stored when the program ends.
const GRACE: Duration = Duration::from_secs(10);

/// What receives mail; stop it before the database closes.
pub(crate) struct Mail {
    smtp: Option<Receiver>,
    fetching: JoinHandle<()>,
}

impl Mail {
    pub(crate) async fn stop(self) {
        if let Some(smtp) = self.smtp {
            smtp.shutdown(GRACE).await;
        }
        let _ = tokio::time::timeout(GRACE, self.fetching).await;
    }
}

/// # Errors
/// When the receiver's address can't be listened on.
pub(crate) async fn start(
    assembled: &Assembled,
    settings: &Settings,
    stopped: watch::Receiver<bool>,
) -> io::Result<Mail> {
    let smtp = match settings.smtp_listen {
        Some(address) => {
            let listener = TcpListener::bind(address).await?;
            tracing::info!(address = %listener.local_addr()?, "receiving mail");
            let acceptor = Arc::new(Accept(MailAcceptor::new(assembled.spine.clone())));
            Some(Receiver::start(listener, acceptor, Config::new(settings.mail_host.clone()))?)
        }
        None => None,
    };
    let receivers = Receivers::new(assembled.spine.clone(), vec![assembled.mail.clone()]);
    let fetching = tokio::spawn(async move { receivers.run(stopped).await });
    Ok(Mail { smtp, fetching })
}

/// Joins the SMTP receiver and the intake, which don't know each other.
struct Accept(MailAcceptor);

impl Acceptor for Accept {
    fn recipient<'a>(&'a self, address: &'a str) -> BoxFuture<'a, Recipient> {
        Box::pin(async move {
            match self.0.recipient(address).await {
                Ok(Some(_)) => Recipient::Ours,
                Ok(None) => Recipient::Unknown,
                Err(error) => {
                    tracing::error!(%error, "a mail's recipient could not be looked up");
                    Recipient::TryLater
                }
            }
        })
    }

    fn accept(&self, envelope: Envelope, bytes: Vec<u8>) -> BoxFuture<'_, Result<(), NotStored>> {
        Box::pin(async move {
            let facts =
                json!({"from": envelope.from, "helo": envelope.helo, "peer": envelope.peer.ip(), "tls": envelope.tls});
            for recipient in &envelope.recipients {
                let config = self.0.recipient(recipient).await.map_err(|error| not_stored(&error))?.ok_or(NotStored)?;
                let stored = self.0.accept(&config, recipient, facts.clone(), bytes.clone()).await;
                stored.map_err(|error| not_stored(&error))?;
            }
            Ok(())
        })
    }
}

fn not_stored(error: &spine::Refusal) -> NotStored {
    tracing::error!(%error, "a mail was not stored; its sender will try again");
    NotStored
}
