//! The walk through a document: what is open, and what is read next.

use std::borrow::Cow;
use std::io::{self, Read};

use rustc_hash::FxHashMap;
use serde_json::Value;
use umbilical_core::bom::{Design, Part};
use umbilical_core::text::short;
use umbilical_core::{At, Observations};

use super::json::ARRAYS;
use super::keep::{Checks, Kept};
use super::level::{Comma, Kind, Level, List, Object, path_of};
use super::scan::{Broken, Copied, Into, Room, Scanner, unexpected};
use super::validate::{self, Distinct};

/// The longest member or element that is held.
const MAX_MEMBER: usize = 4 << 20;
/// The most texts, objects and arrays inside one: each needs many times its text.
const MAX_VALUES: usize = 500_000;
/// The most text that is held of all that is open.
const MAX_HELD: usize = 8 << 20;
/// The deepest brackets inside one member; the parser gives up at 128.
const MAX_DEPTH: usize = 100;
/// The deepest components inside components.
const MAX_NESTED: usize = 256;
/// How many elements of one array are told of one by one when they are no objects.
pub(super) const TOLD: u64 = 3;

/// The walk through a document.
pub(super) struct Walk<'o, R> {
    scan: Scanner<R>,
    pub out: &'o mut Observations,
    pub levels: Vec<Level>,
    /// Text held by all that is open.
    pub held: usize,
    pub checks: Checks,
    /// Whether the schema was asked for.
    asked: bool,
    pub kept: Kept,
    /// Places are lines; else, in a document of one line, components by their number.
    by_line: bool,
    component: u16,
    components: u32,
    pub scratch: Vec<u8>,
    /// Parts that name the part that holds them, because they could not be nested in it.
    pub held_by: Vec<(u32, Box<str>)>,
}

impl<'o, R: Read> Walk<'o, R> {
    pub fn new(inner: R, validate: bool, by_line: bool, out: &'o mut Observations) -> Self {
        let component = out.unit("component");
        Self {
            scan: Scanner::new(inner),
            out,
            levels: Vec::new(),
            held: 0,
            checks: Checks::new(validate),
            asked: validate,
            kept: Kept::default(),
            by_line,
            component,
            components: 0,
            scratch: Vec::new(),
            held_by: Vec::new(),
        }
    }

    /// Walks from the first brace to the last.
    pub fn document(&mut self) -> Result<(), Broken> {
        if self.scan.peek()? != Some(b'{') {
            return Err(Broken::Syntax("no object begins here".into()));
        }
        self.open(Kind::Document, None);
        while let Some(level) = self.levels.last() {
            match level {
                Level::Object(_) => self.member()?,
                Level::List(_) => self.element()?,
            }
        }
        match self.scan.peek()? {
            None => Ok(()),
            Some(_) => Err(Broken::Syntax("something stands behind the end of the document: it is not read".into())),
        }
    }

    /// Tells how the walk ended, and closes what is still open with what was read of it.
    pub fn end(mut self, outcome: Result<(), Broken>) -> io::Result<()> {
        let line = At::line(self.scan.line());
        let what = match outcome {
            Ok(()) => None,
            Err(Broken::Io(error)) => return Err(error),
            Err(Broken::End) => Some("the document breaks off here: what stands before is read".to_owned()),
            Err(Broken::Syntax(what)) => Some(format!("not JSON: {what}; what stands before is read")),
        };
        if let Some(what) = what {
            self.checks.fail(self.out, line, what);
            self.checks.stop();
        }
        while let Some(level) = self.levels.pop() {
            self.close(level);
        }
        self.resolve_holders();
        self.checks.finish(self.asked, self.out);
        Ok(())
    }

    fn resolve_holders(&mut self) {
        resolve_holders(self.out, std::mem::take(&mut self.held_by));
    }

    /// Where the next value stands.
    fn place(&mut self) -> At {
        if self.by_line { At::line(self.scan.line()) } else { At { unit: self.component, n: self.components } }
    }

    pub(super) fn path(&self) -> String {
        path_of(&self.levels)
    }

    pub(super) fn problem(&mut self, at: At, field: &str, what: &str) {
        let path = self.path();
        let whole = if field.is_empty() || path.is_empty() || field.starts_with('[') {
            format!("{path}{field}")
        } else {
            format!("{path}.{field}")
        };
        let colon = if whole.is_empty() { "" } else { ": " };
        self.out.problem(at, format!("{whole}{colon}{what}"));
    }

