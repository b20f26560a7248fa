//! Traces of a mobile core: sessions set up, moved, ended and begun again by signalling, and what the modules send meanwhile.
//!
//! The truth is drawn first, then encoded: every message and packet knows whose it is before there is a byte of it. Losses are drawn
//! for each message, and numbers of tunnels and addresses are used again by later sessions.

use crate::{Rng, numbers};

/// How a session is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// PDP context over GTPv1-C (Gn).
    Pdp,
    /// EPS bearer over GTPv2-C (S11).
    Eps,
    /// PDU session over PFCP (N4), with the user's identity.
    Pdu,
    /// The same without.
    Nameless,
}

/// What a trace is made of.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Everything follows from it.
    pub seed: u64,
    /// Sessions.
    pub sessions: u32,
    /// Messages that are lost, of a thousand.
    pub loss: u32,
    /// User packets of each session.
    pub packets: u32,
}

/// A session as it truly is.
#[derive(Clone, Debug)]
pub struct Session {
    /// How it is set up.
    pub kind: Kind,
    /// Its SIM.
    pub imsi: String,
    /// Its module.
    pub imei: String,
    /// Its network.
    pub apn: &'static str,
    /// Its address; of IPv6 the first of its prefix.
    pub ue: Address,
}

/// An address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    /// IPv4.
    V4([u8; 4]),
    /// IPv6.
    V6([u8; 16]),
}

/// What a frame is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Signalling, with the tokens that tie it to others of its session.
    Signal {
        /// Numbers and ends that it names or is sent to: what two messages share makes them speak of the same.
        tokens: Vec<String>,
        /// Whether it names the SIM.
        named: bool,
    },
    /// A packet of the module, in the tunnel of this token.
    User {
        /// The end that receives it.
        token: String,
        /// Whether it comes from the module.
        up: bool,
    },
}

/// A frame of the trace.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Microseconds since 1970.
    pub at: i64,
    /// The session it is of.
    pub session: u32,
    /// What it is.
    pub what: What,
    /// Its bytes, from Ethernet on.
    pub bytes: Vec<u8>,
}

/// A trace with its truth.
#[derive(Clone, Debug)]
pub struct Trace {
    /// Every session.
    pub sessions: Vec<Session>,
    /// Every frame that was not lost, in its order.
    pub frames: Vec<Frame>,
    /// Messages that were lost.
    pub lost: u32,
}

pub(crate) const START: i64 = 1_793_500_000_000_000;
const APNS: [&str; 4] = ["iot.example", "meters", "internet", "private.grid"];
const RADIO: [[u8; 4]; 3] = [[10, 1, 0, 1], [10, 1, 0, 2], [10, 1, 0, 3]];
const MOBILITY: [u8; 4] = [10, 2, 0, 1];
const GATEWAY: [u8; 4] = [10, 3, 0, 1];
const GATEWAY_CONTROL: [u8; 4] = [10, 3, 0, 2];

/// Numbers that are used again, the one that has been free for longest first.
struct Pool {
    free: std::collections::VecDeque<(u32, i64)>,
    next: u32,
}

impl Pool {
    fn new() -> Self {
        Self { free: std::collections::VecDeque::new(), next: 1 }
    }

    fn take(&mut self, at: i64) -> u32 {
        if self.free.front().is_some_and(|(_, since)| *since < at) {
            return self.free.pop_front().map_or(0, |(n, _)| n);
        }
        self.next += 1;
        self.next - 1
    }

    /// Any of those that are free, as addresses are given.
    fn any(&mut self, at: i64, rng: &mut Rng) -> u32 {
        let free = self.free.iter().take_while(|(_, since)| *since < at).count() as u32;
        if free > 64 {
            let which = rng.below(free) as usize;
            return self.free.remove(which).map_or(0, |(n, _)| n);
        }
        self.next += 1;
        self.next - 1
    }

    fn give(&mut self, n: u32, at: i64) {
        self.free.push_back((n, at));
    }
}

