//! Query to SQL: every value is bound.

use umbilical_core::Day;

use super::{FIELDS, Node, Op, Query, QueryError, SEVERITIES, STATES, Term, What};
use crate::answer::fold::fold;
use crate::answer::prepare::SUBSCRIBER;
use crate::db::{Sql, Tx};
use crate::time::DAY;
use crate::{Scope, Sites, StoreError};

/// The columns of the list that is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Columns {
    /// Number of the profile.
    pub profile: &'static str,
    /// Number of the device.
    pub device: &'static str,
    /// The id that people decide about.
    pub id: &'static str,
    /// When the device was last seen.
    pub seen: &'static str,
    /// When the thing was first known.
    pub since: &'static str,
    /// Number of the kind of finding, in lists of findings.
    pub kind: Option<&'static str>,
}

/// Devices by row.
pub(crate) const DEVICES: Columns =
    Columns { profile: "d.profile", device: "d.n", id: "d.id", seen: "d.seen", since: "d.since", kind: None };
/// Devices by profile: only for queries that are [`by_bucket`].
pub(crate) const PROFILES: Columns = Columns { profile: "p.n", ..DEVICES };
/// Words of profiles, counted from the word: the sign keeps SQLite from beginning at the profiles, each of which has two dozen words.
pub(crate) const WORDS: Columns = Columns { profile: "+pw.profile", ..DEVICES };
/// Findings by row.
pub(crate) const FINDINGS: Columns =
    Columns { profile: "f.profile", device: "f.device", id: "f.id", seen: "f.n", since: "f.since", kind: Some("f.kind") };
/// Findings by kind and profile.
pub(crate) const TALLIES: Columns = Columns { profile: "t.profile", kind: Some("t.kind"), ..FINDINGS };

/// A code as it is compared: codes are few, of ASCII, and folded where they stand.
const CODE: &str = "REPLACE(REPLACE(LOWER(fk.code), '-', ' '), '_', ' ')";

/// Whether a query asks only what devices of one profile have in common: then it is answered without looking at devices.
pub(crate) fn by_bucket(node: &Node) -> bool {
    match node {
        Node::And(all) | Node::Or(all) => all.iter().all(by_bucket),
        Node::Not(inner) => by_bucket(inner),
        Node::Term(term) => {
            matches!(term.field.and_then(|f| FIELDS.get(f)).map(|f| f.2), Some(What::Word(_) | What::Ranked(_) | What::Confidence))
        }
    }
}

/// Adds the condition of a query and a scope.
pub(crate) fn condition(out: &mut Sql, query: &Query, scope: &Scope, columns: &Columns) -> Result<(), QueryError> {
    scoped(out, scope, columns);
    out.push(" AND ");
    node(out, &query.root, scope, columns)
}

/// Adds the condition of a scope alone.
pub(crate) fn scoped(out: &mut Sql, scope: &Scope, columns: &Columns) {
    match &scope.sites {
        Sites::All => {
            out.push("1 = 1");
        }
        Sites::Only(sites) => {
            let sites: Vec<String> = sites.iter().map(|s| fold(s)).collect();
            out.push(columns.profile)
                .push(" IN (SELECT pw.profile FROM profile_word pw JOIN word w ON w.n = pw.word WHERE w.field = 'site' AND w.value IN (");
            out.bind_all(sites).push("))");
        }
    }
}

fn node(out: &mut Sql, part: &Node, scope: &Scope, columns: &Columns) -> Result<(), QueryError> {
    match part {
        Node::And(all) if all.is_empty() => {
            out.push("1 = 1");
        }
        Node::And(all) | Node::Or(all) => {
            let word = if matches!(part, Node::And(_)) { " AND " } else { " OR " };
            out.push("(");
            for (i, inner) in all.iter().enumerate() {
                if i > 0 {
                    out.push(word);
                }
                node(out, inner, scope, columns)?;
            }
            out.push(")");
        }
        Node::Not(inner) => {
            out.push("NOT (");
            node(out, inner, scope, columns)?;
            out.push(")");
        }
        Node::Term(t) => term(out, t, scope, columns)?,
    }
    Ok(())
}

