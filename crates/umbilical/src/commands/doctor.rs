//! `doctor`: whether this installation is in order.

use std::fs;
use std::path::Path;

use umbilical_assess::judge::run_cases;
use umbilical_assess::trace::stamp;
use umbilical_core::Day;
use umbilical_core::answer::doctor::{Checkup, DOCTOR_SCHEMA, Doctor, Health};
use umbilical_knowledge::Knowledge;
use umbilical_knowledge::policy::{Waivers, parse};
use umbilical_report::{View, csv, doctor as page, json};

use super::{facts, formats};
use crate::args::{Format, Global};
use crate::fail::Fail;
use crate::gate::Gates;
use crate::packs::Packs;
use crate::stored::{self, Stored};
use crate::{bundle, decisions, home, law, out, saved};

/// Shown behind the help.
pub const EXAMPLES: &str = "Exits 1 where a check fails (--fail-on fail is the default), 3 where one cannot be told and
--fail-on unknown asks, else 0. It changes nothing, but that an older store is brought up to date as any start does.

Examples:
  umbilical doctor
  umbilical doctor --format json
  umbilical doctor --fail-on fail,unknown";

/// Tables older than this many days are said to be old: lists change every few months.
const OLD: i64 = 180;

/// Runs it.
pub fn run(global: &Global) -> Result<u8, Fail> {
    formats(global, "doctor", &[Format::Table, Format::Json, Format::Csv])?;
    let gates = Gates::parse(&global.fail_on, &["fail"])?;
    let day = home::as_of(global);
    let (kb, tables) = tables(global, day);
    let mut checks = vec![folder(global), tables, bundled(global), packs(global, &kb), tac(global)];
    checks.extend([waivers(global, day), audit(global, &kb), decided(global)]);
    checks.extend(store(global));
    let code = gates.checks(checks.iter().map(|c| c.verdict));
    let answer = Doctor {
        schema: DOCTOR_SCHEMA,
        as_of: day.to_string(),
        knowledge: stamp(&kb, day),
        inputs: Vec::new(),
        problems: Vec::new(),
        program: env!("CARGO_PKG_VERSION").to_owned(),
        checks,
    };
    let view = View { width: out::width(), color: out::colour(global), max_rows: usize::MAX };
    out::answer(global, |w| match global.format {
        Format::Json => json::one(w, &answer),
        Format::Csv => csv::cells(w, &page::COLUMNS, &page::rows(&answer)),
        _ => page::table(w, &answer, &view),
    })?;
    Ok(code)
}

/// A check before it has a verdict.
struct Ask {
    id: &'static str,
    expected: &'static str,
    fix: &'static str,
}

impl Ask {
    fn is(&self, verdict: Health, read: impl Into<String>) -> Checkup {
        let fix = if verdict == Health::Pass { "" } else { self.fix };
        Checkup { id: self.id, verdict, read: read.into(), expected: self.expected.to_owned(), fix: fix.to_owned() }
    }
}

/// The data folder: there, writable, for its owner alone.
fn folder(global: &Global) -> Checkup {
    let ask = Ask {
        id: "home",
        expected: "a folder that this user can write and nobody else can read",
        fix: "name another with --home, or set its owner and mode (chmod 700)",
    };
    let folder = match home::folder(global) {
        Ok(folder) => folder,
        Err(problem) => return ask.is(Health::Fail, problem.to_string()),
    };
    let shown = folder.display();
    if !folder.exists() {
        return ask.is(Health::Na, format!("{shown} is made when something is kept"));
    }
    let probe = folder.join(format!("doctor.{}", std::process::id()));
    let writes = fs::write(&probe, b"");
    let _ = fs::remove_file(&probe);
    match (writes, open_to_others(&folder)) {
        (Err(error), _) => ask.is(Health::Fail, format!("{shown} cannot be written: {error}")),
        (_, Some(mode)) => ask.is(Health::Fail, format!("{shown} has mode {mode:03o}: others can read who has which device")),
        _ => ask.is(Health::Pass, format!("{shown} can be written")),
    }
}

#[cfg(unix)]
fn open_to_others(path: &Path) -> Option<u32> {
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path).ok()?.permissions()) & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}

#[cfg(not(unix))]
fn open_to_others(_: &Path) -> Option<u32> {
    None
}

/// The tables in use: whole, and not older than law changes. Where they are broken the built-in ones serve the other checks.
fn tables(global: &Global, day: Day) -> (Knowledge, Checkup) {
    let ask = Ask {
        id: "tables",
        expected: "tables that keep all their rules, with sources of the last 180 days",
        fix: "take a newer program or a newer bundle (`umbilical knowledge import`); what lists say since then is not known here",
    };
    let kb = match facts(global) {
        Ok(kb) => kb,
        Err(problem) => return (Knowledge::embedded(), ask.is(Health::Fail, problem.to_string())),
    };
    let Some(to) = kb.sources_to() else { return (kb, ask.is(Health::Unknown, "no source has a day")) };
    let age = day.days_since(to);
    let read = format!("sources to {to}, {age} days before {day}");
    let verdict = match age {
        ..0 => return (kb, ask.is(Health::Fail, format!("sources to {to}, which lies after {day}: is the clock right?"))),
        0..=OLD => Health::Pass,
        _ => Health::Unknown,
    };
    (kb, ask.is(verdict, read))
}

