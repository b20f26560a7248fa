//! `bom label`: the sourcing label of a product, for people and for machines.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;
use umbilical_assess::{bom, label};
use umbilical_core::Day;
use umbilical_core::answer::label::{LABEL_SCHEMA, Labels};
use umbilical_core::signed::{self, canonical};
use umbilical_evidence::signed::envelopes;
use umbilical_report::{View, attest as signing, json, label as page};

use super::attest;
use crate::args::{Format, Global};
use crate::commands::{Reading, evidence, facts, formats};
use crate::fail::Fail;
use crate::gate::Gates;
use crate::{home, out};

/// Shown behind the help.
pub const EXAMPLES: &str = "A label says what documents declare, as of a day. It is no certificate, and nobody looked into the box for it.

Examples:
  umbilical bom label gateway.cdx.json
  umbilical bom label gateway.cdx.json --format svg -o gateway.label.svg       one A6 card with its code
  umbilical bom label hw/ --support-end 2031-06-30 --format html -o hw.html    print it: the cards alone
  umbilical bom label gateway.cdx.json --key acme.pem -o gateway.label.jsonl   signed, for machines
  umbilical bom label --verify gateway.label.jsonl --public-key acme.pub.pem gateway.cdx.json
  umbilical bom label --card \"umbilical-label:1?sha256=…\" gateway.label.jsonl  is this the label behind that code?";

/// `bom label`.
#[derive(Args, Debug)]
pub struct Label {
    /// Bills of materials: files and folders; with --verify or --card, what is compared
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The end of support, where the documents do not declare it
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub support_end: Option<Day>,
    /// Sign each label: one DSSE envelope for each, as `bom attest` writes them (Ed25519, PKCS#8 in PEM)
    #[arg(long, value_name = "KEY.pem", conflicts_with_all = ["verify", "card"])]
    pub key: Option<PathBuf>,
    /// Verify signed labels, and compare the bills of materials with what was signed
    #[arg(long, value_name = "SIGNED", conflicts_with = "card")]
    pub verify: Option<PathBuf>,
    /// The signer's public key, PEM (repeatable: one that signed is enough)
    #[arg(long, value_name = "KEY.pub.pem", requires = "verify")]
    pub public_key: Vec<PathBuf>,
    /// The text of the code on a card: is one of the labels in PATH the one that it stands for?
    #[arg(long, value_name = "TEXT")]
    pub card: Option<String>,
    /// How columns of tables map to fields (TOML)
    #[arg(long, value_name = "FILE")]
    pub map: Option<PathBuf>,
}

/// Runs it.
pub fn run(global: &Global, args: &Label) -> Result<u8, Fail> {
    if let Some(signed) = &args.verify {
        formats(global, "bom label --verify", &[Format::Table, Format::Json])?;
        return attest::verified(global, signed, &args.public_key, &args.paths);
    }
    if args.paths.is_empty() {
        return Err(Fail::usage("no bill of materials to label", "name files or folders; see `umbilical bom label --help`"));
    }
    if let Some(text) = &args.card {
        formats(global, "bom label --card", &[Format::Table])?;
        return card(global, text, &args.paths);
    }
    formats(global, "bom label", &[Format::Table, Format::Json, Format::Svg, Format::Html])?;
    if args.key.is_some() && matches!(global.format, Format::Svg | Format::Html) {
        let help = "sign with --format json; the card of the same inputs, facts and day holds the digest of what was signed";
        return Err(Fail::usage("a signature has no place on a card", help));
    }
    let gates = Gates::parse(&global.fail_on, &[])?;
    let signer = args.key.as_deref().map(attest::signer).transpose()?;
    let kb = facts(global)?;
    let day = home::as_of(global);
    let all = evidence(global, &kb, Reading::bom(&args.paths, args.map.as_deref()))?;
    let options = bom::Options { show_subscribers: global.show_subscribers, ..bom::Options::on(day) };
    let check = bom::check(all, &kb, &options);
    if check.files.is_empty() {
        return Err(Fail::NothingReadable("no bill of materials among the inputs, so there is nothing to label".into()));
    }
    let made = label::labels(&check, &kb, day, args.support_end);
    let code = super::common::code(&gates, &check);
    if let Some(signer) = signer {
        let lines: String = made.iter().map(|l| signing::envelope(&page::statement(l), &signer)).collect();
        out::answer(global, |w| w.write_all(lines.as_bytes()))?;
        return Ok(code);
    }
    let labels = Labels {
        schema: LABEL_SCHEMA,
        as_of: check.as_of,
        knowledge: check.knowledge,
        inputs: check.inputs,
        problems: check.problems,
        labels: made.into_iter().map(page::carded).collect(),
    };
    let view = View { width: out::width(), color: out::colour(global), max_rows: usize::MAX };
    out::answer(global, |w| match global.format {
        Format::Json => json::one(w, &labels),
        Format::Svg => page::svg(w, &labels),
        Format::Html => page::html(w, &labels),
        _ => page::table(w, &labels, &view),
    })?;
    Ok(code)
}

/// Whether a scanned code stands for one of these labels. Who signed them is another question: --verify.
fn card(global: &Global, text: &str, paths: &[PathBuf]) -> Result<u8, Fail> {
    let text = text.trim();
    if !text.starts_with(signed::CARD) {
        return Err(Fail::usage("--card: this is no code of a sourcing label", format!("it begins with `{}`", signed::CARD)));
    }
    let mut seen = 0u64;
    for path in paths {
        for label in machine(path)? {
            seen = seen.saturating_add(1);
            if page::card_of(&label) == text {
                let of = |of: &Value, name: &str| of.get(name).and_then(Value::as_str).unwrap_or("unknown").to_owned();
                let name = of(label.get("product").unwrap_or(&Value::Null), "name");
                let line = format!("{}: the label of {name} as of {}: {}", path.display(), of(&label, "as_of"), of(&label, "state"));
                out::answer(global, |w| writeln!(w, "{}", umbilical_core::text::clean(&line)))?;
                return Ok(0);
            }
        }
    }
    out::answer(global, |w| writeln!(w, "none of {seen} labels is the one on the card: it was changed, or it is another"))?;
    Ok(4)
}

/// The labels in a file: a document of `bom label --format json`, or signed ones.
fn machine(path: &Path) -> Result<Vec<Value>, Fail> {
    let wrong = |e: String| Fail::usage(format!("{}: {e}", path.display()), "it takes what `bom label` writes with --format json or --key");
    let text = std::fs::read(path).map_err(|source| Fail::Input { path: path.to_path_buf(), source })?;
    if let Ok(document) = canonical::parse(&text)
        && let Some(labels) = document.get("labels").and_then(Value::as_array)
    {
        return Ok(labels.iter().filter_map(|l| l.get("label").cloned()).collect());
    }
    let mut out = Vec::new();
    for (line, envelope) in envelopes(&text) {
        let statement = envelope.and_then(|e| e.statement()).map_err(|e| wrong(format!("line {line}: {e}")))?;
        if statement.predicate_type == signed::LABEL {
            out.push(statement.predicate);
        }
    }
    if out.is_empty() { Err(wrong("no label in it".into())) } else { Ok(out) }
}
