//! One loader for every fact table: a header, rows with a source and a status, typed errors that name
//! file, line, column and the offending text.

use std::borrow::Cow;
use std::fmt;

use umbilical_core::date::Loose;

/// A table's name and text, embedded or read from a folder.
#[derive(Clone, Debug)]
pub struct File {
    /// Path below `knowledge/`, e.g. `identifiers/usb.csv`.
    pub name: &'static str,
    /// The CSV text.
    pub text: Cow<'static, str>,
}

/// Where a row comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The citation as the table gives it; never empty.
    pub text: Box<str>,
    /// False when nobody has confirmed the row: it weighs less and is shown with its mark.
    pub verified: bool,
    /// Line of the row in its file (1 = header).
    pub line: u32,
}

/// What is wrong with a table. Every message is a fragment that fits after "failed to load knowledge: ".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {problem}")]
pub struct TableError {
    /// The table.
    pub file: String,
    /// Line in it, 1-based.
    pub line: u64,
    /// What is wrong there.
    pub problem: Problem,
}

/// The kinds of mistakes in a table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A row is too long or too short.
    #[error("{found} fields where the header has {expected}")]
    FieldCount {
        /// Fields in the header.
        expected: u64,
        /// Fields in the row.
        found: u64,
    },
    /// The header lacks a column.
    #[error("no column `{0}` in the header")]
    NoColumn(&'static str),
    /// A cell that must be filled is empty.
    #[error("column `{0}` is empty")]
    Empty(&'static str),
    /// A row without a source.
    #[error("no source: every row says where it comes from")]
    NoSource,
    /// A row marked verified whose source nobody outside has checked.
    #[error("`verified`, but `{0}` names nothing that was checked: mark the row `unverified` or name a public source")]
    Unchecked(String),
    /// A word outside the column's vocabulary.
    #[error("column `{column}`: `{text}` is none of {allowed}")]
    Unknown {
        /// The column.
        column: &'static str,
        /// The cell.
        text: String,
        /// The vocabulary.
        allowed: &'static str,
    },
    /// A cell that is no date.
    #[error("column `{column}`: `{text}` is no date: write YYYY-MM-DD, YYYY-MM or YYYY")]
    Date {
        /// The column.
        column: &'static str,
        /// The cell.
        text: String,
    },
    /// `from` is not before `to`.
    #[error("`{from}` is not before `{to}`")]
    Order {
        /// Start.
        from: String,
        /// End.
        to: String,
    },
    /// A cell that is no number of the wanted form.
    #[error("column `{column}`: `{text}` is not {wanted}")]
    Number {
        /// The column.
        column: &'static str,
        /// The cell.
        text: String,
        /// The form wanted.
        wanted: &'static str,
    },
    /// A reference to a row that does not exist.
    #[error("column `{column}`: `{text}` is not in {target}")]
    Dangling {
        /// The column.
        column: &'static str,
        /// The cell.
        text: String,
        /// The table that should have it.
        target: &'static str,
    },
    /// A regular expression that does not compile.
    #[error("column `regex`: `{text}`: {reason}")]
    Regex {
        /// The expression.
        text: String,
        /// The compiler's reason.
        reason: String,
    },
    /// A pattern that does not find what its example shows.
    #[error("the example `{example}` gives {found}, expected `{expected}`")]
    Example {
        /// The example.
        example: String,
        /// The model expected.
        expected: String,
        /// What came out.
        found: String,
    },
    /// Two rows with one key.
    #[error("`{0}` stands here and in an earlier row")]
    Duplicate(String),
    /// Broken CSV.
    #[error("{0}")]
    Csv(String),
    /// The file could not be read.
    #[error("could not be read: {0}")]
    Unreadable(String),
}

/// A row type and the table it lives in.
pub(crate) trait FromRow: Sized {
    /// The table below `knowledge/`.
    const FILE: &'static str;
    /// One typed row.
    fn from_row(row: &Row<'_>) -> Result<Self, Problem>;
}

/// One row under its header.
pub(crate) struct Row<'a> {
    header: &'a csv::StringRecord,
    record: &'a csv::StringRecord,
    line: u64,
}

impl<'a> Row<'a> {
    /// The trimmed cell; an error when the table lacks the column.
    pub fn cell(&self, column: &'static str) -> Result<&'a str, Problem> {
        let at = self.header.iter().position(|h| h == column).ok_or(Problem::NoColumn(column))?;
        Ok(self.record.get(at).unwrap_or_default().trim())
    }

    /// The cell as owned text, possibly empty.
    pub fn text(&self, column: &'static str) -> Result<Box<str>, Problem> {
        self.cell(column).map(Box::from)
    }

    /// The cell, which must be filled.
    pub fn required(&self, column: &'static str) -> Result<Box<str>, Problem> {
        match self.cell(column)? {
            "" => Err(Problem::Empty(column)),
            text => Ok(text.into()),
        }
    }

    /// The cell, `None` when empty.
    pub fn opt(&self, column: &'static str) -> Result<Option<Box<str>>, Problem> {
        Ok(Some(self.cell(column)?).filter(|t| !t.is_empty()).map(Box::from))
    }

    /// The parts of a `;` list.
    pub fn list(&self, column: &'static str) -> Result<Vec<Box<str>>, Problem> {
        Ok(self.cell(column)?.split(';').map(str::trim).filter(|t| !t.is_empty()).map(Box::from).collect())
    }

    /// A day, month or year; `None` when empty.
    pub fn date(&self, column: &'static str) -> Result<Option<Loose>, Problem> {
        match self.cell(column)? {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| Problem::Date { column, text: text.to_owned() }),
        }
    }

    /// `from` and `to`, in that order.
    pub fn span(&self) -> Result<(Option<Loose>, Option<Loose>), Problem> {
        let (from, to) = (self.date("from")?, self.date("to")?);
        match (from, to) {
            (Some(f), Some(t)) if f.earliest() >= t.latest() => Err(Problem::Order { from: f.to_string(), to: t.to_string() }),
            _ => Ok((from, to)),
        }
    }

    /// Four hex digits.
    pub fn hex16(&self, column: &'static str) -> Result<u16, Problem> {
        let text = self.cell(column)?;
        hex16(text).ok_or_else(|| Problem::Number { column, text: text.to_owned(), wanted: "four hex digits" })
    }

    /// Four hex digits or nothing.
    pub fn opt_hex16(&self, column: &'static str) -> Result<Option<u16>, Problem> {
        if self.cell(column)?.is_empty() { Ok(None) } else { self.hex16(column).map(Some) }
    }

    /// A decimal number.
    pub fn number<T: std::str::FromStr>(&self, column: &'static str) -> Result<T, Problem> {
        let text = self.cell(column)?;
        text.parse().map_err(|_| Problem::Number { column, text: text.to_owned(), wanted: "a number" })
    }

    /// `yes` or `no`.
    pub fn yes(&self, column: &'static str) -> Result<bool, Problem> {
        match self.cell(column)? {
            "yes" => Ok(true),
            "no" => Ok(false),
            text => Err(Problem::Unknown { column, text: text.to_owned(), allowed: "yes, no" }),
        }
    }

    /// A word of the column's vocabulary.
    pub fn word<T: Word>(&self, column: &'static str) -> Result<T, Problem> {
        let text = self.cell(column)?;
        T::from_name(text).ok_or_else(|| Problem::Unknown { column, text: text.to_owned(), allowed: T::ALLOWED })
    }

    /// A `;` list of words.
    pub fn words<T: Word>(&self, column: &'static str) -> Result<Vec<T>, Problem> {
        let parse = |text: &str| T::from_name(text).ok_or_else(|| Problem::Unknown { column, text: text.to_owned(), allowed: T::ALLOWED });
        self.cell(column)?.split(';').map(str::trim).filter(|t| !t.is_empty()).map(parse).collect()
    }

    /// `source` and `status`; a row without a source is an error.
    pub fn source(&self) -> Result<Source, Problem> {
        let text = self.cell("source")?;
        if text.is_empty() {
            return Err(Problem::NoSource);
        }
        let verified = self.word::<Status>("status")? == Status::Verified;
        if verified && !checkable(text) {
            return Err(Problem::Unchecked(text.to_owned()));
        }
        Ok(Source { text: text.into(), verified, line: u32::try_from(self.line).unwrap_or(u32::MAX) })
    }
}

/// Whether one part at least of a source (parts stand between `|` or `;`) is neither marked as unchecked nor a
/// reference to another of these tables, which proves nothing by itself.
fn checkable(source: &str) -> bool {
    const UNCHECKED: [&str; 8] = [
        "public source text",
        "not re-checked",
        "not checked",
        "unverified",
        "(identifiers/",
        "naming rule",
        "vendor product naming",
        "general knowledge",
    ];
    let outside = |part: &str| !part.is_empty() && !part.starts_with("USB id") && !part.starts_with("PCI id");
    source.split(['|', ';']).map(str::trim).any(|part| outside(part) && !UNCHECKED.iter().any(|word| part.contains(word)))
}

/// Four hex digits as a number.
pub(crate) fn hex16(text: &str) -> Option<u16> {
    (text.len() == 4 && text.bytes().all(|b| b.is_ascii_hexdigit())).then(|| u16::from_str_radix(text, 16).ok()).flatten()
}

/// A closed vocabulary of a column.
pub trait Word: Sized + Copy {
    /// The words, for error messages.
    const ALLOWED: &'static str;
    /// The value of a word.
    fn from_name(name: &str) -> Option<Self>;
    /// The word.
    fn name(self) -> &'static str;
}

/// Declares an enum whose values are the words of a column.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vmeta])* $variant),+ }
        impl $crate::table::Word for $name {
            const ALLOWED: &'static str = concat!($("`", $word, "` "),+);
            fn from_name(name: &str) -> Option<Self> {
                match name { $($word => Some(Self::$variant),)+ _ => None }
            }
            fn name(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str($crate::table::Word::name(*self))
            }
        }
    };
}
pub(crate) use words;

