//! Sinks: where findings and decisions are delivered to. What is secret goes in and never comes out.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json as object};
use umbilical_store::{Refused, Sink, SinkFilter, SinkKind, SinkOf};
use utoipa::ToSchema;

use crate::Problem;
use crate::api::json;
use crate::app::App;
use crate::deliver::{self, How, Secret, Target, webhook};
use crate::extract::Body;
use crate::who::Who;

/// Undelivered events of one sink that are listed.
const LISTED: u32 = 200;

/// What a sink wants to hear of.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// The least severity: `info`, `low`, `medium`, `high`, `critical`; `medium` where nothing is said.
    #[serde(default = "medium")]
    pub severity: String,
    /// Of `fail`, `review`, `unknown`, `none` (findings without a verdict); empty for all.
    #[serde(default)]
    pub verdicts: Vec<String>,
    /// Codes of findings, or beginnings with `*` behind; empty for all.
    #[serde(default)]
    pub codes: Vec<String>,
    /// Whether people's decisions are told.
    #[serde(default = "yes")]
    pub decisions: bool,
}

fn medium() -> String {
    SinkFilter::default().severity
}

fn yes() -> bool {
    true
}

impl Default for Filter {
    fn default() -> Self {
        SinkFilter::default().into()
    }
}

impl From<SinkFilter> for Filter {
    fn from(f: SinkFilter) -> Self {
        Self { severity: f.severity, verdicts: f.verdicts, codes: f.codes, decisions: f.decisions }
    }
}

impl From<Filter> for SinkFilter {
    fn from(f: Filter) -> Self {
        Self { severity: f.severity, verdicts: f.verdicts, codes: f.codes, decisions: f.decisions }
    }
}

/// A sink, without what is secret.
#[derive(Serialize, ToSchema)]
pub struct SinkShown {
    /// `snk-…`
    pub id: String,
    /// What it is called.
    pub name: String,
    /// `webhook`, `syslog`, `hec`, `mail`.
    pub kind: &'static str,
    /// Of its kind.
    #[schema(value_type = Object)]
    pub settings: Json,
    /// What it wants to hear of.
    pub filter: Filter,
    /// Whether subscriber numbers are given whole.
    pub subscribers: bool,
    /// Whether it delivers; while it does not, events wait.
    pub running: bool,
    /// What it promises, in words.
    pub guarantee: &'static str,
    /// Since when.
    pub created: String,
    /// Who made it.
    pub by: String,
    /// Events that wait.
    pub waiting: u64,
    /// Since when the oldest of them waits.
    pub waiting_since: Option<String>,
    /// Why the last try failed; `null` where it did not.
    pub error: Option<String>,
    /// Since when every try fails.
    pub failing_since: Option<String>,
    /// When it is tried next, where that is later than now.
    pub next: Option<String>,
    /// When a receiver last acknowledged something.
    pub last_success: Option<String>,
    /// Events that were acknowledged.
    pub sent: u64,
    /// Events that a receiver refused for what they hold.
    pub refused: u64,
    /// Events that were given up because they were too old.
    pub expired: u64,
}

/// What a kind of sink promises.
pub(crate) fn guarantee(kind: SinkKind) -> &'static str {
    match kind {
        SinkKind::Webhook => {
            "At least once, in order. A request is taken when it is answered with a status of 200 to 299; else it is sent again. \
             Each event has an id that stays, by which a receiver drops what comes twice."
        }
        SinkKind::Hec => {
            "At least once, in order. Events are taken when the collector answers 200 with code 0. `fields.event` is an id that stays, \
             by which a search drops what came twice."
        }
        SinkKind::Syslog => {
            "At least once to the receiver's process, in order. Syslog has no acknowledgement: each batch is sent over a connection of its \
             own and closed from here, and it counts as taken when the receiver, having read to the end, closes it as well; else it is sent \
             again. What the receiver does with it afterwards is not known here."
        }
        SinkKind::Mail => {
            "At least once to the mail server, in order, as a digest. It is taken when that server has accepted it; whether it reaches \
             anybody is not known here."
        }
    }
}

