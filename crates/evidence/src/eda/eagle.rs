//! Schematics and boards of Eagle, since version 6 XML.
//!
//! **What it reads.** `<part>` of a schematic and of its modules, `<element>` of a board, each with its attributes and
//! variants. Where a part has no value of its own, Eagle shows the name of its device, and so does this: the property
//! `value from` says it.
//!
//! **When it is wrong.** Every file carries the libraries that it uses, whole: they are looked at for one thing only, which
//! of their devices have no package (frames, supply symbols): parts made of those are on no board.

use std::io;

use rustc_hash::{FxHashMap, FxHashSet};
use umbilical_core::bom::{Alternate, Design, Part, Placed};
use umbilical_core::{At, Observations};

use super::fields::{Draft, cell};
use super::xml::{Step, Tag, Xml};
use crate::{Context, Head, Reader, Source};

/// The most devices without package that are remembered.
const MOST: usize = 100_000;

/// See the module.
pub struct EagleReader;

impl Reader for EagleReader {
    fn name(&self) -> &'static str {
        "eagle"
    }

    fn about(&self) -> &'static str {
        "schematics and boards of Eagle 6 and later: placed parts with value, attributes, variants"
    }

    fn sniff(&self, head: &Head<'_>) -> u8 {
        let Some(text) = head.text.as_deref() else { return 0 };
        let start: String = text.trim_start_matches('\u{feff}').trim_start().chars().take(4096).collect();
        if start.starts_with('<') && start.contains("<eagle") { 99 } else { 0 }
    }

    fn read(&self, source: &mut Source<'_>, _: &Context<'_>, out: &mut Observations) -> io::Result<()> {
        let mut text = source.utf8();
        let mut xml = Xml::new(&mut *text);
        let mut sheet = Sheet::default();
        loop {
            match xml.step(out)? {
                Step::Open(tag) => sheet.open(&xml, &tag, out),
                Step::Close => {
                    if matches!(xml.up(0), "parts" | "elements") {
                        sheet.done();
                    }
                }
                Step::Text(_) => {}
                Step::End => break,
            }
        }
        sheet.finish(out);
        Ok(())
    }
}

#[derive(Default)]
struct Sheet {
    /// Library, device set, device.
    bare: FxHashSet<(String, String, String)>,
    library: String,
    set: String,
    variant: Option<String>,
    /// How many variants there are.
    variants: usize,
    module: Option<String>,
    part: Option<Placing>,
    /// Each with the module that it belongs to.
    parts: Vec<(Option<String>, Part)>,
    /// The places of each module.
    places: FxHashMap<String, Vec<String>>,
    design: Option<Design>,
}

/// A part while its attributes and variants come in.
struct Placing {
    draft: Draft,
    bare: bool,
    /// Variants in which it is left out.
    without: Vec<String>,
}

impl Sheet {
    fn open(&mut self, xml: &Xml<'_>, tag: &Tag, out: &mut Observations) {
        let get = |name| tag.get(name).unwrap_or_default();
        match (xml.up(1), tag.name.as_str()) {
            ("drawing", "schematic" | "board") => {
                let design = if tag.name == "board" { Design::List } else { Design::Schematic };
                self.design = Some(design);
                out.bom(design);
            }
            ("libraries", "library") => get("name").clone_into(&mut self.library),
            ("devicesets", "deviceset") => get("name").clone_into(&mut self.set),
            ("devices", "device") if tag.get("package").is_none() && self.bare.len() < MOST => {
                self.bare.insert((self.library.clone(), self.set.clone(), get("name").to_owned()));
            }
            ("variantdefs", "variantdef") => {
                self.variants = self.variants.saturating_add(1);
                if get("current") == "yes" {
                    self.variant = Some(get("name").to_owned());
                }
            }
            ("modules", "module") => self.module = Some(get("name").to_owned()),
            ("schematic", "parts") => self.module = None,
            ("parts", "part") | ("elements", "element") => self.place(tag),
            ("part" | "element", "attribute") => {
                if let Some(part) = &mut self.part {
                    // Eagle's own attributes place texts on a board.
                    if !matches!(get("name"), "NAME" | "VALUE" | "PART" | "GATE") {
                        part.draft.field(get("name"), get("value"));
                    }
                }
            }
            ("part" | "element", "variant") => self.vary(tag),
            ("moduleinsts", "moduleinst") => {
                let places = self.places.entry(get("module").to_owned()).or_default();
                if places.len() < 4096 {
                    places.push(get("name").to_owned());
                }
            }
            _ => {}
        }
    }

