//! One device with its why.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use umbilical_core::answer::{Because, Claim, Device, Module};
use umbilical_core::{Day, Group};
use umbilical_report::layers::{Layer, layers};
use umbilical_report::svg::{self, Mark};
use umbilical_store::query::{Query, STATES};
use umbilical_store::traffic::Of;
use umbilical_store::{Decided, KeptInput, Page};

use super::decide;
use super::frame::{Head, minute, page};
use super::refused::Refused;
use super::traffic::{Sessions, bytes};
use crate::Problem;
use crate::api::DeviceLine;
use crate::app::App;
use crate::extract::Checked;
use crate::rights::Permission;
use crate::who::Who;

/// Sessions that are shown.
const SESSIONS: u32 = 20;

/// A number, and whose it is where that belongs to it.
type Qualified = (String, Option<String>);

#[derive(Template)]
#[template(path = "device.html")]
struct DevicePage {
    head: Head,
    id: String,
    /// Where its forms lead.
    action: String,
    name: String,
    device: Device,
    inputs: Vec<KeptInput>,
    seen: String,
    since: String,
    line: Option<DeviceLine>,
    decided: Vec<Decided>,
    decides: bool,
    states: &'static [&'static str],
    identifiers: Vec<(&'static str, Vec<Qualified>)>,
    /// Whether rules are asked.
    judged: bool,
    layers: [Layer; 7],
    checklist: Vec<Check>,
    /// What came when.
    timeline: String,
    history: Vec<(i64, String, String)>,
    /// Its sessions on the network; what was found in them stands among its findings.
    sessions: Sessions,
}

/// A kind of witness, and whether one has spoken.
struct Check {
    what: &'static str,
    how: &'static str,
    done: bool,
}

/// What to collect, in the order of what it costs. A box ticks itself when a witness of its kind has spoken of the device.
const CHECKS: [(Group, &str, &str); 6] = [
    (Group::Network, "seen by the network", "the SIM platform's or gateway's export with IMEIs"),
    (Group::Document, "declared by a document", "a bill of materials, an asset register, the label (FCC ID, model)"),
    (Group::OwnWord, "said by the module itself", "lsusb, AT answers, mmcli, an SNMP walk of the router"),
    (Group::Image, "read from its firmware", "a firmware image or update"),
    (Group::Traffic, "heard in its traffic", "a capture or flow records"),
    (Group::Person, "looked at by a person", "a note of what is on the board"),
];

fn checklist(device: &Device) -> Vec<Check> {
    let claims = device.modules.iter().flat_map(|m| &m.claims).flat_map(|c| c.because.iter().chain(&c.against));
    let heard: BTreeSet<&str> = device.because.iter().chain(claims).map(|b| b.group).collect();
    CHECKS.iter().map(|(group, what, how)| Check { what, how, done: heard.contains(group.name()) }).collect()
}

fn timeline(inputs: &[KeptInput]) -> String {
    let mark = |i: &KeptInput| {
        let name = i.path.rsplit(['/', '!']).next().unwrap_or(&i.path);
        Day::from_unix(i.at.0.div_euclid(1000)).map(|day| Mark { day, label: format!("{} ({})", name, i.format), class: "c1" })
    };
    let mut marks: Vec<Mark> = inputs.iter().filter_map(mark).collect();
    marks.sort_by(|a, b| (a.day, &a.label).cmp(&(b.day, &b.label)));
    svg::timeline("timeline", "When the evidence came", &marks)
}

impl DevicePage {
    /// Where a piece of evidence stands: path and artefact.
    fn place(&self, because: &Because) -> String {
        self.inputs.get(because.input as usize).map(|i| i.path.clone()).unwrap_or_default()
    }

    /// Whether a claim is the one that the module stands for.
    fn leads(&self, module: &Module, claim: &Claim) -> bool {
        module.claims.iter().find(|c| c.level == module.level).is_some_and(|c| c.id == claim.id)
    }

    /// Whether nobody on file stands behind it.
    fn unowned(&self) -> bool {
        let product = self.device.product.iter().flat_map(|p| &p.ownership);
        self.device.modules.iter().flat_map(|m| &m.ownership).chain(product).next().is_none()
    }

