//! Subjects: what is said, without `Re:`, `Fwd:` and our token.

use crate::limits;

const PREFIXES: [&str; 26] = [
    "re",
    "回复",
    "回覆",
    "答复",
    "答覆",
    "回信",
    "fwd",
    "fw",
    "转发",
    "轉寄",
    "轉發",
    "aw",
    "wg",
    "sv",
    "vs",
    "antw",
    "res",
    "enc",
    "rv",
    "tr",
    "rif",
    "odp",
    "返信",
    "转",
    "回",
    "automatic reply",
];

/// The subject without reply prefixes and tokens of ours, for showing and comparing.
pub fn bare(subject: &str) -> String {
    let mut rest = subject.trim();
    // Each round shortens the rest, so this ends; eight rounds cover every real chain.
    for _ in 0..64 {
        let Some((head, tail)) = rest.split_once([':', '：']) else { break };
        let head = head.trim().to_lowercase();
        // Numbered forms: "Re[2]:", "Re(3):".
        let word = head.split(['[', '(']).next().unwrap_or_default().trim();
        if !PREFIXES.contains(&word) {
            break;
        }
        rest = tail.trim_start();
    }
    let mut out = String::with_capacity(rest.len());
    while let Some((before, tail)) = rest.split_once("[#") {
        let token = tail.split_once(']').filter(|(inner, _)| is_token(inner));
        match token {
            Some((_, after)) => {
                out.push_str(before);
                rest = after;
            }
            None => {
                out.push_str(before);
                out.push_str("[#");
                rest = tail;
            }
        }
    }
    out.push_str(rest);
    let words: Vec<&str> = out.split_whitespace().collect();
    words.join(" ")
}

fn is_token(inner: &str) -> bool {
    let Some((number, mac)) = inner.split_once('-') else { return false };
    !number.is_empty()
        && number.len() <= 19
        && number.bytes().all(|b| b.is_ascii_digit())
        && mac.len() == 8
        && mac.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Subject of our answer: `Re: <bare> <token>`.
pub fn answer(subject: &str, token: &str) -> String {
    let bare = bare(subject);
    let room = 200;
    let bare = limits::first_chars(&bare, room);
    if bare.is_empty() { format!("Re: {token}") } else { format!("Re: {bare} {token}") }
}

/// Subject of the first mail of a conversation: no `Re:`.
pub fn first(subject: &str, token: &str) -> String {
    let bare = bare(subject);
    let bare = limits::first_chars(&bare, 200);
    if bare.is_empty() { token.to_owned() } else { format!("{bare} {token}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table() {
        for (subject, expect) in [
            ("Order", "Order"),
            ("Re: Order", "Order"),
            ("RE: re : Fwd: Order", "Order"),
            ("回复：答复: 订单", "订单"),
            ("Re[2]: Order", "Order"),
            ("转发: Re: 订单 [#12-abcdefgh]", "订单"),
            ("Order: where?", "Order: where?"),
            ("Re: [#12-abcdefgh] a  [#x] b", "a [#x] b"),
            ("Re:", ""),
            ("", ""),
        ] {
            assert_eq!(bare(subject), expect, "{subject}");
        }
        assert_eq!(answer("回复: 订单 [#12-abcdefgh]", "[#12-abcdefgh]"), "Re: 订单 [#12-abcdefgh]");
        assert_eq!(first("订单", "[#12-abcdefgh]"), "订单 [#12-abcdefgh]");
        assert!(bare(&"Re: ".repeat(10_000)).len() <= 40_000);
    }
}
