//! What is answered about declared against observed hardware: each part in a row of its own, radios, sweeps, lots.

use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::bom::{AlternateAnswer, State};
use super::{Because, Cellular, Host, KnowledgeStamp, Level, Module, Product, Said, Trace};
use crate::air::RadioKind;
use crate::bom::PartKind;
use crate::finding::Finding;
use crate::observation::{Basis, Input};
use crate::words::Word;

/// Version of the document of `bom verify`.
pub const VERIFY_SCHEMA: &str = "umbilical.bom-verify/1";

/// How a declared and an observed module stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Another module was observed than the one declared.
    Substituted,
    /// Observed, and no document declares it.
    Undeclared,
    /// Declared, and not observed.
    NotSeen,
    /// The same module under another name.
    Rebrand,
    /// As declared, at the level that both sides give.
    Match,
}

impl Outcome {
    /// Every outcome, what to look at first in front.
    pub const ALL: &[Self] = &[Self::Substituted, Self::Undeclared, Self::NotSeen, Self::Rebrand, Self::Match];

    /// The kebab-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Substituted => "substituted",
            Self::Undeclared => "undeclared",
            Self::NotSeen => "not-seen",
            Self::Rebrand => "rebrand",
            Self::Match => "match",
        }
    }
}

/// The document of `bom verify`.
#[derive(Clone, Debug, Serialize)]
pub struct Verify {
    /// [`VERIFY_SCHEMA`].
    pub schema: Word,
    /// The day of the answer.
    pub as_of: String,
    /// Which facts were used.
    pub knowledge: KnowledgeStamp,
    /// What was read: the declared documents, then what was observed, then the lists of lots, each sorted by path.
    pub inputs: Vec<Input>,
    /// What could not be understood.
    pub problems: Vec<Said>,
    /// What the documents declare together; `null` where none was given.
    pub declared: Option<Declared>,
    /// Each device that was compared, in the order of an audit.
    pub devices: Vec<Compared>,
    /// Declared against observed, by device, then outcome.
    pub rows: Vec<Row>,
    /// Radios that are there beside the cellular one, and whether a document declares them.
    pub radios: Vec<RadioRow>,
    /// Spectrum sweeps.
    pub sweeps: Vec<SweepAnswer>,
    /// Shipped against received, by lot; `null` where no such lists were given.
    pub custody: Option<Custody>,
    /// What is noteworthy.
    pub findings: Vec<Finding>,
    /// What this comparison cannot see.
    pub limits: Vec<String>,
    /// Every organisation that stands behind an observed module, by id.
    pub organisations: Vec<Trace>,
}

/// What the declared documents say together.
#[derive(Clone, Debug, Serialize)]
pub struct Declared {
    /// Brand of the product.
    pub brand: Option<String>,
    /// Its model or name.
    pub model: Option<String>,
    /// What they say about cellular modules.
    pub state: State,
    /// Why, in sentences.
    pub because: Vec<String>,
    /// Lines that say a module must be there without naming it.
    pub tells: Vec<Because>,
}

/// A device that was compared.
#[derive(Clone, Debug, Serialize)]
pub struct Compared {
    /// As in an audit.
    pub device: String,
    /// What people call it, else an identifier.
    pub label: String,
    /// The device around the module, as evidence names it.
    pub host: Option<Host>,
    /// Whether it is cellular.
    pub cellular: Cellular,
    /// What must be said of comparing it with these documents: it is another product, it is open.
    pub notes: Vec<String>,
}

/// One part, declared, observed or both.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// How they stand to each other.
    pub result: Outcome,
    /// Reference designators of the declared part.
    pub designators: Vec<String>,
    /// The declared part; `null` where it is undeclared.
    pub declared: Option<DeclaredPart>,
    /// The observed module; `null` where none is, or what is observed names none.
    pub observed: Option<Module>,
    /// The observed product, where the device is the cellular thing itself.
    pub product: Option<Product>,
    /// The declared line first, then what was observed.
    pub because: Vec<Because>,
    /// The device it was observed in, or looked for; `null` where nothing was observed at all.
    pub device: Option<String>,
    /// What people call that device.
    pub label: Option<String>,
    /// The level at which both agree; `null` where they do not, or one is missing.
    pub level: Option<Level>,
    /// The level at which they part: `maker`, `model`, `variant` (one family); `null` where they do not.
    pub differs: Option<Level>,
    /// 0–1: how sure the result is.
    pub confidence: f64,
    /// The row in a sentence.
    pub sentence: String,
    /// What to collect to decide what is open.
    pub collect: Vec<String>,
}

fn list<S: Serializer>(list: &Arc<[String]>, to: S) -> Result<S::Ok, S::Error> {
    list.as_ref().serialize(to)
}

fn shared<S: Serializer>(module: &Option<Arc<Module>>, to: S) -> Result<S::Ok, S::Error> {
    module.as_deref().serialize(to)
}

