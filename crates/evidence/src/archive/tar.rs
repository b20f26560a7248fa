//! TAR archives, streamed. Long names are read here and not by the `tar` crate, so that a name of a gigabyte is none.

use std::io::{self, Read};

use tar::EntryType;

use super::{Contents, Limits, Packed, hidden};
use crate::open::Run;

/// The longest name that is read.
const MAX_NAME: u64 = 64 * 1024;

/// Whether a block is a TAR header: its checksum is right (POSIX.1-1988, ustar: the sum of its bytes, those of the checksum taken
/// as spaces).
pub(super) fn is_header(head: &[u8]) -> bool {
    let (Some(block), Some(field)) = (head.get(..512), head.get(148..156)) else { return false };
    let text: String = field.iter().map(|b| char::from(*b)).collect();
    let Ok(stated) = u32::from_str_radix(text.trim_matches(['\0', ' ']), 8) else { return false };
    let sum = block
        .iter()
        .enumerate()
        .map(|(i, b)| if (148..156).contains(&i) { u32::from(b' ') } else { u32::from(*b) })
        .fold(0u32, u32::wrapping_add);
    stated == sum && block.first().is_some_and(|b| *b != 0)
}

/// Reads the members of a TAR.
pub(super) fn members(bytes: impl Read, run: &Run<'_>, limits: &Limits, path: &str, depth: u32, contents: &mut Contents) {
    let mut archive = tar::Archive::new(bytes);
    let entries = match archive.entries() {
        Ok(entries) => entries.raw(true),
        Err(error) => {
            contents.problem(format!("cannot be read ({error})"));
            return;
        }
    };
    let mut long: Option<String> = None;
    for entry in entries {
        let mut entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                contents.problem(format!("cut short or damaged ({error}): what stands before is read"));
                return;
            }
        };
        match entry.header().entry_type() {
            EntryType::GNULongName => {
                long = text(&mut entry).ok().map(|t| t.trim_end_matches('\0').to_owned());
                continue;
            }
            EntryType::XHeader => {
                long = text(&mut entry).ok().and_then(|t| pax_path(&t)).or(long);
                continue;
            }
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {}
            // Folders, links, devices.
            _ => {
                long = None;
                continue;
            }
        }
        let name = long.take().unwrap_or_else(|| String::from_utf8_lossy(&entry.header().path_bytes()).into_owned());
        if hidden(&name) || name.ends_with('/') {
            continue;
        }
        if !contents.admit(limits) {
            return;
        }
        contents.member(run, limits, path, &name, depth, Packed::Plain, &mut entry);
    }
}

fn text(entry: &mut impl Read) -> io::Result<String> {
    let mut bytes = Vec::new();
    entry.take(MAX_NAME).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The `path` record of an extended header (POSIX.1-2001 pax: `length key=value\n`).
fn pax_path(text: &str) -> Option<String> {
    text.lines().find_map(|l| l.split_once(' ')?.1.strip_prefix("path=").map(str::to_owned))
}
