//! The fields of a list of parts by the names that people write and read: in mapping files, and in `inputs[].mapping`.

use super::super::fold;
use super::heads::Col;
use crate::parts::PartField as F;

/// Each field by its name, and whether only a list of parts has it: a mapping file that names such a one says that its
/// table is a list of parts. Described in `docs/mapping.md`.
const FIELDS: &[(&str, Col, bool)] = &[
    ("value", Col::Part(F::Value, 1), true),
    ("mpn", Col::Part(F::Mpn, 1), true),
    ("part-number", Col::Part(F::PartNumber, 1), true),
    ("manufacturer", Col::Part(F::Manufacturer, 1), false),
    ("designators", Col::Part(F::Designators, 1), true),
    ("quantity", Col::Part(F::Quantity, 1), true),
    ("description", Col::Part(F::Description, 1), false),
    ("dnp", Col::Part(F::NotPlaced, 1), true),
    ("placed", Col::Part(F::Placed, 1), true),
    ("alternates", Col::Part(F::Alternates, 1), true),
    ("supplier", Col::Part(F::Supplier, 1), true),
    ("supplier-part", Col::Part(F::SupplierPart, 1), true),
    ("origin", Col::Part(F::Origin, 1), true),
    ("role", Col::Part(F::Role, 1), true),
    ("version", Col::Part(F::Version, 1), false),
    ("serial", Col::Part(F::Serial, 1), false),
    ("fcc-id", Col::Part(F::FccId, 1), false),
    ("level", Col::Level, true),
    ("parent", Col::Parent, true),
    ("house-number", Col::House, true),
];
/// Other words for them in mapping files.
const ALIASES: &[(&str, &str)] =
    &[("maker", "manufacturer"), ("brand", "manufacturer"), ("designator", "designators"), ("alternate", "alternates")];

/// A field in a mapping file, by the name that people know it by.
pub(crate) fn by_name(name: &str) -> Option<Col> {
    let wanted = fold(name);
    if wanted == "ignore" {
        // Kept under its head, and decides nothing.
        return Some(Col::Price);
    }
    let wanted = ALIASES.iter().find(|(alias, _)| *alias == wanted).map_or(wanted, |(_, name)| fold(name));
    FIELDS.iter().find(|(name, ..)| fold(name) == wanted).map(|(_, col, _)| *col)
}

/// Whether a name in a mapping file is one that only a list of parts has.
pub(crate) fn is_only_of_parts(name: &str) -> bool {
    only_of_parts().any(|n| fold(n) == fold(name))
}

/// The names in mapping files that only a list of parts has.
pub(crate) fn only_of_parts() -> impl Iterator<Item = &'static str> {
    FIELDS.iter().filter(|(.., only)| *only).map(|(name, ..)| *name)
}

/// What the column is called in `inputs[].mapping`.
pub(super) fn label(col: Col) -> String {
    let named = |wanted: Col| FIELDS.iter().find(|(_, col, _)| *col == wanted).map_or("property", |(name, ..)| *name);
    let field = |f: F| named(Col::Part(f, 1));
    match col {
        Col::Part(f, 0 | 1) => field(f).to_owned(),
        Col::Part(f, n) => format!("{} of choice {n}", field(f)),
        Col::Other(f, _) => format!("{} of an alternate", field(f)),
        Col::House | Col::Level | Col::Parent => named(col).to_owned(),
        Col::SerialFrom | Col::SerialTo | Col::ValidFrom | Col::ValidTo | Col::Effectivity => "effectivity".to_owned(),
        Col::Assembly(f) => format!("{} of the assembly", f.map_or("property", field)),
        Col::Document => "said of the document".to_owned(),
        Col::Item | Col::Note | Col::Footprint | Col::Price | Col::Place => "property".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::field::Field;

    #[test]
    fn names_lead_to_fields_and_back() {
        for (name, col, _) in FIELDS {
            assert_eq!((by_name(name), label(*col).as_str()), (Some(*col), *name));
        }
        assert!(ALIASES.iter().all(|(alias, name)| by_name(alias).is_some() && by_name(alias) == by_name(name)));
        assert_eq!(by_name("Part Number"), Some(Col::Part(F::PartNumber, 1)));
        assert_eq!(by_name("footprint"), None);
    }

    #[test]
    fn the_page_on_mapping_describes_every_field_and_no_other() {
        let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/mapping.md")).unwrap();
        let section = |title: &str| -> Vec<String> {
            let text = page.split("\n## ").find(|s| s.lines().next() == Some(title)).unwrap();
            let cells = text.lines().filter_map(|l| l.strip_prefix("| `")?.split(" |").next());
            cells
                .flat_map(|c| c.split(['`', ',', '*']).map(str::trim).filter(|w| !w.is_empty()).map(str::to_owned).collect::<Vec<_>>())
                .collect()
        };
        let sorted = |mut names: Vec<String>| {
            names.sort();
            names
        };
        let fields = Field::ALL.iter().map(|f| f.name().to_owned()).collect();
        assert_eq!(sorted(section("Fields")), sorted(fields));
        let parts = FIELDS.iter().map(|(name, ..)| (*name).to_owned()).chain(["ignore".to_owned()]).collect();
        assert_eq!(sorted(section("Fields of lists of parts")), sorted(parts));
    }
}
