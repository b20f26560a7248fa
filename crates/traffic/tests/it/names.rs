//! What conversations say of themselves in more than one payload.

use umbilical_traffic::capture::Frame;
use umbilical_traffic::detect::Given;
use umbilical_traffic::flow::{Event, Flow, Limits, Seen};
use umbilical_traffic::link::Link;
use umbilical_traffic::lists::Indicators;
use umbilical_traffic::names::{App, Body, Names, Words};
use umbilical_traffic::record::{eve, zeek};
use umbilical_traffic::time::Micros;
use umbilical_traffic::watch::Watch;

use crate::detect::{ME, PEER, Timed, found};
use crate::flows::tcp;

/// A conversation of TCP: who speaks (`true`: the client) and what, each in segments of at most so many bytes.
pub(crate) fn speak(at: i64, ports: (u16, u16), turns: &[(bool, &[u8])], most: usize) -> Vec<Timed> {
    let (mut up, mut down) = (2u32, 2u32);
    let mut out = vec![(at, tcp(ME, PEER, ports, 2, 1, b"")), (at + 1, tcp(PEER, ME, (ports.1, ports.0), 0x12, 1, b""))];
    for (client, bytes) in turns {
        for part in bytes.chunks(most.max(1)) {
            let when = at + 10_000 * out.len() as i64;
            let sequence = if *client { &mut up } else { &mut down };
            out.push((
                when,
                if *client {
                    tcp(ME, PEER, ports, 0x18, *sequence, part)
                } else {
                    tcp(PEER, ME, (ports.1, ports.0), 0x18, *sequence, part)
                },
            ));
            *sequence = sequence.wrapping_add(part.len() as u32);
        }
    }
    out
}

/// The conversations of packets, when they are over.
pub(crate) fn ended(packets: &[Timed]) -> (Vec<Flow>, Words) {
    let mut watch = Watch::new(Limits::default());
    let mut ends = Vec::new();
    let mut each = |event: Event<'_>, _: &Words| {
        if let Event::End(flow, _) = event {
            ends.push(flow.clone());
        }
    };
    for (n, (at, bytes)) in packets.iter().enumerate() {
        let frame = Frame { number: n as u64 + 1, at: Micros(*at), link: Link::RAW, bytes, length: bytes.len() as u32 };
        watch.frame(&frame, &mut each);
    }
    watch.finish(&mut each);
    (ends, watch.words)
}

fn got(request: &str, head: &str, body: &[u8], most: usize) -> (Option<String>, Option<Body>) {
    let response = [head.as_bytes(), body].concat();
    let (ends, words) = ended(&speak(0, (40_000, 8080), &[(true, request.as_bytes()), (false, &response)], most));
    let names = ends[0].names;
    (names.mime.map(|m| words.get(m).to_owned()), names.body)
}

const GET: &str = "GET /fota/v2.bin HTTP/1.1\r\nHost: updates.example\r\n\r\n";
const OCTETS: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 5000\r\n\r\n";

#[test]
fn the_body_of_a_response_is_told_by_its_first_bytes_wherever_segments_end() {
    let image = [b"hsqs".to_vec(), vec![7; 4996]].concat();
    let told = (Some("application/octet-stream".to_owned()), Some(Body::Squashfs));
    for most in [30, 83, 84, 85, 88, 100, 1400] {
        assert_eq!(got(GET, OCTETS, &image, most), told, "{most}");
    }
    let mut tar = b"fw/rootfs".to_vec();
    tar.resize(257, 0);
    tar.extend(b"ustar\0");
    tar.resize(5000, 1);
    for most in [120, 300, 1400] {
        assert_eq!(got(GET, OCTETS, &tar, most).1, Some(Body::Tar), "{most}");
    }
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(got(GET, chunked, b"1000\r\nUBI#\x01\0\0\0\0\0", 1400), (None, Some(Body::Ubi)));
    // The trace ends in the middle: what there was counts.
    assert_eq!(got(GET, OCTETS, b"\x01\x02\x03", 1400).1, Some(Body::Other));
    assert_eq!(got(GET, &OCTETS[..60], b"", 1400), (Some("application/octet-stream".to_owned()), None));
}

