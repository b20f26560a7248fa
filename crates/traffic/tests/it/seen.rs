//! What modules spoke with before: what is new for them, who came to them, and what woke them.

use umbilical_core::finding::Severity;
use umbilical_synth::scene::{self, Talk};
use umbilical_traffic::capture;
use umbilical_traffic::cellular::Ue;
use umbilical_traffic::cellular::sessions::Declared;
use umbilical_traffic::detect::{Alert, Came, Detectors, Given, Trace};
use umbilical_traffic::flow::{Event, Limits};
use umbilical_traffic::learn::{Lesson, Memory};
use umbilical_traffic::lists::Indicators;
use umbilical_traffic::names::Words;
use umbilical_traffic::places::Place;
use umbilical_traffic::record::netflow;
use umbilical_traffic::watch::Watch;

const CLOUD: [u8; 4] = [198, 51, 100, 9];
const MASTER: [u8; 4] = [192, 168, 9, 1];
const HOUR: f64 = 3600.0;
const DAY: f64 = 24.0 * HOUR;

/// The address of a module, by its number.
fn me(n: u8) -> [u8; 4] {
    [10, 7, n, 2]
}

fn declared(n: u8, imei: Option<String>) -> Declared {
    let imsi = Some(format!("00101000000{n:04}"));
    Declared { imsi, iccid: None, imei, msisdn: None, apn: None, ue: vec![Ue::v4(me(n))], from: None, to: None }
}

/// All of one model.
fn imei(n: u8) -> Option<String> {
    Some(format!("86769804{n:06}0"))
}

struct Told {
    lesson: Lesson,
    alerts: Vec<Alert>,
    came: Vec<Came>,
}

impl Told {
    fn of(&self, code: &str) -> Vec<&Alert> {
        self.alerts.iter().filter(|a| a.about.code == code).collect()
    }

    fn came(&self, code: &str) -> Came {
        *self.came.iter().find(|c| c.about.code == code).unwrap()
    }
}

/// What is told of a scene in which so many modules may be.
fn watched(name: &str, talks: &[Talk], modules: u8, given: Given) -> Told {
    over(name, modules, given, &mut |_| None, |watch, each| {
        capture::read(&*scene::pcap(talks), &mut |frame| watch.frame(&frame, each)).unwrap();
    })
}

