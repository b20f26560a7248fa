//! What people do with `serve`, in a real browser: Debian's Chromium, driven through chromedriver.
//!
//! Each test has a server on a home of its own and a fresh profile. Whatever a journey does, at its end nothing may have
//! been asked of another host, and the browser may not have complained. Without a browser the tests are skipped, except
//! where `CI` is set.

mod axe;
mod browser;
mod driver;
mod first;
#[path = "../folder.rs"]
mod folder;
mod hostile;
mod journeys;
mod keyboard;
mod numbers;
mod pages;
mod server;

use std::path::{Path, PathBuf};

use browser::Browser;
use driver::{Driver, Scripts};
use folder::Folder;
use server::Server;

/// A server and somebody before it.
pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) browser: Browser,
}

/// The password of everybody here.
pub(crate) const PASSWORD: &str = "a heron stands in the weir";

/// Sends somebody on a journey.
pub(crate) fn journey(scripts: Scripts, steps: impl AsyncFnOnce(&World)) {
    journey_to(Server::start, scripts, steps);
}

/// Sends somebody on a journey to a server that is started so.
pub(crate) fn journey_to(start: fn(&Folder) -> Server, scripts: Scripts, steps: impl AsyncFnOnce(&World)) {
    let Some(driver) = Driver::start() else { return };
    let folder = Folder::new();
    let server = start(&folder);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let browser = Browser::start(&driver, &folder, &server.base, scripts).await;
        let world = World { server, browser };
        steps(&world).await;
        world.browser.is_content().await;
    });
}

/// A file or folder of the examples.
pub(crate) fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name).canonicalize().unwrap()
}

/// A folder of the target folder.
pub(crate) fn target(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join(name)
}

impl World {
    /// The first person opens the link and chooses a password.
    pub(crate) async fn set_up(&self) {
        let page = &self.browser;
        page.open(&self.server.link).await;
        page.fill("Login", "ana").await;
        page.fill("Your name", "Ana Bell").await;
        page.fill("Password", PASSWORD).await;
        page.fill("The same password again", PASSWORD).await;
        page.press("Create account").await;
        page.headed("Import evidence").await;
    }

    /// Brings an example in and waits until the fleet is answered.
    pub(crate) async fn import_folder(&self, name: &str) {
        let page = &self.browser;
        page.open("/import").await;
        page.choose("#folder", &[example(name)]).await;
        page.send("Choose files").await;
        page.headed("Look before you import").await;
        page.press("Import").await;
        page.sees("See the fleet").await;
    }

    /// Brings files in, looks at what was understood, and waits until the fleet is answered.
    pub(crate) async fn import(&self, files: &[PathBuf]) {
        let page = &self.browser;
        page.open("/import").await;
        page.choose("#files", files).await;
        page.send("Choose files").await;
        page.headed("Look before you import").await;
        page.press("Import").await;
        page.sees("See the fleet").await;
    }
}
