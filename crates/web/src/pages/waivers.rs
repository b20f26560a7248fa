//! Waivers: what is borne until a day, proposed by one person and approved by another.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::findings;
use super::frame::{Head, page};
use super::refused::Refused;
use crate::Problem;
use crate::api::{
    WaiverEntry, WaiverOf, WaiverWanted, WaiversOf, approve_waiver, propose_waiver, revoke_waiver, waivers_of, withdraw_waiver,
};
use crate::app::App;
use crate::extract::{Checked, Params};
use crate::rights::Permission;
use crate::who::Who;

/// What was done just now.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Done {
    proposed: Option<u64>,
    already: Option<u64>,
}

#[derive(Template)]
#[template(path = "waivers.html")]
struct Waivers {
    head: Head,
    /// What waits for approval.
    open: Vec<WaiverOf>,
    /// What was approved, refused, taken back or withdrawn.
    settled: Vec<WaiverOf>,
    file: Vec<WaiverEntry>,
    problem: Option<String>,
    /// Whether the asker may settle what others proposed.
    approves: bool,
    /// How many were proposed together just now, and how many of those asked for were there already.
    done: Option<(u64, u64)>,
    /// Whether rules are asked: without them a waiver changes nothing here.
    judged: bool,
}

/// The list.
pub async fn list(State(app): State<App>, who: Who, Params(asked): Params<Done>) -> Result<Response, Problem> {
    shown(&app, &who, asked.proposed.map(|n| (n, asked.already.unwrap_or_default())), None).await
}

async fn shown(app: &App, who: &Who, done: Option<(u64, u64)>, refused: Option<Refused>) -> Result<Response, Problem> {
    let WaiversOf { waivers, file, problem } = waivers_of(app, who).await?;
    let (open, settled) = waivers.into_iter().partition(|w| w.state == "proposed");
    let shown = Waivers {
        head: Head::new("Waivers", "/waivers", Some(who)).again(refused),
        open,
        settled,
        file,
        problem,
        approves: who.may(Permission::Approve),
        done,
        judged: app.config().judge.is_some(),
    };
    Ok(page(shown.head.status(), &shown))
}

/// Proposes one about a finding.
pub async fn propose(State(app): State<App>, who: Who, Checked(sent): Checked<Vec<(String, String)>>) -> Result<Response, Problem> {
    let get = |name: &str| sent.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.trim()).to_owned();
    let wanted = WaiverWanted { finding: Some(get("finding")), reason: get("reason"), until: get("until"), ..WaiverWanted::default() };
    match propose_waiver(&app, &who, wanted).await {
        Ok(_) => Ok(Redirect::to("/waivers").into_response()),
        Err(problem) => findings::shown(&app, &who, &get("finding"), Some(Refused::new("waive", &sent, problem)?)).await,
    }
}

/// Approves, refuses or takes back the ticked ones. One that cannot be stops there and says why; those before it are settled.
pub async fn settle_many(State(app): State<App>, who: Who, Checked(sent): Checked<Vec<(String, String)>>) -> Result<Response, Problem> {
    let get = |name: &str| sent.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.trim());
    let ticked: Vec<&str> = sent.iter().filter(|(n, _)| n == "id").map(|(_, v)| v.as_str()).collect();
    let mut outcome = if ticked.is_empty() { Err(Problem::invalid("no row is ticked")) } else { Ok(()) };
    for id in ticked {
        if outcome.is_ok() {
            outcome = settle_one(&app, &who, id, get("to"), get("comment")).await;
        }
    }
    // Waiting ones and settled ones have a form each.
    let form = if get("list") == "settled" { "settled" } else { "open" };
    settled(&app, &who, form, &sent, outcome).await
}

/// The list again, with the form where it was refused.
async fn settled(app: &App, who: &Who, form: &str, sent: &[(String, String)], outcome: Result<(), Problem>) -> Result<Response, Problem> {
    match outcome {
        Ok(()) => Ok(Redirect::to("/waivers").into_response()),
        Err(problem) => shown(app, who, None, Some(Refused::new(form, sent, problem)?)).await,
    }
}

async fn settle_one(app: &App, who: &Who, id: &str, to: &str, comment: &str) -> Result<(), Problem> {
    match to {
        "approve" => approve_waiver(app, who, id, comment).await,
        "revoke" => revoke_waiver(app, who, id, comment).await,
        _ => Err(Problem::invalid("a waiver is approved or revoked")),
    }
}

/// Approves one, refuses it, or takes it back.
pub async fn settle(
    State(app): State<App>,
    who: Who,
    Path(id): Path<String>,
    Checked(sent): Checked<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let get = |name: &str| sent.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.trim());
    let outcome = settle_one(&app, &who, &id, get("to"), get("comment")).await;
    settled(&app, &who, &id, &sent, outcome).await
}

/// Withdraws one that the asker proposed.
pub async fn withdraw(
    State(app): State<App>,
    who: Who,
    Path(id): Path<String>,
    Checked(sent): Checked<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let comment = sent.iter().find(|(n, _)| n == "comment").map_or("", |(_, v)| v.trim());
    let outcome = withdraw_waiver(&app, &who, &id, comment).await;
    settled(&app, &who, &id, &sent, outcome).await
}
