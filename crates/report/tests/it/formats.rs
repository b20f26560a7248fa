//! Every format of the fleet made by hand, as snapshots, and what must hold beyond them.

use umbilical_core::answer::Cellular;
use umbilical_report::layers::{State, layers};
use umbilical_report::{View, csv, explain, html, json, svg, table};

use crate::fleet::{audit, devices, fenwick, nothing, step, trace, written};

const NARROW: View = View { width: 80, color: false, max_rows: 40 };

#[test]
fn terminal() {
    insta::assert_snapshot!(written(|w| table::audit(w, &audit(), devices(), &NARROW)));
}

#[test]
fn terminal_with_more_devices_than_lines() {
    let view = View { max_rows: 2, ..NARROW };
    let text = written(|w| table::audit(w, &audit(), devices(), &view));
    assert!(text.contains("and 5 more devices: `--format csv` lists every one"), "{text}");
    assert!(!text.contains("Meter 3"));
}

#[test]
fn terminal_with_nothing_found() {
    let rest = devices().split_off(5);
    let text = written(|w| table::audit(w, &nothing(), rest, &NARROW));
    assert!(!text.contains("clean"));
    insta::assert_snapshot!(text);
}

#[test]
fn terminal_in_colour_differs_in_colour_only() {
    let plain = written(|w| table::audit(w, &audit(), devices(), &NARROW));
    let colour = written(|w| table::audit(w, &audit(), devices(), &View { color: true, ..NARROW }));
    assert!(colour.contains("\u{1b}[1m"));
    let mut bare = String::new();
    let mut rest = &*colour;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        bare.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    bare.push_str(rest);
    let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(squeeze(&bare), squeeze(&plain));
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    use unicode_width::UnicodeWidthStr;
    for width in [40, 60, 80, 100, 160] {
        let view = View { width, ..NARROW };
        let mut text = written(|w| table::audit(w, &audit(), devices(), &view));
        for device in devices() {
            text.push_str(&written(|w| explain::device(w, &audit(), &device, None, &view)));
        }
        for line in text.lines() {
            assert!(line.width() <= width, "{width}: {line}");
        }
    }
}

#[test]
fn lines_of_csv() {
    insta::assert_snapshot!(written(|w| csv::audit(w, devices())));
}

#[test]
fn rows_of_any_shape() {
    #[derive(serde::Serialize)]
    struct Row {
        name: &'static str,
        confidence: f64,
        model: Option<&'static str>,
        lists: Vec<&'static str>,
    }
    let columns = ["name", "confidence", "model", "lists"];
    let rows = [Row { name: "=1+1", confidence: -0.5, model: None, lists: vec!["a;b", "c"] }];
    assert_eq!(written(|w| csv::rows(w, &columns, &rows)), "name,confidence,model,lists\n'=1+1,-0.5,,\"a,b; c\"\n");
    assert_eq!(written(|w| csv::rows::<Row>(w, &columns, &[])), "name,confidence,model,lists\n");
}

#[test]
fn document() {
    let text = written(|w| json::audit(w, &audit(), devices()));
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let keys: Vec<&String> = value.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "schema",
            "as_of",
            "knowledge",
            "inputs",
            "problems",
            "coverage",
            "imeis",
            "learned",
            "tallies",
            "law",
            "organisations",
            "devices"
        ]
    );
    // Nothing is lost on the way: the same values as without streaming, harmful characters included.
    assert_eq!(value["devices"], serde_json::to_value(devices()).unwrap());
    assert!(text.contains("\\u202e") && text.contains("\\u001b") && text.ends_with("}\n"));
    insta::assert_snapshot!(text);
}

#[test]
fn an_empty_fleet_is_a_document() {
    let value: serde_json::Value = serde_json::from_str(&written(|w| json::audit(w, &nothing(), []))).unwrap();
    assert_eq!(value["devices"], serde_json::json!([]));
    assert_eq!(written(|w| csv::audit(w, [])).lines().count(), 1);
    assert!(written(|w| html::audit(w, &nothing(), [], 10)).contains("No cellular module was found"));
}

#[test]
fn page() {
    let text = written(|w| html::audit(w, &audit(), devices(), 100));
    // The style sheet has tests of its own.
    let (head, body) = (text.find("<style>").unwrap(), text.find("</style>").unwrap());
    insta::assert_snapshot!(format!("{}{}", &text[..head + 7], &text[body..]));
}

#[test]
fn a_page_says_what_it_leaves_out() {
    let text = written(|w| html::audit(w, &audit(), devices(), 3));
    assert_eq!(text.matches("class=\"device\"").count(), 3);
    assert!(text.contains("4 more devices are left out") && text.contains("--format csv"));
}

#[test]
fn links_of_a_page_lead_somewhere() {
    for keep in [0, 3, 100] {
        let text = written(|w| html::audit(w, &audit(), devices(), keep));
        for link in text.split("href=\"#").skip(1) {
            let id = link.split('"').next().unwrap();
            assert_eq!(text.matches(&format!("id=\"{id}\"")).count(), 1, "#{id}");
        }
        for id in text.split("aria-labelledby=\"").skip(1).flat_map(|t| t.split('"').next().unwrap().split(' ')) {
            assert!(text.contains(&format!("id=\"{id}\"")), "{id}");
        }
        assert!(!text.contains("<script") && !text.contains("<link") && !text.contains(" src=\""));
    }
}

