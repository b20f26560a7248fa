//! One line of a walk: `.1.3.6… = STRING: "x"`, `iso.3.6…`, `MIB::symbol.1 = …`, `-Oq` without type and `=`, and
//! snmpsim's `1.3.6…|4|x`.

use std::borrow::Cow;

use super::mibs::{MIBS, ROOTS, STANDARD};

/// The object of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Object {
    /// Numbers, without leading dot.
    Numeric(String),
    /// A symbol that no table here knows, its module if printed, and its index.
    Symbol { module: String, name: String, index: String },
}

/// A variable binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Binding<'a> {
    pub object: Object,
    pub value: Value<'a>,
}

/// A value, and whether more lines may belong to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Value<'a> {
    pub text: Cow<'a, str>,
    pub open: Open,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Open {
    /// Complete.
    No,
    /// A quote was opened and not closed.
    Quote,
    /// Hex octets, of which more may follow.
    Hex,
    /// An unquoted string, as symbolic walks print display strings.
    Bare,
}

/// Whether a text is dotted numbers beginning with `1.` or `0.`, at least four of them.
fn numeric(oid: &str) -> bool {
    let mut parts = 0u32;
    for part in oid.split('.') {
        if part.is_empty() || part.len() > 10 || !part.bytes().all(|b| b.is_ascii_digit()) {
            return false;
        }
        parts = parts.saturating_add(1);
    }
    parts >= 4 && oid.starts_with("1.")
}

/// Reads a line.
pub(super) fn read(line: &str) -> Option<Binding<'_>> {
    if let Some((oid, rest)) = line.split_once('|') {
        let (tag, value) = rest.split_once('|')?;
        let tag = tag.trim();
        let rooted = oid.starts_with("1.3.6.1.") || oid.starts_with("1.0.8802.");
        if !rooted || !numeric(oid.trim()) || tag.is_empty() || tag.len() > 4 || !tag.bytes().next()?.is_ascii_digit() {
            return None;
        }
        let text = if tag.ends_with('x') { Cow::Owned(from_hex(value)) } else { Cow::Borrowed(value.trim()) };
        return Some(Binding { object: Object::Numeric(oid.trim().into()), value: Value { text, open: Open::No } });
    }
    let (oid, rest, quick) = match line.split_once(" = ") {
        Some((oid, rest)) => (oid, rest, false),
        None => match line.strip_suffix(" =").map(|oid| (oid, "", false)) {
            Some(all) => all,
            None => line.split_once(' ').map(|(oid, rest)| (oid, rest, true))?,
        },
    };
    let object = object(oid.trim(), quick)?;
    Some(Binding { object, value: value(rest.trim()) })
}

/// The object; with `quick` (no `=` between), only spellings that nothing else has.
fn object(oid: &str, quick: bool) -> Option<Object> {
    if oid.len() > 300 || oid.contains(' ') {
        return None;
    }
    let bare = oid.strip_prefix('.').unwrap_or(oid);
    if numeric(bare) {
        // A bare `1.2.3.4` may be an address or a version.
        return (bare.starts_with("1.3.6.1.")).then(|| Object::Numeric(bare.into()));
    }
    for (root, number) in ROOTS {
        if let Some(rest) = bare.strip_prefix(root).and_then(|r| r.strip_prefix('.')) {
            let all = format!("{number}.{rest}");
            if numeric(&all) {
                return Some(Object::Numeric(all));
            }
        }
    }
    let (module, path) = match bare.rsplit_once("::") {
        Some((module, path)) => (module, path),
        None => ("", bare),
    };
    // The last component with a letter is the symbol; what follows is the index. An index may be a quoted string.
    let symbol = path.split('.').rposition_of_word()?;
    let mut parts = path.split('.');
    let name = parts.by_ref().nth(symbol)?;
    let index: Vec<&str> = parts.collect();
    let index = index.join(".");
    let known = |name: &str| STANDARD.iter().find(|(n, _)| *n == name).map(|(_, o)| (*o).to_owned());
    let ours = |name: &str| {
        MIBS.iter().find_map(|mib| mib.columns.iter().find(|(_, n, _)| *n == name).map(|(column, _, _)| format!("{}.{column}", mib.base)))
    };
    if let Some(number) = known(name).or_else(|| (name.len() > 4).then(|| ours(name)).flatten()) {
        return Some(Object::Numeric(if index.is_empty() { number } else { format!("{number}.{index}") }));
    }
    let shaped =
        name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') && name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic());
    let whole = shaped && !module.is_empty() && module.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    (whole && !(quick && index.is_empty())).then(|| Object::Symbol { module: module.into(), name: name.into(), index })
}

trait LastWord {
    fn rposition_of_word(self) -> Option<usize>;
}

impl<'a, I: Iterator<Item = &'a str>> LastWord for I {
    fn rposition_of_word(self) -> Option<usize> {
        self.enumerate().filter(|(_, p)| p.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())).last().map(|(i, _)| i)
    }
}