words! {
    /// Whether somebody confirmed a row.
    Status {
        /// A named, checkable source was read.
        Verified = "verified",
        /// It was not: general knowledge, a rule, or a source that is not public.
        Unverified = "unverified",
    }
}

words! {
    /// How sure the collector of a row was.
    Confidence {
        /// Read in a primary source.
        High = "high",
        /// Secondary source or plausible inference.
        Medium = "medium",
        /// A candidate to be checked.
        Low = "low",
    }
}

/// Parses a whole table.
pub(crate) fn load<T: FromRow>(file: &File) -> Result<Vec<T>, TableError> {
    let fail = |line: u64, problem: Problem| TableError { file: file.name.to_owned(), line, problem };
    let text = file.text.strip_prefix('\u{feff}').unwrap_or(&file.text);
    let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
    let header = reader.headers().map_err(|e| fail(1, Problem::Csv(e.to_string())))?.clone();
    let mut record = csv::StringRecord::new();
    let mut rows = Vec::new();
    loop {
        match reader.read_record(&mut record) {
            Ok(false) => return Ok(rows),
            Ok(true) => {
                let line = record.position().map_or(0, csv::Position::line);
                let row = Row { header: &header, record: &record, line };
                rows.push(T::from_row(&row).map_err(|problem| fail(line, problem))?);
            }
            Err(error) => return Err(csv_error(file.name, &error)),
        }
    }
}

