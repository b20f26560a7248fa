//! What surrounds a line when it is pasted: mail quotes, list marks, prompts, shell traces, times, log prefixes,
//! terminal escapes.
//!
//! **Wrong when** a tool prints such a thing itself: a `# ` or `- ` at the beginning of a line is always taken off.

use std::borrow::Cow;
use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};

/// A line without its surroundings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stripped<'a> {
    pub text: &'a str,
    /// A prompt or the mark of a shell trace was among them.
    pub shell: bool,
}

/// Months and days of the week as logs write them.
pub(super) const DATE: &str = r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),?\s+)?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\s+\d{1,2}\s+(?:\d{4}\s+)?\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?(?:\s+(?:\d{4}|[A-Z]{2,4}\s+\d{4}))?";

/// The ways in which a prefix is told, in the order in which they are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Prefix {
    /// A user's prompt or the mark of a shell trace.
    Shell,
    /// A syslog or journal date: host and program follow.
    Syslog,
    /// Another date or time: host and program may follow.
    Time,
    /// Anything else.
    Mark,
}

fn prefixes() -> &'static [(Prefix, Regex)] {
    static TABLE: OnceLock<Vec<(Prefix, Regex)>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let texts: [(Prefix, String); 7] = [
            // user@host:~$ · [user@host dir]# · a bare $ or # · + of `set -x`
            (Prefix::Shell, r"^(?:[\w.-]{1,64}@[\w.()-]{1,64}(?::|\s)(?u:[^ \t]){0,120}\s?[#$%]\s*|\[[\w.-]{1,64}@[\w.-]{1,64}\s+(?u:[^\] \t]){1,120}\][#$]\s*|\$\s+|\++\s+)".into()),
            (Prefix::Syslog, format!(r"^{DATE}\s+")),
            // ISO 8601 and its relatives; gammu's `Thu 2023/12/14 15:18:52:`; a clock alone.
            (
                Prefix::Time,
                r"^(?:(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\s+)?\d{4}[-/.]\d{2}[-/.]\d{2}[T\s_]+\d{2}:\d{2}:\d{2}(?:[.,:]\d+)?(?:Z|\s?[+-]\d{2}:?\d{2})?:?\s+|\d{1,2}:\d{2}:\d{2}(?:[.,:]\d{1,6})?:?\s+)".into(),
            ),
            // [    1.234567] · [04-13_09:25:24:549] · [Mon Sep  5 12:34:56 2022] · [T1234] [C0] behind it
            (Prefix::Time, format!(r"^\[\s*(?:\d[\d\s:._/T+Z,-]{{3,40}}|{DATE})\]\s*(?:\[\s*[TC]\d+\]\s*)?")),
            // Mail quotes and the arrows of terminals. `<<` needs no blank; one `<` does.
            (Prefix::Mark, r"^(?:>+\s*|<<+\s*|<\s+|<?-{1,2}>\s+|<-{1,2}\s+|(?u:[-*•–#])\s+|#{2,6}\s+|<\d{1,2}>|kernel:\s+)".into()),
            // Zephyr's `<inf> modem_quectel_bg9x: `.
            (Prefix::Mark, r"^<(?:inf|wrn|dbg|err)>\s+[a-z][a-z0-9_]{1,40}:\s+".into()),
            // Two directions in one mark: `TX:`, `RX:` and the like, before a command or an answer.
            (Prefix::Mark, r"^\[?(?:TX|RX|SEND|SENT|RECV|RCVD|Send|Recv|Sent|Received|Tx|Rx)\]?\s*[:>]\s*(?:<<|>>)?\s*".into()),
        ];
        texts.into_iter().filter_map(|(kind, text)| Some((kind, regex(&text)?))).collect()
    })
}

/// Compiles an expression of this program's own: ASCII classes; negated ones are written `(?u:[^…])`.
pub(super) fn regex(text: &str) -> Option<Regex> {
    let built = RegexBuilder::new(text).unicode(false).build();
    debug_assert!(built.is_ok(), "{built:?}");
    built.ok()
}

/// Host and program behind a date, as syslog, journald and OpenWrt's logread write them.
fn program(text: &str, always: bool) -> &str {
    static SYSLOG: OnceLock<Option<Regex>> = OnceLock::new();
    let host = || {
        regex(
            r"^(?:[A-Za-z0-9][\w.-]{0,63}\s+)?(?:[a-z0-9]{2,10}\.[a-z]{3,7}\s+)?([A-Za-z][\w./@-]{0,63})(?:(\[\d{1,10}\])|\(\w+\))?:(?:\s+|$)",
        )
    };
    let Some(found) = SYSLOG.get_or_init(host).as_ref().and_then(|r| r.captures(text)) else { return text };
    let known = found.get(1).is_some_and(|m| {
        matches!(
            m.as_str(),
            "kernel" | "ModemManager" | "NetworkManager" | "netifd" | "pppd" | "chat" | "systemd" | "usb_modeswitch" | "fwupd"
        )
    });
    let end = found.get(0).map_or(0, |m| m.end());
    if always || known || found.get(2).is_some() { text.get(end..).unwrap_or(text) } else { text }
}

