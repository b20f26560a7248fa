//! Splunk's HTTP Event Collector. Only HTTP 200 with code 0 says that events were taken.

use axum::http::{HeaderMap, HeaderValue, header};
use serde::{Deserialize, Serialize};
use umbilical_store::OutEvent;

use super::net::{Address, Answer, check, post};
use super::{How, Out, Sent, words};
use crate::Problem;

/// Events of one request.
pub const TOGETHER: u32 = 200;
/// Where collectors listen, for an address that names a host alone.
const PATH: &str = "/services/collector/event";

/// Where to.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// `https://splunk.example:8088`.
    pub url: String,
    /// The index, where it is another than the token's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<String>,
    /// Authorities that alone are trusted, PEM.
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

/// Sends events in one request.
pub async fn send(settings: &Settings, token: Option<&str>, out: &Out<'_>, events: &[OutEvent]) -> Sent {
    match attempt(settings, token, out, events).await {
        Ok(answer) => judged(&answer),
        Err(why) => Sent::later(why),
    }
}

async fn attempt(settings: &Settings, token: Option<&str>, out: &Out<'_>, events: &[OutEvent]) -> Result<Answer, String> {
    let mut to = Address::read(&settings.url).map_err(|p| p.detail)?;
    if to.path == "/" {
        to.path = PATH.to_owned();
    }
    let mut body = Vec::new();
    for event in events {
        let mut object = words::hec(event, out.public);
        if let (Some(index), Some(members)) = (&settings.index, object.as_object_mut()) {
            members.insert("index".into(), index.as_str().into());
        }
        serde_json::to_writer(&mut body, &object).map_err(|e| e.to_string())?;
        body.push(b'\n');
    }
    let mut headers = HeaderMap::new();
    let mut key =
        HeaderValue::try_from(format!("Splunk {}", token.unwrap_or_default())).map_err(|_| "the token cannot be sent".to_owned())?;
    key.set_sensitive(true);
    headers.insert(header::AUTHORIZATION, key);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static(super::AGENT));
    post(out.guard, &to, settings.ca.as_deref(), headers, body, out.now).await
}

/// Codes that blame what an event holds, not the token, the index or the server: no data (5), data format (6), no `event` (12), an
/// empty one (13), indexed fields (15).
const CONTENT: [i64; 5] = [5, 6, 12, 13, 15];

fn judged(answer: &Answer) -> Sent {
    let body = serde_json::from_slice::<serde_json::Value>(&answer.body).ok();
    let code = body.as_ref().and_then(|v| v.get("code")).and_then(serde_json::Value::as_i64);
    // What is no answer of a collector (a proxy's page) is shown as it is.
    let words = match (body.as_ref().and_then(|v| v.get("text")).and_then(serde_json::Value::as_str), code) {
        (Some(text), Some(code)) => format!("{} (code {code})", words::short(text)),
        (None, Some(code)) => format!("code {code}"),
        _ => answer.said.clone(),
    };
    let said = format!("HTTP {}{}{words}", answer.status, if words.is_empty() { "" } else { ": " });
    let how = match (answer.status, code) {
        (200, Some(0)) => How::Taken,
        (413, _) => How::Refused,
        (400, Some(code)) if CONTENT.contains(&code) => How::Refused,
        _ => How::Later(answer.after),
    };
    Sent { how, said }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_0_is_taken() {
        let how = |status, body: &str| judged(&Answer { status, said: String::new(), body: body.into(), after: None }).how;
        assert_eq!(how(200, r#"{"text":"Success","code":0}"#), How::Taken);
        for (status, body) in
            [(200, ""), (200, "<html>"), (200, r#"{"code":9}"#), (403, r#"{"code":4}"#), (400, r#"{"code":7}"#), (503, r#"{"code":9}"#)]
        {
            assert_eq!(how(status, body), How::Later(None), "{status} {body}");
        }
        assert_eq!((how(400, r#"{"code":6}"#), how(413, "")), (How::Refused, How::Refused));
    }

    #[test]
    fn a_refusal_is_said_with_its_code_and_its_words() {
        let said = |status, body: &str| judged(&Answer { status, said: super::words::short(body), body: body.into(), after: None }).said;
        assert_eq!(said(403, r#"{"text":"Invalid token","code":4}"#), "HTTP 403: Invalid token (code 4)");
        assert_eq!(said(400, r#"{"text":"Incorrect index","code":7,"invalid-event-number":1}"#), "HTTP 400: Incorrect index (code 7)");
        assert_eq!((said(503, ""), said(502, "<html>bad gateway")), ("HTTP 503".to_owned(), "HTTP 502: <html>bad gateway".to_owned()));
        assert_eq!(said(400, r#"{"code":5}"#), "HTTP 400: code 5");
    }
}
