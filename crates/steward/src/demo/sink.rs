//! The demo company's mails go nowhere: a small mailbox on this machine takes them and keeps each as a file, so that
//! one can look at what customers would get.

use config::Settings;
use db::{Db, Query, Tx, params, sql};
use domain::{ChannelId, WorkspaceId};
use email::net::BoxFuture;
use email::smtp_in::{Acceptor, Config, Envelope, NotStored, Receiver, Recipient};
use serde_json::{Value, json};
use spine::Refusal;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::net::TcpListener;

/// Where the demo company's mail channels deliver to, unless another demo is there already.
const PORT: u16 = 7026;

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

/// The mailbox while it takes mails; it ends with the process.
pub struct MailSink {
    port: u16,
    /// Where it was before: channels of this company deliver there.
    was: u16,
    remembered: PathBuf,
    _receiver: Receiver,
}

sql!(MAILBOXES = "SELECT workspace_id, id, settings FROM channel WHERE kind = 'email' ORDER BY workspace_id, id", params: 0, global);
#[cfg(test)]
sql!(ADD_CHANNEL = "INSERT INTO channel (workspace_id, id, kind, name, brand, public_key, settings, required_skills, active, created_at) \
    VALUES ($1, $2, 'email', 'Mail', '', '', $3, '[]', TRUE, 0)", params: 3);
sql!(SET_SETTINGS = "UPDATE channel SET settings = $3 WHERE workspace_id = $1 AND id = $2", params: 3);

impl MailSink {
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Lets the channels that delivered to the old port deliver to this one. For the time before anything is served.
    ///
    /// # Errors
    /// Those of the database, and when the port can't be remembered.
    pub(super) async fn settle(&self, db: &Db) -> Result<(), Refusal> {
        if self.port != self.was {
            let (port, was) = (self.port, self.was);
            db.write(move |tx| deliver_to(tx, was, port)).await?;
        }
        tokio::fs::write(&self.remembered, self.port.to_string()).await.map_err(Refusal::internal)
    }
}

fn deliver_to(tx: &mut Tx<'_>, was: u16, port: u16) -> Result<(), Refusal> {
    for (ws, id, settings) in tx.query::<(WorkspaceId, ChannelId, String)>(&MAILBOXES, &[])? {
        let mut settings: Value = serde_json::from_str(&settings).map_err(Refusal::internal)?;
        let ours = settings.pointer("/smtp/host") == Some(&json!("127.0.0.1"));
        if let Some(target) = settings.pointer_mut("/smtp/port").filter(|target| ours && **target == json!(was)) {
            *target = json!(port);
            tx.execute(&SET_SETTINGS, params![ws, id, settings.to_string()])?;
        }
    }
    Ok(())
}

/// Starts the mailbox where it was the last time; on any free port when that is taken, by another demo say.
///
/// # Errors
/// When no port is free or the folder can't be made.
pub async fn mail_sink(settings: &Settings) -> io::Result<MailSink> {
    let folder = settings.data.join("sent-mail");
    tokio::fs::create_dir_all(&folder).await?;
    let mut count = 0;
    let mut entries = tokio::fs::read_dir(&folder).await?;
    while entries.next_entry().await?.is_some() {
        count += 1;
    }
    let remembered = settings.data.join("mail-port");
    let was = tokio::fs::read_to_string(&remembered).await.ok().and_then(|port| port.parse().ok()).unwrap_or(PORT);
    let listener = super::port::listen(was)?;
    let port = listener.local_addr()?.port();
    listener.set_nonblocking(true)?;
    let sink = Arc::new(Sink { folder, count: AtomicU64::new(count) });
    let receiver = Receiver::start(TcpListener::from_std(listener)?, sink, Config::new("demo.invalid"))?;
    Ok(MailSink { port, was, remembered, _receiver: receiver })
}

#[cfg(test)]
mod tests {
    use super::*;
    use config::Flags;

    async fn port_of(data: &std::path::Path) -> (u16, MailSink) {
        let settings = Flags { data: Some(data.to_owned()), ..Flags::default() }.settle().unwrap();
        let sink = mail_sink(&settings).await.unwrap();
        (sink.port(), sink)
    }

    /// Its port is taken when a demo starts again: it moves, and its channels with it.
    #[tokio::test]
    async fn two_demos_at_once() {
        let ground = testkit::Ground::sqlite();
        let ws = ground.workspace(1);
        let here = tempfile::tempdir().unwrap();
        let (first, other) = port_of(here.path()).await;
        other.settle(&ground.db).await.unwrap();
        ground
            .db
            .write(move |tx| {
                for (n, host, port) in [(1, "127.0.0.1", first), (2, "127.0.0.1", 1025), (3, "smtp.test", first)] {
                    let settings = json!({ "smtp": { "host": host, "port": port } }).to_string();
                    tx.execute(&ADD_CHANNEL, params![ws, uuid::Uuid::from_u128(n), settings])?;
                }
                Ok::<_, Refusal>(())
            })
            .await
            .unwrap();
        let (second, sink) = port_of(here.path()).await;
        assert_ne!(second, first);
        sink.settle(&ground.db).await.unwrap();
        let rows: Vec<(WorkspaceId, ChannelId, String)> =
            ground.db.read(|r| r.query::<(WorkspaceId, ChannelId, String)>(&MAILBOXES, &[])).await.unwrap();
        let ports: Vec<Value> = rows
            .iter()
            .map(|(_, _, settings)| serde_json::from_str::<Value>(settings).unwrap()["smtp"]["port"].clone())
            .collect();
        assert_eq!(ports, [json!(second), json!(1025), json!(first)], "only what was delivered to us moves along");
        sink._receiver.shutdown(std::time::Duration::from_secs(5)).await;
        assert_eq!(port_of(here.path()).await.0, second, "and there it stays");
    }
}
