//! Netlists of KiCad: S-expressions since version 5 (`(export …`), the same as XML (the intermediate netlist from which
//! scripts write lists), and the two forms of old (`# EESchema Netlist`, `( { EESchema Netlist`).
//!
//! **When it is wrong.** What a component's library says of it (`libsource`, `libparts`) is not what was placed and does not
//! count.

use std::io;

use umbilical_core::bom::Design;
use umbilical_core::{At, Observations};

use super::fields::{Draft, cell};
use super::kicad_sch::title;
use super::sexpr::{List, Scanner, Token};
use super::xml::{Step, Xml};
use super::{begins, kicad_text};
use crate::{Context, Head, Reader, Source};

/// See the module.
pub struct KicadNetReader;

/// Which of the forms a text is in.
enum Form {
    Lists,
    Xml,
    Old,
}

fn form(head: &Head<'_>) -> Option<Form> {
    let text = head.text.as_deref()?;
    let squeezed: String = text.chars().take(4096).filter(|c| !c.is_whitespace() && *c != '\u{feff}').collect();
    if squeezed.starts_with("(export(version") || squeezed.starts_with("(export(design") {
        Some(Form::Lists)
    } else if squeezed.starts_with("({EESchemaNetlist") || begins(head, "# EESchema Netlist") {
        Some(Form::Old)
    } else if squeezed.starts_with('<')
        && squeezed.contains("<exportversion=")
        && (squeezed.contains("<design>") || squeezed.contains("<components"))
    {
        Some(Form::Xml)
    } else {
        None
    }
}

impl Reader for KicadNetReader {
    fn name(&self) -> &'static str {
        "kicad-netlist"
    }

    fn about(&self) -> &'static str {
        "netlists of KiCad, as S-expressions, as XML and in their old forms"
    }

    fn sniff(&self, head: &Head<'_>) -> u8 {
        if form(head).is_some() { 99 } else { 0 }
    }

    fn read(&self, source: &mut Source<'_>, _: &Context<'_>, out: &mut Observations) -> io::Result<()> {
        let form = form(&source.head(""));
        out.bom(Design::Netlist);
        let mut text = source.utf8();
        match form {
            Some(Form::Xml) => xml(&mut Xml::new(&mut *text), out),
            Some(Form::Old) => old(&mut Scanner::new(&mut *text, true), out),
            _ => lists(&mut Scanner::new(&mut *text, false), out),
        }
    }
}

fn lists(scanner: &mut Scanner<'_>, out: &mut Observations) -> io::Result<()> {
    // The names of the open lists that are looked into.
    let mut inside: Vec<String> = Vec::new();
    loop {
        match scanner.token()? {
            Token::Word(_) => {}
            Token::Open => {
                let line = scanner.at;
                let name = scanner.name()?;
                match (inside.last().map(String::as_str), name.as_str()) {
                    (None, "export") | (Some("export"), "design" | "components") => inside.push(name),
                    (Some("design"), "sheet") => {
                        if let Some(block) = scanner.rest(name, line, &[])?.first("title_block") {
                            title(block, Design::Netlist, out);
                        }
                    }
                    (Some("components"), "comp") => component(&scanner.rest(name, line, &["units", "pins"])?, out),
                    _ => scanner.skip()?,
                }
            }
            Token::Close => {
                inside.pop();
                if inside.is_empty() {
                    return Ok(());
                }
            }
            Token::End => {
                let why = scanner.trouble.take().unwrap_or_else(|| "this netlist ends too early: parts may be missing".into());
                out.problem(At::line(scanner.at), why);
                return Ok(());
            }
        }
    }
}

fn component(list: &List, out: &mut Observations) {
    let value = list.first("value");
    let mut draft = Draft::new(At::line(value.map_or(list.line, |v| v.line)));
    draft.value(&kicad_text(value.and_then(|v| v.word(0)).unwrap_or_default()));
    for field in list.all("fields").flat_map(|f| f.all("field")) {
        named(&mut draft, field.text("name").unwrap_or_default(), field.word(0).unwrap_or_default());
    }
    for property in list.all("property") {
        named(&mut draft, property.text("name").unwrap_or_default(), property.text("value").unwrap_or_default());
    }
    if let Some(text) = list.text("description") {
        draft.field("description", &kicad_text(text));
    }
    for name in ["footprint", "datasheet"] {
        draft.property(name, list.text(name).unwrap_or_default());
    }
    let symbol = list.first("libsource").and_then(|l| l.text("part")).unwrap_or_default();
    if !list.cut {
        draft.stand_in(symbol, "the name of the symbol: the part has no value");
    }
    draft.property("symbol", symbol);
    finish(draft, list.text("ref"), out);
}

