//! The demo company's mails go nowhere: a small mailbox on this machine takes them and keeps each as a file, so that
//! one can look at what customers would get.

use config::Settings;
use email::net::BoxFuture;
use email::smtp_in::{Acceptor, Config, Envelope, NotStored, Receiver, Recipient};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::net::TcpListener;

/// Where the demo company's mail channels deliver to.
pub(crate) const PORT: u16 = 7026;

struct Sink {
    folder: PathBuf,
    count: AtomicU64,
}

impl Acceptor for Sink {
    fn recipient<'a>(&'a self, _address: &'a str) -> BoxFuture<'a, Recipient> {
        Box::pin(async { Recipient::Ours })
    }

    fn accept(&self, envelope: Envelope, bytes: Vec<u8>) -> BoxFuture<'_, Result<(), NotStored>> {
        Box::pin(async move {
            let number = self.count.fetch_add(1, Ordering::Relaxed) + 1;
            let path = self.folder.join(format!("{number:05}.eml"));
            tracing::info!(file = %path.display(), recipients = envelope.recipients.len(), "a mail was sent");
            tokio::fs::write(path, bytes).await.map_err(|_| NotStored)
        })
    }
}

/// Starts the mailbox; it ends with the process.
///
/// # Errors
/// When the port is taken or the folder can't be made.
pub async fn mail_sink(settings: &Settings) -> io::Result<Receiver> {
    let folder = settings.data.join("sent-mail");
    tokio::fs::create_dir_all(&folder).await?;
    let mut count = 0;
    let mut entries = tokio::fs::read_dir(&folder).await?;
    while entries.next_entry().await?.is_some() {
        count += 1;
    }
    let listener = TcpListener::bind(("127.0.0.1", PORT)).await?;
    Receiver::start(listener, Arc::new(Sink { folder, count: AtomicU64::new(count) }), Config::new("demo.invalid"))
}
