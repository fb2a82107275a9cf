//! Mail coming in: the built-in SMTP receiver and the fetching of mailboxes.

use crate::assemble::Assembled;
use config::Settings;
use conversations::{Doorkeeper, Receivers};
use email::smtp_in::{Config, Receiver};
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
            let doorkeeper = Arc::new(Doorkeeper::new(assembled.spine.clone()));
            Some(email::receiver::serve_smtp(listener, doorkeeper, Config::new(settings.mail_host.clone()))?)
        }
        None => None,
    };
    let receivers = Receivers::new(assembled.spine.clone(), vec![Arc::new(assembled.mail().clone())]);
    let fetching = tokio::spawn(async move { receivers.run(stopped).await });
    Ok(Mail { smtp, fetching })
}
