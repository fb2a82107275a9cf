//! Signed identity: the site tells who its visitor is by a JWT (RFC 7519) signed with the channel's secret.
//! The checks are those of RFC 8725: one algorithm, a purpose (`aud`), a short life, and nothing believed before the
//! signature is right.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{Code, Rejection, Span, Timestamp};
use hmac::{Hmac, Mac};
use serde::Deserialize;
use sha2::Sha256;
use spine::Secret;

/// A longer statement is refused unread.
const TOKEN_BYTES: usize = 4_096;
/// How far ahead `exp` may lie.
const LIFE: Span = Span::hours(24);
/// Clocks of two machines may differ this much.
const LEEWAY: Span = Span::seconds(60);
const SUBJECT_CHARS: usize = 200;
const NONCE_CHARS: usize = 200;

/// What the site says, believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    pub subject: String,
    pub name: Option<String>,
    pub email: Option<String>,
    /// The site vouches for the address; otherwise it is as good as typed by the visitor.
    pub email_verified: bool,
    pub nonce: Option<String>,
    pub expires_at: Timestamp,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    typ: Option<String>,
    /// Extensions we would have to understand: we understand none.
    #[serde(default)]
    crit: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Body {
    sub: Option<String>,
    aud: Option<Audience>,
    exp: Option<f64>,
    nbf: Option<f64>,
    name: Option<String>,
    email: Option<String>,
    #[serde(default)]
    email_verified: bool,
    nonce: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

fn refused(reason: &'static str) -> Rejection {
    Rejection::new(Code::InvalidIdentity).with("reason", reason).on("identity")
}

/// Checks a statement. `audience` is the channel's public key.
///
/// # Errors
/// `invalid_identity` with a `reason` for the site's developers.
pub fn verify(token: &str, secret: Option<&Secret>, audience: &str, now: Timestamp) -> Result<Claims, Rejection> {
    let secret =
        secret.filter(|s| s.expose().len() >= crate::settings::SECRET_BYTES).ok_or_else(|| refused("no_secret"))?;
    if token.len() > TOKEN_BYTES {
        return Err(refused("malformed"));
    }
    let mut parts = token.split('.');
    let (Some(header), Some(body), Some(signature), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(refused("malformed"));
    };
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| refused("malformed"));
    let head: Header = serde_json::from_slice(&decode(header)?).map_err(|_| refused("malformed"))?;
    let is_jwt = head.typ.is_none_or(|typ| typ.eq_ignore_ascii_case("JWT"));
    if head.alg != "HS256" || head.crit.is_some() || !is_jwt {
        return Err(refused("algorithm"));
    }
    let mut mac =
        <Hmac<Sha256> as Mac>::new_from_slice(secret.expose().as_bytes()).map_err(|_| refused("no_secret"))?;
    mac.update(header.as_bytes());
    mac.update(b".");
    mac.update(body.as_bytes());
    // Constant time.
    mac.verify_slice(&decode(signature)?).map_err(|_| refused("signature"))?;
    let body: Body = serde_json::from_slice(&decode(body)?).map_err(|_| refused("malformed"))?;
    believed(body, audience, now)
}

fn believed(body: Body, audience: &str, now: Timestamp) -> Result<Claims, Rejection> {
    let meant = match &body.aud {
        Some(Audience::One(aud)) => aud == audience,
        Some(Audience::Many(list)) => list.iter().any(|aud| aud == audience),
        None => false,
    };
    if !meant || audience.is_empty() {
        return Err(refused("audience"));
    }
    let expires_at = body.exp.and_then(seconds).ok_or_else(|| refused("expiry"))?;
    if expires_at <= now {
        return Err(refused("expired"));
    }
    if expires_at > now + LIFE + LEEWAY {
        return Err(refused("expiry"));
    }
    if let Some(from) = body.nbf
        && seconds(from).is_none_or(|from| from > now + LEEWAY)
    {
        return Err(refused("too_early"));
    }
    let subject = body.sub.filter(|sub| is_id(sub, SUBJECT_CHARS)).ok_or_else(|| refused("subject"))?;
    if body.nonce.as_deref().is_some_and(|nonce| !is_id(nonce, NONCE_CHARS)) {
        return Err(refused("nonce"));
    }
    let name = body.name.map(|name| channel::text::line(&name, domain::limits::NAME_CHARS)).filter(|n| !n.is_empty());
    let email = body.email.map(|email| email.trim().to_lowercase()).filter(|e| domain::customer::looks_like_mail(e));
    Ok(Claims { subject, name, email, email_verified: body.email_verified, nonce: body.nonce, expires_at })
}

