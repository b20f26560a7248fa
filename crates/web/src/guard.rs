//! What stands before every route: who asks, whether it may, and whether a browser was led here by another site.

use axum::extract::{MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

use crate::app::App;
use crate::rights::{self, Need};
use crate::who::{self, Who};
use crate::{Problem, limits, secret};

/// The header that holds the form's secret where the API is asked with a cookie.
pub const CSRF: &str = "x-csrf-token";

/// Lets a request through to its route, or answers for it.
pub async fn guard(State(app): State<App>, path: MatchedPath, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let admitted = admit(&app, path.as_str(), &parts).await;
    let mut request = Request::from_parts(parts, body);
    match admitted {
        Ok(who) => {
            if let Some(mut who) = who {
                // Approvers are told on every page what waits for them.
                if who.session.is_some() && who.approves() && !is_api(path.as_str()) {
                    match app.store().waivers_waiting(&who.person.id()).await {
                        Ok(n) => who.waits = n,
                        Err(error) => return Problem::from(error).into_response(),
                    }
                }
                request.extensions_mut().insert(who);
            }
            next.run(request).await
        }
        // A page leads to the page where one signs in.
        Err(problem) if problem.status == 401 && !is_api(path.as_str()) => {
            let back = request.uri().path_and_query().filter(|_| request.method() == Method::GET).map_or("/fleet", |p| p.as_str());
            Redirect::to(&format!("/sign-in?next={}", encoded(back))).into_response()
        }
        Err(problem) => problem.into_response(),
    }
}

/// Whether a path is for programs.
pub fn is_api(path: &str) -> bool {
    path.starts_with("/api/") || path == "/metrics"
}

async fn admit(app: &App, path: &str, request: &Parts) -> Result<Option<Who>, Problem> {
    let (method, headers) = (&request.method, &request.headers);
    let Some(need) = rights::need(method, path) else {
        tracing::error!(%method, path, "a route without a row in the table of rights");
        return Err(Problem::forbidden("nobody may do this"));
    };
    let writes = !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    if writes {
        same_site(app, headers)?;
    }
    let who = match who::find(app, headers).await {
        // Who may come in without a word is not sent away for a wrong one.
        Err(problem) if need == Need::Nothing && problem.status == 401 => None,
        other => other?,
    };
    if let Some(who) = &who {
        let key = who.token.as_deref().or(who.session.as_ref().map(|s| s.id.as_str())).unwrap_or(&who.name);
        app.limits().take(key, limits::API, app.now()).map_err(Problem::too_often)?;
    }
    match (&who, need) {
        (_, Need::Nothing) => {}
        (None, Need::Open(_)) if app.config().public_look_up => {}
        (None, _) => return Err(Problem::unknown_asker()),
        (Some(who), need) if need.met(who.class, &who.permissions, who.sees_all()) => {}
        (Some(who), _) => {
            tracing::warn!(who = who.name, %method, path, "refused");
            return Err(Problem::forbidden(refusal(who, need)));
        }
    }
    // Forms of pages hold it in a field, which their handlers look at.
    if let (true, true, Some(session)) = (writes, is_api(path), who.as_ref().and_then(|w| w.session.as_ref())) {
        let sent = headers.get(CSRF).and_then(|v| v.to_str().ok()).unwrap_or_default();
        if !secret::same(sent, &session.csrf) {
            return Err(Problem::forbidden("with a session the header X-CSRF-Token must hold what `GET /api/v1/me` says"));
        }
    }
    Ok(who)
}

fn refusal(who: &Who, need: Need) -> String {
    match need.permission() {
        Some(p) if !who.may(p) => format!("this needs the permission `{}`, which {} has not", p.name(), who.name),
        Some(_) if matches!(need, Need::Whole(_) | Need::WholePerson(_)) && !who.sees_all() => {
            "this is for those who see all sites".to_owned()
        }
        _ => "this is not for tokens of this class".to_owned(),
    }
}

/// Where a request comes from, by the browser (Fetch Metadata Request Headers, W3C).
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses what a browser sends because of another site. Programs send neither header.
fn same_site(app: &App, headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name: HeaderName| headers.get(name).map(|v| v.to_str().unwrap_or("?"));
    let foreign = || Problem::forbidden("another site led the browser here: nothing was done");
    // No page can write this header: what the browser says here is so, whatever a policy made of `origin`.
    match text(SEC_FETCH_SITE) {
        Some("same-origin") => return Ok(()),
        Some("none") | None => {}
        Some(_) => return Err(foreign()),
    }
    let Some(origin) = text(header::ORIGIN) else { return Ok(()) };
    let host = text(header::HOST).unwrap_or_default();
    let own = origin.split_once("://").is_some_and(|(_, rest)| !rest.is_empty() && rest.eq_ignore_ascii_case(host));
    let public = app.config().public.as_deref().is_some_and(|p| p.trim_end_matches('/').eq_ignore_ascii_case(origin));
    if own || public { Ok(()) } else { Err(foreign()) }
}

/// A text as a value of a query.
pub fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
