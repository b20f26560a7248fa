//! Modules of the fleet against markets, as of a day and under what somebody assumes; and why.
//!
//! Law is asked about each module by itself, as if it were known to be in a device: a fleet of any size has hundreds of modules, and
//! what the evidence leaves open about a device stands among its findings.

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use umbilical_assess::judge::told::{cell, inside, supposed, turns};
use umbilical_core::answer::Device;
use umbilical_core::answer::policy::{Cell, Judged, Verdict};
use umbilical_core::finding::Finding;
use umbilical_knowledge::Knowledge;
use umbilical_store::query::Query;

use crate::Problem;
use crate::app::App;
use crate::extract::Params;
use crate::guard::encoded;
use crate::law::{Law, Question};
use crate::pages::fleet::{href, refined};
use crate::pages::frame::{Head, page, ticks};
use crate::pages::modules::{Number, address_of, is_host, names, slug};
use crate::pages::organisations::day;
use crate::who::Who;

/// Modules of a page.
const ROWS: usize = 25;
/// Modules that are judged twice to see what turns.
const MOST: usize = 400;
/// Turned verdicts that are shown.
const TURNED: usize = 100;
/// Characters of a what-if.
const LONGEST: usize = 600;

/// The question as the form sends it.
#[derive(Clone, Deserialize)]
pub struct Asked {
    #[serde(default)]
    as_of: String,
    #[serde(default)]
    market: String,
    #[serde(default)]
    assume: String,
    #[serde(default)]
    pack: String,
    #[serde(default)]
    module: String,
    #[serde(default)]
    page: usize,
}

impl Asked {
    fn assumed(&self) -> Vec<String> {
        self.assume.lines().map(str::trim).filter(|l| !l.is_empty()).map(str::to_owned).collect()
    }

    /// The same question in an address.
    fn same(&self) -> String {
        let mut out = String::new();
        for (name, value) in [("as_of", &self.as_of), ("assume", &self.assume), ("pack", &self.pack)] {
            if !value.trim().is_empty() {
                out.push_str(&format!("&{name}={}", encoded(value.trim())));
            }
        }
        out
    }
}

/// A module of the fleet.
struct Kind {
    name: String,
    slug: String,
    more: Option<String>,
    devices: Number,
    device: Device,
}

/// The modules of the devices that somebody sees, the most frequent first.
async fn kinds(app: &App, who: &Who) -> Result<Vec<Kind>, Problem> {
    let (store, kb) = (app.store(), app.knowledge());
    let cellular = Query::parse("cellular:yes")?;
    let models = store.facets(&who.scope, &cellular, &["model"], 5_000).await?;
    let known = store.modules(&who.scope, &cellular, 5_000).await?;
    let kind = |v: umbilical_store::FacetValue| {
        let found = names(kb, &known, &v.value);
        if is_host(kb, &found, &v.value) {
            return None;
        }
        let brand = found.brands.first().map(String::as_str);
        let device = supposed(kb, found.maker.as_deref(), brand, &v.value);
        Some(Kind {
            name: device.names.first().cloned().unwrap_or_default(),
            slug: slug(device.names.first().map_or("", String::as_str)),
            more: address_of(kb, found.maker.as_deref(), &v.value),
            devices: Number { count: v.devices, href: href("/fleet", &refined("cellular:yes", "model", &v.value, false), None) },
            device,
        })
    };
    Ok(models.into_iter().flat_map(|f| f.values).filter_map(kind).collect())
}

struct Row {
    name: String,
    more: Option<String>,
    devices: Number,
    cells: Vec<Cell>,
    why: String,
}

struct Turned {
    name: String,
    devices: Number,
    rule: String,
    title: String,
    was: &'static str,
    is: &'static str,
    because: Vec<String>,
}