fn term(out: &mut Sql, term: &Term, scope: &Scope, columns: &Columns) -> Result<(), QueryError> {
    let Some((name, _, what, _)) = term.field.and_then(|f| FIELDS.get(f)) else {
        free(out, term, scope, columns);
        return Ok(());
    };
    match (what, columns.kind) {
        // A list of findings asks the finding itself.
        (What::Word(_), Some(kind)) if *name == "code" => {
            out.push(kind).push(" IN (SELECT fk.n FROM finding_kind fk WHERE ");
            text(out, CODE, term);
            out.push(")");
        }
        (What::Word(_), _) if *name == "waived" => waived(out, term, columns),
        (What::Word(_), Some(kind)) if ["verdict", "source"].contains(name) => {
            out.push(kind).push(&format!(" IN (SELECT fk.n FROM finding_kind fk WHERE fk.{name} IS NOT NULL AND fk.{name} = "));
            out.bind(term.value.to_lowercase()).push(")");
        }
        (What::Ranked(_), Some(kind)) => {
            let rank = SEVERITIES.iter().position(|s| s.eq_ignore_ascii_case(&term.value)).unwrap_or(0);
            out.push(kind).push(&format!(" IN (SELECT fk.n FROM finding_kind fk WHERE fk.severity {} ", sign(term.op)));
            out.bind(rank).push(")");
        }
        (What::Confidence, Some(kind)) if term.value.parse::<f64>().is_ok() => {
            out.push(kind).push(&format!(" IN (SELECT fk.n FROM finding_kind fk WHERE fk.confidence {} ", sign(term.op)));
            out.bind(term.value.parse::<f64>().unwrap_or(0.0)).push(")");
        }
        (What::Ranked(_), None) if term.op != Op::Is => {
            let rank = SEVERITIES.iter().position(|s| s.eq_ignore_ascii_case(&term.value)).unwrap_or(0);
            out.push(columns.profile)
                .push(&format!(" IN (SELECT q.n FROM profile q WHERE q.severity >= 0 AND q.severity {} ", sign(term.op)));
            out.bind(rank).push(")");
        }
        (What::Word(_) | What::Ranked(_), _) => word(out, name, term, columns),
        (What::Confidence, _) => match term.value.parse::<f64>() {
            Ok(number) => {
                out.push(columns.profile).push(&format!(" IN (SELECT q.n FROM profile q WHERE q.confidence {} ", sign(term.op)));
                out.bind(number).push(")");
            }
            Err(_) => word(out, "certainty", term, columns),
        },
        (What::Key(kinds), _) => keys(out, kinds, term, columns),
        (What::Subscriber(kinds), _) if scope.subscribers => keys(out, kinds, term, columns),
        (What::Subscriber(_), _) => {
            let what = format!("searching for {name} needs the right to see subscriber numbers");
            return Err(QueryError { column: term.column, what, allowed: Vec::new() });
        }
        (What::Decision(_), _) => decision(out, name, term, columns),
        (What::Id, _) => id(out, term, columns),
        (What::Evidence, _) => {
            out.push(columns.device)
                .push(" IN (SELECT de.device FROM device_evidence de JOIN evidence e ON e.n = de.evidence WHERE e.id = ");
            out.bind(term.value.to_lowercase()).push(")");
        }
        (What::Seen, Some(_)) => {
            out.push(columns.device).push(" IN (SELECT s.n FROM device s WHERE ");
            day(out, "s.seen", term);
            out.push(")");
        }
        (What::Seen, None) => day(out, columns.seen, term),
        (What::Since, _) => day(out, columns.since, term),
    }
    Ok(())
}

/// What no waiver holds for has no mark.
fn waived(out: &mut Sql, term: &Term, columns: &Columns) {
    let not = if term.value.eq_ignore_ascii_case("yes") { "" } else { "NOT " };
    match columns.kind {
        Some(kind) => out.push(kind).push(&format!(" {not}IN (SELECT fk.n FROM finding_kind fk WHERE fk.waived = 1)")),
        None => out.push(columns.profile).push(&format!(
            " {not}IN (SELECT pw.profile FROM profile_word pw JOIN word w ON w.n = pw.word WHERE w.field = 'waived' AND w.value = 'yes')"
        )),
    };
}

