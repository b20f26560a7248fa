//! Lines that name a value, wherever they come from: labels, packing lists, QR payloads, mails; and the status pages and
//! command outputs of routers for which there is no dialect of their own (`Modem Model: EC25`, Fortinet's
//! `get modem status`, Digi's `show modem`, web pages copied as text).
//!
//! **What it reads.** `FCC ID`, `Contains FCC ID`, `IMEI`, `IMEI2`, `SN`, `P/N`, `Model`, `SW`, `HW`, `MAC`; several on one
//! line; `IMEI:…;SN:…` and GS1 element strings of QR codes (`(8002)` is an IMEI, `(21)` a serial number). Blank lines
//! and headings such as `Modem 2` part blocks.
//!
//! **Who speaks.** A label declares; a status page repeats what the modem said. The whole text decides: a signal
//! strength, an operator, an IMSI or a name that says "modem" make it a status page; an FCC ID makes its block a label.
//!
//! **When it is wrong.** `Model:` is the module where maker or model are those of a module, else the box around it. A
//! module that the catalogue does not know, on a label that names no maker, is taken for a box. Labels are copied, and
//! the FCC ID behind "Contains" may be that of the Wi-Fi part.

use std::sync::LazyLock;

use regex::Regex;
use umbilical_core::Kind;
use umbilical_core::number::{Check, Imei, imei};
use umbilical_knowledge::{BrandKind, Knowledge, Scope, Strength};

use super::pairs::{
    Voice, What, host_meaning, host_serial, imei_like, meaning, names_maker, names_model, nothing, say, speaks_of_module, split, squash,
    unquote,
};
use super::{Dialect, Host, Line, Part, Word};

/// As much is held until the text ends.
const ENTRIES: usize = 50_000;

/// What a line gave.
#[derive(Clone, Debug)]
enum Got {
    /// A value, and whether its name says that a modem is meant.
    Value(What, bool),
    Fcc,
    PartNumber,
    Mac,
    /// A sentence that names a module beside its numbers.
    Sentence,
}

struct Entry {
    n: u32,
    block: u32,
    got: Got,
    value: String,
}

/// See the module's documentation.
#[derive(Default)]
pub(super) struct Label {
    entries: Vec<Entry>,
    block: u32,
    /// The heading of a block that names a modem: `Modem 2`.
    tags: Vec<(u32, String)>,
    status: bool,
    /// Lines that name a module and its IMEI: where there are several, each is of a thing of its own.
    rows: Vec<u32>,
}

static FCC: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)\bFCC[ -]?ID(?:s|\(s\))?\s*[:#.=]?\s*([0-9A-Z][0-9A-Z, &/-]{4,80})").ok());
static FCC_ID: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^(?:[A-Z][A-Z0-9]{2}|[2-9][A-Z0-9]{4})[ -]?[A-Z0-9][A-Z0-9-]{0,13}$").ok());
static LOOSE_IMEI: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)\bIMEI(?:[ _-]?[12])?(?:[ _-]?(?:no|number|code|sv))?\b[\s:#.=-]*([0-9][0-9 /-]{12,20}[0-9])").ok());
static LOOSE_ICCID: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)\b(?:ICCID|CCID|SIM(?: card)?)(?:[ _-]?(?:no|number))?\b[\s:#.=-]*(89[0-9]{16,18})\b").ok());
/// A command given to a router, prompt and all: what follows is about something else.
static COMMAND: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^(?:[\w.@()-]{1,64}\s?)?[#>$%]\s?(?:show|get|diagnose|display|print|cat|sudo|uci|ubus|status|info|config|exec|execute)\b")
        .ok()
});
static GS1: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\((01|10|21|240|8002)\)\s*([^()\s]{1,40})").ok());

