//! Lines that give a name and a value, as status pages, command-line tools and configuration files print them, and
//! what the usual names mean when they speak of a cellular modem.
//!
//! **Traps.** `Model:` on a router's page is the router; `Modem Model:` is the modem. So a name is *qualified* when it
//! says that a modem is meant (or can mean nothing else: IMEI), and bare names count only where the caller knows that
//! the lines are about a modem. `Type: LTE` is not a model: such names need a value that the catalogue knows.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;
use umbilical_core::number::{Imei, imei, is_masked};
use umbilical_core::text::is_blank;
use umbilical_core::{Basis, Group, IdKind, Kind};
use umbilical_knowledge::{BrandKind, Knowledge, Scope, Strength};

use super::{Host, Part};

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum What {
    Manufacturer,
    Model,
    /// Names such as `Type`, whose value is a model only sometimes.
    MaybeModel,
    Revision,
    Hardware,
    Chipset,
    Imei,
    Imsi,
    Iccid,
    Msisdn,
    Eid,
    Meid,
    /// A modem's own serial number: says nothing unless it is its IMEI.
    ModemSerial,
    /// Only a cellular device has this.
    Cellular,
    HostMaker,
    HostModel,
    HostSerial,
    HostName,
}

/// Names that can mean only one thing, and names that mean it among lines about a modem.
const NAMES: &[(&str, What)] = &[
    ("manufacturer", What::Manufacturer),
    ("manufacturername", What::Manufacturer),
    ("manufacture", What::Manufacturer),
    ("manuf", What::Manufacturer),
    ("mfr", What::Manufacturer),
    ("mfg", What::Manufacturer),
    ("maker", What::Manufacturer),
    ("vendor", What::Manufacturer),
    ("vendorname", What::Manufacturer),
    ("vender", What::Manufacturer),
    ("hersteller", What::Manufacturer),
    ("fabricant", What::Manufacturer),
    ("fabricante", What::Manufacturer),
    ("制造商", What::Manufacturer),
    ("厂商", What::Manufacturer),
    ("model", What::Model),
    ("modell", What::Model),
    ("modelo", What::Model),
    ("modelname", What::Model),
    ("modelid", What::Model),
    ("modelno", What::Model),
    ("modelnumber", What::Model),
    ("devicemodelid", What::Model),
    ("mdl", What::Model),
    ("mfgmdl", What::Model),
    ("mfgmodel", What::Model),
    ("型号", What::Model),
    ("type", What::MaybeModel),
    ("name", What::MaybeModel),
    ("product", What::MaybeModel),
    ("productname", What::MaybeModel),
    ("description", What::MaybeModel),
    ("device", What::MaybeModel),
    ("card", What::MaybeModel),
    ("cardtype", What::MaybeModel),
    ("firmware", What::Revision),
    ("firmwareversion", What::Revision),
    ("firmwarerevision", What::Revision),
    ("firmwarever", What::Revision),
    ("firmwareversionnumber", What::Revision),
    ("fw", What::Revision),
    ("fwversion", What::Revision),
    ("fwver", What::Revision),
    ("fwrev", What::Revision),
    ("revision", What::Revision),
    ("rev", What::Revision),
    ("softwareversion", What::Revision),
    ("softwarerevision", What::Revision),
    ("sw", What::Revision),
    ("swversion", What::Revision),
    ("swver", What::Revision),
    ("version", What::Revision),
    ("verpkg", What::Revision),
    ("固件版本", What::Revision),
    ("软件版本", What::Revision),
    ("hardware", What::Hardware),
    ("hardwareversion", What::Hardware),
    ("hardwarerevision", What::Hardware),
    ("hw", What::Hardware),
    ("hwversion", What::Hardware),
    ("hwver", What::Hardware),
    ("hwrevision", What::Hardware),
    ("chipset", What::Chipset),
    ("platform", What::Chipset),
    ("imei", What::Imei),
    ("imei1", What::Imei),
    ("imei2", What::Imei),
    ("imeinumber", What::Imei),
    ("imeino", What::Imei),
    ("imeicode", What::Imei),
    ("nrimei", What::Imei),
    ("nrimsi", What::Imsi),
    ("nriccid", What::Iccid),
    ("imeisv", What::Imei),
    ("imeisn", What::Imei),
    ("imeimeid", What::Imei),
    ("imeiesn", What::Imei),
    ("esnimei", What::Imei),
    ("esneidimei", What::Imei),
    ("esnmeidimei", What::Imei),
    ("meidimei", What::Imei),
    ("deviceimei", What::Imei),
    ("internationalmobileequipmentidentity", What::Imei),
    ("internationalmobileequipmentidentityimei", What::Imei),
    ("国际移动设备识别码", What::Imei),
    ("imsi", What::Imsi),
    ("imsinumber", What::Imsi),
    ("internationalmobilesubscriberidentity", What::Imsi),
    ("internationalmobilesubscriberidentityimsi", What::Imsi),
    ("iccid", What::Iccid),
    ("ccid", What::Iccid),
    ("iccidnumber", What::Iccid),
    ("uicc", What::Iccid),
    ("icc", What::Iccid),
    ("usimiccid", What::Iccid),
    ("integratedcircuitcardid", What::Iccid),
    ("integratedcircuitcardidiccid", What::Iccid),
    ("msisdn", What::Msisdn),
    ("mdn", What::Msisdn),
    ("phonenumber", What::Msisdn),
    ("mobiledirectorynumbermdn", What::Msisdn),
    ("digitalnetworknumbermsisdn", What::Msisdn),
    ("eid", What::Eid),
    ("euicc", What::Eid),
    ("euiccid", What::Eid),
    ("meid", What::Meid),
    ("serial", What::ModemSerial),
    ("serialnumber", What::ModemSerial),
    ("sn", What::ModemSerial),
    ("fsn", What::ModemSerial),
    ("rsrp", What::Cellular),
    ("rsrq", What::Cellular),
    ("rscp", What::Cellular),
    ("currentrsrp", What::Cellular),
    ("currentrsrq", What::Cellular),
    ("ltersrp", What::Cellular),
    ("ltersrq", What::Cellular),
    ("lterssi", What::Cellular),
    ("nrrsrp", What::Cellular),
    ("earfcn", What::Cellular),
    ("apn", What::Cellular),
    ("activeapn", What::Cellular),
    ("plmn", What::Cellular),
    ("simstatus", What::Cellular),
    ("simstate", What::Cellular),
    ("simcard", What::Cellular),
    ("simcardstatus", What::Cellular),
    ("pinstatus", What::Cellular),
    ("currentoperator", What::Cellular),
    ("currentcellid", What::Cellular),
    ("networkoperator", What::Cellular),
    ("registrationstatus", What::Cellular),
    ("registrationstate", What::Cellular),
    ("networkregistration", What::Cellular),
    ("cellid", What::Cellular),
    ("physicalcellid", What::Cellular),
    ("lteband", What::Cellular),
    ("radiotechnology", What::Cellular),
    ("modemstatus", What::Cellular),
    ("modemstate", What::Cellular),
];

