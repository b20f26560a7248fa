//! Echoes and time: what carries something else, and what only looks odd.

use umbilical_traffic::detect::{Alert, Given};

use crate::detect::{Dice, ME, PEER, Timed, found};
use crate::flows::{udp, v4};

fn of(code: &str, packets: Vec<Timed>) -> Vec<Alert> {
    found(packets, Given::default()).into_iter().filter(|a| a.about.code == code).collect()
}

fn echo(from: [u8; 4], to: [u8; 4], kind: u8, id: u16, n: u16, body: &[u8]) -> Vec<u8> {
    v4(from, to, 1, &[&[kind, 0, 0, 0][..], &id.to_be_bytes(), &n.to_be_bytes(), body].concat())
}

fn chance(d: &mut Dice, size: usize) -> Vec<u8> {
    (0..size).map(|_| (d.next() * 256.0) as u8).collect()
}

fn below(d: &mut Dice, most: usize) -> usize {
    (d.next() * most as f64) as usize
}

/// A packet of IP with a right checksum.
fn packet(d: &mut Dice, size: usize) -> Vec<u8> {
    let mut out = v4([10, 9, 0, 1], [10, 9, 0, 2], 6, &chance(d, size));
    let sum: u32 = out[..20].chunks(2).map(|w| u32::from(w[0]) << 8 | u32::from(w[1])).sum();
    let sum = !((sum & 0xffff) + (sum >> 16)) as u16;
    out[10..12].copy_from_slice(&sum.to_be_bytes());
    out
}

/// Programs that tunnel, by how they do it.
#[derive(Clone, Copy, Debug)]
enum Tunnel {
    /// 28 bytes of its own, then a piece of a stream; acknowledgements without (ptunnel).
    Stream,
    /// The client asks with nothing or with what a shell printed, the answer is what to do (icmpsh).
    Shell,
    /// A short mark, then packets of IP of both sides (hans).
    Marked,
    /// Packets of IP and nothing else (icmptunnel).
    Bare,
    /// Blocks of one size that the other side sends back as they are.
    Out,
}

fn tunnel(kind: Tunnel, d: &mut Dice) -> Vec<Timed> {
    let (id, gap) = (below(d, 65_000) as u16, [20_000, 200_000, 1_000_000][below(d, 3)]);
    let mut out = Vec::new();
    for n in 0..60u16 {
        let at = i64::from(n) * gap;
        let (asks, answers) = match kind {
            Tunnel::Stream => {
                let head = |state: u8, d: &mut Dice| {
                    [&[0xd5, 0x20, 8, 0x80][..], &[0, 0, 0, 0, 0, 0, 0, 22, 0, 0, 0, state], &chance(d, 12)].concat()
                };
                let (sent, got) = (below(d, 900), below(d, 900));
                ([head(1, d), chance(d, sent)].concat(), [head(2, d), chance(d, got)].concat())
            }
            Tunnel::Shell => {
                let said = below(d, 3);
                let printed = format!("total {n}\ndrwxr-xr-x {n} root root {}", "x".repeat(below(d, 20)));
                (if said == 0 { printed.into_bytes() } else { vec![] }, format!("ls -la /{n}").into_bytes())
            }
            Tunnel::Marked => {
                let (sent, got) = (below(d, 900), below(d, 900));
                ([b"hans\x01".to_vec(), packet(d, sent)].concat(), [b"hanc\x02".to_vec(), packet(d, got)].concat())
            }
            Tunnel::Bare => {
                let (sent, got) = (below(d, 900), below(d, 900));
                (packet(d, sent), packet(d, got))
            }
            Tunnel::Out => {
                let block = chance(d, 512);
                (block.clone(), block)
            }
        };
        out.push((at, echo(ME, PEER, 8, id, n, &asks)));
        out.push((at + 4000, echo(PEER, ME, 0, id, n, &answers)));
    }
    out
}

#[test]
fn what_tunnels_is_found_once() {
    let mut d = Dice(21);
    for kind in [Tunnel::Stream, Tunnel::Shell, Tunnel::Marked, Tunnel::Bare, Tunnel::Out] {
        for n in 0..20 {
            let alerts = of("icmp-tunnel", tunnel(kind, &mut d));
            assert_eq!(alerts.len(), 1, "{kind:?} {n}: {alerts:?}");
            assert_eq!(alerts[0].peer.as_deref(), Some("198.51.100.9"));
        }
    }
}

/// What programs that ping send, by their size: the time and whatever else first, then what is regular.
fn pings(size: usize, d: &mut Dice) -> Vec<(&'static str, Vec<u8>)> {
    let counts = |from: usize| (from..size).map(|i| i as u8).collect::<Vec<u8>>();
    let letters = (0..size).map(|i| b'a' + (i % 23) as u8).collect();
    let cut = |mut v: Vec<u8>| {
        v.truncate(size);
        v
    };
    vec![
        ("iputils", cut([chance(d, 16), counts(16)].concat())),
        ("BSD", cut([chance(d, 8), counts(8)].concat())),
        ("Windows", letters),
        ("BusyBox", cut([chance(d, 4), vec![0; size]].concat())),
        ("fping", cut([chance(d, 16), vec![0; size]].concat())),
        ("Go", cut([chance(d, 24), vec![1; size]].concat())),
        ("pattern", cut([chance(d, 16), [0xca, 0xfe, 1, 7].repeat(size)].concat())),
        ("router", cut([0xab, 0xcd].repeat(size))),
        ("monitor", cut(b"This is the text that a program which keeps watch sends each time, and nothing else. ".repeat(20))),
    ]
}

