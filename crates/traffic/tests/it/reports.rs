//! What gateways report and operators write down: whose an address is, and when.

use std::collections::HashSet;

use umbilical_synth::mobile::{self, What};
use umbilical_synth::reports::{How, Plan, trace};
use umbilical_traffic::capture::Frame;
use umbilical_traffic::cellular::Ue;
use umbilical_traffic::cellular::sessions::{Declared, Sessions};
use umbilical_traffic::flow::{Each, Event, Flow, Limits};
use umbilical_traffic::link::Link;
use umbilical_traffic::names::Words;
use umbilical_traffic::time::Micros;
use umbilical_traffic::watch::Watch;

/// The SIM that a frame was counted for.
fn counted(watch: &mut Watch, number: usize, frame: &mobile::Frame, each: Each<'_>) -> Option<String> {
    let before: Vec<u64> = watch.sessions.iter().map(|(_, s)| s.packets).collect();
    let length = frame.bytes.len() as u32;
    let one = Frame { number: number as u64 + 1, at: Micros(frame.at), link: Link::ETHERNET, bytes: &frame.bytes, length };
    watch.frame(&one, each);
    let mut grown = watch.sessions.iter().enumerate().filter(|(n, (_, s))| s.packets > before.get(*n).copied().unwrap_or(0));
    grown.next().and_then(|(_, (_, s))| s.imsi.clone())
}

#[test]
fn every_packet_is_that_of_the_sim_that_has_its_address() {
    for lost in [0, 500] {
        let truth = trace(&Plan { seed: 5, sessions: 60, lost, packets: 8 });
        let mut watch = Watch::new(Limits::default());
        let mut ends: Vec<Flow> = Vec::new();
        let mut each = |event: Event<'_>, _: &Words| {
            if let Event::End(flow, _) = event {
                ends.push(flow.clone());
            }
        };
        for (n, frame) in truth.frames.iter().enumerate() {
            let sim = counted(&mut watch, n, frame, &mut each);
            if matches!(frame.what, What::User { .. }) {
                assert_eq!(sim.as_ref(), Some(&truth.sessions[frame.session as usize].imsi), "frame {n}, {lost} lost");
            }
        }
        watch.finish(&mut each);
        assert_eq!(watch.sessions.iter().count(), 60, "each is one, however many reports there are of it");
        for ((_, found), session) in watch.sessions.iter().zip(&truth.sessions) {
            assert_eq!((&found.imsi, &found.imei), (&Some(session.imsi.clone()), &Some(session.imeisv.clone())));
            assert_eq!((&found.msisdn, found.apn.as_deref()), (&Some(session.msisdn.clone()), Some(session.apn)));
            assert_eq!((found.packets, found.rat), (8, Some(6)), "{:?}", session.how);
            assert_eq!(found.flows, 1 + u64::from(session.prefix.is_some()));
            assert_eq!(found.ue.len(), 1 + usize::from(session.prefix.is_some()), "{found:?}");
        }
        let living = watch.sessions.iter().filter(|(_, s)| !s.ended).count();
        assert!(if lost == 0 { living == 0 } else { living <= 3 }, "{living}: an address is taken over by who gets it next");
        assert!([How::Radius, How::Tcp, How::Sctp].iter().all(|h| truth.sessions.iter().any(|s| s.how == *h)));
        assert_eq!(watch.sessions.orphans, 0);
        // A conversation that goes on under the next SIM is another.
        let of: Vec<_> = ends.iter().filter(|f| f.key.server_port == 5684).collect();
        assert!(of.iter().all(|f| f.session.is_some() && f.packets() <= 8));
    }
}

/// The same sessions over signalling and reports, in the order in which a gateway sends both.
#[test]
fn what_signalling_introduced_is_added_to() {
    let plan = mobile::Plan { seed: 9, sessions: 40, loss: 0, packets: 4 };
    let truth = mobile::trace(&plan);
    let mut watch = Watch::new(Limits::default());
    let mut reported = 0;
    let mut told = vec![false; truth.sessions.len()];
    for (n, frame) in truth.frames.iter().enumerate() {
        counted(&mut watch, n, frame, &mut |_, _| {});
        let session = &truth.sessions[frame.session as usize];
        let (mobile::Address::V4(ue), What::User { .. }, false) = (session.ue, &frame.what, told[frame.session as usize]) else { continue };
        // Between the first packets the gateway reports the session, with a number that signalling does not have.
        told[frame.session as usize] = true;
        reported += 1;
        let bytes = umbilical_synth::reports::started(&session.imsi, "882990000001", session.apn, ue, frame.session);
        let start = mobile::Frame { at: frame.at, session: frame.session, what: What::Signal { tokens: vec![], named: true }, bytes };
        counted(&mut watch, n, &start, &mut |_, _| {});
    }
    watch.finish(&mut |_, _| {});
    assert!(reported > 20);
    assert_eq!(watch.sessions.iter().count(), 40);
    let with_number = watch.sessions.iter().filter(|(_, s)| s.msisdn.is_some()).count();
    assert_eq!(with_number, reported);
    assert!(watch.sessions.iter().filter(|(_, s)| s.msisdn.is_some()).all(|(_, s)| s.imsi.is_some()), "what was nameless has a name");
    assert!(watch.sessions.iter().all(|(_, s)| s.packets == 4));
}

