//! Invented numbers with right check digits.

use umbilical_core::number::{Imei, luhn_digit};

/// A 15-digit IMEI of a type allocation code; serials below 1,000,000.
pub fn imei(tac: u32, serial: u32) -> String {
    Imei::canonical(&imei14(tac, serial))
}

/// The same without its check digit, as some platforms write it.
pub fn imei14(tac: u32, serial: u32) -> String {
    format!("{tac:08}{:06}", serial % 1_000_000)
}

/// The 16-digit form with a software version in place of the check digit.
pub fn imeisv(tac: u32, serial: u32, version: u32) -> String {
    format!("{}{:02}", imei14(tac, serial), version % 100)
}

/// An IMEI whose check digit is wrong, as a person mistypes it.
pub fn mistyped_imei(tac: u32, serial: u32) -> String {
    let right = imei(tac, serial);
    let (body, last) = right.split_at(14);
    let last = last.parse::<u32>().unwrap_or(0);
    format!("{body}{}", (last + 1) % 10)
}

/// A 20-digit ICCID under country code 888, which no operator of SIM cards has.
pub fn iccid(n: u64) -> String {
    let body = format!("89888000{:011}", n % 100_000_000_000);
    let check = luhn_digit(&body).unwrap_or(0);
    format!("{body}{check}")
}

/// An IMSI of the test network 001/01.
pub fn imsi(n: u64) -> String {
    format!("00101{:010}", n % 10_000_000_000)
}

/// A telephone number under country code 888.
pub fn msisdn(n: u64) -> String {
    format!("+88800{:08}", n % 100_000_000)
}

/// An EID with its ISO 7064 mod 97-10 check digits.
pub fn eid(n: u64) -> String {
    let body = format!("89888000{:022}", n);
    let rest = format!("{body}00").bytes().fold(0u32, |r, b| (r * 10 + u32::from(b - b'0')) % 97);
    format!("{body}{:02}", 98 - rest)
}

/// A MAC address under a 24-bit prefix written `AABBCC`.
pub fn mac(prefix: &str, n: u32) -> String {
    let hex = format!("{prefix}{:06x}", n & 0xff_ffff).to_lowercase();
    let pairs: Vec<&str> = (0..6).filter_map(|i| hex.get(2 * i..2 * i + 2)).collect();
    pairs.join(":")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use umbilical_core::number::{self, Check};

    proptest! {
        #[test]
        fn check_digits_are_right_or_wrong_as_meant(tac in 35_000_000u32..36_000_000, serial in 0u32..1_000_000, n in any::<u64>()) {
            let check = |text: &str| match number::imei(text) { Imei::Whole { check, .. } => Some(check), _ => None };
            // A run of equal or counting digits is a placeholder to any reader.
            prop_assume!(check(&imei(tac, serial)).is_some());
            prop_assert_eq!(check(&imei(tac, serial)), Some(Check::Right));
            prop_assert_eq!(check(&mistyped_imei(tac, serial)), Some(Check::Wrong));
            prop_assert_eq!(number::iccid(&iccid(n)).map(|c| c.check), Some(Check::Right));
            prop_assert_eq!(number::eid(&eid(n)).map(|e| e.1), Some(Check::Right));
            prop_assert!(number::imsi(&imsi(n)).is_some());
            prop_assert!(number::msisdn(&msisdn(n)).is_some());
        }
    }

    #[test]
    fn addresses() {
        assert_eq!(mac("A4D4B2", 258), "a4:d4:b2:00:01:02");
    }
}