    /// Reads a comma, and says so where one is missing or too many; whether the level ends here instead.
    fn separated(&mut self, end: u8) -> Result<bool, Broken> {
        loop {
            let next = self.scan.peek()?.ok_or(Broken::End)?;
            let comma = match self.levels.last_mut() {
                Some(Level::Object(o)) => &mut o.comma,
                Some(Level::List(l)) => &mut l.comma,
                None => return Ok(true),
            };
            let was = *comma;
            match (next, was) {
                (b',', Comma::Due) => *comma = Comma::Seen,
                (b',', _) => {}
                _ if next == end => {}
                _ => *comma = Comma::Due,
            }
            let what = match (next, was) {
                (b',', Comma::Due) => None,
                (b',', _) => Some("a comma too many"),
                _ if next == end => (was == Comma::Seen).then_some("a comma too many"),
                (_, Comma::Due) => Some("a comma is missing"),
                _ => None,
            };
            if let Some(what) = what {
                let line = At::line(self.scan.line());
                self.checks.fail(self.out, line, format!("not JSON: {what} before this place; reading goes on"));
            }
            if next == b',' || next == end {
                self.scan.take();
            }
            if next != b',' {
                return Ok(next == end);
            }
        }
    }

    /// One member of the object that is open.
    fn member(&mut self) -> Result<(), Broken> {
        if self.separated(b'}')? {
            if let Some(level) = self.levels.pop() {
                self.close(level);
            }
            return Ok(());
        }
        let next = self.scan.peek()?.ok_or(Broken::End)?;
        if next != b'"' {
            return Err(unexpected(next));
        }
        let mut key = std::mem::take(&mut self.scratch);
        key.clear();
        let copied = self.scan.value(Some(Into { text: &mut key, room: Room { bytes: 4096, values: 1, depth: 0 } }))?;
        match self.scan.peek()?.ok_or(Broken::End)? {
            b':' => self.scan.take(),
            other => return Err(unexpected(other)),
        }
        // A name without escapes is taken where it stands.
        let plain = serde_json::from_slice::<&str>(&key).map(Cow::Borrowed);
        let name = plain.or_else(|_| serde_json::from_slice::<String>(&key).map(Cow::Owned)).ok().filter(|_| copied == Copied::Whole);
        let outcome = match name {
            Some(name) => self.named(&name, &key),
            None => {
                let at = self.place();
                self.leave_out(at, "a member", "its name is longer than 4096 bytes or is no text: it is left out");
                self.scan.value(None).map(|_| ())
            }
        };
        self.scratch = key;
        outcome
    }

    /// The value of a member.
    fn named(&mut self, name: &str, key: &[u8]) -> Result<(), Broken> {
        let first = self.scan.peek()?.ok_or(Broken::End)?;
        let nested = self.levels.len();
        let room = MAX_HELD.saturating_sub(self.held);
        let at = self.place();
        let Some(Level::Object(object)) = self.levels.last_mut() else { return Ok(()) };
        if object.members > 0 {
            object.text.push(b',');
        }
        let (kind, part, start) = (object.kind, object.part, object.text.len());
        object.members = object.members.saturating_add(1);
        object.text.extend_from_slice(key);
        object.text.push(b':');
        let long = match kind {
            Kind::Document => ARRAYS.contains(&name),
            Kind::Product | Kind::Component => name == "components",
            Kind::Metadata => false,
        };
        match (first, kind, name) {
            (b'[', ..) if long && nested < 2 * MAX_NESTED => {
                object.text.extend_from_slice(b"[]");
                self.scan.take();
                self.levels.push(Level::List(List {
                    name: name.to_owned(),
                    comma: Comma::First,
                    items: Distinct::default(),
                    count: 0,
                    strange: 0,
                    parent: part,
                    at,
                }));
                return Ok(());
            }
            (b'[', ..) if long => {
                object.text.extend_from_slice(b"[]");
                self.leave_out(at, name, &format!("more than {MAX_NESTED} components inside one another: those inside are left out"));
                return self.scan.value(None).map(|_| ());
            }
            (b'{', Kind::Document, "metadata") => {
                self.open(Kind::Metadata, None);
                return Ok(());
            }
            (b'{', Kind::Metadata, "component") => {
                self.open(Kind::Product, None);
                return Ok(());
            }
            _ => {}
        }
        let from = object.text.len();
        let into = Into { text: &mut object.text, room: room_of(room) };
        let copied = self.scan.value(Some(into));
        let Some(Level::Object(object)) = self.levels.last_mut() else { return Ok(()) };
        if matches!(copied, Ok(Copied::Whole)) {
            self.held = self.held.saturating_add(object.text.len().saturating_sub(start));
            if kind == Kind::Document && matches!(name, "specVersion" | "$schema") {
                let value = object.text.get(from..).and_then(|t| serde_json::from_slice::<String>(t).ok());
                self.checks.version(name, value.as_deref());
            }
            return Ok(());
        }
        object.text.truncate(start.saturating_sub(usize::from(object.members > 1)));
        object.members = object.members.saturating_sub(1);
        self.leave_out(at, name, &not_held(copied?, room));
        Ok(())
    }

