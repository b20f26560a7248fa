//! `export --pack`: evidence, conclusions and decisions of the store in one file; `verify`: such a file, offline.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use umbilical_core::signed::{PACK, SignatureState, Standing, canonical};
use umbilical_core::text::clean;
use umbilical_evidence::signed::{Envelope, PublicKey};
use umbilical_report::pack::{ARTEFACTS, CUSTODY, Contents, Packer, read};
use umbilical_store::query::Query;
use umbilical_store::{Evidence, Page, Scope};

use super::{bom, facts, formats};
use crate::args::{Format, Global};
use crate::fail::Fail;
use crate::stored::{self, Stored};
use crate::{home, out};

/// Version of what a pack says of itself.
const SCHEMA: &str = "umbilical.pack/1";

/// Rows asked for at once.
const ROWS: u32 = 1000;

/// `export --pack`.
#[derive(Args, Debug, Default)]
pub struct Pack {
    /// Write an evidence pack of the store: artefacts, devices, findings, decisions, under one manifest
    #[arg(long)]
    pub pack: bool,
    /// The signing key of the pack: Ed25519, PKCS#8 in PEM
    #[arg(long, value_name = "KEY.pem", requires = "pack")]
    pub key: Option<PathBuf>,
    /// Devices that belong into the pack, as the fleet is asked: maker:quectel AND NOT site:lab [default: all]
    #[arg(long, value_name = "QUERY", requires = "pack")]
    pub query: Option<String>,
    /// The store: a file, or postgres://USER@HOST/NAME [default: umbilical.db of the home]
    #[arg(long, value_name = "URL", env = "UMBILICAL_DATABASE", hide_env_values = true)]
    pub database: Option<String>,
}

/// `verify`.
#[derive(Args, Debug)]
pub struct Verify {
    /// The pack
    #[arg(value_name = "PACK")]
    pub pack: PathBuf,
    /// The signer's public key, PEM (repeatable: one that signed is enough)
    #[arg(long, value_name = "KEY.pub.pem")]
    pub public_key: Vec<PathBuf>,
}

/// Shown behind the help of `export`.
pub const EXPORT: &str =
    "A pack holds artefacts as they came, what was concluded of them and what people decided, in one tar file under one manifest.
The bytes of artefacts may hold subscriber numbers: without --show-subscribers they are there by their digests alone.

Examples:
  umbilical export edges --format csv
  umbilical export --pack --key cert.pem -o fleet.pack
  umbilical export --pack --query \"site:plant-7 verdict:fail\" --show-subscribers -o plant-7.pack";

/// Shown behind the help of `verify`.
pub const EXAMPLES: &str =
    "Checks an evidence pack with no network: every member against the manifest, every artefact against its name, the signature.
Exit codes: 0 it holds, or nobody says who signed · 4 something was changed, is missing, or was not signed by these keys

Examples:
  umbilical verify fleet.pack --public-key cert.pub.pem
  umbilical verify fleet.pack --fail-on unknown          exit 3 where no key proves who signed";

/// Writes a pack.
pub fn export(global: &Global, args: &Pack) -> Result<u8, Fail> {
    formats(global, "export --pack", &[Format::Table])?;
    let Some(to) = &global.output else {
        return Err(Fail::usage("a pack is a file: name it", "umbilical export --pack -o fleet.pack"));
    };
    let signer = args.key.as_deref().map(bom::attest::signer).transpose()?;
    let text = args.query.as_deref().unwrap_or_default();
    let query =
        Query::parse(text).map_err(|e| Fail::usage(format!("--query: {e}"), "`umbilical serve` asks its fleet in the same words"))?;
    let folder = home::folder(global)?;
    let opened = Stored::open(&stored::place(global, args.database.as_deref())?)?;
    let scope = if global.show_subscribers { Scope::ALL } else { Scope::MASKED };
    let source = Source { opened: &opened, scope: &scope, query: &query, whole: args.query.is_none() };
    let (devices, artefacts, left) = source.write(global, &folder, text, signer.as_ref())?;
    let mut out = io::stdout().lock();
    let mut said = || -> io::Result<()> {
        writeln!(out, "{}: {devices} devices, {artefacts} artefacts", to.display())?;
        if left > 0 {
            writeln!(
                out,
                "{left} artefacts are there by their digests alone: their bytes may hold subscriber numbers (--show-subscribers), or are not kept"
            )?;
        }
        Ok(())
    };
    said().map_err(|source| Fail::Output { to: "standard output".into(), source })?;
    Ok(0)
}

