//! Compound files ([MS-CFB]), the little file systems in which older programs keep their documents: a stream by its name.

/// How every compound file begins.
pub(crate) const MAGIC: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
const END_OF_CHAIN: u32 = 0xffff_fffe;

/// Whether a stream's name stands in the bytes, as the directory writes it.
pub(crate) fn names(bytes: &[u8], name: &str) -> bool {
    let utf16: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    memchr::memmem::find(bytes, &utf16).is_some()
}

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

/// A stream out of a compound file, the first of those names that is there.
pub(crate) fn stream(file: &[u8], wanted: &[&str]) -> Option<Vec<u8>> {
    if !file.starts_with(MAGIC) {
        return None;
    }
    let shift = u16_at(file, 30)?;
    if !matches!(shift, 9 | 12) {
        return None;
    }
    let size = 1usize << shift;
    let sector = |n: u32| {
        let at = usize::try_from(n).ok()?.checked_add(1)?.checked_mul(size)?;
        // The last sector may be cut short.
        file.get(at..at.checked_add(size)?.min(file.len()))
    };
    let most = file.len().checked_div(size)?.checked_add(2)?;
    // The allocation table: 109 of its sectors in the header, the rest in a chain.
    let mut table: Vec<u32> = Vec::new();
    let add = |n: u32, table: &mut Vec<u32>| {
        if let Some(bytes) = sector(n) {
            table.extend(bytes.chunks_exact(4).filter_map(|c| u32_at(c, 0)));
        }
    };
    for i in 0..109usize {
        match u32_at(file, 76usize.checked_add(i.checked_mul(4)?)?) {
            Some(n) if n < 0xffff_fffa => add(n, &mut table),
            _ => break,
        }
    }
    let (mut next, mut seen) = (u32_at(file, 68)?, 0usize);
    while next < 0xffff_fffa && seen < most {
        let bytes = sector(next)?;
        let entries: Vec<u32> = bytes.chunks_exact(4).filter_map(|c| u32_at(c, 0)).collect();
        let (last, list) = entries.split_last()?;
        for n in list.iter().filter(|n| **n < 0xffff_fffa) {
            add(*n, &mut table);
        }
        if table.len() > most.saturating_mul(4) {
            return None;
        }
        next = *last;
        seen = seen.saturating_add(1);
    }
    let chain = |start: u32, of: &dyn Fn(u32) -> Option<Vec<u8>>, table: &[u32], max: usize| {
        let (mut out, mut n, mut steps) = (Vec::new(), start, 0usize);
        while n < 0xffff_fffa && steps < max {
            out.extend_from_slice(&of(n)?);
            n = table.get(usize::try_from(n).ok()?).copied().unwrap_or(END_OF_CHAIN);
            steps = steps.saturating_add(1);
        }
        Some(out)
    };
    let big = |n: u32| sector(n).map(<[u8]>::to_vec);
    let directory = chain(u32_at(file, 48)?, &big, &table, most)?;
    let mut root = None;
    let mut found: Option<(usize, (u32, usize))> = None;
    for entry in directory.chunks_exact(128) {
        let len = usize::from(u16_at(entry, 64)?).min(64);
        let name: String = char::decode_utf16(entry.get(..len.saturating_sub(2))?.chunks_exact(2).filter_map(|c| u16_at(c, 0)))
            .map(|c| c.unwrap_or('?'))
            .collect();
        let place = (u32_at(entry, 116)?, usize::try_from(u32_at(entry, 120)?).ok()?);
        match entry.get(66) {
            Some(5) => root = Some(place),
            Some(2) => {
                if let Some(rank) = wanted.iter().position(|w| *w == name).filter(|rank| found.is_none_or(|f| *rank < f.0)) {
                    found = Some((rank, place));
                }
            }
            _ => {}
        }
    }
    let (_, (start, len)) = found?;
    let mut stream = if len >= usize::try_from(u32_at(file, 56)?).ok()? {
        chain(start, &big, &table, most)?
    } else {
        // Short streams stand in small sectors inside the root entry's stream.
        let mini = chain(root?.0, &big, &table, most)?;
        let mini_table: Vec<u32> = chain(u32_at(file, 60)?, &big, &table, most)?.chunks_exact(4).filter_map(|c| u32_at(c, 0)).collect();
        let small = |n: u32| {
            let at = usize::try_from(n).ok()?.checked_mul(64)?;
            mini.get(at..at.checked_add(64)?.min(mini.len())).map(<[u8]>::to_vec)
        };
        chain(start, &small, &mini_table, most.saturating_mul(64))?
    };
    stream.truncate(len.min(stream.len()));
    Some(stream)
}
