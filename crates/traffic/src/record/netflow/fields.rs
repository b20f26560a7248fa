//! The fields of templates that are read (IANA, "IP Flow Information Export (IPFIX) Entities"; those below 128 are NetFlow 9's as well).

use super::super::{Part, Record};
use crate::flow::{Half, Key, Seen};
use crate::names::Names;
use crate::packet::{Addr, Flags, proto};
use crate::time::Micros;

/// What a field says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// Nothing that is read.
    Skip,
    Octets(Side),
    Packets(Side),
    /// Payload only: what firewalls count.
    Payload(Side),
    /// What left: counts where nothing else is counted.
    OctetsOut,
    PacketsOut,
    Flags(Side),
    Proto,
    SrcPort,
    DstPort,
    Src,
    Dst,
    IcmpTypeCode,
    IcmpType,
    IcmpCode,
    /// Milliseconds since the exporter began.
    FirstUptime,
    LastUptime,
    /// When it began, in milliseconds.
    Boot,
    Start(Unit),
    End(Unit),
    /// When it was seen, where it is an event.
    At(Unit),
    /// Milliseconds, or microseconds.
    Duration(u32),
    /// 2: by whoever answered.
    Direction,
    Sampling,
}

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Up,
    Down,
}

/// How a time is written (RFC 7011, 6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Seconds,
    Millis,
    /// Seconds since 1900 and a fraction, 32 bits each.
    Ntp,
    /// Microseconds before the export.
    Before,
}

/// The enterprise whose fields are those of the other way (RFC 5103, 6.1).
const REVERSE: u32 = 29305;

impl What {
    pub fn of(id: u16, enterprise: Option<u32>) -> Self {
        use Side::{Down, Up};
        match (enterprise, id) {
            (None, 1 | 85) => Self::Octets(Up),
            (None, 2 | 86) => Self::Packets(Up),
            (None, 6) => Self::Flags(Up),
            (Some(REVERSE), 1 | 85) => Self::Octets(Down),
            (Some(REVERSE), 2 | 86) => Self::Packets(Down),
            (Some(REVERSE), 6) => Self::Flags(Down),
            (Some(_), _) => Self::Skip,
            (None, 4) => Self::Proto,
            (None, 7 | 180 | 182) => Self::SrcPort,
            (None, 8 | 27) => Self::Src,
            (None, 11 | 181 | 183) => Self::DstPort,
            (None, 12 | 28) => Self::Dst,
            (None, 21) => Self::LastUptime,
            (None, 22) => Self::FirstUptime,
            (None, 23) => Self::OctetsOut,
            (None, 24) => Self::PacketsOut,
            (None, 32 | 139) => Self::IcmpTypeCode,
            (None, 34 | 50 | 305) => Self::Sampling,
            (None, 150) => Self::Start(Unit::Seconds),
            (None, 151) => Self::End(Unit::Seconds),
            (None, 152) => Self::Start(Unit::Millis),
            (None, 153) => Self::End(Unit::Millis),
            (None, 154 | 156) => Self::Start(Unit::Ntp),
            (None, 155 | 157) => Self::End(Unit::Ntp),
            (None, 158) => Self::Start(Unit::Before),
            (None, 159) => Self::End(Unit::Before),
            (None, 160) => Self::Boot,
            (None, 161) => Self::Duration(1000),
            (None, 162) => Self::Duration(1),
            (None, 176 | 178) => Self::IcmpType,
            (None, 177 | 179) => Self::IcmpCode,
            (None, 231) => Self::Payload(Up),
            (None, 232) => Self::Payload(Down),
            (None, 239) => Self::Direction,
            (None, 298) => Self::Packets(Up),
            (None, 299) => Self::Packets(Down),
            (None, 322) => Self::At(Unit::Seconds),
            (None, 323) => Self::At(Unit::Millis),
            (None, 324 | 325) => Self::At(Unit::Ntp),
            (None, _) => Self::Skip,
        }
    }
}

/// What the datagram around a record says.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Head {
    /// When it was sent.
    pub sent: Micros,
    /// How long its sender had been up, in milliseconds.
    pub uptime: Option<u32>,
}

impl Head {
    /// A time of the sender's own clock. It begins anew each 49 days.
    pub fn uptime(&self, at: u32, boot: Option<Micros>) -> Option<Micros> {
        if let Some(boot) = boot {
            return Some(boot.plus(Micros(i64::from(at).saturating_mul(1000))));
        }
        let ago = self.uptime?.wrapping_sub(at).cast_signed();
        Some(Micros(self.sent.0.saturating_sub(i64::from(ago).saturating_mul(1000))))
    }
}

/// A record while its fields are read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Values {
    up: Half,
    down: Half,
    out: (u64, u64),
    proto: Option<u8>,
    src_port: u16,
    dst_port: u16,
    src: Option<Addr>,
    dst: Option<Addr>,
    icmp: Option<u16>,
    uptimes: (Option<u32>, Option<u32>),
    boot: Option<Micros>,
    start: Option<Micros>,
    end: Option<Micros>,
    duration: Option<Micros>,
    turned: bool,
    /// One of so many packets was looked at.
    pub sampling: u64,
    seen: Seen,
    /// Fields of both ways.
    both: bool,
}

