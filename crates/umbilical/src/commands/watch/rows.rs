//! What is told of sessions and conversations, and of whose module they are.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::num::NonZeroU8;

use sha2::{Digest as _, Sha256};
use umbilical_assess::{Fleet, Options};
use umbilical_core::answer::Module;
use umbilical_core::answer::watch::{CertificateRow, Detector, FlowRow, Learning, Publisher, TunnelEnd};
use umbilical_core::id::hex;
use umbilical_core::observation::{At, Basis, Group, Input};
use umbilical_core::{Day, Observations};
use umbilical_knowledge::Knowledge;
use umbilical_traffic::cellular::{Side, sessions};
use umbilical_traffic::detect;
use umbilical_traffic::flow::{Flow, Why};
use umbilical_traffic::names::{App, Body, Names, Role, Word, Words};
use umbilical_traffic::packet::proto;
use umbilical_traffic::substation;
use umbilical_traffic::watch as pipeline;

use super::naming::{Naming, cover};

pub(super) fn detector(came: &detect::Came) -> Detector {
    let tally = came.tally;
    Detector {
        code: came.about.code,
        version: came.about.version,
        state: match came.given {
            false => "not-given",
            true if tally.judged == 0 && tally.blind > 0 => "not-evaluable",
            true if tally.judged == 0 && tally.learning.is_some_and(|(still, _)| still > 0) => "learning",
            true => "evaluated",
        },
        needs: came.about.needs,
        judged: tally.judged,
        blind: tally.blind,
        forgotten: tally.forgotten,
        learning: tally.learning.map(|(still, of)| Learning { still, of }),
        findings: came.alerts,
        allowed: came.allowed,
    }
}

pub(super) fn publisher((from, of): (&substation::From, &substation::Publisher)) -> Publisher {
    Publisher {
        kind: from.kind.name(),
        mac: from.mac.map(|byte| format!("{byte:02x}")).join(":"),
        appid: from.number,
        name: Some(of.name.clone()).filter(|name| !name.is_empty()),
        first: of.first.to_string(),
        last: of.last.to_string(),
        packets: of.packets,
    }
}

/// Ids of the sessions that have none yet: they derive from the message that introduced each.
pub(super) fn number(watch: &pipeline::Watch, ids: &mut Vec<String>) {
    for (_, session) in watch.sessions.iter().skip(ids.len()) {
        let (at, asker, sequence) = session.introduced;
        let digest = hex(&Sha256::digest(format!("session:{}:{}:{sequence}", at.0, asker.ip())));
        ids.push(format!("ses-{}", digest.get(..12).unwrap_or_default()));
    }
}

pub(super) fn tunnel_end((end, side): &(umbilical_traffic::cellular::End, Side)) -> TunnelEnd {
    let side = match side {
        Side::Access => Some("access"),
        Side::Core => Some("core"),
        Side::Unknown => None,
    };
    TunnelEnd { at: end.at.ip().to_string(), teid: end.teid, side }
}

pub(super) fn address(ue: &umbilical_traffic::cellular::Ue) -> String {
    match (ue.addr.ip(), ue.bits) {
        (ip, 128) => ip.to_string(),
        (ip, bits) => format!("{ip}/{bits}"),
    }
}

/// The first 14 digits of an IMEI: what is behind them is a check digit or a version.
pub(super) fn body(imei: &str) -> Option<&str> {
    imei.get(..14)
}

/// The module of each IMEI, as the audit identifies it by the network's word alone.
pub(super) fn modules(inputs: &[Input], watch: &pipeline::Watch, homes: &[u32], kb: &Knowledge, as_of: Day) -> BTreeMap<String, Module> {
    let mut all = Observations::new();
    for input in inputs {
        let number = all.begin_input(&input.path, &input.format, input.sha256.clone(), input.bytes);
        let introduced = watch.sessions.iter().zip(homes).filter(|((_, s), home)| s.heard && **home == number);
        for imei in introduced.filter_map(|((_, session), _)| session.imei.as_ref()) {
            all.record(At::WHOLE).imei(At::WHOLE, imei, Group::Network, Basis::Observed);
        }
    }
    let fleet = Fleet::new(&all, kb, Options { as_of, show_subscribers: false });
    let mut out = BTreeMap::new();
    for device in fleet.devices() {
        let Some(module) = device.modules.first() else { continue };
        for imei in device.identifiers.imei.iter().chain(&device.identifiers.imei_unusable) {
            if let Some(body) = body(imei) {
                out.insert(body.to_owned(), module.clone());
            }
        }
    }
    out
}

