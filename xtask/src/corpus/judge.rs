//! Compares an answer with the truth of one file.
//!
//! Strict on purpose: a maker is wrong as soon as *any* module of the answer names another one; a model that stops
//! at the family is neither right nor wrong but counted apart, and as silent in the recall.

use crate::answer::{Audit, Module};

/// Names of one maker. Each list is one maker's names over time; a name in two lists (the merged company) is met by
/// either. Two makers with a common owner are not the same maker.
const SAME: &[&[&str]] = &[
    &["telit", "telitcinterion", "telitwirelesssolutions"],
    // Siemens' module division, then Cinterion, Gemalto M2M, Thales DIS, and Telit Cinterion since 2023.
    &["cinterion", "cinterionwirelessmodules", "gemalto", "gemaltom2m", "thales", "thalesdis", "telitcinterion"],
    &["airm2m", "luat", "openluat", "airm2mluat"],
    &["meig", "meiglink", "meigsmart", "meigsmarttechnology"],
    &["sierrawireless", "sierrawirelessinc", "sierrawirelessincorporated", "sierra"],
    &["foxconn", "honhai", "honhaifoxconn"],
    &["ublox", "ubloxag"],
    &["simcom", "simcomwireless", "simcomwirelesssolutions"],
    &["quectel", "quectelwirelesssolutions"],
    &["fibocom", "fibocomwireless", "fibocomwirelessinc"],
];

/// Letters and digits, in lower case.
pub fn squash(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether two names are of one maker.
pub fn same_maker(a: &str, b: &str) -> bool {
    let (a, b) = (squash(a), squash(b));
    a == b || SAME.iter().any(|names| names.contains(&a.as_str()) && names.contains(&b.as_str()))
}

/// Whether `answer` is `truth` or a build of it: `FE910C04-EU` for `FE910C04`.
pub fn same_model(answer: &str, truth: &str) -> bool {
    squash(answer) == squash(truth) || stem_of(truth, answer)
}

/// Whether `stem` begins `longer` and ends there at a boundary: before a separator, or between a digit and a letter
/// (`SIM7080`, `SIM7080G`). `EC20` does not begin `EC200A`.
fn stem_of(stem: &str, longer: &str) -> bool {
    let stem = squash(stem);
    let mut want = stem.chars().peekable();
    let mut rest = longer.chars();
    while want.peek().is_some() {
        match rest.next() {
            Some(c) if !c.is_alphanumeric() => {}
            Some(c) if c.to_lowercase().eq(want.next()) => {}
            _ => return false,
        }
    }
    match (stem.chars().last(), rest.next()) {
        (None, _) | (_, None) => false,
        (Some(_), Some(next)) if !next.is_alphanumeric() => true,
        (Some(last), Some(next)) => last.is_ascii_digit() && next.is_alphabetic(),
    }
}

/// What a file really is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    /// The maker.
    pub maker: String,
    /// The maker's model, where known.
    pub model: Option<String>,
    /// Names that the brand gives it, and words of its brand.
    pub sold_as: Vec<String>,
}

impl Truth {
    /// From the columns of the index: `EM7455 (Dell DW5811e)` is made as EM7455 and sold as DW5811e.
    pub fn new(vendor: &str, model: &str) -> Self {
        let (name, rest) = model.split_once('(').unwrap_or((model, ""));
        let sold_as = rest
            .trim_end_matches(')')
            .split([' ', ',', ';'])
            .flat_map(|word| word.split("-branded"))
            .filter(|word| word.len() > 2 && !word.contains(':') && word.starts_with(|c: char| c.is_uppercase()))
            .map(str::to_owned)
            .collect();
        let name = name.trim();
        Self { maker: vendor.to_owned(), model: (!name.is_empty()).then(|| name.to_owned()), sold_as }
    }
}

/// One comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// As in truth.
    Right,
    /// A stem of the truth: right as far as it goes.
    Family,
    /// Something else.
    Wrong,
    /// Nothing said.
    Silent,
}

