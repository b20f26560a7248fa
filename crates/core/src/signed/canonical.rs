//! JSON that has one spelling: the JSON Canonicalization Scheme (RFC 8785), and a strict reading in front of it.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Number, Value};

/// Reads JSON of which every reader makes the same: a name that stands twice in one object is an error, because readers
/// differ in which of the two they take, and so is nesting beyond 128 levels.
///
/// # Errors
/// What is wrong, with line and column.
pub fn parse(text: &[u8]) -> Result<Value, String> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut from = serde_json::Deserializer::from_slice(text);
    let value = Strict.deserialize(&mut from).and_then(|value| from.end().map(|()| value));
    value.map_err(|e| e.to_string())
}

struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number out of range"))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = from.next_element_seed(Strict)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = from.next_key::<String>()? {
            let value = from.next_value_seed(Strict)?;
            match map.entry(name) {
                Entry::Vacant(entry) => drop(entry.insert(value)),
                Entry::Occupied(entry) => {
                    return Err(A::Error::custom(format!("the name `{}` stands twice in one object", entry.key())));
                }
            }
        }
        Ok(Value::Object(map))
    }
}

/// The canonical bytes of a value: no white space, names in the order of their UTF-16 code units, numbers as ECMAScript
/// writes them.
pub fn bytes(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    write(value, &mut out);
    out
}

fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(yes) => out.extend_from_slice(if *yes { b"true" } else { b"false" }),
        // Every number of JSON text is a double here, whole ones beyond 2^53 too: so the scheme has it.
        Value::Number(n) => out.extend_from_slice(number(n.as_f64().unwrap_or_default()).as_bytes()),
        Value::String(text) => string(text, out),
        Value::Array(items) => {
            out.push(b'[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write(item, out);
            }
            out.push(b']');
        }
        Value::Object(map) => members(map.iter().map(|(name, value)| (&**name, value)).collect(), out),
    }
}

/// The canonical bytes of an object that has these members.
pub fn object<'a>(of: impl IntoIterator<Item = (&'a str, &'a Value)>) -> Vec<u8> {
    let mut out = Vec::new();
    members(of.into_iter().collect(), &mut out);
    out
}

fn members(mut all: Vec<(&str, &Value)>, out: &mut Vec<u8>) {
    all.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
    out.push(b'{');
    for (i, (name, value)) in all.into_iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        string(name, out);
        out.push(b':');
        write(value, out);
    }
    out.push(b'}');
}

/// The escapes of the scheme are the shortest ones, lower-case, and only where JSON demands one: what this library
/// writes. Writing into memory cannot fail.
fn string(text: &str, out: &mut Vec<u8>) {
    let _ = serde_json::to_writer(out, text);
}

