//! What came in: artefacts with their bytes and their chain of custody.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde_json::json;
use sha2::{Digest as _, Sha256};
use umbilical_core::Observations;
use umbilical_core::id::hex;

use crate::audit::append;
use crate::db::{Row, Sql, Tx, sql};
use crate::error::not_found;
use crate::{By, KeptProblem, Scope, Sites, StoreError, Time, chain, observe, pack};

/// An artefact on its way in.
#[derive(Clone, Copy, Debug)]
pub struct NewEvidence<'a> {
    /// Name or path as it came. Evidence is ordered by name, then digest, whenever it arrived.
    pub name: &'a str,
    /// What the readers took it for.
    pub format: &'a str,
    /// When it was taken from the device or system, if anybody says so.
    pub collected_at: Option<Time>,
    /// By whom.
    pub collected_by: Option<&'a str>,
    /// Name and version of the reader: `umbilical 0.4.0`.
    pub reader: &'a str,
}

/// The bytes of an artefact.
#[derive(Clone, Copy, Debug)]
pub enum Content<'a> {
    /// In memory.
    Bytes(&'a [u8]),
    /// In a file, which is read twice: for its digest, then to keep it.
    File(&'a Path),
    /// Not to be kept: digest (lower-case hex) and length alone.
    Digest {
        /// SHA-256.
        sha256: &'a str,
        /// Length.
        bytes: u64,
    },
}

/// What became of an artefact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Its id, `evd-` and hex digits of its digest.
    pub id: String,
    /// Whether the store had it already: then nothing was changed.
    pub already: bool,
}

/// An artefact as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// `evd-` and hex digits of its digest.
    pub id: String,
    /// SHA-256, lower-case hex.
    pub sha256: String,
    /// Name or path as it came.
    pub name: String,
    /// What the readers took it for.
    pub format: String,
    /// Length.
    pub bytes: u64,
    /// When and by whom it was collected, as far as anybody said.
    pub collected_at: Option<Time>,
    /// See above.
    pub collected_by: Option<String>,
    /// When it came in.
    pub received_at: Time,
    /// Who brought it.
    pub received_by: String,
    /// Whether its bytes were kept at all.
    pub kept: bool,
    /// Digest over this row and the chain of the row before.
    pub chain: String,
    /// What retention has taken away since: `bytes`, `observations`.
    pub dropped: Vec<String>,
}

/// Artefacts coming in together: all of them are kept when [`Import::commit`] returns, or none. Nobody else writes
/// meanwhile: read first, import then.
pub struct Import {
    store: crate::Store,
    tx: Tx,
    who: String,
    at: Time,
    added: Vec<String>,
    already: u64,
    records: usize,
}

/// Records beyond which the planner's figures are made anew.
const MANY: usize = 20_000;

/// Bytes of a chunk before it is compressed.
const CHUNK: usize = 1 << 20;

