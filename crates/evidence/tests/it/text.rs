//! Text that tools print, over fixtures and properties.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;
use std::time::Instant;

use proptest::prelude::*;
use umbilical_core::{Kind, Observations};

use super::fixtures::{self, read_bytes};

#[test]
fn texts_of_tools() {
    fixtures::walk("text");
}

/// Every line of every fixture.
static LINES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/text");
    let mut files: Vec<_> =
        fs::read_dir(root).unwrap().flat_map(|case| fs::read_dir(case.unwrap().path()).unwrap()).map(|f| f.unwrap().path()).collect();
    files.retain(|f| f.file_name().is_some_and(|n| n != "expected.txt" && n != "SOURCE.md"));
    files.sort();
    files.iter().flat_map(|f| fs::read_to_string(f).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()).collect()
});

fn broke_off(out: &Observations) -> bool {
    out.problems.iter().any(|p| p.what.contains("broke off"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_read_or_not(bytes in proptest::collection::vec(any::<u8>(), 0..3000)) {
        prop_assert!(!broke_off(&read_bytes("any", &bytes)));
    }

    /// Lines of all tools in any order, cut anywhere, quoted or not.
    #[test]
    fn lines_in_any_order_are_read(picks in proptest::collection::vec((any::<proptest::sample::Index>(), any::<proptest::sample::Index>(), 0u8..6), 1..60)) {
        let mut text = String::new();
        for (line, cut, how) in picks {
            let line = line.get(&LINES[..]);
            let cuts: Vec<usize> = line.char_indices().map(|(at, _)| at).chain([line.len()]).collect();
            let cut = *cut.get(&cuts);
            match how {
                0 => text.push_str(&line[..cut]),
                1 => text.push_str(&line[cut..]),
                2 => { text.push_str("> "); text.push_str(line); }
                3 => { text.push_str("+ "); text.push_str(line); }
                4 => { text.push_str(line); text.push_str(line); }
                _ => text.push_str(line),
            }
            text.push('\n');
        }
        let first = read_bytes("mixed.txt", text.as_bytes());
        prop_assert!(!broke_off(&first), "{text}");
        prop_assert_eq!(format!("{first:?}"), format!("{:?}", read_bytes("mixed.txt", text.as_bytes())));
    }
}

/// Every line of every tool, alone and far too long; some of them a mebibyte.
#[test]
fn endless_lines() {
    let mut seen = std::collections::BTreeSet::new();
    let fresh =
        LINES.iter().filter(|l| l.len() > 3 && seen.insert(l.chars().filter(char::is_ascii_alphabetic).take(5).collect::<String>()));
    for (i, line) in fresh.enumerate() {
        let size = if i % 25 == 0 { 1 << 20 } else { 1 << 15 };
        let took = |size: usize| {
            let mut long = line.repeat(size / line.len() + 2);
            long.push('\n');
            let start = Instant::now();
            assert!(!broke_off(&read_bytes("long.txt", long.as_bytes())), "{line}");
            start.elapsed()
        };
        // Eight times as long, in a time that does not grow with the square; what is short is measured in noise.
        let (some, more) = (took(size / 8), took(size));
        assert!(more < some * 32 + std::time::Duration::from_millis(500), "{line}: {some:?}, {more:?}");
    }
}

/// A log of years: what is said a million times is said once, and what differs is capped.
#[test]
fn endless_logs_say_no_more_than_they_say() {
    let mut text = String::new();
    for i in 0..40_000u32 {
        let port = i % 7 + 1;
        text.push_str(&format!("usb 1-{port}: new high-speed USB device number {} using xhci_hcd\n", i % 127 + 1));
        text.push_str(&format!(
            "usb 1-{port}: New USB device found, idVendor={:04x}, idProduct={:04x}, bcdDevice= 3.18\n",
            i % 0xffff,
            i % 999
        ));
        text.push_str(&format!("AT+CGMR\nREV{i}A01\nOK\n+QIND: {i}\n"));
    }
    let out = read_bytes("log.txt", text.as_bytes());
    assert!(!broke_off(&out));
    let thing = out.thing(0).unwrap();
    let revisions = thing.facts().filter(|(_, f, _)| f.kind == Kind::FirmwareRevision).count();
    assert!((1..=64).contains(&revisions), "{revisions}");
    assert!(out.problems.iter().any(|p| p.what.contains("left out")), "{:?}", out.problems);
}

/// The same things whatever surrounds the lines.
#[test]
fn surroundings_change_nothing() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/text");
    let facts = |out: &Observations| {
        let mut all: Vec<String> =
            out.things().flat_map(|t| t.facts().map(|(_, f, _)| format!("{} {}", f.kind.name(), f.value)).collect::<Vec<_>>()).collect();
        all.sort();
        all
    };
    for file in
        ["dmesg-modem/dmesg.txt", "mmcli-old/old.txt", "usb-devices-forms/kernel.txt", "at-answers/sierra.txt", "lspci-forms/nn.txt"]
    {
        let text = fs::read_to_string(root.join(file)).unwrap();
        let plain = facts(&read_bytes("a.txt", text.as_bytes()));
        assert!(!plain.is_empty());
        let quoted: String = text.lines().map(|l| format!("> {l}\r\n")).collect();
        assert_eq!(facts(&read_bytes("b.txt", quoted.as_bytes())), plain, "{file} quoted");
        let coloured: String = text.lines().map(|l| format!("\u{1b}[0;32m{l}\u{1b}[0m\n")).collect();
        assert_eq!(facts(&read_bytes("c.txt", coloured.as_bytes())), plain, "{file} in colour");
        let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        assert_eq!(facts(&read_bytes("d.txt", &wide)), plain, "{file} as UTF-16");
    }
}

/// The line that tells how a module's id was rewritten, asked, answered, and answered with the question cut off.
#[test]
fn a_rewritten_usb_id_set_and_told_is_one_line() {
    let lines = |text: &str| -> Vec<String> {
        let out = read_bytes("at.txt", text.as_bytes());
        let facts: Vec<_> = out.things().flat_map(|t| t.facts().map(|f| f.1.clone()).collect::<Vec<_>>()).collect();
        facts.into_iter().filter(|f| f.kind == umbilical_core::Kind::AtLine && f.value.contains("usbid")).map(|f| f.value.into()).collect()
    };
    let set = lines("AT+QCFG=\"usbid\",3035,6438\nOK\n");
    assert_eq!(set.len(), 1);
    assert_eq!(lines("AT+QCFG=\"usbid\"\n+QCFG: \"usbid\",3035,6438\n\nOK\n"), set);
    assert_eq!(lines("+QCFG: \"usbid\",3035,6438\n\nOK\n"), set);
    assert!(lines("+QCFG: \"nwscanmode\",0\n\nOK\n").is_empty());
}

/// A board is not the hardware revision of the module in it.
#[test]
fn a_board_is_no_revision() {
    let revisions = |text: &str| -> Vec<String> {
        let out = read_bytes("status.txt", text.as_bytes());
        let facts: Vec<_> = out.things().flat_map(|t| t.facts().map(|f| f.1.clone()).collect::<Vec<_>>()).collect();
        facts.into_iter().filter(|f| f.kind == umbilical_core::Kind::HardwareRevision).map(|f| f.value.into()).collect()
    };
    let text = |hardware: &str| format!("Manufacturer: Quectel\nModel: RM520N-GL\nHardware: {hardware}\nRSRP: -90 dBm\n");
    assert!(revisions(&text("Banana Pi BPI-R4")).is_empty());
    assert!(revisions(&text("Banana Pi")).is_empty());
    assert_eq!(revisions(&text("R1.2")), ["R1.2"]);
    assert_eq!(revisions(&text("Rev 10")), ["Rev 10"]);
}

/// Of more devices than are kept none is mixed with another.
#[test]
fn devices_beyond_the_last_are_dropped_not_mixed() {
    let line = |i: u32| format!("Bus {:03} Device {:03}: ID 2c7c:{i:04x} Thing {i}\n", i / 100 + 1, i % 100 + 1);
    let out = read_bytes("lsusb.txt", (0..2500).map(line).collect::<String>().as_bytes());
    assert!(!broke_off(&out));
    let mut ids: std::collections::BTreeMap<u16, Vec<String>> = std::collections::BTreeMap::new();
    for (part, fact, _) in out.thing(0).unwrap().facts().filter(|(_, f, _)| f.kind == Kind::UsbId) {
        ids.entry(part).or_default().push(fact.value.to_string());
    }
    assert!(ids.len() >= 1900 && ids.values().all(|v| v.len() == 1), "{} parts", ids.len());
    assert!(out.problems.iter().any(|p| p.what.contains("devices beyond the first 2000")), "{:?}", out.problems);
}
