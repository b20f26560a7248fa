//! The formats in which fleets and findings leave, by name: the command line and the API write with the same functions.
//!
//! The writers stand in `report`, and in `store` for Parquet; this is the one place that reaches both.

use std::io::{self, Write};

use serde::Deserialize;
use umbilical_core::answer::rows::Fleet;
use umbilical_report::event::Format;
use umbilical_report::fleet::{Csv, CycloneDx, Inventory, JsonLines, NetBox, NetBoxPart, ServiceNow, Xlsx};
use umbilical_store::Parquet;
use utoipa::ToSchema;

/// A workbook's media type.
const WORKBOOK: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// What a format is called, and what a file of it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    /// As it is typed.
    pub name: &'static str,
    /// For people.
    pub label: &'static str,
    /// The media type.
    pub media: &'static str,
    /// How files of it end.
    pub ending: &'static str,
}

const fn named(name: &'static str, label: &'static str, media: &'static str, ending: &'static str) -> Named {
    Named { name, label, media, ending }
}

/// A format of devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Devices {
    /// A line for each device and module, which reads back.
    Csv,
    /// The same as a workbook.
    Xlsx,
    /// The same as JSON Lines.
    Jsonl,
    /// The same as Parquet.
    Parquet,
    /// One document of CycloneDX 1.6, which reads back.
    Cyclonedx,
    /// CSV for NetBox's import of devices.
    Netbox,
    /// CSV for NetBox's import of inventory items.
    NetboxItems,
    /// CSV for an import set of ServiceNow.
    Servicenow,
    /// An event of OCSF for each device.
    Ocsf,
}

impl Devices {
    /// Every one.
    pub const ALL: [Self; 9] =
        [Self::Csv, Self::Xlsx, Self::Jsonl, Self::Parquet, Self::Cyclonedx, Self::Netbox, Self::NetboxItems, Self::Servicenow, Self::Ocsf];

    /// What it is called.
    pub fn named(self) -> Named {
        match self {
            Self::Csv => named("csv", "CSV", "text/csv; charset=utf-8", "csv"),
            Self::Xlsx => named("xlsx", "Workbook (XLSX)", WORKBOOK, "xlsx"),
            Self::Jsonl => named("jsonl", "JSON Lines", "application/x-ndjson", "jsonl"),
            Self::Parquet => named("parquet", "Parquet", "application/vnd.apache.parquet", "parquet"),
            Self::Cyclonedx => named("cyclonedx", "CycloneDX", "application/vnd.cyclonedx+json", "cdx.json"),
            Self::Netbox => named("netbox", "NetBox devices", "text/csv; charset=utf-8", "netbox.csv"),
            Self::NetboxItems => named("netbox-items", "NetBox inventory items", "text/csv; charset=utf-8", "netbox-items.csv"),
            Self::Servicenow => named("servicenow", "ServiceNow import set", "text/csv; charset=utf-8", "servicenow.csv"),
            Self::Ocsf => named("ocsf", "OCSF events", "application/x-ndjson", "ocsf.jsonl"),
        }
    }

    /// The format of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|f| f.named().name == name)
    }

    /// Begins a file. `as_of` is the day of the answer, `version` the program's.
    ///
    /// # Errors
    /// What it is written to cannot take it.
    pub fn open<'a>(self, out: &'a mut dyn Write, as_of: &str, version: &str) -> io::Result<Box<dyn Fleet + 'a>> {
        Ok(match self {
            Self::Csv => Box::new(Csv::new(out, as_of)?),
            Self::Xlsx => Box::new(Xlsx::new(out, as_of)?),
            Self::Jsonl => Box::new(JsonLines::new(out, as_of)),
            Self::Parquet => Box::new(Parquet::new(out, as_of)?),
            Self::Cyclonedx => Box::new(CycloneDx::new(out, as_of, version)?),
            Self::Netbox => Box::new(NetBox::new(out, NetBoxPart::Devices)?),
            Self::NetboxItems => Box::new(NetBox::new(out, NetBoxPart::Items)?),
            Self::Servicenow => Box::new(ServiceNow::new(out, as_of)?),
            Self::Ocsf => Box::new(Inventory::new(out, as_of, version)?),
        })
    }

    /// How many devices the server writes of it at most: what has to be packed in memory at the end has a bound.
    pub fn most(self) -> Option<u64> {
        matches!(self, Self::Xlsx).then_some(200_000)
    }
}

/// A format of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Findings {
    /// A line of CSV for each.
    Csv,
    /// An object for each, with its device.
    Jsonl,
    /// One bundle of STIX 2.1.
    Stix,
    /// An event of OCSF for each.
    Ocsf,
    /// A line of syslog with CEF for each.
    Cef,
    /// A line of syslog with LEEF for each.
    Leef,
    /// An event of Splunk's collector for each.
    Hec,
    /// One document of SARIF 2.1.0.
    Sarif,
}

impl Findings {
    /// Every one.
    pub const ALL: [Self; 8] = [Self::Csv, Self::Jsonl, Self::Stix, Self::Ocsf, Self::Cef, Self::Leef, Self::Hec, Self::Sarif];

    /// What it is called.
    pub fn named(self) -> Named {
        match self {
            Self::Csv => named("csv", "CSV", "text/csv; charset=utf-8", "csv"),
            Self::Jsonl => named("jsonl", "JSON Lines", "application/x-ndjson", "jsonl"),
            Self::Stix => named("stix", "STIX 2.1", "application/stix+json;version=2.1", "stix.json"),
            Self::Ocsf => named("ocsf", "OCSF events", "application/x-ndjson", "ocsf.jsonl"),
            Self::Cef => named("cef", "CEF (syslog)", "text/plain; charset=utf-8", "cef.log"),
            Self::Leef => named("leef", "LEEF (syslog)", "text/plain; charset=utf-8", "leef.log"),
            Self::Hec => named("hec", "Splunk events", "application/x-ndjson", "hec.jsonl"),
            Self::Sarif => named("sarif", "SARIF", "application/sarif+json", "sarif"),
        }
    }

    /// The format of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|f| f.named().name == name)
    }

    /// The writer that takes findings one at a time; `None` of SARIF, which needs all of them.
    pub fn one_by_one(self) -> Option<Format> {
        Some(match self {
            Self::Csv => Format::Csv,
            Self::Jsonl => Format::Jsonl,
            Self::Stix => Format::Stix,
            Self::Ocsf => Format::Ocsf,
            Self::Cef => Format::Cef,
            Self::Leef => Format::Leef,
            Self::Hec => Format::Hec,
            Self::Sarif => return None,
        })
    }

    /// How many findings the server writes of it at most: SARIF holds all of them, and code scanning takes no more of one run.
    pub fn most(self) -> Option<u64> {
        matches!(self, Self::Sarif).then_some(25_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_is_known_by_its_own_name() {
        for format in Devices::ALL {
            assert_eq!(Devices::from_name(format.named().name), Some(format));
        }
        for format in Findings::ALL {
            assert_eq!(Findings::from_name(format.named().name), Some(format));
        }
        assert_eq!(Devices::from_name("table"), None);
    }
}
