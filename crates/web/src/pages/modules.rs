//! Modules: those of the fleet, and everything on file about one, of the fleet or of the catalogue.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use umbilical_assess::lookup::{Entry, sheet};
use umbilical_assess::trace::trace;
use umbilical_core::Day;
use umbilical_core::answer::{Listing, Trace};
use umbilical_knowledge::{Knowledge, Module, Product, ProductClass, Replacement, Word as _};
use umbilical_store::query::Query;
use umbilical_store::{Facet, ModuleRow, Page};

use super::fleet::{href, refined};
use super::frame::{Head, page};
use crate::Problem;
use crate::api::DeviceLine;
use crate::app::App;
use crate::extract::Params;
use crate::guard::encoded;
use crate::who::Who;

/// Modules of a fleet that are told apart; a fleet has hundreds.
const MOST: u32 = 5_000;
/// Rows of a page.
const ROWS: usize = 60;
/// Rows of the catalogue behind a search.
const CATALOGUE: usize = 20;
/// The same where all are asked for.
const WHOLE: usize = 300;
/// Devices on the page of a module.
const DEVICES: u32 = 10;

/// A name as it stands in an address: letters and digits, apart by dashes.
pub fn slug(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_alphanumeric() {
            out.extend(c.to_lowercase());
        } else if !out.ends_with('-') && !out.is_empty() {
            out.push('-');
        }
    }
    out.trim_end_matches('-').to_owned()
}

/// The address of a module of the catalogue.
pub fn address(maker: &str, model: &str) -> String {
    format!("/modules/{}", encoded(&slug(&format!("{maker} {model}"))))
}

/// The address of a module by what a device has of it; `None` where no letter or digit is in it.
pub fn address_of(kb: &Knowledge, maker: Option<&str>, model: &str) -> Option<String> {
    let known = maker.and_then(|maker| kb.module(maker, model));
    let text = known.map_or_else(|| slug(model), |m| slug(&format!("{} {}", m.maker, m.model)));
    (!text.is_empty()).then(|| format!("/modules/{}", encoded(&text)))
}

/// A number that leads to its rows.
pub struct Number {
    pub count: u64,
    pub href: String,
}

struct Row {
    model: String,
    /// Where more is said of it.
    more: Option<String>,
    /// Under which brands it is sold here, where they are others than the maker.
    brands: Vec<String>,
    /// Maker, and its organisation.
    maker: Option<(String, Option<String>)>,
    devices: Number,
    /// `fail`, `review`, `unknown`: how many devices have such a verdict.
    verdicts: Vec<(&'static str, Number)>,
    lists: Vec<String>,
    countries: Vec<String>,
}

struct Known {
    name: String,
    href: String,
    family: String,
    rats: String,
    verified: bool,
}

#[derive(Template)]
#[template(path = "modules.html")]
struct Modules {
    head: Head,
    q: String,
    sort: &'static str,
    judged: bool,
    of: usize,
    unnamed: Number,
    /// Routers and other things around a module.
    hosts: Number,
    rows: Vec<Row>,
    catalogue: Vec<Known>,
    /// How many of the catalogue fit.
    of_catalogue: usize,
    /// Whether all of them were asked for.
    whole: bool,
    pages: Vec<(String, String)>,
}

/// What is asked of the list.
#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    sort: String,
    #[serde(default)]
    page: usize,
    /// `whole` for everything of the catalogue that fits.
    #[serde(default)]
    catalogue: String,
}

/// Whose a maker's or brand's organisation is, and how it is traced today: asked once for each.
#[derive(Default)]
pub struct Traces(BTreeMap<String, Option<Trace>>);

impl Traces {
    /// The trace of a brand's organisation.
    pub fn of(&mut self, kb: &Knowledge, brand: &str, day: Day) -> Option<&Trace> {
        let made = || kb.org_of_brand(brand).map(|o| trace(kb, &o.id, day));
        self.0.entry(brand.to_owned()).or_insert_with(made).as_ref()
    }
}

/// The lists that name somebody, each once.
pub fn lists(trace: &Trace) -> Vec<String> {
    let mut out: Vec<String> = trace.listings.iter().map(|l| l.regime.clone()).collect();
    out.sort();
    out.dedup();
    out
}

/// The jurisdictions, each once, in their order.
pub fn countries(trace: &Trace) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for j in &trace.jurisdictions {
        if !out.contains(&j.country) {
            out.push(j.country.clone());
        }
    }
    out
}

fn model_query(model: &str) -> String {
    refined("cellular:yes", "model", model, false)
}

fn count_of(facets: &[Facet], value: &str) -> u64 {
    facets.iter().flat_map(|f| &f.values).find(|v| v.value == value).map_or(0, |v| v.devices)
}

