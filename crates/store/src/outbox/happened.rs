//! What an event says, as it is kept: enough to be written in any format later, subscriber numbers whole.

use serde::{Deserialize, Serialize};
use umbilical_core::answer::Device;
use umbilical_core::finding::Finding;
use umbilical_core::number::mask_numbers;

use super::sinks::NO_VERDICT;
use super::{ALWAYS, EACH, Row, append, open, packed};
use crate::db::{self, Tx, sql};
use crate::list::{mask, mask_finding};
use crate::{By, KeptWaiver, StoreError, Time, WaiverState, pack};

/// What an answer made of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Turn {
    /// It is there for the first time, or passed before.
    New,
    /// Its verdict, its severity or whether it is accepted is another.
    Changed,
    /// It is there no longer, or passes now.
    Gone,
}

impl Turn {
    /// The kebab-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Gone => "gone",
        }
    }
}

/// So many findings of one kind, in a summary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// What became of them.
    pub turn: Turn,
    /// `info` to `critical`.
    pub severity: String,
    /// Their code.
    pub code: String,
    /// How many.
    pub count: u64,
}

/// What has happened.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Happened {
    /// Something became of a finding.
    Finding {
        /// What.
        turn: Turn,
        /// The finding, as it is or as it was last.
        finding: Box<Finding>,
        /// The device that it is about: names, identifiers and modules, without the reasons for them.
        device: Option<Box<Device>>,
    },
    /// Somebody decided.
    Decision {
        /// `state`, `waiver`, or `mute`.
        kind: String,
        /// The state, or `approved`, `revoked`; of a mute `made`, `withdrawn`.
        value: String,
        /// About what: a finding, a device, a waiver, a mute; `findings` or `devices` where it is about many.
        subject: String,
        /// About how many things.
        count: u64,
        /// Who.
        who: String,
        /// In the words of who decided.
        comment: String,
        /// When it ends by itself, RFC 3339; of a waiver, its last day.
        expires: Option<String>,
        /// The code of the finding, or of the rule that is waived.
        code: Option<String>,
        /// The device that it is about.
        device: Option<String>,
        /// What that is called.
        device_name: Option<String>,
    },
    /// An answer, or what of it is not said finding by finding.
    Summary {
        /// Its number.
        answer: i64,
        /// Whether it is the first: the baseline, of which nobody is alarmed.
        first: bool,
        /// Devices that are new, changed, gone.
        devices: [u64; 3],
        /// Findings that this stands for.
        findings: u64,
        /// By what became of them, severity and code: those of which there are most come first.
        tallies: Vec<Tally>,
    },
    /// Somebody asked whether a sink works: never kept.
    Test {
        /// Who.
        who: String,
    },
}

/// An event as it is kept.
pub(super) type Body = Happened;

/// An event on its way to a sink.
#[derive(Clone, Debug)]
pub struct OutEvent {
    /// Its number: events of a sink come in this order.
    pub seq: i64,
    /// `evt-` and 32 hex digits: the same each time that it is sent.
    pub id: String,
    /// When it happened.
    pub at: Time,
    /// What.
    pub what: Happened,
}

/// `n, id, at, body`.
pub(super) fn read_event(row: &db::Row, subscribers: bool) -> Result<OutEvent, StoreError> {
    let mut what: Body = pack::unpack_json(row.blob(3)?)?;
    if !subscribers {
        cover(&mut what);
    }
    Ok(OutEvent { seq: row.int(0)?, id: row.owned(1)?, at: row.time(2)?, what })
}

/// Covers what belongs to a subscriber.
fn cover(what: &mut Happened) {
    match what {
        Happened::Finding { finding, device: Some(device), .. } => {
            // The device knows its own numbers, wherever the finding repeats them.
            device.findings = vec![(**finding).clone()];
            mask(device);
            if let Some(covered) = device.findings.pop() {
                **finding = covered;
            }
        }
        Happened::Finding { finding, device: None, .. } => mask_finding(finding, &[]),
        Happened::Decision { comment, device_name, .. } => {
            for text in [comment].into_iter().chain(device_name) {
                *text = mask_numbers(text).into_owned();
            }
        }
        Happened::Summary { .. } | Happened::Test { .. } => {}
    }
}

/// What is kept of a device beside a finding.
pub(super) fn slim(mut device: Device) -> Box<Device> {
    device.because.clear();
    device.next_evidence.clear();
    device.findings.clear();
    device.inputs.clear();
    for module in &mut device.modules {
        module.claims.clear();
        module.because.clear();
        module.against.clear();
    }
    Box::new(device)
}

/// What somebody decided about one thing: a state. Notes, tags and who looks after it stay here.
pub(crate) async fn decided(
    tx: &mut Tx,
    by: By<'_>,
    (subject, kind, value): (&str, &str, &str),
    comment: &str,
    expires: Option<Time>,
) -> Result<(), StoreError> {
    if kind != "state" || !open(tx).await? {
        return Ok(());
    }
    let row = of_one(tx, by, (subject, kind, value), comment, expires).await?;
    append(tx, by.at, vec![row]).await
}