/// The bundle in use.
fn bundled(global: &Global) -> Checkup {
    let ask =
        Ask { id: "bundle", expected: "a bundle whose files are what was signed", fix: "import it again (`umbilical knowledge import`)" };
    let Some(current) = bundle::current(global) else { return ask.is(Health::Na, "no bundle is imported") };
    let serial = current.serial;
    match bundle::installed(global) {
        Err(problem) => ask.is(Health::Fail, problem.to_string()),
        Ok(None) => ask.is(Health::Pass, format!("bundle {serial} is older than the tables of this program, which are used")),
        Ok(Some(_)) => ask.is(Health::Pass, format!("bundle {serial} is in use, its files as the key {} signed them", current.key)),
    }
}

/// Packs: readable, and green by their cases.
fn packs(global: &Global, kb: &Knowledge) -> Checkup {
    let ask = Ask {
        id: "packs",
        expected: "packs that agree with their cases and with the tables",
        fix: "`umbilical policy test` shows the cases; take a bundle whose packs and tables belong together",
    };
    let run = || -> Result<(usize, usize, Vec<String>), Fail> {
        let (all, mut cases, mut red) = (Packs::of(global)?.all()?, 0usize, Vec::new());
        for (pack, text) in &all {
            for ran in run_cases(pack, text, kb)? {
                cases = cases.saturating_add(1);
                if !ran.is_right() {
                    red.push(format!("{} line {}", text.name, ran.line));
                }
            }
        }
        Ok((all.len(), cases, red))
    };
    match run() {
        Ok((packs, cases, red)) if red.is_empty() => ask.is(Health::Pass, format!("{packs} packs, {cases} cases green")),
        Ok((_, cases, red)) => ask.is(Health::Fail, format!("{} of {cases} cases come out otherwise: {}", red.len(), red.join(", "))),
        Err(problem) => ask.is(Health::Fail, problem.to_string()),
    }
}

/// Tables of type allocation codes that are not built in.
fn tac(global: &Global) -> Checkup {
    let ask = Ask {
        id: "tac",
        expected: "a table of type allocation codes: without one an IMEI alone says little",
        fix: "import a licensed one (`umbilical knowledge import tac.csv`) or lay the Osmocom table into the home",
    };
    let licensed = home::folder(global).is_ok_and(|h| h.join(home::LICENSED_TAC).is_file());
    let open = home::osmocom_places(global).iter().any(|p| p.is_file());
    match (licensed, open) {
        (false, false) => ask.is(Health::Unknown, "neither a licensed table nor the Osmocom table is at hand"),
        (true, false) => ask.is(Health::Pass, "a licensed table is at hand"),
        (false, true) => ask.is(Health::Pass, "the Osmocom table is at hand (2G era); no licensed table"),
        (true, true) => ask.is(Health::Pass, "a licensed table and the Osmocom table are at hand"),
    }
}

/// The waivers of the home: readable, none expired.
fn waivers(global: &Global, day: Day) -> Checkup {
    let ask = Ask { id: "waivers", expected: "waivers that can be read and have not expired", fix: "mend, renew or remove them" };
    let Some(path) = home::folder(global).ok().map(|h| h.join(home::WAIVERS)).filter(|p| p.is_file()) else {
        return ask.is(Health::Na, "no waivers in the home");
    };
    let read = law::text(&path).and_then(|text| Ok(parse::<Waivers>(&text)?));
    match read {
        Err(problem) => ask.is(Health::Fail, problem.to_string()),
        Ok(all) => {
            let over = |w: &&umbilical_knowledge::policy::Waiver| w.expires.0.earliest() <= day;
            let expired: Vec<String> = all.waivers.iter().filter(over).map(|w| format!("{} of {}", w.code.get_ref(), w.subject)).collect();
            let count = all.waivers.len();
            match expired.is_empty() {
                true => ask.is(Health::Pass, format!("{count} waivers, none expired on {day}")),
                false => ask.is(Health::Fail, format!("{} of {count} waivers expired: {}", expired.len(), expired.join(", "))),
            }
        }
    }
}

/// The last audit.
fn audit(global: &Global, kb: &Knowledge) -> Checkup {
    let ask = Ask { id: "audit", expected: "a last audit by the facts in use", fix: "run `umbilical audit` again" };
    let Some(path) = home::folder(global).ok().map(|h| h.join(home::AUDIT)).filter(|p| p.is_file()) else {
        return ask.is(Health::Na, "no audit is kept");
    };
    let mut devices = 0u64;
    match saved::read(&path, &mut |_| devices = devices.saturating_add(1)) {
        Err(problem) => ask.is(Health::Fail, problem.to_string()),
        Ok(audit) if audit.knowledge.version != kb.version() => {
            let read = format!("{devices} devices as of {}, by other facts ({}) than those in use", audit.as_of, audit.knowledge.version);
            ask.is(Health::Unknown, read)
        }
        Ok(audit) => ask.is(Health::Pass, format!("{devices} devices as of {}", audit.as_of)),
    }
}

