//! What a document says of itself, and what its schema says of it.

use serde_json::Value;
use umbilical_core::bom::{Bom, Design};
use umbilical_core::text::{clean, short};
use umbilical_core::{At, Observations};

use super::json::ARRAYS;
use super::part::{Reading, cell};
use super::validate::{Distinct, Validator, Violation};

/// The most that is kept of a document beside its parts: entries, and their text.
const MAX_ENTRIES: usize = 2000;
const MAX_TEXT: usize = 256 * 1024;
/// The longest text of one entry.
const MAX_ENTRY: usize = 4096;
/// How many violations are told; the rest are counted.
const MAX_TOLD: usize = 200;

/// The judgement of the schema, while the document goes by. Its version may stand behind what is judged: until it is known,
/// every schema judges.
pub(super) struct Checks {
    on: bool,
    judges: Vec<Judge>,
    /// What `specVersion` says.
    version: Option<String>,
    /// What `$schema` says, for documents that have no version.
    hint: Option<String>,
    /// What no schema is needed for: text that is no JSON, members that cannot be held.
    failed: u64,
}

struct Judge {
    validator: &'static Validator,
    told: Vec<(At, String)>,
    count: u64,
}

impl Judge {
    fn hold(&mut self, at: At, path: &str, violation: &Violation) {
        self.count = self.count.saturating_add(1);
        if self.told.len() < MAX_TOLD {
            let whole = format!("{path}{}", violation.path);
            let place = whole.trim_start_matches('.');
            self.told.push((at, format!("schema: {}{}{}", place, if place.is_empty() { "" } else { ": " }, violation.what)));
        }
    }
}

impl Checks {
    pub fn new(on: bool) -> Self {
        Self { on, judges: Vec::new(), version: None, hint: None, failed: 0 }
    }

    /// Whether anything is judged.
    pub fn is_on(&self) -> bool {
        self.on && !(self.version.is_some() && self.judges.is_empty())
    }

    /// Takes no further judgement: the rest of the document is not read.
    pub fn stop(&mut self) {
        if self.on {
            self.judges();
            self.on = false;
        }
    }

    /// Takes note of a member that tells the version.
    pub fn version(&mut self, member: &str, value: Option<&str>) {
        let value = value.unwrap_or_default();
        if member == "$schema" {
            self.hint =
                value.split_once("bom-").map(|(_, v)| v.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect::<String>());
            self.hint = self.hint.take().map(|v| v.trim_end_matches('.').to_owned());
            return;
        }
        if !self.on {
            return;
        }
        if self.version.is_none() && self.judges.is_empty() {
            self.judges.extend(judge(value));
        } else {
            self.judges.retain(|j| j.validator.version() == value);
        }
        self.version = Some(value.to_owned());
    }

    fn judges(&mut self) -> &mut Vec<Judge> {
        if self.judges.is_empty() && self.version.is_none() {
            self.judges.extend(Validator::versions().filter_map(judge));
        }
        &mut self.judges
    }

    /// Notes something that is wrong whatever the schema.
    pub fn fail(&mut self, out: &mut Observations, at: At, what: String) {
        self.failed = self.failed.saturating_add(1);
        out.problem(at, what);
    }

    /// Judges an element of an array.
    pub fn item(&mut self, array: &str, value: &Value, at: At, path: &dyn Fn() -> String) {
        for judge in self.judges() {
            if judge.told.len() >= MAX_TOLD {
                judge.count = judge.count.saturating_add(judge.validator.count(array, value));
                continue;
            }
            for violation in judge.validator.item(array, value) {
                judge.hold(at, &path(), &violation);
            }
        }
    }

    /// Judges an array as a whole.
    pub fn array(&mut self, array: &str, items: &Distinct, at: At, path: &str) {
        for judge in self.judges().iter_mut().filter(|j| j.validator.is_unique(array)) {
            let what = match items.repeated() {
                Some(n) => format!("element {n} is the same as one before it: each may stand once"),
                None if items.is_given_up() => "too many elements to tell whether each stands once".to_owned(),
                None => continue,
            };
            judge.hold(at, path, &Violation { path: String::new(), what });
        }
    }

