//! What people decided: triage, notes, tags, who looks after it, approvals. No recompute touches it; a device or finding that
//! goes and comes back under its id has it still.

use serde_json::json;
use umbilical_core::finding::Finding;

use crate::answer::fold::fold;
use crate::audit::append;
use crate::db::{Sql, Tx, sql};
use crate::error::not_found;
use crate::list::canonical;
use crate::query::{Query, STATES, sql as condition};
use crate::{By, Scope, Sites, Store, StoreError, Time, chain, outbox, pack};

/// What is decided about a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision<'a> {
    /// Where it stands in triage: one of [`crate::query::STATES`].
    State(&'a str),
    /// A note: the comment.
    Note,
    /// Marks it.
    Tag(&'a str),
    /// Takes a mark away.
    Untag(&'a str),
    /// Who looks after it; `None` for nobody.
    Assign(Option<&'a str>),
    /// An approval of what `value` names (a bundle, a waiver), or its refusal.
    Approve {
        /// What is approved.
        value: &'a str,
        /// Whether it is granted.
        granted: bool,
    },
}

/// A row of the log of decisions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// Its number over all things.
    pub n: i64,
    /// When.
    pub at: Time,
    /// Who.
    pub who: String,
    /// `state`, `note`, `tag`, `untag`, `assigned`, `approved`, `refused`.
    pub kind: String,
    /// The state, tag, person, or what was approved.
    pub value: String,
    /// In the words of who decided.
    pub comment: String,
    /// When it ends by itself.
    pub expires: Option<Time>,
}

/// Which list a query of many things asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Many {
    /// Devices.
    Devices,
    /// Findings.
    Findings,
}

impl Many {
    fn list(self) -> (&'static str, condition::Columns) {
        match self {
            Self::Devices => ("device d", condition::DEVICES),
            Self::Findings => ("finding f", condition::FINDINGS),
        }
    }
}

/// The longest comment, in bytes.
const LONGEST: usize = 20_000;
/// Days, today not counted, for which one person alone accepts a risk. Who wants to live with it for longer decides again.
pub const LONGEST_ACCEPTED: i64 = 366;
/// Milliseconds of a day.
const DAY: i64 = 86_400_000;
/// Why a decision ended by itself.
const PASSED: &str = "its last day has passed";

impl Decision<'_> {
    /// Refuses what [`Store::decide`] would refuse of it whatever it is about: who asks about many is told before.
    pub fn check(&self, by: By<'_>, comment: &str, expires: Option<Time>) -> Result<(), StoreError> {
        let (kind, value) = self.parts()?;
        complete(by, kind, &value, comment, expires)
    }

    /// Kind and value as they are kept.
    fn parts(&self) -> Result<(&'static str, String), StoreError> {
        Ok(match self {
            Self::State(state) => {
                let known = STATES.iter().find(|s| **s == *state);
                (
                    "state",
                    known
                        .ok_or_else(|| StoreError::Invalid(format!("there is no such state; possible are {}", STATES.join(", "))))?
                        .to_string(),
                )
            }
            Self::Note => ("note", String::new()),
            Self::Tag(tag) => ("tag", tagged(tag)?),
            Self::Untag(tag) => ("untag", tagged(tag)?),
            Self::Assign(person) => ("assigned", person.unwrap_or_default().to_owned()),
            Self::Approve { value, granted } => (if *granted { "approved" } else { "refused" }, (*value).to_owned()),
        })
    }
}

fn tagged(tag: &str) -> Result<String, StoreError> {
    let tag = tag.trim();
    let fits = !tag.is_empty() && tag.len() <= 100 && !tag.chars().any(char::is_control);
    if fits { Ok(tag.to_owned()) } else { Err(StoreError::field("value", "a tag is 1 to 100 bytes of text")) }
}

/// Whether a decision ends the matter without saying what was done about it.
fn ends_without_a_mend(kind: &str, value: &str) -> bool {
    kind == "state" && value == "closed"
}

/// Refuses what is too long, says nothing, or would have ended before it began; and a risk that is accepted without a reason, or
/// without an end that somebody lives to see.
fn complete(by: By<'_>, kind: &str, value: &str, comment: &str, expires: Option<Time>) -> Result<(), StoreError> {
    if comment.len() > LONGEST || value.len() > LONGEST {
        return Err(StoreError::field("comment", format!("a comment is at most {LONGEST} bytes")));
    }
    if kind == "note" && comment.trim().is_empty() {
        return Err(StoreError::field("comment", "a note says something"));
    }
    if expires.is_some_and(|end| end <= by.at) {
        return Err(StoreError::field("expires", "the last day of this decision has passed"));
    }
    if kind != "state" || value != "accepted" {
        return Ok(());
    }
    if comment.trim().is_empty() {
        return Err(StoreError::field("comment", "say why it is accepted"));
    }
    let end = expires.ok_or_else(|| StoreError::field("expires", "say until which day it is accepted: the last one"))?;
    // The last day counts whole.
    let last = by.at.0.div_euclid(DAY).saturating_add(LONGEST_ACCEPTED).saturating_add(1).saturating_mul(DAY);
    if end.0 > last {
        let what = format!("it is accepted for {LONGEST_ACCEPTED} days at most: decide again when they are over");
        return Err(StoreError::field("expires", what));
    }
    Ok(())
}

