//! Findings for systems that people already watch: one function for each format, from one [`Event`] to what is sent.
//!
//! Nothing here reads a clock or opens a connection. An export calls these functions for every finding of an answer with the
//! end of its day; whoever delivers findings as they arise calls them with the moment at which that was.

mod cef;
mod hec;
mod leef;
mod lines;
mod notice;
mod ocsf;
mod out;
mod stix;
mod syslog;
pub(crate) mod uuid;

pub use cef::cef;
pub use hec::hec;
pub use leef::leef;
pub use lines::{COLUMNS, Csv, object};
pub use notice::{Notice, notice_cef, notice_hec, notice_syslog};
pub use ocsf::{inventory, ocsf};
pub use out::{Format, Out};
pub use stix::{Bundle, objects as stix};
pub use syslog::{syslog, syslog_as};

use serde_json::Value;
use umbilical_core::Day;
use umbilical_core::answer::{Device, Module};
use umbilical_core::finding::{Finding, Severity};
use umbilical_core::text::clean;

/// What has happened to a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It is there for the first time.
    New,
    /// It was there, and something about it is different.
    Changed,
    /// It is there no longer.
    Gone,
}

impl Kind {
    /// The word in every format.
    pub fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Gone => "gone",
        }
    }
}

/// A moment: seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub i64);

impl Moment {
    /// The last second of a day in UTC: what an answer as of that day holds for.
    pub fn end_of(day: Day) -> Self {
        let days = Day::from_unix(0).map_or(0, |first| day.days_since(first));
        Self(days.saturating_add(1).saturating_mul(86_400).saturating_sub(1))
    }

    /// `2026-11-22T23:59:59Z`.
    pub fn rfc3339(self) -> String {
        let day = Day::from_unix(self.0).map(|d| d.to_string()).unwrap_or_default();
        let s = self.0.rem_euclid(86_400);
        format!("{day}T{:02}:{:02}:{:02}Z", s / 3600, s / 60 % 60, s % 60)
    }

    /// Milliseconds.
    pub fn millis(self) -> i64 {
        self.0.saturating_mul(1000)
    }
}

/// A finding on its way out.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// The finding.
    pub finding: &'a Finding,
    /// The device that it is about, where it is about one.
    pub device: Option<&'a Device>,
    /// What has happened to it.
    pub kind: Kind,
    /// When.
    pub at: Moment,
}

impl<'a> Event<'a> {
    /// The device that it is about by its id, whether or not it is at hand.
    pub fn device_id(&self) -> Option<&'a str> {
        let named = (self.finding.subject.kind == "device").then_some(self.finding.subject.id.as_str());
        self.device.map(|d| d.id.as_str()).or(named)
    }

    /// The modules of the device, as `Quectel EC25-E`.
    fn modules(&self) -> Vec<String> {
        self.device.map(|d| d.modules.iter().filter_map(named).collect()).unwrap_or_default()
    }

    /// What makes it so, in one text.
    fn because(&self) -> String {
        self.finding.because.join("; ")
    }

    /// Whether somebody has accepted it, until a day that has not passed.
    fn is_accepted(&self) -> bool {
        crate::located::Entry::from(self.finding).is_accepted()
    }
}

/// Maker and the most specific name of a module that is known.
fn named(module: &Module) -> Option<String> {
    let name = module.variant.as_deref().or(module.model.as_deref()).or(module.family.as_deref());
    let words: Vec<&str> = module.maker.as_deref().into_iter().chain(name).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// The severity on a scale of ten, as CEF and LEEF have it.
fn of_ten(severity: Severity) -> u8 {
    match severity {
        Severity::Info => 1,
        Severity::Low => 3,
        Severity::Medium => 5,
        Severity::High => 8,
        Severity::Critical => 10,
    }
}

/// A text in one line, without what steers.
fn line(text: &str) -> String {
    clean(text).into_owned()
}

/// A confidence of 0–1 as a whole number of 0–100, rounded down: never more than the evidence carries.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 100")]
fn percent(confidence: f64) -> u8 {
    (confidence.clamp(0.0, 1.0) * 100.0 + 1e-9).floor() as u8
}

/// Leaves out what is null or empty.
fn present(members: Vec<(&str, Value)>) -> Value {
    let empty = |v: &Value| match v {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    };
    members.into_iter().filter(|(_, v)| !empty(v)).map(|(k, v)| (k.to_owned(), v)).collect::<serde_json::Map<String, Value>>().into()
}

#[cfg(test)]
mod tests;