#[test]
fn every_chart_has_a_table_with_its_numbers() {
    let text = written(|w| html::audit(w, &audit(), devices(), 100));
    for id in ["makers", "jurisdictions", "listings", "confidence", "models", "collect"] {
        let figure = text.split(&format!("aria-labelledby=\"{id}-t {id}-d\"")).nth(1).unwrap().split("</figure>").next().unwrap();
        let bars = figure.matches("<rect class=\"c").count();
        let rows = figure.split("<tbody>").nth(1).unwrap().matches("<tr>").count();
        assert_eq!(bars, rows, "{id}");
        assert!(bars > 0 && figure.contains("<caption>"));
    }
}

#[test]
fn the_chain_behind_a_device() {
    let all = devices();
    let mut text = String::new();
    for device in [&all[0], &all[2], &all[5], &all[6]] {
        text.push_str(&written(|w| explain::device(w, &audit(), device, None, &NARROW)));
        text.push_str("────────\n");
    }
    insta::assert_snapshot!(text);
}

#[test]
fn the_chain_behind_a_claim_or_finding() {
    let all = devices();
    let claim = written(|w| explain::device(w, &audit(), &all[0], Some("clm-000000000002"), &NARROW));
    assert!(claim.contains("Claim clm-000000000002") && claim.contains("USB table; kernel option.c"));
    assert!(!claim.contains("clm-000000000001") && !claim.contains("Seven layers"));
    let finding = written(|w| explain::device(w, &audit(), &all[1], Some("fnd-000000000002"), &NARROW));
    assert!(finding.contains("rebranded: info") && !finding.contains("clm-"));
    // An id that is not this device's: everything.
    assert!(written(|w| explain::device(w, &audit(), &all[0], Some("clm-0"), &NARROW)).contains("Seven layers"));
}

#[test]
fn layers_are_evidence_unknown_or_absent_never_clean() {
    let all = devices();
    let states = |n: usize| layers(&all[n]).map(|l| l.state);
    use State::{Absent, Evidence, Unknown};
    // Certain module: its firmware was read and not examined, its maker is traced.
    assert_eq!(states(0), [Absent, Absent, Absent, Unknown, Absent, Evidence, Evidence]);
    // Maker not known.
    assert_eq!(states(2), [Absent, Absent, Absent, Absent, Absent, Unknown, Unknown]);
    // Surely without.
    assert_eq!((all[6].cellular, states(6)), (Cellular::No, [Absent; 7]));
    let mut bom = all[0].clone();
    bom.modules[0].claims[0].because.push(crate::fleet::because(
        0,
        "row 3",
        "document",
        "declared-model",
        "FW25-G",
        2000,
        "bill of materials",
    ));
    bom.findings.push(umbilical_core::finding::Finding { source: "detector", ..all[1].findings[0].clone() });
    bom.findings.push(umbilical_core::finding::Finding { source: "host", ..all[1].findings[0].clone() });
    assert_eq!(layers(&bom).map(|l| l.state)[..3], [Evidence, Evidence, Evidence]);
    assert_eq!(layers(&bom).map(|l| l.name), ["HBOM", "isolation", "behaviour", "update", "segmentation", "supply", "law"]);
}

#[test]
fn a_closed_pipe_comes_back_as_one() {
    struct Closed;
    impl std::io::Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let kinds = [
        json::audit(&mut Closed, &audit(), devices()),
        csv::audit(&mut Closed, devices()),
        table::audit(&mut Closed, &audit(), devices(), &NARROW),
        html::audit(&mut Closed, &audit(), devices(), 9),
    ];
    for result in kinds {
        assert_eq!(result.unwrap_err().kind(), std::io::ErrorKind::BrokenPipe);
    }
}

#[test]
fn a_graph_shows_owners_and_marks_what_does_not_hold() {
    let graph = svg::graph("g", &fenwick(), true).unwrap();
    // Whom it makes for stands in the table.
    assert_eq!(graph.left_out, 1);
    for (class, n) in [("edge control", 3), ("edge minor", 2), ("edge ended", 1), ("edge alleged", 1)] {
        assert_eq!(graph.svg.matches(class).count(), n, "{class}");
    }
    assert!(graph.svg.contains("2020-11-18") && graph.svg.contains("affiliate, alleged"));
    assert!(svg::graph("g", &trace("a", "A", ""), true).is_none());
}

#[test]
fn a_graph_of_a_circle_or_of_hundreds_ends() {
    let mut t = trace("a", "A", "");
    t.chain = vec![
        step("a", "b", "B", "owns", Some("60"), (None, None), true),
        step("b", "a", "A", "owns", Some("60"), (None, None), true),
        step("a", "a", "A", "owns", None, (None, None), false),
    ];
    assert_eq!(svg::graph("g", &t, true).unwrap().left_out, 2);
    t.chain.extend((0..300).map(|n| step("b", &format!("o{n}"), "Owner", "owns", None, (None, None), false)));
    let graph = svg::graph("g", &t, true).unwrap();
    assert_eq!(graph.svg.matches("class=\"node").count(), 40);
    assert_eq!(graph.left_out, 2 + 300 - 38);
}