fn sign(op: Op) -> &'static str {
    match op {
        Op::Is => "=",
        Op::Less => "<",
        Op::LessOrIs => "<=",
        Op::More => ">",
        Op::MoreOrIs => ">=",
    }
}

/// A day in UTC against a time.
fn day(out: &mut Sql, column: &str, term: &Term) {
    let parsed: Option<Day> = term.value.parse().ok();
    let epoch = Day { year: 1970, month: 1, day: 1 };
    let start = parsed.map_or(0, |d| d.days_since(epoch).saturating_mul(DAY));
    let end = start.saturating_add(DAY);
    let (from, to) = match term.op {
        Op::Is => (start, end),
        Op::Less => (i64::MIN, start),
        Op::LessOrIs => (i64::MIN, end),
        Op::More => (end, i64::MAX),
        Op::MoreOrIs => (start, i64::MAX),
    };
    out.push("(").push(column).push(" >= ").bind(from).push(" AND ").push(column).push(" < ").bind(to).push(")");
}

/// A folded text against a term: whole, with a beginning of a word, or with its words one after another.
fn text(out: &mut Sql, column: &str, term: &Term) {
    let folded = fold(&term.value);
    if term.whole && !term.prefix {
        out.push(column).push(" = ").bind(folded);
        return;
    }
    let escaped: String = folded.chars().flat_map(|c| if matches!(c, '%' | '_' | '\\') { vec!['\\', c] } else { vec![c] }).collect();
    let (column, pattern) = match (term.whole, term.prefix) {
        (true, _) => (column.to_owned(), format!("{escaped}%")),
        (false, true) => (format!("(' ' || {column})"), format!("% {escaped}%")),
        (false, false) => (format!("(' ' || {column} || ' ')"), format!("% {escaped} %")),
    };
    out.push(&column).push(" LIKE ").bind(pattern).push(" ESCAPE '\\'");
}

fn word(out: &mut Sql, field: &str, term: &Term, columns: &Columns) {
    out.push(columns.profile).push(" IN (SELECT pw.profile FROM profile_word pw JOIN word w ON w.n = pw.word WHERE w.field = ");
    out.bind(field).push(" AND ");
    text(out, "w.value", term);
    out.push(")");
}

/// Keys are ordered, and of texts there is one for each word: a range finds what begins so.
fn key(out: &mut Sql, term: &Term) {
    let folded = fold(&term.value);
    if term.prefix {
        let last = format!("{folded}\u{10ffff}");
        out.push("(k.value >= ").bind(folded).push(" AND k.value < ").bind(last).push(")");
    } else if term.whole {
        out.push("k.value = ").bind(folded);
    } else {
        // `!` is the sign behind the blank.
        let (from, to) = (format!("{folded} "), format!("{folded}!"));
        out.push("(k.value = ").bind(folded).push(" OR (k.value >= ").bind(from).push(" AND k.value < ").bind(to).push("))");
    }
}

fn keys(out: &mut Sql, kinds: &[&str], term: &Term, columns: &Columns) {
    among(out, term, columns);
    out.push(" AND k.kind IN (").bind_all(kinds.iter().copied()).push("))");
}

/// The devices with a key that fits: gathered, or for each device asked whether it has one.
fn among(out: &mut Sql, term: &Term, columns: &Columns) {
    if term.broad {
        out.push("EXISTS (SELECT 1 FROM device_key k WHERE k.device = ").push(columns.device).push(" AND ");
    } else {
        out.push(columns.device).push(" IN (SELECT k.device FROM device_key k WHERE ");
    }
    key(out, term);
}

/// Keys beyond so many are not gathered in a small fleet; in a large one, an eighth of its devices.
const GATHERED: i64 = 20_000;

