//! Verdicts of law and house rules: at a terminal, as JSON, CSV and suites of tests.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use serde::ser::SerializeSeq as _;
use serde::{Serialize, Serializer};
use umbilical_core::answer::KnowledgeStamp;
use umbilical_core::answer::policy::{
    CaseRun, Cell, Dated, Judged, Markets, PackStamp, PackText, Passed, PolicyCheck, PolicyDiff, PolicyList, PolicyTest, RuleTally, Sku,
    Timeline, Turned, Verdict,
};
use umbilical_core::finding::Finding;
use umbilical_core::text::{clean, short};

use crate::junit::{Case, Outcome, Said, Suite};
use crate::located::Entry;
use crate::terminal::{Page, Tone};
use crate::{View, csv, json, junit, say};

/// Subjects shown of one rule.
const EXAMPLES: usize = 3;

/// Facts that are asked for.
const WANTED: usize = 12;

/// Counts and examples, rule by rule, taken while subjects pass by.
#[derive(Default)]
pub struct Book {
    tallies: HashMap<String, RuleTally>,
    /// Findings of each rule that fails or is for review, alike ones together.
    samples: HashMap<(String, &'static str), Vec<Group>>,
    /// What would have to be known, and for how many verdicts.
    wanted: HashMap<String, u64>,
    /// Subjects by their worst verdict.
    states: HashMap<Verdict, u64>,
    /// Rules that are not yet in force by their first day: what they would say, and of how many subjects.
    upcoming: BTreeMap<(String, String), BTreeMap<Verdict, u64>>,
}

/// Findings of one rule for the same reasons: what is said of one is true of all.
struct Group {
    /// The reasons, as the first has them.
    reasons: Vec<String>,
    /// The first.
    finding: Finding,
    /// Some of the subjects that have it.
    subjects: Vec<String>,
    /// How many have it.
    count: u64,
}

/// Groups of one rule that are shown, and that are kept: what is beyond is counted.
const GROUPS: usize = 4;
const KEPT: usize = 64;

/// What a finding stands on beside how the module was identified, which differs from subject to subject.
fn reasons(finding: &Finding) -> &[String] {
    let own = finding.detail.get("identified").and_then(|v| v.as_str());
    match finding.because.split_first() {
        Some((first, rest)) if Some(first.as_str()) == own => rest,
        _ => &finding.because,
    }
}

impl Book {
    /// Counts one subject, and those of which all the same is said. `about` says title and clause of a rule.
    pub fn add(&mut self, subject: &Judged, alike: &Alike, about: &dyn Fn(&str) -> (String, String)) {
        let n = alike.count.saturating_add(1);
        let count = self.states.entry(subject.state).or_default();
        *count = count.saturating_add(n);
        for id in &subject.passed {
            let tally = self.tally(id, about);
            tally.pass = tally.pass.saturating_add(n);
        }
        for coming in &subject.upcoming {
            let verdicts = self.upcoming.entry((coming.from.clone(), coming.rule.clone())).or_default();
            let count = verdicts.entry(coming.would).or_default();
            *count = count.saturating_add(n);
        }
        // A rule that several modules break is broken once: by the worst that nobody has accepted.
        let mut worst: Vec<(&str, Option<Verdict>)> = Vec::new();
        for finding in &subject.findings {
            let accepted = Entry::from(finding).is_accepted();
            let verdict = (!accepted).then(|| finding.verdict.and_then(Verdict::of).unwrap_or(Verdict::Unknown));
            match worst.iter_mut().find(|(code, _)| *code == finding.code) {
                Some((_, known)) => *known = (*known).max(verdict),
                None => worst.push((&finding.code, verdict)),
            }
        }
        for (code, verdict) in worst {
            let tally = self.tally(code, about);
            let slot = match verdict {
                None => &mut tally.waived,
                Some(Verdict::Fail) => &mut tally.fail,
                Some(Verdict::Review) => &mut tally.review,
                Some(_) => &mut tally.unknown,
            };
            *slot = slot.saturating_add(n);
        }
        for finding in &subject.findings {
            if finding.verdict == Some("unknown") {
                let wanted = finding.detail.get("wanted").and_then(|w| w.as_array()).into_iter().flatten();
                for what in wanted.filter_map(|w| w.as_str()) {
                    let count = self.wanted.entry(what.to_owned()).or_default();
                    *count = count.saturating_add(n);
                }
                continue;
            }
            let key = (finding.code.to_string(), finding.verdict.unwrap_or("unknown"));
            let groups = self.samples.entry(key).or_default();
            let own = reasons(finding);
            let known = groups.iter().position(|g| g.reasons == own);
            let group = match known.or_else(|| (groups.len() >= KEPT).then_some(KEPT)) {
                Some(at) => groups.get_mut(at),
                None => {
                    groups.push(Group { reasons: own.to_vec(), finding: finding.clone(), subjects: Vec::new(), count: 0 });
                    groups.last_mut()
                }
            };
            if let Some(group) = group {
                group.count = group.count.saturating_add(n);
                for name in std::iter::once(called(&subject.names, &subject.id)).chain(alike.called.iter().cloned()) {
                    if group.subjects.len() <= EXAMPLES && group.subjects.last() != Some(&name) {
                        group.subjects.push(name);
                    }
                }
            }
        }
    }

