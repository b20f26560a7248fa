//! From cells to observations: which column holds what, who speaks, and what a row says.

use rustc_hash::FxHashMap;
use umbilical_core::number::{self, Imei};
use umbilical_core::observation::FactId;
use umbilical_core::text::{is_blank, short};
use umbilical_core::{At, IdKind, Kind, Observations, Record};
use umbilical_knowledge::{BrandKind, Knowledge, Scope};

use super::Witness;
use super::dates::{self, Order};
use super::field::{Field, Known, fold, recognise};
use super::mapping::Mapping;
use crate::{Context, Purpose, lots};

/// How many rows from the top the header may stand.
pub(crate) const HEADER_WITHIN: usize = 30;
/// Heads that are told of one table.
const MOST_HEADS: usize = 400;
/// How many different values of a column are remembered.
const MEMO: usize = 50_000;

/// Finds the header among the first rows: the row with the most known heads. `None` where the first row already
/// holds values.
pub(crate) fn header_row(rows: &[Vec<String>], mapping: Option<&Mapping>) -> Option<usize> {
    let score = |row: &Vec<String>| -> u32 {
        row.iter()
            .map(|cell| match mapping.and_then(|m| m.field(cell)).map(|_| Known::Field(Field::Ignore, 4)).or_else(|| recognise(cell)) {
                Some(Known::Field(_, sure)) => u32::from(sure),
                Some(Known::Hint(_)) => 1,
                None => 0,
            })
            .fold(0, u32::saturating_add)
    };
    let best = rows
        .iter()
        .take(HEADER_WITHIN)
        .enumerate()
        .map(|(i, row)| (score(row), i))
        .max_by_key(|(score, i)| (*score, usize::MAX.saturating_sub(*i)));
    match best {
        Some((2.., at)) => Some(at),
        _ if rows.first().is_some_and(|row| row.iter().any(|cell| identifier(cell).is_some())) => None,
        // Nothing known: the first row that is as wide as most.
        _ => {
            let filled = |row: &Vec<String>| row.iter().filter(|c| !c.trim().is_empty()).count();
            let widest = rows.iter().map(filled).max().unwrap_or(0);
            rows.iter().take(HEADER_WITHIN).position(|row| filled(row).saturating_mul(2) > widest)
        }
    }
}

/// What a value is by its own form, if that is beyond doubt.
pub(crate) fn identifier(value: &str) -> Option<Field> {
    let value = unwrapped(value);
    if number::iccid(value).is_some() {
        return Some(Field::Iccid);
    }
    if matches!(number::imei(value), Imei::Whole { check: number::Check::Right, .. })
        && value.bytes().filter(u8::is_ascii_digit).count() == 15
    {
        return Some(Field::Imei);
    }
    if matches!(number::eid(value), Some((_, number::Check::Right))) {
        return Some(Field::Eid);
    }
    (value.len() >= 14 && value.contains([':', '-', '.']) && number::mac(value).is_some()).then_some(Field::Mac)
}

/// The field of a column whose head says nothing, by its values.
fn by_values<'a>(values: impl Iterator<Item = &'a str> + Clone) -> Option<Field> {
    let total = values.clone().count();
    let share =
        |test: &dyn Fn(&str) -> bool| values.clone().filter(|v| test(unwrapped(v))).count().saturating_mul(10) >= total.saturating_mul(9);
    if total == 0 {
        return None;
    }
    for field in [Field::Iccid, Field::Imei, Field::Eid, Field::Mac] {
        if share(&|v| identifier(v) == Some(field)) {
            return Some(field);
        }
    }
    // Fifteen digits that fail Luhn and begin with one and the same network are subscriptions.
    let network = values.clone().next().and_then(|v| unwrapped(v).get(..5));
    if total >= 2 && share(&|v| number::imsi(v).is_some() && v.get(..5) == network) {
        return Some(Field::Imsi);
    }
    None
}

/// Whether a value can stand in a column of the field; fields without a form take everything.
fn fits(field: Field, value: &str) -> bool {
    let value = unwrapped(value);
    if scientific(value) {
        return matches!(field, Field::Imei | Field::Iccid | Field::Imsi | Field::Msisdn | Field::Eid);
    }
    match field {
        Field::Imei => number::imei(value) != Imei::No,
        Field::Iccid => number::iccid(value).is_some() || number::is_masked(value),
        Field::Imsi => number::imsi(value).is_some() || number::is_masked(value),
        Field::Eid => number::eid(value).is_some() || number::is_masked(value),
        Field::Msisdn => number::msisdn(value).is_some() || number::is_masked(value),
        Field::Mac => number::mac(value).is_some(),
        Field::Vin => number::vin(value).is_some(),
        Field::LastSeen => value.bytes().any(|b| b.is_ascii_digit()),
        Field::ModuleModel => value.bytes().any(|b| b.is_ascii_digit()) && value.bytes().any(|b| b.is_ascii_alphabetic()),
        Field::Ip => value.split(['/', ' ', ';', ',']).next().is_some_and(|ip| ip.parse::<std::net::IpAddr>().is_ok()),
        _ => true,
    }
}

/// A cell without what spreadsheets put around it to keep it text: `="…"`, a leading apostrophe.
pub(crate) fn unwrapped(cell: &str) -> &str {
    let cell = cell.trim();
    match cell.as_bytes().first() {
        Some(b'=') => cell.strip_prefix("=\"").and_then(|c| c.strip_suffix('"')).unwrap_or(cell),
        Some(b'\'') => cell.get(1..).unwrap_or(cell).trim_end_matches('\''),
        Some(b'"') => cell.trim_matches('"'),
        _ => cell,
    }
}

