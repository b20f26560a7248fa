//! Captures: pcap in its four byte orders and its modified form, and pcapng with any number of sections and interfaces, as a stream of frames.
//!
//! A capture that breaks off gives what stood before the break, and says where it broke (the classic way for one to end: the
//! program that wrote it was killed).

use std::io::{self, BufRead, BufReader, Read};

use pcap_parser::nom::{self, Needed};
use pcap_parser::pcapng::{InterfaceDescriptionBlock, OptionCode, parse_block_be, parse_block_le};
use pcap_parser::{
    Block, IDB_MAGIC, LegacyPcapBlock, PcapError, parse_pcap_frame, parse_pcap_frame_be, parse_pcap_frame_modified, parse_pcap_header,
};

use crate::cellular::tunnel::{Inside, Tunnelled};
use crate::flow::Key;
use crate::link::{Link, ip};
use crate::packet::{Datagram, Packet, Place, datagram};
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
    Io(#[from] io::Error),
}

/// Frames are at most a quarter of a megabyte (libpcap's `MAXIMUM_SNAPLEN`), and a block of pcapng holds one with its options.
const LONGEST: usize = 1 << 20;
/// Bytes that are read at once: what was just read or unpacked is still in a processor's second cache when it is decoded.
pub const PIECE: usize = 1 << 17;

/// How a section of pcapng begins, in either order of its bytes.
const SECTION: u32 = 0x0a0d_0d0a;
/// How a pcap begins in either order, and a modified one in the order in which there are any.
const MICROS: [u32; 3] = [0xa1b2_c3d4, 0xd4c3_b2a1, 0x34cd_b2a1];
/// How one begins whose times have nanoseconds.
const NANOS: [u32; 2] = [0xa1b2_3c4d, 0x4d3c_b2a1];

fn magic(head: &[u8]) -> Option<u32> {
    head.first_chunk().map(|magic| u32::from_be_bytes(*magic))
}

/// Whether these are the first bytes of a capture.
pub fn begins(head: &[u8]) -> bool {
    magic(head).is_some_and(|magic| magic == SECTION || MICROS.contains(&magic) || NANOS.contains(&magic))
}

/// An input that was packed with gzip or zstd, unpacked; any other as it is.
pub fn unpacked<'r>(mut from: impl BufRead + Send + 'r) -> io::Result<Box<dyn BufRead + Send + 'r>> {
    let mut head = Vec::new();
    from.by_ref().take(4).read_to_end(&mut head)?;
    let whole = io::Cursor::new(head.clone()).chain(from);
    Ok(match &*head {
        [0x1f, 0x8b, ..] => Box::new(BufReader::with_capacity(PIECE, flate2::read::MultiGzDecoder::new(whole))),
        [0x28, 0xb5, 0x2f, 0xfd] => Box::new(BufReader::with_capacity(PIECE, zstd::Decoder::with_buffer(whole)?)),
        _ => Box::new(whole),
    })
}

/// Gives each frame of a capture to `each`.
pub fn read(from: impl Read, each: &mut dyn FnMut(Frame<'_>)) -> Result<End, CaptureError> {
    let (mut reader, mut batch) = (Reader::new(from, PIECE), Batch::default());
    while reader.next(&mut batch)? {
        batch.each(|frame, _| each(*frame));
    }
    Ok(reader.end())
}

/// A piece of a capture and the frames in it. One thread can take them apart, and another watch them.
#[derive(Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    frames: Vec<Placed>,
    /// What the IP packet in each frame carries, and how many packets of `inside` are in its tunnels; empty: nobody took them apart.
    packets: Vec<(Option<Packet<Place>>, u8)>,
    inside: Vec<Tunnelled>,
}

/// A frame, with where its bytes stand in the piece.
#[derive(Debug)]
struct Placed {
    number: u64,
    at: Micros,
    link: Link,
    length: u32,
    bytes: Place,
}

/// What is in a frame.
#[derive(Clone, Debug)]
pub enum Content<'a> {
    /// Nobody has looked.
    Sealed,
    /// This IP packet, and those in its tunnels.
    Packet(Datagram<'a>, Inside<'a>),
    /// No IP.
    Other,
}

