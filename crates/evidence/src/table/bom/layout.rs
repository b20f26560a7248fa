//! Whether a table is a list of parts, where its heads stand, and what its columns hold.

use umbilical_core::text::is_blank;

use super::super::field::{Field, Known, recognise};
use super::super::fold;
use super::super::mapper::HEADER_WITHIN;
use super::cells::{self, is_designators};
use super::heads::{Col, is_model, meaning, value_rank};
use crate::parts::PartField as F;
use crate::{Context, Purpose};

/// How a list of parts is laid out.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// Index of the row of heads; `None` where the columns are guessed from their values.
    pub header: Option<usize>,
    /// The heads, as written.
    pub heads: Vec<String>,
    /// What each column holds.
    pub cols: Vec<Option<Col>>,
    /// Columns that name the part, the best first.
    pub values: Vec<usize>,
    /// Whether those names are prose: nothing else names the parts.
    pub prose: bool,
    /// The column whose cells are indented by their depth.
    pub indented: Option<usize>,
    /// Whether the numbers of the rows are those of an outline: `1`, `1.1`.
    pub outlined: bool,
}

impl Layout {
    pub fn has(&self, test: impl Fn(Col) -> bool) -> bool {
        self.cols.iter().flatten().any(|c| test(*c))
    }

    /// Whether it holds assemblies and their parts.
    pub fn is_deep(&self) -> bool {
        self.outlined || self.indented.is_some() || self.has(|c| matches!(c, Col::Level | Col::Parent | Col::Assembly(_)))
    }
}

/// How sure the heads of a row are those of a list of parts: 0 = not, 1 = if the user says that it is one, 2 = beyond doubt;
/// and how many of them are known.
struct Judged {
    sure: u8,
    known: usize,
}

/// Finds a list of parts among the first rows of a table.
pub(crate) fn recognise_list(rows: &[Vec<String>], cx: &Context<'_>) -> Option<Layout> {
    if cx.purpose == Purpose::Lot {
        return None;
    }
    let loose = cx.purpose == Purpose::Bom;
    let mapped = |cell: &str| cx.mapping.and_then(|m| m.part(cell));
    let mut best: Option<((bool, usize), usize)> = None;
    for (i, row) in rows.iter().take(HEADER_WITHIN).enumerate() {
        let named = row.iter().filter(|c| mapped(c).is_some()).count();
        let below = rows.get(i.saturating_add(1)..).unwrap_or_default();
        let judged = judge(row, below);
        let wanted = match judged.sure {
            2 => true,
            1 => loose,
            _ => false,
        };
        if !(wanted || named > 0 && cx.mapping.is_some_and(|m| m.is_of_parts())) {
            continue;
        }
        let rank = (named > 0, judged.known.saturating_add(named));
        if best.is_none_or(|(found, _)| rank > found) {
            best = Some((rank, i));
        }
    }
    if let Some((_, header)) = best {
        let heads = rows.get(header)?.clone();
        let below = rows.get(header.saturating_add(1)..).unwrap_or_default();
        let cols = heads.iter().map(|h| mapped(h).or_else(|| meaning(h))).collect();
        return Some(resolve(Some(header), heads, cols, below));
    }
    if loose { guessed(rows, cx) } else { None }
}

/// Whether the first rows of a text are a list of parts, for choosing a reader: 2 = beyond doubt, 1 = possibly.
pub(crate) fn sniff(rows: &[Vec<String>]) -> u8 {
    rows.iter()
        .take(HEADER_WITHIN)
        .enumerate()
        .map(|(i, row)| {
            let judged = judge(row, rows.get(i.saturating_add(1)..).unwrap_or_default());
            if judged.sure == 1 && judged.known < 2 { 0 } else { judged.sure }
        })
        .max()
        .filter(|sure| *sure > 0)
        .unwrap_or_else(|| u8::from(designates(rows)))
}

