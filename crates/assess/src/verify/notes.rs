//! What must be said beside the rows: that a device is another product, that it is open, what no comparison sees.

use umbilical_core::answer::verify::{Compared, Declared, Verify};
use umbilical_core::answer::{Cellular, Device};
use umbilical_knowledge::{Knowledge, key};

use super::fit::same_maker;

/// Whether a device is the product that the documents are about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Same {
    /// It is, or was named by the user, or is the only one.
    Yes,
    /// Evidence does not say.
    Unknown,
    /// It is another.
    No,
}

/// A device and whether it is the product that the documents are about.
pub(super) struct About {
    pub compared: Compared,
    pub same: Same,
}

/// What must be said of comparing a device with the documents.
pub(super) fn about(kb: &Knowledge, declared: Option<&Declared>, device: &Device, devices: usize, named: bool, clean: bool) -> About {
    let mut notes = Vec::new();
    let other = declared.and_then(|d| other_product(kb, d, device));
    let same = match &other {
        Some(_) if !named => Same::No,
        None if devices > 1 && !named && !is_named_product(declared, device) => Same::Unknown,
        _ => Same::Yes,
    };
    if let Some(other) = other {
        notes.push(if named {
            format!("{other}; compared because the device was named")
        } else {
            format!("{other}: compared all the same")
        });
    }
    if device.cellular == Cellular::Unknown {
        let collect = device.next_evidence.first().map_or("`lsusb` of the powered device", String::as_str);
        notes.push(format!("whether it is cellular is not known: collect {collect}"));
    }
    if device.cellular == Cellular::No && clean {
        notes.push("nothing is declared, and no modem shows where one would".to_owned());
    }
    let compared =
        Compared { device: device.id.clone(), label: label(device), host: device.host.clone(), cellular: device.cellular, notes };
    About { compared, same }
}

/// What people call a device, else its first identifier.
pub(super) fn label(device: &Device) -> String {
    let ids = &device.identifiers;
    let lists = [&ids.asset_id, &device.names, &ids.serial, &ids.imei, &ids.mac, &ids.vin];
    lists.into_iter().find_map(|l| l.first()).unwrap_or(&device.id).clone()
}

/// The names of a device: the one around the module, else the product it is.
fn names(device: &Device) -> (Option<&str>, Option<&str>) {
    match (&device.host, &device.product) {
        (Some(host), _) => (host.brand.as_deref(), host.model.as_deref()),
        (None, Some(product)) => (product.brand.as_deref(), product.model.as_deref()),
        (None, None) => (None, None),
    }
}

/// In words that it is another product; `None` where it is the same or that cannot be said.
fn other_product(kb: &Knowledge, declared: &Declared, device: &Device) -> Option<String> {
    let (brand, model) = names(device);
    let differs = match (declared.model.as_deref(), model) {
        (Some(a), Some(b)) => !alike(a, b),
        // Without models on both sides only brands can tell, and only known ones: a builder's name is not the brand's.
        _ => match (declared.brand.as_deref(), brand) {
            (Some(a), Some(b)) => kb.brand(a).is_some() && kb.brand(b).is_some() && !same_maker(kb, Some(a), Some(b)),
            _ => false,
        },
    };
    let say = |parts: [Option<&str>; 2]| parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
    differs.then(|| {
        format!(
            "evidence names {} around it, the documents are about {}",
            say([brand, model]),
            say([declared.brand.as_deref(), declared.model.as_deref()])
        )
    })
}

fn is_named_product(declared: Option<&Declared>, device: &Device) -> bool {
    let model = declared.and_then(|d| d.model.as_deref());
    matches!((model, names(device).1), (Some(a), Some(b)) if alike(a, b))
}

/// Whether one name holds the other: `Gateway GW-17 rev C` and `GW-17`.
fn alike(a: &str, b: &str) -> bool {
    let (a, b) = (key(a), key(b));
    !a.is_empty() && !b.is_empty() && (a.contains(&b) || b.contains(&a))
}

/// That radios were heard which belong to no device.
pub(super) fn not_tied(others: usize, near: Option<i32>) -> String {
    match near {
        None => format!(
            "{others} radio(s) were heard whose address is no device's here: where the survey was taken beside the device, `--near -45` takes \
             those of at least that signal for its own"
        ),
        Some(dbm) => format!("{others} radio(s) were heard with less than {dbm} dBm and belong to no device here"),
    }
}

/// That devices were compared of which nobody knows whether they are the product.
pub(super) fn unnamed(count: usize) -> String {
    format!(
        "of {count} device(s) it is not known whether they are the product that the documents are about: their findings weigh half; name the device \
         with --device"
    )
}

/// What this comparison cannot see.
pub(super) fn limits(out: &Verify, declared: bool) -> Vec<String> {
    let mut limits = Vec::new();
    if declared {
        limits.push(
            "a module that is off, asleep or out of the collector's reach looks like one that is not there; a match shows what the module says \
             of itself, not that nothing else is on the board"
                .to_owned(),
        );
    }
    if out.radios.iter().any(|r| r.witness == "catalogue") {
        limits.push(
            "radios by design are those of the catalogue: a model without an entry was not looked up, which is not \"none\"".to_owned(),
        );
    }
    if !out.sweeps.is_empty() {
        limits.push("a sweep hears whoever sends near the antenna: it never names a module, and silence proves nothing".to_owned());
    }
    limits.push(
        "no software sees implants inside a package, a changed die, dormant functions, or firmware that lies about its version: that takes \
         X-ray, opening the package, and power and radio measurements of the pieces in the sample"
            .to_owned(),
    );
    limits
}
