//! What a condition reads and what kind each of its parts has: a slip is shown where it stands, when the pack is read,
//! and is no `unknown` for ever after.
//!
//! | name | kind |
//! |---|---|
//! | a fact of words | a text where it holds one word, a list where it holds several |
//! | a fact that is a number; `confidence` | a number with a point (`1.0`) |
//! | a fact that is yes or no | a flag |
//! | a fact that is a day; `as_of` | a text, `YYYY-MM-DD` |
//! | `cellular`, `host` | a text |
//! | `modules`, `makers` | a list of texts |

use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, IdedExpr, LiteralValue, operators as op};
use umbilical_knowledge::policy::{FACTS, Form};

/// Macros of lists inside each other, what all of a condition may take, in parts worked out, and what a list that is not
/// written out counts for: a condition is worked out anew for every asset.
const NESTED: usize = 2;
const STEPS: u64 = 200_000;
pub(super) const LISTED: usize = 100;
/// What a pattern takes beside a comparison: it is made ready each time.
const PATTERN: u64 = 50;
/// The longest pattern inside a macro, in bytes.
const LONGEST_PATTERN: usize = 128;

/// What a condition reads beside facts.
pub(super) const OWN: [&str; 6] = ["as_of", "cellular", "modules", "makers", "confidence", "host"];

/// What a part of a condition is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    /// A text or a list of texts.
    Words,
    List,
    Number,
    Whole,
    Flag,
    /// Not followed further.
    Any,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Words => "a word or several",
            Self::List => "a list",
            Self::Number => "a number with a point",
            Self::Whole => "a whole number",
            Self::Flag => "true or false",
            Self::Any => "anything",
        }
    }

    fn is(self, wanted: &[Self]) -> bool {
        self == Self::Any || wanted.contains(&self)
    }
}

/// What is wrong, and with which node.
pub(super) type Wrong = (u64, String);

/// Names that a condition reads.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Facts, each once.
    pub facts: Vec<&'static str>,
    /// Others of [`OWN`], each once.
    pub own: Vec<&'static str>,
    /// Variables of macros, the innermost last.
    bound: Vec<(String, Kind)>,
    /// Whether it goes over a list that is not written out: then how long such lists are counts.
    pub goes_over: bool,
    /// Macros around the part that is read, and what each gathers in.
    gathers: Vec<String>,
    /// How often that part is worked out, and what all parts so far take together.
    times: u64,
    steps: u64,
}

/// Reads a whole condition.
///
/// # Errors
/// The first part that cannot be.
pub(super) fn read(root: &IdedExpr) -> Result<Names, Wrong> {
    let mut names = Names { times: 1, ..Names::default() };
    let kind = names.kind(root)?;
    if kind.is(&[Kind::Flag]) { Ok(names) } else { Err((root.id, format!("a condition is true or false, and this is {}", kind.name()))) }
}

const NUMERIC: [Kind; 2] = [Kind::Number, Kind::Whole];
const TEXTS: [Kind; 2] = [Kind::Text, Kind::Words];

impl Names {
    fn kind(&mut self, node: &IdedExpr) -> Result<Kind, Wrong> {
        self.steps = self.steps.saturating_add(self.times);
        match &node.expr {
            Expr::Ident(name) => self.name(node.id, name),
            Expr::Literal(literal) => Ok(match literal {
                LiteralValue::Boolean(_) => Kind::Flag,
                LiteralValue::Double(_) => Kind::Number,
                LiteralValue::Int(_) | LiteralValue::UInt(_) => Kind::Whole,
                LiteralValue::String(_) => Kind::Text,
                LiteralValue::Bytes(_) | LiteralValue::Null => Kind::Any,
            }),
            Expr::List(list) => list.elements.iter().try_for_each(|e| self.kind(e).map(drop)).map(|()| Kind::List),
            Expr::Select(select) => match self.kind(&select.operand)? {
                Kind::Any => Ok(Kind::Any),
                kind => Err((node.id, format!("{} has no member `{}`", kind.name(), select.field))),
            },
            Expr::Call(call) => {
                let target = call.target.as_deref().map(|t| self.kind(t)).transpose()?;
                let args = call.args.iter().map(|a| self.kind(a)).collect::<Result<Vec<_>, _>>()?;
                let all: Vec<Kind> = target.into_iter().chain(args).collect();
                self.grows(call, &all).map_err(|what| (node.id, what))?;
                call_kind(&call.func_name, &all).map_err(|what| (node.id, what))
            }
            Expr::Comprehension(each) => self.each(each),
            Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified => {
                Err((node.id, "a condition compares facts: write `==`, `in`, `<` and the like".to_owned()))
            }
        }
    }