#[derive(Template)]
#[template(path = "markets.html")]
struct Markets {
    head: Head,
    asked: Asked,
    as_of: String,
    wrong: Option<String>,
    packs: Vec<(String, String)>,
    used: Vec<String>,
    of: usize,
    markets: Vec<String>,
    rows: Vec<Row>,
    /// Where the question differs from that of today: what turns.
    turned: Option<Vec<Turned>>,
    more_turned: usize,
    looked: usize,
    pages: Vec<(&'static str, String)>,
}

/// What came of asking.
#[derive(Default)]
struct Answer {
    markets: Vec<String>,
    cells: Vec<Vec<Cell>>,
    used: Vec<String>,
    turned: Vec<(usize, umbilical_assess::judge::told::Turn, String)>,
}

/// Asks for the matrix, and what turns against another question.
fn put(
    law: &dyn Law,
    kb: &Knowledge,
    question: &Question,
    devices: &[Device],
    part: std::ops::Range<usize>,
    plain: Option<&Question>,
) -> Result<Answer, String> {
    let mut out = Answer::default();
    let most = if plain.is_some() { devices.len().min(MOST) } else { 0 };
    let mut behind: Vec<Judged> = Vec::new();
    law.ask(kb, question, &mut |asking| {
        let mut markets: BTreeSet<String> = match &question.market {
            Some(named) => named.split(',').map(|m| m.trim().to_ascii_uppercase()).filter(|m| !m.is_empty()).collect(),
            None => asking.homes.values().filter(|j| *j != "any").cloned().collect(),
        };
        out.markets = std::mem::take(&mut markets).into_iter().collect();
        out.used = asking.stamp.packs.iter().map(|p| p.id.clone()).collect();
        let day = question.as_of.to_string();
        for device in devices.get(part.clone()).unwrap_or_default() {
            let judged = (asking.of)(device.clone());
            out.cells.push(out.markets.iter().map(|m| cell(m, &judged, &asking.homes, &day)).collect());
        }
        behind = devices.iter().take(most).map(|d| (asking.of)(d.clone())).collect();
    })?;
    if let Some(plain) = plain {
        law.ask(kb, plain, &mut |asking| {
            for (n, (device, behind)) in devices.iter().zip(&behind).enumerate() {
                let before = (asking.of)(device.clone());
                let all = turns(&before, behind).into_iter().map(|t| {
                    let title = (asking.title)(&t.rule).0;
                    (n, t, title)
                });
                out.turned.extend(all);
            }
        })?;
    }
    Ok(out)
}

fn law_of(app: &App) -> Result<Arc<dyn Law>, Problem> {
    app.config().law.clone().ok_or_else(|| Problem::missing("this server was started without packs of rules"))
}

/// A market as a page may name it: letters, digits, dashes, apart by commas.
fn market(text: &str) -> Result<Option<String>, String> {
    let text = text.trim();
    let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | ',' | ' ')) && text.len() <= 100;
    match (text.is_empty(), plain) {
        (true, _) => Ok(None),
        (_, true) => Ok(Some(text.to_owned())),
        _ => Err("markets are ISO 3166 codes, `EU` or `US-TX`, apart by commas".to_owned()),
    }
}

/// The question of a form; what is wrong with it is in words.
fn question(app: &App, asked: &Asked) -> (Question, Option<String>) {
    let (as_of, mut wrong) = day(&asked.as_of, app.today());
    let mut question = Question::on(as_of);
    match market(&asked.market) {
        Ok(found) => question.market = found,
        Err(what) => wrong = Some(what),
    }
    if asked.assume.len() > LONGEST {
        wrong = Some(format!("a what-if has at most {LONGEST} characters"));
    } else {
        question.assume = asked.assumed();
    }
    if !asked.pack.trim().is_empty() {
        question.packs = vec![asked.pack.trim().to_owned()];
    }
    (question, wrong)
}

