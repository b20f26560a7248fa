//! Writing an answer: dictionaries in memory, rows in batches, and what is replaced taken away first.

use rustc_hash::{FxHashMap, FxHashSet};
use umbilical_core::finding::Finding;

use super::Changes;
use super::ids::Known;
use super::lay::Plan;
use super::prepare::{KeptFinding, Prepared, Profile, kept};
use crate::db::bulk::Bulk;
use crate::db::{Row, Sql, Tx, sql};
use crate::outbox::{Gather, Seen, Turned, accepted};
use crate::{StoreError, Time, pack};

pub(super) struct Writer {
    at: Time,
    answer: i64,
    /// Whether each changed device gets a row of its own.
    log: bool,
    next_device: i64,
    next_finding: i64,
    words: Numbered<(&'static str, String)>,
    profiles: Numbered<String>,
    kinds: Numbered<String>,
    pub(super) bodies: Numbered<String>,
    /// By how much the number of devices of a profile, and of findings of a kind and profile, changes.
    pub(super) devices_by: FxHashMap<i64, i64>,
    pub(super) findings_by: FxHashMap<(i64, i64), i64>,
    pub(super) tables: Tables,
    /// Whether bodies may have lost their last finding.
    pub(super) removed: bool,
    /// What sinks are to hear of it.
    pub(super) gather: Gather,
}

/// What has one number each.
pub(super) struct Numbered<K> {
    next: i64,
    of: FxHashMap<K, i64>,
}

impl<K: std::hash::Hash + Eq> Numbered<K> {
    /// The number of an item, and whether it is a new one.
    pub fn of(&mut self, key: K) -> (i64, bool) {
        match self.of.entry(key) {
            std::collections::hash_map::Entry::Occupied(found) => (*found.get(), false),
            std::collections::hash_map::Entry::Vacant(free) => {
                let n = self.next;
                self.next = n.saturating_add(1);
                free.insert(n);
                (n, true)
            }
        }
    }
}

pub(super) struct Tables {
    word: Bulk,
    profile: Bulk,
    profile_word: Bulk,
    device: Bulk,
    doc: Bulk,
    key: Bulk,
    evidence: Bulk,
    kind: Bulk,
    pub(super) body: Bulk,
    finding: Bulk,
    change: Bulk,
}

impl Tables {
    fn new() -> Self {
        Self {
            word: Bulk::new("word", &["n", "field", "value", "shown"]),
            profile: Bulk::new(
                "profile",
                &[
                    "n",
                    "digest",
                    "site",
                    "cellular",
                    "brand",
                    "maker",
                    "model",
                    "level",
                    "certainty",
                    "confidence",
                    "owner",
                    "country",
                    "severity",
                    "verdict",
                    "findings",
                    "devices",
                ],
            ),
            profile_word: Bulk::new("profile_word", &["word", "profile"]),
            device: Bulk::new("device", &["n", "id", "profile", "name", "seen", "since", "digest"]),
            doc: Bulk::new("device_doc", &["device", "doc"]),
            key: Bulk::new("device_key", &["value", "kind", "device"]),
            evidence: Bulk::new("device_evidence", &["evidence", "device"]),
            kind: Bulk::new("finding_kind", &["n", "code", "source", "verdict", "severity", "confidence", "digest", "waived"]),
            body: Bulk::new("finding_body", &["n", "digest", "doc"]),
            finding: Bulk::new("finding", &["n", "id", "device", "profile", "kind", "body", "subject_kind", "subject_id", "since"]),
            change: Bulk::new("change", &["answer", "device", "what"]),
        }
    }

    async fn flush(&mut self, tx: &mut Tx) -> Result<(), StoreError> {
        let all = [
            &mut self.word,
            &mut self.profile,
            &mut self.profile_word,
            &mut self.device,
            &mut self.doc,
            &mut self.key,
            &mut self.evidence,
            &mut self.kind,
            &mut self.body,
            &mut self.finding,
            &mut self.change,
        ];
        for table in all {
            table.flush(tx).await?;
        }
        Ok(())
    }
}

/// What a finding was before.
struct Before {
    id: String,
    code: String,
    since: i64,
    kind: i64,
    profile: i64,
    taken: bool,
    verdict: Option<String>,
    severity: i64,
    body: i64,
    subject: String,
    /// Whether it is an incident, which no answer changes.
    incident: bool,
}

impl Before {
    /// The columns, of a finding `f` with its kind `k`.
    const COLUMNS: &str = "f.id, k.code, f.since, f.kind, f.profile, k.verdict, k.severity, f.body, f.subject_id, f.device, k.source";

    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.owned(0)?,
            code: row.owned(1)?,
            since: row.int(2)?,
            kind: row.int(3)?,
            profile: row.int(4)?,
            taken: false,
            verdict: row.opt_owned(5)?,
            severity: row.int(6)?,
            body: row.int(7)?,
            subject: row.owned(8)?,
            incident: row.text(10)? == "detector",
        })
    }

    fn seen(&self) -> Seen<'_> {
        Seen { code: &self.code, verdict: self.verdict.as_deref(), severity: self.severity }
    }
}