impl Batch {
    /// Takes its frames apart, which whoever watches them does otherwise.
    pub fn open(&mut self) {
        let Self { bytes: piece, frames, packets, inside } = self;
        packets.extend(frames.iter().map(|frame| {
            let (mut last, before) = (ip(frame.link, frame.bytes.within(piece)).and_then(datagram), inside.len());
            let placed = |packet: &Datagram<'_>| packet.with(Place::of(packet.payload, piece));
            let mut packet = last.as_ref().map(placed);
            let mut tunnels = Inside::default();
            while let Some((teid, inner)) = last.and_then(|packet| tunnels.next(&packet)) {
                inside.push((teid, placed(&inner)));
                last = Some(inner);
            }
            // What is in no tunnel, or in the innermost, is looked for by its number.
            let innermost = inside.get_mut(before..).and_then(<[_]>::last_mut).map(|(_, inner)| inner).or(packet.as_mut());
            innermost.into_iter().for_each(|packet| packet.number = Some(Key::of(packet).number()));
            (packet, inside.len().saturating_sub(before) as u8)
        }));
    }

    /// Gives each frame, and what is in it.
    pub fn each(&self, mut each: impl FnMut(&Frame<'_>, Content<'_>)) {
        let (mut packets, mut inside) = (self.packets.iter(), &*self.inside);
        for &Placed { number, at, link, length, bytes } in &self.frames {
            let frame = Frame { number, at, link, bytes: bytes.within(&self.bytes), length };
            match packets.next() {
                None => each(&frame, Content::Sealed),
                Some((None, _)) => each(&frame, Content::Other),
                Some((Some(packet), tunnels)) => {
                    let (own, rest) = inside.split_at_checked((*tunnels).into()).unwrap_or_default();
                    inside = rest;
                    let packet = packet.with(packet.payload.within(&self.bytes));
                    each(&frame, Content::Packet(packet, Inside::found(own, &self.bytes)));
                }
            }
        }
    }
}

/// Reads a capture piece by piece.
#[derive(Debug)]
pub struct Reader<R> {
    from: R,
    /// How many bytes a piece has.
    size: usize,
    form: Option<Form>,
    frames: u64,
    /// What the last piece had of a frame that the next one goes on with.
    torn: Vec<u8>,
    over: bool,
    broken: Option<String>,
    failed: Option<io::Error>,
}

impl<R: Read> Reader<R> {
    /// In pieces of about so many bytes, [`PIECE`] at least.
    pub fn new(from: R, size: usize) -> Self {
        Self { from, size, form: None, frames: 0, torn: Vec::new(), over: false, broken: None, failed: None }
    }