/// Numbers may be shorter than they could be (RFC 7011, 6.2).
fn number(bytes: &[u8]) -> u64 {
    if bytes.len() > 8 {
        return 0;
    }
    bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

fn time(unit: Unit, bytes: &[u8], head: &Head) -> Option<Micros> {
    let n = number(bytes);
    let signed = i64::try_from(n).ok().filter(|n| *n > 0)?;
    match unit {
        Unit::Seconds => signed.checked_mul(1_000_000).map(Micros),
        Unit::Millis => signed.checked_mul(1000).map(Micros),
        Unit::Ntp => {
            let seconds = i64::try_from(n >> 32).ok()?.checked_sub(2_208_988_800)?;
            let fraction = (n & 0xffff_ffff).checked_mul(1_000_000)? >> 32;
            seconds.checked_mul(1_000_000)?.checked_add(i64::try_from(fraction).ok()?).map(Micros)
        }
        Unit::Before => Some(Micros(head.sent.0.checked_sub(signed)?)),
    }
}

impl Values {
    pub fn set(&mut self, what: What, bytes: &[u8], head: &Head) {
        let n = || number(bytes);
        match what {
            What::Skip => {}
            What::Octets(side) => self.half(side).bytes = n(),
            What::Packets(side) => {
                self.half(side).packets = n();
                self.seen = self.seen.with(Seen::COUNTS);
            }
            What::Payload(side) => {
                let n = n();
                let half = self.half(side);
                (half.payload, half.bytes) = (n, half.bytes.max(n));
                self.seen = self.seen.with(Seen::PAYLOAD);
            }
            What::OctetsOut => self.out.1 = n(),
            What::PacketsOut => self.out.0 = n(),
            What::Flags(side) => {
                self.half(side).flags = Flags(bytes.last().copied().unwrap_or_default());
                self.seen = self.seen.with(Seen::FLAGS);
            }
            What::Proto => self.proto = bytes.last().copied(),
            What::SrcPort => self.src_port = self.src_port.max(n() as u16),
            What::DstPort => self.dst_port = self.dst_port.max(n() as u16),
            What::Src => self.src = address(bytes).or(self.src),
            What::Dst => self.dst = address(bytes).or(self.dst),
            What::IcmpTypeCode => self.icmp = Some(n() as u16),
            What::IcmpType => self.icmp = Some(self.icmp.unwrap_or_default() & 0xff | (n() as u16) << 8),
            What::IcmpCode => self.icmp = Some(self.icmp.unwrap_or_default() & 0xff00 | (n() as u16) & 0xff),
            What::FirstUptime => self.uptimes.0 = Some(n() as u32),
            What::LastUptime => self.uptimes.1 = Some(n() as u32),
            What::Boot => self.boot = time(Unit::Millis, bytes, head),
            What::Start(unit) => self.start = time(unit, bytes, head).or(self.start),
            What::End(unit) => self.end = time(unit, bytes, head).or(self.end),
            What::At(unit) => {
                let at = time(unit, bytes, head);
                (self.start, self.end) = (self.start.or(at), self.end.or(at));
            }
            What::Duration(scale) => {
                let micros = n().checked_mul(scale.into()).and_then(|n| i64::try_from(n).ok());
                self.duration = micros.map(Micros);
            }
            What::Direction => self.turned = n() == 2,
            What::Sampling => self.sampling = n(),
        }
    }

    fn half(&mut self, side: Side) -> &mut Half {
        match side {
            Side::Up => &mut self.up,
            Side::Down => {
                self.both = true;
                &mut self.down
            }
        }
    }

    /// The record, if it is one between two addresses.
    pub fn record(mut self, head: &Head, heard: Micros, exporter: u32, number: u64, sampled: bool) -> Option<Record> {
        let (client, server) = (self.src?, self.dst?);
        let proto = self.proto.unwrap_or(255);
        let (client_port, server_port) = match (proto, self.icmp) {
            (proto::ICMP | proto::ICMPV6, icmp) => {
                // Where there is no field for it the port of the destination has it.
                let icmp = icmp.unwrap_or(self.dst_port);
                (icmp >> 8, icmp & 0xff)
            }
            _ => (self.src_port, self.dst_port),
        };
        if self.up.packets == 0 && self.up.bytes == 0 {
            (self.up.packets, self.up.bytes) = self.out;
        }
        let first = self.uptimes.0.and_then(|at| head.uptime(at, self.boot));
        let last = self.uptimes.1.and_then(|at| head.uptime(at, self.boot));
        // Without a beginning of the clock there is still the difference.
        let between = match self.uptimes {
            (Some(first), Some(last)) => Some(Micros(i64::from(last.wrapping_sub(first)).saturating_mul(1000))),
            _ => None,
        };
        let duration = self.duration.or(between).unwrap_or_default();
        let start = self.start.or(first);
        let end = self.end.or(last).or_else(|| start.map(|s| s.plus(duration))).unwrap_or(head.sent);
        let start = start.unwrap_or_else(|| end.since(duration)).min(end);
        let mut seen = self.seen;
        if sampled {
            seen = seen.without(Seen::COUNTS);
        } else if self.both && (proto != proto::TCP || seen.has(Seen::FLAGS)) {
            seen = seen.with(Seen::ANSWERS);
        }
        let mut key = Key { client, server, client_port, server_port, proto }.of_icmp();
        if self.turned {
            key = key.turned();
            std::mem::swap(&mut self.up, &mut self.down);
        }
        let part = Some(Part { exporter, heard, both: self.both });
        Some(Record { key, start, end, number, up: self.up, down: self.down, names: Names::default(), seen, part })
    }
}

fn address(bytes: &[u8]) -> Option<Addr> {
    let addr = match bytes.len() {
        4 => Addr::v4(*bytes.first_chunk()?),
        16 => Addr(*bytes.first_chunk()?),
        _ => return None,
    };
    // Templates for both families leave one of them empty.
    let none = addr == Addr::v4([0; 4]) || addr.0 == [0; 16];
    (!none).then_some(addr)
}
