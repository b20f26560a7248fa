//! Words and numbers for people, shared by the terminal and the page.

use umbilical_core::answer::{Audit, Because, Cellular, Coverage, Device, Jurisdiction, Level, Module, Product, Step, Trace};
use umbilical_core::text::short;
use unicode_width::UnicodeWidthStr;

/// What is said where findings of law stand, and those that are unknown do not.
pub const UNKNOWN_LAW: &str = "Verdicts that are unknown are not listed here: `umbilical policy check` says what would decide them.";

/// `4,211`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, c) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// `1 device`, `4,211 devices`.
pub fn counted(n: u64, noun: &str) -> String {
    let ending = match (n, noun) {
        (1, _) => "",
        (_, noun) if noun.ends_with('y') => return format!("{} {}ies", count(n), noun.trim_end_matches('y')),
        _ => "s",
    };
    format!("{} {noun}{ending}", count(n))
}

/// A confidence in percent, rounded down: never more than the evidence carries, never a hundred.
pub fn percent(confidence: f64) -> String {
    match confidence {
        c if c >= 0.995 => "> 99 %".to_owned(),
        c if c < 0.01 => "< 1 %".to_owned(),
        c => format!("{:.0} %", (c * 100.0 + 1e-9).floor()),
    }
}

/// A part of a whole: `14.5 %`.
pub fn share(part: u64, whole: u64) -> String {
    if whole == 0 { "–".to_owned() } else { format!("{:.1} %", part as f64 * 100.0 / whole as f64) }
}

/// A size in decimal units: `14.2 kB`.
pub fn bytes(n: u64) -> String {
    let (mut size, mut unit) = (n as f64, "B");
    for larger in ["kB", "MB", "GB", "TB"] {
        if size < 1000.0 {
            break;
        }
        (size, unit) = (size / 1000.0, larger);
    }
    if unit == "B" { format!("{n} B") } else { format!("{size:.1} {unit}") }
}

/// A weight of evidence in nats: `+4.20`, `−0.50`.
pub fn nats(milli: i32) -> String {
    let sign = if milli < 0 { '−' } else { '+' };
    let size = milli.unsigned_abs();
    format!("{sign}{}.{:02}", size / 1000, size % 1000 / 10)
}

/// What was read: the kind as people write it, and the value.
pub fn read(because: &Because) -> String {
    let value = &because.value;
    match because.kind {
        "cellular" => format!("sign of a modem: {value}"),
        "not-cellular" => format!("no modem: {value}"),
        kind => format!("{} {value}", self::kind(kind)),
    }
}

/// The kind of a fact as people write it: `USB id`, `firmware revision`.
pub fn kind(word: &str) -> String {
    match word {
        "cellular" => return "sign of a modem".to_owned(),
        "not-cellular" => return "no modem".to_owned(),
        "fcc-id" => return "FCC ID".to_owned(),
        _ => {}
    }
    let capitals = |part: &str| matches!(part, "usb" | "pci" | "tac" | "oui" | "at");
    let parts: Vec<String> = word.split('-').map(|p| if capitals(p) { p.to_uppercase() } else { p.to_owned() }).collect();
    parts.join(" ")
}

/// `firmware-revision` as people write it: `firmware revision`.
pub fn plain(word: &str) -> String {
    word.replace('-', " ")
}

/// What people call a device, or the best number it has; a nameless one is called by the place where it was read.
pub fn label(audit: &Audit, device: &Device) -> String {
    let ids = &device.identifiers;
    let serial = ids.serial.first().map(|s| s.split_once('|').map_or(s.as_str(), |(_, number)| number));
    let numbers = [&ids.imei, &ids.imei_unusable, &ids.eid, &ids.meid, &ids.mac, &ids.vin, &ids.udi, &ids.iccid];
    let called = device.names.first().or(ids.asset_id.first()).map(String::as_str).or(serial);
    match called.or_else(|| numbers.into_iter().flatten().next().map(String::as_str)) {
        Some(name) => name.to_owned(),
        None => nameless(audit, device).unwrap_or_else(|| device.id.clone()),
    }
}

/// `052.txt (dev-…)`, `sims.csv row 3 (dev-…)`.
fn nameless(audit: &Audit, device: &Device) -> Option<String> {
    let input = device.inputs.first()?;
    let path = &audit.inputs.get(*input as usize)?.path;
    let file = path.rsplit(['/', '!']).next().filter(|f| !f.is_empty()).unwrap_or(path);
    let reasons = device.because.iter().chain(device.modules.iter().flat_map(|m| &m.because));
    let row = reasons.filter(|b| b.input == *input).map(|b| b.at.as_str()).find(|at| !at.starts_with("line") && *at != "file");
    let row = row.map(|r| format!(" {r}")).unwrap_or_default();
    Some(format!("{}{row} ({})", short(file, 40), device.id))
}

