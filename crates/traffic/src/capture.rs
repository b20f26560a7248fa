//! Captures: pcap in its four byte orders and its modified form, and pcapng with any number of sections and interfaces, as a stream of frames.
//!
//! A capture that breaks off gives what stood before the break, and says where it broke (the classic way for one to end: the
//! program that wrote it was killed).

use std::io::{BufRead, BufReader, Read};

use pcap_parser::nom::{self, Needed};
use pcap_parser::pcapng::{InterfaceDescriptionBlock, OptionCode};
use pcap_parser::traits::{PcapNGPacketBlock as _, PcapReaderIterator as _};
use pcap_parser::{
    Block, IDB_MAGIC, LegacyPcapBlock, PcapBlockOwned, PcapError, PcapNGReader, parse_pcap_frame, parse_pcap_frame_be,
    parse_pcap_frame_modified, parse_pcap_header,
};

use crate::link::Link;
use crate::time::Micros;

/// A frame as it was captured.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Its number in the capture, from 1, as every other tool counts.
    pub number: u64,
    /// When it was seen.
    pub at: Micros,
    /// How it begins.
    pub link: Link,
    /// As much of it as was kept.
    pub bytes: &'a [u8],
    /// How long it was.
    pub length: u32,
}

/// How a capture ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// Frames that were read.
    pub frames: u64,
    /// What is wrong with it, with the number of the frame behind which it stands.
    pub broken: Option<String>,
}

/// What keeps a capture from being read at all.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// It is something else.
    #[error("this is no capture: neither pcap nor pcapng begins so")]
    Other,
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Io(#[from] std::io::Error),
}

/// Frames are at most a quarter of a megabyte (libpcap's `MAXIMUM_SNAPLEN`), and a block of pcapng holds one with its options.
const BUFFER: usize = 1 << 20;
/// Bytes that are unpacked at once: what was just written is still in a processor's second cache when it is decoded.
const PIECE: usize = 1 << 17;
/// Bytes by which a form is known.
const MAGIC: usize = 4;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Whether times have nanoseconds.
    Pcap {
        nanos: bool,
    },
    Pcapng,
}

fn form(head: &[u8]) -> Option<Form> {
    let magic: [u8; MAGIC] = head.get(..MAGIC)?.try_into().ok()?;
    match u32::from_be_bytes(magic) {
        0xa1b2_c3d4 | 0xd4c3_b2a1 | 0xa1b2_cd34 | 0x34cd_b2a1 => Some(Form::Pcap { nanos: false }),
        0xa1b2_3c4d | 0x4d3c_b2a1 => Some(Form::Pcap { nanos: true }),
        0x0a0d_0d0a => Some(Form::Pcapng),
        _ => None,
    }
}

/// Whether these are the first bytes of a capture.
pub fn begins(head: &[u8]) -> bool {
    form(head).is_some()
}

/// An input that was packed with gzip or zstd, unpacked; any other as it is.
pub fn unpacked<'r>(mut from: impl BufRead + 'r) -> Result<Box<dyn BufRead + 'r>, std::io::Error> {
    let mut head = Vec::new();
    from.by_ref().take(4).read_to_end(&mut head)?;
    let whole = std::io::Cursor::new(head.clone()).chain(from);
    Ok(match &*head {
        [0x1f, 0x8b, ..] => Box::new(BufReader::with_capacity(PIECE, flate2::read::MultiGzDecoder::new(whole))),
        [0x28, 0xb5, 0x2f, 0xfd] => Box::new(BufReader::with_capacity(PIECE, zstd::Decoder::with_buffer(whole)?)),
        _ => Box::new(whole),
    })
}

/// Gives each frame of a capture to `each`.
pub fn read<R: BufRead>(mut from: R, each: &mut dyn FnMut(Frame<'_>)) -> Result<End, CaptureError> {
    // The parser wants all of the first block in its first read; a pipe may give less.
    let mut head = Vec::new();
    let mut more = |head: &mut Vec<u8>, upto: usize| {
        let missing = upto.saturating_sub(head.len());
        from.by_ref().take(missing as u64).read_to_end(head)
    };
    more(&mut head, 12)?;
    match form(&head).ok_or(CaptureError::Other)? {
        Form::Pcap { nanos } => {
            more(&mut head, 24)?;
            match Classic::new(&head, nanos) {
                Some(form) => Ok(pcap(form, from, each)?),
                None => Ok(broken(0, &PcapError::<&[u8]>::UnexpectedEof)),
            }
        }
        Form::Pcapng => {
            let first = section(&head).min(BUFFER / 2);
            more(&mut head, first)?;
            let mut from = Failing { from: head.chain(from), failed: None };
            let end = pcapng(&mut from, each);
            from.failed.map_or(Ok(end), |error| Err(error.into()))
        }
    }
}

/// The length of the block that begins a section, in the byte order that it names behind it.
fn section(head: &[u8]) -> usize {
    let word = |at: usize| head.get(at..).and_then(|b| b.first_chunk::<4>()).copied().unwrap_or_default();
    let length = if word(8) == [0x1a, 0x2b, 0x3c, 0x4d] { u32::from_be_bytes(word(4)) } else { u32::from_le_bytes(word(4)) };
    usize::try_from(length).unwrap_or(usize::MAX)
}

/// The parser keeps that reading failed, and not why.
struct Failing<R> {
    from: R,
    failed: Option<std::io::Error>,
}

impl<R: Read> Read for Failing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            match self.from.read(buffer) {
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => {
                    self.failed = Some(e);
                    return Ok(0);
                }
                Ok(n) => return Ok(n),
            }
        }
    }
}

