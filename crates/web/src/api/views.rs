//! Saved views: a list that somebody comes back to, for itself or for roles. A view holds a query and no row: what it shows is
//! bound by the sites of who looks.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use umbilical_store::{Role, View};
use utoipa::ToSchema;

use crate::Problem;
use crate::api::json;
use crate::app::App;
use crate::extract::Body;
use crate::who::Who;

/// Columns of a view.
const COLUMNS: usize = 50;

/// A saved view.
#[derive(Serialize, ToSchema)]
pub struct ViewOf {
    /// `viw-…`
    id: String,
    /// What it is called.
    name: String,
    /// Whether it is yours.
    own: bool,
    /// Roles that see it, too.
    shared: Vec<&'static str>,
    /// `devices` or `findings`.
    list: String,
    /// The query.
    q: String,
    /// The sort.
    sort: Option<String>,
    /// The columns shown.
    columns: Vec<String>,
    /// When it was last changed.
    changed: String,
}

/// What a view is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ViewWanted {
    /// What it is called: one person has one of a name.
    name: String,
    /// Roles that see it, too.
    #[serde(default)]
    shared: Vec<String>,
    /// `devices` or `findings`.
    list: String,
    /// The query.
    #[serde(default)]
    q: String,
    /// The sort.
    sort: Option<String>,
    /// The columns shown.
    #[serde(default)]
    columns: Vec<String>,
}

/// The id of a view.
#[derive(Serialize, ToSchema)]
pub struct ViewId {
    /// `viw-…`
    id: String,
}

/// Your views and those that others share with a role of yours, by name
#[utoipa::path(get, path = "/api/v1/views", tag = "views", responses((status = 200, body = [ViewOf])))]
pub async fn list(State(app): State<App>, who: Who) -> Result<Response, Problem> {
    let (own, roles) = (who.person.id(), who.person.roles.iter().copied().collect::<Vec<Role>>());
    let views = app.store().views(&own, &roles).await?;
    let shown = views.into_iter().map(|v| ViewOf {
        own: v.person == own,
        id: v.id,
        name: v.name,
        shared: v.shared.iter().map(|r| r.name()).collect(),
        list: v.list,
        q: v.query,
        sort: v.sort,
        columns: v.columns,
        changed: v.changed.to_string(),
    });
    Ok(json(&shown.collect::<Vec<_>>()))
}

/// Saves a view; one of the same name takes the place of the older
#[utoipa::path(post, path = "/api/v1/views", tag = "views", request_body = ViewWanted, responses((status = 201, body = ViewId)))]
pub async fn save(State(app): State<App>, who: Who, Body(wanted): Body<ViewWanted>) -> Result<Response, Problem> {
    let role =
        |name: &String| Role::from_name(name).ok_or_else(|| Problem::invalid("there is no such role; `GET /api/v1/roles` lists them"));
    if wanted.columns.len() > COLUMNS || wanted.columns.iter().chain(&wanted.sort).any(|c| c.len() > 100) {
        return Err(Problem::invalid("these are too many columns, or too long ones"));
    }
    let view = View {
        id: String::new(),
        name: wanted.name,
        person: who.person.id(),
        shared: wanted.shared.iter().map(role).collect::<Result<_, _>>()?,
        list: wanted.list,
        query: wanted.q,
        sort: wanted.sort,
        columns: wanted.columns,
        changed: app.now(),
    };
    let id = app.store().save_view(who.by(app.now()), &view).await?;
    Ok((StatusCode::CREATED, json(&ViewId { id })).into_response())
}

/// Takes one of your views away
#[utoipa::path(delete, path = "/api/v1/views/{id}", tag = "views", params(("id" = String, Path, description = "`viw-…`")), responses((status = 204)))]
pub async fn remove(State(app): State<App>, who: Who, Path(id): Path<String>) -> Result<Response, Problem> {
    app.store().remove_view(who.by(app.now()), &who.person.id(), &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
