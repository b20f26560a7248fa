//! Brand and maker are two claims: what is sold under whose name.

use crate::names::NameIndex;
use crate::pci::PciKey;
use crate::table::{FromRow, Problem, Row, Source, hex16, words};

words! {
    /// How brand and maker are related.
    Relation {
        /// The brand sells the maker's module under its own name.
        Rebrand = "rebrand",
        /// The brand's line came from the maker, by sale or succession.
        Lineage = "lineage",
        /// They share firmware or driver interfaces; nothing more is stated.
        SharedFirmware = "shared-firmware",
        /// Only the silicon is common.
        Silicon = "silicon",
    }
}

/// One row of `rebrands.csv`.
#[derive(Clone, Debug)]
pub struct Rebrand {
    /// The selling brand.
    pub brand: Box<str>,
    /// The brand's own name of it, e.g. `DW5811e`.
    pub sold_as: Option<Box<str>>,
    /// Who makes it.
    pub maker: Box<str>,
    /// The maker's model.
    pub model: Option<Box<str>>,
    /// USB ids it shows.
    pub usb: Vec<(u16, u16)>,
    /// PCI ids it shows.
    pub pci: Vec<PciKey>,
    /// The kind of relation.
    pub relation: Relation,
    /// What else is known.
    pub note: Option<Box<str>>,
    /// Where the row comes from.
    pub source: Source,
}

/// `vid:pid`, both four hex digits.
pub(crate) fn usb_id(text: &str) -> Option<(u16, u16)> {
    let (vid, pid) = text.split_once(':')?;
    Some((hex16(vid)?, hex16(pid)?))
}

impl FromRow for Rebrand {
    const FILE: &'static str = "rebrands.csv";
    fn from_row(row: &Row<'_>) -> Result<Self, Problem> {
        let usb = |text: &str| usb_id(text).ok_or_else(|| Problem::Number { column: "usb", text: text.to_owned(), wanted: "vid:pid" });
        let pci = |text: &str| {
            PciKey::parse(text).ok_or_else(|| Problem::Number {
                column: "pci",
                text: text.to_owned(),
                wanted: "vid:pid or vid:pid/svid:sdid",
            })
        };
        Ok(Self {
            brand: row.required("brand")?,
            sold_as: row.opt("sold_as")?,
            maker: row.required("maker")?,
            model: row.opt("model")?,
            usb: row.list("usb")?.iter().map(|t| usb(t)).collect::<Result<_, _>>()?,
            pci: row.list("pci")?.iter().map(|t| pci(t)).collect::<Result<_, _>>()?,
            relation: row.word("relation")?,
            note: row.opt("note")?,
            source: row.source()?,
        })
    }
}

/// The table with its index of sold names.
#[derive(Debug, Default)]
pub(crate) struct Rebrands {
    pub rows: Vec<Rebrand>,
    names: NameIndex,
}

impl From<Vec<Rebrand>> for Rebrands {
    fn from(rows: Vec<Rebrand>) -> Self {
        let mut names = NameIndex::default();
        for (id, row) in (0u32..).zip(&rows) {
            if let Some(name) = &row.sold_as {
                names.insert(name, id);
            }
        }
        Self { rows, names }
    }
}

impl Rebrands {
    pub fn find(&self, text: &str) -> Vec<&Rebrand> {
        let ids = self.names.find(text).into_iter().flat_map(|f| f.ids);
        ids.filter_map(|id| self.rows.get(id as usize)).collect()
    }
}
