//! Every decoder of traffic, told apart by the first byte: one program, so that one build and one corpus serve all.
//!
//! `cargo +nightly fuzz run traffic` from the root of the repository.
#![no_main]

use libfuzzer_sys::fuzz_target;
use umbilical_traffic::capture::{Batch, PIECE, Reader};
use umbilical_traffic::cellular::{diameter, gtp1, gtp2, pfcp, radius, tunnel};
use umbilical_traffic::detect::{Detectors, Given, Trace};
use umbilical_traffic::flow::{Limits, Seen};
use umbilical_traffic::link::{Link, ip};
use umbilical_traffic::names::{certificate, dns, http, identity, industrial, iot, mining, quic, tls};
use umbilical_traffic::packet::{Addr, datagram};
use umbilical_traffic::record::{eve, netflow, zeek};
use umbilical_traffic::source::Source;
use umbilical_traffic::watch::Watch;

/// Kinds of links (the numbers of pcap).
const LINKS: [i32; 10] = [0, 1, 9, 50, 101, 104, 105, 113, 127, 276];

const DECODERS: &[fn(&[u8])] = &[
    whole,
    records,
    |b| LINKS.iter().for_each(|l| done(ip(Link(*l), b).and_then(datagram))),
    |b| done(tunnel::open(b, true).and_then(|inner| datagram(inner.packet))),
    |b| done(gtp1::read(b, Addr([1; 16]))),
    |b| done(gtp2::read(b)),
    |b| done(pfcp::read(b)),
    |b| done(radius::read(b, 1, 2)),
    |b| done(diameter::read(b)),
    |b| done(dns::read(b)),
    |b| done((http::request(b), http::answer(b), http::begins(b, 0, false, None), http::begins(b, 0, true, Some(7)))),
    |b| done((industrial::tcp(b, true), industrial::tcp(b, false), industrial::udp(b))),
    |b| done((iot::coap(b, true), iot::dtls(b))),
    |b| {
        let mut rest = b;
        while let Some((_, behind)) = iot::mqtt(rest) {
            rest = behind;
        }
    },
    |b| done(tls::handshake(b).and_then(|m| tls::hello(&m)).map(|h| (h.ja3(), h.ja4(tls::Over::Tcp)))),
    |b| done((tls::flight(b), certificate::read(b))),
    |b| done((mining::json(b), mining::asks_for_work(b), mining::node(b), mining::discovery(b))),
    |b| done(identity::scan(b, true)),
    |b| done(tls::hello(b).map(|h| (h.ja3(), h.ja4(tls::Over::Quic)))),
    |b| {
        let mut pieces = quic::Pieces::default();
        quic::open(b, &mut pieces);
        done(pieces.stream());
    },
];

/// Nothing is left out because nobody looks at it.
fn done<T>(value: T) {
    let _ = std::hint::black_box(value);
}

/// As a capture, through the whole of it: whoever takes its frames apart, the same is counted.
fn whole(bytes: &[u8]) {
    let played = |opens: bool| {
        let (mut reader, mut batch) = (Reader::new(bytes, PIECE), Batch::default());
        let mut watch = Watch::new(Limits::default());
        let mut detect = Detectors::new(Given::default());
        while let Ok(true) = reader.next(&mut batch) {
            if opens {
                batch.open();
            }
            batch.each(|frame, content| watch.taken(frame, content, &mut |event, words| detect.see(&event, words)));
        }
        watch.finish(&mut |event, words| detect.see(&event, words));
        done(detect.finish(Trace { words: &watch.words, sessions: &watch.sessions }));
        (watch.counters, watch.flows())
    };
    assert_eq!(played(false), played(true));
}

/// As every kind of record.
fn records(bytes: &[u8]) {
    let mut watch = Watch::new(Limits::default());
    let each = &mut |_: umbilical_traffic::flow::Event<'_>, _: &umbilical_traffic::names::Words| {};
    let _ = Source::of(bytes);
    watch.export(netflow::From::Input(1), bytes, None, 1, each);
    done(netflow::datagrams(bytes, &mut |number, bytes| {
        watch.export(netflow::From::Input(2), bytes, None, number, each);
    }));
    let (mut log, mut events) = (zeek::Log::new(Seen::NOTHING), eve::Log::default());
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        log.line(line, &mut watch, each);
        events.line(line, &mut watch, each);
    }
    watch.finish(each);
}

fuzz_target!(|bytes: &[u8]| {
    let Some((which, rest)) = bytes.split_first() else { return };
    if let Some(decode) = DECODERS.get(usize::from(*which) % DECODERS.len()) {
        decode(rest);
    }
});
