//! The facts: modules, identifiers, owners and law. Embedded in the binary, parsed on first use, every row with its
//! source; a row that nobody confirmed says so (`source.verified == false`).
//!
//! ```
//! use umbilical_knowledge::{Knowledge, Scope};
//! let knowledge = Knowledge::embedded();
//! let hits = knowledge.matches(Scope::Revision, "EG25GGBR07A08M2G");
//! assert_eq!(&*hits[0].model.as_ref().unwrap().name, "EG25-G");
//! ```
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::arithmetic_side_effects)
)]

mod bands;
mod brands;
mod carriers;
mod check;
mod countries;
mod endpoints;
mod fcc;
mod files;
mod hbom_fields;
mod law;
mod modules;
mod names;
mod organisations;
mod oui;
mod parts;
mod patterns;
mod pci;
mod plmn;
pub mod policy;
mod products;
mod questionnaires;
mod radios;
mod rebrands;
mod replacements;
mod table;
mod tac;
pub mod templates;
mod usb;

use std::cell::LazyCell;
use std::path::Path;
use std::sync::OnceLock;

use umbilical_core::Day;

pub use bands::{Band, BandRat, Duplex};
pub use brands::{Brand, BrandHit, BrandKind};
pub use carriers::{Carrier, CarriesBasis};
pub use countries::Country;
pub use endpoints::{Endpoint, EndpointLevel, Strength};
pub use fcc::{FccGrantee, FccHit, GranteeRole};
pub use files::table_names;
pub use hbom_fields::{HbomField, HbomTerm};
pub use law::{CompellingLaw, Listing, Regime};
pub use modules::{Basis, ModelHit, Module, Rat};
pub use names::key;
pub use organisations::{Edge, EdgeKind, Organisation};
pub use oui::Oui;
pub use parts::makers::{MakerName, PartMaker};
pub use parts::words::{PartWord, WordWeight};
pub use parts::{Needs, Series, SeriesHit};
pub use patterns::{ModelName, Pattern, PatternHit, Scope};
pub use pci::{PciId, PciKey};
pub use plmn::Plmn;
pub use products::{Product, ProductBasis, ProductClass};
pub use questionnaires::{Expects, KnownFact, Question, Template, When};
pub use radios::{ModuleRadio, Presence};
pub use rebrands::{Rebrand, Relation};
pub use replacements::{DropIn, Offer, RatOffer, Replacement};
pub use table::{Confidence, Problem, Source, TableError, Word};
pub use tac::{Grade, ImeiTrap, LearnedTac, TacClass, TacHit, TacOrigin, parse_tac};
pub use usb::{UsbClass, UsbId, UsbInterface, UsbVendor};

use files::Files;
use table::{FromRow, load};

/// Every table. Making one costs next to nothing; each table is parsed when first asked for.
#[derive(Debug)]
pub struct Knowledge {
    files: Files,
    attached: Vec<tac::Attached>,
    version: OnceLock<String>,
    bands: OnceLock<Vec<Band>>,
    brands: OnceLock<brands::Brands>,
    carriers: OnceLock<carriers::Carriers>,
    countries: OnceLock<countries::Countries>,
    modules: OnceLock<modules::Modules>,
    rebrands: OnceLock<rebrands::Rebrands>,
    products: OnceLock<products::Products>,
    usb: OnceLock<usb::Usb>,
    usb_vendors: OnceLock<Vec<UsbVendor>>,
    usb_interfaces: OnceLock<Vec<UsbInterface>>,
    pci: OnceLock<Vec<PciId>>,
    learned: OnceLock<tac::Learned>,
    traps: OnceLock<Vec<ImeiTrap>>,
    fcc: OnceLock<Vec<FccGrantee>>,
    oui: OnceLock<Vec<Oui>>,
    part_makers: OnceLock<parts::makers::PartMakers>,
    part_series: OnceLock<parts::AllSeries>,
    part_words: OnceLock<parts::words::PartWords>,
    patterns: OnceLock<patterns::Patterns>,
    endpoints: OnceLock<Vec<Endpoint>>,
    plmns: OnceLock<plmn::Plmns>,
    organisations: OnceLock<organisations::Organisations>,
    edges: OnceLock<Vec<Edge>>,
    laws: OnceLock<Vec<CompellingLaw>>,
    listings: OnceLock<Vec<Listing>>,
    regimes: OnceLock<Vec<Regime>>,
    replacements: OnceLock<Vec<Replacement>>,
    rats: OnceLock<Vec<RatOffer>>,
    radios: OnceLock<Vec<ModuleRadio>>,
    hbom_fields: OnceLock<Vec<HbomTerm>>,
}

