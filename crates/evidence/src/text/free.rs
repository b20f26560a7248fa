//! Free text: the lines that no tool's dialect took. The last dialects: [`Ids`] looks at every such line, [`Free`] at what
//! is left.
//!
//! **What it reads.** Ids in prose and in scripts (`2c7c:0125`, `VID: 05c6` / `PID: 90d5`, `VID_2C7C&PID_0125`, `PCI ID
//! 105b:e0c0`), and sentences that name a module of the catalogue, a re-brand, a revision of a known grammar, or a maker
//! beside a word such as modem. A sentence is kept as it stands and weighed as declared: documents are copied.
//!
//! **Traps.** A time, a MAC and an IPv6 address look like ids: an id must be known or be called one. A text with many ids
//! is a list of what a driver supports, not of what somebody has. "PID" is also a process. A Wi-Fi module of a module
//! maker is no cellular one: nothing is added to what the sentence says.

use std::sync::OnceLock;

use regex::Regex;
use umbilical_core::{Basis, Group, Kind};
use umbilical_knowledge::{BrandKind, PciKey, Scope, Strength};

use super::bus::{by_path, hex4};
use super::pairs::split;
use super::strip::regex;
use super::{Dialect, Host, Line};

/// More different ids of modems than this are a list of what something supports, not an observation.
const FEW: usize = 4;
/// So much of a line is looked at, and so much is kept around what was found.
const LOOK: usize = 16 * 1024;
const KEEP: usize = 300;
/// Sentences kept of one text.
const SENTENCES: u32 = 40;

/// Reads sentences.
#[derive(Default)]
pub(super) struct Free {
    sentences: u32,
}

/// Reads ids wherever they stand.
#[derive(Default)]
pub(super) struct Ids {
    vendor: Option<(u32, u16)>,
    product: Option<(u32, u16)>,
    /// Line, id, whether it stands in prose.
    usb: Vec<(u32, (u16, u16), bool)>,
    pci: Vec<(u32, PciKey)>,
    /// The device whose attributes a script read last.
    place: Option<String>,
}

struct Expressions {
    vendor: Regex,
    product: Regex,
    joined: Regex,
    pci: Regex,
}

fn expressions() -> Option<&'static Expressions> {
    static R: OnceLock<Option<Expressions>> = OnceLock::new();
    R.get_or_init(|| {
        let before = r"(?i)(?:^|[\s,;{(\x22'>&?])";
        let between = r#"[\s\x22'}\])]{0,4}(?:={1,2}|:|_|is|\s)\s{0,3}[\x22']?(?:0x)?"#;
        Some(Expressions {
            vendor: regex(&format!(r"{before}(?:(?:USB )?VID|ATTRS?\{{idVendor|idVendor|Vendor[ _]?ID|ID_(?:USB_)?VENDOR_ID|Vendor(?:: usb)?){between}([0-9a-f]{{4}})\b"))?,
            product: regex(&format!(
                r"{before}(?:(?:USB )?PID|ATTRS?\{{idProduct|idProduct|Product[ _]?ID|ID_(?:USB_)?MODEL_ID|ProdID|Product|Device: usb){between}([0-9a-f]{{4}})\b"
            ))?,
            joined: regex(r"(?i)(?:VID_([0-9a-f]{4})&(?:amp;)?PID_([0-9a-f]{4})|\busb/([0-9a-f]{4})([0-9a-f]{4})\b|\bPRODUCT=([0-9a-f]{1,4})/([0-9a-f]{1,4})/)")?,
            pci: regex(r"(?i)\bpcie?\b")?,
        })
    })
    .as_ref()
}

/// `vvvv:pppp` standing alone: not in an address, a clock or a longer number.
fn pairs(text: &str) -> impl Iterator<Item = (u16, u16)> {
    text.split(|c: char| !(c.is_alphanumeric() || matches!(c, ':' | '-' | '.' | '_' | '/'))).filter_map(|word| {
        let word = word.trim_end_matches([':', '.', '-']);
        let (a, b) = word.split_once(':').or_else(|| word.split_once('/').filter(|(a, b)| a.starts_with("0x") && b.starts_with("0x")))?;
        let full = |t: &str| t.strip_prefix("0x").unwrap_or(t).len() == 4;
        (full(a) && full(b)).then_some((hex4(a)?, hex4(b)?))
    })
}

