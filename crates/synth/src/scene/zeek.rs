//! A scene as Zeek logs it (docs.zeek.org, "Zeek Log Formats").

use super::{FIN, ICMP, RST, Record, SYN, TCP, Talk, code_name, kind_name, seconds};

/// `conn_state` and `history`.
fn state(talk: &Talk) -> (&'static str, &'static str) {
    let (up, down) = (talk.way(true), talk.way(false));
    match talk.proto {
        TCP if down.flags & RST != 0 => ("REJ", "Sr"),
        TCP if up.flags & SYN == 0 => ("OTH", "-"),
        TCP if down.flags & SYN == 0 => ("S0", "S"),
        TCP if up.flags & down.flags & FIN != 0 => ("SF", "ShADadFf"),
        TCP => ("S1", "ShADad"),
        ICMP => ("OTH", "-"),
        _ if talk.answered() => ("SF", "Dd"),
        _ => ("S0", "D"),
    }
}

fn answer(record: &Record) -> String {
    match record {
        Record::Txt(text) => format!("TXT {} {text}", text.len()),
        other => other.words(),
    }
}

/// `conn`, `dns`, `ssl` and `http`, separated by tabs. Columns stand in an order of their own, and some of them nobody reads.
pub fn tsv(talks: &[Talk]) -> [(&'static str, String); 4] {
    let ids = "uid\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p";
    let conn = "proto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes";
    let mut out = [
        ("conn", conn),
        ("dns", "proto\ttrans_id\tquery\tqtype\tqtype_name\trcode\trcode_name\tanswers"),
        ("ssl", "version\tserver_name"),
        ("http", "host\turi\tuser_agent\tresp_mime_types"),
    ]
    .map(|(path, fields)| {
        let head = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n";
        (path, format!("{head}#path\t{path}\n#fields\t{ids}\t{fields}\n"))
    });
    // Each log is written in the order of what it tells of; conversations when they are over.
    let mut order: Vec<(usize, &Talk)> = talks.iter().enumerate().collect();
    order.sort_by_key(|(_, t)| t.end());
    for (n, t) in &order {
        let id = id(*n, t, t.start());
        let proto = proto(t);
        let (up, down) = (t.way(true), t.way(false));
        let (state, history) = state(t);
        out[0].1 += &format!(
            "{id}\t{proto}\t-\t{}\t{}\t{}\t{state}\t{history}\t{}\t{}\t{}\t{}\n",
            seconds(t.end() - t.start()),
            up.payload,
            down.payload,
            up.packets,
            up.bytes,
            down.packets,
            down.bytes
        );
    }
    order.sort_by_key(|(_, t)| t.start());
    let mut lookups = Vec::new();
    for (n, t) in order {
        for lookup in &t.lookups {
            let (code, answers) = match &lookup.reply {
                Some(r) => {
                    let answers: Vec<String> = r.records.iter().map(answer).collect();
                    (format!("{}\t{}", r.code, code_name(r.code)), answers.join(","))
                }
                None => ("-\t-".into(), String::new()),
            };
            let answers = if answers.is_empty() { "-" } else { &answers };
            let (kind, name) = (lookup.kind, kind_name(lookup.kind));
            let line = format!("{}\t{}\t7\t{}\t{kind}\t{name}\t{code}\t{answers}\n", id(n, t, lookup.at), proto(t), lookup.name);
            lookups.push((lookup.at, line));
        }
        let (id, names) = (id(n, t, t.start()), &t.names);
        if !names.sni.is_empty() {
            out[2].1 += &format!("{id}\tTLSv13\t{}\n", names.sni);
        }
        if !names.host.is_empty() {
            out[3].1 += &format!("{id}\t{}\t{}\t{}\t{}\n", names.host, names.uri, names.agent, names.mime);
        }
    }
    lookups.sort_by_key(|(at, _)| *at);
    out[1].1.extend(lookups.into_iter().map(|(_, line)| line));
    for (_, text) in &mut out {
        *text += "#close\t2026-11-01-03-00-00\n";
    }
    out
}

fn proto(talk: &Talk) -> &'static str {
    match talk.proto {
        TCP => "tcp",
        ICMP => "icmp",
        _ => "udp",
    }
}

fn id(n: usize, t: &Talk, at: i64) -> String {
    // Of ICMP these are type and code.
    let (from, to) = if t.proto == ICMP { (8, 0) } else { t.ports };
    format!("CaaaaaaaaaaaaaU{n:05}\t{}\t{}\t{from}\t{}\t{to}", seconds(at), t.client, t.server)
}

/// The same, one JSON object for each line.
pub fn json(talks: &[Talk]) -> [(&'static str, String); 4] {
    const NUMBERS: [&str; 14] = [
        "ts",
        "id.orig_p",
        "id.resp_p",
        "duration",
        "orig_bytes",
        "resp_bytes",
        "orig_pkts",
        "orig_ip_bytes",
        "resp_pkts",
        "resp_ip_bytes",
        "trans_id",
        "qtype",
        "rcode",
        "trans_depth",
    ];
    tsv(talks).map(|(path, text)| {
        let fields: Vec<&str> = text.lines().find_map(|l| l.strip_prefix("#fields\t")).unwrap_or_default().split('\t').collect();
        let object = |line: &str| {
            let values = fields.iter().zip(line.split('\t')).filter(|(_, v)| *v != "-").map(|(field, value)| match *field {
                "answers" | "resp_mime_types" => format!("\"{field}\":{:?}", value.split(',').collect::<Vec<_>>()),
                field if NUMBERS.contains(&field) => format!("\"{field}\":{value}"),
                _ => format!("\"{field}\":{value:?}"),
            });
            let extra = match path {
                "ssl" => ",\"established\":true",
                "http" => ",\"trans_depth\":1",
                _ => "",
            };
            format!("{{{}{extra}}}\n", values.collect::<Vec<_>>().join(","))
        };
        (path, text.lines().filter(|l| !l.starts_with('#')).map(object).collect())
    })
}
