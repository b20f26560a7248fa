//! Sinks: where events go, and how far each has come.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use umbilical_core::id::content_id;

use crate::audit;
use crate::db::{Row, Sql, Tx, sql};
use crate::error::not_found;
use crate::{By, Store, StoreError, Time, pack};

/// From the least to the worst.
pub(super) const SEVERITIES: [&str; 5] = ["info", "low", "medium", "high", "critical"];
/// The verdict of findings that have none, as filters name it.
pub(super) const NO_VERDICT: &str = "none";
const VERDICTS: [&str; 4] = ["fail", "review", "unknown", NO_VERDICT];
/// Sinks of one store.
const MOST: i64 = 50;
/// The longest name, and settings, in bytes.
const LONGEST_NAME: usize = 100;
const LONGEST: usize = 64 << 10;

/// How events leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SinkKind {
    /// JSON by HTTP, signed.
    Webhook,
    /// CEF in syslog over TCP or TLS.
    Syslog,
    /// Splunk's HTTP Event Collector.
    Hec,
    /// A digest by SMTP.
    Mail,
}

impl SinkKind {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Webhook, Self::Syslog, Self::Hec, Self::Mail];

    /// The word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Syslog => "syslog",
            Self::Hec => "hec",
            Self::Mail => "mail",
        }
    }

    /// The kind of a word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.name() == name)
    }
}

/// What a sink wants to hear of. Summaries go to every sink. An event about a finding that changed or went fits as well where it
/// fitted before: who heard of a finding hears of its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SinkFilter {
    /// The least severity: `info` to `critical`.
    pub severity: String,
    /// Of `fail`, `review`, `unknown` and `none` (findings without a verdict); empty for all.
    #[serde(default)]
    pub verdicts: Vec<String>,
    /// Codes of findings, or their beginnings with `*` behind; empty for all.
    #[serde(default)]
    pub codes: Vec<String>,
    /// Whether people's decisions are told.
    pub decisions: bool,
}

impl Default for SinkFilter {
    fn default() -> Self {
        Self { severity: "medium".into(), verdicts: Vec::new(), codes: Vec::new(), decisions: true }
    }
}

impl SinkFilter {
    fn check(&self) -> Result<(), StoreError> {
        let invalid = |what: String| Err(StoreError::Invalid(what));
        if !SEVERITIES.contains(&self.severity.as_str()) {
            return invalid(format!("a severity is one of {}", SEVERITIES.join(", ")));
        }
        if self.verdicts.iter().any(|v| !VERDICTS.contains(&v.as_str())) {
            return invalid(format!("verdicts are of {}", VERDICTS.join(", ")));
        }
        if self.codes.len() > 200 || self.codes.iter().any(|c| c.is_empty() || c.len() > 200 || c.trim_end_matches('*').contains('*')) {
            return invalid("codes are at most 200 names of findings, each with a `*` at its end alone".into());
        }
        Ok(())
    }

    fn rank(&self) -> i64 {
        (0i64..).zip(SEVERITIES).find(|(_, s)| *s == self.severity).map_or(0, |(n, _)| n)
    }
}

/// The condition under which a row of the outbox is for a filter.
pub(super) fn wanted(out: &mut Sql, filter: &SinkFilter) {
    out.push("(kind = 'summary' OR (");
    if !filter.decisions {
        out.push("kind <> 'decision' AND ");
    }
    out.push("(code IS NULL OR (severity >= ").bind(filter.rank());
    if !filter.verdicts.is_empty() {
        out.push(" AND (verdict IN (").bind_all(&filter.verdicts).push(") OR was_verdict IN (").bind_all(&filter.verdicts).push("))");
    }
    if !filter.codes.is_empty() {
        out.push(" AND (code IN (").bind_all(filter.codes.iter().filter(|c| !c.ends_with('*'))).push(")");
        for beginning in filter.codes.iter().filter_map(|c| c.strip_suffix('*')) {
            let length = beginning.chars().count();
            out.push(" OR substr(code, 1, CAST(").bind(length).push(" AS INTEGER)) = ").bind(beginning);
        }
        out.push(")");
    }
    out.push("))))");
}

/// What people say of a sink.
#[derive(Clone, Debug, PartialEq)]
pub struct SinkOf {
    /// What it is called: one sink has one name.
    pub name: String,
    /// How events leave.
    pub kind: SinkKind,
    /// Of its kind, without what is secret.
    pub settings: Json,
    /// What it wants.
    pub filter: SinkFilter,
    /// Whether subscriber numbers are given whole.
    pub subscribers: bool,
    /// Whether it delivers; one that does not keeps its place, and events wait.
    pub running: bool,
}

