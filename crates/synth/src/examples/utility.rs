//! A water utility: pumping stations, remote terminal units, a contractor's gateway.

use super::{Example, Expect, Folder, cellular, module, open, row, table, without};
use crate::listing;
use crate::modem::Modem;
use crate::numbers::{iccid, imei, imsi, msisdn};
use crate::parts;
use crate::snmp::Walk;

const STORY: &str = "
Northmoor Water runs 20 sites over three valleys. The asset register says who made the cabinet, not what is inside; the SIM
platform knows IMEIs, not devices; technicians left transcripts in folders named after the asset. Somewhere a contractor
put a card into a gateway that only accepts an Ericsson id, and somebody wrote the IMEI of a stick into a module.";

const ASSETS: &[[&str; 7]] = &[
    ["RTU-0417", "Telemetry unit, Hagg Lane", "RTU", "Brodersen", "RTU32M", "BR-00417", "Hagg Lane"],
    ["RTU-0418", "Telemetry unit, Moor Top", "RTU", "Brodersen", "RTU32M", "BR-00418", "Moor Top"],
    ["RTU-0420", "Telemetry unit, Weir Cottage", "RTU", "Ovarro", "TBox MS", "OV-11420", "Weir Cottage"],
    ["RTU-0425", "Telemetry unit, Quarry Road", "RTU", "Ovarro", "TBox LT2", "OV-11425", "Quarry Road"],
    ["RTU-0431", "Telemetry unit, Black Beck", "RTU", "", "", "", "Black Beck"],
    ["RTU-0500", "Level logger, North Reservoir", "Logger", "", "", "", "North Reservoir"],
    ["RTU-0501", "Level logger, South Reservoir", "Logger", "", "", "", "South Reservoir"],
    ["PMP-0031", "Pumping station router, Mill Lane", "Router", "Teltonika", "RUT956", "TL-00031", "Mill Lane"],
    ["PMP-0032", "Pumping station router, Ings Road", "Router", "MikroTik", "LtAP mini", "MT-00032", "Ings Road"],
    ["GW-0107", "Contractor gateway, dosing", "Gateway", "Advantech", "UNO-2271G", "AD-00107", "Treatment works"],
    ["GW-0108", "Gateway, filter gallery", "Gateway", "Advantech", "UNO-2271G", "AD-00108", "Treatment works"],
    ["HMI-0009", "Panel computer, control room", "HMI", "Siemens", "IPC477E", "SI-00009", "Control room"],
    ["PLC-0002", "Controller, filter gallery", "PLC", "Siemens", "S7-1500", "SI-00002", "Treatment works"],
    ["MTR-2210", "Flow meter with radio, inlet", "Meter", "", "", "FM-2210", "Inlet works"],
    ["MTR-2211", "Flow meter with radio, outlet", "Meter", "", "", "FM-2211", "Outlet works"],
];

const EXPECT: &[Expect] = &[
    module("RTU-0417", "Quectel", "EG25-G", "confirmed", "USB listing, AT transcript and the SIM platform's IMEI agree"),
    module("RTU-0418", "MeiG", "SRM815", "possible", "one USB id, three models: interface 1 decides"),
    module("RTU-0420", "Telit", "LE910C4-EU", "confirmed", "mmcli and the SIM platform's IMEI agree"),
    module("RTU-0425", "SIMCom", "SIM7600G-H", "", "answers as SIM7600G-H with the type allocation code of a Huawei stick")
        .with("tac-mismatch"),
    open("RTU-0431", "a note about an antenna, nothing else: collect `AT+CGMR` or the SIM platform's IMEI"),
    cellular("RTU-0500", "the SIM platform sees an IMEI that no open table knows"),
    module("RTU-0501", "SIMCom", "SIM7600E-H", "probable", "the SIM platform's IMEI alone"),
    module("PMP-0031", "Quectel", "EC25-EUX", "", "SNMP walk: the router is Teltonika's, the module is not"),
    cellular("PMP-0032", "SNMP walk with an IMEI and no model"),
    module("GW-0107", "Quectel", "EC20", "", "the USB id says Ericsson H5321gw, the revision says EC20").with("usb-id-reprogrammed"),
    open("GW-0108", "the kernel log shows emergency download mode: any Qualcomm chip shows it, a phone's too"),
    without("HMI-0009", "both buses are listed and nothing on them is a modem"),
    module("MTR-2210", "Quectel", "EG25-G", "", "the label names the FCC ID of the module inside: declared, not observed"),
    open("MTR-2211", "the FCC ID on the label is of a Wi-Fi part of the same grantee"),
];

/// A type allocation code that no open table knows.
const UNKNOWN_TAC: u32 = 35_990_017;

fn rtu_0417() -> Modem {
    Modem { imei: imei(86_769_804, 417), iccid: iccid(417), imsi: imsi(417), ..parts::EG25_G.modem() }
}

fn rtu_0420() -> Modem {
    Modem { imei: imei(35_162_610, 420), iccid: iccid(420), imsi: imsi(420), ..parts::LE910C4_EU.modem() }
}

fn rtu_0425() -> Modem {
    // The code of a stick, written into the module with AT+SIMEI.
    Modem { imei: imei(86_378_101, 425), iccid: iccid(425), imsi: imsi(425), ..parts::SIM7600G_H.modem() }
}

