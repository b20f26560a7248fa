//! What is judged: the products of bills of materials, then the devices of the other evidence and of audits.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::PathBuf;

use umbilical_assess::bom::{self, Judged as Bills};
use umbilical_assess::judge::risk::Sight;
use umbilical_assess::judge::{Item, Judge, Outcomes, seen};
use umbilical_assess::verify::{Ask, Extra, Options as How, verify};
use umbilical_assess::{Fleet, Options};
use umbilical_core::answer::bom::{Check, FileAnswer, Project};
use umbilical_core::answer::policy::Judged;
use umbilical_core::answer::{Device, Said};
use umbilical_core::finding::{Finding, Subject};
use umbilical_core::observation::Input;
use umbilical_core::{Day, Observations};
use umbilical_knowledge::Knowledge;
use umbilical_knowledge::policy::Labels;
use umbilical_report::policy::Alike;

use crate::args::Global;
use crate::commands::{Reading, evidence};
use crate::fail::Fail;
use crate::law::{Law, Verdicts, of_device, verdicts};
use crate::{home, saved};

/// What was read: evidence, its bills of materials taken apart from the rest, and documents of audits.
pub struct Read {
    all: Observations,
    bills: Bills,
    audits: Vec<PathBuf>,
    /// Everything that was read, documents of audits last.
    inputs: Vec<Input>,
    /// What the documents of audits say of themselves.
    said: Vec<Said>,
    /// A document that could not be read again.
    failed: RefCell<Option<Fail>>,
    show_subscribers: bool,
}

/// What came of holding devices against documents, by device.
pub type Compared = HashMap<String, Vec<Finding>>;

/// Sorts of subjects that are remembered.
const MOST_SORTS: usize = 1 << 14;

impl Read {
    /// Reads what is named; where nothing is, the last audit of the home.
    pub fn new(paths: &[PathBuf], kb: &Knowledge, as_of: Day, global: &Global) -> Result<Self, Fail> {
        let last = || home::folder(global).map(|h| vec![h.join(home::AUDIT)]);
        let named = if paths.is_empty() { last()? } else { paths.to_vec() };
        let (audits, paths): (Vec<PathBuf>, Vec<PathBuf>) = named.into_iter().partition(|p| paths.is_empty() || saved::is_audit(p));
        let mut all = if paths.is_empty() { Observations::new() } else { evidence(global, kb, Reading::fleet(&paths, None))? };
        let options = bom::Options { show_subscribers: global.show_subscribers, ..bom::Options::on(as_of) };
        let bills = bom::judge(&mut all, kb, &options);
        let (mut inputs, mut said) = (all.inputs.clone(), Vec::new());
        for path in &audits {
            let (audit, input) = saved::head(path)?;
            if audit.knowledge.version != kb.version() || audit.as_of != as_of.to_string() {
                said.push(Said {
                    input: u32::try_from(inputs.len()).ok(),
                    at: "as_of".into(),
                    what: format!(
                        "modules were identified as of {} on knowledge {} (now {}); rules and owners are those of {as_of}",
                        audit.as_of,
                        audit.knowledge.version,
                        kb.version()
                    ),
                });
            }
            inputs.push(input);
        }
        Ok(Self { all, bills, audits, inputs, said, failed: RefCell::default(), show_subscribers: global.show_subscribers })
    }

    /// What was read.
    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    /// What could not be understood.
    pub fn problems(&self) -> Vec<Said> {
        let own = self.all.problems.iter().map(|p| Said { input: p.input, at: self.all.locate(p.at), what: p.what.clone() });
        own.chain(self.bills.problems.iter().cloned()).chain(self.said.iter().cloned()).collect()
    }

    /// Calls `each` with every subject: products by path, devices in the order of the fleet, then those of saved audits.
    pub fn judge(&self, judge: &Judge<'_>, law: &Law, kb: &Knowledge, each: &mut dyn FnMut(Judged)) {
        let problems = self.problems();
        for project in &self.bills.projects {
            each(product(judge, law, kb, &self.bills.files, &problems, project));
        }
        self.devices(kb, judge.as_of(), &mut |device| {
            each(of_device(judge, law, kb, &device).about(device));
        });
    }

    /// Calls `each` with one subject of every sort and those of which all the same is said. Every subject is a sort of its
    /// own where a waiver may speak of it by name.
    pub fn sorts(&self, judge: &Judge<'_>, law: &Law, kb: &Knowledge, each: &mut dyn FnMut(Judged, &Alike)) {
        if law.waives() {
            return self.judge(judge, law, kb, &mut |subject| each(subject, &Alike::default()));
        }
        let problems = self.problems();
        for project in &self.bills.projects {
            each(product(judge, law, kb, &self.bills.files, &problems, project), &Alike::default());
        }
        let mut known: HashMap<Vec<usize>, usize> = HashMap::new();
        let mut sorts: Vec<(Device, Outcomes, Alike)> = Vec::new();
        self.devices(kb, judge.as_of(), &mut |device| {
            let outcomes = judge.outcomes(&law.item(kb, &device));
            let likeness = outcomes.likeness();
            let room = sorts.len() < MOST_SORTS;
            match known.get(&likeness).and_then(|at| sorts.get_mut(*at)) {
                Some((.., alike)) => alike.add(&device.names, &device.id),
                None if room => {
                    known.insert(likeness, sorts.len());
                    sorts.push((device, outcomes, Alike::default()));
                }
                // Where every device has facts of its own there is nothing to gain, and memory to lose.
                None => each(of_device(judge, law, kb, &device).about(device), &Alike::default()),
            }
        });
        for (device, _, alike) in sorts {
            each(of_device(judge, law, kb, &device).about(device), &alike);
        }
    }

