//! Under which names this server answers.
//!
//! A page of another site may have its own name lead here once it is loaded (DNS rebinding): the browser then takes this server
//! for that site, and gives it the answers. Such a request names the other site as its host, so names are known beforehand and
//! others are refused. An address is no name that somebody's name server could lead elsewhere.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::{StatusCode, Uri, header};

use crate::Problem;

/// The names.
#[derive(Clone, Debug)]
pub struct Hosts {
    /// The address that it listens on.
    bound: IpAddr,
    /// Names beside `localhost`, in lower case.
    names: Vec<String>,
}

impl Hosts {
    /// Those of an address, of the address under which people come, and more that were named.
    pub fn new(bound: IpAddr, public: Option<&str>, more: &[String]) -> Self {
        let public = public.and_then(|p| p.parse::<Uri>().ok()).and_then(|u| u.host().map(|h| plain(h.trim_matches(['[', ']']))));
        Self { bound, names: public.into_iter().chain(more.iter().map(|n| plain(n))).collect() }
    }

    /// Refuses a request that names another host.
    pub fn check(&self, request: &Request) -> Result<(), Problem> {
        // HTTP/2, and who asks a proxy, name it in the address; where both are there, both count.
        let mut named = request.uri().authority().map(|a| a.as_str().to_owned()).into_iter().collect::<Vec<_>>();
        for value in request.headers().get_all(header::HOST) {
            named.push(value.to_str().map_err(|_| unreadable())?.to_owned());
        }
        if named.is_empty() || request.headers().get_all(header::HOST).iter().count() > 1 {
            return Err(unreadable());
        }
        match named.iter().map(|n| without_port(n)).find(|name| !self.knows(name)) {
            None => Ok(()),
            Some(name) => {
                let name = umbilical_core::text::short(&umbilical_core::text::clean(name), 80).into_owned();
                let detail = format!(
                    "this server does not answer under the name `{name}`: whoever runs it starts it with --public-url https://{name}, \
                     or with --host {name} where it has several; a proxy in front may send a host that is known here"
                );
                Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, detail))
            }
        }
    }

    fn knows(&self, name: &str) -> bool {
        let name = plain(name);
        let literal = name.strip_prefix('[').and_then(|n| n.strip_suffix(']')).unwrap_or(&name);
        match literal.parse::<IpAddr>() {
            // Which of its addresses people ask is not known where it listens on all of them.
            Ok(address) => {
                self.bound.is_unspecified() || address.is_loopback() || address == self.bound || self.names.iter().any(|n| n == literal)
            }
            Err(_) => name == "localhost" || self.names.contains(&name),
        }
    }
}

fn unreadable() -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "a request names one host")
}

/// A name as it is compared: in lower case, without the dot of the root.
fn plain(name: &str) -> String {
    let name = name.trim().to_ascii_lowercase();
    name.strip_suffix('.').map_or(name.clone(), str::to_owned)
}

/// `fleet.example:8443` → `fleet.example`; a port may be another one in front of a tunnel.
fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && (!name.contains(':') || name.ends_with(']')) => name,
        _ => authority,
    }
}

/// Whether a text can be the address under which people reach a server: `http` or `https`, a name or address, perhaps a port, and
/// nothing behind it but one `/`.
pub fn is_base(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let Some(authority) = rest.map(|r| r.strip_suffix('/').unwrap_or(r)) else { return false };
    let name = without_port(authority);
    let port = authority.strip_prefix(name).and_then(|p| p.strip_prefix(':'));
    let literal = name.strip_prefix('[').and_then(|n| n.strip_suffix(']'));
    let fits = literal.map_or_else(|| is_name(name), |ip| ip.parse::<std::net::Ipv6Addr>().is_ok());
    fits && port.is_none_or(|p| p.parse::<u16>().is_ok_and(|p| p > 0))
}

/// Whether a text can be a name of a host: letters, digits, hyphens and dots.
pub fn is_name(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    !text.is_empty() && text.len() <= 253 && text.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_a_server_has_nothing_behind_it() {
        for yes in ["https://fleet.example", "https://fleet.example/", "http://10.0.0.1:8480", "https://[fd00::1]:8443/", "http://fleet"] {
            assert!(is_base(yes), "{yes}");
        }
        for no in [
            "",
            "ftp://x",
            "fleet.example",
            "https://",
            "https:///",
            "https://x/path",
            "https://x//",
            "https://ana@x",
            "https://x:0",
            "https://x:99999",
            "https://x:",
            "https://x y",
            "https://x?a=b",
            "https://x#a",
            "https://[fd00::zz]",
            "javascript:alert(1)",
            "HTTPS//x",
        ] {
            assert!(!is_base(no), "{no}");
        }
    }

    fn knows(bound: &str, public: Option<&str>, more: &[&str], host: &str) -> bool {
        let more: Vec<String> = more.iter().map(|n| (*n).to_owned()).collect();
        let hosts = Hosts::new(bound.parse().unwrap(), public, &more);
        let request = Request::builder().uri("/").header("host", host).body(axum::body::Body::empty()).unwrap();
        hosts.check(&request).is_ok()
    }

    #[test]
    fn names_are_known_beforehand() {
        for host in ["127.0.0.1:8480", "localhost", "LOCALHOST:1", "localhost.", "[::1]:8480", "127.0.0.2"] {
            assert!(knows("127.0.0.1", None, &[], host), "{host}");
        }
        for host in
            ["rebound.example", "rebound.example:8480", "localhost.example", "127.0.0.1.example", "192.0.2.7", "a b", "", "[::1", "127.1"]
        {
            assert!(!knows("127.0.0.1", None, &[], host), "{host}");
        }
        // A public address, and more.
        for host in ["fleet.example", "Fleet.Example:443", "fleet", "127.0.0.1"] {
            assert!(knows("127.0.0.1", Some("https://fleet.example/"), &["fleet"], host), "{host}");
        }
        assert!(!knows("127.0.0.1", Some("https://fleet.example"), &[], "other.example"));
        // On one address of several, that one; on all of them, any address and no name.
        assert!(knows("192.0.2.7", None, &[], "192.0.2.7:8443") && !knows("192.0.2.7", None, &[], "192.0.2.8"));
        for host in ["192.0.2.7:8480", "[2001:db8::7]:8480", "0.0.0.0:8480", "localhost"] {
            assert!(knows("0.0.0.0", None, &[], host) && knows("::", Some("https://fleet.example"), &[], host), "{host}");
        }
        assert!(!knows("0.0.0.0", None, &[], "fleet.example") && knows("0.0.0.0", None, &["umbilical"], "umbilical:8480"));
    }

    #[test]
    fn every_name_of_a_request_counts() {
        let hosts = Hosts::new("127.0.0.1".parse().unwrap(), None, &[]);
        let ask = |uri: &str, host: &[&str]| {
            let mut request = Request::builder().uri(uri);
            for host in host {
                request = request.header("host", *host);
            }
            hosts.check(&request.body(axum::body::Body::empty()).unwrap()).map_err(|p| p.status)
        };
        assert_eq!(ask("http://localhost/x", &[]), Ok(()));
        assert_eq!(ask("http://rebound.example/x", &["localhost"]), Err(421));
        assert_eq!(ask("http://localhost/x", &["rebound.example"]), Err(421));
        assert_eq!(ask("/x", &[]), Err(400));
        assert_eq!(ask("/x", &["localhost", "localhost"]), Err(400));
    }
}