/// Names that speak of the box, not of the modem in it.
const HOST_NAMES: &[(&str, What)] = &[
    ("hostname", What::HostName),
    ("systemname", What::HostName),
    ("devicename", What::HostName),
    ("routername", What::HostName),
    ("identity", What::HostName),
    ("devicemodel", What::HostModel),
    ("routermodel", What::HostModel),
    ("productname", What::HostModel),
    ("productmodel", What::HostModel),
    ("productcode", What::HostModel),
    ("systemmodel", What::HostModel),
    ("gatewaymodel", What::HostModel),
    ("routerserial", What::HostSerial),
    ("deviceserialnumber", What::HostSerial),
    ("systemserialnumber", What::HostSerial),
    ("companyname", What::HostMaker),
];

/// Words in front of a name that say: the modem is meant.
const QUALIFIERS: &[&str] = &[
    "currentmodem",
    "internalmodem",
    "cellularmodem",
    "ltemodem",
    "wwanmodem",
    "embeddedmodem",
    "modem",
    "cellularmodule",
    "radiomodule",
    "ltemodule",
    "5gmodule",
    "wirelessmodule",
    "celldevice",
    "module",
    "cellular",
    "mobile",
    "radio",
    "wwan",
    "baseband",
    "lte",
    "gsm",
    "5g",
    "4g",
    "3g",
    "sim",
    "usim",
    "cell",
    "mdm",
    "m",
    "模组",
    "模块",
];

