//! Mutes: incidents that people need not be shown. Who makes one sees before what it would have hidden.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use umbilical_store::{MuteRule, Preview};

use super::frame::{Head, page};
use super::refused::Refused;
use crate::Problem;
use crate::api::{FindingLine, MuteOf, MuteWanted, make_mute, named_mute, named_mutes};
use crate::app::App;
use crate::extract::{Checked, Params};
use crate::guard::encoded;
use crate::rights::Permission;
use crate::who::Who;

/// Incidents that are listed.
const ROWS: u32 = 1000;
/// Days ahead that are offered as the last one: long enough to ask a maker, short enough to look again.
const USUAL: i64 = 30;

#[derive(Template)]
#[template(path = "mutes.html")]
struct Mutes {
    head: Head,
    holding: Vec<MuteOf>,
    ended: Vec<MuteOf>,
    /// Incidents that are hidden.
    hidden: u64,
    /// Whether the asker may make them.
    decides: bool,
}

/// The list.
pub async fn list(State(app): State<App>, who: Who) -> Result<Response, Problem> {
    let hidden = app.store().muted_count(&who.scope).await?;
    let (holding, ended) = named_mutes(&app, &who, app.store().mutes().await?).await?.into_iter().partition(|m| m.ended.is_none());
    let head = Head::new("Mutes", "/traffic", Some(&who));
    Ok(page(StatusCode::OK, &Mutes { head, holding, ended, hidden, decides: who.may(Permission::Decide) }))
}

#[derive(Template)]
#[template(path = "mute.html")]
struct One {
    head: Head,
    m: MuteOf,
    rows: Vec<FindingLine>,
    decides: bool,
}

/// One of them, with what it hides.
pub async fn one(State(app): State<App>, who: Who, Path(id): Path<String>) -> Result<Response, Problem> {
    shown(&app, &who, &id, None).await
}

async fn shown(app: &App, who: &Who, id: &str, refused: Option<Refused>) -> Result<Response, Problem> {
    let m = named_mute(app, who, id).await?;
    let rows = app.store().muted(&who.scope, Some(id), ROWS).await?.into_iter().map(Into::into).collect();
    let head = Head::new(format!("Mute {id}"), "/traffic", Some(who)).again(refused);
    Ok(page(head.status(), &One { head, m, rows, decides: who.may(Permission::Decide) }))
}

/// Withdraws one.
pub async fn withdraw(
    State(app): State<App>,
    who: Who,
    Path(id): Path<String>,
    Checked(sent): Checked<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let comment = sent.iter().find(|(n, _)| n == "comment").map_or("", |(_, v)| v.trim());
    match app.store().withdraw_mute(who.by(app.now()), &id, comment).await {
        Ok(()) => Ok(Redirect::to("/mutes").into_response()),
        Err(error) => shown(&app, &who, &id, Some(Refused::new("withdraw", &sent, error.into())?)).await,
    }
}

/// What is to be hidden, or a finding like which.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Asked {
    finding: Option<String>,
    code: Option<String>,
    subject: Option<String>,
    peer: Option<String>,
}

/// A rule that may be meant, and what it would have hidden.
struct Choice {
    label: String,
    href: String,
    hides: u64,
    /// Whether it is the one that is shown.
    on: bool,
}

/// What a mute would have hidden: the rows of the last days, so many of so many, and older ones.
struct Would {
    rows: Vec<FindingLine>,
    hides: u64,
    of: u64,
    older: u64,
}

impl From<Preview> for Would {
    fn from(p: Preview) -> Self {
        Self { rows: p.rows.into_iter().map(FindingLine::from).collect(), hides: p.hides, of: p.of, older: p.older }
    }
}

#[derive(Template)]
#[template(path = "mute-new.html")]
struct New {
    head: Head,
    code: String,
    subject: String,
    peer: String,
    choices: Vec<Choice>,
    /// What it would have hidden.
    preview: Option<Would>,
    /// The last day that is offered.
    until: String,
    /// Why the rule cannot be read.
    wrong: Option<String>,
    /// The finding from which somebody came.
    from: Option<FindingLine>,
}

fn some(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|t| !t.is_empty())
}

fn rule(code: &str, subject: &str, peer: &str) -> MuteRule {
    MuteRule { code: code.to_owned(), subject: some(subject), peer: some(peer) }
}

