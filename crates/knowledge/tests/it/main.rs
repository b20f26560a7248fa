//! The tables as they are shipped.
use umbilical_knowledge::Knowledge;

#[test]
fn every_table_holds() {
    let errors: Vec<String> = Knowledge::embedded().check().iter().map(ToString::to_string).collect();
    assert!(errors.is_empty(), "{} mistakes:\n{}", errors.len(), errors.join("\n"));
}