/// A sink with how it stands.
async fn shown(app: &App, sink: Sink) -> Result<SinkShown, Problem> {
    let (waiting, since) = app.store().waiting(&sink).await?;
    let now = app.now();
    Ok(SinkShown {
        guarantee: guarantee(sink.of.kind),
        id: sink.id,
        name: sink.of.name,
        kind: sink.of.kind.name(),
        settings: sink.of.settings,
        filter: sink.of.filter.into(),
        subscribers: sink.of.subscribers,
        running: sink.of.running,
        created: sink.created.to_string(),
        by: sink.by,
        waiting,
        waiting_since: since.map(|t| t.to_string()),
        error: sink.error,
        failing_since: sink.failing.map(|t| t.to_string()),
        next: Some(sink.next).filter(|t| *t > now).map(|t| t.to_string()),
        last_success: sink.success.map(|t| t.to_string()),
        sent: sink.sent,
        refused: sink.refused,
        expired: sink.expired,
    })
}

/// What a sink is to be.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SinkWanted {
    /// What it is called.
    pub name: String,
    /// `webhook`, `syslog`, `hec`, `mail`.
    pub kind: String,
    /// Webhook: `url`, `ca`. Syslog: `host`, `port`, `tls`, `ca`. Splunk: `url`, `index`, `ca`. Mail: `host`, `port`, `tls` (`starttls`,
    /// `tls`, `none`), `login`, `from`, `to`, `every_minutes`, `ca`. `ca` holds authorities as PEM that alone are trusted.
    #[schema(value_type = Object)]
    pub settings: Json,
    /// Splunk's token, or the password of mail. Of a sink that is there: without one the old one stays, as long as it goes to the same
    /// receiver.
    #[serde(default)]
    pub secret: Option<String>,
    /// Of a webhook that is there: makes a new key, and shows it.
    #[serde(default)]
    pub new_key: bool,
    /// What it wants to hear of.
    #[serde(default)]
    pub filter: Filter,
    /// Whether subscriber numbers are given whole: only by who may see them.
    #[serde(default)]
    pub subscribers: bool,
    /// Whether it delivers.
    #[serde(default = "yes")]
    pub running: bool,
}

impl SinkWanted {
    fn read(&self) -> Result<(SinkOf, Target), Problem> {
        let kind = SinkKind::from_name(&self.kind).ok_or_else(|| {
            let all: Vec<&str> = SinkKind::ALL.iter().map(|k| k.name()).collect();
            Problem::at("kind", format!("a sink is of a kind that there is: {}", all.join(", ")))
        })?;
        if self.secret.as_deref().is_some_and(|s| s.is_empty() || s.len() > 4096 || s.chars().any(char::is_control)) {
            return Err(Problem::at("secret", "a token or password is 1 to 4096 bytes of text"));
        }
        let target = Target::read(kind, &self.settings)?;
        let of = SinkOf {
            name: self.name.trim().to_owned(),
            kind,
            settings: target.kept(),
            filter: self.filter.clone().into(),
            subscribers: self.subscribers,
            running: self.running,
        };
        Ok((of, target))
    }
}

/// A sink that was made.
#[derive(Serialize, ToSchema)]
pub struct SinkMade {
    /// `snk-…`
    pub id: String,
    /// Of a webhook: the key with which requests are signed, `whsec_…`. Shown now and never again.
    pub key: Option<String>,
}

/// Subscriber numbers are given away by who may see them; others may pause such a sink, and lead it nowhere else.
fn sees(who: &Who, new: &SinkOf, old: Option<&SinkOf>) -> Result<(), Problem> {
    let kept = old.is_some_and(|old| old.subscribers && old.settings == new.settings);
    let may = !new.subscribers || who.scope.subscribers || kept;
    if may { Ok(()) } else { Err(Problem::forbidden("you may not see subscriber numbers yourself")) }
}

/// A demonstration is open to strangers: it sends nothing to anybody.
fn no_demo(app: &App) -> Result<(), Problem> {
    match app.config().demo {
        Some(_) => Err(Problem::forbidden("a demonstration sends nothing to anybody")),
        None => Ok(()),
    }
}

