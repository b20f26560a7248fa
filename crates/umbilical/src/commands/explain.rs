//! `explain`: the whole chain behind one device, claim or finding.

use std::path::Path;

use serde::Serialize;
use umbilical_assess::{Fleet, Options};
use umbilical_core::answer::{Audit, Device, KnowledgeStamp, Said, Trace};
use umbilical_core::observation::Input;
use umbilical_report::{View, explain, json};

use super::{Reading, evidence, facts, formats};
use crate::args::{Explain, Format, Global};
use crate::fail::Fail;
use crate::{home, out, saved};

pub fn run(global: &Global, command: &Explain) -> Result<u8, Fail> {
    formats(global, "explain", &[Format::Table, Format::Json])?;
    let (answer, devices) = if command.paths.is_empty() {
        from_home(global, &command.id)?
    } else {
        let kb = facts(global)?;
        let all = evidence(global, &kb, Reading::fleet(&command.paths, command.map.as_deref()))?;
        let fleet = Fleet::new(&all, &kb, Options { as_of: home::as_of(global), show_subscribers: global.show_subscribers });
        (fleet.audit(), fleet.find(&command.id))
    };
    if devices.is_empty() {
        return Err(Fail::usage(
            format!("nothing here is called `{}`", umbilical_core::text::clean(&command.id)),
            "give a device id (dev-…), claim id (clm-…), asset id, name, IMEI or evidence path, as `umbilical audit` prints them",
        ));
    }
    let claim = (command.id.starts_with("clm-") || command.id.starts_with("fnd-")).then_some(command.id.as_str());
    let view = View { width: out::width(), color: out::colour(global), max_rows: usize::MAX };
    out::answer(global, |w| match global.format {
        Format::Json => json::one(w, &Document::of(&answer, &devices)),
        _ => devices.iter().try_for_each(|device| explain::device(w, &answer, device, claim, &view)),
    })?;
    Ok(0)
}

/// One document, as every command writes: the devices asked about, and what they refer to.
#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    as_of: &'a str,
    knowledge: &'a KnowledgeStamp,
    inputs: &'a [Input],
    problems: &'a [Said],
    organisations: Vec<&'a Trace>,
    devices: &'a [Device],
}

impl<'a> Document<'a> {
    fn of(answer: &'a Audit, devices: &'a [Device]) -> Self {
        let modules = devices.iter().flat_map(|d| d.modules.iter().flat_map(|m| &m.ownership));
        let products = devices.iter().flat_map(|d| d.product.iter().flat_map(|p| &p.ownership));
        let behind: Vec<&str> = modules.chain(products).map(|b| b.org.as_str()).collect();
        Self {
            schema: "umbilical.explain/1",
            as_of: &answer.as_of,
            knowledge: &answer.knowledge,
            inputs: &answer.inputs,
            problems: &answer.problems,
            organisations: answer.organisations.iter().filter(|t| behind.contains(&t.org.as_str())).collect(),
            devices,
        }
    }
}

fn from_home(global: &Global, id: &str) -> Result<(Audit, Vec<Device>), Fail> {
    if global.show_subscribers {
        return Err(Fail::usage(
            "the saved answer may hold subscriber numbers masked: --show-subscribers needs the evidence",
            "name it: umbilical explain ID PATH… --show-subscribers",
        ));
    }
    let path = home::folder(global)?.join(home::AUDIT);
    let (answer, devices) = find_saved(&path, id)?;
    match global.as_of.first().map(|day| day.to_string()) {
        Some(day) if day != answer.as_of => Err(Fail::usage(
            format!("the saved answer is as of {}: --as-of {day} needs the evidence", answer.as_of),
            format!("name it: umbilical explain ID PATH… --as-of {day}"),
        )),
        _ => Ok((answer, devices)),
    }
}

fn find_saved(path: &Path, id: &str) -> Result<(Audit, Vec<Device>), Fail> {
    let mut found = Vec::new();
    let mut at_input: Vec<Device> = Vec::new();
    let by_path = id.contains(['/', '.', '!']);
    let answer = saved::read(path, &mut |device| {
        if is(&device, id) {
            found.push(device);
        } else if by_path && at_input.len() < 100_000 {
            at_input.push(device);
        }
    })?;
    if found.is_empty() && by_path {
        let wanted: Vec<u32> = (0u32..).zip(&answer.inputs).filter(|(_, i)| i.path == id).map(|(n, _)| n).collect();
        found = at_input.into_iter().filter(|d| d.inputs.iter().any(|i| wanted.contains(i))).collect();
    }
    Ok((answer, found))
}

fn is(device: &Device, id: &str) -> bool {
    let same = |v: &String| v.eq_ignore_ascii_case(id);
    let ids = &device.identifiers;
    let lists = [
        &device.names,
        &ids.asset_id,
        &ids.imei,
        &ids.imei_unusable,
        &ids.eid,
        &ids.meid,
        &ids.iccid,
        &ids.imsi,
        &ids.msisdn,
        &ids.mac,
        &ids.ip,
        &ids.vin,
        &ids.udi,
    ];
    device.id == id
        || lists.into_iter().flatten().any(same)
        || ids.serial.iter().any(|s| same(s) || s.split_once('|').is_some_and(|(_, n)| n.eq_ignore_ascii_case(id)))
        || device.modules.iter().flat_map(|m| &m.claims).any(|c| c.id == id)
        || device.findings.iter().any(|f| f.id == id)
}
