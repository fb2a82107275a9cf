//! The built-in SMTP receiver: takes mail for our mailboxes and nothing else.
//!
//! Never a relay: a recipient the [`Acceptor`] does not know is refused. `250` after DATA
//! means the mail is stored durably; when storing fails the answer is `451` and the sender
//! keeps it. Every connection has limits of time, commands, errors and size.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};

use crate::limits;
use crate::net::BoxFuture;
use crate::smtp_session::Session;

/// Who sent what to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// MAIL FROM; empty for the null return path.
    pub from: String,
    /// RCPT TO addresses the acceptor took, as given.
    pub recipients: Vec<String>,
    /// Name given in EHLO or HELO; the client's claim.
    pub helo: String,
    /// The client.
    pub peer: SocketAddr,
    /// The mail came over TLS.
    pub tls: bool,
}

/// Answer to RCPT TO.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// One of our mailboxes (250).
    Ours,
    /// Not one of our mailboxes (550).
    Unknown,
    /// Can't tell now (451).
    TryLater,
}

/// What the receiver asks the product.
pub trait Acceptor: Send + Sync + 'static {
    /// Is this address one of our mailboxes?
    fn recipient<'a>(&'a self, address: &'a str) -> BoxFuture<'a, Recipient>;

    /// Stores the mail. `Ok` only when it will survive a crash.
    fn accept(&self, envelope: Envelope, bytes: Vec<u8>) -> BoxFuture<'_, Result<(), NotStored>>;
}

/// The mail could not be stored; the sender will try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the mail was not stored")]
pub struct NotStored;

/// Limits and names of a receiver.
#[derive(Clone)]
pub struct Config {
    /// Our name in the greeting.
    pub hostname: String,
    /// Offers STARTTLS when set.
    pub tls: Option<Arc<ServerConfig>>,
    /// Connections at once.
    pub connections: usize,
    /// Connections at once from one address.
    pub per_address: usize,
    /// Largest mail, bytes.
    pub size: usize,
    /// Recipients of one mail.
    pub recipients: usize,
    /// Commands of one connection.
    pub commands: usize,
    /// Refused commands of one connection.
    pub errors: usize,
    /// Time for the next command.
    pub command_time: Duration,
    /// Time for the content of one mail.
    pub data_time: Duration,
    /// Time a connection may last.
    pub session_time: Duration,
}

impl Config {
    /// The limits for production.
    pub fn new(hostname: impl Into<String>) -> Self {
        Self {
            hostname: hostname.into(),
            tls: None,
            connections: 200,
            per_address: 20,
            size: limits::MAIL_BYTES,
            recipients: 100,
            commands: 1_000,
            errors: 10,
            command_time: Duration::from_secs(120),
            data_time: Duration::from_secs(600),
            session_time: Duration::from_secs(1_800),
        }
    }
}

/// A running receiver.
pub struct Receiver {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Receiver {
    /// Serves `listener` until [`Receiver::shutdown`].
    ///
    /// # Errors
    /// When the listener has no address.
    pub fn start(listener: TcpListener, acceptor: Arc<dyn Acceptor>, config: Config) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(run(listener, acceptor, Arc::new(config), stopped));
        Ok(Self { address, stop, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no new connection, lets mails under way be stored (at most `grace`), then ends.
    pub async fn shutdown(self, grace: Duration) {
        let _ = self.stop.send(true);
        let mut task = self.task;
        if tokio::time::timeout(grace, &mut task).await.is_err() {
            task.abort();
        }
    }
}

/// Counts connections per client address.
#[derive(Clone, Default)]
struct PerAddress(Arc<Mutex<HashMap<IpAddr, usize>>>);

struct Place(PerAddress, IpAddr);

impl PerAddress {
    fn enter(&self, ip: IpAddr, limit: usize) -> Option<Place> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(ip).or_default();
        if *count >= limit {
            return None;
        }
        *count += 1;
        Some(Place(self.clone(), ip))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.1);
            }
        }
    }
}

async fn run(
    listener: TcpListener,
    acceptor: Arc<dyn Acceptor>,
    config: Arc<Config>,
    mut stopped: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(config.connections));
    let per_address = PerAddress::default();
    let mut sessions = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.wait_for(|stop| *stop) => break,
            Some(_) = sessions.join_next(), if !sessions.is_empty() => continue,
        };
        let Ok((stream, peer)) = accepted else {
            // Out of file descriptors: wait for some to come back.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let place = places.clone().try_acquire_owned().ok().zip(per_address.enter(peer.ip(), config.per_address));
        let Some(place) = place else {
            sessions.spawn(busy(stream));
            continue;
        };
        let (acceptor, config, stopped) = (acceptor.clone(), config.clone(), stopped.clone());
        sessions.spawn(async move {
            let limit = config.session_time;
            let session = Session::new(stream, peer, acceptor, config, stopped);
            // A client that breaks off or overstays is no event worth more than this.
            if !matches!(tokio::time::timeout(limit, session.run()).await, Ok(Ok(()))) {
                tracing::debug!(peer = %peer.ip(), "SMTP session ended early");
            }
            drop(place);
        });
    }
    drop(listener);
    while sessions.join_next().await.is_some() {}
}

async fn busy(mut stream: TcpStream) {
    use tokio::io::AsyncWriteExt;
    let answer = stream.write_all(b"421 4.7.0 Too many connections, try again later\r\n");
    let _ = tokio::time::timeout(Duration::from_secs(5), answer).await;
}