/// A trace of a plan.
pub fn trace(plan: &Plan) -> Trace {
    let mut rng = Rng::new(plan.seed);
    let mut out = Trace { sessions: Vec::new(), frames: Vec::new(), lost: 0 };
    let (mut radio, mut core, mut control, mut ues) = (Pool::new(), Pool::new(), Pool::new(), Pool::new());
    let mut sequence = 0u32;
    for n in 0..plan.sessions {
        let begin = START + i64::from(n) * 20_000 + i64::from(rng.below(10_000));
        let kind = *rng.pick(&[Kind::Pdp, Kind::Eps, Kind::Eps, Kind::Pdu, Kind::Pdu, Kind::Nameless]);
        let ue = ues.any(begin, &mut rng);
        let v6 = kind != Kind::Pdp && rng.below(4) == 0;
        let [_, _, high, low] = ue.to_be_bytes();
        let session = Session {
            kind,
            imsi: format!("00101{:010}", n / 2 * 7 + 1),
            imei: numbers::imei(86_769_804, n / 2),
            apn: APNS[n as usize % APNS.len()],
            ue: if v6 {
                let mut bytes = [0x20, 0x01, 0x0d, 0xb8, 0, 0, high, low, 0, 0, 0, 0, 0, 0, 0, 1];
                bytes[5] = ue.to_be_bytes()[1];
                Address::V6(bytes)
            } else {
                Address::V4([10, 100 + ue.to_be_bytes()[1] % 100, high, low])
            },
        };
        let mut one = One {
            plan,
            rng: Rng::new(rng.bits()),
            index: n,
            at: begin,
            sequence: &mut sequence,
            session: &session,
            radio_at: *rng.pick(&RADIO),
            radio: radio.take(begin),
            core: core.take(begin),
            asker: control.take(begin),
            asked: control.take(begin),
            frames: &mut out.frames,
            lost: &mut out.lost,
        };
        one.create();
        let half = plan.packets / 2;
        one.user(half);
        // The module moves to another cell.
        let moved = radio.take(begin);
        let (old, old_at) = (one.radio, one.radio_at);
        one.radio = moved;
        one.radio_at = *one.rng.pick(&RADIO);
        one.modify();
        one.user(plan.packets - half);
        one.delete();
        let (end, used) = (one.at, [one.core, one.asker, one.asked]);
        let _ = old_at;
        radio.give(old, end);
        radio.give(moved, end);
        core.give(used[0], end);
        control.give(used[1], end);
        control.give(used[2], end);
        ues.give(ue, end);
        out.sessions.push(session);
    }
    out.frames.sort_by_key(|f| f.at);
    out
}

/// A session being written.
pub(crate) struct One<'a> {
    plan: &'a Plan,
    rng: Rng,
    index: u32,
    pub(crate) at: i64,
    sequence: &'a mut u32,
    session: &'a Session,
    radio_at: [u8; 4],
    radio: u32,
    core: u32,
    asker: u32,
    asked: u32,
    frames: &'a mut Vec<Frame>,
    lost: &'a mut u32,
}

fn end(at: [u8; 4], teid: u32) -> String {
    format!("end {at:?} {teid}")
}