    /// The next piece in place of another; whether there was one. It may hold no frame that is whole. An input that is no capture is
    /// [`CaptureError::Other`]; what cannot be read on is told behind what could be.
    pub fn next(&mut self, batch: &mut Batch) -> Result<bool, CaptureError> {
        let Batch { bytes, frames, packets, inside } = batch;
        frames.clear();
        packets.clear();
        inside.clear();
        // What stands behind those that were read means nothing, and is not cleared each time. A long frame that comes in small parts is not
        // copied with each of them.
        bytes.resize(bytes.len().max(self.size).max(self.torn.len().saturating_mul(2).saturating_add(PIECE)), 0);
        let (mut held, mut used) = (self.torn.len(), 0);
        if let Some(begin) = bytes.get_mut(..held) {
            begin.copy_from_slice(&self.torn);
        }
        self.torn.clear();
        while !self.over && self.failed.is_none() {
            let Some(room) = bytes.get_mut(held..).and_then(|room| room.get_mut(..PIECE)) else { break };
            let read = match self.from.read(room) {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    self.failed = Some(error);
                    break;
                }
            };
            held = held.saturating_add(read);
            let piece = bytes.get(..held).unwrap_or_default();
            used = self.take(piece, used, frames)?;
            if read == 0 {
                self.over = true;
                if self.form.is_none() && !begins(piece) {
                    return Err(CaptureError::Other);
                }
                if used < held && self.broken.is_none() {
                    self.breaks(&PcapError::<&[u8]>::UnexpectedEof);
                }
            }
            // A pipe may not have more yet.
            if (read < PIECE || held >= self.size) && !frames.is_empty() {
                break;
            }
        }
        self.torn.extend_from_slice(bytes.get(used..held).unwrap_or_default());
        match self.failed.take() {
            Some(error) if frames.is_empty() => Err(error.into()),
            failed => {
                self.failed = failed;
                Ok(!frames.is_empty() || !self.over)
            }
        }
    }

    /// Finds the frames that are whole behind where it was; gives how far that is.
    fn take(&mut self, piece: &[u8], used: usize, frames: &mut Vec<Placed>) -> Result<usize, CaptureError> {
        let mut left = piece.get(used..).unwrap_or_default();
        if self.form.is_none() {
            self.form = Form::of(&mut left)?;
        }
        let Some(form) = &mut self.form else { return Ok(used) };
        let mut put = |frame: Frame<'_>| {
            let Frame { number, at, link, bytes, length } = frame;
            frames.push(Placed { number, at, link, length, bytes: Place::of(bytes, piece) });
        };
        let wrong = loop {
            match form.one(left, &mut self.frames, &mut put) {
                Ok((behind, ())) => left = behind,
                Err(nom::Err::Incomplete(Needed::Size(more))) if left.len().saturating_add(more.get()) > LONGEST => {
                    break Some(PcapError::BufferTooSmall);
                }
                Err(nom::Err::Incomplete(_)) => break None,
                Err(nom::Err::Error(error) | nom::Err::Failure(error)) => break Some(error),
            }
        };
        if let Some(wrong) = wrong {
            self.over = true;
            self.breaks(&wrong);
        }
        Ok(piece.len().saturating_sub(left.len()))
    }

    fn breaks<T: std::fmt::Debug>(&mut self, error: &PcapError<T>) {
        let what = match error {
            PcapError::UnexpectedEof | PcapError::Incomplete(_) => "it breaks off in the middle of a frame",
            PcapError::BufferTooSmall => "a frame says that it is longer than any frame can be",
            _ => "what follows is no frame",
        };
        self.broken = Some(format!("{what}, behind frame {}", self.frames));
    }

    /// How it ended.
    pub fn end(self) -> End {
        End { frames: self.frames, broken: self.broken }
    }
}

type Parsed<'a, T> = nom::IResult<&'a [u8], T, PcapError<&'a [u8]>>;

/// How a capture writes its frames.
#[derive(Debug)]
enum Form {
    Classic(Classic),
    Blocks(Blocks),
}

impl Form {
    /// Of a capture that begins so; what that takes of its bytes is gone then. `None`: it takes more.
    fn of(head: &mut &[u8]) -> Result<Option<Self>, CaptureError> {
        match magic(head) {
            Some(SECTION) => return Ok(Some(Self::Blocks(Blocks::default()))),
            Some(_) if begins(head) => {}
            Some(_) => return Err(CaptureError::Other),
            None => return Ok(None),
        }
        let nanos = magic(head).is_some_and(|magic| NANOS.contains(&magic));
        match parse_pcap_header(head) {
            Ok((behind, header)) => {
                let parse = match (header.is_modified_format(), header.is_bigendian()) {
                    (true, _) => parse_pcap_frame_modified,
                    (false, true) => parse_pcap_frame_be,
                    (false, false) => parse_pcap_frame,
                };
                *head = behind;
                // Upper bits say how long a frame check sequence is.
                Ok(Some(Self::Classic(Classic { parse, nanos, link: Link(header.network.0 & 0x0fff_ffff) })))
            }
            Err(nom::Err::Incomplete(_)) => Ok(None),
            Err(_) => Err(CaptureError::Other),
        }
    }

    /// What stands next: a frame, if it is one.
    fn one<'b>(&mut self, bytes: &'b [u8], frames: &mut u64, each: &mut impl FnMut(Frame<'b>)) -> Parsed<'b, ()> {
        match self {
            Self::Classic(form) => form.one(bytes, frames, each),
            Self::Blocks(form) => form.one(bytes, frames, each),
        }
    }
}

/// The classic form.
struct Classic {
    parse: fn(&[u8]) -> Parsed<'_, LegacyPcapBlock<'_>>,
    nanos: bool,
    link: Link,
}

impl std::fmt::Debug for Classic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Classic").field("nanos", &self.nanos).field("link", &self.link).finish_non_exhaustive()
    }
}

