//! What the body of a response begins with: the first bytes say what a thing is, whatever its name and media type say.
//!
//! Sources: each format's own specification, or the tool that writes it, named beside its signature. Update packages that modem makers
//! cut by their own tools (Red Bend, FOTA of Quectel, SIMCom, Fibocom) have no published head: they are [`Body::Other`].

/// What a body is, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Body {
    /// A program for Linux and the like, or an image of a baseband (ELF).
    Elf,
    /// A program for Windows (PE).
    Pe,
    /// Zip, APK, JAR.
    Zip,
    /// Gzip (RFC 1952).
    Gzip,
    /// Zstandard (RFC 8878).
    Zstd,
    /// Xz.
    Xz,
    /// Bzip2.
    Bzip2,
    /// LZMA as its own tool writes it.
    Lzma,
    /// LZ4 frames.
    Lz4,
    /// 7z.
    SevenZip,
    /// RAR.
    Rar,
    /// A cabinet.
    Cab,
    /// Tar (POSIX).
    Tar,
    /// A package of Debian or OpenWrt (ar).
    Ar,
    /// RPM.
    Rpm,
    /// A volume of UBI.
    Ubi,
    /// UBIFS.
    Ubifs,
    /// SquashFS, of either order of bytes, also as routers' makers sign it.
    Squashfs,
    /// CramFS.
    Cramfs,
    /// JFFS2.
    Jffs2,
    /// Romfs.
    Romfs,
    /// A boot image of Android.
    AndroidBoot,
    /// A sparse image of Android.
    AndroidSparse,
    /// An update of Android (`payload.bin`).
    AndroidUpdate,
    /// An image of U-Boot.
    UImage,
    /// A flattened tree: a FIT image of U-Boot, or a tree of devices.
    Fit,
    /// An image of MCUboot.
    Mcuboot,
    /// TRX of Broadcom's routers.
    Trx,
    /// DfuSe.
    Dfuse,
    /// UF2.
    Uf2,
    /// A package of UNISOC's loader.
    Pac,
    /// Intel's records in hex.
    IntelHex,
    /// Motorola's records.
    Srec,
    /// A difference of bsdiff.
    Bsdiff,
    /// A difference of Android's imgdiff.
    Imgdiff,
    /// A difference as VCDIFF (RFC 3284).
    Vcdiff,
    /// PDF.
    Pdf,
    /// A picture.
    Picture,
    /// Sound or film.
    Media,
    /// Text: a page, a document of JSON or XML, a script.
    Text,
    /// Compressed for the way (`Content-Encoding`): what is in it does not show.
    Coded,
    /// A part of something that begins before it (`Content-Range`).
    Part,
    /// Bytes of something else.
    Other,
}

/// What kind of thing a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sort {
    /// Made for a device's flash: an image, a file system of flash, a loader's package, a difference of binaries.
    Firmware,
    /// A program, an archive or bytes that nobody knows: firmware is one of the things that it may be.
    Binary,
    /// What people read, see or hear.
    Content,
    /// It does not show.
    Hidden,
}