    fn tally(&mut self, id: &str, about: &dyn Fn(&str) -> (String, String)) -> &mut RuleTally {
        self.tallies.entry(id.to_owned()).or_insert_with(|| {
            let (title, cite) = about(id);
            RuleTally { rule: id.to_owned(), title, cite, ..RuleTally::default() }
        })
    }

    /// The tallies in the order of the rules; what is no rule stands last.
    pub fn rules(&self, order: &[String]) -> Vec<RuleTally> {
        let mut out: Vec<RuleTally> = self.tallies.values().cloned().collect();
        out.sort_by_key(|t| (order.iter().position(|id| *id == t.rule).unwrap_or(usize::MAX), t.rule.clone()));
        out
    }
}

/// Subjects of which the same is said as of another.
#[derive(Default)]
pub struct Alike {
    count: u64,
    called: Vec<String>,
}

impl Alike {
    /// One more.
    pub fn add(&mut self, names: &[String], id: &str) {
        self.count = self.count.saturating_add(1);
        if self.called.len() <= EXAMPLES {
            self.called.push(called(names, id));
        }
    }
}

fn called(names: &[String], id: &str) -> String {
    names.first().map_or_else(|| id.to_owned(), |n| if n == id { n.clone() } else { format!("{n} ({id})") })
}

/// Something that hands out subjects one by one.
pub trait Subjects: Fn(&mut dyn FnMut(Judged)) {}
impl<F: Fn(&mut dyn FnMut(Judged))> Subjects for F {}

/// Writes the document, subjects one at a time.
pub fn json(out: &mut dyn Write, head: &PolicyCheck, each: impl Subjects) -> io::Result<()> {
    #[derive(Serialize)]
    struct Document<'a, S: Serialize> {
        #[serde(flatten)]
        head: &'a PolicyCheck,
        subjects: S,
    }
    json::one(out, &Document { head, subjects: Stream(each) })
}

struct Stream<F>(F);

impl<F: Subjects> Serialize for Stream<F> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut list = to.serialize_seq(None)?;
        let mut failed = None;
        (self.0)(&mut |subject| {
            if failed.is_none() {
                failed = list.serialize_element(&subject).err();
            }
        });
        match failed {
            Some(error) => Err(error),
            None => list.end(),
        }
    }
}

/// Columns of the CSV.
const COLUMNS: [&str; 13] = [
    "subject",
    "names",
    "verdict",
    "rule",
    "title",
    "cite",
    "effect",
    "module",
    "confidence",
    "because",
    "remedies",
    "clears_when",
    "waiver",
];

