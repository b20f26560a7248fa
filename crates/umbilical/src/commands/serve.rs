//! `serve`: pages and API on the home.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use umbilical_assess::judge::told::homes;
use umbilical_core::answer::bom::{Check, Project};
use umbilical_core::answer::{Device, Duty};
use umbilical_knowledge::Knowledge;
use umbilical_knowledge::policy::{Pack, Value, parse};
use umbilical_store::{Options, Store, StoreError};
use umbilical_web::clock::{Clock as _, System};
use umbilical_web::deliver::guard::Block;
use umbilical_web::law::{Asking, Law, OnFile, Question};
use umbilical_web::{App, Config, Judge, Judging, Listen, Server, Stop, Tls};

use super::policy::subjects::product;
use super::{facts, formats, only_serves};
use crate::args::{Format, Global};
use crate::fail::Fail;
use crate::home;
use crate::law::{self, Asked, Deal, Unnamed};
use crate::packs::Packs;

/// Shown behind the flags.
pub const EXAMPLES: &str = "The first start prints a link that works once: whoever opens it becomes the first user. Uploads are kept in the
store of the home (umbilical.db) or in PostgreSQL, and the fleet is answered anew behind each.

Examples:
  umbilical serve                                        http://127.0.0.1:8480, for this machine alone
  umbilical serve --listen 0.0.0.0:8443 --tls-cert fleet.pem --tls-key fleet.key
  umbilical serve --listen 0.0.0.0:8480 --insecure-http --public-url https://fleet.example     behind a proxy that encrypts
  umbilical serve --policy us-fcc-covered --market US        judge devices by law
  umbilical serve --database postgres://umbilical@db/umbilical
  umbilical serve --log json                             one JSON object for each line of the log";

/// `serve`.
#[derive(Args, Debug)]
pub struct Serve {
    /// Address and port to listen on; port 0 takes one that is free
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8480")]
    listen: SocketAddr,
    /// The store: a file, or postgres://USER@HOST/NAME [default: umbilical.db of the home]
    #[arg(long, value_name = "URL", env = "UMBILICAL_DATABASE", hide_env_values = true)]
    database: Option<String>,
    /// Certificate chain (PEM): connections are encrypted
    #[arg(long, value_name = "PEM", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Key of the certificate (PEM)
    #[arg(long, value_name = "PEM", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Serve an address that others reach without encryption, because something in front of it encrypts
    #[arg(long)]
    insecure_http: bool,
    /// The address under which people reach it, where that is another: https://fleet.example
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// A further name under which people reach it (repeatable)
    #[arg(long, value_name = "NAME")]
    host: Vec<String>,
    /// Largest upload in megabytes
    #[arg(long, value_name = "MB", default_value_t = 2048, value_parser = clap::value_parser!(u64).range(1..))]
    upload_limit: u64,
    /// An address to which integrations may lead though it is this machine's own or link-local: 127.0.0.1, fe80::/10 (repeatable)
    #[arg(long, value_name = "CIDR")]
    allow_sink: Vec<Block>,
    /// Let anybody look up what the knowledge base says, without signing in; nothing of the fleet is shown there
    #[arg(long)]
    public_look_up: bool,
    /// The key that signs evidence packs which are downloaded: Ed25519, PKCS#8 in PEM [default: they are not signed]
    #[arg(long, value_name = "KEY.pem")]
    pack_key: Option<PathBuf>,
    #[command(flatten)]
    asked: Asked,
    /// Form of the log on standard error
    #[arg(long, value_name = "FORM", value_enum, default_value_t = Log::Text)]
    log: Log,
}

/// Forms of the log.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum Log {
    /// For people
    Text,
    /// One object for each line
    Json,
    /// Nothing
    Off,
}

