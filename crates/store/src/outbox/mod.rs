//! What is on its way out: events in the order in which they happened, and how far each sink has come.
//!
//! An event is written in the transaction of the answer or decision that made it, so that neither is there without the other,
//! and only where a sink is there to take it. A sink moves on when its receiver has acknowledged: at least once, in order.

mod gather;
mod happened;
mod sinks;

pub(crate) use gather::{Gather, Seen, Turned, accepted};
pub use happened::{Happened, OutEvent, Tally, Turn};
pub(crate) use happened::{decided, many_decided, muted, waiver_settled};
pub use sinks::{Expired, Sink, SinkFilter, SinkKind, SinkOf};

use happened::{Body, read_event};
use sinks::wanted;

use crate::db::{Sql, Tx, Value, sql};
use crate::error::not_found;
use crate::{By, Store, StoreError, Time, pack};

/// Of one answer, or one decision about many things, so many events go one by one at most; the rest is said in one summary.
pub const EACH: usize = 1000;
/// Days after which what nobody took is given up, and counted.
pub const KEEP_DAYS: u32 = 30;
/// Events that are read together at most.
const BATCH: u32 = 1000;

/// Whether there is anybody to take events. One that is paused counts: what happens meanwhile waits for it.
pub(crate) async fn open(tx: &mut Tx) -> Result<bool, StoreError> {
    Ok(tx.first(Sql::new("SELECT 1 FROM sink LIMIT 1")).await?.is_some())
}

/// An event before it has a number.
pub(crate) struct Row {
    pub kind: &'static str,
    pub code: Option<String>,
    pub verdict: Option<String>,
    pub was_verdict: Option<String>,
    /// 0 to 4; what every sink gets has [`ALWAYS`].
    pub severity: i64,
    /// A packed [`Body`].
    pub body: Vec<u8>,
}

/// The severity of what no filter holds back.
pub(crate) const ALWAYS: i64 = 9;

/// Appends events, numbered on from the last.
pub(crate) async fn append(tx: &mut Tx, at: Time, rows: Vec<Row>) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut n = tx.number(Sql::new("SELECT n FROM outbox_head")).await?;
    let columns = ["n", "id", "at", "kind", "code", "verdict", "was_verdict", "severity", "body"];
    let mut bulk = crate::db::bulk::Bulk::new("outbox", &columns);
    for row in rows {
        n = n.saturating_add(1);
        // The same event has the same id each time it is sent, and no other has it, even after a backup was restored.
        let mut named = format!("{n} {} ", at.0).into_bytes();
        named.extend_from_slice(&row.body);
        let id = format!("evt-{}", crate::answer::prepare::digest(&named));
        let values: [Value; 9] = [
            n.into(),
            id.into(),
            at.into(),
            row.kind.into(),
            row.code.into(),
            row.verdict.into(),
            row.was_verdict.into(),
            row.severity.into(),
            row.body.into(),
        ];
        bulk.push(tx, values).await?;
    }
    bulk.flush(tx).await?;
    let put = "INSERT INTO outbox_head (one, n) VALUES (1, $1) ON CONFLICT (one) DO UPDATE SET n = excluded.n";
    tx.run(sql!(put, n)).await?;
    Ok(())
}

/// The next events for a sink.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Those that it wants, in order.
    pub events: Vec<OutEvent>,
    /// Up to here everything was looked at: what is not among `events` is none of its business.
    pub upto: i64,
}

/// An event that a receiver refused for what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its number.
    pub seq: i64,
    /// `evt-…`
    pub id: String,
    /// When it happened.
    pub at: Time,
    /// `new`, `changed`, `gone`, `decision`, `summary`.
    pub kind: String,
    /// What the receiver said.
    pub why: String,
    /// When it was refused.
    pub refused_at: Time,
    /// Whether it is about to be sent again.
    pub again: bool,
}

impl Store {
    /// The next events of a sink behind its position, at most `limit`; subscriber numbers are covered unless the sink may have them.
    pub async fn outbox(&self, sink: &Sink, limit: u32) -> Result<Batch, StoreError> {
        let mut tx = self.db().read().await?;
        let head = tx.number(Sql::new("SELECT n FROM outbox_head")).await?;
        let limit = limit.clamp(1, BATCH);
        let mut ask = Sql::new("SELECT n, id, at, body FROM outbox WHERE n > ");
        ask.bind(sink.position).push(" AND ");
        wanted(&mut ask, &sink.of.filter);
        ask.push(" ORDER BY n LIMIT ").bind(i64::from(limit));
        let rows = tx.fetch(ask).await?;
        let events = rows.iter().map(|row| read_event(row, sink.of.subscribers)).collect::<Result<Vec<_>, _>>()?;
        let full = events.len() >= limit as usize;
        let upto = events.last().filter(|_| full).map_or(head, |e| e.seq);
        Ok(Batch { events, upto })
    }

