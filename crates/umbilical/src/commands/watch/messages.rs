//! `--sms`: short messages, as an operator has them on record. What they said is not looked at.

use std::path::Path;

use umbilical_core::observation::At;
use umbilical_evidence::table::messages::messages;
use umbilical_traffic::lists::Messages;
use umbilical_traffic::time::Micros;

use super::tables::{Table, table};
use crate::fail::Fail;

/// The format of its input.
pub const FORMAT: &str = "messages";

/// Takes a table of messages; rows that cannot be are among what it is told with.
pub(super) fn read(path: &Path, to: &mut Messages) -> Result<Table, Fail> {
    let no_heads = ("short messages: who got them (imsi, iccid, imei, msisdn, to) and when (time)", "time,imsi,direction,from");
    table(path, FORMAT, no_heads, |source, all| {
        let (mut rows, mut beyond) = (0_u64, 0_u64);
        let mapping = messages(source, &mut |row| match row {
            Ok(message) => {
                rows = rows.saturating_add(1);
                let room = message.is_none_or(|m| to.put(&m.to, m.from.as_deref(), Micros(m.at)));
                beyond = beyond.saturating_add(u64::from(!room));
            }
            Err((n, what)) => all.problem(At::row(n), what),
        })?;
        to.close();
        if beyond > 0 {
            all.problem(At::WHOLE, format!("there is room for {} messages: {beyond} more are not looked at", Messages::MOST));
        }
        Ok(mapping.map(|mapping| (rows, mapping)))
    })
}
