//! The check of all tables: run over the shipped ones by a test, over replaced ones when they are loaded.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use umbilical_core::bom::PartKind;

use crate::table::{FromRow, Problem, Source, TableError, load};
use crate::{
    Band, Brand, Carrier, CompellingLaw, Country, Edge, Endpoint, FccGrantee, HbomTerm, ImeiTrap, Knowledge, LearnedTac, Listing, Module,
    ModuleRadio, Organisation, Oui, PartMaker, PartWord, Pattern, PciId, Plmn, Product, RatOffer, Rebrand, Regime, Replacement, Series,
    UsbId, UsbInterface, UsbVendor, parts, patterns,
};

/// Mistakes gathered so far.
struct Check<'k> {
    knowledge: &'k Knowledge,
    errors: Vec<TableError>,
}

pub(crate) fn all(knowledge: &Knowledge) -> Vec<TableError> {
    let mut check = Check { knowledge, errors: Vec::new() };
    check.syntax();
    // References mean nothing while a table does not parse.
    if check.errors.is_empty() {
        check.keys();
        check.references();
        check.patterns();
        check.parts();
    }
    check.errors
}

impl Check<'_> {
    fn parse<T: FromRow>(&mut self) {
        if let Err(error) = load::<T>(self.knowledge.files.get(T::FILE)) {
            self.errors.push(error);
        }
    }

    fn syntax(&mut self) {
        self.parse::<Brand>();
        self.parse::<Module>();
        self.parse::<Rebrand>();
        self.parse::<Product>();
        self.parse::<UsbId>();
        self.parse::<UsbVendor>();
        self.parse::<UsbInterface>();
        self.parse::<PciId>();
        self.parse::<LearnedTac>();
        self.parse::<ImeiTrap>();
        self.parse::<FccGrantee>();
        self.parse::<Oui>();
        self.parse::<Pattern>();
        self.parse::<Endpoint>();
        self.parse::<Plmn>();
        self.parse::<Organisation>();
        self.parse::<Edge>();
        self.parse::<CompellingLaw>();
        self.parse::<Listing>();
        self.parse::<Regime>();
        self.parse::<Replacement>();
        self.parse::<RatOffer>();
        self.parse::<ModuleRadio>();
        self.parse::<Band>();
        self.parse::<Carrier>();
        self.parse::<Country>();
        self.parse::<PartMaker>();
        self.parse::<Series>();
        self.parse::<PartWord>();
        self.parse::<HbomTerm>();
    }

    fn report<T: FromRow>(&mut self, source: &Source, problem: Problem) {
        self.errors.push(TableError { file: T::FILE.to_owned(), line: u64::from(source.line), problem });
    }

    fn unique<T: FromRow, K: Eq + Hash>(
        &mut self,
        rows: &[T],
        key: impl Fn(&T) -> K,
        name: impl Fn(&T) -> String,
        source: impl Fn(&T) -> &Source,
    ) {
        let mut seen = HashSet::new();
        for row in rows {
            if !seen.insert(key(row)) {
                self.report::<T>(source(row), Problem::Duplicate(name(row)));
            }
        }
    }

    fn keys(&mut self) {
        let k = self.knowledge;
        self.unique(k.brands(), |r| crate::key(&r.brand), |r| r.brand.to_string(), |r| &r.source);
        let model = |r: &Module| (r.maker.clone(), crate::key(&r.model));
        self.unique(k.modules(), model, |r| format!("{} {}", r.maker, r.model), |r| &r.source);
        self.unique(k.patterns(), |r| r.id.clone(), |r| r.id.to_string(), |r| &r.source);
        self.unique(&k.usb_rows().rows, |r| (r.vid, r.pid, r.brand.clone()), |r| format!("{:04x}:{:04x}", r.vid, r.pid), |r| &r.source);
        self.unique(k.usb_vendor_rows(), |r| r.vid, |r| format!("{:04x}", r.vid), |r| &r.source);
        self.unique(k.pci_rows(), |r| r.key, |r| format!("{:?}", r.key), |r| &r.source);
        let learned = |r: &LearnedTac| (r.tac, r.model.clone());
        self.unique(k.tac_learned(), learned, |r| format!("{:08} {}", r.tac, r.model), |r| &r.source);
        self.unique(k.trap_rows(), |r| r.digits.clone(), |r| r.digits.to_string(), |r| &r.source);
        self.unique(k.fcc_grantees(), |r| r.grantee.clone(), |r| r.grantee.to_string(), |r| &r.source);
        self.unique(k.oui_rows(), |r| r.prefix.clone(), |r| r.prefix.to_string(), |r| &r.source);
        self.unique(k.endpoints(), |r| r.domain.clone(), |r| r.domain.to_string(), |r| &r.source);
        self.unique(&k.plmn_table().rows, |r| (r.mcc.clone(), r.mnc.clone()), |r| format!("{}-{}", r.mcc, r.mnc), |r| &r.source);
        self.unique(k.organisations(), |r| r.id.clone(), |r| r.id.to_string(), |r| &r.source);
        self.unique(k.regimes(), |r| r.regime.clone(), |r| r.regime.to_string(), |r| &r.source);
        let product = |r: &Product| (r.brand.clone(), crate::key(&r.product), r.module_model.clone());
        let radio = |r: &ModuleRadio| (r.maker.clone(), crate::key(&r.model), r.radio);
        self.unique(k.radios(), radio, |r| format!("{} {} {}", r.maker, r.model, r.radio.name()), |r| &r.source);
        let field = |r: &HbomTerm| r.field;
        self.unique(k.hbom_terms(), field, |r| r.field.to_string(), |r| &r.source);
        self.unique(k.bands(), |r| (r.rat, r.band.clone()), |r| r.band.to_string(), |r| &r.source);
        self.unique(k.carriers(), |r| (r.maker.clone(), crate::key(&r.name)), |r| format!("{} {}", r.maker, r.name), |r| &r.source);
        self.unique(k.countries(), |r| r.code.clone(), |r| r.code.to_string(), |r| &r.source);
        self.unique(k.countries(), |r| r.alpha3.clone(), |r| r.alpha3.to_string(), |r| &r.source);
        self.names_of_countries();
        self.unique(k.part_makers(), |r| r.maker.to_lowercase(), |r| r.maker.to_string(), |r| &r.source);
        self.unique(k.series(), |r| r.id.clone(), |r| r.id.to_string(), |r| &r.source);
        self.unique(k.words_of_parts(), |r| (r.word.to_lowercase(), r.kind), |r| r.word.to_string(), |r| &r.source);
        self.unique(k.products(), product, |r| format!("{} {}", r.brand, r.product), |r| &r.source);
    }

    /// A spelling that two countries go by means neither.
    fn names_of_countries(&mut self) {
        let mut whose: HashMap<String, &str> = HashMap::new();
        for row in self.knowledge.countries() {
            for name in row.names() {
                if *whose.entry(name.to_lowercase()).or_insert(&row.code) != &*row.code {
                    self.report::<Country>(&row.source, Problem::Duplicate(name.to_owned()));
                }
            }
        }
    }

    fn brand<T: FromRow>(&mut self, source: &Source, column: &'static str, brand: &str) {
        if self.knowledge.brand(brand).is_none() {
            self.report::<T>(source, Problem::Dangling { column, text: brand.to_owned(), target: "brands.csv" });
        }
    }

    fn model<T: FromRow>(&mut self, source: &Source, column: &'static str, maker: &str, model: &str) {
        if self.knowledge.module(maker, model).is_none() {
            self.report::<T>(source, Problem::Dangling { column, text: format!("{maker} {model}"), target: "modules.csv" });
        }
    }

    fn org<T: FromRow>(&mut self, source: &Source, column: &'static str, org: &str) {
        if self.knowledge.org(org).is_none() {
            self.report::<T>(source, Problem::Dangling { column, text: org.to_owned(), target: "organisations.csv" });
        }
    }

    fn references(&mut self) {
        let k = self.knowledge;
        for r in k.brands() {
            r.org.iter().for_each(|org| self.org::<Brand>(&r.source, "org", org));
        }
        for r in k.modules() {
            self.brand::<Module>(&r.source, "maker", &r.maker);
        }
        for r in k.rebrands() {
            self.brand::<Rebrand>(&r.source, "brand", &r.brand);
            self.brand::<Rebrand>(&r.source, "maker", &r.maker);
            r.model.iter().for_each(|m| self.model::<Rebrand>(&r.source, "model", &r.maker, m));
        }
        for r in k.products() {
            self.brand::<Product>(&r.source, "brand", &r.brand);
            if let (Some(maker), Some(model)) = (&r.module_maker, &r.module_model) {
                self.model::<Product>(&r.source, "module_model", maker, model);
            }
        }
        for r in &k.usb_rows().rows {
            let Some(brand) = &r.brand else { continue };
            self.brand::<UsbId>(&r.source, "brand", brand);
            if r.class == crate::UsbClass::Module {
                r.models.iter().for_each(|m| self.model::<UsbId>(&r.source, "models", brand, m));
            }
        }
        for r in k.usb_vendor_rows() {
            r.brand.iter().for_each(|b| self.brand::<UsbVendor>(&r.source, "brand", b));
        }
        for r in k.usb_interface_rows() {
            self.model::<UsbInterface>(&r.source, "model", &r.maker, &r.model);
        }
        for r in k.pci_rows() {
            let Some(brand) = &r.brand else { continue };
            self.brand::<PciId>(&r.source, "brand", brand);
            r.models.iter().for_each(|m| self.model::<PciId>(&r.source, "models", brand, m));
        }
        for r in k.tac_learned() {
            let Some(brand) = &r.brand else { continue };
            self.brand::<LearnedTac>(&r.source, "brand", brand);
            if r.class == crate::TacClass::Module {
                self.model::<LearnedTac>(&r.source, "model", brand, &r.model);
            }
        }
        for r in k.fcc_grantees() {
            self.brand::<FccGrantee>(&r.source, "brand", &r.brand);
            r.known.iter().for_each(|(_, m)| self.model::<FccGrantee>(&r.source, "known", &r.brand, m));
        }
        for r in k.oui_rows() {
            self.brand::<Oui>(&r.source, "brand", &r.brand);
        }
        for r in k.patterns() {
            r.brand.iter().for_each(|b| self.brand::<Pattern>(&r.source, "brand", b));
            r.maker.iter().for_each(|b| self.brand::<Pattern>(&r.source, "maker", b));
        }
        for r in k.endpoints() {
            r.brand.iter().for_each(|b| self.brand::<Endpoint>(&r.source, "brand", b));
        }
        for r in k.edges() {
            self.org::<Edge>(&r.source, "child", &r.child);
            self.org::<Edge>(&r.source, "parent", &r.parent);
        }
        for r in k.listings() {
            r.orgs.iter().for_each(|o| self.org::<Listing>(&r.source, "orgs", o));
            if k.regime(&r.regime).is_none() {
                self.report::<Listing>(
                    &r.source,
                    Problem::Dangling { column: "regime", text: r.regime.to_string(), target: "regimes.csv" },
                );
            }
        }
        for r in k.replacements() {
            self.brand::<Replacement>(&r.source, "from_brand", &r.from_brand);
            self.brand::<Replacement>(&r.source, "to_brand", &r.to_brand);
        }
        for r in k.radios() {
            self.model::<ModuleRadio>(&r.source, "model", &r.maker, &r.model);
        }
        for r in k.rats() {
            self.brand::<RatOffer>(&r.source, "maker", &r.maker);
            if let crate::Offer::Model(model) = &r.offer {
                self.model::<RatOffer>(&r.source, "model", &r.maker, model);
            }
        }
    }

    /// Series of parts: makers that are known, examples, and no series that takes a module of the catalogue for another part.
    fn parts(&mut self) {
        let k = self.knowledge;
        for r in k.part_makers() {
            r.org.iter().for_each(|org| self.org::<PartMaker>(&r.source, "org", org));
        }
        for r in k.carriers() {
            r.carries_maker.iter().for_each(|maker| self.brand::<Carrier>(&r.source, "carries_maker", maker));
        }
        let makers: HashSet<&str> = k.part_makers().iter().map(|r| &*r.maker).chain(k.brands().iter().map(|r| &*r.brand)).collect();
        for r in k.series() {
            for maker in r.makers.iter().filter(|m| !makers.contains(&***m)) {
                let target = "brands.csv or parts/makers.csv";
                self.report::<Series>(&r.source, Problem::Dangling { column: "makers", text: maker.to_string(), target });
            }
        }
        for (row, problem) in parts::check_examples(k.series_table()) {
            self.report::<Series>(&row.source, problem);
        }
        for module in k.modules() {
            for name in std::iter::once(&module.model).chain(&module.aliases) {
                for maker in [None, Some(&*module.maker)] {
                    let Some(hit) = k.part_series(name, maker).filter(|hit| hit.series.kind != PartKind::Module) else { continue };
                    let (example, found) = (name.to_string(), hit.series.id.to_string());
                    let expected = format!("the module {} {}", module.maker, module.model);
                    self.report::<Series>(&hit.series.source, Problem::Example { example, expected, found });
                }
            }
        }
    }

    fn patterns(&mut self) {
        let k = self.knowledge;
        for (row, problem) in patterns::check_examples(k.pattern_table(), k.module_table()) {
            self.report::<Pattern>(&row.source, problem);
        }
    }
}
