//! An interface that is captured from, through libpcap.

use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use pcap::{Active, Capture, Device, Error, Stat};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use umbilical_core::text::clean;
use umbilical_traffic::link::Link;
use umbilical_traffic::time::Micros;

use super::super::listen::{Came, Send, now};
use super::Flags;
use super::privileges::Whom;
use super::queue::{Batch, End, Free, Span};
use crate::fail::Fail;

/// Mebibytes of the system's ring: a second of 300,000 small packets, and more.
const RING: u16 = 64;
/// Every frame whole, however long: libpcap's `MAXIMUM_SNAPLEN`.
const WHOLE: i32 = 1 << 18;
/// Milliseconds after which the system hands over what it has, full block or not.
const RETIRE: i32 = 100;
/// What came is with us after so long.
const LATE: Duration = Duration::from_millis(2 * RETIRE as u64);
/// Batches of an interface that are filled, wait or are read.
const BATCHES: usize = 32;
/// The system's counts have 32 bits, and are read before they can go round.
const COUNTED: Duration = Duration::from_secs(1);

/// An open interface.
pub(in super::super) struct Interface {
    name: String,
    capture: Capture<Active>,
}

/// Opens interfaces, and then gives up the right to, for good.
pub(in super::super) fn open(names: &[String], flags: &Flags) -> Result<Vec<Interface>, Fail> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let whom = Whom::new(flags.user.as_deref())?;
    let open = names.iter().map(|name| one(name, flags)).collect::<Result<_, _>>()?;
    whom.goes_on()?;
    Ok(open)
}

fn one(name: &str, flags: &Flags) -> Result<Interface, Fail> {
    let closed = |error: &Error| Fail::usage(format!("live://{name} cannot be opened: {}", said(error)), help(error));
    // libpcap's `any` is no device that could be told to listen.
    let promiscuous = !flags.no_promiscuous_mode && name != "any";
    let ring = i32::from(flags.buffer.unwrap_or(RING)) << 20;
    let inactive = Capture::from_device(name).map_err(|e| closed(&e))?;
    let inactive = inactive.snaplen(WHOLE).promisc(promiscuous).buffer_size(ring).timeout(RETIRE);
    let mut capture = inactive.open().and_then(Capture::setnonblock).map_err(|e| closed(&e))?;
    if let Some(filter) = &flags.filter {
        let wrong = |error: Error| {
            let what = format!("--filter {filter}: {}", said(&error));
            Fail::usage(what, "write it as for tcpdump: --filter 'udp port 2152 or udp port 2123'")
        };
        capture.filter(filter, true).map_err(wrong)?;
    }
    Ok(Interface { name: name.to_owned(), capture })
}

fn said(error: &Error) -> String {
    match error {
        Error::PcapError(what) => clean(what).into_owned(),
        other => other.to_string(),
    }
}

fn help(error: &Error) -> String {
    let what = said(error).to_ascii_lowercase();
    if what.contains("permi") {
        return "capturing takes CAP_NET_RAW: start as root with --user NAME, or give the program the right: \
                setcap cap_net_raw+ep UMBILICAL"
            .to_owned();
    }
    let names = Device::list().unwrap_or_default().into_iter().map(|device| device.name).collect::<Vec<_>>();
    format!("interfaces of this machine: {}", names.join(", "))
}

impl Interface {
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Begins to capture; gives how frames begin, and where batches go once they are read.
    pub fn start(self, place: usize, span: Span, send: Send) -> (Link, Free) {
        let link = Link(self.capture.get_datalink().0);
        let (free, back) = channel();
        (0..BATCHES).for_each(|_| drop(free.send(Batch::default())));
        thread::spawn(move || Captures { capture: self.capture, span, dropped: Dropped::default() }.all(place, &back, &send));
        (link, free)
    }
}

struct Captures {
    capture: Capture<Active>,
    span: Span,
    dropped: Dropped,
}

/// Why a batch is handed over.
enum Then {
    /// It is full.
    On,
    /// Nothing more is there at present.
    Waits,
    /// What comes now is too late.
    Over,
    /// Nothing more can come.
    Fails(String),
}

