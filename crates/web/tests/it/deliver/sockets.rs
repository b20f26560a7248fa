//! Receivers that speak no HTTP: syslog, with and without TLS, and a server of mail.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use axum::http::Method;
use base64ct::{Base64, Encoding as _};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::Case;
use crate::support::run;

/// Messages out of counted frames; what is left over is a mistake.
fn frames(mut bytes: &[u8]) -> Vec<String> {
    let mut out = Vec::new();
    while !bytes.is_empty() {
        let blank = bytes.iter().position(|b| *b == b' ').expect("a length");
        let length: usize = std::str::from_utf8(&bytes[..blank]).unwrap().parse().unwrap();
        out.push(String::from_utf8(bytes[blank + 1..blank + 1 + length].to_vec()).unwrap());
        bytes = &bytes[blank + 1 + length..];
    }
    out
}

/// An authority in PEM, and an acceptor with a certificate of it for 127.0.0.1.
fn authority() -> (String, TlsAcceptor) {
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = authority.self_signed(&authority_key).unwrap();
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(vec!["127.0.0.1".into()]).unwrap();
    let own = own.signed_by(&key, &Issuer::from_params(&authority, &authority_key)).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.der().clone()], rustls::pki_types::PrivatePkcs8KeyDer::from(key.serialize_der()).into())
        .unwrap();
    (root.pem(), TlsAcceptor::from(Arc::new(config)))
}

/// A collector: what it read to the end, connection by connection. The first `broken` connections end in the middle.
struct Collector {
    at: SocketAddr,
    read: Arc<Mutex<Vec<Vec<String>>>>,
    connections: Arc<AtomicU32>,
}

impl Collector {
    async fn start(tls: Option<TlsAcceptor>, broken: u32) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let out = Self { at: listener.local_addr().unwrap(), read: Arc::default(), connections: Arc::default() };
        let (read, connections) = (out.read.clone(), out.connections.clone());
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                if connections.fetch_add(1, Ordering::SeqCst) < broken {
                    // It ends with bytes unread: the kernel resets the connection.
                    let mut few = [0u8; 3];
                    let _ = stream.read(&mut few).await;
                    continue;
                }
                let mut bytes = Vec::new();
                let heard = match &tls {
                    None => stream.read_to_end(&mut bytes).await.is_ok(),
                    Some(acceptor) => match acceptor.accept(stream).await {
                        Ok(mut stream) => {
                            let heard = stream.read_to_end(&mut bytes).await.is_ok();
                            let _ = stream.shutdown().await;
                            heard
                        }
                        Err(_) => false,
                    },
                };
                if heard {
                    read.lock().unwrap().push(frames(&bytes));
                }
            }
        });
        out
    }

    fn lines(&self) -> Vec<String> {
        self.read.lock().unwrap().concat()
    }
}

/// Brings findings and a decision past a sink, with names that would steer a line.
async fn happens(case: &Case) {
    case.bring("second.csv", &["pump-1", "pump\\=2|]\" cs1=x"]).await;
    let pump = case.device("pump-1").await;
    case.decide(&pump, "contained").await;
}

fn fits(lines: &[String]) {
    assert_eq!(lines.len(), 5, "{lines:?}");
    for line in lines {
        assert!(line.starts_with('<') && line.contains(">1 2026-11-29T12:0") && line.contains(" - umbilical - "), "{line}");
        assert!(
            line.contains("[umbilical@32473 event=\"evt-") && line.contains("] CEF:0|Umbilical|Umbilical|") && !line.contains(['\n', '\r']),
            "{line}"
        );
    }
    assert!(lines.iter().any(|l| l.contains("dhost=pump\\\\\\=2|]\" cs1\\=x ")), "{lines:?}");
    let decided = lines.last().unwrap();
    assert!(
        decided.contains("|decision|Somebody decided: contained|1|") && decided.contains("suser=ana") && decided.contains("msg=seen"),
        "{decided}"
    );
}

#[test]
fn syslog_is_taken_when_the_receiver_has_read_to_the_end() {
    run(async {
        let case = Case::new().await;
        let collector = Collector::start(None, 2).await;
        case.bring("first.csv", &["pump-0"]).await;
        let (id, _) = case.sink("syslog", json!({"host": "127.0.0.1", "port": collector.at.port()}), None).await;
        happens(&case).await;
        let shown = case.delivered(&id).await;
        // Two connections were reset; what they held came again, and nothing twice, because nothing of it was read.
        assert!(collector.connections.load(Ordering::SeqCst) >= 3, "{shown}");
        fits(&collector.lines());
        assert_eq!((&shown["sent"], &shown["error"]), (&json!(5), &Value::Null), "{shown}");
        case.world.end().await;
    });
}

