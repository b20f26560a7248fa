//! Waivers on their way: one person proposes to live with what a rule found, another approves. What holds stands in the file of
//! waivers, which people read and review; here is who proposed and who approved.

use serde_json::json;
use umbilical_core::id::content_id;

use crate::audit::append;
use crate::db::{Row, Sql, sql};
use crate::error::not_found;
use crate::{By, Store, StoreError, Time};

/// What is proposed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The rule whose findings are meant.
    pub code: String,
    /// The subject's id or name, or a pattern with `*`.
    pub subject: String,
    /// The module, or a pattern; `None` for findings that name none.
    pub module: Option<String>,
    /// Why.
    pub reason: String,
    /// Last day on which it holds, `YYYY-MM-DD`.
    pub until: String,
    /// In the words of VEX, where one fits.
    pub justification: Option<String>,
}

/// How far it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WaiverState {
    /// Somebody wants it; it does not hold.
    Proposed,
    /// Another approved it: it stands in the file.
    Approved,
    /// Refused, or taken back.
    Revoked,
    /// Taken back by who proposed it, before anybody approved it.
    Withdrawn,
}

impl WaiverState {
    /// The kebab-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Approved => "approved",
            Self::Revoked => "revoked",
            Self::Withdrawn => "withdrawn",
        }
    }

    fn from_name(name: &str) -> Result<Self, StoreError> {
        let all = [Self::Proposed, Self::Approved, Self::Revoked, Self::Withdrawn];
        all.into_iter().find(|s| s.name() == name).ok_or_else(|| StoreError::damaged("a waiver is in no state that there is"))
    }
}

/// A waiver as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptWaiver {
    /// `wvr-…`
    pub id: String,
    /// What.
    pub proposal: Proposal,
    /// How far.
    pub state: WaiverState,
    /// The person who proposed it, by id.
    pub person: String,
    /// Its name in the logs.
    pub proposed_by: String,
    /// When.
    pub proposed_at: Time,
    /// Who approved or revoked it last.
    pub settled_by: Option<String>,
    /// When.
    pub settled_at: Option<Time>,
    /// What was said to that.
    pub comment: String,
}

const COLUMNS: &str = "id, code, subject, module, reason, until, justification, state, person, proposed_by, proposed_at, settled_by, \
                       settled_at, comment";
/// The longest text, in bytes.
const LONGEST: usize = 2_000;

fn read(row: &Row) -> Result<KeptWaiver, StoreError> {
    Ok(KeptWaiver {
        id: row.owned(0)?,
        proposal: Proposal {
            code: row.owned(1)?,
            subject: row.owned(2)?,
            module: row.opt_owned(3)?,
            reason: row.owned(4)?,
            until: row.owned(5)?,
            justification: row.opt_owned(6)?,
        },
        state: WaiverState::from_name(row.text(7)?)?,
        person: row.owned(8)?,
        proposed_by: row.owned(9)?,
        proposed_at: row.time(10)?,
        settled_by: row.opt_owned(11)?,
        settled_at: row.opt_time(12)?,
        comment: row.owned(13)?,
    })
}

impl Store {
    /// Proposes a waiver in the name of a person, and gives its id. It holds for nothing until another approves it. The same that
    /// waits, or holds as long, is a conflict.
    pub async fn propose_waiver(&self, by: By<'_>, person: &str, new: &Proposal) -> Result<String, StoreError> {
        let texts = [Some(&new.code), Some(&new.subject), new.module.as_ref(), Some(&new.reason)];
        if texts.into_iter().flatten().any(|t| t.trim().is_empty() || t.len() > LONGEST) {
            return Err(StoreError::Invalid(format!("a waiver says what rule, what subject and why, each in 1 to {LONGEST} bytes")));
        }
        let mut tx = self.db().write().await?;
        // A form that was sent twice, or a finding that two people met.
        let ask = "SELECT id, state, until FROM waiver WHERE code = $1 AND subject = $2 AND COALESCE(module, '') = $3 \
                   AND (state = 'proposed' OR state = 'approved' AND until >= $4) ORDER BY n LIMIT 1";
        let there = tx.first(sql!(ask, &new.code, &new.subject, new.module.as_deref().unwrap_or_default(), &new.until)).await?;
        if let Some(row) = there {
            let (id, state, until) = (row.text(0)?, row.text(1)?, row.text(2)?);
            return Err(StoreError::Conflict(format!("the same is {state} already, until {until} ({id})")));
        }
        let n = tx.next("waiver").await?;
        let id = content_id("wvr-", "waiver", &format!("{n} {} {} {} {}", by.at.0, by.who, new.code, new.subject));
        let insert = "INSERT INTO waiver (n, id, code, subject, module, reason, until, justification, state, person, proposed_by, proposed_at, comment) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'proposed', $9, $10, $11, '')";
        let values = sql!(
            insert,
            n,
            &id,
            &new.code,
            &new.subject,
            new.module.as_deref(),
            &new.reason,
            &new.until,
            new.justification.as_deref(),
            person,
            by.who,
            by.at
        );
        tx.run(values).await?;
        let detail = json!({
            "code": new.code, "subject": new.subject, "module": new.module, "reason": new.reason, "until": new.until,
            "justification": new.justification,
        });
        let head = append(&mut tx, by, "waiver.propose", &id, &detail).await?;
        self.commit(tx, &head).await?;
        Ok(id)
    }

