//! What an earlier answer said, on its way back in: an export that is read again restores its claims as they were stated.
//!
//! A statement is one fact of the kind [`Kind::Earlier`](crate::Kind), written as `WORD CONFIDENCE BASIS TEXT` with `-` for
//! what it has not: `claim-model 0.9731 inferred EC25-E`. Its group is `document` and its own basis `declared`, whatever basis
//! it repeats: a file is all that is known of it. It is never added to other evidence, which may be what it was made of.

use std::fmt;

use crate::observation::Basis;
use crate::words::Word;

/// The words of statements: of the device, then of the module of the same part.
const WORDS: [&str; 26] = [
    "cellular",
    "host-brand",
    "host-model",
    "product",
    "product-brand",
    "product-model",
    "next",
    "finding",
    "module",
    "number",
    "brand",
    "maker",
    "model",
    "sold-as",
    "variant",
    "family",
    "chipset",
    "rat",
    "firmware",
    "claim-variant",
    "claim-model",
    "claim-family",
    "claim-maker",
    "claim-brand",
    "claim-silicon",
    "claim-cellular",
];

/// One statement.
#[derive(Clone, Debug, PartialEq)]
pub struct Stated<'a> {
    /// What about: one of a closed list.
    pub word: Word,
    /// 0–1, where it has one.
    pub confidence: Option<f64>,
    /// The basis that the answer gave; never `alleged`, which is not restored.
    pub basis: Option<Basis>,
    /// What.
    pub text: &'a str,
}

impl<'a> Stated<'a> {
    /// A statement without confidence or basis; nothing where the word is none of ours.
    pub fn new(word: &str, text: &'a str) -> Option<Self> {
        let word = WORDS.into_iter().find(|w| *w == word)?;
        (!text.is_empty()).then_some(Self { word, confidence: None, basis: None, text })
    }

    /// The statement with a confidence.
    #[must_use]
    pub fn sure(self, confidence: f64) -> Self {
        Self { confidence: Some(crate::weight::round4(confidence.clamp(0.0, 1.0))), ..self }
    }

    /// The statement with a basis.
    #[must_use]
    pub fn on(self, basis: Basis) -> Self {
        Self { basis: Some(basis), ..self }
    }

    /// Reads a statement back.
    pub fn parse(value: &'a str) -> Option<Self> {
        let mut fields = value.splitn(4, ' ');
        let (word, confidence, basis, text) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        let mut out = Self::new(word, text)?;
        out.confidence = confidence.parse().ok().filter(|c: &f64| (0.0..=1.0).contains(c));
        out.basis = Basis::from_name(basis);
        Some(out)
    }
}

impl fmt::Display for Stated<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word)?;
        match self.confidence {
            Some(confidence) => write!(f, " {confidence}")?,
            None => f.write_str(" -")?,
        }
        write!(f, " {} {}", self.basis.map_or("-", Basis::name), self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stated_is_read_back() {
        for stated in [
            Stated::new("claim-model", "EC25-E  - x").unwrap().sure(0.973_11).on(Basis::Inferred),
            Stated::new("next", "`lsusb -v`").unwrap(),
            Stated::new("cellular", "yes").unwrap().sure(1.0),
        ] {
            assert_eq!(Stated::parse(&stated.to_string()), Some(stated));
        }
        assert_eq!(
            Stated::new("claim-model", "EC25").unwrap().sure(0.973_11).on(Basis::Inferred).to_string(),
            "claim-model 0.9731 inferred EC25"
        );
        assert_eq!((Stated::new("opinion", "x"), Stated::new("maker", "")), (None, None));
        assert_eq!(Stated::parse("maker 1.5 - x").unwrap().confidence, None);
    }
}
