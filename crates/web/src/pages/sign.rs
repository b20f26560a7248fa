//! The first visit, signing in and out.

use askama::Template;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use umbilical_store::{By, Person, Role, Sites, StoreError, Time};

use super::{Head, page};
use crate::app::{App, Challenge, DEMO};
use crate::extract::{Checked, Open, Params};
use crate::who::{Who, cookie, cookie_name, cookie_value};
use crate::{Problem, account, invite, limits, openid, password, secret};

/// The setting that holds the digest of the one-time link.
const SET_UP: &str = "set-up";
/// How long the link is good: a day.
const LASTS: i64 = 86_400_000;
/// How long a code may be typed.
const TYPING: i64 = 5 * 60_000;

#[derive(Serialize, Deserialize)]
struct Link {
    sha256: String,
    until: Time,
}

/// Makes the one-time link of the first start; `None` where somebody can sign in already.
pub async fn announce(app: &App) -> Result<Option<String>, Problem> {
    if !app.store().people().await?.is_empty() {
        return Ok(None);
    }
    let word = secret::random()?;
    let link = Link { sha256: secret::digest(&word), until: Time(app.now().0.saturating_add(LASTS)) };
    let value = serde_json::to_value(&link).map_err(Problem::internal)?;
    app.store().set_setting(app.by_itself(), SET_UP, &value, true).await?;
    Ok(Some(word))
}

/// The address of the link.
pub fn set_up_address(base: &str, word: &str) -> String {
    format!("{}/set-up/{word}", base.trim_end_matches('/'))
}

async fn link_holds(app: &App, word: &str) -> Result<(), Problem> {
    let used = || Problem::missing("this link was used, has expired or never was: start the program again for a new one, or sign in");
    let value = app.store().setting(SET_UP).await?.ok_or_else(used)?;
    let link: Link = serde_json::from_value(value).map_err(|_| used())?;
    let holds = secret::same(&secret::digest(word), &link.sha256) && link.until > app.now() && app.store().people().await?.is_empty();
    if holds { Ok(()) } else { Err(used()) }
}

#[derive(Template)]
#[template(path = "set-up.html")]
struct SetUp<'a> {
    head: Head,
    word: &'a str,
    login: &'a str,
    name: &'a str,
    wrong: Option<&'a str>,
    shortest: usize,
}

/// The page of the first visit.
pub async fn set_up(State(app): State<App>, Path(word): Path<String>) -> Result<Response, Problem> {
    link_holds(&app, &word).await?;
    let head = Head::new("Set up", "", None);
    Ok(page(StatusCode::OK, &SetUp { head, word: &word, login: "", name: "", wrong: None, shortest: password::SHORTEST }))
}

/// The first person.
#[derive(Deserialize)]
pub struct First {
    login: String,
    #[serde(default)]
    name: String,
    password: String,
    again: String,
}

/// Makes the first person, who may do everything but approve its own work, and signs it in.
pub async fn set_up_send(State(app): State<App>, Path(word): Path<String>, Open(form): Open<First>) -> Result<Response, Problem> {
    // Two who have the link: one of them is first.
    let _one = app.deciding().lock().await;
    link_holds(&app, &word).await?;
    let login = form.login.trim();
    let checked = if form.password == form.again {
        password::fits(&form.password, login)
    } else {
        Err(Problem::invalid("the two passwords are not the same"))
    };
    let made = match checked {
        Ok(()) => first(&app, login, &form).await,
        Err(problem) => Err(problem),
    };
    match made {
        Ok(person) => {
            app.store().set_setting(app.by_itself(), SET_UP, &json!(null), true).await?;
            begin(&app, &person, "/import").await
        }
        Err(problem) if problem.status < 500 => {
            let head = Head::new("Set up", "", None);
            let wrong = Some(problem.detail.as_str());
            let again = SetUp { head, word: &word, login, name: &form.name, wrong, shortest: password::SHORTEST };
            Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &again))
        }
        Err(problem) => Err(problem),
    }
}

