//! Who and where a device is, said in clear: many shapes by seed, and what only looks like it.

use umbilical_core::finding::Severity;
use umbilical_synth::{Rng, numbers};
use umbilical_traffic::capture::Frame;
use umbilical_traffic::cellular::Ue;
use umbilical_traffic::cellular::sessions::Declared;
use umbilical_traffic::detect::{Alert, Detectors, Given, Subject, Trace};
use umbilical_traffic::flow::{Limits, Seen};
use umbilical_traffic::link::Link;
use umbilical_traffic::record::{eve, zeek};
use umbilical_traffic::time::Micros;
use umbilical_traffic::watch::Watch;

use crate::detect::{ME, PEER, Timed, codes, found};
use crate::flows::udp;
use crate::names::speak;

/// What is found where the device is a module of which an operator wrote this down.
fn of_module(packets: &[Timed], module: Option<Declared>) -> Vec<Alert> {
    let (mut watch, mut detect) = (Watch::new(Limits::default()), Detectors::new(Given::default()));
    if let Some(module) = module {
        watch.sessions.declare(module);
    }
    for (n, (at, bytes)) in packets.iter().enumerate() {
        let frame = Frame { number: n as u64 + 1, at: Micros(*at), link: Link::RAW, bytes, length: bytes.len() as u32 };
        watch.frame(&frame, &mut |event, words| detect.see(&event, words));
    }
    watch.finish(&mut |event, words| detect.see(&event, words));
    let alerts = detect.finish(Trace { words: &watch.words, sessions: &watch.sessions }).0;
    alerts.into_iter().filter(|a| a.about.code == "cleartext-identity").collect()
}

fn module(imei: &str, imsi: &str, iccid: &str) -> Declared {
    let some = |t: &str| Some(t.to_owned());
    Declared {
        imei: some(imei),
        imsi: some(imsi),
        iccid: some(iccid),
        msisdn: None,
        apn: some("iot"),
        ue: vec![Ue::v4(ME)],
        from: None,
        to: None,
    }
}

fn pick<'a>(dice: &mut Rng, all: &[&'a str]) -> &'a str {
    all[dice.below(all.len() as u32) as usize]
}

fn digits(dice: &mut Rng, lead: &str, length: usize) -> String {
    let rest = (lead.len()..length).map(|_| char::from(b'0' + dice.below(10) as u8));
    lead.chars().chain(rest).collect()
}

/// A thing with its name before it, as programs write it.
fn called(dice: &mut Rng, name: &str, value: &str) -> String {
    let name = if dice.below(2) == 0 { name.to_owned() } else { name.to_ascii_uppercase() };
    match dice.below(6) {
        0 => format!("{{\"{name}\":\"{value}\"}}"),
        1 => format!("{{ \"dev{name}\" : {value} }}"),
        2 => format!("v=1&{name}={value}&t={}", digits(dice, "17", 13)),
        3 => format!("<{name}>{value}</{name}>"),
        4 => format!("##,{name}:{value},A;"),
        _ => format!("{name}%3D{value}"),
    }
}

