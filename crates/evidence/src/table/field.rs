//! What a column can hold, and the words by which people and platforms head it.
//!
//! Field names of platforms are those of their public API references: Cisco IoT Control Center (Jasper), 1NCE, emnify,
//! Soracom, Verizon ThingSpace, Telnyx, Twilio Super SIM, Tuya, Microsoft Intune, Cradlepoint NCM v2 and NCOS. The
//! words of other languages are general vocabulary.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use super::Witness;
use super::languages::{MORE, MORE_HINTS, spellings};

macro_rules! fields {
    ($($(#[$doc:meta])* $variant:ident = $name:literal : $words:literal,)*) => {
        /// What a column holds.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Field { $($(#[$doc])* $variant,)* }
        impl Field {
            /// Every field.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];
            /// Its name in mapping files and in `inputs[].mapping`.
            pub fn name(self) -> &'static str { match self { $(Self::$variant => $name,)* } }
            /// Headers that mean it, separated by commas.
            fn words(self) -> &'static str { match self { $(Self::$variant => $words,)* } }
        }
    };
}

fields! {
    /// An IMEI in any form.
    Imei = "imei": "imei, imei number, imei no, imei nr, imei code, imei sv, imeisv, imei with luhn, imei luhn, device imei, modem imei, \
        module imei, gsm imei, cellular imei, current imei, last imei, session imei, imei last seen, equipment id, equipment identifier, \
        equipment identity, mobile equipment identity, international mobile equipment identity, disp imei, gsn, pei, mimei, imei1, imei2, \
        imei nummer, geräte imei, endgeräte imei, numéro imei, número imei, numero imei, codice imei, imei番号, 端末識別番号, \
        国际移动设备识别码, 国际移动设备身份码, 设备imei, imei号, imei码, imei号码, имеи, номер imei, imei nummer",
    /// CDMA identifiers.
    Meid = "meid": "meid, esn, esn meid, meid esn, disp meid, meid number",
    /// The SIM card.
    Iccid = "iccid": "iccid, icc id, iccid number, sim iccid, card iccid, iccid with luhn, active iccid, sim number, sim no, sim nr, sim id, sim card, \
        sim card number, sim card id, sim serial, sim serial number, simcard, sim, card number, sim kartennummer, sim karte, simkarte, \
        sim kartennr, kartennummer, numéro de sim, numéro sim, carte sim, número de sim, tarjeta sim, número de tarjeta sim, numero sim, \
        scheda sim, sim番号, simカード番号, sim卡号, sim卡, 集成电路卡识别码, 卡号, номер сим, сим карта, номер sim карты, sim карта, \
        número do sim, cartão sim, simkaart, simkaartnummer, sim kaart",
    /// The subscription.
    Imsi = "imsi": "imsi, current imsi, sim imsi, imsi number, mimsi, supi, imsi号, imsi番号, номер imsi, 国际移动用户识别码",
    /// The eUICC.
    Eid = "eid": "eid, euicc id, euiccid, euicc identifier, euicc, eid number",
    /// The telephone number.
    Msisdn = "msisdn": "msisdn, phone number, phone no, phone, mobile number, mobile phone number, cellular number, mdn, subscriber number, \
        telephone number, telephone, line number, wireless number, ctn, sim msisdn, rufnummer, telefonnummer, telefon, handynummer, \
        mobilnummer, mobilfunknummer, numéro de téléphone, téléphone, numéro d'appel, número de teléfono, teléfono, línea, \
        numero di telefono, telefono, 电话号码, 手机号, 手机号码, 電話番号, номер телефона, телефон, número de telefone, telefone, \
        telefoonnummer, mobiel nummer",
    /// A hardware address.
    Mac = "mac": "mac, mac address, mac addr, hardware address, physical address, ethernet mac, lan mac, lan mac address, wlan mac, wifi mac, \
        wifi mac address, wi fi mac address, wlan mac address, mac adresse, adresse mac, dirección mac, indirizzo mac, mac地址, macアドレス, \
        mac адрес, endereço mac, mac adres",
    /// Serial number of the device.
    Serial = "serial": "serial, serial number, serial no, serial nr, s/n, sn, device serial, device serial number, router serial, \
        router serial number, chassis serial, hardware serial number, service tag, seriennummer, serien nr, seriennr, fabriknummer, \
        numéro de série, n° de série, no de série, número de serie, nº de serie, numero di serie, matricola, 序列号, 产品序列号, 设备序列号, \
        出厂编号, シリアル番号, シリアルナンバー, 製造番号, серийный номер, заводской номер, número de série, nº de série, serienummer",
    /// The owner's number of the asset.
    AssetId = "asset-id": "asset id, asset tag, asset number, asset no, asset, asset code, asset identifier, inventory number, inventory id, \
        inventory no, equipment number, equipment no, tag number, device tag, plant tag, inventarnummer, inventar nr, inventarnr, \
        anlagennummer, anlagennr, betriebsmittelnummer, equipmentnummer, numéro d'inventaire, n° d'inventaire, n° inventaire, \
        numéro d'actif, número de inventario, número de activo, código de activo, numero di inventario, numero inventario, cespite, \
        资产编号, 资产号, 固定资产编号, 資産番号, 資産管理番号, 設備番号, 管理番号, инвентарный номер, инв номер, número de patrimônio, \
        patrimônio, número do ativo, código do ativo, inventarisnummer, activanummer",
    /// What people call it.
    Name = "name": "name, device name, devicename, endpoint name, display name, friendly name, hostname, host name, unique name, label, alias, \
        computer name, system name, sysname, router name, gateway name, ci name, asset name, sim name, managed device name, gerätename, \
        bezeichnung, gerätebezeichnung, nom, nom de l'appareil, nom d'hôte, nombre, nombre del dispositivo, nome, nome dispositivo, \
        nome del dispositivo, 名称, 设备名称, 设备名, デバイス名, 機器名, 端末名, 名前, ホスト名, имя, имя устройства, название, \
        наименование, nome do dispositivo, naam, apparaatnaam, toestelnaam",
    /// Vehicle identification number.
    Vin = "vin": "vin, vin number, vehicle identification number, fahrgestellnummer, fahrzeugidentifikationsnummer, fin, chassis number, \
        numéro de châssis, número de bastidor, numero di telaio, 车架号, 车辆识别代号, 车辆识别码, 車台番号, номер vin, número do chassi, \
        chassisnummer",
    /// Unique device identification of a medical device.
    Udi = "udi": "udi, udi di, udi pi, unique device identifier, unique device identification, basic udi di",
    /// IP address.
    Ip = "ip": "ip, ip address, ip addr, ipv4, ipv4 address, ipv6 address, fixed ip address, fixed ip, static ip, static ip address, wan ip, \
        wan ip address, mobile ip, ue ip, ue ip address, sim ip, device ip, private ip, ip adresse, adresse ip, dirección ip, indirizzo ip, \
        ip地址, ipアドレス, ip адрес, endereço ip, ip adres",
    /// Where it stands.
    Site = "site": "site, site name, location, location name, plant, facility, building, station, substation, branch, ward, ort, standort, werk, \
        betriebsstätte, einbauort, lieu, emplacement, ubicación, sitio, emplazamiento, sede, ubicazione, posizione, luogo, 地点, 位置, 站点, \
        安装位置, 安装地点, 場所, 設置場所, 拠点, местоположение, объект, место установки, площадка, localização, local, locatie, vestiging",
    /// Maker; of the module or of the device around it, as the kind of table says.
    Maker = "manufacturer": "manufacturer, manufacturer name, manuf, maker, make, brand, brand name, oem, mfg, mfr, device manufacturer, device make, \
        device brand, device maker, hersteller, gerätehersteller, marke, fabrikat, fabricant, marque, constructeur, fabricante, marca, \
        produttore, costruttore, 厂商, 制造商, 生产厂家, 生产商, 品牌, 厂家, 设备厂商, メーカー, 製造元, ブランド, 製造者, производитель, \
        изготовитель, бренд, fabrikant, merk",
    /// Model; of the module or of the device around it, as the kind of table says.
    Model = "model": "model, model name, model number, model no, model id, model code, device model, device model name, hardware model, \
        equipment model, product, product name, product model, marketing name, mdl, modell, modellbezeichnung, typenbezeichnung, gerätemodell, \
        modèle, modelo, modello, 型号, 产品型号, 设备型号, 规格型号, 机型, モデル, モデル名, 型番, 機種, 型式, модель, модель устройства, \
        modelnaam, modelnummer, toestelmodel",
    /// Maker of the module.
    ModuleMaker = "module-manufacturer": "mmanufacturer, modem make, module make",
    /// Model of the module.
    ModuleModel = "module-model": "modem, module, modem type, modem name, module name, module type, modem product, cellular module, cellular modem, \
        wwan module, wwan card, wwan adapter, lte module, 5g module, 4g module, radio module, communication module, modem card, mmodel, \
        mfg model, mfg mdl, mfg product, manufacturer model, modul, modemtyp, modultyp, funkmodul, mobilfunkmodul, mobilfunkmodem, \
        module cellulaire, modem cellulaire, module radio, módulo, módem, módulo celular, modulo, modulo cellulare, 通信模块, 通信模组, 模块, \
        模组, 无线模块, 通信モジュール, モジュール, モデム, модуль, модем, модуль связи, módulo de comunicação, modemtype",
    /// Firmware revision of the module.
    ModuleFirmware = "module-firmware": "modem version, modem revision, module version, module revision, baseband, baseband version, modemfw, ver pkg, \
        radio firmware, radio version, mrevision, modem software, modem software version, cellular software version, gsm firmware, \
        基带版本, 模块版本, 模组版本, モデムバージョン, モジュールバージョン, версия модема, версия модуля",
    /// Hardware revision of the module.
    ModuleHardware = "module-hardware": "modem hw version, module hw version, modem hardware, module hardware",
    /// Firmware; of the module where the table is about modules.
    Firmware = "firmware": "firmware, firmware version, firmware revision, fw version, fw, fw revision, revision, software version, sw version, \
        firmwareversion, firmwarestand, softwarestand, version du firmware, version firmware, version logicielle, micrologiciel, \
        versión de firmware, versión del firmware, versione firmware, 固件版本, 固件, 软件版本, ファームウェア, ファームウェアバージョン, \
        прошивка, версия прошивки, versão do firmware, firmwareversie",
    /// Maker of the device around the module.
    HostMaker = "host-manufacturer": "host manufacturer, router manufacturer, router brand, gateway manufacturer, system manufacturer, \
        vehicle make, laptop manufacturer, routerhersteller",
    /// Model of the device around the module.
    HostModel = "host-model": "host model, router model, gateway model, system model, system product name, vehicle model, laptop model, routermodell, \
        router type, routertyp, product code",
    /// Class of device.
    DeviceClass = "device-class": "device type, device class, device category, equipment type, equipment class, asset class, asset type, asset category, \
        ci class, ci type, sys class name, category, type, class, subcategory, model category, gerätetyp, geräteart, geräteklasse, kategorie, \
        typ, art, type d'appareil, type d'équipement, catégorie, tipo, tipo de dispositivo, tipo de equipo, categoría, tipo dispositivo, \
        tipo di dispositivo, categoria, 设备类型, 设备类别, 类别, 类型, 種別, デバイスタイプ, 機器種別, 端末種別, тип, тип устройства, \
        категория, tipo de equipamento, apparaattype, toesteltype, categorie, soort",
    /// Silicon.
    Chipset = "chipset": "chipset, soc, modem chipset, module chipset, baseband chipset, chip, chip platform, 芯片, 芯片平台, チップセット, чипсет",
    /// FCC ID.
    FccId = "fcc-id": "fcc id, fccid, fcc identifier, fcc number, contains fcc id, fcc",
    /// USB identifier.
    UsbId = "usb-id": "usb id, usb ids, vid pid, vidpid, usb vid pid, hardware id, hardware ids, hardwareid, instance id, device instance path, \
        device instance id, pnp device id, pnpdeviceid",
    /// PCI identifier.
    PciId = "pci-id": "pci id, pci ids, pci device id",
    /// When it was last seen.
    LastSeen = "last-seen": "last seen, last seen at, last seen date, last connection, last connected, last connected at, last connection time, last connection date, \
        last contact, last contact date, last activity, last active, last communication, last session, last session start, last online, \
        last online time, last check in, last checkin, last sync, last sync date time, last heartbeat, last report, last report time, \
        last event, last registration, last usage, letzter kontakt, zuletzt gesehen, letzte verbindung, zuletzt online, letzte aktivität, \
        letzte meldung, dernière connexion, dernière activité, dernier contact, última conexión, último contacto, última actividad, \
        ultima connessione, ultimo contatto, 最后在线时间, 最近在线时间, 最后上线时间, 最后连接时间, 最近上线时间, 最終接続, 最終接続日時, \
        最終通信日時, последняя активность, последнее подключение, последний сеанс, última conexão, último contato, laatst gezien, \
        laatste verbinding, laatste contact",
    /// Free text: read where it names a module or a maker.
    Text = "text": "description, short description, comment, comments, notes, note, remark, remarks, component, part number, part no, part, mpn, \
        manufacturer part number, details, specification, specs, beschreibung, bemerkung, bemerkungen, kommentar, komponente, remarque, \
        remarques, commentaire, descripción, comentarios, observaciones, descrizione, osservazioni, 描述, 备注, 说明, 規格, 规格, 説明, \
        備考, описание, примечание, комментарий, descrição, observações, beschrijving, opmerking, opmerkingen",
    /// Known, and of no use here.
    Ignore = "ignore": "imei lock, imeilock, imeilock imei, imei status, imei count, imei2 status, allowed imei, iccid status, sim status, sim type, \
        sim slot, sim count, eid status, name of contact, username, user name, customer name, company name, account name, fleet name, \
        mac filter, public ip, public ip address, gateway ip, dns ip, netmask",
}

/// Headers that are weak words for a field: used where no better column holds it.
const WEAK: &[(Field, &str)] = &[
    (
        Field::Name,
        "device id, deviceid, uid, device identifier, device, router, gateway, endpoint, device no, device number, terminal, terminal id, sid, unique id, \
         gerät, geräte id, appareil, dispositivo, 设备id, 设备编号, デバイスid, 端末id, ид устройства, устройство, apparaat, node, node id, thing name",
    ),
    (Field::Maker, "vendor, vendor name, 供应商, ベンダー, lieferant, supplier"),
    (
        Field::LastSeen,
        "last updated, last updated at, updated, updated at, last modified, last modified time, last update, timestamp, time stamp, time, date, report date, \
         datum, zeitstempel, zeit, aktualisiert, horodatage, fecha, hora, data, 时间, 日期, 更新时间, 日時, 更新日時, дата, время, tijdstip",
    ),
    (Field::Model, "typenschlüssel, type number, typnummer, referencia, référence"),
];

/// Columns that hold nothing of use, but say what kind of table this is.
const HINTS: &[(Witness, &str)] = &[
    (
        Witness::Platform,
        "apn, apn name, rate plan, rateplan, tariff, tariff plan, tariff profile, tariff profile name, service profile, service profile name, \
         communication plan, communicationplan, data plan, data usage, data used, data volume, usage, usage mb, data limit, quota, current quota, \
         quota status, sms usage, sms used, sim status, sim state, session, session status, session status online, in session, pdp context, puk, puk1, \
         pin1, ki, imei lock, imeilock, activation date, date activated, dateactivated, fleet, fleet sid, billing cycle, roaming, visited network, \
         home network, brand name, operator id, subscription, subscription id, network status, carrier informations, fixed ip address, tarif, datentarif, \
         datenvolumen, forfait, plan de datos, piano tariffario, 套餐, 流量, 卡状态, 激活时间, 料金プラン, 通信量, тариф, тарифный план, plano, \
         abonnement, databundel",
    ),
    (
        Witness::Register,
        "owner, owned by, asset owner, assigned to, assigned user, assignee, custodian, cost center, cost centre, purchase date, purchase order, po number, \
         warranty, warranty end, warranty expiration, department, business unit, primary user, user, user principal name, os, os version, \
         operating system, condition, install date, installed on, install status, installation date, commissioned, supplier, lifecycle, criticality, \
         responsible, support group, compliance, compliance state, managed by, ownership, enrolled date, enrollment date, last patch, value, besitzer, \
         eigentümer, kostenstelle, anschaffungsdatum, garantie, abteilung, verantwortlich, nutzer, benutzer, inbetriebnahme, propriétaire, \
         centre de coûts, date d'achat, service, responsable, propietario, departamento, centro de coste, fecha de compra, proprietario, reparto, \
         负责人, 部门, 使用人, 采购日期, 保修, 所有者, 部署, 担当者, 購入日, владелец, ответственный, отдел, подразделение, дата покупки, \
         proprietário, setor, eigenaar, afdeling, kostenplaats",
    ),
    (
        Witness::OwnWord,
        "rsrp, rsrq, sinr, rssi, dbm, ecio, signal, signal strength, signal level, signal quality, cell id, cellid, lac, rfband, rf band, band, ltebandwidth, \
         connection state, connection type, network type, radio access technology, modem temperature, modemtemp, modem state, modem status, uptime, \
         wan uptime, sim slot, srvc type, service type, carrid, activeapn, emmstate, modemopmode, tech, ver preri, signalstärke, empfang, \
         puissance du signal, intensidad de señal, 信号强度, 信号, 信号強度, уровень сигнала",
    ),
];

/// Words inside a header that say the column is about the module, and words that say what of it.
const MODULE_WORDS: &[&str] = &[
    "module",
    "modul",
    "modem",
    "wwan",
    "baseband",
    "cellular",
    "mobilfunk",
    "模块",
    "模组",
    "模組",
    "基带",
    "モジュール",
    "モデム",
    "модул",
    "модем",
];
const MAKER_WORDS: &[&str] = &[
    "manufacturer",
    "mfr",
    "maker",
    "vendor",
    "brand",
    "hersteller",
    "fabricant",
    "fabbricante",
    "constructeur",
    "costruttore",
    "marque",
    "marke",
    "fabrikat",
    "producent",
    "merk",
    "produttore",
    "fabrikant",
    "marca",
    "厂商",
    "厂家",
    "制造商",
    "品牌",
    "供应商",
    "メーカー",
    "製造",
    "производител",
    "изготовител",
];
const MODEL_WORDS: &[&str] = &["model", "product", "typ", "型号", "型番", "機種", "модел", "тип", "modèle", "name", "名称", "bezeichnung"];
const FIRMWARE_WORDS: &[&str] = &[
    "firmware",
    "fw",
    "software",
    "revision",
    "version",
    "versao",
    "versie",
    "wersja",
    "logiciel",
    "oprogramowanie",
    "固件",
    "软件",
    "版本",
    "ファーム",
    "バージョン",
    "прошивк",
    "верси",
];
const HARDWARE_WORDS: &[&str] = &["hardware", "hwversion", "hwrev"];

/// What a header was recognised as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// A field, and how surely: 3 its own word, 2 a compound, 1 a weak word.
    Field(Field, u8),
    /// Of no use, but it tells the kind of table.
    Hint(Witness),
}

struct Words {
    exact: FxHashMap<String, Known>,
    hints: FxHashMap<String, Witness>,
    folded: Vec<Vec<String>>,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let mut exact = FxHashMap::default();
    let mut hints = FxHashMap::default();
    let list = |words: &'static str| words.split(',').flat_map(spellings).map(|w| fold(&w)).filter(|w| !w.is_empty());
    for field in Field::ALL {
        for word in list(field.words()) {
            exact.entry(word).or_insert(Known::Field(*field, 3));
        }
    }
    for (field, words) in MORE {
        for word in list(words) {
            exact.entry(word).or_insert(Known::Field(*field, 3));
        }
    }
    for (field, words) in WEAK {
        for word in list(words) {
            exact.entry(word).or_insert(Known::Field(*field, 1));
        }
    }
    for (witness, words) in HINTS.iter().chain(MORE_HINTS) {
        for word in list(words) {
            hints.entry(word.clone()).or_insert(*witness);
            exact.entry(word).or_insert(Known::Hint(*witness));
        }
    }
    let folded = [MODULE_WORDS, MAKER_WORDS, MODEL_WORDS, FIRMWARE_WORDS, HARDWARE_WORDS]
        .iter()
        .map(|l| l.iter().map(|w| fold(w)).collect())
        .collect();
    Words { exact, hints, folded }
});