/// Longer lines are data, not values somebody printed; an inventory run together on one line is shorter.
pub(super) const LONGEST_LINE: usize = 8000;

/// No name that means something is longer, squashed.
const LONGEST_NAME: usize = 64;

/// Letters and digits of a name in lower case: `Modem Firmware-Version`, `modemFirmwareVersion` and
/// `modem_firmware_version` are one.
pub(super) fn squash(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// What a squashed name means among lines about a modem, and whether it says itself that a modem is meant.
pub(super) fn meaning(name: &str) -> Option<(What, bool)> {
    static INDEX: LazyLock<FxHashMap<&str, What>> = LazyLock::new(|| NAMES.iter().copied().collect());
    if name.len() > LONGEST_NAME {
        return None;
    }
    let find = |n: &str| INDEX.get(n).copied();
    if let Some(what) = find(name) {
        let alone = matches!(what, What::Imei | What::Imsi | What::Iccid | What::Msisdn | What::Eid | What::Meid | What::Cellular);
        // The model of one vendor's command, and the typing error of another's: nobody else prints these.
        return Some((what, alone || matches!(name, "devicemodelid" | "mfgmdl" | "mfgmodel" | "verpkg")));
    }
    for qualifier in QUALIFIERS {
        let Some(rest) = name.strip_prefix(qualifier) else { continue };
        // `Modem 1 Model`, `sim2 iccid`.
        let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let what = match find(rest) {
            // `SIM serial` is the card.
            Some(What::ModemSerial) if qualifier.ends_with("sim") => Some(What::Iccid),
            None if matches!(*qualifier, "sim" | "usim") && matches!(rest, "id" | "cardid" | "number" | "cardnumber" | "serialno") => {
                Some(What::Iccid)
            }
            // `m…` is a column of one MIB, and `sim type` or `cell name` say nothing of the modem.
            Some(w) if *qualifier == "m" => matches!(w, What::Imei | What::Imsi | What::Iccid).then_some(w),
            Some(What::Manufacturer | What::Model | What::MaybeModel | What::Revision | What::Hardware | What::Chipset)
                if matches!(*qualifier, "sim" | "usim" | "cell") =>
            {
                None
            }
            Some(What::ModemSerial | What::Cellular) => None,
            other => other,
        };
        if let Some(what) = what {
            return Some((what, true));
        }
    }
    // `Modem: EC25`, `Module: RM520N`.
    matches!(
        name,
        "modem" | "module" | "ltemodem" | "ltemodule" | "cellularmodem" | "cellularmodule" | "radiomodule" | "wwanmodule" | "模组" | "模块"
    )
    .then_some((What::MaybeModel, true))
}

/// What a squashed name says of the box.
pub(super) fn host_meaning(name: &str) -> Option<What> {
    HOST_NAMES.iter().find(|(k, _)| *k == name).map(|(_, w)| *w)
}

/// Name and value of a line: `Name: value`, `name = value`, `Name ..... : value`, `"name": "value",`, `| Name | value |`,
/// `Name<tab>value`, `Name    value`.
pub(super) fn split(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    let line = line.strip_prefix("- ").or_else(|| line.strip_prefix("* ")).unwrap_or(line).trim();
    if let Some(cells) = line.strip_prefix('|') {
        let mut cells = cells.split('|').map(str::trim);
        let (name, value) = (cells.next()?, cells.next()?);
        return fits(name, value);
    }
    // The first separator that has something on both sides. A `:` inside `06:12` or `C:\` is not one.
    let separator = line.char_indices().find(|(at, c)| match c {
        '=' | '：' => true,
        ':' => {
            let before = line.get(..*at).and_then(|s| s.chars().next_back());
            let after = line.get(at.saturating_add(1)..).and_then(|s| s.chars().next());
            let clock = before.is_some_and(|c| c.is_ascii_digit()) && after.is_some_and(|c| c.is_ascii_digit());
            !clock && after != Some('/') && after != Some('\\') && after != Some(':') && before != Some(':')
        }
        '\t' => true,
        _ => false,
    });
    let (name, value) = match separator {
        Some((at, c)) => (line.get(..at)?, line.get(at.saturating_add(c.len_utf8())..)?),
        None => line.split_once("  ")?,
    };
    // `=>`, `==`, `: =`
    let value = value.trim_start_matches(['=', '>', ':', ' ', '\t']);
    fits(name, value)
}

fn fits<'a>(name: &'a str, value: &'a str) -> Option<(&'a str, &'a str)> {
    let name = name.trim().trim_matches(['"', '\'', '`', '*']).trim_end_matches(['.', ' ', '-', '\t', '_']).trim();
    let value = unquote(value);
    let short = !name.is_empty() && name.chars().count() <= 70;
    (short && name.chars().any(char::is_alphabetic)).then_some((name, value))
}

