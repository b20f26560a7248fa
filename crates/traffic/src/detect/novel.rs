//! `new-destination`: a module that is known well speaks with what neither it nor its fleet ever spoke with.
//!
//! A destination is the registered domain of the name that was asked for or given, so that the many addresses behind one name are one;
//! without a name it is the autonomous system of the address where a database says it, else the network. What a module never spoke with
//! is new only where at most one of fifty of the others did before. Whoever often speaks with somebody new (a telephone, a browser) is
//! not judged: by its own past (Good and Turing: the share of conversations with whom it spoke once) the next may well be new. Names and
//! networks without one are told apart there: a device that asks for few names may well come to ever other addresses of a cloud.

use std::collections::BTreeSet;

use hashbrown::{HashMap, HashSet};
use umbilical_core::finding::Severity;
use umbilical_core::observation::Basis;

use super::{About, Alert, Detector, Ends, Given, Hears, Reason, Tally, Term, Trace};
use crate::learn::{Contact, Module, Now, Past, Who, end, is_inside, network, network_name};
use crate::packet::Addr;
use crate::time::Micros;

const ABOUT: About = About {
    code: "new-destination",
    version: 1,
    needs: "a module that was watched for 7 days, or a day and 200 conversations, and names or networks of whom it speaks with",
    basis: Basis::Inferred,
};

/// At most this share of the others may have spoken with it.
const PREVALENCE: f64 = 0.02;
/// Whoever speaks with somebody new more often than this is not judged.
const RESTLESS: f64 = 0.05;
/// Fewer of which it spoke with once are no habit.
const HABIT: usize = 5;
/// Bytes sent from which it counts that they are many.
const MUCH: u64 = 100_000;
/// New destinations of one that are told one by one.
const TOLD: usize = 20;
/// Ports on which everybody speaks (DNS, HTTP, NTP, TLS, MQTT, push, CoAP).
const USUAL: [u16; 12] = [53, 80, 123, 443, 853, 1883, 5222, 5228, 5683, 8080, 8443, 8883];

/// See above.
#[derive(Debug)]
pub(super) struct Novel;

/// Who spoke with something in this trace, by when they began.
type Begun<'a> = HashMap<String, Vec<(Micros, &'a Who)>>;

/// What a destination is known by beside its own: its autonomous system.
fn system(asn: Option<u32>) -> Option<String> {
    asn.map(|n| format!("AS{n}"))
}

/// With what a module had to do up to a point of the trace, by names and by networks.
struct Habit<'a> {
    past: Option<&'a Module>,
    nets: HashSet<Addr>,
    systems: HashSet<u32>,
    ports: HashSet<u16>,
    countries: HashSet<Box<str>>,
    /// Conversations with each name, and with each network or system.
    kinds: [Kind; 2],
}

/// Conversations of one kind.
#[derive(Default)]
struct Kind {
    talks: HashMap<String, u64>,
    once: usize,
    all: u64,
}

impl Kind {
    fn add(&mut self, what: String, talks: u64) {
        let sum = self.talks.entry(what).or_default();
        self.once = self.once.saturating_sub(usize::from(*sum == 1));
        *sum = sum.saturating_add(talks);
        self.once = self.once.saturating_add(usize::from(*sum == 1));
        self.all = self.all.saturating_add(talks);
    }
}

impl<'a> Habit<'a> {
    fn new(past: Option<&'a Module>) -> Self {
        let (nets, systems, ports, countries) = Default::default();
        let mut habit = Self { past, nets, systems, ports, countries, kinds: Default::default() };
        if let Some(module) = past {
            habit.ports.extend(&module.ports);
            habit.countries.extend(module.nets.values().filter_map(|net| net.country.clone()));
            habit.systems.extend(module.nets.values().filter_map(|net| net.asn));
            for (what, met) in &module.to {
                let bare = what.contains('/');
                let asn = module.nets.get(what).and_then(|net| net.asn).filter(|_| bare);
                habit.kind(!bare).add(system(asn).unwrap_or_else(|| what.to_string()), met.talks);
            }
        }
        habit
    }

    fn kind(&mut self, named: bool) -> &mut Kind {
        let [names, nets] = &mut self.kinds;
        if named { names } else { nets }
    }

    /// It began to speak with it.
    fn add(&mut self, contact: &Contact) {
        self.nets.insert(network(contact.addr));
        self.systems.extend(contact.place.asn);
        self.ports.insert(contact.port);
        self.countries.extend(contact.place.country().map(Box::from));
        let asn = contact.place.asn.filter(|_| !contact.named);
        self.kind(contact.named).add(system(asn).unwrap_or_else(|| contact.what.to_string()), contact.met.talks);
    }

    /// Whether it had to do with a destination: by its name, or by its network where no name was seen.
    fn knows(&self, contact: &Contact) -> bool {
        let net = network_name(contact.addr);
        let past = self.past;
        if past.is_some_and(|m| m.to.contains_key(&contact.what)) {
            return true;
        }
        if contact.named {
            // What was first met by a router's records, without names, is the same under one.
            return past.is_some_and(|m| m.to.contains_key(&net));
        }
        let asn = contact.place.asn;
        past.is_some_and(|m| m.nets.contains_key(&net))
            || self.nets.contains(&network(contact.addr))
            || asn.is_some_and(|asn| self.systems.contains(&asn))
    }

