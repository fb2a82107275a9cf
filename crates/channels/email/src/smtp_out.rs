//! Handing mail to the relay somebody configured.
//!
//! The relay's name is resolved and checked by the caller's [`Resolve`]; lettre is given
//! the address, and the name only for TLS, so it cannot connect anywhere else.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::{AsyncSmtpTransport, PoolConfig};
use lettre::{AsyncTransport, Tokio1Executor};
use sha2::{Digest, Sha256};

use crate::compose::Composed;
use crate::net::{Resolve, Security, Trust};

/// Time for one command's answer.
pub const COMMAND_TIMEOUT: Duration = Duration::from_secs(60);
/// Time for a whole delivery.
pub const DELIVERY_TIMEOUT: Duration = Duration::from_secs(300);
/// Connections kept per relay.
pub const POOL_SIZE: u32 = 4;
/// Relays whose connections are kept.
const RELAYS: usize = 64;

/// A configured relay.
#[derive(Clone)]
pub struct Relay {
    /// Host name, also the name its certificate must carry.
    pub host: String,
    /// Port, usually 465 (TLS), 587 (STARTTLS) or 25.
    pub port: u16,
    /// How the connection is secured.
    pub security: Security,
    /// User and password, if the relay wants them.
    pub login: Option<(String, String)>,
    /// Send the password over a plain connection to another machine.
    pub allow_plain_login: bool,
}

/// What stood in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The relay's address is not allowed.
    AddressNotAllowed,
    /// No connection, or it broke.
    Connection,
    /// The certificate or the handshake.
    Tls,
    /// User or password.
    Login,
    /// The password would travel in the clear.
    PlainLogin,
    /// The relay said no.
    Rejected,
    /// The relay said not now.
    TryLater,
    /// No answer in time.
    Timeout,
    /// The mail itself can't be sent this way.
    Unsendable,
}

/// A delivery that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason:?}: {detail}")]
pub struct Failure {
    /// What stood in the way.
    pub reason: Reason,
    /// Trying again may help.
    pub retry: bool,
    /// Reply code of the relay.
    pub code: Option<u16>,
    /// What the relay or the system said; no password, no content.
    pub detail: String,
}

impl Failure {
    fn new(reason: Reason, retry: bool, detail: impl ToString) -> Self {
        Self { reason, retry, code: None, detail: crate::limits::prefix(&detail.to_string(), 500).to_owned() }
    }
}

type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// Delivers mail; keeps connections open between deliveries. Cheap to share.
pub struct Mailer {
    resolve: Arc<dyn Resolve>,
    trust: Trust,
    hello: String,
    pools: Mutex<HashMap<[u8; 32], Transport>>,
}

impl Mailer {
    /// `hello` is the name given in EHLO.
    pub fn new(resolve: Arc<dyn Resolve>, trust: Trust, hello: impl Into<String>) -> Self {
        Self { resolve, trust, hello: hello.into(), pools: Mutex::default() }
    }

    /// Hands `mail` to `relay`; returns what the relay answered.
    ///
    /// # Errors
    /// [`Failure`], telling whether a later try may succeed.
    pub async fn deliver(&self, relay: &Relay, mail: &Composed) -> Result<String, Failure> {
        let mut last = Failure::new(Reason::Connection, true, "no address");
        for address in self.addresses(relay).await? {
            let transport = self.transport(relay, address)?;
            let sent = tokio::time::timeout(DELIVERY_TIMEOUT, transport.send_raw(&mail.envelope, &mail.bytes)).await;
            match sent {
                Ok(Ok(response)) => return Ok(response.message().collect::<Vec<_>>().join(" ")),
                Ok(Err(error)) => last = classify(&error),
                // The relay may have taken it: another address would deliver twice.
                Err(_) => return Err(Failure::new(Reason::Timeout, true, "delivery timed out")),
            }
            if last.reason != Reason::Connection {
                break;
            }
        }
        Err(last)
    }

