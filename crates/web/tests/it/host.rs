//! Names under which the server answers.

use axum::body::Body;
use axum::http::Method;

use crate::support::{World, run};

#[test]
fn another_name_is_no_name_of_this_server() {
    run(async {
        let world = World::with(|config| {
            config.public = Some("https://fleet.example".into());
            config.hosts = vec!["fleet".into()];
        })
        .await;
        let client = world.client();
        let ask = async |path: &str, host: &str| client.send(Method::GET, path, &[("host", host)], Body::empty()).await;
        for host in ["localhost", "127.0.0.1:1", "[::1]:9", "fleet.example", "FLEET:8480"] {
            ask("/api/v1/health", host).await.is(200);
        }
        for path in ["/api/v1/health", "/api/v1/devices", "/api/v1/no-such-route"] {
            let problem = ask(path, "rebound.example:8480").await.problem(421);
            assert_eq!(problem["type"], "urn:umbilical:problem:host");
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains("`rebound.example`") && detail.contains("--host rebound.example"), "{detail}");
        }
        // What was sent is not done, and a browser is told in a page what to do.
        let answer = client.send(Method::POST, "/sign-in", &[("host", "rebound.example")], "login=a&password=b").await.is(421);
        assert!(answer.header("content-type").starts_with("text/html") && answer.text().contains("--public-url"), "{}", answer.text());
        assert_eq!(ask("/assets/style.css", "<img src=x>").await.is(421).header("x-content-type-options"), "nosniff");
        world.end().await;
    });
}