/// The store of the home and its backups. Opening it brings an older schema up to date, as any start does.
fn store(global: &Global) -> [Checkup; 2] {
    let ask = Ask {
        id: "store",
        expected: "a store that opens, and chains of evidence, decisions and the audit log in which every row is what was written",
        fix: "keep the file; `umbilical restore` makes a new store of the last good backup",
    };
    let backup = Ask {
        id: "backup",
        expected: "a whole backup of the store, no older than twice the hours that the setting `backups` names",
        fix: "`umbilical backup`, or the setting `backups` for a server to make them by itself; see that the disk has room",
    };
    let none = |what: &str| [ask.is(Health::Na, what), backup.is(Health::Na, "no store in the home")];
    let place = match stored::place(global, None) {
        Ok(place) if Path::new(&place).is_file() => place,
        _ if home::folder(global).is_ok_and(|h| h.join(home::AUDIT).is_file()) => {
            return none("no store in the home: a server would begin without the evidence of the last audit; audit again beside it");
        }
        _ => return none("no store in the home"),
    };
    match Stored::open(&place) {
        Ok(opened) => [chains(&opened, &place, &ask), backed_up(&opened, &backup)],
        // Where the store does not open, the backups beside it count most.
        Err(problem) => {
            let last = Path::new(&place).parent().and_then(|folder| umbilical_store::last_good(&folder.join(home::BACKUPS)));
            let kept = match last {
                Some(path) => backup.is(Health::Pass, format!("the last good backup is {}", path.display())),
                None => backup.is(Health::Fail, "there is no good backup beside it"),
            };
            [ask.is(Health::Fail, problem.to_string()), kept]
        }
    }
}

fn chains(opened: &Stored, place: &str, ask: &Ask) -> Checkup {
    let checked = || {
        let mut wrong = opened.wait(opened.store.verify_custody(false))?;
        wrong.extend(opened.wait(opened.store.verify_decisions())?);
        wrong.extend(opened.wait(opened.store.verify_audit(None))?);
        Ok::<_, Fail>((wrong, opened.wait(opened.store.behind())?))
    };
    match checked() {
        Err(problem) => ask.is(Health::Fail, problem.to_string()),
        Ok((wrong, behind)) => match wrong.first() {
            Some(first) => ask.is(Health::Fail, format!("{} places do not fit; the first: {first}", wrong.len())),
            None if behind => {
                ask.is(Health::Pass, format!("{place} opens, its chains are whole; new evidence waits for an answer (serve)"))
            }
            None => ask.is(Health::Pass, format!("{place} opens, its chains are whole")),
        },
    }
}

/// How old the last good backup is. Where somebody asked for backups and none is made, that is a failure.
fn backed_up(opened: &Stored, ask: &Ask) -> Checkup {
    let every = match opened.wait(opened.store.setting("backups")) {
        Err(problem) => return ask.is(Health::Fail, problem.to_string()),
        Ok(setting) => setting.and_then(|s| s.get("every_hours").and_then(serde_json::Value::as_i64)),
    };
    let files = opened.store.backup_files();
    let good = files.iter().find(|f| umbilical_store::verify_backup(&f.path).is_ok());
    let hours = good.and_then(|f| f.stamp.as_ref()).map(|s| stored::now().0.saturating_sub(s.at.0) / 3_600_000);
    match (hours, every) {
        (None, Some(_)) => ask.is(Health::Fail, format!("{} files, none of them whole", files.len())),
        (None, None) if files.is_empty() => ask.is(Health::Unknown, "no backup was made here"),
        (None, None) => ask.is(Health::Fail, format!("{} files, none of them whole", files.len())),
        (Some(hours), Some(every)) if hours > every.saturating_mul(2) => {
            ask.is(Health::Fail, format!("the last good backup is {hours} hours old, and one is wanted each {every} hours"))
        }
        (Some(hours), _) => ask.is(Health::Pass, format!("the last good backup is {hours} hours old; {} files", files.len())),
    }
}

/// The log of decisions.
fn decided(global: &Global) -> Checkup {
    let ask = Ask {
        id: "decisions",
        expected: "a log in which every line is what was written, in its order",
        fix: "`umbilical policy decisions --verify` shows every place; keep the file as it is and ask who changed it",
    };
    match decisions::read(global, None) {
        Err(problem) => ask.is(Health::Fail, problem.to_string()),
        Ok(log) => match (log.problems.first(), log.decisions.len()) {
            (Some(first), _) => ask.is(Health::Fail, format!("{}: {}", first.at, first.what)),
            (None, 0) => ask.is(Health::Na, "nothing is decided yet"),
            (None, n) => ask.is(Health::Pass, format!("{n} decisions, the log is whole")),
        },
    }
}
