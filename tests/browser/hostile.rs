//! Texts that mean harm, in a browser that would let them: the policy that forbids scripts is taken away, so that only
//! the escaping of the pages is left.

use serde_json::json;
use umbilical_synth::attacks;

use crate::driver::Scripts;
use crate::folder::Folder;
use crate::pages::{After, PAGES};
use crate::{World, journey};

/// The page that is opened is still our page.
async fn whole(w: &World, path: &str) {
    w.browser.open(path).await;
    assert_eq!((w.browser.path().await.as_str(), w.browser.count("header.bar").await), (path, 1));
    ours(w, path).await;
}

/// The page that is open is still our page: nothing was run, built or sent elsewhere.
async fn ours(w: &World, path: &str) {
    let page = &w.browser;
    // A report is a page of its own, with a style sheet in it.
    let script = r#"const own = document.querySelector('header.bar');
        const foreign = 'script:not([src^="/assets/page-"]), iframe, object, embed, base, img, svg [onload], meta[http-equiv=refresh], form[action*=evil]';
        return [window.name, !own || document.title.endsWith(' · Umbilical'), document.querySelectorAll(own ? `${foreign}, style, meta[http-equiv]` : foreign).length,
        [...document.querySelectorAll('*')].flatMap(e => [...e.attributes]).filter(a => a.name.startsWith('on')).length];"#;
    assert_eq!(page.script(script, vec![]).await, json!(["", true, 0, 0]), "{path}");
}

/// Takes the policy away. Whatever calls `alert` leaves a trace that outlives the page.
async fn trap(w: &World) {
    let page = &w.browser;
    page.devtools("Page.enable", json!({})).await;
    page.devtools("Page.setBypassCSP", json!({"enabled": true})).await;
    let trap = "window.alert = () => { window.name = 'ran' }; window.confirm = () => true";
    page.devtools("Page.addScriptToEvaluateOnNewDocument", json!({"source": trap})).await;
    page.open("data:text/html,<script>alert(1)</script>").await;
    assert_eq!(page.script("return window.name", vec![]).await, "ran", "the trap works");
    page.script("window.name = ''", vec![]).await;
}

#[test]
fn nothing_that_devices_call_themselves_is_run() {
    journey(Scripts::On, async |w| {
        let page = &w.browser;
        trap(w).await;
        w.set_up().await;
        let folder = Folder::new();
        w.import(&[folder.write("<img src=x onerror=alert(1)>.csv", attacks::table())]).await;
        for path in ["/", "/import/1", "/import", "/fleet?limit=1000", "/findings?limit=1000", "/evidence", "/changes"] {
            whole(w, path).await;
        }
        page.open("/fleet?limit=1000").await;
        let hrefs = "return [...document.querySelectorAll('td.name a')].filter(a => a.innerText.match(/[<>'\"=&]|script/)).map(a => a.getAttribute('href'))";
        let devices: Vec<String> = serde_json::from_value(page.script(hrefs, vec![]).await).unwrap();
        assert!(devices.len() > 150, "{} devices", devices.len());
        for path in &devices {
            whole(w, path).await;
        }
        page.open(&devices[0]).await;
        for text in attacks::TEXTS.iter().filter(|t| t.contains(['<', '\'', '"'])) {
            page.script("document.getElementById('note').value = arguments[0]", vec![json!(text)]).await;
            page.send("Note").await;
        }
        whole(w, &devices[0]).await;
        assert!(page.count(".log li").await > 10);
    });
}

/// A text as pages show it: without what steers, with spaces as they are read.
fn shown(text: &str) -> String {
    // Where a database holds no NUL its picture stands for it.
    let steers = |c: &char| {
        *c == '\u{2400}'
            || c.is_control() && !c.is_whitespace()
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    text.chars().filter(|c| !steers(c)).collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn no_form_of_any_page_runs_or_loses_what_is_typed() {
    journey(Scripts::On, async |w| {
        let page = &w.browser;
        trap(w).await;
        w.set_up().await;
        w.import_folder("utility").await;
        w.server.watch();
        let mut paths = Vec::new();
        for p in PAGES.iter().filter(|p| p.after == After::Import && p.first.is_empty()) {
            paths.push(p.at(w).await);
        }
        let texts = attacks::texts();
        let (mut kept, mut sent, mut refused, mut read) = (Vec::new(), 0, Vec::new(), String::new());
        let text = "return document.documentElement.textContent + [...document.querySelectorAll('input, textarea')].map(f => ' ' + f.value).join('')";
        let all = async || shown(page.script(text, vec![]).await.as_str().unwrap()) + " ";
        for path in &paths {
            for form in 0.. {
                page.open(path).await;
                let before = page.css("html").await;
                let mark = format!("mk{sent}x");
                let filled = page.script(include_str!("forms.js"), vec![json!(form), json!(mark), json!(texts)]).await;
                let Ok((action, method, typed)) = serde_json::from_value::<(String, String, Vec<(String, String)>)>(filled) else { break };
                if method == "none" {
                    continue;
                }
                page.gone(before).await;
                sent += 1;
                ours(w, path).await;
                let status = "return performance.getEntriesByType('navigation')[0].responseStatus";
                let status = page.script(status, vec![]).await.as_u64().unwrap();
                assert!(status < 500, "{path}: {action} answers {status}");
                if status < 400 {
                    read.push_str(&all().await);
                }
                match (status < 400, method.as_str()) {
                    (true, "post") => kept.extend(typed.into_iter().map(|(name, text)| (action.clone(), name, shown(&text)))),
                    (false, _) => refused.push(format!("{path}: {action} {status}")),
                    _ => {}
                }
            }
        }
        // What was kept stands somewhere, as it was typed.
        for path in &paths {
            whole(w, path).await;
            read.push_str(&all().await);
        }
        let lost: Vec<_> = kept.iter().filter(|(.., text)| !read.contains(text.as_str())).collect();
        assert!(lost.is_empty(), "{} of {} texts are lost: {lost:#?}\nrefused: {refused:#?}", lost.len(), kept.len());
        assert!(sent > 50 && kept.len() > 15, "{sent} forms, {} texts kept; refused: {refused:#?}", kept.len());
    });
}