impl Dialect for Label {
    fn name(&self) -> &'static str {
        "label"
    }

    fn line(&mut self, line: Line<'_>, host: &mut Host<'_, '_>) -> bool {
        let text = line.text.trim();
        let ruled = text.len() >= 3 && text.chars().all(|c| matches!(c, '-' | '=' | '_' | '*' | '#' | '+' | '|' | ' '));
        if text.is_empty() || ruled {
            self.block = self.block.saturating_add(1);
            return false;
        }
        if self.entries.len() >= ENTRIES || text.len() > 2000 {
            return false;
        }
        if COMMAND.as_ref().is_some_and(|re| re.is_match(line.raw.trim())) {
            self.block = self.block.saturating_add(1);
        }
        // Logs are long, and most of their lines name nothing.
        let marked = text.bytes().any(|b| matches!(b, b':' | b'=' | b'\t' | b'|' | b'(' | 0x80..)) || text.contains("  ");
        let word = |w: &[u8]| text.as_bytes().windows(w.len()).any(|c| c.eq_ignore_ascii_case(w));
        let (equipment_word, fcc_word) = (word(b"imei"), word(b"fcc"));
        if !marked && !equipment_word && !fcc_word && text.len() > 24 {
            return false;
        }
        if let Some(tag) = heading(text) {
            self.block = self.block.saturating_add(1);
            self.tags.push((self.block, tag));
            return false;
        }
        let kb = host.cx.knowledge;
        let mut taken = (fcc_word && self.fcc(line.n, text)) | (text.contains('(') && self.gs1(line.n, text));
        let mut equipment = false;
        for segment in segments(text) {
            let Some((name, value)) = split(segment) else { continue };
            let name = squash(name);
            let value = without_bus_id(value);
            if nothing(value) || value.len() > 160 {
                continue;
            }
            if status_word(&name) {
                self.status = true;
            }
            let got = match (name.as_str(), meaning(&name)) {
                ("pn" | "partnumber" | "partno" | "sku" | "ordercode" | "orderingcode" | "mpn" | "料号", _) => Some(Got::PartNumber),
                ("mac" | "macaddress" | "macid" | "wlanmac" | "wifimac" | "lanmac", _) => Some(Got::Mac),
                (_, Some((what, qualified))) => Some(Got::Value(what, qualified)),
                _ => host_meaning(&name).map(|what| Got::Value(what, false)),
            };
            let Some(got) = got else { continue };
            // Half a line of prose is no value of a bare name.
            let bare = matches!(got, Got::Value(_, false) | Got::PartNumber);
            if bare && value.split_whitespace().count() > 6 && !matches!(got, Got::Value(What::HostModel, _)) {
                continue;
            }
            if let Got::Value(what, qualified) = got {
                let worded = qualified && !matches!(what, What::Imei | What::Iccid | What::Eid | What::Meid | What::Msisdn);
                self.status |= worded || name == "revision";
                if what == What::Imei {
                    if !imei_like(value) {
                        continue;
                    }
                    equipment = true;
                }
                taken |= qualified || speaks_of_module(kb, value);
            } else {
                taken = true;
            }
            self.push(line.n, got, value);
        }
        let loose = || LOOSE_IMEI.as_ref()?.captures(text)?.get(1).map(|m| m.as_str()).filter(|m| imei_like(m));
        if !equipment
            && equipment_word
            && let Some(found) = loose()
        {
            self.push(line.n, Got::Value(What::Imei, true), found);
            if let Some(card) = LOOSE_ICCID.as_ref().and_then(|re| re.captures(text)?.get(1)) {
                self.push(line.n, Got::Value(What::Iccid, true), card.as_str());
            }
            if !taken && text.len() <= 400 && speaks_of_module(kb, text) {
                self.push(line.n, Got::Sentence, text);
                self.rows.push(line.n);
            }
            taken = true;
        }
        taken
    }

    fn end(&mut self, host: &mut Host<'_, '_>) {
        let entries = std::mem::take(&mut self.entries);
        let rows = std::mem::take(&mut self.rows);
        let row = |e: &Entry| if rows.len() > 1 && rows.binary_search(&e.n).is_ok() { e.n } else { 0 };
        let blocks: Vec<&[Entry]> = entries.chunk_by(|a, b| a.block == b.block && row(a) == row(b)).collect();
        let has_imei = |b: &[Entry]| b.iter().any(|e| matches!(e.got, Got::Value(What::Imei, _)));
        // Where another dialect read a modem, what names the box is worth saying too.
        let others = !host.held.said.is_empty();
        let labels = blocks.iter().filter(|b| has_imei(b)).count();
        let mut told = 0usize;
        for block in &blocks {
            let document = !self.status || block.iter().any(|e| matches!(e.got, Got::Fcc));
            // Several labels in one text are several things; several modems of one status page are not.
            if has_imei(block) {
                if document && told > 0 && labels > 1 {
                    host.next_thing();
                }
                told = told.saturating_add(1);
            }
            let tag = block.first().and_then(|e| self.tags.iter().rev().find(|(b, _)| *b == e.block)).map(|(_, t)| t.as_str());
            let key = match (tag, told) {
                (Some(tag), _) => format!("modem:{tag}"),
                (None, 0 | 1) => "modem".to_owned(),
                (None, _) if document => "modem".to_owned(),
                (None, k) => format!("modem:{k}"),
            };
            tell(block, &key, if document { Voice::DOCUMENT } else { Voice::MODEM }, self.status, others, host);
        }
        self.tags.clear();
    }
}