/// A module in a few words, with the best guess at a maker that did not become *possible*.
pub fn module(module: &Module) -> String {
    let guess = module.claims.iter().find(|c| module.maker.is_none() && c.level == Level::Maker);
    match guess {
        Some(claim) => format!("{} (hint: {} {})", name(module), claim.value, percent(claim.confidence)),
        None => name(module),
    }
}

/// A module in a few words: `Quectel EG25-G, sold as Dell DW5821e`; what is not known is said.
pub fn name(module: &Module) -> String {
    let mut out = match (&module.maker, &module.model, &module.family) {
        (Some(maker), Some(model), _) => format!("{maker} {model}"),
        (Some(maker), None, Some(family)) => format!("{maker} {family} family"),
        (Some(maker), None, None) => format!("{maker}, model unknown"),
        (None, Some(model), _) => format!("{model}, maker unknown"),
        (None, None, _) => match module.claims.iter().find(|c| c.level == Level::Silicon && module.level == Level::Silicon) {
            Some(chip) => format!("module with {} silicon, maker unknown", chip.value),
            None => "module of unknown maker".to_owned(),
        },
    };
    if let Some(variant) = module.variant.as_deref().filter(|v| module.model.as_deref() != Some(*v)) {
        out.push_str(&format!(" ({variant})"));
    }
    let other = module.brand.as_ref().filter(|b| Some(*b) != module.maker.as_ref());
    match (other, &module.sold_as) {
        (Some(brand), Some(name)) => out.push_str(&format!(", sold as {brand} {name}")),
        (Some(brand), None) => out.push_str(&format!(", sold by {brand}")),
        (None, Some(name)) => out.push_str(&format!(", sold as {name}")),
        (None, None) => {}
    }
    out
}

/// A product in a few words: `Huawei E3372 (dongle)`.
pub fn product(product: &Product) -> String {
    let name: Vec<&str> = [&product.brand, &product.model].into_iter().flatten().map(String::as_str).collect();
    if name.is_empty() { format!("{} of unknown brand", product.kind) } else { format!("{} ({})", name.join(" "), product.kind) }
}

/// What is in a device, in a few words.
pub fn content(device: &Device) -> String {
    match (&*device.modules, &device.product, device.cellular) {
        ([], Some(p), _) => product(p),
        ([], None, Cellular::Yes) => "cellular, module unknown".to_owned(),
        ([], None, Cellular::Unknown) => "unknown".to_owned(),
        ([], None, Cellular::No) => "no cellular module".to_owned(),
        (modules, _, _) => modules.iter().map(module).collect::<Vec<_>>().join(" + "),
    }
}

/// Whether nobody is known to have made what is in it.
pub fn open(device: &Device) -> bool {
    device.product.is_none() && device.modules.iter().all(|m| m.maker.is_none())
}

/// How sure, in a word and percent; empty where there is no claim.
pub fn sure(device: &Device) -> String {
    match (device.modules.first(), &device.product) {
        (Some(m), _) => format!("{} {}", m.confidence_level.name(), percent(m.confidence)),
        (None, Some(p)) => percent(p.confidence),
        (None, None) => String::new(),
    }
}

/// Whether two reasons are one fact read at one place, matched with one table (their weights differ by claim).
pub fn same(a: &Because, b: &Because) -> bool {
    (a.input, &a.at, a.kind, &a.value, &a.matched) == (b.input, &b.at, b.kind, &b.value, &b.matched)
}

/// The evidence that weighs most.
pub fn strongest(list: &[Because]) -> Option<&Because> {
    // The last of equals wins, so the list is read from its end: the first one is meant.
    list.iter().rev().max_by_key(|b| b.weight.unsigned_abs())
}

/// The main reason in one line; for what is not decided, what to collect.
pub fn reason(device: &Device) -> String {
    let open = || device.next_evidence.first().map(|n| format!("collect {n}"));
    let list = device.modules.first().map_or(&*device.because, |m| if m.because.is_empty() { &device.because } else { &m.because });
    let why = strongest(list).map(|b| short(&read(b), 72).into_owned());
    match device.cellular {
        Cellular::Unknown => open().or(why),
        _ => why.or_else(open),
    }
    .unwrap_or_default()
}

/// Countries whose law reaches a module, each once; one that depends on an unclear day is marked.
pub fn countries(module: &Module) -> Vec<String> {
    reaching(&module.jurisdictions)
}

/// The same of any jurisdictions.
pub use umbilical_core::answer::rows::reaching;

