//! SNMP walks.

use proptest::prelude::*;

use crate::fixtures::{read_bytes, walk};

#[test]
fn cases() {
    walk("snmp");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_values_in_a_walk(values in proptest::collection::vec(("[1-9][0-9]{0,2}", "[0-9.]{1,12}", "\\PC{0,40}"), 1..30)) {
        let lines: Vec<String> = values.iter().map(|(e, i, v)| format!(".1.3.6.1.4.1.{e}.{i} = STRING: \"{v}\n.1.3.6.1.2.1.47.1.1.1.1.13.{i} = {v}\n1.3.6.1.4.1.48690.{i}|4x|{v}")).collect();
        let out = read_bytes("walk.txt", lines.join("\n").as_bytes());
        prop_assert!(!out.problems.iter().any(|p| p.what.contains("broke off")), "{:?}", out.problems);
    }
}
