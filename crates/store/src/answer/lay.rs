//! Incidents among the findings: what is to be seen of each stands there like any other finding, with the device that has its IMEI.
//!
//! An answer replaces what was concluded and knows nothing of traffic; a trace brings incidents and knows nothing of devices. Here
//! both meet: whatever changed, what should stand among the findings is compared with what does, and only what differs is written.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};
use umbilical_core::answer::Device;
use umbilical_core::finding::Finding;

use super::Changes;
use super::prepare::{KeptFinding, kept, profile};
use super::write::Writer;
use crate::db::{Sql, Tx, sql};
use crate::incident::step::Step;
use crate::incident::{Against, Removed, holding};
use crate::outbox::{Gather, Seen};
use crate::{StoreError, Time, pack};

/// Rows that are asked for together.
const TOGETHER: usize = 500;

/// An incident as it is kept, and as it should be shown.
struct One {
    n: i64,
    id: String,
    code: String,
    since: i64,
    told: i64,
    device: i64,
    muted: i64,
    laid: String,
    /// What should be.
    want: Want,
}

#[derive(PartialEq)]
struct Want {
    device: i64,
    profile: i64,
    muted: i64,
    laid: String,
    step: Step,
}

/// A finding of a detector that stands among the findings.
struct Row {
    n: i64,
    kind: i64,
    device: i64,
    profile: i64,
}

/// What is to be done so that the findings show incidents as they are.
pub(super) struct Plan {
    ones: Vec<One>,
    /// By id.
    rows: FxHashMap<String, Row>,
    /// Incidents to be put among the findings, by place.
    put: Vec<usize>,
    /// Rows to be taken away.
    take: Vec<Row>,
    removed: Vec<Removed>,
}

/// Devices with the IMEIs of incidents: number, id, profile. Where several have one, the first that was known.
async fn owners(tx: &mut Tx) -> Result<FxHashMap<i64, (i64, String, i64)>, StoreError> {
    // From the incidents to the devices, however many there are of either.
    let ask = "SELECT i.n, d.n, d.id, d.profile FROM incident i CROSS JOIN device_key k CROSS JOIN device d WHERE i.imei IS NOT NULL \
               AND k.kind = 'imei' AND k.value >= i.imei AND k.value < i.imei || ':' AND d.n = k.device ORDER BY i.n, d.n";
    let mut out = FxHashMap::default();
    for row in tx.fetch(Sql::new(ask)).await? {
        out.entry(row.int(0)?).or_insert((row.int(1)?, row.owned(2)?, row.int(3)?));
    }
    Ok(out)
}

/// What the file of assets says of devices of these profiles.
async fn steps(tx: &mut Tx, profiles: &BTreeSet<i64>) -> Result<FxHashMap<i64, Step>, StoreError> {
    let mut words: BTreeMap<i64, [Vec<String>; 2]> = BTreeMap::new();
    if tx.first(Sql::new("SELECT 1 FROM word WHERE field IN ('criticality', 'role') LIMIT 1")).await?.is_none() {
        return Ok(FxHashMap::default());
    }
    let profiles: Vec<i64> = profiles.iter().copied().collect();
    for some in profiles.chunks(TOGETHER) {
        let mut ask = Sql::new("SELECT p.profile, w.field, w.value FROM profile_word p JOIN word w ON w.n = p.word WHERE p.profile IN (");
        ask.bind_all(some.iter().copied()).push(") AND w.field IN ('criticality', 'role')");
        for row in tx.fetch(ask).await? {
            let [criticality, role] = words.entry(row.int(0)?).or_default();
            if row.text(1)? == "role" { role.push(row.owned(2)?) } else { criticality.push(row.owned(2)?) }
        }
    }
    Ok(words.into_iter().map(|(profile, [criticality, role])| (profile, Step::of(&criticality, &role))).collect())
}