/// `4.90154E+14`: a spreadsheet has rounded a long number away.
fn scientific(value: &str) -> bool {
    let Some((digits, power)) = value.split_once(['E', 'e']) else { return false };
    let digits_only = digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b','));
    let power = power.trim_start_matches('+');
    !digits.is_empty()
        && digits_only
        && digits.bytes().any(|b| b.is_ascii_digit())
        && power.len() <= 2
        && power.parse::<u8>().is_ok_and(|p| p >= 10)
}

/// One column that is used.
struct Column {
    index: usize,
    field: Field,
    header: String,
    /// An IMEI column that says what is in the device now, beside one that says what was.
    current: bool,
    order: Order,
    memo: [Memo; 2],
}

/// The facts that a column's values have become: a cell that repeats down the column is interned once.
#[derive(Default)]
struct Memo {
    last: String,
    fact: Option<FactId>,
    known: FxHashMap<Box<str>, Option<FactId>>,
}

impl Memo {
    fn get(&mut self, value: &str, make: impl FnOnce(&str) -> Option<FactId>) -> Option<FactId> {
        if self.last == value {
            return self.fact;
        }
        let fact = match self.known.get(value) {
            Some(fact) => *fact,
            None => {
                let fact = make(value);
                if self.known.len() >= MEMO {
                    self.known.clear();
                }
                self.known.insert(value.into(), fact);
                fact
            }
        };
        self.last.clear();
        self.last.push_str(value);
        self.fact = fact;
        fact
    }
}

/// The columns of one table and what becomes of them.
pub(crate) struct Mapper<'k> {
    knowledge: &'k Knowledge,
    columns: Vec<Column>,
    witness: Witness,
    /// Plain "manufacturer", "model" and "firmware" are the module's own.
    plain_is_module: bool,
    unused: Vec<String>,
    /// The first heads, for [`Observations::heads`].
    heads: Vec<String>,
    width: usize,
    /// The rows are conversations of two addresses: a log of traffic, not a table of things.
    traffic: bool,
    /// Names in the user's mapping that this table lacks, where it has others of them.
    missing: Vec<String>,
    /// Damage that is reported once, with its count at the end.
    rounded: u32,
    /// The fact that a row with a card has one.
    sim: Option<FactId>,
    pairs: Pairs,
    /// Where the table is read as a list of pieces: its columns as such.
    lots: Option<lots::Columns>,
}

/// The field that a head names surely.
fn known_field(header: &str) -> Option<Field> {
    match recognise(header) {
        Some(Known::Field(field, 2..)) => Some(field),
        _ => None,
    }
}

/// Which pairs of maker and model are modules of the catalogue: asked once for each that occurs.
#[derive(Default)]
struct Pairs {
    key: String,
    last: bool,
    known: FxHashMap<Box<str>, bool>,
}

impl Pairs {
    fn module(&mut self, knowledge: &Knowledge, maker: &str, model: &str) -> bool {
        // Rows in a line are often alike.
        if self.key.strip_prefix(maker).and_then(|rest| rest.strip_prefix('\0')) == Some(model) {
            return self.last;
        }
        self.key.clear();
        self.key.extend([maker, "\0", model]);
        self.last = match self.known.get(self.key.as_str()) {
            Some(known) => *known,
            None => {
                let module = catalogued(knowledge, maker, model);
                if self.known.len() >= MEMO {
                    self.known.clear();
                }
                self.known.insert(self.key.as_str().into(), module);
                module
            }
        };
        self.last
    }
}

/// Whether maker and model are a module of the catalogue, or an order code of one. A maker that sells phones or
/// terminals too may use a short name twice: there the name must be exact and say enough by itself.
fn catalogued(knowledge: &Knowledge, maker: &str, model: &str) -> bool {
    let Some(brand) = knowledge.brand(maker).or_else(|| knowledge.brand_of(maker)) else { return false };
    let modules = brand.kind == BrandKind::Module;
    match knowledge.module(&brand.brand, model) {
        Some(module) => modules || module.distinct,
        None => modules && knowledge.module_stem(&brand.brand, model).is_some(),
    }
}

/// Zeek's logs, Suricata's EVE and flow exports have a column for either end of a conversation.
fn is_traffic(headers: &[String]) -> bool {
    let has = |names: &[&str]| headers.iter().any(|h| names.contains(&umbilical_core::text::squash(h).as_str()));
    has(&["IDORIGH", "SRCIP", "SOURCEIP", "SRCADDR", "SRCADDRESS", "SOURCEIPV4ADDRESS", "IPV4SRCADDR", "SA"])
        && has(&["IDRESPH", "DSTIP", "DESTIP", "DESTINATIONIP", "DSTADDR", "DSTADDRESS", "DESTINATIONIPV4ADDRESS", "IPV4DSTADDR", "DA"])
}

