//! Countries as people write them, and the ISO 3166-1 codes that they mean.

use rustc_hash::FxHashMap;

use crate::table::{FromRow, Problem, Row, Source};

/// One row of `countries.csv`.
#[derive(Clone, Debug)]
pub struct Country {
    /// Two letters (ISO 3166-1 alpha-2).
    pub code: Box<str>,
    /// Three letters (ISO 3166-1 alpha-3).
    pub alpha3: Box<str>,
    /// Its English name.
    pub name: Box<str>,
    /// Other spellings, in any language.
    pub aliases: Vec<Box<str>>,
    /// Where the row comes from.
    pub source: Source,
}

impl Country {
    /// Its name and every other spelling; a code is none.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&*self.name).chain(self.aliases.iter().map(|a| &**a))
    }
}

impl FromRow for Country {
    const FILE: &'static str = "countries.csv";
    fn from_row(row: &Row<'_>) -> Result<Self, Problem> {
        let letters = |column, wanted: usize| {
            let text = row.required(column)?;
            let good = text.len() == wanted && text.bytes().all(|b| b.is_ascii_uppercase());
            if good { Ok(text) } else { Err(Problem::Number { column, text: text.into(), wanted: "a code of two or three capitals" }) }
        };
        Ok(Self {
            code: letters("code", 2)?,
            alpha3: letters("alpha3", 3)?,
            name: row.required("name")?,
            aliases: row.list("aliases")?,
            source: row.source()?,
        })
    }
}

/// The table with its indices.
#[derive(Debug, Default)]
pub(crate) struct Countries {
    pub rows: Vec<Country>,
    by_code: FxHashMap<Box<str>, u32>,
    by_name: FxHashMap<Box<str>, u32>,
}

impl From<Vec<Country>> for Countries {
    fn from(rows: Vec<Country>) -> Self {
        let (mut by_code, mut by_name) = (FxHashMap::default(), FxHashMap::default());
        for (id, row) in (0u32..).zip(&rows) {
            by_code.extend([(row.code.clone(), id), (row.alpha3.clone(), id)]);
            by_name.extend(row.names().map(|name| (name.to_lowercase().into(), id)));
        }
        Self { rows, by_code, by_name }
    }
}

impl Countries {
    /// The codes of the countries that a text names, in its order; empty where it names none.
    pub fn parse(&self, text: &str) -> Vec<&str> {
        let text = text.trim();
        if let Some(whole) = self.named(text) {
            return vec![whole];
        }
        let mut found: Vec<&str> = Vec::new();
        for part in text.split([',', ';', '/', '|', '\n', '+', '&', '(', ')', '、', '，', '；']) {
            let part = strip(part.trim().trim_end_matches('.'));
            let code = self.named(part).or_else(|| part.rsplit(' ').next().and_then(|word| self.code(word)));
            found.extend(code.filter(|c| !found.contains(c)));
        }
        found
    }

    /// The codes that stand as words of their own, and mainland China by its name.
    pub fn codes_in(&self, text: &str) -> Vec<&str> {
        let mut found: Vec<&str> = Vec::new();
        for word in text.split(|c: char| !c.is_alphanumeric()).filter(|w| w.len() == 2) {
            found.extend(self.code(word).filter(|c| !found.contains(c)));
        }
        if text.to_lowercase().contains("china") {
            found.extend(self.code("CN").filter(|c| !found.contains(c)));
        }
        found
    }

    fn named(&self, text: &str) -> Option<&str> {
        self.code(text).or_else(|| self.alpha2(self.by_name.get(&*text.to_lowercase())))
    }

    /// A code by itself; in capitals only, since `in` and `no` are words.
    fn code(&self, text: &str) -> Option<&str> {
        self.alpha2(self.by_code.get(text))
    }

    fn alpha2(&self, id: Option<&u32>) -> Option<&str> {
        self.rows.get(*id? as usize).map(|row| &*row.code)
    }
}

/// Without the words that labels put in front.
fn strip(text: &str) -> &str {
    const LABELS: [&str; 9] = [
        "made in ",
        "product of ",
        "assembled in ",
        "manufactured in ",
        "country of origin: ",
        "origin: ",
        "designed in ",
        "hergestellt in ",
        "fabriqué en ",
    ];
    let lower = text.to_lowercase();
    let label = LABELS.iter().find(|l| lower.starts_with(**l));
    let rest = label.and_then(|l| text.get(l.len()..)).unwrap_or(text).trim();
    rest.strip_prefix("the ").unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use crate::Knowledge;

    #[test]
    fn countries_as_people_write_them() {
        let kb = Knowledge::embedded();
        let codes = |text: &str| kb.countries_named(text).join(" ");
        for text in ["USA", "US", "United States of America", "Made in USA", "made in the United States", "U.S.A."] {
            assert_eq!(codes(text), "US", "{text}");
        }
        for (text, expected) in [
            ("中国", "CN"),
            ("P.R. China", "CN"),
            ("Deutschland", "DE"),
            ("DE / CZ", "DE CZ"),
            ("Shenzhen, CN", "CN"),
            ("Vietnam (final assembly), China", "VN CN"),
            ("Korea, Republic of", "KR"),
            ("Trinidad and Tobago", "TT"),
            ("Samoa", "WS"),
        ] {
            assert_eq!(codes(text), expected, "{text}");
        }
        // Words that look like codes are no countries.
        for text in ["in no case", "we do not say", "", "see attachment", "XX"] {
            assert_eq!(codes(text), "", "{text}");
        }
    }

    #[test]
    fn codes_in_the_tables_are_words_of_their_own() {
        let kb = Knowledge::embedded();
        assert_eq!(kb.country_codes_in("Hefei and Changzhou, CN (subsidiaries); IN (Syrma SGS builds for it)"), ["CN", "IN"]);
        assert_eq!(kb.country_codes_in("contract makers in mainland China (at the 2020 sale)"), ["CN"]);
        assert!(kb.country_codes_in("to be found").is_empty());
    }
}
