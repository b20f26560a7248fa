//! One trace as packets, as logs of Zeek and Suricata, and as routers export it: the same conversations wherever that can be seen.

use std::net::{IpAddr, Ipv6Addr};

use umbilical_synth::scene::eve::{Counts, Dns};
use umbilical_synth::scene::netflow::{Datagram, message9, message10, set};
use umbilical_synth::scene::{self, ACK, BEGIN, Lookup, Record, Talk};
use umbilical_traffic::capture;
use umbilical_traffic::flow::{Each, Event, Flow, Limits, Seen};
use umbilical_traffic::names::Words;
use umbilical_traffic::record::{eve, netflow, zeek};
use umbilical_traffic::watch::Watch;

#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Names {
    dns: &'static str,
    sni: &'static str,
    host: &'static str,
    uri: &'static str,
    agent: &'static str,
    mime: &'static str,
    app: &'static str,
}

const CLIENT: [u8; 4] = [10, 0, 0, 1];
const WEB: [u8; 4] = [192, 0, 2, 9];

fn talks() -> Vec<Talk> {
    let six = |last: u16| IpAddr::from(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last));
    let asked = Lookup::new(0.0, "meter.example", 1, 0, vec![Record::Cname("cname.example".into()), Record::A(WEB)]);
    let text = |t: &str| t.to_owned();
    let page = scene::Names {
        host: text("meter.example"),
        uri: text("/state"),
        agent: text("gw/1"),
        mime: text("text/plain"),
        ..scene::Names::default()
    };
    // Over IPv6.
    let cloud = Talk { client: six(1), server: six(2), ..Talk::tls(0.2, CLIENT, WEB, 40_002, "cloud.example") };
    vec![
        Talk::lookups(CLIENT, [10, 0, 0, 53], 40_000, vec![asked]),
        Talk::http(0.1, CLIENT, WEB, 40_001, page, b"ok"),
        cloud,
        // Nobody answers.
        Talk::silent(70.0, CLIENT, [10, 0, 0, 77], (40_003, 23)).then(71.0, true, scene::SYN, Vec::new()),
    ]
}

/// What is said in each of them.
fn names() -> [Names; 4] {
    let asked = Names { dns: "meter.example", app: "dns", ..Names::default() };
    [
        asked.clone(),
        Names { host: "meter.example", uri: "/state", agent: "gw/1", mime: "text/plain", app: "http", ..asked },
        Names { sni: "cloud.example", app: "tls", ..Names::default() },
        Names::default(),
    ]
}

/// What is compared.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Row {
    start: i64,
    end: i64,
    ends: (IpAddr, u16, IpAddr, u16, u8),
    up: (u64, u64),
    down: (u64, u64),
    answered: Option<bool>,
    names: Names,
}

/// The rows of a trace that somebody plays.
fn rows(play: impl FnOnce(&mut Watch, Each<'_>)) -> (Vec<Row>, Watch, Vec<Seen>) {
    let mut watch = Watch::new(Limits::default());
    let mut flows: Vec<Flow> = Vec::new();
    let mut begun = 0;
    let mut each = |event: Event<'_>, _: &Words| match event {
        Event::Start(_) => begun += 1,
        Event::End(flow, _) => flows.push(flow.clone()),
        _ => {}
    };
    play(&mut watch, &mut each);
    watch.finish(&mut each);
    assert_eq!(begun, flows.len(), "each begins once and ends once");
    flows.sort_by_key(|f| f.start);
    let word = |word: Option<_>| -> &'static str { word.map_or("", |w| Box::leak(watch.words.get(w).to_owned().into_boxed_str())) };
    let row = |flow: &Flow| {
        let (key, names) = (flow.key, flow.names);
        Row {
            start: flow.start.0,
            end: flow.last.0,
            ends: (key.client.ip(), key.client_port, key.server.ip(), key.server_port, key.proto),
            up: (flow.up.packets, flow.up.bytes),
            down: (flow.down.packets, flow.down.bytes),
            answered: flow.answered(),
            names: Names {
                dns: word(names.dns),
                sni: word(names.sni),
                host: word(names.host),
                uri: word(names.uri),
                agent: word(names.agent),
                mime: word(names.mime),
                app: names.app.map_or("", |app| app.name()),
            },
        }
    };
    let all = flows.iter().map(row).collect();
    let seen = flows.iter().map(|f| f.seen).collect();
    (all, watch, seen)
}

fn truth() -> Vec<Row> {
    let row = |(t, names): (&Talk, Names)| {
        let (up, down) = (t.way(true), t.way(false));
        Row {
            start: t.start(),
            end: t.end(),
            ends: (t.client, t.ports.0, t.server, t.ports.1, t.proto),
            up: (up.packets, up.bytes),
            down: (down.packets, down.bytes),
            answered: Some(t.answered()),
            names,
        }
    };
    talks().iter().zip(names()).map(row).collect()
}

/// The same without names.
fn nameless() -> Vec<Row> {
    truth().into_iter().map(|row| Row { names: Names::default(), ..row }).collect()
}

