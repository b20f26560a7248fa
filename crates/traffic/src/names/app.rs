//! Which application a conversation speaks, and what it does with it.

/// An application protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum App {
    /// DNS.
    Dns,
    /// TLS over TCP.
    Tls,
    /// TLS over datagrams.
    Dtls,
    /// QUIC.
    Quic,
    /// HTTP/1.
    Http,
    /// MQTT.
    Mqtt,
    /// CoAP.
    Coap,
    /// LwM2M over CoAP.
    Lwm2m,
    /// Modbus/TCP.
    Modbus,
    /// The models of SunSpec in Modbus: inverters and batteries.
    Sunspec,
    /// DNP3.
    Dnp3,
    /// IEC 60870-5-104.
    Iec104,
    /// MMS, as IEC 61850 uses it.
    Mms,
    /// DLMS/COSEM: meters.
    Dlms,
    /// BACnet/IP: buildings.
    Bacnet,
    /// Stratum and its dialects: work of a pool that mines.
    Stratum,
    /// Work of a pool or node by HTTP.
    Getwork,
    /// A node of Bitcoin or of one of its forks.
    Bitcoin,
    /// A node of Monero or of its kin.
    Monero,
    /// A node of Ethereum that looks for others.
    Ethereum,
}

impl App {
    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Tls => "tls",
            Self::Dtls => "dtls",
            Self::Quic => "quic",
            Self::Http => "http",
            Self::Mqtt => "mqtt",
            Self::Coap => "coap",
            Self::Lwm2m => "lwm2m",
            Self::Modbus => "modbus",
            Self::Sunspec => "sunspec",
            Self::Dnp3 => "dnp3",
            Self::Iec104 => "iec104",
            Self::Mms => "mms",
            Self::Dlms => "dlms",
            Self::Bacnet => "bacnet",
            Self::Stratum => "stratum",
            Self::Getwork => "getwork",
            Self::Bitcoin => "bitcoin",
            Self::Monero => "monero",
            Self::Ethereum => "ethereum",
        }
    }

    /// Whether it moves things.
    pub fn is_industrial(self) -> bool {
        matches!(self, Self::Modbus | Self::Sunspec | Self::Dnp3 | Self::Iec104 | Self::Mms | Self::Dlms | Self::Bacnet)
    }
}

/// What a conversation of an industrial protocol does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// It reads, or is told of, values.
    Monitor,
    /// It writes or commands.
    Control,
}

impl Role {
    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Monitor => "monitor",
            Self::Control => "control",
        }
    }
}
