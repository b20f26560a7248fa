//! Incidents: what detectors found over all traces, each told once however many traces hold a part of it.
//!
//! A trace keeps what was found in it ([`crate::traffic`]); those that have a topic in common are sightings of one incident
//! (`merge`). What of it is to be seen stands among the findings like any other (`crate::answer::lay`): with the severity that it has on
//! its device (`step`), and unless people muted it (`mute`).

pub(crate) mod merge;
mod mute;
mod mutes;
pub(crate) mod step;

use std::collections::{BTreeMap, BTreeSet};

use umbilical_core::answer::watch::Session;
use umbilical_core::finding::Finding;

use crate::answer::prepare::{digest, rank};
use crate::db::{Row, Sql, Tx, sql};
use crate::list::{FindingRow, mask_finding};
use crate::query::sql::{DEVICES, FINDINGS, scoped};
use crate::traffic::body_of;
use crate::{By, Scope, Sites, Store, StoreError, Time, pack};

pub(crate) use mute::Against;
pub use mute::{MuteRule, split};
pub(crate) use mutes::holding;
pub use mutes::{KeptMute, Preview};

/// An incident that is no longer in any trace.
pub(crate) struct Removed {
    pub finding: Finding,
    /// The severity that sinks heard of; -1 is none.
    pub told: i64,
}

/// Where an incident was seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Sighting {
    /// The trace, for those who see every site.
    pub trace: Option<String>,
    /// What was read for it, likewise.
    pub name: Option<String>,
    /// What was found there.
    pub finding: Finding,
}

/// An incident with what is behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    /// Sessions or addresses whose doing it was, the newest first.
    pub subjects: Vec<String>,
    /// Where it was seen, the newest first.
    pub sightings: Vec<Sighting>,
    /// What hides it.
    pub mute: Option<KeptMute>,
    /// When it was seen last.
    pub last: Time,
}

/// Whose sessions a trace has: the first digits of the IMEI, and the subscription.
pub(crate) type Whose<'a> = BTreeMap<&'a str, (Option<&'a str>, Option<&'a str>)>;

/// Of the sessions of a trace.
pub(crate) fn whose(sessions: &[Session]) -> Whose<'_> {
    sessions.iter().map(|s| (s.id.as_str(), (s.imei.as_deref().and_then(body_of), s.imsi.as_deref()))).collect()
}

/// The number of the incident that a finding is part of; a new one where it is none's.
pub(crate) async fn number(tx: &mut Tx, at: Time, finding: &Finding, imei: Option<&str>, imsi: Option<&str>) -> Result<i64, StoreError> {
    let topic = merge::topic(finding, imei, imsi);
    let found = tx.first(sql!("SELECT n FROM incident WHERE topic = $1", &topic)).await?;
    if let Some(row) = found {
        return row.int(0);
    }
    // The same thing of which more is known now: whose module it is.
    if let Some(row) = tx.first(sql!("SELECT n FROM incident WHERE id = $1", &finding.id)).await? {
        let n = row.int(0)?;
        tx.run(sql!("UPDATE incident SET topic = $2, imei = COALESCE($3, imei) WHERE n = $1", n, topic, imei)).await?;
        return Ok(n);
    }
    let n = tx.next("incident").await?;
    let insert = "INSERT INTO incident (n, id, topic, code, imei, kind, subject, peer, first, last, since, severity, digest, doc, device, muted, \
                  laid, told) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $9, $10, '', $11, 0, 0, '', -1)";
    let doc = pack::pack_json(finding)?;
    let (code, severity) = (finding.code.as_ref(), rank(finding.severity));
    let subject = &finding.subject;
    tx.run(sql!(insert, n, &finding.id, topic, code, imei, subject.kind, &subject.id, merge::peer(finding), at, severity, doc)).await?;
    Ok(n)
}

/// Finds the incidents of what was kept before there were any; gives their numbers.
pub(crate) async fn adopt(tx: &mut Tx, at: Time) -> Result<BTreeSet<i64>, StoreError> {
    let mut out = BTreeSet::new();
    let ask = "SELECT f.trace, f.n, f.body, s.body FROM traffic_finding f LEFT JOIN traffic_session s ON s.trace = f.trace AND s.id = f.subject \
               WHERE f.incident = 0 ORDER BY f.trace, f.n";
    for row in tx.fetch(Sql::new(ask)).await? {
        let finding: Finding = pack::unpack_json(row.blob(2)?)?;
        let session: Option<crate::traffic::SessionRow> = row.opt_blob(3)?.map(pack::unpack_json).transpose()?;
        let (imei, imsi) = session.as_ref().map_or((None, None), |s| (s.imei.as_deref().and_then(body_of), s.imsi.as_deref()));
        let n = number(tx, at, &finding, imei, imsi).await?;
        tx.run(sql!("UPDATE traffic_finding SET incident = $3 WHERE trace = $1 AND n = $2", row.int(0)?, row.int(1)?, n)).await?;
        out.insert(n);
    }
    Ok(out)
}

