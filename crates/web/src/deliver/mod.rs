//! Delivery of events: every sink has a task of its own while it has something to do, so that a receiver that is down holds up no
//! other. A sink moves on when its receiver has acknowledged, and only then: at least once, in order. Time comes from the clock of
//! the program; what is waited for in between is looked at again and again.

pub mod guard;
pub mod hec;
pub mod mail;
mod net;
pub mod syslog;
pub mod webhook;
pub mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;
use tokio::task::JoinSet;
use umbilical_core::id::hex;
use umbilical_store::{Happened, OutEvent, Sink, SinkKind, Time};

use crate::Problem;
use crate::app::App;
use guard::Guard;

/// As whom requests are sent.
const AGENT: &str = concat!("umbilical/", env!("CARGO_PKG_VERSION"));
/// Between two tries: from a second, doubled, to five minutes.
const FIRST: i64 = 1000;
const LAST: i64 = 5 * 60_000;
/// What is under way at the end has so long.
const GRACE: Duration = Duration::from_secs(5);

/// What became of events that were sent together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// What it means.
    pub how: How,
    /// What the receiver said.
    pub said: String,
}

/// What an answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Acknowledged.
    Taken,
    /// Not now; the receiver may say when, in milliseconds.
    Later(Option<i64>),
    /// Never, for what one of the events holds.
    Refused,
}

impl Sent {
    fn later(why: String) -> Self {
        Self { how: How::Later(None), said: why }
    }
}

/// What every kind is given to send with.
pub struct Out<'a> {
    /// Where nothing is sent.
    pub guard: &'a Guard,
    /// The server's own address; empty where it was never said.
    pub public: &'a str,
    /// The time.
    pub now: Time,
}

/// Where a sink leads, read.
pub enum Target {
    /// JSON by HTTP.
    Webhook(webhook::Settings),
    /// CEF in syslog.
    Syslog(syslog::Settings),
    /// Splunk.
    Hec(hec::Settings),
    /// A digest.
    Mail(mail::Settings),
}

/// What a sink keeps that nobody is shown: a key, a token or a password.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Secret {
    /// It.
    pub value: Option<String>,
}

impl Target {
    /// Refuses a receiver to which nothing would be sent, as far as its address alone says so.
    pub fn check(&self, guard: &Guard) -> Result<(), Problem> {
        let (field, host) = match self {
            Self::Webhook(webhook::Settings { url, .. }) | Self::Hec(hec::Settings { url, .. }) => ("url", net::Address::read(url)?.host),
            Self::Syslog(syslog::Settings { host, .. }) | Self::Mail(mail::Settings { host, .. }) => ("host", host.clone()),
        };
        guard.check_host(&host).map_err(|why| Problem::at(field, why))
    }

    /// Reads and checks settings.
    pub fn read(kind: SinkKind, settings: &Json) -> Result<Self, Problem> {
        fn one<T: serde::de::DeserializeOwned>(settings: &Json) -> Result<T, Problem> {
            serde_json::from_value(settings.clone()).map_err(|e| Problem::invalid(format!("the settings of a sink: {e}")))
        }
        Ok(match kind {
            SinkKind::Webhook => {
                let settings: webhook::Settings = one(settings)?;
                settings.check()?;
                Self::Webhook(settings)
            }
            SinkKind::Syslog => {
                let settings: syslog::Settings = one(settings)?;
                settings.check()?;
                Self::Syslog(settings)
            }
            SinkKind::Hec => {
                let settings: hec::Settings = one(settings)?;
                settings.check()?;
                Self::Hec(settings)
            }
            SinkKind::Mail => {
                let settings: mail::Settings = one(settings)?;
                settings.check()?;
                Self::Mail(settings)
            }
        })
    }

    /// The settings as they are kept.
    pub fn kept(&self) -> Json {
        match self {
            Self::Webhook(s) => json!(s),
            Self::Syslog(s) => json!(s),
            Self::Hec(s) => json!(s),
            Self::Mail(s) => json!(s),
        }
    }

    /// Whom the secret is shown to: it never goes to another.
    pub fn receiver(&self) -> String {
        match self {
            Self::Webhook(_) => String::new(),
            Self::Syslog(s) => format!("{}:{}", s.host, s.port),
            Self::Hec(s) => s.url.clone(),
            Self::Mail(s) => format!("{}:{} {} {}", s.host, s.port, s.tls, s.login.as_deref().unwrap_or_default()),
        }
    }

