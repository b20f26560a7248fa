//! USB identifiers.

use crate::table::{FromRow, Problem, Row, Source, words};

words! {
    /// What an id stands for. `unclassified` is a modem of some kind, never "module", until a person sorts it.
    UsbClass {
        /// A module.
        Module = "module",
        /// A module sold under a host brand.
        BrandedModule = "branded-module",
        /// A stick: cellular, not a module.
        Dongle = "dongle",
        /// A phone.
        Handset = "handset",
        /// A stick or a phone; the source does not say which.
        DongleOrHandset = "dongle/handset",
        /// A modem of some kind.
        Unclassified = "unclassified",
        /// Not even that is certain.
        Unknown = "unknown",
    }
}

/// One row of `identifiers/usb.csv`.
#[derive(Clone, Debug)]
pub struct UsbId {
    /// Vendor id.
    pub vid: u16,
    /// Product id.
    pub pid: u16,
    /// The brand the id speaks for; `None` when the id is a chip default and names nobody.
    pub brand: Option<Box<str>>,
    /// Models known to use the id; more than one means family level at most.
    pub models: Vec<Box<str>>,
    /// Their family, when they share one.
    pub family: Option<Box<str>>,
    /// QMI, MBIM, QDL, pre-switch …
    pub mode: Option<Box<str>>,
    /// What the id stands for.
    pub class: UsbClass,
    /// The vendor id is used by several firms.
    pub vid_shared: bool,
    /// The row speaks only together with a second clue (chip-default or borrowed ids).
    pub needs_second: bool,
    /// What the source calls it, in short.
    pub label: Option<Box<str>>,
    /// Where the row comes from.
    pub source: Source,
}

impl FromRow for UsbId {
    const FILE: &'static str = "identifiers/usb.csv";
    fn from_row(row: &Row<'_>) -> Result<Self, Problem> {
        Ok(Self {
            vid: row.hex16("vid")?,
            pid: row.hex16("pid")?,
            brand: row.opt("brand")?,
            models: row.list("models")?,
            family: row.opt("family")?,
            mode: row.opt("mode")?,
            class: row.word("class")?,
            vid_shared: row.yes("vid_shared")?,
            needs_second: row.yes("needs_second")?,
            label: row.opt("label")?,
            source: row.source()?,
        })
    }
}

impl UsbId {
    /// Dump and boot loaders (QDL, EDL, flashing): the vendor at most.
    pub fn is_loader(&self) -> bool {
        self.mode.as_deref().is_some_and(|m| m.contains("QDL") || m.contains("flashing") || m.contains("core-dump"))
    }

    /// A modem that has not been switched from its mass-storage mode yet.
    pub fn is_pre_switch(&self) -> bool {
        self.mode.as_deref().is_some_and(|m| m.contains("pre-switch"))
    }
}

/// One row of `identifiers/usb_vendors.csv`.
#[derive(Clone, Debug)]
pub struct UsbVendor {
    /// Vendor id.
    pub vid: u16,
    /// Whose it is; `None` for chip defaults.
    pub brand: Option<Box<str>>,
    /// Used by several firms: it names nobody alone.
    pub shared: bool,
    /// What the vendor id covers besides modules.
    pub note: Option<Box<str>>,
    /// Where the row comes from.
    pub source: Source,
}

impl FromRow for UsbVendor {
    const FILE: &'static str = "identifiers/usb_vendors.csv";
    fn from_row(row: &Row<'_>) -> Result<Self, Problem> {
        Ok(Self {
            vid: row.hex16("vid")?,
            brand: row.opt("brand")?,
            shared: row.yes("shared")?,
            note: row.opt("note")?,
            source: row.source()?,
        })
    }
}

/// One row of `identifiers/usb_interfaces.csv`: what an interface descriptor adds where the id is shared.
#[derive(Clone, Debug)]
pub struct UsbInterface {
    /// Vendor id.
    pub vid: u16,
    /// Product id.
    pub pid: u16,
    /// Interface number.
    pub interface: u8,
    /// Class, subclass and protocol.
    pub class: (u8, u8, u8),
    /// `bcdDevice`, when it takes part in the rule.
    pub bcd: Option<u16>,
    /// The maker.
    pub maker: Box<str>,
    /// The model it tells.
    pub model: Box<str>,
    /// Where the row comes from.
    pub source: Source,
}

impl FromRow for UsbInterface {
    const FILE: &'static str = "identifiers/usb_interfaces.csv";
    fn from_row(row: &Row<'_>) -> Result<Self, Problem> {
        let text = row.cell("class")?;
        let bad = || Problem::Number { column: "class", text: text.to_owned(), wanted: "class/subclass/protocol in hex" };
        let mut parts = text.split('/').map(|p| u8::from_str_radix(p, 16).map_err(|_| bad()));
        let mut next = || parts.next().unwrap_or_else(|| Err(bad()));
        let class = (next()?, next()?, next()?);
        Ok(Self {
            vid: row.hex16("vid")?,
            pid: row.hex16("pid")?,
            interface: row.number("interface")?,
            class,
            bcd: row.opt_hex16("bcd")?,
            maker: row.required("maker")?,
            model: row.required("model")?,
            source: row.source()?,
        })
    }
}

/// The USB tables, sorted for look-up.
#[derive(Debug, Default)]
pub(crate) struct Usb {
    pub rows: Vec<UsbId>,
}

impl From<Vec<UsbId>> for Usb {
    fn from(mut rows: Vec<UsbId>) -> Self {
        rows.sort_by_key(|r| (r.vid, r.pid));
        Self { rows }
    }
}

impl Usb {
    pub fn get(&self, vid: u16, pid: u16) -> &[UsbId] {
        let from = self.rows.partition_point(|r| (r.vid, r.pid) < (vid, pid));
        let to = self.rows.partition_point(|r| (r.vid, r.pid) <= (vid, pid));
        self.rows.get(from..to).unwrap_or_default()
    }
}
