//! The sourcing label of a product: a card to print, a page around it, text for a terminal, and a signed statement.
//!
//! The card is black on white whatever the theme, made for one A6 sheet; printed on A7 it is still legible. What does not
//! fit on it is in the machine label, whose digest the code on the card holds.

mod card;
mod page;
mod qr;
mod text;

pub use card::svg;
pub use page::html;
pub use text::table;

use serde_json::Value;
use umbilical_core::answer::label::{Carded, Known, Label, LabelTier};
use umbilical_core::signed::{self, CARD, canonical};

use crate::attest::statement_of;

/// A label with the text on its card.
pub fn carded(label: Label) -> Carded {
    Carded { card: card_of(&value(&label)), label }
}

/// The text on the card of a label, from the label's JSON in any form.
pub fn card_of(label: &Value) -> String {
    format!("{CARD}{}", signed::sha256(&canonical::bytes(label)))
}

/// The statement of a label (in-toto Statement v1), about the documents that it was made from.
pub fn statement(label: &Label) -> Vec<u8> {
    statement_of(label.documents.iter().map(|d| (&*d.path, &*d.sha256)), signed::LABEL, &value(label))
}

fn value(label: &Label) -> Value {
    // A struct of strings, numbers and lists is always JSON.
    serde_json::to_value(label).unwrap_or_default()
}

/// What stands in front of each tier.
fn role(tier: &str) -> &'static str {
    match tier {
        "brand" => "Brand",
        "odm" => "Builder",
        "module" => "Module",
        "chipset" => "Chipset",
        "memory" => "Memory",
        "firmware" => "Firmware by",
        _ => "Tier",
    }
}

/// One tier in words: `Quectel EC25 · CN · declared`.
fn tier(tier: &LabelTier) -> String {
    let Some(name) = &tier.maker.name else { return "unknown (nobody has said)".into() };
    let mut out = name.clone();
    if let Some(part) = tier.part.as_deref().filter(|p| *p != name) {
        out.push(' ');
        out.push_str(part.strip_prefix(name.as_str()).unwrap_or(part).trim_start());
    }
    out.push_str(" · ");
    out.push_str(&countries(&tier.maker.jurisdictions));
    if let Some(basis) = tier.maker.basis {
        out.push_str(" · ");
        out.push_str(basis.name());
    }
    out
}

fn countries(list: &[String]) -> String {
    if list.is_empty() { "jurisdiction unknown".into() } else { list.join(", ") }
}

fn known(of: &Known) -> String {
    match (&of.value, of.basis) {
        (Some(value), Some(basis)) => format!("{value} · {}", basis.name()),
        (Some(value), None) => value.clone(),
        (None, _) => "unknown (nobody has said)".into(),
    }
}

/// Who sells and who builds it.
fn makers(label: &Label) -> String {
    let firm = |word: &str, m: &umbilical_core::answer::label::Maker| {
        m.name.as_ref().map(|n| format!("{word} {n} · {}", countries(&m.jurisdictions)))
    };
    let all: Vec<String> =
        [firm("sold by", &label.product.brand), firm("built by", &label.product.builder)].into_iter().flatten().collect();
    if all.is_empty() { "maker unknown: the documents name none".into() } else { all.join("; ") }
}

/// Model and version, where they are another than the name.
fn numbers(label: &Label) -> String {
    let p = &label.product;
    let model = p.model.as_deref().filter(|m| *m != p.name);
    let version = p.version.as_deref().map(|v| format!("version {v}"));
    model.map(str::to_owned).into_iter().chain(version).collect::<Vec<_>>().join(", ")
}

/// The state as a heading.
fn state(label: &Label) -> &'static str {
    use umbilical_core::answer::bom::State;
    match label.state {
        State::Found => "cellular module found",
        State::Undisclosed => "cellular module undisclosed",
        State::CleanAsDeclared => "no cellular module declared",
    }
}

/// The depth in words.
fn depth(label: &Label) -> String {
    let d = &label.depth;
    if d.of == 0 {
        return "no module is declared, so no tier is asked for".into();
    }
    let gaps = if d.gaps.is_empty() { String::new() } else { format!("; nobody named: {}", d.gaps.join(", ")) };
    format!("{} of {} tiers{gaps}", d.known, d.of)
}

/// The worst known tier in words.
fn worst(label: &Label) -> String {
    match &label.depth.worst_known {
        Some(w) => {
            let basis = w.basis.map(|b| format!(", {}", b.name())).unwrap_or_default();
            format!("{}: {} ({}{basis})", w.tier, w.name, crate::say::percent(w.confidence))
        }
        None if label.depth.of == 0 => "none asked for".into(),
        None => "none is known".into(),
    }
}

/// The module that stands for the label: of which least is known.
fn first(label: &Label) -> Option<&umbilical_core::answer::label::LabelModule> {
    label.modules.iter().min_by_key(|m| m.depth.known)
}

/// The hosts in words.
fn hosts(label: &Label) -> String {
    let mut out: Vec<String> = Vec::new();
    for host in label.modules.iter().flat_map(|m| &m.updates.served_from) {
        let mark = if host.verified { "" } else { " (unverified)" };
        let line = format!("{}{mark}", host.host);
        if !out.contains(&line) {
            out.push(line);
        }
    }
    if out.is_empty() { "unknown (no host on file)".into() } else { out.join(", ") }
}
