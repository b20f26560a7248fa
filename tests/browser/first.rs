//! The first five minutes: from signing in to an answer.

use crate::driver::Scripts;
use crate::folder::Folder;
use crate::{PASSWORD, World, journey};

/// Presses on to the answer, through whatever a page asks on the way.
async fn on_to_the_answer(w: &World) {
    let page = &w.browser;
    for _ in 0..4 {
        page.find("//a[normalize-space()='See the fleet'] | //form[@data-next]").await;
        if page.count("form[data-next]").await == 0 {
            break;
        }
        page.follow(page.css("form[data-next] button").await).await;
    }
    page.press("See the fleet").await;
}

#[test]
fn an_export_is_answered_within_five_presses() {
    for scripts in [Scripts::On, Scripts::Off] {
        journey(scripts, async |w| {
            let page = &w.browser;
            w.set_up().await;
            page.press("Sign out").await;
            let folder = Folder::new();
            let mut export = Vec::new();
            umbilical_synth::sims::export(2_000, 7, &mut export).unwrap();
            let file = folder.write("SIM inventory 2026-11.csv", export);

            let before = page.presses();
            page.fill("Login", "ana").await;
            page.fill("Password", PASSWORD).await;
            page.press("Sign in").await;
            page.choose("#files", &[file]).await;
            page.send("Choose files").await;
            on_to_the_answer(w).await;
            page.headed("Fleet").await;
            page.find("//p[@class='count'][contains(normalize-space(), ' devices')]").await;
            let known = page.count("tbody td.name a").await;
            assert!(known > 40 && page.count(".facet [data-count]").await > 20, "{known} rows");
            let presses = page.presses() - before;
            assert!(presses <= 5, "{presses} presses");
        });
    }
}
