//! Mining of currencies, and nodes of their networks, told by content on any port.
//!
//! **Pools** speak lines of JSON (Stratum and its dialects), or HTTP (`getwork`, `getblocktemplate`). **Nodes** speak binary protocols
//! of their own: Bitcoin's and its forks', Monero's and its kin's (Levin), Ethereum's discovery.
//!
//! What is encrypted is not told: Stratum over TLS, version 2 of Stratum (Noise), version 2 of Bitcoin's transport (BIP 324), RLPx and
//! version 5 of Ethereum's discovery look like noise to whoever has no key.

use serde::Deserialize;
use serde::de::IgnoredAny;
use sha2::{Digest as _, Sha256};

use super::App;
use crate::bytes::Bytes;

/// What a message of JSON says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// One with a pool speaks: by what name, where it says one.
    Pool(Option<String>),
    /// A login as pools have it, and others may: the answer tells.
    Perhaps(Option<String>),
    /// It goes on.
    More,
    /// Nothing of this.
    Nothing,
}

/// Methods of Stratum and of its dialect for Ethereum (Bitcoin wiki, "Stratum mining protocol"; BIP 310; EIP-1571).
const MINING: [&str; 16] = [
    "subscribe",
    "authorize",
    "notify",
    "submit",
    "configure",
    "hello",
    "set",
    "set_difficulty",
    "set_target",
    "set_extranonce",
    "set_version_mask",
    "extranonce.subscribe",
    "suggest_difficulty",
    "suggest_target",
    "get_transactions",
    "multi_version",
];
/// Methods of Ethereum's that only miners call (`eth_getWork` and its kin; the dialect of ethproxy). Reading a chain is none of them.
const WORK: [&str; 6] = ["eth_submitLogin", "eth_getWork", "eth_submitWork", "eth_submitHashrate", "eth_login", "eth_work"];
/// Methods of Bitcoin's nodes that only miners call (BIP 22; Bitcoin wiki, "Getwork").
const BLOCKS: [&str; 4] = ["getwork", "getblocktemplate", "submitblock", "getworkex"];

/// Bytes of a message that are waited for.
pub const LINE: usize = 8 << 10;

/// A message, as far as it matters.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Message {
    method: Option<String>,
    params: serde_json::Value,
    result: serde_json::Value,
    jsonrpc: Option<IgnoredAny>,
    id: Option<IgnoredAny>,
}

/// Whether bytes may be a message of JSON.
pub fn begins(stream: &[u8]) -> bool {
    stream.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'{')
}

/// The first message of a stream, and what stands behind it.
pub fn json(stream: &[u8]) -> (Heard, &[u8]) {
    if !begins(stream) {
        return (Heard::Nothing, &[]);
    }
    let mut messages = serde_json::Deserializer::from_slice(stream).into_iter::<Message>();
    match messages.next() {
        Some(Ok(message)) => (message.heard(), stream.get(messages.byte_offset()..).unwrap_or_default()),
        Some(Err(e)) if e.is_eof() && stream.len() < LINE => (Heard::More, &[]),
        _ => (Heard::Nothing, &[]),
    }
}

/// Whether the body of a request asks for work.
pub fn asks_for_work(body: &[u8]) -> Heard {
    if !begins(body) {
        // Nothing is there yet, or nothing of this.
        return if body.is_empty() { Heard::More } else { Heard::Nothing };
    }
    let mut messages = serde_json::Deserializer::from_slice(body).into_iter::<Message>();
    match messages.next() {
        Some(Ok(message)) => match &message.method {
            Some(method) if BLOCKS.contains(&method.as_str()) && message.id.is_some() => Heard::Pool(None),
            _ => message.heard(),
        },
        Some(Err(e)) if e.is_eof() && body.len() < LINE => Heard::More,
        _ => Heard::Nothing,
    }
}

