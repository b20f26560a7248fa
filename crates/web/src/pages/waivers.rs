//! Waivers: what is borne until a day, proposed by one person and approved by another.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::frame::{Head, page};
use crate::Problem;
use crate::api::{WaiverWanted, WaiversOf, approve_waiver, propose_waiver, revoke_waiver, waivers_of};
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
    all: WaiversOf,
    /// Whether the asker may settle what others proposed.
    approves: bool,
    /// How many were proposed together just now, and how many of those asked for were there already.
    done: Option<(u64, u64)>,
    /// Whether rules are asked: without them a waiver changes nothing here.
    judged: bool,
}

/// The list.
pub async fn list(State(app): State<App>, who: Who, Params(asked): Params<Done>) -> Result<Response, Problem> {
    let shown = Waivers {
        done: asked.proposed.map(|n| (n, asked.already.unwrap_or_default())),
        head: Head::new("Waivers", "/waivers", Some(&who)),
        all: waivers_of(&app, &who).await?,
        approves: who.may(Permission::Approve),
        judged: app.config().judge.is_some(),
    };
    Ok(page(StatusCode::OK, &shown))
}

/// Proposes one about a finding.
pub async fn propose(State(app): State<App>, who: Who, Checked(sent): Checked<Vec<(String, String)>>) -> Result<Response, Problem> {
    let get = |name: &str| sent.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.trim()).to_owned();
    let wanted = WaiverWanted { finding: Some(get("finding")), reason: get("reason"), until: get("until"), ..WaiverWanted::default() };
    propose_waiver(&app, &who, wanted).await?;
    Ok(Redirect::to("/waivers").into_response())
}

/// Approves, refuses or takes back the ticked ones. One that cannot be stops there and says why; those before it are settled.
pub async fn settle_many(State(app): State<App>, who: Who, Checked(sent): Checked<Vec<(String, String)>>) -> Result<Response, Problem> {
    let get = |name: &str| sent.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.trim());
    let ticked: Vec<&str> = sent.iter().filter(|(n, _)| n == "id").map(|(_, v)| v.as_str()).collect();
    if ticked.is_empty() {
        return Err(Problem::invalid("no row is ticked"));
    }
    for id in ticked {
        settle_one(&app, &who, id, get("to"), get("comment")).await?;
    }
    Ok(Redirect::to("/waivers").into_response())
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
    settle_one(&app, &who, &id, get("to"), get("comment")).await?;
    Ok(Redirect::to("/waivers").into_response())
}
