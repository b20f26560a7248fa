//! One product's parts as one tree, over all of its documents.
//!
//! A list of parts and the drawing it was made from name the same parts: a part of a later document whose designators
//! and name are those of an earlier one is that part, seen at one more place; it fills in what the earlier one left open.
//! Documents that disagree (in number, maker, or whether it is placed) keep a component each.

use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};
use umbilical_core::answer::bom::{Check, FileAnswer, PartAnswer, Project};
use umbilical_core::bom::{Cell, Design, Part, PartKind};
use umbilical_core::id::{content_id, hex};
use umbilical_core::text::squash;

/// How deep assemblies are nested in the output; what lies deeper hangs on the last level and names its holder. Readers
/// of JSON stop at 128 levels, one of ours takes two, and every line is indented by them.
const DEPTH: u32 = 24;

/// One component.
pub(super) struct Node<'a> {
    pub file: &'a FileAnswer,
    pub part: &'a PartAnswer,
    /// Unique in the document.
    pub reference: String,
    /// Indices of the nodes inside it.
    pub children: Vec<u32>,
    /// Where else it is declared.
    pub also: Vec<(&'a FileAnswer, &'a PartAnswer)>,
    /// What holds it, where that lies too deep to nest in.
    pub holder: Option<u32>,
    inside: Option<u32>,
    depth: u32,
}

impl<'a> Node<'a> {
    /// What every document says of it, the first that declared it first.
    pub fn answers(&self) -> impl Iterator<Item = &'a PartAnswer> {
        std::iter::once(self.part).chain(self.also.iter().map(|(_, part)| *part))
    }

    /// A field, from the first document that fills it.
    pub fn cell(&self, field: fn(&Part) -> &Cell) -> Option<&'a str> {
        self.answers().find_map(|a| field(&a.part).as_deref())
    }

    /// The answer of the document that knows what it is.
    pub fn known(&self) -> &'a PartAnswer {
        self.answers().find(|a| a.module.is_some()).or_else(|| self.answers().find(|a| a.kind != PartKind::Other)).unwrap_or(self.part)
    }
}

/// Every component of a product.
#[derive(Default)]
pub(super) struct Tree<'a> {
    pub nodes: Vec<Node<'a>>,
    /// Nodes that no other holds.
    pub roots: Vec<u32>,
}

impl<'a> Tree<'a> {
    pub fn of(check: &'a Check, project: &Project) -> Self {
        let mut tree = Self::default();
        let mut places = Places::default();
        let several = project.files.len() > 1;
        for file in files(check, project) {
            tree.add(file, several.then_some(&mut places));
        }
        tree.name();
        tree
    }

