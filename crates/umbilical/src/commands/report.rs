//! `report PACK`: documents for regulators, tenders and suppliers, made from the answer.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use umbilical_assess::bom;
use umbilical_assess::draft::{self, Draft};
use umbilical_core::answer::policy::Judged;
use umbilical_knowledge::templates::Template;
use umbilical_report::{View, document, json};

use super::policy::subjects::product;
use super::{Reading, evidence, facts, formats};
use crate::args::{Format, Global};
use crate::fail::Fail;
use crate::law::{self, Asked, Deal, Unnamed};
use crate::{home, out};

/// Shown behind the help.
pub const EXAMPLES: &str = "Reports: fcc-conditional-approval, fcc-attestation, bis-declaration, s889-representation, lsipa-attestation,
tender-clause, bid-refusal, supplier-letter. Each is a draft: what only its writer can say is marked as to be supplied.

Examples:
  umbilical report s889-representation offer.cdx.json --set offeror=\"Acme Instruments\"
  umbilical report bis-declaration tcu.cdx.json --set model_year=2030 --say mhz=1800
  umbilical report bid-refusal bid.xlsx --market US --buyer us-agency --set bidder=\"Acme\"
  umbilical report tender-clause --policy us-ndaa-889
  umbilical report supplier-letter hw/ --format html -o letter.html";

/// `report`.
#[derive(Args, Debug)]
pub struct Report {
    /// Which report
    #[arg(value_name = "REPORT")]
    pub report: String,
    /// Bills of materials: files and folders; `-` for standard input
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// What only the writer can say (repeatable): every name that the report asks for
    #[arg(long, value_name = "NAME=VALUE")]
    pub set: Vec<String>,
    /// How columns of tables map to fields (TOML)
    #[arg(long, value_name = "FILE")]
    pub map: Option<PathBuf>,
    #[command(flatten)]
    pub asked: Asked,
}

/// Runs it.
pub fn run(global: &Global, args: &Report) -> Result<u8, Fail> {
    formats(global, "report", &[Format::Table, Format::Json, Format::Html])?;
    let template = draft::template(&args.report).map_err(|help| Fail::usage(format!("`{}` is no report", args.report), help))?;
    let set = set(&template, &args.set)?;
    let needs_paths = draft::needs_documents(&template);
    if needs_paths && args.paths.is_empty() {
        return Err(Fail::usage("no bill of materials to report on", "name files or folders; see `umbilical report --help`"));
    }
    if template.needs_fail && !args.asked.assume.is_empty() {
        return Err(Fail::usage("a refusal rests on rules in force: --assume has no place in it", "leave --assume out"));
    }
    let (global, asked) = deal(global, &args.asked, &template, &set);
    let global = &global;
    let counts = if template.needs_fail { Deal::AsSaid } else { Deal::AsIf };
    let (kb, law) = law::load_for(global, &asked, facts(global)?, Unnamed::Law, counts)?;
    let day = home::as_of(global);
    let judge = law.judge(&kb, day);
    let options = bom::Options { show_subscribers: global.show_subscribers, ..bom::Options::on(day) };
    let all = if args.paths.is_empty() {
        umbilical_core::Observations::new()
    } else {
        evidence(global, &kb, Reading::bom(&args.paths, args.map.as_deref()))?
    };
    let check = bom::check(all, &kb, &options);
    if needs_paths && check.files.is_empty() {
        return Err(Fail::NothingReadable("no bill of materials among the inputs, so there is nothing to report on".into()));
    }
    let judged: Vec<Judged> = check.projects.iter().map(|p| product(&judge, &law, &kb, &check.files, &check.problems, p)).collect();
    let (law, title) = (law.stamp(&judge), |rule: &str| judge.title(rule));
    let draft = Draft { template: &template, set: &set, check: &check, judged: &judged, law, title: &title };
    let answer = draft.make().ok_or_else(|| {
        Fail::usage(
            draft::NO_GROUND,
            "say whose market, buyer and money it is (--market, --buyer, --funded-by); a review or an unknown is a question to the bidder, not a ground",
        )
    })?;
    let view = View { width: out::width(), color: out::colour(global), max_rows: usize::MAX };
    out::answer(global, |w| match global.format {
        Format::Json => json::one(w, &answer),
        Format::Html => document::html(w, &answer),
        _ => document::text(w, &answer, &view),
    })?;
    Ok(0)
}

/// What is set. A name that the report does not ask for would be lost without a word.
fn set(template: &Template, said: &[String]) -> Result<BTreeMap<String, String>, Fail> {
    let names = draft::asked(template);
    let mut out = BTreeMap::new();
    for said in said {
        let Some((name, value)) = said.split_once('=') else {
            return Err(Fail::usage(format!("--set {said}: write NAME=VALUE"), "as in --set applicant=\"Acme Instruments\""));
        };
        let name = name.trim();
        if !names.iter().any(|n| n == name) {
            return Err(Fail::usage(
                format!("--set {name}: `{}` does not ask for it", template.id),
                format!("it asks for: {}", names.join(", ")),
            ));
        }
        out.insert(name.to_owned(), value.trim().to_owned());
    }
    Ok(out)
}

/// The packs and facts of the report, where none are named; what the user says comes after and counts.
fn deal(global: &Global, asked: &Asked, template: &Template, set: &BTreeMap<String, String>) -> (Global, Asked) {
    let (mut global, mut asked) = (global.clone(), asked.clone());
    if global.policy.is_empty() {
        global.policy.clone_from(&template.packs);
    }
    let mut say = draft::said(template, set);
    say.append(&mut asked.say);
    asked.say = say;
    (global, asked)
}
