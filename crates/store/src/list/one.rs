//! One device whole.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use umbilical_core::answer::{Device, Trace};
use umbilical_core::finding::Finding;
use umbilical_core::number::{Shown, cover, mask_numbers};
use umbilical_core::observation::Kind;

use crate::answer::prepare::{each_input, subscribers};
use crate::db::{Sql, Tx, sql};
use crate::error::not_found;
use crate::query::sql as condition;
use crate::{Scope, Store, StoreError, Time, pack};

/// A device as it is kept. Its inputs are numbered within [`Kept::inputs`].
#[derive(Clone, Debug)]
pub struct Kept {
    /// The device, with its findings.
    pub device: Device,
    /// The inputs that it names, by index.
    pub inputs: Vec<KeptInput>,
    /// When its newest evidence was collected.
    pub seen: Time,
    /// When it was first known here.
    pub since: Time,
    /// Other ids under which it was known.
    pub aliases: Vec<String>,
}

/// An input of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptInput {
    /// The artefact that it is or stands in.
    pub evidence: String,
    /// Its path.
    pub path: String,
    /// What the readers took it for.
    pub format: String,
    /// SHA-256.
    pub sha256: String,
    /// When the artefact was collected, or came in where that is not known.
    pub at: Time,
}

impl Store {
    /// A device by its id or an alias, with its findings. One outside the asker's sites is not found.
    pub async fn device(&self, scope: &Scope, id: &str) -> Result<Kept, StoreError> {
        let mut tx = self.db().read().await?;
        let id = canonical(&mut tx, id).await?;
        whole(&mut tx, scope, std::slice::from_ref(&id)).await?.pop().ok_or_else(|| not_found("device", &id))
    }

    /// Devices by their ids (no aliases), at most 1000, in the order of their ids: those outside the asker's sites are left
    /// out. For exports: ask [`Store::devices`] for pages by `id`, and this for what stands behind the rows.
    pub async fn devices_whole(&self, scope: &Scope, ids: &[String]) -> Result<Vec<Kept>, StoreError> {
        if ids.len() > 1000 {
            return Err(StoreError::Invalid("at most 1000 devices at once".into()));
        }
        whole(&mut self.db().read().await?, scope, ids).await
    }
}

/// A device by what somebody called it, in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// `dev-…`
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Brand or maker, and model, where they are known.
    pub product: Option<String>,
}

impl Store {
    /// Which devices ids, aliases or whole names mean, at most 1000 of them. What means none, or several, is not in it.
    pub async fn named(&self, scope: &Scope, asked: &[String]) -> Result<BTreeMap<String, Named>, StoreError> {
        if asked.len() > 1000 {
            return Err(StoreError::Invalid("at most 1000 devices at once".into()));
        }
        let mut tx = self.db().read().await?;
        let mut out: BTreeMap<String, Option<Named>> = BTreeMap::new();
        // An id means its own device before another's alias, and a name comes last.
        for (key, from) in [("d.id", "device d"), ("a.id", "alias a JOIN device d ON d.id = a.device"), ("d.name", "device d")] {
            let left: Vec<&String> = asked.iter().filter(|a| !out.contains_key(*a)).collect();
            let mut ask = Sql::new(&format!(
                "SELECT {key}, d.id, d.name, p.brand, p.maker, p.model FROM {from} JOIN profile p ON p.n = d.profile WHERE {key} IN ("
            ));
            ask.bind_all(left).push(") AND ");
            condition::scoped(&mut ask, scope, &condition::DEVICES);
            for row in tx.fetch(ask).await? {
                let (brand, model) = (row.opt_owned(3)?.or(row.opt_owned(4)?), row.opt_owned(5)?);
                let words: Vec<String> = brand.into_iter().chain(model).collect();
                let one = Named { id: row.owned(1)?, name: row.owned(2)?, product: (!words.is_empty()).then(|| words.join(" ")) };
                out.entry(row.owned(0)?).and_modify(|there| *there = None).or_insert(Some(one));
            }
        }
        Ok(out.into_iter().filter_map(|(asked, one)| Some((asked, one?))).collect())
    }
}

