//! Parts that the examples and tests put into invented devices: ids, strings and answers as such parts give them.

use crate::listing::{Interface, Pci, Usb};
use crate::modem::Modem;

/// A modem without its numbers: what is printed on every one of its kind.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// Its descriptors.
    pub usb: Usb,
    /// Answers: manufacturer, model, revision.
    pub answers: [&'static str; 3],
    /// Hardware revision as ModemManager shows it.
    pub hardware: &'static str,
    /// ModemManager's plugin.
    pub plugin: &'static str,
    /// A vendor command and its answer.
    pub vendor_command: (&'static str, &'static [&'static str]),
}

impl Part {
    /// One of them, without IMEI and SIM card.
    pub fn modem(&self) -> Modem {
        let [manufacturer, model, revision] = self.answers;
        Modem {
            usb: self.usb,
            manufacturer,
            model,
            revision,
            hardware: self.hardware,
            plugin: self.plugin,
            vendor_command: self.vendor_command,
            imei: String::new(),
            iccid: String::new(),
            imsi: String::new(),
        }
    }
}

const OTHER: (u8, u8, u8) = (0xef, 0x02, 0x01);
const BY_INTERFACE: (u8, u8, u8) = (0, 0, 0);

const fn usb(id: (u16, u16), bcd: u16, manufacturer: &'static str, product: &'static str, interfaces: &'static [Interface]) -> Usb {
    Usb { id, bcd, class: OTHER, manufacturer, product, listed: "", speed: 480, interfaces }
}

const QUECTEL_LTE: &[Interface] = &[
    Interface::vendor(0xff, 0xff, 2, "option"),
    Interface::vendor(0, 0, 3, "option"),
    Interface::vendor(0, 0, 3, "option"),
    Interface::vendor(0, 0, 3, "option"),
    Interface::vendor(0xff, 0xff, 3, "qmi_wwan"),
];
const MBIM: &[Interface] = &[
    Interface { class: (2, 0x0e, 0), endpoints: 1, driver: "cdc_mbim" },
    Interface { class: (0x0a, 0, 2), endpoints: 2, driver: "cdc_mbim" },
    Interface::vendor(0xff, 0xff, 3, "option"),
];

/// Quectel EG25-G: the id is shared by EC25, EG25-G and EC20.
pub const EG25_G: Part = Part {
    usb: Usb {
        listed: "Quectel Wireless Solutions Co., Ltd. EC25 LTE modem",
        ..usb((0x2c7c, 0x0125), 0x0318, "Quectel", "EG25-G", QUECTEL_LTE)
    },
    answers: ["Quectel", "EG25", "EG25GGBR07A08M2G"],
    hardware: "10000",
    plugin: "quectel",
    vendor_command: ("AT+QGMR", &["EG25GGBR07A08M2G_30.007.30.007"]),
};

/// Quectel EC25-EUX, in routers.
pub const EC25_EUX: Part = Part {
    usb: usb((0x2c7c, 0x0125), 0x0318, "Quectel", "EC25", QUECTEL_LTE),
    answers: ["Quectel", "EC25", "EC25EUXGAR08A09M1G"],
    hardware: "10000",
    plugin: "quectel",
    vendor_command: ("AT+QNWINFO", &["+QNWINFO: \"FDD LTE\",\"00101\",\"LTE BAND 20\",6300"]),
};

/// Quectel EG06-E, in routers.
pub const EG06_E: Part = Part {
    usb: usb((0x2c7c, 0x0306), 0x0310, "Quectel", "EG06-E", QUECTEL_LTE),
    answers: ["Quectel", "EG06", "EG06ELAR04A06M4G"],
    hardware: "10000",
    plugin: "quectel",
    vendor_command: ("", &[]),
};

/// Quectel EC20 that was told to show the id of an Ericsson H5321gw, as laptops with a list of allowed cards need.
pub const EC20_DISGUISED: Part = Part {
    usb: Usb {
        listed: "Ericsson Business Mobile Networks BV H5321 gw Mobile Broadband Module",
        ..usb((0x0bdb, 0x1926), 0x0318, "Ericsson", "H5321 gw", QUECTEL_LTE)
    },
    answers: ["Quectel", "EC20", "EC20CEFAGR06A10M4G"],
    hardware: "10000",
    plugin: "quectel",
    vendor_command: ("AT+QCFG=\"usbid\",3035,6438", &[]),
};

/// Quectel BG95-M3.
pub const BG95_M3: Part = Part {
    usb: usb((0x2c7c, 0x0700), 0x0000, "Quectel, Incorporated", "Quectel LPWA Module", QUECTEL_LTE),
    answers: ["Quectel", "BG95-M3", "BG95M3LAR02A04_A0.301.A0.301"],
    hardware: "10000",
    plugin: "quectel",
    vendor_command: ("AT+QCSQ", &["+QCSQ: \"eMTC\",-71,-101,134,-13"]),
};

/// Telit LE910C4-EU.
pub const LE910C4_EU: Part = Part {
    usb: usb(
        (0x1bc7, 0x1201),
        0x0318,
        "Telit",
        "LE910C4-EU",
        &[
            Interface::vendor(0xff, 0xff, 2, "option"),
            Interface::vendor(0xff, 0xff, 3, "qmi_wwan"),
            Interface::vendor(0, 0, 3, "option"),
            Interface::vendor(0xfe, 0xff, 3, "option"),
        ],
    ),
    answers: ["Telit", "LE910C4-EU", "25.20.673"],
    hardware: "1.20",
    plugin: "telit",
    vendor_command: ("AT#SWPKGV", &["25.20.673-P0F.200680", "M0F.200006", "P0F.200680", "A0F.200006"]),
};

/// SIMCom SIM7600G-H.
pub const SIM7600G_H: Part = Part {
    usb: Usb {
        listed: "Qualcomm / Option SimTech, Incorporated",
        ..usb(
            (0x1e0e, 0x9001),
            0x0318,
            "SimTech, Incorporated",
            "SimTech, Incorporated",
            &[
                Interface::vendor(0xff, 0xff, 2, "option"),
                Interface::vendor(0, 0, 3, "option"),
                Interface::vendor(0, 0, 3, "option"),
                Interface::vendor(0, 0, 3, "option"),
                Interface::vendor(0, 0, 3, "option"),
                Interface::vendor(0xff, 0xff, 3, "qmi_wwan"),
            ],
        )
    },
    answers: ["SIMCOM INCORPORATED", "SIMCOM_SIM7600G-H", "LE20B05SIM7600G22"],
    hardware: "10000",
    plugin: "simtech",
    vendor_command: ("AT+CPSI?", &["+CPSI: LTE,Online,001-01,0x23A1,24831746,254,EUTRAN-BAND20,6300,3,3,-112,-982,-680,14"]),
};

/// MeiG SRM815: only an interface descriptor tells it from SRM825L and SLM828.
pub const SRM815: Part = Part {
    usb: usb(
        (0x2dee, 0x4d22),
        0x0414,
        "MEIG",
        "LTE-A Module",
        &[
            Interface::vendor(0xff, 0x30, 2, "option"),
            Interface::vendor(0, 0, 3, "option"),
            Interface::vendor(0, 0, 3, "option"),
            Interface::vendor(0, 0, 3, "option"),
            Interface::vendor(0xff, 0xff, 3, "qmi_wwan"),
        ],
    ),
    answers: ["MEIG", "SRM815", "SRM815_V1.3.0_EQ101"],
    hardware: "10000",
    plugin: "generic",
    vendor_command: ("", &[]),
};

/// Sierra Wireless MC7455.
pub const MC7455: Part = Part {
    usb: Usb {
        listed: "Sierra Wireless, Inc. MC7455 Qualcomm Snapdragon X7 LTE-A",
        ..usb(
            (0x1199, 0x9071),
            0x0006,
            "Sierra Wireless, Incorporated",
            "Sierra Wireless MC7455 Qualcomm\u{ae} Snapdragon\u{2122} X7 LTE-A",
            &[
                Interface::vendor(0xff, 0xff, 2, "qcserial"),
                Interface::vendor(0, 0, 3, "qcserial"),
                Interface::vendor(0, 0, 3, "qcserial"),
                Interface::vendor(0xff, 0xff, 3, "qmi_wwan"),
            ],
        )
    },
    answers: ["Sierra Wireless, Incorporated", "MC7455", "SWI9X30C_02.33.03.00 r8209 CARMD-EV-FRMWR2 2019/08/28 20:59:30"],
    hardware: "1.0",
    plugin: "sierra",
    vendor_command: ("AT!GSTATUS?", &["!GSTATUS: ", "Current Time:  7211\t\tTemperature: 41", "Mode:        ONLINE"]),
};

/// Dell DW5821e: Foxconn T77W968 under Dell's name and id.
pub const DW5821E: Part = Part {
    usb: Usb {
        listed: "Dell Computer Corp. DW5821e Snapdragon X20 LTE",
        ..usb((0x413c, 0x81d7), 0x0318, "Dell Inc.", "DW5821e Snapdragon X20 LTE", MBIM)
    },
    answers: ["Dell Inc.", "DW5821e Snapdragon X20 LTE", "T77W968.F1.1.1.2.8.GC.010"],
    hardware: "T77W968_V1.1",
    plugin: "dell",
    vendor_command: ("", &[]),
};

/// Telit LN940: Foxconn T77W676 under Telit's name and id, answering with the chip maker's name.
pub const LN940: Part = Part {
    usb: usb((0x1bc7, 0x1900), 0x0318, "Telit", "Telit LN940", MBIM),
    answers: ["QUALCOMM INCORPORATED", "0", "T77W676.F0.0.0.5.2.GC.006"],
    hardware: "10000",
    plugin: "generic",
    vendor_command: ("", &[]),
};

/// Cinterion PLS8 whose answers name the chip maker: only the plugin and the USB side tell.
pub const PLS8: Part = Part {
    usb: usb(
        (0x1e2d, 0x0061),
        0x0001,
        "Cinterion Wireless Modules",
        "PLSx",
        &[
            Interface { class: (2, 2, 1), endpoints: 1, driver: "cdc_acm" },
            Interface { class: (0x0a, 0, 0), endpoints: 2, driver: "cdc_acm" },
        ],
    ),
    answers: ["QUALCOMM INCORPORATED", "0", "REVISION 03.017"],
    hardware: "0",
    plugin: "cinterion",
    vendor_command: ("", &[]),
};

/// u-blox SARA-R410M-02B.
pub const SARA_R410M: Part = Part {
    usb: usb(
        (0x05c6, 0x90b2),
        0x0000,
        "Qualcomm, Incorporated",
        "Qualcomm CDMA Technologies MSM",
        &[Interface::vendor(0xff, 0xff, 2, "option")],
    ),
    answers: ["u-blox", "SARA-R410M-02B", "L0.0.00.00.05.08 [Apr 17 2019 19:34:02]"],
    hardware: "0",
    plugin: "u-blox",
    vendor_command: ("AT+UGPIOC?", &["+UGPIOC:", "16,255"]),
};

/// Fibocom L610 under Unisoc's vendor id.
pub const L610: Part = Part {
    usb: usb(
        (0x1782, 0x4d11),
        0x0000,
        "FIBOCOM",
        "Fibocom L610",
        &[Interface::vendor(0, 0, 2, "option"), Interface::vendor(0, 0, 2, "option")],
    ),
    answers: ["Fibocom", "L610-CN-00-00", "16000.1000.00.28.12.20"],
    hardware: "V1.0.1",
    plugin: "fibocom",
    vendor_command: ("AT+GTUSBMODE?", &["+GTUSBMODE: 31"]),
};

/// Luat Air724UG: an empty manufacturer.
pub const AIR724UG: Part = Part {
    usb: usb((0x1782, 0x4e00), 0x0000, "UNISOC", "UNISOC-8910", &[Interface::vendor(0, 0, 2, "option")]),
    answers: ["", "AIR724UG", "LuatOS-Air_V4010_RDA8910_TTS_NOLVGL_FLOAT"],
    hardware: "A12",
    plugin: "generic",
    vendor_command: ("", &[]),
};

/// Nordic nRF9160.
pub const NRF9160: Part = Part {
    usb: usb((0x1366, 0x1055), 0x0100, "SEGGER", "J-Link", &[]),
    answers: ["Nordic Semiconductor ASA", "nRF9160-SICA", "mfw_nrf9160_1.3.2"],
    hardware: "nRF9160 SICA B1A",
    plugin: "generic",
    vendor_command: ("AT%XSYSTEMMODE?", &["%XSYSTEMMODE: 1,0,1,0"]),
};

/// DJI's cellular dongle: a Quectel EG25-G under DJI's id.
pub const DJI_DONGLE: Usb = usb((0x2ca3, 0x4006), 0x0318, "BAIWANG", "Baiwang", QUECTEL_LTE);

/// Huawei E3372: a stick, not a module.
pub const E3372: Usb = Usb {
    listed: "Huawei Technologies Co., Ltd. E3372 LTE/UMTS/GSM HiLink Modem/Networkcard",
    ..usb(
        (0x12d1, 0x14dc),
        0x0102,
        "HUAWEI_MOBILE",
        "HUAWEI_MOBILE",
        &[
            Interface { class: (2, 6, 0), endpoints: 1, driver: "cdc_ether" },
            Interface { class: (0x0a, 6, 0), endpoints: 2, driver: "cdc_ether" },
        ],
    )
};

/// Qualcomm's emergency download mode: a module of any maker that did not start.
pub const EDL: Usb = Usb {
    listed: "Qualcomm, Inc. Gobi Wireless Modem (QDL mode)",
    class: BY_INTERFACE,
    ..usb((0x05c6, 0x9008), 0x0000, "Qualcomm CDMA Technologies MSM", "QUSB__BULK", &[Interface::vendor(0xff, 0xff, 2, "qcserial")])
};

/// A root hub.
pub const HUB: Usb = Usb {
    listed: "Linux Foundation 2.0 root hub",
    class: (9, 0, 1),
    ..usb(
        (0x1d6b, 0x0002),
        0x0601,
        "Linux 6.1.0 xhci-hcd",
        "xHCI Host Controller",
        &[Interface { class: (9, 0, 0), endpoints: 1, driver: "hub" }],
    )
};

/// A serial converter.
pub const FTDI: Usb = Usb {
    listed: "Future Technology Devices International, Ltd FT232 Serial (UART) IC",
    class: BY_INTERFACE,
    ..usb((0x0403, 0x6001), 0x0600, "FTDI", "FT232R USB UART", &[Interface::vendor(0xff, 0xff, 2, "ftdi_sio")])
};

/// A keyboard.
pub const KEYBOARD: Usb = Usb {
    listed: "Logitech, Inc. Keyboard K120",
    class: BY_INTERFACE,
    ..usb((0x046d, 0xc31c), 0x6400, "Logitech", "USB Keyboard", &[Interface { class: (3, 1, 1), endpoints: 1, driver: "usbhid" }])
};

/// A Wi-Fi adapter.
pub const WIFI: Usb = Usb {
    listed: "Realtek Semiconductor Corp. RTL8812AU 802.11a/b/g/n/ac 2T2R DB WLAN Adapter",
    class: BY_INTERFACE,
    ..usb((0x0bda, 0x8812), 0x0000, "Realtek", "802.11n NIC", &[Interface::vendor(0xff, 0xff, 4, "rtl88XXau")])
};

/// A positioning receiver of a maker that also makes modems.
pub const GNSS: Usb = Usb {
    listed: "U-Blox AG [u-blox 8]",
    class: (2, 0, 0),
    ..usb(
        (0x1546, 0x01a8),
        0x0301,
        "u-blox AG - www.u-blox.com",
        "u-blox GNSS receiver",
        &[
            Interface { class: (2, 2, 1), endpoints: 1, driver: "cdc_acm" },
            Interface { class: (0x0a, 0, 255), endpoints: 2, driver: "cdc_acm" },
        ],
    )
};

/// MediaTek T700 behind PCI Express: Fibocom FM350-GL or Rolling Wireless RW350R-GL, which this does not tell.
pub const T700: Pci = Pci {
    slot: "04:00.0",
    class: ("Wireless controller", "0d40"),
    name: "MEDIATEK Corp. T700 5G modem",
    id: (0x14c3, 0x4d75),
    subsystem_name: "Hewlett-Packard Company Device",
    subsystem: (0x103c, 0x8914),
    driver: "mtk_t7xx",
};

/// Quectel RM520N-GL by its subsystem.
pub const RM520N_PCI: Pci = Pci {
    slot: "08:00.0",
    class: ("Unassigned class", "ff00"),
    name: "Qualcomm Technologies, Inc SDX65 5G modem",
    id: (0x17cb, 0x0308),
    subsystem_name: "Qualcomm Technologies, Inc Device",
    subsystem: (0x17cb, 0x5201),
    driver: "mhi-pci-generic",
};

/// A network card that is none.
pub const ETHERNET_PCI: Pci = Pci {
    slot: "02:00.0",
    class: ("Ethernet controller", "0200"),
    name: "Intel Corporation I210 Gigabit Network Connection",
    id: (0x8086, 0x1533),
    subsystem_name: "Intel Corporation I210 Gigabit Network Connection",
    subsystem: (0x8086, 0x0001),
    driver: "igb",
};