/// What one answer is worth.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The maker.
    pub maker: Mark,
    /// The model; `None` where truth has none.
    pub model: Option<Mark>,
    /// The brand names somebody who neither made nor sold it.
    pub brand_wrong: bool,
    /// Every claim of a maker: its confidence, and whether it holds.
    pub claims: Vec<(f64, bool)>,
}

/// Judges the modules of an answer against the truth.
pub fn judge(audit: &Audit, truth: &Truth) -> Judged {
    let modules: Vec<&Module> = audit.devices.iter().flat_map(|d| &d.modules).collect();
    let maker_is = |name: &str| same_maker(name, &truth.maker);
    let maker =
        overall(modules.iter().filter_map(|m| m.maker.as_deref()).map(|name| if maker_is(name) { Mark::Right } else { Mark::Wrong }));
    let model = truth.model.as_deref().map(|model| overall(modules.iter().map(|m| model_mark(m, model, &truth.sold_as))));
    let brand_is = |name: &str| maker_is(name) || truth.sold_as.iter().any(|word| squash(name) == squash(word));
    let claims =
        modules.iter().flat_map(|m| &m.claims).filter(|c| c.level == "maker").map(|c| (c.confidence, maker_is(&c.value))).collect();
    let brand_wrong = modules.iter().filter_map(|m| m.brand.as_deref()).any(|name| !brand_is(name));
    Judged { maker, model, brand_wrong, claims }
}

/// One wrong word spoils the answer; otherwise the best counts.
fn overall(marks: impl Iterator<Item = Mark>) -> Mark {
    let marks: Vec<Mark> = marks.collect();
    [Mark::Wrong, Mark::Right, Mark::Family].into_iter().find(|m| marks.contains(m)).unwrap_or(Mark::Silent)
}

fn model_mark(m: &Module, truth: &str, sold_as: &[String]) -> Mark {
    let names = [&m.model, &m.variant].into_iter().flatten();
    if m.sold_as.as_deref().is_some_and(|name| sold_as.iter().chain([&truth.to_owned()]).any(|s| same_model(name, s))) {
        return Mark::Right;
    }
    // The family alone decides only where no model is named: `LE922` said as a family is right for `LE922`.
    let family = m.family.iter().filter(|_| m.model.is_none());
    let said: Vec<&str> = names.chain(family).map(String::as_str).collect();
    if said.is_empty() {
        Mark::Silent
    } else if said.iter().any(|s| same_model(s, truth)) {
        Mark::Right
    } else if said.iter().any(|s| stem_of(s, truth)) || m.model.is_none() && m.family.as_deref().is_some_and(|f| in_family(f, truth)) {
        Mark::Family
    } else {
        Mark::Wrong
    }
}