impl Label {
    fn push(&mut self, n: u32, got: Got, value: &str) {
        self.entries.push(Entry { n, block: self.block, got, value: value.to_owned() });
    }

    fn fcc(&mut self, n: u32, text: &str) -> bool {
        let Some(re) = FCC.as_ref() else { return false };
        let mut any = false;
        for run in re.captures_iter(text).filter_map(|c| c.get(1)) {
            for id in run.as_str().split([',', '&', '/']).flat_map(|s| s.split(" and ")) {
                let id = id.trim();
                // The first word, or the two that the space between grantee and product makes.
                let mut words = id.split_whitespace();
                let first = words.next().unwrap_or_default();
                let id = match words.next() {
                    Some(second) if first.len() <= 5 => format!("{first}{second}"),
                    _ => first.to_owned(),
                };
                let upper = id.to_ascii_uppercase();
                if FCC_ID.as_ref().is_some_and(|re| re.is_match(&upper)) && upper.bytes().any(|b| b.is_ascii_digit()) {
                    self.push(n, Got::Fcc, &upper);
                    any = true;
                }
            }
        }
        any
    }

    fn gs1(&mut self, n: u32, text: &str) -> bool {
        let Some(re) = GS1.as_ref() else { return false };
        let mut any = false;
        for c in re.captures_iter(text) {
            let (Some(ai), Some(value)) = (c.get(1), c.get(2)) else { continue };
            let equipment = matches!(imei(value.as_str()), Imei::Whole { check: Check::Right, .. }) && value.as_str().len() == 15;
            match ai.as_str() {
                "8002" | "21" if equipment => self.push(n, Got::Value(What::Imei, true), value.as_str()),
                "21" => self.push(n, Got::Value(What::ModemSerial, false), value.as_str()),
                "240" => self.push(n, Got::PartNumber, value.as_str()),
                _ => continue,
            }
            any = true;
        }
        any
    }
}

/// Says a block.
fn tell(block: &[Entry], key: &str, voice: Voice, status: bool, others: bool, host: &mut Host<'_, '_>) {
    let kb: &Knowledge = host.cx.knowledge;
    let about = |e: &Entry| match e.got {
        Got::Value(What::Manufacturer, qualified) => qualified || names_maker(kb, &e.value),
        Got::Value(What::Model | What::MaybeModel, qualified) => (qualified && e.got_is_model()) || names_model(kb, &e.value),
        Got::Value(What::Revision, _) => decisive(kb, &e.value),
        _ => false,
    };
    let module = block.iter().any(about);
    let numbered =
        block.iter().any(|e| matches!(e.got, Got::Fcc | Got::Value(What::Imei | What::Imsi | What::Iccid | What::Eid | What::Meid, _)));
    let maker = maker_of_box(block, host);
    let maker = maker.as_str();
    for e in block {
        match e.got {
            Got::Fcc => {
                let part = host.part(key);
                host.fact_of(part, e.n, Kind::FccId, &e.value, Voice::DOCUMENT.group, Voice::DOCUMENT.basis);
            }
            Got::Sentence => {
                let part = host.part(key);
                host.fact_of(part, e.n, Kind::Text, &e.value, Voice::DOCUMENT.group, Voice::DOCUMENT.basis);
            }
            Got::PartNumber => {
                if speaks_of_module(kb, &e.value) {
                    let part = host.part(key);
                    say(host, part, e.n, What::Model, &e.value, Voice::DOCUMENT);
                }
            }
            Got::Mac => {
                if numbered || module || status {
                    host.mac(Part::HOST, e.n, &e.value);
                }
            }
            Got::Value(what, true) => {
                let part = host.part(key);
                say(host, part, e.n, what, &e.value, voice);
            }
            Got::Value(What::Manufacturer | What::Model, false) if !module => {
                if numbered || status {
                    let host_what = if matches!(e.got, Got::Value(What::Manufacturer, _)) { What::HostMaker } else { What::HostModel };
                    say(host, Part::HOST, e.n, host_what, &e.value, voice);
                }
            }
            Got::Value(What::Revision | What::Hardware | What::Chipset, false) => {
                // Beside a module it is the module's; alone it is, where nothing else has that form.
                if module || decisive(kb, &e.value) {
                    let part = host.part(key);
                    say(
                        host,
                        part,
                        e.n,
                        if matches!(e.got, Got::Value(What::Chipset, _)) { What::MaybeModel } else { what_of(e) },
                        &e.value,
                        voice,
                    );
                }
            }
            Got::Value(What::ModemSerial, false) => {
                let part = host.part(key);
                say(host, part, e.n, What::ModemSerial, &e.value, voice);
                let equipment = e.value.len() == 15 && matches!(imei(&e.value), Imei::Whole { .. });
                if !equipment && (numbered || status) && !(module && maker.is_empty()) {
                    host_serial(host, maker, &e.value);
                }
            }
            Got::Value(what @ (What::HostMaker | What::HostModel | What::HostName), false) => {
                if numbered || status || module || others {
                    say(host, Part::HOST, e.n, what, &e.value, if others { Voice::MODEM } else { voice });
                }
            }
            Got::Value(What::HostSerial, false) => {
                if numbered || status {
                    host_serial(host, maker, &e.value);
                }
            }
            Got::Value(what, false) => {
                let part = host.part(key);
                say(host, part, e.n, what, &e.value, voice);
            }
        }
    }
}

