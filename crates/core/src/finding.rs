//! One type of finding for everything: law, traffic, firmware, host, bill of materials, identity, containment.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::observation::Basis;
use crate::words::Word;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Look when there is time.
    Low,
    /// Look this week.
    Medium,
    /// Look today.
    High,
    /// Look now.
    Critical,
}

impl Severity {
    /// The word in every output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// What a finding is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Subject {
    /// `device`, `module`, `part`, `file`, `session`, `flow`, `host`, `intent`, `organisation`.
    #[serde(deserialize_with = "crate::words::word")]
    pub kind: Word,
    /// Its id.
    pub id: String,
}

/// The name of a kind of finding: one of [`CODES`], or the id of a rule of law or of the house.
pub type Code = Cow<'static, str>;

/// Something noteworthy, with what makes it so and what would clear it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// `fnd-` and 12 hex digits.
    pub id: String,
    /// Which kind; a rule's id where `source` is `rule`.
    #[serde(deserialize_with = "crate::words::code")]
    pub code: Code,
    /// `identity`, `rule`, `detector`, `image`, `host`, `bom`, `containment`.
    #[serde(deserialize_with = "crate::words::word")]
    pub source: Word,
    /// About what.
    pub subject: Subject,
    /// `pass`, `fail`, `review`, `unknown` for rules, checks and proofs; `null` for the rest.
    #[serde(deserialize_with = "crate::words::optional")]
    pub verdict: Option<Word>,
    /// How bad.
    pub severity: Severity,
    /// 0–1.
    pub confidence: f64,
    /// How it is known.
    pub basis: Basis,
    /// Whether software can mend it.
    #[serde(deserialize_with = "crate::words::word")]
    pub lifecycle: Word,
    /// Of `surveillance`, `exfiltration`, `disruption`.
    #[serde(deserialize_with = "crate::words::list")]
    pub threats: Vec<Word>,
    /// First seen, RFC 3339; `null` = not dated.
    pub first: Option<String>,
    /// Last seen.
    pub last: Option<String>,
    /// What makes it so, in sentences with their places.
    pub because: Vec<String>,
    /// What helps, the least restrictive first; `["none"]` when nothing does.
    pub remedies: Vec<String>,
    /// What would clear it.
    pub clears_when: String,
    /// By source.
    pub detail: serde_json::Value,
}

impl Finding {
    /// What it says in one line: what its code means, or the title of its rule; the code itself where neither is known.
    pub fn meaning(&self) -> &str {
        let title = || self.detail.get("title").and_then(serde_json::Value::as_str).filter(|_| self.source == "rule");
        CODES.iter().find(|(code, _)| *code == self.code).map(|(_, line)| *line).or_else(title).unwrap_or(&self.code)
    }

    /// Whether somebody has accepted it in writing, until a day that has not passed (`detail.waiver`).
    pub fn is_accepted(&self) -> bool {
        let waiver = self.detail.get("waiver");
        waiver.is_some_and(|w| w.get("expired").and_then(serde_json::Value::as_bool) == Some(false))
    }

    /// The order of every list: the worst first, then by code and id.
    pub fn worst_first(&self, other: &Self) -> Ordering {
        (other.severity, &self.code, &self.id).cmp(&(self.severity, &other.code, &other.id))
    }
}

/// The codes that detectors of traffic raise, in the order in which they stand in [`CODES`].
pub const DETECTED: &[&str] = &[
    "scan",
    "beacon",
    "dns-tunnel",
    "dga",
    "indicator",
    "identity-change",
    "core-abuse",
    "device-to-device",
    "reached-from-outside",
    "vendor-cloud",
    "fota",
    "mining",
    "media-uplink",
    "cleartext-identity",
    "ddos-source",
    "reflection",
    "spoofed-source",
    "icmp-tunnel",
    "ntp-tunnel",
    "brute-force",
    "strobe",
    "long-connection",
    "new-destination",
    "inbound-control",
    "after-silence",
    "after-message",
];

