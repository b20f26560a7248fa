//! Tokens of programs: made by a signed-in person for itself, shown once, never able to do more than the person.

use std::collections::BTreeSet;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use umbilical_store::{Time, Token, TokenClass};
use utoipa::ToSchema;

use crate::api::{json, named, sites};
use crate::app::App;
use crate::extract::Body;
use crate::rights::{Permission, SUBSCRIBERS};
use crate::who::{TOKEN, Who, common};
use crate::{Problem, secret};

/// Days that a token lasts where nothing is said, and at most.
const USUAL: u32 = 90;
const MOST: u32 = 366;
/// Tokens of one person that hold at the same time.
const EACH: usize = 100;
const DAY: i64 = 86_400_000;

/// A token, without its secret.
#[derive(Serialize, ToSchema)]
pub struct TokenOf {
    /// `tok-…`
    pub id: String,
    /// What it is for.
    pub name: String,
    /// `full` or `export-only`.
    pub class: &'static str,
    /// What it may do, within what its person may.
    pub scopes: Vec<String>,
    /// The sites that it sees, within those of its person; `null` for all of them.
    pub sites: Option<Vec<String>>,
    /// Since when.
    pub created: String,
    /// Until when.
    pub expires: Option<String>,
    /// When it was last used, to the minute.
    pub used: Option<String>,
    /// Since when it is no longer taken.
    pub revoked: Option<String>,
}

impl From<Token> for TokenOf {
    fn from(t: Token) -> Self {
        let text = |time: Option<Time>| time.map(|t| t.to_string());
        Self {
            sites: sites(&t.sites),
            class: t.class.name(),
            id: t.id,
            name: t.name,
            scopes: t.scopes.into_iter().collect(),
            created: t.created.to_string(),
            expires: text(t.expires),
            used: text(t.used),
            revoked: text(t.revoked),
        }
    }
}

/// What a token is to be.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenWanted {
    /// What it is for.
    pub name: String,
    /// `full` or `export-only`.
    #[serde(default = "full")]
    pub class: String,
    /// Of `read`, `export`, `decide`, `import`, `approve`, `admin`, `audit`, `subscribers`.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The sites that it sees; `null` for all of its person's.
    pub sites: Option<Vec<String>>,
    /// How long it lasts: 1 to 366, 90 where nothing is said.
    pub days: Option<u32>,
}

fn full() -> String {
    "full".to_owned()
}

/// A new token.
#[derive(Serialize, ToSchema)]
pub struct Made {
    /// The token.
    #[serde(flatten)]
    token: TokenOf,
    /// The secret, `umb_…`: shown now and never again.
    secret: String,
}

/// Your tokens
#[utoipa::path(get, path = "/api/v1/tokens", tag = "account", responses((status = 200, body = [TokenOf])))]
pub async fn list(State(app): State<App>, who: Who) -> Result<Response, Problem> {
    let tokens = app.store().tokens(Some(&who.person.id())).await?;
    Ok(json(&tokens.into_iter().map(TokenOf::from).collect::<Vec<_>>()))
}

/// Makes a token
#[utoipa::path(post, path = "/api/v1/tokens", tag = "account", request_body = TokenWanted, responses((status = 201, body = Made)))]
pub async fn add(State(app): State<App>, who: Who, Body(wanted): Body<TokenWanted>) -> Result<Response, Problem> {
    let (token, secret) = make(&app, &who, wanted).await?;
    Ok((StatusCode::CREATED, json(&Made { token: token.into(), secret })).into_response())
}

/// Makes a token, for API and page alike.
pub(crate) async fn make(app: &App, who: &Who, wanted: TokenWanted) -> Result<(Token, String), Problem> {
    let name = wanted.name.trim();
    if name.is_empty() || name.len() > 200 {
        return Err(Problem::at("name", "a token has a name of at most 200 bytes that says what it is for"));
    }
    let days = wanted.days.unwrap_or(USUAL);
    if !(1..=MOST).contains(&days) {
        return Err(Problem::at("days", format!("a token lasts 1 to {MOST} days")));
    }
    let class = match wanted.class.as_str() {
        "full" => TokenClass::Full,
        "export-only" => TokenClass::ExportOnly,
        _ => return Err(Problem::at("class", "`class` is `full` or `export-only`")),
    };
    let mut scopes: BTreeSet<String> = wanted.scopes.into_iter().collect();
    if class == TokenClass::ExportOnly {
        scopes.retain(|s| s == SUBSCRIBERS);
        scopes.insert(Permission::Export.name().to_owned());
    }
    if scopes.is_empty() {
        return Err(Problem::at("scopes", "a token without scopes may do nothing: name some"));
    }
    for scope in &scopes {
        let known = Permission::from_name(scope);
        if known.is_none() && scope != SUBSCRIBERS {
            let names: Vec<&str> = Permission::ALL.iter().map(|p| p.name()).chain([SUBSCRIBERS]).collect();
            return Err(Problem::at("scopes", format!("there is no such scope; possible are {}", names.join(", "))));
        }
        if known.is_some_and(|p| !who.may(p)) || scope == SUBSCRIBERS && !who.scope.subscribers {
            return Err(Problem::forbidden(format!("you may not do `{scope}` yourself")).of("scopes"));
        }
    }
    let id = who.person.id();
    let now = app.now();
    let holding = app.store().tokens(Some(&id)).await?.iter().filter(|t| t.revoked.is_none() && t.expires.is_none_or(|e| e > now)).count();
    if holding >= EACH {
        return Err(Problem::new(StatusCode::CONFLICT, format!("you have {EACH} tokens: take some back first")));
    }
    let word = format!("{TOKEN}{}", secret::random()?);
    let mut token = Token {
        id: String::new(),
        name: name.to_owned(),
        person: id,
        class,
        scopes,
        sites: common(&who.scope.sites, &named(wanted.sites.as_deref())?),
        created: now,
        expires: Some(Time(now.0.saturating_add(i64::from(days).saturating_mul(DAY)))),
        used: None,
        revoked: None,
    };
    token.id = app.store().add_token(who.by(now), &token, &word).await?;
    Ok((token, word))
}

/// Takes a token back: your own, or anybody's if you administer
#[utoipa::path(delete, path = "/api/v1/tokens/{id}", tag = "account", params(("id" = String, Path, description = "`tok-…`")), responses((status = 204)))]
pub async fn revoke(State(app): State<App>, who: Who, Path(id): Path<String>) -> Result<Response, Problem> {
    take_back(&app, &who, &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Takes a token back, for API and page alike.
pub(crate) async fn take_back(app: &App, who: &Who, id: &str) -> Result<(), Problem> {
    let own = app.store().tokens(Some(&who.person.id())).await?.iter().any(|t| t.id == id);
    let administers = who.may(Permission::Admin) && who.sees_all();
    if !own && !administers {
        return Err(Problem::missing("there is no such token of yours"));
    }
    Ok(app.store().revoke_token(who.by(app.now()), id).await?)
}
