//! Answers against the tables.

use std::cell::RefCell;
use std::rc::Rc;

use rustc_hash::FxHashMap;
use umbilical_core::Day;
use umbilical_core::answer::Trace;
use umbilical_core::answer::suppliers::{Contradiction, Strength};
use umbilical_core::text::{short, squash};
use umbilical_knowledge::{
    Basis, Brand, BrandKind, FccHit, GranteeRole, Knowledge, Module, Organisation, Product, ProductBasis, Relation, Source,
};

/// A text and where it was said.
#[derive(Clone, Debug, Default)]
pub(super) struct Text {
    pub text: String,
    pub at: String,
}

/// What is said of one module.
#[derive(Clone, Debug, Default)]
pub(super) struct Stated {
    pub maker: Option<Text>,
    pub model: Option<Text>,
    pub fcc: Option<Text>,
    pub chipset: Option<Text>,
    pub site: Option<Text>,
    pub owner_country: Option<Text>,
}

/// What came out of comparing.
#[derive(Debug, Default)]
pub(super) struct Compared {
    pub contradictions: Vec<Contradiction>,
    pub open_points: Vec<String>,
    /// How many answers were compared with a row.
    pub compared: u64,
}

/// Compares; each trace is asked for by organisation id.
pub(super) struct Compare<'k> {
    pub kb: &'k Knowledge,
    pub day: Day,
    pub out: Compared,
    /// By organisation: a reply may list the same maker a thousand times.
    traces: RefCell<FxHashMap<&'k str, Rc<Trace>>>,
}

/// The most contradictions, and the most open points, that are kept of one supplier.
const MAX_KEPT: usize = 500;

impl<'k> Compare<'k> {
    pub fn new(kb: &'k Knowledge, day: Day) -> Self {
        Self { kb, day, out: Compared::default(), traces: RefCell::default() }
    }

    /// Everything that can be compared of one module.
    pub fn module(&mut self, stated: &Stated) {
        let makers = stated.maker.as_ref().map(|m| self.makers(&m.text)).unwrap_or_default();
        if let (Some(said), true) = (&stated.maker, makers.is_empty()) {
            let known = organisation(self.kb, &said.text).is_some();
            if !known {
                self.open(format!(
                    "`{}` ({}) is no maker of the tables: what hangs on it was not compared",
                    short(&said.text, 60),
                    said.at
                ));
            }
        }
        let catalogue = stated.model.as_ref().and_then(|m| self.catalogue(&m.text, &makers));
        if let Some(model) = &stated.model {
            self.model(stated.maker.as_ref(), &makers, model, catalogue);
        }
        if let Some(fcc) = &stated.fcc {
            self.fcc(&makers, stated.maker.as_ref(), catalogue, fcc);
        }
        if let (Some(chipset), Some(module)) = (&stated.chipset, catalogue) {
            self.chipset(module, chipset);
        }
        let org = stated.maker.as_ref().and_then(|m| organisation(self.kb, &m.text));
        // Where nobody names the maker, the catalogue's maker of the model is the one to compare with.
        let org = org.or_else(|| catalogue.and_then(|m| self.kb.org_of_brand(&m.maker)));
        if let (Some(org), Some(site)) = (org, &stated.site) {
            self.site(org, site);
        }
        if let (Some(org), Some(owner)) = (org, &stated.owner_country) {
            self.owner(org, owner);
        }
    }

