//! A scene as Suricata tells of it (docs.suricata.io, "EVE JSON Format").

use super::{ICMP, Lookup, Record, TCP, Talk, code_name, kind_name};

/// The shape of `dns`: 1 has a line for each record of an answer, 2 one for each answer, 3 lists what is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dns {
    /// Before Suricata 4.1.
    One,
    /// Since.
    Two,
    /// Since Suricata 8.
    Three,
}

/// In which events conversations are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    /// `flow`: one for each.
    Flow,
    /// `netflow`: one for each way.
    Netflow,
}

/// The time of a scene as Suricata writes it.
fn stamp(micros: i64) -> String {
    let (days, rest) = (micros.div_euclid(86_400_000_000), micros.rem_euclid(86_400_000_000));
    // Days since 1970 to a date (H. Hinnant, "chrono-compatible low-level date algorithms").
    let z = days + 719_468;
    let (era, doe) = (z.div_euclid(146_097), z.rem_euclid(146_097));
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let (day, month) = (doy - (153 * mp + 2) / 5 + 1, if mp < 10 { mp + 3 } else { mp - 9 });
    let year = yoe + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (rest / 3_600_000_000, rest / 60_000_000 % 60, rest / 1_000_000 % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:06}+0000", rest % 1_000_000)
}

/// A line of a conversation.
fn event(n: usize, t: &Talk, kind: &str, at: i64, up: bool, more: &str) -> (i64, String) {
    let (src, dst, from, to) = if up { (t.client, t.server, t.ports.0, t.ports.1) } else { (t.server, t.client, t.ports.1, t.ports.0) };
    let ends = match t.proto {
        ICMP => {
            let kind = if up { 8 } else { 0 };
            format!("\"src_ip\":\"{src}\",\"dest_ip\":\"{dst}\",\"proto\":\"ICMP\",\"icmp_type\":{kind},\"icmp_code\":0")
        }
        proto => {
            let proto = if proto == TCP { "TCP" } else { "UDP" };
            format!("\"src_ip\":\"{src}\",\"src_port\":{from},\"dest_ip\":\"{dst}\",\"dest_port\":{to},\"proto\":\"{proto}\"")
        }
    };
    let id = 7000 + n;
    let time = stamp(at);
    (at, format!("{{\"timestamp\":\"{time}\",\"flow_id\":{id},\"in_iface\":\"eth0\",\"event_type\":\"{kind}\",{ends},{more}}}\n"))
}

fn lookups(n: usize, t: &Talk, lookup: &Lookup, shape: Dns, out: &mut Vec<(i64, String)>) {
    let (name, kind) = (&lookup.name, kind_name(lookup.kind));
    let asks = match shape {
        Dns::One | Dns::Two => format!("\"dns\":{{\"type\":\"query\",\"id\":7,\"rrname\":\"{name}\",\"rrtype\":\"{kind}\"}}"),
        Dns::Three => {
            format!("\"dns\":{{\"version\":3,\"type\":\"request\",\"id\":7,\"queries\":[{{\"rrname\":\"{name}\",\"rrtype\":\"{kind}\"}}]}}")
        }
    };
    out.push(event(n, t, "dns", lookup.at, true, &asks));
    let Some(reply) = &lookup.reply else { return };
    let code = code_name(reply.code);
    let one = |r: &Record| {
        let (kind, data) = (kind_name(r.kind()), r.words());
        format!("\"rrname\":\"{name}\",\"rrtype\":\"{kind}\",\"ttl\":60,\"rdata\":\"{data}\"")
    };
    let listed = || reply.records.iter().map(|r| format!("{{{}}}", one(r))).collect::<Vec<_>>().join(",");
    match shape {
        // As the packet went.
        Dns::One => {
            let head = format!("\"type\":\"answer\",\"id\":7,\"rcode\":\"{code}\"");
            for record in &reply.records {
                out.push(event(n, t, "dns", reply.at, false, &format!("\"dns\":{{{head},{}}}", one(record))));
            }
            if reply.records.is_empty() {
                out.push(event(n, t, "dns", reply.at, false, &format!("\"dns\":{{{head},\"rrname\":\"{name}\"}}")));
            }
        }
        Dns::Two => {
            let mut grouped: Vec<(String, Vec<String>)> = Vec::new();
            for record in &reply.records {
                let kind = kind_name(record.kind());
                let data = format!("\"{}\"", record.words());
                match grouped.iter_mut().find(|(k, _)| *k == kind) {
                    Some((_, all)) => all.push(data),
                    None => grouped.push((kind, vec![data])),
                }
            }
            let grouped: Vec<String> = grouped.into_iter().map(|(kind, all)| format!("\"{kind}\":[{}]", all.join(","))).collect();
            let dns = format!(
                "\"dns\":{{\"version\":2,\"type\":\"answer\",\"id\":7,\"rrname\":\"{name}\",\"rrtype\":\"{kind}\",\"rcode\":\"{code}\",\
                 \"answers\":[{}],\"grouped\":{{{}}}}}",
                listed(),
                grouped.join(",")
            );
            out.push(event(n, t, "dns", reply.at, true, &dns));
        }
        Dns::Three => {
            let dns = format!(
                "\"dns\":{{\"version\":3,\"type\":\"response\",\"id\":7,\"rcode\":\"{code}\",\
                 \"queries\":[{{\"rrname\":\"{name}\",\"rrtype\":\"{kind}\"}}],\"answers\":[{}]}}",
                listed()
            );
            out.push(event(n, t, "dns", reply.at, true, &dns));
        }
    }
}