impl<'a> One<'a> {
    /// A session that nothing is lost of; `index` keeps its numbers apart from others'.
    pub(crate) fn calm(
        plan: &'a Plan,
        index: u32,
        at: i64,
        session: &'a Session,
        rest: (&'a mut u32, &'a mut Vec<Frame>, &'a mut u32),
    ) -> Self {
        let (sequence, frames, lost) = rest;
        let number = index * 4 + 1;
        let (radio, core, asker, asked) = (number, number + 1, number + 2, number + 3);
        Self {
            plan,
            rng: Rng::new(index.into()),
            index,
            at,
            sequence,
            session,
            radio_at: RADIO[0],
            radio,
            core,
            asker,
            asked,
            frames,
            lost,
        }
    }

    fn later(&mut self, most: u32) {
        self.at += 1000 + i64::from(self.rng.below(most));
    }

    /// A message, unless it is lost.
    fn signal(&mut self, from: [u8; 4], to: [u8; 4], port: u16, body: &[u8], tokens: Vec<String>, named: bool) {
        self.later(3000);
        if self.rng.below(1000) < self.plan.loss {
            *self.lost += 1;
            return;
        }
        let bytes = ethernet(&udp_v4(from, to, port, port, body));
        self.frames.push(Frame { at: self.at, session: self.index, what: What::Signal { tokens, named }, bytes });
    }

    fn next_sequence(&mut self) -> u32 {
        *self.sequence += 1;
        *self.sequence
    }

    fn token_of_control(&self, number: u32, at: [u8; 4]) -> String {
        format!("control {:?} {at:?} {number}", self.session.kind == Kind::Pdp)
    }

    pub(crate) fn create(&mut self) {
        let sequence = self.next_sequence();
        let question = format!("sequence {sequence}");
        let (radio, core) = (end(self.radio_at, self.radio), end(GATEWAY, self.core));
        let (asker, asked) = (self.token_of_control(self.asker, MOBILITY), self.token_of_control(self.asked, GATEWAY_CONTROL));
        let s = self.session;
        match s.kind {
            Kind::Pdp => {
                let mut body = tv(2, &bcd(&s.imsi, 8));
                body.extend(tv(16, &self.radio.to_be_bytes()));
                body.extend(tv(17, &self.asker.to_be_bytes()));
                body.extend(tv(20, &[5]));
                body.extend(tlv(128, &[0xf1, 0x21]));
                body.extend(tlv(131, &labels(s.apn)));
                body.extend(tlv(133, &MOBILITY));
                body.extend(tlv(133, &self.radio_at));
                body.extend(tlv(154, &bcd(&s.imei, 8)));
                self.signal(
                    MOBILITY,
                    GATEWAY_CONTROL,
                    2123,
                    &gtp1(16, 0, sequence, &body),
                    vec![question.clone(), radio, asker.clone()],
                    true,
                );
                let mut body = tv(1, &[128]);
                body.extend(tv(16, &self.core.to_be_bytes()));
                body.extend(tv(17, &self.asked.to_be_bytes()));
                if let Address::V4(ue) = s.ue {
                    body.extend(tlv(128, &[&[0xf1, 0x21][..], &ue].concat()));
                }
                body.extend(tlv(133, &GATEWAY_CONTROL));
                body.extend(tlv(133, &GATEWAY));
                let message = gtp1(17, self.asker, sequence, &body);
                self.signal(GATEWAY_CONTROL, MOBILITY, 2123, &message, vec![question, core, asked, asker], false);
            }
            Kind::Eps => {
                let mut body = ie2(1, 0, &bcd(&s.imsi, 8));
                body.extend(ie2(75, 0, &bcd(&s.imei, 8)));
                body.extend(ie2(87, 0, &f_teid(10, self.asker, MOBILITY)));
                body.extend(ie2(71, 0, &labels(s.apn)));
                body.extend(ie2(93, 0, &ie2(73, 0, &[5])));
                self.signal(
                    MOBILITY,
                    GATEWAY_CONTROL,
                    2123,
                    &gtp2(32, Some(0), sequence, &body),
                    vec![question.clone(), asker.clone()],
                    true,
                );
                let mut body = ie2(2, 0, &[16, 0]);
                body.extend(ie2(87, 0, &f_teid(11, self.asked, GATEWAY_CONTROL)));
                body.extend(ie2(79, 0, &paa(s.ue)));
                body.extend(ie2(93, 0, &[ie2(73, 0, &[5]), ie2(87, 0, &f_teid(1, self.core, GATEWAY))].concat()));
                let message = gtp2(33, Some(self.asker), sequence, &body);
                self.signal(GATEWAY_CONTROL, MOBILITY, 2123, &message, vec![question, core, asked, asker], false);
                self.modify();
            }
            Kind::Pdu | Kind::Nameless => {
                let detect =
                    [ie4(20, &[0]), ie4(21, &f_teid_n4(self.core, GATEWAY)), ie4(22, &labels(s.apn)), ie4(93, &ue_n4(s.ue))].concat();
                let forward = ie4(4, &[ie4(42, &[0]), ie4(84, &outer(self.radio, self.radio_at))].concat());
                let mut body = ie4(57, &f_seid(self.asker, MOBILITY));
                body.extend(ie4(1, &[ie4(56, &[0, 1]), ie4(2, &detect)].concat()));
                body.extend(ie4(3, &[ie4(108, &[0, 0, 0, 2]), forward].concat()));
                body.extend(ie4(159, &labels(s.apn)));
                let named = s.kind == Kind::Pdu;
                if named {
                    let (imsi, imei) = (bcd(&s.imsi, 8), bcd(&s.imei, 8));
                    body.extend(ie4(141, &[&[3, 8][..], &imsi, &[8], &imei].concat()));
                }
                let tokens = vec![question.clone(), asker.clone(), radio, core];
                self.signal(MOBILITY, GATEWAY_CONTROL, 8805, &pfcp(50, 0, sequence, &body), tokens, named);
                let body = [ie4(19, &[1]), ie4(57, &f_seid(self.asked, GATEWAY_CONTROL))].concat();
                let message = pfcp(51, self.asker, sequence, &body);
                self.signal(GATEWAY_CONTROL, MOBILITY, 8805, &message, vec![question, asked, asker], false);
            }
        }
    }

    /// The end at the radio is said, or another.
    fn modify(&mut self) {
        let sequence = self.next_sequence();
        let question = format!("sequence {sequence}");
        let radio = end(self.radio_at, self.radio);
        let (asker, asked) = (self.token_of_control(self.asker, MOBILITY), self.token_of_control(self.asked, GATEWAY_CONTROL));
        let (request, answer, port) = match self.session.kind {
            Kind::Pdp => {
                let mut body = tv(16, &self.radio.to_be_bytes());
                body.extend(tv(17, &self.asker.to_be_bytes()));
                body.extend(tv(20, &[5]));
                body.extend(tlv(133, &MOBILITY));
                body.extend(tlv(133, &self.radio_at));
                (gtp1(18, self.asked, sequence, &body), gtp1(19, self.asker, sequence, &tv(1, &[128])), 2123)
            }
            Kind::Eps => {
                let bearer = [ie2(73, 0, &[5]), ie2(87, 0, &f_teid(0, self.radio, self.radio_at))].concat();
                let request = gtp2(34, Some(self.asked), sequence, &ie2(93, 0, &bearer));
                (request, gtp2(35, Some(self.asker), sequence, &ie2(2, 0, &[16, 0])), 2123)
            }
            Kind::Pdu | Kind::Nameless => {
                let forward = ie4(11, &[ie4(42, &[0]), ie4(84, &outer(self.radio, self.radio_at))].concat());
                let request = pfcp(52, self.asked, sequence, &ie4(10, &[ie4(108, &[0, 0, 0, 2]), forward].concat()));
                (request, pfcp(53, self.asker, sequence, &ie4(19, &[1])), 8805)
            }
        };
        self.signal(MOBILITY, GATEWAY_CONTROL, port, &request, vec![question.clone(), asked, radio], false);
        self.signal(GATEWAY_CONTROL, MOBILITY, port, &answer, vec![question, asker], false);
    }

    fn delete(&mut self) {
        let sequence = self.next_sequence();
        let question = format!("sequence {sequence}");
        let (asker, asked) = (self.token_of_control(self.asker, MOBILITY), self.token_of_control(self.asked, GATEWAY_CONTROL));
        let (request, answer, port) = match self.session.kind {
            Kind::Pdp => (gtp1(20, self.asked, sequence, &tv(20, &[5])), gtp1(21, self.asker, sequence, &tv(1, &[128])), 2123),
            Kind::Eps => {
                (gtp2(36, Some(self.asked), sequence, &ie2(73, 0, &[5])), gtp2(37, Some(self.asker), sequence, &ie2(2, 0, &[16, 0])), 2123)
            }
            Kind::Pdu | Kind::Nameless => (pfcp(54, self.asked, sequence, &[]), pfcp(55, self.asker, sequence, &ie4(19, &[1])), 8805),
        };
        self.signal(MOBILITY, GATEWAY_CONTROL, port, &request, vec![question.clone(), asked], false);
        self.signal(GATEWAY_CONTROL, MOBILITY, port, &answer, vec![question, asker], false);
        // Numbers are free a while after.
        self.at += 500_000;
    }

    fn user(&mut self, packets: u32) {
        for n in 0..packets {
            self.later(40_000);
            let up = n % 2 == 0;
            let inner = match self.session.ue {
                Address::V4(ue) => {
                    let (src, dst) = if up { (ue, [192, 0, 2, 10]) } else { ([192, 0, 2, 10], ue) };
                    udp_v4(src, dst, if up { 40_000 } else { 5683 }, if up { 5683 } else { 40_000 }, b"hello from a meter")
                }
                Address::V6(ue) => {
                    let server = [0x20, 0x01, 0x0d, 0xb8, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10];
                    let (src, dst) = if up { (ue, server) } else { (server, ue) };
                    udp_v6(src, dst, if up { 40_000 } else { 5683 }, if up { 5683 } else { 40_000 }, b"hello from a meter")
                }
            };
            self.tunnel(&inner, up);
        }
    }

    /// A packet of the module in its tunnel.
    pub(crate) fn tunnel(&mut self, inner: &[u8], up: bool) {
        let (from, to, teid) = if up { (self.radio_at, GATEWAY, self.core) } else { (GATEWAY, self.radio_at, self.radio) };
        // A PDU session container says the flow's quality (TS 38.415).
        let between: &[u8] = if matches!(self.session.kind, Kind::Pdu | Kind::Nameless) { &[0, 0, 0, 0x85, 1, 0x10, 9, 0] } else { &[] };
        let flags = if between.is_empty() { 0x30 } else { 0x34 };
        let length = u16::try_from(between.len() + inner.len()).unwrap_or(u16::MAX);
        let body = [&[flags, 255][..], &length.to_be_bytes(), &teid.to_be_bytes(), between, inner].concat();
        let bytes = ethernet(&udp_v4(from, to, 2152, 2152, &body));
        self.frames.push(Frame { at: self.at, session: self.index, what: What::User { token: end(to, teid), up }, bytes });
    }
}

/// The frames as a capture.
pub fn pcap<'a>(frames: impl IntoIterator<Item = &'a Frame>) -> Vec<u8> {
    let mut out = [&0xa1b2_c3d4u32.to_le_bytes()[..], &2u16.to_le_bytes(), &4u16.to_le_bytes(), &[0; 8]].concat();
    out.extend([65535u32, 1].map(u32::to_le_bytes).concat());
    for frame in frames {
        let length = u32::try_from(frame.bytes.len()).unwrap_or(u32::MAX);
        let (seconds, micros) = (frame.at.div_euclid(1_000_000) as u32, frame.at.rem_euclid(1_000_000) as u32);
        out.extend([seconds, micros, length, length].map(u32::to_le_bytes).concat());
        out.extend(&frame.bytes);
    }
    out
}