impl Message {
    fn heard(&self) -> Heard {
        let text = |value: Option<&serde_json::Value>| value.and_then(|v| v.as_str()).filter(|t| !t.is_empty()).map(str::to_owned);
        let first = || text(self.params.get(0));
        let field = |key: &str| self.params.get(key);
        let Some(method) = self.method.as_deref() else {
            // The answer to a login brings the first work.
            let job = self.result.get("job");
            let works = job.is_some_and(|job| job.get("blob").is_some() || job.get("job_id").is_some());
            return if works { Heard::Pool(None) } else { Heard::Nothing };
        };
        if let Some(what) = method.strip_prefix("mining.") {
            let shaped = self.params.is_array() || self.params.is_object() || self.params.is_null();
            if !MINING.contains(&what) || !shaped {
                return Heard::Nothing;
            }
            return Heard::Pool(if matches!(what, "authorize" | "submit") { first() } else { None });
        }
        if WORK.contains(&method) && self.id.is_some() {
            return Heard::Pool(if matches!(method, "eth_submitLogin" | "eth_login") { first() } else { None });
        }
        // CryptoNote's dialect (xmrig's `doc/STRATUM.md`), which Grin and others took over.
        match method {
            "login" if field("login").is_some() && field("pass").is_some() => {
                let name = text(field("login"));
                let sure = ["agent", "algo", "rigid", "algo-perf"].iter().any(|key| field(key).is_some());
                if sure { Heard::Pool(name) } else { Heard::Perhaps(name) }
            }
            "job" if field("job_id").is_some() && (field("blob").is_some() || field("target").is_some()) => Heard::Pool(None),
            "submit" if ["id", "job_id", "nonce", "result"].iter().all(|key| field(key).is_some()) => Heard::Pool(None),
            // By this method alone nothing else is called; it has the id that the login was given.
            "keepalived" if field("id").is_some() && self.jsonrpc.is_some() => Heard::Pool(None),
            _ => Heard::Nothing,
        }
    }
}

/// Which network's node speaks in the first bytes of one end.
pub fn node(bytes: &[u8]) -> Option<App> {
    if bitcoin(bytes) {
        Some(App::Bitcoin)
    } else if levin(bytes) {
        Some(App::Monero)
    } else {
        None
    }
}

/// Commands of Bitcoin's protocol (developer.bitcoin.org, "P2P Network"; BIPs 31, 35, 37, 130, 133, 152, 155, 157, 330, 339), that of the
/// beginning apart.
const COMMANDS: [&[u8]; 37] = [
    b"verack",
    b"ping",
    b"pong",
    b"addr",
    b"addrv2",
    b"sendaddrv2",
    b"getaddr",
    b"inv",
    b"getdata",
    b"notfound",
    b"getblocks",
    b"getheaders",
    b"headers",
    b"sendheaders",
    b"tx",
    b"block",
    b"merkleblock",
    b"mempool",
    b"reject",
    b"alert",
    b"feefilter",
    b"sendcmpct",
    b"cmpctblock",
    b"getblocktxn",
    b"blocktxn",
    b"filterload",
    b"filteradd",
    b"filterclear",
    b"wtxidrelay",
    b"sendtxrcncl",
    b"getcfilters",
    b"cfilter",
    b"getcfheaders",
    b"cfheaders",
    b"getcfcheckpt",
    b"cfcheckpt",
    b"sendpackages",
];

/// A message of Bitcoin or of one of its forks: each has four bytes of its own before the same form.
fn bitcoin(bytes: &[u8]) -> bool {
    let mut rest = Bytes(bytes);
    let (Some(_), Some(command), Some(length)) = (rest.array::<4>(), rest.take(12), rest.array().map(u32::from_le_bytes)) else {
        return false;
    };
    let end = command.iter().position(|b| *b == 0).unwrap_or(command.len());
    let Some((command, padding)) = command.split_at_checked(end) else { return false };
    if padding.iter().any(|b| *b != 0) {
        return false;
    }
    if command == b"version" {
        // Its protocol, from the first to ten times those of today; before 2012 this message had no sum.
        let mut body = rest;
        let sum = bytes.len() as u64 != u64::from(length).saturating_add(20);
        if sum {
            body.u32();
        }
        let protocol = body.array().map_or(0, u32::from_le_bytes);
        return (46..=2048).contains(&length) && (1..=1_000_000).contains(&protocol);
    }
    if !COMMANDS.contains(&command) || length > 32 << 20 {
        return false;
    }
    // The sum tells it from everything else, where all of the message is there.
    let (Some(sum), Ok(length)) = (rest.array::<4>(), usize::try_from(length)) else { return false };
    let Some(body) = rest.take(length) else { return false };
    Sha256::digest(Sha256::digest(body)).starts_with(&sum)
}

