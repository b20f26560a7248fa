//! Streams, as microphones and cameras send them, and what is none.

use umbilical_traffic::detect::{Alert, Given};

use crate::detect::{Dice, ME, PEER, Timed, found};
use crate::flows::{tcp, udp};

fn streams(packets: Vec<Timed>) -> Vec<Alert> {
    found(packets, Given::default()).into_iter().filter(|a| a.about.code == "media-uplink").collect()
}

/// Datagrams at a pace for so many seconds, of about so many bytes.
fn sends(pace: f64, size: usize, seconds: f64, port: u16, dice: &mut Dice) -> Vec<Timed> {
    let (mut at, mut out) = (0.0, Vec::new());
    while at < seconds {
        let body = vec![0x80; (size as f64 * (0.85 + 0.3 * dice.next())) as usize];
        out.push(((at * 1e6) as i64, udp(ME, PEER, (6000, port), &body)));
        at += (0.9 + 0.2 * dice.next()) / pace;
    }
    out
}

#[test]
fn speech_and_pictures_are_streams_whatever_they_are_coded_in() {
    let mut dice = Dice(3);
    for case in 0..24 {
        // G.729 to Opus by their packets; cameras from a tenth to two megabits.
        let speech = case % 2 == 0;
        let (pace, size) =
            if speech { (20.0 + dice.next() * 40.0, 40 + (dice.next() * 200.0) as usize) } else { (12.0 + dice.next() * 200.0, 900) };
        let alerts = streams(sends(pace, size, 70.0, 4000 + case, &mut dice));
        let [alert] = alerts.as_slice() else { panic!("{pace} {size}: {alerts:?}") };
        let what = if speech { "as speech is sent" } else { "as pictures are sent" };
        assert!(alert.reason.did.contains(what), "{pace} {size}: {}", alert.reason.did);
        assert!(alert.at.0 <= 45_000_000, "{}", alert.at);
    }
}

#[test]
fn telemetry_files_and_bursts_are_no_streams() {
    let mut dice = Dice(4);
    // A reading each second.
    assert!(streams(sends(1.0, 200, 120.0, 5683, &mut dice)).is_empty());
    // Too short.
    assert!(streams(sends(50.0, 160, 15.0, 4000, &mut dice)).is_empty());
    // A burst each ten seconds.
    let bursts =
        (0..12).flat_map(|n| sends(40.0, 300, 2.0, 4000, &mut Dice(n)).into_iter().map(move |(at, b)| (at + n as i64 * 10_000_000, b)));
    assert!(streams(bursts.collect()).is_empty());
    // A file by TCP, half a minute.
    let mut file = vec![(0, tcp(ME, PEER, (5000, 443), 2, 1, b"")), (1, tcp(PEER, ME, (443, 5000), 0x12, 1, b""))];
    file.extend((0..3000u32).map(|n| (i64::from(n) * 11_000, tcp(ME, PEER, (5000, 443), 0x10, 2 + n * 1400, &[7; 1400]))));
    assert!(streams(file).is_empty());
    // What comes down is no stream of the device.
    let down = sends(50.0, 900, 70.0, 4000, &mut dice).into_iter().map(|(at, _)| (at, udp(PEER, ME, (4000, 6000), &[7; 900])));
    let asked = std::iter::once((0, udp(ME, PEER, (6000, 4000), b"play")));
    assert!(streams(asked.chain(down).collect()).is_empty());
}
