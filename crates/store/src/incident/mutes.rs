//! Mutes as they are kept: made by one person, ended on their day or by somebody before.

use serde_json::json;
use umbilical_core::Day;
use umbilical_core::id::content_id;

use super::mute::{Against, MuteRule, reason};
use super::{HIDDEN, hidden, seen};
use crate::audit::append;
use crate::db::{Row, Sql, Tx, sql};
use crate::error::not_found;
use crate::list::FindingRow;
use crate::time::DAY;
use crate::{By, LONGEST_ACCEPTED, Scope, Store, StoreError, Time, outbox};

/// Days back that a preview looks.
const LOOKED_BACK: u32 = 30;
/// The most mutes that hold at once: each is held against each incident.
const MOST: i64 = 1000;

/// A mute that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptMute {
    /// `mut-…`
    pub id: String,
    /// What it hides.
    pub rule: MuteRule,
    /// Why.
    pub reason: String,
    /// When it ends by itself: the end of its last day.
    pub ends: Time,
    /// When it was made.
    pub made: Time,
    /// By whom.
    pub who: String,
    /// When it ended; `None` where it holds.
    pub ended: Option<Time>,
    /// Who ended it.
    pub ended_by: Option<String>,
    /// What was said to that.
    pub comment: String,
    /// How many incidents it hides now.
    pub hides: u64,
}

/// What a rule would hide of the incidents of the last thirty days.
#[derive(Clone, Debug, PartialEq)]
pub struct Preview {
    /// Those that it would have hidden, the newest first; at most a thousand.
    pub rows: Vec<FindingRow>,
    /// How many.
    pub hides: u64,
    /// Of so many that are shown.
    pub of: u64,
    /// Older ones that it would hide, too.
    pub older: u64,
}

const COLUMNS: &str = "m.id, m.code, m.subject, m.peer, m.reason, m.ends, m.made, m.who, m.ended, m.ended_by, m.comment, \
                       (SELECT COUNT(*) FROM incident i WHERE i.muted = m.n), m.n";

fn read(row: &Row) -> Result<KeptMute, StoreError> {
    Ok(KeptMute {
        id: row.owned(0)?,
        rule: MuteRule { code: row.owned(1)?, subject: row.opt_owned(2)?, peer: row.opt_owned(3)? },
        reason: row.owned(4)?,
        ends: row.time(5)?,
        made: row.time(6)?,
        who: row.owned(7)?,
        ended: row.opt_time(8)?,
        ended_by: row.opt_owned(9)?,
        comment: row.owned(10)?,
        hides: row.count(11)?,
    })
}

pub(super) async fn by_number(tx: &mut Tx, n: i64) -> Result<Option<KeptMute>, StoreError> {
    tx.first(sql!(&format!("SELECT {COLUMNS} FROM mute m WHERE m.n = $1"), n)).await?.as_ref().map(read).transpose()
}

/// The mutes that hold at a time, with their numbers, the oldest first.
pub(crate) async fn holding(tx: &mut Tx, at: Time) -> Result<Vec<(i64, MuteRule)>, StoreError> {
    let ask = "SELECT n, code, subject, peer FROM mute WHERE ended IS NULL AND ends > $1 ORDER BY n";
    let one = |row: &Row| Ok((row.int(0)?, MuteRule { code: row.owned(1)?, subject: row.opt_owned(2)?, peer: row.opt_owned(3)? }));
    tx.fetch(sql!(ask, at)).await?.iter().map(one).collect()
}

/// The rule as it is kept, for a code that there is.
async fn checked(tx: &mut Tx, rule: &MuteRule) -> Result<MuteRule, StoreError> {
    let known = tx.first(sql!("SELECT 1 FROM incident WHERE code = $1 LIMIT 1", rule.code.trim())).await?.is_some();
    let mut rule = rule.checked(known)?;
    if let Some(device) = rule.subject.as_ref().filter(|s| s.starts_with("dev-")) {
        let id = crate::list::canonical(tx, device).await?;
        if tx.first(sql!("SELECT 1 FROM device WHERE id = $1", &id)).await?.is_none() {
            return Err(StoreError::field("subject", "there is no such device"));
        }
        rule.subject = Some(id);
    }
    Ok(rule)
}

/// The end of a last day.
fn end_of(day: Day, now: Time) -> Result<Time, StoreError> {
    let end = day.days_since(Day { year: 1970, month: 1, day: 1 }).saturating_add(1).saturating_mul(DAY);
    let last = now.0.div_euclid(DAY).saturating_add(LONGEST_ACCEPTED).saturating_add(1).saturating_mul(DAY);
    if end <= now.0 {
        return Err(StoreError::field("until", "its last day has passed"));
    }
    if end > last {
        return Err(StoreError::field(
            "until",
            format!("it is hidden for {LONGEST_ACCEPTED} days at most: mute it again when they are over"),
        ));
    }
    Ok(Time(end))
}

