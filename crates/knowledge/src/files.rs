//! The tables' texts: embedded, or replaced by files of a folder.

use std::borrow::Cow;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::table::{File, Problem, TableError};

macro_rules! embedded {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("../../../knowledge/", $name)))),+]
    };
}

const EMBEDDED: [(&str, &str); 30] = embedded![
    "brands.csv",
    "compelling_law.csv",
    "countries.csv",
    "hbom_fields.csv",
    "identifiers/endpoints.csv",
    "identifiers/fcc.csv",
    "identifiers/imei_traps.csv",
    "identifiers/mcc_mnc.csv",
    "identifiers/oui.csv",
    "identifiers/patterns.csv",
    "identifiers/pci.csv",
    "identifiers/tac_learned.csv",
    "identifiers/usb.csv",
    "identifiers/usb_interfaces.csv",
    "identifiers/usb_vendors.csv",
    "listings.csv",
    "modules.csv",
    "organisations.csv",
    "ownership.csv",
    "parts/bands.csv",
    "parts/carriers.csv",
    "parts/makers.csv",
    "parts/series.csv",
    "parts/words.csv",
    "products.csv",
    "radios.csv",
    "rats.csv",
    "rebrands.csv",
    "regimes.csv",
    "replacements.csv",
];

/// The names of all tables, as they lie in a folder.
pub fn table_names() -> impl Iterator<Item = &'static str> {
    EMBEDDED.iter().map(|(name, _)| *name)
}

/// All tables in use.
#[derive(Debug)]
pub(crate) struct Files {
    files: Vec<File>,
    none: File,
}

impl Files {
    pub fn embedded() -> Self {
        let files = EMBEDDED.iter().map(|(name, text)| File { name, text: Cow::Borrowed(text) }).collect();
        Self { files, none: File { name: "", text: Cow::Borrowed("") } }
    }

    pub fn with_dir(dir: &Path) -> Result<Self, TableError> {
        let mut all = Self::embedded();
        for file in &mut all.files {
            match std::fs::read_to_string(dir.join(file.name)) {
                Ok(text) => file.text = Cow::Owned(text),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => {
                    let problem = Problem::Unreadable(error.to_string());
                    return Err(TableError { file: file.name.to_owned(), line: 0, problem });
                }
            }
        }
        Ok(all)
    }

    pub fn get(&self, name: &str) -> &File {
        self.files.iter().find(|f| f.name == name).unwrap_or(&self.none)
    }

    pub fn replaced(&self) -> bool {
        self.files.iter().any(|f| matches!(f.text, Cow::Owned(_)))
    }

    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for file in &self.files {
            hash.update(file.name.as_bytes());
            hash.update([0]);
            hash.update(file.text.as_bytes());
            hash.update([0]);
        }
        let mut hex = umbilical_core::id::hex(&hash.finalize());
        hex.truncate(12);
        hex
    }
}
