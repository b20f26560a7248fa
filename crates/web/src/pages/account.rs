//! The account: password, one-time codes, tokens.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use qrcode::{Color, EcLevel, QrCode};
use serde::Deserialize;

use super::refused::Refused;
use super::{Head, page};
use crate::api::{TokenOf, TokenWanted, make, sites, take_back};
use crate::app::App;
use crate::extract::Checked;
use crate::rights::SUBSCRIBERS;
use crate::who::Who;
use crate::{Problem, account, password};

#[derive(Template)]
#[template(path = "account.html")]
struct Account {
    head: Head,
    login: String,
    roles: Vec<&'static str>,
    sites: Option<Vec<String>>,
    subscribers: bool,
    password: bool,
    totp: bool,
    /// The secret that waits for its first code, as a square code and in letters.
    offer: Option<(Square, String)>,
    tokens: Vec<TokenOf>,
    scopes: Vec<&'static str>,
    shortest: usize,
    /// Shown once: what it is, and the words.
    shown: Option<(&'static str, Vec<String>)>,
}

/// A square code as lines of a picture.
struct Square {
    size: usize,
    path: String,
}

impl Square {
    fn of(text: &str) -> Result<Self, Problem> {
        let code = QrCode::with_error_correction_level(text, EcLevel::M).map_err(Problem::internal)?;
        let width = code.width();
        let dark = code.to_colors().into_iter().enumerate().filter(|(_, c)| *c == Color::Dark).map(|(at, _)| at);
        // Four modules of quiet around it (ISO/IEC 18004).
        let path = dark.map(|at| format!("M{},{}h1v1h-1z", at.checked_rem(width).unwrap_or(0) + 4, at.checked_div(width).unwrap_or(0) + 4));
        Ok(Self { size: width.saturating_add(8), path: path.collect() })
    }
}

async fn shown(app: &App, who: &Who, refused: Option<Refused>) -> Result<Account, Problem> {
    // What the request began with may be older than what it changed.
    let person = app.store().person(&who.person.id()).await?;
    let offer = match account::offer(app, who).await?.filter(|_| person.totp.is_none()) {
        Some(secret) => Some((Square::of(&password::totp_address(&secret, &person.login)?)?, secret)),
        None => None,
    };
    let now = app.now();
    let tokens = app.store().tokens(Some(&person.id())).await?.into_iter();
    let tokens = tokens.filter(|t| t.revoked.is_none() && t.expires.is_none_or(|e| e > now)).map(TokenOf::from);
    let mut scopes: Vec<&'static str> = who.permissions.iter().map(|p| p.name()).collect();
    if who.scope.subscribers {
        scopes.push(SUBSCRIBERS);
    }
    Ok(Account {
        head: Head::new("Account", "/account", Some(who)).again(refused),
        login: person.login.clone(),
        roles: person.roles.iter().map(|r| r.name()).collect(),
        sites: sites(&person.sites),
        subscribers: person.subscribers,
        password: person.password.is_some(),
        totp: person.totp.is_some(),
        offer,
        tokens: tokens.collect(),
        scopes,
        shortest: password::SHORTEST,
        shown: None,
    })
}

/// The page with the form that was refused; a failure of the machine stays one.
async fn again(app: &App, who: &Who, form: &str, sent: &[(String, String)], problem: Problem) -> Result<Response, Problem> {
    let shown = shown(app, who, Some(Refused::new(form, sent, problem)?)).await?;
    Ok(page(shown.head.status(), &shown))
}

fn back(cookie: HeaderValue) -> Response {
    ([(header::SET_COOKIE, cookie)], Redirect::to("/account")).into_response()
}

/// The page of the account.
pub async fn account(State(app): State<App>, who: Who) -> Result<Response, Problem> {
    Ok(page(StatusCode::OK, &shown(&app, &who, None).await?))
}

/// A new password, twice.
#[derive(Deserialize)]
pub struct NewPassword {
    old: String,
    password: String,
    again: String,
}

/// Changes the password.
pub async fn password(State(app): State<App>, who: Who, Checked(form): Checked<NewPassword>) -> Result<Response, Problem> {
    if form.password != form.again {
        return again(&app, &who, "password", &[], Problem::at("again", "the two passwords are not the same")).await;
    }
    match account::change_password(&app, &who, form.old, form.password).await {
        Ok(cookie) => Ok(back(cookie)),
        Err(problem) => again(&app, &who, "password", &[], problem).await,
    }
}

/// Nothing.
#[derive(Deserialize)]
pub struct Nothing {}

/// Offers one-time codes.
pub async fn totp(State(app): State<App>, who: Who, Checked(_): Checked<Nothing>) -> Result<Response, Problem> {
    match account::offer_totp(&app, &who).await {
        Ok(_) => Ok(Redirect::to("/account").into_response()),
        Err(problem) => again(&app, &who, "totp", &[], problem).await,
    }
}

/// A code.
#[derive(Deserialize)]
pub struct Code {
    code: String,
}

/// Confirms one-time codes and shows the recovery codes, once.
pub async fn confirm(State(app): State<App>, who: Who, Checked(form): Checked<Code>) -> Result<Response, Problem> {
    match account::confirm_totp(&app, &who, &form.code).await {
        Ok((codes, cookie)) => {
            let words =
                Some(("Recovery codes: each works once, instead of a code of the app. Keep them where the telephone is not", codes));
            // The forms of this page belong to the session that has just ended.
            let head = Head { csrf: String::new(), ..Head::new("Account", "/account", Some(&who)) };
            let mut response = page(StatusCode::OK, &Account { shown: words, head, ..shown(&app, &who, None).await? });
            response.headers_mut().append(header::SET_COOKIE, cookie);
            Ok(response)
        }
        Err(problem) => again(&app, &who, "confirm", &[], problem).await,
    }
}

/// The password once more.
#[derive(Deserialize)]
pub struct Proof {
    password: String,
}

/// Ends one-time codes.
pub async fn end(State(app): State<App>, who: Who, Checked(form): Checked<Proof>) -> Result<Response, Problem> {
    match account::end_totp(&app, &who, form.password).await {
        Ok(cookie) => Ok(back(cookie)),
        Err(problem) => again(&app, &who, "end", &[], problem).await,
    }
}

/// Makes a token and shows it, once. The form has a field for each scope.
pub async fn token(State(app): State<App>, who: Who, Checked(sent): Checked<Vec<(String, String)>>) -> Result<Response, Problem> {
    let get = |name: &str| sent.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.trim());
    let scopes = sent.iter().filter_map(|(k, _)| k.strip_prefix("scope-")).map(str::to_owned).collect();
    let days = match get("days") {
        "" => None,
        text => match text.parse() {
            Ok(days) => Some(days),
            Err(_) => return again(&app, &who, "token", &sent, Problem::at("days", "the days until it ends are a number")).await,
        },
    };
    let class = if get("class").is_empty() { "full" } else { get("class") }.to_owned();
    match make(&app, &who, TokenWanted { name: get("name").to_owned(), class, scopes, sites: None, days }).await {
        Ok((_, secret)) => {
            let words = Some(("The new token. It is shown now and never again", vec![secret]));
            Ok(page(StatusCode::OK, &Account { shown: words, ..shown(&app, &who, None).await? }))
        }
        Err(problem) => again(&app, &who, "token", &sent, problem).await,
    }
}

/// Takes a token back.
pub async fn revoke(State(app): State<App>, who: Who, Path(id): Path<String>, Checked(_): Checked<Nothing>) -> Result<Response, Problem> {
    take_back(&app, &who, &id).await?;
    Ok(Redirect::to("/account").into_response())
}
