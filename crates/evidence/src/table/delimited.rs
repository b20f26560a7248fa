//! Delimited text: CSV, TSV, semicolons, pipes, or one identifier a line.

use std::io;

use umbilical_core::{At, Observations};

use super::bom::{self, Parts};
use super::field::{Known, recognise};
use super::mapper::{Mapper, header_row, identifier};
use super::rows::{Form, Met, for_each_row};
use crate::earlier::Columns;
use crate::{Context, Head, Purpose, Reader, Source};

/// How many records are looked at before the columns are decided.
const SAMPLE: usize = 200;
/// And how many bytes of them at most.
const SAMPLE_BYTES: usize = 4 << 20;

/// The reader of delimited text.
pub struct TableReader;

impl Reader for TableReader {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn about(&self) -> &'static str {
        "Tables as text: exports of SIM platforms, device management, registers and monitors as CSV, TSV or with any other delimiter; lists of identifiers."
    }

    fn sniff(&self, head: &Head<'_>) -> u8 {
        head.text.as_deref().map_or(0, |text| guess(text, head.whole).1)
    }

    fn read(&self, source: &mut Source<'_>, cx: &Context<'_>, out: &mut Observations) -> io::Result<()> {
        let form = {
            let head = source.head("");
            head.text.as_deref().map_or(Form { delimiter: Some(b','), end: b'\n' }, |text| guess(text, head.whole).0)
        };
        if let (Some(b'\t'), Some(input)) = (form.delimiter, out.inputs.last_mut()) {
            input.format = "tsv".into();
        }
        let mut table = Table {
            cx,
            form,
            mapper: None,
            parts: None,
            earlier: None,
            passed_over: false,
            sample: Vec::new(),
            bytes: 0,
            width: 0,
            read: 0,
            odd: 0,
        };
        for_each_row(&mut *source.utf8(), form, |met| match met {
            Met::Row(_, row) if table.parts.is_some() => {
                if let Some(parts) = &mut table.parts
                    && !is_rule(row.len(), |i| row.get(i))
                {
                    parts.row(At::line(row.line_number), row.len(), |i| row.get(i), out);
                }
            }
            Met::Row(n, row) if table.earlier.is_some() => {
                if let Some(earlier) = &mut table.earlier {
                    earlier.row(At::row(n), |i| row.get(i), out);
                }
            }
            Met::Row(n, row) => match &mut table.mapper {
                Some(_) if table.passed_over => {}
                Some(mapper) => {
                    let at = At::row(n);
                    let width = table.width;
                    let fits = row.len() == width || fits(at, row.len(), width, |i| row.get(i), &mut table.odd, out);
                    if fits {
                        table.read = table.read.saturating_add(1);
                        mapper.row(at, |i| row.get(i), out);
                    }
                }
                None => {
                    if !row.is_blank() {
                        let cells: Vec<String> = (0..row.len()).map(|i| row.get(i).to_owned()).collect();
                        table.bytes =
                            table.bytes.saturating_add(cells.iter().map(|c| c.len().saturating_add(24)).fold(0, usize::saturating_add));
                        table.sample.push(((n, row.line_number), cells));
                    }
                    if table.sample.len() >= SAMPLE || table.bytes >= SAMPLE_BYTES {
                        table.decide(out);
                    }
                }
            },
            Met::TooLong(n) => out.problem(At::row(n), "this line is longer than 1 MiB: it is skipped"),
            Met::OpenQuote(n) => {
                out.problem(At::row(n), "a quote is opened here and never closed: from here on each line is read as a row of its own")
            }
        })?;
        if table.mapper.is_none() && table.parts.is_none() && table.earlier.is_none() {
            table.decide(out);
        }
        match (table.earlier.take(), table.parts.take()) {
            (Some(earlier), _) => earlier.finish(out),
            (None, Some(parts)) => parts.finish(out),
            (None, None) => table.finish(out),
        }
        Ok(())
    }
}

struct Table<'a, 'k> {
    cx: &'a Context<'k>,
    form: Form,
    mapper: Option<Mapper<'k>>,
    parts: Option<Parts>,
    /// It is an answer of this program.
    earlier: Option<Columns>,
    /// Parts were asked for, and there are none.
    passed_over: bool,
    /// Rows with the number of the record and of its line.
    sample: Vec<((u32, u32), Vec<String>)>,
    bytes: usize,
    width: usize,
    read: u32,
    odd: u32,
}

