//! What a run is judged by: packs, facts of assets and deals, assumptions, waivers.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use clap::Args;
use umbilical_assess::judge::{Compiled, Item, Judge, Meeting, compile, finding, reasons, seen, waive};
use umbilical_core::Day;
use umbilical_core::answer::Device;
use umbilical_core::answer::policy::{Judged, LawStamp, Passed, UnusedWaiver, Upcoming, Verdict};
use umbilical_core::finding::{Finding, Subject};
use umbilical_knowledge::Knowledge;
use umbilical_knowledge::policy::{
    Assets, Assumption, Facts, Labels, Pack, PolicyError, PolicyText, Standing, Value, Vocabulary, Waiver, Waivers, parse,
};
use umbilical_report::located::Entry;

use crate::args::Global;
use crate::fail::Fail;
use crate::home;
use crate::packs::{PACK, Packs};

/// How law is asked about.
#[derive(Args, Debug, Clone, Default)]
pub struct Asked {
    /// A fact of every asset and deal, as in `power_kw=101` (repeatable; `policy list --facts` names them)
    #[arg(long, value_name = "FACT=VALUE", help_heading = "Law")]
    pub say: Vec<String>,
    /// Markets: ISO 3166 codes, `EU`, `US-TX` [short for --say market=…]
    #[arg(long, value_name = "LIST", help_heading = "Law")]
    pub market: Option<String>,
    /// Who buys or operates: us-agency, us-dod, us-contractor, … [short for --say buyer=…]
    #[arg(long, value_name = "LIST", help_heading = "Law")]
    pub buyer: Option<String>,
    /// Whose money pays: usf, federal-grant, dod-contract, … [short for --say funded_by=…]
    #[arg(long, value_name = "LIST", help_heading = "Law")]
    pub funded_by: Option<String>,
    /// What is known of assets by name, site, id, model or path (TOML)
    #[arg(long, value_name = "FILE", help_heading = "Law")]
    pub assets: Option<PathBuf>,
    /// What-if: `ORG listed REGIME DAY`, `ORG delisted REGIME DAY`, `ORG owned-by ORG DAY`, `RULE in-force DAY` (repeatable)
    #[arg(long, value_name = "TEXT", help_heading = "Law")]
    pub assume: Vec<String>,
    /// Waivers [default: waivers.toml of the home]
    #[arg(long, value_name = "FILE", help_heading = "Law")]
    pub waivers: Option<PathBuf>,
}

impl Asked {
    /// Whether anything asks for law, in commands that do not judge by themselves.
    pub fn is_asked(&self, global: &Global) -> bool {
        let said = [&self.market, &self.buyer, &self.funded_by].into_iter().any(Option::is_some);
        said || !global.policy.is_empty() || !self.say.is_empty() || !self.assume.is_empty() || self.assets.is_some()
    }

    /// What is assumed.
    pub fn assumed(&self) -> Result<Vec<Assumption>, Fail> {
        let read = self.assume.iter().map(|a| a.parse()).collect::<Result<_, String>>();
        read.map_err(|e| Fail::usage(format!("--assume: {e}"), "as in --assume \"quectel listed US-FCC-COVERED 2027-01-01\""))
    }

    /// Facts of every asset and deal, each word as rules know it.
    fn facts(&self, words: &Vocabulary<'_>) -> Result<Facts, Fail> {
        let mut facts = Facts::default();
        let wrong = |e: String| Fail::usage(e, "`umbilical policy list --facts` names every fact, its form and its words");
        for said in &self.say {
            let (name, value) = said.split_once('=').ok_or_else(|| wrong(format!("--say {said}: write FACT=VALUE")))?;
            facts.say(name, value).map_err(wrong)?;
        }
        for (name, value) in [("market", &self.market), ("buyer", &self.buyer), ("funded_by", &self.funded_by)] {
            if let Some(value) = value {
                facts.say(name, value).map_err(wrong)?;
            }
        }
        words.facts(&facts).map_err(|f| wrong(f.what))
    }
}

