//! CEF in syslog (RFC 5424), each message counted (RFC 6587 clause 3.4.1), over TCP or TLS (RFC 5425).
//!
//! Syslog has no acknowledgement. What stands for one here: a batch goes over a connection of its own, which is then closed from this
//! side, and the receiver's own close, after it has read to the end, says that it has read. A receiver that ends with bytes unread
//! resets the connection, and one that does not close in time has said nothing: then the batch is sent again.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use umbilical_store::OutEvent;

use super::net::{check, connect};
use super::{How, Out, Sent, words};
use crate::Problem;

/// Messages of one connection.
pub const TOGETHER: u32 = 200;
/// How long a receiver has to take a batch, and to close.
const PATIENCE: Duration = Duration::from_secs(20);
/// The most that is read of what a receiver says: it has nothing to say.
const ANSWER: usize = 16 << 10;

/// Where to.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Name or address.
    pub host: String,
    /// Port: 6514 is the usual one for TLS, 601 without.
    pub port: u16,
    /// Whether the connection is encrypted.
    #[serde(default)]
    pub tls: bool,
    /// Authorities that alone are trusted, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
}

impl Settings {
    /// Refuses what leads nowhere.
    pub fn check(&self) -> Result<(), Problem> {
        super::host(&self.host)?;
        if self.port == 0 {
            return Err(Problem::at("port", "a port is 1 to 65535"));
        }
        check(self.ca.as_deref())
    }
}

/// Sends events over one connection.
pub async fn send(settings: &Settings, out: &Out<'_>, events: &[OutEvent]) -> Sent {
    let mut bytes = Vec::new();
    for event in events {
        let line = words::syslog(event, out.public);
        bytes.extend_from_slice(format!("{} ", line.len()).as_bytes());
        bytes.extend_from_slice(line.as_bytes());
    }
    match attempt(settings, out, &bytes).await {
        Ok(()) => Sent { how: How::Taken, said: "the receiver read to the end and closed".to_owned() },
        Err(why) => Sent::later(why),
    }
}

async fn attempt(settings: &Settings, out: &Out<'_>, bytes: &[u8]) -> Result<(), String> {
    let mut io = connect(out.guard, &settings.host, settings.port, settings.tls, settings.ca.as_deref()).await?;
    let work = async {
        io.write_all(bytes).await.map_err(|e| format!("sending broke off: {e}"))?;
        io.flush().await.map_err(|e| format!("sending broke off: {e}"))?;
        io.shutdown().await.map_err(|e| format!("the connection could not be closed: {e}"))?;
        let (mut heard, mut some) = (0usize, [0u8; 512]);
        loop {
            match io.read(&mut some).await {
                Ok(0) => return Ok(()),
                // A close of TCP without one of TLS: the receiver ended, which is all that is asked of it.
                Err(e) if settings.tls && e.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(()),
                Err(e) => return Err(format!("the receiver did not read to the end: {e}")),
                Ok(n) => heard = heard.saturating_add(n),
            }
            if heard > ANSWER {
                return Err("this is no syslog receiver: it talks".to_owned());
            }
        }
    };
    tokio::time::timeout(PATIENCE, work).await.map_err(|_| "the receiver took the messages and did not close in time".to_owned())?
}
