//! An organisation: who stands behind it on a day, which lists name it, whose law reaches it, and what of it is in the fleet.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use umbilical_assess::trace::trace;
use umbilical_core::Day;
use umbilical_core::answer::{Jurisdiction, Step, Trace};
use umbilical_core::date::Loose;
use umbilical_knowledge::{Knowledge, Word as _};
use umbilical_report::{say, svg};
use umbilical_store::query::Query;

use super::fleet::{href, refined};
use super::frame::{Head, page};
use super::modules::{Number, address};
use crate::Problem;
use crate::app::App;
use crate::extract::Params;
use crate::who::Who;

/// Models on the page.
const MODELS: usize = 120;

/// A relation as a row.
struct Relation {
    says: String,
    /// The organisation at its other end.
    other: String,
    days: String,
    state: String,
    class: &'static str,
    basis: &'static str,
    source: String,
    verified: bool,
}

/// A law that can compel, or that nobody has written one down.
struct Compels {
    country: String,
    through: String,
    basis: &'static str,
    unclear: bool,
    laws: Vec<Law>,
}

struct Law {
    law: String,
    date: String,
    compels: String,
    bound: String,
    source: String,
    verified: bool,
}

struct Brand {
    name: String,
    aliases: String,
    sells: &'static str,
    devices: Number,
    source: String,
    verified: bool,
}

struct Model {
    name: String,
    href: String,
    devices: Number,
}

/// Which day.
#[derive(Deserialize)]
pub struct On {
    #[serde(default)]
    as_of: String,
}

#[derive(Template)]
#[template(path = "organisation.html")]
struct One {
    head: Head,
    id: String,
    trace: Trace,
    aliases: Vec<String>,
    kind: String,
    source: String,
    verified: bool,
    as_of: String,
    today: String,
    wrong: Option<String>,
    graph: Option<(String, usize)>,
    relations: Vec<Relation>,
    below: Vec<Relation>,
    law: Vec<Compels>,
    brands: Vec<Brand>,
    owned: Number,
    models: Vec<Model>,
    more_models: bool,
}

/// A day as somebody typed it; the error is in words.
pub fn day(text: &str, today: Day) -> (Day, Option<String>) {
    match text.trim() {
        "" => (today, None),
        text => match text.parse() {
            Ok(day) => (day, None),
            Err(_) => {
                let what = format!("`{}` is no day as in 2026-11-29: today is shown", umbilical_core::text::short(text, 20));
                (today, Some(what))
            }
        },
    }
}

fn relations(trace: &Trace) -> Vec<Relation> {
    let lists: [(&str, &[Step]); 4] =
        [("holds", &trace.chain), ("has ended", &trace.former), ("holds", &trace.other), ("alleged, not counted", &trace.alleged)];
    let all = lists.into_iter().flat_map(|(state, steps)| steps.iter().map(move |s| (state, s)));
    let rows = all.map(|(state, s)| {
        let days = say::dates(s.from.as_deref(), s.to.as_deref());
        let control = if s.control { ", control" } else { "" };
        let unclear = if s.unclear { "; for review: the day is unclear" } else { "" };
        Relation {
            says: say::relation(s),
            other: if s.parent == trace.org { s.child.clone() } else { s.parent.clone() },
            days: if days.is_empty() { "days not known".to_owned() } else { days },
            state: format!("{state}{control}{unclear}"),
            class: match state {
                "has ended" => "ended",
                "holds" => "",
                _ => "alleged",
            },
            basis: s.basis.name(),
            source: s.source.clone(),
            verified: s.verified,
        }
    });
    rows.collect()
}

/// What it owns, makes for and supplies: edges that lead down from it.
fn below(kb: &Knowledge, id: &str, on: Day) -> Vec<Relation> {
    let name = |id: &str| kb.org(id).map_or(id, |o| &o.name).to_owned();
    let day = |d: &Option<Loose>| d.as_ref().map(ToString::to_string);
    let rows = kb.edges().iter().filter(|e| *e.parent == *id).map(|e| {
        let alleged =
            e.edge == umbilical_knowledge::EdgeKind::AffiliateAlleged || e.note.as_deref().is_some_and(|n| n.starts_with("alleged:"));
        let ended = e.to.as_ref().is_some_and(|to| to.to_string() <= on.to_string());
        let to_come = e.from.as_ref().is_some_and(|from| from.to_string() > on.to_string());
        let share = e.share.as_deref().map(|s| format!(" {} of", say::stake(s))).unwrap_or_default();
        let (state, class) = match (alleged, ended, to_come) {
            (true, ..) => ("alleged, not counted", "alleged"),
            (_, true, _) => ("has ended", "ended"),
            (_, _, true) => ("not yet", "ended"),
            _ => ("holds", ""),
        };
        let days = say::dates(day(&e.from).as_deref(), day(&e.to).as_deref());
        Relation {
            says: format!("{}{share} {}", say::verb(e.edge.name()), name(&e.child)),
            other: e.child.to_string(),
            days: if days.is_empty() { "days not known".to_owned() } else { days },
            state: state.to_owned(),
            class,
            basis: if alleged { "alleged" } else { "declared" },
            source: e.source.text.to_string(),
            verified: e.source.verified,
        }
    });
    rows.collect()
}

