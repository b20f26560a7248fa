//! What a watched trace answers: the modules on the network, what they said, and what is noteworthy of it.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::Module;
use crate::Micros;
use crate::finding::{Finding, Severity};
use crate::id::content_id;

/// Version of the document.
pub const SCHEMA: &str = "umbilical.watch/1";

/// The answer, behind its head.
#[derive(Clone, Debug, Serialize)]
pub struct Watched {
    /// Modules on the network, in the order in which they were first heard of.
    pub sessions: Vec<Session>,
    /// Who publishes without IP, by kind, address and number.
    pub publishers: Vec<Publisher>,
    /// What is noteworthy, worst first.
    pub findings: Vec<Finding>,
    /// The same as there is something to do: what many do to one peer is one, and what is only worth knowing is none.
    pub incidents: Vec<Incident>,
    /// What was looked for, and whether it could be.
    pub detectors: Vec<Detector>,
    /// What was counted.
    pub counters: Counters,
}

/// Findings of one kind about one peer, or about one subject where they have none or where it does the same to many.
#[derive(Clone, Debug, Serialize)]
pub struct Incident {
    /// `inc-` and 12 hex digits.
    pub id: String,
    /// The code of its findings.
    pub code: String,
    /// The worst of theirs.
    pub severity: Severity,
    /// To whom, where they say it.
    pub peer: Option<String>,
    /// Whose doing it is: how many sessions and addresses.
    pub subjects: u64,
    /// What the worst of them says.
    pub because: String,
    /// The first of all, RFC 3339.
    pub first: Option<String>,
    /// The last.
    pub last: Option<String>,
    /// Their ids, the worst first.
    pub findings: Vec<String>,
}

/// Peers from which on what one does to each of them is one incident, and not one for each.
const MANY: usize = 8;

/// Groups findings, worst first: the order is that of the first of each.
pub fn incidents(findings: &[Finding]) -> Vec<Incident> {
    let mut out: Vec<Incident> = Vec::new();
    let mut of = HashMap::new();
    let counted = || findings.iter().filter(|f| f.severity > Severity::Info);
    let (mut peers, mut subjects) = (HashMap::<_, usize>::new(), HashSet::new());
    for finding in counted() {
        let count = peers.entry((finding.code.as_ref(), finding.subject.id.as_str())).or_default();
        *count = count.saturating_add(1);
    }
    for finding in counted() {
        let many = peers.get(&(finding.code.as_ref(), finding.subject.id.as_str())).is_some_and(|n| *n >= MANY);
        let peer = finding.detail.get("peer").and_then(serde_json::Value::as_str).filter(|_| !many);
        let about = peer.map_or_else(|| format!("{} {}", finding.subject.kind, finding.subject.id), |peer| format!("to {peer}"));
        let at = *of.entry((finding.code.to_string(), about.clone())).or_insert_with(|| {
            out.push(Incident {
                id: content_id("inc-", &finding.code, &about),
                code: finding.code.to_string(),
                severity: finding.severity,
                peer: peer.map(str::to_owned),
                subjects: 0,
                because: finding.because.first().cloned().unwrap_or_default(),
                first: None,
                last: None,
                findings: Vec::new(),
            });
            out.len().saturating_sub(1)
        });
        let Some(incident) = out.get_mut(at) else { continue };
        // One may have several findings to one peer, each with its port.
        incident.subjects = incident.subjects.saturating_add(subjects.insert((at, finding.subject.id.as_str())).into());
        incident.severity = incident.severity.max(finding.severity);
        // As they are written their times are in order.
        incident.first = [incident.first.take(), finding.first.clone()].into_iter().flatten().min();
        incident.last = incident.last.take().max(finding.last.clone());
        incident.findings.push(finding.id.clone());
    }
    out
}

/// What a detector came to.
#[derive(Clone, Debug, Serialize)]
pub struct Detector {
    /// The code of its findings.
    pub code: &'static str,
    /// Its version: another may find otherwise in the same trace.
    pub version: u32,
    /// `evaluated`; `not-evaluable`: nothing in this trace could be judged, so nothing found says nothing; `learning`: nothing, for what
    /// is usual is still being learnt; `not-given`: it was not given what it needs.
    pub state: &'static str,
    /// What it needs to see.
    pub needs: &'static str,
    /// Conversations that it judged.
    pub judged: u64,
    /// Conversations that it would have judged, had their source seen what it needs.
    pub blind: u64,
    /// Of whom or what it had to forget, because there was too much at once.
    pub forgotten: u64,
    /// Of how many modules it still learns what is usual; `None`: it does not learn.
    pub learning: Option<Learning>,
    /// Findings.
    pub findings: u64,
    /// Findings that are not told, for it was written down that they are expected.
    pub allowed: u64,
}

