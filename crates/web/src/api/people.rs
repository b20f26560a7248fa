//! People: who may come in, and with what roles and sites. Passwords are nobody's but their owner's: an administrator gives a
//! link that works once.

use std::collections::BTreeSet;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use umbilical_store::{Person, Role, Sites};
use utoipa::ToSchema;

use crate::Problem;
use crate::api::{json, sites};
use crate::app::App;
use crate::extract::Body;
use crate::rights::{self, Permission};
use crate::who::Who;

/// A person as administrators see it.
#[derive(Serialize, ToSchema)]
pub struct PersonOf {
    /// `usr-…`
    pub id: String,
    /// What is typed to sign in.
    pub login: String,
    /// Shown.
    pub name: String,
    /// Mail address.
    pub email: Option<String>,
    /// What it may do.
    pub roles: Vec<&'static str>,
    /// The sites that it sees; `null` for all.
    pub sites: Option<Vec<String>>,
    /// Whether it sees subscriber numbers whole.
    pub subscribers: bool,
    /// Whether it is shut out.
    pub disabled: bool,
    /// Whether it has a password here.
    pub password: bool,
    /// Whether it types a one-time code.
    pub totp: bool,
    /// Whether it signs in at an OpenID provider.
    pub openid: bool,
    /// Since when it is known.
    pub created: String,
}

impl From<Person> for PersonOf {
    fn from(p: Person) -> Self {
        Self {
            id: p.id(),
            roles: p.roles.iter().map(|r| r.name()).collect(),
            sites: sites(&p.sites),
            password: p.password.is_some(),
            totp: p.totp.is_some(),
            openid: p.identity.is_some(),
            created: p.created.to_string(),
            login: p.login,
            name: p.name,
            email: p.email,
            subscribers: p.subscribers,
            disabled: p.disabled,
        }
    }
}

/// What an administrator says about a person.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonWanted {
    /// What is typed to sign in; it never changes.
    pub login: String,
    /// Shown.
    #[serde(default)]
    pub name: String,
    /// Mail address.
    pub email: Option<String>,
    /// Of `viewer`, `analyst`, `engineer`, `approver`, `admin`, `auditor`.
    pub roles: Vec<String>,
    /// The sites that it sees; `null` for all.
    pub sites: Option<Vec<String>>,
    /// Whether it sees subscriber numbers whole.
    #[serde(default)]
    pub subscribers: bool,
    /// Whether it is shut out.
    #[serde(default)]
    pub disabled: bool,
}

impl PersonWanted {
    fn onto(&self, person: &mut Person) -> Result<(), Problem> {
        let role = |name: &String| {
            let known = || rights_names().join(", ");
            Role::from_name(name).ok_or_else(|| Problem::at("roles", format!("there is no such role; possible are {}", known())))
        };
        person.roles = self.roles.iter().map(role).collect::<Result<BTreeSet<_>, _>>()?;
        person.name = limited("name", &self.name)?;
        person.email = self.email.as_deref().map(|e| limited("email", e)).transpose()?.filter(|e| !e.is_empty());
        person.sites = named(self.sites.as_deref())?;
        (person.subscribers, person.disabled) = (self.subscribers, self.disabled);
        Ok(())
    }
}

fn rights_names() -> Vec<&'static str> {
    Role::ALL.iter().map(|r| r.name()).collect()
}

fn limited(what: &'static str, text: &str) -> Result<String, Problem> {
    if text.len() > 300 { Err(Problem::at(what, "this is too long")) } else { Ok(text.trim().to_owned()) }
}

/// Sites as a body names them.
pub(crate) fn named(sites: Option<&[String]>) -> Result<Sites, Problem> {
    match sites {
        None => Ok(Sites::All),
        Some(list) if list.len() > 1000 || list.iter().any(|s| s.len() > 300) => {
            Err(Problem::at("sites", "these are too many sites, or too long ones"))
        }
        Some(list) => Ok(Sites::Only(list.iter().map(|s| s.trim().to_owned()).filter(|s| !s.is_empty()).collect())),
    }
}

/// A person with its link.
#[derive(Serialize, ToSchema)]
pub struct Invited {
    /// The person.
    #[serde(flatten)]
    person: PersonOf,
    /// Where it chooses its password, once, within a week: a path of this server. Shown now and never again.
    link: String,
}