    /// How likely the next conversation of this kind (by name, or by address alone) is with somebody new.
    fn restless(&mut self, named: bool) -> f64 {
        let kind = self.kind(named);
        if kind.once < HABIT { 0.0 } else { kind.once as f64 / kind.all.max(1) as f64 }
    }
}

/// How many others met a destination before this one did, so far as that is few enough; and how many others there are.
fn others(past: &Past, begun: &Begun<'_>, fleet: &[usize; 2], who: &Who, contact: &Contact) -> (usize, usize) {
    let [modules, addrs] = *fleet;
    let all = (if who.is_addr() { addrs } else { modules }).saturating_sub(1);
    let enough = (PREVALENCE * all as f64) as usize;
    let met = keys(contact).map(|key| {
        let mut met = past.met_by(&key, who) as usize;
        let mut fresh: HashSet<&Who> = HashSet::new();
        let before = begun.get(&key).into_iter().flatten().take_while(|(at, _)| *at < contact.met.first);
        for (_, other) in before.filter(|(_, other)| *other != who && other.is_addr() == who.is_addr()) {
            if met > enough {
                break;
            }
            // Those who did before this trace are counted already.
            let counted = past.modules.get(other).is_some_and(|m| m.to.contains_key(&*key));
            met = met.saturating_add(usize::from(!counted && fresh.insert(other)));
        }
        met
    });
    (met.max().unwrap_or_default(), all)
}

/// What a destination is known by: its own, and without a name its system as well.
fn keys(contact: &Contact) -> impl Iterator<Item = String> {
    std::iter::once(contact.what.to_string()).chain(system(contact.place.asn).filter(|_| !contact.named))
}

/// Everybody, modules and addresses apart.
fn fleet(past: &Past, now: &Now) -> [usize; 2] {
    let all: BTreeSet<&Who> = past.modules.keys().chain(now.lesson.modules.keys()).collect();
    let addrs = all.iter().filter(|who| who.is_addr()).count();
    [all.len().saturating_sub(addrs), addrs]
}

fn judge(given: &Given) -> (Vec<Alert>, Tally) {
    let (past, now) = (&given.past, &given.now);
    let mut tally = Tally { forgotten: now.forgotten, ..Tally::default() };
    // Who is known well at the end, since when, and with whom it spoke. The others were not known well before, and who has no name never is.
    let mut learnt = Vec::new();
    for (who, contacts) in &now.contacts {
        let (first, last, talks) = now.lesson.modules.get(who).map_or_else(Default::default, |m| (m.first, m.last, m.talks));
        learnt.extend(past.is_learnt(who, first, last, talks).then_some((who, contacts, first)));
    }
    let all = now.contacts.len() as u64;
    tally.learning = Some((all.saturating_sub(learnt.len() as u64), all));
    if learnt.is_empty() {
        return (Vec::new(), tally);
    }
    let mut begun = Begun::new();
    for (who, contacts) in &now.contacts {
        for contact in contacts {
            keys(contact).for_each(|key| begun.entry(key).or_default().push((contact.met.first, who)));
        }
    }
    begun.values_mut().for_each(|all| all.sort_unstable());
    let fleet = fleet(past, now);
    let mut out = Vec::new();
    for (who, contacts, first) in learnt {
        let mut contacts: Vec<&Contact> = contacts.iter().collect();
        contacts.sort_by_key(|c| c.met.first);
        let mut habit = Habit::new(past.modules.get(who));
        let mut alerts = Vec::new();
        for contact in contacts {
            if past.is_learnt(who, first, contact.met.first, contact.before) {
                alerts.extend(contact_alert(&mut tally, who, contact, &mut habit, (&begun, &fleet), given));
            }
            habit.add(contact);
        }
        alerts.sort_by(Alert::worst_first);
        let more = alerts.len().saturating_sub(TOLD);
        alerts.truncate(TOLD);
        if let (Some(last), 1..) = (alerts.last_mut(), more) {
            last.reason.more.push(format!("{more} more destinations that are new for it are not told one by one"));
        }
        out.extend(alerts);
    }
    (out, tally)
}

