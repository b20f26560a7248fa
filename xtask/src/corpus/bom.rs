//! Bills of materials: is each module that a document names found, each one that it hides said to be undisclosed, and
//! nothing else called a module? By file, by repository, and by product (all files of a repository in one folder).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::judge::{same_maker, same_model};
use super::{Bar, Miss, count, rows};
use crate::answer::{self, Module};

/// The bar on files and on repositories.
const RECALL: f64 = 0.95;

#[derive(Deserialize)]
struct Row {
    file: String,
    format: String,
    true_vendor: String,
    true_models: String,
    line: String,
    source: String,
    note: String,
}

impl Row {
    /// A module that the document names.
    fn direct(&self) -> bool {
        !self.true_vendor.is_empty() && !self.indirect()
    }

    /// A module that the document hides in something that carries it.
    fn indirect(&self) -> bool {
        self.note.starts_with("INDIRECT")
    }

    fn is_list(&self) -> bool {
        !matches!(self.format.as_str(), "kicad_sch" | "kicad_sch_v4" | "kicad_net" | "eagle_sch")
    }

    fn repository(&self) -> &str {
        self.source.split([':', '@']).next().unwrap_or(&self.source)
    }
}

/// The document of `bom check`, as far as it is used here.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Check {
    files: Vec<File>,
    projects: Vec<Project>,
    problems: Vec<answer::Problem>,
}

#[derive(Clone, Debug, Deserialize)]
struct File {
    format: String,
    state: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, Deserialize)]
struct Project {
    state: String,
}

#[derive(Clone, Debug, Deserialize)]
struct Part {
    at: String,
    module: Option<Module>,
    alternates: Vec<Alternate>,
}

#[derive(Clone, Debug, Deserialize)]
struct Alternate {
    module: Option<Module>,
}

impl File {
    /// Every module that it names, alternates included, with the place of its line.
    fn modules(&self) -> impl Iterator<Item = (&str, &Module)> {
        self.parts
            .iter()
            .flat_map(|p| p.module.iter().chain(p.alternates.iter().filter_map(|a| a.module.as_ref())).map(|m| (p.at.as_str(), m)))
    }
}

/// Counts of one kind of documents.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Score {
    files: usize,
    direct: usize,
    found: usize,
    models: usize,
    models_right: usize,
    /// On the line that the index names; it names another place of the file now and then, so this is no bar.
    lines_right: usize,
    wrong_makers: usize,
    indirect: usize,
    undisclosed: usize,
    negatives: usize,
    called: usize,
    not_read: usize,
}

impl Score {
    fn add(&mut self, o: &Self) {
        self.files += o.files;
        self.direct += o.direct;
        self.found += o.found;
        self.models += o.models;
        self.models_right += o.models_right;
        self.lines_right += o.lines_right;
        self.wrong_makers += o.wrong_makers;
        self.indirect += o.indirect;
        self.undisclosed += o.undisclosed;
        self.negatives += o.negatives;
        self.called += o.called;
        self.not_read += o.not_read;
    }
}

/// What was measured.
#[derive(Default, Serialize)]
pub struct Measured {
    kinds: BTreeMap<&'static str, Score>,
    all: Score,
    /// Repositories that name a module, and those where it is found in every document that names it.
    repositories: usize,
    repositories_found: usize,
    /// Products with the right state, of all.
    products: usize,
    products_right: usize,
    misses: Vec<Miss>,
}

