//! Many at once: a schedule that waits for no answer, beside connections that hold theirs open. What is asked here is that nothing
//! fails; how fast it goes `cargo xtask bench --serve` measures.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use umbilical_store::{Role, Sites, TokenClass};

use crate::support::{World, evidence, run};

const RATE: u32 = 100;
const SECONDS: u32 = 5;
const SLOW: usize = 200;

#[test]
fn nothing_fails_under_a_load_beside_slow_connections() {
    run(async {
        let world = World::new().await;
        let names: Vec<String> = (0..300).map(|n| format!("pump-{n}")).collect();
        let rows: Vec<_> = names.iter().map(|n| (n.as_str(), "North", "Quectel", "EG25-G")).collect();
        world.signed_in("ana", &[Role::Engineer]).await.upload("fleet.csv", evidence::register(&rows)).await.is(202);
        world.settled().await;
        let person = world.person("load", &[Role::Viewer], Sites::All).await;
        let client = Arc::new(world.token(&person, TokenClass::Full, &["read"]).await);
        let id = client.get("/api/v1/devices?limit=1").await.is(200).json()["devices"][0]["id"].as_str().unwrap().to_owned();
        let ends = Arc::new(AtomicBool::new(false));
        let (at, stop) = (world.bound.address, Arc::clone(&ends));
        let slow = tokio::spawn(async move {
            let mut held = Vec::new();
            for _ in 0..SLOW {
                let mut stream = TcpStream::connect(at).await.unwrap();
                stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nx-slow: ").await.unwrap();
                held.push(stream);
            }
            // A byte each second: shorter than heads may take, so all of them are held to the end.
            while !stop.load(Ordering::SeqCst) {
                for stream in &mut held {
                    stream.write_all(b"x").await.unwrap();
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            held.len()
        });
        let begin = Instant::now();
        let mut asked = Vec::new();
        for k in 0..RATE * SECONDS {
            tokio::time::sleep_until((begin + Duration::from_secs_f64(f64::from(k) / f64::from(RATE))).into()).await;
            let paths = ["/api/v1/devices?q=maker:quectel", "/api/v1/devices/facets", "/api/v1/findings", &format!("/api/v1/devices/{id}")];
            let (client, path) = (Arc::clone(&client), paths[k as usize % paths.len()].to_owned());
            asked.push(tokio::spawn(async move { client.get(&path).await.status.as_u16() }));
        }
        let mut statuses = Vec::new();
        for one in asked {
            statuses.push(one.await.unwrap());
        }
        ends.store(true, Ordering::SeqCst);
        assert_eq!(slow.await.unwrap(), SLOW);
        assert_eq!(statuses.len(), (RATE * SECONDS) as usize);
        let failed: Vec<_> = statuses.iter().filter(|s| **s != 200).collect();
        assert!(failed.is_empty(), "{failed:?}");
        world.end().await;
    });
}
