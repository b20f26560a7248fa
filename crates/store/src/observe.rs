//! Observations: written as rows, and rebuilt as they were, so that a recompute never asks for the files again.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use umbilical_core::air::{Heard, Piece, Sweep};
use umbilical_core::bom::{Bom, Part};
use umbilical_core::observation::{At, Basis, Fact, FactId, Group, IdKind, Input, Kind, Observations, Problem};

use crate::db::bulk::Bulk;
use crate::db::{Row, Sql, Tx, sql};
use crate::{Store, StoreError, Time, pack};

/// The observations of the whole fleet.
pub struct Rebuilt {
    /// In the order of the evidence: by name, then digest, whatever the order in which it arrived.
    pub observations: Observations,
    /// For each input of the observations its number in the store: [`Store::replace_answer`] wants it back.
    pub inputs: Vec<i64>,
}

/// Parts of a bill of materials, radios and pieces in one row.
const AT_ONCE: usize = 1000;

/// What stands in an `extra` row.
#[derive(Serialize, Deserialize)]
enum Extra {
    /// A bill of materials without its parts, which follow.
    Bom(Box<Bom>),
    Parts(Vec<Part>),
    Heard(Vec<Heard>),
    Sweep(Box<Sweep>),
    Pieces(Vec<Piece>),
    Same(Vec<(u32, u32)>),
}

/// The last reading of an artefact under each of its names, as a condition on `r`.
pub(crate) const LAST: &str = "NOT EXISTS (SELECT 1 FROM reading l WHERE l.evidence = r.evidence \
                               AND COALESCE(l.name, '') = COALESCE(r.name, '') AND l.n > r.n)";

/// Keeps what was read from an artefact; `name` where it came under another name than its own.
pub(crate) async fn write(
    tx: &mut Tx,
    evidence: i64,
    name: Option<&str>,
    at: Time,
    reader: &str,
    all: &Observations,
) -> Result<(), StoreError> {
    let reading = tx.next("reading").await?;
    let insert = "INSERT INTO reading (n, evidence, at, reader, schema_errors, name) VALUES ($1, $2, $3, $4, $5, $6)";
    tx.run(sql!(insert, reading, evidence, at, reader, all.schema_errors, name)).await?;
    inputs(tx, reading, all).await?;

    let mut units = Bulk::new("unit", &["reading", "n", "name"]);
    for (n, name) in all.units().iter().enumerate() {
        units.push(tx, [reading.into(), n.into(), name.into()]).await?;
    }
    units.flush(tx).await?;

    facts(tx, reading, all).await?;
    records(tx, reading, all).await?;

    let mut problems = Bulk::new("problem", &["reading", "n", "input", "unit", "at", "what"]);
    for (n, p) in all.problems.iter().enumerate() {
        let row = [reading.into(), n.into(), p.input.map(i64::from).into(), u32::from(p.at.unit).into(), p.at.n.into(), (&p.what).into()];
        problems.push(tx, row).await?;
    }
    problems.flush(tx).await?;
    extras(tx, reading, all).await
}

async fn inputs(tx: &mut Tx, reading: i64, all: &Observations) -> Result<(), StoreError> {
    let first = tx.next("input").await?;
    let columns: &[&str] = &["n", "reading", "place", "path", "format", "sha256", "observations", "bytes", "mapping"];
    let mut bulk = Bulk::new("input", columns);
    for (place, (n, input)) in (first..).zip(&all.inputs).enumerate() {
        let mapping = String::from_utf8_lossy(&pack::json(&input.mapping)?).into_owned();
        let row = [
            n.into(),
            reading.into(),
            place.into(),
            (&input.path).into(),
            (&input.format).into(),
            (&input.sha256).into(),
            input.observations.into(),
            input.bytes.into(),
            mapping.into(),
        ];
        bulk.push(tx, row).await?;
    }
    bulk.flush(tx).await
}

/// Facts are numbered as they are met in the lists, so that the same sink gives the same rows.
async fn facts(tx: &mut Tx, reading: i64, all: &Observations) -> Result<(), StoreError> {
    let mut facts = Bulk::new("fact", &["reading", "n", "kind", "value", "witness", "basis"]);
    let mut signatures = Bulk::new("signature", &["reading", "n", "facts"]);
    let mut numbers: FxHashMap<&Fact, usize> = FxHashMap::default();
    for n in 0..u32::try_from(all.signature_count()).unwrap_or(u32::MAX) {
        let mut list = String::new();
        for (part, fact) in all.signature(n) {
            let next = numbers.len();
            let number = *numbers.entry(fact).or_insert(next);
            if number == next {
                let row = [
                    reading.into(),
                    number.into(),
                    fact.kind.name().into(),
                    (&*fact.value).into(),
                    fact.group.name().into(),
                    fact.basis.name().into(),
                ];
                facts.push(tx, row).await?;
            }
            let _ = write!(list, "{}{part}:{number}", if list.is_empty() { "" } else { " " });
        }
        signatures.push(tx, [reading.into(), n.into(), list.into()]).await?;
    }
    facts.flush(tx).await?;
    signatures.flush(tx).await
}

