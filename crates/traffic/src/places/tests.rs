use super::*;
use crate::names::{Names, Words};

fn addr(text: &str) -> Addr {
    text.parse::<IpAddr>().unwrap().into()
}

fn known(places: &mut Places, text: &str) -> (Option<String>, Option<u32>, Option<String>) {
    let place = places.of(addr(text)).unwrap();
    (place.country().map(str::to_owned), place.asn, place.org.as_deref().map(str::to_owned))
}

#[test]
fn tables_of_every_kind() {
    let rows = [
        "network,country,asn,org\n198.51.100.0/24,DE,64500,\"Example, Ltd\"\n2001:db8::/32,fr,AS64501,Other\n",
        "198.51.100.0/24,DE,64500,\"Example, Ltd\"\n2001:db8::/32,FR,64501,Other\n",
        "start_ip;end_ip;country_code;asn;as_name\n198.51.100.0;198.51.100.255;DE;64500;Example, Ltd\n\
         2001:db8::;2001:db8:ffff:ffff:ffff:ffff:ffff:ffff;FR;64501;Other\n",
    ];
    for text in rows {
        let mut places = Places::default();
        assert_eq!(places.add(text.as_bytes().to_vec()).unwrap(), []);
        let german = (Some("DE".to_owned()), Some(64500), Some("Example, Ltd".to_owned()));
        assert_eq!(known(&mut places, "198.51.100.7"), german, "{text}");
        assert_eq!(known(&mut places, "2001:db8::9"), (Some("FR".to_owned()), Some(64501), Some("Other".to_owned())));
        assert_eq!(known(&mut places, "192.0.2.1"), (None, None, None));
    }
}

#[test]
fn the_smallest_network_speaks_and_what_it_leaves_open_the_next() {
    let mut places = Places::default();
    places.add(b"network,country,asn\n10.0.0.0/8,DE,1\n10.1.0.0/16,AT,\n10.1.2.3,,7\n".to_vec()).unwrap();
    for (address, country, asn) in [("10.9.9.9", "DE", 1), ("10.1.9.9", "AT", 1), ("10.1.2.3", "AT", 7)] {
        assert_eq!(known(&mut places, address), (Some(country.to_owned()), Some(asn), None), "{address}");
    }
}

#[test]
fn ranges_hold_their_ends_and_nothing_beyond() {
    let mut places = Places::default();
    places.add(b"start,end,country\n192.0.2.3,192.0.2.200,DE\n0.0.0.0,0.0.0.0,AT\n255.255.255.255,255.255.255.255,CH\n".to_vec()).unwrap();
    let mut of = |text: &str| places.of(addr(text)).unwrap().country().map(str::to_owned);
    assert_eq!(
        (of("192.0.2.2"), of("192.0.2.3"), of("192.0.2.200"), of("192.0.2.201")),
        (None, Some("DE".into()), Some("DE".into()), None)
    );
    assert_eq!((of("0.0.0.0"), of("255.255.255.255"), of("::1")), (Some("AT".into()), Some("CH".into()), None));
    let mut whole = Places::default();
    whole.add(b"start,end,country\n::,ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff,DE\n".to_vec()).unwrap();
    assert_eq!(whole.of(addr("2001:db8::1")).unwrap().country(), Some("DE"));
}

#[test]
fn rows_that_cannot_be_are_told_with_their_lines() {
    let mut places = Places::default();
    let problems = places.add(b"network,country\n10.0.0.0/33,DE\n10.0.0.0/8,DE\nhello,DE\n".to_vec()).unwrap();
    assert_eq!(problems.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 4]);
    for none in [&b""[..], b"name,ip\n", b"\x00\x01\x02\xff"] {
        assert!(matches!(Places::default().add(none.to_vec()), Err(PlacesError::Other)), "{none:?}");
    }
}

/// A database in MaxMind's format (<https://maxmind.github.io/MaxMind-DB/>) of records of 24 bits: for each network its data section.
pub fn mmdb_of(rows: &[(&str, u8, Vec<u8>)]) -> Vec<u8> {
    // A tree of pairs: 0 is nothing yet, positive a node, negative a row.
    let mut nodes: Vec<[i64; 2]> = vec![[0; 2]];
    let mut data: Vec<u8> = Vec::new();
    let mut offsets = Vec::new();
    for (n, (network, length, value)) in rows.iter().enumerate() {
        let ip: IpAddr = network.parse().unwrap();
        // Those of version 4 stand in the tree of version 6 below ninety-six zeros.
        let all = match ip {
            IpAddr::V4(v4) => u128::from(u32::from(v4)),
            IpAddr::V6(v6) => u128::from(v6),
        };
        let length = if ip.is_ipv4() { length + 96 } else { *length };
        let mut at = 0usize;
        for bit in 0..length {
            let way = usize::from(all >> (127 - u32::from(bit)) & 1 == 1);
            if bit + 1 == length {
                nodes[at][way] = -(n as i64) - 1;
            } else {
                if nodes[at][way] == 0 {
                    nodes.push([0; 2]);
                    nodes[at][way] = nodes.len() as i64 - 1;
                }
                at = nodes[at][way] as usize;
            }
        }
        offsets.push(data.len());
        data.extend(value);
    }
    let count = nodes.len();
    let pointer = |value: i64| match value {
        0 => count,
        n if n > 0 => n as usize,
        n => count + 16 + offsets[(-n - 1) as usize],
    };
    let mut out = Vec::new();
    for node in &nodes {
        for value in node {
            out.extend(&(pointer(*value) as u32).to_be_bytes()[1..]);
        }
    }
    out.extend([0; 16]);
    out.extend(data);
    out.extend(MARK);
    let number = |n: u32| [&[0xc4][..], &n.to_be_bytes()].concat();
    let short = |n: u8| vec![0xa1, n];
    let pairs = [
        ("binary_format_major_version", short(2)),
        ("binary_format_minor_version", vec![0xa0]),
        ("build_epoch", vec![0x04, 0x02, 0x65, 0, 0, 0]),
        ("database_type", text("Test")),
        ("description", map(&[("en", text("test"))])),
        ("ip_version", short(6)),
        ("languages", vec![0x00, 0x04]),
        ("node_count", number(count as u32)),
        ("record_size", short(24)),
    ];
    out.extend(map(&pairs));
    out
}

