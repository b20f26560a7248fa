//! Mutes: incidents that people need not be shown, for a while and with a reason. What is hidden is counted, and stays.

use std::collections::BTreeSet;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use umbilical_core::Day;
use umbilical_store::{KeptMute, MuteRule};
use utoipa::{IntoParams, ToSchema};

use super::findings::FindingLine;
use crate::Problem;
use crate::api::json;
use crate::app::App;
use crate::extract::{Body, Params};
use crate::who::Who;

/// Rows that are listed with a mute or a preview.
const ROWS: u32 = 1000;

/// A mute.
#[derive(Serialize, ToSchema)]
pub struct MuteOf {
    /// `mut-…`
    pub id: String,
    /// The detector's code.
    pub code: String,
    /// Whose doing: a device, a session, an IMEI, an address or a network; `null`: everybody's.
    pub subject: Option<String>,
    /// What the device is called, where the subject is one that is known.
    pub device_name: Option<String>,
    /// With whom: an address, or a name and what is below it; `null`: with anybody.
    pub peer: Option<String>,
    /// Why.
    pub reason: String,
    /// The last day on which it hides.
    pub until: String,
    /// When it was made.
    pub made: String,
    /// By whom.
    pub who: String,
    /// When it ended; `null` where it holds.
    pub ended: Option<String>,
    /// Who ended it; `umbilical` where its day had come.
    pub ended_by: Option<String>,
    /// What was said to that.
    pub comment: String,
    /// How many incidents it hides now.
    pub hides: u64,
}

impl From<KeptMute> for MuteOf {
    fn from(m: KeptMute) -> Self {
        Self {
            id: m.id,
            code: m.rule.code,
            subject: m.rule.subject,
            device_name: None,
            peer: m.rule.peer,
            reason: m.reason,
            until: super::last_day_of(m.ends),
            made: m.made.to_string(),
            who: m.who,
            ended: m.ended.map(|t| t.to_string()),
            ended_by: m.ended_by,
            comment: m.comment,
            hides: m.hides,
        }
    }
}

/// A mute with what it hides.
#[derive(Serialize, ToSchema)]
pub struct MuteWhole {
    /// The mute.
    pub mute: MuteOf,
    /// What it hides, the newest first; at most a thousand.
    pub hidden: Vec<FindingLine>,
}

/// What a mute is to hide.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MuteParams {
    /// The detector's code.
    code: String,
    /// Whose doing: `dev-…`, `ses-…`, an IMEI, an address or a network.
    subject: Option<String>,
    /// With whom: an address, or a name and what is below it, with `:PORT` behind it at that port alone.
    peer: Option<String>,
}

/// What a mute would have hidden of the incidents of the last thirty days that are shown.
#[derive(Serialize, ToSchema)]
pub struct PreviewOf {
    /// So many.
    hides: u64,
    /// Of so many.
    of: u64,
    /// Older ones that it would hide, too.
    older: u64,
    /// Those of the last thirty days, the newest first; at most a thousand.
    incidents: Vec<FindingLine>,
}

/// A mute that is to be made.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MuteWanted {
    /// The detector's code.
    pub code: String,
    /// Whose doing: `dev-…`, `ses-…`, an IMEI, an address or a network; left out for everybody's.
    #[serde(default)]
    pub subject: Option<String>,
    /// With whom: an address, or a name and what is below it, with `:PORT` behind it at that port alone; left out for anybody.
    #[serde(default)]
    pub peer: Option<String>,
    /// The last day on which it hides, `YYYY-MM-DD`; at most 366 days ahead.
    pub until: String,
    /// Why.
    pub reason: String,
}

/// Why it is withdrawn.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MuteEnd {
    /// In words.
    #[serde(default)]
    comment: String,
}

/// Mutes with the names of the devices that they are about.
pub(crate) async fn named_mutes(app: &App, who: &Who, mutes: Vec<KeptMute>) -> Result<Vec<MuteOf>, Problem> {
    let devices: BTreeSet<&String> = mutes.iter().filter_map(|m| m.rule.subject.as_ref()).filter(|s| s.starts_with("dev-")).collect();
    let names = app.store().named(&who.scope, &devices.into_iter().cloned().collect::<Vec<_>>()).await?;
    let named = |m: KeptMute| {
        let name = m.rule.subject.as_ref().and_then(|s| names.get(s)).map(|n| n.name.clone());
        MuteOf { device_name: name, ..MuteOf::from(m) }
    };
    Ok(mutes.into_iter().map(named).collect())
}

