//! Grids are the same each time, of many shapes, and speak of nobody.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::IpAddr;

use umbilical_synth::grid::{self, Case};
use umbilical_synth::scene::{self, Lookup, Record, Talk, zeek};

/// What a case looks like, whoever is in it: ports, times, ways, flags, lengths.
fn shape(case: &Case) -> u64 {
    let mut hash = DefaultHasher::new();
    for talk in &case.talks {
        (talk.proto, talk.ports).hash(&mut hash);
        talk.packets.iter().for_each(|p| (p.at, p.up, p.flags, p.payload.len()).hash(&mut hash));
    }
    hash.finish()
}

/// Networks for documents and benches (RFC 5737, RFC 2544), and of one's own (RFC 1918).
fn is_nobody(addr: IpAddr) -> bool {
    let IpAddr::V4(addr) = addr else { return false };
    addr.is_documentation() || addr.is_private() || matches!(addr.octets(), [198, 18 | 19, ..])
}

#[test]
fn a_seed_gives_the_same_cases_and_another_gives_others() {
    for kind in ["beacon, worst", "dns-tunnel", "scan", "mining", "icmp-tunnel"] {
        let bytes = |seed: u64| {
            let cases = grid::cases(kind, seed);
            cases.into_iter().map(|c| (c.name, c.truth, scene::pcap(&c.talks))).collect::<Vec<_>>()
        };
        let (one, same, other) = (bytes(1), bytes(1), bytes(2));
        assert!(!one.is_empty() && one == same, "{kind}");
        assert_eq!(one.len(), other.len(), "{kind}");
        assert!(one.iter().zip(&other).all(|(a, b)| a.2 != b.2), "{kind}");
    }
    assert!(grid::cases("no such kind", 1).is_empty());
}

#[test]
fn no_shape_is_one_that_was_there_before() {
    for kind in grid::kinds() {
        let cases = grid::cases(kind, 1);
        assert!(cases.iter().all(|c| c.kind == kind && !c.talks.is_empty() && c.talks.iter().all(|t| !t.packets.is_empty())), "{kind}");
        let shapes: BTreeSet<u64> = cases.iter().map(shape).collect();
        let names: BTreeSet<&str> = cases.iter().map(|c| &*c.name).collect();
        assert_eq!((shapes.len(), names.len()), (cases.len(), cases.len()), "{kind}");
        for truth in [true, false] {
            let many = cases.iter().filter(|c| c.truth.is_some() == truth).count();
            assert!(many == 0 || many >= 20, "{kind}: {many}");
        }
        assert!(cases.iter().flat_map(|c| &c.talks).all(|t| is_nobody(t.client) && is_nobody(t.server)), "{kind}");
    }
}

#[test]
fn records_of_any_type_are_written_as_they_are() {
    let six = [&[0x20, 1, 0xd, 0xb8][..], &[0; 11], &[9]].concat();
    let lookup = Lookup::new(0.0, "a.example", 28, 0, vec![Record::Other(28, six.clone()), Record::Other(10, vec![1, 0xab])]);
    assert!(scene::message(&lookup, true).windows(16).any(|w| w == six));
    let talk = Talk::lookups([10, 0, 0, 7], [10, 0, 0, 53], 40_000, vec![lookup]);
    assert!(zeek::tsv(&[talk])[1].1.contains("\t2001:db8::9,01ab\n"), "{}", zeek::tsv(&[])[1].1);
}
