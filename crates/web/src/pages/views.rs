//! Saved views: lists that somebody comes back to.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use umbilical_store::{Role, View};

use super::findings;
use super::fleet::{self, Asked, href};
use super::refused::Refused;
use crate::Problem;
use crate::app::App;
use crate::extract::Checked;
use crate::who::Who;

/// A view as a list shows it.
pub struct Saved {
    pub id: String,
    pub name: String,
    pub href: String,
    /// Whether it is the asker's own.
    pub own: bool,
}

/// The page of a list.
fn path(list: &str) -> &'static str {
    if list == "findings" { "/findings" } else { "/fleet" }
}

/// The views of a list that somebody has or is shown.
pub async fn of(app: &App, who: &Who, list: &str) -> Result<Vec<Saved>, Problem> {
    let own = who.person.id();
    let roles: Vec<Role> = who.person.roles.iter().copied().collect();
    let views = app.store().views(&own, &roles).await?;
    let shown = views.into_iter().filter(|v| v.list == list);
    Ok(shown
        .map(|v| Saved { href: href(path(&v.list), &v.query, v.sort.as_deref()), own: v.person == own, id: v.id, name: v.name })
        .collect())
}

/// Saves the list that is seen, and shows it.
pub async fn save(State(app): State<App>, who: Who, Checked(sent): Checked<Vec<(String, String)>>) -> Result<Response, Problem> {
    let get = |name: &str| sent.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.as_str());
    let view = View {
        id: String::new(),
        name: get("name").to_owned(),
        person: who.person.id(),
        shared: sent.iter().filter(|(n, _)| n == "share").filter_map(|(_, v)| Role::from_name(v)).collect(),
        list: get("list").to_owned(),
        query: get("q").to_owned(),
        sort: Some(get("sort").to_owned()).filter(|s| !s.is_empty() && s.len() <= 100),
        columns: Vec::new(),
        changed: app.now(),
    };
    if let Err(error) = app.store().save_view(who.by(app.now()), &view).await {
        let (refused, asked) = (Some(Refused::new("view", &sent, error.into())?), Asked::again(&sent));
        return match path(&view.list) {
            "/findings" => findings::list(&app, &who, &asked, refused).await,
            _ => fleet::list(&app, &who, &asked, refused).await,
        };
    }
    Ok(Redirect::to(&href(path(&view.list), &view.query, view.sort.as_deref())).into_response())
}

/// Takes one of somebody's own views away.
pub async fn remove(
    State(app): State<App>,
    who: Who,
    Path(id): Path<String>,
    Checked(sent): Checked<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    app.store().remove_view(who.by(app.now()), &who.person.id(), &id).await?;
    let list = sent.iter().find(|(n, _)| n == "list").map_or("", |(_, v)| v.as_str());
    Ok(Redirect::to(path(list)).into_response())
}