    /// Every waiver that was proposed here, the newest first.
    pub async fn waivers(&self) -> Result<Vec<KeptWaiver>, StoreError> {
        let mut tx = self.db().read().await?;
        tx.fetch(Sql::new(&format!("SELECT {COLUMNS} FROM waiver ORDER BY n DESC LIMIT 1000"))).await?.iter().map(read).collect()
    }

    /// How many were proposed by others than a person and wait for approval.
    pub async fn waivers_waiting(&self, person: &str) -> Result<u64, StoreError> {
        let mut tx = self.db().read().await?;
        let n = tx.number(sql!("SELECT COUNT(*) FROM waiver WHERE state = 'proposed' AND person <> $1", person)).await?;
        Ok(u64::try_from(n).unwrap_or(0))
    }

    /// One of them.
    pub async fn waiver(&self, id: &str) -> Result<KeptWaiver, StoreError> {
        let mut tx = self.db().read().await?;
        let row = tx.first(Sql::with(&format!("SELECT {COLUMNS} FROM waiver WHERE id = $1"), [id.into()])).await?;
        read(&row.ok_or_else(|| not_found("waiver", id))?)
    }

    /// Brings a waiver into a state, with a row of the audit log. `write` does outside what goes with it, before it is kept here and
    /// while nobody else settles one: where it fails nothing is kept.
    pub async fn settle_waiver(
        &self,
        by: By<'_>,
        id: &str,
        state: WaiverState,
        comment: &str,
        write: impl FnOnce(&KeptWaiver) -> Result<(), StoreError> + Send,
    ) -> Result<(), StoreError> {
        if comment.len() > LONGEST {
            return Err(StoreError::Invalid(format!("a comment is at most {LONGEST} bytes")));
        }
        let mut tx = self.db().write().await?;
        let row = tx.first(Sql::with(&format!("SELECT {COLUMNS} FROM waiver WHERE id = $1"), [id.into()])).await?;
        let waiver = read(&row.ok_or_else(|| not_found("waiver", id))?)?;
        let fits = match state {
            WaiverState::Proposed => false,
            WaiverState::Approved | WaiverState::Withdrawn => waiver.state == WaiverState::Proposed,
            WaiverState::Revoked => matches!(waiver.state, WaiverState::Proposed | WaiverState::Approved),
        };
        if !fits {
            return Err(StoreError::Conflict(format!("the waiver is {} already", waiver.state.name())));
        }
        let update = "UPDATE waiver SET state = $2, settled_by = $3, settled_at = $4, comment = $5 WHERE id = $1";
        tx.run(sql!(update, id, state.name(), by.who, by.at, comment)).await?;
        let what = match state {
            WaiverState::Approved => "waiver.approve",
            WaiverState::Withdrawn => "waiver.withdraw",
            _ => "waiver.revoke",
        };
        let detail = json!({
            "code": waiver.proposal.code, "subject": waiver.proposal.subject, "until": waiver.proposal.until, "was": waiver.state.name(),
            "proposed_by": waiver.proposed_by, "comment": comment,
        });
        crate::outbox::waiver_settled(&mut tx, by, &waiver, state, comment).await?;
        let head = append(&mut tx, by, what, id, &detail).await?;
        write(&waiver)?;
        self.commit(tx, &head).await
    }
}
