//! Where routers show their modem over SNMP: columns of management information bases, restated one by one with their
//! source. A column's OID ends before the index; what follows it in a walk says which modem.

use super::super::pairs::What;

/// One table or group of objects about modems.
pub(super) struct Mib {
    /// The module, as symbolic walks print it.
    pub name: &'static str,
    /// The common beginning of its columns, without the leading dot.
    pub base: &'static str,
    /// Number of the column below `base`, symbol, meaning.
    pub columns: &'static [(u32, &'static str, What)],
    /// Whether any other populated object below `base` shows a modem at work.
    pub cellular: bool,
    /// Where the numbers come from.
    #[allow(dead_code, reason = "stands beside each table for whoever checks it; shown by tests")]
    pub source: &'static str,
}

pub(super) const MIBS: &[Mib] = &[
    Mib {
        name: "TELTONIKA-RUTX-MIB",
        base: "1.3.6.1.4.1.48690.2.2.1",
        columns: &[
            (3, "mImei", What::Imei),
            (4, "mModel", What::Model),
            (5, "mManufacturer", What::Manufacturer),
            (6, "mRevision", What::Revision),
            (7, "mSerial", What::ModemSerial),
            (8, "mIMSI", What::Imsi),
            (27, "mICCID", What::Iccid),
        ],
        cellular: true,
        source: "librenms/librenms mibs/teltonika/TELTONIKA-RUTX-MIB modemTable; column 27 from a walk of RutOS 7",
    },
    Mib {
        name: "CISCO-WAN-3G-MIB",
        base: "1.3.6.1.4.1.9.9.661.1.3.1.1",
        columns: &[(1, "c3gImsi", What::Imsi), (2, "c3gImei", What::Imei), (3, "c3gIccId", What::Iccid), (4, "c3gMsisdn", What::Msisdn)],
        cellular: true,
        source: "CISCO-WAN-3G-MIB c3gGsmIdentityTable, indexed by entPhysicalIndex",
    },
    Mib {
        name: "CISCO-WAN-3G-MIB",
        base: "1.3.6.1.4.1.9.9.661.1.3.4.1.1",
        columns: &[],
        cellular: true,
        source: "CISCO-WAN-3G-MIB c3gGsmRadioTable",
    },
    Mib {
        name: "OG-STATUSv2-MIB",
        base: "1.3.6.1.4.1.25049.17.17.1",
        columns: &[(2, "ogCellModemVendor", What::Manufacturer), (3, "ogCellModemModel", What::Model), (17, "ogCellModemImsi", What::Imsi)],
        cellular: true,
        source: "OG-STATUSv2-MIB ogCellModemTable; column 17 from a walk",
    },
    Mib {
        name: "MIKROTIK-MIB",
        base: "1.3.6.1.4.1.14988.1.1.16.1.1",
        columns: &[(11, "mtxrLTEModemIMEI", What::Imei), (12, "mtxrLTEModemIMSI", What::Imsi), (13, "mtxrLTEModemUICC", What::Iccid)],
        cellular: true,
        source: "MIKROTIK-MIB mtxrLTEModemTable",
    },
    Mib {
        name: "MIKROTIK-MIB",
        base: "1.3.6.1.4.1.14988.1.1.13",
        columns: &[
            (3, "mtxrWirelessModemManufacturer", What::Manufacturer),
            (4, "mtxrWirelessModemModel", What::Model),
            (5, "mtxrWirelessModemRevision", What::Revision),
            (6, "mtxrWirelessModemSerialNumber", What::ModemSerial),
            (7, "mtxrWirelessModemIMEI", What::Imei),
            (8, "mtxrWirelessModemIMSI", What::Imsi),
        ],
        cellular: true,
        source: "MIKROTIK-MIB mtxrWirelessModem; columns behind 5 differ between editions, so only IMEI-shaped values count there",
    },
    Mib {
        name: "WIPIPE-MIB",
        base: "1.3.6.1.4.1.20992.1.2.2.1",
        columns: &[
            (2, "mdmDescr", What::MaybeModel),
            (7, "mdmSerialNumber", What::ModemSerial),
            (8, "mdmFirmwareVersion", What::Revision),
            (9, "mdmMDN", What::Msisdn),
            (19, "mdmIMSI", What::Imsi),
            (20, "mdmIMEI", What::Imei),
        ],
        cellular: true,
        source: "WIPIPE-MIB mdmTable",
    },
    Mib {
        name: "CELLULAR",
        base: "1.3.6.1.4.1.23695.200.1.12.2.1.1",
        columns: &[(2, "cellularIdentityInfoImei", What::Imei)],
        cellular: true,
        source: "Peplink CELLULAR MIB cellularIdentityInfoTable",
    },
    Mib {
        name: "CELLULAR",
        base: "1.3.6.1.4.1.23695.200.1.12.1.1.1",
        columns: &[],
        cellular: true,
        source: "Peplink CELLULAR MIB, signal table",
    },
    Mib {
        name: "CELLULAR",
        base: "1.3.6.1.4.1.27662.200.1.12.2.1.1",
        columns: &[(2, "cellularIdentityInfoImei", What::Imei)],
        cellular: true,
        source: "Pepwave's copy of the Peplink CELLULAR MIB",
    },
    Mib {
        name: "CELLULAR",
        base: "1.3.6.1.4.1.27662.200.1.12.1.1.1",
        columns: &[],
        cellular: true,
        source: "Pepwave's copy of the Peplink CELLULAR MIB",
    },
    Mib {
        name: "MDS-IF-CELL-MIB",
        base: "1.3.6.1.4.1.4130.10.2.1.1.2.1.1",
        columns: &[
            (1, "mIfCellImsi", What::Imsi),
            (2, "mIfCellImei", What::Imei),
            (3, "mIfCellIccid", What::Iccid),
            (4, "mIfCellMdn", What::Msisdn),
            (6, "mIfCellAppSwVersion", What::Revision),
            (7, "mIfCellModemSwVersion", What::Revision),
        ],
        cellular: true,
        source: "MDS-IF-CELL-MIB mIfCellStatusTable",
    },
    Mib {
        name: "ONEACCESS-CELLULAR-MIB",
        base: "1.3.6.1.4.1.13191.10.3.9.2.1",
        columns: &[
            (10, "oacCellManufacturer", What::Manufacturer),
            (11, "oacCellEquipment", What::Model),
            (13, "oacCellRevision", What::Revision),
            (14, "oacCellIMEI", What::Imei),
            (15, "oacCellMEID", What::Meid),
            (21, "oacCellIMSI", What::Imsi),
            (22, "oacCellICCI", What::Iccid),
        ],
        cellular: true,
        source: "ONEACCESS-CELLULAR-MIB oacCellRadioModuleTable",
    },
    Mib {
        name: "FORTINET-FORTIEXTENDER-MIB",
        base: "1.3.6.1.4.1.12356.121.21.3.1.1",
        columns: &[
            (4, "fextInfoModemStatusVender", What::Manufacturer),
            (5, "fextInfoModemStatusProduct", What::MaybeModel),
            (6, "fextInfoModemStatusModel", What::Model),
            (8, "fextInfoModemStatusRevision", What::Revision),
            (9, "fextInfoModemStatusIMEI", What::Imei),
            (10, "fextInfoModemStatusICCID", What::Iccid),
            (11, "fextInfoModemStatusIMSI", What::Imsi),
            (17, "fextInfoModemStatusPhoneNumber", What::Msisdn),
        ],
        cellular: true,
        source: "librenms/librenms mibs/fortinet/FORTINET-FORTIEXTENDER-MIB fextInfoModemStatus",
    },
    Mib {
        name: "Sarian-Monitor",
        base: "1.3.6.1.4.1.16378.10000.2",
        columns: &[(19, "gprsIMEI", What::Imei), (20, "gprsICCID", What::Iccid), (21, "gprsIMSI", What::Imsi)],
        cellular: true,
        source: "FusionInventory::Agent::SNMP::MibSupport::Digi, from Digi's Sarian-Monitor.mib",
    },
    Mib {
        name: "SIERRA-AIRLINK",
        base: "1.3.6.1.4.1.20542.9.1.1.1",
        columns: &[(17, "phoneNumber", What::Msisdn)],
        cellular: true,
        source: "object list of a public AirLink SNMP test: 4 ALEOS version, 17 phone number, 259 network state, 261 RSSI, 264 service",
    },
    Mib {
        name: "CONEL-PRODUCT",
        base: "1.3.6.1.4.1.30140.6",
        columns: &[(4, "imei", What::Imei)],
        cellular: false,
        source: "a public collection of industrial OIDs: 30140.6.1 product, .2 firmware, .3 serial, .4 IMEI (unverified)",
    },
    Mib {
        name: "CONEL-MOBILE",
        base: "1.3.6.1.4.1.30140.4",
        columns: &[],
        cellular: true,
        source: "LibreNMS icr-os, mobile group of Advantech (Conel) routers",
    },
];

