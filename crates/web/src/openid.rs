//! Signing in at an OpenID provider: code flow with PKCE, state and nonce (OpenID Connect Core 1.0, RFC 7636).
//!
//! The provider is named by a setting. Its answers are asked for by a small client of our own, over TLS with the system's roots;
//! plain HTTP is for a provider on this machine. A person is found by issuer and subject, never by a name or address that the
//! provider tells: those can be given to somebody else.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use bytes::Bytes;
use chrono::DateTime;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreProviderMetadata};
use openidconnect::{
    AccessTokenHash, AuthorizationCode, ClientId, ClientSecret, CsrfToken, IssuerUrl, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, Scope, TokenResponse as _,
};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use umbilical_store::{Person, Role, Sites, StoreError, Time};
use utoipa::ToSchema;

use crate::app::App;
use crate::{Problem, secret};

/// The setting.
pub const SETTING: &str = "openid";
/// How long a sign-in may take at the provider.
const LASTS: i64 = 10 * 60_000;
/// How long the provider's own description is kept.
const KEPT: i64 = 10 * 60_000;
/// Sign-ins under way at the same time.
const MOST: usize = 10_000;
/// The longest answer of a provider.
const ANSWER: usize = 1 << 20;
const PATIENCE: Duration = Duration::from_secs(10);

/// A provider.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// Its address: `https://id.example`.
    pub issuer: String,
    /// What this server is called there.
    pub client_id: String,
    /// The secret that it was given there; never shown again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    /// What people see: `Sign in with …`.
    #[serde(default)]
    pub label: String,
    /// Scopes beside `openid`.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The claim that holds groups or roles: a text or a list of texts.
    #[serde(default = "groups")]
    pub claim: String,
    /// Role by a value of the claim. Roles are set anew at each sign-in.
    #[serde(default)]
    pub roles: BTreeMap<String, String>,
    /// The claim that holds the sites that somebody sees; without one, all.
    #[serde(default)]
    pub sites_claim: Option<String>,
}

fn groups() -> String {
    "groups".to_owned()
}

impl Provider {
    /// Whether it may be named.
    pub fn check(&self) -> Result<(), Problem> {
        let issuer =
            IssuerUrl::new(self.issuer.clone()).map_err(|_| Problem::at("issuer", "`issuer` is an address: https://id.example"))?;
        let url = issuer.url();
        let here = url.host_str().is_some_and(|h| matches!(h, "localhost" | "127.0.0.1" | "[::1]"));
        if url.scheme() != "https" && !(url.scheme() == "http" && here) {
            return Err(Problem::at("issuer", "`issuer` begins with https://; http:// is for a provider on this machine"));
        }
        if self.client_id.trim().is_empty() {
            return Err(Problem::at("client_id", "`client_id` is what this server is called at the provider"));
        }
        match self.roles.values().find(|r| Role::from_name(r).is_none()) {
            Some(_) => Err(Problem::at("roles", "`roles` names a role that there is not: `GET /api/v1/roles` lists them")),
            None => Ok(()),
        }
    }
}

/// Sign-ins under way, and what providers say of themselves.
#[derive(Default)]
pub struct Openid {
    open: Mutex<HashMap<String, Open>>,
    metadata: Mutex<Option<(String, Time, Arc<CoreProviderMetadata>)>>,
}

struct Open {
    /// Digest of the cookie of the browser that began.
    browser: String,
    nonce: Nonce,
    verifier: PkceCodeVerifier,
    provider: Provider,
    next: String,
    until: Time,
}

/// The provider, where one is named.
pub async fn provider(app: &App) -> Result<Option<Provider>, Problem> {
    let value = app.store().setting(SETTING).await?.filter(|v| !v.is_null());
    value.map(serde_json::from_value).transpose().map_err(Problem::internal)
}

#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error("{0}")]
    Text(String),
    #[error("no answer within {} s", PATIENCE.as_secs())]
    Slow,
}

/// Asks a provider.
async fn fetch(request: openidconnect::HttpRequest) -> Result<openidconnect::HttpResponse, FetchError> {
    let text = |e: &dyn std::fmt::Display| FetchError::Text(e.to_string());
    let connector = hyper_rustls::HttpsConnectorBuilder::new()
        .with_provider_and_native_roots(rustls::crypto::ring::default_provider())
        .map_err(|e| text(&e))?
        .https_or_http()
        .enable_http1()
        .build();
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build(connector);
    let work = async {
        let response = client.request(request.map(|body| Full::new(Bytes::from(body)))).await.map_err(|e| text(&e))?;
        let (parts, body) = response.into_parts();
        let bytes = Limited::new(body, ANSWER).collect().await.map_err(|e| text(&e))?.to_bytes();
        Ok(axum::http::Response::from_parts(parts, bytes.to_vec()))
    };
    tokio::time::timeout(PATIENCE, work).await.map_err(|_| FetchError::Slow)?
}

