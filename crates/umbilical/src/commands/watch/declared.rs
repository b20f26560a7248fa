//! `--sessions`: who had which address when, as an operator has it in a table.

use std::net::IpAddr;
use std::path::Path;

use umbilical_core::observation::At;
use umbilical_evidence::table::leases::{Lease, leases};
use umbilical_traffic::cellular::Ue;
use umbilical_traffic::cellular::sessions::Declared;
use umbilical_traffic::time::Micros;

use super::tables::{Table, table};
use crate::fail::Fail;

/// The format of its input.
pub const FORMAT: &str = "sessions";

/// Gives each row of a table to `each`; rows that cannot be are among what the table is told with.
pub fn read(path: &Path, each: &mut dyn FnMut(Declared)) -> Result<Table, Fail> {
    let no_heads = ("sessions: a SIM or module (imsi, iccid, imei, msisdn) and its address (ip)", "imsi,imei,apn,ip,start,end");
    table(path, FORMAT, no_heads, |source, all| {
        let mut rows = 0_u64;
        let mapping = leases(source, &mut |row| match row {
            Ok(lease) => {
                rows = rows.saturating_add(1);
                each(declared(lease));
            }
            Err((n, what)) => all.problem(At::row(n), what),
        })?;
        Ok(mapping.map(|mapping| (rows, mapping)))
    })
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
