//! One document to one reply: which questionnaire, which questions, what was said, which parts.

use std::sync::OnceLock;

use rustc_hash::FxHashMap;
use umbilical_core::Day;
use umbilical_core::answer::suppliers::{PART_COLUMNS, PartAnswered, PartRow, Sheet, Status};
use umbilical_core::text::{short, squash};
use umbilical_knowledge::{Expects, Knowledge, Question, Template};

use super::columns::{self, MARK};
use super::said;

/// How many problems are kept of one reply; the rest are counted.
const MAX_PROBLEMS: usize = 200;

/// What one reply says to one question.
#[derive(Clone, Debug)]
pub struct Line {
    /// The question's id.
    pub id: String,
    /// What was said.
    pub status: Status,
    /// The answer as written; empty = none.
    pub answer: String,
    /// Why it is withheld.
    pub reason: String,
    /// What is attached.
    pub evidence: String,
    /// Who answers.
    pub who: String,
    /// The day written beside it.
    pub date: Option<Day>,
    /// Where it stands.
    pub at: String,
}

/// One document as read: a reply, or a questionnaire that was sent.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Index into the inputs.
    pub input: u32,
    /// As the user named it.
    pub path: String,
    /// Its questionnaire id, where it still carries it.
    pub questionnaire: Option<String>,
    /// The form of the questions.
    pub template: &'static Template,
    /// Who answers.
    pub supplier: Option<String>,
    /// The product asked about.
    pub device: Option<String>,
    /// By when.
    pub due: Option<Day>,
    /// The questions that were asked, where the document says so.
    pub asked: Option<Vec<String>>,
    /// What was said, in the order of the form; each question once.
    pub lines: Vec<Line>,
    /// The parts listed.
    pub parts: Vec<PartAnswered>,
    /// What could not be understood: place, what and what to do.
    pub problems: Vec<(String, String)>,
}

impl Reply {
    /// The newest day written in it.
    pub fn date(&self) -> Option<Day> {
        self.lines.iter().filter_map(|l| l.date).max()
    }

    /// A place with the path before it.
    pub fn place(&self, at: &str) -> String {
        format!("{} {at}", self.path)
    }

    fn say(&mut self, at: String, what: impl Into<String>) {
        self.problems.push((at, what.into()));
    }
}

/// Reads a document as a reply.
///
/// # Errors
/// Nothing in it is of a questionnaire: why, and what to do.
pub fn read(kb: &Knowledge, input: u32, path: &str, sheets: &[Sheet]) -> Result<Reply, String> {
    let about = About::of(sheets);
    let named = about.get("template").and_then(|t| Form::get(&t));
    let hits = |f: &Form| sheets.iter().map(|s| f.hits(s)).fold(0usize, usize::saturating_add);
    let best = || Form::all().iter().map(|f| (hits(f), f)).filter(|(n, _)| *n > 0).max_by_key(|(n, _)| *n).map(|(_, f)| f);
    // A list of parts by itself, or a reply in which nothing but the questionnaire's id is left.
    let any_parts = || sheets.iter().any(|s| columns::parts(s).at.iter().flatten().count() >= 6);
    let fallback = || (about.questionnaire.is_some() || any_parts()).then(|| Form::get("hbom")).flatten();
    let Some(form) = named.or_else(best).or_else(fallback) else {
        return Err("this is no reply to a questionnaire: it has neither a questionnaire's id nor the ids or words of its questions. \
                    Name the file that the supplier sent back, or ask with `umbilical bom ask`"
            .into());
    };
    let template = form.template;
    let mut reply = Reply {
        input,
        path: path.to_owned(),
        questionnaire: about.questionnaire.clone(),
        template,
        supplier: about.get("supplier"),
        device: about.get("device"),
        due: about.get("due").and_then(|d| said::day(&d)),
        asked: about.asked(form),
        lines: Vec::new(),
        parts: Vec::new(),
        problems: Vec::new(),
    };
    if let Some(version) = about.get("template_version").and_then(|v| v.parse::<u32>().ok()).filter(|v| *v != template.version) {
        let what = format!(
            "asked with version {version} of the form {}, read with version {}: questions are matched by their ids",
            template.id, template.version
        );
        reply.say("file".into(), what);
    }
    for sheet in sheets {
        if form.hits(sheet) > 0 {
            questions(kb, &mut reply, form, sheet);
        } else {
            let found = columns::parts(sheet);
            if found.told && found.at.iter().flatten().count() >= 4 {
                parts(kb, &mut reply, sheet, &found);
            }
        }
    }
    let order = |id: &str| template.questions.iter().position(|q| q.id == id);
    reply.lines.sort_by_key(|l| order(&l.id));
    if let Some(more) = reply.problems.len().checked_sub(MAX_PROBLEMS).filter(|n| *n > 0) {
        reply.problems.truncate(MAX_PROBLEMS);
        reply.say("file".into(), format!("and {more} more problems in this reply"));
    }
    Ok(reply)
}

