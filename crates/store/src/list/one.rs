//! One device whole.

use std::collections::BTreeMap;
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
}

impl Store {
    /// A device by its id or an alias, with its findings. One outside the asker's sites is not found.
    pub async fn device(&self, scope: &Scope, id: &str) -> Result<Kept, StoreError> {
        let mut tx = self.db().read().await?;
        let id = &canonical(&mut tx, id).await?;
        let mut ask = Sql::new("SELECT d.n, d.seen, d.since, o.doc FROM device d JOIN device_doc o ON o.device = d.n WHERE d.id = ");
        ask.bind(id).push(" AND ");
        condition::scoped(&mut ask, scope, &condition::DEVICES);
        let row = tx.first(ask).await?.ok_or_else(|| not_found("device", id))?;
        let mut device: Device = pack::unpack_json(row.blob(3)?)?;
        device.findings = findings(&mut tx, row.int(0)?).await?;
        let organisations = traces(&mut tx, &device).await?;
        device.fill(&organisations);
        let inputs = inputs(&mut tx, &mut device).await?;
        if !scope.subscribers {
            mask(&mut device);
        }
        let mut aliases = Vec::new();
        for alias in tx.fetch(sql!("SELECT id FROM alias WHERE device = $1 AND id <> $1 ORDER BY id", id)).await? {
            aliases.push(alias.owned(0)?);
        }
        Ok(Kept { device, inputs, seen: row.time(1)?, since: row.time(2)?, aliases })
    }
}

/// The id under which a device is kept.
pub(crate) async fn canonical(tx: &mut Tx, id: &str) -> Result<String, StoreError> {
    if tx.first(sql!("SELECT n FROM device WHERE id = $1", id)).await?.is_some() {
        return Ok(id.to_owned());
    }
    let alias = tx.first(sql!("SELECT device FROM alias WHERE id = $1", id)).await?;
    alias.map_or_else(|| Ok(id.to_owned()), |row| row.owned(0))
}

async fn findings(tx: &mut Tx, device: i64) -> Result<Vec<Finding>, StoreError> {
    let ask = "SELECT f.id, f.subject_id, b.doc FROM finding f JOIN finding_body b ON b.n = f.body WHERE f.device = $1";
    let mut out = Vec::new();
    for row in tx.fetch(sql!(ask, device)).await? {
        out.push(finding(row.text(0)?, row.text(1)?, row.blob(2)?)?);
    }
    out.sort_by(Finding::worst_first);
    Ok(out)
}

/// A finding put together again.
pub(crate) fn finding(id: &str, subject: &str, body: &[u8]) -> Result<Finding, StoreError> {
    let mut finding: Finding = pack::unpack_json(body)?;
    finding.id = id.to_owned();
    finding.subject.id = subject.to_owned();
    Ok(finding)
}

async fn traces(tx: &mut Tx, device: &Device) -> Result<Vec<Arc<Trace>>, StoreError> {
    let behind = device.modules.iter().flat_map(|m| &m.ownership).chain(device.product.iter().flat_map(|p| &p.ownership));
    let mut ids: Vec<&str> = behind.map(|b| b.org.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut ask = Sql::new("SELECT doc FROM organisation WHERE id IN (");
    ask.bind_all(ids).push(")");
    tx.fetch(ask).await?.iter().map(|row| pack::unpack_json(row.blob(0)?).map(Arc::new)).collect()
}

/// The inputs of a device, which from then on names them by their place in this list.
async fn inputs(tx: &mut Tx, device: &mut Device) -> Result<Vec<KeptInput>, StoreError> {
    let mut places: BTreeMap<u32, u32> = BTreeMap::new();
    each_input(device, &mut |input| {
        places.insert(*input, 0);
        Ok(())
    })?;
    let mut ask = Sql::new(
        "SELECT i.n, e.id, i.path, i.format, i.sha256 FROM input i JOIN reading r ON r.n = i.reading JOIN evidence e ON e.n = r.evidence WHERE i.n IN (",
    );
    ask.bind_all(places.keys().copied()).push(") ORDER BY i.path, i.sha256, i.n");
    let mut out = Vec::new();
    for row in tx.fetch(ask).await? {
        let place = u32::try_from(out.len()).unwrap_or(u32::MAX);
        if let Ok(n) = u32::try_from(row.int(0)?) {
            places.insert(n, place);
        }
        out.push(KeptInput { evidence: row.owned(1)?, path: row.owned(2)?, format: row.owned(3)?, sha256: row.owned(4)? });
    }
    each_input(device, &mut |input| {
        *input = places.get(input).copied().unwrap_or(0);
        Ok(())
    })?;
    device.inputs.sort_unstable();
    Ok(out)
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