impl Field {
    /// The field of a name in a mapping file: kebab-case, snake_case or spaced.
    pub fn from_name(name: &str) -> Option<Self> {
        let wanted = fold(name);
        Self::ALL
            .iter()
            .copied()
            .find(|f| fold(f.name()) == wanted)
            .or_else(|| matches!(wanted.as_str(), "none" | "skip" | "unused").then_some(Self::Ignore))
            .or_else(|| matches!(wanted.as_str(), "maker" | "vendor" | "brand").then_some(Self::Maker))
            .or_else(|| matches!(wanted.as_str(), "imeiluhn").then_some(Self::Imei))
            .or_else(|| matches!(wanted.as_str(), "modulemaker").then_some(Self::ModuleMaker))
            .or_else(|| matches!(wanted.as_str(), "hostmaker").then_some(Self::HostMaker))
            .or_else(|| matches!(wanted.as_str(), "description" | "freetext" | "notes").then_some(Self::Text))
    }

    /// Whether several columns of one table may hold it.
    pub(super) fn repeats(self) -> bool {
        matches!(self, Self::Imei | Self::Mac | Self::Text | Self::ModuleFirmware | Self::Ignore | Self::FccId | Self::UsbId)
    }

    /// Whether it identifies the thing (and a table that has it is a table of devices).
    pub(super) fn identifies(self) -> bool {
        matches!(
            self,
            Self::Imei
                | Self::Meid
                | Self::Iccid
                | Self::Imsi
                | Self::Eid
                | Self::Mac
                | Self::Serial
                | Self::AssetId
                | Self::Vin
                | Self::Udi
        )
    }
}

