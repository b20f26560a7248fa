//! The overview: how much is known first, then what it comes to. Every number leads to its rows.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use umbilical_assess::identify::next;
use umbilical_core::Day;
use umbilical_report::svg::{self, Bar, Point};
use umbilical_store::query::Query;
use umbilical_store::{CodeRow, Crossed, Facet, Moves, Scope, Span, Store, Time};

use super::evidence::by_kind;
use super::fleet::{href, refined};
use super::frame::{Head, day, minute, page};
use crate::Problem;
use crate::app::App;
use crate::who::Who;

/// Makers and jurisdictions of the matrix; the rest is summed up.
const MAKERS: usize = 8;
const COUNTRIES: usize = 6;
/// Values of a facet that the concentration is computed over.
const VALUES: u32 = 200;
/// Actions that are shown.
const ACTIONS: usize = 5;
/// Answers of the curve.
const ANSWERS: u32 = 400;

/// The largest share above which the US merger guidelines (2023, guideline 1) call a market highly concentrated: 1,800 of 10,000.
const CONCENTRATED: f64 = 0.18;

/// A number that leads to its rows.
struct Tile {
    label: &'static str,
    count: u64,
    href: String,
    /// A line below it.
    note: String,
    class: &'static str,
}

/// How one-sided the fleet is in one respect.
struct Concentration {
    label: &'static str,
    /// Herfindahl–Hirschman index of what is known, 0–1; `None` where nothing is.
    index: Option<f64>,
    high: bool,
    top: Vec<Share>,
}

struct Share {
    label: String,
    count: u64,
    percent: String,
    href: String,
}

/// Something to do next.
struct Action {
    what: String,
    /// What stands before, in and behind the number.
    why: &'static str,
    count: String,
    of: String,
    href: String,
    impact: u64,
    effort: u64,
    ratio: f64,
}

/// Makers against jurisdictions.
#[derive(Default)]
struct Matrix {
    countries: Vec<String>,
    rows: Vec<(String, Vec<Cell>)>,
    /// Devices of which no row's maker is one.
    left_out: Cell,
}

#[derive(Clone, Default)]
struct Cell {
    /// Devices.
    count: u64,
    href: String,
    /// Side of the square that stands for it, in pixels.
    side: u32,
}

struct Fresh {
    format: String,
    artefacts: u64,
    newest: String,
    days: i64,
}