    fn place(&mut self, tag: &Tag) {
        let get = |name| tag.get(name).unwrap_or_default();
        let mut draft = Draft::new(At::line(tag.line));
        draft.part.designators.extend(cell(get("name")));
        for name in ["library", "deviceset", "package"] {
            draft.property(name, get(name));
        }
        let mut bare = false;
        if tag.name == "part" {
            bare = self.bare.contains(&(get("library").to_owned(), get("deviceset").to_owned(), get("device").to_owned()));
            if tag.get("value").is_none() {
                draft.stand_in(
                    &device_name(get("deviceset"), get("technology"), get("device")),
                    "the name of the device: the part has no value",
                );
            }
        }
        if let Some(value) = tag.get("value") {
            draft.value(value);
        }
        if get("populate") == "no" {
            draft.leave_out("populate no");
        }
        self.part = Some(Placing { draft, bare, without: Vec::new() });
    }

    fn vary(&mut self, tag: &Tag) {
        let Some(part) = &mut self.part else { return };
        let name = tag.get("name").unwrap_or_default();
        let current = self.variant.as_deref() == Some(name);
        if tag.get("populate") == Some("no") {
            if current {
                part.draft.leave_out(&format!("variant {name}: populate no"));
            }
            if part.without.len() < 100 {
                part.without.push(name.to_owned());
            }
        }
        if let Some(value) = tag.get("value").and_then(cell).filter(|v| part.draft.part.value.as_ref() != Some(v)) {
            if current {
                part.draft.part.value = Some(value);
            } else {
                part.draft.alternate(Alternate { value: Some(value), ..Alternate::default() });
            }
        }
    }

    /// A part has ended.
    fn done(&mut self) {
        let Some(Placing { mut draft, bare, without }) = self.part.take() else { return };
        if bare {
            return;
        }
        if !without.is_empty() && without.len() >= self.variants {
            draft.leave_out("populate no in every variant");
        }
        for name in without {
            draft.property("left out in variant", &name);
        }
        self.parts.push((self.module.clone(), draft.finish()));
    }

    fn finish(self, out: &mut Observations) {
        let Some(design) = self.design else { return };
        for (module, mut part) in self.parts {
            if let Some(module) = &module {
                match self.places.get(module) {
                    Some(places) => {
                        let inner = std::mem::take(&mut part.designators);
                        part.designators = places.iter().flat_map(|p| inner.iter().map(move |d| format!("{p}:{d}").into())).collect();
                    }
                    None if part.is_placed() => part.placed = Placed::No("a module of the schematic that no sheet uses".into()),
                    None => {}
                }
                part.properties.extend(cell(module).map(|m| ("schematic module".into(), m)));
            }
            out.part(design, part);
        }
    }
}

/// The name that Eagle shows: `*` in the device set's name stands for the technology, `?` for the device; what has no sign
/// there is put behind it.
fn device_name(set: &str, technology: &str, device: &str) -> String {
    let mut name = set.to_owned();
    for (sign, text) in [('*', technology), ('?', device)] {
        if name.contains(sign) {
            name = name.replace(sign, text);
        } else {
            name.push_str(text);
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_devices() {
        assert_eq!(device_name("SIM800C", "", ""), "SIM800C");
        assert_eq!(device_name("74*00?", "LS", "D"), "74LS00D");
        assert_eq!(device_name("BG95-", "M3", ""), "BG95-M3");
    }
}
