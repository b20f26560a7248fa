//! What a host prints about its buses: `lsusb`, `usb-devices`, the kernel log, `lspci`.

use std::fmt::Write as _;

/// One interface of a USB device.
#[derive(Clone, Copy, Debug)]
pub struct Interface {
    /// Class, subclass, protocol.
    pub class: (u8, u8, u8),
    /// Endpoints beside the control endpoint.
    pub endpoints: u8,
    /// Driver bound by the kernel; empty = none.
    pub driver: &'static str,
}

impl Interface {
    /// A vendor-specific interface.
    pub const fn vendor(sub: u8, proto: u8, endpoints: u8, driver: &'static str) -> Self {
        Self { class: (0xff, sub, proto), endpoints, driver }
    }
}

/// One USB device as its descriptors tell.
#[derive(Clone, Copy, Debug)]
pub struct Usb {
    /// idVendor, idProduct.
    pub id: (u16, u16),
    /// bcdDevice.
    pub bcd: u16,
    /// Class, subclass, protocol of the device.
    pub class: (u8, u8, u8),
    /// iManufacturer; empty = none.
    pub manufacturer: &'static str,
    /// iProduct; empty = none.
    pub product: &'static str,
    /// What `lsusb` prints behind the id; empty = manufacturer and product.
    pub listed: &'static str,
    /// Megabits per second.
    pub speed: u16,
    /// The interfaces in order.
    pub interfaces: &'static [Interface],
}

/// `lsusb` without options. The first root hub of the list begins bus 1, the next bus 2.
pub fn lsusb(devices: &[&Usb]) -> String {
    let mut out = String::new();
    for (bus, number, usb) in numbered(devices) {
        let name = if usb.listed.is_empty() { format!("{} {}", usb.manufacturer, usb.product) } else { usb.listed.to_owned() };
        let _ = writeln!(out, "{}", format!("Bus {bus:03} Device {number:03}: ID {:04x}:{:04x} {name}", usb.id.0, usb.id.1).trim_end());
    }
    out
}

fn numbered<'a>(devices: &'a [&'a Usb]) -> impl Iterator<Item = (usize, usize, &'a Usb)> {
    let (mut bus, mut number) = (0, 1);
    devices.iter().map(move |usb| {
        if usb.id.0 == 0x1d6b || bus == 0 {
            bus += 1;
            number = 1;
        } else {
            number += 1;
        }
        (bus, number, *usb)
    })
}

fn class_word(class: u8) -> &'static str {
    match class {
        0x00 => ">ifc ",
        0x02 => "comm.",
        0x03 => "HID  ",
        0x08 => "stor.",
        0x09 => "hub  ",
        0x0a => "data ",
        0x0e => "video",
        0xe0 => "wlcon",
        0xef => "misc ",
        _ => "vend.",
    }
}

/// `usb-devices`.
pub fn usb_devices(devices: &[&Usb]) -> String {
    let mut out = String::new();
    for (bus, number, usb) in numbered(devices) {
        let level = usize::from(number > 1);
        let _ = writeln!(
            out,
            "\nT:  Bus={bus:02} Lev={level:02} Prnt={level:02} Port={:02} Cnt={:02} Dev#={number:3} Spd={} MxCh= {}",
            number.saturating_sub(2),
            number.saturating_sub(1),
            usb.speed,
            if level == 0 { 4 } else { 0 }
        );
        let (class, sub, proto) = usb.class;
        let _ = writeln!(out, "D:  Ver= 2.00 Cls={class:02x}({}) Sub={sub:02x} Prot={proto:02x} MxPS=64 #Cfgs=  1", class_word(class));
        let _ = writeln!(out, "P:  Vendor={:04x} ProdID={:04x} Rev={:02x}.{:02x}", usb.id.0, usb.id.1, usb.bcd >> 8, usb.bcd & 0xff);
        for (name, text) in [("Manufacturer", usb.manufacturer), ("Product", usb.product)] {
            if !text.is_empty() {
                let _ = writeln!(out, "S:  {name}={text}");
            }
        }
        let _ = writeln!(out, "C:  #Ifs={:2} Cfg#= 1 Atr=a0 MxPwr=500mA", usb.interfaces.len());
        for (n, i) in usb.interfaces.iter().enumerate() {
            let (class, sub, proto) = i.class;
            let driver = if i.driver.is_empty() { "(none)" } else { i.driver };
            let _ = writeln!(
                out,
                "I:  If#={n:2} Alt= 0 #EPs={:2} Cls={class:02x}({}) Sub={sub:02x} Prot={proto:02x} Driver={driver}",
                i.endpoints,
                class_word(class)
            );
        }
    }
    out
}

