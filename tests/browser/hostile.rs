//! Texts that mean harm, in a browser that would let them: the policy that forbids scripts is taken away, so that only
//! the escaping of the pages is left.

use serde_json::json;
use umbilical_synth::attacks;

use crate::driver::Scripts;
use crate::folder::Folder;
use crate::{World, journey};

/// The page is still our page: nothing was run, built or sent elsewhere.
async fn whole(w: &World, path: &str) {
    let page = &w.browser;
    page.open(path).await;
    let script = r#"return [window.name, document.title.endsWith(' · Umbilical'), location.pathname + location.search,
        document.querySelectorAll('script:not([src^="/assets/page-"]), iframe, object, embed, base, img, style, svg [onload], meta[http-equiv], form[action*=evil]').length,
        [...document.querySelectorAll('*')].flatMap(e => [...e.attributes]).filter(a => a.name.startsWith('on')).length];"#;
    assert_eq!(page.script(script, vec![]).await, json!(["", true, path, 0, 0]), "{path}");
}

#[test]
fn nothing_that_devices_call_themselves_is_run() {
    journey(Scripts::On, async |w| {
        let page = &w.browser;
        // Whatever calls `alert` leaves a trace that outlives the page.
        page.devtools("Page.enable", json!({})).await;
        page.devtools("Page.setBypassCSP", json!({"enabled": true})).await;
        let trap = "window.alert = () => { window.name = 'ran' }";
        page.devtools("Page.addScriptToEvaluateOnNewDocument", json!({"source": trap})).await;
        page.open("data:text/html,<script>alert(1)</script>").await;
        assert_eq!(page.script("return window.name", vec![]).await, "ran", "the trap works");
        page.script("window.name = ''", vec![]).await;

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