async fn records(tx: &mut Tx, reading: i64, all: &Observations) -> Result<(), StoreError> {
    let mut bulk = Bulk::new("record", &["reading", "n", "input", "unit", "at", "day", "signature", "ids", "ats"]);
    for (n, thing) in all.things().enumerate() {
        let mut ids = String::new();
        for (part, kind, value) in thing.ids() {
            let _ = write!(ids, "{}{part} {} {value}", if ids.is_empty() { "" } else { "\n" }, kind.name());
        }
        let mut ats = String::new();
        if thing.facts().any(|(.., at)| at != thing.at()) {
            for (.., at) in thing.facts() {
                let _ = write!(ats, "{}{}:{}", if ats.is_empty() { "" } else { " " }, at.unit, at.n);
            }
        }
        let row = [
            reading.into(),
            n.into(),
            thing.input().into(),
            u32::from(thing.at().unit).into(),
            thing.at().n.into(),
            thing.day().map(|d| d.to_string()).into(),
            thing.signature().into(),
            ids.into(),
            Some(ats).filter(|a| !a.is_empty()).into(),
        ];
        bulk.push(tx, row).await?;
    }
    bulk.flush(tx).await
}

async fn extras(tx: &mut Tx, reading: i64, all: &Observations) -> Result<(), StoreError> {
    let mut bulk = Bulk::new("extra", &["reading", "n", "kind", "doc"]);
    let mut n = 0i64;
    let mut docs: Vec<(&str, Vec<u8>)> = Vec::new();
    // Bills of materials one after the other: one may be large.
    for bom in &all.boms {
        docs.push(("bom", pack::pack_json(&Extra::Bom(Box::new(head(bom))))?));
        for parts in bom.parts.chunks(AT_ONCE) {
            docs.push(("parts", pack::pack_json(&Extra::Parts(parts.to_vec()))?));
        }
        put(tx, &mut bulk, reading, &mut n, &mut docs).await?;
    }
    for heard in all.heard.chunks(AT_ONCE) {
        docs.push(("heard", pack::pack_json(&Extra::Heard(heard.to_vec()))?));
    }
    for sweep in &all.sweeps {
        docs.push(("sweep", pack::pack_json(&Extra::Sweep(Box::new(sweep.clone())))?));
    }
    for pieces in all.pieces.chunks(AT_ONCE) {
        docs.push(("pieces", pack::pack_json(&Extra::Pieces(pieces.to_vec()))?));
    }
    for same in all.same_things().chunks(AT_ONCE) {
        docs.push(("same", pack::pack_json(&Extra::Same(same.to_vec()))?));
    }
    put(tx, &mut bulk, reading, &mut n, &mut docs).await?;
    bulk.flush(tx).await
}

/// A bill of materials without its parts.
fn head(bom: &Bom) -> Bom {
    Bom {
        input: bom.input,
        design: bom.design,
        product: bom.product.clone(),
        spec: bom.spec.clone(),
        sheets: bom.sheets.clone(),
        parts: Vec::new(),
        properties: bom.properties.clone(),
        signed: bom.signed.clone(),
    }
}

async fn put(tx: &mut Tx, bulk: &mut Bulk, reading: i64, n: &mut i64, docs: &mut Vec<(&str, Vec<u8>)>) -> Result<(), StoreError> {
    for (kind, doc) in docs.drain(..) {
        bulk.push(tx, [reading.into(), (*n).into(), kind.into(), doc.into()]).await?;
        *n = n.saturating_add(1);
    }
    Ok(())
}

/// Readings are fetched together up to so many, and so many observations: a folder of small files is not a million queries.
const READINGS: usize = 200;
const FEW: u64 = 20_000;
/// Records of a large reading are fetched so many at a time.
const PAGE: i64 = 5000;

