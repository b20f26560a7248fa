//! The first visit: set up, import, see.

use axum::http::Method;
use serde_json::json;

use crate::support::client::multipart;
use crate::support::{World, evidence, run};

fn path_of(link: &str) -> &str {
    let (_, rest) = link.split_once("://").unwrap();
    &rest[rest.find('/').unwrap()..]
}

#[test]
fn from_the_link_to_a_device_without_a_script() {
    run(async {
        let world = World::new().await;
        let client = world.client();
        let answer = client.get("/fleet").await.is(303);
        assert_eq!(answer.header("location"), "/sign-in?next=%2Ffleet");
        assert!(client.get("/sign-in").await.is(200).text().contains("one-time link"));

        let link = world.first.clone().unwrap();
        let page = client.get(path_of(&link)).await.is(200).text();
        assert!(page.contains("Set up"));
        let form =
            |password: &'static str, again: &'static str| [("login", "Ana"), ("name", "Ana L."), ("password", password), ("again", again)];
        client.form(path_of(&link), &form("seven quiet lamps", "seven quiet lamp")).await.is(422);
        client.form(path_of(&link), &form("short", "short")).await.is(422);
        let answer = client.form(path_of(&link), &form("seven quiet lamps", "seven quiet lamps")).await.is(303);
        assert_eq!(answer.header("location"), "/import");
        let cookie = answer.header("set-cookie");
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && cookie.contains("Path=/"), "{cookie}");
        // The link works once.
        client.get(path_of(&link)).await.is(404);
        assert!(client.get("/fleet").await.is(200).text().contains("No device is known yet"));

        let csrf = client.csrf().await;
        let (kind, body) =
            multipart(&[("csrf", &csrf)], &[("register.csv", evidence::two_sites().as_bytes()), ("notes.bin", b"\x00\x01\x02")]);
        let answer = client.send(Method::POST, "/import", &[("content-type", &kind)], body).await.is(303);
        let job = answer.header("location").to_owned();
        world.settled().await;
        let page = client.get(&job).await.is(200).text();
        assert!(page.contains("This is the baseline") && page.contains("register.csv") && page.contains("notes.bin"), "{page}");
        assert!(page.contains("No reader understood this file"), "{page}");

        let page = client.get("/fleet").await.is(200).text();
        for word in ["pump-1", "pump-2", "gate-9", "North", "South", "Quectel", "Telit"] {
            assert!(page.contains(word), "{word}");
        }
        let page = client.get("/fleet?q=site:north").await.is(200).text();
        assert!(page.contains("pump-1") && !page.contains("gate-9"));
        let page = client.get("/fleet?q=nofield:x").await.is(422).text();
        assert!(page.contains("was not understood"));

        let listed = client.get("/api/v1/devices?q=name:pump-1").await.is(200).json();
        let id = listed["devices"][0]["id"].as_str().unwrap();
        let page = client.get(&format!("/devices/{id}")).await.is(200).text();
        for word in ["EG25-G", "register.csv", "row 2", "Why", "declared", "What it is"] {
            assert!(page.contains(word), "{word}: {page}");
        }
        assert!(client.get("/findings").await.is(200).text().contains("Findings"));
        assert!(client.get("/account").await.is(200).text().contains("engineer"));
        world.end().await;
    });
}

#[test]
fn a_first_import_is_one_summary_and_the_same_file_changes_nothing() {
    run(async {
        let world = World::new().await;
        let client = world.signed_in("ana", &[umbilical_store::Role::Engineer, umbilical_store::Role::Analyst]).await;
        let answer = client.upload("register.csv", evidence::two_sites()).await.is(202).json();
        assert_eq!(answer["files"][0]["already"], false);
        world.settled().await;
        let job = client.get(&format!("/api/v1/jobs/{}", answer["job"])).await.is(200).json();
        assert_eq!(job["state"], "done");
        assert_eq!(job["detail"]["changes"]["first"], true);
        assert_eq!(job["detail"]["changes"]["devices"], 3);

        let before = client.get("/api/v1/devices").await.is(200).body;
        let answer = client.upload("another name.csv", evidence::two_sites()).await.is(202).json();
        assert_eq!(answer["files"][0]["already"], true);
        world.settled().await;
        let job = client.get(&format!("/api/v1/jobs/{}", answer["job"])).await.is(200).json();
        assert_eq!((&job["state"], &job["detail"]["changes"]), (&json!("done"), &json!(null)));
        assert_eq!(client.get("/api/v1/devices").await.is(200).body, before);
        world.end().await;
    });
}
