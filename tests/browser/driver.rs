//! Chromium behind chromedriver, both on a profile of their own and gone with the test.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use serde_json::{Value as Json, json};

/// Whether pages may run scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scripts {
    On,
    Off,
}

/// A chromedriver that listens. One at a time: two browsers on two cores wait for each other.
pub(crate) struct Driver {
    child: Child,
    pub(crate) address: String,
    /// Held, so that what it says later has somewhere to go.
    _out: BufReader<ChildStdout>,
    _alone: MutexGuard<'static, ()>,
}

impl Driver {
    /// Starts it; `None` where there is no browser, which only a machine for people may lack.
    pub(crate) fn start() -> Option<Self> {
        static ALONE: Mutex<()> = Mutex::new(());
        let (Some(_), Some(driver)) = (program("chromium"), program("chromedriver")) else {
            assert!(std::env::var_os("CI").is_none(), "there is no browser: apt-get install chromium chromium-driver");
            eprintln!("skipped: there is no browser (Debian: apt-get install chromium chromium-driver)");
            return None;
        };
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let mut child = Command::new(driver).arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut lines = out.by_ref().lines().map(Result::unwrap);
        let port = lines.find_map(|l| Some(l.split_once("successfully on port ")?.1.trim_end_matches('.').to_owned()));
        let address = format!("http://127.0.0.1:{}", port.expect("chromedriver says where it listens"));
        Some(Self { child, address, _out: out, _alone: alone })
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // The browser ends with it: its pipe breaks.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).map(|dir| dir.join(name)).find(|path| path.is_file())
}

/// What the browser is asked to be.
pub(crate) fn capabilities(folder: &Path, scripts: Scripts) -> Capabilities {
    let profile = format!("--user-data-dir={}", folder.join("profile").display());
    let arguments = [
        "--headless=new",
        // Chromium's own cage does not work for root, as which CI runs.
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--no-default-browser-check",
        "--window-size=1366,900",
        "--hide-scrollbars",
        // Instead of a port: it ends when the other end does.
        "--remote-debugging-pipe",
        &profile,
    ];
    let javascript = if scripts == Scripts::On { 1 } else { 2 };
    let wanted = json!({
        "goog:loggingPrefs": {"performance": "ALL", "browser": "ALL"},
        // A dialog that nobody opened fails the next command.
        "unhandledPromptBehavior": "ignore",
        "goog:chromeOptions": {
            "args": arguments,
            "prefs": {
                "profile.managed_default_content_settings.javascript": javascript,
                "download.default_directory": folder.join("downloads"),
                "download.prompt_for_download": false,
            },
        },
    });
    wanted.as_object().unwrap().clone()
}

/// A command of chromedriver's own, under the address of the session.
#[derive(Debug)]
pub(crate) struct Own {
    path: &'static str,
    body: Json,
}

impl Own {
    /// A command of the DevTools protocol.
    pub(crate) fn devtools(name: &str, params: Json) -> Self {
        Self { path: "goog/cdp/execute", body: json!({"cmd": name, "params": params}) }
    }

    /// What was written to a log since it was last asked for: `performance`, `browser`.
    pub(crate) fn log(name: &str) -> Self {
        Self { path: "se/log", body: json!({"type": name}) }
    }
}

impl WebDriverCompatibleCommand for Own {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.to_string()))
    }
}