impl<'k> Mapper<'k> {
    /// Decides what the columns hold, from their heads, the first rows, and what the user said.
    pub fn new(headers: &[String], samples: &[Vec<String>], cx: &Context<'k>) -> Self {
        let values = |i: usize| samples.iter().filter_map(move |row| row.get(i)).map(|v| v.trim()).filter(|v| !is_blank(v));
        let mut hints: FxHashMap<Witness, u32> = FxHashMap::default();
        let mut candidates: Vec<(usize, Field, u8)> = Vec::new();
        let mut filled: Vec<usize> = vec![0; headers.len()];
        let mut named = Vec::new();
        for (i, header) in headers.iter().enumerate() {
            if let Some((entry, field)) = cx.mapping.and_then(|m| m.field(header)) {
                named.push(entry);
                candidates.push((i, field, 9));
                continue;
            }
            let known = recognise(header);
            if let Some(Known::Hint(witness)) = known {
                *hints.entry(witness).or_default() += 1;
            }
            if fold(header).ends_with("brandname") {
                *hints.entry(Witness::Platform).or_default() += 2;
            }
            let (fit, total) = match known {
                Some(Known::Field(field, _)) => (values(i).filter(|v| fits(field, v)).count(), values(i).count()),
                _ => (0, 0),
            };
            if let Some(slot) = filled.get_mut(i) {
                *slot = fit;
            }
            match known {
                // A head of its own word is believed even where the values are bad, unless they are of another kind altogether.
                Some(Known::Field(field, sure)) if fit.saturating_mul(2) >= total || (sure == 3 && fit > 0) => {
                    candidates.push((i, field, sure))
                }
                Some(Known::Field(field @ (Field::Imei | Field::Iccid | Field::Imsi), 3))
                    if by_values(values(i)).is_none() && !values(i).any(truth) =>
                {
                    candidates.push((i, field, 3));
                }
                _ => candidates.extend(by_values(values(i)).map(|field| (i, field, 1))),
            }
        }
        candidates.extend(beside_imei(headers, &candidates, &values, cx));
        // `device id` and the like that hold IMEIs.
        if !candidates.iter().any(|c| c.1 == Field::Imei) {
            for candidate in candidates.iter_mut().filter(|c| c.2 == 1) {
                if let Some(found) = by_values(values(candidate.0)) {
                    candidate.1 = found;
                }
            }
        }
        // The FOTA history of Cradlepoint routers: {FROM, TO, IMEI, MODEL, MFG_MODEL, STATUS, TIME}.
        let column = |name: &str| headers.iter().position(|h| fold(h) == name);
        if let (Some(from), Some(to), true) = (column("from"), column("to"), candidates.iter().any(|c| c.1 == Field::ModuleModel)) {
            candidates.extend([(to, Field::ModuleFirmware, 2), (from, Field::ModuleFirmware, 1)]);
        }
        let mut kept: Vec<(usize, Field, u8)> = Vec::new();
        // Best first, the fuller column first; the sort is stable, so among equals the leftmost wins.
        candidates.sort_by_key(|c| std::cmp::Reverse((c.2, filled.get(c.0).copied().unwrap_or(0))));
        for candidate in candidates {
            let have = kept.iter().filter(|k| k.1 == candidate.1).count();
            let room =
                have == 0 || candidate.1.repeats() || candidate.2 == 9 || (candidate.1 == Field::Name && candidate.2 >= 2 && have < 2);
            if room {
                kept.push(candidate);
            }
        }
        // Beside a maker and without a model, "type" is the model's type.
        if kept.iter().any(|k| k.1 == Field::Maker)
            && !kept.iter().any(|k| k.1 == Field::Model)
            && let Some(kind) = kept.iter_mut().find(|k| k.1 == Field::DeviceClass)
            && headers.get(kind.0).is_some_and(|h| matches!(fold(h).as_str(), "typ" | "type" | "tipo" | "тип" | "类型" | "soort"))
        {
            kind.1 = Field::Model;
        }
        let has = |field: Field| kept.iter().any(|k| k.1 == field);
        let witness = cx.mapping.and_then(Mapping::source).unwrap_or_else(|| witness(&hints, &has));
        // A type column of a SIM platform is the type of the plan.
        kept.retain(|(i, field, _)| {
            *field != Field::DeviceClass || witness != Witness::Platform || headers.get(*i).is_some_and(|h| fold(h).len() > 5)
        });
        let has = |field: Field| kept.iter().any(|k| k.1 == field);
        let about_host = [Field::Serial, Field::Mac, Field::AssetId, Field::HostModel, Field::HostMaker].into_iter().any(has)
            || kept.iter().any(|k| k.1 == Field::Name && k.2 >= 2)
            || has(Field::ModuleModel)
            || has(Field::ModuleMaker);
        let mut columns: Vec<Column> = kept
            .iter()
            .filter(|k| k.1 != Field::Ignore)
            .map(|(i, field, _)| column_of(*i, *field, headers.get(*i).map_or("", String::as_str), Order::of(values(*i))))
            .collect();
        columns.sort_by_key(|c| (c.field, !c.current, c.index));
        // A table whose rows are no things (a price list, a log) would make things that do not exist: of such, only what
        // names a module is read.
        if cx.mapping.is_none() && !rows_are_things(&columns) {
            columns.retain(|c| matches!(c.field, Field::Text | Field::FccId | Field::UsbId | Field::PciId | Field::Chipset));
        }
        let traffic = cx.mapping.is_none() && is_traffic(headers);
        if traffic {
            columns.clear();
        }
        let unused = headers
            .iter()
            .enumerate()
            .filter(|(i, h)| !h.trim().is_empty() && !columns.iter().any(|c| c.index == *i))
            .map(|(_, h)| h.trim().to_owned())
            .collect();
        let missing = match cx.mapping {
            Some(mapping) if !named.is_empty() => {
                mapping.names().enumerate().filter(|(i, _)| !named.contains(i)).map(|(_, n)| n.to_owned()).collect()
            }
            _ => Vec::new(),
        };
        let plain_is_module = witness == Witness::OwnWord && !about_host;
        Self {
            knowledge: cx.knowledge,
            columns,
            witness,
            plain_is_module,
            unused,
            heads: headers.iter().take(MOST_HEADS).cloned().collect(),
            width: headers.len(),
            traffic,
            missing,
            rounded: 0,
            sim: None,
            pairs: Pairs::default(),
            lots: (cx.purpose == Purpose::Lot).then(|| lots::Columns::new(headers, cx.mapping, &known_field)),
        }
    }