#[derive(Template)]
#[template(path = "overview.html")]
struct Overview {
    head: Head,
    empty: bool,
    /// The day that the answer is for, the day the facts go to, when it was made; for those who see every site.
    answered: Option<(String, String, String)>,
    /// Whether evidence came in that no answer knows yet.
    behind: bool,
    known: String,
    coverage: String,
    cover_href: [String; 3],
    cover: [u64; 3],
    tiles: Vec<Tile>,
    actions: Vec<Action>,
    concentration: Vec<Concentration>,
    matrix: Matrix,
    certainty: Option<(String, Vec<Share>)>,
    curve: Option<Curve>,
    fresh: Vec<Fresh>,
    moves: [(&'static str, u64); 3],
    /// The answer that stood when somebody was last here, and when that was.
    since: Option<(i64, String)>,
}

impl Overview {
    /// Whether nothing changed since the last visit.
    fn still(&self) -> bool {
        self.moves.iter().all(|(_, n)| *n == 0)
    }
}

/// A picture, and its points as rows: day, part, whole.
type Curve = (String, Vec<(String, u64, u64)>);

/// The overview of what the asker sees.
pub async fn overview(State(app): State<App>, who: Who) -> Result<Response, Problem> {
    let store = app.store();
    let all = Query::all();
    let cellular = Query::parse("cellular:yes")?;
    let whole = store.facets(&who.scope, &all, &["cellular", "collect", "list", "verdict"], VALUES).await?;
    let carrying = store.facets(&who.scope, &cellular, &["maker", "owner", "country", "chipset", "certainty"], VALUES).await?;
    let codes = store.codes(&who.scope, &Query::parse("NOT verdict:pass")?, 400).await?;
    let answered = store.answer(&who.scope).await?;
    let answers = store.answers(&who.scope, ANSWERS).await?;
    let now = app.now();

    let cover = ["yes", "no", "unknown"].map(|word| value(&whole, "cellular", word));
    let devices: u64 = cover.iter().sum();
    let listed = store.count_devices(&who.scope, &Query::parse(&any_of(&whole, "list"))?).await?;
    let nameless = store.count_devices(&who.scope, &Query::parse("cellular:yes (level:cellular OR level:silicon)")?).await?;
    let failing = value(&whole, "verdict", "fail");
    let severe: u64 = codes.iter().filter(|c| matches!(c.severity, "high" | "critical")).map(|c| c.findings).sum();
    let curve = curve(&answers);
    let since = match &who.session {
        Some(session) => store.last_time(&who.name, "session.begin", session.since).await?,
        None => None,
    };
    let (moves, since) = match since {
        Some(at) => {
            let n = store.answer_at(at).await?.max(1);
            (store.moves(&who.scope, Span::Behind(n)).await?, Some((n, minute(at.to_string()))))
        }
        None => (Moves::default(), None),
    };
    let shown = Overview {
        empty: devices == 0,
        answered: answered.map(|(row, audit)| (row.as_of, audit.knowledge.sources_to, minute(row.at.to_string()))),
        behind: store.behind().await?,
        known: share_of(devices - cover[2], devices),
        coverage: svg::share(
            "coverage",
            "How much of the fleet is known",
            &[bar("with a cellular module", cover[0], "c1"), bar("without one", cover[1], "c2"), bar("not known", cover[2], "c0")],
        ),
        cover_href: ["yes", "no", "unknown"].map(|word| href("/fleet", &format!("cellular:{word}"), None)),
        cover,
        tiles: tiles(devices, cover, (listed, &any_of(&whole, "list")), nameless, failing, severe, app.config().judge.is_some()),
        actions: actions(&whole, &codes),
        concentration: [("maker", "Maker"), ("owner", "Owner"), ("country", "Jurisdiction"), ("chipset", "Chip")]
            .into_iter()
            .map(|(field, label)| concentration(&carrying, field, label))
            .collect(),
        matrix: reach(store, &who.scope, &cellular, &carrying).await?,
        certainty: certainty(&carrying),
        curve,
        fresh: store.sources(&who.scope).await?.into_iter().map(|s| fresh(s, now)).collect(),
        moves: by_kind(&moves),
        since,
        head: Head { refresh: 30, ..Head::new("Overview", "/", Some(&who)) },
    };
    Ok(page(StatusCode::OK, &shown))
}

fn facet<'a>(facets: &'a [Facet], field: &str) -> impl Iterator<Item = &'a umbilical_store::FacetValue> {
    facets.iter().filter(move |f| f.field == field).flat_map(|f| &f.values)
}

fn value(facets: &[Facet], field: &str, value: &str) -> u64 {
    facet(facets, field).find(|v| v.value == value).map_or(0, |v| v.devices)
}

/// A query for whatever has any value of a field.
fn any_of(facets: &[Facet], field: &str) -> String {
    any_of_first(facets, field, 60)
}

/// The same of its first values: a query has no more than a hundred terms.
fn any_of_first(facets: &[Facet], field: &str, most: usize) -> String {
    let values = facet(facets, field).take(most);
    let terms: Vec<String> = values.map(|v| refined("", field, &v.value, false)).filter(|t| !t.is_empty()).collect();
    if terms.is_empty() { format!("{field}:\"none here\"") } else { terms.join(" OR ") }
}

fn bar(label: &str, count: u64, class: &'static str) -> Bar {
    Bar { label: label.to_owned(), count, class }
}

/// A part of a whole in percent. What is not all is never said to be.
fn share_of(part: u64, whole: u64) -> String {
    let tenths = part.saturating_mul(1000).checked_div(whole).unwrap_or(0);
    match tenths {
        0 if part > 0 => "< 0.1 %".to_owned(),
        n if n % 10 == 0 => format!("{} %", n / 10),
        n => format!("{}.{} %", n / 10, n % 10),
    }
}

