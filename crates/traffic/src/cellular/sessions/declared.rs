//! Sessions that somebody wrote down: an address belongs to a SIM from one time to another.

use hashbrown::HashMap;

use super::{Id, Session, Sessions};
use crate::cellular::{Plane, Ue};
use crate::packet::Addr;
use crate::time::Micros;

/// A session as an operator wrote it down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// Digits of the IMSI.
    pub imsi: Option<String>,
    /// Digits of the card.
    pub iccid: Option<String>,
    /// Digits of the IMEI.
    pub imei: Option<String>,
    /// Digits of the telephone number.
    pub msisdn: Option<String>,
    /// The access point name.
    pub apn: Option<String>,
    /// Its addresses.
    pub ue: Vec<Ue>,
    /// When they became its own; `None`: they always were.
    pub from: Option<Micros>,
    /// When they no longer were; `None`: they still are.
    pub to: Option<Micros>,
}

/// Who had an address, and when.
#[derive(Debug, Default)]
pub(super) struct Intervals {
    of: HashMap<Ue, Vec<(Micros, Micros, Id)>>,
    /// Lengths of the prefixes, the longest first.
    lengths: Vec<u8>,
    /// The sessions of a SIM.
    imsi: HashMap<String, Vec<Id>>,
    /// When each session began and ended.
    when: HashMap<Id, (Micros, Micros)>,
}

impl Intervals {
    pub fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    /// Who has an address at a time. Of several the one that began last: the end of those before was not written down.
    pub fn at(&self, addr: Addr, at: Micros) -> Option<Id> {
        self.lengths.iter().find_map(|bits| {
            let all = self.of.get(&Ue::v6(addr.0, *bits))?;
            let begun = all.get(..all.partition_point(|(from, ..)| *from <= at))?;
            begun.iter().rev().find(|(_, to, _)| at < *to).map(|(.., id)| *id)
        })
    }
}

impl Sessions {
    /// Takes a session that somebody wrote down. Two that have one address at one time are both kept, and the one that began last has
    /// it.
    pub fn declare(&mut self, declared: Declared) -> Id {
        let from = declared.from.unwrap_or(Micros(i64::MIN));
        let to = declared.to.unwrap_or(Micros(i64::MAX));
        let addr = declared.ue.first().map_or(Addr([0; 16]), |ue| ue.addr);
        let twins = declared.ue.first().and_then(|ue| self.declared.of.get(ue)).map_or(0, |all| all.iter().filter(|i| i.0 == from).count());
        let id = self.begin(from, (Plane::Access, addr), u32::try_from(twins).unwrap_or(u32::MAX), None);
        let rows = &mut self.declared;
        for ue in &declared.ue {
            let all = rows.of.entry(*ue).or_default();
            let place = all.partition_point(|(begun, ..)| *begun <= from);
            all.insert(place, (from, to, id));
            if !rows.lengths.contains(&ue.bits) {
                rows.lengths.push(ue.bits);
                rows.lengths.sort_unstable_by(|a, b| b.cmp(a));
            }
        }
        if let Some(imsi) = &declared.imsi {
            rows.imsi.entry(imsi.clone()).or_default().push(id);
        }
        rows.when.insert(id, (from, to));
        if let Some(session) = self.all.get_mut(id.0 as usize) {
            let Declared { imsi, iccid, imei, msisdn, apn, ue, .. } = declared;
            *session = Session { imsi, iccid, imei, msisdn, apn, ue, heard: false, ..session.clone() };
        }
        id
    }

    /// The session of a SIM that was written down for now, and of which nothing was heard yet.
    pub(super) fn written(&self, imsi: &str, apn: Option<&str>, at: Micros) -> Option<Id> {
        let fits = |id: &&Id| {
            let now = self.declared.when.get(*id).is_some_and(|(from, to)| *from <= at && at < *to);
            now && self.get(**id).is_some_and(|s| {
                let other = matches!((&s.apn, apn), (Some(a), Some(b)) if !a.eq_ignore_ascii_case(b));
                !s.heard && !s.ended && !other
            })
        };
        self.declared.imsi.get(imsi)?.iter().rev().find(fits).copied()
    }
}