    /// A mapper for things inside the things of another table: it has the same witness, unless it shows one of its own.
    pub fn within(mut self, outer: &Self) -> Self {
        if self.witness != Witness::OwnWord {
            self.witness = outer.witness;
        }
        if self.witness == Witness::OwnWord {
            self.plain_is_module = !self.has(Field::ModuleModel);
        }
        self
    }

    /// A column that turned up after the first rows (objects need not all have the same members).
    pub fn add(&mut self, index: usize, header: &str, mapping: Option<&Mapping>) {
        self.width = self.width.max(index.saturating_add(1));
        let field = match mapping.and_then(|m| m.field(header)) {
            Some((_, field)) => Some(field),
            None => match recognise(header) {
                Some(Known::Field(field, 2..)) if field.repeats() || !self.has(field) => Some(field),
                _ => None,
            },
        };
        match field {
            Some(field) if field != Field::Ignore => {
                let column = column_of(index, field, header, Order::Unclear);
                let at = self.columns.partition_point(|c| (c.field, !c.current, c.index) <= (column.field, !column.current, column.index));
                self.columns.insert(at, column);
            }
            _ => self.unused.push(header.trim().to_owned()),
        }
    }

    /// How many columns have been seen.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Whether a column holds the field.
    pub fn has(&self, field: Field) -> bool {
        self.columns.iter().any(|c| c.field == field)
    }

    /// Whether some column identifies the things or says what is in them.
    pub fn is_about_devices(&self) -> bool {
        self.columns.iter().any(|c| c.field.identifies())
            || [Field::ModuleModel, Field::ModuleFirmware, Field::FccId, Field::UsbId, Field::Chipset].into_iter().any(|f| self.has(f))
    }