impl Writer {
    pub async fn load(tx: &mut Tx, at: Time, changes: &Changes) -> Result<Self, StoreError> {
        let mut words = Numbered { next: tx.next("word").await?, of: FxHashMap::default() };
        for row in tx.fetch(sql!("SELECT n, field, value FROM word")).await? {
            // A field that is no longer written has no name here; its words stay for the profiles that have them.
            if let Some(field) = crate::query::field_of_word(row.text(1)?) {
                words.of.insert((field, row.owned(2)?), row.int(0)?);
            }
        }
        Ok(Self {
            at,
            answer: changes.answer,
            log: !changes.first,
            next_device: tx.next("device").await?,
            next_finding: tx.next("finding").await?,
            words,
            profiles: Self::digests(tx, "profile").await?,
            kinds: Self::digests(tx, "finding_kind").await?,
            bodies: Self::digests(tx, "finding_body").await?,
            devices_by: FxHashMap::default(),
            findings_by: FxHashMap::default(),
            tables: Tables::new(),
            removed: false,
            gather: Gather::load(tx, changes.first).await?,
        })
    }

    async fn digests(tx: &mut Tx, table: &str) -> Result<Numbered<String>, StoreError> {
        let mut out = Numbered { next: tx.next(table).await?, of: FxHashMap::default() };
        let mut after = 0;
        loop {
            let page = tx.fetch(sql!(&format!("SELECT n, digest FROM {table} WHERE n > $1 ORDER BY n LIMIT 20000"), after)).await?;
            let Some(last) = page.last() else { return Ok(out) };
            after = last.int(0)?;
            for row in page {
                out.of.insert(row.owned(1)?, row.int(0)?);
            }
        }
    }

    /// Writes a batch of devices that are not as they were.
    pub async fn devices(
        &mut self,
        tx: &mut Tx,
        batch: &mut Vec<(Option<Known>, Prepared)>,
        changes: &mut Changes,
    ) -> Result<(), StoreError> {
        while !batch.is_empty() {
            let few: Vec<_> = batch.drain(..batch.len().min(super::BATCH)).collect();
            self.few(tx, few, changes).await?;
        }
        Ok(())
    }

    async fn few(&mut self, tx: &mut Tx, batch: Vec<(Option<Known>, Prepared)>, changes: &mut Changes) -> Result<(), StoreError> {
        let old: Vec<Known> = batch.iter().filter_map(|(known, _)| *known).collect();
        let mut before = self.take_away(tx, &old).await?;
        for (known, device) in batch {
            let what = if known.is_some() { "changed" } else { "new" };
            *(if known.is_some() { &mut changes.changed } else { &mut changes.new }) += 1;
            if self.log {
                self.tables.change.push(tx, [self.answer.into(), (&device.id).into(), what.into()]).await?;
            }
            let n = known.map_or(self.next_device, |k| k.n);
            self.next_device = self.next_device.max(n.saturating_add(1));
            let mut before = before.remove(&n).unwrap_or_default();
            self.device(tx, n, known.map_or(self.at.0, |k| k.since), device, &mut before, changes).await?;
        }
        Ok(())
    }

    async fn device(
        &mut self,
        tx: &mut Tx,
        n: i64,
        since: i64,
        device: Prepared,
        before: &mut [Before],
        changes: &mut Changes,
    ) -> Result<(), StoreError> {
        let profile = self.profile(tx, device.profile).await?;
        *self.devices_by.entry(profile).or_default() += 1;
        let row = [n.into(), device.id.into(), profile.into(), device.name.into(), device.seen.into(), since.into(), device.digest.into()];
        self.tables.device.push(tx, row).await?;
        let doc = self.gather.on().then(|| device.doc.clone());
        self.tables.doc.push(tx, [n.into(), device.doc.into()]).await?;
        for (value, kind) in device.keys {
            self.tables.key.push(tx, [value.into(), kind.into(), n.into()]).await?;
        }
        for evidence in device.evidence {
            self.tables.evidence.push(tx, [evidence.into(), n.into()]).await?;
        }
        let mut turned = self.findings(tx, n, profile, device.findings, before, changes).await?;
        self.lost(tx, before, &mut turned).await?;
        if let (false, Some(doc)) = (turned.is_empty(), doc) {
            self.gather.keep(Some(pack::unpack_json(&doc)?), turned)?;
        }
        Ok(())
    }

