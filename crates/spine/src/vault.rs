//! The instance's key: seals secrets at rest and signs what leaves us and must come back unchanged.
//! The key lies in a file beside the database, so that a copy of the database alone opens nothing.

use crate::refusal::Refusal;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use core::fmt;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::sync::Arc;

/// A secret text. It can't be printed, logged or serialised by accident (SECURITY row 29).
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
    /// The text itself, for the one call that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Holds the instance's key.
#[derive(Clone)]
pub struct Vault(Arc<[u8; 32]>);

const NONCE_BYTES: usize = 12;

impl Vault {
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self(Arc::new(key))
    }

    fn derived(&self, purpose: &str) -> [u8; 32] {
        self.mac("derive", &[purpose.as_bytes()])
    }

    /// Encrypts with authentication. `context` (for example workspace and channel) must be the same when
    /// opening, so that a sealed value copied to another row opens nothing. `nonce` must be random.
    ///
    /// # Errors
    /// [`Refusal::Internal`] for a text too long for the cipher.
    pub fn seal(&self, context: &[u8], plain: &[u8], nonce: [u8; NONCE_BYTES]) -> Result<Vec<u8>, Refusal> {
        let key = self.derived("seal");
        let cipher = ChaCha20Poly1305::new(Key::from_slice(&key));
        let sealed = cipher
            .encrypt(Nonce::from_slice(&nonce), Payload { msg: plain, aad: context })
            .map_err(|_| Refusal::Internal("sealing failed".to_owned()))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what [`Vault::seal`] made.
    ///
    /// # Errors
    /// [`Refusal::Internal`] when it was changed, belongs elsewhere, or the key is another.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Refusal> {
        let broken = || Refusal::Internal("a sealed secret does not open with this instance's key".to_owned());
        let (nonce, sealed) = sealed.split_at_checked(NONCE_BYTES).ok_or_else(broken)?;
        let key = self.derived("seal");
        let cipher = ChaCha20Poly1305::new(Key::from_slice(&key));
        cipher.decrypt(Nonce::from_slice(nonce), Payload { msg: sealed, aad: context }).map_err(|_| broken())
    }

    /// HMAC-SHA256 over the parts, each with its length, bound to a purpose.
    #[must_use]
    pub fn mac(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let Ok(mut mac) = <Hmac<Sha256> as Mac>::new_from_slice(self.0.as_slice()) else {
            // HMAC takes keys of every length.
            return [0; 32];
        };
        for part in std::iter::once(&purpose.as_bytes()).chain(parts) {
            mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}