/// Refuses where one of these bodies is of a finding that no software mends: the module stays what it is until it is fenced in,
/// replaced, or borne until a day.
async fn mendable(tx: &mut Tx, bodies: Sql) -> Result<(), StoreError> {
    for row in tx.fetch(bodies).await? {
        let body = tx.first(sql!("SELECT doc FROM finding_body WHERE n = $1", row.int(0)?)).await?;
        let finding: Option<Finding> = body.map(|b| pack::unpack_json(b.blob(0)?)).transpose()?;
        if finding.is_some_and(|f| f.lifecycle == "not-patchable") {
            let what = "no software mends this finding: it ends as `contained`, `replaced`, or `accepted` until a day";
            return Err(StoreError::field("state", what));
        }
    }
    Ok(())
}

impl Store {
    /// Decides about one thing. A device or finding outside the asker's sites is not found; other things (`intent`, `report`)
    /// only those may decide about who see everything.
    pub async fn decide(
        &self,
        scope: &Scope,
        by: By<'_>,
        subject: &str,
        decision: Decision<'_>,
        comment: &str,
        expires: Option<Time>,
    ) -> Result<i64, StoreError> {
        let (kind, value) = decision.parts()?;
        complete(by, kind, &value, comment, expires)?;
        let mut tx = self.db().write().await?;
        let subject = visible(&mut tx, scope, subject).await?;
        if ends_without_a_mend(kind, &value) && subject.starts_with("fnd-") {
            let mut ask = Sql::new("SELECT DISTINCT f.body FROM finding f WHERE f.id = ");
            ask.bind(&subject);
            mendable(&mut tx, ask).await?;
        }
        let n = tx.next("decision").await?;
        keep(&mut tx, n, by, &subject, kind, &value, comment, expires).await?;
        outbox::decided(&mut tx, by, (&subject, kind, &value), comment, expires).await?;
        let mut detail = json!({"kind": kind, "value": value, "decision": n});
        said(&mut detail, kind, comment, expires);
        let head = append(&mut tx, by, "decide", &subject, &detail).await?;
        self.commit(tx, &head).await?;
        Ok(n)
    }

    /// How many things fit a query, counted to the last: what [`Store::decide_many`] expects.
    pub async fn count_many(&self, scope: &Scope, many: Many, query: &Query) -> Result<u64, StoreError> {
        let mut tx = self.db().read().await?;
        let (table, columns) = many.list();
        let mut ask = Sql::new(&format!("SELECT COUNT(DISTINCT {}) FROM {table} WHERE ", columns.id));
        condition::condition(&mut ask, &condition::weighed(&mut tx, query).await?, scope, &columns)?;
        Ok(u64::try_from(tx.number(ask).await?).unwrap_or(0))
    }

    /// Decides about everything that fits a query, and says about how many; with another number than `expected` nothing is
    /// done: who decides about many has seen how many.
    pub async fn decide_many(
        &self,
        scope: &Scope,
        by: By<'_>,
        (many, query, expected): (Many, &Query, u64),
        decision: Decision<'_>,
        comment: &str,
        expires: Option<Time>,
    ) -> Result<u64, StoreError> {
        let (kind, value) = decision.parts()?;
        complete(by, kind, &value, comment, expires)?;
        let mut tx = self.db().write().await?;
        let (table, columns) = many.list();
        let mut ask = Sql::new(&format!("SELECT DISTINCT {} FROM {table} WHERE ", columns.id));
        condition::condition(&mut ask, &condition::weighed(&mut tx, query).await?, scope, &columns)?;
        ask.push(" ORDER BY 1");
        let ids = tx.fetch(ask).await?;
        if ids.len() as u64 != expected {
            return Err(StoreError::Conflict(format!("the query fits {} things now, not {expected}: look again", ids.len())));
        }
        if ends_without_a_mend(kind, &value) && many == Many::Findings {
            let mut ask = Sql::new("SELECT DISTINCT f.body FROM finding f WHERE ");
            condition::condition(&mut ask, &condition::weighed(&mut tx, query).await?, scope, &columns)?;
            mendable(&mut tx, ask).await?;
        }
        let first = tx.next("decision").await?;
        for (n, row) in (first..).zip(&ids) {
            keep(&mut tx, n, by, row.text(0)?, kind, &value, comment, expires).await?;
        }
        let subjects = ids.iter().map(|row| row.owned(0)).collect::<Result<Vec<_>, _>>()?;
        let what = if many == Many::Devices { "devices" } else { "findings" };
        outbox::many_decided(&mut tx, by, &subjects, (what, kind, &value), comment, expires).await?;
        let mut detail = json!({"kind": kind, "value": value, "query": query.text(), "count": expected, "first": first});
        said(&mut detail, kind, comment, expires);
        let head = append(&mut tx, by, "decide.many", table.split(' ').next().unwrap_or_default(), &detail).await?;
        self.commit(tx, &head).await?;
        Ok(expected)
    }