impl Default for Knowledge {
    fn default() -> Self {
        Self::embedded()
    }
}

impl Knowledge {
    /// The tables built into the program.
    pub fn embedded() -> Self {
        Self::from_files(Files::embedded())
    }

    /// The built-in tables, each replaced by the file of its name below `dir` where there is one. Replaced tables are
    /// parsed and all references checked at once, so that later look-ups cannot fail.
    ///
    /// # Errors
    /// The first mistake in a replaced file, or a reference that the replacement broke.
    pub fn with_dir(dir: &Path) -> Result<Self, TableError> {
        let files = Files::with_dir(dir)?;
        let replaced = files.replaced();
        let knowledge = Self::from_files(files);
        match if replaced { knowledge.check().into_iter().next() } else { None } {
            Some(error) => Err(error),
            None => Ok(knowledge),
        }
    }

    fn from_files(files: Files) -> Self {
        Self {
            files,
            attached: Vec::new(),
            version: OnceLock::new(),
            bands: OnceLock::new(),
            brands: OnceLock::new(),
            carriers: OnceLock::new(),
            countries: OnceLock::new(),
            modules: OnceLock::new(),
            rebrands: OnceLock::new(),
            products: OnceLock::new(),
            usb: OnceLock::new(),
            usb_vendors: OnceLock::new(),
            usb_interfaces: OnceLock::new(),
            pci: OnceLock::new(),
            learned: OnceLock::new(),
            traps: OnceLock::new(),
            fcc: OnceLock::new(),
            oui: OnceLock::new(),
            part_makers: OnceLock::new(),
            part_series: OnceLock::new(),
            part_words: OnceLock::new(),
            patterns: OnceLock::new(),
            endpoints: OnceLock::new(),
            plmns: OnceLock::new(),
            organisations: OnceLock::new(),
            edges: OnceLock::new(),
            laws: OnceLock::new(),
            listings: OnceLock::new(),
            regimes: OnceLock::new(),
            replacements: OnceLock::new(),
            rats: OnceLock::new(),
            radios: OnceLock::new(),
            hbom_fields: OnceLock::new(),
        }
    }

    /// The rows of a table. Embedded tables are checked by tests and replaced ones by [`Knowledge::with_dir`], so a
    /// table that does not parse cannot get here; if one did, it would be empty rather than stop the audit.
    fn rows<T: FromRow>(&self) -> Vec<T> {
        load(self.files.get(T::FILE)).unwrap_or_default()
    }

    fn table<'k, T: FromRow, Table: From<Vec<T>>>(&'k self, slot: &'k OnceLock<Table>) -> &'k Table {
        slot.get_or_init(|| self.rows::<T>().into())
    }

    fn list<'k, T: FromRow>(&'k self, slot: &'k OnceLock<Vec<T>>) -> &'k [T] {
        slot.get_or_init(|| self.rows())
    }

    fn brand_table(&self) -> &brands::Brands {
        self.table::<Brand, _>(&self.brands)
    }

    fn module_table(&self) -> &modules::Modules {
        self.table::<Module, _>(&self.modules)
    }

    fn organisation_table(&self) -> &organisations::Organisations {
        self.table::<Organisation, _>(&self.organisations)
    }

    fn pattern_table(&self) -> &patterns::Patterns {
        self.table::<Pattern, _>(&self.patterns)
    }

    fn learned_table(&self) -> &tac::Learned {
        self.table::<LearnedTac, _>(&self.learned)
    }

    fn plmn_table(&self) -> &plmn::Plmns {
        self.table::<Plmn, _>(&self.plmns)
    }

    // ---- brands and modules

    /// All brands.
    pub fn brands(&self) -> &[Brand] {
        &self.brand_table().rows
    }

