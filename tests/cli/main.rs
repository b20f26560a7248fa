//! End to end, through the real binary.

mod audit;
mod bom_ask;
mod bom_attest;
mod bom_check;
mod bom_convert;
mod bom_diff;
mod bom_label;
mod bom_verify;
mod bundle;
mod contract;
mod decisions;
mod demo;
mod docs;
mod doctor;
mod export;
mod facts;
#[path = "../folder.rs"]
mod folder;
mod hostile;
mod pack;
mod policy;
mod recorded;
mod report;
mod risk;
mod serve;
mod watch;
mod watch_lists;
#[cfg(all(feature = "live", target_os = "linux"))]
mod watch_live;
mod watch_messages;
mod watch_names;
mod watch_seen;
mod wording;

use std::ffi::OsStr;
use std::process::{Command, Output, Stdio};

pub(crate) use folder::Folder;

/// What a run gave.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}\n{}\n{}", self.out, self.err))
    }
}

impl From<Output> for Ran {
    fn from(o: Output) -> Self {
        Self {
            code: o.status.code().unwrap_or(-1),
            out: String::from_utf8(o.stdout).unwrap(),
            err: String::from_utf8_lossy(&o.stderr).into_owned(),
        }
    }
}

/// The binary with a home of its own inside `folder`, its working directory.
pub(crate) fn command(folder: &Folder) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_umbilical"));
    command.current_dir(folder.path()).env("UMBILICAL_HOME", folder.path().join("home")).env_remove("NO_COLOR").env_remove("COLUMNS");
    command
}

pub(crate) fn run<S: AsRef<OsStr>>(folder: &Folder, args: impl IntoIterator<Item = S>) -> Ran {
    command(folder).args(args).output().unwrap().into()
}

pub(crate) fn run_with_input(folder: &Folder, args: &[&str], input: &[u8]) -> Ran {
    use std::io::Write;
    let mut child = command(folder).args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that refuses its flags may close the pipe first.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap().into()
}

/// A valid IMEI on a TAC (Luhn digit computed).
pub(crate) fn imei(tac: &str, serial: u32) -> String {
    umbilical_core::number::Imei::canonical(&format!("{tac}{serial:06}"))
}

/// `lsusb` of a host with an EG25-G-class id.
pub(crate) const LSUSB: &str = "Bus 001 Device 001: ID 1d6b:0002 Linux Foundation 2.0 root hub\nBus 001 Device 004: ID 2c7c:0125 Quectel Wireless Solutions Co., Ltd. EC25 LTE modem\n";

/// An AT session of the same.
pub(crate) fn at_session(imei: &str) -> String {
    format!("AT\r\nOK\r\nATI\r\nQuectel\r\nEG25\r\nRevision: EG25GGBR07A08M2G\r\n\r\nOK\r\nAT+CGSN\r\n{imei}\r\n\r\nOK\r\n")
}

/// A SIM platform's export.
pub(crate) fn sims(imeis: &[&str]) -> String {
    let mut out = String::from("iccid,imsi,msisdn,imei,status,ratePlan,label\n");
    for (n, imei) in imeis.iter().enumerate() {
        out.push_str(&format!("8988228000000{n:06},00101000000{n:04},88200000{n:04},{imei},ACTIVE,basic,meter {n}\n"));
    }
    out
}