/// A message of Levin, as Monero and its kin speak it (monero: `contrib/epee/include/net/levin_base.h`).
fn levin(bytes: &[u8]) -> bool {
    let mut rest = Bytes(bytes);
    if rest.take(8) != Some(&[1, 0x21, 1, 1, 1, 1, 1, 1]) {
        return false;
    }
    let (Some(length), Some(answers), Some(command)) =
        (rest.array().map(u64::from_le_bytes), rest.u8(), rest.array().map(u32::from_le_bytes))
    else {
        return false;
    };
    let (Some(_code), Some(flags), Some(version)) =
        (rest.u32(), rest.array().map(u32::from_le_bytes), rest.array().map(u32::from_le_bytes))
    else {
        return false;
    };
    length <= 100 << 20 && answers <= 1 && flags <= 15 && version == 1 && (command == 0 || (1000..3000).contains(&command))
}

/// A datagram of Ethereum's discovery, version 4: the hash of all that follows it stands before it (devp2p, `discv4.md`).
pub fn discovery(bytes: &[u8]) -> bool {
    // The hash, a signature of 65 bytes, the kind, a list.
    let Some((hash, signed)) = bytes.split_first_chunk::<32>() else { return false };
    matches!(signed.get(64..), Some([0 | 1, 1..=6, 0xc0..=0xff, ..])) && bytes.len() <= 1280 && keccak256(signed) == *hash
}

/// Keccak with 256 bits, as it was before it became SHA-3 (Keccak reference 3.0).
fn keccak256(bytes: &[u8]) -> [u8; 32] {
    const RATE: usize = 136;
    let mut state = [0u64; 25];
    let mut padded = bytes.to_vec();
    let whole = bytes.len().saturating_sub(bytes.len() % RATE).saturating_add(RATE);
    padded.resize(whole, 0);
    if let Some(first) = padded.get_mut(bytes.len()) {
        *first |= 1;
    }
    if let Some(last) = padded.last_mut() {
        *last |= 0x80;
    }
    for block in padded.chunks_exact(RATE) {
        for (lane, word) in state.iter_mut().zip(block.as_chunks::<8>().0) {
            *lane ^= u64::from_le_bytes(*word);
        }
        permute(&mut state);
    }
    let mut out = [0; 32];
    for (word, lane) in out.as_chunks_mut::<8>().0.iter_mut().zip(state) {
        *word = lane.to_le_bytes();
    }
    out
}