impl Table<'_, '_> {
    /// The first rows are in: finds the header, decides the columns, and reads what has been held back.
    fn decide(&mut self, out: &mut Observations) {
        let sample = std::mem::take(&mut self.sample);
        let (numbers, rows): (Vec<(u32, u32)>, Vec<Vec<String>>) = sample.into_iter().unzip();
        if let Some((header, mut earlier)) = Columns::find(&rows).filter(|_| self.cx.purpose == Purpose::Fleet && self.cx.mapping.is_none())
        {
            earlier.announce(out);
            for ((n, _), row) in numbers.iter().zip(&rows).skip(header.saturating_add(1)) {
                earlier.row(At::row(*n), |i| row.get(i).map_or("", String::as_str), out);
            }
            self.earlier = Some(earlier);
            return;
        }
        if let Some(layout) = bom::recognise_list(&rows, self.cx) {
            let first = layout.header.map_or(0, |h| h.saturating_add(1));
            let over = layout.header.and_then(|h| rows.get(..h)).unwrap_or_default();
            // Pipes with a rule below the heads are a table of Markdown.
            let markdown = rows.get(first).is_some_and(|r| is_rule(r.len(), |i| r.get(i).map_or("", String::as_str)));
            let mut parts = Parts::new(layout, over, markdown, out);
            for ((_, line), row) in numbers.iter().zip(&rows).skip(first) {
                let get = |i: usize| row.get(i).map_or("", String::as_str);
                if !is_rule(row.len(), get) {
                    parts.row(At::line(*line), row.len(), get, out);
                }
            }
            self.parts = Some(parts);
            return;
        }
        let numbers: Vec<u32> = numbers.into_iter().map(|(n, _)| n).collect();
        let header = header_row(&rows, self.cx.mapping);
        let first = header.map_or(0, |h| h.saturating_add(1));
        let below = rows.get(first..).unwrap_or_default();
        let headers: Vec<String> = match header.and_then(|h| rows.get(h)) {
            Some(row) => row.clone(),
            None => (1..=below.first().map_or(0, Vec::len)).map(|n| format!("column {n}")).collect(),
        };
        self.width = headers.len();
        let mut mapper = Mapper::new(&headers, below, self.cx);
        if self.cx.purpose == Purpose::Bom && !mapper.is_about_devices() {
            bom::nothing_found(At::row(header.and_then(|h| numbers.get(h)).copied().unwrap_or(0)), &headers, out);
            self.passed_over = true;
            self.mapper = Some(mapper);
            return;
        }
        if !rows.is_empty() {
            mapper.announce(At::row(header.and_then(|h| numbers.get(h)).copied().unwrap_or(0)), out);
        }
        for (n, row) in numbers.iter().zip(&rows).skip(first) {
            let get = |i: usize| row.get(i).map_or("", String::as_str);
            if row.len() == self.width || fits(At::row(*n), row.len(), self.width, get, &mut self.odd, out) {
                self.read = self.read.saturating_add(1);
                mapper.row(At::row(*n), get, out);
            }
        }
        self.mapper = Some(mapper);
    }

    fn finish(&self, out: &mut Observations) {
        if let Some(mapper) = self.mapper.as_ref().filter(|_| !self.passed_over) {
            mapper.finish(out);
            if self.read == 0 && !mapper.is_empty() && self.odd == 0 {
                out.problem(At::WHOLE, "a header and no rows below it");
            }
            if self.odd > 0 && self.odd > self.read {
                let delimiter = self.form.delimiter.map_or(' ', char::from);
                out.problem(
                    At::WHOLE,
                    format!("most rows have another number of fields than the header: is `{delimiter}` really what parts them?"),
                );
            }
        }
    }
}

/// Whether a row is the rule below the heads of a Markdown table.
fn is_rule<'c>(len: usize, cell: impl Fn(usize) -> &'c str) -> bool {
    let dashes = |c: &str| c.len() >= 3 && c.bytes().all(|b| matches!(b, b'-' | b':')) && c.contains("--");
    len >= 2 && (0..len).all(|i| cell(i).trim().is_empty() || dashes(cell(i).trim())) && (0..len).any(|i| dashes(cell(i).trim()))
}

/// Whether a row of another width than the header can be read. Shorter ones are (their cells stand where they
/// belong), longer ones only where nothing stands in what is too much: else a delimiter inside a field has moved every
/// cell behind it.
fn fits<'c>(at: At, len: usize, width: usize, cell: impl Fn(usize) -> &'c str, odd: &mut u32, out: &mut Observations) -> bool {
    if (0..len).all(|i| cell(i).trim().is_empty()) {
        return false;
    }
    if len > width {
        if (width..len).all(|i| cell(i).trim().is_empty()) {
            return true;
        }
        *odd = odd.saturating_add(1);
        out.problem(at, format!("this row has {len} fields, the header {width}: skipped, its cells may stand in the wrong columns"));
        return false;
    }
    *odd = odd.saturating_add(1);
    // A total, a remark, the rest of a line that was broken.
    if len.saturating_mul(2) < width {
        out.problem(at, format!("this row has {len} of {width} fields: skipped"));
        return false;
    }
    out.problem(at, format!("this row has {len} of {width} fields: what is there is read"));
    true
}

