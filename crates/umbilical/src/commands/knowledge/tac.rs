//! A licensed TAC file that the user has, whatever its columns are called, into the home.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::path::Path;

use umbilical_core::text::{clean, is_blank, squash};
use umbilical_knowledge::{Knowledge as Facts, TacOrigin};

use crate::args::Global;
use crate::fail::Fail;
use crate::{home, out};

/// A licensed table has about a quarter of a million rows; ten times its size is still read.
const MAX_BYTES: u64 = 512 << 20;

/// Reads the file and keeps it.
pub fn import(global: &Global, file: &Path, map: Option<&str>) -> Result<u8, Fail> {
    let fail = |source| Fail::Input { path: file.to_path_buf(), source };
    let from: Box<dyn std::io::Read> =
        if file.as_os_str() == "-" { Box::new(std::io::stdin().lock()) } else { Box::new(fs::File::open(file).map_err(fail)?) };
    let mut source = umbilical_evidence::Source::new(from).map_err(fail)?;
    if source.head("").text.is_none() {
        return Err(Fail::usage(format!("{}: not a text file", file.display()), "give a CSV or TSV file"));
    }
    let mut text = String::new();
    source.utf8().take(MAX_BYTES).read_to_string(&mut text).map_err(fail)?;
    let table = parse(&text, map)?;
    if table.rows.is_empty() {
        return Err(Fail::usage(
            format!("{}: no row has an 8-digit type allocation code in the column taken for it ({})", file.display(), table.says),
            "name the columns: --map tac=1,brand=4,model=5 (numbers from 1, or header words)",
        ));
    }
    if table.skipped.len() > table.rows.len() {
        let (line, what) = table.skipped.first().cloned().unwrap_or_default();
        return Err(Fail::usage(
            format!(
                "{}: {} of {} rows hold no type allocation code; the first is line {line}: {what}",
                file.display(),
                table.skipped.len(),
                table.skipped.len().saturating_add(table.rows.len())
            ),
            "is this a TAC table? name its columns: --map tac=1,brand=4,model=5",
        ));
    }
    let mut written = String::from("tac,brand,model,class\n");
    for row in &table.rows {
        written.push_str(&row.line());
    }
    // What every audit will read is checked before it is kept.
    let mut kb = Facts::embedded();
    kb.attach_tac(&written, TacOrigin::Licensed, "licensed")?;
    let folder = home::folder(global)?;
    let to = folder.join(home::LICENSED_TAC);
    if let Some(parent) = to.parent() {
        home::make(parent)?;
    }
    out::private(&to, |w| w.write_all(written.as_bytes()))?;
    out::answer(global, |w| {
        let codes: BTreeSet<&str> = table.rows.iter().map(|r| r.tac.as_str()).collect();
        writeln!(
            w,
            "imported {} type allocation codes in {} rows from {}",
            codes.len(),
            table.rows.len(),
            clean(&file.display().to_string())
        )?;
        writeln!(w, "columns: {}", table.says)?;
        if let Some((line, what)) = table.skipped.first() {
            writeln!(w, "skipped {} rows; the first is line {line}: {what}", table.skipped.len())?;
        }
        writeln!(w, "kept in {}; it is used by every later audit and never passed on", to.display())
    })?;
    Ok(0)
}

#[derive(Debug)]
struct Table {
    rows: Vec<Row>,
    skipped: Vec<(u64, String)>,
    says: String,
}

#[derive(Debug)]
struct Row {
    tac: String,
    brand: String,
    model: String,
    class: &'static str,
}

impl Row {
    fn line(&self) -> String {
        let quote = |s: &str| format!("\"{}\"", s.replace('"', "\"\""));
        format!("{},{},{},{}\n", self.tac, quote(&self.brand), quote(&self.model), self.class)
    }
}

#[derive(Clone, Copy, Debug)]
struct Columns {
    tac: usize,
    brand: Option<usize>,
    model: Option<usize>,
    class: Option<usize>,
}

