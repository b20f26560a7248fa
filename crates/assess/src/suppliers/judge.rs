//! Replies, and what was asked, to one answer for each supplier and product.

use std::collections::BTreeMap;

use umbilical_core::Day;
use umbilical_core::answer::bom::TierKind;
use umbilical_core::answer::suppliers::{
    ANSWER_SCHEMA, Answered, Answers, Change, Counts, ListedName, PART_COLUMNS, PartAnswered, Progress, ReplyStamp, Status, Supplier,
};
use umbilical_core::answer::{Said, Trace};
use umbilical_core::observation::Input;
use umbilical_core::text::squash;
use umbilical_knowledge::{Expects, Knowledge, KnownFact, Template};

use super::compare::{Compare, Stated, Text, organisation};
use super::measure::{self, Measured};
use super::read::Reply;
use super::{ask, findings, said, tiers};

/// Judges replies. `asked` are questionnaires that were sent: with them a supplier that is silent is known.
pub fn answers(kb: &Knowledge, as_of: Day, inputs: Vec<Input>, mut problems: Vec<Said>, replies: Vec<Reply>, asked: Vec<Reply>) -> Answers {
    let mut groups = group(replies, asked, &mut problems);
    for group in groups.values_mut() {
        group.replies.sort_by(|a, b| (a.date(), &a.path).cmp(&(b.date(), &b.path)));
        for reply in group.replies.iter().chain(&group.asked) {
            let located = reply.problems.iter().map(|(at, what)| Said { input: Some(reply.input), at: at.clone(), what: masked(what) });
            problems.extend(located);
        }
    }
    problems.sort_by_key(|p| p.input);
    let mut traces: BTreeMap<String, Trace> = BTreeMap::new();
    let suppliers: Vec<Supplier> = groups.into_values().map(|g| g.judge(kb, as_of, &mut traces)).collect();
    Answers {
        schema: ANSWER_SCHEMA,
        as_of: as_of.to_string(),
        knowledge: crate::trace::stamp(kb, as_of),
        inputs,
        problems,
        suppliers,
        organisations: traces.into_values().collect(),
    }
}

fn masked(what: &str) -> String {
    umbilical_core::number::mask_numbers(&umbilical_core::text::clean(what)).into_owned()
}

/// All that is at hand of one supplier and product.
struct Group {
    supplier: String,
    device: String,
    template: &'static Template,
    asked: Vec<Reply>,
    replies: Vec<Reply>,
}

type Key = (String, String, String);