/// Whether a text of one column is a list of part numbers under a head that says so.
pub(crate) fn sniff_column(lines: &[&str]) -> bool {
    let number = |l: &&str| l.len() <= 40 && !l.trim().contains(' ') && l.bytes().any(|b| b.is_ascii_digit());
    match lines.split_first() {
        Some((head, below)) => {
            matches!(meaning(head), Some(Col::Part(F::Mpn | F::PartNumber, _))) && !below.is_empty() && below.iter().all(number)
        }
        None => false,
    }
}

/// Whether rows of one width have a column of designators and no heads.
fn designates(rows: &[Vec<String>]) -> bool {
    let width = rows.first().map_or(0, Vec::len);
    rows.len() >= 2
        && width >= 3
        && rows.iter().all(|r| r.len() == width)
        && (0..width.min(16)).any(|i| rows.iter().all(|r| r.get(i).is_some_and(|c| is_designators(c))))
}

fn share(values: &[&str], test: impl Fn(&str) -> bool) -> bool {
    !values.is_empty() && values.iter().filter(|v| test(v)).count().saturating_mul(10) >= values.len().saturating_mul(6)
}

fn column(below: &[Vec<String>], i: usize) -> Vec<&str> {
    below.iter().take(100).filter_map(|r| r.get(i)).map(|c| c.trim()).filter(|c| !is_blank(c)).collect()
}

/// Heads of a history of changes.
fn is_history(head: &str) -> bool {
    matches!(
        fold(head).as_str(),
        "date"
            | "author"
            | "changedby"
            | "responsible"
            | "change"
            | "changes"
            | "changedetails"
            | "changelog"
            | "reason"
            | "approvedby"
            | "datum"
            | "autor"
            | "auteur"
            | "fecha"
            | "bearbeiter"
            | "anderung"
            | "日期"
            | "修改人"
            | "变更"
            | "变更内容"
            | "修改内容"
            | "дата"
            | "автор"
            | "изменение"
            | "data"
            | "日付"
            | "変更内容"
            | "who"
            | "when"
            | "what"
            | "eco"
            | "ecn"
    )
}

fn judge(row: &[String], below: &[Vec<String>]) -> Judged {
    let no = Judged { sure: 0, known: 0 };
    let filled = row.iter().filter(|c| !c.trim().is_empty()).count();
    // Sentences are no heads.
    if filled == 0 || row.iter().any(|c| c.chars().count() > 120) {
        return no;
    }
    let mut cols: Vec<Option<Col>> = row.iter().map(|h| meaning(h)).collect();
    let known = cols.iter().flatten().count();
    if known == 0 || known.saturating_mul(5) < filled {
        return no;
    }
    by_values(row, &mut cols, below);
    let has = |test: &dyn Fn(Col) -> bool| cols.iter().flatten().any(|c| test(*c));
    let part = |f: F| has(&|c| matches!(c, Col::Part(g, _) if f == g));
    let model = row.iter().zip(&cols).any(|(h, c)| c.is_some() && is_model(h));
    let firmly = |f: F| row.iter().zip(&cols).any(|(h, c)| matches!(c, Some(Col::Part(g, _)) if *g == f) && !is_model(h));
    let designators = part(F::Designators);
    let named = part(F::Value) || part(F::Mpn) || part(F::PartNumber) || has(&|c| c == Col::House);
    let described = part(F::Description);
    let counted = part(F::Quantity);
    let bought = row.iter().zip(&cols).any(|(h, c)| matches!(c, Some(Col::Part(F::SupplierPart, _))) && !fold(h).ends_with("sku"));
    let drawn = has(&|c| c == Col::Footprint);
    let cisa = cols.iter().flatten().filter(|c| matches!(c, Col::Assembly(_) | Col::Document)).count() >= 2;
    let (hard, soft) = marks(row, &cols);
    let strong = [
        designators,
        firmly(F::Mpn),
        counted,
        drawn,
        bought,
        part(F::NotPlaced),
        part(F::Alternates) || has(&|c| matches!(c, Col::Other(..))),
    ]
    .iter()
    .filter(|s| **s)
    .count();
    let naming = named || described || bought;
    let item = has(&|c| matches!(c, Col::Item | Col::Level));
    let beyond_doubt = !hard
        && (designators || !soft)
        && (cisa && naming
            || designators && (naming || counted || drawn)
            || strong >= 2 && naming
            || item && counted && (part(F::Value) || described) && !model && !part(F::Manufacturer)
            || has(&|c| c == Col::Level) && counted && naming);
    if beyond_doubt && known >= 2 {
        return Judged { sure: 2, known };
    }
    let history = row.iter().filter(|h| is_history(h)).count();
    let changes = history >= 2 && !designators && !counted && !part(F::Mpn);
    let possibly = !changes && (named || described && (counted || item || bought || part(F::Manufacturer) || designators));
    // One known word is a head only among others like it: no digits, no answers to it further down.
    let alone = known == 1
        && (row.iter().any(|c| c.chars().any(|c| c.is_ascii_digit()))
            || below.iter().filter(|r| r.iter().any(|c| !c.trim().is_empty())).count() < 1
            || filled <= 2 && below.iter().take(20).filter(|r| r.first().is_some_and(|c| super::product_word(c).is_some())).count() >= 1);
    if possibly && !alone && !(hard && known < 4) { Judged { sure: 1, known } } else { no }
}

