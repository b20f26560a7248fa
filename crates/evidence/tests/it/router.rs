//! What routers and their tools print.

use crate::fixtures::walk;

#[test]
fn cases() {
    walk("router");
}