    pub fn get(&self, node: u32) -> Option<&Node<'a>> {
        self.nodes.get(node as usize)
    }

    /// A digest of every reference in order.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for node in &self.nodes {
            hash.update(node.reference.as_bytes());
            hash.update([0]);
        }
        hex(&hash.finalize())
    }

    fn add(&mut self, file: &'a FileAnswer, mut places: Option<&mut Places<'a>>) {
        // Placed and not placed parts in the order of the document, so that a holder comes before what it holds.
        let (mut placed, mut others) = (file.parts.iter().peekable(), file.not_placed.iter().peekable());
        let mut numbers: HashMap<u32, u32> = HashMap::new();
        let nested = file.parts.iter().chain(&file.not_placed).any(|p| p.part.parent.is_some());
        loop {
            let part = match (placed.peek(), others.peek()) {
                (Some(a), Some(b)) if a.index > b.index => others.next(),
                (Some(_), _) => placed.next(),
                (None, _) => others.next(),
            };
            let Some(part) = part else { return };
            let known = places.as_ref().and_then(|p| p.find(part)).and_then(|n| self.nodes.get_mut(n as usize).map(|node| (n, node)));
            let number = match known {
                Some((number, node)) if !std::ptr::eq(node.file, file) => {
                    node.also.push((file, part));
                    number
                }
                _ => {
                    let parent = part.part.parent.filter(|p| *p < part.index).and_then(|p| numbers.get(&p).copied());
                    let number = self.push(file, part, parent);
                    if let Some(places) = places.as_deref_mut() {
                        places.add(part, number);
                    }
                    number
                }
            };
            if nested {
                numbers.insert(part.index, number);
            }
        }
    }

    fn push(&mut self, file: &'a FileAnswer, part: &'a PartAnswer, parent: Option<u32>) -> u32 {
        let number = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        let (inside, holder, depth) = match parent.and_then(|p| self.get(p)) {
            Some(node) if node.depth >= DEPTH => (node.inside, parent, DEPTH),
            Some(node) => (parent, None, node.depth.saturating_add(1)),
            None => (None, None, 0),
        };
        self.nodes.push(Node { file, part, reference: String::new(), children: Vec::new(), also: Vec::new(), holder, inside, depth });
        match inside.and_then(|i| self.nodes.get_mut(i as usize)) {
            Some(node) => node.children.push(number),
            None => self.roots.push(number),
        }
        number
    }

    /// References derive from what a part is and where it sits, and are made unique by counting. One that the document
    /// itself gave is kept, so that links to it still lead somewhere.
    fn name(&mut self) {
        let mut used: HashSet<String> = HashSet::with_capacity(self.nodes.len());
        let mut counts: HashMap<String, u32> = HashMap::new();
        for node in &mut self.nodes {
            let own = node.part.part.reference.as_deref().filter(|r| !r.is_empty() && !r.starts_with("urn:cdx:") && !used.contains(*r));
            let reference = match own {
                Some(own) => own.to_owned(),
                None => {
                    let first = content_id("part-", "part", &content(node.part));
                    let mut reference = first.clone();
                    while used.contains(&reference) {
                        let count = counts.entry(first.clone()).or_insert(1);
                        *count = count.saturating_add(1);
                        reference = format!("{first}-{count}");
                    }
                    reference
                }
            };
            used.insert(reference.clone());
            node.reference = reference;
        }
    }
}

/// The documents of a product: what is meant as a list before drawings, then in the order of the inputs.
pub(super) fn files<'a>(check: &'a Check, project: &Project) -> Vec<&'a FileAnswer> {
    let mut files: Vec<&FileAnswer> = project.files.iter().filter_map(|f| check.files.get(*f as usize)).collect();
    files.sort_by_key(|f| match f.design {
        Design::Statement => 0,
        Design::List => 1,
        Design::Schematic => 2,
        Design::Netlist => 3,
    });
    files
}

fn content(part: &PartAnswer) -> String {
    let p = &part.part;
    let mut text = part.path.join("/");
    for cell in [&p.value, &p.mpn, &p.manufacturer, &p.version, &p.serial] {
        text.push('\0');
        text.push_str(cell.as_deref().unwrap_or_default());
    }
    for designator in &p.designators {
        text.push('\0');
        text.push_str(designator);
    }
    text
}

/// Which part stands at a designator, and as which component.
#[derive(Default)]
struct Places<'a>(HashMap<&'a str, (u32, &'a PartAnswer)>);

impl<'a> Places<'a> {
    /// The component that has all of a part's designators and nothing that contradicts it.
    fn find(&self, part: &PartAnswer) -> Option<u32> {
        let mut designators = part.part.designators.iter();
        let (number, known) = self.0.get(&**designators.next()?)?;
        let all = designators.all(|d| self.0.get(&**d).is_some_and(|(n, _)| n == number));
        (all && agree(&known.part, &part.part)).then_some(*number)
    }

    fn add(&mut self, part: &'a PartAnswer, number: u32) {
        for designator in &part.part.designators {
            self.0.entry(designator).or_insert((number, part));
        }
    }
}

/// Whether two documents can mean one part: a name in common, and nothing that both fill and fill differently.
fn agree(a: &Part, b: &Part) -> bool {
    let names = |p: &Part| [&p.value, &p.mpn].into_iter().flatten().map(|c| squash(c)).filter(|c| !c.is_empty()).collect::<Vec<_>>();
    let other = names(b);
    let fits = |field: fn(&Part) -> &Cell| match (field(a), field(b)) {
        (Some(one), Some(two)) => squash(one) == squash(two),
        _ => true,
    };
    let fields: [fn(&Part) -> &Cell; 4] = [|p| &p.mpn, |p| &p.manufacturer, |p| &p.version, |p| &p.serial];
    a.is_placed() == b.is_placed() && names(a).iter().any(|n| other.contains(n)) && fields.into_iter().all(fits)
}