/// Makes a sink, for API and page alike.
pub(crate) async fn make_sink(app: &App, who: &Who, wanted: SinkWanted) -> Result<SinkMade, Problem> {
    no_demo(app)?;
    let (of, target) = wanted.read()?;
    target.check(app.guard())?;
    sees(who, &of, None)?;
    let key = if of.kind == SinkKind::Webhook { Some(webhook::new_secret()?) } else { None };
    let secret = match &target {
        Target::Webhook(_) => key.clone(),
        Target::Hec(_) if wanted.secret.is_none() => return Err(Problem::at("secret", "a collector wants its token: give it as `secret`")),
        Target::Mail(s) if s.login.is_some() && wanted.secret.is_none() => {
            return Err(Problem::at("secret", "who signs in has a password: give it as `secret`"));
        }
        _ => wanted.secret,
    };
    let id = app.store().add_sink(who.by(app.now()), &of, &object!(Secret { value: secret })).await?;
    Ok(SinkMade { id, key })
}

/// Changes one; gives the new key of a webhook, where one was asked for.
pub(crate) async fn alter_sink(app: &App, who: &Who, id: &str, wanted: SinkWanted) -> Result<SinkMade, Problem> {
    no_demo(app)?;
    let old = app.store().sink(id).await?;
    let (of, target) = wanted.read()?;
    // One that leads where nothing is sent any more can still be paused.
    if of.settings != old.of.settings {
        target.check(app.guard())?;
    }
    sees(who, &of, Some(&old.of))?;
    let (mut key, mut secret) = (None, None);
    match &target {
        Target::Webhook(_) if wanted.new_key => {
            key = Some(webhook::new_secret()?);
            secret.clone_from(&key);
        }
        Target::Webhook(_) | Target::Syslog(_) => {}
        _ => {
            secret = wanted.secret;
            // A secret is the old receiver's and goes to no other.
            let same = Target::read(old.of.kind, &old.of.settings).is_ok_and(|t| t.receiver() == target.receiver());
            let needed = !matches!(&target, Target::Mail(s) if s.login.is_none());
            if secret.is_none() && !same && needed {
                return Err(Problem::at("secret", "this is another receiver: give its token or password as well"));
            }
        }
    }
    let secret = secret.map(|value| object!(Secret { value: Some(value) }));
    app.store().change_sink(who.by(app.now()), id, &of, secret.as_ref()).await?;
    Ok(SinkMade { id: id.to_owned(), key })
}

/// The sinks and how they stand
#[utoipa::path(get, path = "/api/v1/sinks", tag = "sinks", responses((status = 200, body = [SinkShown])))]
pub async fn list(State(app): State<App>) -> Result<Response, Problem> {
    Ok(json(&all_sinks(&app).await?))
}

/// Every sink as it is shown.
pub(crate) async fn all_sinks(app: &App) -> Result<Vec<SinkShown>, Problem> {
    let mut out = Vec::new();
    for sink in app.store().sinks().await? {
        out.push(shown(app, sink).await?);
    }
    Ok(out)
}

/// Makes a sink: it hears of what happens from now on
#[utoipa::path(post, path = "/api/v1/sinks", tag = "sinks", request_body = SinkWanted, responses((status = 201, body = SinkMade)))]
pub async fn add(State(app): State<App>, who: Who, Body(wanted): Body<SinkWanted>) -> Result<Response, Problem> {
    let made = make_sink(&app, &who, wanted).await?;
    Ok((StatusCode::CREATED, json(&made)).into_response())
}

/// One of them
#[utoipa::path(get, path = "/api/v1/sinks/{id}", tag = "sinks", params(("id" = String, Path, description = "`snk-…`")), responses((status = 200, body = SinkShown)))]
pub async fn one(State(app): State<App>, Path(id): Path<String>) -> Result<Response, Problem> {
    Ok(json(&named_sink(&app, &id).await?))
}

/// One as it is shown.
pub(crate) async fn named_sink(app: &App, id: &str) -> Result<SinkShown, Problem> {
    let sink = app.store().sink(id).await?;
    shown(app, sink).await
}

/// Changes one, but not its kind; what waits is tried at once
#[utoipa::path(put, path = "/api/v1/sinks/{id}", tag = "sinks", params(("id" = String, Path)), request_body = SinkWanted, responses((status = 200, body = SinkMade)))]
pub async fn change(State(app): State<App>, who: Who, Path(id): Path<String>, Body(wanted): Body<SinkWanted>) -> Result<Response, Problem> {
    Ok(json(&alter_sink(&app, &who, &id, wanted).await?))
}