/// Everything that law needs, read and checked.
pub struct Law {
    packs: RefCell<Vec<Compiled>>,
    /// Assumptions of this run.
    pub assumed: Vec<Assumption>,
    /// Facts of every asset and deal.
    pub base: Facts,
    assets: Assets,
    waivers: Accepted,
    /// Whether a pass says what it stands on.
    reasons: Cell<bool>,
    /// Facts by the groups that match and the site, so that alike assets share them.
    shared: RefCell<HashMap<Place, Rc<Facts>>>,
}

/// The groups that match an asset, and its site.
type Place = (Vec<usize>, Option<String>);

/// Which packs are used where none is named.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Unnamed {
    /// All law that is shipped, and its proposals.
    Law,
    /// None.
    Nothing,
}

/// Whether law is asked by whom it may bind.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Deal {
    /// Whose market, buyer or money nobody has said is judged as if it were the one that the rule reaches, and says so:
    /// who asks for a law wants to know what it says to those whom it binds.
    AsIf,
    /// Only what was said counts: a letter to somebody rests on nothing else.
    AsSaid,
}

/// Reads packs and facts. The knowledge comes back with what is assumed in it.
pub fn load(global: &Global, asked: &Asked, kb: Knowledge, unnamed: Unnamed) -> Result<(Knowledge, Law), Fail> {
    load_for(global, asked, kb, unnamed, Deal::AsIf)
}

/// The same, with a say in what counts as said.
pub fn load_for(global: &Global, asked: &Asked, kb: Knowledge, unnamed: Unnamed, deal: Deal) -> Result<(Knowledge, Law), Fail> {
    let assumed = asked.assumed()?;
    let kb =
        kb.assume(&assumed).map_err(|e| Fail::usage(format!("--assume: {e}"), "`umbilical lookup NAME` names an organisation's id"))?;
    let law = over(global, asked, &kb, assumed, unnamed, deal)?;
    Ok((kb, law))
}

/// Reads packs and facts over knowledge that holds already what is assumed.
pub fn over(global: &Global, asked: &Asked, kb: &Knowledge, assumed: Vec<Assumption>, unnamed: Unnamed, deal: Deal) -> Result<Law, Fail> {
    let texts = texts(&Packs::of(global)?, &global.policy, unnamed)?;
    let packs: Vec<Compiled> = texts.iter().map(|t| compile(t, kb, deal == Deal::AsIf)).collect::<Result<_, _>>()?;
    for a in assumed.iter().filter(|a| a.change == umbilical_knowledge::policy::Change::InForce) {
        let known = |c: &Compiled| *c.pack.id.get_ref() == a.who || c.pack.rules.iter().any(|r| *r.id.get_ref() == a.who);
        if !packs.iter().any(known) {
            return Err(Fail::usage(
                format!("--assume: `{}` is neither a rule nor a pack in use", a.who),
                "`umbilical policy list` names them",
            ));
        }
    }
    let mut words = Vocabulary::new(kb);
    for compiled in &packs {
        // It was read before: nothing is wrong with it.
        let _ = words.learn(&compiled.pack);
    }
    let assets = match &asked.assets {
        Some(path) => {
            let text = text(path)?;
            let mut assets: Assets = parse(&text)?;
            assets.settle(&mut words).map_err(|f| text.fault(f))?;
            assets
        }
        None => Assets::default(),
    };
    let base = asked.facts(&words)?;
    let waivers = waivers(global, asked, &packs)?;
    Ok(Law { packs: RefCell::new(packs), assumed, base, assets, waivers, reasons: Cell::new(false), shared: RefCell::default() })
}

/// The texts of the packs that are named, or of all law.
pub fn texts(packs: &Packs, named: &[String], unnamed: Unnamed) -> Result<Vec<PolicyText>, Fail> {
    let mut out = Vec::new();
    for name in named {
        out.push(named_pack(packs, name)?);
    }
    if named.is_empty() && unnamed == Unnamed::Law {
        for (text, _) in packs.all()? {
            let pack: Pack = parse(&text)?;
            if matches!(pack.standing, Standing::Law | Standing::Proposed) && !pack.optional {
                out.push(text);
            }
        }
    }
    Ok(out)
}

