//! Devices and inventory items in the columns of NetBox's bulk import (forms `DeviceImportForm` and `InventoryItemImportForm`
//! of NetBox 4; field names as of `netbox/dcim/forms/bulk_import.py`).
//!
//! NetBox takes one kind of object in each file, so there are two: devices, then the modules in them as inventory items, which
//! name their device. Roles, manufacturers, device types and sites must be there before; what is not known is written
//! `Unknown`, never left out, since the import asks for them. Fields are cut where NetBox's columns end.

use std::io::{self, Write};

use umbilical_core::answer::Device;
use umbilical_core::answer::rows::Fleet;
use umbilical_core::text::guarded;

use super::{called, serial};

/// The columns of devices.
pub const DEVICES: [&str; 10] =
    ["name", "role", "manufacturer", "device_type", "serial", "asset_tag", "status", "site", "description", "comments"];
/// The columns of inventory items.
pub const ITEMS: [&str; 9] = ["device", "name", "role", "manufacturer", "part_id", "serial", "discovered", "description", "label"];

/// Which of the two files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Devices.
    Devices,
    /// The modules in them.
    Items,
}

/// Writes CSV for NetBox.
pub struct NetBox<'a> {
    to: csv::Writer<&'a mut dyn Write>,
    what: What,
}

impl<'a> NetBox<'a> {
    /// Writes the line of column names.
    ///
    /// # Errors
    /// What it is written to cannot take it.
    pub fn new(out: &'a mut dyn Write, what: What) -> io::Result<Self> {
        let mut to = csv::Writer::from_writer(out);
        match what {
            What::Devices => to.write_record(DEVICES)?,
            What::Items => to.write_record(ITEMS)?,
        }
        Ok(Self { to, what })
    }

    fn line<const N: usize>(&mut self, cells: [String; N]) -> io::Result<()> {
        Ok(self.to.write_record(cells.iter().map(|c| guarded(c)))?)
    }

    fn devices(&mut self, device: &Device) -> io::Result<()> {
        let product = device.product.as_ref();
        let host = device.host.as_ref();
        let brand = host.and_then(|h| h.brand.as_deref()).or_else(|| product.and_then(|p| p.brand.as_deref()));
        let model = host.and_then(|h| h.model.as_deref()).or_else(|| product.and_then(|p| p.model.as_deref()));
        let ids = &device.identifiers;
        let modules: Vec<String> =
            device.modules.iter().map(|m| [m.maker.as_deref(), m.model.as_deref()].map(|n| n.unwrap_or("unknown")).join(" ")).collect();
        let mut comments = vec![format!("Umbilical id {}, cellular: {}", device.id, device.cellular.name())];
        for (kind, values) in [("IMEI", &ids.imei), ("EID", &ids.eid), ("MAC", &ids.mac), ("IP", &ids.ip), ("ICCID", &ids.iccid)] {
            if !values.is_empty() {
                comments.push(format!("{kind} {}", values.join(", ")));
            }
        }
        self.line([
            cut(called(device), 64),
            "Cellular device".to_owned(),
            cut(brand.unwrap_or("Unknown"), 100),
            cut(model.unwrap_or("Unknown"), 100),
            cut(serial(device).unwrap_or_default(), 50),
            cut(ids.asset_id.first().map_or("", String::as_str), 50),
            "active".to_owned(),
            cut(ids.site.first().map_or("Unknown", String::as_str), 100),
            cut(&if modules.is_empty() { format!("cellular: {}", device.cellular.name()) } else { modules.join("; ") }, 200),
            comments.join(". "),
        ])
    }

    fn items(&mut self, device: &Device) -> io::Result<()> {
        for (n, module) in (1u32..).zip(&device.modules) {
            let name = [module.maker.as_deref(), module.model.as_deref()].map(|n| n.unwrap_or("unknown")).join(" ");
            // Names are unique in a device.
            let name = if device.modules.len() > 1 { format!("{n}: {name}") } else { name };
            let countries = crate::say::countries(module);
            let from = if countries.is_empty() { String::new() } else { format!(", jurisdictions: {}", countries.join(", ")) };
            let basis =
                format!("{} by {} evidence, confidence {}{from}", module.confidence_level.name(), module.basis.name(), module.confidence);
            self.line([
                cut(called(device), 64),
                cut(&name, 64),
                "Cellular module".to_owned(),
                cut(module.maker.as_deref().unwrap_or("Unknown"), 100),
                cut(module.variant.as_deref().or(module.model.as_deref()).unwrap_or_default(), 50),
                cut(module.imei.first().map_or("", String::as_str), 50),
                "true".to_owned(),
                cut(&basis, 200),
                cut(module.sold_as.as_deref().unwrap_or_default(), 64),
            ])?;
        }
        Ok(())
    }
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

impl Fleet for NetBox<'_> {
    fn device(&mut self, device: &Device) -> io::Result<()> {
        match self.what {
            What::Devices => self.devices(device),
            What::Items => self.items(device),
        }
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.to.flush()
    }
}