    /// Module makers named in a cell; a chip maker or host is none.
    fn makers(&self, text: &str) -> Vec<&'k Brand> {
        let hits = self.kb.brands_in(text).into_iter().map(|h| h.brand);
        let mut makers: Vec<&Brand> = hits.filter(|b| b.kind != BrandKind::Silicon).collect();
        if makers.is_empty() {
            makers.extend(self.kb.brand(text));
        }
        if makers.is_empty() {
            let org = organisation(self.kb, text);
            makers.extend(org.and_then(|o| self.kb.brands().iter().find(|b| b.org.as_deref() == Some(&*o.id))));
        }
        makers
    }

    fn catalogue(&self, text: &str, makers: &[&Brand]) -> Option<&'k Module> {
        let own = makers.iter().find_map(|b| self.kb.module(&b.brand, text).or_else(|| self.kb.module_stem(&b.brand, text)));
        let named = || self.kb.models_in(text).into_iter().map(|h| h.module).max_by_key(|m| (m.distinct, m.model.len()));
        own.or_else(named)
    }

    fn model(&mut self, maker: Option<&Text>, makers: &[&Brand], model: &Text, catalogue: Option<&'k Module>) {
        let sold = self.kb.rebrands_in(&model.text);
        let sold = sold.into_iter().find(|r| r.relation == Relation::Rebrand && makers.iter().any(|b| *b.brand == *r.brand));
        match (sold, catalogue, maker) {
            (Some(row), _, Some(maker)) if !makers.iter().any(|b| *b.brand == *row.maker) => {
                self.out.compared = self.out.compared.saturating_add(1);
                let known = format!(
                    "{} {} is made by {}{}",
                    row.brand,
                    row.sold_as.as_deref().unwrap_or_default(),
                    row.maker,
                    row.model.as_deref().map(|m| format!(" ({m})")).unwrap_or_default()
                );
                self.contradict(
                    "rebrand",
                    strength(&row.source),
                    format!("{} makes {}", maker.text, model.text),
                    &maker.at,
                    known,
                    "rebrands.csv",
                    &row.source,
                );
            }
            (_, Some(module), Some(maker)) => {
                self.out.compared = self.out.compared.saturating_add(1);
                if makers.is_empty() || makers.iter().any(|b| self.one_house(&b.brand, &module.maker)) {
                    return;
                }
                let strength = if module.distinct { strength(&module.source) } else { Strength::Doubt };
                let said = format!("{} makes {}", maker.text, model.text);
                let known = format!("{} is a model of {}; no row names it as one of {}", module.model, module.maker, maker.text);
                self.contradict("model-maker", strength, said, &model.at, known, "modules.csv", &module.source);
            }
            (_, None, _) => self.open(format!("`{}` ({}) is not in the catalogue: it was not compared", short(&model.text, 60), model.at)),
            _ => {}
        }
    }

    fn fcc(&mut self, makers: &[&Brand], maker: Option<&Text>, catalogue: Option<&Module>, fcc: &Text) {
        let Some(hit) = self.kb.fcc(&fcc.text) else {
            self.open(format!(
                "FCC ID `{}` ({}): its grantee is not on file; look it up in the FCC's search",
                short(&fcc.text, 30),
                fcc.at
            ));
            return;
        };
        if hit.grantee.role == GranteeRole::Host {
            self.open(format!(
                "FCC ID `{}` ({}) names {}, who sells the host: it says nothing of the module in it",
                fcc.text, fcc.at, hit.grantee.name
            ));
            return;
        }
        self.out.compared = self.out.compared.saturating_add(1);
        if let Some(maker) = maker
            && !makers.is_empty()
            && !makers.iter().any(|b| self.one_house(&b.brand, &hit.grantee.brand))
        {
            let known = format!("the grantee of {} is {}", hit.grantee.grantee, hit.grantee.name);
            let said = format!("{} makes the module with FCC ID {}", maker.text, fcc.text);
            self.contradict("fcc-grantee", strength(&hit.grantee.source), said, &fcc.at, known, "identifiers/fcc.csv", &hit.grantee.source);
        }
        self.fcc_model(&hit, catalogue, fcc);
    }

    fn fcc_model(&mut self, hit: &FccHit<'_>, catalogue: Option<&Module>, fcc: &Text) {
        let (Some(module), false) = (catalogue, hit.models.is_empty()) else { return };
        if hit.models.iter().any(|m| m.family == module.family) {
            return;
        }
        let names: Vec<&str> = hit.models.iter().map(|m| &*m.model).collect();
        let known = format!("the id {} spells {}", fcc.text, names.join(" or "));
        let said = format!("the module with FCC ID {} is {}", fcc.text, module.model);
        self.contradict("fcc-model", strength(&hit.grantee.source), said, &fcc.at, known, "identifiers/fcc.csv", &hit.grantee.source);
    }

    fn chipset(&mut self, module: &Module, said: &Text) {
        let Some(known) = module.chipset.as_deref() else {
            self.open(format!(
                "the catalogue has no chip for {}: `{}` ({}) was not compared",
                module.model,
                short(&said.text, 60),
                said.at
            ));
            return;
        };
        let (ours, theirs) = (chips(known), chips(&said.text));
        let silicon = |text: &str| -> Vec<&str> {
            let hits = self.kb.brands_in(text).into_iter().map(|h| h.brand);
            hits.filter(|b| b.kind == BrandKind::Silicon).map(|b| &*b.brand).collect()
        };
        let (our_makers, their_makers) = (silicon(known), silicon(&said.text));
        let same_maker = our_makers.iter().any(|m| their_makers.contains(m));
        let same_chip = ours.iter().any(|a| theirs.iter().any(|b| alike(a, b)));
        if theirs.is_empty() && their_makers.is_empty() {
            self.open(format!("`{}` ({}) names no chip that can be compared with {known}", short(&said.text, 60), said.at));
            return;
        }
        self.out.compared = self.out.compared.saturating_add(1);
        if same_chip || (same_maker && (theirs.is_empty() || ours.is_empty())) {
            return;
        }
        let other_house = !our_makers.is_empty() && !their_makers.is_empty() && !same_maker;
        let sure = module.chipset_basis == Basis::Source && module.source.verified;
        let strength = if sure && (other_house || !ours.is_empty()) { Strength::Conflict } else { Strength::Doubt };
        let rule = if module.chipset_basis == Basis::Rule { " (by its name)" } else { "" };
        let text = format!("{} {} has a {known}{rule}", module.maker, module.model);
        self.contradict(
            "chipset",
            strength,
            format!("the chip of {} is {}", module.model, said.text),
            &said.at,
            text,
            "modules.csv",
            &module.source,
        );
    }

    /// The maker of the module against what products of this brand and name are known to hold. Variants differ, so it is a
    /// doubt at most; alleged rows are never counted.
    pub fn product(&mut self, brand: &Text, device: &str, maker: Option<&Text>) {
        let brand_row = self.kb.brand(&brand.text).or_else(|| self.kb.brands_in(&brand.text).into_iter().map(|h| h.brand).next());
        let brand_name = brand_row.map_or(brand.text.as_str(), |b| &b.brand);
        let rows = self.kb.products_in(Some(brand_name), device);
        let known: Vec<_> = rows.into_iter().filter(|r| r.module_maker.is_some() && r.basis != ProductBasis::Alleged).collect();
        let (Some(first), Some(maker)) = (known.first(), maker) else { return };
        let makers = self.makers(&maker.text);
        if makers.is_empty() {
            return;
        }
        self.out.compared = self.out.compared.saturating_add(1);
        let holds = |row: &&&Product| row.module_maker.as_deref().is_some_and(|m| makers.iter().any(|b| self.one_house(&b.brand, m)));
        if known.iter().any(|row| holds(&row)) {
            return;
        }
        let module = [first.module_maker.as_deref(), first.module_model.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let note = first.note.as_deref().map(|n| format!(" ({n})")).unwrap_or_default();
        let known = format!("{} {} was seen with {module}{note}", first.brand, first.product);
        let said = format!("{} makes the module of {device}", maker.text);
        self.contradict("product", Strength::Doubt, said, &maker.at, known, "products.csv", &first.source);
    }

    /// The questions against the list of parts of the same reply: a name that no row of a module has.
    pub fn itself(&mut self, what: &'static str, said: Option<&Text>, listed: &[&Text]) {
        let (Some(said), Some(first)) = (said, listed.first()) else { return };
        let same = |other: &Text| {
            let (a, b) = (squash(&said.text), squash(&other.text));
            let org = organisation(self.kb, &said.text).zip(organisation(self.kb, &other.text));
            a.contains(&b) || b.contains(&a) || org.is_some_and(|(x, y)| x.id == y.id)
        };
        if listed.iter().any(|other| same(other)) {
            return;
        }
        let known = format!("the same reply lists {} ({})", first.text, first.at);
        let own = Source { text: "the reply itself".into(), verified: true, line: 0 };
        self.contradict("itself", Strength::Doubt, format!("{what}: {}", said.text), &said.at, known, "parts", &own);
    }

    /// "Nobody in the chain is listed", against what lists name.
    pub fn nobody_listed(&mut self, said: &Text, traces: &[Trace]) {
        for trace in traces {
            if let Some(listing) = trace.listings.iter().find(|l| !l.unclear) {
                let known = format!("{}: {}", trace.name, trace.statement);
                let strength = if listing.verified { Strength::Conflict } else { Strength::Doubt };
                let source = Source { text: listing.source.as_str().into(), verified: listing.verified, line: 0 };
                self.contradict("listed", strength, format!("anybody on a list: {}", said.text), &said.at, known, "listings.csv", &source);
            }
        }
        if !traces.is_empty() {
            self.out.compared = self.out.compared.saturating_add(1);
        }
    }

    /// Whether two brands are of one house: the same name, or one organisation stands behind the other on the day.
    fn one_house(&self, a: &str, b: &str) -> bool {
        if a == b {
            return true;
        }
        let (Some(a), Some(b)) = (self.kb.org_of_brand(a), self.kb.org_of_brand(b)) else { return false };
        let behind = |x: &'k Organisation, y: &Organisation| {
            let trace = self.trace(x);
            trace.chain.iter().chain(&trace.former).any(|s| s.parent == *y.id && s.basis != umbilical_core::Basis::Alleged)
        };
        a.id == b.id || behind(a, b) || behind(b, a)
    }

    pub(super) fn trace(&self, org: &'k Organisation) -> Rc<Trace> {
        let mut traces = self.traces.borrow_mut();
        Rc::clone(traces.entry(&*org.id).or_insert_with(|| Rc::new(crate::trace::trace(self.kb, &org.id, self.day))))
    }

    #[expect(clippy::too_many_arguments, reason = "one sentence with its places")]
    pub(super) fn contradict(
        &mut self,
        check: &'static str,
        strength: Strength,
        said: String,
        at: &str,
        known: String,
        table: &str,
        source: &Source,
    ) {
        let line = if source.line > 0 { format!(":{}", source.line) } else { String::new() };
        let source = format!("{table}{line}: {source}");
        let found = Contradiction { check, strength, said, at: at.to_owned(), known, source };
        let again = |c: &Contradiction| c.check == found.check && c.said == found.said && c.known == found.known;
        if !self.out.contradictions.iter().any(again) && self.out.contradictions.len() < MAX_KEPT {
            self.out.contradictions.push(found);
        }
    }

    pub(super) fn open(&mut self, point: String) {
        match self.out.open_points.len() {
            MAX_KEPT => self.out.open_points.push("and more that could not be compared".into()),
            n if n < MAX_KEPT && !self.out.open_points.contains(&point) => self.out.open_points.push(point),
            _ => {}
        }
    }
}

/// The organisation that a name means: by its brand, else by its own name or alias.
pub(super) fn organisation<'k>(kb: &'k Knowledge, text: &str) -> Option<&'k Organisation> {
    let brand = kb.brand(text).or_else(|| kb.brands_in(text).into_iter().map(|h| h.brand).next());
    brand.and_then(|b| kb.org(b.org.as_deref()?)).or_else(|| kb.orgs_in(text).into_iter().next())
}

/// A row that nobody has checked may itself be wrong.
pub(super) fn strength(source: &Source) -> Strength {
    if source.verified { Strength::Conflict } else { Strength::Doubt }
}

/// Names of chips in a text: letters and digits together, four or more.
fn chips(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let both = |w: &&str| w.len() >= 4 && w.bytes().any(|b| b.is_ascii_digit()) && w.bytes().any(|b| b.is_ascii_alphabetic());
    words.filter(both).map(squash).collect()
}

/// `MDM9207` and `MDM9X07` and `MDM9207-1`: one begins like the other, X standing for any digit.
fn alike(a: &str, b: &str) -> bool {
    a.bytes().zip(b.bytes()).all(|(x, y)| x == y || (x == b'X' && y.is_ascii_digit()) || (y == b'X' && x.is_ascii_digit()))
}