impl Import {
    /// Takes in an artefact with what was read from it. One that the store has already changes nothing, unless it came under a
    /// name that speaks of another device: `GW-1/lsusb.txt` and `GW-2/lsusb.txt` may be the same bytes, and say so of two.
    pub async fn add(&mut self, new: &NewEvidence<'_>, content: Content<'_>, read: &Observations) -> Result<Received, StoreError> {
        let (sha256, bytes) = measure(content)?;
        if let Some(row) = self.tx.first(sql!("SELECT id, n, name FROM evidence WHERE sha256 = $1", &sha256)).await? {
            let (id, n) = (row.owned(0)?, row.int(1)?);
            let others = self.tx.fetch(sql!("SELECT name FROM reading WHERE evidence = $1 AND name IS NOT NULL", n)).await?;
            let mut names = vec![row.owned(2)?];
            for other in &others {
                names.push(other.owned(0)?);
            }
            if same(new.name, &names, read) {
                self.already = self.already.saturating_add(1);
                return Ok(Received { id, already: true });
            }
            observe::write(&mut self.tx, n, Some(new.name), self.at, new.reader, read).await?;
            self.added.push(id.clone());
            self.records = self.records.saturating_add(read.len());
            return Ok(Received { id, already: false });
        }
        let n = self.tx.next("evidence").await?;
        let id = self.free_id(&sha256).await?;
        let before = self.tx.first(sql!("SELECT chain FROM evidence WHERE n = $1", n.saturating_sub(1))).await?;
        let kept = !matches!(content, Content::Digest { .. });
        let mut row = Evidence {
            id,
            sha256,
            name: new.name.to_owned(),
            format: new.format.to_owned(),
            bytes,
            collected_at: new.collected_at,
            collected_by: new.collected_by.map(str::to_owned),
            received_at: self.at,
            received_by: self.who.clone(),
            kept,
            chain: String::new(),
            dropped: Vec::new(),
        };
        row.chain = row.link(before.as_ref().map_or(Ok(chain::START), |r| r.text(0))?);
        let insert = "INSERT INTO evidence (n, id, sha256, name, format, bytes, collected_at, collected_by, received_at, received_by, kept, chain) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
        let values = sql!(
            insert,
            n,
            &row.id,
            &row.sha256,
            &row.name,
            &row.format,
            row.bytes,
            row.collected_at,
            row.collected_by.as_deref(),
            row.received_at,
            &row.received_by,
            row.kept,
            &row.chain
        );
        self.tx.run(values).await?;
        self.chunks(n, content, &row.sha256).await?;
        observe::write(&mut self.tx, n, None, self.at, new.reader, read).await?;
        self.added.push(row.id.clone());
        self.records = self.records.saturating_add(read.len());
        Ok(Received { id: row.id, already: false })
    }

    /// Keeps what newer readers read from an artefact that is there: it counts from now on, and what was read before stays.
    pub async fn reread(&mut self, evidence: &str, reader: &str, read: &Observations) -> Result<(), StoreError> {
        let row = self.tx.first(sql!("SELECT n FROM evidence WHERE id = $1", evidence)).await?;
        let n = row.ok_or_else(|| not_found("evidence", evidence))?.int(0)?;
        self.added.push(evidence.to_owned());
        observe::write(&mut self.tx, n, None, self.at, reader, read).await
    }

    /// How a person said that the columns of an artefact are to be read, for the last reading of it.
    pub async fn mapping(&mut self, evidence: &str) -> Result<Option<String>, StoreError> {
        mapping(&mut self.tx, evidence).await
    }

    /// Keeps how a person said that the columns of an artefact are to be read, with the reading that came of it; the audit log
    /// tells it, too.
    pub async fn set_mapping(&mut self, evidence: &str, text: &str) -> Result<(), StoreError> {
        let set = "UPDATE reading SET mapping = $2 WHERE n = (SELECT MAX(r.n) FROM reading r JOIN evidence e ON e.n = r.evidence WHERE e.id = $1)";
        self.tx.run(sql!(set, evidence, text)).await?;
        append(&mut self.tx, By { who: &self.who, at: self.at }, "columns", evidence, &json!({"mapping": text})).await?;
        Ok(())
    }

    /// Keeps all of it.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        if self.added.is_empty() {
            return Ok(());
        }
        // A folder of a hundred thousand files is one row of the audit log, not too long to read.
        let shown = self.added.get(..20).unwrap_or(&self.added);
        let detail = json!({"added": self.added.len(), "already": self.already, "evidence": shown});
        let head = append(&mut self.tx, By { who: &self.who, at: self.at }, "import", "", &detail).await?;
        self.store.commit(self.tx, &head).await?;
        if self.records > MANY { self.store.refresh().await } else { Ok(()) }
    }

    /// `evd-` and the first 12 hex digits of the digest; more of them where another artefact has these.
    async fn free_id(&mut self, sha256: &str) -> Result<String, StoreError> {
        for length in [12, 24, 64] {
            let id = format!("evd-{}", sha256.get(..length).unwrap_or(sha256));
            if self.tx.first(sql!("SELECT n FROM evidence WHERE id = $1", &id)).await?.is_none() {
                return Ok(id);
            }
        }
        Err(StoreError::Conflict(format!("evidence {sha256} is there already")))
    }

    async fn chunks(&mut self, evidence: i64, content: Content<'_>, sha256: &str) -> Result<(), StoreError> {
        let mut hash = Sha256::new();
        let mut number = 0i64;
        let mut source: Box<dyn Read + Send> = match content {
            Content::Bytes(bytes) => Box::new(std::io::Cursor::new(bytes.to_vec())),
            Content::File(path) => Box::new(File::open(path).map_err(|e| StoreError::file(path, e))?),
            Content::Digest { .. } => return Ok(()),
        };
        loop {
            let mut buffer = Vec::new();
            let read = source.by_ref().take(CHUNK as u64).read_to_end(&mut buffer);
            let read = read.map_err(|e| StoreError::Invalid(format!("the evidence cannot be read any further: {e}")))?;
            if read == 0 {
                break;
            }
            hash.update(&buffer);
            self.tx.run(sql!("INSERT INTO chunk (evidence, n, bytes) VALUES ($1, $2, $3)", evidence, number, pack::pack(&buffer))).await?;
            number = number.saturating_add(1);
        }
        // A file may be written to while it is read.
        if hex(&hash.finalize()) == sha256 { Ok(()) } else { Err(StoreError::Conflict("the evidence changed while it was read".into())) }
    }
}

