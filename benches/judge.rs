//! What judging costs: all shipped packs over a million devices, and an operator's own condition on top.

use std::rc::Rc;

use umbilical_assess::judge::{Compiled, Item, Judge, Thing, compile};
use umbilical_core::answer::Cellular;
use umbilical_core::{Basis, Day};
use umbilical_knowledge::Knowledge;
use umbilical_knowledge::policy::{Facts, PolicyText, shipped, shipped_ids};

fn main() {
    divan::main();
}

const DEVICES: usize = 1_000_000;

fn packs(kb: &Knowledge) -> Vec<Compiled> {
    shipped_ids().filter_map(shipped).map(|(text, _)| compile(&text, kb, true).unwrap()).collect()
}

/// A hundred modules of ten makers, as fleets repeat them.
fn things() -> Vec<Thing> {
    let makers = ["quectel", "fibocom", "simcom", "meig", "telit", "sierra", "ublox", "huawei", "nordic", "cmiot"];
    let thing = |n: usize| {
        let maker = makers[n % makers.len()];
        Thing {
            label: format!("{maker} {n}"),
            maker: Some(maker.to_owned()),
            maker_name: Some(maker.to_owned()),
            brand: None,
            chip: Some("qualcomm".to_owned()),
            memory: None,
            firmware_signer: None,
            confidence: 970,
            basis: Basis::Observed,
            next: None,
            is_product: false,
            part: None,
        }
    };
    (0..100).map(thing).collect()
}

fn day() -> Day {
    Day::new(2026, 11, 29).unwrap()
}

fn item(thing: &Thing, facts: &Rc<Facts>) -> Item {
    Item { things: Rc::new([thing.clone()]), cellular: Cellular::Yes, host: None, facts: Rc::clone(facts) }
}

/// All packs, modules repeat.
#[divan::bench(sample_count = 3)]
fn all_packs_over_a_million_devices(bencher: divan::Bencher<'_, '_>) {
    let (kb, things) = (Knowledge::embedded(), things());
    bencher.bench_local(|| {
        let judge = Judge::new(&kb, packs(&kb), day(), &[]);
        let facts = Rc::new(Facts::default());
        let outcomes = (0..DEVICES).map(|n| judge.outcomes(&item(&things[n % things.len()], &facts)).iter().count());
        outcomes.sum::<usize>()
    });
}

/// All packs, and a condition that asks for what every device has of its own.
#[divan::bench(sample_count = 1)]
fn with_a_condition_for_each_device(bencher: divan::Bencher<'_, '_>) {
    let (kb, things) = (Knowledge::embedded(), things());
    let own = r#"
id = "own"
title = "own"
jurisdiction = "any"
version = "1"
sources_to = "2026-11-01"
standing = "house"
[[rule]]
id = "OWN-1"
title = "no module of this origin where the site is large"
cite = "house"
source = "house"
status = "verified"
effect = "operate"
tier = ["host"]
binds = "us"
when = "power_kw > 500.0 && confidence > 0.9"
remedies = ["contain it"]
[[rule.subject]]
jurisdiction = ["CN"]
"#;
    bencher.bench_local(|| {
        let mut packs = packs(&kb);
        packs.push(compile(&PolicyText { name: "own".to_owned(), text: own.to_owned() }, &kb, true).unwrap());
        let judge = Judge::new(&kb, packs, day(), &[]);
        let outcomes = (0..DEVICES).map(|n| {
            let mut facts = Facts::default();
            facts.say("power_kw", &n.to_string()).unwrap();
            judge.outcomes(&item(&things[n % things.len()], &Rc::new(facts))).iter().count()
        });
        outcomes.sum::<usize>()
    });
}
