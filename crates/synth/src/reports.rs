//! Traces of the outside of a gateway: what it reports of sessions over RADIUS and Diameter, and what modules say without a tunnel.
//!
//! As in [`mobile`](crate::mobile) the truth is drawn first. Addresses are used again by other SIMs as soon as they are free, and last
//! reports may be lost.

use crate::mobile::{Frame, START, What, ethernet, fold, sum, udp_v4, udp_v6};
use crate::{Rng, numbers};

/// How a session is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Admission and accounting of RADIUS.
    Radius,
    /// Credit control of Diameter over TCP, for policy and for charging: messages in two segments, and two in one.
    Tcp,
    /// The same over SCTP, in pieces and whole.
    Sctp,
}

/// A session as it truly is.
#[derive(Clone, Debug)]
pub struct Session {
    /// How it is reported.
    pub how: How,
    /// Its SIM.
    pub imsi: String,
    /// Its module, with the version of its software.
    pub imeisv: String,
    /// Its telephone number.
    pub msisdn: String,
    /// Its network.
    pub apn: &'static str,
    /// Its address.
    pub ue: [u8; 4],
    /// The first bytes of its prefix, of 64 bits.
    pub prefix: Option<[u8; 8]>,
}

/// What a trace is made of.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Everything follows from it.
    pub seed: u64,
    /// Sessions, one behind another.
    pub sessions: u32,
    /// Last reports that are lost, of a thousand.
    pub lost: u32,
    /// Packets of each.
    pub packets: u32,
}

/// A trace with its truth.
#[derive(Clone, Debug)]
pub struct Trace {
    /// Every session.
    pub sessions: Vec<Session>,
    /// Every frame, in its order.
    pub frames: Vec<Frame>,
}

const GATEWAY: [u8; 4] = [10, 3, 0, 2];
const SERVER: [u8; 4] = [10, 4, 0, 1];
const APNS: [&str; 3] = ["iot.example", "meters", "private.grid"];

/// A trace of a plan.
pub fn trace(plan: &Plan) -> Trace {
    let mut rng = Rng::new(plan.seed);
    let mut out = Trace { sessions: Vec::new(), frames: Vec::new() };
    let mut at = START;
    for n in 0..plan.sessions {
        // Three addresses for all of them.
        let which = (n % 3) as u8;
        let session = Session {
            how: [How::Radius, How::Tcp, How::Sctp][rng.below(3) as usize],
            imsi: format!("00101{:010}", u64::from(n) * 11 + 3),
            imeisv: format!("{}07", &numbers::imei(86_769_804, n + 1)[..14]),
            msisdn: format!("88299{n:07}"),
            apn: APNS[n as usize % APNS.len()],
            ue: [10, 200, 0, which + 1],
            prefix: (rng.below(2) == 0).then_some([0x20, 1, 0xd, 0xb8, 0x0c, 0, 0, which]),
        };
        let lost = rng.below(1000) < plan.lost;
        let one = One { session: &session, index: n, at, port: 20_000 + n as u16, sequence: [1, 1], frames: &mut out.frames };
        at = one.write(plan.packets, lost);
        out.sessions.push(session);
    }
    out
}

struct One<'a> {
    session: &'a Session,
    index: u32,
    at: i64,
    port: u16,
    /// The next numbers of either way: of bytes in TCP, of pieces in SCTP.
    sequence: [u32; 2],
    frames: &'a mut Vec<Frame>,
}

