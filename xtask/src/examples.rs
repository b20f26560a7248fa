//! The files under `examples/`: written anew, and audited against what their pages promise.

use std::fs;

use umbilical_synth::examples::{self, Cellular, Expect};

use crate::Outcome;
use crate::answer::{self, Audit, Device};
use crate::cargo::{self, Metadata};
use crate::corpus::judge::{same_maker, same_model};

/// Writes every example anew; files that nobody makes any more go.
pub fn make() -> Outcome {
    let dir = cargo::root().join("examples");
    let write = |path: &std::path::Path, bytes: &[u8]| {
        let failed = |e: std::io::Error| format!("{}: {e}", path.display());
        fs::create_dir_all(path.parent().unwrap_or(path)).map_err(failed)?;
        fs::write(path, bytes).map_err(failed)
    };
    for example in examples::all() {
        let folder = dir.join(example.name);
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        }
        for (path, bytes) in &example.files {
            write(&folder.join(path), bytes)?;
        }
        write(&dir.join(format!("{}.md", example.name)), example.page().as_bytes())?;
        println!("{}: {} files", example.name, example.files.len());
    }
    for (path, bytes) in examples::declared() {
        write(&dir.join("declared").join(path), &bytes)?;
    }
    for (path, bytes) in examples::traffic() {
        write(&dir.join("traffic").join(path), &bytes)?;
    }
    write(&dir.join("README.md"), examples::index().as_bytes())
}

/// Audits every example with the real binary.
pub fn check() -> Outcome {
    let metadata = Metadata::load()?;
    let binary = cargo::binary(&metadata, cargo::PROFILE)?;
    let scratch = metadata.target_directory.join("xtask");
    let all = examples::all();
    let folders: Vec<_> = all.iter().map(|e| cargo::root().join("examples").join(e.name)).collect();
    let mut wrong = Vec::new();
    for (example, audit) in all.iter().zip(answer::audit_all(&binary, &folders, &scratch)) {
        let before = wrong.len();
        match audit {
            Err(what) => wrong.push(format!("{}: {what}", example.name)),
            Ok(audit) => {
                wrong.extend(example.expect.iter().filter_map(|e| Some(format!("{}: {}: {}", example.name, e.device, differs(e, &audit)?))))
            }
        }
        println!(
            "{}: {} of {} devices as promised",
            example.name,
            example.expect.len() - (wrong.len() - before).min(example.expect.len()),
            example.expect.len()
        );
    }
    if wrong.is_empty() { Ok(()) } else { Err(format!("the examples are not answered as their pages say:\n  {}", wrong.join("\n  "))) }
}

/// What is not as expected, or nothing.
fn differs(e: &Expect, audit: &Audit) -> Option<String> {
    let named = |d: &&Device| d.identifiers.asset_id.iter().chain(&d.names).any(|n| n == e.device);
    let found: Vec<&Device> = audit.devices.iter().filter(named).collect();
    let [device] = found.as_slice() else { return Some(format!("{} devices of this name", found.len())) };
    let wanted = match e.cellular {
        Cellular::Yes => "yes",
        Cellular::No => "no",
        Cellular::Unknown => "unknown",
    };
    if device.cellular != wanted {
        return Some(format!("cellular: {}, not {wanted}", device.cellular));
    }
    if e.product && (device.product.is_none() || !device.modules.is_empty()) {
        return Some("should be a product without modules".into());
    }
    let known: Vec<_> = device.modules.iter().filter(|m| m.maker.is_some()).collect();
    match e.module {
        ("", _) => {
            if let Some(m) = known.first() {
                return Some(format!("named {} {}", m.maker.as_deref().unwrap_or("?"), m.model.as_deref().unwrap_or("?")));
            }
        }
        (maker, model) => {
            let Some(m) = known.first() else { return Some(format!("no maker, should be {maker}")) };
            let named = m.maker.as_deref().unwrap_or_default();
            if !same_maker(named, maker) {
                return Some(format!("maker {named}, not {maker}"));
            }
            let spellings: Vec<&str> = [&m.model, &m.variant, &m.family].into_iter().flatten().map(String::as_str).collect();
            if model.is_empty() && m.model.is_some() {
                return Some(format!("model {spellings:?}, should be open"));
            }
            if !model.is_empty() && !spellings.iter().any(|s| same_model(s, model)) {
                return Some(format!("model {spellings:?}, not {model}"));
            }
            if !e.sure.is_empty() && m.confidence_level != e.sure {
                return Some(format!("{} ({}), not {}", m.confidence_level, m.confidence, e.sure));
            }
        }
    }
    (!e.finding.is_empty() && !device.findings.iter().any(|f| f.code == e.finding)).then(|| format!("finding {} is missing", e.finding))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::{Finding, Identifiers, Module};

    const WANT: Expect = Expect {
        device: "GW-1",
        cellular: Cellular::Yes,
        module: ("Quectel", "EG25-G"),
        sure: "confirmed",
        product: false,
        finding: "rebranded",
        why: "",
    };

    fn found() -> Device {
        let some = |s: &str| Some(s.to_owned());
        let module = Module { maker: some("Quectel"), model: some("EG25-G"), confidence_level: "confirmed".into(), ..Module::default() };
        Device {
            identifiers: Identifiers { asset_id: vec!["GW-1".into()] },
            cellular: "yes".into(),
            modules: vec![module],
            findings: vec![Finding { code: "rebranded".into() }],
            ..Device::default()
        }
    }

    fn differs_with(want: Expect, change: impl FnOnce(&mut Device)) -> Option<String> {
        let mut device = found();
        change(&mut device);
        differs(&want, &Audit { devices: vec![device], ..Audit::default() })
    }

    #[test]
    fn an_answer_as_promised_passes() {
        assert_eq!(differs_with(WANT, |_| ()), None);
        assert_eq!(differs_with(Expect { module: ("Quectel", ""), ..WANT }, |d| d.modules[0].model = None), None);
        let nothing = Expect { module: ("", ""), ..WANT };
        assert_eq!(differs_with(nothing, |d| d.modules[0] = Module::default()), None);
    }

    #[test]
    fn every_difference_is_said() {
        let says = |want, part: &str, change: fn(&mut Device)| {
            let said = differs_with(want, change).unwrap_or_default();
            assert!(said.contains(part), "{said:?} should contain {part:?}");
        };
        says(WANT, "0 devices", |d| d.identifiers.asset_id.clear());
        says(WANT, "cellular: unknown, not yes", |d| d.cellular = "unknown".into());
        says(WANT, "no maker", |d| d.modules.clear());
        says(WANT, "maker Telit, not Quectel", |d| d.modules[0].maker = Some("Telit".into()));
        says(WANT, "model [\"EC25\"], not EG25-G", |d| d.modules[0].model = Some("EC25".into()));
        says(WANT, "probable (0), not confirmed", |d| d.modules[0].confidence_level = "probable".into());
        says(WANT, "finding rebranded is missing", |d| d.findings.clear());
        says(Expect { module: ("", ""), ..WANT }, "named Quectel EG25-G", |_| ());
        says(Expect { module: ("Quectel", ""), ..WANT }, "should be open", |_| ());
        says(Expect { product: true, ..WANT }, "product", |_| ());
    }
}
