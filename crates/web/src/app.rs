//! What every request shares.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use umbilical_core::Day;
use umbilical_core::answer::Device;
use umbilical_core::answer::policy::LawStamp;
use umbilical_knowledge::Knowledge;
use umbilical_report::attest::Signer;
use umbilical_store::{By, Store, Time};

use crate::backups::Backups;
use crate::clock::Clock;
use crate::deliver::guard::{Block, Guard};
use crate::ingest::Pipeline;
use crate::law::Law;
use crate::limits::Limits;
use crate::openid::Openid;
use crate::staged::Desk;

/// Asks law as of a day: calls back once, with what it needs in reach, on the thread that answers. The error is in words.
pub type Judge = Arc<dyn Fn(Day, &mut dyn FnMut(Judging<'_>)) -> Result<(), String> + Send + Sync>;

/// Law in reach.
pub struct Judging<'a> {
    /// Adds its findings to a device.
    pub each: &'a mut dyn FnMut(&mut Device),
    /// By what is judged; `None` where nothing is.
    pub stamp: Option<LawStamp>,
}

/// What the program says at the start.
#[derive(Clone)]
pub struct Config {
    /// The home: uploads on their way in lie under it.
    pub home: PathBuf,
    /// The largest upload in bytes.
    pub upload_limit: u64,
    /// Whether connections are encrypted here: cookies are then marked so.
    pub tls: bool,
    /// `https://fleet.example`: the address under which people reach it, where that is another than the one it listens on.
    pub public: Option<String>,
    /// More names under which people reach it: `fleet`, `fleet.intern.example`.
    pub hosts: Vec<String>,
    /// The file of waivers that [`Config::judge`] reads; `waivers.toml` of the home where nothing is said.
    pub waivers: Option<PathBuf>,
    /// Milliseconds without a request after which a session ends.
    pub idle: i64,
    /// Milliseconds after which a session ends in any case.
    pub longest: i64,
    /// Milliseconds that a recompute waits for more uploads.
    pub settle: u64,
    /// Milliseconds between two looks at whether a sink has something to deliver.
    pub look: u64,
    /// Addresses to which sinks may lead all the same: this machine, link-local ones.
    pub sinks: Vec<Block>,
    /// Whether anybody may look up what the knowledge base says, without signing in.
    pub public_look_up: bool,
    /// Asks law about each device, where the program was told to.
    pub judge: Option<Judge>,
    /// Of a demonstration: the word with which anybody is let in as [`DEMO`].
    pub demo: Option<String>,
    /// Packs on file, for pages that ask them.
    pub law: Option<Arc<dyn Law>>,
    /// Signs evidence packs; without it they are not signed.
    pub signer: Option<Arc<Signer>>,
}

impl Config {
    /// As it is where nothing is said.
    pub fn new(home: PathBuf) -> Self {
        Self {
            home,
            upload_limit: 2 << 30,
            tls: false,
            public: None,
            hosts: Vec::new(),
            waivers: None,
            idle: 60 * 60_000,
            longest: 12 * 60 * 60_000,
            settle: 200,
            look: 1000,
            sinks: Vec::new(),
            public_look_up: false,
            judge: None,
            demo: None,
            law: None,
            signer: None,
        }
    }
}

/// The login of who looks at a demonstration.
pub const DEMO: &str = "demo";

/// The state behind the routes. Clones share it.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    store: Store,
    knowledge: Arc<Knowledge>,
    clock: Arc<dyn Clock>,
    config: Config,
    limits: Limits,
    pipeline: Pipeline,
    openid: Openid,
    backups: Backups,
    guard: Guard,
    challenges: Mutex<HashMap<String, Challenge>>,
    codes: Mutex<HashMap<String, u64>>,
    /// Files that may be written at the same time.
    writing: Arc<tokio::sync::Semaphore>,
    /// Uploads that somebody looks at.
    staged: Desk,
    /// The fleet is answered for one report at a time.
    answering: Arc<tokio::sync::Semaphore>,
    /// Held while a decision with `If-Match` looks and writes.
    deciding: tokio::sync::Mutex<()>,
}