    /// Something of the object that is open cannot be held.
    fn leave_out(&mut self, at: At, field: &str, what: &str) {
        if let Some(Level::Object(object)) = self.levels.last_mut() {
            object.cut = true;
        }
        let path = self.path();
        let dot = if path.is_empty() { "" } else { "." };
        self.checks.fail(self.out, at, format!("{path}{dot}{field}: {what}"));
    }

    fn open(&mut self, kind: Kind, parent: Option<u32>) {
        self.scan.take();
        if kind == Kind::Component {
            self.components = self.components.saturating_add(1);
        }
        let at = self.place();
        // Parents come before children: the place is taken now and filled when all of it has been read.
        let part = (kind == Kind::Component).then(|| self.out.part(Design::Statement, Part { at, parent, ..Part::default() }));
        self.levels.push(Level::Object(Object {
            kind,
            at,
            text: vec![b'{'],
            members: 0,
            comma: Comma::First,
            part,
            children: None,
            cut: false,
        }));
    }

    /// One element of the array that is open.
    fn element(&mut self) -> Result<(), Broken> {
        if self.separated(b']')? {
            if let Some(level) = self.levels.pop() {
                self.close(level);
            }
            return Ok(());
        }
        let next = self.scan.peek()?.ok_or(Broken::End)?;
        let Some(Level::List(list)) = self.levels.last_mut() else { return Ok(()) };
        list.count = list.count.saturating_add(1);
        let parts = list.name == "components";
        if parts && next == b'{' {
            let parent = list.parent;
            self.open(Kind::Component, parent);
            return Ok(());
        }
        let strange = next != b'{';
        list.strange = list.strange.saturating_add(u64::from(strange));
        let told = strange && list.strange <= TOLD;
        let wanted = self.checks.is_on() || told || self.kept.wants(&list.name);
        if strange && parts {
            self.components = self.components.saturating_add(1);
        }
        if !wanted {
            return self.scan.value(None).map(|_| ());
        }
        let at = if parts || self.by_line { self.place() } else { At::WHOLE };
        let room = MAX_HELD.saturating_sub(self.held);
        let mut text = std::mem::take(&mut self.scratch);
        text.clear();
        let copied = self.scan.value(Some(Into { text: &mut text, room: room_of(room) }))?;
        let value = if copied == Copied::Whole {
            serde_json::from_slice::<Value>(&text).map_err(|e| said(&e))
        } else {
            Err(not_held(copied, room))
        };
        self.scratch = text;
        match value {
            Ok(value) => self.item(at, &value, told),
            Err(what) => {
                let path = self.path();
                self.checks.fail(self.out, at, format!("{path}: {what}"));
            }
        }
        Ok(())
    }

    /// An element that is no component.
    fn item(&mut self, at: At, value: &Value, told: bool) {
        if told {
            let what = short(&value.to_string(), 40).into_owned();
            self.problem(at, "", &format!("{what} where an object belongs"));
        }
        if self.checks.is_on() {
            let digest = validate::digest(value, &mut self.scratch);
            if let Some(Level::List(list)) = self.levels.last_mut() {
                list.items.push(digest);
            }
            let Some(Level::List(list)) = self.levels.last() else { return };
            self.checks.item(&list.name, value, at, &|| path_of(&self.levels));
        }
        let Some(Level::List(list)) = self.levels.last() else { return };
        if list.name != "components" {
            self.kept.item(&list.name, list.count.saturating_sub(1), value, self.out);
        }
    }
}

/// Hangs parts on the part that each names as its holder, where that stands before it.
pub(super) fn resolve_holders(out: &mut Observations, held_by: Vec<(u32, Box<str>)>) {
    if held_by.is_empty() {
        return;
    }
    let parts = &mut out.bom(Design::Statement).parts;
    let mut by_reference: FxHashMap<Box<str>, u32> = FxHashMap::default();
    for (index, part) in (0u32..).zip(parts.iter()) {
        if let Some(reference) = &part.reference {
            by_reference.entry(reference.clone()).or_insert(index);
        }
    }
    for (index, holder) in held_by {
        let Some(part) = parts.get_mut(index as usize) else { continue };
        match by_reference.get(&holder) {
            Some(found) if *found < index => part.parent = Some(*found),
            _ => part.properties.push(("umbilical:holder".into(), holder)),
        }
    }
}

/// What the parser says, without the place in a piece of the document, which helps nobody.
pub(super) fn said(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}

fn not_held(copied: Copied, room: usize) -> String {
    match copied {
        Copied::TooDeep => format!("nested deeper than {MAX_DEPTH} levels: it is left out"),
        _ if room < MAX_MEMBER => format!("with what is open around it longer than {} MiB: it is left out", MAX_HELD >> 20),
        _ => format!("longer than {} MiB, or more than {MAX_VALUES} values: it is left out", MAX_MEMBER >> 20),
    }
}

fn room_of(left: usize) -> Room {
    Room { bytes: MAX_MEMBER.min(left), values: MAX_VALUES, depth: MAX_DEPTH }
}
