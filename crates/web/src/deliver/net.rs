//! Connections of sinks: plain or encrypted, to addresses that were looked at; and one request over HTTP.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, Uri, header};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::ConfigBuilderExt as _;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use umbilical_store::Time;

use super::guard::Guard;
use crate::Problem;

/// How long a receiver may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// The most that is read of an answer.
const ANSWER: usize = 16 << 10;

/// A connection, plain or not.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// Refuses authorities that cannot be read; none are fine.
pub fn check(authorities: Option<&str>) -> Result<(), Problem> {
    authorities.map_or(Ok(()), |pem| certificates(pem).map(|_| ()).map_err(|what| Problem::at("ca", what)))
}

/// Certificates out of a PEM text, at least one.
pub fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match all {
        Ok(list) if !list.is_empty() => Ok(list),
        Ok(_) => Err("no certificate stands in the PEM text".to_owned()),
        Err(error) => Err(format!("the PEM text cannot be read: {error}")),
    }
}

/// Trusts these authorities alone, or those of the system where none are given.
fn tls(authorities: Option<&str>) -> Result<rustls::ClientConfig, String> {
    let builder = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(|e| e.to_string())?;
    let Some(pem) = authorities else {
        return Ok(builder
            .with_native_roots()
            .map_err(|e| format!("the authorities of this system cannot be read: {e}"))?
            .with_no_client_auth());
    };
    let mut roots = rustls::RootCertStore::empty();
    for certificate in certificates(pem)? {
        roots.add(certificate).map_err(|e| format!("an authority cannot be used: {e}"))?;
    }
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Connects, encrypted where `encrypted` says so.
pub async fn connect(guard: &Guard, host: &str, port: u16, encrypted: bool, authorities: Option<&str>) -> Result<Box<dyn Io>, String> {
    let stream = guard.connect(host, port).await?;
    if !encrypted {
        return Ok(Box::new(stream));
    }
    let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let name = ServerName::try_from(bare).map_err(|_| "the host is no name that a certificate can have".to_owned())?;
    let connector = tokio_rustls::TlsConnector::from(Arc::new(tls(authorities)?));
    let opened = tokio::time::timeout(PATIENCE, connector.connect(name, stream)).await;
    let stream = opened.map_err(|_| "the receiver does not answer to TLS".to_owned())?.map_err(|e| format!("TLS: {e}"))?;
    Ok(Box::new(stream))
}

/// An address of a receiver, taken apart.
#[derive(Clone, Debug)]
pub struct Address {
    /// Host, in brackets where it is IPv6.
    pub host: String,
    /// Port.
    pub port: u16,
    /// `https`.
    pub encrypted: bool,
    /// Path and query.
    pub path: String,
}

impl Address {
    /// Reads `http://…` or `https://…`.
    pub fn read(text: &str) -> Result<Self, Problem> {
        let wrong = |what: &str| Problem::at("url", format!("the address of a receiver {what}"));
        let uri: Uri = text.trim().parse().map_err(|_| wrong("cannot be read"))?;
        let encrypted = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(wrong("begins with https:// or http://")),
        };
        let authority = uri.authority().ok_or_else(|| wrong("names a host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("holds no name or password"));
        }
        // What stands behind the host is a port: nothing else is taken for the usual one.
        let port = match authority.as_str().strip_prefix(authority.host()) {
            Some("") => Some(if encrypted { 443 } else { 80 }),
            _ => authority.port_u16().filter(|port| *port != 0),
        };
        let port = port.ok_or_else(|| wrong("has a port from 1 to 65535, or none"))?;
        let path = uri.path_and_query().map_or("/", |p| p.as_str()).to_owned();
        if authority.host().is_empty() || text.contains('#') {
            return Err(wrong("names a host, and no part of a page"));
        }
        let bare = authority.host().trim_start_matches('[').trim_end_matches(']');
        super::host(bare).map_err(|_| wrong("names a host: a name, or an address"))?;
        Ok(Self { host: authority.host().to_owned(), port, encrypted, path })
    }

    fn authority(&self) -> String {
        let usual = if self.encrypted { 443 } else { 80 };
        if self.port == usual { self.host.clone() } else { format!("{}:{}", self.host, self.port) }
    }
}

/// What a receiver answered.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// What it said, clipped and in one line.
    pub said: String,
    /// The bytes that were read of its body.
    pub body: Vec<u8>,
    /// Milliseconds after which it wants to be asked again.
    pub after: Option<i64>,
}

