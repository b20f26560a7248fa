//! Text from outside steers no browser, no spreadsheet and no terminal, wherever in an answer it stands.

use proptest::prelude::*;
use umbilical_core::answer::{Audit, Device};
use umbilical_report::{View, csv, explain, html, json, table};

use crate::fleet::{audit, devices, written};

const VIEW: View = View { width: 80, color: false, max_rows: 40 };

/// Text that means harm, and any other.
fn nasty() -> impl Strategy<Value = String> {
    let bits = prop::sample::select(vec![
        "<",
        ">",
        "\"",
        "'",
        "&",
        "`",
        "=",
        "+",
        "-",
        "@",
        "\t",
        "\r",
        "\n",
        ";",
        ",",
        "\u{1b}[31m",
        "\u{9b}2J",
        "\u{7}",
        "\u{202e}",
        "\u{0}",
        "<script>",
        "</style>",
        "<!--",
        "]]>",
        "&lt;",
        "javascript:",
        "https://x/\"y",
        "広和",
        "＝",
        "'=1",
        "a",
        "B 9",
    ]);
    prop_oneof![prop::collection::vec(bits, 0..8).prop_map(|b| b.concat()), "\\PC{0,20}"]
}

/// The fleet with every string of every document replaced where the words are free.
fn infected(text: &str) -> (Audit, Vec<Device>) {
    let (mut audit, mut devices) = (audit(), devices());
    let t = || text.to_owned();
    audit.knowledge.absent = vec![t()];
    audit.inputs.iter_mut().for_each(|i| (i.path, i.format, i.mapping) = (t(), t(), vec![t()]));
    audit.problems.iter_mut().for_each(|p| (p.at, p.what) = (t(), t()));
    audit.learned.iter_mut().for_each(|l| (l.tac, l.maker, l.model) = (t(), t(), t()));
    let x = &mut audit.tallies;
    for list in
        [&mut x.makers, &mut x.models, &mut x.jurisdictions, &mut x.confidence, &mut x.listings, &mut x.next_evidence, &mut x.findings]
    {
        list.iter_mut().for_each(|tally| tally.label = t());
    }
    for d in &mut devices {
        d.names = vec![t(), t()];
        d.identifiers.imei = vec![t()];
        d.identifiers.site = vec![t()];
        d.next_evidence = vec![t()];
        d.because.iter_mut().for_each(|b| (b.at, b.value, b.matched) = (t(), t(), t()));
        d.findings.iter_mut().for_each(|f| (f.because, f.remedies, f.clears_when) = (vec![t()], vec![t()], t()));
        for m in &mut d.modules {
            (m.brand, m.maker, m.model, m.sold_as, m.variant) = (Some(t()), Some(t()), Some(t()), Some(t()), Some(t()));
            (m.chipset, m.rats, m.imei, m.firmware) = (Some(t()), vec![t()], vec![t()], Some(t()));
            m.jurisdictions.iter_mut().for_each(|j| j.country = t());
            m.conflicts.iter_mut().for_each(|c| (c.values, c.what) = (vec![t()], t()));
            for c in &mut m.claims {
                c.value = t();
                c.because.iter_mut().chain(&mut c.against).for_each(|b| (b.at, b.value, b.matched) = (t(), t(), t()));
            }
            for behind in &mut m.ownership {
                let o = std::sync::Arc::make_mut(&mut behind.trace);
                (o.org, o.name, o.owner, o.statement, o.open_points) = (t(), t(), vec![t()], t(), vec![t()]);
                let steps = o.chain.iter_mut().chain(&mut o.former).chain(&mut o.other).chain(&mut o.alleged);
                steps.for_each(|s| (s.parent_name, s.edge, s.share, s.from, s.source) = (t(), t(), Some(t()), Some(t()), t()));
                o.listings
                    .iter_mut()
                    .for_each(|l| (l.regime, l.entity, l.scope, l.citation, l.source, l.prohibits) = (t(), t(), t(), t(), t(), t()));
                o.jurisdictions.iter_mut().for_each(|j| (j.org, j.country, j.via, j.laws) = (t(), t(), vec![t()], vec![t()]));
            }
        }
    }
    (audit, devices)
}

/// Tags of a page without what stands between them.
fn tags(html: &str) -> Vec<String> {
    html.split('<').skip(1).map(|t| t.split_once('>').unwrap().0.to_owned()).collect()
}

