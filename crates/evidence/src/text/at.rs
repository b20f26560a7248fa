//! AT dialogues: a terminal, `atinout`, `sms_tool`, `chat`, ModemManager's and gammu's logs, shell traces of scripts.
//!
//! **What it reads.** The answers to "who are you": `+CGMI`, `+CGMM`, `+CGMR` and their relatives, `ATI`, serial and card
//! numbers, registration. With echo or without, prefixed or bare: a bare line is the answer to the last command. A
//! proprietary result code or an accepted proprietary command is kept by its name alone (`+QGPSURC`), as evidence of a
//! family of firmware.
//!
//! **Forms.** `AT+CGMI` / `Quectel` / `OK` · `AT+CGMI Quectel` (joined by `xargs`) · `VAR='+CGMI: Fibocom'` in a trace ·
//! `>> AT+GMM` / `<< …` · `--> 'AT+CGMI<CR>'` · `3 "+CGMI: "Marvell""` and hex (gammu) · `response: '…'` (mmcli).
//!
//! **Traps.** Unsolicited codes stand inside answers and are none. `ERROR` after a proprietary command says that the
//! family is another. The maker may be empty (Luat), half a name ("INCORPORATED") or the chip's ("Marvell"). The id that
//! `AT+QCFG="usbid"` sets is in decimal and says what the module shall pretend to be. Masked numbers are not numbers.

use std::sync::OnceLock;

use regex::Regex;
use umbilical_core::number::{Imei, imei, imsi, is_masked, msisdn};
use umbilical_core::text::is_blank;
use umbilical_core::{IdKind, Kind};
use umbilical_knowledge::{BrandKind, Knowledge, Scope, Strength};

use super::bus::port_name;
use super::pairs::{names_model, squash};
use super::strip::regex;
use super::{Dialect, Host, Line, Part};

/// Lines that a command may be waited for; an answer that far away is another's.
const PATIENCE: u32 = 24;
/// Bare lines that count as the answer of one command.
const BARE: u32 = 6;

/// Reads dialogues.
#[derive(Default)]
pub(super) struct At {
    command: Option<Command>,
    /// The port that was opened, where somebody said it.
    port: Option<String>,
    /// Something was answered before a port was named.
    portless: bool,
    /// A shell variable or `response: '` is open: its lines are answers.
    open: bool,
    /// Said in this session: somebody speaks AT here.
    session: bool,
    /// The round of questions that goes on: another begins where one is answered again.
    round: Round,
    /// What earlier rounds were answered, and how many there were.
    rounds: Vec<Round>,
    begun: usize,
}

/// Questions about identity and their answers, each once. Two modems in one text are told apart by rounds that
/// contradict each other; a round that agrees with an earlier one is of the same modem.
#[derive(Default)]
struct Round {
    /// The part that its answers go to, where it is not that of the port or the text.
    part: Option<Part>,
    /// The port on which it was asked.
    port: Option<String>,
    answers: Vec<Answer>,
}

struct Answer {
    /// The command, and where it was given.
    asked: (String, u32),
    what: What,
    value: String,
}

/// As many rounds are told apart; what follows is of the last modem.
const ROUNDS: usize = 200;

impl Round {
    /// Whether two rounds are of different modems: makers of modules, known models or IMEIs differ, and the later one says
    /// more than one thing about itself. A lone answer that differs is a contradiction of one modem.
    fn contradicts(&self, earlier: &Self, kb: &Knowledge) -> bool {
        let first = |round: &Self, what: What| round.answers.iter().find(|a| a.what == what).map(|a| a.value.clone());
        let both = |what: What| Some((first(self, what)?, first(earlier, what)?));
        let module = |name: &str| kb.brand_of(name).filter(|b| b.kind == BrandKind::Module).map(|b| b.brand.clone());
        let makers = both(What::Manufacturer).is_some_and(|(a, b)| module(&a).zip(module(&b)).is_some_and(|(a, b)| a != b));
        let models = both(What::Model).is_some_and(|(a, b)| {
            let (x, y) = (squash(&a), squash(&b));
            names_model(kb, &a) && names_model(kb, &b) && !x.contains(&y) && !y.contains(&x)
        });
        let stem = |v: &str| v.get(..14).map(str::to_owned);
        let imeis = both(What::Imei).is_some_and(|(a, b)| stem(&a) != stem(&b));
        let kinds = [What::Manufacturer, What::Model, What::Revision, What::Imei];
        let complete = kinds.iter().filter(|k| first(self, **k).is_some()).count() >= 2;
        complete && (makers || models || imeis)
    }
}

struct Command {
    what: What,
    /// Commands given on the same line, whose answers follow.
    next: Vec<String>,
    /// As it was given, for those that only their acceptance makes evidence.
    name: String,
    n: u32,
    /// Bare lines so far.
    bare: u32,
}

