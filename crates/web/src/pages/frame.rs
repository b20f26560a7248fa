//! The frame of every page: the bar, the style sheet, the script.

use std::sync::LazyLock;

use askama::Template;
use axum::extract::Path;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::refused::Refused;
use crate::who::Who;
use crate::{Problem, rights, secret};

/// The bar: what an entry is called and where it leads. It is shown to whom the table of rights lets in there.
const BAR: &[(&str, &str)] = &[
    ("Overview", "/"),
    ("Fleet", "/fleet"),
    ("Findings", "/findings"),
    ("Modules", "/modules"),
    ("Traffic", "/traffic"),
    ("Policy", "/policy"),
    (WAIVERS, "/waivers"),
    ("Look-up", "/look-up"),
    ("Evidence", "/evidence"),
    ("Reports", "/reports"),
    ("People", "/people"),
    ("Audit log", "/audit-log"),
    ("Settings", "/settings"),
];

/// The entry for those who approve: to others what is proposed is a matter of the findings.
const WAIVERS: &str = "Waivers";

/// An entry of the bar.
pub struct Entry {
    pub label: &'static str,
    pub path: &'static str,
    /// Whether the page is this one, or below it.
    pub here: bool,
    /// What waits there for who is signed in.
    pub waits: u64,
}

/// What every page has at its top.
pub struct Head {
    /// What the page is called.
    pub title: String,
    /// The bar, as far as it leads for who is signed in.
    pub bar: Vec<Entry>,
    /// Who is signed in.
    pub user: Option<String>,
    /// What forms must hold.
    pub csrf: String,
    /// Whether evidence may be brought in.
    pub imports: bool,
    /// Whether this is a demonstration.
    pub demo: bool,
    /// Seconds after which the page asks again; 0 for never.
    pub refresh: u32,
    /// The form of this page that was just refused.
    pub refused: Option<Refused>,
}

impl Head {
    /// `here` is the path of the entry of the bar under which the page stands.
    pub fn new(title: impl Into<String>, here: &str, who: Option<&Who>) -> Self {
        let enters = |who: &&Who, path: &str| {
            rights::need(&Method::GET, path).is_some_and(|need| need.met(who.class, &who.permissions, who.sees_all()))
        };
        let bar = who.into_iter().flat_map(|who| {
            let open = BAR.iter().filter(move |(label, path)| enters(&who, path) && (*label != WAIVERS || who.approves()));
            let waits = |label| if label == WAIVERS { who.waits } else { 0 };
            open.map(move |(label, path)| Entry { label, path, here: *path == here, waits: waits(*label) })
        });
        Self {
            title: title.into(),
            bar: bar.collect(),
            user: who.map(|w| if w.person.name.is_empty() { w.person.login.clone() } else { w.person.name.clone() }),
            csrf: who.map(|w| w.csrf().to_owned()).unwrap_or_default(),
            imports: who.is_some_and(|w| enters(&w, "/import")),
            demo: who.is_some_and(|w| w.demo),
            refresh: 0,
            refused: None,
        }
    }

    /// With a form that was refused, where one was.
    #[must_use]
    pub fn again(self, refused: Option<Refused>) -> Self {
        Self { refused, ..self }
    }

    /// The status of a page with such a form.
    pub fn status(&self) -> StatusCode {
        self.refused.as_ref().map_or(StatusCode::OK, Refused::status)
    }

    /// Whether this form of the page was refused.
    pub fn is_refused(&self, form: &str) -> bool {
        self.refused.as_ref().is_some_and(|r| r.is(form))
    }

    /// What stands in a field of a form: what was typed there, where it was refused, else what usually does.
    pub fn typed<'a>(&'a self, form: &str, name: &str, usual: &'a str) -> &'a str {
        self.refused.as_ref().and_then(|r| r.typed(form, name)).unwrap_or(usual)
    }

    /// Whether a box or row was ticked in a form that was refused.
    pub fn ticked(&self, form: &str, name: &str, value: &str) -> bool {
        self.refused.as_ref().is_some_and(|r| r.ticked(form, name, value))
    }

    /// Whether a box with a name of two parts was ticked.
    pub fn box_ticked(&self, form: &str, kind: &str, name: &str) -> bool {
        self.ticked(form, &format!("{kind}{name}"), "on")
    }

    /// Why a form was refused, where it is about this field.
    pub fn wrong(&self, form: &str, name: &str) -> Option<&str> {
        self.refused.as_ref().and_then(|r| r.at(form, name))
    }

