//! The four fleets under `examples/`: what each holds and what an audit of it should find.
//!
//! `cargo xtask make-examples` writes them; a test demands that the committed files are these.

mod declared;
mod farm;
mod hospital;
mod port;
mod utility;

use std::fmt::Write as _;

pub use declared::declared;

/// One fleet.
#[derive(Debug)]
pub struct Example {
    /// Folder under `examples/`.
    pub name: &'static str,
    /// Heading of its page.
    pub title: &'static str,
    /// What happened, for the page.
    pub story: &'static str,
    /// The evidence: path below the folder, and bytes.
    pub files: Vec<(String, Vec<u8>)>,
    /// What an audit should find.
    pub expect: Vec<Expect>,
}

/// Whether the audit should take a device for cellular.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cellular {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// The evidence does not say.
    Unknown,
}

/// What an audit should say of one device.
#[derive(Clone, Copy, Debug)]
pub struct Expect {
    /// Asset id, or the name where it has none.
    pub device: &'static str,
    /// Whether it is cellular.
    pub cellular: Cellular,
    /// Maker and model of its module, each empty where the evidence does not reach it.
    pub module: (&'static str, &'static str),
    /// `confirmed`, `probable`, `possible`, `hint` of the module; empty where there is none or any will do.
    pub sure: &'static str,
    /// A stick or phone: a product, not a module.
    pub product: bool,
    /// The code of a finding that must be raised; empty = none in particular.
    pub finding: &'static str,
    /// Why, for the page.
    pub why: &'static str,
}

const NOTHING: Expect =
    Expect { device: "", cellular: Cellular::Unknown, module: ("", ""), sure: "", product: false, finding: "", why: "" };

/// A device with a module of this maker and model.
const fn module(device: &'static str, maker: &'static str, model: &'static str, sure: &'static str, why: &'static str) -> Expect {
    Expect { device, cellular: Cellular::Yes, module: (maker, model), sure, why, ..NOTHING }
}

/// A device that is cellular, of which no more can be said.
const fn cellular(device: &'static str, why: &'static str) -> Expect {
    Expect { device, cellular: Cellular::Yes, why, ..NOTHING }
}

/// A device of which nothing can be said.
const fn open(device: &'static str, why: &'static str) -> Expect {
    Expect { device, why, ..NOTHING }
}

/// A device surely without a modem.
const fn without(device: &'static str, why: &'static str) -> Expect {
    Expect { device, cellular: Cellular::No, why, ..NOTHING }
}

impl Expect {
    const fn with(self, finding: &'static str) -> Self {
        Self { finding, ..self }
    }
}

/// The fleets in order.
pub fn all() -> Vec<Example> {
    vec![utility::example(), hospital::example(), port::example(), farm::example()]
}

impl Example {
    /// The page that stands beside the folder, so that it is not read as evidence.
    pub fn page(&self) -> String {
        let mut out = format!("# {}\n\n{}\n\n```\numbilical audit examples/{}\n```\n\n", self.title, self.story.trim(), self.name);
        out.push_str("| device | cellular | module | why |\n|---|---|---|---|\n");
        for e in &self.expect {
            let cellular = match e.cellular {
                Cellular::Yes => "yes",
                Cellular::No => "no",
                Cellular::Unknown => "unknown",
            };
            let module = match e.module {
                ("", "") if e.product => "a product, not a module".to_owned(),
                ("", "") => "–".to_owned(),
                (maker, "") => format!("{maker}, model open"),
                (maker, model) => format!("{maker} {model}"),
            };
            let sure = if e.sure.is_empty() { String::new() } else { format!(" ({})", e.sure) };
            let finding = if e.finding.is_empty() { String::new() } else { format!("; finding `{}`", e.finding) };
            let _ = writeln!(out, "| {} | {cellular} | {module}{sure} | {}{finding} |", e.device, e.why);
        }
        out
    }
}

/// The page that names the four.
pub fn index() -> String {
    let mut out = String::from(
        "# Examples\n\nFour invented fleets with evidence of the kinds that people really have. Subscribers, cards and serial numbers are invented \
         (test network 001/01, country code 888, low serials). The files are made by `cargo xtask make-examples`; each page says what the audit should find, \
         and `cargo xtask examples` checks that it does.\n\n",
    );
    for example in all() {
        let _ = writeln!(
            out,
            "- [{}]({}.md): {} files, {} devices named",
            example.title,
            example.name,
            example.files.len(),
            example.expect.len()
        );
    }
    out.push_str(
        "\n`declared/` holds what suppliers declare of two devices of the water utility, to compare with what is observed there:\n\n\
         ```\numbilical bom verify --declared examples/declared/rtu-0425.csv --observed examples/utility --device RTU-0425\n```\n\n\
         `traffic/` holds a morning at the utility's packet gateway, five of its modules in it:\n\n\
         ```\numbilical watch examples/traffic/gateway.pcap\n```\n",
    );
    out
}

/// The files of `examples/traffic/`: path below it, and bytes.
pub fn traffic() -> Vec<(String, Vec<u8>)> {
    vec![("gateway.pcap".to_owned(), crate::mobile::pcap(&crate::gateway::morning()))]
}

/// Collects files.
#[derive(Default)]
struct Folder(Vec<(String, Vec<u8>)>);

impl Folder {
    fn add(&mut self, path: &str, text: impl Into<String>) {
        self.0.push((path.to_owned(), text.into().into_bytes()));
    }
}

/// A table with a delimiter; cells that need it are quoted (RFC 4180).
fn table(delimiter: char, rows: &[Vec<String>]) -> String {
    let quoted = |cell: &String| {
        if cell.contains([delimiter, '"', '\n']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.clone() }
    };
    rows.iter().map(|row| row.iter().map(quoted).collect::<Vec<_>>().join(&delimiter.to_string()) + "\n").collect()
}

fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}