/// What a command asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Identity,
    Manufacturer,
    Model,
    Revision,
    Package,
    Imei,
    Imsi,
    Iccid,
    Other,
}

/// Names of commands and result codes (3GPP TS 27.007, ITU-T V.250, and vendors' own for the same questions).
fn asks(name: &str) -> Option<What> {
    Some(match name {
        "I" | "+SIMCOMATI" => What::Identity,
        "+CGMI" | "+GMI" | "#CGMI" | "$GMI" => What::Manufacturer,
        "+CGMM" | "+GMM" | "#CGMM" | "$GMM" => What::Model,
        "+CGMR" | "+GMR" | "+QGMR" | "#CGMR" | "#SWPKGV" | "^SWVER" | "+GTAPPVER" | "+CSUB" | "+SWVER" | "%SHORTSWVER" | "+SGSW"
        | "*CGMR" => What::Revision,
        "+GTPKGVER" | "^HWVER" | "#HWREV" | "+QHVN" | "%HWVERSION" => What::Package,
        "+CGSN" | "+GSN" | "+EGMR" | "#CGSN" | "*CGSN" => What::Imei,
        "+CIMI" | "#CIMI" | "*CIMI" => What::Imsi,
        "+CCID" | "+QCCID" | "+ICCID" | "^ICCID" | "!ICCID" | "#CCID" | "%XICCID" | "+CICCID" | "+ZICCID" | "%CCID" | "+SQNCCID"
        | "*ICCID" => What::Iccid,
        _ => return None,
    })
}

/// Questions that every modem answers alike: ITU-T V.250, 3GPP TS 27.007.
fn standard(name: &str) -> bool {
    matches!(name, "+CGMI" | "+CGMM" | "+CGMR" | "+CGSN" | "+CIMI" | "+CCID" | "+GMI" | "+GMM" | "+GMR" | "+GSN")
}

/// Fields of the block that many modems answer to `ATI`.
fn block(name: &str) -> Option<What> {
    Some(match name.trim().to_ascii_lowercase().as_str() {
        "manufacturer" => What::Manufacturer,
        "model" | "model id" | "product name" => What::Model,
        "revision" | "fw version" | "firmware version" | "app version" => What::Revision,
        "imei" => What::Imei,
        "svn" | "esn" | "meid" | "fsn" | "imei sv" | "qcn" | "+gcap" | "internal_id" | "hw version" => What::Other,
        _ => return None,
    })
}

