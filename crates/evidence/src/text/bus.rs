//! Places and ids on a bus, as the tools write them, and what the drivers bound there mean.

use umbilical_core::Kind;

use super::{Host, Part};

/// One to four hex digits, with or without `0x`: `2c7c`, `0x125`.
pub(super) fn hex4(text: &str) -> Option<u16> {
    let digits = text.trim();
    let digits = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")).unwrap_or(digits);
    let shape = (1..=4).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit());
    if shape { u16::from_str_radix(digits, 16).ok() } else { None }
}

/// The id of a USB device as a fact.
pub(super) fn usb_id(host: &mut Host<'_, '_>, part: Part, n: u32, vid: u16, pid: u16) {
    // 0000:0000 is what a failing hub shows.
    if vid != 0 {
        host.fact(part, n, Kind::UsbId, &format!("{vid:04x}:{pid:04x}"));
    }
}

/// `bcdDevice` in any spelling (`3.18`, `03.18`, `0318`) as four digits.
pub(super) fn revision(text: &str) -> Option<String> {
    let text = text.trim();
    let (major, minor) = text.split_once('.').unwrap_or_else(|| text.split_at_checked(text.len().saturating_sub(2)).unwrap_or(("", text)));
    let (major, minor) = (hex4(major)?, hex4(minor)?);
    (major <= 0xff && minor <= 0xff).then(|| format!("{major:02x}{minor:02x}"))
}

/// The key of a USB device known by bus and number.
pub(super) fn by_number(bus: u32, device: u32) -> String {
    format!("usb:{bus:03}/{device:03}")
}

/// The key of the USB device that a path ends in or leads through: `1-1.3`, `/sys/devices/…/usb2/2-5`,
/// `…/2-1.1/2-1.1:1.1/ttyUSB1`. Root hubs (`usb1`, `1-0`) have no port.
pub(super) fn by_path(path: &str) -> Option<String> {
    path.split('/').rev().filter_map(|step| step.split(':').next()).find(|step| is_port(step)).map(|step| format!("usb:{step}"))
}

fn is_port(step: &str) -> bool {
    let Some((bus, ports)) = step.split_once('-') else { return false };
    let number = |t: &str| (1..=3).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_digit());
    number(bus) && ports != "0" && ports.split('.').all(number) && ports.len() <= 24
}

/// The key of a PCI device: `01:00.0`, `0000:01:00.0`, or a path that ends in one.
pub(super) fn pci(path: &str) -> Option<String> {
    path.trim_end_matches('/').split('/').rev().find_map(pci_address)
}

fn pci_address(text: &str) -> Option<String> {
    let (rest, function) = text.split_once('.')?;
    let mut fields = rest.rsplit(':');
    let (slot, bus, domain) = (fields.next()?, fields.next()?, fields.next().unwrap_or("0000"));
    let hex = |t: &str, len: std::ops::RangeInclusive<usize>| len.contains(&t.len()) && t.bytes().all(|b| b.is_ascii_hexdigit());
    let shape = fields.next().is_none() && hex(slot, 2..=2) && hex(bus, 2..=2) && hex(domain, 4..=8) && function.len() == 1;
    (shape && matches!(function.bytes().next(), Some(b'0'..=b'7')))
        .then(|| format!("pci:{domain}:{bus}:{slot}.{function}").to_ascii_lowercase())
}

/// The node of a port that a program opens: `ttyUSB2`, `cdc-wdm0`, `wwan0at0`, `mhi_DUN`.
pub(super) fn port_name(path: &str) -> Option<&str> {
    let node = path.strip_prefix("/dev/").unwrap_or(path);
    let node = node.split([':', ' ', ',', ')', '(', '\'', '"', ']', ';', '|', '>']).next()?;
    let known = ["ttyUSB", "ttyACM", "ttyAT", "ttyS", "ttyAMA", "tty.", "cu.", "cdc-wdm", "wwan", "mhi_", "wwp", "qcqmi", "COM", "rmnet"];
    let fits = node.len() <= 40 && known.iter().any(|k| node.starts_with(k)) && !node.is_empty();
    fits.then_some(node)
}

/// The driver bound to a device, and what its name alone tells.
pub(super) fn driver(host: &mut Host<'_, '_>, part: Part, n: u32, name: &str) {
    let name = name.trim().trim_end_matches(',');
    let plain = !name.is_empty() && name.len() <= 40 && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if plain && !matches!(name, "none" | "usbfs" | "usb" | "hub") {
        host.fact(part, n, Kind::Driver, name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn places_in_every_spelling() {
        assert_eq!(by_path("/sys/devices/pci0000:00/0000:00:14.0/usb2/2-5").as_deref(), Some("usb:2-5"));
        assert_eq!(by_path("/sys/devices/x/usb2/2-1/2-1.1/2-1.1:1.1/ttyUSB1").as_deref(), Some("usb:2-1.1"));
        assert_eq!(by_path("1-0:1.0"), None);
        assert_eq!(by_path("/sys/devices/platform/soc/11200000.usb"), None);
        assert_eq!(pci("/sys/devices/pci0000:00/0000:00:1c.0/0000:08:00.0").as_deref(), Some("pci:0000:08:00.0"));
        assert_eq!(pci("01:00.0").as_deref(), Some("pci:0000:01:00.0"));
        assert_eq!(pci("12:34:56.7"), None);
        assert_eq!(hex4("0x125"), Some(0x125));
        assert_eq!(hex4("12345"), None);
        assert_eq!(
            (revision(" 3.18").as_deref(), revision("05.04").as_deref(), revision("0318").as_deref()),
            (Some("0318"), Some("0504"), Some("0318"))
        );
        assert_eq!(port_name("/dev/ttyUSB2"), Some("ttyUSB2"));
        assert_eq!(port_name("/dev/sda1"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_a_place_or_not(text in "\\PC{0,60}") {
            let _ = (by_path(&text), pci(&text), hex4(&text), revision(&text), port_name(&text));
        }
    }
}
