//! Whose turn it is: the log of a network and a page of pasted terminals speak of several hosts, each named in front of
//! its lines. Every host has its own dialects and its own thing; a text that names none, or one, is about one.
//!
//! **What it reads.** The host of syslog and the journal (`Nov 20 10:00:01 gw-7 kernel: …`), and of prompts
//! (`root@gw-7:~#`, `[admin@gw-7] >`, `gw-7$ lsusb`, `gw-7#show inventory`).
//!
//! **When it is wrong.** A host that is renamed while it logs is two; `localhost` is nobody's name and changes nothing.
//! Lines without a name belong to the host that spoke last.

use std::sync::OnceLock;

use regex::Regex;
use umbilical_core::IdKind;

use super::document::Document;
use super::strip::{DATE, regex};
use super::{Dialect, Held, Host, Line, Part, dialects};

/// As many hosts are kept apart at a time; when more appear, what was said of those is concluded.
const SPEAKERS: usize = 64;

struct Speaker {
    name: Option<String>,
    /// Takes what is no word of a device before the dialects read it.
    document: Document,
    dialects: Vec<Box<dyn Dialect>>,
    /// While another speaks.
    held: Held,
}

impl Speaker {
    fn new(name: Option<String>) -> Self {
        Self { name, document: Document::default(), dialects: dialects(), held: Held::default() }
    }
}

/// The hosts of a text.
pub(super) struct Turns {
    speakers: Vec<Speaker>,
    now: usize,
    /// More than one host has a name.
    several: bool,
    /// How many lines each dialect took.
    taken: Vec<u32>,
}

impl Turns {
    pub(super) fn new() -> Self {
        let first = Speaker::new(None);
        let taken = vec![0; first.dialects.len()];
        Self { speakers: vec![first], now: 0, several: false, taken }
    }

    /// Gives a line to the dialects of the host whose turn it is.
    pub(super) fn line(&mut self, plain: &str, line: Line<'_>, host: &mut Host<'_, '_>) {
        if let Some(name) = speaker(plain) {
            self.turn(name, host);
        }
        let Some(speaker) = self.speakers.get_mut(self.now) else { return };
        if speaker.document.line(line) {
            return;
        }
        for (dialect, count) in speaker.dialects.iter_mut().zip(self.taken.iter_mut()) {
            if dialect.line(line, host) {
                *count = count.saturating_add(1);
                break;
            }
        }
    }

    fn turn(&mut self, name: &str, host: &mut Host<'_, '_>) {
        let Some(current) = self.speakers.get_mut(self.now) else { return };
        match &current.name {
            Some(known) if known == name => return,
            Some(_) => {}
            // What had no name before had this one.
            None => {
                current.name = Some(name.to_owned());
                return;
            }
        }
        self.several = true;
        std::mem::swap(&mut current.held, &mut host.held);
        let known = self.speakers.iter().position(|s| s.name.as_deref() == Some(name));
        self.now = known.unwrap_or_else(|| {
            if self.speakers.len() >= SPEAKERS {
                self.conclude(host);
            }
            self.speakers.push(Speaker::new(Some(name.to_owned())));
            self.speakers.len().saturating_sub(1)
        });
        if let Some(next) = self.speakers.get_mut(self.now) {
            std::mem::swap(&mut next.held, &mut host.held);
        }
    }

    /// Says what was held of all hosts, none of which has its turn.
    fn conclude(&mut self, host: &mut Host<'_, '_>) {
        for mut speaker in self.speakers.drain(..) {
            std::mem::swap(&mut speaker.held, &mut host.held);
            for dialect in &mut speaker.dialects {
                dialect.end(host);
            }
            speaker.document.end(host);
            if let (true, false, Some(name)) = (self.several, host.held.said.is_empty(), &speaker.name) {
                host.id(Part::HOST, IdKind::Name, name);
            }
            host.next_thing();
            std::mem::swap(&mut speaker.held, &mut host.held);
        }
    }

    /// The text has ended; the names of the dialects that took lines.
    pub(super) fn end(mut self, host: &mut Host<'_, '_>) -> Vec<&'static str> {
        let names: Vec<&'static str> = dialects().iter().map(|d| d.name()).collect();
        if let Some(current) = self.speakers.get_mut(self.now) {
            std::mem::swap(&mut current.held, &mut host.held);
        }
        self.conclude(host);
        names.into_iter().zip(&self.taken).filter(|(name, n)| **n > 0 && *name != "text").map(|(name, _)| name).collect()
    }
}

