//! Encrypted connections, addresses that others reach, and clients that are slow on purpose.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use umbilical_knowledge::Knowledge;
use umbilical_store::Store;
use umbilical_web::clock::System;
use umbilical_web::{App, Config, Listen, Server, Stop, Tls};

use crate::support::{Folder, World, run};

async fn app(folder: &Folder, tls: bool) -> App {
    let store = Store::open(&folder.path().join("umbilical.db").display().to_string(), crate::support::NOON).await.unwrap();
    let mut config = Config::new(folder.path().to_path_buf());
    config.tls = tls;
    App::new(store, Arc::new(Knowledge::embedded()), Arc::new(System), config)
}

#[test]
fn an_encrypted_server_marks_its_cookies_and_says_so() {
    run(async {
        let folder = Folder::new();
        let authority_key = KeyPair::generate().unwrap();
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = authority.self_signed(&authority_key).unwrap();
        let key = KeyPair::generate().unwrap();
        let own = CertificateParams::new(vec!["127.0.0.1".into()]).unwrap();
        let own = own.signed_by(&key, &Issuer::from_params(&authority, &authority_key)).unwrap();
        let tls = Tls { certificate: folder.path().join("own.pem"), key: folder.path().join("own.key") };
        std::fs::write(&tls.certificate, own.pem()).unwrap();
        std::fs::write(&tls.key, key.serialize_pem()).unwrap();

        let listen = Listen { address: ([127, 0, 0, 1], 0).into(), tls: Some(tls.clone()), insecure: false };
        let server = Server::bind(app(&folder, true).await, listen).await.unwrap();
        let bound = server.bound().clone();
        assert!(bound.base.starts_with("https://127.0.0.1:"));
        let link = server.first_link().await.unwrap().unwrap();
        let task = tokio::spawn(async move { server.run().await.unwrap() });

        let mut roots = rustls::RootCertStore::empty();
        roots.add(root.der().clone()).unwrap();
        let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector = hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(config).https_only().enable_http1().build();
        let client: Client<_, Body> = Client::builder(TokioExecutor::new()).build(connector);
        let form = "login=ana&password=seven%20quiet%20lamps&again=seven%20quiet%20lamps";
        let request = Request::post(&link).header("content-type", "application/x-www-form-urlencoded").body(Body::from(form)).unwrap();
        let answer = client.request(request).await.unwrap();
        assert_eq!(answer.status(), 303);
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        assert!(cookie.starts_with("__Host-umbilical=") && cookie.ends_with("; Secure") && cookie.contains("HttpOnly"), "{cookie}");
        assert!(answer.headers()["strict-transport-security"].to_str().unwrap().starts_with("max-age="));
        // Spoken to without encryption it answers nothing that could be taken for a page.
        let mut plain = TcpStream::connect(bound.address).await.unwrap();
        plain.write_all(b"GET /sign-in HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        let mut heard = Vec::new();
        let _ = tokio::time::timeout(Duration::from_secs(5), plain.read_to_end(&mut heard)).await;
        assert!(!heard.starts_with(b"HTTP"), "{}", String::from_utf8_lossy(&heard));
        bound.end();
        task.await.unwrap();

        std::fs::write(&tls.key, "nothing").unwrap();
        let listen = Listen { address: ([127, 0, 0, 1], 0).into(), tls: Some(tls), insecure: false };
        let refused = Server::bind(app(&folder, true).await, listen).await.err().unwrap();
        assert!(matches!(refused, Stop::Certificate { .. }), "{refused}");
    });
}

#[test]
fn an_address_that_others_reach_is_served_encrypted_or_on_purpose() {
    run(async {
        let folder = Folder::new();
        let app = app(&folder, false).await;
        for address in ["0.0.0.0:0", "[::]:0"] {
            let address: SocketAddr = address.parse().unwrap();
            let refused = Server::bind(app.clone(), Listen { address, tls: None, insecure: false }).await.err().unwrap();
            assert!(matches!(refused, Stop::Unencrypted(_)), "{refused}");
        }
        let listen = Listen { address: ([0, 0, 0, 0], 0).into(), tls: None, insecure: true };
        let server = Server::bind(app.clone(), listen).await.unwrap();
        // And an address that somebody has already is said to be taken.
        let taken = Listen { address: server.bound().address, tls: None, insecure: true };
        assert!(matches!(Server::bind(app, taken).await.err().unwrap(), Stop::Address { .. }));
    });
}

/// Both ends are held by this process, so as many as its files allow, at most a thousand.
#[test]
fn slow_connections_hold_nobody_up() {
    run(async {
        let world = World::new().await;
        let mut held = Vec::new();
        for n in 0..1000 {
            let Ok(mut stream) = TcpStream::connect(world.bound.address).await else { break };
            // A head that never ends, and a body that never comes.
            let begun: &[u8] = if n % 2 == 0 {
                b"GET /sign-in HTTP/1.1\r\nhost: localhost\r\nx-slow: "
            } else {
                b"POST /sign-in HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n"
            };
            if stream.write_all(begun).await.is_err() {
                break;
            }
            held.push(stream);
        }
        assert!(held.len() >= 300, "{} connections", held.len());
        let client = world.client();
        let started = Instant::now();
        for _ in 0..20 {
            client.get("/sign-in").await.is(200);
        }
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
        // A head that is too long is refused before it fills the memory.
        let long = format!("/{}", "a".repeat(200_000));
        let mut stream = TcpStream::connect(world.bound.address).await.unwrap();
        let _ = stream.write_all(format!("GET {long} HTTP/1.1\r\nhost: localhost\r\n\r\n").as_bytes()).await;
        let mut heard = Vec::new();
        let _ = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut heard)).await;
        assert!(heard.starts_with(b"HTTP/1.1 4"), "{}", String::from_utf8_lossy(&heard));
        drop(held);
        let _ = Method::GET;
        world.end().await;
    });
}

/// Who writes all of a body before it reads, as most clients do, is told why it was refused.
#[test]
fn who_is_refused_in_the_middle_of_a_body_hears_why() {
    run(async {
        let world = World::new().await;
        for path in ["/sign-in", "/api/v1/evidence"] {
            let mut stream = TcpStream::connect(world.bound.address).await.unwrap();
            let head = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", 64 << 20);
            stream.write_all(head.as_bytes()).await.unwrap();
            let block = vec![b'a'; 1 << 20];
            for _ in 0..64 {
                stream.write_all(&block).await.unwrap();
            }
            let mut heard = Vec::new();
            stream.read_to_end(&mut heard).await.unwrap();
            assert!(heard.starts_with(b"HTTP/1.1 4"), "{path}: {}", String::from_utf8_lossy(&heard));
        }
        world.end().await;
    });
}

#[test]
fn who_ends_waits_for_what_is_under_way() {
    run(async {
        let world = World::new().await;
        let client = world.signed_in("ana", &[umbilical_store::Role::Engineer]).await;
        client.upload("r.csv", crate::support::evidence::two_sites()).await.is(202);
        // The recompute has not run yet: it is finished before the server is gone.
        let store = world.app.store().clone();
        let (folder, clock) = (world.folder.path().to_path_buf(), crate::support::NOON);
        world.bound.end();
        world.settled().await;
        let job = store.job(1).await.unwrap();
        assert_eq!(job.state, "done");
        let _ = (folder, clock);
        world.end().await;
    });
}