    /// Judges the document, its long arrays emptied.
    pub fn document(&mut self, value: &Value, at: At) {
        if !self.is_on() {
            return;
        }
        for judge in self.judges() {
            for violation in judge.validator.document(value) {
                judge.hold(at, "", &violation);
            }
        }
    }

    /// Hands over what was found; `asked` where it was to be judged.
    pub fn finish(mut self, asked: bool, out: &mut Observations) {
        if !asked {
            return;
        }
        let version = self.version.clone().or(self.hint);
        let judge = self.judges.drain(..).find(|j| version.as_deref() == Some(j.validator.version()));
        let mut count = self.failed;
        match (judge, version) {
            (Some(judge), _) => {
                let more = judge.count.saturating_sub(judge.told.len() as u64);
                for (at, what) in judge.told {
                    out.problem(at, what);
                }
                if more > 0 {
                    out.problem(At::WHOLE, format!("schema: {} errors in all, {more} of them not told one by one", judge.count));
                }
                count = count.saturating_add(judge.count);
            }
            (None, version) => {
                let version = version.map_or_else(|| "without a version".to_owned(), |v| format!("of version `{}`", short(&v, 20)));
                let known: Vec<&str> = Validator::versions().collect();
                let what = format!("schema: a document {version} cannot be validated: schemas of {} are on file", known.join(", "));
                out.problem(At::WHOLE, what);
                count = count.saturating_add(1);
            }
        }
        out.schema_errors = out.schema_errors.saturating_add(count);
    }
}

fn judge(version: &str) -> Option<Judge> {
    Validator::for_version(version).map(|validator| Judge { validator, told: Vec::new(), count: 0 })
}

/// What is kept of a document beside its parts.
#[derive(Default)]
pub(super) struct Kept {
    entries: usize,
    text: usize,
    /// Elements of the array that is open that were kept.
    of_array: u64,
    left_out: usize,
}

impl Kept {
    /// Whether elements of an array are kept: parts are kept elsewhere, and who depends on whom fills books.
    pub fn wants(&self, array: &str) -> bool {
        !matches!(array, "components" | "dependencies") && self.has_room()
    }

    fn has_room(&self) -> bool {
        self.entries < MAX_ENTRIES && self.text < MAX_TEXT
    }

    /// An element of an array of the document.
    pub fn item(&mut self, array: &str, n: u64, value: &Value, out: &mut Observations) {
        if self.wants(array) {
            self.of_array = self.of_array.saturating_add(1);
            let bom = out.bom(Design::Statement);
            if array != "properties" || !self.pair("", value, bom) {
                self.json(&format!("{array}[{n}]"), value, bom);
            }
        }
    }

    /// An array of the document has ended.
    pub fn count(&mut self, array: &str, count: u64, out: &mut Observations) {
        let kept = std::mem::take(&mut self.of_array);
        if array != "components" && kept < count {
            self.push(&format!("json:{array}"), &format!("{count} elements, {kept} of them kept"), out.bom(Design::Statement));
        }
    }

    /// The product.
    pub fn product(&mut self, reading: Reading, out: &mut Observations) {
        let Reading { part, brand, date, .. } = reading;
        let bom = out.bom(Design::Statement);
        let product = &mut bom.product;
        product.name = part.value;
        product.brand = brand.or(part.supplier).or(product.brand.take());
        product.date = date.or(product.date.take());
        product.manufacturer = part.manufacturer.or(product.manufacturer.take());
        (product.model, product.version, product.serial) = (part.mpn, part.version, part.serial);
        for (name, cell) in [("type", part.role), ("description", part.description), ("fcc-id", part.fcc_id), ("origin", part.origin)] {
            if let Some(text) = cell {
                self.push(&format!("product:{name}"), &text, bom);
            }
        }
        for (scheme, number) in part.certificates {
            self.push(&format!("product:certificate:{scheme}"), &number, bom);
        }
        for (name, value) in part.properties {
            match name.strip_prefix("json:") {
                Some(path) => self.push(&format!("json:metadata.component.{path}"), &value, bom),
                None => self.push(&name, &value, bom),
            }
        }
    }