    /// Whether any column is used at all.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty() && self.lots.as_ref().is_none_or(lots::Columns::is_empty)
    }

    /// The guess in words, for `inputs[].mapping`, and the problems of the table as a whole.
    pub fn announce(&self, at: At, out: &mut Observations) {
        if !self.traffic {
            for (index, head) in self.heads.iter().enumerate() {
                let field = self.columns.iter().find(|c| c.index == index).map(|c| c.field);
                out.head(head, field.map(|f| f.name().to_owned()));
            }
        }
        // Where a table has no header, or a wrong one, its heads are the cells of a row.
        let seen = || self.unused.iter().take(20).map(|u| head(u, 60)).collect::<Vec<_>>().join(", ");
        let more = if self.unused.len() > 20 { format!(" and {} more", self.unused.len().saturating_sub(20)) } else { String::new() };
        if self.traffic {
            out.problem(at, "a log of network traffic: its rows are conversations, not devices, and `umbilical watch`, which will read it, is not built yet");
        } else if self.is_empty() {
            out.problem(at, format!("no column is known; the table has {}{more}: {}", seen(), Mapping::advice("column")));
        } else if let Some(input) = out.inputs.last_mut() {
            let mut columns: Vec<&Column> = self.columns.iter().collect();
            columns.sort_by_key(|c| c.index);
            for line in columns.iter().map(|c| format!("{} → {}", head(&c.header, 80), self.label(c.field))) {
                let line = umbilical_core::text::clean(&line).into_owned();
                if !input.mapping.contains(&line) {
                    input.mapping.push(line);
                }
            }
            let mut rest = vec![format!("whole table → {}", self.witness.name())];
            if !self.unused.is_empty() {
                rest.insert(0, umbilical_core::text::clean(&format!("not used: {}{more}", seen())).into_owned());
            }
            for line in rest {
                if !input.mapping.contains(&line) {
                    input.mapping.push(line);
                }
            }
        }
        for name in &self.missing {
            out.problem(at, format!("the mapping file names a column `{}` that is not in this table", short(name, 60)));
        }
    }

    /// What is said when the rows have ended.
    pub fn finish(&self, out: &mut Observations) {
        if self.rounded > 0 {
            out.problem(
                At::WHOLE,
                format!(
                    "long numbers stand in rounded form, such as 4.90154E+14, in {}: their last digits are lost; export again with these columns formatted as text",
                    if self.rounded == 1 { "one cell".to_owned() } else { format!("{} cells", self.rounded) }
                ),
            );
        }
    }

    fn label(&self, field: Field) -> &'static str {
        match (field, self.witness) {
            (Field::Maker, Witness::Platform) => "manufacturer (declared)",
            (Field::Model, Witness::Platform) => "model (declared)",
            (Field::Maker, _) if self.plain_is_module => "module-manufacturer",
            (Field::Model, _) if self.plain_is_module => "module-model",
            (Field::Firmware, _) if self.plain_is_module => "module-firmware",
            (Field::Maker, _) => "host-manufacturer",
            (Field::Model, _) => "host-model",
            _ => field.name(),
        }
    }

    /// Reads one row into a record of its own.
    pub fn row<'c>(&mut self, at: At, cell: impl Fn(usize) -> &'c str, out: &mut Observations) {
        let mut record = out.record(at);
        self.fill(&mut record, at, cell);
    }

    /// Reads one row into the current part of a record.
    pub fn fill<'c>(&mut self, record: &mut Record<'_>, at: At, cell: impl Fn(usize) -> &'c str) {
        if let Some(lots) = &self.lots {
            lots.row(record, at, cell);
            return;
        }
        let Self { columns, witness, knowledge, plain_is_module, rounded, sim, pairs, .. } = self;
        let witness = *witness;
        let value_of = |columns: &[Column], field: Field| {
            columns.iter().find(|c| c.field == field).map(|c| unwrapped(cell(c.index))).filter(|v| !blank(v))
        };
        let (group, basis) = witness.of_identifiers();
        let (told, how) = witness.of_descriptions();
        // A row may say of itself that it is a modem, or its maker and model may be those of one.
        let open = !*plain_is_module && value_of(columns, Field::ModuleModel).is_none();
        let listed = open
            && matches!(
                (value_of(columns, Field::Maker), value_of(columns, Field::Model)),
                (Some(maker), Some(model)) if pairs.module(knowledge, maker, model)
            );
        let own = *plain_is_module || listed || (open && value_of(columns, Field::DeviceClass).is_some_and(is_modem_class));
        let (mut body, mut first): (Option<&'c str>, Option<&str>) = (None, None);
        let mut others: Vec<&'c str> = Vec::new();
        let (mut has_sim, mut has_name) = (false, false);
        for i in 0..columns.len() {
            let Some(column) = columns.get_mut(i) else { break };
            let value = unwrapped(cell(column.index));
            if blank(value) {
                continue;
            }
            if matches!(column.field, Field::Imei | Field::Iccid | Field::Imsi | Field::Msisdn | Field::Eid)
                && !value.bytes().all(|b| b.is_ascii_digit())
                && scientific(value)
            {
                *rounded = rounded.saturating_add(1);
                if *rounded <= 3 {
                    record.problem(
                        at,
                        format!("{} `{}`: digits are lost, a spreadsheet has rounded the number", column.field.name(), short(value, 20)),
                    );
                }
                continue;
            }
            match column.field {
                Field::Imei => match body {
                    None => {
                        record.imei(at, value, group, basis);
                        body = Some(value);
                        first = Some(if column.current { "now" } else { "" });
                    }
                    Some(known) if same_equipment(known, value) || others.iter().any(|o| same_equipment(o, value)) => {}
                    // Another modem of the same device: what its number says is said of it alone.
                    Some(_) if second(&column.header) => {
                        let here = record.current_part();
                        record.next_part().imei(at, value, group, basis).part(here);
                        others.push(value);
                    }
                    Some(known) => {
                        let what = if first == Some("now") {
                            format!("the SIM moved: it is in {} now and was last seen in {}", short(known, 20), short(value, 20))
                        } else {
                            format!(
                                "two IMEIs in one row: {} is used, {} in column `{}` is not",
                                short(known, 20),
                                short(value, 20),
                                short(&column.header, 40)
                            )
                        };
                        record.problem(at, what);
                        record.id(IdKind::ImeiUnusable, value);
                    }
                },
                // `sim1`, `slot 2`: which of the cards is in use, not its number.
                Field::Iccid if is_slot(value) => {}
                Field::Iccid => {
                    has_sim = true;
                    record.iccid(at, value);
                }
                Field::Imsi => {
                    if plain_digits(value, 14..=15) && matches!(value.as_bytes().first(), Some(b'2'..=b'7'))
                        || number::imsi(value).is_some()
                        || number::is_masked(value)
                    {
                        has_sim = true;
                        record.id(IdKind::Imsi, value);
                    } else {
                        record.problem(at, format!("`{}` is not an IMSI", short(value, 6)));
                    }
                }
                Field::Eid => match number::eid(value) {
                    Some((eid, check)) => {
                        has_sim = true;
                        if check == number::Check::Wrong {
                            record.problem(at, format!("EID {} fails its check digits", short(&eid, 6)));
                        }
                        record.id(IdKind::Eid, &eid);
                    }
                    None if number::is_masked(value) => {
                        record.id(IdKind::Eid, value);
                    }
                    None => record.problem(at, format!("`{}` is not an EID", short(value, 6))),
                },
                Field::Msisdn => {
                    if plain_digits(value, 5..=15) || number::is_masked(value) {
                        record.id(IdKind::Msisdn, value);
                    } else if let Some(digits) = number::msisdn(value) {
                        record.id(IdKind::Msisdn, &digits);
                    }
                }
                Field::Meid => {
                    let shape = (value.len() == 14 && value.bytes().all(|b| b.is_ascii_hexdigit())) || plain_digits(value, 18..=18);
                    if shape || plain_digits(value, 11..=11) {
                        record.id(IdKind::Meid, &value.to_ascii_uppercase());
                    }
                }
                Field::Mac => {
                    record.mac(at, value, told, how);
                }
                Field::Serial => {
                    let maker = value_of(columns, Field::HostMaker).or_else(|| value_of(columns, Field::Maker).filter(|_| !own || listed));
                    match maker {
                        Some(maker) => record.id(IdKind::Serial, &format!("{maker}|{value}")),
                        None => record.id(IdKind::Name, &format!("serial {value}")),
                    };
                }
                Field::AssetId => {
                    record.id(IdKind::AssetId, value);
                }
                Field::Name => {
                    if !has_name || !record_repeats(columns, i, value, &cell) {
                        record.id(IdKind::Name, value);
                    }
                    has_name = true;
                }
                Field::Vin => match number::vin(value) {
                    Some(vin) => {
                        record.id(IdKind::Vin, &vin);
                    }
                    None => record.problem(at, format!("`{}` is not a vehicle identification number", short(value, 20))),
                },
                Field::Udi => {
                    record.id(IdKind::Udi, value);
                }
                Field::Ip => {
                    for ip in value.split([' ', ';', ',']).take(4) {
                        let bare = ip.split('/').next().unwrap_or_default();
                        if bare.parse::<std::net::IpAddr>().is_ok_and(|ip| !ip.is_unspecified() && !ip.is_loopback()) {
                            record.id(IdKind::Ip, bare);
                        }
                    }
                }
                Field::Site => {
                    record.id(IdKind::Site, value);
                }
                Field::LastSeen => {
                    if let Some(day) = dates::parse(value, column.order) {
                        record.seen(day);
                    }
                }
                Field::Maker | Field::Model | Field::Firmware => {
                    let kind = match (column.field, witness) {
                        (Field::Firmware, _) if own => Some(Kind::FirmwareRevision),
                        // A router's own firmware says nothing of its module; a module's revision is known by its grammar.
                        (Field::Firmware, _) => None,
                        (Field::Maker, Witness::Platform) => Some(Kind::DeclaredMaker),
                        (Field::Model, Witness::Platform) => Some(Kind::DeclaredModel),
                        (Field::Maker, Witness::Register) if own => Some(Kind::DeclaredMaker),
                        (Field::Model, Witness::Register) if own => Some(Kind::DeclaredModel),
                        (Field::Maker, _) if own => Some(Kind::Manufacturer),
                        (Field::Model, _) if own => Some(Kind::Model),
                        (Field::Maker, _) => Some(Kind::HostMaker),
                        _ => Some(Kind::HostModel),
                    };
                    if let Some(memo) = column.memo.get_mut(usize::from(own)) {
                        let fact = memo.get(value, |v| match kind {
                            Some(kind) => record.intern(kind, v, told, how),
                            None if knowledge.matches(Scope::Revision, v).is_empty() => None,
                            None => record.intern(Kind::FirmwareRevision, v, told, how),
                        });
                        if let Some(fact) = fact {
                            record.known(fact);
                        }
                    }
                }
                Field::Text => {
                    let [memo, _] = &mut column.memo;
                    let fact = memo.get(value, |v| {
                        let names = !knowledge.models_in(v).is_empty()
                            || knowledge.brand_of(v).is_some()
                            || !knowledge.matches(Scope::Revision, v).is_empty();
                        if names { record.intern(Kind::Text, v, told, how) } else { None }
                    });
                    if let Some(fact) = fact {
                        record.known(fact);
                    }
                }
                Field::UsbId
                | Field::PciId
                | Field::FccId
                | Field::Chipset
                | Field::DeviceClass
                | Field::HostMaker
                | Field::HostModel
                | Field::ModuleMaker
                | Field::ModuleModel
                | Field::ModuleFirmware
                | Field::ModuleHardware => {
                    let declared = witness != Witness::OwnWord;
                    let kind = match column.field {
                        Field::UsbId => Kind::UsbId,
                        Field::PciId => Kind::PciId,
                        Field::FccId => Kind::FccId,
                        Field::Chipset => Kind::Chipset,
                        Field::DeviceClass => Kind::DeviceClass,
                        Field::HostMaker => Kind::HostMaker,
                        Field::HostModel => Kind::HostModel,
                        Field::ModuleMaker if declared => Kind::DeclaredMaker,
                        Field::ModuleMaker => Kind::Manufacturer,
                        Field::ModuleModel if declared => Kind::DeclaredModel,
                        Field::ModuleModel => Kind::Model,
                        Field::ModuleHardware => Kind::HardwareRevision,
                        _ => Kind::FirmwareRevision,
                    };
                    let [memo, _] = &mut column.memo;
                    let fact = memo.get(value, |v| match kind {
                        Kind::UsbId => usb_id(v).and_then(|id| record.intern(kind, &id, told, how)),
                        Kind::PciId => pci_id(v).and_then(|id| record.intern(kind, &id, told, how)),
                        _ => record.intern(kind, v, told, how),
                    });
                    if let Some(fact) = fact {
                        record.known(fact);
                    }
                }
                Field::Ignore => {}
            }
        }
        if has_sim {
            if sim.is_none() {
                *sim = record.intern(Kind::Cellular, "sim", group, basis);
            }
            if let Some(fact) = sim {
                record.known(*fact);
            }
        }
    }
}

