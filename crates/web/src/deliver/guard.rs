//! Which addresses a sink may lead to. A name is resolved here, every address of it is looked at, and the connection is made to an
//! address that was looked at: a name that means another machine a moment later leads nowhere else.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use tokio::net::TcpStream;

/// How long finding an address, and connecting to it, may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Addresses of one name that are tried.
const MOST: usize = 8;

/// A block of addresses: `10.0.0.0/8`, `fd00::/8`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    address: IpAddr,
    bits: u8,
}

/// Where clouds keep their metadata, keys among it: link-local ones that all have, and those of single ones.
const METADATA: [IpAddr; 4] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];

impl Block {
    /// Whether addresses are in it where clouds keep their metadata.
    pub fn holds_metadata(&self) -> bool {
        METADATA.iter().any(|ip| self.holds(*ip))
    }

    /// Whether an address is in it.
    pub fn holds(&self, ip: IpAddr) -> bool {
        let (own, other, width) = match (self.address, plain(ip)) {
            (IpAddr::V4(a), IpAddr::V4(b)) => (u128::from(a.to_bits()), u128::from(b.to_bits()), 32),
            (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits(), b.to_bits(), 128),
            _ => return false,
        };
        let free = u32::from(u8::saturating_sub(width, self.bits));
        // All bits free is a shift by the whole width, which is no shift at all.
        own.checked_shr(free).unwrap_or(0) == other.checked_shr(free).unwrap_or(0)
    }
}

impl std::fmt::Display for Block {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

impl FromStr for Block {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "write an address or a block of them: 127.0.0.1, 10.20.0.0/16, fd00::/8".to_owned();
        let (address, bits) = text.split_once('/').map_or((text, None), |(a, b)| (a, Some(b)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(width), str::parse).map_err(|_| wrong())?;
        if bits > width { Err(wrong()) } else { Ok(Self { address: plain(address), bits }) }
    }
}

/// An IPv4 address in one of the clothes of IPv6 is itself: mapped (RFC 4291 2.5.5.2), compatible (2.5.5.1), behind NAT64 (RFC 6052)
/// or 6to4 (RFC 3056).
fn plain(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip else { return ip };
    let inner = |bits: u128| IpAddr::V4(Ipv4Addr::from_bits(u32::try_from(bits & 0xffff_ffff).unwrap_or(0)));
    let bits = v6.to_bits();
    match bits >> 32 {
        0xffff => inner(bits),
        0 if bits > 1 => inner(bits),
        0x0064_ff9b_0000_0000_0000_0000 => inner(bits),
        _ if bits >> 112 == 0x2002 => inner(bits >> 80),
        _ => ip,
    }
}

/// Why an address is refused; `None` where it is not.
fn refused(ip: IpAddr) -> Option<&'static str> {
    match plain(ip) {
        IpAddr::V4(v4) => match v4.octets() {
            [0, ..] => Some("an address that means no machine"),
            [127, ..] => Some("this machine itself"),
            [169, 254, ..] => Some("a link-local address, where clouds keep their metadata"),
            [100, 100, 100, 200] | [168, 63, 129, 16] => Some("an address where clouds keep their metadata"),
            [224..=255, ..] => Some("an address of no single machine"),
            _ => None,
        },
        IpAddr::V6(v6) => match v6.segments() {
            _ if v6 == Ipv6Addr::UNSPECIFIED => Some("an address that means no machine"),
            _ if v6 == Ipv6Addr::LOCALHOST => Some("this machine itself"),
            [0xfd00, 0x0ec2, ..] => Some("an address where clouds keep their metadata"),
            [first, ..] if first & 0xffc0 == 0xfe80 => Some("a link-local address"),
            [first, ..] if first & 0xff00 == 0xff00 => Some("an address of no single machine"),
            _ => None,
        },
    }
}

/// What stands between sinks and addresses.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    /// Allowed all the same.
    allowed: Vec<Block>,
}

impl Guard {
    /// With these exceptions.
    pub fn new(allowed: &[Block]) -> Self {
        Self { allowed: allowed.to_vec() }
    }

    /// Whether an address may be connected to; else why not.
    pub fn check(&self, ip: IpAddr) -> Result<(), String> {
        match refused(ip) {
            Some(why) if !self.allowed.iter().any(|b| b.holds(ip)) => {
                Err(format!("{ip} is {why}: nothing is sent there; `serve --allow-sink {ip}` allows it"))
            }
            _ => Ok(()),
        }
    }

