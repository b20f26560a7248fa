//! Where somebody is signed in.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Problem;
use crate::api::json;
use crate::app::App;
use crate::who::Who;

/// A session of yours.
#[derive(Serialize, ToSchema)]
pub struct SessionOf {
    /// Its id.
    id: String,
    /// Whether it is the one that asks.
    this: bool,
    /// When it began.
    created: String,
    /// When it ends at the latest.
    expires: String,
    /// When it was last used, to the minute.
    seen: String,
}

/// Your sessions, the newest first
#[utoipa::path(get, path = "/api/v1/sessions", tag = "account", responses((status = 200, body = [SessionOf])))]
pub async fn list(State(app): State<App>, who: Who) -> Result<Response, Problem> {
    let own = who.session.as_ref().map(|s| s.id.as_str());
    let sessions = app.store().sessions(&who.person.id(), app.now()).await?;
    let shown = sessions.into_iter().map(|(id, created, expires, seen)| SessionOf {
        this: own == Some(&id),
        id,
        created: created.to_string(),
        expires: expires.to_string(),
        seen: seen.to_string(),
    });
    Ok(json(&shown.collect::<Vec<_>>()))
}

/// Ends one of your sessions
#[utoipa::path(delete, path = "/api/v1/sessions/{id}", tag = "account", params(("id" = String, Path)), responses((status = 204)))]
pub async fn end(State(app): State<App>, who: Who, Path(id): Path<String>) -> Result<Response, Problem> {
    app.store().end_session_by_id(who.by(app.now()), &who.person.id(), &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
