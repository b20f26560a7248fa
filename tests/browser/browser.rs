//! What a person does at a page, and sees there. Fields go by their labels, buttons and links by their words.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64ct::{Base64, Encoding as _};
use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::{Value as Json, json};

use crate::driver::{Driver, Own, Scripts, capabilities};
use crate::folder::Folder;

/// How long anything may take on a machine that does other things, too.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often a condition is looked at.
const OFTEN: Duration = Duration::from_millis(20);

/// A browser at a server.
pub(crate) struct Browser {
    client: Client,
    base: String,
    downloads: PathBuf,
    /// Presses so far.
    presses: Cell<u32>,
}

impl Browser {
    pub(crate) async fn start(driver: &Driver, folder: &Folder, base: &str, scripts: Scripts) -> Self {
        let mut builder = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new());
        let client = builder.capabilities(capabilities(folder.path(), scripts)).connect(&driver.address).await.unwrap();
        let downloads = folder.path().join("downloads");
        std::fs::create_dir_all(&downloads).unwrap();
        Self { client, base: base.to_owned(), downloads, presses: Cell::new(0) }
    }

    /// Opens a page of the server, or a whole address.
    pub(crate) async fn open(&self, path: &str) {
        let address = if path.starts_with('/') { format!("{}{path}", self.base) } else { path.to_owned() };
        self.client.goto(&address).await.unwrap_or_else(|e| panic!("{path}: {e}"));
    }

    /// The path and query of the page that is open.
    pub(crate) async fn path(&self) -> String {
        let url = self.client.current_url().await.unwrap();
        url.as_str().strip_prefix(&self.base).unwrap_or(url.as_str()).to_owned()
    }

    /// Waits for what an expression of XPath finds.
    pub(crate) async fn find(&self, xpath: &str) -> Element {
        let found = self.client.wait().at_most(PATIENCE).every(OFTEN).for_element(Locator::XPath(xpath)).await;
        match found {
            Ok(element) => element,
            Err(e) => panic!("{}: no {xpath}: {e}\n{}", self.path().await, self.text().await),
        }
    }

    /// What a selector finds.
    pub(crate) async fn css(&self, css: &str) -> Element {
        self.client.find(Locator::Css(css)).await.unwrap_or_else(|e| panic!("no {css}: {e}"))
    }

    /// How many there are right now.
    pub(crate) async fn count(&self, css: &str) -> usize {
        self.client.find_all(Locator::Css(css)).await.unwrap().len()
    }

    /// The texts of all that fit, right now.
    pub(crate) async fn texts(&self, css: &str) -> Vec<String> {
        let mut texts = Vec::new();
        for element in self.client.find_all(Locator::Css(css)).await.unwrap() {
            texts.push(element.text().await.unwrap());
        }
        texts
    }

    /// Everything that can be read.
    pub(crate) async fn text(&self) -> String {
        self.client.find(Locator::Css("body")).await.unwrap().text().await.unwrap()
    }

    /// Waits for a page with this heading.
    pub(crate) async fn headed(&self, heading: &str) {
        self.find(&format!("//h1[normalize-space()={heading:?}]")).await;
    }

    /// Waits until a text can be read somewhere.
    pub(crate) async fn sees(&self, text: &str) {
        self.find(&format!("//body//*[contains(normalize-space(), {text:?})]")).await;
    }

    async fn field(&self, label: &str) -> Element {
        self.find(&format!("//*[@id=//label[starts-with(normalize-space(), {label:?})]/@for]")).await
    }

    /// Types into the field with this label, instead of what stands there.
    pub(crate) async fn fill(&self, label: &str, text: &str) {
        let field = self.field(label).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Chooses from a list.
    pub(crate) async fn select(&self, label: &str, value: &str) {
        self.field(label).await.select_by_label(value).await.unwrap();
    }

    /// Presses something that leads to another page, and waits until that has come.
    pub(crate) async fn follow(&self, element: Element) {
        let before = self.client.find(Locator::Css("html")).await.unwrap();
        self.pressed();
        element.click().await.unwrap();
        self.gone(before).await;
    }

    /// Waits until something that stood on a page is there no more.
    pub(crate) async fn gone(&self, before: Element) {
        let gone = async {
            while before.tag_name().await.is_ok() {
                tokio::time::sleep(OFTEN).await;
            }
        };
        tokio::time::timeout(PATIENCE, gone).await.unwrap_or_else(|_| panic!("nothing comes after {before:?}"));
    }

    fn pressed(&self) {
        self.presses.set(self.presses.get() + 1);
    }

    /// How often something was pressed so far. Who chooses files presses once.
    pub(crate) fn presses(&self) -> u32 {
        self.presses.get()
    }

    /// Presses the button or link with these words, which leads to another page.
    pub(crate) async fn press(&self, words: &str) {
        let button = self.find(&format!("//button[normalize-space()={words:?}] | //a[normalize-space()={words:?}]")).await;
        self.follow(button).await;
    }

    /// Sends the form that has the field with this label.
    pub(crate) async fn send(&self, label: &str) {
        let button = self.find(&format!("//form[.//label[starts-with(normalize-space(), {label:?})]]//button")).await;
        self.follow(button).await;
    }

    /// Presses the link with these words and keeps what it leads to as a file, whole. The name of the file ends with the day: of
    /// that only the rest is asked.
    pub(crate) async fn download(&self, words: &str, begins: &str, ends: &str) -> String {
        self.find(&format!("//a[normalize-space()={words:?}]")).await.click().await.unwrap();
        let there = || {
            let all = std::fs::read_dir(&self.downloads).unwrap().map(|entry| entry.unwrap().path());
            all.into_iter()
                .find(|path| path.file_name().is_some_and(|n| n.to_str().is_some_and(|n| n.starts_with(begins) && n.ends_with(ends))))
        };
        let come = async {
            loop {
                if let Some(path) = there() {
                    return path;
                }
                tokio::time::sleep(OFTEN).await;
            }
        };
        let path = tokio::time::timeout(PATIENCE, come).await.unwrap_or_else(|_| panic!("{begins}…{ends} did not come"));
        std::fs::read_to_string(path).unwrap()
    }

    /// Ticks a box.
    pub(crate) async fn tick(&self, label: &str) {
        self.find(&format!("//label[normalize-space()={label:?}]/input")).await.click().await.unwrap();
    }

    /// Chooses files of this machine.
    pub(crate) async fn choose(&self, css: &str, files: &[PathBuf]) {
        self.pressed();
        let list: Vec<String> = files.iter().map(|f| f.display().to_string()).collect();
        self.client.find(Locator::Css(css)).await.unwrap().send_keys(&list.join("\n")).await.unwrap();
    }

    /// Presses keys wherever the focus is.
    pub(crate) async fn keys(&self, keys: &str) {
        self.client.active_element().await.unwrap().send_keys(keys).await.unwrap();
    }

    /// Runs a script of the test's, which the page's policy does not concern.
    pub(crate) async fn script(&self, script: &str, arguments: Vec<Json>) -> Json {
        self.client.execute(script, arguments).await.unwrap_or_else(|e| panic!("{script:.200}: {e}"))
    }

    /// Runs a script that calls back with its last argument.
    pub(crate) async fn script_then(&self, script: &str, arguments: Vec<Json>) -> Json {
        self.client.execute_async(script, arguments).await.unwrap_or_else(|e| panic!("{script:.200}: {e}"))
    }

    /// A command of the DevTools protocol.
    pub(crate) async fn devtools(&self, name: &str, params: Json) -> Json {
        self.client.issue_cmd(Own::devtools(name, params)).await.unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// A screen of this width in a theme of the system.
    pub(crate) async fn screen(&self, width: u32, theme: &str) {
        let metrics = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600});
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
        let features = json!([{"name": "prefers-color-scheme", "value": theme}]);
        self.devtools("Emulation.setEmulatedMedia", json!({"media": "", "features": features})).await;
    }

    /// The page as it is printed, on a sheet of this width; [`Self::screen`] brings the screen back.
    pub(crate) async fn paper(&self, width: u32) {
        let sheet = json!({"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", sheet).await;
        self.devtools("Emulation.setEmulatedMedia", json!({"media": "print"})).await;
    }

    /// A picture of the page, as far as it is no longer than three screens.
    pub(crate) async fn picture(&self, file: &Path) {
        let size = self.devtools("Page.getLayoutMetrics", json!({})).await["cssContentSize"].clone();
        let height = size["height"].as_f64().unwrap().min(2700.0);
        let clip = json!({"x": 0, "y": 0, "width": size["width"], "height": height, "scale": 1});
        let taken = self.devtools("Page.captureScreenshot", json!({"captureBeyondViewport": true, "clip": clip})).await;
        let png = Base64::decode_vec(taken["data"].as_str().unwrap()).unwrap();
        assert!(png.starts_with(b"\x89PNG"));
        std::fs::write(file, png).unwrap();
    }

    /// Nothing was asked of another host, and the browser found nothing to complain about.
    pub(crate) async fn is_content(&self) {
        let log = self.client.issue_cmd(Own::log("performance")).await.unwrap();
        let mut own = 0;
        for entry in log.as_array().unwrap() {
            let message: Json = serde_json::from_str(entry["message"].as_str().unwrap()).unwrap();
            let message = &message["message"];
            if message["method"] == "Network.requestWillBeSent" {
                let address = message["params"]["request"]["url"].as_str().unwrap();
                let ours = address.starts_with(&format!("{}/", self.base));
                // The browser opens a page of its own before it opens ours.
                assert!(ours || ["data:", "chrome:"].iter().any(|own| address.starts_with(own)), "{address} was asked for");
                own += usize::from(ours);
            }
        }
        assert!(own > 0, "the log of requests is not kept");
        let log = self.client.issue_cmd(Own::log("browser")).await.unwrap();
        // A page that is refused or missing is an answer, too; and whoever tests may be in a field before the page puts the focus there.
        let answers = ["the server responded with a status of 4", "a document already has a focused element"];
        let complaints: Vec<&str> = log.as_array().unwrap().iter().filter_map(|e| e["message"].as_str()).collect();
        let wrong: Vec<_> = complaints.into_iter().filter(|m| !answers.iter().any(|a| m.contains(a))).collect();
        assert!(wrong.is_empty(), "the browser says: {wrong:#?}");
    }
}
