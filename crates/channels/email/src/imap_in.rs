//! Fetching mail from a mailbox by IMAP, without losing or skipping any.
//!
//! A mail is handed to the [`Sink`] first; only when that has stored it does the cursor
//! move and the server hear `\Seen`. The server tells of new mail by IDLE (asked anew every
//! 25 minutes) or is polled. A broken connection is rebuilt with growing pauses.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_imap::error::Error as ImapError;
use async_imap::extensions::idle::IdleResponse;
use async_imap::{Client, Session};
use futures_util::TryStreamExt;
use tokio::sync::watch;

use crate::limits;
use crate::net::{self, BoxFuture, Resolve, Security, Trust, Wire};

/// How long one IDLE lasts; servers may hang up after 30 minutes (RFC 2177).
pub const IDLE_TIME: Duration = Duration::from_secs(25 * 60);
/// The first IDLE after a fetch: news that came just before it began may have gone unheard.
const FIRST_IDLE: Duration = Duration::from_secs(60);
/// Pause between looks at a server without IDLE.
pub const POLL_TIME: Duration = Duration::from_secs(60);
const COMMAND_TIME: Duration = Duration::from_secs(60);
const FETCH_TIME: Duration = Duration::from_secs(600);
/// Pauses after a failure: 1 s, doubling, at most this.
pub const MAX_PAUSE: Duration = Duration::from_secs(300);

/// A mailbox to fetch from.
#[derive(Clone)]
pub struct Account {
    /// Host name, also the name its certificate must carry.
    pub host: String,
    /// Port, usually 993 (TLS) or 143.
    pub port: u16,
    /// How the connection is secured.
    pub security: Security,
    /// User.
    pub user: String,
    /// Password.
    pub password: String,
    /// Folder, usually INBOX.
    pub folder: String,
    /// Send the password over a plain connection to another machine.
    pub allow_plain_login: bool,
    /// On the first connection take every mail of the folder, not only the unread ones.
    pub whole_folder: bool,
    /// Pause between looks when the server has no IDLE.
    pub poll: Duration,
}

/// How far a folder has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Cursor {
    /// Numbering the server is at; when it changes, UIDs start anew.
    pub uidvalidity: u32,
    /// Last UID that is stored.
    pub last_uid: u32,
}

/// One fetched mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawMail {
    /// Numbering of the folder.
    pub uidvalidity: u32,
    /// Its number.
    pub uid: u32,
    /// The mail; only its start when `oversize` is set.
    pub bytes: Vec<u8>,
    /// True size in bytes of a mail over [`limits::MAIL_BYTES`].
    pub oversize: Option<u64>,
}

/// Where fetched mail goes.
pub trait Sink: Send + Sync {
    /// How far the folder was read before; `None` at first.
    fn cursor(&self) -> BoxFuture<'_, Result<Option<Cursor>, NotStored>>;

    /// Stores the mail durably together with the cursor `(uidvalidity, uid)`. The same mail
    /// may come again after a crash or when the server renumbers: storing it twice must be one.
    fn store(&self, mail: RawMail) -> BoxFuture<'_, Result<(), NotStored>>;

    /// Moves the cursor without a mail: the folder's present end, on the first connection.
    fn start_at(&self, cursor: Cursor) -> BoxFuture<'_, Result<(), NotStored>>;

    /// Hears how the connection is doing, for the check page.
    fn state(&self, state: &State);
}

/// The sink could not store; the mail will be fetched again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the mail was not stored")]
pub struct NotStored;

/// How the connection is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Connected, everything there is has been fetched.
    Waiting {
        /// The server reports news by itself.
        idle: bool,
    },
    /// Not connected; tries again after `retry_in`.
    Failed {
        /// What happened.
        failure: Failure,
        /// Pause before the next attempt.
        retry_in: Duration,
    },
}

/// What stood in the way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason:?}: {detail}")]
pub struct Failure {
    /// What stood in the way.
    pub reason: Reason,
    /// What the server or the system said; no password.
    pub detail: String,
}

/// Kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The server's address is not allowed.
    AddressNotAllowed,
    /// No connection, or it broke.
    Connection,
    /// The certificate or the handshake.
    Tls,
    /// User or password.
    Login,
    /// The password would travel in the clear.
    PlainLogin,
    /// The folder does not exist.
    Folder,
    /// The server said something unexpected.
    Protocol,
    /// No answer in time.
    Timeout,
    /// Our own storage failed.
    Storage,
}

impl Failure {
    fn new(reason: Reason, detail: impl ToString) -> Self {
        Self { reason, detail: limits::prefix(&detail.to_string(), 500).to_owned() }
    }
}

impl From<ImapError> for Failure {
    fn from(error: ImapError) -> Self {
        let reason = match &error {
            ImapError::Io(_) | ImapError::ConnectionLost => Reason::Connection,
            _ => Reason::Protocol,
        };
        Self::new(reason, error)
    }
}

impl From<NotStored> for Failure {
    fn from(error: NotStored) -> Self {
        Self::new(Reason::Storage, error)
    }
}

type Wired = Box<dyn Wire>;

/// What a fetcher needs.
#[derive(Clone)]
pub struct Fetcher {
    /// The mailbox.
    pub account: Account,
    /// Decides about addresses.
    pub resolve: Arc<dyn Resolve>,
    /// Extra trusted certificates.
    pub trust: Trust,
}

impl Fetcher {
    /// Fetches until `stop` becomes true. Never returns earlier.
    pub async fn run(&self, sink: &dyn Sink, mut stop: watch::Receiver<bool>) {
        let mut pause = Duration::from_secs(1);
        loop {
            let mut progress = false;
            let failure = tokio::select! {
                failure = self.connected(sink, &mut progress) => failure,
                _ = stop.wait_for(|stop| *stop) => return,
            };
            if progress {
                pause = Duration::from_secs(1);
            }
            tracing::debug!(reason = ?failure.reason, "IMAP connection ended");
            sink.state(&State::Failed { failure, retry_in: pause });
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }

    /// One connection, for callers that make their own pauses: ends only by failing.
    pub async fn run_once(&self, sink: &dyn Sink) -> Failure {
        self.connected(sink, &mut false).await
    }

    /// Connects, logs in and selects the folder, for the set-up page; returns the number of mails in it.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn check(&self) -> Result<u32, Failure> {
        let mut session = self.login().await?;
        let mailbox = in_time(COMMAND_TIME, session.select(&self.account.folder)).await.map_err(folder_failure)?;
        let _ = in_time(COMMAND_TIME, session.logout()).await;
        Ok(mailbox.exists)
    }

    /// One connection: catch up, wait for news, again. Returns why it ended.
    async fn connected(&self, sink: &dyn Sink, progress: &mut bool) -> Failure {
        match self.work(sink, progress).await {
            Ok(never) => match never {},
            Err(failure) => failure,
        }
    }

    async fn work(&self, sink: &dyn Sink, progress: &mut bool) -> Result<std::convert::Infallible, Failure> {
        let mut session = self.login().await?;
        let capabilities = in_time(COMMAND_TIME, session.capabilities()).await?;
        let can_idle = capabilities.has_str("IDLE");
        let mailbox = in_time(COMMAND_TIME, session.select(&self.account.folder)).await.map_err(folder_failure)?;
        let uidvalidity = mailbox.uid_validity.ok_or_else(|| Failure::new(Reason::Protocol, "no UIDVALIDITY"))?;
        let known = sink.cursor().await?;
        let mut last = match known {
            Some(cursor) if cursor.uidvalidity == uidvalidity => cursor.last_uid,
            // Renumbered: every mail may be new to us, the sink knows the ones it has.
            Some(_) => 0,
            None if self.account.whole_folder => 0,
            None => self.first_look(&mut session, sink, uidvalidity, mailbox.uid_next).await?,
        };
        let mut fresh = true;
        loop {
            let fetched = self.catch_up(&mut session, sink, uidvalidity, &mut last).await?;
            *progress = true;
            fresh |= fetched > 0;
            sink.state(&State::Waiting { idle: can_idle });
            session = if can_idle {
                idle(session, if fresh { FIRST_IDLE.min(IDLE_TIME) } else { IDLE_TIME }).await?
            } else {
                self.poll(session).await?
            };
            fresh = false;
        }
    }

