//! What suppliers declare of devices of the fleets: parts lists to compare with what is observed.

use super::{Folder, row, table};

/// The files of `examples/declared/`: path below it, and bytes.
pub fn declared() -> Vec<(String, Vec<u8>)> {
    let mut out = Folder::default();
    out.add("rtu-0417.csv", parts(["U7", "EG25-G", "Quectel", "EG25GGB-128-SNNS", "LTE Cat 4 module with GNSS"]));
    out.add("rtu-0425.csv", parts(["U7", "LARA-R6001", "u-blox", "LARA-R6001-00B", "LTE Cat 1 module"]));
    out.0
}

/// The parts list of a remote terminal unit with this module.
fn parts(module: [&str; 5]) -> String {
    let [reference, value, maker, number, what] = module;
    let rows = [
        row(["Reference", "Qty", "Value", "Manufacturer", "MPN", "Description"]),
        row(["C1, C2, C3", "3", "100n", "Murata", "GRM155R71C104KA88D", "Ceramic capacitor X7R 16 V"]),
        row(["D1", "1", "SMBJ24A", "Littelfuse", "SMBJ24A", "Transient suppressor"]),
        row(["J3", "1", "nano SIM", "Molex", "1042240820", "SIM holder, push-pull"]),
        row(["U1", "1", "STM32F407VGT6", "STMicroelectronics", "STM32F407VGT6", "Microcontroller"]),
        row(["U4", "1", "W25Q128JV", "Winbond", "W25Q128JVSIQ", "Flash 128 Mbit"]),
        row([reference, "1", value, maker, number, what]),
    ];
    table(',', &rows)
}