/// Of how many modules what is usual is still being learnt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Learning {
    /// Of those.
    pub still: u64,
    /// Of so many that were met here.
    pub of: u64,
}

/// One attachment of a SIM to one network.
#[derive(Clone, Debug, Serialize)]
pub struct Session {
    /// `ses-` and 12 hex digits.
    pub id: String,
    /// Subscription; covered unless it was asked for whole.
    pub imsi: Option<String>,
    /// Card, where an operator wrote it down; covered as the subscription is.
    pub iccid: Option<String>,
    /// The module's number, 14 to 16 digits as they were sent.
    pub imei: Option<String>,
    /// Its type allocation code.
    pub tac: Option<String>,
    /// Telephone number; covered as the subscription is.
    pub msisdn: Option<String>,
    /// Access point or data network name.
    pub apn: Option<String>,
    /// Radio technology as signalling said it last: `eutran` is LTE, `nr` 5G, `utran` 3G, `geran` 2G.
    pub rat: Option<&'static str>,
    /// Ends of its tunnels, in the order in which they were named.
    pub teids: Vec<TunnelEnd>,
    /// Its addresses; of IPv6 the prefix.
    pub ue: Vec<String>,
    /// The module, by its type allocation code.
    pub module: Option<Module>,
    /// The first word or packet, RFC 3339.
    pub first: String,
    /// The last.
    pub last: String,
    /// Packets attributed to it.
    pub packets: u64,
    /// Bytes of IP from the module.
    pub bytes_up: u64,
    /// Bytes of IP to it.
    pub bytes_down: u64,
    /// Conversations attributed to it.
    pub flows: u64,
}

/// An end of a tunnel.
#[derive(Clone, Debug, Serialize)]
pub struct TunnelEnd {
    /// Who receives.
    pub at: String,
    /// Its number there.
    pub teid: u32,
    /// Towards the module (`access`), the outside (`core`), or `null`.
    pub side: Option<&'static str>,
}

/// A device of a substation that publishes straight over Ethernet.
#[derive(Clone, Debug, Serialize)]
pub struct Publisher {
    /// `goose` (IEC 61850-8-1) or `sampled-values` (IEC 61850-9-2).
    pub kind: &'static str,
    /// Its MAC address.
    pub mac: String,
    /// The number that tells subscribers what it is (APPID).
    pub appid: u16,
    /// The name of its control block or stream; `null` where it was not to be read.
    pub name: Option<String>,
    /// Its first frame, RFC 3339.
    pub first: String,
    /// Its last.
    pub last: String,
    /// Its frames.
    pub packets: u64,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Frames.
    pub packets: u64,
    /// Their bytes as they were sent.
    pub bytes: u64,
    /// Conversations.
    pub flows: u64,
    /// Frames in which no IP was found, nor what substations publish.
    pub undecoded: u64,
    /// Frames of GOOSE and of sampled values.
    pub published: u64,
    /// Packets in tunnels of modules.
    pub tunnelled: u64,
    /// Of these, those whose session is not known.
    pub unattributed: u64,
    /// Of these, those under an address that is none of the session's whose tunnel they came in.
    pub strangers: u64,
    /// Messages of signalling that were understood.
    pub signalling: u64,
    /// Messages about a session that nobody introduced.
    pub orphans: u64,
    /// Datagrams of which pieces were missing.
    pub incomplete: u64,
    /// Conversations that were let go because there were too many at once.
    pub evicted: u64,
    /// Records of conversations that routers, Zeek or Suricata wrote.
    pub records: u64,
    /// Alerts that Suricata wrote.
    pub alerts: u64,
    /// Sets of records without the template that says what is in them.
    pub untemplated: u64,
    /// The most packets of which a router looked at one; 0: none says so.
    pub sampled: u64,
    /// Names that were not kept because there were too many.
    pub names_lost: u64,
    /// Datagrams and frames that came faster than they were taken, by the system's own count; `null` where nobody listened, or the system
    /// does not say.
    pub dropped: Option<u64>,
}

