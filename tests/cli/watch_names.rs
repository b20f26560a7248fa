//! `watch` through the real binary: whose addresses are, and what conversations are called.

use serde_json::{Value, json};
use umbilical_synth::mobile::{Frame, What, pcap};
use umbilical_synth::reports;

use super::docs::Schema;
use super::{Folder, run};

/// Outside of tunnels an operator's table says whose an address is, and when.
#[test]
fn an_operators_table_ties_addresses_to_sims() {
    let folder = Folder::new();
    let truth = reports::trace(&reports::Plan { seed: 7, sessions: 12, lost: 0, packets: 6 });
    let user: Vec<_> = truth.frames.iter().filter(|f| matches!(f.what, What::User { .. })).collect();
    folder.write("gi.pcap", pcap(user.iter().copied()));
    let mut table = "IMSI;IMEI;ICCID;APN Name;IP Address;Session Start Time;Session End Time\n".to_owned();
    for (n, s) in truth.sessions.iter().enumerate() {
        let mut of = user.iter().filter(|f| f.session as usize == n).map(|f| f.at);
        let (first, last) = (of.next().unwrap(), of.next_back().unwrap());
        let mut addresses = std::net::Ipv4Addr::from(s.ue).to_string();
        if let Some(prefix) = s.prefix {
            let mut whole = [0; 16];
            whole[..8].copy_from_slice(&prefix);
            addresses.push_str(&format!(", {}/64", std::net::Ipv6Addr::from(whole)));
        }
        let micros = |at: i64| format!("{}.{:06}", at / 1_000_000, at % 1_000_000);
        let iccid = "8988239000123456784";
        table.push_str(&format!("{};{};{iccid};{};{addresses};{};{}\n", s.imsi, s.imeisv, s.apn, micros(first), micros(last + 1)));
    }
    table.push_str("001010000000999;;;internet;10.1.1.300;;\n001010000000998;;;internet;10.99.0.1;;\n");
    folder.write("sims.csv", &table);
    let ran = run(&folder, ["watch", "gi.pcap", "--sessions", "sims.csv", "--format", "json", "--show-subscribers"]);
    let document = ran.json();
    assert_eq!(Schema::load("watch").wrong(&document), [""; 0]);
    let sessions = document["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 12, "who was not on the network is not in the answer");
    for (found, session) in sessions.iter().zip(&truth.sessions) {
        assert_eq!((&found["imsi"], &found["packets"]), (&session.imsi.as_str().into(), &6.into()));
        assert_eq!(found["module"]["model"], "EG25-G");
        assert_eq!(found["iccid"], "8988239000123456784");
    }
    let problem = &document["problems"][0];
    assert_eq!((&problem["input"], &problem["at"]), (&0.into(), &"row 14".into()), "{problem}");
    assert_eq!(document["inputs"][0]["format"], "sessions");
    let covered = run(&folder, ["watch", "gi.pcap", "--sessions", "sims.csv", "--format", "json"]).out;
    assert!(!covered.contains("8988239000123456784") && !covered.contains(&truth.sessions[0].imsi));
    folder.write("other.csv", "name,ip\nrouter,10.0.0.1\n");
    let ran = run(&folder, ["watch", "gi.pcap", "--sessions", "other.csv"]);
    assert!(ran.code == 2 && ran.err.contains("no heads of a table of sessions"), "{}", ran.err);
    let ran = run(&folder, ["watch", "gi.pcap", "--sessions", "sims.csv", "--flows", "sims.csv"]);
    assert!(ran.code == 2 && ran.err.contains("would be written over what is read"), "{}", ran.err);
}

/// A frame at a second: UDP, or a segment of TCP with its number.
fn frame(second: i64, (src, dst): ([u8; 4], [u8; 4]), ports: (u16, u16), tcp: Option<u32>, body: &[u8]) -> Frame {
    let ends = [ports.0.to_be_bytes(), ports.1.to_be_bytes()].concat();
    let carried = match tcp {
        Some(number) => [&ends[..], &number.to_be_bytes(), &[0, 0, 0, 0, 0x50, 0x18, 1, 0, 0, 0, 0, 0], body].concat(),
        None => [&ends[..], &(body.len() as u16 + 8).to_be_bytes(), &[0, 0], body].concat(),
    };
    let proto = if tcp.is_some() { 6 } else { 17 };
    let length = carried.len() as u16 + 20;
    let head = [&[0x45, 0][..], &length.to_be_bytes(), &[0, 0, 0, 0, 64, proto, 0, 0], &src, &dst].concat();
    let bytes = [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0][..], &head, &carried].concat();
    Frame { at: (1_793_500_000 + second) * 1_000_000, session: 0, what: What::User { token: String::new(), up: true }, bytes }
}

