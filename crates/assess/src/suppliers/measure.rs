//! Numbers about a supplier's answers: coverage, the label, what to ask next and when.

use umbilical_core::Day;
use umbilical_core::answer::bom::{Term, TierKind};
use umbilical_core::answer::suppliers::{
    Answered, AskAgain, Contradiction, Counts, Disclosed, Label, Next, PartAnswered, Progress, Status, Strength, TierAnswer, Uses,
};
use umbilical_knowledge::{Question, Template, When};

use super::{days, said};

const SOURCE: &str = "questions of the form; the same terms for every supplier";

pub(super) fn counts(answers: &[Answered]) -> Counts {
    let of = |status: Status| answers.iter().filter(|a| a.status == status).count() as u64;
    Counts {
        disclosed: of(Status::Disclosed),
        withheld: of(Status::Withheld),
        unknown: of(Status::Unknown),
        not_applicable: of(Status::NotApplicable),
        unanswered: of(Status::Unanswered),
        not_asked: of(Status::NotAsked),
    }
}

/// Whether a question was asked and concerns the product.
fn counts_for(answer: &Answered) -> bool {
    !matches!(answer.status, Status::NotApplicable | Status::NotAsked)
}

fn weight<'a>(answers: impl Iterator<Item = &'a Answered>) -> u64 {
    answers.map(|a| u64::from(a.weight)).fold(0, u64::saturating_add)
}

fn of_weight(answers: &[Answered]) -> (u64, u64) {
    let asked = || answers.iter().filter(|a| counts_for(a));
    (weight(asked().filter(|a| a.status == Status::Disclosed)), weight(asked()))
}

/// A share in percent with one decimal.
fn percent(have: u64, of: u64) -> Option<f64> {
    let tenths = have.saturating_mul(1000).saturating_add(of / 2).checked_div(of)?;
    Some(tenths as f64 / 10.0)
}

/// `sent` is the list of parts as it was sent, where that is known.
pub(super) fn coverage(template: &Template, answers: &[Answered], parts: &[PartAnswered], sent: Option<&[PartAnswered]>) -> Disclosed {
    let (have, of) = of_weight(answers);
    let asked = answers.iter().filter(|a| counts_for(a)).count() as u64;
    let disclosed = counts(answers).disclosed;
    let by_use = |n: usize| {
        let weight = |a: &&Answered| template.question(&a.id).and_then(|q| q.weights.get(n)).copied().map_or(0, u64::from);
        let asked = || answers.iter().filter(|a| counts_for(a));
        let sum = |all: &mut dyn Iterator<Item = &Answered>| all.map(|a| weight(&a)).fold(0, u64::saturating_add);
        percent(sum(&mut asked().filter(|a| a.status == Status::Disclosed)), sum(&mut asked()))
    };
    Disclosed {
        by_weight: percent(have, of),
        by_count: percent(disclosed, asked),
        by_use: Uses { compliance: by_use(0), security: by_use(1), availability: by_use(2) },
        of_parts: of_parts(parts, sent),
    }
}

fn of_parts(parts: &[PartAnswered], sent: Option<&[PartAnswered]>) -> Option<f64> {
    let (mut have, mut of) = (0u64, 0u64);
    for part in parts {
        let same = |p: &&PartAnswered| !p.row.get("our_ref").is_empty() && p.row.get("our_ref") == part.row.get("our_ref");
        let before = sent.and_then(|s| s.iter().find(same));
        for (at, cell) in part.row.cells.iter().enumerate() {
            // What we had filled in ourselves is no answer.
            if before.and_then(|b| b.row.cells.get(at)).is_some_and(|c| !c.is_empty()) {
                continue;
            }
            match said::empty_answer(cell) {
                Some(Status::NotApplicable) => continue,
                None if !cell.is_empty() => have = have.saturating_add(1),
                _ => {}
            }
            of = of.saturating_add(1);
        }
    }
    percent(have, of)
}

