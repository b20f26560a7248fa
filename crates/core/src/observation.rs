//! Observations: typed facts read from evidence about a thing, stored so that ten million rows fit in memory.
//!
//! A reader begins a [`Record`] for each thing that its input speaks of (a row of an export, a host whose bus was
//! listed, a transcript), gives it identifiers and facts, and says where each was read. Facts are interned, and
//! so is the whole list of facts of a record (its *signature*): a fleet of a million SIM rows has a few thousand
//! signatures, and everything that depends on facts alone is computed once for each.

use std::fmt;
use std::hash::{Hash, Hasher};

use hashbrown::HashTable;
use rustc_hash::{FxHashMap, FxHasher};
use serde::{Deserialize, Serialize, Serializer};

use crate::air::{Heard, Piece, Sweep};
use crate::bom::{Bom, Design, Part};
use crate::date::Day;

/// How a statement is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// Read from the thing itself or from what saw it on the network.
    Observed,
    /// Concluded from other statements.
    Inferred,
    /// Said by a document, a label, a person, a register.
    Declared,
    /// On a published list.
    Listed,
    /// Reported by somebody; never counted.
    Alleged,
}

impl Basis {
    /// Every basis, the firmest first.
    pub const ALL: [Self; 5] = [Self::Observed, Self::Inferred, Self::Declared, Self::Listed, Self::Alleged];

    /// The basis of its word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|b| b.name() == name)
    }

    /// The word in every output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Observed => "observed",
            Self::Inferred => "inferred",
            Self::Declared => "declared",
            Self::Listed => "listed",
            Self::Alleged => "alleged",
        }
    }
}

/// Which independent witness a fact comes from. Facts of one group share their sources of error (one module
/// writes its USB strings, its AT answers and its SNMP rows), so a group counts once, up to its cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// Everything that the module says of itself: descriptors, AT answers, mmcli, SNMP, logs.
    OwnWord,
    /// What the SIM platform or the gateway saw.
    Network,
    /// A bill of materials, a label, a filing, a data sheet, an asset register.
    Document,
    /// A firmware image.
    Image,
    /// Its traffic.
    Traffic,
    /// A person's statement.
    Person,
}

impl Group {
    /// Every group.
    pub const ALL: [Self; 6] = [Self::OwnWord, Self::Network, Self::Document, Self::Image, Self::Traffic, Self::Person];

    /// The group of a kebab-case name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|g| g.name() == name)
    }

    /// The kebab-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::OwnWord => "own-word",
            Self::Network => "network",
            Self::Document => "document",
            Self::Image => "image",
            Self::Traffic => "traffic",
            Self::Person => "person",
        }
    }
}

macro_rules! kinds {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }
        impl $name {
            /// Every kind, in order.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];
            /// The kebab-case name in every output.
            pub fn name(self) -> &'static str { match self { $(Self::$variant => $text,)* } }
            /// The kind of a kebab-case (or snake_case) name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|k| k.name() == name || k.name().bytes().eq(name.bytes().map(|b| if b == b'_' { b'-' } else { b })))
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> { s.serialize_str(self.name()) }
        }
    };
}

kinds! {
    /// The kinds of identifiers: what joins evidence about one thing (or, for the weak ones, only describes it).
    IdKind {
        /// The owner's number of the asset. Strong.
        AssetId = "asset-id",
        /// Maker and serial number, written `maker|serial`. Strong; a serial without its maker is not one.
        Serial = "serial",
        /// 15 digits, canonical check digit. Strong.
        Imei = "imei",
        /// eUICC identifier. Strong (one eUICC is soldered into one device).
        Eid = "eid",
        /// Medium access address of the thing itself.
        Mac = "mac",
        /// Vehicle.
        Vin = "vin",
        /// Unique device identification of a medical device.
        Udi = "udi",
        /// What people call it. Weak: never joins.
        Name = "name",
        /// The SIM card. Joins where no IMEI contradicts.
        Iccid = "iccid",
        /// The subscription. Weak: moves with the card.
        Imsi = "imsi",
        /// Telephone number. Weak.
        Msisdn = "msisdn",
        /// IP address. Weak.
        Ip = "ip",
        /// Where it stands. Weak.
        Site = "site",
        /// CDMA equipment identifier.
        Meid = "meid",
        /// An IMEI of which digits are covered, or that fails its check digit, or a placeholder: shown, never joins.
        ImeiUnusable = "imei-unusable",
        /// The id that an earlier answer gave the thing. Strong, and only in answers that are read back; shown as the id
        /// of the device, not among its identifiers.
        Device = "device-id",
    }
}

