//! The label for a terminal.

use std::io::{self, Write};

use umbilical_core::answer::label::{LabelModule, Labels};
use umbilical_core::text::clean;

use super::{depth, hosts, known, makers, numbers, role, state, tier, worst};
use crate::View;
use crate::say;

/// Writes it.
pub fn table(out: &mut dyn Write, labels: &Labels, view: &View) -> io::Result<()> {
    let width = view.width.max(40);
    let mut row = |depth: usize, head: &str, value: &str| -> io::Result<()> {
        let column = 18;
        let indent = depth.saturating_mul(2);
        let room = width.saturating_sub(column).saturating_sub(indent);
        for (i, line) in say::wrap(&clean(value), room).iter().enumerate() {
            let head = if i == 0 { head } else { "" };
            writeln!(out, "{:indent$}{head:column$}{line}", "")?;
        }
        Ok(())
    };
    for (number, carded) in labels.labels.iter().enumerate() {
        let label = &carded.label;
        if number > 0 {
            row(0, "", " ")?;
        }
        let numbers = numbers(label);
        let name = if numbers.is_empty() { label.product.name.clone() } else { format!("{} ({numbers})", label.product.name) };
        row(0, "Product", &name)?;
        row(0, "", &makers(label))?;
        row(0, "State", &format!("{}, as the documents declare", state(label)))?;
        for module in &label.modules {
            modules(&mut row, module)?;
        }
        if label.modules.is_empty() {
            row(0, "Module", "none is declared")?;
        }
        row(0, "Updates from", &hosts(label))?;
        row(0, "Support until", &known(&label.support_end))?;
        row(0, "Depth known", &depth(label))?;
        row(0, "Worst known", &worst(label))?;
        for document in &label.documents {
            row(0, "BOM", &format!("{} sha256 {}", document.path, document.sha256))?;
        }
        row(0, "Card", &carded.card)?;
        row(0, "As of", &format!("{} (sources to {})", label.as_of, label.sources_to))?;
        row(0, "NIST IR 8425", "of each capability, what this label says; it never says that one is met")?;
        for capability in &label.capabilities {
            let says = capability.says.as_deref().unwrap_or("nothing");
            row(1, "", &format!("{}: {says}", capability.capability))?;
        }
    }
    for problem in &labels.problems {
        row(0, "Problem", &format!("{}: {}", problem.at, problem.what))?;
    }
    Ok(())
}

fn modules(row: &mut impl FnMut(usize, &str, &str) -> io::Result<()>, module: &LabelModule) -> io::Result<()> {
    row(0, if module.named { "Module" } else { "Carried by" }, &format!("{} ({})", module.name, module.at))?;
    for t in module.tiers.iter() {
        row(1, role(t.tier), &tier(t))?;
    }
    row(1, "Chipset model", &known(&module.chipset))?;
    if !module.alternates.is_empty() {
        row(1, "Or in its place", &module.alternates.join(", "))?;
    }
    Ok(())
}
