//! Real mail servers for tests: Dovecot as a child process, and our own receiver as a sink.
//!
//! Servers listen on 127.0.0.1 at a free port and end with the value.

use std::io;
use std::net::TcpListener as StdListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::net::{BoxFuture, Resolve};
use crate::smtp_in::{Acceptor, Config, Envelope, NotStored, Receiver, Recipient};

/// Password of every user of the test servers.
pub const PASSWORD: &str = "secret";

/// Lets loopback addresses through and nothing else; every host name is 127.0.0.1.
#[derive(Clone, Copy, Debug)]
pub struct Loopback;

impl Resolve for Loopback {
    fn resolve<'a>(&'a self, _host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<std::net::SocketAddr>>> {
        Box::pin(async move { Ok(vec![([127, 0, 0, 1], port).into()]) })
    }
}

/// A certificate for `localhost` made by the openssl command: (certificate file, key file).
///
/// # Errors
/// When openssl is missing or fails.
pub fn certificate(folder: &Path) -> io::Result<(PathBuf, PathBuf)> {
    let (certificate, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    let arguments = [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "30",
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost",
        "-addext",
        "basicConstraints=critical,CA:FALSE",
    ];
    let status = Command::new("openssl")
        .args(arguments)
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    if status.success() { Ok((certificate, key)) } else { Err(io::Error::other("openssl failed")) }
}

/// A running Dovecot with one maildir per user.
pub struct Dovecot {
    child: Child,
    folder: tempfile::TempDir,
    port: u16,
    tls_port: u16,
    delivered: AtomicU64,
}

impl Dovecot {
    /// Starts with IDLE.
    ///
    /// # Errors
    /// When dovecot (package dovecot-imapd) or openssl is missing or does not start.
    pub fn start() -> io::Result<Self> {
        Self::start_with("")
    }

    /// Starts with extra lines of configuration, for example `imap_capability = IMAP4rev1`.
    ///
    /// # Errors
    /// As [`Dovecot::start`].
    pub fn start_with(extra: &str) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let (port, tls_port) = (free_port()?, free_port()?);
        let (certificate, key) = certificate(folder.path())?;
        let config = configuration(folder.path(), &certificate, &key, (port, tls_port), extra)?;
        let file = folder.path().join("dovecot.conf");
        std::fs::write(&file, config)?;
        let child = Command::new("dovecot")
            .arg("-F")
            .arg("-c")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let server = Self { child, folder, port, tls_port, delivered: AtomicU64::new(0) };
        server.wait_until_ready()?;
        Ok(server)
    }

    fn wait_until_ready(&self) -> io::Result<()> {
        for _ in 0..200 {
            if std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        Err(io::Error::other(format!("dovecot does not answer: {log}")))
    }

    /// Port for plain connections and STARTTLS.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Port for TLS from the first byte.
    pub fn tls_port(&self) -> u16 {
        self.tls_port
    }

    /// The server's certificate, DER.
    ///
    /// # Errors
    /// When openssl fails.
    pub fn certificate(&self) -> io::Result<Vec<u8>> {
        der(&self.folder.path().join("cert.pem"))
    }

    /// Puts a mail into a user's INBOX, as a delivery agent does.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn deliver(&self, user: &str, raw: &[u8]) -> io::Result<()> {
        let maildir = self.folder.path().join("mail").join(user);
        for part in ["tmp", "new", "cur"] {
            std::fs::create_dir_all(maildir.join(part))?;
        }
        let number = self.delivered.fetch_add(1, Ordering::Relaxed);
        let name = format!("{:010}.{number}.test", 1_000_000_000 + number);
        let staged = maildir.join("tmp").join(&name);
        std::fs::write(&staged, raw)?;
        own(&self.folder.path().join("mail"))?;
        std::fs::rename(&staged, maildir.join("new").join(&name))
    }

    /// How many mails of the user's INBOX carry the flag `\Seen`.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn seen(&self, user: &str) -> io::Result<usize> {
        let folder = self.folder.path().join("mail").join(user).join("cur");
        let names = std::fs::read_dir(folder)?
            .filter_map(Result::ok)
            .map(|entry| entry.file_name().to_string_lossy().into_owned());
        Ok(names.filter(|name| name.rsplit(',').next().is_some_and(|flags| flags.contains('S'))).count())
    }

    /// Forgets the numbering of a user's INBOX, so that the server makes a new UIDVALIDITY.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn renumber(&self, user: &str) -> io::Result<()> {
        let folder = self.folder.path().join("mail").join(user);
        for entry in std::fs::read_dir(&folder)?.filter_map(Result::ok) {
            if entry.file_name().to_string_lossy().starts_with("dovecot") {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Ends the user's connections, as a restart does.
    ///
    /// # Errors
    /// When doveadm fails.
    pub fn disconnect(&self, user: &str) -> io::Result<()> {
        let config = self.folder.path().join("dovecot.conf");
        let status =
            Command::new("doveadm").arg("-c").arg(config).args(["kick", user]).stdout(Stdio::null()).status()?;
        if status.success() { Ok(()) } else { Err(io::Error::other("doveadm kick failed")) }
    }

    /// What the server logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        // The master ends its children when told to; killing it would leave them.
        let _ = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

fn configuration(
    folder: &Path,
    certificate: &Path,
    key: &Path,
    (port, tls_port): (u16, u16),
    extra: &str,
) -> io::Result<String> {
    let folder_text = folder.display();
    let (user, group) = (whoami("-un")?, whoami("-gn")?);
    // Dovecot never serves mail as root; its own account does then.
    let (login, internal, mail) =
        if user == "root" { ("dovenull", "dovecot", "dovecot") } else { (user.as_str(), user.as_str(), user.as_str()) };
    let mail_group = if user == "root" { "dovecot" } else { group.as_str() };
    std::fs::create_dir_all(folder.join("mail"))?;
    #[cfg(unix)]
    std::fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    own(&folder.join("mail"))?;
    Ok(format!(
        "base_dir = {folder_text}/run\nstate_dir = {folder_text}/state\nlog_path = {folder_text}/log\nprotocols = imap\nlisten = 127.0.0.1\n\
         disable_plaintext_auth = no\nauth_mechanisms = plain login\nssl = yes\nssl_cert = <{cert}\nssl_key = <{key}\nssl_dh =\n\
         mail_location = maildir:{folder_text}/mail/%u\nfirst_valid_uid = 1\nmail_uid = {mail}\nmail_gid = {mail_group}\n\
         default_login_user = {login}\ndefault_internal_user = {internal}\ndefault_internal_group = {mail_group}\n\
         passdb {{\n  driver = static\n  args = password={PASSWORD}\n}}\nuserdb {{\n  driver = static\n  args = uid={mail} gid={mail_group} home={folder_text}/mail/%u\n}}\n\
         service imap-login {{\n  chroot =\n  inet_listener imap {{\n    port = {port}\n  }}\n  inet_listener imaps {{\n    port = {tls_port}\n    ssl = yes\n  }}\n}}\n\
         service anvil {{\n  chroot =\n}}\nservice stats {{\n  chroot =\n}}\nmail_max_userip_connections = 50\nmaildir_very_dirty_syncs = no\n{extra}\n",
        cert = certificate.display(),
        key = key.display(),
    ))
}

fn whoami(flag: &str) -> io::Result<String> {
    let output = Command::new("id").arg(flag).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Gives the mail folder to Dovecot's account when the tests run as root.
fn own(folder: &Path) -> io::Result<()> {
    if whoami("-un")? == "root" {
        Command::new("chown").args(["-R", "dovecot:dovecot"]).arg(folder).status()?;
    }
    Ok(())
}

fn free_port() -> io::Result<u16> {
    Ok(StdListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// The DER form of a PEM certificate.
///
/// # Errors
/// When openssl fails.
pub fn der(pem: &Path) -> io::Result<Vec<u8>> {
    let output = Command::new("openssl").args(["x509", "-outform", "der", "-in"]).arg(pem).output()?;
    if output.status.success() { Ok(output.stdout) } else { Err(io::Error::other("openssl failed")) }
}

/// Mails an [`Inboxes`] took, oldest first.
pub type Taken = Vec<(Envelope, Vec<u8>)>;

/// Keeps every mail in memory; takes all addresses of one domain.
#[derive(Default)]
pub struct Inboxes {
    domain: String,
    taken: Mutex<Taken>,
    arrived: Notify,
    /// When set, storing fails.
    full: std::sync::atomic::AtomicBool,
}

impl Inboxes {
    /// Mails so far.
    pub fn taken(&self) -> Taken {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes storing fail, or work again.
    pub fn set_full(&self, full: bool) {
        self.full.store(full, Ordering::SeqCst);
    }

    /// Waits until `count` mails are there.
    ///
    /// # Errors
    /// `TimedOut` after ten seconds.
    pub async fn wait_for(&self, count: usize) -> io::Result<Taken> {
        let wait = async {
            loop {
                let arrived = self.arrived.notified();
                let taken = self.taken();
                if taken.len() >= count {
                    return taken;
                }
                arrived.await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), wait).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))
    }
}

impl Acceptor for Inboxes {
    fn recipient<'a>(&'a self, address: &'a str) -> BoxFuture<'a, Recipient> {
        let ours = address.ends_with(&format!("@{}", self.domain));
        Box::pin(async move { if ours { Recipient::Ours } else { Recipient::Unknown } })
    }

    fn accept(&self, envelope: Envelope, bytes: Vec<u8>) -> BoxFuture<'_, Result<(), NotStored>> {
        Box::pin(async move {
            if self.full.load(Ordering::SeqCst) {
                return Err(NotStored);
            }
            self.taken.lock().unwrap_or_else(PoisonError::into_inner).push((envelope, bytes));
            self.arrived.notify_waiters();
            Ok(())
        })
    }
}

/// An SMTP server that keeps what it gets: our own receiver with [`Inboxes`] behind it.
pub struct SmtpSink {
    /// The receiver.
    pub receiver: Receiver,
    /// What it took.
    pub inboxes: Arc<Inboxes>,
}

impl SmtpSink {
    /// Starts on a free port, taking mail for `domain`.
    ///
    /// # Errors
    /// When no port can be opened.
    pub async fn start(domain: &str) -> io::Result<Self> {
        Self::start_with(domain, Config::new("sink.test")).await
    }

    /// Starts with other limits.
    ///
    /// # Errors
    /// When no port can be opened.
    pub async fn start_with(domain: &str, config: Config) -> io::Result<Self> {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        let inboxes = Arc::new(Inboxes { domain: domain.to_owned(), ..Inboxes::default() });
        Ok(Self { receiver: Receiver::start(listener, inboxes.clone(), config)?, inboxes })
    }

    /// Port it listens at.
    pub fn port(&self) -> u16 {
        self.receiver.address().port()
    }
}
