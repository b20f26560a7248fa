//! Sierra Wireless AirLink gateways: the status of ALEOS as text or exported name by name.
//!
//! **What it reads.** `ALEOS Software Version`, `Device Model` (host), `Radio Module Type`, `Radio Firmware Version`,
//! `ESN/EID/IMEI`, `SIM ID`, `Network State`.
//! **Trap.** The gateway and its radio come from one maker: `RV50X` is the gateway, `MC7455` the module; the gateway's
//! serial number and ALEOS version say nothing of the module.

use umbilical_core::Kind;

use super::pairs::{LONGEST_LINE, Voice, What, host_serial, say, split, squash};
use super::{Dialect, Host, Line, Part};

/// See the module's documentation.
#[derive(Default)]
pub(super) struct AirLink {
    seen: bool,
}

impl Dialect for AirLink {
    fn name(&self) -> &'static str {
        "airlink"
    }

    fn line(&mut self, line: Line<'_>, host: &mut Host<'_, '_>) -> bool {
        if line.text.len() > LONGEST_LINE {
            return false;
        }
        let Some((name, value)) = split(line.text) else { return false };
        let (n, name) = (line.n, squash(name));
        if name.starts_with("aleos") {
            if !self.seen {
                self.seen = true;
                host.fact(Part::HOST, n, Kind::HostMaker, "Sierra Wireless");
            }
            return true;
        }
        let radio = match name.as_str() {
            "radiomoduletype" | "radiomodule" | "radiomodulename" | "radiomodulemodel" => What::MaybeModel,
            "modulename" if self.seen => What::MaybeModel,
            "radiofirmwareversion" | "radiomodulefirmware" | "radiofirmware" => What::Revision,
            "radiomoduleidentifier" | "esneidimei" => What::Imei,
            // Anybody's page may speak of a SIM id.
            "simid" if self.seen => What::Iccid,
            "devicemodel" | "modelname" if self.seen => {
                say(host, Part::HOST, n, What::HostModel, value, Voice::MODEM);
                return true;
            }
            "deviceserialnumber" | "serialnumber" if self.seen => {
                host_serial(host, "Sierra Wireless AirLink", value);
                return true;
            }
            _ => return false,
        };
        let part = host.part("modem");
        say(host, part, n, radio, value, Voice::MODEM);
        host.fact(part, n, Kind::Cellular, "radio module");
        true
    }
}
