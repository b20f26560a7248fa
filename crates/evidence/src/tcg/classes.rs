//! Classes of components as words.
//!
//! Sources: TCG Component Class Registry 1.0 revision 14 (class and type, two bytes each); SMBIOS-based Component Class Registry
//! 1.01 (the structure's type, then its own field); PCIe-based Component Class Registry 1.0 revision 18 (a zero byte, then the
//! class code of the device: PCI Code and ID Assignment Specification, class `0D` subclass `40` and `41` are cellular
//! controllers); Storage Component Class Registry 1.0 revision 22. The object identifiers are those of the registries.

const TCG: &str = "2.23.133.18.3.1";
const SMBIOS: &str = "2.23.133.18.3.3";
pub(super) const PCIE: &str = "2.23.133.18.3.4";
const STORAGE: &str = "2.23.133.18.3.5";

/// The classes of the TCG registry by their first two bytes.
const CLASSES: &[(u16, &str)] = &[
    (0x0001, "processor"),
    (0x0002, "chassis"),
    (0x0003, "circuit board"),
    (0x0004, "module"),
    (0x0005, "controller"),
    (0x0006, "memory"),
    (0x0007, "storage"),
    (0x0008, "media drive"),
    (0x0009, "network adapter"),
    (0x000a, "power supply"),
    (0x000b, "sensor"),
    (0x000c, "display"),
    (0x000d, "cooling"),
    (0x000e, "input device"),
    (0x000f, "slot"),
    (0x0010, "port"),
    (0x0011, "discrete component"),
    (0x0012, "cable"),
    (0x0013, "firmware"),
];

/// Types of the TCG registry that say more than their class, by all four bytes.
const TYPES: &[(u32, &str)] = &[
    (0x0001_0002, "processor"),
    (0x0001_0006, "graphics processor"),
    (0x0002_0020, "iot gateway"),
    (0x0002_0021, "embedded pc"),
    (0x0003_0002, "daughter board"),
    (0x0003_0003, "motherboard"),
    (0x0003_0004, "riser card"),
    (0x0004_0005, "memory module"),
    (0x0004_0009, "tpm"),
    (0x0005_0004, "ethernet controller"),
    (0x0005_000c, "remote access controller"),
    (0x0005_000e, "usb controller"),
    (0x0005_0010, "network controller"),
    (0x0006_0003, "baseboard management controller"),
    (0x0006_000a, "flash memory"),
    (0x0006_000b, "eeprom"),
    (0x0007_0003, "solid state drive"),
    (0x0009_0002, "ethernet adapter"),
    (0x0009_0003, "wi-fi adapter"),
    (0x0009_0004, "bluetooth adapter"),
    (0x0009_0005, "cellular modem"),
    (0x0009_0006, "zigbee adapter"),
    (0x0009_0007, "3g cellular modem"),
    (0x0009_0008, "4g cellular modem"),
    (0x0009_0009, "5g cellular modem"),
    (0x0009_000a, "network switch"),
    (0x0009_000b, "network router"),
    (0x000a_0003, "battery"),
    (0x000f_0007, "m.2 slot"),
    (0x000f_000a, "mini pci express slot"),
];

/// Structures of SMBIOS by their type.
const STRUCTURES: &[(u16, &str)] = &[
    (0, "firmware"),
    (1, "system"),
    (2, "motherboard"),
    (3, "chassis"),
    (4, "processor"),
    (9, "slot"),
    (17, "memory module"),
    (22, "battery"),
    (39, "power supply"),
    (41, "onboard device"),
    (43, "tpm"),
];

/// Class codes of PCI by class, and by class and subclass where that says more.
const PCI: &[(u8, Option<u8>, &str)] = &[
    (0x0d, Some(0x11), "bluetooth controller"),
    (0x0d, Some(0x40), "cellular modem"),
    (0x0d, Some(0x41), "cellular modem"),
    (0x02, Some(0x00), "ethernet controller"),
    (0x02, Some(0x80), "network controller"),
    (0x0c, Some(0x03), "usb controller"),
    (0x01, None, "storage controller"),
    (0x02, None, "network controller"),
    (0x03, None, "display controller"),
    (0x04, None, "multimedia controller"),
    (0x05, None, "memory controller"),
    (0x06, None, "bridge"),
    (0x07, None, "communication controller"),
    (0x08, None, "system peripheral"),
    (0x09, None, "input device"),
    (0x0b, None, "processor"),
    (0x0c, None, "serial bus controller"),
    (0x0d, None, "wireless controller"),
    (0x10, None, "encryption controller"),
    (0x11, None, "signal processing controller"),
];

/// What a class is in words, where the registry is known: `00090005` of the TCG registry is a cellular modem.
pub(super) fn words(registry: &str, class: &str) -> Option<&'static str> {
    let digits = class.trim().trim_start_matches("0x").trim_start_matches('#');
    if digits.len() != 8 {
        return None;
    }
    let value = u32::from_str_radix(digits, 16).ok()?;
    let [_, class, subclass, _] = value.to_be_bytes();
    let high = u16::try_from(value >> 16).ok()?;
    let by = |list: &[(u16, &'static str)]| list.iter().find(|(n, _)| *n == high).map(|(_, w)| *w);
    match registry {
        TCG => TYPES.iter().find(|(n, _)| *n == value).map(|(_, w)| *w).or_else(|| by(CLASSES)),
        SMBIOS => by(STRUCTURES),
        PCIE => PCI.iter().find(|(c, s, _)| *c == class && s.is_none_or(|s| s == subclass)).map(|(_, _, w)| *w),
        STORAGE => Some("storage"),
        _ => None,
    }
}
