//! Devices: the list, its facets, one of them and its why.

use axum::extract::{Path, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use umbilical_core::answer::Device;
use umbilical_store::query::{self, Query};
use umbilical_store::{DeviceRow, Kept};
use utoipa::{IntoParams, ToSchema};

use crate::Problem;
use crate::api::{Counted, ListParams, json};
use crate::app::App;
use crate::extract::Params;
use crate::who::Who;

/// A device in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DeviceLine {
    /// `dev-…`
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Where it stands.
    pub site: Option<String>,
    /// `yes`, `unknown`, `no`.
    pub cellular: String,
    /// Of its first module, or of the product that it is.
    pub brand: Option<String>,
    /// Maker of its first module.
    pub maker: Option<String>,
    /// Model of its first module, or of the product that it is.
    pub model: Option<String>,
    /// How far its first module is known.
    pub level: Option<String>,
    /// 0–1.
    pub confidence: f64,
    /// `confirmed`, `probable`, `possible`, `hint`.
    pub confidence_level: Option<String>,
    /// The first ultimate owner.
    pub owner: Option<String>,
    /// The country of that owner, where it is on file; where no owner is known, the first jurisdiction of control.
    pub country: Option<String>,
    /// The worst severity of what did not pass.
    pub severity: Option<&'static str>,
    /// The worst verdict.
    pub verdict: Option<String>,
    /// Findings that did not pass.
    pub findings: u64,
    /// When its newest evidence was collected.
    pub seen: String,
    /// When it was first known here.
    pub since: String,
    /// Where it stands in triage.
    pub state: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// Who looks after it.
    pub assigned: Option<String>,
}

impl From<DeviceRow> for DeviceLine {
    fn from(row: DeviceRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            site: row.site,
            cellular: row.cellular,
            brand: row.brand,
            maker: row.maker,
            model: row.model,
            level: row.level,
            confidence: row.confidence,
            confidence_level: row.certainty,
            owner: row.owner,
            country: row.country,
            severity: row.severity,
            verdict: row.verdict,
            findings: row.findings,
            seen: row.seen.to_string(),
            since: row.since.to_string(),
            state: row.state,
            tags: row.tags,
            assigned: row.assigned,
        }
    }
}

/// A page of devices.
#[derive(Serialize, ToSchema)]
pub struct Devices {
    /// How many fit, over all pages.
    count: Counted,
    /// The rows.
    devices: Vec<DeviceLine>,
    /// What `after` of the next page is; `null` on the last.
    next: Option<String>,
}

/// Devices that fit a query
#[utoipa::path(get, path = "/api/v1/devices", tag = "devices", params(ListParams), responses((status = 200, body = Devices)))]
pub async fn list(State(app): State<App>, who: Who, Params(params): Params<ListParams>) -> Result<Response, Problem> {
    let listed = app.store().devices(&who.scope, &params.query()?, params.page()).await?;
    let body = Devices { count: listed.count.into(), devices: listed.rows.into_iter().map(Into::into).collect(), next: listed.next };
    Ok(params.answer("/api/v1/devices", &body, body.next.as_deref()))
}

/// What facets are asked of.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FacetParams {
    /// A query.
    #[serde(default)]
    q: String,
    /// Fields, apart by a comma.
    #[serde(default = "usual")]
    fields: String,
    /// Values of each field, at most 200.
    #[serde(default = "twenty")]
    most: u32,
}

/// The facets of the fleet page.
pub const FACETS: [&str; 8] = ["cellular", "maker", "country", "site", "verdict", "severity", "certainty", "collect"];

fn usual() -> String {
    FACETS.join(",")
}

fn twenty() -> u32 {
    20
}

/// A field and its values.
#[derive(Serialize, ToSchema)]
pub struct FacetOf {
    /// The field.
    field: &'static str,
    /// The most frequent first.
    values: Vec<FacetCount>,
}

/// A value of a field.
#[derive(Serialize, ToSchema)]
pub struct FacetCount {
    /// As `field:"value"` asks for it.
    value: String,
    /// Devices that have it.
    devices: u64,
}

/// What the devices that fit a query have in common
#[utoipa::path(get, path = "/api/v1/devices/facets", tag = "devices", params(FacetParams), responses((status = 200, body = [FacetOf])))]
pub async fn facets(State(app): State<App>, who: Who, Params(params): Params<FacetParams>) -> Result<Response, Problem> {
    let fields: Vec<&str> = params.fields.split(',').map(str::trim).filter(|f| !f.is_empty()).take(20).collect();
    let found = app.store().facets(&who.scope, &Query::parse(&params.q)?, &fields, params.most.clamp(1, 200)).await?;
    let shown = found.into_iter().map(|f| FacetOf {
        field: f.field,
        values: f.values.into_iter().map(|v| FacetCount { value: v.value, devices: v.devices }).collect(),
    });
    Ok(json(&shown.collect::<Vec<_>>()))
}

/// An input of a device.
#[derive(Serialize, ToSchema)]
pub struct InputOf {
    /// The artefact, `evd-…`.
    evidence: String,
    /// Its path.
    path: String,
    /// What the readers took it for.
    format: String,
    /// SHA-256.
    sha256: String,
}

/// A device whole.
#[derive(Serialize, ToSchema)]
pub struct DeviceWhole {
    /// As the audit document has it (`umbilical.audit/1`); its inputs are numbered within `inputs`.
    #[schema(value_type = Object)]
    device: Device,
    /// The inputs that it names, by index.
    inputs: Vec<InputOf>,
    /// When its newest evidence was collected.
    seen: String,
    /// When it was first known here.
    since: String,
    /// Other ids under which it was known.
    aliases: Vec<String>,
}

