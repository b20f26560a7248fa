//! Numbers of cards and subscribers among what a document says beside its parts: an inventory of a living host names them.

use umbilical_core::number::{Shown, iccid, mask_numbers};
use umbilical_core::text::squash;

/// Covers them in properties, as every other answer does.
pub(super) fn cover(properties: &mut [(Box<str>, Box<str>)]) {
    for (name, value) in properties {
        if let Some(covered) = covered(name, value) {
            *value = covered.into();
        }
    }
}

fn covered(name: &str, value: &str) -> Option<String> {
    // No number of a card or a subscriber has fewer, letters aside.
    if value.bytes().filter(u8::is_ascii_digit).count() < 6 {
        return None;
    }
    const SAYS: &[&str] = &["ICCID", "IMSI", "SUPI", "MSISDN", "OWNNUMBER", "PHONENUMBER", "TELEPHONE", "SUBSCRIBER"];
    let name = squash(name);
    let numbers =
        || value.split(|c: char| !(c.is_ascii_alphanumeric() || c == '+')).filter(|w| w.bytes().filter(u8::is_ascii_digit).count() >= 7);
    if SAYS.iter().any(|word| name.contains(word)) {
        // Several numbers may stand in one value.
        return Some(numbers().fold(value.to_owned(), |text, number| text.replace(number, &Shown(number).to_string())));
    }
    if iccid(value).is_some() {
        return Some(Shown(value).to_string());
    }
    // Whole members of a document are kept as text: any number may stand in them.
    let nested = name.starts_with("JSON") && mask_numbers(value) != value;
    nested.then(|| mask_numbers(value).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_cards_and_subscribers_are_covered_and_nothing_else() {
        let is = |name: &str, value: &str| covered(name, value).unwrap_or_else(|| value.to_owned());
        assert_eq!(is("cdx:hbom:iccid", "89490200001234567892"), "89490…92");
        assert_eq!(
            is("cdx:hbom:ownNumbers", "491701234567, +491701234568"),
            "49170…67, +49170…68".replace("+49170…68", &Shown("+491701234568").to_string())
        );
        assert_eq!(is("SIM", "89490200001234567892"), "89490…92");
        for (name, value) in [
            ("hash:SHA-256", "9f86d081884c7d65912345678901234a"),
            ("cdx:hbom:imei", "490154203237518"),
            ("GTIN", "04012345678901"),
            ("Voltage", "3.3"),
        ] {
            assert_eq!(is(name, value), value, "{name}");
        }
    }
}