impl One<'_> {
    fn write(mut self, packets: u32, lost: bool) -> i64 {
        self.report(1);
        self.user(packets / 2);
        self.report(2);
        self.user(packets - packets / 2);
        if !lost {
            self.report(3);
        }
        self.at
    }

    fn push(&mut self, bytes: &[u8], what: What) {
        self.at += 1500;
        self.frames.push(Frame { at: self.at, session: self.index, what, bytes: ethernet(bytes) });
    }

    fn signal(&mut self, packet: &[u8], named: bool) {
        self.push(packet, What::Signal { tokens: Vec::new(), named });
    }

    /// The first (1), another (2) or the last (3) report.
    fn report(&mut self, which: u8) {
        match self.session.how {
            How::Radius => self.radius(which),
            How::Tcp => self.tcp(which),
            How::Sctp => self.sctp(which),
        }
    }

    fn radius(&mut self, which: u8) {
        let s = self.session;
        let who =
            [pair(31, s.msisdn.as_bytes()), pair(30, s.apn.as_bytes()), vendor(1, s.imsi.as_bytes()), vendor(20, s.imeisv.as_bytes())];
        let mut got = pair(8, &s.ue);
        if let Some(prefix) = s.prefix {
            got.extend(pair(97, &[&[0, 64][..], &prefix].concat()));
        }
        let id = (self.index * 4) as u8 + which;
        if which == 1 {
            let asks = radius(1, id - 1, &[&who.concat()[..], &pair(61, &[0, 0, 0, 18])].concat());
            self.signal(&udp_v4(GATEWAY, SERVER, self.port, 1812, &asks), true);
            self.signal(&udp_v4(SERVER, GATEWAY, 1812, self.port, &radius(2, id - 1, &got)), false);
        }
        let kind = [0, 1, 3, 2][usize::from(which)];
        let name = format!("{:08x}", self.index);
        let more = [pair(40, &[0, 0, 0, kind]), pair(44, name.as_bytes()), vendor(21, &[6])].concat();
        let body = [&who.concat()[..], &got, &more].concat();
        self.signal(&udp_v4(GATEWAY, SERVER, self.port, 1813, &radius(4, id, &body)), true);
        self.signal(&udp_v4(SERVER, GATEWAY, 1813, self.port, &radius(5, id, &[])), false);
    }

    /// A request of credit control, for policy (Gx) or for charging (Gy).
    fn request(&self, application: u32, which: u8) -> Vec<u8> {
        let s = self.session;
        let mut body = self.head(application, which);
        body.extend(avp(443, &[avp(450, &[0, 0, 0, 1]), avp(444, s.imsi.as_bytes())].concat()));
        body.extend(avp(443, &[avp(450, &[0, 0, 0, 0]), avp(444, s.msisdn.as_bytes())].concat()));
        body.extend(avp(458, &[avp(459, &[0, 0, 0, 0]), avp(460, s.imeisv.as_bytes())].concat()));
        body.extend(avp(30, s.apn.as_bytes()));
        body.extend(avp(8, &s.ue));
        if let Some(prefix) = s.prefix {
            body.extend(avp(97, &[&[0, 64][..], &prefix].concat()));
        }
        body.extend(avp_of_3gpp(1032, &1004u32.to_be_bytes()));
        diameter(0xc0, application, self.hop(application, which), &body)
    }

    fn answer(&self, application: u32, which: u8) -> Vec<u8> {
        let body = [self.head(application, which), avp(268, &2001u32.to_be_bytes())].concat();
        diameter(0x40, application, self.hop(application, which), &body)
    }

    fn hop(&self, application: u32, which: u8) -> u32 {
        self.index * 8 + u32::from(which) + if application == GX { 0 } else { 4 }
    }

    fn head(&self, application: u32, which: u8) -> Vec<u8> {
        let name = format!("gw.example;{application};{}", self.index);
        let mut body = avp(263, name.as_bytes());
        body.extend(avp(264, b"gw.example"));
        body.extend(avp(296, b"example"));
        body.extend(avp(283, b"example"));
        body.extend(avp(258, &application.to_be_bytes()));
        body.extend(avp(416, &u32::from(which).to_be_bytes()));
        body.extend(avp(415, &u32::from(which - 1).to_be_bytes()));
        body
    }

    fn tcp(&mut self, which: u8) {
        if which == 1 {
            self.segment(true, 0x02, &[]);
            self.segment(false, 0x12, &[]);
        }
        let (policy, charging) = (self.request(GX, which), self.request(GY, which));
        match self.index % 3 {
            // Both in one segment; each whole; one over two, cut in its head or later.
            0 => self.segment(true, 0x18, &[policy, charging].concat()),
            1 => [policy, charging].iter().for_each(|m| self.segment(true, 0x18, m)),
            _ => {
                let both = [policy, charging].concat();
                let at = if self.index.is_multiple_of(2) { both.len() / 2 + 4 } else { 40 };
                self.segment(true, 0x18, &both[..at]);
                self.segment(true, 0x18, &both[at..]);
            }
        }
        let answers = [self.answer(GX, which), self.answer(GY, which)].concat();
        self.segment(false, 0x18, &answers);
    }

    fn segment(&mut self, up: bool, flags: u8, body: &[u8]) {
        let (from, to) = if up { (GATEWAY, SERVER) } else { (SERVER, GATEWAY) };
        let (src, dst) = if up { (self.port, 3868) } else { (3868, self.port) };
        let [ours, theirs] = if up { self.sequence } else { [self.sequence[1], self.sequence[0]] };
        let head = [&src.to_be_bytes()[..], &dst.to_be_bytes(), &ours.to_be_bytes(), &theirs.to_be_bytes(), &[0x50, flags, 0x20, 0]];
        let mut carried = [&head.concat()[..], &[0; 4], body].concat();
        let check = fold(sum(sum(sum(6 + carried.len() as u32, &from), &to), &carried));
        carried[16..18].copy_from_slice(&check);
        self.sequence[usize::from(!up)] += body.len() as u32 + u32::from(flags & 2 != 0);
        self.signal(&ip(from, to, 6, &carried), true);
    }

    fn sctp(&mut self, which: u8) {
        for message in [self.request(GX, which), self.request(GY, which)] {
            if self.index.is_multiple_of(2) {
                self.chunk(3, true, &message);
            } else {
                let (first, last) = message.split_at(100);
                self.chunk(2, true, first);
                self.chunk(1, true, last);
            }
        }
        let answer = self.answer(GX, which);
        self.chunk(3, false, &answer);
    }

    fn chunk(&mut self, flags: u8, up: bool, body: &[u8]) {
        let (from, to) = if up { (GATEWAY, SERVER) } else { (SERVER, GATEWAY) };
        let (src, dst) = if up { (self.port, 3868u16) } else { (3868, self.port) };
        let number = &mut self.sequence[usize::from(!up)];
        let head =
            [&[0, flags][..], &(body.len() as u16 + 16).to_be_bytes(), &number.to_be_bytes(), &[0; 4], &46u32.to_be_bytes()].concat();
        *number += 1;
        let filled = [0; 4];
        let chunk = [&head[..], body, &filled[..body.len().wrapping_neg() & 3]].concat();
        // The checksum is left out: nobody here asks for it.
        self.signal(&ip(from, to, 132, &[&src.to_be_bytes()[..], &dst.to_be_bytes(), &[0, 0, 0, 9, 0, 0, 0, 0], &chunk].concat()), true);
    }

    fn user(&mut self, packets: u32) {
        for n in 0..packets {
            let up = n % 2 == 0;
            let ports = if up { (40_000, 5684) } else { (5684, 40_000) };
            let bytes = match self.session.prefix {
                Some(prefix) if n % 4 > 1 => {
                    let mut own = [0; 16];
                    own[..8].copy_from_slice(&prefix);
                    own[15] = 7;
                    let other = [0x20, 0x01, 0x0d, 0xb8, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10];
                    let (src, dst) = if up { (own, other) } else { (other, own) };
                    udp_v6(src, dst, ports.0, ports.1, b"hello")
                }
                _ => {
                    let (src, dst) = if up { (self.session.ue, [192, 0, 2, 10]) } else { ([192, 0, 2, 10], self.session.ue) };
                    udp_v4(src, dst, ports.0, ports.1, b"hello")
                }
            };
            self.push(&bytes, What::User { token: String::new(), up });
        }
    }
}

