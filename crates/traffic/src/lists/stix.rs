//! Bundles of STIX 2: indicators whose pattern is a choice of single observations (OASIS STIX 2.1, clause 9).

use serde_json::Value;

use super::indicators::{Entry, Mark};
use super::{Problem, host, network, plain};
use crate::record::stamp;

/// Whether this is a bundle.
pub(super) fn is_one(json: &Value) -> bool {
    json.get("type").and_then(Value::as_str) == Some("bundle")
}

/// Reads the indicators.
pub(super) fn read(json: &Value, problems: &mut Vec<Problem>) -> Option<Vec<Entry>> {
    let mut out = Vec::new();
    // A bundle may be empty, and then says nothing.
    for object in json.get("objects").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default() {
        let text = |key: &str| object.get(key).and_then(Value::as_str);
        if text("type") != Some("indicator") || object.get("revoked").and_then(Value::as_bool) == Some(true) {
            continue;
        }
        let at = text("id").unwrap_or("an indicator without an id").to_owned();
        let Some(pattern) = text("pattern").filter(|_| text("pattern_type").is_none_or(|kind| kind == "stix")) else {
            problems.push((at, "it has no pattern of STIX".to_owned()));
            continue;
        };
        let when = |key: &str| text(key).and_then(stamp);
        match marks(pattern) {
            Ok(marks) => out.extend(marks.into_iter().map(|mark| Entry {
                mark,
                at: at.clone(),
                said: text("name").or(text("description")).map(str::to_owned),
                from: when("valid_from"),
                until: when("valid_until"),
            })),
            Err(what) => problems.push((at, what)),
        }
    }
    Some(out)
}

/// What a pattern is about: `[ipv4-addr:value = '198.51.100.1' OR domain-name:value = 'a.example']`, or several such behind OR.
fn marks(pattern: &str) -> Result<Vec<Mark>, String> {
    let mut out = Vec::new();
    let mut rest = pattern.trim();
    loop {
        rest = rest.strip_prefix('[').ok_or("its pattern does not begin with a bracket")?;
        loop {
            let (mark, behind) = comparison(rest)?;
            out.push(mark);
            rest = behind.trim_start();
            match rest.strip_prefix("OR") {
                Some(next) => rest = next,
                None => break,
            }
        }
        rest = rest.strip_prefix(']').ok_or("what must be met together (AND) is not looked for")?.trim_start();
        match rest.strip_prefix("OR") {
            Some(next) => rest = next.trim_start(),
            None if rest.is_empty() => return Ok(out),
            None => return Err("what must follow one another or within a time is not looked for".to_owned()),
        }
    }
}

fn comparison(text: &str) -> Result<(Mark, &str), String> {
    let text = text.trim_start();
    let path_end = text.find([' ', '=', '!', '<', '>']).ok_or("its pattern breaks off")?;
    let (path, rest) = text.split_at(path_end);
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('=').or_else(|| rest.strip_prefix("ISSUBSET")).ok_or("only = and ISSUBSET are looked for")?;
    let mut value = String::new();
    let mut chars = rest.trim_start().strip_prefix('\'').ok_or("only texts are looked for")?.char_indices();
    let quoted = rest.trim_start().get(1..).unwrap_or_default();
    let end = loop {
        match chars.next().ok_or("its text has no end")? {
            (_, '\\') => value.extend(chars.next().map(|(_, c)| c)),
            (at, '\'') => break at,
            (_, c) => value.push(c),
        }
    };
    let behind = quoted.get(end.saturating_add(1)..).unwrap_or_default();
    let mark = match path {
        "ipv4-addr:value" | "ipv6-addr:value" | "network-traffic:dst_ref.value" | "network-traffic:src_ref.value" => {
            network(&value).map(Mark::Network)
        }
        // A name is that of a domain or of a host: what stands below it is the same owner's.
        "domain-name:value" => host(&value).map(|h| Mark::Domain(h.into())),
        "url:value" => plain::bare(&value).map(|u| Mark::Url(u.into())),
        _ if path.starts_with("x509-certificate:hashes.")
            || path.ends_with("ja3")
            || path.ends_with("ja3_hash")
            || path.ends_with("ja4") =>
        {
            Some(Mark::Print(plain::print(&value).into()))
        }
        _ => return Err(format!("{} is not to be seen on a network", umbilical_core::text::clean(path))),
    };
    mark.map(|mark| (mark, behind)).ok_or_else(|| format!("{:?} is no value of {}", value, umbilical_core::text::clean(path)))
}
