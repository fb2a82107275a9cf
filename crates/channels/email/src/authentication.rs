//! How far the From address can be trusted (SECURITY rows 4 and 5).
//!
//! This crate verifies no signature itself. It believes the receiving server's
//! `Authentication-Results` (RFC 8601), and only when the channel names that server:
//! anyone can write such a header into a mail.

use crate::headers::Headers;

/// What is known about the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// DMARC passed, or an aligned DKIM or SPF pass.
    Verified,
    /// The trusted server says DMARC failed.
    Failed,
    /// Nobody we trust checked it.
    Claimed,
}

/// Judges the From domain by the topmost header, if that was written by `trusted`.
///
/// Only the topmost is looked at: the trusted server adds its header on top, so one
/// further down with its name was in the mail before.
pub fn verdict(headers: &Headers, trusted: Option<&str>, from_domain: &str) -> Verdict {
    let Some(trusted) = trusted.map(str::trim).filter(|id| !id.is_empty()) else { return Verdict::Claimed };
    let Some(value) = headers.get("authentication-results") else { return Verdict::Claimed };
    let value = without_comments(value);
    let mut parts = value.split(';');
    let server = parts.next().unwrap_or_default().split_whitespace().next().unwrap_or_default();
    if !server.eq_ignore_ascii_case(trusted) {
        return Verdict::Claimed;
    }
    let results: Vec<Outcome<'_>> = parts.filter_map(Outcome::parse).collect();
    if let Some(dmarc) = results.iter().find(|result| result.method == "dmarc") {
        return match dmarc.result {
            "pass" if dmarc.property("header.from").is_none_or(|domain| aligned(domain, from_domain)) => {
                Verdict::Verified
            }
            "pass" | "none" | "temperror" => Verdict::Claimed,
            _ => Verdict::Failed,
        };
    }
    let passes = results.iter().any(|result| {
        let domain = match result.method {
            "dkim" => result.property("header.d").or_else(|| result.property("header.i")),
            "spf" => result.property("smtp.mailfrom"),
            _ => None,
        };
        result.result == "pass" && domain.is_some_and(|domain| aligned(domain, from_domain))
    });
    if passes { Verdict::Verified } else { Verdict::Claimed }
}

struct Outcome<'a> {
    method: &'a str,
    result: &'a str,
    properties: Vec<(&'a str, &'a str)>,
}

impl<'a> Outcome<'a> {
    fn parse(part: &'a str) -> Option<Self> {
        let mut pairs = part.split_whitespace().filter_map(|word| word.split_once('='));
        let (method, result) = pairs.next()?;
        Some(Self { method, result, properties: pairs.map(|(name, value)| (name, value.trim_matches('"'))).collect() })
    }

    fn property(&self, name: &str) -> Option<&'a str> {
        self.properties.iter().find(|(property, _)| *property == name).map(|(_, value)| *value)
    }
}

fn without_comments(value: &str) -> String {
    let mut depth = 0_u32;
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => out.extend(c.to_lowercase()),
            _ => {}
        }
    }
    out
}

/// Strict alignment: the same domain. (Relaxed alignment needs the public suffix list.)
fn aligned(authenticated: &str, from_domain: &str) -> bool {
    let domain = authenticated.rsplit_once('@').map_or(authenticated, |(_, domain)| domain);
    !from_domain.is_empty() && domain.eq_ignore_ascii_case(from_domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table() {
        for (header, trusted, expect) in [
            ("mx.our.cn; dmarc=pass header.from=shop.cn", Some("mx.our.cn"), Verdict::Verified),
            ("mx.our.cn 1; dmarc=pass (p=none) header.from=shop.cn", Some("MX.our.cn"), Verdict::Verified),
            (
                "mx.our.cn; dmarc=fail header.from=shop.cn; dkim=pass header.d=shop.cn",
                Some("mx.our.cn"),
                Verdict::Failed,
            ),
            ("mx.our.cn; dkim=pass header.d=shop.cn", Some("mx.our.cn"), Verdict::Verified),
            ("mx.our.cn; dkim=pass header.i=@shop.cn", Some("mx.our.cn"), Verdict::Verified),
            ("mx.our.cn; dkim=pass header.d=evil.cn", Some("mx.our.cn"), Verdict::Claimed),
            ("mx.our.cn; spf=pass smtp.mailfrom=li@shop.cn", Some("mx.our.cn"), Verdict::Verified),
            ("mx.our.cn; spf=softfail smtp.mailfrom=li@shop.cn", Some("mx.our.cn"), Verdict::Claimed),
            ("mx.our.cn; dmarc=pass header.from=evil.cn", Some("mx.our.cn"), Verdict::Claimed),
            ("mx.evil.cn; dmarc=pass header.from=shop.cn", Some("mx.our.cn"), Verdict::Claimed),
            ("mx.our.cn; dmarc=pass header.from=shop.cn", None, Verdict::Claimed),
            ("mx.our.cn; dmarc=pass header.from=shop.cn", Some(""), Verdict::Claimed),
            ("(mx.our.cn; dmarc=pass) mx.evil.cn; none", Some("mx.our.cn"), Verdict::Claimed),
        ] {
            let headers = Headers::read(format!("Authentication-Results: {header}\r\nFrom: a@shop.cn").as_bytes());
            assert_eq!(verdict(&headers, trusted, "shop.cn"), expect, "{header}");
        }
        let forged_below = "Authentication-Results: relay.other.cn; none\r\nAuthentication-Results: mx.our.cn; dmarc=pass header.from=shop.cn";
        assert_eq!(verdict(&Headers::read(forged_below.as_bytes()), Some("mx.our.cn"), "shop.cn"), Verdict::Claimed);
    }
}