/// What is on file of who sells and makes a model that devices here have.
pub struct Names {
    pub maker: Option<String>,
    pub brands: Vec<String>,
}

/// By whom a model is made and sold here; the most frequent comes first. A brand's own name of a module is nobody's first module:
/// the table of re-brands knows it.
pub fn names(kb: &Knowledge, known: &[ModuleRow], model: &str) -> Names {
    let mut maker = known.iter().filter(|r| r.model == model).find_map(|r| r.maker.clone());
    let mut brands: Vec<String> = Vec::new();
    for brand in known.iter().filter(|r| r.model == model).filter_map(|r| r.brand.clone()) {
        if Some(&brand) != maker.as_ref() && !brands.contains(&brand) {
            brands.push(brand);
        }
    }
    if maker.is_none() && brands.is_empty() {
        for re in kb.rebrands_in(model) {
            maker.get_or_insert_with(|| re.maker.to_string());
            if !brands.iter().any(|b| **b == *re.brand) {
                brands.push(re.brand.to_string());
            }
        }
    }
    Names { maker, brands }
}

/// Whether a model is no module but something around one, a router or a camera: what is in it stays open. A dongle or a telephone
/// is its own radio and is judged as one.
pub fn is_host(kb: &Knowledge, names: &Names, model: &str) -> bool {
    let sold = |brand: Option<&str>| kb.products_in(brand, model);
    let brand = names.brands.first().map(String::as_str);
    let around = |p: &&Product| matches!(p.class, ProductClass::Router | ProductClass::Other) && p.product.eq_ignore_ascii_case(model);
    let module = names.maker.iter().chain(&names.brands).any(|b| kb.module(b, model).is_some()) || !kb.rebrands_in(model).is_empty();
    !module && sold(brand).iter().any(around)
}

/// The modules of the fleet, and of the catalogue where somebody searches.
pub async fn list(State(app): State<App>, who: Who, Params(asked): Params<Asked>) -> Result<Response, Problem> {
    let (store, kb, today) = (app.store(), app.knowledge(), app.today());
    let cellular = Query::parse("cellular:yes")?;
    let models = store.facets(&who.scope, &cellular, &["model"], MOST).await?;
    let known = store.modules(&who.scope, &cellular, MOST).await?;
    let judged = app.config().judge.is_some();
    let mut by_verdict = Vec::new();
    if judged {
        for word in ["fail", "review", "unknown"] {
            let query = Query::parse(&format!("cellular:yes verdict:{word}"))?;
            by_verdict.push((word, store.facets(&who.scope, &query, &["model"], MOST).await?));
        }
    }
    let unnamed = "cellular:yes NOT (level:model OR level:variant) NOT kind:dongle NOT kind:handset NOT kind:router NOT kind:other";
    let around = "cellular:yes (kind:router OR kind:other)";
    let hosts = Number { count: store.count_devices(&who.scope, &Query::parse(around)?).await?, href: href("/fleet", around, None) };
    let unnamed = Number { count: store.count_devices(&who.scope, &Query::parse(unnamed)?).await?, href: href("/fleet", unnamed, None) };

    let mut traces = Traces::default();
    let part = asked.q.trim().to_lowercase();
    let fits = |text: &str| text.to_lowercase().contains(&part);
    let mut rows: Vec<Row> = Vec::new();
    for value in models.into_iter().flat_map(|f| f.values) {
        let named = names(kb, &known, &value.value);
        if is_host(kb, &named, &value.value) {
            continue;
        }
        let Names { maker, brands } = named;
        if !part.is_empty() && !fits(&value.value) && !maker.iter().chain(&brands).any(|t| fits(t)) {
            continue;
        }
        let q = model_query(&value.value);
        let behind = maker.as_deref().or(brands.first().map(String::as_str)).and_then(|b| traces.of(kb, b, today));
        let verdicts = by_verdict.iter().map(|(word, facets)| {
            let number = Number { count: count_of(facets, &value.value), href: href("/fleet", &format!("{q} verdict:{word}"), None) };
            (*word, number)
        });
        rows.push(Row {
            more: address_of(kb, maker.as_deref(), &value.value),
            verdicts: verdicts.collect(),
            lists: behind.map(lists).unwrap_or_default(),
            countries: behind.map(countries).unwrap_or_default(),
            maker: maker.map(|m| (m, behind.map(|t| t.org.clone()))),
            brands,
            devices: Number { count: value.devices, href: href("/fleet", &q, None) },
            model: value.value,
        });
    }
    let sort = match asked.sort.as_str() {
        "model" => "model",
        "maker" => "maker",
        "lists" => "lists",
        _ => "devices",
    };
    match sort {
        "model" => rows.sort_by_key(|r| r.model.to_lowercase()),
        "maker" => rows.sort_by(|a, b| (a.maker.is_none(), &a.maker).cmp(&(b.maker.is_none(), &b.maker))),
        "lists" => rows.sort_by_key(|r| std::cmp::Reverse(r.lists.len())),
        // They come so.
        _ => {}
    }
    let of = rows.len();
    let here: Vec<String> = rows.iter().filter_map(|r| r.more.clone()).collect();
    let page_at = |n: usize| format!("/modules?q={}&sort={sort}&page={n}", encoded(asked.q.trim()));
    let last = of.saturating_sub(1) / ROWS;
    let at = asked.page.min(last);
    let mut pages = Vec::new();
    if at > 0 {
        pages.push(("Page before".to_owned(), page_at(at - 1)));
    }
    if at < last {
        pages.push(("Next page".to_owned(), page_at(at + 1)));
    }
    let rows = rows.into_iter().skip(at.saturating_mul(ROWS)).take(ROWS).collect();
    let mut catalogue: Vec<Known> = Vec::new();
    let mut of_catalogue = 0;
    let whole = asked.catalogue == "whole";
    if !part.is_empty() {
        let found = kb.modules().iter().filter(|m| fits(&format!("{} {}", m.maker, m.model)) || m.aliases.iter().any(|a| fits(a)));
        for m in found.filter(|m| !here.contains(&address(&m.maker, &m.model))) {
            of_catalogue += 1;
            if catalogue.len() == if whole { WHOLE } else { CATALOGUE } {
                continue;
            }
            catalogue.push(Known {
                name: format!("{} {}", m.maker, m.model),
                href: address(&m.maker, &m.model),
                family: m.family.to_string(),
                rats: m.rats.iter().map(|r| r.name()).collect::<Vec<_>>().join(", "),
                verified: m.source.verified,
            });
        }
    }
    let head = Head::new("Modules", "/modules", Some(&who));
    let shown = Modules { head, q: asked.q, sort, judged, of, unnamed, hosts, rows, catalogue, of_catalogue, whole, pages };
    Ok(page(StatusCode::OK, &shown))
}

