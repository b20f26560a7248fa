//! What an audit answers: devices, the modules in them, claims with what speaks for and against, owners.
//!
//! These types are the documents (`--format json`) and what every other report reads: keys are snake_case, values
//! kebab-case, a known field is always there, `null` is not known, `[]` is none.

pub mod bids;
pub mod bom;
pub mod counts;
pub mod decisions;
pub mod diff;
pub mod doctor;
pub mod earlier;
pub mod label;
pub mod policy;
pub mod report;
pub mod risk;
pub mod rows;
pub mod suppliers;
pub mod verify;
pub mod watch;

use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::finding::Finding;
use crate::observation::{Basis, Input};
use crate::weight::ConfidenceLevel;
use crate::words::Word;

/// Version of the audit document.
pub const AUDIT_SCHEMA: &str = "umbilical.audit/1";

/// The audit document without its devices, which may be too many to hold.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Audit {
    /// [`AUDIT_SCHEMA`].
    #[serde(deserialize_with = "crate::words::word")]
    pub schema: Word,
    /// The day of the answer, `YYYY-MM-DD`.
    pub as_of: String,
    /// Which facts were used.
    pub knowledge: KnowledgeStamp,
    /// What was read, sorted by path.
    pub inputs: Vec<Input>,
    /// What could not be understood.
    pub problems: Vec<Said>,
    /// How much of the fleet is known.
    pub coverage: Coverage,
    /// IMEIs, and how many of them no table at hand can decide.
    pub imeis: Imeis,
    /// Type allocation codes learned from this evidence: IMEI and model seen together.
    pub learned: Vec<Learned>,
    /// Counts over devices: by maker, jurisdiction, confidence, and so on, for tiles and charts.
    pub tallies: Tallies,
    /// By what it was judged; `null` where no law was asked.
    #[serde(default)]
    pub law: Option<policy::LawStamp>,
    /// Every organisation that stands behind a module or product as maker or brand, by id.
    pub organisations: Vec<Trace>,
}

/// The facts used.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KnowledgeStamp {
    /// Digest of the tables.
    pub version: String,
    /// The newest date of their sources.
    pub sources_to: String,
    /// Tables that could have been used and are not here, and what that means.
    pub absent: Vec<String>,
}

/// A document whose answer has no head of its own.
#[derive(Clone, Debug, Serialize)]
pub struct Headed<'a, T> {
    /// `umbilical.NAME/VERSION`.
    pub schema: Word,
    /// The day of the answer.
    pub as_of: String,
    /// The facts used.
    pub knowledge: KnowledgeStamp,
    /// What was read.
    pub inputs: &'a [Input],
    /// What could not be understood.
    pub problems: Vec<Said>,
    /// The answer.
    #[serde(flatten)]
    pub of: T,
}

/// A problem, located.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Said {
    /// Index into `inputs`; `null` for the run as a whole.
    pub input: Option<u32>,
    /// `line 40`.
    pub at: String,
    /// What and what to do.
    pub what: String,
}

/// devices = cellular + not_cellular + unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Things seen.
    pub devices: u64,
    /// With a cellular module or product.
    pub cellular: u64,
    /// Without a modem where one would be listed.
    pub not_cellular: u64,
    /// Not decidable from this evidence.
    pub unknown: u64,
    /// Cellular devices whose module's maker is known at *possible* or better.
    pub module_known: u64,
    /// Cellular devices that are the product themselves (a stick, a phone, a router): no module is named in them.
    pub products: u64,
    /// Devices whose documents leave out a module that must be there; `null` where no such document was judged.
    pub undisclosed: Option<u64>,
}

/// What the IMEIs of a fleet tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imeis {
    /// Usable IMEIs seen.
    pub seen: u64,
    /// Of them, those whose type allocation code a table here names.
    pub decided: u64,
    /// Those that no table at hand can decide.
    pub undecided: u64,
    /// Whether a licensed type allocation code table was at hand.
    pub licensed_table: bool,
}

/// A type allocation code taught by this evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Learned {
    /// 8 digits.
    pub tac: String,
    /// Maker.
    pub maker: String,
    /// Model.
    pub model: String,
    /// How many different IMEIs taught it.
    pub count: u32,
    /// Where: inputs by index.
    pub inputs: Vec<u32>,
}

/// One bar of a chart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// What is counted.
    pub label: String,
    /// How many devices.
    pub count: u64,
}

