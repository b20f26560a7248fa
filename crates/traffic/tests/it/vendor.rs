//! Clouds of makers, and firmware that comes to a device.

use umbilical_core::finding::{DETECTED, Severity};
use umbilical_knowledge::Knowledge;
use umbilical_traffic::capture::Frame;
use umbilical_traffic::detect::{Alert, Detectors, Given, Trace};
use umbilical_traffic::flow::Limits;
use umbilical_traffic::link::Link;
use umbilical_traffic::lists::Expected;
use umbilical_traffic::packet::Addr;
use umbilical_traffic::places::{Operators, Place};
use umbilical_traffic::time::Micros;
use umbilical_traffic::watch::Watch;

use crate::detect::{Dice, ME, PEER, Timed, found};
use crate::flows::tcp;

/// 2026-11-03, a Tuesday, 00:00 UTC.
const TUESDAY: i64 = 1_793_664_000;

/// One request of HTTP and what comes back, in segments as large as IP allows.
fn fetch(second: i64, port: u16, host: &str, target: &str, bytes: usize) -> Vec<Timed> {
    let at = second * 1_000_000;
    let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nRange: bytes=0-\r\n\r\n");
    let mut out = vec![
        (at, tcp(ME, PEER, (port, 80), 2, 1, b"")),
        (at + 1, tcp(PEER, ME, (80, port), 0x12, 1, b"")),
        (at + 2, tcp(ME, PEER, (port, 80), 0x18, 2, request.as_bytes())),
        (at + 3, tcp(PEER, ME, (80, port), 0x18, 2, b"HTTP/1.1 206 Partial Content\r\nContent-Type: application/octet-stream\r\n\r\n")),
    ];
    let body = vec![0x5a; 60_000];
    for n in 0..bytes.div_ceil(60_000) {
        let body = &body[..60_000.min(bytes - n * 60_000)];
        out.push((at + 4 + n as i64 * 1000, tcp(PEER, ME, (80, port), 0x10, 80 + n as u32 * 60_000, body)));
    }
    out.push((at + 4_000_000, tcp(ME, PEER, (port, 80), 0x11, 3, b"")));
    out.push((at + 4_000_001, tcp(PEER, ME, (80, port), 0x11, 9, b"")));
    out
}

fn given(expected: &str) -> Given {
    let kb = Knowledge::embedded();
    Given { operators: Operators::new(&kb), expected: Expected::read(expected, DETECTED).unwrap(), ..Given::default() }
}

fn of(alerts: &[Alert], code: &str) -> Vec<Alert> {
    alerts.iter().filter(|a| a.about.code == code).cloned().collect()
}

/// Names, targets, sizes and pieces are drawn; in the window and out of it.
#[test]
fn firmware_is_told_whatever_it_is_called_and_however_it_comes() {
    let mut dice = Dice(8);
    let mut draw = |n: usize| (dice.next() * n as f64) as usize;
    let hosts =
        ["fota.maker.example", "dl-ota.m2m.example", "rsota.example.com", "firmware.meter.example", "cdn.maker.example", "a.b.example"];
    let targets = ["/fota/EG25GGBR07A08M2G.bin", "/v1/ota?imei=1", "/files/a.dfota", "/firmware/2.1/image.swu", "/dl/R07.delta", "/x.ubi"];
    for case in 0..40 {
        // Server or target says what it is, or both do.
        let (host, target) = if case % 2 == 0 { (hosts[draw(6)], targets[draw(6)]) } else { (hosts[draw(4)], "/get?file=17") };
        let size = 600_000 + draw(4_000_000);
        let pieces = 1 + draw(20);
        let inside = case % 4 < 2;
        let begin = TUESDAY + if inside { 2 * 3600 } else { 12 * 3600 } + draw(600) as i64;
        let packets = (0..pieces).flat_map(|n| fetch(begin + n as i64 * 7, 20_000 + n as u16, host, target, size / pieces + 1));
        let alerts = found(packets.collect(), given("[[window]]\nfrom = \"01:00\"\nuntil = \"04:00\"\n"));
        let [alert] = of(&alerts, "fota").try_into().unwrap_or_else(|a| panic!("{host}{target} {size} in {pieces}: {a:?}"));
        assert_eq!((alert.peer.as_deref(), alert.flows), (Some(host), pieces as u64));
        assert_eq!(alert.severity, if inside { Severity::Medium } else { Severity::High }, "{:?}", alert.reason);
    }
}

