//! Backups: what there is, and one more.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Problem;
use crate::api::json;
use crate::app::App;
use crate::backups::{self, BackupOf, Schedule};
use crate::who::Who;

/// The backups of this store.
#[derive(Serialize, ToSchema)]
pub struct BackupsOf {
    /// The newest first.
    backups: Vec<BackupOf>,
    /// When they are made by themselves: the setting `backups`.
    schedule: Option<Schedule>,
}

/// The backups in the folder of backups, each read to its end
#[utoipa::path(get, path = "/api/v1/backups", tag = "backups", responses((status = 200, body = BackupsOf)))]
pub async fn list(State(app): State<App>) -> Result<Response, Problem> {
    Ok(json(&BackupsOf { backups: backups::list(&app).await?, schedule: backups::schedule(&app).await? }))
}

/// A job that was begun.
#[derive(Serialize, ToSchema)]
pub struct Begun {
    /// Its number: `GET /api/v1/jobs/{n}` says what becomes of it.
    job: i64,
}

/// Begins a backup; older ones beyond those that are kept go when it is whole
#[utoipa::path(post, path = "/api/v1/backups", tag = "backups", responses((status = 202, body = Begun)))]
pub async fn make(State(app): State<App>, who: Who) -> Result<Response, Problem> {
    let job = backups::begin(&app, who.by(app.now())).await?;
    Ok((StatusCode::ACCEPTED, json(&Begun { job })).into_response())
}
