//! Work for a pool, and other JSON over TCP.

use super::draw::{BASE36, HEX, LETTERS};
use super::{Cases, Draw};
use crate::scene::{ACK, FIN, SYN, TCP, Talk};

const CODE: &str = "mining";
/// Times that each shape is drawn.
const REPEATS: usize = 8;

/// What a client says and a server answers, in turns.
type Make = fn(&mut Draw) -> Vec<(bool, String)>;

const MINERS: &[(&str, Make)] = &[
    ("Stratum", |d| {
        let (id, worker) = (d.within(0..=900), worker(d));
        vec![
            (
                true,
                format!(r#"{{"id":{id},"method":"mining.subscribe","params":["{}/{}.{}"]}}"#, d.word(), d.within(0..=9), d.within(0..=9)),
            ),
            (false, format!(r#"{{"id":{id},"result":[[["mining.notify","{}"]],"{}",4],"error":null}}"#, d.text(HEX, 8), d.text(HEX, 8))),
            (true, format!(r#"{{"id":{},"method":"mining.authorize","params":["{worker}","x"]}}"#, id + 1)),
            (false, format!(r#"{{"id":{},"result":true,"error":null}}"#, id + 1)),
            (false, job(d)),
            (true, format!(r#"{{"id":{},"method":"mining.submit","params":["{worker}","bf","{}"]}}"#, id + 2, d.text(HEX, 8))),
        ]
    }),
    ("Stratum, joined in the middle", |d| (0..d.within(2..=6)).map(|_| (false, job(d))).collect()),
    ("Stratum with a first word of its own", |d| {
        let id = d.within(0..=900);
        vec![
            (
                true,
                format!(
                    r#"{{"id":{id},"method":"mining.hello","params":{{"agent":"{}","host":"h","port":"1","proto":"EthereumStratum/2.0.0"}}}}"#,
                    d.word()
                ),
            ),
            (false, format!(r#"{{"id":{id},"result":{{"proto":"EthereumStratum/2.0.0"}}}}"#)),
        ]
    }),
    ("a login that names what it can", |d| login(d, true)),
    ("a login, told by its answer", |d| login(d, false)),
    ("a login of Ethereum", |d| {
        let (id, worker) = (d.within(0..=900), worker(d));
        vec![
            (
                true,
                format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"eth_submitLogin","worker":"{}","params":["{worker}","x"]}}"#, d.word()),
            ),
            (false, format!(r#"{{"id":{id},"jsonrpc":"2.0","result":true}}"#)),
            (true, format!(r#"{{"jsonrpc":"2.0","id":{},"method":"eth_getWork","params":[]}}"#, id + 1)),
        ]
    }),
];

const OTHERS: &[(&str, Make)] = &[
    ("a wallet", |d| {
        let method = d.of(&["eth_blockNumber", "eth_getBalance", "eth_sendRawTransaction", "getblockcount"]);
        asks(d, method, r#"["0xf86c","latest"]"#, r#""0x10d4f""#)
    }),
    ("trucks of a mine", |d| {
        let method = d.of(&["mining.fleet_status", "mining.truck.position", "mine.shift"]);
        asks(d, method, r#"["haul truck 7"]"#, r#"{"load":81}"#)
    }),
    ("a login of something else", |d| {
        let name = d.of(&["username", "user", "email"]);
        let params = format!(r#"{{"{name}":"{}","password":"{}"}}"#, d.text(LETTERS, 8), d.text(BASE36, 12));
        asks(d, "login", &params, r#"{"status":"OK","session":"a"}"#)
    }),
    ("jobs of a printer", |d| {
        let params = format!(r#"{{"job_id":{},"state":"{}"}}"#, d.within(1..=900), d.of(&["printing", "waiting", "done"]));
        asks(d, "job", &params, "null")
    }),
    ("readings", |d| {
        (0..d.within(2..=8))
            .map(|n| (true, format!(r#"{{"id":{n},"device":"{}","temp":{}.5}}"#, d.text(BASE36, 8), d.within(10..=30))))
            .collect()
    }),
    ("tools of a language server", |d| {
        let method = d.of(&["tools/call", "textDocument/didOpen", "initialize"]);
        asks(d, method, r#"{"name":"mining.subscribe","arguments":{}}"#, r#"{"content":[]}"#)
    }),
];

/// All of them.
pub(super) fn all(d: &mut Draw, out: &mut Cases) {
    for n in 0..REPEATS {
        for (what, make) in MINERS {
            let turns = make(d);
            let (how, talk) = spoken(d, &turns);
            out.find(CODE, format!("{what}, {how}, {n}"), vec![talk]);
        }
        for (what, make) in OTHERS {
            let turns = make(d);
            let (how, talk) = spoken(d, &turns);
            out.spare(format!("{what}, {how}, {n}"), vec![talk]);
        }
    }
}

fn worker(d: &mut Draw) -> String {
    let length = d.within(4..=40);
    format!("{}.{}", d.text(BASE36, length), d.word())
}

fn job(d: &mut Draw) -> String {
    format!(
        r#"{{"id":null,"method":"mining.notify","params":["{}","{}","{}",[],"20000000",true]}}"#,
        d.text(HEX, 4),
        d.text(HEX, 64),
        d.text(HEX, 120)
    )
}

fn login(d: &mut Draw, named: bool) -> Vec<(bool, String)> {
    let (id, worker) = (d.within(1..=900), worker(d));
    let more = if named { format!(r#","agent":"{}/6.1","algo":["rx/0","cn/r"]"#, d.word()) } else { String::new() };
    vec![
        (true, format!(r#"{{"id":{id},"jsonrpc":"2.0","method":"login","params":{{"login":"{worker}","pass":"x"{more}}}}}"#)),
        (
            false,
            format!(
                r#"{{"id":{id},"jsonrpc":"2.0","result":{{"id":"{}","job":{{"blob":"{}","job_id":"q","target":"b88d0600"}},"status":"OK"}}}}"#,
                d.text(HEX, 8),
                d.text(HEX, 152)
            ),
        ),
    ]
}

fn asks(d: &mut Draw, method: &str, params: &str, result: &str) -> Vec<(bool, String)> {
    let id = d.within(1..=900);
    vec![
        (true, format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#)),
        (false, format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#)),
    ]
}

/// Lines as a conversation at any port, whole or torn into segments, with spaces where JSON may have them.
fn spoken(d: &mut Draw, turns: &[(bool, String)]) -> (String, Talk) {
    let (port, most, wide) = (d.within(1..=65_000) as u16, d.of(&[1400, 1400, 100, 48]), d.chance(0.3));
    let (mut talk, mut at) = (Talk::new(d.inside(), d.outside(), (40_000, port), TCP), 0.1);
    talk = talk.then(0.0, true, SYN, Vec::new()).then(0.02, false, SYN | ACK, Vec::new()).then(0.04, true, ACK, Vec::new());
    for (up, text) in turns {
        let text = if wide { text.replace("\":", "\": ").replace(',', ", ") } else { text.clone() };
        for piece in format!("{text}\n").as_bytes().chunks(most) {
            talk = talk.then(at, *up, ACK, piece.to_vec());
            at += 0.001;
        }
        at += d.between(0.02, 2.0);
    }
    talk = talk.then(at, true, FIN | ACK, Vec::new()).then(at + 0.02, false, FIN | ACK, Vec::new());
    (format!("port {port}, pieces of {most}"), talk)
}
