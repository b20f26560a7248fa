//! Waivers: one person proposes to live with what a rule found, another approves, and the home's file of waivers has one entry more.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use umbilical_core::Day;
use umbilical_store::query::Query;
use umbilical_store::{KeptWaiver, Named, Page, Proposal, Scope, WaiverState};
use utoipa::ToSchema;

use crate::Problem;
use crate::api::json;
use crate::app::App;
use crate::extract::Body;
use crate::rights::Permission;
use crate::waivers;
use crate::who::Who;

/// A waiver that was proposed here.
#[derive(Serialize, ToSchema)]
pub struct WaiverOf {
    /// `wvr-…`
    pub id: String,
    /// The rule.
    pub code: String,
    /// The subject's id or name, or a pattern with `*`.
    pub subject: String,
    /// The device that this is; `null` where it is none, several, or gone.
    pub device: Option<WaivedDevice>,
    /// The module, or a pattern.
    pub module: Option<String>,
    /// Why.
    pub reason: String,
    /// Last day on which it holds.
    pub until: String,
    /// In the words of VEX.
    pub justification: Option<String>,
    /// `proposed` (it does not hold), `approved` (it stands in the file), `revoked`, `withdrawn` (by who proposed it).
    pub state: &'static str,
    /// Who proposed it.
    pub proposed_by: String,
    /// When.
    pub proposed_at: String,
    /// Who approved or revoked it last.
    pub settled_by: Option<String>,
    /// When.
    pub settled_at: Option<String>,
    /// What was said to that.
    pub comment: String,
    /// Whether the asker may approve it: another than who proposed it, and allowed to.
    pub may_approve: bool,
    /// Whether the asker may withdraw it: who proposed it, for as long as nobody settled it.
    pub may_withdraw: bool,
}

/// A device that a waiver is about.
#[derive(Clone, Serialize, ToSchema)]
pub struct WaivedDevice {
    /// `dev-…`
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Brand and model, where they are known.
    pub product: Option<String>,
}

impl From<Named> for WaivedDevice {
    fn from(n: Named) -> Self {
        Self { id: n.id, name: n.name, product: n.product }
    }
}

impl WaiverOf {
    fn of(w: KeptWaiver, who: &Who, devices: &BTreeMap<String, Named>) -> Self {
        let (waits, own) = (w.state == WaiverState::Proposed, w.person == who.person.id());
        let may_approve = who.may(Permission::Approve) && waits && !own;
        let may_withdraw = who.may(Permission::Decide) && waits && own;
        let Proposal { code, subject, module, reason, until, justification } = w.proposal;
        Self {
            id: w.id,
            code,
            device: devices.get(&subject).cloned().map(Into::into),
            subject,
            module,
            reason,
            until,
            justification,
            state: w.state.name(),
            proposed_by: w.proposed_by,
            proposed_at: w.proposed_at.to_string(),
            settled_by: w.settled_by,
            settled_at: w.settled_at.map(|t| t.to_string()),
            comment: w.comment,
            may_approve,
            may_withdraw,
        }
    }
}

/// An entry of the file of waivers, whoever wrote it.
#[derive(Serialize, ToSchema)]
pub struct Entry {
    /// The rule.
    pub code: String,
    /// The subject.
    pub subject: String,
    /// The device that this is; `null` where it is none, several, or gone.
    pub device: Option<WaivedDevice>,
    /// The module.
    pub module: Option<String>,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub approver: String,
    /// First day on which it no longer holds.
    pub expires: String,
    /// Whether that day has come.
    pub expired: bool,
    /// In the words of VEX.
    pub justification: Option<&'static str>,
}

/// Proposals, and what holds.
#[derive(Serialize, ToSchema)]
pub struct WaiversOf {
    /// Proposed here, the newest first.
    pub waivers: Vec<WaiverOf>,
    /// What stands in the file, in its order: the only waivers that hold.
    pub file: Vec<Entry>,
    /// Why the file cannot be read; `null` where it can.
    pub problem: Option<String>,
}

/// What is proposed: about a finding, or about a rule and a subject.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WaiverWanted {
    /// A finding of a rule, `fnd-…`: rule, subject and module are its own.
    #[serde(default)]
    pub finding: Option<String>,
    /// The rule.
    #[serde(default)]
    pub code: Option<String>,
    /// The subject's id or name, or a pattern with `*`.
    #[serde(default)]
    pub subject: Option<String>,
    /// The module, or a pattern: a finding that names a module is waived only by its name.
    #[serde(default)]
    pub module: Option<String>,
    /// Why.
    pub reason: String,
    /// Last day on which it holds, `YYYY-MM-DD`.
    pub until: String,
    /// In the words of VEX: `inline_mitigations_already_exist`, …
    #[serde(default)]
    pub justification: Option<String>,
}

/// Why it is settled so.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Settled {
    /// In words.
    #[serde(default)]
    pub comment: String,
}