/// Where a pack is made from.
struct Source<'a> {
    opened: &'a Stored,
    scope: &'a Scope,
    query: &'a Query,
    whole: bool,
}

impl Source<'_> {
    fn write(
        &self,
        global: &Global,
        folder: &Path,
        query: &str,
        signer: Option<&umbilical_report::attest::Signer>,
    ) -> Result<(u64, u64, u64), Fail> {
        let answer = self.opened.wait(self.opened.store.answer(self.scope))?;
        // Lines of unknown length are written aside first: a member begins with its length.
        let (mut devices, mut findings, mut decisions) =
            (Aside::new(folder, "devices")?, Aside::new(folder, "findings")?, Aside::new(folder, "decisions")?);
        let mut named = BTreeSet::new();
        let (mut after, mut count): (Option<String>, u64) = (None, 0);
        loop {
            let page = Page { after: after.as_deref(), limit: ROWS, sort: Some("id") };
            let listed = self.opened.wait(self.opened.store.devices(self.scope, self.query, page))?;
            let ids: Vec<String> = listed.rows.iter().map(|r| r.id.clone()).collect();
            for kept in self.opened.wait(self.opened.store.devices_whole(self.scope, &ids))? {
                count = count.saturating_add(1);
                named.extend(kept.inputs.iter().map(|i| i.evidence.clone()));
                let inputs: Vec<_> =
                    kept.inputs.iter().map(|i| json!({ "evidence": i.evidence, "path": i.path, "sha256": i.sha256 })).collect();
                let mut device = kept.device;
                let own = std::mem::take(&mut device.findings);
                devices.line(&json!({ "device": device, "inputs": inputs, "seen": kept.seen.to_string(), "since": kept.since.to_string(), "aliases": kept.aliases }))?;
                for finding in &own {
                    findings.line(&json!(finding))?;
                }
                for subject in std::iter::once(&device.id).chain(own.iter().map(|f| &f.id)) {
                    for d in self.opened.wait(self.opened.store.decisions(self.scope, subject))? {
                        let ends = d.expires.map(|t| t.to_string());
                        decisions.line(&json!({ "subject": subject, "n": d.n, "at": d.at.to_string(), "who": d.who, "kind": d.kind, "value": d.value, "comment": d.comment, "expires": ends }))?;
                    }
                }
            }
            after = listed.next;
            if after.is_none() {
                break;
            }
        }
        let (mut counted, mut done) = ((0, 0), Ok(()));
        out::answer(global, |w| {
            let mut packer = Packer::new(w);
            let mut custody = Vec::new();
            match self.artefacts(&mut packer, &named, &mut custody) {
                Ok(counts) => counted = counts,
                Err(problem) => {
                    done = Err(problem);
                    return Err(io::Error::other("the pack was not finished"));
                }
            }
            packer.add(CUSTODY, custody.len() as u64, &custody[..])?;
            for (name, aside) in [("devices.jsonl", &mut devices), ("findings.jsonl", &mut findings), ("decisions.jsonl", &mut decisions)] {
                let (bytes, from) = aside.back()?;
                packer.add(name, bytes, from)?;
            }
            let head = answer
                .as_ref()
                .map(|(_, audit)| (audit.as_of.clone(), audit.knowledge.version.clone(), audit.knowledge.sources_to.clone()));
            let about = json!({
                "schema": SCHEMA,
                "program": env!("CARGO_PKG_VERSION"),
                "as_of": head.as_ref().map(|h| &h.0),
                "knowledge": head.as_ref().map(|h| &h.1),
                "sources_to": head.as_ref().map(|h| &h.2),
                "query": query,
                "subscribers": if self.scope.subscribers { "whole" } else { "masked" },
                "devices": count,
            });
            packer.finish(&about, signer).map(|_| ())
        })
        .or_else(|problem| done.and(Err(problem)))?;
        Ok((count, counted.0, counted.1))
    }

    /// Adds artefacts and writes their rows: how many are in the pack, and how many by their digests alone.
    fn artefacts(&self, packer: &mut Packer<&mut dyn Write>, named: &BTreeSet<String>, custody: &mut Vec<u8>) -> Result<(u64, u64), Fail> {
        let fail = |source| Fail::Output { to: "the pack".into(), source };
        let (mut added, mut left) = (0u64, 0u64);
        let mut last: Option<String> = None;
        loop {
            let rows = self.opened.wait(self.opened.store.evidence(self.scope, last.as_deref(), ROWS))?;
            let Some(end) = rows.last().map(|r| r.id.clone()) else { return Ok((added, left)) };
            for row in rows.iter().filter(|r| self.whole || named.contains(&r.id)) {
                let has = self.scope.subscribers && row.kept && !row.dropped.iter().any(|d| d == "bytes");
                if has {
                    let bytes = Bytes { source: self, id: &row.id, chunk: 0, held: io::Cursor::new(Vec::new()) };
                    packer.add(&format!("{ARTEFACTS}{}", row.sha256), row.bytes, bytes).map_err(fail)?;
                    added = added.saturating_add(1);
                } else {
                    left = left.saturating_add(1);
                }
                serde_json::to_writer(&mut *custody, &custody_row(row, has)).map_err(|e| fail(e.into()))?;
                custody.push(b'\n');
            }
            last = Some(end);
        }
    }
}