#[test]
fn pings_are_no_tunnel() {
    let mut d = Dice(22);
    for round in 0..20 {
        let size = [0, 8, 24, 32, 56, 64, 120, 500, 1372, 1472][round % 10];
        // Once a second, and as many as go out, of which many are under way at once.
        let (gap, late) = if round < 10 { (1_000_000, 40_000) } else { (2000, 300_000) };
        for which in 0..9 {
            let mut out = Vec::new();
            for n in 0..200u16 {
                let (name, body) = pings(size, &mut d).swap_remove(which);
                let at = i64::from(n) * gap;
                out.push((at, echo(ME, PEER, 8, 77, n, &body)));
                // Some servers answer with the first bytes of long questions alone.
                let shown = if round % 3 == 0 { &body[..body.len().min(68)] } else { &body[..] };
                if n % 7 != 3 {
                    out.push((at + late, echo(PEER, ME, 0, 77, n, shown)));
                }
                assert!(!name.is_empty());
            }
            let alerts = of("icmp-tunnel", out);
            assert!(alerts.is_empty(), "{which} {size}: {:?} {:?}", alerts[0].reason, alerts[0].terms);
        }
        // Probes for how long a packet may be, and a trace of the way: each its own size, or its own number.
        let probes = (0..100u16).flat_map(|n| {
            let body: Vec<u8> = (0..500 + usize::from(n) * 9).map(|i| i as u8).collect();
            let at = i64::from(n) * 300_000;
            [(at, echo(ME, PEER, 8, 78, n, &body)), (at + 9000, echo(PEER, ME, 0, 78, n, &body))]
        });
        let error = |n: u16| {
            (
                i64::from(n) * 100_000 + 50,
                v4([203, 0, 113, n as u8], ME, 1, &[&[11, 0, 0, 0, 0, 0, 0, 0][..], &packet(&mut Dice(3), 8)].concat()),
            )
        };
        let way = (0..90u16).flat_map(|n| [(i64::from(n) * 100_000, echo(ME, PEER, 8, 79, n, &[0; 32])), error(n)]);
        assert!(of("icmp-tunnel", probes.chain(way).collect()).is_empty());
    }
}

#[test]
fn time_that_is_none_is_found_and_time_is_not() {
    let mut d = Dice(23);
    let ask = |d: &mut Dice| [vec![0x23], chance(d, 47)].concat();
    for n in 0..20i64 {
        let gap = [50_000, 500_000, 2_000_000][below(&mut d, 3)];
        // Anything at all, of any size; and such as hides in what is right, as often as there is something to say.
        let any = (0..80).flat_map(|k| {
            let (sent, got) = (chance(&mut d, 20 + (k * 31 % 400) as usize), chance(&mut d, 20 + (k * 17 % 900) as usize));
            [(k * gap, udp(ME, PEER, (40_000, 123), &sent)), (k * gap + 9000, udp(PEER, ME, (123, 40_000), &got))]
        });
        let alerts = of("ntp-tunnel", any.collect());
        assert_eq!(alerts.len(), 1, "{n}: {gap}");
        let hidden = (0..400i64).flat_map(|k| {
            let at = k * (100_000 + n * 20_000);
            [
                (at, udp(ME, PEER, (123, 123), &ask(&mut d))),
                (at + 9000, udp(PEER, ME, (123, 123), &[vec![0x24], chance(&mut d, 47)].concat())),
            ]
        });
        let alerts = of("ntp-tunnel", hidden.collect());
        assert_eq!(alerts.len(), 1, "{n}");
        assert!(alerts[0].reason.did.starts_with("asked 198.51.100.9:123 "), "{}", alerts[0].reason.did);
        // Programs of time: each 16 to 1024 seconds, a few more at the beginning, keys, cookies, and somebody who looks at a server's peers.
        let field =
            |kind: u8, size: usize, d: &mut Dice| [vec![kind, 4], ((size + 4) as u16).to_be_bytes().to_vec(), chance(d, size)].concat();
        let poll = 16 << (n % 6);
        let time = (0..60i64).flat_map(|k| {
            let at = if k < 8 { k * 2 } else { 16 + k * poll } * 1_000_000;
            let behind = match n % 4 {
                0 => vec![],
                1 => chance(&mut d, 20),
                2 => chance(&mut d, 24),
                _ => [field(1, 32, &mut d), field(2, 100, &mut d), field(4, 36, &mut d)].concat(),
            };
            let sent = [ask(&mut d), behind.clone()].concat();
            let got = [vec![0x24], chance(&mut d, 47), behind].concat();
            [(at, udp(ME, PEER, (123, 123), &sent)), (at + 9000, udp(PEER, ME, (123, 123), &got))]
        });
        let peers = (0..12i64).flat_map(|k| {
            let asks = [&[0x16u8, 1, 0, k as u8, 0, 0, 0, 0, 0, 0, 0, 0][..]].concat();
            let says = [&[0x16u8, 0x81, 0, k as u8, 0, 0, 0, 0, 0, 0, 1, 0x90][..], &[b'x'; 400]].concat();
            [(k * 300_000, udp(ME, PEER, (40_001, 123), &asks)), (k * 300_000 + 9000, udp(PEER, ME, (123, 40_001), &says))]
        });
        let alerts = of("ntp-tunnel", time.chain(peers).collect());
        assert!(alerts.is_empty(), "{n}: {:?}", alerts[0].reason);
    }
}
