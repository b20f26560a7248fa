//! Delimited text, record by record.
//!
//! Written here rather than taken from the `csv` crate for two reasons: a record is capped while it is read (a quote
//! that is never closed makes that crate hold the rest of the file), and a line without quotes is split by `memchr`
//! alone, which halves the time of a million-row export. The tests hold it against `csv`.

use std::borrow::Cow;
use std::io::{self, BufRead};
use std::ops::Range;

use memchr::{memchr, memchr_iter};

/// The longest record that is read.
pub(super) const MAX_RECORD: usize = 1 << 20;
/// The most fields of a record that are told apart.
const MAX_FIELDS: usize = 4096;

/// How a text is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    /// Between fields; `None` for a single column.
    pub delimiter: Option<u8>,
    /// At line ends: LF (with or without CR), or CR alone in old files.
    pub end: u8,
}

/// One record.
pub(super) struct Row<'a> {
    /// The line of the text on which it begins: behind cells of several lines no longer its own number.
    pub line_number: u32,
    line: &'a str,
    /// Fields with doubled quotes, written out.
    extra: &'a str,
    fields: &'a [(Range<usize>, bool)],
}

impl<'a> Row<'a> {
    /// A field; empty where there is none.
    pub fn get(&self, column: usize) -> &'a str {
        match self.fields.get(column) {
            Some((range, false)) => self.line.get(range.clone()).unwrap_or_default(),
            Some((range, true)) => self.extra.get(range.clone()).unwrap_or_default(),
            None => "",
        }
    }

    /// The number of fields.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether nothing stands in any field.
    pub fn is_blank(&self) -> bool {
        (0..self.len()).all(|i| self.get(i).trim().is_empty())
    }
}

/// What is met while reading records.
pub(super) enum Met<'a> {
    /// A record and its number, counted from 1; empty lines count too.
    Row(u32, Row<'a>),
    /// A line longer than [`MAX_RECORD`]: skipped.
    TooLong(u32),
    /// A quote that is opened and not closed within [`MAX_RECORD`] or until the end: from here on quotes do not join lines.
    OpenQuote(u32),
}

/// Calls `each` for every record of a stream.
pub(super) fn for_each_row(reader: &mut dyn BufRead, form: Form, mut each: impl FnMut(Met<'_>)) -> io::Result<()> {
    let mut splitter =
        Splitter { form, n: 0, lines: 0, began: 0, joins: true, pending: None, in_vain: 0, fields: Vec::new(), extra: String::new() };
    let mut carry: Vec<u8> = Vec::new();
    let mut skipping = false;
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            break;
        }
        let used = buffer.len();
        let mut rest = buffer;
        while let Some(end) = memchr(form.end, rest) {
            let (line, tail) = rest.split_at_checked(end).unwrap_or((rest, &[]));
            rest = tail.get(1..).unwrap_or_default();
            if std::mem::take(&mut skipping) {
                carry.clear();
            } else if carry.is_empty() {
                splitter.line(line, &mut each);
            } else {
                carry.extend_from_slice(line);
                splitter.line(&carry, &mut each);
                carry.clear();
            }
        }
        if !skipping {
            carry.extend_from_slice(rest);
            if carry.len() > MAX_RECORD {
                splitter.too_long(&mut each);
                carry = Vec::new();
                skipping = true;
            }
        }
        reader.consume(used);
    }
    if !carry.is_empty() {
        splitter.line(&carry, &mut each);
    }
    splitter.finish(&mut each);
    Ok(())
}

struct Splitter {
    form: Form,
    n: u32,
    /// Lines so far, and the one on which the record begins.
    lines: u32,
    began: u32,
    /// Whether a quote may join lines into one record.
    joins: bool,
    /// A record that a quote holds open: its text so far and its number.
    pending: Option<(Vec<u8>, u32)>,
    /// How many bytes have been split in vain for it.
    in_vain: usize,
    fields: Vec<(Range<usize>, bool)>,
    extra: String,
}

