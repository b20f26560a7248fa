//! A harbour: cranes, reefer plugs, gates, a tug, cameras.

use super::{Cellular, Example, Expect, Folder, NOTHING, cellular, module, open, row, table, without};
use crate::listing;
use crate::modem::Modem;
use crate::numbers::{eid, iccid, imei, imei14, imsi};
use crate::parts;
use crate::snmp::Walk;

const STORY: &str = "
The port's register is German and comes from an old system (semicolons, Latin-1). Crane makers sent kernel journals, the network
team SNMP walks, the SIM provider a JSON list in which an IMEI has 14 digits. One walk shows a disk whose name looks like a
module, one gate has a stick plugged in, and one SIM card was carried from a reefer plug to a tug.";

const EXPECT: &[Expect] = &[
    module("KRAN-02", "Sierra Wireless", "MC7455", "", "kernel journal and ModemManager's log"),
    module("KRAN-03", "Quectel", "EG06-E", "", "SNMP walk and the SIM provider's IMEI"),
    module("KRAN-04", "Sierra Wireless", "MC7304", "", "a Cisco router's inventory over SNMP"),
    module("KRAN-05", "Quectel", "EG25-G", "", "a firmware updater's list: the vendor is the chip maker's, the version is not"),
    cellular("TOR-05", "a router of whose module nothing is said; what another of its kind held is no more than a hint"),
    Expect { device: "KAM-12", cellular: Cellular::Yes, product: true, why: "a Huawei stick: cellular, not a module", ..NOTHING },
    module("KUEHL-31", "Quectel", "BG95-M3", "", "the SIM provider's IMEI, 14 digits").with("sim-moved"),
    module("SCHLEPP-1", "Fibocom", "L610", "", "AT transcript; Unisoc's vendor id"),
    module("BOJE-7", "Nordic", "nRF9160", "", "AT transcript of a system in package"),
    open("LAGER-01", "a storage server whose disk is called EG0600…: not a module"),
    without("WAAGE-02", "both buses are listed and nothing on them is a modem"),
];

fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()
}

fn register() -> String {
    let mut rows = vec![row(["Anlagennummer", "Bezeichnung", "Hersteller", "Typ", "Seriennummer", "Standort"])];
    for cells in [
        ["KRAN-02", "Containerbrücke 2", "Beispiel Krane", "STS-50", "BK-0002", "Kai West"],
        ["KRAN-03", "Containerbrücke 3", "Beispiel Krane", "STS-50", "BK-0003", "Kai West"],
        ["KRAN-04", "Containerbrücke 4", "Beispiel Krane", "STS-60", "BK-0004", "Kai Süd"],
        ["KRAN-05", "Portalhubwagen 5", "Beispiel Krane", "SC-20", "BK-0005", "Kai Süd"],
        ["TOR-05", "Einfahrt 5", "Teltonika", "RUT950", "TL-0005", "Tor 5"],
        ["KAM-12", "Kamera Mole", "Beispiel Optik", "CAM-2", "BO-0012", "Mole"],
        ["KUEHL-31", "Kühlanschluss 31", "", "", "", "Feld K"],
        ["SCHLEPP-1", "Schlepper Möwe", "", "", "", "Becken 1"],
        ["BOJE-7", "Fahrwasserboje 7", "", "", "", "Fahrrinne"],
        ["LAGER-01", "Archivserver", "OSNEXUS", "QuantaStor", "", "Rechenzentrum"],
        ["WAAGE-02", "Fahrzeugwaage 2", "Beispiel Waagen", "FW-9", "BW-0002", "Tor 2"],
    ] {
        rows.push(row(cells));
    }
    table(';', &rows)
}

fn kran_03() -> Modem {
    Modem { imei: imei(86_875_903, 3), iccid: iccid(3003), imsi: imsi(3003), ..parts::EG06_E.modem() }
}

fn tug() -> Modem {
    // The card that was in KUEHL-31 before.
    Modem { imei: imei(35_990_020, 1), iccid: iccid(3031), imsi: imsi(3031), ..parts::L610.modem() }
}

fn endpoints() -> String {
    let endpoint = |n: u64, name: &str, tac: u32, serial: u32, seen: &str| {
        format!(
            "  {{\"id\": {n}, \"name\": \"{name}\", \"tags\": \"kai\", \"status\": {{\"description\": \"Enabled\"}}, \"sim\": {{\"iccid\": \"{}\", \"eid\": \"{}\", \"imsi\": \"{}\"}}, \
             \"imei\": \"{}\", \"imei_with_luhn\": \"{}\", \"ip_address\": \"10.20.0.{}\", \"last_updated\": \"{seen}\"}}",
            iccid(n),
            eid(n),
            imsi(n),
            imei14(tac, serial),
            imei(tac, serial),
            n % 250
        )
    };
    format!(
        "[\n{}\n]\n",
        [
            endpoint(3003, "KRAN-03", 86_875_903, 3, "2026-08-30T06:00:00Z"),
            endpoint(3031, "KUEHL-31", 86_447_504, 31, "2026-03-02T06:00:00Z"),
            endpoint(3002, "KRAN-02", 35_907_206, 2, "2026-08-30T06:00:00Z"),
        ]
        .join(",\n")
    )
}

