//! What gateways report of sessions: RADIUS and Diameter.
//!
//! A report names the SIM and its addresses. Where signalling introduced that session already, the report adds to it; where not, it is
//! one of its own, which has addresses and no tunnels. It ends when its last report says so, or when another SIM reports its address.

use super::{ASKED, Id, PATIENCE, Session, Sessions, Waiting};
use crate::cellular::{Act, Item, Message, Plane, Ue};
use crate::packet::Addr;
use crate::time::Micros;

/// What a report says of a session, beside its addresses.
#[derive(Default)]
struct Told<'a> {
    imsi: Option<&'a String>,
    imei: Option<&'a String>,
    msisdn: Option<&'a String>,
    apn: Option<&'a String>,
    rat: Option<u8>,
    ue: Vec<Ue>,
    refused: bool,
}

impl<'a> Told<'a> {
    fn of(items: impl IntoIterator<Item = &'a Item>) -> Self {
        let mut out = Self::default();
        for item in items {
            match item {
                Item::Imsi(digits) => out.imsi = Some(digits),
                Item::Imei(digits) => out.imei = Some(digits),
                Item::Msisdn(digits) => out.msisdn = Some(digits),
                Item::Apn(name) => out.apn = Some(name),
                Item::Rat(rat) => out.rat = Some(*rat),
                Item::Ue(ue) => out.ue.push(*ue),
                Item::Accepted(yes) => out.refused |= !yes,
                Item::Control(..) | Item::User { .. } | Item::Bearer(_) => {}
            }
        }
        out
    }

    /// Whether a session can be the one that is told of.
    fn fits(&self, session: &Session) -> bool {
        let differs = |a: Option<&String>, b: Option<&String>| matches!((a, b), (Some(a), Some(b)) if !a.eq_ignore_ascii_case(b));
        let another = differs(session.imsi.as_ref(), self.imsi)
            || differs(session.apn.as_ref(), self.apn)
            || session.imsi.is_none() && differs(session.msisdn.as_ref(), self.msisdn);
        !session.ended && session.ending.is_none() && !another
    }

    /// Whether it has, of each family, another address than is told.
    fn elsewhere(&self, session: &Session) -> bool {
        self.ue.iter().any(|ue| !session.ue.contains(ue) && session.ue.iter().any(|own| own.addr.is_v4() == ue.addr.is_v4()))
    }
}

/// Names of sessions are those of whoever reports; in Diameter they are the whole world's.
fn reporter(message: &Message, from: Addr) -> Addr {
    if message.plane == Plane::Radius { from } else { Addr([0; 16]) }
}

impl Sessions {
    pub(super) fn reported(&mut self, at: Micros, from: Addr, to: Addr, message: &Message) {
        if message.plane == Plane::Access {
            return self.admitted(at, from, to, message);
        }
        let number = message.to.map(|n| (message.plane, reporter(message, from), n));
        let by_name = number.and_then(|n| self.control.get(&n).copied());
        let told = Told::of(&message.items);
        if message.answer {
            // Of answers only a refusal says something.
            let refused = by_name.filter(|id| told.refused && message.act == Act::Create && self.is_bare(*id));
            return refused.into_iter().for_each(|id| self.end(id));
        }
        let known = by_name.filter(|id| self.get(*id).is_some_and(|s| told.fits(s))).or_else(|| self.told_of(at, &told, message.act));
        if message.act == Act::Delete {
            return match known {
                Some(id) => {
                    self.add(at, id, &told);
                    self.report_ends(at, id, number);
                }
                None => self.orphans = self.orphans.saturating_add(1),
            };
        }
        let id = match known {
            Some(id) => id,
            None if told.ue.is_empty() => return self.orphans = self.orphans.saturating_add(1),
            None => self.begin(at, (message.plane, from), message.sequence, None),
        };
        self.add(at, id, &told);
        if let Some(number) = number {
            self.number(number, id);
        }
    }

