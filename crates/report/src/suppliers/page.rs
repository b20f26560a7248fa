//! The pages for a terminal.

use std::io::{self, Write};

use umbilical_core::answer::suppliers::{Answers, Progress, Questionnaire, Status, Strength, Supplier, TierAnswer};
use umbilical_core::text::short;

use crate::terminal::{Page, Tone};
use crate::{View, say};

/// What a questionnaire asks, in short.
pub fn questionnaire(out: &mut dyn Write, q: &Questionnaire, view: &View) -> io::Result<()> {
    let mut page = Page::new(out, view);
    let due = q.due.as_deref().map_or_else(|| "no day is set".to_owned(), |d| format!("due {d}"));
    page.hanging(0, 2, Tone::Bold, &format!("{} to {} about {}", q.questionnaire, q.supplier, q.device))?;
    let asked = say::counted(q.questions.len() as u64, "question");
    let parts = say::counted(q.parts.len() as u64, "part");
    page.para(2, Tone::Plain, &format!("{} (version {}), {asked}, {parts}, {due}", q.template.id, q.template.version))?;
    let mut section = "";
    for question in &q.questions {
        if question.section != section {
            section = &question.section;
            page.heading(section)?;
        }
        page.hanging(2, 8, Tone::Plain, &format!("{} {}", question.id, question.question))?;
    }
    page.heading("Parts")?;
    let rows = q
        .parts
        .iter()
        .map(|p| ["our_ref", "designators", "function", "part_maker", "maker_part_number"].map(|k| p.get(k).to_owned()).to_vec());
    page.table(&["ref", "designators", "function", "maker", "part number"], rows)
}

/// What the replies are worth.
pub fn answers(out: &mut dyn Write, answers: &Answers, view: &View) -> io::Result<()> {
    let mut page = Page::new(out, view);
    let rows = answers.suppliers.iter().map(|s| {
        let percent = |c: Option<f64>| c.map_or_else(|| "–".to_owned(), |c| format!("{c} %"));
        let named = s.tiers.iter().filter(|t| t.status == Status::Disclosed).count();
        vec![
            s.supplier.clone(),
            s.device.clone(),
            s.template.id.clone(),
            s.label.letter.unwrap_or("–").to_owned(),
            s.state.name().to_owned(),
            percent(s.coverage.by_weight),
            format!("{named} of {}", s.tiers.len()),
            s.contradictions.len().to_string(),
            s.ask_again.on.clone().unwrap_or_default(),
        ]
    });
    page.table(&["supplier", "device", "form", "label", "state", "#coverage", "#tiers", "#contradictions", "ask again"], rows)?;
    for supplier in &answers.suppliers {
        one(&mut page, answers, supplier)?;
    }
    problems(&mut page, answers)
}

fn one(page: &mut Page<'_>, answers: &Answers, s: &Supplier) -> io::Result<()> {
    let about = if s.device.is_empty() { String::new() } else { format!(" about {}", s.device) };
    page.heading(&format!("{}{about}", s.supplier))?;
    let c = s.counts;
    page.field(
        2,
        "questions",
        &format!(
            "{} disclosed, {} withheld, {} unknown, {} unanswered, {} not applicable, {} not asked",
            c.disclosed, c.withheld, c.unknown, c.unanswered, c.not_applicable, c.not_asked
        ),
    )?;
    let uses = [
        ("compliance", s.coverage.by_use.compliance),
        ("security", s.coverage.by_use.security),
        ("availability", s.coverage.by_use.availability),
    ];
    let uses: Vec<String> = uses.iter().filter_map(|(name, share)| Some(format!("{name} {} %", (*share)?))).collect();
    page.field(2, "coverage by use", &uses.join(", "))?;
    if let Some(due) = &s.due {
        page.field(2, "due", due)?;
    }
    if s.state == Progress::Silent {
        page.hanging(2, 2, Tone::Bad, "silent: no reply is among the inputs")?;
    }
    if let (Some(letter), Some(score)) = (s.label.letter, s.label.score) {
        let terms: Vec<String> =
            s.label.terms.iter().filter(|t| t.of > 0).map(|t| format!("{} {}/{} (weight {})", t.term, t.have, t.of, t.weight)).collect();
        page.field(2, "label", &format!("{letter}, {score:.2}: {}", terms.join("; ")))?;
    }
    if let Some(cap) = &s.label.cap {
        page.field(2, "held back", cap)?;
    }
    if s.state != Progress::Silent && s.state != Progress::Awaited {
        page.table(&["tier", "status", "who", "law", "where"], s.tiers.iter().map(tier))?;
    }
    for wrong in &s.contradictions {
        let (word, tone) = match wrong.strength {
            Strength::Conflict => ("contradiction", Tone::Bad),
            Strength::Doubt => ("doubt", Tone::Warn),
        };
        page.hanging(
            2,
            2,
            tone,
            &format!("{word} ({}): said {} ({}); on file: {} ({})", wrong.check, wrong.said, wrong.at, wrong.known, wrong.source),
        )?;
    }
    for name in &s.listed {
        page.hanging(2, 2, Tone::Warn, &format!("listed: {} ({}): {}", name.name, name.at, name.statement))?;
    }
    for change in &s.history {
        let day = |d: &Option<String>| d.clone().unwrap_or_else(|| "undated".to_owned());
        let text = format!(
            "changed: {} from {} ({}) to {} ({})",
            change.what,
            change.from,
            day(&change.from_date),
            change.to,
            day(&change.to_date)
        );
        page.hanging(2, 2, Tone::Note, &text)?;
    }
    for point in &s.open_points {
        page.hanging(2, 2, Tone::Dim, &format!("open: {point}"))?;
    }
    for (n, next) in (1..).zip(&s.next) {
        page.hanging(2, 2, Tone::Plain, &format!("ask next {n}: {} {} ({})", next.id, next.question, next.because))?;
    }
    if let Some(on) = &s.ask_again.on {
        page.field(2, "ask again", &format!("{on} ({})", s.ask_again.rule))?;
    }
    let paths: Vec<&str> = s.replies.iter().filter_map(|r| answers.inputs.get(r.input as usize)).map(|i| i.path.as_str()).collect();
    page.field(2, "replies", &paths.join(", "))
}

fn tier(t: &TierAnswer) -> Vec<String> {
    let mut law: Vec<&str> = t.jurisdictions.iter().map(|j| j.country.as_str()).collect();
    law.dedup();
    let reason = t.reason.as_deref().map(|r| format!("reason: {r}"));
    let said = t.name.as_deref().or(reason.as_deref()).unwrap_or_default();
    vec![
        t.tier.name().to_owned(),
        t.status.name().to_owned(),
        short(said, 60).into_owned(),
        law.join(", "),
        t.at.clone().unwrap_or_default(),
    ]
}

fn problems(page: &mut Page<'_>, answers: &Answers) -> io::Result<()> {
    if answers.problems.is_empty() {
        return Ok(());
    }
    page.heading("Problems")?;
    for problem in &answers.problems {
        let path = problem.input.and_then(|i| answers.inputs.get(i as usize)).map(|i| i.path.as_str()).unwrap_or_default();
        page.hanging(2, 2, Tone::Warn, &format!("{path} {}: {}", problem.at, problem.what))?;
    }
    Ok(())
}