/// Events in the order in which they are written: what was said when it was, conversations when they are over. Each is also alerted of.
pub fn events(talks: &[Talk], shape: Dns, counts: Counts) -> String {
    let mut out = Vec::new();
    for (n, t) in talks.iter().enumerate() {
        for lookup in &t.lookups {
            lookups(n, t, lookup, shape, &mut out);
        }
        let names = &t.names;
        if !names.sni.is_empty() {
            let tls = format!("\"tls\":{{\"sni\":\"{}\",\"version\":\"TLS 1.3\"}}", names.sni);
            out.push(event(n, t, "tls", t.start(), true, &tls));
        }
        if !names.host.is_empty() {
            let http = format!(
                "\"http\":{{\"hostname\":\"{}\",\"url\":\"{}\",\"http_user_agent\":\"{}\",\"http_content_type\":\"{}\"}}",
                names.host, names.uri, names.agent, names.mime
            );
            out.push(event(n, t, "http", t.start(), true, &http));
        }
        out.push(event(n, t, "alert", t.start(), true, "\"alert\":{\"signature_id\":1}"));
        let (up, down) = (t.way(true), t.way(false));
        // Frames have the head of Ethernet.
        let bytes = |way: super::Way| way.bytes + 14 * way.packets;
        let times = |start: i64, end: i64| format!("\"start\":\"{}\",\"end\":\"{}\"", stamp(start), stamp(end));
        match counts {
            Counts::Netflow => {
                for (first, way) in [(false, down), (true, up)].into_iter().filter(|(_, way)| way.packets > 0) {
                    let tcp = if t.proto == TCP { format!(",\"tcp\":{{\"tcp_flags\":\"{:02x}\"}}", way.flags) } else { String::new() };
                    let (packets, bytes, times) = (way.packets, bytes(way), times(way.start, way.end));
                    let said = format!("\"netflow\":{{\"pkts\":{packets},\"bytes\":{bytes},{times}}}{tcp}");
                    out.push(event(n, t, "netflow", t.end(), first, &said));
                }
            }
            Counts::Flow => {
                let tcp = format!(
                    ",\"tcp\":{{\"tcp_flags\":\"ff\",\"tcp_flags_ts\":\"{:02x}\",\"tcp_flags_tc\":\"{:02x}\"}}",
                    up.flags, down.flags
                );
                let said = format!(
                    "\"flow\":{{\"pkts_toserver\":{},\"pkts_toclient\":{},\"bytes_toserver\":{},\"bytes_toclient\":{},{},\"state\":\"{}\"}}{}",
                    up.packets,
                    down.packets,
                    bytes(up),
                    bytes(down),
                    times(t.start(), t.end()),
                    if t.answered() { "closed" } else { "new" },
                    if t.proto == TCP { tcp } else { String::new() }
                );
                out.push(event(n, t, "flow", t.end(), true, &said));
            }
        }
    }
    out.sort_by_key(|(at, _)| *at);
    out.into_iter().map(|(_, line)| line).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn days_are_those_of_the_calendar() {
        assert_eq!(super::stamp(super::super::BEGIN), "2026-11-01T02:26:40.000000+0000");
        assert_eq!(super::stamp(1_709_164_800_000_001), "2024-02-29T00:00:00.000001+0000");
    }
}