fn csv_error(file: &str, error: &csv::Error) -> TableError {
    let line = error.position().map_or(0, csv::Position::line);
    let problem = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => Problem::FieldCount { expected: *expected_len, found: *len },
        _ => Problem::Csv(error.to_string()),
    };
    TableError { file: file.to_owned(), line, problem }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        if self.verified { Ok(()) } else { f.write_str(" (unverified)") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Sample;
    impl FromRow for Sample {
        const FILE: &'static str = "sample.csv";
        fn from_row(row: &Row<'_>) -> Result<Self, Problem> {
            row.required("id")?;
            row.hex16("hex")?;
            row.span()?;
            row.yes("flag")?;
            row.word::<Confidence>("confidence")?;
            row.source()?;
            Ok(Self)
        }
    }

    fn problem(rows: &str) -> String {
        let text = format!("id,hex,from,to,flag,confidence,source,status\n{rows}\n");
        let file = File { name: Sample::FILE, text: text.into() };
        load::<Sample>(&file).map(|_| ()).map_err(|e| e.to_string()).err().unwrap_or_default()
    }

    #[test]
    fn a_good_row_loads() {
        assert_eq!(problem("a,2c7c,2020,2024-07-26,yes,high,a paper,verified"), "");
        assert_eq!(problem("a,2c7c,,,yes,high,TAC 1 public source text; not re-checked | a paper,verified"), "");
        assert_eq!(problem("a,2c7c,,,yes,high,public source text; not re-checked,unverified"), "");
    }

    #[test]
    fn each_mistake_names_file_line_column_and_text() {
        let cases = [
            ("a,2c7c", "sample.csv:2: 2 fields where the header has 8"),
            (",2c7c,,,yes,high,s,verified", "sample.csv:2: column `id` is empty"),
            ("a,2c7,,,yes,high,s,verified", "sample.csv:2: column `hex`: `2c7` is not four hex digits"),
            ("a,2c7c,2020-13,,yes,high,s,verified", "sample.csv:2: column `from`: `2020-13` is no date: write YYYY-MM-DD, YYYY-MM or YYYY"),
            ("a,2c7c,2024-07-26,2020,yes,high,s,verified", "sample.csv:2: `2024-07-26` is not before `2020`"),
            ("a,2c7c,,,si,high,s,verified", "sample.csv:2: column `flag`: `si` is none of yes, no"),
            ("a,2c7c,,,no,sure,s,verified", "sample.csv:2: column `confidence`: `sure` is none of `high` `medium` `low` "),
            ("a,2c7c,,,no,low,,verified", "sample.csv:2: no source: every row says where it comes from"),
            (
                "a,2c7c,,,no,low,TAC 1 public source text; not re-checked | USB id 2c7c:0125 (identifiers/usb.csv),verified",
                "sample.csv:2: `verified`, but `TAC 1 public source text; not re-checked | USB id 2c7c:0125 (identifiers/usb.csv)` names nothing that was checked: mark the row `unverified` or name a public source",
            ),
            ("a,2c7c,,,no,low,s,", "sample.csv:2: column `status`: `` is none of `verified` `unverified` "),
        ];
        for (rows, expected) in cases {
            assert_eq!(problem(rows), expected);
        }
    }

    #[test]
    fn a_missing_column_is_named() {
        let file = File { name: Sample::FILE, text: "id,source,status\na,s,verified\n".into() };
        let error = load::<Sample>(&file).unwrap_err();
        assert_eq!(error.to_string(), "sample.csv:2: no column `hex` in the header");
    }
}
