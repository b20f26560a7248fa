//! Devices in the columns of a ServiceNow import set for the table `cmdb_ci_hardware`: its own columns under their names, what
//! it has no column for under `u_`, to be mapped or left out by the transform map.
//!
//! One line for each device, so that `correlation_id` is the key to coalesce on: the same device is the same record in every
//! import. Several modules stand in one cell, parted by `; `.

use std::io::{self, Write};

use umbilical_core::answer::Device;
use umbilical_core::answer::rows::{Fleet, join, reaching};
use umbilical_core::text::guarded;

use super::{called, serial};

/// The columns.
pub const COLUMNS: [&str; 24] = [
    "name",
    "sys_class_name",
    "correlation_id",
    "serial_number",
    "asset_tag",
    "manufacturer",
    "model_id",
    "ip_address",
    "mac_address",
    "location",
    "discovery_source",
    "short_description",
    "u_cellular",
    "u_cellular_confidence",
    "u_imei",
    "u_eid",
    "u_iccid",
    "u_module_maker",
    "u_module_model",
    "u_module_confidence",
    "u_module_basis",
    "u_jurisdictions",
    "u_findings",
    "u_as_of",
];

/// Writes CSV for ServiceNow.
pub struct ServiceNow<'a> {
    to: csv::Writer<&'a mut dyn Write>,
    as_of: String,
}

impl<'a> ServiceNow<'a> {
    /// Writes the line of column names.
    ///
    /// # Errors
    /// What it is written to cannot take it.
    pub fn new(out: &'a mut dyn Write, as_of: &str) -> io::Result<Self> {
        let mut to = csv::Writer::from_writer(out);
        to.write_record(COLUMNS)?;
        Ok(Self { to, as_of: as_of.to_owned() })
    }
}

impl Fleet for ServiceNow<'_> {
    fn device(&mut self, device: &Device) -> io::Result<()> {
        let ids = &device.identifiers;
        let (product, host) = (device.product.as_ref(), device.host.as_ref());
        let list = |items: &[String]| join(items.iter().map(|i| guarded(i)));
        let first = |items: &[String]| guarded(items.first().map_or("", String::as_str));
        let brand = host.and_then(|h| h.brand.as_deref()).or_else(|| product.and_then(|p| p.brand.as_deref()));
        let model = host.and_then(|h| h.model.as_deref()).or_else(|| product.and_then(|p| p.model.as_deref()));
        let modules = &device.modules;
        // The place in each list is the module's: what is not known of one is said, so that the others keep theirs.
        let named = |name: &Option<String>| guarded(name.as_deref().unwrap_or("unknown"));
        let jurisdictions: Vec<_> = modules.iter().flat_map(|m| &m.jurisdictions).collect();
        let mut codes: Vec<&str> = device.findings.iter().map(|f| &*f.code).collect();
        codes.dedup();
        let about = match modules.len() {
            0 => format!("cellular: {}", device.cellular.name()),
            n => format!("cellular: {}, modules: {n}", device.cellular.name()),
        };
        Ok(self.to.write_record([
            guarded(called(device)),
            "cmdb_ci_hardware".to_owned(),
            device.id.clone(),
            guarded(serial(device).unwrap_or_default()),
            first(&ids.asset_id),
            guarded(brand.unwrap_or_default()),
            guarded(model.unwrap_or_default()),
            first(&ids.ip),
            first(&ids.mac),
            first(&ids.site),
            "Umbilical".to_owned(),
            about,
            device.cellular.name().to_owned(),
            device.cellular_confidence.to_string(),
            list(&ids.imei),
            list(&ids.eid),
            list(&ids.iccid),
            join(modules.iter().map(|m| named(&m.maker))),
            join(modules.iter().map(|m| named(&m.model))),
            join(modules.iter().map(|m| m.confidence.to_string())),
            join(modules.iter().map(|m| m.basis.name())),
            join(reaching(jurisdictions.iter().copied())),
            join(codes.iter().map(|c| guarded(c))),
            self.as_of.clone(),
        ])?)
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.to.flush()
    }
}
