//! HTTP/1 (RFC 9112): what is asked of whom, and what comes back.

use httparse::{EMPTY_HEADER, Request, Response, Status};

use super::body::{self, Body};

/// Fields that are looked at.
const FIELDS: usize = 64;

/// A request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The target as it was sent.
    pub uri: String,
    /// Whom.
    pub host: Option<String>,
    /// By what.
    pub agent: Option<String>,
}

/// Whether bytes may be the beginning of a request.
pub fn asks(bytes: &[u8]) -> bool {
    const METHODS: [&[u8]; 9] = [b"GET ", b"POST ", b"PUT ", b"HEAD ", b"DELETE ", b"OPTIONS ", b"PATCH ", b"CONNECT ", b"PROPFIND "];
    METHODS.iter().any(|m| bytes.starts_with(m))
}

/// The head of a request; of one that is cut, as much as there is.
pub fn request(bytes: &[u8]) -> Option<Asked> {
    let mut fields = [EMPTY_HEADER; FIELDS];
    let mut request = Request::new(&mut fields);
    // Too many fields, or a broken one, leave those before it.
    let _ = request.parse(bytes);
    let field = |name: &str| {
        let found = request.headers.iter().find(|h| h.name.eq_ignore_ascii_case(name));
        found.map(|h| String::from_utf8_lossy(h.value).trim().to_owned()).filter(|v| !v.is_empty())
    };
    request.method?;
    Some(Asked {
        uri: request.path.unwrap_or_default().to_owned(),
        host: field("host").map(|h| h.to_ascii_lowercase()),
        agent: field("user-agent"),
    })
}

/// A response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its media type, lower case.
    pub media: Option<String>,
    /// Where its body is.
    pub body: Where,
}

/// Where the body of a response is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Where {
    /// The head goes on.
    Later,
    /// It has none.
    Nowhere,
    /// What it is does not show: it is compressed for the way, or a part that begins behind the beginning.
    Hidden(Body),
    /// From here on.
    At {
        /// The first byte.
        from: usize,
        /// In pieces, each behind its length (RFC 9112, 7.1).
        chunked: bool,
        /// How long all of it is, where the head says so.
        length: Option<u64>,
    },
}

/// Responses that only say that another will come.
const INTERIM: usize = 4;

/// The head of a response, as far as it is there; `None`: these bytes are none.
pub fn answer(bytes: &[u8]) -> Option<Answer> {
    let mut skipped = 0usize;
    for _ in 0..=INTERIM {
        let rest = bytes.get(skipped..)?;
        let begun = rest.starts_with(b"HTTP/1.") || b"HTTP/1.".starts_with(rest);
        if !begun {
            return None;
        }
        let mut fields = [EMPTY_HEADER; FIELDS];
        let mut response = Response::new(&mut fields);
        let whole = match response.parse(rest) {
            Ok(Status::Complete(n)) => Some(n),
            Ok(Status::Partial) => None,
            // Too many fields, or a broken one, leave those before it.
            Err(_) => memchr::memmem::find(rest, b"\r\n\r\n").and_then(|n| n.checked_add(4)),
        };
        let code = response.code.unwrap_or_default();
        if matches!(code, 100 | 102..=199)
            && let Some(whole) = whole
        {
            skipped = skipped.checked_add(whole)?;
            continue;
        }
        let field = |name: &str| {
            let found = response.headers.iter().find(|h| h.name.eq_ignore_ascii_case(name))?;
            Some(String::from_utf8_lossy(found.value).trim().to_ascii_lowercase())
        };
        let media = field("content-type").map(|v| v.split(';').next().unwrap_or_default().trim().to_owned()).filter(|v| !v.is_empty());
        let Some(from) = whole.and_then(|whole| skipped.checked_add(whole)) else { return Some(Answer { media, body: Where::Later }) };
        let length = field("content-length").and_then(|v| v.parse().ok());
        let coded = field("content-encoding").is_some_and(|v| !v.is_empty() && v != "identity");
        // Of several parts in one body the first bytes are those of their border.
        let many = code == 206 && media.as_deref().is_some_and(|m| m.starts_with("multipart/"));
        let begins = field("content-range").and_then(|v| v.strip_prefix("bytes")?.trim().split('-').next()?.trim().parse::<u64>().ok());
        let body = match code {
            101 | 204 | 304 => Where::Nowhere,
            _ if length == Some(0) => Where::Nowhere,
            _ if coded => Where::Hidden(Body::Coded),
            206 if many || begins != Some(0) => Where::Hidden(Body::Part),
            _ => Where::At { from, chunked: field("transfer-encoding").is_some_and(|v| v.ends_with("chunked")), length },
        };
        return Some(Answer { media, body });
    }
    None
}

