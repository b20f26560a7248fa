//! One fact, looked up in the knowledge base, becomes votes: what it speaks for, how strongly, and by which row.
//!
//! Weights are integer milli-nats of log-odds. They follow specificity: a firmware revision beats a product
//! string, that a subsystem id, that an unshared USB id, a plugin, a type allocation code, an FCC grantee, a
//! shared id, a domain, an OUI. A row that nobody confirmed weighs three fifths.

use umbilical_core::answer::Level;
use umbilical_core::text::{clean, squash};
use umbilical_core::{Basis, Fact, Group, Kind};
use umbilical_knowledge::{
    BrandKind, EndpointLevel, Grade, GranteeRole, Knowledge, Module, PatternHit, PciKey, ProductBasis, ProductClass, Relation, Scope,
    Source, Strength, TacClass, TacOrigin, UsbClass,
};

use super::learn::Lessons;

/// What kind of thing a fact says the whole is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// A module.
    Module,
    /// A stick or data card.
    Dongle,
    /// A phone or tablet.
    Handset,
    /// A router or gateway.
    Router,
    /// Cellular, of no class named.
    Other,
}

/// What a vote is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum For {
    /// A claim at a level. The cellular level has the values `yes` and `no`.
    Claim(Level, String),
    /// The name under which a brand sells it.
    SoldAs(String),
    /// A class of thing.
    Class(Class),
    /// That brand and maker differ by a known relation, so that the brand's name is no contradiction.
    Rebrand {
        /// The selling brand.
        brand: String,
        /// The maker.
        maker: String,
    },
    /// Something that must be said to people: a finding's code and a sentence.
    Notice(&'static str, String),
}

/// One vote.
#[derive(Clone, Debug)]
pub struct Vote {
    /// What for.
    pub what: For,
    /// Milli-nats; negative speaks against.
    pub weight: i32,
    /// The row it was matched with, and its source.
    pub matched: String,
    /// How the conclusion is known: as the fact, or inferred through a table.
    pub basis: Basis,
    /// The witness that it really comes from, where that is not the fact's own: what modules said of themselves taught
    /// the meaning of a type allocation code, whoever saw it.
    pub group: Option<Group>,
}

/// The votes of one fact, under construction.
pub struct Votes<'k> {
    kb: &'k Knowledge,
    lessons: &'k Lessons,
    basis: Basis,
    group: Option<Group>,
    /// Every vote so far.
    pub list: Vec<Vote>,
}

/// Three fifths for a row that nobody has confirmed.
fn trust(weight: i32, verified: bool) -> i32 {
    if verified { weight } else { weight.saturating_mul(3) / 5 }
}

fn cite(what: &str, source: &Source) -> String {
    format!("{what}: {source}")
}

/// The brand that a text names: exactly, else a maker of modules in it, else the first brand of any kind.
pub fn brand_named<'k>(kb: &'k Knowledge, text: &str) -> Option<&'k umbilical_knowledge::Brand> {
    kb.brand(text).or_else(|| kb.brand_of(text)).or_else(|| kb.brands_in(text).into_iter().map(|h| h.brand).next())
}

/// What the context of a fact knows: the other facts of its part.
#[derive(Clone, Copy)]
pub struct Around<'a> {
    /// The USB id of the part, if one.
    pub usb: Option<(u16, u16)>,
    /// `bcdDevice`.
    pub bcd: Option<u16>,
    /// A brand of modules that is named in the part, so that a bare model name means something.
    pub module_brand: Option<&'a str>,
}