/// The provider does not do as it should: its words are for the log.
fn wrong(what: &str, error: impl std::fmt::Display) -> Problem {
    tracing::warn!(%error, "openid: {what}");
    Problem::new(axum::http::StatusCode::BAD_GATEWAY, format!("the OpenID provider: {what}; the log of the server says more"))
}

async fn metadata(app: &App, provider: &Provider) -> Result<Arc<CoreProviderMetadata>, Problem> {
    let now = app.now();
    let kept = app.openid().metadata.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some((issuer, at, metadata)) = kept
        && issuer == provider.issuer
        && now.0.saturating_sub(at.0) < KEPT
    {
        return Ok(metadata);
    }
    let issuer = IssuerUrl::new(provider.issuer.clone()).map_err(|e| wrong("its address cannot be used", e))?;
    let found = CoreProviderMetadata::discover_async(issuer, &fetch).await.map_err(|e| wrong("it does not describe itself", chain(&e)))?;
    let found = Arc::new(found);
    *app.openid().metadata.lock().unwrap_or_else(PoisonError::into_inner) = Some((provider.issuer.clone(), now, Arc::clone(&found)));
    Ok(found)
}

/// An error with what caused it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut out = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        out.push_str(": ");
        out.push_str(&cause.to_string());
        next = cause.source();
    }
    out
}

/// Begins: where the browser goes, and the word that it keeps until it is back.
pub async fn begin(app: &App, provider: Provider, redirect: &str, next: &str) -> Result<(String, String), Problem> {
    let metadata = metadata(app, &provider).await?;
    let client = CoreClient::from_provider_metadata(
        CoreProviderMetadata::clone(&metadata),
        ClientId::new(provider.client_id.clone()),
        provider.client_secret.clone().map(ClientSecret::new),
    );
    let redirect = RedirectUrl::new(redirect.to_owned()).map_err(Problem::internal)?;
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (state, nonce, browser) = (secret::random()?, secret::random()?, secret::random()?);
    let (state_of, nonce_of) = (CsrfToken::new(state.clone()), Nonce::new(nonce));
    let (begun, nonce) = (state_of, nonce_of.clone());
    let mut request = client.authorize_url(CoreAuthenticationFlow::AuthorizationCode, move || begun, move || nonce);
    for scope in &provider.scopes {
        request = request.add_scope(Scope::new(scope.clone()));
    }
    let (url, _, _) = request.set_pkce_challenge(challenge).set_redirect_uri(std::borrow::Cow::Owned(redirect)).url();
    let now = app.now();
    let open = Open {
        browser: secret::digest(&browser),
        nonce: nonce_of,
        verifier,
        provider,
        next: next.to_owned(),
        until: Time(now.0.saturating_add(LASTS)),
    };
    let mut all = app.openid().open.lock().unwrap_or_else(PoisonError::into_inner);
    all.retain(|_, o| o.until > now);
    if all.len() >= MOST {
        return Err(Problem::too_often(60));
    }
    all.insert(secret::digest(&state), open);
    Ok((url.to_string(), browser))
}