    fn artefact(&self, because: &Because) -> String {
        self.inputs.get(because.input as usize).map(|i| i.evidence.clone()).unwrap_or_default()
    }
}

/// Nats, of which a thousandth is stored.
fn nats(weight: &i32) -> String {
    format!("{:+.1}", f64::from(*weight) / 1000.0)
}

/// A serial number is unique within its maker: the two are kept together, and told apart for people.
fn serial(text: &str) -> Qualified {
    match text.split_once('|') {
        Some((maker, number)) => (number.to_owned(), Some(maker.to_owned()).filter(|m| !m.is_empty())),
        None => (text.to_owned(), None),
    }
}

fn identifiers(device: &Device) -> Vec<(&'static str, Vec<Qualified>)> {
    let ids = &device.identifiers;
    let all = [
        ("Site", &ids.site),
        ("Asset", &ids.asset_id),
        ("Serial", &ids.serial),
        ("IMEI", &ids.imei),
        ("IMEI, not usable", &ids.imei_unusable),
        ("EID", &ids.eid),
        ("MEID", &ids.meid),
        ("ICCID", &ids.iccid),
        ("IMSI", &ids.imsi),
        ("MSISDN", &ids.msisdn),
        ("MAC", &ids.mac),
        ("IP", &ids.ip),
        ("VIN", &ids.vin),
        ("UDI", &ids.udi),
    ];
    let shown = |label, value: &String| if label == "Serial" { serial(value) } else { (value.clone(), None) };
    let rows = all.into_iter().filter(|(_, list)| !list.is_empty());
    rows.map(|(label, list)| (label, list.iter().map(|value| shown(label, value)).collect())).collect()
}

/// The page of a device.
pub async fn device(State(app): State<App>, who: Who, Path(id): Path<String>) -> Result<Response, Problem> {
    shown(&app, &who, &id, None).await
}

/// Its page, with a form that was refused.
async fn shown(app: &App, who: &Who, id: &str, refused: Option<Refused>) -> Result<Response, Problem> {
    let kept = app.store().device(&who.scope, id).await?;
    let id = kept.device.id.clone();
    let query = Query::parse(&format!("id:\"{id}\""))?;
    let line = app.store().devices(&who.scope, &query, Page { limit: 1, ..Page::default() }).await?.rows.into_iter().next();
    let decided = app.store().decisions(&who.scope, &id).await?;
    let history = app.store().device_changes(&who.scope, &id, 50).await?;
    let name = line.as_ref().map_or_else(|| id.clone(), |l| l.name.clone());
    let sessions = app.store().traffic_sessions(&who.scope, Of::Device(&id), SESSIONS).await?;
    let shown = DevicePage {
        head: Head::new(name.clone(), "/fleet", Some(who)).again(refused),
        identifiers: identifiers(&kept.device),
        layers: layers(&kept.device),
        checklist: checklist(&kept.device),
        timeline: timeline(&kept.inputs),
        history: history.into_iter().map(|(n, at, what)| (n, minute(at.to_string()), what)).collect(),
        action: format!("/devices/{id}"),
        id,
        name,
        device: kept.device,
        inputs: kept.inputs,
        seen: kept.seen.to_string(),
        since: kept.since.to_string(),
        line: line.map(Into::into),
        decided,
        decides: who.may(Permission::Decide),
        states: STATES,
        judged: app.config().judge.is_some(),
        sessions: sessions.into(),
    };
    Ok(page(shown.head.status(), &shown))
}

/// Decides about a device and shows it again.
pub async fn decide(
    State(app): State<App>,
    who: Who,
    Path(id): Path<String>,
    Checked(sent): Checked<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    if !id.starts_with("dev-") {
        return Err(Problem::missing("there is no such device"));
    }
    let sent = decide::Sent(sent);
    match decide::one(&app, &who, "/devices", &id, &sent).await {
        Err(problem) => shown(&app, &who, &id, Some(sent.refused(problem)?)).await,
        done => done,
    }
}