fn tiles(devices: u64, cover: [u64; 3], listed: (u64, &str), nameless: u64, failing: u64, severe: u64, judged: bool) -> Vec<Tile> {
    let tile =
        |label, count, q: &str, note: &str, class| Tile { label, count, href: href("/fleet", q, None), note: note.to_owned(), class };
    let mut out = vec![
        tile("devices", devices, "", "in the evidence", ""),
        tile("with a cellular module", cover[0], "cellular:yes", "or cellular themselves", ""),
        tile("not known", cover[2], "cellular:unknown", "the evidence does not decide", if cover[2] > 0 { "open" } else { "" }),
        tile("module without a maker", nameless, "cellular:yes (level:cellular OR level:silicon)", "what it is stays open", ""),
        tile("behind a listed name", listed.0, listed.1, "maker, brand or an owner", ""),
    ];
    if judged {
        out.push(tile("fail a rule", failing, "verdict:fail", "of the rules that are asked", if failing > 0 { "bad" } else { "" }));
    }
    out.push(Tile {
        label: "findings high or worse",
        count: severe,
        href: href("/findings", "severity>=high NOT verdict:pass", None),
        note: "over all devices".to_owned(),
        class: if severe > 0 { "bad" } else { "" },
    });
    out
}

/// What to do next, by impact ÷ effort. Impact: devices that a piece of evidence may decide, or findings times the weight of
/// their severity (low 1 … critical 4). Effort: one step for what speaks of all devices at once, else one for each.
fn actions(facets: &[Facet], codes: &[CodeRow]) -> Vec<Action> {
    let mut out: Vec<Action> = Vec::new();
    for v in facet(facets, "collect") {
        let effort = if next::at_once(&v.value) { 1 } else { v.devices };
        out.push(Action {
            what: format!("Collect {}", v.value.replace('`', "")),
            why: "may decide more of",
            count: if v.devices == 1 { "1 device".to_owned() } else { format!("{} devices", v.devices) },
            of: String::new(),
            href: href("/fleet", &refined("", "collect", &v.value, false), None),
            impact: v.devices,
            effort,
            ratio: v.devices as f64 / effort.max(1) as f64,
        });
    }
    for c in codes {
        let weight = match c.severity {
            "critical" => 4,
            "high" => 3,
            "medium" => 2,
            "low" => 1,
            _ => continue,
        };
        let verdict = c.verdict.as_deref().map(|v| format!(" {}", refined("", "verdict", v, false))).unwrap_or_default();
        out.push(Action {
            what: format!("Decide on {}", c.code),
            why: "",
            count: if c.findings == 1 { "1 finding".to_owned() } else { format!("{} findings", c.findings) },
            of: format!(" of severity {}{}", c.severity, c.verdict.iter().map(|v| format!(", {v}")).collect::<String>()),
            href: href("/findings", &format!("{}{verdict}", refined("", "code", &c.code, false)), None),
            impact: c.findings.saturating_mul(weight),
            effort: c.findings,
            ratio: weight as f64,
        });
    }
    out.sort_by(|a, b| b.ratio.total_cmp(&a.ratio).then(b.impact.cmp(&a.impact)).then(a.what.cmp(&b.what)));
    out.truncate(ACTIONS);
    out
}

fn shares(facets: &[Facet], field: &'static str, most: usize) -> Vec<Share> {
    let whole: u64 = facet(facets, field).map(|v| v.devices).sum();
    let one = |v: &umbilical_store::FacetValue| Share {
        href: href("/fleet", &refined("cellular:yes", field, &v.value, false), None),
        percent: share_of(v.devices, whole),
        count: v.devices,
        label: v.value.clone(),
    };
    facet(facets, field).take(most).map(one).collect()
}

