//! Bytes that nobody meant: nothing breaks, whatever they are.

use proptest::prelude::*;
use umbilical_synth::mobile::{Plan, pcap, trace};
use umbilical_synth::reports;
use umbilical_traffic::capture::{Batch, PIECE, Reader};
use umbilical_traffic::cellular::{diameter, gtp1, gtp2, pfcp, radius, tunnel};
use umbilical_traffic::flow::Limits;
use umbilical_traffic::link::{Link, ip};
use umbilical_traffic::names::{certificate, dns, http, identity, industrial, iot, mining, quic, tls};
use umbilical_traffic::packet::{Addr, datagram};
use umbilical_traffic::record::{eve, netflow, zeek};
use umbilical_traffic::source::Source;
use umbilical_traffic::watch::{Counters, Watch};

const HERE: Addr = Addr([1; 16]);

fn everything(bytes: &[u8]) {
    for link in [0, 1, 9, 50, 101, 104, 105, 113, 127, 276] {
        let _ = ip(Link(link), bytes).and_then(datagram);
    }
    let _ = tunnel::open(bytes, true).and_then(|inner| datagram(inner.packet));
    let _ = gtp1::read(bytes, HERE);
    let _ = gtp2::read(bytes);
    let _ = pfcp::read(bytes);
    let _ = radius::read(bytes, 1, 2);
    let _ = diameter::read(bytes);
    let _ = dns::read(bytes);
    let _ = http::request(bytes);
    if let Some(http::Where::At { from, chunked, length }) = http::answer(bytes).map(|a| a.body) {
        let _ = http::begins(bytes, from, chunked, length);
    }
    let _ = http::begins(bytes, 0, true, None);
    for from_client in [false, true] {
        let _ = industrial::tcp(bytes, from_client);
    }
    let _ = industrial::udp(bytes);
    let _ = iot::coap(bytes, true);
    let _ = iot::dtls(bytes);
    let mut rest = bytes;
    while let Some((_, behind)) = iot::mqtt(rest) {
        rest = behind;
    }
    let _ = tls::handshake(bytes).and_then(|m| tls::hello(&m)).map(|h| (h.ja3(), h.ja4(tls::Over::Tcp)));
    let _ = tls::hello(bytes).map(|h| (h.ja3(), h.ja4(tls::Over::Quic)));
    let _ = tls::flight(bytes);
    let _ = certificate::read(bytes);
    let _ = (mining::json(bytes), mining::asks_for_work(bytes), mining::node(bytes), mining::discovery(bytes));
    let _ = identity::scan(bytes, true);
    let mut pieces = quic::Pieces::default();
    quic::open(bytes, &mut pieces);
    let _ = pieces.stream();
    let mut watch = Watch::new(Limits::default());
    let _ = umbilical_traffic::capture::read(bytes, &mut |frame| watch.frame(&frame, &mut |_, _| {}));
    records(bytes, &mut watch);
    watch.finish(&mut |_, _| {});
}

/// As every kind of record, whatever it is.
fn records(bytes: &[u8], watch: &mut Watch) {
    let _ = Source::of(bytes);
    let each = &mut |_: umbilical_traffic::flow::Event<'_>, _: &umbilical_traffic::names::Words| {};
    watch.export(netflow::From::Input(1), bytes, None, 1, each);
    let _ = netflow::datagrams(bytes, &mut |number, bytes| {
        watch.export(netflow::From::Input(2), bytes, None, number, each);
    });
    let (mut log, mut events) = (zeek::Log::new(umbilical_traffic::flow::Seen::NOTHING), eve::Log::default());
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        log.line(line, watch, each);
        events.line(line, watch, each);
    }
}

