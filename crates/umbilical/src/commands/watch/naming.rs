//! What rows of conversations are named with: places of remote ends, operators of endpoints, and numbers of subscribers covered.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use sha2::{Digest as _, Sha256};
use umbilical_core::answer::watch;
use umbilical_core::finding::Finding;
use umbilical_core::id::hex;
use umbilical_core::number::{self, Check, Imei, Shown};
use umbilical_core::observation::Input;
use umbilical_core::text::clean;
use umbilical_knowledge::Knowledge;
use umbilical_traffic::cellular::sessions::Session;
use umbilical_traffic::places::{Operators, Places};

use super::tables::Table;
use crate::fail::Fail;

/// The format of a database's input.
pub(super) const FORMAT: &str = "ip-db";

/// The numbers of a session that belong to its subscription.
pub(super) fn subscriber(session: &Session) -> Vec<String> {
    [&session.imsi, &session.msisdn, &session.iccid].into_iter().flatten().cloned().collect()
}

/// The same of sessions as they are told, by their ids.
pub(super) fn subscribers(sessions: &[watch::Session]) -> HashMap<&str, Vec<String>> {
    let numbers = |s: &watch::Session| [&s.imsi, &s.msisdn, &s.iccid].into_iter().flatten().cloned().collect();
    sessions.iter().map(|s| (s.id.as_str(), numbers(s))).collect()
}

/// What rows are made with.
#[derive(Debug, Default)]
pub(super) struct Naming {
    pub places: Places,
    pub operators: Operators,
    /// Whether numbers of subscribers are written as they are; what is kept in the home has none.
    pub show: bool,
}

impl Naming {
    /// Without places.
    pub fn new(kb: &Knowledge, show: bool) -> Self {
        Self { places: Places::default(), operators: Operators::new(kb), show }
    }
}

/// Takes a database of addresses.
pub(super) fn database(path: &Path, places: &mut Places) -> Result<Table, Fail> {
    let content = std::fs::read(path).map_err(|source| Fail::Input { path: path.to_path_buf(), source })?;
    let (sha256, bytes) = (hex(&Sha256::digest(&content)), content.len() as u64);
    let told = places
        .add(content)
        .map_err(|why| Fail::usage(format!("{}: {why}", path.display()), "give a database of countries or networks as MMDB or CSV"))?;
    let path = clean(&path.display().to_string()).into_owned();
    let problems = told.into_iter().map(|(line, what)| (format!("line {line}"), what)).collect();
    Ok(Table { input: Input { path, format: FORMAT.to_owned(), sha256, observations: 0, bytes, mapping: Vec::new() }, problems })
}

/// Shorter runs of digits name nobody.
const LONG: usize = 8;

