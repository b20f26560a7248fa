//! Reading back the closed vocabularies that documents carry as `&'static str`: a word is one of ours or an error.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, de::Error};

use crate::finding::{CODES, Code};
use crate::observation::{Group, IdKind, Kind};

/// A word of a closed vocabulary. An alias, so that derived readers do not take it for borrowed input.
pub type Word = &'static str;

/// Words of documents that are no kind, group or code.
const OTHERS: &[&str] = &[
    "umbilical.audit/1",
    "maker",
    "brand",
    "dongle",
    "handset",
    "router",
    "other",
    "device",
    "module",
    "part",
    "file",
    "session",
    "flow",
    "host",
    "intent",
    "organisation",
    "identity",
    "rule",
    "detector",
    "image",
    "bom",
    "containment",
    "pass",
    "fail",
    "review",
    "unknown",
    "patchable",
    "not-patchable",
    "surveillance",
    "exfiltration",
    "disruption",
];

fn known(text: &str) -> Option<&'static str> {
    let groups = [Group::OwnWord, Group::Network, Group::Document, Group::Image, Group::Traffic, Group::Person];
    let all = groups.into_iter().map(Group::name).chain(OTHERS.iter().copied()).chain(CODES.iter().map(|c| c.0));
    all.chain(Kind::ALL.iter().map(|k| k.name())).chain(IdKind::ALL.iter().map(|k| k.name())).find(|w| *w == text)
}

/// One word.
pub(crate) fn word<'de, D: Deserializer<'de>>(d: D) -> Result<&'static str, D::Error> {
    let text = String::deserialize(d)?;
    known(&text).ok_or_else(|| D::Error::custom(format!("`{text}` is no word of this format: was it written by a newer version?")))
}

/// The code of a finding: one of ours as it is, or the id of a rule.
pub(crate) fn code<'de, D: Deserializer<'de>>(d: D) -> Result<Code, D::Error> {
    let text = String::deserialize(d)?;
    Ok(CODES.iter().find(|c| c.0 == text).map_or(Cow::Owned(text), |c| Cow::Borrowed(c.0)))
}

/// A word or null.
pub(crate) fn optional<'de, D: Deserializer<'de>>(d: D) -> Result<Option<&'static str>, D::Error> {
    let text = Option::<String>::deserialize(d)?;
    text.map(|t| known(&t).ok_or_else(|| D::Error::custom(format!("`{t}` is no word of this format")))).transpose()
}

/// A list of words.
pub(crate) fn list<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<&'static str>, D::Error> {
    let texts = Vec::<String>::deserialize(d)?;
    texts.iter().map(|t| known(t).ok_or_else(|| D::Error::custom(format!("`{t}` is no word of this format")))).collect()
}
