//! What routers and their tools print.

use proptest::prelude::*;

use crate::fixtures::{read_bytes, walk};

#[test]
fn cases() {
    walk("router");
}

/// Beginnings that open a dialect, so that arbitrary text behind them is read by it.
const OPENINGS: &[&str] = &[
    "r#show cellular 0/1/0 hardware",
    "Cisco IOS Software",
    "NAME: \"Modem 0 on Cellular0\", DESCR: \"",
    "PID: ",
    "[admin@r] > /interface/lte/monitor lte1",
    "routerboard: yes",
    "# by RouterOS 7",
    "root@r:~# gsmctl -mwyiJ",
    "ALEOS Software Version: 4",
    "config interface 'x'",
    "option proto '",
    "network.x.proto='",
    "{",
    "[{\"key\": \"imei\", \"value\": ",
    "Modem 2",
    "IMEI: ",
    "Contains FCC ID: ",
    "(8002)",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_text_behind_any_opening(lines in proptest::collection::vec((0..OPENINGS.len(), "\\PC{0,60}"), 1..40)) {
        let text: String = lines.iter().map(|(i, rest)| format!("{}{rest}\n{rest}\n", OPENINGS[*i])).collect();
        let out = read_bytes("dump.txt", text.as_bytes());
        prop_assert!(!out.problems.iter().any(|p| p.what.contains("broke off")), "{:?}", out.problems);
    }
}