impl Ids {
    fn ids(&mut self, text: &str, n: u32, host: &mut Host<'_, '_>) -> bool {
        let Some(re) = expressions() else { return false };
        let before = self.usb.len().saturating_add(self.pci.len());
        for found in re.joined.captures_iter(text).take(16) {
            let hex = |i: usize| found.get(i).and_then(|m| hex4(m.as_str()));
            if let Some(id) = [(1, 2), (3, 4), (5, 6)].iter().find_map(|(v, p)| Some((hex(*v)?, hex(*p)?))) {
                self.note(n, id, false);
            }
        }
        // Vendor and product, on one line or on neighbouring ones, in either order.
        let half = |re: &Regex| re.captures(text).and_then(|c| hex4(c.get(1)?.as_str()));
        let (vendor, product) = (half(&re.vendor), half(&re.product));
        if let Some(vid) = vendor {
            self.vendor = Some((n, vid));
        }
        if let Some(pid) = product {
            self.product = Some((n, pid));
        }
        if let (Some((a, vid)), Some((b, pid))) = (self.vendor, self.product)
            && a.abs_diff(b) <= 6
            && (vendor.is_some() || product.is_some())
        {
            self.note(n, (vid, pid), false);
            (self.vendor, self.product) = (None, None);
        }
        for (a, b) in pairs(text).take(16) {
            let kb = host.cx.knowledge;
            let as_pci = PciKey { vendor: a, device: b, subsystem: None };
            let on_pci = kb.pci(a, b, None).is_some() || kb.rebrands_by_pci(as_pci).next().is_some();
            let on_usb = !kb.usb(a, b).is_empty() || kb.rebrands_by_usb(a, b).next().is_some();
            let lower = text.to_ascii_lowercase();
            let called = lower.contains("usb") || lower.contains("vid") || lower.contains("lsusb");
            // A time and a byte look like an id too: in a longer line something must say that one is meant.
            let meant = called
                || text.split_whitespace().count() <= 4
                || re.pci.is_match(text)
                || lower
                    .split(|c: char| !c.is_alphanumeric())
                    .any(|w| matches!(w, "id" | "ids" | "device" | "vendor" | "product" | "modem" | "card"))
                || kb.brand_of(text).is_some()
                || speaks_of_radio(text);
            if !meant {
                continue;
            }
            if re.pci.is_match(text) && !called || (on_pci && !on_usb) {
                if self.pci.len() < 64 {
                    self.pci.push((n, as_pci));
                }
            } else if on_usb || (called && kb.usb_vendor(a).is_some()) {
                self.note(n, (a, b), true);
            }
        }
        self.usb.len().saturating_add(self.pci.len()) > before || vendor.is_some()
    }

    fn note(&mut self, n: u32, id: (u16, u16), prose: bool) {
        if self.usb.len() < 256 && !self.usb.iter().any(|(_, known, _)| *known == id) {
            self.usb.push((n, id, prose));
        }
    }
}

impl Free {
    /// A status line: a name that speaks of firmware, and a revision of a known grammar.
    fn status(&self, text: &str, n: u32, host: &mut Host<'_, '_>) -> bool {
        let Some((name, value)) = split(text) else { return false };
        let name = name.to_ascii_lowercase();
        let spoken = ["revision", "firmware", "version", "baseband", "fw", "sw"]
            .iter()
            .any(|w| name.split(|c: char| !c.is_alphanumeric()).any(|t| t == *w));
        let known = spoken
            && value.split_whitespace().count() <= 8
            && host.cx.knowledge.matches(Scope::Revision, value).iter().any(|h| h.pattern.strength == Strength::Decide);
        if known {
            let part = host.part("modem");
            host.fact(part, n, Kind::FirmwareRevision, value);
        }
        known
    }

