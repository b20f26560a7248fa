//! Fleets that do not fit: what streams holds one device at a time, what keeps some stops looking.

use std::cell::Cell;
use std::io::{self, Write};
use std::rc::Rc;

use umbilical_core::answer::{Audit, Cellular, Device};
use umbilical_report::{View, csv, html, json, table};

use crate::fleet;

const MANY: u64 = 200_000;

/// Takes everything and counts it.
#[derive(Default)]
struct Sink {
    bytes: u64,
    lines: u64,
    written: Rc<Cell<u64>>,
}

impl Write for Sink {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.bytes += text.len() as u64;
        self.lines += text.iter().filter(|b| **b == b'\n').count() as u64;
        self.written.set(self.bytes);
        Ok(text.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn answer() -> Audit {
    let mut audit = fleet::audit();
    audit.coverage.devices = MANY;
    audit.coverage.cellular = MANY;
    audit
}

/// Many small devices made one at a time; counts how many were asked for.
fn many(asked: Rc<Cell<u64>>) -> impl Iterator<Item = Device> {
    let model = fleet::devices().swap_remove(3);
    (0..MANY).map(move |n| {
        asked.set(n + 1);
        Device { id: format!("dev-{n:012x}"), cellular: Cellular::Yes, ..model.clone() }
    })
}

#[test]
fn documents_and_lines_leave_while_devices_come() {
    for csv in [false, true] {
        let (asked, mut sink) = (Rc::new(Cell::new(0)), Sink::default());
        let (seen, written) = (Rc::clone(&asked), Rc::clone(&sink.written));
        let mut behind = 0u64;
        let devices = many(asked).inspect(|_| {
            // Nothing is collected: what was written keeps up with what was asked for, but for a buffer.
            let each = 60;
            behind = behind.max((seen.get() * each).saturating_sub(written.get()));
        });
        if csv {
            csv::audit(&mut sink, devices).unwrap()
        } else {
            json::audit(&mut sink, &answer(), devices).unwrap()
        }
        assert_eq!(seen.get(), MANY);
        assert!(sink.lines > MANY, "{}", sink.lines);
        assert!(behind < 64 * 1024, "{behind} bytes behind");
    }
}

#[test]
fn a_page_and_a_terminal_stop_looking() {
    let asked = Rc::new(Cell::new(0));
    let mut sink = Sink::default();
    table::audit(&mut sink, &answer(), many(Rc::clone(&asked)), &View { width: 80, color: false, max_rows: 40 }).unwrap();
    assert!(asked.get() <= 20_001, "{}", asked.get());
    assert!(sink.bytes < 20_000, "{}", sink.bytes);
    asked.set(0);
    let mut sink = Sink::default();
    html::audit(&mut sink, &answer(), many(Rc::clone(&asked)), 100).unwrap();
    assert!(asked.get() <= 20_001, "{}", asked.get());
    assert!(sink.bytes < 400_000, "{}", sink.bytes);
}

#[test]
fn counts_of_a_big_fleet_are_those_of_the_whole() {
    let mut sink = Vec::new();
    table::audit(&mut sink, &answer(), many(Rc::default()), &View { width: 100, color: false, max_rows: 3 }).unwrap();
    let text = String::from_utf8(sink).unwrap();
    assert!(text.contains("199,999 of 200,000 devices carry a cellular module; 1 is a cellular product itself"), "{text}");
    assert!(text.contains("and 199,997 more devices"), "{text}");
}