    fn name(&mut self, id: u64, name: &str) -> Result<Kind, Wrong> {
        if let Some((_, kind)) = self.bound.iter().rev().find(|(n, _)| n == name) {
            return Ok(*kind);
        }
        if let Some((fact, form, _)) = FACTS.iter().find(|f| f.0 == name) {
            if !self.facts.contains(fact) {
                self.facts.push(fact);
            }
            return Ok(match form {
                Form::Words => Kind::Words,
                Form::Number => Kind::Number,
                Form::Flag => Kind::Flag,
                Form::Day => Kind::Text,
            });
        }
        let Some(own) = OWN.iter().find(|o| **o == name) else {
            let facts: Vec<&str> = FACTS.iter().map(|f| f.0).collect();
            let what = format!("`{name}` is nothing that a condition can read; use {}, or a fact: {}", OWN.join(", "), facts.join(", "));
            return Err((id, what));
        };
        if !self.own.contains(own) {
            self.own.push(own);
        }
        Ok(match *own {
            "modules" | "makers" => Kind::List,
            "confidence" => Kind::Number,
            _ => Kind::Text,
        })
    }

    /// A macro: `makers.exists(m, m == 'x')`.
    fn each(&mut self, each: &ComprehensionExpr) -> Result<Kind, Wrong> {
        let (range, id) = (self.kind(&each.iter_range)?, each.iter_range.id);
        if !range.is(&[Kind::List]) {
            return Err((id, format!("`all`, `exists`, `filter` and `map` go over a list, and this is {}", range.name())));
        }
        // Every list that a condition reads is one of texts; lists written out may hold anything.
        let (element, long) = match &each.iter_range.expr {
            Expr::Ident(_) => {
                self.goes_over = true;
                (Kind::Text, LISTED)
            }
            Expr::List(list) => (self.element(&list.elements)?, list.elements.len()),
            // What a macro or a sum makes can be longer than all that is written.
            _ => return Err((id, "`all`, `exists`, `filter` and `map` go over `modules`, `makers` or a list written out".to_owned())),
        };
        if self.gathers.len() >= NESTED {
            return Err((id, format!("`all`, `exists`, `filter` and `map` stand at most {NESTED} deep in each other")));
        }
        let start = self.kind(&each.accu_init)?;
        let (depth, times) = (self.bound.len(), self.times);
        self.times = times.saturating_mul(long as u64);
        self.gathers.push(each.accu_var.clone());
        self.bound.push((each.accu_var.clone(), start));
        self.bound.push((each.iter_var.clone(), element));
        self.bound.extend(each.iter_var2.clone().map(|v| (v, Kind::Any)));
        let kinds = [&each.loop_cond, &each.loop_step, &each.result].map(|part| self.kind(part));
        self.bound.truncate(depth);
        self.gathers.pop();
        self.times = times;
        let [cond, step, result] = kinds;
        let kind = cond.and(step).and(result)?;
        if self.steps > STEPS {
            let what = format!(
                "going over this takes the condition past {STEPS} steps: write shorter lists (`modules` and `makers` count for {LISTED})"
            );
            return Err((id, what));
        }
        Ok(kind)
    }

    /// What all elements of a list written out are alike in.
    fn element(&mut self, elements: &[IdedExpr]) -> Result<Kind, Wrong> {
        let mut kinds = Vec::with_capacity(elements.len());
        for element in elements {
            kinds.push(self.kind(element)?);
        }
        let first = kinds.first().copied().unwrap_or(Kind::Any);
        Ok(if kinds.iter().all(|k| *k == first) { first } else { Kind::Any })
    }