/// One destination of a module that is known well.
fn contact_alert(
    tally: &mut Tally,
    who: &Who,
    contact: &Contact,
    habit: &mut Habit<'_>,
    (begun, fleet): (&Begun<'_>, &[usize; 2]),
    given: &Given,
) -> Option<Alert> {
    let known = habit.knows(contact);
    // A router sees no names: of an address alone it cannot be told who it is today.
    let blind = !contact.named && !contact.names && contact.place.asn.is_none() && !is_inside(contact.addr);
    let restless = habit.restless(contact.named);
    if !known && (blind || restless > RESTLESS) {
        tally.blind = tally.blind.saturating_add(contact.met.talks);
        return None;
    }
    tally.judged = tally.judged.saturating_add(contact.met.talks);
    if known {
        return None;
    }
    let others = others(&given.past, begun, fleet, who, contact);
    let later = begun.get(&*contact.what).into_iter().flatten();
    let later = later.filter(|(at, other)| *other != who && *at >= contact.met.first).count();
    (others.0 as f64 <= PREVALENCE * others.1 as f64).then(|| alert(contact, who, habit, (others, later), restless))
}

fn alert(contact: &Contact, who: &Who, habit: &Habit<'_>, (others, later): ((usize, usize), usize), restless: f64) -> Alert {
    let address = contact.addr.ip();
    let peer = end(contact.name.as_deref(), contact.addr, contact.port);
    let answered = contact.answered > 0;
    let mut more = Vec::new();
    let mut worse = 0;
    if contact.named {
        more.push(format!("What is new is the registered domain {}; the address is {address}", contact.what));
    }
    let (met, all) = others;
    more.push(match (met, all) {
        (_, 0) => "No other device was watched here: how usual it is elsewhere is not known".to_owned(),
        (0, all) => format!("None of {all} others spoke with it before"),
        (met, all) => format!("{met} of {all} others spoke with it before"),
    });
    if later > 0 {
        more.push(format!("{later} others did so behind it in this trace"));
    }
    if let Some(country) = contact.place.country() {
        if !habit.countries.is_empty() && !habit.countries.contains(country) {
            worse += 1;
            more.push(format!("The address is in {country} by the database that was given: the device spoke with nobody there before"));
        } else {
            more.push(format!("The address is in {country} by the database that was given"));
        }
    }
    let laws = contact.operator.as_ref().map_or(0, |o| o.laws.len());
    if let Some(operator) = &contact.operator {
        let under = operator.country.as_deref().map(|c| format!(", organised in {c}")).unwrap_or_default();
        let bound = match operator.laws.first() {
            None => String::new(),
            Some(law) if laws == 1 => format!(", where a law can compel: {law}"),
            Some(law) => format!(", where {laws} laws can compel, among them {law}"),
        };
        worse += usize::from(laws > 0);
        more.push(format!("The knowledge base has it as an endpoint of {}{under}{bound}", operator.name));
    }
    if contact.bytes.0 >= MUCH {
        worse += 1;
        more.push(format!("{} bytes were sent there", contact.bytes.0));
    }
    let port = contact.port != 0 && !USUAL.contains(&contact.port) && !habit.ports.contains(&contact.port);
    if port {
        worse += 1;
        more.push(format!("It never spoke to port {} of anybody before", contact.port));
    }
    if who.is_addr() {
        more.push("It is known by its address alone: that may have been given to another device since".to_owned());
    }
    let severity = match (answered, worse) {
        (false, 0..=1) => Severity::Info,
        (false, _) | (true, 0) => Severity::Low,
        (true, 1) => Severity::Medium,
        (true, _) => Severity::High,
    };
    let did = if answered {
        format!("began to speak with {peer}, which it never did before")
    } else {
        format!("began to try {peer}, which it never did before, and no answer was seen")
    };
    let talks = habit.past.map_or(0, |m| m.talks).saturating_add(contact.before);
    let term = |term, value: f64, threshold: f64| Term { term, value, threshold };
    Alert {
        about: &ABOUT,
        subject: contact.subject,
        peer: Some(peer),
        ends: Ends::Peer,
        severity,
        // How unlikely that is by its own past; an address alone may be another device's by now.
        score: (1.0 - restless) * if who.is_addr() { 0.8 } else { 1.0 },
        terms: vec![
            term("conversations_before", talks as f64, crate::learn::ENOUGH as f64),
            term("chance_of_new", restless, RESTLESS),
            term("prevalence", if all == 0 { 0.0 } else { met as f64 / all as f64 }, PREVALENCE),
            term("bytes_up", contact.bytes.0 as f64, MUCH as f64),
            term("reasons", f64::from(u32::try_from(worse).unwrap_or(u32::MAX)), 1.0),
        ],
        reason: Reason {
            did,
            more,
            remedies: vec![
                "Ask the device's maker what it reports there, and write the answer down".to_owned(),
                "Let the device reach only what it needs (its learnt destinations), and drop the rest at the gateway".to_owned(),
            ],
            clears_when: "It is known why the device speaks with it; a trace in which it was met teaches the next".to_owned(),
            stake: None,
        },
        threats: &["surveillance", "exfiltration"],
        first: contact.met.first,
        at: contact.met.first,
        last: contact.met.last,
        flows: contact.met.talks,
        frames: contact.frames,
    }
}

impl Detector for Novel {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn found(&self, given: &Given, _: Trace<'_>) -> Vec<Alert> {
        judge(given).0
    }

    // What it needs is gathered for all.
    fn hears(&self) -> Hears {
        Hears::NOTHING
    }

    fn tally(&self, given: &Given, _: Trace<'_>) -> Tally {
        judge(given).1
    }

    fn both(&self, given: &Given, _: Trace<'_>) -> (Vec<Alert>, Tally) {
        judge(given)
    }
}