/// Takes one away, with what waits for it
#[utoipa::path(delete, path = "/api/v1/sinks/{id}", tag = "sinks", params(("id" = String, Path)), responses((status = 204)))]
pub async fn remove(State(app): State<App>, who: Who, Path(id): Path<String>) -> Result<Response, Problem> {
    app.store().remove_sink(who.by(app.now()), &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// What a receiver said to a test.
#[derive(Serialize, ToSchema)]
pub struct Tested {
    /// Whether it took it.
    pub taken: bool,
    /// What it said, or why it could not be asked.
    pub said: String,
}

/// Sends one test event, for API and page alike.
pub(crate) async fn try_sink(app: &App, who: &Who, id: &str) -> Result<Tested, Problem> {
    no_demo(app)?;
    let sink = app.store().sink(id).await?;
    let sent = deliver::test(app, &sink, &who.name).await?;
    let taken = sent.how == How::Taken;
    let detail = object!({"taken": taken, "said": deliver::words::short(&sent.said)});
    app.store().sink_tested(who.by(app.now()), id, taken, &detail).await?;
    Ok(Tested { taken, said: sent.said })
}

/// Sends one test event now, whether or not the sink is paused
#[utoipa::path(post, path = "/api/v1/sinks/{id}/test", tag = "sinks", params(("id" = String, Path)), responses((status = 200, body = Tested)))]
pub async fn test(State(app): State<App>, who: Who, Path(id): Path<String>) -> Result<Response, Problem> {
    Ok(json(&try_sink(&app, &who, &id).await?))
}

/// An event that a receiver refused for what it holds.
#[derive(Serialize, ToSchema)]
pub struct RefusedOf {
    /// Its number.
    pub seq: i64,
    /// `evt-…`
    pub id: String,
    /// When it happened.
    pub at: String,
    /// `new`, `changed`, `gone`, `decision`, `summary`.
    pub kind: String,
    /// What the receiver said.
    pub why: String,
    /// When.
    pub refused_at: String,
    /// Whether it is about to be sent again.
    pub again: bool,
}

impl From<Refused> for RefusedOf {
    fn from(r: Refused) -> Self {
        Self { seq: r.seq, id: r.id, at: r.at.to_string(), kind: r.kind, why: r.why, refused_at: r.refused_at.to_string(), again: r.again }
    }
}

/// What the receiver of a sink refused, the newest 200
#[utoipa::path(get, path = "/api/v1/sinks/{id}/undelivered", tag = "sinks", params(("id" = String, Path)), responses((status = 200, body = [RefusedOf])))]
pub async fn undelivered(State(app): State<App>, Path(id): Path<String>) -> Result<Response, Problem> {
    Ok(json(&refused_of(&app, &id).await?))
}

/// The same for the page.
pub(crate) async fn refused_of(app: &App, id: &str) -> Result<Vec<RefusedOf>, Problem> {
    app.store().sink(id).await?;
    Ok(app.store().undelivered(id, LISTED).await?.into_iter().map(RefusedOf::from).collect())
}

/// Which of them are sent again.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Again {
    /// Its number; all where none is given.
    #[serde(default)]
    pub seq: Option<i64>,
}

/// How many.
#[derive(Serialize, ToSchema)]
pub struct AgainOf {
    /// So many are about to be sent again.
    pub events: u64,
}

/// Sends what was refused again: out of turn, one by one
#[utoipa::path(post, path = "/api/v1/sinks/{id}/undelivered", tag = "sinks", params(("id" = String, Path)), request_body = Again, responses((status = 200, body = AgainOf)))]
pub async fn again(State(app): State<App>, who: Who, Path(id): Path<String>, Body(again): Body<Again>) -> Result<Response, Problem> {
    Ok(json(&AgainOf { events: send_again(&app, &who, &id, again.seq).await? }))
}

/// Sends again, for API and page alike; gives how many.
pub(crate) async fn send_again(app: &App, who: &Who, id: &str, seq: Option<i64>) -> Result<u64, Problem> {
    app.store().sink(id).await?;
    Ok(app.store().send_again(who.by(app.now()), id, seq).await?)
}
