//! Bills of materials: what a document declares a product to contain, line by line, as readers hand it over.
//!
//! Whatever the dialect (a spreadsheet, a schematic, a netlist, CycloneDX), it becomes one [`Bom`] for each input: the
//! product it is about and its [`Part`]s in the order of the document, sub-assemblies by reference to the part that
//! holds them. Nothing here says what a part *is*: that is assessment's.

use serde::{Deserialize, Serialize};

use crate::date::Day;
use crate::observation::At;
use crate::signed::Signed;

/// Text that is kept as it stands in the document, or nothing.
pub type Cell = Option<Box<str>>;

/// What sort of document declares the parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Design {
    /// A list of parts: spreadsheet, CSV, Markdown table, export of a product database.
    List,
    /// A drawing of one sheet or of a whole board.
    Schematic,
    /// The nets between parts.
    Netlist,
    /// A bill of materials in a format made for exchange: CycloneDX, SPDX, a platform certificate's manifest.
    Statement,
}

impl Design {
    /// The kebab-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Schematic => "schematic",
            Self::Netlist => "netlist",
            Self::Statement => "statement",
        }
    }
}

/// One document and the parts it declares.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Bom {
    /// Index of the input.
    pub input: u32,
    /// What sort of document; `None` until a reader said so.
    pub design: Option<Design>,
    /// The product that it is about, as far as it says.
    pub product: Product,
    /// The version of the format where it has one: `1.6` of CycloneDX.
    pub spec: Cell,
    /// Files that hold further sheets of the same design, as the document names them.
    pub sheets: Vec<Box<str>>,
    /// The parts, in the order of the document.
    pub parts: Vec<Part>,
    /// What else the document says of itself and no field above holds: name and value, in its order.
    pub properties: Vec<(Box<str>, Box<str>)>,
    /// The signatures inside it; `None` where nobody looked, or its format holds none.
    pub signed: Option<Signed>,
}

/// The product that a bill of materials is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Product {
    /// Its name or title.
    pub name: Cell,
    /// Who sells it.
    pub brand: Cell,
    /// Who built it, where that is another firm (ODM, EMS).
    pub manufacturer: Cell,
    /// Its number.
    pub model: Cell,
    /// Revision or version.
    pub version: Cell,
    /// Serial number, where the document is about one piece.
    pub serial: Cell,
    /// Date of the document as written.
    pub date: Cell,
}

/// Whether a part is on the board.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Placed {
    /// It is, or nothing says otherwise.
    #[default]
    Yes,
    /// The document says do not place (DNP, DNF, not fitted, quantity 0, excluded from the bill): its words.
    No(Box<str>),
}

/// One line of a bill of materials, one placed symbol of a drawing, one component of a statement.
///
/// `value`, `mpn` and `manufacturer` are the only fields by which a part is recognised. Names of libraries,
/// symbols, footprints, sheets, nets and files lie in real designs and are kept, at most, among the `properties`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Part {
    /// Where it stands.
    pub at: At,
    /// Its own reference in the document (`bom-ref`, unique id).
    pub reference: Cell,
    /// The assembly that holds it: index into [`Bom::parts`], always smaller than its own.
    pub parent: Option<u32>,
    /// Reference designators, each by itself: `U2`, `C1`.
    pub designators: Vec<Box<str>>,
    /// How many; `None` = not said.
    pub quantity: Option<u32>,
    /// The value placed on the board, or the name of the component.
    pub value: Cell,
    /// The maker's part number.
    pub mpn: Cell,
    /// The maker as written.
    pub manufacturer: Cell,
    /// Prose about it.
    pub description: Cell,
    /// What the document calls it: `device`, `firmware`, a category, `cellular modem`.
    pub role: Cell,
    /// Version or revision.
    pub version: Cell,
    /// Serial number of this piece.
    pub serial: Cell,
    /// FCC ID.
    pub fcc_id: Cell,
    /// Country of origin as declared.
    pub origin: Cell,
    /// Who sells it to the builder.
    pub supplier: Cell,
    /// The seller's number (LCSC C-number, distributor's number).
    pub supplier_part: Cell,
    /// Whether it is on the board.
    pub placed: Placed,
    /// Other parts that may stand in its place (approved vendor list, several names in one cell).
    pub alternates: Vec<Alternate>,
    /// What it is built from or re-branded from, nearest first (CycloneDX pedigree).
    pub ancestors: Vec<Alternate>,
    /// Certificates: scheme or country, and number (`PTCRB`, `US`).
    pub certificates: Vec<(Box<str>, Box<str>)>,
    /// For which pieces the line holds.
    pub effective: Effectivity,
    /// Everything else that the document says of it and no field above holds: name and value, in its order. Fields of a
    /// structured format that are not known here are kept as JSON text under `json:` and their path.
    pub properties: Vec<(Box<str>, Box<str>)>,
}