pub fn run(global: &Global, serve: &Serve) -> Result<u8, Fail> {
    formats(global, "serve", &[Format::Table])?;
    only_serves(global, "serve")?;
    log(serve.log);
    let folder = home::folder(global)?;
    home::make(&folder)?;
    let found = folder.join(home::AUDIT).is_file();
    let place = serve.database.clone().unwrap_or_else(|| folder.join(home::STORE).display().to_string());
    let knowledge = Arc::new(facts(global)?);
    let backups = folder.join(home::BACKUPS);
    let mut config = Config::new(folder);
    config.tls = serve.tls_cert.is_some() || serve.public_url.as_deref().is_some_and(|u| u.starts_with("https://"));
    config.public = public(serve)?;
    config.hosts = hosts(serve)?;
    config.waivers = serve.asked.waivers.clone();
    config.upload_limit = serve.upload_limit.saturating_mul(1 << 20);
    config.public_look_up = serve.public_look_up;
    config.signer = serve.pack_key.as_deref().map(super::bom::attest::signer).transpose()?.map(Arc::new);
    config.sinks.clone_from(&serve.allow_sink);
    for block in serve.allow_sink.iter().filter(|b| b.holds_metadata()) {
        tracing::warn!(
            "--allow-sink {block} holds addresses where clouds keep their metadata and keys: whoever makes integrations reaches them \
             from here; name the address of the receiver alone"
        );
    }
    if serve.asked.is_asked(global) {
        // A mistake in a pack stops the start, not the first import.
        law::load(global, &serve.asked, facts(global)?, Unnamed::Law)?;
        config.judge = Some(judge(global.clone(), serve.asked.clone()));
    }
    config.law = Some(law(global.clone(), serve.asked.clone()));
    let tls = serve.tls_cert.clone().zip(serve.tls_key.clone()).map(|(certificate, key)| Tls { certificate, key });
    let listen = Listen { address: serve.listen, tls, insecure: serve.insecure_http };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|source| Fail::Output { to: "the runtime".into(), source })?;
    runtime.block_on(async {
        // A database elsewhere has no folder of its own.
        let backups = place.contains("://").then_some(backups);
        let options = Options { place, backups, ..Options::default() };
        let store = Store::open_with(options, System.now()).await.map_err(store_fail)?;
        if found && store.revision().await.map_err(store_fail)?.starts_with("0-") {
            tracing::warn!(
                "the home holds a last audit and the store no evidence: this server shows what is brought to it; \
                 run `umbilical audit PATH…` again on this home, or upload the files"
            );
        }
        let app = App::new(store.clone(), knowledge, Arc::new(System), config);
        let server = Server::bind(app, listen).await.map_err(stop)?;
        let first = server.first_link().await.map_err(stop)?;
        announce(server.bound().base.as_str(), first.as_deref())?;
        let bound = server.bound().clone();
        tokio::spawn(async move {
            ended().await;
            tracing::info!("asked to end");
            bound.end();
        });
        let served = server.run().await.map_err(stop);
        store.close().await;
        served.map(|()| 0)
    })
}

/// The address that was given; what can be none would stand in every link and let no form through.
fn public(serve: &Serve) -> Result<Option<String>, Fail> {
    let help = "the scheme and name that people type, as in --public-url https://fleet.example: no path, no login";
    match &serve.public_url {
        Some(url) if !umbilical_web::host::is_base(url) => {
            Err(Fail::usage(format!("--public-url {}: this is no address of a server", umbilical_core::text::clean(url)), help))
        }
        url => Ok(url.clone()),
    }
}

/// Names that were given; what can be none is a mistake that would shut people out.
fn hosts(serve: &Serve) -> Result<Vec<String>, Fail> {
    let help = "a name or address alone, as in --host fleet.example: no scheme, port or path";
    let fits = |name: &str| umbilical_web::host::is_name(name) || name.parse::<std::net::IpAddr>().is_ok();
    match serve.host.iter().find(|name| !fits(name)) {
        Some(name) => Err(Fail::usage(format!("--host {}: this is no name of a host", umbilical_core::text::clean(name)), help)),
        None => Ok(serve.host.clone()),
    }
}

/// Asks the packs that were named. They are read anew for each answer: whoever changes a pack or a waiver sees it at the next.
pub fn judge(global: Global, asked: Asked) -> Judge {
    Arc::new(move |day, answer: &mut dyn FnMut(Judging<'_>)| {
        let knowledge = facts(&global).map_err(|e| e.to_string())?;
        let (knowledge, law) = law::load(&global, &asked, knowledge, Unnamed::Law).map_err(|e| e.to_string())?;
        let judge = law.judge(&knowledge, day);
        let mut each = |device: &mut Device| {
            let facts = law.device_facts(device);
            let said = |name: &str| match facts.get(name) {
                Some(Value::Words(words)) => words.clone(),
                _ => Vec::new(),
            };
            device.duty = Duty { role: said("role"), criticality: said("criticality") };
            device.findings.extend(law::of_device(&judge, &law, &knowledge, device).findings);
            device.findings.sort_by(|a, b| a.worst_first(b));
        };
        answer(Judging { stamp: Some(law.stamp(&judge)), each: &mut each });
        Ok(())
    })
}

/// Law for pages.
pub fn law(global: Global, asked: Asked) -> Arc<dyn Law> {
    Arc::new(Desk { global, asked })
}

/// Packs of the home, of `--knowledge` and of the flags.
struct Desk {
    global: Global,
    asked: Asked,
}

impl Desk {
    fn on_file(&self) -> Result<Vec<OnFile>, Fail> {
        let packs = Packs::of(&self.global)?;
        let here = self.asked.is_asked(&self.global);
        let asked = if here { law::texts(&packs, &self.global.policy, Unnamed::Law)? } else { Vec::new() };
        let all = packs.all()?.into_iter().map(|(text, _)| text);
        let mut out: Vec<OnFile> = all.map(|text| OnFile { asked: asked.iter().any(|a| a.text == text.text), text }).collect();
        // Packs of the user's own are named by their files.
        let own = asked.into_iter().filter(|a| !out.iter().any(|o| o.text.text == a.text)).collect::<Vec<_>>();
        out.extend(own.into_iter().map(|text| OnFile { text, asked: true }));
        Ok(out)
    }

