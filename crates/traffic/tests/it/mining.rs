//! Mining and nodes of currencies: many shapes by seed, and what only looks like them.

use sha2::{Digest as _, Sha256};
use umbilical_core::finding::Severity;
use umbilical_synth::Rng;
use umbilical_traffic::detect::{Alert, Given};

use crate::detect::{ME, PEER, Timed, codes, found};
use crate::flows::udp;
use crate::names::speak;

fn hex(dice: &mut Rng, digits: usize) -> String {
    (0..digits).map(|_| char::from_digit(dice.below(16), 16).unwrap()).collect()
}

fn word(dice: &mut Rng) -> String {
    (0..4 + dice.below(9)).map(|_| char::from(b'a' + dice.below(26) as u8)).collect()
}

/// Spaces where JSON may have them.
fn spaced(text: &str, dice: &mut Rng) -> String {
    let (mut out, mut quoted) = (String::new(), false);
    for c in text.chars() {
        quoted ^= c == '"';
        if !quoted && matches!(c, '}' | ']') && dice.below(2) == 0 {
            out.push(' ');
        }
        out.push(c);
        if !quoted && matches!(c, '{' | '[' | ':' | ',') {
            out.push_str(["", " ", "  ", "\t"][dice.below(4) as usize]);
        }
    }
    out
}

