//! Audits as documents: the last one in the home, or what `audit --format json` wrote. They are read back one device at a
//! time: a fleet's document may be larger than memory.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use sha2::{Digest as _, Sha256};
use umbilical_core::answer::{Audit, Device, Trace};
use umbilical_core::observation::Input;

use crate::fail::Fail;

/// How a document of an audit begins.
const BEGINS: &str = "{\"schema\":\"umbilical.audit/";

/// Whether a file is the document of an audit.
pub fn is_audit(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = path.is_file() && File::open(path).is_ok_and(|f| f.take(256).read_to_end(&mut head).is_ok());
    let text: String = String::from_utf8_lossy(&head).chars().filter(|c| !c.is_whitespace()).collect();
    read && text.starts_with(BEGINS)
}

/// A document of an audit without its devices, and itself as an input.
pub fn head(path: &Path) -> Result<(Audit, Input), Fail> {
    let mut devices = 0u64;
    let audit = read(path, &mut |_| devices = devices.saturating_add(1))?;
    let mut hash = Hash(Sha256::new());
    let mut copy = || io::copy(&mut File::open(path)?, &mut hash);
    let bytes = copy().map_err(|source| Fail::Input { path: path.to_path_buf(), source })?;
    let sha256 = umbilical_core::id::hex(&hash.0.finalize());
    let path = path.display().to_string();
    Ok((audit, Input { path, format: "umbilical-audit".into(), sha256, observations: devices, bytes, mapping: Vec::new() }))
}

struct Hash(Sha256);

impl io::Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The day of a saved audit, from its head: what is written of it has to name the day before the first device.
pub fn day(path: &Path) -> Result<String, Fail> {
    let bad = |what: String| Fail::Home { what, help: Some("run `umbilical audit PATH…` first, or name the evidence".into()) };
    let mut head = Vec::new();
    let read = File::open(path).and_then(|f| f.take(4096).read_to_end(&mut head));
    read.map_err(|e| bad(format!("no saved audit at {}: {e}", path.display())))?;
    let text = String::from_utf8_lossy(&head);
    let behind = text.split_once("\"as_of\"").map(|(_, rest)| rest.trim_start_matches([':', ' ']));
    let day = behind.and_then(|b| b.strip_prefix('"')?.get(..10)).filter(|d| d.parse::<umbilical_core::Day>().is_ok());
    day.map(str::to_owned).ok_or_else(|| bad(format!("the saved audit {} does not say its day", path.display())))
}

/// Calls `each` for every device of a saved audit; the rest of the document is given at the end.
pub fn read(path: &Path, each: &mut dyn FnMut(Device)) -> Result<Audit, Fail> {
    let bad =
        |what: String| Fail::Home { what, help: Some("run `umbilical audit PATH…` first, or name the evidence behind the id".into()) };
    let file = File::open(path).map_err(|e| bad(format!("no saved audit at {}: {e}", path.display())))?;
    let mut json = serde_json::Deserializer::from_reader(BufReader::with_capacity(1 << 16, file));
    let rest =
        json.deserialize_map(Document { each }).map_err(|e| bad(format!("the saved audit {} cannot be read: {e}", path.display())))?;
    serde_json::from_value(rest).map_err(|e| bad(format!("the saved audit {} cannot be read: {e}", path.display())))
}

struct Document<'e> {
    each: &'e mut dyn FnMut(Device),
}

impl<'de> Visitor<'de> for Document<'_> {
    type Value = serde_json::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an audit document")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<serde_json::Value, M::Error> {
        let mut rest = serde_json::Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if key == "devices" {
                // They stand last, behind the organisations that they name by id.
                let known = rest.get("organisations").cloned().unwrap_or_default();
                let organisations: Vec<Trace> = serde_json::from_value(known).map_err(M::Error::custom)?;
                map.next_value_seed(Devices { each: self.each, organisations: organisations.into_iter().map(Arc::new).collect() })?;
            } else {
                rest.insert(key, map.next_value()?);
            }
        }
        Ok(rest.into())
    }
}

struct Devices<'e> {
    each: &'e mut dyn FnMut(Device),
    organisations: Vec<Arc<Trace>>,
}

impl<'de> DeserializeSeed<'de> for Devices<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Devices<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of devices")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<(), S::Error> {
        while let Some(mut device) = seq.next_element::<Device>()? {
            device.fill(&self.organisations);
            (self.each)(device);
        }
        Ok(())
    }
}
