//! Labels, payloads of codes, names of firmware files.

use crate::fixtures::walk;

#[test]
fn cases() {
    walk("label");
}
