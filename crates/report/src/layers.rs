//! The seven layers in which a module can be looked into, and what is known in each.
//!
//! A layer never reads *clean*: it is `evidence` (something speaks), `unknown` (something was given and does not
//! decide), or `absent` (nothing of this kind was given).

use umbilical_core::Group;
use umbilical_core::answer::{Because, Cellular, Device};

use crate::say;

/// What is known in a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Something speaks.
    Evidence,
    /// Nothing of this kind was given.
    Absent,
    /// What was given does not decide.
    Unknown,
}

impl State {
    /// The word in every output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Evidence => "evidence",
            Self::Absent => "absent",
            Self::Unknown => "unknown",
        }
    }
}

/// One layer of one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// `HBOM`, `isolation`, `behaviour`, `update`, `segmentation`, `supply`, `law`.
    pub name: &'static str,
    /// What it asks, for people.
    pub asks: &'static str,
    /// What is known.
    pub state: State,
    /// In a sentence.
    pub why: String,
}

const NONE_GIVEN: &str = "no evidence of this kind was given";

/// The seven layers of a device, in the order of the table.
pub fn layers(device: &Device) -> [Layer; 7] {
    let layer = |name, asks, (state, why)| Layer { name, asks, state, why };
    [
        layer("HBOM", "do documents declare the module?", declared(device)),
        layer("isolation", "is the modem kept apart from the host?", judged(device, "host", None)),
        layer("behaviour", "what does it say on the network?", judged(device, "detector", Some(Group::Traffic))),
        layer("update", "who can change its firmware?", update(device)),
        layer("segmentation", "what may it reach?", judged(device, "containment", None)),
        layer("supply", "who stands behind it?", supply(device)),
        layer("law", "whose law and which lists reach it?", law(device)),
    ]
}

fn reasons(device: &Device) -> impl Iterator<Item = &Because> {
    let claims = device.modules.iter().flat_map(|m| &m.claims).flat_map(|c| c.because.iter().chain(&c.against));
    device.because.iter().chain(device.modules.iter().flat_map(|m| m.because.iter().chain(&m.against))).chain(claims)
}

fn of_group(device: &Device, group: Group) -> Option<&Because> {
    reasons(device).find(|b| b.group == group.name())
}

fn declared(device: &Device) -> (State, String) {
    let of_bom = device.findings.iter().filter(|f| f.source == "bom").count();
    match (of_group(device, Group::Document), of_bom) {
        (Some(b), _) => (State::Evidence, format!("a document says {}", say::read(b))),
        (None, 0) => (State::Absent, NONE_GIVEN.to_owned()),
        (None, n) => (State::Evidence, format!("{} about its bill of materials", say::counted(n as u64, "finding"))),
    }
}

/// A layer that findings of one source, or facts of one witness, speak about.
fn judged(device: &Device, source: &str, group: Option<Group>) -> (State, String) {
    let findings = device.findings.iter().filter(|f| f.source == source).count();
    match (findings, group.and_then(|g| of_group(device, g))) {
        (0, None) => (State::Absent, NONE_GIVEN.to_owned()),
        (0, Some(b)) => (State::Evidence, format!("{} was seen", say::read(b))),
        (n, _) => (State::Evidence, say::counted(n as u64, "finding")),
    }
}

fn update(device: &Device) -> (State, String) {
    let (state, why) = judged(device, "image", Some(Group::Image));
    let firmware = device.modules.iter().find_map(|m| m.firmware.as_deref());
    match (state, firmware) {
        (State::Absent, Some(revision)) => {
            (State::Unknown, format!("revision {revision} was read; how it is updated and by whom was not examined"))
        }
        _ => (state, why),
    }
}

fn supply(device: &Device) -> (State, String) {
    let mut parts = Vec::new();
    for trace in device.modules.iter().flat_map(|m| &m.ownership) {
        let traced = !trace.chain.is_empty() || !trace.owner.is_empty() || !trace.jurisdictions.is_empty();
        if traced {
            let owner = if trace.owner.is_empty() { "owner unknown".to_owned() } else { format!("owner {}", trace.owner.join(", ")) };
            parts.push(format!("{} {}: {owner}", trace.role, trace.name));
        }
    }
    if parts.is_empty() { unknown_maker(device) } else { (State::Evidence, parts.join("; ")) }
}

fn law(device: &Device) -> (State, String) {
    let traces = device.modules.iter().flat_map(|m| &m.ownership);
    let said: Vec<String> =
        traces.filter(|t| !t.jurisdictions.is_empty() || !t.listings.is_empty()).map(|t| format!("{}: {}", t.name, t.statement)).collect();
    if said.is_empty() { unknown_maker(device) } else { (State::Evidence, said.join("; ")) }
}

fn unknown_maker(device: &Device) -> (State, String) {
    let makers: Vec<&str> = device.modules.iter().filter_map(|m| m.maker.as_deref()).collect();
    let why = match (&*makers, device.cellular) {
        ([], Cellular::No) => return (State::Absent, "no cellular module was found here".to_owned()),
        ([], _) => match device.next_evidence.first() {
            Some(next) => format!("the module's maker is unknown: collect {next}"),
            None => "the module's maker is unknown".to_owned(),
        },
        (makers, _) => format!("no organisation on file for {}", makers.join(", ")),
    };
    (State::Unknown, why)
}
