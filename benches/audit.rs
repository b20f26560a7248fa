//! What an audit costs, part by part: `cargo bench --bench audit`. Whole-process figures of large exports are made by
//! `cargo xtask bench`.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use umbilical_assess::{Fleet, Options};
use umbilical_core::{At, Basis, Group, Kind, Observations};
use umbilical_evidence::{Context, Source, open};
use umbilical_knowledge::{Knowledge, Scope};

fn main() {
    divan::main();
}

const ROWS: u32 = 10_000;

/// A SIM platform's export of [`ROWS`] rows.
fn export() -> Vec<u8> {
    let mut out = Vec::new();
    umbilical_synth::sims::export(u64::from(ROWS), 1, &mut out).expect("writing to memory");
    out
}

fn read(bytes: &[u8], kb: &Knowledge) -> Observations {
    let mut all = Observations::new();
    let mut source = Source::new(Box::new(bytes)).expect("reading from memory");
    let cx = Context { knowledge: kb, mapping: None, purpose: Default::default(), validate: false, path: "sims.csv" };
    open::read_stream(&mut source, &cx, &mut all).expect("reading from memory");
    all
}

fn options() -> Options {
    Options { as_of: "2026-11-25".parse().expect("a day"), show_subscribers: false }
}

/// Rows of a SIM export to observations.
#[divan::bench]
fn read_export(bencher: Bencher<'_, '_>) {
    let (bytes, kb) = (export(), Knowledge::embedded());
    bencher.counter(ItemsCount::new(ROWS)).bench(|| read(black_box(&bytes), &kb));
}

/// Observations to devices with verdicts and owners.
#[divan::bench]
fn assess_export(bencher: Bencher<'_, '_>) {
    let (bytes, kb) = (export(), Knowledge::embedded());
    let all = read(&bytes, &kb);
    bencher.counter(ItemsCount::new(ROWS)).bench(|| Fleet::new(black_box(&all), &kb, options()).audit());
}

/// One device with a bus listing and an AT session, from facts to claims.
#[divan::bench]
fn one_device(bencher: Bencher<'_, '_>) {
    let kb = Knowledge::embedded();
    let mut all = Observations::new();
    all.begin_input("at.txt", "at", String::new(), 0);
    let mut record = all.record(At::line(1));
    for (kind, value) in
        [(Kind::UsbId, "2c7c:0125"), (Kind::Manufacturer, "Quectel"), (Kind::Model, "EG25"), (Kind::FirmwareRevision, "EG25GGBR07A08M2G")]
    {
        record.part(1).fact(kind, value, Group::OwnWord, Basis::Observed);
    }
    drop(record);
    bencher.bench(|| Fleet::new(black_box(&all), &kb, options()).devices().next());
}

/// Model names of the catalogue in a line of a log.
#[divan::bench]
fn names_in_a_line(bencher: Bencher<'_, '_>) {
    let kb = Knowledge::embedded();
    bencher
        .bench(|| kb.models_in(black_box("Nov 25 01:02:03 gw kernel: usb 1-1: Product: EC25-AF LTE modem, Manufacturer: Quectel")).len());
}

/// The grammars of firmware revisions on one that matches.
#[divan::bench]
fn grammars_of_a_revision(bencher: Bencher<'_, '_>) {
    let kb = Knowledge::embedded();
    bencher.bench(|| kb.matches(Scope::Revision, black_box("RM520NGLAAR01A08M4G_01.200.01.200")).len());
}
