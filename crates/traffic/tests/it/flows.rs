//! Conversations: where they begin and end, and what there may be of them.

use umbilical_traffic::capture::Frame;
use umbilical_traffic::flow::{Event, Flow, Limits, Why};
use umbilical_traffic::link::Link;
use umbilical_traffic::names::Words;
use umbilical_traffic::packet::Flags;
use umbilical_traffic::time::Micros;
use umbilical_traffic::watch::Watch;

const A: [u8; 4] = [10, 0, 0, 1];
const B: [u8; 4] = [10, 0, 0, 2];
const SYN: u8 = Flags::SYN;
const ACK: u8 = Flags::ACK;
const FIN: u8 = Flags::FIN;

pub fn v4(src: [u8; 4], dst: [u8; 4], proto: u8, body: &[u8]) -> Vec<u8> {
    let length = (body.len() + 20) as u16;
    [&[0x45, 0][..], &length.to_be_bytes(), &[0, 0, 0, 0, 64, proto, 0, 0], &src, &dst, body].concat()
}

pub fn udp(src: [u8; 4], dst: [u8; 4], ports: (u16, u16), body: &[u8]) -> Vec<u8> {
    let length = (body.len() + 8) as u16;
    v4(src, dst, 17, &[&ports.0.to_be_bytes()[..], &ports.1.to_be_bytes(), &length.to_be_bytes(), &[0, 0], body].concat())
}

pub fn tcp(src: [u8; 4], dst: [u8; 4], ports: (u16, u16), flags: u8, sequence: u32, body: &[u8]) -> Vec<u8> {
    let head = [&ports.0.to_be_bytes()[..], &ports.1.to_be_bytes(), &sequence.to_be_bytes(), &[0; 4], &[0x50, flags, 1, 0, 0, 0, 0, 0]];
    v4(src, dst, 6, &[&head.concat(), body].concat())
}

/// What became of packets at their seconds.
fn watched(limits: Limits, packets: &[(i64, Vec<u8>)]) -> (Vec<(Flow, Why)>, usize, Watch) {
    let mut watch = Watch::new(limits);
    let (mut ends, mut active) = (Vec::new(), 0);
    let mut each = |event: Event<'_>, _: &Words| match event {
        Event::Start(_) | Event::Answered(_) | Event::Joined(_) | Event::Lookup(_) | Event::Broken(_) => {}
        Event::Active(_) => active += 1,
        Event::End(flow, why) => ends.push((flow.clone(), why)),
    };
    for (n, (second, bytes)) in packets.iter().enumerate() {
        let frame = Frame { number: n as u64 + 1, at: Micros::seconds(*second), link: Link::RAW, bytes, length: bytes.len() as u32 };
        watch.frame(&frame, &mut each);
    }
    watch.finish(&mut each);
    (ends, active, watch)
}

#[test]
fn both_ways_are_one() {
    let (ends, ..) = watched(
        Limits::default(),
        &[
            (0, tcp(A, B, (4000, 443), SYN, 1, b"")),
            (0, tcp(B, A, (443, 4000), SYN | ACK, 9, b"")),
            (1, tcp(A, B, (4000, 443), ACK, 2, b"hello")),
            (2, tcp(B, A, (443, 4000), ACK, 10, b"hi")),
            (2, tcp(A, B, (4000, 443), FIN | ACK, 7, b"")),
            (2, tcp(B, A, (443, 4000), FIN | ACK, 12, b"")),
            (60, udp(A, B, (1, 2), b"x")),
        ],
    );
    let (flow, why) = &ends[0];
    assert_eq!(*why, Why::Closed);
    assert_eq!((flow.up.packets, flow.down.packets, flow.up.payload, flow.down.payload), (3, 3, 5, 2));
    assert_eq!((flow.sizes[..3].to_vec(), flow.gaps[..2].to_vec()), (vec![5, -2, 0], vec![1000, 1000]));
    assert_eq!(flow.answered(), Some(true));
    assert_eq!((flow.first_frame, flow.last_frame), (1, 6));
    assert_eq!(ends[1].0.answered(), Some(false), "nobody said anything back");
}