/// Measures every file of the folder, if it is there.
pub fn measure(dir: &Path, binary: &Path, scratch: &Path) -> Result<Measured, String> {
    let index = dir.join("index.csv");
    let mut out = Measured::default();
    if !index.is_file() {
        return Ok(out);
    }
    let rows: Vec<Row> = rows(&index)?;
    let mut recall: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for row in &rows {
        let answer: Result<Check, String> = answer::document(binary, &["bom", "check"], &[dir.join(&row.file)], scratch);
        let (score, wrong) = judge(row, answer.as_ref().ok());
        let kind = if row.is_list() { "lists" } else { "schematics" };
        out.kinds.entry(kind).or_default().add(&score);
        out.all.add(&score);
        if row.direct() {
            let counted = recall.entry(row.repository()).or_default();
            counted.0 += score.found;
            counted.1 += 1;
        }
        let failed = answer.as_ref().err().cloned();
        if let Some(what) = failed.or(wrong) {
            let said = answer.as_ref().map(said).unwrap_or_default();
            out.misses.push(Miss { file: row.file.clone(), truth: format!("{} {}", row.true_vendor, row.true_models), answer: said, what });
        }
    }
    out.repositories = recall.len();
    out.repositories_found = recall.values().filter(|(found, of)| found == of).count();
    products(&mut out, dir, &rows, binary, scratch)?;
    Ok(out)
}

fn judge(row: &Row, check: Option<&Check>) -> (Score, Option<String>) {
    let mut score = Score { files: 1, ..Score::default() };
    let Some(file) = check.and_then(|c| c.files.first()) else {
        score.not_read = 1;
        score.direct = usize::from(row.direct());
        score.indirect = usize::from(row.indirect());
        score.negatives = usize::from(row.true_vendor.is_empty());
        return (score, Some("not read as a bill of materials".into()));
    };
    let mut wrong = Vec::new();
    if row.direct() {
        score.direct = 1;
        let truths: Vec<&str> = row.true_models.split(';').collect();
        let named = |m: &Module| m.maker.as_deref().is_some_and(|n| same_maker(n, &row.true_vendor));
        score.wrong_makers = usize::from(file.modules().any(|(_, m)| m.maker.is_some() && !named(m)));
        score.found = usize::from(file.state == "found" && file.modules().any(|(_, m)| named(m)));
        score.models = truths.len();
        let right =
            |t: &str| file.modules().any(|(_, m)| named(m) && [&m.variant, &m.model].into_iter().flatten().any(|n| same_model(n, t)));
        score.models_right = truths.iter().filter(|t| right(t)).count();
        let place = row.line.rsplit('!').next().unwrap_or(&row.line);
        score.lines_right = usize::from(file.modules().any(|(at, _)| at.rsplit(' ').next() == Some(place)));
        for (bad, what) in [
            (score.found == 0, "module not found"),
            (score.wrong_makers > 0, "wrong maker"),
            (score.models_right < score.models, "model not right"),
        ] {
            if bad {
                wrong.push(what);
            }
        }
    } else if row.indirect() {
        score.indirect = 1;
        score.undisclosed = usize::from(file.state == "undisclosed");
        if score.undisclosed == 0 {
            wrong.push("not undisclosed");
        }
    } else {
        score.negatives = 1;
        score.called = usize::from(file.modules().next().is_some() || file.state == "found");
        if score.called > 0 {
            wrong.push("called a module");
        }
    }
    (score, (!wrong.is_empty()).then(|| wrong.join(", ")))
}

/// Every repository as one folder: what its documents say together.
fn products(out: &mut Measured, dir: &Path, all: &[Row], binary: &Path, scratch: &Path) -> Result<(), String> {
    let mut by: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in all {
        by.entry(row.repository()).or_default().push(row);
    }
    let failed = |e: std::io::Error| e.to_string();
    for (name, list) in by {
        let folder = scratch.join("products").join(name.replace('/', "__"));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).map_err(failed)?;
        for row in &list {
            // The path inside the repository, so that sheets find each other.
            let inside = row.source.split_once(':').map_or(row.file.as_str(), |(_, rest)| rest.split('@').next().unwrap_or(rest));
            let to = folder.join(inside);
            fs::create_dir_all(to.parent().unwrap_or(&folder)).map_err(failed)?;
            fs::copy(dir.join(&row.file), to).map_err(failed)?;
        }
        let want = if list.iter().any(|r| r.direct()) {
            "found"
        } else if list.iter().any(|r| r.indirect()) {
            "undisclosed"
        } else {
            "clean-as-declared"
        };
        let check: Check = answer::document(binary, &["bom", "check"], &[folder], scratch).unwrap_or_default();
        // The best-known product of the repository decides; a repository of lists alone has a product for each.
        let states: Vec<&str> = check.projects.iter().map(|p| p.state.as_str()).collect();
        let right =
            if want == "clean-as-declared" { !states.is_empty() && states.iter().all(|s| *s != "found") } else { states.contains(&want) };
        out.products += 1;
        out.products_right += usize::from(right);
        if !right {
            out.misses.push(Miss { file: name.to_owned(), truth: want.to_owned(), answer: states.join(", "), what: "product".into() });
        }
    }
    Ok(())
}