kinds! {
    /// The kinds of facts that bear on what a thing contains.
    Kind {
        /// `vvvv:pppp`, lower-case hex.
        UsbId = "usb-id",
        /// `number:class/subclass/protocol`, e.g. `1:ff/00/00`.
        UsbInterface = "usb-interface",
        /// bcdDevice as four digits, e.g. `0504`.
        UsbRevision = "usb-revision",
        /// iManufacturer.
        UsbManufacturer = "usb-manufacturer",
        /// iProduct.
        UsbProduct = "usb-product",
        /// What the listing tool printed behind the id: a table's name or the strings; which is not known.
        BusName = "bus-name",
        /// `vvvv:dddd` or `vvvv:dddd/ssss:ssss` with the subsystem.
        PciId = "pci-id",
        /// `usb:2-5` or `pci:0000:01:00.0`: keeps two parts of one host apart, says nothing of the maker.
        BusPath = "bus-path",
        /// Kernel driver bound to it.
        Driver = "driver",
        /// Manufacturer answer (AT+CGMI, mmcli, SNMP).
        Manufacturer = "manufacturer",
        /// Model answer (AT+CGMM, mmcli, SNMP).
        Model = "model",
        /// Firmware revision (AT+CGMR, ATI, mmcli, MBIM, SNMP).
        FirmwareRevision = "firmware-revision",
        /// Hardware revision or package version (MBIM HardwareInfo, `+GTPKGVER`).
        HardwareRevision = "hardware-revision",
        /// A line that the module answered or sent, when only a proprietary command or result code tells: `+QGPSURC`.
        AtLine = "at-line",
        /// ModemManager plugin.
        Plugin = "plugin",
        /// Type allocation code, 8 digits, of an IMEI whose check digit is right or absent.
        Tac = "tac",
        /// The same of an IMEI that fails its check digit.
        TacUnchecked = "tac-unchecked",
        /// FCC ID as printed.
        FccId = "fcc-id",
        /// First 9 hex digits of a MAC address.
        Oui = "oui",
        /// A domain that the thing is configured with or spoke to.
        Domain = "domain",
        /// Name of a firmware file.
        FileName = "file-name",
        /// Silicon named by the thing itself.
        Chipset = "chipset",
        /// Maker of the module or device according to a register, platform or document column.
        DeclaredMaker = "declared-maker",
        /// Model according to the same.
        DeclaredModel = "declared-model",
        /// The device around the module: brand (router maker, phone maker).
        HostMaker = "host-maker",
        /// The device around the module: model.
        HostModel = "host-model",
        /// Class of device as declared: `router`, `smartphone`, `iot`.
        DeviceClass = "device-class",
        /// A sentence of free text that names a module or maker.
        Text = "text",
        /// Something only a cellular device has: `sim`, `registered`, `wwan-interface`, `cellular-section`, with detail.
        Cellular = "cellular",
        /// Something that rules a cellular modem out where it would show: `no modem found`.
        NotCellular = "not-cellular",
        /// A document leaves out a module that must be there: the line that tells (a carrier board, a SIM holder).
        Undisclosed = "undisclosed",
        /// A statement of an earlier answer of this program that is read back: see [`crate::answer::earlier`].
        Earlier = "earlier-answer",
    }
}

/// One typed fact: what was read, by which witness, and how it is known.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fact {
    /// What kind of fact.
    pub kind: Kind,
    /// Its value, normalised as the kind says.
    pub value: Box<str>,
    /// The witness.
    pub group: Group,
    /// How it is known.
    pub basis: Basis,
}

/// Where in an input something stands: a counted unit such as `line 7` or `sheet Fleet row 12`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct At {
    /// Index into [`Observations::units`]; 0 is `line`.
    pub unit: u16,
    /// 1-based number; 0 = the input as a whole.
    pub n: u32,
}

impl At {
    /// The input as a whole.
    pub const WHOLE: Self = Self { unit: 0, n: 0 };
    /// A line of text, counted from 1.
    pub fn line(n: u32) -> Self {
        Self { unit: 0, n }
    }
    /// A row of a table, counted from 1 with the header as row 1.
    pub fn row(n: u32) -> Self {
        Self { unit: 1, n }
    }
}

/// One artefact as it came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// As the user named it; members of archives as `outer.zip!inner/path`.
    pub path: String,
    /// What the readers took it for (`usb-devices`, `csv`, `mmcli+lsusb`); `unknown` where no reader did.
    pub format: String,
    /// SHA-256 of its bytes, lower-case hex.
    pub sha256: String,
    /// How many facts and identifiers were read from it.
    pub observations: u64,
    /// Bytes.
    pub bytes: u64,
    /// What the mapping guess was, for tables: `column → field`.
    #[serde(default)]
    pub mapping: Vec<String>,
}

/// Something that could not be understood, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Problem {
    /// Index of the input; `None` for what concerns the whole run.
    pub input: Option<u32>,
    /// Where in it.
    pub at: At,
    /// What is wrong and what to do, a lower-case fragment; already free of control characters and of whole subscriber
    /// numbers.
    pub what: String,
}

#[derive(Clone, Copy, Debug)]
struct Thing {
    input: u32,
    at: At,
    day: Option<Day>,
    signature: u32,
    ids: u32,
    ats: u32,
}

const NO_ATS: u32 = u32::MAX;

/// A column of a table: what its head says, and what it was taken for. For people who look before they import; the store keeps
/// [`Input::mapping`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The input.
    pub input: u32,
    /// As it stands in the table.
    pub head: String,
    /// The field, by its name in mapping files where it has one there; `None` where the column is not used.
    pub holds: Option<String>,
}

/// Heads of one input that are kept; tables of more columns are read all the same.
const HEADS_PER_INPUT: usize = 400;
/// Bytes of a head.
const LONGEST_HEAD: usize = 500;

/// The sink of every reader, and what assessment reads.
#[derive(Default)]
pub struct Observations {
    /// The inputs, in the order in which they were begun.
    pub inputs: Vec<Input>,
    /// The problems, in the order in which they were met.
    pub problems: Vec<Problem>,
    /// The bills of materials, at most one for each input, in the order of the inputs.
    pub boms: Vec<Bom>,
    /// How many errors the schemas of statements found, where they were asked: what cannot be judged counts as one.
    pub schema_errors: u64,
    /// Radios that surveys heard, in the order of the inputs.
    pub heard: Vec<Heard>,
    /// Spectrum sweeps, in the order of the inputs.
    pub sweeps: Vec<Sweep>,
    /// Pieces on lists of lots, in the order of the inputs.
    pub pieces: Vec<Piece>,
    /// Columns of tables, in the order of the inputs; a head that stands in several sheets once.
    pub heads: Vec<Head>,
    units: Vec<String>,
    facts: Table<Fact>,
    signatures: Table<Box<[(u16, u32)]>>,
    things: Vec<Thing>,
    same: Vec<(u32, u32)>,
    /// The identifiers, in chunks: taking in another sink moves its chunks instead of copying them.
    ids: Vec<String>,
    /// Per input, its chunk of `ids`.
    chunk_of: Vec<u32>,
    ats: Vec<At>,
    /// How many problems the current input has had.
    problem_count: u64,
    /// How many parts were met in the user's file that this input came out of.
    parts_met: usize,
    /// Whether it was said of the current input that parts of it are left out.
    full: bool,
    /// What the last record left behind, so that a record allocates nothing.
    scratch: (Vec<(u16, u32)>, Vec<At>),
    /// TAC facts by number: the one fact that every row has.
    tacs: FxHashMap<(u32, bool, Group, Basis), u32>,
}

