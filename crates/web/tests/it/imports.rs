//! What comes in: in any order, of any size, through the form or the API.

use axum::http::Method;
use serde_json::Value;
use umbilical_store::{Role, Sites};

use crate::support::client::multipart;
use crate::support::{Client, World, evidence, run};

const LSUSB: &str = "Bus 001 Device 004: ID 2c7c:0125 Quectel Wireless Solutions Co., Ltd. EC25 LTE modem\n";

async fn fleet(client: &Client) -> Vec<Value> {
    let mut out = Vec::new();
    for device in client.get("/api/v1/devices?sort=id").await.is(200).json()["devices"].as_array().unwrap() {
        let whole = client.get(&format!("/api/v1/devices/{}", device["id"].as_str().unwrap())).await.is(200).json();
        out.push(whole["device"].clone());
    }
    out
}

#[test]
fn the_order_of_imports_makes_no_difference() {
    run(async {
        let files = [
            ("a-register.csv", evidence::two_sites()),
            (
                "b-register.csv",
                evidence::register(&[("pump-1", "North", "Quectel", "EG25-G"), ("mast-4", "East", "Sierra Wireless", "EM7455")]),
            ),
            ("c-lsusb.txt", LSUSB.to_owned()),
        ];
        let mut fleets = Vec::new();
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
            let world = World::new().await;
            let client = world.signed_in("ana", &[Role::Engineer]).await;
            for n in order {
                client.upload(files[n].0, files[n].1.clone()).await.is(202);
                world.settled().await;
            }
            fleets.push(fleet(&client).await);
            world.end().await;
        }
        assert!(fleets[0].len() >= 5, "{}", fleets[0].len());
        assert_eq!(fleets[0], fleets[1]);
        assert_eq!(fleets[0], fleets[2]);
    });
}

#[test]
fn what_was_acknowledged_is_in_the_answer_after_a_fall() {
    run(async {
        // A recompute that does not begin before the fall.
        let world = World::with(|c| c.settle = 600_000).await;
        let client = world.signed_in("ana", &[Role::Engineer]).await;
        client.upload("r.csv", evidence::two_sites()).await.is(202);
        assert_eq!(client.get("/api/v1/devices").await.is(200).json()["count"]["n"], 0);
        let cookie = client.cookie();
        let folder = world.fall().await;
        let world = World::on(folder, |c| c.settle = 1).await;
        assert!(world.first.is_none(), "somebody can sign in already");
        let client = world.client();
        client.set_cookie(cookie);
        assert_eq!(client.get("/api/v1/jobs/1").await.is(200).json()["state"], "failed");
        world.settled().await;
        assert_eq!(client.get("/api/v1/devices").await.is(200).json()["count"]["n"], 3);
        world.end().await;
    });
}

#[test]
fn uploads_have_a_limit_and_leave_nothing_behind() {
    run(async {
        let world = World::with(|c| c.upload_limit = 10_000).await;
        let client = world.signed_in("ana", &[Role::Engineer]).await;
        client.upload("big.csv", vec![b'a'; 10_001]).await.problem(413);
        let csrf = client.csrf().await;
        let (kind, body) = multipart(&[], &[("a", &[b'a'; 6000]), ("b", &[b'b'; 6000])]);
        let answer = client.send(Method::POST, "/api/v1/evidence", &[("content-type", &kind), ("x-csrf-token", &csrf)], body).await;
        answer.problem(413);
        let (kind, body) = multipart(&[], &[]);
        client.send(Method::POST, "/api/v1/evidence", &[("content-type", &kind), ("x-csrf-token", &csrf)], body).await.problem(422);
        let (kind, body) = multipart(&[], &[("a", b"cut off")]);
        let cut = body[..body.len() - 20].to_vec();
        client.send(Method::POST, "/api/v1/evidence", &[("content-type", &kind), ("x-csrf-token", &csrf)], cut).await.problem(400);
        assert_eq!(client.get("/api/v1/evidence").await.is(200).json()["evidence"].as_array().unwrap().len(), 0);
        let left = std::fs::read_dir(world.folder.path().join("uploads")).map(|d| d.count()).unwrap_or(0);
        assert_eq!(left, 0, "files of uploads are left behind");
        world.end().await;
    });
}

#[test]
fn evidence_is_given_back_as_it_came_to_those_who_may() {
    run(async {
        let world = World::new().await;
        let client = world.signed_in("ana", &[Role::Engineer]).await;
        let bytes = format!("{}\n# {}", evidence::two_sites(), "x".repeat(1_200_000));
        let taken = client.upload("r.csv", bytes.clone()).await.is(202).json();
        world.settled().await;
        let id = taken["files"][0]["evidence"].as_str().unwrap().to_owned();
        // Numbers of subscribers stand in it unmasked.
        client.get(&format!("/api/v1/evidence/{id}/content")).await.problem(403);
        let mut person = world.app.store().person_by_login("ana").await.unwrap();
        person.subscribers = true;
        world.app.store().update_person(world.by(), &person).await.unwrap();
        let answer = client.get(&format!("/api/v1/evidence/{id}/content")).await.is(200);
        assert!(answer.body == bytes.as_bytes(), "the bytes differ");
        assert_eq!(answer.header("content-disposition"), format!("attachment; filename=\"{id}.bin\""));
        let whole = client.get(&format!("/api/v1/evidence/{id}")).await.is(200).json();
        assert_eq!(whole["name"], "r.csv");
        // Who sees one site sees the artefact that speaks of it, and none of its bytes.
        let mut person = world.person("south", &[Role::Viewer], Sites::Only(["South".to_owned()].into())).await;
        person.subscribers = true;
        world.app.store().update_person(world.by(), &person).await.unwrap();
        let south = world.client();
        south.sign_in("south", crate::support::PASSWORD).await;
        south.get(&format!("/api/v1/evidence/{id}")).await.is(200);
        south.get(&format!("/api/v1/evidence/{id}/content")).await.problem(403);
        world.end().await;
    });
}

#[test]
fn the_same_listing_in_three_folders_is_three_devices() {
    run(async {
        let world = World::new().await;
        let client = world.signed_in("ana", &[umbilical_store::Role::Engineer]).await;
        let register = "asset_id,site\nGW-0041,North\nGW-0042,North\nGW-0043,South\n";
        let listing = b"Bus 001 Device 002: ID 2c7c:0125 Quectel Wireless Solutions Co., Ltd. EC25 LTE modem\n";
        let csrf = client.csrf().await;
        let files: [(&str, &[u8]); 4] = [
            ("register.csv", register.as_bytes()),
            ("same/GW-0043/lsusb.txt", listing),
            ("same/GW-0041/lsusb.txt", listing),
            ("same/GW-0042/lsusb.txt", listing),
        ];
        let (kind, body) = multipart(&[("csrf", &csrf)], &files);
        client.send(axum::http::Method::POST, "/import", &[("content-type", &kind)], body).await.is(303);
        world.settled().await;
        let count = async |q: &str| client.get(&format!("/api/v1/devices?q={q}")).await.json()["count"]["n"].clone();
        assert_eq!((count("cellular:yes").await, count("").await), (3.into(), 3.into()));
        world.end().await;
    });
}