pub(crate) fn ethernet(packet: &[u8]) -> Vec<u8> {
    let kind: [u8; 2] = if packet[0] >> 4 == 4 { [8, 0] } else { [0x86, 0xdd] };
    [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2][..], &kind, packet].concat()
}

pub(crate) fn sum(mut words: u32, bytes: &[u8]) -> u32 {
    for pair in bytes.chunks(2) {
        words += u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0));
    }
    words
}

pub(crate) fn fold(mut words: u32) -> [u8; 2] {
    while words >> 16 != 0 {
        words = (words & 0xffff) + (words >> 16);
    }
    let word = !(words as u16);
    if word == 0 { [0xff, 0xff] } else { word.to_be_bytes() }
}

fn udp(src: &[u8], dst: &[u8], src_port: u16, dst_port: u16, body: &[u8]) -> Vec<u8> {
    let length = (body.len() + 8) as u16;
    let mut out = [&src_port.to_be_bytes()[..], &dst_port.to_be_bytes(), &length.to_be_bytes(), &[0, 0], body].concat();
    let check = fold(sum(sum(sum(17 + u32::from(length), src), dst), &out));
    out[6..8].copy_from_slice(&check);
    out
}

pub(crate) fn udp_v4(src: [u8; 4], dst: [u8; 4], src_port: u16, dst_port: u16, body: &[u8]) -> Vec<u8> {
    let carried = udp(&src, &dst, src_port, dst_port, body);
    let length = (carried.len() + 20) as u16;
    let mut head = [&[0x45, 0][..], &length.to_be_bytes(), &[0, 0, 0x40, 0, 64, 17, 0, 0], &src, &dst].concat();
    let check = fold(sum(0, &head));
    head[10..12].copy_from_slice(&check);
    [head, carried].concat()
}

