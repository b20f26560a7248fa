use super::*;
use crate::time::Micros;

const CODES: [&str; 3] = ["scan", "beacon", "update-outside"];
/// 2026-11-03, a Tuesday, 00:00 UTC.
const TUESDAY: i64 = 1_793_664_000;

fn at(hours: f64) -> Micros {
    Micros::seconds(TUESDAY + (hours * 3600.0) as i64)
}

fn addr(text: &str) -> Addr {
    Addr::from(text.parse::<std::net::IpAddr>().unwrap())
}

#[test]
fn plain_lists_in_their_dialects() {
    let text = "\u{feff}# somebody's list
198.51.100.7
203.0.113.0/24   # a network
2001:db8::/32
hxxps://bad[.]example/gate.php?x=1
*.wild.example
WWW.Host.Example.
198.51.100.9:8080
0.0.0.0 blocked.example
e7d705a3286e19ea42f587b344ee6865,2017-07-14,Adware
\"2021-01-17 07:44:46\",\"198.51.100.32\",\"4643\",\"online\",\"Dridex\"
t13d1516h2_8daaf6152771_e5627efa2ab1
what is this
";
    let mut all = Indicators::default();
    let problems = all.add("list", text.as_bytes()).unwrap();
    assert_eq!(problems, [("line 13".to_owned(), "neither an address, a name of a host, a URL nor a hash".to_owned())]);
    assert_eq!(all.len(), 11);
    let said = |n: Option<u32>| all.get(n.unwrap(), at(0.0)).unwrap().said.as_deref().map(str::to_owned);
    assert!(
        all.addr(addr("198.51.100.7"), None).is_some()
            && all.addr(addr("203.0.113.99"), None).is_some()
            && all.addr(addr("2001:db8:7::1"), None).is_some()
    );
    assert_eq!(all.addr(addr("198.51.100.8"), None), None);
    assert!(all.url("bad.example", "/gate.php?x=1", None).is_some() && all.url("bad.example", "/", None).is_none());
    assert!(
        all.host("a.wild.example", None).is_some()
            && all.host("www.host.example", None).is_some()
            && all.host("x.www.host.example", None).is_some()
    );
    assert!(all.host("notwww.host.example", None).is_none() && all.host("blocked.example", None).is_some());
    assert_eq!(said(all.addr(addr("198.51.100.32"), None)).as_deref(), Some("online, Dridex"));
    assert_eq!(said(all.print("e7d705a3286e19ea42f587b344ee6865", None)).as_deref(), Some("Adware"));
    assert!(all.print("t13d1516h2_8daaf6152771_e5627efa2ab1", None).is_some());
    // An empty list is one, a text is none.
    assert_eq!(Indicators::default().add("none", b"# nothing today\n").unwrap(), []);
    assert!(matches!(Indicators::default().add("text", b"dear all\nno\n"), Err(ListError::Nothing)));
}

#[test]
fn events_of_misp() {
    let json = r#"{"response":[{"Event":{"info":"Campaign","Attribute":[
        {"uuid":"a","type":"ip-dst|port","value":"198.51.100.7|443","to_ids":true,"comment":"c2"},
        {"uuid":"b","type":"domain","value":"Bad.Example","to_ids":"1","first_seen":"2026-11-03T12:00:00+00:00"},
        {"uuid":"c","type":"url","value":"not a url","to_ids":true},
        {"uuid":"d","type":"md5","value":"00","to_ids":true},
        {"uuid":"e","type":"domain","value":"context.example","to_ids":false},
        {"uuid":"f","type":"domain","value":"gone.example","to_ids":true,"deleted":true}],
        "Object":[{"Attribute":[{"uuid":"g","type":"ja3-fingerprint-md5","value":"E7D705A3286E19EA42F587B344EE6865","to_ids":true}]}]}}]}"#;
    let mut all = Indicators::default();
    let problems = all.add("misp", json.as_bytes()).unwrap();
    assert_eq!(problems, [("attribute c".to_owned(), "\"not a url\" is no value of url".to_owned())]);
    assert_eq!(all.len(), 3);
    let c2 = all.get(all.addr(addr("198.51.100.7"), None).unwrap(), at(0.0)).unwrap();
    assert_eq!((c2.said.as_deref(), all.list(c2)), (Some("Campaign; c2"), "misp"));
    let domain = all.host("x.bad.example", None).unwrap();
    assert!(all.get(domain, at(11.0)).is_none() && all.get(domain, at(13.0)).is_some());
    assert!(all.print("e7d705a3286e19ea42f587b344ee6865", None).is_some() && all.host("gone.example", None).is_none());
}