fn said(check: &Check) -> String {
    let file = |f: &File| {
        let modules: Vec<String> = f
            .modules()
            .map(|(at, m)| format!("{} {} ({at})", m.maker.as_deref().unwrap_or("–"), m.model.as_deref().unwrap_or("–")))
            .collect();
        format!("{} {} {} parts [{}]", f.format, f.state, f.parts.len(), modules.join(" | "))
    };
    let problem = check.problems.first().map_or_else(String::new, |p| format!("; {} problems: {}: {}", check.problems.len(), p.at, p.what));
    format!("{}{problem}", check.files.iter().map(file).collect::<Vec<_>>().join("; "))
}

impl Measured {
    /// The bars.
    pub fn bars(&self) -> Vec<Bar> {
        if self.all.files == 0 {
            return Vec::new();
        }
        let share = |n: usize, of: usize| if of == 0 { 1.0 } else { n as f64 / of as f64 };
        let percent = |v: f64| format!("{:.1} %", v * 100.0);
        let at_least = |what: &str, n: usize, of: usize| {
            let v = share(n, of);
            Bar {
                what: what.into(),
                measured: format!("{} ({n} of {of})", percent(v)),
                wanted: format!("at least {}", percent(RECALL)),
                pass: v >= RECALL,
            }
        };
        let a = &self.all;
        vec![
            at_least("bills: named modules found, by file", a.found, a.direct),
            at_least("bills: named modules found, by repository", self.repositories_found, self.repositories),
            count("bills: wrong makers", a.wrong_makers, 0),
            count("bills: models right where the line names them", a.models_right, a.models),
            count("bills: hidden modules undisclosed", a.undisclosed, a.indirect),
            count("bills: negatives called a module", a.called, 0),
            count("bills: files not read", a.not_read, 0),
            count("bills: products with the right state", self.products_right, self.products),
        ]
    }

    /// Prints the table.
    pub fn print(&self, misses: bool) {
        println!(
            "{:<14}{:>6}  {:>11}  {:>9}  {:>7}  {:>11}  {:>9}  {:>6}",
            "bills", "files", "named/found", "models ok", "line ok", "hidden/said", "negatives", "called"
        );
        for (name, s) in self.kinds.iter().map(|(k, s)| (*k, s)).chain([("all", &self.all)]) {
            println!(
                "{:<14}{:>6}  {:>11}  {:>9}  {:>7}  {:>11}  {:>9}  {:>6}",
                name,
                s.files,
                format!("{}/{}", s.direct, s.found),
                format!("{}/{}", s.models_right, s.models),
                s.lines_right,
                format!("{}/{}", s.indirect, s.undisclosed),
                s.negatives,
                s.called
            );
        }
        println!(
            "bills: {} of {} repositories with every named module found; {} of {} products with the right state",
            self.repositories_found, self.repositories, self.products_right, self.products
        );
        if misses {
            for miss in &self.misses {
                println!("  {}: {} ({}) ← {}", miss.file, miss.what, miss.truth.trim(), miss.answer);
            }
        }
    }
}