/// Where something was read: `evidence/sims.csv, line 7`.
pub fn place(audit: &Audit, input: Option<u32>, at: &str) -> String {
    let path = input.and_then(|i| audit.inputs.get(i as usize)).map(|i| i.path.as_str());
    match (path, at) {
        (Some(path), "" | "file") => path.to_owned(),
        (Some(path), at) => format!("{path}, {at}"),
        (None, "" | "file") => "this run".to_owned(),
        (None, at) => at.to_owned(),
    }
}

/// Cellular devices that carry a module, not counting those that are the cellular product themselves.
pub fn carrying(c: &Coverage) -> u64 {
    c.cellular.saturating_sub(c.products)
}

/// `612 of 4,211 devices carry a cellular module; 2 are cellular products themselves`.
fn carry(c: &Coverage) -> String {
    let verb = if carrying(c) == 1 || c.devices == 1 { "carries" } else { "carry" };
    let own = match c.products {
        0 => String::new(),
        1 => "; 1 is a cellular product itself".to_owned(),
        n => format!("; {} are cellular products themselves", count(n)),
    };
    format!("{} of {} {verb} a cellular module{own}", count(carrying(c)), counted(c.devices, "device"))
}

/// The first sentence of every answer: how many devices carry a module, how many are cellular products themselves, how
/// many are unknown and what would decide (`collect`; else what most open devices need).
pub fn coverage(audit: &Audit, collect: Option<&str>) -> String {
    let c = &audit.coverage;
    if c.devices == 0 {
        return "No device was seen in this evidence.".to_owned();
    }
    let mut out = carry(c);
    if c.unknown > 0 {
        out.push_str(&format!("; {} unknown", count(c.unknown)));
        if let Some(next) = collect.or(audit.tallies.next_evidence.first().map(|t| t.label.as_str())) {
            out.push_str(&format!(": collect {next}"));
        }
    }
    out.push('.');
    out
}

/// The second sentence: of how many the maker is known, and what shows none where a modem would be listed.
pub fn known(audit: &Audit) -> String {
    let c = &audit.coverage;
    let mut parts = Vec::new();
    let carrying = carrying(c);
    if carrying > 0 {
        parts.push(format!("The module's maker is known for {} of {}.", count(c.module_known), count(carrying)));
    }
    if c.not_cellular > 0 {
        parts.push(format!("{} without a modem in the listings given.", counted(c.not_cellular, "device")));
    }
    if let Some(n) = c.undisclosed.filter(|n| *n > 0) {
        parts.push(format!("The documents of {} leave out a module that must be there.", counted(n, "device")));
    }
    parts.join(" ")
}

/// What the IMEIs tell, never "0 %".
pub fn imeis(audit: &Audit) -> String {
    let i = &audit.imeis;
    match (i.seen, i.undecided, i.licensed_table) {
        (0, _, _) => "No usable IMEI was seen.".to_owned(),
        (seen, 0, _) => format!("The type allocation code of {} is in a table at hand.", all_of(seen)),
        (seen, open, false) => format!(
            "{} of {} cannot be decided by any open table; import a licensed TAC file: `umbilical knowledge import FILE`.",
            count(open),
            counted(seen, "IMEI")
        ),
        (seen, open, true) => format!("{} of {} are in no table at hand, the licensed one included.", count(open), counted(seen, "IMEI")),
    }
}

fn all_of(seen: u64) -> String {
    if seen == 1 { "the one IMEI".to_owned() } else { format!("all {}", counted(seen, "IMEI")) }
}

/// Inputs by what they were taken for: format, how many, bytes, facts read; most bytes first.
pub fn inputs(audit: &Audit) -> Vec<(String, u64, u64, u64)> {
    let mut out: Vec<(String, u64, u64, u64)> = Vec::new();
    for input in &audit.inputs {
        match out.iter_mut().find(|o| o.0 == input.format) {
            Some(o) => (o.1, o.2, o.3) = (o.1.saturating_add(1), o.2.saturating_add(input.bytes), o.3.saturating_add(input.observations)),
            None => out.push((input.format.clone(), 1, input.bytes, input.observations)),
        }
    }
    out.sort_by(|a, b| (b.1, &a.0).cmp(&(a.1, &b.0)));
    out
}

/// What was looked at, how much of it and when, in one sentence.
pub fn looked_at(audit: &Audit) -> String {
    let bytes_read = audit.inputs.iter().fold(0u64, |n, i| n.saturating_add(i.bytes));
    let facts = audit.inputs.iter().fold(0u64, |n, i| n.saturating_add(i.observations));
    format!(
        "{}, {}, {} read from them, as of {}.",
        counted(audit.inputs.len() as u64, "input"),
        bytes(bytes_read),
        counted(facts, "fact"),
        audit.as_of
    )
}