    /// Findings that are there no longer.
    async fn lost(&mut self, tx: &mut Tx, before: &[Before], turned: &mut Vec<Turned>) -> Result<(), StoreError> {
        for b in before.iter().filter(|b| !b.taken) {
            let was = Some(b.seen());
            let Some(turn) = self.gather.turn(was, None, false) else { continue };
            if self.gather.wants(was, None)
                && let Some(row) = tx.first(sql!("SELECT doc FROM finding_body WHERE n = $1", b.body)).await?
            {
                let finding = crate::list::finding(&b.id, &b.subject, row.blob(0)?)?;
                turned.push(Gather::turned(turn, finding, was, None));
            }
        }
        Ok(())
    }

    pub(super) async fn profile(&mut self, tx: &mut Tx, p: Profile) -> Result<i64, StoreError> {
        let (n, new) = self.profiles.of(p.digest.clone());
        if !new {
            return Ok(n);
        }
        for (field, value, shown) in p.words {
            let (word, new) = self.words.of((field, value.clone()));
            if new {
                self.tables.word.push(tx, [word.into(), field.into(), value.into(), shown.into()]).await?;
            }
            self.tables.profile_word.push(tx, [word.into(), n.into()]).await?;
        }
        let row = [
            n.into(),
            p.digest.into(),
            p.site.into(),
            p.cellular.into(),
            p.brand.into(),
            p.maker.into(),
            p.model.into(),
            p.level.into(),
            p.certainty.into(),
            p.confidence.into(),
            p.owner.into(),
            p.country.into(),
            p.severity.into(),
            p.verdict.into(),
            p.findings.into(),
            0i64.into(),
        ];
        self.tables.profile.push(tx, row).await?;
        Ok(n)
    }

    /// A finding that was there keeps its id and its first day: the same id, else the same code of the same device.
    async fn findings(
        &mut self,
        tx: &mut Tx,
        device: i64,
        profile: i64,
        findings: Vec<KeptFinding>,
        before: &mut [Before],
        changes: &mut Changes,
    ) -> Result<Vec<Turned>, StoreError> {
        let mut turned = Vec::new();
        let same: FxHashSet<&str> = findings.iter().map(|f| f.id.as_str()).collect();
        let kept: FxHashSet<String> = before.iter().filter(|b| same.contains(b.id.as_str())).map(|b| b.id.clone()).collect();
        for finding in findings {
            let found = match kept.contains(&finding.id) {
                true => before.iter_mut().find(|b| b.id == finding.id && !b.taken),
                false => before.iter_mut().find(|b| b.code == finding.code && !b.taken && !kept.contains(&b.id)),
            };
            let (id, since, was) = match found {
                Some(b) => {
                    b.taken = true;
                    (b.id.clone(), b.since, Some(&*b))
                }
                None => {
                    changes.new_findings += 1;
                    (finding.id.clone(), self.at.0, None)
                }
            };
            let kind = self.kind(tx, &finding).await?;
            let (body, new) = self.bodies.of(finding.body_digest.clone());
            if self.gather.on() {
                turned.extend(self.turn(tx, &id, &finding, body, was).await?);
            }
            if new {
                self.tables.body.push(tx, [body.into(), finding.body_digest.into(), pack::pack(&finding.body).into()]).await?;
            }
            self.row(tx, (device, profile, kind, body), (id, finding.subject_kind, finding.subject_id), since).await?;
        }
        Ok(turned)
    }

    /// The number of the kind of a finding.
    pub(super) async fn kind(&mut self, tx: &mut Tx, finding: &KeptFinding) -> Result<i64, StoreError> {
        let waived = if finding.waived { "|waived" } else { "" };
        let (code, source, verdict) = (&finding.code, finding.source, finding.verdict);
        let digest = format!("{code}|{source}|{verdict:?}|{}|{}{waived}", finding.severity, finding.confidence);
        let (kind, new) = self.kinds.of(digest.clone());
        if new {
            let row = [
                kind.into(),
                (&finding.code).into(),
                finding.source.into(),
                finding.verdict.into(),
                finding.severity.into(),
                finding.confidence.into(),
                digest.into(),
                finding.waived.into(),
            ];
            self.tables.kind.push(tx, row).await?;
        }
        Ok(kind)
    }

