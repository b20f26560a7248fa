//! Backups on request and by a schedule.

use axum::http::Method;
use serde_json::json;
use umbilical_store::{Options, Role, Scope, Store, query::Query};

use crate::support::{Client, World, evidence, run};

async fn finished(client: &Client, job: &serde_json::Value) -> serde_json::Value {
    for _ in 0..600 {
        let state = client.get(&format!("/api/v1/jobs/{job}")).await.is(200).json();
        if ["done", "failed"].contains(&state["state"].as_str().unwrap()) {
            return state;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the job does not end");
}

#[test]
fn a_backup_is_made_listed_and_restored() {
    run(async {
        let world = World::new().await;
        let engineer = world.signed_in("ana", &[Role::Engineer]).await;
        engineer.upload("fleet.csv", evidence::two_sites()).await.is(202);
        world.settled().await;
        let admin = world.signed_in("ben", &[Role::Admin]).await;
        let none = admin.get("/api/v1/backups").await.is(200).json();
        assert_eq!(none, json!({"backups": [], "schedule": null}));
        let job = admin.json(Method::POST, "/api/v1/backups", &json!({})).await.is(202).json()["job"].clone();
        let done = finished(&admin, &job).await;
        assert_eq!((done["state"].as_str().unwrap(), done["who"].as_str().unwrap()), ("done", "ben"), "{done}");
        let list = admin.get("/api/v1/backups").await.is(200).json();
        let one = &list["backups"][0];
        assert_eq!((&one["name"], &one["verified"]), (&done["detail"]["backup"], &json!(true)), "{list}");
        assert!(one["bytes"].as_u64().unwrap() > 1000 && one["at"].as_str().unwrap().starts_with("2026-11-29T12:00"), "{list}");
        // It is one: what it holds comes back.
        let file = world.folder.path().join("backups").join(one["name"].as_str().unwrap());
        let place = world.folder.path().join("restored.db").display().to_string();
        let restored = Store::restore(&file, Options { place, ..Options::default() }, world.by()).await.unwrap();
        assert_eq!(restored.count_devices(&Scope::ALL, &Query::all()).await.unwrap(), 3);
        restored.close().await;
        // A file that was cut is no backup, and is said to be none.
        let bytes = std::fs::read(&file).unwrap();
        std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
        let list = admin.get("/api/v1/backups").await.is(200).json();
        assert_eq!(list["backups"][0]["verified"], false, "{list}");
        world.end().await;
    });
}

#[test]
fn backups_are_made_by_a_schedule_and_old_ones_go() {
    run(async {
        let world = World::new().await;
        let admin = world.signed_in("ben", &[Role::Admin]).await;
        let set = async |value: serde_json::Value| admin.json(Method::PUT, "/api/v1/settings/backups", &value).await;
        let names = async || {
            let list = admin.get("/api/v1/backups").await.is(200).json();
            list["backups"].as_array().unwrap().iter().map(|b| b["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        for wrong in [json!({"every_hours": 0, "keep": 1}), json!({"every_hours": 24, "keep": 0}), json!({"every_hours": 24}), json!(7)] {
            set(wrong).await.problem(422);
        }
        umbilical_web::keeping::backup(&world.app).await.unwrap();
        assert!(names().await.is_empty(), "nothing is set");
        set(json!({"every_hours": 24, "keep": 2})).await.is(204);
        assert_eq!(admin.get("/api/v1/settings").await.json()["backups"], json!({"every_hours": 24, "keep": 2}));
        let mut made = Vec::new();
        // At the hours 0, 23, 24, 47, 48, 72.
        for hours in [0, 23, 1, 23, 1, 24] {
            world.clock.forward(hours * 3_600_000);
            umbilical_web::keeping::backup(&world.app).await.unwrap();
            made.push(umbilical_store::last_good(&world.folder.path().join("backups")).unwrap());
        }
        // One a day, and the newest two are there.
        made.dedup();
        assert_eq!(made.len(), 4, "{made:?}");
        assert_eq!(world.app.store().backup_files().len(), 2);
        // One that is no longer whole does not count.
        std::fs::write(made.last().unwrap(), b"x").unwrap();
        umbilical_web::keeping::backup(&world.app).await.unwrap();
        assert!(umbilical_store::verify_backup(&world.app.store().backup_files()[0].path).is_ok());
        world.end().await;
    });
}
