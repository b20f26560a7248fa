//! Who can say what a name leads to: the part of it that somebody registered.
//!
//! What may be registered, and below what, is the Public Suffix List (publicsuffix.org), as the crate `psl` has it compiled in. Two
//! labels from the end would be wrong for `co.uk`, and would put everybody who rents a name below a cloud's own into one zone.

use psl::Type;

/// Below what a zone stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suffix {
    /// A registry's, where anybody registers: `com`, `co.uk`.
    Registry,
    /// Somebody's who rents out names below his own: `duckdns.org`, `cloudfront.net`.
    Rented,
    /// Nobody's in public: `lan`.
    Unknown,
}

/// A name in its two parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zoned<'a> {
    /// What whoever owns the zone may choose freely, without the dot behind it; may be empty.
    pub below: &'a str,
    /// The registered name.
    pub zone: &'a str,
    /// Its first label.
    pub label: &'a str,
    /// Below what it stands.
    pub suffix: Suffix,
}

/// The parts of a name in lower case; `None` where nothing in it is registered.
pub fn of(name: &str) -> Option<Zoned<'_>> {
    let domain = psl::domain(name.as_bytes())?;
    let suffix = match domain.suffix().typ() {
        Some(Type::Icann) => Suffix::Registry,
        Some(Type::Private) => Suffix::Rented,
        None => Suffix::Unknown,
    };
    let at = name.len().checked_sub(domain.as_bytes().len())?;
    let zone = name.get(at..).filter(|zone| !zone.starts_with('.'))?;
    let below = name.get(..at)?.trim_end_matches('.');
    Some(Zoned { below, zone, label: zone.split('.').next()?, suffix })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_where_they_are_registered() {
        for (name, below, zone, suffix) in [
            ("a.b.example.com", "a.b", "example.com", Suffix::Registry),
            ("example.co.uk", "", "example.co.uk", Suffix::Registry),
            ("x.y.mine.duckdns.org", "x.y", "mine.duckdns.org", Suffix::Rented),
            ("a1b2.cloudfront.net", "", "a1b2.cloudfront.net", Suffix::Rented),
            ("printer.site.lan", "printer", "site.lan", Suffix::Unknown),
        ] {
            let zoned = of(name).unwrap();
            assert_eq!((zoned.below, zoned.zone, zoned.suffix), (below, zone, suffix), "{name}");
        }
        for name in ["", ".", "..", "com", "co.uk", "localhost", "duckdns.org"] {
            assert_eq!(of(name), None, "{name}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_name_breaks_it(name in "([a-z0-9._\u{fffd}ß-]{0,12}\\.?){0,8}") {
            if let Some(zoned) = of(&name) {
                proptest::prop_assert!(name.ends_with(zoned.zone) && name.starts_with(zoned.below) && zoned.zone.starts_with(zoned.label));
            }
        }
    }
}
