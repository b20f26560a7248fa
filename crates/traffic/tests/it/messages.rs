//! Short messages on record, and modules that speak behind them.

use umbilical_core::finding::Severity;
use umbilical_core::observation::IdKind;
use umbilical_synth::scene::{self, Lookup, Record, Talk};
use umbilical_traffic::capture;
use umbilical_traffic::cellular::Ue;
use umbilical_traffic::cellular::sessions::Declared;
use umbilical_traffic::detect::{Alert, Came, Detectors, Given, Trace};
use umbilical_traffic::flow::{Event, Limits};
use umbilical_traffic::learn::{Lesson, Memory};
use umbilical_traffic::lists::{Indicators, Messages};
use umbilical_traffic::names::Words;
use umbilical_traffic::time::Micros;
use umbilical_traffic::watch::Watch;

const ME: [u8; 4] = [10, 7, 0, 2];
const OTHER: [u8; 4] = [10, 7, 1, 2];
const HOUR: f64 = 3600.0;
const DAY: f64 = 24.0 * HOUR;

struct Told {
    alerts: Vec<Alert>,
    came: Vec<Came>,
    lesson: Lesson,
}

impl Told {
    fn of(&self, code: &str) -> Vec<&Alert> {
        self.alerts.iter().filter(|a| a.about.code == code).collect()
    }

    fn found(&self) -> Vec<&Alert> {
        self.of("after-message")
    }

    fn came(&self) -> Came {
        *self.came.iter().find(|c| c.about.code == "after-message").unwrap()
    }
}

/// A SIM of a module that has an address from one second to another.
fn sim(n: u8, addr: [u8; 4], from: f64, to: f64) -> Declared {
    let imei = Some(format!("86769804{n:06}0"));
    let (imsi, msisdn) = (Some(format!("00101000000{n:04}")), Some(format!("8829900000{n:02}")));
    Declared { imsi, iccid: None, imei, msisdn, apn: None, ue: vec![Ue::v4(addr)], from: Some(at(from)), to: Some(at(to)) }
}

/// A second of a scene.
fn at(second: f64) -> Micros {
    Micros(Talk::new(ME, OTHER, (1, 1), 17).then(second, true, 0, Vec::new()).start())
}

fn to(number: &str) -> [(IdKind, String); 1] {
    let kind = if number.len() == 15 { IdKind::Imsi } else { IdKind::Msisdn };
    [(kind, number.to_owned())]
}

/// Messages to the first SIM at seconds.
fn messages(seconds: &[f64]) -> Given {
    given(seconds.iter().map(|second| ("001010000000000", *second)))
}

fn given<'a>(all: impl Iterator<Item = (&'a str, f64)>) -> Given {
    let mut messages = Messages::default();
    all.for_each(|(number, second)| assert!(messages.put(&to(number), Some("882990000077"), at(second))));
    messages.close();
    Given { messages, ..Given::default() }
}

fn watched(talks: &[Talk], given: Given) -> Told {
    over(talks, &[sim(0, ME, -1.0, 100.0 * DAY), sim(1, OTHER, -1.0, 100.0 * DAY)], given)
}

fn over(talks: &[Talk], sims: &[Declared], given: Given) -> Told {
    let (mut watch, mut detect) = (Watch::new(Limits::default()), Detectors::new(given));
    sims.iter().for_each(|sim| {
        watch.sessions.declare(sim.clone());
    });
    let mut each = |event: Event<'_>, words: &Words| detect.see(&event, words);
    capture::read(&*scene::pcap(talks), &mut |frame| watch.frame(&frame, &mut each)).unwrap();
    watch.finish(&mut each);
    let trace = Trace { words: &watch.words, sessions: &watch.sessions };
    detect.learn(("one", vec!["one".into()]), trace, &mut |_| None);
    let last = detect.range().map(|(_, last)| last).unwrap();
    let mut so_far = || detect.so_far(last, trace, std::iter::empty(), &mut |_| None);
    let before = so_far();
    assert_eq!(before, so_far(), "asked again it says the same");
    let (alerts, came) = detect.finish(trace);
    Told { alerts, came, lesson: detect.into_lesson() }
}

fn talk(second: f64, name: &str) -> Talk {
    Talk::tls(second, ME, [203, 0, 113, 5], 20_000 + (second as u32 % 40_000) as u16, name)
}

/// Another module that speaks each half hour, so that somebody listens all the time.
fn others(hours: u16) -> Vec<Talk> {
    (0..hours * 2).map(|n| Talk::tls(f64::from(n) * 1800.0, OTHER, [198, 51, 100, 9], 20_000 + n, "cloud.example")).collect()
}

fn scene(hours: u16, talks: Vec<Talk>) -> Vec<Talk> {
    let mut all = [others(hours), talks].concat();
    all.sort_by_key(Talk::start);
    all
}

