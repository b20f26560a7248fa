//! The store of a home, for commands that end: everything else here is synchronous.

use std::future::Future;
use std::path::Path;

use tokio::runtime::Runtime;
use umbilical_store::{Store, StoreError, Time};
use umbilical_web::packing::Wait;

use crate::args::Global;
use crate::fail::Fail;
use crate::home;

/// A store, and what drives it.
pub struct Stored {
    runtime: Runtime,
    /// The store.
    pub store: Store,
}

/// Where the store is: as named, or in the home.
pub fn place(global: &Global, database: Option<&str>) -> Result<String, Fail> {
    Ok(match database {
        Some(place) => place.to_owned(),
        None => home::folder(global)?.join(home::STORE).display().to_string(),
    })
}

/// What drives a store.
pub fn runtime() -> Result<Runtime, Fail> {
    let made = tokio::runtime::Builder::new_current_thread().enable_all().build();
    made.map_err(|source| Fail::Output { to: "the runtime".into(), source })
}

/// The time by this machine's clock.
pub fn now() -> Time {
    Time(home::now().saturating_mul(1000))
}

/// What a store says, as a command's end.
pub fn fail(problem: StoreError) -> Fail {
    Fail::Home { what: problem.to_string(), help: None }
}

impl Stored {
    /// Opens a store that is there. A file that is not there is not made.
    pub fn open(place: &str) -> Result<Self, Fail> {
        if !place.contains("://") && !Path::new(place).is_file() {
            return Err(Fail::Home {
                what: format!("there is no store at {place}"),
                help: Some("`umbilical serve` makes one; --database names another".into()),
            });
        }
        let runtime = runtime()?;
        let store = runtime.block_on(Store::open(place, now())).map_err(fail)?;
        Ok(Self { runtime, store })
    }

    /// Waits for an answer of the store.
    pub fn wait<T>(&self, answer: impl Future<Output = Result<T, StoreError>>) -> Result<T, Fail> {
        self.runtime.block_on(answer).map_err(fail)
    }
}

impl Wait for Stored {
    fn wait_for<T>(&self, answer: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        self.runtime.block_on(answer)
    }
}

impl Drop for Stored {
    fn drop(&mut self) {
        self.runtime.block_on(self.store.close());
    }
}