/// An AT command at the beginning of a text: `AT`, then `I` with digits or a mark and a name; and what is behind.
fn command(text: &str) -> Option<(&str, &str)> {
    static R: OnceLock<Option<Regex>> = OnceLock::new();
    let found = R
        .get_or_init(|| {
            regex(r#"^(?i:at)((?i:i)\d{0,2}|(?i:e[01]|z|h|&[fv]\d?|d\*?[0-9*#]+;?)|[+#!$%^*&\x5c](?i:[a-z][a-z0-9_]{1,20})(?:=\?|\?|=(?:\x22(?u:[^\x22]){0,200}\x22|[A-Za-z0-9.*+#-]+)(?:,(?:\x22(?u:[^\x22]){0,200}\x22|[A-Za-z0-9.*+#-]*)){0,20}|)|)(?:[\s;,:|<\x22'\\=]|-+>|\*|$)"#)
        })
        .as_ref()?
        .captures(text)?;
    let name = found.get(1)?;
    Some((name.as_str(), text.get(name.end()..)?))
}

/// A result code at the beginning of a line: its name and its value.
fn result_code(text: &str) -> Option<(&str, &str)> {
    static R: OnceLock<Option<Regex>> = OnceLock::new();
    let found = R.get_or_init(|| regex(r"^([+#!$%^*][A-Z][A-Z0-9_]{1,20}) ?: ?")).as_ref()?.captures(text)?;
    Some((found.get(1)?.as_str(), text.get(found.get(0)?.end()..)?))
}

/// `+QCFG="usbid",3035,6438` → `+QCFG`.
fn bare_name(name: &str) -> String {
    let end = name.find(['=', '?']).unwrap_or(name.len());
    let name = name.get(..end).unwrap_or(name).to_ascii_uppercase();
    // `ATI9` asks what `ATI` asks.
    if name.starts_with('I') && name.get(1..).is_some_and(|d| d.bytes().all(|b| b.is_ascii_digit())) { "I".into() } else { name }
}

fn final_code(text: &str) -> Option<bool> {
    match text {
        "OK" | "0" | "CONNECT" => Some(true),
        "ERROR" | "NO CARRIER" | "NO DIALTONE" | "BUSY" | "NO ANSWER" | "ABORTED" | "COMMAND NOT SUPPORT" => Some(false),
        _ if text.starts_with("+CME ERROR") || text.starts_with("+CMS ERROR") => Some(false),
        _ => None,
    }
}

/// Words that modems send unasked, without the form of a result code.
fn unasked(text: &str) -> bool {
    matches!(
        text,
        "RDY"
            | "RING"
            | "SMS DONE"
            | "PB DONE"
            | "SMS READY"
            | "Call Ready"
            | "SMS Ready"
            | "APP RDY"
            | "POWERED DOWN"
            | "NORMAL POWER DOWN"
    ) || text.starts_with("*PSUTTZ")
        || text.starts_with("SIM READY")
}

fn unquote(text: &str) -> &str {
    let text = text.trim();
    let inner = text.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
    inner.filter(|t| !t.contains('"')).unwrap_or(text).trim()
}

impl At {
    fn part(&self, host: &mut Host<'_, '_>) -> Part {
        match (self.round.part, &self.port) {
            (Some(part), port) if *port == self.round.port => part,
            _ => host.part(&self.base()),
        }
    }

    /// The key of the part that answers where no round has one of its own.
    fn base(&self) -> String {
        self.port.as_ref().map_or_else(|| "modem".to_owned(), |port| format!("port:{port}"))
    }

    /// A question is answered. Where it was before in this round, another round begins, on a part of its own until it
    /// is over.
    fn note(&mut self, what: What, value: &str, host: &mut Host<'_, '_>) {
        if !matches!(what, What::Manufacturer | What::Model | What::Revision | What::Imei) || (what == What::Imei && !whole_imei(value)) {
            return;
        }
        let asked = self.command.as_ref().map(|c| (bare_name(&c.name), c.n)).unwrap_or_default();
        if self.round.port != self.port {
            self.settle(host);
        }
        // A revision changes with an update, and is asked for to see that.
        let repeated =
            what != What::Revision && self.round.answers.iter().any(|a| a.what == what && a.asked.0 == asked.0 && a.asked.1 != asked.1);
        if repeated && self.begun < ROUNDS {
            self.settle(host);
            self.begun = self.begun.saturating_add(1);
            let part = host.part(&format!("{}#{}", self.base(), self.begun.saturating_add(1)));
            self.round.part = Some(part);
        }
        if self.round.answers.len() < 32 {
            self.round.answers.push(Answer { asked, what, value: value.to_owned() });
        }
    }

    /// A round is over: it was of a modem that answered one before, or of another.
    fn settle(&mut self, host: &mut Host<'_, '_>) {
        let next = Round { port: self.port.clone(), ..Round::default() };
        let round = std::mem::replace(&mut self.round, next);
        let Some(part) = round.part else {
            self.rounds.push(round);
            return;
        };
        let kb = host.cx.knowledge;
        match self.rounds.iter_mut().rev().find(|r| r.port == round.port && !round.contradicts(r, kb)) {
            Some(earlier) => {
                let base = round.port.as_ref().map_or_else(|| "modem".to_owned(), |port| format!("port:{port}"));
                let other = earlier.part.unwrap_or_else(|| host.part(&base));
                host.merge(part, other);
                let room = 64usize.saturating_sub(earlier.answers.len());
                earlier.answers.extend(round.answers.into_iter().take(room));
            }
            None => self.rounds.push(round),
        }
    }

    /// A port is named. What was answered before in this session was answered there.
    fn opens(&mut self, node: &str, host: &mut Host<'_, '_>) {
        if self.port.is_none() && self.session && self.portless {
            let part = host.part("modem");
            host.also(part, &format!("port:{node}"));
        }
        self.portless = false;
        self.port = Some(node.to_owned());
    }

    /// Begins a command; what stands behind it on the same line may be its answer.
    fn ask(&mut self, name: &str, rest: &str, n: u32, host: &mut Host<'_, '_>) {
        let bare = bare_name(name);
        // A question about what may be asked has no answer about the modem.
        let test = name.ends_with("=?");
        let what = asks(&bare).filter(|_| !test).unwrap_or(What::Other);
        self.command = Some(Command { what, next: Vec::new(), name: name.to_owned(), n, bare: 0 });
        self.session = true;
        self.portless |= self.port.is_none();
        let rest = rest.trim_start_matches([' ', '\t', ':', '|', '=', '-', '>', '\'', '"', '*']).trim_end_matches(['|', ' ', '\'']).trim();
        // More commands on the line: `AT+CGMI;+CGMM`.
        if let Some(more) = rest.strip_prefix(';') {
            if let Some(command) = self.command.as_mut() {
                command.next = more.split(';').map(|m| m.trim().to_owned()).filter(|m| !m.is_empty()).take(16).collect::<Vec<_>>();
                command.next.reverse();
            }
            return;
        }
        if rest.is_empty() || rest.starts_with("/dev/") || test {
            return;
        }
        let (answer, done) = match rest.strip_suffix(" OK") {
            Some(answer) => (answer.trim(), true),
            None => (rest, rest == "OK" || rest == "ERROR"),
        };
        if final_code(answer).is_none() {
            self.inline(answer, n, host);
        }
        if done {
            self.finish(rest != "ERROR", n, host);
        }
    }

    /// An answer on the line of its command: only what has the form of one, for prose begins with commands too.
    fn inline(&mut self, answer: &str, n: u32, host: &mut Host<'_, '_>) {
        let proper =
            answer.chars().next().is_some_and(|c| c.is_uppercase() || c.is_ascii_digit() || matches!(c, '+' | '#' | '^' | '!' | '"'));
        if proper && answer.split_whitespace().count() <= 10 {
            self.answer(answer, n, host);
        }
    }

    /// The command was accepted or refused.
    fn finish(&mut self, accepted: bool, n: u32, host: &mut Host<'_, '_>) {
        let Some(command) = self.command.take() else { return };
        if accepted && command.what == What::Other {
            self.proprietary(&command.name, n, host);
        }
    }

    /// A proprietary name is evidence of a family where some grammar knows it.
    fn proprietary(&self, name: &str, n: u32, host: &mut Host<'_, '_>) {
        // The id that the module was told to show is worth its value.
        let value = if name.to_ascii_uppercase().starts_with("+QCFG=\"USBID\"") && name.contains(',') {
            name.to_owned()
        } else {
            let bare = bare_name(name);
            if !bare.starts_with(['+', '#', '!', '%', '^', '*', '$']) || standard(&bare) {
                return;
            }
            bare
        };
        let known = |text: &str, host: &Host<'_, '_>| {
            host.cx
                .knowledge
                .matches(Scope::AtLine, text)
                .iter()
                .any(|h| h.pattern.strength != Strength::Trap || h.pattern.id.contains("usbid"))
        };
        let forms = [value.clone(), format!("{value}:"), format!("AT{value}")];
        if let Some(form) = forms.iter().find(|f| known(f, host)) {
            let part = self.part(host);
            host.fact(part, n, Kind::AtLine, form);
        }
    }

    /// A line that is an answer, prefixed or bare; says whether it was understood.
    fn answer(&mut self, text: &str, n: u32, host: &mut Host<'_, '_>) -> bool {
        if let Some((name, value)) = result_code(text) {
            return self.coded(name, value, n, host);
        }
        let Some(command) = &mut self.command else { return false };
        if n.saturating_sub(command.n) > PATIENCE {
            self.command = None;
            return false;
        }
        if let Some((name, value)) = text.split_once(':')
            && let Some(what) = block(name)
            && matches!(command.what, What::Identity | What::Manufacturer | What::Model | What::Revision)
        {
            self.say(what, value, n, host);
            return true;
        }
        if command.what == What::Other || unasked(text) {
            return false;
        }
        command.bare = command.bare.saturating_add(1);
        let (what, count) = (command.what, command.bare);
        let more = !command.next.is_empty();
        // An explanation below a command is no answer of it.
        let sentence = text.ends_with('.') && !["Inc.", "Ltd.", "Co.", "Corp.", "A."].iter().any(|e| text.ends_with(e));
        if sentence || text.split_whitespace().count() > 12 {
            return false;
        }
        match what {
            What::Identity if count <= BARE => self.identity(text, count, n, host),
            // A list of the versions of all that runs in it; that of the radio has the module's name in front.
            What::Revision if listed(text).is_some() => {
                if let Some(("RADIO", version)) = listed(text) {
                    self.say(what, version, n, host);
                }
            }
            What::Revision if count <= 3 && !more => self.say(what, text, n, host),
            _ if count == 1 => self.say(what, text, n, host),
            _ => return false,
        }
        if more && what != What::Identity {
            self.advance(n);
        }
        true
    }

    /// The next command of the line is answered now.
    fn advance(&mut self, n: u32) {
        let Some(mut command) = self.command.take() else { return };
        if let Some(name) = command.next.pop() {
            let what = asks(&bare_name(&name)).unwrap_or(What::Other);
            command = Command { what, next: command.next, name, n, bare: 0 };
        }
        self.command = Some(command);
    }

    /// A result code with its value.
    fn coded(&mut self, name: &str, value: &str, n: u32, host: &mut Host<'_, '_>) -> bool {
        if let Some(what) = asks(name) {
            self.say(what, value, n, host);
            // The answer has come; what follows bare is none.
            if let Some(command) = self.command.as_mut().filter(|c| bare_name(&c.name) == name) {
                command.bare = BARE;
            }
            self.session = true;
            self.proprietary(name, n, host);
            return true;
        }
        let status = || value.split(',').map(|v| v.trim().trim_matches('"')).collect::<Vec<_>>();
        match name {
            // `+QCFG: "usbid",3035,6438` is what `AT+QCFG="usbid",3035,6438` had set.
            "+QCFG" if value.get(..8).is_some_and(|v| v.eq_ignore_ascii_case("\"usbid\",")) => {
                self.proprietary(&format!("{name}={}", value.trim()), n, host);
            }
            // `+CREG: 1` unasked, `+CREG: 2,1,"…"` asked: the state is 1 (home) or 5 (roaming).
            "+CREG" | "+CGREG" | "+CEREG" | "+C5GREG" => {
                let fields = status();
                let state = match fields.as_slice() {
                    [one] => Some(*one),
                    [_, two, ..] if two.len() == 1 => Some(*two),
                    [one, ..] => Some(*one),
                    [] => None,
                };
                if matches!(state, Some("1" | "5")) {
                    let part = self.part(host);
                    host.fact(part, n, Kind::Cellular, "registered");
                }
            }
            "+COPS" => {
                if status().get(2).is_some_and(|operator| !operator.is_empty()) && value.starts_with(|c: char| c.is_ascii_digit()) {
                    let part = self.part(host);
                    host.fact(part, n, Kind::Cellular, "registered");
                }
            }
            "+CPIN" => {
                if matches!(value.trim(), "READY" | "SIM PIN") {
                    let part = self.part(host);
                    host.fact(part, n, Kind::Cellular, "sim");
                }
            }
            "+CNUM" => {
                if let Some(number) = status().get(1).and_then(|v| msisdn(v)) {
                    let part = self.part(host);
                    host.id(part, IdKind::Msisdn, &number);
                }
            }
            _ => {
                self.proprietary(name, n, host);
                return self.session;
            }
        }
        true
    }

    /// A bare line of `ATI`: maker, model, revision, in no fixed order and with no names.
    fn identity(&mut self, text: &str, count: u32, n: u32, host: &mut Host<'_, '_>) {
        let kb = host.cx.knowledge;
        let plain = unquote(text);
        let decides = |scope: Scope| kb.matches(scope, plain).iter().any(|h| h.pattern.strength != Strength::Trap && h.model.is_some());
        let revision = plain.get(..9).filter(|p| p.eq_ignore_ascii_case("revision ")).and_then(|_| plain.get(9..));
        let grammar = || kb.matches(Scope::Revision, plain).iter().any(|h| h.pattern.strength == Strength::Decide);
        let what = if kb.brand(plain).is_some() {
            What::Manufacturer
        } else if revision.is_some() {
            What::Revision
        } else if matches!(imei(plain), Imei::Whole { .. }) && plain.len() == 15 {
            What::Imei
        } else if decides(Scope::Model) && !plain.contains(' ') && !kb.models_in(plain).is_empty() {
            What::Model
        } else if grammar() {
            What::Revision
        } else if kb.brand_of(plain).is_some() && kb.models_in(plain).is_empty() {
            What::Manufacturer
        } else {
            // Maker, model, revision is the usual order.
            let word = plain.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'+' | b'/')) && plain.len() <= 40;
            match count {
                1 if plain.bytes().all(|b| b.is_ascii_alphabetic() || matches!(b, b' ' | b',' | b'.')) && plain.len() > 2 => {
                    What::Manufacturer
                }
                1 | 2 if word && plain.bytes().any(|b| b.is_ascii_alphabetic()) => What::Model,
                3 if plain.bytes().any(|b| b.is_ascii_digit()) => What::Revision,
                _ => return,
            }
        };
        self.say(what, revision.unwrap_or(plain), n, host);
    }

    fn say(&mut self, what: What, value: &str, n: u32, host: &mut Host<'_, '_>) {
        let value = unquote(value.trim().trim_end_matches('\''));
        if what == What::Manufacturer && matches!(value, "" | "\"\"" | "INCORPORATED") {
            // An empty maker, and half of one, are habits of families.
            let line = if value == "INCORPORATED" { "Manufacturer: INCORPORATED" } else { "+CGMI: \"\"" };
            let part = self.part(host);
            host.fact(part, n, Kind::AtLine, line);
        }
        if is_blank(value) || final_code(value).is_some() || value.len() > 200 {
            return;
        }
        self.note(what, value, host);
        let part = self.part(host);
        let digits = || value.bytes().any(|b| b.is_ascii_digit());
        match what {
            What::Manufacturer => {
                if value.chars().any(char::is_alphabetic) {
                    host.fact(part, n, Kind::Manufacturer, value);
                }
            }
            What::Model => {
                if value != "0" {
                    host.fact(part, n, Kind::Model, &value.replace('"', ""));
                }
            }
            What::Revision => {
                if digits() {
                    host.fact(part, n, Kind::FirmwareRevision, value);
                }
            }
            What::Package => {
                if digits() {
                    host.fact(part, n, Kind::HardwareRevision, value);
                }
            }
            What::Imei => {
                // `1,"490154203237518"`, `490154203237518,01`
                let one = value.split([',', ' ']).map(unquote).find(|v| v.len() >= 14).unwrap_or(value);
                if one.len() >= 8 && !matches!(imei(one), Imei::No) {
                    host.imei(part, n, one);
                }
            }
            What::Imsi => {
                if imsi(value).is_some() || (is_masked(value) && value.len() >= 10) {
                    host.id(part, IdKind::Imsi, value);
                    host.fact(part, n, Kind::Cellular, "sim");
                }
            }
            What::Iccid => {
                let one = value.split(',').map(unquote).find(|v| v.len() >= 15).unwrap_or(value);
                if umbilical_core::number::iccid(one).is_some() || (is_masked(one) && one.len() >= 12) {
                    host.iccid(part, n, one);
                    host.fact(part, n, Kind::Cellular, "sim");
                }
            }
            What::Identity | What::Other => {}
        }
    }

    /// What a shell was told to do: a command for the modem, or a variable that holds an answer.
    fn shell(&mut self, text: &str, n: u32, host: &mut Host<'_, '_>) -> bool {
        if let Some((name, value)) = assignment(text) {
            let closed = value.strip_prefix(['\'', '"']).is_none_or(|v| v.ends_with(['\'', '"']));
            let value = value.trim_matches(['\'', '"']).trim();
            self.open = !closed;
            if let Some((command, rest)) = command(value) {
                self.ask(command, rest, n, host);
                return true;
            }
            // The first variable behind a question holds the answer; later ones are made of it.
            let fresh = self.command.as_ref().is_some_and(|c| c.bare == 0 && n.saturating_sub(c.n) <= 5);
            if !value.is_empty() && (fresh || result_code(value).is_some()) && !name.starts_with("PS") && !value.starts_with("/dev/") {
                self.answer(value, n, host);
            }
            return fresh || self.session;
        }
        self.open = false;
        let node = text.split_whitespace().find_map(|w| w.trim_matches(['\'', '"']).strip_prefix("/dev/").and_then(port_name));
        let spoken = words(text).find_map(|at| command(at).filter(|(name, _)| !name.is_empty()));
        match spoken {
            Some((name, rest)) => {
                if let Some(node) = node {
                    self.opens(node, host);
                }
                let (name, rest) = (name.to_owned(), rest.to_owned());
                // `echo AT+CGMI Fibocom` repeats an answer; `echo 'AT+QGMR' | atinout …` asks.
                let plumbing =
                    rest.contains('|') || rest.contains('>') || rest.contains("/dev/") || rest.trim_start().starts_with(['\'', '"', '\\']);
                self.ask(&name, if plumbing { "" } else { &rest }, n, host);
                true
            }
            None => {
                let terminal =
                    ["minicom", "picocom", "microcom", "screen ", "socat", "cu -l", "atinout", "gcom", "comgt", "qcom", "miniterm"];
                if terminal.iter().any(|t| text.contains(t)) {
                    self.port = node.map(str::to_owned);
                    self.session = true;
                    return true;
                }
                if !matches!(
                    text.split_whitespace().next(),
                    Some("xargs" | "tr" | "grep" | "awk" | "cut" | "sed" | "echo" | "'['" | "[" | "local")
                ) {
                    // Something else is run: nobody waits for an answer.
                    self.command = self.command.take().filter(|c| n.saturating_sub(c.n) <= 2);
                }
                false
            }
        }
    }
}

