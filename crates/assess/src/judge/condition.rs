//! The operator's own conditions, in CEL (Common Expression Language).

use std::ops::Range;

use cel::{Context, Program, Value as Cel};
use umbilical_core::{Basis, Day};
use umbilical_knowledge::policy::{Facts, Value};

use super::item::Item;
use super::kinds;
use super::truth::{Truth, said};

/// The longest condition, in bytes, and its deepest brackets.
const LONGEST: usize = 4096;
const DEEPEST: usize = 64;

/// A condition, compiled once.
pub(super) struct Condition {
    /// What people read: the rule's own words for it, where it has some.
    shown: String,
    program: Program,
    /// Facts that it reads.
    reads: Vec<&'static str>,
    /// What else it reads.
    own: Vec<&'static str>,
    /// Whether it goes over the lists of `modules` or `makers`.
    goes_over: bool,
    /// The functions of the language, made once: a fresh set costs more than most conditions.
    root: Context<'static, 'static>,
}

impl Condition {
    /// Compiles a condition; `says` is what it asks in words, behind "whether".
    ///
    /// # Errors
    /// What is wrong with it, and where in the text, in bytes.
    pub fn new(text: &str, says: Option<&str>) -> Result<Self, (Range<usize>, String)> {
        let whole = |what: String| Err((0..text.len(), what));
        if text.len() > LONGEST {
            return whole(format!("a condition of {} bytes: at most {LONGEST}", text.len()));
        }
        let mut depth = 0usize;
        for c in text.chars() {
            match c {
                '(' | '[' | '{' => depth = depth.saturating_add(1),
                ')' | ']' | '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > DEEPEST {
                return whole(format!("brackets deeper than {DEEPEST}"));
            }
        }
        let program = match Program::compile(text) {
            Ok(program) => program,
            Err(errors) => {
                let first = errors.errors.first();
                let what = first.map_or_else(|| errors.to_string(), |e| e.msg.clone());
                let at = first.and_then(|e| place(text, e.pos)).unwrap_or(0..text.len());
                return Err((at, format!("the condition cannot be read here: {}", what.lines().next().unwrap_or_default())));
            }
        };
        let names = kinds::read(program.expression()).map_err(|(id, what)| {
            let at = program.source_info().offset_for(id).map(|(from, to)| from as usize..(to as usize).saturating_add(1));
            (at.filter(|r| r.end <= text.len() && r.start < r.end).map_or(0..text.len(), |r| called(text, r)), what)
        })?;
        let shown = says.map_or_else(|| format!("`{text}`"), str::to_owned);
        Ok(Self { shown, program, reads: names.facts, own: names.own, goes_over: names.goes_over, root: Context::default() })
    }

    /// The facts that it reads.
    pub fn reads(&self) -> impl Iterator<Item = &'static str> {
        self.reads.iter().copied()
    }
}

/// A call is placed at its bracket: its name is meant.
fn called(text: &str, at: Range<usize>) -> Range<usize> {
    let name = match text.get(..at.start) {
        Some(before) if text.get(at.clone()) == Some("(") => before.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || c == '_').len(),
        _ => return at,
    };
    if name < at.start { name..at.start } else { at }
}

/// The byte at a line and column, both counted from 1.
fn place(text: &str, (line, column): (isize, isize)) -> Option<Range<usize>> {
    let line = usize::try_from(line.checked_sub(1)?).ok()?;
    let before: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let at = before.checked_add(usize::try_from(column.checked_sub(1)?).ok()?)?;
    (at <= text.len()).then(|| at..at.saturating_add(1).min(text.len()))
}

