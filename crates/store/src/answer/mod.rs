//! What was concluded: an answer replaces the one before in one transaction, and only what differs is written.

pub(crate) mod fold;
mod history;
mod ids;
pub(crate) mod prepare;
mod write;

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::json;
use umbilical_core::answer::{Audit, Device, Trace};
use umbilical_core::finding::Finding;

use crate::audit::append;
use crate::db::{Sql, sql};
use crate::{By, Store, StoreError, pack};
pub use history::{AnswerRow, Changed};
use ids::{Decided, Ids, Key};
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

impl Store {
    /// Replaces what was concluded: `devices` are those of `answer`, with subscriber numbers whole (the store masks them for
    /// those who may not see them). Nobody sees half of it. Devices that are the same as before are not written again, keep
    /// their ids, and with them what people decided about them.
    ///
    /// `devices` is asked between waits: give it a thread of its own where each takes long to make.
    pub async fn replace_answer(
        &self,
        by: By<'_>,
        answer: Answer<'_>,
        devices: impl Iterator<Item = Device>,
    ) -> Result<Changes, StoreError> {
        let organisations: Organisations = answer.audit.organisations.iter().cloned().map(Arc::new).collect();
        let mut tx = self.db().write().await?;
        let number = tx.next("answer").await?;
        let mut changes = Changes { answer: number, first: number == 1, ..Changes::default() };
        let inputs = sources(&mut tx, answer.inputs).await?;
        let mut ids = Ids::load(&mut tx).await?;
        let mut writer = Writer::load(&mut tx, by.at, &changes).await?;
        tx.run(sql!("DELETE FROM staged")).await?;

        let mut staged = 0i64;
        let mut batch = Vec::with_capacity(BATCH);
        let mut unsure: FxHashMap<Key, u32> = FxHashMap::default();
        for device in devices {
            changes.devices += 1;
            match ids.first(&device)? {
                Decided::As(id) => batch.push((ids.known.get(&id).copied(), prepare(device, text(id), &inputs)?)),
                Decided::Open => {
                    staged += 1;
                    for name in ids::by_name(&device)? {
                        *unsure.entry(name).or_default() += 1;
                    }
                    tx.run(sql!("INSERT INTO staged (n, doc) VALUES ($1, $2)", staged, pack::pack_json(&device)?)).await?;
                }
            }
            if batch.len() >= BATCH {
                writer.devices(&mut tx, &mut batch, &mut changes).await?;
            }
        }
        let unsure: FxHashSet<Key> = unsure.into_iter().filter(|(_, count)| *count > 1).map(|(id, _)| id).collect();
        for n in 1..=staged {
            let Some(row) = tx.first(sql!("SELECT doc FROM staged WHERE n = $1", n)).await? else { continue };
            let mut device: Device = pack::unpack_json(row.blob(0)?)?;
            device.fill(&organisations);
            let id = ids.last(&device, &unsure)?;
            batch.push((ids.known.get(&id).copied(), prepare(device, text(id), &inputs)?));
            if batch.len() >= BATCH {
                writer.devices(&mut tx, &mut batch, &mut changes).await?;
            }
        }
        writer.devices(&mut tx, &mut batch, &mut changes).await?;
        tx.run(sql!("DELETE FROM staged")).await?;

        let gone: Vec<(String, ids::Known)> = ids.gone().into_iter().map(|(id, known)| (text(id), known)).collect();
        changes.gone = gone.len() as u64;
        writer.gone(&mut tx, &gone).await?;
        writer.others(&mut tx, answer.findings, &mut changes).await?;
        for (alias, id) in std::mem::take(&mut ids.new_aliases) {
            if alias != id {
                crate::decide::follow(&mut tx, &text(alias), &text(id)).await?;
            }
            let put = "INSERT INTO alias (id, device) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET device = excluded.device";
            tx.run(sql!(put, text(alias), text(id))).await?;
        }
        let findings = writer.finish(&mut tx).await?;
        for trace in &organisations {
            let put = "INSERT INTO organisation (id, doc) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET doc = excluded.doc";
            tx.run(sql!(put, &trace.org, pack::pack_json(&**trace)?)).await?;
        }
        let mut audit = answer.audit.clone();
        // These stand in rows of their own.
        (audit.inputs, audit.problems, audit.organisations) = (Vec::new(), Vec::new(), Vec::new());
        let insert = "INSERT INTO answer (n, at, by_whom, as_of, devices, findings, new, changed, gone, doc) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
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
            pack::pack_json(&audit)?
        );
        tx.run(values).await?;
        let detail = json!({"devices": changes.devices, "new": changes.new, "changed": changes.changed, "gone": changes.gone});
        let head = append(&mut tx, by, "answer", &number.to_string(), &detail).await?;
        self.commit(tx, &head).await?;
        self.analyse(&changes).await?;
        Ok(changes)
    }

    /// The planner's figures, after much has changed.
    async fn analyse(&self, changes: &Changes) -> Result<(), StoreError> {
        if changes.first || changes.new.saturating_add(changes.changed).saturating_add(changes.gone) > changes.devices / 10 {
            self.db().outside(if self.db().engine() == crate::db::Engine::Sqlite { "PRAGMA optimize=0x10002" } else { "ANALYZE" }).await?;
        }
        Ok(())
    }
}

fn text(key: Key) -> String {
    String::from_utf8_lossy(&key).into_owned()
}

/// The inputs by their place in the observations.
async fn sources(tx: &mut crate::db::Tx, inputs: &[i64]) -> Result<Vec<Source>, StoreError> {
    let ask = "SELECT i.n, r.evidence, COALESCE(e.collected_at, e.received_at) FROM input i JOIN reading r ON r.n = i.reading \
               JOIN evidence e ON e.n = r.evidence";
    let mut known: FxHashMap<i64, Source> = FxHashMap::default();
    for row in tx.fetch(Sql::new(ask)).await? {
        known.insert(row.int(0)?, Source { input: row.int(0)?, evidence: row.int(1)?, seen: row.int(2)? });
    }
    let of = |n: &i64| known.get(n).copied().ok_or_else(|| StoreError::Invalid(format!("input {n} of the answer is not in the store")));
    inputs.iter().map(of).collect()
}