/// Ends: the person, as the provider proves it, and where it was going.
pub async fn end(app: &App, redirect: &str, state: &str, code: &str, browser: &str) -> Result<(Person, String), Problem> {
    let now = app.now();
    let open = app.openid().open.lock().unwrap_or_else(PoisonError::into_inner).remove(&secret::digest(state));
    let open = open.filter(|o| o.until > now && secret::same(&o.browser, &secret::digest(browser)));
    let Some(open) = open else {
        return Err(Problem::forbidden("this sign-in was not begun here, or took too long: begin again"));
    };
    let metadata = metadata(app, &open.provider).await?;
    let client = CoreClient::from_provider_metadata(
        CoreProviderMetadata::clone(&metadata),
        ClientId::new(open.provider.client_id.clone()),
        open.provider.client_secret.clone().map(ClientSecret::new),
    );
    let redirect = RedirectUrl::new(redirect.to_owned()).map_err(Problem::internal)?;
    let exchange = client.exchange_code(AuthorizationCode::new(code.to_owned())).map_err(|e| wrong("it names no place for tokens", e))?;
    let exchange = exchange.set_pkce_verifier(open.verifier).set_redirect_uri(std::borrow::Cow::Owned(redirect));
    let tokens = exchange.request_async(&fetch).await.map_err(|e| wrong("it gave no token for the code", chain(&e)))?;
    let token = tokens.id_token().ok_or_else(|| wrong("it gave no ID token", "none in the answer"))?;
    let at = DateTime::from_timestamp_millis(now.0).unwrap_or_default();
    let verifier = client.id_token_verifier().set_time_fn(move || at);
    let claims = token.claims(&verifier, &open.nonce).map_err(|e| wrong("its ID token does not hold", chain(&e)))?;
    if let Some(expected) = claims.access_token_hash() {
        let algorithm = token.signing_alg().map_err(|e| wrong("its ID token does not hold", e))?;
        let key = token.signing_key(&verifier).map_err(|e| wrong("its ID token does not hold", e))?;
        let actual =
            AccessTokenHash::from_token(tokens.access_token(), algorithm, key).map_err(|e| wrong("its ID token does not hold", e))?;
        if actual != *expected {
            return Err(wrong("its ID token does not hold", "the access token is another one's"));
        }
    }
    // The signature was verified above: other claims are read from the same bytes.
    let text = token.to_string();
    let payload = text.split('.').nth(1).and_then(|p| Base64UrlUnpadded::decode_vec(p).ok()).unwrap_or_default();
    let all: Json = serde_json::from_slice(&payload).map_err(|e| wrong("its ID token does not hold", e))?;
    let person = person(app, &open.provider, claims.issuer().as_str(), claims.subject().as_str(), &all).await?;
    Ok((person, open.next))
}

/// The texts of a claim.
fn texts<'a>(claims: &'a Json, name: &str) -> Vec<&'a str> {
    match claims.get(name) {
        Some(Json::String(text)) => vec![text],
        Some(Json::Array(list)) => list.iter().filter_map(Json::as_str).collect(),
        _ => Vec::new(),
    }
}

async fn person(app: &App, provider: &Provider, issuer: &str, subject: &str, claims: &Json) -> Result<Person, Problem> {
    let groups = texts(claims, &provider.claim);
    let roles: BTreeSet<Role> = groups.iter().filter_map(|g| provider.roles.get(*g)).filter_map(|r| Role::from_name(r)).collect();
    let sites = match &provider.sites_claim {
        None => Sites::All,
        Some(claim) => Sites::Only(texts(claims, claim).into_iter().map(str::to_owned).collect()),
    };
    let known = match app.store().person_by_identity(issuer, subject).await {
        Ok(person) => Some(person),
        Err(StoreError::NotFound { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    if roles.is_empty() {
        return Err(Problem::forbidden("the provider knows you, and no group of yours has a role here: ask who administers this server"));
    }
    let by = app.by_itself();
    if let Some(mut person) = known {
        if person.disabled {
            return Err(Problem::forbidden("this account is shut out"));
        }
        if person.roles != roles || person.sites != sites {
            (person.roles, person.sites) = (roles, sites);
            app.store().update_person(by, &person).await?;
        }
        return Ok(person);
    }
    let name = ["preferred_username", "email"].iter().flat_map(|c| texts(claims, c)).next().unwrap_or(subject);
    let login: String = name.chars().filter(|c| !c.is_whitespace() && !c.is_control()).take(60).collect::<String>().to_lowercase();
    let mut person = Person {
        login: if login.is_empty() { "someone".to_owned() } else { login },
        name: texts(claims, "name").first().map(|n| umbilical_core::text::short(n, 200).into_owned()).unwrap_or_default(),
        email: texts(claims, "email").first().map(|e| umbilical_core::text::short(e, 200).into_owned()),
        password: None,
        totp: None,
        identity: Some((issuer.to_owned(), subject.to_owned())),
        roles,
        sites,
        subscribers: false,
        disabled: false,
        created: by.at,
    };
    // A login that is somebody's already is never taken over.
    if app.store().person_by_login(&person.login).await.is_ok() {
        let tail = secret::digest(&format!("{issuer}\n{subject}"));
        person.login = format!("{}-{}", person.login, tail.get(..8).unwrap_or_default());
    }
    app.store().add_person(by, &person).await?;
    Ok(app.store().person_by_identity(issuer, subject).await?)
}