/// Makes incidents anew of their sightings; gives those that have none left, which are gone.
pub(crate) async fn settle(tx: &mut Tx, affected: &BTreeSet<i64>) -> Result<Vec<Removed>, StoreError> {
    let mut removed = Vec::new();
    for n in affected {
        let Some(kept) = tx.first(sql!("SELECT id, doc, told, digest FROM incident WHERE n = $1", *n)).await? else { continue };
        let ask = "SELECT f.body, t.first, t.last FROM traffic_finding f JOIN trace t ON t.n = f.trace WHERE f.incident = $1 ORDER BY f.trace, f.n";
        let (mut sightings, mut range) = (Vec::new(), None::<(Time, Time)>);
        for row in tx.fetch(sql!(ask, *n)).await? {
            let finding: Finding = pack::unpack_json(row.blob(0)?)?;
            let time = |text: &Option<String>, or: Time| text.as_deref().and_then(Time::parse).unwrap_or(or);
            let (first, last) = (time(&finding.first, row.time(1)?), time(&finding.last, row.time(2)?));
            range = Some(range.map_or((first, last), |(a, b)| (a.min(first), b.max(last))));
            sightings.push(finding);
        }
        let (Some(mut finding), Some((first, last))) = (merge::merged(sightings), range) else {
            removed.push(Removed { finding: pack::unpack_json(kept.blob(1)?)?, told: kept.int(2)? });
            tx.run(sql!("DELETE FROM incident WHERE n = $1", *n)).await?;
            continue;
        };
        // It keeps the id under which it was first told.
        finding.id = kept.owned(0)?;
        let doc = pack::json(&finding)?;
        let digest = digest(&doc);
        if digest == kept.text(3)? {
            continue;
        }
        let put = "UPDATE incident SET first = $2, last = $3, severity = $4, digest = $5, doc = $6, kind = $7, subject = $8, peer = $9 WHERE n = $1";
        let peer = merge::peer(&finding).map(str::to_owned);
        let subject = finding.subject;
        tx.run(sql!(put, *n, first, last, rank(finding.severity), digest, pack::pack(&doc), subject.kind, subject.id, peer)).await?;
    }
    Ok(removed)
}

/// The incidents that have a sighting in a trace.
pub(crate) async fn of_trace(tx: &mut Tx, trace: i64) -> Result<BTreeSet<i64>, StoreError> {
    let rows = tx.fetch(sql!("SELECT DISTINCT incident FROM traffic_finding WHERE trace = $1 AND incident <> 0", trace)).await?;
    rows.iter().map(|row| row.int(0)).collect()
}

/// That an incident `i` is for the asker's eyes: about a device of the asker's sites, where those are some.
fn seen(ask: &mut Sql, scope: &Scope) {
    if scope.sites == Sites::All {
        ask.push("1 = 1");
        return;
    }
    ask.push("EXISTS (SELECT 1 FROM device d WHERE d.n = i.device AND ");
    scoped(ask, scope, &DEVICES);
    ask.push(")");
}

/// `i.doc, i.since, m.id, d.id, d.name`.
const HIDDEN: &str = "i.doc, i.since, m.id, d.id, d.name";

fn hidden(row: &Row) -> Result<FindingRow, StoreError> {
    let device = match (row.opt_text(3)?, row.opt_text(4)?) {
        (Some(id), Some(name)) => Some((id.to_owned(), name.to_owned())),
        _ => None,
    };
    Ok(FindingRow {
        finding: pack::unpack_json(row.blob(0)?)?,
        device,
        since: row.time(1)?,
        state: "new".into(),
        tags: Vec::new(),
        assigned: None,
        muted: row.opt_owned(2)?,
    })
}

/// A hidden incident by its number; `None` where it is not hidden, or not for the asker's eyes.
pub(crate) async fn muted_row(tx: &mut Tx, scope: &Scope, id: &str) -> Result<Option<FindingRow>, StoreError> {
    let mut ask = Sql::new(&format!(
        "SELECT {HIDDEN} FROM incident i JOIN mute m ON m.n = i.muted LEFT JOIN device d ON d.n = i.device WHERE i.id = "
    ));
    ask.bind(id).push(" AND ");
    seen(&mut ask, scope);
    tx.first(ask).await?.as_ref().map(hidden).transpose()
}