    /// Calls that take more than a step inside a macro: texts that grow, patterns that are made ready each time.
    fn grows(&mut self, call: &CallExpr, of: &[Kind]) -> Result<(), String> {
        let Some(gathers) = self.gathers.last() else { return Ok(()) };
        match call.func_name.as_str() {
            op::ADD => {
                let gathered = matches!(call.args.first().map(|a| &a.expr), Some(Expr::Ident(name)) if name == gathers);
                if gathered || of.iter().all(|k| NUMERIC.contains(k)) {
                    return Ok(());
                }
                Err("inside `all`, `exists`, `filter` and `map` only numbers are added".to_owned())
            }
            "matches" => {
                let short = |text: &str| text.len() <= LONGEST_PATTERN && !text.contains('{');
                let written = call.args.last().is_some_and(|a| matches!(&a.expr, Expr::Literal(LiteralValue::String(text)) if short(text)));
                self.steps = self.steps.saturating_add(self.times.saturating_mul(PATTERN));
                if written {
                    return Ok(());
                }
                Err(format!(
                    "inside `all`, `exists`, `filter` and `map` a pattern is written out, in at most {LONGEST_PATTERN} bytes and without `{{`"
                ))
            }
            _ => Ok(()),
        }
    }
}

/// What an operator or function gives for what it is given.
fn call_kind(name: &str, of: &[Kind]) -> Result<Kind, String> {
    let first = of.first().copied().unwrap_or(Kind::Any);
    let second = of.get(1).copied().unwrap_or(Kind::Any);
    let all = |wanted: &[Kind]| of.iter().all(|k| k.is(wanted));
    let pair = || format!("{} and {}", first.name(), second.name());
    let wants = |good: bool, gives: Kind, what: &str| if good { Ok(gives) } else { Err(format!("{what}, and this is {}", pair())) };
    match name {
        op::LOGICAL_AND | op::LOGICAL_OR => wants(all(&[Kind::Flag]), Kind::Flag, "`&&` and `||` join what is true or false"),
        op::LOGICAL_NOT | op::NOT_STRICTLY_FALSE => {
            if all(&[Kind::Flag]) {
                Ok(Kind::Flag)
            } else {
                Err(format!("`!` turns what is true or false, and this is {}", first.name()))
            }
        }
        op::EQUALS | op::NOT_EQUALS => {
            let lists = [Kind::List, Kind::Words];
            let alike = all(&NUMERIC) || all(&TEXTS) || all(&lists) || all(&[Kind::Flag]);
            wants(alike, Kind::Flag, "`==` and `!=` compare what is alike")
        }
        op::LESS | op::LESS_EQUALS | op::GREATER | op::GREATER_EQUALS => {
            wants(all(&NUMERIC) || all(&TEXTS), Kind::Flag, "`<` and `>` compare two numbers or two texts")
        }
        op::ADD | op::SUBSTRACT | op::MULTIPLY | op::DIVIDE | op::MODULO => {
            let sums = all(&[Kind::Number]) || all(&[Kind::Whole]);
            let joins = name == op::ADD && (all(&[Kind::Text]) || all(&[Kind::List]));
            wants(sums || joins, first, "sums are of two numbers of one kind (`1.0` with a point beside a fact)")
        }
        op::NEGATE => {
            if first.is(&NUMERIC) {
                Ok(first)
            } else {
                Err(format!("`-` is before a number, and this is {}", first.name()))
            }
        }
        op::CONDITIONAL if !first.is(&[Kind::Flag]) => {
            Err(format!("what stands before `?` is true or false, and this is {}", first.name()))
        }
        op::CONDITIONAL => Ok(if Some(&second) == of.get(2) { second } else { Kind::Any }),
        op::IN => wants(first.is(&TEXTS) && second.is(&[Kind::List, Kind::Words]), Kind::Flag, "`in` asks whether a text is in a list"),
        op::INDEX => wants(first.is(&[Kind::List]) && second.is(&[Kind::Whole]), Kind::Text, "`[n]` takes one of a list"),
        "size" if of.len() == 1 => {
            if first.is(&[Kind::List, Kind::Text, Kind::Words]) {
                Ok(Kind::Whole)
            } else {
                Err(format!("`size` counts a list or a text, and this is {}", first.name()))
            }
        }
        "contains" | "startsWith" | "endsWith" | "matches" if of.len() == 2 => {
            wants(first.is(&TEXTS) && second.is(&[Kind::Text]), Kind::Flag, "this asks a text for a text")
        }
        "double" if of.len() == 1 => Ok(Kind::Number),
        "int" | "uint" if of.len() == 1 => Ok(Kind::Whole),
        "string" if of.len() == 1 => Ok(Kind::Text),
        other => Err(format!(
            "`{other}` is no function of conditions, or takes something else; there are size, contains, startsWith, endsWith, matches, int, double, string, and over lists all, exists, exists_one, filter, map"
        )),
    }
}