/// Whether heads say that the rows are devices: surely, or perhaps.
fn marks(row: &[String], cols: &[Option<Col>]) -> (bool, bool) {
    let (mut hard, mut soft) = (false, false);
    for (head, col) in row.iter().zip(cols) {
        if matches!(col, Some(Col::Part(F::Designators, _) | Col::Item | Col::Assembly(_))) {
            continue;
        }
        if matches!(fold(head).as_str(), "hostname" | "devicename" | "computername" | "sysname") {
            hard = true;
        }
        match recognise(head) {
            Some(Known::Field(
                Field::Imei
                | Field::Meid
                | Field::Iccid
                | Field::Imsi
                | Field::Eid
                | Field::Msisdn
                | Field::Mac
                | Field::Vin
                | Field::Ip
                | Field::AssetId,
                2..,
            )) => hard = true,
            Some(Known::Field(
                Field::Serial | Field::Site | Field::LastSeen | Field::HostModel | Field::ModuleFirmware | Field::Udi,
                2..,
            )) => soft = true,
            _ => {}
        }
    }
    (hard, soft)
}

/// Words that mean one thing or another as their values are: `Part` heads designators in Eagle's lists, names elsewhere.
fn by_values(heads: &[String], cols: &mut [Option<Col>], below: &[Vec<String>]) {
    let firm = heads.iter().zip(cols.iter()).any(|(h, c)| matches!(c, Some(Col::Part(F::Designators, _))) && fold(h).contains("desig"));
    let names = |c: &&Col| {
        matches!(c, Col::House | Col::Footprint | Col::Part(F::Value | F::Mpn | F::PartNumber | F::Description | F::SupplierPart, _))
    };
    let naming = cols.iter().flatten().filter(names).count();
    for (i, col) in cols.iter_mut().enumerate() {
        let Some(known) = *col else { continue };
        let head = heads.get(i).map(|h| fold(h)).unwrap_or_default();
        let values = column(below, i);
        let designating = || share(&values, is_designators);
        *col = Some(match known {
            Col::Part(F::Designators, n) if values.len() > 1 && !designating() && !head.contains("des") && !head.contains("位号") => {
                // `Reference` is a part's number where its values are no designators at all.
                if values.iter().any(|v| is_designators(v)) || head.starts_with("ref") && firm {
                    Col::Part(F::Designators, n)
                } else {
                    Col::Part(F::PartNumber, n)
                }
            }
            // Something else must name the part then.
            Col::Part(F::Value, _) if !firm && naming >= 2 && value_rank(heads.get(i).map_or("", String::as_str)) >= 2 && designating() => {
                Col::Part(F::Designators, 1)
            }
            // A number without a letter is no maker's: the house's, or the seller's.
            Col::Part(F::PartNumber, _) if share(&values, |v| v.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'.' | b' '))) => {
                if head.starts_with("order") {
                    Col::Part(F::SupplierPart, 1)
                } else {
                    Col::House
                }
            }
            Col::Item | Col::Place if !firm && designating() => Col::Part(F::Designators, 1),
            Col::Item if values.len() > 1 && share(&values, |v| v.chars().filter(|c| c.is_alphabetic()).count() > 3) => {
                if matches!(head.as_str(), "item" | "position" | "id") { Col::Part(F::Value, 1) } else { Col::Item }
            }
            other => other,
        });
    }
}