pub(crate) fn udp_v6(src: [u8; 16], dst: [u8; 16], src_port: u16, dst_port: u16, body: &[u8]) -> Vec<u8> {
    let carried = udp(&src, &dst, src_port, dst_port, body);
    let length = carried.len() as u16;
    [&[0x60, 0, 0, 0][..], &length.to_be_bytes(), &[17, 64], &src, &dst, &carried].concat()
}

/// Digits in half bytes, the lower first, filled up to a length.
fn bcd(digits: &str, length: usize) -> Vec<u8> {
    let mut halves: Vec<u8> = digits.bytes().map(|d| d - b'0').collect();
    halves.resize(length * 2, 0xf);
    halves.chunks(2).map(|pair| pair[0] | pair[1] << 4).collect()
}

fn labels(name: &str) -> Vec<u8> {
    name.split('.').flat_map(|label| [&[label.len() as u8][..], label.as_bytes()].concat()).collect()
}

fn tv(kind: u8, value: &[u8]) -> Vec<u8> {
    [&[kind], value].concat()
}

fn tlv(kind: u8, value: &[u8]) -> Vec<u8> {
    [&[kind][..], &(value.len() as u16).to_be_bytes(), value].concat()
}

fn gtp1(kind: u8, teid: u32, sequence: u32, body: &[u8]) -> Vec<u8> {
    let length = (body.len() + 4) as u16;
    [&[0x32, kind][..], &length.to_be_bytes(), &teid.to_be_bytes(), &(sequence as u16).to_be_bytes(), &[0, 0], body].concat()
}

