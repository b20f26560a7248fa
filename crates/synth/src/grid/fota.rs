//! Firmware that is had, in a window and out of it, and other downloads; and what leaves slowly.

use super::draw::{BASE36, HEX};
use super::{Cases, Draw};
use crate::scene::{ACK, FIN, SYN, TCP, Talk};

const CODE: &str = "fota";
/// Times that each shape is drawn.
const CASES: u32 = 24;
const HOUR: f64 = 3600.0;

/// The hours of a day in UTC between which updates may come, for whoever says so to the program. Scenes begin within them.
pub const WINDOW: (&str, &str) = ("01:00", "04:00");

const SERVERS: [&str; 6] = ["fota", "dl-ota", "rsota", "firmware", "fwupdate", "ota.m2m"];
const TARGETS: [&str; 6] = ["/fota/R07A08.bin", "/files/a.dfota", "/firmware/2.1/image.swu", "/dl/R07.delta", "/v1/ota?id=1", "/x.ubi"];
const OTHERS: [(&str, &str); 6] = [
    ("download.os.example", "/update/software/secu/kb1.cab"),
    ("archive.distribution.example", "/pool/main/l/linux/linux-image.deb"),
    ("store.example", "/edgedl/release2/browser.crx3"),
    ("dl.example.com", "/setup.exe"),
    ("video.example.com", "/quota/photo.mp4"),
    ("maps.example.com", "/tile/notation.bin"),
];

/// Within the window.
pub(super) fn inside(d: &mut Draw, out: &mut Cases) {
    updates(d, out, 0.0);
    for n in 0..CASES {
        let ((host, target), pieces) = (d.of(&OTHERS), d.within(1..=6));
        // Little, now and then: asking whether there is one.
        let asks = n % 4 == 3;
        let (host, target, size) = if asks {
            (format!("fota.{}", d.zone()), "/check?v=1".to_owned(), d.within(300..=20_000))
        } else {
            (host.to_owned(), target.to_owned(), d.within(600_000..=2_000_000))
        };
        let talks = fetch(d, 0.0, &host, &target, size, pieces);
        out.spare(format!("{host}{target}, {size} bytes in {pieces}, {n}"), talks);
    }
}

/// Outside of it.
pub(super) fn outside(d: &mut Draw, out: &mut Cases) {
    let begin = d.between(3.0, 20.0);
    updates(d, out, begin * HOUR);
}

fn updates(d: &mut Draw, out: &mut Cases, begin: f64) {
    for n in 0..CASES {
        // Server or target says what it is, or both do.
        let (server, target) = (format!("{}.{}", d.of(&SERVERS), d.zone()), d.of(&TARGETS).to_owned());
        let (host, target) = match n % 3 {
            0 => (server, format!("/get?file={}", d.text(HEX, 8))),
            1 => (format!("cdn.{}", d.zone()), target),
            _ => (server, target),
        };
        let (size, pieces, late) = (d.within(600_000..=2_500_000), d.within(1..=20), d.between(0.0, 600.0));
        let talks = fetch(d, begin + late, &host, &target, size, pieces);
        out.find(CODE, format!("{host}{target}, {size} bytes in {pieces}, {n}"), talks);
    }
}

/// Files that leave, little by little, to one server: as much as nobody looks at. No detector says so yet, so they have no truth.
pub(super) fn uploads(d: &mut Draw, out: &mut Cases) {
    for n in 0..20 {
        let (client, server, port, name) = (d.inside(), d.outside(), d.of(&[443, 443, 8443, 22]), format!("files.{}", d.zone()));
        let (hours, an_hour, each) = (d.within(6..=24), d.within(300_000..=2_000_000), d.between(60.0, 900.0));
        let (mut at, mut from, mut talks) = (0.0, 20_000, Vec::new());
        while at < f64::from(hours) * HOUR {
            let bytes = (f64::from(an_hour) * each / HOUR * d.between(0.5, 1.5)) as usize;
            let mut talk = if port == 443 {
                let mut talk = Talk::tls(at, client, server, from, &name);
                talk.packets.truncate(4);
                talk
            } else {
                begun(at, client, server, (from, port))
            };
            for (k, piece) in vec![d.within(0..=255) as u8; bytes].chunks(30_000).enumerate() {
                talk = talk.then(at + 0.1 + k as f64 * 0.05, true, ACK, piece.to_vec());
                talk = talk.then(at + 0.12 + k as f64 * 0.05, false, ACK, Vec::new());
            }
            talks.push(ended(talk, at + 20.0));
            from += 1;
            at += d.wait(each) + 1.0;
        }
        out.spare(format!("{an_hour} bytes an hour for {hours} h to port {port}, {n}"), talks);
    }
}

fn begun(at: f64, client: [u8; 4], server: [u8; 4], ports: (u16, u16)) -> Talk {
    let talk = Talk::new(client, server, ports, TCP).then(at, true, SYN, Vec::new());
    talk.then(at + 0.02, false, SYN | ACK, Vec::new()).then(at + 0.04, true, ACK, Vec::new())
}

fn ended(talk: Talk, at: f64) -> Talk {
    talk.then(at, true, FIN | ACK, Vec::new()).then(at + 0.02, false, FIN | ACK, Vec::new())
}

/// A file by HTTP in so many ranges, each a conversation, in segments as large as IP allows.
fn fetch(d: &mut Draw, begin: f64, host: &str, target: &str, size: u32, pieces: u32) -> Vec<Talk> {
    let (client, server, agent) = (d.inside(), d.outside(), d.text(BASE36, 9));
    let each = size / pieces + 1;
    let body: Vec<u8> = vec![d.within(1..=255) as u8; each as usize];
    (0..pieces)
        .map(|n| {
            let at = begin + f64::from(n) * 7.0;
            let range = format!("Range: bytes={}-{}", n * each, (n + 1) * each - 1);
            let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {agent}\r\n{range}\r\n\r\n");
            let head = format!("HTTP/1.1 206 Partial Content\r\nContent-Type: application/octet-stream\r\nContent-Length: {each}\r\n\r\n");
            let mut talk = begun(at, client, server, (20_000 + n as u16, 80)).then(at + 0.05, true, ACK, request.into_bytes()).then(
                at + 0.06,
                false,
                ACK,
                head.into_bytes(),
            );
            for (k, piece) in body.chunks(60_000).enumerate() {
                talk = talk.then(at + 0.07 + k as f64 * 0.01, false, ACK, piece.to_vec());
            }
            ended(talk, at + 5.0)
        })
        .collect()
}