/// Columns under the parent of an IMEI (`wan.imei`, `wan.model`) that are known by their last word alone: they are of the
/// equipment with that IMEI, and of a module where their values say so.
fn beside_imei<'a, V: Iterator<Item = &'a str>>(
    headers: &[String],
    candidates: &[(usize, Field, u8)],
    values: &impl Fn(usize) -> V,
    cx: &Context<'_>,
) -> Vec<(usize, Field, u8)> {
    let parent = |i: usize| headers.get(i).and_then(|h| h.rsplit_once('.'));
    let mut found = Vec::new();
    for (under, _) in candidates.iter().filter(|c| c.1 == Field::Imei).filter_map(|c| parent(c.0)) {
        let plain: Vec<(usize, Field)> = (0..headers.len())
            .filter(|i| !candidates.iter().any(|c| c.0 == *i))
            .filter_map(|i| match parent(i).filter(|(p, _)| *p == under).and_then(|(_, last)| recognise(last)) {
                Some(Known::Field(field @ (Field::Maker | Field::Model | Field::Firmware), 2..)) => Some((i, field)),
                _ => None,
            })
            .collect();
        let module = plain.iter().any(|(i, field)| {
            values(*i).any(|v| match field {
                Field::Model => !cx.knowledge.modules_named(v).is_empty(),
                Field::Firmware => !cx.knowledge.matches(Scope::Revision, v).is_empty(),
                _ => false,
            })
        });
        found.extend(plain.into_iter().map(|(i, field)| match field {
            Field::Maker if module => (i, Field::ModuleMaker, 2),
            Field::Model if module => (i, Field::ModuleModel, 2),
            Field::Firmware if module => (i, Field::ModuleFirmware, 2),
            plain => (i, plain, 2),
        }));
    }
    found
}