#[test]
fn who_answers_did_not_begin() {
    let (ends, ..) =
        watched(Limits::default(), &[(0, tcp(B, A, (443, 4000), SYN | ACK, 9, b"")), (0, tcp(A, B, (4000, 443), ACK, 2, b""))]);
    assert_eq!((ends.len(), ends[0].0.key.client_port, ends[0].0.down.packets), (1, 4000, 1));
}

#[test]
fn silence_and_new_numbers_end_it() {
    let limits = Limits::default();
    let quiet = [(0, udp(A, B, (5, 6), b"x")), (61, udp(A, B, (5, 6), b"x")), (62, udp(B, A, (6, 5), b"x"))];
    let (ends, ..) = watched(limits, &quiet);
    assert_eq!(ends.iter().map(|(f, why)| (f.packets(), *why)).collect::<Vec<_>>(), [(1, Why::Idle), (2, Why::Trace)]);
    let never = Limits { idle: None, ..limits };
    assert_eq!(watched(never, &quiet).0.len(), 1);
    let again =
        [(0, tcp(A, B, (4000, 443), SYN, 1, b"")), (1, tcp(A, B, (4000, 443), SYN, 1, b"")), (2, tcp(A, B, (4000, 443), SYN, 77, b""))];
    let (ends, ..) = watched(limits, &again);
    assert_eq!(ends.iter().map(|(f, why)| (f.packets(), *why)).collect::<Vec<_>>(), [(2, Why::Anew), (1, Why::Trace)]);
}

#[test]
fn what_goes_on_is_told_of_each_five_seconds() {
    let packets: Vec<_> = (0..=60).map(|s| (s, udp(A, B, (5, 6), b"x"))).collect();
    let (ends, active, _) = watched(Limits::default(), &packets);
    assert_eq!((ends.len(), active), (1, 12));
}

#[test]
fn there_is_a_bound_and_what_is_beyond_is_counted() {
    let packets: Vec<_> =
        (0..5000u32).map(|n| (i64::from(n / 1000), tcp([10, 9, (n >> 8) as u8, n as u8], B, (1024, 80), SYN, n, b""))).collect();
    let (ends, _, watch) = watched(Limits { flows: 1000, ..Limits::default() }, &packets);
    assert_eq!((ends.len(), watch.flows().0), (5000, 5000));
    let evicted = ends.iter().filter(|(_, why)| *why == Why::Evicted).count() as u64;
    assert!(evicted >= 4000 && watch.flows().1 == evicted, "{evicted} {:?}", watch.flows());
}

/// Where no silence ends anything the oldest go.
#[test]
fn the_bound_holds_where_nothing_is_ever_over() {
    let limits = Limits { flows: 1000, idle: None, idle_tcp: None };
    let packets: Vec<_> = (0..20_000u32)
        .map(|n| {
            (i64::from(n / 10), tcp([10, 9, (n >> 8) as u8, n as u8], B, (1024, 80), if n % 2 == 0 { SYN } else { Flags::RST }, n, b""))
        })
        .collect();
    let (ends, _, watch) = watched(limits, &packets);
    let evicted = ends.iter().filter(|(_, why)| *why == Why::Evicted).count() as u64;
    assert_eq!((ends.len(), watch.flows()), (20_000, (20_000, evicted)));
    assert!((19_000..20_000).contains(&evicted), "{evicted}");
    let last: Vec<_> = ends.iter().filter(|(_, why)| *why == Why::Trace).map(|(f, _)| f.start).collect();
    assert!(last.iter().all(|at| *at >= Micros::seconds(1899)), "{:?}", last.iter().min());
    // Within a second not more go than must.
    let packets: Vec<_> = (0..12_000u32).map(|n| (0, udp([10, 9, (n >> 8) as u8, n as u8], B, (1024, 80), b""))).collect();
    let (ends, ..) = watched(Limits { flows: 10_000, ..limits }, &packets);
    let evicted: Vec<_> = ends.iter().filter(|(_, why)| *why == Why::Evicted).map(|(f, _)| f.first_frame).collect();
    assert_eq!((ends.len(), evicted.len(), evicted.iter().max()), (12_000, 4096, Some(&4096)));
}

