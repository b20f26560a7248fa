//! `--sms`: short messages, as an operator has them on record. What they said is not looked at.

use std::fs::File;
use std::io;
use std::path::Path;

use umbilical_core::Observations;
use umbilical_core::observation::{At, Input};
use umbilical_core::text::clean;
use umbilical_evidence::Source;
use umbilical_evidence::table::messages::{Found, messages};
use umbilical_traffic::lists::Messages;
use umbilical_traffic::time::Micros;

use super::tables::Table;
use crate::fail::Fail;

/// The format of its input.
pub const FORMAT: &str = "messages";

/// Takes a table of messages; rows that cannot be are among what it is told with.
pub(super) fn read(path: &Path, to: &mut Messages) -> Result<Table, Fail> {
    let fail = |source| Fail::Input { path: path.to_path_buf(), source };
    let file: Box<dyn io::Read> =
        if path.as_os_str() == "-" { Box::new(io::stdin().lock()) } else { Box::new(File::open(path).map_err(fail)?) };
    let mut source = Source::new(file).map_err(fail)?;
    let mut all = Observations::new();
    // The digest is known behind the last row.
    all.begin_input(&clean(&path.display().to_string()), FORMAT, String::new(), 0);
    let (mut rows, mut beyond) = (0_u64, 0_u64);
    let found = messages(&mut source, &mut |row| match row {
        Ok(message) => {
            rows = rows.saturating_add(1);
            let room = message.is_none_or(|m| to.put(&m.to, m.from.as_deref(), Micros(m.at)));
            beyond = beyond.saturating_add(u64::from(!room));
        }
        Err((n, what)) => all.problem(At::row(n), what),
    });
    let Found::Messages(mapping) = found.map_err(fail)? else {
        let what = format!(
            "{}: no heads of a table of short messages: who got them (imsi, iccid, imei, msisdn, to) and when (time)",
            path.display()
        );
        return Err(Fail::usage(what, "name the columns, for example: time,imsi,direction,from"));
    };
    to.close();
    if beyond > 0 {
        all.problem(At::WHOLE, format!("there is room for 1048576 messages: {beyond} more are not looked at"));
    }
    if let Some(line) = source.broken() {
        all.problem(At::line(line), "the text is not in one encoding from here on: such lines are read as windows-1252");
    }
    let (sha256, bytes) = source.finish().map_err(fail)?;
    let told = std::mem::take(&mut all.problems);
    let problems = told.into_iter().map(|p| (all.locate(p.at), p.what)).collect();
    let begun = all.inputs.pop();
    let path = begun.map(|input| input.path).unwrap_or_default();
    Ok(Table { input: Input { path, format: FORMAT.to_owned(), sha256, observations: rows, bytes, mapping }, problems })
}
