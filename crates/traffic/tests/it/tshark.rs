//! What another decoder reads in generated messages: they are what they say they are. Skipped where it is not installed.

use std::process::Command;

use umbilical_synth::mobile::pcap;
use umbilical_synth::reports::{How, Plan, trace};

/// Fields of the messages of a display filter, one list for each.
fn fields(bytes: &[u8], filter: &str, names: &[&str]) -> Option<Vec<Vec<String>>> {
    let path = std::env::temp_dir().join(format!("umbilical-{}.pcap", std::process::id()));
    std::fs::write(&path, bytes).unwrap();
    let mut command = Command::new("tshark");
    command.args(["-n", "-Y", filter, "-T", "fields", "-E", "separator=|", "-r"]).arg(&path);
    for name in names {
        command.args(["-e", name]);
    }
    let ran = command.output().ok();
    std::fs::remove_file(&path).unwrap();
    let ran = ran?;
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let text = String::from_utf8(ran.stdout).unwrap();
    Some(text.lines().map(|line| line.split('|').map(str::to_owned).collect()).collect())
}

#[test]
fn reports_say_the_same_to_another_decoder() {
    let truth = trace(&Plan { seed: 5, sessions: 24, lost: 0, packets: 0 });
    let bytes = pcap(&truth.frames);
    let radius = ["e212.imsi", "radius.3GPP_IMEISV", "radius.Calling_Station_Id", "radius.Called_Station_Id", "radius.Framed-IP-Address"];
    let Some(rows) = fields(&bytes, "radius.code == 4", &radius) else {
        eprintln!("tshark is not installed");
        return;
    };
    let address = |ue: [u8; 4]| std::net::Ipv4Addr::from(ue).to_string();
    let of = |how: &[How]| truth.sessions.iter().filter(|s| how.contains(&s.how)).collect::<Vec<_>>();
    let expected: Vec<_> = of(&[How::Radius])
        .into_iter()
        .flat_map(|s| vec![vec![s.imsi.clone(), s.imeisv.clone(), s.msisdn.clone(), s.apn.to_owned(), address(s.ue)]; 3])
        .collect();
    assert_eq!(rows, expected);
    let names = ["Subscription-Id-Data", "User-Equipment-Info-Value", "Called-Station-Id", "Framed-IP-Address.IPv4", "Framed-IPv6-Prefix"]
        .map(|n| format!("diameter.{n}"));
    let filter = "diameter.cmd.code == 272 && diameter.flags.request == 1 && diameter.CC-Request-Type == 1";
    let rows = fields(&bytes, filter, &names.each_ref().map(String::as_str)).unwrap();
    // Both messages of a segment stand in one row: their values are joined by commas.
    let mut found: Vec<Vec<String>> = Vec::new();
    for row in rows {
        let parts: Vec<Vec<&str>> = row.iter().map(|f| f.split(',').collect()).collect();
        for n in 0..parts[2].len() {
            let hex: String = parts[1][n].chars().filter(char::is_ascii_hexdigit).collect();
            let digits: String = (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap() as char).collect();
            let prefix = parts[4].get(n).map_or(String::new(), |p| p.replace(':', ""));
            found.push([parts[0][2 * n], parts[0][2 * n + 1], &digits, parts[2][n], parts[3][n], &prefix].map(str::to_owned).to_vec());
        }
    }
    let hex = |prefix: [u8; 8]| prefix.iter().fold("0040".to_owned(), |out, b| format!("{out}{b:02x}"));
    let expected: Vec<_> = of(&[How::Tcp, How::Sctp])
        .into_iter()
        .flat_map(|s| {
            let prefix = s.prefix.map_or(String::new(), hex);
            let one = [&s.imsi, &s.msisdn, &s.imeisv, s.apn, &address(s.ue), &prefix].map(str::to_owned).to_vec();
            vec![one; 2]
        })
        .collect();
    assert_eq!(found, expected);
    assert_eq!(fields(&bytes, "_ws.malformed", &["frame.number"]).unwrap(), Vec::<Vec<String>>::new());
}