/// Sends one request and reads the answer. A redirection is an answer like any other and is not followed.
pub async fn post(
    guard: &Guard,
    to: &Address,
    authorities: Option<&str>,
    headers: HeaderMap,
    body: Vec<u8>,
    now: Time,
) -> Result<Answer, String> {
    let io = connect(guard, &to.host, to.port, to.encrypted, authorities).await?;
    let work = async {
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake::<_, Full<Bytes>>(TokioIo::new(io)).await.map_err(|e| e.to_string())?;
        let driven = tokio::spawn(connection);
        let mut request = Request::builder().method(Method::POST).uri(&to.path).header(header::HOST, to.authority());
        if let Some(all) = request.headers_mut() {
            all.extend(headers);
        }
        let request = request.body(Full::new(Bytes::from(body))).map_err(|e| e.to_string())?;
        let answered = async {
            let response = sender.send_request(request).await.map_err(|e| format!("the receiver broke off: {e}"))?;
            let (parts, body) = response.into_parts();
            // What is too long to be read says nothing that matters: the status does.
            let bytes = match Limited::new(Body::new(body), ANSWER).collect().await {
                Ok(read) => read.to_bytes().to_vec(),
                Err(_) => Vec::new(),
            };
            Ok::<_, String>((parts, bytes))
        };
        let outcome = answered.await;
        driven.abort();
        let (parts, body) = outcome?;
        let said = super::words::short(&String::from_utf8_lossy(&body));
        let after = parts.headers.get(header::RETRY_AFTER).and_then(|v| v.to_str().ok()).and_then(|v| wait(v, now));
        Ok(Answer { status: parts.status.as_u16(), said, body, after })
    };
    tokio::time::timeout(PATIENCE, work).await.map_err(|_| "the receiver does not answer in time".to_owned())?
}

/// Longest that a receiver may put us off.
const LONGEST: i64 = 24 * 3_600_000;

/// `Retry-After`: seconds, or a date (RFC 9110 clause 10.2.3).
fn wait(text: &str, now: Time) -> Option<i64> {
    let text = text.trim();
    let ms = match text.parse::<u32>() {
        Ok(seconds) => i64::from(seconds).saturating_mul(1000),
        Err(_) => chrono::DateTime::parse_from_rfc2822(text).ok()?.timestamp_millis().saturating_sub(now.0),
    };
    Some(ms.clamp(0, LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_web_addresses_without_words_of_entry() {
        let read = |text: &str| Address::read(text).map(|a| (a.host.clone(), a.port, a.encrypted, a.path.clone()));
        assert_eq!(read("https://x.example/a?b=c").unwrap(), ("x.example".into(), 443, true, "/a?b=c".into()));
        assert_eq!(read(" http://[fd00::1]:8088 ").unwrap(), ("[fd00::1]".into(), 8088, false, "/".into()));
        for wrong in [
            "",
            "x",
            "x.example",
            "ftp://x.example",
            "file:///etc/passwd",
            "https://ana:word@x.example/",
            "https://@x.example",
            "https:///a",
            "http://",
            "javascript:alert(1)",
            "https://x.example/a b",
            "https://x.example/\r\nHost: y",
            "gopher://x",
            "https://x.example/#a",
            "unix:/run/docker.sock",
            "https://x.example:99999",
            "https://x.example:0/",
            "https://x.example:",
            "https://x.example:80a/",
            "https://x!y.example/",
            "https://[fd00::zz]/",
            "https://10.0.0.300/",
            "https://1.2.3/",
        ] {
            assert!(Address::read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_receiver_says_when() {
        let now = Time(1_795_953_600_000);
        assert_eq!(wait("120", now), Some(120_000));
        assert_eq!(wait("Sun, 29 Nov 2026 12:01:00 GMT", now), Some(60_000));
        assert_eq!(wait("Sun, 29 Nov 2020 12:01:00 GMT", now), Some(0));
        assert_eq!((wait("soon", now), wait("-1", now), wait("4294967295", now)), (None, None, Some(LONGEST)));
    }
}
