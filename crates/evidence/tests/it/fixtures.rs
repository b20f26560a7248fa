//! Every folder under `tests/fixtures/<kind>/` is a case: its inputs are read together, and what was observed must be
//! what `expected.txt` says. `map.toml` is a mapping file; `SOURCE.md` says where the inputs come from. With
//! `UMBILICAL_BLESS=1` the expectation is written instead of compared: read it before you commit it.

use std::fmt::Write;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use umbilical_core::Observations;
use umbilical_core::bom::Placed;
use umbilical_evidence::open::{Options, read_paths, read_stream};
use umbilical_evidence::table::Mapping;
use umbilical_evidence::{Context, Purpose, Source};
use umbilical_knowledge::Knowledge;

/// Reads paths with so many threads.
pub fn read(paths: &[PathBuf], mapping: Option<&Mapping>, threads: usize) -> Observations {
    read_for(paths, mapping, Purpose::Fleet, false, threads)
}

/// Reads paths for a purpose, held to their schemas or not.
pub fn read_for(paths: &[PathBuf], mapping: Option<&Mapping>, purpose: Purpose, validate: bool, threads: usize) -> Observations {
    let mut out = Observations::new();
    let knowledge = Knowledge::embedded();
    read_paths(paths, &Options { knowledge: &knowledge, mapping, purpose, validate, threads, progress: &|_| {} }, &mut out).unwrap();
    out
}

/// Reads bytes as a file of that name.
pub fn read_bytes(name: &str, bytes: &[u8]) -> Observations {
    let folder = Scratch::new(name);
    let path = folder.0.join(name);
    fs::write(&path, bytes).unwrap();
    let mut out = read(&[path], None, 1);
    for input in &mut out.inputs {
        input.path = input.path.replace(&format!("{}/", folder.0.display()), "");
    }
    out
}

/// Reads a stream that is on no disk, as an input without a telling name.
pub fn read_stream_of(stream: impl Read) -> Observations {
    let knowledge = Knowledge::embedded();
    let cx = Context { knowledge: &knowledge, mapping: None, purpose: Default::default(), validate: false, path: "stream" };
    let mut out = Observations::new();
    let mut source = Source::new(Box::new(stream)).unwrap();
    read_stream(&mut source, &cx, &mut out).unwrap();
    out
}

/// A folder that is gone when the test is over.
pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new(name: &str) -> Self {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let path = std::env::temp_dir().join(format!("umbilical-{}-{}-{name}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Observations in words, with paths below `base`.
pub fn shown(out: &Observations, base: &Path) -> String {
    let mut text = format!("{out:?}").replace(&format!("{}/", base.display()), "");
    for input in &out.inputs {
        if !input.mapping.is_empty() {
            let _ = writeln!(text, "\n{}", input.path.replace(&format!("{}/", base.display()), ""));
            for line in &input.mapping {
                let _ = writeln!(text, "  {line}");
            }
        }
    }
    bills(out, &mut text);
    if out.schema_errors > 0 {
        let _ = writeln!(text, "{} schema errors", out.schema_errors);
    }
    text
}

/// What bills of materials declare, in words: a line for each part, another for what else is said of it.
fn bills(out: &Observations, text: &mut String) {
    for bom in &out.boms {
        let p = &bom.product;
        let _ = write!(text, "\n[{}] {}", bom.input, bom.design.map_or("-", |d| d.name()));
        for (name, cell) in [
            ("name", &p.name),
            ("brand", &p.brand),
            ("manufacturer", &p.manufacturer),
            ("model", &p.model),
            ("version", &p.version),
            ("serial", &p.serial),
            ("date", &p.date),
            ("spec", &bom.spec),
        ] {
            let _ = cell.as_ref().map(|c| write!(text, ", {name} {c:?}"));
        }
        let _ = if bom.sheets.is_empty() { writeln!(text) } else { writeln!(text, ", sheets {:?}", bom.sheets) };
        for (name, value) in &bom.properties {
            let _ = writeln!(text, "  {name} = {value:?}");
        }
        for part in &bom.parts {
            let _ = write!(text, "  {}: {}", out.locate(part.at), part.designators.join(" "));
            let _ = part.parent.map(|n| write!(text, " in part {n}"));
            let _ = part.quantity.map(|n| write!(text, " ×{n}"));
            for (name, cell) in [
                ("reference", &part.reference),
                ("value", &part.value),
                ("mpn", &part.mpn),
                ("maker", &part.manufacturer),
                ("description", &part.description),
                ("role", &part.role),
                ("version", &part.version),
                ("serial", &part.serial),
                ("fcc-id", &part.fcc_id),
                ("origin", &part.origin),
                ("supplier", &part.supplier),
                ("supplier-part", &part.supplier_part),
            ] {
                let _ = cell.as_ref().map(|c| write!(text, ", {name} {c:?}"));
            }
            if let Placed::No(words) = &part.placed {
                let _ = write!(text, ", NOT PLACED {words:?}");
            }
            text.push('\n');
            for (what, list) in [("or", &part.alternates), ("from", &part.ancestors)] {
                for a in list {
                    let words: Vec<&str> = [&a.value, &a.mpn, &a.manufacturer].into_iter().flatten().map(|w| &**w).collect();
                    let _ = writeln!(text, "    {what} {words:?}");
                }
            }
            if !part.effective.is_open() {
                let _ = writeln!(text, "    {:?}", part.effective);
            }
            for (name, value) in part.certificates.iter().chain(&part.properties) {
                let _ = writeln!(text, "    {name} = {value:?}");
            }
        }
    }
}

/// Walks the cases of one kind as evidence of a fleet.
pub fn walk(kind: &str) {
    walk_for(kind, false, |_| Purpose::Fleet);
}

/// Walks the cases of one kind, held to their schemas or not, each for the purpose that its name says.
pub fn walk_for(kind: &str, validate: bool, purpose: impl Fn(&str) -> Purpose) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(kind);
    let mut cases: Vec<PathBuf> = fs::read_dir(&root).unwrap().map(|e| e.unwrap().path()).collect();
    cases.sort();
    assert!(!cases.is_empty());
    let mut wrong = Vec::new();
    for case in cases {
        assert!(case.join("SOURCE.md").is_file(), "{} lacks SOURCE.md", case.display());
        let mapping = fs::read_to_string(case.join("map.toml")).ok().map(|t| Mapping::parse(&t).unwrap());
        let besides = ["SOURCE.md", "expected.txt", "map.toml"];
        let mut inputs: Vec<PathBuf> = fs::read_dir(&case).unwrap().map(|e| e.unwrap().path()).collect();
        inputs.retain(|p| p.file_name().is_some_and(|n| !besides.contains(&n.to_string_lossy().as_ref())));
        let purpose = purpose(&case.file_name().unwrap().to_string_lossy());
        let read = |inputs: &[PathBuf], threads: usize| shown(&read_for(inputs, mapping.as_ref(), purpose, validate, threads), &case);
        let got = read(&inputs, 1);
        // Neither the order of the paths nor the number of threads changes a byte.
        inputs.reverse();
        assert_eq!(got, read(&inputs, 3), "{}", case.display());
        let path = case.join("expected.txt");
        if std::env::var_os("UMBILICAL_BLESS").is_some() {
            fs::write(&path, &got).unwrap();
        } else if fs::read_to_string(&path).unwrap_or_default() != got {
            wrong.push(format!("{}:\n{got}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "not as expected (UMBILICAL_BLESS=1 writes what was read):\n{}", wrong.join("\n"));
}