/// A candidate in the place of a module.
struct Swap {
    name: String,
    href: Option<String>,
    fits: &'static str,
    form: String,
    rat: String,
    note: String,
    sure: &'static str,
    lists: Vec<String>,
    countries: Vec<String>,
    source: String,
    verified: bool,
}

/// Somebody behind a module.
struct Side {
    role: &'static str,
    trace: Trace,
}

#[derive(Template)]
#[template(path = "module.html")]
struct One {
    head: Head,
    name: String,
    /// Whether the catalogue has it.
    known: bool,
    what: Vec<Entry>,
    identifiers: Vec<Entry>,
    sold: Vec<Entry>,
    radios: Vec<Entry>,
    products: Vec<Entry>,
    behind: Vec<Side>,
    listings: Vec<Listing>,
    swaps: Vec<Swap>,
    devices: Number,
    /// The family in the catalogue, where it has other models.
    family: Option<(String, Number)>,
    verdicts: Vec<(&'static str, Number)>,
    rows: Vec<DeviceLine>,
    as_of: String,
}

impl One {
    /// Whether a rule says something to a device that has it.
    fn any_verdict(&self) -> bool {
        self.verdicts.iter().any(|(_, n)| n.count > 0)
    }
}

fn in_catalogue<'k>(kb: &'k Knowledge, wanted: &str) -> Option<&'k Module> {
    kb.modules().iter().find(|m| slug(&format!("{} {}", m.maker, m.model)) == wanted)
}

fn swap(kb: &Knowledge, traces: &mut Traces, day: Day, r: &Replacement) -> Swap {
    let module = kb.module(&r.to_brand, &r.to_model);
    let behind = traces.of(kb, &r.to_brand, day);
    let text = |cell: &Option<Box<str>>| cell.as_deref().unwrap_or_default().to_owned();
    Swap {
        name: format!("{} {}", r.to_brand, r.to_model),
        href: module.map(|m| address(&m.maker, &m.model)),
        fits: match r.drop_in.name() {
            "yes" => "without a new board",
            "no" => "the board must change",
            _ => "the socket fits; drivers, antennas and approvals are to be checked",
        },
        form: text(&r.form_factor),
        rat: text(&r.rat),
        note: text(&r.note),
        sure: r.confidence.name(),
        lists: behind.map(lists).unwrap_or_default(),
        countries: behind.map(countries).unwrap_or_default(),
        source: r.source.text.to_string(),
        verified: r.source.verified,
    }
}

