//! What was watched: traces, the modules' sessions in them, what was said by hour, and what detectors found.
//!
//! A trace is kept as a whole and takes the place of itself. Whoever sees some sites alone sees the sessions of devices there (by
//! IMEI) and what is about those; traces and addresses are nobody's site.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use umbilical_core::answer::watch::Session;
use umbilical_core::finding::Finding;
use umbilical_core::number::Shown;

use crate::audit::append;
use crate::db::bulk::Bulk;
use crate::db::{Row, Sql, Tx, sql};
use crate::error::not_found;
use crate::query::sql::{DEVICES, scoped};
use crate::{By, Scope, Sites, Store, StoreError, Time, incident, pack};

/// A trace on its way in.
#[derive(Clone, Copy, Debug)]
pub struct NewTrace<'a> {
    /// `trc-` and hex digits of what was read.
    pub id: &'a str,
    /// What was read, for people.
    pub name: &'a str,
    /// First and last packet.
    pub range: (Time, Time),
    /// Packets or records.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Conversations.
    pub flows: u64,
    /// The answer without its sessions and findings.
    pub body: &'a Json,
    /// Sessions, subscriber numbers whole.
    pub sessions: &'a [Session],
    /// What detectors found.
    pub findings: &'a [Finding],
    /// Conversations by hour.
    pub hours: &'a [Hour],
}

/// Conversations of one hour with one peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hour {
    /// A session's id or an address.
    pub subject: String,
    /// When the hour begins.
    pub hour: Time,
    /// With whom; `None`: everybody else together.
    pub peer: Option<String>,
    /// The peer's port; 0 of none.
    pub port: u16,
    /// `tcp`, `udp`, …
    pub proto: String,
    /// How many.
    pub flows: u64,
    /// Bytes from who began.
    pub up: u64,
    /// Bytes to who began.
    pub down: u64,
}

/// A trace that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceRow {
    /// Its id.
    pub id: String,
    /// What was read.
    pub name: String,
    /// When it was kept.
    pub kept_at: Time,
    /// By whom.
    pub who: String,
    /// First and last packet.
    pub range: (Time, Time),
    /// Packets or records.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Conversations.
    pub flows: u64,
    /// Sessions of modules.
    pub sessions: u64,
    /// What was found in it and is not muted.
    pub findings: u64,
}

/// A session that is kept; subscriber numbers as the asker may see them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionRow {
    /// `ses-…`.
    pub id: String,
    /// The subscription.
    pub imsi: Option<String>,
    /// The module's number.
    pub imei: Option<String>,
    /// The telephone number.
    pub msisdn: Option<String>,
    /// Access point or data network name.
    pub apn: Option<String>,
    /// Addresses; of IPv6 the prefix.
    pub ue: Vec<String>,
    /// The module.
    pub module: Option<ModuleName>,
    /// The first word or packet, RFC 3339.
    pub first: String,
    /// The last.
    pub last: String,
    /// Packets attributed to it.
    pub packets: u64,
    /// Bytes from the module.
    pub bytes_up: u64,
    /// Bytes to it.
    pub bytes_down: u64,
    /// Conversations.
    pub flows: u64,
    /// The trace in which it is.
    #[serde(default)]
    pub trace: String,
}

/// What a module is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleName {
    /// Under whose name it is sold.
    pub brand: Option<String>,
    /// Who made it.
    pub maker: Option<String>,
    /// The model.
    pub model: Option<String>,
}

/// Whose findings or sessions are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of<'a> {
    /// Every trace's.
    All,
    /// Those of a trace.
    Trace(&'a str),
    /// Those of a device, by its IMEIs.
    Device(&'a str),
    /// Those of a session or an address.
    Subject(&'a str),
}

/// What one of them said to one peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerRow {
    /// With whom; `None`: everybody else together.
    pub peer: Option<String>,
    /// The peer's port; 0 of none.
    pub port: u16,
    /// `tcp`, `udp`, …
    pub proto: String,
    /// How many conversations.
    pub flows: u64,
    /// Bytes from who began.
    pub up: u64,
    /// Bytes to who began.
    pub down: u64,
}

/// What one of them said in an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HourRow {
    /// When the hour begins.
    pub hour: Time,
    /// Conversations.
    pub flows: u64,
    /// Bytes from who began.
    pub up: u64,
    /// Bytes to who began.
    pub down: u64,
}

/// The first fourteen digits of an IMEI: what is behind them is a check digit or a version.
pub(crate) fn body_of(imei: &str) -> Option<&str> {
    imei.get(..14)
}