/// The matrix.
pub async fn markets(State(app): State<App>, who: Who, Params(asked): Params<Asked>) -> Result<Response, Problem> {
    let law = law_of(&app)?;
    let packs = super::on_file(&app)?.into_iter().map(|s| (s.pack.id.get_ref().clone(), s.pack.title.clone())).collect();
    let kinds = kinds(&app, &who).await?;
    let (mut question, mut wrong) = question(&app, &asked);
    let plain = Question { packs: question.packs.clone(), market: question.market.clone(), ..Question::on(app.today()) };
    let differs = question.as_of != plain.as_of || !question.assume.is_empty();
    let last = kinds.len().saturating_sub(1) / ROWS;
    let at = asked.page.min(last);
    let part = at * ROWS..(at * ROWS + ROWS).min(kinds.len());
    let devices: Vec<Device> = kinds.iter().map(|k| k.device.clone()).collect();
    let ask = async |question: Question, plain: Option<Question>| {
        let (law, kb, devices, part) = (Arc::clone(&law), Arc::clone(app.knowledge()), devices.clone(), part.clone());
        let work = move || put(&*law, &kb, &question, &devices, part, plain.as_ref());
        tokio::task::spawn_blocking(work).await.map_err(Problem::internal)
    };
    let mut compared = differs;
    let answer = match ask(question.clone(), differs.then(|| plain.clone())).await? {
        Ok(answer) => answer,
        // What cannot be asked is said, and the plain question is answered.
        Err(what) => {
            wrong = Some(what);
            (question, compared) = (Question::on(app.today()), false);
            ask(question.clone(), None).await?.map_err(Problem::internal)?
        }
    };
    let same = if wrong.is_some() { String::new() } else { asked.same() };
    let rows = kinds.iter().skip(part.start).zip(answer.cells).map(|(k, cells)| Row {
        name: k.name.clone(),
        more: k.more.clone(),
        devices: Number { count: k.devices.count, href: k.devices.href.clone() },
        cells,
        why: format!("/policy/why?module={}{same}", encoded(&k.slug)),
    });
    let rows: Vec<Row> = rows.collect();
    let more_turned = answer.turned.len().saturating_sub(TURNED);
    let turned = answer.turned.into_iter().take(TURNED).filter_map(|(n, t, title)| {
        let k = kinds.get(n)?;
        let devices = Number { count: k.devices.count, href: k.devices.href.clone() };
        Some(Turned { name: k.name.clone(), devices, rule: t.rule, title, was: word(t.was), is: word(t.is), because: telling(t.because) })
    });
    let turned: Option<Vec<Turned>> = compared.then(|| turned.collect());
    let page_at = |n: usize| format!("/policy/markets?page={n}&market={}{same}", encoded(asked.market.trim()));
    let mut pages = Vec::new();
    if at > 0 {
        pages.push(("Page before", page_at(at - 1)));
    }
    if at < last {
        pages.push(("Next page", page_at(at + 1)));
    }
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let shown = Markets {
        head: Head::new("Markets", "/policy", Some(&who)),
        as_of: question.as_of.to_string(),
        asked,
        wrong,
        packs,
        used: answer.used,
        of: kinds.len(),
        markets: answer.markets,
        rows,
        turned,
        more_turned,
        looked: kinds.len().min(MOST),
        pages,
    };
    Ok(page(status, &shown))
}

/// What of the reasons tells two answers apart: not which module it is, nor which market.
fn telling(because: Vec<String>) -> Vec<String> {
    because.into_iter().filter(|b| !b.starts_with("identified as") && !b.starts_with("market:")).take(4).collect()
}

/// A verdict as a cell has it.
fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::NotApplicable => "no rule",
        other => other.name(),
    }
}

/// Its class in the style sheet.
fn class(word: &str) -> &str {
    if word == "no rule" { "not-applicable" } else { word }
}

struct Reason {
    verdict: &'static str,
    rule: String,
    title: String,
    cite: String,
    market: String,
    because: Vec<String>,
    clears: String,
    remedies: Vec<String>,
    verified: Option<bool>,
    pack: String,
}

