//! What went wrong, as RFC 9457 has it: `application/problem+json`, or a page for who asked for one.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use umbilical_store::StoreError;
use utoipa::ToSchema;

/// A failure in words for the person in front of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// What kind of failure: `urn:umbilical:problem:NAME`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The kind in a few words.
    pub title: &'static str,
    /// The status.
    pub status: u16,
    /// What happened here, and what to do.
    pub detail: String,
    /// Of a query: the character at which the mistake stands, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<usize>)]
    pub column: Option<u32>,
    /// The field of what was sent that it is about, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<&'static str>,
    /// What could stand there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed: Vec<String>,
    /// Seconds until it is worth trying again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    pub retry_after: Option<u32>,
}

impl Problem {
    /// A failure of this status.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let (kind, title) = named(status);
        Self {
            kind,
            title,
            status: status.as_u16(),
            detail: detail.into(),
            column: None,
            field: None,
            allowed: Vec::new(),
            retry_after: None,
        }
    }

    /// What was sent makes no sense.
    pub fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    /// A value that was sent makes no sense: the one of this field.
    pub fn at(field: &'static str, detail: impl Into<String>) -> Self {
        Self { field: Some(field), ..Self::invalid(detail) }
    }

    /// The same about a field.
    #[must_use]
    pub fn of(self, field: &'static str) -> Self {
        Self { field: Some(field), ..self }
    }

    /// There is no such thing, or it is not for the asker's eyes.
    pub fn missing(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// Not allowed.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, detail)
    }

    /// Who asks has not said who it is.
    pub fn unknown_asker() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "sign in, or send `Authorization: Bearer umb_…` with a token that holds")
    }

    /// Too often.
    pub fn too_often(seconds: u64) -> Self {
        let detail = format!("too many requests: try again in {seconds} s");
        Self { retry_after: Some(u32::try_from(seconds).unwrap_or(u32::MAX)), ..Self::new(StatusCode::TOO_MANY_REQUESTS, detail) }
    }

    /// A failure of this program or the machine: what happened is for its log, not for who asks.
    pub fn internal(what: impl std::fmt::Display) -> Self {
        tracing::error!(error = %what, "internal error");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "something failed here; the log of the server says what")
    }

    /// Its status.
    pub fn code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

fn named(status: StatusCode) -> (&'static str, &'static str) {
    match status {
        StatusCode::BAD_REQUEST => ("urn:umbilical:problem:bad-request", "The request cannot be read"),
        StatusCode::UNAUTHORIZED => ("urn:umbilical:problem:not-signed-in", "Not signed in"),
        StatusCode::FORBIDDEN => ("urn:umbilical:problem:not-allowed", "Not allowed"),
        StatusCode::NOT_FOUND => ("urn:umbilical:problem:not-found", "Not found"),
        StatusCode::METHOD_NOT_ALLOWED => ("urn:umbilical:problem:method", "Not with this method"),
        StatusCode::REQUEST_TIMEOUT => ("urn:umbilical:problem:timeout", "Too slow"),
        StatusCode::CONFLICT => ("urn:umbilical:problem:conflict", "Not as things stand"),
        StatusCode::PRECONDITION_FAILED => ("urn:umbilical:problem:changed", "Changed meanwhile"),
        StatusCode::PRECONDITION_REQUIRED => ("urn:umbilical:problem:if-match", "If-Match is needed"),
        StatusCode::MISDIRECTED_REQUEST => ("urn:umbilical:problem:host", "Not under this name"),
        StatusCode::PAYLOAD_TOO_LARGE => ("urn:umbilical:problem:too-large", "Too large"),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ("urn:umbilical:problem:media-type", "Not in this form"),
        StatusCode::UNPROCESSABLE_ENTITY => ("urn:umbilical:problem:invalid", "Not understood"),
        StatusCode::TOO_MANY_REQUESTS => ("urn:umbilical:problem:too-often", "Too often"),
        StatusCode::SERVICE_UNAVAILABLE => ("urn:umbilical:problem:unavailable", "Not now"),
        StatusCode::INSUFFICIENT_STORAGE => ("urn:umbilical:problem:full", "No room left"),
        _ => ("urn:umbilical:problem:internal", "Failed"),
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::NotFound { .. } => Self::missing(error.to_string()),
            StoreError::Query(q) => Self {
                column: u32::try_from(q.column).ok(),
                allowed: q.allowed.iter().map(|a| (*a).to_owned()).collect(),
                ..Self::invalid(error.to_string())
            },
            StoreError::Conflict(what) => Self::new(StatusCode::CONFLICT, what.clone()),
            StoreError::Forbidden(what) => Self::forbidden(*what),
            StoreError::Invalid(what) => Self::invalid(what.clone()),
            StoreError::Field { field, what } => Self::at(field, what.clone()),
            StoreError::Full(_) => {
                tracing::error!(%error, "store");
                Self::new(StatusCode::INSUFFICIENT_STORAGE, "no room is left on the server's disk; what was acknowledged is kept")
            }
            StoreError::Unavailable(_) => {
                tracing::error!(%error, "store");
                Self { retry_after: Some(5), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "the database does not answer") }
            }
            _ => Self::internal(&error),
        }
    }
}

impl From<crate::record::RecordError> for Problem {
    fn from(error: crate::record::RecordError) -> Self {
        match error {
            // A pack or the file of waivers has a mistake: whoever waits for the answer must hear where.
            crate::record::RecordError::Law(text) => {
                Self::new(StatusCode::CONFLICT, format!("the fleet cannot be answered by the rules as they stand: {text}"))
            }
            crate::record::RecordError::Store(error) => error.into(),
            other => Self::internal(other),
        }
    }
}

impl From<umbilical_store::query::QueryError> for Problem {
    fn from(error: umbilical_store::query::QueryError) -> Self {
        StoreError::from(error).into()
    }
}

/// The media type.
pub const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (self.code(), [(header::CONTENT_TYPE, PROBLEM_JSON)], body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if self.status == 401 {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        // A page is made of it where a page was asked for.
        response.extensions_mut().insert(self);
        response
    }
}