/// A miner of one of five kinds: what it says, what it is answered.
fn miner(kind: u32, dice: &mut Rng) -> (Vec<u8>, Vec<u8>, Option<String>) {
    let (worker, id) = (format!("{}.{}", word(dice), word(dice)), dice.below(900));
    let (says, hears) = match kind {
        0 => (
            vec![
                format!(r#"{{"id":{id},"method":"mining.subscribe","params":["{}/{}"]}}"#, word(dice), dice.below(9)),
                format!(r#"{{"params":["{worker}","x"],"id":{},"method":"mining.authorize"}}"#, id + 1),
            ],
            format!(r#"{{"id":{id},"result":[[["mining.notify","{}"]],"{}",4],"error":null}}"#, hex(dice, 8), hex(dice, 8)),
        ),
        1 => (
            vec![format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"eth_submitLogin","worker":"w","params":["{worker}"]}}"#)],
            format!(r#"{{"id":{id},"jsonrpc":"2.0","result":true}}"#),
        ),
        2 => (
            vec![format!(
                r#"{{"id":{id},"jsonrpc":"2.0","method":"login","params":{{"login":"{worker}","pass":"x","agent":"{}","algo":["rx/0"]}}}}"#,
                word(dice)
            )],
            format!(
                r#"{{"id":{id},"jsonrpc":"2.0","result":{{"id":"a","job":{{"blob":"{}","job_id":"q"}},"status":"OK"}}}}"#,
                hex(dice, 152)
            ),
        ),
        // Nothing but its answer says that this is a pool.
        3 => (
            vec![format!(r#"{{"method":"login","params":{{"login":"{worker}","pass":"{}"}},"id":{id}}}"#, word(dice))],
            format!(r#"{{"id":{id},"result":{{"id":"a","job":{{"blob":"{}","job_id":"q"}},"status":"OK"}}}}"#, hex(dice, 152)),
        ),
        _ => (
            vec![format!(
                r#"{{"id":{id},"method":"mining.hello","params":{{"agent":"{}","host":"h","port":"1","proto":"EthereumStratum/2.0.0"}}}}"#,
                word(dice)
            )],
            format!(r#"{{"id":{id},"result":{{"proto":"EthereumStratum/2.0.0"}}}}"#),
        ),
    };
    let line = |text: &String, dice: &mut Rng| format!("{}\n", spaced(text, dice));
    let says: String = says.iter().map(|text| line(text, dice)).collect();
    (says.into_bytes(), line(&hears, dice).into_bytes(), (kind < 4).then_some(worker))
}

fn one(packets: Vec<Timed>) -> Alert {
    let mut alerts = found(packets, Given::default());
    assert_eq!(codes(&alerts), ["mining"], "{alerts:?}");
    alerts.remove(0)
}

#[test]
fn pools_are_found_on_any_port_in_any_shape() {
    for seed in 0..40 {
        let mut dice = Rng::new(seed);
        let (says, hears, worker) = miner(seed as u32 % 5, &mut dice);
        // As one segment, or torn anywhere.
        let most = if seed % 2 == 0 { 1400 } else { 40 + dice.below(120) as usize };
        let port = 1 + dice.below(65_000) as u16;
        let alert = one(speak(0, (40_000, port), &[(true, &says), (false, &hears)], most));
        let text = String::from_utf8_lossy(&says).into_owned();
        assert_eq!(alert.severity, Severity::High, "{text}");
        assert_eq!(alert.peer, Some(format!("198.51.100.9:{port}")), "{text}");
        assert!(alert.reason.did.starts_with("worked for a mining pool (Stratum): "), "{}", alert.reason.did);
        if let (1400, Some(worker)) = (most, worker) {
            assert_eq!(alert.reason.more[0], format!("It gives itself the name {worker}"), "{text}");
        }
    }
}

#[test]
fn a_pool_that_was_joined_in_the_middle_is_found_by_its_work() {
    let work = b"{\"id\":null,\"method\":\"mining.notify\",\"params\":[\"bf\",\"4d16b6f8\"]}\n";
    one(speak(0, (40_000, 3333), &[(false, work)], 1400));
    one(speak(0, (40_000, 3333), &[(false, work)], 30));
}

#[test]
fn work_that_is_asked_for_by_http() {
    for (seed, method) in ["getwork", "getblocktemplate", "submitblock", "eth_getWork", "eth_submitHashrate"].iter().enumerate() {
        let mut dice = Rng::new(seed as u64);
        let body = spaced(&format!(r#"{{"jsonrpc":"1.0","id":"{}","method":"{method}","params":[]}}"#, word(&mut dice)), &mut dice);
        let head = format!("POST / HTTP/1.1\r\nHost: {}.example:8332\r\nContent-Length: {}\r\n\r\n", word(&mut dice), body.len());
        let answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
        let whole = format!("{head}{body}");
        for turns in [vec![(true, whole.as_bytes())], vec![(true, head.as_bytes()), (true, body.as_bytes())]] {
            for most in [1400, 50] {
                let turns = [&turns[..], &[(false, &answer[..])]].concat();
                let alert = one(speak(0, (40_000, 8332), &turns, most));
                assert!(alert.reason.did.starts_with("asked a mining pool or a node for work by HTTP: "), "{}", alert.reason.did);
                assert!(alert.peer.is_some_and(|peer| peer.ends_with(".example:8332:8332")));
            }
        }
    }
}

fn bitcoin(magic: u32, command: &str, body: &[u8]) -> Vec<u8> {
    let mut name = command.as_bytes().to_vec();
    name.resize(12, 0);
    let sum = Sha256::digest(Sha256::digest(body));
    [&magic.to_le_bytes()[..], &name, &(body.len() as u32).to_le_bytes(), &sum[..4], body].concat()
}

fn noise(dice: &mut Rng, length: u32) -> Vec<u8> {
    (0..length).map(|_| dice.below(256) as u8).collect()
}

#[test]
fn nodes_are_said_to_be_nodes() {
    for seed in 0..24 {
        let mut dice = Rng::new(seed);
        let magic = [0xd9b4_bef9, 0x0709_110b, 0xdbb6_c0fb, dice.below(u32::MAX)][seed as usize % 4];
        let version = [&(60_000 + dice.below(20_000)).to_le_bytes()[..], &noise(&mut dice, 82)].concat();
        let (says, hears) = (bitcoin(magic, "version", &version), bitcoin(magic, "verack", b""));
        let port = 1 + dice.below(65_000) as u16;
        let alert = one(speak(0, (40_000, port), &[(true, &says), (false, &hears)], 1400));
        assert_eq!((alert.severity, alert.peer.as_deref()), (Severity::Medium, Some("bitcoin")));
        assert!(alert.reason.did.starts_with("spoke as a node of Bitcoin or of one of its forks with another: "), "{}", alert.reason.did);
        assert!(alert.reason.more[0].starts_with("A node keeps the books"));
    }
    // Joined in the middle: the sum of a message tells it.
    let inv = noise(&mut Rng::new(5), 37);
    one(speak(0, (40_000, 8333), &[(false, &bitcoin(0xd9b4_bef9, "inv", &inv))], 1400));
    let levin = [
        &[1, 0x21, 1, 1, 1, 1, 1, 1][..],
        &262u64.to_le_bytes(),
        &[1],
        &1001u32.to_le_bytes(),
        &[0; 4],
        &[1, 0, 0, 0, 1, 0, 0, 0],
        &[1; 262],
    ];
    let alert = one(speak(0, (40_000, 18_080), &[(true, &levin.concat())], 1400));
    assert_eq!(alert.peer.as_deref(), Some("monero"));
}

#[test]
fn what_only_looks_like_it_is_none() {
    let mut dice = Rng::new(9);
    let rpc =
        |method: &str, params: &str| format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"{method}\",\"params\":{params}}}\n").into_bytes();
    let posts = |body: &str| format!("POST /rpc HTTP/1.1\r\nHost: a.example\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes();
    let socket = b"GET /ws HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\n\r\n";
    let mut bent = bitcoin(0xd9b4_bef9, "inv", &[1; 37]);
    bent[40] ^= 1;
    for says in [
        rpc("eth_blockNumber", "[]"),
        rpc("eth_sendRawTransaction", "[\"0xf86c\"]"),
        rpc("mining.fleet_status", "[\"haul truck 7\"]"),
        rpc("mining.notify", "7"),
        rpc("login", "{\"username\":\"a\",\"password\":\"b\"}"),
        rpc("login", "{\"login\":\"operator\",\"pass\":\"b\"}"),
        rpc("submit", "{\"id\":1,\"nonce\":\"a\"}"),
        rpc("job", "{\"job_id\":12,\"state\":\"printing\"}"),
        rpc("tools/call", "{\"name\":\"mining.subscribe\"}"),
        posts("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_getBalance\",\"params\":[\"0xab\",\"latest\"]}"),
        posts("{\"method\":\"getblockcount\",\"id\":1,\"params\":[]}"),
        posts("{\"text\":\"getwork\"}"),
        posts("method=getwork"),
        socket.to_vec(),
        bent,
        bitcoin(0xd9b4_bef9, "versions", &[0; 85]),
        b"version\0\0\0\0\0 1.2.3".to_vec(),
        noise(&mut dice, 300),
    ] {
        let alerts = found(
            speak(0, (40_000, 3333), &[(true, &says), (false, b"{\"id\":1,\"result\":{\"status\":\"OK\"}}\n")], 1400),
            Given::default(),
        );
        assert!(alerts.is_empty(), "{} {alerts:?}", String::from_utf8_lossy(&says));
    }
    for _ in 0..200 {
        let length = 98 + dice.below(200);
        let mut datagram = noise(&mut dice, length);
        datagram[96..98].copy_from_slice(&[1, 1]);
        assert!(found(vec![(0, udp(ME, PEER, (30_303, 30_303), &datagram))], Given::default()).is_empty());
    }
}
