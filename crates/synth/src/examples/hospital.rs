//! A hospital: laptops with branded cards, monitors, an ambulance router, a masked export, hostile cells.

use super::{Cellular, Example, Expect, Folder, cellular, module, open, row, table, without};
use crate::book;
use crate::listing::{self, Interface, Usb};
use crate::modem::Modem;
use crate::numbers::{imei, imei14};
use crate::parts;

const STORY: &str = "
St. Aldhelm's has a register kept in a spreadsheet, a device-management export in which the maker is always the laptop's, and
a SIM report from which the operator covered the last digits. Cards bear the names of computer makers. One laptop has a chip
that two card makers use; it cannot be decided from what is here. Two names in the register were written by a joker.";

const EXPECT: &[Expect] = &[
    module("LT-2041", "Foxconn", "T77W968", "", "sold as Dell DW5821e").with("rebranded"),
    module("LT-2042", "Foxconn", "T77W676", "", "sold as Telit LN940; answers with the chip maker's name").with("rebranded"),
    cellular("LT-2043", "MediaTek T700: Fibocom FM350-GL or Rolling Wireless RW350R-GL, which this listing does not tell"),
    module("LT-2044", "Quectel", "RM520N-GL", "", "a chip id that says nothing, and a subsystem id that says everything"),
    module("MON-0117", "u-blox", "LARA-R6", "", "USB descriptors of a patient monitor"),
    module("INF-0450", "Telit", "LE910Cx", "", "only the FCC ID on the label: declared, and true of a family"),
    module("AMB-03", "Sierra Wireless", "MC7455", "", "status of the ambulance's router"),
    module("PMP-1201", "u-blox", "SARA-R410M", "", "a covered IMEI still shows its type allocation code"),
    cellular("PMP-1202", "an IMEI covered so far that nothing is left of it, with an active SIM card"),
    without("NUR-0005", "both buses are listed and nothing on them is a modem"),
    without("GPS-0001", "a positioning receiver of a maker that also makes modems"),
    open("XR-0002", "only in the register"),
];

/// A u-blox LARA-R6 as its descriptors tell.
const LARA_R6: Usb = Usb {
    id: (0x1546, 0x1311),
    bcd: 0x0000,
    class: (0xef, 2, 1),
    manufacturer: "u-blox",
    product: "u-blox Modem LARA-R6",
    listed: "",
    speed: 480,
    interfaces: &[Interface::vendor(0, 0, 3, "option"), Interface::vendor(0, 0, 3, "option"), Interface::vendor(0xff, 0xff, 3, "option")],
};

fn register() -> std::io::Result<Vec<u8>> {
    let mut rows = vec![row(["Asset ID", "Name", "Category", "Manufacturer", "Model", "Serial number", "Location"])];
    for cells in [
        ["LT-2041", "Ward laptop 41", "Laptop", "Dell", "Latitude 5400", "SYN2041", "Ward 4"],
        ["LT-2042", "Ward laptop 42", "Laptop", "Fujitsu", "Lifebook U7510", "SYN2042", "Ward 4"],
        ["LT-2043", "Consultant laptop", "Laptop", "HP", "EliteBook 840 G9", "SYN2043", "Cardiology"],
        ["LT-2044", "Telemedicine cart", "Laptop", "Lenovo", "ThinkPad X1", "SYN2044", "Emergency"],
        ["MON-0117", "Patient monitor, transport", "Monitor", "Example Medical", "TM-7", "SYN0117", "Intensive care"],
        ["INF-0450", "Infusion gateway", "Gateway", "Example Medical", "IG-2", "SYN0450", "Pharmacy"],
        ["AMB-03", "Ambulance 3 router", "Router", "Cradlepoint", "IBR1700", "SYN0003", "Garage"],
        ["PMP-1201", "Feeding pump, home care", "Pump", "Example Medical", "FP-9", "SYN1201", "Home care"],
        ["PMP-1202", "Feeding pump, home care", "Pump", "Example Medical", "FP-9", "SYN1202", "Home care"],
        ["NUR-0005", "Nurse call server", "Server", "Example Call", "NC-1", "SYN0005", "Basement"],
        ["GPS-0001", "Time server", "Server", "Example Time", "TS-2", "SYN0001", "Basement"],
        ["XR-0002", "X-ray console", "Imaging", "Example Imaging", "XR-400", "SYN0002", "Radiology"],
        // What a hostile or careless person types into a name.
        ["ZZ-0001", "=cmd|'/C calc'!A0", "Other", "+1+1", "@SUM(1)", "-2", "Ward 9"],
        ["ZZ-0002", "<script>alert(1)</script>", "Other", "\"><img src=x onerror=alert(1)>", "\u{202e}x", "&amp;", "Ward 9"],
    ] {
        rows.push(row(cells));
    }
    book::workbook("Register", &rows)
}

