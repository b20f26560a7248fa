//! The file of waivers: entries are added at its end and taken out again; everything else in it stays as people wrote it.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use umbilical_core::Day;
use umbilical_core::text::clean;
use umbilical_knowledge::policy::{PolicyText, Waivers, parse};
use umbilical_store::{KeptWaiver, StoreError};

use crate::app::App;

/// Its name in the home.
pub const FILE: &str = "waivers.toml";

/// The file that this server writes to and judges by.
pub fn path(app: &App) -> PathBuf {
    app.config().waivers.clone().unwrap_or_else(|| app.config().home.join(FILE))
}

/// The file's text, empty where there is none.
pub fn text(path: &Path) -> Result<String, StoreError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(failed(path, &error)),
    }
}

/// What a text says; the error names the line.
pub fn read(path: &Path, text: &str) -> Result<Waivers, String> {
    let text = PolicyText { name: path.display().to_string(), text: text.to_owned() };
    let waivers: Waivers = parse(&text).map_err(|e| e.to_string())?;
    waivers.check(&text).map_err(|e| e.to_string())?;
    Ok(waivers)
}

/// The text with an entry more at its end. It is read back before it is given: what stands there is what was approved.
pub fn with(path: &Path, text: &str, waiver: &KeptWaiver, approver: &str, day: Day) -> Result<String, StoreError> {
    let mend = |e: String| StoreError::Conflict(format!("the file of waivers cannot be added to, mend it first: {e}"));
    // What an attempt left behind that was not kept goes first.
    let text = without(text, &waiver.id);
    let before = read(path, &text).map_err(mend)?;
    let p = &waiver.proposal;
    let until: Day = p.until.parse().map_err(|_| StoreError::Invalid("the last day of the waiver is none".into()))?;
    let ends = until.plus_days(1).ok_or_else(|| StoreError::Invalid("the last day of the waiver lies too far ahead".into()))?;
    let mut entry =
        format!("# {}: proposed by {}, approved by {} on {day}\n[[waiver]]\n", waiver.id, line(&waiver.proposed_by), line(approver));
    let ends = ends.to_string();
    let fields = [
        ("code", Some(p.code.as_str())),
        ("subject", Some(&p.subject)),
        ("module", p.module.as_deref()),
        ("reason", Some(&p.reason)),
        ("approver", Some(approver)),
        ("expires", Some(&ends)),
        ("justification", p.justification.as_deref()),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            // What JSON escapes in a text TOML escapes in the same way; other control characters are gone.
            entry.push_str(&format!("{name} = {}\n", serde_json::Value::from(line(value))));
        }
    }
    let gap = if text.is_empty() || text.ends_with("\n\n") {
        ""
    } else if text.ends_with('\n') {
        "\n"
    } else {
        "\n\n"
    };
    let after = format!("{text}{gap}{entry}");
    let all = read(path, &after).map_err(mend)?;
    let last = all.waivers.last().filter(|_| all.waivers.len() == before.waivers.len().saturating_add(1));
    let same = last
        .is_some_and(|w| *w.code.get_ref() == line(&p.code) && *w.subject.get_ref() == line(&p.subject) && w.expires.to_string() == ends);
    if same { Ok(after) } else { Err(StoreError::Conflict("the waiver would not be read as it was approved".into())) }
}

/// The text without the entry of a waiver: its line of who proposed and approved, and what stands under it up to an empty line,
/// another entry or another remark.
pub fn without(text: &str, id: &str) -> String {
    let mark = format!("# {id}:");
    let (mut out, mut inside, mut headed) = (String::with_capacity(text.len()), false, false);
    for line in text.split_inclusive('\n') {
        let bare = line.trim();
        if bare.starts_with(&mark) {
            (inside, headed) = (true, false);
            // The empty line before it came with it.
            if out.ends_with("\n\n") {
                out.pop();
            }
            continue;
        }
        if inside {
            let head = bare.starts_with("[[");
            inside = !(bare.is_empty() || bare.starts_with('#') || head && headed);
            headed |= head;
        }
        if !inside {
            out.push_str(line);
        }
    }
    out
}

/// The text without any entry that was proposed and approved here.
pub fn by_hand(text: &str) -> String {
    let ours = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("# ")?.split_once(':').map(|(id, _)| id))
        .filter(|id| id.starts_with("wvr-"));
    ours.fold(text.to_owned(), |rest, id| without(&rest, id))
}

/// Whether the file holds what a waiver says under another hand's line, so that taking ours out would not end it.
pub fn stands(waivers: &Waivers, waiver: &KeptWaiver) -> bool {
    let p = &waiver.proposal;
    let ends = p.until.parse::<Day>().ok().and_then(|d| d.plus_days(1)).map(|d| d.to_string());
    let same = |w: &umbilical_knowledge::policy::Waiver| {
        *w.code.get_ref() == line(&p.code)
            && *w.subject.get_ref() == line(&p.subject)
            && w.module.as_deref() == p.module.as_deref().map(line).as_deref()
            && Some(w.expires.to_string()) == ends
            && *w.reason.get_ref() == line(&p.reason)
    };
    waivers.waivers.iter().any(same)
}

