//! Schematics of KiCad up to version 5 (`EESchema Schematic File Version`).
//!
//! **What it reads.** Components between `$Comp` and `$EndComp`: field 0 is the reference, field 1 the value, those from 4 on
//! have names; `AR` lines give the further references of a sheet that is used several times; `$Sheet` names further files.
//!
//! **When it is wrong.** The cached library beside the sheet (`-cache.lib`) is no part of it and is not looked at.

use std::io;

use umbilical_core::bom::Design;
use umbilical_core::{At, Observations};

use super::fields::{Draft, Drawn, cell};
use super::{begins, kicad_text};
use crate::source::for_each_line;
use crate::{Context, Head, Reader, Source};

/// See the module.
pub struct KicadLegacyReader;

impl Reader for KicadLegacyReader {
    fn name(&self) -> &'static str {
        "kicad-legacy-sch"
    }

    fn about(&self) -> &'static str {
        "schematic sheets of KiCad up to version 5: placed components with value and fields"
    }

    fn sniff(&self, head: &Head<'_>) -> u8 {
        if begins(head, "EESchema Schematic File Version") { 99 } else { 0 }
    }

    fn read(&self, source: &mut Source<'_>, _: &Context<'_>, out: &mut Observations) -> io::Result<()> {
        out.bom(Design::Schematic);
        let mut drawn = Drawn::default();
        let mut block = Block::None;
        let mut last = 0;
        for_each_line(&mut *source.utf8(), |line| {
            last = line.n;
            let text = line.text.trim();
            match text {
                "$Comp" => block = Block::Component(Box::new(Component { draft: Draft::new(At::line(line.n)), ..Component::default() })),
                "$EndComp" => {
                    if let Block::Component(component) = std::mem::replace(&mut block, Block::None) {
                        component.finish(&mut drawn);
                    }
                }
                "$Sheet" => block = Block::Sheet,
                "$EndSheet" | "$EndDescr" => block = Block::None,
                _ if text.starts_with("$Descr") => block = Block::Title,
                _ => match &mut block {
                    Block::None => {}
                    Block::Component(component) => component.line(line.n, text),
                    Block::Sheet => {
                        if let Some(file) = text.strip_prefix("F1 ").and_then(|t| words(t).into_iter().next()).and_then(|t| cell(&t)) {
                            let sheets = &mut out.bom(Design::Schematic).sheets;
                            if sheets.len() < 10_000 {
                                sheets.push(file);
                            }
                        }
                    }
                    Block::Title => title(text, out),
                },
            }
        })?;
        if matches!(block, Block::Component(_)) {
            out.problem(At::line(last), "this schematic ends inside a component: parts may be missing");
        }
        drawn.finish(Design::Schematic, out);
        Ok(())
    }
}

enum Block {
    None,
    Component(Box<Component>),
    Sheet,
    Title,
}

#[derive(Default)]
struct Component {
    draft: Draft,
    symbol: String,
    references: Vec<Box<str>>,
}

impl Component {
    fn line(&mut self, n: u32, text: &str) {
        let (key, rest) = text.split_once(' ').unwrap_or((text, ""));
        match key {
            "L" => self.symbol = rest.split_whitespace().next().unwrap_or_default().to_owned(),
            "AR" => {
                for word in words(rest) {
                    self.references.extend(word.strip_prefix("Ref=").and_then(cell));
                }
            }
            "F" => {
                let fields = words(rest);
                let (Some(number), Some(text)) = (fields.first(), fields.get(1).map(|t| kicad_text(t))) else { return };
                match number.as_str() {
                    "0" => self.references.extend(cell(&text)),
                    "1" => {
                        self.draft.part.at = At::line(n);
                        self.draft.value(&text);
                    }
                    "2" => self.draft.property("footprint", &text),
                    "3" => self.draft.property("datasheet", &text),
                    // The name stands at the end, behind place, size, visibility and style.
                    _ => {
                        if let Some(name) = fields.get(9..).and_then(<[String]>::last) {
                            self.draft.field(name, &text);
                        } else {
                            self.draft.property(&format!("field {number}"), &text);
                        }
                    }
                }
            }
            _ => {}
        }
    }

    fn finish(mut self, drawn: &mut Drawn) {
        let name = self.symbol.rsplit(':').next().unwrap_or_default().to_owned();
        self.draft.stand_in(&name, "the name of the symbol: the part has no value");
        self.draft.property("symbol", &self.symbol);
        let mut part = self.draft.finish();
        let mut seen = rustc_hash::FxHashSet::default();
        self.references.retain(|r| seen.insert(r.clone()));
        // `AR` lines hold every reference; field 0 the one that was drawn last.
        part.designators = self.references;
        drawn.add(part, &self.symbol, "");
    }
}

/// Words between blanks, those in quotes whole: `"a b"`, `Ref="U1"`.
fn words(text: &str) -> Vec<String> {
    let (mut out, mut word, mut quoted, mut begun) = (Vec::new(), String::new(), false, false);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                quoted = !quoted;
                begun = true;
            }
            '\\' if quoted => word.extend(chars.next()),
            c if c.is_whitespace() && !quoted => {
                if begun {
                    out.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            c => {
                word.push(c);
                begun = true;
            }
        }
    }
    if begun {
        out.push(word);
    }
    out
}

fn title(text: &str, out: &mut Observations) {
    let (key, rest) = text.split_once(' ').unwrap_or((text, ""));
    let found = words(rest).into_iter().next().and_then(|t| cell(&t));
    let product = &mut out.bom(Design::Schematic).product;
    match key {
        "Title" => product.name = found,
        "Date" => product.date = found,
        "Rev" => product.version = found,
        "Comp" => product.brand = found,
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_quotes_are_whole() {
        assert_eq!(words(r#"4 "BC\"66 A" H 1 2 50 0001 C CNN "MPN""#), ["4", "BC\"66 A", "H", "1", "2", "50", "0001", "C", "CNN", "MPN"]);
        assert_eq!(words(r#"Path="/60B/61C" Ref="U2"  Part="1" """#), ["Path=/60B/61C", "Ref=U2", "Part=1", ""]);
    }
}