async fn of_one(
    tx: &mut Tx,
    by: By<'_>,
    (subject, kind, value): (&str, &str, &str),
    comment: &str,
    expires: Option<Time>,
) -> Result<Row, StoreError> {
    let about = "SELECT d.id, d.name, k.code, k.verdict, k.severity FROM finding f JOIN finding_kind k ON k.n = f.kind \
                 LEFT JOIN device d ON d.n = f.device WHERE f.id = $1";
    let finding = tx.first(sql!(about, subject)).await?;
    let own = tx.first(sql!("SELECT id, name FROM device WHERE id = $1", subject)).await?;
    let device = finding.as_ref().or(own.as_ref());
    let text = |row: Option<&db::Row>, at| row.map_or(Ok(None), |r| r.opt_owned(at));
    let code = text(finding.as_ref(), 2)?;
    let body = Happened::Decision {
        kind: kind.to_owned(),
        value: value.to_owned(),
        subject: subject.to_owned(),
        count: 1,
        who: by.who.to_owned(),
        comment: comment.to_owned(),
        expires: expires.map(|t| t.to_string()),
        code: code.clone(),
        device: text(device, 0)?,
        device_name: text(device, 1)?,
    };
    Ok(Row {
        kind: "decision",
        code,
        verdict: finding.as_ref().map(|r| Ok::<_, StoreError>(r.opt_text(3)?.unwrap_or(NO_VERDICT).to_owned())).transpose()?,
        was_verdict: None,
        severity: finding.as_ref().map_or(Ok(ALWAYS), |r| r.int(4))?,
        body: packed(&body)?,
    })
}

/// What somebody decided about many things at once: each, or one event where they are more than [`EACH`].
pub(crate) async fn many_decided(
    tx: &mut Tx,
    by: By<'_>,
    subjects: &[String],
    (what, kind, value): (&str, &str, &str),
    comment: &str,
    expires: Option<Time>,
) -> Result<(), StoreError> {
    if kind != "state" || subjects.is_empty() || !open(tx).await? {
        return Ok(());
    }
    let mut rows = Vec::new();
    if subjects.len() > EACH {
        let body = Happened::Decision {
            kind: kind.to_owned(),
            value: value.to_owned(),
            subject: what.to_owned(),
            count: subjects.len() as u64,
            who: by.who.to_owned(),
            comment: comment.to_owned(),
            expires: expires.map(|t| t.to_string()),
            code: None,
            device: None,
            device_name: None,
        };
        rows.push(Row { kind: "decision", code: None, verdict: None, was_verdict: None, severity: ALWAYS, body: packed(&body)? });
    } else {
        for subject in subjects {
            rows.push(of_one(tx, by, (subject, kind, value), comment, expires).await?);
        }
    }
    append(tx, by.at, rows).await
}

/// That a waiver was approved or revoked.
pub(crate) async fn waiver_settled(
    tx: &mut Tx,
    by: By<'_>,
    waiver: &KeptWaiver,
    state: WaiverState,
    comment: &str,
) -> Result<(), StoreError> {
    if !open(tx).await? {
        return Ok(());
    }
    let body = Happened::Decision {
        kind: "waiver".to_owned(),
        value: state.name().to_owned(),
        subject: waiver.id.clone(),
        count: 1,
        who: by.who.to_owned(),
        comment: if comment.is_empty() { waiver.proposal.reason.clone() } else { comment.to_owned() },
        expires: Some(waiver.proposal.until.clone()),
        code: Some(waiver.proposal.code.clone()),
        device: None,
        device_name: None,
    };
    // A rule and nothing else: whom its findings concern is not said yet.
    append(tx, by.at, vec![Row { kind: "decision", code: None, verdict: None, was_verdict: None, severity: ALWAYS, body: packed(&body)? }])
        .await
}

/// That a mute was made or withdrawn: `(id, code, what)` and `(reason, end)`.
pub(crate) async fn muted(
    tx: &mut Tx,
    by: By<'_>,
    (id, code, what): (&str, &str, &str),
    (comment, ends): (&str, Time),
) -> Result<(), StoreError> {
    if !open(tx).await? {
        return Ok(());
    }
    let body = Happened::Decision {
        kind: "mute".to_owned(),
        value: what.to_owned(),
        subject: id.to_owned(),
        count: 1,
        who: by.who.to_owned(),
        comment: comment.to_owned(),
        expires: Some(ends.to_string()),
        code: Some(code.to_owned()),
        device: None,
        device_name: None,
    };
    append(tx, by.at, vec![Row { kind: "decision", code: None, verdict: None, was_verdict: None, severity: ALWAYS, body: packed(&body)? }])
        .await
}