    /// Connects, logs in and says goodbye, for the set-up page.
    ///
    /// # Errors
    /// [`Failure`] as for a delivery.
    pub async fn check(&self, relay: &Relay) -> Result<(), Failure> {
        let address = self
            .addresses(relay)
            .await?
            .into_iter()
            .next()
            .ok_or_else(|| Failure::new(Reason::Connection, true, "no address"))?;
        let transport = self.transport(relay, address)?;
        match tokio::time::timeout(COMMAND_TIMEOUT, transport.test_connection()).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err(Failure::new(Reason::Connection, true, "the relay closed the connection")),
            Ok(Err(error)) => Err(classify(&error)),
            Err(_) => Err(Failure::new(Reason::Timeout, true, "no answer")),
        }
    }

    async fn addresses(&self, relay: &Relay) -> Result<Vec<SocketAddr>, Failure> {
        let found = self.resolve.resolve(&relay.host, relay.port).await.map_err(|error| match error.kind() {
            std::io::ErrorKind::PermissionDenied => Failure::new(Reason::AddressNotAllowed, false, error),
            _ => Failure::new(Reason::Connection, true, error),
        })?;
        let clear = relay.security == Security::None && relay.login.is_some() && !relay.allow_plain_login;
        if clear && found.iter().any(|address| !address.ip().is_loopback()) {
            return Err(Failure::new(Reason::PlainLogin, false, "refusing to send a password in the clear"));
        }
        Ok(found)
    }

    fn transport(&self, relay: &Relay, address: SocketAddr) -> Result<Transport, Failure> {
        let key = fingerprint(relay, address);
        let Ok(mut pools) = self.pools.lock() else { return self.build(relay, address) };
        if let Some(transport) = pools.get(&key) {
            return Ok(transport.clone());
        }
        if pools.len() >= RELAYS {
            pools.clear();
        }
        let transport = self.build(relay, address)?;
        pools.insert(key, transport.clone());
        Ok(transport)
    }

    fn build(&self, relay: &Relay, address: SocketAddr) -> Result<Transport, Failure> {
        let tls = match relay.security {
            Security::None => Tls::None,
            Security::StartTls => Tls::Required(self.tls(&relay.host)?),
            Security::Tls => Tls::Wrapper(self.tls(&relay.host)?),
        };
        let mut builder = Transport::builder_dangerous(address.ip().to_string())
            .port(address.port())
            .tls(tls)
            .hello_name(ClientId::Domain(self.hello.clone()))
            .timeout(Some(COMMAND_TIMEOUT))
            .pool_config(PoolConfig::new().max_size(POOL_SIZE).idle_timeout(Duration::from_secs(30)));
        if let Some((user, password)) = &relay.login {
            builder = builder.credentials(Credentials::new(user.clone(), password.clone()));
        }
        Ok(builder.build())
    }

    fn tls(&self, host: &str) -> Result<TlsParameters, Failure> {
        let failed = |error: lettre::transport::smtp::Error| Failure::new(Reason::Tls, false, error);
        let mut builder = TlsParameters::builder(host.to_owned()).certificate_store(CertificateStore::WebpkiRoots);
        for der in &self.trust.extra {
            builder = builder.add_root_certificate(Certificate::from_der(der.clone()).map_err(failed)?);
        }
        builder.build().map_err(failed)
    }
}

/// Settings of a relay as a key, so that a changed password opens new connections.
fn fingerprint(relay: &Relay, address: SocketAddr) -> [u8; 32] {
    let (user, password) = relay.login.as_ref().map_or(("", ""), |(user, password)| (user, password));
    let mut hash = Sha256::new();
    for part in [relay.host.as_str(), &address.to_string(), &format!("{:?}", relay.security), user, password] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

fn classify(error: &lettre::transport::smtp::Error) -> Failure {
    let code = error.status().map(u16::from);
    let (reason, retry) = match code {
        // Authentication: somebody must correct the settings, then it works.
        Some(530 | 534 | 535 | 538 | 454) => (Reason::Login, true),
        Some(_) if error.is_permanent() => (Reason::Rejected, false),
        Some(_) => (Reason::TryLater, true),
        None if error.is_timeout() => (Reason::Timeout, true),
        None if error.is_tls() => (Reason::Tls, true),
        None if error.is_client() => (Reason::Unsendable, false),
        None => (Reason::Connection, true),
    };
    Failure { code, ..Failure::new(reason, retry, source_text(error)) }
}

/// The error with its causes on one line.
fn source_text(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