/// A value with its type in front, or without.
fn value(rest: &str) -> Value<'_> {
    const TYPES: &[&str] = &[
        "STRING",
        "Hex-STRING",
        "OID",
        "INTEGER",
        "Gauge32",
        "Gauge64",
        "Counter32",
        "Counter64",
        "IpAddress",
        "Timeticks",
        "Network Address",
        "BITS",
        "Opaque",
        "Unsigned32",
    ];
    let (kind, text) = match rest.split_once(": ").or_else(|| rest.strip_suffix(':').map(|k| (k, ""))) {
        Some((kind, text)) if TYPES.contains(&kind) => (kind, text.trim()),
        _ => ("", rest),
    };
    if kind == "Hex-STRING" || (kind.is_empty() && is_octets(text) && text.len() > 11) {
        return Value { text: Cow::Owned(from_hex(text)), open: Open::Hex };
    }
    if text.starts_with("No Such ") || text.starts_with("No more variables") || text == "NULL" {
        return Value { text: Cow::Borrowed(""), open: Open::No };
    }
    if let Some(inner) = text.strip_prefix('"') {
        return match inner.strip_suffix('"').filter(|i| !i.ends_with('\\')) {
            Some(whole) => Value { text: Cow::Borrowed(whole), open: Open::No },
            None => Value { text: Cow::Borrowed(inner), open: Open::Quote },
        };
    }
    let open = if kind == "STRING" { Open::Bare } else { Open::No };
    Value { text: Cow::Borrowed(text), open }
}

/// Whether a text is octets in hex, `41 42 43`.
pub(super) fn is_octets(text: &str) -> bool {
    !text.is_empty() && text.split_ascii_whitespace().all(|o| o.len() == 2 && o.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Octets in hex as text; those that are no text (a MAC address) stay hex.
pub(super) fn from_hex(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    let octet = |pair: &[u8]| std::str::from_utf8(pair).ok().and_then(|p| u8::from_str_radix(p, 16).ok());
    let bytes: Vec<u8> = digits.as_bytes().chunks_exact(2).filter_map(octet).collect();
    let end = bytes.iter().rposition(|b| *b != 0).map_or(0, |i| i.saturating_add(1));
    match bytes.get(..end).map(std::str::from_utf8) {
        Some(Ok(text)) if text.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t')) => text.to_owned(),
        _ => digits,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn got(line: &str) -> Option<(String, String)> {
        read(line).map(|b| {
            let object = match b.object {
                Object::Numeric(o) => o,
                Object::Symbol { module, name, index } => format!("{module}::{name}.{index}"),
            };
            (object, b.value.text.into_owned())
        })
    }

    #[test]
    fn every_spelling_of_a_binding() {
        let is = |line: &str, object: &str, value: &str| assert_eq!(got(line), Some((object.into(), value.into())), "{line}");
        is(r#".1.3.6.1.2.1.1.1.0 = STRING: "a b""#, "1.3.6.1.2.1.1.1.0", "a b");
        is("iso.3.6.1.2.1.1.5.0 = STRING: \"r1\"", "1.3.6.1.2.1.1.5.0", "r1");
        is("SNMPv2-MIB::sysDescr.0 = STRING: Linux x", "1.3.6.1.2.1.1.1.0", "Linux x");
        is("sysName.0 = STRING: r1", "1.3.6.1.2.1.1.5.0", "r1");
        is(".iso.org.dod.internet.mgmt.mib-2.system.sysName.0 = STRING: r1", "1.3.6.1.2.1.1.5.0", "r1");
        is("SNMPv2-SMI::enterprises.48690.2.2.1.4.1 = STRING: \"EC25\"", "1.3.6.1.4.1.48690.2.2.1.4.1", "EC25");
        is(".1.3.6.1.4.1.48690.2.2.1.4.1 \"EC25\"", "1.3.6.1.4.1.48690.2.2.1.4.1", "EC25");
        is("TELTONIKA-MIB::mModel.1 = STRING: EC25", "1.3.6.1.4.1.48690.2.2.1.4.1", "EC25");
        is("ACME-MIB::acmeModemImei.1 = STRING: 1", "ACME-MIB::acmeModemImei.1", "1");
        is("1.3.6.1.2.1.1.1.0|4x|4142", "1.3.6.1.2.1.1.1.0", "AB");
        is("1.3.6.1.2.1.1.1.0|4|a|b", "1.3.6.1.2.1.1.1.0", "a|b");
        is(".1.3.6.1.2.1.1.1.0 = Hex-STRING: 41 42 00 ", "1.3.6.1.2.1.1.1.0", "AB");
        is(".1.3.6.1.2.1.2.2.1.6.1 = Hex-STRING: AC 71 2E 44 CF 91 ", "1.3.6.1.2.1.2.2.1.6.1", "AC712E44CF91");
        is(".1.3.6.1.2.1.1.2.0 = OID: .1.3.6.1.4.1.9.1.2105", "1.3.6.1.2.1.1.2.0", ".1.3.6.1.4.1.9.1.2105");
        is(".1.3.6.1.2.1.1.4.0 = No Such Object available on this agent at this OID", "1.3.6.1.2.1.1.4.0", "");
        is(".1.3.6.1.2.1.1.1.0 = \"\"", "1.3.6.1.2.1.1.1.0", "");
        for other in [
            "inet 10.0.0.1 netmask 255.0.0.0",
            "1.2.3.4 gateway",
            "Model = EC25",
            "a::b()",
            "IMEI: 490154203237518",
            "| a | b |",
            "10.1.2.3|4|x",
            "1.2.3.4|4|x",
        ] {
            assert_eq!(got(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn any_line_is_read_or_not(line in "\\PC{0,80}") {
            let _ = read(&line);
        }
        #[test]
        fn lines_that_begin_well(rest in "\\PC{0,60}") {
            let _ = (read(&format!(".1.3.6.1.4.1.9 = Hex-STRING: {rest}")), read(&format!("1.3.6.1.2|4x|{rest}")), read(&format!("A-MIB::{rest}")));
        }
    }
}