    /// How many events a sink has before it, and since when the oldest of them waits.
    pub async fn waiting(&self, sink: &Sink) -> Result<(u64, Option<Time>), StoreError> {
        let mut tx = self.db().read().await?;
        let mut ask = Sql::new("SELECT COUNT(*), MIN(at) FROM outbox WHERE n > ");
        ask.bind(sink.position).push(" AND ");
        wanted(&mut ask, &sink.of.filter);
        let row = tx.first(ask).await?.ok_or_else(|| StoreError::damaged("the database answers nothing"))?;
        Ok((row.count(0)?, row.opt_time(1)?))
    }

    /// Whether there is anything behind a sink's position, or anything to be sent again.
    pub async fn has_work(&self, sink: &Sink) -> Result<bool, StoreError> {
        let mut tx = self.db().read().await?;
        let ask = "SELECT 1 FROM outbox_head WHERE n > $1 UNION ALL SELECT 1 FROM undelivered WHERE sink = $2 AND again = 1 LIMIT 1";
        Ok(tx.first(sql!(ask, sink.position, &sink.id)).await?.is_some())
    }

    /// Moves a sink on: `sent` events up to `upto` were acknowledged, or one of them was `refused` with a reason and is set aside.
    /// Nothing is moved where the sink is no longer where it was when the events were read.
    pub async fn delivered(
        &self,
        sink: &Sink,
        upto: i64,
        sent: u64,
        refused: Option<(&OutEvent, &str)>,
        at: Time,
    ) -> Result<bool, StoreError> {
        let mut tx = self.db().write().await?;
        let count = u64::from(refused.is_some());
        let moved = "UPDATE sink SET position = $3, sent = sent + $4, refused = refused + $5, next = 0, tries = 0, error = NULL, failing = NULL \
                     WHERE id = $1 AND position = $2";
        if tx.run(sql!(moved, &sink.id, sink.position, upto, sent, count)).await? == 0 {
            return Ok(false);
        }
        if sent > 0 {
            tx.run(sql!("UPDATE sink SET success = $2 WHERE id = $1", &sink.id, at)).await?;
        }
        if let Some((event, why)) = refused {
            let aside = "INSERT INTO undelivered (sink, n, id, at, kind, why, refused_at, again, body) \
                         SELECT $1, o.n, o.id, o.at, o.kind, $3, $4, 0, o.body FROM outbox o WHERE o.n = $2 \
                         ON CONFLICT (sink, n) DO UPDATE SET why = excluded.why, refused_at = excluded.refused_at, again = 0";
            tx.run(sql!(aside, &sink.id, event.seq, why, at)).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Notes that a sink could not deliver, why, and when it tries again.
    pub async fn not_delivered(&self, id: &str, why: &str, tries: u32, next: Time, at: Time) -> Result<(), StoreError> {
        let mut tx = self.db().write().await?;
        let note = "UPDATE sink SET error = $2, tries = $3, next = $4, failing = COALESCE(failing, $5) WHERE id = $1";
        tx.run(sql!(note, id, why, tries, next, at)).await?;
        tx.commit().await
    }

    /// Notes when a sink that gathers is due next.
    pub async fn due(&self, id: &str, next: Time) -> Result<(), StoreError> {
        let mut tx = self.db().write().await?;
        tx.run(sql!("UPDATE sink SET next = $2 WHERE id = $1", id, next)).await?;
        tx.commit().await
    }

    /// What a sink's receiver refused, the newest first.
    pub async fn undelivered(&self, id: &str, limit: u32) -> Result<Vec<Refused>, StoreError> {
        let mut tx = self.db().read().await?;
        let ask = "SELECT n, id, at, kind, why, refused_at, again FROM undelivered WHERE sink = $1 ORDER BY n DESC LIMIT $2";
        let read = |row: &crate::db::Row| {
            Ok(Refused {
                seq: row.int(0)?,
                id: row.owned(1)?,
                at: row.time(2)?,
                kind: row.owned(3)?,
                why: row.owned(4)?,
                refused_at: row.time(5)?,
                again: row.int(6)? != 0,
            })
        };
        tx.fetch(sql!(ask, id, i64::from(limit.clamp(1, BATCH)))).await?.iter().map(read).collect()
    }

    /// Asks for refused events of a sink to be sent again: one by its number, or all. Says how many.
    pub async fn send_again(&self, by: By<'_>, sink: &str, seq: Option<i64>) -> Result<u64, StoreError> {
        let mut tx = self.db().write().await?;
        let marked = match seq {
            Some(n) => tx.run(sql!("UPDATE undelivered SET again = 1 WHERE sink = $1 AND n = $2", sink, n)).await?,
            None => tx.run(sql!("UPDATE undelivered SET again = 1 WHERE sink = $1", sink)).await?,
        };
        if let (Some(n), 0) = (seq, marked) {
            return Err(not_found("undelivered event", &n.to_string()));
        }
        tx.run(sql!("UPDATE sink SET next = 0 WHERE id = $1", sink)).await?;
        let head = crate::audit::append(&mut tx, by, "sink.again", sink, &serde_json::json!({"events": marked})).await?;
        self.commit(tx, &head).await?;
        Ok(marked)
    }

    /// Refused events of a sink that are to be sent again, in order.
    pub async fn again(&self, sink: &Sink, limit: u32) -> Result<Vec<OutEvent>, StoreError> {
        let mut tx = self.db().read().await?;
        let ask = "SELECT n, id, at, body FROM undelivered WHERE sink = $1 AND again = 1 ORDER BY n LIMIT $2";
        let rows = tx.fetch(sql!(ask, &sink.id, i64::from(limit.clamp(1, BATCH)))).await?;
        rows.iter().map(|row| read_event(row, sink.of.subscribers)).collect()
    }

    /// What became of an event that was sent again: `None` where it was acknowledged, else what the receiver said.
    pub async fn sent_again(&self, sink: &str, seq: i64, refused: Option<&str>, at: Time) -> Result<(), StoreError> {
        let mut tx = self.db().write().await?;
        match refused {
            None => {
                tx.run(sql!("DELETE FROM undelivered WHERE sink = $1 AND n = $2", sink, seq)).await?;
                let put = "UPDATE sink SET sent = sent + 1, success = $2, next = 0, tries = 0, error = NULL, failing = NULL WHERE id = $1";
                tx.run(sql!(put, sink, at)).await?;
            }
            Some(why) => {
                let put = "UPDATE undelivered SET why = $3, refused_at = $4, again = 0 WHERE sink = $1 AND n = $2";
                tx.run(sql!(put, sink, seq, why, at)).await?;
            }
        }
        tx.commit().await
    }

    /// Takes away what every sink has behind it, and what is older than [`KEEP_DAYS`]: of that, what a sink had not delivered is
    /// counted there.
    pub async fn expire_outbox(&self, by: By<'_>) -> Result<Vec<Expired>, StoreError> {
        let mut tx = self.db().write().await?;
        let (mut out, mut head) = (Vec::new(), None);
        let old = by.at.days_before(KEEP_DAYS);
        let last = tx.number(sql!("SELECT MAX(n) FROM outbox WHERE at < $1", old)).await?;
        for sink in sinks::all(&mut tx).await? {
            let mut ask = Sql::new("SELECT COUNT(*) FROM outbox WHERE n <= ");
            ask.bind(last).push(" AND n > ").bind(sink.position).push(" AND ");
            wanted(&mut ask, &sink.of.filter);
            let mut lost = u64::try_from(tx.number(ask).await?).unwrap_or(0);
            if last > sink.position {
                tx.run(sql!("UPDATE sink SET position = $2 WHERE id = $1", &sink.id, last)).await?;
            }
            lost = lost.saturating_add(tx.run(sql!("DELETE FROM undelivered WHERE sink = $1 AND refused_at < $2", &sink.id, old)).await?);
            if lost > 0 {
                tx.run(sql!("UPDATE sink SET expired = expired + $2 WHERE id = $1", &sink.id, lost)).await?;
                let detail = serde_json::json!({"name": sink.of.name, "events": lost, "older_than_days": KEEP_DAYS});
                head = Some(crate::audit::append(&mut tx, by, "sink.expire", &sink.id, &detail).await?);
                out.push(Expired { sink: sink.id, name: sink.of.name, events: lost });
            }
        }
        tx.run(Sql::new("DELETE FROM outbox WHERE n <= (SELECT COALESCE(MIN(position), 9223372036854775807) FROM sink)")).await?;
        match head {
            Some(head) => self.commit(tx, &head).await?,
            None => tx.commit().await?,
        }
        Ok(out)
    }
}

/// Packs a body.
fn packed(body: &Body) -> Result<Vec<u8>, StoreError> {
    pack::pack_json(body)
}
