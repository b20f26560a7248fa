//! Places to keep a store in, and fleets to keep.

pub mod fleet;
pub mod postgres;

use std::future::Future;
use std::path::{Path, PathBuf};

use umbilical_store::{By, Store, Time};

pub const NOW: Time = Time(1_790_000_000_000);
pub const ME: By<'static> = By { who: "ana", at: NOW };

/// A folder of a test, taken away when it ends.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        // A number of a process is given again, and is another's in another container that shares the folder.
        let since = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos();
        let path = std::env::temp_dir().join(format!("umbilical-store-{name}-{}-{since}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }
    pub fn path(&self) -> &Path {
        &self.0
    }
    pub fn db(&self) -> String {
        self.0.join("umbilical.db").display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(work)
}

/// Runs a case on a new SQLite store.
pub fn on_sqlite<F: Future<Output = ()>>(name: &str, case: impl FnOnce(Store) -> F) {
    let folder = Folder::new(name);
    block_on(async {
        let store = Store::open(&folder.db(), NOW).await.unwrap();
        case(store.clone()).await;
        store.close().await;
    });
}

/// The cases of a file, each asked of a new SQLite store, and listed for PostgreSQL.
#[macro_export]
macro_rules! suite {
    ($($case:ident),* $(,)?) => {
        mod sqlite { $(#[test] fn $case() { $crate::support::on_sqlite(concat!(module_path!(), stringify!($case)).replace(':', "_").as_str(), super::$case); })* }
        pub const CASES: &[(&str, fn(umbilical_store::Store) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>>)] =
            &[$((stringify!($case), |store| Box::pin($case(store)))),*];
    };
}
