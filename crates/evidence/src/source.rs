//! The bytes of one artefact: a peeked head, then a stream; text decoded from whatever encoding, lines capped.

use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, Read};

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use sha2::{Digest, Sha256};
use umbilical_core::id::hex;

/// How much of an artefact is looked at to recognise it.
pub const HEAD: usize = 64 * 1024;
/// The longest line of text that is read; the rest of a longer one is skipped and reported.
pub const MAX_LINE: usize = 1 << 20;

/// The beginning of an artefact, for recognition.
pub struct Head<'a> {
    /// At most [`HEAD`] bytes.
    pub bytes: &'a [u8],
    /// The same as text, if it is text at all (few control characters after decoding).
    pub text: Option<Cow<'a, str>>,
    /// Whether the artefact ends inside the head.
    pub whole: bool,
    /// Last component of the path; for information, never decisive.
    pub name: &'a str,
}

/// An artefact being read. Its SHA-256 is computed as it streams by.
pub struct Source<'a> {
    inner: BufReader<Hashing<'a>>,
    encoding: &'static Encoding,
    /// The line on which the text first was not what its encoding allows.
    broken: Option<u32>,
}

struct Hashing<'a> {
    inner: Box<dyn Read + 'a>,
    hash: Sha256,
    bytes: u64,
}

impl Read for Hashing<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        if let Some(read) = buf.get(..n) {
            self.hash.update(read);
        }
        self.bytes = self.bytes.saturating_add(n as u64);
        Ok(n)
    }
}

impl<'a> Source<'a> {
    /// A source over any stream; reads the head.
    pub fn new(mut inner: Box<dyn Read + 'a>) -> io::Result<Self> {
        // One `read` may return less than there is (pipes): collect the head first, then put it before the rest.
        let mut head = Vec::with_capacity(HEAD);
        inner.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
        let encoding = guess_encoding(&head);
        let hashing = Hashing { inner: Box::new(io::Cursor::new(head).chain(inner)), hash: Sha256::new(), bytes: 0 };
        let mut inner = BufReader::with_capacity(HEAD, hashing);
        inner.fill_buf()?;
        Ok(Self { inner, encoding, broken: None })
    }

    /// The peeked head.
    pub fn head<'s>(&'s self, name: &'s str) -> Head<'s> {
        let bytes = self.inner.buffer();
        Head { bytes, text: decode_head(bytes, self.encoding), whole: bytes.len() < HEAD, name }
    }

    /// The encoding that the head suggests.
    pub fn encoding(&self) -> &'static Encoding {
        self.encoding
    }

    /// The first line read so far on which the text is not in the encoding that its head suggests. Of UTF-8, such lines
    /// are read as windows-1252; of others, what means nothing is replaced.
    pub fn broken(&self) -> Option<u32> {
        self.broken
    }

    /// The raw bytes, streaming.
    pub fn bytes(&mut self) -> &mut dyn BufRead {
        &mut self.inner
    }

    /// All bytes, or `None` when there are more than `max`.
    pub fn all(&mut self, max: u64) -> io::Result<Option<Vec<u8>>> {
        let mut out = Vec::new();
        self.inner.by_ref().take(max.saturating_add(1)).read_to_end(&mut out)?;
        Ok((out.len() as u64 <= max).then_some(out))
    }

    /// The text as UTF-8, streaming.
    pub fn utf8<'s>(&'s mut self) -> Box<dyn BufRead + 's> {
        if self.encoding == UTF_8 {
            if self.inner.buffer().starts_with(b"\xef\xbb\xbf") {
                self.inner.consume(3);
            }
            Box::new(Mending {
                inner: &mut self.inner,
                good: 0,
                held: Vec::new(),
                at: 0,
                carry: Vec::new(),
                seen: Ends::default(),
                broken: &mut self.broken,
            })
        } else {
            let decoding = Decoding {
                decoder: self.encoding.new_decoder(),
                inner: &mut self.inner,
                pending: Vec::new(),
                at: 0,
                done: false,
                seen: Ends::default(),
                broken: &mut self.broken,
            };
            Box::new(BufReader::with_capacity(HEAD, decoding))
        }
    }

    /// Reads what is left and gives the digest (lower-case hex) and the number of bytes.
    pub fn finish(mut self) -> io::Result<(String, u64)> {
        io::copy(&mut self.inner, &mut io::sink())?;
        let Hashing { hash, bytes, .. } = self.inner.into_inner();
        Ok((hex(&hash.finalize()), bytes))
    }
}

/// Line ends that have gone by: LF, or CR in a text that has no other.
#[derive(Default)]
struct Ends {
    lf: usize,
    cr: usize,
}