/// A session whose device is at a site that the asker sees.
fn session_seen(ask: &mut Sql, scope: &Scope) {
    if scope.sites == Sites::All {
        ask.push("1 = 1");
        return;
    }
    ask.push("EXISTS (SELECT 1 FROM device_key k JOIN device d ON d.n = k.device WHERE k.kind = 'imei' AND s.imei IS NOT NULL ");
    ask.push("AND k.value >= s.imei AND k.value < s.imei || ':' AND ");
    scoped(ask, scope, &DEVICES);
    ask.push(")");
}

/// The sessions that are asked for, as a condition on `s`.
fn sessions_of(ask: &mut Sql, of: Of<'_>, scope: &Scope) {
    match of {
        Of::All => {}
        Of::Trace(id) => {
            ask.push("s.trace IN (SELECT t.n FROM trace t WHERE t.id = ").bind(id).push(") AND ");
        }
        Of::Device(id) => {
            ask.push("s.imei IN (SELECT SUBSTR(k.value, 1, 14) FROM device_key k JOIN device d ON d.n = k.device WHERE k.kind = 'imei' ");
            ask.push("AND d.id = ").bind(id).push(") AND ");
        }
        Of::Subject(id) => {
            ask.push("s.id = ").bind(id).push(" AND ");
        }
    }
    session_seen(ask, scope);
}

fn session(row: &Row, scope: &Scope) -> Result<SessionRow, StoreError> {
    let mut out: SessionRow = pack::unpack_json(row.blob(0)?)?;
    out.trace = row.owned(1)?;
    if !scope.subscribers {
        for number in [&mut out.imsi, &mut out.msisdn].into_iter().flatten() {
            *number = Shown(number).to_string();
        }
    }
    Ok(out)
}

fn hour(row: &Row) -> Result<HourRow, StoreError> {
    Ok(HourRow { hour: row.time(0)?, flows: row.count(1)?, up: row.count(2)?, down: row.count(3)? })
}

/// Takes a trace away; gives the incidents of which it held a part.
async fn forget(tx: &mut Tx, n: i64) -> Result<BTreeSet<i64>, StoreError> {
    let incidents = incident::of_trace(tx, n).await?;
    for table in ["traffic_session", "traffic_hour", "traffic_finding"] {
        tx.run(Sql::with(&format!("DELETE FROM {table} WHERE trace = $1"), [n.into()])).await?;
    }
    tx.run(sql!("DELETE FROM trace WHERE n = $1", n)).await?;
    Ok(incidents)
}

impl Store {
    /// Keeps a trace in the place of itself.
    pub async fn keep_trace(&self, by: By<'_>, new: &NewTrace<'_>) -> Result<(), StoreError> {
        let mut tx = self.db().write().await?;
        let mut incidents = incident::adopt(&mut tx, by.at).await?;
        if let Some(row) = tx.first(sql!("SELECT n FROM trace WHERE id = $1", new.id)).await? {
            incidents.append(&mut forget(&mut tx, row.int(0)?).await?);
        }
        let n = tx.next("trace").await?;
        let insert = "INSERT INTO trace (n, id, name, kept_at, who, first, last, packets, bytes, flows, body) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
        let (from, to) = new.range;
        let body = pack::pack_json(new.body)?;
        tx.run(sql!(insert, n, new.id, new.name, by.at, by.who, from, to, new.packets, new.bytes, new.flows, body)).await?;
        let mut sessions = Bulk::new("traffic_session", &["trace", "n", "id", "imei", "bytes", "body"]);
        for (at, s) in (0_i64..).zip(new.sessions) {
            let bytes = s.bytes_up.saturating_add(s.bytes_down);
            let imei = s.imei.as_deref().and_then(body_of);
            let row = [n.into(), at.into(), (&s.id).into(), imei.into(), bytes.into(), pack::pack_json(s)?.into()];
            sessions.push(&mut tx, row).await?;
        }
        sessions.flush(&mut tx).await?;
        let mut hours = Bulk::new("traffic_hour", &["trace", "n", "subject", "hour", "peer", "port", "proto", "flows", "up", "down"]);
        for (at, h) in (0_i64..).zip(new.hours) {
            let peer = h.peer.as_deref();
            let numbers = [h.flows, h.up, h.down].map(crate::db::Value::from);
            let [flows, up, down] = numbers;
            let row = [
                n.into(),
                at.into(),
                (&h.subject).into(),
                h.hour.into(),
                peer.into(),
                u32::from(h.port).into(),
                (&h.proto).into(),
                flows,
                up,
                down,
            ];
            hours.push(&mut tx, row).await?;
        }
        hours.flush(&mut tx).await?;
        let columns = ["trace", "n", "id", "code", "severity", "kind", "subject", "last", "body", "incident"];
        let whose = incident::whose(new.sessions);
        let mut findings = Bulk::new("traffic_finding", &columns);
        for (at, f) in (0_i64..).zip(new.findings) {
            let (imei, imsi) = whose.get(f.subject.id.as_str()).copied().unwrap_or_default();
            let of = incident::number(&mut tx, by.at, f, imei, imsi).await?;
            incidents.insert(of);
            let row = [
                n.into(),
                at.into(),
                (&f.id).into(),
                f.code.as_ref().into(),
                (f.severity as i64).into(),
                f.subject.kind.into(),
                (&f.subject.id).into(),
                to.into(),
                pack::pack_json(f)?.into(),
                of.into(),
            ];
            findings.push(&mut tx, row).await?;
        }
        findings.flush(&mut tx).await?;
        let removed = incident::settle(&mut tx, &incidents).await?;
        crate::answer::relay(&mut tx, by.at, removed).await?;
        let detail = json!({"name": new.name, "flows": new.flows, "sessions": new.sessions.len(), "findings": new.findings.len()});
        let head = append(&mut tx, by, "trace.keep", new.id, &detail).await?;
        self.commit(tx, &head).await
    }

