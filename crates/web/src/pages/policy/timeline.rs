//! What begins and what ends when.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use umbilical_assess::judge::told;
use umbilical_core::answer::policy::Dated;
use umbilical_knowledge::policy::{Pack, Standing};
use umbilical_report::svg;

use super::on_file;
use crate::Problem;
use crate::app::App;
use crate::extract::Params;
use crate::guard::encoded;
use crate::pages::frame::{Head, page};
use crate::who::Who;

/// Events of the past on a page.
const PAST: usize = 30;

#[derive(Template)]
#[template(path = "timeline.html")]
struct Timeline {
    head: Head,
    today: String,
    pack: String,
    packs: Vec<(String, String)>,
    picture: Option<String>,
    coming: Vec<Dated>,
    past: Vec<Dated>,
    /// The page before.
    older: Option<String>,
}

/// Which pack.
#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    pack: String,
    #[serde(default)]
    page: usize,
}

/// The timeline of all law, or of one pack.
pub async fn timeline(State(app): State<App>, who: Who, Params(asked): Params<Asked>) -> Result<Response, Problem> {
    let shelves = on_file(&app)?;
    let ids: Vec<(String, String)> = shelves.iter().map(|s| (s.pack.id.get_ref().clone(), s.pack.title.clone())).collect();
    let wanted = asked.pack.trim();
    if !wanted.is_empty() && !ids.iter().any(|(id, _)| id == wanted) {
        return Err(Problem::missing("no such pack is on file"));
    }
    // As the command does: all law and its proposals, and house rules where they are asked here.
    let shown = |s: &super::Shelf| match wanted {
        "" => s.asked || matches!(s.pack.standing, Standing::Law | Standing::Proposed) && !s.pack.optional,
        id => s.pack.id.get_ref() == id,
    };
    let packs: Vec<Pack> = shelves.into_iter().filter(shown).map(|s| s.pack).collect();
    let today = app.today().to_string();
    let events = told::timeline(&packs, app.knowledge(), None);
    let marks: Vec<svg::Dated> =
        events.iter().map(|e| svg::Dated { on: e.on.clone(), lane: e.pack.clone(), what: e.what.clone() }).collect();
    let picture = svg::dates("dates", "What begins and ends when, pack by pack", &marks, app.today());
    let (mut past, coming): (Vec<Dated>, Vec<Dated>) = events.into_iter().partition(|e| e.on <= today);
    past.reverse();
    let at = asked.page.min(past.len() / PAST);
    let older = (past.len() > (at + 1) * PAST).then(|| format!("/policy/timeline?pack={}&page={}", encoded(wanted), at + 1));
    past = past.into_iter().skip(at * PAST).take(PAST).collect();
    let head = Head::new("Timeline", "/policy", Some(&who));
    Ok(page(StatusCode::OK, &Timeline { head, today, pack: wanted.to_owned(), packs: ids, picture, coming, past, older }))
}