fn custody_row(row: &Evidence, included: bool) -> serde_json::Value {
    json!({
        "id": row.id,
        "sha256": row.sha256,
        "name": row.name,
        "format": row.format,
        "bytes": row.bytes,
        "collected_at": row.collected_at.map(|t| t.to_string()),
        "collected_by": row.collected_by,
        "received_at": row.received_at.to_string(),
        "received_by": row.received_by,
        "chain": row.chain,
        "included": included,
    })
}

/// The bytes of an artefact, chunk by chunk.
struct Bytes<'a> {
    source: &'a Source<'a>,
    id: &'a str,
    chunk: u64,
    held: io::Cursor<Vec<u8>>,
}

impl Read for Bytes<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let n = self.held.read(buf)?;
            if n > 0 || buf.is_empty() {
                return Ok(n);
            }
            let opened = self.source.opened;
            match opened.wait_io(opened.store.content(self.source.scope, self.id, self.chunk))? {
                None => return Ok(0),
                Some(bytes) => {
                    self.chunk = self.chunk.saturating_add(1);
                    self.held = io::Cursor::new(bytes);
                }
            }
        }
    }
}

/// Lines that are written aside, in a file of the home that is gone afterwards.
struct Aside {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Aside {
    fn new(folder: &Path, what: &str) -> Result<Self, Fail> {
        let path = folder.join(format!("pack-{what}.{}.part", std::process::id()));
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(|source| Fail::Output { to: path.display().to_string(), source })?;
        Ok(Self { path, file: BufWriter::new(file) })
    }

    fn line(&mut self, value: &serde_json::Value) -> Result<(), Fail> {
        writeln!(self.file, "{value}").map_err(|source| Fail::Output { to: self.path.display().to_string(), source })
    }