/// The Herfindahl–Hirschman index: the sum of the squares of the shares.
fn concentration(facets: &[Facet], field: &'static str, label: &'static str) -> Concentration {
    let counts: Vec<f64> = facet(facets, field).map(|v| v.devices as f64).collect();
    let whole: f64 = counts.iter().sum();
    let index = (whole > 0.0).then(|| counts.iter().map(|c| (c / whole).powi(2)).sum());
    Concentration { label, high: index.is_some_and(|i: f64| i > CONCENTRATED), index, top: shares(facets, field, 4) }
}

fn certainty(facets: &[Facet]) -> Option<(String, Vec<Share>)> {
    let of = |word: &str, class| bar(word, value(facets, "certainty", word), class);
    let bars = [of("confirmed", "c1"), of("probable", "c2"), of("possible", "c3"), of("hint", "c4")];
    let any = bars.iter().any(|b| b.count > 0);
    any.then(|| {
        let picture = svg::share("certainty", "How sure the modules are", &bars);
        let mut rows = shares(facets, "certainty", 4);
        rows.sort_by_key(|r| bars.iter().position(|b| b.label == r.label));
        (picture, rows)
    })
}

/// The last answer of each day.
fn curve(answers: &[umbilical_store::AnswerRow]) -> Option<Curve> {
    let mut points: Vec<Point> = Vec::new();
    for answer in answers {
        let Some((_, unknown)) = answer.coverage else { continue };
        let Some(on) = Day::from_unix(answer.at.0.div_euclid(1000)) else { continue };
        // They come with the newest first.
        if points.last().is_none_or(|p| p.day != on) {
            points.push(Point { day: on, part: answer.devices.saturating_sub(unknown), whole: answer.devices });
        }
    }
    points.reverse();
    let rows = points.iter().rev().take(30).map(|p| (p.day.to_string(), p.part, p.whole)).collect();
    (!points.is_empty()).then(|| (svg::line("curve", "Devices of which it is known whether they are cellular", &points), rows))
}

/// Makers and whose law reaches how many of their devices, as the lists behind the cells count them.
async fn reach(store: &Store, scope: &Scope, cellular: &Query, carrying: &[Facet]) -> Result<Matrix, Problem> {
    let makers: Vec<&str> = facet(carrying, "maker").take(MAKERS).map(|v| v.value.as_str()).collect();
    let countries: Vec<String> = facet(carrying, "country").take(COUNTRIES).map(|v| v.value.clone()).collect();
    let pairs = store.crossed(scope, cellular, "maker", "country").await?;
    let q = format!("cellular:yes NOT ({})", any_of_first(carrying, "maker", MAKERS));
    let left_out = Cell { count: store.count_devices(scope, &Query::parse(&q)?).await?, href: href("/fleet", &q, None), side: 0 };
    Ok(matrix(&makers, countries, &pairs, left_out))
}

fn of_maker<'a>(pairs: &'a [Crossed], maker: &str) -> impl Iterator<Item = &'a Crossed> {
    pairs.iter().filter(move |p| p.value == maker)
}

fn matrix(makers: &[&str], countries: Vec<String>, pairs: &[Crossed], left_out: Cell) -> Matrix {
    let most = makers.iter().flat_map(|m| of_maker(pairs, m)).map(|p| p.devices).max().unwrap_or(0).max(1);
    let drawn = |count: u64, q: &str| {
        // The area stands for the number.
        let side = (24.0 * (count as f64 / most as f64).sqrt()).ceil() as u32;
        Cell { count, href: href("/fleet", q, None), side: if count == 0 { 0 } else { side.clamp(3, 24) } }
    };
    let row = |maker: &&str| {
        let q = refined("cellular:yes", "maker", maker, false);
        let count = |country: Option<&str>| of_maker(pairs, maker).find(|p| p.with.as_deref() == country).map_or(0, |p| p.devices);
        let mut cells: Vec<Cell> = countries.iter().map(|c| drawn(count(Some(c)), &refined(&q, "country", c, false))).collect();
        let reached: Vec<String> = of_maker(pairs, maker)
            .filter_map(|p| p.with.as_deref())
            .map(|c| refined("", "country", c, false))
            .filter(|t| !t.is_empty())
            .collect();
        let none = if reached.is_empty() { q } else { format!("{q} NOT ({})", reached.join(" OR ")) };
        cells.push(drawn(count(None), &none));
        ((*maker).to_owned(), cells)
    };
    Matrix { rows: makers.iter().map(row).collect(), countries, left_out }
}