/// Writes one line for each finding, and one for each subject without any.
pub fn csv(out: &mut dyn Write, each: impl Subjects) -> io::Result<()> {
    let mut to = ::csv::Writer::from_writer(out);
    to.write_record(COLUMNS)?;
    let mut failed: Option<io::Error> = None;
    each(&mut |subject| {
        let rows = if subject.findings.is_empty() { vec![None] } else { subject.findings.iter().map(Some).collect() };
        for finding in rows {
            if failed.is_none() {
                failed = to.write_record(row(&subject, finding)).err().map(io::Error::other);
            }
        }
    });
    match failed {
        Some(error) => Err(error),
        None => to.flush(),
    }
}

fn row(subject: &Judged, finding: Option<&Finding>) -> Vec<String> {
    let detail = |key: &str| finding.and_then(|f| f.detail.get(key)).and_then(|v| v.as_str()).unwrap_or_default();
    let list = |list: Option<&[String]>| list.unwrap_or_default().join("; ");
    let waiver = finding.map(Entry::from).and_then(|e| e.waiver).map(|w| if w.expired { "expired" } else { "accepted" });
    let cells = [
        subject.id.as_str(),
        &subject.names.join("; "),
        finding.and_then(|f| f.verdict).unwrap_or(subject.state.name()),
        finding.map(|f| &*f.code).unwrap_or_default(),
        detail("title"),
        detail("cite"),
        detail("effect"),
        detail("module"),
        &finding.map(|f| f.confidence.to_string()).unwrap_or_default(),
        &list(finding.map(|f| &f.because[..])),
        &list(finding.map(|f| &f.remedies[..])),
        finding.map(|f| f.clears_when.as_str()).unwrap_or_default(),
        waiver.unwrap_or_default(),
    ];
    cells.iter().map(|c| csv::guarded(c)).collect()
}

/// Writes suites: one for each subject, a case for each rule.
pub fn junit(out: &mut dyn Write, subjects: &[Judged], fails: impl Fn(&Finding) -> bool) -> io::Result<()> {
    let suite = |subject: &Judged| {
        let passed = subject.passed.iter().map(|id| Case { name: id.clone(), class: "rule".into(), line: None, outcome: Outcome::Passed });
        let found = subject.findings.iter().map(|f| {
            let said = Said { code: f.code.to_string(), message: f.meaning().to_owned(), text: f.because.join("\n") };
            let outcome = if fails(f) && !Entry::from(f).is_accepted() { Outcome::Failed(said) } else { Outcome::Skipped(said) };
            let twin = subject.findings.iter().any(|o| o.code == f.code && o.id != f.id);
            let module = f.detail.get("module").and_then(|m| m.as_str()).filter(|_| twin);
            let name = module.map_or_else(|| f.code.to_string(), |m| format!("{} ({m})", f.code));
            Case { name, class: "rule".into(), line: None, outcome }
        });
        Suite { name: called(&subject.names, &subject.id), cases: found.chain(passed).collect() }
    };
    junit::write(out, &subjects.iter().map(suite).collect::<Vec<_>>())
}

/// Writes the answer for a person at a terminal: rule by rule, what breaks first.
pub fn table(out: &mut dyn Write, head: &PolicyCheck, book: &Book, view: &View) -> io::Result<()> {
    let mut page = Page::new(out, view);
    page.para(0, Tone::Bold, &verdict(book))?;
    if !head.law.assumed.is_empty() {
        page.para(0, Tone::Plain, &format!("What-if: {}. This is not the law as it stands.", head.law.assumed.join("; ")))?;
    }
    if head.rules.is_empty() {
        page.gap()?;
        let markets = head.law.packs.iter().map(|p| p.id.as_str()).collect::<Vec<_>>().join(", ");
        page.para(
            0,
            Tone::Plain,
            &format!("No rule of {} reaches what was read.", if markets.is_empty() { "any pack" } else { &markets }),
        )?;
    }
    for word in ["fail", "review"] {
        for rule in &head.rules {
            if let Some(groups) = book.samples.get(&(rule.rule.clone(), word)) {
                samples(&mut page, rule, word, groups)?;
            }
        }
    }
    tallies(&mut page, &head.rules)?;
    wanted(&mut page, book)?;
    upcoming(&mut page, book)?;
    for problem in &head.problems {
        let path = problem.input.and_then(|i| head.inputs.get(i as usize)).map(|i| i.path.as_str()).unwrap_or_default();
        page.hanging(0, 2, Tone::Plain, &format!("not understood: {path} {}: {}", problem.at, problem.what))?;
    }
    stamp(&mut page, &head.as_of, &head.law.packs)?;
    page.para(0, Tone::Dim, "A pass speaks of the sources seen. `umbilical policy why ID` shows the whole chain behind a verdict.")
}