fn over(
    name: &str,
    modules: u8,
    given: Given,
    place: &mut dyn FnMut(umbilical_traffic::packet::Addr) -> Option<Place>,
    feed: impl FnOnce(&mut Watch, umbilical_traffic::flow::Each<'_>),
) -> Told {
    let (mut watch, mut detect) = (Watch::new(Limits::default()), Detectors::new(given));
    for n in 0..modules {
        watch.sessions.declare(declared(n, imei(n)));
    }
    let mut each = |event: Event<'_>, words: &Words| detect.see(&event, words);
    feed(&mut watch, &mut each);
    watch.finish(&mut each);
    let trace = Trace { words: &watch.words, sessions: &watch.sessions };
    detect.learn((name, vec![name.into()]), trace, place);
    let (alerts, came) = detect.finish(trace);
    Told { lesson: detect.into_lesson(), alerts, came }
}

fn knows(memory: &Memory) -> Given {
    Given { memory: memory.clone(), ..Given::default() }
}

/// A module that speaks with its cloud each hour of some days, each time at another of its addresses.
fn habit(n: u8, from: f64, days: u16) -> Vec<Talk> {
    let at = |hour: u16| from + f64::from(hour) * HOUR + f64::from(n) * 7.0;
    let cloud = |hour: u16| [198, 51, (hour % 50) as u8, 9];
    (0..days * 24).map(|hour| Talk::tls(at(hour), me(n), cloud(hour), 20_000 + hour, &format!("n{}.cloud.example", hour % 50))).collect()
}

/// A memory of nine days of some modules.
fn learnt(modules: u8) -> Memory {
    let talks: Vec<Talk> = (0..modules).flat_map(|n| habit(n, 0.0, 9)).collect();
    let told = watched("first", &talks, modules, Given::default());
    let mut memory = Memory::default();
    assert!(memory.learn(told.lesson));
    memory
}

fn peers(alerts: &[&Alert]) -> Vec<String> {
    alerts.iter().map(|a| a.peer.clone().unwrap_or_default()).collect()
}

#[test]
fn what_a_known_module_never_spoke_with_is_new() {
    let memory = learnt(1);
    let mut talks = habit(0, 10.0 * DAY, 1);
    talks.push(Talk::tls(10.5 * DAY, me(0), [203, 0, 113, 5], 50_000, "c2.other.example"));
    talks.push(Talk::silent(10.6 * DAY, me(0), [203, 0, 114, 5], (50_001, 4444)));
    let told = watched("second", &talks, 1, knows(&memory));
    let found = told.of("new-destination");
    assert_eq!(peers(&found), ["c2.other.example:443", "203.0.114.5:4444"]);
    assert_eq!((found[0].severity, found[1].severity), (Severity::Low, Severity::Info), "one answers, the other does not");
    assert!(found[0].reason.more[0].starts_with("What is new is the registered domain other.example"), "{:?}", found[0].reason);
    assert!(told.came("new-destination").tally.judged >= 25, "{:?}", told.came);
    // Once it is learnt it is no longer new, and the trace that taught it says the same as before.
    let mut memory = memory;
    assert!(memory.learn(told.lesson.clone()));
    let again = watched("second", &talks, 1, knows(&memory));
    assert_eq!((again.alerts, again.lesson == told.lesson), (told.alerts, true));
    assert!(!memory.learn(again.lesson), "nothing is learnt twice");
    let later = Talk::tls(12.0 * DAY, me(0), [203, 0, 113, 99], 50_000, "d3.other.example");
    assert!(watched("third", &[later], 1, knows(&memory)).of("new-destination").is_empty());
}

#[test]
fn while_it_is_learnt_nothing_is_new() {
    let mut talks = habit(0, 0.0, 3);
    talks.push(Talk::tls(2.5 * DAY, me(0), [203, 0, 113, 5], 50_000, "c2.other.example"));
    let told = watched("first", &talks, 1, Given::default());
    assert!(told.of("new-destination").is_empty());
    assert_eq!((told.came("new-destination").tally.learning, told.came("new-destination").tally.judged), (Some((1, 1)), 0));
    // Behind seven days of one trace it is.
    let mut talks = habit(0, 0.0, 8);
    talks.push(Talk::tls(7.5 * DAY, me(0), [203, 0, 113, 5], 50_000, "c2.other.example"));
    let told = watched("first", &talks, 1, Given::default());
    assert_eq!(peers(&told.of("new-destination")), ["c2.other.example:443"]);
    assert_eq!(told.came("new-destination").tally.learning, Some((0, 1)));
}

#[test]
fn what_others_of_the_fleet_do_is_not_new() {
    const FLEET: u8 = 60;
    let mut memory = learnt(FLEET);
    // All of them are sent to a new cloud, one after the other: the first of them are told.
    let moved = |n: u8| Talk::tls(10.0 * DAY + f64::from(n) * 60.0, me(n), [203, 0, 113, 5], 50_000, "new.moved.example");
    let told = watched("second", &(0..FLEET).map(moved).collect::<Vec<_>>(), FLEET, knows(&memory));
    let found = told.of("new-destination");
    assert_eq!(found.len(), 2, "one of 59 is less than one of fifty, two are more: {:?}", peers(&found));
    assert!(found[0].reason.more.iter().any(|m| m == "59 others did so behind it in this trace"), "{:?}", found[0].reason);
    // Two of them did before: for the third it is nothing new.
    memory.learn(watched("two", &[moved(1), moved(2)], FLEET, knows(&memory)).lesson);
    let third = [Talk::tls(11.0 * DAY, me(3), [203, 0, 113, 5], 50_000, "new.moved.example")];
    assert!(watched("third", &third, FLEET, knows(&memory)).of("new-destination").is_empty());
}

#[test]
fn who_always_speaks_with_somebody_new_is_not_judged() {
    let page =
        |n: u16| Talk::tls(f64::from(n) * 1000.0, me(0), [203, 0, (n / 250) as u8, n as u8], 20_000 + n, &format!("site{n}.example"));
    let told = watched("first", &(0..900).map(page).collect::<Vec<_>>(), 1, Given::default());
    assert!(told.of("new-destination").is_empty(), "{:?}", peers(&told.of("new-destination")));
    assert!(told.came("new-destination").tally.blind > 500, "{:?}", told.came("new-destination"));
}

/// The same as a router exports it.
fn exported(name: &str, talks: &[Talk], given: Given, asn: impl Fn(&str) -> Option<u32>) -> Told {
    let mut place = |addr: umbilical_traffic::packet::Addr| {
        let asn = asn(&addr.ip().to_string());
        asn.map(|asn| Place { asn: Some(asn), ..Place::default() })
    };
    over(name, 1, given, &mut place, |watch, each| {
        for (_, bytes) in scene::netflow::ipfix(talks) {
            assert_eq!(watch.export(netflow::From::Input(0), &bytes, None, 1, each), None);
        }
    })
}

#[test]
fn without_names_the_network_decides_where_it_is_known() {
    let system = |ip: &str| Some(if ip.starts_with("198.51.") { 64_500 } else { 64_501 });
    for known in [true, false] {
        let asn = |ip: &str| system(ip).filter(|_| known);
        let mut memory = Memory::default();
        memory.learn(exported("first", &habit(0, 0.0, 9), Given::default(), asn).lesson);
        // The cloud has come to other addresses, which is nothing; somebody else's network is something.
        let talks = [
            Talk::tls(10.0 * DAY, me(0), [198, 51, 77, 9], 20_000, "n77.cloud.example"),
            Talk::tls(10.1 * DAY, me(0), [203, 0, 113, 5], 50_000, "c2.other.example"),
        ];
        let told = exported("second", &talks, knows(&memory), asn);
        let came = told.came("new-destination");
        if known {
            assert_eq!(peers(&told.of("new-destination")), ["203.0.113.5:443"]);
        } else {
            assert!(told.of("new-destination").is_empty() && came.tally.judged == 0 && came.tally.blind == 2, "{came:?}");
        }
    }
}

/// A question of Modbus: reads, or writes.
fn modbus(second: f64, from: [u8; 4], n: u8, port: u16, write: bool) -> Talk {
    let function = if write { 6 } else { 3 };
    let body = vec![0, 1, 0, 0, 0, 6, 1, function, 0, 1, 0, 3];
    let answer = if write { body.clone() } else { vec![0, 1, 0, 0, 0, 5, 1, 3, 2, 0, 7] };
    Talk::asked(second, from, me(n), (port, 502), body, answer)
}

#[test]
fn who_commands_a_module_for_the_first_time_is_told() {
    let other = [192, 168, 9, 66];
    let master = |n: u8, day: u16| modbus(f64::from(day) * DAY + f64::from(n), MASTER, n, 3000 + day, true);
    let again = |n: u8, day: u16| modbus(f64::from(day) * DAY + HOUR + f64::from(n), MASTER, n, 3100 + day, true);
    let talks: Vec<Talk> = (0..9).flat_map(|day| [master(0, day), master(1, day), again(0, day), again(1, day)]).collect();
    let told = watched("first", &talks, 2, Given::default());
    // There is no before yet: the one who commands is listed once.
    let found = told.of("inbound-control");
    assert_eq!((peers(&found), found[0].severity), (vec!["192.168.9.1".to_owned()], Severity::Info));
    assert!(found[0].reason.more.iter().any(|m| m == "So were 1 others by the same"), "{:?}", found[0].reason);
    let mut memory = Memory::default();
    memory.learn(told.lesson);
    let talks = [
        master(0, 10),
        modbus(10.1 * DAY, other, 0, 4000, false),
        modbus(10.2 * DAY, other, 1, 4001, true),
        Talk::asked(10.3 * DAY, [203, 0, 113, 8], me(1), (4002, 22), b"SSH-2.0-x\r\n".to_vec(), b"SSH-2.0-y\r\n".to_vec()),
        Talk::refused(10.4 * DAY, [203, 0, 113, 9], me(1), (4003, 22)),
    ];
    let told = watched("second", &talks, 2, knows(&memory));
    let found = told.of("inbound-control");
    assert_eq!(peers(&found), ["192.168.9.66", "203.0.113.8"], "reading is no command, and who is refused is not let in");
    assert!(found.iter().all(|a| a.severity == Severity::High));
    assert_eq!(found[0].reason.did, "was sent commands in modbus (port 502) by 192.168.9.66, who never did so before");
    // Who commands others is less of a surprise.
    memory.learn(told.lesson);
    let told = watched("third", &[modbus(11.0 * DAY, other, 0, 4000, true)], 2, knows(&memory));
    assert_eq!(told.of("inbound-control")[0].severity, Severity::Low);
}

#[test]
fn commands_that_a_router_cannot_see_are_not_evaluable() {
    let told = exported("first", &[modbus(0.0, MASTER, 0, 3000, true)], Given::default(), |_| None);
    let came = told.came("inbound-control");
    assert!(told.of("inbound-control").is_empty() && came.tally.judged == 0 && came.tally.blind == 1, "{came:?}");
}

/// A module that calls its cloud by a clock of so many hours, three conversations each time.
fn sleeper(n: u8, from: f64, every: f64, times: u16) -> Vec<Talk> {
    let at = |k: u16| from + f64::from(k) * every * HOUR;
    let wake = |k: u16| (0..3).map(move |j| Talk::tls(at(k) + f64::from(j), me(n), CLOUD, 20_000 + 3 * k + j, "cloud.example"));
    (0..times).flat_map(wake).collect()
}

#[test]
fn who_wakes_after_an_unusual_silence_for_somebody_unusual_is_told() {
    let stranger = |day: f64| Talk::tls(day * DAY, me(0), [203, 0, 113, 5], 50_000, "c2.other.example");
    // Hourly for nine days, then four days of nothing.
    let told = watched("one", &[habit(0, 0.0, 9), vec![stranger(13.0)]].concat(), 1, Given::default());
    let found = told.of("after-silence");
    assert_eq!((peers(&found), found[0].severity), (vec!["c2.other.example:443".to_owned()], Severity::High));
    assert!(found[0].reason.did.starts_with("was silent for 97.0 hours"), "{}", found[0].reason.did);
    // What it always speaks with is no reason, and neither is half a day.
    for talks in [habit(0, 13.0 * DAY, 1), vec![stranger(9.5)]] {
        let told = watched("one", &[habit(0, 0.0, 9), talks].concat(), 1, Given::default());
        assert!(told.of("after-silence").is_empty(), "{:?}", told.alerts);
    }
    // Who sleeps as a rule may sleep: meters that call each two days, and once for a new reason.
    for every in [26.0, 48.0, 24.0 * 14.0] {
        let talks = [sleeper(0, 0.0, every, 20), vec![stranger(every * 20.0 / 24.0)]].concat();
        let told = watched("one", &talks, 1, Given::default());
        assert!(told.of("after-silence").is_empty(), "every {every} hours: {:?}", told.of("after-silence"));
    }
}

#[test]
fn silence_counts_only_while_somebody_listens() {
    let memory = learnt(2);
    let stranger = [Talk::tls(14.0 * DAY, me(0), [203, 0, 113, 5], 50_000, "c2.other.example")];
    assert!(watched("far", &stranger, 2, knows(&memory)).of("after-silence").is_empty(), "nobody listened in between");
    let mut memory = memory;
    for day in 9..14_u16 {
        let (from, name) = (f64::from(day) * DAY, format!("day{day}"));
        memory.learn(watched(&name, &habit(1, from, 1), 2, knows(&memory)).lesson);
    }
    let told = watched("far", &stranger, 2, knows(&memory));
    assert_eq!(peers(&told.of("after-silence")), ["c2.other.example:443"]);
}

#[test]
fn a_clock_that_most_of_a_model_have_is_information() {
    let clock = |n: u8, name: &str, from: f64| -> Vec<Talk> {
        let at = |k: u16| from + f64::from(k) * 300.0 + f64::from(n) * 11.0;
        (0..60).map(|k| Talk::tls(at(k), me(n), CLOUD, 20_000 + k, name)).collect()
    };
    let all: Vec<Talk> = (0..8).flat_map(|n| clock(n, "telemetry.maker.example", 0.0)).collect();
    let severities = |told: &Told| told.of("beacon").iter().map(|a| a.severity).collect::<Vec<_>>();
    assert_eq!(severities(&watched("one", &all, 8, Given::default())), [Severity::Info; 8]);
    // One of eight is not most, and others of no model say nothing.
    let one = [clock(0, "telemetry.maker.example", 0.0), (1..8).flat_map(|n| habit(n, 0.0, 1)).collect()].concat();
    let told = watched("one", &one, 8, Given::default());
    assert!(told.of("beacon").iter().any(|a| a.severity == Severity::Low && a.peer.as_deref() == Some("telemetry.maker.example:443")));
    // On a list, or new for all of them: it stays as it was.
    let mut indicators = Indicators::default();
    indicators.add("a list", b"telemetry.maker.example\n").unwrap();
    assert_eq!(severities(&watched("one", &all, 8, Given { indicators, ..Given::default() })), [Severity::Low; 8]);
    let memory = learnt(8);
    let later: Vec<Talk> = (0..8).flat_map(|n| clock(n, "telemetry.maker.example", 10.0 * DAY)).collect();
    let told = watched("two", &later, 8, knows(&memory));
    assert_eq!(severities(&told), [Severity::Low; 8]);
    assert!(told.of("beacon")[0].reason.more.iter().any(|m| m == "None of them did before this trace"));
}

#[test]
fn a_memory_reads_back_and_holds_no_number_of_a_subscriber() {
    let talks = [habit(0, 0.0, 1), vec![modbus(10.0, MASTER, 0, 3000, true)]].concat();
    let talks: Vec<Talk> = talks.into_iter().chain([Talk::tls(50.0, me(0), CLOUD, 60_000, "x.t491701234567.example")]).collect();
    let (mut watch, mut detect) = (Watch::new(Limits::default()), Detectors::new(Given { key: vec![7; 32], ..Given::default() }));
    watch.sessions.declare(declared(0, None));
    let mut each = |event: Event<'_>, words: &Words| detect.see(&event, words);
    capture::read(&*scene::pcap(&talks), &mut |frame| watch.frame(&frame, &mut each)).unwrap();
    watch.finish(&mut each);
    detect.learn(("first", vec!["a".into()]), Trace { words: &watch.words, sessions: &watch.sessions }, &mut |_| None);
    let mut memory = Memory::default();
    memory.learn(detect.into_lesson());
    let mut text = Vec::new();
    memory.write(&mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(text.starts_with("{\"format\":\"umbilical.seen/1\"") && text.contains("sim:") && text.contains("control modbus"), "{text}");
    assert!(!text.contains("00101") && !text.contains("491701234567"), "{text}");
    assert_eq!(Memory::read(&text).unwrap(), memory);
    for (broken, said) in
        [("{}", "first line"), (&*text.replace("seen/1", "seen/2"), "first line"), (&*text.replace("\"days\"", "\"dais\""), "line 3")]
    {
        assert!(Memory::read(broken).unwrap_err().to_string().contains(said), "{broken}");
    }
}

/// A lesson of one module that spoke with one name.
fn lesson(name: &str, inputs: &[&str], begin: f64, what: &str) -> Lesson {
    let told = watched(name, &[Talk::tls(begin, me(0), CLOUD, 20_000, what)], 1, Given::default());
    Lesson { inputs: inputs.iter().map(|i| (*i).into()).collect(), ..told.lesson }
}

#[test]
fn lessons_take_their_own_place_and_decay() {
    let spoke = |memory: &Memory, day: f64| {
        let at = scene::BEGIN + (day * DAY * 1e6) as i64;
        let past = memory.before("none", umbilical_traffic::time::Micros(at));
        let modules: Vec<_> = past.modules.values().collect();
        modules.iter().flat_map(|m| m.to.iter().map(|(what, met)| (what.to_string(), met.talks))).collect::<Vec<_>>()
    };
    let one = |what: &str, talks: u64| (what.to_owned(), talks);
    let mut memory = Memory::default();
    memory.learn(lesson("a", &["a"], 0.0, "a.example"));
    memory.learn(lesson("b", &["b"], DAY, "b.example"));
    // Both together say what each of them did, once.
    let both = watched(
        "ab",
        &[Talk::tls(0.0, me(0), CLOUD, 20_000, "a.example"), Talk::tls(DAY, me(0), CLOUD, 20_000, "b.example")],
        1,
        Given::default(),
    );
    memory.learn(Lesson { inputs: vec!["a".into(), "b".into()], ..both.lesson });
    assert!(!memory.learn(lesson("a", &["a"], 0.0, "a.example")), "it is known");
    assert_eq!(spoke(&memory, 2.0), [one("a.example", 1), one("b.example", 1)]);
    // What began later is not known, and what is long ago no longer.
    assert_eq!(spoke(&memory, -1.0), []);
    memory.learn(lesson("c", &["c"], 181.0 * DAY, "c.example"));
    assert_eq!(spoke(&memory, 182.0), [one("c.example", 1)]);
    memory.learn(lesson("d", &["d"], 400.0 * DAY, "d.example"));
    let mut text = Vec::new();
    memory.write(&mut text).unwrap();
    assert!(!String::from_utf8(text).unwrap().contains("a.example"), "it is not kept for ever");
}

#[test]
fn many_lessons_become_one_and_say_the_same() {
    let mut memory = Memory::default();
    for n in 0..400_u32 {
        assert!(memory.learn(lesson(&n.to_string(), &[&n.to_string()], f64::from(n) * HOUR, &format!("n{}.example", n % 7))));
    }
    let past = memory.before("none", umbilical_traffic::time::Micros(scene::BEGIN + (400.0 * HOUR * 1e6) as i64));
    let module = past.modules.values().next().unwrap();
    assert_eq!((past.modules.len(), module.talks, module.to.len()), (1, 400, 7));
    assert!(!memory.learn(lesson("early", &["early"], 5.0 * HOUR, "x.example")), "it comes too late");
    let mut text = Vec::new();
    memory.write(&mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(text.lines().count() < 1 + 2 * 300, "{}", text.lines().count());
    assert_eq!(Memory::read(&text).unwrap(), memory);
}

proptest::proptest! {
    #[test]
    fn no_text_breaks_a_memory(text in "(\\{\"(format|trace|who|did|folded|begin)\":[\"a-z0-9/{}\\[\\],:-]{0,40}\\}?\n?){0,6}") {
        let _ = Memory::read(&text);
        let _ = Memory::read(&format!("{{\"format\":\"umbilical.seen/1\",\"folded\":null}}\n{text}"));
    }
}
