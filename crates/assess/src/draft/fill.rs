//! The rows of a report.

use std::collections::BTreeMap;

use umbilical_core::answer::bom::{Check, PartAnswer, Tier};
use umbilical_core::answer::policy::{Judged, PackStamp};
use umbilical_core::answer::report::{Row, Section as Filled, Standing};
use umbilical_core::bom::PartKind;
use umbilical_core::finding::Finding;
use umbilical_core::observation::Basis;
use umbilical_core::text::clean;
use umbilical_knowledge::templates::{Line, Rows, Section, Template, names};

use super::asked;

/// What stands where something is to be supplied.
const SUPPLY: &str = "to be supplied";

/// Whether a finding is a ground: a rule in force, or of the house, that fails, and nobody has accepted it.
pub fn is_ground(finding: &Finding) -> bool {
    let standing = text(finding, "standing");
    finding.verdict == Some("fail") && !finding.is_accepted() && matches!(&*standing, "law" | "house")
}

/// What rows are made from.
pub struct Fill<'a> {
    pub template: &'a Template,
    pub set: &'a BTreeMap<String, String>,
    pub check: &'a Check,
    pub judged: &'a [Judged],
    pub packs: &'a [PackStamp],
    pub title: &'a dyn Fn(&str) -> (String, String),
}