    /// Events that are sent together at most.
    fn together(&self) -> u32 {
        match self {
            Self::Webhook(_) => webhook::TOGETHER,
            Self::Syslog(_) => syslog::TOGETHER,
            Self::Hec(_) => hec::TOGETHER,
            Self::Mail(_) => mail::TOGETHER,
        }
    }

    /// Milliseconds of quiet after something was sent.
    fn quiet(&self) -> i64 {
        match self {
            Self::Mail(s) => i64::from(s.every_minutes).saturating_mul(60_000),
            _ => 0,
        }
    }

    async fn send(&self, secret: Option<&str>, out: &Out<'_>, events: &[OutEvent]) -> Sent {
        match self {
            Self::Webhook(s) => webhook::send(s, secret, out, events).await,
            Self::Syslog(s) => syslog::send(s, out, events).await,
            Self::Hec(s) => hec::send(s, secret, out, events).await,
            Self::Mail(s) => mail::send(s, secret, out, events).await,
        }
    }
}

/// A host alone: a name, or an address.
fn host(text: &str) -> Result<(), Problem> {
    // A name whose last part is a number is no name: what resolves it would take it for an address in a spelling of its own.
    let last = text.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    let number =
        last.chars().all(|c| c.is_ascii_digit()) || last.strip_prefix("0x").is_some_and(|h| h.chars().all(|c| c.is_ascii_hexdigit()));
    let fits = crate::host::is_name(text) && !number || text.parse::<std::net::IpAddr>().is_ok();
    if fits { Ok(()) } else { Err(Problem::at("host", "a host is a name or an address alone: no scheme, port or path")) }
}

/// The id of what is sent together: the same events together have the same.
fn message_id(events: &[OutEvent]) -> String {
    let mut hash = Sha256::new();
    events.iter().for_each(|e| hash.update(e.id.as_bytes()));
    format!("msg_{}", hex(hash.finalize().first_chunk::<16>().map_or(&[][..], |b| b)))
}

/// How long after the so-manieth failure in a row.
fn back_off(tries: u32) -> i64 {
    let doubled = tries.saturating_sub(1).min(20);
    FIRST.checked_shl(doubled).unwrap_or(LAST).clamp(FIRST, LAST)
}

/// The secret of a sink.
async fn secret(app: &App, id: &str) -> Result<Secret, Problem> {
    let kept = app.store().sink_secret(id).await?;
    serde_json::from_value(kept).map_err(|_| Problem::internal("what is secret of a sink cannot be read"))
}

/// Sends one event that is a test, now, and says what the receiver answered.
pub async fn test(app: &App, sink: &Sink, who: &str) -> Result<Sent, Problem> {
    let target = Target::read(sink.of.kind, &sink.of.settings)?;
    let secret = secret(app, &sink.id).await?;
    let now = app.now();
    let id = format!("evt-{}", hex(&crate::secret::bytes::<16>()?));
    let event = OutEvent { seq: 0, id, at: now, what: Happened::Test { who: who.to_owned() } };
    Ok(target.send(secret.value.as_deref(), &out(app, now), &[event]).await)
}

fn out(app: &App, now: Time) -> Out<'_> {
    Out { guard: app.guard(), public: app.config().public.as_deref().unwrap_or_default().trim_end_matches('/'), now }
}

/// For as long as the program runs.
pub async fn run(app: App, mut end: watch::Receiver<bool>) {
    let each = Duration::from_millis(app.config().look);
    let mut busy: BTreeMap<tokio::task::Id, String> = BTreeMap::new();
    let mut tasks: JoinSet<()> = JoinSet::new();
    while !*end.borrow() {
        let under_way: BTreeSet<&String> = busy.values().collect();
        let due: Vec<Sink> = match app.store().sinks().await {
            Ok(all) => all.into_iter().filter(|s| s.of.running && s.next <= app.now() && !under_way.contains(&s.id)).collect(),
            Err(error) => {
                tracing::error!(%error, "the sinks cannot be read");
                Vec::new()
            }
        };
        for sink in due {
            if app.store().has_work(&sink).await.unwrap_or(false) {
                let handle = tasks.spawn(work(app.clone(), sink.id.clone(), end.clone()));
                busy.insert(handle.id(), sink.id);
            }
        }
        tokio::select! {
            () = tokio::time::sleep(each) => {}
            Some(ended) = tasks.join_next_with_id() => {
                busy.remove(&ended.map_or_else(|e| e.id(), |(id, ())| id));
            }
            // Who would say when to end is gone: so is the server.
            changed = end.changed() => if changed.is_err() { break },
        }
    }
    // What is not acknowledged by then is sent again after the next start.
    let _ = tokio::time::timeout(GRACE, async { while tasks.join_next().await.is_some() {} }).await;
    tasks.shutdown().await;
}

