//! What is answered about bills of materials: each document, each part, each tier of its supply chain, each product.

use std::sync::Arc;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::{Behind, Jurisdiction, KnowledgeStamp, Module, Said, Trace};
use crate::bom::{Alternate, Bom, Design, Effectivity, Part, PartKind, Placed, Product};
use crate::finding::Finding;
use crate::observation::{Basis, Input};
use crate::signed::Signed;
use crate::words::Word;

/// Version of the document of `bom check`.
pub const CHECK_SCHEMA: &str = "umbilical.bom-check/1";

/// What a document or product says about cellular modules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// A module is named.
    Found,
    /// A module must be there and is not named: never clean.
    Undisclosed,
    /// Nothing in it is cellular, as far as it declares.
    CleanAsDeclared,
}

impl State {
    /// The kebab-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Undisclosed => "undisclosed",
            Self::CleanAsDeclared => "clean-as-declared",
        }
    }
}

/// The document of `bom check`.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// [`CHECK_SCHEMA`].
    pub schema: Word,
    /// The day of the answer.
    pub as_of: String,
    /// Which facts were used.
    pub knowledge: KnowledgeStamp,
    /// What was read, sorted by path.
    pub inputs: Vec<Input>,
    /// What could not be understood.
    pub problems: Vec<Said>,
    /// Each bill of materials, in the order of the inputs.
    pub files: Vec<FileAnswer>,
    /// Each product, sorted by path.
    pub projects: Vec<Project>,
    /// By what it was judged; `null` where no law was asked.
    pub law: Option<super::policy::LawStamp>,
    /// Every organisation that stands behind a part, by id.
    pub organisations: Vec<Trace>,
}

impl Check {
    /// Every finding: of the documents, then of the products.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> + Clone {
        self.files.iter().flat_map(|f| &f.findings).chain(self.projects.iter().flat_map(|p| &p.findings))
    }

    /// In how many places the documents of a product were not understood: a module may stand there.
    pub fn not_understood(&self, project: &Project) -> usize {
        project.not_understood(&self.files, &self.problems)
    }

    /// Whether a product looks clean and was not understood whole, so that nobody knows.
    pub fn is_open(&self, project: &Project) -> bool {
        project.is_open(&self.files, &self.problems)
    }

    /// Whether a module must be there that no document names: of a product without any, or of a carrier beside a named one.
    pub fn hides_module(&self) -> bool {
        self.projects.iter().any(|p| p.state == State::Undisclosed) || self.findings().any(|f| f.code == "undisclosed-modem")
    }
}

/// One document.
#[derive(Clone, Debug, Serialize)]
pub struct FileAnswer {
    /// Index into `inputs`.
    pub input: u32,
    /// As the user named it.
    pub path: String,
    /// The dialect.
    pub format: String,
    /// What sort of document.
    pub design: Design,
    /// The product that it is about, as far as it says.
    pub product: Product,
    /// What it says about cellular modules.
    pub state: State,
    /// Why it has that state, in sentences.
    pub because: Vec<String>,
    /// Every part on the board, in the order of the document.
    pub parts: Vec<PartAnswer>,
    /// Parts that the document says are not placed, in its order.
    pub not_placed: Vec<PartAnswer>,
    /// How much of what a hardware bill of materials should say it says; `null` where nobody asked.
    pub completeness: Option<Completeness>,
    /// The signatures inside it; `null` where nobody looked, or its format holds none.
    pub signed: Option<Signed>,
    /// What is noteworthy about it.
    pub findings: Vec<Finding>,
    /// What the document says beyond parts and product, for those who write it again.
    #[serde(skip)]
    pub rest: Rest,
}

/// What a document holds beyond its parts and product.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rest {
    /// See [`Bom::spec`].
    pub spec: Option<Box<str>>,
    /// See [`Bom::properties`].
    pub properties: Vec<(Box<str>, Box<str>)>,
}

