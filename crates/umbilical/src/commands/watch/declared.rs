//! `--sessions`: who had which address when, as an operator has it in a table.

use std::fs::File;
use std::io;
use std::net::IpAddr;
use std::path::Path;

use umbilical_core::Observations;
use umbilical_core::observation::{At, Input};
use umbilical_core::text::clean;
use umbilical_evidence::Source;
use umbilical_evidence::table::leases::{Found, Lease, leases};
use umbilical_traffic::cellular::Ue;
use umbilical_traffic::cellular::sessions::Declared;
use umbilical_traffic::time::Micros;

use super::tables::Table;
use crate::fail::Fail;

/// The format of its input.
pub const FORMAT: &str = "sessions";

/// Gives each row of a table to `each`; rows that cannot be are among what the table is told with.
pub fn read(path: &Path, each: &mut dyn FnMut(Declared)) -> Result<Table, Fail> {
    let fail = |source| Fail::Input { path: path.to_path_buf(), source };
    let file: Box<dyn io::Read> =
        if path.as_os_str() == "-" { Box::new(io::stdin().lock()) } else { Box::new(File::open(path).map_err(fail)?) };
    let mut source = Source::new(file).map_err(fail)?;
    let mut all = Observations::new();
    // The digest is known behind the last row.
    all.begin_input(&clean(&path.display().to_string()), FORMAT, String::new(), 0);
    let mut rows = 0u64;
    let found = leases(&mut source, &mut |row| match row {
        Ok(lease) => {
            rows = rows.saturating_add(1);
            each(declared(lease));
        }
        Err((n, what)) => all.problem(At::row(n), what),
    });
    let Found::Leases(mapping) = found.map_err(fail)? else {
        let what = format!(
            "{}: no heads of a table of sessions: a SIM or module (imsi, iccid, imei, msisdn) and its address (ip)",
            path.display()
        );
        return Err(Fail::usage(what, "name the columns, for example: imsi,imei,apn,ip,start,end"));
    };
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

fn declared(lease: Lease) -> Declared {
    let ue = |(address, bits): (IpAddr, u8)| match address {
        // A network behind a module has a shorter prefix.
        IpAddr::V4(v4) => Ue::v6(v4.to_ipv6_mapped().octets(), bits.saturating_add(96)),
        IpAddr::V6(v6) => Ue::v6(v6.octets(), bits),
    };
    let Lease { imsi, iccid, imei, msisdn, apn, addresses, from, to, .. } = lease;
    let ue = addresses.into_iter().map(ue).collect();
    Declared { imsi, iccid, imei, msisdn, apn, ue, from: from.map(Micros), to: to.map(Micros) }
}
