//! Records: conversations that somebody else has seen, from routers (NetFlow, IPFIX), Zeek and Suricata.
//!
//! Each becomes a [`Flow`](crate::flow::Flow) and takes the way that those of packets take. It says how much its source could see, so
//! that nobody takes what was not looked at for clean.

pub mod eve;
mod join;
mod json;
mod lines;
mod lookup;
pub mod netflow;
mod text;
pub mod zeek;

pub(crate) use join::Join;
pub use join::{Told, Uid};
pub use lines::{Lines, Trouble, Troubles};

use crate::flow::{Half, Key, Seen};
use crate::names::{App, Names};
use crate::time::Micros;

/// A time as RFC 3339 writes it, and those who write nearly so.
pub(crate) fn stamp(words: &str) -> Option<Micros> {
    text::stamp(words.trim().as_bytes())
}

/// A conversation as somebody else has seen it.
#[derive(Clone, Debug)]
pub struct Record {
    /// Between whom, as far as the source knows who began.
    pub key: Key,
    /// Its first packet.
    pub start: Micros,
    /// Its last.
    pub end: Micros,
    /// Line or datagram in its input.
    pub number: u64,
    /// From who began.
    pub up: Half,
    /// To who began.
    pub down: Half,
    /// What it said of itself.
    pub names: Names,
    /// What its source could see.
    pub seen: Seen,
    /// `None`: it is the whole conversation.
    pub part: Option<Part>,
}

/// A record that may be one of several of its conversation: one way of it, or a time of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The number of who wrote it: what two routers have seen is not added up.
    pub exporter: u32,
    /// When it was heard of.
    pub heard: Micros,
    /// Whether it has both ways, and who began is known.
    pub both: bool,
}

/// What Zeek (`service`) and Suricata (`app_proto`) call what is spoken; of several the first that is known here.
fn spoken(words: &str) -> Option<App> {
    words.split(',').find_map(|word| match word {
        "dns" => Some(App::Dns),
        "ssl" | "tls" => Some(App::Tls),
        "dtls" => Some(App::Dtls),
        "quic" => Some(App::Quic),
        "http" => Some(App::Http),
        "mqtt" => Some(App::Mqtt),
        "modbus" => Some(App::Modbus),
        "dnp3" | "dnp3_tcp" | "dnp3_udp" => Some(App::Dnp3),
        "bacnet" => Some(App::Bacnet),
        _ => None,
    })
}