/// How a device sends a text: packets, and by what the finding says that it came.
fn sent(dice: &mut Rng, text: &str) -> (Vec<Timed>, &'static str) {
    let port = 1 + dice.below(60_000) as u16;
    let tcp = |bytes: &[u8]| speak(0, (40_000, port), &[(true, bytes), (false, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")], 1400);
    let words = |t: &str| [&(t.len() as u16).to_be_bytes()[..], t.as_bytes()].concat();
    match dice.below(5) {
        0 => {
            (tcp(format!("GET /up?{} HTTP/1.1\r\nHost: {}\r\n\r\n", text.replace([' ', '<', '>'], ""), "a.example").as_bytes()), " by http")
        }
        1 => (tcp(format!("POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: {}\r\n\r\n{text}", text.len()).as_bytes()), " by http"),
        2 => {
            let connect = [&words("MQTT")[..], &[4, 2, 0, 60], &words("gw")].concat();
            let publish = [&words("gw/7")[..], text.as_bytes()].concat();
            let message = |first: u8, body: &[u8]| [&[first, body.len() as u8][..], body].concat();
            (tcp(&[message(0x10, &connect), message(0x30, &publish)].concat()), " by mqtt")
        }
        3 => (tcp(text.as_bytes()), ""),
        _ => (vec![(0, udp(ME, PEER, (40_000, port.max(200)), text.as_bytes()))], ""),
    }
}

#[test]
fn what_is_called_by_its_name_is_found_in_every_shape() {
    for seed in 0..120 {
        let mut dice = Rng::new(seed);
        let imei = numbers::imei(86_769_804, 100_000 + dice.below(800_000));
        let (imsi, msisdn) = (digits(&mut dice, "00101", 15), digits(&mut dice, "88288", 12));
        let card = digits(&mut dice, "8988", 19);
        let iccid = format!("{card}{}", umbilical_core::number::luhn_digit(&card).unwrap());
        let (latitude, longitude) = (f64::from(dice.below(160_000)) / 1000.0 - 80.0005, f64::from(dice.below(340_000)) / 1000.0 - 170.0005);
        let (text, tells, severity) = match seed % 5 {
            0 => (called(&mut dice, "imei", &imei), format!("said an IMEI {imei} "), Severity::Low),
            1 => (called(&mut dice, "imsi", &imsi), format!("said an IMSI {imsi} "), Severity::High),
            2 => (called(&mut dice, "iccid", &iccid), format!("said a card's number, ICCID {iccid} "), Severity::Medium),
            3 => (called(&mut dice, "msisdn", &msisdn), format!("said a telephone number, MSISDN {msisdn} "), Severity::High),
            _ => {
                let (a, b) = [("lat", "lon"), ("latitude", "longitude"), ("gpsLat", "gpsLng")][dice.below(3) as usize];
                let text = match dice.below(2) {
                    0 => format!("{{\"{a}\":{latitude:.5},\"{b}\":{longitude:.5}}}"),
                    _ => format!("{a}={latitude:.4}&{b}={longitude:.4}"),
                };
                (text, format!("said a position, near {latitude:.2}, {longitude:.2} "), Severity::Medium)
            }
        };
        let (packets, by) = sent(&mut dice, &text);
        let alerts = found(packets, Given::default());
        assert_eq!(codes(&alerts), ["cleartext-identity"], "{text} {seed}{by}");
        let alert = &alerts[0];
        assert!(alert.reason.did.starts_with(&tells), "{text}: {} but {tells}", alert.reason.did);
        assert!(alert.reason.did.ends_with(by), "{text}: {}", alert.reason.did);
        assert_eq!((alert.severity, alert.subject), (severity, Subject::Host(umbilical_traffic::packet::Addr::v4(ME))), "{text}");
    }
}

#[test]
fn a_module_s_own_number_counts_without_its_name() {
    let imei = numbers::imei(86_769_804, 17);
    let (imsi, iccid) = ("001010123456789", "89882390001234567891");
    let iccid = format!("{}{}", &iccid[..19], umbilical_core::number::luhn_digit(&iccid[..19]).unwrap());
    let own = || Some(module(&imei, imsi, &iccid));
    for (number, tells) in [(&*imei, "said its IMEI"), (imsi, "said its IMSI"), (&*iccid, "said its card's number, ICCID")] {
        let packets = speak(0, (40_000, 9000), &[(true, format!("login {number} ok\n").as_bytes())], 1400);
        let alerts = of_module(&packets, own());
        assert_eq!(alerts.len(), 1, "{number}");
        assert!(alerts[0].reason.did.starts_with(tells), "{}", alerts[0].reason.did);
        assert!(matches!(alerts[0].subject, Subject::Session(_)));
        // Nobody knows whose it is; and it is somebody else's.
        assert_eq!(of_module(&packets, None), []);
        assert_eq!(of_module(&packets, Some(module(&numbers::imei(86_769_804, 18), "001010999999999", ""))), []);
    }
    // Who and where together is more than either.
    let both = format!("$GPRMC,081836,A,3751.65,S,14507.36,E,000.0,360.0,130998,011.3,E*62\r\n{imei}\r\n");
    let alerts = of_module(&[(0, udp(ME, PEER, (5000, 5000), both.as_bytes()))], own());
    assert_eq!((alerts.len(), alerts[0].severity), (1, Severity::High));
    assert_eq!(alerts[0].reason.more, ["It also said a position, near -37.86, 145.12"]);
    // A module that serves tells whoever calls it.
    let calls: Vec<Timed> = vec![
        (0, crate::flows::tcp(PEER, ME, (4000, 2947), 2, 1, b"")),
        (1, crate::flows::tcp(ME, PEER, (2947, 4000), 0x12, 1, b"")),
        (2, crate::flows::tcp(ME, PEER, (2947, 4000), 0x18, 2, format!("imei={imei}\n").as_bytes())),
    ];
    let alerts = of_module(&calls, own());
    assert_eq!((alerts.len(), alerts[0].peer.as_deref()), (1, Some("198.51.100.9")));
}

#[test]
fn what_does_not_leave_or_is_none_is_not_told() {
    let imei = numbers::imei(86_769_804, 17);
    let text = format!("imei={imei}");
    for inside in [[10, 9, 9, 9], [192, 168, 1, 1], [172, 20, 0, 1], [100, 64, 0, 9], [127, 0, 0, 1], [239, 1, 1, 1]] {
        assert!(found(vec![(0, udp(ME, inside, (5000, 5000), text.as_bytes()))], Given::default()).is_empty(), "{inside:?}");
    }
    // Behind the beginning of TLS nothing is read, whatever it looks like.
    let hello = [&[22, 3, 1, 0, 45, 1, 0, 0, 41, 3, 3][..], &[5; 32], &[0, 0, 2, 0xc0, 0x2f, 1, 0]].concat();
    let closed = speak(0, (40_000, 8443), &[(true, &hello), (true, text.as_bytes()), (true, text.as_bytes())], 1400);
    assert!(found(closed, Given::default()).is_empty());
    // What a server answers is its own affair.
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{text}");
    let got = speak(0, (40_000, 80), &[(true, b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"), (false, answer.as_bytes())], 1400);
    assert!(found(got, Given::default()).is_empty());
    for seed in 0..60 {
        let mut dice = Rng::new(seed);
        let length = 14 + dice.below(7) as usize;
        let number = digits(&mut dice, "", length);
        let plain = pick(&mut dice, &["order", "t", "id", "sn", "tracking", "card", "session", "uid"]).to_owned();
        let wrong = format!("{}{}", &imei[..14], (imei.as_bytes()[14] - b'0' + 1 + dice.below(8) as u8) % 10);
        let texts = [
            called(&mut dice, &plain, &number),
            called(&mut dice, "imei", &wrong),
            format!("{{\"imei\":null,\"{plain}\":\"{number}\"}}"),
            format!("{{\"id\":\"{:08x}-e29b-41d4-a716-446655440000\"}}", dice.below(u32::MAX)),
            format!("{{\"lat\":{}.{},\"zoom\":13.37770}}", dice.below(80), digits(&mut dice, "", 5)),
            format!("lat={}.1&lon={}.2", dice.below(80), dice.below(170)),
            format!("latency={}.12345&along={}.12345", dice.below(80), dice.below(80)),
            format!("$GPRMC,{},V,,,,,,,{},,,N", digits(&mut dice, "", 6), digits(&mut dice, "", 6)),
            format!("ts={}", digits(&mut dice, "2026110", 17)),
        ];
        for text in texts {
            let (packets, _) = sent(&mut dice, &text);
            let alerts = found(packets, Given::default());
            assert!(alerts.is_empty(), "{text}: {alerts:?}");
        }
    }
}

#[test]
fn logs_of_http_are_read_too() {
    let imei = numbers::imei(86_769_804, 17);
    let line = format!(
        "{{\"ts\":1.5,\"uid\":\"C1\",\"id.orig_h\":\"10.0.0.7\",\"id.orig_p\":40000,\"id.resp_h\":\"198.51.100.9\",\"id.resp_p\":80,\"trans_depth\":1,\"method\":\"GET\",\"host\":\"a.example\",\"uri\":\"/up?imei={imei}\"}}"
    );
    let event = format!(
        "{{\"timestamp\":\"2026-11-01T02:26:40.1+0000\",\"event_type\":\"http\",\"src_ip\":\"10.0.0.7\",\"src_port\":40000,\"dest_ip\":\"198.51.100.9\",\"dest_port\":80,\"proto\":\"TCP\",\"http\":{{\"hostname\":\"a.example\",\"url\":\"/up?imei={imei}\"}}}}"
    );
    for zeeks in [true, false] {
        let (mut watch, mut detect) = (Watch::new(Limits::default()), Detectors::new(Given::default()));
        let (mut log, mut events) = (zeek::Log::new(Seen::NOTHING), eve::Log::default());
        let mut each = |event: umbilical_traffic::flow::Event<'_>, words: &umbilical_traffic::names::Words| detect.see(&event, words);
        if zeeks {
            log.line(line.as_bytes(), &mut watch, &mut each);
        } else {
            events.line(event.as_bytes(), &mut watch, &mut each);
        }
        watch.finish(&mut each);
        let alerts = detect.finish(Trace { words: &watch.words, sessions: &watch.sessions }).0;
        assert_eq!(codes(&alerts), ["cleartext-identity"]);
        assert_eq!(alerts[0].peer.as_deref(), Some("a.example:80"));
    }
}
