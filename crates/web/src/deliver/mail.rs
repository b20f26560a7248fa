//! A digest by SMTP: plain text, at most one in so many minutes. Names of devices and comments stand in the body alone, cleaned; no
//! header holds a word of them.

use std::time::{Duration, UNIX_EPOCH};

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use serde::{Deserialize, Serialize};
use umbilical_store::{Happened, OutEvent, Turn};

use super::net::{certificates, check};
use super::{How, Out, Sent, words};
use crate::Problem;

/// Events of one digest.
pub const TOGETHER: u32 = 1000;
/// Of them so many are written out; the rest are counted.
const WRITTEN: usize = 200;
/// How long a server may take for one step.
const PATIENCE: Duration = Duration::from_secs(20);
/// The whole of sending one.
const WHOLE: Duration = Duration::from_secs(90);

/// Where to.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The server that takes mail.
    pub host: String,
    /// Its port: 587 is the usual one for `starttls`, 465 for `tls`, 25 for `none`.
    pub port: u16,
    /// `starttls`, `tls`, `none`.
    #[serde(default = "starttls")]
    pub tls: String,
    /// Who signs in, where the server wants that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
    /// From whom.
    pub from: String,
    /// To whom, 1 to 20.
    pub to: Vec<String>,
    /// Minutes between two, 0 to 1440.
    #[serde(default = "quarter")]
    pub every_minutes: u32,
    /// Authorities that alone are trusted, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
}

fn starttls() -> String {
    "starttls".to_owned()
}

fn quarter() -> u32 {
    15
}

fn mailbox(field: &'static str, text: &str) -> Result<Mailbox, Problem> {
    let wrong = || Problem::at(field, format!("`{}` is no address of mail: ana@example.org", words::short(text)));
    if text.chars().any(char::is_control) { Err(wrong()) } else { text.trim().parse().map_err(|_| wrong()) }
}

impl Settings {
    /// Refuses what leads nowhere.
    pub fn check(&self) -> Result<(), Problem> {
        super::host(&self.host)?;
        if self.port == 0 {
            return Err(Problem::at("port", "a port is 1 to 65535"));
        }
        if !["starttls", "tls", "none"].contains(&self.tls.as_str()) {
            return Err(Problem::at("tls", "`tls` is `starttls`, `tls` or `none`"));
        }
        if self.login.is_some() && self.tls == "none" {
            return Err(Problem::at("tls", "a password is not sent unencrypted: choose `starttls` or `tls`, or no login"));
        }
        if self.to.is_empty() || self.to.len() > 20 {
            return Err(Problem::at("to", "a digest goes to 1 to 20 addresses"));
        }
        if self.every_minutes > 1440 {
            return Err(Problem::at("every_minutes", "a digest is sent at most once in 0 to 1440 minutes"));
        }
        mailbox("from", &self.from)?;
        self.to.iter().try_for_each(|a| mailbox("to", a).map(|_| ()))?;
        check(self.ca.as_deref())
    }
}

/// Sends events in one mail.
pub async fn send(settings: &Settings, password: Option<&str>, out: &Out<'_>, events: &[OutEvent]) -> Sent {
    match tokio::time::timeout(WHOLE, attempt(settings, password, out, events)).await {
        Ok(Ok(said)) => Sent { how: How::Taken, said },
        Ok(Err(sent)) => sent,
        Err(_) => Sent::later("the server of mail does not answer in time".to_owned()),
    }
}

async fn attempt(settings: &Settings, password: Option<&str>, out: &Out<'_>, events: &[OutEvent]) -> Result<String, Sent> {
    let later = |what: &dyn std::fmt::Display| Sent::later(what.to_string());
    let message = message(settings, out, events).map_err(|e| Sent::later(e.detail))?;
    let tls = match settings.tls.as_str() {
        "none" => Tls::None,
        how => {
            let mut parameters = TlsParameters::builder(settings.host.clone());
            if let Some(pem) = &settings.ca {
                parameters = parameters.certificate_store(CertificateStore::None);
                for certificate in certificates(pem).map_err(Sent::later)? {
                    let authority = Certificate::from_der(certificate.to_vec()).map_err(|e| later(&e))?;
                    parameters = parameters.add_root_certificate(authority);
                }
            }
            let parameters = parameters.build_rustls().map_err(|e| later(&e))?;
            if how == "tls" { Tls::Wrapper(parameters) } else { Tls::Required(parameters) }
        }
    };
    let mut last = Sent::later("the server of mail has no address".to_owned());
    for address in out.guard.addresses(&settings.host, settings.port).await.map_err(Sent::later)? {
        // The connection goes to the address that was looked at; the certificate is asked for the name.
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(address.ip().to_string())
            .port(settings.port)
            .tls(tls.clone())
            .timeout(Some(PATIENCE));
        if let Some(login) = &settings.login {
            transport = transport.credentials(Credentials::new(login.clone(), password.unwrap_or_default().to_owned()));
        }
        match transport.build::<Tokio1Executor>().send(message.clone()).await {
            Ok(answer) => {
                let words: Vec<&str> = answer.message().collect();
                return Ok(words::short(&format!("SMTP {} {}", answer.code(), words.join(" "))));
            }
            Err(error) => {
                // "Exceeded storage allocation" (RFC 5321 clause 4.2.3): half of it may fit.
                let too_large = error.status().is_some_and(|code| code.to_string() == "552");
                let how = if too_large { How::Refused } else { How::Later(None) };
                let answered = error.is_response() || error.is_transient() || error.is_permanent();
                last = Sent { how, said: words::short(&format!("{error}{}", causes(&error))) };
                if answered {
                    break;
                }
            }
        }
    }
    Err(last)
}