/// A field or property; of some the name alone says it.
fn named(draft: &mut Draft, name: &str, text: &str) {
    match (name.to_lowercase().as_str(), text) {
        ("dnp" | "exclude_from_bom" | "exclude_from_board", "") => draft.leave_out(&name.to_lowercase().replace('_', " ")),
        ("value", _) => {}
        ("footprint" | "datasheet", _) => {}
        _ => draft.field(name, &kicad_text(text)),
    }
}

fn finish(mut draft: Draft, reference: Option<&str>, out: &mut Observations) {
    let Some(reference) = reference.and_then(cell).filter(|r| !r.starts_with('#')) else { return };
    draft.part.designators.push(reference);
    out.part(Design::Netlist, draft.finish());
}

/// `( number footprint reference value {Lib=…} ( pin net ) … )` inside one list.
fn old(scanner: &mut Scanner<'_>, out: &mut Observations) -> io::Result<()> {
    // `# …` in the first line is a comment.
    loop {
        match scanner.token()? {
            Token::Word(_) => {}
            Token::Open => break,
            _ => return Ok(()),
        }
    }
    loop {
        match scanner.token()? {
            Token::Word(_) => {}
            Token::Open => {
                let list = scanner.list(&[])?;
                let mut draft = Draft::new(At::line(list.line));
                draft.property("footprint", list.word(0).filter(|f| *f != "$noname").unwrap_or_default());
                draft.value(list.word(2).unwrap_or_default());
                finish(draft, list.word(1), out);
            }
            Token::Close => return Ok(()),
            Token::End => {
                let why = scanner.trouble.take().unwrap_or_else(|| "this netlist ends too early: parts may be missing".into());
                out.problem(At::line(scanner.at), why);
                return Ok(());
            }
        }
    }
}

fn xml(xml: &mut Xml<'_>, out: &mut Observations) -> io::Result<()> {
    let mut reference: Option<String> = None;
    let mut draft = Draft::default();
    loop {
        match xml.step(out)? {
            Step::Open(tag) => match (xml.up(1), tag.name.as_str()) {
                ("components", "comp") => {
                    draft = Draft::new(At::line(tag.line));
                    reference = tag.get("ref").map(str::to_owned);
                }
                ("comp", "value") => {
                    draft.part.at = At::line(tag.line);
                    let text = xml.text(out)?;
                    draft.value(&kicad_text(&text));
                }
                ("comp", name @ ("footprint" | "datasheet")) => {
                    let text = xml.text(out)?;
                    draft.property(name, &text);
                }
                ("comp", "description") => {
                    let text = xml.text(out)?;
                    draft.field("description", &kicad_text(&text));
                }
                ("fields", "field") => {
                    let text = xml.text(out)?;
                    named(&mut draft, tag.get("name").unwrap_or_default(), &text);
                }
                ("comp", "property") => named(&mut draft, tag.get("name").unwrap_or_default(), tag.get("value").unwrap_or_default()),
                ("comp", "libsource") => {
                    let symbol = tag.get("part").unwrap_or_default();
                    draft.stand_in(symbol, "the name of the symbol: the part has no value");
                    draft.property("symbol", symbol);
                }
                ("title_block", name @ ("title" | "company" | "rev" | "date")) => {
                    let text = xml.text(out)?;
                    let product = &mut out.bom(Design::Netlist).product;
                    let slot = match name {
                        "title" => &mut product.name,
                        "company" => &mut product.brand,
                        "rev" => &mut product.version,
                        _ => &mut product.date,
                    };
                    if slot.is_none() {
                        *slot = cell(&text);
                    }
                }
                _ => {}
            },
            // The path has already lost what was closed.
            Step::Close if xml.up(0) == "components" && reference.is_some() => {
                finish(std::mem::take(&mut draft), reference.take().as_deref(), out);
            }
            Step::Close | Step::Text(_) => {}
            Step::End => return Ok(()),
        }
    }
}