#[test]
fn a_response_without_a_body_has_none() {
    assert_eq!(got(&GET.replace("GET", "HEAD"), OCTETS, b"hsqs", 1400).1, None);
    let part = "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 65536-70000/90000\r\nContent-Length: 4465\r\n\r\n";
    assert_eq!(got(GET, part, b"hsqs", 1400).1, Some(Body::Part));
    assert_eq!(got(GET, &part.replace("65536", "0"), b"hsqs", 1400).1, Some(Body::Squashfs));
    assert_eq!(got(GET, "220 mail.example ESMTP\r\n", b"hsqs", 1400), (None, None));
}

/// A message of a handshake.
fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &(body.len() as u32).to_be_bytes()[1..], body].concat()
}

fn record(kind: u8, part: &[u8]) -> Vec<u8> {
    [&[kind, 3, 3][..], &(part.len() as u16).to_be_bytes(), part].concat()
}

fn client_hello() -> Vec<u8> {
    record(22, &message(1, &[&[3, 3][..], &[5; 32], &[0, 0, 4, 0xc0, 0x2f, 0x13, 1, 1, 0]].concat()))
}

/// What a server says first; `new`: it chooses TLS 1.3.
fn server_flight(leaf: &[u8], new: bool) -> Vec<u8> {
    let extensions: &[u8] = if new { &[0, 6, 0, 43, 0, 2, 3, 4] } else { &[] };
    let hello = message(2, &[&[3, 3][..], &[6; 32], &[0, 0xc0, 0x2f, 0], extensions].concat());
    let one = [&(leaf.len() as u32).to_be_bytes()[1..], leaf].concat();
    let chain = message(11, &[&(one.len() as u32).to_be_bytes()[1..], &one].concat());
    [record(22, &[hello, chain].concat()), record(22, &message(14, &[]))].concat()
}

fn hashes(turns: &[(bool, &[u8])], most: usize) -> (Option<String>, Option<String>) {
    let (ends, words) = ended(&speak(0, (40_000, 8443), turns, most));
    let names = ends[0].names;
    assert_eq!(names.app, Some(App::Tls));
    let text = |word: Option<_>| word.map(|w| words.get(w).to_owned());
    (text(names.sha256), text(names.sha1))
}

/// The leaf of the tests: its hashes are those of `sha256sum` and `sha1sum` over 1000 bytes of `0`.
const LEAF: [u8; 1000] = [b'0'; 1000];
const SHA256: &str = "c31bca45696e0b4765427229a5fdae9a3f8dca1974e9b99229c70cf899a90e68";
const SHA1: &str = "88eaec963a0368e8854562e824b7fe2fdd3db8d1";

#[test]
fn certificates_are_hashed_wherever_segments_end() {
    let (hello, flight) = (client_hello(), server_flight(&LEAF, false));
    let told = (Some(SHA256.to_owned()), Some(SHA1.to_owned()));
    for most in [180, 500, 1400] {
        assert_eq!(hashes(&[(true, &hello), (false, &flight), (true, &record(20, &[1]))], most), told, "{most}");
    }
    let new = server_flight(&LEAF, true);
    assert_eq!(hashes(&[(true, &hello), (false, &new)], 1400), (None, None), "nobody shows it so");
    // Only what the server says was seen, or only what the client does.
    let (ends, _) = ended(&speak(0, (40_000, 8443), &[(false, &flight)], 1400));
    assert_eq!(ends[0].names.sha256, None);
    assert_eq!(hashes(&[(true, &hello), (true, &record(23, &[9; 90])), (false, &flight)], 1400), (None, None));
    // The end of it is missing.
    assert_eq!(hashes(&[(true, &hello), (false, &flight[..700])], 1400), (None, None));
}