fn fresh(source: umbilical_store::SourceRow, now: Time) -> Fresh {
    let days = now.0.saturating_sub(source.newest.0).div_euclid(86_400_000);
    Fresh { format: source.format, artefacts: source.artefacts, newest: day(source.newest.to_string()), days }
}

#[cfg(test)]
mod tests {
    use umbilical_store::FacetValue;

    use super::*;

    fn of(field: &'static str, values: &[(&str, u64)]) -> Facet {
        Facet { field, values: values.iter().map(|(v, n)| FacetValue { value: (*v).to_owned(), devices: *n }).collect() }
    }

    #[test]
    fn an_export_for_all_comes_before_a_walk_to_each() {
        let facets =
            [of("collect", &[("the label of the device or module (FCC ID, model)", 90), ("the SIM platform's export with IMEIs", 40)])];
        let code =
            |severity, findings| CodeRow { code: "X".into(), source: "rule".into(), verdict: Some("fail".into()), severity, findings };
        let actions = actions(&facets, &[code("critical", 5), code("info", 900)]);
        let ratios: Vec<f64> = actions.iter().map(|a| a.ratio).collect();
        assert_eq!(ratios, [40.0, 4.0, 1.0]);
        assert_eq!((actions[0].impact, actions[0].effort), (40, 1));
        assert_eq!(actions[1].href, "/findings?q=code%3A%22X%22%20verdict%3A%22fail%22");
    }

    #[test]
    fn one_maker_alone_is_an_index_of_one() {
        assert_eq!(concentration(&[of("maker", &[("Acme", 7)])], "maker", "Maker").index, Some(1.0));
        let two = concentration(&[of("maker", &[("Acme", 5), ("Bolt", 5)])], "maker", "Maker");
        assert_eq!((two.index, two.high), (Some(0.5), true));
        assert_eq!(concentration(&[], "maker", "Maker").index, None);
    }

    #[test]
    fn a_square_is_as_large_as_its_number() {
        let pair = |maker: &str, country: Option<&str>, devices| Crossed { value: maker.into(), with: country.map(Into::into), devices };
        // A device that two laws reach stands in two cells.
        let pairs = [
            pair("Acme", Some("CN"), 9),
            pair("Acme", Some("XX"), 4),
            pair("Acme", None, 2),
            pair("Acme", Some("US"), 1),
            pair("Bolt", Some("US"), 1),
        ];
        let m = matrix(&["Acme", "Bolt"], vec!["CN".into(), "US".into()], &pairs, Cell { count: 4, ..Cell::default() });
        let counts = |row: usize| m.rows[row].1.iter().map(|c| c.count).collect::<Vec<_>>();
        assert_eq!((counts(0), counts(1), m.left_out.count), (vec![9, 1, 2], vec![0, 1, 0], 4));
        assert_eq!(m.rows[0].1.iter().map(|c| c.side).collect::<Vec<_>>(), [24, 8, 12]);
        assert_eq!(m.rows[1].1[1].href, "/fleet?q=cellular%3Ayes%20maker%3A%22Bolt%22%20country%3A%22US%22");
        let none = "/fleet?q=cellular%3Ayes%20maker%3A%22Bolt%22%20NOT%20%28country%3A%22US%22%29";
        assert_eq!(m.rows[1].1[2].href, none);
    }

    #[test]
    fn shares_never_say_all_of_what_is_not_all() {
        assert_eq!([share_of(9999, 10_000), share_of(1, 10_000), share_of(5, 5), share_of(0, 0)], ["99.9 %", "< 0.1 %", "100 %", "0 %"]);
    }
}
