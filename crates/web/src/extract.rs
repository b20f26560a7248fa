//! What handlers are given, with problems in our form where it cannot be read.

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Query, RawForm, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::who::Who;
use crate::{Problem, secret};

/// The parameters of a query.
pub struct Params<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Query(value) = Query::<T>::from_request_parts(parts, state)
            .await
            .map_err(|e: QueryRejection| Problem::invalid(format!("the parameters of the address cannot be read: {}", e.body_text())))?;
        Ok(Self(value))
    }
}

/// A JSON body.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let Json(value) = Json::<T>::from_request(request, state).await.map_err(|e: JsonRejection| refused(e.status(), e.body_text()))?;
        Ok(Self(value))
    }
}

/// A form of a page, with the session's word in it where there is a session.
pub struct Checked<T>(pub T);

#[derive(serde::Deserialize)]
struct Csrf {
    #[serde(default)]
    csrf: String,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Checked<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let session = request.extensions().get::<Who>().and_then(|w| w.session.clone());
        let RawForm(bytes) = RawForm::from_request(request, state).await.map_err(|e| refused(e.status(), e.body_text()))?;
        let Csrf { csrf } = read(&bytes)?;
        if session.is_some_and(|s| !secret::same(&csrf, &s.csrf)) {
            return Err(stale());
        }
        read(&bytes).map(Self)
    }
}

/// A form of somebody who is not known yet: the browser's word on where it comes from is all there is.
pub struct Open<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Open<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let RawForm(bytes) = RawForm::from_request(request, state).await.map_err(|e| refused(e.status(), e.body_text()))?;
        read(&bytes).map(Self)
    }
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    serde_urlencoded::from_bytes(bytes).map_err(|e| Problem::invalid(format!("the form cannot be read: {e}")))
}

/// A form that was made for another session.
pub fn stale() -> Problem {
    Problem::forbidden("the form is from another session: go back, load the page again and send it once more")
}

fn refused(status: StatusCode, what: String) -> Problem {
    let status = match status {
        StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNSUPPORTED_MEDIA_TYPE => status,
        StatusCode::BAD_REQUEST => StatusCode::BAD_REQUEST,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    Problem::new(status, what)
}