#[test]
fn syslog_over_tls_goes_to_whom_the_authority_names() {
    run(async {
        let case = Case::new().await;
        let (pem, acceptor) = authority();
        let (other, _) = authority();
        let collector = Collector::start(Some(acceptor), 0).await;
        case.bring("first.csv", &["pump-0"]).await;
        let settings = |ca: Option<&str>| json!({"host": "127.0.0.1", "port": collector.at.port(), "tls": true, "ca": ca});
        let (id, _) = case.sink("syslog", settings(Some(&other)), None).await;
        happens(&case).await;
        let shown = case.until(&id, 1, |s| !s["error"].is_null()).await;
        assert!(shown["error"].as_str().unwrap().contains("invalid peer certificate") && shown["waiting"] == 5, "{shown}");
        let change =
            |ca: Option<&str>| json!({"name": "our syslog", "kind": "syslog", "settings": settings(ca), "filter": {"severity": "info"}});
        case.ben.json(Method::PUT, &format!("/api/v1/sinks/{id}"), &change(None)).await.is(200);
        let said = case.ben.json(Method::POST, &format!("/api/v1/sinks/{id}/test"), &json!({})).await.is(200).json();
        assert_eq!(said["taken"], false, "nor does an authority of the system: {said}");
        assert_eq!(collector.lines().len(), 0);
        case.ben.json(Method::PUT, &format!("/api/v1/sinks/{id}"), &change(Some(&pem))).await.is(200);
        case.delivered(&id).await;
        fits(&collector.lines());
        case.world.end().await;
    });
}

#[test]
fn who_takes_and_does_not_close_has_taken_nothing() {
    run(async {
        let case = Case::new().await;
        // It answers like a web server, and goes on for ever.
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                tokio::spawn(async move { while stream.write_all(&[b'x'; 4096]).await.is_ok() {} });
            }
        });
        case.bring("first.csv", &["pump-0"]).await;
        let (id, _) = case.sink("syslog", json!({"host": "127.0.0.1", "port": port}), None).await;
        case.bring("second.csv", &["pump-1"]).await;
        let shown = case.until(&id, 0, |s| !s["error"].is_null()).await;
        assert_eq!((&shown["sent"], &shown["waiting"]), (&json!(0), &json!(2)), "{shown}");
        case.world.end().await;
    });
}

/// A mail as a server took it: who signed in, from whom, to whom, the lines.
#[derive(Clone, Debug, Default)]
struct Mail {
    login: String,
    to: Vec<String>,
    text: String,
}

type Mails = Arc<Mutex<Vec<Mail>>>;

/// One connection of SMTP (RFC 5321), as far as is asked here. Over TLS it wants a login.
async fn speak<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin>(
    stream: S,
    mails: Mails,
    full: Arc<AtomicU32>,
    login: bool,
) -> Option<S> {
    let mut io = BufReader::new(stream);
    let mut mail = Mail::default();
    loop {
        let mut line = String::new();
        if io.read_line(&mut line).await.unwrap_or(0) == 0 {
            return None;
        }
        let line = line.trim_end().to_owned();
        let answer = match line.split(' ').next().unwrap_or_default() {
            "EHLO" if login => "250-here\r\n250 AUTH PLAIN\r\n".to_owned(),
            "EHLO" => "250-here\r\n250 STARTTLS\r\n".to_owned(),
            "STARTTLS" => {
                io.write_all(b"220 go on\r\n").await.unwrap();
                return Some(io.into_inner());
            }
            "AUTH" => {
                mail.login = line;
                "235 welcome\r\n".to_owned()
            }
            "MAIL" => "250 ok\r\n".to_owned(),
            "RCPT" => {
                mail.to.push(line);
                "250 ok\r\n".to_owned()
            }
            "DATA" => {
                io.write_all(b"354 go on\r\n").await.unwrap();
                let mut bytes = Vec::new();
                while !bytes.ends_with(b"\r\n.\r\n") {
                    if io.read_until(b'\n', &mut bytes).await.unwrap_or(0) == 0 {
                        return None;
                    }
                }
                if full.load(Ordering::SeqCst) > 0 {
                    full.fetch_sub(1, Ordering::SeqCst);
                    "452 no room now\r\n".to_owned()
                } else {
                    mail.text = String::from_utf8(bytes).unwrap();
                    mails.lock().unwrap().push(std::mem::take(&mut mail));
                    "250 taken\r\n".to_owned()
                }
            }
            "QUIT" => return None,
            _ => "500 what\r\n".to_owned(),
        };
        io.write_all(answer.as_bytes()).await.unwrap();
    }
}

