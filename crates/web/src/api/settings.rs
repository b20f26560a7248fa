//! Settings of the server. Each has a form of its own; secrets go in and never come out.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use utoipa::ToSchema;

use crate::Problem;
use crate::api::json as answer;
use crate::app::App;
use crate::backups::{self, Schedule};
use crate::extract::Body;
use crate::keeping::{self, Keeping};
use crate::openid::{self, Provider};
use crate::who::Who;

/// The settings.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct Settings {
    /// The OpenID provider, without its secret; `null` where there is none.
    openid: Option<Provider>,
    /// How long evidence is kept.
    keeping: Keeping,
    /// When backups are made; `null` where none are made by themselves.
    backups: Option<Schedule>,
}

/// The settings of the server, without their secrets
#[utoipa::path(get, path = "/api/v1/settings", tag = "settings", responses((status = 200, body = Settings)))]
pub async fn list(State(app): State<App>) -> Result<Response, Problem> {
    let openid = openid::provider(&app).await?.map(|p| Provider { client_secret: None, ..p });
    Ok(answer(&Settings { openid, keeping: keeping::policy(&app).await?, backups: backups::schedule(&app).await? }))
}

/// Sets one of them: `openid` (an object as above, with `client_secret`; without one the old one stays; `null` for none),
/// `keeping` or `backups` (`null` for none)
#[utoipa::path(put, path = "/api/v1/settings/{name}", tag = "settings", params(("name" = String, Path)), request_body = Object, responses((status = 204)))]
pub async fn set(State(app): State<App>, who: Who, Path(name): Path<String>, Body(value): Body<Json>) -> Result<Response, Problem> {
    put_setting(&app, &who, &name, value).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Sets one, after it was looked at.
pub(crate) async fn put_setting(app: &App, who: &Who, name: &str, value: Json) -> Result<(), Problem> {
    let (value, secret) = match name {
        openid::SETTING if value.is_null() => (Json::Null, true),
        openid::SETTING => {
            let mut wanted: Provider = read(value)?;
            wanted.check()?;
            if wanted.client_secret.is_none() {
                // The old secret is the old provider's and goes to no other.
                let old = openid::provider(app).await?.filter(|p| p.issuer == wanted.issuer && p.client_id == wanted.client_id);
                wanted.client_secret = old.and_then(|p| p.client_secret);
            }
            (json!(wanted), true)
        }
        keeping::SETTING => (json!(read::<Keeping>(value)?.check()?), false),
        backups::SETTING if value.is_null() => (Json::Null, false),
        backups::SETTING => (json!(read::<Schedule>(value)?.check()?), false),
        _ => return Err(Problem::missing("there is no such setting; there are `openid`, `keeping` and `backups`")),
    };
    app.store().set_setting(who.by(app.now()), name, &value, secret).await?;
    Ok(())
}

fn read<T: serde::de::DeserializeOwned>(value: Json) -> Result<T, Problem> {
    serde_json::from_value(value).map_err(|e| Problem::invalid(e.to_string()))
}