impl Fill<'_> {
    /// A text with what is set in it, and whether all of it was.
    pub fn text(&self, text: &str) -> (String, bool) {
        let mut out = text.to_owned();
        let mut whole = true;
        for name in names(text) {
            let value = self.set.get(name).cloned().unwrap_or_else(|| {
                whole = false;
                format!("[{SUPPLY}: {}]", name.replace('_', " "))
            });
            out = out.replacen(&format!("{{{name}}}"), &value, 1);
        }
        (out, whole)
    }

    /// Names that are not set.
    pub fn missing(&self) -> Vec<String> {
        asked(self.template).into_iter().filter(|n| !self.set.contains_key(n)).collect()
    }

    /// One section.
    pub fn section(&self, section: &Section) -> Filled {
        let mut rows: Vec<Row> = section.lines.iter().map(|l| self.line(l)).collect();
        match section.rows {
            None => {}
            Some(Rows::Documents) => rows.extend(self.documents()),
            Some(Rows::Components) => rows.extend(self.parts().map(|(p, path)| component(p, path))),
            Some(Rows::Modules) => rows.extend(self.tiers().map(|(p, path, t)| tier(p, path, t))),
            Some(Rows::Gaps) => rows.extend(self.gaps()),
            Some(Rows::Ownership) => rows.extend(self.ownership()),
            Some(Rows::Verdicts) => rows.extend(self.verdicts(|_| true, true)),
            Some(Rows::Fails) => rows.extend(self.verdicts(is_ground, false)),
            Some(Rows::Open) => rows.extend(self.verdicts(|f| matches!(f.verdict, Some("review" | "unknown")), false)),
            Some(Rows::Reviews) => rows.extend(self.verdicts(|f| f.verdict == Some("review"), false)),
            Some(Rows::Remedies) => rows.extend(self.remedies()),
            Some(Rows::Rules) => rows.extend(self.rules()),
        }
        if rows.is_empty() {
            rows.push(Row { state: Standing::Unknown, ..row(None, "nothing is known of this from the documents".into()) });
        }
        Filled { id: section.id.clone(), title: section.title.clone(), rows }
    }

    fn line(&self, line: &Line) -> Row {
        let template = self.template;
        let source = Some(format!("template {}, version {}", template.id, template.version));
        let cite = line.cite.clone().or_else(|| Some(template.cite.clone()));
        let verified = Some(template.status == "verified");
        let (about, what, whole) = match (&line.text, &line.ask) {
            (Some(text), _) => {
                let (what, whole) = self.text(text);
                (None, what, whole)
            }
            (None, ask) => {
                let value = ask.as_ref().and_then(|a| self.set.get(a));
                let what = value.cloned().unwrap_or_else(|| format!("[{SUPPLY}]"));
                (line.label.clone().or_else(|| ask.clone()), what, value.is_some())
            }
        };
        let state = if whole { Standing::Stated } else { Standing::ToBeSupplied };
        let basis = whole.then_some(Basis::Declared);
        Row { state, basis, source, cite, verified, ..row(about, what) }
    }

    fn documents(&self) -> Vec<Row> {
        let mut out = Vec::new();
        for project in &self.check.projects {
            let what = format!("{}: {}", project.state.name(), project.because.join("; "));
            let source = Some("the documents named here".to_owned());
            out.push(Row { basis: Some(Basis::Declared), source, ..row(Some(clean(&project.path).into_owned()), what) });
            for file in project.files.iter().filter_map(|i| self.check.files.get(*i as usize)) {
                let sha256 = self.check.inputs.get(file.input as usize).map(|i| i.sha256.to_string()).unwrap_or_default();
                let parts = file.parts.len();
                let noun = if parts == 1 { "part" } else { "parts" };
                let what = format!("{}, {parts} {noun} on the board, sha256 {sha256}", file.format);
                let path = clean(&file.path).into_owned();
                out.push(Row { basis: Some(Basis::Observed), source: Some("the file as it came".into()), ..row(Some(path), what) });
            }
        }
        out
    }

    fn parts(&self) -> impl Iterator<Item = (&PartAnswer, &str)> {
        self.check.files.iter().flat_map(|f| f.parts.iter().map(|p| (p, &*f.path)))
    }

    fn tiers(&self) -> impl Iterator<Item = (&PartAnswer, &str, &Tier)> {
        self.parts().flat_map(|(p, path)| p.tiers.iter().map(move |t| (p, path, t)))
    }

    /// What whoever reads the report is asked to name: each tier of a part once.
    fn gaps(&self) -> Vec<Row> {
        let mut out: Vec<Row> = Vec::new();
        for (part, path, tier) in self.tiers().filter(|(.., t)| t.name.is_none()) {
            let about = Some(clean(part.part.name().unwrap_or("a part without a name")).into_owned());
            let row =
                Row { state: Standing::Unknown, source: Some(place(part, path)), ..row(about, format!("{}: not named", tier.tier.name())) };
            if !out.contains(&row) {
                out.push(row);
            }
        }
        out
    }

    fn ownership(&self) -> Vec<Row> {
        let behind: Vec<&str> = self.tiers().filter_map(|(.., t)| t.org.as_deref()).collect();
        let of = |trace: &umbilical_core::answer::Trace| {
            let said = |word: &str, value: &Option<String>| format!("{word}: {}", value.as_deref().unwrap_or("unknown"));
            let owners = if trace.owner.is_empty() { "unknown".into() } else { trace.owner.join(", ") };
            let mut because = vec![
                format!("ultimate owners: {owners}"),
                said("headquarters", &trace.headquarters),
                said("seat of development", &trace.rd_seat),
                said("factory", &trace.factory),
                said("firmware signed by", &trace.firmware_signer),
            ];
            because.extend(trace.listings.iter().map(|l| {
                let from = l.from.as_deref().unwrap_or("an unknown day");
                format!("named by {} as {} from {from} [listed; {}]", l.regime, l.entity, l.source)
            }));
            because.extend(trace.open_points.iter().map(|p| format!("open: {p}")));
            let source = Some("the tables of organisations, owners and lists".to_owned());
            Row { basis: Some(Basis::Inferred), source, because, ..row(Some(trace.name.clone()), trace.statement.clone()) }
        };
        self.check.organisations.iter().filter(|t| behind.contains(&&*t.org)).map(of).collect()
    }

    /// Verdicts that fit, and the rules that are kept where asked for.
    fn verdicts(&self, fits: impl Fn(&Finding) -> bool, kept: bool) -> Vec<Row> {
        let mut out = Vec::new();
        for judged in self.judged {
            let about = Some(clean(&judged.id).into_owned());
            for finding in judged.findings.iter().filter(|f| fits(f)) {
                let state = if finding.verdict == Some("unknown") { Standing::Unknown } else { Standing::Stated };
                let mut because = finding.because.clone();
                because.push(format!("on sources to {}, as of {}", text(finding, "sources_to"), text(finding, "as_of")));
                if !finding.clears_when.is_empty() {
                    because.push(format!("clears when {}", finding.clears_when));
                }
                out.push(Row {
                    state,
                    basis: Some(finding.basis),
                    source: Some(text(finding, "source")),
                    cite: Some(text(finding, "cite")),
                    verified: finding.detail.get("verified").and_then(serde_json::Value::as_bool),
                    because,
                    ..row(about.clone(), format!("{}: {} ({})", finding.verdict.unwrap_or("unknown"), text(finding, "title"), finding.code))
                });
            }
            for id in judged.passed.iter().filter(|_| kept) {
                let (title, cite) = (self.title)(id);
                let source = Some(format!("rule {id}"));
                let what = format!("pass: {title} ({id}), on the sources seen");
                out.push(Row { basis: Some(Basis::Inferred), source, cite: Some(cite), ..row(about.clone(), what) });
            }
            if kept && judged.findings.is_empty() && judged.passed.is_empty() {
                let what = "no rule of the packs in use reaches it, with what was said of the deal".to_owned();
                out.push(Row { basis: Some(Basis::Inferred), source: Some("the packs in use".into()), ..row(about, what) });
            }
        }
        out
    }

    fn remedies(&self) -> Vec<Row> {
        let mut out: Vec<Row> = Vec::new();
        for judged in self.judged {
            for finding in judged.findings.iter().filter(|f| is_ground(f)) {
                let source = Some(format!("rule {}", finding.code));
                let what = finding.remedies.join("; or ");
                let cite = Some(text(finding, "cite"));
                out.push(Row { basis: Some(Basis::Inferred), source, cite, ..row(Some(clean(&judged.id).into_owned()), what) });
            }
        }
        out.dedup();
        out
    }

    fn rules(&self) -> Vec<Row> {
        // A proposal binds nobody, and a list of evidence judges no offer.
        let packs = self.packs.iter().filter(|p| matches!(p.standing.as_str(), "law" | "house"));
        let rows = packs.map(|p| {
            let what = format!("{} ({}), version {}, {}, sources to {}", p.title, p.id, p.version, p.standing, p.sources_to);
            Row {
                basis: Some(Basis::Declared),
                source: Some(format!("pack {}, sha256 {}", p.id, p.sha256)),
                ..row(Some(p.jurisdiction.clone()), what)
            }
        });
        rows.collect()
    }
}