/// What a supplier is measured by.
pub(super) struct Measured<'a> {
    pub state: Progress,
    pub answers: &'a [Answered],
    pub tiers: &'a [TierAnswer],
    pub contradictions: &'a [Contradiction],
    /// How many answers were compared with a row.
    pub compared: u64,
}

/// Letters by score, from the best.
const LETTERS: [(f64, &str); 6] = [(0.9, "A"), (0.75, "B"), (0.6, "C"), (0.4, "D"), (0.2, "E"), (0.0, "F")];

pub(super) fn label(m: &Measured<'_>) -> Label {
    if m.state == Progress::Awaited {
        return Label { letter: None, score: None, cap: None, terms: Vec::new() };
    }
    let (have, of) = of_weight(m.answers);
    let disclosed = || m.answers.iter().filter(|a| a.status == Status::Disclosed);
    let tiers_asked = || m.tiers.iter().filter(|t| !matches!(t.status, Status::NotAsked | Status::NotApplicable));
    let refused = || m.answers.iter().filter(|a| a.status == Status::Withheld);
    let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    let wrong = count(m.contradictions.len());
    let term = |term: &str, weight, have, of| Term { term: term.to_owned(), weight, have, of, source: SOURCE.to_owned() };
    let terms = vec![
        term("questions disclosed, by weight", 40, have, of),
        term("tiers named", 25, count(tiers_asked().filter(|t| t.status == Status::Disclosed).count()), count(tiers_asked().count())),
        term(
            "disclosed answers with evidence",
            15,
            count(disclosed().filter(|a| a.evidence.is_some()).count()),
            count(disclosed().count()),
        ),
        term("withheld answers with a reason", 5, count(refused().filter(|a| a.reason.is_some()).count()), count(refused().count())),
        term("compared answers that agree with known facts", 15, m.compared.saturating_sub(wrong.min(m.compared)), m.compared),
    ];
    let (mut sum, mut total) = (0.0, 0.0);
    for t in terms.iter().filter(|t| t.of > 0) {
        sum += f64::from(t.weight) * t.have as f64 / t.of as f64;
        total += f64::from(t.weight);
    }
    if total == 0.0 {
        return Label { letter: None, score: None, cap: None, terms };
    }
    let score = (sum / total * 10_000.0).round() / 10_000.0;
    let by_score = LETTERS.iter().find(|(least, _)| score >= *least).map_or("F", |(_, l)| *l);
    let conflict = m.contradictions.iter().any(|c| c.strength == Strength::Conflict);
    let module_open = tiers_asked().any(|t| t.tier == TierKind::Module && t.status != Status::Disclosed);
    let caps = [
        (conflict, "D", "an answer contradicts a known fact: at most D"),
        (module_open, "C", "nobody named the maker of the module: at most C"),
    ];
    let cap = caps.iter().filter(|(holds, at_most, _)| *holds && by_score < *at_most).map(|(_, at_most, why)| (*at_most, *why)).max();
    let letter = cap.map_or(by_score, |(at_most, _)| at_most);
    Label { letter: Some(letter), score: Some(score), cap: cap.map(|(_, why)| why.to_owned()), terms }
}

/// How much a tier tells: who makes the module decides most, then who writes what runs in it.
fn factor(tier: Option<TierKind>) -> u32 {
    match tier {
        Some(TierKind::Module) => 6,
        Some(TierKind::Firmware) => 5,
        Some(TierKind::Chipset) => 4,
        Some(TierKind::Odm) => 3,
        Some(TierKind::Memory | TierKind::Brand) => 2,
        None => 1,
    }
}

fn tier_name(tier: Option<TierKind>) -> &'static str {
    tier.map_or("no tier", TierKind::name)
}

/// How many questions are proposed.
const PROPOSED: usize = 3;

