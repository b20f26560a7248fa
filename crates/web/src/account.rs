//! What somebody changes about its own account: password and one-time codes. Each change signs out everywhere and begins a new
//! session for who made it; every wrong password counts as an attempt to sign in.

use axum::http::HeaderValue;
use serde::{Deserialize, Serialize};
use serde_json::json;
use umbilical_store::{By, Person, Time};

use crate::app::App;
use crate::who::{Who, cookie};
use crate::{Problem, limits, password, secret};

/// How long an offered secret waits for its first code.
const OFFER: i64 = 15 * 60_000;

/// The setting with the digests of a person's recovery codes.
pub fn recovery_of(id: &str) -> String {
    format!("recovery.{id}")
}

fn offered(id: &str) -> String {
    format!("totp-offer.{id}")
}

#[derive(Serialize, Deserialize)]
struct Offer {
    secret: String,
    until: Time,
}

/// Begins a session and gives its cookie.
pub async fn session(app: &App, person: &Person) -> Result<HeaderValue, Problem> {
    let (word, now, longest) = (secret::random()?, app.now(), app.config().longest);
    let by = By { who: &person.login, at: now };
    app.store().begin_session(by, person, &word, Time(now.0.saturating_add(longest)), "{}").await?;
    HeaderValue::try_from(cookie(app.config().tls, &word, longest / 1000)).map_err(Problem::internal)
}

async fn proved(app: &App, person: &Person, typed: String) -> Result<(), Problem> {
    let account = format!("sign-in {}", person.login);
    app.limits().take(&account, limits::SIGN_IN, app.now()).map_err(Problem::too_often)?;
    if !password::verify(typed, person.password.clone()).await? {
        return Err(Problem::forbidden("the password is wrong").of("password"));
    }
    app.limits().forget(&account);
    Ok(())
}

/// The person as it is now: what the request began with may be older.
async fn now(app: &App, who: &Who) -> Result<Person, Problem> {
    Ok(app.store().person(&who.person.id()).await?)
}

/// Another password.
pub async fn change_password(app: &App, who: &Who, old: String, new: String) -> Result<HeaderValue, Problem> {
    let mut person = now(app, who).await?;
    proved(app, &person, old).await.map_err(|problem| problem.of("old"))?;
    password::fits(&new, &person.login)?;
    person.password = Some(password::hash(new).await?);
    app.store().update_person(who.by(app.now()), &person).await?;
    session(app, &person).await
}

/// Offers a new secret of one-time codes.
pub async fn offer_totp(app: &App, who: &Who) -> Result<String, Problem> {
    let id = who.person.id();
    if now(app, who).await?.totp.is_some() {
        return Err(Problem::new(axum::http::StatusCode::CONFLICT, "one-time codes are on already: end them first"));
    }
    let offer = Offer { secret: password::new_totp()?, until: Time(app.now().0.saturating_add(OFFER)) };
    let value = serde_json::to_value(&offer).map_err(Problem::internal)?;
    app.store().set_setting(who.by(app.now()), &offered(&id), &value, true).await?;
    Ok(offer.secret)
}

/// The secret that waits for its first code.
pub async fn offer(app: &App, who: &Who) -> Result<Option<String>, Problem> {
    let value = app.store().setting(&offered(&who.person.id())).await?.unwrap_or_default();
    let offer: Option<Offer> = serde_json::from_value(value).ok();
    Ok(offer.filter(|o| o.until > app.now()).map(|o| o.secret))
}

/// Takes the first code: from now on one is asked for. Gives the recovery codes and the cookie of a new session.
pub async fn confirm_totp(app: &App, who: &Who, code: &str) -> Result<(Vec<String>, HeaderValue), Problem> {
    let id = who.person.id();
    let secret = offer(app, who).await?.ok_or_else(|| Problem::invalid("no secret waits for a code: ask for a new one"))?;
    app.limits().take(&format!("code {id}"), limits::SIGN_IN, app.now()).map_err(Problem::too_often)?;
    let step = password::step(&secret, code, app.now().0.div_euclid(1000))?;
    let step = step.ok_or_else(|| Problem::at("code", "this code is not the one that the app shows now"))?;
    app.use_step(&id, step);
    let (codes, kept) = password::recovery()?;
    let mut person = now(app, who).await?;
    person.totp = Some(secret);
    app.store().set_setting(who.by(app.now()), &recovery_of(&id), &json!(kept), true).await?;
    app.store().set_setting(who.by(app.now()), &offered(&id), &json!(null), true).await?;
    app.store().update_person(who.by(app.now()), &person).await?;
    Ok((codes, session(app, &person).await?))
}

/// Asks for no codes any longer.
pub async fn end_totp(app: &App, who: &Who, typed: String) -> Result<HeaderValue, Problem> {
    let mut person = now(app, who).await?;
    proved(app, &person, typed).await?;
    person.totp = None;
    app.store().set_setting(who.by(app.now()), &recovery_of(&person.id()), &json!(null), true).await?;
    app.store().update_person(who.by(app.now()), &person).await?;
    session(app, &person).await
}