/// How many problems are kept for one input; the rest are counted.
const PROBLEMS_PER_INPUT: u64 = 200;
/// Parts of one file beyond this are left out: about a gigabyte when they are judged.
const MOST_PARTS: usize = 1_000_000;

impl Observations {
    /// An empty sink.
    pub fn new() -> Self {
        Self { units: vec!["line".into(), "row".into()], ids: vec![String::new()], ..Self::default() }
    }

    /// Says what a column of the last input was taken for. A head that is no head but a text is left out.
    pub fn head(&mut self, head: &str, holds: Option<String>) {
        let Some(input) = self.inputs.len().checked_sub(1).and_then(|n| u32::try_from(n).ok()) else { return };
        let own = self.heads.iter().rev().take_while(|h| h.input == input);
        let (many, known) = own.fold((0usize, false), |(n, known), h| (n.saturating_add(1), known || h.head == head.trim()));
        if many < HEADS_PER_INPUT && !known && !head.trim().is_empty() && head.len() <= LONGEST_HEAD {
            self.heads.push(Head { input, head: head.trim().to_owned(), holds });
        }
    }

    /// Begins an input; the records that follow belong to it.
    pub fn begin_input(&mut self, path: &str, format: &str, sha256: String, bytes: u64) -> u32 {
        self.inputs.push(Input { path: path.into(), format: format.into(), sha256, observations: 0, bytes, mapping: Vec::new() });
        self.chunk_of.push(index(self.ids.len()).saturating_sub(1));
        self.problem_count = 0;
        self.full = false;
        u32::try_from(self.inputs.len()).unwrap_or(u32::MAX).saturating_sub(1)
    }

    /// The unit of a locator that is not a line or row: `sheet Fleet row`, `item`, `offset`.
    pub fn unit(&mut self, name: &str) -> u16 {
        if let Some(found) = self.units.iter().position(|u| u == name) {
            return u16::try_from(found).unwrap_or(0);
        }
        match u16::try_from(self.units.len()) {
            Ok(new) => {
                self.units.push(crate::text::clean(name).into_owned());
                new
            }
            Err(_) => 0,
        }
    }

    /// The units of locators, by the numbers that [`At::unit`] holds.
    pub fn units(&self) -> &[String] {
        &self.units
    }

    /// Interns a fact that a sink has held before, as it stands: [`Observations::intern`] cleans and cuts what comes from
    /// outside, and would cut what has been cut once more.
    pub fn intern_kept(&mut self, fact: Fact) -> FactId {
        FactId(self.facts.add(fact))
    }

    /// A locator in words: `line 7`; `file` for the whole input.
    pub fn locate(&self, at: At) -> String {
        match (at.n, self.units.get(usize::from(at.unit))) {
            (0, _) => "file".into(),
            (n, Some(unit)) => format!("{unit} {n}"),
            (n, None) => format!("line {n}"),
        }
    }

    /// Notes a problem of the current input. Of more than 200 in one input the rest are counted, not kept. What it quotes
    /// may stand in the wrong column: numbers that may be a subscriber's are masked.
    pub fn problem(&mut self, at: At, what: impl Into<String>) {
        let input = u32::try_from(self.inputs.len()).ok().and_then(|n| n.checked_sub(1));
        self.problem_count = self.problem_count.saturating_add(1);
        let over = self.problem_count.saturating_sub(PROBLEMS_PER_INPUT);
        if over == 0 {
            let what: String = what.into();
            let what = crate::number::mask_numbers(&crate::text::clean(&what)).into_owned();
            self.problems.push(Problem { input, at, what });
            return;
        }
        let more = format!("and {over} more problems in this input");
        if over == 1 {
            self.problems.push(Problem { input, at: At::WHOLE, what: more });
        } else if let Some(last) = self.problems.last_mut() {
            last.what = more;
        }
    }

    /// Interns a fact that many records will share (a cell that repeats down a column); `None` where the value is
    /// blank.
    pub fn intern(&mut self, kind: Kind, value: &str, group: Group, basis: Basis) -> Option<FactId> {
        let value = value.trim();
        if crate::text::is_blank(value) {
            return None;
        }
        let value = crate::text::clean(crate::text::short(value, 400).as_ref()).into_owned();
        Some(FactId(self.facts.add(Fact { kind, value: value.into(), group, basis })))
    }

    /// The bill of materials of the current input: begun when first asked for. `design` is kept where none was said before.
    pub fn bom(&mut self, design: Design) -> &mut Bom {
        let input = index(self.inputs.len()).saturating_sub(1);
        if self.boms.last().is_none_or(|b| b.input != input) {
            self.boms.push(Bom { input, ..Bom::default() });
        }
        let last = self.boms.len().saturating_sub(1);
        let Some(bom) = self.boms.get_mut(last) else { unreachable!("one has just been pushed") };
        bom.design.get_or_insert(design);
        bom
    }

    /// How many parts were met, with those that [`Self::after_parts`] was told of.
    pub const fn parts_met(&self) -> usize {
        self.parts_met
    }

    /// Counts on from the parts that were met in the same file before: what a container holds shares one limit.
    pub const fn after_parts(&mut self, met: usize) {
        self.parts_met = met;
    }