    fn put(&self, kb: &Knowledge, question: &Question, then: &mut dyn FnMut(Asking<'_>)) -> Result<(), Fail> {
        let (mut global, mut asked) = (self.global.clone(), self.asked.clone());
        if !question.packs.is_empty() {
            global.policy = question.packs.iter().map(|id| self.name_of(id)).collect::<Result<_, _>>()?;
        }
        asked.market.clone_from(&question.market);
        asked.buyer = question.buyer.clone().or(asked.buyer);
        asked.funded_by = question.funded_by.clone().or(asked.funded_by);
        asked.say.extend(question.say.iter().cloned());
        asked.assume.clone_from(&question.assume);
        let assumed = asked.assumed()?;
        // The tables are read anew where something in them is assumed; else those at hand will do.
        let deal = if question.as_said { Deal::AsSaid } else { Deal::AsIf };
        let changed = if assumed.is_empty() { None } else { Some(law::load_for(&global, &asked, facts(&global)?, Unnamed::Law, deal)?) };
        let (kb, law) = match &changed {
            Some((kb, law)) => (kb, law),
            None => (kb, &law::over(&global, &asked, kb, assumed, Unnamed::Law, deal)?),
        };
        let judge = law.judge(kb, question.as_of);
        if question.reasons {
            law.give_reasons();
        }
        let of = |device: Device| law::of_device(&judge, law, kb, &device).about(device);
        let product = |check: &Check, project: &Project| product(&judge, law, kb, &check.files, &check.problems, project);
        then(Asking { homes: homes(&judge), title: &|rule| judge.title(rule), of: &of, product: &product, stamp: law.stamp(&judge) });
        Ok(())
    }

    /// What the flags or the folder of packs call a pack: a name from a page never becomes a path.
    fn name_of(&self, id: &str) -> Result<String, Fail> {
        if Packs::of(&self.global)?.get(id)?.is_some() {
            return Ok(id.to_owned());
        }
        for name in &self.global.policy {
            let texts = law::texts(&Packs::of(&self.global)?, std::slice::from_ref(name), Unnamed::Nothing)?;
            for text in texts {
                let pack: Pack = parse(&text)?;
                if pack.id.get_ref() == id {
                    return Ok(name.clone());
                }
            }
        }
        Err(Fail::usage("there is no such pack on file".to_owned(), "the page of packs names them"))
    }
}

impl Law for Desk {
    fn packs(&self) -> Result<Vec<OnFile>, String> {
        self.on_file().map_err(|e| e.to_string())
    }

    fn ask(&self, kb: &Knowledge, question: &Question, then: &mut dyn FnMut(Asking<'_>)) -> Result<(), String> {
        self.put(kb, question, then).map_err(|e| e.to_string())
    }
}

/// Where it listens stands on standard output, so that a script can read it.
fn announce(base: &str, first: Option<&str>) -> Result<(), Fail> {
    let mut out = std::io::stdout().lock();
    let text = match first {
        Some(link) => format!("listening on {base}\nnobody can sign in yet: open this link once, within a day\n  {link}\n"),
        None => format!("listening on {base}\n"),
    };
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|source| Fail::Output { to: "standard output".into(), source })
}

/// Waits for an interrupt or a polite request to end.
pub async fn ended() {
    let interrupt = async {
        // Without a handler there is nothing to wait for.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending::<()>().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}

fn log(form: Log) {
    let filter = || tracing_subscriber::EnvFilter::try_from_env("UMBILICAL_LOG").unwrap_or_else(|_| "info,sqlx=warn,hyper=warn".into());
    let lines = || tracing_subscriber::fmt().with_env_filter(filter()).with_writer(std::io::stderr).with_ansi(false).with_target(false);
    match form {
        Log::Text => lines().init(),
        Log::Json => lines().json().flatten_event(true).init(),
        Log::Off => {}
    }
}

fn store_fail(error: StoreError) -> Fail {
    Fail::Home { what: error.to_string(), help: Some("--database names another store".into()) }
}

pub fn stop(error: Stop) -> Fail {
    let help = match &error {
        Stop::Unencrypted(_) => Some("give --tls-cert and --tls-key, or --insecure-http where something in front of it encrypts"),
        Stop::Address { .. } => Some("--listen names another address; port 0 takes one that is free"),
        Stop::Certificate { .. } => Some("both are files in PEM form, the certificate with its chain"),
        _ => None,
    };
    Fail::Usage { what: error.to_string(), help: help.map(str::to_owned) }
}
