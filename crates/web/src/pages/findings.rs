//! Findings: the work list over the whole fleet, and one of them with what makes it so and what would clear it.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use umbilical_store::query::STATES;
use umbilical_store::{CodeRow, Decided, Many, Role};

use super::decide;
use super::download::Download;
use super::fleet::{Asked, FacetShown, ValueShown, href};
use super::frame::{Head, page};
use super::incident;
use super::refused::Refused;
use super::views::{self, Saved};
use crate::Problem;
use crate::api::FindingLine;
use crate::app::App;
use crate::extract::{Checked, Params};
use crate::rights::Permission;
use crate::who::Who;

/// Values of a facet.
const VALUES: usize = 12;

#[derive(Template)]
#[template(path = "findings.html")]
struct Findings<'a> {
    head: Head,
    q: &'a str,
    sort: Option<&'a str>,
    done: Option<u64>,
    views: Vec<Saved>,
    decides: bool,
    /// Whether waivers may be proposed: they hold for every site.
    waives: bool,
    states: &'static [&'static str],
    after: &'a str,
    roles: [Role; 6],
    download: Option<Download>,
    wrong: Option<String>,
    count: u64,
    exact: bool,
    rows: Vec<FindingLine>,
    facets: Vec<FacetShown>,
    /// Lists that everybody asks for.
    usual: [(&'static str, String); 5],
    next: Option<String>,
    /// Whether the pages of waivers and mutes are the asker's.
    waivers: bool,
    /// Incidents that mutes hide.
    muted: u64,
}

/// The findings.
pub async fn findings(State(app): State<App>, who: Who, Params(asked): Params<Asked>) -> Result<Response, Problem> {
    list(&app, &who, &asked, None).await
}

/// The list, with a form that was refused.
pub async fn list(app: &App, who: &Who, asked: &Asked, refused: Option<Refused>) -> Result<Response, Problem> {
    let (query, wrong) = asked.query();
    let listed = app.store().findings(&who.scope, &query, asked.page()).await?;
    // What is too much to be counted one by one is too much for facets, too.
    let codes = if listed.count.exact { app.store().codes(&who.scope, &query, 1000).await? } else { Vec::new() };
    let head = Head::new("Findings", "/findings", Some(who)).again(refused);
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { head.status() };
    let unread = wrong.is_some();
    let findings = Findings {
        head,
        q: asked.q(),
        sort: asked.sort(),
        done: asked.done(),
        views: views::of(app, who, "findings").await?,
        decides: who.may(Permission::Decide),
        waives: who.may(Permission::Decide) && who.sees_all(),
        states: STATES,
        after: asked.after(),
        roles: Role::ALL,
        download: if wrong.is_none() { Download::findings(who, asked.q().trim(), listed.count) } else { None },
        wrong,
        count: listed.count.n,
        exact: listed.count.exact,
        rows: listed.rows.into_iter().map(Into::into).collect(),
        // Of a query that was not understood the whole list is shown: links narrow that.
        facets: facets(&codes, if unread { "" } else { asked.q().trim() }, asked.sort()),
        usual: [
            ("open", "NOT verdict:pass state:new"),
            ("high or worse", "severity>=high NOT verdict:pass"),
            ("accepted", "state:accepted"),
            ("waived", "waived:yes"),
            ("incidents", "source:detector"),
        ]
        .map(|(label, q)| (label, href("/findings", q, None))),
        waivers: who.sees_all(),
        muted: app.store().muted_count(&who.scope).await?,
        next: asked.next("/findings", listed.next.as_deref()),
    };
    Ok(page(status, &findings))
}

/// What the findings of a list have in common.
fn facets(codes: &[CodeRow], q: &str, sort: Option<&str>) -> Vec<FacetShown> {
    let of = |field: &'static str, value: fn(&CodeRow) -> Option<&str>| {
        let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
        for row in codes {
            if let Some(value) = value(row) {
                let sum = sums.entry(value).or_default();
                *sum = sum.saturating_add(row.findings);
            }
        }
        let mut sums: Vec<(&str, u64)> = sums.into_iter().collect();
        sums.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        let values = sums.into_iter().take(VALUES);
        FacetShown { field, values: values.map(|(v, n)| ValueShown::new("/findings", q, sort, field, v.to_owned(), n)).collect() }
    };
    let all = [
        of("severity", |r| Some(r.severity)),
        of("verdict", |r| r.verdict.as_deref()),
        of("source", |r| Some(&r.source)),
        of("code", |r| Some(&r.code)),
    ];
    all.into_iter().filter(|f| !f.values.is_empty()).collect()
}