/// The id of the incident that a finding of a detector is part of.
pub(crate) async fn part_of(tx: &mut Tx, id: &str) -> Result<Option<String>, StoreError> {
    let ask = "SELECT i.id FROM traffic_finding f JOIN incident i ON i.n = f.incident WHERE f.id = $1 LIMIT 1";
    tx.first(sql!(ask, id)).await?.map(|row| row.owned(0)).transpose()
}

impl Store {
    /// What stands behind an incident, by its id; `None` where the id is of a finding that is none.
    pub async fn incident(&self, scope: &Scope, id: &str) -> Result<Option<Incident>, StoreError> {
        let mut tx = self.db().read().await?;
        let mut ask = Sql::new("SELECT i.n, i.last, i.muted FROM incident i WHERE i.id = ");
        ask.bind(id).push(" AND ");
        seen(&mut ask, scope);
        let Some(row) = tx.first(ask).await? else { return Ok(None) };
        let (n, last, muted) = (row.int(0)?, row.time(1)?, row.int(2)?);
        let ask = "SELECT t.id, t.name, f.body FROM traffic_finding f JOIN trace t ON t.n = f.trace WHERE f.incident = $1 \
                   ORDER BY t.last DESC, t.n DESC, f.n LIMIT 200";
        let (mut sightings, mut subjects) = (Vec::new(), Vec::new());
        for row in tx.fetch(sql!(ask, n)).await? {
            let mut finding: Finding = pack::unpack_json(row.blob(2)?)?;
            if !scope.subscribers {
                mask_finding(&mut finding, &[]);
            }
            if !subjects.contains(&finding.subject.id) {
                subjects.push(finding.subject.id.clone());
            }
            let whole = scope.sites == Sites::All;
            let (trace, name) = if whole { (Some(row.owned(0)?), Some(row.owned(1)?)) } else { (None, None) };
            sightings.push(Sighting { trace, name, finding });
        }
        let mute = if muted == 0 { None } else { mutes::by_number(&mut tx, muted).await? };
        Ok(Some(Incident { subjects, sightings, mute, last }))
    }

    /// Incidents that a mute hides, or any of them, the newest first.
    pub async fn muted(&self, scope: &Scope, mute: Option<&str>, most: u32) -> Result<Vec<FindingRow>, StoreError> {
        let mut tx = self.db().read().await?;
        let mut ask = Sql::new(&format!(
            "SELECT {HIDDEN} FROM incident i JOIN mute m ON m.n = i.muted LEFT JOIN device d ON d.n = i.device WHERE i.muted > 0 AND "
        ));
        if let Some(id) = mute {
            ask.push("m.id = ").bind(id).push(" AND ");
        }
        seen(&mut ask, scope);
        ask.push(" ORDER BY i.last DESC, i.n DESC LIMIT ").bind(i64::from(most));
        let mut rows = tx.fetch(ask).await?.iter().map(hidden).collect::<Result<Vec<_>, _>>()?;
        crate::list::decided(&mut tx, scope, &mut rows).await?;
        Ok(rows)
    }

    /// How many incidents are hidden.
    pub async fn muted_count(&self, scope: &Scope) -> Result<u64, StoreError> {
        let mut ask = Sql::new("SELECT COUNT(*) FROM incident i WHERE i.muted > 0 AND ");
        seen(&mut ask, scope);
        Ok(u64::try_from(self.db().read().await?.number(ask).await?).unwrap_or(0))
    }

    /// What detectors found and is not muted, the worst first, then the newest.
    pub async fn traffic_findings(&self, scope: &Scope, of: crate::traffic::Of<'_>, most: u32) -> Result<Vec<Finding>, StoreError> {
        use crate::traffic::Of;
        let mut tx = self.db().read().await?;
        // Which they are is found before any body is opened.
        let mut ask = Sql::new("WITH top AS MATERIALIZED (SELECT f.n AS n, f.body AS body, k.severity AS severity, i.last AS last ");
        ask.push("FROM incident i CROSS JOIN finding f CROSS JOIN finding_kind k WHERE i.muted = 0 AND f.id = i.id AND k.n = f.kind ");
        ask.push("AND k.source = 'detector' AND ");
        match of {
            Of::All => {}
            Of::Trace(id) => {
                ask.push("i.n IN (SELECT s.incident FROM traffic_finding s JOIN trace t ON t.n = s.trace WHERE t.id = ")
                    .bind(id)
                    .push(") AND ");
            }
            Of::Subject(id) => {
                ask.push("i.n IN (SELECT s.incident FROM traffic_finding s WHERE s.subject = ").bind(id).push(") AND ");
            }
            Of::Device(id) => {
                ask.push("i.device IN (SELECT o.n FROM device o WHERE o.id = ").bind(id).push(") AND ");
            }
        }
        scoped(&mut ask, scope, &FINDINGS);
        ask.push(" ORDER BY k.severity DESC, i.last DESC, f.id LIMIT ").bind(i64::from(most));
        ask.push(") SELECT f.id, f.subject_id, b.doc FROM top JOIN finding f ON f.n = top.n JOIN finding_body b ON b.n = top.body ");
        ask.push("ORDER BY top.severity DESC, top.last DESC, f.id");
        let one = |row: &Row| {
            let mut finding = crate::list::finding(row.text(0)?, row.text(1)?, row.blob(2)?)?;
            if !scope.subscribers {
                mask_finding(&mut finding, &[]);
            }
            Ok(finding)
        };
        tx.fetch(ask).await?.iter().map(one).collect()
    }