    /// What a field says of itself where a form was refused for it: attributes.
    pub fn marked(&self, form: &str, name: &str) -> &'static str {
        if self.wrong(form, name).is_some() { " aria-invalid=\"true\" aria-describedby=\"refused\" autofocus" } else { "" }
    }

    /// The style sheet's name.
    pub fn style(&self) -> &'static str {
        &STYLE.name
    }

    /// The script's name.
    pub fn script(&self) -> &'static str {
        &SCRIPT.name
    }
}

/// A page.
pub fn page<T: Template>(status: StatusCode, template: &T) -> Response {
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

/// A problem as a page, under the bar of who is signed in.
pub fn problem(problem: &Problem, who: Option<&Who>) -> Response {
    let mut response = page(problem.code(), &ProblemPage { head: Head::new(problem.title, "", who), problem });
    if let Some(seconds) = problem.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// A file that pages load. Its name holds its digest, so that it may be kept for ever.
struct Asset {
    name: String,
    kind: &'static str,
    text: &'static str,
}

impl Asset {
    fn new(stem: &str, end: &str, kind: &'static str, text: &'static str) -> Self {
        Self { name: format!("{stem}-{}.{end}", secret::digest(text).get(..12).unwrap_or_default()), kind, text }
    }
}

static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("style", "css", "text/css; charset=utf-8", include_str!("../../assets/style.css")));
static SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("page", "js", "text/javascript; charset=utf-8", include_str!("../../assets/page.js")));

/// The style sheet or the script.
pub async fn asset(Path(name): Path<String>) -> Result<Response, Problem> {
    let all: [&'static Asset; 2] = [&STYLE, &SCRIPT];
    let found = all.into_iter().find(|a| a.name == name).ok_or_else(|| Problem::missing("there is no such file"))?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(found.kind)),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
    ];
    Ok((headers, found.text).into_response())
}

/// The day of a time as the store writes it.
pub fn day(time: impl AsRef<str>) -> String {
    time.as_ref().chars().take(10).collect()
}

/// A time to the minute, in UTC.
pub fn minute(time: impl AsRef<str>) -> String {
    let time = time.as_ref();
    format!("{} {} UTC", day(time), time.get(11..16).unwrap_or_default())
}

/// The last day on which something holds that ends at a time.
pub fn last_day(end: &umbilical_store::Time) -> String {
    day(umbilical_store::Time(end.0.saturating_sub(1)).to_string())
}

/// Days for which a risk is accepted at most.
pub fn longest_accepted() -> i64 {
    umbilical_store::LONGEST_ACCEPTED
}

/// The decision by which something is accepted now, where one is.
pub fn accepted(decided: &[umbilical_store::Decided]) -> Option<&umbilical_store::Decided> {
    decided.iter().rev().find(|d| d.kind == "state").filter(|d| d.value == "accepted")
}

/// A confidence in percent.
pub fn percent(confidence: &f64) -> String {
    // 99.96 % is not certainty.
    let tenths = (confidence * 1000.0 + 1e-9).floor() / 10.0;
    if tenths.fract() == 0.0 { format!("{tenths:.0} %") } else { format!("{tenths:.1} %") }
}

/// A text with what stands in backticks as code: HTML.
pub fn ticks(text: impl AsRef<str>) -> String {
    let text = text.as_ref();
    let even = text.matches('`').count() % 2 == 0;
    let mut out = String::with_capacity(text.len());
    let mut open = false;
    for c in text.chars() {
        match c {
            '&' => out.push_str("&#38;"),
            '<' => out.push_str("&#60;"),
            '>' => out.push_str("&#62;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            '`' if even => {
                open = !open;
                out.push_str(if open { "<code>" } else { "</code>" });
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_marked_and_nothing_gets_through() {
        assert_eq!(ticks("say `a<b`, \"now\""), "say <code>a&#60;b</code>, &#34;now&#34;");
        assert_eq!(ticks("one ` alone <i>"), "one ` alone &#60;i&#62;");
    }

    #[test]
    fn the_script_stays_small_and_speaks_to_nobody_else() {
        assert!(SCRIPT.text.len() <= 10 << 10, "{}", SCRIPT.text.len());
        assert!(!SCRIPT.text.contains("http") && !STYLE.text.contains("url("));
    }

    #[test]
    fn what_is_nearly_certain_is_not_certain() {
        assert_eq!([percent(&0.9996), percent(&1.0), percent(&0.5)], ["99.9 %", "100 %", "50 %"]);
    }
}