impl Body {
    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Elf => "elf",
            Self::Pe => "pe",
            Self::Zip => "zip",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
            Self::Bzip2 => "bzip2",
            Self::Lzma => "lzma",
            Self::Lz4 => "lz4",
            Self::SevenZip => "7z",
            Self::Rar => "rar",
            Self::Cab => "cab",
            Self::Tar => "tar",
            Self::Ar => "ar",
            Self::Rpm => "rpm",
            Self::Ubi => "ubi",
            Self::Ubifs => "ubifs",
            Self::Squashfs => "squashfs",
            Self::Cramfs => "cramfs",
            Self::Jffs2 => "jffs2",
            Self::Romfs => "romfs",
            Self::AndroidBoot => "android-boot",
            Self::AndroidSparse => "android-sparse",
            Self::AndroidUpdate => "android-update",
            Self::UImage => "uimage",
            Self::Fit => "fit",
            Self::Mcuboot => "mcuboot",
            Self::Trx => "trx",
            Self::Dfuse => "dfuse",
            Self::Uf2 => "uf2",
            Self::Pac => "pac",
            Self::IntelHex => "intel-hex",
            Self::Srec => "srec",
            Self::Bsdiff => "bsdiff",
            Self::Imgdiff => "imgdiff",
            Self::Vcdiff => "vcdiff",
            Self::Pdf => "pdf",
            Self::Picture => "picture",
            Self::Media => "media",
            Self::Text => "text",
            Self::Coded => "coded",
            Self::Part => "part",
            Self::Other => "other",
        }
    }

    /// What kind of thing it is.
    pub fn sort(self) -> Sort {
        match self {
            Self::Ubi
            | Self::Ubifs
            | Self::Squashfs
            | Self::Cramfs
            | Self::Jffs2
            | Self::Romfs
            | Self::AndroidBoot
            | Self::AndroidSparse
            | Self::AndroidUpdate
            | Self::UImage
            | Self::Fit
            | Self::Mcuboot
            | Self::Trx
            | Self::Dfuse
            | Self::Uf2
            | Self::Pac
            | Self::IntelHex
            | Self::Srec
            | Self::Bsdiff
            | Self::Imgdiff
            | Self::Vcdiff => Sort::Firmware,
            Self::Elf
            | Self::Pe
            | Self::Zip
            | Self::Gzip
            | Self::Zstd
            | Self::Xz
            | Self::Bzip2
            | Self::Lzma
            | Self::Lz4
            | Self::SevenZip
            | Self::Rar
            | Self::Cab
            | Self::Tar
            | Self::Ar
            | Self::Rpm
            | Self::Other => Sort::Binary,
            Self::Pdf | Self::Picture | Self::Media | Self::Text => Sort::Content,
            Self::Coded | Self::Part => Sort::Hidden,
        }
    }

    /// Of a media type that was found by looking at the bytes, as Zeek does; not of one that a server says.
    pub fn of_media(found: &str) -> Option<Self> {
        Some(match found {
            "application/x-executable" | "application/x-object" | "application/x-sharedlib" | "application/x-pie-executable" => Self::Elf,
            "application/x-dosexec" => Self::Pe,
            "application/zip" | "application/java-archive" => Self::Zip,
            "application/x-gzip" | "application/gzip" => Self::Gzip,
            "application/x-xz" => Self::Xz,
            "application/x-bzip2" => Self::Bzip2,
            "application/x-lzma" => Self::Lzma,
            "application/x-7z-compressed" => Self::SevenZip,
            "application/x-rar" => Self::Rar,
            "application/vnd.ms-cab-compressed" => Self::Cab,
            "application/x-tar" => Self::Tar,
            "application/x-rpm" => Self::Rpm,
            "application/pdf" => Self::Pdf,
            other => match other.split('/').next() {
                Some("image") => Self::Picture,
                Some("audio" | "video") => Self::Media,
                Some("text") => Self::Text,
                _ => return None,
            },
        })
    }
}

/// Bytes that are enough to tell: a tar says what it is at 257.
pub const ENOUGH: usize = 263;

/// What stands at the beginning.
const HEADS: &[(&[u8], Body)] = &[
    (b"\x7fELF", Body::Elf),
    (b"PK\x03\x04", Body::Zip),
    (b"PK\x05\x06", Body::Zip),
    (b"\x1f\x8b\x08", Body::Gzip),
    (b"\x28\xb5\x2f\xfd", Body::Zstd),
    (b"\xfd7zXZ\x00", Body::Xz),
    (b"\x04\x22\x4d\x18", Body::Lz4),
    (b"7z\xbc\xaf\x27\x1c", Body::SevenZip),
    (b"Rar!\x1a\x07", Body::Rar),
    (b"MSCF\0\0\0\0", Body::Cab),
    (b"!<arch>\n", Body::Ar),
    (b"\xed\xab\xee\xdb", Body::Rpm),
    // linux/drivers/mtd/ubi/ubi-media.h, linux/fs/ubifs/ubifs-media.h.
    (b"UBI#", Body::Ubi),
    (b"\x31\x18\x10\x06", Body::Ubifs),
    // linux/fs/squashfs/squashfs_fs.h, of either order of bytes, also with LZMA as routers' makers had it.
    (b"hsqs", Body::Squashfs),
    (b"sqsh", Body::Squashfs),
    (b"shsq", Body::Squashfs),
    (b"qshs", Body::Squashfs),
    (b"\x45\x3d\xcd\x28", Body::Cramfs),
    (b"\x28\xcd\x3d\x45", Body::Cramfs),
    (b"-rom1fs-", Body::Romfs),
    // Android: bootimg.h, sparse_format.h, update_engine.
    (b"ANDROID!", Body::AndroidBoot),
    (b"VNDRBOOT", Body::AndroidBoot),
    (b"\x3a\xff\x26\xed", Body::AndroidSparse),
    (b"CrAU\0\0\0\0", Body::AndroidUpdate),
    // u-boot/include/image.h; Devicetree Specification, 5.2.
    (b"\x27\x05\x19\x56", Body::UImage),
    (b"\xd0\x0d\xfe\xed", Body::Fit),
    // MCUboot's design, "Image format".
    (b"\x3d\xb8\xf3\x96", Body::Mcuboot),
    (b"HDR0", Body::Trx),
    // ST UM0391; microsoft/uf2.
    (b"DfuSe\x01", Body::Dfuse),
    (b"UF2\n\x57\x51\x5d\x9e", Body::Uf2),
    // `BP_R` in UTF-16.
    (b"B\0P\0_\0R\0", Body::Pac),
    (b"BSDIFF40", Body::Bsdiff),
    (b"BSDIFN40", Body::Bsdiff),
    (b"ENDSLEY/BSDIFF43", Body::Bsdiff),
    (b"IMGDIFF2", Body::Imgdiff),
    (b"\xd6\xc3\xc4\0", Body::Vcdiff),
    (b"%PDF-", Body::Pdf),
    (b"\xff\xd8\xff", Body::Picture),
    (b"\x89PNG\r\n\x1a\n", Body::Picture),
    (b"GIF8", Body::Picture),
    (b"II*\0", Body::Picture),
    (b"MM\0*", Body::Picture),
    (b"\0\0\x01\0\x01\0", Body::Picture),
    (b"ID3", Body::Media),
    (b"OggS", Body::Media),
    (b"fLaC", Body::Media),
    (b"FLV\x01", Body::Media),
    (b"\x1a\x45\xdf\xa3", Body::Media),
];