const DELIMITERS: &[u8] = b",;\t|^";

/// The form of a text as a table, and how sure it is that it is one.
fn guess(text: &str, whole: bool) -> (Form, u8) {
    let end = if text.contains('\n') || !text.contains('\r') { b'\n' } else { b'\r' };
    let mut lines: Vec<&str> = text.split(char::from(end)).map(|l| l.trim_end_matches('\r')).take(400).collect();
    if !whole && lines.len() > 1 {
        lines.pop();
    }
    let lines: Vec<&str> = lines.into_iter().filter(|l| !l.trim().is_empty()).collect();
    let mut best = (Form { delimiter: None, end }, single_column(&lines));
    for delimiter in DELIMITERS {
        let sure = delimited(&lines, *delimiter);
        if sure > best.1 {
            best = (Form { delimiter: Some(*delimiter), end }, sure);
        }
    }
    best
}

/// A list of identifiers, one a line, with or without a head.
fn single_column(lines: &[&str]) -> u8 {
    if bom::sniff_column(lines) {
        return 16;
    }
    let bare = |l: &&str| l.trim().trim_matches('"').to_owned();
    let Some(first) = lines.first().map(bare) else { return 0 };
    let head = identifier(&first).is_none();
    let below: Vec<String> = lines.iter().skip(usize::from(head)).map(bare).collect();
    let found = below.iter().filter(|l| identifier(l).is_some()).count();
    let headed = matches!(recognise(&first), Some(Known::Field(_, 2..)));
    if head && !headed {
        return 0;
    }
    if head && below.is_empty() {
        // A word alone is no table.
        return 0;
    }
    if found > 0 && found.saturating_mul(10) >= below.len().saturating_mul(7) { 75 } else { 0 }
}

fn delimited(lines: &[&str], delimiter: u8) -> u8 {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let text = lines.join("\n");
    let form = Form { delimiter: Some(delimiter), end: b'\n' };
    let read = for_each_row(&mut text.as_bytes(), form, |met| {
        if let Met::Row(_, row) = met {
            rows.push((0..row.len()).map(|i| row.get(i).to_owned()).collect());
        }
    });
    if read.is_err() || rows.iter().all(|r| r.len() < 2) {
        return 0;
    }
    // An object identifier in front of the first pipe is a walk of SNMP, not a table of devices; and what begins with
    // a command or bracket is a dialogue or a program's data.
    let foreign = |cell: &str| {
        let c = cell.trim();
        let oid = c.trim_start_matches('.').split('.').count() > 4 && c.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        oid || c.starts_with("AT+") || c.starts_with(['+', '{', '[', '<'])
    };
    let strange = rows.iter().filter(|r| r.first().is_some_and(|c| foreign(c))).count();
    if strange.saturating_mul(2) > rows.len() {
        return 0;
    }
    // Tables of Markdown have a reader of their own.
    let ruled = delimiter == b'|' && rows.iter().take(60).any(|r| is_rule(r.len(), |i| r.get(i).map_or("", String::as_str)));
    let list = if ruled { 0 } else { parts_list(&rows) };
    if list >= 90 {
        return list;
    }
    let header = header_row(&rows, None);
    let first = header.unwrap_or(0);
    // A number is no head, and a line by itself that holds one is a sentence or a label.
    let lone = rows.len() == 1 && rows.iter().flatten().any(|c| longest_run(c) >= 10 || c.split_whitespace().count() > 6);
    if lone || header.and_then(|h| rows.get(h)).is_some_and(|row| row.iter().any(|c| longest_run(c) >= 14)) {
        return 0;
    }
    let table = rows.get(first..).unwrap_or_default();
    let width = table.first().map_or(0, Vec::len);
    if width < 2 {
        return 0;
    }
    let below = table.get(usize::from(header.is_some())..).unwrap_or_default();
    let even = below.iter().filter(|r| r.len() == width || (r.len() > width && r.iter().skip(width).all(|c| c.trim().is_empty()))).count();
    let heads = table.first().map_or(&[][..], Vec::as_slice);
    let (mut surely, mut known) = (0usize, 0usize);
    if header.is_some() {
        for head in heads {
            match recognise(head) {
                Some(Known::Field(field, sure)) => {
                    known = known.saturating_add(1);
                    // A head is short; a sentence that happens to be a word of ours is not in a row of them.
                    surely = surely.saturating_add(usize::from(sure >= 2 && field.identifies()));
                }
                Some(Known::Hint(_)) => known = known.saturating_add(1),
                None => {}
            }
        }
    }
    // Where the heads are known, bad rows are bad rows; else they mean that this is no table.
    let short_heads = heads.iter().all(|h| h.chars().count() <= 60);
    let values = below.iter().filter(|r| r.iter().any(|c| identifier(c).is_some())).count();
    let headed = known >= 3 || (known == width && surely >= 1 && short_heads && values > 0);
    let consistent = even.saturating_mul(10) >= below.len().saturating_mul(if headed { 3 } else { 7 });
    let speaking = !below.is_empty() && values.saturating_mul(10) >= below.len().saturating_mul(7);
    // A sentence with commas may hold one of our words too: few known heads count only over values that speak.
    let sentence = known.saturating_mul(2) < width && values == 0 || below.is_empty() && first > 0;
    let found = match () {
        () if !consistent || sentence && !strictly_a_table(heads, below, width) => 0,
        () if surely >= 1 && known >= 2 && short_heads => 90,
        () if surely >= 1 && known.saturating_mul(3) >= width && short_heads => 85,
        () if known >= 2 && known.saturating_mul(2) >= width && short_heads => 70,
        () if speaking => 65,
        () if strictly_a_table(heads, below, width) => 15,
        () => 0,
    };
    found.max(list)
}