/// What the sheet about the questionnaire says.
struct About {
    questionnaire: Option<String>,
    values: Vec<(String, String)>,
}

impl About {
    /// Keys are machine words that nobody translates: `#supplier` in any cell, its value in the next filled one.
    fn of(sheets: &[Sheet]) -> Self {
        let mut about = Self { questionnaire: None, values: Vec::new() };
        for sheet in sheets {
            let own_form = sheet.name == "about" && sheet.unit == "about item";
            for (_, row) in &sheet.rows {
                let id = row.iter().map(|c| c.trim()).find(|c| is_id(c));
                if let Some(id) = id.filter(|_| about.questionnaire.is_none()) {
                    about.questionnaire = Some(id.to_owned());
                }
                let mut filled = row.iter().map(|c| c.trim()).filter(|c| !c.is_empty());
                let key = filled.next().and_then(|k| k.strip_prefix(MARK).or(own_form.then_some(k)));
                if let (Some(key), Some(value)) = (key, filled.next()) {
                    about.values.push((key.trim().to_lowercase(), said::text(value)));
                }
            }
        }
        about
    }

    fn get(&self, key: &str) -> Option<String> {
        let long = format!("{key}_id");
        self.values.iter().find(|(k, v)| (*k == key || *k == long) && !v.is_empty()).map(|(_, v)| v.clone())
    }
}

impl About {
    /// The questions that were asked: listed, or those of the tiers that are.
    fn asked(&self, form: &Form) -> Option<Vec<String>> {
        let listed = self.get("questions").map(|q| ids(form, &q)).filter(|ids| !ids.is_empty());
        let of_tiers = || {
            let tiers = self.get("tiers")?;
            let asked = |q: &&Question| q.tier.is_none_or(|t| tiers.split([';', ' ', ',']).any(|word| word == t.name()));
            Some(form.template.questions.iter().filter(asked).map(|q| q.id.clone()).collect())
        };
        listed.or_else(of_tiers)
    }
}

fn is_id(cell: &str) -> bool {
    cell.strip_prefix("ask-").is_some_and(|hex| hex.len() == 12 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn ids(form: &Form, text: &str) -> Vec<String> {
    let known = |w: &str| form.by_id(w).map(|q| q.id.clone());
    text.split([';', ',', ' ']).filter_map(known).collect()
}

/// A form with its questions by id and by words.
struct Form {
    template: &'static Template,
    ids: FxHashMap<String, &'static Question>,
    texts: FxHashMap<String, &'static Question>,
}

impl Form {
    fn all() -> &'static [Self] {
        static ALL: OnceLock<Vec<Form>> = OnceLock::new();
        ALL.get_or_init(|| {
            let form = |template: &'static Template| Self {
                template,
                ids: template.questions.iter().map(|q| (squash(&q.id), q)).collect(),
                texts: template.questions.iter().map(|q| (squash(&q.text), q)).collect(),
            };
            Template::all().iter().map(form).collect()
        })
    }

    fn get(id: &str) -> Option<&'static Self> {
        Self::all().iter().find(|f| f.template.id == id)
    }

    fn by_id(&self, cell: &str) -> Option<&'static Question> {
        // The longest id has a handful of characters: long cells are no ids.
        (cell.len() <= 16 && cell.len() >= 4).then(|| self.ids.get(&squash(cell)).copied()).flatten()
    }

    fn by_text(&self, cell: &str) -> Option<&'static Question> {
        (20..=600).contains(&cell.len()).then(|| self.texts.get(&squash(cell)).copied()).flatten()
    }

    fn names(&self, cell: &str) -> bool {
        self.by_id(cell).is_some() || self.by_text(cell).is_some()
    }

    /// In how many rows a question stands.
    fn hits(&self, sheet: &Sheet) -> usize {
        sheet.rows.iter().filter(|(_, row)| row.iter().any(|c| self.names(c))).count()
    }
}