impl Rest {
    /// What is left of a bill whose parts and product have been taken.
    pub fn of(bom: &mut Bom) -> Self {
        Self { spec: bom.spec.take(), properties: std::mem::take(&mut bom.properties) }
    }
}

/// A product: one design over several documents, or one document by itself.
#[derive(Clone, Debug, Serialize)]
pub struct Project {
    /// The folder, or the file where there is one only.
    pub path: String,
    /// Indices into `files`.
    pub files: Vec<u32>,
    /// What the documents together say.
    pub state: State,
    /// Why, in sentences.
    pub because: Vec<String>,
    /// What is noteworthy about them together.
    pub findings: Vec<Finding>,
}

impl Project {
    /// In how many places its documents were not understood: a module may stand there.
    pub fn not_understood(&self, files: &[FileAnswer], problems: &[Said]) -> usize {
        let its = |input: u32| self.files.iter().any(|f| files.get(*f as usize).is_some_and(|f| f.input == input));
        problems.iter().filter(|p| p.input.is_some_and(its)).count()
    }

    /// Whether it looks clean and was not understood whole, so that nobody knows.
    pub fn is_open(&self, files: &[FileAnswer], problems: &[Said]) -> bool {
        self.state == State::CleanAsDeclared && self.not_understood(files, problems) > 0
    }
}

/// One part: what the document declares and what is known of it.
#[derive(Clone, Debug)]
pub struct PartAnswer {
    /// Its index in the document, placed and not placed counted together: what [`Part::parent`] of its children names.
    pub index: u32,
    /// Where it stands: `line 47`, `sheet BOM row 12`.
    pub at: String,
    /// The line of text it stands on, for annotations; `None` where the document has no lines.
    pub line: Option<u32>,
    /// As declared.
    pub part: Part,
    /// Names of the assemblies that hold it, the outermost first.
    pub path: Arc<[String]>,
    /// What it is.
    pub kind: PartKind,
    /// By which row or word it is taken to be that, with its source; empty for `other`.
    pub known_by: Arc<str>,
    /// Its maker by its usual name, where it is known.
    pub maker: Option<Arc<str>>,
    /// Who stands behind that maker.
    pub ownership: Arc<[Behind]>,
    /// The module, where it is one.
    pub module: Option<Arc<Module>>,
    /// The tiers of its supply chain; empty where it is neither a module nor hides one.
    pub tiers: Vec<Tier>,
    /// What may stand in its place, each judged by itself.
    pub alternates: Vec<AlternateAnswer>,
    /// Of the part and its alternates the one that counts: the name of the worst.
    pub worst: Option<String>,
}

impl Serialize for PartAnswer {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let p = &self.part;
        let mut s = to.serialize_struct("part", 24)?;
        s.serialize_field("at", &self.at)?;
        s.serialize_field("line", &self.line)?;
        s.serialize_field("reference", &p.reference)?;
        s.serialize_field("designators", &p.designators)?;
        s.serialize_field("quantity", &p.quantity)?;
        s.serialize_field("value", &p.value)?;
        s.serialize_field("mpn", &p.mpn)?;
        s.serialize_field("manufacturer", &p.manufacturer)?;
        s.serialize_field("description", &p.description)?;
        s.serialize_field("version", &p.version)?;
        s.serialize_field("serial", &p.serial)?;
        s.serialize_field("fcc_id", &p.fcc_id)?;
        s.serialize_field("origin", &p.origin)?;
        s.serialize_field("supplier", &p.supplier)?;
        s.serialize_field("not_placed", &if let Placed::No(why) = &p.placed { Some(why) } else { None })?;
        s.serialize_field("effective", &if p.effective.is_open() { None } else { Some(EffectiveText::of(&p.effective)) })?;
        s.serialize_field("path", &*self.path)?;
        s.serialize_field("kind", &self.kind)?;
        s.serialize_field("known_by", &*self.known_by)?;
        s.serialize_field("maker", &self.maker.as_deref())?;
        s.serialize_field("ownership", &*self.ownership)?;
        s.serialize_field("module", &self.module.as_deref())?;
        s.serialize_field("tiers", &self.tiers)?;
        s.serialize_field("alternates", &self.alternates)?;
        s.serialize_field("worst", &self.worst)?;
        s.end()
    }
}