fn ie2(kind: u8, instance: u8, value: &[u8]) -> Vec<u8> {
    [&[kind][..], &(value.len() as u16).to_be_bytes(), &[instance], value].concat()
}

fn gtp2(kind: u8, teid: Option<u32>, sequence: u32, body: &[u8]) -> Vec<u8> {
    let to = teid.map(u32::to_be_bytes);
    let to = to.as_ref().map_or(&[][..], |t| t);
    let length = (to.len() + 4 + body.len()) as u16;
    let flags = if to.is_empty() { 0x40 } else { 0x48 };
    [&[flags, kind][..], &length.to_be_bytes(), to, &sequence.to_be_bytes()[1..], &[0], body].concat()
}

fn f_teid(interface: u8, teid: u32, at: [u8; 4]) -> Vec<u8> {
    [&[0x80 | interface][..], &teid.to_be_bytes(), &at].concat()
}

fn paa(ue: Address) -> Vec<u8> {
    match ue {
        Address::V4(ue) => [&[1][..], &ue].concat(),
        Address::V6(ue) => [&[2, 64][..], &ue].concat(),
    }
}

fn ie4(kind: u16, value: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &(value.len() as u16).to_be_bytes(), value].concat()
}

fn pfcp(kind: u8, seid: u32, sequence: u32, body: &[u8]) -> Vec<u8> {
    let length = (12 + body.len()) as u16;
    [&[0x21, kind][..], &length.to_be_bytes(), &u64::from(seid).to_be_bytes(), &sequence.to_be_bytes()[1..], &[0], body].concat()
}

fn f_seid(seid: u32, at: [u8; 4]) -> Vec<u8> {
    [&[2][..], &u64::from(seid).to_be_bytes(), &at].concat()
}

fn f_teid_n4(teid: u32, at: [u8; 4]) -> Vec<u8> {
    [&[1][..], &teid.to_be_bytes(), &at].concat()
}

fn outer(teid: u32, at: [u8; 4]) -> Vec<u8> {
    [&[1, 0][..], &teid.to_be_bytes(), &at].concat()
}

fn ue_n4(ue: Address) -> Vec<u8> {
    match ue {
        Address::V4(ue) => [&[2][..], &ue].concat(),
        Address::V6(ue) => [&[1][..], &ue].concat(),
    }
}
