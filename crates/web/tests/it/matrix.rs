//! Every endpoint of the OpenAPI document × every role × session, token, token for exports, nobody × all sites, one site.
//! What is expected comes from the one table of rights.

use std::collections::BTreeSet;

use axum::http::Method;
use serde_json::{Value, json};
use umbilical_store::{Role, Sites, TokenClass};
use umbilical_web::rights::{self, Class, Need, Permission, SUBSCRIBERS};

use crate::support::{Client, World, evidence, run};

/// A row of the document.
struct Endpoint {
    method: Method,
    path: String,
    need: Need,
}

fn endpoints() -> Vec<Endpoint> {
    let document: Value = serde_json::from_str(&umbilical_web::openapi()).unwrap();
    let mut out = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in ["get", "post", "put", "delete", "patch"].into_iter().filter(|m| item.get(m).is_some()) {
            let method: Method = method.to_uppercase().parse().unwrap();
            let need = rights::need(&method, path).unwrap_or_else(|| panic!("{method} {path} has no row in the table of rights"));
            out.push(Endpoint { method, path: path.clone(), need });
        }
    }
    out
}

/// Ids of a site.
struct Things {
    device: String,
    finding: String,
    evidence: String,
}

async fn things(client: &Client, site: &str, file: &str) -> Things {
    let device =
        client.get(&format!("/api/v1/devices?q=site:{site}")).await.is(200).json()["devices"][0]["id"].as_str().unwrap().to_owned();
    let findings = client.get(&format!("/api/v1/findings?q=site:{site}")).await.is(200).json();
    let finding =
        findings["findings"][0]["finding"]["id"].as_str().unwrap_or_else(|| panic!("no finding at {site}: {findings}")).to_owned();
    let list = client.get("/api/v1/evidence").await.is(200).json();
    let evidence = list["evidence"].as_array().unwrap().iter().find(|e| e["name"] == file).unwrap()["id"].as_str().unwrap().to_owned();
    Things { device, finding, evidence }
}

impl Things {
    fn in_path(&self, path: &str) -> String {
        let id = if path.contains("/devices/") {
            &self.device
        } else if path.contains("/findings/") {
            &self.finding
        } else {
            &self.evidence
        };
        path.replace("{id}", id).replace("{n}", "1")
    }

    /// Whether a path names a thing that stands at a site.
    fn of_site(path: &str) -> bool {
        path.contains("{id}") && ["/devices/", "/findings/", "/evidence/"].iter().any(|p| path.contains(p))
    }
}

async fn ask(client: &Client, endpoint: &Endpoint, path: &str) -> u16 {
    match endpoint.method {
        Method::GET => client.get(path).await.status.as_u16(),
        // A body that makes no sense: what it says about rights comes first.
        _ => client.json(endpoint.method.clone(), path, &json!({"nothing": 1})).await.status.as_u16(),
    }
}

