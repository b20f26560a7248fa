//! By what a module was identified: what a verdict about it stands on before any rule is asked.

use umbilical_core::answer::bom::FileAnswer;
use umbilical_core::answer::{Claim, Device, Level, Module};
use umbilical_knowledge::Knowledge;

use super::item::Thing;

/// How each module of a device was identified, in one sentence, by what [`Thing`] calls it.
pub fn in_device(kb: &Knowledge, device: &Device) -> Vec<(String, String)> {
    let modules = device.modules.iter().map(|m| {
        let label = Thing::module(kb, m).label;
        let says = sentence(&label, m, "");
        (label, says)
    });
    let product = device.product.as_ref().map(|product| {
        let label = [product.brand.as_deref(), product.model.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let says = format!("identified as {label}: {:.2}, {}", product.confidence, product.basis.name());
        (label, says)
    });
    modules.chain(product).collect()
}

/// How each module of a product's documents was identified, with its places on the board.
pub fn in_files(kb: &Knowledge, files: &[&FileAnswer]) -> Vec<(String, String)> {
    let mut out: Vec<(String, String)> = Vec::new();
    for part in files.iter().flat_map(|f| &f.parts) {
        let alternates = part.alternates.iter().filter_map(|a| a.module.as_deref());
        for module in part.module.as_deref().into_iter().chain(alternates) {
            let label = Thing::module(kb, module).label;
            if out.iter().any(|(known, _)| *known == label) {
                continue;
            }
            let places: Vec<String> = part.part.designators.iter().map(ToString::to_string).collect();
            let place = if places.is_empty() { part.at.clone() } else { format!("{}, {}", places.join(" "), part.at) };
            let says = sentence(&label, module, &format!(" ({place})"));
            out.push((label, says));
        }
        for good in Thing::beside(kb, part) {
            if !out.iter().any(|(known, _)| *known == good.label) {
                let places: Vec<String> = part.part.designators.iter().map(ToString::to_string).collect();
                let name = part.part.name().unwrap_or("a part without a number");
                let says =
                    format!("{name} stands on the board ({}): {} [declared]", [places.join(" "), part.at.clone()].join(", "), good.label);
                out.push((good.label, umbilical_core::text::clean(&says).into_owned()));
            }
        }
    }
    out
}

/// `identified as Quectel EG25-G: maker 0.97 (probable, observed), by usb-id 2c7c:0125 in line 7`.
fn sentence(label: &str, module: &Module, place: &str) -> String {
    let of = |level: Level, value: Option<&String>| module.claims.iter().find(|c| c.level == level && Some(&c.value) == value);
    // A model names its maker: whichever of the two is surer decides, as in [`Thing::module`].
    let own = module.claims.iter().find(|c| c.level == module.level);
    let claim: Option<&Claim> = match (of(Level::Maker, module.maker.as_ref()), own) {
        (Some(maker), Some(own)) if own.level <= Level::Maker && own.confidence > maker.confidence => Some(own),
        (maker, own) => maker.or(own),
    };
    let Some(claim) = claim else {
        return format!(
            "identified as {label}{place}: {:.2} ({}, {})",
            module.confidence,
            module.confidence_level.name(),
            module.basis.name()
        );
    };
    let by = claim.because.first().map(|b| format!(", by {} {} in {}", b.kind, b.value, b.at)).unwrap_or_default();
    format!(
        "identified as {label}{place}: {} {:.2} ({}, {}){by}",
        claim.level.name(),
        claim.confidence,
        claim.confidence_level.name(),
        claim.basis.name()
    )
}
