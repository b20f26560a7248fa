//! Whether the service is there.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::Problem;
use crate::api::json;
use crate::app::App;

/// A word.
#[derive(Serialize, ToSchema)]
pub struct Health {
    /// `ok`.
    status: &'static str,
}

/// Whether the program runs
#[utoipa::path(get, path = "/api/v1/health", tag = "service", responses((status = 200, body = Health)))]
pub async fn health() -> Response {
    json(&Health { status: "ok" })
}

/// Whether it can answer: the database does
#[utoipa::path(get, path = "/api/v1/ready", tag = "service", responses((status = 200, body = Health)))]
pub async fn ready(State(app): State<App>) -> Result<Response, Problem> {
    app.store().ping().await?;
    Ok(json(&Health { status: "ok" }))
}