/// Puts a text in the place of the file: written beside it and renamed, so that it is whole at any time. A link is followed, and
/// the file keeps its mode.
pub fn put(path: &Path, text: &str) -> Result<(), StoreError> {
    let at = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let beside = at.with_extension(format!("toml.{}.new", std::process::id()));
    let write = || {
        let mut options = std::fs::File::options();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&beside)?;
        file.write_all(text.as_bytes())?;
        if let Ok(there) = std::fs::metadata(&at) {
            file.set_permissions(there.permissions())?;
        }
        file.sync_all()?;
        std::fs::rename(&beside, &at)
    };
    write().map_err(|error| {
        let _ = std::fs::remove_file(&beside);
        failed(&at, &error)
    })
}

fn failed(path: &Path, error: &std::io::Error) -> StoreError {
    use std::io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    let what = format!("the file of waivers {} cannot be read or written: {error}", path.display());
    match error.kind() {
        StorageFull | QuotaExceeded => StoreError::Full(what),
        PermissionDenied | ReadOnlyFilesystem => StoreError::Conflict(what),
        _ => StoreError::Unavailable(what),
    }
}

/// A text on one line, without what steers.
fn line(text: &str) -> String {
    clean(text).chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use umbilical_store::{Proposal, Time, WaiverState};

    use super::*;

    fn waiver(id: &str, reason: &str) -> KeptWaiver {
        KeptWaiver {
            id: id.to_owned(),
            proposal: Proposal {
                code: "US-NDAA-889-A".into(),
                subject: "dev-0123456789ab".into(),
                module: Some("Quectel EG25-G".into()),
                reason: reason.to_owned(),
                until: "2027-02-28".into(),
                justification: Some("inline_mitigations_already_exist".into()),
            },
            state: WaiverState::Proposed,
            person: "usr-1".into(),
            proposed_by: "ana".into(),
            proposed_at: Time(0),
            settled_by: None,
            settled_at: None,
            comment: String::new(),
        }
    }

    const DAY: Day = Day { year: 2026, month: 11, day: 29 };
    /// As people write it: remarks, an order of their own, no newline at the end.
    const OURS: &str = "# Reviewed by the board, quarterly.\n\n[[waiver]]   # the old pumps\nsubject = \"pump-*\"\ncode = 'US-FCC-COVERED'\n\
                        reason = \"\"\"two\nlines\"\"\"\napprover = \"Board\"\nexpires = \"2027\"";

    #[test]
    fn an_entry_comes_and_goes_and_the_rest_stays() {
        let path = Path::new("waivers.toml");
        for reason in [
            "in a cage",
            "quotes \" and \\ and 'x'",
            "two\nlines\r\nthree\u{7f}\u{0}",
            "# no remark",
            "[[waiver]]\ncode = \"*\"",
            "ü\u{202e}😀",
        ] {
            for before in ["", "# a remark\n", OURS] {
                let first = with(path, before, &waiver("wvr-000000000001", reason), "ben", DAY).unwrap();
                assert!(first.starts_with(before));
                let both = with(path, &first, &waiver("wvr-000000000002", "again"), "ben", DAY).unwrap();
                assert!(both.starts_with(&first));
                let read_back = read(path, &both).unwrap().waivers;
                let ours = &read_back[read_back.len() - 2];
                assert_eq!((ours.approver.get_ref().as_str(), ours.expires.to_string().as_str()), ("ben", "2027-03-01"));
                assert_eq!(ours.reason.get_ref(), &line(reason));
                assert!(stands(&read(path, &both).unwrap(), &waiver("x", reason)));
                // The same once more is there once.
                assert_eq!(with(path, &both, &waiver("wvr-000000000002", "again"), "ben", DAY).unwrap(), both);
                // Either goes alone, and both.
                let second = without(&both, "wvr-000000000001");
                assert!(second.starts_with(before) && second.contains("wvr-000000000002") && !second.contains("wvr-000000000001"));
                assert_eq!(read(path, &second).unwrap().waivers.len(), read_back.len() - 1);
                assert_eq!(without(&both, "wvr-000000000002"), first);
                assert_eq!(without(&without(&both, "wvr-000000000002"), "wvr-000000000001").trim_end(), before.trim_end());
            }
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_added_to() {
        let path = Path::new("waivers.toml");
        for broken in [
            "[[waiver]]\n",
            "waiver = []\n",
            "code =",
            "[[waiver]]\ncode = \"*\"\nsubject = \"x\"\nreason = \"x\"\napprover = \"x\"\nexpires = \"2027\"\n",
        ] {
            assert!(matches!(with(path, broken, &waiver("wvr-1", "x"), "ben", DAY), Err(StoreError::Conflict(_))), "{broken}");
        }
    }
}
