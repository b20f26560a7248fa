//! Lists of lines: an address, a network, a name, a URL or a hash in each, bare or as columns of a table, also as they are defanged
//! (`hxxp://bad[.]example`), and files of hosts (`0.0.0.0 bad.example`).

use super::indicators::{Entry, Mark};
use super::{Problem, host, network};

/// Columns of a line that are looked at.
const COLUMNS: usize = 16;

/// Whether a line says nothing.
pub(super) fn is_remark(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with(['#', ';', '!']) || line.starts_with("//")
}

/// Reads the lines.
pub(super) fn read(text: &str, problems: &mut Vec<Problem>) -> Vec<Entry> {
    let mut out = Vec::new();
    let mut heads = true;
    for (n, line) in text.lines().enumerate() {
        if is_remark(line) {
            continue;
        }
        let at = format!("line {}", n.saturating_add(1));
        match entry(line) {
            Some((mark, said)) => out.push(Entry { mark, at, said, from: None, until: None }),
            // The first line of a table may name its columns.
            None if heads && line.contains([',', '\t']) => {}
            None => problems.push((at, "neither an address, a name of a host, a URL nor a hash".to_owned())),
        }
        heads = false;
    }
    out
}

fn entry(line: &str) -> Option<(Mark, Option<String>)> {
    let table = [b',', b'\t', b';'].into_iter().find(|b| line.as_bytes().contains(b));
    let fields: Vec<&str> = match table {
        Some(sign) => line.split(char::from(sign)).take(COLUMNS).collect(),
        None => {
            // Behind a name may stand a remark; of a file of hosts the name is the second.
            let line = line.split(" #").next().unwrap_or_default();
            line.split_whitespace().collect()
        }
    };
    let fields = fields.iter().map(|f| f.trim().trim_matches('"').trim());
    let marks: Vec<(usize, Mark)> = fields.clone().enumerate().filter_map(|(n, f)| Some((n, mark(f)?))).collect();
    let nowhere = |mark: &Mark| matches!(mark, Mark::Network(ue) if ue.addr.ip().is_unspecified() || ue.addr.ip().is_loopback());
    // Two addresses side by side, or with a dash between, are a range: of which the first alone would be nothing.
    let range = |pair: &[(usize, Mark)]| match pair {
        [(a, Mark::Network(from)), (b, Mark::Network(to))] => {
            from.bits == 128 && to.bits == 128 && b - a <= 2 && !nowhere(&Mark::Network(*from))
        }
        _ => false,
    };
    if marks.first_chunk::<2>().is_some_and(|pair| range(pair)) {
        return None;
    }
    let (n, found) = marks.iter().find(|(_, mark)| !nowhere(mark))?;
    // In a text a name is not what the line lists.
    if table.is_none() && *n > 1 {
        return None;
    }
    let said = fields.enumerate().filter(|(m, f)| m != n && f.chars().any(char::is_alphabetic) && mark(f).is_none()).map(|(_, f)| f);
    let said = said.collect::<Vec<_>>().join(if table.is_some() { ", " } else { " " });
    Some((found.clone(), (!said.is_empty()).then_some(said)))
}

/// What a word is.
pub(super) fn mark(text: &str) -> Option<Mark> {
    let text = fanged(text);
    if let Some(ue) = network(&text).or_else(|| network(text.strip_prefix('[')?.split_once(']')?.0)) {
        return Some(Mark::Network(ue));
    }
    if let Some(url) = bare(&text) {
        return Some(Mark::Url(url.into()));
    }
    let lower = text.to_ascii_lowercase();
    if is_print(&lower) {
        return Some(Mark::Print(lower.into()));
    }
    if lower.bytes().enumerate().all(|(n, b)| (b == b':') == (n % 3 == 2)) && is_print(&print(&lower)) {
        return Some(Mark::Print(print(&lower).into()));
    }
    if let Some(domain) = lower.strip_prefix("*.").or_else(|| lower.strip_prefix('.')) {
        return host(domain).map(|d| Mark::Domain(d.into()));
    }
    // With a port, or with a target that says no scheme.
    if let Some((name, rest)) = lower.split_once(':')
        && rest.parse::<u16>().is_ok()
    {
        return network(name).map(Mark::Network).or_else(|| host(name).map(|h| Mark::Domain(h.into())));
    }
    if let Some((name, _)) = lower.split_once('/') {
        return host(name).map(|name| Mark::Url(format!("{name}{}", text.get(name.len()..).unwrap_or_default()).into()));
    }
    host(&lower).map(|h| Mark::Domain(h.into()))
}

/// A hash as it is looked up: lower case, without the colons that some write between its bytes.
pub(crate) fn print(text: &str) -> String {
    text.chars().filter(|c| *c != ':').map(|c| c.to_ascii_lowercase()).collect()
}

/// MD5 (JA3), SHA-1 and SHA-256 (certificates) in hex, JA4.
fn is_print(text: &str) -> bool {
    let hex = |t: &str| t.bytes().all(|b| b.is_ascii_hexdigit());
    let ja4 = || {
        let parts: Vec<&str> = text.split('_').collect();
        matches!(parts.as_slice(), [a, b, c] if a.len() == 10 && a.starts_with(['t', 'q', 'd']) && b.len() == 12 && hex(b) && c.len() == 12 && hex(c))
    };
    matches!(text.len(), 32 | 40 | 64) && hex(text) || ja4()
}

/// Host and target of a URL.
pub(super) fn bare(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    if !["http", "https", "ftp"].iter().any(|s| scheme.eq_ignore_ascii_case(s)) {
        return None;
    }
    let rest = rest.rsplit_once('@').filter(|(user, _)| !user.contains('/')).map_or(rest, |(_, rest)| rest);
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, target) = (rest.get(..end)?, rest.get(end..)?);
    let authority = authority.to_ascii_lowercase();
    let name = authority.trim_end_matches(":80").trim_end_matches(":443");
    let target = target.split('#').next().filter(|t| !t.is_empty()).unwrap_or("/");
    (!name.is_empty()).then(|| format!("{name}{target}"))
}

/// As it was before somebody made it harmless to click on.
fn fanged(text: &str) -> String {
    let text = text.replace("[.]", ".").replace("(.)", ".").replace("[:]", ":").replace("[://]", "://");
    match text.get(..4) {
        Some(head) if head.eq_ignore_ascii_case("hxxp") => format!("http{}", text.get(4..).unwrap_or_default()),
        _ => text,
    }
}