/// A number as ECMAScript writes it (`Number::toString`): the shortest digits that read back as the same double.
fn number(value: f64) -> String {
    if value == 0.0 {
        return "0".into(); // minus zero too
    }
    let shortest = format!("{:e}", value.abs());
    let digits_of = |text: &str| text.bytes().take_while(|b| *b != b'e').filter(u8::is_ascii_digit).count();
    // Where several numbers of so many digits read back as the same double, ECMAScript takes the nearest, and of two
    // equally near the even one.
    let nearest = format!("{:.*e}", digits_of(&shortest).saturating_sub(1), value.abs());
    let text = if nearest.parse() == Ok(value.abs()) { nearest } else { shortest };
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let digits: String = mantissa.chars().filter(|c| *c != '.').collect();
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    // The decimal point stands behind so many digits.
    let point = exponent.parse::<i32>().unwrap_or_default().saturating_add(1);
    let zeros = |n: i32| "0".repeat(usize::try_from(n).unwrap_or_default());
    let split = |at: i32| digits.split_at_checked(usize::try_from(at).unwrap_or_default()).unwrap_or((&digits, ""));
    let sign = if value < 0.0 { "-" } else { "" };
    if count <= point && point <= 21 {
        format!("{sign}{digits}{}", zeros(point.saturating_sub(count)))
    } else if 0 < point && point <= 21 {
        let (whole, part) = split(point);
        format!("{sign}{whole}.{part}")
    } else if -6 < point && point <= 0 {
        format!("{sign}0.{}{digits}", zeros(point.saturating_neg()))
    } else {
        let power = point.saturating_sub(1);
        let (first, rest) = split(1);
        let dot = if rest.is_empty() { "" } else { "." };
        format!("{sign}{first}{dot}{rest}e{}{}", if power < 0 { '-' } else { '+' }, power.unsigned_abs())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn canonical(text: &str) -> String {
        String::from_utf8(bytes(&parse(text.as_bytes()).unwrap())).unwrap()
    }

    #[test]
    fn numbers_as_in_appendix_b_of_rfc_8785() {
        for (bits, text) in [
            (0x0000_0000_0000_0000u64, "0"),
            (0x8000_0000_0000_0000, "0"),
            (0x0000_0000_0000_0001, "5e-324"),
            (0x8000_0000_0000_0001, "-5e-324"),
            (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
            (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"),
            (0x4340_0000_0000_0000, "9007199254740992"),
            (0xc340_0000_0000_0000, "-9007199254740992"),
            (0x4430_0000_0000_0000, "295147905179352830000"),
            (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
            (0x44b5_2d02_c7e1_4af6, "1e+23"),
            (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
            (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
            (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
            (0x444b_1ae4_d6e2_ef50, "1e+21"),
            (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
            (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
            (0x41b3_de43_5555_5553, "333333333.3333332"),
            (0x41b3_de43_5555_5554, "333333333.33333325"),
            (0x41b3_de43_5555_5555, "333333333.3333333"),
            (0x41b3_de43_5555_5556, "333333333.3333334"),
            (0x41b3_de43_5555_5557, "333333333.33333343"),
            (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
            (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
        ] {
            assert_eq!(number(f64::from_bits(bits)), text, "{bits:016x}");
        }
    }

    #[test]
    fn the_example_of_section_3_2_2() {
        let given = r#"{
            "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
            "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
            "literals": [null, true, false]
        }"#;
        let wanted =
            r#"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}"#;
        assert_eq!(canonical(given), wanted);
    }

    #[test]
    fn names_are_ordered_by_utf_16_units() {
        // Section 3.2.3: a letter beyond the first plane stands before U+FB33, though its scalar value is greater.
        let given = "{\"\\u20ac\":1,\"\\r\":2,\"\\ufb33\":3,\"1\":4,\"\\ud83d\\ude00\":5,\"\\u0080\":6,\"\\u00f6\":7}";
        assert_eq!(canonical(given), "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"ö\":7,\"€\":1,\"😀\":5,\"\u{fb33}\":3}");
    }

    #[test]
    fn two_readers_cannot_differ() {
        assert!(parse(br#"{"a":1,"a":2}"#).unwrap_err().contains("`a` stands twice"));
        assert!(parse(br#"{"a":1,"\u0061":2}"#).is_err(), "spelled differently, named alike");
        assert!(parse(br#"["\ud800"]"#).is_err(), "half a character");
        assert!(parse(b"1e400").is_err() && parse(b"{} {}").is_err() && parse(b"[\"\xff\"]").is_err());
        assert!(parse("[".repeat(100_000).as_bytes()).is_err(), "bounded nesting");
        assert_eq!(parse(b"\xef\xbb\xbf[]").unwrap(), Value::Array(vec![]));
    }

    proptest! {
        #[test]
        fn a_number_reads_back_as_the_same_double(bits: u64) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite());
            prop_assert_eq!(number(value).parse::<f64>().unwrap(), value);
            prop_assert_eq!(canonical(&number(value)), number(value));
        }
    }
}