    /// A sentence that names a module, a maker of modules beside what they make, or a revision.
    fn sentence(&mut self, text: &str, n: u32, host: &mut Host<'_, '_>) -> bool {
        if self.sentences >= SENTENCES {
            return false;
        }
        let kb = host.cx.knowledge;
        // Who names several makers compares them, or says what is wanted and what is not.
        let mut makers = kb.brands_in(text).into_iter().filter(|h| h.brand.kind == BrandKind::Module).map(|h| &*h.brand.brand);
        if makers.next().is_some_and(|first| makers.any(|other| other != first && !other.contains(first) && !first.contains(other))) {
            return false;
        }
        let brand = kb.brand_of(text);
        let spans = kb
            .matches(Scope::Text, text)
            .into_iter()
            .filter(|h| h.pattern.strength != Strength::Trap && (h.model.is_some() || brand.is_none() || speaks_of_radio(text)))
            .map(|h| h.span.start)
            .chain(
                kb.models_in(text)
                    .into_iter()
                    // A short name is a form or a street too; a long one, or one beside its maker or what it is, is a module.
                    .filter(|h| {
                        brand.is_some_and(|b| b.brand == h.module.maker)
                            || (h.module.distinct && (h.span.len() >= 6 || speaks_of_radio(text)))
                    })
                    .map(|h| h.span.start),
            );
        let first = spans.min();
        let named = first.is_some() || !kb.rebrands_in(text).is_empty() || (brand.is_some() && speaks_of_radio(text));
        if !named {
            return false;
        }
        self.sentences = self.sentences.saturating_add(1);
        let part = host.part("modem");
        host.fact_of(part, n, Kind::Text, around(text, first.unwrap_or(0)), Group::Document, Basis::Declared);
        true
    }
}

/// Whether a sentence speaks of cellular radio, not only of a company.
fn speaks_of_radio(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "modem", "module", "lte", "5g", "4g", "3g", "gsm", "nb", "cat", "wwan", "cellular", "modul", "módulo", "modulo", "模块", "模组",
        "umts", "nbiot", "iot",
    ];
    text.split(|c: char| !c.is_alphanumeric()).any(|w| WORDS.iter().any(|word| w.eq_ignore_ascii_case(word)))
        || ["模块", "模组"].iter().any(|w| text.contains(w))
}

/// The part of a long line around a place in it.
fn around(text: &str, at: usize) -> &str {
    if text.len() <= KEEP.saturating_add(KEEP / 3) {
        return text;
    }
    let mut start = at.saturating_sub(KEEP / 2);
    while !text.is_char_boundary(start) {
        start = start.saturating_sub(1);
    }
    let mut end = start.saturating_add(KEEP).min(text.len());
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    text.get(start..end).unwrap_or_default()
}

impl Dialect for Free {
    fn name(&self) -> &'static str {
        "text"
    }

    fn line(&mut self, line: Line<'_>, host: &mut Host<'_, '_>) -> bool {
        let text = head(line.text);
        // What was typed or run names tools and files, not modules.
        !text.is_empty() && !line.shell && (self.status(text, line.n, host) || self.sentence(text, line.n, host))
    }
}

/// As much of a line as is looked at.
fn head(text: &str) -> &str {
    let mut end = text.len().min(LOOK);
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    text.get(..end).unwrap_or_default()
}

impl Dialect for Ids {
    fn name(&self) -> &'static str {
        "ids"
    }

    fn line(&mut self, line: Line<'_>, host: &mut Host<'_, '_>) -> bool {
        let text = head(line.text);
        // A script that reads `/sys/…/2-1.1/idVendor` speaks of that device from here on.
        if text.contains("/idVendor") || text.contains("/idProduct") {
            self.place = text.split([' ', '\'', '"', '=']).find(|w| w.contains("/idVendor") || w.contains("/idProduct")).and_then(by_path);
        }
        // The rest of the line may say more.
        !text.is_empty() && self.ids(text, line.n, host) && text.len() < 24
    }

    fn end(&mut self, host: &mut Host<'_, '_>) {
        let usb = std::mem::take(&mut self.usb);
        let kb = host.cx.knowledge;
        let modems =
            usb.iter().filter(|(_, (vid, pid), _)| !kb.usb(*vid, *pid).is_empty() || kb.rebrands_by_usb(*vid, *pid).next().is_some());
        let list = modems.count() > FEW;
        let few = usb.len() <= FEW;
        for (n, (vid, pid), prose) in usb.into_iter().filter(|_| !list) {
            let key = self.place.clone().unwrap_or_else(|| if few { "modem".to_owned() } else { format!("usb-id:{vid:04x}:{pid:04x}") });
            let part = host.part(&key);
            // Whoever writes an id down read it off the thing: the same witness, one step away.
            let basis = if prose { Basis::Declared } else { Basis::Observed };
            host.fact_of(part, n, Kind::UsbId, &format!("{vid:04x}:{pid:04x}"), Group::OwnWord, basis);
        }
        let pci = std::mem::take(&mut self.pci);
        if pci.len() <= FEW {
            for (n, key) in pci {
                let part = host.part("modem");
                host.fact_of(part, n, Kind::PciId, &format!("{:04x}:{:04x}", key.vendor, key.device), Group::OwnWord, Basis::Declared);
            }
        }
    }
}
