//! The questionnaire as a workbook that a purchasing officer is glad to send.
//!
//! Every cell is written as text and guarded, since the reply may be saved as CSV by a program that computes what looks like
//! a formula. Below the headings stands a grey row of keys (`#answer`): columns may be moved and headings translated.

use rust_xlsxwriter::{
    Color, DataValidation, DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError,
};
use umbilical_core::answer::suppliers::{Asked, PART_COLUMNS, Questionnaire, Status};

use crate::csv::guarded;

/// Heading, key, width in characters, whether the supplier fills it in.
const QUESTIONS: [(&str, &str, f64, bool); 10] = [
    ("Id", "id", 8.0, false),
    ("Question", "question", 52.0, false),
    ("Why we ask", "why", 38.0, false),
    ("Field", "field", 18.0, false),
    ("Status", "status", 15.0, true),
    ("Answer", "answer", 44.0, true),
    ("Reason if withheld", "reason", 28.0, true),
    ("Evidence attached", "evidence", 24.0, true),
    ("Who answers", "who", 18.0, true),
    ("Date", "date", 12.0, true),
];

/// How many rows for further parts have a place.
const SPARE_PARTS: u32 = 20;

struct Formats {
    title: Format,
    head: Format,
    key: Format,
    section: Format,
    text: Format,
    input: Format,
    plain: Format,
}

impl Formats {
    fn new() -> Self {
        let wrapped = || Format::new().set_text_wrap().set_align(FormatAlign::Top);
        let boxed = |f: Format| f.set_border(FormatBorder::Thin).set_border_color(Color::RGB(0x00C8_CDD2));
        Self {
            title: Format::new().set_bold().set_font_size(14),
            head: boxed(wrapped().set_bold().set_background_color(Color::RGB(0x001F_3B57)).set_font_color(Color::White)),
            key: Format::new().set_font_size(8).set_font_color(Color::RGB(0x0096_9DA4)),
            section: Format::new().set_bold().set_background_color(Color::RGB(0x00E6_EBF0)),
            text: boxed(wrapped()),
            input: boxed(wrapped().set_background_color(Color::RGB(0x00FF_FBE6))),
            plain: wrapped(),
        }
    }
}

/// Writes the workbook: the same bytes for the same questionnaire.
///
/// # Errors
/// The questionnaire does not fit into a workbook.
pub fn workbook(q: &Questionnaire) -> Result<Vec<u8>, String> {
    build(q).map_err(|e| e.to_string())
}

fn build(q: &Questionnaire) -> Result<Vec<u8>, XlsxError> {
    let formats = Formats::new();
    let mut book = Workbook::new();
    let mut properties = DocProperties::new().set_title(guarded(&title(q))).set_subject(&q.questionnaire);
    // The writer would put the time of its making into the file.
    if let Ok(day) = ExcelDateTime::parse_from_str(&q.as_of) {
        properties = properties.set_creation_datetime(&day);
    }
    book.set_properties(&properties);
    read_me(book.add_worksheet().set_name("Read me")?, q, &formats)?;
    questions(book.add_worksheet().set_name("Questions")?, q, &formats)?;
    parts(book.add_worksheet().set_name("Parts")?, q, &formats)?;
    about(book.add_worksheet().set_name("About")?, q, &formats)?;
    book.save_to_buffer()
}

fn title(q: &Questionnaire) -> String {
    let due = q.due.as_deref().map(|d| format!(", please by {d}")).unwrap_or_default();
    format!("Questions to {} about {}{due}", q.supplier, q.device)
}

fn read_me(sheet: &mut Worksheet, q: &Questionnaire, formats: &Formats) -> Result<(), XlsxError> {
    sheet.set_column_width(0, 110.0)?;
    sheet.write_string_with_format(0, 0, guarded(&title(q)), &formats.title)?;
    sheet.write_string_with_format(1, 0, guarded(&q.template.title), &formats.plain)?;
    sheet.write_string_with_format(3, 0, "How to answer", &formats.section)?;
    let mut row = 4;
    for sentence in &q.how_to_answer {
        sheet.write_string_with_format(row, 0, guarded(sentence), &formats.plain)?;
        row += 1;
    }
    sheet.write_string_with_format(row + 1, 0, "Where the questions come from", &formats.section)?;
    sheet.write_string_with_format(row + 2, 0, guarded(&q.template.source), &formats.plain)?;
    Ok(())
}

/// The first row carries the id: a sheet that is saved by itself is still known.
fn first_rows(sheet: &mut Worksheet, q: &Questionnaire, formats: &Formats, heads: &[(&str, &str, f64)]) -> Result<(), XlsxError> {
    sheet.write_string_with_format(0, 0, &q.questionnaire, &formats.key)?;
    sheet.write_string_with_format(0, 1, guarded(&title(q)), &formats.title)?;
    for (column, (head, key, width)) in (0u16..).zip(heads) {
        sheet.set_column_width(column, *width)?;
        sheet.write_string_with_format(1, column, *head, &formats.head)?;
        sheet.write_string_with_format(2, column, format!("#{key}"), &formats.key)?;
    }
    sheet.set_freeze_panes(3, 2)?;
    sheet.set_landscape();
    sheet.set_print_fit_to_pages(1, 0);
    sheet.set_repeat_rows(1, 1)?;
    Ok(())
}

