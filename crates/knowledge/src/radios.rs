//! Radios that a module has beside the cellular one.

use umbilical_core::air::RadioKind;

use crate::modules::{Module, Modules};
use crate::names::key;
use crate::table::{FromRow, Problem, Row, Source, Word, words};

impl Word for RadioKind {
    const ALLOWED: &'static str = "`gnss` `wifi` `bluetooth` `lora` `zigbee` `satellite` `v2x` `other`";
    fn from_name(name: &str) -> Option<Self> {
        RadioKind::from_name(name)
    }
    fn name(self) -> &'static str {
        RadioKind::name(self)
    }
}

words! {
    /// Whether every piece has it.
    Presence {
        /// It does.
        Always = "always",
        /// Some builds or order codes do.
        Option = "option",
    }
}

/// One row of `radios.csv`.
#[derive(Clone, Debug)]
pub struct ModuleRadio {
    /// The maker's brand.
    pub maker: Box<str>,
    /// The model, or the family.
    pub model: Box<str>,
    /// The radio.
    pub radio: RadioKind,
    /// Whether every piece has it.
    pub presence: Presence,
    /// Caveats.
    pub note: Option<Box<str>>,
    /// Where the row comes from.
    pub source: Source,
}

impl FromRow for ModuleRadio {
    const FILE: &'static str = "radios.csv";
    fn from_row(row: &Row<'_>) -> Result<Self, Problem> {
        Ok(Self {
            maker: row.required("maker")?,
            model: row.required("model")?,
            radio: row.word("radio")?,
            presence: row.word("presence")?,
            note: row.opt("note")?,
            source: row.source()?,
        })
    }
}

/// The rows that speak of a model: its own, else those of the longest name that it begins with, else its family's.
pub(crate) fn of<'k>(rows: &'k [ModuleRadio], modules: &Modules, maker: &str, model: &str) -> Vec<&'k ModuleRadio> {
    let named = |name: &str| -> Vec<&'k ModuleRadio> {
        let wanted = key(name);
        rows.iter().filter(|r| *r.maker == *maker && key(&r.model) == wanted).collect()
    };
    let known: Option<&Module> = modules.named(maker, model).or_else(|| modules.stem(maker, model));
    let names = [Some(model), known.map(|m| &*m.model), known.map(|m| &*m.family)];
    names.into_iter().flatten().map(named).find(|found| !found.is_empty()).unwrap_or_default()
}
