//! Protocols that move things: meters, switches, inverters, buildings. Each is told by its content, whatever its port: lengths, fixed
//! bytes and checksums must agree. What is learnt is which it is, and whether it reads or commands.

use super::app::{App, Role};
use crate::bytes::Bytes;

/// What one payload tells.
pub type Told = (App, Option<Role>);

/// Reads a payload of TCP.
pub fn tcp(bytes: &[u8], from_client: bool) -> Option<Told> {
    match bytes {
        [0x05, 0x64, ..] => dnp3(bytes),
        [0x68, ..] => iec104(bytes),
        [3, 0, ..] => mms(bytes),
        // The port in DLMS is never the nothing that stands there in Modbus.
        [0, 1, high, low, ..] if (*high, *low) != (0, 0) => dlms(bytes),
        [_, _, 0, 0, ..] => modbus(bytes, from_client),
        _ => None,
    }
}

/// Reads a payload of UDP.
pub fn udp(bytes: &[u8]) -> Option<Told> {
    match bytes {
        [0x81, ..] => bacnet(bytes),
        [0x05, 0x64, ..] => dnp3(bytes),
        [0, 1, ..] => dlms(bytes),
        _ => None,
    }
}

const MONITOR: Option<Role> = Some(Role::Monitor);
const CONTROL: Option<Role> = Some(Role::Control);

/// Modbus/TCP (Modbus Messaging on TCP/IP 1.0b; Modbus Application Protocol 1.1b3), with the marker of SunSpec where its models begin.
pub fn modbus(bytes: &[u8], from_client: bool) -> Option<Told> {
    let mut head = Bytes(bytes);
    head.u16()?;
    if head.u16()? != 0 {
        return None;
    }
    let length = usize::from(head.u16()?);
    if !(2..=254).contains(&length) {
        return None;
    }
    let mut unit = Bytes(head.take(length)?);
    // One message in a payload, or another behind it.
    if !head.0.is_empty() && head.0.get(2..4) != Some(&[0, 0]) {
        return None;
    }
    unit.u8()?;
    let function = unit.u8()?;
    let body = unit.0;
    let counted = |at: usize| body.get(at).is_some_and(|n| body.len().checked_sub(at) == Some(usize::from(*n).saturating_add(1)));
    if function & 0x80 != 0 {
        // A refusal says why in a byte.
        let known = matches!(function & 0x7f, 1..=8 | 11 | 12 | 15..=17 | 20..=24 | 43);
        return (known && !from_client && body.len() == 1 && body.first().is_some_and(|why| (1..=11).contains(why)))
            .then_some((App::Modbus, None));
    }
    let (fits, role) = match function {
        1..=4 => (if from_client { body.len() == 4 } else { counted(0) }, MONITOR),
        5 | 6 => (body.len() == 4, CONTROL),
        7 | 11 | 12 | 17 => (if from_client { body.is_empty() } else { body.len() <= 252 }, MONITOR),
        8 => (body.len() >= 4, None),
        15 | 16 => (if from_client { counted(4) } else { body.len() == 4 }, CONTROL),
        20 => (counted(0), MONITOR),
        21 => (counted(0), CONTROL),
        22 => (body.len() == 6, CONTROL),
        23 => (if from_client { counted(8) } else { counted(0) }, CONTROL),
        24 => (if from_client { body.len() == 2 } else { body.len() >= 4 }, MONITOR),
        // Identification.
        43 => (matches!(body.first(), Some(13 | 14)), MONITOR),
        _ => (false, None),
    };
    let sunspec = function == 3 && !from_client && body.get(1..5) == Some(b"SunS");
    fits.then_some((if sunspec { App::Sunspec } else { App::Modbus }, role))
}

