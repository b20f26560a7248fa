//! A farm: tractors, pivots, soil sensors, a drone, a supplier's export in Chinese.

use super::{Example, Expect, Folder, cellular, module, open, row, table};
use crate::listing;
use crate::modem::Modem;
use crate::numbers::{iccid, imei, imeisv, imsi, mac, mistyped_imei, msisdn};
use crate::parts;

const STORY: &str = "
Four farms share machines and a supplier who sells SIM cards with its sensors and sends its list in Chinese. Two trackers carry one
IMEI, a gateway was written down with a wrong digit, a weather station's configuration names a cloud of a module maker, and
the drone's dongle has the id of the drone's maker.";

const EXPECT: &[Expect] = &[
    module("TRAC-01", "SIMCom", "SIM7600G-H", "confirmed", "AT transcript and the supplier's list agree"),
    module("PIV-03", "Luat", "Air724UG", "", "an empty manufacturer, and a revision that tells"),
    module("MILK-01", "Cinterion", "PLS8", "", "answers with the chip maker's name: the USB side and the plugin tell"),
    module("SENS-001", "Quectel", "BG95-M3", "", "the supplier's list only"),
    module("SENS-002", "Nordic", "nRF9160", "", "the supplier's list only, with a software version in place of the check digit"),
    cellular("SENS-003", "an IMEI that no open table knows"),
    cellular("GATE-01", "an IMEI with a wrong digit joins nothing; its first eight digits are a hint"),
    module("GATE-02", "Quectel", "", "", "USB id 2c7c:0125 alone: EC25, EG25-G or EC20"),
    module("DRONE-01", "Quectel", "EG25-G", "", "DJI's id over a Quectel module"),
    open("WX-01", "a configuration that names a module maker's cloud, and a MAC address of that maker: hints"),
    module("TRK-11", "Quectel", "EC21-E", "", "one IMEI in two trackers").with("cloned-imei"),
    module("TRK-12", "Quectel", "EC21-E", "", "one IMEI in two trackers").with("cloned-imei"),
    open("SCALE-01", "no modem on the bus, but a serial converter: what hangs on it is not listed"),
];

fn register() -> String {
    let mut rows = vec![row(["asset", "name", "kind", "make", "model", "vin", "serial", "field"])];
    for cells in [
        ["TRAC-01", "Tractor 1", "tractor", "Example Tractors", "T-200", "EXM00000000000001", "", "Home farm"],
        ["PIV-03", "Pivot 3", "irrigation", "Example Pivots", "P-8", "", "EP-0003", "Long field"],
        ["MILK-01", "Milk cooler", "cooler", "Example Dairy", "MC-4", "", "ED-0001", "Dairy"],
        ["SENS-001", "Soil sensor 1", "sensor", "", "", "", "", "Long field"],
        ["SENS-002", "Soil sensor 2", "sensor", "", "", "", "", "Long field"],
        ["SENS-003", "Soil sensor 3", "sensor", "", "", "", "", "Low field"],
        ["GATE-01", "Farm gateway 1", "gateway", "GL.iNet", "GL-X750", "", "GL-0001", "Dairy"],
        ["GATE-02", "Farm gateway 2", "gateway", "GL.iNet", "GL-X750", "", "GL-0002", "Grain store"],
        ["DRONE-01", "Survey drone", "drone", "DJI", "", "", "DJ-0001", "Home farm"],
        ["WX-01", "Weather station", "station", "Example Weather", "WX-3", "", "EW-0001", "Hill"],
        ["TRK-11", "Trailer tracker 11", "tracker", "", "", "", "EK-0011", "Trailer A"],
        ["TRK-12", "Trailer tracker 12", "tracker", "", "", "", "EK-0012", "Trailer B"],
        ["SCALE-01", "Scale terminal", "terminal", "Example Scales", "S-1", "", "ES-0001", "Grain store"],
    ] {
        rows.push(row(cells));
    }
    table(',', &rows)
}

fn trac() -> Modem {
    Modem { imei: imei(86_263_605, 1), iccid: iccid(4001), imsi: imsi(4001), ..parts::SIM7600G_H.modem() }
}

/// The IMEI that two trackers carry.
fn cloned() -> String {
    imei(86_796_204, 11)
}

fn supplier() -> String {
    let mut rows = vec![row(["设备名称", "国际移动设备识别码", "ICCID", "IMSI", "手机号", "状态", "最后在线时间"])];
    for (name, imei, n) in [
        ("TRAC-01", trac().imei, 4001),
        ("SENS-001", imei(86_447_504, 4101), 4101),
        ("SENS-002", imeisv(35_265_610, 4102, 1), 4102),
        ("SENS-003", imei(35_990_022, 4103), 4103),
        ("GATE-01", mistyped_imei(86_769_804, 4104), 4104),
        ("TRK-11", cloned(), 4111),
        ("TRK-12", cloned(), 4112),
    ] {
        rows.push(row([name, &imei, &iccid(n), &imsi(n), &msisdn(n), "已激活", "2026-08-30 06:00:00"]));
    }
    format!("\u{feff}{}", table(',', &rows))
}

pub(super) fn example() -> Example {
    let mut folder = Folder::default();
    folder.add("machines.csv", register());
    folder.add("supplier-sims.csv", supplier());
    folder.add("TRAC-01/at.txt", trac().at(true));
    folder.add("PIV-03/at.txt", Modem { imei: imei(35_990_023, 3), ..parts::AIR724UG.modem() }.at(true));
    folder.add("MILK-01/mmcli.txt", Modem { imei: imei(35_990_024, 1), ..parts::PLS8.modem() }.mmcli_keyvalue());
    folder.add("MILK-01/lsusb.txt", listing::lsusb(&[&parts::HUB, &parts::PLS8.usb]));
    folder.add("GATE-02/lsusb.txt", "Bus 001 Device 001: ID 1d6b:0002\nBus 001 Device 002: ID 2c7c:0125\n");
    folder.add("DRONE-01/lsusb.txt", listing::lsusb(&[&parts::HUB, &parts::DJI_DONGLE]));
    folder.add(
        "WX-01/config.txt",
        format!(
            "# weather station, exported 30 August\nhostname wx-01\nuplink mac {}\nmqtt server iot-south.quectel.com port 1883\nntp server 192.0.2.123\n",
            mac("A486AE", 1)
        ),
    );
    folder.add("TRK-11/at.txt", Modem { imei: cloned(), iccid: iccid(4111), ..ec21() }.at(true));
    folder.add("TRK-12/at.txt", Modem { imei: cloned(), iccid: iccid(4112), ..ec21() }.at(false));
    folder.add("SCALE-01/lsusb.txt", listing::lsusb(&[&parts::HUB, &parts::FTDI]));
    Example { name: "farm", title: "A farm", story: STORY, files: folder.0, expect: EXPECT.to_vec() }
}

fn ec21() -> Modem {
    Modem {
        model: "EC21",
        revision: "EC21EFAR06A04M4G",
        vendor_command: ("AT+QGMR", &["EC21EFAR06A04M4G_01.001.01.001"]),
        ..parts::EC25_EUX.modem()
    }
}