/// `lsusb -v`, the descriptors that matter.
pub fn lsusb_verbose(devices: &[&Usb]) -> String {
    let mut out = String::new();
    for (bus, number, usb) in numbered(devices) {
        let (class, sub, proto) = usb.class;
        let _ = write!(
            out,
            "\nBus {bus:03} Device {number:03}: ID {vid:04x}:{pid:04x} {listed}\nDevice Descriptor:\n  bLength                18\n  bDescriptorType         1\n  bcdUSB               2.00\n  \
             bDeviceClass          {class:3}\n  bDeviceSubClass       {sub:3}\n  bDeviceProtocol       {proto:3}\n  bMaxPacketSize0        64\n  idVendor           0x{vid:04x} {man}\n  \
             idProduct          0x{pid:04x} {product}\n  bcdDevice          {major:2x}.{minor:02x}\n  iManufacturer           {im} {man}\n  iProduct                {ip} {product}\n  iSerial                 0\n  \
             bNumConfigurations      1\n  Configuration Descriptor:\n    bLength                 9\n    bDescriptorType         2\n    bNumInterfaces          {ifs}\n",
            vid = usb.id.0,
            pid = usb.id.1,
            listed = usb.listed,
            man = usb.manufacturer,
            product = usb.product,
            major = usb.bcd >> 8,
            minor = usb.bcd & 0xff,
            im = u8::from(!usb.manufacturer.is_empty()),
            ip = if usb.product.is_empty() { 0 } else { 2 },
            ifs = usb.interfaces.len()
        );
        for (n, i) in usb.interfaces.iter().enumerate() {
            let (class, sub, proto) = i.class;
            let word = if class == 0xff { "Vendor Specific Class" } else { class_word(class).trim() };
            let _ = write!(
                out,
                "    Interface Descriptor:\n      bLength                 9\n      bDescriptorType         4\n      bInterfaceNumber        {n}\n      bAlternateSetting       0\n      \
                 bNumEndpoints           {}\n      bInterfaceClass       {class:3} {word}\n      bInterfaceSubClass    {sub:3}\n      bInterfaceProtocol    {proto:3}\n      iInterface              0\n",
                i.endpoints
            );
        }
    }
    out
}

/// The kernel's words on a device that was plugged in: port `1-1.3`, seconds since boot.
pub fn dmesg(usb: &Usb, port: &str, seconds: u32) -> String {
    let mut out = String::new();
    let mut micro = 110_231u32;
    let mut line = |text: &str| {
        micro += 8_117;
        let _ = writeln!(out, "[{:5}.{:06}] {text}", seconds + micro / 1_000_000, micro % 1_000_000);
    };
    let speed = if usb.speed >= 5000 { "SuperSpeed" } else { "high-speed" };
    line(&format!("usb {port}: new {speed} USB device number 4 using xhci_hcd"));
    line(&format!(
        "usb {port}: New USB device found, idVendor={:04x}, idProduct={:04x}, bcdDevice={:2x}.{:02x}",
        usb.id.0,
        usb.id.1,
        usb.bcd >> 8,
        usb.bcd & 0xff
    ));
    let (m, p) = (u8::from(!usb.manufacturer.is_empty()), if usb.product.is_empty() { 0 } else { 2 });
    line(&format!("usb {port}: New USB device strings: Mfr={m}, Product={p}, SerialNumber=0"));
    if p != 0 {
        line(&format!("usb {port}: Product: {}", usb.product));
    }
    if m != 0 {
        line(&format!("usb {port}: Manufacturer: {}", usb.manufacturer));
    }
    let mut tty = 0;
    for (n, i) in usb.interfaces.iter().enumerate() {
        match i.driver {
            "option" => {
                line(&format!("option {port}:1.{n}: GSM modem (1-port) converter detected"));
                line(&format!("usb {port}: GSM modem (1-port) converter now attached to ttyUSB{tty}"));
                tty += 1;
            }
            "qmi_wwan" => {
                line(&format!("qmi_wwan {port}:1.{n}: cdc-wdm0: USB WDM device"));
                line(&format!(
                    "qmi_wwan {port}:1.{n} wwan0: register 'qmi_wwan' at usb-0000:00:14.0-1.3, WWAN/QMI device, 02:00:00:00:00:01"
                ));
            }
            "cdc_mbim" => line(&format!("cdc_mbim {port}:1.{n}: cdc-wdm0: USB WDM device")),
            "ftdi_sio" => line(&format!("ftdi_sio {port}:1.{n}: FTDI USB Serial Device converter detected")),
            _ => {}
        }
    }
    out
}

/// One function of a PCI device.
#[derive(Clone, Copy, Debug)]
pub struct Pci {
    /// `03:00.0`.
    pub slot: &'static str,
    /// Class in words and as number: `Wireless controller`, `0d40`.
    pub class: (&'static str, &'static str),
    /// Vendor and device as `lspci` prints them.
    pub name: &'static str,
    /// vendor:device.
    pub id: (u16, u16),
    /// Subsystem in words.
    pub subsystem_name: &'static str,
    /// Subsystem vendor:device.
    pub subsystem: (u16, u16),
    /// Driver in use.
    pub driver: &'static str,
}

/// `lspci -nnk`.
pub fn lspci(devices: &[&Pci]) -> String {
    let mut out = String::new();
    for d in devices {
        let _ = writeln!(out, "{} {} [{}]: {} [{:04x}:{:04x}] (rev 01)", d.slot, d.class.0, d.class.1, d.name, d.id.0, d.id.1);
        let _ = writeln!(out, "\tSubsystem: {} [{:04x}:{:04x}]", d.subsystem_name, d.subsystem.0, d.subsystem.1);
        if !d.driver.is_empty() {
            let _ = writeln!(out, "\tKernel driver in use: {0}\n\tKernel modules: {0}", d.driver);
        }
    }
    out
}
