//! JSON by HTTP, signed as Standard Webhooks says (www.standardwebhooks.com, version 1.0.0): `webhook-id`, `webhook-timestamp`, and
//! `webhook-signature` over `id.timestamp.body` with HMAC-SHA256.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use base64ct::{Base64, Encoding as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::Sha256;
use umbilical_store::OutEvent;

use super::net::{Address, Answer, check, post};
use super::{How, Out, Sent, words};
use crate::{Problem, secret};

/// How secrets begin.
const SECRET: &str = "whsec_";
/// Events of one request.
pub const TOGETHER: u32 = 100;

/// Where to.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// `https://…` or `http://…`.
    pub url: String,
    /// Authorities that alone are trusted, PEM; those of the system where none are given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
}

impl Settings {
    /// Refuses what leads nowhere.
    pub fn check(&self) -> Result<(), Problem> {
        Address::read(&self.url)?;
        check(self.ca.as_deref())
    }
}

/// A new secret.
pub fn new_secret() -> Result<String, Problem> {
    Ok(format!("{SECRET}{}", Base64::encode_string(&secret::bytes::<32>()?)))
}

/// The signature of a message.
pub fn signature(secret: &str, id: &str, timestamp: i64, body: &[u8]) -> Result<String, String> {
    let unusable = || "the secret of the sink cannot be used: make a new one".to_owned();
    let key = secret.strip_prefix(SECRET).and_then(|k| Base64::decode_vec(k).ok()).ok_or_else(unusable)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| unusable())?;
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    Ok(format!("v1,{}", Base64::encode_string(&mac.finalize().into_bytes())))
}

/// Sends events in one request.
pub async fn send(settings: &Settings, secret: Option<&str>, out: &Out<'_>, events: &[OutEvent]) -> Sent {
    match attempt(settings, secret, out, events).await {
        Ok(answer) => judged(&answer),
        Err(why) => Sent::later(why),
    }
}

async fn attempt(settings: &Settings, secret: Option<&str>, out: &Out<'_>, events: &[OutEvent]) -> Result<Answer, String> {
    let to = Address::read(&settings.url).map_err(|p| p.detail)?;
    let list: Vec<_> = events.iter().map(|e| words::object(e, out.public)).collect();
    let body = serde_json::to_vec(&json!({"events": list})).map_err(|e| e.to_string())?;
    let id = super::message_id(events);
    let timestamp = out.now.0.div_euclid(1000);
    let signature = signature(secret.unwrap_or_default(), &id, timestamp, &body)?;
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static(super::AGENT));
    for (name, value) in [("webhook-id", id), ("webhook-timestamp", timestamp.to_string()), ("webhook-signature", signature)] {
        headers.insert(HeaderName::from_static(name), HeaderValue::try_from(value).map_err(|e| e.to_string())?);
    }
    post(out.guard, &to, settings.ca.as_deref(), headers, body, out.now).await
}

/// What an answer means. A redirection is the sink's mistake: it is not followed.
pub fn judged(answer: &Answer) -> Sent {
    let said = format!("HTTP {}{}{}", answer.status, if answer.said.is_empty() { "" } else { ": " }, answer.said);
    let how = match answer.status {
        200..=299 => How::Taken,
        400 | 413 | 422 => How::Refused,
        _ => How::Later(answer.after),
    };
    Sent { how, said }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_specification() {
        // HMAC-SHA256 by `openssl dgst -sha256 -mac hmac` over the same bytes, the example of the specification's repository.
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let signed = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#).unwrap();
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert!(signature("whsec_?", "a", 1, b"").is_err() && signature("MfKQ", "a", 1, b"").is_err());
    }

    #[test]
    fn answers_are_sorted_by_whose_mistake_they_are() {
        let how = |status| judged(&Answer { status, said: String::new(), body: Vec::new(), after: Some(5) }).how;
        for (status, expected) in [
            (200, How::Taken),
            (204, How::Taken),
            (301, How::Later(Some(5))),
            (400, How::Refused),
            (401, How::Later(Some(5))),
            (403, How::Later(Some(5))),
            (404, How::Later(Some(5))),
            (413, How::Refused),
            (422, How::Refused),
            (429, How::Later(Some(5))),
            (500, How::Later(Some(5))),
        ] {
            assert_eq!(how(status), expected, "{status}");
        }
    }
}