    /// Requests for admission say who, their answers what he got.
    fn admitted(&mut self, at: Micros, from: Addr, to: Addr, message: &Message) {
        if !message.answer {
            if self.asked.len() >= ASKED {
                self.asked.retain(|_, waiting| at.since(waiting.since) < PATIENCE);
            }
            let waiting = Waiting { since: at, id: None, question: message.clone() };
            self.asked.insert((message.plane, from, to, message.sequence), waiting);
            return;
        }
        let Some(Waiting { question, .. }) = self.asked.remove(&(message.plane, to, from, message.sequence)) else { return };
        let told = Told::of(question.items.iter().chain(&message.items));
        // An answer alone may give an address; what was asked for need not be given.
        if told.refused || !message.items.iter().any(|i| matches!(i, Item::Ue(_))) {
            return;
        }
        let told = Told { ue: Told::of(&message.items).ue, ..told };
        let id = self.told_of(at, &told, Act::Create).unwrap_or_else(|| self.begin(at, (message.plane, to), message.sequence, None));
        self.add(at, id, &told);
        if let Some(name) = message.to {
            self.number((Plane::Diameter, Addr([0; 16]), name), id);
        }
    }

    /// Whether it is known by reports alone.
    fn is_bare(&self, id: Id) -> bool {
        self.get(id).is_some_and(|s| s.ends.is_empty() && s.control.iter().all(|(plane, ..)| plane.reports()))
    }

    /// The session that a report is about, by address and SIM.
    fn told_of(&self, at: Micros, told: &Told<'_>, act: Act) -> Option<Id> {
        let by_address = told.ue.iter().find_map(|ue| self.ue.get(ue).copied().or_else(|| self.declared.at(ue.addr, at)));
        let same = |id: &Id| {
            self.get(*id).is_some_and(|s| {
                // Whose it is that has no name is known while it begins. Later the address may have changed hands unheard.
                let young = act != Act::Create || s.imsi.is_some() || at.since(s.first) < PATIENCE;
                told.fits(s) && !told.elsewhere(s) && young
            })
        };
        let by_address = by_address.filter(same);
        by_address.or_else(|| {
            let imsi = told.imsi?;
            let alive = self.imsi.get(imsi.as_str()).map_or(&[][..], Vec::as_slice);
            // Signalling knows the SIM before it knows the address.
            let open = |id: &&Id| self.get(**id).is_some_and(|s| told.fits(s) && !told.elsewhere(s) && !told.ue.is_empty());
            alive.iter().rev().find(open).copied().or_else(|| self.written(imsi, told.apn.map(String::as_str), at))
        })
    }

    /// What a report says fills what is open.
    fn add(&mut self, at: Micros, id: Id, told: &Told<'_>) {
        told.ue.iter().for_each(|ue| self.lease(*ue, id));
        let Some(session) = self.all.get_mut(id.0 as usize) else { return };
        session.met(at, at);
        session.granted = true;
        session.rat = session.rat.or(told.rat);
        if let Some(imsi) = told.imsi
            && session.imsi.is_none()
        {
            session.imsi = Some(imsi.clone());
            self.imsi.entry(imsi.clone()).or_default().push(id);
        }
        for (field, word) in [(&mut session.imei, told.imei), (&mut session.msisdn, told.msisdn), (&mut session.apn, told.apn)] {
            if field.is_none() {
                *field = word.cloned();
            }
        }
    }

    /// A report says that it was the last of its name. A session of several bearers has several.
    fn report_ends(&mut self, at: Micros, id: Id, number: Option<super::Number>) {
        if let Some(number) = number {
            if self.control.get(&number) == Some(&id) {
                self.control.remove(&number);
            }
            if let Some(session) = self.all.get_mut(id.0 as usize) {
                session.control.retain(|own| *own != number);
            }
        }
        let Some(session) = self.all.get_mut(id.0 as usize) else { return };
        if session.control.iter().any(|(plane, ..)| plane.reports()) {
            return;
        }
        if session.ends.is_empty() {
            return self.end(id);
        }
        // Its tunnels live a moment longer; its addresses may be given again.
        session.ending = session.ending.or(Some(at));
        for ue in session.ue.clone() {
            if self.ue.get(&ue) == Some(&id) {
                self.ue.remove(&ue);
            }
        }
    }
}
