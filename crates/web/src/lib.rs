//! Pages and API on the home: the store behind people with rights, on one machine, for a browser or a program.
//!
//! [`Server::bind`] listens; every request passes [`guard`] with its one table of [`rights`]. Handlers ask the store with the
//! asker's scope and answer with a page, a document or a [`Problem`]. Uploads go through [`ingest`]. Async stops here.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod account;
mod api;
mod app;
mod backups;
pub mod clock;
pub mod deliver;
mod download;
mod extract;
pub mod guard;
pub mod host;
pub mod ingest;
mod invite;
pub mod keeping;
pub mod law;
pub mod leave;
mod limits;
mod linger;
mod metrics;
mod openid;
pub mod packing;
mod pages;
mod password;
mod problem;
pub mod record;
mod reports;
pub mod rights;
mod secret;
mod serve;
mod staged;
mod waivers;
mod who;

pub use api::{Document, openapi};
pub use app::{App, Config, DEMO, Judge, Judging};
pub use problem::Problem;
pub use serve::{Bound, Listen, Server, Stop, Tls, router};
pub use who::TOKEN;