fn broken<T: std::fmt::Debug>(frames: u64, error: &PcapError<T>) -> End {
    let what = match error {
        PcapError::UnexpectedEof | PcapError::Incomplete(_) => "it breaks off in the middle of a frame",
        PcapError::BufferTooSmall => "a frame says that it is longer than any frame can be",
        _ => "what follows is no frame",
    };
    End { frames, broken: Some(format!("{what}, behind frame {frames}")) }
}

type Parsed<'a> = nom::IResult<&'a [u8], LegacyPcapBlock<'a>, PcapError<&'a [u8]>>;

/// How a capture of the classic form writes its frames.
struct Classic {
    parse: fn(&[u8]) -> Parsed<'_>,
    nanos: bool,
    link: Link,
    frames: u64,
}

impl Classic {
    fn new(head: &[u8], nanos: bool) -> Option<Self> {
        let (_, header) = parse_pcap_header(head).ok()?;
        let parse = match (header.is_modified_format(), header.is_bigendian()) {
            (true, _) => parse_pcap_frame_modified,
            (false, true) => parse_pcap_frame_be,
            (false, false) => parse_pcap_frame,
        };
        // Upper bits say how long a frame check sequence is.
        Some(Self { parse, nanos, link: Link(header.network.0 & 0x0fff_ffff), frames: 0 })
    }