/// A certificate that a server showed.
#[derive(Clone, Debug, Serialize)]
pub struct CertificateRow<'a> {
    /// Its SHA-256 in hex; `null` where its source does not say it.
    pub sha256: Option<&'a str>,
    /// Its SHA-1.
    pub sha1: Option<&'a str>,
    /// Whose it is, as it says.
    pub subject: Option<Cow<'a, str>>,
    /// Who signed it.
    pub issuer: Option<&'a str>,
    /// From when it is valid.
    pub from: Option<Micros>,
    /// Until when.
    pub until: Option<Micros>,
}

/// One conversation: a line of `--flows`.
#[derive(Clone, Debug, Serialize)]
pub struct FlowRow<'a> {
    /// The session, `ses-…`.
    pub session: Option<&'a str>,
    /// Its first packet.
    pub start: Micros,
    /// Its last.
    pub end: Micros,
    /// Who began.
    pub src: IpAddr,
    /// With whom.
    pub dst: IpAddr,
    /// Port of who began.
    pub src_port: u16,
    /// Port of the other.
    pub dst_port: u16,
    /// `tcp`, `udp`, `icmp`, `sctp`, or a number.
    pub proto: Cow<'static, str>,
    /// Packets of both ways.
    pub packets: u64,
    /// Bytes of IP of both ways.
    pub bytes: u64,
    /// From who began.
    pub bytes_up: u64,
    /// To who began.
    pub bytes_down: u64,
    /// The name that led to the address.
    pub dns: Option<Cow<'a, str>>,
    /// The name in TLS or QUIC.
    pub sni: Option<Cow<'a, str>>,
    /// The first protocol offered there.
    pub alpn: Option<&'a str>,
    /// Fingerprint of the client.
    pub ja3: Option<&'a str>,
    /// Fingerprint of the client.
    pub ja4: Option<&'a str>,
    /// The server's certificate, where it came in clear.
    pub certificate: Option<CertificateRow<'a>>,
    /// `Host` of HTTP, `Uri-Host` of CoAP.
    pub host: Option<Cow<'a, str>>,
    /// The first target asked for; numbers of subscribers in it are covered unless they were asked for whole.
    pub uri: Option<Cow<'a, str>>,
    /// `User-Agent`; see `uri`.
    pub agent: Option<Cow<'a, str>>,
    /// Media type of the first answer.
    pub mime: Option<&'a str>,
    /// What the body of the first answer is, by its first bytes: `elf`, `squashfs`, `zip`, `text`, `other` and so on.
    pub body: Option<&'static str>,
    /// The application protocol, told by content: `dns`, `tls`, `dtls`, `quic`, `http`, `mqtt`, `coap`, `lwm2m`, `modbus`, `sunspec`, `dnp3`,
    /// `iec104`, `mms`, `dlms`, `bacnet`, `stratum`, `getwork`, `bitcoin`, `monero`, `ethereum`.
    pub app: Option<&'static str>,
    /// Of an industrial protocol: `control` where one of its first payloads writes or commands, `monitor` where they read.
    pub role: Option<&'static str>,
    /// The name that a client gives itself in MQTT, LwM2M or Stratum; see `uri`.
    pub endpoint: Option<Cow<'a, str>>,
    /// The first topic of MQTT; see `uri`.
    pub topic: Option<Cow<'a, str>>,
    /// Protocol level of MQTT: 3, 4 (3.1.1), 5.
    pub level: Option<u8>,
    /// Where the remote end is, by the databases that were given: ISO 3166-1 alpha-2.
    pub country: Option<&'a str>,
    /// Its autonomous system.
    pub asn: Option<u32>,
    /// Whose that is.
    pub as_org: Option<&'a str>,
    /// Who operates the endpoint, by its name and the knowledge base.
    pub operator: Option<&'a str>,
    /// The country whose law the operator stands under, wherever the remote end is.
    pub operator_country: Option<&'a str>,
    /// Whether the other said anything; `null` where its source could not see that.
    pub answered: Option<bool>,
    /// What its source could see: `counts`, `payload`, `flags`, `answers`, `firsts`, `dns`, `tls`, `http`.
    pub seen: Vec<&'static str>,
    /// Number of its first frame; of a record its line or datagram.
    pub first_frame: u64,
    /// Why it ended: `idle`, `closed`, `anew`, `evicted`, `trace`.
    pub ended: &'static str,
}