/// One module: what is on file of it, who stands behind it, which devices have it here.
pub async fn one(State(app): State<App>, who: Who, Path(wanted): Path<String>) -> Result<Response, Problem> {
    let (store, kb, today) = (app.store(), app.knowledge(), app.today());
    let missing = || Problem::missing("neither the catalogue nor a device that you see has such a module");
    let wanted = slug(&wanted);
    if wanted.is_empty() {
        return Err(missing());
    }
    let mut traces = Traces::default();
    let (mut what, mut identifiers, mut sold) = (Vec::new(), Vec::new(), Vec::new());
    let (mut radios, mut products, mut swaps) = (Vec::new(), Vec::new(), Vec::new());
    let (name, model, sides) = match in_catalogue(kb, &wanted) {
        Some(m) => {
            let on_file = sheet(kb, m);
            what.push(on_file.module);
            (identifiers, sold, radios, products) = (on_file.identifiers, on_file.sold, on_file.radios, on_file.products);
            swaps = on_file.replacements.iter().map(|r| swap(kb, &mut traces, today, r)).collect();
            (format!("{} {}", m.maker, m.model), m.model.to_string(), vec![("maker", m.maker.to_string())])
        }
        None => {
            let cellular = Query::parse("cellular:yes")?;
            let models = store.facets(&who.scope, &cellular, &["model"], MOST).await?;
            let model = models.into_iter().flat_map(|f| f.values).map(|v| v.value).find(|v| slug(v) == wanted).ok_or_else(missing)?;
            let known = store.modules(&who.scope, &Query::parse(&model_query(&model))?, MOST).await?;
            let Names { maker, brands } = names(kb, &known, &model);
            let first = brands.first().or(maker.as_ref()).map(|b| format!("{b} ")).unwrap_or_default();
            // What tables say of the name: a re-brand, a product.
            what = umbilical_assess::lookup::answer(kb, &model, today).entries;
            let sides = maker.into_iter().map(|m| ("maker", m)).chain(brands.into_iter().map(|b| ("brand", b)));
            (format!("{first}{model}"), model.clone(), sides.collect())
        }
    };
    let mut behind: Vec<Side> = Vec::new();
    for (role, brand) in &sides {
        if let Some(trace) = traces.of(kb, brand, today).filter(|t| !behind.iter().any(|b| b.trace.org == t.org)) {
            behind.push(Side { role, trace: trace.clone() });
        }
    }
    let mut listings: Vec<Listing> = Vec::new();
    for listing in behind.iter().flat_map(|b| &b.trace.listings) {
        if !listings.contains(listing) {
            listings.push(listing.clone());
        }
    }
    let family = match in_catalogue(kb, &wanted) {
        Some(m) if kb.modules().iter().filter(|o| (&o.maker, &o.family) == (&m.maker, &m.family)).count() > 1 => {
            let q = refined(&refined("cellular:yes", "maker", &m.maker, false), "family", &m.family, false);
            let count = store.count_devices(&who.scope, &Query::parse(&q)?).await?;
            Some((m.family.to_string(), Number { count, href: href("/fleet", &q, None) }))
        }
        _ => None,
    };
    let q = model_query(&model);
    let query = Query::parse(&q)?;
    let listed = store.devices(&who.scope, &query, Page { limit: DEVICES, sort: Some("-severity"), ..Page::default() }).await?;
    let mut verdicts = Vec::new();
    for word in ["fail", "review", "unknown"].into_iter().filter(|_| app.config().judge.is_some()) {
        let q = format!("{q} verdict:{word}");
        verdicts.push((word, Number { count: store.count_devices(&who.scope, &Query::parse(&q)?).await?, href: href("/fleet", &q, None) }));
    }
    let shown = One {
        head: Head::new(name.clone(), "/modules", Some(&who)),
        name,
        known: !identifiers.is_empty() || what.iter().any(|e| e.kind == "module"),
        what,
        identifiers,
        sold,
        radios,
        products,
        behind,
        listings,
        swaps,
        devices: Number { count: store.count_devices(&who.scope, &query).await?, href: href("/fleet", &q, None) },
        family,
        verdicts,
        rows: listed.rows.into_iter().map(Into::into).collect(),
        as_of: today.to_string(),
    };
    Ok(page(StatusCode::OK, &shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_made_of_letters_and_digits() {
        assert_eq!(slug("Quectel EC25-E (mini PCIe)"), "quectel-ec25-e-mini-pcie");
        assert_eq!(slug("--\"><script>"), "script");
        assert_eq!(slug("移远 EC25"), "移远-ec25");
        assert_eq!(slug(" ../ "), "");
    }

    #[test]
    fn every_module_of_the_catalogue_has_an_address_of_its_own() {
        let kb = Knowledge::embedded();
        let mut seen = std::collections::BTreeSet::new();
        for m in kb.modules() {
            assert!(seen.insert(address(&m.maker, &m.model)), "{} {}", m.maker, m.model);
            assert!(in_catalogue(&kb, &slug(&format!("{} {}", m.maker, m.model))).is_some_and(|f| f.model == m.model));
        }
    }
}
