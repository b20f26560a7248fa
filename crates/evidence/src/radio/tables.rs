//! Surveys as tables: airodump-ng's CSV with its two sections, the older CSV of Kismet, WiGLE CSV.

use std::io;

use umbilical_core::air::{Heard, RadioKind};
use umbilical_core::number::mac;
use umbilical_core::{At, Observations};

use super::{Survey, dbm, kept, kind};
use crate::source::for_each_line;
use crate::{Context, Head, Reader, Source};

/// The reader of surveys as tables.
pub struct SurveyTable;

/// Which table a head begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// airodump-ng: networks.
    Networks,
    /// airodump-ng: stations.
    Stations,
    /// Kismet and airodump-ng: `Network;NetType;ESSID;BSSID;…`.
    Kismet,
    /// `MAC,SSID,AuthMode,FirstSeen,Channel,RSSI,…,Type`.
    Wigle,
}

fn part(line: &str) -> Option<Part> {
    let line = line.trim_start_matches('\u{feff}').trim_start();
    let begins = |head: &str| line.get(..head.len()).is_some_and(|l| l.eq_ignore_ascii_case(head));
    if begins("BSSID, First time seen,") {
        Some(Part::Networks)
    } else if begins("Station MAC, First time seen,") {
        Some(Part::Stations)
    } else if begins("Network;NetType;ESSID;BSSID;") {
        Some(Part::Kismet)
    } else if begins("MAC,SSID,AuthMode,FirstSeen,") {
        Some(Part::Wigle)
    } else {
        None
    }
}

impl Reader for SurveyTable {
    fn name(&self) -> &'static str {
        "wifi-survey"
    }

    fn about(&self) -> &'static str {
        "Surveys of Wi-Fi and Bluetooth: airodump-ng CSV, Kismet CSV, WiGLE CSV."
    }

    fn sniff(&self, head: &Head<'_>) -> u8 {
        let text = head.text.as_deref().unwrap_or_default();
        if text.lines().take(4).any(|l| part(l).is_some()) { 97 } else { 0 }
    }

    fn read(&self, source: &mut Source<'_>, _: &Context<'_>, out: &mut Observations) -> io::Result<()> {
        let mut survey = Survey::new(out);
        let (mut current, mut heads): (Option<Part>, Vec<String>) = (None, Vec::new());
        let mut format = "";
        for_each_line(&mut *source.utf8(), |line| {
            let text = line.text.trim();
            if let Some(new) = part(text) {
                current = Some(new);
                heads = text.split(separator(new)).map(|h| h.trim().trim_start_matches('\u{feff}').to_ascii_lowercase()).collect();
                format = match new {
                    Part::Networks | Part::Stations => "airodump-csv",
                    Part::Kismet => "kismet-csv",
                    Part::Wigle => "wigle-csv",
                };
                return;
            }
            let Some(part) = current.filter(|_| !text.is_empty()) else { return };
            match row(part, &heads, text, At::line(line.n)) {
                Some(heard) => survey.add(heard),
                None => survey.out.problem(At::line(line.n), "this line has no hardware address where its table has one: not read"),
            }
        })?;
        if let Some(input) = out.inputs.last_mut()
            && !format.is_empty()
        {
            input.format = format.into();
        }
        Ok(())
    }
}

fn separator(part: Part) -> char {
    if part == Part::Kismet { ';' } else { ',' }
}

fn row(part: Part, heads: &[String], line: &str, at: At) -> Option<Heard> {
    let cells: Vec<&str> = line.split(separator(part)).map(str::trim).collect();
    let cell = |name: &str| heads.iter().position(|h| h == name).and_then(|n| cells.get(n)).copied().unwrap_or_default();
    let address = match part {
        Part::Networks | Part::Kismet => cell("bssid"),
        Part::Stations => cell("station mac"),
        Part::Wigle => cell("mac"),
    };
    let heard = Heard {
        input: 0,
        at,
        kind: RadioKind::Wifi,
        address: mac(address)?.into(),
        name: None,
        role: None,
        maker: None,
        dbm: None,
        first: None,
        last: None,
    };
    Some(match part {
        Part::Networks => {
            // A name may hold commas; one column stands behind it.
            let from = heads.iter().position(|h| h == "essid").unwrap_or(13);
            let raw: Vec<&str> = line.split(',').collect();
            let name = raw.get(from..raw.len().saturating_sub(1).max(from)).unwrap_or_default().join(",");
            Heard {
                name: kept(&name),
                role: kept("access point"),
                dbm: dbm(cell("power")),
                first: kept(cell("first time seen")),
                last: kept(cell("last time seen")),
                ..heard
            }
        }
        Part::Stations => Heard {
            name: None,
            role: kept("client"),
            dbm: dbm(cell("power")),
            first: kept(cell("first time seen")),
            last: kept(cell("last time seen")),
            ..heard
        },
        Part::Kismet => Heard {
            name: kept(cell("essid")),
            role: kept(cell("nettype")),
            dbm: dbm(cell("bestsignal")),
            first: kept(cell("firsttime")),
            last: kept(cell("lasttime")),
            ..heard
        },
        Part::Wigle => {
            let word = cell("type");
            // Cells and what else WiGLE maps are no radios of a device.
            let kind = if word.is_empty() { RadioKind::Wifi } else { kind(word) };
            Heard { kind, name: kept(cell("ssid")), dbm: dbm(cell("rssi")), first: kept(cell("firstseen")), ..heard }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_commas_stays_whole() {
        let heads: Vec<String> = "BSSID, First time seen, Last time seen, channel, Speed, Privacy, Cipher, Authentication, Power, # beacons, # IV, LAN IP, ID-length, ESSID, Key"
            .split(',')
            .map(|h| h.trim().to_ascii_lowercase())
            .collect();
        let line =
            "00:1E:42:AA:BB:10, 2026-05-01 10:00:00, 2026-05-01 10:05:00, 6, 130, WPA2, CCMP, PSK, -38, 120, 0, 0. 0. 0. 0, 9, a, b, c, ";
        let heard = row(Part::Networks, &heads, line, At::line(3)).unwrap();
        assert_eq!((&*heard.address, heard.name.as_deref(), heard.dbm), ("00:1e:42:aa:bb:10", Some("a, b, c"), Some(-38)));
        assert!(row(Part::Networks, &heads, "nonsense", At::line(3)).is_none());
    }
}
