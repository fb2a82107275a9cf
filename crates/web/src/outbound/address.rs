//! Which foreign addresses may be connected to (SECURITY row 3).

use crate::net::Net;
use futures_util::future::BoxFuture;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// How long a name may take to resolve.
const RESOLVE_TIME: Duration = Duration::from_secs(5);
/// More addresses than this in one answer are ignored.
const ADDRESSES_MAX: usize = 16;

/// Turns a host name into addresses. The system's resolver in production; tests bring their own.
pub trait Resolver: Send + Sync + 'static {
    fn resolve(&self, host: String, port: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>>;
}

/// `getaddrinfo` of the system.
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn resolve(&self, host: String, port: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
    }
}

/// Why a destination was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddressError {
    /// Resolves (also) to an address that may not be connected to.
    Denied,
    /// Not a host name or address at all.
    Invalid,
    /// No address known, or no answer in time.
    Unresolved,
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Denied => "the address is not allowed",
            Self::Invalid => "not a host",
            Self::Unresolved => "the host name has no address",
        })
    }
}

impl std::error::Error for AddressError {}

/// The one decision where connections may go: public addresses, and what the operator allows
/// beside them (an own mail server in the office network).
#[derive(Clone)]
pub struct AddressPolicy {
    allowed: Arc<[Net]>,
    resolver: Arc<dyn Resolver>,
}

impl AddressPolicy {
    /// Public addresses and the networks in `allowed`.
    #[must_use]
    pub fn new(allowed: impl IntoIterator<Item = Net>) -> Self {
        Self { allowed: allowed.into_iter().collect(), resolver: Arc::new(SystemResolver) }
    }

    /// The same policy with another way to resolve names.
    #[must_use]
    pub fn resolving_with(mut self, resolver: impl Resolver) -> Self {
        self.resolver = Arc::new(resolver);
        self
    }

    /// Whether a connection to this address is allowed.
    #[must_use]
    pub fn allows(&self, ip: IpAddr) -> bool {
        is_public(ip) || self.allowed.iter().any(|net| net.contains(ip))
    }

    /// Resolves `host` once and answers the addresses to connect to. The caller must connect to
    /// these addresses and not resolve the name again (an attacker's name server answers
    /// differently the second time).
    ///
    /// # Errors
    /// `Denied` when any of its addresses is not allowed, `Invalid`, `Unresolved`.
    pub async fn check(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, AddressError> {
        let host = host.trim();
        let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
        let found = if let Ok(ip) = bare.parse::<IpAddr>() {
            vec![SocketAddr::new(ip, port)]
        } else {
            if !is_host_name(bare) {
                return Err(AddressError::Invalid);
            }
            let asked = self.resolver.resolve(bare.to_owned(), port);
            match tokio::time::timeout(RESOLVE_TIME, asked).await {
                Ok(Ok(addresses)) => addresses,
                Ok(Err(_)) | Err(_) => return Err(AddressError::Unresolved),
            }
        };
        if found.is_empty() {
            return Err(AddressError::Unresolved);
        }
        if found.iter().all(|address| self.allows(address.ip())) {
            Ok(found.into_iter().take(ADDRESSES_MAX).collect())
        } else {
            Err(AddressError::Denied)
        }
    }
}

fn is_host_name(host: &str) -> bool {
    !host.is_empty()
        && host.len() <= 253
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}

/// Whether the address belongs to the public Internet: none of the special-purpose blocks of
/// the IANA registries (RFC 6890 and successors), no address that embeds another one.
#[must_use]
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, d] = ip.octets();
    let special = matches!(
        (a, b, c, d),
        (0 | 10 | 127 | 224..=255, ..)        // this network, private, loopback, multicast, reserved
            | (100, 64..=127, ..)             // carrier-grade NAT, and Alibaba's metadata server
            | (169, 254, ..)                  // link-local, and most metadata servers
            | (172, 16..=31, ..)              // private
            | (192, 0, 0 | 2, _)              // protocol assignments (Oracle's metadata), documentation
            | (192, 88, 99, _)                // 6to4 relays
            | (192, 168, ..)                  // private
            | (198, 18 | 19, ..)              // benchmarks
            | (198, 51, 100, _)               // documentation
            | (203, 0, 113, _)                // documentation
            | (168, 63, 129, 16) // Azure's metadata and wire server
    );
    !special
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, ..] = ip.segments();
    // Only 2000::/3 is global unicast: loopback, v4-mapped, NAT64, ULA, link-local, multicast lie outside.
    (0x2000..0x4000).contains(&a)
        && !(a == 0x2001 && b < 0x200)        // Teredo, ORCHID and other protocol assignments
        && !(a == 0x2001 && b == 0xdb8)       // documentation
        && a != 0x2002                        // 6to4 embeds an IPv4 address
        && !(a == 0x3fff && b < 0x1000) // documentation
}