#[test]
fn every_endpoint_for_every_role_class_and_site() {
    run(async {
        let world = World::new().await;
        let ana = world.signed_in("ana", &[Role::Engineer]).await;
        // A module under another name than its maker's, at either site, and an artefact of each alone.
        for (file, site, name) in [("north.csv", "North", "pump-1"), ("south.csv", "South", "gate-9")] {
            ana.upload(file, evidence::register(&[(name, site, "Dell", "DW5821e")])).await.is(202);
        }
        world.settled().await;
        let (north, south) = (things(&ana, "north", "north.csv").await, things(&ana, "south", "south.csv").await);
        let endpoints = endpoints();
        let all_scopes: Vec<&str> = Permission::ALL.iter().map(|p| p.name()).chain([SUBSCRIBERS]).collect();
        let mut cells = 0u32;

        let nobody = world.client();
        for endpoint in &endpoints {
            let status = ask(&nobody, endpoint, &north.in_path(&endpoint.path)).await;
            assert_eq!(status == 401, endpoint.need != Need::Nothing, "{} {}: {status} for nobody", endpoint.method, endpoint.path);
            cells += 1;
        }
        for role in Role::ALL {
            let permissions: BTreeSet<Permission> = rights::of_role(role).iter().copied().collect();
            for (sites, limited) in [(Sites::All, false), (Sites::Only(["North".to_owned()].into()), true)] {
                let login = format!("{}-{limited}", role.name());
                let mut person = world.person(&login, &[role], sites).await;
                // The right to see numbers is nobody's by role; it is not what is asked here.
                person.subscribers = true;
                world.app.store().update_person(world.by(), &person).await.unwrap();
                for class in Class::ALL {
                    let client = match class {
                        Class::Session => world.session(&person).await,
                        Class::Api => world.token(&person, TokenClass::Full, &all_scopes).await,
                        Class::ExportOnly => world.token(&person, TokenClass::ExportOnly, &["export", SUBSCRIBERS]).await,
                    };
                    for endpoint in &endpoints {
                        let what = format!("{} {} as {login} by {class:?}", endpoint.method, endpoint.path);
                        let may = endpoint.need.met(class, &permissions, !limited);
                        let status = ask(&client, endpoint, &north.in_path(&endpoint.path)).await;
                        assert_eq!(status == 403, !may, "{what}: {status}");
                        assert!(status != 401 && status < 500, "{what}: {status}");
                        cells += 1;
                        if !Things::of_site(&endpoint.path) {
                            continue;
                        }
                        // What stands elsewhere is not there, whatever is asked of it.
                        let status = ask(&client, endpoint, &south.in_path(&endpoint.path)).await;
                        cells += 1;
                        match (may, limited, &endpoint.method) {
                            (false, ..) => assert_eq!(status, 403, "{what}, elsewhere"),
                            (true, true, &Method::GET) => assert_eq!(status, 404, "{what}, elsewhere"),
                            // The body makes no sense either way: what is decided elsewhere is asked below.
                            (true, true, _) => assert_eq!(status, 422, "{what}, elsewhere"),
                            (true, false, _) => assert!(status < 400 || status == 422, "{what}, elsewhere: {status}"),
                        }
                    }
                }
            }
        }
        // Lists, counts, facets and exports of one site know nothing of the other.
        let person = world.app.store().person_by_login("analyst-true").await.unwrap();
        let client = world.token(&person, TokenClass::Full, &all_scopes).await;
        for path in [
            "/api/v1/devices",
            "/api/v1/devices?q=gate",
            "/api/v1/devices/facets",
            "/api/v1/findings",
            "/api/v1/evidence",
            "/api/v1/sites",
            "/api/v1/export/devices",
            "/api/v1/export/devices?whole=true",
            "/api/v1/export/findings",
            "/api/v1/jobs",
            "/api/v1/changes",
            "/api/v1/events",
        ] {
            let text = client.get(path).await.is(200).text();
            for word in ["gate-9", "South", "south.csv", &south.device, &south.finding, &south.evidence] {
                assert!(!text.contains(word), "{path} tells of {word}: {text}");
            }
        }
        let note = json!({"kind": "note", "comment": "x"});
        for (path, status) in
            [(north.in_path("/api/v1/devices/{id}/decisions"), 201), (south.in_path("/api/v1/devices/{id}/decisions"), 404)]
        {
            client.json(Method::POST, &path, &note).await.is(status);
        }
        for (path, status) in
            [(north.in_path("/api/v1/findings/{id}/decisions"), 201), (south.in_path("/api/v1/findings/{id}/decisions"), 404)]
        {
            client.json(Method::POST, &path, &note).await.is(status);
        }
        assert!(cells > 2000, "{cells} cells");
        println!("{cells} cells of {} endpoints", endpoints.len());
        world.end().await;
    });
}

/// Pages are no part of the document: every row of the table is asked without a session and by each role.
#[test]
fn every_page_for_every_role() {
    run(async {
        let world = World::with(crate::support::law::shelved).await;
        let nobody = world.client();
        let mut people = Vec::new();
        for role in Role::ALL {
            let person = world.person(role.name(), &[role], Sites::All).await;
            people.push((rights::of_roles(&[role]), world.session(&person).await));
        }
        for (method, path, need) in rights::RIGHTS.iter().filter(|r| !umbilical_web::guard::is_api(r.1)) {
            let at = path.replace("{id}", "dev-000000000000").replace("{n}", "1").replace("{secret}", "x").replace("{name}", "x");
            let send = async |client: &Client| match *method {
                "GET" => client.get(&at).await,
                _ => client.form(&at, &[]).await,
            };
            let answer = send(&nobody).await;
            let led_away = answer.status == 303 && answer.header("location").starts_with("/sign-in?next=");
            assert_eq!(led_away, *need != Need::Nothing, "{method} {path}: {}", answer.status);
            for (permissions, client) in &people {
                let status = send(client).await.status.as_u16();
                let refused = !need.met(Class::Session, permissions, true);
                if *need == Need::Nothing {
                    assert!(status < 500, "{method} {path}: {status}");
                    continue;
                }
                // A form without the session's word is refused, too: no page is written to without it.
                let refused = refused || *method == "POST" && *path != "/import";
                assert_eq!(status == 403, refused, "{method} {path}: {status}");
                assert!(status < 500, "{method} {path}: {status}");
            }
        }
        world.end().await;
    });
}
