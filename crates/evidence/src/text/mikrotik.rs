//! MikroTik RouterOS: `/interface lte monitor` and `info`, `/interface lte print`, `/system routerboard print`,
//! `/system resource print`, `/system identity print`, `/export`.
//!
//! **What it reads.** Behind a prompt or a command that names an LTE interface, the lines `manufacturer:`, `model:`,
//! `revision:`, `imei:`, `imsi:`, `uicc:` (`iccid:` in newer versions), `current-operator:` are the modem's; behind the
//! other commands, `model:`, `serial-number:` and `board-name:` are the router's.
//!
//! **When it is wrong.** Lines of the monitor without any prompt above them are read as a status page, with less
//! certainty whose model it is. Every export carries `/interface lte apn`, modem or not: only a `lte1` that is set
//! counts.

use umbilical_core::{Basis, Group, IdKind, Kind};

use super::pairs::{LONGEST_LINE, Voice, What, host_serial, meaning, nothing, say, split, squash};
use super::{Dialect, Host, Line, Part};

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Menu {
    #[default]
    None,
    Lte,
    Board,
    Identity,
}

/// See the module's documentation.
#[derive(Default)]
pub(super) struct MikroTik {
    menu: Menu,
    /// `lte1`.
    name: Option<String>,
    /// A router of this make has shown itself.
    seen: bool,
    export: bool,
}

impl Dialect for MikroTik {
    fn name(&self) -> &'static str {
        "mikrotik"
    }

    fn line(&mut self, line: Line<'_>, host: &mut Host<'_, '_>) -> bool {
        let (n, text) = (line.n, line.text.trim());
        if text.len() > LONGEST_LINE {
            return false;
        }
        // The prompt names the router, and is taken off the text.
        let raw = line.raw.trim().trim_start_matches(['>', '|', ' ']);
        if let Some(taken) = self.prompt(n, if line.shell { raw } else { text }, host) {
            return taken;
        }
        if text.is_empty() {
            self.menu = if self.menu == Menu::Lte { Menu::Lte } else { Menu::None };
            return false;
        }
        // `# model = …` of an export: the mark is taken off the text.
        if self.exported(n, if raw.starts_with('#') { raw } else { text }, host) {
            return true;
        }
        if text == "routerboard: yes" {
            self.see(n, host);
            self.menu = Menu::Board;
            return true;
        }
        if let Some(name) = quoted(text, "name=\"lte").or_else(|| quoted(text, "default-name=\"lte")) {
            let part = host.part(&format!("modem:lte{name}"));
            host.fact(part, n, Kind::Cellular, &format!("interface lte{name}"));
            return true;
        }
        let Some((name, value)) = split(text) else {
            self.menu = Menu::None;
            return false;
        };
        let kebab = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !kebab || self.menu == Menu::None {
            return false;
        }
        match self.menu {
            Menu::Lte => self.modem(n, name, value, host),
            Menu::Board => Self::board(n, name, value, host),
            Menu::Identity if name == "name" && !nothing(value) => {
                host.id(Part::HOST, IdKind::Name, value);
                true
            }
            _ => false,
        }
    }
}

impl MikroTik {
    fn see(&mut self, n: u32, host: &mut Host<'_, '_>) {
        if !self.seen {
            self.seen = true;
            host.fact(Part::HOST, n, Kind::HostMaker, "MikroTik");
        }
    }