    /// Adds a part to the bill of the current input and gives its index, for the parts that it holds. A file that unpacks
    /// to nothing but parts must not fill the memory: those over a million are left out, and have an index that no part has.
    pub fn part(&mut self, design: Design, part: Part) -> u32 {
        if self.parts_met >= MOST_PARTS {
            if !std::mem::replace(&mut self.full, true) {
                self.problem(part.at, format!("more than {MOST_PARTS} parts in one file: those from here on are left out"));
            }
            return u32::MAX;
        }
        self.parts_met = self.parts_met.saturating_add(1);
        if let Some(input) = self.inputs.last_mut() {
            input.observations = input.observations.saturating_add(1);
        }
        let parts = &mut self.bom(design).parts;
        parts.push(part);
        index(parts.len()).saturating_sub(1)
    }

    /// Begins a record about one thing.
    pub fn record(&mut self, at: At) -> Record<'_> {
        let (facts, ats) = std::mem::take(&mut self.scratch);
        if self.ids.is_empty() {
            self.ids.push(String::new());
        }
        let chunk = self.ids.len().saturating_sub(1);
        let start = self.ids.last().map_or(0, String::len);
        Record { chunk, start, id_count: 0, facts, ats, part: 0, highest: 0, default: at, day: None, input: None, out: self }
    }

    /// Says that two records, by their indices, are about one thing, whatever identifiers they carry.
    pub fn same_thing(&mut self, a: u32, b: u32) {
        self.same.push((a, b));
    }

    /// The pairs of records that are about one thing by [`Observations::same_thing`].
    pub fn same_things(&self) -> &[(u32, u32)] {
        &self.same
    }

    /// Begins a record about the thing that an earlier input as a whole is about.
    pub fn record_of(&mut self, input: u32) -> Record<'_> {
        let chunk = self.chunk_of.get(input as usize).map_or(0, |c| *c as usize);
        let start = self.ids.get(chunk).map_or(0, String::len);
        let mut record = self.record(At::WHOLE);
        (record.input, record.chunk, record.start) = (Some(input), chunk, start);
        record
    }

    /// Begins a record that a sink has held before, of an input that has been begun, for what is kept outside memory.
    pub fn kept_record(&mut self, input: u32, at: At, day: Option<Day>) -> Record<'_> {
        let mut record = self.record_of(input);
        (record.default, record.day) = (at, day);
        record
    }

    /// The number of records.
    pub fn len(&self) -> usize {
        self.things.len()
    }

    /// Whether nothing was observed.
    pub fn is_empty(&self) -> bool {
        self.things.is_empty()
    }

    /// The number of different signatures.
    pub fn signature_count(&self) -> usize {
        self.signatures.items.len()
    }

    /// A record by its index.
    pub fn thing(&self, index: usize) -> Option<ThingRef<'_>> {
        self.things.get(index).map(|thing| ThingRef { all: self, thing: *thing })
    }

    /// Every record in order.
    pub fn things(&self) -> impl Iterator<Item = ThingRef<'_>> {
        self.things.iter().map(|thing| ThingRef { all: self, thing: *thing })
    }

    /// The facts of a signature: part number and fact, in the order read.
    pub fn signature(&self, signature: u32) -> impl Iterator<Item = (u16, &Fact)> {
        let list: &[(u16, u32)] = self.signatures.get(signature).map_or(&[], |l| l);
        list.iter().filter_map(|(part, fact)| self.facts.get(*fact).map(|f| (*part, f)))
    }

    /// Takes in what another sink holds, behind what this one holds.
    pub fn absorb(&mut self, mut other: Self) {
        let shift = u32::try_from(self.inputs.len()).unwrap_or(u32::MAX);
        let units: Vec<u16> = other.units.iter().map(|u| self.unit(u)).collect();
        let move_at = |at: At| At { unit: units.get(usize::from(at.unit)).copied().unwrap_or(0), n: at.n };
        self.inputs.append(&mut other.inputs);
        self.problems.extend(other.problems.drain(..).map(|p| Problem {
            input: p.input.map(|i| i.saturating_add(shift)),
            at: move_at(p.at),
            what: p.what,
        }));
        let facts: Vec<u32> = other.facts.items.into_iter().map(|f| self.facts.add(f)).collect();
        let signatures: Vec<u32> = other
            .signatures
            .items
            .into_iter()
            .map(|list| self.signatures.add(list.iter().map(|(part, f)| (*part, facts.get(*f as usize).copied().unwrap_or(0))).collect()))
            .collect();
        self.boms.extend(other.boms.into_iter().map(|mut bom| {
            bom.input = bom.input.saturating_add(shift);
            bom.parts.iter_mut().for_each(|part| part.at = move_at(part.at));
            bom
        }));
        self.heard.extend(other.heard.into_iter().map(|h| Heard { input: h.input.saturating_add(shift), at: move_at(h.at), ..h }));
        self.sweeps.extend(other.sweeps.into_iter().map(|s| Sweep { input: s.input.saturating_add(shift), ..s }));
        self.pieces.extend(other.pieces.into_iter().map(|p| Piece { input: p.input.saturating_add(shift), at: move_at(p.at), ..p }));
        self.heads.extend(other.heads.into_iter().map(|h| Head { input: h.input.saturating_add(shift), ..h }));
        let (chunks, ats) = (index(self.ids.len()), index(self.ats.len()));
        let things = index(self.things.len());
        self.same.extend(other.same.iter().map(|(a, b)| (a.saturating_add(things), b.saturating_add(things))));
        self.ids.append(&mut other.ids);
        self.chunk_of.extend(other.chunk_of.iter().map(|c| c.saturating_add(chunks)));
        self.problem_count = other.problem_count;
        self.schema_errors = self.schema_errors.saturating_add(other.schema_errors);
        self.ats.extend(other.ats.iter().map(|at| move_at(*at)));
        self.things.extend(other.things.iter().map(|t| Thing {
            input: t.input.saturating_add(shift),
            at: move_at(t.at),
            day: t.day,
            signature: signatures.get(t.signature as usize).copied().unwrap_or(0),
            ids: t.ids,
            ats: if t.ats == NO_ATS { NO_ATS } else { t.ats.saturating_add(ats) },
        }));
    }
}