impl Plan {
    pub async fn of(tx: &mut Tx, at: Time, removed: Vec<Removed>) -> Result<Self, StoreError> {
        let (owners, mutes) = (owners(tx).await?, holding(tx, at).await?);
        let steps = steps(tx, &owners.values().map(|o| o.2).collect()).await?;
        let mut rows = FxHashMap::default();
        let mut take = Vec::new();
        let ask = "SELECT f.id, f.n, f.kind, f.device, f.profile FROM finding f \
                   WHERE f.kind IN (SELECT k.n FROM finding_kind k WHERE k.source = 'detector') ORDER BY f.n";
        for row in tx.fetch(Sql::new(ask)).await? {
            let one = Row { n: row.int(1)?, kind: row.int(2)?, device: row.int(3)?, profile: row.int(4)? };
            take.extend(rows.insert(row.owned(0)?, one));
        }
        let ask = "SELECT n, id, code, imei, kind, subject, peer, digest, since, told, device, muted, laid FROM incident ORDER BY n";
        let mut ones = Vec::new();
        for row in tx.fetch(Sql::new(ask)).await? {
            let owner = owners.get(&row.int(0)?);
            let against = Against {
                code: row.text(2)?,
                device: owner.map(|o| o.1.as_str()),
                imei: row.opt_text(3)?,
                kind: row.text(4)?,
                subject: row.text(5)?,
                peer: row.opt_text(6)?,
            };
            let step = owner.and_then(|o| steps.get(&o.2)).cloned().unwrap_or_default();
            let want = Want {
                device: owner.map_or(0, |o| o.0),
                profile: owner.map_or(0, |o| o.2),
                muted: mutes.iter().find(|(_, rule)| rule.fits(&against)).map_or(0, |(n, _)| *n),
                laid: format!("{} {}", row.text(7)?, step.word()),
                step,
            };
            ones.push(One {
                n: row.int(0)?,
                id: row.owned(1)?,
                code: row.owned(2)?,
                since: row.int(8)?,
                told: row.int(9)?,
                device: row.int(10)?,
                muted: row.int(11)?,
                laid: row.owned(12)?,
                want,
            });
        }
        let mut plan = Self { ones, rows, put: Vec::new(), take, removed };
        plan.compare();
        Ok(plan)
    }

    fn compare(&mut self) {
        let known: FxHashSet<&str> = self.ones.iter().map(|o| o.id.as_str()).collect();
        let gone: Vec<String> = self.rows.keys().filter(|id| !known.contains(id.as_str())).cloned().collect();
        let mut take: Vec<Row> = gone.into_iter().filter_map(|id| self.rows.remove(&id)).collect();
        for (place, one) in self.ones.iter().enumerate() {
            let want = &one.want;
            let there = self.rows.get(&one.id);
            let right = there.is_some_and(|row| (row.device, row.profile) == (want.device, want.profile)) && one.laid == want.laid;
            if want.muted != 0 || !right {
                take.extend(self.rows.remove(&one.id));
            }
            if want.muted == 0 && !right {
                self.put.push(place);
            }
        }
        self.take.append(&mut take);
        self.take.sort_by_key(|row| row.n);
    }

    /// Whether everything stands as it should.
    fn is_done(&self) -> bool {
        let same = |o: &One| (o.device, o.muted) == (o.want.device, o.want.muted);
        self.put.is_empty() && self.take.is_empty() && self.removed.is_empty() && self.ones.iter().all(same)
    }
}

/// Shows incidents as they are, by themselves: after a trace, a mute, or a day that has come.
pub(crate) async fn relay(tx: &mut Tx, at: Time, removed: Vec<Removed>) -> Result<(), StoreError> {
    let plan = Plan::of(tx, at, removed).await?;
    if plan.is_done() {
        return Ok(());
    }
    let answer = tx.next("answer").await?.saturating_sub(1);
    let changes = Changes { answer, ..Changes::default() };
    let mut writer = Writer::load(tx, at, &changes).await?;
    writer.lay(tx, plan).await?;
    writer.finish(tx).await?;
    writer.tell(tx, &changes).await
}

impl Writer {
    /// Carries a plan out. What is waiting to be written must have been.
    pub(super) async fn lay(&mut self, tx: &mut Tx, plan: Plan) -> Result<(), StoreError> {
        let Plan { ones, put, take, removed, .. } = plan;
        let mut touched: BTreeSet<i64> = BTreeSet::new();
        for some in take.chunks(TOGETHER) {
            for row in some {
                *self.findings_by.entry((row.kind, row.profile)).or_default() -= 1;
                touched.insert(row.device);
            }
            let mut delete = Sql::new("DELETE FROM finding WHERE n IN (");
            delete.bind_all(some.iter().map(|row| row.n)).push(")");
            tx.run(delete).await?;
            self.removed = true;
        }
        let mut shown: BTreeMap<i64, Vec<Finding>> = BTreeMap::new();
        touched.extend(put.iter().filter_map(|place| ones.get(*place)).map(|one| one.want.device));
        touched.remove(&0);
        for one in ones.iter().filter(|one| one.want.muted == 0 && touched.contains(&one.want.device)) {
            shown.entry(one.want.device).or_default().push(finding(tx, one).await?);
        }
        let mut profiles: FxHashMap<i64, i64> = FxHashMap::default();
        let mut devices: FxHashMap<i64, Device> = FxHashMap::default();
        for n in touched {
            let Some((device, profile)) = self.about(tx, n, shown.get(&n).map_or(&[], Vec::as_slice)).await? else { continue };
            profiles.insert(n, profile);
            devices.insert(n, device);
        }
        for one in put.iter().filter_map(|place| ones.get(*place)) {
            let found = match shown.get(&one.want.device).and_then(|list| list.iter().find(|f| f.id == one.id)) {
                Some(found) => found.clone(),
                None => finding(tx, one).await?,
            };
            let profile = profiles.get(&one.want.device).copied().unwrap_or(one.want.profile);
            let own = kept(found.clone(), "", "")?;
            let severity = own.severity;
            self.put(tx, (one.want.device, profile), own, one.since).await?;
            self.heard(one, found, severity, devices.get(&one.want.device))?;
            let update = "UPDATE incident SET device = $2, muted = 0, laid = $3, told = $4 WHERE n = $1";
            tx.run(sql!(update, one.n, one.want.device, &one.want.laid, severity)).await?;
        }
        for one in ones.iter().filter(|o| o.want.muted != 0 && (o.device, o.muted) != (o.want.device, o.want.muted)) {
            let update = "UPDATE incident SET device = $2, muted = $3, laid = '' WHERE n = $1";
            tx.run(sql!(update, one.n, one.want.device, one.want.muted)).await?;
        }
        for gone in removed.into_iter().filter(|gone| gone.told >= 0) {
            let code = gone.finding.code.clone();
            let was = Some(Seen { code: &code, verdict: None, severity: gone.told });
            if let Some(turn) = self.gather.turn(was, None, false).filter(|_| self.gather.wants(was, None)) {
                let turned = Gather::turned(turn, gone.finding, was, None);
                self.gather.keep(None, vec![turned])?;
            }
        }
        Ok(())
    }