fn steers(c: char) -> bool {
    (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}'..='\u{200f}' | '\u{feff}')
}

/// The names of every element the page is made of.
const ELEMENTS: &str = "!doctype a article b body br caption circle code dd defs desc details div dl dt figcaption figure footer g h1 h2 h3 h4 head header html i li main marker meta nav p path rect section span style summary svg table tbody td text th thead title tr ul";

/// The names of every attribute.
const ATTRIBUTES: &str = "aria-label aria-labelledby charset class content d height href http-equiv id lang marker-end markerHeight markerWidth name orient refX refY rel role rx scope style tabindex text-anchor viewBox width x y";

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_page_is_made_of_our_tags_only(text in nasty()) {
        let (audit, devices) = infected(&text);
        let page = written(|w| html::audit(w, &audit, devices, 100));
        prop_assert!(!page.chars().any(steers));
        let (head, sheet) = page.split_once("<style>").unwrap();
        let (_, body) = sheet.split_once("</style>").unwrap();
        for tag in tags(head).into_iter().chain(tags(body)) {
            let name = tag.trim_start_matches('/').trim_end_matches('/').split_whitespace().next().unwrap_or_default().to_owned();
            prop_assert!(ELEMENTS.split(' ').any(|e| e == name), "<{}>", tag);
            // Attributes: name="value" and nothing else; values cannot end early because quotes are escaped.
            let mut rest = tag.trim_start_matches('/').trim_end_matches('/').strip_prefix(&*name).unwrap().trim_start();
            while name != "!doctype" && !rest.is_empty() {
                let (attribute, after) = rest.split_once("=\"").expect("an attribute has a quoted value");
                prop_assert!(ATTRIBUTES.split(' ').any(|a| a == attribute), "{} in <{}>", attribute, tag);
                let (value, after) = after.split_once('"').expect("a value ends");
                prop_assert!(attribute != "href" || ["#", "http://", "https://"].iter().any(|p| value.starts_with(p)), "{}", value);
                rest = after.trim_start();
            }
        }
        for kind in ["section", "article", "details", "table", "tr", "td", "li", "ul", "svg", "div", "p", "span"] {
            let opened = body.matches(&format!("<{kind}>")).count() + body.matches(&format!("<{kind} ")).count();
            prop_assert_eq!(opened, body.matches(&format!("</{kind}>")).count(), "{}", kind);
        }
    }

    #[test]
    fn no_cell_is_a_formula_and_every_cell_can_be_restored(text in nasty()) {
        let cell = csv::guarded(&text);
        prop_assert_eq!(csv::unguarded(&cell), &*umbilical_core::text::clean(&text));
        let (_, devices) = infected(&text);
        let lines: usize = devices.iter().map(|d| d.modules.len().max(1)).sum();
        let table = written(|w| csv::audit(w, devices));
        prop_assert!(!table.chars().any(steers));
        let mut reader = ::csv::Reader::from_reader(table.as_bytes());
        let mut seen = 0;
        for record in reader.records() {
            let record = record.unwrap();
            seen += 1;
            prop_assert_eq!(record.len(), csv::COLUMNS.len());
            for cell in &record {
                prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']), "{}", cell);
            }
        }
        prop_assert_eq!(seen, lines);
    }

    #[test]
    fn nothing_steers_the_terminal(text in nasty()) {
        let (audit, devices) = infected(&text);
        for device in &devices {
            let chain = written(|w| explain::device(w, &audit, device, None, &VIEW));
            prop_assert!(!chain.chars().any(steers));
        }
        let fleet = written(|w| table::audit(w, &audit, devices, &VIEW));
        prop_assert!(!fleet.chars().any(steers));
    }

    #[test]
    fn a_document_gives_back_what_went_in(text in nasty()) {
        let (audit, devices) = infected(&text);
        let expected = serde_json::to_value(&devices).unwrap();
        let document = written(|w| json::audit(w, &audit, devices));
        prop_assert!(!document.chars().any(steers));
        let value: serde_json::Value = serde_json::from_str(&document).unwrap();
        prop_assert_eq!(&value["devices"], &expected);
        let back: Audit = serde_json::from_value(value).unwrap();
        prop_assert_eq!(&back.inputs, &audit.inputs);
    }
}