fn text(text: &str) -> Vec<u8> {
    assert!(text.len() < 29 + 256);
    match text.len() {
        n @ 0..29 => [&[0x40 | n as u8][..], text.as_bytes()].concat(),
        n => [&[0x40 | 29, (n - 29) as u8][..], text.as_bytes()].concat(),
    }
}

fn map(pairs: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut out = vec![0xe0 | pairs.len() as u8];
    for (key, value) in pairs {
        out.extend(text(key));
        out.extend(value);
    }
    out
}

fn databases() -> [Vec<u8>; 2] {
    let german = map(&[("country", map(&[("iso_code", text("DE")), ("geoname_id", vec![0xc1, 9])])), ("continent", map(&[]))]);
    let french = map(&[("country_code", text("FR")), ("asn", text("AS64501")), ("as_name", text("Other"))]);
    let system = map(&[("autonomous_system_number", vec![0xc2, 0xfb, 0xf4]), ("autonomous_system_organization", text("Example, Ltd"))]);
    [mmdb_of(&[("198.51.100.0", 24, german), ("2001:db8::", 32, french)]), mmdb_of(&[("198.51.0.0", 16, system)])]
}

#[test]
fn databases_of_several_makers_fill_each_other() {
    let mut places = Places::default();
    for database in databases() {
        places.add(database).unwrap();
    }
    assert_eq!(known(&mut places, "198.51.100.7"), (Some("DE".to_owned()), Some(64500), Some("Example, Ltd".to_owned())));
    assert_eq!(known(&mut places, "198.51.7.7"), (None, Some(64500), Some("Example, Ltd".to_owned())));
    assert_eq!(known(&mut places, "2001:db8::9"), (Some("FR".to_owned()), Some(64501), Some("Other".to_owned())));
    assert_eq!(known(&mut places, "192.0.2.1"), (None, None, None));
}

#[test]
fn who_operates_is_told_by_the_name() {
    let kb = Knowledge::embedded();
    let mut words = Words::default();
    let mut operators = Operators::new(&kb);
    let mut of =
        |names: &Names, words: &Words| operators.of(names, words).map(|o| (o.name.to_string(), o.country.as_deref().map(str::to_owned)));
    let row = kb
        .endpoints()
        .iter()
        .find(|e| e.brand.as_deref().is_some_and(|b| kb.org_of_brand(b).is_some_and(|o| o.country.is_some())))
        .unwrap();
    let org = kb.org_of_brand(row.brand.as_deref().unwrap()).unwrap();
    let word = words.keep(&format!("x.{}", row.domain));
    let expected = Some((org.name.to_string(), org.country.as_deref().map(str::to_owned)));
    assert_eq!(of(&Names { sni: word, ..Names::default() }, &words), expected);
    assert_eq!(of(&Names { dns: word, ..Names::default() }, &words), expected);
    assert_eq!(of(&Names { dns: word, app: Some(App::Dns), ..Names::default() }, &words), None, "the resolver is another's");
    let other = words.keep("nobody.example");
    assert_eq!(of(&Names { sni: other, ..Names::default() }, &words), None);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(500))]
    #[test]
    fn a_broken_database_breaks_nothing(which in 0usize..2, cut in 0usize..3000, at in 0usize..3000, byte in 0u8.., ip in 0u128..) {
        let mut bytes = databases()[which].clone();
        if let Some(place) = bytes.get_mut(at) {
            *place = byte;
        }
        bytes.truncate(bytes.len().saturating_sub(cut.saturating_sub(1500)));
        let mut places = Places::default();
        if places.add(bytes).is_ok() {
            for ip in [ip, 0xc633_6407, ip & 0xffff_ffff] {
                let _ = places.of(Addr(ip.to_be_bytes()));
                let _ = places.of(Addr::v4((ip as u32).to_be_bytes()));
            }
        }
    }
}
