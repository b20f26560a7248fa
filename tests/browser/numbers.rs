//! Every number that counts things leads to where as many of them are listed.

use serde_json::json;

use crate::driver::Scripts;
use crate::pages::{After, PAGES};
use crate::server::Server;
use crate::{World, journey, journey_to};

/// Follows the numbers of pages: what is wrong, and how many were followed.
async fn follow(w: &World, paths: &[String]) -> (Vec<String>, u64) {
    let found = w.browser.script_then(include_str!("numbers.js"), vec![json!(paths)]).await;
    serde_json::from_value(found).unwrap()
}

/// The pages that may be walked as they are.
async fn paths(w: &World) -> Vec<String> {
    let mut paths = Vec::new();
    for page in PAGES.iter().filter(|p| p.after == After::Import && p.first.is_empty()) {
        paths.push(page.at(w).await);
    }
    paths
}

#[test]
fn every_number_leads_to_its_rows() {
    journey(Scripts::On, async |w| {
        w.set_up().await;
        let page = &w.browser;
        // The walker finds what is not marked, what leads nowhere, and what leads to another number.
        let wrong = "<main><p>12 devices here</p><table><tr><td>7</td></tr></table><dl><dd>3 findings</dd></dl>\
            <p><a data-count>4 packs</a> <a href='/fleet' data-count>5 devices</a><a href='/fleet' data-count>0 devices</a></p></main>";
        let (wrong, followed) = follow(w, &[wrong.to_owned()]).await;
        assert_eq!((wrong.len(), followed), (5, 2), "{wrong:#?}");

        for fleet in ["utility", "hospital", "port", "farm"] {
            w.import_folder(fleet).await;
        }
        w.server.watch();
        // Somebody has worked here.
        page.open("/fleet?q=RTU-0417").await;
        page.press("RTU-0417").await;
        page.fill("Tag", "winter 12").await;
        page.send("Tag").await;
        let paths = paths(w).await;
        assert!(paths.len() > 25, "{paths:?}");
        let (wrong, followed) = follow(w, &paths).await;
        assert!(wrong.is_empty(), "{} numbers are wrong\n{}", wrong.len(), wrong.join("\n"));
        assert!(followed > 400, "{followed} numbers");
    });
}

#[test]
fn the_numbers_of_the_demonstration_lead_to_their_rows() {
    journey_to(Server::demo, Scripts::On, async |w| {
        w.browser.open(&w.server.link).await;
        w.browser.headed("Overview").await;
        w.browser.find("//h2[starts-with(normalize-space(), 'Coverage: ')]").await;
        let taken = w.server.begun.elapsed();
        assert!(taken.as_secs() < 30, "from the command to a filled overview: {taken:?}");
        let (wrong, followed) = follow(w, &paths(w).await).await;
        assert!(wrong.is_empty(), "{} numbers are wrong\n{}", wrong.len(), wrong.join("\n"));
        assert!(followed > 400, "{followed} numbers");
    });
}