    /// Does what time brings: mutes end on their day, and what an earlier program kept becomes incidents.
    pub async fn tidy_incidents(&self, by: By<'_>) -> Result<(), StoreError> {
        let due =
            "SELECT 1 FROM mute WHERE ended IS NULL AND ends <= $1 UNION ALL SELECT 1 FROM traffic_finding WHERE incident = 0 LIMIT 1";
        if self.db().read().await?.first(sql!(due, by.at)).await?.is_none() {
            return Ok(());
        }
        let mut tx = self.db().write().await?;
        let ended = tx.run(sql!("UPDATE mute SET ended = $1, ended_by = $2 WHERE ended IS NULL AND ends <= $1", by.at, by.who)).await?;
        let affected = adopt(&mut tx, by.at).await?;
        let removed = settle(&mut tx, &affected).await?;
        crate::answer::relay(&mut tx, by.at, removed).await?;
        if ended == 0 {
            return tx.commit().await;
        }
        let head = crate::audit::append(&mut tx, by, "mute.end", "", &serde_json::json!({"mutes": ended})).await?;
        self.commit(tx, &head).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::Query;
    use crate::{Options, Page};

    const NOW: Time = Time(1_790_000_000_000);

    #[test]
    fn what_an_earlier_program_kept_becomes_incidents() {
        let folder = std::env::temp_dir().join(format!("umbilical-incident-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let options = || Options { place: folder.join("umbilical.db").display().to_string(), ..Options::default() };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let store = Store::open_at(options(), 10, NOW).await.unwrap();
            let finding = r#"{"id": "fnd-000000000001", "code": "scan", "source": "detector", "subject": {"kind": "session", "id": "ses-1"}, "verdict": null,
                "severity": "high", "confidence": 0.9, "basis": "inferred", "lifecycle": "patchable", "threats": [], "first": null, "last": null,
                "because": [], "remedies": [], "clears_when": "", "detail": {"peer": null}}"#;
            let session = r#"{"id": "ses-1", "imsi": null, "imei": "350000000000013", "msisdn": null, "apn": null, "ue": [], "module": null, "first": "",
                "last": "", "packets": 0, "bytes_up": 0, "bytes_down": 0, "flows": 0}"#;
            let mut tx = store.db().write().await.unwrap();
            let [finding, session, body] = [finding, session, "{}"].map(|text| pack::pack(text.as_bytes()));
            tx.run(sql!("INSERT INTO trace VALUES (1, 'trc-1', 'x', 1, 'ana', 1, 2, 0, 0, 0, $1)", body)).await.unwrap();
            tx.run(sql!("INSERT INTO traffic_session VALUES (1, 0, 'ses-1', '35000000000001', 0, $1)", session)).await.unwrap();
            tx.run(sql!("INSERT INTO traffic_finding VALUES (1, 0, 'fnd-000000000001', 'scan', 3, 'session', 'ses-1', 2, $1)", finding))
                .await
                .unwrap();
            tx.commit().await.unwrap();
            store.close().await;
            let store = Store::open_with(options(), NOW).await.unwrap();
            let by = By { who: "umbilical", at: NOW };
            for _ in 0..2 {
                store.tidy_incidents(by).await.unwrap();
                let found = store.findings(&Scope::ALL, &Query::parse("source:detector").unwrap(), Page::default()).await.unwrap();
                assert_eq!(found.rows.iter().map(|r| r.finding.id.as_str()).collect::<Vec<_>>(), ["fnd-000000000001"]);
            }
            let mut tx = store.db().read().await.unwrap();
            let row = tx.first(sql!("SELECT topic, last FROM incident")).await.unwrap().unwrap();
            assert_eq!((row.text(0).unwrap(), row.int(1).unwrap()), ("scan|imei 35000000000001|", 2));
            drop(tx);
            store.close().await;
        });
        let _ = std::fs::remove_dir_all(&folder);
    }
}
