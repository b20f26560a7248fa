//! One device with its why.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use umbilical_core::answer::{Because, Claim, Device, Module};
use umbilical_store::query::{Query, STATES};
use umbilical_store::{Decided, KeptInput, Page};

use super::{Head, page};
use crate::Problem;
use crate::api::{DeviceLine, Wanted};
use crate::app::App;
use crate::extract::Checked;
use crate::rights::Permission;
use crate::who::Who;

#[derive(Template)]
#[template(path = "device.html")]
struct DevicePage {
    head: Head,
    id: String,
    name: String,
    device: Device,
    inputs: Vec<KeptInput>,
    seen: String,
    since: String,
    line: Option<DeviceLine>,
    decided: Vec<Decided>,
    decides: bool,
    states: &'static [&'static str],
    identifiers: Vec<(&'static str, Vec<String>)>,
    /// Whether rules are asked.
    judged: bool,
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

    fn artefact(&self, because: &Because) -> String {
        self.inputs.get(because.input as usize).map(|i| i.evidence.clone()).unwrap_or_default()
    }
}

/// Nats, of which a thousandth is stored.
fn nats(weight: &i32) -> String {
    format!("{:+.1}", f64::from(*weight) / 1000.0)
}

fn percent(confidence: &f64) -> String {
    // 99.96 % is not certainty.
    let hundredths = (confidence * 10_000.0).floor() / 100.0;
    if hundredths.fract() == 0.0 { format!("{hundredths:.0} %") } else { format!("{hundredths:.1} %") }
}

fn identifiers(device: &Device) -> Vec<(&'static str, Vec<String>)> {
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
    all.into_iter().filter(|(_, list)| !list.is_empty()).map(|(label, list)| (label, list.clone())).collect()
}

/// The page of a device.
pub async fn device(State(app): State<App>, who: Who, Path(id): Path<String>) -> Result<Response, Problem> {
    let kept = app.store().device(&who.scope, &id).await?;
    let id = kept.device.id.clone();
    let query = Query::parse(&format!("id:\"{id}\""))?;
    let line = app.store().devices(&who.scope, &query, Page { limit: 1, ..Page::default() }).await?.rows.into_iter().next();
    let decided = app.store().decisions(&who.scope, &id).await?;
    let name = line.as_ref().map_or_else(|| id.clone(), |l| l.name.clone());
    let shown = DevicePage {
        head: Head::new(name.clone(), "/fleet", Some(&who)),
        identifiers: identifiers(&kept.device),
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
    };
    Ok(page(StatusCode::OK, &shown))
}

/// A decision as the page's forms send it.
#[derive(Deserialize)]
pub struct Sent {
    kind: String,
    #[serde(default)]
    value: String,
    #[serde(default)]
    comment: String,
}

/// Decides about a device and shows it again.
pub async fn decide(State(app): State<App>, who: Who, Path(id): Path<String>, Checked(form): Checked<Sent>) -> Result<Response, Problem> {
    let wanted = match form.kind.as_str() {
        "state" => Wanted::State { value: form.value, comment: form.comment, expires: None },
        "note" => Wanted::Note { comment: form.comment },
        "tag" => Wanted::Tag { value: form.value },
        "untag" => Wanted::Untag { value: form.value },
        "assign" => Wanted::Assign { value: Some(form.value) },
        _ => return Err(Problem::invalid("there is no such decision")),
    };
    let (decision, comment, expires) = wanted.parts()?;
    if !id.starts_with("dev-") {
        return Err(Problem::missing("there is no such device"));
    }
    app.store().decide(&who.scope, who.by(app.now()), &id, decision, comment, expires).await?;
    Ok(Redirect::to(&format!("/devices/{}", crate::guard::encoded(&id))).into_response())
}
