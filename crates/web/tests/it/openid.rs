//! Signing in at an OpenID provider: a small one of our own on this machine, honest or not.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use base64ct::{Base64, Base64UrlUnpadded, Encoding as _};
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use umbilical_store::Role;

use crate::support::{Client, World, run};

/// What the provider says of who signs in, and how it lies.
#[derive(Clone)]
struct Says {
    claims: Value,
    /// Changes the claims of the token last.
    twist: fn(&mut Value),
    /// Signs with another key than it publishes.
    foreign_key: bool,
    /// Says `alg: none` and leaves out the signature.
    unsigned: bool,
}

impl Default for Says {
    fn default() -> Self {
        let claims = json!({"sub": "248", "preferred_username": "Cy", "name": "Cy Example", "email": "cy@example.org", "groups": ["field", "other"]});
        Self { claims, twist: |_| {}, foreign_key: false, unsigned: false }
    }
}

/// Challenge, nonce and place to return to.
type Code = (String, String, String);
/// A lie with its name.
type Lie = (&'static str, fn(&mut Says));

#[derive(Clone)]
struct Provider {
    issuer: String,
    says: Arc<Mutex<Says>>,
    /// Codes with their challenge, nonce and place to return to.
    codes: Arc<Mutex<HashMap<String, Code>>>,
    now: i64,
}

fn key(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n; 32])
}

impl Provider {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at: SocketAddr = listener.local_addr().unwrap();
        let now = crate::support::NOON.0 / 1000;
        let provider = Self { issuer: format!("http://{at}"), says: Arc::default(), codes: Arc::default(), now };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(describe))
            .route("/keys", get(keys))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        provider
    }

    fn says(&self, change: impl FnOnce(&mut Says)) {
        let mut says = Says::default();
        change(&mut says);
        *self.says.lock().unwrap() = says;
    }

    fn setting(&self) -> Value {
        json!({"issuer": self.issuer, "client_id": "umbilical", "client_secret": "s3cret of the provider", "label": "Example ID", "scopes": ["profile"],
               "roles": {"field": "engineer", "boss": "admin"}})
    }
}

async fn describe(State(p): State<Provider>) -> Response {
    let i = &p.issuer;
    axum::Json(json!({
        "issuer": i, "authorization_endpoint": format!("{i}/authorize"), "token_endpoint": format!("{i}/token"), "jwks_uri": format!("{i}/keys"),
        "response_types_supported": ["code"], "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["EdDSA"],
    }))
    .into_response()
}

