//! One scene in every form in which somebody may tell of it: the same findings, wherever enough can be seen.
//!
//! A detector's scene is a row of [`CASES`]: what happens, what must be found, and where that cannot be told.

use std::collections::BTreeSet;
use std::net::IpAddr;

use umbilical_synth::Rng;
use umbilical_synth::scene::{self, Lookup, Names, Record, Talk, eve, netflow::Datagram};
use umbilical_traffic::capture;
use umbilical_traffic::detect::{Came, Detectors, Given, Subject, Trace};
use umbilical_traffic::flow::{Each, Event, Limits, Seen};
use umbilical_traffic::names::Words;
use umbilical_traffic::record::{eve as events, netflow, zeek};
use umbilical_traffic::source::Source;
use umbilical_traffic::time::Micros;
use umbilical_traffic::watch::Watch;

/// Who does what in the scenes: each has an address of its own.
const SCANNER: [u8; 4] = [10, 0, 0, 7];
const SWEEPER: [u8; 4] = [10, 0, 0, 8];
const BEACON: [u8; 4] = [10, 0, 0, 9];
const PEOPLE: [u8; 4] = [10, 0, 0, 20];
const CLOUD: [u8; 4] = [198, 51, 100, 9];

struct Case {
    name: &'static str,
    scene: fn() -> Vec<Talk>,
    /// Code, whose it is, and with whom. A name stands for the server that has it.
    finds: &'static [Told],
    /// Forms in which a detector cannot tell, and says so.
    blind: &'static [(&'static [Form], &'static str)],
}

type Told = (&'static str, [u8; 4], Option<&'static str>);

const CASES: &[Case] = &[
    Case {
        name: "one port of many addresses",
        scene: || (0..120).map(|n| Talk::silent(f64::from(n) * 0.2, SCANNER, [203, 0, 113, n], (40_000 + u16::from(n), 23))).collect(),
        finds: &[("scan", SCANNER, None)],
        blind: &[(NO_ANSWERS, "scan")],
    },
    Case {
        name: "many ports of one address, and some answer",
        scene: || {
            let tries = (0..200_u16).map(|n| {
                let (second, ports) = (f64::from(n) * 0.05, (50_000, 1 + n));
                if n % 40 == 21 {
                    Talk::asked(second, SWEEPER, CLOUD, ports, Vec::new(), b"hello".to_vec())
                } else {
                    Talk::refused(second, SWEEPER, CLOUD, ports)
                }
            });
            tries.collect()
        },
        finds: &[("scan", SWEEPER, Some("198.51.100.9"))],
        blind: &[(NO_ANSWERS, "scan")],
    },
    Case {
        name: "contacts as by a clock",
        scene: || {
            let mut dice = Rng::new(3);
            let mut late = || dice.below(20) as f64;
            (0..60_u16).map(|n| Talk::tls(f64::from(n) * 300.0 + late(), BEACON, CLOUD, 20_000 + n, "cloud.example")).collect()
        },
        finds: &[("beacon", BEACON, Some("cloud.example:443"))],
        blind: &[],
    },
];

/// What nobody should say anything of: people read pages, ask for their names, and are answered.
fn harmless() -> Vec<Talk> {
    let mut dice = Rng::new(11);
    let (mut second, mut out) = (0.0, Vec::new());
    for n in 0..80_u16 {
        second += 5.0 + dice.below(400) as f64;
        let (server, name) = ([192, 0, 2, dice.below(40) as u8], format!("site{}.example", dice.below(40)));
        let lookup = Lookup::new(second, &*name, 1, 0, vec![Record::A(server)]);
        out.push(Talk::lookups(PEOPLE, [10, 0, 0, 53], 30_000 + n, vec![lookup]));
        out.push(if n % 3 == 0 {
            let text = |t: &str| t.to_owned();
            let names = Names { host: name, uri: text("/news"), agent: text("browser/1"), mime: text("text/html"), ..Names::default() };
            Talk::http(second + 0.2, PEOPLE, server, 40_000 + n, names, &vec![b'x'; dice.below(3000) as usize])
        } else {
            Talk::tls(second + 0.2, PEOPLE, server, 40_000 + n, &name)
        });
    }
    out
}