    /// Ends what was decided until a time that has come: what was accepted is new again. Says how many ended.
    pub async fn end_expired(&self, by: By<'_>) -> Result<u64, StoreError> {
        let mut tx = self.db().write().await?;
        let ask = "SELECT o.subject, o.kind, o.value FROM decision_now o JOIN decision d ON d.n = o.n \
                   WHERE d.expires IS NOT NULL AND d.expires <= $1 ORDER BY o.subject, o.kind, o.folded";
        let ended = tx.fetch(sql!(ask, by.at)).await?;
        if ended.is_empty() {
            return Ok(0);
        }
        let first = tx.next("decision").await?;
        let mut ended_states = Vec::new();
        for (n, row) in (first..).zip(&ended) {
            let (kind, value) = match row.text(1)? {
                "state" => ("state", "new"),
                "assigned" => ("assigned", ""),
                "tag" => ("untag", row.text(2)?),
                _ => ("refused", row.text(2)?),
            };
            keep(&mut tx, n, by, row.text(0)?, kind, value, PASSED, None).await?;
            if kind == "state" {
                ended_states.push(row.owned(0)?);
            }
        }
        outbox::many_decided(&mut tx, by, &ended_states, ("findings", "state", "new"), PASSED, None).await?;
        let head = append(&mut tx, by, "decide.expire", "", &json!({"count": ended.len(), "first": first})).await?;
        self.commit(tx, &head).await?;
        Ok(ended.len() as u64)
    }

    /// Everything that was decided about a thing, the newest last.
    pub async fn decisions(&self, scope: &Scope, subject: &str) -> Result<Vec<Decided>, StoreError> {
        let mut tx = self.db().read().await?;
        let subject = visible(&mut tx, scope, subject).await?;
        // What was decided while it was known by another id is its own.
        let ask = "SELECT n, at, who, kind, value, comment, expires FROM decision \
                   WHERE subject = $1 OR subject IN (SELECT a.id FROM alias a WHERE a.device = $1) ORDER BY n";
        let read = |row: &crate::db::Row| {
            Ok(Decided {
                n: row.int(0)?,
                at: row.time(1)?,
                who: row.owned(2)?,
                kind: row.owned(3)?,
                value: row.owned(4)?,
                comment: row.owned(5)?,
                expires: row.opt_time(6)?,
            })
        };
        tx.fetch(sql!(ask, &subject)).await?.iter().map(read).collect()
    }

    /// Walks the log of decisions: what does not fit is named.
    pub async fn verify_decisions(&self) -> Result<Vec<String>, StoreError> {
        let (mut wrong, mut previous, mut expected) = (Vec::new(), chain::START.to_owned(), 1i64);
        loop {
            let mut tx = self.db().read().await?;
            let ask = "SELECT n, at, who, subject, kind, value, comment, expires, chain FROM decision WHERE n >= $1 ORDER BY n LIMIT 1000";
            let page = tx.fetch(sql!(ask, expected)).await?;
            if page.is_empty() {
                return Ok(wrong);
            }
            for row in page {
                let n = row.int(0)?;
                let by = By { who: row.text(2)?, at: row.time(1)? };
                let digest = link(&previous, n, by, row.text(3)?, row.text(4)?, row.text(5)?, row.text(6)?, row.opt_time(7)?);
                if n != expected || digest != row.text(8)? {
                    wrong.push(format!("decision {n} was changed, or a decision before it is missing"));
                }
                previous = row.owned(8)?;
                expected = n.saturating_add(1);
            }
        }
    }
}

/// Where something stands in triage is told with its reason and its end in the audit log, too: who reads that sees what was accepted.
fn said(detail: &mut serde_json::Value, kind: &str, comment: &str, expires: Option<Time>) {
    if let (Some(members), "state") = (detail.as_object_mut(), kind) {
        members.insert("comment".into(), comment.into());
        members.insert("expires".into(), expires.map(|t| t.to_string()).into());
    }
}

