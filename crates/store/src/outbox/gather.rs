//! What an answer made of findings, gathered while it is written.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde_json::Value as Json;
use umbilical_core::answer::Device;
use umbilical_core::finding::Finding;

use super::happened::slim;
use super::sinks::{NO_VERDICT, SEVERITIES};
use super::{ALWAYS, EACH, Happened, Row, Tally, Turn, append, open, packed};
use crate::db::{Tx, sql};
use crate::{Changes, StoreError, Time, pack};

/// Kinds of findings that a summary names; the rest are counted in its sum.
const NAMED: usize = 100;

/// A finding as it was, or is: what tells whether anybody need hear of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen<'a> {
    pub code: &'a str,
    pub verdict: Option<&'a str>,
    pub severity: i64,
}

impl Seen<'_> {
    /// What passed is no reason to look.
    fn open(&self) -> bool {
        self.verdict != Some("pass")
    }
}

/// A finding of which something became, before it is known which device it is about.
pub(crate) struct Turned {
    turn: Turn,
    finding: Finding,
    code: String,
    severity: i64,
    verdict: String,
    was_verdict: Option<String>,
}

/// Gathers the events of an answer.
pub(crate) struct Gather {
    on: bool,
    first: bool,
    counts: BTreeMap<(Turn, i64, String), u64>,
    /// By severity; one of which there are more than [`EACH`] is counted alone.
    rows: [Vec<(u64, Row)>; 5],
    /// The place of the next among all.
    next: u64,
    over: [bool; 5],
    /// Whether a finding of a body was accepted.
    accepted: FxHashMap<i64, bool>,
}

impl Gather {
    pub async fn load(tx: &mut Tx, first: bool) -> Result<Self, StoreError> {
        Ok(Self {
            on: open(tx).await?,
            first,
            counts: BTreeMap::new(),
            rows: Default::default(),
            next: 0,
            over: [false; 5],
            accepted: FxHashMap::default(),
        })
    }

    /// Whether anything is gathered.
    pub fn on(&self) -> bool {
        self.on
    }

    /// What became of a finding that was `before` and is `now`; counts it. `None` where nobody need hear of it.
    pub fn turn(&mut self, before: Option<Seen<'_>>, now: Option<Seen<'_>>, accepted: bool) -> Option<Turn> {
        if !self.on {
            return None;
        }
        let (was, is) = (before.filter(Seen::open), now.filter(Seen::open));
        let turn = match (was, is) {
            (None, Some(_)) => Turn::New,
            (Some(_), None) => Turn::Gone,
            (Some(a), Some(b)) if (a.verdict, a.severity) != (b.verdict, b.severity) || accepted => Turn::Changed,
            _ => return None,
        };
        let severity = worst(was, is);
        let code = is.or(was).map_or("", |s| s.code);
        *self.counts.entry((turn, severity, code.to_owned())).or_default() += 1;
        Some(turn)
    }

    /// Whether a finding that turned is to be said by itself.
    pub fn wants(&self, before: Option<Seen<'_>>, now: Option<Seen<'_>>) -> bool {
        let severity = worst(before.filter(Seen::open), now.filter(Seen::open));
        self.on && !self.first && !usize::try_from(severity).ok().and_then(|s| self.over.get(s)).is_none_or(|over| *over)
    }

    /// A finding that is to be said by itself.
    pub fn turned(turn: Turn, finding: Finding, before: Option<Seen<'_>>, now: Option<Seen<'_>>) -> Turned {
        let word = |s: Seen<'_>| s.verdict.unwrap_or(NO_VERDICT).to_owned();
        Turned {
            turn,
            code: finding.code.clone().into_owned(),
            severity: worst(before.filter(Seen::open), now.filter(Seen::open)),
            verdict: now.or(before).map_or_else(|| NO_VERDICT.to_owned(), word),
            was_verdict: before.map(word),
            finding,
        }
    }