fn index(len: usize) -> u32 {
    // 4 GiB of identifiers is beyond a hundred million rows; past it the sink would have to widen.
    u32::try_from(len).unwrap_or(u32::MAX)
}

/// A fact that has been interned with [`Observations::intern`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FactId(u32);

/// A record under construction. Dropping it stores it; an empty one is not stored.
pub struct Record<'a> {
    out: &'a mut Observations,
    default: At,
    day: Option<Day>,
    /// The input it belongs to where that is not the last one.
    input: Option<u32>,
    part: u16,
    /// The highest number of a part so far.
    highest: u16,
    /// The chunk that takes its identifiers, and where they begin in it.
    chunk: usize,
    start: usize,
    id_count: u64,
    facts: Vec<(u16, u32)>,
    ats: Vec<At>,
}

impl Record<'_> {
    /// What follows is about component `part` of the thing (a USB device of a host, a modem of a router). Part 0 is
    /// the thing itself. Two parts of one record are two physical things unless assessment finds reasons to join.
    /// Parts beyond [`LAST_PART`] share its number, which is said.
    pub fn part(&mut self, part: u16) -> &mut Self {
        if part > LAST_PART && self.highest <= LAST_PART {
            let at = self.default;
            self.out.problem(at, format!("more than {LAST_PART} parts of one thing: the rest are read as one part"));
        }
        self.highest = self.highest.max(part);
        self.part = part.min(LAST_PART);
        self
    }

    /// What follows is about a component that has not been spoken of: its part has the next number.
    pub fn next_part(&mut self) -> &mut Self {
        self.part(self.highest.saturating_add(1))
    }

    /// The part that is spoken of.
    pub fn current_part(&self) -> u16 {
        self.part
    }

    /// The day on which the record says it saw this (a SIM card's place changes with time).
    pub fn seen(&mut self, day: Day) -> &mut Self {
        self.day = Some(day);
        self
    }

    /// An identifier of the current part, as its kind wants it written.
    pub fn id(&mut self, kind: IdKind, value: &str) -> &mut Self {
        let value = value.trim();
        // Names are written by whoever configured the device: no control character gets further than this.
        let plain = value.bytes().all(|b| (b' '..0x7f).contains(&b));
        let cleaned = if plain { std::borrow::Cow::Borrowed(value) } else { crate::text::clean(value) };
        let value: &str = &cleaned;
        // Names longer than 250 bytes are cut: an identifier is never that long, hostile text is.
        let cut = value.get(..value.floor_char_boundary(250)).unwrap_or_default();
        if !cut.is_empty() {
            self.push_id(kind, cut);
        }
        self
    }

    fn push_id(&mut self, kind: IdKind, cut: &str) {
        if let Some(ids) = self.out.ids.get_mut(self.chunk) {
            let len = u8::try_from(cut.len()).unwrap_or_default();
            let (high, low) = (u8::try_from(self.part >> 7).unwrap_or_default(), u8::try_from(self.part & 0x7f).unwrap_or_default());
            for byte in [kind as u8, low, high << 1 | len >> 7, len & 0x7f] {
                ids.push(char::from(byte));
            }
            ids.push_str(cut);
            self.id_count = self.id_count.saturating_add(1);
        }
    }

    /// A fact at the record's own place.
    pub fn fact(&mut self, kind: Kind, value: &str, group: Group, basis: Basis) -> &mut Self {
        let at = self.default;
        self.fact_at(at, kind, value, group, basis)
    }

    /// A fact at a place of its own. Blank values and repetitions within the part are dropped.
    pub fn fact_at(&mut self, at: At, kind: Kind, value: &str, group: Group, basis: Basis) -> &mut Self {
        if let Some(FactId(fact)) = self.out.intern(kind, value, group, basis) {
            self.push(at, fact);
        }
        self
    }

    /// Interns a fact: see [`Observations::intern`].
    pub fn intern(&mut self, kind: Kind, value: &str, group: Group, basis: Basis) -> Option<FactId> {
        self.out.intern(kind, value, group, basis)
    }

    /// Interns a fact as it stands: see [`Observations::intern_kept`].
    pub fn intern_kept(&mut self, fact: Fact) -> FactId {
        self.out.intern_kept(fact)
    }

    /// A fact interned before, at the record's own place.
    pub fn known(&mut self, fact: FactId) -> &mut Self {
        let at = self.default;
        self.push(at, fact.0);
        self
    }

    /// A fact of part `part` that was interned by [`Observations::intern_kept`], at its own place.
    pub fn kept_fact(&mut self, part: u16, at: At, fact: FactId) -> &mut Self {
        self.part = part;
        self.push(at, fact.0);
        self
    }

    /// An identifier of part `part` that a sink has held before, as it stands; one that no sink can have held is left out.
    pub fn kept_id(&mut self, part: u16, kind: IdKind, value: &str) -> &mut Self {
        if !value.is_empty() && value.len() <= 250 && part <= LAST_PART {
            self.part = part;
            self.push_id(kind, value);
        }
        self
    }

    fn push(&mut self, at: At, fact: u32) {
        if !self.facts.contains(&(self.part, fact)) {
            self.facts.push((self.part, fact));
            self.ats.push(at);
        }
    }

    /// An IMEI as it stands in the evidence: the canonical identifier and its TAC as a fact, or what is left of
    /// it; a wrong check digit becomes a problem.
    pub fn imei(&mut self, at: At, text: &str, group: Group, basis: Basis) -> &mut Self {
        use crate::number::{Check, Imei, imei};
        if let Some(tac) = plain_imei(text) {
            self.id(IdKind::Imei, text);
            self.tac(at, tac, true, group, basis);
            return self;
        }
        match imei(text) {
            Imei::Whole { check: Check::Wrong, tac, .. } => {
                self.out.problem(at, format!("IMEI {} fails its check digit: kept, but not used to join evidence", text.trim()));
                self.id(IdKind::ImeiUnusable, text);
                self.tac(at, tac, false, group, basis);
            }
            Imei::Whole { body, tac, .. } => {
                self.id(IdKind::Imei, &Imei::canonical(&body));
                self.tac(at, tac, true, group, basis);
            }
            Imei::Masked { tac } => {
                self.id(IdKind::ImeiUnusable, text);
                if let Some(tac) = tac {
                    self.tac(at, tac, true, group, basis);
                }
            }
            Imei::Placeholder => {
                self.id(IdKind::ImeiUnusable, text);
            }
            Imei::No if crate::text::is_blank(text) => {}
            // A card's number in the wrong column is not printed whole, however it is spaced.
            Imei::No if text.bytes().filter(u8::is_ascii_digit).count() >= 14 => {
                self.out.problem(at, format!("`{}` is not an IMEI", crate::number::Shown(text.trim())));
            }
            Imei::No => self.out.problem(at, format!("`{}` is not an IMEI", crate::text::short(text.trim(), 40))),
        }
        self
    }

    fn tac(&mut self, at: At, tac: u32, checked: bool, group: Group, basis: Basis) {
        let fact = match self.out.tacs.get(&(tac, checked, group, basis)) {
            Some(fact) => *fact,
            None => {
                let kind = if checked { Kind::Tac } else { Kind::TacUnchecked };
                let fact = self.out.facts.add(Fact { kind, value: format!("{tac:08}").into(), group, basis });
                self.out.tacs.insert((tac, checked, group, basis), fact);
                fact
            }
        };
        self.push(at, fact);
    }

    /// An ICCID as it stands; padding and separators are taken off, masked ones kept as they are.
    pub fn iccid(&mut self, at: At, text: &str) -> &mut Self {
        // Nineteen digits have no check digit that could be wrong.
        if text.len() == 19 && text.starts_with("89") && text.bytes().all(|b| b.is_ascii_digit()) {
            return self.id(IdKind::Iccid, text);
        }
        match crate::number::iccid(text) {
            Some(card) => {
                if card.check == crate::number::Check::Wrong {
                    self.out.problem(at, format!("ICCID {} fails its check digit", crate::number::Shown(&card.digits)));
                }
                self.id(IdKind::Iccid, &card.digits)
            }
            None if crate::text::is_blank(text) => self,
            None if crate::number::is_masked(text) => self.id(IdKind::Iccid, text),
            None => {
                self.out.problem(at, format!("`{}` is not an ICCID", crate::text::short(text.trim(), 6)));
                self
            }
        }
    }

    /// A MAC address: identifier, and its first digits as a fact.
    pub fn mac(&mut self, at: At, text: &str, group: Group, basis: Basis) -> &mut Self {
        if let Some(mac) = crate::number::mac(text) {
            self.id(IdKind::Mac, &mac);
            let hex: String = mac.chars().filter(|c| *c != ':').take(9).collect();
            self.fact_at(at, Kind::Oui, &hex, group, basis);
        }
        self
    }

    /// A piece of a list of lots; its input is the current one.
    pub fn piece(&mut self, piece: Piece) {
        let input = index(self.out.inputs.len()).saturating_sub(1);
        self.out.pieces.push(Piece { input, ..piece });
    }

    /// A problem of this record.
    pub fn problem(&mut self, at: At, what: impl Into<String>) {
        self.out.problem(at, what);
    }

    /// Whether nothing has been put in yet.
    pub fn is_empty(&self) -> bool {
        self.id_count == 0 && self.facts.is_empty()
    }
}