/// Delivers what a sink has before it, until there is nothing, or it cannot.
async fn work(app: App, id: String, end: watch::Receiver<bool>) {
    while !*end.borrow() {
        match step(&app, &id).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(problem) => {
                tracing::error!(sink = id, detail = problem.detail, "delivery stumbled");
                return;
            }
        }
    }
}

/// One batch of a sink; whether there may be another at once.
async fn step(app: &App, id: &str) -> Result<bool, Problem> {
    let store = app.store();
    let sink = match store.sink(id).await {
        Ok(sink) => sink,
        // Somebody took it away.
        Err(umbilical_store::StoreError::NotFound { .. }) => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    if !sink.of.running || sink.next > app.now() {
        return Ok(false);
    }
    let target = match Target::read(sink.of.kind, &sink.of.settings) {
        Ok(target) => target,
        Err(problem) => return failed(app, &sink, &problem.detail, None).await.map(|()| false),
    };
    let secret = secret(app, id).await?;
    let way = Way { app, target: &target, secret: secret.value.as_deref() };
    // What somebody wants to be sent again goes one by one: what is wrong with one is not the next one's fault.
    for event in store.again(&sink, target.together()).await? {
        let sent = way.send(std::slice::from_ref(&event)).await;
        match sent.how {
            How::Taken => store.sent_again(id, event.seq, None, app.now()).await?,
            How::Refused => store.sent_again(id, event.seq, Some(&sent.said), app.now()).await?,
            How::Later(after) => return failed(app, &sink, &sent.said, after).await.map(|()| false),
        }
    }
    let batch = store.outbox(&sink, target.together()).await?;
    if batch.events.is_empty() {
        if batch.upto > sink.position {
            store.delivered(&sink, batch.upto, 0, None, app.now()).await?;
        }
        return Ok(false);
    }
    if !way.deliver(sink, &batch.events, batch.upto).await? {
        return Ok(false);
    }
    match target.quiet() {
        0 => Ok(true),
        quiet => {
            store.due(id, Time(app.now().0.saturating_add(quiet))).await?;
            Ok(false)
        }
    }
}

/// Notes a failure and when it is tried again.
async fn failed(app: &App, sink: &Sink, why: &str, after: Option<i64>) -> Result<(), Problem> {
    let tries = sink.tries.saturating_add(1);
    let wait = after.unwrap_or(0).max(back_off(tries));
    let now = app.now();
    tracing::warn!(sink = sink.of.name, tries, why, "not delivered");
    let next = Time(now.0.saturating_add(wait));
    Ok(app.store().not_delivered(&sink.id, &words::short(why), tries, next, now).await?)
}

/// A sink on its way to its receiver.
struct Way<'a> {
    app: &'a App,
    target: &'a Target,
    secret: Option<&'a str>,
}

impl Way<'_> {
    async fn send(&self, events: &[OutEvent]) -> Sent {
        self.target.send(self.secret, &out(self.app, self.app.now()), events).await
    }

    /// Delivers events in order; where they are refused together, each half by itself, down to the one that is to blame, which is
    /// set aside. False where the receiver cannot take them now.
    async fn deliver(&self, mut sink: Sink, events: &[OutEvent], upto: i64) -> Result<bool, Problem> {
        let store = self.app.store();
        let mut parts: Vec<&[OutEvent]> = vec![events];
        while let Some(part) = parts.pop() {
            let Some(last) = part.last() else { continue };
            let end = if parts.is_empty() { upto } else { last.seq };
            let sent = self.send(part).await;
            let refused = match sent.how {
                How::Taken => None,
                How::Refused if part.len() > 1 => {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second, first]);
                    continue;
                }
                How::Refused => {
                    tracing::warn!(sink = sink.of.name, event = last.id, why = sent.said, "refused");
                    Some((last, sent.said.as_str()))
                }
                How::Later(after) => return failed(self.app, &sink, &sent.said, after).await.map(|()| false),
            };
            let taken = if refused.is_none() { part.len() as u64 } else { 0 };
            if !store.delivered(&sink, end, taken, refused, self.app.now()).await? {
                return Ok(false);
            }
            sink.position = end;
            sink.tries = 0;
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_are_further_and_further_apart() {
        let waits: Vec<i64> = [1, 2, 3, 9, 10, 100, u32::MAX].map(back_off).into();
        assert_eq!(waits, [1000, 2000, 4000, 256_000, 300_000, 300_000, 300_000]);
    }
}
