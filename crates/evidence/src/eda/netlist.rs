//! Netlists that other programs exchange: Protel's (Altium, EasyEDA and many others write it) and that of PADS.
//!
//! **When they are wrong.** A PADS netlist names the type of a part and its footprint as `type@footprint`; some programs
//! write the footprint alone. Where no line of a file has both, what stands there is taken for a footprint: it does not
//! count, and a problem says so.

use std::io;

use umbilical_core::bom::Design;
use umbilical_core::{At, Observations};

use super::begins;
use super::fields::{Draft, cell};
use crate::source::for_each_line;
use crate::{Context, Head, Reader, Source};

/// Protel: blocks in brackets.
pub struct ProtelReader;

impl Reader for ProtelReader {
    fn name(&self) -> &'static str {
        "protel-netlist"
    }

    fn about(&self) -> &'static str {
        "netlists in the form of Protel: a block in brackets for each part"
    }

    fn sniff(&self, head: &Head<'_>) -> u8 {
        let Some(text) = head.text.as_deref() else { return 0 };
        // A bracket alone on its line, three lines or more, the other bracket alone on its line, and another block.
        let mut lines = text.trim_start_matches('\u{feff}').lines().map(str::trim).skip_while(|l| l.is_empty());
        if lines.next() != Some("[") {
            return 0;
        }
        let inside: Vec<&str> = lines.by_ref().take(12).take_while(|l| *l != "]").collect();
        let next = lines.find(|l| !l.is_empty());
        let name = inside.first().is_some_and(|l| !l.is_empty() && l.len() < 64 && !l.contains(['"', ':', '{', '=', ',']));
        if name && (2..12).contains(&inside.len()) && matches!(next, Some("[" | "(") | None) { 96 } else { 0 }
    }

    fn read(&self, source: &mut Source<'_>, _: &Context<'_>, out: &mut Observations) -> io::Result<()> {
        out.bom(Design::Netlist);
        let mut block: Option<(u32, Vec<String>)> = None;
        for_each_line(&mut *source.utf8(), |line| {
            let text = line.text.trim();
            match (text, &mut block) {
                ("[", _) => block = Some((line.n, Vec::new())),
                ("]", Some((begin, lines))) => {
                    // Designator, footprint, comment; what follows are fields of the drawing's template.
                    let mut draft = Draft::new(At::line(begin.saturating_add(3)));
                    draft.part.designators.extend(lines.first().and_then(|l| cell(l)));
                    draft.property("footprint", lines.get(1).map_or("", String::as_str));
                    draft.value(lines.get(2).map_or("", String::as_str));
                    for extra in lines.get(3..).unwrap_or_default() {
                        draft.property("field", extra);
                    }
                    if !draft.part.designators.is_empty() {
                        out.part(Design::Netlist, draft.finish());
                    }
                    block = None;
                }
                (text, Some((_, lines))) if lines.len() < 100 => lines.push(text.chars().take(1000).collect()),
                _ => {}
            }
        })?;
        if let Some((begin, _)) = block {
            out.problem(At::line(begin), "a block in brackets without its end: this part is not read");
        }
        Ok(())
    }
}

/// PADS: `*PART*` and lines of designator and type.
pub struct PadsReader;

impl Reader for PadsReader {
    fn name(&self) -> &'static str {
        "pads-netlist"
    }

    fn about(&self) -> &'static str {
        "netlists in the form of PADS: the parts behind *PART*"
    }

    fn sniff(&self, head: &Head<'_>) -> u8 {
        let marks = ["*PADS-PCB*", "*PADS2000*", "!PADS-POWERPCB", "!PADS-POWERLOGIC", "*PADS-LOGIC", "!PADS-LOGIC"];
        if marks.iter().any(|mark| begins(head, mark)) { 98 } else { 0 }
    }

    fn read(&self, source: &mut Source<'_>, _: &Context<'_>, out: &mut Observations) -> io::Result<()> {
        out.bom(Design::Netlist);
        let (mut inside, mut both) = (false, false);
        let mut parts: Vec<(u32, Box<str>, Box<str>)> = Vec::new();
        for_each_line(&mut *source.utf8(), |line| {
            let text = line.text.trim();
            if text.starts_with('*') {
                inside = text.to_ascii_uppercase().starts_with("*PART*");
            } else if inside && !text.is_empty() {
                let (designator, kind) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
                if let Some(designator) = cell(designator) {
                    both |= kind.contains('@');
                    parts.push((line.n, designator, kind.trim().into()));
                }
            }
        })?;
        for (n, designator, kind) in &parts {
            let (value, footprint) = match kind.split_once('@') {
                Some((value, footprint)) => (value, footprint),
                None if both => (&**kind, ""),
                None => ("", &**kind),
            };
            let mut draft = Draft::new(At::line(*n));
            draft.part.designators.push(designator.clone());
            draft.value(value);
            draft.property("footprint", footprint);
            out.part(Design::Netlist, draft.finish());
        }
        if let (false, Some((n, ..))) = (both, parts.first()) {
            out.problem(
                At::line(*n),
                "this netlist names footprints only, and a footprint does not say which part stands on it: add the schematic or the list of parts",
            );
        }
        Ok(())
    }
}
