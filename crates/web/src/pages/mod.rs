//! Pages: plain HTML that works without scripts. Everything from outside is escaped by its template.

mod account;
mod device;
mod fleet;
mod import;
mod people;
mod sign;

use askama::Template;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Path};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};

use crate::Problem;
use crate::app::App;
use crate::rights::Permission;
use crate::who::Who;

pub use sign::{announce, set_up_address};

/// The routes.
pub fn router() -> Router<App> {
    Router::new()
        .route("/", get(async || Redirect::to("/fleet")))
        .route("/assets/{name}", get(asset))
        .route("/set-up/{secret}", get(sign::set_up).post(sign::set_up_send))
        .route("/sign-in", get(sign::sign_in).post(sign::sign_in_send))
        .route("/sign-in/code", post(sign::code_send))
        .route("/sign-in/openid", get(sign::openid_begin))
        .route("/sign-in/openid/return", get(sign::openid_end))
        .route("/sign-out", post(sign::sign_out))
        .route("/fleet", get(fleet::fleet))
        .route("/findings", get(fleet::findings))
        .route("/devices/{id}", get(device::device).post(device::decide))
        .route("/import", get(import::import).post(import::send).layer(DefaultBodyLimit::disable()))
        .route("/import/{n}", get(import::job))
        .route("/account", get(account::account))
        .route("/account/password", post(account::password))
        .route("/account/totp", post(account::totp))
        .route("/account/totp/confirm", post(account::confirm))
        .route("/account/totp/end", post(account::end))
        .route("/account/tokens", post(account::token))
        .route("/account/tokens/{id}", post(account::revoke))
        .route("/welcome/{id}/{secret}", get(sign::welcome).post(sign::welcome_send))
        .route("/people", get(people::people).post(people::add))
        .route("/audit-log", get(people::log))
}

/// What every page has at its top.
pub struct Head {
    /// What the page is called.
    pub title: String,
    /// Which entry of the bar is this page.
    pub here: &'static str,
    /// Who is signed in.
    pub user: Option<String>,
    /// What forms must hold.
    pub csrf: String,
    /// Whether evidence may be brought in.
    pub imports: bool,
    /// Whether people may be looked after.
    pub admin: bool,
    /// Whether the audit log may be read.
    pub audit: bool,
    /// Seconds after which the page asks again; 0 for never.
    pub refresh: u32,
}

impl Head {
    fn new(title: impl Into<String>, here: &'static str, who: Option<&Who>) -> Self {
        Self {
            title: title.into(),
            here,
            user: who.map(|w| if w.person.name.is_empty() { w.person.login.clone() } else { w.person.name.clone() }),
            csrf: who.map(|w| w.csrf().to_owned()).unwrap_or_default(),
            imports: who.is_some_and(|w| w.may(Permission::Import)),
            admin: who.is_some_and(|w| w.may(Permission::Admin) && w.sees_all()),
            audit: who.is_some_and(|w| w.may(Permission::Audit) && w.sees_all()),
            refresh: 0,
        }
    }

    fn style(&self) -> String {
        style_name()
    }
}

/// A page.
fn page<T: Template>(status: StatusCode, template: &T) -> Response {
    match template.render() {
        Ok(mut html) => {
            html.retain(|c| !steers(c));
            let headers = [
                (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
                (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            ];
            (status, headers, html).into_response()
        }
        Err(error) => Problem::internal(error).into_response(),
    }
}

/// Characters that no page of ours has: controls, and those that turn the direction of writing for what follows
/// (CVE-2021-42574). Quotes and angle brackets of values are the templates' business.
fn steers(c: char) -> bool {
    c.is_control() && c != '\n' || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    head: Head,
    problem: &'a Problem,
}

/// A problem as a page.
pub fn problem(problem: &Problem) -> Response {
    let mut response = page(problem.code(), &ProblemPage { head: Head::new(problem.title, "", None), problem });
    if let Some(seconds) = problem.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

const STYLE: &str = include_str!("../../assets/style.css");

/// The name of the style sheet, with its digest: it may be kept for ever.
fn style_name() -> String {
    use std::sync::LazyLock;
    static NAME: LazyLock<String> = LazyLock::new(|| format!("style-{}.css", crate::secret::digest(STYLE).get(..12).unwrap_or_default()));
    NAME.clone()
}

async fn asset(Path(name): Path<String>) -> Result<Response, Problem> {
    if name != style_name() {
        return Err(Problem::missing("there is no such file"));
    }
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
    ];
    Ok((headers, STYLE).into_response())
}

/// The day of a time as the store writes it.
fn day(time: impl AsRef<str>) -> String {
    time.as_ref().chars().take(10).collect()
}

/// A time to the minute, in UTC.
fn minute(time: impl AsRef<str>) -> String {
    let time = time.as_ref();
    format!("{} {} UTC", day(time), time.get(11..16).unwrap_or_default())
}