/// Every rule that says something, then those that nobody can answer yet, by name alone.
fn tallies(page: &mut Page<'_>, rules: &[RuleTally]) -> io::Result<()> {
    let says = |r: &&RuleTally| [r.fail, r.review, r.pass, r.waived].iter().any(|n| *n > 0);
    let (telling, open): (Vec<&RuleTally>, Vec<&RuleTally>) = rules.iter().partition(says);
    if !telling.is_empty() {
        page.heading("Rule by rule")?;
        let rows = telling.iter().map(|r| {
            let count = |n: u64| if n == 0 { String::new() } else { say::count(n) };
            vec![r.rule.clone(), r.title.clone(), count(r.fail), count(r.review), count(r.unknown), count(r.pass), count(r.waived)]
        });
        page.table(&["Rule", "What it says", "Fail", "Review", "Unknown", "Pass", "Waived"], rows)?;
    }
    if open.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = open.iter().map(|r| r.rule.as_str()).collect();
    let head = format!("Unknown for everything they may reach: {} of {}.", say::counted(open.len() as u64, "rule"), rules.len());
    page.gap()?;
    page.hanging(0, 2, Tone::Dim, &format!("{head} {}", names.join(", ")))
}

/// Rules that reach what was judged and are not yet in force, the nearest first.
fn upcoming(page: &mut Page<'_>, book: &Book) -> io::Result<()> {
    let Some(((first, _), _)) = book.upcoming.first_key_value() else { return Ok(()) };
    page.heading(&format!("Not yet in force: {}, first on {first}", say::counted(book.upcoming.len() as u64, "rule")))?;
    let says = |would: &BTreeMap<Verdict, u64>| {
        would.iter().rev().map(|(v, n)| format!("{} {}", v.name(), say::count(*n))).collect::<Vec<_>>().join(", ")
    };
    let rows = book.upcoming.iter().take(WANTED).map(|((from, rule), would)| vec![from.clone(), rule.clone(), says(would)]);
    page.table(&["From", "Rule", "Would say"], rows)?;
    let more = book.upcoming.len().saturating_sub(WANTED);
    if more > 0 {
        page.para(2, Tone::Dim, &format!("and {} more: see --format json", say::count(more as u64)))?;
    }
    Ok(())
}

/// What to say or to collect, what decides most first. What several rules ask of one fact is one question.
fn wanted(page: &mut Page<'_>, book: &Book) -> io::Result<()> {
    let mut all: HashMap<String, u64> = HashMap::new();
    for (what, n) in &book.wanted {
        let fact = what.strip_prefix("say `").and_then(|rest| rest.split_once('`')).map(|(fact, _)| fact);
        let asked = fact.map_or_else(|| what.clone(), |fact| format!("say `{fact}`"));
        let count = all.entry(asked).or_default();
        *count = count.saturating_add(*n);
    }
    let mut all: Vec<(String, u64)> = all.into_iter().collect();
    if all.is_empty() {
        return Ok(());
    }
    all.sort_by(|a, b| (b.1, &a.0).cmp(&(a.1, &b.0)));
    page.heading("What would decide what is unknown")?;
    page.table(
        &["#Verdicts", "Say or collect"],
        all.iter().take(WANTED).map(|(what, n)| vec![say::count(*n), short(what, 200).into_owned()]),
    )?;
    let more = all.len().saturating_sub(WANTED);
    if more > 0 {
        page.para(2, Tone::Dim, &format!("and {} more: see --format json", say::count(more as u64)))?;
    }
    if all.iter().any(|(what, _)| what.starts_with("say `")) {
        page.para(
            2,
            Tone::Dim,
            "Say with --say FACT=VALUE for all, or by asset with --assets FILE; `umbilical policy list --facts` has each fact's form.",
        )?;
    }
    Ok(())
}

