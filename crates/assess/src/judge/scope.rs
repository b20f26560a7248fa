//! Whether a rule reaches a case at all: market, facts of the asset and the deal, zones, the operator's own condition.

use umbilical_core::{Basis, Day};
use umbilical_knowledge::policy::{Conditions, Facts, Pack, Value, Zone};

use super::truth::{Hit, Truth, said};

/// All conditions on facts.
pub(super) fn all(conditions: &Conditions, facts: &Facts, bound: bool) -> Truth {
    conditions.0.iter().map(|(name, demand)| one(name, demand, facts, bound)).fold(Truth::always(), Truth::and)
}

fn one(name: &str, demand: &umbilical_knowledge::policy::Demand, facts: &Facts, bound: bool) -> Truth {
    match facts.get(name) {
        Some(value) if demand.fits(value) => Truth::yes(said(Basis::Declared, format!("{}: {value}", words(name)))),
        Some(value) => Truth::no(said(Basis::Declared, format!("{}: {value}, and the rule reaches {demand}", words(name)))),
        // Who asks for a law by name wants to know what it says to those whom it binds.
        None if bound && WHO.contains(&name) => Truth::yes(said(Basis::Inferred, format!("judged as if {}: {demand}", words(name)))),
        None => Truth::unknown(format!("say `{name}`: the rule reaches {} {demand}", words(name))),
    }
}

/// Facts of the deal, which asking for a pack by name stands for.
const WHO: [&str; 3] = ["market", "buyer", "funded_by"];

fn words(name: &str) -> String {
    name.replace('_', " ")
}

/// Whether the pack's law holds in the market.
pub(super) fn market(pack: &Pack, facts: &Facts, bound: bool) -> Truth {
    let jurisdiction = pack.jurisdiction.get_ref();
    if jurisdiction == "any" {
        return Truth::always();
    }
    match facts.get("market") {
        Some(Value::Words(markets)) => {
            if markets.iter().any(|m| lies_inside(m, jurisdiction)) {
                Truth::yes(said(Basis::Declared, format!("market: {}", markets.join(", "))))
            } else {
                Truth::no(said(Basis::Declared, format!("market: {}, and this is the law of {jurisdiction}", markets.join(", "))))
            }
        }
        _ if bound => Truth::yes(said(Basis::Inferred, format!("judged as if the market were {jurisdiction}"))),
        _ => Truth::unknown(format!("say `market`: this is the law of {jurisdiction}")),
    }
}

/// Whether a market lies inside a jurisdiction: `US-TX` in `US`, `LT` in `EU`.
pub fn lies_inside(market: &str, jurisdiction: &str) -> bool {
    market == jurisdiction
        || market.strip_prefix(jurisdiction).is_some_and(|rest| rest.starts_with('-'))
        || (jurisdiction == "EU" && crate::trace::EU.contains(&market))
}

/// The facts with those that follow from them on a day: zones, and whether an approval still runs.
pub(super) fn worked_out(zones: &[Zone], facts: &Facts, day: Day) -> Option<Facts> {
    let located = located(zones, facts, day);
    let known = located.as_ref().unwrap_or(facts);
    let Some(Value::Day(last)) = known.get("conditional_approval").filter(|_| known.get("approved").is_none()) else { return located };
    let runs = if day <= *last { "yes" } else { "no" };
    let mut out = known.clone();
    out.say("approved", runs).ok()?;
    Some(out)
}

/// The facts with the zones that the place lies in, where zones are drawn and the place is known.
fn located(zones: &[Zone], facts: &Facts, day: Day) -> Option<Facts> {
    let (Some(Value::Number(lat)), Some(Value::Number(lon))) = (facts.get("lat"), facts.get("lon")) else { return None };
    if zones.is_empty() || facts.get("zone").is_some() {
        return None;
    }
    let holds = |z: &&Zone| umbilical_core::date::holds(day, z.from.map(|d| d.0), z.to.map(|d| d.0)) != umbilical_core::date::Holds::No;
    let names: Vec<&str> = zones.iter().filter(holds).filter(|z| within(&z.corners, *lat, *lon)).map(|z| z.name.as_str()).collect();
    let mut out = facts.clone();
    let names = if names.is_empty() { "none".to_owned() } else { names.join(",") };
    out.say("zone", &names).ok()?;
    Some(out)
}

/// Even-odd rule on the plate carrée: right for zones of some hundred kilometres that do not cross the date line.
fn within(corners: &[[f64; 2]], lat: f64, lon: f64) -> bool {
    let mut inside = false;
    let mut previous = corners.last();
    for corner in corners {
        if let Some([lat_a, lon_a]) = previous {
            let [lat_b, lon_b] = corner;
            if (lat_a > &lat) != (lat_b > &lat) && lon < (lon_b - lon_a) * (lat - lat_a) / (lat_b - lat_a) + lon_a {
                inside = !inside;
            }
        }
        previous = Some(corner);
    }
    inside
}

/// Whether all conditions of an exception or exemption are known to hold.
pub(super) fn claimed(conditions: &Conditions, facts: &Facts) -> Hit {
    all(conditions, facts, false).hit
}