    /// The newest traces; whoever sees some sites alone sees none.
    pub async fn traces(&self, scope: &Scope, most: u32) -> Result<Vec<TraceRow>, StoreError> {
        if scope.sites != Sites::All {
            return Ok(Vec::new());
        }
        let mut ask = Sql::new("SELECT t.id, t.name, t.kept_at, t.who, t.first, t.last, t.packets, t.bytes, t.flows, ");
        ask.push(
            "(SELECT COUNT(*) FROM traffic_session s WHERE s.trace = t.n), (SELECT COUNT(*) FROM incident i WHERE i.muted = 0 AND i.n IN (SELECT f.incident FROM traffic_finding f WHERE f.trace = t.n)) ",
        );
        ask.push("FROM trace t ORDER BY t.kept_at DESC, t.n DESC LIMIT ").bind(i64::from(most));
        let one = |row: &Row| {
            Ok(TraceRow {
                id: row.owned(0)?,
                name: row.owned(1)?,
                kept_at: row.time(2)?,
                who: row.owned(3)?,
                range: (row.time(4)?, row.time(5)?),
                packets: row.count(6)?,
                bytes: row.count(7)?,
                flows: row.count(8)?,
                sessions: row.count(9)?,
                findings: row.count(10)?,
            })
        };
        self.db().read().await?.fetch(ask).await?.iter().map(one).collect()
    }

    /// The answer of a trace without its sessions and findings; for those who see every site.
    pub async fn trace(&self, scope: &Scope, id: &str) -> Result<Json, StoreError> {
        let found = match scope.sites {
            Sites::All => self.db().read().await?.first(sql!("SELECT body FROM trace WHERE id = $1", id)).await?,
            Sites::Only(_) => None,
        };
        pack::unpack_json(found.ok_or_else(|| not_found("trace", id))?.blob(0)?)
    }

    /// Sessions, those with the most bytes first, and how many there are.
    pub async fn traffic_sessions(&self, scope: &Scope, of: Of<'_>, most: u32) -> Result<(Vec<SessionRow>, u64), StoreError> {
        let mut tx = self.db().read().await?;
        let mut ask = Sql::new("SELECT COUNT(*) FROM traffic_session s WHERE ");
        sessions_of(&mut ask, of, scope);
        let count = u64::try_from(tx.number(ask).await?).unwrap_or(0);
        let mut ask = Sql::new("SELECT s.body, t.id FROM traffic_session s JOIN trace t ON t.n = s.trace WHERE ");
        sessions_of(&mut ask, of, scope);
        ask.push(" ORDER BY s.bytes DESC, s.id, s.trace DESC LIMIT ").bind(i64::from(most));
        let rows = tx.fetch(ask).await?.iter().map(|row| session(row, scope)).collect::<Result<_, _>>()?;
        Ok((rows, count))
    }

