//! Both ways in, in the words of crate `channel`: IMAP as a [`::channel::Receiver`], and the
//! built-in SMTP receiver in front of a [`::channel::Acceptor`].

use std::io;
use std::sync::Arc;

use ::channel::{Acceptor, ChannelConfig, MailboxPosition, ReceiveError, Receiver, Receiving, Sink};
use domain::ChannelKind;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::channel::{EmailChannel, receive_code};
use crate::imap_in::{self, Cursor, RawMail, State};
use crate::net::BoxFuture;
use crate::parse::OVERSIZE_HEADER;
use crate::settings::Settings;
use crate::smtp_in::{self, Envelope, NotStored, Recipient};

impl Receiver for EmailChannel {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Email
    }

    fn wanted(&self, config: &ChannelConfig) -> bool {
        config.active && config.read::<Settings>().is_ok_and(|settings| self.fetcher(config, &settings).is_some())
    }

    fn run(
        &self,
        config: ChannelConfig,
        sink: Arc<dyn Sink>,
        stop: watch::Receiver<bool>,
    ) -> Receiving<'static, Result<(), ReceiveError>> {
        let this = self.clone();
        Box::pin(async move {
            let settings: Settings = config.read()?;
            let Some(fetcher) = this.fetcher(&config, &settings) else { return Ok(()) };
            let mut stop = stop;
            let stopped = async move {
                // A sender that is gone means the program ends.
                let _ = stop.wait_for(|stop| *stop).await;
            };
            let (connected, mut news) = watch::channel(0_u32);
            let adapter = ImapSink { sink: sink.clone(), connected };
            let tell = async {
                while news.changed().await.is_ok() {
                    sink.connected().await;
                }
                std::future::pending::<()>().await;
            };
            tokio::select! {
                () = stopped => Ok(()),
                () = tell => Ok(()),
                failure = fetcher.run_once(&adapter) => {
                    Err(ReceiveError { code: receive_code(failure.reason).as_str().to_owned(), detail: failure.to_string() })
                }
            }
        })
    }
}

struct ImapSink {
    sink: Arc<dyn Sink>,
    connected: watch::Sender<u32>,
}

fn position(cursor: Cursor) -> MailboxPosition {
    MailboxPosition { uid_validity: cursor.uidvalidity.into(), last_uid: cursor.last_uid.into() }
}

impl imap_in::Sink for ImapSink {
    fn cursor(&self) -> BoxFuture<'_, Result<Option<Cursor>, imap_in::NotStored>> {
        Box::pin(async move {
            let position = self.sink.position().await.map_err(|_| imap_in::NotStored)?;
            let cursor = u32::try_from(position.uid_validity).ok().zip(u32::try_from(position.last_uid).ok());
            Ok(cursor
                .filter(|(uidvalidity, _)| *uidvalidity != 0)
                .map(|(uidvalidity, last_uid)| Cursor { uidvalidity, last_uid }))
        })
    }

    fn store(&self, mail: RawMail) -> BoxFuture<'_, Result<(), imap_in::NotStored>> {
        Box::pin(async move {
            let at = position(Cursor { uidvalidity: mail.uidvalidity, last_uid: mail.uid });
            let bytes = match mail.oversize {
                Some(size) => [format!("{OVERSIZE_HEADER}: {size}\r\n").as_bytes(), &mail.bytes].concat(),
                None => mail.bytes,
            };
            self.sink.take(at, bytes).await.map(|_| ()).map_err(|_| imap_in::NotStored)
        })
    }

    fn start_at(&self, cursor: Cursor) -> BoxFuture<'_, Result<(), imap_in::NotStored>> {
        Box::pin(async move { self.sink.skip(position(cursor)).await.map_err(|_| imap_in::NotStored) })
    }

    fn state(&self, state: &State) {
        if matches!(state, State::Waiting { .. }) {
            self.connected.send_modify(|count| *count = count.wrapping_add(1));
        }
    }
}

/// The built-in SMTP receiver in front of the intake.
///
/// # Errors
/// When the listener has no address.
pub fn serve_smtp(
    listener: TcpListener,
    acceptor: Arc<dyn Acceptor>,
    config: smtp_in::Config,
) -> io::Result<smtp_in::Receiver> {
    smtp_in::Receiver::start(listener, Arc::new(SmtpAcceptor(acceptor)), config)
}

struct SmtpAcceptor(Arc<dyn Acceptor>);

impl smtp_in::Acceptor for SmtpAcceptor {
    fn recipient<'a>(&'a self, address: &'a str) -> BoxFuture<'a, Recipient> {
        Box::pin(async move {
            match self.0.recipient(address).await {
                Ok(Some(_)) => Recipient::Ours,
                Ok(None) => Recipient::Unknown,
                Err(_) => Recipient::TryLater,
            }
        })
    }

    fn accept(&self, envelope: Envelope, bytes: Vec<u8>) -> BoxFuture<'_, Result<(), NotStored>> {
        Box::pin(async move {
            let facts = facts(&envelope);
            let mut served = Vec::new();
            for recipient in &envelope.recipients {
                // Gone since RCPT: the other recipients decide, and a mail for nobody is refused for now.
                let Some(config) = self.0.recipient(recipient).await.map_err(|_| NotStored)? else { continue };
                if served.contains(&config.id) {
                    continue;
                }
                self.0.accept(&config, recipient, facts.clone(), bytes.clone()).await.map_err(|_| NotStored)?;
                served.push(config.id);
            }
            if served.is_empty() { Err(NotStored) } else { Ok(()) }
        })
    }
}

fn facts(envelope: &Envelope) -> Value {
    json!({
        "via": "smtp",
        "from": envelope.from,
        "recipients": envelope.recipients,
        "helo": envelope.helo,
        "peer": envelope.peer.ip().to_string(),
        "tls": envelope.tls,
    })
}