impl SinkOf {
    fn check(&self) -> Result<(), StoreError> {
        let name = self.name.trim();
        if name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
            return Err(StoreError::field("name", format!("a sink has a name of 1 to {LONGEST_NAME} bytes")));
        }
        self.filter.check()
    }

    /// What the audit log has of it: no secret is among it. Addresses of chat and ticket systems are secrets behind the host.
    fn shown(&self) -> Json {
        let mut settings = self.settings.clone();
        if let Some(Json::String(url)) = settings.get_mut("url")
            && let Some(path) =
                url.find("://").and_then(|at| url.get(at.saturating_add(3)..)?.find('/').map(|n| at.saturating_add(3).saturating_add(n)))
        {
            url.truncate(path);
            url.push_str("/…");
        }
        json!({
            "name": self.name, "kind": self.kind.name(), "settings": settings, "filter": self.filter,
            "subscribers": self.subscribers, "running": self.running,
        })
    }
}

/// A sink as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Sink {
    /// `snk-…`
    pub id: String,
    /// What people say of it.
    pub of: SinkOf,
    /// When it was made.
    pub created: Time,
    /// By whom.
    pub by: String,
    /// The last event that it has behind it.
    pub position: i64,
    /// Not before then is anything sent.
    pub next: Time,
    /// How often in a row it could not deliver.
    pub tries: u32,
    /// Why not, the last time; `None` where it could.
    pub error: Option<String>,
    /// Since when not.
    pub failing: Option<Time>,
    /// When a receiver last acknowledged something.
    pub success: Option<Time>,
    /// Events that were acknowledged.
    pub sent: u64,
    /// Events that were refused for what they hold, ever.
    pub refused: u64,
    /// Events that were given up because they were too old.
    pub expired: u64,
}

/// Events that a sink did not deliver in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expired {
    /// Its id.
    pub sink: String,
    /// Its name.
    pub name: String,
    /// How many.
    pub events: u64,
}

const COLUMNS: &str = "id, name, kind, settings, filter, subscribers, running, created, by_whom, position, next, tries, error, failing, \
                       success, sent, refused, expired";

fn read(row: &Row) -> Result<Sink, StoreError> {
    Ok(Sink {
        id: row.owned(0)?,
        of: SinkOf {
            name: row.owned(1)?,
            kind: SinkKind::from_name(row.text(2)?).ok_or_else(|| StoreError::damaged("a sink is of no kind that there is"))?,
            settings: pack::parse(row.text(3)?.as_bytes())?,
            filter: pack::parse(row.text(4)?.as_bytes())?,
            subscribers: row.int(5)? != 0,
            running: row.int(6)? != 0,
        },
        created: row.time(7)?,
        by: row.owned(8)?,
        position: row.int(9)?,
        next: row.time(10)?,
        tries: u32::try_from(row.int(11)?).unwrap_or(u32::MAX),
        error: row.opt_owned(12)?,
        failing: row.opt_time(13)?,
        success: row.opt_time(14)?,
        sent: row.count(15)?,
        refused: row.count(16)?,
        expired: row.count(17)?,
    })
}

/// Every sink, by name.
pub(super) async fn all(tx: &mut Tx) -> Result<Vec<Sink>, StoreError> {
    tx.fetch(Sql::new(&format!("SELECT {COLUMNS} FROM sink ORDER BY name, id"))).await?.iter().map(read).collect()
}

async fn one(tx: &mut Tx, id: &str) -> Result<Sink, StoreError> {
    let row = tx.first(Sql::with(&format!("SELECT {COLUMNS} FROM sink WHERE id = $1"), [id.into()])).await?;
    read(&row.ok_or_else(|| not_found("sink", id))?)
}

fn text(value: &Json) -> Result<String, StoreError> {
    let text = String::from_utf8_lossy(&pack::json(value)?).into_owned();
    if text.len() > LONGEST { Err(StoreError::Invalid(format!("settings are at most {LONGEST} bytes"))) } else { Ok(text) }
}

async fn free(tx: &mut Tx, name: &str, but: &str) -> Result<(), StoreError> {
    match tx.first(sql!("SELECT 1 FROM sink WHERE name = $1 AND id <> $2", name, but)).await? {
        Some(_) => Err(StoreError::Conflict(format!("there is a sink called `{name}` already"))),
        None => Ok(()),
    }
}