impl From<Kept> for DeviceWhole {
    fn from(kept: Kept) -> Self {
        let input = |i: umbilical_store::KeptInput| InputOf { evidence: i.evidence, path: i.path, format: i.format, sha256: i.sha256 };
        Self {
            device: kept.device,
            inputs: kept.inputs.into_iter().map(input).collect(),
            seen: kept.seen.to_string(),
            since: kept.since.to_string(),
            aliases: kept.aliases,
        }
    }
}

/// A device with its modules, claims, owners and findings
#[utoipa::path(get, path = "/api/v1/devices/{id}", tag = "devices", params(("id" = String, Path, description = "`dev-…`")), responses((status = 200, body = DeviceWhole)))]
pub async fn one(State(app): State<App>, who: Who, Path(id): Path<String>) -> Result<Response, Problem> {
    Ok(json(&DeviceWhole::from(app.store().device(&who.scope, &id).await?)))
}

/// One piece of evidence in a claim, with its place.
#[derive(Serialize, ToSchema)]
pub struct Reason {
    /// The artefact.
    evidence: String,
    /// The file in it.
    path: String,
    /// `line 7`.
    at: String,
    /// The witness.
    group: String,
    /// The kind of fact.
    kind: String,
    /// Its value.
    value: String,
    /// How it is known.
    basis: String,
    /// Milli-nats; negative speaks against.
    weight: i32,
    /// What it was matched with.
    matched: String,
}

/// A claim with what speaks for and against it.
#[derive(Serialize, ToSchema)]
pub struct ClaimOf {
    /// `clm-…`
    id: String,
    /// Number of the module, from 1.
    module: usize,
    /// At which level.
    level: String,
    /// What is claimed.
    value: String,
    /// 0–1.
    confidence: f64,
    /// In a word.
    confidence_level: String,
    /// How it is known.
    basis: String,
    /// For it.
    because: Vec<Reason>,
    /// Against it.
    against: Vec<Reason>,
}

/// Why a device is said to be what it is said to be.
#[derive(Serialize, ToSchema)]
pub struct Why {
    /// `dev-…`
    id: String,
    /// Whether it is cellular.
    cellular: String,
    /// How sure that is.
    cellular_confidence: f64,
    /// Why.
    because: Vec<Reason>,
    /// Its claims.
    claims: Vec<ClaimOf>,
    /// Witnesses that cannot both be right.
    conflicts: Vec<String>,
    /// What to collect to decide what is open.
    next_evidence: Vec<String>,
}

/// Why a device is said to be what it is: claims, reasons with their place, what would change it
#[utoipa::path(get, path = "/api/v1/devices/{id}/why", tag = "devices", params(("id" = String, Path, description = "`dev-…`")), responses((status = 200, body = Why)))]
pub async fn why(State(app): State<App>, who: Who, Path(id): Path<String>) -> Result<Response, Problem> {
    let kept = app.store().device(&who.scope, &id).await?;
    let reasons = |list: &[umbilical_core::answer::Because]| -> Vec<Reason> {
        let one = |b: &umbilical_core::answer::Because| {
            let input = kept.inputs.get(b.input as usize);
            Reason {
                evidence: input.map(|i| i.evidence.clone()).unwrap_or_default(),
                path: input.map(|i| i.path.clone()).unwrap_or_default(),
                at: b.at.clone(),
                group: b.group.to_string(),
                kind: b.kind.to_string(),
                value: b.value.clone(),
                basis: b.basis.name().to_owned(),
                weight: b.weight,
                matched: b.matched.clone(),
            }
        };
        list.iter().map(one).collect()
    };
    let device = &kept.device;
    let claims = device.modules.iter().enumerate().flat_map(|(n, m)| m.claims.iter().map(move |c| (n, c)));
    let claims = claims.map(|(n, c)| ClaimOf {
        id: c.id.clone(),
        module: n.saturating_add(1),
        level: c.level.name().to_owned(),
        value: c.value.clone(),
        confidence: c.confidence,
        confidence_level: c.confidence_level.name().to_owned(),
        basis: c.basis.name().to_owned(),
        because: reasons(&c.because),
        against: reasons(&c.against),
    });
    Ok(json(&Why {
        id: device.id.clone(),
        cellular: device.cellular.name().to_owned(),
        cellular_confidence: device.cellular_confidence,
        because: reasons(&device.because),
        claims: claims.collect(),
        conflicts: device.modules.iter().flat_map(|m| m.conflicts.iter().map(|c| c.what.clone())).collect(),
        next_evidence: device.next_evidence.clone(),
    }))
}

/// A field that queries may ask.
#[derive(Serialize, ToSchema)]
pub struct FieldOf {
    /// Its name.
    name: &'static str,
    /// What it is.
    about: &'static str,
}

/// What queries and lists may ask.
#[derive(Serialize, ToSchema)]
pub struct Fields {
    /// The fields.
    fields: Vec<FieldOf>,
    /// The columns by which devices are sorted.
    sorts_of_devices: Vec<&'static str>,
    /// The columns by which findings are sorted.
    sorts_of_findings: Vec<&'static str>,
    /// Where a thing may stand in triage.
    states: &'static [&'static str],
}

/// What queries and lists may ask
#[utoipa::path(get, path = "/api/v1/query", tag = "service", responses((status = 200, body = Fields)))]
pub async fn fields() -> Response {
    json(&Fields {
        fields: Query::fields().map(|(name, about)| FieldOf { name, about }).collect(),
        sorts_of_devices: DeviceRow::sorts().collect(),
        sorts_of_findings: umbilical_store::FindingRow::sorts().collect(),
        states: query::STATES,
    })
}
