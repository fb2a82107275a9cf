//! Proof of work: before a form is taken, its sender's browser finds a number such that
//! `SHA-256(salt ":" number)` begins with so many zero bits (the scheme of hashcash). The challenge is signed, so
//! that nothing is stored until it is solved; it ends soon, and counts once.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{Span, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use spine::Vault;
use subtle::ConstantTimeEq;

/// About 65,000 hashes: under a second in a browser, hours for ten thousand forms.
pub const DIFFICULTY_BITS: u32 = 16;
/// Long enough to write a long letter.
const LIFE: Span = Span::hours(2);
const NONCE_CHARS: usize = 32;

/// A task for the browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = FormChallenge)]
pub struct Challenge {
    pub salt: String,
    pub difficulty_bits: u32,
    /// Seconds since 1970; hand it back as it came.
    pub expires: i64,
    pub signature: String,
}

/// The task solved.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[schema(as = FormProof)]
pub struct Proof {
    pub salt: String,
    pub nonce: String,
    pub expires: i64,
    pub signature: String,
}

fn sign(vault: &Vault, channel: &[u8], salt: &str, expires: i64) -> String {
    let parts: [&[u8]; 4] = [channel, salt.as_bytes(), &expires.to_be_bytes(), &DIFFICULTY_BITS.to_be_bytes()];
    URL_SAFE_NO_PAD.encode(vault.mac("webform.proof", &parts))
}

/// A new task for one channel.
#[must_use]
pub fn challenge(vault: &Vault, channel: &[u8], random: [u8; 16], now: Timestamp) -> Challenge {
    let salt = URL_SAFE_NO_PAD.encode(random);
    let expires = (now + LIFE).as_micros() / 1_000_000;
    let signature = sign(vault, channel, &salt, expires);
    Challenge { salt, difficulty_bits: DIFFICULTY_BITS, expires, signature }
}

/// Checks a solution. `Some` is what to remember, and until when, so that it counts once.
#[must_use]
pub fn check(vault: &Vault, channel: &[u8], proof: &Proof, now: Timestamp) -> Option<([u8; 32], Timestamp)> {
    let ours = sign(vault, channel, &proof.salt, proof.expires);
    let expires_at = Timestamp::from_micros(proof.expires.checked_mul(1_000_000)?);
    let fresh = expires_at > now && expires_at <= now + LIFE + Span::minutes(1);
    if !fresh || !bool::from(ours.as_bytes().ct_eq(proof.signature.as_bytes())) || proof.nonce.len() > NONCE_CHARS {
        return None;
    }
    let hash = Sha256::new().chain_update(&proof.salt).chain_update(b":").chain_update(&proof.nonce).finalize();
    (leading_zero_bits(&hash) >= DIFFICULTY_BITS).then(|| {
        let name = Sha256::new().chain_update(b"form proof\0").chain_update(&proof.salt).finalize();
        (name.into(), expires_at)
    })
}

fn leading_zero_bits(hash: &[u8]) -> u32 {
    let zeros = hash.iter().take_while(|byte| **byte == 0).count();
    let rest = hash.get(zeros).map_or(0, |byte| byte.leading_zeros());
    u32::try_from(zeros).unwrap_or(u32::MAX).saturating_mul(8) + rest
}

/// Does the work, as a browser would.
#[cfg(any(test, feature = "testing"))]
#[must_use]
pub fn solve(challenge: &Challenge) -> Proof {
    let mut number = 0_u64;
    loop {
        let nonce = number.to_string();
        let hash = Sha256::new().chain_update(&challenge.salt).chain_update(b":").chain_update(&nonce).finalize();
        if leading_zero_bits(&hash) >= challenge.difficulty_bits {
            let (salt, signature) = (challenge.salt.clone(), challenge.signature.clone());
            return Proof { salt, nonce, expires: challenge.expires, signature };
        }
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_solved_fresh_challenge_of_ours_counts() {
        let (vault, other) = (Vault::new([1; 32]), Vault::new([2; 32]));
        let now = Timestamp::from_micros(1_800_000_000_000_000);
        let task = challenge(&vault, b"a", [7; 16], now);
        let good = solve(&task);
        assert!(check(&vault, b"a", &good, now).is_some());
        let table: Vec<(Proof, &str)> = vec![
            (Proof { nonce: "x".to_owned(), ..good.clone() }, "not solved"),
            (Proof { nonce: String::new(), ..good.clone() }, "no nonce"),
            (Proof { nonce: "1".repeat(NONCE_CHARS + 1), ..good.clone() }, "a nonce without end"),
            (Proof { salt: "chosen".to_owned(), ..good.clone() }, "another salt"),
            (Proof { expires: good.expires + 1, ..good.clone() }, "a longer life"),
            (Proof { expires: i64::MAX, ..good.clone() }, "life without end"),
            (Proof { signature: String::new(), ..good.clone() }, "no signature"),
        ];
        for (proof, what) in table {
            assert!(check(&vault, b"a", &proof, now).is_none(), "{what}");
        }
        assert!(check(&vault, b"b", &good, now).is_none(), "another channel's");
        assert!(check(&other, b"a", &good, now).is_none(), "another instance's");
        assert!(check(&vault, b"a", &good, now + LIFE).is_none(), "too late");
    }

    #[test]
    fn zero_bits() {
        for (hash, bits) in [([0xff, 0, 0], 0), ([0, 0xff, 0], 8), ([0, 0x1f, 0], 11), ([0, 0, 0], 24)] {
            assert_eq!(leading_zero_bits(&hash), bits);
        }
    }
}