fn compels(kb: &Knowledge, j: &Jurisdiction) -> Compels {
    let laws = kb.laws(&j.country).map(|l| Law {
        law: l.provision.as_deref().map_or_else(|| l.law.to_string(), |p| format!("{}, {p}", l.law)),
        date: l.date.as_ref().map(ToString::to_string).unwrap_or_default(),
        compels: l.compels.to_string(),
        bound: l.bound.to_string(),
        source: l.source.text.to_string(),
        verified: l.source.verified,
    });
    Compels { country: j.country.clone(), through: j.via.join(" → "), basis: j.basis.name(), unclear: j.unclear, laws: laws.collect() }
}

/// An organisation as it is traced on a day.
pub async fn one(State(app): State<App>, who: Who, Path(id): Path<String>, Params(on): Params<On>) -> Result<Response, Problem> {
    let (store, kb, today) = (app.store(), app.knowledge(), app.today());
    let org = kb.org(&id).ok_or_else(|| Problem::missing("no such organisation is on file"))?;
    let (as_of, wrong) = day(&on.as_of, today);
    let trace = trace(kb, &id, as_of);
    let number = async |q: String| -> Result<Number, Problem> {
        Ok(Number { count: store.count_devices(&who.scope, &Query::parse(&q)?).await?, href: href("/fleet", &q, None) })
    };
    let mut brands = Vec::new();
    let mut terms = Vec::new();
    for b in kb.brands().iter().filter(|b| b.org.as_deref() == Some(&*org.id)) {
        let q = format!("{} OR {}", refined("", "maker", &b.brand, false), refined("", "brand", &b.brand, false));
        brands.push(Brand {
            name: b.brand.to_string(),
            aliases: b.aliases.join(", "),
            sells: b.kind.name(),
            devices: number(q.clone()).await?,
            source: b.source.text.to_string(),
            verified: b.source.verified,
        });
        terms.push(q);
    }
    let mut models = Vec::new();
    let mut more_models = false;
    if !terms.is_empty() {
        let query = Query::parse(&terms.join(" OR "))?;
        let found = store.facets(&who.scope, &query, &["model"], 2_000).await?;
        let all: Vec<_> = found.into_iter().flat_map(|f| f.values).collect();
        more_models = all.len() > MODELS;
        for v in all.into_iter().take(MODELS) {
            let q = refined(&terms.join(" OR "), "model", &v.value, false);
            let brand = brands.iter().find_map(|b| kb.module(&b.name, &v.value));
            models.push(Model {
                href: brand.map_or_else(
                    || format!("/modules/{}", crate::guard::encoded(&super::modules::slug(&v.value))),
                    |m| address(&m.maker, &m.model),
                ),
                devices: Number { count: v.devices, href: href("/fleet", &q, None) },
                name: v.value,
            });
        }
    }
    let graph = svg::graph("behind", &trace, false).map(|g| (g.svg, g.left_out));
    let mut law: Vec<Compels> = Vec::new();
    for j in &trace.jurisdictions {
        let made = compels(kb, j);
        if !law.iter().any(|l| l.country == made.country && l.through == made.through) {
            law.push(made);
        }
    }
    let shown = One {
        head: Head::new(trace.name.clone(), "/modules", Some(&who)),
        aliases: org.aliases.iter().map(ToString::to_string).collect(),
        kind: org.kind.replace(['-', '_'], " "),
        source: org.source.text.to_string(),
        verified: org.source.verified,
        as_of: as_of.to_string(),
        today: today.to_string(),
        graph,
        relations: relations(&trace),
        below: below(kb, &id, as_of),
        law,
        owned: number(refined("", "owner", &trace.name, false)).await?,
        brands,
        models,
        more_models,
        id,
        trace,
        wrong,
    };
    let status = if shown.wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok(page(status, &shown))
}