/// The condition under which an artefact is seen.
/// Whether bytes that are known under some names say nothing new under another. Files inside an archive have their names in it.
/// Where each record names its own thing, only the folder may speak of another; where one does not, the name of the file may.
fn same(name: &str, known: &[String], read: &Observations) -> bool {
    let folder = |name: &str| name.rsplit(['/', '\\']).nth(1).map(str::to_owned);
    let named = || read.things().all(|thing| thing.ids().next().is_some());
    known.iter().any(|k| k == name) || read.inputs.len() > 1 || named() && known.iter().any(|k| folder(k) == folder(name))
}

pub(crate) fn seen(ask: &mut Sql, scope: &Scope) {
    if scope.sites == Sites::All {
        ask.push("1 = 1");
    } else {
        ask.push("EXISTS (SELECT 1 FROM device_evidence de JOIN device d ON d.n = de.device WHERE de.evidence = e.n AND ");
        crate::query::sql::scoped(ask, scope, &crate::query::sql::DEVICES);
        ask.push(")");
    }
}

async fn with_dropped(tx: &mut Tx, row: &Row) -> Result<Evidence, StoreError> {
    let mut evidence = Evidence::from_row(row)?;
    for gone in tx.fetch(sql!("SELECT what FROM dropped WHERE evidence = $1 ORDER BY what", row.int(11)?)).await? {
        evidence.dropped.push(gone.owned(0)?);
    }
    Ok(evidence)
}

fn measure(content: Content<'_>) -> Result<(String, u64), StoreError> {
    match content {
        Content::Bytes(bytes) => Ok((hex(&Sha256::digest(bytes)), bytes.len() as u64)),
        Content::Digest { sha256, bytes } if sha256.len() == 64 && sha256.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) => {
            Ok((sha256.to_owned(), bytes))
        }
        Content::Digest { .. } => Err(StoreError::Invalid("a digest is 64 lower-case hex digits".into())),
        Content::File(path) => {
            let mut file = File::open(path).map_err(|e| StoreError::file(path, e))?;
            let (mut hash, mut length) = (Sha256::new(), 0u64);
            let mut buffer = vec![0; 1 << 16];
            loop {
                let read = file.read(&mut buffer).map_err(|e| StoreError::file(path, e))?;
                let Some(part) = buffer.get(..read).filter(|p| !p.is_empty()) else { break };
                hash.update(part);
                length = length.saturating_add(read as u64);
            }
            Ok((hex(&hash.finalize()), length))
        }
    }
}

/// The columns that [`Evidence::from_row`] reads.
pub(crate) const COLUMNS: &str =
    "e.id, e.sha256, e.name, e.format, e.bytes, e.collected_at, e.collected_by, e.received_at, e.received_by, e.kept, e.chain, e.n";