/// A pack by its id, by its file, or by the folder that holds it.
fn named_pack(packs: &Packs, name: &str) -> Result<PolicyText, Fail> {
    if let Some((pack, _)) = packs.get(name)? {
        return Ok(pack);
    }
    let path = Path::new(name);
    let file = if path.is_dir() { path.join(PACK) } else { path.to_path_buf() };
    if !file.exists() {
        let ids = packs.ids();
        return Err(Fail::usage(format!("--policy {name}: neither a shipped pack nor a file"), format!("shipped: {}", ids.join(", "))));
    }
    text(&file)
}

/// A text of rules, facts or waivers.
pub fn text(path: &Path) -> Result<PolicyText, Fail> {
    let text = fs::read_to_string(path).map_err(|source| Fail::Input { path: path.to_path_buf(), source })?;
    Ok(PolicyText { name: path.display().to_string(), text })
}

/// Waivers, and what they met.
#[derive(Default)]
struct Accepted {
    waivers: Waivers,
    /// Where they stand.
    file: String,
    /// The line of each.
    lines: Vec<usize>,
    /// What each met: it was used, or a module that it did not name.
    met: RefCell<Vec<Option<Meeting>>>,
    /// Those that name no rule of any pack on hand.
    strange: Vec<usize>,
}

fn waivers(global: &Global, asked: &Asked, packs: &[Compiled]) -> Result<Accepted, Fail> {
    let path = match &asked.waivers {
        Some(path) => path.clone(),
        None => match home::folder(global).map(|h| h.join(home::WAIVERS)) {
            Ok(path) if path.is_file() => path,
            _ => return Ok(Accepted::default()),
        },
    };
    let text = text(&path)?;
    let waivers: Waivers = parse(&text)?;
    waivers.check(&text)?;
    let mut rules: Vec<String> = packs.iter().flat_map(|c| &c.pack.rules).map(|r| r.id.get_ref().clone()).collect();
    for (pack, _) in Packs::of(global)?.all()? {
        rules.extend(parse::<Pack>(&pack)?.rules.into_iter().map(|r| r.id.into_inner()));
    }
    let known = |w: &Waiver| rules.iter().any(|r| r == w.code.get_ref());
    let strange: Vec<usize> = waivers.waivers.iter().enumerate().filter(|(_, w)| !known(w)).map(|(i, _)| i).collect();
    // The file of the home serves every run: it may name rules of packs that this one does not use.
    if let Some(waiver) = strange.first().and_then(|i| waivers.waivers.get(*i)).filter(|_| asked.waivers.is_some()) {
        let what = format!("`{}` is no rule of a shipped pack or of one in use (--policy names others)", waiver.code.get_ref());
        return Err(PolicyError::at(&text, waiver.code.span(), what).into());
    }
    let lines = text.lines_of(waivers.waivers.iter().map(|w| w.code.span()));
    let met = RefCell::new(vec![None; waivers.waivers.len()]);
    Ok(Accepted { waivers, file: text.name, lines, met, strange })
}

/// Markets as rules know them.
pub fn markets(kb: &Knowledge, text: &str) -> Result<Vec<String>, Fail> {
    let mut facts = Facts::default();
    let read = facts.say("market", text).and_then(|()| Vocabulary::new(kb).facts(&facts).map_err(|f| f.what));
    let facts = read.map_err(|e| Fail::usage(e, "as in --market US,EU,US-TX"))?;
    match facts.get("market") {
        Some(Value::Words(words)) => Ok(words.clone()),
        _ => Ok(Vec::new()),
    }
}