/// Finds out which terms are broad.
pub(crate) async fn weighed(tx: &mut Tx, query: &Query) -> Result<Query, StoreError> {
    let mut query = query.clone();
    let terms = query.keyed();
    if terms.is_empty() {
        return Ok(query);
    }
    let devices = tx.number(Sql::new("SELECT devices FROM answer ORDER BY n DESC LIMIT 1")).await?;
    let most = GATHERED.max(devices / 8);
    for term in terms {
        let mut ask = Sql::new("SELECT COUNT(*) FROM (SELECT 1 FROM device_key k WHERE ");
        key(&mut ask, term);
        ask.push(&format!(" LIMIT {most}) x"));
        term.broad = tx.number(ask).await? >= most;
        if term.field.is_none() {
            let mut ask = Sql::new("SELECT CAST(SUM(p.devices) AS BIGINT) FROM profile p WHERE p.n IN (");
            any_word(&mut ask, term);
            ask.push(")");
            term.few = !term.broad && tx.number(ask).await? < most;
            let mut ask = Sql::new("SELECT COUNT(*) FROM finding_kind fk WHERE ");
            text(&mut ask, CODE, term);
            term.codes = tx.number(ask).await? > 0;
        }
    }
    Ok(query)
}

fn decision(out: &mut Sql, kind: &str, term: &Term, columns: &Columns) {
    // What nobody has looked at has no row.
    if kind == "state" && term.value.eq_ignore_ascii_case(STATES.first().copied().unwrap_or_default()) {
        out.push(columns.id).push(" NOT IN (SELECT s.subject FROM decision_now s WHERE s.kind = 'state')");
        return;
    }
    out.push(columns.id).push(" IN (SELECT s.subject FROM decision_now s WHERE s.kind = ").bind(kind).push(" AND ");
    text(out, "s.folded", term);
    out.push(")");
}

fn id(out: &mut Sql, term: &Term, columns: &Columns) {
    let value = term.value.to_lowercase();
    // Among findings a device's id is for those about it.
    if columns.kind.is_some() && value.starts_with("dev-") && !term.prefix {
        out.push(columns.device).push(" IN (SELECT o.n FROM device o WHERE o.id = ").bind(&value);
        out.push(" OR o.id IN (SELECT a.device FROM alias a WHERE a.id = ").bind(&value).push("))");
        return;
    }
    if term.prefix {
        let last = format!("{value}\u{10ffff}");
        out.push("(").push(columns.id).push(" >= ").bind(value).push(" AND ").push(columns.id).push(" < ").bind(last).push(")");
    } else {
        out.push("(").push(columns.id).push(" = ").bind(&value).push(" OR ").push(columns.id);
        out.push(" IN (SELECT a.device FROM alias a WHERE a.id = ").bind(&value).push("))");
    }
}

/// A word alone: any word of the profile, any name or number, an id.
fn free(out: &mut Sql, term: &Term, scope: &Scope, columns: &Columns) {
    if columns.kind.is_none() && term.value.starts_with("dev-") || columns.kind.is_some() && term.value.starts_with("fnd-") {
        return id(out, term, columns);
    }
    let hidden = |out: &mut Sql| {
        if !scope.subscribers {
            out.push(" AND k.kind NOT IN (").bind_all(SUBSCRIBER).push(")");
        }
    };
    out.push("(");
    if let Some(kind) = columns.kind.filter(|_| term.codes) {
        out.push(kind).push(" IN (SELECT fk.n FROM finding_kind fk WHERE ");
        text(out, CODE, term);
        out.push(") OR ");
    }
    if term.few {
        // One set of devices, so that an index leads to them: two conditions joined by OR would look at all.
        among(out, term, columns);
        hidden(out);
        out.push(" UNION ALL SELECT x.n FROM device x WHERE x.profile IN (");
        any_word(out, term);
        out.push(")))");
    } else {
        out.push(columns.profile).push(" IN (");
        any_word(out, term);
        out.push(") OR ");
        among(out, term, columns);
        hidden(out);
        out.push("))");
    }
}

/// The profiles that have a word.
fn any_word(out: &mut Sql, term: &Term) {
    out.push("SELECT pw.profile FROM profile_word pw JOIN word w ON w.n = pw.word WHERE ");
    text(out, "w.value", term);
}
