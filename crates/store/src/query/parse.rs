//! Text to query.

use umbilical_core::text::{clean, short};

use super::{CERTAINTIES, DEEPEST, FIELDS, LONGEST, MOST_TERMS, Node, Op, QueryError, Term, What, fields};

type Answer<T> = Result<T, QueryError>;

fn error<T>(column: usize, what: impl Into<String>, allowed: Vec<&'static str>) -> Answer<T> {
    Err(QueryError { column, what: what.into(), allowed })
}

/// A word of a query, shown.
fn shown(text: &str) -> String {
    format!("`{}`", short(&clean(text), 40))
}

pub(super) fn parse(text: &str) -> Answer<Node> {
    if text.len() > LONGEST {
        return error(1, format!("the query is longer than {LONGEST} bytes"), Vec::new());
    }
    let mut parser = Parser { chars: text.chars().collect(), at: 0, terms: 0 };
    let node = parser.either(0)?;
    parser.blanks();
    match parser.peek() {
        None => Ok(node),
        Some(_) => error(parser.column(), "this parenthesis closes none", Vec::new()),
    }
}

struct Parser {
    chars: Vec<char>,
    at: usize,
    terms: usize,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }
    fn column(&self) -> usize {
        self.at.saturating_add(1)
    }
    fn step(&mut self) {
        self.at = self.at.saturating_add(1);
    }
    fn blanks(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.step();
        }
    }

    /// Takes a word of the language (`AND`, `OR`, `NOT`) if it stands here by itself.
    fn word(&mut self, word: &str) -> bool {
        let end = self.at.saturating_add(word.len());
        let here = self.chars.get(self.at..end).is_some_and(|c| c.iter().copied().eq(word.chars()));
        let alone = self.chars.get(end).is_none_or(|c| c.is_whitespace() || matches!(c, '(' | ')' | '"'));
        if here && alone {
            self.at = end;
        }
        here && alone
    }

    fn either(&mut self, depth: usize) -> Answer<Node> {
        let mut any = vec![self.both(depth)?];
        loop {
            self.blanks();
            let column = self.column();
            if !self.word("OR") {
                break;
            }
            let next = self.both(depth)?;
            if any.iter().chain([&next]).any(|n| *n == Node::And(Vec::new())) {
                return error(column, "something must stand on both sides of OR", Vec::new());
            }
            any.push(next);
        }
        Ok(if any.len() == 1 { any.remove(0) } else { Node::Or(any) })
    }

    fn both(&mut self, depth: usize) -> Answer<Node> {
        let mut all = Vec::new();
        loop {
            self.blanks();
            let column = self.column();
            if self.word("AND") {
                if all.is_empty() {
                    return error(column, "something must stand before AND", Vec::new());
                }
                self.blanks();
                match self.peek() {
                    None | Some(')') => return error(column, "something must stand behind AND", Vec::new()),
                    Some(_) => continue,
                }
            }
            let before = self.at;
            if self.peek().is_none_or(|c| c == ')') || self.word("OR") {
                self.at = before;
                break;
            }
            all.push(self.one(depth)?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Node::And(all) })
    }

    fn one(&mut self, depth: usize) -> Answer<Node> {
        self.blanks();
        let column = self.column();
        if depth >= DEEPEST {
            return error(column, format!("nested deeper than {DEEPEST}"), Vec::new());
        }
        let minus = self.peek() == Some('-');
        if minus {
            self.step();
        }
        if minus || self.word("NOT") {
            self.blanks();
            if self.peek().is_none_or(|c| c == ')') {
                return error(column, "something must stand behind NOT", Vec::new());
            }
            return Ok(Node::Not(Box::new(self.one(depth.saturating_add(1))?)));
        }
        if self.peek() == Some('(') {
            self.step();
            let inner = self.either(depth.saturating_add(1))?;
            self.blanks();
            if self.peek() != Some(')') {
                return error(column, "this parenthesis is not closed", Vec::new());
            }
            self.step();
            return if inner == Node::And(Vec::new()) { error(column, "nothing stands in the parentheses", Vec::new()) } else { Ok(inner) };
        }
        self.term()
    }

    fn term(&mut self) -> Answer<Node> {
        self.terms = self.terms.saturating_add(1);
        if self.terms > MOST_TERMS {
            return error(self.column(), format!("more than {MOST_TERMS} terms"), Vec::new());
        }
        let column = self.column();
        let Some((field, op)) = self.field()? else {
            let (value, whole, prefix) = self.value()?;
            return Ok(Node::Term(Term { field: None, op: Op::Is, value, whole, prefix, broad: false, few: false, codes: false, column }));
        };
        let at = self.column();
        let (value, whole, prefix) = self.value()?;
        let term = Term { field: Some(field), op, value, whole, prefix, broad: false, few: false, codes: false, column: at };
        check(&term)?;
        Ok(Node::Term(term))
    }

    /// The name of a field with what stands behind it, if one stands here.
    fn field(&mut self) -> Answer<Option<(usize, Op)>> {
        let (start, column) = (self.at, self.column());
        let mut name = String::new();
        while let Some(c) = self.peek().filter(|c| c.is_ascii_alphabetic() || *c == '_') {
            name.push(c);
            self.step();
        }
        let two: String = self.chars.get(self.at..).unwrap_or_default().iter().take(2).collect();
        let op = match (two.as_str(), two.chars().next()) {
            (">=", _) => Some((Op::MoreOrIs, 2)),
            ("<=", _) => Some((Op::LessOrIs, 2)),
            (_, Some('>')) => Some((Op::More, 1)),
            (_, Some('<')) => Some((Op::Less, 1)),
            (_, Some(':' | '=')) => Some((Op::Is, 1)),
            _ => None,
        };
        match op.filter(|_| !name.is_empty()) {
            None => {
                self.at = start;
                Ok(None)
            }
            Some((op, length)) => {
                self.at = self.at.saturating_add(length);
                match fields::find(&name) {
                    Some(field) => Ok(Some((field, op))),
                    None => error(
                        column,
                        format!("there is no field {} (put it in quotes to search for the text)", shown(&name)),
                        fields::names(),
                    ),
                }
            }
        }
    }

    /// A value: text, whether in quotes, whether with a star.
    fn value(&mut self) -> Answer<(String, bool, bool)> {
        let column = self.column();
        let mut text = String::new();
        let whole = self.peek() == Some('"');
        if whole {
            self.step();
            loop {
                match self.peek() {
                    None => return error(column, "these quotes are not closed", Vec::new()),
                    Some('"') => break self.step(),
                    Some('\\') => {
                        self.step();
                        text.extend(self.peek());
                        self.step();
                    }
                    Some(c) => {
                        text.push(c);
                        self.step();
                    }
                }
            }
        } else {
            while let Some(c) = self.peek().filter(|c| !c.is_whitespace() && !matches!(c, '(' | ')' | '"')) {
                text.push(c);
                self.step();
            }
        }
        let mut prefix = false;
        if whole && self.peek() == Some('*') {
            self.step();
            prefix = true;
        } else if !whole && let Some(cut) = text.strip_suffix('*') {
            text.truncate(cut.len());
            prefix = true;
        }
        if text.trim().is_empty() {
            return error(column, if prefix { "something must stand before *" } else { "a value is missing" }, Vec::new());
        }
        Ok((text, whole, prefix))
    }
}

