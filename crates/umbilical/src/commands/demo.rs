//! `demo`: the four example fleets in a browser, in a home of its own that goes when the program ends.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use include_dir::{Dir, include_dir};
use umbilical_core::id::hex;
use umbilical_store::{By, Person, Role, Sites, Store, Time};
use umbilical_web::clock::{Clock as _, System};
use umbilical_web::record::{self, Reading, Upload};
use umbilical_web::{App, Config, DEMO, Listen, Server};

use super::{facts, formats, only_serves, serve};
use crate::args::{Format, Global};
use crate::fail::Fail;
use crate::law::Asked;
use crate::{home, stored};

/// Shown behind the flags.
pub const EXAMPLES: &str =
    "Four invented fleets (a water utility, a hospital, a port, a farm) with the findings that their evidence raises. Nothing of
yours is read, no account is needed, and everything is gone when the program ends (Ctrl-C).

Examples:
  umbilical demo                          prints a link; open it
  umbilical demo --listen 127.0.0.1:0     on a port that is free
  umbilical demo --policy gb-psti --market GB   judged by other law";

/// `demo`.
#[derive(Args, Debug)]
pub struct Demo {
    /// Address and port to listen on; port 0 takes one that is free
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8481")]
    listen: SocketAddr,
    #[command(flatten)]
    asked: Asked,
}

/// The fleets, as they lie under `examples/`.
static FLEETS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../examples");
/// Their folders.
const FOLDERS: [&str; 4] = ["utility", "hospital", "port", "farm"];
/// A morning at the packet gateway of one of them.
const CAPTURE: &str = "traffic/gateway.pcap";
/// Packs that are asked where none is named.
const PACKS: [&str; 2] = ["us-fcc-covered", "us-ndaa-889"];

/// A folder that goes with whoever holds it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self, Fail> {
        let mut word = [0u8; 8];
        let path = std::env::temp_dir();
        let fail = |what: String| Fail::Home { what, help: Some("TMPDIR names another folder".into()) };
        getrandom::fill(&mut word).map_err(|e| fail(format!("the system gives no random numbers: {e}")))?;
        let path = path.join(format!("umbilical-demo-{}", hex(&word)));
        home::make(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            eprintln!("umbilical: {} could not be taken away: {error}", self.0.display());
        }
    }
}

pub fn run(global: &Global, demo: &Demo) -> Result<u8, Fail> {
    formats(global, "demo", &[Format::Table])?;
    only_serves(global, "demo")?;
    let mut global = global.clone();
    let mut asked = demo.asked.clone();
    if !asked.is_asked(&global) {
        global.policy = PACKS.map(str::to_owned).to_vec();
        asked.market = Some("US".into());
    }
    let folder = Folder::new()?;
    // Waivers and tables of the user's own home are no part of a demonstration.
    global.home = Some(folder.0.clone());
    let listen = Listen { address: demo.listen, tls: None, insecure: false };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|source| Fail::Output { to: "the runtime".into(), source })?;
    let served = runtime.block_on(async {
        let place = folder.0.join(home::STORE).display().to_string();
        let store = Store::open(&place, System.now()).await.map_err(stored::fail)?;
        // Whoever ends it while it is being filled ends it as well.
        let served = tokio::select! {
            served = show(&global, asked, &folder.0, store.clone(), listen) => served,
            () = serve::ended() => Ok(0),
        };
        store.close().await;
        served
    });
    drop(runtime);
    served
}

async fn show(global: &Global, asked: Asked, folder: &Path, store: Store, listen: Listen) -> Result<u8, Fail> {
    let knowledge = Arc::new(facts(global)?);
    let law = serve::law(global.clone(), asked.clone());
    let judge = serve::judge(global.clone(), asked);
    fill(&store, folder, &Reading { knowledge: Arc::clone(&knowledge), mapping: None }, &judge).await?;
    listen_in(global, folder).await?;
    let mut word = [0u8; 24];
    getrandom::fill(&mut word).map_err(|e| Fail::Home { what: format!("the system gives no random numbers: {e}"), help: None })?;
    let word = hex(&word);
    let mut config = Config::new(folder.to_path_buf());
    config.judge = Some(judge);
    config.law = Some(law);
    config.demo = Some(word.clone());
    let app = App::new(store, knowledge, Arc::new(System), config);
    let server = Server::bind(app, listen).await.map_err(serve::stop)?;
    announce(&format!("{}/demo/{word}", server.bound().base))?;
    server.run().await.map_err(serve::stop)?;
    Ok(0)
}

/// Watches the morning at the packet gateway of one of them.
async fn listen_in(global: &Global, folder: &Path) -> Result<(), Fail> {
    let Some(capture) = FLEETS.get_file(CAPTURE) else {
        return Err(Fail::Home { what: format!("the program holds no example {CAPTURE}"), help: None });
    };
    let path = folder.join("gateway.pcap");
    std::fs::write(&path, capture.contents()).map_err(|source| Fail::Output { to: path.display().to_string(), source })?;
    let global = global.clone();
    // What is watched is kept by a runtime of its own.
    let kept = tokio::task::spawn_blocking(move || super::watch::keep_quietly(&global, &path, DEMO)).await;
    kept.map_err(|e| Fail::Home { what: format!("the example cannot be watched: {e}"), help: None })?
}

/// Brings the fleets in, as their owners would, and somebody to look at them.
async fn fill(store: &Store, folder: &Path, reading: &Reading, judge: &umbilical_web::Judge) -> Result<(), Fail> {
    let root = folder.join("examples");
    let written = |source| Fail::Output { to: root.display().to_string(), source };
    let by = || By { who: DEMO, at: System.now() };
    for name in FOLDERS {
        let fleet = FLEETS.get_dir(name).ok_or_else(|| Fail::Home { what: format!("the program holds no example {name}"), help: None })?;
        let mut files = Vec::new();
        gather(fleet, &mut files);
        files.sort_by_key(|f| f.path());
        for file in files {
            let path = root.join(file.path());
            std::fs::create_dir_all(path.parent().unwrap_or(&root)).map_err(written)?;
            std::fs::write(&path, file.contents()).map_err(written)?;
            let name = file.path().to_string_lossy().replace('\\', "/");
            record::keep(store, by(), reading, Upload { root: root.clone(), path, name }, false).await.map_err(broken)?;
        }
    }
    let clock = || (stored::now(), home::today());
    record::answer(store, &reading.knowledge, Some(judge.clone()), "umbilical", clock).await.map_err(broken)?;
    let person = Person {
        login: DEMO.into(),
        name: "Demo".into(),
        email: None,
        password: None,
        totp: None,
        identity: None,
        roles: Role::ALL.into_iter().collect(),
        sites: Sites::All,
        subscribers: false,
        disabled: false,
        created: Time(0),
    };
    store.add_person(by(), &person).await.map_err(stored::fail)?;
    Ok(())
}

fn broken(error: record::RecordError) -> Fail {
    Fail::Home { what: error.to_string(), help: None }
}

fn gather<'d>(dir: &'d Dir<'d>, out: &mut Vec<&'d include_dir::File<'d>>) {
    out.extend(dir.files());
    dir.dirs().for_each(|d| gather(d, out));
}

fn announce(link: &str) -> Result<(), Fail> {
    let mut out = std::io::stdout().lock();
    let text = format!("four invented fleets are ready; open this link, and end with Ctrl-C\n  {link}\n");
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|source| Fail::Output { to: "standard output".into(), source })
}
