//! Files that are written while they are taken: a thread writes, the body of the answer takes, and little stands between.

use std::io::{self, Write};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{Sender, channel};

use crate::Problem;
use crate::app::App;

/// Bytes that are sent together.
const CHUNK: usize = 64 << 10;
/// Chunks that wait to be taken.
const WAITING: usize = 4;
/// Who takes nothing for so long is not waited for: a thread stands behind each file.
const PATIENCE: Duration = Duration::from_secs(60);
/// Files that are written at the same time.
pub const AT_ONCE: usize = 16;

/// Where a file is written to. It must be used on a thread that may wait.
pub struct Pipe {
    to: Sender<io::Result<Bytes>>,
    held: Vec<u8>,
    runtime: Handle,
    patience: Duration,
}

/// Waits on such a thread for an answer of the store.
pub fn wait<T, E: Into<Problem>>(runtime: &Handle, answer: impl Future<Output = Result<T, E>>) -> io::Result<T> {
    runtime.block_on(answer).map_err(|e| broken(e.into()))
}

impl Pipe {
    fn send(&mut self, what: io::Result<Bytes>) -> io::Result<()> {
        let sent = async { tokio::time::timeout(self.patience, self.to.send(what)).await };
        match self.runtime.block_on(sent) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(io::Error::new(io::ErrorKind::BrokenPipe, "who asked has gone away")),
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "who asked takes nothing")),
        }
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.held.extend_from_slice(bytes);
        if self.held.len() >= CHUNK {
            let full = std::mem::take(&mut self.held);
            self.send(Ok(Bytes::from(full)))?;
        }
        Ok(bytes.len())
    }

    /// Nothing: what is left goes with the end of the file.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A stream that began well may still break: then the connection is cut, so that nobody takes a part for the whole.
pub fn broken(problem: Problem) -> io::Error {
    io::Error::other(problem.detail)
}

/// Answers with a file that `write` writes on a thread of its own.
///
/// # Errors
/// Too many are being written.
pub fn file(
    app: &App,
    name: &str,
    media: &'static str,
    write: impl FnOnce(&mut Pipe, &Handle) -> io::Result<()> + Send + 'static,
) -> Result<Response, Problem> {
    let Ok(turn) = app.writing().try_acquire_owned() else {
        let full = format!("{AT_ONCE} files are being written already: try again in a few seconds");
        return Err(Problem { retry_after: Some(5), ..Problem::new(axum::http::StatusCode::SERVICE_UNAVAILABLE, full) });
    };
    let (to, receive) = channel(WAITING);
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || {
        let _turn = turn;
        let mut pipe = Pipe { to, held: Vec::new(), runtime: runtime.clone(), patience: PATIENCE };
        let end = write(&mut pipe, &runtime).map(|()| Bytes::from(std::mem::take(&mut pipe.held)));
        if let Err(error) = &end {
            tracing::warn!(%error, "a download was cut");
        }
        // Whoever has gone away hears of neither.
        let _ = pipe.send(end);
    });
    let stream = stream::unfold(receive, |mut receive| async move { receive.recv().await.map(|item| (item, receive)) });
    attached(name, media, Body::from_stream(stream))
}

/// An answer that browsers keep as a file. The name is ours: letters, digits, `-` and `.`.
///
/// # Errors
/// It is not.
pub fn attached(name: &str, media: &'static str, body: Body) -> Result<Response, Problem> {
    let place = HeaderValue::try_from(format!("attachment; filename=\"{name}\"")).map_err(Problem::internal)?;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static(media)), (header::CONTENT_DISPOSITION, place)], body).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_takes_nothing_is_not_waited_for_and_who_went_away_is_noticed() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap();
        let pipe = |to| Pipe { to, held: Vec::new(), runtime: runtime.handle().clone(), patience: Duration::from_millis(20) };
        let (to, mut receive) = channel(1);
        let mut slow = pipe(to);
        let full = vec![b'x'; CHUNK];
        slow.write_all(&full).unwrap();
        assert_eq!(slow.write_all(&full).unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(receive.try_recv().unwrap().unwrap().len(), CHUNK);
        let (to, receive) = channel(1);
        drop(receive);
        assert_eq!(pipe(to).write_all(&full).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
