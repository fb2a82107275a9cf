//! Connecting to mail servers somebody typed in: resolve once, check every address,
//! connect to that address (SECURITY row 3), speak TLS to the name that was typed.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use web::outbound::{AddressError, AddressPolicy};

/// A boxed future.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// How long one TCP connection attempt may take.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// Most addresses of one host that are tried.
pub const ADDRESSES_TRIED: usize = 4;

/// How a connection is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// Plain text.
    None,
    /// Plain text, then TLS before anything is said.
    StartTls,
    /// TLS from the first byte.
    Tls,
}

/// Decides which addresses of a host may be connected to.
pub trait Resolve: Send + Sync {
    /// Allowed addresses of `host`.
    ///
    /// # Errors
    /// `PermissionDenied` when the host has addresses but none is allowed; other kinds when it has none.
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>>;
}

impl Resolve for AddressPolicy {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move {
            self.check(host, port).await.map_err(|error| match error {
                AddressError::Denied => io::Error::new(io::ErrorKind::PermissionDenied, error),
                AddressError::Invalid | AddressError::Unresolved => io::Error::new(io::ErrorKind::NotFound, error),
            })
        })
    }
}

/// Certificates that are trusted beside the public ones.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// DER certificates of private authorities.
    pub extra: Vec<Vec<u8>>,
}

impl Trust {
    /// TLS settings: ring, public roots, and the extra ones.
    ///
    /// # Errors
    /// When an extra certificate is malformed.
    pub fn client(&self) -> io::Result<Arc<ClientConfig>> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        for der in &self.extra {
            roots.add(CertificateDer::from(der.clone())).map_err(io::Error::other)?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?;
        Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
    }
}

/// A byte stream to a server, plain or TLS.
pub trait Wire: AsyncRead + AsyncWrite + Unpin + Send + fmt::Debug {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + fmt::Debug> Wire for T {}

/// Connects to the first of `addresses` that answers.
///
/// # Errors
/// The last attempt's error.
pub async fn connect(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "no address");
    for address in addresses.iter().take(ADDRESSES_TRIED) {
        match tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Ok(Err(error)) => last = error,
            Err(_) => last = io::Error::new(io::ErrorKind::TimedOut, "connection timed out"),
        }
    }
    Err(last)
}

/// Starts TLS on `stream`; the certificate must be for `host`.
///
/// # Errors
/// Those of the handshake.
pub async fn secure(stream: Box<dyn Wire>, host: &str, trust: &Trust) -> io::Result<Box<dyn Wire>> {
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let connector = tokio_rustls::TlsConnector::from(trust.client()?);
    let handshake = tokio::time::timeout(CONNECT_TIMEOUT, connector.connect(name, stream)).await;
    let stream = handshake.map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "TLS handshake timed out"))??;
    Ok(Box::new(stream))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn private_hosts_are_denied_unless_allowed() {
        let public = AddressPolicy::new([]);
        for spelling in ["127.0.0.1", "10.1.2.3", "169.254.169.254", "[::1]", "::ffff:127.0.0.1"] {
            assert_eq!(
                public.resolve(spelling, 25).await.unwrap_err().kind(),
                io::ErrorKind::PermissionDenied,
                "{spelling}"
            );
        }
        for spelling in ["localhost", "0x7f000001", "2130706433", "127.1", "a b"] {
            assert!(public.resolve(spelling, 25).await.is_err(), "{spelling}");
        }
        let inside = AddressPolicy::new(["127.0.0.0/8".parse().unwrap()]);
        assert_eq!(inside.resolve("127.0.0.1", 25).await.unwrap(), ["127.0.0.1:25".parse().unwrap()]);
    }
}