impl Law {
    /// The judge of this run.
    pub fn judge<'k>(&self, kb: &'k Knowledge, as_of: Day) -> Judge<'k> {
        Judge::new(kb, self.packs.take(), as_of, &self.assumed)
    }

    /// Passes say what they stand on: for answers in which somebody reads it, since a fleet has millions.
    pub fn give_reasons(&self) {
        self.reasons.set(true);
    }

    /// What is stamped on an answer.
    pub fn stamp(&self, judge: &Judge<'_>) -> LawStamp {
        LawStamp {
            packs: judge.stamps(),
            assumed: self.assumed.iter().map(ToString::to_string).collect(),
            facts: self.base.iter().map(|(n, v)| (n.to_owned(), v.to_string())).collect(),
        }
    }

    /// What is known of an asset that goes by these labels.
    pub fn facts(&self, labels: &Labels<'_>) -> Rc<Facts> {
        let fits = |(i, asset): (usize, &umbilical_knowledge::policy::Asset)| asset.pattern.fits(labels).then_some(i);
        let groups: Vec<usize> = self.assets.assets.iter().enumerate().filter_map(fits).collect();
        let site = labels.sites.first().map(|s| (*s).to_owned());
        let key = (groups, site);
        if let Some(known) = self.shared.borrow().get(&key) {
            return Rc::clone(known);
        }
        // What is said of one asset is nearer to it than what is said of all.
        let mut facts = self.assets.facts.clone();
        facts.overlay(&self.base);
        if let Some(site) = &key.1 {
            let _ = facts.say("site", site);
        }
        for asset in key.0.iter().filter_map(|i| self.assets.assets.get(*i)) {
            facts.overlay(&asset.facts);
        }
        let made = Rc::new(facts);
        self.shared.borrow_mut().insert(key, Rc::clone(&made));
        made
    }

    /// What is judged of a device.
    pub fn item(&self, kb: &Knowledge, device: &Device) -> Item {
        Item::device(kb, device, self.device_facts(device))
    }

    /// What is known of a device.
    pub fn device_facts(&self, device: &Device) -> Rc<Facts> {
        fn refs(list: &[String]) -> Vec<&str> {
            list.iter().map(String::as_str).collect()
        }
        let (names, sites) = (refs(&device.names), refs(&device.identifiers.site));
        let ids = &device.identifiers;
        let mut all: Vec<&str> = vec![&device.id];
        all.extend([&ids.asset_id, &ids.serial, &ids.imei, &ids.mac, &ids.vin, &ids.udi].into_iter().flatten().map(String::as_str));
        let words = device.host.iter().flat_map(|h| [&h.brand, &h.model]).flatten();
        let model = words.map(String::as_str).collect::<Vec<_>>().join(" ");
        self.facts(&Labels { names: &names, sites: &sites, ids: &all, model: &model, path: "" })
    }

    /// Whether any waiver is in use.
    pub fn waives(&self) -> bool {
        !self.waivers.waivers.waivers.is_empty()
    }

    /// Puts waivers to findings of one subject.
    pub fn waive(&self, findings: &mut Vec<Finding>, names: &[&str], day: Day) {
        let Accepted { waivers, file, met, .. } = &self.waivers;
        if waivers.waivers.is_empty() {
            return;
        }
        let mut met = met.borrow_mut();
        for meeting in waive(findings, waivers, names, file, day) {
            if let Some(slot) = met.get_mut(meeting.number()).filter(|slot| slot.as_ref().is_none_or(|known| known.weighs_less(&meeting))) {
                *slot = Some(meeting);
            }
        }
    }

    /// Waivers that accepted nothing of what was judged.
    pub fn unused_waivers(&self) -> Vec<UnusedWaiver> {
        let Accepted { waivers, file, lines, met, strange } = &self.waivers;
        let met = met.borrow();
        let why = |i: usize| match met.get(i) {
            Some(Some(Meeting::Used(_))) => None,
            Some(Some(Meeting::Missed(_, module))) => Some(format!(
                "the finding is about {module}, and the waiver names no module: say `module = \"{module}\"`, or `\"*\"` for all"
            )),
            Some(Some(Meeting::Superseded(_, by))) => {
                Some(format!("the waiver on line {} holds for the same findings", lines.get(*by).copied().unwrap_or_default()))
            }
            _ if strange.binary_search(&i).is_ok() => Some("no rule of a shipped pack or of one in use".to_owned()),
            _ => Some("no finding of that rule about such a subject".to_owned()),
        };
        let each = waivers.waivers.iter().enumerate();
        each.filter_map(|(i, w)| {
            let line = lines.get(i).map_or(0, |l| *l as u64);
            Some(UnusedWaiver {
                file: file.clone(),
                line,
                code: w.code.get_ref().clone(),
                subject: w.subject.get_ref().clone(),
                why: why(i)?,
            })
        })
        .collect()
    }

    /// Tells of waivers that accepted nothing: who wrote them believes otherwise.
    pub fn tell_unused(&self, global: &Global) {
        for w in self.unused_waivers().iter().filter(|_| !global.quiet) {
            let text = format!("{}:{}: the waiver of {} for {} accepts nothing: {}", w.file, w.line, w.code, w.subject, w.why);
            eprintln!("umbilical: {}", umbilical_core::text::clean(&text));
        }
    }
}

