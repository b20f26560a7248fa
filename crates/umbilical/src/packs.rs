//! Texts of packs: those that are shipped, and those that a folder of tables brings in its `policies/`, which stand in for
//! shipped ones of the same id.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use umbilical_knowledge::policy::{PolicyText, shipped, shipped_ids};

use crate::args::Global;
use crate::bundle;
use crate::fail::Fail;
use crate::law::text;

/// The rules of a pack that is a folder.
pub const PACK: &str = "pack.toml";
/// Its cases.
pub const CASES: &str = "cases.toml";

/// Where packs are looked for.
pub struct Packs(Option<PathBuf>);

impl Packs {
    /// The folder of `--knowledge`, or of the bundle in use.
    pub fn of(global: &Global) -> Result<Self, Fail> {
        let folder = match &global.knowledge {
            Some(folder) => Some(folder.clone()),
            None => bundle::installed(global)?,
        };
        Ok(Self(folder.map(|f| f.join("policies")).filter(|f| f.is_dir())))
    }

    /// The ids of all packs, in order.
    pub fn ids(&self) -> Vec<String> {
        let mut ids: BTreeSet<String> = shipped_ids().map(str::to_owned).collect();
        let entries = self.0.iter().flat_map(|f| fs::read_dir(f).into_iter().flatten().flatten());
        ids.extend(entries.filter(|e| e.path().join(PACK).is_file()).filter_map(|e| e.file_name().into_string().ok()));
        ids.into_iter().collect()
    }

    /// The text of a pack and of its cases; `None` where no pack has that id.
    pub fn get(&self, id: &str) -> Result<Option<(PolicyText, PolicyText)>, Fail> {
        // An id is one folder, never a path.
        let plain = !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        match self.0.as_ref().map(|f| f.join(id)).filter(|f| plain && f.join(PACK).is_file()) {
            Some(folder) => Ok(Some((text(&folder.join(PACK))?, text(&folder.join(CASES))?))),
            None => Ok(shipped(id)),
        }
    }

    /// All of them.
    pub fn all(&self) -> Result<Vec<(PolicyText, PolicyText)>, Fail> {
        self.ids().iter().filter_map(|id| self.get(id).transpose()).collect()
    }
}
