//! Whether a label of a name was made by a machine: how likely its letters follow each other by chance, against how likely in words.
//!
//! The logarithm of the odds is the sum over neighbours of ln(1/26) − ln P(letter | the one before), in which P was counted from the
//! words of this project's own book and the names of makers, brands and countries in `knowledge/` (so that names in English letters of
//! many languages are in it); a test counts again. To it comes 1.5 for each change between letters and digits beyond the first, since
//! names have their digits together, and for a label of hexadecimal digits what its letters are worth that chance takes from six.

/// Odds, in natural units, from which a label is taken for a machine's: one in a hundred names that people gave is beyond it, eight of
/// ten chance labels with eight letters are, and all with sixteen.
pub(super) const ODD: f64 = 4.0;
/// Shorter labels say too little.
pub(super) const SHORT: usize = 6;
/// One change between letters and digits.
const CHANGE: f64 = 1.5;
/// ln(26 / 6): a letter of hexadecimal digits.
const HEX: f64 = 1.466_337_068_793_427;
/// A character that no host's name has (RFC 1123, 2.1).
const STRANGE: f64 = 1.0;
/// Numbers of so many digits count things; longer ones carry them.
const NUMBER: usize = 15;
/// A name in another script is written so (RFC 5890); what is longer is not believed.
const SCRIPT: (&str, usize) = ("xn--", 30);

/// What a label is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Label {
    /// A machine's: encoded, hashed, or chance.
    Odd,
    /// A number.
    Number,
    /// `_dmarc`, `_tcp`: it says which service (RFC 8552).
    Service,
    /// Anything else.
    Plain,
}

impl Label {
    /// Of a label in lower case.
    pub fn of(label: &str) -> Self {
        if label.starts_with('_') {
            return Self::Service;
        }
        if label.bytes().all(|b| b.is_ascii_digit()) {
            return if label.len() <= NUMBER { Self::Number } else { Self::Odd };
        }
        if label.len() < SHORT || label.starts_with(SCRIPT.0) && label.len() <= SCRIPT.1 {
            return Self::Plain;
        }
        if odds(label) >= ODD { Self::Odd } else { Self::Plain }
    }
}

/// How much rather a label in lower case is chance than words; 0 where nothing speaks for either.
pub(super) fn odds(label: &str) -> f64 {
    let (mut sum, mut before, mut last_digit) = (0_i32, 0_usize, None);
    let (mut changes, mut strange, mut letters, mut hex) = (0_u32, 0_u32, 0_u32, true);
    for c in label.chars() {
        let digit = match c {
            'a'..='z' => {
                let letter = usize::from(c as u8 - b'a');
                sum = sum.saturating_add(LETTERS.get(before).and_then(|row| row.get(letter)).map_or(0, |v| i32::from(*v)));
                before = letter.saturating_add(1);
                letters = letters.saturating_add(1);
                hex &= c <= 'f';
                false
            }
            '0'..='9' => {
                before = 0;
                true
            }
            _ => {
                before = 0;
                hex = false;
                strange = strange.saturating_add((!matches!(c, '-' | '_')).into());
                continue;
            }
        };
        changes = changes.saturating_add(last_digit.is_some_and(|last| last != digit).into());
        last_digit = Some(digit);
    }
    let hex = hex && changes > 0 && label.len() >= 8;
    f64::from(sum) / UNIT
        + CHANGE * f64::from(changes.saturating_sub(1))
        + STRANGE * f64::from(strange)
        + if hex { HEX * f64::from(letters) - 1.0 } else { 0.0 }
}

