//! What came in stays as it came.

use umbilical_core::Observations;
use umbilical_core::air::{Heard, Piece, RadioKind, Sweep, SweepCell};
use umbilical_core::bom::{Alternate, Design, Part, Placed};
use umbilical_core::observation::{At, Basis, Group, IdKind, Kind};
use umbilical_store::{Content, NewEvidence, Scope, Store, StoreError};

use crate::support::{ME, fleet};

crate::suite!(
    the_same_bytes_of_another_device_are_another_reading,
    observations_come_back_as_they_were,
    evidence_is_kept_once,
    an_import_is_whole_or_not_there,
    order_of_arrival_does_not_matter
);

fn named(name: &str) -> NewEvidence<'_> {
    NewEvidence { name, format: "csv", collected_at: None, collected_by: Some("field team"), reader: "umbilical 0" }
}

/// A sink with everything that a sink can hold.
pub fn everything(name: &str) -> Observations {
    let mut out = Observations::new();
    for path in [format!("{name}!a"), format!("{name}!b")] {
        out.begin_input(&path, "mixed", "ab".repeat(32), 77);
        let unit = out.unit("sheet Fleet row");
        let mut r = out.record(At { unit, n: 4 });
        r.seen("2026-02-28".parse().unwrap());
        r.id(IdKind::Name, "Ústí “7”").id(IdKind::Site, " a  b ");
        r.next_part().id(IdKind::Imei, "490154203237518");
        r.fact(Kind::UsbId, "2c7c:0125", Group::OwnWord, Basis::Observed);
        r.fact_at(At { unit, n: 5 }, Kind::Text, &"long ".repeat(200), Group::Person, Basis::Alleged);
        drop(r);
        // A name that is cut at a blank.
        out.record(At::line(9)).id(IdKind::Name, &format!("{} tail", "n".repeat(249)));
        out.record_of(0).fact(Kind::Model, "EC25", Group::Document, Basis::Declared);
        out.problem(At::line(3), "odd");
        for n in 1..=2500 {
            let part = Part {
                at: At { unit, n },
                value: Some("AC25-E".into()),
                designators: vec!["U1".into()],
                placed: if n % 2 == 0 { Placed::Yes } else { Placed::No("DNP".into()) },
                alternates: vec![Alternate { mpn: Some("X".into()), ..Alternate::default() }],
                properties: vec![("a".into(), "b\u{1f}c".into())],
                ..Part::default()
            };
            out.part(Design::List, part);
        }
        out.bom(Design::List).product.name = Some("meter".into());
        let heard = Heard {
            input: 0,
            at: At::line(1),
            kind: RadioKind::Wifi,
            address: "aa:bb:cc:dd:ee:ff".into(),
            name: Some("net".into()),
            role: None,
            maker: None,
            dbm: Some(-60),
            first: None,
            last: None,
        };
        out.heard.push(heard);
        out.sweeps.push(Sweep {
            lines: 3,
            cells: vec![SweepCell { khz: 824_000, counts: [1, 2].into(), ..SweepCell::default() }],
            ..Sweep::default()
        });
        out.record(At::line(11)).id(IdKind::Mac, "aa:bb:cc:dd:ee:ff").piece(Piece {
            range: Some((1, 2)),
            imeis: vec!["490154203237518".into()],
            ..Piece::default()
        });
    }
    out.same_thing(0, 3);
    out.schema_errors = 2;
    out.inputs[0].mapping = vec!["IMEI → imei".into()];
    out
}

fn same(a: &Observations, b: &Observations) {
    assert_eq!(format!("{a:?}"), format!("{b:?}"));
    assert_eq!(a.inputs, b.inputs);
    assert_eq!(a.problems, b.problems);
    assert_eq!(a.boms, b.boms);
    assert_eq!((a.schema_errors, a.same_things(), a.units()), (b.schema_errors, b.same_things(), b.units()));
    assert_eq!((&a.heard, &a.sweeps, &a.pieces), (&b.heard, &b.sweeps, &b.pieces));
    assert_eq!(a.signature_count(), b.signature_count());
}

async fn add(store: &Store, name: &str, bytes: &[u8], read: &Observations) -> umbilical_store::Received {
    let mut import = store.import(ME).await.unwrap();
    let received = import.add(&named(name), Content::Bytes(bytes), read).await.unwrap();
    import.commit().await.unwrap();
    received
}

