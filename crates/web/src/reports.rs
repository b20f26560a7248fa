//! Reports made from what is kept: drafts from documents, and the fleet on one page, as the command line makes them.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;

use axum::http::StatusCode;
use tokio::runtime::Handle;
use umbilical_assess::draft::{self, Draft};
use umbilical_assess::{Fleet, Options, bom};
use umbilical_core::answer::counts::RuleCounts;
use umbilical_core::answer::policy::Judged;
use umbilical_core::answer::report::Report;
use umbilical_core::{Day, Observations};
use umbilical_evidence::Purpose;
use umbilical_report::{View, document, html, json};
use umbilical_store::Scope;

use crate::Problem;
use crate::app::{App, Judging};
use crate::download::Pipe;
use crate::ingest::{Folder, no_room};
use crate::law::Question;
use crate::leave::Named;
use crate::packing::Bytes;
use crate::record::{self, Reading, Upload};

/// Documents of one draft.
const MOST_DOCUMENTS: usize = 20;
/// Bytes of them together.
const MOST_BYTES: u64 = 64 << 20;

/// The form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A page to print.
    Html,
    /// Plain text.
    Text,
    /// One document.
    Json,
}

impl Form {
    /// The form of a word.
    pub fn of(word: &str) -> Result<Self, Problem> {
        match word {
            "html" | "" => Ok(Self::Html),
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(Problem { allowed: ["html", "text", "json"].map(str::to_owned).into(), ..Problem::invalid("there is no such form") }),
        }
    }

    /// What a file of it is.
    pub fn named(self) -> Named {
        let [name, media, ending] = match self {
            Self::Html => ["html", "text/html; charset=utf-8", "html"],
            Self::Text => ["text", "text/markdown; charset=utf-8", "md"],
            Self::Json => ["json", "application/json", "json"],
        };
        Named { name, label: name, media, ending }
    }
}

/// What is asked of a draft.
pub struct Wanted {
    /// Which report.
    pub id: String,
    /// What its writer says, by name.
    pub set: Vec<(String, String)>,
    /// Artefacts that are the documents.
    pub documents: Vec<String>,
    /// The deal and the day.
    pub question: Question,
}

/// Makes a draft.
pub async fn draft(app: &App, wanted: Wanted) -> Result<Report, Problem> {
    let template = draft::template(&wanted.id).map_err(Problem::missing)?;
    let names = draft::asked(&template);
    let mut set: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in &wanted.set {
        if !names.contains(name) {
            let what = format!("`{}` does not ask for `{}`", template.id, umbilical_core::text::short(name, 60));
            return Err(Problem { allowed: names, ..Problem::invalid(what) });
        }
        let value = umbilical_core::text::clean(value.trim());
        if !value.is_empty() {
            set.insert(name.clone(), value.into_owned());
        }
    }
    let needs = draft::needs_documents(&template);
    if needs && wanted.documents.is_empty() {
        return Err(Problem::invalid("no document to report on: name one or more artefacts that are bills of materials"));
    }
    let law = app.config().law.clone().ok_or_else(|| Problem::missing("this server has no rules of law"))?;
    let mut question = wanted.question;
    if question.packs.is_empty() {
        question.packs.clone_from(&template.packs);
    }
    let said = std::mem::take(&mut question.say);
    question.say = draft::said(&template, &set).into_iter().chain(said).collect();
    question.as_said = template.needs_fail;
    let all = if needs { documents(app, &wanted.documents).await? } else { Observations::new() };
    let kb = Arc::clone(app.knowledge());
    let work = move || -> Result<Report, Problem> {
        let check = bom::check(all, &kb, &bom::Options::on(question.as_of));
        if needs && check.files.is_empty() {
            return Err(Problem::invalid("none of these documents is a bill of materials, so there is nothing to report on"));
        }
        let mut made = None;
        let answered = law.ask(&kb, &question, &mut |asking| {
            let judged: Vec<Judged> = check.projects.iter().map(|p| (asking.product)(&check, p)).collect();
            let law = asking.stamp;
            made = Draft { template: &template, set: &set, check: &check, judged: &judged, law, title: asking.title }.make();
        });
        answered.map_err(Problem::invalid)?;
        made.ok_or_else(|| Problem::invalid(format!("{}: say whose market, buyer and money it is", draft::NO_GROUND)))
    };
    tokio::task::spawn_blocking(work).await.map_err(Problem::internal)?
}

