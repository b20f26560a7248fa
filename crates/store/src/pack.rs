//! Documents and bytes as they are kept: compressed, and never unpacked beyond what was packed.

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::StoreError;

/// No document of ours is larger when unpacked: what is, was tampered with.
const MOST: u64 = 256 << 20;

/// Compressed bytes.
pub(crate) fn pack(bytes: &[u8]) -> Vec<u8> {
    let mut out = ZlibEncoder::new(Vec::with_capacity(bytes.len() / 4 + 16), Compression::fast());
    // Writing to memory does not fail.
    let _ = out.write_all(bytes);
    out.finish().unwrap_or_default()
}

/// The bytes again.
pub(crate) fn unpack(packed: &[u8]) -> Result<Vec<u8>, StoreError> {
    let mut out = Vec::new();
    let read = ZlibDecoder::new(packed).take(MOST).read_to_end(&mut out);
    match read {
        Ok(n) if (n as u64) < MOST => Ok(out),
        Ok(_) => Err(StoreError::damaged("a packed document is larger than any that was kept")),
        Err(e) => Err(StoreError::damaged(format!("a packed document cannot be unpacked: {e}"))),
    }
}

/// A document, packed.
pub(crate) fn pack_json<T: Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    json(value).map(|text| pack(&text))
}

/// A document as bytes.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|e| StoreError::Invalid(format!("a document cannot be written: {e}")))
}

/// A packed document again.
pub(crate) fn unpack_json<T: DeserializeOwned>(packed: &[u8]) -> Result<T, StoreError> {
    parse(&unpack(packed)?)
}

/// A document of the store.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(bytes).map_err(|e| StoreError::damaged(format!("a document cannot be read: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_back_and_noise_is_an_error() {
        let long = "EC25 ".repeat(10_000);
        assert_eq!(unpack(&pack(long.as_bytes())).unwrap(), long.as_bytes());
        assert_eq!(unpack(&pack(b"")).unwrap(), b"");
        assert!(matches!(unpack(b"noise"), Err(StoreError::Damaged { .. })));
    }
}