    /// Keeps findings of one device.
    pub fn keep(&mut self, device: Option<Device>, turned: Vec<Turned>) -> Result<(), StoreError> {
        let device = device.map(slim);
        for one in turned {
            let place = usize::try_from(one.severity).ok();
            let Some((rows, over)) = place.and_then(|p| Some((self.rows.get_mut(p)?, self.over.get_mut(p)?))) else { continue };
            if rows.len() >= EACH {
                (*over, *rows) = (true, Vec::new());
            }
            if *over {
                continue;
            }
            let body = Happened::Finding { turn: one.turn, finding: Box::new(one.finding), device: device.clone() };
            let row = Row {
                kind: one.turn.name(),
                code: Some(one.code),
                verdict: Some(one.verdict),
                was_verdict: one.was_verdict,
                severity: one.severity,
                body: packed(&body)?,
            };
            rows.push((self.next, row));
            self.next = self.next.saturating_add(1);
        }
        Ok(())
    }

    /// Whether the finding behind a body was accepted.
    pub async fn was_accepted(&mut self, tx: &mut Tx, body: i64) -> Result<bool, StoreError> {
        if let Some(known) = self.accepted.get(&body) {
            return Ok(*known);
        }
        let doc = tx.first(sql!("SELECT doc FROM finding_body WHERE n = $1", body)).await?;
        let finding: Option<Finding> = doc.map(|row| pack::unpack_json(row.blob(0)?)).transpose()?;
        let known = finding.is_some_and(|f| accepted(&f.detail));
        self.accepted.insert(body, known);
        Ok(known)
    }

    /// Writes what was gathered: of the worst severities as many as are [`EACH`] together one by one, the rest in one summary.
    pub async fn finish(&mut self, tx: &mut Tx, at: Time, changes: &Changes) -> Result<(), StoreError> {
        if !self.on {
            return Ok(());
        }
        let of = |severity: i64| self.counts.iter().filter(move |((_, s, _), _)| *s == severity).map(|(_, n)| *n).sum::<u64>();
        let (mut left, mut least) = (if self.first { 0 } else { EACH as u64 }, 5);
        for severity in (0..5).rev() {
            match left.checked_sub(of(severity)) {
                Some(rest) if !self.first => (left, least) = (rest, severity),
                _ => break,
            }
        }
        let mut rows: Vec<(u64, Row)> = Vec::new();
        for (_, list) in (0i64..5).zip(&mut self.rows).filter(|(severity, _)| *severity >= least) {
            rows.append(list);
        }
        // What became of one device stands together.
        rows.sort_by_key(|(place, _)| *place);
        let mut rows: Vec<Row> = rows.into_iter().map(|(_, row)| row).collect();
        let rest: Vec<((Turn, i64, String), u64)> =
            std::mem::take(&mut self.counts).into_iter().filter(|((_, severity, _), _)| *severity < least).collect();
        if self.first || !rest.is_empty() {
            rows.push(summary(changes, rest)?);
        }
        append(tx, at, rows).await
    }
}

fn worst(a: Option<Seen<'_>>, b: Option<Seen<'_>>) -> i64 {
    a.into_iter().chain(b).map(|s| s.severity).max().unwrap_or(0)
}

/// Whether a finding is accepted by a waiver that holds.
pub(crate) fn accepted(detail: &Json) -> bool {
    detail.pointer("/waiver/expired").and_then(Json::as_bool) == Some(false)
}

fn summary(changes: &Changes, mut rest: Vec<((Turn, i64, String), u64)>) -> Result<Row, StoreError> {
    let findings = rest.iter().map(|(_, n)| *n).sum();
    rest.sort_by(|(a, n), (b, m)| (m, b.1, &a.2, a.0).cmp(&(n, a.1, &b.2, b.0)));
    let tallies = rest.into_iter().take(NAMED).map(|((turn, severity, code), count)| {
        let severity = usize::try_from(severity).ok().and_then(|s| SEVERITIES.get(s)).copied().unwrap_or_default().to_owned();
        Tally { turn, severity, code, count }
    });
    let body = Happened::Summary {
        answer: changes.answer,
        first: changes.first,
        devices: [changes.new, changes.changed, changes.gone],
        findings,
        tallies: tallies.collect(),
    };
    Ok(Row { kind: "summary", code: None, verdict: None, was_verdict: None, severity: ALWAYS, body: packed(&body)? })
}