/// Every code, with one line for people.
pub const CODES: &[(&str, &str)] = &[
    ("identity-conflict", "Witnesses name different makers or models for one module"),
    ("tac-mismatch", "The IMEI's type allocation code belongs to another kind of equipment than the module says it is"),
    ("cloned-imei", "One IMEI is carried by things that cannot be one"),
    ("placeholder-imei", "The IMEI is a factory default or test value"),
    ("usb-id-reprogrammed", "The module was told to show another USB id"),
    ("sim-moved", "One SIM card was seen in several devices"),
    ("rebranded", "The module is sold under another name than its maker's"),
    ("alleged-relation", "An unverified relation to another organisation is reported"),
    ("cellular-module", "A part of the product is a cellular module"),
    ("undisclosed-modem", "A module must be there, and no document names it"),
    ("open-alternates", "One line allows modules of different makers"),
    ("documents-disagree", "Documents of one product name different modules"),
    ("missing-tier", "Nobody has said who stands at a tier of the supply chain"),
    ("new-module", "A module is declared that the earlier document did not have"),
    ("removed-module", "A module of the earlier document is no longer declared"),
    ("maker-change", "A part comes from another maker than before"),
    ("alternates-change", "Other parts than before may stand in a part's place"),
    ("origin-change", "A part comes from another country or jurisdiction than before"),
    ("substituted-module", "Another module was observed than the one declared"),
    ("undeclared-module", "A module was observed that no document declares"),
    ("module-not-seen", "A declared module was not observed"),
    ("undeclared-radio", "A radio is there that no document declares"),
    ("uplink-energy", "Energy in a cellular uplink band beside a device that declares no modem"),
    ("lot-mismatch", "What was received is not what was shipped"),
    ("silent-supplier", "A supplier has not answered by the day it was asked to"),
    ("withheld-tier", "A supplier refuses to name who stands at a tier"),
    ("contradicted-answer", "A supplier's answer contradicts a known fact"),
    ("broken-signature", "A signature inside a document does not fit what it signs"),
    ("unproved-signature", "A document is not signed by any of the keys it should be signed by"),
    ("scan", "Many first contacts, most of them without an answer"),
    ("beacon", "Contacts with one peer that come as by a clock"),
    ("dns-tunnel", "Something else is carried in questions and answers of DNS"),
    ("dga", "Names that a program made up, one after the other"),
    ("indicator", "Something that was spoken with stands on a list of indicators"),
    ("identity-change", "Sessions of one SIM or module that cannot all be what they say"),
    ("core-abuse", "A module speaks as nodes of the mobile network do"),
    ("device-to-device", "Two modules on one private network speak with each other"),
    ("reached-from-outside", "A module answers whoever calls it from the Internet"),
    ("vendor-cloud", "A device speaks with an endpoint of a maker of modules or of their silicon"),
    ("fota", "Something that looks like firmware came to a device"),
    ("mining", "Work for a pool that mines a currency, or a node of one"),
    ("media-uplink", "A device sends a steady stream, as microphones and cameras do"),
    ("cleartext-identity", "A device says in clear who or where it is"),
    ("ddos-source", "More is sent to one address than anybody could want there, and nothing comes of it"),
    ("reflection", "Answers of services that answer with much, for which nobody asked"),
    ("spoofed-source", "Packets under addresses that are none of the module's own"),
    ("icmp-tunnel", "Echoes of ping that carry something else"),
    ("ntp-tunnel", "Messages to the port of time that no program of time sends"),
    ("brute-force", "Many short sessions of about the same size to one place where one signs in"),
    ("strobe", "More than one conversation a second with one peer, all day"),
    ("long-connection", "A connection to outside that lasts for hours"),
    ("new-destination", "A device that is known well speaks with what neither it nor its fleet ever spoke with"),
    ("inbound-control", "Somebody commanded a device, or was let in, who never was before"),
    ("after-silence", "A device was silent for far longer than it ever is, and then spoke with what is unusual for it"),
    ("after-message", "A device that was silent spoke behind a short message to it"),
    ("expired-waiver", "A waiver's last day has passed: what it accepted counts again"),
];