fn verdict(book: &Book) -> String {
    let of = |v: Verdict| book.states.get(&v).copied().unwrap_or_default();
    let all: u64 = book.states.values().sum();
    let words = [
        (Verdict::Fail, "fail"),
        (Verdict::Review, "for review"),
        (Verdict::Unknown, "unknown"),
        (Verdict::Pass, "pass"),
        (Verdict::NotApplicable, "not reached by any rule"),
    ];
    let counts: Vec<String> = words.iter().filter(|(v, _)| of(*v) > 0).map(|(v, word)| format!("{} {word}", say::count(of(*v)))).collect();
    let counts = if counts.is_empty() { "nothing to judge".to_owned() } else { counts.join(", ") };
    format!("{} judged: {counts}", say::counted(all, "subject"))
}

/// What one rule says: the largest groups first.
fn samples(page: &mut Page<'_>, rule: &RuleTally, word: &str, groups: &[Group]) -> io::Result<()> {
    page.heading(&format!("{word}: {} – {}", rule.rule, rule.cite))?;
    page.field(2, "Says", &rule.title)?;
    let mut order: Vec<&Group> = groups.iter().collect();
    order.sort_by_key(|g| std::cmp::Reverse(g.count));
    for (n, group) in order.iter().take(GROUPS).enumerate() {
        if n > 0 {
            page.gap()?;
        }
        let shown: Vec<String> = group.subjects.iter().take(EXAMPLES).map(|s| short(&clean(s), 60).into_owned()).collect();
        let more = group.count.saturating_sub(shown.len() as u64);
        let more = if more > 0 { format!(" and {} more", say::count(more)) } else { String::new() };
        page.field(2, "About", &format!("{}{more}", shown.join(", ")))?;
        // How the module was identified is true of one subject only.
        let because = if group.count == 1 { &group.finding.because } else { &group.reasons };
        for because in because {
            page.hanging(2, 2, Tone::Plain, &format!("- {because}"))?;
        }
        page.field(2, "Clears when", &group.finding.clears_when)?;
        page.field(2, "What helps", &group.finding.remedies.join("; "))?;
        page.field(2, "Id", &group.finding.id)?;
    }
    let shown: u64 = order.iter().take(GROUPS).map(|g| g.count).fold(0, u64::saturating_add);
    let all = if word == "fail" { rule.fail } else { rule.review };
    if order.len() > GROUPS {
        let more = say::counted(all.saturating_sub(shown).max(1), "verdict");
        page.para(2, Tone::Dim, &format!("and {more} for other reasons: `umbilical policy why {}`, --format json", rule.rule))?;
    }
    Ok(())
}