#[derive(Template)]
#[template(path = "why.html")]
struct Why {
    head: Head,
    name: String,
    more: Option<String>,
    devices: Number,
    market: String,
    as_of: String,
    assumed: Vec<String>,
    back: String,
    reasons: Vec<Reason>,
    coming: Vec<(String, String, String, &'static str)>,
}

/// Why a module stands as it does in a market, or in all.
pub async fn why(State(app): State<App>, who: Who, Params(asked): Params<Asked>) -> Result<Response, Problem> {
    let law = law_of(&app)?;
    let missing = || Problem::missing("no device that you see has such a module");
    let kind = kinds(&app, &who).await?.into_iter().find(|k| !k.slug.is_empty() && k.slug == asked.module).ok_or_else(missing)?;
    let (question, wrong) = question(&app, &asked);
    if let Some(wrong) = wrong {
        return Err(Problem::invalid(wrong));
    }
    // The market is chosen among the verdicts: what holds for the union counts in its parts.
    let (wanted, question) = (question.market.clone().unwrap_or_default(), Question { market: None, reasons: true, ..question });
    let (kb, device, market, assumed) = (Arc::clone(app.knowledge()), kind.device.clone(), wanted.clone(), question.assume.clone());
    let as_of = question.as_of.to_string();
    let work = move || {
        let (mut reasons, mut coming) = (Vec::new(), Vec::new());
        law.ask(&kb, &question, &mut |asking| {
            let judged = (asking.of)(device.clone());
            let counts = |rule: &str| market.is_empty() || market.split(',').any(|m| inside(m.trim(), rule, &asking.homes));
            let home = |rule: &str| asking.homes.get(rule).cloned().unwrap_or_default();
            reasons.extend(judged.findings.iter().filter(|f| counts(&f.code)).map(|f| reason(f, home(&f.code))));
            for passed in judged.passes.iter().filter(|p| counts(&p.rule)) {
                let (title, cite) = (asking.title)(&passed.rule);
                reasons.push(Reason {
                    verdict: "pass",
                    market: home(&passed.rule),
                    rule: passed.rule.clone(),
                    title,
                    cite,
                    because: passed.because.clone(),
                    clears: String::new(),
                    remedies: Vec::new(),
                    verified: None,
                    pack: String::new(),
                });
            }
            let later = judged.upcoming.iter().filter(|u| counts(&u.rule));
            coming.extend(later.map(|u| (u.from.clone(), u.rule.clone(), (asking.title)(&u.rule).0, word(u.would))));
        })?;
        Ok::<_, String>((reasons, coming))
    };
    let (reasons, coming) = tokio::task::spawn_blocking(work).await.map_err(Problem::internal)?.map_err(Problem::invalid)?;
    let shown = Why {
        head: Head::new(format!("Why: {}", kind.name), "/policy", Some(&who)),
        name: kind.name,
        more: kind.more,
        devices: kind.devices,
        back: format!("/policy/markets?market={}{}", encoded(&wanted), asked.same()),
        market: wanted,
        as_of,
        assumed,
        reasons,
        coming,
    };
    Ok(page(StatusCode::OK, &shown))
}

fn reason(finding: &Finding, market: String) -> Reason {
    let text = |name: &str| finding.detail.get(name).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
    Reason {
        verdict: finding.verdict.unwrap_or("unknown"),
        rule: finding.code.to_string(),
        title: text("title"),
        cite: text("cite"),
        market,
        because: finding.because.clone(),
        clears: finding.clears_when.clone(),
        remedies: finding.remedies.clone(),
        verified: finding.detail.get("verified").and_then(serde_json::Value::as_bool),
        pack: text("pack"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_market_is_a_code_and_nothing_else() {
        assert_eq!(market(" US, EU,US-TX "), Ok(Some("US, EU,US-TX".into())));
        assert_eq!(market("  "), Ok(None));
        for hostile in ["<script>", "../x", "US\nEU", "\"", "a=b"] {
            assert!(market(hostile).is_err(), "{hostile}");
        }
    }
}