async fn observations_come_back_as_they_were(store: Store) {
    add(&store, "a.zip", b"a", &everything("a.zip")).await;
    let rebuilt = store.observations().await.unwrap();
    same(&rebuilt.observations, &everything("a.zip"));
    assert_eq!(rebuilt.inputs, [1, 2]);
    let id = store.evidence(&Scope::ALL, None, 10).await.unwrap().remove(0).id;
    let problems = store.problems(&Scope::ALL, &id).await.unwrap();
    assert_eq!(problems.len(), everything("a.zip").problems.len());
    assert_eq!((problems[0].path.as_deref(), problems[0].at.as_str(), problems[0].what.as_str()), (Some("a.zip!a"), "line 3", "odd"));
    assert!(matches!(store.problems(&Scope::sites(["Site 01"]), &id).await, Err(StoreError::Forbidden(_))));
    // One large and several small ones, read in pages and in groups.
    add(&store, "b.csv", b"b", &fleet::export(0..6000)).await;
    add(&store, "c.csv", b"c", &fleet::export(0..3)).await;
    let mut expected = everything("a.zip");
    expected.absorb(fleet::export(0..6000));
    expected.absorb(fleet::export(0..3));
    same(&store.observations().await.unwrap().observations, &expected);
    // What newer readers read counts instead.
    let first = add(&store, "a.zip", b"a", &everything("other")).await;
    assert!(first.already);
    let mut import = store.import(ME).await.unwrap();
    import.reread(&first.id, "umbilical 1", &fleet::export(7..9)).await.unwrap();
    import.commit().await.unwrap();
    let mut expected = fleet::export(7..9);
    expected.absorb(fleet::export(0..6000));
    expected.absorb(fleet::export(0..3));
    same(&store.observations().await.unwrap().observations, &expected);
}

async fn the_same_bytes_of_another_device_are_another_reading(store: Store) {
    // A listing that names no device of its own: the folder does.
    let listing = |name: &str| {
        let mut all = Observations::new();
        all.begin_input(name, "lsusb", "00".into(), 3);
        all.record(At::line(1)).fact(Kind::UsbId, "2c7c:0125", Group::OwnWord, Basis::Observed);
        all
    };
    let first = add(&store, "GW-2/lsusb.txt", b"usb", &listing("GW-2/lsusb.txt")).await;
    let second = add(&store, "GW-1/lsusb.txt", b"usb", &listing("GW-1/lsusb.txt")).await;
    assert_eq!((first.already, second.already, &first.id), (false, false, &second.id));
    for again in ["GW-1/lsusb.txt", "GW-2/lsusb.txt"] {
        assert!(add(&store, again, b"usb", &listing(again)).await.already, "{again}");
    }
    // The bytes are kept once, both readings count, in the order of their names.
    assert_eq!(store.evidence(&Scope::ALL, None, 10).await.unwrap().len(), 1);
    let paths: Vec<String> = store.observations().await.unwrap().observations.inputs.iter().map(|i| i.path.clone()).collect();
    assert_eq!(paths, ["GW-1/lsusb.txt", "GW-2/lsusb.txt"]);
    assert_eq!(store.sources(&Scope::ALL).await.unwrap()[0].files, 2);
    // Where each record names its own thing, the name of the file says nothing.
    let export = fleet::export(0..5);
    assert!(!add(&store, "sims.csv", b"csv", &export).await.already);
    assert!(add(&store, "sims (1).csv", b"csv", &export).await.already);
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}

async fn evidence_is_kept_once(store: Store) {
    let bytes: Vec<u8> = (0..3_000_000u32).flat_map(|n| n.to_le_bytes()).take(2_500_000).collect();
    let first = add(&store, "dump", &bytes, &Observations::new()).await;
    let again = add(&store, "other name", &bytes, &Observations::new()).await;
    assert_eq!((first.already, again.already), (false, true));
    assert_eq!(first.id, again.id);
    let mut back = Vec::new();
    for n in 0.. {
        match store.content(&Scope::ALL, &first.id, n).await.unwrap() {
            Some(part) => back.extend(part),
            None => break,
        }
    }
    assert_eq!(back, bytes);
    for scope in [Scope::MASKED, Scope { subscribers: true, ..Scope::sites(["Site 01"]) }] {
        assert!(matches!(store.content(&scope, &first.id, 0).await, Err(StoreError::Forbidden(_))));
    }
    add(&store, "more", b"more", &Observations::new()).await;
    assert_eq!(store.verify_custody(true).await.unwrap(), Vec::<String>::new());
}

async fn an_import_is_whole_or_not_there(store: Store) {
    let mut import = store.import(ME).await.unwrap();
    import.add(&named("a"), Content::Bytes(b"a"), &everything("a")).await.unwrap();
    drop(import);
    assert!(store.observations().await.unwrap().observations.is_empty());
    // The digest must be that of the bytes.
    let mut import = store.import(ME).await.unwrap();
    assert!(import.add(&named("a"), Content::Digest { sha256: "xyz", bytes: 1 }, &Observations::new()).await.is_err());
}

async fn order_of_arrival_does_not_matter(store: Store) {
    add(&store, "b", b"2", &fleet::export(3..5)).await;
    add(&store, "a", b"1", &fleet::export(0..3)).await;
    let mut expected = fleet::export(0..3);
    expected.absorb(fleet::export(3..5));
    same(&store.observations().await.unwrap().observations, &expected);
}
