//! What a hardware bill of materials should say, and how much that counts for which use.

use umbilical_core::bom::Design;

use crate::table::{FromRow, Problem, Row, Source, words};

words! {
    /// A field, recognised in code by what a document declares, never by what is known of a maker or part.
    HbomField {
        /// Name or number of the product.
        ProductName = "product-name",
        /// Its brand or builder.
        ProductMaker = "product-maker",
        /// Its revision.
        ProductVersion = "product-version",
        /// Date of the document.
        DocumentDate = "document-date",
        /// Who wrote it.
        Author = "author",
        /// Name or value of each part.
        PartName = "part-name",
        /// Maker's number of each part.
        PartNumber = "part-number",
        /// Maker of each part.
        PartMaker = "part-maker",
        /// Revision of each part.
        PartVersion = "part-version",
        /// Prose about each part.
        Description = "description",
        /// How many.
        Quantity = "quantity",
        /// Reference designator.
        Location = "location",
        /// Country of origin.
        Origin = "origin",
        /// Who sells it to the builder.
        Supplier = "supplier",
        /// The seller's number.
        SupplierPart = "supplier-part",
        /// Lead time.
        LeadTime = "lead-time",
        /// Whether it is still made.
        LifeCycle = "life-cycle",
        /// Data sheet.
        Datasheet = "datasheet",
        /// Any alternate.
        Alternates = "alternates",
        /// Any assembly taken apart.
        Assemblies = "assemblies",
        /// Any firmware with a version.
        Firmware = "firmware",
        /// Any certificate: compatibility, never security.
        Certificates = "certificates",
    }
}

words! {
    /// A sort of document, as `held_by` names it.
    Held {
        /// A list of parts.
        List = "list",
        /// A drawing.
        Schematic = "schematic",
        /// The nets between parts.
        Netlist = "netlist",
        /// A format made for exchange.
        Statement = "statement",
    }
}

/// The most that a field can count for a use.
const MOST: u32 = 3;

/// One row of `hbom_fields.csv`.
#[derive(Clone, Debug)]
pub struct HbomTerm {
    /// The field.
    pub field: HbomField,
    /// In words.
    pub what: Box<str>,
    /// Weight for compliance, security, availability; 0 = it does not count.
    pub weights: [u32; 3],
    /// Sorts of documents that can say it.
    held_by: Vec<Held>,
    /// Formats of those sorts that cannot.
    not_in: Vec<Box<str>>,
    /// Where the row comes from.
    pub source: Source,
}

impl HbomTerm {
    /// Whether a document of this sort and format has a place for the field.
    pub fn held(&self, design: Design, format: &str) -> bool {
        let design = match design {
            Design::List => Held::List,
            Design::Schematic => Held::Schematic,
            Design::Netlist => Held::Netlist,
            Design::Statement => Held::Statement,
        };
        self.held_by.contains(&design) && !self.not_in.iter().any(|f| **f == *format)
    }
}

impl FromRow for HbomTerm {
    const FILE: &'static str = "hbom_fields.csv";
    fn from_row(row: &Row<'_>) -> Result<Self, Problem> {
        let weight = |column: &'static str| {
            let n: u32 = row.number(column)?;
            let wrong = || Problem::Number { column, text: n.to_string(), wanted: "a weight from 0 to 3" };
            if n <= MOST { Ok(n) } else { Err(wrong()) }
        };
        let field = row.word("field")?;
        let weights = [weight("compliance")?, weight("security")?, weight("availability")?];
        if field == HbomField::Certificates && !matches!(weights, [_, 0, 0]) {
            let text = row.cell("security")?.to_owned();
            return Err(Problem::Number { column: "security", text, wanted: "0: a certificate says that two things fit, no more" });
        }
        Ok(Self {
            field,
            what: row.required("what")?,
            weights,
            held_by: row.words("held_by")?,
            not_in: row.list("not_in")?,
            source: row.source()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{File, load};

    fn problem(row: &str) -> String {
        let text = format!("field,what,compliance,security,availability,held_by,not_in,source,status\n{row},a paper,verified\n");
        load::<HbomTerm>(&File { name: HbomTerm::FILE, text: text.into() }).map(|_| ()).map_err(|e| e.to_string()).err().unwrap_or_default()
    }

    #[test]
    fn a_certificate_never_weighs_for_security() {
        assert_eq!(problem("certificates,any,2,0,0,list,"), "");
        assert!(problem("certificates,any,2,1,0,list,").contains("column `security`: `1` is not 0"));
        assert!(problem("origin,any,2,4,0,list,").contains("`4` is not a weight from 0 to 3"));
        assert!(problem("price,any,2,1,0,list,").contains("column `field`: `price` is none of"));
    }
}