async fn keys() -> Response {
    let x = Base64UrlUnpadded::encode_string(key(7).verifying_key().as_bytes());
    axum::Json(json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": x, "kid": "k7", "use": "sig", "alg": "EdDSA"}]})).into_response()
}

async fn authorize(State(p): State<Provider>, Query(q): Query<HashMap<String, String>>) -> Response {
    assert_eq!((q["response_type"].as_str(), q["client_id"].as_str(), q["code_challenge_method"].as_str()), ("code", "umbilical", "S256"));
    assert_eq!(q["scope"], "openid profile");
    let code = format!("code-{}", p.codes.lock().unwrap().len());
    let kept = (q["code_challenge"].clone(), q["nonce"].clone(), q["redirect_uri"].clone());
    p.codes.lock().unwrap().insert(code.clone(), kept);
    Redirect::to(&format!("{}?code={code}&state={}", q["redirect_uri"], q["state"])).into_response()
}

async fn token(State(p): State<Provider>, headers: HeaderMap, Form(form): Form<HashMap<String, String>>) -> Response {
    let basic = headers.get("authorization").map(|h| h.to_str().unwrap().trim_start_matches("Basic ").to_owned()).unwrap_or_default();
    let basic = String::from_utf8(Base64::decode_vec(&basic).unwrap()).unwrap();
    assert_eq!(basic, "umbilical:s3cret+of+the+provider");
    let Some((challenge, nonce, redirect)) = p.codes.lock().unwrap().remove(&form["code"]) else {
        return (StatusCode::BAD_REQUEST, axum::Json(json!({"error": "invalid_grant"}))).into_response();
    };
    assert_eq!(Base64UrlUnpadded::encode_string(&Sha256::digest(form["code_verifier"].as_bytes())), challenge, "PKCE");
    assert_eq!(form["redirect_uri"], redirect);
    let says = p.says.lock().unwrap().clone();
    let mut claims = says.claims.clone();
    for (name, value) in
        [("iss", json!(p.issuer)), ("aud", json!("umbilical")), ("nonce", json!(nonce)), ("iat", json!(p.now)), ("exp", json!(p.now + 300))]
    {
        claims[name] = value;
    }
    (says.twist)(&mut claims);
    let head = if says.unsigned { json!({"alg": "none"}) } else { json!({"alg": "EdDSA", "kid": "k7"}) };
    let part = |v: &Value| Base64UrlUnpadded::encode_string(v.to_string().as_bytes());
    let signed = format!("{}.{}", part(&head), part(&claims));
    let signer = key(if says.foreign_key { 8 } else { 7 });
    let signature = Base64UrlUnpadded::encode_string(&signer.sign(signed.as_bytes()).to_bytes());
    let id_token = if says.unsigned { format!("{signed}.") } else { format!("{signed}.{signature}") };
    axum::Json(json!({"access_token": "a", "token_type": "Bearer", "expires_in": 300, "id_token": id_token})).into_response()
}

/// Goes to the provider and back, as a browser does; gives what the server says at last.
async fn sign_in(client: &Client) -> crate::support::client::Answer {
    let to = client.get("/sign-in/openid?next=%2Ffindings").await;
    if to.status != 303 {
        return to;
    }
    let to = to.header("location").to_owned();
    let (_, rest) = to.split_once("://").unwrap();
    let (host, path) = rest.split_at(rest.find('/').unwrap());
    let provider = Client::new(host.parse().unwrap());
    let back = provider.get(path).await.is(303);
    let (_, rest) = back.header("location").split_once("://").unwrap();
    client.get(&rest[rest.find('/').unwrap()..]).await
}

async fn world() -> (World, Provider, Client) {
    let world = World::new().await;
    let provider = Provider::start().await;
    let admin = world.signed_in("ana", &[Role::Admin]).await;
    admin.json(Method::PUT, "/api/v1/settings/openid", &provider.setting()).await.is(204);
    (world, provider, admin)
}

#[test]
fn somebody_signs_in_and_gets_the_roles_of_its_groups() {
    run(async {
        let (world, provider, admin) = world().await;
        let settings = admin.get("/api/v1/settings").await.is(200).text();
        assert!(settings.contains("Example ID") && !settings.contains("s3cret"), "{settings}");
        let client = world.client();
        assert!(client.get("/sign-in").await.text().contains("Sign in with Example ID"));
        assert_eq!(sign_in(&client).await.is(303).header("location"), "/findings");
        let me = client.get("/api/v1/me").await.is(200).json();
        assert_eq!((&me["login"], &me["name"], &me["roles"]), (&json!("cy"), &json!("Cy Example"), &json!(["engineer"])));
        // The next time the groups are others.
        provider.says(|s| s.claims["groups"] = json!("boss"));
        sign_in(&client).await.is(303);
        let again = client.get("/api/v1/me").await.is(200).json();
        assert_eq!((&again["id"], &again["roles"]), (&me["id"], &json!(["admin"])));
        // No group with a role: no way in, and what was is no longer.
        let other = world.client();
        provider.says(|s| s.claims["groups"] = json!(["guests"]));
        sign_in(&other).await.is(403);
        // A secret that is left out stays, for the same provider alone.
        let mut setting = provider.setting();
        setting.as_object_mut().unwrap().remove("client_secret");
        admin.json(Method::PUT, "/api/v1/settings/openid", &setting).await.is(204);
        provider.says(|_| {});
        sign_in(&other).await.is(303);
        for wrong in [
            json!({"issuer": "http://id.example", "client_id": "x"}),
            json!({"issuer": "https://id.example", "client_id": " "}),
            json!({"issuer": 1}),
        ] {
            admin.json(Method::PUT, "/api/v1/settings/openid", &wrong).await.problem(422);
        }
        admin.json(Method::PUT, "/api/v1/settings/openid", &json!(null)).await.is(204);
        client.get("/sign-in/openid").await.is(404);
        world.end().await;
    });
}

#[test]
fn a_name_at_the_provider_takes_over_no_account_here() {
    run(async {
        let (world, provider, _) = world().await;
        provider.says(|s| s.claims["preferred_username"] = json!("ana"));
        let client = world.client();
        sign_in(&client).await.is(303);
        let login = client.get("/api/v1/me").await.is(200).json()["login"].as_str().unwrap().to_owned();
        assert!(login.starts_with("ana-") && login.len() == 12, "{login}");
        let mut person = world.app.store().person_by_login(&login).await.unwrap();
        person.disabled = true;
        world.app.store().update_person(world.by(), &person).await.unwrap();
        sign_in(&world.client()).await.is(403);
        world.end().await;
    });
}

#[test]
fn a_token_that_does_not_hold_lets_nobody_in() {
    run(async {
        let (world, provider, _) = world().await;
        let lies: [Lie; 8] = [
            ("another nonce", |s| s.twist = |c| c["nonce"] = json!("x")),
            ("no nonce", |s| s.twist = |c| drop(c.as_object_mut().unwrap().remove("nonce"))),
            ("another audience", |s| s.twist = |c| c["aud"] = json!("other")),
            ("another issuer", |s| s.twist = |c| c["iss"] = json!("https://evil.example")),
            ("expired", |s| s.twist = |c| c["exp"] = json!(1_000_000_000)),
            ("another key", |s| s.foreign_key = true),
            ("no signature", |s| s.unsigned = true),
            ("no subject", |s| s.twist = |c| drop(c.as_object_mut().unwrap().remove("sub"))),
        ];
        for (what, lie) in lies {
            provider.says(lie);
            let client = world.client();
            let answer = sign_in(&client).await;
            assert_eq!(answer.status, StatusCode::BAD_GATEWAY, "{what}: {}", answer.text());
            client.get("/api/v1/me").await.problem(401);
        }
        world.end().await;
    });
}

#[test]
fn a_way_back_that_was_not_begun_here_leads_nowhere() {
    run(async {
        let (world, _, _) = world().await;
        let client = world.client();
        client.get("/sign-in/openid/return?code=x&state=y").await.is(403);
        client.get("/sign-in/openid/return?error=access_denied&state=y").await.is(403);
        // Begun in one browser, ended in another: somebody would be signed in as somebody else.
        let to = client.get("/sign-in/openid").await.is(303).header("location").to_owned();
        let (_, rest) = to.split_once("://").unwrap();
        let (host, path) = rest.split_at(rest.find('/').unwrap());
        let back = Client::new(host.parse().unwrap()).get(path).await.is(303).header("location").to_owned();
        let path = back.split_once("://").unwrap().1;
        let path = &path[path.find('/').unwrap()..];
        let victim = world.client();
        victim.get(path).await.is(403);
        // And it is used up for who began it, too.
        client.get(path).await.is(403);
        // Too late.
        let to = client.get("/sign-in/openid").await.is(303).header("location").to_owned();
        let (_, rest) = to.split_once("://").unwrap();
        let back = Client::new(host.parse().unwrap()).get(&rest[rest.find('/').unwrap()..]).await.is(303).header("location").to_owned();
        world.clock.forward(11 * 60_000);
        let path = back.split_once("://").unwrap().1;
        client.get(&path[path.find('/').unwrap()..]).await.is(403);
        let _ = Body::empty();
        world.end().await;
    });
}