/// The type allocation code of an IMEI in its usual form: 15 digits and nothing else, check digit right, and no run at
/// its beginning that could make it a placeholder. Everything else goes the long way, through
/// [`imei`](crate::number::imei).
fn plain_imei(text: &str) -> Option<u32> {
    let (body, last) = (text.get(..14)?, text.get(14..)?);
    let digit = last.bytes().next().filter(|_| last.len() == 1)?;
    if u32::from(digit.checked_sub(b'0')?) != crate::number::luhn_digit(body)? {
        return None;
    }
    let [a, b, c, ..] = body.as_bytes() else { return None };
    // Equal, counting up or counting down, modulo ten.
    let run = |a: &u8, b: &u8| matches!(b.wrapping_sub(*a), 0 | 1 | 9 | 247 | 255);
    if (run(a, b) && run(b, c)) || body.ends_with("000000") { None } else { body.get(..8)?.parse().ok() }
}

impl Drop for Record<'_> {
    fn drop(&mut self) {
        let out = &mut *self.out;
        if self.id_count > 0 || !self.facts.is_empty() {
            let input = self.input.unwrap_or_else(|| index(out.inputs.len()).saturating_sub(1));
            if let Some(last) = out.inputs.get_mut(input as usize) {
                last.observations = last.observations.saturating_add(self.id_count).saturating_add(self.facts.len() as u64);
            }
            let ats = if self.ats.iter().all(|at| *at == self.default) { NO_ATS } else { index(out.ats.len()) };
            if ats != NO_ATS {
                out.ats.extend_from_slice(&self.ats);
            }
            if let Some(ids) = out.ids.get_mut(self.chunk) {
                ids.push(END);
            }
            let signature = out.signatures.add_slice(&self.facts);
            out.things.push(Thing { input, at: self.default, day: self.day, signature, ids: index(self.start), ats });
        }
        self.facts.clear();
        self.ats.clear();
        out.scratch = (std::mem::take(&mut self.facts), std::mem::take(&mut self.ats));
    }
}