/// A password was right and a code is wanted still.
#[derive(Clone, Debug)]
pub struct Challenge {
    /// The login.
    pub login: String,
    /// Until when it is good.
    pub until: Time,
    /// Codes that may be tried.
    pub tries: u8,
}

/// Challenges that are open at the same time.
const MOST: usize = 10_000;

impl App {
    /// Puts the parts together.
    pub fn new(store: Store, knowledge: Arc<Knowledge>, clock: Arc<dyn Clock>, config: Config) -> Self {
        let guard = Guard::new(&config.sinks);
        Self(Arc::new(Inner {
            store,
            knowledge,
            clock,
            config,
            limits: Limits::default(),
            pipeline: Pipeline::default(),
            openid: Openid::default(),
            backups: Backups::default(),
            guard,
            challenges: Mutex::default(),
            codes: Mutex::default(),
            writing: Arc::new(tokio::sync::Semaphore::new(crate::download::AT_ONCE)),
            staged: Desk::default(),
            answering: Arc::new(tokio::sync::Semaphore::new(1)),
            deciding: tokio::sync::Mutex::new(()),
        }))
    }

    /// The system of record.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// The facts.
    pub fn knowledge(&self) -> &Arc<Knowledge> {
        &self.0.knowledge
    }

    /// What the program said at the start.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// The time.
    pub fn now(&self) -> Time {
        self.0.clock.now()
    }

    /// Today in UTC.
    pub fn today(&self) -> Day {
        Day::from_unix(self.now().0.div_euclid(1000)).unwrap_or(Day { year: 1970, month: 1, day: 1 })
    }

    /// The buckets.
    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Imports and recomputes.
    pub fn pipeline(&self) -> &Pipeline {
        &self.0.pipeline
    }

    pub(crate) fn openid(&self) -> &Openid {
        &self.0.openid
    }

    pub(crate) fn backups(&self) -> &Backups {
        &self.0.backups
    }

    pub(crate) fn writing(&self) -> Arc<tokio::sync::Semaphore> {
        Arc::clone(&self.0.writing)
    }

    pub(crate) fn answering(&self) -> Arc<tokio::sync::Semaphore> {
        Arc::clone(&self.0.answering)
    }

    pub(crate) fn guard(&self) -> &Guard {
        &self.0.guard
    }

    pub(crate) fn staged(&self) -> &Desk {
        &self.0.staged
    }

    pub(crate) fn deciding(&self) -> &tokio::sync::Mutex<()> {
        &self.0.deciding
    }

    /// The program itself.
    pub fn by_itself(&self) -> By<'static> {
        By { who: "umbilical", at: self.now() }
    }

    pub(crate) fn challenge(&self, key: String, challenge: Challenge) {
        let now = self.now();
        let mut all = self.0.challenges.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, c| c.until > now);
        if all.len() < MOST {
            all.insert(key, challenge);
        }
    }

    /// The challenge of a key, with one try less; `None` where there is none, or it is used up.
    pub(crate) fn try_challenge(&self, key: &str) -> Option<Challenge> {
        let now = self.now();
        let mut all = self.0.challenges.lock().unwrap_or_else(PoisonError::into_inner);
        let found = all.get_mut(key).filter(|c| c.until > now && c.tries > 0)?;
        found.tries = found.tries.saturating_sub(1);
        Some(found.clone())
    }

    pub(crate) fn end_challenge(&self, key: &str) {
        self.0.challenges.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// Notes that a step of one-time passwords was used; false where it, or a later one, was already (RFC 6238, 5.2).
    pub(crate) fn use_step(&self, person: &str, step: u64) -> bool {
        let mut all = self.0.codes.lock().unwrap_or_else(PoisonError::into_inner);
        match all.get(person) {
            Some(last) if *last >= step => false,
            _ => {
                all.insert(person.to_owned(), step);
                true
            }
        }
    }
}