/// A form in which somebody tells of a scene.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Packets,
    Zeek,
    ZeekJson,
    Flow(eve::Dns),
    /// As Suricata writes it when a capture ends: conversations behind all else, in the order of its table.
    FlowAtEnd,
    Ways,
    Five,
    Nine,
    Ipfix,
    /// Past this router only what clients send goes.
    NineOneWay,
    /// Zeek's logs of what was said, without that of conversations.
    Names,
}

const FORMS: [Form; 13] = [
    Form::Packets,
    Form::Zeek,
    Form::ZeekJson,
    Form::Flow(eve::Dns::One),
    Form::Flow(eve::Dns::Two),
    Form::Flow(eve::Dns::Three),
    Form::FlowAtEnd,
    Form::Ways,
    Form::Five,
    Form::Nine,
    Form::Ipfix,
    Form::NineOneWay,
    Form::Names,
];

/// Who is answered cannot be seen.
const NO_ANSWERS: &[Form] = &[Form::NineOneWay, Form::Names];

/// What was found: code, whose, with whom; and what each detector came to.
type Findings = (BTreeSet<(String, IpAddr, Option<String>)>, Vec<Came>);

fn found(talks: &[Talk], form: Form) -> Findings {
    let (mut watch, mut detect) = (Watch::new(Limits::default()), Detectors::new(Given::default()));
    let mut each = |event: Event<'_>, words: &Words| detect.see(&event, words);
    let is = |bytes: &[u8], kind: fn(Source) -> bool| assert!(Source::of(bytes).is_some_and(|(s, _)| kind(s)), "{form:?}");
    match form {
        Form::Packets => {
            let bytes = scene::pcap(talks);
            is(&bytes, |s| s == Source::Capture);
            capture::read(&*bytes, &mut |frame| watch.frame(&frame, &mut each)).unwrap();
            assert_eq!(watch.counters.undecoded, 0);
        }
        Form::Zeek => logs(&scene::zeek::tsv(talks), &mut watch, &mut each),
        Form::ZeekJson => logs(&scene::zeek::json(talks), &mut watch, &mut each),
        Form::Flow(shape) => lines(&eve::events(talks, shape, eve::Counts::Flow), &mut watch, &mut each),
        Form::FlowAtEnd => lines(&at_end(&eve::events(talks, eve::Dns::Two, eve::Counts::Flow)), &mut watch, &mut each),
        Form::Ways => lines(&eve::events(talks, eve::Dns::Two, eve::Counts::Netflow), &mut watch, &mut each),
        Form::Five => exported(&scene::netflow::five(talks), &mut watch, &mut each),
        Form::Nine => exported(&scene::netflow::nine(talks), &mut watch, &mut each),
        Form::NineOneWay => exported(&scene::netflow::nine_one_way(talks), &mut watch, &mut each),
        Form::Names => logs(&scene::zeek::tsv(talks)[1..], &mut watch, &mut each),
        Form::Ipfix => exported(&scene::netflow::ipfix(talks), &mut watch, &mut each),
    }
    watch.finish(&mut each);
    let (alerts, came) = detect.finish(Trace { words: &watch.words, sessions: &watch.sessions });
    let told = alerts.into_iter().map(|alert| {
        let Subject::Host(addr) = alert.subject else { panic!("nobody has a session here") };
        (alert.about.code.to_owned(), addr.ip(), alert.peer.map(|peer| bare(&peer, talks)))
    });
    (told.collect(), came)
}

/// A peer by its address, where a scene says which server has the name.
fn bare(peer: &str, talks: &[Talk]) -> String {
    let (name, port) = peer.rsplit_once(':').map_or((peer, String::new()), |(name, port)| (name, format!(":{port}")));
    let has = |t: &&Talk| [&t.names.sni, &t.names.host].into_iter().any(|n| n == name);
    talks.iter().find(has).map_or_else(|| peer.to_owned(), |t| format!("{}{port}", t.server))
}

