//! Hearing somebody out who is answered before he has said all.
//!
//! A body that is refused (too large, no right to it) is not read to its end. Over HTTP/1 the connection would then be closed under
//! a client that still writes, and the reset can overtake the answer (RFC 9112 §9.6): it would see a broken connection where a
//! reason stands. So what is left is read and thrown away beside the answer, for a while.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{Version, header};
use axum::middleware::Next;
use axum::response::Response;
use http_body_util::BodyExt as _;

/// How long what nobody asked for is read.
const WHILE: Duration = Duration::from_secs(30);

/// The layer.
pub async fn linger(request: Request, next: Next) -> Response {
    // HTTP/2 ends one stream; who waits for "100 Continue" has sent nothing yet.
    let waits = request.headers().contains_key(header::EXPECT);
    if request.version() >= Version::HTTP_2 || waits || request.body().is_end_stream() {
        return next.run(request).await;
    }
    next.run(request.map(|body| Body::new(Lent(body)))).await
}

/// A body that is read on when it is let go.
struct Lent(Body);

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.0).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.0.size_hint()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if self.0.is_end_stream() {
            return;
        }
        let mut rest = std::mem::replace(&mut self.0, Body::empty());
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(tokio::time::timeout(WHILE, async move { while let Some(Ok(_)) = rest.frame().await {} }));
    }
}
