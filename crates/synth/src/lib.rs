//! Generators of evidence: what `lsusb`, a modem or a SIM platform would have written about invented devices.
//!
//! Used by tests, benches and the files under `examples/`; nothing of it is part of the product. Everything is a
//! function of its arguments: no clock, no environment, no random source but [`Rng`]. Subscribers are invented: the
//! test network 001/01, cards under the country code 888 that no operator has, IMEIs with low serial numbers.
//!
//! ```
//! use umbilical_synth::{listing, modem::Modem, numbers, parts};
//! let gateway = Modem { imei: numbers::imei(86_769_804, 17), ..parts::EG25_G.modem() };
//! assert!(gateway.at(true).contains("867698040000179"));
//! assert!(listing::lsusb(&[&parts::HUB, &gateway.usb]).contains("2c7c:0125"));
//! ```

pub mod attacks;
pub mod book;
pub mod examples;
pub mod gateway;
pub mod grid;
pub mod listing;
pub mod mobile;
pub mod modem;
pub mod numbers;
pub mod parts;
pub mod reports;
mod rng;
pub mod scene;
pub mod sims;
pub mod snmp;

pub use rng::Rng;