async fn first(app: &App, login: &str, form: &First) -> Result<Person, Problem> {
    let person = Person {
        login: login.to_owned(),
        name: umbilical_core::text::short(form.name.trim(), 200).into_owned(),
        email: None,
        password: Some(password::hash(form.password.clone()).await?),
        totp: None,
        identity: None,
        roles: BTreeSet::from([Role::Admin, Role::Engineer, Role::Analyst, Role::Auditor]),
        sites: Sites::All,
        subscribers: false,
        disabled: false,
        created: app.now(),
    };
    app.store().add_person(app.by_itself(), &person).await?;
    Ok(app.store().person_by_login(login).await?)
}

/// Begins a session: a new secret each time, so that none that was there before counts.
pub async fn begin(app: &App, person: &Person, next: &str) -> Result<Response, Problem> {
    let cookie = account::session(app, person).await?;
    let mut response = Redirect::to(local(next)).into_response();
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}

fn set_cookie(response: &mut Response, cookie: &str) -> Result<(), Problem> {
    response.headers_mut().append(header::SET_COOKIE, HeaderValue::try_from(cookie).map_err(Problem::internal)?);
    Ok(())
}

/// Where a sign-in may lead: to a page of ours. `//elsewhere` and `/\elsewhere` are addresses of other hosts.
fn local(next: &str) -> &str {
    let bytes = next.as_bytes();
    let ours = bytes.first() == Some(&b'/') && !matches!(bytes.get(1), Some(b'/' | b'\\')) && next.bytes().all(|b| b.is_ascii_graphic());
    if ours && !next.contains('\\') { next } else { "/fleet" }
}

#[derive(Template)]
#[template(path = "sign-in.html")]
struct SignIn<'a> {
    head: Head,
    next: &'a str,
    login: &'a str,
    wrong: Option<&'a str>,
    fresh: bool,
    /// What the OpenID provider is called, where there is one.
    openid: Option<String>,
}

async fn label(app: &App) -> Result<Option<String>, Problem> {
    let found = openid::provider(app).await?;
    Ok(found.map(|p| if p.label.trim().is_empty() { "OpenID".to_owned() } else { p.label }))
}

/// Where somebody goes behind the sign-in.
#[derive(Deserialize)]
pub struct Next {
    #[serde(default)]
    next: String,
}

/// The page where one signs in.
pub async fn sign_in(State(app): State<App>, who: Option<Who>, Params(params): Params<Next>) -> Result<Response, Problem> {
    if who.is_some() {
        return Ok(Redirect::to(local(&params.next)).into_response());
    }
    let fresh = app.store().people().await?.is_empty();
    Ok(page(
        StatusCode::OK,
        &SignIn { head: Head::new("Sign in", "", None), next: &params.next, login: "", wrong: None, fresh, openid: label(&app).await? },
    ))
}

/// Login and password.
#[derive(Deserialize)]
pub struct Credentials {
    login: String,
    password: String,
    #[serde(default)]
    next: String,
}

const WRONG: &str = "login or password is wrong";

