//! Validation against the official schemas, component by component, so that no document need be held.
//!
//! The schema of a version is one text; what stands in the long arrays of a document (`components`, `dependencies`, …) is
//! judged item by item by the very subschema that the array names for its items, and the rest of the document, its long
//! arrays emptied, by the schema itself. What a schema says of such an array as a whole is `uniqueItems`: that is decided by
//! digests of canonical values ([`Distinct`]), where pairwise comparison would be quadratic. That both together judge as
//! the schema judges a whole document is a test over mutated documents.

use std::hash::{DefaultHasher, Hasher};
use std::sync::{LazyLock, OnceLock};

use jsonschema::Registry;
use rustc_hash::FxHashSet;
use serde_json::{Value, json};
use umbilical_core::text::short;

const ROOT: &str = "http://cyclonedx.org/schema/";

macro_rules! schema {
    ($name:literal) => {
        ($name, include_str!(concat!("../../../../knowledge/schemas/cyclonedx/", $name)))
    };
}

/// The schemas by version.
const VERSIONS: &[(&str, (&str, &str))] = &[
    ("1.4", schema!("bom-1.4.schema.json")),
    ("1.5", schema!("bom-1.5.schema.json")),
    ("1.6", schema!("bom-1.6.schema.json")),
    ("1.7", schema!("bom-1.7.schema.json")),
];

/// What they refer to.
const COMPANIONS: &[(&str, &str)] =
    &[schema!("spdx.schema.json"), schema!("jsf-0.82.schema.json"), schema!("cryptography-defs.schema.json")];

/// A version, and its validator once asked for.
type Slot = (&'static str, OnceLock<Option<Validator>>);

static VALIDATORS: LazyLock<Vec<Slot>> = LazyLock::new(|| VERSIONS.iter().map(|(version, _)| (*version, OnceLock::new())).collect());

/// What a document does that its schema does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Where, from the value that was judged: `.manufacturer.url[0]`; empty for the value itself.
    pub path: String,
    /// What, with the offending value shortened.
    pub what: String,
}

/// One of the long arrays of a document.
struct Array {
    name: String,
    /// No two items may be the same.
    unique: bool,
    /// The judge of one item.
    item: jsonschema::Validator,
}

/// The schema of one version, ready for use.
pub struct Validator {
    version: &'static str,
    root: jsonschema::Validator,
    arrays: Vec<Array>,
}

impl Validator {
    /// The validator of a version, made ready when first asked for; `None` where no schema of it is on file.
    pub fn for_version(version: &str) -> Option<&'static Self> {
        let (name, ready) = VALIDATORS.iter().find(|(name, _)| *name == version)?;
        ready.get_or_init(|| Self::compile(name)).as_ref()
    }

    /// The versions whose schemas are on file.
    pub fn versions() -> impl Iterator<Item = &'static str> {
        VERSIONS.iter().map(|(version, _)| *version)
    }

    /// `None` only where a schema on file is broken, which a test rules out.
    fn compile(version: &'static str) -> Option<Self> {
        let (file, text) = VERSIONS.iter().find(|(name, _)| *name == version)?.1;
        let schema: Value = serde_json::from_str(text).ok()?;
        let uri = format!("{ROOT}{file}");
        let mut registry = Registry::new().add(uri.as_str(), schema.clone()).ok()?;
        for (name, text) in COMPANIONS {
            registry = registry.add(format!("{ROOT}{name}"), serde_json::from_str::<Value>(text).ok()?).ok()?;
        }
        let registry = registry.prepare().ok()?;
        let build = |pointer: &str| {
            let part = json!({"$schema": "http://json-schema.org/draft-07/schema#", "$ref": format!("{uri}#{pointer}")});
            jsonschema::options().with_registry(&registry).build(&part).ok()
        };
        let mut arrays = Vec::new();
        for (name, of) in schema.get("properties")?.as_object()? {
            if is_item_wise(of) {
                let unique = of.get("uniqueItems") == Some(&Value::Bool(true));
                arrays.push(Array { name: name.clone(), unique, item: build(&format!("/properties/{name}/items"))? });
            }
        }
        Some(Self { version, root: build("")?, arrays })
    }

    /// The version, as documents write it.
    pub fn version(&self) -> &'static str {
        self.version
    }

    fn array(&self, name: &str) -> Option<&Array> {
        self.arrays.iter().find(|a| a.name == name)
    }

    /// What is wrong with a component; the components that it holds are left to their own call, their array may be empty.
    pub fn component(&self, component: &Value) -> Vec<Violation> {
        self.item("components", component)
    }

    /// What is wrong with an item of an array of the document. An array that the version does not know has no judge here:
    /// the document that has it is judged by [`Validator::document`].
    pub fn item(&self, array: &str, item: &Value) -> Vec<Violation> {
        self.array(array).map_or_else(Vec::new, |array| violations(&array.item, item))
    }

    /// How many things are wrong with an item, where nobody needs to know which.
    pub(super) fn count(&self, array: &str, item: &Value) -> u64 {
        let wrong = self.array(array).filter(|a| !a.item.is_valid(item));
        wrong.map_or(0, |array| array.item.iter_errors(item).count() as u64)
    }

    /// Whether no two items of an array may be the same.
    pub(super) fn is_unique(&self, array: &str) -> bool {
        self.array(array).is_some_and(|a| a.unique)
    }

    /// What is wrong with a document. Its long arrays may have been emptied, where their items are judged one by one; a
    /// document that is held whole may be given as it is.
    pub fn document(&self, document: &Value) -> Vec<Violation> {
        violations(&self.root, document)
    }
}

