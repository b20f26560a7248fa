//! Countries that are said against places on file.

use umbilical_core::answer::suppliers::Strength;
use umbilical_core::date::{Holds, holds};
use umbilical_core::text::short;
use umbilical_knowledge::{EdgeKind, Organisation};

use super::compare::{Compare, Text, strength};

impl<'k> Compare<'k> {
    /// Where a module is made. Factories on file settle it; where no row names one, the seat and the contract makers are
    /// all that can be compared with, and a difference is a doubt.
    pub(super) fn site(&mut self, org: &Organisation, said: &Text) {
        let stated = self.kb.countries_named(&said.text);
        if stated.is_empty() {
            return;
        }
        let factories = org.factory.as_deref().map(|t| self.kb.country_codes_in(t)).unwrap_or_default();
        let seats = [org.headquarters.as_deref(), org.country.as_deref()].into_iter().flatten().flat_map(|t| self.kb.country_codes_in(t));
        let mut known: Vec<&str> = if factories.is_empty() { seats.collect() } else { factories.clone() };
        known.dedup();
        // Who builds for it builds where it is; of a row that nobody has checked only a doubt is left.
        let mut reported: Vec<(&str, &str)> = Vec::new();
        for edge in self.kb.edges_of(&org.id).filter(|e| e.edge == EdgeKind::Makes && holds(self.day, e.from, e.to) != Holds::No) {
            let Some(maker) = self.kb.org(&edge.parent) else { continue };
            let places = maker.country.as_deref().map(|t| self.kb.country_codes_in(t)).unwrap_or_default();
            if edge.source.verified {
                known.extend(places);
            } else {
                reported.extend(places.into_iter().map(|p| (p, &*maker.name)));
            }
        }
        if known.is_empty() {
            self.open(format!("no row says where {} makes: `{}` ({}) was not compared", org.name, short(&said.text, 60), said.at));
            return;
        }
        self.out.compared = self.out.compared.saturating_add(1);
        if stated.iter().any(|c| known.contains(c)) {
            return;
        }
        let perhaps = reported.iter().find(|(place, _)| stated.contains(place));
        let strength = if factories.is_empty() || perhaps.is_some() { Strength::Doubt } else { strength(&org.source) };
        let on_file = match org.factory.as_deref().filter(|_| !factories.is_empty()) {
            Some(row) => format!("{} is known to make in {row}", org.name),
            None => {
                let seat = org.headquarters.as_deref().or(org.country.as_deref()).unwrap_or_default();
                format!("{} is run from {seat}, and no row names a factory there or elsewhere", org.name)
            }
        };
        let perhaps = perhaps.map(|(_, name)| format!("; {name} is said to build for it (unverified)")).unwrap_or_default();
        let said_in = format!("country of manufacture: {}", said.text);
        self.contradict("site-country", strength, said_in, &said.at, format!("{on_file}{perhaps}"), "organisations.csv", &org.source);
    }

    /// Under whose law the maker and those who decide over it stand.
    pub(super) fn owner(&mut self, org: &'k Organisation, said: &Text) {
        let stated = self.kb.countries_named(&said.text);
        if stated.is_empty() {
            return;
        }
        let trace = self.trace(org);
        if trace.jurisdictions.is_empty() {
            self.open(format!(
                "no row says under whose law {} stands: `{}` ({}) was not compared",
                org.name,
                short(&said.text, 60),
                said.at
            ));
            return;
        }
        self.out.compared = self.out.compared.saturating_add(1);
        let missing: Vec<_> = trace.jurisdictions.iter().filter(|j| !stated.contains(&j.country.as_str())).collect();
        let Some(first) = missing.first() else { return };
        let sure = missing.iter().any(|j| !j.unclear) && org.source.verified && trace.chain.iter().all(|s| s.verified || !s.control);
        let strength = if sure { Strength::Conflict } else { Strength::Doubt };
        let mut countries: Vec<&str> = missing.iter().map(|j| j.country.as_str()).collect();
        countries.dedup();
        let via = if first.via.is_empty() { String::new() } else { format!(" through {}", first.via.join(", ")) };
        let text = format!("{} stands under the law of {} as well{via} ({})", org.name, countries.join(", "), trace.statement);
        self.contradict(
            "owner-country",
            strength,
            format!("law of control: {}", said.text),
            &said.at,
            text,
            "organisations.csv",
            &org.source,
        );
    }
}