    /// Its length, and it from the beginning.
    fn back(&mut self) -> io::Result<(u64, &File)> {
        self.file.flush()?;
        let file = self.file.get_mut();
        let bytes = file.stream_position()?;
        file.seek(SeekFrom::Start(0))?;
        Ok((bytes, self.file.get_ref()))
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Verifies a pack.
pub fn verify(global: &Global, args: &Verify) -> Result<u8, Fail> {
    formats(global, "verify", &[Format::Table, Format::Json])?;
    let gates = crate::gate::Gates::parse(&global.fail_on, &[])?;
    let keys = bom::public_keys(&args.public_key)?;
    let input = |source| Fail::Input { path: args.pack.clone(), source };
    let file = File::open(&args.pack).map_err(input)?;
    let contents = read(BufReader::with_capacity(1 << 20, file))
        .map_err(|e| Fail::NothingReadable(format!("{}: not a pack: {e}", args.pack.display())))?;
    let checked = checked(&contents, &keys);
    let kb = facts(global)?;
    let day = home::as_of(global);
    let members: Vec<_> =
        contents.members.iter().map(|(name, (bytes, sha256))| json!({ "name": name, "bytes": bytes, "sha256": sha256 })).collect();
    let document = json!({
        "schema": "umbilical.verify/1",
        "as_of": day.to_string(),
        "knowledge": umbilical_assess::trace::stamp(&kb, day),
        "inputs": [],
        "problems": [],
        "pack": args.pack.display().to_string(),
        "verified": checked.verified,
        "because": checked.because,
        "signatures": checked.signatures,
        "about": checked.about,
        "members": members,
    });
    out::answer(global, |w| match global.format {
        Format::Json => umbilical_report::json::one(w, &document),
        _ => {
            let word = match checked.verified {
                Some(true) => "verified",
                Some(false) => "NOT verified",
                None => "whole, and nobody proves who made it",
            };
            writeln!(w, "{}: {word}", clean(&args.pack.display().to_string()))?;
            writeln!(w, "  {} members", contents.members.len())?;
            checked.because.iter().try_for_each(|b| writeln!(w, "  - {}", clean(b)))
        }
    })?;
    let seen = crate::gate::Seen { unknown: checked.verified.is_none(), undisclosed: false };
    Ok(if checked.verified == Some(false) { 4 } else { gates.code(std::iter::empty::<&umbilical_core::finding::Finding>(), seen) })
}

/// What a pack is worth.
struct Checked {
    verified: Option<bool>,
    because: Vec<String>,
    signatures: Vec<SignatureState>,
    about: serde_json::Value,
}

fn checked(contents: &Contents, keys: &[PublicKey]) -> Checked {
    let mut out =
        Checked { verified: Some(false), because: contents.problems.clone(), signatures: Vec::new(), about: serde_json::Value::Null };
    let Some((manifest, signed)) = &contents.manifest else { return out };
    let statement = if *signed {
        match Envelope::read(manifest) {
            Ok(envelope) => {
                out.signatures = envelope.check(keys);
                canonical::parse(&envelope.payload)
            }
            Err(what) => Err(what),
        }
    } else {
        canonical::parse(manifest)
    };
    let statement = match statement {
        Ok(statement) if statement.get("predicateType").and_then(|t| t.as_str()) == Some(PACK) => statement,
        Ok(_) => {
            out.because.push("the manifest is a statement of another kind".to_owned());
            return out;
        }
        Err(what) => {
            out.because.push(format!("the manifest cannot be read: {what}"));
            return out;
        }
    };
    let text = |v: &serde_json::Value, name: &str| v.get(name).and_then(|t| t.as_str()).map(str::to_owned);
    let subjects = statement.get("subject").and_then(|s| s.as_array()).into_iter().flatten();
    let stated: Vec<(String, String)> = subjects.filter_map(|s| Some((text(s, "name")?, text(s.get("digest")?, "sha256")?))).collect();
    out.because.extend(contents.against(stated.iter().map(|(n, d)| (&**n, &**d))));
    out.about = statement.get("predicate").cloned().unwrap_or_default();
    let proved = out.signatures.iter().any(|s| s.standing == Standing::Verified);
    let broken = out.signatures.iter().any(|s| s.standing == Standing::Broken);
    let whole = out.because.is_empty();
    out.because.extend(out.signatures.iter().map(|s| s.what.clone()));
    if !*signed {
        out.because.push("nobody signed the manifest".to_owned());
    }
    out.verified = match (whole && !broken, proved, keys.is_empty()) {
        (true, true, _) => Some(true),
        (true, false, true) => None,
        _ => Some(false),
    };
    out
}