/// What can be told of a term without a database.
fn check(term: &Term) -> Answer<()> {
    let Some((name, _, what, _)) = term.field.and_then(|f| FIELDS.get(f)) else { return Ok(()) };
    let compared = term.op != Op::Is;
    match what {
        What::Word(list) | What::Decision(list) if !list.is_empty() && !compared && !term.prefix => one_of(term, list),
        What::Ranked(list) => one_of(term, list),
        What::Confidence if term.value.parse::<f64>().is_ok_and(|n| (0.0..=1.0).contains(&n)) => Ok(()),
        What::Confidence if !compared && CERTAINTIES.iter().any(|c| c.eq_ignore_ascii_case(&term.value)) => Ok(()),
        What::Confidence => error(term.column, format!("{} is no number from 0 to 1", shown(&term.value)), CERTAINTIES.to_vec()),
        What::Seen | What::Since => match term.value.parse::<umbilical_core::Day>() {
            Ok(_) => Ok(()),
            Err(e) => error(term.column, e.to_string(), Vec::new()),
        },
        _ if compared => error(term.column, format!("{name} cannot be compared: use {name}:…"), Vec::new()),
        _ => Ok(()),
    }
}

fn one_of(term: &Term, list: &[&'static str]) -> Answer<()> {
    match list.iter().any(|word| word.eq_ignore_ascii_case(&term.value)) {
        true => Ok(()),
        false => error(term.column, format!("there is no {}", shown(&term.value)), list.to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Query, QueryError};
    use super::*;

    /// A query in a form in which nothing is left to guess.
    fn tree(node: &Node) -> String {
        let list = |word: &str, all: &[Node]| format!("({word} {})", all.iter().map(tree).collect::<Vec<_>>().join(" "));
        match node {
            Node::And(all) => list("and", all),
            Node::Or(all) => list("or", all),
            Node::Not(inner) => format!("(not {})", tree(inner)),
            Node::Term(t) => {
                let field = t.field.map_or("*", |f| FIELDS[f].0);
                let op = match t.op {
                    Op::Is => ":",
                    Op::Less => "<",
                    Op::LessOrIs => "<=",
                    Op::More => ">",
                    Op::MoreOrIs => ">=",
                };
                let quote = if t.whole { "\"" } else { "" };
                format!("{field}{op}{quote}{}{quote}{}", t.value, if t.prefix { "*" } else { "" })
            }
        }
    }

    #[test]
    fn queries_are_read_as_they_are_meant() {
        let cases = [
            ("", "(and )"),
            ("maker:quectel AND NOT site:lab confidence>0.8", "(and maker:quectel (not site:lab) confidence>0.8)"),
            ("a OR b c", "(or *:a (and *:b *:c))"),
            ("(a OR b) c", "(and (or *:a *:b) *:c)"),
            ("-a", "(not *:a)"),
            ("NOT (a b)", "(not (and *:a *:b))"),
            ("vendor:x jurisdiction:CN rule:y conf<=1", "(and maker:x country:CN code:y confidence<=1)"),
            ("model:\"EC25 (a) \\\"b\\\"\" x*", "(and model:\"EC25 (a) \"b\"\" *:x*)"),
            ("2c7c:0125 192.168.0.1", "(and *:2c7c:0125 *:192.168.0.1)"),
            ("ORDER NOTE ANDROID", "(and *:ORDER *:NOTE *:ANDROID)"),
            ("MAKER:a-b", "maker:a-b"),
            ("name:\"a\"*", "name:\"a\"*"),
            ("seen>=2026-01-01 severity>=high verdict:FAIL", "(and seen>=2026-01-01 severity>=high verdict:FAIL)"),
            ("((a))", "*:a"),
        ];
        for (text, meant) in cases {
            assert_eq!(parse(text).map(|n| tree(&n)), Ok(meant.to_owned()), "{text}");
        }
    }

    #[test]
    fn mistakes_have_a_column_and_what_could_stand_there() {
        let cases = [
            ("makr:x", 1, "`makr`", "maker"),
            ("a makr:x", 3, "`makr`", "maker"),
            ("verdict:bad", 9, "`bad`", "review"),
            ("severity>loud", 10, "`loud`", "critical"),
            ("state:done", 7, "`done`", "false-positive"),
            ("confidence>2", 12, "`2`", "probable"),
            ("confidence>x", 12, "`x`", "probable"),
            ("maker>x", 7, "cannot be compared", ""),
            ("seen>yesterday", 6, "YYYY-MM-DD", ""),
            ("(a", 1, "not closed", ""),
            ("a)", 2, "closes none", ""),
            ("\"a", 1, "not closed", ""),
            ("()", 1, "nothing", ""),
            ("OR a", 1, "both sides", ""),
            ("a OR", 3, "both sides", ""),
            ("AND a", 1, "before AND", ""),
            ("a AND", 3, "behind AND", ""),
            ("a NOT", 3, "behind NOT", ""),
            ("maker:", 7, "missing", ""),
            ("*", 1, "before *", ""),
        ];
        for (text, column, what, allowed) in cases {
            let error = parse(text).unwrap_err();
            assert!(error.column == column && error.to_string().contains(what), "{text}: {error}");
            assert_eq!(allowed.is_empty(), error.allowed.is_empty(), "{text}: {error}");
            assert!(allowed.is_empty() || error.allowed.contains(&allowed), "{text}: {error}");
        }
    }

    #[test]
    fn length_depth_and_number_of_terms_have_limits() {
        let wrong = |text: String| -> QueryError { Query::parse(&text).unwrap_err() };
        assert!(wrong("a".repeat(LONGEST + 1)).what.contains("longer"));
        assert!(wrong("(".repeat(500) + "a" + &")".repeat(500)).what.contains("deeper"));
        assert!(wrong("NOT ".repeat(500) + "a").what.contains("deeper"));
        assert!(wrong("-".repeat(500) + "a").what.contains("deeper"));
        assert!(wrong("a ".repeat(MOST_TERMS + 1)).what.contains("terms"));
        assert!(Query::parse(&"a ".repeat(MOST_TERMS)).is_ok());
        assert!(Query::parse(&("(".repeat(DEEPEST - 1) + "a" + &")".repeat(DEEPEST - 1))).is_ok());
    }

    #[test]
    fn every_field_is_found_by_each_of_its_names_and_no_other() {
        let mut all: Vec<&str> = FIELDS.iter().flat_map(|f| f.1.iter().copied().chain([f.0])).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
        assert!(all.iter().all(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')));
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in "([a-z]{0,6}[:<>=]{0,2}|\\(|\\)|\"|\\*|-| |AND|OR|NOT|\\PC){0,30}") {
            match parse(&text) {
                Ok(node) => { let _ = tree(&node); }
                Err(e) => prop_assert!(e.column >= 1 && e.column <= text.chars().count() + 1, "{}: {}", text, e),
            }
        }

        #[test]
        fn what_is_quoted_comes_back(text in "\\PC{1,40}") {
            prop_assume!(!text.trim().is_empty());
            let quoted = format!("name:\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
            let Ok(Node::Term(term)) = parse(&quoted) else { return Err(TestCaseError::fail(quoted)) };
            prop_assert_eq!(term.value, text);
        }
    }
}