/// Numbers of the table for one natural unit.
const UNIT: f64 = 16.0;
/// By the letter before (the first row: none), then by the letter.
#[rustfmt::skip]
const LETTERS: [[i8; 26]; 27] = [
    [-10, -3, -14, -5, -1, 0, 10, 4, 1, 24, 17, -2, -7, 4, 4, -7, 27, -5, -18, -8, 9, 14, 0, 40, 32, 35],
    [48, 6, -10, -6, 51, 22, 5, 39, -4, 60, 11, -15, -1, -21, 41, 2, 60, -19, -8, -21, 13, 19, 20, 30, 6, 40],
    [-20, 33, 38, 31, -25, 48, 48, 20, -20, 15, 48, -16, 41, 48, -21, 48, 48, -12, -5, 29, -11, 48, 41, 48, 9, 38],
    [-17, 50, 11, 34, -21, 52, 54, -18, -2, 63, -4, -6, 37, 35, -28, 40, 63, -1, 16, -17, 8, 63, 63, 57, 17, 42],
    [-12, 17, 31, 8, -34, 49, 10, 44, -23, 34, 44, 16, 12, 27, -11, 34, 46, 2, -15, 24, -5, 25, 28, 22, 10, 56],
    [-4, 25, -8, -17, 7, 19, 15, 40, 13, 58, 31, -11, 0, -16, 35, 7, 34, -24, -21, -5, 36, 8, 21, 9, 27, 60],
    [-17, 44, 22, 44, -15, -10, 29, 44, -31, 44, 44, -7, 38, 34, -22, 38, 44, -8, 27, -2, -6, 44, 23, 44, 16, 44],
    [-13, 38, 32, 37, -30, 36, 33, -10, -16, 41, 33, -3, 22, -10, -7, 37, 48, -13, -8, 11, -6, 48, 36, 36, 15, 24],
    [-24, 27, 50, 28, -32, 50, 50, 34, -22, 50, 50, 31, 22, 12, -26, 44, 50, 7, 19, -2, 4, 50, 35, 50, 16, 27],
    [-1, 13, -15, -2, -6, 7, -2, 65, 65, 56, 22, -7, 3, -26, -14, 7, 41, 2, -11, -14, 34, 3, 57, 22, 52, 32],
    [-7, 19, 19, 19, -25, 19, 19, 19, -11, 19, 19, 13, 13, 19, -22, 19, 19, 19, -10, 19, -28, 19, 19, 19, 19, 19],
    [-10, 20, 23, 20, -34, 25, 31, 18, -18, 38, 27, 17, 20, -6, -6, 31, 38, 6, -21, 16, -2, 28, 27, 38, 8, 38],
    [-20, 40, 23, -1, -28, 24, 37, 53, -25, 63, 21, -13, 36, 36, -19, 35, 63, 40, -1, 0, -2, 33, 37, 56, 5, 63],
    [-25, -3, 17, 30, -28, 41, 43, 42, -17, 56, 56, 20, -2, 24, -21, -14, 49, 56, -1, 24, 4, 42, 35, 49, 30, 56],
    [-7, 50, -5, -17, -20, 16, -18, 45, -9, 52, 7, 18, 28, 7, -5, 28, 57, 42, -14, -22, 13, 15, 37, 48, 19, 46],
    [16, 5, 1, -2, 27, 19, 12, 44, 23, 50, 14, -6, -12, -28, 5, 2, 63, -21, -1, -4, -9, 5, -3, 23, 45, 53],
    [-20, 35, 18, 17, -22, 41, 44, 5, -3, 55, 44, -17, 31, 27, -16, -7, 55, -22, 4, -6, -3, 34, 38, 55, 28, 55],
    [13, 19, 19, 19, 19, 19, 19, 19, 4, 19, 19, -9, 3, 19, 13, 19, 19, 19, 19, 13, -44, 19, 19, 19, 19, 19],
    [-17, 37, 9, 3, -29, 28, 12, 57, -18, 53, 12, 27, 6, 9, -19, 24, 50, 10, -10, -9, 11, 14, 38, 68, 2, 47],
    [-5, 31, -3, 30, -25, 45, 42, -2, -18, 64, 10, 14, 16, 25, -6, 3, 35, 32, -12, -26, -8, 32, 12, 48, 14, 64],
    [-15, 35, 14, 32, -31, 37, 40, -12, -23, 68, 68, 19, 37, 35, -11, 25, 68, -10, -13, 4, 6, 62, 24, 47, 6, 39],
    [-3, 0, 4, -2, -8, 26, 8, 42, 4, 43, 45, -10, -7, -23, 31, -5, 56, -21, -14, -15, 50, 32, 50, 34, 30, 50],
    [-19, 43, 43, 37, -43, 43, 33, 43, -26, 43, 43, 30, 30, 27, -6, 43, 43, 37, 32, 43, 32, 43, 43, 37, 43, 43],
    [-26, 43, 43, 37, -25, 43, 43, -19, -20, 43, 43, 13, 29, -11, -14, 37, 43, -5, -4, 43, 15, 43, 26, 43, 32, 43],
    [-10, 20, -10, 20, -12, 14, 16, 27, -22, 27, 27, 8, 5, 27, 10, -24, 27, 27, 20, -26, 27, 27, 27, 12, 5, 27],
    [-10, 0, -3, 25, -14, 25, 12, 32, 2, 32, 32, 4, 2, 0, -13, -13, 32, 11, -25, -14, 2, 32, 5, 25, 32, 18],
    [-16, 5, 9, 9, -29, 19, 19, -10, -16, 19, 19, 19, 19, 19, -6, 12, 19, 19, 0, -2, 5, 19, 19, 19, -2, -1],
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    /// Texts of the book, and the columns of facts that hold names and not where they are from.
    fn texts(root: &Path) -> Vec<String> {
        let mut files: Vec<PathBuf> = ["README", "ARCHITECTURE", "CONTRIBUTING", "THREAT_MODEL", "CHANGELOG"]
            .iter()
            .map(|name| root.join(format!("{name}.md")))
            .collect();
        let mut folders = vec![root.join("docs")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
                if entry.is_dir() {
                    folders.push(entry);
                } else if entry.extension().is_some_and(|e| e == "md") {
                    files.push(entry);
                }
            }
        }
        files.sort();
        let mut out: Vec<String> = files.iter().map(|f| fs::read_to_string(f).unwrap()).collect();
        for name in [
            "organisations",
            "brands",
            "countries",
            "products",
            "compelling_law",
            "parts/makers",
            "parts/words",
            "identifiers/usb_vendors",
            "identifiers/oui",
            "identifiers/mcc_mnc",
            "identifiers/fcc",
            "identifiers/endpoints",
        ] {
            let mut rows = csv::Reader::from_path(root.join(format!("knowledge/{name}.csv"))).unwrap();
            let heads = rows.headers().unwrap().clone();
            for row in rows.records().map(|r| r.unwrap()) {
                let cells = heads.iter().zip(&row).filter(|(head, _)| !["source", "status", "id", "confidence"].contains(head));
                out.push(cells.map(|(_, cell)| cell).collect::<Vec<_>>().join(" "));
            }
        }
        out
    }

    /// The table as it is counted from them. A word counts once and a little more for each time again; an abbreviation is none.
    fn counted() -> Vec<Vec<f64>> {
        let mut words: BTreeMap<String, f64> = BTreeMap::new();
        for text in texts(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")) {
            for word in text.split(|c: char| !c.is_ascii_alphabetic()).filter(|w| w.len() >= 3) {
                if word.len() >= 6 || word.bytes().any(|b| b.is_ascii_lowercase()) {
                    *words.entry(word.to_ascii_lowercase()).or_default() += 1.0;
                }
            }
        }
        let mut pairs = vec![vec![0.0; 26]; 27];
        for (word, n) in &words {
            let mut before = 0;
            for b in word.bytes() {
                let letter = usize::from(b - b'a');
                pairs[before][letter] += 1.0 + n.ln();
                before = letter + 1;
            }
        }
        for row in &mut pairs {
            let all: f64 = row.iter().sum::<f64>() + 52.0;
            row.iter_mut().for_each(|n| *n = (1.0_f64 / 26.0).ln() - ((*n + 2.0) / all).ln());
        }
        pairs
    }

    #[test]
    fn the_table_is_what_is_counted() {
        let counted = counted();
        if std::env::var_os("UMBILICAL_BLESS").is_some() {
            let row = |row: &Vec<f64>| row.iter().map(|v| format!("{:.0}", v * UNIT)).collect::<Vec<_>>().join(", ");
            counted.iter().for_each(|r| println!("    [{}],", row(r)));
        }
        let far = |(a, b): (&f64, &i8)| (a - f64::from(*b) / UNIT).abs();
        let off: f64 = counted.iter().flatten().zip(LETTERS.iter().flatten()).map(far).sum::<f64>() / 702.0;
        assert!(off < 0.15, "the table is off by {off} on average: the book has changed much (UMBILICAL_BLESS=1 prints it anew)");
    }

    #[test]
    fn words_are_plain_and_chance_is_odd() {
        for label in [
            "www",
            "connectivitycheck",
            "mobileanalytics",
            "us-east-1",
            "skypedataprdcolneu04",
            "fahrkartenautomat",
            "shanghaitelecom",
            "ec2-203-0-113-245",
            "android-clients",
            "time4",
            "1543133972",
            "semanticlocation-pa",
            "eu-central-2",
            "xn--bcher-kva",
            "northeurope",
            "videowall365",
            "netzbetreiber",
            "guangzhou",
        ] {
            assert!(matches!(Label::of(label), Label::Plain | Label::Number), "{label}: {}", odds(label));
        }
        for label in [
            "suxqnuduzbztt",
            "9f86d081884c7d659a2f",
            "mfrggzdfmztwq2lk",
            "x7k2p9q4w1z8",
            "qzvkxwjhbd",
            "1029384756102938475610",
            "aébßqx÷12",
        ] {
            assert_eq!(Label::of(label), Label::Odd, "{label}: {}", odds(label));
        }
        assert_eq!(Label::of("_dmarc"), Label::Service);
        assert_eq!(odds(""), 0.0);
    }

    proptest::proptest! {
        #[test]
        fn odds_are_numbers(label in "\\PC{0,80}") {
            proptest::prop_assert!(odds(&label).is_finite());
            Label::of(&label);
        }
    }
}