fn managed() -> String {
    let mut rows =
        vec![row(["DeviceName", "SerialNumber", "IMEI", "MEID", "Manufacturer", "Model", "PhoneNumber", "OS", "OSVersion", "LastContact"])];
    for (name, serial, imei, maker, model) in [
        ("LT-2041", "SYN2041", String::new(), "Dell Inc.", "Latitude 5400"),
        ("LT-2042", "SYN2042", String::new(), "FUJITSU", "LIFEBOOK U7510"),
        ("LT-2043", "SYN2043", imei(35_990_018, 2043), "HP", "EliteBook 840 G9"),
        ("LT-2044", "SYN2044", imei(86_837_105, 2044), "LENOVO", "ThinkPad X1"),
    ] {
        rows.push(row([name, serial, &imei, "", maker, model, "", "Windows", "10.0.22631", "2026-08-30T07:00:00Z"]));
    }
    table(',', &rows)
}

fn sims() -> String {
    // The operator covers what it takes for personal data.
    let covered = |tac: u32, serial: u32| format!("{}******", imei14(tac, serial).get(..9).unwrap_or_default());
    let mut rows = vec![row(["Name", "IMEI", "ICCID", "IMSI", "Status", "Last session"])];
    rows.push(row(["PMP-1201", &covered(35_275_309, 1201), "8988800*********1201", "00101******1201", "active", "2026-08-29"]));
    rows.push(row(["PMP-1202", "***************", "8988800*********1202", "00101******1202", "active", "2026-08-29"]));
    rows.push(row(["AMB-03", &covered(35_907_206, 3), "8988800*********0003", "00101******0003", "active", "2026-08-30"]));
    table(';', &rows)
}

pub(super) fn example() -> Example {
    let mut folder = Folder::default();
    folder.0.push(("register.xlsx".into(), register().expect("writing to memory does not fail")));
    folder.add("managed-devices.csv", managed());
    folder.add("sims-masked.csv", sims());

    folder.add("LT-2041/usb-devices.txt", listing::usb_devices(&[&parts::HUB, &parts::DW5821E.usb]));
    folder.add("LT-2042/usb-devices.txt", listing::usb_devices(&[&parts::HUB, &parts::LN940.usb]));
    folder.add("LT-2042/at.txt", Modem { imei: imei(35_990_019, 2042), ..parts::LN940.modem() }.at(true));
    folder.add("LT-2043/lspci.txt", listing::lspci(&[&parts::ETHERNET_PCI, &parts::T700]));
    folder.add("LT-2044/lspci.txt", listing::lspci(&[&parts::ETHERNET_PCI, &parts::RM520N_PCI]));
    folder.add("MON-0117/usb-devices.txt", listing::usb_devices(&[&parts::HUB, &LARA_R6]));
    folder.add("INF-0450/label.txt", "Example Medical IG-2\nSN SYN0450\nContains FCC ID: RI7LE910CXNF\nRx only\n");
    folder.add(
        "AMB-03/status.json",
        format!(
            "{{\n  \"success\": true,\n  \"data\": {{\n    \"mdm-0a1b2c3d\": {{\n      \"info\": {{\"manufacturer\": \"Sierra Wireless, Incorporated\", \"model\": \"MC7455\", \"tech\": \"lte\", \"type\": \"mdm\", \"sim\": \"sim1\"}},\n      \
             \"diagnostics\": {{\"DISP_IMEI\": \"{}\", \"VER_PKG\": \"02.33.03.00\", \"FW_CARRIER_LOAD\": \"SWI9X30C_02.33.03.00\", \"CARRID\": \"Test PLMN 1-1\"}},\n      \"status\": {{\"connection_state\": \"connected\"}}\n    }}\n  }}\n}}\n",
            imei(35_907_206, 3)
        ),
    );
    folder.add("NUR-0005/lsusb.txt", listing::lsusb(&[&parts::HUB, &parts::KEYBOARD]));
    folder.add("NUR-0005/lspci.txt", listing::lspci(&[&parts::ETHERNET_PCI]));
    folder.add("GPS-0001/lspci.txt", listing::lspci(&[&parts::ETHERNET_PCI]));
    folder.add("GPS-0001/lsusb.txt", listing::lsusb(&[&parts::HUB, &parts::GNSS]));

    let mut expect = EXPECT.to_vec();
    for device in ["ZZ-0001", "ZZ-0002"] {
        expect.push(Expect {
            device,
            cellular: Cellular::Unknown,
            ..open(device, "a hostile cell stays a text on paper, screen and page")
        });
    }
    Example { name: "hospital", title: "A hospital", story: STORY, files: folder.0, expect }
}