/// Ends the identifiers of a record: no kind has this number.
const END: char = '\u{7f}';
/// The highest number of a part: thirteen bits are kept of it.
pub const LAST_PART: u16 = 0x1fff;

/// One stored record.
#[derive(Clone, Copy)]
pub struct ThingRef<'a> {
    all: &'a Observations,
    thing: Thing,
}

impl<'a> ThingRef<'a> {
    /// Index of its input.
    pub fn input(&self) -> u32 {
        self.thing.input
    }
    /// Where it stands.
    pub fn at(&self) -> At {
        self.thing.at
    }
    /// The day its source gives, if any.
    pub fn day(&self) -> Option<Day> {
        self.thing.day
    }
    /// The number of its signature.
    pub fn signature(&self) -> u32 {
        self.thing.signature
    }
    /// Its identifiers: part, kind, value.
    pub fn ids(&self) -> impl Iterator<Item = (u16, IdKind, &'a str)> + use<'a> {
        let chunk = self.all.chunk_of.get(self.thing.input as usize).copied().unwrap_or(0);
        let mut rest = self.all.ids.get(chunk as usize).and_then(|ids| ids.get(self.thing.ids as usize..)).unwrap_or_default();
        std::iter::from_fn(move || {
            let (id, tail) = split_id(rest)?;
            rest = tail;
            Some(id)
        })
    }
    /// Its facts: part, fact, where it was read.
    pub fn facts(&self) -> impl Iterator<Item = (u16, &'a Fact, At)> + use<'a> {
        let this = *self;
        this.all.signature(this.thing.signature).enumerate().map(move |(i, (part, fact))| {
            let at = if this.thing.ats == NO_ATS { None } else { this.all.ats.get((this.thing.ats as usize).saturating_add(i)).copied() };
            (part, fact, at.unwrap_or(this.thing.at))
        })
    }
}

type Id<'a> = (u16, IdKind, &'a str);

/// An identifier is stored as four ASCII characters and its text, so that reading it back needs no second look at its
/// encoding: the kind, the low seven bits of the part, its high six bits with the highest bit of the length, the low seven
/// bits of the length.
fn split_id(text: &str) -> Option<(Id<'_>, &str)> {
    let (head, rest) = text.split_at_checked(4)?;
    let &[kind, part, high, low] = head.as_bytes() else { return None };
    let kind = *IdKind::ALL.get(usize::from(kind))?;
    let (value, rest) = rest.split_at_checked(usize::from(high & 1) << 7 | usize::from(low))?;
    Some(((u16::from(high >> 1) << 7 | u16::from(part), kind, value), rest))
}

/// An interner: equal items get one number, in order of first sight.
struct Table<T> {
    items: Vec<T>,
    index: HashTable<u32>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { items: Vec::new(), index: HashTable::new() }
    }
}

fn hash_of(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = FxHasher::default();
    value.hash(&mut hasher);
    hasher.finish()
}

impl<T: Hash + Eq> Table<T> {
    fn get(&self, number: u32) -> Option<&T> {
        self.items.get(number as usize)
    }

    fn add(&mut self, item: T) -> u32 {
        let hash = hash_of(&item);
        let Self { items, index: table } = self;
        if let Some(found) = table.find(hash, |i| items.get(*i as usize) == Some(&item)) {
            return *found;
        }
        let number = index(items.len());
        items.push(item);
        table.insert_unique(hash, number, |i| items.get(*i as usize).map_or(0, hash_of));
        number
    }
}

impl Table<Box<[(u16, u32)]>> {
    /// Like [`Table::add`], without a copy when the list is known.
    fn add_slice(&mut self, list: &[(u16, u32)]) -> u32 {
        let hash = hash_of(list);
        if let Some(found) = self.index.find(hash, |i| self.items.get(*i as usize).is_some_and(|known| **known == *list)) {
            return *found;
        }
        self.add(list.into())
    }
}

