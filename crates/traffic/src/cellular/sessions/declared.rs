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

/// From when to when an address was whose.
type Rows = HashMap<Ue, Vec<(Micros, Micros, Id)>>;

/// Who had an address, and when.
#[derive(Debug, Default)]
pub(super) struct Intervals {
    of: Rows,
    /// What was written down before, as far as it was not written down again.
    before: Rows,
    /// How often all of it was written down anew.
    times: u32,
    /// Lengths of the prefixes, the longest first.
    lengths: Vec<u8>,
    /// The sessions of a SIM.
    imsi: HashMap<String, Vec<Id>>,
    /// When each session began and ended.
    when: HashMap<Id, (Micros, Micros)>,
}

/// So many bits tell sessions apart that begin at one time with one address.
const TWINS: u32 = 20;

/// Whether a session is the one that is written down: they share a number, and no number tells them apart.
fn same(session: &Session, declared: &Declared) -> bool {
    // Behind the first 14 digits of an IMEI stands a check digit or a version.
    fn body(imei: &Option<String>) -> Option<&str> {
        imei.as_deref().map(|n| n.get(..14).unwrap_or(n))
    }
    let pairs = [
        (session.imsi.as_deref(), declared.imsi.as_deref()),
        (session.iccid.as_deref(), declared.iccid.as_deref()),
        (session.msisdn.as_deref(), declared.msisdn.as_deref()),
        (body(&session.imei), body(&declared.imei)),
    ];
    let both = || pairs.iter().filter_map(|(a, b)| a.zip(*b));
    let other = matches!((&session.apn, &declared.apn), (Some(a), Some(b)) if !a.eq_ignore_ascii_case(b));
    !other && both().next().is_some() && both().all(|(a, b)| a == b)
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
        let again = self.again(&declared, from);
        let known = again.is_some();
        let id = again.unwrap_or_else(|| {
            let of = declared.ue.first().and_then(|ue| self.declared.of.get(ue));
            let twins = of.map_or(0, |all| all.iter().filter(|i| i.0 == from).count());
            // What was begun of an earlier text keeps its number.
            let number = u32::try_from(twins).unwrap_or(u32::MAX).saturating_add(self.declared.times << TWINS);
            self.begin(from, (Plane::Access, addr), number, None)
        });
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
            // Of one that is written down again more may be known from elsewhere by now.
            let fill = |own: &mut Option<String>, written: Option<String>| *own = own.take().or(written);
            fill(&mut session.imsi, imsi);
            fill(&mut session.iccid, iccid);
            fill(&mut session.imei, imei);
            fill(&mut session.msisdn, msisdn);
            fill(&mut session.apn, apn);
            for ue in ue {
                if !session.ue.contains(&ue) {
                    session.ue.push(ue);
                }
            }
            session.heard &= known;
        }
        id
    }

    /// Everything is written down anew: what is not declared again until [`Sessions::rewritten`] has no address any more. A session that
    /// is (the same SIM, address and begin) goes on, whatever its end is now.
    pub fn rewrite(&mut self) {
        let rows = std::mem::take(&mut self.declared);
        self.declared = Intervals { before: rows.of, times: rows.times.saturating_add(1), ..Intervals::default() };
    }

    /// Everything was written down anew.
    pub fn rewritten(&mut self) {
        self.declared.before = Rows::default();
    }

    /// The session that was written down before, and is again.
    fn again(&mut self, declared: &Declared, from: Micros) -> Option<Id> {
        let addr = declared.ue.first()?;
        let all = self.declared.before.get(addr)?;
        let place = all.iter().position(|(begun, _, id)| *begun == from && self.get(*id).is_some_and(|s| same(s, declared)))?;
        Some(self.declared.before.get_mut(addr)?.remove(place).2)
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