/// DNP3 (IEEE 1815): a frame with a checksum over its head.
pub fn dnp3(bytes: &[u8]) -> Option<Told> {
    let head = bytes.get(..8)?;
    let [0x05, 0x64, length, ..] = *head else { return None };
    if length < 5 || bytes.get(8..10)? != checksum(head).to_le_bytes() {
        return None;
    }
    // Behind it stand a byte of the transport, which says whether a fragment begins, one of control, and the function.
    let role = match bytes.get(10..) {
        Some([transport, _, function, rest @ ..]) if transport & 0x40 != 0 => match function {
            // Clocks and flags of a restart are written as a matter of course.
            2 if matches!(rest.first(), Some(50 | 51 | 80)) => MONITOR,
            2..=6 | 13..=19 => CONTROL,
            0 => None,
            1 | 7..=12 | 20..=23 | 129 | 130 => MONITOR,
            _ => None,
        },
        _ => None,
    };
    Some((App::Dnp3, role))
}

/// The checksum of DNP3 (IEEE 1815, 9.2.4.3).
pub fn checksum(bytes: &[u8]) -> u16 {
    let mut crc = 0u16;
    for byte in bytes {
        crc ^= u16::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xa6bc } else { crc >> 1 };
        }
    }
    !crc
}

/// IEC 60870-5-104: units that say their length one behind another.
pub fn iec104(bytes: &[u8]) -> Option<Told> {
    let mut rest = Bytes(bytes);
    let (mut units, mut role) = (0u8, None);
    while let Some(start) = rest.u8() {
        // The last one may be cut by the end of a segment.
        let Some(length) = rest.u8() else { break };
        if start != 0x68 || !(4..=253).contains(&length) {
            return None;
        }
        let Some(unit) = rest.take(length.into()) else { break };
        units = units.saturating_add(1);
        match unit {
            // Numbered: its kind, how many objects, why, the station. The kinds of 60870-5-101 and -104.
            [a, _, _, _, kind, _, cause, ..] if a & 1 == 0 && unit.len() >= 10 && (1..=47).contains(&(cause & 0x3f)) => {
                role = role.max(match kind {
                    1..=40 | 70 | 100..=104 | 107 => MONITOR,
                    45..=51 | 58..=64 | 105 | 110..=113 => CONTROL,
                    // Files.
                    120..=127 => None,
                    _ => return None,
                });
            }
            [1, 0, _, _] => {}
            [0x07 | 0x0b | 0x13 | 0x23 | 0x43 | 0x83, 0, 0, 0] => {}
            _ => return None,
        }
    }
    (units > 0).then_some((App::Iec104, role))
}

/// MMS (ISO 9506) over TPKT and COTP (RFC 1006, ISO 8073), as IEC 61850-8-1 has it. Others use the same transport.
pub fn mms(bytes: &[u8]) -> Option<Told> {
    let mut rest = Bytes(bytes);
    let [3, 0] = rest.array()? else { return None };
    let length = usize::from(rest.u16()?);
    let mut packet = Bytes(rest.take(length.checked_sub(4)?)?);
    let head = packet.u8()?;
    // Data, the last piece of it.
    let [0xf0, 0x80] = packet.take(head.into())? else { return None };
    let session = packet.0;
    match session {
        // A connection: the abstract syntax of MMS (1.0.9506.2.1) is among those that are offered.
        [0x0d | 0x0e, ..] => session.windows(5).any(|w| w == [0x28, 0xca, 0x22, 0x02, 0x01]).then_some((App::Mms, None)),
        // Give tokens, data.
        [1, 0, 1, 0, rest @ ..] => {
            let data = inside(rest, 0x61).and_then(|list| inside(list, 0x30))?;
            let mut data = Bytes(data);
            // The context's number, then what is in it.
            let [2, n] = data.array()? else { return None };
            data.take(n.into())?;
            service(inside(data.0, 0xa0)?)
        }
        _ => None,
    }
}

