//! What the generators write is what people have in their folders.

mod grid;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use umbilical_synth::{examples, listing, modem::Modem, numbers, parts, snmp::Walk};

fn examples_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

fn files_below(dir: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(dir).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            found.extend(files_below(&entry.path()));
        } else {
            found.insert(entry.path());
        }
    }
    found
}

#[test]
fn the_committed_examples_are_the_generated_ones() {
    let dir = examples_dir();
    for example in examples::all() {
        let folder = dir.join(example.name);
        let mut wanted = BTreeSet::new();
        for (path, bytes) in &example.files {
            let path = folder.join(path);
            let there = std::fs::read(&path).unwrap_or_default();
            assert!(&there == bytes, "{} differs: run `cargo xtask make-examples`", path.display());
            wanted.insert(path);
        }
        assert_eq!(files_below(&folder), wanted, "files that nobody makes: run `cargo xtask make-examples`");
        let page = dir.join(format!("{}.md", example.name));
        assert_eq!(std::fs::read_to_string(&page).unwrap_or_default(), example.page(), "{}", page.display());
    }
    let declared = examples::declared().into_iter().map(|f| ("declared", f));
    for (folder, (path, bytes)) in declared.chain(examples::traffic().into_iter().map(|f| ("traffic", f))) {
        let path = dir.join(folder).join(path);
        assert!(std::fs::read(&path).unwrap_or_default() == bytes, "{} differs: run `cargo xtask make-examples`", path.display());
    }
    assert_eq!(std::fs::read_to_string(dir.join("README.md")).unwrap_or_default(), examples::index());
}

#[test]
fn the_examples_are_small_and_invented() {
    let mut bytes = 0;
    for example in examples::all() {
        for (path, content) in &example.files {
            bytes += content.len();
            let text = String::from_utf8_lossy(content);
            for word in text.split(|c: char| !c.is_ascii_digit()).filter(|w| w.len() >= 15) {
                let invented =
                    word.starts_with("00101") || word.starts_with("89888") || word.starts_with("0000000") || word.get(8..10) == Some("00");
                assert!(invented, "{}/{path}: {word} may be somebody's number", example.name);
            }
        }
        let devices: BTreeSet<_> = example.expect.iter().map(|e| e.device).collect();
        assert_eq!(devices.len(), example.expect.len(), "{}: a device is named twice", example.name);
        // Every device that an expectation names is in the evidence.
        for e in &example.expect {
            let named = example.files.iter().any(|(path, content)| path.contains(e.device) || contains(content, e.device));
            assert!(named || example.name == "hospital", "{}: nothing speaks of {}", example.name, e.device);
        }
    }
    assert!(bytes < 300_000, "{bytes} bytes");
}

fn contains(content: &[u8], word: &str) -> bool {
    content.windows(word.len()).any(|w| w == word.as_bytes())
}

#[test]
fn every_level_of_knowledge_occurs() {
    let all: Vec<_> = examples::all().into_iter().flat_map(|e| e.expect).collect();
    for sure in ["confirmed", "probable", "possible"] {
        assert!(all.iter().any(|e| e.sure == sure), "{sure}");
    }
    assert!(all.iter().any(|e| e.product));
    assert!(all.iter().any(|e| !e.module.0.is_empty() && e.module.1.is_empty()), "a maker without a model");
    for cellular in [examples::Cellular::Yes, examples::Cellular::No, examples::Cellular::Unknown] {
        assert!(all.iter().any(|e| e.cellular == cellular && e.module.0.is_empty()), "{cellular:?}");
    }
    for finding in ["rebranded", "usb-id-reprogrammed", "tac-mismatch", "cloned-imei", "sim-moved"] {
        assert!(all.iter().any(|e| e.finding == finding), "{finding}");
    }
}

#[test]
fn listings_have_the_form_of_the_tools() {
    let modem = Modem { imei: numbers::imei(86_769_804, 1), ..parts::EG25_G.modem() };
    let usb = [&parts::HUB, &modem.usb];
    assert_eq!(
        listing::lsusb(&usb).lines().nth(1),
        Some("Bus 001 Device 002: ID 2c7c:0125 Quectel Wireless Solutions Co., Ltd. EC25 LTE modem")
    );
    let devices = listing::usb_devices(&usb);
    assert!(devices.contains("P:  Vendor=2c7c ProdID=0125 Rev=03.18\nS:  Manufacturer=Quectel\nS:  Product=EG25-G\n"), "{devices}");
    assert!(devices.contains("I:  If#= 4 Alt= 0 #EPs= 3 Cls=ff(vend.) Sub=ff Prot=ff Driver=qmi_wwan\n"), "{devices}");
    let verbose = listing::lsusb_verbose(&usb);
    assert!(
        verbose.contains("  idProduct          0x0125\n  bcdDevice            3.18\n") || verbose.contains("bcdDevice           3.18"),
        "{verbose}"
    );
    assert!(listing::dmesg(&modem.usb, "1-1", 4).contains("idVendor=2c7c, idProduct=0125, bcdDevice= 3.18"));
    assert!(
        listing::lspci(&[&parts::RM520N_PCI]).contains("[17cb:0308] (rev 01)\n\tSubsystem: Qualcomm Technologies, Inc Device [17cb:5201]")
    );
    assert!(modem.mmcli().contains("      equipment id: 867698040000013\n"), "{}", modem.mmcli());
    let json: serde_json::Value = serde_json::from_str(&modem.mmcli_json()).unwrap();
    assert_eq!(json["modem"]["generic"]["revision"], "EG25GGBR07A08M2G");
    assert!(serde_json::from_str::<serde_json::Value>(&modem.fwupd()).is_ok());
    let mut walk = Walk::new("x", "1.3.6.1.4.1.48690", "y");
    walk.teltonika_modem(1, &modem, "s");
    assert!(walk.snmprec().contains("1.3.6.1.4.1.48690.2.2.1.4.1|4|EG25\n"));
    assert!(walk.numeric().contains(".1.3.6.1.4.1.48690.2.2.1.4.1 = STRING: \"EG25\"\n"));
    assert!(walk.symbolic().contains("SNMPv2-SMI::enterprises.48690.2.2.1.4.1 = STRING: EG25\n"));
}