#[test]
fn bundles_of_stix() {
    let json = r#"{"type":"bundle","objects":[
        {"type":"indicator","id":"indicator--1","pattern_type":"stix","name":"Server","valid_from":"2026-11-03T00:00:00Z","valid_until":"2026-11-04T00:00:00Z",
         "pattern":"[ipv4-addr:value = '198.51.100.7' OR domain-name:value = 'it\\'s.example'] OR [url:value = 'http://bad.example/a']"},
        {"type":"indicator","id":"indicator--2","pattern":"[domain-name:value='b.example' AND file:size > 3]"},
        {"type":"indicator","id":"indicator--3","pattern":"[file:hashes.MD5 = 'x']"},
        {"type":"indicator","id":"indicator--4","revoked":true,"pattern":"[domain-name:value = 'revoked.example']"},
        {"type":"indicator","id":"indicator--5","pattern":"[ipv4-addr:value ISSUBSET '203.0.113.0/24']"},
        {"type":"malware","id":"malware--1"}]}"#;
    let mut all = Indicators::default();
    let problems = all.add("stix", json.as_bytes()).unwrap();
    let at_of: Vec<_> = problems.iter().map(|p| p.0.as_str()).collect();
    // A name with an apostrophe is none.
    assert_eq!(at_of, ["indicator--1", "indicator--2", "indicator--3"]);
    assert!(all.addr(addr("203.0.113.8"), None).is_some());
    let json = json.replace("it\\\\'s.example", "its.example");
    let mut all = Indicators::default();
    assert_eq!(all.add("stix", json.as_bytes()).unwrap().len(), 2);
    let server = all.addr(addr("198.51.100.7"), None).unwrap();
    assert!(all.get(server, at(1.0)).is_some() && all.get(server, at(25.0)).is_none());
    assert!(
        all.host("its.example", None).is_some()
            && all.url("bad.example", "/a", None).is_some()
            && all.host("revoked.example", None).is_none()
    );
}

#[test]
fn broken_json_says_where() {
    let error = Indicators::default().add("x", b"{\n \"type\": \"bundle\",\n \"objects\": [}").unwrap_err();
    assert!(error.to_string().starts_with("this JSON is broken at line 3, column"), "{error}");
    assert!(matches!(Indicators::default().add("x", b"{\"a\":1}"), Err(ListError::Other)));
}

#[test]
fn what_is_expected() {
    let text = r#"
[zone.substations]
who = ["10.20.0.0/16", "apn:scada"]

[[window]]
who = ["zone:substations"]
days = ["tue"]
from = "22:00"
until = "02:00"
offset = "+01:00"

[[update-server]]
host = "fota.example.com"
networks = ["198.51.100.0/24"]

[[framed-route]]
who = ["imsi:001010000000001"]
networks = ["192.168.7.0/24"]

[[allow]]
findings = ["beacon"]
who = ["10.20.0.0/16"]
to = ["head-end.example", "10.0.0.0/8"]
reason = "meters read each 15 minutes"
until = "2026-11-04"
"#;
    let all = Expected::read(text, &CODES).unwrap();
    let window = &all.windows[0];
    // 22:00 in the east is 21:00 UTC; it begins on Tuesdays alone.
    let held = [20.9, 21.0, 24.9, 25.1, 21.0 + 24.0, -3.0].map(|h| window.holds(at(h)));
    assert_eq!(held, [false, true, true, false, false, false]);
    assert!(window.who.has_addr(addr("10.20.3.4")) && !window.who.has_addr(addr("10.21.3.4")));
    assert!(all.servers[0].has("a.fota.example.com") && !all.servers[0].has("xfota.example.com"));
    let covers = |code: &str, peer: &str, hours: f64| {
        all.allows(code, |who| who.has_addr(addr("10.20.0.9")), To::Peer(peer), at(hours)).map(|rule| rule.reason.as_str())
    };
    assert_eq!(covers("beacon", "x.head-end.example:443", 3.0), Some("meters read each 15 minutes"));
    assert_eq!(covers("beacon", "10.9.9.9:443", 3.0), Some("meters read each 15 minutes"));
    assert_eq!(covers("scan", "10.9.9.9:443", 3.0), None);
    assert_eq!(covers("beacon", "192.0.2.1:443", 3.0), None);
    assert_eq!(covers("beacon", "[2001:db8::1]:443", 3.0), None);
    assert_eq!(covers("beacon", "10.9.9.9", 49.0), None);
    // Of several each counts; of those who are not known none.
    let ends = |all: &[&str]| all.iter().map(|end| network(end).unwrap()).collect::<Vec<_>>();
    let among = |to: To<'_>| all.allows("beacon", |who| who.has_addr(addr("10.20.0.9")), to, at(3.0)).is_some();
    assert!(among(To::All(&ends(&["10.9.9.9", "10.200.0.0/16"]))));
    assert!(!among(To::All(&ends(&["10.9.9.9", "11.0.0.1"]))) && !among(To::All(&ends(&["10.0.0.0/7"]))) && !among(To::All(&[])));
    assert!(!among(To::Unknown));
    assert!(all.allows("beacon", |who| who.has_addr(addr("10.21.0.9")), To::Peer("10.0.0.1"), at(1.0)).is_none());
}