/// What stands in an element of ASN.1 with this tag (X.690), as far as it is here.
fn inside(bytes: &[u8], tag: u8) -> Option<&[u8]> {
    let mut bytes = Bytes(bytes);
    if bytes.u8()? != tag {
        return None;
    }
    let length = match bytes.u8()? {
        0x81 => usize::from(bytes.u8()?),
        0x82 => usize::from(bytes.u16()?),
        n if n < 0x80 => usize::from(n),
        _ => return None,
    };
    Some(bytes.0.get(..length).unwrap_or(bytes.0))
}

/// The service of a request or report.
fn service(pdu: &[u8]) -> Option<Told> {
    let told = |role| Some((App::Mms, role));
    match *pdu.first()? {
        // A request that is confirmed: its number, its service.
        0xa0 => {
            let mut body = Bytes(inside(pdu, 0xa0)?);
            let [2, n] = body.array()? else { return None };
            body.take(n.into())?;
            told(match body.u8()? {
                // Write; start, stop, resume, reset of programs.
                0xa5 => CONTROL,
                _ => MONITOR,
            })
        }
        // Answers, refusals.
        0xa1 | 0xa2 => told(None),
        // Reports.
        0xa3 => told(MONITOR),
        0xa8..=0xad | 0x8b..=0x8d => told(None),
        _ => None,
    }
}

/// DLMS/COSEM behind the wrapper of IP (IEC 62056-47): version, both ports, length.
pub fn dlms(bytes: &[u8]) -> Option<Told> {
    let mut rest = Bytes(bytes);
    let (version, from, to, length) = (rest.u16()?, rest.u16()?, rest.u16()?, usize::from(rest.u16()?));
    if version != 1 || from == 0 || to == 0 || length != rest.0.len() {
        return None;
    }
    let role = match *rest.0.first()? {
        // Association and its end.
        0x60..=0x63 => None,
        // Reading, its answers, what meters send on their own; plain, and with a global or a dedicated key.
        0x05 | 0x0c | 0x0f | 0x18 | 0x25 | 0x2d | 0xc0 | 0xc2 | 0xc4 | 0xc8 | 0xca | 0xcc | 0xd0 | 0xd2 | 0xd4 => MONITOR,
        // An action on the association itself is the second half of its proof of identity.
        0xc3 if rest.0.get(3..5) == Some(&[0, 15]) => None,
        // Writing and acting.
        0x06 | 0x16 | 0x26 | 0x36 | 0xc1 | 0xc3 | 0xc9 | 0xcb | 0xd1 | 0xd3 => CONTROL,
        // Their answers; what says in its ciphertext what it is.
        0x0d | 0x0e | 0xc5 | 0xc7 | 0xcd | 0xcf | 0xd5 | 0xd7 | 0xd8 | 0xdb..=0xdd | 0xe0 => None,
        _ => return None,
    };
    Some((App::Dlms, role))
}

