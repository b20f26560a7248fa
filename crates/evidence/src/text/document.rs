//! What speaks of devices and is none: source code, lists of ids, rules for device nodes, command manuals, examples in
//! the documentation of a program, access logs of web servers.
//!
//! **What it does.** Takes the lines of such texts before a dialect reads them, and says nothing. A command manual shows
//! itself by what surrounds its examples, which are sessions to all appearance; so what its text had said is withdrawn.
//! Where nothing is left, one problem says what the text was taken for.
//!
//! **When it is wrong.** A mail that holds a driver's patch and the listing of a device keeps the listing; a patch alone
//! says nothing. `udevadm info -a` prints matches (`==`) one a line and is read: a rule has an assignment beside them.

use std::sync::OnceLock;

use regex::Regex;
use umbilical_core::{At, Basis};

use super::strip::regex;
use super::{Host, Line, Word};

/// What a text is, if it is none about a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Code,
    Ids,
    Rules,
    Access,
    Manual,
    Example,
}

impl Shape {
    fn name(self) -> &'static str {
        match self {
            Self::Code => "source code",
            Self::Ids => "a list of ids",
            Self::Rules => "rules for device nodes",
            Self::Access => "the log of a web server",
            Self::Manual => "a manual of commands",
            Self::Example => "documentation with an example",
        }
    }
}

/// An example that was announced: the lines that are set off belong to it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Example {
    /// Not begun; so many blank lines stand between.
    Awaited(u8),
    Indented,
    Fenced,
}

/// See the module's documentation.
#[derive(Default)]
pub(super) struct Document {
    /// The first line that was taken, and what for.
    first: Option<(u32, Shape)>,
    /// Lines that were taken, and all that are not blank.
    taken: u32,
    lines: u32,
    /// Which marks of a manual have been met, one bit each.
    marks: u8,
    example: Option<Example>,
}

struct Expressions {
    shapes: Vec<(Shape, Regex)>,
    matches: Option<Regex>,
    assigns: Option<Regex>,
    marks: Vec<Regex>,
    example: Option<Regex>,
}

fn expressions() -> &'static Expressions {
    static R: OnceLock<Expressions> = OnceLock::new();
    R.get_or_init(|| {
        let shapes = [
            (
                Shape::Code,
                r"\b(?:USB|PCI)_(?:DEVICE|VDEVICE|DEVICE_AND_INTERFACE_INFO|DEVICE_INTERFACE_[A-Z]+|DEVICE_DATA|DEVICE_SUB)\s?\(|\bQMI_(?:[A-Z]+_)?(?:INTF|DEVICE|DTR|SPEED|NUMBER)\s?\(|\bMODULE_DEVICE_TABLE\s?\(",
            ),
            (
                Shape::Code,
                r"^[+ \t-]{0,8}(?:#\s*(?:define|include|ifdef|ifndef|endif|undef)\b|static\s+(?:const\s+)?(?:struct|int|void|char)\b|struct\s+\w+\s*\{|\.driver_info\s*=|/\*|\*/)",
            ),
            (Shape::Ids, r"^\+?\t{0,2}[0-9a-f]{4}(?:\s[0-9a-f]{4})?  [A-Za-z0-9]"),
            (Shape::Ids, r"^\s*alias\s+(?:usb|pci|mhi):[\w*]+\s"),
            (Shape::Access, r"\x22(?:GET|POST|HEAD|PUT|OPTIONS|DELETE|PATCH)\s(?u:[^\x22])+\sHTTP/\d"),
        ];
        let marks = [
            r"\b(?:Execution|Execute|Test|Write|Read|Set)\s+Command\b",
            r"\bResponse\b|\bParameters?\b",
            r"^<[a-z][a-z_]{2,30}>(?:\s|$)|\bAT[ _]Commands?[ _](?:Set[ _])?(?:Manual|Reference)\b|\bRequest (?:TA|MT|Manufacturer|Model)\b",
        ];
        Expressions {
            shapes: shapes.into_iter().filter_map(|(shape, text)| Some((shape, regex(text)?))).collect(),
            matches: regex(r"\b(?:ATTRS?|ENV|SUBSYSTEMS?|ACTION|KERNELS?|DRIVERS?)(?:\{(?u:[^}]){0,80}\})?\s*[=!]=\s*\x22"),
            assigns: regex(r"\b[A-Z_]+(?:\{(?u:[^}]){0,80}\})?\s*(?:\+=|:=|=)\s*\x22"),
            marks: marks.into_iter().filter_map(regex).collect(),
            example: regex(r"(?i)(?:^|[.!?;:] |\b(?:usage|output|session|an) )(?:examples?|sample)(?: (?:output|answer|response|session|usage))?:$"),
        }
    })
}