impl Store {
    /// Every sink, by name.
    pub async fn sinks(&self) -> Result<Vec<Sink>, StoreError> {
        all(&mut self.db().read().await?).await
    }

    /// A sink.
    pub async fn sink(&self, id: &str) -> Result<Sink, StoreError> {
        one(&mut self.db().read().await?, id).await
    }

    /// What a sink needs to deliver and nobody is shown.
    pub async fn sink_secret(&self, id: &str) -> Result<Json, StoreError> {
        let row = self.db().read().await?.first(sql!("SELECT secret FROM sink WHERE id = $1", id)).await?;
        pack::parse(row.ok_or_else(|| not_found("sink", id))?.text(0)?.as_bytes())
    }

    /// Makes a sink and gives its id: it hears of what happens from now on.
    pub async fn add_sink(&self, by: By<'_>, new: &SinkOf, secret: &Json) -> Result<String, StoreError> {
        new.check()?;
        let mut tx = self.db().write().await?;
        let name = new.name.trim();
        free(&mut tx, name, "").await?;
        if tx.number(sql!("SELECT COUNT(*) FROM sink")).await? >= MOST {
            return Err(StoreError::Conflict(format!("there are {MOST} sinks: take one away first")));
        }
        let head = tx.number(sql!("SELECT n FROM outbox_head")).await?;
        let id = content_id("snk-", "sink", &format!("{} {head} {name}", by.at.0));
        let insert = "INSERT INTO sink (id, name, kind, settings, secret, filter, subscribers, running, created, by_whom, position, next, tries, \
                      sent, refused, expired) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, 0, 0, 0, 0)";
        let values = sql!(
            insert,
            &id,
            name,
            new.kind.name(),
            text(&new.settings)?,
            text(secret)?,
            text(&json!(new.filter))?,
            new.subscribers,
            new.running,
            by.at,
            by.who,
            head
        );
        tx.run(values).await?;
        let head = audit::append(&mut tx, by, "sink.add", &id, &new.shown()).await?;
        self.commit(tx, &head).await?;
        Ok(id)
    }

    /// Changes a sink, but not its kind; what is secret stays where nothing is given. What waits is tried at once.
    pub async fn change_sink(&self, by: By<'_>, id: &str, new: &SinkOf, secret: Option<&Json>) -> Result<(), StoreError> {
        new.check()?;
        let mut tx = self.db().write().await?;
        let old = one(&mut tx, id).await?;
        if old.of.kind != new.kind {
            return Err(StoreError::Invalid("a sink stays of its kind: make another".into()));
        }
        free(&mut tx, new.name.trim(), id).await?;
        let put =
            "UPDATE sink SET name = $2, settings = $3, filter = $4, subscribers = $5, running = $6, next = 0, tries = 0 WHERE id = $1";
        let filter = text(&json!(new.filter))?;
        tx.run(sql!(put, id, new.name.trim(), text(&new.settings)?, filter, new.subscribers, new.running)).await?;
        if let Some(secret) = secret {
            tx.run(sql!("UPDATE sink SET secret = $2 WHERE id = $1", id, text(secret)?)).await?;
        }
        let detail = json!({"to": new.shown(), "was": old.of.shown(), "secret": if secret.is_some() { "set" } else { "kept" }});
        let head = audit::append(&mut tx, by, "sink.change", id, &detail).await?;
        self.commit(tx, &head).await
    }

    /// Notes that a sink was tested, with a row of the audit log; a receiver that took the test has acknowledged something.
    pub async fn sink_tested(&self, by: By<'_>, id: &str, taken: bool, detail: &Json) -> Result<(), StoreError> {
        let mut tx = self.db().write().await?;
        if taken {
            tx.run(sql!("UPDATE sink SET success = $2 WHERE id = $1", id, by.at)).await?;
        }
        let head = audit::append(&mut tx, by, "sink.test", id, detail).await?;
        self.commit(tx, &head).await
    }

    /// Takes a sink away, with what waited for it.
    pub async fn remove_sink(&self, by: By<'_>, id: &str) -> Result<(), StoreError> {
        let mut tx = self.db().write().await?;
        let old = one(&mut tx, id).await?;
        tx.run(sql!("DELETE FROM undelivered WHERE sink = $1", id)).await?;
        tx.run(sql!("DELETE FROM sink WHERE id = $1", id)).await?;
        let head = audit::append(&mut tx, by, "sink.remove", id, &old.of.shown()).await?;
        self.commit(tx, &head).await
    }
}