/// Decides about many findings.
pub async fn decide_many(State(app): State<App>, who: Who, Checked(sent): Checked<Vec<(String, String)>>) -> Result<Response, Problem> {
    let sent = decide::Sent(sent);
    match decide::many(&app, &who, Many::Findings, "/findings", &sent).await {
        Err(problem) => list(&app, &who, &Asked::again(&sent.0), Some(sent.refused_list(problem)?)).await,
        done => done,
    }
}

#[derive(Template)]
#[template(path = "finding.html")]
struct One {
    head: Head,
    f: FindingLine,
    /// What its source says more.
    detail: Vec<(String, String)>,
    decided: Vec<Decided>,
    decides: bool,
    states: Vec<&'static str>,
    action: String,
    /// What stands behind it, where a detector found it.
    incident: Option<incident::Shown>,
    /// Whether a waiver may be proposed: of a rule that did not pass, by who sees every site.
    waives: bool,
}

/// One finding.
pub async fn one(State(app): State<App>, who: Who, Path(id): Path<String>) -> Result<Response, Problem> {
    shown(&app, &who, &id, None).await
}

/// Its page, with a form that was refused.
pub async fn shown(app: &App, who: &Who, id: &str, refused: Option<Refused>) -> Result<Response, Problem> {
    let f = FindingLine::from(app.store().finding(&who.scope, id).await?);
    // What is muted is not decided about: whoever wants to ends the mute first.
    let decided = if f.muted.is_some() { Vec::new() } else { app.store().decisions(&who.scope, &f.finding.id).await? };
    let incident = incident::of(app, who, &f.finding, &f.state, &decided).await?;
    let rest = if incident.is_some() { incident::rest(&f.finding.detail) } else { f.finding.detail.clone() };
    let shown = One {
        head: Head::new(f.finding.code.to_string(), "/findings", Some(who)).again(refused),
        detail: detail(&rest),
        incident,
        decided,
        decides: who.may(Permission::Decide) && f.muted.is_none(),
        // What no software mends is not just closed: it is not offered.
        states: STATES.iter().copied().filter(|s| *s != "closed" || f.finding.lifecycle != "not-patchable").collect(),
        waives: f.finding.source == "rule"
            && f.finding.verdict != Some("pass")
            && f.waived().is_none()
            && who.may(Permission::Decide)
            && who.sees_all(),
        action: format!("/findings/{}", f.finding.id),
        f,
    };
    Ok(page(shown.head.status(), &shown))
}

/// Names and values of the detail, in words.
fn detail(detail: &serde_json::Value) -> Vec<(String, String)> {
    fn text(value: &serde_json::Value) -> String {
        match value {
            serde_json::Value::Null => String::new(),
            serde_json::Value::String(text) => text.clone(),
            serde_json::Value::Array(list) => list.iter().map(text).collect::<Vec<_>>().join("; "),
            serde_json::Value::Object(map) => {
                let parts = map.iter().map(|(k, v)| (k.replace('_', " "), text(v))).filter(|(_, v)| !v.is_empty());
                parts.map(|(k, v)| format!("{k} {v}")).collect::<Vec<_>>().join(", ")
            }
            other => other.to_string(),
        }
    }
    // A waiver that holds is said in a sentence.
    let said = |name: &String, value: &serde_json::Value| {
        name == "waiver" && value.get("expired").and_then(serde_json::Value::as_bool) == Some(false)
    };
    let rows = detail.as_object().into_iter().flatten().filter(|(k, v)| !said(k, v)).map(|(k, v)| (k.replace('_', " "), text(v)));
    rows.filter(|(_, v)| !v.is_empty()).collect()
}

/// Decides about a finding and shows it again.
pub async fn decide(
    State(app): State<App>,
    who: Who,
    Path(id): Path<String>,
    Checked(sent): Checked<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    if !id.starts_with("fnd-") {
        return Err(Problem::missing("there is no such finding"));
    }
    let sent = decide::Sent(sent);
    match decide::one(&app, &who, "/findings", &id, &sent).await {
        Err(problem) => shown(&app, &who, &id, Some(sent.refused(problem)?)).await,
        done => done,
    }
}
