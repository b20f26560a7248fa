//! What small devices speak: MQTT and CoAP, and LwM2M in the latter. Devices say who they are in the first messages.

use super::app::App;
use crate::bytes::Bytes;

/// A message of MQTT (OASIS 3.1.1 and 5.0; before it had a committee, 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mqtt<'a> {
    /// A client says who it is.
    Connect {
        /// The name that it gives itself; empty: the broker gives it one.
        client: &'a str,
        /// 3, 4 (3.1.1) or 5.
        level: u8,
    },
    /// Something is published under, or asked for by, this topic.
    Topic(&'a str),
    /// Anything else.
    Other,
}

/// Whether a stream begins as MQTT does.
pub fn connects(bytes: &[u8]) -> bool {
    matches!(mqtt(bytes), Some((Mqtt::Connect { .. }, _)))
}

/// The first message of bytes, and what stands behind it. Of one that is cut it is read what is there.
pub fn mqtt(bytes: &[u8]) -> Option<(Mqtt<'_>, &[u8])> {
    let mut rest = Bytes(bytes);
    let first = rest.u8()?;
    let length = varint(&mut rest)?;
    let (body, behind) = rest.0.split_at_checked(length).unwrap_or((rest.0, &[]));
    let mut body = Bytes(body);
    let message = match (first >> 4, first & 0x0f) {
        (1, 0) => {
            let level = match (text(&mut body)?, body.u8()?) {
                ("MQTT", level @ 4..=5) => level,
                ("MQIsdp", 3) => 3,
                _ => return None,
            };
            body.take(3)?;
            if level == 5 {
                let properties = varint(&mut body)?;
                body.take(properties)?;
            }
            Mqtt::Connect { client: text(&mut body)?, level }
        }
        (3, flags) if flags & 6 != 6 => Mqtt::Topic(text(&mut body).filter(|t| named(t))?),
        (8, 2) => {
            body.u16()?;
            let plain = body;
            // Version 5 has properties before the first topic: those that are usual are none.
            match text(&mut body) {
                Some(topic) if named(topic) => Mqtt::Topic(topic),
                _ => {
                    body = plain;
                    let properties = varint(&mut body)?;
                    body.take(properties)?;
                    Mqtt::Topic(text(&mut body).filter(|t| named(t))?)
                }
            }
        }
        (2 | 4..=15, _) => Mqtt::Other,
        _ => return None,
    };
    Some((message, behind))
}

/// Whether a text can be a topic.
fn named(topic: &str) -> bool {
    !topic.is_empty() && !topic.chars().any(char::is_control)
}

/// A number in one to four bytes.
fn varint(bytes: &mut Bytes<'_>) -> Option<usize> {
    let mut value = 0usize;
    for shift in [0, 7, 14, 21] {
        let byte = bytes.u8()?;
        value |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn text<'a>(bytes: &mut Bytes<'a>) -> Option<&'a str> {
    let length = bytes.u16()?;
    std::str::from_utf8(bytes.take(length.into())?).ok()
}

/// A request of CoAP (RFC 7252).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coap {
    /// The host that is asked for.
    pub host: Option<String>,
    /// The path, with its query behind `?`.
    pub path: String,
    /// The name that a client of LwM2M registers under (OMA LwM2M, 6.2).
    pub endpoint: Option<String>,
}

impl Coap {
    /// CoAP, or LwM2M on top of it.
    pub fn app(&self) -> App {
        if self.endpoint.is_some() { App::Lwm2m } else { App::Coap }
    }
}

/// The registered port, and that of its secure form.
pub const COAP: [u16; 2] = [5683, 5684];

/// Options of a message that are followed.
const OPTIONS: usize = 32;

/// Reads a message; `None` for what is none. A message that asks for nothing by name is told from noise by its port alone (`known`).
pub fn coap(bytes: &[u8], known: bool) -> Option<Coap> {
    let mut rest = Bytes(bytes);
    let [first, code] = rest.array()?;
    let token = first & 0x0f;
    let (class, detail) = (code >> 5, code & 0x1f);
    // Version 1; empty, a method, or an answer.
    let shape = matches!((class, detail), (0, 0..=7) | (2, 1..=5 | 31) | (4, 0..=15 | 22) | (5, 0..=5));
    if first >> 6 != 1 || token > 8 || !shape {
        return None;
    }
    rest.u16()?;
    rest.take(token.into())?;
    if code == 0 {
        return (known && bytes.len() == 4).then(Coap::default);
    }
    let mut out = Coap::default();
    let (mut number, mut query) = (0u32, Vec::new());
    for n in 0.. {
        let Some(head) = rest.u8() else { break };
        if head == 0xff {
            // A payload, which is not empty.
            rest.0.first()?;
            break;
        }
        if n > OPTIONS {
            return None;
        }
        number = number.checked_add(extended(head >> 4, &mut rest)?)?;
        let length = extended(head & 0x0f, &mut rest)?;
        let value = rest.take(usize::try_from(length).ok()?)?;
        match number {
            3 => out.host = Some(std::str::from_utf8(value).ok()?.to_ascii_lowercase()),
            11 => {
                out.path.push('/');
                out.path.push_str(std::str::from_utf8(value).ok()?);
            }
            15 => query.push(std::str::from_utf8(value).ok()?),
            // Every option that is registered, with room for what is to come.
            _ if number > 65_000 => return None,
            _ => {}
        }
    }
    let asks = class == 0 && !out.path.is_empty() && out.path.bytes().all(|b| (0x20..0x7f).contains(&b));
    if !asks && !known {
        return None;
    }
    if code == 2 && out.path == "/rd" {
        out.endpoint = query.iter().find_map(|q| q.strip_prefix("ep=")).map(str::to_owned);
    }
    if !query.is_empty() {
        out.path.push('?');
        out.path.push_str(&query.join("&"));
    }
    Some(out)
}

