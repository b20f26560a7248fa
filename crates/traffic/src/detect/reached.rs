//! `reached-from-outside`: a module that answers whoever calls it from the Internet.
//!
//! One finding is one port of one module. What calls is named by how many it were: where anybody reaches in, everybody will.

use hashbrown::{HashMap, HashSet};
use umbilical_core::finding::Severity;
use umbilical_core::observation::Basis;

use super::{About, Alert, Detector, Ends, Given, Hears, Reason, Span, Subject, Tally, Term, Trace, is_inside};
use crate::cellular::sessions::Id;
use crate::flow::{Event, Flow, Seen};
use crate::names::{App, Words};
use crate::packet::{Addr, Flags, proto};

const ABOUT: About =
    About { code: "reached-from-outside", version: 2, needs: "sessions, and whether a conversation was answered", basis: Basis::Observed };

/// Ports of modules at once.
const PORTS: usize = 1 << 16;
/// Ports and peers of modules that are kept.
const SPOKE: usize = 1 << 18;
/// Callers that are told apart.
const CALLERS: usize = 256;
/// Callers that are named.
const NAMED: usize = 8;
/// Ports at which a device is signed in to or commanded (IANA): FTP, SSH, telnet, SNMP, Modbus, RDP, VNC, ADB, TR-069, DNP3, IEC 104.
const SIGN_IN: [u16; 14] = [21, 22, 23, 161, 502, 2323, 2404, 3389, 4840, 5555, 5900, 7547, 20000, 47808];

#[derive(Clone, Debug)]
struct Reached {
    callers: HashSet<Addr>,
    /// Whether there were others.
    more: bool,
    bytes: u64,
    app: Option<App>,
    span: Span,
}

/// See above.
#[derive(Clone, Debug, Default)]
pub(super) struct FromOutside {
    ports: HashMap<(Id, u8, u16), Reached>,
    /// Ports of modules from which they spoke themselves with somebody: what comes back later is an answer, however late.
    spoke: HashSet<(Id, u16, Addr)>,
    tally: Tally,
}

impl FromOutside {
    fn end(&mut self, flow: &Flow) {
        let Some(id) = flow.session else { return };
        if !flow.inbound && flow.key.proto == proto::UDP && is_public(flow.key.server) {
            if self.spoke.len() >= SPOKE {
                self.tally.forgotten = self.tally.forgotten.saturating_add(self.spoke.len() as u64);
                self.spoke.clear();
            }
            self.spoke.insert((id, flow.key.client_port, flow.key.server));
        }
        // Of TCP that goes on after a pause the other end may be the first to speak; who calls says SYN.
        let calls = match flow.key.proto {
            proto::TCP => !flow.seen.has(Seen::FLAGS) || flow.up.flags.has(Flags::SYN),
            _ => !self.spoke.contains(&(id, flow.key.server_port, flow.key.client)),
        };
        if !flow.inbound || !is_public(flow.key.client) || !calls {
            return;
        }
        // An echo that is answered says that the address is in use, and nothing more.
        if !matches!(flow.key.proto, proto::TCP | proto::UDP | proto::SCTP) {
            return;
        }
        let Some(answered) = flow.answered() else {
            self.tally.blind = self.tally.blind.saturating_add(1);
            return;
        };
        self.tally.judged = self.tally.judged.saturating_add(1);
        if !answered {
            return;
        }
        let key = (id, flow.key.proto, flow.key.server_port);
        if self.ports.len() >= PORTS && !self.ports.contains_key(&key) {
            self.tally.forgotten = self.tally.forgotten.saturating_add(1);
            return;
        }
        let reached = self.ports.entry(key).or_insert_with(|| Reached {
            callers: HashSet::new(),
            more: false,
            bytes: 0,
            app: None,
            span: Span::new(flow),
        });
        reached.bytes = reached.bytes.saturating_add(flow.down.bytes);
        reached.app = reached.app.or(flow.names.app);
        reached.span.ends(flow);
        if reached.callers.len() < CALLERS {
            reached.callers.insert(flow.key.client);
        } else {
            reached.more |= !reached.callers.contains(&flow.key.client);
        }
    }
}

/// The first of them by number.
fn callers(reached: &Reached) -> String {
    let mut all: Vec<Addr> = reached.callers.iter().copied().collect();
    all.sort_unstable();
    let named: Vec<String> = all.iter().take(NAMED).map(|addr| addr.ip().to_string()).collect();
    let more = if reached.more || all.len() > NAMED { " and others" } else { "" };
    format!("It was called by {}{more}", named.join(", "))
}

/// Whether anybody on the Internet may have it.
fn is_public(addr: Addr) -> bool {
    match addr.ip() {
        std::net::IpAddr::V4(ip) => !(is_inside(addr) || ip.is_link_local() || ip.is_unspecified() || ip.is_multicast()),
        std::net::IpAddr::V6(ip) => matches!(ip.segments(), [0x2000..=0x3fff, ..]),
    }
}

impl Detector for FromOutside {
    fn hears(&self) -> Hears {
        Hears::END
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn see(&mut self, event: &Event<'_>, _: &Given, _: &Words) {
        if let Event::End(flow, _) = event {
            self.end(flow);
        }
    }

    fn copy(&self) -> Option<Box<dyn Detector>> {
        Some(Box::new(self.clone()))
    }

    fn found(&self, _: &Given, _: Trace<'_>) -> Vec<Alert> {
        let alert = |((id, number, port), reached): (&(Id, u8, u16), &Reached)| {
            let transport = match *number {
                proto::TCP => "TCP",
                proto::UDP => "UDP",
                _ => "SCTP",
            };
            let industrial = reached.app.is_some_and(App::is_industrial);
            let many = if reached.more { " and more" } else { "" };
            let speaks = reached.app.map_or(String::new(), |app| format!(", {}", app.name()));
            Alert {
                about: &ABOUT,
                subject: Subject::Session(*id),
                peer: Some(format!("{transport} port {port}")),
                ends: Ends::of(&reached.callers, reached.more),
                severity: if industrial || SIGN_IN.contains(port) { Severity::High } else { Severity::Medium },
                score: 1.0,
                terms: vec![Term { term: "callers", value: reached.callers.len() as f64, threshold: 1.0 }],
                reason: Reason {
                    did: format!(
                        "answered {}{many} addresses of the Internet that called its {transport} port {port}{speaks}: {} conversations, {} bytes given",
                        reached.callers.len(),
                        reached.span.flows,
                        reached.bytes
                    ),
                    more: vec![callers(reached)],
                    remedies: vec![
                        "Have the operator give the module an address that nobody outside reaches (a private network, no calls from outside)".to_owned(),
                        "Close the port on the device, or let only your own addresses call it".to_owned(),
                    ],
                    clears_when: "Nobody outside is answered any more, or whoever calls is written down as expected".to_owned(),
                    stake: None,
                },
                threats: &["surveillance", "disruption"],
                first: reached.span.first,
                at: reached.span.first,
                last: reached.span.last,
                flows: reached.span.flows,
                frames: reached.span.frames,
            }
        };
        self.ports.iter().map(alert).collect()
    }

    fn tally(&self, _: &Given, _: Trace<'_>) -> Tally {
        self.tally
    }
}