/// A server of mail that takes nothing the first `full` times.
async fn post_office(tls: Option<TlsAcceptor>, full: u32) -> (u16, Mails) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mails = Mails::default();
    let (kept, full) = (mails.clone(), Arc::new(AtomicU32::new(full)));
    tokio::spawn(async move {
        loop {
            let (mut stream, _): (TcpStream, _) = listener.accept().await.unwrap();
            let (mails, full, tls) = (kept.clone(), full.clone(), tls.clone());
            tokio::spawn(async move {
                stream.write_all(b"220 here\r\n").await.unwrap();
                let Some(stream) = speak(stream, mails.clone(), full.clone(), false).await else { return };
                if let Ok(stream) = tls.unwrap().accept(stream).await {
                    speak(stream, mails, full, true).await;
                }
            });
        }
    });
    (port, mails)
}

/// The text of a mail, quoted-printable undone as far as it is used here.
fn plain(text: &str) -> String {
    text.replace("=\r\n", "").replace("=3D", "=")
}

#[test]
fn a_digest_comes_once_in_a_quarter_of_an_hour() {
    run(async {
        let case = Case::new().await;
        let (port, mails) = post_office(None, 1).await;
        case.bring("first.csv", &["pump-0"]).await;
        let settings = json!({"host": "127.0.0.1", "port": port, "tls": "none", "from": "Umbilical <u@example.org>", "to": ["ana@example.org", "ben@example.org"]});
        let (id, _) = case.sink("mail", settings, None).await;
        case.bring("second.csv", &["pump-1", "pump-2\r\nBcc: eve@example.org"]).await;
        let shown = case.delivered(&id).await;
        // It is taken after the server has found room, a second later; then it is quiet.
        assert_eq!((&shown["sent"], mails.lock().unwrap().len()), (&json!(4), 1), "{shown}");
        let pump = case.device("pump-1").await;
        case.decide(&pump, "triage").await;
        case.decide(&pump, "contained").await;
        for _ in 0..14 {
            case.world.clock.forward(60_000);
            tokio::time::sleep(std::time::Duration::from_millis(12)).await;
        }
        let waiting = case.shown(&id).await["waiting"].clone();
        assert_eq!((mails.lock().unwrap().len(), waiting), (1, json!(2)), "the quarter is not over");
        case.until(&id, 30, |s| s["waiting"] == 0).await;
        let mails = mails.lock().unwrap().clone();
        assert_eq!(mails.len(), 2);
        for (mail, subject) in mails.iter().zip(["Subject: Umbilical: 4 new\r\n", "Subject: Umbilical: 2 decided\r\n"]) {
            let (head, body) = mail.text.split_once("\r\n\r\n").unwrap();
            assert!(head.contains(subject) && head.contains("From: Umbilical <u@example.org>") && !head.contains("eve"), "{head}");
            assert!(mail.text.is_ascii() && !body.contains("\r\nBcc"), "{body}");
            assert_eq!(mail.to, ["RCPT TO:<ana@example.org>", "RCPT TO:<ben@example.org>"]);
        }
        let text = plain(&mails[0].text);
        assert!(text.contains("new [medium] pump-1") || text.contains("] pump-1:"), "{text}");
        assert!(
            plain(&mails[1].text).contains("contained by ana") && plain(&mails[1].text).contains("https://fleet.example/devices/dev-"),
            "{}",
            mails[1].text
        );
        case.world.end().await;
    });
}

#[test]
fn a_password_goes_over_tls_alone() {
    run(async {
        let case = Case::new().await;
        let (pem, acceptor) = authority();
        let (port, mails) = post_office(Some(acceptor), 0).await;
        let settings = |ca: Option<&str>| json!({"host": "127.0.0.1", "port": port, "tls": "starttls", "login": "umbilical", "from": "u@example.org", "to": ["ana@example.org"], "ca": ca});
        let (id, _) = case.sink("mail", settings(None), Some("the password")).await;
        let test = async |id: &str| case.ben.json(Method::POST, &format!("/api/v1/sinks/{id}/test"), &json!({})).await.is(200).json();
        let said = test(&id).await;
        assert!(said["taken"] == false && mails.lock().unwrap().is_empty(), "{said}");
        let change = json!({"name": "our mail", "kind": "mail", "settings": settings(Some(&pem))});
        case.ben.json(Method::PUT, &format!("/api/v1/sinks/{id}"), &change).await.is(200);
        let said = test(&id).await;
        assert_eq!((&said["taken"], &said["said"]), (&json!(true), &json!("SMTP 250 taken")), "{said}");
        let mail = mails.lock().unwrap()[0].clone();
        // AUTH PLAIN: NUL login NUL password (RFC 4616).
        let expected = Base64::encode_string(b"\0umbilical\0the password");
        assert_eq!(mail.login, format!("AUTH PLAIN {expected}"));
        assert!(mail.text.contains("Subject: Umbilical: a test\r\n"), "{}", mail.text);
        case.world.end().await;
    });
}