/// Whether the columns say that each row is a thing: an identifier, a part of a module, or a name beside what describes
/// devices.
fn rows_are_things(columns: &[Column]) -> bool {
    let has = |fields: &[Field]| columns.iter().any(|c| fields.contains(&c.field));
    let described = [Field::Maker, Field::Model, Field::HostMaker, Field::HostModel, Field::DeviceClass, Field::Site, Field::Ip];
    columns.iter().any(|c| c.field.identifies())
        || has(&[Field::ModuleMaker, Field::ModuleModel, Field::ModuleFirmware])
        || (has(&[Field::Maker, Field::HostMaker]) && has(&[Field::Model, Field::HostModel]))
        || (has(&[Field::Name]) && has(&described))
}

fn column_of(index: usize, field: Field, header: &str, order: Order) -> Column {
    let folded = fold(header);
    let current = field == Field::Imei && (folded.contains("current") || folded.contains("session") || folded.contains("aktuell"));
    Column { index, field, header: header.trim().to_owned(), current, order, memo: Default::default() }
}

/// Who speaks, by the company the columns keep.
fn witness(hints: &FxHashMap<Witness, u32>, has: &dyn Fn(Field) -> bool) -> Witness {
    let hint = |w| hints.get(&w).copied().unwrap_or(0);
    let weight = |list: &[(Field, u32)]| list.iter().filter(|(f, _)| has(*f)).map(|(_, n)| *n).fold(0, u32::saturating_add);
    let live = hint(Witness::OwnWord);
    let platform = hint(Witness::Platform) + weight(&[(Field::Imsi, 2), (Field::Iccid, 1), (Field::Msisdn, 1), (Field::Eid, 1)]);
    let register = hint(Witness::Register)
        + weight(&[
            (Field::AssetId, 3),
            (Field::Vin, 2),
            (Field::Udi, 2),
            (Field::Serial, 1),
            (Field::Site, 1),
            (Field::HostMaker, 1),
            (Field::Maker, 1),
        ]);
    let module = has(Field::ModuleFirmware) || has(Field::ModuleHardware);
    let kept = has(Field::AssetId) || hint(Witness::Register) >= 2;
    if live >= 2 || (live == 1 && !kept && hint(Witness::Platform) < 2) || (module && !kept) {
        Witness::OwnWord
    } else if platform > register || (platform == register && (has(Field::Imsi) || hint(Witness::Platform) > 0)) {
        Witness::Platform
    } else {
        Witness::Register
    }
}

/// `true`, `false`, `yes`, `no`: an answer, not an identifier.
fn truth(value: &str) -> bool {
    ["true", "false", "yes", "no", "y", "n", "0", "1", "on", "off", "enabled", "disabled"].iter().any(|w| value.eq_ignore_ascii_case(w))
}

/// A head as it may be printed: it may be the telephone number or the card of a first row.
fn head(text: &str, max: usize) -> String {
    let text = text.trim();
    let phone = text.len() >= 9 && text.bytes().all(|b| b.is_ascii_digit()) && identifier(text) != Some(Field::Imei);
    if phone { number::Shown(text).to_string() } else { short(&number::mask_numbers(text), max).into_owned() }
}

/// The name of a place for a card.
fn is_slot(value: &str) -> bool {
    let name = value.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, ' ' | '-' | '_' | '.' | '#'));
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let names =
        ["sim", "slot", "sim slot", "simslot", "sim_slot", "sim card", "simcard", "usim", "uicc", "esim", "euicc", "psim", "card", "modem"];
    digits <= 2 && names.iter().any(|n| name.eq_ignore_ascii_case(n))
}

/// Whether a cell means nothing; longer values than any such word are not compared.
fn blank(value: &str) -> bool {
    // No such word has a digit in it.
    value.is_empty() || (value.len() <= 24 && !value.bytes().any(|b| b.is_ascii_digit()) && is_blank(value))
}

fn plain_digits(value: &str, len: std::ops::RangeInclusive<usize>) -> bool {
    len.contains(&value.len()) && value.bytes().all(|b| b.is_ascii_digit())
}

fn same_equipment(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    match (number::imei(a), number::imei(b)) {
        (Imei::Whole { body: a, .. }, Imei::Whole { body: b, .. }) => a == b,
        (_, Imei::No | Imei::Placeholder) => true,
        _ => false,
    }
}

/// `imei2`, `second IMEI`: a device with two radios or card slots, not a contradiction.
fn second(header: &str) -> bool {
    let folded = fold(header);
    folded.ends_with('2') || folded.contains("second") || folded.contains("zweite") || folded.contains("slot")
}

/// Whether an earlier name column of the row says the same.
fn record_repeats<'c>(columns: &[Column], i: usize, value: &str, cell: &impl Fn(usize) -> &'c str) -> bool {
    columns.iter().take(i).any(|c| c.field == Field::Name && unwrapped(cell(c.index)) == value)
}

/// A class that says of a row that it is a cellular modem. A module alone may be one of inputs and outputs, of power,
/// of light; a modem alone one of a telephone line.
fn is_modem_class(class: &str) -> bool {
    let class = class.to_lowercase();
    let words: Vec<&str> = class.split(|c: char| !c.is_alphanumeric()).collect();
    let has = |list: &[&str]| list.iter().any(|w| words.contains(w));
    let holds = |list: &[&str]| list.iter().any(|w| class.contains(w));
    // Routers' own words for their cellular modems.
    if has(&["mdm", "wwan"]) {
        return true;
    }
    let modem = holds(&["modem", "module", "modul", "módem", "módulo", "moduł", "模块", "模组", "モジュール", "モデム", "модем", "модул"]);
    let short = ["lte", "2g", "3g", "4g", "5g", "gsm", "gprs", "umts", "hspa", "cdma", "nb", "nbiot", "ltem", "catm", "catm1"];
    // `M1` of `Cat-M1`, where `Cat` is a word of its own.
    let category = has(&["cat"]) && has(&["m", "m1", "m2", "nb1", "nb2", "1bis"]);
    let long = ["cellula", "celular", "cellulair", "mobil", "móvil", "movil", "komórk", "蜂窝", "移动", "セルラー", "携帯", "сотов"];
    modem && (has(&short) || category || holds(&long))
}

