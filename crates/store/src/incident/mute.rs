//! Mutes: what people do not want to be shown of incidents, until a day, with a reason. What is hidden is counted and stays.

use std::net::IpAddr;

use umbilical_core::finding::DETECTED;

use crate::StoreError;

/// The longest text of a mute, in bytes.
const LONGEST: usize = 2000;

/// Which incidents are hidden.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MuteRule {
    /// The detector's code.
    pub code: String,
    /// Whose doing: a device (`dev-…`), a session (`ses-…`), an IMEI (its first fourteen digits count), an address or a network
    /// (`10.64.0.0/16`). `None`: everybody's.
    pub subject: Option<String>,
    /// With whom: an address, or a name and what is below it; with `:PORT` behind it at that port alone. `None`: with anybody.
    pub peer: Option<String>,
}

/// What a rule is held against.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Against<'a> {
    pub code: &'a str,
    pub device: Option<&'a str>,
    pub imei: Option<&'a str>,
    pub kind: &'a str,
    pub subject: &'a str,
    pub peer: Option<&'a str>,
}

fn text(field: &'static str, text: &str) -> Result<Option<String>, StoreError> {
    let text = text.trim().trim_end_matches('.').to_lowercase();
    if text.len() > 300 || text.chars().any(char::is_control) {
        return Err(StoreError::field(field, "this is at most 300 bytes of text"));
    }
    Ok((!text.is_empty()).then_some(text))
}

/// An address with how many of its bits count.
fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (addr, bits) = text.split_once('/').map_or((text, None), |(a, b)| (a, Some(b)));
    let addr: IpAddr = addr.parse().ok()?;
    let most = if addr.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Some(most), |b| b.parse().ok().filter(|b| *b <= most))?;
    Some((addr, bits))
}

fn holds((net, bits): (IpAddr, u8), addr: IpAddr) -> bool {
    let first = |a: IpAddr| match a {
        IpAddr::V4(a) => u128::from(a.to_bits()) << 96,
        IpAddr::V6(a) => a.to_bits(),
    };
    let mask = u128::MAX.checked_shl(128u32.saturating_sub(u32::from(bits))).unwrap_or(0);
    net.is_ipv4() == addr.is_ipv4() && first(net) & mask == first(addr) & mask
}

fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

/// A peer without its port, and its port.
pub fn split(peer: &str) -> (&str, Option<u16>) {
    if peer.parse::<IpAddr>().is_ok() {
        return (peer, None);
    }
    match peer.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?))) {
        Some((host, port)) => (bare(host), Some(port)),
        None => (bare(peer), None),
    }
}

impl MuteRule {
    /// The rule as it is kept; what nobody means is refused. `known` are codes of incidents that there are.
    pub(crate) fn checked(&self, known: bool) -> Result<Self, StoreError> {
        let code = self.code.trim().to_owned();
        if !(known || DETECTED.contains(&code.as_str())) {
            return Err(StoreError::field("code", format!("this is no detector's code: they are {}", DETECTED.join(", "))));
        }
        let subject = text("subject", self.subject.as_deref().unwrap_or_default())?;
        let id =
            |s: &str, start: &str| s.strip_prefix(start).is_some_and(|r| !r.is_empty() && r.bytes().all(|b| b.is_ascii_alphanumeric()));
        let fits = |s: &str| id(s, "dev-") || id(s, "ses-") || network(s).is_some() || imei(s).is_some();
        if subject.as_deref().is_some_and(|s| !fits(s)) {
            let what = "this is a device's id (dev-…), a session's (ses-…), an IMEI, an address, or a network (10.64.0.0/16)";
            return Err(StoreError::field("subject", what));
        }
        let peer = text("peer", self.peer.as_deref().unwrap_or_default())?;
        let named = |p: &str| {
            let (host, _) = split(p);
            host.parse::<IpAddr>().is_ok() || !host.is_empty() && host.chars().all(|c| c.is_alphanumeric() || ".-_…".contains(c))
        };
        if peer.as_deref().is_some_and(|p| !named(p)) {
            return Err(StoreError::field("peer", "this is an address, or a name that stands for itself and what is below it"));
        }
        Ok(Self { code, subject, peer })
    }