/// A declared part that is, hides or awaits a module.
#[derive(Clone, Debug, Serialize)]
pub struct DeclaredPart {
    /// Index into `inputs`.
    pub input: u32,
    /// Path of the document.
    pub file: String,
    /// Where it stands.
    pub at: String,
    /// Its line, where the document has lines.
    pub line: Option<u32>,
    /// Value placed, or name.
    pub value: Option<String>,
    /// The maker's part number.
    pub mpn: Option<String>,
    /// The maker as written.
    pub manufacturer: Option<String>,
    /// What it is.
    pub kind: PartKind,
    /// Names of the assemblies that hold it, the outermost first.
    #[serde(serialize_with = "list")]
    pub path: Arc<[String]>,
    /// The module, where it names one.
    #[serde(serialize_with = "shared")]
    pub module: Option<Arc<Module>>,
    /// What may stand in its place.
    pub alternates: Vec<AlternateAnswer>,
    /// Further lines of the declared documents that say the same: `FILE, line 4`.
    pub also: Vec<String>,
}

/// A radio beside the cellular one.
#[derive(Clone, Debug, Serialize)]
pub struct RadioRow {
    /// The device it belongs to; `null` where that is not known.
    pub device: Option<String>,
    /// What kind.
    pub radio: RadioKind,
    /// `catalogue` (the module has it by design), `bus` (a bus listing names it), `survey` (it was heard).
    pub witness: Word,
    /// Of the catalogue: whether `always` every piece has it, or it is an `option`.
    pub presence: Option<Word>,
    /// Whether a document declares it: by which line; `null` = none does.
    pub declared: Option<String>,
    /// Its address, where it was heard.
    pub address: Option<String>,
    /// The name it sends.
    pub name: Option<String>,
    /// Its strongest signal, dBm.
    pub dbm: Option<i32>,
    /// How it is known.
    pub basis: Basis,
    /// In a sentence.
    pub sentence: String,
    /// The lines behind it.
    pub because: Vec<Because>,
}

/// A sweep, and what it measured in cellular bands.
#[derive(Clone, Debug, Serialize)]
pub struct SweepAnswer {
    /// Index into `inputs`.
    pub input: u32,
    /// From, MHz.
    pub from_mhz: f64,
    /// To, MHz.
    pub to_mhz: f64,
    /// Time of the first line, as written.
    pub first: Option<String>,
    /// Time of the last line, as written.
    pub last: Option<String>,
    /// Energy over the floor in cellular bands, by frequency.
    pub energy: Vec<Energy>,
    /// In a sentence.
    pub sentence: String,
}

/// Energy over the floor in one stretch of a cellular band.
#[derive(Clone, Debug, Serialize)]
pub struct Energy {
    /// From, MHz.
    pub from_mhz: f64,
    /// To, MHz.
    pub to_mhz: f64,
    /// Bands that it lies in: `B8 (uplink)`, `B40 (both directions)`.
    pub bands: Vec<String>,
    /// `uplink`: only devices send there; `both`: device and network share the frequency.
    pub direction: Word,
    /// `bursts`, `constant`, `narrow` (constant and narrow: a spurious line of the receiver looks so).
    pub form: Word,
    /// The strongest, dB over the floor.
    pub over_floor_db: i32,
    /// The floor, dB of the receiver's own scale.
    pub floor_db: i32,
    /// In so many passes it was over the threshold.
    pub passes: u64,
    /// Of so many.
    pub of: u64,
    /// When it was strongest, as written.
    pub peak_at: Option<String>,
    /// Where that stands.
    pub at: String,
    /// What else sends on these frequencies.
    pub could_also_be: Vec<String>,
}

/// Shipped against received.
#[derive(Clone, Debug, Serialize)]
pub struct Custody {
    /// Each lot, by name.
    pub lots: Vec<LotAnswer>,
    /// The formula of the samples and its source.
    pub formula: String,
}

/// One lot.
#[derive(Clone, Debug, Serialize)]
pub struct LotAnswer {
    /// Its name; `null` where the lists name none.
    pub lot: Option<String>,
    /// Pieces shipped; of ranges the numbers in them.
    pub shipped: u64,
    /// Pieces received.
    pub received: u64,
    /// Received pieces that are as shipped in everything that both lists say.
    pub agree: u64,
    /// What does not agree.
    pub mismatches: Vec<Mismatch>,
    /// Samples for destructive tests, by share of bad pieces and confidence.
    pub sampling: Vec<Sample>,
    /// What the order of the draw derives from.
    pub seed: String,
    /// The pieces to take, in the order of the draw, for the sample that was asked for.
    pub draw: Vec<String>,
}

/// One thing in which shipped and received differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mismatch {
    /// `missing`, `extra`, `swapped`, `outside-range`, `other-model`, `tac`, `firmware`, `firmware-hash`, `label`, `other-lot`,
    /// `duplicate`.
    pub kind: Word,
    /// Serial number or IMEI.
    pub piece: String,
    /// The shipped line.
    pub shipped: Option<Place>,
    /// The received line.
    pub received: Option<Place>,
    /// In a sentence.
    pub what: String,
}

/// A line and what it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Index into `inputs`.
    pub input: u32,
    /// `row 7`.
    pub at: String,
    /// What it says there.
    pub value: String,
}

/// A sample with acceptance number 0.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Sample {
    /// The share of bad pieces to be found, percent.
    pub bad_percent: f64,
    /// How many bad pieces of this lot that is.
    pub bad_pieces: u64,
    /// How surely at least one of them is to be in the sample, percent.
    pub confidence_percent: f64,
    /// How many pieces to take.
    pub take: u64,
}
