//! People and the audit log, for those who look after them.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use umbilical_store::{AuditRow, Person, Role};

use super::refused::Refused;
use super::{Head, page};
use crate::Problem;
use crate::api::{PersonWanted, add_person, sites};
use crate::app::App;
use crate::extract::{Checked, Params};
use crate::who::Who;

#[derive(Template)]
#[template(path = "people.html")]
struct People {
    head: Head,
    people: Vec<Person>,
    roles: [Role; 6],
    /// The link of somebody who was just added, shown once.
    link: Option<(String, String)>,
}

impl People {
    fn sites(&self, person: &Person) -> String {
        sites(&person.sites).map_or_else(|| "all".to_owned(), |list| list.join(", "))
    }
}

/// Everybody.
pub async fn people(State(app): State<App>, who: Who) -> Result<Response, Problem> {
    shown(&app, &who, None, None).await
}

async fn shown(app: &App, who: &Who, link: Option<(String, String)>, refused: Option<Refused>) -> Result<Response, Problem> {
    let head = Head::new("People", "/people", Some(who)).again(refused);
    let people = app.store().people().await?;
    Ok(page(head.status(), &People { head, people, roles: Role::ALL, link }))
}

/// Adds somebody and shows the link.
pub async fn add(State(app): State<App>, who: Who, Checked(sent): Checked<Vec<(String, String)>>) -> Result<Response, Problem> {
    let get = |name: &str| sent.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.as_str()).to_owned();
    let named: Vec<String> = get("sites").split(',').map(|s| s.trim().to_owned()).filter(|s| !s.is_empty()).collect();
    let wanted = PersonWanted {
        login: get("login"),
        name: get("name"),
        email: None,
        roles: sent.iter().filter_map(|(k, _)| k.strip_prefix("role-")).map(str::to_owned).collect(),
        sites: (!named.is_empty()).then_some(named),
        subscribers: !get("subscribers").is_empty(),
        disabled: false,
    };
    match add_person(&app, &who, &wanted).await {
        Ok((person, link)) => shown(&app, &who, Some((person.login, link)), None).await,
        Err(problem) => shown(&app, &who, None, Some(Refused::new("add", &sent, problem)?)).await,
    }
}

#[derive(Template)]
#[template(path = "audit-log.html")]
struct Log {
    head: Head,
    rows: Vec<AuditRow>,
    next: Option<u64>,
}

/// Which part of the log.
#[derive(Deserialize)]
pub struct Before {
    before: Option<u64>,
}

/// The audit log.
pub async fn log(State(app): State<App>, who: Who, Params(params): Params<Before>) -> Result<Response, Problem> {
    let rows = app.store().audit_rows(params.before, 100).await?;
    let next = rows.last().map(|r| r.n).filter(|n| *n > 1);
    Ok(page(StatusCode::OK, &Log { head: Head::new("Audit log", "/audit-log", Some(&who)), rows, next }))
}
