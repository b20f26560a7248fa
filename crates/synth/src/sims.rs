//! A SIM platform's export of any length: what an operator of a large fleet has to begin with.

use std::io::{self, Write};

use umbilical_knowledge::Knowledge;

use crate::Rng;

/// The header of the export.
pub const HEADER: &str = "imei,iccid,imsi,msisdn,name,status,rate plan,apn,last seen,ip";

/// Type allocation codes that no open table knows: for them a reader can only answer "unknown".
const INVENTED_TACS: u32 = 60;

const STATUS: &[&str] = &["ACTIVATED", "ACTIVATED", "ACTIVATED", "ACTIVATED", "ACTIVATED", "ACTIVATED", "DEACTIVATED", "TEST_READY"];
const PLANS: &[&str] = &["M2M 5 MB pooled", "M2M 50 MB", "IoT 500 MB EU", "NB-IoT 10 years", "Router 20 GB"];
const APNS: &[&str] = &["iot.test", "scada.test", "m2m.private.test", "fleet.test"];
const KINDS: &[&str] = &["meter", "rtu", "tracker", "router", "pump", "camera", "lift", "vending"];

/// Ten digits and their weights in Luhn's sum when they stand at an even place from the right.
const DOUBLED: [u8; 10] = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9];

/// Writes the header and `rows` rows. The same seed gives the same bytes. Of the rows about 60 % carry a type
/// allocation code that the knowledge base has learned, 1.5 % an IMEI with covered digits, 1 % a placeholder, 1 % a
/// mistyped one, 1 % none; some have 14 or 16 digits. No IMEI occurs twice.
pub fn export(rows: u64, seed: u64, out: &mut impl Write) -> io::Result<()> {
    let mut rng = Rng::new(seed);
    let mut tacs: Vec<u32> = Knowledge::embedded().tac_learned().iter().map(|row| row.tac).collect();
    tacs.dedup();
    let invented = 35_990_000..35_990_000 + INVENTED_TACS;
    tacs.extend(invented.filter(|tac| !Knowledge::embedded().tac_learned().iter().any(|row| row.tac == *tac)));
    rng.shuffle(&mut tacs);
    // A few models are common, many are rare: a share of 1/(rank + 8).
    let mut total = 0u32;
    let cumulative: Vec<u32> = (0..tacs.len() as u32)
        .map(|rank| {
            total += 1_000_000 / (rank + 8);
            total
        })
        .collect();
    let mut serials = vec![0u32; tacs.len()];

    writeln!(out, "{HEADER}")?;
    let mut line: Vec<u8> = Vec::with_capacity(256);
    for n in 0..rows {
        line.clear();
        let at = rng.below(total);
        let which = cumulative.partition_point(|c| *c <= at).min(tacs.len() - 1);
        let (tac, count) = (tacs[which], serials[which]);
        serials[which] += 1;
        // 7919 shares no factor with a million: a million different serials before the first returns.
        let serial = (u64::from(count) * 7919 + 20_000) % 1_000_000;
        write_imei(&mut line, u64::from(tac) * 1_000_000 + serial, &mut rng);
        line.extend_from_slice(b",89888000");
        let start = line.len() - 8;
        digits(&mut line, n, 11);
        let check = luhn(&line[start..]);
        line.push(check);
        line.extend_from_slice(b",00101");
        digits(&mut line, n, 10);
        line.extend_from_slice(b",88800");
        digits(&mut line, n, 8);
        let kind = KINDS[which % KINDS.len()];
        line.push(b',');
        line.extend_from_slice(kind.as_bytes());
        line.push(b'-');
        digits(&mut line, n, 8);
        for word in [*rng.pick(STATUS), PLANS[which % PLANS.len()], APNS[which % APNS.len()]] {
            line.push(b',');
            line.extend_from_slice(word.as_bytes());
        }
        let moment = rng.bits();
        line.extend_from_slice(b",2026-");
        digits(&mut line, moment % 9 + 1, 2);
        line.push(b'-');
        digits(&mut line, (moment >> 8) % 28 + 1, 2);
        line.push(b'T');
        digits(&mut line, (moment >> 16) % 24, 2);
        line.push(b':');
        digits(&mut line, (moment >> 24) % 60, 2);
        line.extend_from_slice(b":00Z,10.");
        for (i, shift) in [16u32, 8, 0].into_iter().enumerate() {
            if i > 0 {
                line.push(b'.');
            }
            let octet = (n >> shift) & 0xff;
            let width = if octet >= 100 {
                3
            } else if octet >= 10 {
                2
            } else {
                1
            };
            digits(&mut line, octet, width);
        }
        line.push(b'\n');
        out.write_all(&line)?;
    }
    out.flush()
}