/// What bytes are the beginning of; `None`: there are none.
pub fn of(bytes: &[u8]) -> Option<Body> {
    let first = *bytes.first()?;
    if let Some((_, body)) = HEADS.iter().find(|(head, _)| head.first() == Some(&first) && bytes.starts_with(head)) {
        return Some(*body);
    }
    Some(match (first, bytes) {
        // The head of DOS, and where that of PE is said to be within the first pages (PE format, 2.1).
        (b'M', [_, b'Z', rest @ ..]) if is_pe(rest) => Body::Pe,
        (b'B', [_, b'Z', b'h', b'1'..=b'9', b'1', b'A', b'Y', b'&', ..]) => Body::Bzip2,
        // Properties of the usual, a dictionary of a power of two, a length that is not known or of five bytes at most.
        (0x5d, [_, 0, 0, a, b, rest @ ..]) if is_lzma(*a, *b, rest) => Body::Lzma,
        // A node of JFFS2: of directory entries, of inodes, or clean (linux/include/uapi/linux/jffs2.h).
        (0x85, [_, 0x19, 1..=3, 0x20 | 0xe0, ..]) | (0x19, [_, 0x85, 0x20 | 0xe0, 1..=3, ..]) => Body::Jffs2,
        (b':', _) if intel(bytes) => Body::IntelHex,
        (b'S', _) if motorola(bytes) => Body::Srec,
        (b'R', [_, b'I', b'F', b'F', _, _, _, _, kind @ ..]) => {
            if kind.starts_with(b"WEBP") {
                Body::Picture
            } else {
                Body::Media
            }
        }
        (_, [_, _, _, _, b'f', b't', b'y', b'p', ..]) => Body::Media,
        _ if bytes.get(257..262) == Some(b"ustar") => Body::Tar,
        _ if is_text(bytes) => Body::Text,
        _ => Body::Other,
    })
}

/// What stands behind `MZ`.
fn is_pe(rest: &[u8]) -> bool {
    let at = rest.get(58..62).and_then(|b| b.first_chunk()).map(|b| u32::from_le_bytes(*b));
    at.is_none_or(|at| (0x40..0x1000).contains(&at) && at.is_multiple_of(4))
}

fn is_lzma(a: u8, b: u8, rest: &[u8]) -> bool {
    let dictionary = u16::from_le_bytes([a, b]);
    let Some(length) = rest.first_chunk::<8>().map(|l| u64::from_le_bytes(*l)) else { return false };
    dictionary.is_power_of_two() && (length == u64::MAX || (1..1 << 40).contains(&length))
}

/// A record as Intel writes it (Hexadecimal Object File Format Specification, 1988), whose sum is right.
fn intel(text: &[u8]) -> bool {
    let Some(line) = text.split(|b| matches!(b, b'\r' | b'\n')).next().and_then(|l| l.get(1..)) else { return false };
    let Some(bytes) = hex(line) else { return false };
    let [length, _, _, 0..=5, ..] = bytes.as_slice() else { return false };
    bytes.len() == usize::from(*length).saturating_add(5) && bytes.iter().fold(0u8, |sum, b| sum.wrapping_add(*b)) == 0
}