impl Ends {
    fn pass(&mut self, bytes: &[u8]) {
        self.lf = self.lf.saturating_add(memchr::memchr_iter(b'\n', bytes).count());
        if self.lf == 0 {
            self.cr = self.cr.saturating_add(memchr::memchr_iter(b'\r', bytes).count());
        }
    }

    /// The number of the line that follows.
    fn line(&self) -> u32 {
        let ends = if self.lf > 0 { self.lf } else { self.cr };
        u32::try_from(ends).unwrap_or(u32::MAX).saturating_add(1)
    }
}

/// UTF-8 of which only the head has been looked at. Whole lines that are valid pass as they stand in the buffer; one that
/// is not is read as windows-1252, which gives every byte a meaning. Lines longer than [`MAX_LINE`] pass in pieces.
struct Mending<'s, R> {
    inner: R,
    /// So many bytes of the inner buffer are whole valid lines.
    good: usize,
    /// Text that had to be copied, and how far it has been read.
    held: Vec<u8>,
    at: usize,
    /// The beginning of a character that the end of a piece has cut.
    carry: Vec<u8>,
    seen: Ends,
    broken: &'s mut Option<u32>,
}

impl<R: BufRead> Mending<'_, R> {
    /// Makes more text ready: in `held`, or `good` bytes of the inner buffer; neither at the end.
    fn advance(&mut self) -> io::Result<()> {
        self.held.clear();
        self.at = 0;
        self.held.append(&mut self.carry);
        loop {
            let buffer = self.inner.fill_buf()?;
            if buffer.is_empty() {
                self.mend(true);
                return Ok(());
            }
            let fresh = self.held.is_empty();
            let room = buffer.get(..MAX_LINE.saturating_sub(self.held.len())).unwrap_or(buffer);
            let end = if fresh { memchr::memrchr2(b'\n', b'\r', room) } else { memchr::memchr2(b'\n', b'\r', room) };
            let taken = end.and_then(|end| room.get(..=end)).unwrap_or(room);
            let used = taken.len();
            if fresh && end.is_some() && std::str::from_utf8(taken).is_ok() {
                if self.broken.is_none() {
                    self.seen.pass(taken);
                }
                self.good = used;
                return Ok(());
            }
            self.held.extend_from_slice(taken);
            self.inner.consume(used);
            if end.is_some() || self.held.len() >= MAX_LINE {
                self.mend(end.is_some());
                return Ok(());
            }
        }
    }

    /// Makes what is held UTF-8; `whole` where it ends with a line.
    fn mend(&mut self, whole: bool) {
        if std::str::from_utf8(&self.held).is_ok() {
            if self.broken.is_none() {
                self.seen.pass(&self.held);
            }
            return;
        }
        let mut out = Vec::with_capacity(self.held.len());
        for line in self.held.split_inclusive(|b| matches!(b, b'\n' | b'\r')) {
            match std::str::from_utf8(line) {
                Ok(_) => out.extend_from_slice(line),
                Err(error) if !whole && error.error_len().is_none() => {
                    let (valid, cut) = line.split_at_checked(error.valid_up_to()).unwrap_or((line, &[]));
                    out.extend_from_slice(valid);
                    self.carry.extend_from_slice(cut);
                }
                Err(_) => {
                    self.broken.get_or_insert(self.seen.line());
                    out.extend_from_slice(WINDOWS_1252.decode_without_bom_handling(line).0.as_bytes());
                }
            }
            if self.broken.is_none() {
                self.seen.pass(line);
            }
        }
        self.held = out;
    }
}

impl<R: BufRead> BufRead for Mending<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at >= self.held.len() && self.good == 0 {
            self.advance()?;
        }
        if self.at < self.held.len() {
            return Ok(self.held.get(self.at..).unwrap_or_default());
        }
        if self.good == 0 {
            return Ok(&[]);
        }
        let buffer = self.inner.fill_buf()?;
        Ok(buffer.get(..self.good).unwrap_or(buffer))
    }

    fn consume(&mut self, n: usize) {
        if self.at < self.held.len() {
            self.at = self.at.saturating_add(n);
        } else {
            self.inner.consume(n);
            self.good = self.good.saturating_sub(n);
        }
    }
}

impl<R: BufRead> Read for Mending<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.fill_buf()?.read(buf)?;
        self.consume(n);
        Ok(n)
    }
}

struct Decoding<'s, R> {
    decoder: encoding_rs::Decoder,
    inner: R,
    pending: Vec<u8>,
    at: usize,
    done: bool,
    seen: Ends,
    broken: &'s mut Option<u32>,
}

