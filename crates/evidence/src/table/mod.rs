//! Tables of devices: exports of SIM platforms, device management, router clouds, asset registers, monitors.
//!
//! **What it reads.** Text with any delimiter, quoted or not, in any encoding that [`Source`](crate::Source) decodes;
//! spreadsheets; and, through [`json`](crate::json), the answers of web interfaces. The header may stand below title
//! rows, or be missing where the values speak for themselves. Columns are recognised by their heads (in ten
//! languages) and by the values of the first rows; `inputs[].mapping` says how, and `--map FILE` overrides it.
//!
//! **Who speaks.** One and the same column means different things in different tables, so the table as a whole is
//! given a [`Witness`]: a SIM platform saw the IMEI on the network, but takes maker and model from a table of type
//! allocation codes; an asset register declares what somebody typed; a router's status repeats what the module said.
//!
//! **When it is wrong.** A register whose "Model" column means the module and says so nowhere is read as the model of
//! the device around it: map the column to `module-model`. A column of 15-digit numbers without a head may be an IMEI
//! or an IMSI; it is an IMEI only where every check digit is right.

pub(crate) mod bom;
mod dates;
mod delimited;
mod field;
mod languages;
pub mod leases;
mod mapper;
mod mapping;
pub mod messages;
mod ods;
mod operator;
mod parquet;
pub mod raw;
mod rows;
mod sheet;
mod xls;

pub use delimited::TableReader;
pub use field::Field;
pub(crate) use field::fold;
pub(crate) use mapper::{Mapper, header_row, unwrapped};
pub use mapping::{Mapping, MappingError};
pub use parquet::ParquetReader;
pub use sheet::{OdsReader, XlsReader, XlsxReader};
pub(crate) use sheet::{is_ods, is_xlsx};

use umbilical_core::{Basis, Group};

/// How each column of an operator's table was understood, `head → meaning`.
pub type Understood = Vec<String>;

/// Who speaks in a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Witness {
    /// A SIM platform or gateway: it saw IMEI and card on the network; maker and model come from its own table of type
    /// allocation codes.
    Platform,
    /// An asset register, device management, a list somebody keeps: declared, all of it.
    Register,
    /// A router, modem or monitor that passes on what the module said of itself.
    OwnWord,
}

impl Witness {
    /// The witness of a name in a mapping file.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        match field::fold(name).as_str() {
            "platform" | "simplatform" | "network" | "gateway" => Some(Self::Platform),
            "register" | "inventory" | "cmdb" | "mdm" | "document" => Some(Self::Register),
            "modem" | "module" | "router" | "status" | "ownword" => Some(Self::OwnWord),
            _ => None,
        }
    }

    /// What it is called in `inputs[].mapping`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Platform => "export of a SIM platform or gateway",
            Self::Register => "register",
            Self::OwnWord => "status of modems or routers",
        }
    }

    /// Group and basis of the identifiers it gives.
    pub(crate) fn of_identifiers(self) -> (Group, Basis) {
        match self {
            Self::Platform => (Group::Network, Basis::Observed),
            Self::Register => (Group::Document, Basis::Declared),
            Self::OwnWord => (Group::OwnWord, Basis::Observed),
        }
    }

    /// Group and basis of what it says of makers and models. A platform looks them up by the IMEI's type allocation code: they
    /// are no second witness beside it.
    pub(crate) fn of_descriptions(self) -> (Group, Basis) {
        match self {
            Self::Platform => (Group::Network, Basis::Declared),
            Self::Register => (Group::Document, Basis::Declared),
            Self::OwnWord => (Group::OwnWord, Basis::Observed),
        }
    }
}