/// Whether a condition holds. A fact that nobody has said makes it open, and is named.
pub(super) fn holds(condition: &Condition, facts: &Facts, item: &Item, as_of: Day) -> Truth {
    let missing: Vec<&str> = condition.reads.iter().copied().filter(|name| facts.get(name).is_none()).collect();
    if !missing.is_empty() {
        return Truth::unknown(format!("say `{}`: the rule asks whether {}", missing.join("`, `"), condition.shown));
    }
    let long = item.modules().count();
    if condition.goes_over && long > kinds::LISTED {
        let most = kinds::LISTED;
        return Truth::unknown(format!("whether {} is not worked out over more than {most} modules ({long})", condition.shown));
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
            "modules" => list(item.modules().map(|t| t.label.clone())),
            "makers" => list(item.modules().filter_map(|t| t.maker.clone())),
            "host" => item.host.clone().unwrap_or_default().into(),
            _ => (f64::from(item.modules().map(|t| t.confidence).max().unwrap_or(0)) / 1000.0).into(),
        };
        context.add_variable_from_value(*word, value);
    }
    let says = |before: &str| said(Basis::Inferred, format!("{before}{}", condition.shown));
    match condition.program.execute(&context) {
        Ok(Cel::Bool(true)) => Truth::yes(says("the rule's condition holds: ")),
        Ok(Cel::Bool(false)) => Truth::no(says("the rule's condition does not hold: ")),
        // What kinds can tell was told when the pack was read.
        _ => Truth::unknown(format!("whether {} cannot be worked out from these facts", condition.shown)),
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

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use umbilical_core::answer::Cellular;

    use super::super::item::Thing;
    use super::super::truth::Hit;
    use super::*;

    fn judged(text: &str, asset: &str) -> Truth {
        let condition = Condition::new(text, None).unwrap_or_else(|(at, what)| panic!("{text} {at:?}: {what}"));
        let mut facts = Facts::default();
        for (name, value) in [("asset", asset), ("power_kw", "101"), ("consumer", "no"), ("installed_on", "2025-05-01")] {
            facts.say(name, value).unwrap();
        }
        let item = Item { things: Rc::new([]), cellular: Cellular::Yes, host: None, facts: Rc::default() };
        holds(&condition, &facts, &item, Day::new(2026, 11, 29).unwrap())
    }

    #[test]
    fn what_people_write_is_read() {
        for (text, asset, wanted) in [
            ("power_kw >= 100.0 && !consumer", "pv", Hit::Yes),
            ("power_kw > 200", "pv", Hit::No),
            ("asset == 'pv'", "pv", Hit::Yes),
            ("'pv' in asset", "pv,wind", Hit::Yes),
            ("asset in ['pv', 'wind']", "wind", Hit::Yes),
            ("installed_on < as_of", "pv", Hit::Yes),
            ("makers.exists(m, m == 'quectel')", "pv", Hit::No),
            ("makers.all(m, m != 'quectel')", "pv", Hit::Yes),
            ("size(modules.filter(m, m.startsWith('Quectel'))) > 0", "pv", Hit::No),
            ("['a', 'b'].exists_one(x, x == 'a')", "pv", Hit::Yes),
            ("cellular != 'no' ? true : consumer", "pv", Hit::Yes),
        ] {
            let truth = judged(text, asset);
            assert_eq!(truth.hit, wanted, "{text}: {:?}", truth.wanted);
        }
    }

    #[test]
    fn a_slip_is_shown_where_it_stands() {
        for (text, part, wanted) in [
            ("confidence + 1 > 1.0", "+", "sums are of two numbers of one kind"),
            ("modules[0].maker == 'x'", ".", "a text has no member `maker`"),
            ("power_kw == 'much'", "==", "compare what is alike"),
            ("consumer && rolle == 'x'", "rolle", "`rolle` is nothing that a condition can read"),
            ("makers.exists(m, m == n)", "n", "`n` is nothing"),
            ("makers.exists(m, true) && m == 'x'", "m", "`m` is nothing"),
            ("asset.exists(a, a == 'pv')", "asset", "go over a list"),
            ("power_kw", "power_kw", "a condition is true or false"),
            ("consumer || power_kw", "||", "join what is true or false"),
            ("shout(host)", "shout", "`shout` is no function"),
            ("host ==", "", "cannot be read here"),
            ("[1].all(a, [2].all(b, [3].all(c, c > b)))", "[", "at most 2 deep"),
            ("makers.all(a, makers.all(b, modules.all(c, c != b)))", "modules", "at most 2 deep"),
            ("modules.filter(m, m != 'x').all(m, m != 'y')", "filter", "a list written out"),
            ("makers.map(m, m + m) == makers", "+", "only numbers are added"),
            ("makers.all(m, m.matches(host))", "matches", "a pattern is written out"),
            ("makers.all(m, m.matches('(a{99}){99}'))", "matches", "without `{`"),
        ] {
            let (at, what) = Condition::new(text, None).err().unwrap_or_else(|| panic!("{text} is taken"));
            assert!(what.contains(wanted), "{text}: {what}");
            let marked = text.get(at.clone()).unwrap_or_else(|| panic!("{text}: {at:?}"));
            assert!(marked.starts_with(part) || part.starts_with(marked), "{text}: `{marked}` is marked");
            assert!(part.is_empty() || at.len() < text.len() || part == text, "{text}: all of it is marked");
        }
    }

    #[test]
    fn what_a_condition_takes_is_bounded() {
        let list = |n: usize| format!("[{}]", vec!["1"; n].join(","));
        let over = |outer: &str, inner: &str| format!("{outer}.all(a, {inner}.all(b, a == b))");
        assert!(Condition::new(&over(&list(80), &list(80)), None).is_ok());
        assert!(Condition::new(&over("makers", "modules"), None).is_ok());
        let long = over(&list(900), &list(900));
        let (at, what) = Condition::new(&long, None).err().unwrap();
        assert!(what.contains("past 200000 steps"), "{what}");
        assert!(long.get(at).unwrap().starts_with('['));
        let many = vec![over("makers", "modules"); 20].join(" && ");
        assert!(Condition::new(&many, None).err().unwrap().1.contains("steps"));
        // What must not be worked out is told, and is no answer.
        let thing = Thing { label: "x".to_owned(), ..Thing::nobody() };
        let item = |n: usize| Item { things: vec![thing.clone(); n].into(), cellular: Cellular::Yes, host: None, facts: Rc::default() };
        let ask = |text: &str, n: usize| {
            holds(&Condition::new(text, None).map_err(|e| e.1).unwrap(), &Facts::default(), &item(n), Day::new(2026, 11, 29).unwrap())
        };
        assert_eq!([100, 101].map(|n| ask("modules.all(m, m == 'x')", n).hit), [Hit::Yes, Hit::Unknown]);
        assert_eq!(ask("size(modules) > 100", 101).hit, Hit::Yes);
    }
}