impl Classic {
    fn one<'b>(&self, bytes: &'b [u8], frames: &mut u64, each: &mut impl FnMut(Frame<'b>)) -> Parsed<'b, ()> {
        let (behind, frame) = (self.parse)(bytes)?;
        *frames = frames.saturating_add(1);
        let fraction = if self.nanos { frame.ts_usec / 1000 } else { frame.ts_usec };
        let at = Micros(i64::from(frame.ts_sec).saturating_mul(1_000_000).saturating_add(fraction.into()));
        each(Frame { number: *frames, at, link: self.link, bytes: frame.data, length: frame.origlen });
        Ok((behind, ()))
    }
}

/// What an interface of a section says.
#[derive(Clone, Copy, Debug)]
struct Interface {
    link: Link,
    unit: Unit,
    /// Seconds that are added to each time.
    offset: i64,
    snap: u32,
}

/// What a time counts.
#[derive(Clone, Copy, Debug)]
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

/// The form in blocks.
#[derive(Debug, Default)]
struct Blocks {
    /// Whether the first byte of a number is its highest.
    big: bool,
    interfaces: Vec<Interface>,
    /// When the last frame was seen.
    last: Micros,
}

impl Blocks {
    fn one<'b>(&mut self, bytes: &'b [u8], frames: &mut u64, each: &mut impl FnMut(Frame<'b>)) -> Parsed<'b, ()> {
        let (behind, block) = if self.big { parse_block_be(bytes)? } else { parse_block_le(bytes)? };
        match block {
            Block::SectionHeader(section) => {
                self.big = section.big_endian();
                self.interfaces.clear();
            }
            Block::InterfaceDescription(block) => self.interfaces.push(Interface::new(&block)),
            Block::EnhancedPacket(block) => {
                *frames = frames.saturating_add(1);
                if let Some(interface) = self.interfaces.get(block.if_id as usize) {
                    self.last = interface.time(block.ts_high, block.ts_low);
                    let kept = block.data.get(..block.caplen as usize).unwrap_or(block.data);
                    each(Frame { number: *frames, at: self.last, link: interface.link, bytes: kept, length: block.origlen });
                }
            }
            // Of the first interface, without a time: it came no earlier than the one before it.
            Block::SimplePacket(block) => {
                *frames = frames.saturating_add(1);
                if let Some(interface) = self.interfaces.first() {
                    let cut = if interface.snap == 0 { block.origlen } else { block.origlen.min(interface.snap) };
                    let bytes = block.data.get(..cut as usize).unwrap_or(block.data);
                    each(Frame { number: *frames, at: self.last, link: interface.link, bytes, length: block.origlen });
                }
            }
            _ => {}
        }
        Ok((behind, ()))
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

    /// Gives so many bytes at once, each behind an interruption, and fails at the end if it is to.
    struct Dribbles<'a>(&'a [u8], usize, bool, bool);

    impl Read for Dribbles<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.3 = !self.3;
            if self.3 {
                return Err(io::ErrorKind::Interrupted.into());
            }
            if self.0.is_empty() && self.2 {
                return Err(io::Error::other("torn"));
            }
            let n = self.0.len().min(buffer.len()).min(self.1);
            let (now, later) = self.0.split_at(n);
            buffer[..n].copy_from_slice(now);
            self.0 = later;
            Ok(n)
        }
    }

    /// A section of pcapng in an order of bytes, one interface of this link, frames of these lengths.
    fn section_of(big: bool, link: u16, lengths: &[usize]) -> Vec<u8> {
        let w2 = |n: u16| if big { n.to_be_bytes() } else { n.to_le_bytes() };
        let w4 = |n: u32| if big { n.to_be_bytes() } else { n.to_le_bytes() };
        let put = |kind: u32, body: &[u8]| [&w4(kind)[..], &w4(body.len() as u32 + 12), body, &w4(body.len() as u32 + 12)].concat();
        let mut out = put(SECTION, &[&w4(0x1a2b_3c4d)[..], &w2(1), &w2(0), &[0xff; 8]].concat());
        out.extend(put(1, &[&w2(link)[..], &w2(0), &w4(0)].concat()));
        for (n, length) in lengths.iter().enumerate() {
            let head = [0, 0, n as u32, *length as u32, *length as u32].map(w4).concat();
            let mut bytes = vec![n as u8; *length];
            // IPv4, UDP behind it.
            for (to, from) in bytes.iter_mut().zip([0x45, 0, 0, 40, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0, 9, 0, 7, 0, 20])
            {
                *to = from;
            }
            bytes.resize(length.next_multiple_of(4), 0);
            out.extend(put(6, &[head, bytes].concat()));
        }
        out
    }