/// `EM74xx` holds `EM7455`.
fn in_family(family: &str, model: &str) -> bool {
    let family = squash(family);
    let stem = family.trim_end_matches('x');
    stem.len() > 1 && squash(model).starts_with(stem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::{Claim, Device};

    fn module(maker: &str, model: &str) -> Module {
        let some = |s: &str| (!s.is_empty()).then(|| s.to_owned());
        let claim = |level: &str, value: &str, confidence| Claim { level: level.into(), value: value.into(), confidence };
        Module {
            brand: some(maker),
            maker: some(maker),
            model: some(model),
            claims: vec![claim("model", model, 0.9), claim("maker", maker, 0.95)],
            ..Module::default()
        }
    }

    fn answer(modules: Vec<Module>) -> Audit {
        Audit { devices: vec![Device { modules, ..Device::default() }], ..Audit::default() }
    }

    #[test]
    fn makers_have_several_names() {
        assert!(same_maker("Telit", "Telit Cinterion") && same_maker("Telit Cinterion", "Cinterion"));
        assert!(!same_maker("Telit", "Cinterion"), "two makers under one owner");
        assert!(same_maker("Luat", "AirM2M (Luat)") && same_maker("Meiglink", "MeiG"));
        assert!(same_maker("Sierra Wireless, Incorporated", "Sierra Wireless"));
        assert!(!same_maker("Rolling Wireless", "Fibocom") && !same_maker("NetPrisma", "Quectel"));
    }

    #[test]
    fn models_end_at_boundaries() {
        for (answer, truth) in [
            ("FE910C04-EU", "FE910C04"),
            ("EM20-G", "EM20"),
            ("SIM7080G", "SIM7080"),
            ("RW350R-GL", "RW350"),
            ("em7455", "EM7455"),
            ("LARA-R6 01B", "LARA-R6-01B"),
        ] {
            assert!(same_model(answer, truth), "{answer} {truth}");
        }
        for (answer, truth) in
            [("EC200A", "EC20"), ("EC25", "EC25-E"), ("EG0600", "EG06"), ("T99W373", "T99W175"), ("EC200AM", "EC200A"), ("", "EC20")]
        {
            assert!(!same_model(answer, truth), "{answer} {truth}");
        }
    }

    #[test]
    fn truth_names_brand_and_maker() {
        let truth = Truth::new("Foxconn", "T77W676 (sold as Telit LN940)");
        assert_eq!((truth.model.as_deref(), truth.sold_as), (Some("T77W676"), vec!["Telit".to_owned(), "LN940".to_owned()]));
        assert_eq!(Truth::new("Fibocom", "FM101R-GL (Dell-branded 413c:8213)").sold_as, ["Dell"]);
        assert_eq!(Truth::new("Telit", "FN990 (core dump mode)"), Truth::new("Telit", "FN990"));
        assert_eq!(Truth::new("u-blox", "(LTE modem; model not stated)").model, None);
        assert_eq!(Truth::new("Quectel", "").model, None);
    }

    #[test]
    fn right_wrong_family_silent() {
        let truth = Truth::new("Quectel", "EC25-E");
        let mark = |modules| {
            let j = judge(&answer(modules), &truth);
            (j.maker, j.model)
        };
        assert_eq!(mark(vec![module("Quectel", "EC25-E")]), (Mark::Right, Some(Mark::Right)));
        assert_eq!(mark(vec![module("Quectel", "EC25")]), (Mark::Right, Some(Mark::Family)));
        assert_eq!(mark(vec![module("Quectel", "EG25-G")]), (Mark::Right, Some(Mark::Wrong)));
        assert_eq!(mark(vec![module("Quectel", "")]), (Mark::Right, Some(Mark::Silent)));
        assert_eq!(mark(vec![]), (Mark::Silent, Some(Mark::Silent)));
        // A right module does not hide a wrong one.
        assert_eq!(mark(vec![module("Quectel", "EC25-E"), module("Fibocom", "")]).0, Mark::Wrong);
        assert_eq!(judge(&answer(vec![module("Fibocom", "")]), &truth).claims, [(0.95, false)]);
    }

    #[test]
    fn a_brand_may_sell_it() {
        let truth = Truth::new("Foxconn", "T77W968 (Dell DW5821e)");
        let mut sold = module("Foxconn", "");
        (sold.brand, sold.sold_as) = (Some("Dell".into()), Some("DW5821e".into()));
        let judged = judge(&answer(vec![sold.clone()]), &truth);
        assert_eq!((judged.maker, judged.model, judged.brand_wrong), (Mark::Right, Some(Mark::Right), false));
        sold.brand = Some("HP".into());
        assert!(judge(&answer(vec![sold]), &truth).brand_wrong);
        // The brand in the maker's place is wrong.
        assert_eq!(judge(&answer(vec![module("Dell", "DW5821e")]), &truth).maker, Mark::Wrong);
    }

    #[test]
    fn families_count_apart() {
        let truth = Truth::new("Sierra Wireless", "EM7455 (Dell DW5811e)");
        let mut family = module("Sierra Wireless", "");
        family.family = Some("EM74xx".into());
        assert_eq!(judge(&answer(vec![family.clone()]), &truth).model, Some(Mark::Family));
        family.family = Some("MC74xx".into());
        assert_eq!(judge(&answer(vec![family]), &truth).model, Some(Mark::Wrong));
        let mut whole = module("Telit", "LE922A6");
        whole.family = Some("LE922".into());
        assert_eq!(judge(&answer(vec![whole]), &Truth::new("Telit", "LE922")).model, Some(Mark::Right));
    }
}