/// Header words of the GSMA's file and of its resellers', squashed.
const TAC: &[&str] = &["TAC", "TACCODE", "TYPEALLOCATIONCODE", "IMEITAC", "SNDFIRST8DIGITS"];
const BRAND: &[&str] = &[
    "BRANDNAME",
    "BRAND",
    "STANDARDISEDMANUFACTURER",
    "MANUFACTURER",
    "MANUFACTURERORAPPLICANT",
    "GSMAMANUFACTURER",
    "VENDOR",
    "OEM",
    "MAKE",
];
const MODEL: &[&str] =
    &["MODELNAME", "MODEL", "MARKETINGNAME", "STANDARDISEDMARKETINGNAME", "GSMAMODELNAME", "INTERNALMODELNAME", "DEVICEMODEL", "PRODUCT"];
const CLASS: &[&str] = &["DEVICETYPE", "GSMADEVICETYPE", "STANDARDISEDDEVICETYPE", "EQUIPMENTTYPE", "CLASS", "TYPE"];

fn parse(text: &str, map: Option<&str>) -> Result<Table, Fail> {
    let first = text.lines().find(|l| !l.trim().is_empty()).unwrap_or_default();
    let delimiter = [b'|', b'\t', b';', b','].into_iter().max_by_key(|d| first.bytes().filter(|b| b == d).count()).unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut records = reader.records();
    let mut table = Table { rows: Vec::new(), skipped: Vec::new(), says: String::new() };
    let Some(header) = records.next() else { return Ok(table) };
    let header = header.map_err(|e| Fail::usage(format!("line 1: {e}"), "give a CSV or TSV file"))?;
    let named = header.iter().any(|h| TAC.contains(&squash(h).as_str()));
    let columns = columns(&header, named, map)?;
    let name = |c: usize| if named { header.get(c).unwrap_or("?").trim().to_owned() } else { format!("column {}", c.saturating_add(1)) };
    let part = |what: &str, c: Option<usize>| c.map_or_else(|| format!("{what} = none"), |c| format!("{what} = `{}`", clean(&name(c))));
    table.says = [part("tac", Some(columns.tac)), part("brand", columns.brand), part("model", columns.model), part("class", columns.class)]
        .join(", ");
    let lines = (!named).then_some(Ok(header)).into_iter().chain(records);
    for (n, record) in (1u64..).zip(lines) {
        match record {
            Ok(record) => {
                let line = record.position().map_or(n, csv::Position::line);
                match row(&record, columns) {
                    Ok(row) => table.rows.push(row),
                    Err(what) => table.skipped.push((line, what)),
                }
            }
            Err(error) => table.skipped.push((error.position().map_or(n, csv::Position::line), error.to_string())),
        }
    }
    Ok(table)
}

fn row(record: &csv::StringRecord, columns: Columns) -> Result<Row, String> {
    let cell =
        |c: Option<usize>| c.and_then(|c| record.get(c)).map(|t| clean(t.trim()).into_owned()).filter(|t| !is_blank(t)).unwrap_or_default();
    let digits: String = record.get(columns.tac).unwrap_or_default().chars().filter(char::is_ascii_digit).collect();
    // Spreadsheets drop the zeros in front.
    let tac = if (6..8).contains(&digits.len()) { format!("{digits:0>8}") } else { digits };
    if umbilical_knowledge::parse_tac(&tac).is_none() {
        return Err(format!("`{}` is no type allocation code of 8 digits", clean(record.get(columns.tac).unwrap_or_default())));
    }
    Ok(Row { tac, brand: cell(columns.brand), model: cell(columns.model), class: class(&cell(columns.class)) })
}