/// The votes of a fact.
pub fn votes(kb: &Knowledge, lessons: &Lessons, fact: &Fact, around: &Around<'_>) -> Vec<Vote> {
    let mut v = Votes { kb, lessons, basis: fact.basis, group: None, list: Vec::new() };
    let value = &*fact.value;
    match fact.kind {
        Kind::UsbId => v.usb(value, around),
        Kind::UsbInterface => v.usb_interface(value, around),
        Kind::UsbManufacturer => {
            v.text(value, Scope::UsbManufacturer, &Words { brand: 3200, maker: 3000, model: 3600, cellular: 0, grammar: 80 }, around)
        }
        Kind::UsbProduct => {
            v.text(value, Scope::UsbProduct, &Words { brand: 3200, maker: 3000, model: 4400, cellular: 0, grammar: 80 }, around)
        }
        // The listing tool's own table of names, as often as the device's strings: it repeats the id, no more.
        Kind::BusName => v.text(value, Scope::UsbProduct, &Words { brand: 800, maker: 600, model: 1200, cellular: 0, grammar: 20 }, around),
        Kind::PciId => v.pci(value),
        Kind::Driver => v.driver(value),
        Kind::Manufacturer => {
            v.text(value, Scope::AtIdentity, &Words { brand: 3400, maker: 3400, model: 3600, cellular: 2500, grammar: 80 }, around)
        }
        Kind::Model => v.model(value, Scope::Model, &Words { brand: 2600, maker: 2600, model: 4200, cellular: 2000, grammar: 80 }, around),
        Kind::FirmwareRevision => v.revision(value, 100),
        Kind::HardwareRevision => v.revision(value, 80),
        Kind::AtLine => v.at_line(value),
        Kind::Plugin => v.plugin(value),
        Kind::Tac => v.tac(value, 100, 6000),
        Kind::TacUnchecked => v.tac(value, 25, 3000),
        Kind::FccId => v.fcc(value),
        Kind::Oui => v.oui(value),
        Kind::Domain => v.domain(value),
        Kind::FileName => v.patterns(value, Scope::FileName, 70),
        Kind::Chipset => v.chipset(value),
        Kind::DeclaredMaker => {
            v.text(value, Scope::AtIdentity, &Words { brand: 3000, maker: 3000, model: 3200, cellular: 0, grammar: 80 }, around)
        }
        Kind::DeclaredModel => {
            v.model(value, Scope::Model, &Words { brand: 2400, maker: 2600, model: 3200, cellular: 0, grammar: 80 }, around)
        }
        Kind::HostMaker => v.host_maker(value),
        Kind::HostModel => v.host_model(value),
        Kind::DeviceClass => v.device_class(value),
        Kind::Text => v.prose(value),
        Kind::Cellular => v.cellular(5000, "what only a cellular device has".into()),
        Kind::NotCellular => v.cellular(-3000, "the tool that would list a modem found none".into()),
        Kind::Undisclosed => {
            v.cellular(2500, "a document shows the place of a module that it does not name".into());
            v.push(For::Notice("undisclosed-modem", value.to_owned()), 0, String::new(), true);
        }
        // An earlier answer is restored, never weighed: it may be made of what stands beside it.
        Kind::UsbRevision | Kind::BusPath | Kind::Earlier => {}
    }
    v.list
}

/// How much a text counts when it names a brand, a model, and for being cellular at all when it names a module maker.
struct Words {
    brand: i32,
    maker: i32,
    model: i32,
    cellular: i32,
    /// Percent of a grammar's weight: names are what a re-branding changes, revisions what survives it.
    grammar: i32,
}