#[test]
fn other_downloads_are_no_firmware() {
    for (host, target, size) in [
        ("download.windowsupdate.com", "/c/msdownload/update/software/secu/2026/10/windows-kb1.cab", 3_000_000),
        ("archive.ubuntu.com", "/ubuntu/pool/main/l/linux/linux-image.deb", 3_000_000),
        ("update.googleapis.com", "/edgedl/release2/chrome/x.crx3", 3_000_000),
        ("dl.example.com", "/setup.exe", 3_000_000),
        ("video.example.com", "/quota/photo.mp4", 3_000_000),
        ("maps.example.com", "/tile/notation.bin", 900_000),
        // Asking whether there is one brings little.
        ("fota.maker.example", "/check?v=1", 20_000),
    ] {
        let alerts = found(fetch(TUESDAY, 20_000, host, target, size), given(""));
        assert!(of(&alerts, "fota").is_empty(), "{host}{target}");
    }
}

/// What a server is called says nothing where what it gives begins as firmware does; the pieces behind the first are more of it.
#[test]
fn firmware_is_told_by_how_it_begins() {
    let image = |magic: &[u8]| {
        let head = [b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n", magic].concat();
        let mut packets = fetch(TUESDAY, 20_000, "cdn.example", "/17", 400_000);
        packets[3].1 = tcp(PEER, ME, (80, 20_000), 0x18, 2, &head);
        packets.extend(fetch(TUESDAY + 60, 20_001, "cdn.example", "/17", 400_000));
        of(&found(packets, given("")), "fota").len()
    };
    assert_eq!(image(b"UBI#\x01\0\0\0\0\0\0\0\0\0\x08\0\0\0\x10\0"), 1);
    assert_eq!(image(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0"), 0);
    assert_eq!(image(b"just some text that goes on for a while, as texts do"), 0);
}

#[test]
fn an_update_server_that_is_not_written_down_or_stands_elsewhere() {
    let severity = |pins: &str| {
        let alerts = found(fetch(TUESDAY, 20_000, "fota.maker.example", "/a.bin", 900_000), given(pins));
        of(&alerts, "fota")[0].severity
    };
    assert_eq!(severity(""), Severity::Medium);
    assert_eq!(severity("[[update-server]]\nhost = \"maker.example\"\nnetworks = [\"198.51.100.0/24\"]\n"), Severity::Medium);
    assert_eq!(severity("[[update-server]]\nhost = \"maker.example\"\nnetworks = [\"203.0.113.0/24\"]\n"), Severity::High);
    assert_eq!(severity("[[update-server]]\nhost = \"other.example\"\n"), Severity::High);
    // A server that is written down is one, whatever it is called.
    let alerts = found(fetch(TUESDAY, 20_000, "plain.example", "/a.bin", 900_000), given("[[update-server]]\nhost = \"plain.example\"\n"));
    assert_eq!(of(&alerts, "fota").len(), 1);
    // A window of somebody else's says nothing of this one.
    let other = "[[window]]\nwho = [\"10.99.0.0/16\"]\nfrom = \"01:00\"\nuntil = \"04:00\"\n";
    assert_eq!(severity(other), Severity::Medium);
}

/// What is told of a download from [`PEER`] where a database has that in some place, asked anew for each: while it goes on, and behind it.
fn stood(pins: &str, databases: &[Option<Place>]) -> Vec<(Severity, String)> {
    let (mut watch, mut detect) = (Watch::new(Limits::default()), Detectors::new(given(pins)));
    for (n, (at, bytes)) in fetch(TUESDAY, 20_000, "fota.maker.example", "/a.bin", 900_000).iter().enumerate() {
        let frame = Frame { number: n as u64 + 1, at: Micros(*at), link: Link::RAW, bytes, length: bytes.len() as u32 };
        watch.frame(&frame, &mut |event, words| detect.see(&event, words));
    }
    assert_eq!(watch.open().count(), 1);
    let on: Vec<_> = databases.iter().map(|place| so_far(&mut detect, &watch, pins, place)).collect();
    watch.finish(&mut |event, words| detect.see(&event, words));
    let over: Vec<_> = databases.iter().map(|place| so_far(&mut detect, &watch, pins, place)).collect();
    assert_eq!(on, over);
    over
}

fn so_far(detect: &mut Detectors, watch: &Watch, pins: &str, place: &Option<Place>) -> (Severity, String) {
    let (at, trace) = (Micros::seconds(TUESDAY + 4), Trace { words: &watch.words, sessions: &watch.sessions });
    let mut asked = Vec::new();
    let mut place = |addr| {
        asked.push(addr);
        place.clone()
    };
    let alerts = of(&detect.so_far(at, trace, watch.open(), &mut place).0, "fota");
    // What is told does not change by asking, and only what matters is looked up.
    assert_eq!(alerts, of(&detect.so_far(at, trace, watch.open(), &mut place).0, "fota"));
    assert_eq!(asked, if pins.contains("asn") { vec![Addr::v4(PEER); 2] } else { Vec::new() });
    let [alert] = alerts.as_slice() else { panic!("{alerts:?}") };
    (alert.severity, alert.reason.more.join("; "))
}

#[test]
fn an_update_server_in_another_autonomous_system() {
    let system = |asn: u32| Some(Place { asn: Some(asn), ..Place::default() });
    let country = Some(Place { country: Some(*b"DE"), ..Place::default() });
    let pin = |more: &str| format!("[[update-server]]\nhost = \"maker.example\"\n{more}\n");
    let elsewhere = "was at 198.51.100.9 (AS64501), where it is not expected";
    let unknown = "No database that was given says in which autonomous system 198.51.100.9 is";
    let all = stood(&pin("asn = [64496, 64500]"), &[system(64_500), system(64_501), None, country.clone(), system(64_496)]);
    let severities: Vec<Severity> = all.iter().map(|(severity, _)| *severity).collect();
    // In clear text it is medium whoever sends it. What no database knows is neither clean nor an alarm.
    use Severity::{High, Medium};
    assert_eq!(severities, [Medium, High, Medium, Medium, Medium]);
    let said = |what: &str| all.iter().map(|(_, more)| more.contains(what)).collect::<Vec<_>>();
    assert_eq!(said(elsewhere), [false, true, false, false, false]);
    assert_eq!(said(unknown), [false, false, true, true, false]);
    // Networks and systems must both fit.
    let both = |network: &str| pin(&format!("networks = [\"{network}\"]\nasn = [64500]"));
    let of = |pins: &str, place: Option<Place>| stood(pins, &[place]).remove(0);
    assert_eq!(of(&both("198.51.100.0/24"), system(64_500)).0, Medium);
    assert!(of(&both("198.51.100.0/24"), system(64_501)).1.contains(elsewhere));
    assert_eq!(of(&both("203.0.113.0/24"), system(64_500)).0, High);
    let (severity, more) = of(&both("203.0.113.0/24"), None);
    assert!(severity == High && more.contains("was at 198.51.100.9, where") && !more.contains(unknown), "{more}");
    // Without such a pin nobody asks where it stands.
    let (severity, more) = of(&pin(""), system(64_501));
    assert!(severity == Medium && !more.contains("AS64501") && !more.contains(unknown), "{more}");
}

/// The end of a trace asks as well.
#[test]
fn what_a_trace_teaches_says_where_update_servers_stand() {
    let pins = "[[update-server]]\nhost = \"maker.example\"\nasn = [64500]\n";
    let (mut watch, mut detect) = (Watch::new(Limits::default()), Detectors::new(given(pins)));
    for (n, (at, bytes)) in fetch(TUESDAY, 20_000, "fota.maker.example", "/a.bin", 900_000).iter().enumerate() {
        let frame = Frame { number: n as u64 + 1, at: Micros(*at), link: Link::RAW, bytes, length: bytes.len() as u32 };
        watch.frame(&frame, &mut |event, words| detect.see(&event, words));
    }
    watch.finish(&mut |event, words| detect.see(&event, words));
    let trace = Trace { words: &watch.words, sessions: &watch.sessions };
    detect.learn(("a", Vec::new()), trace, &mut |_| Some(Place { asn: Some(64_501), ..Place::default() }));
    assert_eq!(of(&detect.finish(trace).0, "fota")[0].severity, Severity::High);
}

#[test]
fn a_makers_cloud_is_told_with_its_operator_and_silicon_is_less() {
    let alerts = found(fetch(TUESDAY, 20_000, "iot-south.quectel.com", "/", 100), given(""));
    let [alert] = of(&alerts, "vendor-cloud").try_into().unwrap();
    assert_eq!((alert.peer.as_deref(), alert.severity), (Some("iot-south.quectel.com"), Severity::Medium));
    assert!(alert.reason.more[0].contains("Quectel") && alert.reason.more[0].contains("law of CN"), "{:?}", alert.reason);
    let alerts = found(fetch(TUESDAY, 20_000, "xtrapath1.izatcloud.net", "/xtra2.bin", 60_000), given(""));
    assert_eq!(of(&alerts, "vendor-cloud")[0].severity, Severity::Info);
    assert!(of(&found(fetch(TUESDAY, 20_000, "www.example.com", "/", 100), given("")), "vendor-cloud").is_empty());
}
