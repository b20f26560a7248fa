//! Settings: who signs people in, how long evidence is kept, and whether the logs are whole.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::json;
use umbilical_store::AuditHead;

use super::frame::{Head, page};
use super::refused::Refused;
use crate::Problem;
use crate::api::{put_setting, wholeness};
use crate::app::App;
use crate::backups::{self, BackupOf, Schedule};
use crate::extract::{Checked, Params};
use crate::keeping::{self, Keeping};
use crate::openid::{self, Provider};
use crate::who::Who;

#[derive(Template)]
#[template(path = "settings.html")]
struct Settings {
    head: Head,
    done: bool,
    openid: Option<Provider>,
    /// `group = role` on lines.
    roles: String,
    keeping: Keeping,
    /// What rules are asked, by the last answer.
    law: Vec<(String, String)>,
    database: &'static str,
    schedule: Option<Schedule>,
    /// The newest first.
    backups: Vec<BackupOf>,
}

fn days(n: &Option<u32>) -> String {
    n.map(|n| n.to_string()).unwrap_or_default()
}

fn hours(schedule: &Option<Schedule>) -> String {
    schedule.map(|s| s.every_hours.to_string()).unwrap_or_default()
}

fn kept(schedule: &Option<Schedule>) -> String {
    schedule.map_or(backups::KEEP as u32, |s| s.keep).to_string()
}

/// What a field of the provider holds; where there is none, what it usually does.
fn of<'a>(provider: &'a Option<Provider>, field: &str) -> &'a str {
    let Some(p) = provider else { return if field == "claim" { "groups" } else { "" } };
    match field {
        "issuer" => &p.issuer,
        "client_id" => &p.client_id,
        "label" => &p.label,
        "claim" => &p.claim,
        "sites_claim" => p.sites_claim.as_deref().unwrap_or_default(),
        _ => "",
    }
}

/// The page.
pub async fn settings(State(app): State<App>, who: Who, Params(asked): Params<BTreeMap<String, String>>) -> Result<Response, Problem> {
    shown(&app, &who, asked.contains_key("done"), None).await
}

async fn shown(app: &App, who: &Who, done: bool, refused: Option<Refused>) -> Result<Response, Problem> {
    let openid = openid::provider(app).await?.map(|p| Provider { client_secret: None, ..p });
    let law = app.store().answer(&who.scope).await?.and_then(|(_, answer)| answer.law);
    let shown = Settings {
        head: Head::new("Settings", "/settings", Some(who)).again(refused),
        done,
        roles: openid.iter().flat_map(|p| &p.roles).map(|(group, role)| format!("{group} = {role}")).collect::<Vec<_>>().join("\n"),
        openid,
        keeping: keeping::policy(app).await?,
        law: law.into_iter().flat_map(|l| l.packs).map(|p| (p.id, p.sources_to)).collect(),
        schedule: backups::schedule(app).await?,
        backups: backups::list(app).await?,
        database: if app.store().path().is_some() { "SQLite, a file of the home" } else { "PostgreSQL" },
    };
    Ok(page(shown.head.status(), &shown))
}

/// Sets one of them.
pub async fn set(State(app): State<App>, who: Who, Checked(sent): Checked<Vec<(String, String)>>) -> Result<Response, Problem> {
    let get = |name: &str| sent.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.trim());
    let some = |name: &str| Some(get(name)).filter(|v| !v.is_empty());
    let outcome = match get("name") {
        openid::SETTING if get("to") == "none" => put_setting(&app, &who, openid::SETTING, json!(null)).await,
        openid::SETTING => match roles(get("roles")) {
            Ok(roles) => {
                let value = json!({
                    "issuer": get("issuer"), "client_id": get("client_id"), "client_secret": some("client_secret"), "label": get("label"),
                    "claim": some("claim").unwrap_or("groups"), "roles": roles, "sites_claim": some("sites_claim"),
                });
                put_setting(&app, &who, openid::SETTING, value).await
            }
            Err(problem) => Err(problem),
        },
        keeping::SETTING => {
            let days = |name: &'static str| number(name, some(name));
            match (days("bytes"), days("observations"), days("traffic")) {
                (Ok(bytes), Ok(observations), Ok(traffic)) => {
                    let value = json!({"bytes": bytes, "observations": observations, "traffic": traffic});
                    put_setting(&app, &who, keeping::SETTING, value).await
                }
                (Err(problem), ..) | (_, Err(problem), _) | (.., Err(problem)) => Err(problem),
            }
        }
        "backup" => backups::begin(&app, who.by(app.now())).await.map(|_| ()),
        backups::SETTING => match (number("every_hours", some("every_hours")), number("keep", some("keep"))) {
            (Ok(None), _) => put_setting(&app, &who, backups::SETTING, json!(null)).await,
            (Ok(hours), Ok(keep)) => {
                put_setting(&app, &who, backups::SETTING, json!({"every_hours": hours, "keep": keep.unwrap_or(7)})).await
            }
            (Err(problem), _) | (_, Err(problem)) => Err(problem),
        },
        _ => Err(Problem::missing("there is no such setting")),
    };
    match outcome {
        Ok(()) => Ok(Redirect::to("/settings?done=1").into_response()),
        Err(problem) => shown(&app, &who, false, Some(Refused::new(get("name"), &sent, problem)?)).await,
    }
}

fn number(field: &'static str, text: Option<&str>) -> Result<Option<u32>, Problem> {
    let one = |t: &str| t.parse().map_err(|_| Problem::at(field, "this is a whole number, or nothing: for ever, or never"));
    text.map(one).transpose()
}

/// Roles by group, from lines `group = role`.
fn roles(text: &str) -> Result<BTreeMap<String, String>, Problem> {
    let pair = |line: &str| {
        let (group, role) = line.rsplit_once('=').ok_or_else(|| Problem::at("roles", "write each role on a line: group = role"))?;
        Ok((group.trim().to_owned(), role.trim().to_owned()))
    };
    text.lines().map(str::trim).filter(|l| !l.is_empty()).map(pair).collect()
}

#[derive(Template)]
#[template(path = "verified.html")]
struct Verified {
    head: Head,
    wrong: Vec<String>,
    last: Option<AuditHead>,
}

/// Walks the logs from their beginning.
pub async fn verify(State(app): State<App>, who: Who, Params(asked): Params<BTreeMap<String, String>>) -> Result<Response, Problem> {
    let get = |name: &str| asked.get(name).map(|v| v.trim()).filter(|v| !v.is_empty());
    let known = match (get("n").map(str::parse), get("chain")) {
        (Some(Ok(n)), Some(chain)) => Some(AuditHead { n, chain: chain.to_owned() }),
        (None, None) => None,
        _ => return Err(Problem::invalid("a head is a number and a digest: give both, or neither")),
    };
    let (wrong, last) = wholeness(&app, known.as_ref()).await?;
    Ok(page(StatusCode::OK, &Verified { head: Head::new("Audit log", "/audit-log", Some(&who)), wrong, last }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_stand_on_lines() {
        let read = roles("cn=ops,dc=example = engineer\n\n soc=analyst ").unwrap();
        assert_eq!(read.get("cn=ops,dc=example").map(String::as_str), Some("engineer"));
        assert_eq!(read.get("soc").map(String::as_str), Some("analyst"));
        assert!(roles("nobody").is_err());
    }
}
