//! The `.netxml` of Kismet and airodump-ng.

use std::io;

use quick_xml::events::Event;
use umbilical_core::air::{Heard, RadioKind};
use umbilical_core::number::mac;
use umbilical_core::{At, Observations};

use super::{Survey, dbm, kept};
use crate::eda::xml::resolve;
use crate::{Context, Head, Reader, Source};

/// The deepest element that is followed.
const DEEPEST: usize = 64;

/// The reader of `.netxml`.
pub struct KismetXml;

impl Reader for KismetXml {
    fn name(&self) -> &'static str {
        "kismet-netxml"
    }

    fn about(&self) -> &'static str {
        "Surveys of Wi-Fi as .netxml of Kismet or airodump-ng."
    }

    fn sniff(&self, head: &Head<'_>) -> u8 {
        let text = head.text.as_deref().unwrap_or_default();
        if text.contains("<detection-run") && text.trim_start_matches('\u{feff}').trim_start().starts_with('<') { 98 } else { 0 }
    }

    fn read(&self, source: &mut Source<'_>, _: &Context<'_>, out: &mut Observations) -> io::Result<()> {
        let unit = out.unit("network");
        let mut survey = Survey::new(out);
        let mut xml = quick_xml::Reader::from_reader(source.utf8());
        let (mut buffer, mut path, mut text): (Vec<u8>, Vec<String>, String) = (Vec::new(), Vec::new(), String::new());
        let (mut network, mut client): (Option<Heard>, Option<Heard>) = (None, None);
        let mut n = 0u32;
        loop {
            buffer.clear();
            let event = match xml.read_event_into(&mut buffer) {
                Ok(event) => event,
                Err(error) => {
                    survey.out.problem(
                        At { unit, n },
                        format!("the survey breaks off behind this network ({error}): what stands before is read"),
                    );
                    break;
                }
            };
            match event {
                Event::Start(tag) => {
                    let name = tag.local_name().as_ref().to_owned();
                    if path.len() >= DEEPEST {
                        survey.out.problem(At { unit, n }, "elements are nested too deep for a survey: the rest is not read");
                        break;
                    }
                    let attribute =
                        |name: &str| tag.attributes().flatten().find(|a| a.key.local_name().as_ref() == name).and_then(|a| kept(&a.value));
                    let begun = |n: u32| Heard {
                        input: 0,
                        at: At { unit, n },
                        kind: RadioKind::Wifi,
                        address: "".into(),
                        name: None,
                        role: None,
                        maker: None,
                        dbm: None,
                        first: attribute("first-time"),
                        last: attribute("last-time"),
                    };
                    match name.as_str() {
                        "wireless-network" => {
                            n = n.saturating_add(1);
                            let role = attribute("type").map(|t| if *t == *"infrastructure" { "access point".into() } else { t });
                            network = Some(Heard { role, ..begun(n) });
                        }
                        "wireless-client" => client = Some(Heard { role: kept("client"), ..begun(n) }),
                        _ => {}
                    }
                    path.push(name);
                    text.clear();
                }
                Event::Text(part) if text.len() < 1000 => text.push_str(&part.xml10_content()),
                Event::GeneralRef(entity) if text.len() < 1000 => text.push_str(&resolve(&entity).unwrap_or_default()),
                Event::End(_) => {
                    let name = path.pop().unwrap_or_default();
                    let open = client.as_mut().or(network.as_mut());
                    if let Some(open) = open {
                        match name.as_str() {
                            "BSSID" | "client-mac" => open.address = mac(&text).unwrap_or_default().into(),
                            "essid" => open.name = open.name.take().or_else(|| kept(&text)),
                            "manuf" | "client-manuf" => open.maker = kept(&text).filter(|m| **m != *"Unknown"),
                            "max_signal_dbm" => open.dbm = dbm(&text),
                            _ => {}
                        }
                    }
                    text.clear();
                    let done = match name.as_str() {
                        "wireless-client" => client.take(),
                        "wireless-network" => network.take(),
                        _ => None,
                    };
                    // An access point's list of clients begins with itself.
                    if let Some(heard) = done.filter(|h| !h.address.is_empty()) {
                        survey.add(heard);
                    }
                }
                Event::Eof => break,
                _ => {}
            }
        }
        Ok(())
    }
}