impl Evidence {
    pub(crate) fn from_row(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.owned(0)?,
            sha256: row.owned(1)?,
            name: row.owned(2)?,
            format: row.owned(3)?,
            bytes: row.count(4)?,
            collected_at: row.opt_time(5)?,
            collected_by: row.opt_owned(6)?,
            received_at: row.time(7)?,
            received_by: row.owned(8)?,
            kept: row.int(9)? != 0,
            chain: row.owned(10)?,
            dropped: Vec::new(),
        })
    }

    /// The digest of this row behind another.
    fn link(&self, previous: &str) -> String {
        let number = |n: u64| n.to_string();
        let (bytes, received, kept) = (number(self.bytes), self.received_at.0.to_string(), number(self.kept.into()));
        let collected = self.collected_at.map(|t| t.0.to_string());
        chain::link(
            previous,
            &[
                Some(&self.id),
                Some(&self.sha256),
                Some(&self.name),
                Some(&self.format),
                Some(&bytes),
                collected.as_deref(),
                self.collected_by.as_deref(),
                Some(&received),
                Some(&self.received_by),
                Some(&kept),
            ],
        )
    }
}

/// What an artefact with files of several formats is called for those who may not see what else is in it.
const SEVERAL: &str = "several";

/// Adds the format of a file (or of an artefact: `of`) as the asker may know it: where other sites' devices rest on an artefact with
/// files of several formats, that it holds several. Which of its files speak of whom is not kept.
pub(crate) fn format(ask: &mut Sql, scope: &Scope, of: &str) {
    if scope.sites == Sites::All {
        ask.push(of);
        return;
    }
    ask.push("CASE WHEN EXISTS (SELECT 1 FROM device_evidence de JOIN device d ON d.n = de.device WHERE de.evidence = e.n AND NOT (");
    crate::query::sql::scoped(ask, scope, &crate::query::sql::DEVICES);
    ask.push(
        ")) AND (SELECT COUNT(DISTINCT fi.format) FROM reading fr JOIN input fi ON fi.reading = fr.n WHERE fr.evidence = e.n) > 1 THEN ",
    );
    ask.push(&format!("'{SEVERAL}' ELSE {of} END"));
}

/// Narrows to artefacts in which a file of a format is, as they were read last and as the asker may know it.
fn of_format(ask: &mut Sql, scope: &Scope, wanted: Option<&str>) {
    if let Some(wanted) = wanted {
        ask.push(" AND EXISTS (SELECT 1 FROM reading r JOIN input i ON i.reading = r.n WHERE r.evidence = e.n AND ").push(observe::LAST);
        ask.push(" AND ");
        format(ask, scope, "i.format");
        ask.push(" = ").bind(wanted).push(")");
    }
}

/// Begins to ask for artefacts: the columns of [`Evidence::from_row`], the format as the asker may know it.
fn artefacts(scope: &Scope) -> Sql {
    let (before, behind) = COLUMNS.split_once("e.format").unwrap_or((COLUMNS, ""));
    let mut ask = Sql::new(&format!("SELECT {before}"));
    format(&mut ask, scope, "e.format");
    ask.push(behind).push(" FROM evidence e WHERE ");
    ask
}

async fn mapping(tx: &mut Tx, evidence: &str) -> Result<Option<String>, StoreError> {
    let ask = "SELECT r.mapping FROM reading r JOIN evidence e ON e.n = r.evidence WHERE e.id = $1 ORDER BY r.n DESC LIMIT 1";
    tx.first(sql!(ask, evidence)).await?.map_or(Ok(None), |row| row.opt_owned(0))
}

impl crate::Store {
    /// How a person said that the columns of an artefact are to be read; `None` where the readers alone decided. Heads may be
    /// anything: it is given to those who see all sites.
    pub async fn mapping(&self, scope: &Scope, evidence: &str) -> Result<Option<String>, StoreError> {
        if scope.sites != Sites::All {
            return Ok(None);
        }
        mapping(&mut self.db().read().await?, evidence).await
    }

    /// The same of an artefact with these bytes, if it is here: how they will be read when they come again.
    pub async fn mapping_of_bytes(&self, scope: &Scope, sha256: &str) -> Result<Option<String>, StoreError> {
        let mut tx = self.db().read().await?;
        let id = tx.first(sql!("SELECT id FROM evidence WHERE sha256 = $1", sha256)).await?.map(|row| row.owned(0)).transpose()?;
        drop(tx);
        match id {
            Some(id) => self.mapping(scope, &id).await,
            None => Ok(None),
        }
    }