#[expect(clippy::too_many_arguments, reason = "the columns of one row")]
fn link(previous: &str, n: i64, by: By<'_>, subject: &str, kind: &str, value: &str, comment: &str, expires: Option<Time>) -> String {
    let (number, at, end) = (n.to_string(), by.at.0.to_string(), expires.map(|t| t.0.to_string()));
    let fields = [Some(number.as_str()), Some(&at), Some(by.who), Some(subject), Some(kind), Some(value), Some(comment), end.as_deref()];
    chain::link(previous, &fields)
}

/// The id of a thing that the asker may decide about.
async fn visible(tx: &mut Tx, scope: &Scope, subject: &str) -> Result<String, StoreError> {
    let (kind, table, columns, id) = if subject.starts_with("dev-") {
        ("device", "device d", condition::DEVICES, canonical(tx, subject).await?)
    } else if subject.starts_with("fnd-") {
        ("finding", "finding f", condition::FINDINGS, subject.to_owned())
    } else if scope.sites == Sites::All && !subject.is_empty() && subject.len() <= 200 {
        return Ok(subject.to_owned());
    } else {
        return Err(not_found("thing", subject));
    };
    let mut ask = Sql::new(&format!("SELECT 1 FROM {table} WHERE {} = ", columns.id));
    ask.bind(&id).push(" AND ");
    condition::scoped(&mut ask, scope, &columns);
    if tx.first(ask).await?.is_some() {
        return Ok(id);
    }
    // What was decided about a thing that is gone stays in sight of those who see everything.
    let known = "SELECT 1 FROM decision WHERE subject = $1 UNION ALL SELECT 1 FROM alias WHERE device = $1";
    let gone = scope.sites == Sites::All && tx.first(sql!(known, &id)).await?.is_some();
    if gone { Ok(id) } else { Err(not_found(kind, subject)) }
}

#[expect(clippy::too_many_arguments, reason = "the columns of one row")]
async fn keep(
    tx: &mut Tx,
    n: i64,
    by: By<'_>,
    subject: &str,
    kind: &str,
    value: &str,
    comment: &str,
    expires: Option<Time>,
) -> Result<(), StoreError> {
    let [who, subject, value, comment] = [by.who, subject, value, comment].map(|t| t.replace('\0', "\u{2400}"));
    let last = tx.first(sql!("SELECT chain FROM decision WHERE n = $1", n.saturating_sub(1))).await?;
    let previous = last.as_ref().map_or(Ok(chain::START), |row| row.text(0))?;
    let digest = link(previous, n, By { who: &who, at: by.at }, &subject, kind, &value, &comment, expires);
    let insert =
        "INSERT INTO decision (n, at, who, subject, kind, value, comment, expires, chain) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    tx.run(sql!(insert, n, by.at, &who, &subject, kind, &value, &comment, expires, digest)).await?;
    hold(tx, n, &subject, kind, &value).await
}

/// What holds from now on.
async fn hold(tx: &mut Tx, n: i64, subject: &str, kind: &str, value: &str) -> Result<(), StoreError> {
    match kind {
        "tag" => {}
        "approved" | "refused" => {
            let other = if kind == "approved" { "refused" } else { "approved" };
            tx.run(sql!("DELETE FROM decision_now WHERE subject = $1 AND kind = $2 AND folded = $3", subject, other, fold(value))).await?;
        }
        "untag" => {
            tx.run(sql!("DELETE FROM decision_now WHERE subject = $1 AND kind = 'tag' AND folded = $2", subject, fold(value))).await?;
            return Ok(());
        }
        "state" | "assigned" => {
            tx.run(sql!("DELETE FROM decision_now WHERE subject = $1 AND kind = $2", subject, kind)).await?;
            if value.is_empty() || value == "new" {
                return Ok(());
            }
        }
        _ => return Ok(()),
    }
    let put = "INSERT INTO decision_now (subject, kind, folded, value, n) VALUES ($1, $2, $3, $4, $5) \
               ON CONFLICT (subject, kind, folded) DO UPDATE SET value = excluded.value, n = excluded.n";
    tx.run(sql!(put, subject, kind, fold(value), value, n)).await?;
    Ok(())
}

/// What holds of a thing holds of the one that it turned out to be, unless that has been decided otherwise.
pub(crate) async fn follow(tx: &mut Tx, from: &str, to: &str) -> Result<(), StoreError> {
    let single = "DELETE FROM decision_now WHERE subject = $1 AND kind IN ('state', 'assigned') \
                  AND kind IN (SELECT o.kind FROM decision_now o WHERE o.subject = $2)";
    tx.run(sql!(single, from, to)).await?;
    let put = "INSERT INTO decision_now (subject, kind, folded, value, n) \
               SELECT $2, d.kind, d.folded, d.value, d.n FROM decision_now d WHERE d.subject = $1 ON CONFLICT (subject, kind, folded) DO NOTHING";
    tx.run(sql!(put, from, to)).await?;
    tx.run(sql!("DELETE FROM decision_now WHERE subject = $1", from)).await?;
    Ok(())
}