/// Reads documents from the evidence anew, as bills of materials.
async fn documents(app: &App, ids: &[String]) -> Result<Observations, Problem> {
    if ids.len() > MOST_DOCUMENTS {
        return Err(Problem::invalid(format!("a report speaks of {MOST_DOCUMENTS} documents at most")));
    }
    let folder = Folder::new(&app.config().home).await?;
    let mut uploads: Vec<Upload> = Vec::new();
    let mut left = MOST_BYTES;
    for (n, id) in ids.iter().enumerate() {
        // The route is for those who see all sites; what they are shown has the numbers of subscribers covered.
        let row = app.store().evidence_by_id(&Scope::ALL, id).await?;
        if !row.kept || row.dropped.iter().any(|d| d == "bytes") {
            return Err(Problem::new(StatusCode::CONFLICT, format!("{}: its bytes are not kept any more", row.name)));
        }
        left = left
            .checked_sub(row.bytes)
            .ok_or_else(|| Problem::invalid(format!("these documents have more than {} MB", MOST_BYTES >> 20)))?;
        let upload = folder.place(n, &row.name).await?;
        let (store, runtime, to) = (app.store().clone(), Handle::current(), upload.path.clone());
        let copy = move || -> io::Result<()> {
            let mut file = std::fs::File::create(to)?;
            io::copy(&mut Bytes::of(&store, &Scope::ALL, &row.id, &runtime), &mut file)?;
            file.flush()
        };
        tokio::task::spawn_blocking(copy).await.map_err(Problem::internal)?.map_err(|e| no_room(&e))?;
        uploads.push(upload);
    }
    let reading = Reading { knowledge: Arc::clone(app.knowledge()), mapping: None };
    let read = move || record::read(&reading, &uploads, Purpose::Bom);
    let read = tokio::task::spawn_blocking(read).await.map_err(Problem::internal)?;
    drop(folder);
    read.map_err(Problem::internal)
}

/// Writes a draft.
pub fn written(report: &Report, form: Form) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    match form {
        Form::Html => document::html(&mut out, report)?,
        Form::Text => document::text(&mut out, report, &View { width: 100, color: false, max_rows: usize::MAX })?,
        Form::Json => json::one(&mut out, report)?,
    }
    Ok(out)
}

/// Answers the whole fleet as of a day from what was observed, as `audit` does, and writes the page or the document.
pub fn fleet(app: &App, all: Observations, as_of: Day, subscribers: bool, form: Form, pipe: &mut Pipe) -> io::Result<()> {
    let kb = app.knowledge();
    let mut all = all;
    bom::as_devices(&mut all, kb, &bom::Options::on(as_of));
    let fleet = Fleet::new(&all, kb, Options { as_of, show_subscribers: subscribers });
    let mut done = Ok(());
    let mut write = |law: Judging<'_>| {
        let mut answer = fleet.audit();
        let each = law.each;
        if law.stamp.is_some() {
            let mut counts = RuleCounts::default();
            for mut device in fleet.devices() {
                each(&mut device);
                counts.add(&device);
            }
            counts.into_answer(&mut answer);
            answer.law = law.stamp;
        }
        let devices = fleet.devices().map(|mut device| {
            each(&mut device);
            device
        });
        done = match form {
            Form::Json => json::audit(pipe, &answer, devices),
            _ => html::audit(pipe, &answer, devices, html::DEVICES),
        };
    };
    match &app.config().judge {
        Some(judge) => judge(as_of, &mut write).map_err(io::Error::other)?,
        None => write(Judging { each: &mut |_| {}, stamp: None }),
    }
    done
}
