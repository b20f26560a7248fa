//! What people come for.

use crate::driver::Scripts;
use crate::{PASSWORD, World, example, journey};

#[test]
fn the_first_person_comes_in_by_the_link_and_signs_in_again() {
    journey(Scripts::On, async |w| {
        comes_in(w).await;
        let page = &w.browser;
        // The link works once.
        page.open(&w.server.link).await;
        page.headed("Not found").await;
    });
}

#[test]
fn an_export_comes_in_and_is_worked_on() {
    journey(Scripts::On, async |w| {
        w.set_up().await;
        brings_in(w).await;
        finds(w).await;
        decides(w).await;
        decides_many(w).await;
        takes_out(w).await;
    });
}

#[test]
fn a_second_person_sees_its_site_alone() {
    journey(Scripts::On, async |w| {
        w.set_up().await;
        brings_in(w).await;
        invites(w).await;
        sees_one_site(w).await;
    });
}

#[test]
fn an_incident_is_looked_at_muted_and_shown_again() {
    for scripts in [Scripts::On, Scripts::Off] {
        journey(scripts, async |w| {
            w.set_up().await;
            brings_in(w).await;
            w.server.watch();
            mutes(w).await;
        });
    }
}

#[test]
fn everything_works_without_scripts() {
    journey(Scripts::Off, async |w| {
        w.browser.open("data:text/html,<p>without<script>document.body.append(' with')</script>").await;
        assert_eq!(w.browser.text().await, "without", "scripts are off");
        comes_in(w).await;
        brings_in(w).await;
        finds(w).await;
        decides(w).await;
        decides_many(w).await;
        takes_out(w).await;
        invites(w).await;
        sees_one_site(w).await;
    });
}

async fn comes_in(w: &World) {
    let page = &w.browser;
    w.set_up().await;
    page.press("Sign out").await;
    page.headed("Sign in").await;
    // Signed out is signed out: the page asks who it is, and then leads to where one wanted to go.
    page.open("/findings").await;
    page.headed("Sign in").await;
    page.fill("Login", "ana").await;
    page.fill("Password", "a heron stands in the wire").await;
    page.press("Sign in").await;
    page.find("//*[@role='alert']").await;
    page.headed("Sign in").await;
    page.fill("Password", PASSWORD).await;
    page.press("Sign in").await;
    page.headed("Findings").await;
    assert_eq!(page.texts(".user a").await, ["Ana Bell"]);
}

async fn brings_in(w: &World) {
    let page = &w.browser;
    w.import(&[example("utility/sims.csv"), example("utility/assets.csv")]).await;
    page.sees("This is the baseline").await;
    assert_eq!(page.texts(".finding h2").await, ["sims.csv", "assets.csv"]);
    page.press("See the fleet").await;
    page.headed("Fleet").await;
    page.find("//td/a[normalize-space()='RTU-0417']").await;
}

async fn finds(w: &World) {
    let page = &w.browser;
    let all = page.count("tbody tr").await;
    page.fill("Query", "maker:quectel AND NOT site:\"Moor Top\"").await;
    page.press("Search").await;
    page.press("Clear").await;
    page.fill("Query", "maker:quectel site:\"Hagg Lane\"").await;
    page.press("Search").await;
    page.find("//p[@class='count'][starts-with(normalize-space(), '1 device')]").await;
    assert!(all > 1);
    page.press("RTU-0417").await;
    page.headed("RTU-0417").await;
    // The whole way: from the row of an export to the maker.
    page.sees("sims.csv").await;
    let why = page.texts("#why").await.join("\n");
    assert!(why.contains("Quectel") && why.contains("network") && why.contains("sims.csv"), "{why}");
}

async fn decides(w: &World) {
    let page = &w.browser;
    page.select("State", "triage").await;
    page.fill("because", "the site is asked").await;
    page.send("State").await;
    page.sees("the site is asked").await;
    page.fill("Note", "Opened on the bench: <b>EC25</b> & antenna").await;
    page.send("Note").await;
    page.sees("Opened on the bench: <b>EC25</b> & antenna").await;
    page.fill("Tag", "winter").await;
    page.send("Tag").await;
    page.find("//span[@class='tag'][normalize-space()='winter']").await;
    assert_eq!(page.texts("#state option:checked").await, ["triage"]);
    let log = page.texts(".log li").await;
    assert_eq!(log.len(), 3, "{log:?}");
    assert!(log.iter().all(|line| line.contains("ana:")), "{log:?}");
}

