//! Lines on a terminal. Everything written passes through one place that takes out whatever could steer it.

use std::io::{self, Write};

use comfy_table::{Cell, CellAlignment, Color, ContentArrangement, Table, presets};
use umbilical_core::text::clean;

use crate::{View, say};

/// How text is shown where colour is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Bold,
    Dim,
    Good,
    Note,
    Warn,
    Bad,
}

impl Tone {
    fn code(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Bold => Some("1"),
            Self::Dim => Some("2"),
            Self::Good => Some("32"),
            Self::Note => Some("36"),
            Self::Warn => Some("33"),
            Self::Bad => Some("31"),
        }
    }

    /// Of a cell that begins with a word of confidence, severity or state.
    pub fn of(text: &str) -> Self {
        match text.split([' ', ',']).next().unwrap_or_default() {
            "confirmed" | "evidence" => Self::Good,
            "probable" => Self::Note,
            "possible" | "unknown" | "medium" => Self::Warn,
            "high" | "critical" => Self::Bad,
            "hint" | "absent" | "info" => Self::Dim,
            _ => Self::Plain,
        }
    }
}

/// A page of text.
pub struct Page<'a> {
    out: &'a mut dyn Write,
    width: usize,
    color: bool,
}

impl<'a> Page<'a> {
    pub fn new(out: &'a mut dyn Write, view: &View) -> Self {
        Self { out, width: view.width.max(40), color: view.color }
    }

    /// The only writer of text: cleaned, then coloured.
    fn put(&mut self, indent: usize, tone: Tone, text: &str) -> io::Result<()> {
        let text = clean(text);
        let text = text.trim_end();
        match tone.code().filter(|_| self.color && !text.is_empty()) {
            Some(code) => writeln!(self.out, "{:indent$}\u{1b}[{code}m{text}\u{1b}[0m", ""),
            None if text.is_empty() => writeln!(self.out),
            None => writeln!(self.out, "{:indent$}{text}", ""),
        }
    }

    /// An empty line.
    pub fn gap(&mut self) -> io::Result<()> {
        self.put(0, Tone::Plain, "")
    }

    /// A heading with an empty line before it.
    pub fn heading(&mut self, text: &str) -> io::Result<()> {
        self.gap()?;
        self.hanging(0, 2, Tone::Bold, text)
    }

    /// A paragraph, wrapped; lines after the first are indented by `hang` more.
    pub fn hanging(&mut self, indent: usize, hang: usize, tone: Tone, text: &str) -> io::Result<()> {
        let text = clean(text);
        let room = self.width.saturating_sub(indent.saturating_add(hang));
        for (number, line) in say::wrap(&text, room).into_iter().enumerate() {
            self.put(if number == 0 { indent } else { indent.saturating_add(hang) }, tone, &line)?;
        }
        Ok(())
    }

    /// A paragraph, wrapped.
    pub fn para(&mut self, indent: usize, tone: Tone, text: &str) -> io::Result<()> {
        self.hanging(indent, 0, tone, text)
    }

    /// A name and its value in a column.
    pub fn field(&mut self, indent: usize, name: &str, value: &str) -> io::Result<()> {
        if value.is_empty() {
            return Ok(());
        }
        self.hanging(indent, 2, Tone::Plain, &format!("{name}: {value}"))
    }

    /// A table without lines, aligned by what characters occupy; columns whose header begins with `#` are numbers.
    pub fn table(&mut self, header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> io::Result<()> {
        let mut table = Table::new();
        let room = u16::try_from(self.width.saturating_sub(2)).unwrap_or(u16::MAX);
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(room);
        let right = |at: usize| header.get(at).is_some_and(|h| h.starts_with('#'));
        table.set_header(header.iter().enumerate().map(|(at, h)| self.cell(h.trim_start_matches('#'), right(at), Tone::Dim)));
        for row in rows {
            table.add_row(row.iter().enumerate().map(|(at, text)| self.cell(text, right(at), Tone::of(text))).collect::<Vec<_>>());
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        if self.color {
            table.enforce_styling()
        } else {
            table.force_no_tty()
        };
        // Cells are cleaned before they are laid out, so the only escapes here are the table's own.
        for line in table.lines() {
            writeln!(self.out, "  {}", line.trim_end())?;
        }
        Ok(())
    }

    fn cell(&self, text: &str, right: bool, tone: Tone) -> Cell {
        let text = clean(text);
        let text = if text.is_empty() { "–".into() } else { text };
        let cell = Cell::new(text).set_alignment(if right { CellAlignment::Right } else { CellAlignment::Left });
        match tone {
            _ if !self.color => cell,
            Tone::Plain | Tone::Bold => cell,
            Tone::Dim => cell.fg(Color::DarkGrey),
            Tone::Good => cell.fg(Color::Green),
            Tone::Note => cell.fg(Color::Cyan),
            Tone::Warn => cell.fg(Color::Yellow),
            Tone::Bad => cell.fg(Color::Red),
        }
    }
}