/// A value without quotes, trailing comma or semicolon.
pub(super) fn unquote(value: &str) -> &str {
    let value = value.trim().trim_end_matches([',', ';']).trim();
    let quoted = |q: char| value.strip_prefix(q).and_then(|v| v.strip_suffix(q));
    quoted('"').or_else(|| quoted('\'')).or_else(|| quoted('`')).unwrap_or(value).trim()
}

/// A value that stands for nothing: blank, `<private>`, `<redacted>`, `unset`.
pub(super) fn nothing(value: &str) -> bool {
    is_blank(value)
        || (value.starts_with('<') && value.ends_with('>'))
        || (value.starts_with('[') && value.ends_with(']'))
        || ["not set", "unset", "not present", "absent", "empty", "no value", "string", "integer", "xxx"]
            .iter()
            .any(|w| value.eq_ignore_ascii_case(w))
}

/// A value of the form of an IMEI: whole, covered or a placeholder; not the word `string`.
pub(super) fn imei_like(value: &str) -> bool {
    match imei(value) {
        Imei::Whole { .. } | Imei::Placeholder => true,
        Imei::Masked { .. } => value.chars().filter(|c| c.is_alphanumeric() || matches!(c, '*' | '•' | '#')).count() >= 8,
        Imei::No => false,
    }
}

/// A serial number that identifies: not blank, not covered.
pub(super) fn serial(value: &str) -> Option<&str> {
    let value = value.trim();
    let covered = value.contains('*') || value.to_ascii_lowercase().contains("xxx");
    let shaped = (4..=40).contains(&value.len()) && value.bytes().any(|b| b.is_ascii_digit()) && !value.contains(' ');
    (shaped && !covered && !nothing(value) && value.bytes().any(|b| b.is_ascii_digit() && b != b'0')).then_some(value)
}

/// Whether a text names a maker of modules, a model of the catalogue, or has the form of a module's revision.
pub(super) fn speaks_of_module(kb: &Knowledge, value: &str) -> bool {
    names_maker(kb, value)
        || names_model(kb, value)
        || kb.matches(Scope::Revision, value).iter().any(|h| h.pattern.strength == Strength::Decide)
}

/// Whether a text names a brand that makes modules.
pub(super) fn names_maker(kb: &Knowledge, value: &str) -> bool {
    kb.brands_in(value).iter().any(|h| h.brand.kind == BrandKind::Module)
}