/// Letters and digits in lower case, accents off: `Numéro IMEI`, `numero_imei` and `numeroImei` are one word.
pub(crate) fn fold(text: &str) -> String {
    text.chars()
        // `Nº`: the raised letters are letters, the degree sign that stands for them is none.
        .filter(|c| c.is_alphanumeric() && !matches!(c, 'º' | 'ª'))
        .flat_map(char::to_lowercase)
        .map(|c| match c {
            'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ą' => 'a',
            'ç' | 'ć' => 'c',
            'è' | 'é' | 'ê' | 'ë' | 'ę' => 'e',
            'ì' | 'í' | 'î' | 'ï' => 'i',
            'ñ' | 'ń' => 'n',
            'ł' => 'l',
            'ś' => 's',
            'ź' | 'ż' => 'z',
            'ò' | 'ó' | 'ô' | 'õ' | 'ö' => 'o',
            'ù' | 'ú' | 'û' | 'ü' => 'u',
            'ё' => 'е',
            '０'..='９' | 'ａ'..='ｚ' => char::from_u32((c as u32).wrapping_sub(0xfee0)).unwrap_or(c),
            _ => c,
        })
        .filter(|c| c.is_alphanumeric() && *c != '\u{307}')
        .collect()
}

/// The words of a header: split at anything that is no letter or digit, and where a capital follows a small letter.
fn words(text: &str) -> Vec<String> {
    let mut out: Vec<String> = vec![String::new()];
    let mut small = false;
    for c in text.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && small) {
            out.push(String::new());
        }
        if let (true, Some(last)) = (c.is_alphanumeric(), out.last_mut()) {
            last.extend(c.to_lowercase());
        }
        small = c.is_lowercase();
    }
    out.retain(|w| !w.is_empty());
    out
}

