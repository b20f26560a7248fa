//! The server: what it listens on, what every answer carries, and how it ends.

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use http_body_util::BodyExt as _;
use hyper_util::rt::TokioTimer;
use tower_http::catch_panic::CatchPanicLayer;

use crate::app::App;
use crate::guard::{guard, is_api};
use crate::host::Hosts;
use crate::linger::linger;
use crate::who::Who;
use crate::{Problem, api, deliver, ingest, keeping, packing, pages, secret, who};

/// The largest body of a request that is no upload.
const BODY: usize = 1 << 20;
/// How long heads of requests may take: what is slower holds a socket and nothing else.
const HEAD: Duration = Duration::from_secs(20);
/// How long an answer may take to begin. Uploads and exports are not cut.
const ANSWER: Duration = Duration::from_secs(60);
/// How long connections have to end.
const GRACE: Duration = Duration::from_secs(10);
/// Answers up to here get a digest as their `ETag`.
const TAGGED: u64 = 4 << 20;

/// Where to listen.
#[derive(Clone, Debug)]
pub struct Listen {
    /// Address and port; port 0 takes one that is free.
    pub address: SocketAddr,
    /// Certificate and key, where connections are encrypted here.
    pub tls: Option<Tls>,
    /// Whether an address that others reach may be served unencrypted.
    pub insecure: bool,
}

/// Files of a certificate.
#[derive(Clone, Debug)]
pub struct Tls {
    /// The chain, PEM.
    pub certificate: PathBuf,
    /// The key, PEM.
    pub key: PathBuf,
}

/// What keeps a server from starting.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// An address that others reach, unencrypted.
    #[error("{0} is reached by others, and passwords would go there unencrypted")]
    Unencrypted(SocketAddr),
    /// The address cannot be had.
    #[error("cannot listen on {address}: {source}")]
    Address {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// Certificate or key cannot be used.
    #[error("cannot use certificate {certificate} with key {key}: {source}", certificate = .tls.certificate.display(), key = .tls.key.display())]
    Certificate {
        /// Which.
        tls: Tls,
        /// Why.
        source: std::io::Error,
    },
    /// The server broke.
    #[error("the server broke off: {0}")]
    Broke(std::io::Error),
    /// The first start could not be prepared.
    #[error("{}", .0.detail)]
    Start(Problem),
}

/// A server that listens.
pub struct Server {
    app: App,
    listener: TcpListener,
    tls: Option<RustlsConfig>,
    bound: Bound,
}

/// Where a server listens, and how to end it.
#[derive(Clone, Debug)]
pub struct Bound {
    /// The address.
    pub address: SocketAddr,
    /// `http://127.0.0.1:8480`, or what the configuration says.
    pub base: String,
    handle: Handle<SocketAddr>,
}

impl Bound {
    /// Ends the server: nothing new is taken, and what is under way has ten seconds.
    pub fn end(&self) {
        self.handle.graceful_shutdown(Some(GRACE));
    }
}

impl Server {
    /// Listens, and refuses an address that others reach without encryption.
    pub async fn bind(app: App, listen: Listen) -> Result<Self, Stop> {
        if !listen.address.ip().is_loopback() && listen.tls.is_none() && !listen.insecure {
            return Err(Stop::Unencrypted(listen.address));
        }
        let tls = match listen.tls {
            None => None,
            Some(tls) => {
                let read = RustlsConfig::from_pem_file(&tls.certificate, &tls.key).await;
                Some(read.map_err(|source| Stop::Certificate { tls, source })?)
            }
        };
        let wrong = |source| Stop::Address { address: listen.address, source };
        let listener = TcpListener::bind(listen.address).map_err(wrong)?;
        ingest::sweep(&app.config().home);
        packing::sweep(&app.config().home);
        listener.set_nonblocking(true).map_err(wrong)?;
        let address = listener.local_addr().map_err(wrong)?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let base = app.config().public.clone().unwrap_or_else(|| format!("{scheme}://{address}"));
        Ok(Self { app, listener, tls, bound: Bound { address, base, handle: Handle::new() } })
    }

    /// Where it listens.
    pub fn bound(&self) -> &Bound {
        &self.bound
    }

    /// The one-time link of a first start; `None` where somebody can sign in already.
    pub async fn first_link(&self) -> Result<Option<String>, Stop> {
        let word = pages::announce(&self.app).await.map_err(Stop::Start)?;
        Ok(word.map(|word| pages::set_up_address(&self.bound.base, &word)))
    }

    /// Answers until [`Bound::end`]; an import under way is finished before it returns.
    pub async fn run(self) -> Result<(), Stop> {
        let Self { app, listener, tls, bound } = self;
        // What an end in the middle left behind is kept, and not in the answer yet.
        if app.store().fail_jobs(app.now()).await.map_err(|e| Stop::Start(e.into()))? > 0 {
            app.pipeline().anew();
        }
        let worker = tokio::spawn(ingest::run(app.clone()));
        let keeper = tokio::spawn(keeping::run(app.clone()));
        let (end, ended) = tokio::sync::watch::channel(false);
        let mut carrier = tokio::spawn(deliver::run(app.clone(), ended));
        let service = router(app.clone(), bound.address.ip()).into_make_service_with_connect_info::<SocketAddr>();
        let served = match tls {
            None => {
                let mut server = axum_server::from_tcp(listener).map_err(Stop::Broke)?.handle(bound.handle);
                patient(server.http_builder());
                server.serve(service).await
            }
            Some(tls) => {
                let mut server = axum_server::from_tcp_rustls(listener, tls).map_err(Stop::Broke)?.handle(bound.handle);
                patient(server.http_builder());
                server.serve(service).await
            }
        };
        keeper.abort();
        app.pipeline().settled().await;
        worker.abort();
        // What the last import brought is said after the next start, if not by then.
        let _ = end.send(true);
        if tokio::time::timeout(GRACE, &mut carrier).await.is_err() {
            carrier.abort();
        }
        served.map_err(Stop::Broke)
    }
}