    #[test]
    fn a_capture_is_the_same_however_its_bytes_come() {
        let lengths = [40, 60, 200_000, 0, 41, 1500, 260_000, 90];
        let blocks = [section_of(false, 101, &lengths), section_of(true, 12, &lengths), section_of(false, 101, &[77])].concat();
        let frames: Vec<Vec<u8>> = lengths.iter().map(|n| vec![*n as u8; *n]).collect();
        let classic = pcap_of(true, true, &frames.iter().map(|f| (1, 2, &f[..])).collect::<Vec<_>>());
        for (whole, count) in [(blocks, 17), (classic, 8)] {
            let seen = |from: Dribbles<'_>, size: usize| {
                let (mut reader, mut batch, mut out) = (Reader::new(from, size), Batch::default(), Vec::new());
                let failed = loop {
                    match reader.next(&mut batch) {
                        Ok(false) => break None,
                        Err(error) => break Some(error.to_string()),
                        Ok(true) => {
                            batch.open();
                            batch.each(|frame, content| {
                                let packet = match content {
                                    Content::Packet(packet, _) => {
                                        assert_eq!(packet.number, Some(Key::of(&packet).number()));
                                        Some(Datagram { number: None, ..packet })
                                    }
                                    Content::Other => None,
                                    Content::Sealed => panic!("it was opened"),
                                };
                                assert_eq!(format!("{packet:?}"), format!("{:?}", ip(frame.link, frame.bytes).and_then(datagram)));
                                let carried = packet.map(|p| p.payload.len());
                                out.push(format!("{} {:?} {:?} {} {carried:?}", frame.number, frame.at, frame.link, frame.length));
                                out.push(format!("{:?}", frame.bytes.iter().map(|b| u64::from(*b)).sum::<u64>()));
                            });
                        }
                    }
                };
                (out, failed, reader.end())
            };
            let wanted = seen(Dribbles(&whole, usize::MAX, false, true), PIECE);
            assert_eq!((wanted.0.len(), &wanted.1, &wanted.2), (2 * count, &None, &End { frames: count as u64, broken: None }));
            for at_once in [17, 4096, 131_071, 131_072, 131_073, usize::MAX] {
                for size in [PIECE, 1 << 20] {
                    assert_eq!(seen(Dribbles(&whole, at_once, false, false), size), wanted, "{at_once} of {size}");
                    // What fails does so behind every frame.
                    let (out, failed, _) = seen(Dribbles(&whole, at_once, true, false), size);
                    assert_eq!((&out, failed.as_deref()), (&wanted.0, Some("cannot be read: torn")), "{at_once} of {size}");
                }
            }
        }
    }

    #[test]
    fn what_came_whole_is_handed_on_before_more_is_asked_for() {
        /// Gives as much as it is asked for, and then pauses.
        struct Pauses<'a>(&'a [u8]);
        impl Read for Pauses<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                assert!(!self.0.is_empty(), "it was asked for more");
                self.0.read(buffer)
            }
        }
        let bytes = vec![0; PIECE - 24 - 16];
        let whole = pcap_of(false, false, &[(1, 0, &bytes)]);
        let (mut reader, mut batch, mut frames) = (Reader::new(Pauses(&whole), PIECE), Batch::default(), 0);
        assert!(reader.next(&mut batch).unwrap());
        batch.each(|_, _| frames += 1);
        assert_eq!((whole.len(), frames), (PIECE, 1));
    }

    #[test]
    fn what_is_no_capture_says_so() {
        for bytes in [&b""[..], b"\xa1\xb2\xcd\x34\0\x02\0\x04", b"\xd4\xc3", b"GET / HTTP/1.1"] {
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
