//! Declared places against observed modules of one device: the best assignment, and a row for each.

use umbilical_core::answer::verify::{Outcome, Row};
use umbilical_core::answer::{Because, Cellular, Device, Level, Module, Product};
use umbilical_core::bom::PartKind;
use umbilical_core::weight::{ConfidenceLevel, round4};
use umbilical_knowledge::{Knowledge, key};

use super::declared::{Choice, Role, Slot};
use super::fit::{Fit, compare, same_maker};

/// What was observed in a device, one of them for each modem.
#[derive(Clone, Copy)]
pub(super) enum Seen<'a> {
    /// A module.
    Module(&'a Module),
    /// The device is the cellular product itself, and names no module.
    Product(&'a Product),
    /// It is cellular, and nothing says more.
    Bare,
}

/// What was observed in a device.
pub(super) fn seen(device: &Device) -> Vec<Seen<'_>> {
    if !device.modules.is_empty() {
        return device.modules.iter().map(Seen::Module).collect();
    }
    match (&device.product, device.cellular) {
        (Some(product), Cellular::Yes) => vec![Seen::Product(product)],
        (None, Cellular::Yes) => vec![Seen::Bare],
        _ => Vec::new(),
    }
}

/// How the best of a place's choices fits, and which it is.
struct Best<'s, 'a> {
    fit: Fit,
    choice: Option<&'s Choice<'a>>,
}

fn best<'s, 'a>(kb: &Knowledge, choices: &'s [Choice<'a>], seen: Seen<'_>) -> Best<'s, 'a> {
    let one = |choice: &'s Choice<'a>| {
        let fit = match seen {
            Seen::Module(module) => compare(kb, &choice.wanted, module),
            Seen::Product(product) => as_product(kb, choice, product),
            Seen::Bare if choice.wanted.is_open() => Fit::Open,
            Seen::Bare => Fit::Unknown("a modem is observed, which one stays open".to_owned()),
        };
        Best { fit, choice: Some(choice) }
    };
    // Of equals the first: the line's own part before its alternates.
    let mut found = Best { fit: Fit::Open, choice: None };
    for next in choices.iter().map(one) {
        if found.choice.is_none() || next.fit.score() > found.fit.score() {
            found = next;
        }
    }
    found
}