    /// The same of a host as it is written: an address, or a name that always means this machine (RFC 6761 clause 6.3). Other names
    /// are looked behind when something is sent.
    pub fn check_host(&self, host: &str) -> Result<(), String> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let name = bare.trim_end_matches('.').to_ascii_lowercase();
        let local = name == "localhost" || name.ends_with(".localhost");
        let ip = if local { Some(IpAddr::V4(Ipv4Addr::LOCALHOST)) } else { bare.parse().ok() };
        ip.map_or(Ok(()), |ip| self.check(ip))
    }

    /// The addresses of a host, each of which may be connected to.
    pub async fn addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let found = tokio::time::timeout(PATIENCE, tokio::net::lookup_host((host, port))).await;
        let found = found.map_err(|_| format!("the name `{host}` was not resolved in time"))?;
        let all: Vec<SocketAddr> = found.map_err(|e| format!("the name `{host}` cannot be resolved: {e}"))?.collect();
        if all.is_empty() {
            return Err(format!("the name `{host}` has no address"));
        }
        for address in &all {
            self.check(address.ip())?;
        }
        Ok(all.into_iter().take(MOST).collect())
    }

    /// A connection to a host.
    pub async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, String> {
        let mut last = String::new();
        for address in self.addresses(host, port).await? {
            match tokio::time::timeout(PATIENCE, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => last = format!("{address}: {error}"),
                Err(_) => last = format!("{address} does not answer"),
            }
        }
        Err(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_inside_this_machine_or_a_cloud_is_refused_in_every_spelling() {
        let guard = Guard::default();
        for no in [
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "0.1.2.3",
            "169.254.169.254",
            "100.100.100.200",
            "168.63.129.16",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "::",
            "::1",
            "fe80::1",
            "febf::1",
            "ff02::1",
            "fd00:ec2::254",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
        ] {
            assert!(guard.check(ip(no)).is_err(), "{no}");
        }
        for yes in [
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "8.8.8.8",
            "fd12::1",
            "2001:db8::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::",
        ] {
            assert_eq!(guard.check(ip(yes)), Ok(()), "{yes}");
        }
    }

    #[test]
    fn an_exception_is_no_wider_than_it_is_written() {
        let guard = Guard::new(&["127.0.0.1".parse().unwrap(), "fe80::/10".parse().unwrap()]);
        for (address, allowed) in [
            ("127.0.0.1", true),
            ("::ffff:127.0.0.1", true),
            ("127.0.0.2", false),
            ("::1", false),
            ("fe80::1", true),
            ("169.254.1.1", false),
        ] {
            assert_eq!(guard.check(ip(address)).is_ok(), allowed, "{address}");
        }
        assert!("0.0.0.0/0".parse::<Block>().unwrap().holds(ip("127.0.0.1")) && "::/0".parse::<Block>().unwrap().holds(ip("fe80::1")));
        for (block, metadata) in [("0.0.0.0/0", true), ("::/0", true), ("169.254.0.0/16", true), ("10.0.0.0/8", false), ("::1", false)] {
            assert_eq!(block.parse::<Block>().unwrap().holds_metadata(), metadata, "{block}");
        }
        assert_eq!("0.0.0.0/0".parse::<Block>().unwrap().to_string(), "0.0.0.0/0");
        for wrong in ["", "localhost", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0/8", "10.0.0.0/8/8"] {
            assert!(wrong.parse::<Block>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_host_is_looked_at_as_it_is_written() {
        let guard = Guard::new(&["127.0.0.9".parse().unwrap()]);
        for no in ["127.0.0.1", "[::1]", "localhost", "LOCALHOST.", "a.localhost", "169.254.169.254", "[fd00:ec2::254]"] {
            assert!(guard.check_host(no).is_err(), "{no}");
        }
        for yes in ["127.0.0.9", "10.0.0.1", "[fd12::1]", "splunk.example", "localhost.example"] {
            assert_eq!(guard.check_host(yes), Ok(()), "{yes}");
        }
    }

    #[tokio::test]
    async fn a_name_is_looked_behind() {
        let guard = Guard::default();
        for host in ["localhost", "127.0.0.1", "[::1]", "0x7f.1", "2130706433", "127.1"] {
            let error = guard.connect(host, 9).await.unwrap_err();
            // What this machine does not resolve leads nowhere either.
            assert!(error.contains("this machine itself") || error.contains("cannot be resolved"), "{host}: {error}");
        }
        assert!(guard.connect("localhost", 9).await.unwrap_err().contains("--allow-sink"));
    }
}
