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
fn spoken(words: &[u8]) -> Option<App> {
    words.split(|byte| *byte == b',').find_map(|word| match word {
        b"dns" => Some(App::Dns),
        b"ssl" | b"tls" => Some(App::Tls),
        b"dtls" => Some(App::Dtls),
        b"quic" => Some(App::Quic),
        b"http" => Some(App::Http),
        b"mqtt" => Some(App::Mqtt),
        b"modbus" => Some(App::Modbus),
        b"dnp3" | b"dnp3_tcp" | b"dnp3_udp" => Some(App::Dnp3),
        b"bacnet" => Some(App::Bacnet),
        _ => None,
    })
}