impl Votes<'_> {
    fn push(&mut self, what: For, weight: i32, matched: String, inferred: bool) {
        let basis = if inferred && self.basis == Basis::Observed { Basis::Inferred } else { self.basis };
        self.list.push(Vote { what, weight, matched, basis, group: self.group });
    }

    fn claim(&mut self, level: Level, value: &str, weight: i32, matched: &str, inferred: bool) {
        if weight != 0 && !value.is_empty() {
            self.push(For::Claim(level, value.to_owned()), weight, matched.to_owned(), inferred);
        }
    }

    fn cellular(&mut self, weight: i32, matched: String) {
        if weight > 0 {
            self.push(For::Claim(Level::Cellular, "yes".into()), weight, matched, false);
        } else if weight < 0 {
            self.push(For::Claim(Level::Cellular, "no".into()), weight.saturating_neg(), matched, false);
        }
    }

    fn class(&mut self, class: Class, weight: i32, matched: &str) {
        self.push(For::Class(class), weight, matched.to_owned(), true);
    }

    /// A brand's name: maker only when the brand makes modules, silicon when it makes chips.
    fn brand(&mut self, name: &str, brand: i32, maker: i32, matched: &str, inferred: bool) -> bool {
        let Some(row) = self.kb.brand(name) else { return false };
        let (kind, name) = (row.kind, row.brand.to_string());
        match kind {
            BrandKind::Module => {
                self.claim(Level::Brand, &name, brand, matched, inferred);
                self.claim(Level::Maker, &name, maker, matched, inferred);
                true
            }
            BrandKind::Silicon => {
                self.claim(Level::Silicon, &name, brand / 2, matched, inferred);
                false
            }
            // Huawei and ZTE make phones, sticks and modules: the name alone leaves open which.
            BrandKind::Accessory | BrandKind::Phone if self.kb.brand_of(&name).is_some() => {
                self.claim(Level::Brand, &name, brand, matched, inferred);
                self.claim(Level::Maker, &name, maker, matched, inferred);
                false
            }
            BrandKind::Host | BrandKind::Accessory | BrandKind::Phone => {
                self.claim(Level::Brand, &name, brand, matched, inferred);
                match kind {
                    BrandKind::Phone => self.class(Class::Handset, brand, matched),
                    BrandKind::Accessory => self.class(Class::Dongle, brand, matched),
                    _ => {}
                }
                false
            }
        }
    }

    /// A row of the catalogue: model, family, maker.
    fn module(&mut self, module: &Module, model: i32, maker: i32, matched: &str, inferred: bool) {
        self.claim(Level::Model, &module.model, model, matched, inferred);
        if module.family != module.model {
            self.claim(Level::Family, &module.family, model, matched, inferred);
        }
        self.claim(Level::Maker, &module.maker, maker, matched, inferred);
        self.class(Class::Module, model, matched);
    }

    fn models(&mut self, brand: Option<&str>, models: &[Box<str>], family: Option<&str>, weight: i32, matched: &str) {
        // Several models behind one id: each gets a little, none decides.
        let each = if models.len() == 1 { weight } else { weight.min(900) };
        for name in models {
            let known = brand.and_then(|b| self.kb.module(b, name)).map(|m| (m.model.to_string(), m.family.to_string()));
            let (model, own) = known.unwrap_or_else(|| (name.to_string(), String::new()));
            self.claim(Level::Model, &model, each, matched, true);
            if models.len() == 1 && family.is_none() && own != model {
                self.claim(Level::Family, &own, each, matched, true);
            }
        }
        if let Some(family) = family {
            self.claim(Level::Family, family, weight.min(3000), matched, true);
        }
    }

    fn usb(&mut self, value: &str, around: &Around<'_>) {
        let Some((vid, pid)) = usb_id(value) else { return };
        let kb = self.kb;
        let rows = kb.usb(vid, pid);
        for row in rows {
            let matched = cite(&format!("USB id {value}"), &row.source);
            let verified = row.source.verified;
            let (cellular, class) = match row.class {
                // A chip's loader: of a phone as well as of a module.
                _ if row.is_loader() && row.needs_second => (900, None),
                UsbClass::Module | UsbClass::BrandedModule => (5000, Some((Class::Module, 4000))),
                UsbClass::Dongle | UsbClass::DongleOrHandset => (4500, Some((Class::Dongle, 4000))),
                UsbClass::Handset => (4500, Some((Class::Handset, 4000))),
                UsbClass::Unclassified => (3000, Some((Class::Other, 1000))),
                UsbClass::Unknown => (0, None),
            };
            self.cellular(trust(cellular, verified), matched.clone());
            if let Some((class, weight)) = class {
                self.class(class, weight, &matched);
            }
            let loader = row.is_loader();
            // A borrowed id speaks once a second clue names the same brand: a string, a revision.
            let needs_second = row.needs_second && (row.brand.is_none() || row.brand.as_deref() != around.module_brand);
            if let Some(brand) = &row.brand {
                let (b, m) = match (needs_second, row.vid_shared || loader) {
                    (true, _) => (900, 900),
                    (false, true) => (3200, 3000),
                    (false, false) => (4000, 4000),
                };
                self.brand(brand, trust(b, verified), trust(m, verified), &matched, true);
            }
            let weight = if needs_second {
                900
            } else if loader {
                1500
            } else {
                4200
            };
            self.models(row.brand.as_deref(), &row.models, row.family.as_deref(), trust(weight, verified), &matched);
        }
        for re in kb.rebrands_by_usb(vid, pid) {
            self.rebrand(re, &format!("USB id {value}"), 4200);
        }
        if rows.is_empty()
            && let Some(vendor) = kb.usb_vendor(vid)
        {
            let matched = cite(&format!("USB vendor {vid:04x}"), &vendor.source);
            let only_modules =
                !vendor.shared && vendor.brand.as_deref().and_then(|b| kb.brand(b)).is_some_and(|b| b.kind == BrandKind::Module);
            if let Some(brand) = &vendor.brand {
                let (b, m) = if vendor.shared { (700, 500) } else { (3600, 3600) };
                self.brand(brand, trust(b, vendor.source.verified), trust(m, vendor.source.verified), &matched, true);
            }
            if only_modules {
                self.cellular(2500, matched);
            }
        }
    }

    fn usb_interface(&mut self, value: &str, around: &Around<'_>) {
        let Some((vid, pid)) = around.usb else { return };
        let Some((number, class)) = value.split_once(':') else { return };
        let mut triple = class.split('/').map(|p| u8::from_str_radix(p, 16).ok());
        let (Ok(number), Some(Some(a)), Some(Some(b)), Some(Some(c))) = (number.parse::<u8>(), triple.next(), triple.next(), triple.next())
        else {
            return;
        };
        for rule in self.kb.usb_interfaces(vid, pid) {
            let bcd = rule.bcd.is_none_or(|want| around.bcd == Some(want));
            if rule.interface == number && rule.class == (a, b, c) && bcd {
                let matched = cite(&format!("interface {value} of {vid:04x}:{pid:04x}"), &rule.source);
                self.claim(Level::Model, &rule.model, trust(3800, rule.source.verified), &matched, true);
                self.claim(Level::Maker, &rule.maker, trust(3000, rule.source.verified), &matched, true);
            }
        }
    }

    fn pci(&mut self, value: &str) {
        let Some(key) = PciKey::parse(value) else { return };
        let kb = self.kb;
        if let Some(row) = kb.pci(key.vendor, key.device, key.subsystem) {
            let matched = cite(&format!("PCI id {value}"), &row.source);
            let verified = row.source.verified;
            if row.module {
                self.cellular(trust(4500, verified), matched.clone());
                self.class(Class::Module, if row.brand.is_some() { 4000 } else { 2000 }, &matched);
            }
            if let Some(brand) = &row.brand {
                let weight = if row.key.subsystem.is_some() { 4000 } else { 3200 };
                self.brand(brand, trust(weight, verified), trust(weight, verified), &matched, true);
            }
            self.models(row.brand.as_deref(), &row.models, None, trust(if row.brand.is_some() { 4000 } else { 600 }, verified), &matched);
            if let Some(chipset) = &row.chipset {
                self.claim(Level::Silicon, chipset, trust(3500, verified), &matched, true);
            }
        }
        for re in kb.rebrands_by_pci(key) {
            self.rebrand(re, &format!("PCI id {value}"), 4200);
        }
    }

    fn rebrand(&mut self, re: &umbilical_knowledge::Rebrand, by: &str, weight: i32) {
        let weight = trust(weight, re.source.verified);
        let matched = cite(by, &re.source);
        match re.relation {
            Relation::Rebrand => {
                self.claim(Level::Brand, &re.brand, weight, &matched, true);
                self.claim(Level::Maker, &re.maker, weight, &matched, true);
                if let Some(model) = &re.model {
                    let known = self.kb.module(&re.maker, model);
                    let name = known.map_or_else(|| model.to_string(), |m| m.model.to_string());
                    self.claim(Level::Model, &name, weight, &matched, true);
                    self.class(Class::Module, weight, &matched);
                    self.cellular(weight, matched.clone());
                }
                if let Some(sold) = &re.sold_as {
                    self.push(For::SoldAs(sold.to_string()), weight, matched.clone(), true);
                }
                if re.brand != re.maker {
                    self.push(For::Rebrand { brand: re.brand.to_string(), maker: re.maker.to_string() }, weight, matched, true);
                }
            }
            Relation::Lineage => self.claim(Level::Brand, &re.brand, weight / 6, &matched, true),
            Relation::SharedFirmware | Relation::Silicon => {}
        }
    }

    /// A text that may name a brand and a model of the catalogue.
    fn text(&mut self, value: &str, scope: Scope, words: &Words, around: &Around<'_>) {
        let kb = self.kb;
        let mut maker_named = None;
        if let Some(brand) = brand_named(kb, value) {
            let matched = cite(&format!("the name `{}`", brand.brand), &brand.source);
            let name = brand.brand.to_string();
            if self.brand(&name, words.brand, words.maker, &matched, false) {
                maker_named = Some(name);
                self.cellular(words.cellular, matched);
            }
        }
        self.catalogue(value, words, maker_named.as_deref().or(around.module_brand));
        self.patterns(value, scope, words.grammar);
        for re in kb.rebrands_in(value) {
            self.rebrand(re, "the product name", words.model.min(3600));
        }
    }

    /// Model names of the catalogue in a text. A name that is little without its maker needs the maker beside it.
    fn catalogue(&mut self, value: &str, words: &Words, maker: Option<&str>) -> bool {
        let kb = self.kb;
        let hits = kb.models_in(value);
        let mut any = false;
        for hit in &hits {
            let module = hit.module;
            let same_span = hits.iter().filter(|h| h.span == hit.span).count();
            let agrees = maker.is_some_and(|m| m == &*module.maker);
            if !(module.distinct || agrees)
                || (same_span > 1 && !agrees && hits.iter().any(|h| h.span == hit.span && maker == Some(&*h.module.maker)))
            {
                continue;
            }
            // Several makers have a model of this name: each gets its part.
            let part = |weight: i32| weight.checked_div(i32::try_from(same_span).unwrap_or(i32::MAX)).unwrap_or(weight);
            let matched = cite(&format!("the catalogue's {} {}", module.maker, module.model), &module.source);
            // A name that stands in evidence is in use, whoever checked the catalogue's row.
            self.module(module, part(words.model), part(words.maker), &matched, false);
            self.cellular(part(words.model.saturating_sub(600).min(4000)), matched);
            any |= words.model > 600;
        }
        any
    }

    /// A field that holds a model name: the catalogue's, or one it lacks.
    fn model(&mut self, value: &str, scope: Scope, words: &Words, around: &Around<'_>) {
        let kb = self.kb;
        let named = brand_named(kb, value).filter(|b| b.kind == BrandKind::Module).map(|b| b.brand.to_string());
        let maker = named.as_deref().or(around.module_brand);
        let before = self.list.len();
        if let Some(brand) = brand_named(kb, value) {
            let matched = cite(&format!("the name `{}`", brand.brand), &brand.source);
            let name = brand.brand.to_string();
            if self.brand(&name, words.brand, words.maker, &matched, false) {
                self.cellular(words.cellular, matched);
            }
        }
        let mut known = self.catalogue(value, words, maker);
        let listed = self.list.len();
        self.patterns(value, scope, words.grammar);
        known |= self.list.iter().skip(listed).any(|v| matches!(v.what, For::Claim(Level::Model, _)));
        for re in kb.rebrands_in(value) {
            self.rebrand(re, "the product name", words.model.min(3600));
            known = true;
        }
        if scope == Scope::Model && !known {
            for product in kb.products_in(None, value) {
                if matches!(product.class, ProductClass::Dongle | ProductClass::Handset) {
                    let class = if product.class == ProductClass::Dongle { Class::Dongle } else { Class::Handset };
                    let matched = cite(&format!("{} {}", product.brand, product.product), &product.source);
                    self.class(class, 3500, &matched);
                    self.cellular(3000, matched.clone());
                    self.claim(Level::Brand, &product.brand, words.model, &matched, false);
                    self.claim(Level::Model, &product.product, words.model, &matched, false);
                    known = true;
                }
            }
        }
        if let (false, Some(maker)) = (known, maker) {
            // Longer spellings of a catalogue name (`EC25-EFX`), else the word itself: a model nobody listed yet.
            let word = model_word(value, maker);
            if let Some(stem) = word.as_deref().and_then(|w| kb.module_stem(maker, w)) {
                let matched = cite(&format!("the catalogue's {} {}", stem.maker, stem.model), &stem.source);
                self.module(stem, words.model.saturating_sub(800), words.maker, &matched, false);
                if let Some(word) = &word {
                    self.claim(Level::Variant, word, words.model / 2, &matched, false);
                }
            } else if let Some(word) = word {
                self.claim(Level::Model, &word, words.model / 2, "a model name that the catalogue does not have", false);
                self.class(Class::Module, 1200, "a model name beside a module maker's");
            }
        }
        if self.list.len() > before && self.list.iter().any(|v| matches!(v.what, For::Class(Class::Module))) {
            self.cellular(words.cellular, "a module's model name".into());
        }
    }

    fn revision(&mut self, value: &str, percent: i32) {
        self.patterns(value, Scope::Revision, percent);
        if !self.list.iter().any(|v| matches!(v.what, For::Claim(Level::Model, _))) {
            let words = Words { brand: 0, maker: 2400, model: 2800, cellular: 2000, grammar: 80 };
            self.catalogue(value, &words, None);
        }
    }

    fn at_line(&mut self, value: &str) {
        self.patterns(value, Scope::AtLine, 100);
        if let Some(rest) = value.to_ascii_uppercase().split_once("+QCFG=\"USBID\",").map(|(_, r)| r.to_owned()) {
            let mut ids = rest.split(',').map(|p| p.trim().parse::<u16>().ok());
            if let (Some(Some(vid)), Some(Some(pid))) = (ids.next(), ids.next()) {
                let what = format!("the module was told to show USB id {vid:04x}:{pid:04x}");
                self.push(
                    For::Notice("usb-id-reprogrammed", what),
                    0,
                    "AT+QCFG=\"usbid\" takes decimal vendor and product ids".into(),
                    false,
                );
            }
        }
    }

    fn patterns(&mut self, value: &str, scope: Scope, percent: i32) {
        let kb = self.kb;
        for hit in kb.matches(scope, value) {
            self.pattern(&hit, percent);
        }
    }

    fn pattern(&mut self, hit: &PatternHit<'_>, percent: i32) {
        let row = hit.pattern;
        let (maker, model, cellular) = match row.strength {
            Strength::Decide => (5200, 4800, 4500),
            Strength::Support => (3000, 3000, 3000),
            Strength::Weak => (900, 900, 600),
            Strength::Trap => return,
        };
        let scale = |w: i32| trust(w, row.source.verified).saturating_mul(percent) / 100;
        let matched = cite(&format!("grammar `{}`", row.id), &row.source);
        if let Some(name) = &row.maker {
            let known = self.kb.brand(name).map(|b| (b.brand.to_string(), b.kind));
            if let Some((name, kind)) = known {
                if kind == BrandKind::Silicon {
                    self.claim(Level::Silicon, &name, scale(2500), &matched, false);
                } else {
                    self.claim(Level::Maker, &name, scale(maker), &matched, false);
                    self.cellular(scale(cellular), matched.clone());
                }
            } else {
                self.claim(Level::Maker, name, scale(maker), &matched, false);
                self.cellular(scale(cellular), matched.clone());
            }
        }
        if let Some(brand) = &row.brand {
            self.claim(Level::Brand, brand, scale(if row.maker.as_deref() == Some(&**brand) { 1500 } else { 3000 }), &matched, false);
        }
        if let Some(name) = &hit.model {
            match name.module {
                Some(module) => self.module(module, scale(model), scale(maker), &matched, false),
                None => {
                    self.claim(Level::Model, &name.name, scale(model), &matched, false);
                    self.class(Class::Module, scale(model), &matched);
                }
            }
        }
        if let Some(variant) = &hit.variant {
            self.claim(Level::Variant, variant, scale(model).saturating_sub(600), &matched, false);
        }
        if let Some(silicon) = &hit.silicon {
            self.claim(Level::Silicon, silicon, scale(2500), &matched, false);
        }
    }

    fn plugin(&mut self, value: &str) {
        let word = value.to_ascii_lowercase();
        // ModemManager's plugin names where they are not the brand's own spelling (src/plugins/meson.build).
        let brand = match word.as_str() {
            "simtech" => Some("SIMCom"),
            "mbm" => Some("Ericsson"),
            "sierra-legacy" | "sierra" => Some("Sierra Wireless"),
            "generic" | "intel" | "xmm" | "icera" | "qcom-soc" | "mtk" | "mtk-legacy" | "altair-lte" | "dell" => None,
            _ => brand_named(self.kb, &word).map(|b| &*b.brand),
        };
        self.cellular(4000, "ModemManager drives it as a modem".into());
        if let Some(brand) = brand {
            let brand = brand.to_owned();
            self.brand(&brand, 2000, 2400, &format!("ModemManager chose its plugin `{word}`"), true);
        }
    }

    fn tac(&mut self, value: &str, percent: i32, cellular: i32) {
        let Some(tac) = umbilical_knowledge::parse_tac(value) else { return };
        let kb = self.kb;
        if let Some(trap) = kb.imei_trap(value) {
            self.push(For::Notice("placeholder-imei", format!("TAC {value} is {}", trap.why)), 0, cite("TAC", &trap.source), false);
            return;
        }
        self.cellular(cellular, "an IMEI belongs to 3GPP equipment (TS 23.003)".into());
        let scale = |w: i32| w.saturating_mul(percent) / 100;
        for hit in kb.tac(tac) {
            let weight = match (hit.origin, hit.grade) {
                (TacOrigin::Licensed, _) => 5000,
                (TacOrigin::Osmocom, _) => 3200,
                (TacOrigin::Learned, Some(Grade::A)) => 3600,
                (TacOrigin::Learned, _) => 2400,
            };
            let weight = scale(weight);
            let matched = format!("TAC {value} in the {} table ({} {}): {}", hit.origin, hit.brand.unwrap_or("-"), hit.model, hit.source);
            let row = hit.brand.and_then(|b| brand_named(kb, b));
            let name = row.map(|b| b.brand.to_string()).or_else(|| hit.brand.map(|b| clean(b).into_owned()));
            let class = match (hit.class, row.map(|b| b.kind)) {
                (TacClass::Module, _) | (TacClass::Unknown, Some(BrandKind::Module)) => Class::Module,
                (TacClass::Stick, _) => Class::Dongle,
                (TacClass::Unknown, Some(BrandKind::Accessory)) => Class::Dongle,
                (TacClass::Unknown, Some(BrandKind::Phone)) => Class::Handset,
                (TacClass::Other | TacClass::Unknown, _) => Class::Other,
            };
            self.class(class, weight, &matched);
            if let Some(name) = name {
                if row.is_some() {
                    self.brand(&name, weight, weight, &matched, true);
                } else {
                    self.claim(Level::Brand, &name, weight, &matched, true);
                }
                match kb.module(&name, hit.model).or_else(|| kb.module_stem(&name, hit.model)) {
                    Some(module) if class == Class::Module => self.module(module, weight, weight, &matched, true),
                    _ => self.claim(Level::Model, &clean(hit.model), weight, &matched, true),
                }
            }
        }
        for lesson in self.lessons.of(tac) {
            self.group = Some(lesson.group);
            let weight = scale(lesson.weight());
            let matched = format!("TAC {value} seen {} times in this evidence with {} {}", lesson.count, lesson.maker, lesson.model);
            self.claim(Level::Maker, &lesson.maker, weight, &matched, true);
            self.claim(Level::Brand, &lesson.maker, weight, &matched, true);
            match kb.module(&lesson.maker, &lesson.model) {
                Some(module) => self.module(module, weight, weight, &matched, true),
                None => self.claim(Level::Model, &lesson.model, weight, &matched, true),
            }
        }
        self.group = None;
    }

    fn fcc(&mut self, value: &str) {
        let kb = self.kb;
        let Some(hit) = kb.fcc(value) else { return };
        if hit.grantee.role == GranteeRole::Host {
            return;
        }
        let matched = cite(&format!("FCC grantee {} ({})", hit.grantee.grantee, hit.grantee.name), &hit.grantee.source);
        let verified = hit.grantee.source.verified;
        self.brand(&hit.grantee.brand, trust(3600, verified), trust(3600, verified), &matched, true);
        if let Some(module) = hit.models.first() {
            let said = format!("{matched}; product code {}", hit.product);
            self.module(module, trust(3800, verified), trust(3600, verified), &said, true);
            self.cellular(trust(4500, verified), said);
        } else if !hit.grantee.mixed {
            self.cellular(trust(2000, verified), matched);
        }
    }

    fn oui(&mut self, value: &str) {
        if let Some(row) = self.kb.oui(value) {
            let matched = cite(&format!("OUI of {}", row.registered_name), &row.source);
            let brand = row.brand.to_string();
            self.brand(&brand, 900, 700, &matched, true);
        }
    }

    fn domain(&mut self, value: &str) {
        let Some(row) = self.kb.endpoint(value) else { return };
        let matched = cite(&format!("{} ({})", row.domain, row.what), &row.source);
        let weight = trust(
            match row.strength {
                Strength::Decide => 3000,
                Strength::Support => 2000,
                Strength::Weak => 800,
                Strength::Trap => 0,
            },
            row.source.verified,
        );
        match (row.level, &row.brand) {
            (EndpointLevel::Maker, Some(brand)) => {
                self.brand(brand, weight, weight, &matched, true);
                self.cellular(weight / 2, matched);
            }
            (EndpointLevel::Silicon, Some(brand)) => self.claim(Level::Silicon, brand, weight / 2, &matched, true),
            _ => {}
        }
    }

    fn chipset(&mut self, value: &str) {
        let matched = "silicon that the thing names itself";
        let brand = brand_named(self.kb, value).map(|b| b.brand.to_string());
        let value = clean(value);
        self.claim(Level::Silicon, brand.as_deref().filter(|b| squash(b) == squash(&value)).unwrap_or(&value), 3500, matched, false);
    }

    fn host_maker(&mut self, value: &str) {
        if let Some(brand) = brand_named(self.kb, value) {
            let matched = cite(&format!("the name `{}`", brand.brand), &brand.source);
            let name = brand.brand.to_string();
            match brand.kind {
                // A register that names a module maker as the maker of a whole device: a hint, not more.
                BrandKind::Module => {
                    self.brand(&name, 1200, 1000, &matched, false);
                }
                BrandKind::Phone => self.class(Class::Handset, 1200, &matched),
                _ => {}
            }
        }
    }

    fn host_model(&mut self, value: &str) {
        let kb = self.kb;
        let brand = brand_named(kb, value).map(|b| b.brand.to_string());
        for product in kb.products_in(None, value) {
            let matched = cite(&format!("{} {}", product.brand, product.product), &product.source);
            let class = match product.class {
                ProductClass::Dongle => Some(Class::Dongle),
                ProductClass::Handset => Some(Class::Handset),
                ProductClass::Router => Some(Class::Router),
                ProductClass::Other => None,
            };
            if let Some(class) = class {
                self.class(class, 3000, &matched);
            }
            let verified = product.source.verified;
            let weight = match product.basis {
                // What one unit held, the next revision of the product need not hold: a hint.
                ProductBasis::Observed => 900,
                ProductBasis::Declared => 2600,
                ProductBasis::Inferred => 700,
                ProductBasis::Alleged => {
                    if let Some(maker) = &product.module_maker {
                        let what = format!("a module of {maker} in {} {} is reported, not shown", product.brand, product.product);
                        self.push(For::Notice("alleged-relation", what), 0, matched.clone(), false);
                    }
                    0
                }
                ProductBasis::Unknown => 0,
            };
            if weight > 0 && (class.is_some() || product.module_maker.is_some()) {
                self.cellular(trust(4000, verified), matched.clone());
            }
            if let (true, Some(maker)) = (weight > 0, &product.module_maker) {
                self.claim(Level::Maker, maker, trust(weight, verified), &matched, true);
                self.claim(Level::Brand, maker, trust(weight, verified), &matched, true);
                if let Some(model) = &product.module_model {
                    let known = kb.module(maker, model).map_or_else(|| model.to_string(), |m| m.model.to_string());
                    self.claim(Level::Model, &known, trust(weight, verified), &matched, true);
                }
            }
        }
        if let Some(maker) = brand {
            // "Quectel EC25-E" in a register's model column.
            let words = Words { brand: 0, maker: 2400, model: 2600, cellular: 0, grammar: 80 };
            self.catalogue(value, &words, Some(&maker));
        }
    }

    fn device_class(&mut self, value: &str) {
        let word = value.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|w| word.split(|c: char| !c.is_alphanumeric()).any(|t| t == *w));
        let matched = "the class declared for it";
        // `module` and `modem` alone may be of an I/O rack, a power supply or a telephone line.
        let cellular =
            has(&["lte", "4g", "5g", "3g", "2g", "cellular", "wwan", "nb", "nbiot", "catm1", "gsm", "gprs", "umts", "mobilfunk"])
                || word.contains("蜂窝");
        if has(&["smartphone", "phone", "handset", "tablet", "iphone"]) && !has(&["no", "desk", "ip", "voip", "sip"]) {
            self.class(Class::Handset, 3000, matched);
            self.cellular(3000, matched.into());
        } else if has(&["mifi", "hotspot"]) || (cellular && has(&["dongle", "stick"])) {
            self.class(Class::Dongle, 3000, matched);
            self.cellular(3000, matched.into());
        } else if cellular {
            if has(&["modem", "module", "modul"]) {
                self.class(Class::Module, 2000, matched);
            }
            self.cellular(3000, matched.into());
        }
    }

    fn prose(&mut self, value: &str) {
        let kb = self.kb;
        let maker = brand_named(kb, value).filter(|b| b.kind == BrandKind::Module).map(|b| b.brand.to_string());
        // A word that looks like a model (a part number, a rail) means one only where the text is about modems.
        let about = maker.is_some() || about_modems(value);
        let words = if about {
            Words { brand: 1500, maker: 2400, model: 2800, cellular: 0, grammar: 70 }
        } else {
            Words { brand: 0, maker: 600, model: 600, cellular: 0, grammar: 20 }
        };
        self.catalogue(value, &words, maker.as_deref());
        if let Some(maker) = maker {
            self.brand(&maker, words.brand, words.brand, "a maker named in text", false);
        }
        self.patterns(value, Scope::Text, words.grammar);
        for re in kb.rebrands_in(value) {
            self.rebrand(re, "the product name", if about { 2600 } else { 600 });
        }
    }

    fn driver(&mut self, value: &str) {
        // Kernel drivers that bind to nothing but cellular modems, by their source files in drivers/net/usb,
        // drivers/usb/serial, drivers/bus/mhi/host and drivers/net/wwan.
        let (weight, silicon) = match value {
            "qmi_wwan" | "qcserial" | "huawei_cdc_ncm" => (4000, None),
            "cdc_mbim" | "sierra" | "sierra_net" | "hso" | "option" | "option1" | "qmi_wwan_q" | "qmi_wwan_f" | "GobiNet" => (3500, None),
            "mtk_t7xx" => (4500, Some("MediaTek")),
            "iosm" => (4500, Some("Intel")),
            "mhi-pci-generic" | "mhi_net" | "mhi_wwan_ctrl" | "mhi_wwan_mbim" => (3000, Some("Qualcomm")),
            "wwan" | "rpmsg_wwan_ctrl" | "bam-dmux" | "t7xx" | "u3g" | "xmm7360" | "mhi_q" => (3500, None),
            _ => (0, None),
        };
        if weight > 0 {
            let matched = format!("kernel driver {value}");
            self.cellular(weight, matched.clone());
            if let Some(silicon) = silicon {
                self.claim(Level::Silicon, silicon, 2500, &matched, true);
            }
        }
    }
}

