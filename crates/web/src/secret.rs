//! Random secrets that travel (session cookies, API tokens, links) and the hash that is stored.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::fmt;

/// Start of every API token, so that secret scanners know one when they see it.
pub const API_TOKEN_PREFIX: &str = "st_";

/// SHA-256 of a secret's text: what is stored and looked up. 256 random bits need no slow hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    /// `None` for text that can't be one of our secrets (too short, too long, odd characters),
    /// so that an empty or broken secret can never match anything.
    #[must_use]
    pub fn of(secret: &str) -> Option<Self> {
        let body = secret.strip_prefix(API_TOKEN_PREFIX).unwrap_or(secret);
        let right = body.len() == 43 && body.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        right.then(|| Self(Sha256::digest(secret.as_bytes()).into()))
    }
    #[must_use]
    pub fn bytes(self) -> [u8; 32] {
        self.0
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(..)")
    }
}

/// Text of a new secret from 32 random bytes: 43 characters, safe in URLs and headers.
#[must_use]
pub fn text(random: [u8; 32]) -> String {
    URL_SAFE_NO_PAD.encode(random)
}

/// Text of a new API token.
#[must_use]
pub fn api_token(random: [u8; 32]) -> String {
    format!("{API_TOKEN_PREFIX}{}", text(random))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_secrets_have_a_hash() {
        let secret = text([7; 32]);
        assert!(SecretHash::of(&secret).is_some());
        assert!(SecretHash::of(&api_token([7; 32])).is_some());
        assert_ne!(SecretHash::of(&secret), SecretHash::of(&api_token([7; 32])));
        for wrong in [
            "",
            " ",
            "\0",
            "null",
            "0",
            "st_",
            &secret[1..],
            &format!("{secret}A"),
            &format!("{secret} "),
            &secret.replace('B', "\0"),
            &format!("st_st_{secret}"),
            "undefined",
            "[]",
        ] {
            assert!(SecretHash::of(wrong).is_none(), "{wrong:?}");
        }
        assert_ne!(SecretHash::of(&secret), SecretHash::of(&secret.to_lowercase()));
    }
}