/// Counts over devices, each sorted by count, highest first, then label.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Tallies {
    /// By maker of the module; `unknown` among them.
    pub makers: Vec<Tally>,
    /// By module model (maker and model).
    pub models: Vec<Tally>,
    /// By jurisdiction of control (a device counts once for each).
    pub jurisdictions: Vec<Tally>,
    /// By confidence level of the best module.
    pub confidence: Vec<Tally>,
    /// By listing regime that names the maker or one of its owners.
    pub listings: Vec<Tally>,
    /// By what evidence to collect next, for devices not decided.
    pub next_evidence: Vec<Tally>,
    /// By finding code.
    pub findings: Vec<Tally>,
}

/// Whether a thing is cellular.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cellular {
    /// It is.
    Yes,
    /// Not decidable.
    Unknown,
    /// It is not.
    No,
}

impl Cellular {
    /// The word in every output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::Unknown => "unknown",
            Self::No => "no",
        }
    }
}

/// Identifiers of a device, each sorted; subscriber numbers already masked unless asked for.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Identifiers {
    /// The owner's numbers.
    pub asset_id: Vec<String>,
    /// `maker|serial`.
    pub serial: Vec<String>,
    /// 15 digits.
    pub imei: Vec<String>,
    /// Covered, miskeyed or placeholder IMEIs, as they stand.
    pub imei_unusable: Vec<String>,
    /// eUICC.
    pub eid: Vec<String>,
    /// CDMA.
    pub meid: Vec<String>,
    /// SIM cards.
    pub iccid: Vec<String>,
    /// Subscriptions.
    pub imsi: Vec<String>,
    /// Telephone numbers.
    pub msisdn: Vec<String>,
    /// MAC addresses.
    pub mac: Vec<String>,
    /// IP addresses.
    pub ip: Vec<String>,
    /// Vehicles.
    pub vin: Vec<String>,
    /// Medical devices.
    pub udi: Vec<String>,
    /// Places.
    pub site: Vec<String>,
}

/// A thing of the organisation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Device {
    /// `dev-` and 12 hex digits.
    pub id: String,
    /// What people call it.
    pub names: Vec<String>,
    /// Its identifiers.
    pub identifiers: Identifiers,
    /// Whether it is cellular.
    pub cellular: Cellular,
    /// How sure that is, 0–1.
    pub cellular_confidence: f64,
    /// Why it is taken to be cellular or not.
    pub because: Vec<Because>,
    /// The device around the module, where evidence names it: brand and model.
    pub host: Option<Host>,
    /// What it is when it is itself the cellular product (a stick, a phone, a router).
    pub product: Option<Product>,
    /// The modules in it, most certain first.
    pub modules: Vec<Module>,
    /// What to collect to decide what is open, most telling first.
    pub next_evidence: Vec<String>,
    /// What is noteworthy.
    pub findings: Vec<Finding>,
    /// Inputs that speak of it.
    pub inputs: Vec<u32>,
    /// What hangs on it, by the operator's file of assets; left out where none was given.
    #[serde(default, skip_serializing_if = "Duty::is_unsaid")]
    pub duty: Duty,
}

/// What hangs on a device, in the operator's words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duty {
    /// Of `monitor` and `control`; empty where nobody said.
    pub role: Vec<String>,
    /// Of `low`, `medium` and `high`; empty where nobody said.
    pub criticality: Vec<String>,
}

impl Duty {
    /// Whether nobody has said anything of it.
    pub fn is_unsaid(&self) -> bool {
        *self == Self::default()
    }
}

/// The device around a module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// Brand as evidence gives it.
    pub brand: Option<String>,
    /// Model as evidence gives it.
    pub model: Option<String>,
    /// How it is known.
    pub basis: Basis,
}

/// A cellular product that is not a module.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Product {
    /// `dongle`, `handset`, `router`, `other`.
    #[serde(deserialize_with = "crate::words::word")]
    pub kind: Word,
    /// Brand.
    pub brand: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// 0–1.
    pub confidence: f64,
    /// How it is known.
    pub basis: Basis,
    /// Who can reach into it.
    pub ownership: Vec<Behind>,
    /// Jurisdictions of control.
    pub jurisdictions: Vec<Jurisdiction>,
}

/// The level of a claim, from the most specific.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// A build for a region or carrier.
    Variant,
    /// A model.
    Model,
    /// A family of models.
    Family,
    /// Who made it.
    Maker,
    /// Under whose name it is sold.
    Brand,
    /// Whose chip is in it.
    Silicon,
    /// That it is cellular at all.
    Cellular,
}

impl Level {
    /// Every level, from the most specific.
    pub const ALL: [Self; 7] = [Self::Variant, Self::Model, Self::Family, Self::Maker, Self::Brand, Self::Silicon, Self::Cellular];

