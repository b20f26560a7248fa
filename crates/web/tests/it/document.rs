//! The OpenAPI document is frozen, and says the same as the table of rights.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use umbilical_web::rights::RIGHTS;

fn document() -> Value {
    serde_json::from_str(&umbilical_web::openapi()).unwrap()
}

#[test]
fn the_document_is_the_golden_file() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema/umbilical.api-1.openapi.json");
    let now = umbilical_web::openapi();
    if std::env::var_os("UMBILICAL_BLESS").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == now,
        "the API differs from {}: additions are blessed with UMBILICAL_BLESS=1, changes are a new version",
        path.display()
    );
}

#[test]
fn every_route_of_the_api_has_a_row_and_every_row_a_route() {
    let document = document();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{}", document["openapi"]);
    let mut described = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys().filter(|k| ["get", "post", "put", "delete", "patch"].contains(&k.as_str())) {
            described.insert((method.to_uppercase(), path.clone()));
        }
    }
    let rows: BTreeSet<(String, String)> =
        RIGHTS.iter().filter(|r| r.1.starts_with("/api/")).map(|r| (r.0.to_owned(), r.1.to_owned())).collect();
    assert_eq!(described, rows);
}