fn row(about: Option<String>, what: String) -> Row {
    Row { about, what, state: Standing::Stated, basis: None, source: None, cite: None, verified: None, because: Vec::new() }
}

fn text(finding: &Finding, name: &str) -> String {
    finding.detail.get(name).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
}

fn place(part: &PartAnswer, path: &str) -> String {
    format!("{}, {}", clean(path), part.at)
}

/// A part with its maker and origin as declared.
fn component(part: &PartAnswer, path: &str) -> Row {
    let p = &part.part;
    let maker = part.maker.as_deref().or(p.manufacturer.as_deref()).unwrap_or("unknown");
    let name = p.name().unwrap_or("a part without a name");
    let kind = if part.kind == PartKind::Firmware { "firmware" } else { "component" };
    let origin = p.origin.as_deref();
    let what = clean(&format!("{kind} {name}; maker {maker}; country of origin {}", origin.unwrap_or("unknown"))).into_owned();
    let state = if origin.is_some() { Standing::Stated } else { Standing::Unknown };
    let about = p.designators.iter().take(8).map(|d| d.to_string()).collect::<Vec<_>>().join(", ");
    let about = (!about.is_empty()).then(|| clean(&about).into_owned());
    Row { state, basis: Some(Basis::Declared), source: Some(place(part, path)), ..row(about, what) }
}

/// Who stands at a tier of a module, or that nobody has said.
fn tier(part: &PartAnswer, path: &str, tier: &Tier) -> Row {
    let about = Some(clean(part.part.name().unwrap_or("a part without a name")).into_owned());
    let word = tier.tier.name();
    let Some(name) = &tier.name else {
        let what = format!("{word}: unknown");
        return Row { state: Standing::Unknown, source: Some(tier.because.clone()), ..row(about, what) };
    };
    let mut countries: Vec<&str> = tier.jurisdictions.iter().map(|j| &*j.country).collect();
    countries.dedup();
    let law = if countries.is_empty() { "unknown".to_owned() } else { countries.join(", ") };
    let supplies = tier.part.as_deref().filter(|p| p != name).map(|p| format!(" ({p})")).unwrap_or_default();
    let what = format!("{word}: {name}{supplies}; jurisdiction {law}");
    Row { basis: tier.basis, source: Some(format!("{}; {}", place(part, path), tier.because)), ..row(about, what) }
}