    /// The first connection to a folder in use: unread mails now, and from here on everything.
    async fn first_look(
        &self,
        session: &mut Session<Wired>,
        sink: &dyn Sink,
        uidvalidity: u32,
        uid_next: Option<u32>,
    ) -> Result<u32, Failure> {
        let mut all: Vec<u32> = in_time(COMMAND_TIME, session.uid_search("ALL")).await?.into_iter().collect();
        all.sort_unstable();
        let end = uid_next.map(|next| next.saturating_sub(1)).into_iter().chain(all.last().copied()).max().unwrap_or(0);
        let mut unread: Vec<u32> =
            in_time(COMMAND_TIME, session.uid_search("UNSEEN")).await?.into_iter().filter(|uid| *uid <= end).collect();
        unread.sort_unstable();
        for uid in unread {
            fetch(session, sink, uidvalidity, uid).await?;
        }
        sink.start_at(Cursor { uidvalidity, last_uid: end }).await?;
        Ok(end)
    }

    /// Fetches everything above `last`, oldest first; returns how many.
    async fn catch_up(
        &self,
        session: &mut Session<Wired>,
        sink: &dyn Sink,
        uidvalidity: u32,
        last: &mut u32,
    ) -> Result<usize, Failure> {
        // News seen by the way must not fill the channel.
        while session.unsolicited_responses.try_recv().is_ok() {}
        let next = last.saturating_add(1);
        let found = in_time(COMMAND_TIME, session.uid_search(format!("UID {next}:*"))).await?;
        // "n:*" always names the last mail, even when its number is smaller.
        let mut uids: Vec<u32> = found.into_iter().filter(|uid| *uid >= next).collect();
        uids.sort_unstable();
        for uid in &uids {
            fetch(session, sink, uidvalidity, *uid).await?;
            *last = *uid;
        }
        Ok(uids.len())
    }

    async fn poll(&self, mut session: Session<Wired>) -> Result<Session<Wired>, Failure> {
        tokio::time::sleep(self.account.poll).await;
        in_time(COMMAND_TIME, session.noop()).await?;
        Ok(session)
    }

    async fn login(&self) -> Result<Session<Wired>, Failure> {
        let account = &self.account;
        let addresses =
            self.resolve.resolve(&account.host, account.port).await.map_err(|error| match error.kind() {
                std::io::ErrorKind::PermissionDenied => Failure::new(Reason::AddressNotAllowed, error),
                _ => Failure::new(Reason::Connection, error),
            })?;
        let local = addresses.iter().all(|address| address.ip().is_loopback());
        if account.security == Security::None && !local && !account.allow_plain_login {
            return Err(Failure::new(Reason::PlainLogin, "refusing to send a password in the clear"));
        }
        let stream: Wired =
            Box::new(net::connect(&addresses).await.map_err(|error| Failure::new(Reason::Connection, error))?);
        let stream = match account.security {
            Security::Tls => self.secure(stream).await?,
            Security::None | Security::StartTls => stream,
        };
        let mut client = Client::new(stream);
        greeting(&mut client).await?;
        if account.security == Security::StartTls {
            in_time(COMMAND_TIME, client.run_command_and_check_ok("STARTTLS", None)).await?;
            // What the server sent in the clear after this is thrown away with the old client.
            client = Client::new(self.secure(client.into_inner()).await?);
        }
        let login = tokio::time::timeout(COMMAND_TIME, client.login(&account.user, &account.password)).await;
        match login.map_err(|_| Failure::new(Reason::Timeout, "login"))? {
            Ok(mut session) => {
                introduce(&mut session).await?;
                Ok(session)
            }
            Err((error @ (ImapError::No(_) | ImapError::Bad(_) | ImapError::Validate(_)), _)) => {
                Err(Failure::new(Reason::Login, error))
            }
            Err((error, _)) => Err(error.into()),
        }
    }

    async fn secure(&self, stream: Wired) -> Result<Wired, Failure> {
        net::secure(stream, &self.account.host, &self.trust).await.map_err(|error| Failure::new(Reason::Tls, error))
    }
}