/// The name of the brand of modules in a text, as it stands there.
pub(super) fn maker_in<'t>(kb: &Knowledge, text: &'t str) -> Option<&'t str> {
    let hit = kb.brands_in(text).into_iter().find(|h| h.brand.kind == BrandKind::Module)?;
    text.get(hit.span)
}

/// Whether a text names a model of the catalogue or a re-brand of one.
pub(super) fn names_model(kb: &Knowledge, value: &str) -> bool {
    !kb.models_in(value).is_empty()
        || !kb.rebrands_in(value).is_empty()
        || kb.matches(Scope::Model, value).iter().any(|h| h.pattern.strength == Strength::Decide)
}

/// The serial number of the box, beside its maker; without one it only describes.
pub(super) fn host_serial(host: &mut Host<'_, '_>, maker: &str, value: &str) {
    let Some(value) = serial(value) else { return };
    let brand = host.cx.knowledge.brands_in(maker).first().map_or_else(|| maker.trim().to_owned(), |h| h.brand.brand.to_string());
    if brand.is_empty() {
        host.id(Part::HOST, IdKind::Name, &format!("serial {value}"));
    } else {
        host.id(Part::HOST, IdKind::Serial, &format!("{brand}|{value}"));
    }
}

/// Whether a value of "hardware" can be a revision: few words, and none that is a name (`Banana Pi BPI-R4`).
fn is_revision(value: &str) -> bool {
    let name = |w: &str| {
        w.chars().count() >= 3
            && w.chars().all(char::is_alphabetic)
            && !["rev", "revision", "ver", "version"].iter().any(|r| w.eq_ignore_ascii_case(r))
    };
    let words = || value.split_whitespace();
    words().count() <= 3 && (words().count() == 1 || !words().any(name))
}

/// By whom and how it is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Voice {
    pub group: Group,
    pub basis: Basis,
}

impl Voice {
    /// The modem, through whatever prints it.
    pub const MODEM: Self = Self { group: Group::OwnWord, basis: Basis::Observed };
    /// A label, a note, a configuration.
    pub const DOCUMENT: Self = Self { group: Group::Document, basis: Basis::Declared };
}