async fn whole(tx: &mut Tx, scope: &Scope, ids: &[String]) -> Result<Vec<Kept>, StoreError> {
    let mut ask = Sql::new("SELECT d.n, d.seen, d.since, d.id, o.doc FROM device d JOIN device_doc o ON o.device = d.n WHERE d.id IN (");
    ask.bind_all(ids).push(") AND ");
    condition::scoped(&mut ask, scope, &condition::DEVICES);
    ask.push(" ORDER BY d.id");
    let mut out = Vec::new();
    let mut numbers = Vec::new();
    for row in tx.fetch(ask).await? {
        numbers.push(row.int(0)?);
        let device: Device = pack::unpack_json(row.blob(4)?)?;
        out.push(Kept { device, inputs: Vec::new(), seen: row.time(1)?, since: row.time(2)?, aliases: Vec::new() });
    }
    let mut found = findings(tx, &numbers).await?;
    let organisations = organisations(tx, out.iter().map(|k| &k.device)).await?;
    let inputs = inputs(tx, &mut out).await?;
    let mut aliases = aliases(tx, &out).await?;
    for (kept, n) in out.iter_mut().zip(&numbers) {
        kept.device.findings = found.remove(n).unwrap_or_default();
        kept.device.findings.sort_by(Finding::worst_first);
        kept.device.fill(&organisations);
        kept.aliases = aliases.remove(&kept.device.id).unwrap_or_default();
        place(kept, &inputs)?;
        if !scope.subscribers {
            mask(&mut kept.device);
        }
    }
    Ok(out)
}

/// The id under which a device is kept.
pub(crate) async fn canonical(tx: &mut Tx, id: &str) -> Result<String, StoreError> {
    if tx.first(sql!("SELECT n FROM device WHERE id = $1", id)).await?.is_some() {
        return Ok(id.to_owned());
    }
    let alias = tx.first(sql!("SELECT device FROM alias WHERE id = $1", id)).await?;
    alias.map_or_else(|| Ok(id.to_owned()), |row| row.owned(0))
}

async fn findings(tx: &mut Tx, devices: &[i64]) -> Result<BTreeMap<i64, Vec<Finding>>, StoreError> {
    let mut ask =
        Sql::new("SELECT f.device, f.id, f.subject_id, b.doc FROM finding f JOIN finding_body b ON b.n = f.body WHERE f.device IN (");
    ask.bind_all(devices.iter().copied()).push(")");
    let mut out: BTreeMap<i64, Vec<Finding>> = BTreeMap::new();
    for row in tx.fetch(ask).await? {
        out.entry(row.int(0)?).or_default().push(finding(row.text(1)?, row.text(2)?, row.blob(3)?)?);
    }
    Ok(out)
}

async fn aliases(tx: &mut Tx, devices: &[Kept]) -> Result<BTreeMap<String, Vec<String>>, StoreError> {
    let mut ask = Sql::new("SELECT device, id FROM alias WHERE id <> device AND device IN (");
    ask.bind_all(devices.iter().map(|k| &k.device.id)).push(") ORDER BY device, id");
    let mut out: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in tx.fetch(ask).await? {
        out.entry(row.owned(0)?).or_default().push(row.owned(1)?);
    }
    Ok(out)
}

/// A finding put together again.
pub(crate) fn finding(id: &str, subject: &str, body: &[u8]) -> Result<Finding, StoreError> {
    let mut finding: Finding = pack::unpack_json(body)?;
    finding.id = id.to_owned();
    finding.subject.id = subject.to_owned();
    Ok(finding)
}

/// The organisations behind devices.
pub(crate) async fn organisations<'a>(tx: &mut Tx, devices: impl IntoIterator<Item = &'a Device>) -> Result<Vec<Arc<Trace>>, StoreError> {
    let behind =
        devices.into_iter().flat_map(|d| d.modules.iter().flat_map(|m| &m.ownership).chain(d.product.iter().flat_map(|p| &p.ownership)));
    let ids: BTreeSet<&str> = behind.map(|b| b.org.as_str()).collect();
    let mut ask = Sql::new("SELECT doc FROM organisation WHERE id IN (");
    ask.bind_all(ids).push(")");
    tx.fetch(ask).await?.iter().map(|row| pack::unpack_json(row.blob(0)?).map(Arc::new)).collect()
}