#[test]
fn who_speaks_right_behind_a_message_is_told_with_whom() {
    let lookup = Lookup::new(3.0 * HOUR + 42.0, "c2.other.example", 1, 0, vec![Record::A([203, 0, 113, 5])]);
    let asks = Talk::lookups(ME, [10, 0, 0, 53], 30_000, vec![lookup]);
    let talks = scene(6, vec![talk(60.0, "home.example"), asks, talk(3.0 * HOUR + 43.0, "c2.other.example")]);
    let told = watched(&talks, messages(&[3.0 * HOUR]));
    let [found] = told.found()[..] else { panic!("{:?}", told.alerts) };
    assert_eq!((found.peer.as_deref(), found.severity, found.flows), (Some("c2.other.example:443"), Severity::Low, 1));
    let did = &found.reason.did;
    let says =
        "began to speak 42 seconds behind a short message from +882990000077, with nobody for 3.0 hours before: with c2.other.example:443";
    assert_eq!(did, says);
    assert_eq!(found.reason.more, ["It is the only message on record that came while it was silent"]);
    let came = told.came();
    assert!(came.given && came.tally.judged >= 14 && came.tally.blind == 0, "{came:?}");
    // The telephone number finds it as well, and where nothing was before, that is said.
    let told = watched(&scene(6, vec![talk(3.0 * HOUR + 5.0, "a.example")]), given([("882990000000", 3.0 * HOUR)].into_iter()));
    assert!(
        told.found()[0].reason.did.contains("with nobody for 3.0 hours before, since the trace began: with a.example"),
        "{:?}",
        told.found()
    );
    // On a list it is worse.
    let mut indicators = Indicators::default();
    indicators.add("a list", b"other.example\n").unwrap();
    let told = watched(&talks, Given { indicators, ..messages(&[3.0 * HOUR]) });
    assert_eq!(told.found()[0].severity, Severity::Medium);
}

#[test]
fn what_has_nothing_to_do_with_a_message_is_not_told() {
    let woke = || scene(6, vec![talk(60.0, "home.example"), talk(3.0 * HOUR + 42.0, "c2.other.example")]);
    let often = || scene(6, (0..360_u16).map(|n| talk(f64::from(n) * 60.0 + 7.0, "home.example")).collect());
    let quarters = || scene(24, (0..96_u16).map(|n| talk(f64::from(n) * 900.0 + 7.0, "home.example")).collect());
    let cases: [(&str, Vec<Talk>, Given); 9] = [
        ("to others", woke(), given([("001010000000001", 3.0 * HOUR), ("001010000000007", 3.0 * HOUR)].into_iter())),
        ("none at all", woke(), messages(&[])),
        ("ten minutes before", woke(), messages(&[3.0 * HOUR + 42.0 - 600.0])),
        ("behind its word", woke(), messages(&[3.0 * HOUR + 43.0])),
        ("each minute anyway", often(), messages(&[HOUR, 2.0 * HOUR, 3.0 * HOUR])),
        ("each quarter anyway, and once behind a message", quarters(), messages(&[9.0 * 900.0 - 60.0])),
        ("one of many messages", woke(), messages(&(1..40).map(|n| f64::from(n) * 500.0 + 20.0).chain([3.0 * HOUR]).collect::<Vec<_>>())),
        (
            "it spoke a moment ago",
            scene(6, vec![talk(3.0 * HOUR - 300.0, "home.example"), talk(3.0 * HOUR + 42.0, "c2.other.example")]),
            messages(&[3.0 * HOUR]),
        ),
        ("before the trace nobody knows", scene(6, vec![talk(330.0, "home.example")]), messages(&[300.0])),
    ];
    for (what, talks, given) in cases {
        let told = watched(&talks, given);
        assert!(told.found().is_empty() && told.came().given && told.came().tally.judged > 0, "{what}: {:?}", told.found());
    }
    // Who is called and does not answer is silent; who answers is not.
    let called = |talk: Talk| scene(6, vec![talk, self::talk(3.0 * HOUR + 42.0, "c2.other.example")]);
    let (out, ports) = ([192, 0, 2, 66], (4000, 7777));
    let knocks = called(Talk::silent(3.0 * HOUR - 100.0, out, ME, ports));
    let asked = called(Talk::asked(3.0 * HOUR - 100.0, out, ME, ports, b"you?".to_vec(), b"yes".to_vec()));
    assert_eq!([knocks, asked].map(|talks| watched(&talks, messages(&[3.0 * HOUR])).found().len()), [1, 0]);
    // Without records nothing is judged.
    let told = watched(&woke(), Given::default());
    assert!(!told.came().given && told.found().is_empty());
}