/// The GSMA's device types (TS.06 annex): `Module`, `Modem`, `Dongle`, `Smartphone`, `WLAN Router` …
fn class(text: &str) -> &'static str {
    let word = text.to_ascii_lowercase();
    if word.contains("module") || word == "m2m" || word.contains("iot") {
        "module"
    } else if word.contains("dongle") || word.contains("modem") || word.contains("data card") || word.contains("stick") {
        "stick"
    } else if word.is_empty() {
        "unknown"
    } else {
        "other"
    }
}

fn columns(header: &csv::StringRecord, named: bool, map: Option<&str>) -> Result<Columns, Fail> {
    let find = |words: &[&str]| words.iter().find_map(|w| header.iter().position(|h| squash(h) == *w));
    let mut found = if named {
        Columns { tac: find(TAC).unwrap_or(0), brand: find(BRAND), model: find(MODEL), class: find(CLASS) }
    } else {
        // No header: the column of eight digits, and the two texts behind it.
        let tac = header.iter().position(|c| umbilical_knowledge::parse_tac(c.trim()).is_some()).unwrap_or(0);
        let mut texts = (0..header.len()).filter(|c| *c != tac && header.get(*c).is_some_and(|t| t.chars().any(char::is_alphabetic)));
        Columns { tac, brand: texts.next(), model: texts.next(), class: None }
    };
    for pair in map.into_iter().flat_map(|m| m.split(',')).filter(|p| !p.trim().is_empty()) {
        let bad = |why: &str| {
            Fail::usage(format!("--map: `{}`: {why}", clean(pair)), "write tac=1,brand=4,model=5 with numbers from 1 or header words")
        };
        let (field, column) = pair.split_once('=').ok_or_else(|| bad("no `=`"))?;
        let column = column.trim();
        let at = match column.parse::<usize>() {
            Ok(n) => n.checked_sub(1).filter(|n| *n < header.len()).ok_or_else(|| bad("there is no such column"))?,
            Err(_) => header.iter().position(|h| squash(h) == squash(column)).ok_or_else(|| bad("the header has no such word"))?,
        };
        match field.trim() {
            "tac" => found.tac = at,
            "brand" => found.brand = Some(at),
            "model" => found.model = Some(at),
            "class" => found.class = Some(at),
            _ => return Err(bad("the fields are tac, brand, model, class")),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str, map: Option<&str>) -> Vec<(String, String, String, &'static str)> {
        parse(text, map).unwrap().rows.into_iter().map(|r| (r.tac, r.brand, r.model, r.class)).collect()
    }

    #[test]
    fn headers_and_delimiters_are_guessed() {
        let one = ("35000001".to_owned(), "Acme".to_owned(), "A1".to_owned(), "module");
        assert_eq!(
            rows("TAC|Manufacturer (or) Applicant|Brand Name|Model Name|Device Type\n35000001|X Ltd|Acme|A1|Module\n", None),
            std::slice::from_ref(&one)
        );
        assert_eq!(rows("tac;brand;model;deviceType\n35000001;Acme;A1;IoT device\n", None), std::slice::from_ref(&one));
        assert_eq!(rows("35000001\tAcme\tA1\n", None), [("35000001".into(), "Acme".into(), "A1".into(), "unknown")]);
        assert_eq!(rows("a,b,c\nA1,Acme,35000001\n", Some("tac=3,brand=b,model=1")).first().map(|r| r.2.clone()), Some("A1".into()));
        assert_eq!(rows("TAC,Brand,Model\n1277200,Acme,A1\n", None)[0].0, "01277200");
    }

    #[test]
    fn bad_rows_are_located_and_bad_maps_refused() {
        let table = parse("TAC,Brand,Model\n35000001,Acme,A1\nxx,Acme,A1\n", None).unwrap();
        assert_eq!((table.rows.len(), table.skipped[0].0), (1, 3));
        for map in ["tac", "tac=9", "tac=nope", "colour=1"] {
            assert!(parse("TAC,Brand\n35000001,A\n", Some(map)).is_err(), "{map}");
        }
    }
}
