//! What was concluded: an answer replaces the one before in one transaction, and only what differs is written.

pub(crate) mod fold;
mod history;
mod ids;
mod lay;
pub(crate) mod prepare;
mod write;

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::json;
use umbilical_core::answer::{Audit, Device, Trace};
use umbilical_core::finding::Finding;

use crate::audit::append;
use crate::db::bulk::Bulk;
use crate::db::{Sql, Tx, sql};
use crate::{By, Store, StoreError, Time, pack};
pub use history::{AnswerRow, Changed, Span};
use ids::{Decided, Ids, Key};
pub(crate) use lay::relay;
use prepare::prepare;
use write::Writer;

/// The traces of an answer by id.
pub type Organisations = Vec<Arc<Trace>>;

/// An answer without its devices.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The document without its devices.
    pub audit: &'a Audit,
    /// [`crate::Rebuilt::inputs`] of the observations that it was made of.
    pub inputs: &'a [i64],
    /// Findings about no device: files, parts, organisations.
    pub findings: &'a [Finding],
}

/// What an answer changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Its number, from 1.
    pub answer: i64,
    /// Whether it is the first: the baseline, of which nobody is alarmed.
    pub first: bool,
    /// How many devices it has.
    pub devices: u64,
    /// Devices that were not there before.
    pub new: u64,
    /// Devices of which something else is said than before.
    pub changed: u64,
    /// Devices that it no longer has.
    pub gone: u64,
    /// Findings that were not there before.
    pub new_findings: u64,
}

/// An input of the observations as the store knows it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source {
    pub input: i64,
    pub evidence: i64,
    pub seen: i64,
}

/// Devices that are written together.
const BATCH: usize = 400;
/// Devices that differ are held in memory up to so many, so that others can write while most are found to be the same.
const HELD: usize = 4000;

/// The right to write, taken when there is something to write: until then others decide and sign in.
struct Lock<'s> {
    store: &'s Store,
    at: Time,
    changes: Changes,
    held: Option<(Tx, Writer)>,
}

impl Lock<'_> {
    /// When to write: once others wait, in small batches.
    fn full(&self) -> usize {
        if self.held.is_some() { BATCH } else { HELD }
    }

    async fn take(&mut self) -> Result<(&mut Tx, &mut Writer), StoreError> {
        if self.held.is_none() {
            let mut tx = self.store.db().write().await?;
            if tx.next("answer").await? != self.changes.answer {
                return Err(StoreError::Conflict("another answer came in between: ask for the observations again".into()));
            }
            tx.run(sql!("DELETE FROM staged")).await?;
            let writer = Writer::load(&mut tx, self.at, &self.changes).await?;
            self.held = Some((tx, writer));
        }
        self.held.as_mut().map(|(tx, writer)| (tx, writer)).ok_or_else(|| StoreError::Invalid("nothing is held".into()))
    }

    fn into_tx(self) -> Result<Tx, StoreError> {
        self.held.map(|(tx, _)| tx).ok_or_else(|| StoreError::Invalid("nothing is held".into()))
    }
}

/// Puts a device where it waits to be written, unless it is as it was.
fn ready(
    batch: &mut Vec<(Option<ids::Known>, prepare::Prepared)>,
    ids: &Ids,
    id: Key,
    device: Device,
    inputs: &[Source],
) -> Result<(), StoreError> {
    let known = ids.known.get(&id).copied();
    let device = prepare(device, text(id), inputs)?;
    if known.is_none_or(|k| k.digest != device.digest) {
        batch.push((known, device));
    }
    Ok(())
}