    /// The brand of a name in any of its spellings; the whole text is the name.
    pub fn brand(&self, name: &str) -> Option<&Brand> {
        self.brand_table().named(name.trim())
    }

    /// The brands named anywhere in a text, left to right.
    pub fn brands_in(&self, text: &str) -> Vec<BrandHit<'_>> {
        self.brand_table().find(text)
    }

    /// The first brand named in a text that makes modules: a module maker, or a phone or stick maker with modules in
    /// the catalogue. Silicon vendors and hosts are passed over.
    pub fn brand_of(&self, text: &str) -> Option<&Brand> {
        let makes = |b: &&Brand| match b.kind {
            BrandKind::Module => true,
            BrandKind::Phone | BrandKind::Accessory => self.modules().iter().any(|m| m.maker == b.brand),
            BrandKind::Silicon | BrandKind::Host => false,
        };
        self.brands_in(text).into_iter().map(|h| h.brand).find(makes)
    }

    /// The whole catalogue.
    pub fn modules(&self) -> &[Module] {
        &self.module_table().rows
    }

    /// A maker's model by name or alias; the maker in any spelling.
    pub fn module(&self, maker: &str, model: &str) -> Option<&Module> {
        let table = self.module_table();
        table.named(maker, model).or_else(|| table.named(&self.brand(maker)?.brand, model))
    }

    /// The models of any maker with exactly this name.
    pub fn modules_named(&self, name: &str) -> Vec<&Module> {
        self.module_table().any_named(name)
    }

    /// The maker's longest catalogue name that a spelling begins with (`EC25EFA` → EC25-E).
    pub fn module_stem(&self, maker: &str, spelling: &str) -> Option<&Module> {
        self.module_table().stem(maker, spelling)
    }

    /// The longest catalogue name of any maker, of at least so many letters and digits, that a spelling begins with and that
    /// says enough without its maker (`BG95M1LA` → BG95-M1).
    pub fn any_module_stem(&self, spelling: &str, at_least: usize) -> Option<&Module> {
        self.module_table().any_stem(spelling, at_least)
    }

    /// Catalogue names in a text: token-bounded, the longest at each place.
    pub fn models_in(&self, text: &str) -> Vec<ModelHit<'_>> {
        self.module_table().find(text)
    }

    // ---- who sells what

    /// All re-brands.
    pub fn rebrands(&self) -> &[Rebrand] {
        &self.rebrand_table().rows
    }

    fn rebrand_table(&self) -> &rebrands::Rebrands {
        self.table::<Rebrand, _>(&self.rebrands)
    }

    /// Re-brands that show this USB id.
    pub fn rebrands_by_usb(&self, vid: u16, pid: u16) -> impl Iterator<Item = &Rebrand> {
        self.rebrands().iter().filter(move |r| r.usb.contains(&(vid, pid)))
    }

    /// Re-brands that show this PCI id, with its subsystem or without.
    pub fn rebrands_by_pci(&self, key: PciKey) -> impl Iterator<Item = &Rebrand> {
        let bare = PciKey { subsystem: None, ..key };
        self.rebrands().iter().filter(move |r| r.pci.iter().any(|p| *p == key || *p == bare))
    }

    /// Re-brands whose sold name (`DW5811e`) stands in a text.
    pub fn rebrands_in(&self, text: &str) -> Vec<&Rebrand> {
        self.rebrand_table().find(text)
    }

    /// All products.
    pub fn products(&self) -> &[Product] {
        &self.product_table().rows
    }

    fn product_table(&self) -> &products::Products {
        self.table::<Product, _>(&self.products)
    }

    /// Products named in a text; with a brand, that brand's only.
    pub fn products_in(&self, brand: Option<&str>, text: &str) -> Vec<&Product> {
        let fits = |p: &&Product| brand.is_none_or(|b| self.brand(b).map_or(*p.brand == *b, |b| b.brand == p.brand));
        self.product_table().find(text).into_iter().filter(fits).collect()
    }

    // ---- identifiers

    fn usb_rows(&self) -> &usb::Usb {
        self.table::<UsbId, _>(&self.usb)
    }

    /// The rows of a USB id.
    pub fn usb(&self, vid: u16, pid: u16) -> &[UsbId] {
        self.usb_rows().get(vid, pid)
    }

    /// The rows of all USB ids, in their order.
    pub fn usb_ids(&self) -> &[UsbId] {
        &self.usb_rows().rows
    }

    /// Whose a USB vendor id is.
    pub fn usb_vendor(&self, vid: u16) -> Option<&UsbVendor> {
        self.usb_vendor_rows().iter().find(|v| v.vid == vid)
    }

    fn usb_vendor_rows(&self) -> &[UsbVendor] {
        self.list(&self.usb_vendors)
    }

    fn usb_interface_rows(&self) -> &[UsbInterface] {
        self.list(&self.usb_interfaces)
    }

    /// Rules that tell models behind one USB id apart by an interface descriptor.
    pub fn usb_interfaces(&self, vid: u16, pid: u16) -> impl Iterator<Item = &UsbInterface> {
        self.usb_interface_rows().iter().filter(move |r| (r.vid, r.pid) == (vid, pid))
    }

    /// The row that says most about a PCI id.
    pub fn pci(&self, vendor: u16, device: u16, subsystem: Option<(u16, u16)>) -> Option<&PciId> {
        pci::most_specific(self.pci_rows(), PciKey { vendor, device, subsystem })
    }

    /// The rows of all PCI ids.
    pub fn pci_ids(&self) -> &[PciId] {
        self.pci_rows()
    }

    fn pci_rows(&self) -> &[PciId] {
        self.list(&self.pci)
    }

    /// Adds a TAC table: CSV with the columns `tac,brand,model` and, where given, `class`.
    ///
    /// # Errors
    /// The first row that does not parse.
    pub fn attach_tac(&mut self, text: &str, origin: TacOrigin, source: &str) -> Result<usize, TableError> {
        let file = table::File { name: "tac.csv", text: text.to_owned().into() };
        let table = tac::Attached::parse(&file, origin, source)?;
        let rows = table.len();
        self.attached.push(table);
        Ok(rows)
    }

    /// Whether a table of this origin is at hand.
    pub fn has_tac(&self, origin: TacOrigin) -> bool {
        origin == TacOrigin::Learned || self.attached.iter().any(|t| t.origin() == origin)
    }

    /// What the tables say of a TAC: attached tables in the order they were attached, then the learned one.
    pub fn tac(&self, tac: u32) -> Vec<TacHit<'_>> {
        let attached = self.attached.iter().flat_map(|t| t.find(tac));
        attached.chain(self.learned_table().find(tac)).collect()
    }

    /// Every TAC that a table names, in the order of [`Knowledge::tac`].
    pub fn tacs(&self) -> impl Iterator<Item = (u32, TacHit<'_>)> {
        self.attached.iter().flat_map(|t| t.all()).chain(self.learned_table().all())
    }

    /// All learned TACs.
    pub fn tac_learned(&self) -> &[LearnedTac] {
        &self.learned_table().rows
    }

    /// Why an IMEI (or bare TAC) identifies nothing: a factory default, a test value. Digits only.
    pub fn imei_trap(&self, digits: &str) -> Option<&ImeiTrap> {
        self.trap_rows().iter().find(|t| digits.starts_with(&*t.digits))
    }

    fn trap_rows(&self) -> &[ImeiTrap] {
        self.list(&self.traps)
    }

    /// The grantee of an FCC id and the models its product code spells.
    pub fn fcc(&self, id: &str) -> Option<FccHit<'_>> {
        fcc::read(self.fcc_grantees(), self.module_table(), id)
    }

    /// All grantees.
    pub fn fcc_grantees(&self) -> &[FccGrantee] {
        self.list(&self.fcc)
    }

    /// The registered block of a MAC address.
    pub fn oui(&self, mac: &str) -> Option<&Oui> {
        oui::longest(self.oui_rows(), mac)
    }

    fn oui_rows(&self) -> &[Oui] {
        self.list(&self.oui)
    }

    /// All patterns.
    pub fn patterns(&self) -> &[Pattern] {
        &self.pattern_table().rows
    }

    /// The patterns of a scope that match a text, with the models they spell.
    pub fn matches(&self, scope: Scope, text: &str) -> Vec<PatternHit<'_>> {
        self.pattern_table().matches(self.module_table(), scope, text)
    }

    /// The row that covers a domain.
    pub fn endpoint(&self, domain: &str) -> Option<&Endpoint> {
        endpoints::covering(self.endpoints(), domain)
    }

    /// All endpoints.
    pub fn endpoints(&self) -> &[Endpoint] {
        self.list(&self.endpoints)
    }

    /// The operator of an IMSI, or of a bare MCC and MNC.
    pub fn plmn(&self, imsi: &str) -> Option<&Plmn> {
        self.plmn_table().of(imsi)
    }

    /// The ISO 3166 country of a mobile country code.
    pub fn mcc_country(&self, mcc: &str) -> Option<&str> {
        self.plmn_table().country(mcc)
    }

    // ---- countries

    fn country_table(&self) -> &countries::Countries {
        self.table::<Country, _>(&self.countries)
    }

    /// All countries.
    pub fn countries(&self) -> &[Country] {
        &self.country_table().rows
    }

    /// The ISO 3166-1 codes (two letters) of the countries that a text names, in its order; empty where it names none:
    /// `Made in USA`, `DE / CZ`, `Vietnam (final assembly), 中国`.
    pub fn countries_named(&self, text: &str) -> Vec<&str> {
        self.country_table().parse(text)
    }

    /// The two-letter codes that stand as words of their own in a text of these tables: `Hefei, CN (…); IN (…)`.
    pub fn country_codes_in(&self, text: &str) -> Vec<&str> {
        self.country_table().codes_in(text)
    }

    // ---- parts of a board

    fn part_maker_table(&self) -> &parts::makers::PartMakers {
        self.table::<PartMaker, _>(&self.part_makers)
    }

    fn series_table(&self) -> &parts::AllSeries {
        self.table::<Series, _>(&self.part_series)
    }

    fn part_word_table(&self) -> &parts::words::PartWords {
        self.table::<PartWord, _>(&self.part_words)
    }

    fn carrier_table(&self) -> &carriers::Carriers {
        self.table::<Carrier, _>(&self.carriers)
    }

    /// All series of part numbers.
    pub fn series(&self) -> &[Series] {
        &self.series_table().rows
    }

    /// All makers of parts that are no brands of modules.
    pub fn part_makers(&self) -> &[PartMaker] {
        &self.part_maker_table().rows
    }

    /// All words that tell what a part is.
    pub fn words_of_parts(&self) -> &[PartWord] {
        &self.part_word_table().rows
    }

    /// The makers named in a text by their usual names: brands, and makers of parts beside them.
    pub fn part_makers_in(&self, text: &str) -> Vec<MakerName<'_>> {
        self.part_maker_table().find(self.brand_table(), text)
    }

    /// The maker of parts that a maker's field names, where no brand does. A name of up to three letters (`TE`, `IR`) has
    /// to be the whole field: inside a text such letters may be anything.
    pub fn part_maker(&self, written: &str) -> Option<MakerName<'_>> {
        self.part_maker_table().named(written)
    }

    /// The series of a part number, given the maker as written beside it. A maker that is known and is none of the
    /// series' contradicts it.
    pub fn part_series(&self, number: &str, maker: Option<&str>) -> Option<SeriesHit<'_>> {
        let beside = maker.filter(|m| !m.trim().is_empty());
        // Asked only where a series fits. The maker may stand in the field of the number.
        let known = LazyCell::new(|| beside.map(|m| self.part_makers_in(m)).unwrap_or_default());
        let inside = LazyCell::new(|| self.part_makers_in(number));
        self.series_table().find(number, |series| {
            let of = |name: &MakerName<'_>| series.makers.iter().any(|m| m.eq_ignore_ascii_case(name.name));
            if known.iter().any(of) || (!series.makers.is_empty() && inside.iter().any(of)) {
                parts::Stance::Agrees
            } else if known.is_empty() || series.makers.is_empty() {
                parts::Stance::Silent { text: beside.is_some() && !series.makers.is_empty() }
            } else {
                parts::Stance::Contradicts
            }
        })
    }

    /// What the words of a text say of a part, left to right.
    pub fn part_words(&self, text: &str) -> Vec<&PartWord> {
        self.part_word_table().find(text)
    }

    /// All carriers.
    pub fn carriers(&self) -> &[Carrier] {
        &self.carrier_table().rows
    }

    /// The carrier of a cellular module that a text names, given the maker as written beside it.
    pub fn carrier(&self, maker: Option<&str>, text: &str) -> Option<&Carrier> {
        let named = |name: &str| {
            let wanted = key(name);
            let said = |text: &str| key(text).contains(&wanted);
            maker.is_some_and(said) || said(text)
        };
        self.carrier_table().find(text, named)
    }

    /// All cellular bands.
    pub fn bands(&self) -> &[Band] {
        self.list(&self.bands)
    }

    /// The bands in which devices send at a frequency in MHz.
    pub fn uplinks_at(&self, mhz: f64) -> Vec<&Band> {
        self.bands().iter().filter(|b| b.sends_at(mhz)).collect()
    }

    /// The bands in which the network sends at a frequency in MHz: one region's uplink is another's downlink.
    pub fn downlinks_at(&self, mhz: f64) -> Vec<&Band> {
        self.bands().iter().filter(|b| b.network_sends_at(mhz)).collect()
    }

    // ---- owners and law

    /// All organisations.
    pub fn organisations(&self) -> &[Organisation] {
        &self.organisation_table().rows
    }

    /// An organisation by id.
    pub fn org(&self, id: &str) -> Option<&Organisation> {
        self.organisation_table().get(id)
    }

    /// Organisations named in a text.
    pub fn orgs_in(&self, text: &str) -> Vec<&Organisation> {
        self.organisation_table().find(text)
    }

    /// The organisation behind a brand.
    pub fn org_of_brand(&self, brand: &str) -> Option<&Organisation> {
        self.brand(brand).and_then(|b| self.org(b.org.as_deref()?))
    }

    /// All edges.
    pub fn edges(&self) -> &[Edge] {
        self.list(&self.edges)
    }

    /// Edges from an organisation to its parents, of any date.
    pub fn edges_of(&self, org: &str) -> impl Iterator<Item = &Edge> {
        self.edges().iter().filter(move |e| *e.child == *org)
    }

    /// Laws of a jurisdiction that can compel.
    pub fn laws(&self, jurisdiction: &str) -> impl Iterator<Item = &CompellingLaw> {
        self.law_rows().iter().filter(move |l| *l.jurisdiction == *jurisdiction)
    }

    fn law_rows(&self) -> &[CompellingLaw] {
        self.list(&self.laws)
    }

    /// All listings.
    pub fn listings(&self) -> &[Listing] {
        self.list(&self.listings)
    }

    /// Listings that name an organisation, of any date.
    pub fn listings_of(&self, org: &str) -> impl Iterator<Item = &Listing> {
        self.listings().iter().filter(move |l| l.orgs.iter().any(|o| **o == *org))
    }

    /// All regimes.
    pub fn regimes(&self) -> &[Regime] {
        self.list(&self.regimes)
    }

    /// A regime by id.
    pub fn regime(&self, id: &str) -> Option<&Regime> {
        self.regimes().iter().find(|r| *r.regime == *id)
    }

    /// What a hardware bill of materials should say, in the order of the table.
    pub fn hbom_terms(&self) -> &[HbomTerm] {
        self.list(&self.hbom_fields)
    }

    /// All replacements.
    pub fn replacements(&self) -> &[Replacement] {
        self.list(&self.replacements)
    }

    /// Candidates to replace a model; a row for the family speaks for its models too.
    pub fn replacements_for(&self, maker: &str, model: &str) -> Vec<&Replacement> {
        let Some(asked) = self.module(maker, model) else { return Vec::new() };
        let speaks = |m: &Module| m.maker == asked.maker && (m.model == asked.model || key(&m.model) == key(&asked.family));
        let applies = |r: &&Replacement| self.models_in(&r.from_model).iter().any(|h| speaks(h.module));
        self.replacements().iter().filter(applies).collect()
    }

    /// What makers offer by technology.
    pub fn rats(&self) -> &[RatOffer] {
        self.list(&self.rats)
    }

    /// Radios that modules have beside the cellular one.
    pub fn radios(&self) -> &[ModuleRadio] {
        self.list(&self.radios)
    }

    /// The radios of a model or family of a maker, in any spelling; empty where no row speaks of it, which is not "none".
    pub fn radios_of(&self, maker: &str, model: &str) -> Vec<&ModuleRadio> {
        let brand = self.brand(maker).map_or(maker, |b| &b.brand);
        radios::of(self.radios(), self.module_table(), brand, model)
    }

    // ---- about the tables

    /// The day the sources of regimes and listings go to: what law and lists say later is not known here.
    pub fn sources_to(&self) -> Option<Day> {
        // "status after DATE unknown" names a day the sources do not reach.
        let seen = self.regimes().iter().filter_map(|r| r.newest_source_seen.as_deref()).filter(|t| !t.contains("unknown"));
        // Copies of lists carry the day they were taken: `repository@commit (2026-08-22)`.
        let copies = self.listings().iter().flat_map(|l| l.source.text.split('(').skip(1)).filter_map(|t| t.split(')').next());
        seen.chain(copies).flat_map(days_in).max()
    }

    /// The first 12 hex digits of the SHA-256 over all tables in use.
    pub fn version(&self) -> &str {
        self.version.get_or_init(|| self.files.digest())
    }

    /// The same facts, with what is assumed for one run. Assumed rows say so in their source.
    ///
    /// # Errors
    /// An organisation or regime that is not on file.
    pub fn assume(mut self, assumed: &[policy::Assumption]) -> Result<Self, String> {
        use policy::Change;
        let (mut listings, mut edges) = (self.listings().to_vec(), self.edges().to_vec());
        for a in assumed.iter().filter(|a| a.change != Change::InForce) {
            let org = self.org(&a.who).ok_or_else(|| format!("`{a}`: `{}` is no organisation on file", a.who))?;
            let source = Source { text: format!("assumed for this run: {a}").into(), verified: true, line: 0 };
            let from = Some(umbilical_core::date::Loose::Day(a.from));
            match a.change {
                Change::OwnedBy => {
                    self.org(&a.whom).ok_or_else(|| format!("`{a}`: `{}` is no organisation on file", a.whom))?;
                    for edge in edges.iter_mut().filter(|e| *e.child == *a.who && e.edge == EdgeKind::Owns && e.to.is_none()) {
                        edge.to = from;
                    }
                    let (child, parent) = (a.who.as_str().into(), a.whom.as_str().into());
                    let share = Some("100".into());
                    let edge = EdgeKind::Owns;
                    edges.push(Edge { child, parent, edge, share, from, to: None, confidence: Confidence::High, note: None, source });
                }
                Change::Listed | Change::Delisted => {
                    self.regime(&a.whom).ok_or_else(|| format!("`{a}`: `{}` is no regime on file", a.whom))?;
                    let named = |l: &&mut Listing| *l.regime == *a.whom && l.orgs.iter().any(|o| **o == *a.who);
                    if a.change == Change::Delisted {
                        listings.iter_mut().filter(named).filter(|l| l.to.is_none()).for_each(|l| l.to = from);
                        continue;
                    }
                    listings.push(Listing {
                        regime: a.whom.as_str().into(),
                        entity: org.name.clone(),
                        orgs: vec![a.who.as_str().into()],
                        from,
                        to: None,
                        citation: "assumed for this run".into(),
                        covers: policy::Covers::Equipment,
                        scope: None,
                        list_status: "in_force".into(),
                        confidence: Confidence::High,
                        source,
                    });
                }
                Change::InForce => {}
            }
        }
        self.listings = OnceLock::from(listings);
        self.edges = OnceLock::from(edges);
        Ok(self)
    }

    /// Checks every table: syntax, vocabularies, unique keys, references, dates, expressions and their examples.
    pub fn check(&self) -> Vec<TableError> {
        check::all(self)
    }
}

/// Every YYYY-MM-DD in a text.
fn days_in(text: &str) -> impl Iterator<Item = Day> {
    text.split(|c: char| !(c.is_ascii_digit() || c == '-')).filter_map(|word| word.parse().ok())
}