/// `NAME='value'` of a trace.
fn assignment(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once('=')?;
    let shape = !name.is_empty()
        && name.len() <= 40
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !name.starts_with(|c: char| c.is_ascii_digit());
    shape.then_some((name, value))
}

/// Every place in a command line where an AT command can begin.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.char_indices().filter_map(|(at, _)| {
        let free = text.get(..at).is_none_or(|b| b.is_empty() || b.ends_with([' ', '\'', '"', '=', '\t', '`']));
        let rest = text.get(at..)?;
        (free && rest.get(..2).is_some_and(|t| t.eq_ignore_ascii_case("at"))).then_some(rest)
    })
}

/// The lines that a log writes as one: `<CR><LF>Quectel<CR><LF>`, `\r\nQuectel\r\n`.
fn explode(text: &str) -> Option<Vec<&str>> {
    static R: OnceLock<Option<Regex>> = OnceLock::new();
    let marks = R.get_or_init(|| regex(r"(?:<CR>|<LF>|\\r|\\n|\\x0[dDaA])+")).as_ref()?;
    marks.is_match(text).then(|| marks.split(text).map(|t| t.trim().trim_matches(['\'', '"'])).filter(|t| !t.is_empty()).take(64).collect())
}

/// gammu's record of an answer, `3 "+CGMI: "Marvell""`, and of what was sent, `41A|54T|2B+|43C…`.
fn gammu(text: &str) -> Option<String> {
    static LINE: OnceLock<Option<Regex>> = OnceLock::new();
    static HEX: OnceLock<Option<Regex>> = OnceLock::new();
    if let Some(found) = LINE.get_or_init(|| regex(r"^\d{1,3} \x22((?u:.*))\x22$")).as_ref().and_then(|r| r.captures(text)) {
        return found.get(1).map(|m| m.as_str().to_owned());
    }
    let hex = HEX.get_or_init(|| regex(r"^(?:[0-9A-F]{2}(?u:[^|])?\|){2,}[0-9A-F]{2}")).as_ref()?;
    let found = hex.find(text)?;
    let bytes = found.as_str().split('|').filter_map(|t| u8::from_str_radix(t.get(..2)?, 16).ok());
    Some(bytes.map(char::from).collect::<String>().trim().to_owned())
}