#[test]
fn listed_certificates_are_found_however_their_hash_is_written() {
    let packets = || speak(0, (40_000, 8443), &[(true, &client_hello()), (false, &server_flight(&LEAF, false))], 1400);
    let colons = SHA1.as_bytes().chunks(2).map(|b| std::str::from_utf8(b).unwrap().to_uppercase()).collect::<Vec<_>>().join(":");
    for (line, mark) in [(SHA256.to_owned(), SHA256), (format!("2026-11-01,{SHA1},somebody"), SHA1), (colons, SHA1)] {
        let mut indicators = Indicators::default();
        assert_eq!(indicators.add("a list", line.as_bytes()).unwrap(), []);
        let alerts = found(packets(), Given { indicators, ..Given::default() });
        let [alert] = alerts.as_slice() else { panic!("{line}: {alerts:?}") };
        assert_eq!((alert.about.code, alert.peer.as_deref()), ("indicator", Some(mark)));
        assert_eq!(alert.reason.did, format!("spoke with servers whose certificate has the hash {mark}"));
    }
}

/// The hashes that logs tell, and whose the certificate is.
fn logged(lines: &[&str], zeek_logs: bool) -> Vec<(Option<String>, Option<String>, Option<String>)> {
    let mut watch = Watch::new(Limits::default());
    let mut ends = Vec::new();
    let mut each = |event: Event<'_>, _: &Words| {
        if let Event::End(flow, _) = event {
            ends.push(flow.names);
        }
    };
    let (mut log, mut events) = (zeek::Log::new(Seen::NOTHING), eve::Log::default());
    for line in lines {
        if zeek_logs {
            log.line(line.as_bytes(), &mut watch, &mut each);
        } else {
            events.line(line.as_bytes(), &mut watch, &mut each);
        }
    }
    watch.finish(&mut each);
    assert_eq!((log.troubles.iter().count(), events.troubles.iter().count()), (0, 0));
    let text = |word: Option<_>| word.map(|w| watch.words.get(w).to_owned());
    let whose = |names: &Names| names.sha256.or(names.sha1).and_then(|w| watch.words.certified(w)?.subject.as_deref().map(str::to_owned));
    ends.iter().map(|names| (text(names.sha256), text(names.sha1), whose(names))).collect()
}

#[test]
fn certificates_are_told_by_logs() {
    let ends = r#""id.orig_h":"10.0.0.7","id.orig_p":40000,"id.resp_h":"198.51.100.9","id.resp_p":8443"#;
    let ssl = format!(
        r#"{{"ts":1.5,"uid":"C1",{ends},"version":"TLSv12","cipher":"x","established":true,"cert_chain_fps":["{SHA256}","ab"],"subject":"CN=meter.example"}}"#
    );
    let file =
        |kind: &str, sha1: &str| format!(r#"{{"ts":1.6,"fuid":"F1","uid":"C1",{ends},"mime_type":"application/{kind}","sha1":"{sha1}"}}"#);
    let lines = [ssl + "\n", file("x-x509-ca-cert", &"1".repeat(40)) + "\n", file("x-x509-user-cert", SHA1) + "\n"];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let told = (Some(SHA256.to_owned()), Some(SHA1.to_owned()), Some("CN=meter.example".to_owned()));
    // Each log is one file.
    let mut watch = Vec::new();
    watch.extend(logged(&lines[..1], true));
    watch.extend(logged(&lines[1..], true));
    assert_eq!(watch, [(told.0.clone(), None, told.2.clone()), (None, told.1.clone(), None)]);

    let colons = SHA1.as_bytes().chunks(2).map(|b| std::str::from_utf8(b).unwrap()).collect::<Vec<_>>().join(":");
    let event = format!(
        r#"{{"timestamp":"2026-11-01T02:26:40.1+0000","event_type":"tls","src_ip":"10.0.0.7","src_port":40000,"dest_ip":"198.51.100.9","dest_port":8443,"proto":"TCP","tls":{{"subject":"CN=meter.example","issuerdn":"CN=ca","fingerprint":"{colons}","notbefore":"2026-01-01T00:00:00","notafter":"2027-01-01T00:00:00","sni":"meter.example"}}}}"#
    );
    assert_eq!(logged(&[&event], false), [(None, told.1, told.2)]);
}