    /// Begins to take in artefacts.
    pub async fn import(&self, by: By<'_>) -> Result<Import, StoreError> {
        Ok(Import {
            store: self.clone(),
            tx: self.db().write().await?,
            who: by.who.to_owned(),
            at: by.at,
            added: Vec::new(),
            already: 0,
            records: 0,
        })
    }

    /// Artefacts, the newest first, behind the one of id `after`. Who does not see all sites sees those that speak of a device
    /// there.
    pub async fn evidence(&self, scope: &Scope, after: Option<&str>, limit: u32) -> Result<Vec<Evidence>, StoreError> {
        self.evidence_of(scope, None, after, limit).await
    }

    /// The same, of artefacts in which a file of this format is.
    pub async fn evidence_of(
        &self,
        scope: &Scope,
        format: Option<&str>,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Evidence>, StoreError> {
        let mut ask = artefacts(scope);
        seen(&mut ask, scope);
        of_format(&mut ask, scope, format);
        if let Some(after) = after {
            ask.push(" AND e.n < (SELECT a.n FROM evidence a WHERE a.id = ").bind(after).push(")");
        }
        ask.push(" ORDER BY e.n DESC LIMIT ").bind(i64::from(limit.clamp(1, 1000)));
        let mut tx = self.db().read().await?;
        let rows = tx.fetch(ask).await?;
        let mut out = Vec::new();
        for row in &rows {
            out.push(with_dropped(&mut tx, row).await?);
        }
        Ok(out)
    }

    /// How many artefacts there are for the asker, or of them those in which a file of this format is.
    pub async fn count_evidence(&self, scope: &Scope, format: Option<&str>) -> Result<u64, StoreError> {
        let mut ask = Sql::new("SELECT COUNT(*) FROM evidence e WHERE ");
        seen(&mut ask, scope);
        of_format(&mut ask, scope, format);
        Ok(u64::try_from(self.db().read().await?.number(ask).await?).unwrap_or(0))
    }

    /// One artefact.
    pub async fn evidence_by_id(&self, scope: &Scope, id: &str) -> Result<Evidence, StoreError> {
        let mut ask = artefacts(scope);
        ask.push("e.id = ").bind(id).push(" AND ");
        seen(&mut ask, scope);
        let mut tx = self.db().read().await?;
        let row = tx.first(ask).await?.ok_or_else(|| not_found("evidence", id))?;
        with_dropped(&mut tx, &row).await
    }

    /// What the readers of an artefact could not understand, in the order in which they met it. It may quote lines of any site.
    pub async fn problems(&self, scope: &Scope, evidence: &str) -> Result<Vec<KeptProblem>, StoreError> {
        if scope.sites != Sites::All {
            return Err(StoreError::Forbidden("the problems of evidence are for those who see all sites"));
        }
        let mut tx = self.db().read().await?;
        let ask = "SELECT i.path, u.name, p.at, p.what FROM problem p JOIN reading r ON r.n = p.reading JOIN evidence e ON e.n = r.evidence \
                   LEFT JOIN input i ON i.reading = p.reading AND i.place = p.input LEFT JOIN unit u ON u.reading = p.reading AND u.n = p.unit \
                   WHERE e.id = $1 AND ";
        let ask = format!("{ask}{} ORDER BY r.n, p.n", observe::LAST);
        let read = |row: &Row| {
            let at = match row.int(2)? {
                0 => "file".to_owned(),
                n => format!("{} {n}", row.opt_text(1)?.unwrap_or("line")),
            };
            Ok(KeptProblem { path: row.opt_owned(0)?, at, what: row.owned(3)? })
        };
        tx.fetch(sql!(&ask, evidence)).await?.iter().map(read).collect()
    }

    /// The files in an artefact, as they were read last: path, format, and how many facts and identifiers were read from
    /// each. The same bytes may have come under several names: `name` asks for what was read under that one.
    pub async fn files_of(&self, scope: &Scope, evidence: &str, name: Option<&str>) -> Result<Vec<(String, String, u64)>, StoreError> {
        if scope.sites != Sites::All {
            return Err(StoreError::Forbidden("the files of evidence are for those who see all sites"));
        }
        let ask = "SELECT i.path, i.format, i.observations FROM input i JOIN reading r ON r.n = i.reading JOIN evidence e ON e.n = r.evidence \
                   WHERE e.id = $1 AND ";
        let mut ask = sql!(&format!("{ask}{}", observe::LAST), evidence);
        if let Some(name) = name {
            ask.push(" AND COALESCE(r.name, e.name) = ").bind(name);
        }
        ask.push(" ORDER BY r.n, i.place");
        let file = |row: &Row| Ok((row.owned(0)?, row.owned(1)?, row.count(2)?));
        self.db().read().await?.fetch(ask).await?.iter().map(file).collect()
    }

    /// The bytes of an artefact, a chunk of at most a megabyte at a time: `None` behind the last. They may speak of every site and
    /// every subscriber: only those are given them who may see all.
    pub async fn content(&self, scope: &Scope, evidence: &str, chunk: u64) -> Result<Option<Vec<u8>>, StoreError> {
        if scope.sites != Sites::All || !scope.subscribers {
            return Err(StoreError::Forbidden("the bytes of evidence are for those who see all sites and subscriber numbers"));
        }
        let mut tx = self.db().read().await?;
        let row =
            tx.first(sql!("SELECT n, kept FROM evidence WHERE id = $1", evidence)).await?.ok_or_else(|| not_found("evidence", evidence))?;
        let gone = tx.number(sql!("SELECT COUNT(*) FROM dropped WHERE evidence = $1 AND what = 'bytes'", row.int(0)?)).await? > 0;
        if gone || row.int(1)? == 0 {
            return Err(StoreError::Conflict(format!("the bytes of {evidence} are not kept{}", if gone { " any longer" } else { "" })));
        }
        let found = tx.first(sql!("SELECT bytes FROM chunk WHERE evidence = $1 AND n = $2", row.int(0)?, chunk)).await?;
        found.map(|row| pack::unpack(row.blob(0)?)).transpose()
    }

    /// Walks the chain of custody from the first artefact to the last, and with `bytes` the artefacts themselves: what does
    /// not fit is named, one sentence each.
    pub async fn verify_custody(&self, bytes: bool) -> Result<Vec<String>, StoreError> {
        let mut wrong = Vec::new();
        let (mut previous, mut expected) = (chain::START.to_owned(), 1i64);
        loop {
            let mut tx = self.db().read().await?;
            let page = tx
                .fetch(Sql::with(&format!("SELECT {COLUMNS} FROM evidence e WHERE e.n >= $1 ORDER BY e.n LIMIT 500"), [expected.into()]))
                .await?;
            drop(tx);
            if page.is_empty() {
                return Ok(wrong);
            }
            for row in page {
                let (evidence, n) = (Evidence::from_row(&row)?, row.int(11)?);
                if n != expected {
                    wrong.push(format!("evidence is missing before {}: number {expected} of the chain of custody", evidence.id));
                }
                if evidence.link(&previous) != evidence.chain {
                    wrong.push(format!("{} ({}) does not fit the chain of custody", evidence.id, evidence.name));
                }
                if bytes && evidence.kept && !self.same_bytes(&evidence).await? {
                    wrong.push(format!("the bytes of {} ({}) are not those that came in", evidence.id, evidence.name));
                }
                previous = evidence.chain;
                expected = n.saturating_add(1);
            }
        }
    }

    async fn same_bytes(&self, evidence: &Evidence) -> Result<bool, StoreError> {
        let mut hash = Sha256::new();
        for chunk in 0.. {
            match self.content(&Scope::ALL, &evidence.id, chunk).await {
                Ok(Some(bytes)) => hash.update(&bytes),
                Ok(None) => break,
                // Taken away by retention: there is nothing to compare.
                Err(StoreError::Conflict(_)) => return Ok(true),
                Err(StoreError::Damaged { .. }) => return Ok(false),
                Err(e) => return Err(e),
            }
        }
        Ok(hex(&hash.finalize()) == evidence.sha256)
    }
}
