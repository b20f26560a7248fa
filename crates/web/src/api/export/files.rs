//! Files of a fleet and of findings in the formats of the command line, of what fits a query.
//!
//! Devices stand in the order of an answer (cellular, unknown, not cellular, each by id), findings with the worst in front. What
//! is written is one answer: where another comes in between, the file is cut.

use std::collections::BTreeMap;
use std::io::{self, Write};

use tokio::runtime::Handle;
use umbilical_assess::trace::stamp;
use umbilical_core::answer::{Device, KnowledgeStamp};
use umbilical_core::finding::Finding;
use umbilical_core::observation::Input;
use umbilical_report::event::{Event, Kind, Moment, Out};
use umbilical_report::sarif;
use umbilical_store::query::Query;
use umbilical_store::{FindingRow, Many, Page, Scope, Store, StoreError};

use super::TOGETHER;
use crate::Problem;
use crate::app::App;
use crate::download::{Pipe, wait};
use crate::leave::{Devices, Findings, Named};
use crate::who::Who;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The order of an answer.
const ORDER: [&str; 3] = ["yes", "unknown", "no"];

/// Takes a finding, its device, and the files that the device rests on.
type EachFinding<'a> = dyn FnMut(&FindingRow, Option<&Device>, &[Input]) -> io::Result<()> + 'a;

/// What is written, and of which answer.
pub struct File {
    store: Store,
    scope: Scope,
    query: Query,
    answer: i64,
    knowledge: KnowledgeStamp,
    as_of: String,
}

impl File {
    /// Of the answer that stands; before the first there is an empty fleet of today.
    pub async fn of(app: &App, who: &Who, query: Query) -> Result<Self, Problem> {
        // Its number, day and knowledge are no secret; its counts are not looked at.
        let stands = app.store().answer(&Scope::MASKED).await?;
        let (answer, as_of, knowledge) = match stands {
            Some((row, audit)) => (row.n, audit.as_of, audit.knowledge),
            None => (0, app.today().to_string(), stamp(app.knowledge(), app.today())),
        };
        Ok(Self { store: app.store().clone(), scope: who.scope.clone(), query, answer, knowledge, as_of })
    }

    /// `umbilical-devices-2026-11-30.csv`
    pub fn name(&self, what: &str, ending: &str) -> String {
        format!("umbilical-{what}-{}.{ending}", self.as_of)
    }

    /// Refuses what is more than a format is written of.
    pub async fn bounded(&self, many: Many, format: Named, most: Option<u64>) -> Result<(), Problem> {
        let Some(most) = most else { return Ok(()) };
        let count = self.store.count_many(&self.scope, many, &self.query).await?;
        if count <= most {
            return Ok(());
        }
        let label = format.label;
        Err(Problem::invalid(format!("{count} rows fit, and {label} is written of {most} at most: narrow the query, or take csv or jsonl")))
    }

    /// Whether the answer is still the one that the file began with.
    fn same(&self, runtime: &Handle) -> io::Result<()> {
        let now = wait(runtime, self.store.answer(&Scope::MASKED))?.map_or(0, |(row, _)| row.n);
        if now == self.answer { Ok(()) } else { Err(io::Error::other("the fleet was answered anew meanwhile")) }
    }

    /// Writes devices.
    pub fn devices(&self, format: Devices, pipe: &mut Pipe, runtime: &Handle) -> io::Result<()> {
        let mut to = format.open(pipe, &self.as_of, VERSION)?;
        for cellular in ORDER {
            let text = self.query.text();
            let narrowed = if text.is_empty() { format!("cellular:{cellular}") } else { format!("({text}) cellular:{cellular}") };
            let query = Query::parse(&narrowed).map_err(io::Error::other)?;
            let mut after: Option<String> = None;
            loop {
                let page = Page { after: after.as_deref(), limit: TOGETHER, sort: Some("id") };
                let listed = wait(runtime, self.store.devices(&self.scope, &query, page))?;
                let ids: Vec<String> = listed.rows.into_iter().map(|row| row.id).collect();
                for kept in wait(runtime, self.store.devices_whole(&self.scope, &ids))? {
                    to.device(&kept.device)?;
                }
                after = listed.next;
                if after.is_none() {
                    break;
                }
            }
        }
        self.same(runtime)?;
        to.finish()
    }

    /// Writes findings.
    pub fn findings(&self, format: Findings, pipe: &mut Pipe, runtime: &Handle) -> io::Result<()> {
        match format.one_by_one() {
            Some(one) => {
                let at = Moment::end_of(self.as_of.parse().map_err(|e| io::Error::other(format!("{}: {e}", self.as_of)))?);
                let mut to = Out::new(one, pipe, VERSION)?;
                self.each_finding(runtime, &mut |row, device, _| to.event(&Event { finding: &row.finding, device, kind: Kind::New, at }))?;
                self.same(runtime)?;
                to.finish()
            }
            None => self.sarif(pipe, runtime),
        }
    }

    /// SARIF has the rules before the results, so the findings are held. Files are those that the devices rest on.
    fn sarif(&self, pipe: &mut dyn Write, runtime: &Handle) -> io::Result<()> {
        let mut findings: Vec<Finding> = Vec::new();
        let mut files: BTreeMap<String, Input> = BTreeMap::new();
        self.each_finding(runtime, &mut |row, _, inputs| {
            for input in inputs {
                files.entry(input.path.clone()).or_insert_with(|| input.clone());
            }
            findings.push(row.finding.clone());
            Ok(())
        })?;
        self.same(runtime)?;
        let run = sarif::Run {
            version: VERSION,
            as_of: &self.as_of,
            knowledge: &self.knowledge,
            inputs: &files.into_values().collect::<Vec<_>>(),
            problems: &[],
            successful: true,
            findings: &findings,
        };
        sarif::write(pipe, &run)
    }

    /// Every finding that fits, with its device whole and the files that the device rests on.
    fn each_finding(&self, runtime: &Handle, each: &mut EachFinding<'_>) -> io::Result<()> {
        let mut after: Option<String> = None;
        loop {
            let page = Page { after: after.as_deref(), limit: TOGETHER, sort: None };
            let listed = wait(runtime, self.store.findings(&self.scope, &self.query, page))?;
            let devices = wait(runtime, self.about(&listed.rows))?;
            for row in &listed.rows {
                let about = row.device.as_ref().and_then(|(id, _)| devices.get(id));
                each(row, about.map(|(d, _)| d), about.map_or(&[], |(_, inputs)| inputs))?;
            }
            after = listed.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// The devices that findings are about, by id.
    async fn about(&self, rows: &[FindingRow]) -> Result<BTreeMap<String, (Device, Vec<Input>)>, StoreError> {
        let mut ids: Vec<String> = rows.iter().filter_map(|r| Some(r.device.as_ref()?.0.clone())).collect();
        ids.sort_unstable();
        ids.dedup();
        let kept = self.store.devices_whole(&self.scope, &ids).await?;
        let with = kept.into_iter().map(|kept| {
            let inputs = kept.inputs.into_iter().map(|i| Input {
                path: i.path,
                format: i.format,
                sha256: i.sha256,
                observations: 0,
                bytes: 0,
                mapping: Vec::new(),
            });
            (kept.device.id.clone(), (kept.device, inputs.collect()))
        });
        Ok(with.collect())
    }
}
