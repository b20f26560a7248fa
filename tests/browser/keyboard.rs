//! Without a mouse: Tab and Enter lead everywhere, and one always sees where one is.

use crate::driver::Scripts;
use crate::{PASSWORD, World, example, journey};

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";

/// What has the focus: its words, or the label of a field.
async fn here(w: &World) -> String {
    let script = "const e = document.activeElement; const seen = getComputedStyle(e);
        return [(e.type === 'checkbox' ? 'box of ' : '') + (e.innerText || e.labels?.[0]?.innerText || e.getAttribute('aria-label') || e.tagName),
                (e.matches(':focus-visible') || e.type === 'date') && seen.outlineStyle !== 'none' && parseFloat(seen.outlineWidth) >= 2,
                e.getBoundingClientRect().width > 0];";
    let found = w.browser.script(script, vec![]).await;
    let name = found[0].as_str().unwrap().trim().to_owned();
    assert!(found[1] == true && found[2] == true, "{}: nothing shows that {name} has the focus", w.browser.path().await);
    name
}

/// Presses Tab until something has the focus.
async fn to(w: &World, name: &str) {
    let mut passed = Vec::new();
    while passed.len() < 200 {
        w.browser.keys(TAB).await;
        let now = here(w).await;
        if now == name {
            return;
        }
        passed.push(now);
    }
    panic!("{}: Tab does not lead to {name}, but to {passed:?}", w.browser.path().await);
}

#[test]
fn from_signing_in_to_a_note_by_keys_alone() {
    journey(Scripts::On, async |w| {
        w.set_up().await;
        w.import(&[example("utility/sims.csv"), example("utility/assets.csv")]).await;
        let page = &w.browser;
        to(w, "Sign out").await;
        page.keys(ENTER).await;
        page.headed("Sign in").await;
        assert_eq!(here(w).await, "Login", "the first field waits");
        page.keys("ana").await;
        page.keys(TAB).await;
        assert_eq!(here(w).await, "Password");
        page.keys(PASSWORD).await;
        page.keys(ENTER).await;
        page.headed("Fleet").await;
        page.keys(TAB).await;
        assert_eq!(here(w).await, "To the content", "first of all the bar can be left out");
        page.keys(ENTER).await;
        to(w, "Query").await;
        page.keys("maker:quectel").await;
        page.keys(ENTER).await;
        page.find("//a[normalize-space()='Clear']").await;
        to(w, "RTU-0417").await;
        page.keys(ENTER).await;
        page.headed("RTU-0417").await;
        to(w, "Note").await;
        page.keys("by keys").await;
        page.keys(ENTER).await;
        page.find("//ol[@class='log']/li[contains(., 'by keys')]").await;
    });
}

#[test]
fn keys_of_the_page_and_dropping_files() {
    journey(Scripts::On, async |w| {
        w.set_up().await;
        let page = &w.browser;
        // A browser lets no program drop files: the event is made, and everything behind it is real.
        let drop = "const files = new DataTransfer();
            files.items.add(new File([arguments[0]], 'assets.csv'));
            document.querySelector('form.drop').dispatchEvent(new DragEvent('drop', {dataTransfer: files, bubbles: true, cancelable: true}))";
        page.script(drop, vec![std::fs::read_to_string(example("utility/assets.csv")).unwrap().into()]).await;
        let import = page.find("//form[@data-next]//button[@value='import']").await;
        page.follow(import).await;
        page.sees("See the fleet").await;
        assert_eq!(page.texts(".finding h2").await, ["assets.csv"]);
        page.open("/fleet?q=site%3A%22Treatment+works%22").await;
        let names = page.texts("td.name a").await;
        page.keys("j").await;
        assert_eq!(here(w).await, names[0]);
        page.keys("j").await;
        assert_eq!(here(w).await, names[1]);
        page.keys("k").await;
        assert_eq!(here(w).await, names[0]);
        page.keys("?").await;
        page.find("//dialog[@open]//dt[normalize-space()='/']").await;
        page.keys(ESCAPE).await;
        page.find("//body[not(.//dialog[@open])]").await;
        page.keys("/").await;
        assert_eq!(here(w).await, "Query");
        page.keys("j").await;
        assert_eq!(page.script("return document.activeElement.value", vec![]).await, "j", "in a field a letter is a letter");
        page.keys(ESCAPE).await;
        page.keys("j").await;
        page.keys(ENTER).await;
        page.headed(&names[0]).await;
    });
}