/// A protocol in a word, or its number.
pub(super) fn proto_name(number: u8) -> Cow<'static, str> {
    match number {
        proto::TCP => "tcp".into(),
        proto::UDP => "udp".into(),
        proto::ICMP | proto::ICMPV6 => "icmp".into(),
        proto::SCTP => "sctp".into(),
        n => n.to_string().into(),
    }
}

/// The certificate that a server showed; a device that is a server may have numbers in its name.
fn certificate<'a>(flow: &Flow, words: &'a Words, covered: &dyn Fn(&'a str) -> Cow<'a, str>) -> Option<CertificateRow<'a>> {
    let Names { sha256, sha1, .. } = flow.names;
    let says = words.certified(sha256.or(sha1)?);
    Some(CertificateRow {
        sha256: sha256.map(|w| words.get(w)),
        sha1: sha1.map(|w| words.get(w)),
        subject: says.and_then(|c| c.subject.as_deref()).map(covered),
        issuer: says.and_then(|c| c.issuer.as_deref()),
        from: says.and_then(|c| c.from),
        until: says.and_then(|c| c.until),
    })
}

/// A conversation that is over; `own`: numbers of its subscriber, `show`: they are written as they are.
pub(super) fn row<'a>(
    flow: &Flow,
    why: Why,
    (words, ids): (&'a Words, &'a [String]),
    naming: &'a mut Naming,
    own: &[String],
    show: bool,
) -> FlowRow<'a> {
    let safe = |text: &'a str| if show { Cow::Borrowed(text) } else { cover(text, own) };
    let covered = |word: Option<Word>| word.map(|w| safe(words.get(w)));
    let Naming { places, operators, .. } = naming;
    let operator = operators.of(&flow.names, words);
    // Seen from a module the other end is remote, else the one that was called.
    let place = places.of(if flow.inbound { flow.key.client } else { flow.key.server });
    let name = |word: Option<Word>| word.map(|w| words.get(w));
    let session = |id: sessions::Id| ids.get(id.0 as usize).map(String::as_str);
    FlowRow {
        session: flow.session.and_then(session),
        start: flow.start,
        end: flow.last,
        src: flow.key.client.ip(),
        dst: flow.key.server.ip(),
        src_port: flow.key.client_port,
        dst_port: flow.key.server_port,
        proto: proto_name(flow.key.proto),
        packets: flow.packets(),
        bytes: flow.up.bytes.saturating_add(flow.down.bytes),
        bytes_up: flow.up.bytes,
        bytes_down: flow.down.bytes,
        dns: covered(flow.names.dns),
        sni: covered(flow.names.sni),
        alpn: name(flow.names.alpn),
        ja3: name(flow.names.ja3),
        ja4: name(flow.names.ja4),
        certificate: certificate(flow, words, &safe),
        host: covered(flow.names.host),
        uri: covered(flow.names.uri),
        agent: covered(flow.names.agent),
        mime: name(flow.names.mime),
        body: flow.names.body.map(Body::name),
        app: flow.names.app.map(App::name),
        role: flow.names.role.map(Role::name),
        endpoint: covered(flow.names.endpoint),
        topic: covered(flow.names.topic),
        level: flow.names.level.map(NonZeroU8::get),
        country: place.and_then(|p| p.country()),
        asn: place.and_then(|p| p.asn),
        as_org: place.and_then(|p| p.org.as_deref()),
        operator: operator.map(|o| o.name.as_ref()),
        operator_country: operator.and_then(|o| o.country.as_deref()),
        answered: flow.answered(),
        seen: flow.seen.words().collect(),
        first_frame: flow.first_frame,
        ended: why.name(),
    }
}
