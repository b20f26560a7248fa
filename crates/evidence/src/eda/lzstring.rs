//! The compression of the JavaScript library lz-string in its base64 form: LZ78 over UTF-16, codes of growing width, bits
//! from the highest of each six.

/// The six bits of a base64 digit.
fn six(digit: u8) -> Option<u8> {
    let (base, from) = match digit {
        b'A'..=b'Z' => (b'A', 0),
        b'a'..=b'z' => (b'a', 26),
        b'0'..=b'9' => (b'0', 52),
        b'+' => (b'+', 62),
        b'/' => (b'/', 63),
        _ => return None,
    };
    digit.checked_sub(base)?.checked_add(from)
}

struct Bits<'a> {
    text: &'a [u8],
    at: usize,
    held: u32,
    left: u32,
}

impl Bits<'_> {
    /// A number of so many bits, the lowest first; `None` where the text ends.
    fn take(&mut self, width: u32) -> Option<u32> {
        let mut number = 0u32;
        for i in 0..width.min(31) {
            if self.left == 0 {
                let byte = *self.text.get(self.at)?;
                self.at = self.at.saturating_add(1);
                self.held = u32::from(six(byte)?);
                self.left = 6;
            }
            self.left = self.left.saturating_sub(1);
            number |= (self.held >> self.left & 1) << i;
        }
        Some(number)
    }
}

/// The text, or what is wrong with it. At most `max` UTF-16 units come out.
pub(super) fn decompress(base64: &[u8], max: usize) -> Result<String, &'static str> {
    const CUT: &str = "the compressed data end too early";
    let mut bits = Bits { text: base64, at: 0, held: 0, left: 0 };
    let mut out: Vec<u16> = Vec::new();
    // A word of the dictionary is a piece of what has come out already: where it begins, how long it is. Codes 0 to 2 are
    // marks: a character of 8 bits, one of 16, the end.
    let mut words: Vec<(usize, usize)> = vec![(0, 0); 3];
    // So many codes may still be given at this width.
    let (mut width, mut room) = (2u32, 4usize);
    let mut last: Option<(usize, usize)> = None;
    let mut first = true;
    loop {
        let code = bits.take(width).ok_or(CUT)?;
        let literal = match code {
            0 => Some(bits.take(8).ok_or(CUT)?),
            1 => Some(bits.take(16).ok_or(CUT)?),
            2 => break,
            _ => None,
        };
        let start = out.len();
        let give = |room: &mut usize, width: &mut u32| {
            *room = room.saturating_sub(1);
            if *room == 0 {
                *room = 1usize.checked_shl(*width).unwrap_or(usize::MAX);
                *width = width.saturating_add(1);
            }
        };
        let entry = if let Some(unit) = literal {
            out.push(u16::try_from(unit).map_err(|_| CUT)?);
            let entry = (start, 1);
            words.push(entry);
            if first {
                // The first character opens the dictionary: widths are counted from three bits on.
                (width, room) = (3, 4);
            } else {
                give(&mut room, &mut width);
            }
            entry
        } else {
            let code = usize::try_from(code).map_err(|_| CUT)?;
            let (from, len) = match words.get(code) {
                Some(word) => *word,
                // The word that is being made: the last one and its own first character.
                None if code == words.len() => {
                    let (from, len) = last.ok_or("the compressed data begin with a word that nothing gave")?;
                    (from, len.saturating_add(1))
                }
                None => return Err("the compressed data name a word that nothing gave"),
            };
            if out.len().saturating_add(len) > max {
                return Err("more data come out than any board has");
            }
            for i in 0..len {
                // The piece may reach into what it makes.
                let unit = out.get(from.saturating_add(i)).copied().ok_or(CUT)?;
                out.push(unit);
            }
            (start, len)
        };
        if let Some((from, len)) = last {
            words.push((from, len.saturating_add(1)));
            give(&mut room, &mut width);
        }
        first = false;
        last = Some(entry);
        if out.len() > max {
            return Err("more data come out than any board has");
        }
    }
    Ok(char::decode_utf16(out).map(|c| c.unwrap_or('\u{fffd}')).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_library_packed_comes_out() {
        // Packed by lz-string 1.5.0.
        let text = format!("modem modem modem Ω SIM7600 {}", "ab".repeat(40));
        let packed = b"LYewJgpsAEqTcrUJXA0DKBJAsgdgGwAMB0AhgEbmUXVW0312MPNOvNA=";
        assert_eq!(decompress(packed, 1000).as_deref(), Ok(text.as_str()));
        assert_eq!(decompress(b"Q===", 1000).as_deref(), Ok(""));
        assert_eq!(decompress(b"IZA=", 1000).as_deref(), Ok("a"));
        assert!(decompress(packed, text.chars().count() - 1).is_err());
    }

    #[test]
    fn any_text_ends() {
        for len in 0..200usize {
            for seed in 0..20usize {
                let text: Vec<u8> = (0..len).map(|i| b"ABCDxyz059+/"[(i * 7 + seed * 31 + i * i) % 12]).collect();
                let _ = decompress(&text, 10_000);
            }
        }
    }
}