/// Parents in a dotted path whose `name`, `id`, `type` … are not the device's own.
fn transparent(parent: &str) -> bool {
    matches!(
        parent,
        "" | "sim"
            | "sims"
            | "simcard"
            | "card"
            | "device"
            | "devices"
            | "endpoint"
            | "info"
            | "identity"
            | "attributes"
            | "properties"
            | "hardware"
            | "router"
            | "gateway"
            | "session"
            | "sessionstatus"
            | "diagnostics"
            | "data"
            | "node"
            | "asset"
            | "host"
            | "system"
            | "product"
            | "details"
            | "general"
            | "deviceids"
            | "customfields"
            | "extendedattributes"
            | "carrierinformations"
            | "equipment"
            | "fields"
            | "tags"
            | "value"
    )
}

/// What a header means, if it is known.
pub(super) fn recognise(header: &str) -> Option<Known> {
    let header = header.trim();
    if header.is_empty() || header.len() > 200 {
        return None;
    }
    let known = &*WORDS;
    // A unit or remark in brackets is no part of the name: `Data usage (MB)`.
    let bare = header.split(['(', '[', '（']).next().unwrap_or(header);
    for text in [header, bare] {
        if let Some(found) = known.exact.get(&fold(text)) {
            return Some(*found);
        }
    }
    if let Some((parents, last)) = header.rsplit_once(['.', '/', '>', ':']) {
        let parent = fold(parents.rsplit(['.', '/', '>', ':']).next().unwrap_or_default());
        let two = fold(&format!("{parent}{last}"));
        if let Some(found) = known.exact.get(&two) {
            return Some(*found);
        }
        let last_known = recognise(last);
        match last_known {
            Some(Known::Field(Field::Imei | Field::Iccid | Field::Imsi | Field::Eid | Field::Msisdn | Field::FccId | Field::Meid, 3))
                if !parent.contains("lock") =>
            {
                return last_known;
            }
            // Fields of a module stand under its name: `modem.model`.
            Some(Known::Field(field @ (Field::Maker | Field::Model | Field::Firmware), _)) if contains(&parent, 0) => {
                let of = match field {
                    Field::Maker => Field::ModuleMaker,
                    Field::Model => Field::ModuleModel,
                    _ => Field::ModuleFirmware,
                };
                return Some(Known::Field(of, 3));
            }
            Some(Known::Field(field, sure)) if transparent(&parent) => return Some(Known::Field(field, sure)),
            Some(Known::Hint(_)) => return last_known,
            _ => {}
        }
        return known.hints.get(&parent).map(|w| Known::Hint(*w));
    }
    let folded = fold(bare);
    if contains(&folded, 0) {
        for (list, field) in [(1, Field::ModuleMaker), (4, Field::ModuleHardware), (3, Field::ModuleFirmware), (2, Field::ModuleModel)] {
            if contains(&folded, list) {
                return Some(Known::Field(field, 2));
            }
        }
    }
    let words = words(bare);
    let has = |word: &str| words.iter().any(|w| w == word);
    let other =
        ["lock", "status", "count", "state", "required", "changed", "match", "valid", "check", "type", "list", "filter", "date", "time"];
    if other.iter().any(|w| has(w)) {
        return None;
    }
    for (word, field) in [
        ("imei", Field::Imei),
        ("iccid", Field::Iccid),
        ("imsi", Field::Imsi),
        ("msisdn", Field::Msisdn),
        ("eid", Field::Eid),
        ("mac", Field::Mac),
    ] {
        if has(word) {
            return Some(Known::Field(field, 2));
        }
    }
    None
}