/// What is like a finding: its code, its device or else whose doing it is, and its peer.
fn alike(f: &FindingLine) -> MuteRule {
    let peer = f.finding.detail.get("peer").and_then(|p| p.as_str()).unwrap_or_default();
    rule(&f.finding.code, f.device.as_deref().unwrap_or(&f.finding.subject.id), peer)
}

fn href(finding: Option<&str>, rule: &MuteRule) -> String {
    let mut out = format!("/mutes/new?code={}", encoded(&rule.code));
    for (name, value) in [("subject", rule.subject.as_deref()), ("peer", rule.peer.as_deref()), ("finding", finding)] {
        if let Some(value) = value {
            out.push_str(&format!("&{name}={}", encoded(value)));
        }
    }
    out
}

/// The page on which one is made, with what it would have hidden.
pub async fn new(State(app): State<App>, who: Who, Params(asked): Params<Asked>) -> Result<Response, Problem> {
    form(&app, &who, &asked, None).await
}

async fn form(app: &App, who: &Who, asked: &Asked, refused: Option<Refused>) -> Result<Response, Problem> {
    let from = match &asked.finding {
        Some(id) => Some(FindingLine::from(app.store().finding(&who.scope, id).await?)),
        None => None,
    };
    if from.as_ref().is_some_and(|f| f.finding.source != "detector") {
        return Err(Problem::invalid("only what a detector found is muted: decide about this finding instead"));
    }
    let like = from.as_ref().map(alike);
    let asks = asked.code.is_some() || asked.subject.is_some() || asked.peer.is_some();
    let text = |t: &Option<String>| t.clone().unwrap_or_default();
    let wanted = match &like {
        Some(like) if !asks => like.clone(),
        _ => rule(&text(&asked.code), &text(&asked.subject), &text(&asked.peer)),
    };
    let now = app.now();
    let preview = if like.is_none() && !asks { None } else { Some(app.store().preview_mute(&who.scope, &wanted, now).await) };
    let (preview, wrong) = match preview.transpose() {
        Ok(preview) => (preview, None),
        Err(error) => match Problem::from(error) {
            problem if problem.status == StatusCode::UNPROCESSABLE_ENTITY.as_u16() => (None, Some(problem.detail)),
            problem => return Err(problem),
        },
    };
    let mut choices = Vec::new();
    if let (Some(f), Some(like)) = (&from, &like) {
        let whose = if f.device.is_some() { "this device" } else { "this subject" };
        let mut all = vec![(format!("{whose}, whomever it speaks to"), MuteRule { peer: None, ..like.clone() })];
        if let Some(peer) = &like.peer {
            all.insert(0, (format!("{whose}, and {peer}"), like.clone()));
            all.push((format!("whoever speaks to {peer}"), MuteRule { subject: None, ..like.clone() }));
        }
        for (label, rule) in all {
            let hides = app.store().preview_mute(&who.scope, &rule, now).await?.hides;
            choices.push(Choice { label, href: href(Some(&f.finding.id), &rule), hides, on: rule == wanted });
        }
    }
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let head = Head::new("Mute incidents", "/traffic", Some(who)).again(refused);
    let status = if head.refused.is_some() { head.status() } else { status };
    let shown = New {
        head,
        code: wanted.code,
        subject: wanted.subject.unwrap_or_default(),
        peer: wanted.peer.unwrap_or_default(),
        choices,
        preview: preview.map(Would::from),
        until: app.today().plus_days(USUAL).map(|d| d.to_string()).unwrap_or_default(),
        wrong,
        from,
    };
    Ok(page(status, &shown))
}

/// Makes one.
pub async fn add(State(app): State<App>, who: Who, Checked(sent): Checked<Vec<(String, String)>>) -> Result<Response, Problem> {
    let get = |name: &str| sent.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.trim()).to_owned();
    let wanted = MuteWanted {
        code: get("code"),
        subject: some(&get("subject")),
        peer: some(&get("peer")),
        until: get("until"),
        reason: get("reason"),
    };
    match make_mute(&app, &who, &wanted).await {
        Ok(id) => Ok(Redirect::to(&format!("/mutes/{id}")).into_response()),
        Err(problem) => {
            let asked = Asked { finding: some(&get("finding")), code: Some(wanted.code), subject: wanted.subject, peer: wanted.peer };
            form(&app, &who, &asked, Some(Refused::new("mute", &sent, problem)?)).await
        }
    }
}