impl Store {
    /// Everything that was observed, rebuilt exactly: the last reading of every artefact.
    pub async fn observations(&self) -> Result<Rebuilt, StoreError> {
        let mut tx = self.db().read().await?;
        let ask = format!(
            "SELECT r.n, r.schema_errors, COALESCE((SELECT CAST(SUM(i.observations) AS BIGINT) FROM input i WHERE i.reading = r.n), 0) \
             FROM evidence e JOIN reading r ON r.evidence = e.n WHERE {LAST} \
             AND NOT EXISTS (SELECT 1 FROM dropped d WHERE d.evidence = e.n AND d.what = 'observations') \
             ORDER BY COALESCE(r.name, e.name), e.sha256"
        );
        let mut out = Rebuilt { observations: Observations::new(), inputs: Vec::new() };
        let (mut group, mut size): (Vec<(i64, u64)>, u64) = (Vec::new(), 0);
        for row in tx.fetch(Sql::new(&ask)).await? {
            let (reading, errors, observations) = (row.int(0)?, row.count(1)?, row.count(2)?);
            if !group.is_empty() && (size.saturating_add(observations) > FEW || group.len() >= READINGS) {
                rebuild(&mut tx, &std::mem::take(&mut group), &mut out).await?;
                size = 0;
            }
            group.push((reading, errors));
            size = size.saturating_add(observations);
        }
        rebuild(&mut tx, &group, &mut out).await?;
        Ok(out)
    }
}

/// Rows of a table for these readings, by reading, in order.
async fn rows(tx: &mut Tx, table: &str, columns: &str, group: &[(i64, u64)]) -> Result<BTreeMap<i64, Vec<Row>>, StoreError> {
    let order = if table == "input" { "place" } else { "n" };
    let mut ask = Sql::new(&format!("SELECT reading, {columns} FROM {table} WHERE reading IN ("));
    ask.bind_all(group.iter().map(|g| g.0)).push(&format!(") ORDER BY reading, {order}"));
    let mut out: BTreeMap<i64, Vec<Row>> = BTreeMap::new();
    for row in tx.fetch(ask).await? {
        out.entry(row.int(0)?).or_default().push(row);
    }
    Ok(out)
}

async fn rebuild(tx: &mut Tx, group: &[(i64, u64)], out: &mut Rebuilt) -> Result<(), StoreError> {
    if group.is_empty() {
        return Ok(());
    }
    let inputs = rows(tx, "input", "n, path, format, sha256, observations, bytes, mapping", group).await?;
    let units = rows(tx, "unit", "name", group).await?;
    let facts = rows(tx, "fact", "kind, value, witness, basis", group).await?;
    let signatures = rows(tx, "signature", "facts", group).await?;
    let extras = rows(tx, "extra", "doc", group).await?;
    let problems = rows(tx, "problem", "input, unit, at, what", group).await?;
    const RECORD: &str = "n, input, unit, at, day, signature, ids, ats";
    let mut records = if group.len() > 1 { rows(tx, "record", RECORD, group).await? } else { BTreeMap::new() };
    for (reading, errors) in group {
        let of = |map: &BTreeMap<i64, Vec<Row>>, each: &mut dyn FnMut(&Row) -> Result<(), StoreError>| {
            map.get(reading).into_iter().flatten().try_for_each(each)
        };
        let mut sink = Observations::new();
        sink.schema_errors = *errors;
        let mut kept: Vec<Input> = Vec::new();
        of(&inputs, &mut |row| {
            let input = Input {
                path: row.owned(2)?,
                format: row.owned(3)?,
                sha256: row.owned(4)?,
                observations: row.count(5)?,
                bytes: row.count(6)?,
                mapping: pack::parse(row.text(7)?.as_bytes())?,
            };
            sink.begin_input(&input.path, &input.format, input.sha256.clone(), input.bytes);
            kept.push(input);
            out.inputs.push(row.int(1)?);
            Ok(())
        })?;
        of(&units, &mut |row| {
            sink.unit(row.text(1)?);
            Ok(())
        })?;
        let mut known: Vec<FactId> = Vec::new();
        of(&facts, &mut |row| {
            known.push(sink.intern_kept(fact(row)?));
            Ok(())
        })?;
        let mut lists: Vec<Vec<(u16, FactId)>> = Vec::new();
        of(&signatures, &mut |row| {
            lists.push(list(row.text(1)?, &known)?);
            Ok(())
        })?;
        match records.remove(reading) {
            Some(rows) => rows.iter().try_for_each(|row| record(&mut sink, row, &lists))?,
            None if group.len() == 1 => {
                let mut after = -1i64;
                loop {
                    let ask = format!("SELECT reading, {RECORD} FROM record WHERE reading = $1 AND n > $2 ORDER BY n LIMIT {PAGE}");
                    let page = tx.fetch(sql!(&ask, *reading, after)).await?;
                    page.iter().try_for_each(|row| record(&mut sink, row, &lists))?;
                    match page.last() {
                        Some(last) => after = last.int(1)?,
                        None => break,
                    }
                }
            }
            None => {}
        }
        of(&extras, &mut |row| extra(&mut sink, pack::unpack_json(row.blob(1)?)?))?;
        of(&problems, &mut |row| {
            let input = row.opt_int(1)?.map(small).transpose()?;
            sink.problems.push(Problem { input, at: At { unit: small(row.int(2)?)?, n: small(row.int(3)?)? }, what: row.owned(4)? });
            Ok(())
        })?;
        // Records count themselves; what was counted when they were read holds, parts among it.
        sink.inputs = kept;
        out.observations.absorb(sink);
    }
    Ok(())
}