/// The beginning of something that each decoder takes up.
fn beginnings() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(Vec::new()),
        Just(vec![0x32, 16, 0, 60, 0, 0, 0, 0, 0, 1, 0, 0]),
        Just(vec![0x48, 32, 0, 60, 0, 0, 0, 0, 0, 0, 1, 0]),
        Just(vec![0x21, 50, 0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]),
        Just([&[4, 7, 0, 44][..], &[0; 16], &[26, 20, 0, 0, 0x28, 0xaf, 1, 17]].concat()),
        Just([&[1, 0, 0, 60, 0xc0, 0, 1, 16, 0, 0, 0, 4][..], &[0; 8], &[0, 0, 1, 0xbb, 0x40, 0, 0, 40]].concat()),
        Just(vec![22, 3, 1, 0, 60, 1, 0, 0, 56, 3, 3]),
        Just([&[22, 3, 3, 0, 90, 2, 0, 0, 38, 3, 3][..], &[0; 32], &[0, 0xc0, 0x2f, 0, 11, 0, 0, 40, 0, 0, 37, 0, 0, 34]].concat()),
        Just(vec![0x30, 0x60, 0x30, 0x50, 0xa0, 3, 2, 1, 2, 2, 1, 9, 0x30, 2, 6, 0, 0x30, 9, 0x31, 7, 0x30, 5, 6, 3]),
        Just(vec![0xc3, 0, 0, 0, 1, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 64, 60]),
        Just(b"GET /".to_vec()),
        Just(b"imei=867698040000179;msisdn=+491511234567;lat=52.5163,lon=".to_vec()),
        Just(b"$GPRMC,081836,A,3751.65,S,145".to_vec()),
        Just(b"{\"id\":1,\"method\":\"mining.authorize\",\"params\":[".to_vec()),
        Just(b"\xf9\xbe\xb4\xd9version\0\0\0\0\0\x66\0\0\0".to_vec()),
        Just([&[5; 96][..], &[1, 1, 0xc9]].concat()),
        Just(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec()),
        Just(b"HTTP/1.1 206 OK\r\nContent-Range: bytes 0-".to_vec()),
        Just(vec![0x10, 40, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 60, 0]),
        Just(vec![0x44, 2, 0, 1, 9, 9, 9, 9, 0xb2, b'r', b'd', 0x4d]),
        Just(vec![3, 0, 0, 60, 2, 0xf0, 0x80, 1, 0, 1, 0, 0x61, 40, 0x30, 38, 2, 1, 3, 0xa0]),
        Just(vec![0x81, 0x0a, 0, 20, 1, 0x28, 0, 1]),
        Just(vec![0x68, 14, 0, 0, 0, 0, 100, 1, 6, 0, 1, 0]),
        Just(vec![0, 1, 0, 0, 0, 6, 1, 3]),
        Just(vec![0x12, 0x34, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0, 3]),
        Just(vec![0x45, 0, 0, 60, 0, 0, 0x20, 0, 64, 17]),
        Just(vec![0x60, 0, 0, 0, 0, 60, 44, 64]),
        Just([&0xa1b2_c3d4u32.to_le_bytes()[..], &[2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0]].concat()),
        Just([&[0, 5, 0, 2][..], &[1; 60]].concat()),
        Just(vec![0, 9, 0, 1, 0, 0, 0, 9, 0, 0, 0, 9, 0, 0, 0, 9, 0, 0, 0, 9, 0, 0, 0, 20, 1, 0, 0, 2, 0, 8, 0, 4, 0, 1, 0, 0, 1, 0]),
        Just(vec![0, 10, 0, 99, 0, 0, 0, 9, 0, 0, 0, 9, 0, 0, 0, 9, 0, 2, 0, 16, 1, 0, 0, 2, 0, 8, 0, 4, 0, 96, 255, 255, 1, 0]),
        Just(b"#separator \\x09\n#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.resp_h\n".to_vec()),
        Just(b"{\"ts\":1.5,\"uid\":\"C1\",\"id.orig_h\":\"10.0.0.1\",\"conn_state\":".to_vec()),
        Just(b"{\"timestamp\":\"2026-11-01T02:26:40.1+0000\",\"event_type\":\"flow\",\"flow\":{".to_vec()),
        Just(vec![0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn any_bytes(begin in beginnings(), rest in prop::collection::vec(any::<u8>(), 0..300)) {
        everything(&[begin, rest].concat());
    }
}

#[test]
fn a_trace_that_is_cut_or_bent_anywhere() {
    broken(&pcap(&trace(&Plan { seed: 3, sessions: 6, loss: 0, packets: 2 }).frames));
    broken(&pcap(&reports::trace(&reports::Plan { seed: 3, sessions: 3, lost: 0, packets: 1 }).frames));
}

fn broken(whole: &[u8]) {
    for cut in (0..whole.len()).step_by(7) {
        opened_or_not(&whole[..cut]);
    }
    for at in (24..whole.len()).step_by(11) {
        let mut bent = whole.to_vec();
        bent[at] ^= 0xff;
        opened_or_not(&bent);
    }
}

/// It is the same, whoever takes frames apart: who watches them, or somebody before; gives what was told and counted.
fn opened_or_not(capture: &[u8]) -> (Vec<String>, Counters) {
    let (front, behind) = capture.split_at(capture.len() / 2);
    let played = |opens: bool| {
        // One batch behind the other, in the room of one.
        let mut reader = Reader::new(std::io::Read::chain(front, behind), PIECE);
        let (mut batch, mut watch, mut told) = (Batch::default(), Watch::new(Limits::default()), Vec::new());
        while let Ok(true) = reader.next(&mut batch) {
            if opens {
                batch.open();
            }
            batch.each(|frame, content| watch.taken(frame, content, &mut |event, _| told.push(format!("{event:?}"))));
        }
        watch.finish(&mut |event, _| told.push(format!("{event:?}")));
        (told, watch.counters)
    };
    let told = played(false);
    assert_eq!(told, played(true));
    told
}

/// IP, of a datagram with this number the piece at this place, in units of eight bytes; whether others follow.
fn ip_of(id: u8, (offset, more): (u8, bool), proto: u8, carried: &[u8]) -> Vec<u8> {
    let length = (carried.len() as u16 + 20).to_be_bytes();
    let piece = [0, id, u8::from(more) << 5, offset];
    [&[0x45, 0][..], &length, &piece, &[64, proto, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2], carried].concat()
}

fn udp_of(port: u16, carried: &[u8]) -> Vec<u8> {
    [&port.to_be_bytes()[..], &port.to_be_bytes(), &(carried.len() as u16 + 8).to_be_bytes(), &[0, 0], carried].concat()
}

fn gtp_of(teid: u8, inner: &[u8]) -> Vec<u8> {
    udp_of(2152, &[&[0x30, 255][..], &(inner.len() as u16).to_be_bytes(), &[0, 0, 0, teid], inner].concat())
}

fn capture_of(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut capture = [&0xa1b2_c3d4u32.to_le_bytes()[..], &[2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 101, 0, 0, 0]].concat();
    for frame in frames {
        capture.extend([7, 0, frame.len() as u32, frame.len() as u32].map(u32::to_le_bytes).concat());
        capture.extend(frame);
    }
    capture
}

const WHOLE: (u8, bool) = (0, false);

#[test]
fn tunnels_in_tunnels_are_opened_alike() {
    let mut frames = vec![ip_of(0, WHOLE, 17, &udp_of(9, b"hello"))];
    for n in 0..7 {
        frames.push(ip_of(0, WHOLE, 17, &gtp_of(n, frames.last().unwrap())));
    }
    // In two pieces, of which the second makes it whole; a tunnel in which the packet is cut off; one in GRE.
    let whole = frames[2][20..].to_vec();
    frames.extend([ip_of(1, (0, true), 17, &whole[..48]), ip_of(1, (6, false), 17, &whole[48..])]);
    frames.push(frames[1][..60].to_vec());
    frames.push(ip_of(0, WHOLE, 47, &[&[0, 0, 8, 0][..], &frames[3]].concat()));
    let (_, counted) = opened_or_not(&capture_of(&frames));
    assert_eq!((counted.packets, counted.tunnelled), (12, 10));
}

#[test]
fn pieces_in_tunnels_in_pieces_end() {
    // Each datagram holds the piece that completes the one before it.
    for (depth, wrapped, seen) in
        [(1, false, true), (4, false, true), (5, false, false), (60, false, false), (3, true, true), (4, true, false)]
    {
        let (mut frames, mut last) = (Vec::new(), udp_of(9, b"hello"));
        for n in 0..=depth {
            frames.push(ip_of(n, (0, true), 17, &last[..8]));
            last = if n < depth { gtp_of(n, &ip_of(n, (1, false), 17, &last[8..])) } else { ip_of(n, (1, false), 17, &last[8..]) };
        }
        frames.push(if wrapped { ip_of(99, WHOLE, 17, &gtp_of(99, &last)) } else { last });
        let (told, _) = opened_or_not(&capture_of(&frames));
        assert_eq!(told.iter().any(|event| event.contains("server_port: 9,")), seen, "{depth} {wrapped}");
    }
}

#[test]
fn records_that_are_cut_or_bent_anywhere() {
    let mut whole: Vec<Vec<u8>> = super::views::tsv().into_iter().map(|(_, text)| text.into_bytes()).collect();
    whole.extend(super::views::json().into_iter().map(|(_, text)| text.into_bytes()));
    whole.push(super::views::events().into_bytes());
    whole.extend(super::views::nine(true).into_iter().map(|(_, bytes)| bytes));
    for bytes in whole {
        let mut watch = Watch::new(Limits::default());
        for at in (0..bytes.len()).step_by(3) {
            records(&bytes[..at], &mut watch);
            let mut bent = bytes.clone();
            bent[at] ^= 0xff;
            records(&bent, &mut watch);
            // A length that is the largest there is.
            bent[at..].iter_mut().take(2).for_each(|b| *b = 0xff);
            records(&bent, &mut watch);
        }
        watch.finish(&mut |_, _| {});
    }
}

/// A template of so many fields without a byte between others, records for it, and the templates that come after.
#[test]
fn templates_cost_no_more_than_the_bytes_of_their_records() {
    let sized = |id: u16, body: &[u8]| [&id.to_be_bytes()[..], &((body.len() + 4) as u16).to_be_bytes(), body].concat();
    let datagram = |sets: &[Vec<u8>]| [&[0, 9, 0, 2][..], &[0; 4], &[0x65, 0, 0, 0], &[0; 8], &sets.concat()].concat();
    let fields = [[0, 8, 0, 4], [0, 12, 0, 4], [0, 2, 0, 1], [0, 1, 0, 1]].concat();
    let template = |id: u16, empty: u16, fields: &[u8]| {
        let count = empty + (fields.len() / 4) as u16;
        let empty: Vec<u8> = (0..empty).flat_map(|n| [0, [7, 11][usize::from(n % 2)], 0, 0]).collect();
        sized(0, &[&id.to_be_bytes()[..], &count.to_be_bytes(), &empty, fields].concat())
    };
    let record = [10, 0, 0, 1, 10, 0, 0, 2, 3, 99];
    let read = |watch: &mut Watch, sets: &[Vec<u8>]| {
        let before = watch.counters.records;
        let trouble = watch.export(netflow::From::Input(0), &datagram(sets), None, 1, &mut |_, _| {});
        (watch.counters.records - before, trouble)
    };
    let mut watch = Watch::new(Limits::default());
    assert_eq!(read(&mut watch, &[template(300, 900, &fields), sized(300, &record.repeat(2000))]), (2000, None));
    for refused in [template(300, 16_000, &fields), template(300, 12, &[])] {
        let (records, trouble) = read(&mut watch, &[refused, sized(300, &record.repeat(2000))]);
        assert!(records == 0 && trouble.is_some_and(|t| t.contains("template")), "{records} {trouble:?}");
    }
    // What waited for it is read all the same once there is one, and a number is taken away by itself.
    assert_eq!(read(&mut watch, &[template(300, 0, &fields)]), (4000, None));
    assert_eq!(read(&mut watch, &[sized(0, &[1, 44, 0, 0]), sized(300, &record)]), (0, None));
    assert_eq!(watch.counters.untemplated, 1);
}

/// All templates of a domain are taken away at once, again and again, while many of others are kept.
#[test]
fn taking_templates_away_costs_what_is_taken_away() {
    let message = |domain: u32, body: &[u8]| {
        let length = (body.len() + 16) as u16;
        [&[0, 10][..], &length.to_be_bytes(), &[0x65, 0, 0, 0], &[0; 4], &domain.to_be_bytes(), body].concat()
    };
    let mut watch = Watch::new(Limits::default());
    let mut export = |bytes: &[u8]| watch.export(netflow::From::Input(0), bytes, None, 1, &mut |_, _| {});
    let many: Vec<u8> = (256..7000u16).flat_map(|id| [&id.to_be_bytes()[..], &[0, 1, 0, 8, 0, 4]].concat()).collect();
    let set = [&[0, 2][..], &((many.len() + 4) as u16).to_be_bytes(), &many].concat();
    for domain in 0..15 {
        assert_eq!(export(&message(domain, &set)), None);
    }
    let gone = [&[0, 2][..], &60_004u16.to_be_bytes(), &[0, 2, 0, 0].repeat(15_000)].concat();
    let begun = std::time::Instant::now();
    assert_eq!(export(&message(3, &gone)), None);
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
    let record = |domain| message(domain, &[1, 0, 0, 8, 10, 0, 0, 1]);
    assert_eq!((export(&record(3)), export(&record(4))), (None, None));
    assert_eq!(watch.counters.untemplated, 1, "only those of that domain are gone");
}