fn contains(folded: &str, list: usize) -> bool {
    WORDS.folded.get(list).is_some_and(|l| l.iter().any(|w| folded.contains(w.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(header: &str) -> Option<Field> {
        match recognise(header) {
            Some(Known::Field(field, _)) => Some(field),
            _ => None,
        }
    }

    #[test]
    fn headers_of_platforms_and_languages() {
        for (header, expected) in [
            ("IMEI", Field::Imei),
            ("Device IMEI", Field::Imei),
            ("imei_with_luhn", Field::Imei),
            ("sessionStatus.imei", Field::Imei),
            ("equipmentId", Field::Imei),
            ("国际移动设备识别码", Field::Imei),
            ("deviceIds.imei", Field::Imei),
            ("sim.iccid", Field::Iccid),
            ("Numéro de série", Field::Serial),
            ("S/N", Field::Serial),
            ("Nom de l'équipement", Field::Name),
            ("N° de téléphone", Field::Msisdn),
            ("Nº de serie", Field::Serial),
            ("Nr. seryjny", Field::Serial),
            ("No. d'inventaire", Field::AssetId),
            ("Inventar-Nr.", Field::AssetId),
            ("Geraetename", Field::Name),
            ("Mobilfunk-Nr.", Field::Msisdn),
            ("Número do cartão SIM", Field::Iccid),
            ("Nr karty SIM", Field::Iccid),
            ("Nazwa urządzenia", Field::Name),
            ("Producent", Field::Maker),
            ("Telefoonnr.", Field::Msisdn),
            ("Marque du modem", Field::ModuleMaker),
            ("Versão do módulo", Field::ModuleFirmware),
            ("Última comunicación", Field::LastSeen),
            ("MAC_Address", Field::Mac),
            ("WiFiMacAddress", Field::Mac),
            ("Inventarnummer", Field::AssetId),
            ("Produttore", Field::Maker),
            ("Модель", Field::Model),
            ("メーカー", Field::Maker),
            ("modem.model", Field::ModuleModel),
            ("Modem FW Version", Field::ModuleFirmware),
            ("Modulhersteller", Field::ModuleMaker),
            ("模块厂商", Field::ModuleMaker),
            ("Fabricant du module", Field::ModuleMaker),
            ("MFG_MODEL", Field::ModuleModel),
            ("ver_pkg", Field::ModuleFirmware),
            ("LastContact", Field::LastSeen),
            ("fixedIPAddress", Field::Ip),
            ("PhoneNumber", Field::Msisdn),
            ("imei_lock", Field::Ignore),
            ("imeiLock.imei", Field::Ignore),
            ("Data usage (MB)", Field::Text),
        ] {
            if header.starts_with("Data usage") {
                assert_eq!(recognise(header), Some(Known::Hint(Witness::Platform)));
            } else {
                assert_eq!(field(header), Some(expected), "{header}");
            }
        }
        for header in ["service_profile.name", "simSize", "status.id", "tariff_profile.id", "", "foo"] {
            assert_eq!(field(header), None, "{header}");
        }
    }

    #[test]
    fn every_field_has_a_name_that_a_mapping_file_can_use() {
        for f in Field::ALL {
            assert_eq!(Field::from_name(f.name()), Some(*f));
        }
        assert_eq!(Field::from_name("asset_id"), Some(Field::AssetId));
        assert_eq!(Field::from_name("nonsense"), None);
    }
}