impl fmt::Debug for Observations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, input) in self.inputs.iter().enumerate() {
            writeln!(f, "[{i}] {} ({}), {} observations", input.path, input.format, input.observations)?;
        }
        for thing in self.things() {
            writeln!(
                f,
                "[{}] {}{}",
                thing.input(),
                self.locate(thing.at()),
                thing.day().map(|d| format!(" seen {d}")).unwrap_or_default()
            )?;
            for (part, kind, value) in thing.ids() {
                writeln!(f, "  {part} {} = {value}", kind.name())?;
            }
            for (part, fact, at) in thing.facts() {
                writeln!(
                    f,
                    "  {part} {} `{}` {} {} @ {}",
                    fact.kind.name(),
                    fact.value,
                    fact.group.name(),
                    fact.basis.name(),
                    self.locate(at)
                )?;
            }
        }
        for problem in &self.problems {
            writeln!(f, "! {} {}", self.locate(problem.at), problem.what)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(out: &mut Observations, n: u32, imei: &str, maker: &str) {
        let mut record = out.record(At::row(n));
        record.imei(At::row(n), imei, Group::Network, Basis::Observed);
        record.fact(Kind::DeclaredMaker, maker, Group::Document, Basis::Declared);
    }

    #[test]
    fn rows_alike_in_their_facts_share_a_signature() {
        let mut out = Observations::new();
        out.begin_input("sims.csv", "csv", String::new(), 0);
        row(&mut out, 2, "490154203237518", "Acme");
        row(&mut out, 3, "490154203237526", "Acme");
        row(&mut out, 4, "490154203237518", "Other");
        assert_eq!((out.len(), out.signature_count()), (3, 2));
        assert_eq!(out.inputs[0].observations, 9);
        let first = out.thing(0).unwrap();
        assert_eq!(first.ids().next(), Some((0, IdKind::Imei, "490154203237518")));
        assert_eq!(
            first.facts().next().map(|(_, f, at)| (f.kind, &*f.value, out.locate(at))),
            Some((Kind::Tac, "49015420", "row 2".into()))
        );
    }

    #[test]
    fn a_wrong_check_digit_is_a_problem_and_joins_nothing() {
        let mut out = Observations::new();
        out.begin_input("x", "csv", String::new(), 0);
        row(&mut out, 2, "490154203237519", "Acme");
        assert_eq!(out.thing(0).unwrap().ids().next().map(|i| i.1), Some(IdKind::ImeiUnusable));
        assert_eq!(out.problems.len(), 1);
    }

    #[test]
    fn the_short_way_to_an_imei_is_the_long_way() {
        use crate::number::{Check, Imei, imei};
        let mut state = 1u64;
        for n in 0..20_000u64 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // A third of them begin with a run.
            let start = [(state >> 20) % 1_000_000_000_000_000, 12_345_678_000_000 + n, 111_111_100_000_000 + n][(n % 3) as usize];
            let text = format!("{start:015}");
            if let Some(tac) = plain_imei(&text) {
                assert!(matches!(imei(&text), Imei::Whole { tac: t, check: Check::Right, .. } if t == tac), "{text}");
                assert_eq!(Imei::canonical(&text[..14]), text);
            }
        }
        assert_eq!(plain_imei("490154203237518"), Some(49_015_420));
        assert_eq!(plain_imei("490154203237519"), None);
        assert_eq!(plain_imei("4901542032375"), None);
    }

    #[test]
    fn absorbing_keeps_every_word() {
        let (mut a, mut b) = (Observations::new(), Observations::new());
        for (out, name) in [(&mut a, "a"), (&mut b, "b")] {
            out.begin_input(name, "csv", String::new(), 0);
            let unit = out.unit(name);
            row(out, 2, "490154203237518", "Acme");
            let mut r = out.record(At { unit, n: 9 });
            r.fact_at(At { unit, n: 10 }, Kind::UsbId, "2c7c:0125", Group::OwnWord, Basis::Observed);
            drop(r);
            out.problem(At { unit, n: 1 }, "odd\u{1b}[31m");
        }
        let before = format!("{b:?}").replace("[0]", "[1]");
        a.absorb(b);
        let after = format!("{a:?}");
        for line in before.lines() {
            assert!(after.contains(line), "{line} lost in\n{after}");
        }
        assert_eq!(a.thing(3).unwrap().input(), 1);
        assert!(!after.contains('\u{1b}'));
    }

    #[test]
    fn parts_of_ids_and_facts_have_one_number() {
        let long = "n".repeat(250);
        for part in [0, 1, 127, 128, 300, LAST_PART, LAST_PART + 1, u16::MAX] {
            let mut out = Observations::new();
            out.begin_input("x", "text", String::new(), 0);
            let mut r = out.record(At::line(1));
            r.part(part).id(IdKind::Name, &long).id(IdKind::Imei, "490154203237518");
            r.fact(Kind::Model, "EC25", Group::OwnWord, Basis::Observed);
            drop(r);
            let kept = part.min(LAST_PART);
            let thing = out.thing(0).unwrap();
            assert_eq!(
                thing.ids().collect::<Vec<_>>(),
                [(kept, IdKind::Name, long.as_str()), (kept, IdKind::Imei, "490154203237518")],
                "{part}"
            );
            assert!(thing.facts().all(|(p, ..)| p == kept));
            assert_eq!(out.problems.len(), usize::from(part > LAST_PART), "{part}");
        }
    }

    #[test]
    fn a_card_in_the_wrong_column_is_not_printed() {
        for text in ["89445001021983048260", "8944 5001 0219 8304 826", "262011234567890", "26201123456789012345"] {
            let mut out = Observations::new();
            out.begin_input("x", "csv", String::new(), 0);
            out.record(At::row(2)).imei(At::row(2), text, Group::Network, Basis::Observed);
            let what = &out.problems[0].what;
            assert!(what.contains('…') && what.bytes().filter(u8::is_ascii_digit).count() <= 7, "{what}");
        }
    }

    #[test]
    fn an_input_without_a_mapping_says_so() {
        let mut out = Observations::new();
        out.begin_input("x", "text", String::new(), 0);
        let json = serde_json::to_value(&out.inputs[0]).unwrap();
        assert_eq!(json["mapping"], serde_json::json!([]));
    }

    #[test]
    fn problems_of_one_input_are_capped_and_counted() {
        let mut out = Observations::new();
        out.begin_input("x", "csv", String::new(), 0);
        for n in 0..1000 {
            out.problem(At::line(n), "bad");
        }
        assert_eq!(out.problems.len() as u64, PROBLEMS_PER_INPUT + 1);
        assert!(out.problems.last().is_some_and(|p| p.what.contains("800 more")));
    }

    #[test]
    fn parts_of_one_file_are_capped_and_it_is_said_once_for_each_input() {
        let part = |n| Part { at: At::line(n), ..Part::default() };
        let mut out = Observations::new();
        out.begin_input("bombs.zip!a.csv", "csv", String::new(), 0);
        out.after_parts(MOST_PARTS - 2);
        let indices: Vec<u32> = (0..4).map(|n| out.part(Design::List, part(n))).collect();
        assert_eq!(indices, [0, 1, u32::MAX, u32::MAX]);
        assert_eq!((out.boms[0].parts.len(), out.parts_met()), (2, MOST_PARTS));
        out.begin_input("bombs.zip!b.csv", "csv", String::new(), 0);
        out.part(Design::List, part(9));
        let said: Vec<(Option<u32>, At)> = out.problems.iter().map(|p| (p.input, p.at)).collect();
        assert_eq!(said, [(Some(0), At::line(2)), (Some(1), At::line(9))]);
    }
}