/// Writes the whole chain behind verdicts; `all` counts the subjects that there are, shown or not.
pub fn why(out: &mut dyn Write, subjects: &[Judged], all: u64, about: &dyn Fn(&str) -> (String, String), view: &View) -> io::Result<()> {
    let mut page = Page::new(out, view);
    for subject in subjects {
        page.heading(&called(&subject.names, &subject.id))?;
        for finding in &subject.findings {
            let text = |key: &str| finding.detail.get(key).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
            page.gap()?;
            page.para(2, Tone::Bold, &format!("{}: {}", finding.verdict.unwrap_or("finding"), finding.code))?;
            page.field(4, "Says", finding.meaning())?;
            for (name, value) in [
                ("Clause", text("cite")),
                ("Read in", text("source")),
                ("Binds", text("binds")),
                ("Effect", text("effect")),
                ("Standing", text("standing")),
                ("Module", text("module")),
                ("As of", format!("{} (sources to {})", text("as_of"), text("sources_to"))),
            ] {
                if !value.is_empty() {
                    page.field(4, name, &value)?;
                }
            }
            for because in &finding.because {
                page.hanging(4, 2, Tone::Plain, &format!("- {because}"))?;
            }
            page.field(4, "Clears when", &finding.clears_when)?;
            page.field(4, "What helps", &finding.remedies.join("; "))?;
            page.field(4, "Id", &finding.id)?;
        }
        for Passed { rule, because } in &subject.passes {
            let (title, cite) = about(rule);
            page.para(2, Tone::Dim, &format!("pass: {rule} – {title} ({cite})"))?;
            for because in because {
                page.hanging(4, 2, Tone::Plain, &format!("- {because}"))?;
            }
        }
        for coming in &subject.upcoming {
            let (title, cite) = about(&coming.rule);
            let would = coming.would.name();
            page.para(2, Tone::Dim, &format!("not in force until {}: {} – {title} ({cite}); would say {would}", coming.from, coming.rule))?;
        }
    }
    let more = all.saturating_sub(subjects.len() as u64);
    if more > 0 {
        page.gap()?;
        let shown = subjects.len();
        page.para(
            0,
            Tone::Plain,
            &format!("{shown} of {} shown: --format json has all, the id or name of one shows it alone.", say::counted(all, "subject")),
        )?;
    }
    Ok(())
}

/// Columns of the matrix as CSV.
pub const MARKET_COLUMNS: [&str; 5] = ["product", "names", "market", "verdict", "rules"];

/// A line for each product and market.
pub fn market_rows(answer: &Markets) -> Vec<[String; 5]> {
    let row = |s: &Sku, c: &Cell| [s.id.clone(), s.names.join("; "), c.market.clone(), c.verdict.name().to_owned(), c.rules.join("; ")];
    answer.skus.iter().flat_map(|s| s.cells.iter().map(move |c| row(s, c))).collect()
}

/// Writes products against markets, each product with its markets by verdict, what closes a market first.
pub fn markets(out: &mut dyn Write, answer: &Markets, view: &View) -> io::Result<()> {
    let mut page = Page::new(out, view);
    let asked = |c: &&Cell| !c.rules.is_empty();
    for sku in &answer.skus {
        page.heading(&sku.names.first().cloned().unwrap_or_else(|| sku.id.clone()))?;
        for verdict in [Verdict::Fail, Verdict::Review] {
            for cell in sku.cells.iter().filter(asked).filter(|c| c.verdict == verdict) {
                page.hanging(2, 4, Tone::Plain, &format!("{}  {}", cell.market, cell.says))?;
            }
        }
        // What a waiver holds open is no plain pass.
        for cell in sku.cells.iter().filter(asked).filter(|c| c.verdict == Verdict::Pass && c.says.contains("(waived: ")) {
            page.hanging(2, 4, Tone::Plain, &format!("{}  {}", cell.market, cell.says))?;
        }
        let named = |word: &str, fits: &dyn Fn(&&Cell) -> bool| {
            let markets: Vec<&str> = sku.cells.iter().filter(fits).map(|c| c.market.as_str()).collect();
            (!markets.is_empty()).then(|| format!("{word}: {}", markets.join(", ")))
        };
        let no_rule = format!("no rule found as of {}", answer.as_of);
        for line in [
            named("pass, on the sources seen", &|c| c.verdict == Verdict::Pass && !c.rules.is_empty()),
            named("unknown", &|c| c.verdict == Verdict::Unknown && !c.rules.is_empty()),
            named(&no_rule, &|c| c.rules.is_empty()),
        ]
        .into_iter()
        .flatten()
        {
            page.hanging(2, 4, Tone::Plain, &line)?;
        }
    }
    page.gap()?;
    page.para(
        0,
        Tone::Dim,
        "The rules behind `unknown` and `pass`: --format csv or json; what would decide them: `umbilical policy check`.",
    )?;
    stamp(&mut page, &answer.as_of, &answer.law.packs)
}