fn patient(builder: &mut hyper_util::server::conn::auto::Builder<hyper_util::rt::TokioExecutor>) {
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(64 << 10);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(HEAD).max_concurrent_streams(100);
}

/// Every route with what stands before it.
pub fn router(app: App, listens: IpAddr) -> Router {
    let hosts = Arc::new(Hosts::new(listens, app.config().public.as_deref(), &app.config().hosts));
    let routes = api::router().merge(pages::router()).route_layer(from_fn_with_state(app.clone(), guard));
    routes
        .fallback(async || Problem::missing("there is nothing at this address"))
        .method_not_allowed_fallback(async || Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this address does not take this method"))
        .layer(DefaultBodyLimit::max(BODY))
        .layer(from_fn(tagged))
        .layer(CatchPanicLayer::custom(|_: Box<dyn std::any::Any + Send>| Problem::internal("a handler broke off").into_response()))
        .layer(from_fn_with_state(hosts, named))
        .layer(from_fn_with_state(app.clone(), carried))
        .layer(from_fn(linger))
        .layer(from_fn(logged))
        .with_state(app)
}

/// Only who names this server is answered.
async fn named(State(hosts): State<Arc<Hosts>>, request: Request, next: Next) -> Response {
    match hosts.check(&request) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// Reads get an `ETag`; who has the same already is told so.
async fn tagged(request: Request, next: Next) -> Response {
    let asked = request.headers().get(header::IF_NONE_MATCH).cloned();
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let response = next.run(request).await;
    let json = response.headers().get(header::CONTENT_TYPE).is_some_and(|t| t == "application/json");
    if !reads || response.status() != StatusCode::OK || !json || response.body().size_hint().upper().is_none_or(|n| n > TAGGED) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = body.collect().await.map(http_body_util::Collected::to_bytes) else {
        return Problem::internal("an answer broke off").into_response();
    };
    let tag = match parts.headers.get(header::ETAG) {
        Some(own) => own.clone(),
        None => {
            let digest = secret::digest_of(&bytes);
            let Ok(tag) = HeaderValue::try_from(format!("\"{}\"", digest.get(..24).unwrap_or_default())) else {
                return Problem::internal("an answer has no digest").into_response();
            };
            parts.headers.insert(header::ETAG, tag.clone());
            tag
        }
    };
    // It is somebody's view: kept by the browser alone, and asked again each time.
    parts.headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-cache"));
    let same = |list: &HeaderValue| {
        list.to_str().is_ok_and(|l| l.split(',').any(|t| t.trim() == "*" || t.trim().trim_start_matches("W/").as_bytes() == tag.as_bytes()))
    };
    if asked.as_ref().is_some_and(same) {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_TYPE);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(bytes))
}

/// What a page may load: its own style sheet and script, and nothing else.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What every answer carries; a problem becomes a page where a page was asked for.
async fn carried(State(app): State<App>, request: Request, next: Next) -> Response {
    let api = is_api(request.uri().path());
    let session = request.headers().get(header::COOKIE).filter(|_| !api).cloned();
    let mut response = match tokio::time::timeout(limit_of(&request), next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the answer took too long").into_response(),
    };
    if let Some(problem) = unread(&response) {
        response = problem.into_response();
    }
    if !api && let Some(problem) = response.extensions().get::<Problem>().cloned() {
        let who = if problem.status < 500 && problem.retry_after.is_none() { signed_in(&app, session).await } else { None };
        response = pages::problem(&problem, who.as_ref());
    }
    let headers = response.headers_mut();
    let fixed: [(HeaderName, &'static str); 7] = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        // Under `no-referrer` browsers send forms with `origin: null`, which says nothing of where they come from.
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if app.config().tls {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// What the router says in words of its own where an address cannot be read, as a problem of ours.
fn unread(response: &Response) -> Option<Problem> {
    let plain = response.headers().get(header::CONTENT_TYPE).is_some_and(|t| t.as_bytes().starts_with(b"text/plain"));
    let refused = response.status().is_client_error() && plain && response.extensions().get::<Problem>().is_none();
    refused.then(|| {
        Problem::new(response.status(), "the address cannot be read: its parts are text in UTF-8, written with `%` where that is needed")
    })
}

/// Who is signed in by a cookie, for a page that says what went wrong.
async fn signed_in(app: &App, cookie: Option<HeaderValue>) -> Option<Who> {
    let headers = HeaderMap::from_iter([(header::COOKIE, cookie?)]);
    who::find(app, &headers).await.ok().flatten()
}

/// Uploads take as long as they take.
fn limit_of(request: &Request) -> Duration {
    let path = request.uri().path();
    let upload =
        request.method() == Method::POST && (matches!(path, "/import" | "/api/v1/evidence") || path.starts_with("/import/staged/"));
    if upload { Duration::from_secs(24 * 3600) } else { ANSWER }
}

/// One line for each request. The route stands in it, not the address: that may hold a secret or a number.
async fn logged(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("none".to_owned(), |p| p.as_str().to_owned());
    let response = next.run(request).await;
    let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(%method, route, status = response.status().as_u16(), ms, "request");
    response
}