/// A record as Motorola writes it (`S0` to `S9`), whose sum is right.
fn motorola(text: &[u8]) -> bool {
    let Some(line) = text.split(|b| matches!(b, b'\r' | b'\n')).next() else { return false };
    let [_, b'0'..=b'9', rest @ ..] = line else { return false };
    let Some(bytes) = hex(rest) else { return false };
    let [length, counted @ ..] = bytes.as_slice() else { return false };
    *length >= 3 && counted.len() == usize::from(*length) && bytes.iter().fold(0u8, |sum, b| sum.wrapping_add(*b)) == 0xff
}

/// Bytes of digits in hex; `None` where something is none, and of more than a record has.
fn hex(digits: &[u8]) -> Option<Vec<u8>> {
    if digits.len() > 600 || !digits.len().is_multiple_of(2) {
        return None;
    }
    let digit = |b: &u8| char::from(*b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    digits.chunks_exact(2).map(|pair| Some(digit(pair.first()?)? << 4 | digit(pair.last()?)?)).collect()
}

/// Whether the first bytes are letters of some language.
fn is_text(bytes: &[u8]) -> bool {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return true;
    }
    let head = bytes.get(..ENOUGH).unwrap_or(bytes);
    let whole = match std::str::from_utf8(head) {
        Ok(_) => true,
        // A letter may be cut at the end.
        Err(e) => e.error_len().is_none() && e.valid_up_to() > 0,
    };
    let odd = |b: &u8| *b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b) || *b == 0x7f;
    whole && !head.iter().any(odd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_told_by_their_first_bytes() {
        let mut pe = b"MZ\x90\0".to_vec();
        pe.resize(60, 0);
        pe.extend([0x80, 0, 0, 0]);
        let mut tar = b"etc/passwd".to_vec();
        tar.resize(257, 0);
        tar.extend(b"ustar\0");
        let lzma = [&[0x5d, 0, 0, 0x80, 0][..], &[0xff; 8], b"rest"].concat();
        for (bytes, body) in [
            (&b"\x7fELF\x01\x01"[..], Body::Elf),
            (&pe, Body::Pe),
            (&tar, Body::Tar),
            (&lzma, Body::Lzma),
            (b"UBI#\x01\0", Body::Ubi),
            (b"hsqs\x07\0", Body::Squashfs),
            (b"\x27\x05\x19\x56\x01\x02", Body::UImage),
            (b"\x3a\xff\x26\xed\x01\0", Body::AndroidSparse),
            (b":10010000214601360121470136007EFE09D2190140\r\n", Body::IntelHex),
            (b"S00F000068656C6C6F202020202000003C\n", Body::Srec),
            (b"\x85\x19\x03\x20\x0c\0\0\0", Body::Jffs2),
            (b"B\0P\0_\0R\x001\0.\0", Body::Pac),
            (b"BZh91AY&SY", Body::Bzip2),
            (b"\0\0\0\x18ftypmp42", Body::Media),
            (b"<html>", Body::Text),
            ("grüß dich".as_bytes(), Body::Text),
            (b"\x01\x02\x03\x04", Body::Other),
            (b"\x7fEL", Body::Other),
        ] {
            assert_eq!(of(bytes), Some(body), "{bytes:?}");
        }
        assert_eq!(of(b""), None);
    }

    #[test]
    fn what_only_looks_alike_is_not_taken_for_it() {
        let mut letter = b"MZ sagt man, und".to_vec();
        letter.resize(70, b' ');
        for (bytes, body) in [
            (&letter[..], Body::Text),
            // A wrong sum, and text that begins with a colon or an S.
            (b":10010000214601360121470136007EFE09D2190141\r\n", Body::Text),
            (b":) hello", Body::Text),
            (b"S100 is a bus", Body::Text),
            (b"S00F000068656C6C6F202020202000003D\n", Body::Text),
            (b"PK", Body::Text),
            (&[0x5d, 0, 0, 3, 0, 1, 2, 3, 4, 5, 6, 7, 8], Body::Other),
        ] {
            assert_eq!(of(bytes), Some(body), "{bytes:?}");
        }
        // A letter that is cut by the end of the segment.
        assert_eq!(of(&"ähnlich wie ü".as_bytes()[..14]), Some(Body::Text));
        assert_eq!(
            (Body::Ubi.sort(), Body::Gzip.sort(), Body::Text.sort(), Body::Part.sort()),
            (Sort::Firmware, Sort::Binary, Sort::Content, Sort::Hidden)
        );
    }
}