/// The maker to whom a serial number of a block belongs: the one it names, else the brand in the name of the box, else
/// the one that another dialect found.
fn maker_of_box(block: &[Entry], host: &Host<'_, '_>) -> String {
    let kb = host.cx.knowledge;
    let named = block.iter().find(|e| matches!(e.got, Got::Value(What::HostMaker | What::Manufacturer, false)));
    let branded = || {
        let names = block.iter().filter(|e| matches!(e.got, Got::Value(What::HostModel | What::Model, false)));
        names.flat_map(|e| kb.brands_in(&e.value)).find(|h| h.brand.kind == BrandKind::Host).map(|h| h.brand.brand.to_string())
    };
    let found = || {
        host.held.said.iter().find_map(|s| match &s.word {
            Word::Fact(Kind::HostMaker, maker, ..) if s.part == Part::HOST.0 => Some(maker.clone()),
            _ => None,
        })
    };
    named.map(|e| e.value.clone()).or_else(branded).or_else(found).unwrap_or_default()
}

impl Entry {
    fn got_is_model(&self) -> bool {
        matches!(self.got, Got::Value(What::Model, _))
    }
}

fn what_of(entry: &Entry) -> What {
    match entry.got {
        Got::Value(what, _) => what,
        _ => What::MaybeModel,
    }
}

/// hwinfo's `usb 0x2c7c "Quectel"`: half a bus id, and the name that its table or the device gives.
fn without_bus_id(value: &str) -> &str {
    let behind = || {
        let id = value.strip_prefix("usb 0x").or_else(|| value.strip_prefix("pci 0x"))?;
        let (digits, name) = id.split_at_checked(4)?;
        (digits.bytes().all(|b| b.is_ascii_hexdigit()) && (name.is_empty() || name.starts_with(' '))).then_some(name)
    };
    behind().map_or(value, unquote)
}

fn decisive(kb: &Knowledge, value: &str) -> bool {
    kb.matches(Scope::Revision, value).iter().any(|h| h.pattern.strength == Strength::Decide)
}

/// Names whose values only a running modem has, beyond those that [`meaning`] calls cellular.
fn status_word(name: &str) -> bool {
    matches!(meaning(name), Some((What::Cellular | What::Imsi, _)))
        || matches!(
            name,
            "rssi"
                | "signal"
                | "signalstrength"
                | "signalquality"
                | "csq"
                | "uptime"
                | "operator"
                | "carrier"
                | "connectionstatus"
                | "sinr"
                | "networktype"
                | "roaming"
                | "temperature"
        )
}

/// `Modem 2`, `[Cellular 1]`, `--- modem0 ---`, `modem : Modem1`: the beginning of what is said of one of several.
fn heading(text: &str) -> Option<String> {
    let text = text.trim_matches(|c: char| matches!(c, '-' | '=' | '*' | '#' | '[' | ']' | ':' | ' ' | '>'));
    let word = squash(text);
    let word = word.strip_prefix("modem").filter(|r| r.starts_with("modem")).unwrap_or(&word);
    for name in ["modemmodule", "modem", "cellularmodem", "cellular", "module", "wwan", "ltemodem", "lte", "mobile", "cell"] {
        if let Some(rest) = word.strip_prefix(name)
            && !rest.is_empty()
            && rest.len() <= 2
            && rest.bytes().all(|b| b.is_ascii_digit())
            && text.len() <= 24
        {
            return Some(rest.to_owned());
        }
    }
    None
}

