//! Names of firmware and flash files: a claim of the image, not of a device.
//!
//! **What it reads.** The last component of a path (`EM20GRAR01A04V01M4G_factory`, `swi9x30c_02.24.05.06.cwe`), and in
//! texts every listed name that ends as firmware does: `ls -l`, `unzip -l`, checksums, the log of an update.
//!
//! **When it is wrong.** A file can be called anything; a tool's own files carry the module's name too. So a name is
//! evidence of group image, declared, and only where a known grammar of revisions or file names finds itself in it.

use umbilical_core::{Basis, Group, Kind};
use umbilical_knowledge::{Knowledge, Scope, Strength};

use super::{Dialect, Host, Line};

/// How firmware files end.
const ENDINGS: &[&str] = &[
    "cwe", "nvu", "spk", "bin", "pac", "mbn", "elf", "img", "dfota", "ota", "fls", "flz", "ubi", "zip", "7z", "rar", "tgz", "gz", "xz",
    "tar", "exe", "up", "upd", "fw", "dld", "hex", "blf", "xml", "mdt", "bbfw", "fota", "pkg", "wtp", "cpe", "usf", "dwl", "s3", "cab",
    "msi", "zst",
];

/// The claim that a path's name makes: (file-name, the name), or nothing.
pub fn from_path(path: &str, kb: &Knowledge) -> Vec<(Kind, String)> {
    let name = path.rsplit(['/', '\\', '!']).next().unwrap_or(path);
    claim(name, kb).map(|name| (Kind::FileName, name)).into_iter().collect()
}

fn claim(name: &str, kb: &Knowledge) -> Option<String> {
    let name = name.trim();
    let shaped =
        (5..=200).contains(&name.len()) && name.bytes().any(|b| b.is_ascii_digit()) && name.bytes().any(|b| b.is_ascii_alphabetic());
    let found = shaped && kb.matches(Scope::FileName, name).iter().any(|h| h.pattern.strength != Strength::Trap);
    found.then(|| name.to_owned())
}

/// Whether a word is a file name that ends as firmware does.
fn ends_as_firmware(word: &str) -> bool {
    let stem_end = word.rsplit_once('.').filter(|(stem, _)| stem.len() >= 4);
    stem_end.is_some_and(|(_, end)| ENDINGS.iter().any(|e| end.eq_ignore_ascii_case(e)))
        || ["_factory", "_firehose", "_upgrade", "_fota", "_dfota"].iter().any(|e| word.to_ascii_lowercase().ends_with(e))
}

/// See the module's documentation.
#[derive(Default)]
pub(super) struct FileNames;

impl Dialect for FileNames {
    fn name(&self) -> &'static str {
        "file-names"
    }

    fn line(&mut self, line: Line<'_>, host: &mut Host<'_, '_>) -> bool {
        if line.text.len() > 1000 {
            return false;
        }
        let mut last = false;
        for word in line.text.split_whitespace() {
            let word = word.trim_matches(['"', '\'', '`', ',', ';', '(', ')', '*']);
            last = false;
            if !ends_as_firmware(word) {
                continue;
            }
            let name = word.rsplit(['/', '\\']).next().unwrap_or(word);
            if let Some(name) = claim(name, host.cx.knowledge) {
                let part = host.part("modem");
                host.fact_of(part, line.n, Kind::FileName, &name, Group::Image, Basis::Declared);
                last = true;
            }
        }
        // A name at the end of the line makes it a listing; prose around it is left to others.
        last && line.text.split_whitespace().count() <= 10
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_images_and_of_other_files() {
        let kb = Knowledge::embedded();
        for path in ["fw/EM20GRAR01A04V01M4G_factory", "a.zip!x/SWI9X30C_02.24.05.06.cwe", "swi9x30c_02.24.05.06.cwe"] {
            assert_eq!(from_path(path, &kb).len(), 1, "{path}");
        }
        for path in ["readme.txt", "EG0600FBVFP.bin", "IMG_20190101_120000.img", "linux-6.12.tar.xz"] {
            assert_eq!(from_path(path, &kb), [], "{path}");
        }
        assert!(ends_as_firmware("a_1.2.cwe") && !ends_as_firmware("v1.2") && !ends_as_firmware(".bin"));
    }
}
