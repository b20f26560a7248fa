//! One line for each question of each supplier.

use std::io::{self, Write};

use umbilical_core::answer::suppliers::Answers;

use crate::csv::guarded;

/// The columns of [`answers`].
pub const COLUMNS: [&str; 16] = [
    "supplier", "device", "label", "state", "coverage", "id", "section", "question", "tier", "weight", "status", "answer", "reason",
    "evidence", "date", "at",
];

/// Writes every question with its newest answer, after a line of column names; cells of text are guarded.
pub fn answers(out: &mut dyn Write, answers: &Answers) -> io::Result<()> {
    let mut to = csv::Writer::from_writer(out);
    to.write_record(COLUMNS)?;
    for s in &answers.suppliers {
        for a in &s.answers {
            let path = a.input.and_then(|i| answers.inputs.get(i as usize)).map(|i| i.path.as_str()).unwrap_or_default();
            let at = a.at.as_deref().map(|at| format!("{path} {at}")).unwrap_or_default();
            let filled = |cell: &Option<String>| guarded(cell.as_deref().unwrap_or_default());
            to.write_record([
                guarded(&s.supplier),
                guarded(&s.device),
                s.label.letter.unwrap_or_default().to_owned(),
                s.state.name().to_owned(),
                s.coverage.by_weight.map(|c| c.to_string()).unwrap_or_default(),
                guarded(&a.id),
                guarded(&a.section),
                guarded(&a.question),
                a.tier.map_or("", |t| t.name()).to_owned(),
                a.weight.to_string(),
                a.status.name().to_owned(),
                filled(&a.answer),
                filled(&a.reason),
                filled(&a.evidence),
                filled(&a.date),
                guarded(&at),
            ])?;
        }
    }
    to.flush()
}