fn resolve(header: Option<usize>, heads: Vec<String>, mut cols: Vec<Option<Col>>, below: &[Vec<String>]) -> Layout {
    by_values(&heads, &mut cols, below);
    // A second column of the same head is of the second choice.
    for i in 0..cols.len() {
        if let Some(Some(Col::Part(field @ (F::Mpn | F::Manufacturer), 1))) = cols.get(i).copied() {
            let head = heads.get(i).map(|h| fold(h)).unwrap_or_default();
            let before = heads.iter().take(i).filter(|h| fold(h) == head).count();
            if before > 0
                && let Some(slot) = cols.get_mut(i)
            {
                *slot = Some(Col::Part(field, u32::try_from(before).unwrap_or(0).saturating_add(1)));
            }
        }
    }
    let has = |cols: &[Option<Col>], f: F| cols.iter().any(|c| matches!(c, Some(Col::Part(g, _)) if *g == f));
    let first = |cols: &[Option<Col>], test: &dyn Fn(Col) -> bool| cols.iter().position(|c| c.is_some_and(test));
    // Where nothing else names the part, its description does; a house's number names it for the house alone.
    let named = has(&cols, F::Value) || has(&cols, F::Mpn) || has(&cols, F::PartNumber);
    let mut values: Vec<usize> = (0..cols.len()).filter(|i| matches!(cols.get(*i), Some(Some(Col::Part(F::Value, _))))).collect();
    values.sort_by_key(|i| heads.get(*i).map_or(9, |h| value_rank(h)));
    let mut prose = false;
    if !named {
        let stand_in = first(&cols, &|c| matches!(c, Col::Part(F::Description, _))).or_else(|| first(&cols, &|c| c == Col::House));
        if let Some(i) = stand_in {
            values.push(i);
            if let Some(slot) = cols.get_mut(i).filter(|c| **c != Some(Col::House)) {
                *slot = Some(Col::Part(F::Value, 1));
                prose = true;
            } else if let Some(slot) = cols.get_mut(i) {
                *slot = Some(Col::Part(F::Mpn, 1));
                values.pop();
            }
        }
    }
    let deep = cols.iter().flatten().any(|c| matches!(c, Col::Level | Col::Parent));
    let outlined = !deep && first(&cols, &|c| c == Col::Item).is_some_and(|i| is_outline(&column(below, i)));
    let candidates =
        cols.iter().enumerate().filter(|(_, c)| matches!(c, Some(Col::House | Col::Part(F::Value | F::PartNumber | F::Mpn, 1))));
    let indented = if deep || outlined { None } else { candidates.map(|(i, _)| i).find(|i| is_indented(below, *i)) };
    Layout { header, heads, cols, values, prose, indented, outlined }
}

/// Whether numbers are those of an outline: some have points, and what stands before the point is there too.
fn is_outline(values: &[&str]) -> bool {
    let deep: Vec<&&str> = values.iter().filter(|v| v.trim_end_matches('.').contains('.') && !v.ends_with(".0")).collect();
    !deep.is_empty()
        && values.iter().all(|v| cells::outline(v).is_some())
        && deep.iter().all(|v| {
            v.trim_end_matches('.')
                .rsplit_once('.')
                .is_some_and(|(p, _)| values.iter().any(|o| o.trim_end_matches('.') == p || o.strip_suffix(".0") == Some(p)))
        })
}

