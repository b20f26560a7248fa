//! A server, people to ask it, and evidence to bring.

pub mod client;
pub mod evidence;
pub mod law;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use umbilical_knowledge::Knowledge;
use umbilical_store::{By, Person, Role, Sites, Store, Time, Token, TokenClass};
use umbilical_web::clock::{Clock as _, Turned};
use umbilical_web::{App, Bound, Config, Listen, Server};

pub use client::Client;

/// 2026-11-29T12:00:00Z.
pub const NOON: Time = Time(1_795_953_600_000);
pub const PASSWORD: &str = "seven quiet lamps";

/// A folder of a test, taken away when it ends.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let since = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos();
        let path = std::env::temp_dir().join(format!("umbilical-web-{}-{n}-{since}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A server under test.
pub struct World {
    pub app: App,
    pub bound: Bound,
    pub clock: Arc<Turned>,
    pub folder: Folder,
    /// The link of the first start.
    pub first: Option<String>,
    task: tokio::task::JoinHandle<()>,
}

impl World {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::on(Folder::new(), change).await
    }

    /// A server on a folder that is there.
    pub async fn on(folder: Folder, change: impl FnOnce(&mut Config)) -> Self {
        let clock = Arc::new(Turned::at(NOON));
        let store = Store::open(&folder.path().join("umbilical.db").display().to_string(), clock.now()).await.unwrap();
        let mut config = Config::new(folder.path().to_path_buf());
        config.settle = 1;
        change(&mut config);
        let knowledge = Arc::new(Knowledge::embedded());
        let app = App::new(store, knowledge, clock.clone(), config);
        let listen = Listen { address: ([127, 0, 0, 1], 0).into(), tls: None, insecure: false };
        let server = Server::bind(app.clone(), listen).await.unwrap();
        let bound = server.bound().clone();
        let first = server.first_link().await.unwrap();
        let task = tokio::spawn(async move { server.run().await.unwrap() });
        Self { app, bound, clock, folder, first, task }
    }

    pub fn client(&self) -> Client {
        Client::new(self.bound.address)
    }

    /// Adds somebody who signs in with [`PASSWORD`].
    pub async fn person(&self, login: &str, roles: &[Role], sites: Sites) -> Person {
        let person = Person {
            login: login.to_owned(),
            name: login.to_uppercase(),
            email: None,
            password: Some(hash()),
            totp: None,
            identity: None,
            roles: BTreeSet::from_iter(roles.iter().copied()),
            sites,
            subscribers: false,
            disabled: false,
            created: NOON,
        };
        self.app.store().add_person(self.by(), &person).await.unwrap();
        person
    }

    pub fn by(&self) -> By<'static> {
        By { who: "test", at: self.clock.now() }
    }

    /// A client that is signed in as a new person.
    pub async fn signed_in(&self, login: &str, roles: &[Role]) -> Client {
        self.person(login, roles, Sites::All).await;
        let client = self.client();
        client.sign_in(login, PASSWORD).await;
        client
    }

    /// A client with a session of a person.
    pub async fn session(&self, person: &Person) -> Client {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let secret = format!("test-session-number-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let until = Time(self.clock.now().0 + 3_600_000);
        self.app.store().begin_session(self.by(), person, &secret, until, "{}").await.unwrap();
        let client = self.client();
        client.set_cookie(Some(format!("umbilical={secret}")));
        client
    }

    /// A client with a token of a person.
    pub async fn token(&self, person: &Person, class: TokenClass, scopes: &[&str]) -> Client {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let secret = format!("{}test-token-number-{}", umbilical_web::TOKEN, NEXT.fetch_add(1, Ordering::Relaxed));
        let token = Token {
            id: String::new(),
            name: "test".into(),
            person: person.id(),
            class,
            scopes: scopes.iter().map(|s| (*s).to_owned()).collect(),
            sites: Sites::All,
            created: NOON,
            expires: None,
            used: None,
            revoked: None,
        };
        self.app.store().add_token(self.by(), &token, &secret).await.unwrap();
        self.client().bearer(&secret)
    }

    pub async fn settled(&self) {
        self.app.pipeline().settled().await;
    }

    /// Ends without warning, as a machine without power does; gives the folder back.
    pub async fn fall(self) -> Folder {
        self.task.abort();
        let _ = self.task.await;
        self.app.store().close().await;
        self.folder
    }

    pub async fn end(self) {
        self.bound.end();
        self.task.await.unwrap();
        self.app.store().close().await;
    }
}

/// Argon2 of [`PASSWORD`] with the least work: what is tested is not how long it takes.
fn hash() -> String {
    use argon2::password_hash::PasswordHasher as _;
    let cheap = argon2::Params::new(8, 1, 1, None).unwrap();
    let argon2 = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, cheap);
    argon2.hash_password_with_salt(PASSWORD.as_bytes(), b"salt of the tests").unwrap().to_string()
}

/// Runs a case.
pub fn run<T>(case: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(case)
}