/// A clock that is set back while conversations go on.
#[test]
fn nothing_ends_before_it_began() {
    let day = 86_400;
    let mut packets: Vec<_> = (0..20).map(|s| (day + s, udp(A, B, (s as u16 % 4, 6), b"x"))).collect();
    packets.extend((0..200).map(|s| (s, udp(A, B, (s as u16 % 2, 6), b"x"))));
    let (ends, active, _) = watched(Limits::default(), &packets);
    assert!(ends.iter().all(|(f, _)| f.start <= f.last && f.start >= Micros(0)), "{ends:?}");
    // Two went on, and were told of; the others were silent for long enough by the clock as it is.
    assert_eq!(
        ends.iter().map(|(f, why)| (f.packets(), *why)).collect::<Vec<_>>(),
        [(5, Why::Idle), (5, Why::Idle), (105, Why::Trace), (105, Why::Trace)]
    );
    assert!(active > 60, "{active}");
    let end = ends.iter().find(|(f, _)| f.packets() == 5).map(|(f, _)| (f.start, f.last));
    assert!(end.is_some_and(|(a, b)| a >= Micros::seconds(day) && b < Micros::seconds(day + 20)), "{end:?}");
}

#[test]
fn clocks_that_jump_lose_nothing_and_keep_nothing_for_ever() {
    let year = 31_536_000;
    let mut packets: Vec<_> = (0..10).map(|s| (s, udp(A, B, (s as u16, 6), b"x"))).collect();
    packets.push((year, udp(A, B, (100, 6), b"x")));
    packets.extend((10..200).map(|s| (s, udp(A, B, (s as u16, 6), b"x"))));
    let (ends, ..) = watched(Limits::default(), &packets);
    assert_eq!(ends.iter().map(|(f, _)| f.packets()).sum::<u64>(), packets.len() as u64);
    // After the clock is right again silence ends conversations as before.
    assert!(ends.iter().filter(|(_, why)| *why == Why::Idle).count() > 120);
}

#[test]
fn pieces_are_one_packet_in_any_order() {
    let whole = [&5000u16.to_be_bytes()[..], &6000u16.to_be_bytes(), &(8 + 3000u16).to_be_bytes(), &[0, 0], &[7; 3000]].concat();
    let piece = |from: usize, to: usize| {
        let more = u16::from(to < whole.len()) << 13;
        let mut packet = v4(A, B, 17, &whole[from..to.min(whole.len())]);
        packet[4..6].copy_from_slice(&77u16.to_be_bytes());
        packet[6..8].copy_from_slice(&(more | (from / 8) as u16).to_be_bytes());
        (0, packet)
    };
    let parts = [piece(0, 1480), piece(1480, 2960), piece(2960, 4440)];
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let (ends, ..) = watched(Limits::default(), &order.map(|n| parts[n].clone()));
        assert_eq!(ends.len(), 1, "{order:?}");
        let flow = &ends[0].0;
        assert_eq!((flow.key.client_port, flow.key.server_port, flow.up.payload), (5000, 6000, 3000));
        assert_eq!(flow.up.bytes, 3008 + 60);
    }
}

#[test]
fn a_conversation_of_dns_has_the_name_that_is_asked_for() {
    let question = [&[0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 5][..], b"Meter\x07example\0\0\x01\0\x01"].concat();
    let mut answer = [&question[..], &[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 9]].concat();
    answer[2..4].copy_from_slice(&[0x81, 0x80]);
    answer[6..8].copy_from_slice(&[0, 1]);
    let packets =
        [(0, udp(A, B, (4000, 53), &question)), (0, udp(B, A, (53, 4000), &answer)), (1, tcp(A, [192, 0, 2, 9], (4001, 443), SYN, 1, b""))];
    let (ends, _, watch) = watched(Limits::default(), &packets);
    for (flow, _) in &ends {
        assert_eq!(flow.names.dns.map(|w| watch.words.get(w)), Some("meter.example"), "{:?}", flow.key);
    }
    assert_eq!(ends.len(), 2);
}