fn questions(sheet: &mut Worksheet, q: &Questionnaire, formats: &Formats) -> Result<(), XlsxError> {
    let heads = QUESTIONS.map(|(head, key, width, _)| (head, key, width));
    first_rows(sheet, q, formats, &heads)?;
    let statuses = [Status::Disclosed, Status::Withheld, Status::Unknown, Status::NotApplicable].map(Status::name);
    let choose = DataValidation::new()
        .allow_list_strings(&statuses)?
        .set_input_title("Status")?
        .set_input_message("disclosed, withheld (with a reason), unknown or not-applicable")?
        .set_error_title("Status")?
        .set_error_message("Please choose disclosed, withheld, unknown or not-applicable")?;
    let mut row = 3u32;
    let mut section = "";
    for question in &q.questions {
        if question.section != section {
            section = &question.section;
            for column in 0..10u16 {
                sheet.write_blank(row, column, &formats.section)?;
            }
            sheet.write_string_with_format(row, 1, guarded(section), &formats.section)?;
            row += 1;
        }
        for (column, (_, key, _, input)) in (0u16..).zip(&QUESTIONS) {
            let format = if *input { &formats.input } else { &formats.text };
            sheet.write_string_with_format(row, column, guarded(cell(question, key)), format)?;
        }
        sheet.add_data_validation(row, 4, row, 4, &choose)?;
        row += 1;
    }
    Ok(())
}

fn cell<'q>(question: &'q Asked, key: &str) -> &'q str {
    let filled = |cell: &'q Option<String>| cell.as_deref().unwrap_or_default();
    match key {
        "id" => &question.id,
        "question" => &question.question,
        "why" => &question.why,
        "field" => filled(&question.field),
        "status" => filled(&question.status),
        "answer" => filled(&question.answer),
        "reason" => filled(&question.reason),
        "evidence" => filled(&question.evidence),
        "who" => filled(&question.who),
        _ => filled(&question.date),
    }
}

fn parts(sheet: &mut Worksheet, q: &Questionnaire, formats: &Formats) -> Result<(), XlsxError> {
    let heads = PART_COLUMNS.map(|c| (c.title, c.key, 20.0));
    first_rows(sheet, q, formats, &heads)?;
    sheet.set_column_width(0, 14.0)?;
    let mut row = 3u32;
    for part in &q.parts {
        for (column, text) in (0u16..).zip(&part.cells) {
            let format = if text.is_empty() { &formats.input } else { &formats.text };
            sheet.write_string_with_format(row, column, guarded(text), format)?;
        }
        row += 1;
    }
    for spare in 0..SPARE_PARTS {
        for column in (0u16..).take(PART_COLUMNS.len()) {
            sheet.write_blank(row + spare, column, &formats.input)?;
        }
    }
    Ok(())
}

/// Key, value, what it is. Keys are never translated.
fn about(sheet: &mut Worksheet, q: &Questionnaire, formats: &Formats) -> Result<(), XlsxError> {
    let asked: Vec<&str> = q.questions.iter().map(|a| a.id.as_str()).collect();
    let tiers: Vec<&str> = q.tiers.iter().map(|t| t.name()).collect();
    let rows: [(&str, String, &str); 10] = [
        ("schema", q.schema.to_owned(), "the form of this document"),
        ("questionnaire", q.questionnaire.clone(), "your reply is known by this: please leave it here"),
        ("template", q.template.id.clone(), "the form of the questions"),
        ("template_version", q.template.version.to_string(), "its version"),
        ("supplier", q.supplier.clone(), "who is asked"),
        ("device", q.device.clone(), "about what"),
        ("due", q.due.clone().unwrap_or_default(), "by when"),
        ("made_out", q.as_of.clone(), "when the questions were made out"),
        ("tiers", tiers.join("; "), "the tiers of the supply chain that are asked about"),
        ("questions", asked.join("; "), "the questions that are asked"),
    ];
    sheet.set_column_width(0, 20.0)?;
    sheet.set_column_width(1, 60.0)?;
    sheet.set_column_width(2, 50.0)?;
    for (row, (key, value, what)) in (0u32..).zip(&rows) {
        sheet.write_string_with_format(row, 0, format!("#{key}"), &formats.key)?;
        sheet.write_string_with_format(row, 1, guarded(value), &formats.plain)?;
        sheet.write_string_with_format(row, 2, *what, &formats.key)?;
    }
    Ok(())
}