/// The parts of a line that may each be a name and a value.
fn segments(text: &str) -> Vec<&str> {
    let names = |piece: &str| split(piece).is_some_and(|(n, _)| !squash(n).is_empty());
    let by = |separators: &[&str]| -> Option<Vec<&str>> {
        let mut pieces = vec![text];
        for separator in separators {
            pieces = pieces.into_iter().flat_map(|p| p.split(separator)).collect();
        }
        let pieces: Vec<&str> = pieces.into_iter().map(str::trim).filter(|p| !p.is_empty()).collect();
        (pieces.len() > 1 && pieces.iter().filter(|p| names(p)).count() > 1).then_some(pieces)
    };
    if text.starts_with('|') {
        return vec![text];
    }
    by(&[";", "|", "\t", "   "]).or_else(|| by(&["  "])).or_else(|| by(&[", "])).or_else(|| by(&[","])).unwrap_or_else(|| {
        // `Model: EC25-E IMEI: 4901…`: a further name in the middle of a line.
        let at = text.match_indices(' ').map(|(i, _)| i).find(|i| {
            let (head, tail) = text.split_at_checked(*i).unwrap_or((text, ""));
            let next = tail.trim_start();
            let name = next.split([':', '=', '：']).next().unwrap_or_default();
            name.len() < next.len() && !name.trim().contains(' ') && split(head).is_some_and(|(n, _)| is_name(n)) && is_name(name)
        });
        match at.and_then(|i| text.split_at_checked(i)) {
            Some((head, tail)) => {
                let mut all = vec![head];
                all.extend(segments_of_tail(tail));
                all
            }
            None => vec![text],
        }
    })
}

fn segments_of_tail(tail: &str) -> Vec<&str> {
    // One step is enough: labels have two or three names on a line, and each step shortens the rest.
    if tail.len() > 400 { vec![tail] } else { segments(tail.trim_start()) }
}

fn is_name(name: &str) -> bool {
    let name = squash(name);
    meaning(&name).is_some()
        || host_meaning(&name).is_some()
        || matches!(name.as_str(), "pn" | "sn" | "mac" | "fccid" | "ic" | "svn" | "hw" | "sw" | "id")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_line_of_several() {
        assert_eq!(segments("IMEI:490154203237518;SN:A1B2C3;PN:EC25EFA"), ["IMEI:490154203237518", "SN:A1B2C3", "PN:EC25EFA"]);
        assert_eq!(segments("Model: EC25-E IMEI: 490154203237518 SN: X1"), ["Model: EC25-E", "IMEI: 490154203237518", "SN: X1"]);
        assert_eq!(segments("Manufacturer: Sierra Wireless, Incorporated"), ["Manufacturer: Sierra Wireless, Incorporated"]);
    }

    #[test]
    fn half_a_bus_id_is_no_name() {
        assert_eq!(without_bus_id("usb 0x2c7c \"Quectel Wireless\""), "Quectel Wireless");
        assert_eq!(without_bus_id("pci 0x17cb \"Qualcomm\""), "Qualcomm");
        assert_eq!(without_bus_id("usb 0x2c7c"), "");
        assert_eq!(without_bus_id("usb modem"), "usb modem");
    }

    #[test]
    fn headings() {
        assert_eq!(heading("[Modem 2]").as_deref(), Some("2"));
        assert_eq!(heading("modem       : Modem1").as_deref(), Some("1"));
        assert_eq!(heading("Cellular 1:").as_deref(), Some("1"));
        assert_eq!(heading("Modem Model: EC25"), None);
        assert_eq!(heading("LTE 2100"), None);
    }

    proptest! {
        #[test]
        fn any_line_has_segments(line in "\\PC{0,120}") {
            let _ = (segments(&line), heading(&line));
        }
        #[test]
        fn names_without_end(parts in proptest::collection::vec("(IMEI|SN|Model|PN|a):[0-9A-Z]{0,5}", 0..40)) {
            let _ = segments(&parts.join(" "));
        }
    }
}