/// BACnet/IP (ANSI/ASHRAE 135, annex J).
pub fn bacnet(bytes: &[u8]) -> Option<Told> {
    let mut rest = Bytes(bytes);
    let [0x81, function] = rest.array()? else { return None };
    if usize::from(rest.u16()?) != bytes.len() {
        return None;
    }
    match function {
        // Whoever passed it on stands before it.
        4 => drop(rest.take(6)?),
        9..=11 => {}
        // Tables and registrations of its own transport.
        0..=3 | 5..=8 | 12 => return Some((App::Bacnet, None)),
        _ => return None,
    }
    let [1, control] = rest.array()? else { return None };
    // Where it goes, where it comes from: network, address.
    for bit in [0x20, 0x08] {
        if control & bit != 0 {
            rest.u16()?;
            let length = rest.u8()?;
            rest.take(length.into())?;
        }
    }
    if control & 0x20 != 0 {
        rest.u8()?;
    }
    // A message of the network layer.
    if control & 0x80 != 0 {
        return Some((App::Bacnet, None));
    }
    let kind = rest.u8()?;
    let role = match kind >> 4 {
        0 => {
            rest.take(if kind & 0x08 != 0 { 4 } else { 2 })?;
            match rest.u8()? {
                // Files, lists, objects and properties are written; a device is told to be silent or to start anew.
                7..=11 | 15..=17 | 20 | 27 => CONTROL,
                _ => MONITOR,
            }
        }
        1 => match rest.u8()? {
            // A group is written.
            10 => CONTROL,
            _ => MONITOR,
        },
        2..=7 => None,
        _ => return None,
    };
    Some((App::Bacnet, role))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mbap(body: &[u8]) -> Vec<u8> {
        [&[0x12, 0x34, 0, 0][..], &(body.len() as u16 + 1).to_be_bytes(), &[1], body].concat()
    }

    #[test]
    fn modbus_reads_and_writes() {
        let of = |body: &[u8], from_client| tcp(&mbap(body), from_client);
        assert_eq!(of(&[3, 0, 0, 0, 10], true), Some((App::Modbus, MONITOR)));
        assert_eq!(of(&[3, 4, 0, 1, 0, 2], false), Some((App::Modbus, MONITOR)));
        assert_eq!(of(&[6, 0, 1, 0, 3], true), Some((App::Modbus, CONTROL)));
        assert_eq!(of(&[16, 0, 1, 0, 1, 2, 0, 7], true), Some((App::Modbus, CONTROL)));
        assert_eq!(of(&[0x83, 2], false), Some((App::Modbus, None)));
        assert_eq!(of(&[3, 6, b'S', b'u', b'n', b'S', 0, 1], false), Some((App::Sunspec, MONITOR)));
        for none in [&[3, 0, 0, 0, 10, 0][..], &[16, 0, 1, 0, 1, 3, 0, 7], &[99, 0, 0, 0, 0], &[0x83, 2]] {
            assert_eq!(of(none, true), None, "{none:?}");
        }
    }

    fn frame3(body: &[u8]) -> Vec<u8> {
        let head = [&[0x05, 0x64, body.len() as u8 + 5, 0xc4][..], &[1, 0, 2, 0]].concat();
        [&head[..], &checksum(&head).to_le_bytes(), body, &[0, 0]].concat()
    }

    #[test]
    fn dnp3_asks_and_operates() {
        assert_eq!(
            checksum(&[0x05, 0x64, 0x05, 0xc0, 0x01, 0x00, 0x00, 0x04]).to_le_bytes(),
            [0xe9, 0x21],
            "a frame of the standard's tutorials"
        );
        for (body, role) in [
            (&[0xc0, 0xc1, 1, 60, 2, 6][..], MONITOR),
            (&[0xc0, 0xc1, 5, 12, 1, 0x28], CONTROL),
            (&[0xc0, 0xc1, 2, 80, 1, 0], MONITOR),
            (&[0xc0, 0xc1, 2, 41, 1, 0], CONTROL),
            (&[0xc0, 0xc1, 0], None),
            (&[], None),
        ] {
            assert_eq!(tcp(&frame3(body), true), Some((App::Dnp3, role)), "{body:?}");
        }
        let mut bent = frame3(&[0xc0, 0xc1, 1]);
        bent[9] ^= 1;
        assert_eq!(tcp(&bent, true), None);
    }

    #[test]
    fn iec104_starts_asks_and_commands() {
        let asdu = |kind: u8| [&[0x68, 14, 0, 0, 0, 0, kind, 1, 6, 0, 1, 0, 0, 0, 0][..], &[20]].concat();
        assert_eq!(tcp(&[0x68, 4, 7, 0, 0, 0], true), Some((App::Iec104, None)));
        assert_eq!(tcp(&asdu(100), true), Some((App::Iec104, MONITOR)));
        assert_eq!(tcp(&[asdu(13), asdu(45)].concat(), true), Some((App::Iec104, CONTROL)));
        assert_eq!(tcp(&asdu(99), true), None);
        assert_eq!(tcp(&[0x68, 4, 8, 0, 1, 0], true), None, "numbered, and nothing in it");
        assert_eq!(tcp(b"hello", true), None);
    }

    fn tpkt(session: &[u8]) -> Vec<u8> {
        [&[3, 0][..], &(session.len() as u16 + 7).to_be_bytes(), &[2, 0xf0, 0x80], session].concat()
    }

    #[test]
    fn mms_reads_writes_and_reports() {
        let pdu = |pdu: &[u8]| {
            let n = pdu.len() as u8;
            tpkt(&[&[1, 0, 1, 0, 0x61, n + 7, 0x30, n + 5, 2, 1, 3, 0xa0, n][..], pdu].concat())
        };
        assert_eq!(tcp(&pdu(&[0xa0, 6, 2, 1, 9, 0xa4, 1, 0]), true), Some((App::Mms, MONITOR)));
        assert_eq!(tcp(&pdu(&[0xa0, 6, 2, 1, 9, 0xa5, 1, 0]), true), Some((App::Mms, CONTROL)));
        assert_eq!(tcp(&pdu(&[0xa3, 2, 0xa0, 0]), false), Some((App::Mms, MONITOR)));
        assert_eq!(tcp(&tpkt(&[0x0d, 8, 0x06, 0x05, 0x28, 0xca, 0x22, 0x02, 0x01, 0]), true), Some((App::Mms, None)));
        assert_eq!(tcp(&tpkt(&[0x32, 1, 0, 0, 0, 0, 0, 8]), true), None, "another protocol of this transport");
    }

    #[test]
    fn dlms_gets_and_acts() {
        let of = |apdu: &[u8]| [&[0, 1, 0, 16, 0, 1][..], &(apdu.len() as u16).to_be_bytes(), apdu].concat();
        assert_eq!(tcp(&of(&[0x60, 0x1d, 0xa1]), true), Some((App::Dlms, None)));
        assert_eq!(tcp(&of(&[0xc0, 1, 0xc1, 0, 1, 0, 0, 1, 0, 0, 255, 2, 0]), true), Some((App::Dlms, MONITOR)));
        assert_eq!(
            tcp(&of(&[0xc3, 1, 0xc1, 0, 70, 0, 0, 96, 3, 10, 255, 1, 1]), true),
            Some((App::Dlms, CONTROL)),
            "a meter is disconnected"
        );
        assert_eq!(tcp(&of(&[0xc3, 1, 0xc1, 0, 15, 0, 0, 40, 0, 0, 255, 1, 1]), true), Some((App::Dlms, None)), "an association is proved");
        assert_eq!(udp(&of(&[0x0f, 0, 0, 0, 1])), Some((App::Dlms, MONITOR)));
        assert_eq!(tcp(&[&of(&[0x60, 1])[..], &[0]].concat(), true), None);
    }

    #[test]
    fn bacnet_asks_and_writes() {
        let of = |npdu: &[u8]| [&[0x81, 0x0a][..], &(npdu.len() as u16 + 4).to_be_bytes(), npdu].concat();
        assert_eq!(udp(&of(&[1, 0x20, 0xff, 0xff, 0, 0xff, 0x10, 8])), Some((App::Bacnet, MONITOR)));
        assert_eq!(udp(&of(&[1, 4, 0, 5, 1, 12, 0x0c, 0, 0, 0, 1])), Some((App::Bacnet, MONITOR)));
        assert_eq!(udp(&of(&[1, 4, 0, 5, 1, 15, 0x0c, 0, 0, 0, 1])), Some((App::Bacnet, CONTROL)));
        assert_eq!(udp(&of(&[1, 0x80, 0])), Some((App::Bacnet, None)));
        assert_eq!(udp(&[&of(&[1, 0])[..], &[0]].concat()), None);
    }
}