fn pmp_0031() -> Modem {
    Modem { imei: imei(86_243_006, 31), iccid: iccid(31), imsi: imsi(31), ..parts::EC25_EUX.modem() }
}

fn sims() -> String {
    let mut rows = vec![row(["ICCID", "IMSI", "MSISDN", "IMEI", "Status", "Rate plan", "APN", "Last seen", "Device name"])];
    let mut sim = |n: u64, imei: &str, status: &str, seen: &str, name: &str| {
        rows.push(row([&iccid(n), &imsi(n), &msisdn(n), imei, status, "IoT 500 MB EU", "scada.test", seen, name]));
    };
    sim(417, &rtu_0417().imei, "ACTIVATED", "2026-08-30T06:12:00Z", "RTU-0417");
    sim(420, &rtu_0420().imei, "ACTIVATED", "2026-08-30T06:13:00Z", "RTU-0420");
    sim(425, &rtu_0425().imei, "ACTIVATED", "2026-08-30T05:58:00Z", "RTU-0425");
    sim(500, &imei(UNKNOWN_TAC, 500), "ACTIVATED", "2026-08-29T23:00:00Z", "RTU-0500");
    sim(501, &imei(86_758_403, 501), "ACTIVATED", "2026-08-29T23:00:00Z", "RTU-0501");
    sim(31, &pmp_0031().imei, "ACTIVATED", "2026-08-30T06:14:00Z", "PMP-0031");
    sim(32, &imei(UNKNOWN_TAC, 32), "ACTIVATED", "2026-08-30T06:14:00Z", "PMP-0032");
    sim(900, "", "TEST_READY", "", "spare");
    sim(901, "000000000000000", "ACTIVATED", "2026-08-01T00:00:00Z", "bench");
    table(',', &rows)
}

pub(super) fn example() -> Example {
    let mut folder = Folder::default();
    let mut register = vec![row(["asset_id", "description", "type", "manufacturer", "model", "serial", "site"])];
    register.extend(ASSETS.iter().map(|cells| row(*cells)));
    folder.add("assets.csv", table(',', &register));
    folder.add("sims.csv", sims());

    let rtu = rtu_0417();
    folder.add("RTU-0417/lsusb.txt", listing::lsusb(&[&parts::HUB, &rtu.usb, &parts::FTDI]));
    folder.add("RTU-0417/at.txt", rtu.at(true));
    folder.add("RTU-0418/usb-devices.txt", listing::usb_devices(&[&parts::HUB, &parts::SRM815.usb]));
    folder.add("RTU-0420/mmcli.txt", rtu_0420().mmcli());
    folder.add("RTU-0425/at.txt", rtu_0425().at(false));
    folder.add(
        "RTU-0431/note.txt",
        "Visited 12 March. Cabinet sealed, antenna lead through the top gland, SMA connector.\nNo label readable. Supplier no longer trading.\n",
    );

    let mut walk = Walk::new("Linux Teltonika-RUT956 5.15.149 #0 Tue Oct 1 09:00:00 2024 mips", "1.3.6.1.4.1.48690", "mill-lane");
    walk.text("1.3.6.1.4.1.48690.1.1.0", "1100000031")
        .text("1.3.6.1.4.1.48690.1.2.0", "RUT956")
        .text("1.3.6.1.4.1.48690.1.3.0", "RUT956100000")
        .text("1.3.6.1.4.1.48690.1.6.0", "RUT9M_R_00.07.13.1")
        .number("1.3.6.1.4.1.48690.2.1.0", 1)
        .teltonika_modem(1, &pmp_0031(), "D31000000031");
    folder.add("PMP-0031/snmpwalk.txt", walk.numeric());

    let mut walk = Walk::new("RouterOS RB912R-2nD", "1.3.6.1.4.1.14988.1", "ings-road");
    walk.text("1.3.6.1.4.1.14988.1.1.7.3.0", "MT0000000032")
        .text("1.3.6.1.4.1.14988.1.1.16.1.1.11.1", &imei(UNKNOWN_TAC, 32))
        .text("1.3.6.1.4.1.14988.1.1.16.1.1.12.1", &imsi(32));
    folder.add("PMP-0032/snmpwalk.txt", walk.symbolic());

    let disguised = Modem { imei: imei(86_701_806, 107), ..parts::EC20_DISGUISED.modem() };
    folder.add("GW-0107/lsusb.txt", listing::lsusb(&[&parts::HUB, &disguised.usb]));
    folder.add("GW-0107/at.txt", disguised.at(true));
    folder.add("GW-0108/dmesg.txt", listing::dmesg(&parts::EDL, "1-3", 4));
    folder.add("HMI-0009/lsusb.txt", listing::lsusb(&[&parts::HUB, &parts::KEYBOARD, &parts::WIFI]));
    folder.add("HMI-0009/lspci.txt", listing::lspci(&[&parts::ETHERNET_PCI]));
    folder.add("MTR-2210/label.txt", "FLOWSENSE 300   S/N FM-2210\nContains FCC ID: XMR201903EG25G\nMade for test purposes\n");
    folder.add("MTR-2211/label.txt", "FLOWSENSE 300W  S/N FM-2211\nContains FCC ID: XMR2023FCU760K\nMade for test purposes\n");

    Example { name: "utility", title: "A water utility", story: STORY, files: folder.0, expect: EXPECT.to_vec() }
}
