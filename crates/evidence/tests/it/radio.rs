//! Surveys, sweeps and lists of lots, each in the form of its tool.

use std::io::Read;
use std::path::Path;

use umbilical_core::Observations;
use umbilical_core::air::{Piece, RadioKind};
use umbilical_evidence::open::{Options, read_paths, read_stream};
use umbilical_evidence::{Context, Purpose, Source};
use umbilical_knowledge::Knowledge;

use crate::fixtures::{Scratch, read};

fn fixture(name: &str) -> Observations {
    read(&[Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/radio").join(name)], None, 1)
}

/// Kind, address, name, role and signal of each radio.
/// A radio that was heard: kind, address, name, maker, signal.
type Heard<'a> = (RadioKind, &'a str, Option<&'a str>, Option<&'a str>, Option<i32>);

fn heard(all: &Observations) -> Vec<Heard<'_>> {
    all.heard.iter().map(|h| (h.kind, &*h.address, h.name.as_deref(), h.role.as_deref(), h.dbm)).collect()
}

const AP: &str = "00:1e:42:aa:bb:11";
const BLE: &str = "32:34:56:78:9a:be";

#[test]
fn one_survey_in_every_form() {
    use RadioKind::{Bluetooth, Wifi};
    let station = "22:34:56:78:9a:bd";
    let cases: [(&str, &str, Vec<_>); 6] = [
        (
            "airodump.csv",
            "airodump-csv",
            vec![
                (Wifi, AP, Some("Setup, GW"), Some("access point"), Some(-38)),
                (Wifi, "12:34:56:78:9a:bc", None, Some("access point"), None),
                (Wifi, station, None, Some("client"), Some(-71)),
            ],
        ),
        ("kismet.csv", "kismet-csv", vec![(Wifi, AP, Some("Setup"), Some("infrastructure"), Some(-38))]),
        (
            "survey.netxml",
            "kismet-netxml",
            vec![(Wifi, station, None, Some("client"), Some(-71)), (Wifi, AP, Some("Setup & more"), Some("access point"), Some(-38))],
        ),
        (
            "devices.json",
            "kismet-json",
            vec![(Wifi, AP, Some("Setup"), Some("Wi-Fi AP"), Some(-38)), (Bluetooth, BLE, Some("GW-17 config"), Some("BTLE"), None)],
        ),
        ("devices.ekjson", "kismet-json", vec![(Wifi, AP, None, Some("Wi-Fi AP"), Some(-38)), (Bluetooth, BLE, None, None, None)]),
        ("wigle.csv", "wigle-csv", vec![(Wifi, AP, Some("Setup"), None, Some(-38)), (Bluetooth, BLE, Some("GW-17"), None, Some(-55))]),
    ];
    for (name, format, expected) in cases {
        let all = fixture(name);
        assert_eq!(all.inputs[0].format, format, "{name}");
        assert_eq!(heard(&all), expected, "{name}");
        // A survey is no list of the organisation's devices.
        assert!(all.is_empty() && all.inputs[0].observations > 0, "{name}");
    }
}

#[test]
fn what_is_no_radio_is_said_where_it_stands() {
    for (name, at, what) in [
        ("airodump.csv", "line 8", "no hardware address"),
        ("devices.json", "device 3", "no hardware address"),
        ("devices.ekjson", "line 3", "no device of Kismet"),
        ("rtl_power.csv", "line 3", "no lines of a sweep"),
    ] {
        let all = fixture(name);
        let told: Vec<String> = all.problems.iter().map(|p| format!("{} {}", all.locate(p.at), p.what)).collect();
        assert!(told.iter().any(|t| t.starts_with(at) && t.contains(what)), "{name}: {told:?}");
    }
}

#[test]
fn sweeps_of_either_tool() {
    let rtl = fixture("rtl_power.csv");
    let sweep = &rtl.sweeps[0];
    assert_eq!((rtl.inputs[0].format.as_str(), sweep.lines, sweep.cells.len()), ("power-sweep", 3, 6));
    let loud = sweep.cells.iter().max_by_key(|c| c.peak_db()).unwrap();
    assert_eq!((loud.khz, loud.peak_db(), loud.median_db(), loud.passes()), (880_400, -32, Some(-60), 3));
    assert_eq!((loud.peak_at.as_deref(), loud.peak_line), (Some("2026-05-01 10:00:10"), 2));
    let hackrf = fixture("hackrf_sweep.csv");
    let khz: Vec<u32> = hackrf.sweeps[0].cells.iter().map(|c| c.khz).collect();
    assert_eq!((khz.len(), khz.first(), khz.last()), (50, Some(&2_400_000), Some(&2_414_800)));
    assert!(hackrf.sweeps[0].cells.iter().all(|c| c.passes() == 1));
}

/// Lines of a sweep without end.
struct Lines {
    left: u64,
    line: Vec<u8>,
    at: usize,
    n: u64,
}