    /// A session; where several traces have it, that of the newest.
    pub async fn traffic_session(&self, scope: &Scope, id: &str) -> Result<SessionRow, StoreError> {
        let mut ask = Sql::new("SELECT s.body, t.id FROM traffic_session s JOIN trace t ON t.n = s.trace WHERE ");
        sessions_of(&mut ask, Of::Subject(id), scope);
        ask.push(" ORDER BY t.kept_at DESC, t.n DESC LIMIT 1");
        let found = self.db().read().await?.first(ask).await?;
        session(&found.ok_or_else(|| not_found("session", id))?, scope)
    }

    /// With whom somebody spoke, those with the most bytes first. Whose sessions the asker may see is asked before.
    pub async fn traffic_peers(&self, subject: &str, most: u32) -> Result<Vec<PeerRow>, StoreError> {
        let mut ask = Sql::new("SELECT h.peer, h.port, h.proto, CAST(SUM(h.flows) AS BIGINT), CAST(SUM(h.up) AS BIGINT) AS u, ");
        ask.push("CAST(SUM(h.down) AS BIGINT) AS d FROM traffic_hour h WHERE h.subject = ").bind(subject);
        ask.push(" GROUP BY h.peer, h.port, h.proto ORDER BY SUM(h.up) + SUM(h.down) DESC, COALESCE(h.peer, ''), h.port, h.proto LIMIT ");
        ask.bind(i64::from(most));
        let one = |row: &Row| {
            Ok(PeerRow {
                peer: row.opt_owned(0)?,
                port: u16::try_from(row.int(1)?).unwrap_or(0),
                proto: row.owned(2)?,
                flows: row.count(3)?,
                up: row.count(4)?,
                down: row.count(5)?,
            })
        };
        self.db().read().await?.fetch(ask).await?.iter().map(one).collect()
    }

    /// What somebody said by hour, the first first; the newest `most` hours.
    pub async fn traffic_hours(&self, subject: &str, most: u32) -> Result<Vec<HourRow>, StoreError> {
        let mut ask = Sql::new("SELECT h.hour, CAST(SUM(h.flows) AS BIGINT), CAST(SUM(h.up) AS BIGINT), CAST(SUM(h.down) AS BIGINT) ");
        ask.push("FROM traffic_hour h WHERE h.subject = ").bind(subject).push(" GROUP BY h.hour ORDER BY h.hour DESC LIMIT ");
        ask.bind(i64::from(most));
        let mut rows = self.db().read().await?.fetch(ask).await?.iter().map(hour).collect::<Result<Vec<_>, StoreError>>()?;
        rows.reverse();
        Ok(rows)
    }

    /// What somebody, under several names, said by hour to one peer, where that is kept apart; the newest `most` hours, the first first.
    pub async fn traffic_pair_hours(
        &self,
        subjects: &[String],
        peer: &str,
        port: Option<u16>,
        most: u32,
    ) -> Result<Vec<HourRow>, StoreError> {
        let mut ask = Sql::new("SELECT h.hour, CAST(SUM(h.flows) AS BIGINT), CAST(SUM(h.up) AS BIGINT), CAST(SUM(h.down) AS BIGINT) ");
        ask.push("FROM traffic_hour h WHERE h.subject IN (").bind_all(subjects).push(") AND h.peer = ").bind(peer);
        if let Some(port) = port {
            ask.push(" AND h.port = ").bind(u32::from(port));
        }
        ask.push(" GROUP BY h.hour ORDER BY h.hour DESC LIMIT ").bind(i64::from(most));
        let mut rows = self.db().read().await?.fetch(ask).await?.iter().map(hour).collect::<Result<Vec<_>, StoreError>>()?;
        rows.reverse();
        Ok(rows)
    }

    /// Takes away traces whose last packet was before a time, with a row in the audit log; gives how many.
    pub async fn retain_traces(&self, by: By<'_>, from: Time) -> Result<u64, StoreError> {
        let mut tx = self.db().write().await?;
        let old = tx.fetch(sql!("SELECT n FROM trace WHERE last < $1 ORDER BY n", from)).await?;
        if old.is_empty() {
            return Ok(0);
        }
        let mut incidents = BTreeSet::new();
        for row in &old {
            incidents.append(&mut forget(&mut tx, row.int(0)?).await?);
        }
        let removed = incident::settle(&mut tx, &incidents).await?;
        crate::answer::relay(&mut tx, by.at, removed).await?;
        let head = append(&mut tx, by, "retain", "traces", &json!({"traces": old.len()})).await?;
        self.commit(tx, &head).await?;
        Ok(old.len() as u64)
    }
}
