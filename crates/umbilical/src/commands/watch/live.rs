//! `live://INTERFACE`: what goes over an interface of this machine, which is looked at and never spoken on.
//!
//! Capturing takes a right that whoever reads packets of others must not have. Interfaces are opened first; then the right is given up
//! for good, and only then is the first packet, input or table looked at, and the first file written.
//!
//! The system keeps what was captured and not taken yet in a ring of a fixed size, and counts what no longer fits: a thread for each
//! interface empties it into a few batches, waits when none is free, and so loses nothing that nobody counts.

#[cfg(all(feature = "live", target_os = "linux"))]
mod capture;
#[cfg(all(feature = "live", target_os = "linux"))]
mod privileges;
// Its order is tested in every build.
#[cfg_attr(not(all(feature = "live", target_os = "linux")), allow(dead_code))]
mod queue;

use std::path::Path;

#[cfg(all(feature = "live", target_os = "linux"))]
pub(super) use capture::{Interface, open};
use clap::Args;
pub(super) use queue::{Batch, Due, End, Queues, Span};

use crate::fail::Fail;

/// Flags of captures.
#[derive(Args, Debug)]
pub(super) struct Flags {
    /// Capture what an expression of tcpdump says, of each live://
    #[arg(long, value_name = "EXPRESSION")]
    filter: Option<String>,
    /// Once interfaces are open, go on as somebody who has no rights; root must say it
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Capture what is sent to and by this machine alone
    #[arg(long)]
    no_promiscuous_mode: bool,
    /// Where each interface keeps what was not read yet [default: 64]
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u16).range(1..=2047))]
    buffer: Option<u16>,
}

impl Flags {
    /// One that says something of captures.
    pub fn given(&self) -> Option<&'static str> {
        let given = [
            (self.filter.is_some(), "--filter"),
            (self.user.is_some(), "--user"),
            (self.no_promiscuous_mode, "--no-promiscuous-mode"),
            (self.buffer.is_some(), "--buffer"),
        ];
        given.into_iter().find(|(given, _)| *given).map(|(_, flag)| flag)
    }
}

/// The interface of `live://INTERFACE`; `None` for what is a path.
pub(super) fn name(source: &Path) -> Option<Result<String, Fail>> {
    let name = source.to_str()?.strip_prefix("live://")?;
    Some(if name.is_empty() {
        Err(Fail::usage("live:// names no interface", "name one as `ip link` lists them: live://eth0; live://any is all of them"))
    } else {
        Ok(name.to_owned())
    })
}

/// An interface that cannot be opened by this build.
#[cfg(not(all(feature = "live", target_os = "linux")))]
pub(super) enum Interface {}

#[cfg(not(all(feature = "live", target_os = "linux")))]
impl Interface {
    pub fn name(&self) -> &str {
        match *self {}
    }

    pub fn start(self, _: usize, _: Span, _: super::listen::Send) -> (umbilical_traffic::link::Link, queue::Free) {
        match self {}
    }
}

/// Says how to build what captures.
#[cfg(not(all(feature = "live", target_os = "linux")))]
pub(super) fn open(names: &[String], _: &Flags) -> Result<Vec<Interface>, Fail> {
    match names.first() {
        None => Ok(Vec::new()),
        Some(name) => Err(Fail::usage(
            format!("live://{name} cannot be opened: this program was built without live capture"),
            format!(
                "on Linux, with libpcap's headers (Debian: libpcap-dev), build it with `cargo build --release --features live`; \
                 or let another program capture: tcpdump -i {name} -w - | umbilical watch -"
            ),
        )),
    }
}