#[derive(Serialize)]
struct EffectiveText<'a> {
    serial_from: Option<&'a str>,
    serial_to: Option<&'a str>,
    from: Option<String>,
    to: Option<String>,
}

impl<'a> EffectiveText<'a> {
    fn of(e: &'a Effectivity) -> Self {
        let day = |d: Option<crate::Day>| d.map(|d| d.to_string());
        Self { serial_from: e.serial_from.as_deref(), serial_to: e.serial_to.as_deref(), from: day(e.from), to: day(e.to) }
    }
}

/// An alternate and what is known of it.
#[derive(Clone, Debug)]
pub struct AlternateAnswer {
    /// As declared.
    pub part: Alternate,
    /// What it is.
    pub kind: PartKind,
    /// Its maker by its usual name.
    pub maker: Option<Arc<str>>,
    /// The module, where it is one.
    pub module: Option<Arc<Module>>,
}

impl Serialize for AlternateAnswer {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut s = to.serialize_struct("alternate", 6)?;
        s.serialize_field("value", &self.part.value)?;
        s.serialize_field("mpn", &self.part.mpn)?;
        s.serialize_field("manufacturer", &self.part.manufacturer)?;
        s.serialize_field("kind", &self.kind)?;
        s.serialize_field("maker", &self.maker.as_deref())?;
        s.serialize_field("module", &self.module.as_deref())?;
        s.end()
    }
}

/// The tiers of a supply chain, from the name on the box down to who writes the firmware.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TierKind {
    /// The name on the product.
    Brand,
    /// Who builds the product for the brand.
    Odm,
    /// Who makes the module.
    Module,
    /// Who makes its baseband chip.
    Chipset,
    /// Who makes its memory.
    Memory,
    /// Who writes and signs its firmware.
    Firmware,
}

impl TierKind {
    /// Every tier, from the outside in.
    pub const ALL: &[Self] = &[Self::Brand, Self::Odm, Self::Module, Self::Chipset, Self::Memory, Self::Firmware];

    /// The kebab-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Brand => "brand",
            Self::Odm => "odm",
            Self::Module => "module",
            Self::Chipset => "chipset",
            Self::Memory => "memory",
            Self::Firmware => "firmware",
        }
    }
}

/// One tier: who stands there, or a gap.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tier {
    /// Which.
    pub tier: TierKind,
    /// Who, by its usual name or as declared; `null` = nobody has said: a gap.
    pub name: Option<String>,
    /// What it supplies there: the module, the chip.
    pub part: Option<String>,
    /// Its organisation id, where it is one of the tables.
    pub org: Option<String>,
    /// Whose law can compel it.
    pub jurisdictions: Vec<Jurisdiction>,
    /// 0–1; 0 for a gap.
    pub confidence: f64,
    /// How it is known; `null` for a gap.
    pub basis: Option<Basis>,
    /// Where that was said, or what to ask.
    pub because: String,
}

/// How much of what a hardware bill of materials should say a document says, for three uses.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Completeness {
    /// One score for each use case, in the order compliance, security, availability.
    pub uses: Vec<UseScore>,
}

/// The score of one use case: the mean of its terms by weight.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UseScore {
    /// `compliance`, `security`, `availability`.
    pub use_case: Word,
    /// 0–1; `null` where no term can be evaluated.
    pub score: Option<f64>,
    /// Every term.
    pub terms: Vec<Term>,
}

/// One term of a score.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Term {
    /// The field asked for, in words.
    pub term: String,
    /// How much it counts.
    pub weight: u32,
    /// How many parts (or documents: 1) say it.
    pub have: u64,
    /// How many should; 0 = this format cannot hold it, and the term does not count.
    pub of: u64,
    /// Where the demand comes from.
    pub source: String,
}
