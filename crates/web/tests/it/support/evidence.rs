//! Evidence of our own making.

use umbilical_synth::numbers;

/// A register of devices at sites: name, site, maker, model, IMEI.
pub fn register(rows: &[(&str, &str, &str, &str)]) -> String {
    let mut out = String::from("name,site,module manufacturer,module model,imei,iccid\n");
    for (name, site, maker, model) in rows {
        // Each name its own.
        let serial = name.bytes().fold(7u32, |n, b| n.wrapping_mul(131).wrapping_add(b.into())) % 1_000_000;
        let imei = numbers::imei(86_769_804, serial);
        out.push_str(&format!("{name},{site},{maker},{model},{imei},\n"));
    }
    out
}

/// Two sites with three devices.
pub fn two_sites() -> String {
    register(&[
        ("pump-1", "North", "Quectel", "EG25-G"),
        ("pump-2", "North", "Telit", "LE910C4-EU"),
        ("gate-9", "South", "Quectel", "EC25-E"),
    ])
}