async fn mutes(w: &World) {
    let page = &w.browser;
    page.open("/findings?q=source%3Adetector").await;
    let before = page.count("tbody tr").await;
    page.follow(page.css("tbody td a").await).await;
    page.sees("What against what").await;
    page.sees("gateway.pcap").await;
    let here = page.path().await;
    page.press("Mute what is like this…").await;
    page.sees("It would have hidden").await;
    page.fill("Why it need not be shown", "the maker's clock").await;
    page.press("Mute").await;
    page.sees("the maker's clock").await;
    assert_eq!(page.count("#hidden tbody tr").await, 1);
    page.open("/findings?q=source%3Adetector").await;
    page.sees("1 muted").await;
    assert_eq!(page.count("tbody tr").await, before - 1);
    page.press("1 muted").await;
    page.follow(page.css("tbody td a").await).await;
    page.press("Withdraw").await;
    page.headed("Mutes").await;
    page.open(&here).await;
    page.sees("Mute what is like this…").await;
}

async fn decides_many(w: &World) {
    let page = &w.browser;
    page.open("/fleet?q=site%3A%22Treatment+works%22").await;
    page.find("//summary[normalize-space()='views']").await.click().await.unwrap();
    page.fill("Name of the view", "the works").await;
    page.send("Name of the view").await;
    page.press("the works").await;
    page.find("//summary[starts-with(normalize-space(), 'Decide about')]").await.click().await.unwrap();
    page.select("What", "add tag").await;
    page.fill("Tag or login", "spring").await;
    page.press("All 3 devices").await;
    page.headed("3 devices").await;
    page.press("Do it for 3").await;
    page.sees("Done for 3 devices").await;
    page.open("/fleet?q=tag%3Aspring").await;
    page.find("//p[@class='count'][starts-with(normalize-space(), '3 devices')]").await;
}

async fn takes_out(w: &World) {
    let page = &w.browser;
    page.open("/fleet?q=site%3A%22Treatment+works%22").await;
    page.find("//summary[normalize-space()='Download']").await.click().await.unwrap();
    let lines = page.download("JSON Lines", "umbilical-devices-", ".jsonl").await;
    let mut names: Vec<String> =
        lines.lines().map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap()["asset_id"][0].as_str().unwrap().to_owned()).collect();
    names.dedup();
    names.sort();
    assert_eq!(names, ["GW-0107", "GW-0108", "PLC-0002"]);
}

async fn invites(w: &World) {
    let page = &w.browser;
    page.open("/people").await;
    page.fill("Login", "bo").await;
    page.fill("Name", "Bo Hart").await;
    page.tick("viewer").await;
    page.fill("Sites", "Treatment works").await;
    page.press("Add").await;
    page.sees("bo was added").await;
    let link = page.texts(".once").await.remove(0);
    page.press("Sign out").await;
    page.headed("Sign in").await;
    page.open(&link).await;
    page.fill("Password", PASSWORD).await;
    page.fill("The same password again", PASSWORD).await;
    page.press("Go on").await;
}

async fn sees_one_site(w: &World) {
    let page = &w.browser;
    page.headed("Fleet").await;
    let mut names = page.texts("tbody td.name a").await;
    names.sort();
    assert_eq!(names, ["GW-0107", "GW-0108", "PLC-0002"]);
    let bar = page.texts("nav a").await.join(" ");
    assert!(["Import", "People", "Audit"].iter().all(|word| !bar.contains(word)), "{bar}");
    assert!(!page.texts("aside").await.join("\n").contains("Hagg Lane"), "no facet counts other sites");
    for path in ["/people", "/import", "/audit-log"] {
        page.open(path).await;
        page.headed("Not allowed").await;
    }
    page.open("/fleet?q=site%3A%22Hagg+Lane%22").await;
    page.sees("Nothing fits this query").await;
    page.open("/fleet?q=GW-0107").await;
    page.press("GW-0107").await;
    page.headed("GW-0107").await;
    assert_eq!(page.count("#decisions form").await, 0, "a viewer decides nothing");
}
