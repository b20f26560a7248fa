//! Tables of devices: exports of SIM platforms, device management, router clouds, asset registers.

/// A user's mapping of columns to fields.
#[derive(Clone, Debug, Default)]
pub struct Mapping;
