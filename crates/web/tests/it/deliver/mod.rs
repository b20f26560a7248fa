//! Findings and decisions on their way to receivers of our own: down, slow, particular, and in the end with everything.

mod others;
mod receiver;
mod sockets;
mod splunk;
mod webhook;

use axum::http::Method;
use serde_json::{Value, json};
use umbilical_store::Role;
use umbilical_web::Config;

use crate::support::{Client, Folder, World, evidence};

/// Sinks are looked at often, and may lead to this machine.
pub fn quick(config: &mut Config) {
    config.look = 5;
    // The clock is turned by hours and weeks: nobody is signed out by that.
    (config.idle, config.longest) = (i64::MAX / 4, 400 * 86_400_000);
    config.sinks = vec!["127.0.0.1".parse().unwrap()];
    config.public = Some("https://fleet.example".into());
    config.hosts = vec!["127.0.0.1".into()];
}

/// A server with somebody who brings evidence and decides, and somebody who makes sinks.
pub struct Case {
    pub world: World,
    pub ana: Client,
    pub ben: Client,
}

impl Case {
    pub async fn new() -> Self {
        let world = World::with(quick).await;
        let ana = world.signed_in("ana", &[Role::Engineer]).await;
        let ben = world.signed_in("ben", &[Role::Admin]).await;
        Self { world, ana, ben }
    }

    /// The same people after the machine lost its power.
    pub async fn fall(self) -> Self {
        let folder: Folder = self.world.fall().await;
        let world = World::on(folder, quick).await;
        let (ana, ben) = (world.client(), world.client());
        ana.sign_in("ana", crate::support::PASSWORD).await;
        ben.sign_in("ben", crate::support::PASSWORD).await;
        Self { world, ana, ben }
    }

    /// Devices whose IMEI belongs to another maker's module and another model than is declared, two findings each; brings an answer.
    pub async fn bring(&self, file: &str, names: &[&str]) {
        let rows: Vec<_> = names.iter().map(|n| (*n, "North", "Dell", "DW5821e")).collect();
        self.ana.upload(file, evidence::register(&rows)).await.is(202);
        self.world.settled().await;
    }

    /// Makes a sink and gives its id and key.
    pub async fn sink(&self, kind: &str, settings: Value, secret: Option<&str>) -> (String, String) {
        let wanted = json!({"name": format!("our {kind}"), "kind": kind, "settings": settings, "secret": secret, "filter": {"severity": "info", "codes": []}});
        let made = self.ben.json(Method::POST, "/api/v1/sinks", &wanted).await.is(201).json();
        (made["id"].as_str().unwrap().to_owned(), made["key"].as_str().unwrap_or_default().to_owned())
    }

    pub async fn shown(&self, id: &str) -> Value {
        self.ben.get(&format!("/api/v1/sinks/{id}")).await.is(200).json()
    }

    /// Turns the clock by seconds until a sink is as wanted; sees to it that its tries are over in between.
    pub async fn until(&self, id: &str, seconds: i64, fits: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..400 {
            let shown = self.shown(id).await;
            if fits(&shown) {
                return shown;
            }
            self.world.clock.forward(seconds * 1000);
            tokio::time::sleep(std::time::Duration::from_millis(15)).await;
        }
        panic!("the sink does not come to that: {}", self.shown(id).await);
    }

    /// Nothing waits any more.
    pub async fn delivered(&self, id: &str) -> Value {
        self.until(id, 1, |s| s["waiting"] == 0).await
    }

    /// A device by its name.
    pub async fn device(&self, name: &str) -> String {
        let list = self.ana.get(&format!("/api/v1/devices?q=name:{name}")).await.is(200).json();
        list["devices"][0]["id"].as_str().unwrap_or_else(|| panic!("{list}")).to_owned()
    }

    pub async fn decide(&self, device: &str, state: &str) {
        let body = json!({"kind": "state", "value": state, "comment": "seen"});
        self.ana.json(Method::POST, &format!("/api/v1/devices/{device}/decisions"), &body).await.is(201);
    }
}