impl Store {
    /// Replaces what was concluded: `devices` are those of `answer`, with subscriber numbers whole (the store masks them for
    /// those who may not see them). Nobody sees half of it. Devices that are the same as before are not written again, keep
    /// their ids, and with them what people decided about them.
    ///
    /// Others can write while devices turn out to be as they were, up to the first few thousand that differ; from then on they
    /// wait. `devices` is asked between waits: give it a thread of its own where each takes long to make.
    pub async fn replace_answer(
        &self,
        by: By<'_>,
        answer: Answer<'_>,
        devices: impl Iterator<Item = Device>,
    ) -> Result<Changes, StoreError> {
        let organisations: Organisations = answer.audit.organisations.iter().cloned().map(Arc::new).collect();
        // One after the other within this program; another program is told that it came too late.
        let _turn = self.answering().await;
        let mut before = self.db().read().await?;
        let number = before.next("answer").await?;
        let inputs = sources(&mut before, answer.inputs).await?;
        let mut ids = Ids::load(&mut before).await?;
        drop(before);
        let mut changes = Changes { answer: number, first: number == 1, ..Changes::default() };
        let mut lock = Lock { store: self, at: by.at, changes, held: None };

        let mut staged: Vec<Vec<u8>> = Vec::new();
        let mut spilled = 0i64;
        let mut batch = Vec::new();
        let mut unsure: FxHashMap<Key, u32> = FxHashMap::default();
        for device in devices {
            changes.devices += 1;
            match ids.first(&device)? {
                Decided::As(id) => ready(&mut batch, &ids, id, device, &inputs)?,
                Decided::Open => {
                    for name in ids::by_name(&device)? {
                        *unsure.entry(name).or_default() += 1;
                    }
                    staged.push(pack::pack_json(&device)?);
                }
            }
            if batch.len() >= lock.full() {
                let (tx, writer) = lock.take().await?;
                writer.devices(tx, &mut batch, &mut changes).await?;
            }
            if staged.len() >= HELD {
                let (tx, _) = lock.take().await?;
                for doc in staged.drain(..) {
                    spilled += 1;
                    tx.run(sql!("INSERT INTO staged (n, doc) VALUES ($1, $2)", spilled, doc)).await?;
                }
            }
        }
        let unsure: FxHashSet<Key> = unsure.into_iter().filter(|(_, count)| *count > 1).map(|(id, _)| id).collect();
        let (tx, writer) = lock.take().await?;
        let mut rest = staged.into_iter();
        for n in 1.. {
            let doc = match tx.first(sql!("SELECT doc FROM staged WHERE n = $1", n)).await?.filter(|_| n <= spilled) {
                Some(row) => row.blob(0)?.to_vec(),
                None => match rest.next() {
                    Some(doc) => doc,
                    None => break,
                },
            };
            let mut device: Device = pack::unpack_json(&doc)?;
            device.fill(&organisations);
            let id = ids.last(&device, &unsure)?;
            ready(&mut batch, &ids, id, device, &inputs)?;
            if batch.len() >= BATCH {
                writer.devices(tx, &mut batch, &mut changes).await?;
            }
        }
        writer.devices(tx, &mut batch, &mut changes).await?;
        if spilled > 0 {
            tx.run(sql!("DELETE FROM staged")).await?;
        }

        let gone: Vec<(String, ids::Known)> = ids.gone().into_iter().map(|(id, known)| (text(id), known)).collect();
        changes.gone = gone.len() as u64;
        writer.gone(tx, &gone).await?;
        writer.others(tx, answer.findings, &mut changes).await?;
        aliases(tx, std::mem::take(&mut ids.new_aliases)).await?;
        writer.incidents(tx).await?;
        let findings = writer.finish(tx).await?;
        writer.tell(tx, &changes).await?;
        for trace in &organisations {
            let put = "INSERT INTO organisation (id, doc) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET doc = excluded.doc";
            tx.run(sql!(put, &trace.org, pack::pack_json(&**trace)?)).await?;
        }
        let mut audit = answer.audit.clone();
        // These stand in rows of their own.
        (audit.inputs, audit.problems, audit.organisations) = (Vec::new(), Vec::new(), Vec::new());
        let insert = "INSERT INTO answer (n, at, by_whom, as_of, devices, findings, new, changed, gone, cellular, unknown, doc, read_to) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
        let values = sql!(
            insert,
            number,
            by.at,
            by.who,
            &audit.as_of,
            changes.devices,
            findings,
            changes.new,
            changes.changed,
            changes.gone,
            audit.coverage.cellular,
            audit.coverage.unknown,
            pack::pack_json(&audit)?,
            answer.inputs.iter().max().copied().unwrap_or_default()
        );
        tx.run(values).await?;
        let detail = json!({"devices": changes.devices, "new": changes.new, "changed": changes.changed, "gone": changes.gone});
        let head = append(tx, by, "answer", &number.to_string(), &detail).await?;
        let tx = lock.into_tx()?;
        self.commit(tx, &head).await?;
        self.analyse(&changes).await?;
        Ok(changes)
    }

    /// The planner's figures, after much has changed.
    async fn analyse(&self, changes: &Changes) -> Result<(), StoreError> {
        let differ = changes.new.saturating_add(changes.changed).saturating_add(changes.gone);
        if changes.first || differ > changes.devices / 10 { self.refresh().await } else { Ok(()) }
    }
}

fn text(key: Key) -> String {
    String::from_utf8_lossy(&key).into_owned()
}

/// The inputs by their place in the observations.
async fn sources(tx: &mut Tx, inputs: &[i64]) -> Result<Vec<Source>, StoreError> {
    let ask = "SELECT i.n, r.evidence, COALESCE(e.collected_at, e.received_at) FROM input i JOIN reading r ON r.n = i.reading \
               JOIN evidence e ON e.n = r.evidence";
    let mut known: FxHashMap<i64, Source> = FxHashMap::default();
    for row in tx.fetch(Sql::new(ask)).await? {
        known.insert(row.int(0)?, Source { input: row.int(0)?, evidence: row.int(1)?, seen: row.int(2)? });
    }
    let of = |n: &i64| known.get(n).copied().ok_or_else(|| StoreError::Invalid(format!("input {n} of the answer is not in the store")));
    inputs.iter().map(of).collect()
}

/// Writes aliases; what was decided about an id follows to the device that it is now.
async fn aliases(tx: &mut Tx, list: Vec<(Key, Key, bool)>) -> Result<(), StoreError> {
    let mut decided: FxHashSet<String> = FxHashSet::default();
    for row in tx.fetch(sql!("SELECT DISTINCT subject FROM decision_now WHERE subject LIKE 'dev-%'")).await? {
        decided.insert(row.owned(0)?);
    }
    let mut bulk = Bulk::new("alias", &["id", "device"]);
    for (alias, id, _) in list.iter().filter(|(.., new)| *new) {
        bulk.push(tx, [text(*alias).into(), text(*id).into()]).await?;
    }
    bulk.flush(tx).await?;
    for (alias, id, new) in list {
        let (alias, id) = (text(alias), text(id));
        if !new {
            tx.run(sql!("UPDATE alias SET device = $2 WHERE id = $1", &alias, &id)).await?;
        }
        if alias != id && decided.contains(&alias) {
            crate::decide::follow(tx, &alias, &id).await?;
        }
    }
    Ok(())
}