/// Groups of exactly four hex digits, in order: `USB\VID_2C7C&PID_0125`, `2c7c:0125`, `0x2C7C 0x0125`.
fn hex_groups(text: &str) -> Vec<String> {
    text.to_ascii_lowercase()
        .split(|c: char| !c.is_ascii_alphanumeric())
        .map(|w| w.trim_start_matches("0x"))
        .filter(|w| w.len() == 4 && w.bytes().all(|b| b.is_ascii_hexdigit()))
        .map(str::to_owned)
        .collect()
}

fn usb_id(text: &str) -> Option<String> {
    match hex_groups(text).as_slice() {
        [vid, pid, ..] => Some(format!("{vid}:{pid}")),
        _ => None,
    }
}

fn pci_id(text: &str) -> Option<String> {
    // Windows writes the subsystem as eight digits, device first: `PCI\VEN_17CB&DEV_0308&SUBSYS_52011234`.
    let lower = text.to_ascii_lowercase();
    let sub = lower.split("subsys_").nth(1).and_then(|s| Some((s.get(4..8)?.to_owned(), s.get(..4)?.to_owned())));
    match (hex_groups(text).as_slice(), sub) {
        ([vendor, device, ..], Some((sv, sd))) => Some(format!("{vendor}:{device}/{sv}:{sd}")),
        ([vendor, device, sv, sd, ..], None) => Some(format!("{vendor}:{device}/{sv}:{sd}")),
        ([vendor, device, ..], None) => Some(format!("{vendor}:{device}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_spreadsheets_do_to_numbers() {
        assert_eq!(unwrapped("=\"490154203237518\""), "490154203237518");
        assert_eq!(unwrapped("'490154203237518"), "490154203237518");
        assert!(scientific("4.90154E+14") && scientific("4,90154e+14") && scientific("8.98823E19"));
        assert!(!scientific("EC25EFAR06A11M4G") && !scientific("1E2") && !scientific("ME3630") && !scientific("490154203237518"));
    }

    #[test]
    fn places_for_cards_and_heads_that_are_values() {
        for text in ["sim1", "SIM 2", "slot-1", "esim", "modem0"] {
            assert!(is_slot(text), "{text}");
        }
        for text in ["", "1", "8988280666000000001", "sim 898828", "simple"] {
            assert!(!is_slot(text), "{text}");
        }
        assert_eq!(head("491711234567", 60), "49171…67");
        assert_eq!(head("+49 card 89882806660000000012", 60), "+49 card 89882…12");
        assert_eq!(head("490154203237518", 60), "490154203237518");
        assert_eq!(head(" Device name ", 6), "Device…");
    }

    #[test]
    fn bus_ids_of_every_spelling() {
        for text in ["2c7c:0125", "USB\\VID_2C7C&PID_0125&REV_0318", "0x2C7C/0x0125", "2C7C 0125"] {
            assert_eq!(usb_id(text).as_deref(), Some("2c7c:0125"), "{text}");
        }
        assert_eq!(pci_id("PCI\\VEN_17CB&DEV_0308&SUBSYS_520117CB").as_deref(), Some("17cb:0308/17cb:5201"));
        assert_eq!(pci_id("17cb:0308").as_deref(), Some("17cb:0308"));
    }

    #[test]
    fn which_classes_are_cellular_modems() {
        for class in
            ["LTE modem", "4G module", "mdm", "WWAN card", "cellular modem", "Mobilfunkmodul", "Modem NB-IoT", "Cat-M1 module", "蜂窝模块"]
        {
            assert!(is_modem_class(class), "{class}");
        }
        for class in [
            "module",
            "modem",
            "I/O module",
            "power module",
            "SFP module",
            "GPS module",
            "LoRa module",
            "fax modem",
            "DSL modem",
            "LTE router",
        ] {
            assert!(!is_modem_class(class), "{class}");
        }
    }

    #[test]
    fn makers_and_models_that_are_modules() {
        let kb = Knowledge::embedded();
        let mut pairs = Pairs::default();
        for (maker, model) in [
            ("Quectel", "EC25-E"),
            ("QUECTEL", "EC25EFA-512-STD"),
            ("Quectel Wireless Solutions", "EG91-E"),
            ("移远", "BG96"),
            ("Cinterion", "EHS6"),
        ] {
            assert!(pairs.module(&kb, maker, model) && pairs.module(&kb, maker, model), "{maker} {model}");
        }
        for (maker, model) in
            [("Dell", "Latitude 7440"), ("Siemens", "SM 1231"), ("Quectel", "LC86L"), ("Sierra Wireless", "RV50X"), ("", "EC25-E")]
        {
            assert!(!pairs.module(&kb, maker, model) && !pairs.module(&kb, maker, model), "{maker} {model}");
        }
    }

    #[test]
    fn headers_below_titles_and_tables_without_one() {
        let rows = |rows: &[&[&str]]| rows.iter().map(|r| r.iter().map(|c| (*c).to_owned()).collect()).collect::<Vec<Vec<String>>>();
        assert_eq!(
            header_row(&rows(&[&["Fleet report"], &[""], &["Name", "IMEI", "ICCID"], &["a", "490154203237518", ""]]), None),
            Some(2)
        );
        assert_eq!(header_row(&rows(&[&["490154203237518"], &["490154203237526"]]), None), None);
        assert_eq!(header_row(&rows(&[&["a", "b", "c"], &["1", "2", "3"]]), None), Some(0));
    }
}