/// Which facts were used.
pub fn knowledge(audit: &Audit) -> String {
    format!("Knowledge {} (sources to {}).", short(&audit.knowledge.version, 12), audit.knowledge.sources_to)
}

/// What a finding's code means, in one line.
pub fn code(code: &str) -> &'static str {
    umbilical_core::finding::CODES.iter().find(|c| c.0 == code).map_or("", |c| c.1)
}

/// `from 2022-11-01`, `2020-11-18 to 2022-11-01`; empty when neither day is known.
pub fn dates(from: Option<&str>, to: Option<&str>) -> String {
    match (from, to) {
        (Some(from), Some(to)) => format!("{from} to {to}"),
        (Some(from), None) => format!("since {from}"),
        (None, Some(to)) => format!("until {to}"),
        (None, None) => String::new(),
    }
}

/// A relation as a verb between the parent and the child: `owns`, `makes for`.
pub fn verb(edge: &str) -> &str {
    match edge {
        "brands" => "stands behind the brand",
        "makes" => "makes for",
        "state-support" => "gives state support to",
        "influence" => "has influence on",
        "customer-of" => "has as customer",
        "affiliate-alleged" => "is said to be affiliated with",
        other => other,
    }
}

/// The name of an organisation of a trace; its id where the trace has no name for it.
pub fn organisation<'a>(trace: &'a Trace, id: &'a str) -> &'a str {
    if id == trace.org {
        return &trace.name;
    }
    let steps = [&trace.chain, &trace.former, &trace.other, &trace.alleged];
    steps.into_iter().flatten().find(|s| s.parent == id).map_or(id, |s| &s.parent_name)
}

/// One relation in words: `Fibocom Wireless Inc. owns 49 % of Rolling Wireless (HK)`.
pub fn relation(step: &Step) -> String {
    let child = &step.child_name;
    match step.share.as_deref() {
        Some(share) => format!("{} {} {} of {child}", step.parent_name, verb(&step.edge), stake(share)),
        None => format!("{} {} {child}", step.parent_name, verb(&step.edge)),
    }
}

/// The organisations between a maker and the one whose country counts: ` through A → B`; empty where there is none.
pub fn way(j: &Jurisdiction) -> String {
    // The last of the way is the organisation itself.
    match j.via.split_last() {
        Some((_, between)) if !between.is_empty() => format!(" through {}", between.join(" → ")),
        _ => String::new(),
    }
}

/// A share as printed: `49 %`, `majority`.
pub fn stake(share: &str) -> String {
    if share.parse::<f64>().is_ok() { format!("{share} %") } else { share.to_owned() }
}

/// Lines of at most `width` columns of a terminal, broken at spaces; a longer word is cut.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(8);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0usize;
    for word in text.split(' ').filter(|w| !w.is_empty()) {
        let size = word.width();
        if used > 0 && used + 1 + size > width {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        if used + size <= width {
            line.push_str(word);
            used += size;
            continue;
        }
        for c in word.chars() {
            let size = unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
            if used + size > width {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push(c);
            used += size;
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!([0, 999, 1000, 4211, 1_234_567].map(count), ["0", "999", "1,000", "4,211", "1,234,567"]);
        assert_eq!([counted(1, "device"), counted(2, "device"), counted(3, "country")], ["1 device", "2 devices", "3 countries"]);
        assert_eq!([0.0, 0.29, 0.9, 0.994, 0.995, 1.0].map(percent), ["< 1 %", "29 %", "90 %", "99 %", "> 99 %", "> 99 %"]);
        assert_eq!([bytes(999), bytes(1500), bytes(2_000_000)], ["999 B", "1.5 kB", "2.0 MB"]);
        assert_eq!([nats(4200), nats(-505), nats(0)], ["+4.20", "−0.50", "+0.00"]);
    }

    #[test]
    fn products_are_not_counted_as_carrying_a_module() {
        let say = |devices, cellular, products| carry(&Coverage { devices, cellular, products, ..Coverage::default() });
        assert_eq!(say(1, 1, 0), "1 of 1 device carries a cellular module");
        assert_eq!(say(1, 0, 0), "0 of 1 device carries a cellular module");
        assert_eq!(say(1, 1, 1), "0 of 1 device carries a cellular module; 1 is a cellular product itself");
        assert_eq!(say(7, 5, 2), "3 of 7 devices carry a cellular module; 2 are cellular products themselves");
        assert_eq!(say(4211, 612, 0), "612 of 4,211 devices carry a cellular module");
    }

    #[test]
    fn lines_are_wrapped_by_what_they_occupy() {
        assert_eq!(wrap("one two three four", 9), ["one two", "three", "four"]);
        assert_eq!(wrap("广和通广和通", 8), ["广和通广", "和通"]);
        assert!(wrap("", 20).is_empty());
    }
}