/// Objects about the box itself: OID with its index, meaning, source.
pub(super) const HOSTS: &[(&str, What, &str)] = &[
    ("1.3.6.1.4.1.12356.121.21.1.1.3.0", What::HostModel, "FORTINET-FORTIEXTENDER-MIB fextInfo system, read in a walk"),
    ("1.3.6.1.4.1.12356.121.21.1.1.5.0", What::HostSerial, "FORTINET-FORTIEXTENDER-MIB fextInfo system, read in a walk"),
    ("1.3.6.1.4.1.12356.100.1.1.1.0", What::HostSerial, "FORTINET-CORE-MIB fnSysSerial"),
    ("1.3.6.1.4.1.23695.200.1.1.1.1.1.0", What::HostModel, "Peplink DEVICE MIB"),
    ("1.3.6.1.4.1.23695.200.1.1.1.1.2.0", What::HostSerial, "Peplink DEVICE MIB"),
    ("1.3.6.1.4.1.27662.200.1.1.1.1.1.0", What::HostModel, "Pepwave's copy of the Peplink DEVICE MIB"),
    ("1.3.6.1.4.1.27662.200.1.1.1.1.2.0", What::HostSerial, "Pepwave's copy of the Peplink DEVICE MIB"),
    ("1.3.6.1.4.1.14988.1.1.7.3.0", What::HostSerial, "MIKROTIK-MIB mtxrSerialNumber"),
    ("1.3.6.1.4.1.14988.1.1.7.8.0", What::HostModel, "MIKROTIK-MIB mtxrDisplayName"),
    ("1.3.6.1.4.1.25049.17.1.2", What::HostSerial, "OG-STATUSv2-MIB ogSerialNumber, without index in a walk"),
    ("1.3.6.1.4.1.25049.17.1.2.0", What::HostSerial, "OG-STATUSv2-MIB ogSerialNumber"),
    ("1.3.6.1.4.1.16378.10000.3.14.0", What::HostModel, "FusionInventory, from Digi's Sarian-Monitor.mib"),
    ("1.3.6.1.4.1.16378.10000.3.15.0", What::HostSerial, "FusionInventory, from Digi's Sarian-Monitor.mib"),
    ("1.3.6.1.4.1.16378.10000.3.19.0", What::Model, "FusionInventory, from Digi's Sarian-Monitor.mib: model of the modem"),
    ("1.3.6.1.4.1.16378.10000.3.20.0", What::Revision, "FusionInventory, from Digi's Sarian-Monitor.mib: firmware of the modem"),
    ("1.3.6.1.4.1.30140.6.1.0", What::HostModel, "a public collection of industrial OIDs (unverified)"),
    ("1.3.6.1.4.1.30140.6.3.0", What::HostSerial, "a public collection of industrial OIDs (unverified)"),
];