/// There, not too long, and the same after trimming: two spellings of one id must not be two people or one.
fn is_id(text: &str, max: usize) -> bool {
    !text.is_empty() && text.trim() == text && text.chars().count() <= max && !text.chars().any(char::is_control)
}

fn seconds(date: f64) -> Option<Timestamp> {
    const YEAR_9999: f64 = 253_402_300_799.0;
    if !(0.0..=YEAR_9999).contains(&date) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "within the range checked above")]
    let micros = (date * 1e6) as i64;
    Some(Timestamp::from_micros(micros))
}

#[cfg(test)]
pub(crate) mod signing {
    use super::*;
    use serde_json::Value;

    /// Signs as a site would.
    pub fn sign(header: &Value, body: &Value, secret: &str) -> String {
        let text =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(body.to_string()));
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(text.as_bytes());
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::signing::sign;
    use super::*;
    use serde_json::{Value, json};

    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    const KEY: &str = "shop";
    const NOW: i64 = 1_800_000_000;

    fn hs256() -> Value {
        json!({ "alg": "HS256", "typ": "JWT" })
    }

    fn body(change: Value) -> Value {
        let mut body = json!({ "sub": "u1", "aud": KEY, "exp": NOW + 600 });
        for (name, value) in change.as_object().unwrap() {
            if value.is_null() {
                body.as_object_mut().unwrap().remove(name);
            } else {
                body[name] = value.clone();
            }
        }
        body
    }

    fn outcome(token: &str) -> String {
        let now = Timestamp::from_micros(NOW * 1_000_000);
        match verify(token, Some(&Secret::new(SECRET)), KEY, now) {
            Ok(claims) => claims.subject,
            Err(rejection) => format!("!{}", rejection.params["reason"].as_str().unwrap()),
        }
    }