/// Takes the surroundings off a line.
pub(super) fn strip(line: &str) -> Stripped<'_> {
    let mut text = line.trim();
    let mut shell = false;
    // Mails quote logs that quote: a few layers, not any number.
    for _ in 0..8 {
        let Some((kind, rest)) = prefixes().iter().find_map(|(kind, regex)| {
            let end = regex.find(text)?.end();
            text.get(end..).map(|rest| (*kind, rest))
        }) else {
            break;
        };
        shell |= kind == Prefix::Shell;
        text = match kind {
            Prefix::Syslog => program(rest, true),
            Prefix::Time => program(rest, false),
            Prefix::Shell | Prefix::Mark => rest,
        };
    }
    let text = text.trim_end_matches("^M");
    Stripped { text: text.trim(), shell }
}

/// A line without terminal escapes (ECMA-48 control and operating-system sequences) and other control characters.
pub(super) fn plain(line: &str) -> Cow<'_, str> {
    if !line.chars().any(|c| c.is_control() && c != '\t') {
        return Cow::Borrowed(line);
    }
    let mut out = String::with_capacity(line.len());
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => match chars.next_if(|c| matches!(c, '[' | ']' | '(' | ')')) {
                Some('[') => {
                    // Parameters, then one final byte.
                    while chars.next_if(|c| matches!(c, ' '..='?')).is_some() {}
                    chars.next_if(|c| matches!(c, '@'..='~'));
                }
                Some(']') => {
                    while chars.next_if(|c| !matches!(c, '\u{7}' | '\u{1b}')).is_some() {}
                    chars.next_if_eq(&'\u{7}');
                }
                Some(_) => {
                    chars.next();
                }
                None => {}
            },
            '\u{8}' => {
                out.pop();
            }
            '\t' => out.push('\t'),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn surroundings_are_taken_off() {
        for (line, text) in [
            ("> P:  Vendor=2dee ProdID=4d22 Rev= 4.14", "P:  Vendor=2dee ProdID=4d22 Rev= 4.14"),
            ("> > >T:  Bus=01", "T:  Bus=01"),
            ("+ MODELF='+CGMI: Fibocom'", "MODELF='+CGMI: Fibocom'"),
            ("+CGMI: Fibocom", "+CGMI: Fibocom"),
            ("#CGMM: LE910", "#CGMM: LE910"),
            (">> AT+GMM", "AT+GMM"),
            ("<< SIMCOM_SIM7080", "SIMCOM_SIM7080"),
            ("root@OpenWrt:/# lspci", "lspci"),
            ("[pi@gate ~]$ mmcli -m 0", "mmcli -m 0"),
            ("Dec 14 21:22:33 venus user.info kernel: [ 4495.339480] usb 1-1: Product: X", "usb 1-1: Product: X"),
            ("Nov 25 01:25:01 box kernel: usb 1-1: new", "usb 1-1: new"),
            ("Nov 25 01:25:01 box ModemManager[812]: <info>  [modem0] state", "<info>  [modem0] state"),
            ("Mon Sep  5 12:34:56 2022 kern.info kernel: [   13.4012] usb 1-1: new", "usb 1-1: new"),
            ("2024-05-01T12:00:00.123456+02:00 box kernel: usb 1-1: new", "usb 1-1: new"),
            ("2024-05-01T12:00:00,123456+02:00 usb 1-1: new", "usb 1-1: new"),
            ("2024-05-01 12:00:00 Manufacturer: Quectel", "Manufacturer: Quectel"),
            ("<6>[    1.234567] usb 1-1: new", "usb 1-1: new"),
            ("[    1.234567][  T123] usb 1-1: new", "usb 1-1: new"),
            ("[Mon Sep  5 12:34:56 2022] usb 1-1: new", "usb 1-1: new"),
            ("[04-13_09:25:24:575] DeviceId:     1", "DeviceId:     1"),
            ("[000.006] idVendor=2c7c, idProduct=0620", "idVendor=2c7c, idProduct=0620"),
            ("Thu 2023/12/14 15:18:52: 1 \"AT+CGMI\"", "1 \"AT+CGMI\""),
            ("12:34:56.789 -> +CGMM: \"EC25\"", "+CGMM: \"EC25\""),
            ("RX: Quectel", "Quectel"),
            ("- Modem: T99W175", "Modem: T99W175"),
            ("[00:00:05.123,000] <inf> modem_quectel_bg9x: Model: BG95-M3", "Model: BG95-M3"),
            ("AT+CGMI^M", "AT+CGMI"),
            ("00:02.0 VGA compatible controller", "00:02.0 VGA compatible controller"),
            ("-[0000:00]-+-00.0", "-[0000:00]-+-00.0"),
            ("|__ Port 1: Dev 2", "|__ Port 1: Dev 2"),
        ] {
            assert_eq!(strip(line).text, text, "{line}");
        }
        assert!(strip("root@OpenWrt:/# lspci").shell && strip("+ cat x").shell && !strip("+CGMI: x").shell);
        assert_eq!(plain("\u{1b}[31mP:\u{1b}[0m  Vendor\u{7}\u{1b}]0;title\u{7}x"), "P:  Vendorx");
    }

    proptest! {
        #[test]
        fn any_line_is_stripped_to_a_part_of_itself(line in "\\PC{0,120}") {
            prop_assert!(line.contains(strip(&line).text));
        }
    }
}
