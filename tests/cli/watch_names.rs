//! `watch` through the real binary: whose addresses are, and what conversations are called.

use umbilical_synth::mobile::{What, pcap};
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