    #[test]
    fn only_what_the_site_signed_for_this_channel_now_is_believed() {
        let good = sign(&hs256(), &body(json!({})), SECRET);
        assert_eq!(outcome(&good), "u1");
        let (head, rest) = good.split_once('.').unwrap();
        let (claims, signature) = rest.split_once('.').unwrap();
        let none = URL_SAFE_NO_PAD.encode(json!({ "alg": "none" }).to_string());
        let other = URL_SAFE_NO_PAD.encode(body(json!({ "sub": "boss" })).to_string());
        let table: Vec<(String, &str)> = vec![
            // forged
            (sign(&hs256(), &body(json!({})), "another-secret-another-secret-32"), "!signature"),
            (format!("{head}.{other}.{signature}"), "!signature"),
            (format!("{head}.{claims}."), "!signature"),
            (format!("{head}.{claims}.AAAA"), "!signature"),
            (format!("{head}.{claims}.{}", &signature[..signature.len() - 2]), "!malformed"),
            // algorithm
            (format!("{none}.{claims}."), "!algorithm"),
            (format!("{none}.{claims}.{signature}"), "!algorithm"),
            (sign(&json!({ "alg": "none" }), &body(json!({})), SECRET), "!algorithm"),
            (sign(&json!({ "alg": "hs256" }), &body(json!({})), SECRET), "!algorithm"),
            (sign(&json!({ "alg": "HS512" }), &body(json!({})), SECRET), "!algorithm"),
            (sign(&json!({ "alg": "RS256" }), &body(json!({})), SECRET), "!algorithm"),
            (sign(&json!({ "alg": "HS256", "crit": ["exp"] }), &body(json!({})), SECRET), "!algorithm"),
            (sign(&json!({ "alg": "HS256", "typ": "at+jwt" }), &body(json!({})), SECRET), "!algorithm"),
            (sign(&json!({ "typ": "JWT" }), &body(json!({})), SECRET), "!malformed"),
            // time
            (sign(&hs256(), &body(json!({ "exp": NOW })), SECRET), "!expired"),
            (sign(&hs256(), &body(json!({ "exp": NOW - 1 })), SECRET), "!expired"),
            (sign(&hs256(), &body(json!({ "exp": null })), SECRET), "!expiry"),
            (sign(&hs256(), &body(json!({ "exp": NOW + 24 * 3_600 + 61 })), SECRET), "!expiry"),
            (sign(&hs256(), &body(json!({ "exp": 1e300 })), SECRET), "!expiry"),
            (sign(&hs256(), &body(json!({ "exp": "soon" })), SECRET), "!malformed"),
            (sign(&hs256(), &body(json!({ "nbf": NOW + 120 })), SECRET), "!too_early"),
            (sign(&hs256(), &body(json!({ "exp": NOW + 24 * 3_600 })), SECRET), "u1"),
            (sign(&hs256(), &body(json!({ "exp": (NOW + 5) as f64 + 0.5 })), SECRET), "u1"),
            // another channel's
            (sign(&hs256(), &body(json!({ "aud": "other" })), SECRET), "!audience"),
            (sign(&hs256(), &body(json!({ "aud": null })), SECRET), "!audience"),
            (sign(&hs256(), &body(json!({ "aud": [] })), SECRET), "!audience"),
            (sign(&hs256(), &body(json!({ "aud": "" })), SECRET), "!audience"),
            (sign(&hs256(), &body(json!({ "aud": ["other", KEY] })), SECRET), "u1"),
            // nobody
            (sign(&hs256(), &body(json!({ "sub": null })), SECRET), "!subject"),
            (sign(&hs256(), &body(json!({ "sub": "" })), SECRET), "!subject"),
            (sign(&hs256(), &body(json!({ "sub": " u1" })), SECRET), "!subject"),
            (sign(&hs256(), &body(json!({ "sub": "u\u{0}1" })), SECRET), "!subject"),
            (sign(&hs256(), &body(json!({ "sub": "u".repeat(201) })), SECRET), "!subject"),
            (sign(&hs256(), &body(json!({ "sub": 7 })), SECRET), "!malformed"),
            (sign(&hs256(), &body(json!({ "nonce": "" })), SECRET), "!nonce"),
            // nonsense
            (String::new(), "!malformed"),
            ("..".to_owned(), "!malformed"),
            ("a.b".to_owned(), "!malformed"),
            (format!("{good}.x"), "!malformed"),
            (format!("{good}="), "!malformed"),
            (format!(" {good}"), "!malformed"),
            ("x".repeat(TOKEN_BYTES + 1), "!malformed"),
        ];
        for (token, expected) in table {
            assert_eq!(outcome(&token), expected, "{token}");
        }
    }

    #[test]
    fn a_claim_given_twice_is_no_statement() {
        let twice = format!(r#"{{"sub":"u1","sub":"boss","aud":"{KEY}","exp":{}}}"#, NOW + 600);
        let text = format!("{}.{}", URL_SAFE_NO_PAD.encode(hs256().to_string()), URL_SAFE_NO_PAD.encode(twice));
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(SECRET.as_bytes()).unwrap();
        mac.update(text.as_bytes());
        let token = format!("{text}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()));
        assert_eq!(outcome(&token), "!malformed");
    }

    #[test]
    fn without_a_secret_nobody_is_believed() {
        let now = Timestamp::from_micros(NOW * 1_000_000);
        for secret in ["", "short", &SECRET[1..]] {
            let token = sign(&hs256(), &body(json!({})), secret);
            assert!(verify(&token, Some(&Secret::new(secret)), KEY, now).is_err(), "{secret:?}");
        }
        assert!(verify(&sign(&hs256(), &body(json!({})), ""), None, KEY, now).is_err());
    }

    #[test]
    fn an_address_is_believed_only_as_far_as_the_site_vouches() {
        let now = Timestamp::from_micros(NOW * 1_000_000);
        let claims = |change: Value| {
            verify(&sign(&hs256(), &body(change), SECRET), Some(&Secret::new(SECRET)), KEY, now).unwrap()
        };
        let plain = claims(json!({ "email": " Li@Example.com ", "name": " Li\u{0}\n Na " }));
        assert_eq!((plain.email.as_deref(), plain.email_verified), (Some("li@example.com"), false));
        assert_eq!(plain.name.as_deref(), Some("Li  Na"));
        assert!(claims(json!({ "email": "a@b.example", "email_verified": true })).email_verified);
        assert_eq!(claims(json!({ "email": "a@b.example\r\nBcc: x@y" })).email, None);
    }
}