impl Read for Lines {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        if self.at >= self.line.len() {
            if self.left == 0 {
                return Ok(0);
            }
            let low = 700_000_000 + (self.n % 600) * 5_000_000;
            let (minute, second) = (self.n / 600 / 60 % 60, self.n / 600 % 60);
            self.line = format!("2026-05-01, 10:{minute:02}:{second:02}.5, {low}, {}, 5000.00, 20", low + 5_000_000).into_bytes();
            for bin in 0..1000u64 {
                self.line.extend_from_slice(format!(", -{}.{}", 60 + (bin * 7 + self.n) % 5, bin % 10).as_bytes());
            }
            self.line.push(b'\n');
            self.left = self.left.saturating_sub(self.line.len() as u64);
            (self.at, self.n) = (0, self.n + 1);
        }
        let n = buf.len().min(self.line.len() - self.at);
        buf[..n].copy_from_slice(&self.line[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}

#[test]
fn a_long_sweep_costs_no_more_memory_than_a_short_one() {
    let knowledge = Knowledge::embedded();
    let cx = Context { knowledge: &knowledge, mapping: None, purpose: Purpose::Fleet, validate: false, path: "long.csv" };
    let cells = |bytes: u64| {
        let mut out = Observations::new();
        let mut source = Source::new(Box::new(Lines { left: bytes, line: Vec::new(), at: 0, n: 0 })).unwrap();
        read_stream(&mut source, &cx, &mut out).unwrap();
        let sweep = out.sweeps.remove(0);
        (sweep.cells.len(), sweep.cells.iter().map(|c| c.counts.len()).max().unwrap(), sweep.lines)
    };
    let (short, long) = (cells(6 << 20), cells(24 << 20));
    assert_eq!((short.0, short.1), (long.0, long.1), "what is kept does not grow with the file");
    assert_eq!(short.0, 15_000, "3 GHz in cells of 200 kHz");
    assert!(long.2 > 3 * short.2);
}

#[test]
fn bombs_in_surveys_are_bounded() {
    let deep = format!("<detection-run>{}", "<a>".repeat(100_000));
    let entities = "<!DOCTYPE detection-run [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]><detection-run><wireless-network><BSSID>&b;</BSSID></wireless-network></detection-run>";
    let nested = format!("[{{\"kismet.device.base.macaddr\":\"{AP}\",\"x\":{}", "[".repeat(100_000));
    for (name, text) in [("deep.netxml", deep.as_str()), ("entities.netxml", entities), ("nested.json", nested.as_str())] {
        let all = crate::fixtures::read_bytes(name, text.as_bytes());
        assert!(all.heard.is_empty(), "{name}");
        assert_eq!(all.inputs.len(), 1, "{name}");
    }
    let all = crate::fixtures::read_bytes("nested.json", nested.as_bytes());
    assert!(all.problems.iter().any(|p| p.what.contains("breaks off")), "{:?}", all.problems);
}

fn pieces(name: &str, text: &str) -> (Vec<Piece>, Vec<String>) {
    let folder = Scratch::new(name);
    let path = folder.0.join(name);
    std::fs::write(&path, text).unwrap();
    let knowledge = Knowledge::embedded();
    let mut out = Observations::new();
    let options = Options { knowledge: &knowledge, mapping: None, purpose: Purpose::Lot, validate: false, threads: 1, progress: &|_| {} };
    read_paths(&[path], &options, &mut out).unwrap();
    assert!(out.is_empty(), "pieces are no devices");
    let problems = out.problems.iter().map(|p| format!("{} {}", out.locate(p.at), p.what)).collect();
    (out.pieces, problems)
}

#[test]
fn lists_of_pieces_and_of_ranges() {
    let text = "Lot,Carton,Serial Number,IMEI,Model,FW,SHA256,Label text\n\
        L1,C1,SN-1,867698040000019,EG25-G,R07,AA11,EG25-G Q1\n\
        L1,C1,SN-2,867698040000018,EG25-G,R07,AA11,\n\
        L1,C2,SN-3,not one,EG25-G,,,\n\
        ,,,,,,,\n";
    let (found, problems) = pieces("list.csv", text);
    assert_eq!(found.len(), 3, "{found:?}");
    let first = &found[0];
    assert_eq!(
        [&first.lot, &first.carton, &first.serial, &first.model, &first.hash, &first.label].map(|c| c.as_deref().unwrap_or_default()),
        ["L1", "C1", "SN-1", "EG25-G", "aa11", "EG25-G Q1"]
    );
    assert_eq!(first.firmware.as_deref(), Some("R07"));
    assert_eq!(&*found[1].imeis[0], &*found[0].imeis[0], "the same 14 digits");
    assert!(problems.iter().any(|p| p.starts_with("row 3") && p.contains("check digit")), "{problems:?}");
    assert!(problems.iter().any(|p| p.starts_with("row 4") && p.contains("not an IMEI")), "{problems:?}");
    // Ranges begin at zeros.
    let (found, problems) = pieces(
        "ranges.csv",
        "lot;imei from;imei to;model\nL1;867698040000000;867698040009990;EG25-G\nL2;86769804001000;86769804000999;EG25-G\n",
    );
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].range, found[0].lot.as_deref()), (Some((86_769_804_000_000, 86_769_804_000_999)), Some("L1")));
    assert!(problems.iter().any(|p| p.starts_with("row 3") && p.contains("backwards")), "{problems:?}");
    // The same as JSON.
    let (found, _) = pieces(
        "list.json",
        "[{\"lot\":\"L1\",\"serial\":\"SN-1\",\"imei\":\"867698040000019\"},{\"lot\":\"L1\",\"serial\":\"SN-2\",\"imei\":\"867698040000027\"}]",
    );
    assert_eq!(found.iter().map(|p| p.serial.as_deref().unwrap_or_default()).collect::<Vec<_>>(), ["SN-1", "SN-2"]);
}