/// Says a value of a part. What is blank, or not of its kind's form, is left out.
pub(super) fn say(host: &mut Host<'_, '_>, part: Part, n: u32, what: What, value: &str, voice: Voice) {
    let value = value.trim();
    if nothing(value) {
        return;
    }
    let declared = voice.basis == Basis::Declared;
    let fact = |host: &mut Host<'_, '_>, kind: Kind| host.fact_of(part, n, kind, value, voice.group, voice.basis);
    match what {
        // `Vendor=2cb7 ProdID=…`: half a bus id.
        What::Manufacturer
            if value.get(..4).is_some_and(|h| h.bytes().all(|b| b.is_ascii_hexdigit()))
                && value.get(4..).is_some_and(|r| r.is_empty() || r.starts_with(' ')) => {}
        What::Manufacturer => fact(host, if declared { Kind::DeclaredMaker } else { Kind::Manufacturer }),
        What::Model => fact(host, if declared { Kind::DeclaredModel } else { Kind::Model }),
        What::MaybeModel => {
            let kb = host.cx.knowledge;
            if names_model(kb, value) {
                fact(host, if declared { Kind::DeclaredModel } else { Kind::Model });
            } else if names_maker(kb, value) {
                fact(host, if declared { Kind::DeclaredMaker } else { Kind::Manufacturer });
            }
        }
        What::Revision => {
            if value.chars().any(|c| c.is_ascii_digit()) {
                fact(host, Kind::FirmwareRevision);
            }
        }
        // `Hardware: some board (its chip)` is the box, not a revision; or it is the module's name.
        What::Hardware => {
            if is_revision(value) {
                fact(host, Kind::HardwareRevision);
            } else {
                say(host, part, n, What::MaybeModel, value, voice);
            }
        }
        What::Chipset => fact(host, Kind::Chipset),
        What::Imei | What::ModemSerial => {
            let whole = matches!(imei(value), Imei::Whole { .. });
            if (what == What::Imei && imei_like(value)) || (what == What::ModemSerial && value.len() == 15 && whole) {
                host.imei_of(part, n, value, voice.group, voice.basis);
            }
        }
        What::Imsi => {
            if umbilical_core::number::imsi(value).is_some() || (is_masked(value) && value.len() >= 10) {
                host.id(part, IdKind::Imsi, value);
                host.fact_of(part, n, Kind::Cellular, "sim", voice.group, voice.basis);
            }
        }
        What::Iccid => {
            if umbilical_core::number::iccid(value).is_some() || (is_masked(value) && value.len() >= 12) {
                host.iccid(part, n, value);
                host.fact_of(part, n, Kind::Cellular, "sim", voice.group, voice.basis);
            }
        }
        What::Msisdn => {
            if let Some(number) = umbilical_core::number::msisdn(value) {
                host.id(part, IdKind::Msisdn, &number);
            }
        }
        What::Eid => {
            if let Some((eid, _)) = umbilical_core::number::eid(value) {
                host.id(part, IdKind::Eid, &eid);
            }
        }
        What::Meid => {
            let hex = value.len() == 14 && value.bytes().all(|b| b.is_ascii_hexdigit()) && value.starts_with(['A', 'a']);
            if hex {
                host.id(part, IdKind::Meid, value);
            }
        }
        What::Cellular => host.fact_of(part, n, Kind::Cellular, "cellular-section", voice.group, voice.basis),
        What::HostMaker => host.fact_of(Part::HOST, n, Kind::HostMaker, value, voice.group, voice.basis),
        What::HostModel => host.fact_of(Part::HOST, n, Kind::HostModel, value, voice.group, voice.basis),
        What::HostName => host.id(Part::HOST, IdKind::Name, value),
        What::HostSerial => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_and_values() {
        for (line, name, value) in [
            ("Modem Firmware Version = SWI9X30C_02.30.01.01", "Modem Firmware Version", "SWI9X30C_02.30.01.01"),
            ("             model: EG18-EA", "model", "EG18-EA"),
            ("\"imei\": \"490154203237518\",", "imei", "490154203237518"),
            ("option device '/dev/cdc-wdm0'", "", ""),
            ("| IMEI | 490154203237518 |", "IMEI", "490154203237518"),
            ("IMEI ............... : 490154203237518", "IMEI", "490154203237518"),
            ("FW Version     02.24.05", "FW Version", "02.24.05"),
            ("session-uptime: 13h39m16s", "session-uptime", "13h39m16s"),
            ("IMEI：490154203237518", "IMEI", "490154203237518"),
        ] {
            let got = split(line);
            if name.is_empty() {
                assert_eq!(got, None, "{line}");
            } else {
                assert_eq!(got, Some((name, value)), "{line}");
            }
        }
    }

    #[test]
    fn qualified_and_bare_names() {
        let of = |name: &str| meaning(&squash(name));
        assert_eq!(of("Model"), Some((What::Model, false)));
        assert_eq!(of("Modem Model"), Some((What::Model, true)));
        assert_eq!(of("Radio Module Type"), Some((What::MaybeModel, true)));
        assert_eq!(of("Modem Firmware Version"), Some((What::Revision, true)));
        assert_eq!(of("Integrated Circuit Card ID (ICCID)"), Some((What::Iccid, true)));
        assert_eq!(of("SIM serial number"), Some((What::Iccid, true)));
        assert_eq!(of("modem 1 imei"), Some((What::Imei, true)));
        assert_eq!(of("Serial"), Some((What::ModemSerial, false)));
        assert_eq!(of("cell name"), None);
        assert_eq!(of("Uptime"), None);
    }

    proptest! {
        #[test]
        fn any_line_splits_or_not(line in "\\PC{0,80}") {
            if let Some((name, value)) = split(&line) {
                let _ = (meaning(&squash(name)), host_meaning(&squash(name)), nothing(value), imei_like(value), serial(value));
            }
        }
    }
}