/// Where the columns are when headings do not say: the statuses by what stands in them, the answer as the first column
/// behind them that is filled and not told.
fn by_content(found: &mut columns::Found, form: &Form, sheet: &Sheet) {
    let column = |key: &str| columns::QUESTION_COLUMNS.iter().position(|(k, _)| *k == key);
    let width = sheet.rows.iter().map(|(_, r)| r.len()).max().unwrap_or(0);
    let rows = || sheet.rows.iter().map(|(_, r)| r).filter(|r| r.iter().any(|c| form.names(c)));
    let most = |says: &dyn Fn(&str) -> bool, taken: &[Option<usize>]| {
        let count = |at: usize| rows().filter(|r| r.get(at).is_some_and(|c| says(c.trim()))).count();
        let free = (0..width).filter(|at| !taken.contains(&Some(*at)));
        free.map(|at| (count(at), at)).filter(|(n, _)| *n > 0).max_by_key(|(n, at)| (*n, std::cmp::Reverse(*at))).map(|(_, at)| at)
    };
    let mut fill = |key: &str, says: &dyn Fn(&str) -> bool| {
        let Some(slot) = column(key) else { return };
        if found.at.get(slot).is_some_and(Option::is_none) {
            let at = most(says, &found.at);
            if let Some(place) = found.at.get_mut(slot) {
                *place = at;
            }
        }
    };
    fill("id", &|c| form.by_id(c).is_some());
    fill("question", &|c| form.by_text(c).is_some());
    let whole_status = |c: &str| c.len() <= 24 && said::status(c).is_some();
    fill("status", &whole_status);
    // What we wrote ourselves is no answer.
    let ours = |c: &str| {
        form.template.questions.iter().any(|q| q.why == c || q.section == c || q.field.as_deref() == Some(c) || q.expects.to_string() == c)
    };
    fill("answer", &|c| !c.is_empty() && !ours(c) && said::day(c).is_none());
}

fn questions(kb: &Knowledge, reply: &mut Reply, form: &Form, sheet: &Sheet) {
    let mut found = columns::questions(sheet);
    by_content(&mut found, form, sheet);
    let column = |key: &str| columns::QUESTION_COLUMNS.iter().position(|(k, _)| *k == key).unwrap_or(usize::MAX);
    let get = |row: &[String], key: &str| said::text(found.cell(row, column(key)));
    for (n, row) in &sheet.rows {
        let at = sheet.at(*n);
        let question = form
            .by_id(found.cell(row, column("id")))
            .or_else(|| form.by_text(found.cell(row, column("question"))))
            .or_else(|| row.iter().find_map(|c| form.by_id(c)));
        let Some(question) = question else {
            let answer = get(row, "answer");
            if found.below.is_some_and(|b| *n > b) && !answer.is_empty() {
                let what = format!("`{}` stands beside no question of the form: kept in the reply, not counted", short(&answer, 60));
                reply.say(at, what);
            }
            continue;
        };
        let line = line(kb, reply, question, at, |key| get(row, key));
        keep(reply, line);
    }
}