/// A stick, phone or router is not the module in it: it fits a line that names itself, and decides nothing else.
fn as_product(kb: &Knowledge, choice: &Choice<'_>, product: &Product) -> Fit {
    if choice.wanted.is_open() {
        return Fit::Open;
    }
    let names = [choice.wanted.model, choice.wanted.sold_as, choice.wanted.variant];
    let same = |name: &Option<&str>| name.is_some_and(|n| product.model.as_deref().is_some_and(|m| key(n) == key(m)));
    let maker = choice.wanted.brand.or(choice.wanted.maker);
    if same_maker(kb, maker, product.brand.as_deref()) && names.iter().any(same) {
        return Fit::Match(Level::Model, None);
    }
    let what = [product.brand.as_deref(), product.model.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
    Fit::Unknown(format!("what is observed is a cellular {} ({what}), and the module in it is not named", product.kind))
}

/// The assignment of places to modems with the highest sum of scores; of equals the first in the order of the places.
fn assign(scores: &[Vec<u32>], modems: usize) -> Vec<Option<usize>> {
    const EXACT: usize = 10;
    if modems > EXACT {
        return greedy(scores, modems);
    }
    // Best sum over the places from `slot` on, for each set of modems still free; filled from the back.
    let sets = 1usize << modems;
    let mut table: Vec<Vec<(u32, Option<usize>)>> = Vec::with_capacity(scores.len());
    let mut behind = vec![0u32; sets];
    for row in scores.iter().rev() {
        let mut now = Vec::with_capacity(sets);
        for free in 0..sets {
            let skipped = behind.get(free).copied().unwrap_or(0);
            let mut found = (skipped, None);
            for (modem, score) in row.iter().enumerate().filter(|(modem, _)| free >> modem & 1 == 1) {
                let rest = behind.get(free & !(1 << modem)).copied().unwrap_or(0);
                let sum = score.saturating_add(rest);
                if sum > found.0 {
                    found = (sum, Some(modem));
                }
            }
            now.push(found);
        }
        behind = now.iter().map(|f| f.0).collect();
        table.push(now);
    }
    let mut free = sets.saturating_sub(1);
    let mut out = Vec::with_capacity(scores.len());
    for row in table.iter().rev() {
        let chosen = row.get(free).and_then(|f| f.1);
        if let Some(modem) = chosen {
            free &= !(1 << modem);
        }
        out.push(chosen);
    }
    out
}

fn greedy(scores: &[Vec<u32>], modems: usize) -> Vec<Option<usize>> {
    let mut pairs: Vec<(u32, usize, usize)> =
        scores.iter().enumerate().flat_map(|(s, row)| row.iter().enumerate().map(move |(m, score)| (*score, s, m))).collect();
    pairs.sort_by(|a, b| b.0.cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let (mut out, mut used) = (vec![None; scores.len()], vec![false; modems]);
    for (_, slot, modem) in pairs {
        if let (Some(place @ None), Some(taken @ false)) = (out.get_mut(slot), used.get_mut(modem)) {
            *place = Some(modem);
            *taken = true;
        }
    }
    out
}

/// The rows of one device, or, without one, of places for which nothing was observed.
pub(super) fn rows(kb: &Knowledge, slots: &[Slot<'_>], device: Option<&Device>) -> Vec<Row> {
    let modems = device.map(seen).unwrap_or_default();
    let choices: Vec<Vec<Choice<'_>>> = slots.iter().map(Slot::choices).collect();
    let mut fits: Vec<Vec<Best<'_, '_>>> = choices.iter().map(|c| modems.iter().map(|m| best(kb, c, *m)).collect()).collect();
    let scores: Vec<Vec<u32>> = fits.iter().map(|row| row.iter().map(|b| b.fit.score()).collect()).collect();
    let chosen = assign(&scores, modems.len());
    let mut out = Vec::new();
    let mut used = vec![false; modems.len()];
    for ((slot, fits), modem) in slots.iter().zip(&mut fits).zip(&chosen) {
        let pair = modem.and_then(|m| Some((*modems.get(m)?, fits.get(m)?, used.get_mut(m)?)));
        match pair {
            Some((seen, best, taken)) => {
                *taken = true;
                out.push(both(slot, seen, best, device));
            }
            None => out.push(not_seen(slot, device, None)),
        }
    }
    let left = modems.iter().zip(&used).filter(|(_, used)| !**used).map(|(m, _)| *m);
    out.extend(left.filter_map(|seen| undeclared(seen, device?)));
    doubt(slots, &choices, &chosen, &mut out);
    out.sort_by_key(|r| r.result);
    out
}

/// Where a place stays free that leaves its module open, what is called a substitute may as well stand in it: said, and of
/// half the weight.
fn doubt(slots: &[Slot<'_>], choices: &[Vec<Choice<'_>>], chosen: &[Option<usize>], rows: &mut [Row]) {
    let open = |c: &Vec<Choice<'_>>| c.iter().all(|c| c.wanted.is_open());
    let free = slots.iter().zip(choices).zip(chosen).find(|((_, c), modem)| modem.is_none() && open(c));
    let Some(((slot, _), _)) = free else { return };
    for row in rows.iter_mut().filter(|r| r.result == Outcome::Substituted) {
        row.sentence.push_str(&format!("; {} leaves its module open and could hold it as well", slot.place()));
        row.confidence = round4(row.confidence / 2.0);
    }
}

fn base(slot: Option<&Slot<'_>>, device: Option<&Device>, result: Outcome) -> Row {
    Row {
        result,
        designators: slot.map(|s| s.designators.clone()).unwrap_or_default(),
        declared: slot.map(Slot::shown),
        observed: None,
        product: None,
        because: slot.map(Slot::because).unwrap_or_default(),
        device: device.map(|d| d.id.clone()),
        label: None,
        level: None,
        differs: None,
        confidence: 0.0,
        sentence: String::new(),
        collect: Vec::new(),
    }
}

fn with_seen(mut row: Row, seen: Seen<'_>, device: Option<&Device>) -> Row {
    match seen {
        Seen::Module(module) => {
            row.because.extend(module.because.iter().chain(&module.against).cloned());
            row.confidence = module.confidence;
            row.observed = Some(module.clone());
        }
        Seen::Product(product) => {
            row.because.extend(device.iter().flat_map(|d| d.because.clone()));
            row.confidence = product.confidence;
            row.product = Some(product.clone());
        }
        Seen::Bare => {
            row.because.extend(device.iter().flat_map(|d| d.because.clone()));
            row.confidence = device.map_or(0.0, |d| d.cellular_confidence);
        }
    }
    row
}

/// What was observed, in words.
pub(super) fn words(seen: Seen<'_>) -> String {
    let join = |parts: [Option<&str>; 2]| parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
    match seen {
        Seen::Module(m) => {
            let maker = m.maker.as_deref().or(m.brand.as_deref());
            let name = m.variant.as_deref().or(m.model.as_deref()).or(m.family.as_deref());
            match join([maker, name]) {
                words if words.is_empty() => "a modem of unknown make".to_owned(),
                words => words,
            }
        }
        Seen::Product(p) => join([p.brand.as_deref(), p.model.as_deref()]),
        Seen::Bare => "a modem of unknown make".to_owned(),
    }
}

/// How sure the observed side is at a level: its strongest claim there.
fn sure_at(module: &Module, level: Level) -> f64 {
    let level = if level == Level::Variant { Level::Model } else { level };
    let of = |level: Level| module.claims.iter().filter(|c| c.level == level).map(|c| c.confidence).fold(0.0f64, f64::max);
    match of(level) {
        0.0 => module.confidence,
        found => found,
    }
}

fn both(slot: &Slot<'_>, seen: Seen<'_>, best: &Best<'_, '_>, device: Option<&Device>) -> Row {
    let Some(choice) = best.choice else { return not_seen(slot, device, None) };
    let (place, saw) = (slot.place(), words(seen));
    let named = choice.wanted.words();
    let by = match choice.role {
        Role::Part => String::new(),
        Role::Alternate => format!(", the alternate {named} of that line"),
        Role::Elsewhere(file) => format!(", which {} declares there", file.path),
    };
    let confidence = |level| if let Seen::Module(m) = seen { Some(sure_at(m, level)) } else { None };
    let mut row = match &best.fit {
        Fit::Match(level, open) => {
            let mut row = with_seen(base(Some(slot), device, Outcome::Match), seen, device);
            row.level = Some(*level);
            row.confidence = confidence(*level).unwrap_or(row.confidence);
            let open = open.as_deref().map(|o| format!("; {o}")).unwrap_or_default();
            row.sentence =
                format!("declared {} ({place}), observed {saw}{by}: the same at the level of the {}{open}", declared(slot), level.name());
            row
        }
        Fit::Rebrand(how) => {
            let mut row = with_seen(base(Some(slot), device, Outcome::Rebrand), seen, device);
            row.level = Some(Level::Model);
            row.sentence = format!("declared {} ({place}), observed {saw}{by}: one module under two names, {how}", declared(slot));
            row
        }
        Fit::Open => {
            let mut row = with_seen(base(Some(slot), device, Outcome::Match), seen, device);
            row.level = Some(Level::Cellular);
            row.sentence = format!("{place} declares {} and leaves open which module; observed {saw}", declared(slot));
            row
        }
        Fit::Unknown(why) => return not_seen(slot, device, Some((seen, why))),
        Fit::Differs(level) => {
            let mut row = with_seen(base(Some(slot), device, Outcome::Substituted), seen, device);
            row.differs = Some(*level);
            row.confidence = confidence(*level).unwrap_or(row.confidence);
            let others = slot.choices().len().saturating_sub(1);
            let beyond = if others > 0 { format!(" or one of {others} alternates") } else { String::new() };
            let at = match level {
                Level::Variant => "another model or build of the same family",
                Level::Model | Level::Family => "another model of the same maker",
                _ => "a module of another maker",
            };
            row.sentence = format!("declared {}{beyond} ({place}), observed {saw}: {at}", declared(slot));
            row
        }
    };
    row.confidence = round4(row.confidence);
    row
}

/// What a place declares, in words.
fn declared(slot: &Slot<'_>) -> String {
    let named = slot.part.module.as_deref().map(|m| super::fit::Wanted::of(m, None).words());
    let text = |cell: &Option<Box<str>>| cell.as_deref().map(|t| umbilical_core::text::clean(t).into_owned());
    let part = &slot.part.part;
    named
        .or_else(|| text(&part.mpn))
        .or_else(|| text(&part.value))
        .or_else(|| text(&part.description))
        .unwrap_or_else(|| "a part".to_owned())
}

fn not_seen(slot: &Slot<'_>, device: Option<&Device>, hint: Option<(Seen<'_>, &String)>) -> Row {
    let mut row = base(Some(slot), device, Outcome::NotSeen);
    let (place, named) = (slot.place(), declared(slot));
    row.collect = device.map(|d| d.next_evidence.clone()).unwrap_or_default();
    if row.collect.is_empty() {
        row.collect = [
            "the answers to `ATI` and `AT+CGMR` with the modem switched on",
            "`lsusb` and `lspci` of the powered device",
            "the SIM platform's IMEI export",
            "a look at the place on the board, or its label",
        ]
        .map(str::to_owned)
        .to_vec();
    }
    row.sentence = match (hint, device) {
        (Some((seen, why)), _) => {
            row = with_seen(row, seen, device);
            let first = row.collect.first().cloned().unwrap_or_default();
            format!("declared {named} ({place}); {why}. Unknown: collect {first}")
        }
        (None, _) if slot.part.kind == PartKind::Slot && slot.part.module.is_none() => {
            format!("{place} is a place for a module ({named}), and none was seen in it: it may be empty")
        }
        (None, Some(d)) if d.cellular == Cellular::No => {
            row.because.extend(d.because.iter().cloned());
            row.confidence = d.cellular_confidence;
            format!(
                "declared {named} ({place}), and no modem where one would show: it is switched off, not on the bus that was listed, or \
                 not on the board"
            )
        }
        (None, Some(_)) => {
            format!(
                "declared {named} ({place}), and no evidence of it: it is switched off, out of reach of what was collected, or not on the board"
            )
        }
        (None, None) => format!("declared {named} ({place}), and no device was observed"),
    };
    row.confidence = round4(row.confidence);
    row
}

/// A modem that no document declares; `None` where what was observed is too little to say so.
fn undeclared(seen: Seen<'_>, device: &Device) -> Option<Row> {
    let sure = match seen {
        Seen::Module(m) => m.confidence_level > ConfidenceLevel::Hint,
        Seen::Product(p) => p.confidence >= 0.5,
        Seen::Bare => device.cellular_confidence >= 0.9,
    };
    if !sure && device.cellular_confidence < 0.9 {
        return None;
    }
    let mut row = with_seen(base(None, Some(device), Outcome::Undeclared), seen, Some(device));
    if row.because.is_empty() {
        row.because = device.because.clone();
    }
    row.confidence = round4(if sure { row.confidence } else { device.cellular_confidence });
    row.collect = device.next_evidence.clone();
    row.sentence = format!("observed {}, and no document declares it", words(seen));
    Some(row)
}

/// The strongest observed line of a row.
pub(super) fn strongest(row: &Row) -> Option<&Because> {
    let declared = row.declared.as_ref().map_or(0, |d| d.also.len().saturating_add(1));
    row.because.iter().skip(declared).max_by_key(|b| b.weight)
}

#[cfg(test)]
mod tests {
    use super::{assign, greedy};

    #[test]
    fn the_sum_counts_not_the_first_that_fits() {
        // The first place fits both modems, the second only the first.
        let scores = vec![vec![1000, 950], vec![1000, 10]];
        assert_eq!(assign(&scores, 2), [Some(1), Some(0)]);
        assert_eq!(greedy(&scores, 2), [Some(0), Some(1)]);
        assert_eq!(assign(&[vec![10], vec![20]], 1), [None, Some(0)]);
        assert_eq!(assign(&[vec![], vec![]], 0), [None, None]);
        assert_eq!(assign(&[], 2), []);
    }
}