fn written(imsi: &str, ue: [u8; 4], from: Option<i64>, to: Option<i64>) -> Declared {
    Declared {
        imsi: Some(imsi.to_owned()),
        iccid: None,
        imei: None,
        msisdn: None,
        apn: None,
        ue: vec![Ue::v4(ue)],
        from: from.map(Micros::seconds),
        to: to.map(Micros::seconds),
    }
}

#[test]
fn an_address_is_that_of_the_sim_whose_interval_holds_the_time() {
    let ue = [10, 9, 0, 1];
    let mut watch = Watch::new(Limits::default());
    let sessions = &mut watch.sessions;
    sessions.declare(written("001010000000002", ue, Some(200), Some(300)));
    sessions.declare(written("001010000000001", ue, Some(100), Some(200)));
    sessions.declare(written("001010000000003", ue, Some(400), None));
    sessions.declare(written("001010000000004", [10, 9, 0, 2], None, None));
    let at = |second: i64, addr: [u8; 4]| {
        let id = watch.sessions.of_address(Ue::v4(addr).addr, Micros::seconds(second))?;
        watch.sessions.get(id)?.imsi.as_ref()?.chars().last()
    };
    let rows = [(99, None), (100, Some('1')), (199, Some('1')), (200, Some('2')), (299, Some('2')), (300, None), (400, Some('3'))];
    for (second, sim) in rows {
        assert_eq!(at(second, ue), sim, "{second}");
    }
    assert_eq!((at(1 << 40, ue), at(-5, [10, 9, 0, 2]), at(5, [10, 9, 0, 3])), (Some('3'), Some('4'), None));
}

#[test]
fn what_is_written_down_anew_takes_the_place_of_what_was() {
    let mut watch = Watch::new(Limits::default());
    let sessions = &mut watch.sessions;
    let rows = |end| [written("001010000000001", [10, 9, 0, 1], Some(100), end), written("001010000000002", [10, 9, 0, 2], None, None)];
    let first = rows(None).map(|row| sessions.declare(row));
    sessions.rewrite();
    // The first has ended, the second is gone, its address another's.
    let [one, _] = rows(Some(200));
    let again = [one, written("001010000000003", [10, 9, 0, 2], None, None)].map(|row| sessions.declare(row));
    sessions.rewritten();
    assert!(again[0] == first[0] && again[1] != first[1]);
    let at = |sessions: &Sessions, second: i64, addr| sessions.of_address(Ue::v4(addr).addr, Micros::seconds(second));
    assert_eq!((at(sessions, 199, [10, 9, 0, 1]), at(sessions, 200, [10, 9, 0, 1])), (Some(first[0]), None));
    assert_eq!(at(sessions, 5, [10, 9, 0, 2]), Some(again[1]));
    // No two are told by one name, in whatever order they come and go.
    sessions.rewrite();
    let third = sessions.declare(written("001010000000004", [10, 9, 0, 2], None, None));
    sessions.rewritten();
    let names: HashSet<_> = [first[0], first[1], again[1], third].map(|id| sessions.get(id).map(|s| s.introduced)).into();
    assert_eq!(names.len(), 4);
    assert_eq!(at(sessions, 150, [10, 9, 0, 1]), None);
}

/// Where captures hold no signalling of tunnels what was written down says whose an inner address is; where they do it does not.
#[test]
fn in_tunnels_that_nothing_names_the_address_speaks() {
    let plan = mobile::Plan { seed: 3, sessions: 12, loss: 0, packets: 4 };
    let truth = mobile::trace(&plan);
    let alone = |keep_signalling: bool| {
        let mut watch = Watch::new(Limits::default());
        for (n, session) in truth.sessions.iter().enumerate() {
            let frames: Vec<_> = truth.frames.iter().filter(|f| f.session as usize == n).collect();
            let mobile::Address::V4(ue) = session.ue else { continue };
            let mut row = written(&session.imsi, ue, None, None);
            row.from = frames.first().map(|f| Micros(f.at));
            row.to = frames.last().map(|f| Micros(f.at + 1));
            watch.sessions.declare(row);
        }
        let (mut right, mut none) = (0, 0);
        for (n, frame) in truth.frames.iter().enumerate() {
            if matches!(frame.what, What::Signal { .. }) && !(keep_signalling && frame.session == 0) {
                continue;
            }
            let sim = counted(&mut watch, n, frame, &mut |_, _| {});
            if matches!(frame.what, What::User { .. }) && frame.session != 0 {
                match sim {
                    Some(sim) => right += u32::from(sim == truth.sessions[frame.session as usize].imsi),
                    None => none += 1,
                }
            }
        }
        (right, none)
    };
    let named = truth.sessions.iter().skip(1).filter(|s| matches!(s.ue, mobile::Address::V4(_))).count() as u32;
    assert!(named > 4);
    assert_eq!(alone(false), (named * 4, (11 - named) * 4));
    assert_eq!(alone(true), (0, 44));
}