/// What stands in the file, and what was proposed, as somebody sees it.
pub(crate) async fn waivers_of(app: &App, who: &Who) -> Result<WaiversOf, Problem> {
    let (path, today) = (waivers::path(app), app.today());
    let read = waivers::text(&path).map_err(|e| e.to_string()).and_then(|text| waivers::read(&path, &text));
    let (file, problem) = match read {
        Ok(all) => (all.waivers, None),
        Err(problem) => (Vec::new(), Some(problem)),
    };
    let kept = app.store().waivers().await?;
    let named: BTreeSet<&String> = kept.iter().map(|w| &w.proposal.subject).chain(file.iter().map(|w| w.subject.get_ref())).collect();
    let named: Vec<String> = named.into_iter().filter(|s| !s.contains('*')).cloned().collect();
    let mut devices = BTreeMap::new();
    for some in named.chunks(1000) {
        devices.extend(app.store().named(&who.scope, some).await?);
    }
    let entry = |w: umbilical_knowledge::policy::Waiver| Entry {
        expired: w.expires.0.earliest() <= today,
        expires: w.expires.to_string(),
        code: w.code.into_inner(),
        device: devices.get(w.subject.get_ref()).cloned().map(Into::into),
        subject: w.subject.into_inner(),
        module: w.module,
        reason: w.reason.into_inner(),
        approver: w.approver.into_inner(),
        justification: w.justification.map(|j| j.name()),
    };
    Ok(WaiversOf {
        waivers: kept.into_iter().map(|w| WaiverOf::of(w, who, &devices)).collect(),
        file: file.into_iter().map(entry).collect(),
        problem,
    })
}

/// The last day of a waiver that is proposed.
pub(crate) fn last_day(app: &App, text: &str) -> Result<Day, Problem> {
    let until: Day = text.parse().map_err(|_| Problem::at("until", "say the last day on which it holds: YYYY-MM-DD"))?;
    if until < app.today() {
        return Err(Problem::at("until", "the last day on which it is to hold has passed"));
    }
    Ok(until)
}

/// Proposes a waiver, and gives its id. It holds for nothing until another approves it.
pub(crate) async fn propose_waiver(app: &App, who: &Who, wanted: WaiverWanted) -> Result<String, Problem> {
    let until = last_day(app, &wanted.until)?;
    if wanted.reason.trim().is_empty() {
        return Err(Problem::at("reason", "a waiver says because of what"));
    }
    let (code, subject, module) = match (wanted.finding, wanted.code, wanted.subject) {
        (Some(finding), None, None) if wanted.module.is_none() => of_finding(app, who, &finding).await?,
        (None, Some(code), Some(subject)) => (code, subject, wanted.module),
        _ => return Err(Problem::invalid("say `finding`, or `code` and `subject` (and `module` where its findings name one)")),
    };
    if let Some(word) = &wanted.justification {
        let known: Result<umbilical_knowledge::policy::Justification, _> = serde_json::from_value(word.as_str().into());
        known.map_err(|e| Problem::invalid(format!("`justification`: {e}")))?;
    }
    if code.contains('*') {
        return Err(Problem::invalid("name the rule: a pattern would accept what rules not yet read will find"));
    }
    // Who misspells a rule would wait for an approval that changes nothing.
    let quoted = code.replace('\\', "\\\\").replace('"', "\\\"");
    let found = Query::parse(&format!("code:\"{quoted}\" source:rule"))?;
    if app.store().findings(&Scope::ALL, &found, Page { limit: 1, ..Page::default() }).await?.rows.is_empty() {
        return Err(Problem::invalid("there is no finding of such a rule: a waiver accepts what a rule found"));
    }
    let proposal = Proposal { code, subject, module, reason: wanted.reason, until: until.to_string(), justification: wanted.justification };
    Ok(app.store().propose_waiver(who.by(app.now()), &who.person.id(), &proposal).await?)
}