    /// The level of a kebab-case name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|l| l.name() == name)
    }

    /// The kebab-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Variant => "variant",
            Self::Model => "model",
            Self::Family => "family",
            Self::Maker => "maker",
            Self::Brand => "brand",
            Self::Silicon => "silicon",
            Self::Cellular => "cellular",
        }
    }
}

/// One piece of evidence in a claim.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Because {
    /// Index into `inputs`.
    pub input: u32,
    /// `line 7`.
    pub at: String,
    /// The witness, kebab-case.
    #[serde(deserialize_with = "crate::words::word")]
    pub group: Word,
    /// The kind of fact.
    #[serde(deserialize_with = "crate::words::word")]
    pub kind: Word,
    /// Its value.
    pub value: String,
    /// How it is known.
    pub basis: Basis,
    /// Milli-nats; negative speaks against.
    pub weight: i32,
    /// What the fact was matched with: a table and its source.
    pub matched: String,
}

/// One claim.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claim {
    /// `clm-` and 12 hex digits.
    pub id: String,
    /// At which level.
    pub level: Level,
    /// What is claimed.
    pub value: String,
    /// 0–1.
    pub confidence: f64,
    /// In a word.
    pub confidence_level: ConfidenceLevel,
    /// How it is known.
    pub basis: Basis,
    /// What speaks for it.
    pub because: Vec<Because>,
    /// What speaks against it.
    pub against: Vec<Because>,
}

/// Two witnesses that cannot both be right.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conflict {
    /// At which level.
    pub level: Level,
    /// The values, strongest first.
    pub values: Vec<String>,
    /// In a sentence.
    pub what: String,
}

/// A module in a device.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Module {
    /// Under whose name it is sold.
    pub brand: Option<String>,
    /// Who made it.
    pub maker: Option<String>,
    /// The maker's model name.
    pub model: Option<String>,
    /// The brand's model name, where it differs.
    pub sold_as: Option<String>,
    /// Build for a region or carrier.
    pub variant: Option<String>,
    /// Family, where the model is open or has one.
    pub family: Option<String>,
    /// The most specific level that reaches *possible*.
    pub level: Level,
    /// Of the claim at `level`.
    pub confidence: f64,
    /// In a word.
    pub confidence_level: ConfidenceLevel,
    /// Of the claim at `level`.
    pub basis: Basis,
    /// Chip, with its mark when it is a rule of thumb.
    pub chipset: Option<String>,
    /// Radio technologies, where known.
    pub rats: Vec<String>,
    /// Its IMEIs.
    pub imei: Vec<String>,
    /// Every claim, most specific level first, then confidence.
    pub claims: Vec<Claim>,
    /// Who can reach into it.
    pub ownership: Vec<Behind>,
    /// Jurisdictions of control.
    pub jurisdictions: Vec<Jurisdiction>,
    /// For the claim at `level`.
    pub because: Vec<Because>,
    /// Against the claim at `level`.
    pub against: Vec<Because>,
    /// Contradictions kept.
    pub conflicts: Vec<Conflict>,
    /// Firmware revision that the module or its platform reported.
    pub firmware: Option<String>,
}

/// A country whose law can compel somebody in the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jurisdiction {
    /// Organisation id.
    pub org: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// The chain of organisations that leads there.
    pub via: Vec<String>,
    /// Law and provision; `no row on file` where nobody has written one down.
    pub laws: Vec<String>,
    /// The edges that lead there: declared or inferred.
    pub basis: Basis,
    /// The day lies inside a bound known only by month or year.
    pub unclear: bool,
    /// The day asked about.
    pub as_of: String,
}

/// One dated relation of organisations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// From whom.
    pub child: String,
    /// Name of the child.
    pub child_name: String,
    /// To whom.
    pub parent: String,
    /// Name of the parent.
    pub parent_name: String,
    /// `owns`, `controls`, `brands`, …
    pub edge: String,
    /// Percent or words; `null` = not stated.
    pub share: Option<String>,
    /// First day.
    pub from: Option<String>,
    /// First day on which it no longer holds.
    pub to: Option<String>,
    /// Whether it gives control.
    pub control: bool,
    /// Whether the day lies inside an unclear bound.
    pub unclear: bool,
    /// declared or alleged.
    pub basis: Basis,
    /// Where it was read.
    pub source: String,
    /// Whether somebody has confirmed it.
    pub verified: bool,
}

