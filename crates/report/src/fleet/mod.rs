//! A fleet for other programs: one file for each format, each written a device at a time.
//!
//! The formats of lines hold all that it takes to read the same fleet back ([`rows`](umbilical_core::answer::rows)). The others
//! are what the import of one product takes: a part of what is known, under that product's names.

mod csv;
mod cyclonedx;
mod jsonl;
mod netbox;
mod ocsf;
mod servicenow;
mod xlsx;

pub use csv::Csv;
pub use cyclonedx::CycloneDx;
pub use jsonl::JsonLines;
pub use netbox::{ITEMS as NETBOX_ITEMS, NetBox, What as NetBoxPart};
pub use ocsf::Inventory;
pub use servicenow::{COLUMNS as SERVICENOW, ServiceNow};
pub use xlsx::Xlsx;

use umbilical_core::answer::Device;

/// What people call a device: its first name or asset id, else its id.
pub(crate) fn called(device: &Device) -> &str {
    device.names.first().or(device.identifiers.asset_id.first()).unwrap_or(&device.id)
}

/// The serial number of the device, without the maker before it.
pub(crate) fn serial(device: &Device) -> Option<&str> {
    device.identifiers.serial.first().map(|s| s.split_once('|').map_or(s.as_str(), |(_, number)| number))
}