impl Part {
    /// Whether it is on the board.
    pub fn is_placed(&self) -> bool {
        self.placed == Placed::Yes
    }

    /// The name people know it by: its part number, else its value.
    pub fn name(&self) -> Option<&str> {
        self.mpn.as_deref().or(self.value.as_deref())
    }

    /// A property by its name, whatever its case.
    pub fn property(&self, name: &str) -> Option<&str> {
        self.properties.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| &**v)
    }
}

/// Another part in the place of one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Alternate {
    /// Value or name.
    pub value: Cell,
    /// The maker's part number.
    pub mpn: Cell,
    /// The maker as written.
    pub manufacturer: Cell,
}

/// For which pieces a line holds: as designed it is open on every side, as built it names serials or dates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Effectivity {
    /// First serial number.
    pub serial_from: Cell,
    /// Last serial number, itself included.
    pub serial_to: Cell,
    /// First day.
    pub from: Option<Day>,
    /// First day on which it no longer holds.
    pub to: Option<Day>,
}

impl Effectivity {
    /// Whether the line holds for every piece.
    pub fn is_open(&self) -> bool {
        *self == Self::default()
    }
}

/// What a part is, typed apart because each has makers, owners and ways in of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartKind {
    /// A cellular module.
    Module,
    /// A board, stick or system-on-module that carries a cellular module under a name of its own.
    Carrier,
    /// A place for a card that may be cellular (Mini PCIe, M.2 key B), or a module named without maker and model.
    Slot,
    /// A cellular baseband or modem chip.
    Chipset,
    /// A holder for a SIM card, a SIM chip, an eUICC.
    Sim,
    /// An antenna, or the connector of one, for cellular bands.
    CellularAntenna,
    /// Any other antenna.
    Antenna,
    /// A radio-frequency amplifier.
    Amplifier,
    /// A radio-frequency filter, duplexer or switch.
    Filter,
    /// Flash, RAM, EEPROM.
    Memory,
    /// A microcontroller or application processor.
    Processor,
    /// A radio that is not cellular: Wi-Fi, Bluetooth, LoRa, ZigBee.
    Radio,
    /// A receiver of navigation satellites.
    Gnss,
    /// Regulators, converters, chargers, batteries, power management.
    Power,
    /// Software that runs on another part.
    Firmware,
    /// A board, cable, case or unit made of other parts.
    Assembly,
    /// Anything else, and whatever nothing here names.
    Other,
}

impl PartKind {
    /// Every kind, in order.
    pub const ALL: &[Self] = &[
        Self::Module,
        Self::Carrier,
        Self::Slot,
        Self::Chipset,
        Self::Sim,
        Self::CellularAntenna,
        Self::Antenna,
        Self::Amplifier,
        Self::Filter,
        Self::Memory,
        Self::Processor,
        Self::Radio,
        Self::Gnss,
        Self::Power,
        Self::Firmware,
        Self::Assembly,
        Self::Other,
    ];

    /// The kebab-case name in every output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Module => "module",
            Self::Carrier => "carrier",
            Self::Slot => "slot",
            Self::Chipset => "chipset",
            Self::Sim => "sim",
            Self::CellularAntenna => "cellular-antenna",
            Self::Antenna => "antenna",
            Self::Amplifier => "amplifier",
            Self::Filter => "filter",
            Self::Memory => "memory",
            Self::Processor => "processor",
            Self::Radio => "radio",
            Self::Gnss => "gnss",
            Self::Power => "power",
            Self::Firmware => "firmware",
            Self::Assembly => "assembly",
            Self::Other => "other",
        }
    }

    /// The kind of a kebab-case name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|k| k.name() == name)
    }

    /// Whether it tells that a module must be there, though it is none itself.
    pub fn is_tell(self) -> bool {
        matches!(self, Self::Carrier | Self::Slot | Self::Sim | Self::CellularAntenna)
    }
}