fn journal() -> String {
    let modem = Modem { imei: imei(35_907_206, 2), ..parts::MC7455.modem() };
    let mut out: String = listing::dmesg(&modem.usb, "1-2", 7)
        .lines()
        .map(|line| format!("Aug 30 05:00:07 kran02 kernel: {}\n", line.split_once("] ").map_or(line, |(_, rest)| rest)))
        .collect();
    out.push_str(
        "Aug 30 05:00:19 kran02 ModemManager[612]: <info>  [device /sys/devices/pci0000:00/0000:00:14.0/usb1/1-2] creating modem with plugin 'sierra' and '4' ports\n\
         Aug 30 05:00:21 kran02 ModemManager[612]: <info>  [modem0] state changed (unknown -> disabled)\n\
         Aug 30 05:00:24 kran02 ModemManager[612]: <info>  [modem0] state changed (enabling -> registered)\n",
    );
    out
}

pub(super) fn example() -> Example {
    let mut folder = Folder::default();
    folder.0.push(("anlagen.csv".into(), latin1(&register())));
    folder.add("endpoints.json", endpoints());
    folder.add("KRAN-02/journal.txt", journal());

    let mut walk = Walk::new("Linux RUTX11 5.10.188 #0 SMP Thu May 2 11:00:00 2024 armv7l", "1.3.6.1.4.1.48690", "kran-03");
    walk.text("1.3.6.1.4.1.48690.1.1.0", "1100003003")
        .text("1.3.6.1.4.1.48690.1.2.0", "RUTX11")
        .text("1.3.6.1.4.1.48690.1.3.0", "RUTX11000000")
        .teltonika_modem(1, &kran_03(), "D33000003003");
    folder.add("KRAN-03/walk.snmprec", walk.snmprec());

    let mut walk =
        Walk::new("Cisco IOS Software, ir800 Software (ir800-UNIVERSALK9-M), Version 15.8(3)M2", "1.3.6.1.4.1.9.1.2263", "kran-04");
    walk.text("1.3.6.1.2.1.47.1.1.1.1.2.1", "IR809G-LTE chassis").text("1.3.6.1.2.1.47.1.1.1.1.13.1", "IR809G-LTE-GA-K9").cisco_modem(
        9,
        "Sierra Wireless MC7304 4G-LTE modem",
        "Sierra Wireless, Inc.",
        "MC7304",
        &imei(35_990_021, 4),
        &imsi(3004),
    );
    folder.add("KRAN-04/snmpwalk.txt", walk.symbolic());

    let updater = Modem { manufacturer: "QUALCOMM INCORPORATED", model: "QUECTEL Mobile Broadband Module", ..parts::EG25_G.modem() };
    folder.add("KRAN-05/fwupd.json", updater.fwupd());

    let mut walk = Walk::new("Linux Teltonika-RUT950.com 3.18.44 #1 Mon Sep 2 10:00:00 UTC 2019 mips", "1.3.6.1.4.1.8072.3.2.10", "tor-05");
    walk.text("1.3.6.1.2.1.2.2.1.2.1", "lo").text("1.3.6.1.2.1.2.2.1.2.2", "eth0").text("1.3.6.1.2.1.2.2.1.2.9", "wwan0");
    folder.add("TOR-05/snmpwalk.txt", walk.numeric());

    folder.add("KAM-12/lsusb.txt", listing::lsusb(&[&parts::HUB, &parts::E3372]));
    folder.add("SCHLEPP-1/at.txt", tug().at(true));
    folder.add("SCHLEPP-1/lsusb.txt", listing::lsusb(&[&parts::HUB, &parts::L610.usb]));
    folder
        .add("BOJE-7/at.txt", Modem { imei: imei(35_265_610, 7), iccid: iccid(3007), imsi: imsi(3007), ..parts::NRF9160.modem() }.at(true));

    let mut walk = Walk::new("Linux lager01 5.4.0-100-generic #1 SMP x86_64", "1.3.6.1.4.1.39324", "lager01");
    walk.text("1.3.6.1.4.1.39324.1.4.1.1.5.1", "EG0600JEMCV").text("1.3.6.1.4.1.39324.1.4.1.1.6.1", "EM0300FCHFN");
    folder.add("LAGER-01/walk.snmprec", walk.snmprec());
    folder.add("WAAGE-02/lspci.txt", listing::lspci(&[&parts::ETHERNET_PCI]));
    folder.add("WAAGE-02/lsusb.txt", listing::lsusb(&[&parts::HUB, &parts::KEYBOARD]));

    Example { name: "port", title: "A port", story: STORY, files: folder.0, expect: EXPECT.to_vec() }
}