/// Everybody, by login
#[utoipa::path(get, path = "/api/v1/users", tag = "people", responses((status = 200, body = [PersonOf])))]
pub async fn list(State(app): State<App>) -> Result<Response, Problem> {
    Ok(json(&app.store().people().await?.into_iter().map(PersonOf::from).collect::<Vec<_>>()))
}

/// A person
#[utoipa::path(get, path = "/api/v1/users/{id}", tag = "people", params(("id" = String, Path, description = "`usr-…`")), responses((status = 200, body = PersonOf)))]
pub async fn one(State(app): State<App>, Path(id): Path<String>) -> Result<Response, Problem> {
    Ok(json(&PersonOf::from(app.store().person(&id).await?)))
}

/// Adds somebody, and gives a link with which a password is chosen
#[utoipa::path(post, path = "/api/v1/users", tag = "people", request_body = PersonWanted, responses((status = 201, body = Invited)))]
pub async fn add(State(app): State<App>, who: Who, Body(wanted): Body<PersonWanted>) -> Result<Response, Problem> {
    let (person, link) = add_person(&app, &who, &wanted).await?;
    Ok((StatusCode::CREATED, json(&Invited { person: person.into(), link })).into_response())
}

/// Adds somebody, for API and page alike.
pub(crate) async fn add_person(app: &App, who: &Who, wanted: &PersonWanted) -> Result<(Person, String), Problem> {
    let mut person = Person {
        login: wanted.login.trim().to_lowercase(),
        name: String::new(),
        email: None,
        password: None,
        totp: None,
        identity: None,
        roles: BTreeSet::new(),
        sites: Sites::All,
        subscribers: false,
        disabled: false,
        created: app.now(),
    };
    wanted.onto(&mut person)?;
    let added = app.store().add_person(who.by(app.now()), &person).await;
    added.map_err(|error| match Problem::from(error) {
        taken if taken.status == StatusCode::CONFLICT.as_u16() => taken.of("login"),
        other => other,
    })?;
    let link = crate::invite::make(app, who.by(app.now()), &person.id()).await?;
    Ok((person, link))
}

/// Changes roles, sites and the rest; who is shut out is signed out everywhere
#[utoipa::path(put, path = "/api/v1/users/{id}", tag = "people", params(("id" = String, Path, description = "`usr-…`")), request_body = PersonWanted, responses((status = 200, body = PersonOf)))]
pub async fn change(
    State(app): State<App>,
    who: Who,
    Path(id): Path<String>,
    Body(wanted): Body<PersonWanted>,
) -> Result<Response, Problem> {
    let _one = app.deciding().lock().await;
    let mut person = app.store().person(&id).await?;
    if !wanted.login.trim().eq_ignore_ascii_case(&person.login) {
        return Err(Problem::invalid("a login never changes: add another person"));
    }
    wanted.onto(&mut person)?;
    app.store().update_person(who.by(app.now()), &person).await?;
    Ok(json(&PersonOf::from(person)))
}

/// A link.
#[derive(Serialize, ToSchema)]
pub struct LinkOf {
    /// A path of this server, good once, within a week.
    link: String,
}

/// A new link with which somebody chooses a new password; what was there before holds until then
#[utoipa::path(post, path = "/api/v1/users/{id}/link", tag = "people", params(("id" = String, Path, description = "`usr-…`")), responses((status = 201, body = LinkOf)))]
pub async fn link(State(app): State<App>, who: Who, Path(id): Path<String>) -> Result<Response, Problem> {
    let person = app.store().person(&id).await?;
    let link = crate::invite::make(&app, who.by(app.now()), &person.id()).await?;
    Ok((StatusCode::CREATED, json(&LinkOf { link })).into_response())
}

/// A role.
#[derive(Serialize, ToSchema)]
pub struct RoleOf {
    /// Its name.
    role: &'static str,
    /// What it may do.
    permissions: &'static [Permission],
}

/// The roles and what they may do
#[utoipa::path(get, path = "/api/v1/roles", tag = "people", responses((status = 200, body = [RoleOf])))]
pub async fn roles() -> Response {
    json(&Role::ALL.iter().map(|r| RoleOf { role: r.name(), permissions: rights::of_role(*r) }).collect::<Vec<_>>())
}
