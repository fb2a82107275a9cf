//! The second factor: codes by time (RFC 6238: SHA-1, 6 digits, 30 s, one step of clock error
//! either way), each good once, and ten recovery codes.

use domain::Timestamp;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use totp_rs::{Builder, Totp};

pub const SECRET_BYTES: usize = 20;
pub const RECOVERY_CODES: usize = 10;
/// Letters and digits that can't be mistaken for each other; 32 of them are 5 bits each.
const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz234567890";
const LETTERS_PER_CODE: usize = 16;

fn totp(secret: &[u8]) -> Option<Totp> {
    Builder::new().with_secret(secret.to_vec()).build().ok()
}

/// The step that a code stands for, if it is right now and later than the last one used.
#[must_use]
pub fn check(secret: &[u8], code: &str, now: Timestamp, last_step: Option<i64>) -> Option<i64> {
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    if code.len() != 6 || !code.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let seconds = u64::try_from(now.as_micros() / 1_000_000).ok()?;
    let step = i64::try_from(totp(secret)?.check(&code, seconds)?).ok()?;
    last_step.is_none_or(|last| step > last).then_some(step)
}

/// The secret as people type it.
#[must_use]
pub fn base32(secret: &[u8]) -> String {
    totp_rs::Secret::from(secret.to_vec()).to_base32()
}

/// What the QR code holds.
#[must_use]
pub fn uri(secret: &[u8], company: &str, email: &str) -> String {
    let (company, email) = (percent(company), percent(email));
    format!(
        "otpauth://totp/{company}:{email}?secret={}&issuer={company}&algorithm=SHA1&digits=6&period=30",
        base32(secret)
    )
}

fn percent(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}

/// New recovery codes from random bytes: `abcd-efgh-jkmn-pqrs`, about 79 bits each.
#[must_use]
pub fn recovery_codes(random: &[u8; RECOVERY_CODES * LETTERS_PER_CODE]) -> Vec<String> {
    random
        .chunks(LETTERS_PER_CODE)
        .map(|chunk| {
            let letters: Vec<char> =
                chunk.iter().filter_map(|byte| LETTERS.get(usize::from(byte % 32)).copied().map(char::from)).collect();
            letters.chunks(4).map(|four| four.iter().collect::<String>()).collect::<Vec<_>>().join("-")
        })
        .collect()
}

/// What is stored of a recovery code.
#[must_use]
pub fn recovery_hash(code: &str) -> String {
    let letters: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    Sha256::digest(letters.to_ascii_lowercase().as_bytes()).iter().map(|b| format!("{b:02x}")).collect()
}

/// The stored codes without the one that was used; `None` when it is none of them.
#[must_use]
pub fn use_recovery(stored: &[String], code: &str) -> Option<Vec<String>> {
    let letters = code.chars().filter(char::is_ascii_alphanumeric).count();
    if letters != LETTERS_PER_CODE {
        return None;
    }
    let hash = recovery_hash(code);
    let found = stored.iter().position(|one| bool::from(one.as_bytes().ct_eq(hash.as_bytes())))?;
    let mut rest = stored.to_vec();
    rest.remove(found);
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"12345678901234567890";

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    /// RFC 6238 appendix B, the last six of its eight digits.
    #[test]
    fn vectors_of_the_rfc() {
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
        ] {
            assert_eq!(check(SECRET, code, at(seconds), None), Some(seconds / 30), "{seconds}");
        }
    }

    #[test]
    fn a_code_is_good_once_and_for_a_moment() {
        let step = 1_234_567_890 / 30;
        let good = |seconds, last| check(SECRET, "005924", at(seconds), last);
        assert_eq!(good(1_234_567_890, Some(step - 1)), Some(step));
        assert_eq!(good(1_234_567_890, Some(step)), None);
        assert_eq!(good(1_234_567_890 + 30, None), Some(step));
        assert_eq!(good(1_234_567_890 - 30, None), Some(step));
        assert_eq!(good(1_234_567_890 + 60, None), None);
        for wrong in ["", "0", "005925", "0059240", "00592", "００５９２４", "005924\0", "null"] {
            assert_eq!(check(SECRET, wrong, at(1_234_567_890), None), None, "{wrong:?}");
        }
        assert_eq!(check(SECRET, " 005 924 ", at(1_234_567_890), None), Some(step));
    }

    #[test]
    fn recovery_codes_work_once() {
        let mut random = [0_u8; RECOVERY_CODES * LETTERS_PER_CODE];
        for (n, byte) in random.iter_mut().enumerate() {
            *byte = u8::try_from(n % LETTERS_PER_CODE + n / LETTERS_PER_CODE * 3).unwrap();
        }
        let codes = recovery_codes(&random);
        assert_eq!(codes.len(), 10);
        assert_eq!(codes[0], "abcd-efgh-jkmn-pqrs");
        let stored: Vec<String> = codes.iter().map(|code| recovery_hash(code)).collect();
        let rest = use_recovery(&stored, &codes[3].to_uppercase().replace('-', " ")).unwrap();
        assert_eq!(rest.len(), 9);
        assert!(use_recovery(&rest, &codes[3]).is_none());
        for wrong in ["", "-", "abcd", "abcd-efgh-jkmn-pqrt", "abcd-efgh-jkmn-pqrs-a"] {
            assert!(use_recovery(&stored, wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn the_uri_is_escaped() {
        let uri = uri(SECRET, "光华 & Co", "a+b@x.cn");
        assert_eq!(
            uri,
            "otpauth://totp/%E5%85%89%E5%8D%8E%20%26%20Co:a%2Bb%40x.cn?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=%E5%85%89%E5%8D%8E%20%26%20Co&algorithm=SHA1&digits=6&period=30"
        );
    }
}