/// What a body begins with, and whether more of it would say more; `None`: nothing of it is there.
pub fn begins(stream: &[u8], from: usize, chunked: bool, length: Option<u64>) -> Option<(Body, bool)> {
    let mut bytes = stream.get(from..)?;
    let mut length = length;
    if chunked {
        // The length in hex, perhaps with extensions.
        let line = memchr::memchr(b'\n', bytes.get(..bytes.len().min(64))?)?;
        let digits = std::str::from_utf8(bytes.get(..line)?).ok()?;
        let size = u64::from_str_radix(digits.split(';').next()?.trim(), 16).ok()?;
        bytes = bytes.get(line.checked_add(1)?..)?;
        // What stands behind the first piece is not the body's.
        bytes = bytes.get(..usize::try_from(size).map_or(bytes.len(), |size| size.min(bytes.len())))?;
        length = Some(size);
    }
    let body = body::of(bytes)?;
    let all = bytes.len() >= body::ENOUGH || length.is_some_and(|n| bytes.len() as u64 >= n);
    Some((body, !all && matches!(body, Body::Text | Body::Other)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Where {
        answer(text.as_bytes()).unwrap().body
    }

    #[test]
    fn where_a_body_begins() {
        let plain = "HTTP/1.1 200 OK\r\nContent-Type: Image/PNG; x=1\r\nContent-Length: 9\r\n\r\n";
        let read = answer(plain.as_bytes()).unwrap();
        assert_eq!(read.media.as_deref(), Some("image/png"));
        assert_eq!(read.body, Where::At { from: plain.len(), chunked: false, length: Some(9) });
        let interim = format!("HTTP/1.1 100 Continue\r\n\r\n{plain}");
        assert_eq!(at(&interim), Where::At { from: interim.len(), chunked: false, length: Some(9) });
        for (text, body) in [
            ("HTTP/1.1 200 OK\r\nContent-Type: a/b\r\n", Where::Later),
            ("HTT", Where::Later),
            ("HTTP/1.1 304 Not Modified\r\n\r\n", Where::Nowhere),
            ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", Where::Nowhere),
            ("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", Where::Hidden(Body::Coded)),
            ("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 4096-8191/9000\r\n\r\n", Where::Hidden(Body::Part)),
            ("HTTP/1.1 206 Partial Content\r\nContent-Type: multipart/byteranges; boundary=x\r\n\r\n", Where::Hidden(Body::Part)),
        ] {
            assert_eq!(at(text), body, "{text}");
        }
        let first = "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-4095/9000\r\n\r\n";
        assert_eq!(at(first), Where::At { from: first.len(), chunked: false, length: None });
        assert_eq!((answer(b"\x16\x03\x03"), answer(b"ICY 200 OK\r\n\r\n")), (None, None));
    }

    #[test]
    fn pieces_have_their_length_before_them() {
        assert_eq!(begins(b"1f4;a=b\r\nUBI#\x01", 0, true, None), Some((Body::Ubi, false)));
        assert_eq!(begins(b"3\r\n\x01\x02\x03\r\n0\r\n\r\n", 0, true, None), Some((Body::Other, false)));
        assert_eq!(begins(b"1f4\r\n\x01\x02", 0, true, None), Some((Body::Other, true)));
        assert_eq!(begins(b"1f", 0, true, None), None);
        assert_eq!(begins(b"zz\r\n\x01\x02", 0, true, None), None);
        assert_eq!(begins(b"ab", 0, false, Some(2)), Some((Body::Text, false)));
        assert_eq!(begins(b"ab", 9, false, None), None);
    }
}
