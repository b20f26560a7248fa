//! ZIP archives, by their directory.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};

use sha2::{Digest, Sha256};
use umbilical_core::Observations;
use umbilical_core::id::hex;
use zip::result::ZipError;

use super::{Contents, Limits, Packed, hidden};
use crate::open::Run;

/// Reads a ZIP that is a file: its directory stands at its end, and its digest needs all of it.
pub(crate) fn read_file(run: &Run<'_>, limits: &Limits, path: &str, mut file: File, out: &mut Observations) -> io::Result<()> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0u8; 1 << 16];
    let mut bytes = 0u64;
    loop {
        let n = file.read(&mut buffer)?;
        let Some(read) = buffer.get(..n).filter(|r| !r.is_empty()) else { break };
        hash.update(read);
        bytes = bytes.saturating_add(n as u64);
        run.progress(n as u64);
    }
    limits.packed.set(bytes);
    file.seek(io::SeekFrom::Start(0))?;
    out.begin_input(path, "zip", hex(&hash.finalize()), bytes);
    let mut contents = Contents::default();
    members(BufReader::new(file), run, limits, path, 0, &mut contents);
    contents.put(out);
    Ok(())
}

/// Reads the members of a ZIP.
pub(super) fn members(mut bytes: impl Read + Seek, run: &Run<'_>, limits: &Limits, path: &str, depth: u32, contents: &mut Contents) {
    let mut archive = match zip::ZipArchive::new(&mut bytes) {
        Ok(archive) => archive,
        Err(error) => {
            contents.problem(format!("cut short or damaged ({error}): its members are read as far as they go"));
            if bytes.seek(io::SeekFrom::Start(0)).is_ok() {
                in_order(&mut bytes, run, limits, path, depth, contents);
            }
            return;
        }
    };
    for i in 0..archive.len() {
        let (name, packed) = match archive.by_index_raw(i) {
            Ok(member) => {
                let name =
                    member.name().map_or_else(|_| String::from_utf8_lossy(member.name_raw()).into_owned(), std::borrow::Cow::into_owned);
                if member.is_dir() || member.is_symlink() || hidden(&name) {
                    continue;
                }
                if member.encrypted() {
                    contents.problem(format!("`{name}` is encrypted: unpack it with its password and give the folder"));
                    continue;
                }
                (name, believable(&member))
            }
            Err(error) => {
                contents.problem(format!("member {} cannot be found ({error})", i.saturating_add(1)));
                continue;
            }
        };
        if !contents.admit(limits) {
            return;
        }
        match archive.by_index(i) {
            Ok(member) => contents.member(run, limits, path, &name, depth, Packed::Known(packed), member),
            Err(ZipError::UnsupportedArchive(what)) => contents.problem(format!("`{name}` cannot be unpacked ({what}): unpack it first")),
            Err(ZipError::CompressionMethodNotSupported(method)) => {
                contents.problem(format!("`{name}` is packed with method {method}, which is not read: unpack it first"))
            }
            Err(error) => contents.problem(format!("`{name}` cannot be unpacked ({error})")),
        }
    }
}

/// The packed size of a member, against which what it unpacks to is held; nothing where the directory itself says that it
/// is a bomb, so that no more than the harmless part is unpacked.
fn believable(member: &zip::read::ZipFile<'_, impl Read>) -> u64 {
    let packed = member.compressed_size();
    if member.size() > packed.saturating_mul(super::RATIO) { 0 } else { packed }
}

/// Reads the members of a ZIP without a directory, one behind the other, as far as they go.
fn in_order(bytes: &mut impl Read, run: &Run<'_>, limits: &Limits, path: &str, depth: u32, contents: &mut Contents) {
    while let Ok(Some(member)) = zip::read::read_zipfile_from_stream(bytes) {
        let name = String::from_utf8_lossy(member.name_raw()).into_owned();
        if member.is_dir() || hidden(&name) {
            continue;
        }
        if !contents.admit(limits) {
            return;
        }
        let packed = believable(&member);
        contents.member(run, limits, path, &name, depth, Packed::Known(packed), member);
    }
}