async fn greeting(client: &mut Client<Wired>) -> Result<(), Failure> {
    match tokio::time::timeout(COMMAND_TIME, client.read_response()).await {
        Ok(Ok(Some(_))) => Ok(()),
        Ok(Ok(None)) => Err(Failure::new(Reason::Connection, "closed before the greeting")),
        Ok(Err(error)) => Err(Failure::new(Reason::Connection, error)),
        Err(_) => Err(Failure::new(Reason::Timeout, "no greeting")),
    }
}

/// Says who we are (RFC 2971): NetEase (163, 126, yeah.net) refuses SELECT as "unsafe login" without it.
async fn introduce(session: &mut Session<Wired>) -> Result<(), Failure> {
    if !in_time(COMMAND_TIME, session.capabilities()).await?.has_str("ID") {
        return Ok(());
    }
    let fields = [("name", Some("Steward")), ("version", Some(env!("CARGO_PKG_VERSION"))), ("vendor", Some("Steward"))];
    match in_time(COMMAND_TIME, session.id(fields)).await {
        Ok(_) | Err(Failure { reason: Reason::Protocol, .. }) => Ok(()),
        Err(failure) => Err(failure),
    }
}

fn folder_failure(failure: Failure) -> Failure {
    if failure.reason == Reason::Protocol { Failure { reason: Reason::Folder, ..failure } } else { failure }
}

async fn in_time<T>(limit: Duration, work: impl Future<Output = Result<T, ImapError>>) -> Result<T, Failure> {
    match tokio::time::timeout(limit, work).await {
        Ok(result) => Ok(result?),
        Err(_) => Err(Failure::new(Reason::Timeout, "no answer")),
    }
}

/// Fetches one mail, has it stored, then marks it as read.
async fn fetch(session: &mut Session<Wired>, sink: &dyn Sink, uidvalidity: u32, uid: u32) -> Result<(), Failure> {
    let sizes: Vec<_> = in_time(COMMAND_TIME, async {
        session.uid_fetch(uid.to_string(), "(UID RFC822.SIZE)").await?.try_collect().await
    })
    .await?;
    let Some(size) = sizes.iter().find(|fetch| fetch.uid == Some(uid)).and_then(|fetch| fetch.size) else {
        // Deleted meanwhile by somebody else.
        return Ok(());
    };
    let oversize = (size as usize > limits::MAIL_BYTES).then_some(u64::from(size));
    let query = match oversize {
        Some(_) => format!("(UID BODY.PEEK[]<0.{}>)", limits::EXCERPT_BYTES),
        None => "(UID BODY.PEEK[])".to_owned(),
    };
    let fetched: Vec<_> =
        in_time(FETCH_TIME, async { session.uid_fetch(uid.to_string(), query).await?.try_collect().await }).await?;
    let Some(body) = fetched.iter().filter(|fetch| fetch.uid == Some(uid)).find_map(|fetch| fetch.body()) else {
        return Ok(());
    };
    let bytes = body.to_vec();
    drop(fetched);
    sink.store(RawMail { uidvalidity, uid, bytes, oversize }).await?;
    let flagged: Result<Vec<_>, Failure> = in_time(COMMAND_TIME, async {
        session.uid_store(uid.to_string(), "+FLAGS.SILENT (\\Seen)").await?.try_collect().await
    })
    .await;
    match flagged {
        // A read-only folder can't be marked; the mail is ours all the same.
        Err(Failure { reason: Reason::Protocol, .. }) | Ok(_) => Ok(()),
        Err(failure) => Err(failure),
    }
}

/// Waits for news; ends after `limit` at the latest.
async fn idle(session: Session<Wired>, limit: Duration) -> Result<Session<Wired>, Failure> {
    let mut handle = session.idle();
    in_time(COMMAND_TIME, handle.init()).await?;
    let (news, _interrupt) = handle.wait_with_timeout(limit);
    // The inner limit restarts with each keep-alive of the server, this one does not.
    match tokio::time::timeout(limit, news).await {
        Ok(Ok(IdleResponse::NewData(_) | IdleResponse::Timeout)) | Err(_) => {}
        Ok(Ok(IdleResponse::ManualInterrupt)) => return Err(Failure::new(Reason::Connection, "closed while waiting")),
        Ok(Err(error)) => return Err(error.into()),
    }
    in_time(COMMAND_TIME, handle.done()).await
}