const MODULE: [u8; 4] = [10, 9, 0, 1];
const SERVER: [u8; 4] = [198, 51, 100, 7];

fn flows(folder: &Folder, arguments: &[&str]) -> Vec<Value> {
    let ran = run(folder, [&["watch", "g.pcap", "--flows", "flows.jsonl", "--format", "json"], arguments].concat());
    assert_eq!((ran.code, Schema::load("watch").wrong(&ran.json())), (0, vec![]), "{}", ran.err);
    let text = std::fs::read_to_string(folder.path().join("flows.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn conversations_say_what_they_are_and_who_speaks() {
    let folder = Folder::new();
    let out = (MODULE, SERVER);
    let connect = b"\x10\x1b\x00\x04MQTT\x04\x02\x00\x3c\x00\x0f001010123456789";
    let subscribe = b"\x82\x12\x00\x01\x00\x0dsites/4711/in\x00";
    let register = b"\x44\x02\x00\x01abcd\xb2rd\x4d\x0eep=urn:imei:867698040000179";
    let modbus = |function: u8| [0, 7, 0, 0, 0, 6, 1, function, 0, 10, 0, 1];
    let frames = [
        frame(0, out, (4000, 1883), Some(1), connect),
        frame(1, out, (4000, 1883), Some(30), subscribe),
        frame(2, out, (4001, 5683), None, register),
        frame(3, out, (4002, 502), Some(1), &modbus(3)),
        frame(4, out, (4003, 1502), Some(1), &modbus(3)),
        frame(5, out, (4003, 1502), Some(13), &modbus(6)),
        frame(6, out, (4004, 9), None, b"nothing that is known"),
    ];
    folder.write("g.pcap", pcap(&frames));
    let rows = flows(&folder, &[]);
    let of = |port: u64| rows.iter().find(|r| r["src_port"] == port).unwrap();
    let told = |port: u64| Value::from(["app", "role", "endpoint", "topic", "level"].map(|field| of(port)[field].clone()).to_vec());
    assert_eq!(told(4000), json!(["mqtt", null, "00101…89", "sites/4711/in", 4]));
    assert_eq!(told(4001), json!(["lwm2m", null, "urn:imei:867698040000179", null, null]));
    assert_eq!(of(4001)["uri"], "/rd?ep=urn:imei:867698040000179");
    assert_eq!(told(4002), json!(["modbus", "monitor", null, null, null]));
    assert_eq!(told(4003), json!(["modbus", "control", null, null, null]), "on any port");
    assert_eq!(told(4004), json!([null, null, null, null, null]));
    let shown = flows(&folder, &["--show-subscribers"]);
    assert_eq!(shown[0]["endpoint"], "001010123456789");
}

#[test]
fn the_remote_end_has_a_place_and_an_operator() {
    let folder = Folder::new();
    // One name with a maker behind it, in an address that a table puts elsewhere.
    let host = |name: &str| format!("GET / HTTP/1.1\r\nHost: {name}\r\n\r\n").into_bytes();
    let frames = [
        frame(0, (MODULE, SERVER), (4000, 80), Some(1), &host("iot-south.quectel.com")),
        frame(1, (MODULE, [203, 0, 113, 9]), (4001, 80), Some(1), &host("nobody.example")),
        // The module is called: the other end is remote.
        frame(2, ([203, 0, 113, 10], MODULE), (4002, 80), Some(1), &host("meter.example")),
    ];
    folder.write("g.pcap", pcap(&frames));
    folder.write("countries.csv", "network,country\n198.51.100.0/24,DE\n203.0.113.10/32,AT\n");
    folder.write("networks.csv", "start,end,asn,org\n198.51.100.0,198.51.100.255,AS64500,\"Example, Ltd\"\nhello,,,\n");
    folder.write("sims.csv", "imsi,ip\n001010123456789,10.9.0.1\n");
    let rows = flows(&folder, &["--ip-db", "countries.csv", "--ip-db", "networks.csv", "--sessions", "sims.csv"]);
    let of = |port: u64| {
        let row = rows.iter().find(|r| r["src_port"] == port).unwrap();
        Value::from(["country", "asn", "as_org", "operator_country"].map(|field| row[field].clone()).to_vec())
    };
    assert_eq!(of(4000), json!(["DE", 64500, "Example, Ltd", "CN"]));
    assert_eq!(of(4001), json!([null, null, null, null]));
    assert_eq!(of(4002), json!(["AT", null, null, null]));
    let ran = run(&folder, ["watch", "g.pcap", "--ip-db", "networks.csv", "--format", "json"]);
    assert_eq!(ran.json()["problems"][0]["at"], "line 3");
    let ran = run(&folder, ["watch", "g.pcap", "--ip-db", "g.pcap"]);
    assert!(ran.code == 2 && ran.err.contains("neither MMDB nor a table"), "{}", ran.err);
}