/// The inputs that devices name, by their numbers.
async fn inputs(tx: &mut Tx, devices: &mut [Kept]) -> Result<BTreeMap<u32, KeptInput>, StoreError> {
    let mut numbers = BTreeSet::new();
    for kept in devices {
        each_input(&mut kept.device, &mut |input| {
            numbers.insert(*input);
            Ok(())
        })?;
    }
    let numbers: Vec<u32> = numbers.into_iter().collect();
    let mut out = BTreeMap::new();
    for some in numbers.chunks(1000) {
        let mut ask = Sql::new(
            "SELECT i.n, e.id, i.path, i.format, i.sha256, COALESCE(e.collected_at, e.received_at) FROM input i JOIN reading r ON r.n = i.reading JOIN evidence e ON e.n = r.evidence WHERE i.n IN (",
        );
        ask.bind_all(some.iter().copied()).push(")");
        for row in tx.fetch(ask).await? {
            let (evidence, path, format) = (row.owned(1)?, row.owned(2)?, row.owned(3)?);
            let input = KeptInput { evidence, path, format, sha256: row.owned(4)?, at: row.time(5)? };
            out.insert(u32::try_from(row.int(0)?).map_err(|_| StoreError::damaged("an input has no number"))?, input);
        }
    }
    Ok(out)
}

/// From here on a device names its inputs by their place in a list of its own, ordered by path.
fn place(kept: &mut Kept, known: &BTreeMap<u32, KeptInput>) -> Result<(), StoreError> {
    let mut own: BTreeSet<u32> = BTreeSet::new();
    each_input(&mut kept.device, &mut |input| {
        own.insert(*input);
        Ok(())
    })?;
    let mut list: Vec<(&KeptInput, u32)> = own.iter().filter_map(|n| Some((known.get(n)?, *n))).collect();
    list.sort_by(|(a, x), (b, y)| (&a.path, &a.sha256, x).cmp(&(&b.path, &b.sha256, y)));
    let places: BTreeMap<u32, u32> = list.iter().zip(0..).map(|((_, n), place)| (*n, place)).collect();
    each_input(&mut kept.device, &mut |input| {
        *input = *places.get(input).ok_or_else(|| StoreError::damaged(format!("input {input} of a device is missing")))?;
        Ok(())
    })?;
    kept.device.inputs.sort_unstable();
    kept.inputs = list.into_iter().map(|(input, _)| input.clone()).collect();
    Ok(())
}

/// Covers what belongs to a subscriber, as an audit without the right to see it does.
pub(crate) fn mask(device: &mut Device) {
    let own: Vec<String> = subscribers(device).into_iter().map(str::to_owned).collect();
    let own: Vec<&str> = own.iter().map(String::as_str).collect();
    let ids = &mut device.identifiers;
    for list in [&mut ids.iccid, &mut ids.imsi, &mut ids.msisdn] {
        list.iter_mut().for_each(|n| *n = Shown(n).to_string());
        list.dedup();
    }
    let typed = [&mut device.names, &mut ids.asset_id, &mut ids.serial, &mut ids.site, &mut ids.imei_unusable];
    typed.into_iter().flatten().for_each(|text| *text = cover(text, &own));
    let in_words = [Kind::Text, Kind::HostMaker, Kind::HostModel, Kind::DeclaredMaker, Kind::DeclaredModel, Kind::Model, Kind::DeviceClass];
    let modules = device.modules.iter_mut().flat_map(|m| {
        let claims = m.claims.iter_mut().flat_map(|c| c.because.iter_mut().chain(&mut c.against));
        m.because.iter_mut().chain(&mut m.against).chain(claims)
    });
    for because in device.because.iter_mut().chain(modules).filter(|b| in_words.iter().any(|k| k.name() == b.kind)) {
        because.value = mask_numbers(&because.value).into_owned();
    }
    for finding in &mut device.findings {
        mask_finding(finding, &own);
    }
}

/// The same for a finding; `own` are the device's numbers where they are known.
pub(crate) fn mask_finding(finding: &mut Finding, own: &[&str]) {
    for text in finding.because.iter_mut().chain(&mut finding.remedies).chain([&mut finding.clears_when]) {
        *text = mask_numbers(&cover(text, own)).into_owned();
    }
    mask_json(&mut finding.detail, own);
}

fn mask_json(value: &mut serde_json::Value, own: &[&str]) {
    match value {
        serde_json::Value::String(text) => *text = mask_numbers(&cover(text, own)).into_owned(),
        serde_json::Value::Array(list) => list.iter_mut().for_each(|v| mask_json(v, own)),
        serde_json::Value::Object(map) => map.values_mut().for_each(|v| mask_json(v, own)),
        _ => {}
    }
}
