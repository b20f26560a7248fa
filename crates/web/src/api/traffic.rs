//! What was watched: traces, the modules' sessions in them, what detectors found, and with whom a session spoke.

use axum::extract::{Path, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use umbilical_core::finding::Finding;
use umbilical_store::traffic::{HourRow, Of, PeerRow, SessionRow, TraceRow};
use umbilical_store::{Incident, split_peer};
use utoipa::{IntoParams, ToSchema};

use crate::Problem;
use crate::api::{MuteOf, json};
use crate::app::App;
use crate::extract::Params;
use crate::who::Who;

/// A trace.
#[derive(Serialize, ToSchema)]
pub struct TraceOf {
    /// `trc-…`
    id: String,
    /// What was read.
    name: String,
    /// First packet.
    first: String,
    /// Last packet.
    last: String,
    /// Packets, or records of conversations.
    packets: u64,
    /// Their bytes.
    bytes: u64,
    /// Conversations.
    flows: u64,
    /// Sessions of modules.
    sessions: u64,
    /// What detectors found.
    findings: u64,
    /// When it was kept.
    kept_at: String,
    /// By whom.
    kept_by: String,
}

impl From<TraceRow> for TraceOf {
    fn from(t: TraceRow) -> Self {
        Self {
            id: t.id,
            name: t.name,
            first: t.range.0.to_string(),
            last: t.range.1.to_string(),
            packets: t.packets,
            bytes: t.bytes,
            flows: t.flows,
            sessions: t.sessions,
            findings: t.findings,
            kept_at: t.kept_at.to_string(),
            kept_by: t.who,
        }
    }
}

/// Of what.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TrafficParams {
    /// A trace, `trc-…`.
    trace: Option<String>,
    /// A device, `dev-…`.
    device: Option<String>,
    /// Rows, 1 to 1000; 50 where nothing is said.
    #[serde(default)]
    limit: u32,
}

impl TrafficParams {
    fn of(&self) -> Result<Of<'_>, Problem> {
        match (&self.trace, &self.device) {
            (Some(_), Some(_)) => Err(Problem::at("device", "name a trace or a device")),
            (Some(trace), None) => Ok(Of::Trace(trace)),
            (None, Some(device)) => Ok(Of::Device(device)),
            (None, None) => Ok(Of::All),
        }
    }

    fn limit(&self) -> u32 {
        if self.limit == 0 { 50 } else { self.limit.min(1000) }
    }
}

/// Traces, the newest first; who sees some sites is given none
#[utoipa::path(get, path = "/api/v1/traffic/traces", tag = "traffic", responses((status = 200, body = [TraceOf])))]
pub async fn traces(State(app): State<App>, who: Who) -> Result<Response, Problem> {
    let traces = app.store().traces(&who.scope, 1000).await?;
    Ok(json(&traces.into_iter().map(TraceOf::from).collect::<Vec<_>>()))
}

/// Sessions, and how many there are.
#[derive(Serialize, ToSchema)]
pub struct SessionList {
    /// Those with the most bytes first, as `umbilical watch` has them.
    #[schema(value_type = Vec<Object>)]
    sessions: Vec<SessionRow>,
    /// How many there are.
    count: u64,
}

/// Sessions of modules on the network, those with the most bytes first
#[utoipa::path(get, path = "/api/v1/traffic/sessions", tag = "traffic", params(TrafficParams), responses((status = 200, body = SessionList)))]
pub async fn sessions(State(app): State<App>, who: Who, Params(params): Params<TrafficParams>) -> Result<Response, Problem> {
    let (sessions, count) = app.store().traffic_sessions(&who.scope, params.of()?, params.limit()).await?;
    Ok(json(&SessionList { sessions, count }))
}

/// What a session said to one peer.
#[derive(Serialize, ToSchema)]
pub struct Peer {
    /// A name or an address; `null`: everybody else together.
    peer: Option<String>,
    /// Its port; 0 of none.
    port: u16,
    /// `tcp`, `udp`, …
    proto: String,
    /// Conversations.
    flows: u64,
    /// Bytes from who began.
    bytes_up: u64,
    /// Bytes to who began.
    bytes_down: u64,
}

impl From<PeerRow> for Peer {
    fn from(p: PeerRow) -> Self {
        Self { peer: p.peer, port: p.port, proto: p.proto, flows: p.flows, bytes_up: p.up, bytes_down: p.down }
    }
}

/// What a session said in an hour.
#[derive(Serialize, ToSchema)]
pub struct Hour {
    /// When it begins.
    hour: String,
    /// Conversations.
    flows: u64,
    /// Bytes from who began.
    bytes_up: u64,
    /// Bytes to who began.
    bytes_down: u64,
}