    /// Whether an incident is of this kind.
    pub(crate) fn fits(&self, of: &Against<'_>) -> bool {
        let subject = self.subject.as_deref().is_none_or(|s| {
            let addressed = || of.kind == "host" && network(s).zip(of.subject.parse().ok()).is_some_and(|(net, addr)| holds(net, addr));
            of.device == Some(s) || of.subject == s || imei(s).is_some() && imei(s) == of.imei || addressed()
        });
        let peer = self.peer.as_deref().is_none_or(|mute| {
            let Some(peer) = of.peer else { return false };
            let peer = peer.to_lowercase();
            let ((wanted, only), (host, port)) = (split(mute), split(&peer));
            let addressed = host.parse::<IpAddr>().is_ok();
            let below = || !addressed && host.strip_suffix(wanted).is_some_and(|front| front.ends_with('.'));
            (host == wanted || below()) && only.is_none_or(|only| port == Some(only))
        });
        self.code == of.code && subject && peer
    }
}

/// The digits of an IMEI by which modules are told apart.
fn imei(text: &str) -> Option<&str> {
    let digits = (14..=16).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    text.get(..14).filter(|_| digits)
}

/// Refuses a reason that says nothing.
pub(super) fn reason(text: &str) -> Result<String, StoreError> {
    let text = text.trim();
    match text.len() {
        0 => Err(StoreError::field("reason", "say why it is not to be shown")),
        n if n > LONGEST => Err(StoreError::field("reason", format!("a reason is at most {LONGEST} bytes"))),
        _ => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: Against<'_> =
        Against { code: "beacon", device: None, imei: None, kind: "host", subject: "10.64.3.9", peer: Some("Time.Cloud.example:443") };
    const MODULE: Against<'_> = Against {
        code: "beacon",
        device: Some("dev-000000000007"),
        imei: Some("35000000000001"),
        kind: "session",
        subject: "ses-1",
        peer: Some("198.51.100.9:123"),
    };

    fn rule(subject: &str, peer: &str) -> MuteRule {
        let some = |t: &str| Some(t.to_owned()).filter(|t| !t.is_empty());
        MuteRule { code: "beacon".into(), subject: some(subject), peer: some(peer) }.checked(false).unwrap()
    }

    #[test]
    fn subjects_are_devices_addresses_and_networks() {
        for subject in ["", "10.64.3.9", "10.64.0.0/16", "0.0.0.0/0"] {
            assert!(rule(subject, "").fits(&HOST), "{subject}");
        }
        for subject in ["10.64.3.8", "10.65.0.0/16", "::/0", "dev-000000000007", "35000000000001"] {
            assert!(!rule(subject, "").fits(&HOST), "{subject}");
        }
        for subject in ["dev-000000000007", "ses-1", "350000000000013", "35000000000001"] {
            assert!(rule(subject, "").fits(&MODULE), "{subject}");
        }
        for subject in ["dev-000000000008", "0.0.0.0/0", "35000000000002", "ses-10"] {
            assert!(!rule(subject, "").fits(&MODULE), "{subject}");
        }
    }

    #[test]
    fn a_name_stands_for_what_is_below_it() {
        for peer in ["time.cloud.example", "cloud.example", "CLOUD.example.", "cloud.example:443", "example"] {
            assert!(rule("", peer).fits(&HOST), "{peer}");
        }
        for peer in ["loud.example", "a.time.cloud.example", "cloud.example:80", "198.51.100.9"] {
            assert!(!rule("", peer).fits(&HOST), "{peer}");
        }
        assert!(rule("", "198.51.100.9").fits(&MODULE) && !rule("", "100.9").fits(&MODULE));
        assert!(!rule("", "cloud.example").fits(&Against { peer: None, ..HOST }));
        let six = Against { peer: Some("[2001:db8::1]:443"), ..HOST };
        assert!(rule("", "2001:db8::1").fits(&six) && rule("", "[2001:db8::1]:443").fits(&six) && !rule("", "[2001:db8::1]:80").fits(&six));
    }

    #[test]
    fn what_nobody_means_is_refused() {
        let of = |code: &str, subject: &str, peer: &str| {
            MuteRule { code: code.into(), subject: Some(subject.into()), peer: Some(peer.into()) }.checked(false)
        };
        for (code, subject, peer) in [
            ("", "", ""),
            ("*", "", ""),
            ("beacon", "pump 7", ""),
            ("beacon", "10.0.0.0/33", ""),
            ("beacon", "", "a b"),
            ("beacon", "", "*"),
        ] {
            assert!(matches!(of(code, subject, peer), Err(StoreError::Field { .. })), "{code} {subject} {peer}");
        }
        assert!(reason("  ").is_err() && reason("known").is_ok());
    }
}
