//! Keyed tokens that prove a mail answers one of our cases (SECURITY row 4).
//!
//! A reply token carries the case id and an HMAC-SHA256, cut to 128 bit, over workspace,
//! channel and case. It stands in the Reply-To address (`support+<token>@…`) and in our
//! Message-IDs. A subject token `[#12345-abcdefgh]` proves a case number with 40 bit; it
//! only ever leads to the case, never lets a stranger in. Comparison takes constant time.

use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Bytes of an id (UUID).
pub const ID_BYTES: usize = 16;
const MAC_BYTES: usize = 16;
const SUBJECT_MAC_BYTES: usize = 5;
/// Characters of a reply token.
pub const TOKEN_CHARS: usize = (ID_BYTES + MAC_BYTES) * 8 / 5 + 1;
const SUBJECT_CHARS: usize = SUBJECT_MAC_BYTES * 8 / 5;
/// Longest local part (RFC 5321 section 4.5.3.1.1).
const LOCAL_BYTES: usize = 64;

/// Signs and checks tokens of one channel of one workspace.
#[derive(Clone)]
pub struct Signer {
    key: [u8; 32],
    workspace: [u8; ID_BYTES],
    channel: [u8; ID_BYTES],
}

impl Signer {
    /// `key` is the instance's secret for mail tokens.
    pub fn new(key: [u8; 32], workspace: [u8; ID_BYTES], channel: [u8; ID_BYTES]) -> Self {
        Self { key, workspace, channel }
    }

    /// The reply token of a case: [`TOKEN_CHARS`] lower-case letters and digits.
    pub fn reply_token(&self, case: [u8; ID_BYTES]) -> String {
        let mut bytes = case.to_vec();
        bytes.extend(self.mac(b"steward.reply.v1", &case).iter().take(MAC_BYTES));
        encode(&bytes)
    }

    /// The case a token proves, or `None` for every token that is not exactly ours.
    pub fn verify_reply(&self, token: &str) -> Option<[u8; ID_BYTES]> {
        if token.len() != TOKEN_CHARS {
            return None;
        }
        let bytes = decode(token)?;
        let (case, mac) = bytes.split_first_chunk::<ID_BYTES>()?;
        let expect = self.mac(b"steward.reply.v1", case);
        let equal: bool = expect.get(..MAC_BYTES)?.ct_eq(mac).into();
        equal.then_some(*case)
    }

    /// `support+<token>@example.com`, or `None` when the local part would grow too long.
    pub fn reply_address(&self, mailbox: &str, case: [u8; ID_BYTES]) -> Option<String> {
        let (local, domain) = mailbox.rsplit_once('@')?;
        let fits = local.len() + 1 + TOKEN_CHARS <= LOCAL_BYTES;
        fits.then(|| format!("{local}+{}@{domain}", self.reply_token(case)))
    }

    /// Message-ID (without brackets) of a message of ours.
    pub fn message_id(&self, message: [u8; ID_BYTES], case: [u8; ID_BYTES], domain: &str) -> String {
        let hex: String = message.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{hex}.{}@{domain}", self.reply_token(case))
    }

    /// The case a Message-ID of ours proves.
    pub fn verify_message_id(&self, id: &str) -> Option<[u8; ID_BYTES]> {
        let (local, _) = id.rsplit_once('@')?;
        let (_, token) = local.rsplit_once('.')?;
        self.verify_reply(token)
    }

    /// `[#12345-abcdefgh]` for the end of a subject.
    pub fn subject_token(&self, number: i64) -> String {
        let mac = self.mac(b"steward.subject.v1", &number.to_be_bytes());
        format!("[#{number}-{}]", encode(mac.get(..SUBJECT_MAC_BYTES).unwrap_or_default()))
    }

    /// The case number a subject proves: the first genuine token in it.
    pub fn verify_subject(&self, subject: &str) -> Option<i64> {
        subject.split("[#").skip(1).take(8).find_map(|tail| {
            let (number, mac) = tail.split_once(']')?.0.split_once('-')?;
            let number: i64 = number.parse().ok().filter(|number| *number > 0)?;
            let given = (mac.len() == SUBJECT_CHARS).then(|| decode(mac)).flatten()?;
            let expect = self.mac(b"steward.subject.v1", &number.to_be_bytes());
            let equal: bool = expect.get(..SUBJECT_MAC_BYTES)?.ct_eq(&given).into();
            equal.then_some(number)
        })
    }