/// Enterprise numbers (IANA) of makers whose boxes may hold a modem.
pub(super) const ENTERPRISES: &[(u32, &str)] = &[
    (9, "Cisco"),
    (11, "HP"),
    (171, "D-Link"),
    (244, "Lantronix"),
    (248, "Hirschmann"),
    (332, "Digi"),
    (890, "Zyxel"),
    (2011, "Huawei"),
    (2636, "Juniper"),
    (3902, "ZTE"),
    (4130, "GE MDS"),
    (4196, "Siemens"),
    (4329, "Siemens"),
    (4526, "Netgear"),
    (8691, "Moxa"),
    (12356, "Fortinet"),
    (13191, "OneAccess"),
    (14988, "MikroTik"),
    (15004, "RuggedCom"),
    (16177, "Westermo"),
    (16378, "Digi"),
    (20542, "Sierra Wireless"),
    (20992, "Cradlepoint"),
    (23695, "Peplink"),
    (25049, "Opengear"),
    (27662, "Pepwave"),
    (30140, "Advantech"),
    (41112, "Ubiquiti"),
    (48690, "Teltonika"),
];

/// Symbols of the standard bases: name, numeric object without index.
pub(super) const STANDARD: &[(&str, &str)] = &[
    ("sysDescr", "1.3.6.1.2.1.1.1"),
    ("sysObjectID", "1.3.6.1.2.1.1.2"),
    ("sysName", "1.3.6.1.2.1.1.5"),
    ("sysLocation", "1.3.6.1.2.1.1.6"),
    ("ifDescr", "1.3.6.1.2.1.2.2.1.2"),
    ("ifType", "1.3.6.1.2.1.2.2.1.3"),
    ("ifName", "1.3.6.1.2.1.31.1.1.1.1"),
    ("entPhysicalDescr", "1.3.6.1.2.1.47.1.1.1.1.2"),
    ("entPhysicalClass", "1.3.6.1.2.1.47.1.1.1.1.5"),
    ("entPhysicalName", "1.3.6.1.2.1.47.1.1.1.1.7"),
    ("entPhysicalHardwareRev", "1.3.6.1.2.1.47.1.1.1.1.8"),
    ("entPhysicalFirmwareRev", "1.3.6.1.2.1.47.1.1.1.1.9"),
    ("entPhysicalSoftwareRev", "1.3.6.1.2.1.47.1.1.1.1.10"),
    ("entPhysicalSerialNum", "1.3.6.1.2.1.47.1.1.1.1.11"),
    ("entPhysicalMfgName", "1.3.6.1.2.1.47.1.1.1.1.12"),
    ("entPhysicalModelName", "1.3.6.1.2.1.47.1.1.1.1.13"),
];

/// Where symbolic OIDs begin.
pub(super) const ROOTS: &[(&str, &str)] = &[
    ("iso.org.dod.internet.mgmt.mib-2", "1.3.6.1.2.1"),
    ("iso.org.dod.internet.private.enterprises", "1.3.6.1.4.1"),
    ("SNMPv2-SMI::enterprises", "1.3.6.1.4.1"),
    ("SNMPv2-SMI::mib-2", "1.3.6.1.2.1"),
    ("SNMPv2-SMI::private.enterprises", "1.3.6.1.4.1"),
    ("private.enterprises", "1.3.6.1.4.1"),
    ("enterprises", "1.3.6.1.4.1"),
    ("mib-2", "1.3.6.1.2.1"),
    ("iso", "1"),
];