/// The text between the quotes of ModemManager's port log: `(ttyUSB2): --> 'AT+CGMI<CR>'`.
fn manager(text: &str) -> Option<(Option<&str>, &str)> {
    let (before, after) = text.split_once("--> '").or_else(|| text.split_once("<-- '"))?;
    let port = before.split(['(', ')', '/', ' ', '[', ']']).filter_map(port_name).next_back();
    Some((port, after.strip_suffix('\'').unwrap_or(after)))
}

impl At {
    /// One line of a dialogue, nothing around it.
    fn spoken(&mut self, text: &str, n: u32, host: &mut Host<'_, '_>) -> bool {
        if let Some((name, rest)) = command(text) {
            // `at` is a word too, and a lone `AT` asks nothing.
            if name.is_empty() {
                let lone = rest.is_empty();
                self.session |= lone;
                return lone;
            }
            self.ask(name, rest, n, host);
            return true;
        }
        if let Some(accepted) = final_code(text) {
            let waited = self.command.is_some();
            self.finish(accepted, n, host);
            return waited || self.session;
        }
        if result_code(text).is_some() {
            return self.answer(text, n, host);
        }
        if unasked(text) {
            return self.session;
        }
        self.answer(text, n, host)
    }
}

impl Dialect for At {
    fn name(&self) -> &'static str {
        "at"
    }

    fn line(&mut self, line: Line<'_>, host: &mut Host<'_, '_>) -> bool {
        let (mut text, n) = (line.text, line.n);
        if text.is_empty() || text.len() > 4000 {
            return false;
        }
        // A heading that names a port: `=== /dev/ttyUSB2`.
        let heading = text.trim_matches(|c: char| matches!(c, '=' | '-' | '#' | '*' | ':' | '[' | ']' | ' '));
        if let Some(node) = heading.strip_prefix("/dev/").filter(|node| port_name(node) == Some(node)) {
            self.command = None;
            self.opens(node, host);
            return true;
        }
        if line.shell {
            let prompt = !line.raw.trim_start().starts_with('+');
            if prompt && !text.contains("AT") && !text.contains("at") {
                self.command = None;
                self.session = false;
                self.port = None;
            }
            return self.shell(text, n, host);
        }
        if let Some((port, said)) = manager(text) {
            if let Some(port) = port {
                self.port = Some(port.to_owned());
            }
            let lines = explode(said).unwrap_or_else(|| vec![said]);
            for said in lines {
                self.spoken(said, n, host);
            }
            return true;
        }
        // wvdialconf: `ttyUSB2<*1>: Modem Identifier: ATI -- Manufacturer: Huawei`; pppd's chat: `send (AT+CGMI^M)`.
        if let Some((_, said)) = text.split_once("Modem Identifier: ATI -- ") {
            self.command = Some(Command { what: What::Identity, next: Vec::new(), name: "I".into(), n, bare: 0 });
            self.answer(said.trim(), n, host);
            self.command = None;
            return true;
        }
        if let Some(sent) = text.strip_prefix("send (").and_then(|t| t.strip_suffix(')')) {
            return self.spoken(sent.trim_end_matches("^M").trim(), n, host);
        }
        if let Some(said) = gammu(text) {
            // Only what was sent, or is sent while a command waits, is known to be AT.
            let at = command(&said).is_some_and(|(name, _)| !name.is_empty()) || self.command.is_some();
            return at && {
                self.spoken(said.trim(), n, host);
                true
            };
        }
        if let Some((label, rest)) = text.split_once(':').filter(|(label, _)| label.len() <= 12) {
            let said = rest.trim();
            let plain = said.trim_matches(['\'', '"', '`']).trim();
            match label.trim().to_ascii_lowercase().as_str() {
                // mmcli's own, which may go over several lines.
                "response" | "reply" | "answer" | "resp" | "result" if label == "response" || self.command.is_some() => {
                    self.open = said.starts_with('\'') && !(said.len() > 1 && said.ends_with('\''));
                    self.session = true;
                    let lines = explode(plain).unwrap_or_else(|| vec![plain]);
                    for said in lines {
                        self.spoken(said, n, host);
                    }
                    return true;
                }
                "command" | "cmd" | "at command" | "request" | "query" | "sending" if command(plain).is_some() => {
                    return self.spoken(plain, n, host);
                }
                _ => {}
            }
        }
        if self.open {
            let last = text.ends_with('\'');
            self.open = !last;
            text = text.trim_end_matches('\'').trim();
            if text.is_empty() {
                return true;
            }
        }
        // `OF='` in a trace whose marks were cut off, `VAR='+CGMI: …'`.
        if let Some((_, value)) = assignment(text)
            && result_code(value.trim_matches(['\'', '"'])).is_some()
        {
            return self.shell(text, n, host);
        }
        // `DEBUG sent b'AT+CGMM\r'`, `"\r\nBG95-M3\r\n\r\nOK\r\n"`; else the line as it stands.
        let quoted =
            text.split_once(['\'', '"']).map(|(_, inner)| inner).filter(|_| command(text).is_none() && result_code(text).is_none());
        for said in quoted.into_iter().chain([text]) {
            let Some(lines) = explode(said) else { continue };
            let asked = lines.iter().any(|l| command(l).is_some_and(|(name, _)| !name.is_empty()) || result_code(l).is_some());
            if asked || (self.command.is_some() && lines.last().is_some_and(|l| final_code(l).is_some())) {
                for line in lines {
                    self.spoken(line, n, host);
                }
                return true;
            }
        }
        self.spoken(text, n, host)
    }

    fn end(&mut self, host: &mut Host<'_, '_>) {
        // A setting that nobody answered was still given.
        if let Some(command) = self.command.take().filter(|c| c.name.to_ascii_uppercase().starts_with("+QCFG=\"USBID\"")) {
            self.proprietary(&command.name, command.n, host);
        }
        self.settle(host);
    }
}

