//! 802.11, as far as IP: data frames that are not encrypted (IEEE 802.11-2020, 9.2.4 and 9.3.2).

use super::{DEPTH, typed, u16_at};

/// A frame behind a radiotap header (radiotap.org): its third and fourth byte are its length, the lower byte first.
pub(super) fn radiotap(bytes: &[u8]) -> Option<&[u8]> {
    let length = bytes.get(2..)?.first_chunk::<2>().map(|b| u16::from_le_bytes(*b))?;
    frame(bytes.get(usize::from(length)..)?)
}

pub(super) fn frame(bytes: &[u8]) -> Option<&[u8]> {
    let [control, flags] = *bytes.first_chunk::<2>()?;
    let data = control & 0x0c == 0x08;
    let (empty, encrypted) = (control & 0x40 != 0, flags & 0x40 != 0);
    if !data || empty || encrypted {
        return None;
    }
    let mut head = 24;
    // From one bridge to another it has a fourth address.
    if flags & 0x03 == 0x03 {
        head += 6;
    }
    if control & 0x80 != 0 {
        head += 2;
        // High throughput control.
        if flags & 0x80 != 0 {
            head += 4;
        }
    }
    let body = bytes.get(head..)?;
    match body.first_chunk::<6>()? {
        [0xaa, 0xaa, 0x03, 0, 0, 0] => typed(u16_at(body, 6)?, body.get(8..)?, DEPTH),
        _ => None,
    }
}