/// Keccak-f\[1600\] over lanes in the order of the reference: x + 5y.
#[expect(clippy::indexing_slicing, reason = "lanes are numbered 0 to 24 by constants, never by input")]
fn permute(lanes: &mut [u64; 25]) {
    /// Where each lane goes, and by how much it turns, along the walk of rho and pi.
    const WALK: [(usize, u32); 24] = [
        (10, 1),
        (7, 3),
        (11, 6),
        (17, 10),
        (18, 15),
        (3, 21),
        (5, 28),
        (16, 36),
        (8, 45),
        (21, 55),
        (24, 2),
        (4, 14),
        (15, 27),
        (23, 41),
        (19, 56),
        (13, 8),
        (12, 25),
        (2, 43),
        (20, 62),
        (14, 18),
        (22, 39),
        (9, 61),
        (6, 20),
        (1, 44),
    ];
    const ROUNDS: [u64; 24] = [
        0x0000_0000_0000_0001,
        0x0000_0000_0000_8082,
        0x8000_0000_0000_808a,
        0x8000_0000_8000_8000,
        0x0000_0000_0000_808b,
        0x0000_0000_8000_0001,
        0x8000_0000_8000_8081,
        0x8000_0000_0000_8009,
        0x0000_0000_0000_008a,
        0x0000_0000_0000_0088,
        0x0000_0000_8000_8009,
        0x0000_0000_8000_000a,
        0x0000_0000_8000_808b,
        0x8000_0000_0000_008b,
        0x8000_0000_0000_8089,
        0x8000_0000_0000_8003,
        0x8000_0000_0000_8002,
        0x8000_0000_0000_0080,
        0x0000_0000_0000_800a,
        0x8000_0000_8000_000a,
        0x8000_0000_8000_8081,
        0x8000_0000_0000_8080,
        0x0000_0000_8000_0001,
        0x8000_0000_8000_8008,
    ];
    for round in ROUNDS {
        let column: [u64; 5] = std::array::from_fn(|x| (0..5).fold(0, |sum, y| sum ^ lanes[x + 5 * y]));
        for (n, lane) in lanes.iter_mut().enumerate() {
            *lane ^= column[(n + 4) % 5] ^ column[(n + 1) % 5].rotate_left(1);
        }
        let mut carried = lanes[1];
        for (to, turn) in WALK {
            carried = std::mem::replace(&mut lanes[to], carried.rotate_left(turn));
        }
        for y in 0..5 {
            let row: [u64; 5] = std::array::from_fn(|x| lanes[5 * y + x]);
            for x in 0..5 {
                lanes[5 * y + x] = row[x] ^ (!row[(x + 1) % 5] & row[(x + 2) % 5]);
            }
        }
        lanes[0] ^= round;
    }
}

#[cfg(test)]
mod tests {
    use umbilical_core::id::hex;

    use super::*;

    fn heard(text: &str) -> Heard {
        json(text.as_bytes()).0
    }