    fn mac(&self, purpose: &[u8], content: &[u8]) -> [u8; 32] {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else { return [0; 32] };
        // Every part has a fixed length but the last, so no two inputs run together.
        for part in [purpose, &[0], &self.workspace, &self.channel, content] {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Base32 (RFC 4648) in lower case without padding: survives every mail system's folding.
fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 8 / 5 + 1);
    let (mut bits, mut count) = (0_u32, 0_u32);
    let mut put = |value: u32| out.push(char::from(ALPHABET.get((value & 31) as usize).copied().unwrap_or(b'a')));
    for byte in bytes {
        bits = (bits << 8) | u32::from(*byte);
        count += 8;
        while count >= 5 {
            count -= 5;
            put(bits >> count);
        }
        bits &= (1 << count) - 1;
    }
    if count > 0 {
        put(bits << (5 - count));
    }
    out
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() * 5 / 8);
    let (mut bits, mut count) = (0_u32, 0_u32);
    for byte in text.bytes() {
        let value = match byte.to_ascii_lowercase() {
            letter @ b'a'..=b'z' => letter - b'a',
            digit @ b'2'..=b'7' => digit - b'2' + 26,
            _ => return None,
        };
        bits = (bits << 5) | u32::from(value);
        count += 5;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    // Left-over bits must be zero: one token, one spelling.
    (bits == 0).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASE: [u8; 16] = *b"0123456789abcdef";

    fn signer(key: u8, workspace: u8, channel: u8) -> Signer {
        Signer::new([key; 32], [workspace; 16], [channel; 16])
    }

    #[test]
    fn genuine_tokens_verify() {
        let ours = signer(1, 2, 3);
        let token = ours.reply_token(CASE);
        assert_eq!(token.len(), TOKEN_CHARS);
        assert_eq!(ours.verify_reply(&token), Some(CASE));
        assert_eq!(ours.verify_reply(&token.to_uppercase()), Some(CASE));
        let id = ours.message_id([9; 16], CASE, "our.cn");
        assert_eq!(ours.verify_message_id(&id), Some(CASE));
        let address = ours.reply_address("support@our.cn", CASE).unwrap();
        assert_eq!(crate::address::split_plus(&address), ("support@our.cn".into(), Some(token.as_str())));
        assert!(crate::address::normalise(&address).is_some());
        assert_eq!(ours.reply_address("a-very-long-mailbox@our.cn", CASE), None);
        let subject = ours.subject_token(12_345);
        assert_eq!(ours.verify_subject(&format!("Re: [#1-x] x {subject} y")), Some(12_345));
        assert_eq!(ours.verify_subject(&subject.to_uppercase()), Some(12_345));
    }

    #[test]
    fn every_other_token_fails() {
        let ours = signer(1, 2, 3);
        let token = ours.reply_token(CASE);
        for foreign in [signer(9, 2, 3), signer(1, 9, 3), signer(1, 2, 9)] {
            assert_eq!(ours.verify_reply(&foreign.reply_token(CASE)), None);
            assert_eq!(ours.verify_message_id(&foreign.message_id([9; 16], CASE, "our.cn")), None);
            assert_eq!(ours.verify_subject(&foreign.subject_token(12_345)), None);
        }
        for at in 0..token.len() {
            assert_eq!(ours.verify_reply(&token[..at]), None, "cut at {at}");
            let flipped = if token.as_bytes()[at] == b'a' { "b" } else { "a" };
            assert_eq!(
                ours.verify_reply(&format!("{}{flipped}{}", &token[..at], &token[at + 1..])),
                None,
                "changed at {at}"
            );
        }
        for bad in ["", "a", &"a".repeat(TOKEN_CHARS), &format!("{token}a"), &token.replace('a', "1"), "4f1d2c3b"] {
            assert_eq!(ours.verify_reply(bad), None, "{bad}");
        }
        let subject = ours.subject_token(7);
        for bad in [
            "[#7]",
            "[#7-]",
            "[#7-aaaaaaaa]",
            "#7",
            &subject.replace("#7", "#8"),
            &subject[..subject.len() - 2],
            "[#-7-x]",
        ] {
            assert_eq!(ours.verify_subject(bad), None, "{bad}");
        }
    }

    #[test]
    fn base32_has_one_spelling() {
        for length in 0..40_u8 {
            let bytes: Vec<u8> = (0..length).map(|n| n.wrapping_mul(37)).collect();
            assert_eq!(decode(&encode(&bytes)).unwrap(), bytes);
        }
        assert_eq!(encode(b"foobar"), "mzxw6ytboi");
        assert_eq!(decode("mzxw6ytboj"), None);
    }
}