pub(crate) fn stamp(page: &mut Page<'_>, as_of: &str, packs: &[PackStamp]) -> io::Result<()> {
    page.gap()?;
    let packs: Vec<String> = packs.iter().map(|p| format!("{} {} (sources to {})", p.id, p.version, p.sources_to)).collect();
    page.para(0, Tone::Dim, &format!("As of {as_of}. Packs: {}.", packs.join(", ")))
}

/// Columns of the difference as CSV.
pub const DIFF_COLUMNS: [&str; 7] = ["subject", "names", "rule", "module", "was", "is", "because"];

/// A line for each verdict that differs.
pub fn diff_rows(answer: &PolicyDiff) -> Vec<[String; 7]> {
    let module = |t: &Turned| t.module.clone().unwrap_or_default();
    let row =
        |t: &Turned| [t.subject.clone(), t.names.join("; "), t.rule.clone(), module(t), t.was.clone(), t.is.clone(), t.because.join("; ")];
    answer.changes.iter().map(row).collect()
}

/// Writes what differs between two days.
pub fn diff(out: &mut dyn Write, answer: &PolicyDiff, view: &View) -> io::Result<()> {
    let mut page = Page::new(out, view);
    let [before, after] = &answer.as_of;
    let between = if before == after {
        let version = |k: &KnowledgeStamp| short(&k.version, 12).into_owned();
        format!("the tables {} and {} on {after}", version(&answer.knowledge_before), version(&answer.knowledge))
    } else {
        format!("{before} and {after}")
    };
    let count = say::counted(answer.changes.len() as u64, "verdict");
    let differ = if answer.changes.len() == 1 { "differs" } else { "differ" };
    page.para(0, Tone::Bold, &format!("{count} {differ} between {between}"))?;
    // What is said of the first of a group is true of all of it.
    type Alike<'a> = (&'a str, &'a str, &'a str, &'a [String], Vec<&'a Turned>);
    let mut rules: Vec<Alike<'_>> = Vec::new();
    for turned in &answer.changes {
        let why = turned.finding.as_ref().map_or(&turned.because[..], reasons);
        let key = (turned.rule.as_str(), turned.was.as_str(), turned.is.as_str(), why);
        match rules.iter_mut().find(|r| (r.0, r.1, r.2, r.3) == key) {
            Some(row) => row.4.push(turned),
            None => rules.push((key.0, key.1, key.2, key.3, vec![turned])),
        }
    }
    for (rule, was, is, why, turned) in rules {
        page.heading(&format!("{rule}: {was} → {is}"))?;
        let names: Vec<&str> = turned.iter().take(EXAMPLES).map(|t| t.names.first().map_or(t.subject.as_str(), String::as_str)).collect();
        let more = turned.len().saturating_sub(EXAMPLES);
        let more = if more > 0 { format!(" and {} more", say::count(more as u64)) } else { String::new() };
        page.field(2, "About", &format!("{}{more}", names.join(", ")))?;
        for because in why {
            page.hanging(2, 2, Tone::Plain, &format!("- {because}"))?;
        }
    }
    let days = if before == after { after.clone() } else { format!("{before} and {after}") };
    stamp(&mut page, &days, &answer.law.packs)
}

/// Writes the facts that rules may ask.
pub fn facts(out: &mut dyn Write, rows: &[[&str; 3]], view: &View) -> io::Result<()> {
    let mut page = Page::new(out, view);
    page.table(&["Fact", "Form", "What it says"], rows.iter().map(|r| r.iter().map(|c| (*c).to_owned()).collect()))
}