/// Whether all that a schema says of an array is said of its items one by one, or that no two may be the same.
fn is_item_wise(schema: &Value) -> bool {
    // `additionalItems` means nothing where `items` is one schema for all.
    const KNOWN: &[&str] =
        &["type", "items", "uniqueItems", "additionalItems", "title", "description", "$comment", "examples", "default", "deprecated"];
    schema.get("type") == Some(&Value::from("array"))
        && schema.get("items").is_some_and(Value::is_object)
        && schema.as_object().is_some_and(|s| s.keys().all(|k| KNOWN.contains(&k.as_str())))
}

fn violations(validator: &jsonschema::Validator, value: &Value) -> Vec<Violation> {
    if validator.is_valid(value) {
        return Vec::new();
    }
    let of = |error: jsonschema::ValidationError<'_>| {
        let shown = error.instance().to_string();
        Violation {
            path: dotted(error.instance_path().as_str()),
            what: short(&error.masked_with(short(&shown, 60)).to_string(), 300).into_owned(),
        }
    };
    validator.iter_errors(value).map(of).collect()
}

/// A JSON pointer as people write a path: `/hashes/0/alg` is `.hashes[0].alg`.
fn dotted(pointer: &str) -> String {
    let mut out = String::new();
    for part in pointer.split('/').skip(1) {
        if !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()) {
            out.push_str(&format!("[{part}]"));
        } else {
            out.push('.');
            out.push_str(&part.replace("~1", "/").replace("~0", "~"));
        }
    }
    out
}

/// The digest of a value that is the same for values that JSON Schema holds to be equal: whatever the order of members, and
/// `1` like `1.0`.
pub(super) fn digest(value: &Value, scratch: &mut Vec<u8>) -> u128 {
    scratch.clear();
    canonical(value, scratch);
    of_bytes(scratch)
}

/// 128 bits, so that among millions of different values no two fall together.
fn of_bytes(bytes: &[u8]) -> u128 {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        hasher.write_u8(salt);
        hasher.write(bytes);
        u128::from(hasher.finish())
    };
    half(0) << 64 | half(1)
}

/// The digest of a component whose own components have been taken out: theirs are put to its own.
pub(super) fn with_children(own: u128, children: u128, count: u64) -> u128 {
    let mut bytes = own.to_le_bytes().to_vec();
    bytes.extend(children.to_le_bytes());
    bytes.extend(count.to_le_bytes());
    of_bytes(&bytes)
}

/// No two values that differ have one form: each begins with its kind and ends with a byte that is in no text or, for arrays,
/// begins no value; numbers have one length by their kind.
fn canonical(value: &Value, out: &mut Vec<u8>) {
    const END: u8 = 0xff;
    const END_OF_MEMBERS: u8 = 0xfe;
    match value {
        Value::Null => out.push(b'n'),
        Value::Bool(b) => out.push(if *b { b't' } else { b'f' }),
        Value::Number(n) => number(n, out),
        Value::String(s) => {
            out.push(b's');
            out.extend_from_slice(s.as_bytes());
            out.push(END);
        }
        Value::Array(items) => {
            out.push(b'[');
            items.iter().for_each(|item| canonical(item, out));
            out.push(b']');
        }
        Value::Object(map) => {
            out.push(b'{');
            let mut members: Vec<(&String, &Value)> = map.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            for (name, member) in members {
                out.extend_from_slice(name.as_bytes());
                out.push(END);
                canonical(member, out);
            }
            out.push(END_OF_MEMBERS);
        }
    }
}

fn number(n: &serde_json::Number, out: &mut Vec<u8>) {
    let whole = n.as_i64().map(i128::from).or_else(|| n.as_u64().map(i128::from)).or_else(|| {
        // What fits exactly; beyond 2^64 no integer is written as one.
        let float = n.as_f64().filter(|f| f.fract() == 0.0 && f.abs() <= 18_446_744_073_709_551_616.0)?;
        Some(float as i128)
    });
    match whole {
        Some(whole) => {
            out.push(b'i');
            out.extend(whole.to_le_bytes());
        }
        None => {
            out.push(b'd');
            out.extend(n.as_f64().unwrap_or_default().to_bits().to_le_bytes());
        }
    }
}