    #[test]
    fn pools_are_told_by_what_is_said_however_it_is_spaced() {
        let worker = || Heard::Pool(Some("worker.1".into()));
        for (text, is) in [
            (r#"{"id":1,"method":"mining.subscribe","params":["cpuminer/2.5"]}"#, Heard::Pool(None)),
            ("\n{ \"params\" : [ \"worker.1\" , \"x\" ] ,\n \"method\" : \"mining.authorize\", \"id\":2 }\n", worker()),
            (r#"{"id":null,"method":"mining.notify","params":["bf","4d","01"]}"#, Heard::Pool(None)),
            (r#"{"worker":"eth1.0","jsonrpc":"2.0","params":["worker.1","x"],"id":2,"method":"eth_submitLogin"}"#, worker()),
            (r#"{"id":1,"jsonrpc":"2.0","method":"login","params":{"login":"worker.1","pass":"x","agent":"XMRig/6.20"}}"#, worker()),
            (
                r#"{"id":1,"jsonrpc":"2.0","error":null,"result":{"id":"a","job":{"blob":"0e","job_id":"q"},"status":"OK"}}"#,
                Heard::Pool(None),
            ),
            (r#"{"jsonrpc":"2.0","method":"job","params":{"blob":"0e","job_id":"q","target":"b8"}}"#, Heard::Pool(None)),
            (r#"{"id":2,"jsonrpc":"2.0","method":"keepalived","params":{"id":"a"}}"#, Heard::Pool(None)),
            (r#"{"method":"login","params":{"login":"worker.1","pass":"x"},"id":1}"#, Heard::Perhaps(Some("worker.1".into()))),
            (r#"{"id":1,"method":"mining.sub"#, Heard::More),
            // A mine's own affairs, a wallet, an application's login, other calls.
            (r#"{"id":1,"method":"mining.shift_report","params":["north pit"]}"#, Heard::Nothing),
            (r#"{"id":1,"jsonrpc":"2.0","method":"eth_getBalance","params":["0xab","latest"]}"#, Heard::Nothing),
            (r#"{"id":1,"jsonrpc":"2.0","method":"login","params":{"username":"a","password":"b"}}"#, Heard::Nothing),
            (r#"{"id":1,"jsonrpc":"2.0","method":"submit","params":{"id":7,"form":"x"}}"#, Heard::Nothing),
            (r#"{"id":1,"jsonrpc":"2.0","method":"job","params":{"job_id":7}}"#, Heard::Nothing),
            (r#"{"result":{"job":"baker"}}"#, Heard::Nothing),
            ("{\"method\":5}", Heard::Nothing),
            ("{nothing}", Heard::Nothing),
            ("[1]", Heard::Nothing),
        ] {
            assert_eq!(heard(text), is, "{text}");
        }
        let two = "{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[]}\n{\"id\":2";
        assert_eq!(json(two.as_bytes()).1, b"\n{\"id\":2");
        assert_eq!(asks_for_work(br#"{"method": "getwork", "params": [], "id": 0}"#), Heard::Pool(None));
        assert_eq!(asks_for_work(br#"{"method": "getblockcount", "params": [], "id": 0}"#), Heard::Nothing);
        assert_eq!((asks_for_work(b"{\"meth"), asks_for_work(b"")), (Heard::More, Heard::More));
    }

    fn message(magic: u32, command: &str, body: &[u8]) -> Vec<u8> {
        let mut name = command.as_bytes().to_vec();
        name.resize(12, 0);
        let sum = Sha256::digest(Sha256::digest(body));
        [&magic.to_be_bytes()[..], &name, &(body.len() as u32).to_le_bytes(), &sum[..4], body].concat()
    }

    #[test]
    fn nodes_of_bitcoin_and_of_its_forks() {
        let version = [&70_016u32.to_le_bytes()[..], &[9; 82]].concat();
        for magic in [0xf9be_b4d9, 0x0b11_0907, 0xfbc0_b6db, 0xc0c0_c0c0, 0x1234_5678] {
            assert_eq!(node(&message(magic, "version", &version)), Some(App::Bitcoin));
            assert_eq!(node(&message(magic, "verack", b"")), Some(App::Bitcoin));
            assert_eq!(node(&message(magic, "inv", &[1; 37])), Some(App::Bitcoin));
        }
        // The very first protocol had no sum.
        let mut old = message(0xf9be_b4d9, "version", &version);
        old.drain(20..24);
        assert_eq!(node(&old), Some(App::Bitcoin));
        let mut bent = message(0xf9be_b4d9, "inv", &[1; 37]);
        bent[30] ^= 1;
        for none in [bent, message(1, "versions", &version), message(1, "version", &[0xff; 90]), message(1, "hello", b""), vec![0; 24]] {
            assert_eq!(node(&none), None);
        }
    }

    #[test]
    fn nodes_of_monero() {
        let head = |command: u32| {
            [
                &[1, 0x21, 1, 1, 1, 1, 1, 1][..],
                &262u64.to_le_bytes(),
                &[1],
                &command.to_le_bytes(),
                &[0; 4],
                &1u32.to_le_bytes(),
                &1u32.to_le_bytes(),
            ]
            .concat()
        };
        assert_eq!((node(&head(1001)), node(&head(2002)), node(&head(7))), (Some(App::Monero), Some(App::Monero), None));
        assert_eq!((node(&head(1001)[..32]), node(&[1, 0x21, 1, 1])), (None, None));
    }

    #[test]
    fn discovery_has_its_hash_before_it() {
        // The digests of nothing and of `abc` as everybody has them.
        assert_eq!(hex(&keccak256(b"")), "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
        assert_eq!(hex(&keccak256(b"abc")), "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
        for length in [10, 37, 38, 39, 300] {
            let signed = [&[7; 64][..], &[1, 1, 0xc0 | length as u8 & 0x1f], &vec![3; length]].concat();
            let mut whole = [&keccak256(&signed)[..], &signed].concat();
            assert!(discovery(&whole), "{length}");
            whole[40] ^= 1;
            assert!(!discovery(&whole) && !discovery(&whole[..97]));
        }
    }
}