impl<R: BufRead> Read for Decoding<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.at >= self.pending.len() {
            if self.done {
                return Ok(0);
            }
            let input = self.inner.fill_buf()?;
            let last = input.is_empty();
            let mut text = String::with_capacity(self.decoder.max_utf8_buffer_length(input.len()).unwrap_or(HEAD));
            let (_, read, replaced) = self.decoder.decode_to_string(input, &mut text, last);
            self.inner.consume(read);
            if self.broken.is_none() {
                let sound = text.split('\u{fffd}').next().filter(|_| replaced).unwrap_or(&text);
                self.seen.pass(sound.as_bytes());
                if replaced {
                    *self.broken = Some(self.seen.line());
                }
            }
            self.done = last;
            self.pending = text.into_bytes();
            self.at = 0;
        }
        let rest = self.pending.get(self.at..).unwrap_or_default();
        let n = rest.len().min(buf.len());
        if let (Some(to), Some(from)) = (buf.get_mut(..n), rest.get(..n)) {
            to.copy_from_slice(from);
        }
        self.at = self.at.saturating_add(n);
        Ok(n)
    }
}

/// UTF-8 where it is valid or marked; UTF-16 by its mark or by its zeros; else the detector's guess (GBK, Latin-1 …).
fn guess_encoding(head: &[u8]) -> &'static Encoding {
    if let Some((encoding, _)) = Encoding::for_bom(head) {
        return encoding;
    }
    let pairs = head.len() / 2;
    if pairs >= 2 {
        let zeros = |odd: usize| head.iter().skip(odd).step_by(2).filter(|b| **b == 0).count();
        let (even, odd) = (zeros(0), zeros(1));
        if odd > pairs / 2 && even <= pairs / 20 {
            return UTF_16LE;
        }
        if even > pairs / 2 && odd <= pairs / 20 {
            return UTF_16BE;
        }
    }
    let utf8 = match std::str::from_utf8(head) {
        Ok(_) => true,
        // The head may end inside a character.
        Err(e) => e.error_len().is_none() && head.len().saturating_sub(e.valid_up_to()) < 4,
    };
    if utf8 {
        return UTF_8;
    }
    let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
    detector.feed(head, false);
    detector.guess(None, chardetng::Utf8Detection::Allow)
}

