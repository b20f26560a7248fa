//! axe-core: what keeps people out of a page. `cargo xtask test services` lays it into the target folder.

use serde_json::Value as Json;

use crate::browser::Browser;
use crate::target;

/// The script itself; `None` where it is not there, which only a machine for people may lack.
pub(crate) fn load() -> Option<String> {
    let version = include_str!("axe-core.txt").split(' ').next().unwrap();
    let path = target("axe-core").join(version).join("axe.min.js");
    let read = std::fs::read_to_string(&path);
    assert!(read.is_ok() || std::env::var_os("CI").is_none(), "{} is missing: cargo xtask test services", path.display());
    if read.is_err() {
        eprintln!("skipped: axe-core is not there (cargo xtask test services brings it)");
    }
    read.ok()
}

/// What is wrong with the page that is open, of those things that keep people out: rule, how bad, where, and why.
pub(crate) async fn violations(browser: &Browser, axe: &str) -> Vec<String> {
    if browser.script("return typeof axe", vec![]).await == "undefined" {
        browser.script(&format!("{axe}; window.axe = axe"), vec![]).await;
    }
    let run = "const done = arguments[arguments.length - 1];
        axe.run({resultTypes: ['violations'], preload: false}).then(r => done(r.violations), e => done(String(e)))";
    let found = browser.script_then(run, vec![]).await;
    let found = found.as_array().unwrap_or_else(|| panic!("axe broke off: {found}"));
    let serious = found.iter().filter(|v| v["impact"] == "serious" || v["impact"] == "critical");
    let places = |v: &Json| -> Vec<String> {
        let nodes = v["nodes"].as_array().unwrap();
        nodes.iter().take(3).map(|n| format!("{} ({})", n["html"].as_str().unwrap(), n["failureSummary"].as_str().unwrap())).collect()
    };
    serious.map(|v| format!("{} {}: {}", v["impact"], v["id"], places(v).join("\n    "))).collect()
}