/// A number that was kept as a wider one.
fn small<T: TryFrom<i64>>(n: i64) -> Result<T, StoreError> {
    T::try_from(n).map_err(|_| StoreError::damaged(format!("{n} is no number of an observation")))
}

fn fact(row: &Row) -> Result<Fact, StoreError> {
    let newer = |word: &str| StoreError::damaged(format!("`{word}` is no word of an observation: was it written by a newer version?"));
    Ok(Fact {
        kind: Kind::from_name(row.text(1)?).ok_or_else(|| newer(row.text(1).unwrap_or_default()))?,
        value: row.text(2)?.into(),
        group: Group::from_name(row.text(3)?).ok_or_else(|| newer(row.text(3).unwrap_or_default()))?,
        basis: Basis::from_name(row.text(4)?).ok_or_else(|| newer(row.text(4).unwrap_or_default()))?,
    })
}

/// `part:fact part:fact`.
fn list(text: &str, known: &[FactId]) -> Result<Vec<(u16, FactId)>, StoreError> {
    let bad = || StoreError::damaged("a list of facts cannot be read");
    let one = |pair: &str| {
        let (part, fact) = pair.split_once(':')?;
        Some((part.parse().ok()?, *known.get(fact.parse::<usize>().ok()?)?))
    };
    text.split_ascii_whitespace().map(|pair| one(pair).ok_or_else(bad)).collect()
}

fn record(sink: &mut Observations, row: &Row, lists: &[Vec<(u16, FactId)>]) -> Result<(), StoreError> {
    let bad = |what: &str| StoreError::damaged(format!("a record's {what} cannot be read"));
    let at = At { unit: small(row.int(3)?)?, n: small(row.int(4)?)? };
    let day = row.opt_text(5)?.map(|d| d.parse().map_err(|_| bad("day"))).transpose()?;
    let facts = usize::try_from(row.int(6)?).ok().and_then(|n| lists.get(n)).ok_or_else(|| bad("list of facts"))?;
    let mut record = sink.kept_record(small(row.int(2)?)?, at, day);
    for line in row.text(7)?.split('\n').filter(|l| !l.is_empty()) {
        let mut words = line.splitn(3, ' ');
        let (Some(part), Some(kind), Some(value)) = (words.next(), words.next(), words.next()) else { return Err(bad("identifiers")) };
        let (Ok(part), Some(kind)) = (part.parse(), IdKind::from_name(kind)) else { return Err(bad("identifiers")) };
        record.kept_id(part, kind, value);
    }
    let mut ats = row.opt_text(8)?.map(|text| text.split(' '));
    for (part, fact) in facts {
        let own = match &mut ats {
            None => at,
            Some(ats) => {
                let (unit, n) = ats.next().and_then(|a| a.split_once(':')).ok_or_else(|| bad("places"))?;
                At { unit: unit.parse().map_err(|_| bad("places"))?, n: n.parse().map_err(|_| bad("places"))? }
            }
        };
        record.kept_fact(*part, own, *fact);
    }
    Ok(())
}

fn extra(sink: &mut Observations, extra: Extra) -> Result<(), StoreError> {
    match extra {
        Extra::Bom(bom) => sink.boms.push(*bom),
        Extra::Parts(parts) => {
            let bom = sink.boms.last_mut().ok_or_else(|| StoreError::damaged("parts without a bill of materials"))?;
            bom.parts.extend(parts);
        }
        Extra::Heard(heard) => sink.heard.extend(heard),
        Extra::Sweep(sweep) => sink.sweeps.push(*sweep),
        Extra::Pieces(pieces) => sink.pieces.extend(pieces),
        Extra::Same(same) => same.into_iter().for_each(|(a, b)| sink.same_thing(a, b)),
    }
    Ok(())
}