#[test]
fn an_estate_and_the_systems_of_servers() {
    let read = |text: &str| Expected::read(text, &CODES).unwrap();
    let mut all = read("[[update-server]]\nhost = \"a.example\"\nasn = [64500, 4200000000]\n[[update-server]]\nhost = \"b.example\"\n");
    assert_eq!(all.servers.iter().map(|s| &*s.systems).collect::<Vec<_>>(), [&[64_500, 4_200_000_000][..], &[]]);
    assert!(all.tacs.is_empty());
    // Each file adds to the estate.
    all.add(read("[estate]\ntac = [\"86123004\", \"35123004\"]\n"));
    all.add(read("[estate]\ntac = [\"35123004\", \"01234567\"]\n"));
    assert_eq!(all.tacs.iter().map(String::as_str).collect::<Vec<_>>(), ["01234567", "35123004", "86123004"]);
}

#[test]
fn what_is_expected_wrongly_is_told_with_its_line() {
    for (text, line, what) in [
        ("[[window]]\nfrom = \"22:00\"\nuntil = \"25:00\"\n", 3, "\"25:00\" is not a time of the day"),
        ("[[window]]\nfrom = \"22:00\"\nuntil = \"23:00\"\ndays = [\"mon\",\n \"someday\"]\n", 5, "\"someday\" is not a day of the week"),
        ("\n\n[[allow]]\nreason = \"x\"\nfindings = [\"beacons\"]\n", 5, "\"beacons\" is not a finding of a detector"),
        ("[[allow]]\nfindings = [\"beacon\"]\n", 1, "missing field `reason`"),
        ("[[allow]]\nreason = \"  \"\n", 2, "it needs a reason"),
        ("[[allow]]\nreason = \"x\"\nwho = [\"zone:nowhere\"]\n", 3, "\"zone:nowhere\" is not a zone"),
        ("[[allow]]\nreason = \"x\"\nwhom = []\n", 3, "unknown field `whom`"),
        ("[[allow]]\nreason = \"x\"\nwho = []\n", 3, "`who` names nobody"),
        ("[zone.a]\nwho = []\n", 2, "`who` names nobody"),
        ("[[allow]]\nreason = \"x\"\nwho = [\"msisdn:491710000000\"]\n", 3, "this is not a network"),
        ("[[framed-route]]\nwho = [\"imei:12\"]\nnetworks = []\n", 2, "\"imei:12\" is not"),
        ("[[update-server]]\nhost = \"no host\"\n", 2, "\"no host\" is not the name of a host"),
        ("[[update-server]]\nhost = \"a.example\"\nasn = [64500,\n 0]\n", 4, "0 is not the number of an autonomous system"),
        ("[[update-server]]\nhost = \"a.example\"\nasn = [4294967296]\n", 3, "4294967296 is not the number"),
        ("[[update-server]]\nhost = \"a.example\"\nasn = [-1]\n", 3, "-1 is not the number"),
        ("[[update-server]]\nhost = \"a.example\"\nasn = [\"AS64500\"]\n", 3, "\"AS64500\" is not the number"),
        ("[[update-server]]\nhost = \"a.example\"\nasn = [[64500]]\n", 3, "this array is not the number"),
        ("[[update-server]]\nhost = \"a.example\"\nasn = 64500\n", 3, "expected a sequence"),
        ("[estate]\ntac = [\"86123004\",\n \"8612300\"]\n", 3, "\"8612300\" is not a type allocation code"),
        ("[estate]\ntac = [\"861230040000017\"]\n", 2, "this is not a type allocation code"),
        ("\n[estate]\ntac = []\n", 3, "`tac` names no kind of module"),
        ("[estate]\nimei = []\n", 2, "unknown field `imei`"),
        ("[estate]\n", 1, "missing field `tac`"),
        ("a = [\n", 1, ""),
    ] {
        let (at, said) = Expected::read(text, &CODES).unwrap_err();
        assert!(at == line && said.contains(what), "{text}: {at} {said}");
    }
}

/// What an old list has and no longer means hides nothing that another has.
#[test]
fn an_entry_that_is_over_hides_no_other() {
    let bundle = |until: &str| {
        format!(
            r#"{{"type":"bundle","objects":[{{"type":"indicator","id":"indicator--1","valid_until":"{until}",
            "pattern":"[ipv4-addr:value = '198.51.100.7' OR domain-name:value = 'a.b.example']"}}]}}"#
        )
    };
    let mut all = Indicators::default();
    all.add("old", bundle("2026-10-01T00:00:00Z").as_bytes()).unwrap();
    all.add("new", b"198.51.100.7\n198.51.100.0/24\nb.example\n").unwrap();
    let list = |n: Option<u32>| all.get(n.unwrap(), at(0.0)).map(|i| all.list(i).to_owned());
    assert_eq!(list(all.addr(addr("198.51.100.7"), Some(at(0.0)))).as_deref(), Some("new"));
    assert_eq!(list(all.host("a.b.example", Some(at(0.0)))).as_deref(), Some("new"));
    let mut all = Indicators::default();
    all.add("old", bundle("2026-10-01T00:00:00Z").as_bytes()).unwrap();
    assert_eq!(all.addr(addr("198.51.100.7"), Some(at(0.0))), None);
}
