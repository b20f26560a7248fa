//! HTTP/1 (RFC 9112): what is asked of whom, and what comes back.

use httparse::{EMPTY_HEADER, Request, Response, Status};

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

/// The media type of a response, lower case; `None` where the bytes are none, or say none.
pub fn media(bytes: &[u8]) -> Option<String> {
    if !bytes.starts_with(b"HTTP/1.") {
        return None;
    }
    let mut fields = [EMPTY_HEADER; FIELDS];
    let mut response = Response::new(&mut fields);
    let _: Result<Status<usize>, _> = response.parse(bytes);
    let found = response.headers.iter().find(|h| h.name.eq_ignore_ascii_case("content-type"))?;
    let value = String::from_utf8_lossy(found.value).to_ascii_lowercase();
    let kind = value.split(';').next().unwrap_or_default().trim();
    (!kind.is_empty()).then(|| kind.to_owned())
}