/// What caused an error, where it does not say so itself.
fn causes(error: &dyn std::error::Error) -> String {
    let (mut out, shown) = (String::new(), error.to_string());
    let mut next = error.source();
    while let Some(cause) = next {
        let words = cause.to_string();
        if !shown.contains(&words) {
            out.push_str(&format!(": {words}"));
        }
        next = cause.source();
    }
    out
}

/// The mail.
fn message(settings: &Settings, out: &Out<'_>, events: &[OutEvent]) -> Result<Message, Problem> {
    let id = format!("<{}@umbilical.invalid>", super::message_id(events));
    let at = UNIX_EPOCH.checked_add(Duration::from_millis(u64::try_from(out.now.0).unwrap_or(0))).unwrap_or(UNIX_EPOCH);
    let mut builder = Message::builder()
        .from(mailbox("from", &settings.from)?)
        .subject(subject(events))
        .date(at)
        .message_id(Some(id))
        .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()))
        .header(ContentType::TEXT_PLAIN);
    for to in &settings.to {
        builder = builder.to(mailbox("to", to)?);
    }
    builder.body(body(out, events)).map_err(Problem::internal)
}

/// `Umbilical: 3 new, 1 gone`: numbers and words of ours.
fn subject(events: &[OutEvent]) -> String {
    let count = |fits: fn(&Happened) -> bool| events.iter().filter(|e| fits(&e.what)).count();
    let parts = [
        (count(|w| matches!(w, Happened::Finding { turn: Turn::New, .. })), "new"),
        (count(|w| matches!(w, Happened::Finding { turn: Turn::Changed, .. })), "changed"),
        (count(|w| matches!(w, Happened::Finding { turn: Turn::Gone, .. })), "gone"),
        (count(|w| matches!(w, Happened::Decision { .. })), "decided"),
    ];
    let mut words: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    if events.iter().any(|e| matches!(e.what, Happened::Summary { .. })) {
        words.push("a summary".to_owned());
    }
    if events.iter().any(|e| matches!(e.what, Happened::Test { .. })) {
        words.push("a test".to_owned());
    }
    format!("Umbilical: {}", words.join(", "))
}

fn body(out: &Out<'_>, events: &[OutEvent]) -> String {
    let mut text = String::new();
    for event in events.iter().take(WRITTEN) {
        text.push_str(&format!("{}  {}\n\n", event.at, words::with_link(event, out.public)));
    }
    if let Some(more) = events.len().checked_sub(WRITTEN).filter(|n| *n > 0) {
        text.push_str(&format!("and {more} more: {}/changes\n\n", out.public));
    }
    text.push_str("Sent by Umbilical. A mail that is not taken is sent again, so one may come twice.\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::guard::Guard;
    use umbilical_store::Time;

    #[test]
    fn no_word_from_outside_becomes_a_header() {
        let what = Happened::Decision {
            kind: "state".into(),
            value: "triage".into(),
            subject: "dev-1".into(),
            count: 1,
            who: "ana\r\nBcc: eve@example.org".into(),
            comment: "a\r\n.\r\nRCPT TO:<eve@example.org>\n\nX: y".into(),
            expires: None,
            code: None,
            device: None,
            device_name: Some("pump\r\nBcc: eve@example.org".into()),
        };
        let events = [OutEvent { seq: 1, id: "evt-1".into(), at: Time(0), what }];
        let settings = Settings {
            host: "mail.example".into(),
            port: 25,
            tls: "none".into(),
            login: None,
            from: "Umbilical <umbilical@example.org>".into(),
            to: vec!["ana@example.org".into()],
            every_minutes: 15,
            ca: None,
        };
        settings.check().unwrap();
        let out = Out { guard: &Guard::default(), public: "https://fleet.example", now: Time(1_795_953_600_000) };
        let text = String::from_utf8(message(&settings, &out, &events).unwrap().formatted()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(!head.contains("eve") && head.contains("Subject: Umbilical: 1 decided\r\n"), "{head}");
        assert!(head.lines().all(|l| !l.starts_with("Bcc")) && text.is_ascii(), "{text}");
        assert!(!body.contains("\r\nBcc") && !body.contains("\r\n.\r\n") && body.contains("https://fleet.example/devices/dev-1"), "{body}");
        for wrong in ["ana", "", "ana@example.org\r\nBcc: eve@example.org", "a@b, c@d"] {
            assert!(Settings { to: vec![wrong.into()], ..settings.clone() }.check().is_err(), "{wrong}");
        }
        assert!(Settings { login: Some("ana".into()), ..settings }.check().is_err(), "a password without encryption");
    }
}