    /// What sinks hear of an incident that is put among the findings: that it is there, or that it is worse or less bad than it was.
    fn heard(&mut self, one: &One, found: Finding, severity: i64, device: Option<&Device>) -> Result<(), StoreError> {
        if one.told == severity {
            return Ok(());
        }
        let was = (one.told >= 0).then_some(Seen { code: &one.code, verdict: None, severity: one.told });
        let now = Some(Seen { code: &one.code, verdict: None, severity });
        match self.gather.turn(was, now, false).filter(|_| self.gather.wants(was, now)) {
            Some(turn) => self.gather.keep(device.cloned(), vec![Gather::turned(turn, found, was, now)]),
            None => Ok(()),
        }
    }

    /// A device, and the profile that it has with these incidents beside what else was found: lists ask profiles.
    async fn about(&mut self, tx: &mut Tx, n: i64, incidents: &[Finding]) -> Result<Option<(Device, i64)>, StoreError> {
        let ask = "SELECT d.profile, o.doc FROM device d JOIN device_doc o ON o.device = d.n WHERE d.n = $1";
        let Some(row) = tx.first(sql!(ask, n)).await? else { return Ok(None) };
        let (before, mut device): (i64, Device) = (row.int(0)?, pack::unpack_json(row.blob(1)?)?);
        let organisations = crate::list::organisations(tx, std::slice::from_ref(&device)).await?;
        device.fill(&organisations);
        let mut findings = Vec::new();
        let mut kinds = Vec::new();
        let ask = "SELECT f.kind, f.id, f.subject_id, b.doc, k.source FROM finding f JOIN finding_kind k ON k.n = f.kind \
                   JOIN finding_body b ON b.n = f.body WHERE f.device = $1 ORDER BY f.n";
        for row in tx.fetch(sql!(ask, n)).await? {
            kinds.push(row.int(0)?);
            if row.text(4)? != "detector" {
                findings.push(crate::list::finding(row.text(1)?, row.text(2)?, row.blob(3)?)?);
            }
        }
        findings.extend(incidents.iter().cloned());
        let after = self.profile(tx, profile(&device, &findings)).await?;
        if after != before {
            *self.devices_by.entry(before).or_default() -= 1;
            *self.devices_by.entry(after).or_default() += 1;
            for kind in kinds {
                *self.findings_by.entry((kind, before)).or_default() -= 1;
                *self.findings_by.entry((kind, after)).or_default() += 1;
            }
            tx.run(sql!("UPDATE device SET profile = $2 WHERE n = $1", n, after)).await?;
            tx.run(sql!("UPDATE finding SET profile = $2 WHERE device = $1", n, after)).await?;
            self.removed = true;
        }
        Ok(Some((device, after)))
    }

    async fn put(&mut self, tx: &mut Tx, (device, profile): (i64, i64), finding: KeptFinding, since: i64) -> Result<(), StoreError> {
        let kind = self.kind(tx, &finding).await?;
        let (body, new) = self.bodies.of(finding.body_digest.clone());
        if new {
            self.tables.body.push(tx, [body.into(), finding.body_digest.into(), pack::pack(&finding.body).into()]).await?;
        }
        self.row(tx, (device, profile, kind, body), (finding.id, finding.subject_kind, finding.subject_id), since).await
    }
}

/// The finding of an incident as it is shown.
async fn finding(tx: &mut Tx, one: &One) -> Result<Finding, StoreError> {
    let row = tx.first(sql!("SELECT doc FROM incident WHERE n = $1", one.n)).await?;
    let row = row.ok_or_else(|| StoreError::damaged("an incident is missing"))?;
    Ok(one.want.step.put(pack::unpack_json(row.blob(0)?)?))
}