/// One of them.
pub(crate) async fn named_mute(app: &App, who: &Who, id: &str) -> Result<MuteOf, Problem> {
    let mute = app.store().mute(id).await?;
    named_mutes(app, who, vec![mute]).await?.pop().ok_or_else(|| Problem::missing("there is no such mute"))
}

/// Makes a mute, and gives its id.
pub(crate) async fn make_mute(app: &App, who: &Who, wanted: &MuteWanted) -> Result<String, Problem> {
    let until: Day = wanted.until.trim().parse().map_err(|_| Problem::at("until", "say the last day on which it hides: YYYY-MM-DD"))?;
    let rule = MuteRule { code: wanted.code.clone(), subject: wanted.subject.clone(), peer: wanted.peer.clone() };
    Ok(app.store().add_mute(who.by(app.now()), &rule, until, &wanted.reason).await?)
}

/// Mutes, those that hold first, then the newest
#[utoipa::path(get, path = "/api/v1/mutes", tag = "mutes", responses((status = 200, body = [MuteOf])))]
pub async fn list(State(app): State<App>, who: Who) -> Result<Response, Problem> {
    Ok(json(&named_mutes(&app, &who, app.store().mutes().await?).await?))
}

/// A mute, with what it hides
#[utoipa::path(get, path = "/api/v1/mutes/{id}", tag = "mutes", params(("id" = String, Path, description = "`mut-…`")), responses((status = 200, body = MuteWhole)))]
pub async fn one(State(app): State<App>, who: Who, Path(id): Path<String>) -> Result<Response, Problem> {
    let mute = named_mute(&app, &who, &id).await?;
    let hidden = app.store().muted(&who.scope, Some(&id), ROWS).await?.into_iter().map(Into::into).collect();
    Ok(json(&MuteWhole { mute, hidden }))
}

/// What a mute would have hidden of the incidents of the last thirty days; nothing is changed
#[utoipa::path(get, path = "/api/v1/mutes/preview", tag = "mutes", params(MuteParams), responses((status = 200, body = PreviewOf)))]
pub async fn preview(State(app): State<App>, who: Who, Params(asked): Params<MuteParams>) -> Result<Response, Problem> {
    let rule = MuteRule { code: asked.code, subject: asked.subject, peer: asked.peer };
    let preview = app.store().preview_mute(&who.scope, &rule, app.now()).await?;
    let incidents = preview.rows.into_iter().map(Into::into).collect();
    Ok(json(&PreviewOf { hides: preview.hides, of: preview.of, older: preview.older, incidents }))
}

/// The id of a mute.
#[derive(Serialize, ToSchema)]
pub struct MuteMade {
    /// `mut-…`
    id: String,
}

/// Makes a mute: from now on what fits it is in no list and goes to no sink, up to the end of its last day
#[utoipa::path(post, path = "/api/v1/mutes", tag = "mutes", request_body = MuteWanted, responses((status = 201, body = MuteMade)))]
pub async fn add(State(app): State<App>, who: Who, Body(wanted): Body<MuteWanted>) -> Result<Response, Problem> {
    let id = make_mute(&app, &who, &wanted).await?;
    Ok((StatusCode::CREATED, json(&MuteMade { id })).into_response())
}

/// Withdraws a mute before its day: what it hid is shown again
#[utoipa::path(post, path = "/api/v1/mutes/{id}/withdraw", tag = "mutes", params(("id" = String, Path, description = "`mut-…`")),
    request_body = MuteEnd, responses((status = 204)))]
pub async fn withdraw(State(app): State<App>, who: Who, Path(id): Path<String>, Body(said): Body<MuteEnd>) -> Result<Response, Problem> {
    app.store().withdraw_mute(who.by(app.now()), &id, &said.comment).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
