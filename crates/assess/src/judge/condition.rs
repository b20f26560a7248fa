//! The operator's own conditions, in CEL (Common Expression Language).

use cel::{Context, Program, Value as Cel};
use umbilical_core::{Basis, Day};
use umbilical_knowledge::policy::{FACTS, Facts, Value};

use super::item::Item;
use super::truth::{Truth, said};

/// The longest condition, in bytes, and its deepest brackets.
const LONGEST: usize = 4096;
const DEEPEST: usize = 64;

/// A condition, compiled once.
pub(super) struct Condition {
    text: String,
    program: Program,
    /// Facts that it reads.
    reads: Vec<&'static str>,
    /// What else it reads.
    own: Vec<&'static str>,
    /// The functions of the language, made once: a fresh set costs more than most conditions.
    root: Context<'static, 'static>,
}

impl Condition {
    /// Compiles a condition.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("a condition of {} bytes: at most {LONGEST}", text.len()));
        }
        let mut depth = 0usize;
        for c in text.chars() {
            match c {
                '(' | '[' | '{' => depth = depth.saturating_add(1),
                ')' | ']' | '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > DEEPEST {
                return Err(format!("brackets deeper than {DEEPEST}"));
            }
        }
        let program = Program::compile(text).map_err(|e| e.to_string().lines().next().unwrap_or_default().to_owned())?;
        let references = program.references();
        let (mut reads, mut own) = (Vec::new(), Vec::new());
        for name in references.variables() {
            match (FACTS.iter().find(|f| f.0 == name), OWN.iter().find(|o| **o == name)) {
                (Some(fact), _) => reads.push(fact.0),
                (None, Some(word)) => own.push(*word),
                (None, None) => {
                    let facts: Vec<&str> = FACTS.iter().map(|f| f.0).collect();
                    return Err(format!(
                        "`{name}` is nothing that a condition can read; use {}, or a fact: {}",
                        OWN.join(", "),
                        facts.join(", ")
                    ));
                }
            }
        }
        Ok(Self { text: text.to_owned(), program, reads, own, root: Context::default() })
    }

    /// The facts that it reads.
    pub fn reads(&self) -> impl Iterator<Item = &'static str> {
        self.reads.iter().copied()
    }
}

/// What a condition reads beside facts.
const OWN: [&str; 6] = ["as_of", "cellular", "modules", "makers", "confidence", "host"];

/// Whether a condition holds. A fact that nobody has said makes it open, and is named.
pub(super) fn holds(condition: &Condition, facts: &Facts, item: &Item, as_of: Day) -> Truth {
    let missing: Vec<&str> = condition.reads.iter().copied().filter(|name| facts.get(name).is_none()).collect();
    if !missing.is_empty() {
        return Truth::unknown(format!("say `{}`: the rule asks `{}`", missing.join("`, `"), condition.text));
    }
    let mut context = condition.root.new_inner_scope();
    for name in &condition.reads {
        if let Some(value) = facts.get(name) {
            context.add_variable_from_value(*name, cel(value));
        }
    }
    for word in &condition.own {
        let value: Cel = match *word {
            "as_of" => as_of.to_string().into(),
            "cellular" => item.cellular.name().into(),
            "modules" => list(item.things.iter().map(|t| t.label.clone())),
            "makers" => list(item.things.iter().filter_map(|t| t.maker.clone())),
            "host" => item.host.clone().unwrap_or_default().into(),
            _ => (f64::from(item.things.iter().map(|t| t.confidence).max().unwrap_or(0)) / 1000.0).into(),
        };
        context.add_variable_from_value(*word, value);
    }
    let says = |word: &str| said(Basis::Inferred, format!("`{}` {word}", condition.text));
    match condition.program.execute(&context) {
        Ok(Cel::Bool(true)) => Truth::yes(says("holds")),
        Ok(Cel::Bool(false)) => Truth::no(says("does not hold")),
        Ok(_) => Truth::unknown(format!("`{}` is neither true nor false", condition.text)),
        Err(error) => Truth::unknown(format!("`{}`: {error}", condition.text)),
    }
}

/// One word is a text; several are a list, so that `in` reads them.
fn cel(value: &Value) -> Cel {
    match value {
        Value::Words(words) => match words.as_slice() {
            [one] => one.clone().into(),
            many => list(many.iter().cloned()),
        },
        Value::Number(n) => (*n).into(),
        Value::Flag(flag) => (*flag).into(),
        Value::Day(day) => day.to_string().into(),
    }
}

fn list(items: impl Iterator<Item = String>) -> Cel {
    items.map(Cel::from).collect::<Vec<_>>().into()
}