impl Store {
    /// What a rule would hide of the incidents of the last thirty days that are shown, as far as the asker sees them.
    pub async fn preview_mute(&self, scope: &Scope, rule: &MuteRule, now: Time) -> Result<Preview, StoreError> {
        let mut tx = self.db().read().await?;
        let rule = checked(&mut tx, rule).await?;
        let mut ask = Sql::new("SELECT COUNT(*) FROM incident i WHERE i.muted = 0 AND i.last >= ");
        ask.bind(now.days_before(LOOKED_BACK)).push(" AND ");
        seen(&mut ask, scope);
        let of = u64::try_from(tx.number(ask).await?).unwrap_or(0);
        let mut ask = Sql::new(&format!(
            "SELECT {HIDDEN}, i.imei, i.kind, i.subject, i.peer, i.last FROM incident i LEFT JOIN mute m ON m.n = i.muted LEFT JOIN device d ON d.n = i.device \
             WHERE i.muted = 0 AND i.code = "
        ));
        ask.bind(&rule.code).push(" AND ");
        seen(&mut ask, scope);
        ask.push(" ORDER BY i.last DESC, i.n DESC");
        let from = now.days_before(LOOKED_BACK);
        let (mut rows, mut hides, mut older) = (Vec::new(), 0u64, 0u64);
        for row in tx.fetch(ask).await? {
            let against = Against {
                code: &rule.code,
                device: row.opt_text(3)?,
                imei: row.opt_text(5)?,
                kind: row.text(6)?,
                subject: row.text(7)?,
                peer: row.opt_text(8)?,
            };
            if !rule.fits(&against) {
                continue;
            }
            if row.time(9)? < from {
                older = older.saturating_add(1);
            } else {
                hides = hides.saturating_add(1);
                if rows.len() < 1000 {
                    rows.push(hidden(&row)?);
                }
            }
        }
        crate::list::decided(&mut tx, scope, &mut rows).await?;
        Ok(Preview { rows, hides, of, older })
    }

    /// Makes a mute: it hides from now on, up to the end of a day. Gives its id.
    pub async fn add_mute(&self, by: By<'_>, rule: &MuteRule, until: Day, why: &str) -> Result<String, StoreError> {
        let (why, ends) = (reason(why)?, end_of(until, by.at)?);
        let mut tx = self.db().write().await?;
        let rule = checked(&mut tx, rule).await?;
        let held = holding(&mut tx, by.at).await?;
        if held.iter().any(|(_, other)| *other == rule) {
            return Err(StoreError::Conflict("there is a mute of just this already: withdraw it to make another".into()));
        }
        if i64::try_from(held.len()).unwrap_or(i64::MAX) >= MOST {
            return Err(StoreError::Conflict(format!("{MOST} mutes hold: withdraw one first")));
        }
        let n = tx.next("mute").await?;
        let id = content_id("mut-", "mute", &format!("{n} {} {}", by.at.0, rule.code));
        let insert = "INSERT INTO mute (n, id, code, subject, peer, reason, ends, made, who, comment) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '')";
        tx.run(sql!(insert, n, &id, &rule.code, rule.subject.clone(), rule.peer.clone(), &why, ends, by.at, by.who)).await?;
        crate::answer::relay(&mut tx, by.at, Vec::new()).await?;
        let hides = tx.number(sql!("SELECT COUNT(*) FROM incident WHERE muted = $1", n)).await?;
        outbox::muted(&mut tx, by, (&id, &rule.code, "made"), (&why, ends)).await?;
        let detail = json!({
            "code": rule.code, "subject": rule.subject, "peer": rule.peer, "until": until.to_string(), "reason": why, "hides": hides,
        });
        let head = append(&mut tx, by, "mute.add", &id, &detail).await?;
        self.commit(tx, &head).await?;
        Ok(id)
    }

    /// Ends a mute before its day: what it hid is shown again.
    pub async fn withdraw_mute(&self, by: By<'_>, id: &str, comment: &str) -> Result<(), StoreError> {
        if comment.len() > 2000 {
            return Err(StoreError::field("comment", "a comment is at most 2000 bytes"));
        }
        let mut tx = self.db().write().await?;
        let row = tx.first(sql!(&format!("SELECT {COLUMNS} FROM mute m WHERE m.id = $1"), id)).await?;
        let mute = read(&row.ok_or_else(|| not_found("mute", id))?)?;
        if mute.ended.is_some() || mute.ends <= by.at {
            return Err(StoreError::Conflict("this mute has ended already".into()));
        }
        tx.run(sql!("UPDATE mute SET ended = $2, ended_by = $3, comment = $4 WHERE id = $1", id, by.at, by.who, comment)).await?;
        crate::answer::relay(&mut tx, by.at, Vec::new()).await?;
        outbox::muted(&mut tx, by, (id, &mute.rule.code, "withdrawn"), (comment, mute.ends)).await?;
        let detail =
            json!({"code": mute.rule.code, "subject": mute.rule.subject, "peer": mute.rule.peer, "hid": mute.hides, "comment": comment});
        let head = append(&mut tx, by, "mute.withdraw", id, &detail).await?;
        self.commit(tx, &head).await
    }

    /// Every mute, those that hold first, then the newest; at most a thousand.
    pub async fn mutes(&self) -> Result<Vec<KeptMute>, StoreError> {
        let ask = format!("SELECT {COLUMNS} FROM mute m ORDER BY CASE WHEN m.ended IS NULL THEN 0 ELSE 1 END, m.n DESC LIMIT 1000");
        self.db().read().await?.fetch(Sql::new(&ask)).await?.iter().map(read).collect()
    }

    /// One of them.
    pub async fn mute(&self, id: &str) -> Result<KeptMute, StoreError> {
        let mut tx = self.db().read().await?;
        let row = tx.first(sql!(&format!("SELECT {COLUMNS} FROM mute m WHERE m.id = $1"), id)).await?;
        read(&row.ok_or_else(|| not_found("mute", id))?)
    }
}