/// How sure the rows are those of a list of parts: beyond doubt, or only if the user says so.
fn parts_list(rows: &[Vec<String>]) -> u8 {
    let widths = rows.iter().map(Vec::len).filter(|w| *w >= 2);
    let alike = widths.clone().map(|w| rows.iter().filter(|r| r.len() == w).count()).max().unwrap_or(0);
    let mostly = alike >= 2 && alike.saturating_mul(10) >= rows.len().saturating_mul(6);
    match bom::sniff(rows) {
        2 => 92,
        1 if mostly => 16,
        _ => 0,
    }
}

/// The length of the longest run of digits.
fn longest_run(text: &str) -> usize {
    text.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or(0)
}

/// Nothing in it is known, but it can be nothing else: three columns or more, the same number in every line, short
/// different heads.
fn strictly_a_table(heads: &[String], below: &[Vec<String>], width: usize) -> bool {
    let plain = |h: &String| {
        let h = h.trim();
        !h.is_empty() && h.chars().count() <= 40 && h.chars().any(char::is_alphabetic) && !h.contains([':', '=', '(', '{'])
    };
    let mut names: Vec<&String> = heads.iter().collect();
    names.sort();
    names.dedup();
    width >= 3 && below.len() >= 2 && names.len() == width && heads.iter().all(plain) && below.iter().all(|r| r.len() == width)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> (Option<char>, u8) {
        let (form, sure) = guess(text, true);
        (form.delimiter.map(char::from), sure)
    }

    #[test]
    fn tables_and_what_is_none() {
        assert_eq!(of("Name;IMEI;ICCID\na;490154203237518;\nb;490154203237526;\n"), (Some(';'), 90));
        assert_eq!(of("Report of today\n\nName\tIMEI\na, b\t490154203237518\n").0, Some('\t'));
        assert_eq!(of("490154203237518\n490154203237526\n"), (None, 75));
        assert_eq!(of("x,490154203237518\ny,490154203237526\n"), (Some(','), 65));
        assert_eq!(of("Name,IMEI,ICCID\n").1, 90);
        assert_eq!(of("a,b,c\n1,2,3\n4,5,6\n"), (Some(','), 15));
        assert_eq!(of("imei,module\n490154203237518,EC21\n490154203237526\n\n490154203237534,EC25\n"), (Some(','), 90));
        for text in [
            "",
            "IMEI",
            "Bus 001 Device 004: ID 2c7c:0125 Quectel Wireless Solutions Co., Ltd. EC25 LTE modem\nBus 001 Device 001: ID 1d6b:0002 Linux Foundation, 2.0 root hub\n",
            "AT+CGMI\r\nQuectel\r\n\r\nOK\r\nAT+CSQ\r\n+CSQ: 20,99\r\n\r\nOK\r\n",
            "+CGREG: 2,1,\"1A2B\",\"01C3D4E5\",7\n+COPS: 0,0,\"Carrier\",7\n",
            "1.3.6.1.2.1.1.1.0|4|Linux router\n1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.8072\n1.3.6.1.2.1.1.3.0|67|12345\n",
            "Quectel EC25, IMEI 490154203237518, ICCID 89445001021983048260\n",
            "Quectel EC25, IMEI: 490154203237518\nQuectel EC25, IMEI: 490154203237526\n",
            "IMEI 490154203237518; MSISDN +4917112345678",
            "Router, with the IMEI, the serial number and the model of the modem, as installed\n",
            "Dear colleague, the modem, as you said, is a Quectel EC25.\nIts IMEI, by the label, is unknown.\n",
            "[    2.1] usb 1-1: New USB device found, idVendor=2c7c, idProduct=0125\n[    2.1] usb 1-1: New USB device strings: Mfr=1, Product=2\n",
        ] {
            assert_eq!(of(text).1, 0, "{text}");
        }
    }
}
