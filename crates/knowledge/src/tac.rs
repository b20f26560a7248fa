//! Type allocation codes: the first eight digits of an IMEI.
//!
//! Three origins: codes read out of public texts (embedded), the Osmocom table (CC-BY-SA, a file apart) and a
//! licensed table the user has. A licensed table has a quarter of a million rows, so attached tables are kept as a
//! sorted array of small records over one text arena.

use rustc_hash::FxHashMap;

use crate::table::{File, FromRow, Problem, Row, Source, TableError, load, words};

words! {
    /// What a code stands for.
    TacClass {
        /// A module.
        Module = "module",
        /// A stick.
        Stick = "stick",
        /// Another device (phone, tablet, router), as licensed tables say.
        Other = "other",
        /// The table does not say.
        Unknown = "unknown",
    }
}

words! {
    /// Quality of a learned code.
    Grade {
        /// The module's own answer shows IMEI and model together.
        A = "A",
        /// A person or program wrote the model beside it.
        B = "B",
    }
}

words! {
    /// Which table a code comes from.
    TacOrigin {
        /// Read out of public texts.
        Learned = "learned",
        /// Osmocom's table, CC-BY-SA 3.0.
        Osmocom = "osmocom",
        /// A licensed table of the user.
        Licensed = "licensed",
    }
}

/// One row of `identifiers/tac_learned.csv`.
#[derive(Clone, Debug)]
pub struct LearnedTac {
    /// The eight digits as a number.
    pub tac: u32,
    /// The brand; `None` when the evidence names none.
    pub brand: Option<Box<str>>,
    /// The model.
    pub model: Box<str>,
    /// Module or stick.
    pub class: TacClass,
    /// Quality of the evidence.
    pub grade: Grade,
    /// Number of texts that agree.
    pub count: u32,
    /// Where the row comes from.
    pub source: Source,
}

impl FromRow for LearnedTac {
    const FILE: &'static str = "identifiers/tac_learned.csv";
    fn from_row(row: &Row<'_>) -> Result<Self, Problem> {
        Ok(Self {
            tac: tac_cell(row)?,
            brand: row.opt("brand")?,
            model: row.required("model")?,
            class: row.word("class")?,
            grade: row.word("grade")?,
            count: row.number("count")?,
            source: row.source()?,
        })
    }
}

fn tac_cell(row: &Row<'_>) -> Result<u32, Problem> {
    let text = row.cell("tac")?;
    parse_tac(text).ok_or_else(|| Problem::Number { column: "tac", text: text.to_owned(), wanted: "eight digits" })
}

/// Eight digits as a number.
pub fn parse_tac(text: &str) -> Option<u32> {
    (text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

/// One row of `identifiers/imei_traps.csv`: numbers that identify nothing.
#[derive(Clone, Debug)]
pub struct ImeiTrap {
    /// A TAC (8 digits) or a whole IMEI.
    pub digits: Box<str>,
    /// Why it must not be used or learned.
    pub why: Box<str>,
    /// Where the row comes from.
    pub source: Source,
}

impl FromRow for ImeiTrap {
    const FILE: &'static str = "identifiers/imei_traps.csv";
    fn from_row(row: &Row<'_>) -> Result<Self, Problem> {
        let digits = row.required("digits")?;
        if !(8..=17).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Problem::Number { column: "digits", text: digits.into(), wanted: "8 to 17 digits" });
        }
        Ok(Self { digits, why: row.required("why")?, source: row.source()? })
    }
}

/// What a table says of a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TacHit<'k> {
    /// The brand as the table spells it (licensed and Osmocom tables) or as `brands.csv` does (learned).
    pub brand: Option<&'k str>,
    /// The model.
    pub model: &'k str,
    /// Module, stick, other or not stated.
    pub class: TacClass,
    /// Which table.
    pub origin: TacOrigin,
    /// Quality, for learned codes.
    pub grade: Option<Grade>,
    /// Number of texts that agree, for learned codes; 1 otherwise.
    pub count: u32,
    /// Where it comes from.
    pub source: &'k str,
    /// Whether the source was checked.
    pub verified: bool,
}

/// A table attached at run time.
#[derive(Debug)]
pub(crate) struct Attached {
    origin: TacOrigin,
    source: Box<str>,
    arena: String,
    // (tac, brand, model, class), sorted by tac
    entries: Vec<(u32, Slice, Slice, TacClass)>,
}

#[derive(Clone, Copy, Debug)]
struct Slice {
    at: u32,
    len: u16,
}

struct AttachedRow {
    tac: u32,
    brand: Box<str>,
    model: Box<str>,
    class: TacClass,
}