/// Words that a text about cellular modems uses, in the languages of its readers.
fn about_modems(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "modem",
        "module",
        "modul",
        "módulo",
        "modulo",
        "cellular",
        "lte",
        "4g",
        "5g",
        "3g",
        "2g",
        "gsm",
        "gprs",
        "umts",
        "nb",
        "nbiot",
        "cat",
        "wwan",
        "sim",
        "esim",
        "mobilfunk",
        "imei",
        "fota",
        "baseband",
    ];
    text.split(|c: char| !c.is_alphanumeric()).any(|w| WORDS.contains(&w.to_lowercase().as_str())) || text.contains('模')
}

/// `vvvv:pppp`.
pub fn usb_id(value: &str) -> Option<(u16, u16)> {
    let (vid, pid) = value.split_once(':')?;
    Some((u16::from_str_radix(vid, 16).ok()?, u16::from_str_radix(pid, 16).ok()?))
}

/// The word of a model field that can be a model name: letters and digits together, not the brand's name.
fn model_word(value: &str, maker: &str) -> Option<String> {
    let token = |c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '/' | '.'));
    let fits = |w: &&str| {
        (3..=24).contains(&w.len())
            && w.bytes().any(|b| b.is_ascii_digit())
            && w.bytes().any(|b| b.is_ascii_alphabetic())
            && !w.eq_ignore_ascii_case(maker)
    };
    value.split(token).map(|w| w.trim_matches(['-', '_', '.', '/'])).find(fits).map(str::to_owned)
}
