//! The trace of a small packet gateway: five modules of the utility's fleet through a morning.
//!
//! Most of them report when something happened. One comes by a clock to a cloud of its own, and one looks for controllers in the
//! plant's network: what detectors should find, and nothing else.

use crate::mobile::{Address, Frame, Kind, One, Plan, START, Session, fold, sum, udp_v4};
use crate::numbers::{imei, imsi};
use crate::rng::Rng;

/// A module of the trace: number of its SIM, type allocation code and number of its IMEI.
const MODULES: [(u64, u32, u32); 5] =
    [(417, 86_769_804, 417), (420, 35_162_610, 420), (425, 86_378_101, 425), (501, 86_758_403, 501), (31, 86_243_006, 31)];
/// The one that comes by a clock.
const CLOCK: usize = 3;
/// The one that looks for controllers.
const SEARCHER: usize = 4;
const RESOLVER: [u8; 4] = [192, 0, 2, 53];
const SCADA: ([u8; 4], &str) = ([192, 0, 2, 80], "scada.utility.test");
const CLOUD: ([u8; 4], &str) = ([198, 51, 100, 44], "device.cloud.test");
/// Seconds of the morning.
const MORNING: i64 = 6 * 3600;

/// The frames, in their order.
pub fn morning() -> Vec<Frame> {
    let plan = Plan { seed: 1, sessions: 0, loss: 0, packets: 0 };
    let (mut frames, mut sequence, mut lost) = (Vec::new(), 0, 0);
    for (n, (sim, tac, number)) in MODULES.into_iter().enumerate() {
        let ue = [10, 64, 0, 10 + n as u8];
        let session = Session { kind: Kind::Eps, imsi: imsi(sim), imei: imei(tac, number), apn: "scada.test", ue: Address::V4(ue) };
        let begin = START + n as i64 * 700_000;
        let mut one = One::calm(&plan, n as u32, begin, &session, (&mut sequence, &mut frames, &mut lost));
        one.create();
        let mut said = Said { one, ue, port: 30_000, rng: Rng::new(40 + n as u64) };
        let mut at = begin + 60_000_000;
        while at < START + MORNING * 1_000_000 {
            said.report(at, SCADA, 180);
            // Something happened, soon or after most of an hour.
            let (a, b) = (i64::from(said.rng.below(60)), i64::from(said.rng.below(60)));
            at += 15_000_000 + a * b * 1_000_000;
        }
        if n == CLOCK {
            (1..MORNING / 300).for_each(|k| said.report(begin + k * 300_000_000, CLOUD, 96));
        }
        if n == SEARCHER {
            let at = START + 4 * 3_600_000_000;
            (1..=60u8).for_each(|k| said.probe(at + i64::from(k) * 800_000, [10, 20, 0, k]));
        }
    }
    frames.sort_by_key(|f| f.at);
    frames
}

/// What a module says.
struct Said<'a> {
    one: One<'a>,
    ue: [u8; 4],
    port: u16,
    rng: Rng,
}

const SYN: u8 = 2;
const ACK: u8 = 0x10;
const PUSH: u8 = 0x18;
const FIN: u8 = 0x11;

impl Said<'_> {
    fn up(&mut self, at: i64, packet: &[u8]) {
        self.one.at = at;
        self.one.tunnel(packet, true);
    }

    fn down(&mut self, at: i64, packet: &[u8]) {
        self.one.at = at;
        self.one.tunnel(packet, false);
    }

    /// Asks for a name, connects, says something and is answered.
    fn report(&mut self, at: i64, (addr, name): ([u8; 4], &str), size: usize) {
        self.port += 1;
        let (ue, port) = (self.ue, self.port);
        let query = dns(port, name, None);
        self.up(at, &udp_v4(ue, RESOLVER, port, 53, &query));
        self.down(at + 40_000, &udp_v4(RESOLVER, ue, 53, port, &dns(port, name, Some(addr))));
        let body = vec![b'.'; size];
        let up = |flags, sequence, body: &[u8]| tcp_v4((ue, port), (addr, 8883), flags, sequence, body);
        let down = |flags, sequence, body: &[u8]| tcp_v4((addr, 8883), (ue, port), flags, sequence, body);
        let end = 101 + size as u32;
        self.up(at + 90_000, &up(SYN, 100, b""));
        self.down(at + 150_000, &down(SYN | ACK, 500, b""));
        self.up(at + 190_000, &up(ACK, 101, b""));
        self.up(at + 200_000, &up(PUSH, 101, &body));
        self.down(at + 260_000, &down(PUSH, 501, b"ok"));
        self.up(at + 300_000, &up(FIN, end, b""));
        self.down(at + 340_000, &down(FIN, 503, b""));
        self.up(at + 380_000, &up(ACK, end + 1, b""));
    }

    /// Tries the port of Modbus; nobody answers.
    fn probe(&mut self, at: i64, to: [u8; 4]) {
        self.port += 1;
        let packet = tcp_v4((self.ue, self.port), (to, 502), SYN, 7, b"");
        self.up(at, &packet);
    }
}

/// A question for the address of a name, or its answer (RFC 1035).
fn dns(id: u16, name: &str, answer: Option<[u8; 4]>) -> Vec<u8> {
    let flags: [u8; 2] = if answer.is_some() { [0x81, 0x80] } else { [1, 0] };
    let mut out = [&id.to_be_bytes()[..], &flags, &[0, 1, 0, u8::from(answer.is_some()), 0, 0, 0, 0]].concat();
    for label in name.split('.') {
        out.push(label.len() as u8);
        out.extend(label.bytes());
    }
    out.extend([0, 0, 1, 0, 1]);
    if let Some(addr) = answer {
        out.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 0x2c, 0, 4]);
        out.extend(addr);
    }
    out
}

fn tcp_v4((src, src_port): ([u8; 4], u16), (dst, dst_port): ([u8; 4], u16), flags: u8, sequence: u32, body: &[u8]) -> Vec<u8> {
    let head =
        [&src_port.to_be_bytes()[..], &dst_port.to_be_bytes(), &sequence.to_be_bytes(), &[0; 4], &[0x50, flags, 0x20, 0, 0, 0, 0, 0]];
    let mut carried = [&head.concat()[..], body].concat();
    let check = fold(sum(sum(sum(6 + carried.len() as u32, &src), &dst), &carried));
    carried[16..18].copy_from_slice(&check);
    let length = (carried.len() + 20) as u16;
    let mut out = [&[0x45, 0][..], &length.to_be_bytes(), &[0, 0, 0x40, 0, 64, 6, 0, 0], &src, &dst].concat();
    let check = fold(sum(0, &out));
    out[10..12].copy_from_slice(&check);
    [out, carried].concat()
}