/// Whether the items of an array are all different, as they go by.
#[derive(Default)]
pub(super) struct Distinct {
    seen: FxHashSet<u128>,
    repeated: Option<u64>,
    count: u64,
    given_up: bool,
    all: Chain,
}

/// A digest of digests, in their order.
#[derive(Default)]
struct Chain(u128);

impl Distinct {
    /// Items that are remembered: beyond, the memory is worth more than the answer.
    const MOST: usize = 2_000_000;

    /// Takes in the digest of the next item.
    pub(super) fn push(&mut self, digest: u128) {
        if self.seen.len() >= Self::MOST {
            self.given_up = true;
        } else if !self.seen.insert(digest) {
            self.repeated.get_or_insert(self.count);
        }
        self.count = self.count.saturating_add(1);
        self.all.0 = with_children(self.all.0, digest, self.count);
    }

    /// The index of the first item that is like one before it.
    pub(super) fn repeated(&self) -> Option<u64> {
        self.repeated
    }

    /// Whether there were more items than are remembered.
    pub(super) fn is_given_up(&self) -> bool {
        self.given_up
    }

    /// How many items there were.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The digest of all items in their order.
    pub(super) fn digest(&self) -> u128 {
        self.all.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_compiles_and_its_arrays_are_judged_item_by_item() {
        for version in Validator::versions() {
            let validator = Validator::for_version(version).unwrap_or_else(|| panic!("{version}"));
            assert_eq!(validator.version(), version);
            for name in super::super::json::ARRAYS {
                let (_, text) = VERSIONS.iter().find(|v| v.0 == version).unwrap().1;
                let schema: Value = serde_json::from_str(text).unwrap();
                let known = schema["properties"].get(name).is_some();
                assert_eq!(validator.array(name).is_some(), known, "{version} {name}");
            }
            assert!(validator.is_unique("components"));
            // Nested components are judged by the same rules as those of the document.
            let (_, text) = VERSIONS.iter().find(|v| v.0 == version).unwrap().1;
            let schema: Value = serde_json::from_str(text).unwrap();
            let rules = |of: &Value| (of["type"].clone(), of["items"].clone(), of["uniqueItems"].clone());
            assert_eq!(rules(&schema["properties"]["components"]), rules(&schema["definitions"]["component"]["properties"]["components"]));
        }
        assert!(Validator::for_version("1.3").is_none());
    }

    #[test]
    fn equal_values_have_one_digest_and_others_have_others() {
        let d = |text: &str| digest(&serde_json::from_str(text).unwrap(), &mut Vec::new());
        for (a, b) in
            [(r#"{"a":1,"b":[2,null]}"#, r#"{"b":[2.0,null],"a":1e0}"#), ("0", "-0.0"), ("18446744073709551615", "18446744073709551615")]
        {
            assert_eq!(d(a), d(b), "{a} {b}");
        }
        let different = [
            "null",
            "true",
            "false",
            "0",
            "1",
            "-1",
            "1.5",
            "1e300",
            "\"\"",
            "\"1\"",
            "[]",
            "[1]",
            "[[1]]",
            "{}",
            r#"{"a":1}"#,
            r#"{"a":[1]}"#,
            r#"{"b":1}"#,
            r#"[{},{"":1}]"#,
            r#"[{"":{}},1]"#,
            r#"["a","b"]"#,
            r#"["as\u0000b"]"#,
            r#"{"a":1,"b":1}"#,
            "18446744073709551615",
            "18446744073709551614",
            "9007199254740993",
            "9007199254740992",
        ];
        let digests: FxHashSet<u128> = different.iter().map(|t| d(t)).collect();
        assert_eq!(digests.len(), different.len());
    }

    #[test]
    fn a_violation_says_where_and_what_with_the_value_cut() {
        let v = Validator::for_version("1.6").unwrap();
        let long = "x".repeat(5000);
        let found = v.component(&json!({"type": "divice", "name": "a", "hashes": [{"alg": "MD5", "content": long}]}));
        let paths: Vec<&str> = found.iter().map(|f| f.path.as_str()).collect();
        assert!(paths.contains(&".type") && paths.contains(&".hashes[0].content"), "{found:?}");
        assert!(found.iter().all(|f| f.what.chars().count() <= 301), "{found:?}");
        assert!(found[0].what.contains("divice") || found[1].what.contains("divice"), "{found:?}");
    }

    #[test]
    fn repeats_are_found_by_their_place() {
        let mut distinct = Distinct::default();
        for n in [1u128, 2, 3, 2, 1] {
            distinct.push(n);
        }
        assert_eq!((distinct.repeated(), distinct.count()), (Some(3), 5));
        let mut other = Distinct::default();
        [2u128, 1, 3, 2, 1].into_iter().for_each(|n| other.push(n));
        assert_ne!(distinct.digest(), other.digest());
    }
}