    /// Calls `each` with what every subject looks like beside law, in the same order.
    pub fn sights(&self, law: &Law, kb: &Knowledge, as_of: Day, compared: &Compared, each: &mut dyn FnMut(&Sight<'_>)) {
        let problems = self.problems();
        let bills = &self.bills;
        for project in &bills.projects {
            let own: Vec<&FileAnswer> = project.files.iter().filter_map(|i| bills.files.get(*i as usize)).collect();
            let named: Vec<&str> = own.iter().filter_map(|f| f.product.name.as_deref()).collect();
            let facts = law.facts(&Labels { names: &named, path: &project.path, ..Labels::default() });
            each(&Sight::product(&own, project, project.is_open(&bills.files, &problems), facts));
        }
        self.devices(kb, as_of, &mut |device| {
            let sight = Sight::device(&device, law.device_facts(&device));
            each(&match compared.get(&device.id) {
                Some(findings) => sight.compared(findings),
                None => sight,
            });
        });
    }

    /// Holds every device against what documents declare, as `bom verify` does.
    pub fn compare(&self, declared: &Check, kb: &Knowledge, as_of: Day) -> Compared {
        let mut devices = Vec::new();
        self.devices(kb, as_of, &mut |device| devices.push(device));
        let problems = self.problems();
        let extra = Extra { observed: Some(&self.all), problems: &problems, ..Extra::default() };
        let ask = Ask { bad_percent: 5.0, confidence_percent: 95.0, seed: None };
        let how = How { as_of, named: false, near: None, over_db: 10, ask };
        let answer = verify(Some(declared), devices.into_iter(), extra, kb, &how);
        let mut out = Compared::new();
        for id in answer.rows.iter().filter_map(|r| r.device.clone()) {
            out.entry(id).or_default();
        }
        for finding in answer.findings.into_iter().filter(|f| f.subject.kind == "device") {
            out.entry(finding.subject.id.clone()).or_default().push(finding);
        }
        out
    }

    fn devices(&self, kb: &Knowledge, as_of: Day, each: &mut dyn FnMut(Device)) {
        let fleet = Fleet::new(&self.all, kb, Options { as_of, show_subscribers: self.show_subscribers });
        fleet.devices().for_each(&mut *each);
        for path in &self.audits {
            if let Err(problem) = saved::read(path, &mut *each) {
                self.failed.borrow_mut().get_or_insert(problem);
            }
        }
    }

    /// Whether every pass over what was read came to its end.
    pub fn done(&self) -> Result<(), Fail> {
        self.failed.take().map_or(Ok(()), Err)
    }
}

/// A product by its documents. Findings stand on the line of the module that they are about.
pub fn product(judge: &Judge<'_>, law: &Law, kb: &Knowledge, files: &[FileAnswer], problems: &[Said], project: &Project) -> Judged {
    let own: Vec<&FileAnswer> = project.files.iter().filter_map(|i| files.get(*i as usize)).collect();
    let named: Vec<&str> = own.iter().filter_map(|f| f.product.name.as_deref()).collect();
    let labels = Labels { names: &named, path: &project.path, ..Labels::default() };
    let item = Item::product(kb, &own, project.state, project.is_open(files, problems), law.facts(&labels));
    let subject = Subject { kind: "file", id: project.path.clone() };
    let mut out = verdicts(judge, law, &item, &subject, &named, &|| seen::in_files(kb, &own));
    for finding in &mut out.findings {
        place(finding, &own, kb);
    }
    let mut names: Vec<String> = named.into_iter().map(str::to_owned).collect();
    names.dedup();
    let Verdicts { state, passed, passes, upcoming, findings } = out;
    Judged { kind: "file", id: project.path.clone(), names, state, passed, passes, upcoming, findings }
}

/// Where the module of a finding stands in the documents.
fn place(finding: &mut Finding, files: &[&FileAnswer], kb: &Knowledge) {
    let Some(label) = finding.detail.get("module").and_then(|m| m.as_str()).map(str::to_owned) else {
        if let (Some(first), Some(detail)) = (files.first(), finding.detail.as_object_mut()) {
            detail.insert("file".to_owned(), first.path.clone().into());
        }
        return;
    };
    let mut first = true;
    for file in files {
        for part in &file.parts {
            let modules = part.module.iter().map(|m| &**m).chain(part.alternates.iter().filter_map(|a| a.module.as_deref()));
            let labels = modules.map(|m| umbilical_assess::judge::Thing::module(kb, m));
            let mut labels = labels.chain(umbilical_assess::judge::Thing::beside(kb, part)).map(|thing| thing.label);
            let Some(detail) = finding.detail.as_object_mut().filter(|_| labels.any(|l| l == label)) else { continue };
            let designators = part.part.designators.iter().map(|d| serde_json::Value::from(d.to_string()));
            if std::mem::take(&mut first) {
                detail.insert("file".to_owned(), file.path.clone().into());
                detail.insert("at".to_owned(), part.at.clone().into());
                detail.insert("line".to_owned(), part.line.into());
                detail.insert("designators".to_owned(), designators.collect::<Vec<_>>().into());
                detail.insert("value".to_owned(), part.part.value.as_deref().into());
                detail.insert("mpn".to_owned(), part.part.mpn.as_deref().into());
            } else if let Some(known) = detail.get_mut("designators").and_then(|d| d.as_array_mut()) {
                // The same module in other places of the board: one finding, all its places.
                for one in designators {
                    if !known.contains(&one) {
                        known.push(one);
                    }
                }
            }
        }
    }
}