#[test]
fn as_packets() {
    let bytes = scene::pcap(&talks());
    let (rows, ..) = rows(|watch, each| {
        capture::read(&*bytes, &mut |frame| watch.frame(&frame, each)).unwrap();
    });
    assert_eq!(rows, truth());
}

/// The logs of Zeek, tab-separated: `conn`, `dns`, `ssl`, `http`.
pub fn tsv() -> [(&'static str, String); 4] {
    scene::zeek::tsv(&talks())
}

/// The same as JSON.
pub fn json() -> [(&'static str, String); 4] {
    scene::zeek::json(&talks())
}

fn zeek_rows(logs: &[(&str, String)]) -> (Vec<Row>, Watch, Vec<Seen>) {
    let beside = Seen::DNS.with(Seen::TLS).with(Seen::HTTP);
    rows(|watch, each| {
        // What was said is read before the line of the conversation.
        for (_, text) in logs.iter().rev() {
            let mut log = zeek::Log::new(beside);
            for line in text.split_inclusive('\n') {
                log.line(line.as_bytes(), watch, each);
            }
            assert_eq!(log.troubles.iter().count(), 0, "{:?}", log.troubles);
        }
    })
}

#[test]
fn as_logs_of_zeek() {
    for logs in [tsv(), json()] {
        let (rows, watch, seen) = zeek_rows(&logs);
        assert_eq!(rows, truth());
        assert_eq!(watch.counters.records, 4);
        assert!(seen.iter().all(|s| s.has(Seen::COUNTS) && s.has(Seen::TLS) && !s.has(Seen::FIRSTS)));
        for (path, text) in &logs {
            let known = zeek::begins(text.as_bytes()).map(|(kind, at)| (kind.name(), at.is_some()));
            assert_eq!(known, Some((&*format!("zeek-{path}"), true)));
        }
    }
    // Names without conversations are conversations of which nothing more is known.
    let [_, dns, ..] = tsv();
    let (rows, _, seen) = zeek_rows(&[dns]);
    assert_eq!((rows.len(), rows[0].names.dns, rows[0].answered, rows[0].up), (1, "meter.example", None, (0, 0)));
    assert!(!seen[0].has(Seen::COUNTS));
}

#[test]
fn a_log_that_breaks_off_says_where() {
    let [conn, ..] = tsv();
    let text = conn.1.trim_end_matches("#close\t2026-11-01-03-00-00\n");
    for cut in 0..text.len() {
        let mut watch = Watch::new(Limits::default());
        let mut log = zeek::Log::new(Seen::NOTHING);
        for line in text[..cut].split_inclusive('\n') {
            log.line(line.as_bytes(), &mut watch, &mut |_, _| {});
        }
        for trouble in log.troubles.iter() {
            assert_eq!((trouble.first, trouble.more), (text[..cut].lines().count() as u64, 0), "{cut}: {trouble:?}");
        }
    }
    let mut watch = Watch::new(Limits::default());
    let mut log = zeek::Log::new(Seen::NOTHING);
    for line in [text, "1\t2\n"].concat().split_inclusive('\n') {
        log.line(line.as_bytes(), &mut watch, &mut |_, _| {});
    }
    let told: Vec<_> = log.troubles.iter().map(|t| (t.first, t.what.to_string())).collect();
    assert_eq!(told, [(11, "it has 2 of 17 columns".to_owned())]);
}

/// Events of Suricata, with `flow`.
pub fn events() -> String {
    scene::eve::events(&talks(), Dns::Two, Counts::Flow)
}

#[test]
fn as_events_of_suricata() {
    let forms = [(Dns::One, Counts::Flow), (Dns::Two, Counts::Flow), (Dns::Three, Counts::Flow), (Dns::Two, Counts::Netflow)];
    for (shape, counts) in forms {
        // What has no text, or is shown by its kind alone.
        let text = scene::eve::events(&talks(), shape, counts).replace(
            "\"answers\":[",
            if shape == Dns::Two {
                "\"others\":["
            } else {
                "\"answers\":[{\"rrname\":\"meter.example\",\"rrtype\":\"SOA\",\"rdata\":{\"x\":1}},"
            },
        );
        let (rows, watch, _) = rows(|watch, each| {
            let mut log = eve::Log::new(text.as_bytes());
            for line in text.split_inclusive('\n') {
                log.line(line.as_bytes(), watch, each);
            }
            assert_eq!(log.troubles.iter().count(), 0, "{:?}", log.troubles);
        });
        let bare = |half: (u64, u64)| (half.0, half.1 - 14 * half.0);
        let rows: Vec<Row> = rows.into_iter().map(|r| Row { up: bare(r.up), down: bare(r.down), ..r }).collect();
        assert_eq!(rows, truth(), "{shape:?}, {counts:?}");
        assert_eq!(watch.counters.alerts, 4);
        assert!(eve::begins(text.as_bytes()).is_some());
    }
}

fn exported(datagrams: &[Datagram]) -> (Vec<Row>, Watch) {
    let (rows, watch, _) = rows(|watch, each| {
        for (n, (at, bytes)) in datagrams.iter().enumerate() {
            assert_eq!(watch.export(netflow::From::Input(0), bytes, None, n as u64 + 1, each), None);
            assert_eq!(
                (netflow::length(bytes), netflow::begins(bytes).map(|b| b.1.0 / 1_000_000)),
                (Some(bytes.len()), Some(at / 1_000_000))
            );
        }
    });
    (rows, watch)
}

/// Milliseconds since 1970 at which the router began.
const BOOT: i64 = BEGIN / 1000 - 1_000_000;

/// One of so many packets was looked at, as options of NetFlow 9 say it.
fn sampling(packets: u8) -> Datagram {
    (BEGIN, message9(&[set(400, &[0, 0, 0, 9, 0, 0, 0, packets, 1, 0, 0, 0])], BEGIN, BOOT))
}

/// As NetFlow 9, the template before (or behind) what needs it, and that nothing was sampled.
pub fn nine(late: bool) -> Vec<Datagram> {
    let mut out = scene::netflow::nine(&talks());
    let templates = out.remove(0);
    out.insert(if late { 3 } else { 0 }, templates);
    out.push(sampling(1));
    out
}

#[test]
fn as_routers_export_it() {
    let five = scene::netflow::five(&talks());
    let (rows, watch) = exported(&five);
    let four: Vec<Row> = nameless().into_iter().filter(|r| r.ends.0.is_ipv4()).collect();
    assert_eq!((rows, watch.counters.records), (four, 5));
    for late in [false, true] {
        let (rows, watch) = exported(&nine(late));
        assert_eq!(rows, nameless(), "late {late}");
        assert_eq!((watch.counters.records, watch.counters.untemplated, watch.counters.sampled), (7, 0, 0));
    }
}

#[test]
fn as_ipfix_both_ways_in_one_record() {
    let datagrams = scene::netflow::ipfix(&talks());
    let (rows, watch) = exported(&datagrams);
    assert_eq!((rows, watch.counters.records), (nameless(), 4));
    // A template that is withdrawn is gone.
    let mut gone = datagrams.clone();
    gone.insert(1, (BEGIN, message10(&[set(2, &[300u16.to_be_bytes(), [0, 0]].concat())], BEGIN)));
    let (rows, watch) = exported(&gone);
    assert_eq!((rows.len(), watch.counters.untemplated), (1, 3));
}

#[test]
fn export_is_known_by_its_content_on_any_port() {
    for (_, datagram) in nine(false) {
        assert!(netflow::is_export(2057, &datagram) && netflow::is_export(2055, &datagram));
        for cut in 0..datagram.len() {
            // What is cut is still looked at where export is sent, and elsewhere only where the cut is at the end of a set.
            assert!(!netflow::is_export(2057, &datagram[..cut]) || cut >= 20, "{cut}");
        }
        assert!(!netflow::is_export(2057, &[&datagram[..], &[7, 7, 7, 7]].concat()));
    }
    let question = talks()[0].packets[0].payload.clone();
    assert!(!netflow::is_export(2057, &question) && !netflow::is_export(2055, &question));
}

#[test]
fn a_conversation_that_is_exported_each_minute_is_one() {
    let talk = &talks()[1];
    let mut datagrams = Vec::new();
    let mut templates = nine(false);
    datagrams.push(templates.remove(0));
    for minute in 0..10 {
        for up in [true, false] {
            let (start, end) = (BEGIN / 1000 + minute * 60_000, BEGIN / 1000 + minute * 60_000 + 59_000);
            let at = (end / 1000 + 1) * 1_000_000;
            let uptime = |ms: i64| ((ms - BOOT) as u32).to_be_bytes();
            let mut record = scene::netflow::one_way(talk, up, 4);
            // Neither SYN nor FIN.
            record[13] = ACK;
            let bytes = [&record[..], &[1, 2, 3], &uptime(start), &uptime(end)].concat();
            datagrams.push((at, message9(&[set(300, &bytes)], at, BOOT)));
        }
    }
    let (rows, _) = exported(&datagrams);
    let (up, down) = (talk.way(true), talk.way(false));
    assert_eq!((rows.len(), rows[0].up, rows[0].down), (1, (up.packets * 10, up.bytes * 10), (down.packets * 10, down.bytes * 10)));
    assert_eq!((rows[0].start, rows[0].end), (BEGIN, BEGIN + 599_000_000));
    assert_eq!(rows[0].ends.1, talk.ports.0, "the well-known port is the server's");
}

#[test]
fn what_two_routers_saw_is_not_added_up_and_what_was_sampled_says_so() {
    let mut sampled = nine(false);
    sampled.insert(1, sampling(100));
    let (rows, watch, seen) = rows(|watch, each| {
        for from in [0, 1] {
            for (n, (_, bytes)) in sampled.iter().enumerate() {
                watch.export(netflow::From::Input(from), bytes, None, n as u64, each);
            }
        }
    });
    assert_eq!((rows.len(), watch.counters.sampled), (8, 100));
    assert!(seen.iter().all(|s| !s.has(Seen::COUNTS)));
    assert!(rows.iter().all(|r| r.answered != Some(false)), "an answer may be among what nobody looked at");
}
