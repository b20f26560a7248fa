//! Teltonika RutOS: `gsmctl`, and the mobile sections of the web interface as text.
//!
//! **What it reads.** `gsmctl -m` (model), `-w` (maker), `-y` (revision), `-i` (IMEI), `-a` (serial number), `-x` (IMSI),
//! `-J` (ICCID), one answer a line in the order of the options, `-O 3-1` for one of several modems; other options are
//! passed over with their answer. JSON answers of `ubus` are read by the JSON dialect, `uci` by OpenWrt's.
//!
//! **When it is wrong.** An answer that the shell lost shifts those behind it: so every value must have the form of its
//! kind (15 digits, `89…`, a revision with a digit), or it is dropped.
//! **Trap.** `RUT955` and its like are the router, wherever they stand.

use std::collections::VecDeque;

use umbilical_core::Kind;

use super::pairs::{LONGEST_LINE, Voice, What, nothing, say};
use super::{Dialect, Host, Line, Part};

/// See the module's documentation.
#[derive(Default)]
pub(super) struct Teltonika {
    /// Answers that are awaited: what each is, or nothing for one that does not matter.
    awaited: VecDeque<Option<What>>,
    modem: Option<String>,
}

impl Dialect for Teltonika {
    fn name(&self) -> &'static str {
        "teltonika"
    }

    fn line(&mut self, line: Line<'_>, host: &mut Host<'_, '_>) -> bool {
        let (n, text) = (line.n, line.text.trim());
        if text.len() > LONGEST_LINE {
            return false;
        }
        if let Some((_, options)) = text.split_once("gsmctl ") {
            self.ask(options);
            host.fact(Part::HOST, n, Kind::HostMaker, "Teltonika");
            return true;
        }
        if self.awaited.is_empty() || text.is_empty() {
            return false;
        }
        // The next prompt: what was not answered will not be.
        if text.starts_with(['#', '$', '>']) || (text.contains('@') && text.contains(['#', '$'])) {
            self.awaited.clear();
            return false;
        }
        let what = self.awaited.pop_front().flatten();
        if let Some(what) = what.filter(|_| !nothing(text) && !text.to_ascii_lowercase().contains("error")) {
            let router = ["RUT", "TRB", "OTD", "TCR", "TAP", "TSW"].iter().any(|f| text.starts_with(f));
            let fits = text.len() <= 80
                && match what {
                    What::Manufacturer => text.bytes().any(|b| b.is_ascii_alphabetic()) && !text.contains(':'),
                    What::Model => !router && !text.contains(':'),
                    _ => true,
                };
            if fits {
                let key = self.modem.as_deref().map_or_else(|| "modem".to_owned(), |m| format!("modem:{m}"));
                let part = host.part(&key);
                say(host, part, n, what, text, Voice::MODEM);
                host.fact(part, n, Kind::Cellular, "gsmctl answers");
            }
        }
        true
    }
}

impl Teltonika {
    fn ask(&mut self, options: &str) {
        self.awaited.clear();
        self.modem = None;
        let mut words = options.split_whitespace().take(32);
        while let Some(word) = words.next() {
            let letters: Vec<&str> = match word {
                "--model" => vec!["m"],
                "--manuf" => vec!["w"],
                "--revision" => vec!["y"],
                "--imei" => vec!["i"],
                "--serial" => vec!["a"],
                "--imsi" => vec!["x"],
                "--iccid" => vec!["J"],
                "-O" | "-N" | "-M" | "--modem" => {
                    self.modem = words.next().map(|m| m.trim_matches(['"', '\'']).chars().take(20).collect());
                    continue;
                }
                w if w.starts_with("--") => vec!["?"],
                // Alone or bundled: `-mwyi`.
                w => w.strip_prefix('-').map(|l| l.split("").filter(|c| !c.is_empty()).take(16).collect()).unwrap_or_default(),
            };
            for letter in letters {
                self.awaited.push_back(match letter {
                    "m" => Some(What::Model),
                    "w" => Some(What::Manufacturer),
                    "y" => Some(What::Revision),
                    "i" => Some(What::Imei),
                    "a" => Some(What::ModemSerial),
                    "x" => Some(What::Imsi),
                    "J" => Some(What::Iccid),
                    // Free commands, text messages, lists: their answers are others' business.
                    "A" | "S" | "E" | "l" | "d" => {
                        self.awaited.clear();
                        return;
                    }
                    _ => None,
                });
            }
        }
        self.awaited.truncate(16);
    }
}
