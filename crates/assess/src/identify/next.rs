//! What to collect next: the evidence that would decide what is open, the most telling first.

use umbilical_core::answer::{Cellular, Level};
use umbilical_core::weight::ConfidenceLevel;
use umbilical_core::{Group, Kind};

use super::{Placed, Verdict};

/// One artefact that speaks of many devices at once.
const SIM: &str = "the SIM platform's export with IMEIs";
/// The same.
const TAC: &str = "a licensed TAC file: `umbilical knowledge import FILE`";

/// Whether one artefact of this kind speaks of many devices at once; otherwise each device must be gone to.
pub fn at_once(item: &str) -> bool {
    matches!(item, SIM | TAC)
}

/// In words that name the command or export.
pub fn evidence(verdict: &Verdict, facts: &[Placed<'_>]) -> Vec<String> {
    let has = |kind: Kind| facts.iter().any(|p| p.fact.kind == kind);
    let group = |group: Group| facts.iter().any(|p| p.fact.group == group);
    let mut out: Vec<&str> = Vec::new();
    let own = "`AT+CGMR` and `ATI` from the module, or `mmcli -m any` on the host";
    let (sim, tac) = (SIM, TAC);
    let label = "the label of the device or module (FCC ID, model)";
    match verdict.cellular {
        Cellular::No => {}
        Cellular::Unknown => {
            match (has(Kind::UsbId), has(Kind::PciId)) {
                (false, false) => out.push("`lsusb -v` and `lspci -nn` of the host, or an SNMP walk of the router"),
                (true, false) => out.push("`lspci -nn` of the host: a modem on PCI Express does not show in a USB listing"),
                (false, true) => out.push("`lsusb -v` of the host: a USB modem does not show in a PCI listing"),
                (true, true) => out.push(own),
            }
            out.push(sim);
            out.push(label);
        }
        Cellular::Yes if verdict.modules.is_empty() && verdict.product.as_ref().is_none_or(|p| p.kind == "router") => {
            out.push(own);
            if has(Kind::Tac) {
                out.push(tac);
            } else {
                out.push(sim);
            }
            out.push(label);
        }
        Cellular::Yes => {
            for module in &verdict.modules {
                if module.model.is_none() || !module.conflicts.is_empty() {
                    out.push(own);
                }
                if module.maker.is_none() && has(Kind::Tac) {
                    out.push(tac);
                }
                let firm = module.confidence_level == ConfidenceLevel::Confirmed;
                if !firm && !group(Group::Network) {
                    out.push(sim);
                }
                if !firm && !group(Group::OwnWord) && module.level <= Level::Maker {
                    out.push(own);
                }
                if !firm && group(Group::OwnWord) && group(Group::Network) && !group(Group::Document) {
                    out.push(label);
                }
            }
        }
    }
    let mut seen = Vec::new();
    out.retain(|item| {
        let new = !seen.contains(item);
        seen.push(item);
        new
    });
    out.into_iter().map(str::to_owned).collect()
}