/// Writes packs, and their rules where they were asked for.
pub fn list(out: &mut dyn Write, answer: &PolicyList, whole: bool, view: &View) -> io::Result<()> {
    let mut page = Page::new(out, view);
    if !whole {
        let row = |p: &PackText| {
            let standing = if p.optional { format!("{}, optional", p.standing) } else { p.standing.to_owned() };
            vec![p.id.clone(), p.jurisdiction.clone(), standing, p.rules.len().to_string(), p.sources_to.clone(), p.title.clone()]
        };
        return page.table(&["Pack", "Of", "Standing", "Rules", "Sources to", "Title"], answer.packs.iter().map(row));
    }
    for pack in &answer.packs {
        page.heading(&format!("{} – {}", pack.id, pack.title))?;
        page.field(2, "Of", &pack.jurisdiction)?;
        page.field(2, "Standing", pack.standing)?;
        page.field(2, "Version", &format!("{} (sources to {})", pack.version, pack.sources_to))?;
        for (name, value) in [("Issued by", &pack.authority), ("Note", &pack.note)] {
            if let Some(value) = value {
                page.field(2, name, value)?;
            }
        }
        for rule in &pack.rules {
            page.gap()?;
            let mark = if rule.verified { "" } else { " (unverified: a breach is for review)" };
            page.para(2, Tone::Bold, &format!("{}{mark}", rule.id))?;
            page.field(4, "Says", &rule.title)?;
            page.field(4, "Clause", &rule.cite)?;
            page.field(4, "Read in", &rule.source)?;
            page.field(4, "Binds", &rule.binds)?;
            page.field(4, "Effect", &format!("{} ({})", rule.effects.join(", "), rule.tier.join(", ")))?;
            let days = say::dates(rule.from.as_deref(), rule.to.as_deref());
            if !days.is_empty() {
                page.field(4, "Holds", &days)?;
            }
            for (name, lines) in [("Only where", &rule.scope), ("Except", &rule.exceptions), ("Open", &rule.open_points)] {
                for line in lines {
                    page.field(4, name, line)?;
                }
            }
        }
    }
    Ok(())
}

/// How a case came out otherwise than it must, in a line.
pub fn differs(run: &CaseRun) -> String {
    if run.expected == run.got {
        return format!("the reasons lack: {}", run.unsaid.join("; "));
    }
    format!("{} expected, {} came out", run.expected.name(), run.got.name())
}

/// Writes how cases came out.
pub fn tested(out: &mut dyn Write, answer: &PolicyTest, view: &View) -> io::Result<()> {
    let mut page = Page::new(out, view);
    for run in answer.runs.iter().filter(|r| !r.right) {
        page.para(0, Tone::Bold, &format!("{}:{}: {}: {}", run.file, run.line, run.rule, differs(run)))?;
        page.hanging(2, 2, Tone::Plain, &run.name)?;
        for because in &run.because {
            page.hanging(2, 2, Tone::Plain, &format!("- {because}"))?;
        }
    }
    let right = answer.cases.saturating_sub(answer.failed);
    page.para(
        0,
        Tone::Bold,
        &format!("{} run: {} as they must, {} otherwise", say::counted(answer.cases, "case"), say::count(right), say::count(answer.failed)),
    )
}

/// Columns of the timeline as CSV.
pub const TIMELINE_COLUMNS: [&str; 6] = ["on", "pack", "rule", "what", "verified", "source"];

/// A line for each event.
pub fn timeline_rows(answer: &Timeline) -> Vec<[String; 6]> {
    let row = |e: &Dated| {
        let verified = if e.verified { "verified" } else { "unverified" };
        [e.on.clone(), e.pack.clone(), e.rule.clone().unwrap_or_default(), e.what.clone(), verified.to_owned(), e.source.clone()]
    };
    answer.events.iter().map(row).collect()
}

/// Writes what happened and what is to come.
pub fn timeline(out: &mut dyn Write, answer: &Timeline, view: &View) -> io::Result<()> {
    let mut page = Page::new(out, view);
    let row = |e: &Dated| {
        let mark = if e.verified { "" } else { " (unverified)" };
        vec![e.on.clone(), e.pack.clone(), format!("{}{mark}", e.what)]
    };
    let (past, coming): (Vec<&Dated>, Vec<&Dated>) = answer.events.iter().partition(|e| e.on <= answer.as_of);
    for (title, events) in [(format!("To {}", answer.as_of), past), ("To come".to_owned(), coming)] {
        if !events.is_empty() {
            page.heading(&title)?;
            page.table(&["Day", "Pack", "What"], events.into_iter().map(row))?;
        }
    }
    Ok(())
}