/// A frame in which a gateway reports over RADIUS that a session started.
pub fn started(imsi: &str, msisdn: &str, apn: &str, ue: [u8; 4], number: u32) -> Vec<u8> {
    let name = format!("{number:08x}");
    let body = [
        pair(40, &[0, 0, 0, 1]),
        pair(44, name.as_bytes()),
        pair(8, &ue),
        pair(31, msisdn.as_bytes()),
        pair(30, apn.as_bytes()),
        vendor(1, imsi.as_bytes()),
    ];
    ethernet(&udp_v4(GATEWAY, SERVER, 30_000, 1813, &radius(4, number as u8, &body.concat())))
}

const GX: u32 = 16_777_238;
const GY: u32 = 4;

fn ip(src: [u8; 4], dst: [u8; 4], proto: u8, carried: &[u8]) -> Vec<u8> {
    let length = (carried.len() + 20) as u16;
    let mut head = [&[0x45, 0][..], &length.to_be_bytes(), &[0, 0, 0x40, 0, 64, proto, 0, 0], &src, &dst].concat();
    let check = fold(sum(0, &head));
    head[10..12].copy_from_slice(&check);
    [&head[..], carried].concat()
}

fn pair(kind: u8, value: &[u8]) -> Vec<u8> {
    [&[kind, value.len() as u8 + 2][..], value].concat()
}

fn vendor(kind: u8, value: &[u8]) -> Vec<u8> {
    pair(26, &[&10415u32.to_be_bytes()[..], &pair(kind, value)].concat())
}

fn radius(code: u8, id: u8, body: &[u8]) -> Vec<u8> {
    [&[code, id][..], &(body.len() as u16 + 20).to_be_bytes(), &[0; 16], body].concat()
}

fn avp(code: u32, value: &[u8]) -> Vec<u8> {
    let length = value.len() as u32 + 8;
    let filled = [0; 4];
    [&code.to_be_bytes()[..], &[0x40], &length.to_be_bytes()[1..], value, &filled[..value.len().wrapping_neg() & 3]].concat()
}

fn avp_of_3gpp(code: u32, value: &[u8]) -> Vec<u8> {
    let length = value.len() as u32 + 12;
    let filled = [0; 4];
    let head = [&code.to_be_bytes()[..], &[0xc0], &length.to_be_bytes()[1..], &10415u32.to_be_bytes()].concat();
    [&head[..], value, &filled[..value.len().wrapping_neg() & 3]].concat()
}

fn diameter(flags: u8, application: u32, hop: u32, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u32 + 20).to_be_bytes();
    [&[1][..], &length[1..], &[flags, 0, 1, 16], &application.to_be_bytes(), &hop.to_be_bytes(), &hop.to_be_bytes(), body].concat()
}
