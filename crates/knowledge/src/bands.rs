//! The frequency bands of cellular systems: where a device sends and where it listens.

use crate::table::{FromRow, Problem, Row, Source, words};

words! {
    /// The system that a band belongs to.
    BandRat {
        /// GSM.
        Gsm = "GSM",
        /// LTE, by its name in the standard.
        Eutra = "E-UTRA",
        /// 5G NR.
        Nr = "NR",
    }
}

words! {
    /// How sending and listening are kept apart.
    Duplex {
        /// By frequency.
        Fdd = "FDD",
        /// By time: device and network send on the same frequencies, so energy there may be the network's.
        Tdd = "TDD",
    }
}

/// One row of `parts/bands.csv`. Frequencies in MHz.
#[derive(Clone, Debug, PartialEq)]
pub struct Band {
    /// Its number or name: `20`, `n78`, `GSM 900`.
    pub band: Box<str>,
    /// The system.
    pub rat: BandRat,
    /// Where devices send: lowest and highest.
    pub uplink: (f64, f64),
    /// Where they listen: lowest and highest.
    pub downlink: (f64, f64),
    /// How the two are kept apart.
    pub duplex: Duplex,
    /// Where in the world it is in use, as far as known.
    pub regions: Vec<Box<str>>,
    /// Where the row comes from.
    pub source: Source,
}

impl FromRow for Band {
    const FILE: &'static str = "parts/bands.csv";
    fn from_row(row: &Row<'_>) -> Result<Self, Problem> {
        let range = |low: &'static str, high: &'static str| {
            let (from, to): (f64, f64) = (row.number(low)?, row.number(high)?);
            if from < to { Ok((from, to)) } else { Err(Problem::Order { from: from.to_string(), to: to.to_string() }) }
        };
        let (uplink, downlink) = (range("uplink_low_mhz", "uplink_high_mhz")?, range("downlink_low_mhz", "downlink_high_mhz")?);
        Ok(Self {
            band: row.required("band")?,
            rat: row.word("rat")?,
            uplink,
            downlink,
            duplex: row.word("duplex")?,
            regions: row.list("regions")?,
            source: row.source()?,
        })
    }
}

impl Band {
    /// Whether devices send on this frequency in it, in MHz.
    pub fn sends_at(&self, mhz: f64) -> bool {
        (self.uplink.0..=self.uplink.1).contains(&mhz)
    }

    /// Whether the network sends on this frequency in it, in MHz.
    pub fn network_sends_at(&self, mhz: f64) -> bool {
        (self.downlink.0..=self.downlink.1).contains(&mhz)
    }
}
