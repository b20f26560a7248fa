//! Kismet's device export: a JSON array of devices, or one device a line (ekjson). Field names have points, or
//! underscores in their place.

use std::fmt;
use std::io::{self, BufRead};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use umbilical_core::air::{Heard, RadioKind};
use umbilical_core::number::mac;
use umbilical_core::{At, Observations};

use super::{Survey, dbm, kept, kind};
use crate::source::for_each_line;
use crate::{Context, Head, Reader, Source};

/// The reader of Kismet's JSON.
pub struct KismetJson;

impl Reader for KismetJson {
    fn name(&self) -> &'static str {
        "kismet-json"
    }

    fn about(&self) -> &'static str {
        "Kismet's device export as JSON (kismetdb_dump_devices, ekjson)."
    }

    fn sniff(&self, head: &Head<'_>) -> u8 {
        let text = head.text.as_deref().unwrap_or_default();
        let begins = text.trim_start().starts_with(['[', '{']);
        let named = |name: &str| text.contains(name);
        if begins && (named("\"kismet.device.base.macaddr\"") || named("\"kismet_device_base_macaddr\"")) { 98 } else { 0 }
    }

    fn read(&self, source: &mut Source<'_>, _: &Context<'_>, out: &mut Observations) -> io::Result<()> {
        let unit = out.unit("device");
        let lines = source.head("").bytes.iter().copied().find(|b| !b.is_ascii_whitespace()) == Some(b'{');
        let mut survey = Survey::new(out);
        let mut text = source.utf8();
        if lines {
            return by_line(&mut *text, &mut survey);
        }
        let mut n = 0u32;
        let mut each = |device: Device| {
            n = n.saturating_add(1);
            device.keep(At { unit, n }, &mut survey);
        };
        let mut json = serde_json::Deserializer::from_reader(text);
        let read = json.deserialize_seq(Devices(&mut each));
        if let Err(error) = read {
            if error.is_io() {
                return Err(error.into());
            }
            survey
                .out
                .problem(At { unit, n: n.saturating_add(1) }, format!("the export breaks off here ({error}): what stands before is read"));
        }
        Ok(())
    }
}

fn by_line(text: &mut dyn BufRead, survey: &mut Survey<'_>) -> io::Result<()> {
    for_each_line(text, |line| {
        let trimmed = line.text.trim();
        if trimmed.is_empty() {
            return;
        }
        let mut json = serde_json::Deserializer::from_str(trimmed);
        match One.deserialize(&mut json) {
            Ok(device) => device.keep(At::line(line.n), survey),
            Err(error) => survey.out.problem(At::line(line.n), format!("this line is no device of Kismet ({error}): not read")),
        }
    })
}

/// What is used of a device.
#[derive(Default)]
struct Device {
    address: String,
    phy: String,
    role: String,
    name: String,
    maker: String,
    signal: Option<i32>,
    first: String,
    last: String,
}

impl Device {
    fn keep(self, at: At, survey: &mut Survey<'_>) {
        let Some(address) = mac(&self.address) else {
            survey.out.problem(at, "this device has no hardware address: not read");
            return;
        };
        let phy = kind(&self.phy);
        let kind = if phy == RadioKind::Other { kind(&self.role) } else { phy };
        survey.add(Heard {
            input: 0,
            at,
            kind,
            name: kept(&self.name).filter(|n| **n != *self.address),
            address: address.into(),
            role: kept(&self.role),
            maker: kept(&self.maker).filter(|m| **m != *"Unknown"),
            dbm: self.signal,
            first: kept(&self.first),
            last: kept(&self.last),
        });
    }
}

struct Devices<'e>(&'e mut dyn FnMut(Device));

impl<'de> Visitor<'de> for Devices<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of devices")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(device) = list.next_element_seed(One)? {
            (self.0)(device);
        }
        Ok(())
    }
}

/// One device.
struct One;

impl<'de> DeserializeSeed<'de> for One {
    type Value = Device;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Device, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for One {
    type Value = Device;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a device")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Device, A::Error> {
        let mut out = Device::default();
        while let Some(name) = map.next_key::<String>()? {
            let name = name.replace('_', ".");
            let text = match name.strip_prefix("kismet.device.base.") {
                Some("macaddr") => &mut out.address,
                Some("phyname") => &mut out.phy,
                Some("type") => &mut out.role,
                Some("manuf") => &mut out.maker,
                Some("first.time") => &mut out.first,
                Some("last.time") => &mut out.last,
                Some("name" | "commonname") => {
                    let Text(found) = map.next_value()?;
                    if out.name.is_empty() {
                        out.name = found;
                    }
                    continue;
                }
                Some("signal") => {
                    let Signal(found) = map.next_value()?;
                    out.signal = found;
                    continue;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            let Text(found) = map.next_value()?;
            *text = found;
        }
        Ok(out)
    }
}

/// A text or number as text; anything else as nothing.
struct Text(String);

impl<'de> serde::Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self(match serde_json::Value::deserialize(from)? {
            serde_json::Value::String(text) => text,
            serde_json::Value::Number(n) => n.to_string(),
            _ => String::new(),
        }))
    }
}

/// The strongest signal of the record about signals.
struct Signal(Option<i32>);

impl<'de> serde::Deserialize<'de> for Signal {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let found = serde_json::Value::deserialize(from)?;
        let names = [
            "kismet.common.signal.max_signal",
            "kismet_common_signal_max_signal",
            "kismet.common.signal.last_signal",
            "kismet_common_signal_last_signal",
        ];
        Ok(Self(names.iter().find_map(|n| dbm(&found.get(*n)?.to_string()))))
    }
}