/// What one line is for itself.
fn shape(raw: &str) -> Option<Shape> {
    let re = expressions();
    let found = re.shapes.iter().find(|(_, r)| r.is_match(raw)).map(|(shape, _)| *shape);
    match found {
        // A table of devices has more columns, and numbers of devices.
        Some(Shape::Ids) if raw.trim().splitn(3, "  ").count() > 2 || raw.split(|c: char| !c.is_ascii_digit()).any(|d| d.len() >= 14) => {
            None
        }
        Some(found) => Some(found),
        None => {
            let rule = re.matches.as_ref().is_some_and(|r| r.is_match(raw)) && re.assigns.as_ref().is_some_and(|r| r.is_match(raw));
            rule.then_some(Shape::Rules)
        }
    }
}

impl Document {
    /// Whether a line belongs to a document and says nothing of a device.
    pub(super) fn line(&mut self, line: Line<'_>) -> bool {
        let raw = line.raw;
        if raw.len() > 2000 {
            return false;
        }
        if raw.trim().is_empty() {
            self.example = match self.example {
                Some(Example::Awaited(blank)) if blank < 2 => Some(Example::Awaited(blank.saturating_add(1))),
                Some(Example::Awaited(_)) => None,
                other => other,
            };
            return false;
        }
        self.lines = self.lines.saturating_add(1);
        for (bit, mark) in [1u8, 2, 4].into_iter().zip(&expressions().marks) {
            if self.marks & bit == 0 && mark.is_match(line.text) {
                self.marks |= bit;
            }
        }
        let found = if self.in_example(raw) { Some(Shape::Example) } else { shape(raw) };
        if let Some(found) = found {
            self.taken = self.taken.saturating_add(1);
            self.first.get_or_insert((line.n, found));
        }
        found.is_some()
    }

    fn in_example(&mut self, raw: &str) -> bool {
        let fence = raw.trim_start().starts_with("```");
        let indented = raw.starts_with("    ") || raw.starts_with('\t');
        let (inside, next) = match self.example {
            Some(Example::Fenced) => (true, (!fence).then_some(Example::Fenced)),
            Some(Example::Awaited(_)) if fence => (true, Some(Example::Fenced)),
            Some(Example::Awaited(_) | Example::Indented) if indented => (true, Some(Example::Indented)),
            _ => (false, None),
        };
        self.example = next;
        if !inside && !indented {
            let text = raw.trim();
            let heading = text.starts_with('#') && text.trim_start_matches('#').trim().to_ascii_lowercase().starts_with("example");
            if heading || expressions().example.as_ref().is_some_and(|r| r.is_match(text)) {
                self.example = Some(Example::Awaited(0));
            }
        }
        inside
    }

    /// The text has ended, and everything about it has been said: what a document said is withdrawn.
    pub(super) fn end(&self, host: &mut Host<'_, '_>) {
        let manual = self.marks == 7;
        let Some((n, shape)) = (if manual { Some((0, Shape::Manual)) } else { self.first }) else { return };
        let observed = host.held.said.iter().any(|s| !matches!(s.word, Word::Fact(.., Basis::Declared) | Word::Imei(.., Basis::Declared)));
        let mostly = shape == Shape::Example || self.taken.saturating_mul(3) >= self.lines;
        if manual || (mostly && !observed) {
            host.withdraw();
        }
        if host.held.said.is_empty() && (manual || mostly) {
            let at = if n > 0 { At::line(n) } else { At::WHOLE };
            host.out.problem(at, format!("this was taken for {}: nothing in it is read as a device", shape.name()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_of_documents() {
        for (line, is) in [
            ("\t{ USB_DEVICE(0x2cb7, 0x0104) }, /* a series */", Some(Shape::Code)),
            ("+#define QUECTEL_PRODUCT_EC25\t\t\t0x0125", Some(Shape::Code)),
            ("\t0125  EC25 LTE modem", Some(Shape::Ids)),
            ("2c7c  Quectel Wireless Solutions Co., Ltd.", Some(Shape::Ids)),
            ("alias usb:v2C7Cp0125d*dc*dsc*dp*ic*isc*ip*in* option", Some(Shape::Ids)),
            ("ATTRS{idVendor}==\"2c7c\", ATTRS{idProduct}==\"0125\", SYMLINK+=\"modem%n\"", Some(Shape::Rules)),
            ("    ATTRS{idVendor}==\"2c7c\"", None),
            ("0001  EC25-E  490154203237518", None),
            ("Bus 001 Device 003: ID 2c7c:0125 Quectel", None),
            ("nginx 10.0.0.1 \"GET /docs/SIM800C.pdf HTTP/1.1\" 200 5", Some(Shape::Access)),
            ("Revision: EC25EFAR06A11M4G", None),
        ] {
            assert_eq!(shape(line), is, "{line}");
        }
    }

    proptest! {
        #[test]
        fn any_line_may_be_a_document(lines in proptest::collection::vec("\\PC{0,80}", 0..8)) {
            let mut document = Document::default();
            for line in &lines {
                document.line(Line { n: 1, raw: line, text: line.trim(), shell: false });
            }
        }
    }
}
