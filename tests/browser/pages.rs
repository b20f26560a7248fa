//! Every page in every look: nothing keeps people out, nothing runs over the edge, nothing is heavy.

use std::collections::BTreeMap;

use crate::driver::Scripts;
use crate::{World, axe, example, journey, target};

/// When a page is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// The program's first start: nobody is known.
    Start,
    /// The first person is signed in, who may do nearly everything; nothing was brought in.
    SetUp,
    /// The example of a water utility was brought in, and a second person added.
    Import,
    /// The first person has signed out.
    SignOut,
}

/// A page.
pub(crate) struct Page {
    /// What its pictures are called.
    pub(crate) name: &'static str,
    /// Its path; `{link}` is the link of the first start, `{welcome}` the second person's, `{device}` a device, `{finding}` a finding,
    /// `{evidence}` a file that was brought in, `{trace}` what was watched, `{session}` a module in it,
    /// `{incident}` what was found there, `{mute}` where it is muted.
    path: &'static str,
    /// When it is looked at.
    pub(crate) after: After,
    /// What is done first.
    pub(crate) first: &'static [Step],
}

/// What is done on a page before it is looked at; each begins with a selector.
pub(crate) enum Step {
    /// Opens or ticks something.
    Press(&'static str),
    /// Types a text.
    Type(&'static str, &'static str),
    /// Chooses a file of the examples.
    Choose(&'static str, &'static str),
    /// Presses what leads to another page.
    Follow(&'static str),
}

const fn page(name: &'static str, path: &'static str, after: After) -> Page {
    Page { name, path, after, first: &[] }
}

/// Every page that the program has, by when it is looked at.
pub(crate) const PAGES: &[Page] = &[
    page("sign-in-first", "/sign-in", After::Start),
    page("set-up", "{link}", After::Start),
    page("overview-empty", "/", After::SetUp),
    page("fleet-empty", "/fleet", After::SetUp),
    page("findings-empty", "/findings", After::SetUp),
    page("import-empty", "/import", After::SetUp),
    page("traffic-empty", "/traffic", After::SetUp),
    page("overview", "/", After::Import),
    page("fleet", "/fleet", After::Import),
    Page { name: "fleet-bulk", path: "/fleet", after: After::Import, first: &[Step::Press(".bulk summary")] },
    Page {
        name: "confirm",
        path: "/fleet",
        after: After::Import,
        first: &[Step::Press(".bulk summary"), Step::Type("#value", "spring"), Step::Follow("button[value='all']")],
    },
    Page { name: "fleet-download", path: "/fleet", after: After::Import, first: &[Step::Press(".download summary")] },
    page("fleet-query", "/fleet?q=maker%3Aquectel", After::Import),
    page("fleet-nothing", "/fleet?q=nothing-like-it", After::Import),
    page("fleet-wrong-query", "/fleet?q=%28", After::Import),
    page("findings", "/findings", After::Import),
    page("device", "{device}", After::Import),
    Page {
        name: "device-refused",
        path: "{device}",
        after: After::Import,
        first: &[Step::Type("#state", "accepted"), Step::Follow(".decide form button")],
    },
    page("finding", "{finding}", After::Import),
    page("traffic", "/traffic", After::Import),
    page("trace", "{trace}", After::Import),
    page("session", "{session}", After::Import),
    page("incident", "{incident}", After::Import),
    page("mute-new", "{mute}", After::Import),
    Page {
        name: "mute",
        path: "{mute}",
        after: After::Import,
        first: &[Step::Type("#reason", "The maker's clock: asked on the phone."), Step::Follow("#mute button")],
    },
    page("mutes", "/mutes", After::Import),
    page("modules", "/modules", After::Import),
    page("modules-search", "/modules?q=ec25", After::Import),
    page("module", "/modules/quectel-ec25", After::Import),
    page("organisation", "/organisations/quectel", After::Import),
    page("policy", "/policy", After::Import),
    page("pack", "/policy/us-fcc-covered", After::Import),
    page("timeline", "/policy/timeline", After::Import),
    page("markets", "/policy/markets", After::Import),
    page("what-if", "/policy/markets?as_of=2027-06-01&assume=quectel%20listed%20US-FCC-COVERED%202027-01-01&market=US", After::Import),
    page("look-up", "/look-up?q=EC25", After::Import),
    page("import", "/import", After::Import),
    Page {
        name: "look",
        path: "/import",
        after: After::Import,
        first: &[Step::Choose("#files", "utility/sims.csv"), Step::Follow("form.drop button")],
    },
    page("job", "/import/1", After::Import),
    page("evidence", "/evidence", After::Import),
    page("reports", "/reports", After::Import),
    page("report", "/reports/s889-representation", After::Import),
    page("artefact", "{evidence}", After::Import),
    page("changes", "/changes", After::Import),
    page("account", "/account", After::Import),
    Page { name: "account-codes", path: "/account", after: After::Import, first: &[Step::Follow("form[action='/account/totp'] button")] },
    page("people", "/people", After::Import),
    Page {
        name: "people-refused",
        path: "/people",
        after: After::Import,
        first: &[Step::Type("#login", "two words"), Step::Follow("form.card button")],
    },
    page("audit-log", "/audit-log", After::Import),
    page("audit-log-whole", "/audit-log/verify", After::Import),
    page("waivers", "/waivers", After::Import),
    page("settings", "/settings", After::Import),
    page("integrations", "/settings/integrations", After::Import),
    Page {
        name: "integrations-key",
        path: "/settings/integrations",
        after: After::Import,
        first: &[
            Step::Press("details summary"),
            Step::Type("#webhook-name", "Ticket desk"),
            Step::Type("#webhook-url", "https://desk.invalid/hook"),
            Step::Follow("details[open] form button"),
        ],
    },
    Page {
        name: "integration",
        path: "/settings/integrations",
        after: After::Import,
        first: &[Step::Follow("tbody a"), Step::Follow("button[value='test']")],
    },
    page("missing", "/nothing/here", After::Import),
    page("welcome", "{welcome}", After::SignOut),
    page("sign-in", "/sign-in", After::SignOut),
];

/// Widths in pixels: a laptop's and a phone's.
const WIDTHS: [u32; 2] = [1366, 390];
const THEMES: [&str; 2] = ["light", "dark"];
/// The width of a sheet of paper.
const PAPER: u32 = 720;
/// Entries of the bar that cannot be seen whole.
const CUT: &str = "return [...document.querySelectorAll('.bar nav a')].filter(a => { const r = a.getBoundingClientRect(); \
                   return r.left < 0 || r.right > innerWidth; }).map(a => a.textContent)";
/// What is folded away and not printed, of what is printed at all.
const FOLDED: &str = "return [...document.querySelectorAll('main details:not([open])')].filter(d => d.checkVisibility() \
                      && [...d.children].some(c => c.tagName !== 'SUMMARY' && !c.matches('.pages, form, .bulk') \
                      && !c.checkVisibility())).map(d => d.querySelector('summary').textContent)";
/// Bytes of a page with all that it loads.
const HEAVY: u64 = 100_000;

#[test]
fn every_page_in_every_look() {
    journey(Scripts::On, async |w| {
        let axe = axe::load();
        let pictures = target("screenshots");
        std::fs::create_dir_all(&pictures).unwrap();
        let mut wrong = Vec::new();
        if let Some(axe) = &axe {
            w.browser.open("data:text/html,<p style='color:%23ccc;background:%23fff'>pale</p><input>").await;
            let found = axe::violations(&w.browser, axe).await.join("\n");
            assert!(found.contains("color-contrast") && found.contains("label"), "axe looks: {found}");
        }
        let mut now = After::Start;
        let mut welcome = String::new();
        let mut links = BTreeMap::new();
        for page in PAGES {
            if page.after != now {
                if page.after == After::SignOut {
                    wrong.extend(dead(w, &links).await);
                }
                now = page.after;
                welcome = arrive(w, now).await.unwrap_or(welcome);
            }
            let path = match page.path {
                "{link}" => w.server.link.clone(),
                "{welcome}" => welcome.clone(),
                _ => page.at(w).await,
            };
            w.browser.screen(WIDTHS[0], THEMES[0]).await;
            w.browser.open(&path).await;
            for step in page.first {
                match step {
                    Step::Press(css) => w.browser.css(css).await.click().await.unwrap(),
                    Step::Choose(css, file) => w.browser.choose(css, &[example(file)]).await,
                    Step::Type(css, text) => w.browser.css(css).await.send_keys(text).await.unwrap(),
                    Step::Follow(css) => w.browser.follow(w.browser.css(css).await).await,
                }
            }
            let weight = "return [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')].reduce((n, e) => n + e.decodedBodySize, 0)";
            let weight = w.browser.script(weight, vec![]).await.as_u64().unwrap();
            if weight == 0 || weight > HEAVY {
                wrong.push(format!("{}: {weight} bytes", page.name));
            }
            let found = r#"return [...document.querySelectorAll('a[href]:not([href^=\\#])')].map(a => [a.pathname, a.href])"#;
            let found: Vec<(String, String)> = serde_json::from_value(w.browser.script(found, vec![]).await).unwrap();
            links.extend(found.into_iter().map(|(path, whole)| (path, (page.name, whole))));
            for width in WIDTHS {
                for theme in THEMES {
                    let look = format!("{}-{theme}-{width}", page.name);
                    w.browser.screen(width, theme).await;
                    w.browser.picture(&pictures.join(format!("{look}.png"))).await;
                    let wide = w.browser.script("return document.documentElement.scrollWidth", vec![]).await;
                    if wide.as_u64().unwrap() > u64::from(width) {
                        wrong.push(format!("{look}: {wide} pixels wide"));
                    }
                    if let Some(axe) = &axe {
                        wrong.extend(axe::violations(&w.browser, axe).await.into_iter().map(|v| format!("{look}: {v}")));
                    }
                }
                let cut = w.browser.script(CUT, vec![]).await;
                if cut != serde_json::json!([]) {
                    wrong.push(format!("{} at {width}: the bar is cut at {cut}", page.name));
                }
            }
            w.browser.paper(PAPER).await;
            let wide = w.browser.script("return document.documentElement.scrollWidth", vec![]).await;
            if wide.as_u64().unwrap() > u64::from(PAPER) {
                wrong.push(format!("{} on paper: {wide} pixels wide", page.name));
            }
            let folded = w.browser.script(FOLDED, vec![]).await;
            if folded != serde_json::json!([]) {
                wrong.push(format!("{} on paper: left out is {folded}", page.name));
            }
            w.browser.screen(WIDTHS[0], THEMES[0]).await;
        }
        assert!(wrong.is_empty(), "{} things are wrong\n{}", wrong.len(), wrong.join("\n"));
    });
}

impl Page {
    /// Its path, where the example of the utility is known.
    pub(crate) async fn at(&self, w: &World) -> String {
        match self.path {
            "{device}" => behind(w, "/fleet?q=RTU-0417", "RTU-0417").await,
            "{finding}" => behind(w, "/findings?q=code:tac-mismatch", "tac-mismatch").await,
            "{trace}" => linked(w, "/traffic", "#traces tbody a").await,
            "{session}" => linked(w, "/traffic", "#findings h3 a.whose").await,
            "{incident}" => linked(w, "/traffic", "#findings h3 a").await,
            "{mute}" => linked(w, &linked(w, "/traffic", "#findings h3 a").await, "#incident a.button").await,
            "{evidence}" => behind(w, "/evidence?format=csv", "utility/sims.csv").await,
            path => path.to_owned(),
        }
    }
}

/// Where the first link of these on a page leads.
async fn linked(w: &World, page: &str, css: &str) -> String {
    w.browser.open(page).await;
    w.browser.css(css).await.attr("href").await.unwrap().unwrap()
}

async fn behind(w: &World, path: &str, words: &str) -> String {
    w.browser.open(path).await;
    let link = w.browser.find(&format!("//main//table//a[normalize-space()={words:?}]")).await;
    link.attr("href").await.unwrap().unwrap()
}

/// Links that lead nowhere; of those that differ in their query one is tried.
async fn dead(w: &World, links: &BTreeMap<String, (&str, String)>) -> Vec<String> {
    let mut dead = Vec::new();
    for (from, link) in links.values() {
        let ask = "const [link, done] = arguments; fetch(link).then(a => done(a.status), e => done(String(e)))";
        let status = w.browser.script_then(ask, vec![link.as_str().into()]).await;
        if status != 200 {
            dead.push(format!("{from}: {link} answers {status}"));
        }
    }
    dead
}

/// Goes on to the next stage; the link of the second person where it has just been made.
async fn arrive(w: &World, after: After) -> Option<String> {
    let page = &w.browser;
    match after {
        After::Start => {}
        After::SetUp => w.set_up().await,
        After::Import => {
            w.import_folder("utility").await;
            w.server.watch();
            page.open("/people").await;
            page.fill("Login", "bo").await;
            page.tick("viewer").await;
            page.fill("Sites", "Treatment works").await;
            page.press("Add").await;
            page.sees("bo was added").await;
            return Some(page.texts(".once").await.remove(0));
        }
        After::SignOut => {
            page.open("/fleet").await;
            page.press("Sign out").await;
            page.headed("Sign in").await;
        }
    }
    None
}

#[test]
fn stages_follow_each_other() {
    let stages: Vec<After> = PAGES.iter().map(|p| p.after).collect();
    let mut seen = vec![stages[0]];
    for stage in stages {
        if *seen.last().unwrap() != stage {
            assert!(!seen.contains(&stage), "{stage:?} is over: list the page with the others");
            seen.push(stage);
        }
    }
    let names: std::collections::BTreeSet<_> = PAGES.iter().map(|p| p.name).collect();
    assert_eq!(names.len(), PAGES.len(), "each page has pictures of its own");
}