/// What a subject comes to: the worst verdict, the rules it keeps, and findings for the rest.
pub struct Verdicts {
    pub state: Verdict,
    pub passed: Vec<String>,
    /// With reasons, where [`Law::give_reasons`] asked for them.
    pub passes: Vec<Passed>,
    pub upcoming: Vec<Upcoming>,
    pub findings: Vec<Finding>,
}

impl Verdicts {
    /// They are a device's.
    pub fn about(self, device: Device) -> Judged {
        let Self { state, passed, passes, upcoming, findings } = self;
        Judged { kind: "device", id: device.id, names: device.names, state, passed, passes, upcoming, findings }
    }
}

/// Judges an item. `identified` says how each module was identified, by its label; it is asked once, where there is a finding.
pub fn verdicts(
    judge: &Judge<'_>,
    law: &Law,
    item: &Item,
    subject: &Subject,
    names: &[&str],
    identified: &dyn Fn() -> Vec<(String, String)>,
) -> Verdicts {
    let outcomes = judge.outcomes(item);
    let mut out =
        Verdicts { state: Verdict::NotApplicable, passed: Vec::new(), passes: Vec::new(), upcoming: Vec::new(), findings: Vec::new() };
    for outcome in outcomes.iter() {
        let id = || judge.rule(outcome).map(|(_, rule)| rule.id.get_ref().clone());
        match (outcome.verdict, &outcome.later) {
            (Verdict::NotApplicable, Some(later)) => {
                out.upcoming.extend(id().map(|rule| Upcoming { rule, from: later.from.to_string(), would: later.would }));
                continue;
            }
            (Verdict::NotApplicable, None) => continue,
            (Verdict::Pass, _) => {
                if law.reasons.get() {
                    out.passes.extend(id().map(|rule| Passed { rule, because: reasons(outcome) }));
                }
                out.passed.extend(id());
            }
            _ => out.findings.extend(finding(judge, outcome, subject.clone())),
        }
        out.state = out.state.max(outcome.verdict);
    }
    let known = if out.findings.is_empty() { Vec::new() } else { identified() };
    for finding in &mut out.findings {
        let module = finding.detail.get("module").and_then(|m| m.as_str());
        let says = module.and_then(|m| known.iter().find(|(label, _)| label == m)).map(|(_, says)| says.clone());
        if let (Some(says), Some(detail)) = (says, finding.detail.as_object_mut()) {
            detail.insert("identified".to_owned(), says.clone().into());
            finding.because.insert(0, says);
        }
    }
    law.waive(&mut out.findings, names, judge.as_of());
    if law.waives() {
        // What somebody accepted until a day that has not passed counts as kept; it stays among the findings, marked.
        let counts = |f: &Finding| if Entry::from(f).is_accepted() { Some(Verdict::Pass) } else { f.verdict.and_then(Verdict::of) };
        let kept = if out.passed.is_empty() { Verdict::NotApplicable } else { Verdict::Pass };
        out.state = out.findings.iter().filter_map(counts).max().unwrap_or(kept).max(kept);
    }
    out.findings.sort_by(|a, b| a.worst_first(b));
    out
}

/// Judges a device.
pub fn of_device(judge: &Judge<'_>, law: &Law, kb: &Knowledge, device: &Device) -> Verdicts {
    let subject = Subject { kind: "device", id: device.id.clone() };
    let names: Vec<&str> = device.names.iter().map(String::as_str).collect();
    verdicts(judge, law, &law.item(kb, device), &subject, &names, &|| seen::in_device(kb, device))
}