impl Captures {
    /// Captures until it is over, or nobody takes it any more.
    fn all(mut self, place: usize, free: &Receiver<Batch>, send: &Send) {
        // What did not fit before this began is nobody's loss.
        self.dropped.begin(self.capture.stats().ok());
        let mut ending = None;
        let wrong = loop {
            let end = self.span.end();
            if end.is_some() && ending.is_none() {
                // What is dropped from here on came too late.
                self.dropped.count(self.capture.stats().ok());
                ending = Some(Instant::now());
            }
            // Where none is free the system's ring fills, and the system counts.
            let Ok(mut batch) = free.recv() else { return };
            let then = self.fill(&mut batch, end);
            if matches!(then, Then::Waits) {
                let late = i64::try_from(LATE.as_micros()).unwrap_or(i64::MAX);
                batch.heard(now().plus(Micros(late.saturating_neg())));
            }
            if send.send(Came::Frames(place, batch)).is_err() {
                return;
            }
            match then {
                Then::On => {}
                Then::Waits if ending.is_some_and(|since| since.elapsed() > LATE) => break None,
                Then::Waits => self.wait(),
                Then::Over => break None,
                Then::Fails(what) => break Some(what),
            }
            if ending.is_none() && self.dropped.is_due() {
                self.dropped.count(self.capture.stats().ok());
            }
        };
        if ending.is_none() {
            self.dropped.count(self.capture.stats().ok());
        }
        let _ = send.send(Came::Over(place, End { dropped: self.dropped.sum, wrong }));
    }

    fn fill(&mut self, batch: &mut Batch, end: Option<Micros>) -> Then {
        batch.clear();
        while !batch.is_full() {
            match self.capture.next_packet() {
                Ok(packet) => {
                    let at = packet.header.ts;
                    #[allow(clippy::useless_conversion, reason = "its width differs between machines")]
                    let at = Micros(i64::from(at.tv_sec).saturating_mul(1_000_000).saturating_add(i64::from(at.tv_usec)));
                    if end.is_some_and(|end| at > end) {
                        return Then::Over;
                    }
                    // What lay in the ring before this began belongs to nobody.
                    if at >= self.span.begin {
                        batch.put(at, packet.header.len, packet.data);
                    }
                }
                Err(Error::TimeoutExpired) => return Then::Waits,
                Err(error) => return Then::Fails(format!("nothing more can be captured: {}", said(&error))),
            }
        }
        Then::On
    }

    /// Waits until something is there, or for a while.
    fn wait(&self) {
        let while_ = Timespec { tv_sec: 0, tv_nsec: i64::from(RETIRE) * 500_000 };
        let mut fds = [PollFd::new(&self.capture, PollFlags::IN)];
        let ready = poll(&mut fds, Some(&while_));
        if ready.is_err() || fds.iter().any(|fd| !(fd.revents() - PollFlags::IN).is_empty()) {
            // What is wrong the next read says; until then this does not spin.
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// What the system dropped of an interface, because its ring was full or the device lost it.
#[derive(Default)]
struct Dropped {
    sum: Option<u64>,
    last: (u32, u32),
    counted: Option<Instant>,
}

impl Dropped {
    fn begin(&mut self, stat: Option<Stat>) {
        self.sum = stat.map(|_| 0);
        self.last = stat.map(|stat| (stat.dropped, stat.if_dropped)).unwrap_or_default();
        self.counted = Some(Instant::now());
    }

    fn is_due(&self) -> bool {
        self.counted.is_none_or(|at| at.elapsed() > COUNTED)
    }

    fn count(&mut self, stat: Option<Stat>) {
        let Some(stat) = stat else { return };
        let (ring, device) = (stat.dropped.wrapping_sub(self.last.0), stat.if_dropped.wrapping_sub(self.last.1));
        self.sum = self.sum.map(|sum| sum.saturating_add(ring.into()).saturating_add(device.into()));
        self.last = (stat.dropped, stat.if_dropped);
        self.counted = Some(Instant::now());
    }
}
