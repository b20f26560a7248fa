//! Who asks, and what it changes about its own account.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use umbilical_store::{Role, Sites};
use utoipa::ToSchema;

use crate::api::json;
use crate::app::App;
use crate::extract::Body;
use crate::rights::Permission;
use crate::who::Who;
use crate::{Problem, account};

/// Who asks, and what it may do.
#[derive(Serialize, ToSchema)]
pub struct Me {
    /// `usr-…`
    id: String,
    /// What is typed to sign in.
    login: String,
    /// The person's name.
    name: String,
    /// Its roles.
    roles: Vec<&'static str>,
    /// What it may do with this session or token.
    permissions: Vec<Permission>,
    /// The sites that it sees; `null` for all.
    sites: Option<Vec<String>>,
    /// Whether it sees subscriber numbers whole.
    subscribers: bool,
    /// With a session: what `X-CSRF-Token` must hold where something is changed.
    csrf: Option<String>,
    /// The token's id, where it is one.
    token: Option<String>,
}

/// A list of sites; `None` for all.
pub fn sites(sites: &Sites) -> Option<Vec<String>> {
    match sites {
        Sites::All => None,
        Sites::Only(list) => Some(list.iter().cloned().collect()),
    }
}

/// Who asks, and what it may do
#[utoipa::path(get, path = "/api/v1/me", tag = "account", responses((status = 200, body = Me)))]
pub async fn me(who: Who) -> Result<Response, Problem> {
    Ok(json(&Me {
        id: who.person.id(),
        login: who.person.login.clone(),
        name: who.person.name.clone(),
        roles: who.person.roles.iter().map(|r: &Role| r.name()).collect(),
        permissions: who.permissions.iter().copied().collect(),
        sites: sites(&who.scope.sites),
        subscribers: who.scope.subscribers,
        csrf: who.session.as_ref().map(|s| s.csrf.clone()),
        token: who.token.clone(),
    }))
}

/// A new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordWanted {
    /// The one until now.
    old: String,
    /// The new one.
    new: String,
}

/// Chooses another password; every session ends but the one that is begun with the answer
#[utoipa::path(post, path = "/api/v1/me/password", tag = "account", request_body = PasswordWanted, responses((status = 204)))]
pub async fn password(State(app): State<App>, who: Who, Body(wanted): Body<PasswordWanted>) -> Result<Response, Problem> {
    let cookie = account::change_password(&app, &who, wanted.old, wanted.new).await?;
    Ok(([(header::SET_COOKIE, cookie)], StatusCode::NO_CONTENT).into_response())
}

/// What an authenticator app is given.
#[derive(Serialize, ToSchema)]
pub struct TotpOffered {
    /// Base 32.
    secret: String,
    /// `otpauth://…`, as a square code holds it.
    address: String,
}

/// Offers a secret for one-time codes; it counts once a code of it was sent to `…/totp/confirm`
#[utoipa::path(post, path = "/api/v1/me/totp", tag = "account", responses((status = 200, body = TotpOffered)))]
pub async fn totp(State(app): State<App>, who: Who) -> Result<Response, Problem> {
    let secret = account::offer_totp(&app, &who).await?;
    let address = crate::password::totp_address(&secret, &who.person.login)?;
    Ok(json(&TotpOffered { secret, address }))
}

/// A code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CodeSent {
    /// Six digits.
    code: String,
}

/// Codes for the day when the telephone is gone.
#[derive(Serialize, ToSchema)]
pub struct Recovery {
    /// Each works once. Shown now and never again.
    codes: Vec<String>,
}

/// Confirms the offered secret with a code of it; from now on one is asked for at sign-in
#[utoipa::path(post, path = "/api/v1/me/totp/confirm", tag = "account", request_body = CodeSent, responses((status = 200, body = Recovery)))]
pub async fn confirm_totp(State(app): State<App>, who: Who, Body(sent): Body<CodeSent>) -> Result<Response, Problem> {
    let (codes, cookie) = account::confirm_totp(&app, &who, &sent.code).await?;
    Ok(([(header::SET_COOKIE, cookie)], json(&Recovery { codes })).into_response())
}

/// The password once more.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordSent {
    /// The password.
    password: String,
}

/// Asks for no codes any longer
#[utoipa::path(delete, path = "/api/v1/me/totp", tag = "account", request_body = PasswordSent, responses((status = 204)))]
pub async fn end_totp(State(app): State<App>, who: Who, Body(sent): Body<PasswordSent>) -> Result<Response, Problem> {
    let cookie = account::end_totp(&app, &who, sent.password).await?;
    Ok(([(header::SET_COOKIE, cookie)], StatusCode::NO_CONTENT).into_response())
}