fn decode_head<'a>(bytes: &'a [u8], encoding: &'static Encoding) -> Option<Cow<'a, str>> {
    let (text, _) = encoding.decode_with_bom_removal(bytes);
    let controls = text
        .chars()
        .take(8192)
        .filter(|c| (c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{1b}' | '\u{8}' | '\u{c}' | '\0')) || *c == '\u{fffd}')
        .count();
    let zeros = text.chars().take(8192).filter(|c| *c == '\0').count();
    let seen = text.chars().take(8192).count();
    (controls.saturating_mul(20) <= seen && zeros.saturating_mul(10) <= seen).then_some(text)
}

/// One line of text.
pub struct Line<'a> {
    /// Counted from 1.
    pub n: u32,
    /// Without its line end; invalid bytes replaced; NULs dropped.
    pub text: Cow<'a, str>,
    /// Whether the rest was cut at [`MAX_LINE`].
    pub cut: bool,
}

/// Calls `each` for every line of a text stream; lines end at LF, CRLF or a lone CR.
pub fn for_each_line(reader: &mut dyn BufRead, mut each: impl FnMut(Line<'_>)) -> io::Result<()> {
    let mut line: Vec<u8> = Vec::new();
    let (mut n, mut cut, mut after_cr) = (0u32, false, false);
    let mut give = |line: &mut Vec<u8>, cut: &mut bool| {
        n = n.saturating_add(1);
        line.retain(|b| *b != 0);
        each(Line { n, text: String::from_utf8_lossy(line), cut: *cut });
        line.clear();
        *cut = false;
    };
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            if !line.is_empty() {
                give(&mut line, &mut cut);
            }
            return Ok(());
        }
        let mut rest = buffer;
        while !rest.is_empty() {
            if after_cr {
                after_cr = false;
                if let Some((b'\n', tail)) = rest.split_first() {
                    rest = tail;
                    continue;
                }
            }
            let end = memchr::memchr2(b'\n', b'\r', rest);
            let (chunk, tail) = rest.split_at_checked(end.unwrap_or(rest.len())).unwrap_or((rest, &[]));
            let room = MAX_LINE.saturating_sub(line.len());
            line.extend_from_slice(chunk.get(..room).unwrap_or(chunk));
            cut |= chunk.len() > room;
            rest = tail;
            if let Some((byte, tail)) = rest.split_first() {
                after_cr = *byte == b'\r';
                give(&mut line, &mut cut);
                rest = tail;
            }
        }
        let used = buffer.len();
        reader.consume(used);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(bytes: &[u8]) -> Vec<(u32, String, bool)> {
        let mut out = Vec::new();
        let mut source = Source::new(Box::new(io::Cursor::new(bytes.to_vec()))).unwrap();
        for_each_line(&mut *source.utf8(), |l| out.push((l.n, l.text.into_owned(), l.cut))).unwrap();
        out
    }

    #[test]
    fn line_ends_of_every_kind() {
        let texts: Vec<String> = lines(b"a\nb\r\nc\rd").into_iter().map(|l| l.1).collect();
        assert_eq!(texts, ["a", "b", "c", "d"]);
    }

    #[test]
    fn encodings() {
        let utf16: Vec<u8> = "IMEI\t型号\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(lines(&utf16)[0].1, "IMEI\t型号");
        let (gbk, _, _) = encoding_rs::GBK.encode("设备名称,国际移动设备识别码,型号\n移远通信,广和通,芯讯通无线科技\n");
        assert_eq!(lines(&gbk)[0].1, "设备名称,国际移动设备识别码,型号");
        assert_eq!(lines(b"Ger\xe4tename;IMEI\n")[0].1, "Gerätename;IMEI");
        assert_eq!(lines(b"\xef\xbb\xbfIMEI\n")[0].1, "IMEI");
    }

    /// The lines of a text, and where it is broken.
    fn mended(bytes: &[u8], chunk: usize) -> (Vec<String>, Option<u32>) {
        struct Slow<'b>(&'b [u8], usize);
        impl Read for Slow<'_> {
            fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
                let n = self.1.min(buf.len());
                self.0.read(buf.get_mut(..n).unwrap_or_default())
            }
        }
        let mut out = Vec::new();
        let mut source = Source::new(Box::new(Slow(bytes, chunk))).unwrap();
        for_each_line(&mut *source.utf8(), |l| out.push(l.text.into_owned())).unwrap();
        (out, source.broken())
    }

    #[test]
    fn lines_behind_the_head_that_are_no_utf8_are_read_and_told() {
        let mut bytes = "Gerät;IMEI\n".repeat(HEAD / 12 + 10).into_bytes();
        let before = bytes.iter().filter(|b| **b == b'\n').count();
        bytes.extend_from_slice("gut ü\n".as_bytes());
        bytes.extend_from_slice(b"schlecht \xfc \x80\r\nwieder gut\nnoch \xe4\nEnde \xc3");
        for chunk in [1000, 64 * 1024, 70_001] {
            let (lines, broken) = mended(&bytes, chunk);
            assert_eq!(lines[before..], ["gut ü", "schlecht ü €", "wieder gut", "noch ä", "Ende Ã"], "{chunk}");
            assert_eq!(broken.map(|n| n as usize), Some(before + 2), "{chunk}");
        }
        let whole: usize = bytes.split_inclusive(|b| *b == b'\n').take(before).map(<[u8]>::len).sum();
        assert_eq!(mended(&bytes[..whole], 7000).1, None);
    }

    #[test]
    fn a_long_line_is_mended_in_pieces_that_cut_no_character() {
        // Three bytes each: no power of two is a multiple.
        let text = "設".repeat(MAX_LINE);
        let mut source = Source::new(Box::new(io::Cursor::new(text.clone().into_bytes()))).unwrap();
        let mut read = String::new();
        source.utf8().read_to_string(&mut read).unwrap();
        assert!(read == text && source.broken().is_none());
    }

    #[test]
    fn other_encodings_that_are_broken_are_told() {
        let mut utf16: Vec<u8> = "IMEI\nGer\u{e4}t\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(mended(&utf16, 64).1, None);
        utf16.extend_from_slice(&[0x01, 0xdc, b'x', 0]);
        assert_eq!(mended(&utf16, 64).1, Some(3));
    }

    #[test]
    fn the_hash_is_of_every_byte_however_much_was_read() {
        for len in [0usize, 3, HEAD, HEAD + 1, 3 * HEAD + 7] {
            let bytes = vec![b'x'; len];
            let mut source = Source::new(Box::new(io::Cursor::new(bytes.clone()))).unwrap();
            let mut some = [0u8; 5];
            let _ = source.bytes().read(&mut some).unwrap();
            assert_eq!(source.finish().unwrap(), (hex(&Sha256::digest(&bytes)), len as u64));
        }
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let long = vec![b'a'; MAX_LINE * 3];
        let got = lines(&long);
        assert_eq!((got.len(), got[0].1.len(), got[0].2), (1, MAX_LINE, true));
    }

    proptest! {
        #[test]
        fn whatever_the_reads_the_text_is_the_same(bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'\n'), Just(0xc3), Just(0xa4)], 0..200), chunk in 1usize..50) {
            let head = "a;b\n".repeat(HEAD / 4);
            let bytes = [head.as_bytes(), &bytes].concat();
            prop_assert_eq!(mended(&bytes, chunk.saturating_mul(997)), mended(&bytes, HEAD));
        }

        #[test]
        fn any_bytes_give_lines_and_never_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let got = lines(&bytes);
            prop_assert!(got.iter().enumerate().all(|(i, l)| l.0 as usize == i + 1));
        }
    }
}
