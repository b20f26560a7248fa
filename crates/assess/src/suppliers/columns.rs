//! Which column of a reply is which, whatever became of the headings.

use umbilical_core::answer::suppliers::{PART_COLUMNS, Sheet};
use umbilical_core::text::squash;

/// What stands in front of a key in the row of keys.
pub(super) const MARK: char = '#';

/// The columns of the questions: key, and the words that a heading may have for it.
pub(super) const QUESTION_COLUMNS: [(&str, &[&str]); 11] = [
    ("id", &["id", "no", "nr", "number", "question id", "编号", "序号"]),
    ("question", &["question", "frage", "pregunta", "domanda", "问题"]),
    ("section", &["section", "abschnitt", "rubrique", "sección"]),
    ("why", &["why we ask", "why", "warum", "pourquoi", "por qué", "为什么"]),
    ("field", &["field", "feld", "champ", "campo"]),
    ("status", &["status", "état", "estado", "stato", "状态"]),
    ("answer", &["answer", "your answer", "antwort", "réponse", "respuesta", "risposta", "reply", "response", "答案", "回答", "答复"]),
    ("reason", &["reason if withheld", "reason", "grund", "begründung", "raison", "motivo", "razón", "原因", "理由"]),
    (
        "evidence",
        &["evidence attached", "evidence", "attachment", "nachweis", "beleg", "anlage", "preuve", "prueba", "evidencia", "证据", "附件"],
    ),
    ("who", &["who answers", "who", "answered by", "name", "wer antwortet", "qui répond", "quién responde", "填写人"]),
    ("date", &["date", "day", "datum", "fecha", "data", "日期"]),
];

/// Where each column of a list stands; in the order of the list.
pub(super) struct Found {
    pub at: Vec<Option<usize>>,
    /// The number of the last row of headings; what follows is content. `None` where there are none.
    pub below: Option<u32>,
    /// Whether a row of keys or at least two headings told.
    pub told: bool,
}

impl Found {
    pub fn cell<'r>(&self, row: &'r [String], column: usize) -> &'r str {
        self.at.get(column).copied().flatten().and_then(|c| row.get(c)).map_or("", |c| c.trim())
    }
}

/// How many rows of a sheet may stand above its headings.
const LOOKED_AT: usize = 60;

pub(super) fn questions(sheet: &Sheet) -> Found {
    find(sheet, &QUESTION_COLUMNS.map(|(key, words)| (key, words.to_vec())))
}

pub(super) fn parts(sheet: &Sheet) -> Found {
    let columns: Vec<(&str, Vec<&str>)> =
        PART_COLUMNS.iter().map(|c| (c.key, [c.title].into_iter().chain(more(c.key).iter().copied()).collect())).collect();
    find(sheet, &columns)
}

/// Other headings of the columns for parts.
fn more(key: &str) -> &'static [&'static str] {
    match key {
        "our_ref" => &["our ref", "reference", "ref"],
        "designators" => &["designator", "refdes", "bezeichner"],
        "function" => &["funktion", "fonction", "función", "功能"],
        "part_maker" => &["part maker", "maker", "manufacturer", "hersteller", "fabricant", "fabricante", "制造商", "厂商", "品牌"],
        "maker_part_number" => &["maker part number", "mpn", "manufacturer part number", "herstellernummer", "型号", "料号"],
        "fg_part_number" => &["fg part number", "finished good part number"],
        "version" => &["version/hash", "version / hash", "hash", "revision", "版本"],
        "site_country" => {
            &["site country", "country of manufacture", "country of origin", "herstellungsland", "ursprungsland", "pays", "原产国", "产地"]
        }
        "tier" => &["tier", "stufe", "层级"],
        "alternates" => &["alternate", "alternatives", "替代料"],
        "chipset" => &["chip", "baseband", "芯片"],
        "memory" => &["speicher", "mémoire", "memoria", "存储"],
        "firmware_supplier" => &["firmware supplier", "firmware"],
        "fcc_id" => &["fcc", "fccid"],
        "certification" => &["certificates", "certification", "认证"],
        "remote_update" => &["remote update", "ota", "fota"],
        "signer" => &["signed by", "signatur"],
        "end_of_life" => &["eol", "end of life", "停产"],
        _ => &[],
    }
}

fn find(sheet: &Sheet, columns: &[(&str, Vec<&str>)]) -> Found {
    let mut found = Found { at: vec![None; columns.len()], below: None, told: false };
    let top = sheet.rows.iter().take(LOOKED_AT);
    // The row of keys decides; a heading only speaks for a column that no key names.
    let keys = top.clone().find(|(_, row)| row.iter().filter(|c| key(c, columns).is_some()).count() >= 2);
    if let Some((n, row)) = keys {
        for (at, cell) in row.iter().enumerate() {
            if let Some(slot) = key(cell, columns).and_then(|c| found.at.get_mut(c)) {
                slot.get_or_insert(at);
            }
        }
        found.below = Some(*n);
        found.told = true;
    }
    let heads = top.map(|(n, row)| (n, row, score(row, columns))).max_by_key(|(n, _, score)| (*score, std::cmp::Reverse(**n)));
    if let Some((n, row, score)) = heads.filter(|(_, _, score)| *score >= 2) {
        for loose in [false, true] {
            for (at, cell) in row.iter().enumerate() {
                let column = if found.at.contains(&Some(at)) { None } else { heading(cell, columns, loose) };
                if let Some(slot) = column.and_then(|c| found.at.get_mut(c)) {
                    slot.get_or_insert(at);
                }
            }
        }
        found.below = Some(found.below.map_or(*n, |b| b.max(*n)));
        found.told = found.told || score >= 2;
    }
    found
}

fn key(cell: &str, columns: &[(&str, Vec<&str>)]) -> Option<usize> {
    let name = cell.trim().trim_start_matches('\'').strip_prefix(MARK)?.trim();
    columns.iter().position(|(key, _)| key.eq_ignore_ascii_case(name))
}

fn score(row: &[String], columns: &[(&str, Vec<&str>)]) -> usize {
    row.iter().filter(|c| heading(c, columns, false).is_some()).count()
}

/// The column that a heading names: by all its letters, or loosely by holding a long word of it.
fn heading(cell: &str, columns: &[(&str, Vec<&str>)], loose: bool) -> Option<usize> {
    if cell.chars().count() > 80 {
        return None;
    }
    let cell = squash(cell);
    if cell.is_empty() {
        return None;
    }
    let is = |name: &str| {
        let name = squash(name);
        if loose { name.chars().count() >= 5 && cell.contains(&name) } else { cell == name }
    };
    columns.iter().position(|(key, words)| is(key) || words.iter().any(|w| is(w)))
}