/// `RADIO,BC95HB-02-STD_900`: what, and its version.
fn listed(text: &str) -> Option<(&str, &str)> {
    let (name, version) = text.split_once(',')?;
    let capital = name.len() >= 4 && name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    (capital && !version.is_empty() && !version.contains([',', ' '])).then_some((name, version))
}

/// Whether an answer is an IMEI, whole.
fn whole_imei(value: &str) -> bool {
    value.len() >= 14 && matches!(imei(value), Imei::Whole { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_and_codes() {
        for (text, name, rest) in [
            ("AT+CGMI", "+CGMI", ""),
            ("ati", "i", ""),
            ("ATI0*", "I0", "*"),
            ("AT+CGMI Fibocom", "+CGMI", " Fibocom"),
            ("AT+QCFG=\"usbid\",3035,6438", "+QCFG=\"usbid\",3035,6438", ""),
            ("AT!GSTATUS?", "!GSTATUS?", ""),
            ("AT+GMM?' | xargs", "+GMM?", "' | xargs"),
            ("AT", "", ""),
        ] {
            assert_eq!(command(text), Some((name, rest)), "{text}");
        }
        for text in ["ATtention please", "At the port", "ATTRS", "ATINOUT"] {
            assert!(command(text).is_none_or(|(name, _)| name.is_empty()), "{text}");
        }
        assert_eq!(result_code("+CGMI: \"Marvell\""), Some(("+CGMI", "\"Marvell\"")));
        assert_eq!(bare_name("i9"), "I");
        assert_eq!(gammu("3 \"+CGMI: \"Marvell\"\"").as_deref(), Some("+CGMI: \"Marvell\""));
        assert_eq!(gammu("41A|54T|2B+|43C|47G|4DM|49I|0D    AT+CGMI.").as_deref(), Some("AT+CGMI"));
        assert_eq!(explode("<CR><LF>Quectel<CR><LF>"), Some(vec!["Quectel"]));
        assert_eq!(manager("(ttyUSB2): --> 'AT+CGMI<CR>'"), Some((Some("ttyUSB2"), "AT+CGMI<CR>")));
        assert_eq!(manager("<dbg> [modem0/ttyUSB2/at] <-- '<CR><LF>OK<CR><LF>'").and_then(|m| m.0), Some("ttyUSB2"));
    }
}