fn is_indented(below: &[Vec<String>], i: usize) -> bool {
    let depths: Vec<u32> = below.iter().filter_map(|r| r.get(i)).filter(|c| !c.trim().is_empty()).map(|c| cells::indent(c).0).collect();
    let deep = depths.iter().filter(|d| **d > 0).count();
    // Every cell behind one blank is a habit, not an outline.
    deep > 0 && deep < depths.len() && depths.first() == Some(&0) && depths.iter().any(|d| *d >= 1)
}

/// Columns without heads, by their values: only where the user says that it is a list of parts.
fn guessed(rows: &[Vec<String>], cx: &Context<'_>) -> Option<Layout> {
    let width = rows.iter().map(Vec::len).max().unwrap_or(0).min(64);
    let headed = rows
        .first()
        .is_some_and(|row| row.iter().any(|c| meaning(c).is_some()) || row.iter().all(|c| !c.bytes().any(|b| b.is_ascii_digit())));
    if width < 2 || rows.len() < 2 || headed {
        return None;
    }
    let mut cols: Vec<Option<Col>> = vec![None; width];
    let mut text: Vec<(usize, usize)> = Vec::new();
    for (i, slot) in cols.iter_mut().enumerate() {
        let values = column(rows, i);
        let found = |f| Some(Col::Part(f, 1));
        // A row for each day, or for each version, is a history of changes.
        let dated = |v: &str| v.contains(['-', '/', '.']) && cells::day(v).is_some();
        if share(&values, dated) || share(&values, |v| v.starts_with('v') && is_designators(v)) {
            return None;
        }
        *slot = match () {
            () if values.is_empty() => None,
            () if share(&values, is_designators) => found(F::Designators),
            () if share(&values, |v| cells::quantity(v).is_some_and(|n| n < 100_000)) => found(F::Quantity),
            () if share(&values, |v| v.starts_with("http")) => None,
            // Names without digits, a maker's among them.
            () if share(&values, |v| v.chars().count() < 40 && !v.chars().any(|c| c.is_ascii_digit()))
                && values.iter().any(|v| cx.knowledge.brand(v).is_some()) =>
            {
                found(F::Manufacturer)
            }
            () => {
                text.push((i, values.len()));
                None
            }
        };
    }
    let has = |f: F| cols.iter().any(|c| matches!(c, Some(Col::Part(g, _)) if *g == f));
    if !has(F::Designators) && !has(F::Quantity) {
        return None;
    }
    // Of the columns of text, what reads like part numbers, like prose, like values.
    let number = |v: &str| {
        !v.contains(' ') && v.chars().count() >= 4 && v.chars().any(|c| c.is_ascii_digit()) && v.chars().any(|c| c.is_ascii_alphabetic())
    };
    let footprint = |v: &str| {
        matches!(v.trim_start_matches(['R', 'C', 'L', 'D']), "0201" | "0402" | "0603" | "0805" | "1206" | "1210" | "2512")
            || ["SOT", "SOIC", "QFN", "QFP", "LQFP", "TSSOP", "SOD", "DIP", "LCC", "BGA", "DFN"]
                .iter()
                .any(|p| v.to_ascii_uppercase().starts_with(p))
    };
    let mut values = Vec::new();
    for (i, _) in &text {
        let cells = column(rows, *i);
        let col = match () {
            () if share(&cells, footprint) => Col::Footprint,
            () if share(&cells, |v| v.contains(' ') && v.chars().count() > 20) && text.len() > 1 => Col::Part(F::Description, 1),
            () if cells.iter().all(|c| number(c)) && values.is_empty() && text.len() == 1 => Col::Part(F::Mpn, 1),
            () => {
                values.push(*i);
                Col::Part(F::Value, 1)
            }
        };
        if let Some(slot) = cols.get_mut(*i) {
            *slot = Some(col);
        }
    }
    let named = cols.iter().any(|c| matches!(c, Some(Col::Part(F::Value | F::Mpn | F::Description, _))));
    let heads = (1..=width).map(|n| format!("column {n}")).collect();
    named.then(|| {
        let mut layout = resolve(None, heads, cols, rows);
        layout.indented = None;
        layout
    })
}