impl FromRow for AttachedRow {
    const FILE: &'static str = "tac.csv";
    fn from_row(row: &Row<'_>) -> Result<Self, Problem> {
        let class = match row.cell("class") {
            Ok("") | Err(_) => TacClass::Unknown,
            Ok(_) => row.word("class")?,
        };
        Ok(Self { tac: tac_cell(row)?, brand: row.text("brand")?, model: row.text("model")?, class })
    }
}

impl Attached {
    /// CSV with the columns `tac,brand,model` and, where given, `class`.
    pub fn parse(file: &File, origin: TacOrigin, source: &str) -> Result<Self, TableError> {
        let rows: Vec<AttachedRow> = load(file)?;
        let mut table = Self { origin, source: source.into(), arena: String::new(), entries: Vec::with_capacity(rows.len()) };
        let mut seen: FxHashMap<Box<str>, Slice> = FxHashMap::default();
        for row in rows {
            let brand = table.keep(row.brand, &mut seen);
            let model = table.keep(row.model, &mut seen);
            table.entries.push((row.tac, brand, model, row.class));
        }
        table.entries.sort_by_key(|e| e.0);
        Ok(table)
    }

    fn keep(&mut self, text: Box<str>, seen: &mut FxHashMap<Box<str>, Slice>) -> Slice {
        if let Some(slice) = seen.get(&text) {
            return *slice;
        }
        let fits = text.floor_char_boundary(usize::from(u16::MAX));
        let slice = Slice { at: u32::try_from(self.arena.len()).unwrap_or(u32::MAX), len: u16::try_from(fits).unwrap_or(0) };
        self.arena.push_str(text.get(..fits).unwrap_or_default());
        seen.insert(text, slice);
        slice
    }

    fn text(&self, slice: Slice) -> &str {
        let at = slice.at as usize;
        self.arena.get(at..at.saturating_add(usize::from(slice.len))).unwrap_or_default()
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn origin(&self) -> TacOrigin {
        self.origin
    }

    pub fn find(&self, tac: u32) -> impl Iterator<Item = TacHit<'_>> {
        let from = self.entries.partition_point(|e| e.0 < tac);
        self.entries.get(from..).unwrap_or_default().iter().take_while(move |e| e.0 == tac).map(|e| self.hit(e))
    }

    pub fn all(&self) -> impl Iterator<Item = (u32, TacHit<'_>)> {
        self.entries.iter().map(|e| (e.0, self.hit(e)))
    }

    fn hit(&self, (_, brand, model, class): &(u32, Slice, Slice, TacClass)) -> TacHit<'_> {
        TacHit {
            brand: Some(self.text(*brand)).filter(|b| !b.is_empty()),
            model: self.text(*model),
            class: *class,
            origin: self.origin,
            grade: None,
            count: 1,
            source: &self.source,
            verified: self.origin == TacOrigin::Licensed,
        }
    }
}

/// The learned table, sorted.
#[derive(Debug, Default)]
pub(crate) struct Learned {
    pub rows: Vec<LearnedTac>,
}

impl From<Vec<LearnedTac>> for Learned {
    fn from(mut rows: Vec<LearnedTac>) -> Self {
        rows.sort_by_key(|r| r.tac);
        Self { rows }
    }
}

impl Learned {
    pub fn find(&self, tac: u32) -> impl Iterator<Item = TacHit<'_>> {
        let from = self.rows.partition_point(|r| r.tac < tac);
        self.rows.get(from..).unwrap_or_default().iter().take_while(move |r| r.tac == tac).map(learned)
    }

    pub fn all(&self) -> impl Iterator<Item = (u32, TacHit<'_>)> {
        self.rows.iter().map(|r| (r.tac, learned(r)))
    }
}

fn learned(row: &LearnedTac) -> TacHit<'_> {
    TacHit {
        brand: row.brand.as_deref(),
        model: &row.model,
        class: row.class,
        origin: TacOrigin::Learned,
        grade: Some(row.grade),
        count: row.count,
        source: &row.source.text,
        verified: row.source.verified,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attached_table_answers_by_code() {
        let text = "tac,brand,model,class\n35000001,Acme,One,module\n35000000,Acme,Zero,\n35000001,Acme,Uno,module\n";
        let file = File { name: AttachedRow::FILE, text: text.into() };
        let table = Attached::parse(&file, TacOrigin::Licensed, "licensed file").unwrap();
        let models = |tac| table.find(tac).map(|h| h.model.to_owned()).collect::<Vec<_>>();
        assert_eq!(models(35000001), ["One", "Uno"]);
        assert_eq!(models(35000000), ["Zero"]);
        assert_eq!(models(34999999), Vec::<String>::new());
        assert_eq!(table.find(35000000).next().map(|h| (h.brand, h.class)), Some((Some("Acme"), TacClass::Unknown)));
    }
}
