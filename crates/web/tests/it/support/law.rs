//! Law for pages: two packs that are shipped, one of which is asked here.

use std::sync::Arc;

use umbilical_assess::judge::told::homes;
use umbilical_assess::judge::{Compiled, Item, Judge, compile, finding, reasons};
use umbilical_core::answer::Device;
use umbilical_core::answer::bom::{Check, Project};
use umbilical_core::answer::policy::{Judged, LawStamp, Passed, Verdict};
use umbilical_core::finding::Subject;
use umbilical_knowledge::Knowledge;
use umbilical_knowledge::policy::{Assumption, Facts, shipped};
use umbilical_web::Config;
use umbilical_web::law::{Asking, Law, OnFile, Question};

const PACKS: [&str; 2] = ["us-dod-1260h", "us-fcc-covered"];

/// A configuration with law.
pub fn shelved(config: &mut Config) {
    config.law = Some(Arc::new(Shelf));
}

struct Shelf;

impl Law for Shelf {
    fn packs(&self) -> Result<Vec<OnFile>, String> {
        Ok(PACKS.iter().filter_map(|id| Some(OnFile { text: shipped(id)?.0, asked: *id == "us-fcc-covered" })).collect())
    }

    fn ask(&self, kb: &Knowledge, question: &Question, then: &mut dyn FnMut(Asking<'_>)) -> Result<(), String> {
        let assumed: Vec<Assumption> = question.assume.iter().map(|a| a.parse()).collect::<Result<_, _>>()?;
        let changed = if assumed.is_empty() { None } else { Some(Knowledge::embedded().assume(&assumed)?) };
        let kb = changed.as_ref().unwrap_or(kb);
        let mut packs: Vec<Compiled> = Vec::new();
        for id in PACKS.iter().filter(|id| question.packs.is_empty() || question.packs.iter().any(|p| p == *id)) {
            packs.push(compile(&shipped(id).ok_or("no such pack")?.0, kb, true).map_err(|e| e.to_string())?);
        }
        if packs.is_empty() {
            return Err("no such pack".to_owned());
        }
        let judge = Judge::new(kb, packs, question.as_of, &assumed);
        let judged = |item: &Item, kind: &'static str, id: &str, names: Vec<String>| {
            let mut out = Judged {
                kind,
                id: id.to_owned(),
                names,
                state: Verdict::NotApplicable,
                passed: Vec::new(),
                passes: Vec::new(),
                upcoming: Vec::new(),
                findings: Vec::new(),
            };
            for outcome in judge.outcomes(item).iter() {
                let Some((_, rule)) = judge.rule(outcome) else { continue };
                match outcome.verdict {
                    Verdict::Pass => {
                        out.passes.push(Passed { rule: rule.id.get_ref().clone(), because: reasons(outcome) });
                        out.passed.push(rule.id.get_ref().clone());
                    }
                    _ => out.findings.extend(finding(&judge, outcome, Subject { kind, id: id.to_owned() })),
                }
            }
            out
        };
        let of = |device: Device| {
            judged(&Item::device(kb, &device, std::rc::Rc::new(Facts::default())), "device", &device.id, device.names.clone())
        };
        let product = |check: &Check, project: &Project| {
            let own: Vec<_> = project.files.iter().filter_map(|i| check.files.get(*i as usize)).collect();
            let facts = std::rc::Rc::new(Facts::default());
            judged(&Item::product(kb, &own, project.state, check.is_open(project), facts), "file", &project.path, Vec::new())
        };
        let stamp = LawStamp { packs: judge.stamps(), ..LawStamp::default() };
        then(Asking { homes: homes(&judge), title: &|rule| judge.title(rule), of: &of, product: &product, stamp });
        Ok(())
    }
}