    /// `[admin@name] > /interface lte monitor lte1 once`, or the command alone.
    fn prompt(&mut self, n: u32, text: &str, host: &mut Host<'_, '_>) -> Option<bool> {
        let (command, user) = match text.strip_prefix('[').and_then(|r| r.split_once(']')) {
            Some((who, rest)) if who.contains('@') && !who.contains(' ') => {
                // Inside a menu the prompt repeats it: `[admin@r] /interface/lte> monitor lte1`.
                (rest.trim_start().trim_start_matches('>').trim_start(), Some(who))
            }
            _ if text.starts_with("/interface") || text.starts_with("/system ") || text.starts_with("/system/") => (text, None),
            _ => return None,
        };
        // A shell's `[root@host dir]#` has no `>` and no menu.
        if user.is_some() && !text.contains('>') {
            return None;
        }
        if let Some((_, name)) = user.and_then(|u| u.split_once('@')) {
            self.see(n, host);
            if !name.eq_ignore_ascii_case("mikrotik") && !nothing(name) {
                host.id(Part::HOST, IdKind::Name, name);
            }
        }
        let words: String = command.chars().map(|c| if matches!(c, '/' | '>') { ' ' } else { c }).collect();
        let words: Vec<&str> = words.split_whitespace().collect();
        let has = |w: &str| words.contains(&w);
        self.export = false;
        self.menu = if has("lte") && (has("monitor") || has("info") || has("print")) {
            Menu::Lte
        } else if has("routerboard") || has("resource") {
            Menu::Board
        } else if has("identity") {
            Menu::Identity
        } else {
            Menu::None
        };
        self.name = words
            .iter()
            .find(|w| w.len() > 3 && w.starts_with("lte") && w.bytes().last().is_some_and(|b| b.is_ascii_digit()))
            .map(|w| (*w).to_owned());
        self.export = words.first() == Some(&"interface") && words.last() == Some(&"lte");
        Some(user.is_some() || self.menu != Menu::None || self.export)
    }

    fn modem(&mut self, n: u32, name: &str, value: &str, host: &mut Host<'_, '_>) -> bool {
        let key = self.name.as_deref().map_or_else(|| "modem".to_owned(), |l| format!("modem:{l}"));
        let part = host.part(&key);
        match meaning(&squash(name)) {
            Some((What::Cellular, _)) if !nothing(value) => host.fact(part, n, Kind::Cellular, "cellular-section"),
            Some((what, _)) => say(host, part, n, what, value, Voice::MODEM),
            None => {}
        }
        true
    }

    fn board(n: u32, name: &str, value: &str, host: &mut Host<'_, '_>) -> bool {
        match name {
            "model" | "board-name" => say(host, Part::HOST, n, What::HostModel, value, Voice::MODEM),
            "serial-number" => host_serial(host, "MikroTik", value),
            _ => {}
        }
        true
    }

    /// `# model = RBSXTR` of an export's head, and `set [ find default-name=lte1 ]` below `/interface lte`.
    fn exported(&mut self, n: u32, text: &str, host: &mut Host<'_, '_>) -> bool {
        if let Some(comment) = text.strip_prefix('#') {
            let comment = comment.trim();
            if comment.contains("by RouterOS ") {
                self.see(n, host);
                return true;
            }
            return match comment.split_once(" = ") {
                Some(("model", value)) if self.seen => {
                    host.fact(Part::HOST, n, Kind::HostModel, value);
                    true
                }
                Some(("serial number", value)) if self.seen => {
                    host_serial(host, "MikroTik", value);
                    true
                }
                _ => false,
            };
        }
        let at = text.find("default-name=lte").or_else(|| text.find("interface=lte"));
        if let (true, Some(at)) = (self.seen || self.export, at) {
            let name: String = text
                .get(at..)
                .unwrap_or_default()
                .split('=')
                .nth(1)
                .unwrap_or_default()
                .chars()
                .take_while(char::is_ascii_alphanumeric)
                .collect();
            let part = host.part("modem");
            host.fact_of(part, n, Kind::Cellular, &format!("configured: {name}"), Group::Document, Basis::Declared);
            return true;
        }
        // Other settings of an export are nobody's values.
        self.seen && (text.starts_with("set ") || text.starts_with("add ") || (text.starts_with('/') && !text.contains(':')))
    }
}

/// What stands between a beginning that ends inside quotes and the closing quote, if digits.
fn quoted<'a>(text: &'a str, begin: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(begin)?;
    let (number, _) = rest.split_once('"')?;
    (!number.is_empty() && number.len() <= 3 && number.bytes().all(|b| b.is_ascii_digit())).then_some(number)
}