    /// A row more: of which device, profile, kind and body; its id and what it is about.
    pub(super) async fn row(
        &mut self,
        tx: &mut Tx,
        (device, profile, kind, body): (i64, i64, i64, i64),
        (id, subject_kind, subject_id): (String, &'static str, String),
        since: i64,
    ) -> Result<(), StoreError> {
        let n = self.next_finding;
        self.next_finding = n.saturating_add(1);
        *self.findings_by.entry((kind, profile)).or_default() += 1;
        let row = [
            n.into(),
            id.into(),
            device.into(),
            profile.into(),
            kind.into(),
            body.into(),
            subject_kind.into(),
            subject_id.into(),
            since.into(),
        ];
        self.tables.finding.push(tx, row).await
    }

    /// What became of a finding that is there.
    async fn turn(
        &mut self,
        tx: &mut Tx,
        id: &str,
        finding: &KeptFinding,
        body: i64,
        was: Option<&Before>,
    ) -> Result<Option<Turned>, StoreError> {
        let before = was.map(Before::seen);
        let now = Some(Seen { code: &finding.code, verdict: finding.verdict, severity: finding.severity });
        // Whether somebody lives with it stands in the body of what a rule found, and nowhere else.
        let borne = match was {
            Some(b) if b.body != body && finding.source == "rule" => {
                accepted(&pack::parse::<Finding>(&finding.body)?.detail) != self.gather.was_accepted(tx, b.body).await?
            }
            _ => false,
        };
        let Some(turn) = self.gather.turn(before, now, borne) else { return Ok(None) };
        if !self.gather.wants(before, now) {
            return Ok(None);
        }
        let mut whole: Finding = pack::parse(&finding.body)?;
        (whole.id, whole.subject.id) = (id.to_owned(), finding.subject_id.clone());
        Ok(Some(Gather::turned(turn, whole, before, now)))
    }

    /// Takes the rows of devices away and says which findings they had.
    async fn take_away(&mut self, tx: &mut Tx, old: &[Known]) -> Result<FxHashMap<i64, Vec<Before>>, StoreError> {
        let mut out: FxHashMap<i64, Vec<Before>> = FxHashMap::default();
        if old.is_empty() {
            return Ok(out);
        }
        self.removed = true;
        let among = |text: &str| {
            let mut sql = Sql::new(text);
            sql.bind_all(old.iter().map(|k| k.n)).push(")");
            sql
        };
        // A trace may have given a device another profile since the answer began.
        for row in tx.fetch(among("SELECT profile FROM device WHERE n IN (")).await? {
            *self.devices_by.entry(row.int(0)?).or_default() -= 1;
        }
        let ask = format!("SELECT {} FROM finding f JOIN finding_kind k ON k.n = f.kind WHERE f.device IN (", Before::COLUMNS);
        for row in tx.fetch(among(&ask)).await? {
            let before = Before::read(&row)?;
            *self.findings_by.entry((before.kind, before.profile)).or_default() -= 1;
            if !before.incident {
                out.entry(row.int(9)?).or_default().push(before);
            }
        }
        for list in out.values_mut() {
            list.sort_by(|a, b| a.id.cmp(&b.id));
        }
        for table in ["finding", "device_doc", "device_key", "device_evidence"] {
            tx.run(among(&format!("DELETE FROM {table} WHERE device IN ("))).await?;
        }
        tx.run(among("DELETE FROM device WHERE n IN (")).await?;
        Ok(out)
    }

    /// Devices that the answer no longer has. What people decided about them stays, for when they come back.
    pub async fn gone(&mut self, tx: &mut Tx, gone: &[(String, Known)]) -> Result<(), StoreError> {
        for part in gone.chunks(super::BATCH) {
            let known: Vec<Known> = part.iter().map(|(_, k)| *k).collect();
            let mut docs = FxHashMap::default();
            if self.gather.on() {
                let mut ask = Sql::new("SELECT device, doc FROM device_doc WHERE device IN (");
                ask.bind_all(known.iter().map(|k| k.n)).push(")");
                for row in tx.fetch(ask).await? {
                    docs.insert(row.int(0)?, row.blob(1)?.to_vec());
                }
            }
            let before = self.take_away(tx, &known).await?;
            for (n, doc) in known.iter().filter_map(|k| docs.remove(&k.n).map(|doc| (k.n, doc))) {
                let mut turned = Vec::new();
                self.lost(tx, before.get(&n).map_or(&[], Vec::as_slice), &mut turned).await?;
                if !turned.is_empty() {
                    self.gather.keep(Some(pack::unpack_json(&doc)?), turned)?;
                }
            }
            for (id, _) in part.iter().filter(|_| self.log) {
                self.tables.change.push(tx, [self.answer.into(), id.into(), "gone".into()]).await?;
            }
        }
        Ok(())
    }

    /// Findings about no device.
    pub async fn others(&mut self, tx: &mut Tx, findings: &[Finding], changes: &mut Changes) -> Result<(), StoreError> {
        let mut before = Vec::new();
        let ask = format!(
            "SELECT {} FROM finding f JOIN finding_kind k ON k.n = f.kind WHERE f.device = 0 AND k.source <> 'detector' ORDER BY f.id",
            Before::COLUMNS
        );
        for row in tx.fetch(Sql::new(&ask)).await? {
            let b = Before::read(&row)?;
            *self.findings_by.entry((b.kind, 0)).or_default() -= 1;
            self.removed = true;
            before.push(b);
        }
        let incidents = "SELECT k.n FROM finding_kind k WHERE k.source = 'detector'";
        tx.run(Sql::new(&format!("DELETE FROM finding WHERE device = 0 AND kind NOT IN ({incidents})"))).await?;
        // Of one code there may be many, about different things: only the same id is the same finding.
        let codes: Vec<String> = before.iter_mut().map(|b| std::mem::take(&mut b.code)).collect();
        let findings = findings.iter().map(|f| kept(f.clone(), "", "")).collect::<Result<Vec<_>, _>>()?;
        let mut turned = self.findings(tx, 0, 0, findings, &mut before, changes).await?;
        before.iter_mut().zip(codes).for_each(|(b, code)| b.code = code);
        self.lost(tx, &before, &mut turned).await?;
        self.gather.keep(None, turned)
    }

    /// Shows incidents as they are, beside what the answer has.
    pub async fn incidents(&mut self, tx: &mut Tx) -> Result<(), StoreError> {
        self.tables.flush(tx).await?;
        let affected = crate::incident::adopt(tx, self.at).await?;
        let removed = crate::incident::settle(tx, &affected).await?;
        let plan = Plan::of(tx, self.at, removed).await?;
        self.lay(tx, plan).await
    }

    /// Writes what sinks are to hear of.
    pub async fn tell(&mut self, tx: &mut Tx, changes: &Changes) -> Result<(), StoreError> {
        self.gather.finish(tx, self.at, changes).await
    }

    /// Writes what is waiting and what was counted; gives the number of findings.
    pub async fn finish(&mut self, tx: &mut Tx) -> Result<i64, StoreError> {
        self.tables.flush(tx).await?;
        for (profile, by) in std::mem::take(&mut self.devices_by).into_iter().filter(|(_, by)| *by != 0) {
            tx.run(sql!("UPDATE profile SET devices = devices + $1 WHERE n = $2", by, profile)).await?;
        }
        for ((kind, profile), by) in std::mem::take(&mut self.findings_by).into_iter().filter(|(_, by)| *by != 0) {
            let put = "INSERT INTO finding_tally (kind, profile, count) VALUES ($1, $2, $3) \
                       ON CONFLICT (kind, profile) DO UPDATE SET count = finding_tally.count + excluded.count";
            tx.run(sql!(put, kind, profile, by)).await?;
        }
        if self.removed {
            tx.run(sql!("DELETE FROM finding_tally WHERE count = 0")).await?;
            tx.run(sql!("DELETE FROM profile_word WHERE profile IN (SELECT n FROM profile WHERE devices = 0)")).await?;
            tx.run(sql!("DELETE FROM profile WHERE devices = 0")).await?;
            tx.run(sql!("DELETE FROM word WHERE NOT EXISTS (SELECT 1 FROM profile_word p WHERE p.word = word.n)")).await?;
            tx.run(sql!("DELETE FROM finding_kind WHERE NOT EXISTS (SELECT 1 FROM finding_tally t WHERE t.kind = finding_kind.n)")).await?;
            tx.run(sql!("DELETE FROM finding_body WHERE n NOT IN (SELECT body FROM finding)")).await?;
        }
        tx.number(sql!("SELECT CAST(SUM(count) AS BIGINT) FROM finding_tally")).await
    }
}