#[test]
fn who_is_woken_so_each_time_has_a_habit() {
    let wakes = |n: u16| f64::from(n) * HOUR + 1800.0;
    let talks = |odd: &str| scene(10, (1..8).map(|n| talk(wakes(n) + 20.0, if n == 5 { odd } else { "home.example" })).collect());
    // Two parts of one message are one.
    let all: Vec<f64> = (1..8).flat_map(|n| [wakes(n), wakes(n) + 4.0]).collect();
    let told = watched(&talks("home.example"), messages(&all));
    let [found] = told.found()[..] else { panic!("{:?}", told.found()) };
    assert_eq!((found.severity, found.flows), (Severity::Info, 7));
    assert!(found.reason.did.contains(" 16 seconds behind a short message"), "{}", found.reason.did);
    assert_eq!(found.reason.more[0], "So it did behind 7 of 7 messages that came while it was silent");
    // One finding for each destination, and what is listed is no habit.
    let mut indicators = Indicators::default();
    indicators.add("a list", b"other.example\n").unwrap();
    let told = watched(&talks("c2.other.example"), Given { indicators, ..messages(&all) });
    let found: Vec<_> = told.found().iter().map(|a| (a.peer.clone().unwrap(), a.severity, a.flows)).collect();
    assert_eq!(found, [("c2.other.example:443".to_owned(), Severity::Medium, 1), ("home.example:443".to_owned(), Severity::Info, 6)]);
    // Four are too few for one.
    assert_eq!(watched(&talks("home.example"), messages(&all[..8])).found()[0].severity, Severity::Low);
}

#[test]
fn what_a_known_module_never_spoke_with_is_worse() {
    let hourly = |n: u16| talk(f64::from(n) * 4.0 * HOUR, "home.example");
    let lesson = watched(&scene(2, (0..54).map(hourly).collect()), Given::default()).lesson;
    let mut memory = Memory::default();
    assert!(memory.learn(Lesson { trace: "before".into(), inputs: vec!["before".into()], ..lesson }));
    for (name, severity) in [("home.example", Severity::Low), ("c2.other.example", Severity::Medium)] {
        let server = if severity == Severity::Low { [203, 0, 113, 5] } else { [192, 0, 2, 5] };
        let begin = 10.0 * DAY;
        let talks =
            [Talk::tls(begin, OTHER, [198, 51, 100, 9], 20_000, "cloud.example"), Talk::tls(begin + 3.0 * HOUR, ME, server, 20_001, name)];
        let told = watched(&talks, Given { memory: memory.clone(), ..messages(&[begin + 3.0 * HOUR - 10.0]) });
        assert_eq!(told.found()[0].severity, severity, "{name}: {:?}", told.found());
    }
}

/// Who sleeps may have another session, and another address, each time.
#[test]
fn a_module_is_one_whatever_sessions_it_has() {
    let later = [10, 7, 9, 9];
    let sims = [sim(0, ME, -1.0, 2.0 * HOUR), sim(0, later, 2.0 * HOUR, 9.0 * HOUR), sim(1, OTHER, -1.0, 9.0 * HOUR)];
    let woke = Talk::tls(2.0 * HOUR + 300.0, later, [203, 0, 113, 5], 30_000, "c2.other.example");
    let silent = scene(6, vec![talk(60.0, "home.example"), woke.clone()]);
    assert_eq!(over(&silent, &sims, messages(&[2.0 * HOUR + 250.0])).found().len(), 1);
    let spoke = scene(6, vec![talk(2.0 * HOUR - 200.0, "home.example"), woke]);
    let told = over(&spoke, &sims, messages(&[2.0 * HOUR + 250.0]));
    assert!(told.found().is_empty(), "{:?}", told.found());
}

#[test]
fn after_silence_says_whether_a_message_is_on_record() {
    let hourly = (0..9 * 24_u16).map(|n| talk(f64::from(n) * HOUR, "home.example"));
    let talks: Vec<Talk> = hourly.chain([Talk::tls(13.0 * DAY, ME, [192, 0, 2, 5], 50_000, "c2.other.example")]).collect();
    for (given, says) in [
        (messages(&[13.0 * DAY - 30.0]), "A short message to it is on record, 30 seconds before it spoke"),
        (messages(&[12.0 * DAY]), "No short message to it is on record in the two minutes before it spoke"),
        (Given::default(), "Whether a short message woke it is not known: no records of any were given (--sms)"),
    ] {
        let told = watched(&talks, given);
        let found = told.of("after-silence");
        assert!(found[0].reason.more.iter().any(|m| m == says), "{:?}", found[0].reason);
    }
}

#[test]
fn whose_numbers_are_not_known_is_not_evaluable() {
    let nameless = Declared { imsi: None, imei: None, msisdn: None, ..sim(0, ME, -1.0, DAY) };
    let told = over(&[talk(HOUR, "home.example")], &[nameless], messages(&[HOUR]));
    assert_eq!((told.came().tally.judged, told.came().tally.blind), (0, 1));
}