/// Signs in, or asks for a code.
pub async fn sign_in_send(
    State(app): State<App>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    Open(form): Open<Credentials>,
) -> Result<Response, Problem> {
    let login = form.login.trim().to_lowercase();
    let now = app.now();
    let account = format!("sign-in {}", umbilical_core::text::short(&login, 200));
    app.limits().take(&format!("sign-in from {}", from.ip()), limits::ADDRESS, now).map_err(Problem::too_often)?;
    app.limits().take(&account, limits::SIGN_IN, now).map_err(Problem::too_often)?;
    let person = match app.store().person_by_login(&login).await {
        Ok(person) => Some(person).filter(|p| !p.disabled),
        Err(StoreError::NotFound { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let right = password::verify(form.password, person.as_ref().and_then(|p| p.password.clone())).await?;
    let Some(person) = person.filter(|_| right) else {
        // What was typed as a login may be a password: only one that is somebody's is written down.
        let known = app.store().person_by_login(&login).await.map(|p| p.id()).unwrap_or_default();
        app.store().audit(app.by_itself(), "sign-in.refused", &known, &json!({"from": from.ip().to_string()})).await?;
        let sheet = SignIn {
            head: Head::new("Sign in", "", None),
            next: &form.next,
            login: &form.login,
            wrong: Some(WRONG),
            fresh: false,
            openid: label(&app).await?,
        };
        return Ok(page(StatusCode::UNAUTHORIZED, &sheet));
    };
    if person.totp.is_none() {
        app.limits().forget(&account);
        return begin(&app, &person, &form.next).await;
    }
    let key = secret::random()?;
    app.challenge(secret::digest(&key), Challenge { login: person.login, until: Time(now.0.saturating_add(TYPING)), tries: 5 });
    Ok(page(StatusCode::OK, &Code { head: Head::new("Code", "", None), key: &key, next: &form.next, wrong: None }))
}

#[derive(Template)]
#[template(path = "code.html")]
struct Code<'a> {
    head: Head,
    key: &'a str,
    next: &'a str,
    wrong: Option<&'a str>,
}

/// The second step.
#[derive(Deserialize)]
pub struct Typed {
    key: String,
    code: String,
    #[serde(default)]
    next: String,
}

/// Takes a one-time code, or one of the recovery codes.
pub async fn code_send(State(app): State<App>, Open(form): Open<Typed>) -> Result<Response, Problem> {
    let key = secret::digest(&form.key);
    let Some(challenge) = app.try_challenge(&key) else {
        return Ok(Redirect::to("/sign-in").into_response());
    };
    let person = app.store().person_by_login(&challenge.login).await?;
    let right = match &person.totp {
        _ if person.disabled => false,
        None => false,
        Some(totp) => match password::step(totp, &form.code, app.now().0.div_euclid(1000))? {
            Some(step) => app.use_step(&person.id(), step),
            None => use_recovery(&app, &person, &form.code).await?,
        },
    };
    if !right {
        app.store().audit(app.by_itself(), "sign-in.refused", &person.id(), &json!({"step": "code"})).await?;
        let wrong = Some("this code is wrong or was used already");
        return Ok(page(StatusCode::UNAUTHORIZED, &Code { head: Head::new("Code", "", None), key: &form.key, next: &form.next, wrong }));
    }
    app.end_challenge(&key);
    app.limits().forget(&format!("sign-in {}", person.login));
    begin(&app, &person, &form.next).await
}

/// Takes a recovery code, once.
async fn use_recovery(app: &App, person: &Person, code: &str) -> Result<bool, Problem> {
    let _one = app.deciding().lock().await;
    let name = account::recovery_of(&person.id());
    let Some(value) = app.store().setting(&name).await? else { return Ok(false) };
    let mut kept: Vec<String> = serde_json::from_value(value).map_err(Problem::internal)?;
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    let digest = secret::digest(&plain);
    let before = kept.len();
    kept.retain(|k| !secret::same(k, &digest));
    if kept.len() == before {
        return Ok(false);
    }
    app.store().set_setting(By { who: &person.login, at: app.now() }, &name, &json!(kept), true).await?;
    Ok(true)
}

#[derive(Template)]
#[template(path = "welcome.html")]
struct Welcome<'a> {
    head: Head,
    action: &'a str,
    login: &'a str,
    wrong: Option<&'a str>,
    shortest: usize,
}

/// The page of a link with which somebody chooses a password.
pub async fn welcome(State(app): State<App>, Path((id, word)): Path<(String, String)>) -> Result<Response, Problem> {
    let person = invite::person(&app, &id, &word).await?;
    let action = format!("/welcome/{id}/{word}");
    let head = Head::new("Welcome", "", None);
    Ok(page(StatusCode::OK, &Welcome { head, action: &action, login: &person.login, wrong: None, shortest: password::SHORTEST }))
}

/// A password, twice.
#[derive(Deserialize)]
pub struct Chosen {
    password: String,
    again: String,
}

/// Takes the password and signs in: at once, or with a code where one is asked for.
pub async fn welcome_send(
    State(app): State<App>,
    Path((id, word)): Path<(String, String)>,
    Open(form): Open<Chosen>,
) -> Result<Response, Problem> {
    let _one = app.deciding().lock().await;
    let mut person = invite::person(&app, &id, &word).await?;
    let checked = if form.password == form.again {
        password::fits(&form.password, &person.login)
    } else {
        Err(Problem::invalid("the two passwords are not the same"))
    };
    if let Err(problem) = checked {
        let action = format!("/welcome/{id}/{word}");
        let (head, wrong) = (Head::new("Welcome", "", None), Some(problem.detail.as_str()));
        let again = Welcome { head, action: &action, login: &person.login, wrong, shortest: password::SHORTEST };
        return Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &again));
    }
    person.password = Some(password::hash(form.password).await?);
    invite::used(&app, &person).await?;
    app.store().update_person(By { who: &person.login, at: app.now() }, &person).await?;
    // Who has the link has not the telephone.
    if person.totp.is_some() {
        return Ok(Redirect::to("/sign-in").into_response());
    }
    begin(&app, &person, "/fleet").await
}

