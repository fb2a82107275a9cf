//! Answers pushed to the program, signed after Standard Webhooks (standardwebhooks.com, version 1): the receiver
//! checks `webhook-signature` over id, time and body, and recognises a repetition by `webhook-id`.

use crate::outbox;
use crate::protocol::permanent;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use channel::{ChannelConfig, Outbound, SendError, Sent};
use domain::{Code, Timestamp};
use hmac::{Hmac, Mac};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::json;
use sha2::Sha256;
use spine::Secret;
use web::outbound::{Call, Outbound as Client, OutboundError};

pub(crate) async fn send(
    client: &Client,
    now: Timestamp,
    (config, url): (&ChannelConfig, &str),
    message: &Outbound,
) -> Result<Sent, SendError> {
    let secret = config.secret("outbound_secret").ok_or_else(|| permanent(Code::Required, "no signing secret"))?;
    let content = outbox::Item::of(config, message);
    let body = json!({ "type": "message.created", "timestamp": now, "data": content }).to_string();
    let mut call = Call::post_json(url, body.clone());
    sign(&mut call.headers, secret, &message.message.to_string(), now, &body)
        .ok_or_else(|| permanent(Code::Invalid, "the signing secret can't be used"))?;
    match client.send(call).await {
        Ok(answer) => judged(answer.status),
        Err(error @ (OutboundError::InvalidUrl | OutboundError::Address(_))) => {
            Err(permanent(Code::AddressNotAllowed, error))
        }
        Err(error) => Err(retry(error)),
    }
}

fn retry(detail: impl core::fmt::Display) -> SendError {
    SendError::Retry { code: Code::ConnectionFailed.as_str().to_owned(), detail: detail.to_string() }
}

/// A refusal that will be the same next time is final; the rest is tried again.
fn judged(status: StatusCode) -> Result<Sent, SendError> {
    let passing = matches!(status.as_u16(), 408 | 409 | 425 | 429) || status.is_server_error();
    match status {
        status if status.is_success() => Ok(Sent::default()),
        status if passing => Err(retry(status)),
        status => Err(permanent(Code::DeliveryRejected, status)),
    }
}

/// `v1,` and the HMAC-SHA256 of `id.seconds.body`. A secret written `whsec_...` is base64, as the standard has it.
fn sign(headers: &mut HeaderMap, secret: &Secret, id: &str, now: Timestamp, body: &str) -> Option<()> {
    let key = match secret.expose().strip_prefix("whsec_") {
        Some(text) => STANDARD.decode(text).ok()?,
        None => secret.expose().as_bytes().to_vec(),
    };
    let seconds = (now.as_micros() / 1_000_000).to_string();
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(&key).ok()?;
    mac.update(format!("{id}.{seconds}.{body}").as_bytes());
    let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    headers.insert("webhook-id", HeaderValue::from_str(id).ok()?);
    headers.insert("webhook-timestamp", HeaderValue::from_str(&seconds).ok()?);
    headers.insert("webhook-signature", HeaderValue::from_str(&signature).ok()?);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the standard's own test suite.
    #[test]
    fn signatures_are_those_of_the_standard() {
        let mut headers = HeaderMap::new();
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let now = Timestamp::from_micros(1_614_265_330_000_000);
        sign(&mut headers, &secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", now, r#"{"test": 2432232314}"#).unwrap();
        assert_eq!(headers["webhook-signature"], "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(headers["webhook-timestamp"], "1614265330");
    }

    #[test]
    fn answers_are_judged() {
        for (status, final_) in
            [(400, true), (401, true), (404, true), (410, true), (302, true), (429, false), (500, false), (503, false)]
        {
            let got = judged(StatusCode::from_u16(status).unwrap());
            assert_eq!(matches!(got, Err(SendError::Permanent { .. })), final_, "{status}");
        }
        assert!(judged(StatusCode::NO_CONTENT).is_ok());
    }
}