impl Splitter {
    fn line(&mut self, line: &[u8], each: &mut impl FnMut(Met<'_>)) {
        self.lines = self.lines.saturating_add(1);
        let Some((mut held, n)) = self.pending.take() else {
            self.n = self.n.saturating_add(1);
            self.began = self.lines;
            let n = self.n;
            if !self.split(line, n, each) {
                self.pending = Some((line.to_vec(), n));
                self.in_vain = 0;
            }
            return;
        };
        held.push(b'\n');
        held.extend_from_slice(line);
        // An even number of quotes in a line changes nothing for the record that is open.
        if memchr_iter(b'"', line).count() % 2 == 1 {
            if self.split(&held, n, each) {
                return;
            }
            self.in_vain = self.in_vain.saturating_add(held.len());
        }
        if held.len() > MAX_RECORD || self.in_vain > 8 * MAX_RECORD {
            self.give_up(&held, n, each);
        } else {
            self.pending = Some((held, n));
        }
    }

    fn too_long(&mut self, each: &mut impl FnMut(Met<'_>)) {
        if let Some((held, n)) = self.pending.take() {
            self.give_up(&held, n, each);
        }
        self.n = self.n.saturating_add(1);
        self.lines = self.lines.saturating_add(1);
        each(Met::TooLong(self.n));
    }

    fn finish(&mut self, each: &mut impl FnMut(Met<'_>)) {
        if let Some((held, n)) = self.pending.take() {
            self.give_up(&held, n, each);
        }
    }

    /// Reads the lines held by an open quote as lines of their own, and trusts no quote to join lines any more.
    fn give_up(&mut self, held: &[u8], n: u32, each: &mut impl FnMut(Met<'_>)) {
        each(Met::OpenQuote(n));
        self.joins = false;
        self.n = n.saturating_sub(1);
        for line in held.split(|b| *b == b'\n') {
            self.n = self.n.saturating_add(1);
            let n = self.n;
            self.split(line, n, each);
            self.began = self.began.saturating_add(1);
        }
    }

    /// Splits a record; `false` where a quote is still open.
    fn split(&mut self, bytes: &[u8], n: u32, each: &mut impl FnMut(Met<'_>)) -> bool {
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        let mut text = match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => String::from_utf8_lossy(bytes),
        };
        if memchr(0, bytes).is_some() {
            text = Cow::Owned(text.replace('\0', ""));
        }
        let line: &str = &text;
        self.fields.clear();
        self.extra.clear();
        let raw = line.as_bytes();
        match self.form.delimiter {
            None => self.fields.push(unquoted(line, 0..line.len())),
            Some(delimiter) if memchr(b'"', raw).is_none() => {
                let mut start = 0usize;
                for end in memchr_iter(delimiter, raw) {
                    self.fields.push((start..end, false));
                    start = end.saturating_add(1);
                    if self.fields.len() >= MAX_FIELDS {
                        break;
                    }
                }
                self.fields.push((start..line.len(), false));
            }
            Some(delimiter) => {
                if !self.quoted(line, delimiter) {
                    return false;
                }
            }
        }
        each(Met::Row(n, Row { line_number: self.began, line, extra: &self.extra, fields: &self.fields }));
        true
    }

    /// Splits a record that has quotes in it (RFC 4180: a quote opens at the beginning of a field only).
    fn quoted(&mut self, line: &str, delimiter: u8) -> bool {
        let raw = line.as_bytes();
        let mut at = 0usize;
        loop {
            let rest = raw.get(at..).unwrap_or_default();
            if rest.first() != Some(&b'"') {
                let len = memchr(delimiter, rest).unwrap_or(rest.len());
                self.fields.push((at..at.saturating_add(len), false));
                at = at.saturating_add(len);
            } else {
                let mut from = at.saturating_add(1);
                let start = from;
                let copy = self.extra.len();
                let mut copied = false;
                loop {
                    let Some(len) = raw.get(from..).and_then(|r| memchr(b'"', r)) else {
                        if self.joins {
                            return false;
                        }
                        // Never closed: the field is what stands behind the quote up to the next delimiter.
                        self.extra.truncate(copy);
                        let len = raw.get(start..).and_then(|r| memchr(delimiter, r)).unwrap_or(raw.len().saturating_sub(start));
                        self.fields.push((start..start.saturating_add(len), false));
                        at = start.saturating_add(len);
                        break;
                    };
                    let quote = from.saturating_add(len);
                    let after = quote.saturating_add(1);
                    if raw.get(after) == Some(&b'"') {
                        self.extra.push_str(line.get(from..after).unwrap_or_default());
                        copied = true;
                        from = after.saturating_add(1);
                        continue;
                    }
                    // What stands between the closing quote and the delimiter belongs to the field, as in `"a"b`.
                    let tail = raw.get(after..).map_or(0, |r| memchr(delimiter, r).unwrap_or(r.len()));
                    let end = after.saturating_add(tail);
                    if copied || tail > 0 {
                        self.extra.push_str(line.get(from..quote).unwrap_or_default());
                        self.extra.push_str(line.get(after..end).unwrap_or_default());
                        self.fields.push((copy..self.extra.len(), true));
                    } else {
                        self.fields.push((start..quote, false));
                    }
                    at = end;
                    break;
                }
            }
            if raw.get(at) != Some(&delimiter) || self.fields.len() >= MAX_FIELDS {
                return true;
            }
            at = at.saturating_add(1);
        }
    }
}

fn unquoted(line: &str, range: Range<usize>) -> (Range<usize>, bool) {
    let quoted = line.len() >= 2 && line.starts_with('"') && line.ends_with('"');
    (if quoted { 1..line.len().saturating_sub(1) } else { range }, false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows(bytes: &[u8], delimiter: u8) -> (Vec<Vec<String>>, Vec<String>) {
        let (mut out, mut odd) = (Vec::new(), Vec::new());
        let form = Form { delimiter: Some(delimiter), end: b'\n' };
        // A small buffer, so that lines cross its borders.
        let mut reader = io::BufReader::with_capacity(7, bytes);
        for_each_row(&mut reader, form, |met| match met {
            Met::Row(_, row) => out.push((0..row.len()).map(|i| row.get(i).to_owned()).collect()),
            Met::TooLong(n) => odd.push(format!("long {n}")),
            Met::OpenQuote(n) => odd.push(format!("open {n}")),
        })
        .unwrap();
        (out, odd)
    }

    #[test]
    fn quotes() {
        assert_eq!(rows(b"a,\"b,c\",\"d\"\"e\"\r\n\"f\ng\",h,\n", b',').0, [vec!["a", "b,c", "d\"e"], vec!["f\ng", "h", ""]]);
        assert_eq!(rows(b"5\" disk;x\n", b';').0, [["5\" disk", "x"]]);
    }

    #[test]
    fn an_open_quote_costs_no_row() {
        let (got, odd) = rows(b"a,b\n1,\"2\n3,4\n5,6\n", b',');
        assert_eq!(got, [["a", "b"], ["1", "2"], ["3", "4"], ["5", "6"]]);
        assert_eq!(odd, ["open 2"]);
    }

    #[test]
    fn a_long_line_is_skipped_and_an_open_quote_over_megabytes_is_given_up() {
        let mut bytes = b"a,b\n".to_vec();
        bytes.resize(3 * MAX_RECORD, b'x');
        bytes.extend_from_slice(b"\n1,2\n\"");
        let before = bytes.len();
        while bytes.len() < before + 2 * MAX_RECORD {
            bytes.extend_from_slice(b"1,2\n");
        }
        let (got, odd) = rows(&bytes, b',');
        assert_eq!(odd, ["long 2", "open 4"]);
        assert_eq!(got.len(), 2 + 2 * MAX_RECORD / 4);
        assert!(got.iter().skip(1).all(|r| r == &["1", "2"]));
    }

    #[test]
    fn quotes_made_to_be_split_again_and_again_take_no_time() {
        let took = |n: usize| {
            let bytes = "\",a\",\"\n".repeat(n);
            let before = std::time::Instant::now();
            assert!(rows(bytes.as_bytes(), b',').0.len() >= n);
            before.elapsed()
        };
        // Four times as much, in a time that does not grow with the square.
        let (some, more) = (took(200_000), took(800_000));
        assert!(more < some * 10 + std::time::Duration::from_millis(300), "{some:?}, {more:?}");
    }

    proptest! {
        #[test]
        fn as_the_csv_crate_reads(table in proptest::collection::vec(proptest::collection::vec("[a-z\" ,;\n\t9é]{0,6}", 2..5), 1..6), delimiter in prop_oneof![Just(b','), Just(b';'), Just(b'\t')]) {
            let mut writer = csv::WriterBuilder::new().delimiter(delimiter).flexible(true).from_writer(Vec::new());
            for row in &table {
                writer.write_record(row).unwrap();
            }
            let bytes = writer.into_inner().unwrap();
            let (got, odd) = rows(&bytes, delimiter);
            prop_assert!(odd.is_empty());
            prop_assert_eq!(got, table);
        }

        #[test]
        fn any_bytes(bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'"'), Just(b','), Just(b'\n')], 0..300)) {
            let (got, _) = rows(&bytes, b',');
            let lines = bytes.iter().filter(|b| **b == b'\n').count() + 1;
            prop_assert!(got.len() <= lines);
        }
    }
}