fn lines(text: &str, watch: &mut Watch, each: Each<'_>) {
    assert!(matches!(Source::of(text.as_bytes()), Some((Source::Eve, _))));
    let mut log = events::Log::new(text.as_bytes());
    for line in text.split_inclusive('\n') {
        log.line(line.as_bytes(), watch, each);
    }
    assert_eq!(log.troubles.iter().count(), 0, "{:?}", log.troubles);
}

fn at_end(text: &str) -> String {
    let (mut over, said): (Vec<&str>, Vec<&str>) = text.split_inclusive('\n').partition(|l| l.contains("\"event_type\":\"flow\""));
    Rng::new(5).shuffle(&mut over);
    [said, over].concat().concat()
}

fn exported(datagrams: &[Datagram], watch: &mut Watch, each: Each<'_>) {
    let file: Vec<u8> = datagrams.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
    assert!(matches!(Source::of(&file), Some((Source::Netflow(_), _))));
    let read = netflow::datagrams(&*file, &mut |number, bytes| {
        assert_eq!(watch.export(netflow::From::Input(0), bytes, None, number, each), None);
    });
    assert_eq!(read.unwrap(), None);
}

/// Logs side by side, each line in its turn.
fn logs(logs: &[(&str, String)], watch: &mut Watch, each: Each<'_>) {
    let mut lines = Vec::new();
    for (n, (path, text)) in logs.iter().enumerate() {
        let (mut log, mut scratch) = (zeek::Log::new(Seen::NOTHING), Watch::new(Limits::default()));
        lines.extend(text.split_inclusive('\n').map(|l| (log.line(l.as_bytes(), &mut scratch, &mut |_, _| {}), n, l)));
        assert!(log.rows == 0 || log.kind.is_some_and(|k| k.name() == format!("zeek-{path}")), "{path}: {:?}", log.kind);
    }
    lines.sort_by_key(|(at, ..)| at.unwrap_or(Micros(i64::MIN)));
    let beside = Seen::DNS.with(Seen::TLS).with(Seen::HTTP);
    let mut open: Vec<zeek::Log> = logs.iter().map(|_| zeek::Log::new(beside)).collect();
    for (_, n, line) in lines {
        open[n].line(line.as_bytes(), watch, each);
    }
    assert!(open.iter().all(|log| log.troubles.iter().count() == 0), "{open:?}");
}

/// Holds every form of a scene to what must be found.
fn check(name: &str, talks: &[Talk], cases: &[&Case]) {
    for form in FORMS {
        let (findings, came) = found(talks, form);
        let blind: BTreeSet<&str> =
            cases.iter().flat_map(|c| c.blind).filter(|(forms, _)| forms.contains(&form)).map(|(_, code)| *code).collect();
        let wanted: BTreeSet<_> = cases
            .iter()
            .flat_map(|c| c.finds)
            .filter(|(code, ..)| !blind.contains(code))
            .map(|(code, whose, peer)| ((*code).to_owned(), IpAddr::from(*whose), peer.map(|p| bare(p, talks))))
            .collect();
        assert_eq!(findings, wanted, "{name}, as {form:?}: {came:?}");
        for came in came.iter().filter(|c| blind.contains(c.about.code)) {
            // It says that it could not tell, or there was not even anything to look at.
            assert!(came.tally.blind > 0 || came.tally.judged == 0, "{name}, as {form:?}: {came:?}");
        }
    }
}

#[test]
fn each_scene_is_found_in_every_form() {
    for case in CASES {
        check(case.name, &[(case.scene)(), harmless()].concat(), &[case]);
    }
}

#[test]
fn all_of_them_at_once_are_found_in_every_form() {
    let talks: Vec<Talk> = CASES.iter().flat_map(|c| (c.scene)()).chain(harmless()).collect();
    check("all", &talks, &CASES.iter().collect::<Vec<_>>());
}

#[test]
fn nothing_is_said_of_what_is_harmless() {
    check("harmless", &harmless(), &[]);
}
