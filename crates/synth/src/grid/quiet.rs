//! What speaks again and again and is no clock.

use super::{Cases, Draw};
use crate::scene::Talk;

/// All of them.
pub(super) fn all(d: &mut Draw, out: &mut Cases) {
    for n in 0..80 {
        chance(d, out, n);
        bounded(d, out, n);
    }
    for n in 0..40 {
        people(d, out, n);
        retries(d, out, n);
        sleepers(d, out, n);
        pages(d, out, n);
    }
}

/// Contacts of a Poisson process, few and many, of one size and of any.
fn chance(d: &mut Draw, out: &mut Cases, n: u32) {
    let (client, site, mean) = (d.inside(), d.site(), d.of(&[20.0, 300.0, 1800.0]));
    let (contacts, alike) = (8 + n * 90 / 80, n.is_multiple_of(3));
    let mut at = 0.0;
    let talks = (0..contacts).map(|k| {
        at += d.wait(mean);
        let (up, down) = if alike { (180, 90) } else { (d.within(60..=900), d.within(60..=4000)) };
        Talk::asked(at, client, site.1, (20_000 + k as u16, 8883), d.bytes(up), d.bytes(down))
    });
    let talks = talks.collect();
    out.spare(format!("{contacts} by chance, {mean} s apart in the mean, {n}"), talks);
}

/// The next comes anywhere between two bounds that lie far apart.
fn bounded(d: &mut Draw, out: &mut Cases, n: u32) {
    let (client, server, least) = (d.inside(), d.outside(), d.of(&[5.0, 60.0, 300.0]));
    let (most, contacts, size) = (least * d.between(12.0, 60.0), d.within(8..=70), d.within(60..=400));
    let mut at = 0.0;
    let talks = (0..contacts).map(|k| {
        at += d.between(least, most);
        Talk::asked(at, client, server, (20_000 + k as u16, 8443), d.bytes(size), d.bytes(120))
    });
    let talks = talks.collect();
    out.spare(format!("{contacts} of them {least} to {most:.0} s apart, {n}"), talks);
}

/// A few sites, some of them the whole day; how long a page is looked at has a long tail.
fn people(d: &mut Draw, out: &mut Cases, n: u32) {
    let (client, begin) = (d.inside(), d.between(0.0, 3600.0));
    let sites: Vec<_> = (0..d.within(2..=12)).map(|_| d.site()).collect();
    let (mut at, mut talks, mut port) = (begin, Vec::new(), 20_000_u16);
    let pages = d.within(40..=160);
    for _ in 0..pages {
        // Pareto with a shape of 1.3: mostly seconds, now and then an hour.
        at += (4.0 * (1.0 - d.share()).powf(-1.0 / 1.3)).min(7200.0);
        let (site, connections) = (d.within(0..=sites.len() as u32 - 1) as usize, d.within(1..=4) as u16);
        talks.extend(d.page(at, client, &sites[site], port, connections));
        port += connections + 1;
    }
    out.spare(format!("{pages} pages of {} sites, {n}", sites.len()), talks);
}

/// A service that is away: tried as by a clock, or ever more seldom, each time with what TCP sends again.
fn retries(d: &mut Draw, out: &mut Cases, n: u32) {
    let (client, server, port) = (d.inside(), d.outside(), d.of(&[443, 1883, 8080, 8883, 23]));
    let (each, tries, refused) = (d.of(&[5.0, 15.0, 60.0, 600.0]), d.within(20..=90), n % 4 == 3);
    let longer = if n % 5 == 4 { 1.15 } else { 1.0 };
    let (mut at, mut gap, mut talks) = (0.0, each, Vec::new());
    for k in 0..tries {
        let ports = (20_000 + k as u16, port);
        if refused {
            talks.push(Talk::refused(at, client, server, ports));
        } else {
            let again = [1.0, 3.0].into_iter().filter(|after| *after < gap);
            talks.push(
                again.fold(Talk::silent(at, client, server, ports), |t, after| t.then(at + after, true, crate::scene::SYN, Vec::new())),
            );
        }
        at += gap;
        gap = (gap * longer).min(3600.0);
    }
    let how = if refused { "refuses" } else { "is silent" };
    out.spare(format!("{tries} tries of what {how}, each {each} s, {n}"), talks);
}

/// Devices of NB-IoT that sleep (power saving, 3GPP TS 23.682, 4.5.4): each wakes a few times a day, by its timer or for what happened,
/// and a report winds the timer anew.
fn sleepers(d: &mut Draw, out: &mut Cases, n: u32) {
    let (server, devices) = (d.outside(), d.within(1..=12));
    let (timer, happens) = (d.of(&[4.0, 6.0, 8.0, 12.0]) * 3600.0, d.of(&[5.0, 8.0, 12.0]) * 3600.0);
    let coap = n.is_multiple_of(2);
    let mut talks = Vec::new();
    for _ in 0..devices {
        let (client, mut at) = (d.inside(), d.between(0.0, timer));
        let mut port = 20_000;
        while at < 86_400.0 {
            let (up, down) = (d.within(24..=90), d.within(4..=20));
            let (question, answer) = (d.bytes(up), d.bytes(down));
            talks.push(if coap {
                Talk::datagrams(at, client, server, (port, 5683), question, Some(answer))
            } else {
                Talk::asked(at, client, server, (port, 8883), question, answer)
            });
            port += 1;
            at += timer.min(d.wait(happens)) + d.between(2.0, 30.0);
        }
    }
    out.spare(format!("{devices} that sleep up to {} h, {n}", timer / 3600.0), talks);
}

/// Pages that open many connections at once, a few of them in an hour.
fn pages(d: &mut Draw, out: &mut Cases, n: u32) {
    let (client, site, visits) = (d.inside(), d.site(), d.within(1..=7));
    let (mut at, mut talks, mut port, mut most) = (0.0, Vec::new(), 20_000_u16, 0);
    for _ in 0..visits {
        let connections = d.within(8..=40) as u16;
        most = most.max(connections);
        talks.extend(d.page(at, client, &site, port, connections));
        port += connections + 1;
        at += d.wait(500.0) + 5.0;
    }
    out.spare(format!("{visits} visits with up to {most} connections at once, {n}"), talks);
}