    /// The document without its long arrays.
    pub fn document(&mut self, document: Value, out: &mut Observations) {
        let Value::Object(members) = document else { return };
        for (name, value) in members {
            match (name.as_str(), value) {
                ("bomFormat" | "specFormat" | "$schema", _) => {}
                ("specVersion", value) => {
                    if !value.is_string() {
                        out.problem(At::WHOLE, format!("specVersion: a text belongs here, not {}", short(&value.to_string(), 40)));
                    }
                    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    out.bom(Design::Statement).spec = cell(text);
                }
                ("metadata", Value::Object(metadata)) => self.metadata(metadata, out),
                (array, Value::Array(items)) if items.is_empty() && ARRAYS.contains(&array) => {}
                (name, value) => {
                    if ARRAYS.contains(&name) {
                        out.problem(At::WHOLE, format!("{name}: an array belongs here: it is kept as text"));
                    } else if name == "metadata" {
                        out.problem(At::WHOLE, "metadata: an object belongs here: it is kept as text");
                    }
                    let bom = out.bom(Design::Statement);
                    match value.as_str() {
                        Some(text) => self.push(name, text, bom),
                        None => self.json(name, &value, bom),
                    }
                }
            }
        }
        if self.left_out > 0 {
            out.problem(At::WHOLE, format!("{} further statements about the whole document are left out", self.left_out));
        }
    }

    fn metadata(&mut self, metadata: serde_json::Map<String, Value>, out: &mut Observations) {
        let bom = out.bom(Design::Statement);
        for (name, value) in metadata {
            let firm = value.get("name").and_then(Value::as_str).or(value.as_str()).map(str::to_owned);
            match (name.as_str(), firm) {
                ("component", _) if value.is_object() => {}
                ("timestamp", _) if value.is_string() => {
                    bom.product.date = bom.product.date.take().or_else(|| cell(value.as_str().unwrap_or_default().to_owned()));
                }
                // Until 1.5 the maker of the product; what `manufacturer` names since then is the maker of the document.
                ("manufacture", Some(firm)) if bom.product.manufacturer.is_none() => bom.product.manufacturer = cell(firm),
                ("supplier", Some(firm)) if bom.product.brand.is_none() => bom.product.brand = cell(firm),
                ("properties", _) if value.is_array() => {
                    for item in value.as_array().into_iter().flatten() {
                        if !self.pair("", item, bom) {
                            self.json("metadata.properties", item, bom);
                        }
                    }
                }
                (name, _) => self.json(&format!("metadata.{name}"), &value, bom),
            }
        }
    }

    /// A name and a value, where it is one.
    fn pair(&mut self, prefix: &str, item: &Value, bom: &mut Bom) -> bool {
        let (Some(name), Some(value)) = (item.get("name").and_then(Value::as_str), item.get("value").and_then(Value::as_str)) else {
            return false;
        };
        self.push(&format!("{prefix}{name}"), value, bom);
        true
    }

    fn json(&mut self, path: &str, value: &Value, bom: &mut Bom) {
        self.push(&format!("json:{path}"), &value.to_string(), bom);
    }

    fn push(&mut self, name: &str, value: &str, bom: &mut Bom) {
        if !self.has_room() {
            self.left_out = self.left_out.saturating_add(1);
            return;
        }
        let value: Box<str> = short(&clean(value), MAX_ENTRY).into();
        self.entries = self.entries.saturating_add(1);
        self.text = self.text.saturating_add(value.len());
        bom.properties.push((short(&clean(name), 200).into(), value));
    }
}