/// Lets who has the word of a demonstration in; elsewhere there is nothing here.
pub async fn demo(State(app): State<App>, Path(word): Path<String>) -> Result<Response, Problem> {
    match &app.config().demo {
        Some(known) if secret::same(&word, known) => begin(&app, &app.store().person_by_login(DEMO).await?, "/").await,
        _ => Err(Problem::missing("there is nothing at this address")),
    }
}

/// Where a browser's word waits until it is back from the provider. It comes back from another site, so it is lax.
const AWAY: &str = "umbilical-openid";

fn away(tls: bool, value: &str, seconds: u32) -> String {
    let secure = if tls { "; Secure" } else { "" };
    format!("{AWAY}={value}; Path=/sign-in/openid; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}")
}

/// Where the provider sends the browser back to.
fn redirect(app: &App, headers: &HeaderMap) -> Result<String, Problem> {
    if let Some(public) = &app.config().public {
        return Ok(format!("{}/sign-in/openid/return", public.trim_end_matches('/')));
    }
    let host = headers.get(header::HOST).and_then(|h| h.to_str().ok()).ok_or_else(|| Problem::invalid("the request names no host"))?;
    let scheme = if app.config().tls { "https" } else { "http" };
    Ok(format!("{scheme}://{host}/sign-in/openid/return"))
}

/// Leads to the provider.
pub async fn openid_begin(
    State(app): State<App>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Params(params): Params<Next>,
) -> Result<Response, Problem> {
    app.limits().take(&format!("sign-in from {}", from.ip()), limits::ADDRESS, app.now()).map_err(Problem::too_often)?;
    let provider = openid::provider(&app).await?.ok_or_else(|| Problem::missing("no OpenID provider is named here"))?;
    let (url, word) = openid::begin(&app, provider, &redirect(&app, &headers)?, &params.next).await?;
    let mut response = Redirect::to(&url).into_response();
    set_cookie(&mut response, &away(app.config().tls, &word, 600))?;
    Ok(response)
}

/// What the provider sends back.
#[derive(Deserialize)]
pub struct Returned {
    #[serde(default)]
    state: String,
    #[serde(default)]
    code: String,
    error: Option<String>,
}

/// Back from the provider: signs in.
pub async fn openid_end(State(app): State<App>, headers: HeaderMap, Params(back): Params<Returned>) -> Result<Response, Problem> {
    if back.error.is_some() || back.code.is_empty() {
        return Err(Problem::forbidden("the OpenID provider did not sign you in"));
    }
    let word = cookie_value(&headers, AWAY).unwrap_or_default().to_owned();
    let (person, next) = openid::end(&app, &redirect(&app, &headers)?, &back.state, &back.code, &word).await?;
    let mut response = begin(&app, &person, &next).await?;
    set_cookie(&mut response, &away(app.config().tls, "", 0))?;
    Ok(response)
}

/// Nothing but the session's word.
#[derive(Deserialize)]
pub struct Nothing {}

/// Ends the session.
pub async fn sign_out(State(app): State<App>, who: Who, headers: HeaderMap, Checked(_): Checked<Nothing>) -> Result<Response, Problem> {
    let tls = app.config().tls;
    if let Some(word) = cookie_value(&headers, cookie_name(tls)) {
        app.store().end_session(who.by(app.now()), word).await?;
    }
    let mut response = Redirect::to("/sign-in").into_response();
    set_cookie(&mut response, &cookie(tls, "", 0))?;
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::local;

    #[test]
    fn a_sign_in_leads_to_our_pages_alone() {
        for ours in ["/fleet", "/fleet?q=a%20b", "/devices/dev-1"] {
            assert_eq!(local(ours), ours);
        }
        for foreign in ["", "//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/a\nb", "fleet"] {
            assert_eq!(local(foreign), "/fleet", "{foreign}");
        }
    }
}