/// A list that names an organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// Regime id.
    pub regime: String,
    /// The name on the list.
    pub entity: String,
    /// The organisation in the chain that it names.
    pub org: String,
    /// First day.
    pub from: Option<String>,
    /// First day on which it no longer holds.
    pub to: Option<String>,
    /// Citation.
    pub citation: String,
    /// What it covers.
    pub scope: String,
    /// `in-force`, `proposed`, …
    pub list_status: String,
    /// What the regime prohibits, in its own limits.
    pub prohibits: String,
    /// Always listed.
    pub basis: Basis,
    /// The day lies inside an unclear bound.
    pub unclear: bool,
    /// Where it was read.
    pub source: String,
    /// Whether somebody has confirmed it.
    pub verified: bool,
}

/// Who stands behind one organisation on a day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// Organisation id.
    pub org: String,
    /// Its name.
    pub name: String,
    /// Ultimate owners by name; empty = unknown.
    pub owner: Vec<String>,
    /// Where it is run from.
    pub headquarters: Option<String>,
    /// Where it develops.
    pub rd_seat: Option<String>,
    /// Where it makes.
    pub factory: Option<String>,
    /// Who signs the firmware.
    pub firmware_signer: Option<String>,
    /// Every relation that holds, breadth first.
    pub chain: Vec<Step>,
    /// Relations that have ended.
    pub former: Vec<Step>,
    /// State support, influence, supply: what was found; empty = none found.
    pub other: Vec<Step>,
    /// Alleged relations: printed, never counted.
    pub alleged: Vec<Step>,
    /// Jurisdictions of control.
    pub jurisdictions: Vec<Jurisdiction>,
    /// Lists that name it or a controlling owner.
    pub listings: Vec<Listing>,
    /// Entries that are no listing (proposed, requested, state unknown): printed, never counted.
    pub pending: Vec<Listing>,
    /// What software must not decide: an unclear day, a share of half or unknown, a listed minority owner.
    pub open_points: Vec<String>,
    /// `jurisdiction CN, not listed as of DATE (sources to DATE)`.
    pub statement: String,
}

/// An organisation behind a module, and its role. A document names role and id only: each trace stands once, among
/// the [`Audit::organisations`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behind {
    /// `maker` or `brand`.
    pub role: Word,
    /// The organisation.
    pub trace: Arc<Trace>,
}

impl Deref for Behind {
    type Target = Trace;
    fn deref(&self) -> &Trace {
        &self.trace
    }
}

#[derive(Serialize, Deserialize)]
struct RoleAndId {
    #[serde(deserialize_with = "crate::words::word")]
    role: Word,
    org: String,
}

impl Serialize for Behind {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        RoleAndId { role: self.role, org: self.org.clone() }.serialize(to)
    }
}

/// Gives an organisation of which only the id is known: [`Device::fill`] puts the traces in.
impl<'de> Deserialize<'de> for Behind {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let RoleAndId { role, org } = RoleAndId::deserialize(from)?;
        Ok(Self { role, trace: Arc::new(Trace { org, ..Trace::default() }) })
    }
}

impl Identifiers {
    /// The numbers that name a subscriber or a card: ICCID, IMSI, MSISDN.
    pub fn subscribers(&self) -> impl Iterator<Item = &Vec<String>> {
        [&self.iccid, &self.imsi, &self.msisdn].into_iter()
    }
}

impl Device {
    /// Covers the numbers of subscribers, as an answer shows them that was not asked to show them whole.
    pub fn cover(&mut self) {
        let mut numbers: Vec<String> = self.identifiers.subscribers().flatten().cloned().collect();
        numbers.sort_unstable();
        let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
        let ids = &mut self.identifiers;
        for list in [&mut self.names, &mut ids.asset_id, &mut ids.serial, &mut ids.site, &mut ids.imei_unusable] {
            list.iter_mut().for_each(|text| *text = crate::number::cover(text, &numbers));
        }
        for list in [&mut ids.iccid, &mut ids.imsi, &mut ids.msisdn] {
            list.iter_mut().for_each(|number| *number = crate::number::Shown(number).to_string());
        }
        let texts = self.findings.iter_mut().flat_map(|f| &mut f.because);
        texts.for_each(|text| *text = crate::number::mask_numbers(text).into_owned());
    }

    /// Puts the traces of a document's organisations where the device names them by id.
    pub fn fill(&mut self, organisations: &[Arc<Trace>]) {
        let modules = self.modules.iter_mut().flat_map(|m| &mut m.ownership);
        for behind in modules.chain(self.product.iter_mut().flat_map(|p| &mut p.ownership)) {
            if let Some(known) = organisations.iter().find(|t| t.org == behind.trace.org) {
                behind.trace = Arc::clone(known);
            }
        }
    }
}