/// The most telling open questions. Where one was refused or is not known, what leads around it counts in full and asking
/// the same again by half.
pub(super) fn next(template: &Template, answers: &[Answered]) -> Vec<Next> {
    let answer_to = |id: &str| answers.iter().find(|a| a.id == id);
    let open = |id: &str| answer_to(id).is_some_and(|a| !matches!(a.status, Status::Disclosed | Status::NotApplicable));
    let mut found: Vec<Next> = Vec::new();
    let mut propose = |q: &Question, score: u32, because: String| match found.iter_mut().find(|n| n.id == q.id) {
        Some(before) if before.score >= score => {}
        Some(before) => (before.score, before.because) = (score, because),
        None => found.push(Next { id: q.id.clone(), question: q.text.clone(), because, score }),
    };
    for question in &template.questions {
        let Some(answer) = answer_to(&question.id) else { continue };
        let full = question.weight().saturating_mul(factor(question.tier));
        let reckoned = format!("weight {} × {} for {}", question.weight(), factor(question.tier), tier_name(question.tier));
        match answer.status {
            Status::Unanswered => propose(question, full, format!("unanswered; {reckoned}")),
            Status::NotAsked => propose(question, full, format!("not asked yet; {reckoned}")),
            Status::Withheld | Status::Unknown => propose(question, full / 2, format!("{}; {reckoned}, halved", answer.status.name())),
            Status::Disclosed | Status::NotApplicable => {}
        }
    }
    for question in &template.questions {
        let Some(answer) = answer_to(&question.id) else { continue };
        let full = question.weight().saturating_mul(factor(question.tier));
        for (when, to) in &question.follow_up {
            let said = answer.answer.as_deref().and_then(said::yes);
            let refused = matches!((when, answer.status), (When::Withheld, Status::Withheld) | (When::Unknown, Status::Unknown));
            let holds = match (when, answer.status) {
                (When::Missing, Status::Unanswered) | (When::Disclosed, Status::Disclosed) => true,
                (When::Yes, Status::Disclosed) => said == Some(true),
                (When::No, Status::Disclosed) => said == Some(false),
                _ => refused,
            };
            let Some((target, state)) = template.question(to).filter(|_| holds).zip(answer_to(to).map(|a| a.status)) else { continue };
            let own = target.weight().saturating_mul(factor(target.tier));
            if refused && open(to) {
                let because = format!("{} is {}: this leads around it; at least what that one counts", question.id, answer.status.name());
                propose(target, full.max(own), because);
            } else if matches!(state, Status::Unanswered | Status::NotAsked) {
                // What an answer leads to counts a little more than what is open by itself.
                let more = if answer.status == Status::Disclosed { question.weight() } else { 0 };
                propose(target, own.saturating_add(more), format!("follows from {} ({})", question.id, answer.status.name()));
            }
        }
    }
    found.sort_by(|a, b| b.score.cmp(&a.score).then_with(|| a.id.cmp(&b.id)));
    found.truncate(PROPOSED);
    found
}

/// When to ask again. `replied` is the day of the newest reply.
pub(super) fn ask_again(state: Progress, nothing_open: bool, due: Option<Day>, replied: Option<Day>, as_of: Day) -> AskAgain {
    let (from, step, rule) = match (state, due) {
        (Progress::Complete, _) if nothing_open => {
            (Some(replied.unwrap_or(as_of)), 365, "everything asked is answered: again after a year, since parts change".to_owned())
        }
        (Progress::Silent, Some(due)) => (Some(due), 14, format!("no reply by {due}: 14 days after it, then every 14 days")),
        (Progress::Awaited, Some(due)) => (Some(due), 1, format!("the first working day after {due}, if no reply has come")),
        (Progress::Awaited | Progress::Silent, None) => (Some(as_of), 30, "no day was set: 30 days from now".to_owned()),
        (_, due) => {
            let from = due.into_iter().chain(replied).max().unwrap_or(as_of);
            (Some(from), 14, format!("places are open: 14 days after {from}, then every 14 days"))
        }
    };
    let on = from.and_then(|from| days::next_contact(from, step, as_of));
    AskAgain { on: on.map(|d| d.to_string()), rule }
}