fn write_imei(line: &mut Vec<u8>, body: u64, rng: &mut Rng) {
    let start = line.len();
    match rng.below(1000) {
        0..15 => {
            digits(line, body / 1_000_000, 8);
            line.extend_from_slice(b"*******");
        }
        15..20 => line.extend_from_slice(b"000000000000000"),
        20..25 => line.extend_from_slice(b"123456789012345"),
        25..35 => {}
        35..45 => {
            digits(line, body, 14);
            let right = luhn(&line[start..]);
            line.push(if right == b'9' { b'0' } else { right + 1 });
        }
        45..60 => digits(line, body, 14),
        60..70 => {
            digits(line, body, 14);
            line.extend_from_slice(b"01");
        }
        _ => {
            digits(line, body, 14);
            let check = luhn(&line[start..]);
            line.push(check);
        }
    }
}

/// The last `width` decimal digits of a number.
fn digits(line: &mut Vec<u8>, mut n: u64, width: usize) {
    let start = line.len();
    line.resize(start + width, b'0');
    for slot in line[start..].iter_mut().rev() {
        *slot = b'0' + (n % 10) as u8;
        n /= 10;
    }
}

fn luhn(body: &[u8]) -> u8 {
    let mut sum = 0u32;
    for (place, byte) in body.iter().rev().enumerate() {
        let digit = byte - b'0';
        sum += u32::from(if place % 2 == 0 { DOUBLED[usize::from(digit)] } else { digit });
    }
    b'0' + ((10 - sum % 10) % 10) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use umbilical_core::number::{self, Check, Imei, luhn_digit};

    fn text(rows: u64, seed: u64) -> String {
        let mut out = Vec::new();
        export(rows, seed, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_seed_fixes_the_bytes() {
        assert_eq!(text(200, 7), text(200, 7));
        assert_ne!(text(200, 7), text(200, 8));
    }

    #[test]
    fn the_rows_are_what_a_reader_expects() {
        let text = text(20_000, 1);
        let known: HashSet<u32> = Knowledge::embedded().tac_learned().iter().map(|r| r.tac).collect();
        let (mut seen, mut whole, mut named, mut masked, mut placeholder, mut wrong) = (HashSet::new(), 0, 0, 0, 0, 0);
        for row in text.lines().skip(1) {
            let cells: Vec<&str> = row.split(',').collect();
            assert_eq!(cells.len(), HEADER.split(',').count(), "{row}");
            assert_eq!(number::iccid(cells[1]).map(|c| c.check), Some(Check::Right), "{row}");
            assert!(number::imsi(cells[2]).is_some() && number::msisdn(cells[3]).is_some(), "{row}");
            match number::imei(cells[0]) {
                Imei::Whole { check: Check::Wrong, .. } => wrong += 1,
                Imei::Whole { body, tac, .. } => {
                    assert!(seen.insert(body), "twice: {row}");
                    whole += 1;
                    named += usize::from(known.contains(&tac));
                }
                Imei::Masked { tac } => {
                    assert!(tac.is_some());
                    masked += 1;
                }
                Imei::Placeholder => placeholder += 1,
                Imei::No => assert!(cells[0].is_empty(), "{row}"),
            }
        }
        assert!((18_500..19_500).contains(&whole) && (10_000..16_000).contains(&named), "{whole} {named}");
        assert!(masked > 200 && placeholder > 100 && wrong > 100, "{masked} {placeholder} {wrong}");
        assert_eq!(luhn(b"26053179311383"), b'0' + luhn_digit("26053179311383").unwrap() as u8);
    }
}
