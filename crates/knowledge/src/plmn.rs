//! Operators by MCC and MNC.

use rustc_hash::FxHashMap;

use crate::table::{FromRow, Problem, Row, Source};

/// One row of `identifiers/mcc_mnc.csv`.
#[derive(Clone, Debug)]
pub struct Plmn {
    /// Three digits.
    pub mcc: Box<str>,
    /// Two or three digits.
    pub mnc: Box<str>,
    /// ISO 3166 code.
    pub country: Box<str>,
    /// The operator's name; several where resellers share the code.
    pub operator: Box<str>,
    /// Where the row comes from.
    pub source: Source,
}

impl FromRow for Plmn {
    const FILE: &'static str = "identifiers/mcc_mnc.csv";
    fn from_row(row: &Row<'_>) -> Result<Self, Problem> {
        let digits = |column, lengths: std::ops::RangeInclusive<usize>| {
            let text = row.required(column)?;
            let good = lengths.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
            if good {
                Ok(text)
            } else {
                Err(Problem::Number { column, text: text.into(), wanted: "a code of three (MCC) or two to three (MNC) digits" })
            }
        };
        Ok(Self {
            mcc: digits("mcc", 3..=3)?,
            mnc: digits("mnc", 2..=3)?,
            country: row.required("country")?,
            operator: row.required("operator")?,
            source: row.source()?,
        })
    }
}

/// The table by code.
#[derive(Debug, Default)]
pub(crate) struct Plmns {
    pub rows: Vec<Plmn>,
    by_code: FxHashMap<Box<str>, u32>,
}

impl From<Vec<Plmn>> for Plmns {
    fn from(rows: Vec<Plmn>) -> Self {
        let by_code = (0u32..).zip(&rows).map(|(id, r)| (format!("{}{}", r.mcc, r.mnc).into(), id)).collect();
        Self { rows, by_code }
    }
}

impl Plmns {
    /// The operator of an IMSI (or of a bare MCC+MNC), a three-digit MNC first.
    pub fn of(&self, imsi: &str) -> Option<&Plmn> {
        [6, 5].into_iter().find_map(|len| self.by_code.get(imsi.get(..len)?)).and_then(|id| self.rows.get(*id as usize))
    }

    /// The country of a mobile country code, when all its rows agree.
    pub fn country(&self, mcc: &str) -> Option<&str> {
        let mut of_mcc = self.rows.iter().filter(|r| *r.mcc == *mcc).map(|r| &*r.country);
        let first = of_mcc.next()?;
        of_mcc.all(|c| c == first).then_some(first)
    }
}
