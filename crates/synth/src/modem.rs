//! What a modem says of itself: `mmcli` in its three forms, AT answers, fwupd.

use std::fmt::Write as _;

use crate::listing::Usb;

/// A modem: descriptors and answers.
#[derive(Clone, Debug)]
pub struct Modem {
    /// Its USB side.
    pub usb: Usb,
    /// AT+CGMI, mmcli `manufacturer`.
    pub manufacturer: &'static str,
    /// AT+CGMM, mmcli `model`.
    pub model: &'static str,
    /// AT+CGMR, mmcli `firmware revision`.
    pub revision: &'static str,
    /// mmcli `hw revision`.
    pub hardware: &'static str,
    /// ModemManager's plugin.
    pub plugin: &'static str,
    /// A vendor command and its answer lines, to be seen in the transcript.
    pub vendor_command: (&'static str, &'static [&'static str]),
    /// Equipment id as it shows it.
    pub imei: String,
    /// SIM card; empty = none in.
    pub iccid: String,
    /// Subscription; empty = none.
    pub imsi: String,
}

impl Modem {
    fn drivers(&self) -> String {
        let mut seen: Vec<&str> = Vec::new();
        for i in self.usb.interfaces {
            if !i.driver.is_empty() && !seen.contains(&i.driver) {
                seen.push(i.driver);
            }
        }
        seen.join(", ")
    }

    /// `mmcli -m 0`.
    pub fn mmcli(&self) -> String {
        format!(
            "  -----------------------------\n  General  |              path: /org/freedesktop/ModemManager1/Modem/0\n           |         device id: 5f0c4a1d2e9b7c8800000000000000000000{:04x}\n  \
             -----------------------------\n  Hardware |      manufacturer: {}\n           |             model: {}\n           | firmware revision: {}\n           |    carrier config: default\n           |      h/w revision: {}\n           \
             |         supported: gsm-umts, lte\n           |           current: gsm-umts, lte\n           |      equipment id: {}\n  \
             -----------------------------\n  System   |            device: /sys/devices/pci0000:00/0000:00:14.0/usb1/1-1\n           |           drivers: {}\n           |            plugin: {}\n           |      primary port: cdc-wdm0\n  \
             -----------------------------\n  Status   |             state: registered\n           |       power state: on\n           |       access tech: lte\n           |    signal quality: 71% (cached)\n  \
             -----------------------------\n  3GPP     |              imei: {}\n           |     operator code: 00101\n           |      registration: home\n",
            self.usb.id.1,
            self.manufacturer,
            self.model,
            self.revision,
            self.hardware,
            self.imei,
            self.drivers(),
            self.plugin,
            self.imei
        )
    }

    /// `mmcli -m 0 --output-keyvalue`.
    pub fn mmcli_keyvalue(&self) -> String {
        let mut out = String::new();
        for (key, value) in [
            ("modem.dbus-path", "/org/freedesktop/ModemManager1/Modem/0"),
            ("modem.generic.manufacturer", self.manufacturer),
            ("modem.generic.model", self.model),
            ("modem.generic.revision", self.revision),
            ("modem.generic.hardware-revision", self.hardware),
            ("modem.generic.equipment-identifier", &self.imei),
            ("modem.generic.plugin", self.plugin),
            ("modem.generic.state", "registered"),
            ("modem.3gpp.imei", &self.imei),
            ("modem.3gpp.operator-code", "00101"),
        ] {
            let _ = writeln!(out, "{key:<48}: {value}");
        }
        out
    }

    /// `mmcli -m 0 --output-json`.
    pub fn mmcli_json(&self) -> String {
        format!(
            "{{\"modem\":{{\"3gpp\":{{\"imei\":\"{imei}\",\"operator-code\":\"00101\",\"registration-state\":\"home\"}},\"dbus-path\":\"/org/freedesktop/ModemManager1/Modem/0\",\
             \"generic\":{{\"equipment-identifier\":\"{imei}\",\"hardware-revision\":\"{}\",\"manufacturer\":\"{}\",\"model\":\"{}\",\"plugin\":\"{}\",\"revision\":\"{}\",\"state\":\"registered\"}}}}}}\n",
            self.hardware,
            self.manufacturer,
            self.model,
            self.plugin,
            self.revision,
            imei = self.imei
        )
    }

    /// A transcript of the usual questions, with or without the echo of the commands.
    pub fn at(&self, echo: bool) -> String {
        let mut out = String::new();
        let mut ask = |command: &str, answers: &[&str]| {
            if echo {
                let _ = write!(out, "{command}\r\n");
            }
            for answer in answers.iter().filter(|a| !a.is_empty()) {
                let _ = write!(out, "{answer}\r\n");
            }
            out.push_str("\r\nOK\r\n");
        };
        let revision = format!("Revision: {}", self.revision);
        ask("ATI", &[self.manufacturer, self.model, &revision]);
        ask("AT+CGMI", &[self.manufacturer]);
        ask("AT+CGMM", &[self.model]);
        ask("AT+CGMR", &[self.revision]);
        ask("AT+CGSN", &[&self.imei]);
        if !self.iccid.is_empty() {
            ask("AT+CCID", &[&format!("+CCID: {}", self.iccid)]);
        }
        if !self.imsi.is_empty() {
            ask("AT+CIMI", &[&self.imsi]);
        }
        if !self.vendor_command.0.is_empty() {
            ask(self.vendor_command.0, self.vendor_command.1);
        }
        ask("AT+COPS?", &["+COPS: 0,2,\"00101\",7"]);
        out
    }

    /// `fwupdmgr get-devices --json`, the one device.
    pub fn fwupd(&self) -> String {
        let (vid, pid) = self.usb.id;
        format!(
            "{{\n  \"Devices\" : [\n    {{\n      \"Name\" : \"{}\",\n      \"DeviceId\" : \"587bf46860d5c9ef1f31a4fc1ccd7f26c0a1b2c3\",\n      \"InstanceIds\" : [\n        \"USB\\\\VID_{vid:04X}&PID_{pid:04X}&REV_{:04X}\",\n        \
             \"USB\\\\VID_{vid:04X}&PID_{pid:04X}\",\n        \"USB\\\\VID_{vid:04X}\"\n      ],\n      \"Plugin\" : \"modem_manager\",\n      \"Protocol\" : \"com.qualcomm.firehose\",\n      \"Flags\" : [\"updatable\", \"registered\"],\n      \
             \"Vendor\" : \"{}\",\n      \"VendorId\" : \"USB:0x{vid:04X}\",\n      \"Version\" : \"{}\",\n      \"VersionFormat\" : \"plain\"\n    }}\n  ]\n}}\n",
            self.model, self.usb.bcd, self.manufacturer, self.revision
        )
    }
}