/// A name that a device gave, in which numbers of a subscriber are covered: those that are known, and what is shaped as one. The number
/// of the device itself stays.
pub(super) fn cover<'a>(text: &'a str, own: &[String]) -> Cow<'a, str> {
    // Most names have no long number in them.
    if !text.as_bytes().split(|b| !b.is_ascii_digit()).any(|run| run.len() >= LONG) {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    let mut done = 0;
    let low = text.to_ascii_lowercase();
    let spoken = ["imsi", "msisdn", "iccid"].iter().any(|word| low.contains(word));
    let mut rest = text.char_indices().peekable();
    while let Some((from, c)) = rest.next() {
        if !c.is_ascii_digit() {
            continue;
        }
        let mut to = from.saturating_add(1);
        while rest.next_if(|(_, c)| c.is_ascii_digit()).is_some() {
            to = to.saturating_add(1);
        }
        let (Some(run), Some(before), Some(ahead)) = (text.get(from..to), text.get(done..from), low.get(..from)) else { continue };
        let called = ahead.trim_end_matches([':', '-', '=', '_', '/', '.', ' ']);
        // Of both in one name (OMA LwM2M, 6.2.1) the first is the device's.
        let other = ["imsi", "msisdn", "iccid"].iter().any(|word| called.ends_with(word)) && !called.ends_with("imei-imsi");
        let equipment = called.ends_with("imei") || !other && is_equipment(run);
        let known = own.iter().any(|number| number.len() >= LONG && run.contains(number.as_str()));
        let shaped = run.len() >= 14 || run.len() >= LONG && (spoken || ahead.ends_with('+'));
        if known || shaped && !equipment {
            out.push_str(before);
            out.push_str(&Shown(run).to_string());
            done = to;
        }
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(text.get(done..).unwrap_or_default());
    Cow::Owned(out)
}

/// A finding in which numbers of a subscriber are covered.
pub(super) fn cover_finding(finding: &mut Finding, own: &[String]) {
    for text in &mut finding.because {
        *text = cover(text, own).into_owned();
    }
    if let Some(peer) = finding.detail.get_mut("peer")
        && let Some(text) = peer.as_str()
    {
        *peer = cover(text, own).into_owned().into();
    }
}

/// Whether a number is that of a device beyond doubt: one in ten subscriptions has a right check digit by chance.
fn is_equipment(run: &str) -> bool {
    let imei = run.len() == 15 && matches!(number::imei(run), Imei::Whole { check: Check::Right, .. });
    imei && (number::imsi(run).is_none() || run.starts_with("35"))
}

#[cfg(test)]
mod tests {
    use umbilical_core::finding::Finding;

    use super::cover;

    #[test]
    fn findings_are_covered_in_their_sentences_and_their_peer() {
        let mut finding: Finding = serde_json::from_value(serde_json::json!({
            "id": "fnd-000000000000", "code": "beacon", "source": "detector", "subject": {"kind": "session", "id": "ses-1"}, "verdict": null,
            "severity": "low", "confidence": 1.0, "basis": "inferred", "lifecycle": "patchable", "threats": [], "first": null, "last": null,
            "because": ["The module of ses-1 came to t491701234567.example:443"], "remedies": [], "clears_when": "",
            "detail": {"peer": "imsi-001010123456789.example:443"}
        }))
        .unwrap();
        super::cover_finding(&mut finding, &["491701234567".to_owned()]);
        assert_eq!(finding.because, ["The module of ses-1 came to t49170…67.example:443"]);
        assert_eq!(finding.detail["peer"], "imsi-00101…89.example:443");
    }

    #[test]
    fn subscribers_are_covered_and_devices_are_not() {
        for (text, covered) in [
            ("urn:imei:867698040000179", "urn:imei:867698040000179"),
            ("urn:imei:86769804000017", "urn:imei:86769804000017"),
            ("867698040000179", "867698040000179"),
            ("urn:imsi:001010123456789", "urn:imsi:00101…89"),
            ("urn:imei-imsi:867698040000179-001010123456789", "urn:imei-imsi:867698040000179-00101…89"),
            ("meters/89882390001234567894/up", "meters/89882…94/up"),
            ("msisdn-4915112345", "msisdn-49151…45"),
            ("/rd?ep=+4915112345&lt=86400", "/rd?ep=+49151…45&lt=86400"),
            ("site 4711, line 20261101", "site 4711, line 20261101"),
            ("said its IMEI 867698040000179 and its IMSI 001010123456789", "said its IMEI 867698040000179 and its IMSI 00101…89"),
            ("its telephone number, MSISDN 4915112345678", "its telephone number, MSISDN 49151…78"),
            ("imsi=356938035643809", "imsi=35693…09"),
            // A subscription whose last digit happens to be a right check digit.
            ("262011234567893", "26201…93"),
            ("zähler-17", "zähler-17"),
        ] {
            assert_eq!(cover(text, &[]), covered);
        }
        assert_eq!(cover("dev-882990000001", &["882990000001".to_owned()]), "dev-88299…01");
    }
}
