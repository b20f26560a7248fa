//! Receivers on this machine.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A request as it came in.
#[derive(Clone, Debug)]
pub struct Request {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Request {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }
    /// The events of a webhook.
    pub fn events(&self) -> Vec<Value> {
        let body: Value = serde_json::from_slice(&self.body).unwrap();
        body["events"].as_array().unwrap().clone()
    }
}

/// What is answered to a request.
pub type Answer = Arc<dyn Fn(&Request) -> (u16, Vec<(&'static str, String)>, String) + Send + Sync>;

pub fn ok() -> Answer {
    Arc::new(|_| (204, Vec::new(), String::new()))
}

/// A receiver of HTTP. One that is down is no longer there: connections are refused.
pub struct Http {
    pub at: SocketAddr,
    pub seen: Arc<Mutex<Vec<Request>>>,
    answer: Arc<Mutex<Answer>>,
    task: Option<JoinHandle<()>>,
}

impl Http {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let mut out = Self { at, seen: Arc::default(), answer: Arc::new(Mutex::new(ok())), task: None };
        out.serve(listener);
        out
    }

    fn serve(&mut self, listener: TcpListener) {
        let state = (self.seen.clone(), self.answer.clone());
        let router = Router::new().fallback(take).with_state(state);
        self.task = Some(tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }));
    }

    pub async fn down(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
            let _ = task.await;
        }
    }

    pub async fn up(&mut self) {
        let listener = TcpListener::bind(self.at).await.unwrap();
        self.serve(listener);
    }

    pub fn answers(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.at)
    }

    pub fn requests(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }

    /// Every event that came in, in order.
    pub fn events(&self) -> Vec<Value> {
        self.requests().iter().flat_map(Request::events).collect()
    }
}

type Shared = (Arc<Mutex<Vec<Request>>>, Arc<Mutex<Answer>>);

async fn take(State((seen, answer)): State<Shared>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let request = Request { path: uri.path().to_owned(), headers, body: body.to_vec() };
    let answer = answer.lock().unwrap().clone();
    let (status, headers, body) = answer(&request);
    seen.lock().unwrap().push(request);
    let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
    for (name, value) in headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}