    /// Gives those that are whole: how many bytes they have, and how many more the next one needs at least.
    fn whole(&mut self, bytes: &[u8], each: &mut dyn FnMut(Frame<'_>)) -> (usize, Result<usize, End>) {
        let mut left = bytes;
        loop {
            match (self.parse)(left) {
                Ok((behind, frame)) => {
                    left = behind;
                    self.frames = self.frames.saturating_add(1);
                    let fraction = if self.nanos { frame.ts_usec / 1000 } else { frame.ts_usec };
                    let at = Micros(i64::from(frame.ts_sec).saturating_mul(1_000_000).saturating_add(fraction.into()));
                    each(Frame { number: self.frames, at, link: self.link, bytes: frame.data, length: frame.origlen });
                }
                Err(nom::Err::Incomplete(needed)) => {
                    let more = if let Needed::Size(n) = needed { n.get() } else { 1 };
                    return (bytes.len().saturating_sub(left.len()), Ok(more));
                }
                Err(nom::Err::Error(error) | nom::Err::Failure(error)) => return (bytes.len(), Err(broken(self.frames, &error))),
            }
        }
    }
}

/// Frames are read where they lie; one that the next piece of the input goes on with is put together beside it.
fn pcap<R: BufRead>(mut form: Classic, mut from: R, each: &mut dyn FnMut(Frame<'_>)) -> Result<End, std::io::Error> {
    let (mut torn, mut missing) = (Vec::new(), 0usize);
    loop {
        let piece = match from.fill_buf() {
            Ok(piece) => piece,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if piece.is_empty() {
            let ends = End { frames: form.frames, broken: None };
            return Ok(if torn.is_empty() { ends } else { broken(form.frames, &PcapError::<&[u8]>::UnexpectedEof) });
        }
        let (taken, needed) = if torn.is_empty() {
            let (used, needed) = form.whole(piece, each);
            torn.extend_from_slice(piece.get(used..).unwrap_or_default());
            (piece.len(), needed)
        } else {
            let part = piece.get(..missing).unwrap_or(piece);
            torn.extend_from_slice(part);
            let (used, needed) = form.whole(&torn, each);
            torn.drain(..used);
            (part.len(), needed)
        };
        from.consume(taken);
        missing = match needed {
            Err(end) => return Ok(end),
            Ok(more) if torn.len().saturating_add(more) > BUFFER => {
                return Ok(broken(form.frames, &PcapError::<&[u8]>::BufferTooSmall));
            }
            Ok(more) => more,
        };
    }
}

/// What an interface of a section says.
#[derive(Clone, Copy)]
struct Interface {
    link: Link,
    unit: Unit,
    /// Seconds that are added to each time.
    offset: i64,
    snap: u32,
}

/// What a time counts.
#[derive(Clone, Copy)]
enum Unit {
    /// So many to a second.
    PerSecond(u64),
    /// 2 to the minus this many seconds.
    Halved(u32),
}

impl Interface {
    fn new(block: &InterfaceDescriptionBlock<'_>) -> Self {
        let option = |code| block.options.iter().find(|o| o.code == code).map(|o| o.value.as_ref());
        // if_tsresol: the top bit chooses the base (draft-ietf-opsawg-pcapng, 4.2).
        let unit = match option(OptionCode::IfTsresol).and_then(|v| v.first().copied()) {
            None => Unit::PerSecond(1_000_000),
            Some(n) if n & 0x80 != 0 => Unit::Halved(u32::from(n & 0x7f).min(63)),
            Some(n) => Unit::PerSecond(10u64.checked_pow(n.into()).unwrap_or(u64::MAX)),
        };
        let offset = option(OptionCode::IfTsoffset).and_then(|v| v.get(..8)).and_then(|v| <[u8; 8]>::try_from(v).ok());
        let offset = offset.map_or(0, |v| if block.block_type != IDB_MAGIC { i64::from_be_bytes(v) } else { i64::from_le_bytes(v) });
        Self { link: Link(block.linktype.0), unit, offset, snap: block.snaplen }
    }

    fn time(&self, high: u32, low: u32) -> Micros {
        let ticks = u128::from(high) << 32 | u128::from(low);
        let micros = match self.unit {
            Unit::PerSecond(n) => ticks.saturating_mul(1_000_000) / u128::from(n.max(1)),
            Unit::Halved(n) => ticks.saturating_mul(1_000_000) >> n,
        };
        Micros(i64::try_from(micros).unwrap_or(i64::MAX).saturating_add(self.offset.saturating_mul(1_000_000)))
    }
}

fn pcapng<R: Read>(from: R, each: &mut dyn FnMut(Frame<'_>)) -> End {
    let mut reader = match PcapNGReader::new(BUFFER, from) {
        Ok(reader) => reader,
        Err(error) => return broken(0, &error),
    };
    let mut frames = 0u64;
    let mut interfaces: Vec<Interface> = Vec::new();
    let mut last = Micros(0);
    loop {
        let (length, block) = match reader.next() {
            Ok(next) => next,
            Err(PcapError::Eof) => return End { frames, broken: None },
            Err(PcapError::Incomplete(_)) => {
                let before = reader.data().len();
                if reader.refill().is_err() {
                    return End { frames, broken: None };
                }
                if reader.data().len() == before && !reader.reader_exhausted() {
                    return broken(frames, &PcapError::<&[u8]>::BufferTooSmall);
                }
                continue;
            }
            Err(error) => return broken(frames, &error),
        };
        match block {
            PcapBlockOwned::NG(Block::SectionHeader(_)) => interfaces.clear(),
            PcapBlockOwned::NG(Block::InterfaceDescription(block)) => interfaces.push(Interface::new(&block)),
            PcapBlockOwned::NG(Block::EnhancedPacket(block)) => {
                frames = frames.saturating_add(1);
                if let Some(interface) = interfaces.get(block.if_id as usize) {
                    last = interface.time(block.ts_high, block.ts_low);
                    each(Frame { number: frames, at: last, link: interface.link, bytes: block.packet_data(), length: block.origlen });
                }
            }
            // Of the first interface, without a time: it came no earlier than the one before it.
            PcapBlockOwned::NG(Block::SimplePacket(block)) => {
                frames = frames.saturating_add(1);
                if let Some(interface) = interfaces.first() {
                    let cut = if interface.snap == 0 { block.origlen } else { block.origlen.min(interface.snap) };
                    let bytes = block.data.get(..cut as usize).unwrap_or(block.data);
                    each(Frame { number: frames, at: last, link: interface.link, bytes, length: block.origlen });
                }
            }
            _ => {}
        }
        reader.consume(length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pcap of frames in a byte order.
    fn pcap_of(big: bool, nanos: bool, frames: &[(u32, u32, &[u8])]) -> Vec<u8> {
        let (w4, w2) = if big {
            (u32::to_be_bytes as fn(u32) -> [u8; 4], u16::to_be_bytes as fn(u16) -> [u8; 2])
        } else {
            (u32::to_le_bytes as fn(u32) -> [u8; 4], u16::to_le_bytes as fn(u16) -> [u8; 2])
        };
        let mut out = w4(if nanos { 0xa1b2_3c4d } else { 0xa1b2_c3d4 }).to_vec();
        out.extend([w2(2), w2(4)].concat());
        out.extend([w4(0), w4(0), w4(65535), w4(1)].concat());
        for (s, f, bytes) in frames {
            out.extend([w4(*s), w4(*f), w4(bytes.len() as u32), w4(bytes.len() as u32)].concat());
            out.extend(*bytes);
        }
        out
    }

    fn all(bytes: &[u8]) -> (Vec<(u64, i64, Vec<u8>)>, End) {
        let mut seen = Vec::new();
        let end = read(bytes, &mut |f| seen.push((f.number, f.at.0, f.bytes.to_vec()))).unwrap();
        (seen, end)
    }

    #[test]
    fn every_byte_order_and_resolution() {
        for big in [false, true] {
            for (nanos, fraction) in [(false, 250_000), (true, 250_000_999)] {
                let (seen, end) = all(&pcap_of(big, nanos, &[(7, fraction, b"abc"), (8, 0, b"")]));
                assert_eq!(seen, [(1, 7_250_000, b"abc".to_vec()), (2, 8_000_000, Vec::new())], "{big} {nanos}");
                assert_eq!(end, End { frames: 2, broken: None });
            }
        }
    }

    #[test]
    fn what_breaks_off_gives_what_stands_before() {
        let whole = pcap_of(false, false, &[(7, 0, b"abc"), (8, 0, b"defg")]);
        for cut in 24..whole.len() {
            let (seen, end) = all(&whole[..cut]);
            let n = usize::from(cut >= 43);
            assert_eq!(seen.len(), n, "{cut}");
            assert_eq!(end.broken.is_some(), cut != 24 && cut != 43, "{cut} {end:?}");
        }
        // A length that no frame has ends it, and takes no memory.
        let mut long = whole;
        long[43 + 8..43 + 12].copy_from_slice(&u32::MAX.to_le_bytes());
        let (seen, end) = all(&long);
        assert_eq!(
            (seen.len(), end.broken.unwrap()),
            (1, "a frame says that it is longer than any frame can be, behind frame 1".to_owned())
        );
    }

    #[test]
    fn what_is_no_capture_says_so() {
        for bytes in [&b""[..], b"\xd4\xc3", b"GET / HTTP/1.1"] {
            assert!(matches!(read(bytes, &mut |_| {}), Err(CaptureError::Other)), "{bytes:?}");
        }
    }

    fn block(kind: u32, body: &[u8]) -> Vec<u8> {
        let length = (body.len() + 12) as u32;
        [&kind.to_le_bytes()[..], &length.to_le_bytes(), body, &length.to_le_bytes()].concat()
    }

    #[test]
    fn interfaces_have_their_own_clocks() {
        let mut file = block(0x0a0d_0d0a, &[&0x1a2b_3c4du32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xff; 8]].concat());
        // Ethernet in 2^-10 s, 100 s later than it says; then Linux cooked in microseconds.
        let resolution = [&9u16.to_le_bytes()[..], &1u16.to_le_bytes(), &[0x8a, 0, 0, 0]].concat();
        let offset = [&14u16.to_le_bytes()[..], &8u16.to_le_bytes(), &100i64.to_le_bytes()].concat();
        file.extend(block(1, &[&1u16.to_le_bytes()[..], &[0, 0], &[0; 4], &resolution, &offset, &[0; 4]].concat()));
        file.extend(block(1, &[&113u16.to_le_bytes()[..], &[0, 0], &[0; 4]].concat()));
        let packet = |interface: u32, low: u32| {
            let head = [interface, 0, low, 3, 9].map(u32::to_le_bytes).concat();
            block(6, &[&head[..], b"abc\0"].concat())
        };
        file.extend(packet(0, 1536));
        file.extend(packet(1, 2_000_001));
        file.extend(packet(7, 0));
        file.extend(block(3, &[&3u32.to_le_bytes()[..], b"xyz\0"].concat()));
        let mut seen = Vec::new();
        let end = read(&file[..], &mut |f| seen.push((f.number, f.at.0, f.link.0, f.bytes.to_vec(), f.length))).unwrap();
        let wanted =
            [(1, 101_500_000, 1, b"abc".to_vec(), 9), (2, 2_000_001, 113, b"abc".to_vec(), 9), (4, 2_000_001, 1, b"xyz".to_vec(), 3)];
        assert_eq!(seen, wanted);
        assert_eq!(end, End { frames: 4, broken: None });
    }
}