async fn of_finding(app: &App, who: &Who, id: &str) -> Result<(String, String, Option<String>), Problem> {
    let row = app.store().finding(&who.scope, id).await?;
    if row.finding.source != "rule" {
        return Err(Problem::invalid("only what a rule found is waived: decide about this finding instead"));
    }
    let module = row.finding.detail.get("module").and_then(|m| m.as_str()).map(str::to_owned);
    let mut subject = row.finding.subject.id.clone();
    if let Some((device, name)) = row.device {
        // A device that kept an earlier id is judged by its newer one: its name, where no other has it, is the same in both.
        let aliased = !app.store().device(&who.scope, &device).await?.aliases.is_empty();
        let query = Query::parse(&format!("name:\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"")));
        let alone = match query {
            Ok(query) => app.store().count_devices(&Scope::ALL, &query).await? == 1,
            Err(_) => false,
        };
        if aliased && alone && !name.contains('*') {
            subject = name;
        }
    }
    Ok((row.finding.code.to_string(), subject, module))
}

/// Approves a waiver: it goes into the file, and the fleet is answered anew. Never by who proposed it.
pub(crate) async fn approve_waiver(app: &App, who: &Who, id: &str, comment: &str) -> Result<(), Problem> {
    let waiver = app.store().waiver(id).await?;
    if waiver.person == who.person.id() {
        return Err(Problem::forbidden("another person approves than the one who proposed"));
    }
    let today = app.today();
    if waiver.proposal.until.parse::<Day>().is_ok_and(|until| until < today) {
        return Err(Problem::new(StatusCode::CONFLICT, "its last day has passed: propose it anew"));
    }
    let (path, approver) = (waivers::path(app), who.person.login.clone());
    let write = move |waiver: &KeptWaiver| waivers::put(&path, &waivers::with(&path, &waivers::text(&path)?, waiver, &approver, today)?);
    app.store().settle_waiver(who.by(app.now()), id, WaiverState::Approved, comment, write).await?;
    app.pipeline().anew();
    Ok(())
}

/// Refuses a waiver that was proposed, or takes back one that was approved: its entry goes out of the file.
pub(crate) async fn revoke_waiver(app: &App, who: &Who, id: &str, comment: &str) -> Result<(), Problem> {
    let path = waivers::path(app);
    let write = move |waiver: &KeptWaiver| {
        let text = waivers::text(&path)?;
        let rest = waivers::without(&text, &waiver.id);
        // Another of the same that was approved here stands for itself.
        let left = waivers::read(&path, &waivers::by_hand(&rest));
        if waiver.state == WaiverState::Approved && left.is_ok_and(|left| waivers::stands(&left, waiver)) {
            let what = format!("the file of waivers holds the same entry without its line `# {}: …`: take it out there", waiver.id);
            return Err(umbilical_store::StoreError::Conflict(what));
        }
        if rest == text { Ok(()) } else { waivers::put(&path, &rest) }
    };
    app.store().settle_waiver(who.by(app.now()), id, WaiverState::Revoked, comment, write).await?;
    app.pipeline().anew();
    Ok(())
}

/// Withdraws a waiver that was proposed and that nobody has settled: by who proposed it.
pub(crate) async fn withdraw_waiver(app: &App, who: &Who, id: &str, comment: &str) -> Result<(), Problem> {
    if app.store().waiver(id).await?.person != who.person.id() {
        return Err(Problem::forbidden("only who proposed it withdraws it; an approver refuses it"));
    }
    Ok(app.store().settle_waiver(who.by(app.now()), id, WaiverState::Withdrawn, comment, |_| Ok(())).await?)
}

/// What stands in the file of waivers, and what was proposed
#[utoipa::path(get, path = "/api/v1/waivers", tag = "waivers", responses((status = 200, body = WaiversOf)))]
pub async fn list(State(app): State<App>, who: Who) -> Result<Response, Problem> {
    Ok(json(&waivers_of(&app, &who).await?))
}

/// The id of a waiver.
#[derive(Serialize, ToSchema)]
pub struct Proposed {
    /// `wvr-…`
    id: String,
}

/// Proposes to live with what a rule found until a day; it holds for nothing until another person approves it
#[utoipa::path(post, path = "/api/v1/waivers", tag = "waivers", request_body = WaiverWanted, responses((status = 201, body = Proposed)))]
pub async fn propose(State(app): State<App>, who: Who, Body(wanted): Body<WaiverWanted>) -> Result<Response, Problem> {
    let id = propose_waiver(&app, &who, wanted).await?;
    Ok((StatusCode::CREATED, json(&Proposed { id })).into_response())
}

/// Approves a waiver that another person proposed: it is written to the file of waivers, and the fleet is answered anew
#[utoipa::path(post, path = "/api/v1/waivers/{id}/approve", tag = "waivers", params(("id" = String, Path, description = "`wvr-…`")),
    request_body = Settled, responses((status = 204)))]
pub async fn approve(State(app): State<App>, who: Who, Path(id): Path<String>, Body(said): Body<Settled>) -> Result<Response, Problem> {
    approve_waiver(&app, &who, &id, &said.comment).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Refuses a waiver, or takes one back: its entry goes out of the file of waivers, and the fleet is answered anew
#[utoipa::path(post, path = "/api/v1/waivers/{id}/revoke", tag = "waivers", params(("id" = String, Path, description = "`wvr-…`")),
    request_body = Settled, responses((status = 204)))]
pub async fn revoke(State(app): State<App>, who: Who, Path(id): Path<String>, Body(said): Body<Settled>) -> Result<Response, Problem> {
    revoke_waiver(&app, &who, &id, &said.comment).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Withdraws a waiver of your own that nobody has settled yet
#[utoipa::path(post, path = "/api/v1/waivers/{id}/withdraw", tag = "waivers", params(("id" = String, Path, description = "`wvr-…`")),
    request_body = Settled, responses((status = 204)))]
pub async fn withdraw(State(app): State<App>, who: Who, Path(id): Path<String>, Body(said): Body<Settled>) -> Result<Response, Problem> {
    withdraw_waiver(&app, &who, &id, &said.comment).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
