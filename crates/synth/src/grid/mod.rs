//! Grids: many shapes of what a detector must find, and of what only looks like it, drawn by seed.
//!
//! A [`Case`] is a scene of its own whose truth is known. Nobody's traffic is in it, so each shape can be made as often and as hard as it
//! is wanted: periods, losses, encodings, ports and paces are drawn, names and addresses are invented. No case speaks to an address that
//! is not set apart for documents and benches (RFC 5737, RFC 2544) or for networks of one's own (RFC 1918).
//!
//! ```
//! use umbilical_synth::grid;
//! let cases = grid::cases("scan", 1);
//! assert!(cases.iter().any(|c| c.truth == Some("scan")) && cases.iter().any(|c| c.truth.is_none()));
//! ```

mod beacon;
mod dns;
mod draw;
mod echo;
mod flood;
mod fota;
mod mining;
mod names;
mod quiet;
mod scan;

pub use fota::WINDOW;

use crate::scene::Talk;
use draw::Draw;

/// A scene, and what is to be said of it.
#[derive(Clone, Debug)]
pub struct Case {
    /// The row of [`KINDS`] that it belongs to.
    pub kind: &'static str,
    /// What it is, for people.
    pub name: String,
    /// The code of the detector that must find it; `None`: nothing of its kind is there.
    pub truth: Option<&'static str>,
    /// What happens.
    pub talks: Vec<Talk>,
}

/// Gives the cases of a kind.
type Make = fn(&mut Draw, &mut Cases);

/// Each kind of cases, in the order in which they are told.
const MAKERS: &[(&str, Make)] = &[
    ("beacon", |d, out| {
        beacon::steady(d, out);
        quiet::all(d, out);
    }),
    ("beacon, ragged", beacon::ragged),
    ("beacon, worst", beacon::worst),
    ("dns-tunnel", |d, out| {
        dns::tunnels(d, out);
        names::harmless(d, out);
    }),
    ("scan", scan::all),
    ("flood", flood::all),
    ("mining", mining::all),
    ("icmp-tunnel", echo::all),
    ("fota in its window", fota::inside),
    ("fota outside of it", fota::outside),
    ("upload", fota::uploads),
];

/// The kinds that there are.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    MAKERS.iter().map(|(kind, _)| *kind)
}

/// The cases of a kind, the same for each seed; none of a kind that there is not.
pub fn cases(kind: &str, seed: u64) -> Vec<Case> {
    let Some((n, (kind, make))) = MAKERS.iter().enumerate().find(|(_, (k, _))| *k == kind) else { return Vec::new() };
    let mut out = Cases { kind, all: Vec::new() };
    make(&mut Draw::new(seed << 8 | n as u64), &mut out);
    out.all
}

/// The cases of one kind as they are made.
struct Cases {
    kind: &'static str,
    all: Vec<Case>,
}

impl Cases {
    /// What must be found.
    fn find(&mut self, truth: &'static str, name: String, talks: Vec<Talk>) {
        self.all.push(Case { kind: self.kind, name, truth: Some(truth), talks });
    }

    /// What must be left alone.
    fn spare(&mut self, name: String, talks: Vec<Talk>) {
        self.all.push(Case { kind: self.kind, name, truth: None, talks });
    }
}
