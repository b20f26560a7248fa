//! Tables as bills of materials. Every folder under `fixtures/bom-tables/` is read as such, those that begin with `fleet-` as
//! evidence of a fleet; what comes out is what `expected.txt` says (`UMBILICAL_BLESS=1` writes it).

use std::fs;
use std::path::{Path, PathBuf};

use umbilical_core::Observations;
use umbilical_evidence::Purpose;
use umbilical_evidence::open::{Options, read_paths};
use umbilical_evidence::table::Mapping;
use umbilical_knowledge::Knowledge;

use crate::fixtures::shown;

fn read(paths: &[PathBuf], mapping: Option<&Mapping>, purpose: Purpose, threads: usize) -> Observations {
    let mut out = Observations::new();
    let knowledge = Knowledge::embedded();
    read_paths(paths, &Options { knowledge: &knowledge, mapping, purpose, validate: false, threads, progress: &|_| {} }, &mut out).unwrap();
    out
}

#[test]
fn dialects() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/bom-tables");
    let mut cases: Vec<PathBuf> = fs::read_dir(&root).unwrap().map(|e| e.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() >= 20);
    let mut wrong = Vec::new();
    for case in cases {
        assert!(case.join("SOURCE.md").is_file(), "{} lacks SOURCE.md", case.display());
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let purpose = if name.starts_with("fleet-") { Purpose::Fleet } else { Purpose::Bom };
        let mapping = fs::read_to_string(case.join("map.toml")).ok().map(|t| Mapping::parse(&t).unwrap());
        let mut inputs: Vec<PathBuf> = fs::read_dir(&case).unwrap().map(|e| e.unwrap().path()).collect();
        inputs.retain(|p| !["SOURCE.md", "expected.txt", "map.toml"].contains(&p.file_name().unwrap().to_string_lossy().as_ref()));
        let got = shown(&read(&inputs, mapping.as_ref(), purpose, 1), &case);
        inputs.reverse();
        assert_eq!(got, shown(&read(&inputs, mapping.as_ref(), purpose, 3), &case), "{}", case.display());
        let path = case.join("expected.txt");
        if std::env::var_os("UMBILICAL_BLESS").is_some() {
            fs::write(&path, &got).unwrap();
        } else if fs::read_to_string(&path).unwrap_or_default() != got {
            wrong.push(format!("{}:\n{got}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "not as expected (UMBILICAL_BLESS=1 writes what was read):\n{}", wrong.join("\n"));
}
