//! Who asks: by the cookie of a session, or by a token.

use std::collections::BTreeSet;
use std::convert::Infallible;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::HeaderMap;
use axum::http::header;
use axum::http::request::Parts;
use umbilical_store::{By, Person, Scope, Sites, Time};

use crate::app::App;
use crate::rights::{self, Class, Permission};
use crate::{Problem, secret};

/// How every token begins, so that scanners for lost secrets find it.
pub const TOKEN: &str = "umb_";

/// The header of a page that looks again by itself: nobody need sit before it, and the session ends as if nobody did.
pub const LIVE: &str = "x-live";

/// A session's side of who asks.
#[derive(Clone, Debug)]
pub struct Signed {
    /// Its public id.
    pub id: String,
    /// What forms and the header `X-CSRF-Token` must hold.
    pub csrf: String,
    /// When it began.
    pub since: Time,
}

/// Who asks, and what for eyes it has.
#[derive(Clone, Debug)]
pub struct Who {
    /// The person, or the person behind the token.
    pub person: Person,
    /// As the logs name it: the login, with the token's id where it was one.
    pub name: String,
    /// How it proved who it is.
    pub class: Class,
    /// What it may do.
    pub permissions: BTreeSet<Permission>,
    /// What it may see.
    pub scope: Scope,
    /// The session, where it is one.
    pub session: Option<Signed>,
    /// The token's id, where it is one.
    pub token: Option<String>,
    /// Whether this is a demonstration.
    pub demo: bool,
    /// Waivers that others proposed and that wait for it, where a page tells of them.
    pub waits: u64,
}

impl Who {
    /// Who does something at a time.
    pub fn by(&self, at: Time) -> By<'_> {
        By { who: &self.name, at }
    }

    /// Whether it may.
    pub fn may(&self, permission: Permission) -> bool {
        self.permissions.contains(&permission)
    }

    /// Whether it sees every site.
    pub fn sees_all(&self) -> bool {
        self.scope.sites == Sites::All
    }

    /// Whether it approves waivers: they hold for every site.
    pub fn approves(&self) -> bool {
        self.may(Permission::Approve) && self.sees_all()
    }

    /// What forms must hold; empty without a session.
    pub fn csrf(&self) -> &str {
        self.session.as_ref().map_or("", |s| &s.csrf)
    }
}

impl<S: Sync> FromRequestParts<S> for Who {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(Problem::unknown_asker)
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for Who {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned())
    }
}

/// The name of the cookie. The prefix makes browsers refuse it from anywhere else than this host (RFC 6265bis, 4.1.3.2).
pub fn cookie_name(tls: bool) -> &'static str {
    if tls { "__Host-umbilical" } else { "umbilical" }
}

/// A cookie as it is set; an empty value takes it away.
pub fn cookie(tls: bool, value: &str, seconds: i64) -> String {
    let name = cookie_name(tls);
    let secure = if tls { "; Secure" } else { "" };
    let age = if value.is_empty() { 0 } else { seconds };
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age}{secure}")
}

/// The value of a cookie.
pub fn cookie_value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
    lines.flat_map(|line| line.split(';')).find_map(|pair| pair.trim().split_once('=').filter(|(n, _)| *n == name).map(|(_, v)| v))
}

/// Finds out who asks. Something that proves nothing is an error where it was sent on purpose (a token), and nobody where the
/// browser sent it by itself (an old cookie).
pub async fn find(app: &App, headers: &HeaderMap) -> Result<Option<Who>, Problem> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let text = value.to_str().unwrap_or_default();
        let token = text.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, t)| t.trim());
        let token = token.filter(|t| t.starts_with(TOKEN)).ok_or_else(Problem::unknown_asker)?;
        return by_token(app, token).await.map(Some);
    }
    match cookie_value(headers, cookie_name(app.config().tls)) {
        Some(secret) => by_session(app, secret, !headers.contains_key(LIVE)).await,
        None => Ok(None),
    }
}

async fn by_session(app: &App, secret: &str, used: bool) -> Result<Option<Who>, Problem> {
    let now = app.now();
    let Some(session) = app.store().session(secret, now, used).await? else { return Ok(None) };
    if now.0.saturating_sub(session.seen.0) > app.config().idle {
        app.store().end_session(By { who: &session.person.login, at: now }, secret).await?;
        return Ok(None);
    }
    let person = session.person;
    let signed = Signed { id: session.id, csrf: secret::derived("form", secret), since: session.created };
    Ok(Some(Who {
        name: person.login.clone(),
        class: Class::Session,
        permissions: rights::of_roles(&person.roles),
        scope: person.scope(),
        session: Some(signed),
        token: None,
        demo: app.config().demo.is_some(),
        waits: 0,
        person,
    }))
}

async fn by_token(app: &App, secret: &str) -> Result<Who, Problem> {
    let (token, person) = app.store().token(secret, app.now()).await?.ok_or_else(Problem::unknown_asker)?;
    let class = Class::from(token.class);
    let mut permissions = rights::of_roles(&person.roles);
    permissions.retain(|p| token.scopes.contains(p.name()));
    let scope =
        Scope { sites: common(&person.sites, &token.sites), subscribers: person.subscribers && token.scopes.contains(rights::SUBSCRIBERS) };
    let name = format!("{} ({})", person.login, token.id);
    Ok(Who { person, name, class, permissions, scope, session: None, token: Some(token.id), demo: false, waits: 0 })
}

/// What both see.
pub fn common(a: &Sites, b: &Sites) -> Sites {
    match (a, b) {
        (Sites::All, other) | (other, Sites::All) => other.clone(),
        (Sites::Only(a), Sites::Only(b)) => {
            let lower: BTreeSet<String> = b.iter().map(|s| s.to_lowercase()).collect();
            Sites::Only(a.iter().filter(|s| lower.contains(&s.to_lowercase())).cloned().collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_sees_no_more_than_its_person() {
        let only = |names: &[&str]| Sites::Only(names.iter().map(|n| (*n).to_owned()).collect());
        assert_eq!(common(&Sites::All, &only(&["A"])), only(&["A"]));
        assert_eq!(common(&only(&["A", "B"]), &Sites::All), only(&["A", "B"]));
        assert_eq!(common(&only(&["A", "b"]), &only(&["B", "c"])), only(&["b"]));
    }

    #[test]
    fn cookies_are_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "a=1; umbilical=x=y; xumbilical=2".parse().unwrap());
        assert_eq!(cookie_value(&headers, "umbilical"), Some("x=y"));
        assert_eq!(cookie_value(&headers, "umbilic"), None);
        assert!(cookie(true, "v", 5).starts_with("__Host-umbilical=v; Path=/; HttpOnly"));
        assert!(cookie(true, "v", 5).ends_with("; Secure") && !cookie(false, "v", 5).contains("Secure"));
    }
}