/// The host that a line names in front of what it says.
fn speaker(line: &str) -> Option<&str> {
    static FORMS: OnceLock<Vec<Regex>> = OnceLock::new();
    let forms = FORMS.get_or_init(|| {
        let time = r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:[.,]\d{1,9})?(?:Z|[+-]\d{2}:?\d{2})";
        let facility = r"(?:[a-z0-9]{2,10}\.[a-z]{3,7}\s+)?";
        [
            format!(r"^(?:<\d{{1,3}}>)?{DATE}\s+([A-Za-z0-9][\w.-]{{0,63}})\s+{facility}[A-Za-z][\w./@-]{{0,63}}(?:\[\d{{1,10}}\]|\(\w+\))?:(?:\s|$)"),
            format!(r"^(?:<\d{{1,3}}>)?{time}\s+([A-Za-z0-9][\w.-]{{0,63}})\s+{facility}(?:[A-Za-z][\w./@-]{{0,63}}\[\d{{1,10}}\]|kernel):(?:\s|$)"),
            r"^[\w.-]{1,64}@([\w.-]{1,64})(?::(?u:[^ \t]){0,120}\s?[#$%]|\s[~/](?u:[^ \t]){0,120}\s?[#$%>]|[>#$%]\s)".into(),
            r"^\[[\w.-]{1,64}@([\w.-]{1,64})(?u:[^\]\t]){0,120}\]\s?[/\w -]{0,60}[#$>]".into(),
            r"^([A-Za-z][\w.-]{0,62})\s?[#$>]\s?(?:lsusb|usb-devices|lspci|dmesg|mmcli|gsmctl|qmicli|mbimcli|logread|journalctl|show|get|diagnose|cat|sudo|ubus|uci)\b".into(),
        ]
        .iter()
        .filter_map(|text| regex(text))
        .collect()
    });
    let line = line.trim_start_matches(['>', '|', ' ', '\t']);
    let name = forms.iter().find_map(|form| form.captures(line)?.get(1))?.as_str();
    names_host(name).then_some(name)
}

/// Whether a word in the place of a host's name can be one: not a level, a facility or a container's number.
fn names_host(name: &str) -> bool {
    const NOBODY: &[&str] =
        &["localhost", "none", "info", "debug", "warn", "warning", "error", "notice", "err", "crit", "fatal", "trace", "verbose"];
    const FACILITIES: &[&str] =
        &["kern", "daemon", "user", "auth", "authpriv", "syslog", "mail", "cron", "ftp", "lpr", "news", "uucp", "local"];
    let lower = name.to_ascii_lowercase();
    let facility = lower.split_once('.').is_some_and(|(f, _)| FACILITIES.contains(&f.trim_end_matches(|c: char| c.is_ascii_digit())));
    let container = name.len() == 12 && name.bytes().all(|b| b.is_ascii_hexdigit());
    !(facility || container || NOBODY.contains(&lower.as_str()) || lower.starts_with("localhost."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hosts_in_front_of_lines() {
        for (line, name) in [
            ("Nov 20 10:00:01 gw-7 ModemManager[512]: <info>  [modem0] x", Some("gw-7")),
            ("Dec 14 21:22:33 venus user.info kernel: [ 4495.339480] usb 1-1: Product: X", Some("venus")),
            ("2024-05-01T12:00:00.123456+02:00 box kernel: usb 1-1: new", Some("box")),
            ("root@gw-7:~# gsmctl -m", Some("gw-7")),
            ("> [pi@gate ~]$ mmcli -m 0", Some("gate")),
            ("[admin@north] > /interface lte info lte1 once", Some("north")),
            ("[admin@north] /interface/lte> monitor lte1", Some("north")),
            ("gw1$ lsusb", Some("gw1")),
            ("Router7#show inventory", Some("Router7")),
            ("user@srx> show modem wireless", Some("srx")),
            ("Nov 20 10:00:01 localhost kernel: x", None),
            ("Mon Sep  5 12:34:56 2022 kern.info kernel: [   13.4012] usb 1-1: new", None),
            ("2026-11-20T10:00:00Z app INFO order: 7", None),
            ("root@3f2a9c04b1de:/# lsusb", None),
            ("john@example.com wrote> this", None),
            ("Manufacturer: Quectel", None),
        ] {
            assert_eq!(speaker(line), name, "{line}");
        }
    }

    proptest! {
        #[test]
        fn a_name_is_a_part_of_its_line(line in "\\PC{0,120}") {
            prop_assert!(speaker(&line).is_none_or(|name| line.contains(name)));
        }
    }
}