/// Sorts documents by supplier, product and form. A reply that lost the sheet about itself is known by its questionnaire's id,
/// else by being the only one of its form that was asked.
fn group(replies: Vec<Reply>, asked: Vec<Reply>, problems: &mut Vec<Said>) -> BTreeMap<Key, Group> {
    let known: Vec<(Option<String>, &'static Template, String, String)> = asked
        .iter()
        .chain(&replies)
        .filter_map(|r| Some((r.questionnaire.clone(), r.template, r.supplier.clone()?, r.device.clone().unwrap_or_default())))
        .collect();
    let asked_of: Vec<(&'static Template, Option<String>, Option<String>)> =
        asked.iter().map(|a| (a.template, a.supplier.clone(), a.device.clone())).collect();
    let mut groups: BTreeMap<Key, Group> = BTreeMap::new();
    let sent = asked.into_iter().map(|a| (a, true));
    for (reply, is_asked) in sent.chain(replies.into_iter().map(|r| (r, false))) {
        let by_id = known.iter().find(|(id, ..)| id.is_some() && *id == reply.questionnaire);
        let only = || {
            let mut of_form = asked_of.iter().filter(|(t, ..)| t.id == reply.template.id);
            of_form.next().filter(|_| of_form.next().is_none())
        };
        let (supplier, device) = match (&reply.supplier, by_id) {
            (Some(supplier), _) => (supplier.clone(), reply.device.clone().or_else(|| by_id.map(|k| k.3.clone())).unwrap_or_default()),
            (None, Some((_, _, supplier, device))) => (supplier.clone(), device.clone()),
            (None, None) => match only() {
                Some((_, Some(supplier), device)) => (supplier.clone(), device.clone().unwrap_or_default()),
                _ => {
                    let name = reply.path.rsplit(['/', '\\']).next().unwrap_or(&reply.path);
                    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned();
                    let what = "the reply does not say who answers: the name of the file is taken for the supplier; \
                                name the questionnaire that was sent with --asked";
                    problems.push(Said { input: Some(reply.input), at: "file".into(), what: what.into() });
                    (stem, reply.device.clone().unwrap_or_default())
                }
            },
        };
        let key = (squash(&supplier), squash(&device), reply.template.id.clone());
        let new = || Group { supplier, device, template: reply.template, asked: Vec::new(), replies: Vec::new() };
        let group = groups.entry(key).or_insert_with(new);
        if is_asked { group.asked.push(reply) } else { group.replies.push(reply) }
    }
    groups
}

impl Group {
    fn judge(self, kb: &Knowledge, as_of: Day, traces: &mut BTreeMap<String, Trace>) -> Supplier {
        let due = self.asked.iter().chain(&self.replies).filter_map(|r| r.due).max();
        let sent = self.asked.iter().max_by_key(|a| a.due);
        let asked = self.asked_ids(sent);
        let answers = self.answers(asked.as_deref());
        let parts = self.replies.iter().rev().map(|r| &r.parts).find(|p| !p.is_empty()).cloned().unwrap_or_default();
        // A row that comes back as we had filled it in is our own word, nobody's answer.
        let ours = |p: &PartAnswered| sent.is_some_and(|s| s.parts.iter().any(|o| o.row == p.row));
        let answered: Vec<PartAnswered> = parts.iter().filter(|p| !ours(p)).cloned().collect();
        let paths: BTreeMap<u32, String> = self.replies.iter().map(|r| (r.input, r.path.clone())).collect();
        let path_of = |input: u32| paths.get(&input).cloned().unwrap_or_default();
        let counts = measure::counts(&answers);
        let state = state(&self.replies, counts, due, as_of);
        let tiers = tiers::tiers(kb, as_of, self.template, &answers, &answered, &path_of);

        let mut compare = Compare::new(kb, as_of);
        for module in stated(kb, self.template, &answers, &answered, &path_of) {
            compare.module(&module);
        }
        // What is answered is set against every row: one that nobody corrected disagrees as well.
        if let [asked, listed @ ..] = stated(kb, self.template, &answers, &parts, &path_of).as_slice() {
            let makers: Vec<&Text> = listed.iter().filter_map(|m| m.maker.as_ref()).collect();
            compare.itself("maker of the module", asked.maker.as_ref(), &makers);
            let models: Vec<&Text> = listed.iter().filter_map(|m| m.model.as_ref()).collect();
            compare.itself("part number of the module", asked.model.as_ref(), &models);
        }
        let named = named(kb, self.template, &answers, &answered, &path_of);
        let mut own: Vec<Trace> = Vec::new();
        for (org, _) in &named {
            let trace = traces.entry(org.clone()).or_insert_with(|| crate::trace::trace(kb, org, as_of));
            if !own.iter().any(|t| t.org == *org) {
                own.push(trace.clone());
            }
        }
        if let Some(brand) = said_to(self.template, &answers, KnownFact::Brand, &path_of) {
            let maker = said_to(self.template, &answers, KnownFact::ModuleMaker, &path_of);
            compare.product(&brand, &self.device, maker.as_ref());
        }
        if let Some(nobody) = says_no(self.template, &answers, &path_of) {
            compare.nobody_listed(&nobody, &own);
        }
        let compared = compare.out;
        let listed = listed(&named, &own);
        let measured =
            Measured { state, answers: &answers, tiers: &tiers, contradictions: &compared.contradictions, compared: compared.compared };
        let label = measure::label(&measured);
        let next = measure::next(self.template, &answers);
        let replied = self.replies.iter().filter_map(Reply::date).max();
        let ask_again = measure::ask_again(state, next.is_empty(), due, replied, as_of);
        let mut open_points = compared.open_points;
        if asked.is_none() {
            open_points
                .push("the reply does not say which questions were asked: the whole form counts; name what was sent with --asked".into());
        }
        let history = self.history(&mut open_points);
        let stamps = |r: &Reply| ReplyStamp { input: r.input, path: r.path.clone(), date: r.date().map(|d| d.to_string()) };
        let mut supplier = Supplier {
            coverage: measure::coverage(self.template, &answers, &parts, sent.map(|s| s.parts.as_slice())),
            questionnaire: self.asked.iter().rev().chain(self.replies.iter().rev()).find_map(|r| r.questionnaire.clone()),
            replies: self.replies.iter().map(stamps).collect(),
            template: ask::stamp(self.template),
            supplier: self.supplier,
            device: self.device,
            due: due.map(|d| d.to_string()),
            state,
            counts,
            label,
            tiers,
            answers,
            parts,
            contradictions: compared.contradictions,
            listed,
            open_points,
            history,
            next,
            ask_again,
            findings: Vec::new(),
        };
        supplier.findings = findings::of(&supplier);
        supplier
    }

    /// The questions that were asked: what was sent says so, else the reply. Where neither does, the whole form: a row that is
    /// not there may have been deleted.
    fn asked_ids(&self, sent: Option<&Reply>) -> Option<Vec<String>> {
        if let Some(sent) = sent {
            let rows = || sent.lines.iter().map(|l| l.id.clone()).collect();
            return Some(sent.asked.clone().unwrap_or_else(rows));
        }
        self.replies.iter().rev().find_map(|r| r.asked.clone())
    }

    /// Each question with its newest status that says anything.
    fn answers(&self, asked: Option<&[String]>) -> Vec<Answered> {
        let some = |text: &str| Some(text.to_owned()).filter(|t| !t.is_empty());
        let one = |q: &umbilical_knowledge::Question| {
            let lines = || self.replies.iter().rev().filter_map(|r| Some((r, r.lines.iter().find(|l| l.id == q.id)?)));
            let line = lines().find(|(_, l)| l.status != Status::Unanswered).or_else(|| lines().next());
            let unsaid = if asked.is_none_or(|a| a.contains(&q.id)) { Status::Unanswered } else { Status::NotAsked };
            Answered {
                id: q.id.clone(),
                question: q.text.clone(),
                section: q.section.clone(),
                tier: q.tier,
                weight: q.weight(),
                status: line.map_or(unsaid, |(_, l)| l.status),
                answer: line.and_then(|(_, l)| some(&l.answer)),
                reason: line.and_then(|(_, l)| some(&l.reason)),
                evidence: line.and_then(|(_, l)| some(&l.evidence)),
                who: line.and_then(|(_, l)| some(&l.who)),
                date: line.and_then(|(_, l)| l.date).map(|d| d.to_string()),
                input: line.map(|(r, _)| r.input),
                at: line.map(|(_, l)| l.at.clone()),
            }
        };
        self.template.questions.iter().map(one).collect()
    }

    /// What later replies say otherwise than earlier ones.
    fn history(&self, open_points: &mut Vec<String>) -> Vec<Change> {
        let mut changes = Vec::new();
        let mut before: BTreeMap<String, (String, Option<String>, String)> = BTreeMap::new();
        for reply in &self.replies {
            let date = reply.date().map(|d| d.to_string());
            for Point { what, tier, text, at, date: own } in said_in(reply) {
                let date = own.or_else(|| date.clone());
                let place = reply.place(&at);
                if let Some((from, from_date, from_at)) = before.insert(what.clone(), (text.clone(), date.clone(), place.clone()))
                    && squash(&from) != squash(&text)
                {
                    changes.push(Change { what, tier, from, from_date, from_at, to: text, to_date: date, to_at: place });
                }
            }
        }
        if !changes.is_empty() && self.replies.iter().filter(|r| r.date().is_none()).count() > 1 {
            open_points.push(
                "replies without a day disagree: which of them is the later one is not known; the order of their paths was taken".into(),
            );
        }
        changes
    }
}

/// One thing that a reply says, so that it can be compared with another one.
struct Point {
    what: String,
    tier: Option<TierKind>,
    text: String,
    at: String,
    /// The day beside it.
    date: Option<String>,
}

fn said_in(reply: &Reply) -> Vec<Point> {
    let mut out = Vec::new();
    for line in &reply.lines {
        let question = reply.template.question(&line.id);
        let tier = question.filter(|q| q.names_tier).and_then(|q| q.tier);
        let text = match line.status {
            Status::Disclosed => line.answer.clone(),
            Status::Withheld => Status::Withheld.name().to_owned(),
            _ => continue,
        };
        out.push(Point { what: line.id.clone(), tier, text, at: line.at.clone(), date: line.date.map(|d| d.to_string()) });
    }
    for part in reply.parts.iter().filter(|p| !p.row.get("our_ref").is_empty()) {
        for column in
            PART_COLUMNS.iter().filter(|c| c.tier.is_some() || matches!(c.key, "maker_part_number" | "site_country" | "alternates"))
        {
            let text = part.row.get(column.key);
            if !text.is_empty() {
                let what = format!("{} {}", part.row.get("our_ref"), column.key);
                out.push(Point { what, tier: column.tier, text: text.to_owned(), at: part.at.clone(), date: None });
            }
        }
    }
    out
}

fn state(replies: &[Reply], counts: Counts, due: Option<Day>, as_of: Day) -> Progress {
    let said = counts.disclosed.saturating_add(counts.withheld).saturating_add(counts.unknown).saturating_add(counts.not_applicable);
    match (replies.is_empty(), due) {
        (true, Some(due)) if due < as_of => Progress::Silent,
        (true, _) => Progress::Awaited,
        _ if said == 0 => Progress::Empty,
        _ if counts.unanswered == 0 => Progress::Complete,
        _ => Progress::Partial,
    }
}

type PathOf<'a> = &'a dyn Fn(u32) -> String;

fn place(answer: &Answered, path_of: PathOf<'_>) -> String {
    let path = answer.input.map(path_of).unwrap_or_default();
    format!("{path} {}", answer.at.as_deref().unwrap_or_default())
}

/// What is disclosed to the question that asks for a fact.
fn said_to(template: &Template, answers: &[Answered], fact: KnownFact, path_of: PathOf<'_>) -> Option<Text> {
    let question = template.questions.iter().find(|q| q.known_fact == Some(fact))?;
    let found = answers.iter().find(|a| a.id == question.id && a.status == Status::Disclosed)?;
    Some(Text { text: found.answer.clone()?, at: place(found, path_of) })
}

/// The module that the questions are about, and those of the list of parts.
fn stated(kb: &Knowledge, template: &Template, answers: &[Answered], parts: &[PartAnswered], path_of: PathOf<'_>) -> Vec<Stated> {
    let answer = |fact: KnownFact| said_to(template, answers, fact, path_of);
    let mut all = vec![Stated {
        maker: answer(KnownFact::ModuleMaker),
        model: answer(KnownFact::ModuleModel),
        fcc: answer(KnownFact::FccId),
        chipset: answer(KnownFact::Chipset),
        site: answer(KnownFact::SiteCountry),
        owner_country: answer(KnownFact::OwnerCountry),
    }];
    for part in parts.iter().filter(|p| tiers::is_module(kb, &p.row)) {
        let cell = |key: &str| {
            let text = part.row.get(key);
            let says = !text.is_empty() && said::empty_answer(text).is_none();
            says.then(|| Text { text: text.to_owned(), at: format!("{} {}", path_of(part.input), part.at) })
        };
        all.push(Stated {
            maker: cell("part_maker"),
            model: cell("maker_part_number"),
            fcc: cell("fcc_id"),
            chipset: cell("chipset"),
            site: cell("site_country"),
            owner_country: None,
        });
    }
    all
}

/// Organisations that the answers name: id, and the name with its place.
fn named(kb: &Knowledge, template: &Template, answers: &[Answered], parts: &[PartAnswered], path_of: PathOf<'_>) -> Vec<(String, Text)> {
    let of_questions = answers.iter().filter(|a| a.status == Status::Disclosed).filter_map(|a| {
        let org = template.question(&a.id)?.expects == Expects::Org;
        Some(Text { text: a.answer.clone().filter(|_| org)?, at: place(a, path_of) })
    });
    let of_parts = parts.iter().flat_map(|p| {
        // The maker of a resistor may bear the name of somebody in the tables.
        let maker = if tiers::is_module(kb, &p.row) { p.row.get("part_maker") } else { "" };
        let cells = [maker, p.row.get("firmware_supplier"), p.row.get("signer")].map(str::to_owned);
        let at = format!("{} {}", path_of(p.input), p.at);
        cells.into_iter().filter(|c| !c.is_empty()).map(move |text| Text { text, at: at.clone() })
    });
    let mut found: Vec<(String, Text)> = Vec::new();
    for text in of_questions.chain(of_parts) {
        if let Some(org) = organisation(kb, &text.text)
            && !found.iter().any(|(id, _)| *id == *org.id)
        {
            found.push((org.id.to_string(), text));
        }
    }
    found
}

fn listed(named: &[(String, Text)], traces: &[Trace]) -> Vec<ListedName> {
    let one = |(org, text): &(String, Text)| {
        let trace = traces.iter().find(|t| t.org == *org).filter(|t| !t.listings.is_empty())?;
        Some(ListedName { name: text.text.clone(), org: org.clone(), at: text.at.clone(), statement: trace.statement.clone() })
    };
    named.iter().filter_map(one).collect()
}

/// The answer that nobody in the chain is on a list, where it is given.
fn says_no(template: &Template, answers: &[Answered], path_of: PathOf<'_>) -> Option<Text> {
    said_to(template, answers, KnownFact::Listed, path_of).filter(|text| said::yes(&text.text) == Some(false))
}