fn line(kb: &Knowledge, reply: &mut Reply, question: &Question, at: String, get: impl Fn(&str) -> String) -> Line {
    let (typed, mut answer, mut reason) = (get("status"), get("answer"), get("reason"));
    let mut status = said::status(&typed);
    if status.is_none() && !typed.is_empty() {
        let what = format!(
            "status `{}` is none of disclosed, withheld, unknown, not-applicable: read from the answer beside it",
            short(&typed, 40)
        );
        reply.say(at.clone(), what);
    }
    let says_nothing = said::empty_answer(&answer);
    if let (None | Some(Status::Disclosed), Some(nothing)) = (status, says_nothing) {
        status = Some(nothing);
        if nothing == Status::Withheld && reason.is_empty() {
            reason = std::mem::take(&mut answer);
        }
    }
    let status = match status {
        Some(Status::Disclosed) if answer.is_empty() => {
            reply.say(at.clone(), format!("{} says `disclosed` and holds no answer", question.id));
            Status::Unanswered
        }
        Some(Status::NotApplicable) if question.always => {
            let what = format!("{} concerns every product with a module: `not-applicable` is no answer to it", question.id);
            reply.say(at.clone(), what);
            Status::Unanswered
        }
        Some(status) => status,
        None if !answer.is_empty() => Status::Disclosed,
        None if !reason.is_empty() => Status::Withheld,
        None => Status::Unanswered,
    };
    if status == Status::Disclosed
        && let Some(wanted) = misfit(kb, question.expects, &answer)
    {
        reply.say(at.clone(), format!("{}: `{}` is not {wanted}: kept, not compared", question.id, short(&answer, 60)));
    }
    let written = get("date");
    let date = said::day(&written);
    if date.is_none() && !written.is_empty() {
        let what = format!("`{}` is no day that can be read for sure: write YYYY-MM-DD", short(&written, 30));
        reply.say(at.clone(), what);
    }
    Line { id: question.id.clone(), status, answer, reason, evidence: get("evidence"), who: get("who"), date, at }
}

/// What an answer should have been, where it is not.
fn misfit(kb: &Knowledge, expects: Expects, answer: &str) -> Option<&'static str> {
    let fits = match expects {
        Expects::Country => !kb.countries_named(answer).is_empty(),
        Expects::YesNo => said::yes(answer).is_some(),
        // "End of 2030" and "supported until 2031-06" are answers.
        Expects::Date => answer.bytes().filter(u8::is_ascii_digit).count() >= 4,
        Expects::Percentage => said::percent(answer).is_some(),
        Expects::Text | Expects::Org | Expects::PartNumber | Expects::FccId => true,
    };
    (!fits).then_some(match expects {
        Expects::Country => "a country: write its name or ISO 3166 code",
        Expects::YesNo => "yes or no",
        Expects::Date => "a day: write YYYY-MM-DD",
        _ => "a share between 0 and 100 percent",
    })
}

/// A question that stands twice: the filled line counts, of two filled ones the later.
fn keep(reply: &mut Reply, line: Line) {
    let Some(before) = reply.lines.iter().position(|l| l.id == line.id) else {
        reply.lines.push(line);
        return;
    };
    let Some(old) = reply.lines.get_mut(before) else { return };
    if line.status == Status::Unanswered {
        return;
    }
    let differ = old.status != Status::Unanswered && (old.status != line.status || squash(&old.answer) != squash(&line.answer));
    let what = format!("{} is answered here and at {} otherwise: the later one counts", line.id, old.at);
    let at = line.at.clone();
    *old = line;
    if differ {
        reply.say(at, what);
    }
}

fn parts(kb: &Knowledge, reply: &mut Reply, sheet: &Sheet, found: &columns::Found) {
    for (n, row) in sheet.rows.iter().filter(|(n, _)| found.below.is_none_or(|b| *n > b)) {
        let mut part = PartRow::default();
        for (at, column) in PART_COLUMNS.iter().enumerate() {
            part.set(column.key, &said::text(found.cell(row, at)));
        }
        // A row of headings that was pasted again, or one with our words alone.
        let empty = part.open() == PART_COLUMNS.len();
        let at = sheet.at(*n);
        if empty {
            continue;
        }
        let site = part.get("site_country");
        if !site.is_empty() && said::empty_answer(site).is_none() && kb.countries_named(site).is_empty() {
            let what = format!("`{}` is not a country: write its name or ISO 3166 code", short(site, 60));
            reply.say(at.clone(), what);
        }
        reply.parts.push(PartAnswered { input: reply.input, at, row: part });
    }
}