/// RFC 7252, 3.1.
fn extended(half: u8, rest: &mut Bytes<'_>) -> Option<u32> {
    match half {
        13 => u32::from(rest.u8()?).checked_add(13),
        14 => u32::from(rest.u16()?).checked_add(269),
        15 => None,
        n => Some(n.into()),
    }
}

/// Whether a datagram is one of TLS over datagrams (RFC 6347, 4.1): handshake, data, an alert, or a connection with an identifier.
pub fn dtls(bytes: &[u8]) -> bool {
    let [20..=25, 0xfe, 0xff | 0xfd, rest @ ..] = bytes else { return false };
    let length = crate::link::u16_at(rest, 8).map(usize::from);
    length.is_some_and(|n| n > 0 && rest.len().checked_sub(10).is_some_and(|here| n <= here))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<u8> {
        [&(text.len() as u16).to_be_bytes()[..], text.as_bytes()].concat()
    }

    fn message(first: u8, body: &[u8]) -> Vec<u8> {
        [&[first, body.len() as u8][..], body].concat()
    }

    #[test]
    fn clients_say_who_they_are() {
        let four = message(0x10, &[&words("MQTT")[..], &[4, 2, 0, 60], &words("meter-17")].concat());
        let five = message(0x10, &[&words("MQTT")[..], &[5, 2, 0, 60, 3, 0x21, 0, 9], &words("meter-17")].concat());
        let three = message(0x10, &[&words("MQIsdp")[..], &[3, 2, 0, 60], &words("meter-17")].concat());
        for (bytes, level) in [(&four, 4), (&five, 5), (&three, 3)] {
            assert_eq!(mqtt(bytes), Some((Mqtt::Connect { client: "meter-17", level }, &[][..])));
            assert!(connects(bytes) && !connects(&bytes[1..]));
        }
        let both = [message(0x31, &[&words("a/b")[..], b"21"].concat()), message(0xc0, &[])].concat();
        let (first, behind) = mqtt(&both).unwrap();
        assert_eq!((first, mqtt(behind).unwrap().0), (Mqtt::Topic("a/b"), Mqtt::Other));
        let asks = message(0x82, &[&[0, 1][..], &words("c/#"), &[0]].concat());
        let asks5 = message(0x82, &[&[0, 1, 0][..], &words("c/#"), &[0]].concat());
        assert_eq!((mqtt(&asks).unwrap().0, mqtt(&asks5).unwrap().0), (Mqtt::Topic("c/#"), Mqtt::Topic("c/#")));
    }

    fn option(delta: u8, value: &[u8]) -> Vec<u8> {
        match value.len() {
            n @ 0..13 => [&[delta << 4 | n as u8][..], value].concat(),
            n => [&[delta << 4 | 13, n as u8 - 13][..], value].concat(),
        }
    }

    #[test]
    fn a_registration_names_its_endpoint() {
        let bytes = [
            &[0x44, 2, 0, 1, 9, 9, 9, 9][..],
            &option(11, b"rd"),
            &option(4, b"ep=urn:imei:867698040000179"),
            &option(0, b"lt=86400"),
            &[0xff],
            b"</1/0>",
        ]
        .concat();
        let read = coap(&bytes, false).unwrap();
        assert_eq!(read.endpoint.as_deref(), Some("urn:imei:867698040000179"));
        assert_eq!((read.path.as_str(), read.app()), ("/rd?ep=urn:imei:867698040000179&lt=86400", App::Lwm2m));
        let get = [&[0x40, 1, 0, 2][..], &option(3, b"Hub.example"), &option(8, b"light"), &option(0, b"2")].concat();
        let read = coap(&get, false).unwrap();
        assert_eq!((read.host.as_deref(), read.path.as_str(), read.app()), (Some("hub.example"), "/light/2", App::Coap));
    }

    #[test]
    fn what_names_nothing_needs_its_port() {
        let answer = [0x60, 0x45, 0, 1, 0xff, b'2'];
        assert_eq!(coap(&answer, false), None);
        assert_eq!(coap(&answer, true), Some(Coap::default()));
        assert_eq!(coap(&[0x40, 0, 0, 1], true), Some(Coap::default()));
        for none in [&[0x80, 1, 0, 1][..], &[0x49, 1, 0, 1], &[0x40, 0xe0, 0, 1], &[0x40, 1, 0, 1, 0xf0], &[0x40, 1, 0, 1, 0xff]] {
            assert_eq!(coap(none, true), None, "{none:?}");
        }
    }

    #[test]
    fn datagrams_of_tls() {
        let hello = [&[22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2][..], &[1, 0]].concat();
        assert!(dtls(&hello) && !dtls(&hello[..14]) && !dtls(&[22, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
    }
}