impl From<HourRow> for Hour {
    fn from(h: HourRow) -> Self {
        Self { hour: h.hour.to_string(), flows: h.flows, bytes_up: h.up, bytes_down: h.down }
    }
}

/// A session with what it said.
#[derive(Serialize, ToSchema)]
pub struct SessionWhole {
    /// The session.
    #[schema(value_type = Object)]
    session: SessionRow,
    /// With whom, those with the most bytes first.
    peers: Vec<Peer>,
    /// By hour, the first first.
    hours: Vec<Hour>,
    /// What detectors found of it.
    #[schema(value_type = Vec<Object>)]
    findings: Vec<Finding>,
}

/// A session with its peers, its hours, and what was found of it
#[utoipa::path(get, path = "/api/v1/traffic/sessions/{id}", tag = "traffic", params(("id" = String, Path, description = "`ses-…`")), responses((status = 200, body = SessionWhole)))]
pub async fn session(State(app): State<App>, who: Who, Path(id): Path<String>) -> Result<Response, Problem> {
    let session = app.store().traffic_session(&who.scope, &id).await?;
    let whole = SessionWhole {
        peers: app.store().traffic_peers(&id, 1000).await?.into_iter().map(Peer::from).collect(),
        hours: app.store().traffic_hours(&id, 1000).await?.into_iter().map(Hour::from).collect(),
        findings: app.store().traffic_findings(&who.scope, Of::Subject(&id), 1000).await?,
        session,
    };
    Ok(json(&whole))
}

/// What detectors found, the worst first
#[utoipa::path(get, path = "/api/v1/traffic/findings", tag = "traffic", params(TrafficParams), responses((status = 200, body = [Object])))]
pub async fn findings(State(app): State<App>, who: Who, Params(params): Params<TrafficParams>) -> Result<Response, Problem> {
    let of = params.of()?;
    Ok(json(&app.store().traffic_findings(&who.scope, of, params.limit()).await?))
}

/// Where an incident was seen.
#[derive(Serialize, ToSchema)]
pub struct SightingOf {
    /// `trc-…`; `null` for who sees some sites alone.
    trace: Option<String>,
    /// What was read for it, likewise.
    name: Option<String>,
    /// What was found there.
    #[schema(value_type = Object)]
    finding: Finding,
}

/// What stands behind the finding of a detector.
#[derive(Serialize, ToSchema)]
pub struct IncidentOf {
    /// Sessions or addresses whose doing it was, the newest first.
    subjects: Vec<String>,
    /// Where it was seen, the newest first; at most 200.
    sightings: Vec<SightingOf>,
    /// What they said to that peer by hour, where that is kept apart, the first first.
    hours: Vec<Hour>,
    /// What hides it.
    muted: Option<MuteOf>,
}

/// Hours of an incident.
const HOURS: u32 = 168;

/// What was said by hour with the peer of an incident; with everybody where it has none.
pub(crate) async fn hours_of(app: &App, incident: &Incident, finding: &Finding) -> Result<Vec<HourRow>, Problem> {
    let peer = finding.detail.get("peer").and_then(|p| p.as_str());
    Ok(match (peer, incident.subjects.first()) {
        (Some(peer), _) => {
            let (host, port) = split_peer(peer);
            app.store().traffic_pair_hours(&incident.subjects, host, port, HOURS).await?
        }
        (None, Some(subject)) => app.store().traffic_hours(subject, HOURS).await?,
        (None, None) => Vec::new(),
    })
}

/// What stands behind a finding of a detector: where it was seen, and when; nothing behind any other
#[utoipa::path(get, path = "/api/v1/findings/{id}/incident", tag = "findings", params(("id" = String, Path, description = "`fnd-…`")), responses((status = 200, body = IncidentOf)))]
pub async fn incident(State(app): State<App>, who: Who, Path(id): Path<String>) -> Result<Response, Problem> {
    let finding = app.store().finding(&who.scope, &id).await?.finding;
    let Some(incident) = app.store().incident(&who.scope, &finding.id).await? else {
        return Ok(json(&IncidentOf { subjects: Vec::new(), sightings: Vec::new(), hours: Vec::new(), muted: None }));
    };
    let hours = hours_of(&app, &incident, &finding).await?.into_iter().map(Hour::from).collect();
    let sightings = incident.sightings.into_iter().map(|s| SightingOf { trace: s.trace, name: s.name, finding: s.finding }).collect();
    Ok(json(&IncidentOf { subjects: incident.subjects, sightings, hours, muted: incident.mute.map(MuteOf::from) }))
}
