//! Lines as a workbook. Every cell is text and guarded, since the sheet may be saved as CSV by a program that computes.
//!
//! Rows go to a temporary file as they come, so that a large fleet needs no memory for them; a sheet ends before the last row
//! that spreadsheets have, and the next one has the same heads.

use std::io::{self, Write};

use rust_xlsxwriter::{Color, DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};
use umbilical_core::answer::Device;
use umbilical_core::answer::rows::{COLUMNS, Fleet, of};

/// Rows of one sheet, heads included: spreadsheets have 1,048,576.
const ROWS: u32 = 1_000_000;

/// Writes a workbook.
pub struct Xlsx<'a> {
    out: &'a mut dyn Write,
    book: Workbook,
    as_of: String,
    row: u32,
    sheet: usize,
}

impl<'a> Xlsx<'a> {
    /// A workbook with its first sheet.
    ///
    /// # Errors
    /// No temporary file can be made.
    pub fn new(out: &'a mut dyn Write, as_of: &str) -> io::Result<Self> {
        let mut book = Workbook::new();
        let mut properties = DocProperties::new().set_title("Umbilical: devices and their modules");
        // The writer would put the time of its making into the file.
        if let Ok(day) = ExcelDateTime::parse_from_str(as_of) {
            properties = properties.set_creation_datetime(&day);
        }
        book.set_properties(&properties);
        let mut this = Self { out, book, as_of: as_of.to_owned(), row: 0, sheet: 0 };
        this.begin().map_err(other)?;
        Ok(this)
    }

    fn begin(&mut self) -> Result<(), XlsxError> {
        self.sheet = self.book.worksheets().len();
        let sheet = self.book.add_worksheet_with_constant_memory()?;
        sheet.set_name(if self.sheet == 0 { "Devices".to_owned() } else { format!("Devices {}", self.sheet.saturating_add(1)) })?;
        sheet.set_freeze_panes(1, 1)?;
        let head = Format::new().set_bold().set_background_color(Color::RGB(0x001F_3B57)).set_font_color(Color::White);
        for (column, (name, _)) in (0u16..).zip(COLUMNS) {
            sheet.set_column_width(column, 18)?;
            sheet.write_string_with_format(0, column, name, &head)?;
        }
        self.row = 1;
        Ok(())
    }

    fn sheet(&mut self) -> Result<&mut Worksheet, XlsxError> {
        self.book.worksheet_from_index(self.sheet)
    }

    fn line(&mut self, cells: &[String]) -> Result<(), XlsxError> {
        if self.row >= ROWS {
            self.begin()?;
        }
        let row = self.row;
        let sheet = self.sheet()?;
        for (column, cell) in (0u16..).zip(cells) {
            if !cell.is_empty() {
                sheet.write_string(row, column, cell)?;
            }
        }
        self.row = row.saturating_add(1);
        Ok(())
    }
}

fn other(error: XlsxError) -> io::Error {
    io::Error::other(error.to_string())
}

impl Fleet for Xlsx<'_> {
    fn device(&mut self, device: &Device) -> io::Result<()> {
        let rows: Vec<Vec<String>> = of(device, &self.as_of).map(|row| row.cells().iter().map(|c| c.sheet()).collect()).collect();
        for cells in rows {
            self.line(&cells).map_err(|error| match error {
                XlsxError::MaxStringLengthExceeded => {
                    io::Error::other(format!("{}: a cell is longer than a workbook can hold; csv, jsonl and parquet can", device.id))
                }
                error => other(error),
            })?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        let packed = self.book.save_to_buffer().map_err(other)?;
        self.out.write_all(&packed)?;
        self.out.flush()
    }
}
