//! Contacts as by a clock: period × jitter × loss, over several transports and kinds of clocks.

use super::draw::{HEX, secured};
use super::{Cases, Draw};
use crate::scene::{Names, Talk};

const CODE: &str = "beacon";
/// Seconds.
const PERIODS: [u32; 6] = [10, 60, 300, 1800, 3600, 21_600];
/// Hundredths of the period; of all contacts.
const JITTERS: [u32; 4] = [0, 10, 25, 50];
const LOSSES: [u32; 3] = [0, 10, 30];
/// Times that each cell is drawn, and the worst one, which has a bar of its own.
const REPEATS: usize = 4;
const WORST: usize = 12;

/// Up to a quarter of jitter, up to a tenth lost.
pub(super) fn steady(d: &mut Draw, out: &mut Cases) {
    grid(d, out, REPEATS, |jitter, loss| jitter <= 25 && loss <= 10);
}

/// More of one of them.
pub(super) fn ragged(d: &mut Draw, out: &mut Cases) {
    grid(d, out, REPEATS, |jitter, loss| (jitter > 25) != (loss > 10) || jitter > 25 && loss == 10);
}

/// The most of both.
pub(super) fn worst(d: &mut Draw, out: &mut Cases) {
    grid(d, out, WORST, |jitter, loss| jitter == 50 && loss == 30);
}

fn grid(d: &mut Draw, out: &mut Cases, repeats: usize, picks: fn(u32, u32) -> bool) {
    for period in PERIODS {
        for jitter in JITTERS {
            for loss in LOSSES.into_iter().filter(|loss| picks(jitter, *loss)) {
                for n in 0..repeats {
                    let (wound, way) = (Wound::ALL[d.within(0..=3) as usize], Way::ALL[d.within(0..=4) as usize]);
                    let name = format!("{period} s, jitter {jitter} %, loss {loss} %, {wound:?}, {way:?}, {n}");
                    out.find(CODE, name, clock(d, f64::from(period), f64::from(jitter) / 100.0, f64::from(loss) / 100.0, wound, way));
                }
            }
        }
    }
}

/// How a clock is wound, as programs that report do it.
#[derive(Clone, Copy, Debug)]
enum Wound {
    /// Anew behind each contact, early or late.
    Around,
    /// Anew, early only.
    Before,
    /// Anew, late only.
    Behind,
    /// It keeps a schedule, and is late by chance within it.
    Schedule,
}

impl Wound {
    const ALL: [Self; 4] = [Self::Around, Self::Before, Self::Behind, Self::Schedule];
}

/// What a contact is made of.
#[derive(Clone, Copy, Debug)]
enum Way {
    Tls,
    /// TLS without a name.
    Nameless,
    Http,
    Tcp,
    Udp,
}

impl Way {
    const ALL: [Self; 5] = [Self::Tls, Self::Nameless, Self::Http, Self::Tcp, Self::Udp];
}

/// A day of contacts, but two hundred at most and as many as are needed to know a clock, which of the slowest are a week's.
fn clock(d: &mut Draw, period: f64, jitter: f64, loss: f64, wound: Wound, way: Way) -> Vec<Talk> {
    let contacts = ((86_400.0 / period) as usize).clamp(28, 200);
    let peer = Peer::new(d, way);
    let (mut at, mut out) = (d.between(0.0, period), Vec::new());
    for n in 0..contacts {
        let late = match wound {
            Wound::Schedule => d.between(0.0, jitter * period),
            _ => 0.0,
        };
        if !d.chance(loss) {
            out.push(peer.contact(d, at + late, 20_000 + n as u16));
        } else if d.chance(0.3) && !matches!(way, Way::Udp) {
            // Some of what is lost is tried, and nobody answers.
            out.push(Talk::silent(at + late, peer.client, peer.server, (20_000 + n as u16, peer.port)));
        }
        at += period
            * match wound {
                Wound::Around => d.between(1.0 - jitter, 1.0 + jitter),
                Wound::Before => d.between(1.0 - jitter, 1.0),
                Wound::Behind => d.between(1.0, 1.0 + jitter),
                Wound::Schedule => 1.0,
            };
    }
    out
}

/// Who reports to whom, and how much is said.
struct Peer {
    way: Way,
    client: [u8; 4],
    server: [u8; 4],
    port: u16,
    name: String,
    /// Bytes up and down, by how many each of them differs, and how often there is more to say.
    sizes: (u32, u32),
    differ: u32,
    tasks: f64,
}

impl Peer {
    fn new(d: &mut Draw, way: Way) -> Self {
        Self {
            way,
            client: d.inside(),
            server: d.outside(),
            port: match way {
                Way::Tls => 443,
                Way::Http => 80,
                Way::Nameless => d.of(&[443, 8443, 4443, 9443]),
                Way::Tcp => d.within(1025..=49_000) as u16,
                Way::Udp => d.of(&[5683, 5684, 4500, 8094, 33_001]),
            },
            name: format!("{}.{}", d.word(), d.zone()),
            sizes: (d.within(40..=600), d.within(20..=900)),
            differ: d.of(&[0, 4, 16]),
            tasks: d.of(&[0.0, 0.05, 0.1]),
        }
    }

    fn contact(&self, d: &mut Draw, at: f64, from: u16) -> Talk {
        let more = if d.chance(self.tasks) { d.within(500..=9000) } else { 0 };
        let (up, down) = (self.sizes.0 + d.within(0..=self.differ), self.sizes.1 + d.within(0..=self.differ) + more);
        let (question, answer) = (d.bytes(up), d.bytes(down));
        let ports = (from, self.port);
        match self.way {
            Way::Tls => secured(Talk::tls(at, self.client, self.server, from, &self.name), at, question, answer),
            Way::Http => {
                let (uri, agent) = (format!("/{}?id={}", self.name.len(), d.text(HEX, 8)), "agent/2".to_owned());
                let names = Names { host: self.name.clone(), uri, agent, mime: "text/plain".to_owned(), ..Names::default() };
                Talk::http(at, self.client, self.server, from, names, &answer)
            }
            Way::Nameless | Way::Tcp => Talk::asked(at, self.client, self.server, ports, question, answer),
            Way::Udp => Talk::datagrams(at, self.client, self.server, ports, question, Some(answer)),
        }
    }
}
