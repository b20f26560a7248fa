//! A small browser: cookies, forms, no scripts.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Mutex;

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {} {}", self.status, self.text()))
    }
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }
    /// Holds the status against what was wanted, with the body in sight.
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }
    /// A problem of ours with this status.
    #[track_caller]
    pub fn problem(self, status: u16) -> Value {
        let answer = self.is(status);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        let value = answer.json();
        assert_eq!(value["status"], status);
        assert!(value["type"].as_str().unwrap().starts_with("urn:umbilical:problem:"), "{value}");
        assert!(!value["title"].as_str().unwrap().is_empty() && !value["detail"].as_str().unwrap().is_empty(), "{value}");
        value
    }
}

pub struct Client {
    at: SocketAddr,
    http: hyper_util::client::legacy::Client<HttpConnector, Body>,
    cookies: Mutex<BTreeMap<String, String>>,
    bearer: Option<String>,
    csrf: Mutex<Option<String>>,
}

impl Client {
    pub fn new(at: SocketAddr) -> Self {
        let http = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build_http();
        Self { at, http, cookies: Mutex::default(), bearer: None, csrf: Mutex::default() }
    }

    pub fn bearer(mut self, token: &str) -> Self {
        self.bearer = Some(token.to_owned());
        self
    }

    /// Every cookie, as the header has them.
    pub fn cookie(&self) -> Option<String> {
        let all = self.cookies.lock().unwrap();
        (!all.is_empty()).then(|| all.iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>().join("; "))
    }

    pub fn set_cookie(&self, cookie: Option<String>) {
        let pairs = cookie.iter().flat_map(|c| c.split("; ")).filter_map(|p| p.split_once('='));
        *self.cookies.lock().unwrap() = pairs.map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
    }

    pub async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("http://{}{path}", self.at));
        let given = |name: &str| headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
        if let (Some(cookie), false) = (self.cookie(), given("cookie")) {
            request = request.header(header::COOKIE, cookie);
        }
        if let (Some(token), false) = (&self.bearer, given("authorization")) {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.http.request(request.body(body.into()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        for set in parts.headers.get_all(header::SET_COOKIE) {
            let (name, value) = set.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            match value {
                "" => self.cookies.lock().unwrap().remove(name),
                _ => self.cookies.lock().unwrap().insert(name.to_owned(), value.to_owned()),
            };
        }
        Answer { status: parts.status, headers: parts.headers, body: body.collect().await.unwrap().to_bytes().to_vec() }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], Body::empty()).await
    }

    /// The session's word, as `GET /api/v1/me` says it.
    pub async fn csrf(&self) -> String {
        if let Some(known) = self.csrf.lock().unwrap().clone() {
            return known;
        }
        let word = self.get("/api/v1/me").await.is(200).json()["csrf"].as_str().unwrap_or_default().to_owned();
        *self.csrf.lock().unwrap() = Some(word.clone());
        word
    }

    /// A JSON body to the API, with the session's word where there is a session.
    pub async fn json(&self, method: Method, path: &str, body: &Value) -> Answer {
        let csrf = if self.bearer.is_none() && self.cookie().is_some() { self.csrf().await } else { String::new() };
        self.send(method, path, &[("content-type", "application/json"), ("x-csrf-token", &csrf)], body.to_string()).await
    }

    /// A form of a page.
    pub async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body: Vec<String> =
            fields.iter().map(|(n, v)| format!("{}={}", umbilical_web::guard::encoded(n), umbilical_web::guard::encoded(v))).collect();
        self.send(Method::POST, path, &[("content-type", "application/x-www-form-urlencoded")], body.join("&")).await
    }

    pub async fn sign_in(&self, login: &str, password: &str) {
        let answer = self.form("/sign-in", &[("login", login), ("password", password)]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        self.csrf.lock().unwrap().take();
    }

    /// One file to the API.
    pub async fn upload(&self, name: &str, bytes: impl Into<Vec<u8>>) -> Answer {
        let csrf = if self.bearer.is_none() && self.cookie().is_some() { self.csrf().await } else { String::new() };
        let path = format!("/api/v1/evidence?name={}", umbilical_web::guard::encoded(name));
        self.send(Method::POST, &path, &[("content-type", "application/octet-stream"), ("x-csrf-token", &csrf)], bytes.into()).await
    }
}

/// A form with files, as browsers send it.
pub fn multipart(fields: &[(&str, &str)], files: &[(&str, &[u8])]) -> (String, Vec<u8>) {
    let border = "----umbilical-test-border";
    let mut body = Vec::new();
    for (name, value) in fields {
        body.extend_from_slice(format!("--{border}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").as_bytes());
    }
    for (name, bytes) in files {
        let name = name.replace('"', "%22");
        let head = format!(
            "--{border}\r\ncontent-disposition: form-data; name=\"files\"; filename=\"{name}\"\r\ncontent-type: application/octet-stream\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{border}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={border}"), body)
}
